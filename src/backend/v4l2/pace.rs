//! How far frames are apart. Many a sensor exposes no longer than that, whatever its control says, so an exposure that is
//! longer needs longer intervals, and one that is shorter again does not have to wait for them.

use std::os::fd::BorrowedFd;
use std::time::Duration;

use super::{abi, units};

/// Without an answer of the camera's.
const USUAL: Duration = Duration::from_millis(33);
/// How often more is asked for: a camera takes the nearest of its intervals, which may be too short.
const WISHES: u32 = 5;

/// Time between two frames.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pace {
    /// As the camera had it when it was opened.
    pub(super) usual: Duration,
    /// As it was wished for last, since when no format was set: that changes it.
    wished: Option<Duration>,
    is_settable: bool,
}

impl Pace {
    /// That of a camera. It stays as it is without a control of exposure times: there it is the exposure.
    pub(super) fn read(node: BorrowedFd<'_>, has_control: bool) -> Pace {
        let parameters = abi::parameters(node).ok();
        let usual = parameters.and_then(|parameters| parameters.interval()).unwrap_or(USUAL);
        let can = parameters.is_some_and(|parameters| parameters.is_settable());
        Pace { usual, wished: None, is_settable: can && has_control }
    }

    /// What has to be set for frames that are exposed so long, which stops the stream.
    pub(super) fn change_for(&self, single: Duration) -> Option<Duration> {
        let needed = single.max(self.usual);
        (self.is_settable && self.wished != Some(needed)).then_some(needed)
    }

    /// Sets what frames of that time need, or comes near. There must be no stream.
    pub(super) fn set_for(mut self, node: BorrowedFd<'_>, single: Duration) -> Pace {
        if let Some(needed) = self.change_for(single) {
            self.wish(needed, |wish| {
                let granted = abi::set_interval(node, units(wish).unsigned_abs());
                granted.inspect_err(|error| tracing::debug!(%error, "the frame rate stays")).ok()?.interval()
            });
        }
        self
    }

    /// A format is being set.
    pub(super) fn forget(&mut self) {
        self.wished = None;
    }

    fn wish(&mut self, needed: Duration, mut set: impl FnMut(Duration) -> Option<Duration>) {
        self.wished = Some(needed);
        let is_enough =
            |granted: Option<Duration>| granted.is_none_or(|granted| granted + super::UNIT >= needed);
        for wish in (0..WISHES).map(|doubled| needed * (1 << doubled)) {
            if is_enough(set(wish)) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn pace() -> Pace {
        Pace { usual: millis(33), wished: Some(millis(33)), is_settable: true }
    }

    /// The intervals of a usual camera for USB, which takes the nearest one.
    fn nearest(wish: Duration) -> Option<Duration> {
        [millis(33), millis(100), millis(1000)].into_iter().min_by_key(|has| has.abs_diff(wish))
    }

    /// What it comes to for frames of that time, and after how many wishes.
    fn granted(pace: &mut Pace, single: Duration) -> (Option<Duration>, usize) {
        let (mut granted, mut wishes) = (None, 0);
        if let Some(needed) = pace.change_for(single) {
            pace.wish(needed, |wish| {
                wishes += 1;
                granted = nearest(wish);
                granted
            });
        }
        (granted, wishes)
    }

    #[test]
    fn frames_that_are_longer_than_their_intervals_get_longer_ones_and_short_ones_get_them_back() {
        let mut pace = pace();
        assert_eq!(pace.change_for(millis(2)), None);
        assert_eq!(granted(&mut pace, millis(90)), (Some(millis(100)), 1));
        assert_eq!(pace.change_for(millis(90)), None, "it is so already");
        assert_eq!(granted(&mut pace, millis(500)), (Some(millis(1000)), 2));
        assert_eq!(granted(&mut pace, millis(1)), (Some(millis(33)), 1));
    }

    #[test]
    fn an_interval_that_is_too_short_is_not_taken_if_the_camera_has_a_longer_one() {
        for (single, expected) in [(40, 100), (120, 1000), (600, 1000)] {
            assert_eq!(granted(&mut pace(), millis(single)).0, Some(millis(expected)), "{single} ms");
        }
        // There is none for this, and an end to asking.
        assert_eq!(granted(&mut pace(), millis(2000)), (Some(millis(1000)), 5));
    }

    #[test]
    fn a_format_that_was_set_has_changed_the_interval() {
        let mut pace = pace();
        granted(&mut pace, millis(500));
        pace.forget();
        assert_eq!(granted(&mut pace, millis(500)).0, Some(millis(1000)));
    }

    #[test]
    fn a_camera_whose_intervals_cannot_be_set_keeps_its_stream() {
        let pace = Pace { is_settable: false, ..pace() };
        assert_eq!(pace.change_for(millis(500)), None);
    }
}
