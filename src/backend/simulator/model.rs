//! A type of sensor: everything that a data sheet says of it.
//!
//! Read [`Model`] first; `presets` is the table of those that are sold.

use std::borrow::Cow;

use super::mosaic::Mosaic;
use crate::camera::types::{Celsius, Range};

/// A type of sensor with the electronics around it.
#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) width: u32,
    pub(super) height: u32,
    /// Width and height of a pixel, µm.
    pub(super) pixel_size: f64,
    pub(super) mosaic: Mosaic,
    /// Depth of the converter, 8 to 16.
    pub(super) bits: u8,
    /// Whether the converter's bits are the upper ones of the 16 in which they are delivered, the lower ones 0.
    pub(super) left_aligned: bool,
    /// Charge that a pixel holds, e⁻.
    pub(super) full_well: f32,
    /// Charge per ADU of the converter at gain 0, e⁻.
    pub(super) electrons_per_adu: f64,
    /// In units of 0.1 dB.
    pub(super) gain: Dial,
    /// Level of no charge in ADU of the converter.
    pub(super) offset: Dial,
    /// Read noise by gain setting, e⁻ rms; straight lines between. A step is two points that are one unit apart.
    pub(super) read_noise: Cow<'static, [(i32, f64)]>,
    pub(super) dark: Dark,
    /// Pixels in a million that are hot.
    pub(super) hot_pixels: f64,
    pub(super) pattern: BiasPattern,
    pub(super) binning: Adding,
    /// There is a mechanical shutter; all others begin and end their exposures in the pixels, row after row.
    pub(super) shutter: bool,
    /// How far below the air the cooler gets at full power, K; absent without a cooler.
    pub(super) cooler: Option<f64>,
}

/// Something to set, and where it stands at first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Dial {
    pub(super) range: Range<i32>,
    pub(super) first: i32,
}

/// Dark current: doubles with every so many K.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dark {
    /// e⁻/s per pixel.
    pub(super) rate: f64,
    /// The temperature at which that holds.
    pub(super) at: Celsius,
    /// K.
    pub(super) doubling: f64,
}

/// The fixed pattern of a bias frame, e⁻ rms. It shows in the mean of a few frames, not in one.
#[derive(Clone, Copy, Debug)]
pub(super) struct BiasPattern {
    /// From the amplifiers, one for each column, of a CMOS sensor.
    pub(super) columns: f32,
    /// From row to row.
    pub(super) rows: f32,
}

/// How the pixels that make a binned one are added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Adding {
    /// On the chip, before they are read: the signal is the sum, and there is one read noise.
    Charge,
    /// After they were converted, by the camera's software: the value is the mean, and each has its read noise.
    Mean,
}

impl Dial {
    pub(super) const fn new(min: i32, max: i32, first: i32) -> Self {
        Dial { range: Range { min, max, step: 1 }, first }
    }

    /// One that nobody can turn.
    pub(super) const fn fixed(at: i32) -> Self {
        Dial::new(at, at, at)
    }

    /// Where it can be set to, if anywhere else than it stands.
    pub(super) fn settable(self) -> Option<Range<i32>> {
        (self.range.min < self.range.max).then_some(self.range)
    }
}

impl Model {
    /// Charge per ADU of the converter at a gain setting, e⁻: every 200 steps of 0.1 dB are a factor of ten.
    pub(super) fn electrons_per_adu(&self, gain: i32) -> f64 {
        self.electrons_per_adu * libm::exp10(-f64::from(gain) / 200.0)
    }

    /// Read noise at a gain setting, e⁻ rms.
    pub(super) fn read_noise(&self, gain: i32) -> f64 {
        let after = self.read_noise.partition_point(|(at, _)| *at <= gain);
        match (after.checked_sub(1).map(|before| self.read_noise[before]), self.read_noise.get(after)) {
            (Some((from, low)), Some((to, high))) => {
                low + (high - low) * f64::from(gain - from) / f64::from(to - from)
            }
            (Some((_, noise)), None) => noise,
            (None, first) => first.map_or(0.0, |(_, noise)| *noise),
        }
    }

    /// Dark current of an ordinary pixel, e⁻/s.
    pub(super) fn dark_current(&self, temperature: Celsius) -> f64 {
        self.dark.rate * libm::exp2((temperature - self.dark.at) / self.dark.doubling)
    }

    /// Area of all pixels, cm².
    pub(super) fn area(&self) -> f64 {
        let side = |pixels| f64::from(pixels) * self.pixel_size * 1e-4;
        side(self.width) * side(self.height)
    }
}

#[cfg(test)]
mod tests {
    use super::super::presets;
    use super::*;

    #[test]
    fn read_noise_steps_where_the_conversion_gain_does_and_is_straight_between() {
        let model = Model {
            read_noise: Cow::Borrowed(&[(0, 3.0), (99, 2.0), (100, 1.5), (300, 1.0)]),
            ..presets::imx571(Mosaic::Mono)
        };
        for (gain, noise) in
            [(-5, 3.0), (0, 3.0), (33, 2.667), (99, 2.0), (100, 1.5), (200, 1.25), (450, 1.0)]
        {
            assert!((model.read_noise(gain) - noise).abs() < 1e-3, "{} at {gain}", model.read_noise(gain));
        }
    }

    #[test]
    fn twenty_decibels_are_a_factor_of_ten_and_a_doubling_step_one_of_two() {
        let model = presets::imx455(Mosaic::Mono);
        let ratio = model.electrons_per_adu(0) / model.electrons_per_adu(200);
        assert!((ratio - 10.0).abs() < 1e-9);
        let ratio = model.dark_current(6.0) / model.dark_current(0.0);
        assert!((ratio - 2.0).abs() < 1e-9);
        assert!((model.area() - 8.64).abs() < 0.05, "{} cm²", model.area());
    }
}
