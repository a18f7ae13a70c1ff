//! Requests that cannot be carried out: one sentence, the true values, and nothing half-applied.

use crate::support::{Driver, Element};
use crate::{assert_well, begin, connected, greet, is_busy, press, until_quiet};

/// What a request is answered with: the sentence, and the vector that is sent again.
fn refused(driver: &mut Driver, kind: &str, vector: &str, values: &[(&str, &str)]) -> (String, Element) {
    driver.new_vector(kind, vector, values);
    let mut heard = until_quiet(driver);
    assert_eq!(heard.len(), 2, "{values:?}: {heard:?}");
    let (again, said) = (heard.pop().unwrap(), heard.pop().unwrap());
    assert_eq!((&*said.tag, again.attribute("name")), ("message", vector));
    let sentence = said.attribute("message").to_owned();
    assert!(sentence.starts_with("[ERROR] ") && sentence.contains(vector), "{sentence}");
    (sentence, again)
}

#[test]
fn bad_numbers_are_refused_by_name_value_and_what_is_allowed() {
    let mut driver = connected();
    for value in ["NaN", "nan", "inf", "-inf", "1e999", "1,5", "12abc", "--5", "0x10", "", "one", "1 2 3 4 5"]
    {
        let (sentence, again) =
            refused(&mut driver, "Number", "CCD_EXPOSURE", &[("CCD_EXPOSURE_VALUE", value)]);
        assert!(sentence.contains("CCD_EXPOSURE_VALUE") && sentence.contains(value), "{sentence}");
        assert_eq!(again.attribute("state"), "Alert", "{value}");
    }
    for value in ["-1", "0", "3601", "1e300"] {
        let (sentence, _) = refused(&mut driver, "Number", "CCD_EXPOSURE", &[("CCD_EXPOSURE_VALUE", value)]);
        assert!(sentence.contains("allowed is 0.0001 to 3600"), "{value}: {sentence}");
    }
    assert_well(&mut driver);
}

#[test]
fn numbers_may_be_written_in_any_way_that_the_protocol_knows() {
    let mut driver = connected();
    for (text, gain) in
        [("120", 120.0), (" +1.2e2 \n", 120.0), ("7:00:00", 7.0), ("1:30 ", 1.5), ("9;0;0", 9.0)]
    {
        driver.new_vector("Number", "CCD_GAIN", &[("GAIN", text)]);
        until_quiet(&mut driver);
        if gain == 1.5 {
            assert_eq!(driver.state("CCD_GAIN"), "Alert", "half a step of gain");
        } else {
            driver.wait_for(|peer| peer.number("CCD_GAIN", "GAIN") == gain, crate::SOON);
        }
    }
}

#[test]
fn one_bad_element_refuses_the_whole_vector() {
    let mut driver = connected();
    let cases: [&[(&str, &str)]; 4] = [
        &[("X", "10"), ("WIDTH", "nan")],
        &[("X", "10"), ("NO_SUCH", "1")],
        &[("X", "10"), ("WIDTH", "1000000")],
        &[],
    ];
    for values in cases {
        let (_, again) = refused(&mut driver, "Number", "CCD_FRAME", values);
        assert_eq!(again.attribute("state"), "Alert");
        assert_eq!((again.value("X"), again.value("WIDTH")), (Some("0"), Some("64")));
    }
}

#[test]
fn elements_that_are_not_sent_keep_their_value() {
    let mut driver = connected();
    driver.new_vector("Number", "CCD_FRAME", &[("HEIGHT", "20")]);
    until_quiet(&mut driver);
    assert_eq!(driver.state("CCD_FRAME"), "Ok");
    assert_eq!((driver.number("CCD_FRAME", "WIDTH"), driver.number("CCD_FRAME", "HEIGHT")), (64.0, 20.0));
    driver.new_vector("Text", "UPLOAD_SETTINGS", &[("UPLOAD_PREFIX", "M31_XXX")]);
    until_quiet(&mut driver);
    assert_eq!(driver.get("UPLOAD_SETTINGS", "UPLOAD_DIR"), driver.home().path().to_str());
}

#[test]
fn a_vector_of_another_kind_is_refused() {
    let mut driver = connected();
    driver.send(
        "<newSwitchVector device='Camera Simulator' name='CCD_EXPOSURE'>\
         <oneSwitch name='CCD_EXPOSURE_VALUE'>On</oneSwitch></newSwitchVector>",
    );
    let heard = until_quiet(&mut driver);
    assert!(heard[0].attribute("message").contains("CCD_EXPOSURE holds numbers, not switches"), "{heard:?}");
    assert_eq!(driver.state("CCD_EXPOSURE"), "Alert");
    refused(&mut driver, "Text", "CCD_BINNING", &[("HOR_BIN", "2")]);
    refused(&mut driver, "Number", "UPLOAD_MODE", &[("UPLOAD_LOCAL", "1")]);
    assert_well(&mut driver);
}

