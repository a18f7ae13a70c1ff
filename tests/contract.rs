//! The contract of every camera: what the device above takes for granted, checked on each backend that finds a
//! camera here. The simulator always does.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where something fails")]

use std::mem::discriminant;
use std::thread;
use std::time::Duration;

use indi_camera::backend::{BACKENDS, Backend};
use indi_camera::camera::Camera;
use indi_camera::camera::call::{Call, Params, Reply, dispatch};
use indi_camera::camera::error::{ErrorKind, Result};
use indi_camera::camera::types::{
    Binning, CameraId, Cancel, Capabilities, CoolingStatus, ExposureId, ExposureRequest, ExposureStatus,
    Frame, FrameType, Pixels, Roi, Value,
};

#[path = "contract/exposures.rs"]
mod exposures;
#[path = "contract/photons.rs"]
mod photons;
#[path = "contract/replay.rs"]
mod replay;
#[path = "contract/settings.rs"]
mod settings;
#[path = "contract/simulator.rs"]
mod simulator;
#[path = "contract/sky.rs"]
mod sky;

/// Long enough to be seen running, short enough for a test.
const SHORT: Duration = Duration::from_millis(20);

/// A connected camera.
struct Rig {
    camera: Box<dyn Camera>,
    id: CameraId,
    can: Capabilities,
}

/// What a refused call must leave alone.
#[derive(Debug, PartialEq)]
struct Settings {
    roi: Roi,
    binning: Binning,
    gain: Option<i32>,
    offset: Option<i32>,
    cooling: Option<CoolingStatus>,
    exposure: ExposureStatus,
}

fn for_every_camera(check: fn(&mut Rig)) {
    for Backend { name, create, .. } in BACKENDS {
        let mut camera = create();
        if *name == "replay" {
            camera.set_parameter("REPLAY_FOLDER", replay::folder()).unwrap();
        }
        let Some(id) = camera.scanning().unwrap_or_default().into_iter().next() else {
            assert_ne!(*name, "simulator", "the simulator always finds its camera");
            continue;
        };
        let can = camera.connect(&id).unwrap();
        check(&mut Rig { camera, id, can });
    }
}

/// Every camera, and the simulated one as each sensor that it can be: for what needs no frame of a whole sensor.
fn for_every_model(check: fn(&mut Rig)) {
    for_every_camera(check);
    for model in simulator::MODELS {
        check(&mut simulator::connected(&[("SIMULATOR_MODEL", text(model.name))]));
    }
}

fn request(duration: Duration, frame_type: FrameType) -> ExposureRequest {
    ExposureRequest { id: ExposureId(1), duration, frame_type, cancel: Cancel::default() }
}

impl Rig {
    fn start(&mut self, duration: Duration) -> Result<()> {
        self.camera.start_exposure(&request(duration, FrameType::Light))
    }

    /// Waits for the frame, and sees that the phases come in order and the time left never grows.
    fn wait(&mut self) {
        let mut least = Duration::MAX;
        let mut reading = false;
        loop {
            match self.camera.get_exposure_status().unwrap() {
                ExposureStatus::Exposing { left } => {
                    assert!(left <= least && !reading, "{left:?} left after {least:?}, reading: {reading}");
                    least = left;
                    thread::park_timeout(left);
                }
                ExposureStatus::Reading { done } => {
                    assert!(done.is_none_or(|done| (0.0..=100.0).contains(&done)));
                    reading = true;
                    thread::park_timeout(Duration::from_micros(100));
                }
                ExposureStatus::Ready => return,
                ExposureStatus::Idle => panic!("the exposure vanished"),
            }
        }
    }

    fn frame(&mut self, duration: Duration, frame_type: FrameType) -> Frame {
        self.camera.start_exposure(&request(duration, frame_type)).unwrap();
        self.wait();
        self.camera.get_exposure_result().unwrap()
    }

