//! What clients hear of a vector: that it is there, its values and its state, and that a write was refused.

use crate::camera::error::ErrorKind;
use crate::camera::types::Range;
use crate::property::key::Key;
use crate::wire::{Limits, Message, Perm, State};

use super::{Device, Level, connection};

impl Device {
    pub(super) fn send_definition(&mut self, name: &str) {
        if let Some(definition) = self.store.define(name, self.now.utc) {
            self.outbox.push(Message::Define(definition));
        }
    }

    /// Sends state and values of a vector as they are.
    pub(super) fn send<K: Key>(&mut self, key: &K) {
        self.send_by_name(key.vector());
    }

    pub(super) fn send_by_name(&mut self, name: &str) {
        if !self.greeted {
            return;
        }
        if let Some(update) = self.store.update(name, self.now.utc) {
            self.outbox.push(Message::Set(update));
        }
    }

    /// Sets and sends the state of a vector, with its values.
    pub(super) fn settle<K: Key>(&mut self, key: &K, state: State) {
        self.store.set_state(key.vector(), state);
        self.send(key);
    }

    /// Sets and sends value and state of a vector.
    pub(super) fn publish<K: Key>(&mut self, key: &K, value: K::Value, state: State) {
        self.store.set(key, value);
        self.settle(key, state);
    }

    /// The same, where it is news.
    pub(super) fn publish_news<K: Key>(&mut self, key: &K, value: K::Value, state: State) {
        let values = key.write(value);
        let told = self.store.vector(key.vector());
        if told.is_none_or(|told| told.state != state || told.values().as_ref() != Some(&values)) {
            self.publish(key, key.read(&values), state);
        }
    }

    /// Refuses a write that only a camera can carry out, when it is lost; says whether it is. A camera that is being
    /// asked for its settings is there: it is given those that were saved.
    pub(super) fn refused_while_lost<K: Key>(&mut self, key: &K) -> bool {
        let lost = !matches!(self.link, connection::Link::On | connection::Link::Asking);
        if lost {
            let vector = key.vector();
            let sentence = format!("{vector} has to wait: the camera is lost");
            self.refuse_as(ErrorKind::Disconnected, vector, &sentence);
        }
        lost
    }

    /// Answers a write that makes no sense; see [`refuse_as`](Device::refuse_as).
    pub(super) fn refuse(&mut self, vector: &str, sentence: &str) {
        self.refuse_as(ErrorKind::InvalidValue, vector, sentence);
    }

    /// Answers a write that changes nothing: one sentence, and the true values. The state becomes Alert, but what is
    /// under way stays Busy (to Ekos an Alert is a failed capture), and a vector that only the driver writes, or that
    /// clients do not know now, stays as it is.
    pub(super) fn refuse_as(&mut self, kind: ErrorKind, vector: &str, sentence: &str) {
        self.say(Level::Error, sentence);
        self.note_refusal(kind, sentence);
        let stays = self
            .store
            .vector(vector)
            .is_none_or(|vector| !vector.defined || vector.state == State::Busy || vector.perm == Perm::Ro);
        if !stays {
            self.store.set_state(vector, State::Alert);
        }
        self.send_by_name(vector);
    }
}

/// What clients may write, as the camera says it.
pub(super) fn limits<T: Into<f64>>(range: Range<T>) -> Limits {
    Limits { min: range.min.into(), max: range.max.into(), step: range.step.into() }
}
