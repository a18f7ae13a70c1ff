//! All faults at once, one camera each in one process, so that the ten seconds that some of them take are taken once:
//! in single exposures, and in the second of a fast run.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use super::*;
use crate::support::{Limit, fits};

/// What a camera suffers from, how its exposure ends, and what of that is said.
struct Case {
    /// In the words of a script; what follows an empty line is another fault.
    fault: &'static str,
    state: &'static str,
    sentences: &'static [&'static str],
    /// Nothing is known of it before ten seconds have passed.
    slow: bool,
}

impl Case {
    /// How many sentences there are: of a temperature one that says both.
    fn most(&self) -> usize {
        if self.fault.contains("temperature") { 1 } else { self.sentences.len() }
    }
}

const fn case(fault: &'static str, state: &'static str, sentences: &'static [&'static str]) -> Case {
    Case { fault, state, sentences, slow: false }
}

const fn slow(fault: &'static str, sentences: &'static [&'static str]) -> Case {
    Case { fault, state: "Alert", sentences, slow: true }
}

const CASES: [Case; 15] = [
    // The camera that does not notice.
    case("", "Ok", &[]),
    case(
        "kind = 'start_refused'",
        "Alert",
        &["the exposure failed: start_exposure: the shutter does not open"],
    ),
    case("kind = 'short_frame'", "Alert", &["the camera sent 64x24 pixels where 64x48 were to come"]),
    case("kind = 'corrupt_frame'", "Alert", &["the camera sent pixels of 8 bit where 16 were to come"]),
    case("kind = 'garbled_frame'", "Ok", &[]),
    case("kind = 'constant_frame'", "Ok", &["every pixel of the frame is 0"]),
    case(
        "kind = 'camera_lost'\nseconds = 1",
        "Alert",
        &["is lost (get_exposure_result: the simulated camera is unplugged)", "the exposure failed"],
    ),
    case("kind = 'panic'", "Alert", &["the camera's code panicked", "the exposure failed"]),
    case("kind = 'temperature_garbage'\nat = 2\ntimes = 0", "Ok", &["its sensor is at ", "which cannot be"]),
    case("kind = 'cooler_power_lost'", "Ok", &[]),
    slow("kind = 'never_ends'", &["the camera did not end it within 10 s"]),
    slow("kind = 'read_out_stalls'", &["its read-out has not got further for 10 s"]),
    // Which of the calls it is depends on the moment, and with it what is missed.
    slow("kind = 'call_blocks'\nseconds = 12", &[" 10 s"]),
    slow(
        "kind = 'call_blocks'\ncall = 'start_exposure'\nseconds = 12",
        &["is lost (call: start_exposure was not answered within 10 s)", "the exposure failed"],
    ),
    // It does not stop either, so its thread is replaced.
    slow(
        "kind = 'never_ends'\n\nkind = 'call_blocks'\ncall = 'abort_exposure'\nseconds = 10",
        &[
            "the camera did not end it within 10 s",
            "is lost (call: abort_exposure was not answered within 8 s)",
        ],
    ),
];

/// How exposures are asked for.
#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Single,
    Fast,
}

impl Mode {
    /// Frames of one request.
    fn frames(self) -> usize {
        match self {
            Mode::Single => 1,
            Mode::Fast => 3,
        }
    }

    fn begin(self, driver: &mut Driver) {
        if self == Mode::Fast {
            driver.new_vector("Switch", "CCD_FAST_TOGGLE", &[("INDI_ENABLED", "On")]);
            driver.new_vector("Number", "CCD_FAST_COUNT", &[("FRAMES", "3")]);
        }
        begin(driver, BRIEF);
    }

    /// Whether the exposures of one request are over.
    fn is_over(self, ended: &[&str]) -> bool {
        ended.contains(&"Alert") || ended.len() >= self.frames()
    }

    /// Whether they have ended so that the one that was hit, of a run the second, ended in that state. The frame before
    /// a failure is Ok, or shares its Alert if it was still on its way.
    fn may_end(self, ended: &[&str], state: &str) -> bool {
        match (self, state) {
            (Mode::Fast, "Alert") => matches!(ended, ["Alert"] | ["Ok", "Alert"]),
            _ => ended == vec![state; self.frames()],
        }
    }

