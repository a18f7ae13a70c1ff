//! ASCOM Alpaca: cameras that a server somewhere on the network offers, by HTTP.
//!
//! Servers are found by asking the network (`discovery`), or at the addresses that the user gives (`places`), and
//! say which cameras they have (`scan`). A camera is known by its unique identity, so it is found again when its server
//! has moved. An open camera (`session`) is asked and told by property (`api`), one request after the other on one
//! connection (`http`); only what takes long has a thread and a connection of its own: a frame on its way (`download`) and
//! a guide pulse (`pulse`).
//!
//! Alpaca counts windows in binned pixels (`window`) and sends frames column by column (`image`). Whatever fails becomes one
//! sentence and a code in `fault`: a server that is gone, or that was started anew, is a lost camera, and the device above
//! opens it again.
//!
//! Read [`Alpaca`] first.

use std::collections::HashSet;
use std::time::Duration;

mod api;
mod discovery;
mod download;
mod exposure;
mod facts;
mod fault;
mod find;
mod http;
#[cfg(test)]
mod http_tests;
mod image;
mod parameters;
mod places;
mod pulse;
mod scan;
mod session;
#[doc(hidden)]
pub mod untrusted;
mod window;

use self::fault::Fault;
use self::places::{Place, Places};
use self::pulse::Pulse;
use self::session::{Control, Session, Wanted};
use super::clock::{now, utc};
use super::{Addresses, Backend};
use crate::camera::Camera;
use crate::camera::call::{self, Arguments, Params, Reply};
use crate::camera::error::{CameraError, ErrorKind, Result};
use crate::camera::types::{
    Binning, CameraId, CameraStatus, Capabilities, Celsius, CoolingStatus, ExposureRequest, ExposureStatus,
    Frame, Percent, Roi, Value,
};

/// Alpaca among the backends.
pub const BACKEND: Backend = Backend {
    name: "alpaca",
    label: "Camera Alpaca",
    hardware: true,
    // Nobody knows before a camera is connected, and what is not offered then is never offered.
    guides: true,
    skeleton: None,
    addresses: Some(Addresses { element: "ALPACA", variable: ADDRESSES_VARIABLE }),
    nodes: None,
    complaints: Vec::new,
    create: || Box::new(Alpaca::new()),
};

/// Addresses to search, as the user's environment gives them.
const ADDRESSES_VARIABLE: &str = "INDI_CAMERA_ALPACA";

/// For all requests that one call makes. The device gives up a camera thread that needs longer than 10 s.
const CALL: Duration = Duration::from_secs(8);
/// The same for an abort, which the device waits for 8 s, and which may have to wait for a look at the exposure first.
const ABORT: Duration = Duration::from_secs(5);

/// A camera of an Alpaca server.
pub struct Alpaca {
    /// From the environment, and from whoever looks for cameras through us.
    places: Places,
    told: Places,
    /// What the last search found, for those who know a camera by its name only.
    known: Vec<CameraId>,
    /// Places that are known to be silent: that is said once.
    silent: HashSet<Place>,
    /// Outlives a connection.
    wanted: Wanted,
    /// Present while connected.
    session: Option<Session>,
}

impl Alpaca {
    /// A camera that is not connected yet.
    #[must_use]
    pub fn new() -> Self {
        Alpaca {
            places: Places::of_variable(ADDRESSES_VARIABLE),
            told: Places::default(),
            known: Vec::new(),
            silent: HashSet::new(),
            wanted: Wanted::default(),
            session: None,
        }
    }

    fn connected(&mut self, call: &'static str) -> Result<&mut Session> {
        self.session.as_mut().ok_or_else(|| CameraError::not_connected(call))
    }

    /// The open camera, when it is not exposing: whatever it is told is for the next exposure only.
    fn idle(&mut self, call: &'static str) -> Result<&mut Session> {
        let session = self.connected(call)?;
        if session.is_exposing() {
            return Err(CameraError::exposing(call));
        }
        Ok(session)
    }

