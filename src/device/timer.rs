//! The device's timers as a table: everything that happens because time has passed.

use std::time::Duration;

/// What happens when the time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    /// The next countdown value of a running exposure is due.
    Countdown,
    /// The exposure should have been over long ago.
    ExposureOverdue,
    /// A frame should have been delivered long ago.
    DeliveryOverdue,
    /// The camera has not answered the outstanding call.
    CallOverdue,
    /// The camera's status is to be asked again.
    Poll,
    /// The server has not answered the oldest ping.
    PingOverdue,
    /// A lost camera is to be tried again.
    Reconnect,
    /// Half of the exposure is over.
    MiddleOfExposure,
    /// The devices that we watch and that have told nothing are to be asked again.
    Silence,
    /// A camera that is warming up before it is closed has had its time.
    PartingOverdue,
    /// A guide pulse ends.
    PulseNorthSouth,
    /// A guide pulse on the other axis ends.
    PulseWestEast,
    /// What somebody called for by name has not happened.
    CameraCallOverdue,
    /// A file that is not a frame's should have been read or written long ago.
    FileOverdue,
    /// Clients may be told again how the camera does.
    Health,
}

const ALL: [Timer; 15] = [
    Timer::Countdown,
    Timer::ExposureOverdue,
    Timer::DeliveryOverdue,
    Timer::CallOverdue,
    Timer::Poll,
    Timer::PingOverdue,
    Timer::Reconnect,
    Timer::MiddleOfExposure,
    Timer::Silence,
    Timer::PartingOverdue,
    Timer::PulseNorthSouth,
    Timer::PulseWestEast,
    Timer::CameraCallOverdue,
    Timer::FileOverdue,
    Timer::Health,
];

/// When each timer is due, on the clock of `Moment::elapsed`.
#[derive(Debug, Default)]
pub(super) struct Timers([Option<Duration>; ALL.len()]);

impl Timers {
    pub(super) fn set(&mut self, timer: Timer, at: Duration) {
        self.0[timer as usize] = Some(at);
    }

    pub(super) fn clear(&mut self, timer: Timer) {
        self.0[timer as usize] = None;
    }

    pub(super) fn at(&self, timer: Timer) -> Option<Duration> {
        self.0[timer as usize]
    }

    pub(super) fn is_set(&self, timer: Timer) -> bool {
        self.at(timer).is_some()
    }

    /// Everything that is waited for.
    pub(super) fn table(&self) -> impl Iterator<Item = (Timer, Duration)> + '_ {
        ALL.into_iter().filter_map(|timer| Some((timer, self.0[timer as usize]?)))
    }

    pub(super) fn next(&self) -> Option<Duration> {
        self.0.iter().flatten().min().copied()
    }

    /// Takes the timer that was due first.
    pub(super) fn due(&mut self, now: Duration) -> Option<Timer> {
        let first = ALL
            .into_iter()
            .filter_map(|timer| self.0[timer as usize].map(|at| (at, timer)))
            .filter(|(at, _)| *at <= now)
            .min_by_key(|(at, _)| *at)?;
        self.clear(first.1);
        Some(first.1)
    }
}