    fn settings(&mut self) -> Settings {
        Settings {
            roi: self.camera.get_camera_roi().unwrap(),
            binning: self.camera.get_binning().unwrap(),
            gain: self.camera.get_gain().ok(),
            offset: self.camera.get_offset().ok(),
            cooling: self.camera.get_cooling_status().ok(),
            exposure: self.camera.get_exposure_status().unwrap(),
        }
    }

    /// Whether the call is about something that the camera does not have.
    fn lacks(&self, call: &str) -> bool {
        match call {
            "cooling" | "cooling_to" | "get_cooling_status" => self.can.cooler.is_none(),
            "get_current_temperature" => !self.can.thermometer,
            "get_cooling_power" => !self.can.cooler_power,
            "get_gain" | "set_gain" => self.can.gain.is_none(),
            "get_offset" | "set_offset" => self.can.offset.is_none(),
            _ => false,
        }
    }

    fn full(&self) -> Roi {
        Roi { x: 0, y: 0, width: self.can.sensor.width, height: self.can.sensor.height }
    }

    fn shortest(&self) -> Duration {
        Duration::from_secs_f64(self.can.exposure.min)
    }
}

fn params(pairs: &[(&str, Value)]) -> Params {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn number(value: impl Into<f64>) -> Value {
    Value::Number(value.into())
}

fn text(word: &str) -> Value {
    Value::Text(word.to_owned())
}

fn mean(pixels: &Pixels) -> f64 {
    match pixels {
        Pixels::U8(a) => a.mapv(f64::from).mean(),
        Pixels::U16(a) => a.mapv(f64::from).mean(),
        Pixels::U32(a) => a.mapv(f64::from).mean(),
    }
    .expect("a frame has pixels")
}

#[track_caller]
fn fails<T>(result: Result<T>, kind: ErrorKind) {
    match result {
        Ok(_) => panic!("done instead of {kind:?}"),
        Err(error) => assert_eq!(error.kind, kind, "{error}"),
    }
}

/// The 24 calls with good arguments; the 25th is `call` itself, which makes them.
fn all_calls(id: &CameraId) -> Vec<(&'static str, Params)> {
    let device = params(&[("device_name", text(&id.name))]);
    let roi = [("start_x", number(0)), ("start_y", number(0)), ("width", number(16)), ("height", number(16))];
    let none = Params::new;
    vec![
        ("scanning", none()),
        ("connect", device.clone()),
        ("reconnect", device),
        ("polling", none()),
        ("get_parameter", params(&[("name", text("NO_SUCH"))])),
        ("set_parameter", params(&[("name", text("NO_SUCH")), ("value", number(0))])),
        ("start_exposure", params(&[("exposure", number(0.02)), ("frame_type", text("dark"))])),
        ("abort_exposure", none()),
        ("get_exposure_status", none()),
        ("get_exposure_result", none()),
        ("cooling", params(&[("enable", Value::Bool(false))])),
        ("cooling_to", params(&[("temperature", number(0))])),
        ("get_cooling_status", none()),
        ("get_current_temperature", none()),
        ("get_cooling_power", none()),
        ("get_camera_roi", none()),
        ("set_camera_roi", params(&roi)),
        ("get_binning", none()),
        ("set_binning", params(&[("x", number(1)), ("y", number(1))])),
        ("get_gain", none()),
        ("set_gain", params(&[("gain", number(0))])),
        ("get_offset", none()),
        ("set_offset", params(&[("offset", number(0))])),
        ("disconnect", none()),
    ]
}

#[test]
fn every_call_does_the_same_directly_and_by_name() {
    for_every_model(|rig| {
        for (name, params) in all_calls(&rig.id.clone()) {
            let direct = dispatch(rig.camera.as_mut(), &Call::parse(name, &params).unwrap());
            rig.camera.connect(&rig.id).unwrap();
            rig.camera.abort_exposure().unwrap();
            let by_name = rig.camera.call(name, &params);
            rig.camera.connect(&rig.id).unwrap();
            rig.camera.abort_exposure().unwrap();
            match (direct, by_name) {
                (Ok(a), Ok(b)) => assert_eq!(discriminant(&a), discriminant(&b), "{name}"),
                (Err(a), Err(b)) => {
                    assert_eq!(a.kind, b.kind, "{name}");
                    assert!(matches!(a.kind, ErrorKind::NotSupported | ErrorKind::NoFrame), "{name}: {a}");
                }
                (a, b) => panic!("{name}: {a:?} directly, {b:?} by name"),
            }
        }
    });
}

#[test]
fn bad_arguments_are_refused_and_change_nothing() {
    use ErrorKind::{InvalidValue, NotSupported, OutOfRange};
    for_every_camera(|rig| {
        let roi = |x: f64, width: f64| {
            let ends = [("start_x", x), ("start_y", 0.0), ("width", width), ("height", 1.0)];
            params(&ends.map(|(name, value)| (name, number(value))))
        };
        let columns = f64::from(rig.can.sensor.width);
        let mut bad = vec![
            ("no_such_function", vec![], NotSupported),
            ("", vec![], NotSupported),
            ("start_exposure", vec![], InvalidValue),
            ("start_exposure", params(&[("exposure", text("1"))]), InvalidValue),
            ("start_exposure", params(&[("exposure", number(-1))]), OutOfRange),
            ("start_exposure", params(&[("exposure", number(1e300))]), OutOfRange),
            ("start_exposure", params(&[("exposure", number(1)), ("frame_type", text("x"))]), InvalidValue),
            ("set_camera_roi", roi(0.0, columns + 1.0), OutOfRange),
            ("set_camera_roi", roi(1.0, columns), OutOfRange),
            ("set_camera_roi", roi(columns, 1.0), OutOfRange),
            ("set_camera_roi", roi(0.0, 0.0), OutOfRange),
            ("set_camera_roi", roi(-1.0, 10.0), OutOfRange),
            ("set_camera_roi", roi(4_294_967_295.0, 1.0), OutOfRange),
            ("set_camera_roi", roi(0.5, 10.0), InvalidValue),
            ("set_camera_roi", params(&[("width", number(10))]), InvalidValue),
            ("set_binning", params(&[("x", number(0)), ("y", number(1))]), OutOfRange),
            ("set_binning", params(&[("x", number(1))]), InvalidValue),
            ("connect", params(&[("device_name", number(1))]), InvalidValue),
        ];
        for not_finite in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            bad.push(("start_exposure", params(&[("exposure", number(not_finite))]), InvalidValue));
            bad.push(("set_camera_roi", roi(not_finite, 10.0), InvalidValue));
            bad.push(("cooling_to", params(&[("temperature", number(not_finite))]), InvalidValue));
            bad.push(("set_gain", params(&[("gain", number(not_finite))]), InvalidValue));
        }
        let before = rig.settings();
        for (name, params, kind) in bad {
            fails(rig.camera.call(name, &params), kind);
            assert_eq!(rig.settings(), before, "after {name} {params:?}");
        }
        if rig.can.cooler.is_some() {
            for target in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                fails(rig.camera.cooling_to(target), InvalidValue);
            }
        }
        assert_eq!(rig.settings(), before);
    });
}

