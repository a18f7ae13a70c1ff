//! What the simulated camera can do, and between which limits.

use std::time::Duration;

use super::cooler::{AMBIENT, LARGEST_DROP};
use super::format;
use super::sensor::{PixelType, Sensor};
use crate::camera::types::{self as facts, Bayer, Binning, Capabilities, Celsius, Range};

/// Name and model of the only camera that this backend finds.
pub(super) const NAME: &str = "Camera Simulator";
/// Number of the first one; the driver numbers any further ones itself.
pub(super) const SERIAL: &str = "SIM-0001";
/// Fast enough for bias frames; no shutter is faster.
const SHORTEST: Duration = Duration::from_micros(100);
const LONGEST: Duration = Duration::from_secs(3600);
/// Along each axis; the factors may differ.
const LARGEST_BINNING: u32 = 4;
/// In units of 0.1 dB, as most astronomical cameras count.
const GAIN: Range<i32> = Range { min: 0, max: 300, step: 1 };
/// A little above a quarter of an electron per ADU at 16 bit, so that the read noise is well sampled.
pub(super) const FIRST_GAIN: i32 = 100;
/// In ADU of the converter, at every gain and depth.
const OFFSET: Range<i32> = Range { min: 0, max: 1000, step: 1 };
/// More than ten times the read noise at the first gain and 16 bit, so that nothing is cut off.
pub(super) const FIRST_OFFSET: i32 = 100;
const COOLER: Range<Celsius> = Range { min: AMBIENT - LARGEST_DROP, max: AMBIENT, step: 0.1 };

/// The abilities of a camera with that sensor, whose pixels are `pixel_size` µm wide.
pub(super) fn capabilities(sensor: &Sensor, pixel_size: f64) -> Capabilities {
    Capabilities {
        sensor: facts::Sensor {
            width: sensor.width,
            height: sensor.height,
            pixel_x: pixel_size,
            pixel_y: pixel_size,
            bits: match sensor.pixel_type() {
                PixelType::U8 => 8,
                PixelType::U16 => 16,
            },
            adc_bits: sensor.bits,
            bayer: sensor.mosaic.pattern().map(|pattern| Bayer {
                pattern: pattern.to_owned(),
                offset_x: 0,
                offset_y: 0,
            }),
        },
        formats: format::formats(sensor),
        exposure: Range { min: SHORTEST.as_secs_f64(), max: LONGEST.as_secs_f64(), step: 0.0 },
        binning: Binning { x: LARGEST_BINNING, y: LARGEST_BINNING },
        subframe: true,
        shutter: true,
        cooler: Some(COOLER),
        thermometer: true,
        cooler_power: true,
        gain: Some(GAIN),
        offset: Some(OFFSET),
        guide_port: true,
        scene: false,
        sdk: None,
    }
}