    /// The frames that a client gets.
    fn blobs(self, state: &str) -> usize {
        if state == "Ok" { self.frames() } else { self.frames() / 2 }
    }
}

/// What a script says of one camera.
fn script(mode: Mode, number: usize, case: &Case) -> String {
    let faults = case.fault.split("\n\n").filter(|fault| !fault.is_empty()).enumerate();
    let write = |(i, fault): (usize, &str)| {
        let second = if mode == Mode::Fast && i == 0 && !fault.contains("at = ") { "at = 2\n" } else { "" };
        format!("[[fault]]\n{fault}\n{second}camera = '{}'\n", name(number))
    };
    faults.map(write).collect()
}

fn name(number: usize) -> String {
    match number {
        0 => "Camera Simulator".to_owned(),
        _ => format!("Camera Simulator {}", number + 1),
    }
}

/// What was heard, by device.
#[derive(Default)]
struct Heard(BTreeMap<String, Vec<Element>>);

impl Heard {
    /// Listens until a condition holds.
    fn until(&mut self, driver: &mut Driver, what: &str, holds: impl Fn(&Heard) -> bool) {
        self.until_within(driver, SOON + Duration::from_secs(20), what, holds);
    }

    fn until_within(
        &mut self,
        driver: &mut Driver,
        patience: Duration,
        what: &str,
        holds: impl Fn(&Heard) -> bool,
    ) {
        let limit = Limit::after(patience);
        while !holds(self) {
            let left = limit.left().unwrap_or_else(|| panic!("not yet: {what}\n{}", driver.report()));
            if let Some(element) = driver.poll_element(left) {
                self.0.entry(element.attribute("device").to_owned()).or_default().push(element);
            }
        }
    }

    fn of(&self, camera: &str) -> &[Element] {
        self.0.get(camera).map_or(&[], Vec::as_slice)
    }

    /// The states in which exposures of that camera ended.
    fn ended(&self, camera: &str) -> Vec<&str> {
        let ends = self.of(camera).iter().filter(|element| ends(element));
        ends.map(|element| element.attribute("state")).filter(|state| *state != "Busy").collect()
    }

    /// The frames of that camera.
    fn blobs(&self, camera: &str) -> usize {
        self.of(camera).iter().filter(|element| element.tag == "setBLOBVector").count()
    }

    fn said(&self, camera: &str) -> Vec<&str> {
        let sentences = self.of(camera).iter().map(|element| element.attribute("message"));
        sentences.filter(|said| said.contains("[ERROR]") || said.contains("[WARNING]")).collect()
    }

    /// Whether the camera has taken a write that is no business of the sensor's.
    fn answers(&self, camera: &str) -> bool {
        let answer = |element: &Element| element.is("setSwitchVector", "CCD_FRAME_TYPE");
        self.of(camera).iter().any(|element| answer(element) && element.attribute("state") == "Ok")
    }
}

/// Threads of the process that are called after cameras.
fn camera_threads(driver: &Driver) -> usize {
    let tasks = fs::read_dir(format!("/proc/{}/task", driver.pid())).unwrap();
    let names = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|name| name.starts_with("camera ")).count()
}

#[test]
fn every_fault_ends_its_own_exposure_once_and_the_next_frame_is_good() {
    every_fault(Mode::Single);
}

#[test]
fn every_fault_ends_its_own_run_once_and_the_next_frame_is_good() {
    every_fault(Mode::Fast);
}

