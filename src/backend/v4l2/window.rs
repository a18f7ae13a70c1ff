//! Which part of the sensor is streamed, where the camera can choose.

use std::os::fd::BorrowedFd;

use rustix::io::Errno;

use super::abi::{self, Rectangle};
use crate::camera::types::Roi;

/// A window that the driver rounds is asked for so often in the size that it had rounded to.
const ATTEMPTS: u32 = 3;
/// Windows begin and end at multiples of this, so that a colour mosaic and pairs of pixels begin as those of the whole
/// frame do.
const GRID: u32 = 2;

/// A camera that can stream a part of its sensor.
#[derive(Clone, Copy)]
pub(super) struct Crop {
    whole: Rectangle,
}

impl Crop {
    /// `None` if the camera cannot. Takes back what somebody before us may have left.
    pub(super) fn of(node: BorrowedFd<'_>) -> Option<Crop> {
        let crop = Crop { whole: abi::selection(node, abi::CROP_DEFAULT).ok()? };
        abi::select(node, abi::CROP, crop.whole).ok()?;
        Some(crop)
    }

    /// Of the whole.
    pub(super) fn size(self) -> (u32, u32) {
        (self.whole.width, self.whole.height)
    }

    /// Streams all of the sensor again. Where a window may only be so many times as large as the picture made of it, one
    /// grows with the other.
    pub(super) fn set_whole(self, node: BorrowedFd<'_>, fourcc: [u8; 4]) -> Result<abi::PixelFormat, Errno> {
        for _ in 0..ATTEMPTS {
            abi::select(node, abi::CROP, self.whole)?;
            let format = unscaled(node, fourcc, self.size())?;
            if abi::selection(node, abi::CROP)? == self.whole {
                return Ok(format);
            }
        }
        Err(Errno::RANGE)
    }

    /// Sets the smallest window around the wanted one that can be had without scaling, and a format that fits it.
    pub(super) fn set(
        self,
        node: BorrowedFd<'_>,
        fourcc: [u8; 4],
        wanted: Roi,
    ) -> Option<(Roi, abi::PixelFormat)> {
        let mut size = (wanted.width, wanted.height);
        for _ in 0..ATTEMPTS {
            let wish = self.rectangle(around(wanted, size, self.size()));
            let granted = abi::select(node, abi::CROP, wish).ok()?;
            let format = unscaled(node, fourcc, (granted.width, granted.height)).ok()?;
            let window = self.window(abi::selection(node, abi::CROP).ok()?)?;
            let same = (format.fourcc, format.width, format.height) == (fourcc, window.width, window.height);
            if same && is_good(window, wanted) {
                return Some((window, format));
            }
            size = (size.0.max(format.width), size.1.max(format.height));
        }
        None
    }

    fn rectangle(self, window: Roi) -> Rectangle {
        let along = |start: i32, skipped: u32| start.saturating_add_unsigned(skipped);
        let (left, top) = (along(self.whole.left, window.x), along(self.whole.top, window.y));
        Rectangle { left, top, width: window.width, height: window.height }
    }

    fn window(self, Rectangle { left, top, width, height }: Rectangle) -> Option<Roi> {
        let skipped = |start: i32, whole: i32| u32::try_from(start.checked_sub(whole)?).ok();
        let window =
            Roi { x: skipped(left, self.whole.left)?, y: skipped(top, self.whole.top)?, width, height };
        let within = window.x.checked_add(width)? <= self.whole.width
            && window.y.checked_add(height)? <= self.whole.height;
        within.then_some(window)
    }
}

/// Sets a format, and has the whole frame filled where the camera could also fill a part of it.
fn unscaled(node: BorrowedFd<'_>, fourcc: [u8; 4], size: (u32, u32)) -> Result<abi::PixelFormat, Errno> {
    let format = abi::set_format(node, fourcc, size)?;
    let frame = Rectangle { left: 0, top: 0, width: format.width, height: format.height };
    match abi::selection(node, abi::COMPOSE) {
        Ok(filled) if filled != frame => match abi::select(node, abi::COMPOSE, frame)? {
            filled if filled == frame => Ok(format),
            _ => Err(Errno::RANGE),
        },
        // Most have no such thing.
        Ok(_) | Err(_) => Ok(format),
    }
}

/// A window of at least that size around the wanted one, on the grid.
fn around(wanted: Roi, least: (u32, u32), whole: (u32, u32)) -> Roi {
    let (x, width) = span(wanted.x, wanted.width, least.0, whole.0);
    let (y, height) = span(wanted.y, wanted.height, least.1, whole.1);
    Roi { x, y, width, height }
}

/// The same along one axis: start and length.
fn span(start: u32, length: u32, least: u32, whole: u32) -> (u32, u32) {
    let long = length.max(least).min(whole);
    let first = start.min(whole - long) / GRID * GRID;
    let end = (start + length).max(first + long).next_multiple_of(GRID).min(whole);
    (first, end - first)
}

/// Whether a window has all of the wanted one, and begins on the grid.
fn is_good(window: Roi, wanted: Roi) -> bool {
    let has = |start: u32, length: u32, wanted: u32, wanted_length: u32| {
        start.is_multiple_of(GRID) && start <= wanted && start + length >= wanted + wanted_length
    };
    has(window.x, window.width, wanted.x, wanted.width)
        && has(window.y, window.height, wanted.y, wanted.height)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_grows_to_the_grid_and_to_what_the_camera_has_without_leaving_the_sensor() {
        let roi = |x, y, width, height| Roi { x, y, width, height };
        assert_eq!(around(roi(3, 5, 61, 47), (61, 47), (640, 480)), roi(2, 4, 62, 48));
        assert_eq!(around(roi(639, 479, 1, 1), (16, 16), (640, 480)), roi(624, 464, 16, 16));
        assert_eq!(around(roi(0, 0, 641, 1), (1, 1), (641, 481)), roi(0, 0, 641, 2));
        assert_eq!(around(roi(0, 0, 9, 9), (100, 100), (9, 9)), roi(0, 0, 9, 9));
    }

    #[test]
    fn a_window_is_good_if_it_has_the_wanted_one_in_step_with_the_mosaic() {
        let wanted = Roi { x: 4, y: 6, width: 10, height: 10 };
        assert!(is_good(wanted, wanted));
        assert!(is_good(Roi { x: 2, y: 4, width: 16, height: 16 }, wanted));
        assert!(!is_good(Roi { x: 3, y: 4, width: 16, height: 16 }, wanted));
        assert!(!is_good(Roi { width: 9, ..wanted }, wanted));
    }
}
