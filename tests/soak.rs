//! A night that is longer than any: exposures with random settings, while the camera's faults go on. Memory, threads
//! and descriptors of the driver at the end are what they were when it had warmed up.
//!
//! `INDI_CAMERA_SOAK=20000` takes so many exposures, `INDI_CAMERA_SOAK_SEED` chooses other settings.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a failed step is a failed test")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use support::{Driver, Element, Folder, SOON, Start};

/// Exposures unless the environment says otherwise.
const EXPOSURES: u32 = 400;
/// How many kB memory may grow by from a tenth of the exposures on: caches and pools that are not yet full.
const SLACK: u64 = 12 << 10;
/// What goes wrong, each in some of the exposures; what takes ten seconds each time is in `faults.rs`.
const FAULTS: [(&str, f64); 8] = [
    ("kind = 'start_refused'", 0.02),
    ("kind = 'short_frame'", 0.02),
    ("kind = 'corrupt_frame'", 0.02),
    ("kind = 'garbled_frame'", 0.02),
    ("kind = 'constant_frame'", 0.02),
    ("kind = 'temperature_garbage'", 0.01),
    ("kind = 'camera_lost'\ncall = 'start_exposure'\nseconds = 0.01", 0.002),
    ("kind = 'panic'\ncall = 'start_exposure'", 0.002),
];

/// What a process holds.
#[derive(Clone, Copy, Debug)]
struct Held {
    /// Resident memory in kB.
    resident: u64,
    threads: u64,
    descriptors: usize,
}

impl Held {
    fn by(driver: &Driver) -> Held {
        let process = format!("/proc/{}", driver.pid());
        let status = fs::read_to_string(format!("{process}/status")).unwrap();
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.split_whitespace().next().unwrap().parse().unwrap()
        };
        let descriptors = fs::read_dir(format!("{process}/fd")).unwrap().count();
        Held { resident: number("VmRSS:"), threads: number("Threads:"), descriptors }
    }
}

fn number(name: &str, otherwise: u32) -> u32 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

#[test]
fn memory_threads_and_descriptors_stay_the_same_over_a_long_night() {
    let (exposures, seed) = (number("INDI_CAMERA_SOAK", EXPOSURES), number("INDI_CAMERA_SOAK_SEED", 1));
    let mut chance = Xoshiro256PlusPlus::seed_from_u64(seed.into());
    let folder = Folder::in_memory();
    let mut driver = begin(&folder, seed);
    let (mut ends, mut warm) = (BTreeMap::new(), None);
    for done in 1..=exposures {
        change(&mut driver, &folder, &mut chance);
        let end = expose(&mut driver, chance.random_bool(0.05));
        *ends.entry(end).or_insert(0) += 1;
        if done.is_multiple_of((exposures / 10).max(1)) {
            until_well(&mut driver);
            let held = Held::by(&driver);
            println!("after {done} of {exposures} exposures: {held:?}, {ends:?}");
            warm.get_or_insert(held);
        }
    }
    let (warm, last) = (warm.unwrap(), Held::by(&driver));
    assert!(ends["Ok"] > exposures / 2 && ends["Alert"] > 0 && ends["Idle"] > 0, "{ends:?}");
    assert!(last.resident < warm.resident + SLACK, "{warm:?}, then {last:?}");
    // A thread of the pool may have been asleep; a frame may be on its way.
    assert!(last.threads <= warm.threads + 2, "{warm:?}, then {last:?}");
    assert!(last.descriptors <= warm.descriptors + 4, "{warm:?}, then {last:?}");
}

/// A connected camera that has faults.
fn begin(folder: &Folder, seed: u32) -> Driver {
    let fault = |(i, (fault, probability)): (usize, &(&str, f64))| {
        let seed = seed as usize + i;
        format!("[[fault]]\n{fault}\ntimes = 0\nprobability = {probability}\nseed = {seed}\n")
    };
    let script: String = FAULTS.iter().enumerate().map(fault).collect();
    let path = folder.path().join("faults.toml");
    fs::write(&path, script).unwrap();
    let text = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let env = vec![("INDI_CAMERA_FAULTS", text("faults.toml")), ("INDI_CAMERA_SPOOL", text("spools"))];
    let mut driver = Driver::start(Start { env, ..Start::default() });
    driver.send("<getProperties version='1.7'/>\n");
    driver.new_vector("Number", "SIMULATOR_SENSOR", &[("WIDTH", "64"), ("HEIGHT", "48")]);
    driver.new_vector("Switch", "SIMULATOR_SCENE", &[("SCENE_TEST_PATTERN", "On")]);
    // Else the journal, and the memory that it takes, grows up to its ten thousand frames.
    driver.new_vector("Number", "CCD_SPOOL_LIMITS", &[("SPOOL_SIZE", "1"), ("SPOOL_AGE", "0")]);
    driver.connect();
    assert!(driver.messages.iter().all(|said| !said.contains("INDI_CAMERA_FAULTS")), "{:?}", driver.messages);
    driver
}

