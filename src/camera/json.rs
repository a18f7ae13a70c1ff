//! Values, arguments and answers as JSON, for those who call a camera by texts.
//!
//! Reading is strict: one object, no name twice, no `null` (what is not wanted is left out), no number that is not
//! finite, no text where a number is meant. 0, `false` and empty texts are values like any other.
//!
//! Writing keeps to what every reader of INDI survives: inside of texts the characters that XML marks up are written
//! as `\u0026` and the like, so the JSON has no other markup than the quotes around its texts, and nothing in it can
//! be lost on the way.

use std::fmt;
use std::io;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{self, Serialize, SerializeMap, Serializer};
use serde_json::ser::{CharEscape, CompactFormatter, Formatter};

use super::call::Params;
use super::error::{CameraError, ErrorKind, Result};
use super::types::Value;

/// Characters of a text that are repeated in a refusal.
const QUOTED: usize = 40;
/// Numbers up to here are whole in an `f64` if they look so.
const LARGEST_WHOLE: f64 = 9_007_199_254_740_992.0;

/// The arguments that a text says: a JSON object, or nothing at all for none.
pub fn params(call: &'static str, text: &str) -> Result<Params> {
    if text.trim().is_empty() {
        return Ok(Params::new());
    }
    let value: Value = serde_json::from_str(text).map_err(|error| {
        CameraError::new(
            ErrorKind::InvalidValue,
            call,
            format!("PARAMS cannot be {:?}: {error}", quoted(text)),
        )
    })?;
    fields(call, "PARAMS", &value)
}

/// The named values of a record.
pub fn fields(call: &'static str, name: &str, value: &Value) -> Result<Params> {
    match value {
        Value::Record(fields) => Ok(fields.clone()),
        other => {
            let detail = format!("{name} takes an object of names and values, not {}", kind(other));
            Err(CameraError::new(ErrorKind::InvalidValue, call, detail))
        }
    }
}

/// Anything as one line of JSON that survives the way through XML. Fails only for a [`Value`] that is not finite.
pub fn text(value: &impl Serialize) -> Result<String> {
    let mut bytes = Vec::new();
    let mut to = serde_json::Serializer::with_formatter(&mut bytes, Unmarked);
    value
        .serialize(&mut to)
        .map_err(|error| CameraError::new(ErrorKind::InvalidValue, "call", error.to_string()))?;
    // Only whole strings and ASCII were written.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// What kind of value it is, for a sentence.
#[must_use]
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::Text(_) => "a text",
        Value::List(_) => "a list",
        Value::Record(_) => "an object",
    }
}

/// The beginning of a text, short enough for a sentence.
#[must_use]
pub fn quoted(text: &str) -> String {
    match text.char_indices().nth(QUOTED) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text.to_owned(),
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Bool(on) => to.serialize_bool(*on),
            Value::Number(number) if !number.is_finite() => {
                Err(ser::Error::custom(format!("{number} is no number that JSON knows")))
            }
            Value::Number(number) if number.fract() == 0.0 && number.abs() <= LARGEST_WHOLE =>
            {
                #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
                to.serialize_i64(*number as i64)
            }
            Value::Number(number) => to.serialize_f64(*number),
            Value::Text(text) => to.serialize_str(text),
            Value::List(values) => to.collect_seq(values),
            Value::Record(fields) => {
                let mut map = to.serialize_map(Some(fields.len()))?;
                for (name, value) in fields {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(ReadValue)
    }
}

struct ReadValue;

impl<'de> Visitor<'de> for ReadValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true, false, a number, a text, a list or an object")
    }

    fn visit_bool<E>(self, on: bool) -> Result<Value, E> {
        Ok(Value::Bool(on))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Value, E> {
        if number.is_finite() {
            Ok(Value::Number(number))
        } else {
            Err(E::custom(format!("{number} is not finite")))
        }
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Err(E::custom("null is no value: leave it out"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element()? {
            values.push(value);
        }
        Ok(Value::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Params::new();
        let mut seen = std::collections::HashSet::new();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            if !seen.insert(name.clone()) {
                return Err(de::Error::custom(format!("{:?} is there twice", quoted(&name))));
            }
            fields.push((name, value));
        }
        Ok(Value::Record(fields))
    }
}

/// JSON without anything that XML, or a reader of it, takes for something else.
struct Unmarked;

impl Formatter for Unmarked {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, out: &mut W, text: &str) -> io::Result<()> {
        let mut run = 0;
        for (at, c) in text.char_indices().filter(|(_, c)| is_marked(*c)) {
            // All of them are in the first plane, so that one group of four digits holds them.
            write!(out, "{}\\u{:04x}", &text[run..at], u32::from(c))?;
            run = at + c.len_utf8();
        }
        out.write_all(&text.as_bytes()[run..])
    }

    fn write_char_escape<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        match escape {
            CharEscape::Quote => out.write_all(b"\\u0022"),
            other => CompactFormatter.write_char_escape(out, other),
        }
    }
}

