//! What the 25 calls answer, as data with the keys of the Camera API: the same from this driver, from the client
//! library for any INDI camera, and from the tool.
//!
//! Every answer has the form of [`Answer`]. What stands in its `params` when a call has succeeded:
//!
//! | call | `params` |
//! |---|---|
//! | `connect`, `polling` | [`Snapshot`] |
//! | `scanning` | [`Scan`] |
//! | `get_parameter` | [`Parameter`] |
//! | `start_exposure` | [`ExposureBegun`] |
//! | `get_exposure_status` | [`ExposureProgress`] |
//! | `get_exposure_result` | [`ExposureResult`] |
//! | `get_cooling_status` | [`CoolingReport`] |
//! | `get_current_temperature`, `get_cooling_power` | [`Temperature`], [`CoolingPower`] |
//! | `get_camera_roi`, `get_binning` | [`CameraRoi`], [`BinningFactors`] |
//! | `get_gain`, `get_offset` | [`Gain`], [`Offset`] |
//! | `list_parameters`, `self_test`, `stop_exposure` | [`ParameterList`], [`SelfTest`], [`ExposureStopped`] |
//! | `list_spool` | [`SpoolList`] |
//! | `call` | what the function that it names answers |
//! | every other | nothing: `{}` |
//!
//! What a camera does not have, or nobody knows, is `null`.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::error::{CameraError, ErrorKind, Result};
use super::json;

mod info;
mod results;
mod spool;

pub use info::{Ability, Conditions, Current, Info, Limits, Network, Readout, Snapshot};
pub use results::{
    Area, BinningFactors, CameraRoi, Check, ClockState, CoolingPower, CoolingReport, CoolingState,
    ExposureBegun, ExposureProgress, ExposureResult, ExposureStopped, Found, FrameRecord, FrameSpec, Gain,
    Image, MOST_RECALLED, Measured, Offset, Parameter, ParameterEntry, ParameterList, Phase, Scan, SelfTest,
    Temperature, utc,
};
pub use spool::{SpoolList, SpooledFrame};

/// How a call went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub enum Status {
    /// Done.
    Success,
    /// Not done; `params.error` says why.
    Error,
    /// There was nothing to do; `params.warning` says why.
    Warning,
}

impl From<Status> for u8 {
    fn from(status: Status) -> u8 {
        match status {
            Status::Success => 0,
            Status::Error => 1,
            Status::Warning => 2,
        }
    }
}

impl TryFrom<u8> for Status {
    type Error = String;

    fn try_from(number: u8) -> Result<Status, String> {
        match number {
            0 => Ok(Status::Success),
            1 => Ok(Status::Error),
            2 => Ok(Status::Warning),
            other => Err(format!("a status is 0, 1 or 2, not {other}")),
        }
    }
}

/// Why a call failed or had nothing to do, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the first ten are those of ErrorKind, and documented there")]
pub enum Code {
    InvalidValue,
    OutOfRange,
    NotSupported,
    Busy,
    NotConnected,
    Timeout,
    Disconnected,
    Hardware,
    NoFrame,
    Io,
    /// `connect` of a camera that is connected.
    AlreadyConnected,
    /// `disconnect` of a camera that is not connected.
    AlreadyDisconnected,
    /// `cooling` on, of a cooler that is on.
    AlreadyOn,
    /// `cooling` off, of a cooler that is off.
    AlreadyOff,
    /// `abort_exposure` or `stop_exposure` while none runs.
    NotExposing,
    /// Somebody else has set something newer before this was done.
    Superseded,
}

impl Code {
    /// All of them.
    pub const ALL: [Code; 16] = [
        Code::InvalidValue,
        Code::OutOfRange,
        Code::NotSupported,
        Code::Busy,
        Code::NotConnected,
        Code::Timeout,
        Code::Disconnected,
        Code::Hardware,
        Code::NoFrame,
        Code::Io,
        Code::AlreadyConnected,
        Code::AlreadyDisconnected,
        Code::AlreadyOn,
        Code::AlreadyOff,
        Code::NotExposing,
        Code::Superseded,
    ];

