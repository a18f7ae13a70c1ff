//! The calls of a camera, answered by [`Simulator`].

use super::abilities::{NAME, SERIAL};
use super::format;
use super::guide::Pulse;
use super::sensor::Recipe;
use super::session::Session;
use super::settings::{Changes, Vector};
use super::{Simulator, full};
use crate::camera::Camera;
use crate::camera::call::{self, Params, Reply};
use crate::camera::error::{CameraError, ErrorKind, Result};
use crate::camera::types::{
    Binning, CameraId, Capabilities, Celsius, CoolingStatus, ExposureRequest, ExposureStatus,
    FORMAT_PARAMETER, Frame, Percent, Roi, Value,
};

impl Camera for Simulator {
    fn scanning(&mut self) -> Result<Vec<CameraId>> {
        Ok(vec![CameraId {
            name: NAME.to_owned(),
            model: NAME.to_owned(),
            serial: Some(SERIAL.to_owned()),
            bus: None,
        }])
    }

    fn connect(&mut self, id: &CameraId) -> Result<Capabilities> {
        // Several simulators are told apart by a number after the name.
        if !id.name.starts_with(NAME) {
            let detail = format!("there is no camera named {}", id.name);
            return Err(CameraError::new(ErrorKind::InvalidValue, "connect", detail));
        }
        self.session.get_or_insert_with(|| Session::new(self.settings.sensor()));
        self.can("connect")
    }

    fn disconnect(&mut self) -> Result<()> {
        self.session = None;
        Ok(())
    }

    fn start_exposure(&mut self, request: &ExposureRequest) -> Result<()> {
        const CALL: &str = "start_exposure";
        let now = self.now();
        let session = self.connected(CALL)?;
        if session.is_exposing(now.elapsed) {
            return Err(CameraError::new(ErrorKind::Busy, CALL, "an exposure is running"));
        }
        self.can(CALL)?.check_exposure(request.duration)?;
        let (Roi { width, height, .. }, Binning { x, y }) = (self.roi, self.binning);
        if width < x || height < y {
            let detail = format!("no binned pixel of {x}×{y} fits a window of {width}×{height}");
            return Err(CameraError::new(ErrorKind::OutOfRange, CALL, detail));
        }
        let recipe = Recipe {
            frame_type: request.frame_type,
            duration: request.duration,
            roi: self.roi,
            binning: self.binning,
            gain: self.gain,
            offset: self.offset,
            temperature: self.cooler.temperature(now.elapsed),
        };
        let (scene, bits) = (self.settings.scene(), self.bits);
        self.connected(CALL)?.expose(now, scene, recipe, bits, request.cancel.clone())
    }

    fn abort_exposure(&mut self) -> Result<()> {
        self.connected("abort_exposure")?.abort();
        Ok(())
    }

    fn get_exposure_status(&mut self) -> Result<ExposureStatus> {
        let now = self.now().elapsed;
        self.connected("get_exposure_status")?.status(now)
    }

    fn get_exposure_result(&mut self) -> Result<Frame> {
        let now = self.now().elapsed;
        self.connected("get_exposure_result")?.result(now)
    }

    fn get_camera_roi(&mut self) -> Result<Roi> {
        self.connected("get_camera_roi")?;
        Ok(self.roi)
    }

    fn set_camera_roi(&mut self, roi: Roi) -> Result<Roi> {
        self.can("set_camera_roi")?.check_roi(roi)?;
        self.roi = roi;
        Ok(roi)
    }

    fn get_binning(&mut self) -> Result<Binning> {
        self.connected("get_binning")?;
        Ok(self.binning)
    }

    fn set_binning(&mut self, binning: Binning) -> Result<Binning> {
        self.can("set_binning")?.check_binning(binning)?;
        self.binning = binning;
        Ok(binning)
    }

