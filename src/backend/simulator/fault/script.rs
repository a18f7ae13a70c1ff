//! What a fault is, and how one is read: from a script, from the parameters of a call, from a property.

use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::super::{guide, noise};
use crate::camera::call::{NAMES, Params};
use crate::camera::json::quoted;
use crate::camera::types::Value;

use rand::RngExt;

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    StartRefused,
    NeverEnds,
    ReadOutStalls,
    ShortFrame,
    CorruptFrame,
    GarbledFrame,
    ConstantFrame,
    CallBlocks,
    CameraLost,
    TemperatureGarbage,
    CoolerPowerLost,
    Panic,
}

/// A kind of fault in the words of a script.
struct Entry {
    kind: Kind,
    name: &'static str,
    /// The call that it happens at.
    call: &'static str,
    /// It can happen at any other call just as well.
    anywhere: bool,
}

const fn entry(kind: Kind, name: &'static str, call: &'static str) -> Entry {
    Entry { kind, name, call, anywhere: false }
}

const fn anywhere(kind: Kind, name: &'static str) -> Entry {
    Entry { kind, name, call: "get_exposure_result", anywhere: true }
}

const KINDS: [Entry; 12] = [
    entry(Kind::StartRefused, "start_refused", "start_exposure"),
    entry(Kind::NeverEnds, "never_ends", "start_exposure"),
    entry(Kind::ReadOutStalls, "read_out_stalls", "start_exposure"),
    entry(Kind::ShortFrame, "short_frame", "start_exposure"),
    entry(Kind::CorruptFrame, "corrupt_frame", "start_exposure"),
    entry(Kind::GarbledFrame, "garbled_frame", "start_exposure"),
    entry(Kind::ConstantFrame, "constant_frame", "start_exposure"),
    anywhere(Kind::CallBlocks, "call_blocks"),
    anywhere(Kind::CameraLost, "camera_lost"),
    entry(Kind::TemperatureGarbage, "temperature_garbage", "get_current_temperature"),
    entry(Kind::CoolerPowerLost, "cooler_power_lost", "get_cooling_power"),
    anywhere(Kind::Panic, "panic"),
];

impl Kind {
    fn named(name: &str) -> Option<Kind> {
        KINDS.iter().find(|entry| entry.name == name).map(|entry| entry.kind)
    }

    /// The names of all, as scripts write them.
    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        KINDS.iter().map(|entry| entry.name)
    }

    pub(super) fn name(self) -> &'static str {
        self.entry().map_or("", |entry| entry.name)
    }

    /// Whether it can happen at any call.
    pub(super) fn is_anywhere(self) -> bool {
        self.entry().is_some_and(|entry| entry.anywhere)
    }

    /// Whether it spoils an exposure that has begun.
    pub(super) fn spoils_exposure(self) -> bool {
        self != Kind::StartRefused && self.entry().is_some_and(|entry| entry.call == "start_exposure")
    }

    fn entry(self) -> Option<&'static Entry> {
        KINDS.iter().find(|entry| entry.kind == self)
    }
}

/// One thing that is to go wrong: what, at which call, and which times.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Written")]
pub(super) struct Fault {
    pub(super) kind: Kind,
    /// Of these cameras only the one of that name.
    pub(super) camera: Option<String>,
    /// The call whose occurrences are counted.
    pub(super) call: String,
    /// The first occurrence that counts, from 1.
    pub(super) at: u64,
    /// How often it happens; 0 is for ever.
    pub(super) times: u64,
    /// Of each occurrence.
    pub(super) probability: f64,
    pub(super) seed: u64,
    /// How long it lasts; `None` is for good.
    pub(super) lasts: Option<Duration>,
}

/// A fault as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(deserialize_with = "kind")]
    kind: Kind,
    camera: Option<String>,
    #[serde(default, deserialize_with = "call")]
    call: Option<String>,
    #[serde(default = "one", deserialize_with = "at")]
    at: u64,
    #[serde(default = "one", deserialize_with = "times")]
    times: u64,
    #[serde(default = "always", deserialize_with = "probability")]
    probability: f64,
    #[serde(default = "one", deserialize_with = "seed")]
    seed: u64,
    #[serde(default, deserialize_with = "seconds")]
    seconds: Option<Duration>,
}

impl TryFrom<Written> for Fault {
    type Error = String;

    fn try_from(written: Written) -> Result<Fault, String> {
        let Written { kind, camera, call, at, times, probability, seed, seconds } = written;
        let entry = kind.entry().ok_or("this kind is in no table")?;
        if let Some(call) = call.as_ref().filter(|call| !entry.anywhere && *call != entry.call) {
            return Err(format!("{} happens at {} only, not at {call}", entry.name, entry.call));
        }
        let call = call.unwrap_or_else(|| entry.call.to_owned());
        Ok(Fault { kind, camera, call, at, times, probability, seed, lasts: seconds })
    }
}

