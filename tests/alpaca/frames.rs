//! Frames are what the camera saw, pixel by pixel.

use indi_camera::camera::types::FrameInfo;

use super::script::Sends;
use super::*;

/// What a camera would have read under a window and a binning: the pixel at the corner of each binned one.
fn expected(script: &Script, roi: Roi, binning: Binning, plane: i32) -> Vec<i64> {
    let (columns, rows) = roi.binned(binning);
    let at = |column: u32, row: u32| {
        let (x, y) = (roi.x / binning.x + column, roi.y / binning.y + row);
        i64::from((script.pixel)(x * binning.x, y * binning.y) + plane)
    };
    (0..rows).flat_map(|row| (0..columns).map(move |column| at(column, row))).collect()
}

fn values(pixels: &Pixels) -> Vec<i64> {
    match pixels {
        Pixels::U8(a) => a.iter().map(|v| i64::from(*v)).collect(),
        Pixels::U16(a) => a.iter().map(|v| i64::from(*v)).collect(),
        Pixels::U32(a) => a.iter().map(|v| i64::from(*v)).collect(),
    }
}

#[track_caller]
fn is_what_the_camera_saw(rig: &mut Rig, roi: Roi, binning: Binning) {
    rig.camera.set_binning(binning).unwrap();
    let granted = rig.camera.set_camera_roi(roi).unwrap();
    let Frame { pixels, info } = rig.frame();
    assert_eq!((info.roi, info.binning), (granted, binning));
    let (columns, rows) = granted.binned(binning);
    assert_eq!(pixels.shape(), (1, rows as usize, columns as usize));
    let script = rig.observatory.camera.script().clone();
    assert_eq!(values(&pixels), expected(&script, granted, binning, 0), "{roi:?} under {binning:?}");
}

fn roi(x: u32, y: u32, width: u32, height: u32) -> Roi {
    Roi { x, y, width, height }
}

#[test]
fn windows_and_binnings_of_odd_sizes_come_pixel_by_pixel() {
    let mut rig = Rig::of(Script::of_size(31, 23));
    let full = rig.can.full();
    for binning in [(1, 1), (2, 2), (3, 1), (1, 4), (4, 3)].map(|(x, y)| Binning { x, y }) {
        for window in [full, roi(0, 0, 12, 12), roi(12, 12, 19, 11), roi(5, 7, 11, 9), roi(30, 22, 1, 1)] {
            is_what_the_camera_saw(&mut rig, window, binning);
        }
    }
}

#[test]
fn the_windows_that_a_server_is_told_are_binned() {
    let mut rig = Rig::of(Script::of_size(31, 23));
    rig.camera.set_binning(Binning { x: 3, y: 2 }).unwrap();
    assert_eq!(rig.camera.set_camera_roi(roi(6, 4, 12, 10)).unwrap(), roi(6, 4, 12, 10));
    let script = rig.observatory.camera.script().clone();
    assert_eq!((script.bin, script.start, script.num), ((3, 2), (2, 2), (4, 5)));
}

#[test]
fn a_camera_that_rounds_its_windows_is_believed() {
    let mut rig = Rig::of(Script { window_step: 8, ..Script::of_size(64, 48) });
    let granted = rig.camera.set_camera_roi(roi(19, 9, 17, 20)).unwrap();
    assert_eq!(granted, roi(16, 8, 16, 16));
    let Frame { pixels, info } = rig.frame();
    assert_eq!((pixels.shape(), info.roi), ((1, 16, 16), granted));
    let script = rig.observatory.camera.script().clone();
    assert_eq!(values(&pixels), expected(&script, granted, Binning::NONE, 0));
}

#[test]
fn the_depth_is_that_of_the_largest_value_that_the_camera_promises() {
    for (max_adu, sends, bits, adc_bits) in [
        (255, Sends::Bytes, 16, 8),
        (255, Sends::Integers, 16, 8),
        (4095, Sends::Words, 16, 12),
        (65535, Sends::Words, 16, 16),
        (65535, Sends::Integers, 16, 16),
        (1_048_575, Sends::Integers, 32, 20),
    ] {
        let pixel: fn(u32, u32) -> i32 = match max_adu {
            255 => |x, y| i32::try_from((x * 9 + y * 31) % 256).unwrap(),
            4095 => |x, y| i32::try_from((x * 131 + y * 31) % 4096).unwrap(),
            65535 => |x, y| i32::try_from((x * 2111 + y * 31 + 65_000) % 65_536).unwrap(),
            _ => |x, y| i32::try_from((x * 33_333 + y * 31 + 1_000_000) % 1_048_576).unwrap(),
        };
        let script = Script { max_adu, sends, pixel, ..Script::of_size(31, 23) };
        let mut rig = Rig::of(script.clone());
        assert_eq!((rig.can.sensor.bits, rig.can.sensor.adc_bits), (bits, adc_bits), "{max_adu}");
        let pixels = rig.frame().pixels;
        assert_eq!(pixels.bits(), bits, "{max_adu} {sends:?}");
        assert_eq!(
            values(&pixels),
            expected(&script, rig.can.full(), Binning::NONE, 0),
            "{max_adu} {sends:?}"
        );
    }
}

