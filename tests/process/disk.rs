//! Disks that let a frame down, and directories that are out of bounds.
//!
//! The driver has a small disk of its own in a namespace of its own. Where the system gives nobody one (a container without
//! user namespaces), `INDI_CAMERA_NO_DISKS` leaves these scenes out; what the file layer does on each error of the system is
//! tested beside it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Driver, Element, Folder, SOON, Start, fitsverify};
use crate::upload::store;
use crate::{BRIEF, LONG, begin, collect, connected_by, count, is_blob, is_busy, press, take, until_quiet};

/// A driver with a disk of its own.
struct Small {
    driver: Driver,
    mount: PathBuf,
    _folder: Folder,
}

impl Small {
    /// Nothing where that was asked for.
    fn new() -> Option<Small> {
        if std::env::var_os("INDI_CAMERA_NO_DISKS").is_some() {
            return None;
        }
        let unshared = Command::new("unshare").args(["-rm", "true"]).status();
        assert!(
            unshared.is_ok_and(|status| status.success()),
            "nobody gets a disk of his own here: set INDI_CAMERA_NO_DISKS to do without these scenes"
        );
        let folder = Folder::in_memory();
        let mount = folder.path().join("disk");
        fs::create_dir(&mount).unwrap();
        let world = Some(mounting(&mount));
        let mut driver = connected_by(Start { world, ..Start::default() });
        store(&mut driver, "UPLOAD_BOTH", &mount.join("night"));
        Some(Small { driver, mount, _folder: folder })
    }

    /// Does something to the disk, as whoever mounted it can.
    fn does(&self, what: &str) {
        let pid = self.driver.pid().to_string();
        let arguments = ["--preserve-credentials", "-U", "-m", "-t", &pid, "sh", "-c", what];
        assert!(Command::new("nsenter").args(arguments).status().unwrap().success(), "{what}");
    }

    /// Where its files are to be seen from here.
    fn night(&self) -> PathBuf {
        let pid = self.driver.pid();
        PathBuf::from(format!("/proc/{pid}/root{}", self.mount.join("night").display()))
    }

    /// Takes a frame that is not saved: the sentence.
    fn loses(&mut self) -> String {
        let heard = take(&mut self.driver, BRIEF);
        assert_eq!(
            (self.driver.state("CCD_EXPOSURE"), self.driver.state("CCD_FILE_PATH")),
            ("Alert", "Alert")
        );
        assert_eq!(count(&heard, is_blob), 1, "the client's copy");
        let mut sentences = heard.iter().filter(|element| element.tag == "message");
        let sentence = sentences.next().unwrap().attribute("message").to_owned();
        assert_eq!(sentences.count(), 0, "{heard:?}");
        assert!(sentence.starts_with("[ERROR] the frame was not saved: "), "{sentence}");
        sentence
    }

    fn saves(&mut self) {
        take(&mut self.driver, BRIEF);
        assert_eq!((self.driver.state("CCD_EXPOSURE"), self.driver.state("CCD_FILE_PATH")), ("Ok", "Ok"));
    }

    /// Asks for a long exposure that is refused: the sentence.
    fn refuses(&mut self) -> String {
        let heard = take(&mut self.driver, LONG);
        assert_eq!(self.driver.state("CCD_EXPOSURE"), "Alert");
        let sentence = heard.iter().find(|element| element.tag == "message").unwrap().attribute("message");
        assert!(sentence.starts_with("[ERROR] the exposure is refused: "), "{sentence}");
        sentence.to_owned()
    }
}

fn mounting(mount: &Path) -> String {
    format!("mount -t tmpfs -o size=200k none '{}'", mount.display())
}

#[test]
fn a_full_disk_costs_the_file_and_not_the_clients_copy() {
    let Some(mut small) = Small::new() else { return };
    let is_full =
        |heard: &[Element]| heard.iter().any(|element| element.attribute("message").contains("space"));
    let mut frames = 0;
    while !is_full(&take(&mut small.driver, BRIEF)) {
        frames += 1;
        assert!(frames < 60, "a disk of 200 kB takes {frames} frames");
    }
    assert!(small.loses().contains("no space left for"));
    let names = || fs::read_dir(small.night()).unwrap().count();
    assert_eq!(names(), frames, "nothing half-written");
    let sentence = small.refuses();
    assert!(sentence.contains("the frame takes") && sentence.contains("are free"), "{sentence}");
    fs::remove_file(small.night().join("shot_001.fits")).unwrap();
    small.saves();
    // The disk is full again.
    assert!(small.refuses().contains("are free"));
    for name in fs::read_dir(small.night()).unwrap() {
        fitsverify(&name.unwrap().path());
    }
}

#[test]
fn a_disk_that_can_only_be_read_is_told() {
    let Some(mut small) = Small::new() else { return };
    small.saves();
    let mount = small.mount.display().to_string();
    small.does(&format!("mount -o remount,ro '{mount}'"));
    assert!(small.loses().contains("can only be read"));
    assert!(small.refuses().contains("can only be read"));
    small.does(&format!("mount -o remount,rw '{mount}'"));
    small.saves();
}