/// A script.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Script {
    #[serde(default)]
    fault: Vec<Fault>,
}

/// The faults of a script, all of them or, with the line and what is wrong there, none.
pub(super) fn read(text: &str) -> Result<Vec<Fault>, String> {
    let script: Script = toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = 1 + before.matches('\n').count();
        format!("line {line}: {}", one_line(error.message()))
    })?;
    Ok(script.fault)
}

impl Fault {
    /// From parameters that are named as the fields of a script.
    pub(super) fn of(params: &Params) -> Result<Fault, String> {
        let table = params.iter().map(|(name, value)| (name.clone(), to_toml(value))).collect();
        Fault::deserialize(toml::Value::Table(table)).map_err(|error| one_line(error.message()))
    }

    /// Whether it happens at the occurrence of that number, if it is still to happen at all.
    pub(super) fn happens(&self, occurrence: u64) -> bool {
        let chance = || noise::stream(self.seed, occurrence, u64::MAX).random::<f64>();
        occurrence >= self.at && (self.probability >= 1.0 || chance() < self.probability)
    }
}

fn to_toml(value: &Value) -> toml::Value {
    match value {
        Value::Bool(on) => toml::Value::Boolean(*on),
        Value::Number(number) => toml::Value::Float(*number),
        Value::Text(text) => toml::Value::String(text.clone()),
        Value::List(values) => toml::Value::Array(values.iter().map(to_toml).collect()),
        Value::Record(fields) => {
            toml::Value::Table(fields.iter().map(|(name, value)| (name.clone(), to_toml(value))).collect())
        }
    }
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn one() -> u64 {
    1
}

fn always() -> f64 {
    1.0
}

fn kind<'de, D: Deserializer<'de>>(from: D) -> Result<Kind, D::Error> {
    let name = String::deserialize(from)?;
    Kind::named(&name).ok_or_else(|| {
        let known = Kind::names().collect::<Vec<_>>().join(", ");
        D::Error::custom(format!("kind takes one of {known}, not {name}"))
    })
}

fn call<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let name = String::deserialize(from)?;
    check_call(&name).map_err(D::Error::custom)?;
    Ok(Some(name))
}

/// Nothing would ever happen at a call of another name, nor at `call`, which counts as what it calls.
pub(super) fn check_call(name: &str) -> Result<(), String> {
    let mut calls = NAMES.into_iter().filter(|name| *name != "call").chain([guide::CALL]);
    if calls.any(|known| known == name) {
        return Ok(());
    }
    // There are too many for a sentence.
    Err(format!("call takes the name of a call, such as set_gain or polling, not {:?}", quoted(name)))
}

fn at<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    whole(from, "at", 1.0)
}

fn times<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    whole(from, "times", 0.0)
}

fn seed<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    whole(from, "seed", 0.0)
}

fn whole<'de, D: Deserializer<'de>>(from: D, name: &str, least: f64) -> Result<u64, D::Error> {
    const MOST: f64 = 4_294_967_295.0;
    let number = f64::deserialize(from)?;
    if number.fract() != 0.0 || !(least..=MOST).contains(&number) {
        let sentence = format!("{name} takes a whole number from {least} to {MOST}, not {number}");
        return Err(D::Error::custom(sentence));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
    Ok(number as u64)
}

fn probability<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    let number = f64::deserialize(from)?;
    if !(0.0..=1.0).contains(&number) {
        return Err(D::Error::custom(format!("probability takes 0 to 1, not {number}")));
    }
    Ok(number)
}

