//! Pixels as light: the numbers that pictures and the search for stars begin with.
//!
//! A colour mosaic is taken apart at half its size: each 2×2 cell becomes one red, one green and one blue value. That
//! invents no value between the pixels, which is what a preview and a measurement of stars want; a finished picture
//! is made by other programs from the file.

use ndarray::Array3;
use rayon::prelude::*;

use super::{Bayer, Pixels};

/// One plane of light, or three for red, green and blue, each row by row from the first one read out.
#[derive(Clone, Debug, PartialEq)]
pub struct Planes {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Values in ADU of the frame; each plane has `width * height` of them.
    pub planes: Vec<Vec<f32>>,
    /// Pixels of the frame along each axis that make one value here: 1, but 2 for a mosaic.
    pub scale: usize,
}

/// Pixels that a star covers, more or less.
const STAR: usize = 8;

/// A place inside a 2×2 cell: column, row.
type Place = (usize, usize);

impl Planes {
    /// Of a frame. `mosaic` is the one that lies on these pixels, its offsets counted from their first one; it is of
    /// no interest to a frame that has three planes already.
    #[must_use]
    pub fn of(pixels: &Pixels, mosaic: Option<&Bayer>) -> Planes {
        match pixels {
            Pixels::U8(a) => take(a, mosaic),
            Pixels::U16(a) => take(a, mosaic),
            Pixels::U32(a) => take(a, mosaic),
        }
    }

    /// Whether there is colour.
    #[must_use]
    pub fn is_colour(&self) -> bool {
        self.planes.len() == 3
    }

    /// All light together, whatever its colour.
    #[must_use]
    pub fn luminance(&self) -> Vec<f32> {
        let Some((first, others)) = self.planes.split_first() else { return Vec::new() };
        let mut sum = first.clone();
        for plane in others {
            sum.par_iter_mut().zip(plane).for_each(|(sum, &value)| *sum += value);
        }
        sum
    }

    /// The same light on at most `width` × `height` values, for a small picture. Each stands for a square, and is the
    /// mean of the brightest pixels in it, as many as a star covers: the mean of all would leave nothing of the stars. A
    /// whole factor along both axes, so the result may be smaller than it would have to be; what does not fill a square
    /// at the right and lower edge is left out.
    #[must_use]
    pub fn shrunk(&self, width: usize, height: usize) -> Planes {
        let factor = self.width.div_ceil(width.max(1)).max(self.height.div_ceil(height.max(1)));
        // Something remains even of a single row.
        let factor = factor.min(self.width).min(self.height).max(1);
        let (columns, rows) = (self.width / factor, self.height / factor);
        let square = |plane: &[f32], n: usize| {
            let (row, column) = (n / columns * factor, n % columns * factor);
            let lines = (row..row + factor).map(|row| &plane[row * self.width + column..][..factor]);
            brightest(&mut lines.flatten().copied().collect::<Vec<f32>>())
        };
        let shrink =
            |plane: &Vec<f32>| (0..columns * rows).into_par_iter().map(|n| square(plane, n)).collect();
        let planes = self.planes.iter().map(shrink).collect();
        Planes { width: columns, height: rows, planes, scale: self.scale * factor }
    }
}

/// The mean of as many of the brightest values as a star has pixels.
fn brightest(values: &mut [f32]) -> f32 {
    let count = values.len().min(STAR);
    if values.len() > STAR {
        values.select_nth_unstable_by(STAR - 1, |a, b| b.total_cmp(a));
    }
    values[..count].iter().sum::<f32>() / count.max(1) as f32
}

fn take<T: Copy + Into<u32> + Sync>(pixels: &Array3<T>, mosaic: Option<&Bayer>) -> Planes {
    let (count, height, width) = pixels.dim();
    let pixels = pixels.as_standard_layout();
    let pixels = pixels.as_slice().unwrap_or_default();
    if let (1, Some(mosaic)) = (count, mosaic) {
        let (width, height, full) = (width / 2, height / 2, width);
        let plane = |places: &Vec<Place>| cells(pixels, full, (width, height), places);
        return Planes { width, height, planes: colours(mosaic).iter().map(plane).collect(), scale: 2 };
    }
    let plane = |values: &[T]| values.par_iter().map(|&value| light(value)).collect();
    let planes = pixels.chunks_exact((width * height).max(1)).map(plane).collect();
    Planes { width, height, planes, scale: 1 }
}

/// The mean of those places of each cell.
fn cells<T: Copy + Into<u32> + Sync>(
    pixels: &[T],
    full: usize,
    (width, height): (usize, usize),
    places: &[Place],
) -> Vec<f32> {
    let mut plane = vec![0.0; width * height];
    let share = 1.0 / places.len() as f32;
    plane.par_chunks_mut(width.max(1)).enumerate().for_each(|(row, line)| {
        for &(column, below) in places {
            let from = &pixels[(2 * row + below) * full..][..full];
            for (value, cell) in line.iter_mut().zip(from.chunks_exact(2)) {
                *value += light(cell[column]) * share;
            }
        }
    });
    plane
}

