//! The camera's calls by name, as a program makes them that knows nothing of INDI but text properties.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value as Json, json};

use crate::support::calls_table::{self, Way};
use crate::support::{Driver, Element, Link, SOON, Start};
use crate::{SMALL, ask_all, assert_well, collect, connected, connected_by, until_quiet};

/// CAMERA_CALL and CAMERA_REPLY.
struct ByName(Driver);

fn is_reply(element: &Element) -> bool {
    element.is("setTextVector", "CAMERA_REPLY")
}

fn ask(driver: &mut Driver, name: &str, params: &str) {
    // Raw JSON needs no escaping but for what XML does not allow.
    let params = params.replace('&', "&amp;").replace('<', "&lt;");
    driver.new_vector("Text", "CAMERA_CALL", &[("NAME", name), ("PARAMS", &params)]);
}

fn answer(reply: &Element) -> Json {
    let answer: Json = serde_json::from_str(reply.value("RESULT").unwrap()).unwrap();
    assert_eq!(reply.value("STATUS"), Some(&*answer["status"].to_string()), "{reply:?}");
    let state = if answer["status"] == 1 { "Alert" } else { "Ok" };
    assert_eq!(reply.attribute("state"), state, "{reply:?}");
    answer
}

fn call(driver: &mut Driver, name: &str, params: &Json) -> Json {
    ask(driver, name, &params.to_string());
    let reply = driver.until(is_reply, SOON);
    assert_eq!(reply.value("NAME"), Some(name), "{reply:?}");
    answer(&reply)
}

impl Way for ByName {
    fn call(&mut self, name: &str, params: &Json) -> Json {
        call(&mut self.0, name, params)
    }

    fn until_idle(&mut self) {
        self.0.wait_for(|peer| peer.state("CCD_EXPOSURE") != "Busy", SOON);
    }
}

/// A camera that is not connected, with a small sensor.
fn unconnected() -> ByName {
    let mut driver = Driver::simulator();
    driver.send("<getProperties version='1.7'/>\n");
    let (width, height) = (SMALL.0.to_string(), SMALL.1.to_string());
    driver.new_vector("Number", "SIMULATOR_SENSOR", &[("WIDTH", &width), ("HEIGHT", &height)]);
    driver.wait_for(|peer| peer.get("SIMULATOR_SENSOR", "WIDTH") == Some(&width), SOON);
    ByName(driver)
}

#[test]
fn every_call_gives_its_documented_keys() {
    calls_table::every_call_gives_its_documented_keys(&mut unconnected());
}

#[test]
fn every_refusal_has_its_code() {
    calls_table::every_refusal_has_its_code(&mut unconnected());
}

#[test]
fn many_calls_in_one_breath_are_answered_in_order() {
    let mut driver = connected();
    let names = ["set_gain", "get_gain", "set_offset", "nonsense", "get_offset", "polling", "scanning"];
    for name in names {
        ask(&mut driver, name, &json!({"gain": 3, "offset": 4}).to_string());
    }
    let mut heard = Vec::new();
    while heard.len() < names.len() {
        heard.push(driver.until(is_reply, SOON).value("NAME").unwrap().to_owned());
    }
    assert_eq!(heard, names);
}

#[test]
fn the_frame_as_a_text_is_the_file_that_was_sent() {
    for link in [Link::Socket, Link::Pipes] {
        let mut driver = connected_by(Start { link, ..Start::default() });
        let sent = driver.expose(0.01).bytes;
        let told = call(&mut driver, "get_exposure_result", &json!({"encode": "base64"}));
        let text = told["params"]["image"]["base64"].as_str().unwrap();
        assert!(BASE64.decode(text).unwrap() == sent, "{link:?}");
        assert_eq!(told["params"]["image"]["bytes"], sent.len());
        // Whoever asks later is told what was answered, but not sent a picture.
        let definition =
            ask_all(&mut driver).into_iter().find(|element| element.is("defTextVector", "CAMERA_REPLY"));
        let result: Json = serde_json::from_str(definition.unwrap().value("RESULT").unwrap()).unwrap();
        assert_eq!(result["params"]["image"]["bytes"], sent.len());
        assert_eq!(result["params"]["image"]["base64"], Json::Null);
    }
}

#[test]
fn a_frame_too_long_for_a_text_is_refused_with_advice() {
    let mut driver = crate::connected_with(Start::default(), (2048, 1100));
    let sent = driver.expose(0.01).bytes.len();
    assert!(sent > 4 << 20);
    let told = call(&mut driver, "get_exposure_result", &json!({"encode": "base64"}));
    assert_eq!(told["params"]["error"]["code"], "out_of_range");
    assert!(told["message"].as_str().unwrap().contains("take the BLOB"), "{told}");
    assert_eq!(call(&mut driver, "get_exposure_result", &json!({}))["params"]["image"]["bytes"], sent);
}