    /// The abilities of the open camera.
    fn can(&mut self, call: &'static str) -> Result<&Capabilities> {
        Ok(&self.connected(call)?.facts.can)
    }

    fn get(&mut self, call: &'static str, control: Control) -> Result<i32> {
        let session = self.connected(call)?;
        if !session.has(control) {
            return Err(CameraError::not_supported(call));
        }
        asked(session, call, |session| session.get(control))
    }

    fn set(&mut self, call: &'static str, control: Control, value: i32) -> Result<i32> {
        let session = self.idle(call)?;
        asked(session, call, |session| session.set(control, value))
    }
}

impl Default for Alpaca {
    fn default() -> Self {
        Self::new()
    }
}

/// Has an open camera do something, within the time of one call.
fn asked<T>(
    session: &mut Session,
    call: &'static str,
    work: impl FnOnce(&mut Session) -> std::result::Result<T, Fault>,
) -> Result<T> {
    session.api.begin(CALL);
    work(session).map_err(|fault| {
        // While a camera exposes, its exposure knows how long there is hope; a lost camera would end it.
        let is_hope = fault.is_gap() && session.is_exposing();
        let fault = if is_hope { Fault::Slow(CALL) } else { fault };
        fault.of(call, session.api.address())
    })
}

impl Camera for Alpaca {
    fn scanning(&mut self) -> Result<Vec<CameraId>> {
        Ok(self.search())
    }

    fn connect(&mut self, id: &CameraId) -> Result<Capabilities> {
        self.open(id)
    }

    fn disconnect(&mut self) -> Result<()> {
        if let Some(session) = self.session.take() {
            session.close();
        }
        Ok(())
    }

    fn start_exposure(&mut self, request: &ExposureRequest) -> Result<()> {
        const CALL: &str = "start_exposure";
        self.idle(CALL)?;
        self.can(CALL)?.check_exposure(request.duration)?;
        let session = self.connected(CALL)?;
        let (Roi { width, height, .. }, Binning { x, y }) = (session.roi(), session.binning());
        if width < x || height < y {
            let detail = format!("no binned pixel of {x}×{y} fits a window of {width}×{height}");
            return Err(CameraError::new(ErrorKind::OutOfRange, CALL, detail));
        }
        asked(session, CALL, |session| session.start(request))
    }

    fn abort_exposure(&mut self) -> Result<()> {
        const CALL: &str = "abort_exposure";
        asked(self.connected(CALL)?, CALL, |session| {
            session.api.begin(ABORT);
            session.abort()
        })
    }

    fn get_exposure_status(&mut self) -> Result<ExposureStatus> {
        asked(self.connected("get_exposure_status")?, "get_exposure_status", Session::status)
    }

    fn get_exposure_result(&mut self) -> Result<Frame> {
        let frame = self.connected("get_exposure_result")?.take_frame();
        frame.ok_or_else(CameraError::no_frame)
    }

    fn get_camera_roi(&mut self) -> Result<Roi> {
        Ok(self.connected("get_camera_roi")?.roi())
    }

    fn set_camera_roi(&mut self, roi: Roi) -> Result<Roi> {
        const CALL: &str = "set_camera_roi";
        self.can(CALL)?.check_roi(roi)?;
        let granted = asked(self.idle(CALL)?, CALL, |session| session.set_roi(roi))?;
        self.wanted.roi = Some(roi);
        Ok(granted)
    }

    fn get_binning(&mut self) -> Result<Binning> {
        Ok(self.connected("get_binning")?.binning())
    }

    fn set_binning(&mut self, binning: Binning) -> Result<Binning> {
        const CALL: &str = "set_binning";
        self.can(CALL)?.check_binning(binning)?;
        let granted = asked(self.idle(CALL)?, CALL, |session| session.set_binning(binning))?;
        self.wanted.binning = Some(binning);
        Ok(granted)
    }

