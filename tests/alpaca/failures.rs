//! What a server does ends well: one sentence, and a camera that works again.

use super::*;

#[test]
fn a_refusal_is_told_in_the_servers_words_and_changes_nothing() {
    for (code, kind) in [
        (0x400, ErrorKind::NotSupported),
        (0x401, ErrorKind::InvalidValue),
        (0x40B, ErrorKind::Busy),
        (0x500, ErrorKind::Hardware),
        (0x5AB, ErrorKind::Hardware),
    ] {
        let mut rig = Rig::new();
        rig.observatory.camera.script().refuses.insert("gain", (code, "the gain is glued"));
        let error = fails(rig.camera.set_gain(5), kind, "the gain is glued");
        let words = format!("set_gain: refused by the camera: the gain is glued (ASCOM error {code:#X})");
        assert_eq!(error.to_string(), words);
        rig.observatory.camera.script().refuses.clear();
        assert_eq!(rig.camera.get_gain().unwrap(), 10);
    }
}

#[test]
fn an_exposure_that_does_not_start_is_told_and_the_next_one_does() {
    let mut rig = Rig::new();
    rig.observatory.camera.script().refuses.insert("startexposure", (0x501, "the shutter is stuck"));
    let start = rig.camera.start_exposure(&request(BRIEF, FrameType::Light));
    fails(start, ErrorKind::Hardware, "the shutter is stuck");
    assert_eq!(rig.camera.get_exposure_status().unwrap(), ExposureStatus::Idle);
    rig.observatory.camera.script().refuses.clear();
    rig.frame();
}

#[test]
fn a_camera_that_fails_while_it_exposes_says_so_once_and_works_again() {
    let mut rig = Rig::new();
    rig.start(BRIEF);
    rig.observatory.camera.script().broken = true;
    fails(rig.outcome(), ErrorKind::Hardware, "the camera reports that it has failed");
    assert_eq!(rig.camera.get_exposure_status().unwrap(), ExposureStatus::Idle);
    rig.frame();
}

#[test]
fn an_exposure_that_somebody_else_ended_is_told() {
    let mut rig = Rig::new();
    rig.start(BRIEF);
    rig.observatory.camera.script().vanishes = true;
    fails(rig.outcome(), ErrorKind::Hardware, "the camera stopped exposing and has no image");
    rig.observatory.camera.script().vanishes = false;
    rig.frame();
}

#[test]
fn a_camera_that_its_server_has_closed_is_lost() {
    let mut rig = Rig::new();
    rig.observatory.camera.script().connected = false;
    fails(rig.camera.polling(), ErrorKind::Disconnected, "has closed the camera");
    fails(rig.camera.get_gain(), ErrorKind::Disconnected, "0x407");
    rig.camera.reconnect(&rig.id).unwrap();
    rig.frame();
}

#[test]
fn a_server_that_says_nothing_is_not_waited_for_longer_than_a_call_may_take() {
    let mut rig = Rig::new();
    rig.observatory.door.plan(|plan| plan.stall = Some("/gain"));
    let begin = support::now();
    fails(rig.camera.get_gain(), ErrorKind::Timeout, "did not answer within 5 s");
    let took = begin.elapsed();
    assert!(took >= Duration::from_secs(5), "gave up after {took:?}");
    rig.observatory.door.plan(|plan| plan.stall = None);
    assert_eq!(rig.camera.get_gain().unwrap(), 10);
}

#[test]
fn a_gap_in_the_network_does_not_end_an_exposure() {
    let mut rig = Rig::of(Script { read_out: Duration::from_millis(50), ..Script::default() });
    rig.start(BRIEF);
    rig.observatory.door.plan(|plan| plan.stall = Some("/imageready"));
    until("the server is asked in vain", SOON, || {
        rig.camera.get_exposure_status().unwrap();
        rig.observatory.door.heard("/imageready") > 0
    });
    rig.observatory.door.plan(|plan| plan.stall = None);
    rig.outcome().unwrap();
}

#[test]
fn a_server_that_cannot_be_reached_for_a_while_does_not_end_an_exposure() {
    let mut rig = Rig::new();
    rig.start(BRIEF);
    let gap = rig.observatory.gap();
    until("time has passed", SOON, || {
        let status = rig.camera.get_exposure_status().unwrap();
        matches!(status, ExposureStatus::Reading { .. })
    });
    // Else the device would give the camera up.
    fails(rig.camera.polling(), ErrorKind::Timeout, "did not answer");
    rig.observatory.bridge(gap);
    rig.outcome().unwrap();
    let _gap = rig.observatory.gap();
    fails(rig.camera.polling(), ErrorKind::Disconnected, "is gone");
}

#[test]
fn a_server_that_is_gone_is_a_lost_camera_until_it_is_back() {
    let mut rig = Rig::new();
    rig.observatory.kill();
    fails(rig.camera.polling(), ErrorKind::Disconnected, "is gone");
    fails(rig.camera.set_gain(3), ErrorKind::Disconnected, "is gone");
    fails(rig.camera.reconnect(&rig.id), ErrorKind::Disconnected, "is gone");
    rig.observatory.start(Script::default());
    assert_eq!(rig.camera.reconnect(&rig.id).unwrap(), rig.can);
    rig.frame();
}

