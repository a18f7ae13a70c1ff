//! Sentences for the user, and the driver's log for those who want it.

use crate::property::keys::{self, Debug};
use crate::wire::{Message, State};

use super::{Device, Handlers};

/// How much a sentence matters; clients colour and filter by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Something failed or was refused.
    Error,
    /// Something will go wrong unless the user acts.
    Warning,
    /// Something happened.
    Info,
    /// For developers.
    Debug,
}

impl Level {
    /// The prefix by which clients recognise it.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Level::Error => "[ERROR]",
            Level::Warning => "[WARNING]",
            Level::Info => "[INFO]",
            Level::Debug => "[DEBUG]",
        }
    }
}

pub(super) fn register(on: &mut Handlers) {
    on.change(&keys::DEBUG, Device::switch_debug);
}

impl Device {
    fn switch_debug(&mut self, choice: Debug) {
        self.publish(&keys::DEBUG, choice, State::Ok);
        let sentence = match choice {
            Debug::Enable => "Debug is enabled",
            Debug::Disable => "Debug is disabled",
        };
        self.say(Level::Info, sentence);
    }

    /// Tells clients one sentence.
    pub(super) fn say(&mut self, level: Level, sentence: &str) {
        if self.greeted {
            self.outbox.push(Message::Say {
                device: Some(self.name.clone()),
                text: format!("{} {sentence}", level.prefix()),
                at: self.now.utc,
            });
        }
    }

    pub(super) fn forward_log(&mut self, level: Level, line: &str) {
        if self.store.get(&keys::DEBUG) == Debug::Enable {
            self.say(level, line);
        }
    }
}
