//! CAMERA_CALL of the hub: the calls that come before there is a camera to ask, `scanning` and `connect`.
//!
//! One call runs at a time and each is answered once, in order, as at the devices of cameras. All other calls are a
//! camera's own: they are written to its device, and the reply says so.

use std::collections::VecDeque;
use std::time::Duration;

use serde::Serialize;

use crate::camera::answer::{Answer, Code, Found, Scan, Status};
use crate::camera::call::{Arguments, NAMES, Params};
use crate::camera::error::{CameraError, ErrorKind, Result};
use crate::camera::json;
use crate::camera::types::CameraId;
use crate::property::keys;
use crate::wire::State;

use super::{Hub, Order};

/// Calls that may wait for the one that runs.
const MOST_WAITING: usize = 16;
/// Opening a camera and asking for its settings takes no longer, and no search does.
const PATIENCE: Duration = Duration::from_secs(120);

/// The calls that wait, and the one that runs.
#[derive(Debug, Default)]
pub(super) struct Desk {
    waiting: VecDeque<[String; 2]>,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    name: String,
    until: Until,
    /// When it is answered at the latest.
    overdue: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Until {
    /// No search runs.
    Searched,
    /// The camera is connected, or is not.
    Connected,
}

/// What is told of a camera that was connected.
#[derive(Serialize)]
struct Connected {
    device_name: String,
}

impl Desk {
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.running.as_ref().map(|running| running.overdue)
    }
}

impl Hub {
    pub(super) fn take_call(&mut self, call: [String; 2]) {
        if self.desk.waiting.len() < MOST_WAITING {
            return self.desk.waiting.push_back(call);
        }
        let detail = format!("{MOST_WAITING} calls wait already: wait for their replies");
        self.reply(&call[0], &Answer::failed(Code::Busy, detail));
    }

    /// Answers the call that runs if it is over, and begins the next one, until one has to wait.
    pub(super) fn attend_calls(&mut self) {
        loop {
            match self.desk.running {
                Some(Running { until: Until::Searched, .. }) if !self.is_searching() => {
                    let answer = Answer::done("cameras that can be reached", &self.scan());
                    self.end_call(&answer);
                }
                Some(Running { until, overdue, .. }) if overdue <= self.now.elapsed => {
                    let late = match until {
                        Until::Searched => "the search for cameras has not ended in time",
                        Until::Connected => "the camera was not connected in time",
                    };
                    self.end_call(&Answer::failed(Code::Timeout, late));
                }
                Some(_) => return,
                None => {}
            }
            let Some([name, params]) = self.desk.waiting.pop_front() else { return };
            self.begin_call(name, &params);
        }
    }

    fn begin_call(&mut self, name: String, params: &str) {
        self.store.set(&keys::CAMERA_CALL, [json::quoted(&name), params.to_owned()]);
        self.settle(&keys::CAMERA_CALL, State::Busy);
        let until = json::params("call", params).and_then(|params| self.carry_out(&name, &params));
        let overdue = self.now.elapsed + PATIENCE;
        let failure = until.as_ref().err().map(Answer::from);
        self.desk.running = Some(Running { name, until: until.unwrap_or(Until::Searched), overdue });
        if let Some(failure) = failure {
            self.end_call(&failure);
        }
    }

    fn carry_out(&mut self, name: &str, params: &Params) -> Result<Until> {
        let arguments = Arguments::of(params);
        match name {
            "scanning" => {
                self.search_all();
                Ok(Until::Searched)
            }
            "connect" => {
                let name = arguments.text("connect", "device_name")?;
                self.orders.push_back(Order::Connect { name });
                Ok(Until::Connected)
            }
            _ => {
                let whose = if NAMES.contains(&name) {
                    "write it to CAMERA_CALL of a camera's device"
                } else {
                    "there is no such call"
                };
                let detail = format!("the hub has scanning and connect: {whose}");
                Err(CameraError::new(ErrorKind::NotSupported, "call", detail))
            }
        }
    }

    /// How the connecting that [`Order::Connect`] asked for has ended.
    pub(super) fn connected(&mut self, name: String, result: Result<()>) {
        if !matches!(&self.desk.running, Some(Running { until: Until::Connected, .. })) {
            return;
        }
        let message = "connected; its other calls are made at its own device";
        let answer = match result {
            Ok(()) => Answer::done(message, &Connected { device_name: name }),
            Err(error) => Answer::from(&error),
        };
        self.end_call(&answer);
    }

    fn end_call(&mut self, answer: &Answer) {
        let Some(Running { name, .. }) = self.desk.running.take() else { return };
        if answer.status == Status::Error {
            self.say("[ERROR]", &format!("CAMERA_CALL {}: {}", json::quoted(&name), answer.message));
        }
        self.reply(&name, answer);
        self.settle(&keys::CAMERA_CALL, state(answer));
    }

    fn reply(&mut self, name: &str, answer: &Answer) {
        let status = u8::from(answer.status).to_string();
        self.store.set(&keys::CAMERA_REPLY, [json::quoted(name), status, answer.text()]);
        self.settle(&keys::CAMERA_REPLY, state(answer));
    }

    fn scan(&self) -> Scan {
        let there = self.known.iter().filter(|known| known.missing.is_none());
        let cameras: Vec<Found> = there.map(|known| found(&known.camera)).collect();
        Scan { camera: cameras.iter().map(|camera| camera.name.clone()).collect(), cameras }
    }
}

fn found(camera: &CameraId) -> Found {
    let CameraId { model, serial, bus, .. } = camera.clone();
    let name = super::device_name(camera);
    let id = serial.clone().or_else(|| bus.clone()).unwrap_or_else(|| name.clone());
    Found { id, name, model, serial, bus, sensor: None, in_use: None }
}

fn state(answer: &Answer) -> State {
    if answer.status == Status::Error { State::Alert } else { State::Ok }
}
