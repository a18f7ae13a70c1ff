//! What a user may choose before connecting: which sensor to simulate, and what it sees.
//!
//! Names, limits and defaults are those of `xml-skeletons/simulator.xml`; a contract test compares the two.

use super::numbers::{Number, Numbers};
use super::sensor::{Mosaic, Sensor};
use super::sky::{Light, Part, Screen};
use crate::camera::error::{CameraError, ErrorKind, Result};
use crate::camera::types::Value;

/// The sensor to simulate and the scene before it.
#[derive(Clone)]
pub(super) struct Settings {
    sensor: Numbers<5>,
    mosaic: Mosaic,
    pub(super) scene: Scene,
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

/// A setting by its vector's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setting {
    Sensor,
    Mosaic,
    Scene,
    Light(Part),
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

impl Setting {
    /// The setting of that name.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "SIMULATOR_SENSOR" => Some(Setting::Sensor),
            "SIMULATOR_CFA" => Some(Setting::Mosaic),
            "SIMULATOR_SCENE" => Some(Setting::Scene),
            _ => Part::named(name).map(Setting::Light),
        }
    }

    /// A connected camera's sensor cannot change under its user's hands; what it looks at can.
    pub(super) fn is_fixed_while_connected(self) -> bool {
        match self {
            Setting::Sensor | Setting::Mosaic => true,
            Setting::Scene | Setting::Light(_) => false,
        }
    }
}

impl Settings {
    pub(super) fn new() -> Self {
        Settings {
            sensor: Numbers::new("SIMULATOR_SENSOR", &SENSOR),
            mosaic: Mosaic::Mono,
            scene: Scene::Sky,
            light: Light::new(),
        }
    }

    pub(super) fn get(&self, setting: Setting) -> Value {
        match setting {
            Setting::Sensor => self.sensor.get(),
            Setting::Mosaic => chosen(&MOSAICS, self.mosaic),
            Setting::Scene => chosen(&SCENES, self.scene),
            Setting::Light(part) => self.light.get(part),
        }
    }

    /// Takes the whole value or nothing of it.
    pub(super) fn set(&mut self, setting: Setting, value: &Value) -> Result<()> {
        match setting {
            Setting::Sensor => self.sensor.set(value)?,
            Setting::Mosaic => self.mosaic = choose("SIMULATOR_CFA", &MOSAICS, value)?,
            Setting::Scene => self.scene = choose("SIMULATOR_SCENE", &SCENES, value)?,
            Setting::Light(part) => self.light.set(part, value)?,
        }
        Ok(())
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

    /// What the light falls on.
    pub(super) fn screen(&self) -> Screen {
        let [_, _, pixel, _, seed] = self.sensor.values();
        Screen { size: self.size(), pixel, seed: u64::from(whole(seed)) }
    }

    /// The sensor that these settings describe.
    pub(super) fn sensor(&self) -> Sensor {
        let (width, height) = self.size();
        let [_, _, _, bits, seed] = self.sensor.values();
        #[allow(clippy::cast_possible_truncation, reason = "8 to 16")]
        let bits = whole(bits) as u8;
        Sensor::new(width, height, bits, self.mosaic, u64::from(whole(seed)))
    }
}

const CALL: &str = "set_parameter";

fn invalid(detail: String) -> CameraError {
    CameraError::new(ErrorKind::InvalidValue, CALL, detail)
}

fn chosen<T: Copy + PartialEq>(choices: &[(&str, T)], choice: T) -> Value {
    let name = choices.iter().find(|(_, each)| *each == choice).map_or("", |(name, _)| name);
    Value::Text(name.to_owned())
}

fn choose<T: Copy>(vector: &str, choices: &[(&str, T)], value: &Value) -> Result<T> {
    let names = || choices.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let Value::Text(word) = value else {
        return Err(invalid(format!("{vector} takes one of {}", names())));
    };
    let choice = choices.iter().find(|(name, _)| name == word).map(|(_, choice)| *choice);
    choice.ok_or_else(|| invalid(format!("{vector} takes one of {}, not {word}", names())))
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
        settings.set(Setting::Sensor, &record(&[("HEIGHT", 200.0), ("BITS", 12.0)])).unwrap();
        assert_eq!(settings.size(), (1280, 200));
        assert_eq!(settings.sensor().bits, 12);
        assert_eq!(
            settings.get(Setting::Sensor),
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
