//! What the device asks of the delivery thread, and what it hears back: plain data.

use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

pub use crate::camera::answer::MOST_RECALLED;
use crate::camera::types::{Binning, Cancel, ExposureId, Frame, Roi, Spare};
use crate::image::header::Card;
use crate::wire::{New, Payload};

mod recorded;

/// Work for the delivery thread.
#[derive(Debug)]
pub enum Job {
    /// Prepare memory for the next frame of this many pixel bytes; never answered.
    Reserve {
        /// Bytes of pixels to come, without header.
        bytes: usize,
    },
    /// Encode one frame and take it where it is wanted; told by [`Report::Begun`] and, if it is stored as well as sent,
    /// [`Report::Encoded`], and answered by [`Report::Delivered`] unless it was cancelled.
    Deliver(Box<Delivery>),
    /// Remove a frame that nobody wants any more, from the spool and where it was saved; never answered.
    Discard {
        /// Its name.
        frame: String,
    },
    /// See whether the frame of an exposure that begins could be stored; answered by [`Report::NoRoom`] if it could not.
    CheckRoom {
        /// Of which exposure.
        id: ExposureId,
        /// Bytes that the file takes at least.
        bytes: u64,
        /// Where a file is wanted; otherwise the frame is for the spool.
        file: Option<FileTarget>,
    },
    /// Clean up in the spool, and hold it to these limits from now on; answered by [`Report::Spool`].
    TendSpool {
        /// What it may hold.
        limits: SpoolLimits,
        /// When that is asked.
        now: SystemTime,
        /// Where frames are saved, as the user wrote it: what dead processes have left there goes too.
        directory: String,
    },
    /// The server has read these frames; answered by [`Report::Spool`].
    Acknowledge(Vec<String>),
    /// Read a frame of the spool again; answered by [`Report::Resent`].
    Resend(String),
    /// Forget a frame of the spool, and remove its file if the user has not saved it elsewhere; answered by
    /// [`Report::Dropped`].
    DropFrame(String),
    /// Tell of all frames in the spool; answered by [`Report::Listed`].
    ListSpool,
    /// Read the configuration; answered by [`Report::Loaded`].
    LoadConfig(Press, ConfigSource),
    /// Write the configuration; answered by [`Report::Saved`].
    SaveConfig(Press, Document),
    /// Remove the configuration; answered by [`Report::Purged`].
    PurgeConfig(Press),
    /// Store what its user calls the camera of this serial number, or forget it if empty; answered by
    /// [`Report::Nicknamed`].
    Nickname {
        /// Identity of the camera.
        serial: String,
        /// What it is called.
        nickname: String,
    },
    /// Give the file of a frame that was delivered as base64 text; answered by [`Report::Recalled`]. Files of more than
    /// [`MOST_RECALLED`] bytes are not kept.
    Recall {
        /// Of which exposure.
        id: ExposureId,
        /// Where it was stored, for a frame that no client was sent.
        path: Option<PathBuf>,
    },
    /// Give up the thread, which hangs in the job before: another one takes over the jobs that wait. Never answered, and
    /// the thread itself never sees it.
    Replace,
}

/// One frame on its way.
#[derive(Debug)]
pub struct Delivery {
    /// Of which exposure.
    pub id: ExposureId,
    /// Its name, which no other frame ever has: `FRAMEID` in its header.
    pub name: String,
    /// Set when nobody wants the frame any more: no file may appear after that.
    pub cancel: Cancel,
    /// Where the memory of the pixels is left when the frame has gone.
    pub spare: Spare,
    /// The read-out, which may be larger and less binned than what was asked.
    pub frame: Frame,
    /// Exactly what was asked, in unbinned pixels.
    pub roi: Roi,
    /// Exactly what was asked.
    pub binning: Binning,
    /// The header, without the structural keywords and checksums that the encoder writes.
    pub cards: Vec<Card>,
    /// As what.
    pub encoding: Encoding,
    /// The client wants a copy.
    pub client: bool,
    /// Where a file is wanted.
    pub file: Option<FileTarget>,
    /// It has to be in the journal of the spool before anybody hears of it, and in the spool itself where no file is
    /// wanted.
    pub keep: bool,
}

