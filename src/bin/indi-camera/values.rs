//! Values of properties for people, scripts and programs.

use indi_camera::client::{Element, ElementValue, Mirror, Vector};
use indi_camera::wire::State;
use serde_json::Value as Json;

use super::names::means;

/// The element that stands for the state of its property.
pub(super) const STATE: &str = "_STATE";

/// A value with its whole name.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Named {
    /// `Device.PROPERTY.ELEMENT`.
    pub(super) name: String,
    /// As scripts read it.
    pub(super) text: String,
    /// As programs read it.
    pub(super) json: Json,
}

/// Everything that a pattern means, in the order of its definition. States are given only to who asks for them.
pub(super) fn find(mirror: &Mirror, pattern: &str) -> Vec<Named> {
    let mut found = Vec::new();
    for device in mirror.devices() {
        for vector in device.vectors() {
            let name = format!("{}.{}", device.name(), vector.name);
            if pattern.ends_with(STATE) {
                let name = format!("{name}.{STATE}");
                let text = state(vector.state).to_owned();
                if means(pattern, &name) {
                    found.push(Named { name, json: text.clone().into(), text });
                }
                continue;
            }
            let elements = vector.elements.iter().map(|element| named(&name, element));
            found.extend(elements.filter(|value| means(pattern, &value.name)));
        }
    }
    found
}

fn named(vector: &str, element: &Element) -> Named {
    Named {
        name: format!("{vector}.{}", element.name),
        text: text(&element.value),
        json: json(&element.value),
    }
}

/// `PROPERTY [State] ELEMENT=value, …`
pub(super) fn line(vector: &Vector) -> String {
    let values: Vec<String> =
        vector.elements.iter().map(|element| format!("{}={}", element.name, text(&element.value))).collect();
    format!("{} [{}] {}", vector.name, state(vector.state), values.join(", "))
}

/// The word of the protocol.
pub(super) fn state(state: State) -> &'static str {
    match state {
        State::Idle => "Idle",
        State::Ok => "Ok",
        State::Busy => "Busy",
        State::Alert => "Alert",
    }
}

/// Numbers as plain decimals: what is formatted for people cannot be computed with.
pub(super) fn text(value: &ElementValue) -> String {
    match value {
        ElementValue::Text(text) => text.clone(),
        ElementValue::Number { value, .. } => value.to_string(),
        ElementValue::Switch(on) => if *on { "On" } else { "Off" }.to_owned(),
        ElementValue::Light(light) => state(*light).to_owned(),
        ElementValue::Blob { size: 0, .. } => "no file yet".to_owned(),
        ElementValue::Blob { format, size } => format!("{size} bytes of {format}"),
    }
}

/// A number that nobody could read is null.
pub(super) fn json(value: &ElementValue) -> Json {
    match value {
        ElementValue::Text(text) => text.clone().into(),
        ElementValue::Number { value, .. } => serde_json::Number::from_f64(*value).into(),
        ElementValue::Switch(on) => (*on).into(),
        ElementValue::Light(light) => state(*light).into(),
        ElementValue::Blob { format, size } => serde_json::json!({"format": format, "size": size}),
    }
}
