//! A simulated camera that breaks on command, so that everyone above it can be seen to cope.
//!
//! [`Faulty`] stands before a camera and passes on every call, unless a fault says otherwise. The camera behind it
//! knows nothing of this.
//!
//! # What can go wrong
//!
//! | kind | counts | what happens |
//! |---|---|---|
//! | `start_refused` | `start_exposure` | the exposure does not begin |
//! | `never_ends` | `start_exposure` | the shutter stays open |
//! | `read_out_stalls` | `start_exposure` | half of the frame comes, and no more |
//! | `short_frame` | `start_exposure` | the frame has half of its rows |
//! | `corrupt_frame` | `start_exposure` | the pixels come in other containers than was said: 8 bits for 16 |
//! | `garbled_frame` | `start_exposure` | half of the pixels are noise; nobody can tell but a person |
//! | `constant_frame` | `start_exposure` | every pixel is 0 |
//! | `call_blocks` | any, `get_exposure_result` | the call takes `seconds` longer |
//! | `camera_lost` | any, `get_exposure_result` | the camera is gone for `seconds`, then it can be connected again |
//! | `temperature_garbage` | `get_current_temperature` | the reading is none that a sensor can have |
//! | `cooler_power_lost` | `get_cooling_power` | the cooler does nothing for `seconds`, and says that it works |
//! | `panic` | any, `get_exposure_result` | the camera's code panics |
//!
//! # When, how often, how long
//!
//! | field | if absent | |
//! |---|---|---|
//! | `call` | as above | the call whose occurrences are counted, where any is possible: a name of the Camera API |
//! | `at` | 1 | the first occurrence that counts; 1 is the next one |
//! | `times` | 1 | how often it happens; 0 is for ever |
//! | `probability` | 1 | that it happens at an occurrence |
//! | `seed` | 1 | decides, with the number of the occurrence alone, what chance decides |
//! | `seconds` | 0 | how long it lasts, beyond its time for an exposure; 0 is for good |
//! | `camera` | any | in a script, the name of the one camera that it is about |
//!
//! Occurrences are counted for each camera from the moment when a fault was asked for, also across reconnections.
//! How often the driver asks for a status depends on the clock: what is to be the same each time counts exposures.
//!
//! # Three ways to ask
//!
//! * A script, named by `INDI_CAMERA_FAULTS`, which is read when the process starts:
//!
//!   ```toml
//!   # The second camera refuses every tenth exposure or so, always the same ones.
//!   [[fault]]
//!   kind = "start_refused"
//!   camera = "Camera Simulator 2"
//!   times = 0
//!   probability = 0.1
//!   seed = 7
//!
//!   # Every camera hangs for half a minute when its gain is set for the third time.
//!   [[fault]]
//!   kind = "call_blocks"
//!   call = "set_gain"
//!   at = 3
//!   seconds = 30
//!   ```
//!   If anything in it is wrong, clients are told which line, and there are no faults at all.
//! * The call `inject_fault` of a camera that has been connected, with the same fields as parameters; `clear` = true
//!   takes back every fault. It answers with how many are still to come.
//! * The properties that `settings` describes.

use std::thread;
use std::time::{Duration, Instant};

use rand::RngExt;

mod damage;
mod hardware;
mod script;
mod settings;

use self::hardware::{End, Hardware};
use self::script::{Fault, Kind};
use self::settings::Settings;
use super::noise;
use crate::camera::call::{Call, Params, Reply, dispatch};
use crate::camera::error::{CameraError, ErrorKind, Result};
use crate::camera::types::{
    Binning, CameraId, CameraStatus, Capabilities, Celsius, CoolingStatus, ExposureRequest, ExposureStatus,
    Frame, Percent, Roi, Value,
};
use crate::camera::{Camera, status_of};

pub(super) use self::hardware::complaint;

/// The function that asks for a fault.
const INJECT: &str = "inject_fault";
/// What an exposure that never ends says to be left of it.
const LEFT: Duration = Duration::from_millis(100);
/// Where a read-out stalls.
const HALF_WAY: Percent = 50.0;
/// What broken thermometers say.
const READINGS: [Celsius; 5] = [f64::NAN, 1e6, -1e6, f64::INFINITY, f64::NEG_INFINITY];
/// A thread that blocks for good looks at the clock so often.
const LOOK: Duration = Duration::from_secs(3600);

/// A camera with faults.
pub struct Faulty {
    camera: Box<dyn Camera>,
    settings: Settings,
    /// Known from the first connection on.
    hardware: Option<Hardware>,
    /// What is wrong with the exposure that runs.
    spoilt: Option<Spoilt>,
    power_cut: Option<PowerCut>,
    /// The last reading of a broken thermometer, until there is a good one.
    reading: Option<Celsius>,
    /// Readings so far.
    readings: u64,
}

