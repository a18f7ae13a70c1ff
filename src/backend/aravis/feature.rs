//! The features of a camera by their names, of which each has several: old standards, new ones, and makers who knew
//! better. The tables below are all that is known of that.

use aravis::glib::prelude::*;
use aravis::glib::{Error, GString};
use aravis::prelude::*;
use aravis::{Device, GcAccessMode, GcFloat, GcInteger};

use crate::camera::types::Range;

/// One of the names that cameras have for something.
#[derive(Clone, Copy, Debug)]
pub(super) struct Variant {
    name: &'static str,
    /// A feature that says how much one step of it is, in our unit.
    step: Option<&'static str>,
}

const fn named(name: &'static str) -> Variant {
    Variant { name, step: None }
}

const fn steps(name: &'static str, step: &'static str) -> Variant {
    Variant { name, step: Some(step) }
}

/// µs. Of several names the first one that a camera has counts, here and below.
pub(super) const EXPOSURE: &[Variant] = &[
    named("ExposureTime"),
    named("ExposureTimeAbs"),
    steps("ExposureTimeRaw", "ExposureTimeBaseAbs"),
    named("ExposureTimeRaw"),
];
/// dB where a number with a fraction is meant, else steps of the camera's own.
pub(super) const GAIN: &[Variant] = &[named("Gain"), named("GainRaw"), named("GainAbs")];
/// Of what is not even dark.
pub(super) const BLACK_LEVEL: &[Variant] =
    &[named("BlackLevel"), named("BlackLevelRaw"), named("BlackLevelAbs")];
/// Images a second.
pub(super) const FRAME_RATE: &[Variant] = &[named("AcquisitionFrameRate"), named("AcquisitionFrameRateAbs")];
/// °C.
pub(super) const TEMPERATURE: &[Variant] =
    &[named("DeviceTemperature"), named("SensorTemperature"), named("TemperatureAbs"), named("Temperature")];
/// µm.
pub(super) const PIXEL_WIDTH: &[Variant] = &[named("SensorPixelWidth"), named("SensorPixelPitchX")];
pub(super) const PIXEL_HEIGHT: &[Variant] = &[named("SensorPixelHeight"), named("SensorPixelPitchY")];

/// Without these a frame rate counts by itself.
pub(super) const FRAME_RATE_SWITCHES: &[&str] =
    &["AcquisitionFrameRateEnable", "AcquisitionFrameRateEnabled"];
/// What the camera would change by itself; a picture is what was asked for.
pub(super) const AUTOMATICS: &[&str] = &["ExposureAuto", "GainAuto", "BlackLevelAuto", "BalanceWhiteAuto"];
/// Bits of the converter, in words like `Bit12` and `Bpp12`.
pub(super) const CONVERTERS: &[&str] =
    &["AdcBitDepth", "ADCBitDepth", "SensorBitDepth", "BslSensorBitDepth", "SensorDigitizationBits"];

/// What kind of number a feature is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Whole,
    Real,
}

/// Where features can be found.
pub(super) trait Features {
    /// `None` if there is no such number now.
    fn kind(&self, name: &str) -> Option<Kind>;
    fn number(&self, name: &str) -> Result<f64, Error>;
    fn set_number(&self, name: &str, value: f64) -> Result<(), Error>;
    fn bounds(&self, name: &str) -> Result<(f64, f64), Error>;
    /// Between two values of a whole number.
    fn increment(&self, name: &str) -> f64;
}

/// A number that can be read, or set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Knob {
    pub(super) name: &'static str,
    kind: Kind,
    /// One of the camera's in our unit.
    unit: f64,
}

/// Numbers with fractions are tenths for those who count in whole ones.
const TENTHS: f64 = 10.0;

impl Knob {
    /// The first of the names that a camera has.
    pub(super) fn find(features: &impl Features, variants: &[Variant]) -> Option<Knob> {
        variants.iter().find_map(|Variant { name, step }| {
            let kind = features.kind(name)?;
            let unit = match step {
                None => 1.0,
                Some(step) => {
                    features.kind(step)?;
                    features.number(step).ok().filter(|unit| unit.is_finite() && *unit > 0.0)?
                }
            };
            Some(Knob { name, kind, unit })
        })
    }

    pub(super) fn get(self, features: &impl Features) -> Result<f64, Error> {
        Ok(features.number(self.name)? * self.unit)
    }

    /// Sets it as near as the camera can, and says what it is then.
    pub(super) fn set(self, features: &impl Features, value: f64) -> Result<f64, Error> {
        let mut value = value / self.unit;
        if self.kind == Kind::Whole {
            let (least, _) = features.bounds(self.name)?;
            let increment = features.increment(self.name).max(1.0);
            value = least + ((value - least) / increment).round() * increment;
        }
        features.set_number(self.name, value)?;
        self.get(features)
    }

