//! Stars that no catalogue here has: as many as there are, where nobody looks one by one.
//!
//! Every tile draws all its stars from the seed, and leaves out as many of the brightest as the catalogue has there.
//! So the catalogue goes over into them wherever it ends, and they stand where they stand whatever the telescope does.

use rand::RngExt;

use super::super::noise;
use super::tile::{Direction, Tile, direction};

/// Magnitude of the faintest star of the sky.
pub(super) const FAINTEST: f64 = 16.5;

/// Decimal logarithm of the number of stars per square degree that are brighter than a magnitude, by galactic
/// latitude. The mean over the sky is what Tycho-2 and UCAC4 count. The concentration to the Milky Way is Tycho-2's
/// at magnitudes 6 and 11, and at 16 that of Bahcall and Soneira 1980, who do not go below 20 degrees: there the mean
/// sets it.
const COUNTS: [[f64; LATITUDES.len()]; 13] = [
    [-1.15, -1.25, -1.32, -1.42, -1.51, -1.53, -1.54],
    [-0.67, -0.77, -0.84, -0.93, -1.02, -1.05, -1.06],
    [-0.15, -0.26, -0.35, -0.45, -0.55, -0.59, -0.61],
    [0.34, 0.23, 0.12, 0.01, -0.09, -0.15, -0.18],
    [0.82, 0.70, 0.58, 0.46, 0.35, 0.28, 0.24],
    [1.28, 1.15, 1.02, 0.89, 0.77, 0.69, 0.64],
    [1.74, 1.60, 1.46, 1.32, 1.19, 1.09, 1.04],
    [2.27, 2.10, 1.90, 1.72, 1.57, 1.45, 1.38],
    [2.74, 2.53, 2.27, 2.06, 1.87, 1.75, 1.67],
    [3.17, 2.92, 2.62, 2.37, 2.15, 2.01, 1.92],
    [3.59, 3.30, 2.94, 2.66, 2.41, 2.26, 2.15],
    [3.99, 3.67, 3.26, 2.94, 2.66, 2.49, 2.38],
    [4.38, 4.02, 3.56, 3.19, 2.89, 2.71, 2.58],
];
/// Of the first line; the others follow one by one.
const FIRST_MAGNITUDE: f64 = 5.0;
/// Degrees.
const LATITUDES: [f64; 7] = [0.0, 10.0, 20.0, 30.0, 45.0, 60.0, 90.0];
/// The north pole of the Milky Way on the axes of J2000.
const GALACTIC_POLE: Direction = [-0.867_666, -0.198_076, 0.455_984];
/// Tells these random numbers from those of frames.
const STREAM: u64 = u64::MAX - 1;

/// A star of the seed.
pub(super) struct Star<P> {
    /// What was asked of its direction.
    pub(super) place: P,
    pub(super) magnitude: f32,
    /// Evenly between 0 and 1.
    pub(super) colour: f32,
}

/// The stars of a tile that are brighter than `limit`, without the `known` brightest; only those that `place` finds a
/// place for.
pub(super) fn stars<P>(
    seed: u64,
    tile: Tile,
    known: usize,
    limit: f64,
    place: impl Fn(Direction) -> Option<P>,
) -> impl Iterator<Item = Star<P>> {
    let counts = Counts::at(latitude(tile));
    let deepest = tile.area() * counts.brighter(FAINTEST);
    // What is left after `limit`, as a share.
    let share = (tile.area() * counts.brighter(limit) / deepest).min(1.0);
    let mut rng = noise::stream(seed, STREAM, (u64::from(tile.band) << 32) | u64::from(tile.cell));
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few thousand")]
    let number = (deepest + rng.random::<f64>()) as usize;
    let mut drawn = Vec::new();
    for _ in 0..number {
        // All of them are drawn, so that nobody moves when the limit does.
        let star: [f64; 4] = std::array::from_fn(|_| rng.random());
        if star[0] <= share {
            drawn.push(star);
        }
    }
    let brightest = nth(drawn.iter().map(|[rank, ..]| *rank).collect(), known);
    let ((west, east), (low, high)) = (tile.ra(), tile.heights());
    let faint = drawn.into_iter().filter(move |[rank, ..]| *rank >= brightest);
    faint.filter_map(move |[rank, ra, height, colour]| {
        // Where the sphere is cut by sines of declination, all of it is equally likely.
        let place = place(direction(west + ra * (east - west), low + height * (high - low)))?;
        #[allow(clippy::cast_possible_truncation, reason = "seven digits are enough")]
        let (magnitude, colour) = (counts.magnitude(rank * deepest / tile.area()) as f32, colour as f32);
        Some(Star { place, magnitude, colour })
    })
}

/// The value that `n` others are below; infinite when there are no more than `n`.
fn nth(mut values: Vec<f64>, n: usize) -> f64 {
    if n < values.len() { *values.select_nth_unstable_by(n, f64::total_cmp).1 } else { f64::INFINITY }
}

