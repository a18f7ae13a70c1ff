//! Finds stars and measures how wide they are.
//!
//! The search looks at sums over 3×3 pixels, which stand out of the noise more than single pixels do. What the sky
//! gives for such a sum, and how much that varies, is measured in tiles: a gradient and the neighbours' correlated
//! noise in a processed frame are then no stars. A local maximum far enough above the sky is a candidate; what is
//! narrower than a star can be is a hot pixel, and what lies on the skirt of a brighter star is that star.
//!
//! The half-flux radius (HFR) is that of the circle about the centroid that holds half of the star's light. It is
//! measured in an aperture that grows with it, so that nothing has to be known about the focus.

use rayon::prelude::*;

use super::planes::Planes;

mod sky;

use sky::Sky;

/// A star.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Star {
    /// Column of the centroid in pixels of the frame; the centre of the first pixel is 0.
    pub x: f32,
    /// Row of the centroid.
    pub y: f32,
    /// Its light above the sky, ADU.
    pub flux: f32,
    /// Half-flux radius in pixels of the frame.
    pub hfr: f32,
}

/// How far above the sky a sum over 3×3 pixels has to be, in standard deviations: noise alone gets there once in
/// 10^11 pixels if the sky's own measure is 3 % wrong.
const THRESHOLD: f32 = 7.0;
/// A maximum is one among the pixels up to this far away.
const NEIGHBOURHOOD: usize = 3;
/// Candidates nearer to an edge are left alone.
const EDGE: usize = NEIGHBOURHOOD + 1;
/// One pixel with more of the light of 3×3 is no star: a star of that kind were narrower than 0.8 pixels.
const SHARPEST: f32 = 0.75;
/// Nor is it a star when the eight others together are less than this many of their standard deviations above the sky.
const COMPANY: f32 = 4.0;
/// Aperture to begin with, and the smallest one, pixels.
const FIRST_APERTURE: f32 = 5.0;
/// Aperture per half-flux radius: holds 99.8 % of a Gaussian.
const APERTURE: f32 = 3.0;
/// The largest aperture. What is wider is a nebula, or a star so far out of focus that it has no measure.
const LARGEST_APERTURE: f32 = 48.0;
/// Rounds in which centroid and aperture have to settle.
const ROUNDS: usize = 12;
/// Within this many of its half-flux radii everything belongs to a star.
const SKIRT: f32 = 2.5;
/// Cells in which stars are looked up, pixels: no skirt reaches farther than to the next one.
const CELL: usize = 64;

/// The stars in that light, brightest first.
#[must_use]
pub fn find(light: &Planes) -> Vec<Star> {
    let (width, height) = (light.width, light.height);
    if width <= 2 * EDGE || height <= 2 * EDGE {
        return Vec::new();
    }
    let values = light.luminance();
    let field = Field { sky: Sky::measure(&values, width, height), values, width, height };
    let candidates = (EDGE..height - EDGE).into_par_iter().flat_map_iter(|y| field.candidates(y));
    let mut stars: Vec<Star> = candidates.filter_map(|(x, y)| field.star(x, y)).collect();
    stars.sort_by(|a, b| b.flux.total_cmp(&a.flux).then(a.y.total_cmp(&b.y)).then(a.x.total_cmp(&b.x)));
    let mut stars = without_skirts(&stars, width, height);

    // The centre of the first cell of a mosaic is half a pixel from that of the first pixel.
    let scale = light.scale as f32;
    for star in &mut stars {
        star.x = star.x * scale + (scale - 1.0) / 2.0;
        star.y = star.y * scale + (scale - 1.0) / 2.0;
        star.hfr *= scale;
    }
    stars
}

/// The half-flux radius that half of the stars do not exceed, in pixels of the frame; none without stars.
#[must_use]
pub fn median_hfr(stars: &[Star]) -> Option<f32> {
    let mut radii: Vec<f32> = stars.iter().map(|star| star.hfr).collect();
    let middle = radii.len().checked_sub(1)? / 2;
    Some(*radii.select_nth_unstable_by(middle, f32::total_cmp).1)
}

/// Light, and what the sky has to do with it.
struct Field {
    values: Vec<f32>,
    width: usize,
    height: usize,
    sky: Sky,
}

