//! The camera's calls by name: CAMERA_CALL, answered by CAMERA_REPLY.
//!
//! ```text
//!   CAMERA_CALL written ──► waiting (at most MOST_WAITING) ──► running ──► CAMERA_REPLY Ok or Alert, CAMERA_CALL likewise
//!                            in order of arrival                 Busy      one for each call
//! ```
//! One call runs at a time. What changes something is written to the standard property, by the very path that a
//! client's write takes, so there is one truth: it is seen there, it is refused there for the same reasons, and the
//! sentence that refuses it is the one that everybody hears. A call is over when that has happened or failed; it ends
//! when its camera is lost or disconnected, and after [`PATIENCE`] in any case. Its failure has the kind that the path
//! gave it.
//!
//! A call beyond those that may wait is refused at once, before those are answered; no other reply overtakes.
//!
//! Read [`Device::attend_calls`] first; the functions are in [`registry`].
#![allow(clippy::unnecessary_wraps, reason = "all functions of the registry have one signature")]

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::Map;

use crate::camera::answer::{Answer, Check, Code, SpoolList, Status};
use crate::camera::call::{Call, Params};
use crate::camera::error::{CameraError, ErrorKind, Result};
use crate::camera::json;
use crate::camera::types::{CameraId, ExposureId};
use crate::property::key::Key;
use crate::property::keys;
use crate::wire::{Kind, New, State};

use super::connection::Link;
use super::timer::Timer;
use super::{Device, Handlers, Level};

mod connection;
mod exposures;
mod notes;
mod parameters;
mod registry;
mod self_test;
mod settings;
mod snapshot;
mod spool;

/// Calls that may wait for the one that runs.
const MOST_WAITING: usize = 16;
/// The longest PARAMS, bytes: an honest one has some hundred.
const MOST_PARAMS: usize = 64 << 10;
/// What is called for has happened by then, or failed: longer than opening a camera and one of its other calls take.
const PATIENCE: Duration = Duration::from_secs(45);
/// The same for what needs several calls one after the other: opening a camera and asking for its settings.
const LONG_PATIENCE: Duration = Duration::from_secs(120);

/// The calls that wait, and the one that runs.
#[derive(Debug, Default)]
pub(super) struct Desk {
    waiting: VecDeque<Asked>,
    running: Option<Running>,
    /// The running call is at work, and what is asked and refused just now is asked and refused because of it.
    at_work: bool,
    /// Snapshots that have been told.
    snapshots: u64,
}

/// A call as a client wrote it.
#[derive(Debug)]
struct Asked {
    name: String,
    params: String,
}

/// A call that is not answered yet.
#[derive(Debug)]
struct Running {
    name: String,
    until: Until,
    finish: Finish,
    /// What it has asked of the camera and the camera has not answered.
    asked: Vec<Call>,
    /// Why it cannot succeed any more.
    failure: Option<(ErrorKind, String)>,
    /// Clients have heard the sentence about it.
    told: bool,
    heard: Heard,
}

/// What a running call waits for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Until {
    /// The camera has answered everything that was asked of it.
    Answered,
    /// The same, but a failure is a result like any other.
    Tested,
    /// The camera is connected.
    Connected,
    /// A vector is not Busy any more.
    Settled(&'static str),
    /// The file of this exposure is there as a text.
    Recalled(ExposureId),
    /// The frames in the spool are known.
    Listed,
}

/// Makes the answer of a call that has succeeded.
type Finish = fn(&mut Device, Heard) -> Answer;

/// What has come in the meantime.
#[derive(Debug, Default)]
struct Heard {
    cameras: Option<Vec<CameraId>>,
    vendor: Map<String, serde_json::Value>,
    checks: Vec<Check>,
    text: Option<String>,
    spool: Option<SpoolList>,
}

/// How far a call has come at once.
enum Progress {
    Done(Answer),
    Waits(Until, Finish),
}

impl Progress {
    /// Waits for the camera, and answers nothing then.
    fn when_answered() -> Result<Progress> {
        Ok(Progress::Waits(Until::Answered, |_, _| Answer::done("done", &())))
    }

