use std::time::SystemTime;

use super::super::fault::Exit;
use super::*;

/// An empty directory, removed afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        // In memory where that can be: files are synced, and a disk may be busy with other tests.
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let path = parent.join(format!("indi-camera-files-{}-{name}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Folder(path)
    }

    fn files(&self, pattern: &str, count: u32, overwrite: bool) -> Result<Files, Fault> {
        let now =
            jiff::Timestamp::try_from(SystemTime::UNIX_EPOCH).unwrap().to_zoned(jiff::tz::TimeZone::UTC);
        Files::new(&self.0.join(pattern), count, overwrite, &now)
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = entries.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn put(&self, name: &str) {
        fs::write(self.0.join(name), "old").unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn numbers_go_on_where_nothing_is_in_the_way() {
    let folder = Folder::new("numbers");
    folder.put("m31_001.fits");
    folder.put("m31_002.png");
    let files = folder.files("m31_XXX.fits", 3, false).unwrap();
    let first = files.write(b"frame", ".fits", Some(b"picture")).unwrap();
    assert_eq!(first.frame, folder.0.join("m31_003.fits"));
    assert_eq!(first.preview.unwrap(), folder.0.join("m31_003.png"));
    files.write(b"frame", ".fits.fz", None).unwrap();
    let names = ["m31_001.fits", "m31_002.png", "m31_003.fits", "m31_003.png", "m31_004.fits.fz"];
    assert_eq!(folder.names(), names);
    assert_eq!(fs::read(folder.0.join("m31_001.fits")).unwrap(), b"old");
}

#[test]
fn a_name_that_is_taken_is_refused_before_any_light_is_spent() {
    let folder = Folder::new("taken");
    for taken in ["one.fits", "two.png", "three.fits.fz"] {
        folder.put(taken);
        let pattern = taken.split('.').next().unwrap();
        let fault = folder.files(pattern, 1, false).unwrap_err();
        assert_eq!(fault.exit, Exit::Failed);
        assert!(fault.to_string().contains(taken) && fault.to_string().contains("--overwrite"), "{fault}");
    }
}

#[test]
fn a_name_that_is_taken_meanwhile_is_left_alone_too() {
    let folder = Folder::new("meanwhile");
    let files = folder.files("one.fits", 1, false).unwrap();
    folder.put("one.fits");
    assert!(files.write(b"new", ".fits", None).is_err());
    let files = folder.files("two.fits", 1, false).unwrap();
    folder.put("two.png");
    let fault = files.write(b"new", ".fits", Some(b"picture")).err().unwrap();
    assert!(fault.to_string().contains("safe in"), "{fault}");
    assert_eq!(folder.names(), ["one.fits", "two.fits", "two.png"]);
    assert_eq!(fs::read(folder.0.join("one.fits")).unwrap(), b"old");
    assert_eq!(fs::read(folder.0.join("two.png")).unwrap(), b"old");
}

#[test]
fn overwriting_is_done_when_it_is_asked_for() {
    let folder = Folder::new("overwrite");
    folder.put("one.fits");
    let files = folder.files("one.fits", 1, true).unwrap();
    files.write(b"new", ".fits", Some(b"picture")).unwrap();
    assert_eq!(folder.names(), ["one.fits", "one.png"]);
    assert_eq!(fs::read(folder.0.join("one.fits")).unwrap(), b"new");
}

#[test]
fn directories_are_made_and_times_filled_in() {
    let folder = Folder::new("made");
    let written = folder.files("night/dark_ISO8601_XXXX", 2, false).unwrap();
    let written = written.write(b"frame", ".xisf", None).unwrap();
    assert_eq!(written.frame, folder.0.join("night/dark_1970-01-01T00-00-00_0001.xisf"));
    let written = folder.files("night", 1, false).unwrap().write(b"frame", ".fits", None).unwrap();
    assert_eq!(written.frame, folder.0.join("night/capture_001.fits"));
}

#[test]
fn what_cannot_be_a_name_is_refused() {
    let folder = Folder::new("refused");
    assert_eq!(folder.files("one.fits", 2, false).unwrap_err().exit, Exit::Usage);
    folder.put("file");
    let fault = folder.files("file/one.fits", 1, false).unwrap_err();
    assert!(fault.exit == Exit::Failed && fault.to_string().contains("cannot write into"), "{fault}");
    assert_eq!(folder.names(), ["file"]);
}
