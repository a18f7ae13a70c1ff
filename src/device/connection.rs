//! Whether the camera is there: connect, disconnect, and a camera that is lost and found again.
//!
//! A client sees CONNECTION Ok and then, in one burst, every vector of the connected camera with real values. A camera
//! that is lost while connected keeps all its vectors (clients hold on to them) and CONNECT on; CONNECTION turns Alert
//! and the camera is tried again, with growing pauses, until it is back or the client disconnects. A camera thread
//! that does not answer within a call's deadline is given up and replaced.

use std::time::Duration;

use crate::camera::call::{Call, Reply};
use crate::camera::error::{CameraError, ErrorKind};
use crate::camera::types::Capabilities;
use crate::property::key::Key;
use crate::property::keys::{self, Connection};
use crate::wire::{Perm, State};

use super::timer::Timer;
use super::{Device, Epoch, Handlers, Level};

/// `DRIVER_INTERFACE` of a camera.
const INTERFACE_CCD: u32 = 2;
/// What a guide port adds to it: PHD2 looks for guide vectors only then.
const INTERFACE_GUIDER: u32 = 4;

/// A camera that needs longer to open than this has hung.
const CONNECT_DEADLINE: Duration = Duration::from_secs(30);
/// A camera that needs longer to answer than this has hung.
const CALL_DEADLINE: Duration = Duration::from_secs(10);
/// No sensor collects light for longer, in seconds; and no clock arithmetic overflows below it.
const LONGEST_EXPOSURE: f64 = 1e6;
/// Pause before a lost camera is tried again; doubled after each failure.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The longest time between two set points of a ramp.
const LONGEST_RAMP_STEP: Duration = Duration::from_secs(1);
/// A camera is asked for its temperature at least this often, however badly it fits.
const LONGEST_SILENCE: Duration = Duration::from_secs(3);
/// Camera threads that may be given up. Each keeps its stack and whatever its driver holds, so there must be an end.
const MAX_ABANDONED: u32 = 3;

/// Where the connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// Nobody wants the camera.
    Off,
    /// The camera is being opened.
    Opening,
    /// It is open and is being asked for its settings.
    Asking,
    /// The camera answers.
    On,
    /// Nobody wants the camera; it stays open until its sensor is warm. To clients it is off.
    Parting,
    /// The camera is gone, and somebody wants it.
    Lost {
        /// Attempts to open it that have failed since.
        failures: u32,
    },
}

/// How long the camera may take to answer.
pub(super) fn call_deadline(call: &Call) -> Duration {
    match call {
        Call::Connect(_) | Call::Reconnect(_) => CONNECT_DEADLINE,
        _ => CALL_DEADLINE,
    }
}

pub(super) fn register(on: &mut Handlers) {
    on.change(&keys::CONNECTION, Device::change_connection);
    on.change(&keys::POLLING_PERIOD, Device::change_polling_period);
}

impl Device {
    fn change_connection(&mut self, wanted: Connection) {
        match (wanted, self.link) {
            (Connection::Connect, Link::On) => self.publish(&keys::CONNECTION, wanted, State::Ok),
            (Connection::Connect, Link::Opening | Link::Asking) => self.send(&keys::CONNECTION),
            (Connection::Connect, _) if self.is_worn_out() => {
                self.refuse(keys::CONNECTION.vector(), &worn_out());
            }
            (Connection::Connect, Link::Off | Link::Parting) => {
                if self.link == Link::Parting {
                    self.stop_parting();
                    self.say(Level::Info, "the warm-up has ended: the cooler holds what was reached");
                }
                self.link = Link::Opening;
                // Clients take CONNECT On for connected, whatever the state, so it stays Off until it is true.
                self.publish(&keys::CONNECTION, Connection::Disconnect, State::Busy);
                self.ask(Call::Connect(self.camera.clone()));
            }
            (Connection::Connect, Link::Lost { .. }) => {
                self.send(&keys::CONNECTION);
                self.try_again();
            }
            (Connection::Disconnect, Link::Off | Link::Parting) => {
                self.publish(&keys::CONNECTION, wanted, State::Idle);
            }
            (Connection::Disconnect, _) => self.disconnect(false),
        }
    }

