//! What lasts as long as a connection: the folder as it was found, the place in it, and the running exposure.

use std::sync::Arc;
use std::time::Duration;

use super::file::{self, Sensor, Shot};
use super::folder::{self, Folder};
use crate::backend::exposure::Exposure;
use crate::camera::error::{CameraError, ErrorKind, Result};
use crate::camera::types::{Binning, ExposureRequest, ExposureStatus, Frame, FrameInfo, Moment, Roi};

/// Files that may be on their way at the same time, though nobody waits for them any more: a disk that hangs keeps
/// each of them, and its thread.
const MOST_READS: usize = 32;

/// One connection.
pub(super) struct Session {
    folder: Arc<Folder>,
    /// Index of the file whose turn it is.
    next: usize,
    running: Option<Running>,
}

struct Running {
    exposure: Exposure<Result<Shot>>,
    began: Moment,
    duration: Duration,
}

impl Session {
    pub(super) fn new(folder: Folder) -> Self {
        Session { folder: Arc::new(folder), next: 0, running: None }
    }

    pub(super) fn sensor(&self) -> &Sensor {
        &self.folder.sensor
    }

    /// All that the files show.
    pub(super) fn full(&self) -> Roi {
        let Sensor { width, height, .. } = self.folder.sensor;
        Roi { x: 0, y: 0, width, height }
    }

    /// Whether the camera cannot begin another exposure at `now`.
    pub(super) fn is_exposing(&mut self, now: Duration) -> bool {
        let status = self.running.as_mut().map(|running| running.exposure.status(now));
        matches!(status, Some(Ok(ExposureStatus::Exposing { .. } | ExposureStatus::Reading { .. })))
    }

    /// Opens the shutter and begins to read the file whose turn it is.
    pub(super) fn expose(&mut self, now: Moment, request: &ExposureRequest, looping: bool) -> Result<()> {
        let count = self.folder.files.len();
        if self.next >= count && looping {
            self.next = 0;
        }
        let Some(path) = self.folder.files.get(self.next).cloned() else {
            let detail = format!(
                "all files of {} have been replayed ({count}): connect again, or let them repeat",
                self.folder.path.display()
            );
            return Err(CameraError::new(ErrorKind::NoFrame, "start_exposure", detail));
        };
        if Arc::strong_count(&self.folder) > MOST_READS {
            let detail = format!(
                "{} does not answer: {MOST_READS} files are still being read",
                self.folder.path.display()
            );
            return Err(CameraError::new(ErrorKind::Io, "start_exposure", detail));
        }
        let folder = Arc::clone(&self.folder);
        let closes = now.elapsed + request.duration;
        let exposure = Exposure::open(closes, request.cancel.clone(), move |_| {
            let read = file::shot(&path).and_then(|(sensor, shot)| match sensor.is_like(&folder.sensor) {
                true => Ok(shot),
                false => Err(format!("has {sensor} now, and had {} before", folder.sensor)),
            });
            Some(read.map_err(|why| {
                let detail = format!("{} {why}", folder::name(&path));
                CameraError::new(ErrorKind::Io, "get_exposure_result", detail)
            }))
        })?;
        self.running = Some(Running { exposure, began: now, duration: request.duration });
        Ok(())
    }

    /// A file that was not read in time is not tried again.
    pub(super) fn abort(&mut self, now: Duration) {
        let status = self.running.as_mut().map(|running| running.exposure.status(now));
        if matches!(status, Some(Ok(ExposureStatus::Reading { .. }))) {
            self.next += 1;
        }
        self.running = None;
    }

    /// Where the exposure is at `now`; a failure is told once, and the next exposure goes on with the next file.
    pub(super) fn status(&mut self, now: Duration) -> Result<ExposureStatus> {
        let Some(Running { exposure, .. }) = &mut self.running else { return Ok(ExposureStatus::Idle) };
        let status = exposure.status(now);
        if matches!(exposure.drawn(), Some(Err(_))) {
            let read = exposure.take();
            self.running = None;
            self.next += 1;
            return read.transpose().map(|_| ExposureStatus::Idle);
        }
        if matches!(status, Ok(ExposureStatus::Idle) | Err(_)) {
            self.running = None;
        }
        status
    }

    /// The frame, once.
    pub(super) fn result(&mut self, now: Duration) -> Result<Frame> {
        let no_frame = |detail| CameraError::new(ErrorKind::NoFrame, "get_exposure_result", detail);
        match self.status(now)? {
            ExposureStatus::Ready => {}
            ExposureStatus::Idle => return Err(no_frame("there is no frame to fetch")),
            ExposureStatus::Exposing { .. } | ExposureStatus::Reading { .. } => {
                return Err(no_frame("the frame is not ready yet"));
            }
        }
        let (roi, running) = (self.full(), self.running.take());
        let Some(Running { mut exposure, began, duration }) = running else {
            return Err(no_frame("there is no frame to fetch"));
        };
        let shot = exposure.take().ok_or_else(|| no_frame("there is no frame to fetch"))??;
        self.next += 1;
        let info = FrameInfo {
            started: began.utc,
            ended: began.utc + duration,
            exposed: duration,
            roi,
            binning: Binning::NONE,
            gain: shot.gain,
            offset: shot.offset,
            temperature: shot.temperature,
        };
        Ok(Frame { pixels: shot.pixels, info })
    }
}
