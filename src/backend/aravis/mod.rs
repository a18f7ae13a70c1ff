//! GigE Vision and USB3 Vision: industrial cameras that describe themselves by GenICam, through the library Aravis.
//!
//! Cameras of the network are found by asking it (`discovery`), or at the addresses that the user gives (`places`); those
//! on the USB the library finds (`usb`). All are known by vendor, model and serial number (`find`). A camera obeys one
//! program at a time, and is left as it was found (`device`). What a feature is called differs from camera to camera
//! (`feature`); windows and pixels go by the camera's own steps and formats (`window`, `pixel`).
//!
//! A single frame is had by a command (software trigger). Who asks for one short exposure after the other gets them from
//! a camera that runs freely, at the rate that ARAVIS_FRAME_RATE says where the camera has such a setting. A frame of
//! which packets were lost is never delivered: it is taken again while there is time (`exposure`).
//!
//! The library's own calls wait seconds for a camera that is gone. Whether it is there is found out beside them, without
//! waiting, so that an unplugged camera is a lost camera soon. No lock is held while a camera is asked.
//!
//! Read [`Aravis`] first.

use std::collections::HashSet;
use std::net::Ipv4Addr;

mod acquisition;
mod device;
mod discovery;
mod exposure;
mod facts;
mod fault;
mod feature;
mod find;
mod geometry;
mod open;
mod pixel;
mod places;
mod usb;
mod window;

use self::fault::failed;
use self::open::{Open, Wanted};
use self::places::Places;
use super::clock::{now, utc};
use super::{Addresses, Backend};
use crate::camera::error::{CameraError, ErrorKind, Result};
use crate::camera::types::{
    ADDRESSES_PARAMETER, Binning, CONTROL_VALUE, CameraId, CameraStatus, Capabilities, Celsius, ControlKind,
    ExposureRequest, ExposureStatus, FORMAT_PARAMETER, Frame, Roi, Value,
};
use crate::camera::{Camera, status_of};

/// Aravis among the backends.
pub const BACKEND: Backend = Backend {
    name: "aravis",
    label: "Camera GigE",
    hardware: true,
    guides: false,
    skeleton: None,
    addresses: Some(Addresses { element: "GIGE", variable: ADDRESSES_VARIABLE }),
    nodes: None,
    complaints: Vec::new,
    create: || Box::new(Aravis::new()),
};

/// Addresses of cameras, as the user's environment gives them.
const ADDRESSES_VARIABLE: &str = "INDI_CAMERA_GIGE";
/// The setting for a free run, images a second.
const FRAME_RATE: &str = "ARAVIS_FRAME_RATE";

/// A camera behind Aravis.
pub struct Aravis {
    /// From the environment, and from whoever looks for cameras through us.
    places: Places,
    told: Places,
    /// Addresses that are known to be silent: that is said once.
    silent: HashSet<Ipv4Addr>,
    /// Outlives a connection.
    wanted: Wanted,
    open: Option<Open>,
}

impl Aravis {
    /// A camera that is not connected yet.
    #[must_use]
    pub fn new() -> Self {
        let places = Places::of_variable(ADDRESSES_VARIABLE);
        let (told, wanted) = (Places::default(), Wanted::default());
        Aravis { places, told, silent: HashSet::new(), wanted, open: None }
    }

    fn opened(&mut self, call: &'static str) -> Result<&mut Open> {
        self.open.as_mut().ok_or_else(|| CameraError::not_connected(call))
    }

    /// The open camera, if it is there and does nothing: whatever it is told is for the next exposure only.
    fn idle(&mut self, call: &'static str) -> Result<&mut Open> {
        let open = self.opened(call)?;
        open.is_here(call)?;
        open.is_idle(call)?;
        Ok(open)
    }

    fn can(&mut self, call: &'static str) -> Result<&Capabilities> {
        Ok(&self.opened(call)?.facts.can)
    }

