//! An exposure under way: what of it is still missing, and what has come.

use std::time::{Duration, SystemTime};

use ndarray::Array3;

use super::abi::Stamp;
use crate::camera::types::{Cancel, ExposureStatus, FrameInfo, Percent, Pixels, Roi};

/// A stream that nothing comes out of for so long beyond the time that a frame takes is begun anew, or given up.
const SILENCE: Duration = Duration::from_secs(3);

/// A stamp that is so much earlier or later than it can be is none.
const SLACK: Duration = Duration::from_secs(1);

/// An exposure under way. Its times are by the kernel's monotonic clock.
pub(super) struct Running {
    pub(super) cancel: Cancel,
    pub(super) began: Duration,
    pub(super) started: SystemTime,
    /// How long the shutter is to be open, over all frames.
    pub(super) duration: Duration,
    /// The time that one frame is exposed for.
    pub(super) single: Duration,
    /// Frames that have to be left out first.
    pub(super) skip: u32,
    /// What began before this is none of its frames.
    pub(super) since: Duration,
    /// Its stream was begun for it, so that it has no frame that is older.
    pub(super) own_stream: bool,
    /// All that came before the first frame could be complete has been left out.
    pub(super) fresh: bool,
    /// Frames that are still to be added.
    pub(super) missing: u32,
    pub(super) frames: u32,
    /// Frames to be left out and to be added, as they were at the beginning.
    pub(super) all: u32,
    /// When a frame came last, or the stream was begun.
    pub(super) heard: Duration,
    /// The stream was begun anew for it once.
    pub(super) restarted: bool,
    pub(super) sum: Option<Array3<u32>>,
    pub(super) gain: Option<i32>,
    pub(super) offset: Option<i32>,
}

impl Running {
    pub(super) fn is_kept_waiting(&self, now: Duration) -> bool {
        now.saturating_sub(self.heard) > self.single + SILENCE
    }

    /// When its first frame can be complete. A sensor may take a little less time than it says, and a frame that it has
    /// to make once more takes the whole of it.
    pub(super) fn first_end(&self) -> Duration {
        self.since + if self.own_stream { self.single * 7 / 8 } else { self.single }
    }

    /// Whether a frame that is there `now` is none of its frames. One without a stamp, or with one that may mean
    /// anything, is taken if it was not there yet when the first one could be complete, as far as anybody has looked.
    pub(super) fn is_old(&self, now: Duration, stamp: Option<Stamp>) -> bool {
        let first_end = self.first_end();
        // Frames that were there before have been left out already, and none is of the future: there are drivers that
        // stamp by another clock than they say.
        let possible = self.since.saturating_sub(SLACK)..=now + SLACK;
        now < first_end
            || match stamp.filter(|stamp| possible.contains(&stamp.at())) {
                Some(Stamp::End(at)) => at < first_end,
                // What is there in less time began with its transfer, whatever its driver says.
                Some(Stamp::Start(at)) if self.own_stream => at < first_end && now < at + self.single,
                Some(Stamp::Start(_)) | None => !self.fresh,
            }
    }

    /// Its stream is being begun anew. If nothing was added before, that is when it really begins, though it goes on as
    /// one that is being read out.
    pub(super) fn restart(&mut self, now: Duration, utc: SystemTime) {
        (self.restarted, self.skip, self.heard) = (true, 0, now);
        (self.since, self.own_stream, self.fresh) = (now, true, false);
        if self.sum.is_none() {
            self.started = utc;
        }
    }

    pub(super) fn status(&self, now: Duration) -> ExposureStatus {
        if self.cancel.is_cancelled() {
            return ExposureStatus::Idle;
        }
        let left = (self.began + self.duration).saturating_sub(now);
        // Frames that are to be added are taken as they come, or the camera would run out of memory for them.
        let soon = if self.frames > 1 { left.min(self.single) } else { left };
        if soon.is_zero() {
            return ExposureStatus::Reading { done: Some(self.done()) };
        }
        ExposureStatus::Exposing { left: soon }
    }

    /// Of its frames, also those that are left out: an exposure that goes on is given more time.
    fn done(&self) -> Percent {
        100.0 * f64::from(self.all - self.skip - self.missing) / f64::from(self.all)
    }

