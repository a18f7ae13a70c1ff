//! One exposure: from the command over frames that do not arrive whole to one that does.

use std::time::{Duration, Instant, SystemTime};

use aravis::glib::Error;

use super::acquisition::{Acquisition, Delivery, Mode, pixels};
use super::device::bury;
use super::fault::failed;
use super::open::Open;
use super::{now, utc};
use crate::camera::error::{CameraError, ErrorKind, Result};
use crate::camera::types::{Cancel, ExposureRequest, ExposureStatus, Frame, FrameInfo, Percent};

/// A frame that is not whole is taken again as long as it can be here so long after the first one.
const RETAKES: Duration = Duration::from_secs(5);
/// A frame of which nothing has come for so long is lost: for any camera, and for each megabyte.
const SILENCE: Duration = Duration::from_secs(2);
const SILENCE_PER_MEGABYTE: Duration = Duration::from_millis(50);

/// Exposures that are longer gain nothing from a camera that runs freely.
const FAST: Duration = Duration::from_millis(500);
/// Who asks again so soon wants many frames, and gets a free run after so many; who asks later so many times does not.
const SOON: Duration = Duration::from_millis(100);
const ROW: u32 = 3;
/// Who asks again at once wants the very next frame, though it may have begun already.
const AT_ONCE: Duration = Duration::from_millis(5);
/// A free run that nobody takes frames from is stopped after so long.
const IDLE: Duration = Duration::from_secs(2);
/// Between the beginning of light and what we know of it.
const TOLERANCE: Duration = Duration::from_millis(2);

/// An exposure that has begun.
pub(super) struct Exposure {
    cancel: Cancel,
    length: Duration,
    /// The light of its frame has not begun before.
    after: Instant,
    opened: Instant,
    started: SystemTime,
    /// A further frame has to be here by then.
    end: Instant,
    hearing: Hearing,
    /// Bytes that had come when the frame was asked for.
    before: u64,
    /// The first frame was not whole, so that there may be a second.
    reading: bool,
    lost: u32,
    info: FrameInfo,
    frame: Option<Frame>,
}

/// What is heard of a frame that is to come.
#[derive(Debug)]
struct Hearing {
    /// That have come when it was listened last.
    bytes: u64,
    /// If no more have come by then, it is silent.
    until: Instant,
}

impl Hearing {
    /// Whether nothing comes, `bytes` having come by `now`. A frame that is coming may take as long as it does: the library
    /// says when no more of it comes.
    fn is_silent(&mut self, bytes: u64, now: Instant, silence: Duration) -> bool {
        if bytes != self.bytes {
            *self = Hearing { bytes, until: self.until.max(now + silence) };
        }
        now >= self.until
    }
}

/// How fast exposures are asked for: how many in a row as soon as the one before was there, or not so soon.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    hurried: u32,
    unhurried: u32,
}

impl Pace {
    /// Whether a free run is what is wanted, of a camera that has one or not.
    fn is_fast(&mut self, soon: bool, runs: bool) -> bool {
        let Pace { hurried, unhurried } = *self;
        *self = if soon {
            Pace { hurried: hurried.saturating_add(1), unhurried: 0 }
        } else {
            Pace { hurried: 0, unhurried: unhurried.saturating_add(1) }
        };
        if runs { self.unhurried < ROW } else { self.hurried >= ROW }
    }
}

/// The last frame that was handed over.
#[derive(Clone, Copy)]
pub(super) struct Last {
    at: Instant,
    /// When its light had ended, at the latest.
    ended: Instant,
}

impl Open {
    pub(super) fn start(&mut self, request: &ExposureRequest) -> Result<()> {
        const CALL: &str = "start_exposure";
        self.is_idle(CALL)?;
        self.is_here(CALL)?;
        let length = self.set_exposure_time(request.duration).map_err(|error| failed(CALL, error))?;
        let silence = self.silence();
        let mode = self.mode_for(length);
        if let Some(running) = self.acquisition.as_mut().filter(|running| running.mode != Mode::Free) {
            running.drain();
        }
        // A frame that is still to come would be taken for the one that is asked for now.
        if self.acquisition.as_ref().is_none_or(|running| running.mode != mode || running.owes()) {
            self.begin(mode, request.duration).map_err(|error| failed(CALL, error))?;
        }
        let Some(acquisition) = &mut self.acquisition else { return Ok(()) };
        let last = self.last.filter(|last| mode == Mode::Free && last.at.elapsed() <= AT_ONCE);
        if last.is_none() {
            acquisition.drain();
        }
        let after = last.map_or_else(now, |last| last.ended);
        let bytes = acquisition.heard();
        acquisition.ask().map_err(|error| failed(CALL, error))?;
        let (opened, started) = (now(), utc());
        let info = FrameInfo {
            binning: self.binning,
            gain: self.gain,
            offset: self.offset,
            temperature: self.temperature,
            ..FrameInfo::new(started, length, self.roi)
        };
        self.exposure = Some(Exposure {
            cancel: request.cancel.clone(),
            length,
            after,
            opened,
            started,
            end: opened + length + RETAKES,
            before: bytes,
            hearing: Hearing { bytes, until: opened + length + silence },
            reading: false,
            lost: 0,
            info,
            frame: None,
        });
        Ok(())
    }