#[test]
fn nothing_is_written_below_a_disk_that_is_gone() {
    let Some(mut small) = Small::new() else { return };
    small.saves();
    let mount = small.mount.clone();
    small.does(&format!("umount -l '{}'", mount.display()));
    assert!(small.loses().contains(&format!("{} is not mounted any more", mount.display())));
    assert!(small.refuses().contains("is not mounted any more"));
    // Another directory of that disk is gone with it.
    store(&mut small.driver, "UPLOAD_BOTH", &mount.join("M31/OIII"));
    assert!(small.loses().contains("is not mounted any more"));
    assert_eq!(fs::read_dir(&mount).unwrap().count(), 0);
    small.does(&mounting(&mount));
    small.saves();
}

#[test]
fn a_directory_that_became_a_file_is_told() {
    let folder = Folder::in_memory();
    let directory = folder.path().join("night");
    let mut driver = connected_by(Start::default());
    store(&mut driver, "UPLOAD_BOTH", &directory);
    take(&mut driver, BRIEF);
    assert_eq!(driver.state("CCD_EXPOSURE"), "Ok");
    fs::rename(&directory, folder.path().join("yesterday")).unwrap();
    fs::write(&directory, "").unwrap();
    let heard = take(&mut driver, BRIEF);
    assert_eq!((driver.state("CCD_EXPOSURE"), count(&heard, is_blob)), ("Alert", 1));
    let sentence = heard.iter().find(|element| element.tag == "message").unwrap().attribute("message");
    assert!(sentence.contains("a file is where a directory should be"), "{sentence}");
    let heard = take(&mut driver, LONG);
    assert_eq!(driver.state("CCD_EXPOSURE"), "Alert", "{heard:?}");
    fs::remove_file(&directory).unwrap();
    take(&mut driver, BRIEF);
    assert_eq!(driver.state("CCD_EXPOSURE"), "Ok");
}

#[test]
fn what_a_killed_driver_left_behind_is_removed_by_the_next_one() {
    let (folder, mut driver) = crate::upload::caught_storing();
    driver.signal(rustix::process::Signal::KILL);
    driver.wait(SOON);
    // As if it had been caught in any case.
    let settings = driver.home().path().join(".indi");
    fs::create_dir_all(&settings).unwrap();
    for directory in [folder.path(), &settings] {
        fs::write(directory.join(".indi-camera-4000000-0.part"), "half").unwrap();
    }
    let mut driver = connected_by(Start { home: Some(driver.home().clone()), ..Start::default() });
    store(&mut driver, "UPLOAD_LOCAL", folder.path());
    take(&mut driver, BRIEF);
    let names = folder.list("");
    assert!(names.iter().all(|name| name.ends_with(".fits")), "{names:?}");
    assert!(!settings.join(".indi-camera-4000000-0.part").exists());
}

#[test]
fn a_client_cannot_store_outside_of_the_root() {
    let (root, outside) = (Folder::in_memory(), Folder::in_memory());
    let path = |folder: &Folder, name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let env = vec![("INDI_CAMERA_UPLOAD_ROOT", path(&root, ""))];
    let mut driver = connected_by(Start { env, ..Start::default() });
    press(&mut driver, "UPLOAD_MODE", "UPLOAD_LOCAL");
    take(&mut driver, BRIEF);
    assert_eq!(driver.get("CCD_FILE_PATH", "FILE_PATH"), Some(&*path(&root, "IMAGE_001.fits")));

    symlink(outside.path(), root.path().join("link")).unwrap();
    for wanted in
        [path(&outside, ""), path(&root, "../x"), "/".into(), "_HOME_/../x".into(), "_HOME_x".into()]
    {
        driver.new_vector("Text", "UPLOAD_SETTINGS", &[("UPLOAD_DIR", &wanted)]);
        let heard = until_quiet(&mut driver);
        assert_eq!(driver.state("UPLOAD_SETTINGS"), "Alert", "{wanted}");
        let sentence = heard.iter().find(|element| element.tag == "message").unwrap().attribute("message");
        assert!(
            sentence.contains("it has to be inside") || sentence.contains("begin with _HOME_"),
            "{sentence}"
        );
    }
    for wanted in [path(&root, "link"), path(&root, "link/deeper"), "_HOME_/link".into()] {
        driver.new_vector("Text", "UPLOAD_SETTINGS", &[("UPLOAD_DIR", &wanted)]);
        begin(&mut driver, BRIEF);
        let heard = collect(&mut driver, |element| {
            element.is("setNumberVector", "CCD_EXPOSURE") && !is_busy(element)
        });
        assert_eq!(driver.state("CCD_EXPOSURE"), "Alert", "{wanted}");
        let sentence = heard.iter().find(|element| element.tag == "message").unwrap().attribute("message");
        assert!(sentence.contains("is a link"), "{sentence}");
    }
    assert!(outside.list("").is_empty());
    driver.new_vector("Text", "UPLOAD_SETTINGS", &[("UPLOAD_DIR", "_HOME_/of/the/night")]);
    take(&mut driver, BRIEF);
    assert_eq!(driver.get("CCD_FILE_PATH", "FILE_PATH"), Some(&*path(&root, "of/the/night/IMAGE_001.fits")));
}
