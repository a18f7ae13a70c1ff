//! Lost packets, and cameras that die, hang and come back.

use std::thread;

use indi_camera::backend::aravis::Aravis;
use indi_camera::camera::Camera;
use indi_camera::camera::error::ErrorKind;
use indi_camera::camera::types::{
    ADDRESSES_PARAMETER, ExposureId, ExposureRequest, ExposureStatus, FrameType, Value,
};
use rustix::process::Signal;

use super::support::Limit;
use super::*;

#[test]
fn of_a_camera_that_loses_packets_every_frame_that_arrives_is_whole() {
    const FRAMES: usize = 30;
    let _alone = alone();
    let _camera = FakeCamera::losing(20);
    let mut driver = driver();
    format(&mut driver, "Mono8");
    window(&mut driver, [0, 0, 320, 240]);
    let ramp = Ramp { bits: 8, seconds: 0.01, gain: 0 };
    let (mut whole, mut ends) = (0, Vec::new());
    for _ in 0..FRAMES {
        driver.new_vector("Number", "CCD_EXPOSURE", &[("CCD_EXPOSURE_VALUE", "0.01")]);
        loop {
            let element = driver.next_element(PATIENCE);
            if let Some(end) = end_of_exposure(&element) {
                ends.push(end.to_owned());
                break;
            }
            if element.is("setBLOBVector", "CCD1") {
                let frame = fits(&element.blob().bytes);
                assert_eq!(frame.shape, [320, 240]);
                ramp.step(&frame);
                whole += 1;
            }
        }
    }
    let good = ends.iter().filter(|end| *end == "Ok").count();
    println!("2 % of packets lost: {good} of {FRAMES} exposures of 320x240 Ok, the others one Alert each");
    assert_eq!((ends.len(), whole), (FRAMES, good), "{ends:?}");
    assert!(ends.iter().all(|end| end == "Ok" || end == "Alert"), "{ends:?}");
    assert!(good > FRAMES / 2, "{good} of {FRAMES} arrived: nothing was taken again");
}

/// Reads until the camera is lost and nothing runs any more; how the exposure ended, each time that it did.
fn lost(driver: &mut Driver) -> Vec<String> {
    let mut ends = Vec::new();
    while driver.state("CONNECTION") != "Alert" || driver.state("CCD_EXPOSURE") == "Busy" {
        let element = driver.next_element(PATIENCE);
        ends.extend(end_of_exposure(&element).map(str::to_owned));
    }
    ends
}

/// Has a long exposure begin, and waits until time has passed.
fn exposing(driver: &mut Driver) {
    driver.new_vector("Number", "CCD_EXPOSURE", &[("CCD_EXPOSURE_VALUE", "10")]);
    let is_running = |peer: &Peer| {
        let left = peer.get("CCD_EXPOSURE", "CCD_EXPOSURE_VALUE").and_then(|left| left.parse::<f64>().ok());
        peer.state("CCD_EXPOSURE") == "Busy" && left.is_some_and(|left| left < 9.5)
    };
    driver.wait_for(is_running, PATIENCE);
}

#[test]
fn a_camera_that_dies_during_an_exposure_is_lost_soon_and_set_again_when_it_is_back() {
    let _alone = alone();
    let mut camera = FakeCamera::start();
    let mut driver = driver();
    format(&mut driver, "Mono8");
    window(&mut driver, [8, 8, 320, 240]);
    number(&mut driver, "CCD_GAIN", &[("GAIN", 2.0)]);
    for _ in 0..2 {
        exposing(&mut driver);
        let heard = driver.messages.len();
        camera.kill();
        let killed = support::now();
        assert_eq!(lost(&mut driver), ["Alert"]);
        println!("killed during an exposure of 10 s: lost after {:.1?}", killed.elapsed());
        let said = driver.messages[heard..].join("\n");
        assert!(said.contains("the camera does not answer any more"), "{said}");
        camera.restart();
        let back = support::now();
        driver.wait_for(|peer| peer.state("CONNECTION") == "Ok", PATIENCE);
        println!("started again: back after {:.1?}", back.elapsed());
        let frame = frame(&mut driver, 0.01);
        assert_eq!(frame.shape, [320, 240]);
        Ramp { bits: 8, seconds: 0.01, gain: 2 }.step(&frame);
    }
}

