//! What a device is made of where nothing around it is real: a camera that can do nearly everything, and all vectors
//! that every camera has.
#![allow(dead_code, unreachable_pub, reason = "each test crate uses its part")]

use indi_camera::camera::types::{Binning, CameraId, Capabilities, CaptureFormat, Range, Sensor};
use indi_camera::device::Setup;
use indi_camera::device::job::Document;
use indi_camera::property::skeleton::Skeleton;
use indi_camera::property::store::Vector;
use indi_camera::property::{keys, load};

/// Name of the device and of its camera.
pub const NAME: &str = "Cam";

/// A device with this saved configuration.
pub fn with(saved: Document) -> Setup {
    Setup {
        name: NAME.to_owned(),
        ordinal: 0,
        camera: camera(NAME, "SN42"),
        guides: false,
        driver: [NAME.to_owned(), "indi_camera_test_ccd".to_owned(), "0.1".to_owned()],
        always: keys::ALWAYS.iter().flat_map(vectors).collect(),
        settings: Vec::new(),
        on_demand: keys::ON_DEMAND.iter().flat_map(vectors).collect(),
        on_connect: keys::ON_CONNECT.iter().flat_map(vectors).collect(),
        home: "/home/user".to_owned(),
        upload_root: None,
        process: 0x1a2b,
        nickname: Some("old".to_owned()),
        log_file: "/home/user/.indi/logs/today.log".to_owned(),
        saved,
        warnings: Vec::new(),
    }
}

fn vectors(skeleton: &Skeleton) -> Vec<Vector> {
    load::load(skeleton.file(), skeleton.source()).unwrap()
}

pub fn camera(name: &str, serial: &str) -> CameraId {
    let (name, serial) = (name.to_owned(), Some(serial.to_owned()));
    CameraId { model: name.clone(), name, serial, bus: None }
}

/// A sensor of 1280×1024 with everything but a mosaic and a guide port.
pub fn capabilities() -> Capabilities {
    Capabilities {
        sensor: Sensor {
            width: 1280,
            height: 1024,
            pixel_x: 5.2,
            pixel_y: 5.2,
            bits: 16,
            adc_bits: 16,
            bayer: None,
        },
        formats: Vec::new(),
        exposure: Range { min: 0.001, max: 3600.0, step: 0.001 },
        binning: Binning { x: 2, y: 2 },
        subframe: true,
        shutter: true,
        cooler: Some(Range { min: -20.0, max: 20.0, step: 0.1 }),
        thermometer: true,
        cooler_power: true,
        gain: Some(Range { min: 0, max: 300, step: 1 }),
        offset: Some(Range { min: 0, max: 1000, step: 1 }),
        controls: Vec::new(),
        guide_port: false,
        scene: false,
        sdk: None,
    }
}

/// A format of 8 bits where its name ends so, else of 16.
pub fn format(name: &str) -> CaptureFormat {
    let bits = if name.ends_with('8') { 8 } else { 16 };
    CaptureFormat { name: name.to_owned(), label: name.replace('_', " "), bits, adc_bits: bits, bayer: None }
}
