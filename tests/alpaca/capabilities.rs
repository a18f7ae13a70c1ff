//! What a camera says of itself decides what clients see.

use ascom_alpaca::api::camera::SensorType;
use indi_camera::camera::types::Range;

use super::*;

#[test]
fn everything_that_a_camera_tells_is_known() {
    let rig = Rig::new();
    let Capabilities { sensor, exposure, cooler, gain, offset, .. } = rig.can.clone();
    assert_eq!((sensor.width, sensor.height), (31, 23));
    assert_eq!((sensor.pixel_x, sensor.pixel_y), (3.75, 4.25));
    assert_eq!(sensor.bayer, None);
    assert_eq!(exposure, Range { min: 0.001, max: 3600.0, step: 0.001 });
    assert_eq!(cooler, Some(Range { min: -100.0, max: 50.0, step: 0.1 }));
    assert_eq!(gain, Some(Range { min: 0, max: 300, step: 1 }));
    assert_eq!(offset, Some(Range { min: 1, max: 50, step: 1 }));
    assert_eq!(rig.can.binning, Binning { x: 4, y: 4 });
    assert!(rig.can.subframe && rig.can.shutter && rig.can.thermometer && rig.can.cooler_power);
    assert!(rig.can.guide_port);
    assert!(rig.can.formats.is_empty());
    assert_eq!(rig.can.sdk.as_deref(), Some("ICameraV3, driver 7.1"));
}

#[test]
fn what_a_camera_lacks_is_absent_and_refused() {
    use ErrorKind::NotSupported;
    let mut rig = Rig::of(Script {
        gain: None,
        offset: None,
        cooler: false,
        temperature: None,
        power: None,
        heat_sink: None,
        guides: false,
        ..Script::default()
    });
    let can = &rig.can;
    assert_eq!((can.gain, can.offset, can.cooler), (None, None, None));
    assert!(!can.thermometer && !can.cooler_power && !can.guide_port);
    let can_controls = can.controls.clone();
    let camera = &mut rig.camera;
    fails(camera.get_gain(), NotSupported, "cannot");
    fails(camera.set_gain(1), NotSupported, "cannot");
    fails(camera.set_offset(1), NotSupported, "cannot");
    fails(camera.cooling(true), NotSupported, "cannot");
    fails(camera.cooling_to(0.0), NotSupported, "cannot");
    fails(camera.get_cooling_status(), NotSupported, "cannot");
    fails(camera.get_current_temperature(), NotSupported, "cannot");
    fails(camera.get_cooling_power(), NotSupported, "cannot");
    assert_eq!(can_controls, []);
    fails(camera.get_parameter("ALPACA_HEAT_SINK"), NotSupported, "no setting named ALPACA_HEAT_SINK");
    fails(camera.get_parameter("format"), NotSupported, "no setting named format");
    fails(camera.set_parameter("format", text("READOUT_0")), NotSupported, "one format");
    let pulse = params(&[("direction", text("n")), ("ms", Value::Number(5.0))]);
    fails(camera.call("pulse_guide", &pulse), NotSupported, "cannot");
    let status = camera.polling().unwrap();
    assert_eq!((status.cooling, status.temperature, status.power), (None, None, None));
    assert_eq!(rig.frame().info.temperature, None);
}

#[test]
fn a_mosaic_is_told_by_its_first_pixels() {
    for (sensor, bayer, pattern) in [
        (SensorType::RGGB, (0, 0), Some("RGGB")),
        (SensorType::RGGB, (1, 0), Some("GRBG")),
        (SensorType::RGGB, (0, 1), Some("GBRG")),
        (SensorType::RGGB, (1, 1), Some("BGGR")),
        (SensorType::CMYG, (0, 0), Some("YCGM")),
        (SensorType::LRGB, (0, 0), None),
        (SensorType::Color, (0, 0), None),
    ] {
        let rig = Rig::of(Script { sensor, bayer, ..Script::default() });
        let told = rig.can.sensor.bayer.clone();
        assert_eq!(told.as_ref().map(|bayer| bayer.pattern.as_str()), pattern, "{sensor:?} {bayer:?}");
        assert!(told.is_none_or(|bayer| (bayer.offset_x, bayer.offset_y) == (0, 0)));
    }
}

#[test]
fn cameras_of_the_oldest_interface_can_expose() {
    // What came with the second version is not there.
    let refuses = [
        "interfaceversion",
        "sensortype",
        "exposuremin",
        "exposuremax",
        "exposureresolution",
        "gain",
        "offset",
        "readoutmodes",
        "canfastreadout",
        "camerastate",
        "percentcompleted",
    ];
    let refuses = refuses.map(|name| (name, (0x400, "not in this version"))).into_iter().collect();
    let mut rig = Rig::of(Script { interface: 1, refuses, ..Script::default() });
    assert_eq!(rig.can.exposure, Range { min: 0.0, max: 3600.0, step: 0.0 });
    assert_eq!(rig.can.sdk.as_deref(), Some("ICameraV1, driver 7.1"));
    assert_eq!(rig.frame().pixels.shape(), (1, 23, 31));
    rig.start(LONG);
    rig.camera.abort_exposure().unwrap();
    assert_eq!(rig.frame().pixels.shape(), (1, 23, 31));
}

#[test]
fn cameras_of_the_newest_interface_are_opened_as_it_wants() {
    let mut rig = Rig::of(Script { interface: 4, ..Script::default() });
    assert_eq!(rig.can.sdk.as_deref(), Some("ICameraV4, driver 7.1"));
    assert_eq!(rig.observatory.door.heard("PUT /api/v1/camera/0/connect "), 1);
    rig.frame();
    rig.camera.disconnect().unwrap();
    until("the camera is closed", SOON, || !rig.observatory.camera.script().connected);
}

#[test]
fn a_camera_that_cannot_bin_unevenly_bins_by_what_divides_both_factors() {
    let mut rig =
        Rig::of(Script { asymmetric: false, max_bin: (4, 6), bins: &[1, 2, 4], ..Script::default() });
    assert_eq!(rig.can.binning, Binning { x: 4, y: 4 });
    for (asked, granted) in [((2, 4), 2), ((4, 4), 4), ((4, 1), 1), ((3, 3), 1)] {
        let set = rig.camera.set_binning(Binning { x: asked.0, y: asked.1 }).unwrap();
        assert_eq!(set, Binning { x: granted, y: granted }, "{asked:?}");
        let factor = u8::try_from(granted).unwrap();
        assert_eq!(rig.observatory.camera.script().bin, (factor, factor));
    }
    fails(rig.camera.set_binning(Binning { x: 5, y: 1 }), ErrorKind::OutOfRange, "1×1 to 4×4");
}

#[test]
fn limits_that_make_no_sense_do_not_keep_a_camera_from_working() {
    let mut rig = Rig::of(Script {
        exposure: (5.0, 2.0, 0.0),
        max_adu: 0,
        max_bin: (0, 0),
        gain_range: Some((300, 0)),
        modes: &[],
        ..Script::default()
    });
    assert_eq!(rig.can.exposure, Range { min: 2.0, max: 2.0, step: 0.0 });
    assert_eq!((rig.can.sensor.bits, rig.can.binning, rig.can.gain), (16, Binning::NONE, None));
    rig.camera.start_exposure(&request(Duration::from_secs(2), FrameType::Dark)).unwrap();
    rig.camera.abort_exposure().unwrap();
}
