//! Settings reach the camera and are read back from it.

use ascom_alpaca::api::camera::GuideDirection;
use indi_camera::camera::call::Reply;
use indi_camera::camera::types::{CONTROL_VALUE, ControlKind, CoolingStatus, Range};

use super::*;

#[test]
fn gain_and_offset_are_numbers_within_their_limits() {
    let mut rig = Rig::new();
    assert_eq!((rig.camera.get_gain().unwrap(), rig.camera.get_offset().unwrap()), (10, 5));
    assert_eq!((rig.camera.set_gain(300).unwrap(), rig.camera.set_offset(1).unwrap()), (300, 1));
    let script = rig.observatory.camera.script().clone();
    assert_eq!((script.gain, script.offset), (Some(300), Some(1)));
    fails(rig.camera.set_gain(301), ErrorKind::OutOfRange, "gain takes 0 to 300, not 301");
    fails(rig.camera.set_offset(0), ErrorKind::OutOfRange, "offset takes 1 to 50, not 0");
}

#[test]
fn gain_and_offset_by_name_are_numbers_in_the_list_and_the_names_can_be_asked_for() {
    let mut rig = Rig::of(Script {
        gain: Some(1),
        gain_range: None,
        gains: &["ISO 100", "ISO 200", "ISO 400"],
        offset: Some(0),
        offset_range: None,
        offsets: &["Low", "High"],
        ..Script::default()
    });
    assert_eq!(rig.can.gain, Some(Range { min: 0, max: 2, step: 1 }));
    assert_eq!(rig.can.offset, Some(Range { min: 0, max: 1, step: 1 }));
    assert_eq!(rig.camera.set_gain(2).unwrap(), 2);
    fails(rig.camera.set_gain(3), ErrorKind::OutOfRange, "gain takes 0 to 2, not 3");
    let names = ["ISO 100", "ISO 200", "ISO 400"].iter().enumerate();
    let names = names.map(|(number, name)| (number.to_string(), text(name))).collect();
    assert_eq!(rig.camera.get_parameter("gains").unwrap(), Value::Record(names));
    fails(rig.camera.get_parameter("modes"), ErrorKind::NotSupported, "no setting named modes");
}

#[test]
fn ways_to_read_out_are_formats() {
    let mut rig = Rig::of(Script { modes: &["Fast", "Low noise", "Fast", " "], ..Script::default() });
    let formats: Vec<(&str, &str, u8)> =
        rig.can.formats.iter().map(|f| (f.name.as_str(), f.label.as_str(), f.bits)).collect();
    let expected = [
        ("READOUT_0", "Fast", 16),
        ("READOUT_1", "Low noise", 16),
        ("READOUT_2", "Fast 2", 16),
        ("READOUT_3", "3", 16),
    ];
    assert_eq!(formats, expected);
    assert_eq!(rig.camera.get_parameter("format").unwrap(), text("READOUT_0"));
    assert_eq!(rig.camera.set_parameter("format", text("READOUT_1")).unwrap(), text("READOUT_1"));
    assert_eq!(rig.camera.get_parameter("format").unwrap(), text("READOUT_1"));
    assert_eq!(rig.observatory.camera.script().mode, 1);
    fails(rig.camera.set_parameter("format", text("Fast")), ErrorKind::InvalidValue, "READOUT_0, READOUT_1");
    assert_eq!(rig.frame().pixels.bits(), 16);
}

#[test]
fn a_fast_way_to_read_out_is_a_format_too() {
    let mut rig = Rig::of(Script { fast: Some(false), ..Script::default() });
    let labels: Vec<&str> = rig.can.formats.iter().map(|format| format.label.as_str()).collect();
    assert_eq!(labels, ["Normal", "Fast"]);
    rig.camera.set_parameter("format", text("READOUT_1")).unwrap();
    assert_eq!(rig.observatory.camera.script().fast, Some(true));
    assert_eq!(rig.camera.get_parameter("format").unwrap(), text("READOUT_1"));
}

#[test]
fn the_cooler_is_told_its_target_and_tells_what_it_does() {
    let mut rig = Rig::new();
    assert_eq!(rig.camera.get_cooling_status().unwrap(), CoolingStatus { on: false, target: Some(0.0) });
    rig.camera.cooling_to(-10.5).unwrap();
    let script = rig.observatory.camera.script().clone();
    assert_eq!((script.cooler_on, script.target), (true, -10.5));
    rig.observatory.camera.script().power = Some(66.5);
    let status = rig.camera.polling().unwrap();
    assert_eq!(status.cooling, Some(CoolingStatus { on: true, target: Some(-10.5) }));
    assert_eq!((status.temperature, status.power), (Some(12.5), Some(66.5)));
    rig.camera.cooling(false).unwrap();
    assert!(!rig.observatory.camera.script().cooler_on);
    fails(rig.camera.cooling_to(-101.0), ErrorKind::OutOfRange, "-100 to 50");
    fails(rig.camera.cooling_to(f64::NAN), ErrorKind::InvalidValue, "finite");
    rig.observatory.camera.script().power = Some(120.0);
    assert_eq!(rig.camera.get_cooling_power().unwrap(), 100.0);
}

fn value(number: f64) -> Value {
    Value::Record(params(&[(CONTROL_VALUE, Value::Number(number))]))
}

