//! Parameters by name: those of the Camera API, and every element of every property as `PROPERTY.ELEMENT`.

use crate::camera::answer::{Answer, Parameter, ParameterList};
use crate::camera::call::Arguments;
use crate::camera::error::{CameraError, ErrorKind, Result};
use crate::camera::json;
use crate::camera::types::Value;
use crate::device::Device;
use crate::device::connection::Link;
use crate::property::key::Key;
use crate::property::keys;
use crate::property::store::Vector;
use crate::wire::{Elements, Kind, Perm, State};

use super::{Progress, Until};

mod list;
mod table;

use table::{Named, Shape, TABLE, TARGET};

/// What stands before the keyword of a header.
const FITS: &str = "fits.";
const GET: &str = "get_parameter";
const SET: &str = "set_parameter";

impl Device {
    pub(super) fn call_get_parameter(&mut self, arguments: &Arguments<'_>) -> Result<Progress> {
        let name = arguments.text(GET, "name")?;
        let value = if let Some(named) = table::named_as(&name) {
            named.shape.read(self.parameter_vector(GET, &name, named.vector)?)
        } else {
            let (vector, element) = self.element(GET, &name)?;
            if vector.perm == Perm::Wo {
                return Err(not_supported(GET, &name, "it can only be written"));
            }
            read_element(vector, element)
        };
        match value {
            Some(value) => Progress::done("the parameter", &Parameter { value }),
            None => Err(not_supported(GET, &name, "it has no value")),
        }
    }

    pub(super) fn call_set_parameter(&mut self, arguments: &Arguments<'_>) -> Result<Progress> {
        let name = arguments.text(SET, "name")?;
        let value = arguments.get(SET, "value")?;
        if let Some(keyword) = name.strip_prefix(FITS) {
            self.needs_camera(SET)?;
            let text = match value {
                Value::Text(text) => text.clone(),
                _ => arguments.number(SET, "value")?.to_string(),
            };
            self.write_keyword(keyword.to_owned(), text, String::new())?;
            return Progress::when_answered();
        }
        let vector = match table::named_as(&name) {
            Some(named) => self.set_named(named, value)?,
            None => self.set_element(&name, value)?,
        };
        Ok(Progress::Waits(self.until_set(&vector), |_, _| Answer::done("done", &())))
    }

    /// Writes a parameter of the Camera API, and names the vector that was written.
    fn set_named(&mut self, named: &'static Named, value: &Value) -> Result<String> {
        if named.is_read_only() {
            return Err(not_supported(SET, named.name, "it can only be read"));
        }
        let target = named.name == TARGET;
        let name = if target { keys::CCD_TEMPERATURE.vector() } else { named.vector };
        let vector = self.parameter_vector(SET, named.name, name)?;
        let shape = if target { Shape::Number("CCD_TEMPERATURE_VALUE") } else { named.shape };
        let (kind, elements) = (vector.kind(), shape.texts(named.name, value)?);
        let elements: Vec<(&str, String)> = elements.iter().map(|(n, t)| (n.as_str(), t.clone())).collect();
        self.write_for_call(name, kind, &elements)?;
        Ok(name.to_owned())
    }

    fn set_element(&mut self, name: &str, value: &Value) -> Result<String> {
        let (vector, element) = self.element(SET, name)?;
        // A call that makes a call would wait for itself.
        if vector.perm == Perm::Ro || vector.name == keys::CAMERA_CALL.vector() {
            return Err(not_supported(SET, name, "it can only be read"));
        }
        let wrong = |takes: &str| {
            let detail = format!("{name} takes {takes}, not {}", json::kind(value));
            CameraError::new(ErrorKind::InvalidValue, SET, detail)
        };
        let text = match (vector.kind(), value) {
            (Kind::Number, Value::Number(number)) => number.to_string(),
            (Kind::Number, _) => return Err(wrong("a number")),
            (Kind::Switch, Value::Bool(on)) => if *on { "On" } else { "Off" }.to_owned(),
            (Kind::Switch, _) => return Err(wrong("true or false")),
            (_, Value::Text(text)) => text.clone(),
            (..) => return Err(wrong("a text")),
        };
        let (vector, kind, element) = (vector.name.clone(), vector.kind(), element.to_owned());
        self.write_for_call(&vector, kind, &[(&element, text)])?;
        Ok(vector)
    }

