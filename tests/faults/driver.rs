//! How a user asks a running driver for a fault, and gets rid of it.

use super::*;

/// A connected camera, whose properties of faults are known.
fn connected() -> Driver {
    let mut driver = Driver::simulator();
    connect(&mut driver);
    driver.wait_for(|driver| driver.state("SIMULATOR_FAULT") == "Ok", SOON);
    driver
}

/// Asks for a fault of that kind by property.
fn ask(driver: &mut Driver, kind: &str) {
    driver.new_vector("Switch", "SIMULATOR_FAULT", &[(kind, "On")]);
    // Answered after the wish, as everything is.
    driver.new_vector("Text", "SIMULATOR_FAULT_CALL", &[("CALL", "set_gain")]);
    driver.new_vector("Text", "SIMULATOR_FAULT_CALL", &[("CALL", "")]);
    for call in ["set_gain", ""] {
        let told = |element: &Element| {
            element.is("setTextVector", "SIMULATOR_FAULT_CALL") && element.value("CALL") == Some(call)
        };
        driver.until(told, SOON);
    }
    assert_eq!(driver.get("SIMULATOR_FAULT", kind), Some("On"));
}

fn states(driver: &mut Driver, count: usize) -> Vec<String> {
    (0..count).map(|_| attempt(driver).0).collect()
}

#[test]
fn a_property_asks_for_a_fault_from_an_occurrence_on_and_as_often_as_it_says() {
    let mut driver = connected();
    ask(&mut driver, "START_REFUSED");
    assert_eq!(states(&mut driver, 3), ["Alert", "Ok", "Ok"]);
    driver.new_vector("Number", "SIMULATOR_FAULT_WHEN", &[("AT", "2"), ("TIMES", "2")]);
    ask(&mut driver, "SHORT_FRAME");
    assert_eq!(states(&mut driver, 4), ["Ok", "Alert", "Alert", "Ok"]);
    driver.new_vector("Number", "SIMULATOR_FAULT_WHEN", &[("AT", "1"), ("TIMES", "0")]);
    ask(&mut driver, "CORRUPT_FRAME");
    assert_eq!(states(&mut driver, 2), ["Alert", "Alert"]);
    ask(&mut driver, "NONE");
    assert_eq!(states(&mut driver, 2), ["Ok", "Ok"]);
}

#[test]
fn an_exposure_that_hangs_is_freed_when_its_fault_is_taken_back() {
    let mut driver = connected();
    driver.new_vector("Number", "SIMULATOR_FAULT_WHEN", &[("SECONDS", "0")]);
    ask(&mut driver, "NEVER_ENDS");
    begin(&mut driver, BRIEF);
    driver.wait_for(|driver| driver.state("CCD_EXPOSURE") == "Busy", SOON);
    ask(&mut driver, "NONE");
    driver.wait_for(|driver| driver.state("CCD_EXPOSURE") == "Ok", SOON);
}

#[test]
fn a_camera_that_has_panicked_comes_back_and_does_not_panic_again() {
    let mut driver = connected();
    for _ in 0..2 {
        ask(&mut driver, "PANIC");
        let (state, said) = attempt(&mut driver);
        assert_eq!(state, "Alert");
        assert!(said.iter().any(|said| said.contains("panicked")), "{said:?}");
        for state in ["Alert", "Ok"] {
            driver.wait_for(|driver| driver.state("CONNECTION") == state, SOON);
        }
        assert_eq!(states(&mut driver, 2), ["Ok", "Ok"]);
        // It is as small as the one before it.
        assert_eq!(driver.number("CCD_INFO", "CCD_MAX_X"), 64.0);
    }
}

#[test]
fn what_is_wrong_with_a_fault_is_said_and_nothing_happens() {
    let mut driver = connected();
    driver.messages.clear();
    driver.new_vector("Number", "SIMULATOR_FAULT_WHEN", &[("AT", "0")]);
    driver.new_vector("Text", "SIMULATOR_FAULT_CALL", &[("CALL", "Set Gain")]);
    driver.wait_for(|driver| driver.messages.len() == 2, SOON);
    assert!(
        driver.messages[0].contains("AT") && driver.messages[1].contains("not \"Set Gain\""),
        "{:?}",
        driver.messages
    );
    driver.wait_for(|driver| driver.state("SIMULATOR_FAULT_CALL") == "Alert", SOON);
    assert_eq!(states(&mut driver, 1), ["Ok"]);
}