/// What a spool may hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpoolLimits {
    /// Bytes of the frames that lie in it.
    pub bytes: u64,
    /// How long it keeps frames that have been acknowledged.
    pub age: Duration,
}

/// What a spool holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct SpoolState {
    /// Frames in its journal.
    pub frames: u64,
    /// Bytes of those that lie in the spool itself.
    pub bytes: u64,
    /// Frames that wait to be acknowledged, oldest first.
    pub waiting: Vec<String>,
    /// Frames that nobody had acknowledged and that had to go since the last time this was told.
    pub lost: Vec<String>,
}

/// A frame that is safe on the disk.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Kept {
    /// SHA-256 of its file.
    pub sha256: String,
    /// The spool, with it.
    pub spool: SpoolState,
}

/// A frame in the journal of a spool.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct SpoolEntry {
    /// Its name.
    pub name: String,
    /// When its exposure began, UTC, as `2026-11-22T21:30:05.123Z`.
    pub at: String,
    /// Length of the file.
    pub bytes: u64,
    /// Of the file.
    pub sha256: String,
    /// Where it is.
    pub path: PathBuf,
    /// The user saved it there.
    pub saved: bool,
    /// Everybody whom it was meant for has it.
    pub acknowledged: bool,
}

/// What becomes of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// FITS: `.fits`.
    Fits,
    /// FITS with Rice coded rows, a file that many programs open as it is: `.fits.fz`.
    FitsRice,
    /// Pixels, low bytes first: `.bin`.
    Native,
    /// The same, and on its way to the client a zlib stream, which the client inflates: `.bin.z`. In shared memory,
    /// where nothing is gained by it, and on disk it is [`Native`](Encoding::Native): nobody opens a `.bin.z`, and
    /// clients have no file of that name either.
    NativeZlib,
    /// XISF: `.xisf`.
    Xisf {
        /// With compressed pixels.
        compressed: bool,
    },
}

impl Encoding {
    /// Suffix of a file's name, with its dot.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        match self {
            Encoding::Fits => ".fits",
            Encoding::FitsRice => ".fits.fz",
            Encoding::Native | Encoding::NativeZlib => ".bin",
            Encoding::Xisf { .. } => ".xisf",
        }
    }

    /// Whether its pixels take as many bytes as those of the frame, so that memory can be prepared for it.
    #[must_use]
    pub fn keeps_size(self) -> bool {
        matches!(self, Encoding::Fits | Encoding::Native | Encoding::NativeZlib)
    }
}

/// Where a frame is to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileTarget {
    /// Directory as the user wrote it; `_HOME_` stands for the home directory, empty means home.
    pub directory: String,
    /// File name without suffix; `XXX` stands for the next free index, `ISO8601` for the local time of `started`.
    pub prefix: String,
    /// When the exposure began.
    pub started: SystemTime,
}

/// Which press of a button a job is for, so that an answer which comes too late is taken for no other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Press(pub u32);

/// Which configuration to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigSource {
    /// The one saved last.
    Saved,
    /// The copy of the first one ever saved.
    Default,
}

/// A configuration: the writes that bring it back.
pub type Document = Vec<New>;

