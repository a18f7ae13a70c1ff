//! The 25 calls as plain data: queued to the camera thread, logged, replayed in tests.
//!
//! Trait, [`Call`] and [`dispatch`] are the only three places that list the calls.

use serde::{Deserialize, Serialize};

use super::Camera;
use super::arguments::invalid;
pub use super::arguments::{Arguments, Direction};
use super::error::{CameraError, ErrorKind, Result};
use super::types::{
    Binning, CameraId, CameraStatus, Capabilities, Celsius, CoolingStatus, ExposureId, ExposureRequest,
    ExposureStatus, Frame, FrameType, Percent, Roi, Value,
};
use super::wish::ExposureWish;

/// The names of the 25 calls, in the order of the Camera API. [`Call`] has the first 24; the last is
/// [`Camera::call`], which makes them by these names.
pub const NAMES: [&str; 25] = [
    "connect",
    "disconnect",
    "reconnect",
    "scanning",
    "polling",
    "get_parameter",
    "set_parameter",
    "start_exposure",
    "abort_exposure",
    "get_exposure_status",
    "get_exposure_result",
    "cooling",
    "cooling_to",
    "get_cooling_status",
    "get_current_temperature",
    "get_cooling_power",
    "get_camera_roi",
    "get_gain",
    "get_offset",
    "get_binning",
    "set_camera_roi",
    "set_gain",
    "set_offset",
    "set_binning",
    "call",
];

/// Arguments of a call made by name.
pub type Params = Vec<(String, Value)>;

/// A call and its arguments.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "one variant per method of Camera, documented there")]
pub enum Call {
    Scanning,
    Connect(CameraId),
    Disconnect,
    Reconnect(CameraId),
    Polling,
    GetParameter(String),
    SetParameter(String, Value),
    StartExposure(ExposureRequest),
    AbortExposure,
    GetExposureStatus,
    GetExposureResult,
    Cooling(bool),
    CoolingTo(Celsius),
    GetCoolingStatus,
    GetCurrentTemperature,
    GetCoolingPower,
    GetCameraRoi,
    SetCameraRoi(Roi),
    GetBinning,
    SetBinning(Binning),
    GetGain,
    SetGain(i32),
    GetOffset,
    SetOffset(i32),
    /// A function of the backend's own.
    Vendor {
        name: String,
        params: Params,
    },
}

/// What a call returned.
#[derive(Debug, PartialEq, Deserialize, Serialize)]
#[allow(missing_docs, reason = "one variant per type that Camera's methods return")]
pub enum Reply {
    Done,
    Cameras(Vec<CameraId>),
    Connected(Box<Capabilities>),
    Polled(CameraStatus),
    Value(Value),
    Exposure(ExposureStatus),
    Frame(Box<Frame>),
    Cooling(CoolingStatus),
    Temperature(Celsius),
    Power(Percent),
    Roi(Roi),
    Binning(Binning),
    Gain(i32),
    Offset(i32),
}

impl Call {
    /// The call's name in the Camera API.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Call::Scanning => "scanning",
            Call::Connect(_) => "connect",
            Call::Disconnect => "disconnect",
            Call::Reconnect(_) => "reconnect",
            Call::Polling => "polling",
            Call::GetParameter(_) => "get_parameter",
            Call::SetParameter(..) => "set_parameter",
            Call::StartExposure(_) => "start_exposure",
            Call::AbortExposure => "abort_exposure",
            Call::GetExposureStatus => "get_exposure_status",
            Call::GetExposureResult => "get_exposure_result",
            Call::Cooling(_) => "cooling",
            Call::CoolingTo(_) => "cooling_to",
            Call::GetCoolingStatus => "get_cooling_status",
            Call::GetCurrentTemperature => "get_current_temperature",
            Call::GetCoolingPower => "get_cooling_power",
            Call::GetCameraRoi => "get_camera_roi",
            Call::SetCameraRoi(_) => "set_camera_roi",
            Call::GetBinning => "get_binning",
            Call::SetBinning(_) => "set_binning",
            Call::GetGain => "get_gain",
            Call::SetGain(_) => "set_gain",
            Call::GetOffset => "get_offset",
            Call::SetOffset(_) => "set_offset",
            Call::Vendor { name, .. } => name,
        }
    }

    /// The call named `name` with arguments from `params`, by the parameter names of the Camera API. `connect`,
    /// `reconnect` take `device_name`; whatever is not one of the 24 becomes [`Call::Vendor`].
    pub fn parse(name: &str, params: &Params) -> Result<Call> {
        let arguments = Arguments::of(params);
        Ok(match name {
            "scanning" => Call::Scanning,
            "connect" => Call::Connect(arguments.camera("connect")?),
            "disconnect" => Call::Disconnect,
            "reconnect" => Call::Reconnect(arguments.camera("reconnect")?),
            "polling" => Call::Polling,
            "get_parameter" => Call::GetParameter(arguments.text("get_parameter", "name")?),
            "set_parameter" => Call::SetParameter(
                arguments.text("set_parameter", "name")?,
                arguments.get("set_parameter", "value")?.clone(),
            ),
            "start_exposure" => Call::StartExposure(request(params)?),
            "abort_exposure" => Call::AbortExposure,
            "get_exposure_status" => Call::GetExposureStatus,
            "get_exposure_result" => Call::GetExposureResult,
            "cooling" => Call::Cooling(arguments.flag("cooling", "enable")?),
            "cooling_to" => Call::CoolingTo(arguments.number("cooling_to", "temperature")?),
            "get_cooling_status" => Call::GetCoolingStatus,
            "get_current_temperature" => Call::GetCurrentTemperature,
            "get_cooling_power" => Call::GetCoolingPower,
            "get_camera_roi" => Call::GetCameraRoi,
            "set_camera_roi" => Call::SetCameraRoi(arguments.roi("set_camera_roi")?),
            "get_binning" => Call::GetBinning,
            "set_binning" => Call::SetBinning(arguments.binning("set_binning", "binning")?),
            "get_gain" => Call::GetGain,
            "set_gain" => Call::SetGain(arguments.whole("set_gain", "gain")?),
            "get_offset" => Call::GetOffset,
            "set_offset" => Call::SetOffset(arguments.whole("set_offset", "offset")?),
            _ => Call::Vendor { name: name.to_owned(), params: params.clone() },
        })
    }
}