struct Spoilt {
    fault: Fault,
    /// Until when it keeps the exposure from ending.
    until: End,
}

/// A cooler without power, which does not know it.
struct PowerCut {
    until: End,
    says: CoolingStatus,
}

impl Faulty {
    /// Stands before a camera that is not connected yet.
    #[must_use]
    pub fn new(camera: Box<dyn Camera>) -> Self {
        Faulty {
            camera,
            settings: Settings::new(),
            hardware: None,
            spoilt: None,
            power_cut: None,
            reading: None,
            readings: 0,
        }
    }

    /// Counts a call and lets happen what is to happen at it. Returns the faults that the call itself has to look
    /// after.
    fn meet(&mut self, call: &'static str) -> Result<Vec<Fault>> {
        self.meet_by_name(call, call)
    }

    fn meet_by_name(&mut self, name: &str, call: &'static str) -> Result<Vec<Fault>> {
        let Some(hardware) = self.hardware.clone() else { return Ok(Vec::new()) };
        let fired = hardware.fire(name, now());
        for fault in &fired {
            tracing::debug!(fault = fault.kind.name(), call = name, "a fault happens");
            match fault.kind {
                Kind::CallBlocks => block(fault.lasts),
                Kind::Panic => panic!("the simulated camera panics in {name}, as it was asked to"),
                Kind::CameraLost => {
                    self.spoilt = None;
                    self.camera.disconnect()?;
                }
                Kind::StartRefused => {
                    return Err(CameraError::new(ErrorKind::Hardware, call, "the shutter does not open"));
                }
                _ => {}
            }
        }
        if hardware.is_away(now()) {
            return Err(CameraError::new(ErrorKind::Disconnected, call, "the simulated camera is unplugged"));
        }
        Ok(fired)
    }

    /// The fault that keeps the running exposure from ending.
    fn stuck(&self) -> Option<Kind> {
        self.spoilt.as_ref().filter(|spoilt| !spoilt.until.has_come(now())).map(|spoilt| spoilt.fault.kind)
    }

    /// Gives the cooler its power back when it is time.
    fn restore_power(&mut self) {
        if let Some(PowerCut { until, says }) = &self.power_cut
            && until.has_come(now())
            && (!says.on || self.camera.cooling(true).is_ok())
        {
            self.power_cut = None;
        }
    }

    fn cut_power(&mut self, lasts: Option<Duration>) -> Result<()> {
        let says = self.camera.get_cooling_status()?;
        self.camera.cooling(false)?;
        self.power_cut = Some(PowerCut { until: End::after(lasts, now()), says });
        Ok(())
    }

    /// All is well again.
    fn mend(&mut self) {
        self.spoilt = None;
        if let Some(cut) = &mut self.power_cut {
            cut.until = End::At(now());
        }
        self.restore_power();
    }

    fn inject(&mut self, params: &Params) -> Result<Reply> {
        let invalid = |why| CameraError::new(ErrorKind::InvalidValue, INJECT, why);
        let hardware = self.hardware.clone();
        let hardware = hardware
            .ok_or_else(|| CameraError::new(ErrorKind::NotConnected, INJECT, "connect the camera first"))?;
        if let [(name, Value::Bool(true))] = params.as_slice()
            && name == "clear"
        {
            hardware.ask(None);
            self.mend();
        } else {
            let fault = Fault::of(params).map_err(invalid)?;
            if fault.camera.is_some() {
                return Err(invalid("camera is for scripts: this call is about this camera".to_owned()));
            }
            hardware.inject(fault);
        }
        #[allow(clippy::cast_precision_loss, reason = "a few")]
        Ok(Reply::Value(Value::Number(hardware.armed() as f64)))
    }
}

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
        let fired = self.meet("start_exposure")?;
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
        Ok(match (self.stuck(), status) {
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
        if matches!(self.stuck(), Some(Kind::NeverEnds | Kind::ReadOutStalls)) {
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
        if Settings::has(name) {
            return Ok(self.settings.get(name));
        }
        self.meet("get_parameter")?;
        self.camera.get_parameter(name)
    }

    fn set_parameter(&mut self, name: &str, value: Value) -> Result<Value> {
        if !Settings::has(name) {
            self.meet("set_parameter")?;
            return self.camera.set_parameter(name, value);
        }
        let mut settings = self.settings.clone();
        settings.set(name, &value)?;
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
        Ok(self.settings.get(name))
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

/// Keeps the thread, as a vendor's library does that waits for a camera.
fn block(lasts: Option<Duration>) {
    let end = End::after(lasts, now());
    while !end.has_come(now()) {
        thread::park_timeout(lasts.unwrap_or(LOOK).min(LOOK));
    }
}

#[allow(clippy::disallowed_methods, reason = "a backend is hardware, and hardware lives in real time")]
fn now() -> Instant {
    Instant::now()
}
