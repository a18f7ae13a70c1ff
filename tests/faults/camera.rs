//! What each fault does to a camera, and the call that asks for it.

use std::thread;
use std::time::Duration;

use indi_camera::backend::simulator::Simulator;
use indi_camera::backend::simulator::fault::Faulty;
use indi_camera::camera::Camera;
use indi_camera::camera::call::{Params, Reply};
use indi_camera::camera::error::{ErrorKind, Result};
use indi_camera::camera::types::{
    CameraId, CoolingStatus, ExposureId, ExposureRequest, ExposureStatus, Frame, FrameType, Pixels, Value,
};

use crate::support;

/// A connected camera that no other test knows: what is wrong with one belongs to its name.
fn connected() -> (Faulty, CameraId) {
    let mut camera = Faulty::new(Box::new(Simulator::new()));
    let size = [("WIDTH", 64.0), ("HEIGHT", 48.0)];
    let size = size.map(|(name, value)| (name.to_owned(), Value::Number(value))).to_vec();
    camera.set_parameter("SIMULATOR_SENSOR", Value::Record(size)).unwrap();
    let mut id = camera.scanning().unwrap().remove(0);
    id.name = format!("Camera Simulator {}", support::unique());
    camera.connect(&id).unwrap();
    (camera, id)
}

fn text(name: &str, value: &str) -> (String, Value) {
    (name.to_owned(), Value::Text(value.to_owned()))
}

fn number(name: &str, value: f64) -> (String, Value) {
    (name.to_owned(), Value::Number(value))
}

/// How many faults are still to come.
fn inject(camera: &mut Faulty, fields: &[(String, Value)]) -> f64 {
    match camera.call("inject_fault", &fields.to_vec()).unwrap() {
        Reply::Value(Value::Number(count)) => count,
        other => panic!("{other:?} is no count"),
    }
}

fn start(camera: &mut Faulty) -> Result<()> {
    let duration = Duration::from_millis(1);
    camera.start_exposure(&ExposureRequest::new(ExposureId(1), duration, FrameType::Light))
}

fn frame(camera: &mut Faulty) -> Frame {
    start(camera).unwrap();
    while camera.get_exposure_status().unwrap() != ExposureStatus::Ready {
        thread::yield_now();
    }
    camera.get_exposure_result().unwrap()
}

#[track_caller]
fn fails<T>(result: Result<T>, kind: ErrorKind) {
    assert_eq!(result.map(drop).unwrap_err().kind, kind);
}

#[test]
fn the_call_counts_the_faults_that_are_to_come_and_clears_them() {
    let (mut camera, _) = connected();
    assert_eq!(inject(&mut camera, &[text("kind", "start_refused"), number("at", 2.0)]), 1.0);
    assert_eq!(inject(&mut camera, &[text("kind", "camera_lost"), text("call", "set_gain")]), 2.0);
    start(&mut camera).unwrap();
    camera.abort_exposure().unwrap();
    fails(start(&mut camera), ErrorKind::Hardware);
    assert_eq!(inject(&mut camera, &[text("kind", "panic"), text("call", "set_offset")]), 2.0);
    assert_eq!(inject(&mut camera, &[("clear".to_owned(), Value::Bool(true))]), 0.0);
    camera.set_gain(1).unwrap();
    camera.set_offset(1).unwrap();
}

#[test]
fn a_call_that_is_wrong_asks_for_nothing() {
    let (mut camera, _) = connected();
    let bad: [Params; 6] = [
        vec![],
        vec![text("kind", "melts")],
        vec![text("kind", "panic"), number("at", 0.5)],
        vec![text("kind", "panic"), text("at", "1")],
        vec![text("kind", "panic"), text("camera", "Camera Simulator")],
        vec![("clear".to_owned(), Value::Bool(false))],
    ];
    for params in bad {
        fails(camera.call("inject_fault", &params), ErrorKind::InvalidValue);
    }
    assert_eq!(inject(&mut camera, &[("clear".to_owned(), Value::Bool(true))]), 0.0);
    let stranger = &mut Faulty::new(Box::new(Simulator::new()));
    fails(stranger.call("inject_fault", &vec![text("kind", "panic")]), ErrorKind::NotConnected);
}

#[test]
fn frames_are_damaged_once_and_as_the_fault_says() {
    let (mut camera, _) = connected();
    let mut damaged = |kind: &str| {
        inject(&mut camera, &[text("kind", kind)]);
        let bad = frame(&mut camera).pixels;
        let good = frame(&mut camera).pixels;
        assert_eq!((good.shape(), good.bits(), good.constant()), ((1, 48, 64), 16, None), "{kind}");
        bad
    };
    assert_eq!(damaged("short_frame").shape(), (1, 24, 64));
    assert_eq!(damaged("corrupt_frame").bits(), 8);
    assert_eq!(damaged("constant_frame").constant(), Some(0));
    let Pixels::U16(garbled) = damaged("garbled_frame") else { panic!("no words") };
    let bright =
        |row: usize| garbled.slice(ndarray::s![0, row, ..]).iter().filter(|pixel| **pixel > 32_768).count();
    assert_eq!((0..24).map(bright).sum::<usize>(), 0);
    assert!((24..48).map(bright).sum::<usize>() > 500, "half of what is noise is bright");
}

