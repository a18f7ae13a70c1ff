//! A saved configuration, whoever wrote it.

use std::time::{Duration, SystemTime};

use indi_camera::camera::types::Moment;
use indi_camera::device::{Device, Input};
use indi_camera::wire::{Message, Request, parse, write};

#[path = "../setup.rs"]
#[allow(clippy::duplicate_mod, reason = "each fuzz target stands alone, and the world of another has it too")]
mod setup;

/// A file: read, written again, and given to a device that is being made.
pub fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Ok(document) = parse::document(&text) else { return };
    let written = write::document(&document);
    assert!(parse::document(&written).is_ok(), "{written}");
    let now = Moment { elapsed: Duration::ZERO, utc: SystemTime::UNIX_EPOCH };
    let mut device = Device::new(setup::with(document), now);
    device.handle(now, Input::Request(Request::GetProperties { device: None, name: None }));
    let mut defined = 0;
    while let Some(message) = device.poll_message() {
        defined += usize::from(matches!(message, Message::Define(_)));
    }
    assert!(defined >= 5, "only {defined} properties are defined");
}
