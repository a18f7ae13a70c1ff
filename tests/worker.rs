//! The camera thread with a scripted camera: what goes up when a camera works, is cancelled, fails and panics.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a failed step is a failed test")]

use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, SystemTime};

use indi_camera::camera::Camera;
use indi_camera::camera::call::{Call, Reply};
use indi_camera::camera::error::{CameraError, ErrorKind, Result};
use indi_camera::camera::types::{
    Binning, CameraId, Cancel, Capabilities, Event, ExposureId, ExposureRequest, ExposureStatus, Frame,
    FrameInfo, FrameType, Pixels, Roi, Value,
};
use indi_camera::camera::worker::{Clock, Settings, Worker};
use ndarray::Array3;

/// Long enough for anything that a thread has to do.
const SOON: Duration = Duration::from_secs(20);

/// Does what `mode` says; its status is asked twice before the frame is ready.
#[derive(Default)]
struct Scripted {
    mode: String,
    asked: u32,
}

impl Camera for Scripted {
    fn scanning(&mut self) -> Result<Vec<CameraId>> {
        Ok(Vec::new())
    }
    fn connect(&mut self, _: &CameraId) -> Result<Capabilities> {
        Err(CameraError::not_supported("connect"))
    }
    fn disconnect(&mut self) -> Result<()> {
        Ok(())
    }
    fn start_exposure(&mut self, _: &ExposureRequest) -> Result<()> {
        assert!(self.mode != "panic in start_exposure", "the shutter exploded");
        self.asked = 0;
        Ok(())
    }
    fn abort_exposure(&mut self) -> Result<()> {
        Ok(())
    }
    fn get_exposure_status(&mut self) -> Result<ExposureStatus> {
        self.asked += 1;
        match (self.mode.as_str(), self.asked) {
            ("panic in get_exposure_status", _) => panic!("the status exploded"),
            ("fails", _) => Err(CameraError::new(ErrorKind::Hardware, "get_exposure_status", "no power")),
            ("stops", _) => Ok(ExposureStatus::Idle),
            (_, 1) => Ok(ExposureStatus::Exposing { left: Duration::from_millis(1) }),
            (_, 2) => Ok(ExposureStatus::Reading { done: None }),
            _ => Ok(ExposureStatus::Ready),
        }
    }
    fn get_exposure_result(&mut self) -> Result<Frame> {
        let roi = Roi { x: 0, y: 0, width: 1, height: 1 };
        let now = SystemTime::UNIX_EPOCH;
        let info = FrameInfo {
            started: now,
            ended: now,
            exposed: Duration::ZERO,
            roi,
            binning: Binning::NONE,
            gain: None,
            offset: None,
            temperature: None,
            added: 1,
        };
        Ok(Frame { pixels: Pixels::U16(Array3::zeros((1, 1, 1))), info })
    }
    fn get_camera_roi(&mut self) -> Result<Roi> {
        Err(CameraError::not_supported("get_camera_roi"))
    }
    fn set_camera_roi(&mut self, roi: Roi) -> Result<Roi> {
        Ok(roi)
    }
    fn get_binning(&mut self) -> Result<Binning> {
        Err(CameraError::not_supported("get_binning"))
    }
    fn set_binning(&mut self, binning: Binning) -> Result<Binning> {
        Ok(binning)
    }
    fn get_parameter(&mut self, _: &str) -> Result<Value> {
        Ok(Value::Text(self.mode.clone()))
    }
    fn set_parameter(&mut self, _: &str, value: Value) -> Result<Value> {
        if let Value::Text(mode) = &value {
            self.mode.clone_from(mode);
        }
        Ok(value)
    }
}

fn worker(mode: &str) -> (Worker, Receiver<Event>) {
    let (report, events) = channel();
    let mut settings = Settings::default();
    settings.remember("mode", &Value::Text(mode.to_owned()));
    let create = || Box::<Scripted>::default() as Box<dyn Camera>;
    let worker =
        Worker::spawn("scripted", create, settings, Clock::start(), move |event| report.send(event).is_ok());
    (worker.unwrap(), events)
}

fn expose(worker: &Worker, id: u64) -> Cancel {
    let cancel = Cancel::default();
    let request = ExposureRequest {
        id: ExposureId(id),
        duration: Duration::from_millis(1),
        frame_type: FrameType::Light,
        cancel: cancel.clone(),
    };
    assert!(worker.ask(Call::StartExposure(request)));
    cancel
}

fn next(events: &Receiver<Event>) -> Event {
    events.recv_timeout(SOON).unwrap()
}

fn reply(events: &Receiver<Event>) -> Result<Reply> {
    match next(events) {
        Event::Reply(result) => result,
        other => panic!("{other:?} is no reply"),
    }
}

#[test]
fn an_exposure_is_answered_started_read_and_handed_over() {
    let (worker, events) = worker("works");
    expose(&worker, 7);
    assert_eq!(reply(&events).unwrap(), Reply::Done);
    assert!(matches!(next(&events), Event::Started { id: ExposureId(7), .. }));
    assert!(matches!(next(&events), Event::Reading { id: ExposureId(7) }));
    assert!(matches!(next(&events), Event::Frame { id: ExposureId(7), .. }));
}

#[test]
fn a_cancelled_exposure_hands_over_nothing() {
    let (worker, events) = worker("works");
    expose(&worker, 1).cancel();
    assert!(reply(&events).is_ok());
    assert!(worker.ask(Call::AbortExposure));
    expose(&worker, 2);
    let frame = loop {
        if let Event::Frame { id, .. } = next(&events) {
            break id;
        }
    };
    assert_eq!(frame, ExposureId(2));
}

#[test]
fn an_exposure_that_fails_or_just_stops_is_reported_once() {
    for (mode, kind) in [("fails", ErrorKind::Hardware), ("stops", ErrorKind::NoFrame)] {
        let (worker, events) = worker(mode);
        expose(&worker, 1);
        assert!(reply(&events).is_ok());
        assert!(matches!(next(&events), Event::Started { .. }));
        match next(&events) {
            Event::Failed { id: ExposureId(1), error } => assert_eq!(error.kind, kind),
            other => panic!("{other:?}"),
        }
        assert!(worker.ask(Call::AbortExposure));
        assert!(reply(&events).is_ok(), "nothing came in between");
    }
}

#[test]
fn a_panic_in_a_call_is_a_lost_camera_and_the_next_one_has_its_settings() {
    let (worker, events) = worker("panic in start_exposure");
    expose(&worker, 1);
    let error = reply(&events).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Disconnected);
    assert!(error.detail.contains("the shutter exploded"), "{error}");
    assert!(worker.ask(Call::GetParameter("mode".to_owned())));
    assert_eq!(reply(&events).unwrap(), Reply::Value(Value::Text("panic in start_exposure".to_owned())));
}

#[test]
fn a_panic_during_an_exposure_ends_that_exposure() {
    let (worker, events) = worker("panic in get_exposure_status");
    expose(&worker, 1);
    assert!(reply(&events).is_ok());
    assert!(matches!(next(&events), Event::Started { .. }));
    match next(&events) {
        Event::Failed { id: ExposureId(1), error } => assert_eq!(error.kind, ErrorKind::Disconnected),
        other => panic!("{other:?}"),
    }
}
