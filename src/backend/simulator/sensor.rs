//! One sensor, as it was built: a type with the irregularities that its seed gives it.

use rand::Rng;

use super::model::Model;
use super::noise::{self, HOT_PIXELS, NO_FRAME, Normals, ROW_OFFSETS};
use super::poisson::Poisson;
use crate::camera::types::Bayer;

/// What a pixel is delivered in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PixelType {
    U8,
    U16,
}

/// A sensor, as built.
pub(super) struct Sensor {
    pub(super) model: Model,
    pub(super) seed: u64,
    /// Offset of each column's amplifier, e⁻; their mean is 0.
    columns: Vec<f32>,
}

/// The least and the largest dark current of a hot pixel, times that of an ordinary one. Between them, half as many
/// have twice as much, as in sensors whose defects differ in how much they leak and not in kind.
const HOT: (f32, f32) = (10.0, 10_000.0);

impl Sensor {
    pub(super) fn new(model: Model, seed: u64) -> Self {
        let (normals, mut rng) = (Normals::table(), noise::stream(seed, NO_FRAME, 2));
        let mut columns: Vec<f32> =
            (0..model.width).map(|_| model.pattern.columns * normals.pick(rng.next_u64())).collect();
        let mean = columns.iter().sum::<f32>() / columns.len() as f32;
        for column in &mut columns {
            *column -= mean;
        }
        Sensor { model, seed, columns }
    }

    pub(super) fn pixel_type(&self) -> PixelType {
        if self.model.bits <= 8 { PixelType::U8 } else { PixelType::U16 }
    }

    /// The mosaic in front of its pixels, if there is one.
    pub(super) fn bayer(&self) -> Option<Bayer> {
        let pattern = self.model.mosaic.pattern();
        pattern.map(|pattern| Bayer { pattern: pattern.to_owned(), offset_x: 0, offset_y: 0 })
    }

    /// Largest value that the converter gives.
    pub(super) fn largest(&self) -> u16 {
        u16::MAX >> (16 - self.model.bits)
    }

    /// By how many bits the converter's values are shifted up when they are delivered.
    pub(super) fn shift(&self) -> u8 {
        if self.model.left_aligned { 16 - self.model.bits } else { 0 }
    }

    /// Bits of a delivered value, the lower ones perhaps 0.
    pub(super) fn depth(&self) -> u8 {
        self.model.bits + self.shift()
    }

    /// The offsets of a row's pixels from `x` on, e⁻.
    pub(super) fn columns(&self, x: u32) -> &[f32] {
        &self.columns[x as usize..]
    }

    /// The offset of a whole row, e⁻.
    pub(super) fn row_offset(&self, y: u32) -> f32 {
        if self.model.pattern.rows <= 0.0 {
            return 0.0;
        }
        let bits = noise::stream(self.seed, ROW_OFFSETS, u64::from(y)).next_u64();
        self.model.pattern.rows * Normals::table().pick(bits)
    }

    /// The hot pixels of a row: their columns, in any order, and their dark current beyond that of ordinary pixels,
    /// times that.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "fewer than there are columns"
    )]
    pub(super) fn hot_pixels(&self, y: u32) -> impl Iterator<Item = (u32, f32)> {
        let mut rng = noise::stream(self.seed, HOT_PIXELS, u64::from(y));
        let width = self.model.width;
        let expected = (f64::from(width) * self.model.hot_pixels * 1e-6) as f32;
        let number = Poisson::new().draw(expected, rng.next_u64()) as u32;
        (0..number).map(move |_| {
            let x = (noise::uniform(&mut rng) * width as f32) as u32;
            let (least, largest) = HOT;
            // The inverse of the share that has more.
            let factor = least / noise::uniform(&mut rng).max(least / largest);
            (x.min(width - 1), factor - 1.0)
        })
    }
}
