//! One exposure of one camera, from the wish to its end, out of what the camera says. Pure.
//!
//! The rules by which no frame is ever taken for another one:
//!
//! * a frame counts only after the camera has said Busy to *this* wish: what it had on its way before comes before
//!   that (of a driver that never says Busy, the first frame before its Ok counts);
//! * a frame, or an Ok, that comes before the exposure can be over belongs to an earlier one (libindi sends the frame
//!   of an exposure that was aborted during its read-out, and then Ok);
//! * after an abort, or an end without a frame, the next exposure waits a moment for such a late frame
//!   ([`Tracker::late_until`]).
//!
//! Every exposure ends: at the latest at its deadline, which only bytes that arrive can put off.

mod running;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

pub(super) use self::running::Plan;
use self::running::{Running, Then};
use super::blob::{BadBlob, FrameFile};
use super::error::ClientError;
use super::progress::{Progress, Shot};
use crate::camera::answer::Phase;
use crate::wire::State;

type Outcome = Result<Arc<Shot>, ClientError>;

/// How long a frame may take after the camera has said that the exposure is over, and between its bytes.
const STALL: Duration = Duration::from_secs(15);
/// How long the end may be told after its frame.
const TRAILING: Duration = Duration::from_secs(1);
/// How long the reason may be told after a failure.
const EXPLANATION: Duration = Duration::from_millis(250);
/// How long after an abort during the read-out its frame may still come.
const LATE: Duration = Duration::from_secs(3);
/// What is known of a camera's exposures.
#[derive(Debug)]
pub(super) struct Tracker {
    device: String,
    running: Option<Running>,
    /// Newest last. The one before it is kept for who has not looked yet when the next exposure is over too.
    ended: VecDeque<(u64, Outcome)>,
    late_until: Duration,
    /// It was told to stop, and has not said that it did.
    stopping: bool,
    /// This driver says Busy when it begins, as nearly all do.
    says_busy: bool,
}

impl Tracker {
    pub(super) fn new(device: &str) -> Tracker {
        Tracker {
            device: device.to_owned(),
            running: None,
            ended: VecDeque::new(),
            late_until: Duration::ZERO,
            stopping: false,
            says_busy: false,
        }
    }

    /// The exposure `id` is being asked for.
    pub(super) fn begin(
        &mut self,
        now: Duration,
        sequence: u64,
        id: u64,
        plan: Plan,
    ) -> Result<(), ClientError> {
        if let Some(running) = &self.running {
            let why = format!("its exposure of {} s runs", running.plan.spec.duration_s);
            return Err(ClientError::Busy { device: self.device.clone(), why });
        }
        let seconds = Duration::try_from_secs_f64(plan.spec.duration_s).unwrap_or_default();
        self.running = Some(Running {
            id,
            until: now + seconds + plan.allowance,
            then: Then::TimeOut,
            plan,
            sequence,
            began: now,
            accepted: None,
            closes: None,
            over: None,
            stopped: false,
            file: None,
            candidate: None,
            saved: None,
            arriving_since: None,
            received: 0,
            size: None,
        });
        Ok(())
    }

    /// Until when a frame that nobody wants any more may come.
    pub(super) fn late_until(&self) -> Duration {
        self.late_until
    }

    /// Whether it was told to stop, and has not said that it did.
    pub(super) fn is_stopping(&self) -> bool {
        self.stopping
    }

    /// It will not say any more that it has stopped.
    pub(super) fn assume_stopped(&mut self) {
        self.stopping = false;
    }

