//! One exposure from the client's wish to the last word about it.
//!
//! ```text
//!            CCD_EXPOSURE          StartExposure ok     shutter closed       frame           delivered
//!   Idle ────────────────► Starting ──────► Exposing ──────► Reading ──────► Delivering ──────► Idle
//!          Busy, requested             Busy, counting down    Busy, 0                    BLOB, Ok 0
//! ```
//! A frame that is being delivered no longer occupies the camera ([`super::fast`] makes use of that) but keeps
//! CCD_EXPOSURE Busy. Every way out of Busy is exactly one of Ok (the frame is there), Alert (it failed, with one sentence) and Idle
//! (aborted). What an exposure is (size, type, destination) is frozen when it starts; settings written meanwhile are
//! for the next one. Whatever arrives under an [`ExposureId`] that is not the current one is dropped.

use std::time::Duration;

use crate::camera::answer::ExposureResult;
use crate::camera::call::{Call, Reply};
use crate::camera::error::CameraError;
use crate::camera::types::{
    Binning, Cancel, Capabilities, ExposureId, ExposureRequest, ExposureStatus, FrameType, Moment, Roi, Spare,
};
use crate::property::key::Key;
use crate::property::keys::{self, Abort};
use crate::wire::State;

use super::connection::Link;
use super::geometry::Geometry;
use super::job::Job;
use super::timer::Timer;
use super::{Device, Handlers, Level, limits};

mod allowance;
mod deadline;
mod failure;
mod frame;
mod progress;
mod promise;

pub(super) use frame::Alone;
use frame::Spec;

/// Clients are told the time left at least this often, and of phases only in exposures longer than this.
const COUNTDOWN: Duration = Duration::from_secs(1);
/// So shortly before the end of an exposure the camera is not asked for its temperature: its answer could delay the
/// read-out.
const QUIET_BEFORE_READ_OUT: Duration = Duration::from_millis(300);

/// The exposure that the camera is busy with, if there is one.
#[derive(Debug, Default)]
pub(super) struct Exposure {
    pub(super) last_id: ExposureId,
    current: Option<Current>,
    /// Window and binning that the camera is known to have.
    set: (Option<Roi>, Option<Binning>),
    /// What the exposure that is about to be asked for has of its own.
    pub(super) wished: Alone,
    /// What the exposures of the last request have of their own.
    alone: Alone,
    /// Frames that have been read out.
    frames: u64,
    /// How long read-outs may take.
    allowances: allowance::Allowances,
    /// When the exposure was asked for.
    asked: Duration,
    /// The last exposure did not end in time, and no frame has come since.
    overdue: bool,
    /// The camera has been opened, and whether it was exposing then is not known yet.
    inherits: bool,
    /// Pixel memory that goes round between camera and delivery.
    spare: Spare,
    /// The last frame that was delivered, until an exposure replaces it.
    pub(super) last: Option<Box<ExposureResult>>,
}

/// A running exposure. All but `stage` is frozen when it starts.
#[derive(Debug)]
struct Current {
    id: ExposureId,
    cancel: Cancel,
    spec: Spec,
    stage: Stage,
    /// When the shutter has opened.
    opened: Option<Duration>,
    /// What the camera has complained of since it was last well.
    complaint: Option<String>,
}

