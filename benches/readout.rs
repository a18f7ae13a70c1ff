//! From pixels to the bytes of a file, for a frame of 4656 x 3520 pixels of 16 bits (32.8 MB).

use std::time::{Duration, SystemTime};

use divan::Bencher;
use divan::counter::BytesCount;
use indi_camera::backend::simulator::Simulator;
use indi_camera::camera::Camera;
use indi_camera::camera::types::{ExposureId, ExposureRequest, ExposureStatus, FrameType, Value};
use indi_camera::delivery::blob::{Buffer, Transport};
use indi_camera::image::pack::Packed;
use indi_camera::image::planes::Planes;
use indi_camera::image::statistics::Statistics;
use indi_camera::image::stretch::{SKY, stretch};
use indi_camera::image::xisf::Unit;
use indi_camera::image::{Binning, Frame, FrameInfo, Pixels, Roi, fits, native, stars, window};
use ndarray::Array3;
use rand::SeedableRng;
use rand_distr::{Distribution, Normal};
use rand_xoshiro::Xoshiro256PlusPlus;

const WIDTH: u32 = 4656;
const HEIGHT: u32 = 3520;
const FULL: Roi = Roi { x: 0, y: 0, width: WIDTH, height: HEIGHT };
const BYTES: usize = (WIDTH * HEIGHT * 2) as usize;

fn main() {
    divan::main();
}

fn pixels() -> Pixels {
    let mut value = 0u16;
    Pixels::U16(Array3::from_shape_simple_fn((1, HEIGHT as usize, WIDTH as usize), || {
        value = value.wrapping_mul(25_173).wrapping_add(13_849);
        value
    }))
}

fn frame() -> Frame {
    let info = FrameInfo::new(SystemTime::UNIX_EPOCH, Duration::ZERO, FULL);
    Frame { pixels: pixels(), info }
}

/// A sky of 1000 ADU with the noise that belongs to it.
fn sky() -> Pixels {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let noise = Normal::new(1000f32, 30.0).ok();
    Pixels::U16(Array3::from_shape_simple_fn((1, HEIGHT as usize, WIDTH as usize), || {
        noise.map_or(0, |noise| noise.sample(&mut rng) as u16)
    }))
}

/// What a copy costs: the floor for everything else.
#[divan::bench]
fn copy_into_warm_memory(bencher: Bencher<'_, '_>) {
    let (from, mut to) = (vec![3u8; BYTES], vec![1u8; BYTES]);
    bencher.counter(BytesCount::new(BYTES)).bench_local(|| divan::black_box(&mut to).copy_from_slice(&from));
}

#[divan::bench]
fn encode_into_warm_memory(bencher: Bencher<'_, '_>) {
    let pixels = pixels();
    let mut to = vec![1u8; fits::encoded_len(&[], &pixels)];
    bencher
        .counter(BytesCount::new(BYTES))
        .bench_local(|| fits::encode(&[], &pixels, divan::black_box(&mut to)));
}

/// Of a frame that is larger all around, as a camera without windows delivers it.
#[divan::bench]
fn encode_a_window_into_warm_memory(bencher: Bencher<'_, '_>) {
    let roi = Roi { x: 8, y: 8, width: WIDTH - 16, height: HEIGHT - 16 };
    let Ok(Frame { pixels, .. }) = window::fit(frame(), roi, Binning::NONE) else { return };
    let mut to = vec![1u8; fits::encoded_len(&[], &pixels)];
    bencher
        .counter(BytesCount::new(BYTES))
        .bench_local(|| fits::encode(&[], &pixels, divan::black_box(&mut to)));
}

#[divan::bench]
fn encode_into_prefaulted_memfd(bencher: Bencher<'_, '_>) {
    let pixels = pixels();
    let len = fits::encoded_len(&[], &pixels);
    bencher
        .counter(BytesCount::new(BYTES))
        .with_inputs(|| Buffer::new(Transport::Attached, len).ok())
        .bench_local_refs(|buffer| buffer.as_mut().map(|buffer| fits::encode(&[], &pixels, buffer.bytes())));
}

