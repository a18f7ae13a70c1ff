//! Random numbers for pixels: reproducible on any number of threads, and cheap.
//!
//! Every image row owns a generator of its own, so rows may be drawn in any order. Normal deviates come from a
//! table; counts of electrons are exactly Poisson where they are few and normal where nobody could tell.

use std::sync::LazyLock;

use rand::{Rng, RngExt, SeedableRng};
use rand_distr::{Distribution, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;

/// The generator of one row of one frame. Neighbouring numbers give unrelated generators.
pub(super) fn stream(seed: u64, frame: u64, row: u64) -> Xoshiro256PlusPlus {
    let mixed = [seed, frame, row].into_iter().fold(0, |state, word| scramble(state ^ word));
    Xoshiro256PlusPlus::seed_from_u64(mixed)
}

/// Standard normal deviates in a table, standardised so that mean and variance of the table are exactly 0 and 1.
pub(super) struct Normals([f32; NORMALS]);

/// 64 KiB of deviates stay in the second-level cache; the largest is about 4 σ.
const NORMALS: usize = 1 << 14;

impl Normals {
    /// The table, made on first use.
    pub(super) fn table() -> &'static Normals {
        static TABLE: LazyLock<Box<Normals>> = LazyLock::new(|| {
            let mut rng = stream(0, 0, 0);
            let mut values = Box::new(Normals([0.0; NORMALS]));
            values.0.fill_with(|| StandardNormal.sample(&mut rng));
            let count = NORMALS as f32;
            let mean = values.0.iter().sum::<f32>() / count;
            let variance = values.0.iter().map(|z| (z - mean).powi(2)).sum::<f32>() / count;
            values.0.iter_mut().for_each(|z| *z = (*z - mean) / variance.sqrt());
            values
        });
        &TABLE
    }

    /// A deviate; uses the low 14 bits of `bits`.
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "only the low bits count")]
    pub(super) fn pick(&self, bits: u64) -> f32 {
        self.0[bits as usize % NORMALS]
    }
}

/// Means above this take the normal approximation: there a count's skewness is below 0.23, and no deviate of the
/// table is low enough to make a count negative.
const FEW: f32 = 20.0;

/// Counts with one mean that many pixels share, such as the sky's glow.
pub(super) enum Counts {
    /// None at all.
    Zero,
    /// Few: the cumulative distribution in units of 2⁻³², with a guide that says where to begin the search.
    Few { cumulative: Vec<u32>, guide: Box<[u8; 256]> },
    /// Many.
    Many { mean: f32, deviation: f32 },
}

impl Counts {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "32 bits by construction")]
    pub(super) fn new(mean: f32) -> Self {
        if mean <= 0.0 {
            return Counts::Zero;
        }
        if mean > FEW {
            return Counts::Many { mean, deviation: mean.sqrt() };
        }
        let mean = f64::from(mean);
        let mut cumulative = Vec::new();
        let (mut probability, mut sum, mut count) = ((-mean).exp(), 0.0, 0.0);
        loop {
            sum += probability;
            // Saturates at u32::MAX, which ends every search.
            let scaled = (sum * (u64::from(u32::MAX) + 1) as f64) as u32;
            cumulative.push(scaled);
            count += 1.0;
            probability *= mean / count;
            if scaled == u32::MAX || (count > mean && probability < f64::EPSILON) {
                break;
            }
        }
        if let Some(last) = cumulative.last_mut() {
            *last = u32::MAX;
        }
        let mut guide = Box::new([0; 256]);
        for (start, place) in guide.iter_mut().enumerate() {
            let lowest = (start as u32) << 24;
            // At most about 70 entries for a mean of 20.
            *place = cumulative.partition_point(|&c| c < lowest) as u8;
        }
        Counts::Few { cumulative, guide }
    }

    /// A count; uses bits 16 to 31 or 32 to 63 of `bits`, which leaves the low ones to [`Normals::pick`].
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "only these bits count")]
    pub(super) fn draw(&self, normals: &Normals, bits: u64) -> f32 {
        match self {
            Counts::Zero => 0.0,
            Counts::Few { cumulative, guide } => {
                let uniform = (bits >> 32) as u32;
                let mut count = usize::from(guide[(uniform >> 24) as usize]);
                while uniform > cumulative[count] {
                    count += 1;
                }
                count as f32
            }
            Counts::Many { mean, deviation } => mean + deviation * normals.pick(bits >> 16),
        }
    }
}

/// A count with a mean of its own, such as a star's light on one pixel.
#[inline]
pub(super) fn count(mean: f32, normals: &Normals, rng: &mut Xoshiro256PlusPlus) -> f32 {
    if mean > FEW {
        return mean + mean.sqrt() * normals.pick(rng.next_u64() >> 32);
    }
    let uniform: f32 = rng.random();
    // 1 − m ≤ exp(−m): most pixels in a star's wings need no exponential to be dark.
    if uniform <= 1.0 - mean {
        return 0.0;
    }
    let (mut probability, mut count) = ((-mean).exp(), 0.0);
    let mut sum = probability;
    // f32 sums may end just below 1; the bound is far beyond any count of so small a mean.
    while uniform > sum && count < 4.0 * FEW {
        count += 1.0;
        probability *= mean / count;
        sum += probability;
    }
    count
}

/// The finaliser of `SplitMix64` (Steele, Lea and Flood 2014) after one step of its counter.
fn scramble(word: u64) -> u64 {
    let z = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWS: usize = 100_000;

    /// Mean and variance of draws must be those of a Poisson distribution, within five standard errors.
    #[track_caller]
    fn is_poisson(mean: f32, mut draw: impl FnMut() -> f32) {
        let draws: Vec<f64> = (0..DRAWS).map(|_| f64::from(draw())).collect();
        let n = DRAWS as f64;
        let average = draws.iter().sum::<f64>() / n;
        let variance = draws.iter().map(|d| (d - average).powi(2)).sum::<f64>() / n;
        let mean = f64::from(mean);
        assert!((average - mean).abs() < 5.0 * (mean / n).sqrt(), "mean {average} for {mean}");
        let error = ((mean + 2.0 * mean * mean) / n).sqrt();
        assert!((variance - mean).abs() < 5.0 * error, "variance {variance} for {mean}");
    }

    #[test]
    fn counts_are_poisson_below_and_above_the_switch() {
        let normals = Normals::table();
        for mean in [0.003, 0.4, 4.0, 19.9, 20.1, 2000.0] {
            let mut rng = stream(1, 2, 3);
            let counts = Counts::new(mean);
            is_poisson(mean, || counts.draw(normals, rng.next_u64()));
            is_poisson(mean, || count(mean, normals, &mut rng));
        }
        assert!(matches!(Counts::new(0.0), Counts::Zero));
    }

    #[test]
    fn streams_differ_in_every_coordinate_and_repeat() {
        let first = |seed, frame, row| stream(seed, frame, row).next_u64();
        let all = [first(0, 0, 0), first(1, 0, 0), first(0, 1, 0), first(0, 0, 1), first(1, 1, 0)];
        for (i, a) in all.iter().enumerate() {
            assert!(all[..i].iter().all(|b| a != b));
        }
        assert_eq!(first(7, 8, 9), first(7, 8, 9));
    }
}
