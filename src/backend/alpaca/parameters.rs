//! Settings and readings that a camera has by name.

use super::facts::format_name;
use super::places::Places;
use super::session::Session;
use super::{Alpaca, asked};
use crate::camera::error::{CameraError, ErrorKind, Result};
use crate::camera::types::{ADDRESSES_PARAMETER, FORMAT_PARAMETER, Value};

/// Seconds of each of the exposures that the camera adds to one.
const SUB_EXPOSURE: &str = "sub_exposure_duration";
/// Numbers that can be read from a connected camera by name, and what Alpaca calls them.
const READINGS: [(&str, &str); 4] = [
    ("heat_sink_temperature", "heatsinktemperature"),
    ("electrons_per_adu", "electronsperadu"),
    ("full_well_capacity", "fullwellcapacity"),
    (SUB_EXPOSURE, "subexposureduration"),
];

impl Alpaca {
    /// Besides the format: the addresses, the numbers of [`READINGS`], and `gains` and `offsets`, the names of their
    /// values where those are numbers in a list.
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
        match READINGS.iter().find(|(known, _)| *known == name) {
            Some((_, property)) => {
                asked(session, CALL, |session| session.api.number(property)).map(Value::Number)
            }
            None => Err(unknown(CALL, name)),
        }
    }

    pub(super) fn change_parameter(&mut self, name: &str, value: Value) -> Result<Value> {
        const CALL: &str = "set_parameter";
        let invalid = |detail: String| Err(CameraError::new(ErrorKind::InvalidValue, CALL, detail));
        match (name, &value) {
            (FORMAT_PARAMETER, value) => self.set_format(value),
            (ADDRESSES_PARAMETER, Value::Text(list)) => match list.parse::<Places>() {
                Ok(places) => {
                    self.told = places;
                    Ok(value)
                }
                Err(why) => invalid(why),
            },
            (ADDRESSES_PARAMETER, _) => invalid(format!("{name} takes a text")),
            (SUB_EXPOSURE, Value::Number(seconds)) if seconds.is_finite() => {
                let form = [("SubExposureDuration", seconds.to_string())];
                let session = self.idle(CALL)?;
                asked(session, CALL, |session| session.api.put("subexposureduration", &form))?;
                Ok(value)
            }
            (SUB_EXPOSURE, _) => invalid(format!("{name} takes seconds")),
            _ => {
                self.connected(CALL)?;
                Err(unknown(CALL, name))
            }
        }
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

fn unknown(call: &'static str, name: &str) -> CameraError {
    CameraError::new(ErrorKind::NotSupported, call, format!("there is no setting named {name}"))
}
