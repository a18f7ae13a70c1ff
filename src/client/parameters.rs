//! Parameters by name: those of the Camera API, and every element as `PROPERTY.ELEMENT`.

mod place;

use self::place::{PARAMETERS, Place, find};
use super::ask::{Settled, Wish};
use super::camera::Camera;
use super::error::{ClientError, Result};
use super::mirror::Device;
use super::vector::{Element, ElementValue, Vector};
use crate::camera::answer::ParameterEntry;
use crate::camera::json;
use crate::camera::types::Value;
use crate::wire::State;

/// What `fits.KEY` begins with.
const FITS: &str = "fits.";

impl Camera {
    /// The value of a parameter: a name of the Camera API such as `gain` or `sensor.width`, an element as
    /// `PROPERTY.ELEMENT`, or a whole `PROPERTY`, which is a record of its elements.
    pub async fn get_parameter(&self, name: &str) -> Result<Value> {
        self.appear().await?;
        self.look(|_, device| match find(name) {
            Some(place) => {
                let lacks = || Err(self.lacks(device, place.property(device)));
                place.get(device).map_or_else(lacks, Ok)
            }
            None => match element(device, name) {
                Some((vector, Some(element))) => Ok(shown(vector, element)),
                Some((vector, None)) => {
                    let shown = |element: &Element| (element.name.clone(), shown(vector, element));
                    Ok(Value::Record(vector.elements.iter().map(shown).collect()))
                }
                None => Err(self.no_parameter(device, name)),
            },
        })
    }

    /// Changes a parameter, and waits until the camera has taken it. Numbers are never made of texts, nor the other way
    /// round. `fits.KEY` puts a keyword into the headers of all later frames.
    pub async fn set_parameter(&self, name: &str, value: &Value) -> Result<()> {
        self.appear().await?;
        if let Some(keyword) = name.strip_prefix(FITS) {
            let text = match value {
                Value::Text(text) => text.clone(),
                Value::Number(number) => crate::wire::number::Decimal(*number).to_string(),
                other => return Err(wrong(name, "a text or a number", other)),
            };
            let wishes = [
                ("KEYWORD_NAME", keyword.to_owned()),
                ("KEYWORD_VALUE", text),
                ("KEYWORD_COMMENT", String::new()),
            ];
            let wishes = wishes.map(|(element, text)| (element, Wish::Text(text)));
            return self.ask("FITS_HEADER", &wishes, Settled::Done).await;
        }
        let asked = self.look(|_, device| match find(name) {
            Some(place) => place.wishes(self, device, name, value),
            None => match element(device, name) {
                Some((vector, Some(element))) => Ok((vector.name.clone(), vec![wish(name, element, value)?])),
                Some((vector, None)) => record(vector, name, value),
                None => Err(self.no_parameter(device, name)),
            },
        });
        let (vector, wishes) = asked?;
        let wishes: Vec<(&str, Wish)> =
            wishes.iter().map(|(name, wish)| (name.as_str(), wish.clone())).collect();
        self.ask(&vector, &wishes, Settled::of(&vector)).await
    }

    /// The parameters of the Camera API that this camera has now.
    pub async fn list_parameters(&self) -> Result<Vec<ParameterEntry>> {
        self.appear().await?;
        self.look(|_, device| {
            let entry = |&(name, unit, next, place): &(&str, Option<&str>, bool, Place)| {
                place.get(device).map(|value| place.entry(device, name, unit, next, &value))
            };
            Ok(PARAMETERS.iter().filter_map(entry).collect())
        })
    }

    fn no_parameter(&self, device: &Device, name: &str) -> ClientError {
        let known_later =
            name.split('.').next().is_some_and(|vector| vector.chars().all(|c| !c.is_ascii_lowercase()));
        if known_later && !device.is_connected() {
            return ClientError::NotConnected { device: self.name().to_owned() };
        }
        ClientError::not_supported(self.name(), format!("it has no parameter {:?}", json::quoted(name)))
    }
}

/// A vector, or an element of it, by `PROPERTY` or `PROPERTY.ELEMENT`; either part may have dots of its own.
fn element<'d>(device: &'d Device, name: &str) -> Option<(&'d Vector, Option<&'d Element>)> {
    if let Some(vector) = device.vector(name) {
        return Some((vector, None));
    }
    name.match_indices('.').find_map(|(dot, _)| {
        let vector = device.vector(&name[..dot])?;
        Some((vector, Some(vector.element(&name[dot + 1..])?)))
    })
}

fn shown(vector: &Vector, element: &Element) -> Value {
    match &element.value {
        ElementValue::Text(text) => Value::Text(text.clone()),
        // What is no number has no value that JSON could say.
        ElementValue::Number { .. } => {
            element.number().map_or_else(|| Value::Text("nan".to_owned()), Value::Number)
        }
        ElementValue::Switch(on) => Value::Bool(*on),
        ElementValue::Light(state) => Value::Text(word(*state).to_owned()),
        ElementValue::Blob { .. } => Value::Text(word(vector.state).to_owned()),
    }
}

fn word(state: State) -> &'static str {
    match state {
        State::Idle => "Idle",
        State::Ok => "Ok",
        State::Busy => "Busy",
        State::Alert => "Alert",
    }
}

/// What is asked of one element, its value having the element's own kind.
fn wish(name: &str, element: &Element, value: &Value) -> Result<(String, Wish)> {
    let wish = match (&element.value, value) {
        (ElementValue::Number { .. }, Value::Number(number)) => Wish::Number(*number),
        (ElementValue::Switch(_), Value::Bool(on)) => Wish::On(*on),
        (ElementValue::Text(_), Value::Text(text)) => Wish::Text(text.clone()),
        (ElementValue::Number { .. }, other) => return Err(wrong(name, "a number", other)),
        (ElementValue::Switch(_), other) => return Err(wrong(name, "true or false", other)),
        (_, other) => return Err(wrong(name, "a text", other)),
    };
    Ok((element.name.clone(), wish))
}

fn record(vector: &Vector, name: &str, value: &Value) -> Result<(String, Vec<(String, Wish)>)> {
    let fields = json::fields("set_parameter", name, value)?;
    let wishes = fields.iter().map(|(field, value)| {
        let element = vector.element(field).ok_or_else(|| {
            ClientError::Invalid(format!("{name} has no element {:?}", json::quoted(field)))
        })?;
        wish(&format!("{name}.{field}"), element, value)
    });
    Ok((vector.name.clone(), wishes.collect::<Result<_>>()?))
}

fn wrong(name: &str, takes: &str, value: &Value) -> ClientError {
    ClientError::Invalid(format!("{name} takes {takes}, not {}", json::kind(value)))
}
