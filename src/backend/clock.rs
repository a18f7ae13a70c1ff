//! What backends know of the time. A backend is hardware, and hardware lives in real time; everybody else is told.

use std::time::{Instant, SystemTime};

/// Now, to measure how long something takes.
#[expect(clippy::disallowed_methods, reason = "the clock of hardware")]
pub(super) fn now() -> Instant {
    Instant::now()
}

/// Now as the wall has it, for labels.
#[expect(clippy::disallowed_methods, reason = "the clock of hardware")]
pub(super) fn utc() -> SystemTime {
    SystemTime::now()
}