#[test]
fn the_heat_sink_is_a_reading_and_the_sub_exposure_a_setting_of_cameras_that_have_them() {
    let mut rig = Rig::of(Script { sub_exposure: Some(0.5), ..Script::default() });
    let controls: Vec<(&str, bool)> =
        rig.can.controls.iter().map(|c| (c.name.as_str(), c.kind == ControlKind::Reading)).collect();
    assert_eq!(controls, [("ALPACA_HEAT_SINK", true), ("ALPACA_SUB_EXPOSURE", false)]);
    assert_eq!(rig.camera.get_parameter("ALPACA_HEAT_SINK").unwrap(), value(21.5));
    fails(rig.camera.set_parameter("ALPACA_HEAT_SINK", value(1.0)), ErrorKind::NotSupported, "only be read");
    assert_eq!(rig.camera.get_parameter("ALPACA_SUB_EXPOSURE").unwrap(), value(0.5));
    assert_eq!(rig.camera.set_parameter("ALPACA_SUB_EXPOSURE", value(2.5)).unwrap(), value(2.5));
    assert_eq!(rig.observatory.camera.script().sub_exposure, Some(2.5));
    let outside = rig.camera.set_parameter("ALPACA_SUB_EXPOSURE", value(3601.0));
    fails(outside, ErrorKind::OutOfRange, "0 to 3600, not 3601");
    for wrong in [Value::Number(1.0), text("1"), value(f64::NAN), Value::Record(Params::new())] {
        let result = rig.camera.set_parameter("ALPACA_SUB_EXPOSURE", wrong);
        fails(result, ErrorKind::InvalidValue, "takes a finite number");
    }
}

#[test]
fn pulses_go_where_they_are_meant_to_and_last_whole_milliseconds() {
    let mut rig = Rig::new();
    for (direction, ms, told) in [
        ("n", 500.0, (GuideDirection::North, 500)),
        ("s", 20.4, (GuideDirection::South, 20)),
        ("e", 1.0, (GuideDirection::East, 1)),
        ("w", 0.0, (GuideDirection::West, 0)),
    ] {
        let pulse = params(&[("direction", text(direction)), ("ms", Value::Number(ms))]);
        assert_eq!(rig.camera.call("pulse_guide", &pulse).unwrap(), Reply::Done);
        let last = *rig.observatory.camera.script().pulses.last().unwrap();
        assert_eq!(last, (told.0, Duration::from_millis(told.1)));
    }
    let pulse = |direction, ms| params(&[("direction", text(direction)), ("ms", Value::Number(ms))]);
    fails(rig.camera.call("pulse_guide", &pulse("up", 1.0)), ErrorKind::InvalidValue, "n, s, e or w");
    fails(rig.camera.call("pulse_guide", &pulse("n", 60_001.0)), ErrorKind::OutOfRange, "0 to 60000");
    rig.observatory.camera.script().refuses.insert("pulseguide", (0x500, "the relay is stuck"));
    fails(rig.camera.call("pulse_guide", &pulse("n", 5.0)), ErrorKind::Hardware, "the relay is stuck");
}

#[test]
fn a_camera_that_answers_a_pulse_only_at_its_end_keeps_nobody_waiting() {
    let mut rig = Rig::new();
    rig.observatory.door.plan(|plan| plan.stall = Some("/pulseguide"));
    let pulse = params(&[("direction", text("n")), ("ms", Value::Number(60_000.0))]);
    assert_eq!(rig.camera.call("pulse_guide", &pulse).unwrap(), Reply::Done);
    assert_eq!(rig.observatory.door.heard("/pulseguide"), 1);
    assert_eq!(rig.camera.get_gain().unwrap(), 10);
}

#[test]
fn settings_outlive_a_connection_and_a_server() {
    let mut rig = Rig::of(Script { modes: &["A", "B"], ..Script::default() });
    let roi = Roi { x: 4, y: 4, width: 12, height: 8 };
    rig.camera.set_gain(123).unwrap();
    rig.camera.set_offset(9).unwrap();
    rig.camera.set_binning(Binning { x: 2, y: 2 }).unwrap();
    rig.camera.set_camera_roi(roi).unwrap();
    rig.camera.set_parameter("format", text("READOUT_1")).unwrap();
    rig.observatory.kill();
    rig.observatory.start(Script { modes: &["A", "B"], ..Script::default() });
    assert_eq!(rig.camera.reconnect(&rig.id).unwrap(), rig.can);
    let script = rig.observatory.camera.script().clone();
    assert_eq!((script.gain, script.offset, script.mode), (Some(123), Some(9), 1));
    assert_eq!((script.bin, script.start, script.num), ((2, 2), (2, 2), (6, 4)));
    assert_eq!(rig.camera.get_camera_roi().unwrap(), roi);
    let info = rig.frame().info;
    assert_eq!((info.roi, info.gain, info.offset), (roi, Some(123), Some(9)));
}

#[test]
fn functions_of_the_cameras_own_can_be_called() {
    let mut rig = Rig::new();
    let action = |name| params(&[("action", text(name)), ("parameters", text("a b&c=é"))]);
    assert_eq!(rig.camera.call("action", &action("echo")).unwrap(), Reply::Value(text("a b&c=é")));
    fails(rig.camera.call("action", &action("fly")), ErrorKind::NotSupported, "0x40C");
    fails(rig.camera.call("action", &Params::new()), ErrorKind::InvalidValue, "action is missing");
    fails(rig.camera.call("fly", &Params::new()), ErrorKind::NotSupported, "no function named fly");
}