#[test]
fn every_parameter_that_is_listed_can_be_read_and_set_to_what_it_is() {
    let mut driver = connected();
    let list = call(&mut driver, "list_parameters", &json!({}));
    let parameters = list["params"]["parameters"].as_array().unwrap();
    assert!(parameters.len() > 60, "{list}");
    assert!(list.to_string().len() < 64 << 10, "an answer that every reader holds");
    for parameter in parameters {
        let (name, access) = (&parameter["name"], parameter["access"].as_str().unwrap());
        if access.contains('R') {
            let told = call(&mut driver, "get_parameter", &json!({"name": name}));
            assert_eq!(told["status"], 0, "{name}: {told}");
            let value = &told["params"]["value"];
            let kind = match parameter["type"].as_str().unwrap() {
                "number" | "integer" => value.is_number(),
                "bool" => value.is_boolean(),
                "text" => value.is_string(),
                "enum" => parameter["choices"].as_array().unwrap().contains(value),
                "list" => value.is_array(),
                "record" => value.is_object(),
                other => panic!("{name} is {other}"),
            };
            assert!(kind, "{name} is {value}");
            // What acts when it is written, and what describes the sensor of a connected camera, is left alone.
            let acts = [
                "CCD_EXPOSURE",
                "CCD_ABORT_EXPOSURE",
                "CCD_SPOOL_DROP",
                "CCD_SPOOL_RESEND",
                "CONFIG_PROCESS",
                "CONNECTION",
                "SIMULATOR_CFA",
                "SIMULATOR_MODEL",
                "SIMULATOR_PIXEL",
            ];
            let acts =
                acts.contains(&parameter["property"].as_str().unwrap()) || name == "temperature.target";
            // A switch that is off is not set by switching it off, where one has to be on.
            let off = *value == json!(false) && name.as_str().unwrap().contains('.');
            if access != "R" && !acts && !off && !name.as_str().unwrap().starts_with("SIMULATOR_SENSOR") {
                let told = call(&mut driver, "set_parameter", &json!({"name": name, "value": value}));
                assert_eq!(told["status"], 0, "{name} {value}: {told}");
            }
        }
    }
    assert_well(&mut driver);
}

#[test]
fn no_json_is_too_much() {
    let mut driver = connected();
    let refused = |driver: &mut Driver, params: &str, words: &str| {
        ask(driver, "set_gain", params);
        let told = answer(&driver.until(is_reply, SOON));
        assert_eq!(told["params"]["error"]["code"], "invalid_value");
        assert!(told["message"].as_str().unwrap().contains(words), "{told}");
    };
    refused(&mut driver, &"[".repeat(60_000), "recursion limit");
    refused(&mut driver, &"{\"a\":".repeat(10_000), "recursion limit");
    refused(&mut driver, &format!("{{\"gain\": \"{}\"}}", "x".repeat(1 << 19)), "bytes; allowed are 65536");
    refused(&mut driver, &format!("{{\"gain\": {}}}", "9".repeat(60_000)), "out of range");
    refused(&mut driver, "{\"gain\": \"\u{0}\"}", "PARAMS cannot be");
    // What is no element any more is dropped like any other of that length, and the next call is answered.
    ask(&mut driver, "set_gain", &format!("{{\"gain\": \"{}\"}}", "x".repeat(1 << 20)));
    assert_eq!(call(&mut driver, "set_gain", &json!({"gain": 5}))["status"], 0);
    until_quiet(&mut driver);
    assert_eq!(driver.number("CCD_GAIN", "GAIN"), 5.0);
}

#[test]
fn an_answer_has_no_markup_whatever_it_repeats() {
    let mut driver = connected();
    let params = json!({"name": "upload.prefix", "value": "<a> & 'b' \"c\" µ"});
    assert_eq!(call(&mut driver, "set_parameter", &params)["status"], 0);
    ask(&mut driver, "get_parameter", &json!({"name": "upload.prefix"}).to_string());
    let reply = driver.until(is_reply, SOON);
    assert!(!reply.value("RESULT").unwrap().contains(['<', '>', '&', '\'']), "{reply:?}");
    assert_eq!(answer(&reply)["params"]["value"], params["value"]);
}

#[test]
fn a_long_exposure_is_begun_at_once_and_aborted_when_called_for() {
    let mut driver = connected();
    let begun = call(&mut driver, "start_exposure", &json!({"exposure": 3600}));
    assert_eq!(begun["params"]["deadline_s"], 3630.0);
    driver.wait_for(|peer| peer.get("CCD_EXPOSURE_STATUS", "PHASE") == Some("exposing"), SOON);
    let told = call(&mut driver, "get_exposure_status", &json!({}));
    assert_eq!(told["params"]["phase"], "exposing");
    ask(&mut driver, "abort_exposure", "");
    let heard = collect(&mut driver, is_reply);
    assert!(heard.iter().any(|e| e.is("setNumberVector", "CCD_EXPOSURE") && e.attribute("state") == "Idle"));
    assert_well(&mut driver);
}

#[test]
fn it_can_all_be_done_before_any_property_of_the_camera_is_known() {
    let mut driver = unconnected().0;
    assert_eq!(call(&mut driver, "connect", &json!({"device_name": "Camera Simulator"}))["status"], 0);
    // The answer came after everything that connecting brought.
    assert!(driver.vector("CCD_EXPOSURE").is_some() && driver.vector("Serial Number").is_some());
    let begun = call(&mut driver, "start_exposure", &json!({"exposure": 0.01}));
    assert_eq!(begun["params"]["expected_bytes"], 64 * 48 * 2);
    driver.until(crate::is_blob, SOON);
    driver.wait_for(|peer| peer.state("CCD_EXPOSURE") == "Ok", SOON);
    let result = call(&mut driver, "get_exposure_result", &json!({}));
    assert_eq!(result["params"]["info"]["exposure_id"], begun["params"]["exposure_id"]);
}
