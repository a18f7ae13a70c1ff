//! What a user may set of the light: where the telescope points when no other device tells, how it is built, how the
//! air is, and how badly the mount tracks.
//!
//! Names, limits and defaults are those of `xml-skeletons/simulator.xml`; a contract test compares the two.

use super::super::guide::Tracking;
use super::super::numbers::{Number, Numbers};
use super::super::settings::Vector;
use super::observatory::Observatory;
use super::view::View;
use crate::camera::types::SCENE_PARAMETER;

/// The settings of the light, one vector each, and what other devices know better.
#[derive(Clone)]
pub(in super::super) struct Light {
    pointing: Numbers<3>,
    optics: Numbers<5>,
    air: Numbers<2>,
    focus: Numbers<2>,
    tracking: Numbers<5>,
    observatory: Observatory,
}

/// The sensor, as far as light is concerned.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Screen {
    /// Columns and rows.
    pub(in super::super) size: (u32, u32),
    /// Size of a pixel, µm.
    pub(in super::super) pixel: f64,
    pub(in super::super) seed: u64,
}

const fn number(name: &'static str, min: f64, max: f64, step: f64, default: f64) -> Number {
    Number { name, min, max, step, default }
}

/// The Pleiades, with north at the top.
const POINTING: [Number; 3] = [
    number("RA", 0.0, 24.0, 0.0, 3.7833),
    number("DEC", -90.0, 90.0, 0.0, 24.12),
    number("ROTATION", 0.0, 360.0, 0.0, 180.0),
];

/// A small telephoto lens of f/4.
const OPTICS: [Number; 5] = [
    number("FOCAL_LENGTH", 10.0, 20000.0, 0.0, 200.0),
    number("APERTURE", 5.0, 10000.0, 0.0, 50.0),
    number("SPOT", 0.0, 100.0, 0.0, 8.0),
    number("VIGNETTING", 0.0, 90.0, 0.0, 12.0),
    number("DUST", 0.0, 100.0, 0.0, 15.0),
];

/// An average night over a suburb.
const AIR: [Number; 2] = [number("SEEING", 0.0, 30.0, 0.0, 2.5), number("BRIGHTNESS", 10.0, 25.0, 0.0, 19.5)];

/// In focus where INDI's simulated focuser begins.
const FOCUS: [Number; 2] =
    [number("BEST", -1_000_000.0, 1_000_000.0, 0.0, 50000.0), number("STEP", 0.01, 100.0, 0.0, 0.5)];

/// A perfect mount, guided at half the speed of the stars.
const TRACKING: [Number; 5] = [
    number("DRIFT_RA", -3600.0, 3600.0, 0.0, 0.0),
    number("DRIFT_DEC", -3600.0, 3600.0, 0.0, 0.0),
    number("PERIODIC_ERROR", 0.0, 600.0, 0.0, 0.0),
    number("PERIOD", 10.0, 3600.0, 0.0, 480.0),
    number("GUIDE_RATE", 0.1, 60.0, 0.0, 7.5),
];

impl Light {
    pub(in super::super) fn new() -> Self {
        Light {
            pointing: Numbers::new("SIMULATOR_POINTING", &POINTING),
            optics: Numbers::new("SIMULATOR_OPTICS", &OPTICS),
            air: Numbers::new("SIMULATOR_SKY", &AIR),
            focus: Numbers::new("SIMULATOR_FOCUS", &FOCUS),
            tracking: Numbers::new("SIMULATOR_TRACKING", &TRACKING),
            observatory: Observatory::default(),
        }
    }

    /// The vector of that name.
    pub(in super::super) fn named(&mut self, name: &str) -> Option<&mut dyn Vector> {
        Some(match name {
            "SIMULATOR_POINTING" => &mut self.pointing,
            "SIMULATOR_OPTICS" => &mut self.optics,
            "SIMULATOR_SKY" => &mut self.air,
            "SIMULATOR_FOCUS" => &mut self.focus,
            "SIMULATOR_TRACKING" => &mut self.tracking,
            SCENE_PARAMETER => &mut self.observatory,
            _ => return None,
        })
    }

    /// Where the telescope points by what other devices tell: right ascension and declination, J2000, in degrees.
    pub(in super::super) fn told(&self) -> Option<(f64, f64)> {
        self.observatory.seen().pointing
    }

    /// How the mount tracks.
    pub(in super::super) fn tracking(&self) -> Tracking {
        let [right_ascension, declination, amplitude, period, guide_rate] = self.tracking.values();
        Tracking { drift: [right_ascension / 60.0, declination / 60.0], amplitude, period, guide_rate }
    }

    /// What a sensor looks at. `way` tells how far the telescope has strayed in right ascension and declination, ″,
    /// when a share of the exposure is over.
    pub(in super::super) fn view(&self, screen: Screen, way: impl Fn(f64) -> [f64; 2]) -> View {
        let seen = self.observatory.seen();
        let [hours, dec, rotation] = self.pointing.values();
        let [focal_length, aperture, spot, vignetting, dust] = self.optics.values();
        let [seeing, brightness] = self.air.values();
        let [best, step] = self.focus.values();
        let flip = if seen.flipped { 180.0 } else { 0.0 };
        let mut view = View {
            seed: screen.seed,
            size: screen.size,
            pixel: screen.pixel,
            pointing: seen.pointing.unwrap_or((hours * 15.0, dec)),
            rotation: (rotation + seen.rotator.unwrap_or(0.0) + flip).rem_euclid(360.0),
            focal_length: seen.focal_length.unwrap_or(focal_length),
            aperture: seen.aperture.unwrap_or(aperture),
            spot,
            seeing,
            defocus: seen.focuser.map_or(0.0, |position| (position - best) * step),
            brightness: seen.brightness.filter(|brightness| *brightness > 0.0).unwrap_or(brightness),
            vignetting: vignetting / 100.0,
            dust,
            trail: Vec::new(),
        };
        view.stray(way);
        view
    }
}
