//! How an exposure goes, and what came of it.

use std::sync::Arc;
use std::time::Duration;

use super::blob::FrameFile;
use crate::camera::answer::{ExposureProgress, FrameSpec, Phase};

/// Where an exposure is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// What the camera does.
    pub phase: Phase,
    /// How long the shutter has been open.
    pub elapsed: Duration,
    /// Until it closes; never grows.
    pub remaining: Duration,
    /// The exposure that runs, or else ran last.
    pub exposure_id: Option<u64>,
    /// Bytes of the frame that have come; a frame that comes as a descriptor comes at once.
    pub received: u64,
    /// Bytes that there will be, where that is known.
    pub size: Option<u64>,
    /// Of the sensor, °C.
    pub temperature: Option<f64>,
}

impl Progress {
    pub(super) fn at_rest(phase: Phase, exposure_id: Option<u64>) -> Progress {
        let (elapsed, remaining) = (Duration::ZERO, Duration::ZERO);
        Progress { phase, elapsed, remaining, exposure_id, received: 0, size: None, temperature: None }
    }

    /// Whether an exposure runs, or its frame is on the way.
    #[must_use]
    pub fn is_running(&self) -> bool {
        !matches!(self.phase, Phase::Idle | Phase::Error)
    }

    /// Of the exposure's time, 0 to 100; 0 while none runs.
    #[must_use]
    pub fn percent(&self) -> f64 {
        let whole = (self.elapsed + self.remaining).as_secs_f64();
        match self.phase {
            Phase::Idle | Phase::Error | Phase::Waiting => 0.0,
            Phase::Exposing if whole > 0.0 => self.elapsed.as_secs_f64() / whole * 100.0,
            _ => 100.0,
        }
    }

    /// Of the frame's bytes, 0 to 100, while they come.
    #[must_use]
    pub fn downloaded(&self) -> Option<f64> {
        let size = self.size.filter(|size| *size > 0 && self.received > 0)?;
        Some((self.received as f64 / size as f64 * 100.0).min(100.0))
    }
}

impl From<Progress> for ExposureProgress {
    fn from(progress: Progress) -> ExposureProgress {
        ExposureProgress {
            status: progress.is_running(),
            phase: progress.phase,
            elapsed_s: progress.elapsed.as_secs_f64(),
            remaining_s: progress.remaining.as_secs_f64(),
            percent: progress.percent(),
            exposure_id: progress.exposure_id,
        }
    }
}

/// An exposure that ended well.
#[derive(Debug)]
pub struct Shot {
    /// The camera.
    pub device: String,
    /// As `start_exposure` told it.
    pub exposure_id: u64,
    /// What was asked for; frozen when the exposure began.
    pub spec: FrameSpec,
    /// Of the sensor when the exposure began, °C.
    pub temperature_start: Option<f64>,
    /// From the shutter's end until everything had come.
    pub read_out: Duration,
    /// What came; nothing where the driver was told to save frames only.
    pub file: Option<Arc<FrameFile>>,
    /// Where the driver has saved it, on its own machine.
    pub saved_path: Option<String>,
    /// What a user should know about this frame.
    pub warnings: Vec<String>,
}