impl Field {
    fn row(&self, y: usize) -> &[f32] {
        &self.values[y * self.width..][..self.width]
    }

    /// The sum over 3×3 pixels about that one, which is not on the edge.
    fn sum(&self, x: usize, y: usize) -> f32 {
        sky::sum(&self.values, self.width, x, y)
    }

    /// Maxima of a row that stand out of the sky.
    fn candidates(&self, y: usize) -> Vec<(usize, usize)> {
        let (above, here, below) = (self.row(y - 1), self.row(y), self.row(y + 1));
        let columns: Vec<f32> = (0..self.width).map(|x| above[x] + here[x] + below[x]).collect();
        let limit = self.sky.limits(y, THRESHOLD);
        let stands_out = |&x: &usize| columns[x - 1] + columns[x] + columns[x + 1] > limit[x];
        let bright = (EDGE..self.width - EDGE).filter(stands_out);
        bright.filter(|&x| self.is_maximum(x, y)).map(|x| (x, y)).collect()
    }

    /// Of equal neighbours the first one is the maximum.
    fn is_maximum(&self, x: usize, y: usize) -> bool {
        let own = self.sum(x, y);
        let rows = y - NEIGHBOURHOOD..=y + NEIGHBOURHOOD;
        rows.flat_map(|row| (x - NEIGHBOURHOOD..=x + NEIGHBOURHOOD).map(move |column| (column, row))).all(
            |(column, row)| {
                let other = self.sum(column, row);
                other < own || (other <= own && (row, column) >= (y, x))
            },
        )
    }

    /// The star about that pixel, in pixels of this field, if it is one.
    fn star(&self, x: usize, y: usize) -> Option<Star> {
        let sky = self.sky.level(x, y);
        let noise = self.sky.noise(x, y);
        let square = (y - 1..=y + 1).flat_map(|row| self.row(row)[x - 1..=x + 1].iter());
        let brightest = square.copied().fold(0.0, f32::max) - sky;
        let others = self.sum(x, y) - 9.0 * sky - brightest;
        let is_hot = brightest > SHARPEST * (brightest + others) || others < COMPANY * noise * 8.0_f32.sqrt();
        if is_hot {
            return None;
        }

        let mut aperture = Aperture { x: x as f32, y: y as f32, radius: FIRST_APERTURE };
        for _ in 0..ROUNDS {
            (aperture.x, aperture.y) = self.centroid(aperture, sky, noise)?;
            let (flux, hfr) = self.half_flux(aperture, sky)?;
            let radius = (APERTURE * hfr).max(FIRST_APERTURE);
            if radius > LARGEST_APERTURE {
                return None;
            }
            if (radius - aperture.radius).abs() < 0.1 {
                return Some(Star { x: aperture.x, y: aperture.y, flux, hfr });
            }
            aperture.radius = radius;
        }
        // A faint star may go to and fro by the noise of one pixel at the rim: it is no worse measured than others.
        let (flux, hfr) = self.half_flux(aperture, sky)?;
        Some(Star { x: aperture.x, y: aperture.y, flux, hfr })
    }

    /// Pixels in and around an aperture that lies on the field as a whole: column, row, value.
    fn pixels(&self, aperture: Aperture) -> Option<impl Iterator<Item = (f32, f32, f32)>> {
        let (left, right) = span(aperture.x, aperture.radius, self.width)?;
        let (top, bottom) = span(aperture.y, aperture.radius, self.height)?;
        let row = move |y| {
            let line = &self.row(y)[left..=right];
            line.iter().enumerate().map(move |(i, &value)| ((left + i) as f32, y as f32, value))
        };
        Some((top..=bottom).flat_map(row))
    }

    /// Mean place of the light that stands out of the noise.
    fn centroid(&self, aperture: Aperture, sky: f32, noise: f32) -> Option<(f32, f32)> {
        let [mut total, mut x, mut y] = [0.0; 3];
        for (column, row, value) in self.pixels(aperture)? {
            let light = value - sky;
            if light > 2.0 * noise && aperture.distance(column, row) <= aperture.radius {
                total += light;
                x += light * (column - aperture.x);
                y += light * (row - aperture.y);
            }
        }
        (total > 0.0).then(|| (aperture.x + x / total, aperture.y + y / total))
    }

