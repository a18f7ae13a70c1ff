//! Fast exposure: one request, many frames, each exposed while the one before is still being delivered.
//!
//! For each frame clients hear, as one unit: BLOB, CCD_EXPOSURE Ok, the frames left, CCD_EXPOSURE Busy with the
//! requested time for the next one. The camera starts the next exposure as soon as it has read out a frame, unless
//! [`MAX_DELIVERING`] frames are still on their way: a slow server or disk slows the exposures down, loses nothing
//! and fills no memory.

use crate::property::key::Key;
use crate::property::keys::{self, Toggle};
use crate::wire::State;

use super::{Device, Handlers};

/// Frames that may be on their way while the camera exposes the next one.
const MAX_DELIVERING: usize = 2;

/// A run of frames.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    seconds: f64,
    /// Frames whose exposure has not begun.
    to_start: u32,
    /// Frames of which clients have not heard the end.
    to_announce: u32,
}

pub(super) fn register(on: &mut Handlers) {
    on.change(&keys::CCD_FAST_TOGGLE, Device::switch_fast);
    on.change(&keys::CCD_FAST_COUNT, Device::change_fast_count);
}

impl Device {
    fn switch_fast(&mut self, toggle: Toggle) {
        if toggle == Toggle::Disabled && self.fast.is_some() {
            self.drop_exposures();
            self.publish(&keys::CCD_EXPOSURE, [0.0], State::Idle);
            self.show_phase("idle");
        }
        self.publish(&keys::CCD_FAST_TOGGLE, toggle, State::Ok);
    }

    /// Sets the frames of the next run, or the frames left of the one that is under way.
    fn change_fast_count(&mut self, [frames]: [f64; 1]) {
        if frames.fract() != 0.0 {
            let sentence = format!("CCD_FAST_COUNT cannot be {frames}: it counts whole frames");
            return self.refuse(keys::CCD_FAST_COUNT.vector(), &sentence);
        }
        match &mut self.fast {
            Some(run) => {
                let under_way = run.to_announce - run.to_start;
                run.to_start = whole(frames).saturating_sub(under_way);
                run.to_announce = run.to_start + under_way;
                let left = f64::from(run.to_announce);
                self.publish(&keys::CCD_FAST_COUNT, [left], State::Busy);
            }
            None => self.publish(&keys::CCD_FAST_COUNT, [frames], State::Ok),
        }
    }

    /// How many frames the next request will give.
    pub(super) fn frames_of_run(&self) -> u32 {
        let [frames] = self.store.get(&keys::CCD_FAST_COUNT);
        whole(frames).max(1)
    }

    /// A request begins a run if fast exposure is on.
    pub(super) fn begin_run(&mut self, seconds: f64, frames: u32) {
        if self.store.get(&keys::CCD_FAST_TOGGLE) == Toggle::Enabled {
            self.fast = Some(Run { seconds, to_start: frames - 1, to_announce: frames });
        }
    }

    /// Starts the next exposure of a run if the camera is free and there is room for one more frame.
    pub(super) fn go_on(&mut self) {
        let free = !self.is_exposing() && self.frames_on_their_way() <= MAX_DELIVERING;
        if let Some(run) = self.fast.as_mut().filter(|run| free && run.to_start > 0) {
            run.to_start -= 1;
            let seconds = run.seconds;
            self.expose(seconds);
        }
    }

    /// A frame's end has been told: tells what is left of the run.
    pub(super) fn count_frame(&mut self) {
        let Some(run) = &mut self.fast else { return };
        run.to_announce = run.to_announce.saturating_sub(1);
        if run.to_announce == 0 {
            return self.end_run();
        }
        let (left, seconds) = (run.to_announce, run.seconds);
        self.publish(&keys::CCD_FAST_COUNT, [f64::from(left)], State::Busy);
        self.publish(&keys::CCD_EXPOSURE, [seconds], State::Busy);
        self.go_on();
    }

    /// The run is over, whatever ended it.
    pub(super) fn end_run(&mut self) {
        if self.fast.take().is_some() {
            self.publish(&keys::CCD_FAST_COUNT, [1.0], State::Idle);
        }
    }
}

/// A count within its vector's limits.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "limits of CCD_FAST_COUNT")]
fn whole(frames: f64) -> u32 {
    frames as u32
}
