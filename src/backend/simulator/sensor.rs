//! From light to numbers: a charge is collected on every pixel, binned, read with noise and converted.
//!
//! One value of the image is
//!
//! ```text
//! ADU = round(offset + (min(Poisson(light + dark), full well) + column + read noise) / e⁻ per ADU)
//! ```
//!
//! cut to what the converter can deliver. The charges of a binned pixel are summed before they are read, so binning
//! costs no read noise. The same recipe gives the same bytes on any number of threads.

use std::time::Duration;

use ndarray::Array3;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use super::noise::{self, Counts, Normals};
use super::sky::{Filter, Sky};
use crate::camera::types::{Binning, Celsius, FrameType, Pixels, Roi};

/// Charge that a pixel holds, e⁻.
pub(super) const FULL_WELL: f32 = 50_000.0;
/// Read noise, e⁻ rms, the same at every gain.
pub(super) const READ_NOISE: f32 = 2.0;
/// Spread of the columns' amplifiers, e⁻ rms; columns show in the mean of a few bias frames, not in one.
const COLUMN_SPREAD: f32 = 0.4;
/// Dark current at [`DARK_REFERENCE`], e⁻/s per pixel.
pub(super) const DARK_CURRENT: f64 = 0.5;
/// Temperature at which [`DARK_CURRENT`] holds, °C.
pub(super) const DARK_REFERENCE: Celsius = 20.0;
/// Dark current doubles with every step of this many K, as in silicon near room temperature.
const DARK_DOUBLING: f64 = 6.0;
/// Charge that spans the converter at gain 0, e⁻; a little more than the full well, as in most cameras.
const CONVERTER_SPAN: f32 = 52_000.0;
/// Gain settings per factor of ten: the unit is 0.1 dB.
const GAIN_DECADE: f32 = 200.0;
/// Brightness of the flat field panel in the middle of the frame, e⁻/s per pixel: half a full well in 2.5 s.
pub(super) const FLAT_LIGHT: f32 = 10_000.0;

/// What a pixel is delivered in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PixelType {
    U8,
    U16,
}

/// The filter mosaic in front of the pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mosaic {
    Mono,
    Rggb,
    Bggr,
    Grbg,
    Gbrg,
}

/// A sensor, as built.
pub(super) struct Sensor {
    pub(super) width: u32,
    pub(super) height: u32,
    /// Depth of the converter, 8 to 16.
    pub(super) bits: u8,
    pub(super) mosaic: Mosaic,
    pub(super) seed: u64,
    /// Offset of each column's amplifier, e⁻; their mean is 0.
    columns: Vec<f32>,
}

/// All that decides the pixels of one frame.
#[derive(Clone, Copy)]
pub(super) struct Recipe {
    pub(super) frame_type: FrameType,
    /// How long the shutter is open.
    pub(super) duration: Duration,
    /// A rectangle on the sensor that holds at least one binned pixel.
    pub(super) roi: Roi,
    pub(super) binning: Binning,
    /// Gain in units of 0.1 dB.
    pub(super) gain: i32,
    /// Level of no charge, ADU.
    pub(super) offset: i32,
    pub(super) temperature: Celsius,
}

/// Charge per ADU at a gain setting: `52 000 e⁻ / 2^bits / 10^(gain / 200)`. Every 200 steps of 0.1 dB are a factor
/// of ten.
pub(super) fn electrons_per_adu(bits: u8, gain: i32) -> f32 {
    CONVERTER_SPAN / 2_f32.powi(i32::from(bits)) / 10_f32.powf(gain as f32 / GAIN_DECADE)
}

/// Dark current, e⁻/s per pixel.
pub(super) fn dark_current(temperature: Celsius) -> f64 {
    DARK_CURRENT * ((temperature - DARK_REFERENCE) / DARK_DOUBLING).exp2()
}

impl Sensor {
    pub(super) fn new(width: u32, height: u32, bits: u8, mosaic: Mosaic, seed: u64) -> Self {
        let mut rng = noise::stream(seed, u64::MAX, 2);
        let mut columns: Vec<f32> = (0..width)
            .map(|_| COLUMN_SPREAD * Distribution::<f32>::sample(&StandardNormal, &mut rng))
            .collect();
        let mean = columns.iter().sum::<f32>() / columns.len() as f32;
        for column in &mut columns {
            *column -= mean;
        }
        Sensor { width, height, bits, mosaic, seed, columns }
    }

