//! What a telescope and the air make of a point of light, as a function of the distance from it.
//!
//! In focus it is a Moffat profile (Moffat 1969) with the exponent 3, which suits the air over amateurs' sites, and a
//! wide faint halo of scattered light (King 1971), by which bright stars look big. Both are powers of fractions, equal
//! to the last bit on every machine. Out of focus each point becomes an even disc, as wide as the cone of light is
//! where the sensor cuts it.

use std::f64::consts::PI;

/// Width of the core at half maximum, in units of its scale.
const WIDTH: f64 = 1.019_648;
/// Share of the light in the halo.
const HALO: f64 = 0.02;
/// The halo's scale in units of the core's.
const HALO_SCALE: f64 = 8.0;
/// Steps of the table of a defocused profile.
const STEPS: usize = 256;
/// Rings around a point that are tried for how much of them lies in the disc.
const RINGS: usize = 160;

/// The share of a star's light per square pixel; distances in pixels.
pub(super) struct Profile {
    /// Squares of the scales of core and halo, inverted.
    core: f64,
    halo: f64,
    disc: Option<Disc>,
}

/// A defocused star near its middle.
struct Disc {
    /// Distance between the table's entries.
    step: f64,
    light: Vec<f64>,
    /// Light within the distance of each entry.
    within: Vec<f64>,
}

impl Profile {
    /// A star whose core is `width` pixels wide at half maximum, out of focus by a disc of that `radius`.
    pub(super) fn new(width: f64, radius: f64) -> Self {
        let scale = width / WIDTH;
        let focused = Profile {
            core: 1.0 / (scale * scale),
            halo: 1.0 / (scale * scale * HALO_SCALE * HALO_SCALE),
            disc: None,
        };
        // A disc much smaller than the core cannot be seen.
        let disc = (radius > width / 16.0).then(|| Disc::new(&focused, width, radius));
        Profile { disc, ..focused }
    }

    /// Light per square pixel at a distance, squared.
    #[inline]
    pub(super) fn at(&self, distance2: f64) -> f64 {
        match &self.disc {
            Some(disc) => disc.at(libm::sqrt(distance2)).unwrap_or_else(|| self.sharp(distance2)),
            None => self.sharp(distance2),
        }
    }

    /// In focus; also what a defocused star comes to far outside its disc.
    #[inline]
    fn sharp(&self, distance2: f64) -> f64 {
        let (core, halo) = (1.0 + distance2 * self.core, 1.0 + distance2 * self.halo);
        ((1.0 - HALO) * 2.0 * self.core / (core * core * core) + HALO * self.halo / (halo * halo)) / PI
    }

    /// Light within a distance.
    pub(super) fn within(&self, distance: f64) -> f64 {
        if let Some(disc) = &self.disc
            && let Some(light) = table(&disc.within, distance / disc.step)
        {
            return light;
        }
        let (core, halo) = (1.0 + distance * distance * self.core, 1.0 + distance * distance * self.halo);
        1.0 - (1.0 - HALO) / (core * core) - HALO / halo
    }
}

impl Disc {
    fn new(focused: &Profile, width: f64, radius: f64) -> Disc {
        let end = 3.0 * radius + 4.0 * width;
        let step = end / STEPS as f64;
        let light: Vec<f64> = (0..=STEPS).map(|i| blurred(focused, radius, step * i as f64)).collect();
        let mut within = vec![0.0];
        let mut sum = 0.0;
        for (i, pair) in light.windows(2).enumerate() {
            // The light of a ring, by the trapezium.
            let (near, far) = (step * i as f64, step * (i + 1) as f64);
            sum += PI * step * (pair[0] * near + pair[1] * far);
            within.push(sum);
        }
        // What is beyond the table is a star in focus, so the rest must be here.
        let share = focused.within(end) / sum;
        Disc {
            step,
            light: light.into_iter().map(|light| light * share).collect(),
            within: within.into_iter().map(|light| light * share).collect(),
        }
    }

    fn at(&self, distance: f64) -> Option<f64> {
        table(&self.light, distance / self.step)
    }
}

/// A profile in focus averaged over a disc around a point at some distance from the disc's middle: ring by ring
/// around the point, weighted by the share of the ring that lies in the disc.
fn blurred(focused: &Profile, radius: f64, distance: f64) -> f64 {
    let (nearest, furthest) = (0.0_f64.max(distance - radius), distance + radius);
    let mut sum = 0.0;
    let mut inner = nearest;
    for ring in 1..=RINGS {
        // Finer near the point, where the profile is steep.
        let share = ring as f64 / RINGS as f64;
        let outer = nearest + (furthest - nearest) * share * share;
        let middle = f64::midpoint(inner, outer);
        let inside = if middle + distance <= radius {
            1.0
        } else {
            let cosine =
                (middle * middle + distance * distance - radius * radius) / (2.0 * middle * distance);
            libm::acos(cosine.clamp(-1.0, 1.0)) / PI
        };
        sum += inside * (focused.within(outer) - focused.within(inner));
        inner = outer;
    }
    sum / (PI * radius * radius)
}

/// A value between the entries of a table; `None` beyond them.
fn table(values: &[f64], place: f64) -> Option<f64> {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative; saturates")]
    let left = place as usize;
    let (a, b) = (values.get(left)?, values.get(left + 1)?);
    Some(a + (place - left as f64) * (b - a))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Light within a distance, summed over a fine grid.
    fn summed(profile: &Profile, distance: f64) -> f64 {
        let fine = if distance > 30.0 { 0.3 } else { 0.1 };
        #[allow(clippy::cast_possible_truncation, reason = "a few hundred")]
        let end = (distance / fine) as i32;
        let ends = -end..=end;
        let squares =
            ends.clone().flat_map(|x| ends.clone().map(move |y| f64::from(x * x + y * y) * fine * fine));
        squares
            .filter(|square| *square < distance * distance)
            .map(|square| profile.at(square) * fine * fine)
            .sum()
    }

    #[test]
    fn all_the_light_is_somewhere() {
        for (width, radius) in [(1.0, 0.0), (3.0, 0.0), (2.0, 1.0), (2.0, 12.0), (0.5, 20.0)] {
            let profile = Profile::new(width, radius);
            for distance in [radius / 2.0 + width, radius + 3.0 * width, 4.0 * radius + 8.0 * width] {
                let (sum, told) = (summed(&profile, distance), profile.within(distance));
                assert!((sum - told).abs() < 0.01, "{sum} not {told} within {distance} of {width}, {radius}");
            }
            assert!((profile.within(1e5) - 1.0).abs() < 1e-6);
        }
    }

    #[test]
    fn the_width_is_that_at_half_the_light_of_the_middle() {
        let profile = Profile::new(3.0, 0.0);
        assert!((profile.at(1.5 * 1.5) / profile.at(0.0) - 0.5).abs() < 0.01);
    }

    #[test]
    fn far_out_of_focus_a_star_is_an_even_disc() {
        let profile = Profile::new(2.0, 40.0);
        let even = 1.0 / (PI * 1600.0);
        for distance in [0.0, 10.0, 30.0] {
            assert!((profile.at(distance * distance) / even - 1.0).abs() < 0.03, "at {distance}");
        }
        assert!((profile.at(1600.0) / even - 0.5).abs() < 0.05);
        assert!(profile.at(50.0 * 50.0) < 0.02 * even);
    }
}