#[test]
fn a_server_that_dies_while_it_exposes_ends_the_exposure() {
    let mut rig = Rig::new();
    rig.start(BRIEF);
    rig.observatory.kill();
    fails(rig.outcome(), ErrorKind::Disconnected, "is gone");
    rig.observatory.start(Script::default());
    rig.camera.reconnect(&rig.id).unwrap();
    rig.frame();
}

#[test]
fn a_server_that_was_started_anew_while_it_exposed_ends_the_exposure() {
    let mut rig = Rig::new();
    rig.start(BRIEF);
    rig.observatory.kill();
    rig.observatory.start(Script::default());
    fails(rig.outcome(), ErrorKind::Disconnected, "");
    rig.camera.reconnect(&rig.id).unwrap();
    rig.frame();
}

/// An image that does not fit into any buffer on its way.
fn large() -> Script {
    Script { pixel: |x, y| i32::try_from((x ^ y) & 0xFFFF).unwrap(), ..Script::of_size(2003, 1009) }
}

#[test]
fn an_image_whose_connection_breaks_is_fetched_again() {
    let mut rig = Rig::of(large());
    rig.observatory.door.plan(|plan| plan.cut_image = Some(1_000_000));
    let pixels = rig.frame().pixels;
    assert_eq!(rig.observatory.door.heard("/imagearray"), 2);
    let Pixels::U16(pixels) = pixels else { panic!() };
    assert!(pixels.indexed_iter().all(|((_, y, x), value)| usize::from(*value) == (x ^ y)));
}

#[test]
fn a_server_that_dies_with_half_an_image_sent_is_a_lost_camera_and_comes_back() {
    let mut rig = Rig::of(large());
    rig.observatory.door.plan(|plan| plan.hold_image = Some(1_000_000));
    rig.start(BRIEF);
    until("half of the image", SOON, || {
        let status = rig.camera.get_exposure_status().unwrap();
        matches!(status, ExposureStatus::Reading { done: Some(done) } if done > 60.0)
    });
    // While it waits, the camera can be asked other things.
    assert_eq!(rig.camera.get_gain().unwrap(), 10);
    assert!(matches!(rig.camera.polling().unwrap().exposure, ExposureStatus::Reading { .. }));
    rig.observatory.kill();
    fails(rig.outcome(), ErrorKind::Disconnected, "is gone");
    rig.observatory.door.plan(|plan| plan.hold_image = None);
    rig.observatory.start(large());
    rig.camera.reconnect(&rig.id).unwrap();
    assert_eq!(rig.frame().pixels.shape(), (1, 1009, 2003));
}

#[test]
fn a_camera_that_is_not_quite_idle_after_an_abort_takes_the_next_exposure() {
    let mut rig = Rig::of(Script { restless: 1, ..Script::default() });
    rig.start(Duration::from_secs(600));
    rig.camera.abort_exposure().unwrap();
    rig.frame();
}

#[test]
fn a_camera_that_refuses_to_stop_because_it_has_ended_already_takes_the_next_exposure() {
    let mut rig = Rig::of(Script { abort: false, ..Script::default() });
    let nothing = (0x40B, "no exposure is in progress");
    rig.observatory.camera.script().refuses.insert("stopexposure", nothing);
    rig.start(BRIEF);
    let exposing = rig.observatory.camera.script().exposing.unwrap();
    until("the camera has ended it", SOON, || support::now() > exposing.opened + exposing.length);
    rig.camera.abort_exposure().unwrap();
    rig.frame();
    // One that goes on is another matter.
    rig.start(LONG);
    fails(rig.camera.abort_exposure(), ErrorKind::Busy, "no exposure is in progress");
    rig.observatory.camera.script().exposing = None;
    rig.frame();
}

#[test]
fn a_camera_that_is_not_idle_after_an_abort_is_not_flooded_with_exposures() {
    let mut rig = Rig::of(Script { restless: u32::MAX, ..Script::default() });
    rig.start(LONG);
    rig.camera.abort_exposure().unwrap();
    let start = rig.camera.start_exposure(&request(BRIEF, FrameType::Light));
    fails(start, ErrorKind::Busy, "Camera is not idle");
    let asked = rig.observatory.door.heard("/startexposure");
    assert!((3..=25).contains(&asked), "asked {asked} times");
}

#[test]
fn an_image_that_has_stopped_coming_can_be_aborted() {
    let mut rig = Rig::of(large());
    rig.observatory.door.plan(|plan| plan.hold_image = Some(100_000));
    rig.start(BRIEF);
    until("the beginning of the image", SOON, || {
        let status = rig.camera.get_exposure_status().unwrap();
        matches!(status, ExposureStatus::Reading { done: Some(_) })
    });
    rig.camera.abort_exposure().unwrap();
    assert_eq!(rig.camera.get_exposure_status().unwrap(), ExposureStatus::Idle);
    rig.observatory.door.plan(|plan| plan.hold_image = None);
    rig.frame();
}
