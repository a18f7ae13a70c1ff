//! Which window a camera can read for one that is asked: lengths and places go by the camera's steps.

use crate::backend::window::Window;
use crate::camera::types::{Binning, Roi};

/// What a camera can read along one axis under its present binning, in binned pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Axis {
    /// Shortest and longest window, and the step between lengths.
    pub(super) least: u32,
    pub(super) most: u32,
    pub(super) step: u32,
    /// The step between places where it can begin.
    pub(super) offset_step: u32,
}

/// The smallest window that covers `roi`. Pixels at its right and lower edge that do not fill a binned pixel are
/// left out where nothing else needs that one: no image has them.
pub(super) fn covering(roi: Roi, binning: Binning, [across, down]: [Axis; 2]) -> Window {
    let (x, columns) = across.covering(roi.x, roi.width, binning.x);
    let (y, rows) = down.covering(roi.y, roi.height, binning.y);
    Window { x, y, columns, rows }
}

impl Axis {
    /// First pixel and number of pixels.
    fn covering(self, start: u32, length: u32, factor: u32) -> (u32, u32) {
        let (factor, step, offset_step) = (factor.max(1), self.step.max(1), self.offset_step.max(1));
        let most = self.most.max(1);
        let wanted = (start / factor).min(most - 1);
        let end = if start.is_multiple_of(factor) {
            wanted + length / factor
        } else {
            start.saturating_add(length).div_ceil(factor)
        };
        let end = end.clamp(wanted + 1, most);
        let first = wanted - wanted % offset_step;
        let count = self.length(end - first, step);
        if first + count <= most {
            return (first, count);
        }
        // At the far edge: begin earlier.
        let first = (most - count.min(most)) / offset_step * offset_step;
        let count = self.length(end - first, step);
        if first + count <= most { (first, count) } else { (0, most) }
    }

    /// The shortest window of at least so many pixels.
    fn length(self, pixels: u32, step: u32) -> u32 {
        let least = self.least.min(self.most).max(1);
        least + pixels.saturating_sub(least).div_ceil(step) * step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FREE: Axis = Axis { least: 1, most: 100, step: 1, offset_step: 1 };
    const STEPS: Axis = Axis { least: 16, most: 96, step: 8, offset_step: 4 };

    #[test]
    fn without_steps_a_window_is_what_was_asked() {
        for (start, length) in [(0, 100), (3, 7), (99, 1)] {
            assert_eq!(FREE.covering(start, length, 1), (start, length));
        }
    }

    #[test]
    fn a_window_goes_by_the_steps_of_the_camera() {
        // Begins where it can, and is at least as long as it has to be.
        for (asked, granted) in [
            ((0, 96), (0, 96)),
            ((5, 10), (4, 16)),
            ((7, 20), (4, 24)),
            ((95, 1), (80, 16)),
            ((40, 17), (40, 24)),
        ] {
            assert_eq!(STEPS.covering(asked.0, asked.1, 1), granted, "{asked:?}");
        }
    }

    #[test]
    fn every_window_is_covered_by_one_that_the_camera_can_read() {
        let odd = Axis { least: 20, most: 99, step: 16, offset_step: 6 };
        for axis in [FREE, STEPS, odd] {
            for start in 0..axis.most {
                for length in 1..=axis.most - start {
                    let (first, count) = axis.covering(start, length, 1);
                    assert!(first <= start && first + count >= start + length, "{axis:?} {start} {length}");
                    assert!(first + count <= axis.most, "{axis:?} {start} {length}");
                    let by_steps =
                        first % axis.offset_step == 0 && (count - axis.least).is_multiple_of(axis.step);
                    assert!(by_steps || (first, count) == (0, axis.most), "{axis:?} {start} {length}");
                }
            }
        }
    }

    #[test]
    fn binned_windows_count_binned_pixels() {
        let roi = |x, width| Roi { x, y: 0, width, height: 2 };
        let binning = Binning { x: 2, y: 2 };
        let half = Axis { most: 50, ..FREE };
        for (asked, window, shown) in [
            (roi(0, 100), (0, 50), roi(0, 100)),
            // The odd column is in no binned pixel, and the image does not have it.
            (roi(4, 21), (2, 10), roi(4, 21)),
            (roi(3, 10), (1, 6), roi(2, 12)),
            (roi(99, 1), (49, 1), roi(98, 2)),
        ] {
            let came = covering(asked, binning, [half, half]);
            assert_eq!((came.x, came.columns), window, "{asked:?}");
            assert_eq!(came.shows(asked, binning), shown, "{asked:?}");
        }
    }
}
