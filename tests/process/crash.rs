//! What a process that was killed leaves behind in the hardware, and what the next one makes of it.

use std::fs;
use std::sync::Arc;

use rustix::process::Signal;

use crate::support::{Driver, Folder, SOON, Start};
use crate::{BRIEF, LONG, begin, connected_by, press, until_quiet};

/// A simulated camera whose hardware outlives the process.
fn lasting(home: &Arc<Folder>) -> Start {
    let state = home.path().join("hardware").display().to_string();
    Start { env: vec![("INDI_CAMERA_SIMULATOR_STATE", state)], home: Some(home.clone()), ..Start::default() }
}

/// Whether the cooler is on after the process.
fn cools(home: &Folder) -> bool {
    let state = fs::read_to_string(home.path().join("hardware")).unwrap();
    let mut words = state.trim_start_matches("Camera Simulator\t").split(' ');
    words.nth(1) == Some("1")
}

fn cooling(home: &Arc<Folder>) -> Driver {
    let mut driver = connected_by(lasting(home));
    driver.new_vector("Number", "CCD_TEMPERATURE", &[("CCD_TEMPERATURE_VALUE", "-10")]);
    driver.wait_for(|peer| peer.get("CCD_COOLER", "COOLER_ON") == Some("On"), SOON);
    driver
}

fn assert_found_cooling(driver: &Driver) {
    assert_eq!(driver.get("CCD_COOLER", "COOLER_ON"), Some("On"), "{}", driver.report());
    assert_eq!(driver.number("CCD_TEMPERATURE_TARGET", "TARGET"), -10.0);
    assert_ne!(driver.state("CCD_TEMPERATURE"), "Idle");
}

#[test]
fn a_killed_driver_leaves_cooler_and_exposure_and_the_next_one_finds_both() {
    let home = Arc::new(Folder::new());
    let mut driver = cooling(&home);
    begin(&mut driver, LONG);
    driver.wait_for(|peer| peer.get("CCD_EXPOSURE_STATUS", "PHASE") == Some("exposing"), SOON);
    driver.signal(Signal::KILL);
    driver.wait(SOON);

    let mut driver = connected_by(lasting(&home));
    assert_found_cooling(&driver);
    let ended = |said: &String| said.contains("was exposing when it was opened");
    assert_eq!(driver.messages.iter().filter(|said| ended(said)).count(), 1, "{:?}", driver.messages);
    driver.expose(BRIEF);
    // Nothing of that is said a second time.
    let mut driver = reconnected(driver);
    assert!(!driver.messages.iter().any(ended), "{:?}", driver.messages);
    driver.expose(BRIEF);
}

fn reconnected(mut driver: Driver) -> Driver {
    driver.messages.clear();
    press(&mut driver, "CONNECTION", "DISCONNECT");
    driver.wait_for(|peer| peer.vector("CCD1").is_none(), SOON);
    driver.connect();
    until_quiet(&mut driver);
    driver
}

#[test]
fn the_cooler_ends_as_its_policy_says_also_when_another_process_had_switched_it_on() {
    for (policy, on) in [("HOLD", true), ("WARM_UP", false), ("OFF", false)] {
        let home = Arc::new(Folder::new());
        let driver = cooling(&home);
        driver.signal(Signal::KILL);
        drop(driver);
        assert!(cools(&home));
        let mut driver = connected_by(lasting(&home));
        assert_found_cooling(&driver);
        press(&mut driver, "COOLER_POLICY", policy);
        until_quiet(&mut driver);
        // The server dies.
        driver.close();
        assert_eq!(driver.wait(SOON).code(), Some(0));
        assert_eq!(cools(&home), on, "{policy}");
    }
}
