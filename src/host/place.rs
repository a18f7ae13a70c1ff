//! A directory that is held open, so that what is done in it is done there, whatever becomes of the path meanwhile.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use super::disk;

/// A directory.
#[derive(Debug)]
pub struct Place {
    fd: OwnedFd,
    path: PathBuf,
}

impl Place {
    /// A directory that exists.
    pub fn open(path: &Path) -> io::Result<Place> {
        Ok(Place { fd: disk::open_directory(path)?, path: path.to_owned() })
    }

    /// A directory that is made if need be, and is on the disk then, like all that had to be made on the way to it.
    pub fn make(path: &Path) -> io::Result<Place> {
        let missing = match Place::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => error,
            opened => return opened,
        };
        let parent = match path.parent() {
            // A bare name is in the working directory.
            Some(parent) if parent.as_os_str().is_empty() => Place::open(Path::new("."))?,
            Some(parent) => Place::make(parent)?,
            None => return Err(missing),
        };
        if let Some(name) = path.file_name() {
            parent.make_inside(name)?;
        }
        Place::open(path)
    }

    fn make_inside(&self, name: &OsStr) -> io::Result<()> {
        disk::make_directory(self.fd(), name)?;
        disk::sync_directory(self.fd())
    }

    /// A directory inside this one, made if need be. No link is followed and no step leads upwards, so it is inside
    /// in truth; [`ErrorKind::PermissionDenied`] for a path that needs such a step.
    pub fn beneath(&self, path: &Path) -> io::Result<Place> {
        let mut place = Place { fd: self.fd.try_clone()?, path: self.path.clone() };
        for component in path.components() {
            let name = match component {
                Component::CurDir => continue,
                Component::Normal(name) => name,
                Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                    let why = format!("it leads out of {}", self.path.display());
                    return Err(io::Error::new(ErrorKind::PermissionDenied, why));
                }
            };
            let inner = match disk::enter(place.fd(), name) {
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    place.make_inside(name)?;
                    disk::enter(place.fd(), name)
                }
                entered => entered,
            };
            place.path.push(name);
            place.fd = inner.map_err(|error| no_link(&place.path, error))?;
        }
        Ok(place)
    }

    /// Where it was when it was opened.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The names in it, without `.` and `..`, in no order.
    pub fn names(&self) -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.fd)? {
            let name = OsString::from_vec(entry?.file_name().to_bytes().to_vec());
            if name != "." && name != ".." {
                names.push(name);
            }
        }
        Ok(names)
    }

    /// Bytes that may still be written there, if the disk knows.
    pub fn free(&self) -> io::Result<Option<u64>> {
        let disk = rustix::fs::fstatvfs(&self.fd)?;
        // What is no disk of its own, or does not care, says that it has no room at all for anything.
        Ok((disk.f_blocks > 0).then(|| disk.f_bavail.saturating_mul(disk.f_frsize)))
    }

    /// Whether this path leads to it still.
    #[must_use]
    pub fn is_still(&self, path: &Path) -> bool {
        let there = rustix::fs::stat(path).map(|entry| (entry.st_dev, entry.st_ino));
        there.is_ok_and(|there| self.identity().is_ok_and(|own| own == there))
    }

    /// Its disk, and its number on that.
    pub fn identity(&self) -> io::Result<(u64, u64)> {
        let entry = rustix::fs::fstat(&self.fd)?;
        Ok((entry.st_dev, entry.st_ino))
    }

    /// The path without links that leads to it now. The system knows it of everything that is open, so no disk is asked.
    pub fn location(&self) -> io::Result<PathBuf> {
        let known = fs::read_link(format!("/proc/self/fd/{}", self.fd.as_raw_fd()));
        known.or_else(|_no_proc| fs::canonicalize(&self.path))
    }

    /// The same directory once more.
    pub fn try_clone(&self) -> io::Result<Place> {
        Ok(Place { fd: self.fd.try_clone()?, path: self.path.clone() })
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// What the system says of a link where none may be is that it is no directory, or one link too many.
fn no_link(path: &Path, error: io::Error) -> io::Error {
    let is_link = fs::symlink_metadata(path).is_ok_and(|entry| entry.is_symlink());
    if is_link {
        io::Error::new(ErrorKind::PermissionDenied, format!("{} is a link", path.display()))
    } else {
        error
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::host::disk::mishap::steps;
    use crate::host::scratch::Scratch;

    #[test]
    fn nothing_leads_out_of_a_place() {
        let (scratch, outside) = (Scratch::new(), Scratch::new());
        symlink(outside.path(), scratch.path().join("link")).unwrap();
        symlink("..", scratch.path().join("up")).unwrap();
        let root = Place::open(scratch.path()).unwrap();
        for path in ["..", "a/../..", "a/../../b", "/etc", "link", "link/b", "up", "a/b/../../../c"] {
            let error = root.beneath(Path::new(path)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{path}: {error}");
        }
        assert!(outside.names().is_empty());
        let inside = root.beneath(Path::new("./of/the/night")).unwrap();
        assert_eq!(inside.path(), scratch.path().join("of/the/night"));
        assert!(inside.path().is_dir());
        assert_eq!(root.beneath(Path::new("")).unwrap().path(), scratch.path());
    }

    #[test]
    fn a_new_directory_is_on_the_disk_before_anything_is_in_it() {
        let scratch = Scratch::new();
        let (made, steps) = steps(|| Place::make(&scratch.path().join("of/../the/night")).map(drop));
        made.unwrap();
        let one = ["make directory", "sync directory"];
        let made = |steps: &[&'static str]| {
            steps.iter().copied().filter(|step| one.contains(step)).collect::<Vec<_>>()
        };
        assert_eq!(made(&steps), [one, one, one].concat());
        assert_eq!(scratch.names(), ["of", "the"]);
        let root = Place::open(scratch.path()).unwrap();
        let (_, steps) = self::steps(|| root.beneath(Path::new("the/other/night")).unwrap());
        assert_eq!(made(&steps), [one, one].concat());
        assert_eq!(Place::make(Path::new("")).unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn a_disk_that_does_not_know_its_room_is_not_full() {
        assert_eq!(Place::open(Path::new("/proc")).unwrap().free().unwrap(), None);
        assert!(Place::open(Path::new("/")).unwrap().free().unwrap().is_some());
    }

    #[test]
    fn a_directory_that_is_exchanged_for_a_link_keeps_what_is_done_in_it() {
        let (scratch, outside) = (Scratch::new(), Scratch::new());
        let root = Place::open(scratch.path()).unwrap();
        let place = root.beneath(Path::new("night")).unwrap();
        fs::rename(scratch.path().join("night"), scratch.path().join("moved")).unwrap();
        symlink(outside.path(), scratch.path().join("night")).unwrap();
        disk::create(place.fd(), "file".as_ref()).unwrap();
        assert!(outside.names().is_empty());
        assert!(scratch.path().join("moved/file").exists());
    }
}
