//! How many electrons there are when so many are to be expected: shot noise.
//!
//! Means below [`FEW`] are drawn exactly: the sum of two counts is a count of the sum of their means, so the bulk comes
//! from a table of distributions and the rest, which is almost always nothing, is drawn on top. Above, the normal
//! approximation with its first correction (Cornish and Fisher 1938) is closer to a count than any image can tell.

use std::sync::LazyLock;

use super::noise::{Normals, PICKED};

/// Means from here on take the approximation.
const FEW: f32 = 16.0;
/// Means below this need no table.
const SPARSE: f32 = 1.0 / 16.0;
/// Bits by which a mean, as the number that its bits are, is more than the number of its distribution: there are 64 of
/// them on each doubling of the mean, so the rest is below 1/64 of it.
const COARSER: u32 = 17;
/// Distributions in the table.
const TABLES: u32 = (FEW.to_bits() - SPARSE.to_bits()) >> COARSER;
/// Counts of which each distribution knows the probability; beyond, it is far below 2⁻²⁴.
const COUNTS: usize = 64;
/// What a 24 bit random number is multiplied by to be below 1.
const UNIT_24: f32 = 1.0 / 16_777_216.0;
/// The same for 16 bits.
const UNIT_16: f32 = 1.0 / 65_536.0;
/// Added and taken off again, it leaves the nearest whole number of anything between 0 and 4 million.
pub(super) const WHOLE: f32 = 8_388_608.0;

/// Draws counts. One random number of 64 bits serves one pixel: its low [`PICKED`] bits are left alone, for the read
/// noise.
pub(super) struct Poisson {
    normals: &'static Normals,
    table: &'static [Distribution],
}

/// The counts of one mean, as A. J. Walker (1977) arranged them: each of [`COUNTS`] places, which are equally likely,
/// belongs to a count up to some share of it, and beyond to another one. So there is nothing to search.
struct Distribution {
    mean: f32,
    /// For each place the share in units of 2⁻¹⁸ and, in the low 6 bits, the other count.
    places: [u32; COUNTS],
}

impl Poisson {
    pub(super) fn new() -> Self {
        static TABLE: LazyLock<Vec<Distribution>> =
            LazyLock::new(|| (0..TABLES).map(Distribution::numbered).collect());
        Poisson { normals: Normals::table(), table: &TABLE }
    }

    /// Counts of these means, which are not negative, each from its own random number.
    pub(super) fn draw_all(&self, means: &[f32], bits: &[u64], counts: &mut [f32]) {
        // Counted in full, which goes faster than stopping at the first one.
        if means.iter().filter(|mean| **mean < FEW).count() > 0 {
            for ((count, mean), bits) in counts.iter_mut().zip(means).zip(bits) {
                *count = self.draw(*mean, *bits);
            }
            return;
        }
        // In two steps: what is looked up is done one by one, what is calculated in vectors.
        for (count, bits) in counts.iter_mut().zip(bits) {
            *count = self.deviate(*bits);
        }
        for (count, mean) in counts.iter_mut().zip(means) {
            *count = many(*mean, *count);
        }
    }

    /// A count of that mean.
    #[inline]
    pub(super) fn draw(&self, mean: f32, bits: u64) -> f32 {
        if mean >= FEW {
            many(mean, self.deviate(bits))
        } else if mean >= SPARSE {
            self.few(mean, bits >> PICKED)
        } else {
            rest(mean, (bits >> 40) as f32 * UNIT_24)
        }
    }

    #[inline]
    fn deviate(&self, bits: u64) -> f32 {
        self.normals.pick(bits >> 40)
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "only these bits count")]
    fn few(&self, mean: f32, bits: u64) -> f32 {
        let distribution = (mean.to_bits() - SPARSE.to_bits()) >> COARSER;
        let Distribution { mean: bulk, places } = &self.table[(distribution % TABLES) as usize];
        let number = (bits >> 34) as u32 % COUNTS as u32;
        let place = places[number as usize];
        // Without a branch: no processor could foresee which way it goes.
        let own = u32::from((bits >> 16) as u32 % (1 << 18) < place >> 6).wrapping_neg();
        let count = (number & own) | ((place % COUNTS as u32) & !own);
        count as f32 + rest(mean - bulk, (bits & 0xffff) as f32 * UNIT_16)
    }
}

/// A count of a large mean, from a normal deviate.
#[inline]
fn many(mean: f32, z: f32) -> f32 {
    let count = mean + mean.sqrt() * z + (z * z - 1.0) * (1.0 / 6.0);
    // The lowest deviate gives a negative one now and then.
    (count.max(0.0) + WHOLE) - WHOLE
}

