//! What single calls answer.

use std::time::SystemTime;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::camera::types::{Binning, FrameType, Roi, Value};
use crate::camera::wish::as_word;

/// The answer of `scanning`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scan {
    /// Names, as `connect` takes them.
    pub camera: Vec<String>,
    /// What is known of each, in the same order.
    pub cameras: Vec<Found>,
}

/// A camera that `scanning` has found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// What tells it from its like: its serial number, or its place on the bus, or its name.
    pub id: String,
    /// The INDI device, or what that would be called.
    pub name: String,
    /// As the maker calls it.
    pub model: String,
    /// Where there is one.
    pub serial: Option<String>,
    /// Bus path or address, where there is one.
    pub bus: Option<String>,
    /// The sensor, for people: `1280x1024`. Known of connected cameras.
    pub sensor: Option<String>,
    /// Somebody has connected it; `null` where that cannot be known.
    pub in_use: Option<bool>,
}

/// The answer of `get_parameter`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    /// Its value.
    pub value: Value,
}

/// The answer of `start_exposure`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExposureBegun {
    /// By which the frame record and the status know it.
    pub exposure_id: u64,
    /// Seconds from now after which the exposure is given up.
    pub deadline_s: f64,
    /// Bytes of pixels to come, without header and compression.
    pub expected_bytes: u64,
}

/// The answer of `stop_exposure`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExposureStopped {
    /// Of which the frame comes now.
    pub exposure_id: u64,
}

/// Where an exposure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Nothing runs.
    Idle,
    /// Asked for, and the camera has not begun.
    Waiting,
    /// Collecting light.
    Exposing,
    /// Reading out or downloading.
    Reading,
    /// Being made a file of.
    Encoding,
    /// On its way to the client.
    Delivering,
    /// Nothing runs, and the last exposure failed.
    Error,
}

/// The answer of `get_exposure_status`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExposureProgress {
    /// An exposure runs, or its frame is on the way.
    pub status: bool,
    /// Where it is.
    pub phase: Phase,
    /// Seconds that the shutter has been open.
    pub elapsed_s: f64,
    /// Seconds until it closes.
    pub remaining_s: f64,
    /// Of the exposure's time, 0 to 100; 0 while none runs.
    pub percent: f64,
    /// The exposure that runs, or else ran last.
    pub exposure_id: Option<u64>,
}

/// The answer of `get_exposure_result`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExposureResult {
    /// Where the frame is, and its shape.
    pub image: Image,
    /// What was asked for and what was measured.
    pub info: FrameRecord,
}

/// A frame that has been delivered: the BLOB that was sent is named, and never sent twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// The BLOB's vector; `null` for a frame that was only saved.
    pub property: Option<String>,
    /// The BLOB's element.
    pub element: Option<String>,
    /// Suffix of the file's format, with its dot: `.fits`.
    pub format: String,
    /// Columns of the image.
    pub width: u32,
    /// Rows of the image.
    pub height: u32,
    /// Bits in the container of one pixel.
    pub bits: u32,
    /// Length of the file.
    pub bytes: u64,
    /// The file itself, when it was asked for, and is not longer than [`MOST_RECALLED`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
}

/// The longest file that an answer holds, bytes. A text of that length is already a burden for every client that shows
/// texts; whoever wants more takes the BLOB.
pub const MOST_RECALLED: u64 = 4 << 20;

/// Everything about one frame but its pixels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FrameRecord {
    /// As `start_exposure` told it.
    pub exposure_id: u64,
    /// Number of the frame, from 1.
    pub sequence: u64,
    /// What was asked for; frozen when the exposure began.
    pub spec: FrameSpec,
    /// What came.
    pub measured: Measured,
    /// How far the clock can be trusted.
    pub clock: ClockState,
    /// How often the frame was tried again.
    pub retries: u32,
    /// Length of the file.
    pub bytes: u64,
    /// Of the file, for a frame that is spooled.
    pub sha256: Option<String>,
    /// Where it was saved.
    pub saved_path: Option<String>,
    /// What a user should know about this frame.
    pub warnings: Vec<String>,
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FrameSpec {
    /// Seconds.
    pub duration_s: f64,
    /// What for.
    #[serde(with = "as_word")]
    pub frame_type: FrameType,
    /// In unbinned pixels.
    pub roi: Area,
    /// Along each axis: x, y.
    pub binning: [u32; 2],
    /// In the camera's own units.
    pub gain: Option<i32>,
    /// In the camera's own units.
    pub offset: Option<i32>,
    /// The camera's own format, of cameras that have several.
    pub format: Option<String>,
}

