use super::*;
use crate::camera::answer::{Area, FrameSpec};
use crate::camera::types::FrameType;
use crate::client::blob::Memory;
use crate::wire::heard::BlobHead;

const ALLOWANCE: Duration = Duration::from_secs(60);

/// One camera, and the seconds at which things are heard.
struct Camera(Tracker);

impl Camera {
    /// Asked at 100 s for an exposure of so many.
    fn asked(seconds: f64) -> Camera {
        let mut camera = Camera(Tracker::new("D"));
        camera.ask(100.0, 1, seconds);
        camera
    }

    fn ask(&mut self, at: f64, id: u64, seconds: f64) {
        self.0.begin(moment(at), 0, id, plan(seconds, true)).unwrap();
    }

    fn told(&mut self, at: f64, state: State, left: f64) -> &mut Camera {
        self.0.told(moment(at), state, left, None);
        self
    }

    fn frame(&mut self, at: f64, byte: u8) -> &mut Camera {
        self.0.frame(moment(at), Ok(file(byte)));
        self
    }

    /// The byte of the frame with which it ended.
    fn taken(&self) -> u8 {
        match self.0.last() {
            Some(Ok(shot)) => shot.file.as_ref().unwrap().bytes().unwrap()[0],
            other => panic!("{other:?}"),
        }
    }

    fn error(&self) -> ClientError {
        match self.0.last() {
            Some(Err(error)) => error.clone(),
            other => panic!("{other:?}"),
        }
    }
}

fn moment(at: f64) -> Duration {
    Duration::from_secs_f64(at)
}

fn file(byte: u8) -> Arc<FrameFile> {
    let mut memory = Memory::new().unwrap();
    memory.write(&[byte]).unwrap();
    Arc::new(memory.into_file(&BlobHead::default()).unwrap())
}

fn plan(seconds: f64, sends: bool) -> Plan {
    let spec = FrameSpec {
        duration_s: seconds,
        frame_type: FrameType::Light,
        roi: Area { start_x: 0, start_y: 0, width: 1, height: 1 },
        binning: [1, 1],
        gain: None,
        offset: None,
        format: None,
    };
    Plan { spec, sends, allowance: ALLOWANCE, temperature: None }
}

#[test]
fn an_exposure_goes_through_its_phases_and_ends_with_its_frame() {
    let mut camera = Camera::asked(10.0);
    let phase = |camera: &Camera, at| camera.0.progress(moment(at)).phase;
    assert_eq!(phase(&camera, 100.0), Phase::Waiting);
    camera.told(100.5, State::Busy, 10.0);
    let progress = camera.0.progress(moment(103.0));
    assert_eq!(
        (progress.phase, progress.remaining, progress.percent()),
        (Phase::Exposing, moment(7.5), 25.0)
    );
    // A countdown that jumps back is not told.
    camera.told(103.0, State::Busy, 9.0);
    assert_eq!(camera.0.progress(moment(103.0)).remaining, moment(7.5));
    camera.told(110.5, State::Busy, 0.0);
    assert_eq!(phase(&camera, 110.5), Phase::Reading);
    camera.0.arriving(moment(111.0), 10, Some(100));
    assert_eq!(
        (phase(&camera, 111.0), camera.0.progress(moment(111.0)).downloaded()),
        (Phase::Delivering, Some(10.0))
    );
    camera.frame(112.0, 7);
    assert!(camera.0.running().is_some(), "its end is told behind it");
    camera.told(112.1, State::Ok, 0.0);
    assert_eq!((camera.taken(), phase(&camera, 113.0), camera.0.running()), (7, Phase::Idle, None));
}

#[test]
fn a_frame_of_before_the_wish_was_accepted_is_not_taken() {
    let mut camera = Camera::asked(0.01);
    camera.frame(100.2, 1).told(100.3, State::Busy, 0.01).frame(100.4, 2).told(100.5, State::Ok, 0.0);
    assert_eq!(camera.taken(), 2);
    camera.ask(101.0, 2, 0.01);
    camera.frame(101.1, 3).told(101.1, State::Ok, 0.0);
    assert_eq!(camera.0.running(), Some(2), "this camera says Busy when it begins");
}

