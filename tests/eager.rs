//! Clients that ask for the next exposure the moment they have a frame, before they have read that the last one ended
//! well: nothing is lost, told twice or told in another order, however often they do it.
//!
//! Ekos and CCDciel are such clients. Each exposure is asked with a time of its own, so a frame tells which it is.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a failed step is a failed test")]

mod support;

use support::{Driver, Element, SOON};

/// Exposures that are asked one by one.
const EAGER: usize = 1000;
/// Frames of one request.
const FAST: usize = 200;
/// Width and height of a sensor whose frames cost nothing.
const SMALL: [(&str, &str); 2] = [("WIDTH", "64"), ("HEIGHT", "48")];
const CARD: usize = 80;

#[test]
fn a_thousand_eager_exposures_are_a_thousand_frames_in_order() {
    let mut driver = connected();
    ask(&mut driver, &seconds(0));
    for n in 0..EAGER {
        let (told, frame) = until_frame(&mut driver);
        if n + 1 < EAGER {
            // The end of this one has not been read yet.
            ask(&mut driver, &seconds(n + 1));
        }
        let own = [busy(&seconds(n)), busy("0")];
        let expected = if n == 0 { own.to_vec() } else { [ok()].into_iter().chain(own).collect() };
        assert_eq!(told, expected, "before frame {n}\n{}", driver.report());
        let asked: f64 = seconds(n).parse().unwrap();
        let exposed: f64 = card(&frame, "EXPTIME").parse().unwrap();
        assert!((exposed - asked).abs() < 1e-9, "frame {n} is the one of {exposed} s, not that of {asked} s");
    }
    assert_eq!(until_quiet(&mut driver), [ok()], "after the last frame");
    assert!(driver.messages.is_empty(), "{:?}", driver.messages);
    assert_eq!(driver.unclaimed_fds(), 0);
}

// Finding 16: libindi says Ok before the BLOB, and Busy for the first frame only.
#[test]
fn two_hundred_fast_frames_are_told_one_by_one_in_order() {
    let mut driver = connected();
    driver.new_vector("Switch", "CCD_FAST_TOGGLE", &[("INDI_ENABLED", "On")]);
    driver.new_vector("Number", "CCD_FAST_COUNT", &[("FRAMES", &FAST.to_string())]);
    until_quiet(&mut driver);
    ask(&mut driver, &seconds(0));
    let mut last_start = String::new();
    for n in 0..FAST {
        let (mut told, frame) = until_frame(&mut driver);
        // The time left is told once more when the camera reads out, unless it has done so before the last frame left.
        if told.last() == Some(&busy("0")) {
            told.pop();
        }
        let own = busy(&seconds(0));
        let expected = match n {
            0 => vec![own],
            _ => vec![ok(), format!("CCD_FAST_COUNT Busy {}", FAST - n), own],
        };
        assert_eq!(told, expected, "before frame {n}\n{}", driver.report());
        // Microseconds, and no exposure is shorter than a thousand of them: every frame has a start of its own.
        let start = card(&frame, "DATE-OBS");
        assert!(start > last_start, "frame {n} of {start} came after one of {last_start}");
        last_start = start;
    }
    assert_eq!(until_quiet(&mut driver), [ok(), "CCD_FAST_COUNT Idle 1".to_owned()], "after the last frame");
    assert!(driver.messages.is_empty(), "{:?}", driver.messages);
    assert_eq!(driver.unclaimed_fds(), 0);
}

/// A connected camera with a small sensor whose frames look all alike.
fn connected() -> Driver {
    let mut driver = Driver::simulator();
    driver.new_vector("Number", "SIMULATOR_SENSOR", &SMALL);
    driver.new_vector("Switch", "SIMULATOR_SCENE", &[("SCENE_TEST_PATTERN", "On")]);
    driver.connect();
    until_quiet(&mut driver);
    driver
}

/// The time of the n-th exposure, as it is asked and told.
fn seconds(n: usize) -> String {
    let text = format!("0.{:06}", 1000 + n);
    text.trim_end_matches('0').to_owned()
}

fn ask(driver: &mut Driver, seconds: &str) {
    driver.new_vector("Number", "CCD_EXPOSURE", &[("CCD_EXPOSURE_VALUE", seconds)]);
}

fn ok() -> String {
    "CCD_EXPOSURE Ok 0".to_owned()
}

fn busy(seconds: &str) -> String {
    format!("CCD_EXPOSURE Busy {seconds}")
}

/// What is told of exposures until a frame comes, and the frame.
fn until_frame(driver: &mut Driver) -> (Vec<String>, Vec<u8>) {
    let mut told = Vec::new();
    loop {
        let element = driver.next_element(SOON);
        if element.tag == "setBLOBVector" {
            return (told, element.blob().bytes);
        }
        told.extend(about_exposures(&element));
    }
}

/// What is told of exposures until everything has been said that there was to say, which has no frame in it.
fn until_quiet(driver: &mut Driver) -> Vec<String> {
    driver.send("<pingRequest uid='quiet'/>\n");
    let mut told = Vec::new();
    loop {
        let element = driver.next_element(SOON);
        assert_ne!(element.tag, "setBLOBVector", "one frame too many\n{}", driver.report());
        if element.tag == "pingReply" {
            return told;
        }
        told.extend(about_exposures(&element));
    }
}

/// Vector, state and value of an update that tells how exposures go.
fn about_exposures(element: &Element) -> Option<String> {
    let vector = element.attribute("name");
    let value = match (element.tag.as_str(), vector) {
        ("setNumberVector", "CCD_EXPOSURE") => element.value("CCD_EXPOSURE_VALUE"),
        ("setNumberVector", "CCD_FAST_COUNT") => element.value("FRAMES"),
        _ => None,
    };
    Some(format!("{vector} {} {}", element.attribute("state"), value?))
}

/// The value of a card: a look at the bytes, because a thousand files for CFITSIO to read would take longer than the
/// thousand exposures.
fn card(file: &[u8], keyword: &str) -> String {
    let start = format!("{keyword:8}= ");
    let card =
        file.chunks_exact(CARD).find(|card| card.starts_with(start.as_bytes())).expect("it has that card");
    let text = std::str::from_utf8(&card[start.len()..]).unwrap();
    text.split('/').next().unwrap().trim_matches(|c: char| c == '\'' || c.is_whitespace()).to_owned()
}