    fn done(message: &str, result: &impl serde::Serialize) -> Result<Progress> {
        Ok(Progress::Done(Answer::done(message, result)))
    }

    /// There was nothing to do.
    fn nothing(code: Code, detail: &str) -> Result<Progress> {
        Ok(Progress::Done(Answer::failed(code, detail)))
    }
}

pub(super) fn register(on: &mut Handlers) {
    on.change(&keys::CAMERA_CALL, Device::take_call);
}

impl Device {
    fn take_call(&mut self, [name, params]: [String; 2]) {
        if self.desk.waiting.len() < MOST_WAITING {
            return self.desk.waiting.push_back(Asked { name, params });
        }
        let detail = format!("{MOST_WAITING} calls wait already: wait for their replies");
        self.reply(&name, &Answer::failed(Code::Busy, detail));
    }

    /// Answers the call that runs if it is over, and begins the next one, until one has to wait.
    pub(super) fn attend_calls(&mut self) {
        loop {
            if self.desk.running.is_some() {
                let Some(answer) = self.verdict() else { return };
                self.end_call(&answer);
            }
            let Some(asked) = self.desk.waiting.pop_front() else { return };
            self.begin_call(asked);
        }
    }

    fn begin_call(&mut self, Asked { name, params }: Asked) {
        let long = params.len() > MOST_PARAMS;
        let shown = if long { String::new() } else { params.clone() };
        self.publish(&keys::CAMERA_CALL, [json::quoted(&name), shown], State::Busy);
        self.desk.running = Some(Running {
            name: name.clone(),
            until: Until::Answered,
            finish: |_, _| Answer::done("done", &()),
            asked: Vec::new(),
            failure: None,
            told: false,
            heard: Heard::default(),
        });
        self.desk.at_work = true;
        let progress = if long {
            let detail = format!("PARAMS has {} bytes; allowed are {MOST_PARAMS}", params.len());
            Err(CameraError::new(ErrorKind::InvalidValue, "call", detail))
        } else {
            json::params("call", &params).and_then(|params| self.carry_out(&name, &params))
        };
        self.desk.at_work = false;
        match progress {
            Ok(Progress::Done(answer)) => self.end_call(&answer),
            Ok(Progress::Waits(until, finish)) => {
                let patience = if until == Until::Connected { LONG_PATIENCE } else { PATIENCE };
                self.timers.set(Timer::CameraCallOverdue, self.now.elapsed + patience);
                if let Some(running) = &mut self.desk.running {
                    (running.until, running.finish) = (until, finish);
                }
            }
            Err(error) => self.end_call(&Answer::from(&error)),
        }
    }

    /// The answer of the call that runs, once it is over.
    fn verdict(&mut self) -> Option<Answer> {
        let running = self.desk.running.as_mut()?;
        if let Some((kind, detail)) = running.failure.take() {
            return Some(Answer::failed(kind.into(), detail));
        }
        let waits = matches!(running.until, Until::Answered | Until::Tested);
        let asked = running.asked.len();
        // A newer wish of somebody else takes the place of one that still waits.
        running.asked.retain(|call| self.outstanding.iter().chain(&self.calls).any(|other| other == call));
        let superseded = waits && running.asked.len() < asked;
        let over = match running.until {
            Until::Answered | Until::Tested => running.asked.is_empty(),
            Until::Connected => self.link == Link::On,
            Until::Settled(vector) => {
                self.store.vector(vector).is_none_or(|vector| vector.state != State::Busy)
            }
            Until::Recalled(_) => running.heard.text.is_some(),
            Until::Listed => running.heard.spool.is_some(),
        };
        if !over {
            return None;
        }
        let (finish, heard) = (running.finish, std::mem::take(&mut running.heard));
        let answer = finish(self, heard);
        let answer = if superseded {
            answer.because(Code::Superseded, "somebody has asked for something newer meanwhile")
        } else {
            answer
        };
        Some(answer)
    }

    fn end_call(&mut self, answer: &Answer) {
        self.timers.clear(Timer::CameraCallOverdue);
        let Some(Running { name, told, .. }) = self.desk.running.take() else { return };
        if answer.status == Status::Error && !told {
            self.say(Level::Error, &format!("CAMERA_CALL {}: {}", json::quoted(&name), answer.message));
        }
        self.reply(&name, answer);
        self.settle(&keys::CAMERA_CALL, vector_state(answer));
    }