    /// The word of the Camera API.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Code::AlreadyConnected => "already_connected",
            Code::AlreadyDisconnected => "already_disconnected",
            Code::AlreadyOn => "already_on",
            Code::AlreadyOff => "already_off",
            Code::NotExposing => "not_exposing",
            Code::Superseded => "superseded",
            error => error.kind().map_or("", ErrorKind::code),
        }
    }

    /// The kind of failure; `None` for what is none.
    #[must_use]
    pub fn kind(self) -> Option<ErrorKind> {
        Some(match self {
            Code::InvalidValue => ErrorKind::InvalidValue,
            Code::OutOfRange => ErrorKind::OutOfRange,
            Code::NotSupported => ErrorKind::NotSupported,
            Code::Busy => ErrorKind::Busy,
            Code::NotConnected => ErrorKind::NotConnected,
            Code::Timeout => ErrorKind::Timeout,
            Code::Disconnected => ErrorKind::Disconnected,
            Code::Hardware => ErrorKind::Hardware,
            Code::NoFrame => ErrorKind::NoFrame,
            Code::Io => ErrorKind::Io,
            Code::AlreadyConnected
            | Code::AlreadyDisconnected
            | Code::AlreadyOn
            | Code::AlreadyOff
            | Code::NotExposing
            | Code::Superseded => return None,
        })
    }

    /// The status that goes with it.
    #[must_use]
    pub fn status(self) -> Status {
        if self.kind().is_some() { Status::Error } else { Status::Warning }
    }
}

impl From<ErrorKind> for Code {
    fn from(kind: ErrorKind) -> Code {
        match kind {
            ErrorKind::InvalidValue => Code::InvalidValue,
            ErrorKind::OutOfRange => Code::OutOfRange,
            ErrorKind::NotSupported => Code::NotSupported,
            ErrorKind::Busy => Code::Busy,
            ErrorKind::NotConnected => Code::NotConnected,
            ErrorKind::Timeout => Code::Timeout,
            ErrorKind::Disconnected => Code::Disconnected,
            ErrorKind::Hardware => Code::Hardware,
            ErrorKind::NoFrame => Code::NoFrame,
            ErrorKind::Io => Code::Io,
        }
    }
}

/// What stands under `params.error` and `params.warning`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// For programs.
    pub code: Code,
    /// One clause for people.
    pub detail: String,
}

/// The envelope of every answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// How it went.
    pub status: Status,
    /// One sentence for people; free, and no contract.
    pub message: String,
    /// The results; on failure only `error`, and `warning` beside the results when there was nothing to do.
    pub params: Map<String, Json>,
}

impl Answer {
    /// It was done, and this is the result: something with fields.
    #[must_use]
    pub fn done(message: impl Into<String>, result: &impl Serialize) -> Answer {
        let params = match serde_json::to_value(result) {
            Ok(Json::Object(params)) => params,
            // A unit has no fields.
            Ok(Json::Null) => Map::new(),
            Ok(other) => Map::from_iter([("value".to_owned(), other)]),
            Err(error) => return Answer::failed(Code::Hardware, error.to_string()),
        };
        Answer { status: Status::Success, message: message.into(), params }
    }

    /// It failed, or there was nothing to do.
    #[must_use]
    pub fn failed(code: Code, detail: impl Into<String>) -> Answer {
        Answer::done("", &()).because(code, detail)
    }

    /// The same answer with a reason, which decides the status.
    #[must_use]
    pub fn because(mut self, code: Code, detail: impl Into<String>) -> Answer {
        let detail = detail.into();
        self.status = code.status();
        self.message.clone_from(&detail);
        let name = if self.status == Status::Error { "error" } else { "warning" };
        let reason = Map::from_iter([
            ("code".to_owned(), Json::from(code.word())),
            ("detail".to_owned(), Json::from(detail)),
        ]);
        self.params.insert(name.to_owned(), Json::Object(reason));
        self
    }

    /// Why it failed or had nothing to do.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        let reason = self.params.get("error").or_else(|| self.params.get("warning"))?;
        Reason::deserialize(reason).ok()
    }

    /// The result, if it was not a failure.
    pub fn read<T: DeserializeOwned>(&self, call: &'static str) -> Result<T> {
        if self.status == Status::Error {
            let reason = self.reason();
            let kind = reason.as_ref().and_then(|reason| reason.code.kind()).unwrap_or(ErrorKind::Hardware);
            let detail = reason.map_or_else(|| self.message.clone(), |reason| reason.detail);
            return Err(CameraError::new(kind, call, detail));
        }
        T::deserialize(Json::Object(self.params.clone())).map_err(|error| {
            let detail = format!("the answer is not understood: {error}");
            CameraError::new(ErrorKind::InvalidValue, call, detail)
        })
    }

    /// As the text that CAMERA_REPLY carries.
    #[must_use]
    pub fn text(&self) -> String {
        // A JSON value has no number that is not finite.
        json::text(self).unwrap_or_default()
    }
}

impl From<&CameraError> for Answer {
    fn from(error: &CameraError) -> Answer {
        Answer::failed(error.kind.into(), error.detail.clone())
    }
}

#[cfg(test)]
mod tests;
