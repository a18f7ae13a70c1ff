//! Whether the camera is there: connect, disconnect, and a camera that is lost and found again.
//!
//! A client sees CONNECTION Ok and then, in one burst, every vector of the connected camera with real values. A camera
//! that is lost while connected keeps all its vectors (clients hold on to them) and CONNECT on; CONNECTION turns Alert
//! and the camera is tried again, with growing pauses, until it is back or the client disconnects.

use std::time::Duration;

use crate::camera::call::{Call, Reply};
use crate::camera::error::{CameraError, ErrorKind};
use crate::camera::types::CameraId;
use crate::property::key::Key;
use crate::property::keys::{self, Connection};
use crate::wire::State;

use super::abilities::usable;
use super::asking::{worn_out, worn_out_advice};
use super::health::Count;
use super::timer::Timer;
use super::{Device, Handlers, Level};

/// Pause before a lost camera is tried again; doubled after each failure.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The longest time between two set points of a ramp.
const LONGEST_RAMP_STEP: Duration = Duration::from_secs(1);
/// A camera is asked for its temperature at least this often, however badly it fits.
const LONGEST_SILENCE: Duration = Duration::from_secs(3);

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
                self.refuse_as(ErrorKind::Disconnected, keys::CONNECTION.vector(), &worn_out());
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
        self.link = Link::Off;
        self.forget_exposure();
        self.timers.clear(Timer::Poll);
        self.timers.clear(Timer::Reconnect);
        self.calls.clear();
        self.interrupt_call("the camera has been disconnected");
        if answers {
            // What was accepted during an exposure is what the camera is to have.
            self.apply_pending_controls();
        }
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
            (Link::Lost { .. }, Err(sentence)) if self.is_worn_out() => {
                self.note_no_connection(&sentence);
                if self.store.state(&keys::CONNECTION) == State::Busy {
                    self.settle(&keys::CONNECTION, State::Alert);
                }
                self.say(Level::Error, &format!("{} is given up: {}", self.camera.name, worn_out_advice()));
            }
            (Link::Lost { failures }, Err(sentence)) => {
                self.note_no_connection(&sentence);
                if self.store.state(&keys::CONNECTION) == State::Busy {
                    self.settle(&keys::CONNECTION, State::Alert);
                }
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
        self.note_no_connection(why);
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
        self.prepare_health();
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
        self.interrupt_call("the camera is lost");
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

    /// Closes and opens a camera that is there, as if it had been lost and found: clients keep all its vectors.
    pub(super) fn reopen(&mut self) {
        if self.link == Link::On {
            if self.store.state(&keys::CCD_EXPOSURE) == State::Busy {
                self.stop_exposures();
            }
            self.let_go();
        }
        self.try_again();
    }

    /// Closes and opens a camera that does not do what it is asked. Frames that it has read out are still delivered.
    pub(super) fn open_again(&mut self, why: &str) {
        if self.link == Link::On {
            self.say(Level::Error, &format!("{} is opened again: {why}", self.camera.name));
            self.let_go();
            // One that a client has asked for meanwhile would end with the camera, and nobody would hear of it.
            self.fail_exposure("the camera is opened again");
            self.try_again();
        }
    }

    fn let_go(&mut self) {
        self.link = Link::Lost { failures: 0 };
        self.timers.clear(Timer::Poll);
        self.lose_cooler();
        self.lose_pulses();
        self.settle(&keys::CONNECTION, State::Busy);
    }

    pub(super) fn try_again(&mut self) {
        let mut asked = self.outstanding.iter().chain(&self.calls);
        if matches!(self.link, Link::Lost { .. }) && !asked.any(|call| matches!(call, Call::Reconnect(_))) {
            self.timers.clear(Timer::Reconnect);
            self.count(Count::Retries);
            self.ask(Call::Reconnect(self.camera.clone()));
        }
    }

    /// Somebody else has found the camera: it need not be waited for any longer.
    pub(super) fn camera_found(&mut self, camera: CameraId) {
        self.camera = camera;
        if matches!(self.link, Link::Lost { .. }) {
            // An attempt that is under way may be made at the old place.
            self.link = Link::Lost { failures: 0 };
        }
        self.try_again();
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
            self.ask_readings();
        }
    }

    pub(super) fn shut_down(&mut self) {
        self.dismiss_calls();
        self.leave_frames();
        match self.link {
            Link::Off => {}
            Link::Parting => self.parting_overdue(),
            _ => self.disconnect(true),
        }
    }
}
