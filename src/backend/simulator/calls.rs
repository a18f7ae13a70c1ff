//! The calls of a camera, answered by [`Simulator`].

use super::abilities::{self, NAME, SERIAL};
use super::format;
use super::guide::{self, Mount, Pulse};
use super::model::Model;
use super::readout::Recipe;
use super::sensor::Sensor;
use super::session::{Plan, Session};
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
        let inherited = self.take_over(&id.name);
        let (now, settings) = (self.now().elapsed, &self.settings);
        let session = self.session.get_or_insert_with(|| {
            let sensor = Sensor::new(settings.model(), settings.seed());
            let capabilities = abilities::capabilities(&sensor, &settings.conditions());
            Session::new(sensor, capabilities, Mount::new(now, settings.light.tracking()), inherited)
        });
        Ok(session.capabilities().clone())
    }

    fn disconnect(&mut self) -> Result<()> {
        self.session = None;
        self.exposes_until = None;
        self.leave();
        Ok(())
    }

    fn start_exposure(&mut self, request: &ExposureRequest) -> Result<()> {
        const CALL: &str = "start_exposure";
        let now = self.now();
        let session = self.connected(CALL)?;
        if session.is_exposing(now.elapsed) {
            return Err(CameraError::exposing(CALL));
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
            cosmic_rays: self.settings.cosmic_rays(),
        };
        let Simulator { settings, bits, cooler, session: Some(session), .. } = self else {
            return Err(CameraError::not_connected(CALL));
        };
        let plan = Plan {
            scene: settings.scene(),
            outlook: session.look(now.elapsed, request.duration, &settings.light, settings.screen()),
            recipe,
            bits: *bits,
            thermometer: cooler.reading(now.elapsed),
            spare: request.spare.clone(),
        };
        session.expose(now, plan, request.cancel.clone())?;
        self.exposes_until = now.utc.checked_add(request.duration);
        self.leave();
        Ok(())
    }

    fn abort_exposure(&mut self) -> Result<()> {
        self.connected("abort_exposure")?.abort();
        self.exposes_until = None;
        self.leave();
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
        self.has("cooling", |can| can.cooler.is_some())?;
        self.cooler.switch(now, on);
        self.leave();
        Ok(())
    }

    fn cooling_to(&mut self, target: Celsius) -> Result<()> {
        self.can("cooling_to")?.check_target(target)?;
        let now = self.now().elapsed;
        self.cooler.regulate_to(now, target);
        self.leave();
        Ok(())
    }

    fn get_cooling_status(&mut self) -> Result<CoolingStatus> {
        self.has("get_cooling_status", |can| can.cooler.is_some())?;
        Ok(self.cooler.status())
    }

    fn get_current_temperature(&mut self) -> Result<Celsius> {
        const CALL: &str = "get_current_temperature";
        self.connected(CALL)?;
        let reading = self.cooler.reading(self.now().elapsed);
        reading.ok_or_else(|| CameraError::new(ErrorKind::Hardware, CALL, "the thermometer does not answer"))
    }

    fn get_cooling_power(&mut self) -> Result<Percent> {
        self.has("get_cooling_power", |can| can.cooler.is_some())?;
        Ok(self.cooler.power(self.now().elapsed))
    }

    fn get_gain(&mut self) -> Result<i32> {
        self.has("get_gain", |can| can.gain.is_some())?;
        Ok(self.gain)
    }

    fn set_gain(&mut self, gain: i32) -> Result<i32> {
        self.can("set_gain")?.check_gain(gain)?;
        self.gain = gain;
        Ok(gain)
    }

    fn get_offset(&mut self) -> Result<i32> {
        self.has("get_offset", |can| can.offset.is_some())?;
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
        let (connected, before) = (self.session.is_some(), self.settings.model());
        let (vector, changes) = self.setting(CALL, name)?;
        if connected && changes == Changes::BeforeConnecting {
            let detail = format!("disconnect first: {name} describes the sensor");
            return Err(CameraError::new(ErrorKind::Busy, CALL, detail));
        }
        vector.set(&value)?;
        let value = vector.get();
        self.adopt(&before);
        Ok(value)
    }

    fn call(&mut self, name: &str, params: &Params) -> Result<Reply> {
        match name {
            guide::CALL => {
                let pulse = Pulse::read(params)?;
                let now = self.now().elapsed;
                self.connected(guide::CALL)?.guide(now, pulse);
                Ok(Reply::Done)
            }
            _ => call::by_name(self, name, params),
        }
    }
}

impl Simulator {
    fn setting(&mut self, call: &'static str, name: &str) -> Result<(&mut dyn Vector, Changes)> {
        self.settings.named(name).ok_or_else(|| CameraError::no_setting(call, name))
    }

    /// Follows the settings, which described another sensor `before`: what was set on that means nothing on this one.
    fn adopt(&mut self, before: &Model) {
        let (now, conditions) = (self.now().elapsed, self.settings.conditions());
        if self.session.is_some() || self.cooler.status().on {
            self.cooler.adapt(now, conditions);
        } else {
            self.cooler.rest(conditions);
        }
        let model = self.settings.model();
        if full(&model) != full(before) {
            self.roi = full(&model);
        }
        if (model.gain, model.offset) != (before.gain, before.offset) {
            (self.gain, self.offset) = (model.gain.first, model.offset.first);
        }
    }

    /// What the connected camera has published.
    fn can(&mut self, call: &'static str) -> Result<&Capabilities> {
        Ok(self.connected(call)?.capabilities())
    }

    /// Sees that the connected camera has what the call is about.
    fn has(&mut self, call: &'static str, what: fn(&Capabilities) -> bool) -> Result<()> {
        if what(self.can(call)?) { Ok(()) } else { Err(CameraError::not_supported(call)) }
    }
}
