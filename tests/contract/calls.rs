//! The 25 calls by name: 24 of them, and `call`, which makes them.

use std::mem::discriminant;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};

use super::*;

/// Takes any value there is.
const ANYTHING: (&str, &str) = ("set_parameter", "value");
/// May be left out.
const OPTIONAL: (&str, &str) = ("start_exposure", "frame_type");

/// The 24 calls with arguments that this camera takes, if it has the ability at all.
fn all_calls(rig: &Rig) -> Vec<(&'static str, Params)> {
    let device = params(&[("device_name", text(&rig.id.name))]);
    let Roi { x, y, width, height } = rig.part(0, 0, 16, 16);
    let window = [("start_x", x), ("start_y", y), ("width", width), ("height", height)];
    let target = rig.can.cooler.map_or(0.0, |range| range.max);
    let least = |range: Option<Range<i32>>| number(range.map_or(0, |range| range.min));
    let seconds = rig.short().as_secs_f64();
    let none = Params::new;
    vec![
        ("scanning", none()),
        ("connect", device.clone()),
        ("reconnect", device),
        ("polling", none()),
        ("get_parameter", params(&[("name", text("NO_SUCH"))])),
        ("set_parameter", params(&[("name", text("NO_SUCH")), ("value", number(0))])),
        ("start_exposure", params(&[("exposure", number(seconds)), ("frame_type", text("dark"))])),
        ("abort_exposure", none()),
        ("get_exposure_status", none()),
        ("get_exposure_result", none()),
        ("cooling", params(&[("enable", Value::Bool(false))])),
        ("cooling_to", params(&[("temperature", number(target))])),
        ("get_cooling_status", none()),
        ("get_current_temperature", none()),
        ("get_cooling_power", none()),
        ("get_camera_roi", none()),
        ("set_camera_roi", params(&window.map(|(name, value)| (name, number(value))))),
        ("get_binning", none()),
        ("set_binning", params(&[("binning", pair(1, 1))])),
        ("get_gain", none()),
        ("set_gain", params(&[("gain", least(rig.can.gain))])),
        ("get_offset", none()),
        ("set_offset", params(&[("offset", least(rig.can.offset))])),
        ("disconnect", none()),
    ]
}

/// Whether the published abilities include a call.
fn is_able(can: &Capabilities, call: &str) -> bool {
    match call {
        "cooling" | "cooling_to" | "get_cooling_status" => can.cooler.is_some(),
        "get_current_temperature" => can.thermometer,
        "get_cooling_power" => can.cooler_power,
        "get_gain" | "set_gain" => can.gain.is_some(),
        "get_offset" | "set_offset" => can.offset.is_some(),
        // Of no backend are there settings of these names.
        "get_parameter" | "set_parameter" => false,
        _ => true,
    }
}

/// The same arguments with another value for one of them.
fn with(params: &Params, name: &str, value: &Value) -> Params {
    let mut params = params.clone();
    for (_, old) in params.iter_mut().filter(|(known, _)| known == name) {
        *old = value.clone();
    }
    params
}

