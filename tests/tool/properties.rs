//! Cameras and properties from scripts: scan, get, set, watch.

use serde_json::{Value as Json, json};

use crate::Bench;
use crate::support::{DEVICE, Server};

#[test]
fn cameras_are_listed_wherever_they_are() {
    let own = Bench::new().done(&["scan"]);
    assert!(own.stdout.contains(DEVICE) && own.stdout.contains("indi_camera_ccd"), "{own:?}");

    let (one, two) = (Server::simulator(), Server::simulators(2));
    let at = |server: &Server| format!("127.0.0.1:{}", server.port());
    let nobody = "127.0.0.1:1".to_owned();
    let reach = [at(&one), at(&two), nobody].into_iter().flat_map(|server| ["--server".to_owned(), server]);
    let bench = Bench { reach: reach.collect(), ..Bench::new() };
    let run = bench.done(&["scan", "--json"]);
    let params = &run.envelope()["params"];
    assert_eq!(params["camera"], json!([DEVICE, DEVICE, "Camera Simulator 2"]));
    assert_eq!(params["cameras"][2]["server"], at(&two));
    assert_eq!(params["cameras"][0]["in_use"], false);
    assert_eq!(params["unreachable"].as_array().map(Vec::len), Some(1), "{params}");
    assert!(run.stderr.contains("127.0.0.1:1"), "{run:?}");
}

#[test]
fn what_is_set_is_read_back() {
    let server = Server::simulator();
    let bench = Bench::at(&server);
    let full = |name: &str| format!("{DEVICE}.{name}");
    let run = bench.done(&["set", &full("CONNECTION.CONNECT=On")]);
    assert_eq!(run.stdout, format!("{DEVICE}.CONNECTION Ok\n"));
    let run = bench.done(&[
        "set",
        &full("CCD_FRAME.X=0;Y=2;WIDTH=64;HEIGHT=48"),
        &full("CCD_TEMP_RAMP.RAMP_SLOPE=0:30"),
    ]);
    assert_eq!(run.stdout, format!("{DEVICE}.CCD_FRAME Ok\n{DEVICE}.CCD_TEMP_RAMP Ok\n"));
    bench.done(&["set", &full("UPLOAD_SETTINGS.UPLOAD_PREFIX=a=b;c")]);

    let run = bench.done(&["get", &full("CCD_FRAME")]);
    let lines = ["X=0", "Y=2", "WIDTH=64", "HEIGHT=48"].map(|line| format!("{DEVICE}.CCD_FRAME.{line}\n"));
    assert_eq!(run.stdout, lines.concat());
    let run = bench.done(&[
        "get",
        "-1",
        &full("CCD_TEMP_RAMP.RAMP_SLOPE"),
        "*.UPLOAD_PREFIX",
        &full("CCD_EXPOSURE._STATE"),
    ]);
    assert_eq!(run.stdout, "0.5\na=b;c\nIdle\n");
    let run = bench.done(&["get", "--json", &full("CCD_GAIN.GAIN"), &full("CONNECTION.*")]);
    let values = json!({
        full("CCD_GAIN.GAIN"): 100.0,
        full("CONNECTION.CONNECT"): true,
        full("CONNECTION.DISCONNECT"): false,
    });
    assert_eq!(run.envelope()["params"]["values"], values);
}

#[test]
fn what_is_not_there_or_not_allowed_has_its_exit_code() {
    let server = Server::simulator();
    let bench = Bench::at(&server);
    let full = |name: &str| format!("{DEVICE}.{name}");
    let fails = |arguments: &[&str], code: i32, words: &[&str]| {
        let run = bench.run(&[arguments, &["--timeout", "1"]].concat());
        assert_eq!(run.code(), code, "{arguments:?}: {run:?}");
        assert_eq!(run.stdout, "", "{arguments:?}");
        for word in words {
            assert!(run.stderr.contains(word), "{word:?} is not in the answer to {arguments:?}: {run:?}");
        }
    };
    fails(&["get", &full("CCD_GAIN.GAIN")], 4, &["not connected", "CONNECTION.CONNECT=On"]);
    fails(&["set", &full("CCD_GAIN.GAIN=1")], 4, &["not connected"]);
    bench.done(&["set", &full("CONNECTION.CONNECT=On")]);
    fails(&["get", "Nobody.CCD_GAIN.GAIN"], 4, &["Nobody", DEVICE]);
    fails(&["get", &full("CCD_GAIN.GAINS")], 4, &["GAINS", "are: GAIN"]);
    fails(&["get", &full("CCD_GAINS.GAIN")], 4, &["indi-camera … get 'Camera Simulator'"]);
    fails(&["set", &full("CCD_GAIN.GAINS=1")], 4, &["are: GAIN"]);
    fails(&["set", &full("CCD_GAINS.GAIN=1")], 4, &["CCD_GAINS"]);
    fails(&["set", &full("CCD_GAIN.GAIN=1e9")], 1, &["1000000000", "0 to 300"]);
    fails(&["set", &full("CCD_GAIN.GAIN=high")], 2, &["a number", "\"high\""]);
    fails(&["set", &full("CONNECTION.CONNECT=maybe")], 2, &["On or Off"]);
    fails(&["set", &full("CCD_INFO.CCD_MAX_X=1")], 1, &["read-only"]);
    fails(&["set", "CCD_GAIN"], 2, &["Device.PROPERTY.ELEMENT=value"]);
    // What only the driver knows to be wrong, in its own words.
    fails(&["set", &full("UPLOAD_SETTINGS.UPLOAD_PREFIX=a/b")], 1, &["UPLOAD_PREFIX"]);
    bench.done(&["set", "--no-wait", &full("CCD_EXPOSURE.CCD_EXPOSURE_VALUE=600")]);
    assert_eq!(bench.done(&["get", "-1", &full("CCD_EXPOSURE._STATE")]).stdout, "Busy\n");
}