    /// Begins a stream for exposures of that time.
    fn begin(&mut self, mode: Mode, time: Duration) -> std::result::Result<(), Error> {
        self.acquisition = None;
        let mut begun = Acquisition::begin(&self.link.camera, mode, self.image_bytes())?;
        if begun.needs_rehearsal() {
            let shortest = Duration::try_from_secs_f64(self.facts.can.exposure.min).unwrap_or(time);
            let rehearsed = self.set_exposure_time(shortest).and_then(|_| begun.rehearse());
            self.set_exposure_time(time)?;
            if let Err(error) = rehearsed {
                tracing::debug!(%error, "no first frame");
            }
            if begun.owes() {
                // It would be taken for the first one.
                drop(begun);
                begun = Acquisition::begin(&self.link.camera, mode, self.image_bytes())?;
            }
        }
        self.acquisition = Some(begun);
        Ok(())
    }

    /// Ends whatever runs. A camera has no other way to leave an exposure than to stop altogether.
    pub(super) fn abort(&mut self) {
        let is_open = self.exposure.take().is_some_and(|exposure| exposure.frame.is_none());
        if let Some(acquisition) =
            self.acquisition.as_ref().filter(|running| is_open && running.mode != Mode::Free)
        {
            if !self.link.is_gone() {
                acquisition.abort();
            }
            self.halt();
        }
    }

    /// Stops the stream.
    pub(super) fn halt(&mut self) {
        if let Some(acquisition) = self.acquisition.take()
            && self.link.is_gone()
        {
            bury(acquisition);
        }
    }

    pub(super) fn is_exposing(&self) -> bool {
        self.exposure
            .as_ref()
            .is_some_and(|exposure| exposure.frame.is_none() && !exposure.cancel.is_cancelled())
    }

    /// Where an exposure that runs is, as far as is known without asking. That it has failed is told by
    /// [`status`](Self::status) alone, to whoever waits for the frame.
    pub(super) fn known(&self) -> ExposureStatus {
        let Some(exposure) = &self.exposure else { return ExposureStatus::Idle };
        let left = (exposure.opened + exposure.length).saturating_duration_since(now());
        match &exposure.frame {
            Some(_) => ExposureStatus::Ready,
            None if exposure.cancel.is_cancelled() => ExposureStatus::Idle,
            None if !left.is_zero() && !exposure.reading => ExposureStatus::Exposing { left },
            None => ExposureStatus::Reading { done: self.done() },
        }
    }

    pub(super) fn status(&mut self) -> Result<ExposureStatus> {
        const CALL: &str = "get_exposure_status";
        if let Err(lost) = self.is_here(CALL) {
            self.exposure = None;
            return Err(lost);
        }
        let Some(exposure) = &mut self.exposure else {
            self.stop_if_idle();
            return Ok(ExposureStatus::Idle);
        };
        if exposure.cancel.is_cancelled() {
            self.abort();
            return Ok(ExposureStatus::Idle);
        }
        let left = (exposure.opened + exposure.length).saturating_duration_since(now());
        exposure.reading |= left.is_zero();
        if exposure.reading && exposure.frame.is_none() {
            self.take_frames().inspect_err(|_error| self.abort())?;
        }
        Ok(self.known())
    }

    /// How much of a frame has come that is coming. A slow network may take its time as long as it goes on.
    fn done(&self) -> Option<Percent> {
        let (acquisition, exposure) = (self.acquisition.as_ref()?, self.exposure.as_ref()?);
        let bytes = exposure.hearing.bytes.saturating_sub(exposure.before);
        let share = bytes as f64 / self.image_bytes().max(1) as f64;
        (acquisition.mode != Mode::Free && bytes > 0).then_some(share.min(1.0) * 100.0)
    }

    /// The frame, if it is here, once.
    pub(super) fn take_result(&mut self) -> Option<Frame> {
        let frame = self.exposure.as_mut()?.frame.take()?;
        self.exposure = None;
        if let Some(last) = &mut self.last {
            last.at = now();
        }
        Some(frame)
    }

