//! Windows of cameras that count in binned pixels. What such a camera can read, each kind of camera says.

use crate::camera::types::{Binning, Roi};

/// A window in binned pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) columns: u32,
    pub(super) rows: u32,
}

impl Window {
    /// The pixels of the sensor that it shows: `roi` as it was asked, where the window is what that takes.
    pub(super) fn shows(self, roi: Roi, binning: Binning) -> Roi {
        let (x, width) = back(self.x, self.columns, binning.x, (roi.x, roi.width));
        let (y, height) = back(self.y, self.rows, binning.y, (roi.y, roi.height));
        Roi { x, y, width, height }
    }
}

fn back(first: u32, count: u32, factor: u32, asked: (u32, u32)) -> (u32, u32) {
    let (start, length) = asked;
    let exact = first * factor == start && length / factor.max(1) == count;
    if exact { asked } else { (first * factor, count * factor) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_shows_what_was_asked_where_it_can_and_else_whole_binned_pixels() {
        let roi = |x, y, width, height| Roi { x, y, width, height };
        let window = Window { x: 2, y: 3, columns: 10, rows: 4 };
        let binning = Binning { x: 2, y: 3 };
        // An odd column at the edge is in no binned pixel.
        assert_eq!(window.shows(roi(4, 9, 21, 12), binning), roi(4, 9, 21, 12));
        assert_eq!(window.shows(roi(5, 9, 20, 11), binning), roi(4, 9, 20, 12));
    }
}
