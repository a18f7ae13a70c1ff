//! Deadlines of what the delivery thread does: a disk that is gone hangs whoever writes to it.
//!
//! Whatever is overdue is given up with one sentence, and the thread with it: another one takes over what waits behind
//! ([`Job::Replace`]), so that a frame which goes to the client alone does not wait for a disk. What the old thread says
//! of its job, if it ever does, is recognised as late. How long frames may take is seen in `upload`.

use std::time::Duration;

use crate::property::keys;
use crate::wire::State;

use super::Device;
use super::job::{DeliveryError, Job};
use super::timer::Timer;

/// Time to encode and store one frame: the largest frames on the slowest cards take half of it.
pub(super) const DELIVERY_ALLOWANCE: Duration = Duration::from_secs(60);
/// Time for anything else that the thread does: a disk that has to spin up first takes half of it.
pub(super) const FILE_ALLOWANCE: Duration = Duration::from_secs(20);

impl Device {
    /// The delivery thread has a file to read or write that is not a frame's, and somebody waits for it.
    pub(super) fn expect_file(&mut self) {
        if !self.timers.is_set(Timer::FileOverdue) {
            self.timers.set(Timer::FileOverdue, self.now.elapsed + FILE_ALLOWANCE);
        }
    }

    /// One of them is done, and the next one has its time from now on.
    pub(super) fn file_answered(&mut self) {
        self.timers.clear(Timer::FileOverdue);
        if self.awaits_file() {
            self.expect_file();
        }
    }

    fn awaits_file(&self) -> bool {
        self.is_processing_config()
            || self.store.state(&keys::NICKNAME) == State::Busy
            || self.awaits_spool()
            || self.call_awaits_file()
    }

    pub(super) fn file_overdue(&mut self) {
        if self.is_delivering() {
            // The thread has a frame in hand, and that has a deadline of its own.
            return self.expect_file();
        }
        if !self.awaits_file() {
            return;
        }
        let error = DeliveryError::Silent { seconds: FILE_ALLOWANCE.as_secs() };
        self.note_delivery(None, Some(false));
        self.config_overdue(&error);
        if self.store.state(&keys::NICKNAME) == State::Busy {
            self.nicknamed(Err(error.clone()));
        }
        self.spool_overdue(&error);
        self.call_overdue_at_disk(&error);
        self.replace_thread();
    }

    /// Gives up the delivery thread. Whatever waits for the next one has its time from now on.
    pub(super) fn replace_thread(&mut self) {
        self.jobs.push_back(Job::Replace);
        self.file_answered();
        self.expect_delivery();
    }
}