/// Degrees off the Milky Way.
fn latitude(tile: Tile) -> f64 {
    let sine: f64 = tile.middle().iter().zip(GALACTIC_POLE).map(|(a, b)| a * b).sum();
    libm::asin(sine.clamp(-1.0, 1.0)).to_degrees().abs()
}

/// Logarithms of the counts at one latitude.
#[derive(Clone, Copy)]
struct Counts([f64; COUNTS.len()]);

impl Counts {
    fn at(latitude: f64) -> Counts {
        let right =
            LATITUDES.iter().position(|other| *other >= latitude).unwrap_or(LATITUDES.len() - 1).max(1);
        let share = (latitude - LATITUDES[right - 1]) / (LATITUDES[right] - LATITUDES[right - 1]);
        Counts(COUNTS.map(|line| line[right - 1] + share * (line[right] - line[right - 1])))
    }

    /// Stars per square degree brighter than a magnitude.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    fn brighter(self, magnitude: f64) -> f64 {
        let place = (magnitude - FIRST_MAGNITUDE).clamp(0.0, (COUNTS.len() - 1) as f64 - 1e-9);
        let (line, share) = (place as usize, place.fract());
        libm::exp10(self.0[line] + share * (self.0[line + 1] - self.0[line]))
    }

    /// The magnitude to which there are so many per square degree.
    fn magnitude(self, brighter: f64) -> f64 {
        let log = libm::log10(brighter).max(self.0[0]);
        let line = self.0.partition_point(|other| *other <= log).clamp(1, COUNTS.len() - 1);
        let share = (log - self.0[line - 1]) / (self.0[line] - self.0[line - 1]);
        FIRST_MAGNITUDE + (line - 1) as f64 + share
    }
}

#[cfg(test)]
mod tests {
    use super::super::tile::around;
    use super::*;

    fn tile(ra: f64, dec: f64) -> Tile {
        around(ra, dec, 0.001)[0]
    }

    fn stars(seed: u64, tile: Tile, known: usize, limit: f64) -> impl Iterator<Item = Star<Direction>> {
        super::stars(seed, tile, known, limit, Some)
    }

    #[test]
    fn there_are_as_many_stars_as_in_the_sky() {
        // The mean over the sphere by Tycho-2 and UCAC4: 417 per square degree to 14, 2 155 to 16.
        for (limit, mean) in [(10.0, 9.28), (12.0, 71.7), (14.0, 417.3), (16.0, 2154.9)] {
            let (mut number, mut area) = (0.0, 0.0);
            for tile in around(0.0, 0.0, 90.0).into_iter().step_by(197) {
                number += stars(1, tile, 0, limit).count() as f64;
                area += tile.area();
            }
            assert!((number / area / mean - 1.0).abs() < 0.15, "{} to {limit}, not {mean}", number / area);
        }
        let density = |ra, dec| stars(1, tile(ra, dec), 0, 16.0).count() as f64 / tile(ra, dec).area();
        // The pole of the Milky Way, and its middle.
        assert!((200.0..300.0).contains(&density(192.86, 27.13)), "{}", density(192.86, 27.13));
        assert!((8_000.0..11_000.0).contains(&density(266.4, -28.9)), "{}", density(266.4, -28.9));
    }

    #[test]
    fn a_limit_and_a_catalogue_take_stars_away_and_move_none() {
        let there = tile(100.0, 40.0);
        let places = |known, limit: f64| {
            let all = stars(7, there, known, limit);
            all.map(|star| (star.magnitude, star.place.map(f64::to_bits))).collect::<Vec<_>>()
        };
        let mut all = places(0, 16.5);
        let bright: Vec<_> = all.iter().filter(|(magnitude, _)| *magnitude < 13.0).copied().collect();
        assert!(bright.len() > 50);
        assert_eq!(places(0, 13.0), bright);
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut faint = places(9, 16.5);
        faint.sort_by(|a, b| a.0.total_cmp(&b.0));
        assert_eq!(faint, all[9..]);
        assert!(faint[0].0 > 8.5, "magnitude {} beside a catalogue of nine stars", faint[0].0);
        assert_eq!(places(1_000_000, 16.5), []);
        assert_ne!(
            stars(8, there, 0, 16.5).next().unwrap().magnitude.to_bits(),
            places(0, 16.5)[0].0.to_bits()
        );
    }

    #[test]
    fn stars_stay_in_their_tile() {
        for there in [tile(0.0, -89.9), tile(359.9, 30.0)] {
            let ((west, east), (low, high)) = (there.ra(), there.heights());
            for Star { place: [x, y, z], .. } in stars(1, there, 0, 16.5) {
                let turn = (libm::atan2(y, x) / std::f64::consts::TAU).rem_euclid(1.0);
                assert!((west - 1e-9..east + 1e-9).contains(&turn) && (low..=high).contains(&z));
            }
        }
    }
}
