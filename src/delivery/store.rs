//! Brings frames to the disk: where the user wants them, or else into the spool, and in both cases into the journal.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use crate::camera::types::Cancel;
use crate::device::job::{ClientCopy, DeliveryError, FileTarget, Kept, SpoolEntry, SpoolLimits, SpoolState};
use crate::host::draft::sweep;
use crate::host::place::Place;
use crate::host::spool::{Limits, NewFrame, Record};
use crate::host::sum::{PIECE, Summer};
use crate::image::header::Card;

use super::Worker;
use super::fault::explain;
use super::file::{Described, Stored};
use super::folders::has_room;

/// Suffixes of all formats that a frame can have.
const FORMATS: [&str; 4] = [".fits", ".fits.fz", ".bin", ".xisf"];

/// What is said of a file that is not what the journal says.
const CHANGED: &str = "it has been changed or damaged: its SHA-256 is not that of the frame";

/// A frame that is to be stored.
#[derive(Clone, Copy)]
pub(super) struct Unsaved<'a> {
    pub(super) name: &'a str,
    pub(super) cards: &'a [Card],
    /// Width and height.
    pub(super) size: (usize, usize),
    /// Of its format, with its dot.
    pub(super) suffix: &'static str,
    pub(super) started: SystemTime,
    pub(super) file: Option<&'a FileTarget>,
    /// A client is to have it, too.
    pub(super) client: bool,
    pub(super) keep: bool,
    pub(super) cancel: &'a Cancel,
}

/// Where a frame is now.
#[derive(Debug, Default)]
pub(super) struct Safe {
    /// Where a file was wanted.
    pub(super) file: Option<Result<PathBuf, DeliveryError>>,
    /// Where it has to be in the journal.
    pub(super) kept: Option<Result<Kept, DeliveryError>>,
}

/// Frames whose files are remembered: more than a device has on their way.
const MOST_WRITTEN: usize = 16;

/// The files of the last frames by the frames' names, for all threads of a device: it may be another one that has to
/// take a frame back.
#[derive(Clone, Debug, Default)]
pub struct Written(Arc<Mutex<VecDeque<(String, Stored)>>>);

impl Written {
    fn note(&self, frame: &str, stored: &Stored) {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        files.truncate(MOST_WRITTEN - 1);
        files.push_front((frame.to_owned(), stored.clone()));
    }

    fn forget(&self, frame: &str) -> Option<Stored> {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = files.iter().position(|(name, _)| name == frame)?;
        files.remove(at).map(|(_, stored)| stored)
    }
}

impl Worker {
    /// Stores a frame as far as that is wanted; `None` if it was cancelled in time, which leaves nothing. A frame that
    /// cannot be saved where the user wants it goes into the spool if it can.
    pub(super) fn store(&mut self, frame: Unsaved<'_>, bytes: &[u8]) -> Option<Safe> {
        let Unsaved { name, cards, size, suffix, started, file, client, keep, cancel } = frame;
        let only_saved = NewFrame { id: name, at: started, format: suffix, acknowledged: !client };
        let described = Described { cards, size, suffix, summed: keep };
        let saved = match file.map(|file| self.files.store(file, described, bytes, cancel)) {
            Some(Ok(None)) => return None,
            Some(Ok(Some(stored))) => Some(Ok(stored)),
            Some(Err(error)) => Some(Err(error)),
            None => None,
        };
        let entered = match &saved {
            _ if !keep => None,
            Some(Ok(Stored { path, sum: Some(sum), .. })) => {
                let entered = self.spool.enter_saved(only_saved, bytes.len() as u64, *sum, path);
                Some(entered.map(|()| *sum))
            }
            _ => {
                let kept = self.spool.keep(NewFrame { acknowledged: false, ..only_saved }, bytes);
                Some(kept.map(|(_, sum)| sum))
            }
        };
        let kept = entered.map(|entered| {
            let sha256 = entered.map_err(|error| explain(self.spool.path(), &error))?.to_string();
            Ok(Kept { sha256, spool: self.spool_state()? })
        });
        if let Some(Ok(stored)) = &saved {
            self.written.note(name, stored);
        }
        let safe = Safe { file: saved.map(|saved| saved.map(|stored| stored.path)), kept };
        if cancel.is_cancelled() {
            self.take_back(name, safe.kept.is_some());
            return None;
        }
        Some(safe)
    }

    /// Removes a frame that nobody wants any more.
    pub(super) fn take_back(&mut self, name: &str, kept: bool) {
        if kept && let Err(error) = self.spool.drop_frame(name) {
            tracing::warn!(name, %error, "cancelled frame not dropped");
        }
        if let Some(stored) = self.written.forget(name) {
            stored.remove();
        }
    }

