//! How long a camera may take beyond its exposure: learned for each mode from the frames that came.
//!
//! Until [`KNOWN_AFTER`] frames of a mode have come it gets at least the first guess, which goes by the size of the
//! frame; from then on [`PATIENCE`] times what its slowest frame took, and [`MARGIN`]. A mode that was too slow gets
//! twice the time in the next exposure, so that a camera that is merely slow is not refused for ever. All of it within
//! [`SHORTEST`] and [`LONGEST`], and a read-out that tells how far it is gets its time again whenever it gets further.

use std::collections::VecDeque;
use std::time::Duration;

use crate::camera::types::Binning;

/// Frames of a mode after which it is known.
const KNOWN_AFTER: u32 = 3;
/// A frame that takes so many times longer than the slowest one before it is late.
const PATIENCE: u32 = 4;
/// A machine that is busy may take so long to notice a frame.
const MARGIN: Duration = Duration::from_secs(3);
/// No camera gets less.
const SHORTEST: Duration = Duration::from_secs(5);
/// No camera gets more in which nothing is heard of it.
const LONGEST: Duration = Duration::from_secs(60);
/// What a camera gets of which nothing is known, for the smallest frame.
const GUESS: Duration = Duration::from_secs(10);
/// Bytes that the slowest cameras transfer in a second.
const SLOW: usize = 3_000_000;
/// Modes that are remembered: a client that changes the window with each exposure must not fill the memory.
const MODES: usize = 16;

/// What the time of a read-out depends on.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mode {
    pub(super) format: Option<String>,
    /// Of the window that is read, unbinned.
    pub(super) size: (u32, u32),
    pub(super) binning: Binning,
}

/// What is known of each mode, the one used last at the end.
#[derive(Debug, Default)]
pub(super) struct Allowances(VecDeque<(Mode, Seen)>);

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    frames: u32,
    slowest: Duration,
    /// After it was too slow, until there is a frame again.
    at_least: Duration,
}

impl Allowances {
    /// What an exposure in this mode gets beyond its time, for a frame of so many bytes.
    pub(super) fn of(&self, mode: &Mode, bytes: usize) -> Duration {
        let Seen { frames, slowest, at_least } = self.seen(mode);
        let guess = if frames < KNOWN_AFTER {
            GUESS.saturating_add(Duration::from_secs((bytes / SLOW) as u64))
        } else {
            Duration::ZERO
        };
        let learned = if frames > 0 { whole(slowest.saturating_mul(PATIENCE)) + MARGIN } else { guess };
        learned.max(guess).max(at_least).clamp(SHORTEST, LONGEST)
    }

    /// A frame has come so long after the end of its exposure.
    pub(super) fn learn(&mut self, mode: &Mode, took: Duration) {
        let Seen { frames, slowest, .. } = self.seen(mode);
        // What took longer than the longest allowance went on slowly, and tells no more than that.
        let slowest = slowest.max(took.min(LONGEST));
        self.remember(mode, Seen { frames: frames.saturating_add(1), slowest, at_least: Duration::ZERO });
    }

    /// No frame has come within its allowance.
    pub(super) fn miss(&mut self, mode: &Mode, allowance: Duration) {
        let seen = self.seen(mode);
        self.remember(mode, Seen { at_least: allowance * 2, ..seen });
    }

    fn seen(&self, mode: &Mode) -> Seen {
        self.0.iter().find(|(known, _)| known == mode).map(|(_, seen)| *seen).unwrap_or_default()
    }

    fn remember(&mut self, mode: &Mode, seen: Seen) {
        if let Some(at) = self.0.iter().position(|(known, _)| known == mode) {
            self.0.remove(at);
        }
        if self.0.len() >= MODES {
            self.0.pop_front();
        }
        self.0.push_back((mode.clone(), seen));
    }
}

/// The next whole second.
fn whole(time: Duration) -> Duration {
    Duration::from_secs(time.as_secs() + u64::from(time.subsec_nanos() > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(width: u32) -> Mode {
        Mode { format: None, size: (width, 1), binning: Binning::NONE }
    }

    #[track_caller]
    fn is(allowances: &Allowances, width: u32, bytes: usize, seconds: u64) {
        assert_eq!(allowances.of(&mode(width), bytes), Duration::from_secs(seconds));
    }

    #[test]
    fn the_first_guess_goes_by_the_size_and_is_bounded() {
        let nothing = Allowances::default();
        is(&nothing, 1, 0, 10);
        is(&nothing, 1, 2_621_440, 10);
        is(&nothing, 1, 122_000_000, 50);
        is(&nothing, 1, usize::MAX, 60);
    }

    #[test]
    fn three_frames_teach_a_mode_and_no_other() {
        let mut learned = Allowances::default();
        for frames in 1..=3 {
            is(&learned, 1, 0, 10);
            learned.learn(&mode(1), Duration::from_millis(200 * frames));
        }
        is(&learned, 1, 0, 6);
        is(&learned, 2, 0, 10);
        learned.learn(&mode(1), Duration::ZERO);
        is(&learned, 1, 122_000_000, 6);
        // One slow frame is reason enough for more, before three of them have come too.
        learned.learn(&mode(2), Duration::from_secs(10));
        is(&learned, 2, 0, 43);
        learned.learn(&mode(2), Duration::from_secs(1000));
        is(&learned, 2, 0, 60);
    }

    #[test]
    fn a_quick_mode_gets_the_least_and_a_late_one_twice_its_time_until_it_is_in_time() {
        let mut learned = Allowances::default();
        for _ in 0..3 {
            learned.learn(&mode(1), Duration::ZERO);
        }
        is(&learned, 1, 0, 5);
        learned.miss(&mode(1), Duration::from_secs(5));
        is(&learned, 1, 0, 10);
        learned.miss(&mode(1), Duration::from_secs(50));
        is(&learned, 1, 0, 60);
        learned.learn(&mode(1), Duration::ZERO);
        is(&learned, 1, 0, 5);
    }

    #[test]
    fn only_so_many_modes_are_remembered_and_the_oldest_goes_first() {
        let mut learned = Allowances::default();
        for width in 0..20 {
            learned.learn(&mode(width), Duration::from_secs(5));
            learned.learn(&mode(0), Duration::from_secs(5));
        }
        assert_eq!(learned.0.len(), MODES);
        is(&learned, 1, 0, 10);
        is(&learned, 19, 0, 23);
        is(&learned, 0, 0, 23);
    }
}