    /// Light in the aperture, and the radius that holds half of it.
    fn half_flux(&self, aperture: Aperture, sky: f32) -> Option<(f32, f32)> {
        let mut growth = Growth::new(aperture.radius);
        for (x, y, value) in self.pixels(aperture)? {
            let distance = aperture.distance(x, y);
            let light = value - sky;
            if distance < FINE {
                let part = |n: u8| (f32::from(n) + 0.5) / f32::from(PARTS) - 0.5;
                let parts = (0..PARTS).flat_map(|i| (0..PARTS).map(move |j| (part(i), part(j))));
                let share = light / f32::from(PARTS * PARTS);
                parts.for_each(|(dx, dy)| growth.add(aperture.distance(x + dx, y + dy), share));
            } else {
                // Farther out a pixel is a piece of a ring, one pixel wide.
                let part = |n: u8| (f32::from(n) + 0.5) / f32::from(PARTS) - 0.5;
                (0..PARTS).for_each(|n| growth.add(distance + part(n), light / f32::from(PARTS)));
            }
        }
        growth.half()
    }
}

/// Nearer to the centre than this a pixel is cut into parts.
const FINE: f32 = 4.0;
/// Parts of a pixel along each axis.
const PARTS: u8 = 5;

/// A circle in which light is measured.
#[derive(Clone, Copy, Debug)]
struct Aperture {
    x: f32,
    y: f32,
    radius: f32,
}

impl Aperture {
    fn distance(self, x: f32, y: f32) -> f32 {
        ((x - self.x).powi(2) + (y - self.y).powi(2)).sqrt()
    }
}

/// First and last pixel along one axis that an aperture touches; none when it reaches over the edge.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and on the field")]
fn span(centre: f32, radius: f32, length: usize) -> Option<(usize, usize)> {
    let (first, last) = ((centre - radius).floor(), (centre + radius).ceil());
    (first >= 0.0 && last < length as f32).then_some((first as usize, last as usize))
}

/// Light by distance from the centre.
struct Growth {
    rings: Vec<f32>,
}

/// Rings per pixel.
const RINGS: f32 = 10.0;

impl Growth {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most LARGEST_APERTURE")]
    fn new(radius: f32) -> Growth {
        Growth { rings: vec![0.0; (radius * RINGS).ceil() as usize] }
    }

    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative; far ones saturate"
    )]
    fn add(&mut self, distance: f32, light: f32) {
        if let Some(ring) = self.rings.get_mut((distance * RINGS) as usize) {
            *ring += light;
        }
    }

    /// All light, and the radius inside which half of it is.
    fn half(&self) -> Option<(f32, f32)> {
        let total: f32 = self.rings.iter().sum();
        let mut inside = 0.0;
        for (n, &ring) in self.rings.iter().enumerate() {
            if total > 0.0 && inside + ring >= total / 2.0 {
                let part = if ring > 0.0 { (total / 2.0 - inside) / ring } else { 0.0 };
                return Some((total, (n as f32 + part) / RINGS));
            }
            inside += ring;
        }
        None
    }
}

/// Leaves out what lies on the skirt of a brighter star. `stars` come brightest first.
fn without_skirts(stars: &[Star], width: usize, height: usize) -> Vec<Star> {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "on the field")]
    let cell = |at: f32| at as usize / CELL;
    let columns = width / CELL + 1;
    let mut cells: Vec<Vec<Star>> = vec![Vec::new(); columns * (height / CELL + 1)];
    let mut kept = Vec::new();
    for &star in stars {
        let (column, row) = (cell(star.x), cell(star.y));
        let near = |cells: &[Vec<Star>]| {
            let rows = row.saturating_sub(1)..=(row + 1).min(height / CELL);
            rows.flat_map(|row| {
                cells[row * columns..][column.saturating_sub(1)..columns.min(column + 2)].iter()
            })
            .flatten()
            .any(|other| (star.x - other.x).hypot(star.y - other.y) < SKIRT * other.hfr)
        };
        if !near(&cells) {
            cells[row * columns + column].push(star);
            kept.push(star);
        }
    }
    kept
}

#[cfg(test)]
mod tests;
