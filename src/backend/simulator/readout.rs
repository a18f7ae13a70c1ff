//! From light to numbers: a charge is collected on every pixel, read with noise and converted.
//!
//! One value of the image is
//!
//! ```text
//! ADU = round(offset + (min(Poisson(light + dark) + cosmic rays, full well) + pattern + read noise) / e⁻ per ADU)
//! ```
//!
//! cut to what the converter can deliver. Where binning adds charge, the pixels of a binned one are summed before they
//! are read, so binning costs no read noise; elsewhere they are read one by one, and the mean of their values is
//! delivered. The same recipe gives the same bytes on any machine and any number of threads.
//!
//! Read [`Recipe`] first.

use std::time::Duration;

use ndarray::Array3;
use rand::Rng;
use rayon::prelude::*;

use super::cosmic::{self, Hit, Target};
use super::model::Adding;
use super::mosaic::Mosaic;
use super::noise::{self, Normals};
use super::poisson::{Poisson, WHOLE};
use super::sensor::{PixelType, Sensor};
use super::sky::Sky;
use crate::camera::spare;
use crate::camera::types::{Binning, Celsius, FrameType, Pixels, Roi, Spare};

/// Brightness of the flat field panel in the middle of the frame, e⁻/s per pixel: half a full well in 2.5 s.
pub(super) const FLAT_LIGHT: f32 = 10_000.0;

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
    /// Level of no charge, ADU of the converter.
    pub(super) offset: i32,
    pub(super) temperature: Celsius,
    /// Cosmic rays on each cm² in a second.
    pub(super) cosmic_rays: f64,
}

impl Recipe {
    /// Whether light falls on the pixels.
    pub(super) fn is_lit(&self) -> bool {
        matches!(self.frame_type, FrameType::Light | FrameType::Flat)
    }
}

impl Sensor {
    /// Draws a frame on rayon's threads, of what comes from the sky if there is one; nothing when it was `cancelled`
    /// before it was done. The `number` of the frame tells its noise from that of all others.
    pub(super) fn read_out(
        &self,
        sky: Option<&Sky>,
        recipe: &Recipe,
        number: u64,
        spare: &Spare,
        cancelled: &(dyn Fn() -> bool + Sync),
    ) -> Option<Pixels> {
        let read_out = ReadOut::new(self, sky, recipe, number);
        Some(match self.pixel_type() {
            PixelType::U8 => Pixels::U8(read_out.image(spare, cancelled)?),
            PixelType::U16 => Pixels::U16(read_out.image(spare, cancelled)?),
        })
    }
}

/// A value that is delivered.
pub(super) trait Sample: spare::Sample + Copy + Default + Send + Sync {
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
    /// Where light comes from, if any falls on the pixels.
    sky: Option<&'a Sky>,
    recipe: &'a Recipe,
    number: u64,
    normals: &'static Normals,
    poisson: Poisson,
    /// How long the shutter is open, s.
    seconds: f32,
    /// Dark current of an ordinary pixel over the exposure, e⁻.
    dark: f32,
    cosmic: Vec<Hit>,
    /// e⁻ rms.
    read_noise: f32,
    adu_per_electron: f32,
    /// Charge that what is read at once can hold, e⁻.
    well: f32,
}

/// Pixels that are drawn at a time: few enough to stay close to the processor.
const PIECE: usize = 256;

/// Buffers for so many pixels.
struct Piece {
    bits: [u64; PIECE],
    /// e⁻.
    signal: [f32; PIECE],
}

/// Buffers of a thread that draws rows.
#[derive(Default)]
struct Scratch {
    /// Charge to be expected on each pixel of a piece of a sensor row, e⁻.
    mean: Vec<f32>,
    /// Share of light that reaches each of them.
    share: Vec<f32>,
    /// Charge to be expected on each binned pixel, e⁻.
    binned: Vec<f32>,
    /// What cosmic rays left on each pixel that is read, e⁻.
    rays: Vec<f32>,
    /// Values of a sensor row, and their sums over binned pixels.
    values: Vec<u16>,
    sums: Vec<u32>,
}

