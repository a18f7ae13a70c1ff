//! The spool of a device: a journal of the frames that are safe on the disk, and those frames themselves as far as
//! nobody else keeps them.
//!
//! A frame is safe when its file is on the disk under its name and the journal says so, in this order, and only then is
//! anybody told of it. A frame is dropped the other way round: the journal says so, then its file goes. So whatever
//! happens in between, a frame is there whole or not at all, and [`Spool::tend`] puts right what a dead process has left
//! behind: a file of the spool that the journal does not know was just about to be entered, and is.
//!
//! Read [`Spool::keep`] first; the lines of the journal are in [`record`].

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::Timestamp;

use super::disk;
use super::draft::{Draft, sweep};
use super::place::Place;
use super::sum::Sum;

mod journal;
pub mod record;
mod room;
#[cfg(test)]
mod tests;
#[doc(hidden)]
pub mod untrusted;
pub mod verify;

pub use record::Record;
pub use room::{Agreed, Limits};

use journal::{JOURNAL, Journal, LOCK, Locked};
use record::Entry;
use room::to_be_forgotten;

/// Where the spool of this device is, unless its directory is given. A `/` in the name of a device becomes `_`.
#[must_use]
pub fn path_of(given: Option<&Path>, home: &Path, device: &str) -> PathBuf {
    let all = given.map_or_else(|| home.join(".indi/spool"), Path::to_owned);
    all.join(device.replace(['/', '\0'], "_"))
}

/// A frame that is to be kept.
#[derive(Clone, Copy, Debug)]
pub struct NewFrame<'a> {
    /// As `FRAMEID` in its header: letters, digits and `-`.
    pub id: &'a str,
    /// When its exposure began.
    pub at: SystemTime,
    /// Suffix of its format, with its dot.
    pub format: &'a str,
    /// Nobody has to acknowledge it: it was only to be saved.
    pub acknowledged: bool,
}

/// The spool of one device.
#[derive(Debug)]
pub struct Spool {
    path: PathBuf,
    agreed: Agreed,
    /// When there is a directory.
    journal: Option<Journal>,
    /// Frames that nobody had acknowledged and that had to go.
    lost: Vec<String>,
}

impl Spool {
    /// The spool in this directory, which need not exist before there is a frame for it, within the limits that others
    /// may have agreed upon.
    #[must_use]
    pub fn new(path: PathBuf, agreed: Agreed) -> Spool {
        Spool { path, agreed, journal: None, lost: Vec::new() }
    }

    /// Its directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Cleans up behind processes that are dead, and removes what goes beyond these limits from now on.
    pub fn tend(&mut self, limits: Limits, now: SystemTime) -> io::Result<()> {
        self.agreed.agree(limits);
        let Some(journal) = self.existing()? else { return Ok(()) };
        sweep(&journal.place);
        let mut locked = journal.lock()?;
        put_right(&mut locked)?;
        let old = to_be_forgotten(&locked.ledger().frames, limits, 0, now);
        let forgotten = forget(&mut locked, &old);
        drop(locked);
        self.note_lost(&old);
        forgotten
    }

    /// Stores a frame in the spool and in its journal; when this returns both are on the disk. After an error neither
    /// may be.
    pub fn keep(&mut self, frame: NewFrame<'_>, bytes: &[u8]) -> io::Result<(PathBuf, Sum)> {
        let len = bytes.len() as u64;
        let room = self.agreed.limits().bytes;
        if len > room {
            let why = format!("the frame has {len} bytes, and the spool takes {room}");
            return Err(io::Error::other(why));
        }
        self.make_room(len, frame.at)?;
        let name = OsString::from(format!("{}{}", frame.id, frame.format));
        let stored = match self.store(&name, bytes) {
            Err(error) if is_full(&error) && self.drop_acknowledged()? => self.store(&name, bytes),
            stored => stored,
        };
        let (path, sum) = stored?;
        self.enter(frame, (len, sum), (false, &name.to_string_lossy()))?;
        Ok((path, sum))
    }

