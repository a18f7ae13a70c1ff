//! Frames for the camera that replays a folder, and what it promises beyond the contract.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use fitsio::FitsFile;
use fitsio::images::{ImageDescription, ImageType};
use indi_camera::backend::replay::Replay;

use super::*;

/// The backend.
pub(super) const NAME: &str = "replay";
/// Columns and rows of the files.
const SIZE: (usize, usize) = (320, 240);

/// A folder with three files; the pixels of the n-th are n hundred and what differs from pixel to pixel.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("contract-replay");
    fs::create_dir_all(&folder).unwrap();
    for number in 1..=3_u16 {
        let path = folder.join(format!(".{number}-{}", std::process::id()));
        let image = ImageDescription { data_type: ImageType::UnsignedShort, dimensions: &[SIZE.1, SIZE.0] };
        let mut file = FitsFile::create(&path).with_custom_primary(&image).overwrite().open().unwrap();
        let pixels: Vec<u16> = (0..SIZE.0 * SIZE.1).map(|at| number * 100 + (at % 97) as u16).collect();
        file.primary_hdu().unwrap().write_image(&mut file, &pixels).unwrap();
        drop(file);
        // At once, so that other processes of this test never see half a file.
        fs::rename(path, folder.join(format!("{number}.fits"))).unwrap();
    }
    folder
});

/// The setting that names it.
pub(super) fn folder() -> Value {
    Value::Record(params(&[("FOLDER", text(FOLDER.to_str().unwrap()))]))
}

fn connected(repeat: &str) -> Rig {
    let mut camera = Box::new(Replay::new());
    camera.set_parameter("REPLAY_FOLDER", folder()).unwrap();
    camera.set_parameter("REPLAY_REPEAT", text(repeat)).unwrap();
    let id = camera.scanning().unwrap().remove(0);
    let can = camera.connect(&id).unwrap();
    Rig { camera, id, can, hardware: false }
}

/// Which file a frame is from.
fn number(frame: &Frame) -> u16 {
    match &frame.pixels {
        Pixels::U16(words) => words[[0, 0, 0]] / 100,
        _ => panic!("not the pixels of the files"),
    }
}

#[test]
fn files_come_in_the_order_of_their_names_and_again() {
    let mut rig = connected("REPLAY_LOOP");
    let numbers: Vec<u16> = (0..5).map(|_| number(&rig.frame(rig.shortest(), FrameType::Light))).collect();
    assert_eq!(numbers, [1, 2, 3, 1, 2]);
    rig.camera.reconnect(&rig.id).unwrap();
    assert_eq!(number(&rig.frame(rig.shortest(), FrameType::Light)), 1);
}

#[test]
fn once_is_once_until_somebody_wants_more() {
    let mut rig = connected("REPLAY_ONCE");
    for wanted in 1..=3 {
        assert_eq!(number(&rig.frame(rig.shortest(), FrameType::Light)), wanted);
    }
    for _ in 0..2 {
        let error = rig.start(SHORT).unwrap_err();
        assert_eq!(error.kind, ErrorKind::NoFrame);
        assert!(error.detail.contains("(3)"), "{error}");
        assert_eq!(rig.camera.get_exposure_status().unwrap(), ExposureStatus::Idle);
    }
    rig.camera.set_parameter("REPLAY_REPEAT", text("REPLAY_LOOP")).unwrap();
    assert_eq!(number(&rig.frame(rig.shortest(), FrameType::Light)), 1);
}

#[test]
fn the_file_of_an_aborted_exposure_comes_again() {
    let mut rig = connected("REPLAY_LOOP");
    for _ in 0..5 {
        rig.start(rig.shortest()).unwrap();
        rig.wait();
        rig.camera.abort_exposure().unwrap();
    }
    assert_eq!(number(&rig.frame(rig.shortest(), FrameType::Light)), 1);
}

#[test]
fn another_folder_has_to_wait_until_the_camera_is_closed() {
    let mut rig = connected("REPLAY_LOOP");
    let other = Value::Record(params(&[("FOLDER", text("/"))]));
    fails(rig.camera.set_parameter("REPLAY_FOLDER", other.clone()), ErrorKind::Busy);
    assert_eq!(rig.camera.set_parameter("REPLAY_FOLDER", folder()).unwrap(), folder());
    rig.camera.disconnect().unwrap();
    assert_eq!(rig.camera.set_parameter("REPLAY_FOLDER", other.clone()).unwrap(), other);
    fails(rig.camera.connect(&rig.id), ErrorKind::Io);
    let relative = Value::Record(params(&[("FOLDER", text("frames"))]));
    fails(rig.camera.set_parameter("REPLAY_FOLDER", relative), ErrorKind::InvalidValue);
}
