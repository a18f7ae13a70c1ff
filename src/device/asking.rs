//! What the camera thread is asked: one call at a time, each with a deadline, and what becomes of a thread that hangs.
//!
//! A thread that does not answer in time is given up and replaced, and whatever was asked of it is answered in its
//! place. While a camera hands over a picture it answers nothing else, so a call that may meet that has the time of the
//! exposure.

use std::time::Duration;

use crate::camera::call::Call;
use crate::camera::error::{CameraError, ErrorKind};

use super::connection::Link;
use super::{Device, Epoch, Level};

/// A camera that needs longer to open than this has hung.
const CONNECT_DEADLINE: Duration = Duration::from_secs(30);
/// A camera that needs longer to stop an exposure than this has hung: whoever asks for that does not want to wait.
const ABORT_DEADLINE: Duration = Duration::from_secs(8);
/// A camera that needs longer to answer anything else than this has hung.
pub(super) const CALL_DEADLINE: Duration = Duration::from_secs(10);
/// Camera threads that may hang at a time. Each keeps its stack and whatever its driver holds, so there must be an end.
const MOST_HANGING: usize = 3;

/// How long the camera may take to answer.
fn call_deadline(call: &Call) -> Duration {
    match call {
        Call::Connect(_) | Call::Reconnect(_) => CONNECT_DEADLINE,
        Call::AbortExposure => ABORT_DEADLINE,
        _ => CALL_DEADLINE,
    }
}

impl Device {
    /// By when a call that is made now has to be answered. If the camera may be busy with a picture by then, not before
    /// that is overdue and the camera has been asked to stop.
    pub(super) fn answer_expected(&self, call: &Call) -> Duration {
        let until = self.now.elapsed + call_deadline(call);
        match self.read_out_between() {
            Some((closes, overdue)) if closes <= until => until.max(overdue + ABORT_DEADLINE),
            _ => until,
        }
    }

    /// The camera thread hangs: give it up, and answer in its place whatever was asked of it.
    pub(super) fn call_overdue(&mut self) {
        let Some(call) = self.outstanding.take() else { return };
        self.hanging.push(self.epoch);
        self.epoch = Epoch(self.epoch.0 + 1);
        // A wish to connect is one of the next thread just the same, if there is to be one.
        let goes_on = !self.is_worn_out();
        let (wishes, unasked): (Vec<Call>, Vec<Call>) =
            self.calls.drain(..).partition(|call| goes_on && matches!(call, Call::Connect(_)));
        self.calls.extend(wishes);
        let seconds = self.now.elapsed.saturating_sub(self.asked_at).as_secs();
        let error = CameraError::new(
            ErrorKind::Timeout,
            "call",
            format!("{} was not answered within {seconds} s", call.name()),
        );
        let sentence = error.to_string();
        let result = Err(error);
        // Whoever waits for it hears of the deadline, and not only that the camera is lost.
        self.note_answer(&call, &result);
        self.lost(&sentence);
        self.answered(&call, result);
        for call in unasked {
            self.answered(&call, Err(gone()));
        }
    }

    /// Queues a call, or answers it in the camera's place when no thread may be started for it any more.
    pub(super) fn ask(&mut self, call: Call) {
        self.note_asked(&call);
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

    pub(super) fn is_worn_out(&self) -> bool {
        self.hanging.len() >= MOST_HANGING
    }

    /// A thread has answered that is not the present one: it hangs no more, and ends.
    pub(super) fn thread_is_back(&mut self, epoch: Epoch) {
        let given_up = self.is_worn_out();
        self.hanging.retain(|hanging| *hanging != epoch);
        if given_up && !self.is_worn_out() && matches!(self.link, Link::Lost { .. }) {
            self.say(Level::Info, &format!("{} answers again: trying to get it back", self.camera.name));
            self.link = Link::Lost { failures: 0 };
            self.try_again();
        }
    }
}

fn gone() -> CameraError {
    CameraError::new(ErrorKind::Disconnected, "call", "the camera thread is gone")
}

/// What is said of a camera that is worn out.
pub(super) fn worn_out_advice() -> &'static str {
    "it has hung too often, so restart the driver after power-cycling the camera"
}

/// Why such a camera is not connected.
pub(super) fn worn_out() -> String {
    format!("the camera cannot be connected: {}", worn_out_advice())
}
