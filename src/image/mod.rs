//! Frames, and the pure code that turns a frame into the bytes of a file.
//!
//! A [`Frame`] comes from a camera, is moved and never cloned, is cut and binned to exactly what was asked
//! ([`window`]), described by FITS cards ([`header`], [`card`]) and encoded in one pass ([`fits`]), or, where the
//! user wants another format, as compressed FITS ([`pack`]), bare pixels ([`native`]) or XISF ([`xisf`]). Who has
//! a frame can ask what is on it ([`statistics`], [`stars`]) and for a picture of it ([`stretch`]). Nothing here knows
//! INDI, does I/O or reads a clock.
//!
//! Read [`Frame`] first.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use ndarray::Array3;

pub mod card;
mod checksum;
mod deflate;
pub mod fits;
pub mod header;
pub mod name;
pub mod native;
pub mod pack;
pub mod planes;
pub mod pointing;
mod recorded;
mod rice;
pub mod sky;
pub mod stars;
pub mod statistics;
pub mod stretch;
mod unit;
pub mod window;
pub mod xisf;

/// A rectangle on the sensor in unbinned pixels; the origin is the first pixel read out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[allow(missing_docs, reason = "a rectangle")]
pub struct Roi {
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
}

impl Roi {
    /// Shape of the image read from this rectangle under `binning`, in binned pixels.
    #[must_use]
    pub fn binned(&self, binning: Binning) -> (u32, u32) {
        (self.width / binning.x.max(1), self.height / binning.y.max(1))
    }
}

/// Sensor pixels that make one image pixel, along each axis; both at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[allow(missing_docs, reason = "two factors")]
pub struct Binning {
    pub x: u32,
    pub y: u32,
}

impl Binning {
    /// No binning.
    pub const NONE: Binning = Binning { x: 1, y: 1 };
}

/// A colour mosaic.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Bayer {
    /// The four letters of the top left 2×2 pixels of the full sensor, row by row: `RGGB`.
    pub pattern: String,
    /// Columns by which the pattern is shifted.
    pub offset_x: u32,
    /// Rows by which the pattern is shifted.
    pub offset_y: u32,
}

/// What the exposure is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
pub enum FrameType {
    /// The sky.
    Light,
    /// Shortest exposure, shutter closed.
    Bias,
    /// Shutter closed.
    Dark,
    /// Even light.
    Flat,
}

/// Pixels as `[plane, row, column]`: one plane for mono and Bayer mosaics, three (red, green, blue) for colour.
/// The first row is the one read out first.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "container types")]
pub enum Pixels {
    U8(Array3<u8>),
    U16(Array3<u16>),
    U32(Array3<u32>),
}

impl Pixels {
    /// Planes, rows, columns.
    #[must_use]
    pub fn shape(&self) -> (usize, usize, usize) {
        match self {
            Pixels::U8(a) => a.dim(),
            Pixels::U16(a) => a.dim(),
            Pixels::U32(a) => a.dim(),
        }
    }

    /// The value of all pixels, when there are several and all are alike. Of any real frame it looks at a few.
    #[must_use]
    pub fn constant(&self) -> Option<u32> {
        match self {
            Pixels::U8(a) => constant(a).map(u32::from),
            Pixels::U16(a) => constant(a).map(u32::from),
            Pixels::U32(a) => constant(a),
        }
    }

    /// Bits in the container of one pixel.
    #[must_use]
    pub fn bits(&self) -> u8 {
        match self {
            Pixels::U8(_) => 8,
            Pixels::U16(_) => 16,
            Pixels::U32(_) => 32,
        }
    }
}

/// The rows of all planes, one after the other: as they lie in memory where that is row by row, even as the window of a
/// larger image.
fn rows<T: Copy>(pixels: &Array3<T>) -> impl ExactSizeIterator<Item = Cow<'_, [T]>> {
    let rows = pixels.rows().into_iter();
    rows.map(|row| row.to_slice().map_or_else(|| Cow::Owned(row.to_vec()), Cow::Borrowed))
}

fn constant<T: Copy + PartialEq>(pixels: &Array3<T>) -> Option<T> {
    let first = *pixels.first().filter(|_| pixels.len() > 1)?;
    pixels.iter().all(|pixel| *pixel == first).then_some(first)
}

/// What the camera measured about a frame.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct FrameInfo {
    /// The moment the shutter opened.
    pub started: SystemTime,
    /// The moment it closed.
    pub ended: SystemTime,
    /// How long it was open, by the monotonic clock.
    pub exposed: Duration,
    /// The sensor window that the pixels show.
    pub roi: Roi,
    /// The binning that the camera did.
    pub binning: Binning,
    /// Gain in the camera's own units.
    pub gain: Option<i32>,
    /// Offset in the camera's own units.
    pub offset: Option<i32>,
    /// Sensor temperature in °C.
    pub temperature: Option<f64>,
    /// Read-outs that were added up; 1 for a plain exposure.
    pub added: u32,
}

impl FrameInfo {
    /// A plain exposure, not binned, of which nothing else was measured. What is known beside goes before it:
    /// `FrameInfo { gain: Some(120), ..FrameInfo::new(started, exposed, roi) }`.
    #[must_use]
    pub fn new(started: SystemTime, exposed: Duration, roi: Roi) -> Self {
        FrameInfo {
            started,
            ended: started + exposed,
            exposed,
            roi,
            binning: Binning::NONE,
            gain: None,
            offset: None,
            temperature: None,
            added: 1,
        }
    }
}

/// One read-out.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Frame {
    /// The pixels.
    pub pixels: Pixels,
    /// What is known about them.
    pub info: FrameInfo,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_is_a_frame_of_several_pixels_that_are_all_alike() {
        let words =
            |values: [u16; 4]| Pixels::U16(Array3::from_shape_vec((1, 2, 2), values.to_vec()).unwrap());
        assert_eq!(words([7, 7, 7, 7]).constant(), Some(7));
        assert_eq!(words([7, 7, 7, 8]).constant(), None);
        assert_eq!(Pixels::U8(Array3::zeros((1, 1, 1))).constant(), None);
        assert_eq!(Pixels::U8(Array3::zeros((1, 0, 4))).constant(), None);
    }
}
