//! What the server has read of the BLOBs that it was sent, as far as its answers to pings say so.

use std::time::Duration;

use super::Device;
use crate::device::health::Step;
use crate::device::timer::Timer;
use crate::wire::State;

/// BLOBs that the server has not acknowledged yet. Two keep the line busy while one is parsed.
pub(super) const MAX_UNACKNOWLEDGED: usize = 2;
/// A server that has not answered a ping for so long stalls; if it never answered one, it does not speak pings: send
/// without waiting until it does.
pub(super) const PING_PATIENCE: Duration = Duration::from_secs(5);

/// The server as its answers to pings show it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Server {
    /// It has not been asked, or had no time to answer.
    #[default]
    Unknown,
    /// It has answered.
    Answers,
    /// It has answered before, and does not now.
    Stalls,
    /// It has never answered.
    Mute,
}

impl Device {
    /// Whether the next BLOB has to wait. A server that does not speak pings is given it when the one before has been
    /// handed to the writer, which sees what such a server has not read.
    pub(in crate::device) fn server_is_behind(&self) -> bool {
        if self.upload.server == Server::Mute {
            self.outbox.holds_blob()
        } else {
            self.upload.unacknowledged.len() >= MAX_UNACKNOWLEDGED
        }
    }

    /// The server has parsed everything up to one of our pings.
    pub(in crate::device) fn acknowledged(&mut self, uid: &str) {
        let Some(at) = self.upload.unacknowledged.iter().position(|(sent, _)| sent == uid) else { return };
        for (_, asked) in self.upload.unacknowledged.drain(..=at).collect::<Vec<_>>() {
            self.note_latency(Step::Ack, self.now.elapsed.saturating_sub(asked));
        }
        self.upload.server = Server::Answers;
        self.timers.clear(Timer::PingOverdue);
        if !self.upload.unacknowledged.is_empty() {
            self.timers.set(Timer::PingOverdue, self.now.elapsed + PING_PATIENCE);
        }
        if let Some(number) = uid.rsplit('/').next().and_then(|number| number.parse().ok()) {
            self.note_read(number);
        }
        self.announce_frames();
    }

    pub(in crate::device) fn ping_overdue(&mut self) {
        if matches!(self.upload.server, Server::Answers | Server::Stalls) {
            self.upload.server = Server::Stalls;
            return;
        }
        self.upload.server = Server::Mute;
        // Only the newest can still tell that the server speaks pings after all.
        let newest = self.upload.unacknowledged.pop_back();
        self.upload.unacknowledged.clear();
        self.upload.unacknowledged.extend(newest);
        self.announce_frames();
    }

    /// Whether the server reads what it is sent.
    pub(in crate::device) fn server_light(&self) -> State {
        match self.upload.unacknowledged.len() {
            _ if matches!(self.upload.server, Server::Stalls | Server::Mute) => State::Alert,
            waiting if waiting >= MAX_UNACKNOWLEDGED => State::Busy,
            _ if self.upload.pings > 0 => State::Ok,
            _ => State::Idle,
        }
    }
}
