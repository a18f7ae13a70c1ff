//! The file of nicknames that all drivers share.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::draft::Draft;
use super::place::Place;
use crate::wire::nicknames;

const FILE: &str = "Nicknames.xml";

/// The entries of one driver in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NicknameFile {
    directory: PathBuf,
    driver: String,
}

impl NicknameFile {
    /// `<home>/.indi/Nicknames.xml`, as far as it concerns the driver of that DRIVER_NAME.
    #[must_use]
    pub fn new(home: &Path, driver: &str) -> Self {
        NicknameFile { directory: home.join(".indi"), driver: driver.to_owned() }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.directory.join(FILE)
    }

    /// What the camera of that serial number is called.
    pub fn find(&self, serial: &str) -> io::Result<Option<String>> {
        nicknames::find(&self.text()?, &self.driver, serial).map_err(unreadable)
    }

    /// Calls the camera so; empty takes its entry out. A file that cannot be understood stays as it is: it holds
    /// other drivers' names.
    pub fn store(&self, serial: &str, nickname: &str) -> io::Result<()> {
        let text = nicknames::with(&self.text()?, &self.driver, serial, nickname).map_err(unreadable)?;
        let mut draft = Draft::within(Place::make(&self.directory)?)?;
        draft.write(text.as_bytes())?;
        draft.replace(OsStr::new(FILE)).map(drop)
    }

    fn text(&self) -> io::Result<String> {
        match fs::read_to_string(self.path()) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
            read => read,
        }
    }
}

fn unreadable(why: String) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::scratch::Scratch;

    #[test]
    fn a_nickname_is_kept_beside_those_of_other_drivers() {
        let scratch = Scratch::new();
        let (ours, other) =
            (NicknameFile::new(scratch.path(), "ours"), NicknameFile::new(scratch.path(), "other"));
        assert_eq!(ours.find("1").unwrap(), None);
        other.store("1", "theirs").unwrap();
        ours.store("1", "first").unwrap();
        ours.store("1", "second").unwrap();
        assert_eq!(ours.find("1").unwrap().as_deref(), Some("second"));
        assert_eq!(other.find("1").unwrap().as_deref(), Some("theirs"));
        ours.store("1", "").unwrap();
        assert_eq!(ours.find("1").unwrap(), None);
        assert_eq!(other.find("1").unwrap().as_deref(), Some("theirs"));
        assert_eq!(fs::read_dir(scratch.path().join(".indi")).unwrap().count(), 1);
    }

    #[test]
    fn a_file_of_rubbish_is_reported_and_left_alone() {
        let scratch = Scratch::new();
        let file = NicknameFile::new(scratch.path(), "ours");
        fs::create_dir(scratch.path().join(".indi")).unwrap();
        fs::write(file.path(), "<rubbish").unwrap();
        assert!(file.find("1").is_err());
        assert!(file.store("1", "name").is_err());
        assert_eq!(fs::read(file.path()).unwrap(), b"<rubbish");
    }
}
