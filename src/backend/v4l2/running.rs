//! An exposure under way: what of it is still missing, and what has come.

use std::time::{Duration, Instant, SystemTime};

use ndarray::Array3;

use crate::camera::types::{Binning, Cancel, FrameInfo, Percent, Pixels, Roi};

/// A stream that nothing comes out of for so long beyond the time that a frame takes is begun anew, or given up.
const SILENCE: Duration = Duration::from_secs(3);

/// An exposure under way.
pub(super) struct Running {
    pub(super) cancel: Cancel,
    pub(super) began: Instant,
    pub(super) started: SystemTime,
    /// How long the shutter is to be open, over all frames.
    pub(super) duration: Duration,
    /// The time that one frame is exposed for.
    pub(super) single: Duration,
    /// Frames that have to be left out first.
    pub(super) skip: u32,
    /// All that came before the first frame could be complete has been left out.
    pub(super) fresh: bool,
    /// Frames that are still to be added.
    pub(super) missing: u32,
    pub(super) frames: u32,
    /// Frames to be left out and to be added, as they were at the beginning.
    pub(super) all: u32,
    /// When a frame came last, or the stream was begun.
    pub(super) heard: Instant,
    /// The stream was begun anew for it once.
    pub(super) restarted: bool,
    pub(super) sum: Option<Array3<u32>>,
    pub(super) gain: Option<i32>,
    pub(super) offset: Option<i32>,
}

impl Running {
    pub(super) fn is_kept_waiting(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.heard) > self.single + SILENCE
    }

    /// Of its frames, also those that are left out: an exposure that goes on is given more time.
    pub(super) fn done(&self) -> Percent {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn running(frames: u32) -> Running {
        let (began, started) = super::super::clock();
        Running {
            cancel: Cancel::default(),
            began,
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
