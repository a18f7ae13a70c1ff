//! Stored settings: what is kept, when it comes back, and the CONFIG_PROCESS buttons.
//!
//! The document is libindi's: the writes that bring the settings back. Loading replays them as if a client had sent
//! them, so every limit applies. Vectors that are always defined come back when the driver starts, before their first
//! definition; gain, offset, optics, capture format, cooler and upload settings when the camera is connected. Window,
//! binning, fast exposure, upload mode, transfer format and compression come back only on CONFIG_LOAD: PHD2 never sends
//! the last three, takes plain FITS alone, and sends CCD_FRAME only when its own value changes, so what was restored
//! behind its back would cost it its frames.

use crate::camera::error::ErrorKind;
use crate::property::key::{Key, Values};
use crate::property::keys::{self, ConfigProcess};
use crate::property::store::Vector;
use crate::wire::{New, State};

use super::job::{ConfigSource, DeliveryError, Document, Job, Press};
use super::{Device, Handlers, Level};

/// The vectors that are kept besides the backend's own settings.
fn persistent() -> [&'static str; 21] {
    [
        keys::DEBUG.vector(),
        keys::DEBUG_LEVEL.vector(),
        keys::LOGGING_LEVEL.vector(),
        keys::LOG_OUTPUT.vector(),
        keys::POLLING_PERIOD.vector(),
        keys::ACTIVE_DEVICES.vector(),
        keys::CCD_SPOOL.vector(),
        keys::CCD_SPOOL_LIMITS.vector(),
        keys::SCOPE_INFO.vector(),
        keys::UPLOAD_MODE.vector(),
        keys::UPLOAD_SETTINGS.vector(),
        keys::CCD_FAST_TOGGLE.vector(),
        keys::CCD_BINNING.vector(),
        keys::CCD_FRAME.vector(),
        keys::CCD_CAPTURE_FORMAT.vector(),
        keys::CCD_TRANSFER_FORMAT.vector(),
        keys::CCD_COMPRESSION.vector(),
        keys::CCD_GAIN.vector(),
        keys::CCD_OFFSET.vector(),
        keys::CCD_TEMP_RAMP.vector(),
        keys::COOLER_POLICY.vector(),
    ]
}

/// Those of them that a connecting camera is given unasked.
fn applied_on_connect() -> [&'static str; 7] {
    [
        keys::UPLOAD_SETTINGS.vector(),
        keys::SCOPE_INFO.vector(),
        keys::CCD_CAPTURE_FORMAT.vector(),
        keys::CCD_GAIN.vector(),
        keys::CCD_OFFSET.vector(),
        keys::CCD_TEMP_RAMP.vector(),
        keys::COOLER_POLICY.vector(),
    ]
}

/// The stored settings that still wait for a camera, and the button that is being worked on.
#[derive(Debug, Default)]
pub(super) struct Config {
    saved: Document,
    /// The button that is being worked on.
    pressed: Option<ConfigProcess>,
    /// How often one was pressed.
    presses: Press,
}

pub(super) fn register(on: &mut Handlers) {
    on.change(&keys::CONFIG_PROCESS, Device::process_config);
}

impl Device {
    /// Takes back the settings that are defined before connecting. Nobody listens yet, so nothing is said.
    pub(super) fn restore(&mut self, saved: Document) {
        for new in &saved {
            if self.is_kept(&new.name)
                && !self.on_connect.contains(&new.name)
                && let Ok(values) = self.store.check(new)
            {
                self.store.assign(&new.name, values);
            }
        }
        self.config.saved = saved;
        self.push_settings();
        self.restore_debug();
    }

    /// Gives a camera that is being connected, for the first time, the settings that were stored.
    pub(super) fn apply_saved(&mut self) {
        let saved = std::mem::take(&mut self.config.saved);
        let is_applied = |name: &str| applied_on_connect().contains(&name);
        for new in saved {
            if !is_applied(&new.name) && !self.is_own(&new.name) {
                continue;
            }
            match self.store.check(&new) {
                Ok(values) => self.change(&new, &values),
                Err(rejection) => self.say(Level::Warning, &format!("stored setting not used: {rejection}")),
            }
        }
    }

    fn process_config(&mut self, pressed: Option<ConfigProcess>) {
        let Some(pressed) = pressed else {
            return self.publish(&keys::CONFIG_PROCESS, None, State::Idle);
        };
        if self.config.pressed.is_some() {
            let (vector, sentence) =
                (keys::CONFIG_PROCESS.vector(), "CONFIG_PROCESS has to wait: it is still busy");
            return self.refuse_as(ErrorKind::Busy, vector, sentence);
        }
        self.config.pressed = Some(pressed);
        self.config.presses.0 = self.config.presses.0.wrapping_add(1);
        let press = self.config.presses;
        self.expect_file();
        self.publish(&keys::CONFIG_PROCESS, None, State::Busy);
        self.jobs.push_back(match pressed {
            ConfigProcess::Load => Job::LoadConfig(press, ConfigSource::Saved),
            ConfigProcess::Default => Job::LoadConfig(press, ConfigSource::Default),
            ConfigProcess::Save => Job::SaveConfig(press, self.document()),
            ConfigProcess::Purge => Job::PurgeConfig(press),
        });
    }

