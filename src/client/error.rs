//! What goes wrong between a client and a camera: one type, one kind per thing that a program can do about it.

use std::time::Duration;

use crate::camera::answer::Code;
use crate::camera::error::ErrorKind;

/// Why a call failed. The text is one sentence for a person; [`code`](ClientError::code) is for programs.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Nobody answers there, or the driver cannot be started.
    #[error("no connection to {address}: {why}")]
    Unreachable {
        /// Where.
        address: String,
        /// What the system said.
        why: String,
    },
    /// The server, or the driver that we started, has gone; what ran there is lost.
    #[error("{address} is gone: {why}")]
    ServerGone {
        /// Where it was.
        address: String,
        /// How that showed.
        why: String,
    },
    /// No device of that name is there.
    #[error("there is no device {device}; {}", list(.known))]
    NoSuchDevice {
        /// The name asked for.
        device: String,
        /// Those that are there.
        known: Vec<String>,
    },
    /// The device has been there and is no more: unplugged, disconnected, or its driver ended.
    #[error("{device} is gone: {why}")]
    DeviceGone {
        /// The device.
        device: String,
        /// How that showed.
        why: String,
    },
    /// The call needs a connected camera.
    #[error("{device} is not connected")]
    NotConnected {
        /// The camera.
        device: String,
    },
    /// The camera has nothing to do that with.
    #[error("{device} cannot do that: {why}")]
    NotSupported {
        /// The camera.
        device: String,
        /// What is missing.
        why: String,
    },
    /// An argument of the wrong type, or one that is missing.
    #[error("{0}")]
    Invalid(String),
    /// Outside the limits that the camera publishes.
    #[error("{what} cannot be {asked}: allowed is {min} to {max}")]
    OutOfRange {
        /// Property and element.
        what: String,
        /// The value asked for.
        asked: f64,
        /// Smallest value allowed.
        min: f64,
        /// Largest value allowed.
        max: f64,
    },
    /// An exposure runs.
    #[error("{device} is busy: {why}")]
    Busy {
        /// The camera.
        device: String,
        /// With what.
        why: String,
    },
    /// The driver does not take these values, and has changed nothing.
    #[error("{device} refused {what}: {why}")]
    Refused {
        /// The device.
        device: String,
        /// Which property.
        what: String,
        /// The driver's own sentence.
        why: String,
    },
    /// The camera accepted it and could not do it.
    #[error("{what} of {device} failed: {why}")]
    Failed {
        /// The device.
        device: String,
        /// What it was to do.
        what: String,
        /// The driver's own sentence.
        why: String,
    },
    /// The exposure failed.
    #[error("the exposure of {device} failed: {why}")]
    ExposureFailed {
        /// The camera.
        device: String,
        /// The driver's own sentence.
        why: String,
    },
    /// The exposure was aborted, by us or by another client.
    #[error("the exposure of {device} was aborted{why}")]
    Aborted {
        /// The camera.
        device: String,
        /// Empty, or by whom.
        why: String,
    },
    /// Something did not happen in time.
    #[error("{what} did not happen within {} s", .limit.as_secs_f64())]
    Timeout {
        /// What was waited for.
        what: String,
        /// For how long.
        limit: Duration,
    },
    /// There is no frame to fetch.
    #[error("there is no frame of {device}: {why}")]
    NoFrame {
        /// The camera.
        device: String,
        /// Why not.
        why: String,
    },
    /// What came is not what it says it is.
    #[error("the frame of {device} cannot be used: {why}")]
    BadFrame {
        /// The camera.
        device: String,
        /// What is wrong with it.
        why: String,
    },
    /// A call through CAMERA_CALL was answered with an error; `code` is the camera's own.
    #[error("{message}")]
    Answered {
        /// Of the Camera API.
        code: Code,
        /// The camera's sentence.
        message: String,
    },
    /// A file or the system.
    #[error("{what}: {why}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        why: String,
    },
}

impl ClientError {
    /// The code of the Camera API.
    #[must_use]
    pub fn code(&self) -> Code {
        let kind = match self {
            ClientError::Answered { code, .. } => return *code,
            ClientError::Unreachable { .. } | ClientError::Io { .. } => ErrorKind::Io,
            ClientError::ServerGone { .. } | ClientError::DeviceGone { .. } => ErrorKind::Disconnected,
            ClientError::NoSuchDevice { .. } | ClientError::NotConnected { .. } => ErrorKind::NotConnected,
            ClientError::NotSupported { .. } => ErrorKind::NotSupported,
            ClientError::Invalid(_) | ClientError::Refused { .. } => ErrorKind::InvalidValue,
            ClientError::OutOfRange { .. } => ErrorKind::OutOfRange,
            ClientError::Busy { .. } => ErrorKind::Busy,
            ClientError::Failed { .. }
            | ClientError::ExposureFailed { .. }
            | ClientError::BadFrame { .. } => ErrorKind::Hardware,
            ClientError::Aborted { .. } | ClientError::NoFrame { .. } => ErrorKind::NoFrame,
            ClientError::Timeout { .. } => ErrorKind::Timeout,
        };
        kind.into()
    }

    pub(crate) fn not_supported(device: &str, why: impl Into<String>) -> Self {
        ClientError::NotSupported { device: device.to_owned(), why: why.into() }
    }

    pub(crate) fn io(what: impl Into<String>, why: &impl ToString) -> Self {
        ClientError::Io { what: what.into(), why: why.to_string() }
    }
}

/// The result of a client's call.
pub type Result<T, E = ClientError> = std::result::Result<T, E>;

fn list(names: &[String]) -> String {
    if names.is_empty() {
        "there is none at all".to_owned()
    } else {
        format!("there are {}", names.join(", "))
    }
}