/// What no argument can be that takes a value like `good`: each other type, and numbers that are none.
fn wrong_types(good: &Value) -> Vec<Value> {
    let types = [Value::Bool(true), number(1), text("1"), Value::Record(Params::new())];
    let mut wrong: Vec<Value> =
        types.into_iter().filter(|value| discriminant(value) != discriminant(good)).collect();
    if matches!(good, Value::Number(_)) {
        wrong.extend([f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(Value::Number));
    }
    wrong
}

#[test]
fn every_call_does_the_same_directly_and_by_name() {
    for_every_camera(|rig| {
        for (name, params) in all_calls(rig) {
            let mut results = Vec::new();
            let vendor = Call::Vendor { name: name.to_owned(), params: params.clone() };
            for call in [works(Call::parse(name, &params)), vendor] {
                results.push(dispatch(rig.camera.as_mut(), &call));
                works(rig.camera.connect(&rig.id));
                works(rig.camera.abort_exposure());
            }
            match (&results[0], &results[1]) {
                (Ok(a), Ok(b)) => {
                    is!(discriminant(a), discriminant(b), "{name}: kind of answer, directly and by name");
                    assert!(is_able(&rig.can, name), "{name}: works, though the camera says that it cannot");
                }
                (Err(a), Err(b)) if a.kind == b.kind => {
                    let expected = match name {
                        "get_exposure_result" => ErrorKind::NoFrame,
                        _ => ErrorKind::NotSupported,
                    };
                    is!(a.kind, expected, "{name}: {}", a.detail);
                    let lacks = expected == ErrorKind::NoFrame || !is_able(&rig.can, name);
                    assert!(lacks, "{a}, though the camera says that it can");
                }
                (a, b) => panic!("{name}: {a:?} directly, {b:?} by name"),
            }
        }
    });
}

#[test]
fn arguments_that_are_missing_or_of_a_wrong_type_are_refused_and_change_nothing() {
    for_every_camera(|rig| {
        let before = rig.settings();
        for (call, good) in all_calls(rig) {
            for (name, value) in &good {
                if (call, name.as_str()) == ANYTHING {
                    continue;
                }
                for wrong in wrong_types(value) {
                    let result = rig.camera.call(call, &with(&good, name, &wrong));
                    let because = format!("{name} takes no such value");
                    refused(call, &wrong, &because, ErrorKind::InvalidValue, result);
                }
                if (call, name.as_str()) != OPTIONAL {
                    let rest: Params = good.iter().filter(|(other, _)| other != name).cloned().collect();
                    let because = format!("{name} is missing");
                    refused(call, &rest, &because, ErrorKind::InvalidValue, rig.camera.call(call, &rest));
                }
            }
            is!(rig.settings(), before, "{call}: settings after a call that was refused");
            is!(rig.status(), ExposureStatus::Idle, "{call}: exposure after a call that was refused");
        }
    });
}

#[test]
fn arguments_that_mean_nothing_are_refused_and_change_nothing() {
    use ErrorKind::{InvalidValue, NotSupported, OutOfRange};
    for_every_camera(|rig| {
        let before = rig.settings();
        let seconds = rig.short().as_secs_f64();
        let bad = [
            ("no_such_function", vec![], NotSupported),
            ("", vec![], NotSupported),
            ("call", vec![], NotSupported),
            ("SET_GAIN", params(&[("gain", number(1))]), NotSupported),
            ("get_gain ", vec![], NotSupported),
            ("start_exposure", params(&[("exposure", number(-1))]), OutOfRange),
            ("start_exposure", params(&[("exposure", number(1e300))]), OutOfRange),
            (
                "start_exposure",
                params(&[("exposure", number(seconds)), ("frame_type", text("x"))]),
                InvalidValue,
            ),
            ("set_binning", params(&[("binning", Value::List(vec![number(1.5), number(1)]))]), InvalidValue),
            ("set_binning", params(&[("binning", Value::List(vec![number(-1), number(1)]))]), OutOfRange),
            ("set_gain", params(&[("gain", number(0.5))]), InvalidValue),
            ("set_gain", params(&[("gain", number(1e300))]), OutOfRange),
            ("set_offset", params(&[("offset", number(0.5))]), InvalidValue),
        ];
        for (call, params, kind) in bad {
            refused(call, &params, "it means nothing", kind, rig.camera.call(call, &params));
            is!(rig.settings(), before, "{call}: settings after a call that was refused");
            is!(rig.status(), ExposureStatus::Idle, "{call}: exposure after a call that was refused");
        }
        for (start_x, width, kind) in
            [(0.5, 10.0, InvalidValue), (-1.0, 10.0, OutOfRange), (1e10, 1.0, OutOfRange)]
        {
            let ends = [("start_x", start_x), ("start_y", 0.0), ("width", width), ("height", 1.0)];
            let window = params(&ends.map(|(name, value)| (name, number(value))));
            let result = rig.camera.call("set_camera_roi", &window);
            refused("set_camera_roi", &window, "there is no such window", kind, result);
            is!(rig.settings(), before, "set_camera_roi: settings after a window that was refused");
        }
    });
}

#[test]
fn without_a_connection_only_the_calls_that_need_none_work() {
    for_every_camera(|rig| {
        works(rig.camera.disconnect());
        for (name, params) in all_calls(rig) {
            let result = rig.camera.call(name, &params);
            match name {
                "scanning" | "connect" | "reconnect" | "disconnect" => {
                    works(result);
                    works(rig.camera.disconnect());
                }
                _ if is_able(&rig.can, name) => {
                    let because = "nothing is connected";
                    refused(name, format_args!("a call"), because, ErrorKind::NotConnected, result);
                }
                _ => assert!(result.is_err(), "{name}: done without a connection, and without the ability"),
            }
        }
    });
}

/// Any value, at most three levels deep.
fn any_value() -> impl Strategy<Value = Value> {
    let number =
        prop_oneof![any::<f64>(), Just(0.0), Just(1.0), Just(f64::NAN), (-10_i32..400).prop_map(f64::from)];
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        number.prop_map(Value::Number),
        ".{0,12}".prop_map(Value::Text),
        select(vec!["light", "bias", "format", "n", "1"]).prop_map(text),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| vec((any_name(), inner), 0..4).prop_map(Value::Record))
}

