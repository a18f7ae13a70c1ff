//! A simulated camera that breaks on command, so that everyone above it can be seen to cope.
//!
//! [`Faulty`] stands before a camera and passes on every call, unless a fault says otherwise (`calls`). The camera
//! behind it knows nothing of this.
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
//! | `call` | as above | the call whose occurrences are counted, where any is possible: a name of the Camera API but `call`, or `pulse_guide` |
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
use std::time::Duration;

mod calls;
mod damage;
mod hardware;
mod script;
mod settings;

use self::hardware::{End, Hardware};
use self::script::{Fault, Kind};
use self::settings::Settings;
use crate::backend::clock::now;
use crate::camera::Camera;
use crate::camera::call::{Params, Reply};
use crate::camera::error::{CameraError, ErrorKind, Result};
use crate::camera::types::{Celsius, CoolingStatus, Value};

pub(super) use self::hardware::complaint;

/// The function that asks for a fault.
const INJECT: &str = "inject_fault";
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

    /// What may keep the running exposure from ending.
    fn hindrance(&self) -> Option<Kind> {
        self.spoilt.as_ref().filter(|spoilt| !spoilt.until.has_come(now())).map(|spoilt| spoilt.fault.kind)
    }

    /// Whether there is an exposure that does not end.
    fn is_stuck(&self) -> bool {
        matches!(self.hindrance(), Some(Kind::NeverEnds | Kind::ReadOutStalls))
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
        let hardware = self.hardware.clone().ok_or_else(|| CameraError::not_connected(INJECT))?;
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

/// Keeps the thread, as a vendor's library does that waits for a camera.
fn block(lasts: Option<Duration>) {
    let end = End::after(lasts, now());
    while !end.has_come(now()) {
        thread::park_timeout(lasts.unwrap_or(LOOK).min(LOOK));
    }
}
