//! What sums over 3×3 pixels are where there is no star: level and noise, measured in tiles and interpolated.

use rayon::prelude::*;

/// Tiles are at least this wide and high, in pixels; smaller fields are one tile.
const TILE: usize = 64;
/// Sums that share no pixel.
const STRIDE: usize = 3;
/// What is farther from the middle than this many standard deviations is no sky.
const CLIP: f32 = 3.0;
/// What clipping there leaves of the standard deviation of a normal distribution.
const CLIPPED: f32 = 0.9866;
/// A normal distribution's standard deviation over the median distance from its median.
const SIGMA_PER_MAD: f32 = 1.4826;
/// A sum of whole numbers is not known better than this.
const LEAST_NOISE: f32 = 1.0;
/// Nor is a large one in 24 bits.
const LEAST_SHARE: f32 = 1e-6;

/// The sky, as sums over 3×3 pixels.
pub(super) struct Sky {
    width: usize,
    height: usize,
    columns: usize,
    rows: usize,
    /// Level and noise of each tile, row by row.
    tiles: Vec<[f32; 2]>,
}

/// The sum over 3×3 pixels about that one, which is not on the edge.
pub(super) fn sum(values: &[f32], width: usize, x: usize, y: usize) -> f32 {
    (y - 1..=y + 1).map(|row| values[row * width + x - 1..][..3].iter().sum::<f32>()).sum()
}

impl Sky {
    pub(super) fn measure(values: &[f32], width: usize, height: usize) -> Sky {
        let (columns, rows) = ((width / TILE).max(1), (height / TILE).max(1));
        let tile = |n: usize| {
            let (column, row) = (n % columns, n / columns);
            let inner = |n: usize, parts: usize, length: usize| {
                (n * length / parts + 1..(n + 1) * length / parts - 1).step_by(STRIDE)
            };
            let ys = inner(row, rows, height);
            let at = |y| inner(column, columns, width).map(move |x| sum(values, width, x, y));
            sky_of(&mut ys.flat_map(at).collect::<Vec<f32>>())
        };
        let tiles = (0..columns * rows).into_par_iter().map(tile).collect();
        Sky { width, height, columns, rows, tiles }
    }

    /// For each pixel of a row the sum that is `sigmas` above the sky.
    pub(super) fn limits(&self, y: usize, sigmas: f32) -> Vec<f32> {
        let line = self.line(y);
        (0..self.width).map(|x| self.between(&line, x)).map(|[level, noise]| level + sigmas * noise).collect()
    }

    /// Level on one pixel.
    pub(super) fn level(&self, x: usize, y: usize) -> f32 {
        self.between(&self.line(y), x)[0] / 9.0
    }

    /// Noise of one pixel, if its neighbours have theirs of their own.
    pub(super) fn noise(&self, x: usize, y: usize) -> f32 {
        self.between(&self.line(y), x)[1] / 3.0
    }

    /// The tiles of a row, interpolated between the two rows of tiles about it.
    fn line(&self, y: usize) -> Vec<[f32; 2]> {
        let (row, part) = place(y, self.height, self.rows);
        let next = (row + 1).min(self.rows - 1);
        let column = |n| mix(self.tiles[row * self.columns + n], self.tiles[next * self.columns + n], part);
        (0..self.columns).map(column).collect()
    }

    fn between(&self, line: &[[f32; 2]], x: usize) -> [f32; 2] {
        let (column, part) = place(x, self.width, self.columns);
        mix(line[column], line[(column + 1).min(self.columns - 1)], part)
    }
}

/// The tile whose centre comes before a pixel, and how far the pixel is on the way to the next one. Before the
/// first centre and after the last one the tile goes on as it is.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the tiles")]
fn place(at: usize, length: usize, tiles: usize) -> (usize, f32) {
    let exact = (at as f32 + 0.5) * tiles as f32 / length as f32 - 0.5;
    let exact = exact.clamp(0.0, (tiles - 1) as f32);
    (exact as usize, exact.fract())
}

fn mix(a: [f32; 2], b: [f32; 2], part: f32) -> [f32; 2] {
    [a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part]
}

/// Level and noise of sums of which less than half are stars.
fn sky_of(sums: &mut [f32]) -> [f32; 2] {
    let middle = median(sums);
    let mut distances: Vec<f32> = sums.iter().map(|sum| (sum - middle).abs()).collect();
    let least = LEAST_NOISE.max(middle.abs() * LEAST_SHARE);
    let reach = CLIP * (SIGMA_PER_MAD * median(&mut distances)).max(least);
    // Means of what is near the middle: medians of whole numbers are too coarse where there is little noise.
    let near: Vec<f32> = sums.iter().map(|sum| sum - middle).filter(|offset| offset.abs() <= reach).collect();
    let count = near.len().max(1) as f32;
    let mean = near.iter().sum::<f32>() / count;
    let variance = near.iter().map(|offset| (offset - mean).powi(2)).sum::<f32>() / count;
    [middle + mean, (variance.sqrt() / CLIPPED).max(least)]
}

fn median(values: &mut [f32]) -> f32 {
    match values.len() {
        0 => 0.0,
        many => *values.select_nth_unstable_by(many / 2, f32::total_cmp).1,
    }
}
