//! What `list_spool` answers.

use serde::{Deserialize, Serialize};

/// The answer of `list_spool`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpoolList {
    /// The newest 500 of them, oldest first.
    pub frames: Vec<SpooledFrame>,
    /// How many there are.
    pub total: u64,
    /// How many of them wait to be acknowledged.
    pub unacknowledged: u64,
}

/// A frame that is safe on the disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpooledFrame {
    /// `FRAMEID` in its header; what `resend_frame` and `drop_frame` take.
    pub id: String,
    /// When its exposure began.
    pub start_utc: String,
    /// Length of the file.
    pub bytes: u64,
    /// Of the file.
    pub sha256: String,
    /// Where it is.
    pub path: String,
    /// It was saved there for the user, and stays.
    pub saved: bool,
    /// The server has read it, or it was only to be saved.
    pub acknowledged: bool,
}