/// The places of red, green and blue in a cell. A mosaic that is not made of these three gives one plane of all four.
fn colours(mosaic: &Bayer) -> Vec<Vec<Place>> {
    let pattern = mosaic.pattern.trim().to_ascii_uppercase();
    let letters = pattern.as_bytes();
    let shift = |place: usize, offset: u32| (place + offset as usize % 2) % 2;
    let letter =
        |(x, y): Place| letters.get(2 * shift(y, mosaic.offset_y) + shift(x, mosaic.offset_x)).copied();
    let all: [Place; 4] = [(0, 0), (1, 0), (0, 1), (1, 1)];
    let places = |colour| all.into_iter().filter(|&place| letter(place) == Some(colour)).collect();
    let found: Vec<Vec<Place>> = [b'R', b'G', b'B'].into_iter().map(places).collect();
    if found.iter().any(Vec::is_empty) { vec![all.to_vec()] } else { found }
}

#[allow(clippy::cast_precision_loss, reason = "24 bits are enough to look at")]
fn light<T: Into<u32>>(value: T) -> f32 {
    value.into() as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two rows of two cells.
    fn pixels() -> Pixels {
        Pixels::U16(Array3::from_shape_vec((1, 2, 4), vec![1, 20, 3, 40, 22, 500, 44, 700]).unwrap())
    }

    fn mosaic(pattern: &str, offset_x: u32, offset_y: u32) -> Bayer {
        Bayer { pattern: pattern.to_owned(), offset_x, offset_y }
    }

    #[test]
    fn every_mosaic_gives_the_colours_that_lie_on_the_pixels() {
        let (corner, green, opposite) = (vec![1.0, 3.0], vec![21.0, 42.0], vec![500.0, 700.0]);
        let check = |mosaic: Bayer, red: &[f32], blue: &[f32]| {
            let planes = Planes::of(&pixels(), Some(&mosaic));
            assert_eq!((planes.width, planes.height, planes.scale), (2, 1, 2));
            assert_eq!(planes.planes, [red.to_vec(), green.clone(), blue.to_vec()], "{mosaic:?}");
        };
        check(mosaic("RGGB", 0, 0), &corner, &opposite);
        check(mosaic("bggr ", 0, 0), &opposite, &corner);
        check(mosaic("GRBG", 1, 0), &corner, &opposite);
        check(mosaic("GBRG", 0, 1), &corner, &opposite);
        check(mosaic("RGGB", 3, 5), &opposite, &corner);
    }

    #[test]
    fn a_mosaic_of_other_colours_gives_its_light_without_colour() {
        let planes = Planes::of(&pixels(), Some(&mosaic("CMYG", 0, 0)));
        assert_eq!(planes.planes, [vec![135.75, 196.75]]);
        assert!(!planes.is_colour());
    }

    #[test]
    fn planes_stay_what_they_are() {
        let colour = Pixels::U8(Array3::from_shape_vec((3, 1, 2), vec![1, 2, 3, 4, 5, 6]).unwrap());
        let planes = Planes::of(&colour, Some(&mosaic("RGGB", 0, 0)));
        assert_eq!(planes.planes, [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
        assert_eq!(planes.luminance(), [9.0, 12.0]);
    }

    #[test]
    fn a_small_picture_fits_and_keeps_its_stars() {
        let planes =
            Planes { width: 5, height: 2, planes: vec![(0u8..10).map(f32::from).collect()], scale: 2 };
        let small = planes.shrunk(3, 9);
        assert_eq!((small.width, small.height, small.scale), (2, 1, 4));
        assert_eq!(small.planes, [[3.0, 5.0]]);
        assert_eq!(planes.shrunk(80, 50), planes);

        let mut sky = Planes { width: 64, height: 32, planes: vec![vec![100.0; 64 * 32]], scale: 1 };
        sky.planes[0][20 * 64 + 40..][..8].fill(900.0);
        let small = sky.shrunk(4, 4);
        assert_eq!((small.width, small.height), (4, 2));
        assert_eq!(small.planes, [[100.0, 100.0, 100.0, 100.0, 100.0, 100.0, 900.0, 100.0]]);
    }

    #[test]
    fn frames_of_any_size_are_taken() {
        for (rows, columns) in [(0, 0), (0, 3), (1, 1), (1, 7), (3, 2)] {
            let pixels = Pixels::U32(Array3::zeros((1, rows, columns)));
            for mosaic in [None, Some(&mosaic("RGGB", 1, 1))] {
                let small = Planes::of(&pixels, mosaic).shrunk(1, 1);
                assert!(small.planes.iter().all(|plane| plane.len() == small.width * small.height));
            }
        }
    }
}
