//! Which properties there are, when, and what is said of them.

use crate::support::{Driver, Element, Start};
use crate::{BRIEF, LONG, begin, collect, connected, count, greet, is_blob, is_busy, press, until_quiet};

const ALWAYS: [&str; 30] = [
    "CONNECTION",
    "DRIVER_INFO",
    "CONFIG_PROCESS",
    "DEBUG",
    "POLLING_PERIOD",
    "ACTIVE_DEVICES",
    "CAMERA_CALL",
    "CAMERA_REPLY",
    "CCD_SPOOL",
    "CCD_SPOOL_LIMITS",
    "CCD_SPOOL_FRAMES",
    "CCD_SPOOL_WAITING",
    "CCD_SPOOL_RESEND",
    "CCD_SPOOL_DROP",
    "SIMULATOR_MODEL",
    "SIMULATOR_SENSOR",
    "SIMULATOR_CFA",
    "SIMULATOR_PIXEL",
    "SIMULATOR_SURROUNDINGS",
    "SIMULATOR_COOLER",
    "SIMULATOR_SCENE",
    "SIMULATOR_POINTING",
    "SIMULATOR_OPTICS",
    "SIMULATOR_SKY",
    "SIMULATOR_FOCUS",
    "SIMULATOR_TRACKING",
    "SIMULATOR_FAULT_WHEN",
    "SIMULATOR_FAULT_CALL",
    "SIMULATOR_FAULT",
    "NICKNAME",
];
const ON_CONNECT: [&str; 38] = [
    "CCD_EXPOSURE",
    "CCD_EXPOSURE_STATUS",
    "CCD_ABORT_EXPOSURE",
    "CCD_FRAME",
    "CCD_FRAME_RESET",
    "CCD_BINNING",
    "CCD_FRAME_TYPE",
    "CCD_INFO",
    "CCD1",
    "CCD_FILE_PATH",
    "UPLOAD_MODE",
    "UPLOAD_SETTINGS",
    "SCOPE_INFO",
    "FITS_HEADER",
    "WCS_CONTROL",
    "CCD_ROTATION",
    "CCD_CAPTURE_FORMAT",
    "CCD_TRANSFER_FORMAT",
    "CCD_COMPRESSION",
    "CCD_TEMPERATURE",
    "CCD_TEMPERATURE_TARGET",
    "CCD_TEMP_RAMP",
    "CCD_COOLER",
    "CCD_COOLER_POWER",
    "COOLER_POLICY",
    "CCD_COOLER_ALARM",
    "CCD_GAIN",
    "CCD_OFFSET",
    "CCD_FAST_TOGGLE",
    "CCD_FAST_COUNT",
    "TELESCOPE_TIMED_GUIDE_NS",
    "TELESCOPE_TIMED_GUIDE_WE",
    "ADC_DEPTH",
    "Serial Number",
    "CAMERA_HEALTH",
    "CCD_EXPOSURE_DEADLINE",
    "CAMERA_COUNTS",
    "CAMERA_LATENCY",
];

/// What a `getProperties` is answered with. The settings of the simulated sensor, which the camera confirms once
/// after the start, may be told between.
fn ask(driver: &mut Driver, attributes: &str) -> Vec<Element> {
    driver.send(&format!("<getProperties {attributes}/>\n"));
    let mut heard = until_quiet(driver);
    heard.retain(|element| {
        !(element.tag.starts_with("set") && element.attribute("name").starts_with("SIMULATOR_"))
    });
    heard
}

fn names(heard: &[Element]) -> Vec<&str> {
    heard.iter().map(|element| element.attribute("name")).collect()
}

/// All of a definition but the time of its sending.
fn meaning(heard: &[Element]) -> Vec<String> {
    let lasting = |element: &Element| {
        let mut attributes = element.attributes.clone();
        attributes.remove("timestamp");
        format!("{} {attributes:?} {:?}", element.tag, element.children)
    };
    heard.iter().map(lasting).collect()
}

// Finding 15: libindi tells DRIVER_INFO twice before anybody has asked.
#[test]
fn nothing_is_said_before_a_client_asks() {
    let mut driver = Driver::simulator();
    assert_eq!(names(&until_quiet(&mut driver)), [""; 0]);
}

#[test]
fn definitions_before_connecting_come_in_their_order() {
    let mut driver = Driver::simulator();
    let heard = ask(&mut driver, "version='1.7'");
    assert_eq!(names(&heard), ALWAYS);
    assert!(heard.iter().all(|element| element.tag.starts_with("def")), "{heard:?}");
    assert_eq!(driver.get("CONNECTION", "CONNECT"), Some("Off"));
    assert_eq!(driver.get("DRIVER_INFO", "DRIVER_INTERFACE"), Some("6"));
    assert_eq!(driver.state("CONFIG_PROCESS"), "Idle");
}

