//! The sensor as its user would measure it: pairs of calibration frames and their statistics. All bounds are wide
//! compared with the statistical error, and seeds are fixed, so a failure is a fault.
#![allow(clippy::cast_possible_truncation, reason = "small images")]

use std::time::Duration;

use super::sensor::{
    DARK_REFERENCE, FLAT_LIGHT, FULL_WELL, Mosaic, READ_NOISE, Recipe, Sensor, dark_current,
    electrons_per_adu,
};
use super::sky::Sky;
use crate::camera::types::{Binning, FrameType, Pixels, Roi};

const WIDTH: u32 = 200;
const HEIGHT: u32 = 150;
const COLD: f64 = -20.0;

fn sensor(bits: u8, mosaic: Mosaic) -> Sensor {
    Sensor::new(WIDTH, HEIGHT, bits, mosaic, 1)
}

fn recipe(frame_type: FrameType, seconds: f64) -> Recipe {
    Recipe {
        frame_type,
        duration: Duration::from_secs_f64(seconds),
        roi: Roi { x: 0, y: 0, width: WIDTH, height: HEIGHT },
        binning: Binning::NONE,
        gain: 100,
        offset: 100,
        temperature: COLD,
    }
}

fn draw(sensor: &Sensor, recipe: &Recipe, number: u64) -> Pixels {
    let sky = Sky::seeded(sensor.seed, sensor.width, sensor.height);
    sensor.read_out(&sky, recipe, number, &|| false).unwrap()
}

fn values(pixels: &Pixels) -> Vec<f64> {
    match pixels {
        Pixels::U8(a) => a.iter().map(|&p| f64::from(p)).collect(),
        Pixels::U16(a) => a.iter().map(|&p| f64::from(p)).collect(),
        Pixels::U32(_) => panic!("the simulator has no 32 bit frames"),
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64
}

/// Mean of two frames taken alike and the variance of one, free of everything that both show alike.
fn pair(sensor: &Sensor, recipe: &Recipe) -> (f64, f64) {
    let [a, b] = [0, 1].map(|number| values(&draw(sensor, recipe, number)));
    let difference: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a - b).collect();
    (f64::midpoint(mean(&a), mean(&b)), variance(&difference) / 2.0)
}

#[track_caller]
fn close(got: f64, wanted: f64, relative: f64) {
    assert!((got - wanted).abs() <= relative * wanted.abs(), "{got} is not {wanted} within {relative}");
}

#[test]
fn a_bias_shows_offset_and_read_noise_at_every_gain() {
    let sensor = sensor(16, Mosaic::Mono);
    for (gain, offset) in [(0, 100), (100, 100), (200, 1000)] {
        let bias = Recipe { gain, offset, ..recipe(FrameType::Bias, 0.001) };
        let (level, variance) = pair(&sensor, &bias);
        let scale = f64::from(electrons_per_adu(16, gain));
        close(level, f64::from(offset), 0.002);
        // Rounding to whole ADU adds 1/12 ADU².
        close(variance - 1.0 / 12.0, (f64::from(READ_NOISE) / scale).powi(2), 0.04);
    }
}

#[test]
fn a_bias_knows_neither_light_nor_time() {
    let sensor = sensor(16, Mosaic::Mono);
    let warm = Recipe { temperature: 20.0, ..recipe(FrameType::Bias, 3600.0) };
    assert_eq!(draw(&sensor, &warm, 7), draw(&sensor, &recipe(FrameType::Bias, 0.0001), 7));
}

#[test]
fn gain_is_what_a_photon_transfer_curve_says() {
    for bits in [12, 16] {
        let sensor = sensor(bits, Mosaic::Mono);
        for gain in [0, 100, 200] {
            let scale = f64::from(electrons_per_adu(bits, gain));
            // Shot noise of n electrons is √n, so variance over signal is ADU per electron at every brightness.
            for seconds in [0.05, 0.3] {
                let (flat, noise) = pair(&sensor, &Recipe { gain, ..recipe(FrameType::Flat, seconds) });
                let (bias, floor) = pair(&sensor, &Recipe { gain, ..recipe(FrameType::Bias, seconds) });
                close((flat - bias) / (noise - floor), scale, 0.05);
            }
        }
    }
    close(f64::from(electrons_per_adu(16, 0) / electrons_per_adu(16, 200)), 10.0, 1e-5);
    close(f64::from(electrons_per_adu(12, 0) / electrons_per_adu(16, 0)), 16.0, 1e-5);
}

