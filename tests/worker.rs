//! The camera thread with a scripted camera: what goes up when a camera works, is cancelled, fails, hangs and panics.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a failed step is a failed test")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
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

/// A camera that hangs does so until it gets this.
static GATE: Mutex<()> = Mutex::new(());

/// A test that has failed with it fails no other.
fn gate() -> MutexGuard<'static, ()> {
    GATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A slow download has begun.
static DOWNLOADING: AtomicBool = AtomicBool::new(false);

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
        if self.mode == "hangs" {
            drop(GATE.lock());
        }
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
            // Of 2.5 % in all, in steps of half a percent.
            ("slow", 1..=6) => {
                let done = f64::from(self.asked - 1) / 2.0;
                Ok(ExposureStatus::Reading { done: Some(done) })
            }
            (_, 1) => Ok(ExposureStatus::Exposing { left: Duration::from_millis(1) }),
            (_, 2) => Ok(ExposureStatus::Reading { done: None }),
            _ => Ok(ExposureStatus::Ready),
        }
    }
    fn get_exposure_result(&mut self) -> Result<Frame> {
        if self.mode == "downloads" {
            DOWNLOADING.store(true, Ordering::Release);
            drop(GATE.lock());
        }
        let roi = Roi { x: 0, y: 0, width: 1, height: 1 };
        let info = FrameInfo::new(SystemTime::UNIX_EPOCH, Duration::ZERO, roi);
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
    let request = ExposureRequest::new(ExposureId(id), Duration::from_millis(1), FrameType::Light);
    let cancel = request.cancel.clone();
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
fn a_read_out_that_gets_further_is_told_again() {
    let (worker, events) = worker("slow");
    expose(&worker, 7);
    assert_eq!(reply(&events).unwrap(), Reply::Done);
    assert!(matches!(next(&events), Event::Started { .. }));
    // At 0, 1 and 2 %.
    for _ in 0..3 {
        assert!(matches!(next(&events), Event::Reading { id: ExposureId(7) }));
    }
    assert!(matches!(next(&events), Event::Frame { .. }));
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
fn an_exposure_cancelled_during_its_download_hands_over_nothing() {
    let download = gate();
    let (worker, events) = worker("downloads");
    let cancel = expose(&worker, 1);
    assert!(reply(&events).is_ok());
    assert!(matches!(next(&events), Event::Started { .. }));
    assert!(matches!(next(&events), Event::Reading { .. }));
    while !DOWNLOADING.load(Ordering::Acquire) {
        thread::yield_now();
    }
    cancel.cancel();
    assert!(worker.ask(Call::AbortExposure));
    drop(download);
    assert!(reply(&events).is_ok(), "nothing came in between");
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
fn after_a_failure_there_is_no_frame_but_that_of_the_next_exposure() {
    for mode in ["fails", "stops", "panic in get_exposure_status"] {
        let (worker, events) = worker(mode);
        expose(&worker, 1);
        assert!(reply(&events).is_ok());
        assert!(matches!(next(&events), Event::Started { id: ExposureId(1), .. }), "{mode}");
        assert!(matches!(next(&events), Event::Failed { id: ExposureId(1), .. }), "{mode}");
        assert!(worker.ask(Call::SetParameter("mode".to_owned(), Value::Text("works".to_owned()))));
        assert!(reply(&events).is_ok(), "{mode}");
        expose(&worker, 2);
        assert!(reply(&events).is_ok(), "{mode}");
        assert!(matches!(next(&events), Event::Started { id: ExposureId(2), .. }), "{mode}");
        assert!(matches!(next(&events), Event::Reading { id: ExposureId(2) }), "{mode}");
        assert!(matches!(next(&events), Event::Frame { id: ExposureId(2), .. }), "{mode}");
    }
}

#[test]
fn an_exposure_aborted_at_any_time_ends_once_and_says_nothing_after_the_answer() {
    let (worker, events) = worker("works");
    let mut random = 1_u32;
    for id in 1..=1000 {
        let cancel = expose(&worker, id);
        assert!(reply(&events).is_ok());
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // From the beginning of the exposure to after its frame.
        thread::park_timeout(Duration::from_micros(u64::from((random >> 8) % 3000)));
        if id % 2 == 0 {
            cancel.cancel();
        }
        assert!(worker.ask(Call::AbortExposure));
        let (mut started, mut ended) = (0, 0);
        loop {
            match next(&events) {
                Event::Reply(aborted) => break assert!(aborted.is_ok()),
                Event::Started { id: of, .. } if of.0 == id => started += 1,
                Event::Reading { id: of } if of.0 == id && ended == 0 => {}
                Event::Frame { id: of, .. } | Event::Failed { id: of, .. } if of.0 == id => ended += 1,
                late => panic!("{late:?} during exposure {id}"),
            }
        }
        assert!(started == 1 && ended <= 1, "exposure {id}: {started} beginnings, {ended} ends");
    }
}

#[test]
fn a_camera_that_hangs_keeps_nobody_waiting_and_ends_with_its_worker() {
    let hangs = gate();
    let (worker, events) = worker("hangs");
    expose(&worker, 1);
    // Calls queue up until there is no more room, and asking never waits.
    let taken = (0..1000).take_while(|_| worker.ask(Call::GetExposureStatus)).count();
    assert!((1..1000).contains(&taken), "{taken} calls were taken");
    assert!(events.try_recv().is_err(), "nobody answers for a camera that hangs");
    drop(worker);
    drop(events);
    drop(hangs);

    let hangs = gate();
    let (worker, events) = self::worker("hangs");
    expose(&worker, 1);
    drop(worker);
    drop(hangs);
    // The camera has answered at last: that is told, the exposure is not looked after, and the thread is gone.
    assert!(reply(&events).is_ok());
    assert!(matches!(next(&events), Event::Started { .. }));
    assert!(matches!(events.recv_timeout(SOON), Err(RecvTimeoutError::Disconnected)));
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
