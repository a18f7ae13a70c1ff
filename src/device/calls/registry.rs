//! The functions that can be called by name. The registry is closed: nothing is found that is not listed here, or that
//! the camera itself does not offer.

use serde_json::Map;

use crate::camera::answer::Answer;
use crate::camera::call::{Arguments, Call, Params, Reply};
use crate::camera::error::{CameraError, ErrorKind, Result};
use crate::camera::json;
use crate::camera::types::Value;
use crate::device::Device;

use super::{Progress, Until};

/// A function, and the names of its arguments.
struct Function {
    name: &'static str,
    takes: &'static [&'static str],
    /// Only with a camera that is connected and answers.
    camera: bool,
    run: fn(&mut Device, &Arguments<'_>) -> Result<Progress>,
}

const fn anytime(
    name: &'static str,
    takes: &'static [&'static str],
    run: fn(&mut Device, &Arguments<'_>) -> Result<Progress>,
) -> Function {
    Function { name, takes, camera: false, run }
}

const fn connected(
    name: &'static str,
    takes: &'static [&'static str],
    run: fn(&mut Device, &Arguments<'_>) -> Result<Progress>,
) -> Function {
    Function { name, takes, camera: true, run }
}

/// Those that the Camera API lists first, then the further ones.
const FUNCTIONS: &[Function] = &[
    anytime("connect", &["device_name"], Device::call_connect),
    anytime("disconnect", &[], Device::call_disconnect),
    anytime("reconnect", &["device_name"], Device::call_reconnect),
    anytime("scanning", &[], Device::call_scanning),
    anytime("polling", &[], Device::call_polling),
    anytime("get_parameter", &["name"], Device::call_get_parameter),
    anytime("set_parameter", &["name", "value"], Device::call_set_parameter),
    connected(
        "start_exposure",
        &["exposure", "frame_type", "gain", "offset", "binning", "roi"],
        Device::call_start_exposure,
    ),
    connected("abort_exposure", &[], Device::call_abort_exposure),
    connected("get_exposure_status", &[], Device::call_exposure_status),
    connected("get_exposure_result", &["encode"], Device::call_exposure_result),
    connected("cooling", &["enable"], Device::call_cooling),
    connected("cooling_to", &["temperature"], Device::call_cooling_to),
    connected("get_cooling_status", &[], Device::call_cooling_status),
    connected("get_current_temperature", &[], Device::call_temperature),
    connected("get_cooling_power", &[], Device::call_cooling_power),
    connected("get_camera_roi", &[], Device::call_get_roi),
    connected("get_gain", &[], Device::call_get_gain),
    connected("get_offset", &[], Device::call_get_offset),
    connected("get_binning", &[], Device::call_get_binning),
    connected("set_camera_roi", &["start_x", "start_y", "width", "height"], Device::call_set_roi),
    connected("set_gain", &["gain"], Device::call_set_gain),
    connected("set_offset", &["offset"], Device::call_set_offset),
    connected("set_binning", &["binning"], Device::call_set_binning),
    connected("stop_exposure", &[], Device::call_stop_exposure),
    connected("pulse_guide", &["direction", "ms"], Device::call_pulse_guide),
    connected("reset_roi", &[], Device::call_reset_roi),
    connected("set_fits_header", &["key", "value", "comment"], Device::call_set_fits_header),
    connected("self_test", &[], Device::call_self_test),
    anytime("save_config", &[], |device, _| device.call_config("CONFIG_SAVE")),
    anytime("load_config", &[], |device, _| device.call_config("CONFIG_LOAD")),
    anytime("default_config", &[], |device, _| device.call_config("CONFIG_DEFAULT")),
    anytime("purge_config", &[], |device, _| device.call_config("CONFIG_PURGE")),
    anytime("list_spool", &[], Device::call_list_spool),
    connected("resend_frame", &["id"], Device::call_resend_frame),
    anytime("drop_frame", &["id"], Device::call_drop_frame),
    anytime("list_parameters", &[], Device::call_list_parameters),
];

/// Runs one of them, or asks the camera for a function of its own.
pub(super) fn carry_out(device: &mut Device, name: &str, params: &Params) -> Result<Progress> {
    let arguments = Arguments::of(params);
    if name == "call" {
        arguments.only("call", &["name", "params"])?;
        let inner = arguments.text("call", "name")?;
        let params = arguments.find("params").map(|params| json::fields("call", "params", params));
        return match inner.as_str() {
            "call" => Err(unknown("call", "call does not call itself")),
            inner => carry_out(device, inner, &params.transpose()?.unwrap_or_default()),
        };
    }
    if let Some(function) = FUNCTIONS.iter().find(|function| function.name == name) {
        arguments.only(function.name, function.takes)?;
        if function.camera {
            device.needs_camera(function.name)?;
        }
        return (function.run)(device, &arguments);
    }
    if name.is_empty() {
        let detail = "NAME is missing: it takes the name of a call";
        return Err(CameraError::new(ErrorKind::InvalidValue, "call", detail));
    }
    if !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
        let detail = format!("there is no function named {:?}", json::quoted(name));
        return Err(unknown("call", detail));
    }
    device.ask(Call::Vendor { name: name.to_owned(), params: params.clone() });
    Ok(Progress::Waits(Until::Answered, |_, heard| Answer::done("done", &heard.vendor)))
}

fn unknown(call: &'static str, detail: impl Into<String>) -> CameraError {
    CameraError::new(ErrorKind::NotSupported, call, detail)
}

/// What a function of the camera's own has answered, by name.
pub(super) fn fields(reply: &Reply) -> Map<String, serde_json::Value> {
    let (name, value) = match reply {
        Reply::Value(value @ Value::Record(_)) => {
            return match serde_json::to_value(value) {
                Ok(serde_json::Value::Object(fields)) => fields,
                _ => Map::new(),
            };
        }
        Reply::Value(value) => ("value", serde_json::to_value(value).unwrap_or_default()),
        Reply::Temperature(celsius) => ("temperature", (*celsius).into()),
        Reply::Power(percent) => ("power", (*percent).into()),
        Reply::Gain(gain) => ("gain", (*gain).into()),
        Reply::Offset(offset) => ("offset", (*offset).into()),
        // The others are the answers of calls that the device makes by itself.
        _ => return Map::new(),
    };
    Map::from_iter([(name.to_owned(), value)])
}
