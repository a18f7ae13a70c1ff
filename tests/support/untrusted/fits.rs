//! A file in a folder that is to be replayed: our own look at it, then CFITSIO's.

use std::fs::File;
use std::io::Write;

use indi_camera::backend::replay::untrusted;
use indi_camera::camera::types::Pixels;
use rustix::fs::{MemfdFlags, memfd_create};

/// CFITSIO zeroes what a header promises; larger pictures only take longer.
const MOST_PIXELS: usize = 1 << 20;

/// A file.
pub fn check(bytes: &[u8]) {
    let look = untrusted::image_unit(bytes);
    let Ok(descriptor) = memfd_create("picture", MemfdFlags::CLOEXEC) else { return };
    let mut file = File::from(descriptor);
    if file.write_all(bytes).is_err() {
        return;
    }
    match (look, claimed(bytes)) {
        (Err(why), _) => assert!(!why.is_empty() && untrusted::shot(file).is_err()),
        (Ok(_), claimed) if claimed > MOST_PIXELS => {}
        (Ok(_), _) => {
            let Ok(([width, height], pixels)) = untrusted::shot(file) else { return };
            let (planes, rows, columns) = match &pixels {
                Pixels::U8(array) => array.dim(),
                Pixels::U16(array) => array.dim(),
                Pixels::U32(array) => array.dim(),
            };
            assert_eq!([columns, rows], [width as usize, height as usize]);
            assert!(matches!(planes, 1 | 3));
        }
    }
}

/// The largest product of axes that any header claims, roughly: two long axes are enough to be slow.
fn claimed(bytes: &[u8]) -> usize {
    let axis = |card: &[u8]| {
        let text = String::from_utf8_lossy(card.get(10..30)?).into_owned();
        let length: usize = text.split('/').next()?.trim().parse().ok()?;
        Some(length.max(1))
    };
    let cards =
        bytes.chunks_exact(80).filter(|card| card.starts_with(b"ZNAXIS") || card.starts_with(b"ZTILE"));
    cards.filter_map(axis).filter(|length| *length > 3).fold(1, usize::saturating_mul)
}