    fn disconnect(&mut self, exiting: bool) {
        let answers = self.link == Link::On;
        self.forget_exposure();
        self.link = Link::Off;
        self.timers.clear(Timer::Poll);
        self.timers.clear(Timer::Reconnect);
        self.calls.clear();
        self.publish(&keys::CONNECTION, Connection::Disconnect, State::Idle);
        for name in self.on_connect.clone() {
            self.withdraw(&name);
        }
        self.leave_camera(answers, exiting);
        self.forget_pulses();
    }

    pub(super) fn connect_answered(&mut self, result: Result<Reply, CameraError>) {
        if self.calls.iter().any(|call| matches!(call, Call::Connect(_))) {
            // A newer wish waits behind this answer.
            return;
        }
        let opened = match result {
            Ok(Reply::Connected(capabilities)) => usable(*capabilities),
            Ok(_) => Err("connect: the camera answered something else".to_owned()),
            Err(error) => Err(error.to_string()),
        };
        match (self.link, opened) {
            (Link::Opening, Ok(capabilities)) => {
                self.link = Link::Asking;
                self.adopt(capabilities);
                self.apply_saved();
                self.ask_settings();
                self.ask(Call::Polling);
            }
            (Link::Opening | Link::Asking, Err(sentence)) => self.connect_failed(&sentence),
            (Link::Lost { .. }, Ok(capabilities)) => {
                self.adopt(capabilities);
                self.reapply_settings();
                self.link = Link::On;
                self.say(Level::Info, &format!("{} is back", self.camera.name));
                self.publish(&keys::CONNECTION, Connection::Connect, State::Ok);
                for key in [keys::CCD_INFO.vector(), keys::CCD_FRAME.vector(), keys::CCD_BINNING.vector()] {
                    self.send_by_name(key);
                }
                self.poll();
            }
            (Link::Lost { .. }, Err(_)) if self.is_worn_out() => {
                self.say(Level::Error, &format!("{} is given up: {}", self.camera.name, worn_out_advice()));
            }
            (Link::Lost { failures }, Err(_)) => {
                self.link = Link::Lost { failures: failures.saturating_add(1) };
                let pause = FIRST_PAUSE.saturating_mul(1 << failures.min(5)).min(LONGEST_PAUSE);
                self.timers.set(Timer::Reconnect, self.now.elapsed + pause);
            }
            // Asked by an earlier wish than the present one.
            (Link::Off | Link::On | Link::Parting, _) | (Link::Asking, Ok(_)) => {}
        }
    }

    fn connect_failed(&mut self, why: &str) {
        self.link = Link::Off;
        self.say(Level::Error, &format!("cannot connect to {}: {why}", self.camera.name));
        self.publish(&keys::CONNECTION, Connection::Disconnect, State::Alert);
    }

    pub(super) fn disconnect_answered(&mut self, result: Result<Reply, CameraError>) {
        if let Err(error) = result {
            self.say(Level::Warning, &format!("{} did not close: {error}", self.camera.name));
        }
    }

    /// The settings of a camera that is being connected are all known: show it.
    pub(super) fn established(&mut self) {
        let Some(capabilities) = self.capabilities.clone() else { return };
        self.link = Link::On;
        self.publish(&keys::CONNECTION, Connection::Connect, State::Ok);
        for name in self.on_connect.clone() {
            if self.offers(&capabilities, &name) {
                self.send_definition(&name);
            }
        }
        self.schedule_poll();
    }

    /// Notices a camera that says it is gone.
    pub(super) fn watch_link(&mut self, call: &Call, result: &Result<Reply, CameraError>) {
        let opening = matches!(call, Call::Connect(_) | Call::Reconnect(_) | Call::Disconnect);
        if let Err(error) = result
            && matches!(error.kind, ErrorKind::Disconnected | ErrorKind::NotConnected)
            && !opening
        {
            self.lost(&error.to_string());
        }
    }

