//! Files with bits that have fallen over: whatever comes of them, it is an answer.

use std::fs;
use std::ops::Range;
use std::time::Duration;

use indi_camera::backend::replay::Replay;
use indi_camera::camera::Camera;
use indi_camera::camera::types::{
    ExposureId, ExposureRequest, ExposureStatus, Frame, FrameType, Pixels, Value,
};
use indi_camera::image::pack::Packed;
use ndarray::Array3;

use super::*;

/// Damaged files of each kind; more have been tried than anyone wants to wait for each time.
const TRIALS: usize = 300;

/// Connects and takes one frame, if that can be done.
fn replayed(folder: &Path) -> Option<Frame> {
    let mut camera = Replay::new();
    let folder = Value::Text(folder.to_str().unwrap().to_owned());
    camera.set_parameter("REPLAY_FOLDER", Value::Record(vec![("FOLDER".to_owned(), folder)])).unwrap();
    let id = camera.scanning().unwrap().remove(0);
    camera.connect(&id).ok()?;
    let duration = Duration::from_micros(100);
    camera.start_exposure(&ExposureRequest::new(ExposureId(1), duration, FrameType::Light)).unwrap();
    loop {
        match camera.get_exposure_status().ok()? {
            ExposureStatus::Exposing { .. } | ExposureStatus::Reading { .. } => std::thread::yield_now(),
            ExposureStatus::Ready => return Some(camera.get_exposure_result().unwrap()),
            ExposureStatus::Idle => panic!("the exposure vanished"),
        }
    }
}

/// Writes damaged copies of a file, most of the damage within `header`, and replays them; says how many could be
/// replayed all the same.
fn survive(whole: &[u8], header: Range<usize>) -> usize {
    let folder = Folder::new();
    let path = folder.path().join("a.fits");
    let mut random = 1_u32;
    let mut draw = |below: usize| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 8) as usize % below
    };
    let mut good = 0;
    for _ in 0..TRIALS {
        let mut bytes = whole.to_vec();
        for _ in 0..=draw(4) {
            let at = if draw(4) == 0 { draw(bytes.len()) } else { header.start + draw(header.len()) };
            bytes[at] = if draw(2) == 0 { b' ' + draw(95) as u8 } else { draw(256) as u8 };
        }
        if draw(8) == 0 {
            bytes.truncate(draw(whole.len()));
        }
        fs::write(&path, &bytes).unwrap();
        good += usize::from(replayed(folder.path()).is_some());
    }
    good
}

/// A compressed file.
pub(crate) fn packed() -> Vec<u8> {
    let words = (0..SIZE.0 * SIZE.1).map(|at| at as u16).collect();
    let pixels = Pixels::U16(Array3::from_shape_vec((1, SIZE.1, SIZE.0), words).unwrap());
    let packed = Packed::new(&[], &pixels).unwrap();
    let mut whole = vec![0; packed.len()];
    packed.write(&mut whole).unwrap();
    whole
}

#[test]
fn a_damaged_file_is_an_error_or_a_frame_and_never_the_end() {
    let folder = Folder::new();
    let plain = folder.path().join("plain");
    write_words(&plain, SIZE, 1);
    let good = survive(&fs::read(plain).unwrap(), 0..7 * 80);
    assert!(0 < good && good < TRIALS, "{good} of the plain ones were good");

    let good = survive(&packed(), 2880..2880 + 30 * 80);
    assert!(0 < good && good < TRIALS, "{good} of the compressed ones were good");
}
