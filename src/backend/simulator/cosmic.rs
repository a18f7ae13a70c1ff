//! Cosmic rays: muons that cross the sensor, with the shutter open or closed, and leave a track of charge.

use rand::Rng;
use rand_xoshiro::Xoshiro256PlusPlus;

use super::noise;
use super::poisson::Poisson;

/// Silicon in which charge is collected, µm.
const DEPTH: f32 = 8.0;
/// What a muon leaves on its way at least, e⁻/µm (about 80 on average).
const CHARGE: f32 = 60.0;
/// The rare hard collisions leave up to so many times as much.
const HARDEST: f32 = 20.0;
/// A track is never longer, pixels.
const LONGEST: f32 = 200.0;
/// The row of a frame's generator that no sensor has.
const ROW: u64 = u64::MAX;

/// Charge on one pixel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Hit {
    pub(super) x: u32,
    pub(super) y: u32,
    /// e⁻.
    pub(super) charge: f32,
}

/// Where rays fall: pixels of `pixel_size` µm.
pub(super) struct Target {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) pixel_size: f32,
}

impl Target {
    /// The hits of one frame by row, when so many rays are to be expected on the whole sensor.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
    pub(super) fn hits(&self, seed: u64, frame: u64, expected: f32) -> Vec<Hit> {
        if expected <= 0.0 {
            return Vec::new();
        }
        let mut rng = noise::stream(seed, frame, ROW);
        let rays = Poisson::new().draw(expected, rng.next_u64()) as usize;
        let mut hits = Vec::new();
        for _ in 0..rays {
            self.track(&mut rng, &mut hits);
        }
        hits.sort_by_key(|hit| (hit.y, hit.x));
        hits
    }

    /// One ray from anywhere: the flux falls with the square of the cosine of its distance from the zenith, and what
    /// a level sensor sees of it with one cosine more.
    fn track(&self, rng: &mut Xoshiro256PlusPlus, hits: &mut Vec<Hit>) {
        let mut x = noise::uniform(rng) * self.width as f32;
        let mut y = noise::uniform(rng) * self.height as f32;
        let cosine = noise::uniform(rng).max(1e-4).sqrt().sqrt();
        let (sine_az, cosine_az) = libm::sincosf(noise::uniform(rng) * std::f32::consts::TAU);
        let hardness = (1.0 / noise::uniform(rng).max(1.0 / HARDEST)).min(HARDEST);
        let charge = CHARGE * (1.0 + 0.1 * hardness) * DEPTH / cosine;
        let length = (DEPTH * (1.0 / (cosine * cosine) - 1.0).sqrt() / self.pixel_size).min(LONGEST);
        let steps = (2.0 * length).floor() + 1.0;
        let mut step = 0.0;
        while step < steps {
            // Float casts saturate: what leaves at the left is 0, and is not counted twice.
            if x >= 0.0 && y >= 0.0 && x < self.width as f32 && y < self.height as f32 {
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "on the sensor")]
                hits.push(Hit { x: x as u32, y: y as u32, charge: charge / steps });
            }
            x += cosine_az * length / steps;
            y += sine_az * length / steps;
            step += 1.0;
        }
    }
}

/// The hits on rows `from` to before `to`.
pub(super) fn on_rows(hits: &[Hit], from: u32, to: u32) -> &[Hit] {
    let place = |row| hits.partition_point(|hit| hit.y < row);
    &hits[place(from)..place(to)]
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: Target = Target { width: 300, height: 200, pixel_size: 4.0 };

    #[test]
    fn rays_leave_tracks_of_hundreds_of_electrons_anywhere_on_the_sensor() {
        let hits = TARGET.hits(1, 2, 1000.0);
        assert!(hits.is_sorted_by_key(|hit| hit.y));
        assert!(hits.iter().all(|hit| hit.x < 300 && hit.y < 200 && hit.charge > 0.0));
        let total: f32 = hits.iter().map(|hit| hit.charge).sum();
        assert!((500.0..1500.0).contains(&(total / 1000.0)), "{} e⁻ per ray", total / 1000.0);
        let upper = on_rows(&hits, 0, 100).len() as f32 / hits.len() as f32;
        assert!((0.4..0.6).contains(&upper), "{upper} in the upper half");
        assert_eq!(on_rows(&hits, 0, 200), hits);
    }

    #[test]
    fn another_frame_has_other_rays_and_no_rate_none() {
        assert_eq!(TARGET.hits(1, 2, 20.0), TARGET.hits(1, 2, 20.0));
        assert_ne!(TARGET.hits(1, 2, 20.0), TARGET.hits(1, 3, 20.0));
        assert_eq!(TARGET.hits(1, 2, 0.0), []);
    }
}
