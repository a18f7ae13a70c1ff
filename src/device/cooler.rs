//! Temperature: a target that a client sets, a measurement that it sees.
//!
//! A write to CCD_TEMPERATURE is the target and switches the cooler on; the vector is Busy until the sensor is within
//! RAMP_THRESHOLD of it, and Alert if it stops getting nearer. While regulating, and for a few readings after, the
//! value is sent with every reading: Ekos ignores the first value after its request and then waits for the next. A sensor
//! that leaves its target by itself makes the vector Busy again.
//!
//! With a RAMP_SLOPE the camera is never given the target at once: its set point moves there with every reading, from
//! where the sensor is ([`Ramp`]). Switched off, the cooler then warms the sensor up along the ramp first. A slope that
//! changes under way counts from there on; 0 goes the rest of the way at once.
//!
//! A request that the camera refuses leaves whatever was under way as it was.

use crate::camera::answer::CoolingState;
use crate::camera::call::{Call, Reply};
use crate::camera::error::CameraError;
use crate::camera::types::{Capabilities, Celsius};
use crate::property::key::Key;
use crate::property::keys::{self, Cooler as CoolerSwitch};
use crate::wire::State;

use super::connection::Link;
use super::{Device, Handlers, Level, limits};

mod alarm;
mod parting;
mod ramp;
mod readings;

pub(super) use readings::is_possible;

use ramp::{Ramp, Regulating};

/// Readings that are sent after the target was reached, changed or not.
const AFTERWARDS: u32 = 5;
/// Where a warm-up ends, °C: a sensor as warm as a room may go the rest of its way at once.
const WARM: Celsius = 20.0;

/// What the cooler is doing.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts")]
pub(super) struct Cooler {
    /// When the camera last said how warm it is.
    pub(super) polled: std::time::Duration,
    /// The target that was set last.
    target: Option<Celsius>,
    on: bool,
    regulating: Option<Regulating>,
    /// The set point on its way, to the target or to where the sensor is warm.
    ramp: Option<Ramp>,
    /// The cooler is to be switched off as soon as the sensor is warm.
    warming: bool,
    /// The camera has not answered yet.
    requested: Option<Request>,
    /// What to go on with as soon as a camera that was lost has said how warm it is.
    resume: Option<Resume>,
    /// The sensor does not get to the target.
    stalled: bool,
    /// The camera has refused a set point of this ramp.
    complained: bool,
    /// Readings still to be sent although nothing changed.
    afterwards: u32,
    /// The temperature told last; absent until there is one.
    shown: Option<Celsius>,
    /// The target that the sensor has reached and where it is to stay.
    held: Option<Celsius>,
    thermometer: Thermometer,
    alarms: alarm::Alarms,
}

/// Whether the camera's readings are any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Thermometer {
    #[default]
    Works,
    /// Clients have been told why.
    Fails,
}

/// A new target, as long as the camera may still refuse it.
#[derive(Clone, Copy, Debug)]
struct Request {
    target: Celsius,
    ramp: Ramp,
}

#[derive(Clone, Copy, Debug)]
enum Resume {
    Regulating(Celsius),
    Warming,
}

impl Cooler {
    /// Whether a set point is on its way, so that readings must not be far apart.
    pub(super) fn is_ramping(&self) -> bool {
        self.ramp.is_some()
    }

    /// Whether clients have been told a target.
    pub(super) fn has_target(&self) -> bool {
        self.target.is_some() || self.warming
    }

    /// What it does, in one word.
    pub(super) fn state(&self) -> CoolingState {
        match self.on {
            false => CoolingState::Off,
            true if self.warming => CoolingState::Warming,
            true if self.regulating.is_some() => CoolingState::Cooling,
            true if self.stalled => CoolingState::Stalled,
            true => CoolingState::Stable,
        }
    }
}

pub(super) fn register(on: &mut Handlers) {
    on.change(&keys::CCD_TEMPERATURE, Device::cool_to);
    on.change(&keys::CCD_COOLER, Device::switch_cooler);
    on.change(&keys::CCD_TEMP_RAMP, Device::change_ramp);
    on.keep(&keys::COOLER_POLICY);
}

impl Device {
    fn cool_to(&mut self, [target]: [f64; 1]) {
        if self.refused_while_lost(&keys::CCD_TEMPERATURE) {
            return;
        }
        // Busy before the camera has answered, so that a script which waits for the end does not see an older Ok.
        self.settle(&keys::CCD_TEMPERATURE, State::Busy);
        self.head_for(target);
    }

