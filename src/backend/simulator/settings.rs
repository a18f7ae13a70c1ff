//! What a user may choose before connecting: which sensor to simulate, and what it sees.
//!
//! Names, limits and defaults are those of `xml-skeletons/simulator.xml`; a contract test compares the two.

use super::choice::Choice;
use super::numbers::{Number, Numbers};
use super::sensor::{Mosaic, Sensor};
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
    sensor: Numbers<5>,
    mosaic: Choice<Mosaic>,
    scene: Choice<Scene>,
}

/// What the camera looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scene {
    /// Stars.
    Sky,
    /// Noise that costs nothing.
    TestPattern,
}

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

const SCENES: [(&str, Scene); 2] = [("SCENE_SKY", Scene::Sky), ("SCENE_TEST_PATTERN", Scene::TestPattern)];

impl Settings {
    pub(super) fn new() -> Self {
        Settings {
            sensor: Numbers::new("SIMULATOR_SENSOR", &SENSOR),
            mosaic: Choice::new("SIMULATOR_CFA", &MOSAICS),
            scene: Choice::new("SIMULATOR_SCENE", &SCENES),
        }
    }

    /// The vector of that name.
    pub(super) fn named(&mut self, name: &str) -> Option<(&mut dyn Vector, Changes)> {
        Some(match name {
            "SIMULATOR_SENSOR" => (&mut self.sensor, Changes::BeforeConnecting),
            "SIMULATOR_CFA" => (&mut self.mosaic, Changes::BeforeConnecting),
            "SIMULATOR_SCENE" => (&mut self.scene, Changes::AnyTime),
            _ => return None,
        })
    }

    pub(super) fn scene(&self) -> Scene {
        self.scene.value()
    }

    /// Columns and rows.
    pub(super) fn size(&self) -> (u32, u32) {
        let [width, height, ..] = self.sensor.values();
        (whole(width), whole(height))
    }

    /// Size of a pixel, µm.
    pub(super) fn pixel_size(&self) -> f64 {
        let [_, _, pixel_size, ..] = self.sensor.values();
        pixel_size
    }

    /// The sensor that these settings describe.
    pub(super) fn sensor(&self) -> Sensor {
        let (width, height) = self.size();
        let [_, _, _, bits, seed] = self.sensor.values();
        #[allow(clippy::cast_possible_truncation, reason = "8 to 16")]
        let bits = whole(bits) as u8;
        Sensor::new(width, height, bits, self.mosaic.value(), u64::from(whole(seed)))
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

    fn record(elements: &[(&str, f64)]) -> Value {
        Value::Record(elements.iter().map(|(name, n)| ((*name).to_owned(), Value::Number(*n))).collect())
    }

    #[test]
    fn the_sensor_is_the_one_that_was_set() {
        let mut settings = Settings::new();
        settings.sensor.set(&record(&[("HEIGHT", 200.0), ("BITS", 12.0)])).unwrap();
        assert_eq!(settings.size(), (1280, 200));
        assert_eq!(settings.sensor().bits, 12);
        assert_eq!(
            settings.sensor.get(),
            record(&[
                ("WIDTH", 1280.0),
                ("HEIGHT", 200.0),
                ("PIXEL_SIZE", 5.2),
                ("BITS", 12.0),
                ("SEED", 1.0)
            ]),
        );
    }
}
