//! What lasts as long as a connection: the folder as it was found, the place in it, and the running exposure.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::file::{self, Sensor, Shot};
use super::folder::{self, Folder};
use super::reading::Reading;
use crate::camera::error::{CameraError, ErrorKind, Result};
use crate::camera::types::{Cancel, ExposureRequest, ExposureStatus, Frame, FrameInfo, Moment, Roi};

/// Files that may be on their way though nobody waits for them any more: a disk that hangs keeps each of them, and its
/// thread.
const MOST_READS: usize = 8;

/// One connection.
pub(super) struct Session {
    folder: Arc<Folder>,
    /// Index of the file whose turn it is.
    next: usize,
    /// That file, from the moment when it was first wanted.
    reading: Option<Reading>,
    running: Option<Running>,
    /// How files are read.
    read: fn(&Path) -> std::result::Result<(Sensor, Shot), String>,
}

struct Running {
    began: Moment,
    duration: Duration,
    unwanted: Cancel,
}

impl Session {
    pub(super) fn new(folder: Folder) -> Self {
        Session { folder: Arc::new(folder), next: 0, reading: None, running: None, read: file::shot }
    }

    pub(super) fn sensor(&self) -> &Sensor {
        &self.folder.sensor
    }

    /// All that the files show.
    pub(super) fn full(&self) -> Roi {
        let Sensor { width, height, .. } = self.folder.sensor;
        Roi { x: 0, y: 0, width, height }
    }

    /// Whether the camera cannot begin another exposure at `now`. A finished one that nobody fetched can be replaced.
    pub(super) fn is_exposing(&mut self, now: Duration) -> bool {
        let Some(running) = self.running.as_ref().filter(|running| !running.unwanted.is_cancelled()) else {
            return false;
        };
        running.left(now).is_some()
            || self.reading.as_mut().is_some_and(|reading| reading.outcome().is_none())
    }

    /// Opens the shutter, and begins to read the file whose turn it is unless that has begun already.
    pub(super) fn expose(&mut self, now: Moment, request: &ExposureRequest, looping: bool) -> Result<()> {
        let count = self.folder.files.len();
        if self.next >= count && looping {
            self.next = 0;
        }
        if self.next >= count {
            let detail = format!(
                "all files of {} have been replayed ({count}): connect again, or let them repeat",
                self.folder.path.display()
            );
            return Err(CameraError::new(ErrorKind::NoFrame, "start_exposure", detail));
        }
        if self.reading.as_ref().is_none_or(|reading| reading.index != self.next) {
            self.reading = Some(self.begin_reading(now.elapsed)?);
        }
        let unwanted = request.cancel.clone();
        self.running = Some(Running { began: now, duration: request.duration, unwanted });
        Ok(())
    }

    fn begin_reading(&self, now: Duration) -> Result<Reading> {
        // Each reading holds the folder until it is over.
        if Arc::strong_count(&self.folder) > MOST_READS {
            let shown = self.folder.path.display();
            let detail = format!("{shown} does not answer: {MOST_READS} files are still being read");
            return Err(CameraError::new(ErrorKind::Io, "start_exposure", detail));
        }
        let (folder, index, read) = (Arc::clone(&self.folder), self.next, self.read);
        Reading::begin(index, now, move || {
            let path = &folder.files[index];
            let shot = read(path).and_then(|(sensor, shot)| {
                let changed = || format!("has {sensor} now, and had {} before", folder.sensor);
                if sensor.is_like(&folder.sensor) { Ok(shot) } else { Err(changed()) }
            });
            shot.map_err(|why| {
                let detail = format!("{} {why}", folder::name(path));
                CameraError::new(ErrorKind::Io, "get_exposure_result", detail)
            })
        })
    }

    /// The file comes again, unless it should have come long ago.
    pub(super) fn abort(&mut self, now: Duration) {
        self.running = None;
        if self.reading.as_mut().is_some_and(|reading| reading.is_late(now)) {
            self.reading = None;
            self.next += 1;
        }
    }

    /// Where the exposure is at `now`; a failure is told once, and the next exposure goes on with the next file.
    pub(super) fn status(&mut self, now: Duration) -> Result<ExposureStatus> {
        let (Some(running), Some(reading)) = (&self.running, &mut self.reading) else {
            return Ok(ExposureStatus::Idle);
        };
        if running.unwanted.is_cancelled() {
            self.running = None;
            return Ok(ExposureStatus::Idle);
        }
        if let Some(left) = running.left(now) {
            return Ok(ExposureStatus::Exposing { left });
        }
        match reading.outcome() {
            None => Ok(ExposureStatus::Reading { done: None }),
            Some(Ok(_)) => Ok(ExposureStatus::Ready),
            Some(Err(_)) => {
                self.running = None;
                self.next += 1;
                let failed = self.reading.take().and_then(Reading::finish);
                failed.transpose().map(|_| ExposureStatus::Idle)
            }
        }
    }

