//! The wall clock is a label and nothing else: stepping it under a running exposure changes no duration.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a failed step is a failed test")]

mod support;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use support::{DEVICE, Driver, Folder, SOON, Start, fits, now};

/// Long enough to be counted down twice.
const EXPOSURE: f64 = 2.2;

#[test]
fn a_wall_clock_stepped_an_hour_back_does_not_stretch_the_exposure() {
    exposure_survives_a_step_of("-3600");
}

#[test]
fn a_wall_clock_stepped_an_hour_on_does_not_cut_the_exposure_short() {
    exposure_survives_a_step_of("+3600");
}

fn exposure_survives_a_step_of(seconds: &str) {
    let home = Arc::new(Folder::new());
    let offset = home.path().join("offset");
    fs::write(&offset, "+0").unwrap();
    let env = vec![
        ("LD_PRELOAD", libfaketime().display().to_string()),
        ("FAKETIME_TIMESTAMP_FILE", offset.display().to_string()),
        ("FAKETIME_NO_CACHE", "1".to_owned()),
        ("DONT_FAKE_MONOTONIC", "1".to_owned()),
    ];
    let mut driver = Driver::start(Start { env, home: Some(home), ..Start::default() });
    driver.connect();
    let began = now();
    driver.new_vector("Number", "CCD_EXPOSURE", &[("CCD_EXPOSURE_VALUE", &EXPOSURE.to_string())]);
    driver.wait_for(|driver| driver.state("CCD_EXPOSURE") == "Busy", SOON);
    fs::write(&offset, seconds).unwrap();

    let mut left = f64::INFINITY;
    let frame = loop {
        let element = driver.next_element(SOON);
        if let Some(value) = element.value("CCD_EXPOSURE_VALUE") {
            let value: f64 = value.parse().unwrap();
            assert!((0.0..=left).contains(&value), "counted {value} after {left}");
            left = value;
        }
        if element.tag == "setBLOBVector" {
            // The driver's own labels show that the step has reached it.
            let labelled: jiff::civil::DateTime = element.attribute("timestamp").parse().unwrap();
            let off = jiff::Zoned::now()
                .with_time_zone(jiff::tz::TimeZone::UTC)
                .datetime()
                .duration_since(labelled);
            assert!(off.as_secs().abs() > 3000, "the clock was not stepped: {labelled}");
            break fits(&element.blob().bytes);
        }
    };
    let took = began.elapsed();
    assert!(took >= Duration::from_secs_f64(EXPOSURE), "it ended after {took:?}");
    assert!(took < Duration::from_secs_f64(EXPOSURE) + SOON, "it ended after {took:?}");
    assert!((frame.number("EXPTIME") - EXPOSURE).abs() < 1e-9);
    let (start, end) = (frame.get("DATE-OBS"), frame.get("DATE-END"));
    assert!(start < end, "{DEVICE} exposed from {start} to {end}");
}

fn libfaketime() -> PathBuf {
    let folders = fs::read_dir("/usr/lib").unwrap().map(|entry| entry.unwrap().path().join("faketime"));
    let found = folders.map(|folder| folder.join("libfaketime.so.1")).find(|library| library.exists());
    found.expect("install faketime (packaging/test.sh does)")
}
