//! The 25 calls from a shell, held to the same table as every other way to make them.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value as Json, json};

use crate::Bench;
use crate::support::calls_table::{Way, every_call_gives_its_documented_keys, every_refusal_has_its_code};
use crate::support::{DEVICE, Limit, SOON, Server, fits};

/// `indi-camera call`, each time a process of its own.
struct Shell {
    bench: Bench,
    // Ends with us.
    _server: Server,
}

impl Shell {
    fn new(server: Server) -> Shell {
        let mut bench = Bench::at(&server);
        bench.reach.extend(["--camera", DEVICE].map(str::to_owned));
        Shell { bench, _server: server }
    }
}

impl Way for Shell {
    fn call(&mut self, name: &str, params: &Json) -> Json {
        let run = self.bench.run(&["call", name, &params.to_string()]);
        let answer = run.envelope();
        let is_error = answer["status"] == 1;
        assert_eq!(run.code() != 0, is_error, "{name} {params}: {run:?}");
        answer
    }

    fn until_idle(&mut self) {
        let limit = Limit::after(SOON);
        while self.call("get_exposure_status", &json!({}))["params"]["status"] != false {
            assert!(limit.left().is_some(), "the exposure does not end");
        }
    }
}

#[test]
fn every_call_from_a_shell_gives_its_documented_keys() {
    every_call_gives_its_documented_keys(&mut Shell::new(Server::simulator()));
}

#[test]
fn every_refusal_from_a_shell_has_its_code() {
    every_refusal_has_its_code(&mut Shell::new(Server::simulator()));
}

#[test]
fn the_frame_comes_with_the_answer_up_to_the_length_that_is_promised() {
    let server = Server::simulator();
    let bench = Bench::at(&server);
    // 4.19 million bytes with the header: no row more is an answer.
    let size = format!("{DEVICE}.SIMULATOR_SENSOR.WIDTH=1446;HEIGHT=1446");
    bench.done(&["set", &size, &format!("{DEVICE}.CONNECTION.CONNECT=On")]);
    bench.done(&["set", &format!("{DEVICE}.CCD_EXPOSURE.CCD_EXPOSURE_VALUE=0.01")]);
    let answer = bench.done(&["call", "get_exposure_result", "{\"encode\": \"base64\"}"]).envelope();
    let image = &answer["params"]["image"];
    assert!(image["bytes"].as_u64().unwrap() > 4_150_000, "{}", image["bytes"]);
    let file = BASE64_STANDARD.decode(image["base64"].as_str().unwrap()).unwrap();
    assert_eq!((file.len() as u64, fits(&file).shape), (image["bytes"].as_u64().unwrap(), vec![1446, 1446]));
}

#[test]
fn a_call_needs_no_server() {
    let bench = Bench::new();
    let answer = bench.done(&["call", "get_gain"]).envelope();
    assert_eq!(answer["params"], json!({"gain": 100}));
    let answer = bench.done(&["call", "scanning"]).envelope();
    assert_eq!(answer["params"]["camera"], json!([DEVICE]));
    let run = bench.run(&["call", "make_coffee"]);
    assert_eq!((run.code(), &run.envelope()["params"]["error"]["code"]), (1, &json!("not_supported")));
}

/// libindi's simulator has no CAMERA_CALL: the same calls by its standard properties, and its frames.
#[test]
fn another_drivers_camera_can_be_called_and_captured_too() {
    let server = Server::start(&["-r", "0"], &[std::path::Path::new("indi_simulator_ccd")]);
    let mut bench = Bench::at(&server);
    bench.reach.extend(["--camera", "CCD Simulator"].map(str::to_owned));
    let run = bench.run(&["call", "get_gain"]);
    assert_eq!((run.code(), &run.envelope()["params"]["error"]["code"]), (1, &json!("not_connected")));
    bench.done(&["call", "connect"]);
    bench.done(&["call", "set_gain", "{\"gain\": 33}"]);
    assert_eq!(bench.done(&["call", "get_gain"]).envelope()["params"], json!({"gain": 33}));

    let wish = ["capture", "-e", "0.1", "--roi", "0,0,320,200", "--bin", "2", "--preview", "--json"];
    let picture = &bench.done(&wish).envelope()["params"]["pictures"][0];
    assert_eq!(bench.files(), ["capture_001.fits", "capture_001.png"]);
    assert_eq!(fits(&bench.read("capture_001.fits")).shape, [160, 100]);
    assert_eq!((&picture["image"]["width"], &picture["info"]["spec"]["gain"]), (&json!(160), &json!(33)));
}
