//! One exposure: frames that come by themselves are left out until one is whole and all of it was asked for.

use std::time::{Duration, SystemTime};

use rustix::io::Errno;

use super::open::Open;
use super::running::Running;
use super::stream::{Delivery, Stream};
use super::{UNIT, abi, clock, failed, units};
use crate::camera::error::{CameraError, ErrorKind, Result};
use crate::camera::types::{ExposureRequest, ExposureStatus, Frame, Pixels, Range};

/// The call under which an exposure fails.
const CALL: &str = "get_exposure_status";

/// Frames that may still show the controls as they were.
const SETTLING: u32 = 1;
/// A stream that nobody takes frames from is stopped after so long.
const IDLE: Duration = Duration::from_secs(5);
/// A stream is begun anew for a longer exposure: to wait for the end of a frame that nobody wants would take too long.
const LONG: Duration = Duration::from_secs(1);

/// Where the camera is.
pub(super) enum Exposure {
    None,
    Running(Box<Running>),
    Done(Box<Frame>),
}

/// What a frame is to the exposure.
enum Sight {
    Old,
    /// It may still show the controls as they were.
    Unsettled,
    Frame(Pixels),
}

impl Exposure {
    /// Says that nothing can be changed while one runs: its stream would show it at once.
    pub(super) fn is_over(&self, call: &'static str) -> Result<()> {
        match self {
            Exposure::Running(_) => Err(CameraError::exposing(call)),
            Exposure::None | Exposure::Done(_) => Ok(()),
        }
    }
}

impl Open {
    pub(super) fn start(&mut self, request: &ExposureRequest) -> Result<()> {
        const CALL: &str = "start_exposure";
        self.exposure.is_over(CALL)?;
        let (single, frames) = self.divided(request.duration)?;
        let gain = self.controls.gains().and_then(|_| self.controls.gain(self.node()).ok());
        let offset = self.controls.offsets().and_then(|_| self.controls.offset(self.node()).ok());
        let running = self.go_on(single);
        if !running {
            self.pace = self.pace.set_for(self.node(), single);
        }
        let single = self.set_exposure(single).map_err(|error| failed(CALL, error))?;
        self.idle_since = None;
        let asked = clock().0;
        if !running {
            self.begin_stream(CALL)?;
        }
        let (began, started) = clock();
        let skip = u32::from(running) + if self.unsettled { SETTLING } else { 0 };
        self.unsettled = false;
        self.exposure = Exposure::Running(Box::new(Running {
            cancel: request.cancel.clone(),
            began,
            started,
            duration: single * frames,
            single,
            skip,
            since: if running { began } else { asked },
            own_stream: !running,
            fresh: false,
            missing: frames,
            frames,
            all: skip + frames,
            heard: began,
            restarted: false,
            sum: None,
            gain,
            offset,
        }));
        Ok(())
    }