#[test]
fn a_camera_that_cannot_bin_has_no_more_bits_than_it_says() {
    let pixel: fn(u32, u32) -> i32 = |x, y| i32::try_from((x * 9 + y * 31) % 256).unwrap();
    let (max_adu, max_bin) = (255, (1, 1));
    let mut rig = Rig::of(Script { max_adu, max_bin, sends: Sends::Bytes, pixel, ..Script::default() });
    assert_eq!((rig.can.sensor.bits, rig.can.sensor.adc_bits), (8, 8));
    assert_eq!(rig.frame().pixels.bits(), 8);
}

#[test]
fn values_that_nobody_promised_are_saturated_and_negative_ones_are_0() {
    let pixel: fn(u32, u32) -> i32 = |x, y| if x == y { -5 } else { 65_530 + i32::try_from(x).unwrap() };
    let mut rig = Rig::of(Script { sends: Sends::Integers, pixel, ..Script::of_size(31, 23) });
    let pixels = rig.frame().pixels;
    assert_eq!(pixels.bits(), 16);
    let seen = |x: u32, y: u32| i64::from(pixel(x, y).clamp(0, 65_535));
    let expected: Vec<i64> = (0..23).flat_map(|y| (0..31).map(move |x| seen(x, y))).collect();
    assert_eq!(values(&pixels), expected);
}

#[test]
fn sums_of_binned_pixels_of_8_bits_are_kept() {
    let pixel: fn(u32, u32) -> i32 = |x, y| i32::try_from(x * 30 + y).unwrap();
    let mut rig = Rig::of(Script { max_adu: 255, sends: Sends::Integers, pixel, ..Script::of_size(31, 23) });
    let full = rig.can.full();
    is_what_the_camera_saw(&mut rig, full, Binning { x: 2, y: 2 });
}

#[test]
fn colour_comes_in_three_planes() {
    let script = Script {
        sends: Sends::Colour,
        sensor: ascom_alpaca::api::camera::SensorType::Color,
        ..Script::of_size(9, 7)
    };
    let mut rig = Rig::of(script.clone());
    assert_eq!(rig.can.sensor.bayer, None);
    let pixels = rig.frame().pixels;
    assert_eq!(pixels.shape(), (3, 7, 9));
    let full = rig.can.full();
    let planes: Vec<i64> = (0..3).flat_map(|plane| expected(&script, full, Binning::NONE, plane)).collect();
    assert_eq!(values(&pixels), planes);
}

#[test]
fn a_large_frame_comes_whole_and_tells_how_much_is_here() {
    let pixel: fn(u32, u32) -> i32 = |x, y| i32::try_from((x * 3 + y * 7) & 0xFFFF).unwrap();
    let script = Script { pixel, ..Script::of_size(1501, 1003) };
    let mut rig = Rig::of(script.clone());
    // A part of it, and no more.
    rig.observatory.door.plan(|plan| plan.hold_image = Some(1_000_000));
    rig.start(BRIEF);
    let mut most = 0.0;
    until("a third of the image", SOON, || {
        if let ExposureStatus::Reading { done: Some(done) } = rig.camera.get_exposure_status().unwrap() {
            assert!((most..=100.0).contains(&done), "{done} after {most}");
            most = done;
        }
        most > 66.0
    });
    rig.camera.abort_exposure().unwrap();
    rig.observatory.door.plan(|plan| plan.hold_image = None);
    let pixels = rig.frame().pixels;
    assert_eq!(values(&pixels), expected(&script, rig.can.full(), Binning::NONE, 0));
}

#[test]
fn a_frame_tells_what_it_was_taken_with() {
    let mut rig = Rig::new();
    rig.camera.set_gain(77).unwrap();
    rig.camera.set_offset(11).unwrap();
    rig.observatory.camera.script().temperature = Some(-7.25);
    let FrameInfo { started, ended, exposed, gain, offset, temperature, .. } = rig.frame().info;
    assert_eq!((gain, offset, temperature), (Some(77), Some(11), Some(-7.25)));
    assert_eq!((exposed, ended.duration_since(started).unwrap()), (BRIEF, BRIEF));
}