    /// Asks the camera for the first set point on the way to a target; the rest follows when it has agreed.
    fn head_for(&mut self, target: Celsius) {
        let [slope, _] = self.store.get(&keys::CCD_TEMP_RAMP);
        let from = self.sensor().unwrap_or(target);
        let ramp = Ramp::new(self.within_reach(from), target, slope, self.now.elapsed);
        self.cooler.requested = Some(Request { target, ramp });
        self.ask(Call::CoolingTo(ramp.given()));
    }

    fn switch_cooler(&mut self, switch: CoolerSwitch) {
        if self.refused_while_lost(&keys::CCD_COOLER) {
            return;
        }
        let [slope, _] = self.store.get(&keys::CCD_TEMP_RAMP);
        match (switch, self.cooler.target) {
            (CoolerSwitch::On, Some(target)) if slope > 0.0 => self.head_for(target),
            (CoolerSwitch::On, _) => self.ask(Call::Cooling(true)),
            (CoolerSwitch::Off, _) if self.cooler.on => self.warm_up(slope),
            (CoolerSwitch::Off, _) => self.ask(Call::Cooling(false)),
        }
    }

    /// Switches the cooler off as soon as the sensor is warm; without a slope, or warm already, now.
    fn warm_up(&mut self, slope: f64) {
        self.cooler.requested = None;
        let warm = self.within_reach(WARM);
        let from = self.sensor().map_or(warm, |sensor| self.within_reach(sensor));
        let ramp = Ramp::new(from, warm, slope, self.now.elapsed);
        if ramp.is_over() || from >= warm {
            return self.ask(Call::Cooling(false));
        }
        if !self.cooler.warming {
            self.cooler.ramp = Some(ramp);
            self.cooler.regulating = None;
            self.cooler.held = None;
            self.cooler.warming = true;
            self.cooler.complained = false;
            self.calm_alarms();
            self.ask(Call::CoolingTo(ramp.given()));
            self.schedule_poll();
        }
        self.settle(&keys::CCD_TEMPERATURE, State::Busy);
        self.show_cooler();
    }

    fn change_ramp(&mut self, [slope, threshold]: [f64; 2]) {
        let [before, _] = self.store.get(&keys::CCD_TEMP_RAMP);
        self.publish(&keys::CCD_TEMP_RAMP, [slope, threshold], State::Ok);
        if (slope - before).abs() > 0.0 {
            let sentence = match slope {
                0.0 => "the set point goes to its target at once".to_owned(),
                _ => format!("the set point moves by {slope} C per minute"),
            };
            self.say(Level::Info, &sentence);
            if let Some(ramp) = &mut self.cooler.ramp {
                ramp.turn(slope, self.now.elapsed);
            }
        }
    }

    pub(super) fn cooling_answered(&mut self, call: &Call, result: Result<Reply, CameraError>) {
        match (call, result) {
            (Call::CoolingTo(given), Ok(_)) => {
                if let Some(Request { target, ramp }) = self.answered_request(*given) {
                    self.cooler.target = Some(target);
                    self.cooler.ramp = (!ramp.is_over()).then_some(ramp);
                    self.regulate(target);
                }
            }
            (Call::Cooling(true), Ok(_)) => {
                self.cooler.ramp = None;
                if let Some(target) = self.cooler.target {
                    self.regulate(target);
                } else {
                    self.cooler.on = true;
                    self.calm_alarms();
                    self.show_cooler();
                }
            }
            (_, Ok(_)) => {
                self.cooler.on = false;
                self.stop_regulating();
                self.calm_alarms();
                self.cooler.afterwards = AFTERWARDS;
                self.show_cooler();
                self.end_parting();
            }
            (Call::CoolingTo(given), Err(error)) => {
                if self.answered_request(*given).is_some() {
                    if self.cooler.regulating.is_none() && !self.cooler.warming {
                        self.store.set_state(keys::CCD_TEMPERATURE.vector(), State::Idle);
                    }
                    self.refuse_as(error.kind, keys::CCD_TEMPERATURE.vector(), &error.to_string());
                } else if self.cooler.ramp.is_some() && !self.cooler.complained {
                    // The next reading brings the next set point; a sensor that does not follow shows as stalled.
                    self.cooler.complained = true;
                    self.say(Level::Warning, &format!("a set point of the ramp was refused: {error}"));
                }
            }
            (call, Err(error)) => {
                if *call == Call::Cooling(false) {
                    if self.cooler.warming {
                        self.stop_regulating();
                        self.show_cooler();
                    }
                    self.end_parting();
                }
                self.refuse_as(error.kind, keys::CCD_COOLER.vector(), &error.to_string());
            }
        }
    }

    /// The client's request that the camera has answered, if it was not a mere step of a ramp.
    fn answered_request(&mut self, given: Celsius) -> Option<Request> {
        self.cooler.requested.take_if(|request| request.ramp.given().total_cmp(&given).is_eq())
    }