fn seconds<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    const MOST: f64 = 1e6;
    let number = f64::deserialize(from)?;
    if !(0.0..=MOST).contains(&number) {
        return Err(D::Error::custom(format!("seconds takes 0 (for good) to {MOST}, not {number}")));
    }
    Ok(Some(Duration::from_secs_f64(number)).filter(|lasts| !lasts.is_zero()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str, words: &str) {
        assert_eq!(read(text).unwrap_err(), words, "{text}");
    }

    #[test]
    fn a_script_has_any_number_of_faults_and_every_field_but_the_kind_has_a_default() {
        assert_eq!(read("").unwrap(), []);
        let faults = read(
            "# two\n[[fault]]\nkind = \"panic\"\n\n[[fault]]\nkind = \"call_blocks\"\ncall = \"set_gain\"\nat = 3\n\
             times = 0\nprobability = 0.5\nseed = 7\nseconds = 1.5\ncamera = \"Camera Simulator 2\"\n",
        );
        let panic = Fault {
            kind: Kind::Panic,
            camera: None,
            call: "get_exposure_result".to_owned(),
            at: 1,
            times: 1,
            probability: 1.0,
            seed: 1,
            lasts: None,
        };
        let blocks = Fault {
            kind: Kind::CallBlocks,
            camera: Some("Camera Simulator 2".to_owned()),
            call: "set_gain".to_owned(),
            at: 3,
            times: 0,
            probability: 0.5,
            seed: 7,
            lasts: Some(Duration::from_millis(1500)),
        };
        assert_eq!(faults.unwrap(), [panic, blocks]);
    }

    #[test]
    fn a_bad_script_is_one_line_that_names_the_place() {
        let fault = |rest: &str| format!("[[fault]]\nkind = \"panic\"\n\n# and\n{rest}\n");
        refused(&fault("at = 0"), "line 5: at takes a whole number from 1 to 4294967295, not 0");
        refused(&fault("times = 1.5"), "line 5: times takes a whole number from 0 to 4294967295, not 1.5");
        refused(&fault("seed = nan"), "line 5: seed takes a whole number from 0 to 4294967295, not NaN");
        refused(&fault("probability = 1.1"), "line 5: probability takes 0 to 1, not 1.1");
        refused(&fault("seconds = -1"), "line 5: seconds takes 0 (for good) to 1000000, not -1");
        refused(&fault("seconds = inf"), "line 5: seconds takes 0 (for good) to 1000000, not inf");
        refused(
            "\n[[fault]]\nkind = \"explodes\"",
            "line 3: kind takes one of start_refused, never_ends, read_out_stalls, short_frame, corrupt_frame, \
             garbled_frame, constant_frame, call_blocks, camera_lost, temperature_garbage, cooler_power_lost, panic, \
             not explodes",
        );
        for (text, line) in [
            (&*fault("whenever = 3"), 5),
            ("[[fault]]\nat = 3", 1),
            ("[[fault]]\nkind = 3", 2),
            ("[[fault]\n", 1),
            ("[[fault]]\nkind = \"panic\"\nat = \n", 3),
            ("\n\nfaults = 1", 3),
            ("[[fault]]\nkind = \"never_ends\"\ncall = \"set_gain\"", 1),
        ] {
            let why = read(text).unwrap_err();
            assert!(why.starts_with(&format!("line {line}: ")) && !why.contains('\n'), "{text}: {why}");
        }
    }

    #[test]
    fn a_fault_is_refused_for_a_call_at_which_it_would_never_happen() {
        let fault = |call: &str| format!("[[fault]]\nkind = \"call_blocks\"\ncall = \"{call}\"\n");
        for name in NAMES[..24].iter().chain(&["pulse_guide"]) {
            assert_eq!(read(&fault(name)).unwrap()[0].call, *name);
        }
        for name in ["nonsense", "Set gain", "SET_GAIN", "call", ""] {
            let why = read(&fault(name)).unwrap_err();
            let rule = "call takes the name of a call, such as set_gain or polling";
            assert_eq!(why, format!("line 3: {rule}, not {name:?}"));
        }
    }

    #[test]
    fn a_call_writes_the_same_fields() {
        let text = |name: &str, value: &str| (name.to_owned(), Value::Text(value.to_owned()));
        let at = |value: f64| ("at".to_owned(), Value::Number(value));
        let fault = Fault::of(&vec![text("kind", "short_frame"), at(2.0)]).unwrap();
        assert_eq!((fault.kind, fault.call.as_str(), fault.at), (Kind::ShortFrame, "start_exposure", 2));
        let why = |params: Params| Fault::of(&params).unwrap_err();
        assert_eq!(
            why(vec![text("kind", "panic"), at(f64::NAN)]),
            "at takes a whole number from 1 to 4294967295, not NaN"
        );
        assert_eq!(
            why(vec![text("kind", "never_ends"), text("call", "set_gain")]),
            "never_ends happens at start_exposure only, not at set_gain"
        );
        assert_eq!(why(vec![at(1.0)]), "missing field `kind`");
    }

    #[test]
    fn chance_depends_on_the_seed_and_the_occurrence_alone() {
        let fault = |seed| Fault {
            seed,
            probability: 0.3,
            at: 11,
            ..Fault::of(&vec![("kind".to_owned(), Value::Text("panic".to_owned()))]).unwrap()
        };
        let happens = |seed| (1..=1000).filter(|n| fault(seed).happens(*n)).collect::<Vec<_>>();
        assert_eq!(happens(1), happens(1));
        assert_ne!(happens(1), happens(2));
        assert!((250..350).contains(&happens(1).len()), "{}", happens(1).len());
        assert!(happens(1)[0] >= 11);
    }
}