    pub(super) fn lost(&mut self, why: &str) {
        match self.link {
            Link::On => {}
            Link::Asking => {
                self.calls.clear();
                self.connect_failed(why);
                return self.ask(Call::Disconnect);
            }
            _ => return,
        }
        self.link = Link::Lost { failures: 0 };
        self.timers.clear(Timer::Poll);
        let worn_out = self.is_worn_out();
        let next = if worn_out { worn_out_advice() } else { "trying to get it back" };
        self.say(Level::Error, &format!("{} is lost ({why}); {next}", self.camera.name));
        self.fail_exposure("the camera is lost");
        self.lose_cooler();
        self.lose_pulses();
        self.settle(&keys::CONNECTION, State::Alert);
        if !worn_out {
            self.timers.set(Timer::Reconnect, self.now.elapsed + FIRST_PAUSE);
        }
    }

    pub(super) fn try_again(&mut self) {
        if matches!(self.link, Link::Lost { .. })
            && !self.calls.iter().any(|call| matches!(call, Call::Reconnect(_)))
        {
            self.timers.clear(Timer::Reconnect);
            self.ask(Call::Reconnect(self.camera.clone()));
        }
    }

    /// The camera thread hangs: give it up, and answer in its place whatever was asked of it.
    pub(super) fn call_overdue(&mut self) {
        let Some(call) = self.outstanding.take() else { return };
        self.epoch = Epoch(self.epoch.0 + 1);
        // A wish to connect is one of the next thread just the same.
        let (wishes, unasked): (Vec<Call>, Vec<Call>) =
            self.calls.drain(..).partition(|call| matches!(call, Call::Connect(_)));
        self.calls.extend(wishes);
        let seconds = call_deadline(&call).as_secs();
        let error = CameraError::new(
            ErrorKind::Timeout,
            "call",
            format!("{} was not answered within {seconds} s", call.name()),
        );
        self.lost(&error.to_string());
        self.answered(&call, Err(error));
        for call in unasked {
            self.answered(&call, Err(gone()));
        }
    }

    /// Queues a call, or answers it in the camera's place when no thread may be started for it any more.
    pub(super) fn ask(&mut self, call: Call) {
        if self.is_worn_out() {
            self.answered(&call, Err(gone()));
            return;
        }
        match call {
            // Nothing that waits is worth waiting for.
            Call::AbortExposure => self.calls.push_front(call),
            // Of a slider that is being moved only the last place counts.
            Call::SetGain(_) | Call::SetOffset(_) | Call::CoolingTo(_) => {
                let kind = std::mem::discriminant(&call);
                self.calls.retain(|waiting| std::mem::discriminant(waiting) != kind);
                self.calls.push_back(call);
            }
            call => self.calls.push_back(call),
        }
    }

    fn is_worn_out(&self) -> bool {
        self.epoch.0 >= MAX_ABANDONED
    }

    fn change_polling_period(&mut self, [milliseconds]: [f64; 1]) {
        self.publish(&keys::POLLING_PERIOD, [milliseconds], State::Ok);
        if self.timers.is_set(Timer::Poll) {
            self.schedule_poll();
        }
    }

    pub(super) fn schedule_poll(&mut self) {
        let [milliseconds] = self.store.get(&keys::POLLING_PERIOD);
        // A skeleton of somebody else's may allow anything.
        let mut period = Duration::from_secs_f64((milliseconds / 1e3).clamp(0.01, 600.0));
        if self.cooler.is_ramping() {
            // However rarely the user wants to hear of the camera, a ramp has no steps.
            period = period.min(LONGEST_RAMP_STEP);
        }
        self.timers.set(Timer::Poll, self.now.elapsed + period);
    }

    pub(super) fn poll(&mut self) {
        if !matches!(self.link, Link::On | Link::Parting) {
            return;
        }
        self.schedule_poll();
        let asked = self.outstanding.iter().chain(&self.calls).any(|call| matches!(call, Call::Polling));
        // In a run of short exposures there is never a good moment, and the cooler must be looked after all the same.
        let silence = self.now.elapsed.saturating_sub(self.cooler.polled);
        if !asked && (!self.is_about_to_read_out() || silence >= LONGEST_SILENCE) {
            self.ask(Call::Polling);
        }
    }