    /// The camera regulates, or is on its way along the ramp.
    fn regulate(&mut self, target: Celsius) {
        self.cooler.on = true;
        if matches!(self.link, Link::Lost { .. }) {
            // It agreed and was lost before it could be heard: it is asked again when it is back.
            self.cooler.ramp = None;
            self.cooler.resume = Some(Resume::Regulating(target));
            return;
        }
        self.cooler.warming = false;
        self.cooler.complained = false;
        self.cooler.stalled = false;
        self.cooler.held = None;
        self.calm_alarms();
        let [value] = self.store.get(&keys::CCD_TEMPERATURE);
        self.cooler.regulating = Some(Regulating::new(target, value, self.now.elapsed));
        self.settle(&keys::CCD_TEMPERATURE, State::Busy);
        self.show_cooler();
        if self.cooler.is_ramping() {
            self.schedule_poll();
        }
        self.judge(value);
    }

    fn stop_regulating(&mut self) {
        self.cooler.regulating = None;
        self.cooler.ramp = None;
        self.cooler.warming = false;
        self.cooler.stalled = false;
        self.cooler.held = None;
        let state = if self.cooler.requested.is_some() { State::Busy } else { State::Idle };
        self.settle(&keys::CCD_TEMPERATURE, state);
    }

    /// How warm the sensor is, as far as the camera has said.
    pub(super) fn sensor(&self) -> Option<Celsius> {
        self.cooler.shown?;
        let [value] = self.store.get(&keys::CCD_TEMPERATURE);
        Some(value)
    }

    /// A temperature that the camera can be asked for.
    fn within_reach(&self, temperature: Celsius) -> Celsius {
        let cooler = self.capabilities.as_ref().and_then(|camera| camera.cooler);
        cooler.map_or(temperature, |cooler| temperature.min(cooler.max))
    }

    fn show_cooler(&mut self) {
        let busy = self.cooler.regulating.is_some() || self.cooler.warming;
        let (switch, state) = match (self.cooler.on, busy) {
            (true, true) => (CoolerSwitch::On, State::Busy),
            (true, false) => (CoolerSwitch::On, State::Ok),
            (false, _) => (CoolerSwitch::Off, State::Idle),
        };
        self.publish(&keys::CCD_COOLER, switch, state);
        self.show_target();
        self.show_alarms();
    }

    /// Where the sensor is to go in the end and now, if that is news.
    fn show_target(&mut self) {
        let ramp = self.cooler.ramp;
        let target = match ramp {
            Some(ramp) if self.cooler.warming => Some(ramp.target()),
            _ => self.cooler.target,
        };
        let Some(target) = target else { return };
        let state = match (self.cooler.on, ramp) {
            (false, _) => State::Idle,
            (true, Some(_)) => State::Busy,
            (true, None) => State::Ok,
        };
        let values = [target, ramp.map_or(target, |ramp| ramp.given())];
        self.publish_news(&keys::CCD_TEMPERATURE_TARGET, values, state);
    }

    pub(super) fn adopt_cooler(&mut self, capabilities: &Capabilities) {
        if let Some(range) = capabilities.cooler {
            self.store.set_limits(&keys::CCD_TEMPERATURE, &[limits(range)]);
        }
        self.cooler.shown = None;
    }

    /// The camera is lost, and with it whatever it was doing to its temperature.
    pub(super) fn lose_cooler(&mut self) {
        let resume = match self.cooler.target {
            _ if self.cooler.warming => Some(Resume::Warming),
            Some(target) if self.cooler.on => Some(Resume::Regulating(target)),
            _ => None,
        };
        self.cooler.resume = self.cooler.resume.take().or(resume);
        let awaited = self.cooler.requested.is_some() || self.cooler.warming;
        if self.cooler.regulating.take().is_some() || awaited {
            self.settle(&keys::CCD_TEMPERATURE, State::Alert);
        }
        self.cooler.ramp = None;
        self.cooler.warming = false;
        self.cooler.held = None;
        self.alarm_of_lost_camera();
        // Nothing is under way any more, whatever the cooler itself goes on doing.
        for vector in [keys::CCD_COOLER.vector(), keys::CCD_TEMPERATURE_TARGET.vector()] {
            if self.store.vector(vector).is_some_and(|vector| vector.state == State::Busy) {
                self.store.set_state(vector, State::Alert);
                self.send_by_name(vector);
            }
        }
    }

    /// Nobody wants to know any more. The camera itself goes on as it is.
    pub(super) fn forget_cooler(&mut self) {
        let Cooler { target, on, .. } = self.cooler;
        self.cooler = Cooler { target, on, ..Cooler::default() };
        self.store.set_state(keys::CCD_TEMPERATURE.vector(), State::Idle);
    }
}
