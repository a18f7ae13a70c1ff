//! What the device asks of the delivery thread, and what it hears back: plain data.

use std::path::PathBuf;
use std::time::SystemTime;

use crate::camera::types::{Binning, Cancel, ExposureId, Frame, Roi, Spare};
use crate::image::header::Card;
use crate::wire::{New, Payload};

/// Work for the delivery thread.
#[derive(Debug)]
pub enum Job {
    /// Prepare memory for the next frame of this many pixel bytes; never answered.
    Reserve {
        /// Bytes of pixels to come, without header.
        bytes: usize,
    },
    /// Encode one frame and take it where it is wanted; answered by [`Report::Delivered`], unless it was cancelled.
    Deliver(Box<Delivery>),
    /// Remove the file of a frame that nobody wants any more; never answered.
    Discard(PathBuf),
    /// Read the configuration; answered by [`Report::Loaded`].
    LoadConfig(ConfigSource),
    /// Write the configuration; answered by [`Report::Saved`].
    SaveConfig(Document),
    /// Remove the configuration; answered by [`Report::Purged`].
    PurgeConfig,
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
}

/// The longest file that is given as text, bytes. A text of that length is already a burden for every client that
/// shows texts; whoever wants more takes the BLOB.
pub const MOST_RECALLED: u64 = 4 << 20;

/// One frame on its way.
#[derive(Debug)]
pub struct Delivery {
    /// Of which exposure.
    pub id: ExposureId,
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

/// What the delivery thread answers.
#[derive(Debug)]
pub enum Report {
    /// A frame has gone as far as the delivery thread takes it.
    Delivered {
        /// Of which exposure.
        id: ExposureId,
        /// Length of the file; 0 if there is none.
        bytes: u64,
        /// The client's copy and its BLOB format, where one was wanted.
        blob: Option<Result<(Payload, &'static str), DeliveryError>>,
        /// The stored file, where one was wanted.
        file: Option<Result<PathBuf, DeliveryError>>,
        /// The value that all its pixels have, if they are all alike.
        constant: Option<u32>,
    },
    /// A configuration was read; `Ok(None)` means that there is none.
    Loaded(Result<Option<Document>, DeliveryError>),
    /// A configuration was written.
    Saved(Result<(), DeliveryError>),
    /// The configuration was removed; `Ok(false)` means that there was none.
    Purged(Result<bool, DeliveryError>),
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

/// Why a frame or a file did not get where it should.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the message says it")]
pub enum DeliveryError {
    #[error("no space left for {path}")]
    DiskFull { path: PathBuf },
    #[error("no permission to write {path}")]
    Permission { path: PathBuf },
    #[error("{path}: {why}")]
    File { path: PathBuf, why: String },
    #[error("cannot encode the frame: {0}")]
    Encode(String),
    #[error("no memory for the frame: {0}")]
    Memory(String),
}
