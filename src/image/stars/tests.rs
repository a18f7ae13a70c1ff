use ndarray::Array3;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Normal};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::*;
use crate::image::{Bayer, Pixels};

const WIDTH: usize = 500;
const HEIGHT: usize = 400;
/// Half-flux radius of a Gaussian, per sigma.
const HFR: f32 = 1.1774;

/// A field under construction, in ADU.
struct Scene {
    values: Vec<f32>,
    random: Xoshiro256PlusPlus,
}

impl Scene {
    fn new(seed: u64, sky: impl Fn(f32, f32) -> f32) -> Scene {
        let place = |n: usize| ((n % WIDTH) as f32, (n / WIDTH) as f32);
        let values = (0..WIDTH * HEIGHT).map(place).map(|(x, y)| sky(x, y)).collect();
        Scene { values, random: Xoshiro256PlusPlus::seed_from_u64(seed) }
    }

    /// A Gaussian star, integrated over the pixels by halves, thirds and so on of them.
    fn star(&mut self, x: f32, y: f32, sigma: f32, flux: f32) {
        const PARTS: usize = 5;
        for (n, value) in self.values.iter_mut().enumerate() {
            let (dx, dy) = ((n % WIDTH) as f32 - x, (n / WIDTH) as f32 - y);
            if dx.hypot(dy) > 7.0 * sigma + 2.0 {
                continue;
            }
            for part in 0..PARTS * PARTS {
                let shift = |n: usize| (n as f32 + 0.5) / PARTS as f32 - 0.5;
                let (dx, dy) = (dx + shift(part % PARTS), dy + shift(part / PARTS));
                let density = (-(dx * dx + dy * dy) / (2.0 * sigma * sigma)).exp();
                *value += flux * density / (std::f32::consts::TAU * sigma * sigma * (PARTS * PARTS) as f32);
            }
        }
    }

    /// Stars on a loose grid, so that none is near another: where they are.
    fn stars(&mut self, sigma: f32, flux: f32) -> Vec<(f32, f32)> {
        let mut places = Vec::new();
        for row in 0..5 {
            for column in 0..6 {
                let shift = |random: &mut Xoshiro256PlusPlus| random.random::<f32>() * 10.0;
                let x = 50.0 + 75.0 * column as f32 + shift(&mut self.random);
                let y = 50.0 + 70.0 * row as f32 + shift(&mut self.random);
                self.star(x, y, sigma, flux);
                places.push((x, y));
            }
        }
        places
    }