#[test]
fn an_exposure_that_hangs_can_be_aborted_and_ends_when_its_fault_does() {
    let (mut camera, _) = connected();
    for (kind, stuck) in [
        ("never_ends", ExposureStatus::Exposing { left: Duration::from_millis(100) }),
        ("read_out_stalls", ExposureStatus::Reading { done: Some(50.0) }),
    ] {
        inject(&mut camera, &[text("kind", kind)]);
        start(&mut camera).unwrap();
        // Long after its end.
        thread::park_timeout(Duration::from_millis(50));
        while camera.get_exposure_status().unwrap() != stuck {
            thread::yield_now();
        }
        fails(camera.get_exposure_result(), ErrorKind::NoFrame);
        fails(start(&mut camera), ErrorKind::Busy);
        camera.abort_exposure().unwrap();
        frame(&mut camera);
        // One that does not last gives its frame after all.
        inject(&mut camera, &[text("kind", kind), number("seconds", 0.05)]);
        frame(&mut camera);
    }
}

#[test]
fn a_lost_camera_answers_nothing_and_has_to_be_connected_again() {
    let (mut camera, id) = connected();
    inject(&mut camera, &[text("kind", "camera_lost"), text("call", "get_gain")]);
    fails(camera.get_gain(), ErrorKind::Disconnected);
    fails(camera.polling(), ErrorKind::Disconnected);
    fails(camera.connect(&id), ErrorKind::Disconnected);
    fails(
        camera.call("pulse_guide", &vec![text("direction", "n"), number("ms", 1.0)]),
        ErrorKind::Disconnected,
    );
    camera.disconnect().unwrap();
    // Another object is the same camera: the cable does not know of objects.
    let other = &mut Faulty::new(Box::new(Simulator::new()));
    fails(other.connect(&id), ErrorKind::Disconnected);
    inject(&mut camera, &[("clear".to_owned(), Value::Bool(true))]);
    fails(camera.get_gain(), ErrorKind::NotConnected);
    camera.connect(&id).unwrap();
    camera.get_gain().unwrap();

    inject(&mut camera, &[text("kind", "camera_lost"), text("call", "get_gain"), number("seconds", 0.05)]);
    fails(camera.get_gain(), ErrorKind::Disconnected);
    while camera.connect(&id).is_err() {
        thread::yield_now();
    }
    frame(&mut camera);
}

#[test]
fn a_cooler_without_power_says_that_it_works_and_does_as_it_was_told_when_it_has_some() {
    let (mut camera, _) = connected();
    camera.cooling_to(-20.0).unwrap();
    thread::park_timeout(Duration::from_millis(200));
    inject(&mut camera, &[text("kind", "cooler_power_lost")]);
    assert_eq!(camera.get_cooling_power().unwrap(), 0.0);
    let cold = camera.get_current_temperature().unwrap();
    thread::park_timeout(Duration::from_millis(200));
    assert!(camera.get_current_temperature().unwrap() > cold);
    let status = |target| CoolingStatus { on: true, target: Some(target) };
    assert_eq!(camera.get_cooling_status().unwrap(), status(-20.0));
    camera.cooling_to(-10.0).unwrap();
    assert_eq!(camera.get_cooling_status().unwrap(), status(-10.0));
    assert_eq!(camera.get_cooling_power().unwrap(), 0.0);
    fails(camera.cooling_to(-300.0), ErrorKind::OutOfRange);
    inject(&mut camera, &[("clear".to_owned(), Value::Bool(true))]);
    assert_eq!(camera.get_cooling_status().unwrap(), status(-10.0));
    assert!(camera.get_cooling_power().unwrap() > 0.0);
}

#[test]
fn a_broken_thermometer_says_what_no_sensor_can_say() {
    let (mut camera, _) = connected();
    inject(&mut camera, &[text("kind", "temperature_garbage"), number("times", 20.0)]);
    let readings: Vec<f64> = (0..20).map(|_| camera.get_current_temperature().unwrap()).collect();
    assert!(readings.iter().all(|reading| !(-273.15..=1000.0).contains(reading)), "{readings:?}");
    assert!(readings.iter().any(|reading| reading.is_nan()) && readings.iter().any(|reading| *reading > 0.0));
    assert!(!frame(&mut camera).info.temperature.is_some_and(|reading| reading.abs() < 1000.0));
    assert!(camera.get_current_temperature().unwrap().abs() < 100.0);
}
