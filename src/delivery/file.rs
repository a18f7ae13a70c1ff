//! Stores files where the user wants them: directory, name, next index, and nothing half-written ever.
//!
//! In a file name `XXX` stands for the next free index and `ISO8601` for the local time at which the exposure began;
//! a name with a `%` in it is an INDIGO template ([`crate::image::name`]) instead. The index continues after the
//! largest one found, as libindi counts it, but the directory is read only for the first file of a series, and a file
//! that has meanwhile taken a name is never overwritten: the next index is tried. Without an index there is one file,
//! which is replaced.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::time::SystemTime;

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::camera::types::Cancel;
use crate::device::job::{DeliveryError, FileTarget};
use crate::host::draft::{Draft, Identity};
use crate::host::place::Place;
use crate::host::sum::Sum;
use crate::image::header::Card;
use crate::image::name::{self, Name};

use super::fault::explain;
use super::folders::{Folders, has_room};

/// Most digits of an index: all that one has.
const MOST_DIGITS: usize = 20;
/// What compressed files have behind the suffix of what they hold.
const PACKED: &str = ".fz";
/// Series whose next index is remembered. A user has a handful; a client that invents a new name for each frame
/// must not fill the memory.
const MAX_SERIES: usize = 64;

/// Where files go, and which index is next.
#[derive(Debug)]
pub struct FileStore {
    folders: Folders,
    zone: TimeZone,
    /// By directory and the part of the name that all files of a series share.
    next: HashMap<(PathBuf, String), u64>,
}

impl FileStore {
    /// File names show the time in `zone`.
    #[must_use]
    pub fn new(folders: Folders, zone: TimeZone) -> Self {
        FileStore { folders, zone, next: HashMap::new() }
    }

    /// Stores `bytes` in a file whose name ends with `frame.suffix` and gives the file's path once everything is on the
    /// disk, or `None` if `cancel` was set before it had its name, which leaves no file; later it is for the caller to take
    /// it back. After an error there is no file either, unless it has its name and only that name is not safe yet.
    pub fn store(
        &mut self,
        to: &FileTarget,
        frame: Described<'_>,
        bytes: &[u8],
        cancel: &Cancel,
    ) -> Result<Option<Stored>, DeliveryError> {
        if to.prefix.is_empty() || to.prefix.contains(['/', '\0']) {
            let why = "a file name has at least one character and no \"/\"".to_owned();
            return Err(DeliveryError::File { path: to.prefix.clone().into(), why });
        }
        let place = self.folders.open(&to.directory)?;
        let started = self.local_time(to.started);
        let name = if to.prefix.contains('%') {
            let name = name::fill(&to.prefix, frame.cards, frame.size, &started);
            name.map_err(|why| DeliveryError::File { path: to.prefix.clone().into(), why })?
        } else {
            plain_name(&to.prefix, &started)
        };
        let directory = place.path().to_owned();
        let wanted = directory.join(full(&name, 0, frame.suffix));
        let again = place.try_clone().map_err(|error| explain(&directory, &error))?;
        let mut draft = Draft::within(place).map_err(|error| explain(&directory, &error))?;
        let sum = if frame.summed {
            draft.write_summed(bytes).map(Some)
        } else {
            draft.write(bytes).map(|()| None)
        };
        let sum = sum.map_err(|error| explain(&wanted, &error))?;
        let identity = draft.identity().map_err(|error| explain(&wanted, &error))?;
        if cancel.is_cancelled() {
            return Ok(None);
        }

        let path = if name.index.is_some() {
            self.publish_indexed(draft, &again, &to.prefix, (&name, frame.suffix))
        } else {
            draft.replace(OsStr::new(&full(&name, 0, frame.suffix)))
        };
        let path = path.map_err(|error| explain(&wanted, &error))?;
        Ok(Some(Stored { path, identity, sum }))
    }

    /// Whether a file of so many bytes could be stored there now, as far as that can be known.
    pub fn check(&mut self, to: &FileTarget, bytes: u64) -> Result<(), DeliveryError> {
        let place = self.folders.open(&to.directory)?;
        has_room(&place, bytes)
    }

    /// Removes what dead processes have left in a directory, if that is there.
    pub fn sweep(&mut self, directory: &str) {
        self.folders.sweep(directory);
    }

    fn local_time(&self, at: SystemTime) -> Zoned {
        // A clock outside the years -9999 to 9999 is no reason to lose the frame.
        let at = Timestamp::try_from(at).unwrap_or(Timestamp::UNIX_EPOCH);
        at.to_zoned(self.zone.clone())
    }

    fn publish_indexed(
        &mut self,
        mut draft: Draft,
        place: &Place,
        prefix: &str,
        (name, suffix): (&Name, &str),
    ) -> io::Result<PathBuf> {
        let is_template = prefix.contains('%');
        let series = if is_template {
            name.before.clone()
        } else {
            prefix.replace("_XXX", "").replace("_ISO8601", "")
        };
        let key = (place.path().to_owned(), series);
        let mut index = match self.next.get(&key) {
            Some(&next) => next,
            None if is_template => last_number_after(place, &key.1)?.saturating_add(1),
            None => last_index(place, &key.1)?.saturating_add(1),
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

/// A file that is on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Where.
    pub path: PathBuf,
    /// Which one.
    pub identity: Identity,
    /// Its sum, if that was wanted.
    pub sum: Option<Sum>,
}

impl Stored {
    /// Removes it, as nobody wants it any more, unless another one has its name by now.
    pub fn remove(&self) {
        match self.identity.remove(&self.path) {
            Ok(true) => {}
            Ok(false) => tracing::debug!(path = %self.path.display(), "another file has its name"),
            Err(error) => {
                tracing::warn!(path = %self.path.display(), %error, "cancelled file not removed");
            }
        }
    }
}

/// What a name can tell of a frame, and what is to be known of its file.
#[derive(Clone, Copy, Debug)]
pub struct Described<'a> {
    /// Its header.
    pub cards: &'a [Card],
    /// Its width and height.
    pub size: (usize, usize),
    /// The suffix of its format.
    pub suffix: &'a str,
    /// The file's sum is wanted.
    pub summed: bool,
}

/// A name with libindi's placeholders.
fn plain_name(prefix: &str, started: &Zoned) -> Name {
    let name = prefix.replace("ISO8601", &started.strftime("%Y-%m-%dT%H-%M-%S.%3f").to_string());
    match name.split_once("XXX") {
        Some((before, rest)) => {
            let after = rest.trim_start_matches('X');
            let digits = (3 + rest.len() - after.len()).min(MOST_DIGITS);
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

/// The largest number between the last `_` and the last `.`, but for [`PACKED`], of all names that contain `series`,
/// or 0.
fn last_index(place: &Place, series: &str) -> io::Result<u64> {
    let mut last = 0;
    for name in place.names()? {
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
fn last_number_after(place: &Place, before: &str) -> io::Result<u64> {
    let mut last = 0;
    for name in place.names()? {
        let Some(rest) = name.to_str().and_then(|name| name.strip_prefix(before)) else { continue };
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        last = last.max(rest[..digits].parse().unwrap_or(0));
    }
    Ok(last)
}

#[cfg(test)]
mod tests;