    /// Whether a frame of so many bytes could be stored now.
    pub(super) fn check_room(&mut self, bytes: u64, file: Option<&FileTarget>) -> Result<(), DeliveryError> {
        let Some(file) = file else {
            let path = self.spool.path().to_owned();
            let place = self.spool.place().map_err(|error| explain(&path, &error))?;
            return has_room(place, bytes);
        };
        self.files.check(file, bytes)
    }

    /// Removes what dead processes have left where frames are saved and beside the configuration.
    pub(super) fn sweep(&mut self, directory: &str) {
        self.files.sweep(directory);
        let settings = self.config.path().parent().map(Place::open);
        if let Some(Ok(place)) = settings {
            sweep(&place);
        }
    }

    pub(super) fn tend(&mut self, limits: SpoolLimits, now: SystemTime) -> Result<SpoolState, DeliveryError> {
        let SpoolLimits { bytes, age } = limits;
        let tended = self.spool.tend(Limits { bytes, age }, now);
        tended.map_err(|error| explain(self.spool.path(), &error))?;
        self.spool_state()
    }

    pub(super) fn acknowledge(&mut self, frames: &[String]) -> Result<SpoolState, DeliveryError> {
        let noted = self.spool.acknowledge(frames);
        noted.map_err(|error| explain(self.spool.path(), &error))?;
        self.spool_state()
    }

    pub(super) fn drop_frame(&mut self, frame: &str) -> Result<SpoolState, DeliveryError> {
        let dropped = self.spool.drop_frame(frame).map_err(|error| explain(self.spool.path(), &error))?;
        if dropped { self.spool_state() } else { Err(DeliveryError::NoFrame(frame.to_owned())) }
    }

    pub(super) fn list_spool(&mut self) -> Result<Vec<SpoolEntry>, DeliveryError> {
        let frames = self.spool.frames().map_err(|error| explain(self.spool.path(), &error))?;
        let directory = self.spool.path();
        let entry = |Record { id, at, bytes, sha256, path, saved, acknowledged, .. }: Record| SpoolEntry {
            name: id,
            at,
            bytes,
            sha256: sha256.to_string(),
            path: directory.join(path),
            saved,
            acknowledged,
        };
        Ok(frames.into_iter().map(entry).collect())
    }

    /// The client's copy of a frame that is on the disk, if it still is what it was.
    pub(super) fn read_again(&mut self, frame: &str) -> Result<ClientCopy, DeliveryError> {
        let found = self.spool.open(frame).map_err(|error| explain(self.spool.path(), &error))?;
        let (record, path, file) = found.ok_or_else(|| DeliveryError::NoFrame(frame.to_owned()))?;
        let broken = |why: &str| DeliveryError::File { path: path.clone(), why: why.to_owned() };
        let format = FORMATS.into_iter().find(|format| **format == record.format);
        let format = format.ok_or_else(|| broken("it is no format of ours"))?;
        let mut file = file.map_err(|error| explain(&path, &error))?;
        let metadata = file.metadata().map_err(|error| explain(&path, &error))?;
        if metadata.len() != record.bytes {
            return Err(broken(CHANGED));
        }
        let len = usize::try_from(record.bytes).map_err(|_too_large| broken("it is too large"))?;
        let no_memory = |error: io::Error| DeliveryError::Memory(error.to_string());
        let mut buffer = self.memory.take(len).map_err(no_memory)?;
        let mut summer = Summer::default();
        for piece in buffer.bytes()[..len].chunks_mut(PIECE) {
            file.read_exact(piece).map_err(|error| match error.kind() {
                ErrorKind::UnexpectedEof => broken(CHANGED),
                _ => explain(&path, &error),
            })?;
            summer.add(piece);
        }
        if summer.sum() != record.sha256 {
            return Err(broken(CHANGED));
        }
        let (payload, lent) = buffer.into_payload(len).map_err(no_memory)?;
        self.memory.lend(lent);
        Ok((payload, format))
    }

    fn spool_state(&mut self) -> Result<SpoolState, DeliveryError> {
        let lost = self.spool.take_lost();
        let state = self.spool.look(|frames| SpoolState {
            frames: frames.len() as u64,
            bytes: frames.iter().filter(|frame| !frame.saved).map(|frame| frame.bytes).sum(),
            waiting: frames
                .iter()
                .filter(|frame| !frame.acknowledged)
                .map(|frame| frame.id.clone())
                .collect(),
            lost,
        });
        state.map_err(|error| explain(self.spool.path(), &error))
    }
}
