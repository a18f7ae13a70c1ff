//! The 25 calls as plain data: queued to the camera thread, logged, replayed in tests.
//!
//! Trait, [`Call`] and [`dispatch`] are the only three places that list the calls.

use std::time::Duration;

use super::Camera;
use super::error::{CameraError, ErrorKind, Result};
use super::types::{
    Binning, CameraId, CameraStatus, Cancel, Capabilities, Celsius, CoolingStatus, ExposureId,
    ExposureRequest, ExposureStatus, Frame, FrameType, Percent, Roi, Value,
};

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
#[derive(Debug, PartialEq)]
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
            "start_exposure" => Call::StartExposure(arguments.exposure()?),
            "abort_exposure" => Call::AbortExposure,
            "get_exposure_status" => Call::GetExposureStatus,
            "get_exposure_result" => Call::GetExposureResult,
            "cooling" => match arguments.get("cooling", "enable")? {
                Value::Bool(on) => Call::Cooling(*on),
                _ => return Err(invalid("cooling", "enable takes true or false")),
            },
            "cooling_to" => Call::CoolingTo(arguments.number("cooling_to", "temperature")?),
            "get_cooling_status" => Call::GetCoolingStatus,
            "get_current_temperature" => Call::GetCurrentTemperature,
            "get_cooling_power" => Call::GetCoolingPower,
            "get_camera_roi" => Call::GetCameraRoi,
            "set_camera_roi" => Call::SetCameraRoi(Roi {
                x: arguments.whole("set_camera_roi", "start_x")?,
                y: arguments.whole("set_camera_roi", "start_y")?,
                width: arguments.whole("set_camera_roi", "width")?,
                height: arguments.whole("set_camera_roi", "height")?,
            }),
            "get_binning" => Call::GetBinning,
            "set_binning" => Call::SetBinning(Binning {
                x: arguments.whole("set_binning", "x")?,
                y: arguments.whole("set_binning", "y")?,
            }),
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

fn invalid(call: &'static str, detail: impl Into<String>) -> CameraError {
    CameraError::new(ErrorKind::InvalidValue, call, detail)
}

/// Arguments by name, checked for kind. A backend reads those of its own functions with it.
pub struct Arguments<'a> {
    params: &'a Params,
}

impl<'a> Arguments<'a> {
    /// Of one call.
    #[must_use]
    pub fn of(params: &'a Params) -> Self {
        Arguments { params }
    }

    fn find(&self, name: &str) -> Option<&'a Value> {
        self.params.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    fn get(&self, call: &'static str, name: &str) -> Result<&'a Value> {
        self.find(name).ok_or_else(|| invalid(call, format!("{name} is missing")))
    }

    /// A text that must be there.
    pub fn text(&self, call: &'static str, name: &str) -> Result<String> {
        match self.get(call, name)? {
            Value::Text(text) => Ok(text.clone()),
            _ => Err(invalid(call, format!("{name} takes a text"))),
        }
    }

    /// A finite number that must be there.
    pub fn number(&self, call: &'static str, name: &str) -> Result<f64> {
        match self.get(call, name)? {
            Value::Number(number) if number.is_finite() => Ok(*number),
            _ => Err(invalid(call, format!("{name} takes a finite number"))),
        }
    }

    fn whole<T: TryFrom<i64>>(&self, call: &'static str, name: &str) -> Result<T> {
        let number = self.number(call, name)?;
        if number.fract() != 0.0 {
            return Err(invalid(call, format!("{name} takes a whole number, not {number}")));
        }
        #[expect(clippy::cast_possible_truncation, reason = "saturates far outside what any T takes")]
        let whole = number as i64;
        T::try_from(whole).map_err(|_out_of_range| {
            CameraError::new(ErrorKind::OutOfRange, call, format!("{name} cannot be {number}"))
        })
    }

    fn camera(&self, call: &'static str) -> Result<CameraId> {
        let name = self.text(call, "device_name")?;
        Ok(CameraId { model: name.clone(), name, serial: None, bus: None })
    }

    fn exposure(&self) -> Result<ExposureRequest> {
        const CALL: &str = "start_exposure";
        let seconds = self.number(CALL, "exposure")?;
        let duration = Duration::try_from_secs_f64(seconds).map_err(|error| {
            CameraError::new(ErrorKind::OutOfRange, CALL, format!("exposure cannot be {seconds} s ({error})"))
        })?;
        let frame_type = match self.find("frame_type") {
            None => FrameType::Light,
            Some(Value::Text(word)) => match word.as_str() {
                "light" => FrameType::Light,
                "bias" => FrameType::Bias,
                "dark" => FrameType::Dark,
                "flat" => FrameType::Flat,
                _ => {
                    return Err(invalid(
                        CALL,
                        format!("frame_type takes light, bias, dark or flat, not {word}"),
                    ));
                }
            },
            Some(_) => return Err(invalid(CALL, "frame_type takes light, bias, dark or flat")),
        };
        Ok(ExposureRequest { id: ExposureId(0), duration, frame_type, cancel: Cancel::default() })
    }
}
