//! What the camera says of its temperature, reading by reading.

use std::ops::RangeInclusive;

use crate::camera::call::{Call, Reply};
use crate::camera::error::CameraError;
use crate::camera::types::{CameraStatus, Celsius, CoolingStatus};
use crate::device::connection::Link;
use crate::device::{Device, Level};
use crate::property::key::Key;
use crate::property::keys;
use crate::wire::State;

use super::ramp::{ADRIFT, Regulating, STALLED_AFTER, Verdict};
use super::{AFTERWARDS, Resume, Thermometer};

/// A reading that differs by less is not worth telling, °C.
const NOTEWORTHY: Celsius = 0.05;
/// Temperatures that a working sensor can have, °C: no cooler reaches one end, and no chip survives the other.
const POSSIBLE: RangeInclusive<Celsius> = -150.0..=150.0;

/// Whether a sensor can be that warm. What a broken thermometer says is not told to anyone.
pub(in crate::device) fn is_possible(temperature: Celsius) -> bool {
    POSSIBLE.contains(&temperature)
}

impl Device {
    /// The camera's regular report.
    pub(in crate::device) fn polled(&mut self, result: Result<Reply, CameraError>) {
        // What was asked in the connection before says nothing of this one, nor of a camera that is to come back.
        if matches!(self.link, Link::Opening | Link::Lost { .. }) {
            return;
        }
        self.cooler.polled = self.now.elapsed;
        self.note_complaint(result.as_ref().err());
        match result {
            Ok(Reply::Polled(status)) => {
                self.end_inherited(status.exposure);
                self.measured(&credible(status));
            }
            Ok(_) => {}
            Err(error) => {
                if self.link == Link::On {
                    self.miss(&error.to_string());
                }
                self.give_up_parting(&error);
            }
        }
        if self.link == Link::Asking {
            self.established();
        }
    }

    fn measured(&mut self, status: &CameraStatus) {
        if let Some(cooling) = status.cooling {
            let changed = self.cooler.on != cooling.on;
            self.cooler.on = cooling.on;
            if changed && !cooling.on {
                self.stop_regulating();
                self.calm_alarms();
                // What has happened since the connection before is nothing that the cooler did by itself.
                if self.link != Link::Asking {
                    self.cooler_gave_up();
                }
            } else if cooling.on {
                self.cooler_is_back();
            }
            // What the camera regulates to is the target only when no ramp leads there.
            if self.cooler.ramp.is_none() && !self.cooler.warming && self.cooler.requested.is_none() {
                self.cooler.target = cooling.target.or(self.cooler.target);
            }
            if changed || self.link == Link::Asking {
                self.show_cooler();
            }
        }
        if let Some(power) = status.power {
            self.note_power(power);
            let [shown] = self.store.get(&keys::CCD_COOLER_POWER);
            if (shown - power).abs() >= NOTEWORTHY {
                let state = if power > 0.0 { State::Busy } else { State::Idle };
                self.publish(&keys::CCD_COOLER_POWER, [power], state);
            }
        }
        let sensor = status.temperature.filter(|reading| is_possible(*reading));
        self.advance(sensor, status);
        match (sensor, status.temperature) {
            (None, Some(reading)) => {
                let what = format!("the camera says that its sensor is at {reading} C, which cannot be");
                self.miss(&what);
            }
            _ => self.cooler.thermometer = Thermometer::Works,
        }
        if let Some(value) = sensor {
            self.take_over(value);
            self.watch_target(value);
            self.watch_course(value);
            self.watch_recovery(value);
            self.store.set(&keys::CCD_TEMPERATURE, [value]);
            let moved = self.cooler.shown.is_none_or(|shown| (shown - value).abs() >= NOTEWORTHY);
            let awaited = self.cooler.regulating.is_some() || self.cooler.warming;
            if awaited || self.cooler.afterwards > 0 || moved {
                self.cooler.afterwards = self.cooler.afterwards.saturating_sub(1);
                self.cooler.shown = Some(value);
                if !self.judge(value) {
                    self.send(&keys::CCD_TEMPERATURE);
                }
            }
        }
        match self.cooler.resume.take() {
            None => {}
            Some(Resume::Regulating(target)) => self.head_for(target),
            Some(Resume::Warming) => {
                let [slope, _] = self.store.get(&keys::CCD_TEMP_RAMP);
                self.warm_up(slope);
            }
        }
        self.show_alarms();
    }

