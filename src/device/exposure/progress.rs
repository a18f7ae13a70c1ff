//! Where an exposure is, for those who ask instead of listening.

use std::time::Duration;

use crate::camera::answer::{ExposureBegun, ExposureProgress, Phase};
use crate::camera::types::ExposureId;
use crate::device::Device;
use crate::property::keys;
use crate::wire::State;

use super::{Current, Stage};

impl Device {
    /// Whether clients are waiting for a frame: from the wish to the last word about it.
    pub(in crate::device) fn is_busy_exposing(&self) -> bool {
        self.store.state(&keys::CCD_EXPOSURE) == State::Busy
    }

    /// The exposure that runs, or else the oldest frame that is on its way.
    #[must_use]
    pub fn exposure_in_hand(&self) -> Option<ExposureId> {
        self.exposure.current.as_ref().map(|current| current.id).or(self.first_frame_on_its_way())
    }

    /// What is to be expected of an exposure that has just been asked for.
    pub(in crate::device) fn exposure_begun(&self) -> Option<ExposureBegun> {
        let Current { id, spec, .. } = self.exposure.current.as_ref()?;
        Some(ExposureBegun {
            exposure_id: id.0,
            deadline_s: self.camera_deadline().as_secs_f64(),
            expected_bytes: spec.bytes() as u64,
        })
    }

    /// Seconds of the exposure that runs.
    pub(in crate::device) fn exposure_time(&self) -> Option<f64> {
        self.exposure.current.as_ref().map(|current| current.spec.duration.as_secs_f64())
    }

    pub(in crate::device) fn exposure_progress(&self) -> ExposureProgress {
        let (phase, open, duration) = match &self.exposure.current {
            Some(Current { stage, spec, .. }) => {
                let open = match stage {
                    Stage::Starting => Duration::ZERO,
                    Stage::Exposing { since } => self.now.elapsed.saturating_sub(*since).min(spec.duration),
                    Stage::Reading { .. } => spec.duration,
                };
                (phase(stage), open, Some(spec.duration))
            }
            None => (self.phase_without_camera(), Duration::ZERO, None),
        };
        let status = self.is_busy_exposing();
        let percent = match duration {
            Some(duration) if !duration.is_zero() => 100.0 * open.as_secs_f64() / duration.as_secs_f64(),
            _ if status => 100.0,
            _ => 0.0,
        };
        ExposureProgress {
            status,
            phase,
            elapsed_s: open.as_secs_f64(),
            remaining_s: duration.map_or(0.0, |duration| duration.saturating_sub(open).as_secs_f64()),
            percent,
            exposure_id: Some(self.exposure.last_id.0).filter(|id| *id > 0),
        }
    }

    /// What becomes of an exposure that the camera has done its part of.
    fn phase_without_camera(&self) -> Phase {
        match self.first_frame_is_encoded() {
            Some(false) => Phase::Encoding,
            Some(true) => Phase::Delivering,
            None if self.store.state(&keys::CCD_EXPOSURE_STATUS) == State::Alert => Phase::Error,
            None => Phase::Idle,
        }
    }
}

fn phase(stage: &Stage) -> Phase {
    match stage {
        Stage::Starting => Phase::Waiting,
        Stage::Exposing { .. } => Phase::Exposing,
        Stage::Reading { .. } => Phase::Reading,
    }
}
