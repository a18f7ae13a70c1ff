//! The settings of a camera's own that are known only when it is connected: one vector for each, named and limited as
//! the camera says.
//!
//! They are written, read back and kept like all other settings. One that is written during an exposure is accepted at
//! once and brought to the camera afterwards.

use crate::camera::call::Call;
use crate::camera::types::{CONTROL_VALUE, Capabilities, Control, ControlKind, Value};
use crate::property::key::Values;
use crate::property::store::Vector;
use crate::wire::{ElementDefinition, Elements, Limits, Number, Perm, Rule, State};

use super::{Device, controls, limits};

/// Where clients show them.
const GROUP: &str = "Image Settings";
/// Seconds that a write may take.
const TIMEOUT: f64 = 60.0;

/// The settings of the camera that is, or was last, connected.
#[derive(Debug, Default)]
pub(super) struct Own {
    names: Vec<String>,
    /// Those of them that the camera measures.
    readings: Vec<String>,
    /// Accepted while the camera was exposing.
    pending: Vec<(String, Value)>,
}

impl Device {
    /// Makes the vectors of a camera that has been opened. Of a camera that was only lost clients know them already.
    pub(super) fn adopt_own(&mut self, capabilities: &Capabilities) {
        let known = std::mem::take(&mut self.own.names);
        self.own.pending.clear();
        let is_defined = |name: &str| self.store.vector(name).is_some_and(|vector| vector.defined);
        let lost = known.iter().any(|name| is_defined(name));
        if lost {
            self.own.names = known;
            return;
        }
        self.on_connect.retain(|name| !known.contains(name));
        self.own.readings.clear();
        for control in &capabilities.controls {
            let is_free = self.store.vector(&control.name).is_none() || known.contains(&control.name);
            if is_free && !self.own.names.contains(&control.name) {
                self.store.put(vector_of(control));
                self.on_connect.push(control.name.clone());
                self.own.names.push(control.name.clone());
                if control.kind == ControlKind::Reading {
                    self.own.readings.push(control.name.clone());
                }
            }
        }
    }

    /// Whether the vector is a setting of this camera's own, and no mere reading.
    pub(super) fn is_own(&self, vector: &str) -> bool {
        self.own.names.iter().any(|name| name == vector) && !self.is_reading(vector)
    }

    pub(super) fn is_reading(&self, vector: &str) -> bool {
        self.own.readings.iter().any(|name| name == vector)
    }

    /// Asks for what the camera measures besides its temperature.
    pub(super) fn ask_readings(&mut self) {
        for name in self.own.readings.clone() {
            self.ask(Call::GetParameter(name));
        }
    }

    /// A reading is told where it is news; one that fails now may come later.
    pub(super) fn reading_answered(&mut self, name: &str, values: Option<Values>) {
        let state = if values.is_some() { State::Ok } else { State::Idle };
        let Some(shown) = self.store.vector(name) else { return };
        let news = shown.state != state || values.is_some() && shown.values() != values;
        if news {
            if let Some(values) = values {
                self.store.assign(name, values);
            }
            self.store.set_state(name, state);
            self.send_by_name(name);
        }
    }

    /// Asks a camera that is being connected for what it is set to.
    pub(super) fn ask_own(&mut self) {
        for name in self.own.names.clone() {
            self.ask(Call::GetParameter(name));
        }
    }

    /// Accepts a value for the time after the exposure.
    pub(super) fn put_off(&mut self, name: &str, value: Value, values: Values) {
        self.own.pending.retain(|(pending, _)| pending != name);
        self.own.pending.push((name.to_owned(), value));
        self.store.assign(name, values);
        self.store.set_state(name, State::Ok);
        self.send_by_name(name);
    }

    /// Brings to the camera what was accepted while it was exposing.
    pub(super) fn apply_pending_own(&mut self) {
        for (name, value) in std::mem::take(&mut self.own.pending) {
            self.ask(Call::SetParameter(name, value));
        }
    }

    /// Gives a camera that was lost the settings that clients see.
    pub(super) fn reapply_own(&mut self) {
        let settings = self.own.names.iter().filter(|name| self.is_own(name));
        for name in settings.cloned().collect::<Vec<_>>() {
            let value = |vector: &Vector| controls::to_value(vector, &vector.values()?);
            if let Some(value) = self.store.vector(&name).and_then(value) {
                self.ask(Call::SetParameter(name, value));
            }
        }
    }
}

fn vector_of(control: &Control) -> Vector {
    let element =
        |name: &str, label: &str| ElementDefinition { name: name.to_owned(), label: label.to_owned() };
    let perm = if control.kind == ControlKind::Reading { Perm::Ro } else { Perm::Rw };
    let elements = match &control.kind {
        ControlKind::Reading => {
            let limits = Limits { min: 0.0, max: 0.0, step: 0.0 };
            let number = Number { value: 0.0, format: "%.2f".to_owned(), limits };
            Elements::Number(vec![(element(CONTROL_VALUE, "Value"), number)])
        }
        ControlKind::Number(range) => {
            let number = Number { value: range.min, format: "%g".to_owned(), limits: limits(*range) };
            Elements::Number(vec![(element(CONTROL_VALUE, "Value"), number)])
        }
        ControlKind::Choice(choices) => {
            let choice = |(i, (name, label)): (usize, &(String, String))| (element(name, label), i == 0);
            Elements::Switch(Rule::OneOfMany, choices.iter().enumerate().map(choice).collect())
        }
    };
    Vector {
        name: control.name.clone(),
        label: control.label.clone(),
        group: GROUP.to_owned(),
        state: State::Idle,
        perm,
        timeout: TIMEOUT,
        elements,
        defined: false,
    }
}
