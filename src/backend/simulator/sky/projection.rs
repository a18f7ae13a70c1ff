//! From the sky to the sensor: the gnomonic projection that a lens without distortion makes.
//!
//! It is the one of the FITS header: `TAN` around the middle of the sensor. Position angles count from north through
//! east; `rotation` is that of the direction in which the rows count up, which is what clients write to `CCD_ROTATION`.

use super::tile::Direction;

/// How a direction falls on the sensor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Projection {
    /// Sensor coordinates of the middle; a pixel's centre has whole ones.
    middle: [f64; 2],
    /// Where the middle looks, and unit vectors of the sky along the columns and the rows, times pixels per radian.
    axis: Direction,
    columns: Direction,
    rows: Direction,
}

/// A cosine below which a direction counts as beside the telescope: far off any sensor.
const BESIDE: f64 = 0.05;

impl Projection {
    /// Angles in degrees; `scale` in pixels per radian.
    pub(super) fn new(size: (u32, u32), (ra, dec): (f64, f64), rotation: f64, scale: f64) -> Self {
        let sincos = |degrees: f64| libm::sincos(degrees.to_radians());
        let ((sin_ra, cos_ra), (sin_dec, cos_dec), (sin, cos)) = (sincos(ra), sincos(dec), sincos(rotation));
        let east = [-sin_ra, cos_ra, 0.0];
        let north = [-sin_dec * cos_ra, -sin_dec * sin_ra, cos_dec];
        let middle = |length: u32| f64::from(length) / 2.0 - 0.5;
        Projection {
            middle: [middle(size.0), middle(size.1)],
            axis: [cos_dec * cos_ra, cos_dec * sin_ra, sin_dec],
            columns: std::array::from_fn(|i| scale * (cos * east[i] - sin * north[i])),
            rows: std::array::from_fn(|i| scale * (sin * east[i] + cos * north[i])),
        }
    }

    /// Sensor coordinates of a direction; `None` when it is beside or behind the telescope.
    #[allow(clippy::cast_possible_truncation, reason = "a thousandth of a pixel remains")]
    pub(super) fn pixel(&self, there: Direction) -> Option<[f32; 2]> {
        let along = dot(self.axis, there);
        let [x, y] = self.middle;
        (along > BESIDE).then(|| {
            [(x + dot(self.columns, there) / along) as f32, (y + dot(self.rows, there) / along) as f32]
        })
    }
}

fn dot(a: Direction, b: Direction) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

#[cfg(test)]
mod tests {
    use super::super::tile::direction;
    use super::*;

    fn there(ra: f64, dec: f64) -> Direction {
        direction(ra / 360.0, libm::sin(dec.to_radians()))
    }

    #[track_caller]
    fn falls_on(projection: &Projection, place: Direction, expected: [f32; 2]) {
        let pixel = projection.pixel(place).unwrap();
        let near = pixel.iter().zip(expected).all(|(a, b)| (a - b).abs() < 2e-3);
        assert!(near, "{pixel:?} is not {expected:?}");
    }

    /// Pixels by astropy 5.2.1, which counts them from 0 as we do:
    ///
    /// ```python
    /// w = WCS(naxis=2); w.wcs.ctype = ['RA---TAN', 'DEC--TAN']; w.wcs.crval = ra, dec; w.wcs.crpix = 320.5, 240.5
    /// w.wcs.cdelt = [5 / 3600] * 2; w.wcs.crota = [360 - rotation] * 2; w.all_world2pix(star_ra, star_dec, 0)
    /// ```
    #[test]
    fn it_is_the_projection_of_the_header() {
        let scale = (3600.0_f64 / 5.0).to_degrees();
        for (pointing, rotation, star, pixel) in ASTROPY {
            let projection = Projection::new((640, 480), pointing, rotation, scale);
            falls_on(&projection, there(star.0, star.1), pixel);
        }
    }

    type Angles = (f64, f64);

    const ASTROPY: [(Angles, f64, Angles, [f32; 2]); 5] = [
        ((56.75, 24.12), 180.0, (56.8712, 24.1051), [239.846, 250.194]),
        ((56.75, 24.12), 30.0, (57.2906, 24.0534), [650.956, 376.285]),
        ((0.05, -0.1), 271.5, (359.9, 0.2), [532.601, 353.118]),
        ((123.0, 89.9), 95.0, (300.0, 89.8), [103.860, 228.199]),
        ((310.0, -89.5), 0.0, (100.0, -89.95), [337.501, -151.689]),
    ];

    #[test]
    fn what_is_behind_is_not_seen() {
        let projection = Projection::new((640, 480), (10.0, 20.0), 0.0, 1000.0);
        assert_eq!(projection.pixel(there(190.0, -20.0)), None);
        assert_eq!(projection.pixel(there(100.0, 0.0)), None);
        assert!(projection.pixel(there(40.0, 20.0)).is_some());
    }
}
