//! A virtual camera behind the kernel's USB stack and its driver for USB cameras. `UVC_CAMERA` is the program that plugs it
//! in; its pixels are black + exposure × gain × ramp, with exposures in units of 100 µs and a ramp from 1 to 16 across
//! the columns, in formats of 8 bits divided by 256 before black is added.

use std::env;
use std::process::Stdio;

use super::support::Process;
use super::*;

/// So that a frame is one payload of the camera's.
const SMALL: [usize; 2] = [64, 48];
/// Three of them, in 16 bits.
const LARGE: [usize; 2] = [160, 120];
const NAME: &str = "Virtual UVC camera";

/// The camera, which is plugged in until this is dropped.
struct Plugged(Process);

impl Plugged {
    fn with(faults: &[&str]) -> Plugged {
        Plugged::of_size(SMALL, faults)
    }

    fn of_size([width, height]: [usize; 2], faults: &[&str]) -> Plugged {
        let program = env::var_os("UVC_CAMERA").expect("no UVC_CAMERA: run tests/rigs/v4l2.sh");
        let mut command = Command::new("python3");
        command.arg(program).args(["--width", &width.to_string(), "--height", &height.to_string()]);
        command.args(faults).stdin(Stdio::null()).stdout(Stdio::null());
        Plugged(Process::spawn(&mut command).unwrap())
    }

    /// Waits until it has unplugged itself.
    fn wait_for_the_end(mut self) {
        assert!(self.0.wait(PATIENCE).is_some(), "the camera is still there");
    }
}

/// The camera with these faults, connected.
fn uvc(faults: &[&str]) -> (Plugged, Rig) {
    (Plugged::with(faults), connected())
}

fn connected() -> Rig {
    let mut rig = Rig::of(NAME);
    rig.client.connect();
    rig
}

/// One row as the camera makes it.
fn row(width: usize, black: u32, exposure: u32, gain: u32, deep: bool) -> Vec<u32> {
    let ramp = (0..width).map(|x| 1 + u32::try_from(x * 16 / width).unwrap());
    let value = |ramp: u32| {
        let light = exposure * gain * ramp;
        if deep { (black + light).min(65535) } else { (black + light / 256).min(255) }
    };
    ramp.map(value).collect()
}

fn shows(frame: &Fits, expected: &[u32], tolerance: u32) -> bool {
    let mut rows = frame.pixels.chunks(expected.len());
    frame.shape[..2] == if expected.len() == SMALL[0] { SMALL } else { LARGE }
        && rows.all(|row| row.iter().zip(expected).all(|(a, b)| a.abs_diff(*b) <= tolerance))
}

fn settings(rig: &mut Rig, format: &str, gain: u32, black: u32) {
    rig.format(format);
    rig.number("CCD_GAIN", "GAIN", gain.into());
    rig.number("CCD_OFFSET", "OFFSET", black.into());
}

#[test]
fn pixels_follow_exposure_and_gain_in_every_format() {
    let (_plugged, mut rig) = uvc(&[]);
    for (format, tolerance) in [("Y16", 0), ("RGGB", 0), ("YUYV", 1), ("MJPG", 1)] {
        for (exposure, gain, black) in [
            (100, 1, 10),
            (100, 4, 10),
            (400, 1, 10),
            (400, 7, 30),
            (2000, 3, 10),
            (37, 20, 0),
            (12000, 1, 5),
        ] {
            settings(&mut rig, format, gain, black);
            let frame = rig.frame(f64::from(exposure) * 1e-4);
            let mut expected = row(SMALL[0], black, exposure, gain, format == "Y16");
            match format {
                // Brightness from 16 to 235 is black to white.
                "YUYV" => {
                    expected.iter_mut().for_each(|y| *y = ((y.saturating_sub(16)) * 255 / 219).min(255))
                }
                // The camera makes blocks of eight by eight.
                "MJPG" => expected = expected.iter().step_by(8).flat_map(|value| [*value; 8]).collect(),
                _ => {}
            }
            let (first, last) = (frame.pixels[0], frame.pixels[SMALL[0] - 1]);
            println!("{format} {exposure} x 100 us, gain {gain}, black {black}: {first} to {last}");
            assert!(shows(&frame, &expected, tolerance), "{first} to {last} instead of {expected:?}");
            assert_eq!(frame.shape.len(), if ["YUYV", "MJPG"].contains(&format) { 3 } else { 2 });
            assert!((frame.number("EXPTIME") - f64::from(exposure) * 1e-4).abs() < 1e-6);
            assert_eq!((frame.number("GAIN"), frame.number("OFFSET")), (gain.into(), black.into()));
        }
    }
}

#[test]
fn a_camera_that_is_pulled_out_during_an_exposure_comes_back_with_its_name_and_settings() {
    let (plugged, mut rig) = uvc(&["--unplug-after", "6"]);
    settings(&mut rig, "RGGB", 9, 21);
    let why = rig.fail(0.3);
    rig.is_lost();
    plugged.wait_for_the_end();
    let _plugged = Plugged::with(&[]);
    rig.is_back();
    let frame = rig.frame(0.3);
    assert!(
        shows(&frame, &row(SMALL[0], 21, 3000, 9, false), 0),
        "after {why}: {:?}",
        &frame.pixels[..SMALL[0]]
    );
}

#[test]
fn a_camera_that_stalls_costs_one_exposure_and_works_again_once_it_was_plugged_in_anew() {
    let (plugged, mut rig) = uvc(&["--stall-after", "3"]);
    settings(&mut rig, "Y16", 5, 40);
    let why = rig.fail(0.05);
    assert!(why.contains("no frames"), "{why}");
    drop(plugged);
    rig.is_lost();
    let _plugged = Plugged::with(&[]);
    rig.is_back();
    let frame = rig.frame(0.05);
    assert!(shows(&frame, &row(SMALL[0], 40, 500, 5, true), 0), "{:?}", &frame.pixels[..SMALL[0]]);
}

#[test]
fn frames_that_lost_packets_are_never_shown() {
    // A frame is three payloads, and the kernel passes damaged ones on with a mark.
    let _plugged = Plugged::of_size(LARGE, &["--drop-every", "7"]);
    let mut rig = connected();
    settings(&mut rig, "Y16", 3, 10);
    for exposure in [100, 200, 300, 400, 500, 600] {
        let frame = rig.frame(f64::from(exposure) * 1e-4);
        assert!(shows(&frame, &row(LARGE[0], 10, exposure, 3, true), 0), "{exposure}");
    }
}

#[test]
fn two_cameras_keep_names_and_settings_when_they_are_plugged_in_again_in_another_order() {
    let one = Plugged::with(&["--serial", "ONE"]);
    let mut rig = Rig::of(NAME);
    let two = Plugged::with(&["--serial", "TWO"]);
    let devices = ["ONE", "TWO"].map(|serial| {
        rig.client.send("<getProperties version='1.7'/>\n");
        rig.address(|device| device.ends_with(serial))
    });
    for (device, gain) in devices.iter().zip([2, 3]) {
        rig.client.address(device);
        rig.client.connect();
        settings(&mut rig, "Y16", gain, 10);
    }
    drop((one, two));
    for device in &devices {
        rig.client.address(device);
        rig.is_lost();
    }
    let _again = ["TWO", "ONE"].map(|serial| Plugged::with(&["--serial", serial]));
    for (device, gain) in devices.iter().zip([2, 3]) {
        rig.client.address(device);
        rig.is_back();
        let frame = rig.frame(0.01);
        assert!(shows(&frame, &row(SMALL[0], 10, 100, gain, true), 0), "{device}");
    }
}
