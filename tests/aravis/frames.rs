//! Each pixel is the camera's: formats, gain, exposure, windows, binning, and cameras that describe themselves otherwise.

use super::*;

const PLAIN: Ramp = Ramp { bits: 8, seconds: 0.01, gain: 0 };

#[test]
fn pixels_follow_exposure_and_gain_in_8_and_16_bits() {
    let _alone = alone();
    let _camera = FakeCamera::start();
    let mut driver = driver();
    window(&mut driver, [0, 0, 320, 240]);
    for (name, bits) in [("Mono8", 8), ("Mono16", 16)] {
        format(&mut driver, name);
        for (seconds, gain) in [(0.01, 0), (0.1, 0), (0.01, 3)] {
            number(&mut driver, "CCD_GAIN", &[("GAIN", f64::from(gain))]);
            let frame = frame(&mut driver, seconds);
            Ramp { bits, seconds, gain }.step(&frame);
            assert_eq!((frame.number("GAIN"), frame.number("EXPTIME")), (f64::from(gain), seconds));
            assert_eq!(frame.number("BITPIX"), f64::from(bits));
        }
    }
}

#[test]
fn windows_and_binning_are_what_was_asked() {
    let _alone = alone();
    let camera = FakeCamera::start();
    let mut driver = driver();
    format(&mut driver, "Mono8");
    window(&mut driver, [64, 30, 321, 243]);
    let part = frame(&mut driver, 0.01);
    assert_eq!(part.shape, [321, 243]);
    PLAIN.step(&part);
    number(&mut driver, "CCD_BINNING", &[("HOR_BIN", 2.0), ("VER_BIN", 3.0)]);
    let binned = frame(&mut driver, 0.01);
    assert_eq!(binned.shape, [160, 81]);
    // This camera does not really bin: its ramp is what it is, but it was told.
    PLAIN.step(&binned);
    drop(driver);
    for (feature, value) in [("BinningHorizontal", "2"), ("BinningVertical", "3"), ("OffsetX", "32")] {
        assert_eq!(camera.feature(feature), value, "{feature}");
    }
}

#[test]
fn colours_are_planes_and_mosaics_are_told() {
    let _alone = alone();
    let _camera = FakeCamera::start();
    let mut driver = driver();
    window(&mut driver, [0, 0, 64, 48]);
    format(&mut driver, "RGB8");
    assert_eq!(frame(&mut driver, 0.01).shape, [64, 48, 3]);
    format(&mut driver, "BayerGB8");
    assert_eq!(frame(&mut driver, 0.01).get("BAYERPAT"), "GBRG");
}

/// A camera of another maker: newer names, a thermometer, windows in steps, and no command for a frame.
fn other_words(own: String) -> String {
    let step = |xml: String, feature: &str, step: u32| {
        let at = xml.find(&format!("<Integer Name=\"{feature}\"")).unwrap();
        let (before, after) = xml.split_at(at);
        let after = after.replacen("<Inc>1</Inc>", &format!("<Inc>{step}</Inc>"), 1);
        let is_length = !feature.starts_with("Offset");
        let least = format!("<Min>{step}</Min>");
        before.to_owned() + &if is_length { after.replacen("<Min>1</Min>", &least, 1) } else { after }
    };
    let xml =
        own.replace("\"ExposureTimeAbs\"", "\"ExposureTime\"").replace(">ExposureTimeAbs<", ">ExposureTime<");
    let xml = xml.replace("\"GainRaw\"", "\"Gain\"").replace(">GainRaw<", ">Gain<");
    let xml =
        xml.replace("TriggerSoftware\"", "TriggerNothing\"").replace(">TriggerSoftware<", ">TriggerNothing<");
    let thermometer = "<Float Name=\"DeviceTemperature\"><Value>21.5</Value></Float>\n<Port Name";
    let xml = xml.replacen("<Port Name", thermometer, 1);
    [("Width", 16), ("Height", 4), ("OffsetX", 8), ("OffsetY", 2)]
        .into_iter()
        .fold(xml, |xml, (feature, by)| step(xml, feature, by))
}

#[test]
fn a_camera_with_other_names_and_steps_and_without_a_trigger_is_served_alike() {
    let _alone = alone();
    let camera = FakeCamera::described(other_words);
    let mut driver = driver();
    format(&mut driver, "Mono8");
    number(&mut driver, "CCD_GAIN", &[("GAIN", 1.0)]);
    for [x, y, width, height] in [[5, 3, 101, 50], [0, 0, 64, 48], [2001, 2040, 47, 8]] {
        window(&mut driver, [x, y, width, height]);
        let frame = frame(&mut driver, 0.1);
        assert_eq!(frame.shape, [width as usize, height as usize]);
        Ramp { seconds: 0.1, gain: 1, ..PLAIN }.step(&frame);
        assert_eq!(frame.number("CCD-TEMP"), 21.5);
    }
    assert_eq!(driver.number("CCD_TEMPERATURE", "CCD_TEMPERATURE_VALUE"), 21.5);
    drop(driver);
    // The smallest window that covers the last one, by the camera's steps.
    for (feature, value) in [("OffsetX", "2000"), ("Width", "48"), ("OffsetY", "2040"), ("Height", "8")] {
        assert_eq!(camera.feature(feature), value, "{feature}");
    }
}

#[test]
fn a_camera_is_left_as_it_was_found() {
    let _alone = alone();
    let camera = FakeCamera::start();
    let ways = [("TriggerMode", "On"), ("TriggerSource", "Line0"), ("AcquisitionMode", "SingleFrame")];
    for (feature, value) in ways {
        camera.tool(&["control", &format!("{feature}={value}")]);
    }
    let mut driver = driver();
    window(&mut driver, [0, 0, 64, 48]);
    frame(&mut driver, 0.01);
    driver.new_vector("Switch", "CONNECTION", &[("DISCONNECT", "On")]);
    driver.wait_for(|peer| peer.vector("CCD_EXPOSURE").is_none(), PATIENCE);
    for (feature, value) in ways {
        camera.await_feature(feature, value);
    }
}

#[test]
fn the_first_frame_of_a_stream_is_for_nobody_and_the_next_one_is_exposed_as_asked() {
    let _alone = alone();
    let _camera = FakeCamera::start();
    let mut driver = driver();
    format(&mut driver, "Mono8");
    let ramp = Ramp { seconds: 0.1, ..PLAIN };
    let mut before = None;
    for columns in [320, 640, 64] {
        window(&mut driver, [0, 0, columns, 48]);
        let step = ramp.step(&frame(&mut driver, 0.1));
        if let Some(before) = before {
            let frames = (step + 255 - before) % 255;
            assert!(frames >= 2, "the camera took {frames} of them");
        }
        before = Some(step);
    }
}

/// A camera that can say when it waits for a command, and says that it never does.
fn never_ready(own: String) -> String {
    let features = "<Enumeration Name=\"AcquisitionStatusSelector\">\
         <EnumEntry Name=\"FrameTriggerWait\"><Value>0</Value></EnumEntry><Value>0</Value></Enumeration>\
         <Boolean Name=\"AcquisitionStatus\"><Value>0</Value></Boolean>\n<Port Name";
    own.replacen("<Port Name", features, 1)
}

#[test]
fn a_camera_that_never_says_that_it_is_ready_is_asked_for_frames_all_the_same() {
    let _alone = alone();
    let _camera = FakeCamera::described(never_ready);
    let mut driver = driver();
    format(&mut driver, "Mono8");
    window(&mut driver, [0, 0, 64, 48]);
    for _ in 0..2 {
        PLAIN.step(&frame(&mut driver, 0.01));
    }
}
