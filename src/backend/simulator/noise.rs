//! Random numbers for pixels: reproducible on any machine and any number of threads, and cheap.
//!
//! Every sensor row of every frame owns a generator of its own, so rows may be drawn in any order. Normal deviates come
//! from a table that is made without the platform's mathematics, which differs in its last digits from one to the next.

use std::sync::LazyLock;

use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// In place of the number of a frame: what belongs to the sensor and not to any frame.
pub(super) const NO_FRAME: u64 = u64::MAX;
/// The same for the rows' own offsets, by row.
pub(super) const ROW_OFFSETS: u64 = u64::MAX - 1;
/// The same for the hot pixels, by row.
pub(super) const HOT_PIXELS: u64 = u64::MAX - 2;

/// The generator of one row of one frame. Neighbouring numbers give unrelated generators.
pub(super) fn stream(seed: u64, frame: u64, row: u64) -> Xoshiro256PlusPlus {
    let mixed = [seed, frame, row].into_iter().fold(0, |state, word| scramble(state ^ word));
    Xoshiro256PlusPlus::seed_from_u64(mixed)
}

/// A number from 0 to just below 1, in steps that an `f32` holds exactly.
pub(super) fn uniform(rng: &mut Xoshiro256PlusPlus) -> f32 {
    (rng.next_u64() >> 40) as f32 * (1.0 / 16_777_216.0)
}

/// Standard normal deviates: one of a table and one of another, weighted so that their sum is normal again. The
/// largest is about 5 σ, and there are sixteen million of them in what fits the first-level cache.
pub(super) struct Normals {
    coarse: [f32; NORMALS],
    fine: [f32; NORMALS],
}

/// 16 KiB for each of the two.
const NORMALS: usize = 1 << 12;
/// Bits of a random number that [`Normals::pick`] uses.
pub(super) const PICKED: u32 = 24;

impl Normals {
    /// The table, made on first use.
    pub(super) fn table() -> &'static Normals {
        static TABLE: LazyLock<Box<Normals>> = LazyLock::new(|| {
            let quantiles: Vec<f64> =
                (0..NORMALS).map(|i| quantile((i as f64 + 0.5) / NORMALS as f64)).collect();
            let variance = quantiles.iter().map(|z| z * z).sum::<f64>() / NORMALS as f64;
            let scaled = |weight: f64| {
                let scale = weight / variance.sqrt();
                #[allow(clippy::cast_possible_truncation, reason = "a handful of σ")]
                std::array::from_fn(|i| (quantiles[i] * scale) as f32)
            };
            // 0.8² + 0.6² = 1.
            Box::new(Normals { coarse: scaled(0.8), fine: scaled(0.6) })
        });
        &TABLE
    }

    /// A deviate; uses the low [`PICKED`] bits of `bits`.
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "only the low bits count")]
    pub(super) fn pick(&self, bits: u64) -> f32 {
        self.coarse[bits as usize % NORMALS] + self.fine[(bits >> 12) as usize % NORMALS]
    }
}

/// The deviate below which that share of a normal distribution lies, by the rational approximation of P. J. Acklam
/// (relative error below 1.2 × 10⁻⁹).
fn quantile(share: f64) -> f64 {
    const TAIL: f64 = 0.02425;
    if share > 0.5 {
        return -quantile(1.0 - share);
    }
    if share < TAIL {
        let q = (-2.0 * libm::log(share)).sqrt();
        let above =
            ((((-7.784_894_002_430_293e-3 * q - 3.223_964_580_411_365e-1) * q - 2.400_758_277_161_838) * q
                - 2.549_732_539_343_734)
                * q
                + 4.374_664_141_464_968)
                * q
                + 2.938_163_982_698_783;
        let below = (((7.784_695_709_041_462e-3 * q + 3.224_671_290_700_398e-1) * q + 2.445_134_137_142_996)
            * q
            + 3.754_408_661_907_416)
            * q
            + 1.0;
        return above / below;
    }
    let q = share - 0.5;
    let r = q * q;
    let above =
        (((((-3.969_683_028_665_376e1 * r + 2.209_460_984_245_205e2) * r - 2.759_285_104_469_687e2) * r
            + 1.383_577_518_672_69e2)
            * r
            - 3.066_479_806_614_716e1)
            * r
            + 2.506_628_277_459_239)
            * q;
    let below = ((((-5.447_609_879_822_406e1 * r + 1.615_858_368_580_409e2) * r - 1.556_989_798_598_866e2)
        * r
        + 6.680_131_188_771_972e1)
        * r
        - 1.328_068_155_288_572e1)
        * r
        + 1.0;
    above / below
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

    #[test]
    fn quantiles_are_those_of_the_normal_distribution() {
        for (share, deviate) in [
            (0.5, 0.0),
            (0.841_344_746_068_543, 1.0),
            (0.977_249_868_051_821, 2.0),
            (0.001_349_898_031_630_09, -3.0),
            (3.167_124_183_311_99e-5, -4.0),
        ] {
            assert!((quantile(share) - deviate).abs() < 1e-7, "{} for {share}", quantile(share));
        }
    }

    #[test]
    fn deviates_have_the_moments_of_a_normal_distribution() {
        let (normals, mut rng) = (Normals::table(), stream(1, 2, 3));
        let draws: Vec<f64> = (0..400_000).map(|_| f64::from(normals.pick(rng.next_u64()))).collect();
        let moment = |power| draws.iter().map(|z| z.powi(power)).sum::<f64>() / draws.len() as f64;
        // Within four standard errors.
        for (power, expected, error) in [(1, 0.0, 0.0063), (2, 1.0, 0.009), (3, 0.0, 0.025), (4, 3.0, 0.062)]
        {
            assert!((moment(power) - expected).abs() < error, "moment {power} is {}", moment(power));
        }
        let beyond = |z: f64| draws.iter().filter(|d| d.abs() > z).count();
        assert!((900..1260).contains(&beyond(3.0)), "{} beyond 3 σ", beyond(3.0));
        assert!((5..50).contains(&beyond(4.0)), "{} beyond 4 σ", beyond(4.0));
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