#[test]
fn dark_current_grows_with_time_and_doubles_in_six_kelvin() {
    let sensor = sensor(16, Mosaic::Mono);
    let dark = |temperature, seconds| {
        let recipe = Recipe { temperature, ..recipe(FrameType::Dark, seconds) };
        (pair(&sensor, &recipe).0 - 100.0) * f64::from(electrons_per_adu(16, 100))
    };
    close(dark(DARK_REFERENCE, 100.0), 100.0 * dark_current(DARK_REFERENCE), 0.01);
    close(dark(DARK_REFERENCE, 1000.0) / dark(DARK_REFERENCE, 100.0), 10.0, 0.01);
    close(dark(8.0, 400.0) / dark(2.0, 400.0), 2.0, 0.02);
}

#[test]
fn a_flat_is_even_and_in_proportion_to_its_time() {
    let sensor = sensor(16, Mosaic::Mono);
    let scale = f64::from(electrons_per_adu(16, 100));
    let middle = Roi { x: 90, y: 65, width: 20, height: 20 };
    for seconds in [0.001, 0.1, 1.0] {
        let flat = Recipe { roi: middle, ..recipe(FrameType::Flat, seconds) };
        let signal = (pair(&sensor, &flat).0 - 100.0) * scale;
        close(signal, f64::from(FLAT_LIGHT) * seconds, 0.05);
    }
    let corner = Roi { x: 0, y: 0, ..middle };
    let level = |roi| pair(&sensor, &Recipe { roi, ..recipe(FrameType::Flat, 1.0) }).0;
    let ratio = level(corner) / level(middle);
    assert!((0.85..0.95).contains(&ratio), "corner over middle is {ratio}");
}

#[test]
fn stars_stand_where_they_are_whatever_the_window_and_binning() {
    let sensor = sensor(16, Mosaic::Mono);
    let brightest = |roi: Roi, binning| {
        let light = Recipe { roi, binning, ..recipe(FrameType::Light, 10.0) };
        let (columns, _) = roi.binned(binning);
        let values = values(&draw(&sensor, &light, 0));
        let place = (0..values.len()).max_by(|&a, &b| values[a].total_cmp(&values[b])).unwrap() as u32;
        (roi.x + place % columns * binning.x, roi.y + place / columns * binning.y, values)
    };
    let full = recipe(FrameType::Light, 1.0).roi;
    let (x, y, pixels) = brightest(full, Binning::NONE);
    let mut sorted = pixels.clone();
    sorted.sort_by(f64::total_cmp);
    assert!(sorted[sorted.len() - 1] > 10.0 * sorted[sorted.len() / 2], "no bright star");
    let roi = Roi { x: x.saturating_sub(9), y: y.saturating_sub(7), width: 18, height: 14 };
    let (near_x, near_y, _) = brightest(roi, Binning::NONE);
    assert_eq!((near_x, near_y), (x, y));
    let (binned_x, binned_y, _) = brightest(full, Binning { x: 3, y: 2 });
    assert!(
        binned_x.abs_diff(x) <= 4 && binned_y.abs_diff(y) <= 3,
        "({binned_x}, {binned_y}) not ({x}, {y})"
    );
}

