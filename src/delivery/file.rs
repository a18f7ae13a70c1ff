//! Stores files where the user wants them: directory, name, next index, and nothing half-written ever.
//!
//! In a file name `XXX` stands for the next free index and `ISO8601` for the local time at which the exposure began;
//! a name with a `%` in it is an INDIGO template ([`crate::image::name`]) instead. The index continues after the
//! largest one found, as libindi counts it, but the directory is read only for the first file of a series, and a file
//! that has meanwhile taken a name is never overwritten: the next index is tried. Without an index there is one file,
//! which is replaced.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::camera::types::Cancel;
use crate::device::job::{DeliveryError, FileTarget};
use crate::host::draft::Draft;
use crate::image::header::Card;
use crate::image::name::{self, Name};

/// What compressed files have behind the suffix of what they hold.
const PACKED: &str = ".fz";
/// Series whose next index is remembered. A user has a handful; a client that invents a new name for each frame
/// must not fill the memory.
const MAX_SERIES: usize = 64;

/// Where files go, and which index is next.
#[derive(Debug)]
pub struct FileStore {
    home: PathBuf,
    zone: TimeZone,
    /// By directory and the part of the name that all files of a series share.
    next: HashMap<(PathBuf, String), u64>,
}

impl FileStore {
    /// `home` stands for `_HOME_` and is where relative directories begin; file names show the time in `zone`.
    #[must_use]
    pub fn new(home: PathBuf, zone: TimeZone) -> Self {
        FileStore { home, zone, next: HashMap::new() }
    }

    /// Stores `bytes` in a file whose name ends with `frame.suffix` and gives the file's path once everything is on the
    /// disk, or `None` if `cancel` was set in time, which leaves no file. After an error there is no file either.
    pub fn store(
        &mut self,
        to: &FileTarget,
        frame: Described<'_>,
        bytes: &[u8],
        cancel: &Cancel,
    ) -> Result<Option<PathBuf>, DeliveryError> {
        let directory = self.directory(&to.directory);
        if to.prefix.is_empty() || to.prefix.contains(['/', '\0']) {
            let why = "a file name has at least one character and no \"/\"".to_owned();
            return Err(DeliveryError::File { path: to.prefix.clone().into(), why });
        }

        fs::create_dir_all(&directory).map_err(|error| explain(&directory, &error))?;
        let started = self.local_time(to.started);
        let name = if to.prefix.contains('%') {
            let name = name::fill(&to.prefix, frame.cards, frame.size, &started);
            name.map_err(|why| DeliveryError::File { path: to.prefix.clone().into(), why })?
        } else {
            plain_name(&to.prefix, &started)
        };
        let mut draft = Draft::new(&directory).map_err(|error| explain(&directory, &error))?;
        let wanted = directory.join(full(&name, 0, frame.suffix));
        draft.write(bytes).map_err(|error| explain(&wanted, &error))?;
        if cancel.is_cancelled() {
            return Ok(None);
        }

        let path = if name.index.is_some() {
            self.publish_indexed(draft, directory, &to.prefix, (&name, frame.suffix))
        } else {
            draft.replace(OsStr::new(&full(&name, 0, frame.suffix)))
        };
        let path = path.map_err(|error| explain(&wanted, &error))?;
        if cancel.is_cancelled() {
            remove(&path);
            return Ok(None);
        }
        Ok(Some(path))
    }

    fn directory(&self, wanted: &str) -> PathBuf {
        let home = self.home.to_string_lossy();
        match wanted {
            "" | "_HOME_" => self.home.clone(),
            _ => self.home.join(wanted.replace("_HOME_", &home)),
        }
    }

    fn local_time(&self, at: SystemTime) -> Zoned {
        // A clock outside the years -9999 to 9999 is no reason to lose the frame.
        let at = Timestamp::try_from(at).unwrap_or(Timestamp::UNIX_EPOCH);
        at.to_zoned(self.zone.clone())
    }

