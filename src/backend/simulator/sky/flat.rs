//! What the telescope takes from its light on the way to each pixel: vignetting towards the corners, and the shadows
//! of dust on the glass before the sensor. They stay where they are whatever the telescope looks at.

use rand::RngExt;

use super::super::noise;

/// Tells these random numbers from those of frames.
const STREAM: u64 = u64::MAX - 2;
/// Radius of a mote's shadow, µm: what a few millimetres before the sensor become.
const SHADOW: (f32, f32) = (60.0, 400.0);
/// Share of the light that a mote takes.
const DEPTH: (f32, f32) = (0.01, 0.07);
/// Part of the shadow's radius over which its edge is soft.
const SOFT: f32 = 0.25;
/// Part of the radius where the shadow is lighter again, as that of a mote before a mirror telescope is.
const HOLE: f32 = 0.3;

/// A share between 0 and 1 for every pixel.
#[derive(Clone, Debug)]
pub(super) struct Flat {
    /// Middle of the sensor.
    middle: [f32; 2],
    /// Loss of light per square pixel of distance from there.
    vignetting: f32,
    dust: Vec<Mote>,
}

/// A shadow.
#[derive(Clone, Copy, Debug)]
struct Mote {
    x: f32,
    y: f32,
    radius: f32,
    depth: f32,
}

impl Flat {
    /// `corner` is the share of the light that is lost in the corners, `pixel` the size of a pixel in µm, and `density`
    /// the motes of dust per square centimetre.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seven digits are enough")]
    pub(super) fn new(seed: u64, (width, height): (u32, u32), pixel: f64, corner: f64, density: f64) -> Self {
        let mut rng = noise::stream(seed, STREAM, 0);
        let area = f64::from(width) * f64::from(height) * (pixel * 1e-4).powi(2);
        let motes = libm::round(density * area) as u32;
        let (width, height) = (width as f32, height as f32);
        let mut between = |(low, high): (f32, f32)| low + (high - low) * rng.random::<f32>();
        let mut mote = || Mote {
            x: between((0.0, width)),
            y: between((0.0, height)),
            radius: between(SHADOW) / pixel as f32,
            depth: between(DEPTH),
        };
        let dust = (0..motes).map(|_| mote()).collect();
        let middle = [width / 2.0 - 0.5, height / 2.0 - 0.5];
        let vignetting = corner as f32 * 4.0 / (width * width + height * height);
        Flat { middle, vignetting, dust }
    }

    /// The shares of a piece of row `y` that begins at column `x`.
    pub(super) fn row(&self, y: u32, x: u32, row: &mut [f32]) {
        let [middle, half_height] = self.middle;
        let (first, y) = (x as f32, y as f32);
        let down2 = (y - half_height).powi(2);
        for (i, share) in row.iter_mut().enumerate() {
            let across = first + i as f32 - middle;
            *share = 1.0 - self.vignetting * (across * across + down2);
        }
        for mote in self.dust.iter().filter(|mote| (mote.y - y).abs() < mote.radius) {
            mote.shade(y, first, row);
        }
    }
}

impl Mote {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the row")]
    fn shade(&self, y: f32, x: f32, row: &mut [f32]) {
        let down2 = (y - self.y).powi(2);
        let half_chord = (self.radius * self.radius - down2).max(0.0).sqrt();
        let from = (self.x - half_chord - x).ceil().max(0.0) as usize;
        let to = ((self.x + half_chord - x).floor() + 1.0).max(0.0) as usize;
        let Some(pixels) = row.get_mut(from..to.min(row.len())) else { return };
        for (i, share) in pixels.iter_mut().enumerate() {
            let across = x + (from + i) as f32 - self.x;
            let out = (across * across + down2).sqrt() / self.radius;
            let shadow = ((1.0 - out) / SOFT).clamp(0.0, 1.0) * (0.6 + 0.4 * (out / HOLE).min(1.0));
            *share *= 1.0 - self.depth * shadow;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(flat: &Flat, width: usize, height: u32) -> Vec<f32> {
        let mut image = vec![0.0; width * height as usize];
        for (y, row) in (0..height).zip(image.chunks_exact_mut(width)) {
            flat.row(y, 0, row);
        }
        image
    }

    #[test]
    fn corners_lose_what_they_are_told_and_the_middle_nothing() {
        let flat = image(&Flat::new(1, (301, 201), 5.0, 0.2, 0.0), 301, 201);
        assert!((flat[100 * 301 + 150] - 1.0).abs() < 1e-6);
        for corner in [flat[0], flat[300], flat[301 * 201 - 1]] {
            assert!((corner - 0.8).abs() < 0.003, "{corner}");
        }
    }

    #[test]
    fn dust_casts_shadows_that_the_seed_places() {
        let clean = image(&Flat::new(1, (1000, 800), 5.0, 0.1, 0.0), 1000, 800);
        let with = |seed| image(&Flat::new(seed, (1000, 800), 5.0, 0.1, 60.0), 1000, 800);
        let dusty = with(1);
        assert!(dusty.iter().zip(&clean).all(|(a, b)| a <= b && *a > b * 0.7));
        let shaded = dusty.iter().zip(&clean).filter(|(a, b)| **a < 0.995 * **b).count();
        assert!((5_000..200_000).contains(&shaded), "{shaded} pixels in shadow");
        assert_eq!(with(1), dusty);
        assert_ne!(with(2), dusty);
    }

    #[test]
    fn a_piece_of_a_row_is_that_piece() {
        let flat = Flat::new(3, (1000, 800), 5.0, 0.1, 200.0);
        for y in (0..800).step_by(7) {
            let (mut whole, mut piece) = ([0.0; 1000], [0.0; 100]);
            flat.row(y, 0, &mut whole);
            flat.row(y, 450, &mut piece);
            assert_eq!(whole[450..550], piece);
        }
    }
}