    /// Takes the frames that are there until one is what was asked for.
    fn take_frames(&mut self) -> Result<()> {
        let (form, size) = (self.form, self.roi.binned(self.binning));
        let silence = self.silence();
        let (Some(acquisition), Some(exposure)) = (&mut self.acquisition, &mut self.exposure) else {
            return Ok(());
        };
        let mut lost = 0;
        while let Some(delivery) = acquisition.next() {
            let Delivery::Whole(buffer, came) = delivery else {
                lost += 1;
                continue;
            };
            // With a free camera nobody knows when light began but from when its end came.
            let is_ours = match acquisition.mode {
                Mode::Free => came + TOLERANCE >= exposure.after + exposure.length,
                Mode::Triggered | Mode::Single => came + TOLERANCE >= exposure.after,
            };
            let pixels = if is_ours { pixels(&buffer, form, size) } else { None };
            acquisition.give_back(buffer);
            match pixels {
                Some(pixels) => {
                    if acquisition.mode == Mode::Free {
                        exposure.started = utc() - (came.elapsed() + exposure.length);
                    }
                    let (started, ended) = (exposure.started, exposure.started + exposure.length);
                    let info = FrameInfo { started, ended, ..exposure.info.clone() };
                    exposure.frame = Some(Frame { pixels, info });
                    self.last = Some(Last { at: now(), ended: came });
                    return Ok(());
                }
                None if is_ours => lost += 1,
                None => {}
            }
        }
        exposure.lost += lost;
        let is_silent = exposure.hearing.is_silent(acquisition.heard(), now(), silence);
        match (lost, is_silent) {
            (0, false) => Ok(()),
            (0, true) => self.take_again(ErrorKind::Timeout, "the camera sent no frame"),
            _ => {
                let words = "packets of the frame were lost between the camera and this machine";
                self.take_again(ErrorKind::Hardware, words)
            }
        }
    }

    /// Asks for the frame again, if there is time.
    fn take_again(&mut self, kind: ErrorKind, why: &str) -> Result<()> {
        const CALL: &str = "get_exposure_status";
        let silence = self.silence();
        let (Some(acquisition), Some(exposure)) = (&mut self.acquisition, &mut self.exposure) else {
            return Ok(());
        };
        if now() + exposure.length > exposure.end {
            // It may come yet, and others know how long that may take.
            if kind == ErrorKind::Timeout {
                return Ok(());
            }
            let times = if exposure.lost > 1 { format!(", {} times", exposure.lost) } else { String::new() };
            return Err(CameraError::new(kind, CALL, format!("{why}{times}")));
        }
        tracing::debug!(why, lost = exposure.lost, "the frame is taken again");
        let after = now();
        acquisition.ask().map_err(|error| failed(CALL, error))?;
        let (opened, started) = (now(), utc());
        if acquisition.mode != Mode::Free {
            (exposure.after, exposure.opened, exposure.started) = (after, opened, started);
        }
        exposure.before = acquisition.heard();
        exposure.hearing = Hearing { bytes: exposure.before, until: opened + exposure.length + silence };
        Ok(())
    }

    /// How the camera is to run for an exposure that is asked for now.
    fn mode_for(&mut self, length: Duration) -> Mode {
        let soon = self.last.is_some_and(|last| last.at.elapsed() <= SOON);
        let runs = self.acquisition.as_ref().is_some_and(|running| running.mode == Mode::Free);
        let free = self.pace.is_fast(soon, runs) && length <= FAST;
        match free {
            _ if !self.link.has_trigger => self.untriggered,
            true => Mode::Free,
            false => Mode::Triggered,
        }
    }

    fn stop_if_idle(&mut self) {
        let runs = self.acquisition.as_ref().is_some_and(|running| running.mode == Mode::Free);
        if runs && self.last.is_none_or(|last| last.at.elapsed() > IDLE) {
            self.halt();
        }
    }

    fn silence(&self) -> Duration {
        let megabytes = u32::try_from(self.image_bytes() >> 20).unwrap_or(u32::MAX);
        (SILENCE + SILENCE_PER_MEGABYTE.saturating_mul(megabytes)).min(RETAKES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_that_is_coming_is_not_asked_for_again_however_long_it_takes() {
        let (begin, silence) = (now(), Duration::from_secs(2));
        let at = |seconds: u64| begin + Duration::from_secs(seconds);
        let mut hearing = Hearing { bytes: 100, until: at(5) };
        assert!(!hearing.is_silent(100, at(4), silence));
        for second in 5..60 {
            assert!(!hearing.is_silent(100 + second, at(second), silence), "second {second}");
        }
        assert!(!hearing.is_silent(159, at(60), silence));
        assert!(hearing.is_silent(159, at(61), silence), "no more has come for 2 s");
    }

    #[test]
    fn a_free_run_is_for_those_who_ask_fast_and_ends_for_those_who_do_not() {
        let mut pace = Pace::default();
        let fast = |pace: &mut Pace, soon, runs, times| (0..times).map(|_| pace.is_fast(soon, runs)).last();
        assert_eq!(fast(&mut pace, true, false, ROW - 1), Some(false));
        assert_eq!(fast(&mut pace, true, false, 1), Some(true));
        // A pause or two is none.
        assert_eq!(fast(&mut pace, false, true, ROW - 1), Some(true));
        assert_eq!(fast(&mut pace, true, true, 100), Some(true));
        assert_eq!(fast(&mut pace, false, true, ROW), Some(false));
        // One frame a second, for ever.
        assert_eq!(fast(&mut pace, false, false, 100), Some(false));
    }

    #[test]
    fn what_comes_before_the_end_of_an_exposure_does_not_shorten_the_wait_for_the_frame() {
        let begin = now();
        let mut hearing = Hearing { bytes: 0, until: begin + Duration::from_secs(300) };
        assert!(!hearing.is_silent(36, begin, Duration::from_secs(2)));
        assert!(!hearing.is_silent(36, begin + Duration::from_secs(299), Duration::from_secs(2)));
    }
}