#[test]
fn every_definition_is_complete() {
    let mut driver = Driver::simulator();
    driver.connect();
    until_quiet(&mut driver);
    let heard = ask(&mut driver, "version='1.7'");
    assert_eq!(heard.len(), ALWAYS.len() + ON_CONNECT.len());
    for element in &heard {
        let mut needed = vec!["device", "name", "label", "group", "state", "timestamp"];
        // A BLOB has no time to settle and a button has no value, but libindi's reader wants these words of all.
        needed.extend(["perm", "timeout"].iter().filter(|_| element.tag != "defLightVector"));
        needed.extend((element.tag == "defSwitchVector").then_some("rule"));
        for attribute in needed {
            assert!(!element.attribute(attribute).is_empty(), "{attribute} of {element:?}");
        }
        for child in &element.children {
            assert!(!child.attribute("name").is_empty() && !child.attribute("label").is_empty(), "{child:?}");
            if child.tag == "defNumber" {
                let limit = |name: &str| child.attribute(name).parse::<f64>().unwrap();
                let value: f64 = child.text.parse().unwrap();
                assert!(limit("min") < limit("max") && limit("step") >= 0.0, "{child:?}");
                assert!((limit("min")..=limit("max")).contains(&value), "{child:?}");
                assert!(child.attribute("format").starts_with('%'), "{child:?}");
            }
        }
    }
}

/// What clients take by position or by label (Ekos), or miss when one of them is not there (PHD2).
const ELEMENTS: [(&str, &str); 19] = [
    ("CCD_EXPOSURE", "CCD_EXPOSURE_VALUE"),
    ("CCD_ABORT_EXPOSURE", "ABORT"),
    ("CCD_FRAME", "X Y WIDTH HEIGHT"),
    ("CCD_BINNING", "HOR_BIN VER_BIN"),
    ("CCD_INFO", "CCD_MAX_X CCD_MAX_Y CCD_PIXEL_SIZE CCD_PIXEL_SIZE_X CCD_PIXEL_SIZE_Y CCD_BITSPERPIXEL"),
    ("CCD_FRAME_TYPE", "FRAME_LIGHT=Light FRAME_BIAS=Bias FRAME_DARK=Dark FRAME_FLAT=Flat"),
    ("CCD_TRANSFER_FORMAT", "FORMAT_FITS=FITS FORMAT_NATIVE=Native FORMAT_XISF=XISF"),
    ("CCD_COMPRESSION", "INDI_ENABLED INDI_DISABLED"),
    ("CCD_FAST_TOGGLE", "INDI_ENABLED INDI_DISABLED"),
    ("UPLOAD_MODE", "UPLOAD_CLIENT UPLOAD_LOCAL UPLOAD_BOTH"),
    ("UPLOAD_SETTINGS", "UPLOAD_DIR UPLOAD_PREFIX"),
    ("CCD_FILE_PATH", "FILE_PATH"),
    ("CCD_GAIN", "GAIN"),
    ("CCD_OFFSET", "OFFSET"),
    ("CCD_TEMPERATURE", "CCD_TEMPERATURE_VALUE"),
    ("CCD_COOLER", "COOLER_ON COOLER_OFF"),
    ("SCOPE_INFO", "FOCAL_LENGTH APERTURE"),
    ("FITS_HEADER", "KEYWORD_NAME KEYWORD_VALUE KEYWORD_COMMENT FITS_OBJECT FITS_OBSERVER"),
    ("CCD1", "CCD1"),
];

#[test]
fn elements_have_the_order_and_the_labels_that_clients_rely_on() {
    let mut driver = connected();
    let heard = ask(&mut driver, "version='1.7'");
    for (vector, wanted) in ELEMENTS {
        let definition = heard.iter().find(|element| element.attribute("name") == vector).unwrap();
        let shown = |child: &Element| match wanted.contains('=') {
            true => format!("{}={}", child.attribute("name"), child.attribute("label")),
            false => child.attribute("name").to_owned(),
        };
        assert_eq!(definition.children.iter().map(shown).collect::<Vec<_>>().join(" "), wanted, "{vector}");
    }
    // Names for which clients have a way of their own.
    for text in heard.iter().flat_map(|element| &element.children).map(|child| &child.text) {
        assert!(!text.contains("GPhoto") && !text.contains("_asi_"), "{text}");
    }
}

#[test]
fn asking_again_defines_the_same_and_changes_nothing() {
    let mut driver = Driver::simulator();
    greet(&mut driver);
    let first = ask(&mut driver, "version='1.7'");
    let second = ask(&mut driver, "version='1.7'");
    assert_eq!(meaning(&first), meaning(&second));
    driver.connect();
    until_quiet(&mut driver);
    let first = ask(&mut driver, "version='1.7'");
    let second = ask(&mut driver, "version='1.7'");
    assert_eq!(meaning(&first), meaning(&second));
    assert_eq!(names(&second), [&ALWAYS[..], &ON_CONNECT].concat());
    assert_eq!(driver.get("CONNECTION", "CONNECT"), Some("On"));
}

