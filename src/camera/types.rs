//! The words in which a camera and its user speak: plain data with units.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::call::Reply;
use super::error::CameraError;
pub use super::spare::Spare;
pub use crate::image::{Bayer, Binning, Frame, FrameInfo, FrameType, Pixels, Roi};

/// Degrees Celsius.
pub type Celsius = f64;
/// 0 to 100.
pub type Percent = f64;

/// A moment on both clocks. Durations are taken from `elapsed` only; `utc` is a label.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub struct Moment {
    /// Monotonic time since the process began.
    pub elapsed: Duration,
    /// Wall clock.
    pub utc: SystemTime,
}

/// Identity of a camera as its backend found it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
pub struct CameraId {
    /// Name for people, and default name of the INDI device.
    pub name: String,
    /// Model as the maker calls it.
    pub model: String,
    /// Serial number where there is one.
    pub serial: Option<String>,
    /// Bus path or address where there is one.
    pub bus: Option<String>,
}

/// What a connected camera can do. The device defines exactly the properties that this calls for.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[allow(clippy::struct_excessive_bools, reason = "independent abilities")]
pub struct Capabilities {
    /// The sensor.
    pub sensor: Sensor,
    /// Formats to choose from by the parameter [`FORMAT_PARAMETER`], the names in both directions; none if there is no choice.
    pub formats: Vec<CaptureFormat>,
    /// Exposure times in seconds, both ends allowed.
    pub exposure: Range<f64>,
    /// Largest binning factor that the camera does itself, along each axis.
    pub binning: Binning,
    /// The camera can read a part of the sensor.
    pub subframe: bool,
    /// There is a shutter, so a dark is dark without anyone covering the telescope.
    pub shutter: bool,
    /// Target temperatures in °C, when there is a cooler.
    pub cooler: Option<Range<Celsius>>,
    /// There is a thermometer.
    pub thermometer: bool,
    /// The cooler's power can be read.
    pub cooler_power: bool,
    /// Gain settings, when there are any.
    pub gain: Option<Range<i32>>,
    /// Offset settings, when there are any.
    pub offset: Option<Range<i32>>,
    /// Settings of this camera's own, in the order in which people should see them.
    pub controls: Vec<Control>,
    /// There is an ST4 guide port: [`Camera::call`](super::Camera::call) takes `pulse_guide` with `direction` (n, s,
    /// w, e) and `ms` (0 stops), begins the pulse in place of any other on that axis, and returns at once.
    pub guide_port: bool,
    /// What falls on the sensor is made up, and the camera wants to be told by the parameter [`SCENE_PARAMETER`] what
    /// is known of the telescope in front of it.
    pub scene: bool,
    /// Version of the maker's library, where there is one.
    pub sdk: Option<String>,
}

/// A setting of a camera's own: a parameter of [`Camera::get_parameter`](super::Camera::get_parameter) and
/// [`Camera::set_parameter`](super::Camera::set_parameter), and a property of the same name.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Control {
    /// Name in the protocol, different for each and from the standard properties: `V4L2_BRIGHTNESS`.
    pub name: String,
    /// Name for people.
    pub label: String,
    /// What it takes.
    pub kind: ControlKind,
}

/// What a setting takes.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub enum ControlKind {
    /// A number: a [`Value::Record`] of the one element [`CONTROL_VALUE`].
    Number(Range<f64>),
    /// One of these: the [`Value::Text`] that is its first half, for people its second.
    Choice(Vec<(String, String)>),
    /// Nothing: a number that the camera measures, in the shape of one that is set, and asked for regularly.
    Reading,
}

/// The element that holds the number of a [`Control`].
pub const CONTROL_VALUE: &str = "VALUE";

/// The parameter that chooses among a camera's formats.
pub const FORMAT_PARAMETER: &str = "format";

/// The parameter that tells a camera which is not connected where to search for cameras besides the usual places: a
/// [`Value::Text`] with commas between the addresses. Only backends that declare addresses have it.
pub const ADDRESSES_PARAMETER: &str = "addresses";

/// The parameter that tells a camera with [`Capabilities::scene`] what other devices know of the light in front of it,
/// for the exposures that begin from then on.
///
/// Its value is a [`Value::Record`] that takes the place of the whole one before. An element that nobody knows is
/// absent, never zero; a camera ignores elements that it does not know.
///
/// | element | value |
/// |---|---|
/// | `RA`, `DEC` | numbers, always both: where the telescope points, J2000, in degrees |
/// | `PIER_SIDE` | text, `WEST` or `EAST`: the side of the pier where the telescope is |
/// | `ROTATOR` | number: angle of the rotator in degrees, by its own scale |
/// | `FOCAL_LENGTH`, `APERTURE` | numbers: of the telescope, in mm |
/// | `FOCUSER` | number: position of the focuser in its own steps |
/// | `SKY_BRIGHTNESS` | number: brightness of the sky in magnitudes per square arcsec |
pub const SCENE_PARAMETER: &str = "scene";

