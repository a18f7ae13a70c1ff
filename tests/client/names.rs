//! The calls by name, as a shell makes them, of our camera and of libindi's.

use std::path::Path;

use indi_camera::camera::answer::{Answer, Code, ExposureResult, Snapshot, Status};
use indi_camera::camera::call::{NAMES, Params};
use indi_camera::camera::json;
use serde_json::{Value as Json, json};

use super::servers::{LIBINDI, tcp};
use super::support::Server as IndiServer;
use super::*;

fn params(value: &Json) -> Params {
    json::params("call", &value.to_string()).unwrap()
}

async fn call(camera: &Camera, name: &str, arguments: Json) -> Answer {
    camera.by_name(name, &params(&arguments)).await
}

#[test]
fn all_25_calls_answer_with_their_documented_keys_from_any_camera() {
    run(async {
        let indi = super::servers::both();
        let server = Server::connect(tcp(&indi), patience()).await.unwrap();
        for device in [DEVICE, LIBINDI.0] {
            let camera = server.camera(device);
            let calls: Vec<(&str, Json, &[&str])> = vec![
                ("scanning", json!({}), &["camera", "cameras"]),
                ("connect", json!({"device_name": device}), &["info"]),
                ("polling", json!({}), &["info"]),
                ("set_camera_roi", json!({"start_x": 10, "start_y": 20, "width": 64, "height": 48}), &[]),
                ("get_camera_roi", json!({}), &["height", "width", "start_x", "start_y"]),
                ("set_binning", json!({"binning": [2, 2]}), &[]),
                ("get_binning", json!({}), &["binning"]),
                ("set_gain", json!({"gain": 0}), &[]),
                ("get_gain", json!({}), &["gain"]),
                ("set_offset", json!({"offset": 1}), &[]),
                ("get_offset", json!({}), &["offset"]),
                ("set_parameter", json!({"name": "polling_period", "value": 500}), &[]),
                ("get_parameter", json!({"name": "CCD_INFO.CCD_MAX_X"}), &["value"]),
                (
                    "start_exposure",
                    json!({"exposure": 600}),
                    &["exposure_id", "deadline_s", "expected_bytes"],
                ),
                ("get_exposure_status", json!({}), &["status", "phase", "remaining_s"]),
                ("abort_exposure", json!({}), &[]),
                ("call", json!({"name": "start_exposure", "params": {"exposure": 0.01}}), &["exposure_id"]),
                ("get_exposure_result", json!({}), &["image", "info"]),
                ("cooling_to", json!({"temperature": -2}), &[]),
                ("get_cooling_status", json!({}), &["status", "target", "state"]),
                ("get_current_temperature", json!({}), &["temperature"]),
                ("get_cooling_power", json!({}), &["power"]),
                ("cooling", json!({"enable": false}), &[]),
                ("reconnect", json!({"device_name": device}), &[]),
                ("disconnect", json!({}), &[]),
            ];
            let mut made: Vec<&str> = calls.iter().map(|(name, ..)| *name).collect();
            made.sort_unstable();
            let mut all = NAMES.to_vec();
            all.sort_unstable();
            assert_eq!(made, all);
            for (name, arguments, keys) in calls {
                if name == "get_exposure_result" {
                    until_exposure_is(&camera, State::Ok).await;
                }
                let answer = call(&camera, name, arguments).await;
                if (device, name) == (LIBINDI.0, "get_cooling_power") {
                    let code = answer.reason().map(|reason| reason.code);
                    assert_eq!(code, Some(Code::NotSupported), "it has none to tell: {answer:?}");
                    continue;
                }
                assert_eq!(answer.status, Status::Success, "{device}: {name}: {answer:?}");
                for key in keys {
                    assert!(answer.params.contains_key(*key), "{device}: {name} has no {key}: {answer:?}");
                }
                if name == "get_exposure_result" {
                    let result: ExposureResult = answer.read("get_exposure_result").unwrap();
                    assert_eq!((result.image.width, result.image.height, result.image.bits), (32, 24, 16));
                }
            }
        }
    });
}

#[test]
fn what_cannot_be_done_has_a_code_and_changes_nothing() {
    run(async {
        let home = Folder::new();
        let camera = connected(&home).await;
        let before = camera.polling().await.unwrap().info;
        for (name, arguments, code) in [
            ("set_gain", json!({"gain": "7"}), Code::InvalidValue),
            ("set_gain", json!({"gain": 1.5}), Code::InvalidValue),
            ("set_gain", json!({}), Code::InvalidValue),
            ("set_gain", json!({"gain": 1, "of": 2}), Code::InvalidValue),
            ("set_gain", json!({"gain": 100_000}), Code::OutOfRange),
            ("set_binning", json!({"binning": [0, 1]}), Code::OutOfRange),
            (
                "set_camera_roi",
                json!({"start_x": 1280, "start_y": 0, "width": 1, "height": 1}),
                Code::OutOfRange,
            ),
            ("start_exposure", json!({"exposure": 1e9}), Code::OutOfRange),
            ("start_exposure", json!({"exposure": true}), Code::InvalidValue),
            ("get_exposure_result", json!({}), Code::NoFrame),
            ("get_parameter", json!({"name": "no.such"}), Code::NotSupported),
            ("set_parameter", json!({"name": "sensor.width", "value": 1}), Code::NotSupported),
            ("set_parameter", json!({"name": "exposure.min", "value": 1}), Code::NotSupported),
            ("set_parameter", json!({"name": "cooler", "value": 1}), Code::InvalidValue),
            ("set_parameter", json!({"name": "frame_type", "value": "white"}), Code::InvalidValue),
            ("cooling_to", json!({"temperature": -400}), Code::OutOfRange),
            ("call", json!({"name": "no_such_function"}), Code::NotSupported),
            ("no_such_call", json!({}), Code::NotSupported),
            ("abort_exposure", json!({}), Code::NotExposing),
            ("cooling", json!({"enable": false}), Code::AlreadyOff),
            ("connect", json!({"device_name": DEVICE}), Code::AlreadyConnected),
        ] {
            let answer = call(&camera, name, arguments.clone()).await;
            assert_eq!(
                answer.reason().map(|reason| reason.code),
                Some(code),
                "{name} {arguments}: {answer:?}"
            );
            assert_eq!(answer.status, code.status());
        }
        assert_eq!(camera.polling().await.unwrap().info, before);
        camera.disconnect().await.unwrap();
        let answer = call(&camera, "disconnect", json!({})).await;
        assert_eq!(answer.reason().map(|reason| reason.code), Some(Code::AlreadyDisconnected));
        let answer = call(&camera, "get_gain", json!({})).await;
        assert_eq!(answer.reason().map(|reason| reason.code), Some(Code::NotConnected));
    });
}

