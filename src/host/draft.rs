//! Files that appear whole or not at all.
//!
//! A [`Draft`] is written under a temporary name in the directory where the file shall be and takes its name only
//! when every byte is on the disk. Until then there is nothing under the name, or the old file; a draft that is
//! dropped for whatever reason leaves nothing behind. What a process leaves behind that is killed, [`sweep`] removes:
//! a draft is locked as long as its process lives, on whichever machine that is.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::disk;
use super::place::Place;
use super::sum::{PIECE, Sum, Summer};

/// How the name of a draft begins and ends.
const NAME: (&str, &str) = (".indi-camera-", ".part");

/// Which file it is, whatever its name: another file may have taken that since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    device: u64,
    inode: u64,
    /// The number of a file that is gone is given to another one, but not at the same time.
    written: (i64, i64),
}

impl Identity {
    fn of(entry: &Metadata) -> Identity {
        let written = (entry.mtime(), entry.mtime_nsec());
        Identity { device: entry.dev(), inode: entry.ino(), written }
    }

    /// Removes the file if it still has this name; `false` if another one has it, or none.
    pub fn remove(self, path: &Path) -> io::Result<bool> {
        match fs::symlink_metadata(path) {
            Ok(entry) if Identity::of(&entry) == self => fs::remove_file(path).map(|()| true),
            Ok(_) => Ok(false),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// A file that has no name yet.
#[derive(Debug)]
pub struct Draft {
    file: File,
    temporary: Temporary,
}

impl Draft {
    /// An empty draft in a directory that exists.
    pub fn new(directory: &Path) -> io::Result<Self> {
        Draft::within(Place::open(directory)?)
    }

    /// An empty draft in this directory.
    pub fn within(place: Place) -> io::Result<Self> {
        // Other threads and, on a network disk, other machines may be drafting in the same place.
        let process = std::process::id();
        let mut n = 0u32;
        loop {
            let name = OsString::from(format!("{}{process}-{n}{}", NAME.0, NAME.1));
            match disk::create(place.fd(), &name) {
                Ok(file) if is_ours(&file)? => {
                    return Ok(Draft { file, temporary: Temporary { place, name, in_use: true } });
                }
                // Somebody swept it before it was locked.
                Ok(_) => n += 1,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => n += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Writes all of `bytes` and waits until they are on the disk.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        disk::write(&self.file, bytes)?;
        disk::sync(&self.file)
    }

    /// The same, and sums the bytes as they go.
    pub fn write_summed(&mut self, bytes: &[u8]) -> io::Result<Sum> {
        let mut summer = Summer::default();
        for piece in bytes.chunks(PIECE) {
            summer.add(piece);
            disk::write(&self.file, piece)?;
        }
        disk::sync(&self.file)?;
        Ok(summer.sum())
    }

    /// Which file it is; known once it is written.
    pub fn identity(&self) -> io::Result<Identity> {
        Ok(Identity::of(&self.file.metadata()?))
    }

    /// Gives it this name in its directory, for good; a file that had the name is gone. An error may also mean that it
    /// has the name and a power cut could take it away again.
    pub fn replace(mut self, name: &OsStr) -> io::Result<PathBuf> {
        let place = &self.temporary.place;
        disk::rename(place.fd(), &self.temporary.name, name)?;
        self.temporary.in_use = false;
        disk::sync_directory(place.fd())?;
        Ok(place.path().join(name))
    }

    /// Gives it this name if nothing has it, else gives the draft back.
    pub fn claim(mut self, name: &OsStr) -> io::Result<Result<PathBuf, Draft>> {
        let place = &self.temporary.place;
        match disk::claim(place.fd(), &self.temporary.name, name) {
            Ok(()) => {
                self.temporary.in_use = false;
                disk::sync_directory(place.fd())?;
                Ok(Ok(place.path().join(name)))
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Err(self)),
            Err(error) => Err(error),
        }
    }
}

/// Locks a new draft, where the file system has locks, and says whether it is still there.
fn is_ours(file: &File) -> io::Result<bool> {
    match disk::try_lock(file) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
        _ => Ok(rustix::fs::fstat(file)?.st_nlink > 0),
    }
}

/// Removes the file under its temporary name, unless it has been renamed: another thread's draft may have taken the
/// name since.
#[derive(Debug)]
struct Temporary {
    place: Place,
    name: OsString,
    in_use: bool,
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if self.in_use {
            // There is nobody to tell.
            let _ = disk::remove(self.place.fd(), &self.name);
        }
    }
}

/// Removes the drafts of processes that are dead. What cannot be looked at stays.
pub fn sweep(place: &Place) {
    let names = place.names().unwrap_or_default();
    for name in names.iter().filter(|name| is_draft(name)) {
        match remove_abandoned(place, name) {
            Ok(()) => tracing::info!(name = %name.display(), "removed what a dead process left behind"),
            Err(error) => tracing::debug!(name = %name.display(), %error, "left alone"),
        }
    }
}

fn is_draft(name: &OsStr) -> bool {
    let inner = name.to_str().and_then(|name| name.strip_prefix(NAME.0)?.strip_suffix(NAME.1));
    let parts = inner.and_then(|inner| inner.split_once('-'));
    parts.is_some_and(|(process, n)| process.parse::<u32>().is_ok() && n.parse::<u32>().is_ok())
}

/// Removes a draft whose lock nobody holds. It is held until the file is gone: whoever has just made it and not locked
/// it yet finds that out.
fn remove_abandoned(place: &Place, name: &OsStr) -> io::Result<()> {
    let file = disk::read(place.fd(), name)?;
    if !file.metadata()?.is_file() {
        return Err(ErrorKind::InvalidInput.into());
    }
    disk::try_lock(&file)?;
    disk::remove(place.fd(), name)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::host::disk::mishap::{Mishap, at, steps};
    use crate::host::disk::{claim_by_link, claim_in_two_steps};
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
        let place = Place::open(directory).unwrap();
        let rename = |to: &str| claim_in_two_steps(place.fd(), "from".as_ref(), to.as_ref());
        fs::write(directory.join("from"), "new").unwrap();
        fs::write(directory.join("to"), "old").unwrap();
        assert_eq!(rename("to").unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read(directory.join("to")).unwrap(), b"old");
        fs::remove_file(directory.join("to")).unwrap();
        rename("to").unwrap();
        assert_eq!(fs::read(directory.join("to")).unwrap(), b"new");
        assert!(rename("third").is_err());
        assert!(!directory.join("third").exists());
    }

    #[test]
    fn what_is_linked_to_its_name_is_whole_whenever_the_process_is_killed() {
        for step in 0..3 {
            let scratch = Scratch::new();
            let directory = scratch.path();
            let place = Place::open(directory).unwrap();
            let claim = |to: &str| claim_by_link(place.fd(), "from".as_ref(), to.as_ref());
            fs::write(directory.join("from"), "new").unwrap();
            fs::write(directory.join("old"), "old").unwrap();
            assert_eq!(claim("old").unwrap_err().kind(), ErrorKind::AlreadyExists);
            let (_, steps) = at(step, Mishap::Killed, || claim("to"));
            assert_eq!(steps, ["link", "remove"][..steps.len()]);
            let names = [&["from", "old"][..], &["from", "old", "to"], &["old", "to"]][step];
            assert_eq!(scratch.names(), names);
            for name in names.iter().filter(|name| **name != "old") {
                assert_eq!(fs::read(directory.join(name)).unwrap(), b"new");
            }
        }
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

    #[test]
    fn a_file_is_on_the_disk_before_it_has_its_name_and_its_name_before_anybody_is_told() {
        let scratch = Scratch::new();
        let bytes = vec![1; PIECE + 1];
        let (sum, steps) = steps(|| {
            let mut draft = Draft::new(scratch.path()).unwrap();
            let sum = draft.write_summed(&bytes).unwrap();
            draft.replace("file".as_ref()).unwrap();
            sum
        });
        assert_eq!(sum, Sum::of(&bytes));
        assert_eq!(steps, ["open directory", "create", "write", "write", "sync", "rename", "sync directory"]);
    }

    #[test]
    fn what_a_killed_process_leaves_behind_is_swept_and_nothing_else() {
        let scratch = Scratch::new();
        for other in [".indi-camera-1-0.part.fits", ".indi-camera-x.part", "a.part", ".indi-camera-1.part"] {
            fs::write(scratch.path().join(other), "").unwrap();
        }
        fs::create_dir(scratch.path().join(".indi-camera-1-1.part")).unwrap();
        let others = scratch.names();
        let place = Place::open(scratch.path()).unwrap();
        let living = Draft::new(scratch.path()).unwrap();
        let draft = || Draft::new(scratch.path()).and_then(|mut draft| draft.write(b"half"));
        // One step later each time: the name of the one before is taken.
        for step in 3..5 {
            at(step, Mishap::Killed, || draft().unwrap_err());
        }
        assert_eq!(scratch.names().len(), others.len() + 3);
        sweep(&place);
        assert_eq!(scratch.names().len(), others.len() + 1);
        living.replace("living".as_ref()).unwrap();
        assert_eq!(scratch.names(), [&others[..], &["living".to_owned()]].concat());
    }
}