    fn set_rate(&mut self, value: &Value) -> Result<Value> {
        const CALL: &str = "set_parameter";
        let control = self.can(CALL)?.controls.iter().find(|control| control.name == FRAME_RATE);
        let Some(ControlKind::Number(range)) = control.map(|control| control.kind.clone()) else {
            return Err(CameraError::no_setting(CALL, FRAME_RATE));
        };
        let rate = match value {
            Value::Record(fields) => match fields.as_slice() {
                [(name, Value::Number(rate))] if name == CONTROL_VALUE && rate.is_finite() => *rate,
                _ => return Err(invalid(format!("{FRAME_RATE} takes a finite number"))),
            },
            _ => return Err(invalid(format!("{FRAME_RATE} takes a finite number"))),
        };
        if !(range.min..=range.max).contains(&rate) {
            let detail = format!("{FRAME_RATE} takes {} to {}, not {rate}", range.min, range.max);
            return Err(CameraError::new(ErrorKind::OutOfRange, CALL, detail));
        }
        let set = self.idle(CALL)?.set_frame_rate(rate).map_err(|error| failed(CALL, error))?;
        set.ok_or_else(|| CameraError::no_setting(CALL, FRAME_RATE))
    }
}

impl Default for Aravis {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Aravis {
    fn drop(&mut self) {
        if let Some(open) = self.open.take() {
            open.close();
        }
    }
}

impl Camera for Aravis {
    fn scanning(&mut self) -> Result<Vec<CameraId>> {
        Ok(self.search().into_iter().map(|found| found.camera).collect())
    }

    fn connect(&mut self, id: &CameraId) -> Result<Capabilities> {
        const CALL: &str = "connect";
        if let Some(open) = &self.open {
            if open.id.name == id.name {
                return Ok(open.facts.can.clone());
            }
            let detail = format!("disconnect {} first", open.id.name);
            return Err(CameraError::new(ErrorKind::Busy, CALL, detail));
        }
        let found = self.find(id)?;
        let open = Open::new(&found, &self.wanted)?;
        Ok(self.open.insert(open).facts.can.clone())
    }

    fn disconnect(&mut self) -> Result<()> {
        if let Some(open) = self.open.take() {
            open.close();
        }
        Ok(())
    }

    fn start_exposure(&mut self, request: &ExposureRequest) -> Result<()> {
        const CALL: &str = "start_exposure";
        self.can(CALL)?.check_exposure(request.duration)?;
        let open = self.opened(CALL)?;
        let (Roi { width, height, .. }, Binning { x, y }) = (open.roi, open.binning);
        if width < x || height < y {
            let detail = format!("no binned pixel of {x}×{y} fits a window of {width}×{height}");
            return Err(CameraError::new(ErrorKind::OutOfRange, CALL, detail));
        }
        open.start(request)
    }

    fn abort_exposure(&mut self) -> Result<()> {
        self.opened("abort_exposure")?.abort();
        Ok(())
    }

    fn get_exposure_status(&mut self) -> Result<ExposureStatus> {
        self.opened("get_exposure_status")?.status()
    }

    fn get_exposure_result(&mut self) -> Result<Frame> {
        let frame = self.opened("get_exposure_result")?.take_result();
        frame.ok_or_else(CameraError::no_frame)
    }

    fn get_camera_roi(&mut self) -> Result<Roi> {
        Ok(self.opened("get_camera_roi")?.roi)
    }

    fn set_camera_roi(&mut self, roi: Roi) -> Result<Roi> {
        const CALL: &str = "set_camera_roi";
        self.can(CALL)?.check_roi(roi)?;
        let open = self.idle(CALL)?;
        open.change_geometry(roi, open.binning).map_err(|error| failed(CALL, error))?;
        let granted = open.roi;
        self.wanted.roi = Some(roi);
        Ok(granted)
    }

    fn get_binning(&mut self) -> Result<Binning> {
        Ok(self.opened("get_binning")?.binning)
    }

