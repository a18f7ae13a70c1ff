//! The 25 calls as one table: arguments, and the keys of the answers as the Camera API documents them. Whatever can
//! make a call is a [`Way`], and every way is held to the same table.

use indi_camera::camera::call::NAMES;
use serde_json::{Value as Json, json};

/// Some way to make the calls of one camera with cooler, gain and offset, which is not connected to begin with.
pub trait Way {
    /// Makes a call and waits for its answer: `{"status", "message", "params"}`.
    fn call(&mut self, name: &str, params: &Json) -> Json;
    /// Waits until no exposure runs.
    fn until_idle(&mut self);
}

/// One call that succeeds.
struct Row {
    name: &'static str,
    params: fn() -> Json,
    /// The keys of `params` in the answer: these and no others.
    keys: &'static [&'static str],
    /// The same of objects inside, by JSON pointer.
    within: &'static [(&'static str, &'static [&'static str])],
    /// What is there, by JSON pointer.
    values: fn() -> Vec<(&'static str, Json)>,
}

const fn row(name: &'static str, params: fn() -> Json, keys: &'static [&'static str]) -> Row {
    Row { name, params, keys, within: &[], values: Vec::new }
}

fn none() -> Json {
    json!({})
}

const INFO: &[(&str, &[&str])] = &[
    (
        "/info",
        &[
            "type",
            "name",
            "id",
            "description",
            "timeout",
            "configration",
            "current",
            "ability",
            "status",
            "properties",
            "frame",
            "network",
        ],
    ),
    (
        "/info/current",
        &["exposure", "gain", "offset", "iso", "binning", "temperature", "cool_power", "percent_complete"],
    ),
    (
        "/info/ability",
        &[
            "can_binning",
            "can_cooling",
            "can_gain",
            "can_get_coolpower",
            "can_guiding",
            "can_has_shutter",
            "can_iso",
            "can_offset",
        ],
    ),
    (
        "/info/status",
        &["is_connected", "is_cooling", "is_exposure", "is_imageready", "is_guiding", "is_video"],
    ),
    (
        "/info/properties",
        &["max_gain", "min_gain", "max_offset", "min_offset", "max_exposure", "min_exposure", "max_binning"],
    ),
    (
        "/info/frame",
        &[
            "height",
            "width",
            "max_height",
            "min_height",
            "max_width",
            "min_width",
            "depth",
            "max_adu",
            "imgarray",
            "bayer_pattern",
            "bayer_offset_x",
            "bayer_offset_y",
            "pixel_height",
            "pixel_width",
            "start_x",
            "start_y",
            "subframe_x",
            "subframe_y",
            "sensor_type",
            "sensor_name",
        ],
    ),
    ("/info/network", &["ipaddress", "api_version"]),
];

const RESULT: &[(&str, &[&str])] = &[
    ("/image", &["property", "element", "format", "width", "height", "bits", "bytes"]),
    (
        "/info",
        &[
            "exposure_id",
            "sequence",
            "spec",
            "measured",
            "clock",
            "retries",
            "bytes",
            "sha256",
            "saved_path",
            "warnings",
        ],
    ),
    ("/info/spec", &["duration_s", "frame_type", "roi", "binning", "gain", "offset", "format"]),
    ("/info/spec/roi", &["start_x", "start_y", "width", "height"]),
    (
        "/info/measured",
        &[
            "start_utc",
            "end_utc",
            "duration_s",
            "read_out_s",
            "temperature_start",
            "temperature_end",
            "gain_readback",
            "offset_readback",
        ],
    ),
    ("/info/clock", &["synced", "error_s"]),
];

/// In this order they make sense; every setter is followed by its getter.
fn rows() -> Vec<Row> {
    let begun = &["exposure_id", "deadline_s", "expected_bytes"];
    let progress = &["status", "phase", "elapsed_s", "remaining_s", "percent", "exposure_id"];
    let window = || json!({"start_x": 0, "start_y": 2, "width": 33, "height": 24});
    vec![
        Row {
            within: &[("/cameras/0", &["id", "name", "model", "serial", "bus", "sensor", "in_use"])],
            ..row("scanning", none, &["camera", "cameras"])
        },
        Row {
            within: INFO,
            values: || vec![("/info/type", json!("camera")), ("/info/status/is_connected", json!(true))],
            ..row("connect", none, &["info", "sequence"])
        },
        Row { within: INFO, ..row("polling", none, &["info", "sequence"]) },
        row("set_gain", || json!({"gain": 0}), &[]),
        Row { values: || vec![("/gain", json!(0))], ..row("get_gain", none, &["gain"]) },
        row("set_offset", || json!({"offset": 0}), &[]),
        Row { values: || vec![("/offset", json!(0))], ..row("get_offset", none, &["offset"]) },
        row("set_parameter", || json!({"name": "gain", "value": 7}), &[]),
        Row {
            values: || vec![("/value", json!(7))],
            ..row("get_parameter", || json!({"name": "gain"}), &["value"])
        },
        Row {
            values: || vec![("/value", json!(7))],
            ..row("get_parameter", || json!({"name": "CCD_GAIN.GAIN"}), &["value"])
        },
        row("set_camera_roi", window, &[]),
        row("set_binning", || json!({"binning": [2, 1]}), &[]),
        Row {
            values: || vec![("/width", json!(33)), ("/binned_width", json!(16)), ("/start_y", json!(2))],
            ..row(
                "get_camera_roi",
                none,
                &["height", "width", "start_x", "start_y", "binned_width", "binned_height"],
            )
        },
        Row { values: || vec![("/binning", json!([2, 1]))], ..row("get_binning", none, &["binning"]) },
        // Whole degrees are degrees too.
        row("cooling_to", || json!({"temperature": 5}), &[]),
        Row {
            values: || vec![("/status", json!(true)), ("/target", json!(5.0))],
            ..row("get_cooling_status", none, &["status", "target", "ramp_target", "state"])
        },
        row("get_current_temperature", none, &["temperature"]),
        row("get_cooling_power", none, &["power"]),
        row("cooling", || json!({"enable": false}), &[]),
        Row {
            values: || vec![("/status", json!(false)), ("/state", json!("off"))],
            ..row("get_cooling_status", none, &["status", "target", "ramp_target", "state"])
        },
        row("start_exposure", || json!({"exposure": 600}), begun),
        Row { values: || vec![("/status", json!(true))], ..row("get_exposure_status", none, progress) },
        row("abort_exposure", none, &[]),
        Row {
            values: || vec![("/status", json!(false)), ("/phase", json!("idle"))],
            ..row("get_exposure_status", none, progress)
        },
        row("start_exposure", || json!({"exposure": 0.01, "frame_type": "dark"}), begun),
        Row {
            within: RESULT,
            values: || {
                vec![
                    ("/image/width", json!(16)),
                    ("/image/height", json!(24)),
                    ("/info/spec/frame_type", json!("dark")),
                    ("/info/spec/gain", json!(7)),
                    ("/info/measured/gain_readback", json!(7)),
                ]
            },
            ..row("get_exposure_result", none, &["image", "info"])
        },
        Row {
            values: || vec![("/gain", json!(7))],
            ..row("call", || json!({"name": "get_gain", "params": {}}), &["gain"])
        },
        row("reconnect", none, &[]),
        Row { values: || vec![("/gain", json!(7))], ..row("get_gain", none, &["gain"]) },
        row("disconnect", none, &[]),
    ]
}

/// Makes all 25 calls and looks at their answers.
pub fn every_call_gives_its_documented_keys(way: &mut impl Way) {
    let rows = rows();
    for name in NAMES {
        assert!(rows.iter().any(|row| row.name == name), "{name} is not in the table");
    }
    for Row { name, params, keys, within, values } in rows {
        if name == "get_exposure_result" {
            way.until_idle();
        }
        let params = params();
        let answer = way.call(name, &params);
        assert_eq!(keys_of(&answer), sorted(&["status", "message", "params"]), "{name}: {answer}");
        assert_eq!(answer["status"], 0, "{name} {params}: {answer}");
        assert_eq!(keys_of(&answer["params"]), sorted(keys), "{name}");
        for (pointer, keys) in within {
            let inside = answer["params"].pointer(pointer);
            assert_eq!(inside.map(keys_of), Some(sorted(keys)), "{name} {pointer}");
        }
        for (pointer, value) in values() {
            let is = answer["params"].pointer(pointer);
            let same =
                is == Some(&value) || is.and_then(Json::as_f64).is_some_and(|is| value.as_f64() == Some(is));
            assert!(same, "{name} {pointer}: {is:?}, not {value}");
        }
    }
}

/// Makes the calls that fail, or have nothing to do, without any fault of the camera: every such code of the Camera
/// API. None of them may change anything.
pub fn every_refusal_has_its_code(way: &mut impl Way) {
    let unconnected = [
        ("disconnect", json!({}), "already_disconnected"),
        ("reconnect", json!({}), "not_connected"),
        ("start_exposure", json!({"exposure": 1}), "not_connected"),
        ("abort_exposure", json!({}), "not_connected"),
        ("get_exposure_status", json!({}), "not_connected"),
        ("get_exposure_result", json!({}), "not_connected"),
        ("cooling", json!({"enable": true}), "not_connected"),
        ("cooling_to", json!({"temperature": 0}), "not_connected"),
        ("get_cooling_status", json!({}), "not_connected"),
        ("get_current_temperature", json!({}), "not_connected"),
        ("get_cooling_power", json!({}), "not_connected"),
        ("get_camera_roi", json!({}), "not_connected"),
        ("get_gain", json!({}), "not_connected"),
        ("get_offset", json!({}), "not_connected"),
        ("get_binning", json!({}), "not_connected"),
        ("set_gain", json!({"gain": 1}), "not_connected"),
        ("set_offset", json!({"offset": 1}), "not_connected"),
        ("set_binning", json!({"binning": [1, 1]}), "not_connected"),
        ("get_parameter", json!({"name": "gain"}), "not_connected"),
    ];
    let connected = [
        ("connect", json!({}), "already_connected"),
        ("abort_exposure", json!({}), "not_exposing"),
        ("get_exposure_result", json!({}), "no_frame"),
        ("cooling", json!({"enable": false}), "already_off"),
        ("cooling", json!({"enable": 0}), "invalid_value"),
        ("set_gain", json!({}), "invalid_value"),
        ("set_gain", json!({"gain": "1"}), "invalid_value"),
        ("set_gain", json!({"gain": 1.5}), "invalid_value"),
        ("set_gain", json!({"gain": null}), "invalid_value"),
        ("set_gain", json!({"gain": 100_000}), "out_of_range"),
        ("set_gain", json!({"gain": -1}), "out_of_range"),
        ("set_offset", json!({"offset": 100_000}), "out_of_range"),
        ("set_binning", json!({"binning": [0, 1]}), "out_of_range"),
        ("set_binning", json!({"binning": [100, 1]}), "out_of_range"),
        ("set_binning", json!({"binning": [1]}), "invalid_value"),
        (
            "set_camera_roi",
            json!({"start_x": 0, "start_y": 0, "width": 100_000, "height": 1}),
            "out_of_range",
        ),
        ("set_camera_roi", json!({"start_x": 1, "start_y": 0, "width": 0, "height": 1}), "out_of_range"),
        ("set_camera_roi", json!({"start_x": 0, "start_y": 0}), "invalid_value"),
        ("cooling_to", json!({"temperature": -300}), "out_of_range"),
        ("cooling_to", json!({"temperature": "cold"}), "invalid_value"),
        ("start_exposure", json!({"exposure": -1}), "out_of_range"),
        ("start_exposure", json!({"exposure": 1e9}), "out_of_range"),
        ("start_exposure", json!({"exposure": 1, "gain": 100_000}), "out_of_range"),
        ("start_exposure", json!({"exposure": true}), "invalid_value"),
        ("get_parameter", json!({"name": "no_such"}), "not_supported"),
        ("set_parameter", json!({"name": "sensor.width", "value": 1}), "not_supported"),
        ("set_parameter", json!({"name": "gain", "value": false}), "invalid_value"),
        ("call", json!({"name": "no_such"}), "not_supported"),
        ("call", json!({}), "invalid_value"),
    ];
    let exposing =
        [("start_exposure", json!({"exposure": 1}), "busy"), ("get_exposure_result", json!({}), "busy")];
    for (name, params, code) in unconnected {
        refused(way, name, &params, code);
    }
    done(way, "connect", &json!({}));
    let before = settings(way);
    for (name, params, code) in connected {
        refused(way, name, &params, code);
        assert_eq!(settings(way), before, "after {name} {params}");
    }
    done(way, "start_exposure", &json!({"exposure": 600}));
    for (name, params, code) in exposing {
        refused(way, name, &params, code);
    }
    done(way, "abort_exposure", &json!({}));
    refused(way, "get_exposure_result", &json!({}), "no_frame");
    done(way, "disconnect", &json!({}));
}

fn done(way: &mut impl Way, name: &str, params: &Json) {
    let answer = way.call(name, params);
    assert_eq!(answer["status"], 0, "{name}: {answer}");
}

fn refused(way: &mut impl Way, name: &str, params: &Json, code: &str) {
    let answer = way.call(name, params);
    let (status, reason) = match &answer["params"]["error"] {
        Json::Null => (2, &answer["params"]["warning"]),
        error => (1, error),
    };
    assert_eq!(answer["status"], status, "{name} {params}: {answer}");
    assert_eq!(reason["code"], code, "{name} {params}: {answer}");
    assert!(reason["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{name} {params}: {answer}");
}

/// What no refused call may change.
fn settings(way: &mut impl Way) -> Vec<Json> {
    ["get_gain", "get_offset", "get_binning", "get_camera_roi"]
        .map(|name| way.call(name, &json!({}))["params"].clone())
        .into()
}

fn keys_of(object: &Json) -> Vec<&str> {
    let mut keys: Vec<&str> =
        object.as_object().map(|object| object.keys().map(String::as_str).collect()).unwrap_or_default();
    keys.sort_unstable();
    keys
}

fn sorted<'a>(keys: &[&'a str]) -> Vec<&'a str> {
    let mut keys = keys.to_vec();
    keys.sort_unstable();
    keys
}