    fn noise(mut self, sigma: f32) -> Scene {
        let normal = Normal::new(0.0, sigma).unwrap();
        self.values.iter_mut().for_each(|value| *value += normal.sample(&mut self.random));
        self
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a pixel")]
    fn pixels(&self) -> Pixels {
        let values = self.values.iter().map(|&value| value.round().clamp(0.0, 65_535.0) as u16).collect();
        Pixels::U16(Array3::from_shape_vec((1, HEIGHT, WIDTH), values).unwrap())
    }

    fn find(&self) -> Vec<Star> {
        find(&Planes::of(&self.pixels(), None))
    }
}

#[test]
fn stars_are_found_where_they_are_and_as_wide_as_they_are() {
    for sigma in [1.0, 1.5, 2.5, 5.0] {
        let mut scene = Scene::new(1, |_, _| 1000.0);
        let places = scene.stars(sigma, 30_000.0);
        let found = scene.noise(10.0).find();
        assert_eq!(found.len(), places.len(), "sigma {sigma}");
        for (x, y) in places {
            let star =
                found.iter().min_by(|a, b| (a.x - x).hypot(a.y - y).total_cmp(&(b.x - x).hypot(b.y - y)));
            let star = star.unwrap();
            assert!((star.x - x).hypot(star.y - y) < 0.2, "{star:?} is not at {x}, {y}");
            assert!((star.flux / 30_000.0 - 1.0).abs() < 0.1, "{star:?}");
        }
        // A pixel is a square of its own width, which adds to that of the star.
        let expected = HFR * (sigma * sigma + 2.0 / 12.0).sqrt();
        let measured = median_hfr(&found).unwrap();
        assert!((measured / expected - 1.0).abs() < 0.04, "sigma {sigma}: {measured} instead of {expected}");
    }
}

#[test]
fn noise_alone_has_no_stars() {
    for (seed, sigma) in [(1, 0.0), (2, 0.3), (3, 0.5), (4, 0.7), (5, 1.0), (6, 3.0), (7, 40.0), (8, 400.0)] {
        let found = Scene::new(seed, |_, _| 2000.0).noise(sigma).find();
        assert_eq!(found, [], "noise of {sigma}");
    }
}

#[test]
fn gradients_and_vignetting_are_no_stars() {
    let sloped = Scene::new(3, |x, y| 500.0 + 10.0 * x + 7.0 * y).noise(15.0).find();
    assert_eq!(sloped, []);
    let vignetted = Scene::new(4, |x, y| 9000.0 - ((x - 250.0).powi(2) + (y - 200.0).powi(2)) / 20.0);
    assert_eq!(vignetted.noise(60.0).find(), []);
}

#[test]
fn hot_pixels_are_no_stars() {
    let mut scene = Scene::new(5, |_, _| 1000.0).noise(10.0);
    for n in 0..300 {
        let at = (20 + n * 37 % 360) * WIDTH + 20 + n * 91 % 460;
        scene.values[at] = [1200.0, 1500.0, 4000.0, 65_535.0][n % 4];
    }
    assert_eq!(scene.find(), []);
}

#[test]
fn a_saturated_star_is_one_star() {
    let mut scene = Scene::new(6, |_, _| 1000.0);
    scene.star(250.3, 200.8, 4.0, 5e7);
    let found = scene.noise(10.0).find();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!((found[0].x - 250.3).hypot(found[0].y - 200.8) < 0.1, "{found:?}");
}

/// A mirror telescope shows it as a ring, on which noise makes many maxima.
#[test]
fn a_star_out_of_focus_is_one_star() {
    let mut scene = Scene::new(9, |x, y| {
        let distance = (x - 250.3).hypot(y - 200.8);
        if (5.0..14.0).contains(&distance) { 1300.0 } else { 1000.0 }
    });
    scene.star(100.0, 100.0, 1.5, 30_000.0);
    let found = scene.noise(30.0).find();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!((found[0].x - 250.3).hypot(found[0].y - 200.8) < 1.0, "{found:?}");
    let half_of_the_ring = f32::midpoint(5.0_f32.powi(2), 14.0_f32.powi(2)).sqrt();
    assert!((found[0].hfr / half_of_the_ring - 1.0).abs() < 0.05, "{found:?}");
}

#[test]
fn a_mosaic_is_measured_in_its_own_pixels() {
    let mut scene = Scene::new(7, |_, _| 1000.0);
    let places = scene.stars(2.5, 60_000.0);
    let mut scene = scene.noise(10.0);
    // Filters that let through different shares of the same light.
    for (n, value) in scene.values.iter_mut().enumerate() {
        *value *= [0.4, 1.0, 1.0, 0.6][n / WIDTH % 2 * 2 + n % WIDTH % 2];
    }
    let mosaic = Bayer { pattern: "RGGB".to_owned(), offset_x: 0, offset_y: 0 };
    let found = find(&Planes::of(&scene.pixels(), Some(&mosaic)));
    assert_eq!(found.len(), places.len());
    for star in &found {
        let near = places.iter().any(|(x, y)| (star.x - x).hypot(star.y - y) < 0.6);
        assert!(near, "{star:?} is none of {places:?}");
    }
    // The cell is two pixels wide.
    let expected = HFR * (2.5 * 2.5 + 8.0 / 12.0_f32).sqrt();
    let measured = median_hfr(&found).unwrap();
    assert!((measured / expected - 1.0).abs() < 0.05, "{measured} instead of {expected}");
}

#[test]
fn stars_at_the_edge_and_fields_too_small_do_no_harm() {
    let mut scene = Scene::new(8, |_, _| 1000.0);
    for (x, y) in [(0.0, 0.0), (499.0, 200.0), (3.0, 399.0), (250.0, 4.0)] {
        scene.star(x, y, 1.5, 90_000.0);
    }
    for star in scene.find() {
        assert!(star.x >= 0.0 && star.x < WIDTH as f32 && star.y >= 0.0 && star.y < HEIGHT as f32);
    }
    for (rows, columns) in [(0, 0), (1, 900), (8, 8), (9, 9), (9, 300), (70, 10)] {
        let pixels = Pixels::U8(Array3::from_shape_fn((1, rows, columns), |(_, y, x)| {
            if (x, y) == (columns / 2, rows / 2) { 200 } else { 0 }
        }));
        assert_eq!(find(&Planes::of(&pixels, None)), []);
    }
}
