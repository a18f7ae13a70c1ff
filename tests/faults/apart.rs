//! What one camera does or fails to do is nothing to the others in its process.

use super::*;

/// Cameras of one process: the one that works, the one that hangs, the one that floods.
const WELL: &str = "Camera Simulator";
const HUNG: &str = "Camera Simulator 2";
const FLOODING: &str = "Camera Simulator 3";
/// Frames of the flood that may come between a question and its answer: those that were on their way.
const MOST_BETWEEN: usize = 20;

/// Listens until the working camera's vector is told in that state; how many frames of the flood came before.
fn flooded_until(driver: &mut Driver, vector: &str, state: &str) -> usize {
    let mut frames = 0;
    driver.until(
        |element| {
            let of = element.attribute("device");
            assert!(
                of != HUNG || !ends(element) || element.attribute("state") == "Busy",
                "the hung one ended first"
            );
            frames += usize::from(of == FLOODING && element.tag == "setBLOBVector");
            of == WELL && element.attribute("name") == vector && element.attribute("state") == state
        },
        SOON,
    );
    frames
}

#[test]
fn a_camera_that_hangs_and_one_that_floods_do_not_delay_a_third() {
    let (mut driver, _folder) = scripted(
        &format!(
            "[[fault]]\nkind = 'call_blocks'\ncall = 'start_exposure'\nseconds = 60\ncamera = '{HUNG}'\n"
        ),
        3,
    );
    for camera in [WELL, HUNG, FLOODING] {
        driver.address(camera);
        connect(&mut driver);
    }
    driver.new_vector("Number", "CCD_FAST_COUNT", &[("FRAMES", "100000")]);
    driver.new_vector("Switch", "CCD_FAST_TOGGLE", &[("INDI_ENABLED", "On")]);
    begin(&mut driver, 0.001);
    driver.address(HUNG);
    begin(&mut driver, BRIEF);
    let mut frames = 0;
    driver.until(
        |element| {
            frames += usize::from(element.tag == "setBLOBVector");
            frames == 10
        },
        SOON,
    );

    driver.address(WELL);
    driver.new_vector("Switch", "CCD_FRAME_TYPE", &[("FRAME_DARK", "On")]);
    let between = flooded_until(&mut driver, "CCD_FRAME_TYPE", "Ok");
    assert!(between <= MOST_BETWEEN, "{between} frames of another camera before an answer");
    driver.new_vector("Number", "TELESCOPE_TIMED_GUIDE_NS", &[("TIMED_GUIDE_N", "100")]);
    let between = flooded_until(&mut driver, "TELESCOPE_TIMED_GUIDE_NS", "Busy");
    assert!(between <= MOST_BETWEEN, "{between} frames of another camera before a pulse began");
    flooded_until(&mut driver, "TELESCOPE_TIMED_GUIDE_NS", "Ok");
    for _ in 0..3 {
        begin(&mut driver, 0.1);
        flooded_until(&mut driver, "CCD_EXPOSURE", "Ok");
    }
    assert_eq!(driver.state("CCD_EXPOSURE"), "Ok");

    driver.address(FLOODING);
    assert_eq!(driver.state("CCD_EXPOSURE"), "Busy", "the flood was over before the others were answered");
    driver.new_vector("Switch", "CCD_ABORT_EXPOSURE", &[("ABORT", "On")]);
    driver.wait_for(|driver| driver.state("CCD_EXPOSURE") == "Idle", SOON);
}
