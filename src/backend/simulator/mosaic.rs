//! The colour filters in front of the pixels.

use super::sky::Filter;

/// A mosaic of filters that repeats every two rows and columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mosaic {
    Mono,
    Rggb,
    Bggr,
    Grbg,
    Gbrg,
}

impl Mosaic {
    /// The four letters of the top left pixels, row by row.
    pub(super) fn pattern(self) -> Option<&'static str> {
        match self {
            Mosaic::Mono => None,
            Mosaic::Rggb => Some("RGGB"),
            Mosaic::Bggr => Some("BGGR"),
            Mosaic::Grbg => Some("GRBG"),
            Mosaic::Gbrg => Some("GBRG"),
        }
    }

    /// What stands before the even and the odd columns of a row.
    pub(super) fn filters(self, y: u32) -> [Filter; 2] {
        let Some(pattern) = self.pattern() else { return [Filter::Clear; 2] };
        [0, 1].map(|x| match pattern.as_bytes()[2 * (y % 2) as usize + x] {
            b'R' => Filter::Red,
            b'B' => Filter::Blue,
            _ => Filter::Green,
        })
    }

    /// Share of white light that reaches the even and the odd columns of a row.
    pub(super) fn shares(self, y: u32) -> [f32; 2] {
        self.filters(y).map(|filter| match filter {
            Filter::Clear => 1.0,
            Filter::Red => 0.55,
            Filter::Green => 0.9,
            Filter::Blue => 0.7,
        })
    }
}
