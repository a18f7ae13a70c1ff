//! A directory that is held open, so that what is done in it is done there, whatever becomes of the path meanwhile.

use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
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

    /// A directory that is made if need be.
    pub fn make(path: &Path) -> io::Result<Place> {
        match Place::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                fs::create_dir_all(path)?;
                Place::open(path)
            }
            opened => opened,
        }
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
                    disk::make_directory(place.fd(), name)?;
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

    /// Bytes that may still be written there.
    pub fn free(&self) -> io::Result<u64> {
        let disk = rustix::fs::fstatvfs(&self.fd)?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// Whether this path leads to it still.
    #[must_use]
    pub fn is_still(&self, path: &Path) -> bool {
        let there = rustix::fs::stat(path).map(|entry| (entry.st_dev, entry.st_ino));
        there.is_ok() && there == rustix::fs::fstat(&self.fd).map(|entry| (entry.st_dev, entry.st_ino))
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