/// A file for the client, and its BLOB format.
pub type ClientCopy = (Payload, &'static str);

/// What the delivery thread answers.
#[derive(Debug, Deserialize, Serialize)]
pub enum Report {
    /// The delivery thread has taken up a frame: from here on its time is its own.
    Begun {
        /// Of which exposure.
        id: ExposureId,
    },
    /// The client's copy of a frame that has to be stored yet, which may take long.
    Encoded {
        /// Of which exposure.
        id: ExposureId,
        /// The copy.
        #[serde(with = "recorded::alone")]
        blob: ClientCopy,
    },
    /// A frame has gone as far as the delivery thread takes it.
    Delivered {
        /// Of which exposure.
        id: ExposureId,
        /// Length of the file; 0 if there is none.
        bytes: u64,
        /// The client's copy, where one was wanted and has not been told of before.
        #[serde(with = "recorded")]
        blob: Option<Result<ClientCopy, DeliveryError>>,
        /// The stored file, where one was wanted.
        file: Option<Result<PathBuf, DeliveryError>>,
        /// The value that all its pixels have, if they are all alike.
        constant: Option<u32>,
        /// What it took.
        took: Took,
        /// Whether it is in the journal of the spool, where it has to be.
        kept: Option<Result<Kept, DeliveryError>>,
    },
    /// The frame of this exposure could not be stored.
    NoRoom {
        /// Which exposure.
        id: ExposureId,
        /// Why.
        error: DeliveryError,
    },
    /// What the spool holds now.
    Spool(Result<SpoolState, DeliveryError>),
    /// A frame of the spool, ready to be sent again.
    Resent {
        /// Its name.
        frame: String,
        /// The client's copy.
        #[serde(with = "recorded::again")]
        blob: Result<ClientCopy, DeliveryError>,
    },
    /// A frame has been forgotten, and what the spool holds without it.
    Dropped {
        /// Its name.
        frame: String,
        /// The spool.
        spool: Result<SpoolState, DeliveryError>,
    },
    /// All frames in the spool, oldest first.
    Listed(Result<Vec<SpoolEntry>, DeliveryError>),
    /// A configuration was read; `Ok(None)` means that there is none.
    Loaded(Press, Result<Option<Document>, DeliveryError>),
    /// A configuration was written.
    Saved(Press, Result<(), DeliveryError>),
    /// The configuration was removed; `Ok(false)` means that there was none.
    Purged(Press, Result<bool, DeliveryError>),
    /// This nickname was stored.
    Nicknamed(Result<String, DeliveryError>),
    /// The file of a frame as base64 text.
    Recalled {
        /// Of which exposure.
        id: ExposureId,
        /// The text; `Ok(None)` if the file is not there any more, or too long.
        text: Result<Option<String>, DeliveryError>,
    },
}

/// How long the steps of a delivery took; absent where there was no such step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Took {
    /// From the frame to the file in memory.
    pub encode: Option<Duration>,
    /// From there to the disk.
    pub write: Option<Duration>,
}

/// Why a frame or a file did not get where it should.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Deserialize, Serialize)]
#[allow(missing_docs, reason = "the message says it")]
pub enum DeliveryError {
    #[error("no space left for {path}")]
    DiskFull { path: PathBuf },
    #[error("no permission to write {path}")]
    Permission { path: PathBuf },
    #[error("the disk of {path} can only be read")]
    ReadOnly { path: PathBuf },
    #[error("no space left for {path}: the frame takes {needed}, and {free} are free")]
    NoRoom { path: PathBuf, needed: Size, free: Size },
    #[error("{path} is not mounted any more")]
    NotMounted { path: PathBuf },
    #[error("{path} is not inside {root}, where files have to be")]
    Outside { path: PathBuf, root: PathBuf },
    #[error("there is no frame {0} in the spool")]
    NoFrame(String),
    #[error("{path}: {why}")]
    File { path: PathBuf, why: String },
    #[error("the disk has not answered for {seconds} s")]
    Silent { seconds: u64 },
    #[error("cannot encode the frame: {0}")]
    Encode(String),
    #[error("no memory for the frame: {0}")]
    Memory(String),
}

/// A number of bytes, as people read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Size(pub u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0..1_000 => write!(f, "{} bytes", self.0),
            1_000..1_000_000 => write!(f, "{:.1} kB", self.0 as f64 / 1e3),
            _ => write!(f, "{:.1} MB", self.0 as f64 / 1e6),
        }
    }
}