impl<'a> ReadOut<'a> {
    #[allow(clippy::cast_possible_truncation, reason = "some digits are enough")]
    fn new(sensor: &'a Sensor, sky: Option<&'a Sky>, recipe: &'a Recipe, number: u64) -> Self {
        let (model, Recipe { frame_type, binning, gain, .. }) = (&sensor.model, *recipe);
        let seconds = recipe.duration.as_secs_f64();
        let collecting = if frame_type == FrameType::Bias { 0.0 } else { seconds };
        let target = Target { width: model.width, height: model.height, pixel_size: model.pixel_size as f32 };
        let rays = recipe.cosmic_rays * model.area() * collecting;
        let pixels = match model.binning {
            Adding::Charge => binning.x * binning.y,
            Adding::Mean => 1,
        };
        ReadOut {
            sensor,
            sky: sky.filter(|_| recipe.is_lit()),
            recipe,
            number,
            normals: Normals::table(),
            poisson: Poisson::new(),
            seconds: seconds as f32,
            dark: (model.dark_current(recipe.temperature) * collecting) as f32,
            cosmic: target.hits(sensor.seed, number, rays as f32),
            read_noise: model.read_noise(gain) as f32,
            adu_per_electron: (1.0 / model.electrons_per_adu(gain)) as f32,
            well: model.full_well * pixels as f32,
        }
    }

    fn image<T: Sample>(&self, spare: &Spare, cancelled: &(dyn Fn() -> bool + Sync)) -> Option<Array3<T>> {
        let Recipe { roi, binning, .. } = *self.recipe;
        let (width, rows) = roi.binned(binning);
        let (width, height) = (width as usize, rows as usize);
        let mut pixels = spare.room(width * height);
        pixels.resize(width * height, T::default());
        let rows = pixels.par_chunks_mut(width).zip(0..rows);
        rows.try_for_each_init(Scratch::default, |scratch, (row, y)| {
            if cancelled() {
                return None;
            }
            let first = roi.y + y * binning.y;
            match self.sensor.model.binning {
                _ if binning == Binning::NONE => self.sensor_row(first, row, scratch),
                Adding::Charge => self.summed_row(first, row, scratch),
                Adding::Mean => self.averaged_row(first, row, scratch),
            }
            Some(())
        })?;
        Some(image(pixels, width, height))
    }

    /// One row of the sensor as it is.
    fn sensor_row<T: Sample>(&self, y: u32, row: &mut [T], scratch: &mut Scratch) {
        let charged = self.charges(y, scratch);
        let rays = self.rays(y, Binning::NONE, row.len(), &mut scratch.rays);
        self.digitise(y, 1, charged.then_some(&scratch.mean), rays.then_some(&scratch.rays), row);
    }

    /// Binned pixels whose charges are added on the chip.
    fn summed_row<T: Sample>(&self, first: u32, row: &mut [T], scratch: &mut Scratch) {
        let binning = self.recipe.binning;
        let well = self.sensor.model.full_well;
        let mut binned = std::mem::take(&mut scratch.binned);
        binned.clear();
        binned.resize(row.len(), 0.0);
        let mut charged = false;
        for y in first..first + binning.y {
            if !self.charges(y, scratch) {
                continue;
            }
            charged = true;
            for (sum, cell) in binned.iter_mut().zip(scratch.mean.chunks_exact(binning.x as usize)) {
                // A pixel that is full gives no more.
                *sum += cell.iter().map(|mean| mean.min(well)).sum::<f32>();
            }
        }
        let rays = self.rays(first, binning, row.len(), &mut scratch.rays);
        let step = binning.x as usize;
        self.digitise(first, step, charged.then_some(&binned), rays.then_some(&scratch.rays), row);
        scratch.binned = binned;
    }

    /// Binned pixels whose values are averaged after they were read one by one.
    fn averaged_row<T: Sample>(&self, first: u32, row: &mut [T], scratch: &mut Scratch) {
        let Recipe { roi, binning, .. } = *self.recipe;
        let (mut values, mut sums) = (std::mem::take(&mut scratch.values), std::mem::take(&mut scratch.sums));
        values.resize(roi.width as usize, 0);
        sums.clear();
        sums.resize(row.len(), 0);
        for y in first..first + binning.y {
            self.sensor_row(y, &mut values, scratch);
            for (sum, cell) in sums.iter_mut().zip(values.chunks_exact(binning.x as usize)) {
                *sum += cell.iter().map(|value| u32::from(*value)).sum::<u32>();
            }
        }
        let pixels = binning.x * binning.y;
        for (sample, sum) in row.iter_mut().zip(&sums) {
            #[allow(clippy::cast_possible_truncation, reason = "a mean of such values")]
            let mean = ((sum + pixels / 2) / pixels) as u16;
            *sample = T::from_adu(mean);
        }
        (scratch.values, scratch.sums) = (values, sums);
    }

