//! The fault that a client asks for by property: three vectors at the end of `xml-skeletons/simulator.xml`.
//!
//! SIMULATOR_FAULT is the kind, and asks for the fault when it is written; SIMULATOR_FAULT_WHEN and
//! SIMULATOR_FAULT_CALL are the other fields of a script, and count from the moment of the last write to any of the
//! three. NONE clears every fault, whoever asked for it.

use super::super::choice::Choice;
use super::super::numbers::{Number, Numbers};
use super::super::settings::{Vector, invalid};
use super::script::{self, Fault, Kind};
use crate::camera::call::Params;
use crate::camera::error::Result;
use crate::camera::types::Value;

const KIND: &str = "SIMULATOR_FAULT";
const WHEN: &str = "SIMULATOR_FAULT_WHEN";
const CALL: &str = "SIMULATOR_FAULT_CALL";

const NUMBERS: [Number; 5] = [
    Number { name: "AT", min: 1.0, max: 1e6, step: 1.0, default: 1.0 },
    Number { name: "TIMES", min: 0.0, max: 1e6, step: 1.0, default: 1.0 },
    Number { name: "PROBABILITY", min: 0.0, max: 1.0, step: 0.0, default: 1.0 },
    Number { name: "SEED", min: 0.0, max: 4_294_967_295.0, step: 1.0, default: 1.0 },
    Number { name: "SECONDS", min: 0.0, max: 3600.0, step: 0.0, default: 15.0 },
];

/// The kinds of a script in capitals.
const KINDS: [(&str, Option<Kind>); 13] = [
    ("NONE", None),
    ("START_REFUSED", Some(Kind::StartRefused)),
    ("NEVER_ENDS", Some(Kind::NeverEnds)),
    ("READ_OUT_STALLS", Some(Kind::ReadOutStalls)),
    ("SHORT_FRAME", Some(Kind::ShortFrame)),
    ("CORRUPT_FRAME", Some(Kind::CorruptFrame)),
    ("GARBLED_FRAME", Some(Kind::GarbledFrame)),
    ("CONSTANT_FRAME", Some(Kind::ConstantFrame)),
    ("CALL_BLOCKS", Some(Kind::CallBlocks)),
    ("CAMERA_LOST", Some(Kind::CameraLost)),
    ("TEMPERATURE_GARBAGE", Some(Kind::TemperatureGarbage)),
    ("COOLER_POWER_LOST", Some(Kind::CoolerPowerLost)),
    ("PANIC", Some(Kind::Panic)),
];

/// The three vectors.
#[derive(Clone)]
pub(super) struct Settings {
    kind: Choice<Option<Kind>>,
    when: Numbers<5>,
    call: CallName,
}

/// SIMULATOR_FAULT_CALL; empty for the usual call.
#[derive(Clone, Default)]
struct CallName(String);

impl Vector for CallName {
    fn get(&self) -> Value {
        Value::Record(vec![("CALL".to_owned(), Value::Text(self.0.clone()))])
    }

    fn set(&mut self, value: &Value) -> Result<()> {
        let Value::Record(fields) = value else {
            return Err(invalid(format!("{CALL} takes a record of texts")));
        };
        for (name, value) in fields {
            match value {
                _ if name != "CALL" => return Err(invalid(format!("{CALL} has no element {name}"))),
                Value::Text(call) if call.is_empty() => self.0.clear(),
                Value::Text(call) => {
                    script::check_call(call).map_err(invalid)?;
                    self.0.clone_from(call);
                }
                _ => return Err(invalid("CALL takes a text".to_owned())),
            }
        }
        Ok(())
    }
}

impl Settings {
    pub(super) fn new() -> Self {
        Settings {
            kind: Choice::new(KIND, &KINDS),
            when: Numbers::new(WHEN, &NUMBERS),
            call: CallName::default(),
        }
    }

    /// The vector of that name, if it is one of the three.
    pub(super) fn named(&mut self, name: &str) -> Option<&mut dyn Vector> {
        Some(match name {
            KIND => &mut self.kind,
            WHEN => &mut self.when,
            CALL => &mut self.call,
            _ => return None,
        })
    }

    /// Whether it is the one that says whether there is a fault at all.
    pub(super) fn is_kind(name: &str) -> bool {
        name == KIND
    }

    /// The fault that they ask for.
    pub(super) fn fault(&self) -> Result<Option<Fault>> {
        let Some(kind) = self.kind.value() else { return Ok(None) };
        let mut fields: Params = NUMBERS
            .iter()
            .zip(self.when.values())
            .map(|(number, value)| (number.name.to_lowercase(), Value::Number(value)))
            .collect();
        fields.push(("kind".to_owned(), Value::Text(kind.name().to_owned())));
        // Left over from another kind, it says nothing about this one.
        if kind.is_anywhere() && !self.call.0.is_empty() {
            fields.push(("call".to_owned(), Value::Text(self.call.0.clone())));
        }
        Fault::of(&fields).map(Some).map_err(invalid)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::camera::error::ErrorKind;

    fn text(word: &str) -> Value {
        Value::Text(word.to_owned())
    }

    fn set(settings: &mut Settings, name: &str, value: &Value) -> Result<()> {
        settings.named(name).unwrap().set(value)
    }

    #[test]
    fn the_three_vectors_make_one_fault() {
        let mut settings = Settings::new();
        assert_eq!(settings.fault().unwrap(), None);
        set(&mut settings, KIND, &text("CALL_BLOCKS")).unwrap();
        set(&mut settings, CALL, &Value::Record(vec![("CALL".to_owned(), text("set_gain"))])).unwrap();
        set(&mut settings, WHEN, &Value::Record(vec![("AT".to_owned(), Value::Number(4.0))])).unwrap();
        let fault = settings.fault().unwrap().unwrap();
        assert_eq!((fault.kind, fault.call.as_str(), fault.at), (Kind::CallBlocks, "set_gain", 4));
        assert_eq!(fault.lasts, Some(Duration::from_secs(15)));
        // The name of a call does not stand in the way of what happens elsewhere.
        set(&mut settings, KIND, &text("NEVER_ENDS")).unwrap();
        assert_eq!(settings.fault().unwrap().unwrap().call, "start_exposure");
    }

    #[test]
    fn every_kind_of_a_script_can_be_chosen_by_its_name_in_capitals() {
        let names: Vec<String> = Kind::names().map(str::to_uppercase).collect();
        assert_eq!(names, KINDS[1..].iter().map(|(name, _)| *name).collect::<Vec<_>>());
        assert!(KINDS[1..].iter().all(|(name, kind)| kind.unwrap().name() == name.to_lowercase()));
    }

    #[test]
    fn the_name_of_a_call_is_one_of_a_call_that_there_is() {
        let mut settings = Settings::new();
        for (value, words) in [
            (Value::Record(vec![("CALL".to_owned(), text("Set Gain"))]), "not \"Set Gain\""),
            (Value::Record(vec![("CALL".to_owned(), text("nonsense"))]), "not \"nonsense\""),
            (Value::Record(vec![("CALL".to_owned(), Value::Number(1.0))]), "CALL takes a text"),
            (Value::Record(vec![("NAME".to_owned(), text("set_gain"))]), "no element NAME"),
            (text("set_gain"), "a record of texts"),
        ] {
            let error = set(&mut settings, CALL, &value).unwrap_err();
            assert!(error.kind == ErrorKind::InvalidValue && error.detail.contains(words), "{error}");
            assert_eq!(settings.call.0, "");
        }
    }
}