#[test]
fn a_write_is_waited_for_as_long_as_its_effect_may_take() {
    let server = Server::simulator();
    let bench = Bench::at(&server);
    let set = |value: &str| bench.run(&["--timeout", "1", "set", &format!("{DEVICE}.{value}")]);
    let done = |value: &str| {
        let run = set(value);
        assert_eq!(run.code(), 0, "{value}: {run:?}");
        run.stdout
    };
    done("CONNECTION.CONNECT=On");
    let state = done("CCD_EXPOSURE.CCD_EXPOSURE_VALUE=1.5");
    assert_eq!(state, format!("{DEVICE}.CCD_EXPOSURE Ok\n"), "longer than other answers may take");
    done("CCD_TEMP_RAMP.RAMP_SLOPE=1");
    assert_eq!(done("CCD_TEMPERATURE.CCD_TEMPERATURE_VALUE=10"), format!("{DEVICE}.CCD_TEMPERATURE Busy\n"));
    done("CCD_COOLER.COOLER_OFF=On");
    bench.done(&["call", "inject_fault", r#"{"kind": "call_blocks", "call": "set_gain", "seconds": 20}"#]);
    let late = set("CCD_GAIN.GAIN=5");
    assert!(late.code() == 5 && late.stderr.contains("CCD_GAIN"), "{late:?}");
}

#[test]
fn an_exposure_whose_frame_is_not_saved_has_failed_and_was_not_refused() {
    let server = Server::simulator();
    let bench = Bench::at(&server);
    let full = |name: &str| format!("{DEVICE}.{name}");
    let place = bench.folder.path().join("place");
    let dir = full(&format!("UPLOAD_SETTINGS.UPLOAD_DIR={}", place.display()));
    bench.done(&["set", &full("CONNECTION.CONNECT=On"), &dir, &full("UPLOAD_MODE.UPLOAD_LOCAL=On")]);
    std::fs::remove_dir_all(&place).ok();
    std::fs::write(&place, "no directory any more").unwrap();
    let run = bench.run(&["set", &full("CCD_EXPOSURE.CCD_EXPOSURE_VALUE=0.01")]);
    assert_eq!(run.code(), 1, "{run:?}");
    assert!(run.stderr.contains(&format!("the exposure of {DEVICE} failed: ")), "{run:?}");
    assert!(run.stderr.contains("saved") && !run.stderr.contains("refused"), "{run:?}");
}

#[test]
fn watching_prints_one_line_or_one_envelope_for_each_property() {
    let bench = Bench::new();
    let run = bench.done(&["watch", "--seconds", "0.5", "*.CCD_TEMP*"]);
    assert!(
        run.stdout.contains(&format!("{DEVICE}.CCD_TEMPERATURE [Idle] CCD_TEMPERATURE_VALUE=")),
        "{run:?}"
    );
    assert!(!run.stdout.contains("CCD_FRAME"), "{run:?}");
    let run = bench.done(&["watch", "--seconds", "0.5", "--json"]);
    let lines: Vec<Json> = run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let frame = lines.iter().find(|line| line["params"]["property"] == "CCD_FRAME").unwrap();
    assert_eq!(frame["status"], 0);
    assert_eq!(frame["params"]["values"]["WIDTH"], 1280.0);
    let run = bench.run(&["watch", "--seconds", "0.5", "*.CCD_TEMPERATUR"]);
    assert_eq!((run.code(), run.stdout.as_str()), (4, ""), "{run:?}");
    assert!(run.stderr.contains("nothing by the name of *.CCD_TEMPERATUR") && run.stderr.contains(DEVICE));
}
