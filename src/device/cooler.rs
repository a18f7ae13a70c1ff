//! Temperature: a target that a client sets, a measurement that it sees.
//!
//! A write to CCD_TEMPERATURE is the target and switches the cooler on; the vector is Busy until the sensor is within
//! [`THRESHOLD`] of it, and Alert if it stops getting nearer. While regulating, and for a few readings after, the value
//! is sent with every reading: Ekos ignores the first value after its request and then waits for the next.

use std::time::Duration;

use crate::camera::call::{Call, Reply};
use crate::camera::error::CameraError;
use crate::camera::types::{CameraStatus, Capabilities, Celsius};
use crate::property::key::Key;
use crate::property::keys::{self, Cooler as CoolerSwitch};
use crate::wire::{Limits, State};

use super::connection::Link;
use super::{Device, Handlers, Level};

/// So near to the target the sensor is as cold as asked, °C.
const THRESHOLD: Celsius = 0.2;
/// A reading that differs by less is not worth telling, °C.
const NOTEWORTHY: Celsius = 0.05;
/// Readings that are sent after the target was reached, changed or not.
const AFTERWARDS: u32 = 5;
/// A sensor that has not come nearer to its target by [`PROGRESS`] in this time never will.
const STALLED_AFTER: Duration = Duration::from_secs(120);
/// Progress that counts, °C.
const PROGRESS: Celsius = 0.1;

/// What the cooler is doing.
#[derive(Debug, Default)]
pub(super) struct Cooler {
    /// The target that was set last.
    target: Option<Celsius>,
    on: bool,
    regulating: Option<Regulating>,
    /// Readings still to be sent although nothing changed.
    afterwards: u32,
    shown: Option<Celsius>,
}

/// On the way to the target.
#[derive(Clone, Copy, Debug)]
struct Regulating {
    target: Celsius,
    /// The smallest distance so far, and when it was reached.
    nearest: Celsius,
    since: Duration,
}

pub(super) fn register(on: &mut Handlers) {
    on.change(&keys::CCD_TEMPERATURE, Device::cool_to);
    on.change(&keys::CCD_COOLER, Device::switch_cooler);
}

impl Device {
    fn cool_to(&mut self, [target]: [f64; 1]) {
        if self.link != Link::On {
            return self
                .refuse(keys::CCD_TEMPERATURE.vector(), "CCD_TEMPERATURE has to wait: the camera is lost");
        }
        // Busy before the camera has answered, so that a script which waits for the end does not see an older Ok.
        self.settle(&keys::CCD_TEMPERATURE, State::Busy);
        self.ask(Call::CoolingTo(target));
    }

    fn switch_cooler(&mut self, switch: CoolerSwitch) {
        if self.link != Link::On {
            return self.refuse(keys::CCD_COOLER.vector(), "CCD_COOLER has to wait: the camera is lost");
        }
        self.ask(Call::Cooling(switch == CoolerSwitch::On));
    }

    pub(super) fn cooling_answered(&mut self, call: &Call, result: Result<Reply, CameraError>) {
        match (call, result) {
            (Call::CoolingTo(target), Ok(_)) => {
                self.cooler.target = Some(*target);
                self.cooler.on = true;
                self.regulate(*target);
            }
            (Call::Cooling(true), Ok(_)) => {
                self.cooler.on = true;
                match self.cooler.target {
                    Some(target) => self.regulate(target),
                    None => self.show_cooler(),
                }
            }
            (_, Ok(_)) => {
                self.cooler.on = false;
                self.cooler.regulating = None;
                self.cooler.afterwards = AFTERWARDS;
                self.settle(&keys::CCD_TEMPERATURE, State::Idle);
                self.show_cooler();
            }
            (Call::CoolingTo(_), Err(error)) => {
                if self.cooler.regulating.is_none() {
                    self.store.set_state(keys::CCD_TEMPERATURE.vector(), State::Idle);
                }
                self.refuse(keys::CCD_TEMPERATURE.vector(), &error.to_string());
            }
            (_, Err(error)) => self.refuse(keys::CCD_COOLER.vector(), &error.to_string()),
        }
    }

    fn regulate(&mut self, target: Celsius) {
        let [value] = self.store.get(&keys::CCD_TEMPERATURE);
        let nearest = (value - target).abs();
        self.cooler.regulating = Some(Regulating { target, nearest, since: self.now.elapsed });
        self.settle(&keys::CCD_TEMPERATURE, State::Busy);
        self.show_cooler();
        self.judge(value);
    }