    fn set_binning(&mut self, binning: Binning) -> Result<Binning> {
        const CALL: &str = "set_binning";
        self.can(CALL)?.check_binning(binning)?;
        let open = self.idle(CALL)?;
        open.change_geometry(open.asked, binning).map_err(|error| failed(CALL, error))?;
        let granted = open.binning;
        self.wanted.binning = Some(binning);
        Ok(granted)
    }

    fn get_current_temperature(&mut self) -> Result<Celsius> {
        const CALL: &str = "get_current_temperature";
        let open = self.opened(CALL)?;
        if !open.facts.can.thermometer {
            return Err(CameraError::not_supported(CALL));
        }
        open.is_here(CALL)?;
        let read = open.read_temperature().map_err(|error| failed(CALL, error))?;
        read.ok_or_else(|| CameraError::new(ErrorKind::Hardware, CALL, "the thermometer shows no number"))
    }

    fn get_gain(&mut self) -> Result<i32> {
        self.opened("get_gain")?.gain.ok_or_else(|| CameraError::not_supported("get_gain"))
    }

    fn set_gain(&mut self, gain: i32) -> Result<i32> {
        const CALL: &str = "set_gain";
        self.can(CALL)?.check_gain(gain)?;
        let set = self.idle(CALL)?.set_gain(gain).map_err(|error| failed(CALL, error))?;
        self.wanted.gain = set;
        set.ok_or_else(|| CameraError::not_supported(CALL))
    }

    fn get_offset(&mut self) -> Result<i32> {
        self.opened("get_offset")?.offset.ok_or_else(|| CameraError::not_supported("get_offset"))
    }

    fn set_offset(&mut self, offset: i32) -> Result<i32> {
        const CALL: &str = "set_offset";
        self.can(CALL)?.check_offset(offset)?;
        let set = self.idle(CALL)?.set_offset(offset).map_err(|error| failed(CALL, error))?;
        self.wanted.offset = set;
        set.ok_or_else(|| CameraError::not_supported(CALL))
    }

    fn get_parameter(&mut self, name: &str) -> Result<Value> {
        const CALL: &str = "get_parameter";
        match name {
            ADDRESSES_PARAMETER => Ok(Value::Text(self.told.to_string())),
            FORMAT_PARAMETER => Ok(Value::Text(self.opened(CALL)?.form.name.to_owned())),
            FRAME_RATE => {
                let rate = self.opened(CALL)?.frame_rate().map_err(|error| failed(CALL, error))?;
                rate.ok_or_else(|| CameraError::no_setting(CALL, name))
            }
            _ => Err(CameraError::no_setting(CALL, name)),
        }
    }

    fn set_parameter(&mut self, name: &str, value: Value) -> Result<Value> {
        const CALL: &str = "set_parameter";
        match name {
            ADDRESSES_PARAMETER => {
                let Value::Text(list) = &value else { return Err(invalid(format!("{name} takes a text"))) };
                self.told = list.parse().map_err(invalid)?;
                Ok(value)
            }
            FORMAT_PARAMETER => {
                let open = self.opened(CALL)?;
                open.set_form(&value)?;
                self.wanted.form = Some(open.form);
                Ok(value)
            }
            FRAME_RATE => self.set_rate(&value),
            _ => Err(CameraError::no_setting(CALL, name)),
        }
    }

    /// A camera that is exposing may not answer for as long as it does; what it was before is good enough.
    fn polling(&mut self) -> Result<CameraStatus> {
        let open = self.opened("polling")?;
        if open.is_exposing() {
            let (exposure, temperature) = (open.known(), open.temperature);
            return Ok(CameraStatus { exposure, cooling: None, temperature, power: None });
        }
        status_of(self)
    }
}

fn invalid(detail: String) -> CameraError {
    CameraError::new(ErrorKind::InvalidValue, "set_parameter", detail)
}
