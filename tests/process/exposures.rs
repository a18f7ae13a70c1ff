//! The course of an exposure as a client hears it.

use crate::support::{Driver, Element, fits};
use crate::{
    BRIEF, LONG, SOON, begin, collect, connected, connected_by_pipes, count, is_blob, is_busy, press, take,
    until_quiet,
};

fn is_exposure(element: &Element) -> bool {
    element.is("setNumberVector", "CCD_EXPOSURE")
}

fn is_ok(element: &Element) -> bool {
    is_exposure(element) && element.attribute("state") == "Ok"
}

fn seconds(element: &Element) -> f64 {
    element.value("CCD_EXPOSURE_VALUE").unwrap().parse().unwrap()
}

fn exposed(blob: Element) -> f64 {
    fits(&blob.blob().bytes).number("EXPTIME")
}

#[test]
fn the_first_answer_is_busy_with_the_time_asked_for() {
    let mut driver = connected();
    begin(&mut driver, 0.125);
    let first = driver.next_element(SOON);
    assert!(is_exposure(&first) && is_busy(&first), "{first:?}");
    assert_eq!(seconds(&first), 0.125);
}

#[test]
fn the_time_left_falls_to_zero() {
    let mut driver = connected();
    let heard = take(&mut driver, 1.2);
    let (end, busy) = heard.split_last().unwrap();
    let left: Vec<f64> = busy.iter().filter(|element| is_exposure(element)).map(seconds).collect();
    assert!(left.is_sorted_by(|before, after| before >= after), "{left:?}");
    assert_eq!((left[0], left.last()), (1.2, Some(&0.0)));
    assert!(left.iter().any(|left| (0.0001..0.21).contains(left)), "no countdown in {left:?}");
    assert!(busy.iter().filter(|element| is_exposure(element)).all(is_busy));
    assert_eq!((end.attribute("state"), seconds(end)), ("Ok", 0.0));
}

#[test]
fn a_frame_ends_with_blob_ping_and_ok_and_nothing_between() {
    for mut driver in [connected(), connected_by_pipes()] {
        let heard = take(&mut driver, BRIEF);
        let tags: Vec<&str> = heard.iter().rev().take(3).map(|element| &*element.tag).collect();
        assert_eq!(tags, ["setNumberVector", "pingRequest", "setBLOBVector"]);
        assert_eq!(count(&heard, is_blob), 1);
        assert!(is_ok(heard.last().unwrap()));
    }
}

#[test]
fn the_next_exposure_can_be_asked_for_the_moment_the_frame_arrives() {
    let mut driver = connected();
    begin(&mut driver, BRIEF);
    for _ in 0..10 {
        driver.until(is_blob, SOON);
        begin(&mut driver, BRIEF);
        // The old end comes before the new beginning, so it cannot be taken for the end of the new one.
        let heard = collect(&mut driver, |element| is_exposure(element) && is_busy(element));
        let states: Vec<&Element> = heard.iter().filter(|element| is_exposure(element)).collect();
        assert_eq!(states.iter().filter(|element| is_ok(element)).count(), 1, "{states:?}");
        assert!(is_ok(states[states.len() - 2]), "{states:?}");
    }
    driver.until(is_blob, SOON);
    assert_eq!(count(&until_quiet(&mut driver), is_blob), 0);
}

#[test]
fn an_aborted_exposure_sends_nothing_any_more() {
    let mut driver = connected();
    begin(&mut driver, 0.2);
    press(&mut driver, "CCD_ABORT_EXPOSURE", "ABORT");
    let heard = until_quiet(&mut driver);
    let [.., abort, exposure] = heard.as_slice() else { panic!("{heard:?}") };
    assert_eq!((abort.attribute("name"), abort.attribute("state")), ("CCD_ABORT_EXPOSURE", "Ok"));
    assert_eq!(abort.value("ABORT"), Some("Off"));
    assert!(is_exposure(exposure) && exposure.attribute("state") == "Idle", "{exposure:?}");
    assert_eq!(seconds(exposure), 0.0);
    // By the end of a longer one the aborted one would have been here.
    let mut heard = take(&mut driver, 0.3);
    heard.retain(is_blob);
    assert_eq!(heard.into_iter().map(exposed).collect::<Vec<_>>(), [0.3]);
}