#[test]
fn a_script_counts_for_the_cameras_that_it_names() {
    let script = "[[fault]]\nkind = 'start_refused'\nat = 2\n[[fault]]\nkind = 'short_frame'\ncamera = 'Camera Simulator 2'";
    let (mut driver, _folder) = scripted(script, 2);
    connect(&mut driver);
    assert_eq!(states(&mut driver, 3), ["Ok", "Alert", "Ok"]);
    driver.address("Camera Simulator 2");
    connect(&mut driver);
    assert_eq!(states(&mut driver, 3), ["Alert", "Alert", "Ok"]);
    // What has happened has happened, also for a camera that is connected again.
    driver.new_vector("Switch", "CONNECTION", &[("DISCONNECT", "On")]);
    driver.wait_for(|driver| driver.vector("CCD1").is_none(), SOON);
    driver.connect();
    assert_eq!(states(&mut driver, 2), ["Ok", "Ok"]);
}

#[test]
fn a_bad_script_is_one_sentence_with_its_line_and_no_faults() {
    let good = "[[fault]]\nkind = 'start_refused'\ntimes = 0\n\n";
    for (bad, words) in [
        ("[[fault]]\nkind = 'melts'", "line 6: kind takes one of"),
        ("[[fault]]\nat = 1", "line 5: missing field `kind`"),
        ("[[fault]]\nkind = 'panic'\nat = -3", "line 7: at takes a whole number"),
        ("[[fault]]\nkind = 'panic'\nat = = 3", "line 7: "),
        ("fault = 3", "line 5: "),
    ] {
        let (mut driver, _folder) = scripted(&format!("{good}{bad}"), 1);
        connect(&mut driver);
        let said =
            driver.messages.iter().filter(|said| said.contains("INDI_CAMERA_FAULTS")).collect::<Vec<_>>();
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains(words) && said[0].contains("faults.toml is not used"), "{said:?}");
        assert_eq!(states(&mut driver, 1), ["Ok"]);
    }
}

#[test]
fn a_script_that_cannot_be_read_is_said_too() {
    let env = vec![("INDI_CAMERA_FAULTS", "/nowhere/faults.toml".to_owned())];
    let mut driver = Driver::start(Start { env, ..Start::default() });
    connect(&mut driver);
    assert!(driver.messages.iter().any(|said| said.contains("No such file")), "{:?}", driver.messages);
    assert_eq!(states(&mut driver, 1), ["Ok"]);
}

/// Makes a call by name; its status and result.
fn call(driver: &mut Driver, name: &str, params: &str) -> (String, String) {
    driver.new_vector("Text", "CAMERA_CALL", &[("NAME", name), ("PARAMS", params)]);
    let reply = driver.until(|element| element.is("setTextVector", "CAMERA_REPLY"), SOON);
    let value = |name: &str| reply.value(name).unwrap().to_owned();
    assert_eq!(value("NAME"), name);
    (value("STATUS"), value("RESULT"))
}

#[test]
fn a_call_asks_for_a_fault_and_takes_it_back() {
    let mut driver = connected();
    let (status, result) = call(&mut driver, "inject_fault", r#"{"kind": "start_refused", "at": 2}"#);
    assert!(status == "0" && result.contains('1'), "{status} {result}");
    assert_eq!(states(&mut driver, 3), ["Ok", "Alert", "Ok"]);
    call(&mut driver, "inject_fault", r#"{"kind": "corrupt_frame", "times": 0}"#);
    assert_eq!(states(&mut driver, 2), ["Alert", "Alert"]);
    assert_eq!(call(&mut driver, "inject_fault", r#"{"clear": true}"#).0, "0");
    assert_eq!(states(&mut driver, 2), ["Ok", "Ok"]);
    let (status, result) = call(&mut driver, "inject_fault", r#"{"kind": "melts"}"#);
    assert!(status == "1" && result.contains("invalid_value") && result.contains("never_ends"), "{result}");
    let (status, result) =
        call(&mut driver, "inject_fault", r#"{"kind": "call_blocks", "call": "nonsense"}"#);
    assert!(status == "1" && result.contains("invalid_value") && result.contains("nonsense"), "{result}");
}