    pub(super) fn config_loaded(&mut self, result: Result<Option<Document>, DeliveryError>) {
        match result {
            Ok(Some(document)) => {
                if self.capabilities.is_none() {
                    // What belongs to the camera waits for it.
                    self.config.saved.clone_from(&document);
                }
                for new in &document {
                    if self.is_kept(&new.name) && self.would_change(new) {
                        self.write(new);
                    }
                }
                self.finish_config(State::Ok, Level::Info, "Device configuration applied");
            }
            Ok(None) => {
                self.finish_config(State::Alert, Level::Info, "There is no stored configuration to load");
            }
            Err(error) => self.config_failed("loaded", &error),
        }
    }

    /// Whether a stored vector is news. What is not defined now cannot be set now, which is no fault of the file; what
    /// is so already need not be set again, even if it could not be set now.
    fn would_change(&self, new: &New) -> bool {
        let Some(vector) = self.store.vector(&new.name).filter(|vector| vector.defined) else { return false };
        self.store.check(new).ok() != vector.values()
    }

    pub(super) fn config_saved(&mut self, result: Result<(), DeliveryError>) {
        match result {
            Ok(()) => self.finish_config(State::Ok, Level::Info, "Device configuration saved"),
            Err(error) => self.config_failed("saved", &error),
        }
    }

    pub(super) fn config_purged(&mut self, result: Result<bool, DeliveryError>) {
        match result {
            Ok(true) => {
                self.config.saved.clear();
                self.finish_config(State::Ok, Level::Info, "Device configuration purged");
            }
            Ok(false) => {
                self.finish_config(State::Alert, Level::Warning, "There is no stored configuration to purge");
            }
            Err(error) => self.config_failed("purged", &error),
        }
    }

    /// Whether a button is being worked on.
    pub(super) fn is_processing_config(&self) -> bool {
        self.config.pressed.is_some()
    }

    /// Whether that press of one is. What the disk says of any other is late.
    pub(super) fn is_processing(&self, press: Press) -> bool {
        self.is_processing_config() && press == self.config.presses
    }

    pub(super) fn config_overdue(&mut self, error: &DeliveryError) {
        let done = match self.config.pressed {
            None => return,
            Some(ConfigProcess::Load | ConfigProcess::Default) => "loaded",
            Some(ConfigProcess::Save) => "saved",
            Some(ConfigProcess::Purge) => "purged",
        };
        self.config_failed(done, error);
    }

    fn config_failed(&mut self, done: &str, error: &DeliveryError) {
        self.finish_config(State::Alert, Level::Error, &format!("the configuration was not {done}: {error}"));
    }

    fn finish_config(&mut self, state: State, level: Level, sentence: &str) {
        self.config.pressed = None;
        self.file_answered();
        self.say(level, sentence);
        if state == State::Alert {
            self.note_not_stored(sentence);
        }
        self.publish(&keys::CONFIG_PROCESS, None, state);
    }

    /// The writes that would bring back what is kept.
    fn document(&self) -> Document {
        let kept = |vector: &&Vector| self.is_kept(&vector.name);
        self.store.vectors().iter().filter(kept).filter_map(|vector| self.stored(vector)).collect()
    }

    fn is_kept(&self, vector: &str) -> bool {
        persistent().contains(&vector)
            || self.is_own(vector)
            || self.settings.iter().any(|name| name == vector)
    }

    /// A vector as it is stored. Before the first connection nothing is known of the camera's vectors but what was
    /// stored already.
    fn stored(&self, vector: &Vector) -> Option<New> {
        let known = match &self.capabilities {
            Some(capabilities) => self.offers(capabilities, &vector.name),
            None => !self.on_connect.contains(&vector.name),
        };
        if !known {
            return self.config.saved.iter().find(|new| new.name == vector.name).cloned();
        }
        let texts: Vec<String> = match vector.values()? {
            Values::Numbers(numbers) => numbers.iter().map(f64::to_string).collect(),
            Values::Texts(texts) => texts,
            Values::Switches(on) => on.iter().map(|on| if *on { "On" } else { "Off" }.to_owned()).collect(),
            Values::Lights(_) => return None,
        };
        let elements = vector.element_names().into_iter().map(str::to_owned).zip(texts).collect();
        Some(New {
            device: Some(self.name.clone()),
            name: vector.name.clone(),
            kind: vector.kind(),
            elements,
        })
    }
}
