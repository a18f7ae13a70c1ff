//! From a window in pixels of the sensor to one in binned pixels, as Alpaca counts, and back.

use crate::backend::window::Window;
use crate::camera::types::{Binning, Roi, Sensor};

/// The smallest window whose pixels cover `roi`. Pixels at its right and lower edge that do not fill a binned pixel
/// are left out where nothing else needs that one: no image has them.
pub(super) fn covering(roi: Roi, binning: Binning, sensor: &Sensor) -> Window {
    let (x, columns) = along(roi.x, roi.width, binning.x, sensor.width);
    let (y, rows) = along(roi.y, roi.height, binning.y, sensor.height);
    Window { x, y, columns, rows }
}

fn along(start: u32, length: u32, factor: u32, sensor: u32) -> (u32, u32) {
    let factor = factor.max(1);
    // No camera bins pixels that it does not have.
    let limit = (sensor / factor).max(1);
    let first = (start / factor).min(limit - 1);
    let last = if start.is_multiple_of(factor) {
        first + length / factor
    } else {
        start.saturating_add(length).div_ceil(factor)
    };
    (first, last.clamp(first + 1, limit) - first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sensor(width: u32, height: u32) -> Sensor {
        Sensor { width, height, pixel_x: 1.0, pixel_y: 1.0, bits: 16, adc_bits: 16, bayer: None }
    }

    fn roi(x: u32, y: u32, width: u32, height: u32) -> Roi {
        Roi { x, y, width, height }
    }

    #[track_caller]
    fn becomes(asked: Roi, (x, y): (u32, u32), window: [u32; 4], shown: Roi) {
        let binning = Binning { x, y };
        let came = covering(asked, binning, &sensor(101, 77));
        assert_eq!([came.x, came.y, came.columns, came.rows], window, "{asked:?} under {binning:?}");
        assert_eq!(came.shows(asked, binning), shown, "{asked:?} under {binning:?}");
        let (columns, rows) = shown.binned(binning);
        assert_eq!((columns, rows), (came.columns, came.rows));
    }

    #[test]
    fn unbinned_pixels_are_what_they_are() {
        for asked in [roi(0, 0, 101, 77), roi(3, 5, 61, 47), roi(100, 76, 1, 1)] {
            becomes(asked, (1, 1), [asked.x, asked.y, asked.width, asked.height], asked);
        }
    }

    #[test]
    fn a_window_in_step_with_the_binning_is_asked_for_exactly() {
        becomes(roi(0, 0, 101, 77), (2, 2), [0, 0, 50, 38], roi(0, 0, 101, 77));
        becomes(roi(4, 9, 21, 10), (4, 3), [1, 3, 5, 3], roi(4, 9, 21, 10));
        becomes(roi(96, 0, 5, 77), (4, 1), [24, 0, 1, 77], roi(96, 0, 5, 77));
    }

    #[test]
    fn a_window_out_of_step_is_covered() {
        becomes(roi(3, 0, 10, 4), (2, 2), [1, 0, 6, 2], roi(2, 0, 12, 4));
        becomes(roi(7, 8, 1, 1), (4, 4), [1, 2, 1, 1], roi(4, 8, 4, 4));
        // The last column of the sensor is in no binned pixel.
        becomes(roi(99, 0, 2, 4), (2, 2), [49, 0, 1, 2], roi(98, 0, 2, 4));
    }
}
