//! What a user may choose: which sensor to simulate, what surrounds it, and what it sees.
//!
//! Names, limits and defaults are those of `xml-skeletons/simulator.xml`; a contract test compares the two.

use std::borrow::Cow;

use super::choice::Choice;
use super::cooler::{Behaviour, Conditions};
use super::model::{Adding, BiasPattern, Dark, Dial, Model};
use super::mosaic::Mosaic;
use super::numbers::{Number, Numbers};
use super::presets;
use super::sky::{Light, Screen};
use crate::camera::error::{CameraError, ErrorKind, Result};
use crate::camera::types::Value;

/// One vector of settings.
pub(super) trait Vector {
    /// All of it.
    fn get(&self) -> Value;
    /// Takes the whole value or nothing of it. A record may leave out elements, which keep their values.
    fn set(&mut self, value: &Value) -> Result<()>;
}

/// When a vector may be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Changes {
    /// It describes the sensor, and that of a connected camera cannot change under its user's hands.
    BeforeConnecting,
    /// It counts for the exposures that begin from then on.
    AnyTime,
}

/// The sensor to simulate and the scene before it: one field for each vector.
#[derive(Clone)]
pub(super) struct Settings {
    model: Choice<Preset>,
    sensor: Numbers<5>,
    mosaic: Choice<Mosaic>,
    pixel: Numbers<6>,
    surroundings: Numbers<2>,
    cooler: Choice<Behaviour>,
    scene: Choice<Scene>,
    pub(super) light: Light,
}

/// What the camera looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scene {
    /// Stars.
    Sky,
    /// Noise that costs nothing.
    TestPattern,
}

/// A sensor that is sold; `None` is the custom one.
type Preset = Option<fn() -> Model>;

/// The first one is what [`SENSOR`], [`MOSAICS`] and [`PIXEL`] describe.
const MODELS: [(&str, Preset); 10] = [
    ("CUSTOM", None),
    ("IMX571M", Some(|| presets::imx571(Mosaic::Mono))),
    ("IMX571C", Some(|| presets::imx571(Mosaic::Rggb))),
    ("IMX455M", Some(|| presets::imx455(Mosaic::Mono))),
    ("IMX455C", Some(|| presets::imx455(Mosaic::Rggb))),
    ("IMX533M", Some(|| presets::imx533(Mosaic::Mono))),
    ("IMX533C", Some(|| presets::imx533(Mosaic::Rggb))),
    ("IMX294C", Some(presets::imx294)),
    ("IMX462C", Some(presets::imx462)),
    ("KAF8300M", Some(presets::kaf8300)),
];

const SENSOR: [Number; 5] = [
    Number { name: "WIDTH", min: 1.0, max: 16384.0, step: 1.0, default: 1280.0 },
    Number { name: "HEIGHT", min: 1.0, max: 16384.0, step: 1.0, default: 1024.0 },
    Number { name: "PIXEL_SIZE", min: 0.5, max: 100.0, step: 0.0, default: 5.2 },
    Number { name: "BITS", min: 8.0, max: 16.0, step: 2.0, default: 16.0 },
    Number { name: "SEED", min: 0.0, max: 4_294_967_295.0, step: 1.0, default: 1.0 },
];

const MOSAICS: [(&str, Mosaic); 5] = [
    ("MONO", Mosaic::Mono),
    ("RGGB", Mosaic::Rggb),
    ("BGGR", Mosaic::Bggr),
    ("GRBG", Mosaic::Grbg),
    ("GBRG", Mosaic::Gbrg),
];

const PIXEL: [Number; 6] = [
    Number { name: "FULL_WELL", min: 1000.0, max: 1e6, step: 0.0, default: 50_000.0 },
    Number { name: "READ_NOISE", min: 0.0, max: 100.0, step: 0.0, default: 2.0 },
    Number { name: "DARK_CURRENT", min: 0.0, max: 1000.0, step: 0.0, default: 0.5 },
    Number { name: "DARK_DOUBLING", min: 2.0, max: 20.0, step: 0.0, default: 6.0 },
    Number { name: "HOT_PIXELS", min: 0.0, max: 100_000.0, step: 0.0, default: 100.0 },
    Number { name: "BIAS_PATTERN", min: 0.0, max: 100.0, step: 0.0, default: 0.4 },
];

const SURROUNDINGS: [Number; 2] = [
    Number { name: "AMBIENT", min: -40.0, max: 50.0, step: 0.0, default: 20.0 },
    Number { name: "COSMIC_RAYS", min: 0.0, max: 600.0, step: 0.0, default: 1.0 },
];

const COOLERS: [(&str, Behaviour); 5] = [
    ("COOLER_STEADY", Behaviour::Steady),
    ("COOLER_OVERSHOOTING", Behaviour::Overshooting),
    ("COOLER_RINGING", Behaviour::Ringing),
    ("COOLER_WEAK", Behaviour::Weak),
    ("COOLER_BLIND", Behaviour::Blind),
];

const SCENES: [(&str, Scene); 2] = [("SCENE_SKY", Scene::Sky), ("SCENE_TEST_PATTERN", Scene::TestPattern)];

/// Temperature at which the dark current of a custom sensor is given, °C.
const DARK_REFERENCE: f64 = 20.0;
/// Charge that spans the converter of a custom sensor at gain 0, times its full well; a little more, as in most
/// cameras.
const CONVERTER_SPAN: f64 = 1.04;

