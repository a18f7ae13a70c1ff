//! The `info` of `connect` and `polling`. Names and grouping are those that old clients know, with their spelling.

use serde::{Deserialize, Serialize};

/// The answer of `connect` and `polling`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// All that is known of the camera, at one moment.
    pub info: Info,
    /// Grows by one with every snapshot.
    pub sequence: u64,
}

/// All that is known of a camera. What it does not have, or what is unknown before it is connected, is `null`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Info {
    /// Always `camera`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The INDI device.
    pub name: String,
    /// What tells the camera from its like: its serial number, or its place on the bus, or its name.
    pub id: String,
    /// The camera's model, for people.
    pub description: String,
    /// Seconds after which a call that hangs is answered.
    pub timeout: f64,
    /// Where settings are stored, if that is known.
    pub configration: Option<String>,
    /// How it is set now.
    pub current: Current,
    /// What it can do.
    pub ability: Ability,
    /// What it is doing.
    pub status: Conditions,
    /// Limits of its settings.
    pub properties: Limits,
    /// The sensor, and the part of it that is read.
    pub frame: Readout,
    /// Where it is, for a camera that is reached by a network.
    pub network: Network,
}

/// How a camera is set now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Current {
    /// Seconds of the exposure that runs, or ran last.
    pub exposure: Option<f64>,
    /// In the camera's own units.
    pub gain: Option<i32>,
    /// In the camera's own units.
    pub offset: Option<i32>,
    /// Sensitivity, of cameras that count so.
    pub iso: Option<i32>,
    /// Along each axis: x, y.
    pub binning: Option<[u32; 2]>,
    /// Of the sensor, °C.
    pub temperature: Option<f64>,
    /// Of the cooler, %.
    pub cool_power: Option<f64>,
    /// Of the exposure that runs, 0 to 100; 0 while none does.
    pub percent_complete: f64,
}

/// What a camera can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(
    missing_docs,
    clippy::struct_excessive_bools,
    reason = "independent abilities, named as clients know them"
)]
pub struct Ability {
    pub can_binning: bool,
    pub can_cooling: bool,
    pub can_gain: bool,
    pub can_get_coolpower: bool,
    pub can_guiding: bool,
    pub can_has_shutter: bool,
    pub can_iso: bool,
    pub can_offset: bool,
}

/// What a camera is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(
    missing_docs,
    clippy::struct_excessive_bools,
    reason = "independent conditions, named as clients know them"
)]
pub struct Conditions {
    pub is_connected: bool,
    /// The cooler is on.
    pub is_cooling: bool,
    /// From the start of an exposure until its frame is delivered.
    pub is_exposure: bool,
    /// `get_exposure_result` has a frame to tell of.
    pub is_imageready: bool,
    /// A guide pulse runs.
    pub is_guiding: bool,
    pub is_video: bool,
}

/// Limits of a camera's settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "named as clients know them")]
pub struct Limits {
    pub max_gain: Option<i32>,
    pub min_gain: Option<i32>,
    pub max_offset: Option<i32>,
    pub min_offset: Option<i32>,
    /// Seconds.
    pub max_exposure: Option<f64>,
    /// Seconds.
    pub min_exposure: Option<f64>,
    /// Along each axis: x, y.
    pub max_binning: Option<[u32; 2]>,
}

/// The sensor, and the part of it that is read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Readout {
    /// Of the window, unbinned pixels.
    pub height: Option<u32>,
    /// Of the window, unbinned pixels.
    pub width: Option<u32>,
    /// Of the sensor.
    pub max_height: Option<u32>,
    /// Of the smallest window.
    pub min_height: Option<u32>,
    /// Of the sensor.
    pub max_width: Option<u32>,
    /// Of the smallest window.
    pub min_width: Option<u32>,
    /// Bits in the container of one pixel.
    pub depth: Option<u32>,
    /// The largest number that this container holds.
    pub max_adu: Option<u64>,
    /// Always `null`: pixels come with `get_exposure_result`.
    pub imgarray: Option<()>,
    /// The four letters of the top left 2×2 pixels of the sensor.
    pub bayer_pattern: Option<String>,
    /// Columns by which the pattern is shifted.
    pub bayer_offset_x: Option<u32>,
    /// Rows by which the pattern is shifted.
    pub bayer_offset_y: Option<u32>,
    /// µm.
    pub pixel_height: Option<f64>,
    /// µm.
    pub pixel_width: Option<f64>,
    /// First column of the window, unbinned.
    pub start_x: Option<u32>,
    /// First row of the window, unbinned.
    pub start_y: Option<u32>,
    /// Columns of the image: the window's, binned.
    pub subframe_x: Option<u32>,
    /// Rows of the image: the window's, binned.
    pub subframe_y: Option<u32>,
    /// `mono` or `bayer`.
    pub sensor_type: Option<String>,
    /// As its maker calls it.
    pub sensor_name: Option<String>,
}

/// Where a camera is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "named as clients know them")]
pub struct Network {
    pub ipaddress: Option<String>,
    pub api_version: Option<String>,
}