#[test]
fn asking_during_an_exposure_does_not_disturb_it() {
    let mut driver = connected();
    begin(&mut driver, 0.3);
    let heard = ask(&mut driver, "version='1.7'");
    let exposure = heard.iter().find(|element| element.is("defNumberVector", "CCD_EXPOSURE")).unwrap();
    assert!(is_busy(exposure), "{exposure:?}");
    let heard = collect(&mut driver, |element| {
        element.is("setNumberVector", "CCD_EXPOSURE") && element.attribute("state") == "Ok"
    });
    assert_eq!(count(&heard, is_blob), 1);
}

#[test]
fn any_version_or_none_gets_the_same_answer() {
    let mut driver = Driver::simulator();
    greet(&mut driver);
    let usual = meaning(&ask(&mut driver, "version='1.7'"));
    for attributes in ["", "version='9.9'", "version='old'", "version='1.7' device=''"] {
        assert_eq!(meaning(&ask(&mut driver, attributes)), usual, "{attributes}");
    }
    assert!(driver.is_running());
}

#[test]
fn another_device_is_none_of_our_business() {
    let mut driver = Driver::simulator();
    for attributes in ["version='1.7' device='Telescope'", "version='1.7' device='*' name='CONNECTION'"] {
        assert_eq!(names(&ask(&mut driver, attributes)), [""; 0], "{attributes}");
    }
}

#[test]
fn one_property_can_be_asked_for() {
    let mut driver = Driver::simulator();
    let heard = ask(&mut driver, "version='1.7' device='Camera Simulator' name='SIMULATOR_CFA'");
    assert_eq!(names(&heard), ["SIMULATOR_CFA"]);
    // There, but not before connecting.
    let heard = ask(&mut driver, "version='1.7' device='Camera Simulator' name='CCD_EXPOSURE'");
    assert_eq!(names(&heard), [""; 0]);
}

#[test]
fn connecting_is_busy_then_ok_then_all_properties_of_the_camera_at_once() {
    let mut driver = Driver::simulator();
    greet(&mut driver);
    press(&mut driver, "CONNECTION", "CONNECT");
    let heard = collect(&mut driver, |element| element.attribute("name") == "CAMERA_LATENCY");
    let busy = &heard[0];
    assert!(busy.is("setSwitchVector", "CONNECTION") && is_busy(busy), "{busy:?}");
    // Clients take CONNECT for connected, whatever the state.
    assert_eq!(busy.value("CONNECT"), Some("Off"));
    assert_eq!((heard[1].attribute("state"), heard[1].value("CONNECT")), ("Ok", Some("On")));
    assert_eq!(names(&heard[1..]), [&["CONNECTION"][..], &ON_CONNECT].concat());
    assert_eq!(driver.number("CCD_INFO", "CCD_MAX_X"), 1280.0);
    assert_eq!(driver.number("CCD_FRAME", "HEIGHT"), 1024.0);
}

#[test]
fn a_colour_sensor_tells_its_mosaic() {
    let mut driver = Driver::simulator();
    press(&mut driver, "SIMULATOR_CFA", "GRBG");
    driver.connect();
    until_quiet(&mut driver);
    assert_eq!(driver.get("CCD_CFA", "CFA_TYPE"), Some("GRBG"));
    assert_eq!(connected().vector("CCD_CFA").map(|vector| vector.kind.clone()), None);
}

#[test]
fn disconnecting_takes_away_what_connecting_brought() {
    let mut driver = connected();
    begin(&mut driver, LONG);
    press(&mut driver, "CONNECTION", "DISCONNECT");
    let heard = until_quiet(&mut driver);
    let from = heard.iter().position(|element| element.attribute("name") == "CONNECTION").unwrap();
    assert_eq!(heard[from].value("DISCONNECT"), Some("On"));
    assert_eq!(names(&heard[from + 1..]), ON_CONNECT);
    assert!(heard[from + 1..].iter().all(|element| element.tag == "delProperty"), "{heard:?}");
    assert_eq!(count(&heard, is_blob), 0);
    let mut left = ALWAYS;
    left.sort_unstable();
    assert_eq!(driver.names(), left);
    // And it can be connected again.
    driver.connect();
    driver.expose(BRIEF);
}

#[test]
fn a_restarted_driver_begins_disconnected() {
    let driver = connected();
    let home = driver.home().clone();
    driver.signal(rustix::process::Signal::KILL);
    let mut driver = Driver::start(Start { home: Some(home), ..Start::default() });
    assert_eq!(names(&ask(&mut driver, "version='1.7'")), ALWAYS);
    assert_eq!(driver.get("CONNECTION", "DISCONNECT"), Some("On"));
}
