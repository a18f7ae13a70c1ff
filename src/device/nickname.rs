//! What its user calls a camera, kept under its serial number; the device is named after it at the next start.

use crate::property::key::Key;
use crate::property::keys;
use crate::wire::State;

use super::job::{DeliveryError, Job};
use super::{Device, Handlers, Level};

/// Longest nickname, bytes: with the camera's own name before it the device's name must fit what the protocol's
/// readers keep of one.
const MAX_NICKNAME: usize = 31;

pub(super) fn register(on: &mut Handlers) {
    on.change(&keys::NICKNAME, Device::change_nickname);
}

impl Device {
    /// Makes the camera's identity visible, as far as it has one.
    pub(super) fn introduce(&mut self, nickname: Option<String>) {
        if let Some(serial) = self.camera.serial.clone() {
            self.store.set(&keys::SERIAL_NUMBER, [serial]);
            self.store.set(&keys::NICKNAME, [nickname.unwrap_or_default()]);
            self.store.show(keys::NICKNAME.vector());
        }
    }

    fn change_nickname(&mut self, [nickname]: [String; 1]) {
        let name = keys::NICKNAME.vector();
        let Some(serial) = self.camera.serial.clone() else { return };
        let nickname = nickname.trim();
        if nickname.len() > MAX_NICKNAME || nickname.contains(|c: char| c == '/' || c.is_control()) {
            let rule = format!("it has at most {MAX_NICKNAME} bytes and no /");
            return self.refuse(name, &format!("{name}.nickname cannot be {nickname:?}: {rule}"));
        }
        self.settle(&keys::NICKNAME, State::Busy);
        self.expect_file();
        self.jobs.push_back(Job::Nickname { serial, nickname: nickname.to_owned() });
    }

    pub(super) fn nicknamed(&mut self, result: Result<String, DeliveryError>) {
        match result {
            Ok(nickname) => {
                self.say(Level::Info, "the nickname is used when the driver starts the next time");
                self.publish(&keys::NICKNAME, [nickname], State::Ok);
            }
            Err(error) => {
                let sentence = format!("the nickname was not stored: {error}");
                self.say(Level::Error, &sentence);
                self.note_not_stored(&sentence);
                self.settle(&keys::NICKNAME, State::Alert);
            }
        }
        self.file_answered();
    }
}