#[test]
fn without_a_connection_only_the_calls_that_need_none_work() {
    for_every_model(|rig| {
        rig.camera.disconnect().unwrap();
        for (name, params) in all_calls(&rig.id.clone()) {
            match name {
                "scanning" | "connect" | "reconnect" | "disconnect" => {
                    rig.camera.call(name, &params).unwrap();
                    rig.camera.disconnect().unwrap();
                }
                "get_parameter" | "set_parameter" => {
                    fails(rig.camera.call(name, &params), ErrorKind::NotSupported);
                }
                _ if rig.lacks(name) => fails(rig.camera.call(name, &params), ErrorKind::NotSupported),
                _ => fails(rig.camera.call(name, &params), ErrorKind::NotConnected),
            }
        }
    });
}

#[test]
fn setters_take_their_limits_and_nothing_outside() {
    for_every_model(|rig| {
        if let Some(range) = rig.can.gain {
            for gain in [range.max, range.min] {
                assert_eq!(rig.camera.set_gain(gain).unwrap(), gain);
                assert_eq!(rig.camera.get_gain().unwrap(), gain);
            }
            for gain in [range.min - 1, range.max + 1] {
                fails(rig.camera.set_gain(gain), ErrorKind::OutOfRange);
                assert_eq!(rig.camera.get_gain().unwrap(), range.min);
            }
        }
        if let Some(range) = rig.can.offset {
            for offset in [range.max, range.min] {
                assert_eq!(rig.camera.set_offset(offset).unwrap(), offset);
                assert_eq!(rig.camera.get_offset().unwrap(), offset);
            }
            for offset in [range.min - 1, range.max + 1] {
                fails(rig.camera.set_offset(offset), ErrorKind::OutOfRange);
                assert_eq!(rig.camera.get_offset().unwrap(), range.min);
            }
        }
        let Binning { x, y } = rig.can.binning;
        for binning in [rig.can.binning, Binning::NONE] {
            assert_eq!(rig.camera.set_binning(binning).unwrap(), binning);
            assert_eq!(rig.camera.get_binning().unwrap(), binning);
        }
        for binning in [Binning { x: x + 1, y }, Binning { x, y: y + 1 }, Binning { x: 0, y: 1 }] {
            fails(rig.camera.set_binning(binning), ErrorKind::OutOfRange);
            assert_eq!(rig.camera.get_binning().unwrap(), Binning::NONE);
        }
        let full = rig.full();
        for roi in [Roi { x: full.width - 1, y: full.height - 1, width: 1, height: 1 }, full] {
            let set = rig.camera.set_camera_roi(roi).unwrap();
            assert_eq!(rig.camera.get_camera_roi().unwrap(), set);
            let covers = set.x <= roi.x && set.x + set.width >= roi.x + roi.width;
            assert!(covers, "{set:?} does not cover {roi:?}");
        }
        let outside = Roi { height: full.height + 1, ..full };
        for roi in [outside, Roi { height: 0, ..full }, Roi { y: u32::MAX, ..full }] {
            fails(rig.camera.set_camera_roi(roi), ErrorKind::OutOfRange);
            assert_eq!(rig.camera.get_camera_roi().unwrap(), full);
        }
    });
}

