//! What threatens the temperature of the sensor: four lights, and one sentence when one of them turns Alert.
//!
//! | light | Alert when | until |
//! |---|---|---|
//! | COOLER | it has switched itself off, does not bring the sensor nearer to its target without being at full power, or the camera is lost while it is on | it is on again, or somebody switches it |
//! | SENSOR | the camera tells no temperature that can be | it does |
//! | POWER | at full power it does not bring the sensor nearer to its target | the target is reached, or another |
//! | RUNAWAY | the sensor leaves its target, or moves away from it on its way there | the same |

use std::time::Duration;

use crate::camera::types::{Celsius, Percent};
use crate::device::health::worst;
use crate::device::{Device, Level};
use crate::property::keys;
use crate::wire::State;

use super::Thermometer;
use super::ramp::STALLED_AFTER;

/// A cooler that works with so much has nothing left.
const FULL: Percent = 99.0;

/// What is wrong besides the thermometer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Alarms {
    cooler: bool,
    power: bool,
    runaway: bool,
    /// At full power since then.
    full_since: Option<Duration>,
}

impl Device {
    /// A reading of the cooler's power.
    pub(super) fn note_power(&mut self, power: Percent) {
        let since = self.cooler.alarms.full_since.unwrap_or(self.now.elapsed);
        self.cooler.alarms.full_since = (power >= FULL).then_some(since);
    }

    /// The cooler is off, and nobody has asked for that.
    pub(super) fn cooler_gave_up(&mut self) {
        if !std::mem::replace(&mut self.cooler.alarms.cooler, true) {
            self.say(Level::Error, "the cooler has switched itself off");
        }
    }

    /// The cooler is on. One that was lost, or that had switched itself off, is there again.
    pub(super) fn cooler_is_back(&mut self) {
        self.cooler.alarms.cooler &= self.cooler.stalled;
    }

    /// The sensor does not get nearer to its target; what that says of the cooler, as the end of a sentence.
    pub(super) fn blame_cooler(&mut self) -> &'static str {
        let full = self.cooler.alarms.full_since;
        if self.cooler.thermometer == Thermometer::Fails {
            return "";
        }
        if full.is_some_and(|since| self.now.elapsed.saturating_sub(since) >= STALLED_AFTER) {
            self.cooler.alarms.power = true;
            return ", with the cooler at full power";
        }
        self.cooler.alarms.cooler = true;
        ""
    }

    /// The sensor goes where it should not.
    pub(super) fn sensor_runs_away(&mut self, sentence: &str) {
        if !std::mem::replace(&mut self.cooler.alarms.runaway, true) {
            self.say(Level::Warning, sentence);
        }
    }

    /// The sensor moves away from a target that it has not reached yet.
    pub(super) fn watch_course(&mut self, value: Celsius) {
        let Some(regulating) = self.cooler.regulating.filter(|regulating| regulating.strays(value)) else {
            return;
        };
        let target = regulating.target;
        let what = format!("the sensor moves away from its target of {target:.1} C: it is at {value:.1} C");
        self.sensor_runs_away(&what);
    }

    /// The target is reached, is another, or there is none any more.
    pub(super) fn calm_alarms(&mut self) {
        let full_since = self.cooler.alarms.full_since;
        self.cooler.alarms = Alarms { full_since, ..Alarms::default() };
    }

    /// The camera is gone, and with it whatever looks after its cooler.
    pub(super) fn alarm_of_lost_camera(&mut self) {
        self.cooler.alarms = Alarms { cooler: self.cooler.on, ..Alarms::default() };
        self.show_alarms();
    }

    /// Tells what has changed.
    pub(super) fn show_alarms(&mut self) {
        let lights = self.alarm_lights();
        self.publish_news(&keys::CCD_COOLER_ALARM, lights, worst(&lights));
    }

    fn alarm_lights(&self) -> [State; 4] {
        let Alarms { cooler, power, runaway, .. } = self.cooler.alarms;
        let blind = self.cooler.thermometer == Thermometer::Fails;
        [cooler, blind, power, runaway].map(|alarm| if alarm { State::Alert } else { State::Ok })
    }

    /// The cooler in one light.
    pub(in crate::device) fn cooler_light(&self) -> State {
        let busy = self.cooler.regulating.is_some() || self.cooler.warming;
        match worst(&self.alarm_lights()) {
            State::Alert => State::Alert,
            _ if !self.cooler.on => State::Idle,
            _ if busy => State::Busy,
            _ => State::Ok,
        }
    }
}
