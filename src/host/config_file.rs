//! The configuration file of a device, where libindi keeps it and in one piece at any moment.
//!
//! What its settings are good for is said elsewhere. The first configuration ever seen is kept as
//! `<path>.default`, so that a user can go back to it.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::draft::Draft;
use super::place::Place;
use crate::device::job::{ConfigSource, Document};
use crate::wire;

/// Where one device keeps its configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFile {
    path: PathBuf,
}

impl ConfigFile {
    /// `indiconfig` (the environment variable `INDICONFIG`) if it says anything, else
    /// `<home>/.indi/<device>_config.xml`. A `/` in the name of a device becomes `_`, so it stays in that directory.
    #[must_use]
    pub fn new(indiconfig: Option<OsString>, home: &Path, device: &str) -> Self {
        let path = match indiconfig {
            Some(path) if !path.is_empty() => PathBuf::from(path),
            _ => home.join(".indi").join(format!("{}_config.xml", device.replace(['/', '\0'], "_"))),
        };
        ConfigFile { path }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it says, or `None` if there is no such file; [`ErrorKind::InvalidData`] if it is no configuration.
    pub fn settings(&self, source: ConfigSource) -> io::Result<Option<Document>> {
        let parse = |text: String| {
            wire::parse::document(&text)
                .map_err(|error| io::Error::new(ErrorKind::InvalidData, error.to_string()))
        };
        self.load(source)?.map(parse).transpose()
    }

    /// Its text, or `None` if there is no such file. Bytes that are not UTF-8 become U+FFFD.
    pub fn load(&self, source: ConfigSource) -> io::Result<Option<String>> {
        self.keep_default();
        let path = match source {
            ConfigSource::Saved => &self.path,
            ConfigSource::Default => &self.default_path(),
        };
        match fs::read(path) {
            Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Replaces it; when this fails the old one is still there. The directory is made if need be.
    pub fn save(&self, text: &str) -> io::Result<()> {
        self.keep_default();
        write(&self.path, text.as_bytes(), |draft, name| draft.replace(name).map(drop))?;
        self.keep_default();
        Ok(())
    }

    /// Removes it, not its default copy; `false` if there was none.
    pub fn purge(&self) -> io::Result<bool> {
        match fs::remove_file(&self.path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn default_path(&self) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push(".default");
        path.into()
    }

    /// Copies the configuration, if there is one and no copy yet. Nothing depends on it, so a failure is only logged.
    fn keep_default(&self) {
        let path = self.default_path();
        if path.exists() {
            return;
        }
        let copied = match fs::read(&self.path) {
            // Claimed, not replaced: another process of the same device may have been faster.
            Ok(bytes) => write(&path, &bytes, |draft, name| draft.claim(name).map(drop)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = copied {
            tracing::warn!(path = %path.display(), %error, "no default copy of the configuration");
        }
    }
}

fn write(path: &Path, bytes: &[u8], publish: impl FnOnce(Draft, &OsStr) -> io::Result<()>) -> io::Result<()> {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::Error::new(ErrorKind::InvalidInput, "not the path of a file"));
    };
    // A bare file name has the empty path as its parent.
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let mut draft = Draft::within(Place::make(directory)?)?;
    draft.write(bytes)?;
    publish(draft, name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::scratch::Scratch;

    fn load(file: &ConfigFile, source: ConfigSource) -> Option<String> {
        file.load(source).unwrap()
    }

    #[test]
    fn where_it_is() {
        let path = |indiconfig: Option<&str>, device| {
            ConfigFile::new(indiconfig.map(OsString::from), Path::new("/home/me"), device).path().to_owned()
        };
        assert_eq!(path(None, "Camera Simulator"), Path::new("/home/me/.indi/Camera Simulator_config.xml"));
        assert_eq!(path(Some(""), "A"), Path::new("/home/me/.indi/A_config.xml"));
        assert_eq!(path(Some("/etc/x.xml"), "A"), Path::new("/etc/x.xml"));
        assert_eq!(path(None, "../../etc/A"), Path::new("/home/me/.indi/.._.._etc_A_config.xml"));
    }

    #[test]
    fn the_first_one_stays_as_default() {
        let scratch = Scratch::new();
        let file = ConfigFile::new(None, scratch.path(), "A");
        assert_eq!(load(&file, ConfigSource::Saved), None);
        assert!(!file.purge().unwrap());
        file.save("one").unwrap();
        file.save("two").unwrap();
        assert_eq!(load(&file, ConfigSource::Saved).as_deref(), Some("two"));
        assert_eq!(load(&file, ConfigSource::Default).as_deref(), Some("one"));
        assert!(file.purge().unwrap());
        assert_eq!(load(&file, ConfigSource::Saved), None);
        assert_eq!(load(&file, ConfigSource::Default).as_deref(), Some("one"));
    }

    #[test]
    fn a_file_that_was_there_before_us_becomes_the_default() {
        let scratch = Scratch::new();
        let file = ConfigFile::new(Some(scratch.path().join("c.xml").into()), Path::new("/nowhere"), "A");
        fs::write(file.path(), b"libindi's \xff").unwrap();
        file.save("ours").unwrap();
        assert_eq!(load(&file, ConfigSource::Default).as_deref(), Some("libindi's \u{fffd}"));
        assert_eq!(scratch.names(), ["c.xml", "c.xml.default"]);
    }

    #[test]
    fn a_failed_save_leaves_the_old_one() {
        let scratch = Scratch::new();
        let in_a_file = scratch.path().join("c.xml");
        fs::write(&in_a_file, "old").unwrap();
        assert!(
            ConfigFile::new(Some(in_a_file.join("c.xml").into()), Path::new("/"), "A").save("new").is_err()
        );
        // A directory of that name cannot be replaced by a file.
        let directory = scratch.path().join("d.xml");
        fs::create_dir(&directory).unwrap();
        assert!(ConfigFile::new(Some(directory.into()), Path::new("/"), "A").save("new").is_err());
        assert_eq!(scratch.names(), ["c.xml", "d.xml"]);
        assert_eq!(fs::read(in_a_file).unwrap(), b"old");
    }
}