#[test]
fn settings_outlive_a_connection_and_connecting_twice_is_harmless() {
    for_every_model(|rig| {
        let roi = Roi { x: 8, y: 8, width: 32, height: 16 };
        rig.camera.set_camera_roi(roi).unwrap();
        rig.camera.set_binning(rig.can.binning).unwrap();
        if let Some(range) = rig.can.gain {
            rig.camera.set_gain(range.max).unwrap();
        }
        if let Some(range) = rig.can.offset {
            rig.camera.set_offset(range.max).unwrap();
        }
        let settings = rig.settings();
        assert_eq!(rig.camera.connect(&rig.id).unwrap(), rig.can);
        assert_eq!(rig.settings(), settings);
        rig.camera.disconnect().unwrap();
        rig.camera.disconnect().unwrap();
        assert_eq!(rig.camera.connect(&rig.id).unwrap(), rig.can);
        assert_eq!(rig.settings(), settings);
        assert_eq!(rig.camera.reconnect(&rig.id).unwrap(), rig.can);
        assert_eq!(rig.settings(), settings);
        let stranger = CameraId { name: "no such camera".to_owned(), ..rig.id.clone() };
        rig.camera.disconnect().unwrap();
        assert!(rig.camera.connect(&stranger).is_err());
    });
}
