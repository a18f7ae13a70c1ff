//! One error type for every camera call: a shared kind that policy can decide on, and the backend's own words.

use std::error::Error;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::call::NAMES;

/// What went wrong, as far as policy cares. The names are the codes of the Camera API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
pub enum ErrorKind {
    /// Wrong type, not a number, missing field.
    InvalidValue,
    /// Outside the published limits.
    OutOfRange,
    /// This camera cannot do that.
    NotSupported,
    /// Not now: an exposure runs, or the camera is connected.
    Busy,
    /// The call needs a connected camera.
    NotConnected,
    /// The camera did not answer in time.
    Timeout,
    /// The camera is gone.
    Disconnected,
    /// The camera reports trouble.
    Hardware,
    /// There is no frame to fetch.
    NoFrame,
    /// A file or a disk.
    Io,
}

impl ErrorKind {
    /// The code of the Camera API.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            ErrorKind::InvalidValue => "invalid_value",
            ErrorKind::OutOfRange => "out_of_range",
            ErrorKind::NotSupported => "not_supported",
            ErrorKind::Busy => "busy",
            ErrorKind::NotConnected => "not_connected",
            ErrorKind::Timeout => "timeout",
            ErrorKind::Disconnected => "disconnected",
            ErrorKind::Hardware => "hardware",
            ErrorKind::NoFrame => "no_frame",
            ErrorKind::Io => "io",
        }
    }
}

/// A camera call that failed.
#[derive(Debug, thiserror::Error)]
#[error("{call}: {detail}")]
pub struct CameraError {
    /// What kind of failure.
    pub kind: ErrorKind,
    /// The call that failed, by its name in the Camera API.
    pub call: &'static str,
    /// One clause for a person, no full stop.
    pub detail: String,
    /// The vendor's own error.
    #[source]
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

impl CameraError {
    /// An error without a vendor error behind it.
    #[must_use]
    pub fn new(kind: ErrorKind, call: &'static str, detail: impl Into<String>) -> Self {
        CameraError { kind, call, detail: detail.into(), source: None }
    }

    /// This camera has no such ability.
    #[must_use]
    pub fn not_supported(call: &'static str) -> Self {
        Self::new(ErrorKind::NotSupported, call, "this camera cannot do that")
    }

    /// `get_parameter` or `set_parameter` of what this camera does not have.
    #[must_use]
    pub fn no_setting(call: &'static str, name: &str) -> Self {
        Self::new(ErrorKind::NotSupported, call, format!("there is no setting named {name}"))
    }

    /// The call needs a connected camera.
    #[must_use]
    pub fn not_connected(call: &'static str) -> Self {
        Self::new(ErrorKind::NotConnected, call, "connect the camera first")
    }

    /// The call has to wait for the end of an exposure.
    #[must_use]
    pub fn exposing(call: &'static str) -> Self {
        Self::new(ErrorKind::Busy, call, "an exposure is running")
    }

    /// `get_exposure_result` without an exposure that has left a frame.
    #[must_use]
    pub fn no_frame() -> Self {
        Self::new(ErrorKind::NoFrame, "get_exposure_result", "there is no frame to fetch")
    }
}

/// The result of a camera call.
pub type Result<T, E = CameraError> = std::result::Result<T, E>;

/// An error as a recording has it: the vendor's own is in its words already.
#[derive(Deserialize, Serialize)]
struct Recorded {
    kind: ErrorKind,
    call: String,
    detail: String,
}

impl Serialize for CameraError {
    fn serialize<S: Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        let CameraError { kind, call, detail, .. } = self;
        Recorded { kind: *kind, call: (*call).to_owned(), detail: detail.clone() }.serialize(to)
    }
}

impl<'de> Deserialize<'de> for CameraError {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        let Recorded { kind, call, detail } = Recorded::deserialize(from)?;
        let known = NAMES.into_iter().chain(["pulse_guide", "self_test"]).find(|name| *name == call);
        Ok(CameraError::new(kind, known.unwrap_or("camera"), detail))
    }
}
