//! The cooler of a camera that nobody wants any more: COOLER_POLICY.
//!
//! ```text
//!            DISCONNECT, WARM_UP                        sensor warm, or 30 min
//!   On ──────────────────────────► Parting ────────────────────────────────────► Off
//!    │   told: Idle, all deleted     │ CONNECT: the cooler holds where it got to    ▲
//!    └───────────────────────────────┴─────────────────────────────────────────────┘
//!        HOLD: camera closed as it is   OFF: cooler cut, camera closed
//! ```
//! To clients a parting camera is a disconnected one. It is warmed up along the ramp, by [`DEFAULT_SLOPE`] if none is
//! set, and then closed; [`LONGEST_PARTING`] bounds that. A process that has to end (exit, loss of the server) has two
//! seconds, so there WARM_UP is OFF. A warm-up that a client asked for by COOLER_OFF goes on under HOLD too: nobody
//! wants that cooler to be left on half-way.

use std::time::Duration;

use crate::camera::call::Call;
use crate::camera::error::CameraError;
use crate::device::connection::Link;
use crate::device::timer::Timer;
use crate::device::{Device, Level};
use crate::property::keys::{self, CoolerPolicy};

/// How fast a sensor is warmed up when nobody has said, °C per minute: camera makers call this gentle.
const DEFAULT_SLOPE: f64 = 5.0;
/// A camera is kept open no longer than this: at the default slope it is warm from any temperature by then.
const LONGEST_PARTING: Duration = Duration::from_secs(30 * 60);

impl Device {
    /// Does to the cooler what the policy says, and closes the camera: now or, if it is to get warm first, later.
    pub(in crate::device) fn leave_camera(&mut self, answers: bool, exiting: bool) {
        let policy = match self.store.get(&keys::COOLER_POLICY) {
            CoolerPolicy::Hold if self.cooler.warming => CoolerPolicy::WarmUp,
            policy => policy,
        };
        // A cooler that is just being switched on counts: its answer will find nobody.
        let starting = matches!(self.outstanding, Some(Call::CoolingTo(_) | Call::Cooling(true)));
        let cools = answers && (self.cooler.on || starting);
        match policy {
            CoolerPolicy::WarmUp if cools && !exiting => return self.begin_parting(),
            CoolerPolicy::Off | CoolerPolicy::WarmUp if cools => self.ask(Call::Cooling(false)),
            _ => {}
        }
        self.forget_cooler();
        self.ask(Call::Disconnect);
    }

    fn begin_parting(&mut self) {
        self.link = Link::Parting;
        self.timers.set(Timer::PartingOverdue, self.now.elapsed + LONGEST_PARTING);
        // Closing the camera would do it; until then nothing else may.
        self.ask(Call::AbortExposure);
        self.stop_pulses();
        self.say(Level::Info, &format!("{} is closed when its sensor is warm", self.camera.name));
        let [slope, _] = self.store.get(&keys::CCD_TEMP_RAMP);
        if !self.cooler.warming {
            self.warm_up(if slope > 0.0 { slope } else { DEFAULT_SLOPE });
        }
        self.schedule_poll();
    }

    /// The camera has switched its cooler off, or will never: close it.
    pub(super) fn end_parting(&mut self) {
        if self.link == Link::Parting {
            self.stop_parting();
            self.link = Link::Off;
            self.ask(Call::Disconnect);
        }
    }

    pub(super) fn give_up_parting(&mut self, error: &CameraError) {
        if self.link == Link::Parting {
            let name = &self.camera.name;
            self.say(Level::Warning, &format!("{name} is closed before its sensor is warm: {error}"));
            self.end_parting();
        }
    }

    pub(in crate::device) fn parting_overdue(&mut self) {
        if self.link == Link::Parting {
            self.ask(Call::Cooling(false));
        }
    }

    /// No more is done to the cooler: it is off, or somebody wants the camera after all.
    pub(in crate::device) fn stop_parting(&mut self) {
        self.timers.clear(Timer::PartingOverdue);
        self.timers.clear(Timer::Poll);
        // What was to be stopped still is.
        self.calls.retain(|call| !matches!(call, Call::Polling | Call::Cooling(_) | Call::CoolingTo(_)));
        self.forget_cooler();
    }
}
