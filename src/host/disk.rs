//! The system calls by which files come into being and go, one function each, all of them inside a directory that is
//! held open.
//!
//! Each is a step at which a process can be killed or a disk can fail. The tests of this crate play that at every step
//! of what they look at: `mishap::at`.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

/// Opens a directory.
pub(super) fn open_directory(path: &Path) -> io::Result<OwnedFd> {
    step("open directory")?;
    Ok(rustix::fs::open(path, OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY, Mode::empty())?)
}

/// Opens a directory inside another one, and never follows a link.
pub(super) fn enter(at: BorrowedFd<'_>, name: &OsStr) -> io::Result<OwnedFd> {
    step("open directory")?;
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY | OFlags::NOFOLLOW;
    Ok(rustix::fs::openat(at, name, flags, Mode::empty())?)
}

/// Makes a directory; one that is there already will do.
pub(super) fn make_directory(at: BorrowedFd<'_>, name: &OsStr) -> io::Result<()> {
    step("make directory")?;
    match rustix::fs::mkdirat(at, name, Mode::from_raw_mode(0o777)) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Makes a new file, to be written.
pub(super) fn create(at: BorrowedFd<'_>, name: &OsStr) -> io::Result<File> {
    step("create")?;
    open(at, name, OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY)
}

/// Opens a file to write at its end; makes it if need be.
pub(super) fn append(at: BorrowedFd<'_>, name: &OsStr) -> io::Result<File> {
    step("open")?;
    open(at, name, OFlags::CREATE | OFlags::APPEND | OFlags::WRONLY)
}

/// Opens a file to read it. A link is no file, and a pipe is not waited for.
pub(super) fn read(at: BorrowedFd<'_>, name: &OsStr) -> io::Result<File> {
    open(at, name, OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK)
}

/// Opens a file for nothing but its lock; makes it if need be.
pub(super) fn lock_file(at: BorrowedFd<'_>, name: &OsStr) -> io::Result<File> {
    open(at, name, OFlags::CREATE | OFlags::RDWR | OFlags::NOFOLLOW)
}

fn open(at: BorrowedFd<'_>, name: &OsStr, flags: OFlags) -> io::Result<File> {
    Ok(rustix::fs::openat(at, name, flags | OFlags::CLOEXEC, Mode::from_raw_mode(0o666))?.into())
}

/// Writes all of `bytes`.
pub(super) fn write(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    if let Err(error) = step("write") {
        // Whoever is killed while writing has written a part.
        return file.write_all(&bytes[..bytes.len() / 2]).and(Err(error));
    }
    file.write_all(bytes)
}

/// Waits until content and length are on the disk.
pub(super) fn sync(file: &File) -> io::Result<()> {
    step("sync")?;
    file.sync_all()
}

/// Waits until the names in a directory are on the disk. Not every file system can do that.
pub(super) fn sync_directory(at: BorrowedFd<'_>) -> io::Result<()> {
    step("sync directory")?;
    match rustix::fs::fsync(at) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::BADF | Errno::ACCESS | Errno::ROFS) => {
            Ok(())
        }
        synced => Ok(synced?),
    }
}

/// Gives a file another name; a file that had the name is gone.
pub(super) fn rename(at: BorrowedFd<'_>, from: &OsStr, to: &OsStr) -> io::Result<()> {
    step("rename")?;
    Ok(rustix::fs::renameat(at, from, at, to)?)
}

/// The same, if nothing has the name; [`ErrorKind::AlreadyExists`] if something has.
pub(super) fn claim(at: BorrowedFd<'_>, from: &OsStr, to: &OsStr) -> io::Result<()> {
    step("rename")?;
    match rustix::fs::renameat_with(at, from, at, to, RenameFlags::NOREPLACE) {
        // Old kernels and some network disks cannot do it in one step.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => claim_by_link(at, from, to),
        renamed => Ok(renamed?),
    }
}