    pub(super) fn pixel_type(&self) -> PixelType {
        if self.bits <= 8 { PixelType::U8 } else { PixelType::U16 }
    }

    /// Largest value that the converter delivers.
    pub(super) fn largest(&self) -> u16 {
        u16::MAX >> (16 - self.bits)
    }

    /// Draws a frame on rayon's threads; nothing when it was `cancelled` before it was done. The `number` of the
    /// frame tells its noise from that of all others.
    pub(super) fn read_out(
        &self,
        sky: &Sky,
        recipe: &Recipe,
        number: u64,
        cancelled: &(dyn Fn() -> bool + Sync),
    ) -> Option<Pixels> {
        let read_out = ReadOut::new(self, sky, recipe, number);
        Some(match self.pixel_type() {
            PixelType::U8 => Pixels::U8(read_out.image(cancelled)?),
            PixelType::U16 => Pixels::U16(read_out.image(cancelled)?),
        })
    }
}

/// A value that the converter delivers.
pub(super) trait Sample: Copy + Default + Send + Sync {
    /// `adu` fits the type.
    fn from_adu(adu: u16) -> Self;
}

impl Sample for u8 {
    #[allow(clippy::cast_possible_truncation, reason = "the caller keeps to 8 bits")]
    fn from_adu(adu: u16) -> Self {
        adu as u8
    }
}

impl Sample for u16 {
    fn from_adu(adu: u16) -> Self {
        adu
    }
}

/// Rows of pixels as an image of one plane.
#[allow(clippy::expect_used, reason = "all callers allocate width × height")]
pub(super) fn image<T>(pixels: Vec<T>, width: usize, height: usize) -> Array3<T> {
    Array3::from_shape_vec((1, height, width), pixels).expect("as many pixels as the shape says")
}

/// One frame in the making.
struct ReadOut<'a> {
    sensor: &'a Sensor,
    sky: &'a Sky,
    recipe: &'a Recipe,
    number: u64,
    normals: &'static Normals,
    /// Time for which light falls on the pixels, s: 0 with the shutter closed.
    lit: f32,
    /// Share of white light that the filters of a binned pixel let through, summed over its pixels, by parity of
    /// the row and column of its first one.
    colours: [[f32; 2]; 2],
    /// Charge that all binned pixels of one kind share, glow and dark current.
    background: [[Counts; 2]; 2],
    adu_per_electron: f32,
}

/// Buffers of a thread that draws rows.
struct Scratch {
    /// Star light on a piece of one sensor row, e⁻/s.
    row: Vec<f32>,
    /// Light on the binned pixels of an image row beyond the background, mean e⁻.
    light: Vec<f32>,
}

impl<'a> ReadOut<'a> {
    fn new(sensor: &'a Sensor, sky: &'a Sky, recipe: &'a Recipe, number: u64) -> Self {
        let Recipe { frame_type, binning, .. } = *recipe;
        let seconds = recipe.duration.as_secs_f32();
        #[allow(clippy::cast_possible_truncation, reason = "a few electrons")]
        let dark = dark_current(recipe.temperature) as f32 * seconds;
        let (lit, glow, dark) = match frame_type {
            FrameType::Bias => (0.0, 0.0, 0.0),
            FrameType::Dark => (0.0, 0.0, dark),
            FrameType::Flat => (seconds, 0.0, dark),
            FrameType::Light => (seconds, sky.glow() * seconds, dark),
        };
        let dark = dark * (binning.x * binning.y) as f32;
        let by_parity = [[0, 1].map(|x| (0, x)), [0, 1].map(|x| (1, x))];
        let colours = by_parity.map(|row| row.map(|(y, x)| sensor.mosaic.sum(y, x, binning)));
        ReadOut {
            sensor,
            sky,
            recipe,
            number,
            normals: Normals::table(),
            lit,
            colours,
            background: colours.map(|row| row.map(|colour| Counts::new(dark + glow * colour))),
            adu_per_electron: 1.0 / electrons_per_adu(sensor.bits, recipe.gain),
        }
    }

    fn image<T: Sample>(&self, cancelled: &(dyn Fn() -> bool + Sync)) -> Option<Array3<T>> {
        let (width, rows) = self.recipe.roi.binned(self.recipe.binning);
        let (width, height) = (width as usize, rows as usize);
        let scratch = || Scratch { row: vec![0.0; self.recipe.roi.width as usize], light: vec![0.0; width] };
        let mut pixels = vec![T::default(); width * height];
        pixels.par_chunks_mut(width).zip(0..rows).try_for_each_init(scratch, |scratch, (row, y)| {
            if cancelled() {
                return None;
            }
            self.row(y, row, scratch);
            Some(())
        })?;
        Some(image(pixels, width, height))
    }

