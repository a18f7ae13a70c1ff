//! All that decides what falls on a sensor, in numbers that do not change during an exposure.

use std::f64::consts::FRAC_PI_4;

/// Photo-electrons per second and mm² of aperture from a star of magnitude 0: what a lens and a sensor without a
/// filter make of it.
const LIGHT: f64 = 2.0e4;
/// Middle of the light that a sensor sees, µm.
const WAVELENGTH: f64 = 0.55;
/// Width of the image of a point by a perfect round aperture at half maximum, in units of wavelength times focal
/// ratio.
const DIFFRACTION: f64 = 1.03;
/// Arcsec in a radian.
const ARCSEC: f64 = 206_264.806_247_096_36;
/// A star narrower than this, in pixels, looks no different.
const NARROWEST: f64 = 0.3;
/// Out of focus by more than this, in pixels, there is nothing to see any more.
const LARGEST_BLUR: f64 = 120.0;
/// Movement during an exposure that nobody can see, in pixels.
const STILL: f64 = 0.02;
/// Most places of a star on its trail.
const MOST_PLACES: u32 = 120;

/// The telescope, the sky before it and the sensor behind it.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct View {
    pub(super) seed: u64,
    /// Columns and rows.
    pub(super) size: (u32, u32),
    /// Size of a pixel, µm.
    pub(super) pixel: f64,
    /// Right ascension and declination of the middle of the sensor, J2000, in degrees.
    pub(super) pointing: (f64, f64),
    /// Position angle of the direction in which the rows count up, degrees.
    pub(super) rotation: f64,
    /// mm.
    pub(super) focal_length: f64,
    /// mm.
    pub(super) aperture: f64,
    /// Width at half maximum of what the optics make of a point, µm.
    pub(super) spot: f64,
    /// Width at half maximum of what the air makes of a point, ″.
    pub(super) seeing: f64,
    /// Distance from the focus, µm.
    pub(super) defocus: f64,
    /// Magnitudes per square arcsec.
    pub(super) brightness: f64,
    /// Share of the light that is lost in the corners.
    pub(super) vignetting: f64,
    /// Motes of dust on a square centimetre of the sensor.
    pub(super) dust: f64,
    /// Where a star is during the exposure compared to where the middle of the exposure has it, pixels; empty when it
    /// stands still.
    pub(super) trail: Vec<[f64; 2]>,
}

impl View {
    /// Pixels per radian in the middle of the sensor.
    pub(super) fn scale(&self) -> f64 {
        self.focal_length * 1000.0 / self.pixel
    }

    /// Width of a star in focus at half maximum, pixels.
    pub(super) fn width(&self) -> f64 {
        let seeing = self.seeing / ARCSEC * self.scale();
        let diffraction = DIFFRACTION * WAVELENGTH * self.focal_length / self.aperture / self.pixel;
        let spot = self.spot / self.pixel;
        libm::sqrt(seeing * seeing + diffraction * diffraction + spot * spot).max(NARROWEST)
    }

    /// Radius of the disc that a point becomes, pixels.
    pub(super) fn blur(&self) -> f64 {
        let cone = self.defocus.abs() * self.aperture / self.focal_length / 2.0;
        (cone / self.pixel).min(LARGEST_BLUR)
    }

    /// What a star of a magnitude gives, e⁻/s.
    pub(super) fn flux(&self, magnitude: f64) -> f64 {
        LIGHT * FRAC_PI_4 * self.aperture * self.aperture * libm::exp10(-0.4 * magnitude)
    }

    /// Magnitude of the sky on one pixel.
    pub(super) fn darkness(&self) -> f64 {
        self.brightness - 5.0 * libm::log10(ARCSEC / self.scale())
    }

    /// Moves the pointing to where it is in the middle of the exposure, and notes the way of the stars around there.
    pub(super) fn stray(&mut self, way: impl Fn(f64) -> [f64; 2]) {
        let middle = way(0.5);
        let (ra, dec) = self.pointing;
        let moved_dec = (dec + middle[1] / 3600.0).clamp(-90.0, 90.0);
        self.pointing = ((ra + middle[0] / 3600.0).rem_euclid(360.0), moved_dec);
        let (sin, cos) = libm::sincos(self.rotation.to_radians());
        let level = libm::cos(moved_dec.to_radians());
        let scale = self.scale() / ARCSEC;
        // The stars move against the telescope.
        let place = |share: f64| {
            let there = way(share);
            let (east, north) = ((middle[0] - there[0]) * level * scale, (middle[1] - there[1]) * scale);
            [cos * east - sin * north, sin * east + cos * north]
        };
        let far = |places: u32| -> Vec<[f64; 2]> {
            (0..places).map(|i| place((f64::from(i) + 0.5) / f64::from(places))).collect()
        };
        let extent = far(MOST_PLACES).iter().flatten().fold(0.0, |far: f64, way| far.max(way.abs()));
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturates, and is limited"
        )]
        let places = ((4.0 * extent) as u32).clamp(5, MOST_PLACES);
        self.trail = if extent > STILL { far(places) } else { Vec::new() };
    }
}