    /// Adds a frame; the picture once none is missing any more.
    pub(super) fn add(&mut self, pixels: Pixels, stacking: bool) -> Option<Pixels> {
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
            // Thousands of bright frames are more than fits.
            Some(sum) => sum.zip_mut_with(&pixels, |sum, pixel| *sum = sum.saturating_add(*pixel)),
            None => self.sum = Some(pixels),
        }
        if self.missing > 0 { None } else { self.sum.take().map(Pixels::U32) }
    }

    pub(super) fn info(&self, roi: Roi) -> FrameInfo {
        FrameInfo {
            gain: self.gain,
            offset: self.offset,
            added: self.frames,
            ..FrameInfo::new(self.started, self.duration, roi)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running(frames: u32) -> Running {
        let (began, started) = super::super::clock();
        Running {
            cancel: Cancel::default(),
            began,
            since: began,
            own_stream: false,
            started,
            duration: frames * Duration::from_secs(1),
            single: Duration::from_secs(1),
            skip: 0,
            fresh: false,
            missing: frames,
            frames,
            all: frames,
            heard: began,
            restarted: false,
            sum: None,
            gain: None,
            offset: None,
        }
    }

    fn pixel(value: u16) -> Pixels {
        Pixels::U16(Array3::from_elem((1, 1, 1), value))
    }

    /// Begun at 100 s for 8 s, looked at so long after that.
    fn old(own_stream: bool, after: f64, stamp: Option<Stamp>) -> bool {
        let (since, single) = (Duration::from_secs(100), Duration::from_secs(8));
        let running = Running { single, since, own_stream, ..running(1) };
        running.is_old(since + Duration::from_secs_f64(after), stamp)
    }

    fn at(after: f64) -> Duration {
        Duration::from_secs_f64(100.0 + after)
    }

    #[test]
    fn a_look_that_comes_late_costs_no_frame_that_was_stamped_when_it_was_complete() {
        for own_stream in [true, false] {
            assert!(!old(own_stream, 8.01, Some(Stamp::End(at(8.005)))));
            assert!(!old(own_stream, 15.0, Some(Stamp::End(at(8.005)))));
            assert!(old(own_stream, 15.0, Some(Stamp::End(at(3.0)))), "it was under way before");
        }
        // A frame of a new stream cannot be old, only too short.
        assert!(!old(true, 15.0, Some(Stamp::End(at(7.99)))));
        assert!(old(false, 15.0, Some(Stamp::End(at(7.99)))));
    }

    #[test]
    fn the_first_frame_of_a_stream_is_taken_whatever_its_driver_calls_the_start() {
        for start in [0.01, 8.0] {
            assert!(!old(true, 15.9, Some(Stamp::Start(at(start)))), "{start}");
        }
        // One that the camera made before it had heard of the exposure time.
        assert!(old(true, 8.01, Some(Stamp::Start(at(0.04)))));
        assert!(old(true, 5.0, Some(Stamp::Start(at(0.04)))));
    }

    #[test]
    fn without_a_stamp_what_is_there_at_the_first_look_is_left_out() {
        for stamp in [None, Some(Stamp::Start(at(8.1)))] {
            assert!(old(false, 8.2, stamp));
            let running = Running { since: at(0.0), fresh: true, ..running(1) };
            assert!(!running.is_old(at(8.2), stamp));
        }
    }

    #[test]
    fn a_stamp_by_another_clock_says_nothing() {
        // By the wall's clock, and since the stream began.
        for other in [at(1.7e9), Duration::from_secs(9)] {
            for (own_stream, fresh) in [(true, false), (false, false), (true, true), (false, true)] {
                let running = Running { since: at(0.0), own_stream, fresh, ..running(1) };
                assert_eq!(running.is_old(at(8.2), Some(Stamp::End(other))), !fresh, "{other:?}");
            }
        }
    }

    #[test]
    fn an_exposure_whose_stream_is_begun_anew_begins_then_unless_it_has_frames_already() {
        let roi = Roi { x: 0, y: 0, width: 1, height: 1 };
        for added in [0, 1] {
            let mut running = running(2);
            let (before, later) = (running.started, running.started + Duration::from_secs(9));
            if added > 0 {
                running.add(pixel(1), true);
            }
            running.restart(running.began + Duration::from_secs(9), later);
            let info = running.info(roi);
            assert_eq!(info.started, if added > 0 { before } else { later });
            assert_eq!(info.ended, info.started + Duration::from_secs(2));
        }
    }

    #[test]
    fn a_sum_of_bright_frames_stays_bright() {
        // As many as are in half an hour of 30 a second.
        let mut running = running(65_538);
        for _ in 1..65_538 {
            assert_eq!(running.add(pixel(u16::MAX), true), None);
        }
        let sum = running.add(pixel(u16::MAX), true);
        assert_eq!(sum, Some(Pixels::U32(Array3::from_elem((1, 1, 1), u32::MAX))));
    }
}
