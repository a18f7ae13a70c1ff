//! A picture for the eye from linear light: the stretch that astronomers call auto-stretch.
//!
//! Black is put 2.8 sigma below the sky, white on the brightest value, and a midtones transfer function between them
//! takes the sky to a quarter of white, or to what is asked for. Each colour has its own curve, which takes the colour cast of the sky and of
//! an unbalanced mosaic away.

use rayon::prelude::*;

use super::planes::Planes;

/// Eight bits per sample, row by row from the top.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Each pixel has three samples, red, green and blue, and else one.
    pub colour: bool,
    /// The samples.
    pub samples: Vec<u8>,
}

/// What the sky usually becomes, white being 1.
pub const SKY: f32 = 0.25;
/// How far below the sky black is, in standard deviations.
const SHADOWS: f32 = 2.8;
/// A normal distribution's standard deviation over the median distance from its median.
const SIGMA_PER_MAD: f32 = 1.4826;
/// Values that are enough to know the sky.
const ENOUGH: usize = 1 << 18;
/// Least distance of black from the sky as part of that to white: a picture without noise has a sky as well.
const LEAST: f32 = 1e-3;

/// The stretched picture of that light, in which the sky becomes `sky`: above 0 and below 1 (white); [`SKY`] is usual.
#[must_use]
pub fn stretch(light: &Planes, sky: f32) -> Picture {
    let (width, height) = (light.width, light.height);
    let colour = light.is_colour();
    let shown = if colour { &light.planes[..] } else { light.planes.get(..1).unwrap_or_default() };
    let curves: Vec<(Curve, &Vec<f32>)> = shown.iter().map(|plane| (Curve::of(plane, sky), plane)).collect();
    let mut samples = vec![0; width * height * curves.len()];
    let row_of_samples = (width * curves.len()).max(1);
    samples.par_chunks_mut(row_of_samples).enumerate().for_each(|(row, line)| {
        for (channel, (curve, plane)) in curves.iter().enumerate() {
            let values = &plane[row * width..][..width];
            let places = line.iter_mut().skip(channel).step_by(curves.len());
            places.zip(values).for_each(|(place, &value)| *place = curve.at(value));
        }
    });
    Picture { width, height, colour, samples }
}

/// What becomes of a value.
#[derive(Clone, Copy, Debug)]
struct Curve {
    black: f32,
    white: f32,
    /// The value between black (0) and white (1) that becomes a half.
    midtone: f32,
}

impl Curve {
    fn of(plane: &[f32], wanted: f32) -> Curve {
        let step = plane.len().div_ceil(ENOUGH).max(1);
        // Sensors have even widths: an odd step does not stay in a few of their columns.
        let mut some: Vec<f32> = plane.iter().copied().step_by(step | 1).collect();
        let sky = median(&mut some);
        for value in &mut some {
            *value = (*value - sky).abs();
        }
        let sigma = SIGMA_PER_MAD * median(&mut some);
        let brightest = plane.par_iter().copied().reduce(|| sky, f32::max);

        let least = (LEAST * (brightest - sky)).max(0.5);
        let black = sky - (SHADOWS * sigma).max(least);
        let white = brightest.max(sky + least);
        // The curve is its own inverse when value and midtone change places.
        let midtone = transfer(wanted, (sky - black) / (white - black));
        Curve { black, white, midtone }
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 255")]
    fn at(self, value: f32) -> u8 {
        let share = ((value - self.black) / (self.white - self.black)).clamp(0.0, 1.0);
        (transfer(self.midtone, share) * 255.0 + 0.5) as u8
    }
}

/// The midtones transfer function: 0 to 0, `midtone` to a half, 1 to 1.
fn transfer(midtone: f32, value: f32) -> f32 {
    (midtone - 1.0) * value / ((2.0 * midtone - 1.0) * value - midtone)
}

fn median(values: &mut [f32]) -> f32 {
    match values.len() {
        0 => 0.0,
        many => *values.select_nth_unstable_by(many / 2, f32::total_cmp).1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sky that goes up and down by 10, and one bright pixel.
    fn sky(level: f32) -> Vec<f32> {
        let mut plane: Vec<f32> = (0..10_000).map(|n| level + [-10.0, 0.0, 10.0][n % 3]).collect();
        plane[5_050] = 60_000.0;
        plane
    }

    fn mono(plane: Vec<f32>) -> Planes {
        Planes { width: 100, height: 100, planes: vec![plane], scale: 1 }
    }

    #[test]
    fn the_sky_becomes_a_quarter_and_the_brightest_star_white() {
        for level in [0.0, 100.0, 1000.0, 40_000.0] {
            let picture = stretch(&mono(sky(level)), SKY);
            assert!(!picture.colour);
            assert_eq!(picture.samples.len(), 10_000);
            let (middle, star) = (picture.samples[1], picture.samples[5_050]);
            assert!((62..=66).contains(&middle), "a sky of {level} becomes {middle}");
            assert_eq!(star, 255, "on a sky of {level}");
            assert!(picture.samples[0] < middle && middle < picture.samples[2]);
            assert!((29..=32).contains(&stretch(&mono(sky(level)), 0.12).samples[1]));
        }
    }

    #[test]
    fn a_colour_cast_goes_away() {
        let planes = vec![sky(300.0), sky(2500.0), sky(900.0)];
        let picture = stretch(&Planes { width: 100, height: 100, planes, scale: 2 }, SKY);
        assert!(picture.colour);
        let [red, green, blue] = [3, 4, 5].map(|at| picture.samples[at]);
        assert!(red.abs_diff(green) <= 1 && blue.abs_diff(green) <= 1, "{red} {green} {blue}");
    }

    #[test]
    fn an_even_frame_is_an_even_grey_and_an_empty_one_empty() {
        for level in [0.0, 12.0, 65_535.0] {
            let picture = stretch(&mono(vec![level; 10_000]), SKY);
            assert!(picture.samples.iter().all(|&sample| sample == 64), "{level}: {}", picture.samples[0]);
        }
        let nothing = stretch(&Planes { width: 0, height: 0, planes: Vec::new(), scale: 1 }, SKY);
        assert!(nothing.samples.is_empty());
    }
}
