//! When an exposure has to be over, and what is done with a camera that does not end it.
//!
//! ```text
//!   request ── START_ALLOWANCE ── shutter opens ── duration ── shutter closes ── read-out allowance ── overdue
//! ```
//! An exposure that is overdue ends in Alert at once. Then the camera is asked to stop; one that refuses, or that was
//! asked to in the exposure before too, is closed and opened again; one that does not answer loses its thread
//! ([`super::super::connection`]). None of that keeps a client waiting.

use std::time::Duration;

use crate::camera::error::CameraError;
use crate::device::health::Step;
use crate::device::overdue::DELIVERY_ALLOWANCE;
use crate::device::timer::Timer;
use crate::device::{Device, Level};
use crate::property::keys;
use crate::wire::State;

use super::{Current, Stage};

/// Time that a camera gets for all that comes before the shutter opens. Each call has a shorter one of its own.
pub(super) const START_ALLOWANCE: Duration = Duration::from_secs(20);
/// A read-out that gets further is given its time again in steps no smaller than this, as clients are told each time.
const STEP: Duration = Duration::from_secs(1);

impl Device {
    /// An exposure has been asked for: it has to start, and clients are told by when all will be over.
    pub(super) fn expect_start(&mut self) {
        self.exposure.asked = self.now.elapsed;
        self.timers.set(Timer::ExposureOverdue, self.now.elapsed + START_ALLOWANCE);
        let Some(Current { spec, .. }) = &self.exposure.current else { return };
        let (within, read_out) = (self.camera_deadline(), spec.allowance);
        let values = [within, read_out, DELIVERY_ALLOWANCE].map(|time| time.as_secs_f64());
        self.publish_news(&keys::CCD_EXPOSURE_DEADLINE, values, State::Ok);
    }

    /// The shutter has opened.
    pub(super) fn expect_frame(&mut self, opened: Duration) {
        let Some(Current { spec, .. }) = &self.exposure.current else { return };
        self.timers.set(Timer::ExposureOverdue, opened + spec.duration + spec.allowance);
    }

    /// The read-out has begun or got further. Over a slow network it may take its time, as long as it goes on.
    pub(super) fn expect_more(&mut self) {
        let Some(Current { spec, .. }) = &self.exposure.current else { return };
        let until = self.now.elapsed + spec.allowance;
        if self.timers.at(Timer::ExposureOverdue).is_some_and(|at| until < at + STEP) {
            return;
        }
        self.timers.set(Timer::ExposureOverdue, until);
        let [within, read_out, delivery] = self.store.get(&keys::CCD_EXPOSURE_DEADLINE);
        let needed = until.saturating_sub(self.exposure.asked).as_secs_f64();
        if needed > within {
            self.publish(&keys::CCD_EXPOSURE_DEADLINE, [needed, read_out, delivery], State::Ok);
        }
    }

    /// From the request to the end of the camera's part, at most.
    pub(super) fn camera_deadline(&self) -> Duration {
        let spec = self.exposure.current.as_ref().map(|current| &current.spec);
        spec.map_or(Duration::ZERO, |spec| START_ALLOWANCE + spec.duration + spec.allowance)
    }

    /// When the shutter of the exposure that runs closes, and when that exposure is overdue.
    pub(in crate::device) fn read_out_between(&self) -> Option<(Duration, Duration)> {
        let Current { spec, opened, .. } = self.exposure.current.as_ref()?;
        Some(((*opened)? + spec.duration, self.timers.at(Timer::ExposureOverdue)?))
    }

    pub(in crate::device) fn exposure_overdue(&mut self) {
        let Some(Current { spec, stage, .. }) = &self.exposure.current else { return };
        let (allowance, seconds) = (spec.allowance.as_secs(), spec.duration.as_secs_f64());
        let why = match stage {
            Stage::Starting => {
                format!("the camera did not start it within {} s", START_ALLOWANCE.as_secs())
            }
            Stage::Exposing { .. } => {
                format!("the camera did not end it within {allowance} s beyond its {seconds} s")
            }
            Stage::Reading { .. } => format!("its read-out has not got further for {allowance} s"),
        };
        if *stage != Stage::Starting {
            let (mode, allowance) = (spec.mode.clone(), spec.allowance);
            self.exposure.allowances.miss(&mode, allowance);
        }
        self.fail_exposure(&why);
        if std::mem::replace(&mut self.exposure.overdue, true) {
            self.exposure.overdue = false;
            self.open_again("it was asked to stop, and the next exposure did not end either");
        }
    }

    /// The camera has refused to stop.
    pub(super) fn abort_refused(&mut self, error: &CameraError) {
        if std::mem::take(&mut self.exposure.overdue) {
            self.open_again(&format!("it does not stop: {error}"));
        } else {
            self.say(Level::Warning, &error.to_string());
        }
    }

    /// The frame has come, and was read out for so long, as far as that is known.
    pub(super) fn came_in_time(&mut self, read_out: Option<Duration>) {
        self.exposure.overdue = false;
        let Some(Current { spec, opened: Some(opened), .. }) = &self.exposure.current else { return };
        let closed = *opened + spec.duration;
        let (mode, took) = (spec.mode.clone(), self.now.elapsed.saturating_sub(closed));
        if let Some(read_out) = read_out {
            self.note_latency(Step::ReadOut, read_out);
        }
        self.exposure.allowances.learn(&mode, took);
        self.note_latency(Step::Overrun, took);
    }
}