#[test]
fn a_camera_that_hangs_is_lost_and_everything_else_answers_all_the_while() {
    let _alone = alone();
    let camera = FakeCamera::start();
    let mut driver = driver();
    window(&mut driver, [0, 0, 64, 48]);
    exposing(&mut driver);
    camera.signal(Signal::STOP);
    assert_eq!(lost(&mut driver), ["Alert"]);
    // What needs no camera does not wait for it.
    driver.new_vector("Number", "POLLING_PERIOD", &[("PERIOD_MS", "2000")]);
    driver.wait_for(|peer| peer.get("POLLING_PERIOD", "PERIOD_MS") == Some("2000"), PATIENCE);
    assert_eq!(driver.state("CONNECTION"), "Alert");
    camera.signal(Signal::CONT);
    driver.wait_for(|peer| peer.state("CONNECTION") == "Ok", PATIENCE);
    frame(&mut driver, 0.01);
}

#[test]
fn a_camera_that_dies_while_nobody_wants_anything_is_noticed_too() {
    let _alone = alone();
    let mut camera = FakeCamera::start();
    let mut driver = driver();
    camera.kill();
    driver.wait_for(|peer| peer.state("CONNECTION") == "Alert", PATIENCE);
    camera.restart();
    driver.wait_for(|peer| peer.state("CONNECTION") == "Ok", PATIENCE);
    window(&mut driver, [0, 0, 64, 48]);
    frame(&mut driver, 0.01);
}

/// The register in which every GigE Vision camera has the time for which it obeys a program that says nothing, in ms.
fn patience(camera: &FakeCamera) -> String {
    camera.feature("R[0x00000938]")
}

#[test]
fn a_driver_that_was_starved_for_seconds_still_controls_its_camera() {
    let _alone = alone();
    let camera = FakeCamera::start();
    let own = patience(&camera);
    let mut driver = driver();
    window(&mut driver, [0, 0, 64, 48]);
    frame(&mut driver, 0.01);
    // Longer than such a camera waits by itself, as somebody else asks it meanwhile.
    driver.signal(Signal::STOP);
    let limit = Limit::after(Duration::from_secs(4));
    while limit.left().is_some() {
        camera.feature("Width");
    }
    driver.signal(Signal::CONT);
    driver.messages.clear();
    for _ in 0..3 {
        frame(&mut driver, 0.01);
    }
    assert_eq!(driver.state("CONNECTION"), "Ok", "{}", driver.report());
    assert!(!driver.messages.iter().any(|message| message.contains("lost")), "{:?}", driver.messages);
    assert_ne!(patience(&camera), own);
    driver.new_vector("Switch", "CONNECTION", &[("DISCONNECT", "On")]);
    driver.wait_for(|peer| peer.vector("CCD_EXPOSURE").is_none(), PATIENCE);
    let limit = Limit::after(PATIENCE);
    while patience(&camera) != own {
        assert!(limit.left().is_some(), "the camera is not left as it was found");
    }
}

#[test]
fn a_failure_is_told_to_whoever_waits_for_the_frame_and_not_to_a_poll() {
    let _alone = alone();
    // No frame of this one is whole.
    let _camera = FakeCamera::losing(500);
    let mut camera = Aravis::new();
    let only = Value::Text("only,127.0.0.1".to_owned());
    camera.set_parameter(ADDRESSES_PARAMETER, only).unwrap();
    let id = camera.scanning().unwrap().remove(0);
    camera.connect(&id).unwrap();
    let request = ExposureRequest::new(ExposureId(1), Duration::from_millis(10), FrameType::Light);
    camera.start_exposure(&request).unwrap();
    let limit = Limit::after(PATIENCE);
    let failure = loop {
        assert!(limit.left().is_some(), "it does not fail");
        let polled = camera.polling().expect("an exposure's end is no failure of a poll").exposure;
        assert!(!matches!(polled, ExposureStatus::Idle | ExposureStatus::Ready), "{polled:?}");
        // Much rarer than polls, as when a client asks for much.
        for _ in 0..20 {
            camera.polling().expect("an exposure's end is no failure of a poll");
            thread::park_timeout(Duration::from_millis(5));
        }
        if let Err(failure) = camera.get_exposure_status() {
            break failure;
        }
    };
    assert_eq!(failure.kind, ErrorKind::Hardware);
    assert!(failure.detail.contains("packets of the frame were lost"), "{failure}");
    assert_eq!(camera.polling().unwrap().exposure, ExposureStatus::Idle);
}
