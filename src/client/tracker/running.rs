//! An exposure that was asked for and is not over.

use std::sync::Arc;
use std::time::Duration;

use crate::camera::answer::FrameSpec;
use crate::client::blob::FrameFile;

/// So much earlier than asked an exposure may be over: cameras round.
const EARLY_FACTOR: f64 = 0.9;
/// The same of short exposures, seconds.
const EARLY: f64 = 0.1;

/// What is to be exposed.
#[derive(Clone, Debug)]
pub(in crate::client) struct Plan {
    pub(in crate::client) spec: FrameSpec,
    /// Frames come to clients, and are not only saved by the driver.
    pub(in crate::client) sends: bool,
    /// What reading out and sending may take beside the exposure.
    pub(in crate::client) allowance: Duration,
    pub(in crate::client) temperature: Option<f64>,
}

#[derive(Debug)]
pub(super) struct Running {
    pub(super) id: u64,
    pub(super) plan: Plan,
    /// What the mirror had heard when it began.
    pub(super) sequence: u64,
    pub(super) began: Duration,
    /// When the camera first said Busy.
    pub(super) accepted: Option<Duration>,
    /// When the shutter closes: the earliest that any countdown has told.
    pub(super) closes: Option<Duration>,
    /// When the camera said that it is over.
    pub(super) over: Option<Duration>,
    /// It was told to read out early.
    pub(super) stopped: bool,
    pub(super) file: Option<Arc<FrameFile>>,
    /// A frame that came before any Busy: it is ours only if the camera never says Busy.
    pub(super) candidate: Option<Arc<FrameFile>>,
    pub(super) saved: Option<String>,
    /// When the first byte of the frame came.
    pub(super) arriving_since: Option<Duration>,
    pub(super) received: u64,
    pub(super) size: Option<u64>,
    /// What happens when nothing does.
    pub(super) until: Duration,
    pub(super) then: Then,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Then {
    TimeOut,
    NoFrame,
    Done,
    Fail,
    Abort,
}

impl Running {
    /// Whether an exposure of that length cannot be over yet.
    pub(super) fn is_early(&self, now: Duration) -> bool {
        let least = self.plan.spec.duration_s * EARLY_FACTOR - EARLY;
        !self.stopped && now.saturating_sub(self.began).as_secs_f64() < least
    }
}