#[test]
fn a_driver_that_never_says_busy_can_be_used() {
    let mut camera = Camera::asked(0.01);
    camera.frame(100.2, 1).told(100.3, State::Ok, 0.0);
    assert_eq!(camera.taken(), 1);
}

#[test]
fn a_frame_and_an_ok_that_come_too_early_are_those_of_an_aborted_exposure() {
    let mut camera = Camera::asked(5.0);
    camera.told(100.0, State::Busy, 5.0).frame(100.8, 1).told(100.8, State::Ok, 0.0);
    assert!(camera.0.running().is_some() && camera.0.wants_frame());
    // Its arrival counts, not its end: this one is slow.
    camera.0.arriving(moment(101.0), 1, None);
    camera.frame(106.0, 1);
    assert!(camera.0.wants_frame());
    camera.told(105.0, State::Busy, 0.0).frame(106.1, 2).told(106.2, State::Ok, 0.0);
    assert_eq!(camera.taken(), 2);
}

#[test]
fn an_exposure_that_was_told_to_stop_may_end_early() {
    let mut camera = Camera::asked(100.0);
    camera.told(100.0, State::Busy, 100.0);
    camera.0.stop(true);
    camera.frame(102.0, 1).told(102.0, State::Ok, 0.0);
    assert_eq!(camera.taken(), 1);
}

#[test]
fn a_failure_has_the_words_of_the_driver_whenever_they_come() {
    let mut camera = Camera::asked(1.0);
    camera.told(100.0, State::Busy, 1.0);
    camera.0.told(moment(101.0), State::Alert, 0.0, Some("sensor fell off".into()));
    assert_eq!(camera.error().to_string(), "the exposure of D failed: sensor fell off");

    let mut camera = Camera::asked(1.0);
    camera.told(100.5, State::Alert, 0.0);
    assert!(camera.0.is_waiting_for_words());
    camera.0.failed("out of bounds".into());
    assert!(camera.error().to_string().ends_with("out of bounds"));

    let mut camera = Camera::asked(1.0);
    camera.told(100.5, State::Alert, 0.0);
    assert!(!camera.0.expire(camera.0.deadline().unwrap()), "there is nothing to abort");
    assert!(camera.error().to_string().ends_with("it does not say why"));
    assert_eq!(camera.0.progress(moment(200.0)).phase, Phase::Error);
}

#[test]
fn a_frame_that_came_is_kept_when_the_rest_fails() {
    let mut camera = Camera::asked(0.0);
    camera.told(100.0, State::Busy, 0.0).frame(100.5, 3);
    camera.0.told(moment(100.6), State::Alert, 0.0, Some("disk full".into()));
    assert_eq!(camera.taken(), 3);
    let Some(Ok(shot)) = camera.0.last() else { panic!() };
    assert_eq!(shot.warnings, ["disk full"]);
}

#[test]
fn every_exposure_ends_by_its_deadline_which_only_bytes_put_off() {
    let mut camera = Camera::asked(10.0);
    let deadline = moment(170.0);
    assert_eq!(camera.0.deadline(), Some(deadline));
    for at in 1..60 {
        camera.told(100.0 + f64::from(at), State::Busy, 10.0);
    }
    assert_eq!(camera.0.deadline(), Some(deadline));
    assert!(!camera.0.expire(moment(169.9)) && camera.0.running().is_some());
    camera.0.arriving(moment(169.0), 1, None);
    assert_eq!(camera.0.deadline(), Some(moment(169.0) + STALL));
    assert!(camera.0.expire(moment(169.0) + STALL), "the camera is told to stop");
    assert!(matches!(camera.error(), ClientError::Timeout { .. }));

    let mut camera = Camera::asked(1.0);
    camera.told(100.0, State::Busy, 1.0).told(101.0, State::Ok, 0.0);
    assert!(!camera.0.expire(moment(101.0) + STALL));
    assert!(matches!(camera.error(), ClientError::NoFrame { .. }));

    let mut camera = Camera::asked(1.0);
    camera.told(100.0, State::Busy, 1.0).frame(101.0, 1);
    assert!(!camera.0.expire(moment(101.0) + TRAILING));
    assert_eq!(camera.taken(), 1, "an end that is never told is not missed");
}