    fn reply(&mut self, name: &str, answer: &Answer) {
        let status = u8::from(answer.status).to_string();
        let told = [json::quoted(name), status.clone(), answer.text()];
        self.publish(&keys::CAMERA_REPLY, told, vector_state(answer));
        if let Some(short) = exposures::without_pixels(answer) {
            // Whoever asks for the definition later is not sent a picture.
            self.store.set(&keys::CAMERA_REPLY, [json::quoted(name), status, short.text()]);
        }
    }

    /// Nobody is there any more to see these through.
    pub(super) fn dismiss_calls(&mut self) {
        let waiting = std::mem::take(&mut self.desk.waiting);
        self.interrupt_call("the driver is ending");
        if let Some(answer) = self.verdict() {
            self.end_call(&answer);
        }
        for Asked { name, .. } in waiting {
            self.reply(&name, &Answer::failed(Code::Disconnected, "the driver is ending"));
        }
    }

    pub(super) fn camera_call_overdue(&mut self) {
        self.fail_call(ErrorKind::Timeout, "it has not happened in time");
    }

    /// Writes a vector as a client would.
    fn write_for_call(&mut self, vector: &str, kind: Kind, elements: &[(&str, String)]) -> Result<()> {
        let elements = elements.iter().map(|(name, text)| ((*name).to_owned(), text.clone())).collect();
        self.write(&New { device: Some(self.name.clone()), name: vector.to_owned(), kind, elements });
        let failure = self.desk.running.as_mut().and_then(|running| running.failure.take());
        failure.map_or(Ok(()), |(kind, detail)| Err(CameraError::new(kind, "call", detail)))
    }

    fn write_numbers(&mut self, key: &impl Key, elements: &[(&str, f64)]) -> Result<()> {
        let texts: Vec<_> = elements.iter().map(|(name, number)| (*name, number.to_string())).collect();
        self.write_for_call(key.vector(), Kind::Number, &texts)
    }

    fn press(&mut self, key: &impl Key, element: &str) -> Result<()> {
        self.write_for_call(key.vector(), Kind::Switch, &[(element, "On".to_owned())])
    }

    /// Of what the running call has asked of the camera, waits for these alone.
    fn wait_only_for(&mut self, wanted: fn(&Call) -> bool) {
        if let Some(running) = &mut self.desk.running {
            running.asked.retain(wanted);
        }
    }

    /// Something has come for the call that runs.
    fn hear(&mut self, note: impl FnOnce(&mut Heard)) {
        if let Some(running) = &mut self.desk.running {
            note(&mut running.heard);
        }
    }

    /// Fails the call that runs, if it has not failed already.
    fn fail_call(&mut self, kind: ErrorKind, detail: &str) {
        if let Some(running) = &mut self.desk.running {
            running.failure.get_or_insert_with(|| (kind, detail.to_owned()));
        }
    }

    /// What somebody calls for needs a camera that answers.
    fn needs_camera(&self, call: &'static str) -> Result<()> {
        match self.link {
            Link::On => Ok(()),
            Link::Lost { .. } => {
                let detail = format!("{call} has to wait: the camera is lost");
                Err(CameraError::new(ErrorKind::Disconnected, call, detail))
            }
            Link::Off | Link::Opening | Link::Asking | Link::Parting => {
                let detail = format!("{call} needs a camera that is connected");
                Err(CameraError::new(ErrorKind::NotConnected, call, detail))
            }
        }
    }

    /// What somebody calls for needs a camera that has this vector.
    fn needs_vector(&self, call: &'static str, key: &impl Key) -> Result<()> {
        if self.has(key.vector()) { Ok(()) } else { Err(CameraError::not_supported(call)) }
    }

    /// Runs one function of the registry, or of the camera's own.
    fn carry_out(&mut self, name: &str, params: &Params) -> Result<Progress> {
        registry::carry_out(self, name, params)
    }
}

fn vector_state(answer: &Answer) -> State {
    if answer.status == Status::Error { State::Alert } else { State::Ok }
}
