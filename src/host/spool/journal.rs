//! The journal of a spool on the disk.
//!
//! Several processes may use one spool (a person's tool beside the driver of a server), so each holds the lock while it
//! reads or writes, and reads again when somebody else has written. A line counts when it is whole; one that was torn
//! stays where it is and the next one begins on a line of its own.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::MetadataExt;

use rustix::fs::FlockOperation;

use super::record::{Entry, Ledger};
use crate::host::disk;
use crate::host::draft::Draft;
use crate::host::place::Place;

/// Name of the journal in the spool's directory.
pub(super) const JOURNAL: &str = "journal";
/// Name of the file whose lock is the spool's.
pub(super) const LOCK: &str = "lock";
/// The journal is written anew when it has so many lines more than it needs, and twice as many as it needs.
const SPARE_LINES: usize = 200;

/// The journal, and what it says.
#[derive(Debug)]
pub(super) struct Journal {
    pub(super) place: Place,
    lock: File,
    pub(super) ledger: Ledger,
    /// The file that `ledger` was read from, and how long it was.
    known: Option<Version>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Version {
    device: u64,
    inode: u64,
    len: u64,
}

/// The right to read and write the journal.
#[derive(Debug)]
pub(super) struct Locked<'a> {
    journal: &'a mut Journal,
}

impl Journal {
    /// The journal in this directory, which need not exist yet.
    pub(super) fn open(place: Place) -> io::Result<Journal> {
        let lock = disk::lock_file(place.fd(), OsStr::new(LOCK))?;
        Ok(Journal { place, lock, ledger: Ledger::default(), known: None })
    }

    /// Waits until nobody else uses it, and reads what they have written.
    pub(super) fn lock(&mut self) -> io::Result<Locked<'_>> {
        if let Err(error) = disk::lock(&self.lock, FlockOperation::LockExclusive) {
            // Some network disks have no locks. A spool that only one process uses does without.
            tracing::debug!(%error, "the spool cannot be locked");
        }
        let locked = Locked { journal: self };
        locked.journal.refresh()?;
        Ok(locked)
    }

    fn refresh(&mut self) -> io::Result<()> {
        let mut file = match disk::read(self.place.fd(), OsStr::new(JOURNAL)) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                (self.ledger, self.known) = (Ledger::default(), None);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let version = Version::of(&file)?;
        if self.known != Some(version) {
            let mut text = Vec::new();
            file.read_to_end(&mut text)?;
            (self.ledger, self.known) = (Ledger::read(&text), Some(version));
        }
        Ok(())
    }
}

impl Locked<'_> {
    pub(super) fn place(&self) -> &Place {
        &self.journal.place
    }

    pub(super) fn ledger(&self) -> &Ledger {
        &self.journal.ledger
    }

    /// Adds entries. When this returns they are on the disk, if they have to be `safe` there.
    pub(super) fn add(&mut self, entries: Vec<Entry>, safe: bool) -> io::Result<()> {
        let Journal { place, ledger, known, .. } = &mut *self.journal;
        let is_new = known.is_none();
        let file = disk::append(place.fd(), OsStr::new(JOURNAL))?;
        // Until all has succeeded nobody knows what is there, nor how it ends.
        *known = None;
        let mut text =
            if std::mem::replace(&mut ledger.torn, true) { "\n".to_owned() } else { String::new() };
        text.extend(entries.iter().map(Entry::line));
        disk::write(&file, text.as_bytes())?;
        if safe {
            disk::sync(&file)?;
        }
        if is_new {
            disk::sync_directory(place.fd())?;
        }
        *known = Some(Version::of(&file)?);
        ledger.torn = false;
        for entry in entries {
            ledger.enter(entry);
        }
        Ok(())
    }

    /// Writes the journal anew if it has grown far beyond what it needs.
    pub(super) fn shorten(&mut self) -> io::Result<()> {
        let Ledger { frames, lines, damaged, .. } = &self.journal.ledger;
        if lines + damaged < 2 * frames.len() + SPARE_LINES {
            return Ok(());
        }
        // A frame that was dropped need not be known any more when its file is gone.
        let names = self.journal.place.names()?;
        let is_there = |id: &String| names.iter().any(|name| name.to_string_lossy().starts_with(id.as_str()));
        self.journal.ledger.dropped.retain(is_there);
        let ledger = Ledger::read(self.journal.ledger.text().as_bytes());
        let mut draft = Draft::within(self.journal.place.try_clone()?)?;
        draft.write(ledger.text().as_bytes())?;
        self.journal.known = None;
        draft.replace(OsStr::new(JOURNAL))?;
        let file = disk::read(self.journal.place.fd(), OsStr::new(JOURNAL))?;
        (self.journal.ledger, self.journal.known) = (ledger, Some(Version::of(&file)?));
        Ok(())
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // It fails where there are no locks.
        let _ = disk::lock(&self.journal.lock, FlockOperation::Unlock);
    }
}

impl Version {
    fn of(file: &File) -> io::Result<Version> {
        let entry = file.metadata()?;
        Ok(Version { device: entry.dev(), inode: entry.ino(), len: entry.len() })
    }
}
