//! One exposure: frames that come by themselves are left out until one is whole and all of it was asked for.

use std::time::{Duration, Instant, SystemTime};

use ndarray::Array3;

use super::open::Open;
use super::stream::{Delivery, Stream};
use super::{UNIT, abi, clock, failed};
use crate::camera::error::{CameraError, ErrorKind, Result};
use crate::camera::types::{
    Binning, Cancel, ExposureRequest, ExposureStatus, Frame, FrameInfo, Pixels, Range, Roi,
};

/// Frames that may still show the controls as they were.
const SETTLING: u32 = 1;
/// A stream that nobody takes frames from is stopped after so long.
const IDLE: Duration = Duration::from_secs(5);

/// Where the camera is.
pub(super) enum Exposure {
    None,
    Running(Running),
    Done(Box<Frame>),
}

/// An exposure under way.
pub(super) struct Running {
    cancel: Cancel,
    began: Instant,
    started: SystemTime,
    /// How long the shutter is to be open, over all frames.
    duration: Duration,
    /// The time that one frame is exposed for.
    single: Duration,
    /// Frames that have to be left out first.
    skip: u32,
    /// All that came before the first frame could be complete has been left out.
    fresh: bool,
    /// Frames that are still to be added.
    missing: u32,
    frames: u32,
    sum: Option<Array3<u32>>,
    gain: Option<i32>,
    offset: Option<i32>,
}

impl Open {
    pub(super) fn start(&mut self, request: &ExposureRequest) -> Result<()> {
        const CALL: &str = "start_exposure";
        if matches!(self.exposure, Exposure::Running(_)) {
            return Err(CameraError::new(ErrorKind::Busy, CALL, "an exposure is running"));
        }
        let (single, frames) = self.divided(request.duration)?;
        let gain = self.controls.gains().and_then(|_| self.controls.gain(self.node()).ok());
        let offset = self.controls.offsets().and_then(|_| self.controls.offset(self.node()).ok());
        if self.controls.exposures().is_some() {
            let units = i32::try_from(single.as_micros() / UNIT.as_micros()).unwrap_or(i32::MAX).max(1);
            // A longer exposure needs longer intervals; a stream that runs keeps its own.
            if self.stream.is_none() && single > self.interval {
                let _ = abi::set_interval(self.node(), units.unsigned_abs());
            }
            self.controls.set_exposure(self.node(), units).map_err(|error| failed(CALL, error))?;
        }
        self.idle_since = None;
        let running = self.stream.is_some();
        if !running {
            self.stream = Some(Stream::start(self.file()).map_err(|error| failed(CALL, error))?);
        }
        self.forget_old_frames()?;
        let (began, started) = clock();
        let skip = u32::from(running) + if self.unsettled { SETTLING } else { 0 };
        self.unsettled = false;
        self.exposure = Exposure::Running(Running {
            cancel: request.cancel.clone(),
            began,
            started,
            duration: request.duration,
            single,
            skip,
            fresh: false,
            missing: frames,
            frames,
            sum: None,
            gain,
            offset,
        });
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

    /// What the camera delivered before it was asked.
    fn forget_old_frames(&mut self) -> Result<()> {
        let Some(stream) = &self.stream else { return Ok(()) };
        while !matches!(
            stream.next(|_| Some(())).map_err(|error| failed("start_exposure", error))?,
            Delivery::Nothing
        ) {}
        Ok(())
    }

    pub(super) fn status(&mut self) -> Result<ExposureStatus> {
        let now = clock().0;
        let Exposure::Running(running) = &self.exposure else {
            let done = matches!(self.exposure, Exposure::Done(_));
            self.stop_if_idle(now);
            return Ok(if done { ExposureStatus::Ready } else { ExposureStatus::Idle });
        };
        if running.cancel.is_cancelled() {
            self.exposure = Exposure::None;
            return Ok(ExposureStatus::Idle);
        }
        let open = now.saturating_duration_since(running.began);
        let left = running.duration.saturating_sub(open);
        // Frames that are to be added are taken as they come, or the camera would run out of memory for them.
        let soon = if running.frames > 1 { left.min(running.single) } else { left };
        if open >= running.single {
            self.take_frames().inspect_err(|_error| {
                self.exposure = Exposure::None;
                self.stream = None;
            })?;
        }
        Ok(match &self.exposure {
            Exposure::Running(_) if !soon.is_zero() => ExposureStatus::Exposing { left: soon },
            Exposure::Running(running) => {
                let done = 100.0 * f64::from(running.frames - running.missing) / f64::from(running.frames);
                ExposureStatus::Reading { done: Some(done) }
            }
            Exposure::Done(_) => ExposureStatus::Ready,
            Exposure::None => ExposureStatus::Idle,
        })
    }

    /// Takes the frames that are there. The time that the first one needs has passed: what had come by then was begun
    /// before it was asked for.
    fn take_frames(&mut self) -> Result<()> {
        const CALL: &str = "get_exposure_status";
        let fresh = matches!(&self.exposure, Exposure::Running(running) if running.fresh);
        if !fresh {
            self.forget_old_frames()?;
        }
        let (form, stride, size) = (self.form(), self.stride, (self.size.0 as usize, self.size.1 as usize));
        let (roi, stacking) = (self.full(), self.stacking);
        let Exposure::Running(running) = &mut self.exposure else { return Ok(()) };
        running.fresh = true;
        let Some(stream) = &self.stream else { return Ok(()) };
        loop {
            let wanted = running.skip == 0;
            // What is left out is not worth decoding.
            let look =
                |bytes: &[u8]| if wanted { form.pixels(bytes, size, stride).map(Some) } else { Some(None) };
            match stream.next(look).map_err(|error| failed(CALL, error))? {
                Delivery::Nothing => return Ok(()),
                Delivery::Damaged => tracing::debug!("left out a frame that the kernel marks as damaged"),
                Delivery::Frame(None) => running.skip -= 1,
                Delivery::Frame(Some(pixels)) => {
                    if let Some(pixels) = running.add(pixels, stacking) {
                        let info = running.info(roi);
                        self.exposure = Exposure::Done(Box::new(Frame { pixels, info }));
                        return Ok(());
                    }
                }
            }
        }
    }

    /// A stream that nobody wants keeps the camera hot and the bus busy.
    fn stop_if_idle(&mut self, now: Instant) {
        let since = *self.idle_since.get_or_insert(now);
        if now.saturating_duration_since(since) > IDLE {
            self.stream = None;
        }
    }
}

impl Running {
    /// Adds a frame; the picture once none is missing any more.
    fn add(&mut self, pixels: Pixels, stacking: bool) -> Option<Pixels> {
        self.missing -= 1;
        if !stacking {
            return Some(pixels);
        }
        let pixels = match pixels {
            Pixels::U8(pixels) => pixels.mapv(u32::from),
            Pixels::U16(pixels) => pixels.mapv(u32::from),
            Pixels::U32(pixels) => pixels,
        };
        match &mut self.sum {
            Some(sum) => *sum += &pixels,
            None => self.sum = Some(pixels),
        }
        if self.missing > 0 { None } else { self.sum.take().map(Pixels::U32) }
    }

    fn info(&self, roi: Roi) -> FrameInfo {
        FrameInfo {
            started: self.started,
            ended: self.started + self.duration,
            exposed: self.duration,
            roi,
            binning: Binning::NONE,
            gain: self.gain,
            offset: self.offset,
            temperature: None,
            added: self.frames,
        }
    }
}