#[test]
fn parameters_have_the_names_of_the_api_and_those_of_indi() {
    run(async {
        let home = Folder::new();
        let camera = connected(&home).await;
        for (name, value) in [
            ("gain", json!(0)),
            ("offset", json!(12)),
            ("binning", json!([2, 1])),
            ("roi", json!({"start_x": 4, "start_y": 2, "width": 100, "height": 50})),
            ("frame_type", json!("flat")),
            ("temperature.ramp", json!(5)),
            ("compress", json!(true)),
            ("compress", json!(false)),
            ("encode", json!("xisf")),
            ("upload.mode", json!("both")),
            ("upload.dir", json!("/nowhere & <back>")),
            ("fast.enable", json!(true)),
            ("scope.focal_length", json!(714.5)),
            ("rotation", json!(-12.5)),
            ("polling_period", json!(500)),
            ("CCD_GAIN.GAIN", json!(5)),
            ("UPLOAD_SETTINGS", json!({"UPLOAD_DIR": "/a", "UPLOAD_PREFIX": "b"})),
        ] {
            let set = call(&camera, "set_parameter", json!({"name": name, "value": value})).await;
            assert_eq!(set.status, Status::Success, "{name}: {set:?}");
            let got = call(&camera, "get_parameter", json!({"name": name})).await;
            assert_eq!(got.params["value"], value, "{name}");
        }
        let header = call(&camera, "set_parameter", json!({"name": "fits.OBSERVER", "value": "Ada"})).await;
        assert_eq!(header.status, Status::Success, "{header:?}");
        for (name, value) in
            [("sensor.width", json!(1280)), ("temperature", json!(20)), ("CONNECTION.CONNECT", json!(true))]
        {
            assert_eq!(
                call(&camera, "get_parameter", json!({"name": name})).await.params["value"],
                value,
                "{name}"
            );
        }
        let listed = camera.list_parameters().await.unwrap();
        let entry = |name: &str| {
            listed.iter().find(|entry| entry.name == name).unwrap_or_else(|| panic!("no {name}"))
        };
        assert_eq!((entry("gain").access.as_str(), entry("gain").min), ("RWI", Some(0.0)));
        assert_eq!(entry("encode").choices, ["fits", "native", "xisf"]);
        assert_eq!(entry("sensor.width").access, "R");
        assert!(listed.iter().all(|entry| entry.name != "sensor.bayer"), "this camera has no colours");
    });
}

#[test]
fn a_frame_can_be_had_as_text() {
    run(async {
        let home = Folder::new();
        let camera = connected(&home).await;
        let small = indi_camera::camera::types::Roi { x: 0, y: 0, width: 32, height: 16 };
        camera.set_camera_roi(small).await.unwrap();
        let shot = take(&camera, SHORT).await;
        let answer = call(&camera, "get_exposure_result", json!({"encode": "base64"})).await;
        let result: ExposureResult = answer.read("get_exposure_result").unwrap();
        let text = result.image.base64.unwrap();
        let bytes = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, text).unwrap();
        assert_eq!(bytes, shot.received().unwrap().bytes().unwrap());
        let answer = call(&camera, "get_exposure_result", json!({"encode": "rot13"})).await;
        assert_eq!(answer.reason().map(|reason| reason.code), Some(Code::InvalidValue));
    });
}

#[test]
fn another_camera_can_be_connected_by_its_name() {
    run(async {
        let indi = IndiServer::start(&["-r", "0"], &[Path::new(SIMULATOR), Path::new(LIBINDI.1)]);
        let server = Server::connect(tcp(&indi), patience()).await.unwrap();
        let answer = call(&server.camera(DEVICE), "connect", json!({"device_name": LIBINDI.0})).await;
        let snapshot: Snapshot = answer.read("connect").unwrap();
        assert_eq!(snapshot.info.name, LIBINDI.0);
        assert!(!server.camera(DEVICE).polling().await.unwrap().info.status.is_connected);
    });
}

#[test]
fn what_only_our_camera_can_do_is_called_by_name() {
    run(async {
        let home = Folder::new();
        let camera = connected(&home).await;
        let tested = call(&camera, "self_test", json!({})).await;
        assert_eq!((tested.status, &tested.params["passed"]), (Status::Success, &json!(true)), "{tested:?}");
        let unknown = call(&camera, "no_such_function", json!({})).await;
        assert_eq!(unknown.reason().map(|reason| reason.code), Some(Code::NotSupported), "{unknown:?}");
    });
}