#[test]
fn aborts_are_told_apart_by_who_did_it() {
    let mut camera = Camera::asked(10.0);
    camera.told(100.0, State::Busy, 10.0);
    camera.0.abort(moment(101.0));
    assert_eq!(camera.error().to_string(), "the exposure of D was aborted");
    assert_eq!(camera.0.late_until(), Duration::ZERO, "it was not being read out: no frame of it can come");
    // What is told behind it is not told of the next one.
    camera.ask(101.1, 2, 10.0);
    camera.told(101.2, State::Idle, 0.0);
    assert_eq!(camera.0.running(), Some(2));
    camera.told(101.3, State::Busy, 10.0).told(102.0, State::Idle, 0.0);
    assert_eq!(camera.error().to_string(), "the exposure of D was aborted by another client");

    camera.ask(110.0, 3, 1.0);
    camera.0.asked_by_another("2.5");
    assert!(camera.error().to_string().ends_with("another client asked for one of 2.5 s"));

    camera.ask(120.0, 4, 1.0);
    camera.told(120.0, State::Busy, 1.0);
    camera.0.abort(moment(121.5));
    assert_eq!(camera.0.late_until(), moment(121.5) + LATE, "it was being read out");
    camera.0.unwanted();
    assert_eq!(camera.0.late_until(), Duration::ZERO, "its frame has come");
}

#[test]
fn a_driver_that_ends_with_idle_has_ended() {
    let mut camera = Camera::asked(1.0);
    camera.told(100.0, State::Busy, 1.0).told(101.0, State::Idle, 0.0).frame(101.2, 4);
    assert_eq!(camera.taken(), 4);
    let mut camera = Camera::asked(1.0);
    camera.told(100.0, State::Busy, 1.0).told(101.0, State::Idle, 0.0);
    camera.0.expire(camera.0.deadline().unwrap());
    assert!(matches!(camera.error(), ClientError::Aborted { .. }));
}

#[test]
fn a_frame_that_is_only_saved_ends_with_its_path() {
    let mut camera = Camera(Tracker::new("D"));
    camera.0.begin(moment(100.0), 0, 1, plan(1.0, false)).unwrap();
    camera.0.saved("/of/an/earlier.fits");
    camera.told(100.0, State::Busy, 1.0);
    camera.0.saved("/night/1.fits");
    camera.told(101.0, State::Ok, 0.0);
    let Some(Ok(shot)) = camera.0.last() else { panic!() };
    assert_eq!((shot.file.is_none(), shot.saved_path.as_deref()), (true, Some("/night/1.fits")));
    assert!(matches!(shot.received(), Err(ClientError::NoFrame { .. })));
}

#[test]
fn a_damaged_frame_and_a_lost_camera_end_the_exposure() {
    let mut camera = Camera::asked(0.0);
    camera.told(100.0, State::Busy, 0.0);
    camera.0.frame(moment(100.5), Err(BadBlob::Short { has: 1, says: 2 }));
    assert_eq!(camera.error().to_string(), "the frame of D cannot be used: it has 1 bytes and says 2");
    camera.ask(110.0, 2, 1.0);
    assert!(matches!(camera.0.begin(moment(110.5), 0, 3, plan(1.0, true)), Err(ClientError::Busy { .. })));
    camera.0.lost("unplugged");
    assert_eq!(camera.error().to_string(), "D is gone: unplugged");
    assert!(camera.0.outcome(1).is_some() && camera.0.outcome(2).is_some(), "the last two can be looked at");
}