    /// A camera that is being connected may be cooling already, as another process left it: what it does is watched as
    /// if it had been asked for here, and not changed.
    fn take_over(&mut self, value: Celsius) {
        let Some(target) = self.cooler.target.filter(|_| self.link == Link::Asking && self.cooler.on) else {
            return;
        };
        let there = self.is_there(value, target);
        self.cooler.held = there.then_some(target);
        self.cooler.regulating = (!there).then(|| Regulating::new(target, value, self.now.elapsed));
        let state = if there { State::Ok } else { State::Busy };
        self.store.set_state(keys::CCD_TEMPERATURE.vector(), state);
        self.show_cooler();
    }

    fn is_there(&self, value: Celsius, target: Celsius) -> bool {
        let [_, threshold] = self.store.get(&keys::CCD_TEMP_RAMP);
        (value - target).abs() <= threshold
    }

    /// Notices a sensor that has reached its target after all.
    fn watch_recovery(&mut self, value: Celsius) {
        let Some(target) = self.cooler.target.filter(|_| self.cooler.stalled) else { return };
        if self.is_there(value, target) {
            self.cooler.stalled = false;
            self.cooler.held = Some(target);
            self.calm_alarms();
            self.cooler.afterwards = AFTERWARDS;
            self.store.set_state(keys::CCD_TEMPERATURE.vector(), State::Ok);
        }
    }

    /// There is no reading. That is worth one sentence, and a sensor that is on its way is not seen to get on.
    fn miss(&mut self, why: &str) {
        if std::mem::replace(&mut self.cooler.thermometer, Thermometer::Fails) == Thermometer::Works {
            self.say(Level::Warning, why);
            self.show_alarms();
        }
        let [last] = self.store.get(&keys::CCD_TEMPERATURE);
        self.judge(last);
    }

    /// Notices a sensor that has left the target where the cooler is to hold it.
    fn watch_target(&mut self, value: Celsius) {
        let Some(target) = self.cooler.held.filter(|_| self.cooler.requested.is_none()) else { return };
        if (value - target).abs() > ADRIFT {
            let what = format!("the sensor has left its target of {target:.1} C: it is at {value:.1} C");
            self.sensor_runs_away(&what);
            self.cooler.held = None;
            self.cooler.regulating = Some(Regulating::new(target, value, self.now.elapsed));
            self.settle(&keys::CCD_TEMPERATURE, State::Busy);
            self.show_cooler();
        }
    }

    /// Moves the set point on. Not while a request is with the camera: what it is to be given then is not decided.
    fn advance(&mut self, sensor: Option<Celsius>, status: &CameraStatus) {
        if self.cooler.requested.is_some() {
            return;
        }
        let Some(ramp) = &mut self.cooler.ramp else { return };
        let step = ramp.step(self.now.elapsed);
        if self.cooler.warming && ramp.is_warm(sensor, status.power) {
            self.cooler.ramp = None;
            return self.ask(Call::Cooling(false));
        }
        if ramp.is_over() {
            self.cooler.ramp = None;
        }
        if let Some(given) = step {
            self.ask(Call::CoolingTo(given));
            self.show_target();
        }
    }

    /// Ends the regulation when it has succeeded or got stuck, and says whether it did.
    pub(super) fn judge(&mut self, value: Celsius) -> bool {
        let [_, threshold] = self.store.get(&keys::CCD_TEMP_RAMP);
        let ramp = self.cooler.ramp;
        let Some(regulating) = &mut self.cooler.regulating else { return false };
        let target = regulating.target;
        let set_point = ramp.map_or(target, |ramp| ramp.given());
        let state = match regulating.judge(value, set_point, threshold, self.now.elapsed) {
            Verdict::Going => return false,
            Verdict::Arrived => State::Ok,
            Verdict::Stalled => State::Alert,
        };
        self.cooler.regulating = None;
        self.cooler.held = (state == State::Ok).then_some(target);
        self.cooler.afterwards = AFTERWARDS;
        self.cooler.stalled = state == State::Alert;
        if self.cooler.stalled {
            let seconds = STALLED_AFTER.as_secs();
            let blamed = self.blame_cooler();
            let what = if self.cooler.thermometer == Thermometer::Fails {
                format!("there was no reading in {seconds} s that showed the sensor nearer to {target:.1} C")
            } else {
                format!(
                    "the sensor stays at {value:.1} C and gets no nearer to {target:.1} C in {seconds} s{blamed}"
                )
            };
            self.say(Level::Error, &what);
        } else {
            self.calm_alarms();
        }
        self.settle(&keys::CCD_TEMPERATURE, state);
        self.show_cooler();
        true
    }
}

/// A reading without what no cooler says.
fn credible(status: CameraStatus) -> CameraStatus {
    let cooling = status.cooling.map(|cooling| CoolingStatus {
        target: cooling.target.filter(|target| is_possible(*target)),
        ..cooling
    });
    CameraStatus { cooling, power: status.power.filter(|power| (0.0..=100.0).contains(power)), ..status }
}
