//! What frames look like: the camera's format, and the one in which they are sent and saved.
//!
//! The camera's formats are elements of a vector that has none until a camera is connected. As with gain, one that is
//! chosen during an exposure is accepted at once and brought to the camera before the next exposure starts.

use crate::camera::call::{Call, Reply};
use crate::camera::error::CameraError;
use crate::camera::types::{Capabilities, CaptureFormat, FORMAT_PARAMETER, Value};
use crate::property::key::Key;
use crate::property::keys::{self, Toggle, TransferFormat};
use crate::wire::{ElementDefinition, Message, State};

use super::connection::Link;
use super::job::Encoding;
use super::{Device, Handlers};

/// What has been accepted and not brought to the camera yet.
#[derive(Debug, Default)]
pub(super) struct Formats {
    pending: Option<String>,
}

pub(super) fn register(on: &mut Handlers) {
    on.keep(&keys::CCD_TRANSFER_FORMAT);
    on.keep(&keys::CCD_COMPRESSION);
    on.change(&keys::CCD_CAPTURE_FORMAT, Device::change_capture_format);
}

/// Whether a call is about the format of the camera.
pub(super) fn is_about_format(call: &Call) -> bool {
    matches!(call, Call::GetParameter(name) | Call::SetParameter(name, _) if name == FORMAT_PARAMETER)
}

impl Device {
    /// What becomes of a frame whose exposure starts now.
    pub(super) fn encoding(&self) -> Encoding {
        let compressed = self.store.get(&keys::CCD_COMPRESSION) == Toggle::Enabled;
        match (self.store.get(&keys::CCD_TRANSFER_FORMAT), compressed) {
            (TransferFormat::Fits, false) => Encoding::Fits,
            (TransferFormat::Fits, true) => Encoding::FitsRice,
            (TransferFormat::Native, false) => Encoding::Native,
            (TransferFormat::Native, true) => Encoding::NativeZlib,
            (TransferFormat::Xisf, compressed) => Encoding::Xisf { compressed },
        }
    }

    /// Bits in the container of one pixel of the next frame.
    pub(super) fn bits(&self, capabilities: &Capabilities) -> u8 {
        let shown = self.shown_format(capabilities);
        shown.map_or(capabilities.sensor.bits, |format| format.bits)
    }

    fn shown_format<'a>(&self, capabilities: &'a Capabilities) -> Option<&'a CaptureFormat> {
        let on = self.store.get(&keys::CCD_CAPTURE_FORMAT).iter().position(|on| *on)?;
        capabilities.formats.get(on)
    }

    /// The name of the camera's format, of cameras that have several.
    pub(super) fn format_name(&self, capabilities: &Capabilities) -> Option<String> {
        self.shown_format(capabilities).map(|format| format.name.clone())
    }

    fn change_capture_format(&mut self, wanted: Vec<bool>) {
        let key = keys::CCD_CAPTURE_FORMAT;
        if self.refused_while_lost(&key) {
            return;
        }
        let chosen = wanted.iter().position(|on| *on);
        let formats = self.capabilities.as_ref().map(|capabilities| &capabilities.formats);
        let Some(name) = chosen.and_then(|i| Some(formats?.get(i)?.name.clone())) else { return };
        if self.is_exposing() {
            self.formats.pending = Some(name);
            self.publish(&key, wanted, State::Ok);
            self.show_bits();
        } else {
            self.ask_for_format(name);
        }
    }

    fn ask_for_format(&mut self, name: String) {
        self.ask(Call::SetParameter(FORMAT_PARAMETER.to_owned(), Value::Text(name)));
    }

    /// Brings to the camera what was accepted while it was exposing.
    pub(super) fn apply_pending_format(&mut self) {
        if let Some(name) = self.formats.pending.take() {
            self.ask_for_format(name);
        }
    }

    pub(super) fn format_answered(&mut self, call: &Call, result: Result<Reply, CameraError>) {
        let key = keys::CCD_CAPTURE_FORMAT;
        let setting = matches!(call, Call::SetParameter(..));
        match result {
            Ok(Reply::Value(Value::Text(name))) => {
                let state = if setting { State::Ok } else { self.store.state(&key) };
                // One that was accepted in the meantime is the one that clients should see.
                let shown = self.formats.pending.as_ref().unwrap_or(&name);
                let formats = self.capabilities.iter().flat_map(|capabilities| &capabilities.formats);
                let on: Vec<bool> = formats.map(|format| format.name == *shown).collect();
                if on.contains(&true) {
                    self.publish(&key, on, state);
                    self.show_bits();
                }
            }
            Ok(_) => {}
            Err(error) => {
                self.refuse_as(error.kind, key.vector(), &error.to_string());
                if setting && self.link == Link::On {
                    self.ask(Call::GetParameter(FORMAT_PARAMETER.to_owned()));
                }
            }
        }
    }

    /// Sends the depth of the pixels if it is not what clients know.
    fn show_bits(&mut self) {
        let Some(capabilities) = &self.capabilities else { return };
        let bits = f64::from(self.bits(capabilities));
        let [width, height, size, size_x, size_y, _] = self.store.get(&keys::CCD_INFO);
        let info = [width, height, size, size_x, size_y, bits];
        self.publish_news(&keys::CCD_INFO, info, self.store.state(&keys::CCD_INFO));
    }

    /// Asks a camera that is being connected which of its formats is set.
    pub(super) fn ask_format(&mut self) {
        if self.capabilities.as_ref().is_some_and(|capabilities| !capabilities.formats.is_empty()) {
            self.ask(Call::GetParameter(FORMAT_PARAMETER.to_owned()));
        }
    }

    /// Gives a camera that was lost the format that clients see.
    pub(super) fn reapply_format(&mut self) {
        let shown = self.capabilities.as_ref().and_then(|capabilities| self.shown_format(capabilities));
        if let Some(name) = shown.map(|format| format.name.clone()) {
            self.ask_for_format(name);
        }
    }

    pub(super) fn adopt_formats(&mut self, capabilities: &Capabilities) {
        let key = keys::CCD_CAPTURE_FORMAT;
        let element = |format: &CaptureFormat| ElementDefinition {
            name: format.name.clone(),
            label: format.label.clone(),
        };
        let changed = self.store.set_choices(&key, capabilities.formats.iter().map(element).collect());
        self.formats = Formats::default();
        // A lost camera that came back with others.
        if changed && self.store.undefine(key.vector()) {
            let (device, name) = (self.name.clone(), Some(key.vector().to_owned()));
            self.outbox.push(Message::Delete { device, name, at: self.now.utc });
            if !capabilities.formats.is_empty() {
                self.send_definition(key.vector());
            }
        }
    }
}
