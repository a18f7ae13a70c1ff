//! A folder of FITS files as a camera, through the whole driver: every pixel comes as it is in its file, and what cannot
//! be replayed is told in one sentence. The files are made by CFITSIO and by Astropy.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a failed step is a failed test")]

mod support;

#[path = "replay/damage.rs"]
mod damage;
#[path = "replay/pixels.rs"]
mod pixels;
#[path = "replay/trouble.rs"]
mod trouble;

use std::path::Path;

use fitsio::FitsFile;
use fitsio::images::{ImageDescription, ImageType, WriteImage};
use support::fits::Fits;
use support::{Driver, Folder, SOON, Start, fits};

/// Columns and rows of the files.
const SIZE: (usize, usize) = (24, 18);
/// An exposure that is over before anyone looks.
const BRIEF: f64 = 0.01;

/// The driver, not connected, with that folder in its environment.
fn started(folder: &Path) -> Driver {
    let mut driver = Driver::start(Start {
        argv0: "indi_camera_replay_ccd",
        device: "Camera Replay".to_owned(),
        env: vec![("INDI_CAMERA_REPLAY", folder.to_str().unwrap().to_owned())],
        ..Start::default()
    });
    driver.send("<getProperties version='1.7'/>\n");
    driver.wait_for(|driver| driver.state("REPLAY_REPEAT") == "Ok", SOON);
    driver
}

fn connected(folder: &Path) -> Driver {
    let mut driver = started(folder);
    driver.connect();
    driver
}

/// The next frame, as CFITSIO reads what was delivered.
fn frame(driver: &mut Driver) -> Fits {
    fits(&driver.expose(BRIEF).bytes)
}

/// Writes a file in a format of CFITSIO's; `shape` has the rows' length last.
fn write<T: WriteImage>(path: &Path, kind: ImageType, shape: &[usize], pixels: &[T]) {
    let image = ImageDescription { data_type: kind, dimensions: shape };
    let mut file = FitsFile::create(path).with_custom_primary(&image).open().unwrap();
    file.primary_hdu().unwrap().write_image(&mut file, pixels).unwrap();
}

/// A file of 16 bits whose pixels count from `first` on.
fn write_words(path: &Path, (columns, rows): (usize, usize), first: u16) -> Vec<u32> {
    let pixels: Vec<u16> = (0..columns * rows).map(|at| first + at as u16).collect();
    write(path, ImageType::UnsignedShort, &[rows, columns], &pixels);
    pixels.into_iter().map(u32::from).collect()
}