    /// Enters a frame that has been stored elsewhere, where it stays; when this returns the journal is on the disk. A
    /// frame whose file it has replaced is forgotten.
    pub fn enter_saved(&mut self, frame: NewFrame<'_>, len: u64, sum: Sum, path: &Path) -> io::Result<()> {
        self.make_room(0, frame.at)?;
        let path = path.to_str().ok_or_else(|| io::Error::other("the path is not UTF-8"))?;
        self.enter(frame, (len, sum), (true, path))
    }

    /// The server has read these frames. Should that be forgotten by a power cut, they are only kept longer.
    pub fn acknowledge(&mut self, ids: &[String]) -> io::Result<()> {
        let Some(journal) = self.existing()? else { return Ok(()) };
        let mut locked = journal.lock()?;
        let waits = |id: &&String| locked.ledger().find(id).is_some_and(|frame| !frame.acknowledged);
        let entries: Vec<Entry> = ids.iter().filter(waits).cloned().map(Entry::Acknowledged).collect();
        if entries.is_empty() { Ok(()) } else { locked.add(entries, false) }
    }

    /// Forgets a frame, and removes its file if it lies in the spool; `false` if there is none of that name.
    pub fn drop_frame(&mut self, id: &str) -> io::Result<bool> {
        let Some(journal) = self.existing()? else { return Ok(false) };
        let mut locked = journal.lock()?;
        let Some(frame) = locked.ledger().find(id).cloned() else { return Ok(false) };
        forget(&mut locked, &[frame]).map(|()| true)
    }

    /// A frame, where its file is, and that file.
    pub fn open(&mut self, id: &str) -> io::Result<Option<(Record, PathBuf, io::Result<File>)>> {
        let directory = self.path.clone();
        let Some(journal) = self.existing()? else { return Ok(None) };
        let locked = journal.lock()?;
        let Some(frame) = locked.ledger().find(id).cloned() else { return Ok(None) };
        let path = directory.join(&frame.path);
        let file = disk::read(locked.place().fd(), path.as_os_str());
        Ok(Some((frame, path, file)))
    }

    /// All frames, oldest first.
    pub fn frames(&mut self) -> io::Result<Vec<Record>> {
        self.look(<[Record]>::to_vec)
    }

    /// Looks at all frames, oldest first.
    pub fn look<T>(&mut self, look: impl FnOnce(&[Record]) -> T) -> io::Result<T> {
        let Some(journal) = self.existing()? else { return Ok(look(&[])) };
        Ok(look(&journal.lock()?.ledger().frames))
    }

