//! What is in front of the telescope: a seeded field of stars on an evenly glowing sky.
//!
//! The sensor asks for nothing but [`Sky::glow`], [`Sky::add_row`] and [`Sky::transmission`], in photo-electrons per
//! second on sensor coordinates, so any other sky can take this one's place.

use std::f32::consts::PI;

use rand::RngExt;

use super::noise;

/// Everything that shines, as seen by the pixels of one sensor through one telescope.
pub(super) struct Sky {
    glow: f32,
    /// The sensor's columns and rows.
    size: (u32, u32),
    /// By row, so that the stars near a row are neighbours.
    stars: Vec<Star>,
    /// The largest [`Star::reach`].
    reach: f32,
}

/// What stands before a pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    /// Nothing.
    Clear,
    Red,
    Green,
    Blue,
}

struct Star {
    /// Sensor coordinates of the centre; a pixel's centre has whole ones.
    x: f32,
    y: f32,
    /// Brightness of the centre, e⁻/s on one pixel.
    peak: f32,
    /// Distance from the centre beyond which the star is not drawn, pixels.
    reach: f32,
}

/// A suburban sky of about 19.5 mag/arcsec² on pixels of 2″, e⁻/s.
const GLOW: f32 = 6.0;
/// What an 80 mm refractor without filter collects from a star of magnitude 0, e⁻/s.
const ZERO_POINT: f32 = 1.0e8;
/// Brightest and faintest star drawn.
const BRIGHTEST: f32 = 6.5;
const FAINTEST: f32 = 15.5;
/// Stars brighter than a magnitude grow by this power of ten per magnitude, as counts away from the Milky Way do.
const SLOPE: f32 = 0.33;
/// Stars on a million pixels.
const DENSITY: f64 = 700.0;
/// A Moffat profile is what the air makes of a star (Moffat 1969); the exponent 2.5 is usual for amateur sites and
/// costs one square root.
const MOFFAT_BETA: f32 = 2.5;
/// Width of the profile, pixels; 2.65 gives a full width at half maximum of 3 pixels.
const MOFFAT_ALPHA: f32 = 2.65;
/// Light lost in the corners.
const VIGNETTING: f32 = 0.12;
/// Stars are drawn down to this much light on a pixel, e⁻/s: less than 1 % of the glow.
const FAINT_EDGE: f32 = 0.05;

impl Sky {
    /// The field that belongs to `seed` on a sensor of that size.
    pub(super) fn seeded(seed: u64, width: u32, height: u32) -> Self {
        let mut rng = noise::stream(seed, u64::MAX, 0);
        let mut stars = Vec::new();
        let brightest = Star::of_magnitude(BRIGHTEST, 0.0, 0.0);
        // Stars just outside shine in as well.
        let margin = brightest.reach;
        let (wide, high) = (width as f32 + 2.0 * margin, height as f32 + 2.0 * margin);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive number")]
        let number = (DENSITY * f64::from(wide) * f64::from(high) / 1e6) as usize;
        stars.reserve_exact(number);
        for _ in 0..number {
            let x = rng.random::<f32>() * wide - margin;
            let y = rng.random::<f32>() * high - margin;
            let magnitude = FAINTEST + (1.0 - rng.random::<f32>()).log10() / SLOPE;
            stars.push(Star::of_magnitude(magnitude.max(BRIGHTEST), x, y));
        }
        stars.sort_by(|a, b| a.y.total_cmp(&b.y));
        Sky { glow: GLOW, size: (width, height), stars, reach: margin }
    }

    /// The same stars somewhere else, that many pixels along each axis. New ones do not come into view.
    #[allow(clippy::cast_possible_truncation, reason = "a fraction of a pixel remains")]
    pub(super) fn moved(&self, [dx, dy]: [f64; 2]) -> Self {
        let star = |star: &Star| Star { x: star.x + dx as f32, y: star.y + dy as f32, ..*star };
        Sky { stars: self.stars.iter().map(star).collect(), ..*self }
    }

    /// Light of the sky itself on every pixel without a filter, e⁻/s, before [`Sky::transmission`].
    pub(super) fn glow(&self) -> f32 {
        self.glow
    }

    /// How much of the light that enters the telescope reaches each pixel of a piece of sensor row `y` that begins
    /// at column `x`: 1 is all of it. The caller multiplies by it: the glow, the stars and the light of a flat field
    /// panel alike, so that a flat takes it out again.
    pub(super) fn transmission(&self, y: u32, x: u32, row: &mut [f32]) {
        let (half_x, half_y) = (self.size.0 as f32 / 2.0, self.size.1 as f32 / 2.0);
        let corner2 = half_x.powi(2) + half_y.powi(2);
        let dy2 = (y as f32 + 0.5 - half_y).powi(2);
        for (x, share) in (x..).zip(row) {
            *share = 1.0 - VIGNETTING * ((x as f32 + 0.5 - half_x).powi(2) + dy2) / corner2;
        }
    }

