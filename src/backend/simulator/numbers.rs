//! A vector of numbers that a user may set, each within its limits; taken whole or not at all.
//!
//! Read [`Numbers`] first.

use super::settings::{CALL, Vector, invalid};
use crate::camera::error::{CameraError, ErrorKind, Result};
use crate::camera::types::Value;

/// One of the numbers.
pub(super) struct Number {
    pub(super) name: &'static str,
    pub(super) min: f64,
    pub(super) max: f64,
    /// Distance of possible values from `min` on; 0 allows any.
    pub(super) step: f64,
    pub(super) default: f64,
}

/// The numbers of one vector.
#[derive(Clone)]
pub(super) struct Numbers<const N: usize> {
    vector: &'static str,
    table: &'static [Number; N],
    values: [f64; N],
}

impl<const N: usize> Numbers<N> {
    /// The defaults.
    pub(super) fn new(vector: &'static str, table: &'static [Number; N]) -> Self {
        Numbers { vector, table, values: std::array::from_fn(|i| table[i].default) }
    }

    /// The values in the order of the table.
    pub(super) fn values(&self) -> [f64; N] {
        self.values
    }
}

impl<const N: usize> Vector for Numbers<N> {
    fn get(&self) -> Value {
        let pairs = self.table.iter().zip(self.values);
        Value::Record(pairs.map(|(number, value)| (number.name.to_owned(), Value::Number(value))).collect())
    }

    fn set(&mut self, value: &Value) -> Result<()> {
        let vector = self.vector;
        let Value::Record(elements) = value else {
            return Err(invalid(format!("{vector} takes a record of numbers")));
        };
        let mut values = self.values;
        for (name, value) in elements {
            let Some(place) = self.table.iter().position(|number| number.name == name) else {
                return Err(invalid(format!("{vector} has no element {name}")));
            };
            values[place] = self.table[place].check(value)?;
        }
        self.values = values;
        Ok(())
    }
}

impl Number {
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

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: [Number; 3] = [
        Number { name: "WIDTH", min: 1.0, max: 16384.0, step: 1.0, default: 1280.0 },
        Number { name: "SIZE", min: 0.5, max: 100.0, step: 0.0, default: 5.2 },
        Number { name: "BITS", min: 8.0, max: 16.0, step: 2.0, default: 16.0 },
    ];

    fn numbers() -> Numbers<3> {
        Numbers::new("SIMULATOR_TEST", &TABLE)
    }

    fn record(elements: &[(&str, f64)]) -> Value {
        Value::Record(elements.iter().map(|(name, n)| ((*name).to_owned(), Value::Number(*n))).collect())
    }

    #[track_caller]
    fn refused(value: &Value, kind: ErrorKind, words: &str) {
        let mut numbers = numbers();
        let error = numbers.set(value).unwrap_err();
        assert_eq!((error.kind, error.detail.as_str()), (kind, words));
        assert_eq!(numbers.get(), record(&[("WIDTH", 1280.0), ("SIZE", 5.2), ("BITS", 16.0)]));
    }

    #[test]
    fn a_partial_record_merges() {
        let mut numbers = numbers();
        numbers.set(&record(&[("WIDTH", 200.0), ("BITS", 12.0)])).unwrap();
        assert_eq!(numbers.get(), record(&[("WIDTH", 200.0), ("SIZE", 5.2), ("BITS", 12.0)]));
    }

    #[test]
    fn a_bad_element_refuses_the_whole_record_and_says_why() {
        let with = |name, value| record(&[("SIZE", 2.0), (name, value)]);
        refused(&with("WIDTH", 16385.0), ErrorKind::OutOfRange, "WIDTH takes 1 to 16384, not 16385");
        refused(&with("WIDTH", f64::NAN), ErrorKind::InvalidValue, "WIDTH takes a finite number, not NaN");
        refused(
            &with("WIDTH", 10.5),
            ErrorKind::InvalidValue,
            "WIDTH takes 1 to 16384 in steps of 1, not 10.5",
        );
        refused(&with("BITS", 11.0), ErrorKind::InvalidValue, "BITS takes 8 to 16 in steps of 2, not 11");
        refused(&with("DEPTH", 12.0), ErrorKind::InvalidValue, "SIMULATOR_TEST has no element DEPTH");
        refused(&Value::Number(1.0), ErrorKind::InvalidValue, "SIMULATOR_TEST takes a record of numbers");
    }
}
