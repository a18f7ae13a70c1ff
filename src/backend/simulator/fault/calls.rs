//! The calls of a camera with faults: passed on, unless something goes wrong.

use std::time::Duration;

use rand::RngExt;

use super::super::noise;
use super::hardware::{End, Hardware};
use super::script::{Fault, Kind};
use super::settings::Settings;
use super::{Faulty, INJECT, Spoilt, damage, now};
use crate::camera::call::{Call, Params, Reply, dispatch};
use crate::camera::error::{CameraError, ErrorKind, Result};
use crate::camera::types::{
    Binning, CameraId, CameraStatus, Capabilities, Celsius, CoolingStatus, ExposureRequest, ExposureStatus,
    Frame, Percent, Roi, Value,
};
use crate::camera::{Camera, status_of};

/// What an exposure that never ends says to be left of it.
const LEFT: Duration = Duration::from_millis(100);
/// Where a read-out stalls.
const HALF_WAY: Percent = 50.0;
/// What broken thermometers say.
const READINGS: [Celsius; 5] = [f64::NAN, 1e6, -1e6, f64::INFINITY, f64::NEG_INFINITY];

impl Camera for Faulty {
    fn scanning(&mut self) -> Result<Vec<CameraId>> {
        self.meet("scanning")?;
        self.camera.scanning()
    }

    fn connect(&mut self, id: &CameraId) -> Result<Capabilities> {
        // Only a camera that is there has faults.
        let capabilities = self.camera.connect(id)?;
        let hardware = Hardware::of(&id.name);
        if self.hardware.is_none() {
            hardware.ask_again(self.settings.fault()?);
        }
        self.hardware = Some(hardware);
        match self.meet("connect") {
            Ok(_) => Ok(capabilities),
            Err(error) => {
                self.camera.disconnect()?;
                Err(error)
            }
        }
    }

    fn disconnect(&mut self) -> Result<()> {
        self.spoilt = None;
        // A camera that is away is closed already.
        match self.meet("disconnect") {
            Err(error) if error.kind != ErrorKind::Disconnected => Err(error),
            _ => self.camera.disconnect(),
        }
    }

    fn start_exposure(&mut self, request: &ExposureRequest) -> Result<()> {
        const CALL: &str = "start_exposure";
        let fired = self.meet(CALL)?;
        if self.is_stuck() {
            return Err(CameraError::exposing(CALL));
        }
        self.camera.start_exposure(request)?;
        let spoils = |fault: Fault| {
            let lasts = fault.lasts.map(|lasts| lasts.saturating_add(request.duration));
            Spoilt { until: End::after(lasts, now()), fault }
        };
        self.spoilt = fired.into_iter().find(|fault| fault.kind.spoils_exposure()).map(spoils);
        Ok(())
    }

    fn abort_exposure(&mut self) -> Result<()> {
        self.meet("abort_exposure")?;
        self.spoilt = None;
        self.camera.abort_exposure()
    }

    fn get_exposure_status(&mut self) -> Result<ExposureStatus> {
        self.meet("get_exposure_status")?;
        let status = self.camera.get_exposure_status()?;
        Ok(match (self.hindrance(), status) {
            (Some(Kind::NeverEnds), ExposureStatus::Exposing { left }) => {
                ExposureStatus::Exposing { left: left.max(LEFT) }
            }
            (Some(Kind::NeverEnds), ExposureStatus::Reading { .. } | ExposureStatus::Ready) => {
                ExposureStatus::Exposing { left: LEFT }
            }
            (Some(Kind::ReadOutStalls), ExposureStatus::Reading { .. } | ExposureStatus::Ready) => {
                ExposureStatus::Reading { done: Some(HALF_WAY) }
            }
            (_, status) => status,
        })
    }

    fn get_exposure_result(&mut self) -> Result<Frame> {
        const CALL: &str = "get_exposure_result";
        self.meet(CALL)?;
        if self.is_stuck() {
            return Err(CameraError::new(ErrorKind::NoFrame, CALL, "the frame is not ready yet"));
        }
        let mut frame = self.camera.get_exposure_result()?;
        frame.info.temperature = self.reading.or(frame.info.temperature);
        Ok(match self.spoilt.take() {
            Some(Spoilt { fault, .. }) => damage::damaged(frame, fault.kind, fault.seed),
            None => frame,
        })
    }

    fn get_camera_roi(&mut self) -> Result<Roi> {
        self.meet("get_camera_roi")?;
        self.camera.get_camera_roi()
    }

