//! Settings and readings that a camera has by name.

use super::facts::{OWN, Own, format_name};
use super::session::Session;
use super::{Alpaca, asked};
use crate::camera::error::{CameraError, ErrorKind, Result};
use crate::camera::types::{ADDRESSES_PARAMETER, CONTROL_VALUE, ControlKind, FORMAT_PARAMETER, Value};

impl Alpaca {
    /// Besides the format: the addresses, the numbers of [`OWN`], and `gains` and `offsets`, the names of their values
    /// where those are numbers in a list.
    pub(super) fn parameter(&mut self, name: &str) -> Result<Value> {
        const CALL: &str = "get_parameter";
        if name == ADDRESSES_PARAMETER {
            return Ok(Value::Text(self.told.to_string()));
        }
        let session = self.connected(CALL)?;
        if name == FORMAT_PARAMETER && !session.facts.can.formats.is_empty() {
            return asked(session, CALL, Session::format);
        }
        for (list, names) in [("gains", &session.facts.gains), ("offsets", &session.facts.offsets)] {
            if list == name && !names.is_empty() {
                let named = names.iter().enumerate();
                let named = named.map(|(number, name)| (number.to_string(), Value::Text(name.clone())));
                return Ok(Value::Record(named.collect()));
            }
        }
        let own = self.own(CALL, name)?;
        let session = self.connected(CALL)?;
        if session.is_coming() {
            let detail = "the server is busy sending a frame";
            return Err(CameraError::new(ErrorKind::Busy, CALL, detail));
        }
        asked(session, CALL, |session| session.api.number(own.property)).map(record)
    }

    pub(super) fn change_parameter(&mut self, name: &str, value: Value) -> Result<Value> {
        const CALL: &str = "set_parameter";
        match (name, value) {
            (FORMAT_PARAMETER, value) => self.set_format(&value),
            (ADDRESSES_PARAMETER, value) => {
                let Value::Text(list) = &value else { return Err(invalid(format!("{name} takes a text"))) };
                self.told = list.parse().map_err(invalid)?;
                Ok(value)
            }
            (name, value) => {
                let own = self.own(CALL, name)?;
                let ControlKind::Number(range) = own.kind else {
                    let detail = format!("{name} can only be read");
                    return Err(CameraError::new(ErrorKind::NotSupported, CALL, detail));
                };
                let wanted =
                    number(&value).ok_or_else(|| invalid(format!("{name} takes a finite number")))?;
                if !(range.min..=range.max).contains(&wanted) {
                    let detail = format!("{name} takes {} to {}, not {wanted}", range.min, range.max);
                    return Err(CameraError::new(ErrorKind::OutOfRange, CALL, detail));
                }
                let form = [(own.key, wanted.to_string())];
                let set = |session: &mut Session| {
                    session.api.put(own.property, &form)?;
                    session.api.number(own.property)
                };
                asked(self.idle(CALL)?, CALL, set).map(record)
            }
        }
    }

    /// A number that this camera has by that name.
    fn own(&mut self, call: &'static str, name: &str) -> Result<Own> {
        let controls = &self.can(call)?.controls;
        let has = controls.iter().any(|control| control.name == name);
        OWN.into_iter().find(|own| own.name == name && has).ok_or_else(|| CameraError::no_setting(call, name))
    }

    fn set_format(&mut self, value: &Value) -> Result<Value> {
        const CALL: &str = "set_parameter";
        let formats = self.can(CALL)?.formats.clone();
        if formats.is_empty() {
            return Err(CameraError::new(ErrorKind::NotSupported, CALL, "this camera has one format only"));
        }
        let chosen = formats.iter().position(|format| Value::Text(format.name.clone()) == *value);
        let Some(mode) = chosen else {
            let names: Vec<&str> = formats.iter().map(|format| format.name.as_str()).collect();
            let detail = format!("format takes one of {}", names.join(", "));
            return Err(CameraError::new(ErrorKind::InvalidValue, CALL, detail));
        };
        asked(self.idle(CALL)?, CALL, |session| session.set_mode(mode))?;
        self.wanted.mode = Some(mode);
        Ok(Value::Text(format_name(mode)))
    }
}

fn invalid(detail: String) -> CameraError {
    CameraError::new(ErrorKind::InvalidValue, "set_parameter", detail)
}

/// The shape of a number of a camera's own.
fn record(value: f64) -> Value {
    Value::Record(vec![(CONTROL_VALUE.to_owned(), Value::Number(value))])
}

fn number(value: &Value) -> Option<f64> {
    let Value::Record(fields) = value else { return None };
    match fields.as_slice() {
        [(name, Value::Number(number))] if name == CONTROL_VALUE && number.is_finite() => Some(*number),
        _ => None,
    }
}