    fn cooling(&mut self, on: bool) -> Result<()> {
        let now = self.now().elapsed;
        self.connected("cooling")?;
        self.cooler.switch(now, on);
        Ok(())
    }

    fn cooling_to(&mut self, target: Celsius) -> Result<()> {
        self.can("cooling_to")?.check_target(target)?;
        let now = self.now().elapsed;
        self.cooler.regulate_to(now, target);
        Ok(())
    }

    fn get_cooling_status(&mut self) -> Result<CoolingStatus> {
        self.connected("get_cooling_status")?;
        Ok(self.cooler.status())
    }

    fn get_current_temperature(&mut self) -> Result<Celsius> {
        self.connected("get_current_temperature")?;
        Ok(self.cooler.temperature(self.now().elapsed))
    }

    fn get_cooling_power(&mut self) -> Result<Percent> {
        self.connected("get_cooling_power")?;
        Ok(self.cooler.power(self.now().elapsed))
    }

    fn get_gain(&mut self) -> Result<i32> {
        self.connected("get_gain")?;
        Ok(self.gain)
    }

    fn set_gain(&mut self, gain: i32) -> Result<i32> {
        self.can("set_gain")?.check_gain(gain)?;
        self.gain = gain;
        Ok(gain)
    }

    fn get_offset(&mut self) -> Result<i32> {
        self.connected("get_offset")?;
        Ok(self.offset)
    }

    fn set_offset(&mut self, offset: i32) -> Result<i32> {
        self.can("set_offset")?.check_offset(offset)?;
        self.offset = offset;
        Ok(offset)
    }

    fn get_parameter(&mut self, name: &str) -> Result<Value> {
        if name == FORMAT_PARAMETER {
            let bits = self.bits;
            let formats = format::formats(self.connected("get_parameter")?.sensor());
            let set = formats.iter().find(|format| format.bits == bits).or(formats.first());
            return Ok(Value::Text(set.map(|format| format.name.clone()).unwrap_or_default()));
        }
        Ok(self.setting("get_parameter", name)?.0.get())
    }

    fn set_parameter(&mut self, name: &str, value: Value) -> Result<Value> {
        const CALL: &str = "set_parameter";
        if name == FORMAT_PARAMETER {
            let formats = format::formats(self.connected(CALL)?.sensor());
            let chosen = formats.iter().find(|format| Value::Text(format.name.clone()) == value);
            self.bits = chosen.map(|format| format.bits).ok_or_else(|| {
                let names: Vec<&str> = formats.iter().map(|format| format.name.as_str()).collect();
                let detail = format!("format takes one of {}", names.join(", "));
                CameraError::new(ErrorKind::InvalidValue, CALL, detail)
            })?;
            return Ok(value);
        }
        let (size, connected) = (self.settings.size(), self.session.is_some());
        let (vector, changes) = self.setting(CALL, name)?;
        if connected && changes == Changes::BeforeConnecting {
            let detail = format!("disconnect first: {name} describes the sensor");
            return Err(CameraError::new(ErrorKind::Busy, CALL, detail));
        }
        vector.set(&value)?;
        let value = vector.get();
        if self.settings.size() != size {
            // A window on another sensor means nothing on this one.
            self.roi = full(&self.settings);
        }
        Ok(value)
    }

    fn call(&mut self, name: &str, params: &Params) -> Result<Reply> {
        match name {
            "pulse_guide" => {
                let pulse = Pulse::read(params)?;
                let now = self.now().elapsed;
                self.connected("pulse_guide")?.guide(now, pulse);
                Ok(Reply::Done)
            }
            _ => call::by_name(self, name, params),
        }
    }
}

impl Simulator {
    fn setting(&mut self, call: &'static str, name: &str) -> Result<(&mut dyn Vector, Changes)> {
        self.settings.named(name).ok_or_else(|| {
            CameraError::new(ErrorKind::NotSupported, call, format!("there is no setting named {name}"))
        })
    }
}
