//! The fault that a client asks for by property: three vectors at the end of `xml-skeletons/simulator.xml`.
//!
//! SIMULATOR_FAULT is the kind, and asks for the fault when it is written; SIMULATOR_FAULT_WHEN and
//! SIMULATOR_FAULT_CALL are the other fields of a script, and count from the moment of the last write to any of the
//! three. NONE clears every fault, whoever asked for it.

use super::super::settings::Number;
use super::script::{self, Fault, Kind};
use crate::camera::call::Params;
use crate::camera::error::{CameraError, ErrorKind, Result};
use crate::camera::types::Value;

const KIND: &str = "SIMULATOR_FAULT";
const WHEN: &str = "SIMULATOR_FAULT_WHEN";
const CALL: &str = "SIMULATOR_FAULT_CALL";
/// The element that asks for no fault.
const NONE: &str = "NONE";

const NUMBERS: [Number; 5] = [
    Number { name: "AT", min: 1.0, max: 1e6, step: 1.0, default: 1.0 },
    Number { name: "TIMES", min: 0.0, max: 1e6, step: 1.0, default: 1.0 },
    Number { name: "PROBABILITY", min: 0.0, max: 1.0, step: 0.0, default: 1.0 },
    Number { name: "SEED", min: 0.0, max: 4_294_967_295.0, step: 1.0, default: 1.0 },
    Number { name: "SECONDS", min: 0.0, max: 3600.0, step: 0.0, default: 15.0 },
];

/// The three vectors.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Settings {
    kind: Option<Kind>,
    /// One per entry of [`NUMBERS`].
    numbers: [f64; NUMBERS.len()],
    call: String,
}

impl Settings {
    pub(super) fn new() -> Self {
        Settings { kind: None, numbers: NUMBERS.map(|number| number.default), call: String::new() }
    }

    /// Whether it is one of the three.
    pub(super) fn has(name: &str) -> bool {
        [KIND, WHEN, CALL].contains(&name)
    }

    /// Whether it is the one that says whether there is a fault at all.
    pub(super) fn is_kind(name: &str) -> bool {
        name == KIND
    }

    pub(super) fn get(&self, name: &str) -> Value {
        match name {
            WHEN => {
                let fields = NUMBERS.iter().zip(self.numbers);
                Value::Record(
                    fields.map(|(number, value)| (number.name.to_owned(), Value::Number(value))).collect(),
                )
            }
            CALL => Value::Record(vec![("CALL".to_owned(), Value::Text(self.call.clone()))]),
            _ => Value::Text(self.kind.map_or(NONE.to_owned(), |kind| kind.name().to_uppercase())),
        }
    }

    /// Takes the whole value or nothing of it.
    pub(super) fn set(&mut self, name: &str, value: &Value) -> Result<()> {
        match (name, value) {
            (WHEN, Value::Record(fields)) => {
                self.numbers = Number::merge(WHEN, &NUMBERS, self.numbers, fields)?
            }
            (CALL, Value::Record(fields)) => {
                for (name, value) in fields {
                    let Value::Text(call) = value else {
                        return Err(invalid(format!("{name} takes a text")));
                    };
                    if name != "CALL" {
                        return Err(invalid(format!("{CALL} has no element {name}")));
                    }
                    if !call.is_empty() {
                        script::check_call(call).map_err(invalid)?;
                    }
                    self.call.clone_from(call);
                }
            }
            (KIND, Value::Text(word)) if word == NONE => self.kind = None,
            (KIND, Value::Text(word)) => {
                let elements = || Kind::names().map(str::to_uppercase);
                let chosen =
                    Kind::named(&word.to_lowercase()).filter(|_| elements().any(|each| each == *word));
                self.kind = Some(chosen.ok_or_else(|| {
                    let known = elements().collect::<Vec<_>>().join(", ");
                    invalid(format!("{KIND} takes one of {NONE}, {known}, not {word}"))
                })?);
            }
            _ => return Err(invalid(format!("{name} takes another kind of value"))),
        }
        Ok(())
    }

    /// The fault that they ask for.
    pub(super) fn fault(&self) -> Result<Option<Fault>> {
        let Some(kind) = self.kind else { return Ok(None) };
        let mut fields: Params = NUMBERS
            .iter()
            .zip(self.numbers)
            .map(|(number, value)| (number.name.to_lowercase(), Value::Number(value)))
            .collect();
        fields.push(("kind".to_owned(), Value::Text(kind.name().to_owned())));
        // Left over from another kind, it says nothing about this one.
        if kind.is_anywhere() && !self.call.is_empty() {
            fields.push(("call".to_owned(), Value::Text(self.call.clone())));
        }
        Fault::of(&fields).map(Some).map_err(invalid)
    }
}

fn invalid(detail: String) -> CameraError {
    CameraError::new(ErrorKind::InvalidValue, "set_parameter", detail)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn text(word: &str) -> Value {
        Value::Text(word.to_owned())
    }

    #[test]
    fn the_three_vectors_make_one_fault() {
        let mut settings = Settings::new();
        assert_eq!(settings.fault().unwrap(), None);
        settings.set(KIND, &text("CALL_BLOCKS")).unwrap();
        settings.set(CALL, &Value::Record(vec![("CALL".to_owned(), text("set_gain"))])).unwrap();
        settings.set(WHEN, &Value::Record(vec![("AT".to_owned(), Value::Number(4.0))])).unwrap();
        let fault = settings.fault().unwrap().unwrap();
        assert_eq!((fault.kind, fault.call.as_str(), fault.at), (Kind::CallBlocks, "set_gain", 4));
        assert_eq!(fault.lasts, Some(Duration::from_secs(15)));
        // The name of a call does not stand in the way of what happens elsewhere.
        settings.set(KIND, &text("NEVER_ENDS")).unwrap();
        assert_eq!(settings.fault().unwrap().unwrap().call, "start_exposure");
    }

    #[test]
    fn what_is_wrong_is_refused_with_the_elements_name() {
        let mut settings = Settings::new();
        let mut refused = |name: &str, value: Value, words: &str| {
            let error = settings.set(name, &value).unwrap_err();
            assert!(error.kind == ErrorKind::InvalidValue && error.detail.contains(words), "{error}");
        };
        refused(KIND, text("never_ends"), "not never_ends");
        refused(CALL, Value::Record(vec![("CALL".to_owned(), text("Set Gain"))]), "\"Set Gain\"");
        refused(CALL, Value::Record(vec![("CALL".to_owned(), Value::Number(1.0))]), "CALL takes a text");
        refused(CALL, Value::Record(vec![("NAME".to_owned(), text("set_gain"))]), "no element NAME");
        refused(WHEN, Value::Record(vec![("AT".to_owned(), Value::Number(1.5))]), "AT takes");
        refused(WHEN, text("AT"), "another kind");
        assert_eq!(settings, Settings::new());
    }
}