#[test]
fn an_abort_without_exposure_is_answered() {
    let mut driver = connected();
    press(&mut driver, "CCD_ABORT_EXPOSURE", "ABORT");
    let heard = until_quiet(&mut driver);
    assert_eq!(heard[0].attribute("name"), "CCD_ABORT_EXPOSURE");
    assert_eq!(driver.state("CCD_ABORT_EXPOSURE"), "Ok");
    assert_eq!(driver.state("CCD_EXPOSURE"), "Idle");
}

#[test]
fn a_new_exposure_replaces_the_one_that_runs() {
    let mut driver = connected();
    begin(&mut driver, 0.1);
    begin(&mut driver, LONG);
    let mut heard = take(&mut driver, 0.3);
    assert_eq!(count(&heard, |element| is_exposure(element) && !is_busy(element)), 1, "{heard:?}");
    heard.retain(is_blob);
    assert_eq!(heard.into_iter().map(exposed).collect::<Vec<_>>(), [0.3]);
    assert_eq!(count(&until_quiet(&mut driver), is_blob), 0);
}

#[test]
fn requests_in_one_write_are_carried_out_in_order() {
    let mut driver = connected();
    let number = |vector: &str, element: &str, value: &str| {
        format!(
            "<newNumberVector device='Camera Simulator' name='{vector}'><oneNumber name='{element}'>{value}\
             </oneNumber></newNumberVector>"
        )
    };
    driver.send(
        &[
            number("CCD_BINNING", "HOR_BIN", "4"),
            number("CCD_GAIN", "GAIN", "77"),
            number("CCD_EXPOSURE", "CCD_EXPOSURE_VALUE", "0.05"),
            // These are for the next one.
            number("CCD_BINNING", "HOR_BIN", "1"),
            number("CCD_GAIN", "GAIN", "88"),
        ]
        .concat(),
    );
    let image = fits(&driver.until(is_blob, SOON).blob().bytes);
    assert_eq!((image.shape[0], image.number("GAIN")), (16, 77.0));
    driver.wait_for(|peer| peer.state("CCD_EXPOSURE") == "Ok", SOON);
    let image = fits(&driver.expose(BRIEF).bytes);
    assert_eq!((image.shape[0], image.number("GAIN")), (64, 88.0));
}

#[test]
fn a_bias_frame_is_as_short_as_the_camera_can() {
    let mut driver = connected();
    press(&mut driver, "CCD_FRAME_TYPE", "FRAME_BIAS");
    let image = fits(&driver.expose(30.0).bytes);
    assert_eq!(image.get("IMAGETYP"), "Bias Frame");
    assert!(image.number("EXPTIME") < 0.01);
}

#[test]
fn the_cooler_is_told_of_while_it_works() {
    let mut driver = connected();
    driver.new_vector("Number", "POLLING_PERIOD", &[("PERIOD_MS", "50")]);
    let before = driver.number("CCD_TEMPERATURE", "CCD_TEMPERATURE_VALUE");
    driver.new_vector("Number", "CCD_TEMPERATURE", &[("CCD_TEMPERATURE_VALUE", "-10")]);
    driver.wait_for(|peer| peer.state("CCD_TEMPERATURE") == "Busy", SOON);
    driver.wait_for(|peer| peer.number("CCD_TEMPERATURE", "CCD_TEMPERATURE_VALUE") < before, SOON);
    assert_eq!(driver.get("CCD_COOLER", "COOLER_ON"), Some("On"));
}