    fn publish_indexed(
        &mut self,
        mut draft: Draft,
        directory: PathBuf,
        prefix: &str,
        (name, suffix): (&Name, &str),
    ) -> io::Result<PathBuf> {
        let is_template = prefix.contains('%');
        let series = if is_template {
            name.before.clone()
        } else {
            prefix.replace("_XXX", "").replace("_ISO8601", "")
        };
        let key = (directory, series);
        let mut index = match self.next.get(&key) {
            Some(&next) => next,
            None if is_template => last_number_after(&key.0, &key.1)?.saturating_add(1),
            None => last_index(&key.0, &key.1)?.saturating_add(1),
        };
        loop {
            match draft.claim(OsStr::new(&full(name, index, suffix)))? {
                Ok(path) => {
                    if self.next.len() >= MAX_SERIES {
                        self.next.clear();
                    }
                    self.next.insert(key, index.saturating_add(1));
                    return Ok(path);
                }
                Err(taken) => draft = taken,
            }
            index = index.checked_add(1).ok_or(ErrorKind::AlreadyExists)?;
        }
    }
}

/// What a name can tell of a frame.
#[derive(Clone, Copy, Debug)]
pub struct Described<'a> {
    /// Its header.
    pub cards: &'a [Card],
    /// Its width and height.
    pub size: (usize, usize),
    /// The suffix of its format.
    pub suffix: &'a str,
}

/// A name with libindi's placeholders.
fn plain_name(prefix: &str, started: &Zoned) -> Name {
    let name = prefix.replace("ISO8601", &started.strftime("%Y-%m-%dT%H-%M-%S.%3f").to_string());
    match name.split_once("XXX") {
        Some((before, rest)) => {
            let after = rest.trim_start_matches('X');
            let digits = 3 + rest.len() - after.len();
            Name { before: before.to_owned(), index: Some((digits, after.to_owned())) }
        }
        None => Name { before: name, index: None },
    }
}

/// The whole file name.
fn full(name: &Name, index: u64, suffix: &str) -> String {
    match &name.index {
        Some((digits, after)) => format!("{}{index:0digits$}{after}{suffix}", name.before),
        None => format!("{}{suffix}", name.before),
    }
}

/// Removes a file that nobody wants any more.
pub fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        tracing::warn!(path = %path.display(), %error, "cancelled file not removed");
    }
}

/// The largest number between the last `_` and the last `.`, but for [`PACKED`], of all names that contain `series`,
/// or 0.
fn last_index(directory: &Path, series: &str) -> io::Result<u64> {
    let mut last = 0;
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        let Some(name) = name.to_str().filter(|name| name.contains(series)) else { continue };
        let name = name.strip_suffix(PACKED).unwrap_or(name);
        let index = name.rsplit_once('.').and_then(|(stem, _)| stem.rsplit_once('_')).map(|(_, index)| index);
        // A number too long for us was not written by us.
        let Some(Ok(index)) = index.map(str::parse) else { continue };
        last = last.max(index);
    }
    Ok(last)
}

/// The largest number that follows `before` at the beginning of a name, or 0.
fn last_number_after(directory: &Path, before: &str) -> io::Result<u64> {
    let mut last = 0;
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        let Some(rest) = name.to_str().and_then(|name| name.strip_prefix(before)) else { continue };
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        last = last.max(rest[..digits].parse().unwrap_or(0));
    }
    Ok(last)
}

