//! Files that appear whole or not at all.
//!
//! A [`Draft`] is written under a temporary name in the directory where the file shall be and takes its name only
//! when every byte is on the disk. Until then there is nothing under the name, or the old file; a draft that is
//! dropped for whatever reason leaves nothing behind.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

/// A file that has no name yet.
#[derive(Debug)]
pub struct Draft {
    file: File,
    directory: PathBuf,
    temporary: Temporary,
}

impl Draft {
    /// An empty draft in a directory that exists.
    pub fn new(directory: &Path) -> io::Result<Self> {
        // Other threads and, on a network disk, other machines may be drafting in the same place.
        let process = std::process::id();
        let mut n = 0u32;
        loop {
            let path = directory.join(format!(".indi-camera-{process}-{n}.part"));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => {
                    let temporary = Temporary { path, in_use: true };
                    return Ok(Draft { file, directory: directory.to_owned(), temporary });
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => n += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Writes all of `bytes` and waits until they are on the disk.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.file.sync_all()
    }

    /// Gives it this name in its directory; a file that had the name is gone.
    pub fn replace(mut self, name: &OsStr) -> io::Result<PathBuf> {
        let path = self.directory.join(name);
        fs::rename(&self.temporary.path, &path)?;
        self.temporary.in_use = false;
        sync_directory(&self.directory);
        Ok(path)
    }

    /// Gives it this name if nothing has it, else gives the draft back.
    pub fn claim(mut self, name: &OsStr) -> io::Result<Result<PathBuf, Draft>> {
        let path = self.directory.join(name);
        let renamed = match renameat_with(CWD, &self.temporary.path, CWD, &path, RenameFlags::NOREPLACE) {
            // Old kernels and some network disks cannot do it in one step.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                rename_in_two_steps(&self.temporary.path, &path)
            }
            other => other.map_err(io::Error::from),
        };
        match renamed {
            Ok(()) => {
                self.temporary.in_use = false;
                sync_directory(&self.directory);
                Ok(Ok(path))
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Err(self)),
            Err(error) => Err(error),
        }
    }
}

/// Removes the file under its temporary name, unless it has been renamed: another thread's draft may have taken the
/// name since.
#[derive(Debug)]
struct Temporary {
    path: PathBuf,
    in_use: bool,
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if self.in_use {
            // There is nobody to tell.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Takes the name with an empty file first, which every file system does for one of many at most.
fn rename_in_two_steps(from: &Path, to: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).open(to)?;
    fs::rename(from, to).inspect_err(|_| {
        let _ = fs::remove_file(to);
    })
}

/// Makes the new name survive a power cut. Not every file system can, and the bytes are safe either way.
fn sync_directory(directory: &Path) {
    if let Err(error) = File::open(directory).and_then(|directory| directory.sync_all()) {
        tracing::debug!(directory = %directory.display(), %error, "directory not synced");
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::host::scratch::Scratch;

    #[test]
    fn drafts_in_one_directory_leave_each_other_alone() {
        let scratch = Scratch::new();
        let publish = |series: usize| {
            for n in 0..100 {
                let draft = Draft::new(scratch.path()).unwrap();
                draft.claim(OsStr::new(&format!("{series}-{n}"))).unwrap().unwrap();
            }
        };
        thread::scope(|scope| {
            for series in 0..4 {
                scope.spawn(move || publish(series));
            }
        });
        assert_eq!(scratch.names().len(), 400);
    }

    #[test]
    fn two_steps_never_overwrite() {
        let scratch = Scratch::new();
        let directory = scratch.path();
        let (from, to) = (directory.join("from"), directory.join("to"));
        fs::write(&from, "new").unwrap();
        fs::write(&to, "old").unwrap();
        assert_eq!(rename_in_two_steps(&from, &to).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&to).unwrap(), b"old");
        fs::remove_file(&to).unwrap();
        rename_in_two_steps(&from, &to).unwrap();
        assert_eq!(fs::read(&to).unwrap(), b"new");
        assert!(rename_in_two_steps(&from, &directory.join("third")).is_err());
        assert!(!directory.join("third").exists());
    }

    #[test]
    fn a_draft_takes_another_name_when_one_is_in_use() {
        let scratch = Scratch::new();
        let (one, mut two) = (Draft::new(scratch.path()).unwrap(), Draft::new(scratch.path()).unwrap());
        two.write(b"two").unwrap();
        drop(one);
        two.replace(OsStr::new("file")).unwrap();
        assert_eq!(scratch.names(), ["file"]);
    }
}