    /// The exposure of one frame, and how many of them make up the whole.
    fn divided(&self, duration: Duration) -> Result<(Duration, u32)> {
        let Range { min, max, .. } = self.single();
        // The limits that clients see have passed through floating point.
        let tolerance = UNIT / 10;
        if duration + tolerance >= min && duration <= max + tolerance {
            return Ok((duration, 1));
        }
        if self.stacking && duration > max {
            let frames = duration.as_secs_f64() / max.as_secs_f64();
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a few thousand at most"
            )]
            let frames = frames.ceil() as u32;
            return Ok((duration / frames, frames));
        }
        let (min, max) = (min.as_secs_f64(), max.as_secs_f64());
        let detail = format!("an exposure takes {min} to {max} s, not {}", duration.as_secs_f64());
        Err(CameraError::new(ErrorKind::OutOfRange, "start_exposure", detail))
    }

    /// Sets what each frame is exposed for, and tells what the camera has made of it.
    fn set_exposure(&self, single: Duration) -> Result<Duration, Errno> {
        let Some(Range { min, max, .. }) = self.controls.exposures() else { return Ok(single) };
        let set = self.controls.set_exposure(self.node(), units(single).clamp(min.max(1), max.max(1)))?;
        // A driver that answers with nothing has not told.
        Ok(u32::try_from(set).ok().filter(|set| *set > 0).map_or(single, |set| UNIT * set))
    }

    /// Whether there is a stream for the next exposure to take its frames from. One that is broken is none.
    fn go_on(&mut self, single: Duration) -> bool {
        let is_too_fast_or_slow = self.pace.change_for(single).is_some();
        if single > LONG || is_too_fast_or_slow || self.forget_old_frames().is_err() {
            self.stream = None;
        }
        self.stream.is_some()
    }

    fn begin_stream(&mut self, call: &'static str) -> Result<()> {
        // What the old one has is needed for the new one.
        self.stream = None;
        self.stream = Some(Stream::start(self.file()).map_err(|error| failed(call, error))?);
        Ok(())
    }

    /// What the camera delivered before it was asked.
    fn forget_old_frames(&mut self) -> Result<(), Errno> {
        let Some(stream) = &self.stream else { return Ok(()) };
        while !matches!(stream.next(|_, _| Some(()))?, Delivery::Nothing) {}
        Ok(())
    }

    pub(super) fn status(&mut self) -> Result<ExposureStatus> {
        let status = self.look();
        if status.is_err() {
            self.exposure = Exposure::None;
            self.stream = None;
        }
        status
    }

    /// The same, as far as it is known already: how an exposure ends is told once, to whoever waits for it.
    pub(super) fn known_status(&mut self) -> Result<ExposureStatus> {
        match &self.exposure {
            Exposure::Running(running) => Ok(running.status(clock().0)),
            Exposure::None | Exposure::Done(_) => self.status(),
        }
    }

    fn look(&mut self) -> Result<ExposureStatus> {
        // A camera that is not asked for anything else would not be missed.
        abi::capability(self.node()).map_err(|error| failed(CALL, error))?;
        let (now, utc) = clock();
        let Exposure::Running(running) = &self.exposure else {
            let done = matches!(self.exposure, Exposure::Done(_));
            self.stop_if_idle(now);
            return Ok(if done { ExposureStatus::Ready } else { ExposureStatus::Idle });
        };
        if running.cancel.is_cancelled() {
            self.exposure = Exposure::None;
            return Ok(ExposureStatus::Idle);
        }
        self.take_frames(now, utc)?;
        Ok(match &self.exposure {
            Exposure::Running(running) => running.status(now),
            Exposure::Done(_) => ExposureStatus::Ready,
            Exposure::None => ExposureStatus::Idle,
        })
    }

    /// Takes the frames that are there, or sees to it that there will be some.
    fn take_frames(&mut self, now: Duration, utc: SystemTime) -> Result<()> {
        let error = match self.add_frames(now) {
            Err(error) if error != Errno::NODEV => failed(CALL, error),
            Err(error) => return Err(failed(CALL, error)),
            Ok(()) => match &self.exposure {
                Exposure::Running(running) if running.is_kept_waiting(now) => {
                    CameraError::new(ErrorKind::Timeout, CALL, "the camera delivers no frames any more")
                }
                _ => return Ok(()),
            },
        };
        let Exposure::Running(running) = &mut self.exposure else { return Err(error) };
        if running.restarted {
            return Err(error);
        }
        tracing::warn!(%error, "the stream is begun anew");
        running.restart(now, utc);
        self.begin_stream(CALL)
    }

    /// Adds the frames that are there, and leaves out those that are not of this exposure.
    fn add_frames(&mut self, now: Duration) -> Result<(), Errno> {
        let (form, stride, roi, stacking) = (self.form(), self.stride, self.window(), self.stacking);
        let size = (roi.width as usize, roi.height as usize);
        let (Exposure::Running(running), Some(stream)) = (&mut self.exposure, &self.stream) else {
            return Ok(());
        };
        loop {
            // What is left out is not worth decoding.
            let look = |bytes: &[u8], stamp| match running.skip {
                _ if running.is_old(now, stamp) => Some(Sight::Old),
                0 => form.pixels(bytes, size, stride).map(Sight::Frame),
                _ => Some(Sight::Unsettled),
            };
            match stream.next(look)? {
                Delivery::Nothing => {
                    running.fresh |= now >= running.first_end();
                    return Ok(());
                }
                Delivery::Frame(Sight::Old) => continue,
                Delivery::Damaged => tracing::info!("left out a frame that is damaged"),
                Delivery::Frame(Sight::Unsettled) => running.skip -= 1,
                Delivery::Frame(Sight::Frame(pixels)) => {
                    if let Some(pixels) = running.add(pixels, stacking) {
                        let info = running.info(roi);
                        self.exposure = Exposure::Done(Box::new(Frame { pixels, info }));
                        return Ok(());
                    }
                }
            }
            running.heard = now;
        }
    }

    /// A stream that nobody wants keeps the camera hot and the bus busy.
    fn stop_if_idle(&mut self, now: Duration) {
        let since = *self.idle_since.get_or_insert(now);
        if now.saturating_sub(since) > IDLE {
            self.stream = None;
        }
    }
}