    fn adopt(&mut self, capabilities: Capabilities) {
        self.adopt_formats(&capabilities);
        self.adopt_sensor(&capabilities);
        self.adopt_exposure(&capabilities);
        self.adopt_cooler(&capabilities);
        self.adopt_controls(&capabilities);
        self.forget_scene();
        if let Some(bayer) = &capabilities.sensor.bayer {
            let (x, y) = (bayer.offset_x.to_string(), bayer.offset_y.to_string());
            self.store.set(&keys::CCD_CFA, [x, y, bayer.pattern.clone()]);
        }
        self.store.set(&keys::ADC_DEPTH, [f64::from(capabilities.sensor.adc_bits)]);
        self.store.set(&keys::SDK, [capabilities.sdk.clone().unwrap_or_default()]);
        self.adopt_interface(capabilities.guide_port);
        let perm = if capabilities.cooler.is_some() { Perm::Rw } else { Perm::Ro };
        self.store.set_perm(&keys::CCD_TEMPERATURE, perm);
        self.capabilities = Some(capabilities);
    }

    pub(super) fn adopt_interface(&mut self, guide_port: bool) {
        let interface = INTERFACE_CCD + if guide_port { INTERFACE_GUIDER } else { 0 };
        let [name, exec, version, _] = self.store.get(&keys::DRIVER_INFO);
        let info = [name, exec, version, interface.to_string()];
        self.publish_news(&keys::DRIVER_INFO, info, self.store.state(&keys::DRIVER_INFO));
    }

    /// Whether a camera with these capabilities has a vector.
    pub(super) fn offers(&self, capabilities: &Capabilities, vector: &str) -> bool {
        let needs = [
            (keys::CCD_TEMPERATURE.vector(), capabilities.thermometer),
            (keys::CCD_TEMPERATURE_TARGET.vector(), capabilities.cooler.is_some()),
            (keys::CCD_TEMP_RAMP.vector(), capabilities.cooler.is_some()),
            (keys::COOLER_POLICY.vector(), capabilities.cooler.is_some()),
            (keys::CCD_COOLER.vector(), capabilities.cooler.is_some()),
            (keys::CCD_COOLER_POWER.vector(), capabilities.cooler_power),
            (keys::CCD_GAIN.vector(), capabilities.gain.is_some()),
            (keys::CCD_OFFSET.vector(), capabilities.offset.is_some()),
            (keys::CCD_CAPTURE_FORMAT.vector(), !capabilities.formats.is_empty()),
            (keys::CCD_CFA.vector(), capabilities.sensor.bayer.is_some()),
            (keys::TELESCOPE_TIMED_GUIDE_NS.vector(), capabilities.guide_port),
            (keys::TELESCOPE_TIMED_GUIDE_WE.vector(), capabilities.guide_port),
            (keys::SERIAL_NUMBER.vector(), self.camera.serial.is_some()),
            (keys::SDK.vector(), capabilities.sdk.is_some()),
        ];
        needs.iter().find(|(name, _)| *name == vector).is_none_or(|(_, has)| *has)
    }

    pub(super) fn shut_down(&mut self) {
        match self.link {
            Link::Off => {}
            Link::Parting => self.parting_overdue(),
            _ => self.disconnect(true),
        }
    }
}

/// A sensor without pixels, or with exposure times that are none, cannot be served.
fn usable(capabilities: Capabilities) -> Result<Capabilities, String> {
    let times = capabilities.exposure;
    match (capabilities.sensor.width, capabilities.sensor.height) {
        (0, _) | (_, 0) => Err("connect: the camera reports a sensor without pixels".to_owned()),
        _ if !(0.0 <= times.min && times.min <= times.max && times.max <= LONGEST_EXPOSURE) => {
            Err(format!("connect: the camera reports exposure times of {} to {} s", times.min, times.max))
        }
        _ => Ok(capabilities),
    }
}

fn gone() -> CameraError {
    CameraError::new(ErrorKind::Disconnected, "call", "the camera thread is gone")
}

fn worn_out_advice() -> &'static str {
    "it has hung too often, so restart the driver after power-cycling the camera"
}

fn worn_out() -> String {
    format!("the camera cannot be connected: {}", worn_out_advice())
}