#[test]
fn a_thermometer_that_breaks_is_told_once_and_pictures_go_on() {
    let broken = |heard: &[Element]| {
        count(heard, |element| element.attribute("message").contains("the thermometer does not answer"))
    };
    let mut driver = connected();
    driver.new_vector("Number", "CCD_TEMPERATURE", &[("CCD_TEMPERATURE_VALUE", "-10")]);
    press(&mut driver, "SIMULATOR_COOLER", "COOLER_BLIND");
    driver.new_vector("Number", "POLLING_PERIOD", &[("PERIOD_MS", "50")]);
    let mut heard = collect(&mut driver, |element| element.attribute("message").contains("thermometer"));
    for _ in 0..3 {
        begin(&mut driver, 0.1);
        heard.extend(collect(&mut driver, is_blob));
        let image = fits(&heard.pop().unwrap().blob().bytes);
        assert!(!image.header.contains_key("CCD-TEMP"), "{:?}", image.header);
    }
    assert_eq!(broken(&heard), 1, "{heard:?}");
    assert_eq!(driver.state("CCD_TEMPERATURE"), "Busy");
    press(&mut driver, "SIMULATOR_COOLER", "COOLER_STEADY");
    driver.wait_for(|peer| peer.number("CCD_TEMPERATURE", "CCD_TEMPERATURE_VALUE") < 19.0, SOON);
    assert!(fits(&driver.expose(BRIEF).bytes).number("CCD-TEMP") < 19.0);
}

#[test]
fn an_uncooled_model_has_a_thermometer_and_no_cooler() {
    let mut driver = Driver::simulator();
    press(&mut driver, "SIMULATOR_MODEL", "IMX462C");
    driver.connect();
    until_quiet(&mut driver);
    assert_eq!(driver.number("CCD_INFO", "CCD_MAX_X"), 1936.0);
    assert_eq!(driver.number("CCD_INFO", "CCD_BITSPERPIXEL"), 16.0);
    assert_eq!(driver.number("ADC_DEPTH", "BITS"), 12.0);
    assert_eq!(driver.get("CCD_CFA", "CFA_TYPE"), Some("RGGB"));
    assert!((driver.number("CCD_TEMPERATURE", "CCD_TEMPERATURE_VALUE") - 20.0).abs() < 0.1);
    for vector in ["CCD_COOLER", "CCD_COOLER_POWER", "CCD_TEMP_RAMP", "COOLER_POLICY"] {
        assert_eq!(driver.vector(vector).map(|vector| vector.kind.clone()), None, "{vector}");
    }
}

#[test]
fn ten_thousand_exposures_that_are_aborted_at_any_moment_send_no_stray_frame() {
    let mut driver = connected();
    let (mut random, mut delivered) = (1_u32, 0);
    for round in 0..10_000 {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        begin(&mut driver, 0.001 * f64::from(1 + (random >> 8) % 3));
        let mut heard = Vec::new();
        match (random >> 16) % 8 {
            // The frame is here, and its Ok is on the way.
            7 => heard.extend(collect(&mut driver, is_blob)),
            moments => (0..moments).for_each(|_| heard.extend(until_quiet(&mut driver))),
        }
        press(&mut driver, "CCD_ABORT_EXPOSURE", "ABORT");
        heard.extend(collect(&mut driver, |element| {
            is_exposure(element) && element.attribute("state") == "Idle"
        }));
        // What comes before Busy would be of the exposure before, which was aborted.
        let begun = heard.iter().position(|element| is_exposure(element) && is_busy(element)).unwrap();
        assert_eq!(count(&heard[..begun], is_blob), 0, "round {round}\n{}", driver.report());
        let frames = count(&heard, is_blob);
        assert_eq!(frames, count(&heard, is_ok), "round {round}\n{}", driver.report());
        assert!(frames <= 1, "round {round}\n{}", driver.report());
        delivered += frames;
    }
    assert!((1..10_000).contains(&delivered), "{delivered} came before their abort: no race was run");
    assert_eq!(count(&take(&mut driver, BRIEF), is_blob), 1);
}
