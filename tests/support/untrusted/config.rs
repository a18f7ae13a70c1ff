//! A saved configuration, whoever wrote it.

use std::time::{Duration, SystemTime};

use indi_camera::camera::types::{CameraId, Moment};
use indi_camera::device::{Device, Input, Setup};
use indi_camera::property::skeleton::Skeleton;
use indi_camera::property::store::Vector;
use indi_camera::property::{keys, load};
use indi_camera::wire::{Message, Request, parse, write};

/// A file: read, written again, and given to a device that is being made.
pub fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Ok(document) = parse::document(&text) else { return };
    let written = write::document(&document);
    assert!(parse::document(&written).is_ok(), "{written}");
    let now = Moment { elapsed: Duration::ZERO, utc: SystemTime::UNIX_EPOCH };
    let mut device = Device::new(setup(document), now);
    device.handle(now, Input::Request(Request::GetProperties { device: None, name: None }));
    let mut defined = 0;
    while let Some(message) = device.poll_message() {
        defined += usize::from(matches!(message, Message::Define(_)));
    }
    assert!(defined >= 5, "only {defined} properties are defined");
}

fn setup(saved: indi_camera::device::job::Document) -> Setup {
    let name = "Cam".to_owned();
    Setup {
        camera: CameraId { name: name.clone(), model: name.clone(), serial: None, bus: None },
        name,
        ordinal: 0,
        guides: false,
        driver: ["Cam".to_owned(), "indi_camera_test_ccd".to_owned(), "0.1".to_owned()],
        always: keys::ALWAYS.iter().flat_map(vectors).collect(),
        settings: Vec::new(),
        on_demand: keys::ON_DEMAND.iter().flat_map(vectors).collect(),
        on_connect: keys::ON_CONNECT.iter().flat_map(vectors).collect(),
        home: "/home/user".to_owned(),
        upload_root: None,
        process: 0x1a2b,
        nickname: None,
        log_file: String::new(),
        saved,
        warnings: Vec::new(),
    }
}

fn vectors(skeleton: &Skeleton) -> Vec<Vector> {
    load::load(skeleton.file(), skeleton.source()).unwrap_or_default()
}