/// Changes a setting, or lets everything be.
fn change(driver: &mut Driver, folder: &Folder, chance: &mut Xoshiro256PlusPlus) {
    let mut pick = |names: &[&'static str]| names[chance.random_range(0..names.len())];
    let directory = folder.path().join("files").display().to_string();
    let what =
        pick(&["", "", "", "bin", "window", "gain", "format", "packed", "mode", "spool", "type", "cooler"]);
    match what {
        "bin" => driver.new_vector("Number", "CCD_BINNING", &[("HOR_BIN", pick(&["1", "2", "4"]))]),
        "window" => {
            let (x, width) = (pick(&["0", "8", "16"]), pick(&["16", "32", "48"]));
            let window = [("X", x), ("Y", "0"), ("WIDTH", width), ("HEIGHT", pick(&["16", "48"]))];
            driver.new_vector("Number", "CCD_FRAME", &window);
        }
        "gain" => driver.new_vector("Number", "CCD_GAIN", &[("GAIN", pick(&["0", "50", "100"]))]),
        "format" => {
            let format = pick(&["FORMAT_FITS", "FORMAT_NATIVE", "FORMAT_XISF"]);
            driver.new_vector("Switch", "CCD_TRANSFER_FORMAT", &[(format, "On")]);
        }
        "packed" => {
            let packed = pick(&["INDI_ENABLED", "INDI_DISABLED"]);
            driver.new_vector("Switch", "CCD_COMPRESSION", &[(packed, "On")]);
        }
        "mode" => {
            // One name for all, so that the disk does not fill.
            let settings = [("UPLOAD_DIR", &*directory), ("UPLOAD_PREFIX", "picture")];
            driver.new_vector("Text", "UPLOAD_SETTINGS", &settings);
            let mode = pick(&["UPLOAD_CLIENT", "UPLOAD_LOCAL", "UPLOAD_BOTH"]);
            driver.new_vector("Switch", "UPLOAD_MODE", &[(mode, "On")]);
        }
        "spool" => {
            let which = pick(&["SPOOL_OFF", "SPOOL_SAVED", "SPOOL_ALL"]);
            driver.new_vector("Switch", "CCD_SPOOL", &[(which, "On")]);
        }
        "type" => {
            let kind = pick(&["FRAME_LIGHT", "FRAME_BIAS", "FRAME_DARK", "FRAME_FLAT"]);
            driver.new_vector("Switch", "CCD_FRAME_TYPE", &[(kind, "On")]);
        }
        "cooler" => {
            let target = pick(&["-5", "0", "10"]);
            driver.new_vector("Number", "CCD_TEMPERATURE", &[("CCD_TEMPERATURE_VALUE", target)]);
        }
        _ => {}
    }
}

/// Takes one picture, or begins one and aborts it; the state in which it ended.
fn expose(driver: &mut Driver, aborted: bool) -> String {
    driver.messages.clear();
    until_well(driver);
    let seconds = if aborted { "60" } else { "0.001" };
    driver.new_vector("Number", "CCD_EXPOSURE", &[("CCD_EXPOSURE_VALUE", seconds)]);
    if aborted {
        driver.new_vector("Switch", "CCD_ABORT_EXPOSURE", &[("ABORT", "On")]);
    }
    let end = |element: &Element| {
        element.is("setNumberVector", "CCD_EXPOSURE") && element.attribute("state") != "Busy"
    };
    driver.until(end, SOON + Duration::from_secs(10)).attribute("state").to_owned()
}

/// A camera that was lost is there again.
fn until_well(driver: &mut Driver) {
    let uid = support::unique();
    driver.send(&format!("<pingRequest uid='{uid}'/>\n"));
    driver.until(|element| element.tag == "pingReply" && element.attribute("uid") == uid, SOON);
    driver.wait_for(|driver| driver.state("CONNECTION") == "Ok", SOON);
}