    pub(super) fn range(self, features: &impl Features) -> Result<Range<f64>, Error> {
        let (min, max) = features.bounds(self.name)?;
        let step = if self.kind == Kind::Whole { features.increment(self.name).max(1.0) } else { 0.0 };
        // The last one that is a whole number of steps from the first.
        let max = if step > 1.0 { min + ((max - min) / step).floor() * step } else { max };
        Ok(Range { min: min * self.unit, max: max * self.unit, step: step * self.unit })
    }

    fn per_count(self) -> f64 {
        if self.kind == Kind::Whole { 1.0 } else { TENTHS }
    }

    /// The range in whole numbers: the camera's own, or tenths.
    pub(super) fn counts(self, features: &impl Features) -> Result<Range<i32>, Error> {
        let Range { min, max, step } = self.range(features)?;
        let scale = self.per_count();
        // A limit is often one of the camera's own steps away from a number that people would write.
        let nearly = 1e-6;
        Ok(Range {
            min: whole((min * scale - nearly).ceil()),
            max: whole((max * scale + nearly).floor()),
            step: whole(step * scale).max(1),
        })
    }

    pub(super) fn count(self, features: &impl Features) -> Result<i32, Error> {
        Ok(whole((self.get(features)? * self.per_count()).round()))
    }

    pub(super) fn set_count(self, features: &impl Features, count: i32) -> Result<i32, Error> {
        let set = self.set(features, f64::from(count) / self.per_count())?;
        Ok(whole((set * self.per_count()).round()))
    }
}

fn whole(number: f64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "saturates")]
    {
        number as i32
    }
}

impl Features for Device {
    fn kind(&self, name: &str) -> Option<Kind> {
        let node = self.feature(name)?;
        if !self.is_feature_available(name).unwrap_or(false) {
            return None;
        }
        if node.is::<GcInteger>() {
            return Some(Kind::Whole);
        }
        node.is::<GcFloat>().then_some(Kind::Real)
    }

    fn number(&self, name: &str) -> Result<f64, Error> {
        match self.kind(name) {
            Some(Kind::Whole) => Ok(self.integer_feature_value(name)? as f64),
            _ => self.float_feature_value(name),
        }
    }

    fn set_number(&self, name: &str, value: f64) -> Result<(), Error> {
        match self.kind(name) {
            #[expect(clippy::cast_possible_truncation, reason = "within the bounds of the feature")]
            Some(Kind::Whole) => self.set_integer_feature_value(name, value.round() as i64),
            _ => self.set_float_feature_value(name, value),
        }
    }

    fn bounds(&self, name: &str) -> Result<(f64, f64), Error> {
        match self.kind(name) {
            Some(Kind::Whole) => self.integer_feature_bounds(name).map(|(min, max)| (min as f64, max as f64)),
            _ => self.float_feature_bounds(name),
        }
    }

    fn increment(&self, name: &str) -> f64 {
        self.integer_feature_increment(name).map_or(1.0, |step| step as f64)
    }
}

/// Whether a feature is there and can be changed.
pub(super) fn can_set(device: &Device, name: &str) -> bool {
    device.is_feature_available(name).unwrap_or(false) && device.feature_access_mode(name) != GcAccessMode::Ro
}

/// Whether a choice has that entry now.
pub(super) fn has_entry(device: &Device, feature: &str, entry: &str) -> bool {
    device.is_feature_available(feature).unwrap_or(false)
        && entries(device, feature).is_ok_and(|entries| entries.iter().any(|other| other == entry))
}

/// The entries that a choice has now.
pub(super) fn entries(device: &Device, feature: &str) -> Result<Vec<GString>, Error> {
    device.dup_available_enumeration_feature_values_as_strings(feature)
}