impl Settings {
    pub(super) fn new() -> Self {
        Settings {
            model: Choice::new("SIMULATOR_MODEL", &MODELS),
            sensor: Numbers::new("SIMULATOR_SENSOR", &SENSOR),
            mosaic: Choice::new("SIMULATOR_CFA", &MOSAICS),
            pixel: Numbers::new("SIMULATOR_PIXEL", &PIXEL),
            surroundings: Numbers::new("SIMULATOR_SURROUNDINGS", &SURROUNDINGS),
            cooler: Choice::new("SIMULATOR_COOLER", &COOLERS),
            scene: Choice::new("SIMULATOR_SCENE", &SCENES),
            light: Light::new(),
        }
    }

    /// The vector of that name.
    pub(super) fn named(&mut self, name: &str) -> Option<(&mut dyn Vector, Changes)> {
        Some(match name {
            "SIMULATOR_MODEL" => (&mut self.model, Changes::BeforeConnecting),
            "SIMULATOR_SENSOR" => (&mut self.sensor, Changes::BeforeConnecting),
            "SIMULATOR_CFA" => (&mut self.mosaic, Changes::BeforeConnecting),
            "SIMULATOR_PIXEL" => (&mut self.pixel, Changes::BeforeConnecting),
            "SIMULATOR_SURROUNDINGS" => (&mut self.surroundings, Changes::AnyTime),
            "SIMULATOR_COOLER" => (&mut self.cooler, Changes::AnyTime),
            "SIMULATOR_SCENE" => (&mut self.scene, Changes::AnyTime),
            _ => (self.light.named(name)?, Changes::AnyTime),
        })
    }

    /// The type of sensor that these settings describe.
    pub(super) fn model(&self) -> Model {
        self.model.value().map_or_else(|| self.custom(), |preset| preset())
    }

    fn custom(&self) -> Model {
        let [width, height, pixel_size, bits, _] = self.sensor.values();
        let [full_well, read_noise, dark_current, doubling, hot_pixels, pattern] = self.pixel.values();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "8 to 16")]
        let bits = bits as u8;
        Model {
            width: whole(width),
            height: whole(height),
            pixel_size,
            mosaic: self.mosaic.value(),
            bits,
            left_aligned: false,
            #[allow(clippy::cast_possible_truncation, reason = "some digits are enough")]
            full_well: full_well as f32,
            electrons_per_adu: CONVERTER_SPAN * full_well / f64::from(1 << bits),
            // A quarter of an electron per ADU at 16 bit, so that the read noise is well sampled.
            gain: Dial::new(0, 300, 100),
            // More than ten times the read noise at the first gain and 16 bit, so that nothing is cut off.
            offset: Dial::new(0, 1000, 100),
            read_noise: Cow::Owned(vec![(0, read_noise)]),
            dark: Dark { rate: dark_current, at: DARK_REFERENCE, doubling },
            hot_pixels,
            #[allow(clippy::cast_possible_truncation, reason = "some digits are enough")]
            pattern: BiasPattern { columns: pattern as f32, rows: 0.0 },
            binning: Adding::Charge,
            shutter: true,
            cooler: Some(40.0),
        }
    }

    /// What decides the irregularities of the sensor, and all noise.
    pub(super) fn seed(&self) -> u64 {
        let [.., seed] = self.sensor.values();
        u64::from(whole(seed))
    }

    /// What the cooler depends on.
    pub(super) fn conditions(&self) -> Conditions {
        let [ambient, _] = self.surroundings.values();
        Conditions { ambient, largest_drop: self.model().cooler, behaviour: self.cooler.value() }
    }

    /// Cosmic rays on each cm² in a second.
    pub(super) fn cosmic_rays(&self) -> f64 {
        let [_, per_minute] = self.surroundings.values();
        per_minute / 60.0
    }

    pub(super) fn scene(&self) -> Scene {
        self.scene.value()
    }

    /// What the light falls on.
    pub(super) fn screen(&self) -> Screen {
        let model = self.model();
        Screen { size: (model.width, model.height), pixel: model.pixel_size, seed: self.seed() }
    }
}

/// The call that changes a setting.
pub(super) const CALL: &str = "set_parameter";

/// A value that no setting takes.
pub(super) fn invalid(detail: String) -> CameraError {
    CameraError::new(ErrorKind::InvalidValue, CALL, detail)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked against SENSOR")]
fn whole(number: f64) -> u32 {
    number as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_custom_sensor_is_the_one_that_was_set_and_a_preset_is_not() {
        let mut settings = Settings::new();
        let numbers = [("HEIGHT", 200.0), ("BITS", 12.0)];
        let record = numbers.map(|(name, number)| (name.to_owned(), Value::Number(number)));
        settings.sensor.set(&Value::Record(record.to_vec())).unwrap();
        let model = settings.model();
        assert_eq!((model.width, model.height, model.bits), (1280, 200, 12));
        settings.model.set(&Value::Text("IMX533C".to_owned())).unwrap();
        let model = settings.model();
        assert_eq!((model.width, model.height, model.bits, model.mosaic), (3008, 3008, 14, Mosaic::Rggb));
    }
}