    /// The camera's regular report.
    pub(super) fn polled(&mut self, result: Result<Reply, CameraError>) {
        let status = match result {
            Ok(Reply::Polled(status)) => Some(status),
            Ok(_) => None,
            Err(error) => {
                if self.link == Link::On {
                    self.say(Level::Warning, &error.to_string());
                }
                None
            }
        };
        if let Some(status) = status {
            self.measured(&status);
        }
        if self.link == Link::Asking {
            self.established();
        }
    }

    fn measured(&mut self, status: &CameraStatus) {
        if let Some(cooling) = status.cooling {
            let changed = self.cooler.on != cooling.on;
            self.cooler.on = cooling.on;
            self.cooler.target = cooling.target.or(self.cooler.target);
            if changed || self.link == Link::Asking {
                self.show_cooler();
            }
        }
        if let Some(power) = status.power {
            let [shown] = self.store.get(&keys::CCD_COOLER_POWER);
            if (shown - power).abs() >= NOTEWORTHY {
                let state = if power > 0.0 { State::Busy } else { State::Idle };
                self.publish(&keys::CCD_COOLER_POWER, [power], state);
            }
        }
        if let Some(value) = status.temperature.filter(|value| value.is_finite()) {
            self.store.set(&keys::CCD_TEMPERATURE, [value]);
            let moved = self.cooler.shown.is_none_or(|shown| (shown - value).abs() >= NOTEWORTHY);
            if self.cooler.regulating.is_some() || self.cooler.afterwards > 0 || moved {
                self.cooler.afterwards = self.cooler.afterwards.saturating_sub(1);
                self.cooler.shown = Some(value);
                if !self.judge(value) {
                    self.send(&keys::CCD_TEMPERATURE);
                }
            }
        }
    }

    /// Ends the regulation when it has succeeded or got stuck, and says whether it did.
    fn judge(&mut self, value: Celsius) -> bool {
        let now = self.now.elapsed;
        let Some(regulating) = &mut self.cooler.regulating else { return false };
        let distance = (value - regulating.target).abs();
        if regulating.nearest - distance >= PROGRESS {
            (regulating.nearest, regulating.since) = (distance, now);
        }
        let state = if distance <= THRESHOLD {
            State::Ok
        } else if now.saturating_sub(regulating.since) >= STALLED_AFTER {
            State::Alert
        } else {
            return false;
        };
        let target = regulating.target;
        self.cooler.regulating = None;
        self.cooler.afterwards = AFTERWARDS;
        if state == State::Alert {
            let seconds = STALLED_AFTER.as_secs();
            self.say(
                Level::Error,
                &format!(
                    "the sensor stays at {value:.1} C and gets no nearer to {target:.1} C in {seconds} s"
                ),
            );
        }
        self.settle(&keys::CCD_TEMPERATURE, state);
        self.show_cooler();
        true
    }

    fn show_cooler(&mut self) {
        let (switch, state) = match (self.cooler.on, &self.cooler.regulating) {
            (true, Some(_)) => (CoolerSwitch::On, State::Busy),
            (true, None) => (CoolerSwitch::On, State::Ok),
            (false, _) => (CoolerSwitch::Off, State::Idle),
        };
        self.publish(&keys::CCD_COOLER, switch, state);
    }

    pub(super) fn adopt_cooler(&mut self, capabilities: &Capabilities) {
        if let Some(range) = capabilities.cooler {
            let limits = Limits { min: range.min, max: range.max, step: range.step };
            self.store.set_limits(&keys::CCD_TEMPERATURE, &[limits]);
        }
        self.cooler.shown = None;
    }

    /// The camera is lost, and with it whatever it was doing to its temperature.
    pub(super) fn lose_cooler(&mut self) {
        if self.cooler.regulating.take().is_some() {
            self.settle(&keys::CCD_TEMPERATURE, State::Alert);
        }
    }

    /// After a lost camera came back: the cooler goes on where it was.
    pub(super) fn reapply_cooler(&mut self) {
        if let (true, Some(target)) = (self.cooler.on, self.cooler.target) {
            self.ask(Call::CoolingTo(target));
        }
    }
}