    fn row<T: Sample>(&self, y: u32, row: &mut [T], scratch: &mut Scratch) {
        let Recipe { roi, binning, offset, .. } = *self.recipe;
        let first = roi.y + y * binning.y;
        let lit = match self.recipe.frame_type {
            FrameType::Bias | FrameType::Dark => false,
            FrameType::Light => self.stars(first, scratch),
            FrameType::Flat => self.panel(first, scratch),
        };
        let mut rng = noise::stream(self.sensor.seed, self.number, u64::from(y));
        let background = &self.background[parity(first)];
        let well = FULL_WELL * (binning.x * binning.y) as f32;
        let largest = f32::from(self.sensor.largest());
        // The half makes the cut to whole numbers below a rounding one.
        let zero = offset as f32 + 0.5;
        let columns = self.sensor.columns[roi.x as usize..].iter().step_by(binning.x as usize);
        for ((i, pixel), column) in (0_u32..).zip(row).zip(columns) {
            let bits = rng.next_u64();
            let mut charge = background[parity(roi.x + i * binning.x)].draw(self.normals, bits);
            if lit {
                let light = scratch.light[i as usize];
                if light > 0.0 {
                    charge += noise::count(light, self.normals, &mut rng);
                }
            }
            let charge = charge.min(well) + column + READ_NOISE * self.normals.pick(bits);
            let adu = (zero + charge * self.adu_per_electron).min(largest);
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates at 0")]
            let adu = adu as u16;
            *pixel = T::from_adu(adu);
        }
    }

    /// Star light on the image row that begins with sensor row `first`; tells whether there is any.
    fn stars(&self, first: u32, scratch: &mut Scratch) -> bool {
        let Recipe { roi, binning, .. } = *self.recipe;
        let Scratch { row, light } = scratch;
        light.fill(0.0);
        let mut any = false;
        for y in first..first + binning.y {
            row.fill(0.0);
            if !self.sky.add_row(y, roi.x, self.sensor.mosaic.filters(y), row) {
                continue;
            }
            any = true;
            let colours = [0, 1].map(|x| self.lit * self.sensor.mosaic.share(y, x));
            let mut x = roi.x;
            for (cell, light) in row.chunks_exact(binning.x as usize).zip(light.iter_mut()) {
                for rate in cell {
                    *light += rate * colours[parity(x)];
                    x += 1;
                }
            }
        }
        any
    }

    /// Light of the flat field panel on the image row that begins with sensor row `first`.
    fn panel(&self, first: u32, scratch: &mut Scratch) -> bool {
        let Recipe { roi, binning, .. } = *self.recipe;
        self.sky.transmission(first, roi.x, &mut scratch.row);
        let shares = scratch.row.iter().step_by(binning.x as usize);
        for ((i, light), share) in (0_u32..).zip(&mut scratch.light).zip(shares) {
            let x = roi.x + i * binning.x;
            *light = FLAT_LIGHT * self.lit * share * self.colours[parity(first)][parity(x)];
        }
        true
    }
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

    /// What stands before a pixel.
    pub(super) fn filter(self, y: u32, x: u32) -> Filter {
        let Some(pattern) = self.pattern() else { return Filter::Clear };
        match pattern.as_bytes()[2 * parity(y) + parity(x)] {
            b'R' => Filter::Red,
            b'B' => Filter::Blue,
            _ => Filter::Green,
        }
    }

    /// What stands before the even and the odd columns of a row.
    pub(super) fn filters(self, y: u32) -> [Filter; 2] {
        [0, 1].map(|x| self.filter(y, x))
    }

    /// Share of white light that reaches a pixel.
    pub(super) fn share(self, y: u32, x: u32) -> f32 {
        match self.filter(y, x) {
            Filter::Clear => 1.0,
            Filter::Red => 0.55,
            Filter::Green => 0.9,
            Filter::Blue => 0.7,
        }
    }

    fn sum(self, y: u32, x: u32, binning: Binning) -> f32 {
        let pixels = (y..y + binning.y).flat_map(|y| (x..x + binning.x).map(move |x| (y, x)));
        pixels.map(|(y, x)| self.share(y, x)).sum()
    }
}

fn parity(coordinate: u32) -> usize {
    (coordinate % 2) as usize
}