    fn cooling(&mut self, on: bool) -> Result<()> {
        const CALL: &str = "cooling";
        if self.can(CALL)?.cooler.is_none() {
            return Err(CameraError::not_supported(CALL));
        }
        asked(self.connected(CALL)?, CALL, |session| session.switch_cooler(on))
    }

    fn cooling_to(&mut self, target: Celsius) -> Result<()> {
        const CALL: &str = "cooling_to";
        self.can(CALL)?.check_target(target)?;
        asked(self.connected(CALL)?, CALL, |session| session.cool_to(target))
    }

    fn get_cooling_status(&mut self) -> Result<CoolingStatus> {
        const CALL: &str = "get_cooling_status";
        if self.can(CALL)?.cooler.is_none() {
            return Err(CameraError::not_supported(CALL));
        }
        asked(self.connected(CALL)?, CALL, Session::cooling)
    }

    fn get_current_temperature(&mut self) -> Result<Celsius> {
        const CALL: &str = "get_current_temperature";
        if !self.can(CALL)?.thermometer {
            return Err(CameraError::not_supported(CALL));
        }
        asked(self.connected(CALL)?, CALL, Session::temperature)
    }

    fn get_cooling_power(&mut self) -> Result<Percent> {
        const CALL: &str = "get_cooling_power";
        if !self.can(CALL)?.cooler_power {
            return Err(CameraError::not_supported(CALL));
        }
        asked(self.connected(CALL)?, CALL, Session::power)
    }

    fn get_gain(&mut self) -> Result<i32> {
        self.get("get_gain", Control::Gain)
    }

    fn set_gain(&mut self, gain: i32) -> Result<i32> {
        self.can("set_gain")?.check_gain(gain)?;
        let set = self.set("set_gain", Control::Gain, gain)?;
        self.wanted.gain = Some(gain);
        Ok(set)
    }

    fn get_offset(&mut self) -> Result<i32> {
        self.get("get_offset", Control::Offset)
    }

    fn set_offset(&mut self, offset: i32) -> Result<i32> {
        self.can("set_offset")?.check_offset(offset)?;
        let set = self.set("set_offset", Control::Offset, offset)?;
        self.wanted.offset = Some(offset);
        Ok(set)
    }

    fn get_parameter(&mut self, name: &str) -> Result<Value> {
        self.parameter(name)
    }

    fn set_parameter(&mut self, name: &str, value: Value) -> Result<Value> {
        self.change_parameter(name, value)
    }

    fn polling(&mut self) -> Result<CameraStatus> {
        asked(self.connected("polling")?, "polling", Session::poll)
    }

    /// Besides the documented calls: `pulse_guide`; `stop_exposure`, which closes the shutter and keeps the frame; and
    /// `action` with `action` and `parameters`, a function of the camera's own.
    fn call(&mut self, name: &str, params: &Params) -> Result<Reply> {
        match name {
            pulse::CALL => {
                let guides = self.can(pulse::CALL)?.guide_port;
                let pulse = Pulse::read(params)?;
                if !guides {
                    return Err(CameraError::not_supported(pulse::CALL));
                }
                asked(self.connected(pulse::CALL)?, pulse::CALL, |session| {
                    pulse.give(session.api.another())
                })?;
                Ok(Reply::Done)
            }
            "stop_exposure" => {
                asked(self.connected("stop_exposure")?, "stop_exposure", Session::stop)?;
                Ok(Reply::Done)
            }
            "action" => {
                let arguments = Arguments::of(params);
                let (action, parameters) =
                    (arguments.text("action", "action")?, arguments.text("action", "parameters")?);
                let form = [("Action", action), ("Parameters", parameters)];
                let session = self.connected("action")?;
                let said = asked(session, "action", |session| session.api.put("action", &form))?;
                Ok(Reply::Value(Value::Text(said.as_str().map_or_else(|| said.to_string(), str::to_owned))))
            }
            _ => call::by_name(self, name, params),
        }
    }
}