    /// The frames that nobody had acknowledged and that had to go, since the last time.
    pub fn take_lost(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lost)
    }

    /// Its directory, made if need be.
    pub fn place(&mut self) -> io::Result<&Place> {
        self.made().map(|journal| &journal.place)
    }

    fn existing(&mut self) -> io::Result<Option<&mut Journal>> {
        self.forget_what_is_gone();
        if self.journal.is_none() && !self.path.is_dir() {
            return Ok(None);
        }
        self.made().map(Some)
    }

    fn made(&mut self) -> io::Result<&mut Journal> {
        self.forget_what_is_gone();
        match &mut self.journal {
            Some(journal) => Ok(journal),
            none => Ok(none.insert(Journal::open(Place::make(&self.path)?)?)),
        }
    }

    /// Somebody may have removed the directory, or mounted a disk over it.
    fn forget_what_is_gone(&mut self) {
        if self.journal.as_ref().is_some_and(|journal| !journal.place.is_still(&self.path)) {
            self.journal = None;
        }
    }

    fn make_room(&mut self, bytes: u64, now: SystemTime) -> io::Result<()> {
        let limits = self.agreed.limits();
        let mut locked = self.made()?.lock()?;
        let old = to_be_forgotten(&locked.ledger().frames, limits, bytes, now);
        let forgotten = forget(&mut locked, &old);
        drop(locked);
        self.note_lost(&old);
        forgotten
    }

    fn note_lost(&mut self, gone: &[Record]) {
        let lost = gone.iter().filter(|frame| !frame.acknowledged && !frame.saved);
        self.lost.extend(lost.map(|frame| frame.id.clone()));
    }

    /// Says whether there was any.
    fn drop_acknowledged(&mut self) -> io::Result<bool> {
        let mut locked = self.made()?.lock()?;
        let acknowledged = |frame: &&Record| frame.acknowledged && !frame.saved;
        let frames: Vec<Record> = locked.ledger().frames.iter().filter(acknowledged).cloned().collect();
        forget(&mut locked, &frames).map(|()| !frames.is_empty())
    }

    fn store(&mut self, name: &OsStr, bytes: &[u8]) -> io::Result<(PathBuf, Sum)> {
        let mut draft = Draft::within(self.made()?.place.try_clone()?)?;
        let sum = draft.write_summed(bytes)?;
        Ok((draft.replace(name)?, sum))
    }

    fn enter(
        &mut self,
        frame: NewFrame<'_>,
        (bytes, sha256): (u64, Sum),
        (saved, path): (bool, &str),
    ) -> io::Result<()> {
        let record = Record {
            id: frame.id.to_owned(),
            at: timestamp(frame.at),
            bytes,
            sha256,
            path: path.to_owned(),
            format: frame.format.to_owned(),
            saved,
            acknowledged: frame.acknowledged,
        };
        let mut locked = self.made()?.lock()?;
        let replaced = locked.ledger().frames.iter().filter(|old| saved && old.saved && old.path == path);
        // A thread that hung may come late with a file that is not there any more.
        let replaced = replaced.filter(|old| old.id != record.id && old.at <= record.at);
        let replaced = replaced.map(|old| Entry::Dropped(old.id.clone()));
        let entries = replaced.chain([Entry::Kept(record.clone())]).collect();
        locked.add(entries, true)
    }
}

/// Forgets frames, their files in the spool included.
fn forget(locked: &mut Locked<'_>, frames: &[Record]) -> io::Result<()> {
    if frames.is_empty() {
        return Ok(());
    }
    // Synced before the files go: a journal that lists what is gone would speak of damage.
    locked.add(frames.iter().map(|frame| Entry::Dropped(frame.id.clone())).collect(), true)?;
    for frame in frames.iter().filter(|frame| !frame.saved) {
        disk::remove(locked.place().fd(), OsStr::new(&frame.path))?;
    }
    locked.shorten()
}

/// Finishes what a dead process had begun: removes the files of frames that were dropped, enters those of frames that
/// were about to be entered.
fn put_right(locked: &mut Locked<'_>) -> io::Result<()> {
    let mut found = Vec::new();
    for name in locked.place().names()? {
        let Some((id, format)) = name.to_str().and_then(parts) else { continue };
        let (id, format) = (id.to_owned(), format.to_owned());
        if locked.ledger().dropped.contains(&id) {
            disk::remove(locked.place().fd(), &name)?;
        } else if locked.ledger().find(&id).is_none() {
            // What cannot be read cannot be sent again either.
            let Ok(file) = disk::read(locked.place().fd(), &name) else { continue };
            let begun = file.metadata().and_then(|entry| entry.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
            let Ok((sha256, bytes)) = Sum::read(file) else { continue };
            let (path, at) = (format!("{id}{format}"), timestamp(begun));
            found.push(Record { id, at, bytes, sha256, path, format, saved: false, acknowledged: false });
        }
    }
    if found.is_empty() {
        return locked.shorten();
    }
    found.sort_by(|one, other| one.at.cmp(&other.at));
    locked.add(found.into_iter().map(Entry::Kept).collect(), true)
}

/// Id and format of a file of the spool, if the name is one.
fn parts(name: &str) -> Option<(&str, &str)> {
    let (id, _) = name.split_once('.').filter(|(id, _)| !id.is_empty() && name != JOURNAL && name != LOCK)?;
    Some((id, &name[id.len()..]))
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}

fn timestamp(at: SystemTime) -> String {
    // A clock outside the years -9999 to 9999 is no reason to lose the frame.
    format!("{:.3}", Timestamp::try_from(at).unwrap_or(Timestamp::UNIX_EPOCH))
}
