//! The sensor from inside, where time and temperature are free: what its frames have in common, how their pixels are
//! added, and that they are the same everywhere. What a user measures of it is in the tests of the contract. All bounds
//! are wide compared with the statistical error, and seeds are fixed, so a failure is a fault.
#![allow(clippy::cast_possible_truncation, reason = "small images")]

use std::sync::LazyLock;
use std::time::Duration;

use super::model::{Adding, Dark, Model};
use super::mosaic::Mosaic;
use super::presets;
use super::readout::{FLAT_LIGHT, Recipe};
use super::sensor::Sensor;
use super::settings::Settings;
use super::sky::Sky;
use crate::camera::types::{Binning, FrameType, Pixels, Roi, Spare};

const WIDTH: u32 = 200;
const HEIGHT: u32 = 150;
const COLD: f64 = -20.0;

/// The custom sensor, small.
fn custom(mosaic: Mosaic) -> Model {
    Model { width: WIDTH, height: HEIGHT, mosaic, ..Settings::new().model() }
}

fn sensor(mosaic: Mosaic) -> Sensor {
    Sensor::new(custom(mosaic), 1)
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
        cosmic_rays: 0.0,
    }
}

fn draw(sensor: &Sensor, recipe: &Recipe, number: u64) -> Pixels {
    static SKY: LazyLock<Sky> = LazyLock::new(|| Sky::seeded(1, WIDTH, HEIGHT));
    sensor.read_out(Some(&SKY), recipe, number, &Spare::default(), &|| false).unwrap()
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

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
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
fn a_bias_knows_neither_light_nor_time() {
    let sensor = sensor(Mosaic::Mono);
    let warm = Recipe { temperature: 20.0, cosmic_rays: 9.0, ..recipe(FrameType::Bias, 3600.0) };
    assert_eq!(draw(&sensor, &warm, 7), draw(&sensor, &recipe(FrameType::Bias, 0.0001), 7));
}

#[test]
fn shot_noise_is_that_of_few_electrons_as_of_many() {
    let sensor = Sensor::new(Model { hot_pixels: 0.0, ..custom(Mosaic::Mono) }, 1);
    let (_, floor) = pair(&sensor, &recipe(FrameType::Bias, 1.0));
    let scale = sensor.model.electrons_per_adu(100);
    for electrons in [0.3, 3.0, 12.0, 20.0, 300.0, 10_000.0] {
        let seconds = electrons / f64::from(FLAT_LIGHT);
        let (level, noise) = pair(&sensor, &recipe(FrameType::Flat, seconds));
        let (signal, noise) = ((level - 100.0) * scale, (noise - floor) * scale * scale);
        // Vignetting and dust take up to an eighth.
        assert!((0.8 * electrons..electrons).contains(&signal), "{signal} e⁻ of {electrons}");
        // For three tenths of an electron the read noise is most of the noise.
        close(noise, signal, if electrons < 1.0 { 0.15 } else { 0.04 });
    }
}

#[test]
fn hot_pixels_stay_where_they_are_and_cool_down_with_the_rest() {
    let model = Model { hot_pixels: 2000.0, ..custom(Mosaic::Mono) };
    let dark = Recipe { temperature: 20.0, ..recipe(FrameType::Dark, 100.0) };
    let scale = model.electrons_per_adu(100);
    let sensor = Sensor::new(model, 1);
    let signal = |recipe: &Recipe, number| -> Vec<f64> {
        values(&draw(&sensor, recipe, number)).iter().map(|value| (value - 100.0) * scale).collect()
    };
    // An ordinary pixel has 50 e⁻, the coolest hot one 500.
    let hot = |signal: &[f64]| (0..signal.len()).filter(|&i| signal[i] > 300.0).collect::<Vec<_>>();
    let (first, second) = (signal(&dark, 0), signal(&dark, 1));
    assert_eq!(hot(&first), hot(&second));
    assert!((30..90).contains(&hot(&first).len()), "{} of 60 hot pixels", hot(&first).len());
    close(median(first.clone()), 50.0, 0.05);
    assert_ne!(hot(&values(&draw(&Sensor::new(sensor.model.clone(), 2), &dark, 0))), hot(&first));
    // Twelve K are a factor of four, for all of them that were not full.
    let cold = signal(&Recipe { temperature: 8.0, ..dark }, 2);
    let open: Vec<usize> = hot(&first).into_iter().filter(|&i| first[i] < 15_000.0).collect();
    let sum = |signal: &[f64]| open.iter().map(|&i| signal[i]).sum::<f64>();
    close(sum(&first) / sum(&cold), 4.0, 0.05);
    // A window shows what the whole sensor shows there.
    let roi = Roi { x: 33, y: 21, width: 100, height: 80 };
    let window = signal(&Recipe { roi, ..dark }, 0);
    for place in hot(&first) {
        let (x, y) = (place as u32 % WIDTH, place as u32 / WIDTH);
        let inside = (33..133).contains(&x) && (21..101).contains(&y);
        assert!(!inside || window[((y - 21) * 100 + x - 33) as usize] > 300.0, "({x}, {y}) is not hot");
    }
}

#[test]
fn cosmic_rays_hit_darks_and_each_frame_elsewhere() {
    let sensor = Sensor::new(Model { hot_pixels: 0.0, ..custom(Mosaic::Mono) }, 1);
    let scale = sensor.model.electrons_per_adu(100);
    // 0.81 mm²: 24 rays.
    let dark = Recipe { cosmic_rays: 50.0, ..recipe(FrameType::Dark, 60.0) };
    let hit = |recipe: &Recipe, number| {
        let values = values(&draw(&sensor, recipe, number));
        (0..values.len()).filter(|&i| (values[i] - 100.0) * scale > 60.0).collect::<Vec<_>>()
    };
    let (first, second) = (hit(&dark, 0), hit(&dark, 1));
    assert!((12..120).contains(&first.len()), "{} pixels hit", first.len());
    assert_ne!(first, second);
    assert_eq!(hit(&Recipe { cosmic_rays: 0.0, ..dark }, 0), [0_usize; 0]);
    // The same rays, whatever the window.
    let lower = Recipe { roi: Roi { y: 75, height: 75, ..dark.roi }, ..dark };
    let below: Vec<usize> = first.iter().filter_map(|place| place.checked_sub(75 * WIDTH as usize)).collect();
    assert_eq!(hit(&lower, 0), below);
}

#[test]
fn stars_stand_where_they_are_whatever_the_window_and_binning() {
    let sensor = sensor(Mosaic::Mono);
    let brightest = |roi: Roi, binning| {
        let light = Recipe { roi, binning, ..recipe(FrameType::Light, 10.0) };
        let (columns, _) = roi.binned(binning);
        let values = values(&draw(&sensor, &light, 0));
        let place = (0..values.len()).max_by(|&a, &b| values[a].total_cmp(&values[b])).unwrap() as u32;
        (roi.x + place % columns * binning.x, roi.y + place / columns * binning.y, values)
    };
    let full = recipe(FrameType::Light, 1.0).roi;
    let (x, y, pixels) = brightest(full, Binning::NONE);
    assert!(pixels.iter().copied().fold(0.0, f64::max) > 10.0 * median(pixels), "no bright star");
    let roi = Roi { x: x.saturating_sub(9), y: y.saturating_sub(7), width: 18, height: 14 };
    let (near_x, near_y, _) = brightest(roi, Binning::NONE);
    assert!(near_x.abs_diff(x) <= 2 && near_y.abs_diff(y) <= 2, "({near_x}, {near_y}) not ({x}, {y})");
    let (binned_x, binned_y, _) = brightest(full, Binning { x: 3, y: 2 });
    assert!(
        binned_x.abs_diff(x) <= 4 && binned_y.abs_diff(y) <= 3,
        "({binned_x}, {binned_y}) not ({x}, {y})"
    );
}

#[test]
fn a_ccd_adds_charge_and_reads_it_once_and_a_cmos_sensor_averages_what_it_has_read() {
    let small = |model: Model| {
        let dark = Dark { rate: 0.5, at: 20.0, doubling: 6.0 };
        Sensor::new(Model { width: WIDTH, height: HEIGHT, hot_pixels: 0.0, dark, ..model }, 1)
    };
    let sensors = [small(presets::kaf8300()), small(presets::imx533(Mosaic::Mono))];
    for (sensor, gain) in sensors.iter().zip([0, 100]) {
        let base = f64::from(100 << sensor.shift());
        for binning in [Binning { x: 2, y: 2 }, Binning { x: 3, y: 1 }, Binning { x: 1, y: 4 }] {
            let pixels = f64::from(binning.x * binning.y);
            let (sum, noise) = match sensor.model.binning {
                Adding::Charge => (pixels, 1.0),
                Adding::Mean => (1.0, 1.0 / pixels),
            };
            for (frame_type, seconds) in [(FrameType::Flat, 0.1), (FrameType::Dark, 2000.0)] {
                let single = Recipe { gain, temperature: 10.0, ..recipe(frame_type, seconds) };
                let (one, _) = pair(sensor, &single);
                let (many, _) = pair(sensor, &Recipe { binning, ..single });
                close((many - base) / (one - base), sum, 0.01);
            }
            let single = Recipe { gain, ..recipe(FrameType::Bias, 0.001) };
            close(pair(sensor, &Recipe { binning, ..single }).1, noise * pair(sensor, &single).1, 0.08);
        }
    }
}

#[test]
fn the_well_the_converter_and_its_container_are_finite() {
    let bright = Recipe { gain: 0, ..recipe(FrameType::Flat, 60.0) };
    let wide = sensor(Mosaic::Mono);
    let full = f64::from(wide.model.full_well) / wide.model.electrons_per_adu(0);
    close(pair(&wide, &bright).0 - 100.0, full, 0.001);
    for (bits, left_aligned, largest) in [
        (8, false, 255.0),
        (10, false, 1023.0),
        (12, false, 4095.0),
        (12, true, 65520.0),
        (14, true, 65532.0),
        (16, false, 65535.0),
    ] {
        let depth = Model { bits, left_aligned, ..custom(Mosaic::Mono) };
        let electrons_per_adu = 52_000.0 / f64::from(1 << bits);
        let sensor = Sensor::new(Model { electrons_per_adu, ..depth }, 1);
        let pixels = draw(&sensor, &Recipe { gain: 100, ..bright }, 0);
        assert_eq!(pixels.bits(), if bits == 8 { 8 } else { 16 });
        assert!(values(&pixels).iter().all(|&value| (value - largest).abs() < 0.5), "{bits} bit");
        let dim = values(&draw(&sensor, &Recipe { gain: 100, ..recipe(FrameType::Flat, 0.05) }, 0));
        let step = f64::from(1 << sensor.shift());
        assert!(dim.iter().all(|value| value % step == 0.0), "{bits} bit are not the upper ones");
    }
    let nothing = Recipe { offset: 0, ..recipe(FrameType::Bias, 0.001) };
    let values = values(&draw(&wide, &nothing, 0));
    assert!(values.iter().all(|&value| value < 100.0), "below zero must stay at zero");
}

#[test]
fn a_mosaic_shows_its_colours_where_they_belong() {
    // An odd corner: the letters belong to the sensor, not to the window.
    let roi = Roi { x: 91, y: 61, width: 40, height: 40 };
    for mosaic in [Mosaic::Rggb, Mosaic::Bggr, Mosaic::Grbg, Mosaic::Gbrg] {
        for (frame_type, seconds) in [(FrameType::Flat, 0.5), (FrameType::Light, 300.0)] {
            let frame = draw(&sensor(mosaic), &Recipe { roi, ..recipe(frame_type, seconds) }, 0);
            let values = values(&frame);
            // The median, because stars are no part of the sky's glow.
            let level = |y: u32, x: u32| {
                let of_cell = |i: &usize| {
                    let (row, column) = (*i as u32 / roi.width, *i as u32 % roi.width);
                    (roi.y + row) % 2 == y && (roi.x + column) % 2 == x
                };
                median((0..values.len()).filter(of_cell).map(|i| values[i] - 100.0).collect())
            };
            let green = level(0, 0).max(level(0, 1));
            for (y, x) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                let wanted = match mosaic.pattern().unwrap().as_bytes()[(2 * y + x) as usize] {
                    b'R' => 0.55 / 0.9,
                    b'B' => 0.7 / 0.9,
                    _ => 1.0,
                };
                close(level(y, x) / green, wanted, 0.04);
            }
        }
    }
}

