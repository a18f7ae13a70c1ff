//! The simulated sensor as its user would measure it: by pairs of frames, as a photon transfer curve is made. All
//! bounds are several times the statistical error, and seeds are fixed, so a failure is a fault.

use indi_camera::backend::simulator::Simulator;

use super::*;

/// Gain setting, electrons per ADU as delivered, and read noise in electrons.
type Points = &'static [(i32, f64, f64)];

/// What the settings of a model say: not asked of the simulator, but of `src/backend/simulator/presets.rs` and of the
/// defaults in the skeleton file.
const MODELS: &[(&str, Points)] = &[
    ("CUSTOM", &[(0, 0.793_5, 2.0), (100, 0.250_9, 2.0), (200, 0.079_35, 2.0)]),
    ("IMX571M", &[(0, 0.763, 3.3), (100, 0.241_3, 1.5), (200, 0.076_3, 1.357)]),
    ("IMX455M", &[(0, 0.8, 3.5), (100, 0.253, 1.5)]),
    // 14 bits in the upper ones of 16.
    ("IMX533C", &[(0, 3.05 / 4.0, 3.8), (100, 0.964_5 / 4.0, 1.5)]),
    ("IMX294C", &[(0, 3.9 / 4.0, 7.3), (119, 0.990_9 / 4.0, 6.2), (120, 0.979_6 / 4.0, 1.9)]),
    // 12 bits in the upper ones of 16.
    ("IMX462C", &[(0, 2.73 / 16.0, 2.65), (80, 1.086_8 / 16.0, 0.9), (200, 0.273 / 16.0, 0.709)]),
    ("KAF8300M", &[(0, 0.37, 9.3)]),
];

/// Light of the flat field panel, e⁻/s, as far as vignetting, dust and colour filters let it through.
const PANEL: f64 = 10_000.0;
const WINDOW: (u32, u32) = (256, 256);

fn numbers(elements: &[(&str, f64)]) -> Value {
    Value::Record(elements.iter().map(|(name, value)| ((*name).to_owned(), number(*value))).collect())
}

/// A camera of that model with a small window in the middle, and some more settings. No cosmic rays, which a
/// statistician would throw out, and a telescope that shows few stars.
fn measured(model: &str, settings: &[(&str, Value)]) -> Rig {
    let mut camera = Box::new(Simulator::new());
    camera.set_parameter("SIMULATOR_MODEL", text(model)).unwrap();
    let quiet = ("SIMULATOR_SURROUNDINGS", numbers(&[("COSMIC_RAYS", 0.0)]));
    let long = ("SIMULATOR_OPTICS", numbers(&[("FOCAL_LENGTH", 3000.0)]));
    for (name, value) in [quiet, long].iter().chain(settings) {
        camera.set_parameter(name, value.clone()).unwrap();
    }
    let id = camera.scanning().unwrap().remove(0);
    let can = camera.connect(&id).unwrap();
    let (width, height) = WINDOW;
    let roi = Roi { x: can.sensor.width / 2 - 128, y: can.sensor.height / 2 - 128, width, height };
    camera.set_camera_roi(roi).unwrap();
    Rig { camera, id, can, hardware: false }
}

impl Rig {
    fn values(&mut self, frame_type: FrameType, seconds: f64) -> Vec<f64> {
        match self.frame(Duration::from_secs_f64(seconds), frame_type).pixels {
            Pixels::U8(a) => a.iter().map(|&p| f64::from(p)).collect(),
            Pixels::U16(a) => a.iter().map(|&p| f64::from(p)).collect(),
            Pixels::U32(a) => a.iter().map(|&p| f64::from(p)).collect(),
        }
    }

    /// Mean of two frames taken alike, and the variance of one, free of everything that both show alike.
    fn pair(&mut self, frame_type: FrameType, seconds: f64) -> (f64, f64) {
        let [a, b] = [0, 1].map(|_| self.values(frame_type, seconds));
        let level = f64::midpoint(average(&a), average(&b));
        let differences: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a - b).collect();
        (level, variance(&differences) / 2.0)
    }
}

