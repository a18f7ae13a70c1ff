//! Gain, offset, and the settings of the backend's own.
//!
//! A setting is brought to the camera as soon as no exposure runs there, so that an exposure keeps the settings it
//! began with; one that is written meanwhile is accepted at once and applied before the next exposure starts. What
//! clients see in the end is what the camera reads back.

use crate::camera::call::{Call, Reply};
use crate::camera::error::CameraError;
use crate::camera::types::{Capabilities, Value};
use crate::property::key::{Key, Number, Values};
use crate::property::keys;
use crate::property::store::Vector;
use crate::wire::{Elements, New, State};

use super::connection::Link;
use super::{Device, Handlers, limits};

/// What has been accepted and not brought to the camera yet.
#[derive(Debug, Default)]
pub(super) struct Controls {
    gain: Option<i32>,
    offset: Option<i32>,
}

/// Gain or offset.
#[derive(Clone, Copy)]
enum Control {
    Gain,
    Offset,
}

impl Control {
    fn key(self) -> Number<1> {
        match self {
            Control::Gain => keys::CCD_GAIN,
            Control::Offset => keys::CCD_OFFSET,
        }
    }

    fn get(self) -> Call {
        match self {
            Control::Gain => Call::GetGain,
            Control::Offset => Call::GetOffset,
        }
    }

    fn set(self, value: i32) -> Call {
        match self {
            Control::Gain => Call::SetGain(value),
            Control::Offset => Call::SetOffset(value),
        }
    }

    fn of(call: &Call) -> Control {
        match call {
            Call::GetGain | Call::SetGain(_) => Control::Gain,
            _ => Control::Offset,
        }
    }
}

pub(super) fn register(on: &mut Handlers) {
    on.change(&keys::CCD_GAIN, |device, [value]| device.change_control(Control::Gain, value));
    on.change(&keys::CCD_OFFSET, |device, [value]| device.change_control(Control::Offset, value));
}

impl Device {
    fn change_control(&mut self, control: Control, value: f64) {
        let key = control.key();
        let whole = value.fract() == 0.0 && (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&value);
        if !whole {
            let name = key.vector();
            return self.refuse(name, &format!("{name} cannot be {value}: it takes whole numbers"));
        }
        if self.refused_while_lost(&key) {
            return;
        }
        #[expect(clippy::cast_possible_truncation, reason = "checked above")]
        let wanted = value as i32;
        if self.is_exposing() {
            *self.pending(control) = Some(wanted);
            self.publish(&key, [value], State::Ok);
        } else {
            self.ask(control.set(wanted));
        }
    }

    fn pending(&mut self, control: Control) -> &mut Option<i32> {
        match control {
            Control::Gain => &mut self.controls.gain,
            Control::Offset => &mut self.controls.offset,
        }
    }

    /// Brings to the camera what was accepted while it was exposing.
    pub(super) fn apply_pending_controls(&mut self) {
        self.apply_pending_format();
        self.apply_pending_own();
        for control in [Control::Gain, Control::Offset] {
            if let Some(value) = self.pending(control).take() {
                self.ask(control.set(value));
            }
        }
    }

    /// Sets the camera for one exposure to what is not its setting; that comes back with the next
    /// [`apply_pending_controls`](Device::apply_pending_controls).
    pub(super) fn lend_controls(&mut self, gain: Option<i32>, offset: Option<i32>) {
        for (control, wanted) in [(Control::Gain, gain), (Control::Offset, offset)] {
            let Some(wanted) = wanted else { continue };
            let own = self.shown(control);
            if own != wanted {
                self.pending(control).get_or_insert(own);
                self.ask(control.set(wanted));
            }
        }
    }

    /// Gain and offset as clients see them, of cameras that have them.
    pub(super) fn shown_controls(&self) -> (Option<i32>, Option<i32>) {
        let can = self.capabilities.as_ref();
        let has_gain = can.is_some_and(|can| can.gain.is_some());
        let has_offset = can.is_some_and(|can| can.offset.is_some());
        (has_gain.then(|| self.shown(Control::Gain)), has_offset.then(|| self.shown(Control::Offset)))
    }

    fn shown(&self, control: Control) -> i32 {
        let [value] = self.store.get(&control.key());
        #[expect(clippy::cast_possible_truncation, reason = "came from an i32")]
        {
            value as i32
        }
    }

    pub(super) fn control_answered(&mut self, call: &Call, result: Result<Reply, CameraError>) {
        let control = Control::of(call);
        let key = control.key();
        match result {
            Ok(Reply::Gain(value) | Reply::Offset(value)) => {
                // A value that was accepted in the meantime is the one that clients should see.
                let shown = self.pending(control).unwrap_or(value);
                let state = match call {
                    Call::SetGain(_) | Call::SetOffset(_) => State::Ok,
                    _ => self.store.state(&key),
                };
                self.publish(&key, [f64::from(shown)], state);
            }
            Ok(_) => {}
            // Clients have been told already that there is no camera.
            Err(_) if self.link == Link::Off => {}
            Err(error) => {
                if self.is_lent(call) {
                    self.fail_exposure(&error.to_string());
                }
                self.refuse_as(error.kind, key.vector(), &error.to_string());
                if matches!(call, Call::SetGain(_) | Call::SetOffset(_)) && self.link == Link::On {
                    self.ask(control.get());
                }
            }
        }
    }