/// Everything at once: colours, hot pixels, cosmic rays, a window at odd places.
fn busy(frame_type: FrameType, binning: Binning) -> Recipe {
    Recipe {
        roi: Roi { x: 11, y: 7, width: 181, height: 140 },
        binning,
        temperature: 15.0,
        cosmic_rays: 40.0,
        ..recipe(frame_type, 30.0)
    }
}

#[test]
fn the_bytes_depend_on_nothing_but_the_recipe() {
    let small = |model: Model| Sensor::new(Model { width: WIDTH, height: HEIGHT, ..model }, 1);
    for sensor in [small(custom(Mosaic::Rggb)), small(presets::imx294()), small(presets::kaf8300())] {
        for binning in [Binning::NONE, Binning { x: 2, y: 1 }] {
            let light = busy(FrameType::Light, binning);
            let on = |threads, number| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| draw(&sensor, &light, number))
            };
            let frame = on(1, 5);
            assert_eq!(on(2, 5), frame);
            assert_ne!(on(2, 6), frame);
        }
    }
}

/// Another machine, another compiler or another version of a library must not draw anything else: whoever compares
/// frames of this seed relies on it. A change of the simulation changes these numbers, and is to be told.
#[test]
fn the_bytes_are_those_that_every_machine_draws() {
    let sums = [FrameType::Bias, FrameType::Dark, FrameType::Flat, FrameType::Light].map(|frame_type| {
        let sensor = Sensor::new(Model { width: WIDTH, height: HEIGHT, ..presets::imx294() }, 42);
        let frame = values(&draw(&sensor, &busy(frame_type, Binning::NONE), 3));
        // Fowler, Noll and Vo's hash.
        frame.iter().fold(0xcbf2_9ce4_8422_2325_u64, |sum, value| {
            (sum ^ value.to_bits()).wrapping_mul(0x0000_0100_0000_01b3)
        })
    });
    assert_eq!(
        sums,
        [
            4_060_010_189_736_121_173,
            13_927_704_836_560_655_189,
            16_638_606_829_935_399_765,
            9_705_034_828_133_438_293
        ]
    );
}

#[test]
fn a_cancelled_read_out_gives_nothing() {
    let dark = recipe(FrameType::Dark, 1.0);
    assert_eq!(sensor(Mosaic::Mono).read_out(None, &dark, 0, &Spare::default(), &|| true), None);
}