/// The first number in a word: 12 of `Bpp12`.
pub(super) fn digits(word: &str) -> Option<u8> {
    let start = word.find(|c: char| c.is_ascii_digit())?;
    let rest = &word[start..];
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().ok().filter(|bits| (1..=32).contains(bits))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    use aravis::DeviceError;

    use super::*;

    /// Kind, value, bounds and increment.
    type Fake = (Kind, f64, (f64, f64), f64);

    struct Camera(RefCell<BTreeMap<&'static str, Fake>>);

    impl Camera {
        fn with(features: &[(&'static str, Fake)]) -> Camera {
            Camera(RefCell::new(features.iter().copied().collect()))
        }

        fn of(&self, name: &str) -> Result<Fake, Error> {
            let found = self.0.borrow().get(name).copied();
            found.ok_or_else(|| Error::new(DeviceError::FeatureNotFound, name))
        }
    }

    impl Features for Camera {
        fn kind(&self, name: &str) -> Option<Kind> {
            self.of(name).ok().map(|fake| fake.0)
        }
        fn number(&self, name: &str) -> Result<f64, Error> {
            self.of(name).map(|fake| fake.1)
        }
        fn set_number(&self, name: &str, value: f64) -> Result<(), Error> {
            let (kind, _, (min, max), step) = self.of(name)?;
            let in_step = kind == Kind::Real || ((value - min) / step).fract() == 0.0;
            if !(min..=max).contains(&value) || !in_step {
                return Err(Error::new(DeviceError::InvalidParameter, name));
            }
            let name = *self.0.borrow().get_key_value(name).unwrap().0;
            self.0.borrow_mut().insert(name, (kind, value, (min, max), step));
            Ok(())
        }
        fn bounds(&self, name: &str) -> Result<(f64, f64), Error> {
            self.of(name).map(|fake| fake.2)
        }
        fn increment(&self, name: &str) -> f64 {
            self.of(name).unwrap().3
        }
    }

    fn real(min: f64, max: f64) -> Fake {
        (Kind::Real, min, (min, max), 0.0)
    }

    fn whole(min: f64, max: f64, step: f64) -> Fake {
        (Kind::Whole, min, (min, max), step)
    }

    #[track_caller]
    fn is_near(came: Result<f64, Error>, expected: f64) {
        let came = came.unwrap();
        assert!((came - expected).abs() < 1e-9, "{came} instead of {expected}");
    }

    #[test]
    fn each_name_that_a_camera_may_have_is_found_and_the_newest_counts() {
        for variants in [EXPOSURE, GAIN, BLACK_LEVEL, FRAME_RATE, TEMPERATURE, PIXEL_WIDTH, PIXEL_HEIGHT] {
            for variant in variants.iter().filter(|variant| variant.step.is_none()) {
                let camera = Camera::with(&[(variant.name, real(0.0, 1.0)), ("Other", real(0.0, 1.0))]);
                assert_eq!(Knob::find(&camera, variants).unwrap().name, variant.name);
            }
            assert_eq!(Knob::find(&Camera::with(&[("Other", real(0.0, 1.0))]), variants), None);
        }
        let both = Camera::with(&[("ExposureTimeAbs", real(0.0, 1.0)), ("ExposureTime", real(0.0, 1.0))]);
        assert_eq!(Knob::find(&both, EXPOSURE).unwrap().name, "ExposureTime");
    }

    #[test]
    fn an_exposure_in_steps_is_counted_in_microseconds() {
        let camera = Camera::with(&[
            ("ExposureTimeRaw", whole(2.0, 4095.0, 1.0)),
            ("ExposureTimeBaseAbs", real(20.0, 20.0)),
        ]);
        let knob = Knob::find(&camera, EXPOSURE).unwrap();
        assert_eq!(knob.range(&camera).unwrap(), Range { min: 40.0, max: 81_900.0, step: 20.0 });
        is_near(knob.set(&camera, 109.0), 100.0);
        is_near(camera.number("ExposureTimeRaw"), 5.0);
    }

    #[test]
    fn a_gain_in_steps_is_the_cameras_own_and_one_in_decibels_is_tenths() {
        let camera = Camera::with(&[("GainRaw", whole(10.0, 100.0, 4.0))]);
        let knob = Knob::find(&camera, GAIN).unwrap();
        assert_eq!(knob.counts(&camera).unwrap(), Range { min: 10, max: 98, step: 4 });
        assert_eq!((knob.set_count(&camera, 98).unwrap(), knob.count(&camera).unwrap()), (98, 98));
        assert_eq!(knob.set_count(&camera, 12).unwrap(), 14);
        let camera = Camera::with(&[("Gain", real(0.0, 47.994))]);
        let knob = Knob::find(&camera, GAIN).unwrap();
        assert_eq!(knob.counts(&camera).unwrap(), Range { min: 0, max: 479, step: 1 });
        assert_eq!(knob.set_count(&camera, 123).unwrap(), 123);
        is_near(camera.number("Gain"), 12.3);
    }

    #[test]
    fn the_bits_of_a_converter_are_the_number_in_its_name() {
        for (word, bits) in
            [("Bit12", Some(12)), ("Bpp8", Some(8)), ("12 bit", Some(12)), ("Auto", None), ("Bit999", None)]
        {
            assert_eq!(digits(word), bits, "{word}");
        }
    }
}