    /// Asks a camera that is being connected for what it is set to.
    pub(super) fn ask_settings(&mut self) {
        let Some(capabilities) = &self.capabilities else { return };
        let (gain, offset) = (capabilities.gain.is_some(), capabilities.offset.is_some());
        self.ask_format();
        if gain {
            self.ask(Call::GetGain);
        }
        if offset {
            self.ask(Call::GetOffset);
        }
        self.ask_own();
    }

    /// Gives a camera that was lost the settings that clients see.
    pub(super) fn reapply_settings(&mut self) {
        let Some(capabilities) = &self.capabilities else { return };
        let has =
            [(Control::Gain, capabilities.gain.is_some()), (Control::Offset, capabilities.offset.is_some())];
        for (control, _) in has.into_iter().filter(|(_, has)| *has) {
            self.ask(control.set(self.shown(control)));
        }
        self.reapply_format();
        self.reapply_own();
    }

    pub(super) fn adopt_controls(&mut self, capabilities: &Capabilities) {
        if let Some(range) = capabilities.gain {
            self.store.set_limits(&keys::CCD_GAIN, &[limits(range)]);
        }
        if let Some(range) = capabilities.offset {
            self.store.set_limits(&keys::CCD_OFFSET, &[limits(range)]);
        }
        self.controls = Controls::default();
    }

    /// A client's write to a vector of the backend's own.
    pub(super) fn change_setting(&mut self, new: &New, values: &Values) {
        let value = self.store.vector(&new.name).and_then(|vector| to_value(vector, values));
        let Some(mut value) = value else { return };
        if self.is_own(&new.name) && self.is_exposing() {
            return self.put_off(&new.name, value, values.clone());
        }
        if let Value::Record(fields) = &mut value {
            // Of the other elements we know what the camera had before the calls that it has not answered yet: to
            // send them would undo those.
            fields.retain(|(name, _)| new.elements.iter().any(|(written, _)| written == name));
        }
        self.ask(Call::SetParameter(new.name.clone(), value));
    }

    pub(super) fn setting_answered(&mut self, name: &str, call: &Call, result: Result<Reply, CameraError>) {
        match result {
            result if self.is_reading(name) => {
                let vector = self.store.vector(name);
                let values = match (vector, result) {
                    (Some(vector), Ok(Reply::Value(value))) => to_values(vector, &value),
                    _ => None,
                };
                self.reading_answered(name, values);
            }
            Ok(Reply::Value(value)) => {
                let values = self.store.vector(name).and_then(|vector| to_values(vector, &value));
                if let Some(values) = values {
                    self.store.assign(name, values);
                }
                if matches!(call, Call::SetParameter(..)) {
                    self.store.set_state(name, State::Ok);
                }
                self.send_by_name(name);
            }
            Ok(_) => {}
            Err(error) => self.refuse_as(error.kind, name, &error.to_string()),
        }
    }

    /// Tells the camera what its settings' vectors say, after a configuration or a skeleton has changed them.
    pub(super) fn push_settings(&mut self) {
        for name in self.settings.clone() {
            let value = |vector: &Vector| to_value(vector, &vector.values()?);
            if let Some(value) = self.store.vector(&name).and_then(value) {
                self.ask(Call::SetParameter(name, value));
            }
        }
    }
}

/// A vector's values in the words of [`crate::camera::Camera::set_parameter`].
pub(super) fn to_value(vector: &Vector, values: &Values) -> Option<Value> {
    let names = vector.element_names().into_iter().map(str::to_owned);
    match values {
        Values::Numbers(numbers) => {
            Some(Value::Record(names.zip(numbers.iter().map(|number| Value::Number(*number))).collect()))
        }
        Values::Texts(texts) => {
            Some(Value::Record(names.zip(texts.iter().map(|text| Value::Text(text.clone()))).collect()))
        }
        Values::Lights(_) => None,
        Values::Switches(switches) => {
            names.zip(switches).find(|(_, on)| **on).map(|(name, _)| Value::Text(name))
        }
    }
}

/// The values of a vector from the words of [`crate::camera::Camera::get_parameter`].
fn to_values(vector: &Vector, value: &Value) -> Option<Values> {
    let names = vector.element_names();
    match (&vector.elements, value) {
        (Elements::Switch(..), Value::Text(chosen)) => {
            Some(Values::Switches(names.iter().map(|name| name == chosen).collect()))
        }
        (Elements::Number(_), Value::Record(fields)) => {
            let number = |name: &&str| {
                fields.iter().find(|(key, _)| key == name).and_then(|(_, value)| match value {
                    Value::Number(number) => Some(*number),
                    _ => None,
                })
            };
            names.iter().map(number).collect::<Option<_>>().map(Values::Numbers)
        }
        (Elements::Text(_), Value::Record(fields)) => {
            let text = |name: &&str| {
                fields.iter().find(|(key, _)| key == name).and_then(|(_, value)| match value {
                    Value::Text(text) => Some(text.clone()),
                    _ => None,
                })
            };
            names.iter().map(text).collect::<Option<_>>().map(Values::Texts)
        }
        _ => None,
    }
}