/// A count of a small mean, from a random number below 1.
#[inline]
fn rest(mean: f32, uniform: f32) -> f32 {
    // 1 − m ≤ exp(−m): most need no exponential to be nothing.
    if uniform < 1.0 - mean { 0.0 } else { rest_in_full(mean, uniform) }
}

#[cold]
fn rest_in_full(mean: f32, uniform: f32) -> f32 {
    let mut probability = libm::expf(-mean);
    let (mut sum, mut count) = (probability, 0.0);
    // Sums may end just below 1; the bound is beyond any count of so small a mean.
    while uniform >= sum && count < 16.0 {
        count += 1.0;
        probability *= mean / count;
        sum += probability;
    }
    count
}

impl Distribution {
    fn numbered(number: u32) -> Self {
        let mean = f32::from_bits(SPARSE.to_bits() + (number << COARSER));
        let mut left = [0.0; COUNTS];
        let mut probability = libm::exp(-f64::from(mean));
        for (count, left) in (1_u32..).zip(&mut left) {
            // As shares of one place.
            *left = probability * COUNTS as f64;
            probability *= f64::from(mean) / f64::from(count);
        }
        Distribution { mean, places: arrange(left) }
    }
}

/// Fills the places: whoever has too little for one gives all of it and is topped up by one who has too much.
fn arrange(mut left: [f64; COUNTS]) -> [u32; COUNTS] {
    let (mut poor, mut rich): (Vec<usize>, Vec<usize>) = (0..COUNTS).partition(|&count| left[count] < 1.0);
    let mut places: [u32; COUNTS] = std::array::from_fn(|count| packed(1.0, count));
    while let (Some(small), Some(&large)) = (poor.pop(), rich.last()) {
        places[small] = packed(left[small], large);
        left[large] -= 1.0 - left[small];
        if left[large] < 1.0 {
            rich.pop();
            poor.push(large);
        }
    }
    places
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "18 bits and one, and 6 bits")]
fn packed(share: f64, other: usize) -> u32 {
    let share = (share * f64::from(1 << 18) + 0.5) as u32;
    share << 6 | other as u32
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::super::noise::stream;
    use super::*;

    const DRAWS: usize = 200_000;

    /// Mean, variance and skewness of counts, each within five standard errors.
    #[track_caller]
    fn is_poisson(mean: f32) {
        let (poisson, mut rng) = (Poisson::new(), stream(1, 2, 3));
        let draws: Vec<f64> = (0..DRAWS).map(|_| f64::from(poisson.draw(mean, rng.next_u64()))).collect();
        let n = DRAWS as f64;
        let moment = |power: i32, about: f64| draws.iter().map(|d| (d - about).powi(power)).sum::<f64>() / n;
        let mean = f64::from(mean);
        let average = moment(1, 0.0);
        assert!((average - mean).abs() < 5.0 * (mean / n).sqrt(), "mean {average} for {mean}");
        let variance = moment(2, mean);
        let error = ((mean + 2.0 * mean * mean) / n).sqrt();
        assert!((variance - mean).abs() < 5.0 * error, "variance {variance} for {mean}");
        let third = moment(3, mean);
        let error = ((15.0 * mean.powi(3) + 25.0 * mean * mean + mean) / n).sqrt();
        assert!((third - mean).abs() < 5.0 * error, "third moment {third} for {mean}");
        assert!(draws.iter().all(|d| d.fract() == 0.0 && *d >= 0.0), "counts are whole");
    }

    #[test]
    fn counts_are_poisson_in_every_range() {
        for mean in [0.003, 0.0624, 0.0626, 0.4, 1.0, 4.0, 9.7, 15.9, 16.1, 40.0, 2000.0] {
            is_poisson(mean);
        }
        assert!((Poisson::new().draw(0.0, u64::MAX)).abs() < f32::EPSILON);
    }

    #[test]
    fn a_count_of_few_has_the_probabilities_of_the_text_books() {
        let (poisson, mut rng) = (Poisson::new(), stream(4, 5, 6));
        let mut seen = [0_u32; 64];
        for _ in 0..DRAWS {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
            let count = poisson.draw(3.3, rng.next_u64()) as usize;
            seen[count] += 1;
        }
        let mut probability = (-3.3_f64).exp();
        for (count, seen) in (0_u32..).zip(seen).take(12) {
            let expected = probability * DRAWS as f64;
            assert!((f64::from(seen) - expected).abs() < 5.0 * expected.sqrt(), "{seen} of {count}");
            probability *= 3.3 / f64::from(count + 1);
        }
    }
}
