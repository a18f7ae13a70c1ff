use std::time::{Duration, SystemTime};

use serde_json::json;

use super::*;

#[test]
fn codes_are_written_as_their_words_and_read_back() {
    for code in Code::ALL {
        assert_eq!(serde_json::to_value(code).unwrap(), json!(code.word()));
        assert_eq!(serde_json::from_value::<Code>(json!(code.word())).unwrap(), code);
        if let Some(kind) = code.kind() {
            assert_eq!(Code::from(kind), code);
        }
        let status = if code.kind().is_some() { Status::Error } else { Status::Warning };
        assert_eq!(code.status(), status);
    }
}

#[test]
fn an_answer_has_three_keys_and_a_status_that_is_a_number() {
    let answer = Answer::done("the gain", &Gain { gain: 0 });
    assert_eq!(
        serde_json::to_value(&answer).unwrap(),
        json!({"status": 0, "message": "the gain", "params": {"gain": 0}})
    );
    assert_eq!(answer.read::<Gain>("get_gain").unwrap(), Gain { gain: 0 });
    assert_eq!(Answer::done("", &()).params.len(), 0);
}

#[test]
fn a_failure_has_a_code_and_reads_as_an_error() {
    let answer = Answer::failed(Code::OutOfRange, "gain cannot be 5000");
    let expected = json!({"status": 1, "message": "gain cannot be 5000",
        "params": {"error": {"code": "out_of_range", "detail": "gain cannot be 5000"}}});
    assert_eq!(serde_json::to_value(&answer).unwrap(), expected);
    let error = answer.read::<Gain>("set_gain").unwrap_err();
    assert_eq!((error.kind, error.call), (ErrorKind::OutOfRange, "set_gain"));
    assert_eq!(Answer::from(&error), answer);
}

#[test]
fn a_warning_keeps_the_result_beside_its_reason() {
    let answer =
        Answer::done("connected", &Gain { gain: 7 }).because(Code::AlreadyConnected, "it is already");
    assert_eq!(answer.status, Status::Warning);
    assert_eq!(answer.reason().unwrap().code, Code::AlreadyConnected);
    assert_eq!(answer.read::<Gain>("connect").unwrap(), Gain { gain: 7 });
}

#[test]
fn an_answer_survives_the_way_there_and_back() {
    let answer = Answer::failed(Code::Io, "no \"room\" in <dir> & so on");
    let text = answer.text();
    assert!(!text.contains(['<', '>', '&']), "{text}");
    assert_eq!(serde_json::from_str::<Answer>(&text).unwrap(), answer);
    assert!(serde_json::from_str::<Answer>(&text.replace("\"status\":1", "\"status\":3")).is_err());
}

#[test]
fn the_keys_are_those_that_old_clients_know() {
    let info = serde_json::to_value(Info::default()).unwrap();
    let keys = |of: &Json| of.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(
        keys(&info),
        "type name id description timeout configration current ability status properties frame network"
    );
    assert_eq!(
        keys(&info["current"]),
        "exposure gain offset iso binning temperature cool_power percent_complete"
    );
    assert_eq!(
        keys(&info["ability"]),
        "can_binning can_cooling can_gain can_get_coolpower can_guiding can_has_shutter can_iso can_offset"
    );
    assert_eq!(
        keys(&info["status"]),
        "is_connected is_cooling is_exposure is_imageready is_guiding is_video"
    );
    assert_eq!(
        keys(&info["properties"]),
        "max_gain min_gain max_offset min_offset max_exposure min_exposure max_binning"
    );
    assert_eq!(
        keys(&info["frame"]),
        "height width max_height min_height max_width min_width depth max_adu imgarray bayer_pattern \
         bayer_offset_x bayer_offset_y pixel_height pixel_width start_x start_y subframe_x subframe_y \
         sensor_type sensor_name"
    );
    assert_eq!(keys(&info["network"]), "ipaddress api_version");
    assert_eq!(serde_json::from_value::<Info>(info).unwrap(), Info::default());
}

#[test]
fn a_moment_is_utc_and_says_so() {
    let at = SystemTime::UNIX_EPOCH + Duration::from_millis(1500);
    assert_eq!(utc(at).unwrap(), "1970-01-01T00:00:01.500000Z");
}