fn every_fault(mode: Mode) {
    let script: String = CASES.iter().enumerate().map(|(number, case)| script(mode, number, case)).collect();
    let (mut driver, _folder) = scripted(&script, CASES.len());
    let cameras: Vec<(String, &Case)> = (0..).map(name).zip(&CASES).collect();
    for (camera, _) in &cameras {
        driver.address(camera);
        connect(&mut driver);
    }
    assert_eq!(camera_threads(&driver), CASES.len());

    let mut heard = Heard::default();
    for (camera, case) in &cameras {
        driver.address(camera);
        // The two whose faults are seen in readings are asked for them.
        if case.fault.contains("temperature") || case.fault.contains("cooler") {
            driver.new_vector("Number", "POLLING_PERIOD", &[("PERIOD_MS", "100")]);
            driver.new_vector("Number", "CCD_TEMPERATURE", &[("CCD_TEMPERATURE_VALUE", "-10")]);
        }
        mode.begin(&mut driver);
    }
    // What is not the camera's business is answered while it hangs, by itself and by all others.
    for (camera, _) in &cameras {
        driver.address(camera);
        driver.new_vector("Switch", "CCD_FRAME_TYPE", &[("FRAME_DARK", "On")]);
    }
    heard.until(&mut driver, "an answer of each", |heard| {
        cameras.iter().all(|(camera, _)| heard.answers(camera))
    });
    for (camera, _) in cameras.iter().filter(|(_, case)| case.slow) {
        assert!(!heard.ended(camera).contains(&"Alert"), "{camera} was over before it answered");
    }
    // One camera works all the while.
    let (well, _) = &cameras[0];
    driver.address(well);
    for good in 1..=3 {
        let frames = good * mode.frames();
        heard.until(&mut driver, "good frames", |heard| heard.ended(well) == vec!["Ok"; frames]);
        if good < 3 {
            mode.begin(&mut driver);
        }
    }
    // As clients were told in advance.
    let published = driver.number("CCD_EXPOSURE_DEADLINE", "CAMERA") * mode.frames() as f64;
    heard.until_within(&mut driver, Duration::from_secs_f64(published), "the end of each", |heard| {
        cameras.iter().all(|(camera, _)| mode.is_over(&heard.ended(camera)))
    });
    heard.until(&mut driver, "what is said of each", |heard| {
        cameras.iter().all(|(camera, case)| heard.said(camera).len() >= case.most())
    });

    for (camera, case) in &cameras[1..] {
        let Case { fault, state, sentences, .. } = case;
        let (ended, blobs) = (heard.ended(camera), heard.blobs(camera));
        assert!(mode.may_end(&ended, state), "{fault}: {ended:?}");
        assert_eq!(blobs, mode.blobs(state), "{fault}");
        let (said, report) = (heard.said(camera), driver.report());
        let told = |word: &&str| said.iter().any(|said| said.contains(*word));
        assert!(sentences.iter().all(told), "{fault}: {said:?}\n{report}");
        // A cooler without power is an alarm when its sensor has got warm enough, perhaps not before this is over.
        let expected = said.iter().filter(|said| !said.contains("moves away from its target")).count();
        assert_eq!(expected, case.most(), "{fault}: {said:?}");
    }

    // All of them take a good frame as soon as they are there.
    for (camera, case) in &cameras {
        driver.address(camera);
        driver.wait_for(|driver| driver.state("CONNECTION") == "Ok", SOON);
        let image = fits(&driver.expose(BRIEF).bytes);
        assert_eq!(image.shape, [64, 48], "{}", case.fault);
        assert!(image.pixels.iter().any(|pixel| *pixel != image.pixels[0]), "{}", case.fault);
        assert!(image.header.get("CCD-TEMP").is_none_or(|text| text.parse::<f64>().unwrap().abs() < 60.0));
    }
    // A temperature that cannot be has reached nobody; a cooler without power says that it works.
    let shown =
        |element: &Element| element.value("CCD_TEMPERATURE_VALUE").map(|text| text.parse::<f64>().unwrap());
    assert!(heard.0.values().flatten().filter_map(shown).all(|degrees| (-60.0..=60.0).contains(&degrees)));
    driver.address(&name(9));
    assert_eq!(driver.get("CCD_COOLER", "COOLER_ON"), Some("On"));
    assert_eq!(driver.number("CCD_COOLER_POWER", "CCD_COOLER_VALUE"), 0.0);
    assert!(driver.number("CCD_TEMPERATURE", "CCD_TEMPERATURE_VALUE") > 10.0);
    assert_eq!(driver.state("CCD_TEMPERATURE"), "Busy");

    // The thread that was given up ends when its call does.
    let limit = Limit::after(SOON);
    while camera_threads(&driver) != CASES.len() {
        assert!(limit.left().is_some(), "{} camera threads", camera_threads(&driver));
        driver.listen(Duration::from_millis(100));
    }
    assert!(driver.is_running());
}