#[test]
fn binning_sums_charge_and_costs_no_read_noise() {
    let sensor = sensor(16, Mosaic::Mono);
    for binning in [Binning { x: 2, y: 2 }, Binning { x: 3, y: 1 }, Binning { x: 1, y: 4 }] {
        let area = f64::from(binning.x * binning.y);
        for (frame_type, seconds) in [(FrameType::Flat, 0.1), (FrameType::Dark, 2000.0)] {
            let single = Recipe { temperature: 10.0, ..recipe(frame_type, seconds) };
            let (one, _) = pair(&sensor, &single);
            let (many, _) = pair(&sensor, &Recipe { binning, ..single });
            close((many - 100.0) / (one - 100.0), area, 0.01);
        }
        let single = recipe(FrameType::Bias, 0.001);
        close(pair(&sensor, &Recipe { binning, ..single }).1, pair(&sensor, &single).1, 0.08);
    }
}

#[test]
fn the_well_the_converter_and_its_container_are_finite() {
    let bright = Recipe { gain: 0, ..recipe(FrameType::Flat, 60.0) };
    let full = pair(&sensor(16, Mosaic::Mono), &bright).0;
    close(full - 100.0, f64::from(FULL_WELL / electrons_per_adu(16, 0)), 0.001);
    for (bits, largest) in [(8, 255.0), (10, 1023.0), (12, 4095.0), (14, 16383.0), (16, 65535.0)] {
        let pixels = draw(&sensor(bits, Mosaic::Mono), &Recipe { gain: 100, ..bright }, 0);
        assert_eq!(pixels.bits(), if bits == 8 { 8 } else { 16 });
        assert!(values(&pixels).iter().all(|&value| (value - largest).abs() < 0.5), "{bits} bit");
    }
    let nothing = Recipe { offset: 0, ..recipe(FrameType::Bias, 0.001) };
    let values = values(&draw(&sensor(16, Mosaic::Mono), &nothing, 0));
    assert!(values.iter().all(|&value| value < 100.0), "below zero must stay at zero");
}

#[test]
fn a_mosaic_shows_its_colours_where_they_belong() {
    // An odd corner: the letters belong to the sensor, not to the window.
    let roi = Roi { x: 91, y: 61, width: 40, height: 40 };
    for mosaic in [Mosaic::Rggb, Mosaic::Bggr, Mosaic::Grbg, Mosaic::Gbrg] {
        for (frame_type, seconds) in [(FrameType::Flat, 0.5), (FrameType::Light, 300.0)] {
            let frame = draw(&sensor(16, mosaic), &Recipe { roi, ..recipe(frame_type, seconds) }, 0);
            let values = values(&frame);
            // The median, because stars are no part of the sky's glow.
            let level = |y: u32, x: u32| {
                let of_cell = |i: usize| {
                    let (row, column) = (i as u32 / roi.width, i as u32 % roi.width);
                    (roi.y + row) % 2 == y && (roi.x + column) % 2 == x
                };
                let mut cell: Vec<_> =
                    (0..values.len()).filter(|&i| of_cell(i)).map(|i| values[i] - 100.0).collect();
                cell.sort_by(f64::total_cmp);
                cell[cell.len() / 2]
            };
            let green = level(0, 0).max(level(0, 1));
            for (y, x) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                let wanted = match mosaic.pattern().unwrap().as_bytes()[(2 * y + x) as usize] {
                    b'R' => 0.55 / 0.9,
                    b'B' => 0.7 / 0.9,
                    _ => 1.0,
                };
                close(level(y, x) / green, wanted, 0.03);
            }
        }
    }
}

#[test]
fn the_bytes_depend_on_nothing_but_the_recipe() {
    let sensor = sensor(16, Mosaic::Rggb);
    let light = Recipe { binning: Binning { x: 2, y: 1 }, ..recipe(FrameType::Light, 30.0) };
    let on = |threads, number| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| draw(&sensor, &light, number))
    };
    let frame = on(1, 5);
    assert_eq!(on(2, 5), frame);
    assert_ne!(on(2, 6), frame);
}

#[test]
fn a_cancelled_read_out_gives_nothing() {
    let sensor = sensor(16, Mosaic::Mono);
    let sky = Sky::seeded(1, WIDTH, HEIGHT);
    assert_eq!(sensor.read_out(&sky, &recipe(FrameType::Light, 1.0), 0, &|| true), None);
}
