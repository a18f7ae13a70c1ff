//! The life of an exposure on the other side of a network.

use indi_camera::camera::call::Reply;

use super::*;

#[test]
fn darks_are_taken_with_the_shutter_closed() {
    for (frame_type, light) in [
        (FrameType::Light, true),
        (FrameType::Flat, true),
        (FrameType::Dark, false),
        (FrameType::Bias, false),
    ] {
        let mut rig = Rig::new();
        rig.camera.start_exposure(&request(BRIEF, frame_type)).unwrap();
        rig.outcome().unwrap();
        assert_eq!(rig.observatory.camera.script().exposing.unwrap().light, light, "{frame_type:?}");
    }
}

#[test]
fn the_camera_is_told_the_time_as_it_was_asked() {
    let mut rig = Rig::new();
    rig.start(Duration::from_micros(1_234_567));
    assert_eq!(rig.observatory.camera.script().exposing.unwrap().length, Duration::from_micros(1_234_567));
}

#[test]
fn an_exposure_goes_through_its_phases_and_tells_how_far_its_read_out_is() {
    let mut rig = Rig::of(Script { read_out: LONG, ..Script::default() });
    rig.start(LONG);
    for status in [rig.camera.polling().unwrap().exposure, rig.camera.get_exposure_status().unwrap()] {
        assert!(matches!(status, ExposureStatus::Exposing { left } if left <= LONG), "{status:?}");
    }
    rig.camera.call("stop_exposure", &Params::new()).unwrap();
    // Half of what the camera tells: the network comes after that.
    until("the read-out is told", SOON, || match rig.camera.get_exposure_status().unwrap() {
        ExposureStatus::Reading { done } => done.is_some_and(|done| (done - 20.0).abs() < 0.1),
        other => panic!("{other:?}"),
    });
    rig.observatory.camera.script().read_out = Duration::ZERO;
    until("the frame", SOON, || match rig.camera.get_exposure_status().unwrap() {
        ExposureStatus::Reading { .. } => false,
        ExposureStatus::Ready => true,
        other => panic!("{other:?}"),
    });
    rig.camera.get_exposure_result().unwrap();
    assert_eq!(rig.camera.get_exposure_status().unwrap(), ExposureStatus::Idle);
    fails(rig.camera.get_exposure_result(), ErrorKind::NoFrame, "no frame");
}

#[test]
fn a_server_is_not_asked_all_the_time_while_the_shutter_is_open() {
    let mut rig = Rig::new();
    rig.start(LONG);
    for _ in 0..1000 {
        rig.camera.get_exposure_status().unwrap();
    }
    let asked = rig.observatory.door.heard("/imageready") + rig.observatory.door.heard("/camerastate");
    // One of them when the camera was opened.
    assert!(asked <= 4, "asked {asked} times");
}

#[test]
fn nothing_can_be_changed_for_an_exposure_that_is_running() {
    let mut rig = Rig::new();
    rig.start(LONG);
    let busy = ErrorKind::Busy;
    fails(rig.camera.start_exposure(&request(BRIEF, FrameType::Light)), busy, "running");
    fails(rig.camera.set_gain(1), busy, "running");
    fails(rig.camera.set_offset(1), busy, "running");
    fails(rig.camera.set_binning(Binning::NONE), busy, "running");
    let roi = rig.can.full();
    fails(rig.camera.set_camera_roi(roi), busy, "running");
    rig.camera.cooling_to(-1.0).unwrap();
}

#[test]
fn an_aborted_exposure_is_over_at_the_camera_too() {
    let mut rig = Rig::new();
    rig.start(LONG);
    rig.camera.abort_exposure().unwrap();
    assert_eq!(rig.camera.get_exposure_status().unwrap(), ExposureStatus::Idle);
    let script = rig.observatory.camera.script().clone();
    assert_eq!((script.aborts, script.exposing.is_none()), (1, true));
    rig.camera.abort_exposure().unwrap();
    assert_eq!(rig.observatory.camera.script().aborts, 1, "there was nothing to abort");
    rig.frame();
}

#[test]
fn an_exposure_that_nobody_wants_any_more_makes_room_for_the_next_one() {
    let mut rig = Rig::new();
    rig.start(LONG).cancel();
    assert_eq!(rig.camera.get_exposure_status().unwrap(), ExposureStatus::Idle);
    rig.frame();
    assert_eq!(rig.observatory.camera.script().aborts, 1);
}

#[test]
fn a_camera_that_cannot_abort_is_stopped() {
    let mut rig = Rig::of(Script { abort: false, ..Script::default() });
    rig.start(LONG);
    rig.camera.abort_exposure().unwrap();
    assert_eq!(rig.camera.get_exposure_status().unwrap(), ExposureStatus::Idle);
    rig.frame();
}

#[test]
fn a_camera_that_can_neither_abort_nor_stop_is_busy_until_its_exposure_ends() {
    let mut rig = Rig::of(Script { abort: false, stop: false, ..Script::default() });
    rig.start(LONG);
    rig.camera.abort_exposure().unwrap();
    let again = rig.camera.start_exposure(&request(BRIEF, FrameType::Light));
    fails(again, ErrorKind::Busy, "the camera is exposing");
    rig.observatory.camera.script().exposing = None;
    rig.frame();
}

#[test]
fn a_stopped_exposure_keeps_its_frame() {
    let mut rig = Rig::new();
    rig.start(LONG);
    assert_eq!(rig.camera.call("stop_exposure", &Params::new()).unwrap(), Reply::Done);
    let info = rig.outcome().unwrap().info;
    assert!(info.exposed < LONG, "{info:?}");
    assert_eq!(info.ended.duration_since(info.started).unwrap(), info.exposed);
}

#[test]
fn a_camera_that_is_found_exposing_is_stopped_first() {
    let observatory = Observatory::new(Script::default());
    let forgotten = script::Exposing { opened: support::now(), length: LONG, light: true };
    observatory.camera.script().exposing = Some(forgotten);
    let mut camera = Alpaca::new();
    look_at(&mut camera, &observatory.address());
    let id = camera.scanning().unwrap().remove(0);
    let can = camera.connect(&id).unwrap();
    assert_eq!(observatory.camera.script().aborts, 1);
    Rig { observatory, camera, id, can }.frame();
}

#[test]
fn disconnecting_ends_the_exposure_and_closes_the_camera() {
    let mut rig = Rig::new();
    rig.start(LONG);
    rig.camera.disconnect().unwrap();
    let script = rig.observatory.camera.script().clone();
    assert_eq!((script.aborts, script.connected), (1, false));
    fails(rig.camera.get_exposure_status(), ErrorKind::NotConnected, "connect the camera first");
}

#[test]
fn exposure_times_outside_the_limits_are_refused_here() {
    let mut rig = Rig::new();
    for seconds in [0.0, 0.0009, 3600.1] {
        let request = request(Duration::from_secs_f64(seconds), FrameType::Light);
        fails(rig.camera.start_exposure(&request), ErrorKind::OutOfRange, "0.001 to 3600 s");
    }
    assert_eq!(rig.observatory.door.heard("/startexposure"), 0);
}
