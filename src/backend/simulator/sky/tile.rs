//! The sky cut into tiles of about a square degree, by which stars are stored and made.
//!
//! A band is one degree of declination, counted from the south pole; a tile is a band's share of right ascension, as
//! wide as the band is high.

use std::f64::consts::TAU;

/// Bands of declination.
pub(super) const BANDS: u32 = 180;

/// A place on the unit sphere, on the axes of J2000.
pub(super) type Direction = [f64; 3];

/// One tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tile {
    /// From the south pole.
    pub(super) band: u32,
    /// From right ascension 0 on.
    pub(super) cell: u32,
    /// Tiles in this band.
    pub(super) cells: u32,
}

impl Tile {
    /// Ends in declination, as sines.
    pub(super) fn heights(self) -> (f64, f64) {
        let sine = |band: u32| libm::sin((f64::from(band) - 90.0).to_radians());
        (sine(self.band), sine(self.band + 1))
    }

    /// Ends in right ascension, in circles.
    pub(super) fn ra(self) -> (f64, f64) {
        let end = |cell: u32| f64::from(cell) / f64::from(self.cells);
        (end(self.cell), end(self.cell + 1))
    }

    /// Area in square degrees.
    pub(super) fn area(self) -> f64 {
        let (low, high) = self.heights();
        TAU.to_degrees() * (high - low).to_degrees() / f64::from(self.cells)
    }

    /// Its middle.
    pub(super) fn middle(self) -> Direction {
        let (west, east) = self.ra();
        let (low, high) = self.heights();
        direction(f64::midpoint(west, east), f64::midpoint(low, high))
    }
}

/// The direction at a right ascension in circles and the sine of a declination.
pub(super) fn direction(ra: f64, height: f64) -> Direction {
    let (sin, cos) = libm::sincos(ra * TAU);
    let level = libm::sqrt(1.0 - height * height);
    [level * cos, level * sin, height]
}

/// All tiles that are not further than `radius` from a place; all three in degrees.
pub(super) fn around(ra: f64, dec: f64, radius: f64) -> Vec<Tile> {
    let (first, last) = (band(dec - radius), band(dec + radius));
    let spread = if dec.abs() + radius < 90.0 {
        libm::asin(libm::sin(radius.to_radians()) / libm::cos(dec.to_radians())) / TAU
    } else {
        // Around a pole there is every right ascension.
        0.5
    };
    (first..=last).flat_map(|band| cells(band, ra / 360.0, spread)).collect()
}

/// Tiles of a band up to `spread` from a right ascension, in circles.
fn cells(band: u32, ra: f64, spread: f64) -> impl Iterator<Item = Tile> {
    let middle = (f64::from(band) - 89.5).to_radians();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "3 to 360")]
    let cells = libm::round(360.0 * libm::cos(middle)) as u32;
    #[allow(clippy::cast_possible_truncation, reason = "a few hundred")]
    let place = |ra: f64| (ra * f64::from(cells)).floor() as i64;
    let (first, last) = (place(ra - spread), place(ra + spread));
    let count = (last - first + 1).min(i64::from(cells));
    (first..first + count).map(move |cell| {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "less than cells")]
        let cell = cell.rem_euclid(i64::from(cells)) as u32;
        Tile { band, cell, cells }
    })
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
fn band(dec: f64) -> u32 {
    (dec + 90.0).floor().clamp(0.0, f64::from(BANDS - 1)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tiles_cover_the_sphere_once() {
        let all = around(0.0, 0.0, 90.0);
        let area: f64 = all.iter().map(|tile| tile.area()).sum();
        assert!((area - 41_252.961).abs() < 0.001, "{area}");
        assert!(all.iter().all(|tile| (0.6..1.4).contains(&tile.area())));
        for (i, tile) in all.iter().enumerate() {
            assert!(!all[..i].iter().rev().take(400).any(|other| other == tile), "{tile:?} twice");
        }
    }

    #[test]
    fn what_is_near_is_in_a_tile_that_is_near() {
        let mut next = 1_u32;
        let mut random = || {
            next = next.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(next >> 8) / f64::from(1 << 24)
        };
        let places = [(0.0, 0.0), (359.99, -45.3), (0.01, 89.2), (123.0, -89.99), (200.0, 60.0)];
        for (ra, dec) in places {
            for radius in [0.3, 2.5, 20.0] {
                let tiles = around(ra, dec, radius);
                let centre = direction(ra / 360.0, libm::sin(dec.to_radians()));
                let mut near = 0;
                while near < 50 {
                    // A point in the cap, by height over its plane and turn around its axis.
                    let there = direction(random(), 2.0 * random() - 1.0);
                    let share = radius.to_radians() * random();
                    let mix: Direction = std::array::from_fn(|i| centre[i] + share * there[i]);
                    let length = mix.iter().map(|x| x * x).sum::<f64>().sqrt();
                    let point = mix.map(|x| x / length);
                    let cos: f64 = point.iter().zip(centre).map(|(a, b)| a * b).sum();
                    if cos < libm::cos(radius.to_radians()) {
                        continue;
                    }
                    near += 1;
                    let turn = (libm::atan2(point[1], point[0]) / TAU).rem_euclid(1.0);
                    let holds = |tile: &&Tile| {
                        let ((west, east), (low, high)) = (tile.ra(), tile.heights());
                        (west..=east).contains(&turn) && (low..=high).contains(&point[2])
                    };
                    assert!(tiles.iter().any(|tile| holds(&tile)), "{point:?} near {ra}, {dec}");
                }
            }
        }
    }
}
