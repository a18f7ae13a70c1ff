//! What can be said of the values of a frame: level, noise, extremes, and how often each value occurs.
//!
//! The noise is that between neighbours: from each pixel and those two columns to its left and right, which in a
//! mosaic have the same colour, `2p - l - r` cancels sky, gradient and vignetting, and the median of its size cares
//! little for stars and hot pixels (the estimator of Stoehr et al. 2008, ASP Conf. Ser. 394, 505). The spread of all
//! pixels about their median would be mostly gradient on a real sky.

use ndarray::Array3;
use rayon::prelude::*;

use super::Pixels;

/// How the values of a frame are spread.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// Number of pixels, of all planes.
    pub pixels: u64,
    /// Smallest value, ADU.
    pub minimum: u32,
    /// Largest value, ADU.
    pub maximum: u32,
    /// Mean, ADU.
    pub mean: f64,
    /// The value that half of the pixels do not exceed, ADU.
    pub median: u32,
    /// Standard deviation of the noise of one pixel, ADU; 0 where fewer than 5 columns leave nothing to compare.
    pub noise: f64,
    /// Pixels at or above the level of saturation.
    pub saturated: u64,
    /// How often each value occurs.
    pub histogram: Histogram,
}

/// Counts over the whole range of the container, from 0 to the largest value that it can hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    /// Pixels per bin: 256 of them for 8 bits, else 65536.
    pub counts: Vec<u64>,
    /// Values per bin: 1, but 65536 for 32 bits.
    pub width: u32,
}

/// Most bins of a histogram, as a power of two.
const BIN_BITS: u32 = 16;
/// Differences that are enough for the noise: it is then known to 0.1 %.
const ENOUGH: usize = 1 << 20;
/// Pixels that one thread counts at a time: few enough to share work, many beside the histogram that it needs.
const PORTION: usize = 1 << 20;
/// A normal distribution's standard deviation over the median size of its values.
const SIGMA_PER_MAD: f64 = 1.482_602_2;

impl Statistics {
    /// Of a frame whose pixels count as saturated from the value `full` upwards; none of a frame without pixels.
    #[must_use]
    pub fn of(pixels: &Pixels, full: u32) -> Option<Statistics> {
        match pixels {
            Pixels::U8(a) => statistics(a, 8, full),
            Pixels::U16(a) => statistics(a, 16, full),
            Pixels::U32(a) => statistics(a, 32, full),
        }
    }
}

fn statistics<T: Copy + Into<u32> + Sync>(pixels: &Array3<T>, bits: u32, full: u32) -> Option<Statistics> {
    let columns = pixels.dim().2;
    let pixels = pixels.as_standard_layout();
    let pixels = pixels.as_slice().filter(|pixels| !pixels.is_empty())?;

    let shift = bits.saturating_sub(BIN_BITS);
    let portions = pixels.par_chunks(PORTION);
    let empty = || Tally::new(1 << (bits - shift));
    let tally = portions.fold(empty, |tally, part| tally.with(part, shift, full)).reduce(empty, Tally::and);

    let (bin, rank) = find(&tally.counts, pixels.len() as u64 / 2);
    let median = match shift {
        0 => bin,
        // The bin holds many values: those inside it are counted once more, one by one.
        _ => bin << shift | find(&inside(pixels, shift, bin), rank).0,
    };
    Some(Statistics {
        pixels: pixels.len() as u64,
        minimum: tally.minimum,
        maximum: tally.maximum,
        mean: tally.sum as f64 / pixels.len() as f64,
        median,
        noise: noise(pixels, columns),
        saturated: tally.saturated,
        histogram: Histogram { counts: tally.counts, width: 1 << shift },
    })
}

/// What is counted in one pass.
struct Tally {
    counts: Vec<u64>,
    /// Fits: no memory holds the 2^32 pixels of 2^32 that would be too much.
    sum: u64,
    minimum: u32,
    maximum: u32,
    saturated: u64,
}

impl Tally {
    fn new(bins: usize) -> Tally {
        Tally { counts: vec![0; bins], sum: 0, minimum: u32::MAX, maximum: 0, saturated: 0 }
    }

    fn with<T: Copy + Into<u32>>(mut self, pixels: &[T], shift: u32, full: u32) -> Tally {
        for &pixel in pixels {
            let value: u32 = pixel.into();
            self.counts[(value >> shift) as usize] += 1;
            self.sum += u64::from(value);
            self.minimum = self.minimum.min(value);
            self.maximum = self.maximum.max(value);
            self.saturated += u64::from(value >= full);
        }
        self
    }

    fn and(mut self, other: Tally) -> Tally {
        self.counts.iter_mut().zip(other.counts).for_each(|(count, more)| *count += more);
        Tally {
            counts: self.counts,
            sum: self.sum + other.sum,
            minimum: self.minimum.min(other.minimum),
            maximum: self.maximum.max(other.maximum),
            saturated: self.saturated + other.saturated,
        }
    }
}

/// The bin in which the value of that rank lies, and its rank inside.
fn find(counts: &[u64], mut rank: u64) -> (u32, u64) {
    let mut bin = 0;
    for &count in counts {
        if rank < count {
            break;
        }
        rank -= count;
        bin += 1;
    }
    (bin, rank)
}

/// How often each value of one wide bin occurs.
fn inside<T: Copy + Into<u32>>(pixels: &[T], shift: u32, bin: u32) -> Vec<u64> {
    let mut counts = vec![0; 1 << shift];
    let values = pixels.iter().map(|&pixel| pixel.into()).filter(|value: &u32| value >> shift == bin);
    values.for_each(|value| counts[(value & ((1 << shift) - 1)) as usize] += 1);
    counts
}

