//! Sentences for the user, and the driver's log for those who want it.
//!
//! While DEBUG is off, clients hear every sentence but those for developers. While it is on, three vectors decide:
//! DEBUG_LEVEL what clients hear, LOGGING_LEVEL what goes to the log file, LOG_OUTPUT whether there is the one, the
//! other, both or none.

use serde::{Deserialize, Serialize};

use crate::property::key::Key;
use crate::property::keys::{self, Debug, DebugLevel, LogOutput, LoggingLevel};
use crate::wire::write::timestamp;
use crate::wire::{Message, State};

use super::{Device, Handlers};

/// How much a sentence matters; clients colour and filter by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
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

    fn told(self) -> DebugLevel {
        match self {
            Level::Error => DebugLevel::Error,
            Level::Warning => DebugLevel::Warning,
            Level::Info => DebugLevel::Session,
            Level::Debug => DebugLevel::Debug,
        }
    }

    fn logged(self) -> LoggingLevel {
        match self {
            Level::Error => LoggingLevel::Error,
            Level::Warning => LoggingLevel::Warning,
            Level::Info => LoggingLevel::Session,
            Level::Debug => LoggingLevel::Debug,
        }
    }
}

pub(super) fn register(on: &mut Handlers) {
    on.change(&keys::DEBUG, Device::switch_debug);
    on.change(&keys::DEBUG_LEVEL, |device, on| device.change_levels(&keys::DEBUG_LEVEL, on));
    on.change(&keys::LOGGING_LEVEL, |device, on| device.change_levels(&keys::LOGGING_LEVEL, on));
    on.change(&keys::LOG_OUTPUT, Device::change_log_output);
}

/// The vectors that are there while DEBUG is on.
fn debugging() -> [&'static str; 3] {
    [keys::DEBUG_LEVEL.vector(), keys::LOGGING_LEVEL.vector(), keys::LOG_OUTPUT.vector()]
}

impl Device {
    fn switch_debug(&mut self, choice: Debug) {
        let was = self.store.get(&keys::DEBUG);
        // The sentence is not for the filter to hide that it switches.
        self.store.set(&keys::DEBUG, Debug::Disable);
        match choice {
            Debug::Enable => self.say(Level::Info, "Debug is enabled"),
            Debug::Disable => self.say(Level::Info, "Debug is disabled"),
        }
        match (was, choice) {
            (Debug::Disable, Debug::Enable) => debugging().into_iter().for_each(|name| self.reveal(name)),
            (Debug::Enable, Debug::Disable) => debugging().into_iter().for_each(|name| self.withdraw(name)),
            _ => {}
        }
        self.publish(&keys::DEBUG, choice, State::Ok);
        if was != choice {
            self.name_log_file();
        }
    }

    /// What a restored DEBUG brings with it.
    pub(super) fn restore_debug(&mut self) {
        if self.store.get(&keys::DEBUG) == Debug::Enable {
            for name in debugging() {
                self.store.show(name);
            }
        }
    }

    fn change_levels<K: Key<Value = Vec<E>>, E>(&mut self, key: &K, on: Vec<E>) {
        let state = if on.is_empty() { State::Idle } else { State::Ok };
        self.publish(key, on, state);
    }

    fn change_log_output(&mut self, on: Vec<LogOutput>) {
        let logged = self.logs_to_file();
        self.change_levels(&keys::LOG_OUTPUT, on);
        if !logged {
            self.name_log_file();
        }
    }

    fn name_log_file(&mut self) {
        if self.logs_to_file() {
            let sentence = format!("Session log file {}", self.log_file);
            self.say(Level::Info, &sentence);
        }
    }

    fn logs_to_file(&self) -> bool {
        self.store.get(&keys::DEBUG) == Debug::Enable
            && self.store.get(&keys::LOG_OUTPUT).contains(&LogOutput::File)
    }

    fn is_told(&self, level: Level) -> bool {
        match self.store.get(&keys::DEBUG) {
            Debug::Disable => level != Level::Debug,
            Debug::Enable => {
                self.store.get(&keys::LOG_OUTPUT).contains(&LogOutput::Client)
                    && self.store.get(&keys::DEBUG_LEVEL).contains(&level.told())
            }
        }
    }

    /// Tells clients one sentence, and the log file, as far as they want to know.
    pub(super) fn say(&mut self, level: Level, sentence: &str) {
        if self.logs_to_file() && self.store.get(&keys::LOGGING_LEVEL).contains(&level.logged()) {
            let at = timestamp(self.now.utc);
            self.log_lines.push_back(format!("{at} {} {}: {sentence}", level.prefix(), self.name));
        }
        if self.greeted && self.is_told(level) {
            self.outbox.push(Message::Say {
                device: Some(self.name.clone()),
                text: format!("{} {sentence}", level.prefix()),
                at: self.now.utc,
            });
        }
    }

    /// Whether [`Input::Log`](super::Input::Log) means anything to it.
    #[must_use]
    pub fn wants_log(&self) -> bool {
        self.store.get(&keys::DEBUG) == Debug::Enable
    }

    pub(super) fn forward_log(&mut self, level: Level, line: &str) {
        if self.wants_log() {
            self.say(level, line);
        }
    }

    fn reveal(&mut self, name: &str) {
        self.store.show(name);
        if self.greeted {
            self.send_definition(name);
        }
    }

    /// Has clients forget a vector.
    pub(super) fn withdraw(&mut self, name: &str) {
        if self.store.undefine(name) && self.greeted {
            let device = self.name.clone();
            self.outbox.push(Message::Delete { device, name: Some(name.to_owned()), at: self.now.utc });
        }
    }
}
