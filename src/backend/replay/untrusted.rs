//! What a folder may have in it, for whoever tries to do harm with it: tests and fuzz targets.

use std::fs::File;
use std::io::Cursor;

use super::{file, header};
use crate::camera::types::Pixels;

/// Our own look at a file: the unit that has its image.
pub fn image_unit(bytes: &[u8]) -> Result<usize, String> {
    header::image_unit(&mut Cursor::new(bytes))
}

/// A file as one exposure has it: looked at, then read by CFITSIO. Columns and rows as the header tells them, and the
/// pixels.
pub fn shot(file: File) -> Result<([u32; 2], Pixels), String> {
    let (sensor, shot) = file::shot_of(file)?;
    Ok(([sensor.width, sensor.height], shot.pixels))
}