fn average(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn variance(values: &[f64]) -> f64 {
    let mean = average(values);
    values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[track_caller]
fn close(got: f64, wanted: f64, relative: f64, what: &str) {
    assert!(
        (got - wanted).abs() <= relative * wanted.abs(),
        "{what}: {got} is not {wanted} within {relative}"
    );
}

#[test]
fn a_photon_transfer_curve_gives_the_gain_and_the_read_noise_of_the_settings() {
    for (model, points) in MODELS {
        let mut rig = measured(model, &[]);
        let step = f64::from(1 << (16 - rig.can.sensor.adc_bits));
        for &(gain, electrons_per_adu, read_noise) in *points {
            let what = format!("{model} at gain {gain}");
            if rig.can.gain.is_some() {
                rig.camera.set_gain(gain).unwrap();
            }
            // No more than an eighth of a second of light.
            let electrons = (electrons_per_adu * 32_768.0).min(1250.0);
            let (bias, floor) = rig.pair(FrameType::Bias, 0.0001);
            let (flat, noise) = rig.pair(FrameType::Flat, electrons / PANEL);
            // Shot noise of n electrons is √n, so signal over variance is electrons per ADU.
            close((flat - bias) / (noise - floor), electrons_per_adu, 0.02, &what);
            // A converter adds a twelfth of the square of its step.
            let noise = (floor - step * step / 12.0).max(0.0).sqrt() * electrons_per_adu;
            // Of a noise that is a third of a step the steps hide too much.
            let hidden = read_noise / electrons_per_adu < 0.5 * step;
            close(noise, read_noise, if hidden { 0.25 } else { 0.05 }, &what);
        }
    }
}

#[test]
fn a_bias_is_at_the_offset() {
    for (model, _) in MODELS {
        let mut rig = measured(model, &[]);
        let step = f64::from(1 << (16 - rig.can.sensor.adc_bits));
        let Some(range) = rig.can.offset else {
            close(rig.pair(FrameType::Bias, 0.0001).0, 1000.0, 0.001, model);
            continue;
        };
        for offset in [range.max / 3, range.max] {
            rig.camera.set_offset(offset).unwrap();
            close(rig.pair(FrameType::Bias, 0.0001).0, f64::from(offset) * step, 0.002, model);
        }
    }
}

#[test]
fn the_signal_grows_straight_with_time_up_to_the_full_well() {
    // So small that it is full in half a second.
    let full_well = 5000.0;
    let pixel = numbers(&[("FULL_WELL", full_well), ("HOT_PIXELS", 0.0)]);
    let mut rig = measured("CUSTOM", &[("SIMULATOR_PIXEL", pixel)]);
    rig.camera.set_gain(0).unwrap();
    let (bias, _) = rig.pair(FrameType::Bias, 0.0001);
    let mut rate = |seconds: f64| (rig.pair(FrameType::Flat, seconds).0 - bias) / seconds;
    let reference = rate(0.2);
    for share in [0.01, 0.03, 0.1, 0.3, 0.9] {
        close(rate(share * full_well / PANEL), reference, 0.01, &format!("at {share} of the full well"));
    }
    let full = median(rig.values(FrameType::Flat, 2.0 * full_well / PANEL)) - bias;
    // At gain 0 the converter spans 4 % more than the full well.
    close(full, 65_536.0 / 1.04, 0.001, "full");
}

#[test]
fn dark_current_is_that_of_the_temperature() {
    let pixel = numbers(&[("DARK_CURRENT", 900.0), ("DARK_DOUBLING", 5.0), ("HOT_PIXELS", 0.0)]);
    let at = |ambient: f64| {
        let air = ("SIMULATOR_SURROUNDINGS", numbers(&[("AMBIENT", ambient)]));
        let mut rig = measured("CUSTOM", &[("SIMULATOR_PIXEL", pixel.clone()), air]);
        let (bias, _) = rig.pair(FrameType::Bias, 0.1);
        let electrons_per_adu = 0.250_9;
        [0.1, 0.3].map(|seconds| (rig.pair(FrameType::Dark, seconds).0 - bias) * electrons_per_adu / seconds)
    };
    let (warm, cool) = (at(20.0), at(10.0));
    for (rates, expected) in [(warm, 900.0), (cool, 225.0)] {
        for rate in rates {
            close(rate, expected, 0.01, "e⁻/s");
        }
    }
}

/// Sums of light above the sky in boxes around the brightest stars of a frame, ADU, the brightest first.
fn fluxes(image: &[f64], stars: usize) -> Vec<f64> {
    const HALF: usize = 9;
    let (width, height) = (WINDOW.0 as usize, WINDOW.1 as usize);
    let sky = median(image.to_vec());
    let mut left = image.to_vec();
    let mut fluxes = Vec::new();
    while fluxes.len() < stars {
        let inside = |place: &usize| {
            (HALF..width - HALF).contains(&(place % width))
                && (HALF..height - HALF).contains(&(place / width))
        };
        let places = (0..left.len()).filter(inside);
        let place = places.max_by(|&a, &b| left[a].total_cmp(&left[b])).unwrap();
        let mut flux = 0.0;
        for y in place / width - HALF..=place / width + HALF {
            for pixel in &mut left[y * width + place % width - HALF..=y * width + place % width + HALF] {
                flux += *pixel - sky;
                *pixel = sky;
            }
        }
        fluxes.push(flux);
    }
    fluxes.sort_by(|a, b| b.total_cmp(a));
    fluxes
}

/// V magnitudes of Electra, Maia, Taygeta, Celaeno and the fainter half of Asterope, the brightest of the Pleiades in
/// their north-west.
const PLEIADES: [f64; 5] = [3.70, 3.87, 4.30, 5.45, 6.43];

#[test]
fn stars_give_light_in_proportion_to_time_and_brightness() {
    let even = numbers(&[("VIGNETTING", 0.0), ("DUST", 0.0), ("FOCAL_LENGTH", 150.0), ("APERTURE", 50.0)]);
    let west = numbers(&[("RA", 3.755), ("DEC", 24.3)]);
    let mut rig = measured("CUSTOM", &[("SIMULATOR_OPTICS", even), ("SIMULATOR_POINTING", west)]);
    rig.camera.set_gain(0).unwrap();
    let mut of = |seconds: f64| {
        let frames: Vec<Vec<f64>> = (0..8).map(|_| rig.values(FrameType::Light, seconds)).collect();
        let sum: Vec<f64> = (0..frames[0].len()).map(|i| frames.iter().map(|frame| frame[i]).sum()).collect();
        fluxes(&sum, PLEIADES.len())
    };
    let (short, long) = (of(0.004), of(0.012));
    for (short, long) in short.iter().zip(&long) {
        // The faintest has 900 e⁻ in each of the short ones, and 19² pixels of read noise below it.
        close(long / short, 3.0, 0.06, "three times the light in three times the time");
    }
    for (flux, magnitude) in long.iter().zip(PLEIADES) {
        let expected = long[0] * 10_f64.powf(-0.4 * (magnitude - PLEIADES[0]));
        // The catalogue's magnitudes are V magnitudes to some hundredths.
        close(*flux, expected, 0.07, &format!("magnitude {magnitude}"));
    }
}