/// Makes the call: the one exhaustive match.
pub fn dispatch<C: Camera + ?Sized>(camera: &mut C, call: &Call) -> Result<Reply> {
    Ok(match call {
        Call::Scanning => Reply::Cameras(camera.scanning()?),
        Call::Connect(id) => Reply::Connected(Box::new(camera.connect(id)?)),
        Call::Disconnect => done(camera.disconnect()?),
        Call::Reconnect(id) => Reply::Connected(Box::new(camera.reconnect(id)?)),
        Call::Polling => Reply::Polled(camera.polling()?),
        Call::GetParameter(name) => Reply::Value(camera.get_parameter(name)?),
        Call::SetParameter(name, value) => Reply::Value(camera.set_parameter(name, value.clone())?),
        Call::StartExposure(request) => done(camera.start_exposure(request)?),
        Call::AbortExposure => done(camera.abort_exposure()?),
        Call::GetExposureStatus => Reply::Exposure(camera.get_exposure_status()?),
        Call::GetExposureResult => Reply::Frame(Box::new(camera.get_exposure_result()?)),
        Call::Cooling(on) => done(camera.cooling(*on)?),
        Call::CoolingTo(target) => done(camera.cooling_to(*target)?),
        Call::GetCoolingStatus => Reply::Cooling(camera.get_cooling_status()?),
        Call::GetCurrentTemperature => Reply::Temperature(camera.get_current_temperature()?),
        Call::GetCoolingPower => Reply::Power(camera.get_cooling_power()?),
        Call::GetCameraRoi => Reply::Roi(camera.get_camera_roi()?),
        Call::SetCameraRoi(roi) => Reply::Roi(camera.set_camera_roi(*roi)?),
        Call::GetBinning => Reply::Binning(camera.get_binning()?),
        Call::SetBinning(binning) => Reply::Binning(camera.set_binning(*binning)?),
        Call::GetGain => Reply::Gain(camera.get_gain()?),
        Call::SetGain(gain) => Reply::Gain(camera.set_gain(*gain)?),
        Call::GetOffset => Reply::Offset(camera.get_offset()?),
        Call::SetOffset(offset) => Reply::Offset(camera.set_offset(*offset)?),
        Call::Vendor { name, params } => camera.call(name, params)?,
    })
}

/// Makes one of the 24 documented calls by its name; anything else is not supported.
pub fn by_name<C: Camera + ?Sized>(camera: &mut C, name: &str, params: &Params) -> Result<Reply> {
    match Call::parse(name, params)? {
        Call::Vendor { name, .. } => Err(CameraError::new(
            ErrorKind::NotSupported,
            "call",
            format!("there is no function named {name}"),
        )),
        call => dispatch(camera, &call),
    }
}

fn done((): ()) -> Reply {
    Reply::Done
}

/// A camera exposes with what it is set to: settings for one exposure are the business of whoever asks.
fn request(params: &Params) -> Result<ExposureRequest> {
    let wish = ExposureWish::read(params)?;
    if wish != (ExposureWish { frame_type: wish.frame_type, ..ExposureWish::of(wish.exposure) }) {
        let rule = "a camera by itself takes exposure and frame_type: set the others before";
        return Err(invalid("start_exposure", rule));
    }
    let frame_type = wish.frame_type.unwrap_or(FrameType::Light);
    Ok(ExposureRequest::new(ExposureId(0), wish.duration()?, frame_type))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_names_but_the_last_are_calls() {
        for name in &NAMES[..24] {
            let vendor = |call: &Call| matches!(call, Call::Vendor { .. });
            assert!(!Call::parse(name, &Params::new()).is_ok_and(|call| vendor(&call)), "{name}");
        }
        assert!(matches!(Call::parse("call", &Params::new()), Ok(Call::Vendor { .. })));
    }
}
