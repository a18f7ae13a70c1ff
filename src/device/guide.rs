//! Pulses on the guide port: one per axis at a time, the axes independent of each other.
//!
//! A pulse is Busy from the client's wish to its end, which is exactly one set: Ok with zeros, or Alert. The camera
//! only begins it; the end is timed here, from the moment at which the camera said that the pulse runs. A new pulse
//! takes the place of the one that runs on its axis, whose end is then that of the new one; a pulse of 0 ms stops.
//!
//! PHD2 takes every set that is not Busy for the end of its pulse, so nothing else is ever sent about these vectors.

use std::time::Duration;

use crate::camera::call::{Call, Reply};
use crate::camera::error::CameraError;
use crate::camera::types::Value;
use crate::property::key::{Key, Number};
use crate::property::keys;
use crate::wire::State;

use super::timer::Timer;
use super::{Device, Handlers};

/// The vendor function that cameras with a guide port have: `direction` n, s, w or e and `ms`.
pub(super) const PULSE: &str = "pulse_guide";

/// The pulses that have been asked for and have not ended.
#[derive(Debug, Default)]
pub(super) struct Guide {
    pulses: [Option<Pulse>; 2],
}

#[derive(Clone, Debug)]
struct Pulse {
    direction: &'static str,
    length: Duration,
    /// By which its answer is known.
    call: Call,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Axis {
    NorthSouth,
    WestEast,
}

const AXES: [Axis; 2] = [Axis::NorthSouth, Axis::WestEast];

impl Axis {
    fn key(self) -> Number<2> {
        match self {
            Axis::NorthSouth => keys::TELESCOPE_TIMED_GUIDE_NS,
            Axis::WestEast => keys::TELESCOPE_TIMED_GUIDE_WE,
        }
    }

    /// By element.
    fn directions(self) -> [&'static str; 2] {
        match self {
            Axis::NorthSouth => ["n", "s"],
            Axis::WestEast => ["w", "e"],
        }
    }

    fn timer(self) -> Timer {
        match self {
            Axis::NorthSouth => Timer::PulseNorthSouth,
            Axis::WestEast => Timer::PulseWestEast,
        }
    }
}

/// Whether a vector is that of a guide pulse.
pub(super) fn is_pulse(vector: &str) -> bool {
    AXES.iter().any(|axis| axis.key().vector() == vector)
}

pub(super) fn register(on: &mut Handlers) {
    on.change(&keys::TELESCOPE_TIMED_GUIDE_NS, |device, pair| device.guide(Axis::NorthSouth, pair));
    on.change(&keys::TELESCOPE_TIMED_GUIDE_WE, |device, pair| device.guide(Axis::WestEast, pair));
}

impl Device {
    fn guide(&mut self, axis: Axis, pair: [f64; 2]) {
        let key = axis.key();
        if self.refused_while_lost(&key) {
            return;
        }
        let name = key.vector();
        let running = self.guide.pulses[axis as usize].as_ref().map(|pulse| pulse.direction);
        let [first, second] = axis.directions();
        let (direction, milliseconds) = match (pair, running) {
            ([0.0, 0.0], None) => return self.publish(&key, pair, State::Ok),
            ([0.0, 0.0], Some(running)) => (running, 0.0),
            ([milliseconds, 0.0], _) => (first, milliseconds),
            ([0.0, milliseconds], _) => (second, milliseconds),
            ([a, b], _) => {
                let rule = "a pulse goes one way, so one of them is 0";
                return self.refuse(name, &format!("{name} cannot be {a} and {b}: {rule}"));
            }
        };
        let call = pulse(direction, milliseconds);
        let length = Duration::try_from_secs_f64(milliseconds / 1e3).unwrap_or_default();
        // A pulse that this one replaces has no end of its own any more, and need not begin if it has not.
        self.timers.clear(axis.timer());
        if let Some(Pulse { call: replaced, .. }) = self.guide.pulses[axis as usize].take() {
            self.calls.retain(|call| *call != replaced);
        }
        self.guide.pulses[axis as usize] = Some(Pulse { direction, length, call: call.clone() });
        self.publish(&key, pair, State::Busy);
        self.ask(call);
    }

    pub(super) fn pulse_answered(&mut self, call: &Call, result: Result<Reply, CameraError>) {
        // The answer about a pulse that has been replaced concerns nobody.
        let axis = AXES
            .into_iter()
            .find(|axis| self.guide.pulses[*axis as usize].as_ref().is_some_and(|pulse| pulse.call == *call));
        let Some(axis) = axis else { return };
        match result {
            Ok(_) => {
                let length =
                    self.guide.pulses[axis as usize].as_ref().map_or(Duration::ZERO, |pulse| pulse.length);
                self.timers.set(axis.timer(), self.now.elapsed + length);
            }
            Err(error) => {
                self.guide.pulses[axis as usize] = None;
                self.store.set(&axis.key(), [0.0; 2]);
                self.store.set_state(axis.key().vector(), State::Idle);
                self.refuse_as(error.kind, axis.key().vector(), &error.to_string());
            }
        }
    }

    pub(super) fn pulse_over(&mut self, axis: Axis) {
        self.guide.pulses[axis as usize] = None;
        self.publish(&axis.key(), [0.0; 2], State::Ok);
    }

    /// The camera is lost, and nobody knows what its guide port does.
    pub(super) fn lose_pulses(&mut self) {
        for axis in AXES {
            self.timers.clear(axis.timer());
            if self.guide.pulses[axis as usize].take().is_some() {
                self.publish(&axis.key(), [0.0; 2], State::Alert);
            }
        }
    }

    /// Stops the pulses of a camera that nobody wants and that stays open.
    pub(super) fn stop_pulses(&mut self) {
        for axis in AXES {
            let running = self.guide.pulses[axis as usize].as_ref().map(|pulse| pulse.direction);
            if let Some(direction) = running {
                self.ask(pulse(direction, 0.0));
            }
        }
    }

    /// Whether a pulse runs.
    pub(super) fn is_guiding(&self) -> bool {
        self.guide.pulses.iter().any(Option::is_some)
    }

    /// Nobody wants to know any more: the camera is being closed, which stops its pulses.
    pub(super) fn forget_pulses(&mut self) {
        self.guide = Guide::default();
        for axis in AXES {
            self.timers.clear(axis.timer());
            self.store.set(&axis.key(), [0.0; 2]);
            self.store.set_state(axis.key().vector(), State::Idle);
        }
    }
}

fn pulse(direction: &str, milliseconds: f64) -> Call {
    let params = vec![
        ("direction".to_owned(), Value::Text(direction.to_owned())),
        ("ms".to_owned(), Value::Number(milliseconds)),
    ];
    Call::Vendor { name: PULSE.to_owned(), params }
}