    /// The charge to be expected on each pixel of the window's sensor row `y`; tells whether there is any.
    fn charges(&self, y: u32, scratch: &mut Scratch) -> bool {
        let Recipe { roi, frame_type, .. } = *self.recipe;
        let Scratch { mean, share, .. } = scratch;
        if frame_type == FrameType::Bias {
            return false;
        }
        mean.clear();
        if let Some(sky) = self.sky {
            mean.resize(roi.width as usize, 0.0);
            share.resize(roi.width as usize, 0.0);
            let glow = if frame_type == FrameType::Flat {
                FLAT_LIGHT
            } else {
                sky.add_row(y, roi.x, self.sensor.model.mosaic.filters(y), mean);
                sky.glow()
            };
            sky.transmission(y, roi.x, share);
            self.filter(y, glow, mean, share);
        } else {
            mean.resize(roi.width as usize, self.dark);
        }
        for (x, factor) in self.sensor.hot_pixels(y) {
            if let Some(mean) = x.checked_sub(roi.x).and_then(|x| mean.get_mut(x as usize)) {
                *mean += factor * self.dark;
            }
        }
        true
    }

    /// Takes the rates of stars to charges: with the glow, through telescope and filters, and with dark current.
    fn filter(&self, y: u32, glow: f32, mean: &mut [f32], share: &[f32]) {
        let mut filters = self.sensor.model.mosaic.shares(y).map(|share| self.seconds * share);
        if self.recipe.roi.x % 2 == 1 {
            filters.reverse();
        }
        let [even, odd] = filters;
        let charge = |rate: f32, share: f32, filter: f32| (rate + glow) * share * filter + self.dark;
        if self.sensor.model.mosaic == Mosaic::Mono {
            mean.iter_mut().zip(share).for_each(|(mean, share)| *mean = charge(*mean, *share, even));
            return;
        }
        for (pair, share) in mean.chunks_mut(2).zip(share.chunks(2)) {
            pair[0] = charge(pair[0], share[0], even);
            if let ([_, mean], [_, share]) = (pair, share) {
                *mean = charge(*mean, *share, odd);
            }
        }
    }

    /// What cosmic rays left on the pixels that are read from sensor row `first` on; tells whether they left anything.
    fn rays(&self, first: u32, binning: Binning, width: usize, rays: &mut Vec<f32>) -> bool {
        let hits = cosmic::on_rows(&self.cosmic, first, first + binning.y);
        if hits.is_empty() {
            return false;
        }
        rays.clear();
        rays.resize(width, 0.0);
        for hit in hits {
            let place = hit.x.checked_sub(self.recipe.roi.x).map(|x| (x / binning.x) as usize);
            if let Some(charge) = place.and_then(|place| rays.get_mut(place)) {
                *charge += hit.charge;
            }
        }
        true
    }

    /// Reads and converts one row, from the charges to be expected and those that rays left; a value for each `step`
    /// sensor columns.
    fn digitise<T: Sample>(
        &self,
        y: u32,
        step: usize,
        means: Option<&Vec<f32>>,
        rays: Option<&Vec<f32>>,
        row: &mut [T],
    ) {
        let mut rng = noise::stream(self.sensor.seed, self.number, u64::from(y));
        let mut columns = self.sensor.columns(self.recipe.roi.x).iter().step_by(step);
        let row_offset = self.sensor.row_offset(y);
        let mut piece = Piece { bits: [0; PIECE], signal: [0.0; PIECE] };
        for (number, row) in row.chunks_mut(PIECE).enumerate() {
            let here = number * PIECE..number * PIECE + row.len();
            let (bits, signal) = (&mut piece.bits[..row.len()], &mut piece.signal[..row.len()]);
            bits.fill_with(|| rng.next_u64());
            match means {
                Some(means) => self.poisson.draw_all(&means[here.clone()], bits, signal),
                None => signal.fill(0.0),
            }
            if let Some(rays) = rays {
                signal.iter_mut().zip(&rays[here]).for_each(|(signal, ray)| *signal += ray);
            }
            for ((signal, bits), column) in signal.iter_mut().zip(bits).zip(&mut columns) {
                let noise = self.read_noise * self.normals.pick(*bits);
                *signal = signal.min(self.well) + (column + row_offset) + noise;
            }
            self.convert(signal, row);
        }
    }

    /// What the converter makes of signals in e⁻.
    fn convert<T: Sample>(&self, signal: &[f32], row: &mut [T]) {
        let (zero, largest) = (self.recipe.offset as f32, f32::from(self.sensor.largest()));
        let shift = self.sensor.shift();
        for (sample, signal) in row.iter_mut().zip(signal) {
            let adu = (zero + signal * self.adu_per_electron).max(0.0).min(largest);
            // The nearest whole number, in the low bits.
            #[allow(clippy::cast_possible_truncation, reason = "no more than `largest`")]
            let adu = (adu + WHOLE).to_bits() as u16;
            *sample = T::from_adu(adu << shift);
        }
    }
}