    /// Adds the stars' light to a piece of sensor row `y` that begins at column `x`, e⁻/s per pixel before
    /// [`Sky::transmission`]; the glow is not included. Tells whether there was any.
    ///
    /// `filters` are those of the even and of the odd columns of this row. They stand for the stars' colours only:
    /// a white star gives as much through each of them as without, so what a filter takes from white light remains
    /// to be taken off.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the row")]
    pub(super) fn add_row(&self, y: u32, x: u32, _filters: [Filter; 2], row: &mut [f32]) -> bool {
        let (y, x) = (y as f32, x as f32);
        let first = self.stars.partition_point(|star| star.y < y - self.reach);
        let mut any = false;
        for star in self.stars[first..].iter().take_while(|star| star.y <= y + self.reach) {
            let dy2 = (star.y - y).powi(2);
            let half_chord = star.reach.powi(2) - dy2;
            if half_chord <= 0.0 {
                continue;
            }
            let half_chord = half_chord.sqrt();
            // Float casts saturate, so stars outside give an empty range.
            let from = (star.x - half_chord - x).ceil().max(0.0) as usize;
            let to = ((star.x + half_chord - x).floor() + 1.0).max(0.0) as usize;
            let Some(pixels) = row.get_mut(from..to.min(row.len())) else { continue };
            for (i, pixel) in pixels.iter_mut().enumerate() {
                let dx = x + (from + i) as f32 - star.x;
                *pixel += star.light(dx * dx + dy2);
            }
            any |= !pixels.is_empty();
        }
        any
    }
}

impl Star {
    fn of_magnitude(magnitude: f32, x: f32, y: f32) -> Self {
        let total = ZERO_POINT * 10_f32.powf(-0.4 * magnitude);
        let peak = total * (MOFFAT_BETA - 1.0) / (PI * MOFFAT_ALPHA * MOFFAT_ALPHA);
        let reach = MOFFAT_ALPHA * ((peak / FAINT_EDGE).powf(1.0 / MOFFAT_BETA) - 1.0).max(0.0).sqrt();
        Star { x, y, peak, reach }
    }

    /// Light on a pixel whose centre is that far away, squared. The edge's own light is taken off, so that long
    /// exposures do not show where drawing stopped.
    #[inline]
    fn light(&self, distance2: f32) -> f32 {
        let a = 1.0 + distance2 / (MOFFAT_ALPHA * MOFFAT_ALPHA);
        (self.peak / (a * a * a.sqrt()) - FAINT_EDGE).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLEAR: [Filter; 2] = [Filter::Clear; 2];

    #[test]
    fn a_piece_of_a_row_shows_what_the_whole_row_shows() {
        let sky = Sky::seeded(1, 300, 200);
        let mut lit = 0;
        for y in 0..200 {
            let mut whole = [0.0; 300];
            lit += i32::from(sky.add_row(y, 0, CLEAR, &mut whole));
            let mut piece = [0.0; 50];
            sky.add_row(y, 120, CLEAR, &mut piece);
            for (a, b) in whole[120..170].iter().zip(&piece) {
                assert!((a - b).abs() <= 1e-3 * a.abs(), "{a} {b} on row {y}");
            }
        }
        assert!(lit > 100, "only {lit} rows show a star");
    }

    #[test]
    fn a_star_gives_the_light_of_its_magnitude() {
        let star = Star::of_magnitude(10.0, 50.0, 50.25);
        let sky = Sky { glow: 0.0, size: (100, 100), reach: star.reach, stars: vec![star] };
        let mut total = 0.0;
        for y in 0..100 {
            let mut row = [0.0; 100];
            sky.add_row(y, 0, CLEAR, &mut row);
            total += row.iter().sum::<f32>();
        }
        // The faint wings that are not drawn hold a few percent.
        assert!((9_300.0..10_000.0).contains(&total), "{total} e⁻/s from magnitude 10");
    }

    #[test]
    fn another_seed_is_another_sky() {
        let row = |seed| {
            let mut row = vec![0.0; 1000];
            Sky::seeded(seed, 1000, 100).add_row(50, 0, CLEAR, &mut row);
            row
        };
        assert_eq!(row(1), row(1));
        assert_ne!(row(1), row(2));
    }
}