impl Current {
    /// When the camera has begun to read out, if it has told.
    fn read_since(&self) -> Option<Duration> {
        match self.stage {
            Stage::Reading { since } => Some(since),
            Stage::Starting | Stage::Exposing { .. } => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    /// The camera has not confirmed yet.
    Starting,
    /// The shutter is open since then.
    Exposing { since: Duration },
    /// The shutter is closed since then.
    Reading { since: Duration },
}

pub(super) fn register(on: &mut Handlers) {
    on.change(&keys::CCD_EXPOSURE, Device::begin_exposure);
    on.change(&keys::CCD_ABORT_EXPOSURE, Device::abort_exposure);
    on.keep(&keys::CCD_FRAME_TYPE);
}

impl Device {
    fn begin_exposure(&mut self, [seconds]: [f64; 1]) {
        let alone = std::mem::take(&mut self.exposure.wished);
        if self.refused_while_lost(&keys::CCD_EXPOSURE) {
            return;
        }
        // Every client expects a new exposure to replace one that is still running.
        let frames = self.frames_of_run();
        self.drop_exposures();
        self.exposure.alone = alone;
        self.exposure.last = None;
        let bias = self.frame_type() == FrameType::Bias;
        let shortest = self.capabilities.as_ref().map_or(seconds, |camera| camera.exposure.min);
        let seconds = if bias { shortest } else { seconds };
        self.begin_run(seconds, frames);
        self.publish(&keys::CCD_EXPOSURE, [seconds], State::Busy);
        self.expose(seconds);
    }

    /// Starts an exposure with the settings of this moment.
    pub(super) fn expose(&mut self, seconds: f64) {
        let Some(capabilities) = &self.capabilities else { return };
        let Ok(duration) = Duration::try_from_secs_f64(seconds) else { return };
        let spec = self.spec(capabilities, duration);
        self.exposure.last_id.0 += 1;
        let (id, cancel) = (self.exposure.last_id, Cancel::default());
        self.prepare_camera(spec.geometry);
        if spec.encoding.keeps_size() {
            self.jobs.push_back(Job::Reserve { bytes: spec.bytes() });
        }
        if duration > COUNTDOWN
            && let Some((bytes, file)) = spec.to_be_stored(self.now.utc)
        {
            self.jobs.push_back(Job::CheckRoom { id, bytes, file });
        }
        let (frame_type, spare) = (spec.frame_type, self.exposure.spare.clone());
        let request = ExposureRequest { id, duration, frame_type, cancel: cancel.clone(), spare };
        let (opened, complaint) = (None, None);
        self.exposure.current = Some(Current { id, cancel, spec, stage: Stage::Starting, opened, complaint });
        self.expect_start();
        self.ask(Call::StartExposure(request));
    }

    /// Brings the settings to the camera where they are not there yet.
    fn prepare_camera(&mut self, geometry: Geometry) {
        self.apply_pending_controls();
        self.tell_scene();
        self.lend_controls(self.exposure.alone.gain, self.exposure.alone.offset);
        let (roi, binning) = geometry.for_camera();
        if self.exposure.set != (Some(roi), Some(binning)) {
            self.exposure.set = (None, None);
            self.ask(Call::SetBinning(binning));
            self.ask(Call::SetCameraRoi(roi));
        }
    }

    pub(super) fn exposure_answered(&mut self, call: &Call, result: Result<Reply, CameraError>) {
        match (call, result) {
            (Call::SetCameraRoi(roi), Ok(Reply::Roi(granted))) => {
                self.exposure.set.0 = Some(*roi);
                let current = self.exposure.current.as_ref();
                let geometry = current.map_or(self.geometry, |current| current.spec.geometry);
                if let (_, Some(binning)) = self.exposure.set
                    && !geometry.is_in_step(granted, binning)
                {
                    // The camera would bin other pixels together than were asked: then it is done afterwards.
                    self.exposure.set.1 = None;
                    self.calls.push_front(Call::SetBinning(Binning::NONE));
                }
            }
            (Call::SetBinning(binning), Ok(_)) => self.exposure.set.1 = Some(*binning),
            (Call::StartExposure(request), Err(error)) => self.exposure_failed(request.id, &error),
            // A camera that is lost exposes nothing any more.
            (Call::AbortExposure, Err(_)) if self.link != Link::On => {}
            (Call::AbortExposure, Err(error)) => self.abort_refused(&error),
            // The window or the binning of the exposure that waits to start, unless that one brings its own.
            (_, Err(error)) => {
                let prepares = |call: &Call| matches!(call, Call::SetBinning(_));
                if !self.calls.iter().any(prepares) {
                    self.fail_exposure(&error.to_string());
                }
            }
            (_, Ok(_)) => {}
        }
    }

    pub(super) fn exposure_started(&mut self, id: ExposureId, at: Moment) {
        let Some(current) = self.exposure.current(id) else { return };
        current.stage = Stage::Exposing { since: at.elapsed };
        current.opened = Some(at.elapsed);
        let duration = current.spec.duration;
        self.expect_frame(at.elapsed);
        self.timers.set(Timer::MiddleOfExposure, at.elapsed + duration / 2);
        if duration > COUNTDOWN {
            self.timers.set(Timer::Countdown, at.elapsed + COUNTDOWN);
            self.show_phase("exposing");
        }
    }

    pub(super) fn count_down(&mut self) {
        let Some(Current { stage: Stage::Exposing { since }, spec, .. }) = &self.exposure.current else {
            return;
        };
        let (since, duration) = (*since, spec.duration);
        let open = self.now.elapsed.saturating_sub(since);
        let left = duration.saturating_sub(open);
        // Counted from the shutter, so that late wake-ups do not add up.
        let ticks = u32::try_from(open.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
        if COUNTDOWN * ticks < duration {
            self.timers.set(Timer::Countdown, since + COUNTDOWN * ticks);
        }
        // While an earlier frame is on its way, CCD_EXPOSURE speaks of that one.
        if self.frames_on_their_way() == 0 {
            self.publish(&keys::CCD_EXPOSURE, [left.as_secs_f64()], State::Busy);
        }
    }

    pub(super) fn reading_out(&mut self, id: ExposureId) {
        let since = self.now.elapsed;
        let Some(current) = self.exposure.current(id) else { return };
        let begun = !matches!(current.stage, Stage::Reading { .. });
        if begun {
            current.stage = Stage::Reading { since };
        }
        self.expect_more();
        let Some(current) = self.exposure.current(id).filter(|_| begun) else { return };
        let long = current.spec.duration > COUNTDOWN;
        self.timers.clear(Timer::Countdown);
        if self.frames_on_their_way() == 0 {
            self.publish(&keys::CCD_EXPOSURE, [0.0], State::Busy);
        }
        if long {
            self.show_phase("reading");
        }
    }

    fn abort_exposure(&mut self, pressed: Option<Abort>) {
        if pressed.is_some() {
            self.drop_exposures();
        }
        self.publish(&keys::CCD_ABORT_EXPOSURE, None, State::Ok);
        if pressed.is_some() {
            self.publish(&keys::CCD_EXPOSURE, [0.0], State::Idle);
            self.show_phase("idle");
        }
    }

    /// Stops whatever is under way, as if a client had aborted it.
    pub(super) fn stop_exposures(&mut self) {
        self.drop_exposures();
        self.publish(&keys::CCD_EXPOSURE, [0.0], State::Idle);
        self.show_phase("idle");
    }

    /// Stops whatever is under way, on the camera and in delivery: no frame and no file may follow. Says nothing of
    /// CCD_EXPOSURE.
    pub(super) fn drop_exposures(&mut self) {
        self.drop_deliveries();
        self.end_run();
        self.drop_current();
    }

    /// Stops the exposure that the camera is busy with, if it is.
    pub(super) fn drop_current(&mut self) {
        for timer in [Timer::ExposureOverdue, Timer::Countdown, Timer::MiddleOfExposure] {
            self.timers.clear(timer);
        }
        if let Some(current) = self.exposure.current.take() {
            current.cancel.cancel();
            let waits = |call: &Call| matches!(call, Call::StartExposure(_));
            let never_asked = self.calls.iter().any(waits);
            let prepares = |call: &Call| matches!(call, Call::SetBinning(_) | Call::SetCameraRoi(_));
            if self.calls.iter().any(prepares) {
                self.exposure.set = (None, None);
            }
            self.calls.retain(|call| !waits(call) && !prepares(call));
            if self.link == Link::On {
                if !never_asked {
                    self.ask(Call::AbortExposure);
                }
                self.apply_pending_controls();
            }
        }
    }

    /// Forgets the exposure because the camera is being closed, which stops it.
    pub(super) fn forget_exposure(&mut self) {
        self.drop_exposures();
        self.exposure.set = (None, None);
        self.exposure.last = None;
        self.show_phase("idle");
        self.store.set(&keys::CCD_EXPOSURE, [0.0]);
        self.store.set_state(keys::CCD_EXPOSURE.vector(), State::Idle);
    }

    /// Whether the camera is busy with an exposure.
    pub(super) fn is_exposing(&self) -> bool {
        self.exposure.current.is_some()
    }

    /// Whether a call sets the camera for the exposure that is about to start, and for no other.
    pub(super) fn is_lent(&self, call: &Call) -> bool {
        let Alone { gain, offset, .. } = self.exposure.alone;
        let starting = self.exposure.current.as_ref().is_some_and(|current| current.stage == Stage::Starting);
        starting
            && match call {
                Call::SetGain(value) => gain == Some(*value),
                Call::SetOffset(value) => offset == Some(*value),
                _ => false,
            }
    }

    /// Whether the camera is in, or close to, the moment in which it must not be disturbed.
    pub(super) fn is_about_to_read_out(&self) -> bool {
        self.exposure.current.as_ref().is_some_and(|current| match current.stage {
            Stage::Starting | Stage::Reading { .. } => true,
            Stage::Exposing { since } => {
                self.now.elapsed + QUIET_BEFORE_READ_OUT >= since + current.spec.duration
            }
        })
    }

    /// The camera has said for the first time since it was opened what it is doing. What it exposes then is not ours: a
    /// process that is dead has left it, or a thread that was given up, and nobody waits for the frame.
    pub(super) fn end_inherited(&mut self, status: ExposureStatus) {
        let first = std::mem::take(&mut self.exposure.inherits);
        let waits = self.calls.iter().any(|call| matches!(call, Call::StartExposure(_)));
        if first && status != ExposureStatus::Idle && (waits || !self.is_exposing()) {
            self.say(Level::Info, "the camera was exposing when it was opened: that exposure is ended");
            self.ask(Call::AbortExposure);
        }
    }

    /// Tells what the exposure is doing, where that is news.
    pub(super) fn show_phase(&mut self, phase: &str) {
        let [_, failure] = self.store.get(&keys::CCD_EXPOSURE_STATUS);
        let state = if phase == "idle" { State::Idle } else { State::Busy };
        self.publish_news(&keys::CCD_EXPOSURE_STATUS, [phase.to_owned(), failure], state);
    }

    pub(super) fn adopt_exposure(&mut self, capabilities: &Capabilities) {
        self.exposure.set = (None, None);
        self.exposure.inherits = true;
        self.store.set_limits(&keys::CCD_EXPOSURE, &[limits(capabilities.exposure)]);
    }
}

impl Exposure {
    fn current(&mut self, id: ExposureId) -> Option<&mut Current> {
        self.current.as_mut().filter(|current| current.id == id)
    }
}