#[test]
fn an_element_of_another_kind_makes_its_vector_void() {
    let mut driver = connected();
    driver.send(
        "<newSwitchVector device='Camera Simulator' name='UPLOAD_MODE'>\
         <oneNumber name='UPLOAD_LOCAL'>1</oneNumber></newSwitchVector>",
    );
    until_quiet(&mut driver);
    assert_eq!(driver.get("UPLOAD_MODE", "UPLOAD_CLIENT"), Some("On"));
    assert_well(&mut driver);
}

#[test]
fn what_only_the_camera_knows_cannot_be_written() {
    let mut driver = connected();
    let (sentence, again) = refused(&mut driver, "Number", "CCD_INFO", &[("CCD_MAX_X", "5")]);
    assert!(sentence.contains("CCD_INFO is read-only"), "{sentence}");
    assert_eq!((again.attribute("state"), again.value("CCD_MAX_X")), ("Idle", Some("64")));
    refused(&mut driver, "Text", "DRIVER_INFO", &[("DRIVER_NAME", "mine")]);
}

#[test]
fn an_unknown_property_is_one_sentence() {
    let mut driver = connected();
    driver.new_vector("Number", "NO_SUCH", &[("A", "1")]);
    let heard = until_quiet(&mut driver);
    assert_eq!(heard.len(), 1);
    assert_eq!(heard[0].attribute("message"), "[ERROR] there is no property NO_SUCH now");
}

#[test]
fn a_property_that_comes_with_the_connection_is_refused_before_it() {
    let mut driver = Driver::simulator();
    greet(&mut driver);
    begin(&mut driver, 1.0);
    let heard = until_quiet(&mut driver);
    assert_eq!(heard.len(), 1);
    assert_eq!(heard[0].attribute("message"), "[ERROR] there is no property CCD_EXPOSURE now");
}

#[test]
fn what_is_meant_for_others_is_ignored() {
    let mut driver = connected();
    for device in ["device='Telescope'", "", "device=''", "device='camera simulator'"] {
        driver.send(&format!(
            "<newSwitchVector {device} name='CONNECTION'><oneSwitch name='DISCONNECT'>On</oneSwitch>\
             </newSwitchVector>"
        ));
    }
    assert_eq!(until_quiet(&mut driver).len(), 0);
    assert_eq!(driver.get("CONNECTION", "CONNECT"), Some("On"));
}

#[test]
fn a_broken_rule_is_refused() {
    let mut driver = connected();
    let cases: [&[(&str, &str)]; 3] = [
        &[("FRAME_LIGHT", "Off")],
        &[("FRAME_BIAS", "On"), ("FRAME_DARK", "On")],
        &[("FRAME_BIAS", "perhaps")],
    ];
    for values in cases {
        let (_, again) = refused(&mut driver, "Switch", "CCD_FRAME_TYPE", values);
        assert_eq!((again.value("FRAME_LIGHT"), again.value("FRAME_BIAS")), (Some("On"), Some("Off")));
    }
    press(&mut driver, "CCD_FRAME_TYPE", "FRAME_FLAT");
    until_quiet(&mut driver);
    assert_eq!(driver.get("CCD_FRAME_TYPE", "FRAME_LIGHT"), Some("Off"));
}

#[test]
fn a_refusal_does_not_disturb_the_exposure_that_runs() {
    let mut driver = connected();
    begin(&mut driver, 0.3);
    until_quiet(&mut driver);
    let (_, again) = refused(&mut driver, "Number", "CCD_EXPOSURE", &[("CCD_EXPOSURE_VALUE", "-1")]);
    assert!(is_busy(&again), "{again:?}");
    driver.until(crate::is_blob, crate::SOON);
}

#[test]
fn the_sensor_cannot_be_changed_while_it_is_connected() {
    let mut driver = connected();
    driver.new_vector("Number", "SIMULATOR_SENSOR", &[("WIDTH", "100")]);
    driver.wait_for(|peer| peer.state("SIMULATOR_SENSOR") == "Alert", crate::SOON);
    driver.wait_for(|peer| peer.number("SIMULATOR_SENSOR", "WIDTH") == 64.0, crate::SOON);
    assert_well(&mut driver);
}

#[test]
fn a_prefix_that_is_longer_than_a_file_name_is_refused_at_once() {
    let mut driver = connected();
    for prefix in ["X".repeat(70_000), "ä".repeat(101), "%D".repeat(26)] {
        driver.messages.clear();
        driver.new_vector("Text", "UPLOAD_SETTINGS", &[("UPLOAD_PREFIX", &prefix)]);
        until_quiet(&mut driver);
        assert_eq!(driver.state("UPLOAD_SETTINGS"), "Alert");
        let [sentence] = &driver.messages[..] else { panic!("{:?}", driver.messages) };
        assert!(sentence.ends_with("and a file name has room for 200"), "{sentence}");
        assert!(sentence.len() < 250, "{sentence}");
    }
}
