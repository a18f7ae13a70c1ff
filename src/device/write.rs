//! A client's write on its way to whoever owns the vector.

use std::borrow::Cow;

use crate::camera::error::ErrorKind;
use crate::property::key::{Key, Values};
use crate::property::keys;
use crate::property::rejection::Rejection;
use crate::wire::New;

use super::connection::Link;
use super::{Device, Level, guide};

impl Device {
    /// A client's write, or one replayed from a configuration.
    pub(super) fn write(&mut self, new: &New) {
        let new = self.completed(new);
        match self.store.accept(&new) {
            Ok(values) => self.change(&new, &values),
            Err(unknown @ Rejection::Unknown { .. }) => {
                let sentence = unknown.to_string();
                self.say(Level::Error, &sentence);
                let gone =
                    matches!(self.link, Link::Off | Link::Parting) && self.on_connect.contains(&new.name);
                let kind = if gone { ErrorKind::NotConnected } else { ErrorKind::NotSupported };
                self.note_refusal(kind, &sentence);
            }
            Err(rejection) => self.refuse_as(kind(&rejection), &new.name, &rejection.to_string()),
        }
    }

    /// Hands accepted values to whoever owns the vector.
    pub(super) fn change(&mut self, new: &New, values: &Values) {
        match self.handlers.of(&new.name) {
            Some(handler) => handler(self, values),
            None => self.change_setting(new, values),
        }
    }

    /// A write with a value for every element, where what a client leaves out does not mean what was there before: a
    /// pulse says nothing about the one before, nor a call.
    fn completed<'a>(&self, new: &'a New) -> Cow<'a, New> {
        let blank = match new.name.as_str() {
            name if guide::is_pulse(name) => "0",
            name if name == keys::CAMERA_CALL.vector() => "",
            _ => return Cow::Borrowed(new),
        };
        // A write without any element stays one, to be refused.
        let vector = self.store.vector(&new.name).filter(|_| !new.elements.is_empty());
        let Some(vector) = vector else { return Cow::Borrowed(new) };
        let missing = |name: &&str| new.elements.iter().all(|(has, _)| has != name);
        let blanks = vector.element_names().into_iter().filter(missing);
        let blanks: Vec<_> = blanks.map(|name| (name.to_owned(), blank.to_owned())).collect();
        Cow::Owned(New { elements: [new.elements.as_slice(), &blanks].concat(), ..new.clone() })
    }
}

/// The kind of failure that a refused write is.
fn kind(rejection: &Rejection) -> ErrorKind {
    match rejection {
        Rejection::Unknown { .. } | Rejection::ReadOnly { .. } => ErrorKind::NotSupported,
        Rejection::OutOfRange { .. } => ErrorKind::OutOfRange,
        Rejection::WrongKind { .. }
        | Rejection::Empty { .. }
        | Rejection::UnknownElement { .. }
        | Rejection::NotANumber { .. }
        | Rejection::NotASwitch { .. }
        | Rejection::RuleBroken { .. } => ErrorKind::InvalidValue,
    }
}