/// Names of arguments that there are, and others.
fn any_name() -> impl Strategy<Value = String> {
    let known =
        ["device_name", "name", "value", "exposure", "frame_type", "enable", "temperature", "gain", "offset"];
    let more = ["x", "y", "start_x", "start_y", "width", "height", "direction", "ms"];
    prop_oneof![4 => select([&known[..], &more[..]].concat()).prop_map(str::to_owned), 1 => ".{0,12}"]
}

/// Some of the functions that there are, and others.
fn any_call(names: Vec<&'static str>) -> impl Strategy<Value = (String, Params)> {
    let name = prop_oneof![8 => select(names).prop_map(str::to_owned), 1 => "[a-z_]{0,20}", 1 => ".{0,20}"];
    (name, vec((any_name(), any_value()), 0..6))
}

#[test]
fn whatever_is_called_nothing_panics_and_what_is_refused_changes_nothing() {
    for_every_camera(|rig| {
        // Nobody knows what a vendor's library makes of it, and some coolers can be harmed.
        if rig.hardware {
            return;
        }
        works(rig.start_long(Duration::from_secs_f64(rig.can.exposure.max)));
        works(rig.camera.abort_exposure());
        let mut names: Vec<_> = all_calls(rig).into_iter().map(|(name, _)| name).collect();
        names.push("pulse_guide");
        let config = Config { cases: 512, failure_persistence: None, ..Config::default() };
        let rig = std::cell::RefCell::new(rig);
        let kept = TestRunner::new(config).run(&any_call(names), |(name, params)| {
            let rig = &mut *rig.borrow_mut();
            works(rig.camera.connect(&rig.id));
            let before = rig.settings();
            let result = rig.camera.call(&name, &params);
            if result.is_err() {
                if name == "reconnect" {
                    // What cannot be opened again has been closed.
                    works(rig.camera.connect(&rig.id));
                }
                prop_assert_eq!(
                    rig.settings(),
                    before,
                    "{}: {:?} was refused and changed something",
                    name,
                    params
                );
            }
            if let Ok(call) = Call::parse(&name, &params) {
                prop_assert_eq!(call.name(), name);
            }
            Ok(())
        });
        kept.unwrap_or_else(|broken| panic!("{broken}"));
    });
}