/// What came.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// When the shutter opened.
    pub start_utc: Option<String>,
    /// When it closed.
    pub end_utc: Option<String>,
    /// How long it was open, seconds.
    pub duration_s: Option<f64>,
    /// From the shutter's end to the last pixel, seconds.
    pub read_out_s: Option<f64>,
    /// Of the sensor when the exposure began, °C.
    pub temperature_start: Option<f64>,
    /// Of the sensor when the frame had come, °C.
    pub temperature_end: Option<f64>,
    /// As the camera says it was set.
    pub gain_readback: Option<i32>,
    /// As the camera says it was set.
    pub offset_readback: Option<i32>,
}

/// How far the clock behind `start_utc` and `end_utc` can be trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClockState {
    /// It follows a time server; `null` if nobody knows.
    pub synced: Option<bool>,
    /// By how much it may be wrong, seconds.
    pub error_s: Option<f64>,
}

/// A rectangle on the sensor in unbinned pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "a rectangle")]
pub struct Area {
    pub start_x: u32,
    pub start_y: u32,
    pub width: u32,
    pub height: u32,
}

impl From<Roi> for Area {
    fn from(Roi { x, y, width, height }: Roi) -> Area {
        Area { start_x: x, start_y: y, width, height }
    }
}

/// What the cooler does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CoolingState {
    /// It is off.
    Off,
    /// On its way to the target.
    Cooling,
    /// At the target.
    Stable,
    /// Warming the sensor up before it is switched off.
    Warming,
    /// It does not get to the target.
    Stalled,
}

/// The answer of `get_cooling_status`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CoolingReport {
    /// The cooler is on.
    pub status: bool,
    /// Where the sensor is to get to, °C.
    pub target: Option<f64>,
    /// Where it is to be now, °C: the same, except on a ramp.
    pub ramp_target: Option<f64>,
    /// What it does.
    pub state: CoolingState,
}

/// The answer of `get_current_temperature`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Temperature {
    /// Of the sensor, °C.
    pub temperature: f64,
}

/// The answer of `get_cooling_power`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CoolingPower {
    /// 0 to 100 %.
    pub power: f64,
}

/// The answer of `get_camera_roi`: the window in unbinned pixels, and the size of its image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "a rectangle")]
pub struct CameraRoi {
    pub height: u32,
    pub width: u32,
    pub start_x: u32,
    pub start_y: u32,
    pub binned_width: u32,
    pub binned_height: u32,
}

impl CameraRoi {
    /// Of a window under a binning.
    #[must_use]
    pub fn new(roi: Roi, binning: Binning) -> CameraRoi {
        let (binned_width, binned_height) = roi.binned(binning);
        let Roi { x, y, width, height } = roi;
        CameraRoi { height, width, start_x: x, start_y: y, binned_width, binned_height }
    }
}

/// The answer of `get_gain`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gain {
    /// In the camera's own units.
    pub gain: i32,
}

/// The answer of `get_offset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offset {
    /// In the camera's own units.
    pub offset: i32,
}

/// The answer of `get_binning`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BinningFactors {
    /// Along each axis: x, y.
    pub binning: [u32; 2],
}

/// The answer of `list_parameters`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ParameterList {
    /// Those that this camera has now.
    pub parameters: Vec<ParameterEntry>,
}

/// What is known of one parameter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ParameterEntry {
    /// As `get_parameter` and `set_parameter` take it.
    pub name: String,
    /// `number`, `integer`, `bool`, `text`, `enum`, `list` or `record`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Of its number.
    pub unit: Option<String>,
    /// `R`, `W`, `RW`, or `RI`: both, and a write during an exposure counts for the next one.
    pub access: String,
    /// The property behind it.
    pub property: String,
    /// Smallest value.
    pub min: Option<f64>,
    /// Largest value.
    pub max: Option<f64>,
    /// Step between values; `null` for any.
    pub step: Option<f64>,
    /// What an `enum` takes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
}

/// The answer of `self_test`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelfTest {
    /// Every check has passed.
    pub passed: bool,
    /// One by one.
    pub checks: Vec<Check>,
}

/// One check of `self_test`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the words say it")]
pub struct Check {
    pub name: String,
    pub passed: bool,
    pub detail: String,
}

/// A moment in UTC to the microsecond: `2026-01-31T22:15:00.125000Z`. `None` for a clock that is wrong by thousands of
/// years.
#[must_use]
pub fn utc(at: SystemTime) -> Option<String> {
    let at = Timestamp::try_from(at).ok()?.to_zoned(TimeZone::UTC);
    (0..=9999).contains(&at.year()).then(|| at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string())
}
