//! Deadlines of what the delivery thread does: a disk that is gone hangs whoever writes to it.
//!
//! Whatever is overdue is given up with one sentence, and the thread with it: another one takes over what waits behind
//! ([`Job::Replace`]), so that a frame which goes to the client alone does not wait for a disk. What the old thread says
//! of its job, if it ever does, is recognised as late.

use std::time::Duration;

use crate::property::keys;
use crate::wire::State;

use super::health::Count;
use super::job::{DeliveryError, Job};
use super::timer::Timer;
use super::{Device, Level};

/// Time to encode and store one frame: the largest frames on the slowest cards take half of it.
pub(super) const DELIVERY_ALLOWANCE: Duration = Duration::from_secs(60);
/// Time to read or write any other file: a disk that has to spin up first takes half of it.
const FILE_ALLOWANCE: Duration = Duration::from_secs(20);

impl Device {
    /// The delivery thread has a frame in hand, and has to be done with it.
    pub(super) fn expect_delivery(&mut self) {
        self.timers.set(Timer::DeliveryOverdue, self.now.elapsed + DELIVERY_ALLOWANCE);
    }

    pub(super) fn delivery_overdue(&mut self) {
        let Some(file) = self.give_up_delivery() else { return };
        let seconds = DELIVERY_ALLOWANCE.as_secs();
        let hangs = if file { "encoding it, or storing its file, hangs" } else { "encoding it hangs" };
        let sentence = format!("the frame could not be delivered within {seconds} s: {hangs}");
        self.say(Level::Error, &sentence);
        self.count(Count::Drops);
        self.note_delivery(Some(false), file.then_some(false));
        self.jobs.push_back(Job::Replace);
        if self.frames_on_their_way() > 0 {
            self.expect_delivery();
        }
        self.end_in_alert(&sentence);
    }

    /// The delivery thread has the configuration or the nickname to read or write.
    pub(super) fn expect_file(&mut self) {
        if !self.timers.is_set(Timer::FileOverdue) {
            self.timers.set(Timer::FileOverdue, self.now.elapsed + FILE_ALLOWANCE);
        }
    }

    /// One of them is done.
    pub(super) fn file_answered(&mut self) {
        if !self.is_processing_config() && self.store.state(&keys::NICKNAME) != State::Busy {
            self.timers.clear(Timer::FileOverdue);
        }
    }

    pub(super) fn file_overdue(&mut self) {
        let error = DeliveryError::Silent { seconds: FILE_ALLOWANCE.as_secs() };
        self.note_delivery(None, Some(false));
        self.jobs.push_back(Job::Replace);
        self.config_overdue(&error);
        if self.store.state(&keys::NICKNAME) == State::Busy {
            self.nicknamed(Err(error));
        }
    }
}
