//! What the simulated camera can do, and between which limits.

use std::time::Duration;

use super::cooler::Conditions;
use super::format;
use super::sensor::{PixelType, Sensor};
use crate::camera::types::{self as facts, Binning, Capabilities, Range};

/// Name and model of the only camera that this backend finds.
pub(super) const NAME: &str = "Camera Simulator";
/// Number of the first one; the driver numbers any further ones itself.
pub(super) const SERIAL: &str = "SIM-0001";
/// Fast enough for bias frames; no shutter is faster.
const SHORTEST: Duration = Duration::from_micros(100);
const LONGEST: Duration = Duration::from_secs(3600);
/// Along each axis; the factors may differ.
const LARGEST_BINNING: u32 = 4;

/// The abilities of a camera with that sensor under these conditions. The guide port belongs to the simulated camera,
/// so it is there whatever the sensor.
pub(super) fn capabilities(sensor: &Sensor, conditions: &Conditions) -> Capabilities {
    let model = &sensor.model;
    Capabilities {
        sensor: facts::Sensor {
            width: model.width,
            height: model.height,
            pixel_x: model.pixel_size,
            pixel_y: model.pixel_size,
            bits: match sensor.pixel_type() {
                PixelType::U8 => 8,
                PixelType::U16 => 16,
            },
            adc_bits: model.bits,
            bayer: sensor.bayer(),
        },
        formats: format::formats(sensor),
        exposure: Range { min: SHORTEST.as_secs_f64(), max: LONGEST.as_secs_f64(), step: 0.0 },
        binning: Binning { x: LARGEST_BINNING, y: LARGEST_BINNING },
        subframe: true,
        shutter: model.shutter,
        cooler: conditions.range(),
        thermometer: true,
        cooler_power: conditions.largest_drop.is_some(),
        gain: model.gain.settable(),
        offset: model.offset.settable(),
        controls: Vec::new(),
        guide_port: true,
        scene: true,
        sdk: None,
    }
}