    fn set_camera_roi(&mut self, roi: Roi) -> Result<Roi> {
        self.meet("set_camera_roi")?;
        self.camera.set_camera_roi(roi)
    }

    fn get_binning(&mut self) -> Result<Binning> {
        self.meet("get_binning")?;
        self.camera.get_binning()
    }

    fn set_binning(&mut self, binning: Binning) -> Result<Binning> {
        self.meet("set_binning")?;
        self.camera.set_binning(binning)
    }

    fn cooling(&mut self, on: bool) -> Result<()> {
        self.meet("cooling")?;
        self.restore_power();
        if let Some(cut) = &mut self.power_cut {
            cut.says.on = on;
            return Ok(());
        }
        self.camera.cooling(on)
    }

    fn cooling_to(&mut self, target: Celsius) -> Result<()> {
        self.meet("cooling_to")?;
        self.restore_power();
        self.camera.cooling_to(target)?;
        if let Some(cut) = &mut self.power_cut {
            cut.says = CoolingStatus { on: true, target: Some(target) };
            self.camera.cooling(false)?;
        }
        Ok(())
    }

    fn get_cooling_status(&mut self) -> Result<CoolingStatus> {
        self.meet("get_cooling_status")?;
        self.restore_power();
        let status = self.camera.get_cooling_status()?;
        Ok(self.power_cut.as_ref().map_or(status, |cut| cut.says))
    }

    fn get_current_temperature(&mut self) -> Result<Celsius> {
        let fired = self.meet("get_current_temperature")?;
        self.restore_power();
        self.readings += 1;
        let broken = fired.iter().find(|fault| fault.kind == Kind::TemperatureGarbage);
        self.reading = broken.map(|fault| {
            let mut random = noise::stream(fault.seed, self.readings, 0);
            READINGS[random.random_range(0..READINGS.len())]
        });
        let true_one = self.camera.get_current_temperature()?;
        Ok(self.reading.unwrap_or(true_one))
    }

    fn get_cooling_power(&mut self) -> Result<Percent> {
        let fired = self.meet("get_cooling_power")?;
        self.restore_power();
        if let Some(fault) = fired.iter().find(|fault| fault.kind == Kind::CoolerPowerLost) {
            self.cut_power(fault.lasts)?;
        }
        self.camera.get_cooling_power()
    }

    fn get_gain(&mut self) -> Result<i32> {
        self.meet("get_gain")?;
        self.camera.get_gain()
    }

    fn set_gain(&mut self, gain: i32) -> Result<i32> {
        self.meet("set_gain")?;
        self.camera.set_gain(gain)
    }

    fn get_offset(&mut self) -> Result<i32> {
        self.meet("get_offset")?;
        self.camera.get_offset()
    }

    fn set_offset(&mut self, offset: i32) -> Result<i32> {
        self.meet("set_offset")?;
        self.camera.set_offset(offset)
    }

    fn get_parameter(&mut self, name: &str) -> Result<Value> {
        if let Some(vector) = self.settings.named(name) {
            return Ok(vector.get());
        }
        self.meet("get_parameter")?;
        self.camera.get_parameter(name)
    }

    fn set_parameter(&mut self, name: &str, value: Value) -> Result<Value> {
        let mut settings = self.settings.clone();
        let Some(vector) = settings.named(name) else {
            self.meet("set_parameter")?;
            return self.camera.set_parameter(name, value);
        };
        vector.set(&value)?;
        let value = vector.get();
        let fault = settings.fault()?;
        self.settings = settings;
        if let Some(hardware) = self.hardware.clone() {
            match fault {
                Some(fault) => hardware.ask(Some(fault)),
                None if Settings::is_kind(name) => {
                    hardware.ask(None);
                    self.mend();
                }
                // When something would go wrong, if anything did.
                None => {}
            }
        }
        Ok(value)
    }

    fn reconnect(&mut self, id: &CameraId) -> Result<Capabilities> {
        self.meet("reconnect")?;
        self.disconnect()?;
        self.connect(id)
    }

    fn polling(&mut self) -> Result<CameraStatus> {
        self.meet("polling")?;
        status_of(self)
    }

    fn call(&mut self, name: &str, params: &Params) -> Result<Reply> {
        if name == INJECT {
            return self.inject(params);
        }
        match Call::parse(name, params)? {
            Call::Vendor { .. } => {
                self.meet_by_name(name, "call")?;
                self.camera.call(name, params)
            }
            call => dispatch(self, &call),
        }
    }
}