#[divan::bench]
fn encode_into_fresh_memfd(bencher: Bencher<'_, '_>) {
    let pixels = pixels();
    let len = fits::encoded_len(&[], &pixels);
    bencher.counter(BytesCount::new(BYTES)).bench_local(|| {
        let mut buffer = Buffer::new(Transport::Attached, len).ok();
        buffer.as_mut().map(|buffer| fits::encode(&[], &pixels, buffer.bytes())).map(|_| buffer)
    });
}

/// With as many threads as there are cores, as the driver has them.
#[divan::bench]
fn compress_fits(bencher: Bencher<'_, '_>) {
    let pixels = sky();
    bencher.counter(BytesCount::new(BYTES)).bench_local(|| {
        let packed = Packed::new(&[], &pixels).ok()?;
        let mut to = vec![0; packed.len()];
        packed.write(&mut to).ok()?;
        Some(to)
    });
}

/// The same by CFITSIO, with one thread and a file in memory.
#[divan::bench]
fn compress_fits_with_cfitsio(bencher: Bencher<'_, '_>) {
    use fitsio::images::{ImageDescription, ImageType};

    let Pixels::U16(pixels) = sky() else { return };
    let dimensions = [HEIGHT as usize, WIDTH as usize];
    let description = ImageDescription { data_type: ImageType::UnsignedShort, dimensions: &dimensions };
    bencher.counter(BytesCount::new(BYTES)).bench_local(|| {
        let mut file = fitsio::FitsFile::create("mem://[compress R]").open().ok()?;
        let image = file.create_image("EXTNAME", &description).ok()?;
        image.write_image(&mut file, pixels.as_slice()?).ok()
    });
}

#[divan::bench]
fn deflate_native(bencher: Bencher<'_, '_>) {
    let pixels = sky();
    let mut bytes = vec![0; native::encoded_len(&pixels)];
    native::encode(&pixels, &mut bytes);
    bencher.counter(BytesCount::new(BYTES)).bench_local(|| native::deflated(&bytes));
}

#[divan::bench]
fn compress_xisf(bencher: Bencher<'_, '_>) {
    let pixels = sky();
    bencher.counter(BytesCount::new(BYTES)).bench_local(|| {
        let unit = Unit::new(&[], &pixels, SystemTime::UNIX_EPOCH, true).ok()?;
        let mut to = vec![0; unit.len()];
        unit.write(&mut to).ok()?;
        Some(to)
    });
}

/// What the tool says of a frame after a capture.
#[divan::bench]
fn measure_statistics(bencher: Bencher<'_, '_>) {
    let pixels = sky();
    bencher.counter(BytesCount::new(BYTES)).bench_local(|| Statistics::of(&pixels, u32::from(u16::MAX)));
}

/// The light of the pixels is taken each time.
#[divan::bench]
fn find_stars(bencher: Bencher<'_, '_>) {
    let pixels = sky();
    bencher.counter(BytesCount::new(BYTES)).bench_local(|| stars::find(&Planes::of(&pixels, None)));
}

#[divan::bench]
fn stretch_preview(bencher: Bencher<'_, '_>) {
    let pixels = sky();
    bencher.counter(BytesCount::new(BYTES)).bench_local(|| stretch(&Planes::of(&pixels, None), SKY));
}

#[divan::bench]
fn bin_2x2(bencher: Bencher<'_, '_>) {
    fit(bencher, FULL, Binning { x: 2, y: 2 });
}

#[divan::bench]
fn bin_3x3(bencher: Bencher<'_, '_>) {
    fit(bencher, FULL, Binning { x: 3, y: 3 });
}

#[divan::bench]
fn crop_by_16_pixels(bencher: Bencher<'_, '_>) {
    fit(bencher, Roi { x: 8, y: 8, width: WIDTH - 16, height: HEIGHT - 16 }, Binning::NONE);
}

/// Sensor and noise alone.
#[divan::bench]
fn simulate_dark(bencher: Bencher<'_, '_>) {
    let mut camera = simulator();
    bencher.counter(BytesCount::new(BYTES)).bench_local(|| exposed(&mut camera, FrameType::Dark));
}