/// What went wrong with a file, in the words of the device.
#[must_use]
pub fn explain(path: &Path, error: &io::Error) -> DeliveryError {
    let path = path.to_owned();
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => DeliveryError::DiskFull { path },
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => DeliveryError::Permission { path },
        _ => DeliveryError::File { path, why: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::host::scratch::Scratch;

    const UNDESCRIBED: Described<'_> = Described { cards: &[], size: (1, 1), suffix: ".fits" };

    fn target(directory: &str, prefix: &str) -> FileTarget {
        let started = SystemTime::UNIX_EPOCH + Duration::from_millis(1_000_000_000_123);
        FileTarget { directory: directory.to_owned(), prefix: prefix.to_owned(), started }
    }

    fn files(scratch: &Scratch) -> FileStore {
        FileStore::new(scratch.path().to_owned(), TimeZone::fixed(jiff::tz::offset(2)))
    }

    /// Stores in the home directory and gives the name.
    fn store(files: &mut FileStore, prefix: &str) -> String {
        let path = files
            .store(&target("", prefix), UNDESCRIBED, prefix.as_bytes(), &Cancel::default())
            .unwrap()
            .unwrap();
        assert_eq!(fs::read(&path).unwrap(), prefix.as_bytes());
        path.file_name().unwrap().to_str().unwrap().to_owned()
    }

    #[test]
    fn directories_are_found_and_made() {
        let scratch = Scratch::new();
        let elsewhere = Scratch::new();
        let absolute = elsewhere.path().join("a/b").to_str().unwrap().to_owned();
        for (directory, want) in [
            ("", scratch.path().to_owned()),
            ("_HOME_", scratch.path().to_owned()),
            ("_HOME_/x/y", scratch.path().join("x/y")),
            ("relative", scratch.path().join("relative")),
            (&absolute, elsewhere.path().join("a/b")),
        ] {
            let path = files(&scratch)
                .store(&target(directory, "A"), UNDESCRIBED, b"x", &Cancel::default())
                .unwrap()
                .unwrap();
            assert_eq!(path, want.join("A.fits"));
            assert!(path.exists());
        }
    }

    #[test]
    fn an_indigo_template_continues_its_own_series() {
        let scratch = Scratch::new();
        fs::write(scratch.path().join("M42_005_Light.fits"), "").unwrap();
        let mut files = files(&scratch);
        assert_eq!(store(&mut files, "M42_%3I_%F"), "M42_006_NA.fits");
        assert_eq!(store(&mut files, "M42_%3I_%C"), "M42_007_nofilter.fits");
        assert_eq!(store(&mut files, "M42_%D"), "M42_20010909.fits");
        assert_eq!(store(&mut files, "N_XXXXX"), "N_00001.fits");
    }

    #[test]
    fn names_tell_local_time_and_index() {
        let scratch = Scratch::new();
        let mut files = files(&scratch);
        assert_eq!(store(&mut files, "IMG_ISO8601_XXX"), "IMG_2001-09-09T03-46-40.123_001.fits");
        assert_eq!(store(&mut files, "IMG_ISO8601_XXX"), "IMG_2001-09-09T03-46-40.123_002.fits");
        assert_eq!(store(&mut files, "ISO8601"), "2001-09-09T03-46-40.123.fits");
        assert_eq!(store(&mut files, "XXX_dark"), "001_dark.fits");
        assert_eq!(store(&mut files, "XXX_dark"), "002_dark.fits");
    }

    #[test]
    fn the_index_goes_on_after_the_largest() {
        let scratch = Scratch::new();
        let others = [
            "IMG_9.fits",
            "IMG_41.fits",
            "my IMG_998.txt",
            "DARK_5000.fits",
            "IMG_x.fits",
            "IMG_7000",
            "IMG-8000.fits",
        ];
        for name in others.into_iter().chain(["IMG_99999999999999999999999.fits"]) {
            fs::write(scratch.path().join(name), "").unwrap();
        }
        // Directories have no order: the largest must not be last by luck.
        for index in 1..50 {
            fs::write(scratch.path().join(format!("IMG_{index:03}.fits")), "").unwrap();
        }
        let mut files = files(&scratch);
        assert_eq!(store(&mut files, "IMG_XXX"), "IMG_999.fits");
        assert_eq!(store(&mut files, "IMG_XXX"), "IMG_1000.fits");
        // Known by now: a larger one that comes from elsewhere is not looked for,
        fs::write(scratch.path().join("IMG_5000.fits"), "").unwrap();
        assert_eq!(store(&mut files, "IMG_XXX"), "IMG_1001.fits");
        // but one in the way is left alone.
        fs::write(scratch.path().join("IMG_1002.fits"), "theirs").unwrap();
        assert_eq!(store(&mut files, "IMG_XXX"), "IMG_1003.fits");
        assert_eq!(fs::read(scratch.path().join("IMG_1002.fits")).unwrap(), b"theirs");
        assert!(scratch.names().iter().all(|name| !name.starts_with('.')));
    }

    #[test]
    fn the_index_is_found_in_every_format() {
        for (suffix, next) in [(".fits.fz", ".xisf"), (".xisf", ".bin"), (".bin", ".fits.fz")] {
            let scratch = Scratch::new();
            let store = |suffix| {
                let frame = Described { suffix, ..UNDESCRIBED };
                let path = files(&scratch).store(&target("", "A_XXX"), frame, b"x", &Cancel::default());
                path.unwrap().unwrap().file_name().unwrap().to_str().unwrap().to_owned()
            };
            assert_eq!(store(suffix), format!("A_001{suffix}"));
            assert_eq!(store(suffix), format!("A_002{suffix}"));
            assert_eq!(store(next), format!("A_003{next}"));
        }
    }

    #[test]
    fn a_name_without_index_is_replaced() {
        let scratch = Scratch::new();
        fs::write(scratch.path().join("A.fits"), "a longer text").unwrap();
        store(&mut files(&scratch), "A");
        assert_eq!(scratch.names(), ["A.fits"]);
    }

    #[test]
    fn a_cancelled_frame_leaves_nothing() {
        let scratch = Scratch::new();
        let cancel = Cancel::default();
        cancel.cancel();
        fs::write(scratch.path().join("A.fits"), "from before").unwrap();
        for prefix in ["A", "B", "B_XXX"] {
            assert_eq!(files(&scratch).store(&target("", prefix), UNDESCRIBED, b"x", &cancel), Ok(None));
        }
        assert_eq!(scratch.names(), ["A.fits"]);
        assert_eq!(fs::read(scratch.path().join("A.fits")).unwrap(), b"from before");
    }

    #[test]
    fn bad_places_are_told_and_left_clean() {
        let scratch = Scratch::new();
        fs::write(scratch.path().join("file"), "").unwrap();
        fs::create_dir(scratch.path().join("taken.fits")).unwrap();
        let long = "x".repeat(300);
        for (directory, prefix) in [
            ("file", "A"),
            ("file/deeper", "A"),
            ("a\0b", "A"),
            ("", ""),
            ("", "../A"),
            ("", "a\0"),
            ("", &long),
            ("", "taken"),
        ] {
            let error = files(&scratch)
                .store(&target(directory, prefix), UNDESCRIBED, b"x", &Cancel::default())
                .unwrap_err();
            assert!(matches!(error, DeliveryError::File { .. }), "{directory:?} {prefix:?}: {error}");
        }
        assert_eq!(scratch.names(), ["file", "taken.fits"]);
    }

    #[test]
    fn refusals_of_the_system_are_told_apart() {
        use std::io::Write;

        let scratch = Scratch::new();
        // Not even root makes directories there.
        let error = files(&scratch)
            .store(&target("/sys/indi-camera", "A"), UNDESCRIBED, b"x", &Cancel::default())
            .unwrap_err();
        assert_eq!(error, DeliveryError::Permission { path: "/sys/indi-camera".into() });

        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap().write_all(b"x").unwrap_err();
        let at = |error: &io::Error| explain(Path::new("p"), error);
        assert_eq!(at(&full), DeliveryError::DiskFull { path: "p".into() });
        let errno = |errno: rustix::io::Errno| at(&errno.into());
        assert_eq!(errno(rustix::io::Errno::DQUOT), DeliveryError::DiskFull { path: "p".into() });
        for refusal in [rustix::io::Errno::ACCESS, rustix::io::Errno::PERM, rustix::io::Errno::ROFS] {
            assert_eq!(errno(refusal), DeliveryError::Permission { path: "p".into() });
        }
    }
}