/// A form in which a camera delivers its pixels.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct CaptureFormat {
    /// Name in the protocol: `INDI_MONO_16`.
    pub name: String,
    /// Name for people; different for each format.
    pub label: String,
    /// Bits in the container of one pixel: 8, 16 or 32.
    pub bits: u8,
    /// Bits that the converter really delivers in this format.
    pub adc_bits: u8,
    /// The colour mosaic that the pixels show, if they do.
    pub bayer: Option<Bayer>,
}

/// An inclusive range and the step between sensible values; a step of 0 means any.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[allow(missing_docs, reason = "a range")]
pub struct Range<T> {
    pub min: T,
    pub max: T,
    pub step: T,
}

/// Facts about a sensor. Where a camera has formats to choose from, depth and mosaic are those of the format.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Sensor {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Pixel size along a row, µm.
    pub pixel_x: f64,
    /// Pixel size along a column, µm.
    pub pixel_y: f64,
    /// Bits in the container of one pixel: 8, 16 or 32.
    pub bits: u8,
    /// Bits that the converter really delivers.
    pub adc_bits: u8,
    /// The colour mosaic, if there is one.
    pub bayer: Option<Bayer>,
}

/// One per exposure: late frames and reports of an aborted or replaced exposure are recognised by it and dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
pub struct ExposureId(pub u64);

/// Set once when nobody wants an exposure any more; seen by the camera thread and the delivery thread.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Nobody wants it any more.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether nobody wants it any more.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl PartialEq for Cancel {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// What to expose. Window, binning, gain and offset are what was set last.
#[derive(Clone, Debug, PartialEq)]
pub struct ExposureRequest {
    /// Its identity, carried by everything that follows from it.
    pub id: ExposureId,
    /// How long.
    pub duration: Duration,
    /// What for.
    pub frame_type: FrameType,
    /// When set, the result is wanted by nobody: stop as soon as possible.
    pub cancel: Cancel,
    /// Memory for its pixels, for cameras that care.
    pub spare: Spare,
}

impl ExposureRequest {
    /// One that is wanted, and brings no memory.
    #[must_use]
    pub fn new(id: ExposureId, duration: Duration, frame_type: FrameType) -> Self {
        ExposureRequest { id, duration, frame_type, cancel: Cancel::default(), spare: Spare::default() }
    }
}

/// Where an exposure is.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub enum ExposureStatus {
    /// None is running and there is no result to fetch.
    Idle,
    /// Collecting light.
    Exposing {
        /// Until the shutter closes.
        left: Duration,
    },
    /// Reading out or downloading.
    Reading {
        /// 0 to 100, where the camera knows.
        done: Option<Percent>,
    },
    /// The result can be fetched.
    Ready,
}

/// What the cooler does.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub struct CoolingStatus {
    /// The cooler is switched on.
    pub on: bool,
    /// Where it regulates to.
    pub target: Option<Celsius>,
}

/// Everything that is worth asking a camera regularly, in one reading.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub struct CameraStatus {
    /// The exposure.
    pub exposure: ExposureStatus,
    /// The cooler, if there is one.
    pub cooling: Option<CoolingStatus>,
    /// Sensor temperature, if there is a thermometer.
    pub temperature: Option<Celsius>,
    /// Cooler power, if it can be read.
    pub power: Option<Percent>,
}

/// A setting of a camera by name.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// On or off.
    Bool(bool),
    /// Any number.
    Number(f64),
    /// Words; a choice is the name of what was chosen.
    Text(String),
    /// Several in a fixed order.
    List(Vec<Value>),
    /// Several that only make sense together, by name.
    Record(Vec<(String, Value)>),
}

/// What the camera thread has to tell.
#[derive(Debug, Deserialize, Serialize)]
pub enum Event {
    /// The answer to the call that is outstanding.
    Reply(Result<Reply, CameraError>),
    /// The shutter opened.
    Started {
        /// Of which exposure.
        id: ExposureId,
        /// When.
        at: Moment,
    },
    /// The shutter closed and the read-out began, or got further.
    Reading {
        /// Of which exposure.
        id: ExposureId,
    },
    /// The frame.
    Frame {
        /// Of which exposure.
        id: ExposureId,
        /// The read-out.
        frame: Frame,
    },
    /// There will be no frame.
    Failed {
        /// Of which exposure.
        id: ExposureId,
        /// Why.
        error: CameraError,
    },
}