/// Gives the file the name as its second one first, then takes the other one away: what has the name is whole at any
/// moment.
pub(super) fn claim_by_link(at: BorrowedFd<'_>, from: &OsStr, to: &OsStr) -> io::Result<()> {
    step("link")?;
    match rustix::fs::linkat(at, from, at, to, AtFlags::empty()) {
        Ok(()) => {
            // It has its name. Should this fail, what is left is swept like the draft of a dead process.
            let _ = remove(at, from);
            Ok(())
        }
        // A file has one name only on the memory sticks of cameras and their like.
        Err(Errno::PERM | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::MLINK) => {
            claim_in_two_steps(at, from, to)
        }
        Err(error) => Err(error.into()),
    }
}

/// Takes the name with an empty file first, which every file system does for one of many at most.
pub(super) fn claim_in_two_steps(at: BorrowedFd<'_>, from: &OsStr, to: &OsStr) -> io::Result<()> {
    create(at, to)?;
    rename(at, from, to).inspect_err(|_| {
        let _ = remove(at, to);
    })
}

/// Removes a file. One that is not there any more is no fault.
pub(super) fn remove(at: BorrowedFd<'_>, name: &OsStr) -> io::Result<()> {
    step("remove")?;
    match rustix::fs::unlinkat(at, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Takes the lock of an open file, without waiting for it; says whether that was possible. Somebody else's lock ends
/// with the process that holds it.
pub(super) fn try_lock(file: &File) -> io::Result<()> {
    match rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => Err(ErrorKind::WouldBlock.into()),
        locked => Ok(locked?),
    }
}

/// Waits for the lock of an open file.
pub(super) fn lock(file: &File, operation: FlockOperation) -> io::Result<()> {
    loop {
        match rustix::fs::flock(file.as_fd(), operation) {
            Err(Errno::INTR) => {}
            locked => return Ok(locked?),
        }
    }
}

#[cfg(not(test))]
#[allow(clippy::unnecessary_wraps, reason = "it fails where tests want it to")]
fn step(_name: &'static str) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
fn step(name: &'static str) -> io::Result<()> {
    mishap::step(name)
}

/// Mishaps at a step, for tests; each test thread has its own.
#[cfg(test)]
pub(crate) mod mishap {
    use std::cell::RefCell;
    use std::io;

    use rustix::io::Errno;

    /// What goes wrong.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum Mishap {
        /// The process is killed: this step and all that would follow do not happen.
        Killed,
        /// This step fails, and the process goes on.
        Fails(Errno),
    }

    struct Plan {
        at: usize,
        mishap: Mishap,
        steps: Vec<&'static str>,
    }

    thread_local! {
        static PLAN: RefCell<Option<Plan>> = const { RefCell::new(None) };
    }

    /// Does something that meets a mishap at its step number `at`, from 0; the steps that it got to.
    pub(crate) fn at<T>(at: usize, mishap: Mishap, act: impl FnOnce() -> T) -> (T, Vec<&'static str>) {
        PLAN.set(Some(Plan { at, mishap, steps: Vec::new() }));
        let done = act();
        (done, PLAN.take().map_or(Vec::new(), |plan| plan.steps))
    }

    /// The steps of something that meets none.
    pub(crate) fn steps<T>(act: impl FnOnce() -> T) -> (T, Vec<&'static str>) {
        at(usize::MAX, Mishap::Killed, act)
    }

    pub(super) fn step(name: &'static str) -> io::Result<()> {
        PLAN.with_borrow_mut(|plan| {
            let Some(plan) = plan else { return Ok(()) };
            let number = plan.steps.len();
            plan.steps.push(name);
            match plan.mishap {
                Mishap::Killed if number >= plan.at => Err(io::Error::other("the process was killed")),
                Mishap::Fails(errno) if number == plan.at => Err(errno.into()),
                _ => Ok(()),
            }
        })
    }
}