/// Whether a character is markup, or one that does not get through.
fn is_marked(c: char) -> bool {
    matches!(c, '&' | '<' | '>' | '\'' | '\u{fffe}' | '\u{ffff}') || c.is_control()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> std::result::Result<Params, String> {
        params("call", text).map_err(|error| {
            assert_eq!(error.kind, ErrorKind::InvalidValue);
            error.detail
        })
    }

    #[track_caller]
    fn refused(text: &str, why: &str) {
        let sentence = read(text).unwrap_err();
        assert!(sentence.contains(why), "{text} is refused with {sentence:?}");
    }

    #[test]
    fn values_that_are_nothing_to_others_are_values() {
        let params = read(r#"{"zero": 0, "no": false, "empty": "", "none": [], "half": 0.5}"#).unwrap();
        let expected = [
            ("zero", Value::Number(0.0)),
            ("no", Value::Bool(false)),
            ("empty", Value::Text(String::new())),
            ("none", Value::List(vec![])),
            ("half", Value::Number(0.5)),
        ];
        assert_eq!(params, expected.map(|(name, value)| (name.to_owned(), value)));
        assert_eq!(read(" \n").unwrap(), []);
    }

    #[test]
    fn what_is_no_object_of_values_is_refused_with_a_reason() {
        refused("{", "EOF while parsing");
        refused("{} {}", "trailing characters");
        refused("[1]", "not a list");
        refused("1", "not a number");
        refused(r#"{"gain": 1, "gain": 2}"#, "\"gain\" is there twice");
        refused(r#"{"roi": {"x": 1, "x": 1}}"#, "\"x\" is there twice");
        refused(r#"{"gain": null}"#, "leave it out");
        for not_finite in ["NaN", "Infinity", "-Infinity", "1e400"] {
            refused(&format!("{{\"gain\": {not_finite}}}"), "PARAMS cannot be");
        }
        refused(&"[".repeat(1 << 20), "recursion limit");
        refused(&format!("{{\"a\": {}", "[".repeat(200)), "recursion limit");
        assert!(read(&format!("{{{}", "x".repeat(1 << 20))).unwrap_err().len() < 200, "a short sentence");
    }

    #[test]
    fn whole_numbers_are_written_whole_and_others_are_no_json() {
        let written = |number| text(&Value::Number(number));
        assert_eq!(written(100.0).unwrap(), "100");
        assert_eq!(written(-0.5).unwrap(), "-0.5");
        for not_finite in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(written(not_finite).is_err());
        }
    }

    #[test]
    fn texts_hold_no_markup() {
        let written = text(&"a<b>&'\"\\\n\u{7f}\u{85}ä").unwrap();
        assert_eq!(written, r#""a\u003cb\u003e\u0026\u0027\u0022\\\n\u007f\u0085ä""#);
        assert_eq!(serde_json::from_str::<String>(&written).unwrap(), "a<b>&'\"\\\n\u{7f}\u{85}ä");
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::Bool),
            prop_oneof![
                any::<f64>().prop_filter("finite", |number| number.is_finite()),
                any::<i32>().prop_map(f64::from),
            ]
            .prop_map(Value::Number),
            any::<String>().prop_map(Value::Text),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            let named = proptest::collection::hash_map(any::<String>(), inner.clone(), 0..6);
            prop_oneof![
                proptest::collection::vec(inner, 0..6).prop_map(Value::List),
                named.prop_map(|fields| Value::Record(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_value_survives_the_way_there_and_back(value in any_value()) {
            let written = text(&value).unwrap();
            prop_assert!(!written.contains(['&', '<', '>', '\'']) && !written.contains(char::is_control));
            prop_assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), value);
        }

        #[test]
        fn no_text_is_too_much(text in any::<String>()) {
            let _ = params("call", &text);
        }
    }
}
