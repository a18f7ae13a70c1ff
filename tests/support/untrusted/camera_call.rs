//! What a client writes into CAMERA_CALL: the name in the first line, PARAMS after it.

use indi_camera::camera::call::Call;
use indi_camera::camera::json;
use indi_camera::camera::types::Value;
use indi_camera::camera::wish::ExposureWish;

/// A call.
pub fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (name, params) = text.split_once('\n').unwrap_or((&text, ""));
    let quoted = json::quoted(name);
    assert!(quoted.chars().count() <= 41, "{quoted:?}");
    let params = match json::params("call", params) {
        Ok(params) => params,
        Err(error) => return assert!(error.to_string().len() < 1000, "{error}"),
    };
    if let Ok(call) = Call::parse(name, &params) {
        assert_eq!(call.name(), name);
    }
    if let Ok(wish) = ExposureWish::read(&params) {
        assert!(wish.duration().is_err() || wish.exposure >= 0.0);
        assert_eq!(ExposureWish::read(&wish.params()).ok(), Some(wish));
    }
    // What has been understood and is said again means the same.
    let value = Value::Record(params);
    let Ok(written) = json::text(&value) else { return };
    assert!(!written.contains(['&', '<', '>']));
    let Value::Record(params) = value else { return };
    assert_eq!(json::params("call", &written).ok(), Some(params), "{written}");
}
