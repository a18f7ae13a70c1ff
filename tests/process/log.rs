//! The driver's own log, for clients that want it.

use crate::support::{Driver, SOON, Start};
use crate::{BRIEF, connected, connected_by, press, until_quiet};

fn debug_lines(driver: &Driver) -> usize {
    driver.messages.iter().filter(|said| said.starts_with("[DEBUG]")).count()
}

#[test]
fn the_log_is_shown_while_debug_is_on_and_only_then() {
    let mut driver = connected();
    driver.expose(BRIEF);
    assert_eq!(debug_lines(&driver), 0);
    press(&mut driver, "DEBUG", "ENABLE");
    press(&mut driver, "DEBUG_LEVEL", "DBG_DEBUG");
    driver.expose(BRIEF);
    let shown = |said: &String| said.starts_with("[DEBUG] camera call") && said.contains("start_exposure");
    driver.wait_for(|peer| peer.messages.iter().any(shown), SOON);
    press(&mut driver, "DEBUG", "DISABLE");
    until_quiet(&mut driver);
    let until_now = debug_lines(&driver);
    driver.expose(BRIEF);
    until_quiet(&mut driver);
    assert_eq!(debug_lines(&driver), until_now);
}

#[test]
fn bad_input_is_told_to_those_who_debug() {
    let mut driver = connected();
    press(&mut driver, "DEBUG", "ENABLE");
    driver.send("<newTextVector device='Camera Simulator'></newTextVector>");
    let told =
        |said: &String| said.starts_with("[WARNING] bad input") && said.contains("vector without a name");
    driver.wait_for(|peer| peer.messages.iter().any(told), SOON);
}

#[test]
fn every_line_of_an_exposure_names_it() {
    let env = vec![("RUST_LOG", "indi_camera=debug".to_owned())];
    let mut driver = connected_by(Start { env, ..Start::default() });
    press(&mut driver, "DEBUG", "ENABLE");
    press(&mut driver, "DEBUG_LEVEL", "DBG_DEBUG");
    driver.expose(BRIEF);
    driver.expose(BRIEF);
    let log = driver.stderr();
    let lines_of = |words: &str| log.lines().filter(|line| line.contains(words)).collect::<Vec<_>>();
    // The camera's thread, the device's and that of the delivery.
    for words in ["call=\"start_exposure\"", "frame read out", "goes to the delivery thread", "encoded"] {
        let lines = lines_of(words);
        assert_eq!(lines.len(), 2, "{words}\n{log}");
        for (id, line) in (1..).zip(lines) {
            assert!(line.contains(&format!("exposure{{id={id} device=\"Camera Simulator\"}}")), "{line}");
        }
    }
    let told = |said: &String| said.contains("encoded") && said.contains("[exposure id=2 device=");
    driver.wait_for(|peer| peer.messages.iter().any(told), SOON);
}