    /// The frame, once.
    pub(super) fn result(&mut self, now: Duration) -> Result<Frame> {
        self.status(now)?.check_ready()?;
        let outcome = self.reading.take().and_then(Reading::finish);
        let (Some(running), Some(shot)) = (self.running.take(), outcome) else {
            return Err(CameraError::no_frame());
        };
        self.next += 1;
        let (shot, Running { began, duration, .. }) = (shot?, running);
        let info = FrameInfo {
            gain: shot.gain,
            offset: shot.offset,
            temperature: shot.temperature,
            ..FrameInfo::new(began.utc, duration, self.full())
        };
        Ok(Frame { pixels: shot.pixels, info })
    }
}

impl Running {
    /// Until the shutter closes, if it is open.
    fn left(&self, now: Duration) -> Option<Duration> {
        let closes = self.began.elapsed + self.duration;
        closes.checked_sub(now).filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::SystemTime;

    use fitsio::FitsFile;
    use fitsio::images::{ImageDescription, ImageType};

    use super::*;
    use crate::camera::types::{ExposureId, FrameType, Pixels};

    /// A session over files of one pixel, which is their number.
    fn session(name: &str, files: u8) -> Session {
        let folder = std::env::temp_dir().join(format!("indi-camera-replay-{}-{name}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        for number in 0..files {
            let image = ImageDescription { data_type: ImageType::UnsignedByte, dimensions: &[1, 1] };
            let path = folder.join(format!("{number}.fits"));
            let mut file = FitsFile::create(path).with_custom_primary(&image).open().unwrap();
            file.primary_hdu().unwrap().write_image(&mut file, &[number]).unwrap();
        }
        Session::new(Folder::read(&folder).unwrap())
    }

    fn at(seconds: u64) -> Moment {
        Moment { elapsed: Duration::from_secs(seconds), utc: SystemTime::UNIX_EPOCH }
    }

    /// Begins an exposure of 2 s.
    fn expose(session: &mut Session, now: u64) -> Result<()> {
        let request = ExposureRequest::new(ExposureId(1), Duration::from_secs(2), FrameType::Light);
        session.expose(at(now), &request, true)
    }

    fn never(_: &Path) -> std::result::Result<(Sensor, Shot), String> {
        loop {
            thread::park();
        }
    }

    fn fetch(session: &mut Session, now: u64) -> u8 {
        while session.status(at(now).elapsed).unwrap() != ExposureStatus::Ready {
            thread::yield_now();
        }
        match session.result(at(now).elapsed).unwrap().pixels {
            Pixels::U8(pixels) => pixels[[0, 0, 0]],
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_file_that_does_not_come_is_waited_for_a_while_and_then_passed_over() {
        let mut session = session("late", 3);
        session.read = never;
        expose(&mut session, 10).unwrap();
        assert_eq!(session.status(at(13).elapsed).unwrap(), ExposureStatus::Reading { done: None });
        assert!(session.is_exposing(at(13).elapsed));
        session.abort(at(13).elapsed);
        // Still the same file, and nobody reads it twice.
        session.read = file::shot;
        expose(&mut session, 13).unwrap();
        assert_eq!(session.status(at(16).elapsed).unwrap(), ExposureStatus::Reading { done: None });
        session.abort(at(16).elapsed);
        expose(&mut session, 20).unwrap();
        assert_eq!(fetch(&mut session, 22), 1);
        std::fs::remove_dir_all(&session.folder.path).unwrap();
    }

    #[test]
    fn a_folder_that_does_not_answer_keeps_only_so_many_threads() {
        let mut session = session("hung", 20);
        session.read = never;
        let mut begun = 0;
        let error = loop {
            match expose(&mut session, 10 * begun) {
                Ok(()) => begun += 1,
                Err(error) => break error,
            }
            session.abort(at(10 * begun).elapsed);
        };
        assert_eq!((begun, error.kind), (8, ErrorKind::Io));
        assert!(error.detail.contains("does not answer"), "{error}");
        std::fs::remove_dir_all(&session.folder.path).unwrap();
    }
}
