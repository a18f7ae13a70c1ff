//! What a user may choose before connecting: which sensor to simulate, and what it sees.
//!
//! Names, limits and defaults are those of `xml-skeletons/simulator.xml`; a contract test compares the two.

use super::sensor::{Mosaic, Sensor};
use crate::camera::error::{CameraError, ErrorKind, Result};
use crate::camera::types::Value;

/// The sensor to simulate and the scene before it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Settings {
    /// One per entry of [`NUMBERS`].
    numbers: [f64; NUMBERS.len()],
    mosaic: Mosaic,
    pub(super) scene: Scene,
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
}

/// One element of a vector of numbers.
pub(super) struct Number {
    pub(super) name: &'static str,
    pub(super) min: f64,
    pub(super) max: f64,
    /// Distance of possible values from `min` on; 0 allows any.
    pub(super) step: f64,
    pub(super) default: f64,
}

const NUMBERS: [Number; 5] = [
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
            _ => None,
        }
    }

    /// A connected camera's sensor cannot change under its user's hands; what it looks at can.
    pub(super) fn is_fixed_while_connected(self) -> bool {
        match self {
            Setting::Sensor | Setting::Mosaic => true,
            Setting::Scene => false,
        }
    }
}

impl Settings {
    pub(super) fn new() -> Self {
        Settings { numbers: NUMBERS.map(|number| number.default), mosaic: Mosaic::Mono, scene: Scene::Sky }
    }

    pub(super) fn get(&self, setting: Setting) -> Value {
        match setting {
            Setting::Sensor => Value::Record(
                NUMBERS
                    .iter()
                    .zip(self.numbers)
                    .map(|(number, value)| (number.name.to_owned(), Value::Number(value)))
                    .collect(),
            ),
            Setting::Mosaic => chosen(&MOSAICS, self.mosaic),
            Setting::Scene => chosen(&SCENES, self.scene),
        }
    }

    /// Takes the whole value or nothing of it.
    pub(super) fn set(&mut self, setting: Setting, value: &Value) -> Result<()> {
        match setting {
            Setting::Sensor => {
                let Value::Record(elements) = value else {
                    return Err(invalid("SIMULATOR_SENSOR takes a record of numbers".to_owned()));
                };
                self.numbers = Number::merge("SIMULATOR_SENSOR", &NUMBERS, self.numbers, elements)?;
            }
            Setting::Mosaic => self.mosaic = choose("SIMULATOR_CFA", &MOSAICS, value)?,
            Setting::Scene => self.scene = choose("SIMULATOR_SCENE", &SCENES, value)?,
        }
        Ok(())
    }

    /// Columns and rows.
    pub(super) fn size(&self) -> (u32, u32) {
        let [width, height, ..] = self.numbers;
        (whole(width), whole(height))
    }

    /// Size of a pixel, µm.
    pub(super) fn pixel_size(&self) -> f64 {
        let [_, _, pixel_size, ..] = self.numbers;
        pixel_size
    }

    /// The sensor that these settings describe.
    pub(super) fn sensor(&self) -> Sensor {
        let (width, height) = self.size();
        let [_, _, _, bits, seed] = self.numbers;
        #[allow(clippy::cast_possible_truncation, reason = "8 to 16")]
        let bits = whole(bits) as u8;
        Sensor::new(width, height, bits, self.mosaic, u64::from(whole(seed)))
    }
}

impl Number {
    /// The values of a vector after a write to some of its elements.
    pub(super) fn merge<const N: usize>(
        vector: &str,
        table: &[Number; N],
        mut values: [f64; N],
        written: &[(String, Value)],
    ) -> Result<[f64; N]> {
        for (name, value) in written {
            let Some(place) = table.iter().position(|number| number.name == name) else {
                return Err(invalid(format!("{vector} has no element {name}")));
            };
            values[place] = table[place].check(value)?;
        }
        Ok(values)
    }

    fn check(&self, value: &Value) -> Result<f64> {
        let Number { name, min, max, step, .. } = *self;
        let Value::Number(value) = *value else {
            return Err(invalid(format!("{name} takes a number")));
        };
        if !value.is_finite() {
            return Err(invalid(format!("{name} takes a finite number, not {value}")));
        }
        if !(min..=max).contains(&value) {
            let detail = format!("{name} takes {min} to {max}, not {value}");
            return Err(CameraError::new(ErrorKind::OutOfRange, CALL, detail));
        }
        if step > 0.0 && (value - min) % step != 0.0 {
            return Err(invalid(format!("{name} takes {min} to {max} in steps of {step}, not {value}")));
        }
        Ok(value)
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

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked against NUMBERS")]
fn whole(number: f64) -> u32 {
    number as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(elements: &[(&str, f64)]) -> Value {
        Value::Record(elements.iter().map(|(name, n)| ((*name).to_owned(), Value::Number(*n))).collect())
    }

    #[track_caller]
    fn refused(value: &Value, kind: ErrorKind, words: &str) {
        let mut settings = Settings::new();
        let error = settings.set(Setting::Sensor, value).unwrap_err();
        assert_eq!((error.kind, error.detail.as_str()), (kind, words));
        assert_eq!(settings, Settings::new());
    }

    #[test]
    fn a_partial_record_merges() {
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

    #[test]
    fn a_bad_element_refuses_the_whole_record_and_says_why() {
        let with = |name, value| record(&[("HEIGHT", 200.0), (name, value)]);
        refused(&with("WIDTH", 16385.0), ErrorKind::OutOfRange, "WIDTH takes 1 to 16384, not 16385");
        refused(&with("WIDTH", f64::NAN), ErrorKind::InvalidValue, "WIDTH takes a finite number, not NaN");
        refused(
            &with("WIDTH", 10.5),
            ErrorKind::InvalidValue,
            "WIDTH takes 1 to 16384 in steps of 1, not 10.5",
        );
        refused(&with("BITS", 11.0), ErrorKind::InvalidValue, "BITS takes 8 to 16 in steps of 2, not 11");
        refused(&with("DEPTH", 12.0), ErrorKind::InvalidValue, "SIMULATOR_SENSOR has no element DEPTH");
        refused(&Value::Number(1.0), ErrorKind::InvalidValue, "SIMULATOR_SENSOR takes a record of numbers");
    }
}