fn noise<T: Copy + Into<u32>>(pixels: &[T], columns: usize) -> f64 {
    let per_row = columns.saturating_sub(4);
    if per_row == 0 {
        return 0.0;
    }
    let step = (pixels.len() / columns * per_row / ENOUGH).max(1);
    let mut sizes: Vec<u64> = Vec::with_capacity(ENOUGH.min(pixels.len()) * 2);
    for row in pixels.chunks_exact(columns).step_by(step) {
        let value = |at: usize| u64::from(row[at].into());
        sizes.extend((2..columns - 2).map(|at| (2 * value(at)).abs_diff(value(at - 2) + value(at + 2))));
    }

    let half = sizes.len() / 2;
    let middle = *sizes.select_nth_unstable(half).1;
    let below = sizes.iter().filter(|&&size| size < middle).count();
    let equal = sizes.iter().filter(|&&size| size == middle).count();
    if middle == 0 && equal == sizes.len() {
        return 0.0;
    }
    // The values are whole numbers and the noise is not: those that are equal were spread over one unit.
    let (start, length) = if middle == 0 { (0.0, 0.5) } else { (middle as f64 - 0.5, 1.0) };
    let median = start + length * (half - below) as f64 / equal as f64;
    // The variances of 2p, l and r add up to 6 times that of a pixel.
    SIGMA_PER_MAD / 6.0_f64.sqrt() * median
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_distr::{Distribution, Normal};
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a pixel")]
    fn noisy(sigma: f64, level: impl Fn(usize, usize) -> f64) -> Array3<u16> {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(7);
        let normal = Normal::new(0.0, sigma).unwrap();
        Array3::from_shape_fn((1, 300, 400), |(_, y, x)| {
            (level(x, y) + normal.sample(&mut random)).round() as u16
        })
    }

    fn of(pixels: Array3<u16>) -> Statistics {
        Statistics::of(&Pixels::U16(pixels), u32::from(u16::MAX)).unwrap()
    }

    #[test]
    fn a_few_pixels_by_hand() {
        let pixels = Pixels::U8(Array3::from_shape_vec((1, 1, 5), vec![3, 0, 255, 4, 254]).unwrap());
        let found = Statistics::of(&pixels, 254).unwrap();
        assert_eq!((found.pixels, found.minimum, found.maximum, found.median), (5, 0, 255, 4));
        assert!((found.mean - 103.2).abs() < 1e-9);
        assert_eq!(found.saturated, 2);
        assert_eq!((found.histogram.counts.len(), found.histogram.width), (256, 1));
        assert_eq!([0, 3, 4, 5, 255].map(|value| found.histogram.counts[value]), [1, 1, 1, 0, 1]);
    }

    #[test]
    fn the_median_of_32_bits_is_exact() {
        let values = vec![7, 70_000, 70_001, 70_002, u32::MAX];
        let pixels = Pixels::U32(Array3::from_shape_vec((1, 5, 1), values).unwrap());
        let found = Statistics::of(&pixels, u32::MAX).unwrap();
        assert_eq!((found.median, found.maximum, found.saturated), (70_001, u32::MAX, 1));
        assert_eq!((found.histogram.counts[0], found.histogram.counts[1]), (1, 3));
        assert_eq!(found.histogram.counts[65_535], 1);
    }

    #[test]
    fn noise_is_found_whatever_lies_beneath() {
        let check = |name: &str, sigma: f64, pixels: Array3<u16>| {
            let found = of(pixels).noise;
            assert!((found / sigma - 1.0).abs() < 0.02, "{name}: {found} instead of {sigma}");
        };
        check("even", 12.0, noisy(12.0, |_, _| 1000.0));
        check("gradient", 12.0, noisy(12.0, |x, y| 500.0 + 20.0 * x as f64 + 9.0 * y as f64));
        check("mosaic", 12.0, noisy(12.0, |x, y| [300.0, 900.0, 900.0, 4000.0][y % 2 * 2 + x % 2]));
        check(
            "bright pixels",
            12.0,
            noisy(12.0, |x, y| if (x * 7 + y * 31) % 997 == 0 { 60_000.0 } else { 1000.0 }),
        );
        // Rounding to whole numbers adds 1/12 to the variance.
        check("small", (0.49_f64 + 1.0 / 12.0).sqrt(), noisy(0.7, |_, _| 100.0));
    }

    #[test]
    fn an_even_frame_has_no_noise_and_an_empty_one_no_statistics() {
        let found = of(Array3::from_elem((3, 9, 9), 512));
        assert_eq!((found.noise, found.median, found.minimum, found.maximum), (0.0, 512, 512, 512));
        assert!(of(Array3::from_shape_vec((1, 1, 4), vec![1, 9, 3, 60_000]).unwrap()).noise.abs() < 1e-9);
        assert_eq!(Statistics::of(&Pixels::U16(Array3::zeros((1, 0, 5))), 1), None);
    }

    #[test]
    fn memory_in_any_order_gives_the_same() {
        let pixels = noisy(5.0, |x, _| 100.0 + x as f64);
        let mut turned = Array3::zeros((1, 400, 300)).permuted_axes([0, 2, 1]);
        turned.assign(&pixels);
        assert!(!turned.is_standard_layout());
        assert_eq!(of(turned), of(pixels));
    }
}