    /// What has to happen until a write of this vector has been carried out.
    fn until_set(&self, vector: &str) -> Until {
        let opening = !matches!(self.link, Link::On | Link::Off | Link::Parting);
        let stored = [
            keys::CONFIG_PROCESS.vector(),
            keys::NICKNAME.vector(),
            keys::CCD_SPOOL_RESEND.vector(),
            keys::CCD_SPOOL_DROP.vector(),
        ];
        match stored.into_iter().find(|stored| *stored == vector) {
            Some(stored) => Until::Settled(stored),
            None if vector == keys::CONNECTION.vector() && opening => Until::Connected,
            None => Until::Answered,
        }
    }

    /// The vector behind a parameter, if this camera has it now.
    fn parameter_vector(&self, call: &'static str, name: &str, vector: &str) -> Result<&Vector> {
        if let Some(found) = self.store.vector(vector).filter(|found| found.defined) {
            return Ok(found);
        }
        let waits = !matches!(self.link, Link::On | Link::Lost { .. })
            && self.on_connect.iter().any(|known| known == vector);
        if waits {
            let detail = format!("{name} needs a camera that is connected");
            return Err(CameraError::new(ErrorKind::NotConnected, call, detail));
        }
        Err(not_supported(call, name, "this camera has no such parameter"))
    }

    /// The vector and the element behind `PROPERTY.ELEMENT`.
    fn element<'a>(&self, call: &'static str, name: &'a str) -> Result<(&Vector, &'a str)> {
        let unknown = || not_supported(call, &json::quoted(name), "there is no such parameter");
        let (vector, element) = name.rsplit_once('.').ok_or_else(unknown)?;
        let vector = self.parameter_vector(call, &json::quoted(name), vector)?;
        if vector.kind() == Kind::Blob || !vector.element_names().contains(&element) {
            return Err(unknown());
        }
        Ok((vector, element))
    }

    pub(super) fn call_list_parameters(&mut self, _: &Arguments<'_>) -> Result<Progress> {
        let has = |named: &&Named| self.has(named.vector);
        let mut parameters: Vec<_> =
            TABLE.iter().filter(has).map(|named| list::named(named, &self.store)).collect();
        if self.has(keys::FITS_HEADER.vector()) {
            parameters.push(list::keyword());
        }
        for vector in self.store.vectors().iter().filter(|vector| vector.defined) {
            let own =
                [keys::CAMERA_CALL.vector(), keys::CAMERA_REPLY.vector()].contains(&vector.name.as_str());
            let elements = vector.element_names().into_iter().filter(|_| !own);
            let further = elements.filter(|element| !table::covers(&vector.name, element));
            parameters.extend(further.filter_map(|element| list::element(vector, element)));
        }
        Progress::done("the parameters", &ParameterList { parameters })
    }
}

/// The value of one element.
fn read_element(vector: &Vector, element: &str) -> Option<Value> {
    match &vector.elements {
        Elements::Number(list) => {
            list.iter().find(|(head, _)| head.name == element).map(|(_, n)| Value::Number(n.value))
        }
        Elements::Text(list) => {
            list.iter().find(|(head, _)| head.name == element).map(|(_, text)| Value::Text(text.clone()))
        }
        Elements::Switch(_, list) => {
            list.iter().find(|(head, _)| head.name == element).map(|(_, on)| Value::Bool(*on))
        }
        Elements::Light(list) => {
            let light = list.iter().find(|(head, _)| head.name == element);
            light.map(|(_, state)| Value::Text(word(*state).to_owned()))
        }
        Elements::Blob(_) => None,
    }
}

fn word(state: State) -> &'static str {
    match state {
        State::Idle => "idle",
        State::Ok => "ok",
        State::Busy => "busy",
        State::Alert => "alert",
    }
}

fn not_supported(call: &'static str, name: &str, why: &str) -> CameraError {
    CameraError::new(ErrorKind::NotSupported, call, format!("{name}: {why}"))
}