#[divan::bench]
fn simulate_bias(bencher: Bencher<'_, '_>) {
    let mut camera = simulator();
    bencher.counter(BytesCount::new(BYTES)).bench_local(|| exposed(&mut camera, FrameType::Bias));
}

/// Few electrons on each pixel, which have to be counted.
#[divan::bench(args = [3, 10, 200])]
fn simulate_flat_of_electrons(bencher: Bencher<'_, '_>, electrons: u64) {
    let mut camera = simulator();
    let duration = Duration::from_micros(100 * electrons);
    bencher
        .counter(BytesCount::new(BYTES))
        .bench_local(|| exposed_for(&mut camera, duration, FrameType::Flat));
}

/// Every pixel is read before four of them make one.
#[divan::bench]
fn simulate_dark_binned_by_a_cmos_camera(bencher: Bencher<'_, '_>) {
    let mut camera = Simulator::new();
    let _ = camera.set_parameter("SIMULATOR_MODEL", Value::Text("IMX571M".to_owned()));
    let mut camera = connected(camera);
    let _ = camera.set_camera_roi(FULL);
    let _ = camera.set_binning(Binning { x: 2, y: 2 });
    bencher.counter(BytesCount::new(BYTES)).bench_local(|| exposed(&mut camera, FrameType::Dark));
}

/// The default field, from the second frame on.
#[divan::bench]
fn simulate_stars(bencher: Bencher<'_, '_>) {
    let mut camera = simulator();
    exposed(&mut camera, FrameType::Light);
    bencher.counter(BytesCount::new(BYTES)).bench_local(|| exposed(&mut camera, FrameType::Light));
}

/// Every frame another field of the Milky Way, where there are most stars.
#[divan::bench]
fn simulate_stars_anew(bencher: Bencher<'_, '_>) {
    let (mut camera, mut step) = (simulator(), 0.0);
    bencher.counter(BytesCount::new(BYTES)).bench_local(|| {
        step += 1.0;
        set(&mut camera, "SIMULATOR_POINTING", &[("RA", 17.8 + 0.001 * step), ("DEC", -28.0)]);
        exposed(&mut camera, FrameType::Light)
    });
}

fn simulator() -> Simulator {
    let mut camera = Simulator::new();
    let size = [("WIDTH", f64::from(WIDTH)), ("HEIGHT", f64::from(HEIGHT)), ("PIXEL_SIZE", 3.76)];
    set(&mut camera, "SIMULATOR_SENSOR", &size);
    connected(camera)
}

fn connected(mut camera: Simulator) -> Simulator {
    let found = camera.scanning().unwrap_or_default();
    let _ = found.first().map(|id| camera.connect(id));
    camera
}

fn set(camera: &mut Simulator, vector: &str, numbers: &[(&str, f64)]) {
    let record = numbers.iter().map(|(name, number)| ((*name).to_owned(), Value::Number(*number)));
    let _ = camera.set_parameter(vector, Value::Record(record.collect()));
}

/// The shortest exposure, so that what is left is the drawing.
fn exposed(camera: &mut Simulator, frame_type: FrameType) -> Option<Frame> {
    exposed_for(camera, Duration::from_micros(100), frame_type)
}

fn exposed_for(camera: &mut Simulator, duration: Duration, frame_type: FrameType) -> Option<Frame> {
    camera.start_exposure(&ExposureRequest::new(ExposureId(1), duration, frame_type)).ok()?;
    while camera.get_exposure_status().ok()? != ExposureStatus::Ready {
        std::thread::park_timeout(Duration::from_micros(200));
    }
    camera.get_exposure_result().ok()
}

/// The frame is freed outside the measured time, the image made of it too.
fn fit(bencher: Bencher<'_, '_>, roi: Roi, binning: Binning) {
    bencher
        .counter(BytesCount::new(BYTES))
        .with_inputs(frame)
        .bench_local_values(|frame| window::fit(frame, roi, binning));
}
