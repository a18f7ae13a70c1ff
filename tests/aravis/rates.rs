//! Many frames, as fast as the camera has them.

use super::*;

/// The time of a frame on the camera's side of the wire, s.
fn began(frame: &Fits) -> f64 {
    let date = frame.get("DATE-OBS");
    let clock = date.split_once('T').unwrap().1.trim_end_matches('Z');
    let parts = clock.split(':').map(|part| part.parse::<f64>().unwrap());
    parts.fold(0.0, |sum, part| sum * 60.0 + part)
}

/// Takes a run of frames; how many of the camera's frames there are from each to the next, and how many came a second.
fn run(driver: &mut Driver, ramp: Ramp, frames: usize) -> (Vec<u32>, f64) {
    driver.new_vector("Switch", "CCD_FAST_TOGGLE", &[("INDI_ENABLED", "On")]);
    number(driver, "CCD_FAST_COUNT", &[("FRAMES", frames as f64)]);
    let seconds = ramp.seconds.to_string();
    driver.new_vector("Number", "CCD_EXPOSURE", &[("CCD_EXPOSURE_VALUE", &seconds)]);
    let mut blobs = Vec::new();
    while blobs.len() < frames {
        let element = driver.next_element(PATIENCE);
        assert_ne!(end_of_exposure(&element), Some("Alert"), "{}", driver.report());
        if element.is("setBLOBVector", "CCD1") {
            blobs.push(element.blob().bytes);
        }
    }
    driver.wait_for(|peer| peer.state("CCD_EXPOSURE") != "Busy", PATIENCE);
    let frames: Vec<Fits> = blobs.iter().map(|bytes| fits(bytes)).collect();
    let numbers: Vec<u32> = frames.iter().map(|frame| ramp.step(frame)).collect();
    let steps = numbers.windows(2).map(|pair| (pair[1] + 65535 * 255 - pair[0]) % 255).collect();
    // The first few come one by one.
    let half = &frames[frames.len() / 2..];
    let mut span = began(&half[half.len() - 1]) - began(&half[0]);
    span += if span < 0.0 { 86_400.0 } else { 0.0 };
    (steps, (half.len() - 1) as f64 / span)
}

#[test]
fn a_run_of_short_exposures_gets_the_frames_of_a_camera_that_runs_freely_each_once() {
    const FRAMES: usize = 60;
    let _alone = alone();
    let camera = FakeCamera::start();
    let mut driver = driver();
    window(&mut driver, [0, 0, 320, 240]);
    let mut ran_freely = false;
    // So short an exposure shows as much as a whole step of gain less.
    number(&mut driver, "CCD_GAIN", &[("GAIN", 1.0)]);
    for (name, bits) in [("Mono8", 8), ("Mono16", 16)] {
        format(&mut driver, name);
        for rate in [25.0, 100.0] {
            number(&mut driver, "ARAVIS_FRAME_RATE", &[("VALUE", rate)]);
            let (steps, came) = run(&mut driver, Ramp { bits, seconds: 0.001, gain: 1 }, FRAMES);
            let next = steps.iter().filter(|step| **step == 1).count();
            let last = steps.len();
            println!(
                "{name} 320x240 at {rate} frames/s: {came:.1} frames/s by INDI, {next} of {last} the very next"
            );
            // How many are left out depends on the machine; 255 of them in a row cannot be seen.
            assert!(steps.iter().all(|step| *step != 0), "a frame came twice: {steps:?}");
            ran_freely |= camera.feature("TriggerMode") == "Off";
        }
    }
    assert!(ran_freely, "each frame was asked for by a command");
}
