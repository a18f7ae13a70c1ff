//! The driver's own log, for clients that want it.

use crate::support::{Driver, SOON};
use crate::{BRIEF, connected, press, until_quiet};

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