    pub(super) fn wants_frame(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.file.is_none())
    }

    /// What the mirror had heard when the exposure began.
    pub(super) fn since(&self) -> u64 {
        self.running.as_ref().map_or(0, |running| running.sequence)
    }

    /// The exposure that runs.
    pub(super) fn running(&self) -> Option<u64> {
        self.running.as_ref().map(|running| running.id)
    }

    /// How that exposure ended, if it was one of the last two.
    pub(super) fn outcome(&self, id: u64) -> Option<&Outcome> {
        self.ended.iter().find(|(ended, _)| *ended == id).map(|(_, outcome)| outcome)
    }

    /// How the last exposure ended.
    pub(super) fn last(&self) -> Option<&Outcome> {
        self.ended.back().map(|(_, outcome)| outcome)
    }

    /// CCD_EXPOSURE was told: its state, the seconds left, and why in case of Alert.
    pub(super) fn told(&mut self, now: Duration, state: State, left: f64, why: Option<String>) {
        self.says_busy |= state == State::Busy;
        self.stopping &= state == State::Busy;
        let Some(running) = &mut self.running else { return };
        match state {
            State::Busy => {
                running.candidate = None;
                let closes = now + Duration::try_from_secs_f64(left.max(0.0)).unwrap_or_default();
                running.closes = Some(running.closes.map_or(closes, |known| known.min(closes)));
                running.accepted.get_or_insert(now);
                if running.file.is_some() {
                    // The next of a series.
                    self.succeed(now, None);
                }
            }
            State::Ok if running.accepted.is_none() && running.candidate.is_some() && !self.says_busy => {
                running.file = running.candidate.take();
                self.succeed(now, None);
            }
            // Told of an earlier exposure.
            State::Ok | State::Idle if running.accepted.is_none() => {}
            State::Ok if running.is_early(now) => {}
            State::Ok => {
                running.over = Some(now);
                if running.file.is_some() || !running.plan.sends {
                    self.succeed(now, None);
                } else if running.arriving_since.is_none() {
                    (running.until, running.then) = (now + STALL, Then::NoFrame);
                }
            }
            State::Idle if running.file.is_some() => self.succeed(now, None),
            State::Idle if running.is_early(now) => self.fail(self.aborted(" by another client")),
            // Some drivers end with Idle, and what they send follows.
            State::Idle => (running.until, running.then) = (now + TRAILING, Then::Abort),
            State::Alert if running.file.is_some() => self.succeed(now, why),
            State::Alert => {
                (running.until, running.then) = (now + EXPLANATION, Then::Fail);
                if let Some(why) = why {
                    self.failed(why);
                }
            }
        }
    }

    /// Whether a failure waits for a sentence that says why.
    pub(super) fn is_waiting_for_words(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.then == Then::Fail)
    }

    /// The camera has said why.
    pub(super) fn failed(&mut self, why: String) {
        self.fail(ClientError::ExposureFailed { device: self.device.clone(), why });
    }

    /// A frame came, or what was to be one.
    pub(super) fn frame(&mut self, now: Duration, file: Result<Arc<FrameFile>, BadBlob>) {
        let Some(running) = &mut self.running else { return };
        let began_to_arrive = running.arriving_since.take().unwrap_or(now);
        running.received = 0;
        if running.is_early(began_to_arrive) {
            tracing::debug!(device = self.device, "dropped the frame of an earlier exposure");
            return;
        }
        let file = match file {
            Ok(file) => file,
            Err(why) => {
                let why = why.to_string();
                return self.fail(ClientError::BadFrame { device: self.device.clone(), why });
            }
        };
        if running.accepted.is_none() {
            running.candidate = Some(file);
            return;
        }
        running.file = Some(file);
        if running.over.is_some() || running.then == Then::Abort {
            self.succeed(now, None);
        } else {
            (running.until, running.then) = (now + TRAILING, Then::Done);
        }
    }

    /// A frame came that nobody wanted.
    pub(super) fn unwanted(&mut self) {
        self.late_until = Duration::ZERO;
    }

    /// So many bytes of a frame have come. Returns whether that is worth telling.
    pub(super) fn arriving(&mut self, now: Duration, received: u64, size: Option<u64>) -> bool {
        let Some(running) = &mut self.running else { return false };
        let first = running.arriving_since.is_none();
        running.arriving_since.get_or_insert(now);
        running.until = running.until.max(now + STALL);
        let percent =
            |bytes: u64| size.filter(|size| *size > 0).map_or(bytes >> 20, |size| bytes * 100 / size);
        let news = first || percent(received) != percent(running.received);
        (running.received, running.size) = (received, size);
        news
    }

    /// The driver has saved the frame there.
    pub(super) fn saved(&mut self, path: &str) {
        if let Some(running) = self.running.as_mut().filter(|running| running.accepted.is_some()) {
            running.saved = Some(path.to_owned()).filter(|path| !path.is_empty());
        }
    }

    /// Another client asked for an exposure, which replaces ours.
    pub(super) fn asked_by_another(&mut self, seconds: &str) {
        if self.running.is_some() {
            let seconds: String = seconds.chars().take(20).collect();
            self.fail(self.aborted(&format!(": another client asked for one of {seconds} s")));
        }
    }

    /// The camera is gone.
    pub(super) fn lost(&mut self, why: &str) {
        self.fail(ClientError::DeviceGone { device: self.device.clone(), why: why.to_owned() });
    }

    /// We abort it. Its frame may still be on its way.
    pub(super) fn abort(&mut self, now: Duration) {
        let Some(running) = &self.running else { return };
        if !running.is_early(now) {
            self.late_until = now + LATE;
        }
        self.stopping = true;
        self.fail(self.aborted(""));
    }

    /// It is told to read out early, or has refused to: whether what comes early is meant.
    pub(super) fn stop(&mut self, stopped: bool) {
        if let Some(running) = &mut self.running {
            running.stopped = stopped;
        }
    }

    /// It ends like that.
    pub(super) fn fail(&mut self, error: ClientError) {
        if let Some(running) = self.running.take() {
            self.end(running.id, Err(error));
        }
    }

    /// When something happens although nothing does.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.running.as_ref().map(|running| running.until)
    }

    /// Lets happen what is due; returns whether the camera is to be told to stop.
    pub(super) fn expire(&mut self, now: Duration) -> bool {
        let Some(running) = self.running.as_ref().filter(|running| running.until <= now) else {
            return false;
        };
        let device = self.device.clone();
        match running.then {
            Then::Done => self.succeed(now, None),
            Then::Fail => self.failed("it does not say why".to_owned()),
            Then::Abort => self.fail(self.aborted(" by another client")),
            Then::NoFrame => {
                let why =
                    format!("it said that the exposure is over, and sent none within {} s", STALL.as_secs());
                self.fail(ClientError::NoFrame { device, why });
                self.late_until = now + LATE;
            }
            Then::TimeOut => {
                let limit = now.saturating_sub(running.began);
                let limit = Duration::from_secs_f64((limit.as_secs_f64() * 10.0).round() / 10.0);
                let what = match running.accepted {
                    None => format!("the beginning of an exposure of {device}"),
                    Some(_) => format!("the frame of {device}"),
                };
                self.stopping = true;
                self.fail(ClientError::Timeout { what, limit });
                self.late_until = now + LATE;
                return true;
            }
        }
        false
    }

    /// Where the exposure is; of the last one when none runs.
    pub(super) fn progress(&self, now: Duration) -> Progress {
        let Some(running) = &self.running else {
            let failed =
                matches!(self.last(), Some(Err(error)) if !matches!(error, ClientError::Aborted { .. }));
            let phase = if failed { Phase::Error } else { Phase::Idle };
            return Progress::at_rest(phase, self.ended.back().map(|(id, _)| *id));
        };
        let whole = Duration::try_from_secs_f64(running.plan.spec.duration_s).unwrap_or_default();
        let left = running.closes.map_or(whole, |closes| closes.saturating_sub(now).min(whole));
        let phase = match running.accepted {
            None => Phase::Waiting,
            Some(_) if running.received > 0 || running.file.is_some() => Phase::Delivering,
            Some(_) if left.is_zero() => Phase::Reading,
            Some(_) => Phase::Exposing,
        };
        Progress {
            phase,
            elapsed: if phase == Phase::Waiting { Duration::ZERO } else { whole.saturating_sub(left) },
            remaining: left,
            exposure_id: Some(running.id),
            received: running.received,
            size: running.size,
            temperature: None,
        }
    }

    fn aborted(&self, why: &str) -> ClientError {
        ClientError::Aborted { device: self.device.clone(), why: why.to_owned() }
    }

    fn succeed(&mut self, now: Duration, warning: Option<String>) {
        let Some(running) = self.running.take() else { return };
        let closed = running.closes.unwrap_or(running.began);
        let shot = Shot {
            device: self.device.clone(),
            exposure_id: running.id,
            spec: running.plan.spec,
            temperature_start: running.plan.temperature,
            read_out: now.saturating_sub(closed),
            file: running.file,
            saved_path: running.saved,
            warnings: warning.into_iter().collect(),
        };
        self.end(running.id, Ok(Arc::new(shot)));
    }

    fn end(&mut self, id: u64, outcome: Outcome) {
        self.ended.push_back((id, outcome));
        if self.ended.len() > 2 {
            self.ended.pop_front();
        }
    }
}

#[cfg(test)]
mod tests;
