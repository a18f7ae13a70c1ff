//! Frames as a broken camera sends them.

use ndarray::{Array3, ArrayViewMut3, Axis, Slice};
use rand::Rng;

use super::super::noise;
use super::script::Kind;
use crate::camera::types::{Frame, Pixels};

/// What has become of a frame; other kinds of faults leave it as it is.
#[allow(clippy::cast_possible_truncation, reason = "any bits will do")]
pub(super) fn damaged(frame: Frame, kind: Kind, seed: u64) -> Frame {
    let Frame { pixels, info } = frame;
    let pixels = match kind {
        Kind::ShortFrame => match pixels {
            Pixels::U8(a) => Pixels::U8(shortened(&a)),
            Pixels::U16(a) => Pixels::U16(shortened(&a)),
            Pixels::U32(a) => Pixels::U32(shortened(&a)),
        },
        Kind::CorruptFrame => other_container(pixels),
        Kind::GarbledFrame => match pixels {
            Pixels::U8(mut a) => {
                garble(a.view_mut(), seed, |bits| bits as u8);
                Pixels::U8(a)
            }
            Pixels::U16(mut a) => {
                garble(a.view_mut(), seed, |bits| bits as u16);
                Pixels::U16(a)
            }
            Pixels::U32(mut a) => {
                garble(a.view_mut(), seed, |bits| bits);
                Pixels::U32(a)
            }
        },
        Kind::ConstantFrame => match pixels {
            Pixels::U8(a) => Pixels::U8(Array3::zeros(a.dim())),
            Pixels::U16(a) => Pixels::U16(Array3::zeros(a.dim())),
            Pixels::U32(a) => Pixels::U32(Array3::zeros(a.dim())),
        },
        _ => pixels,
    };
    Frame { pixels, info }
}

/// The upper half of the rows.
fn shortened<T: Copy>(pixels: &Array3<T>) -> Array3<T> {
    let rows = pixels.dim().1 / 2;
    pixels.slice_axis(Axis(1), Slice::from(..rows)).to_owned()
}

/// In the lower half of the rows every bit is as likely on as off.
fn garble<T>(mut pixels: ArrayViewMut3<T>, seed: u64, cut: fn(u32) -> T) {
    let rows = pixels.dim().1;
    for (number, mut row) in (0..).zip(pixels.axis_iter_mut(Axis(1))).skip(rows / 2) {
        let mut random = noise::stream(seed, number, 0);
        row.iter_mut().for_each(|pixel| *pixel = cut(random.next_u32()));
    }
}

/// As many pixels as before, in containers that nobody was told of.
#[allow(clippy::cast_possible_truncation, reason = "it is to be wrong")]
fn other_container(pixels: Pixels) -> Pixels {
    match pixels {
        Pixels::U8(a) => Pixels::U16(a.mapv(u16::from)),
        Pixels::U16(a) => Pixels::U8(a.mapv(|word| word as u8)),
        Pixels::U32(a) => Pixels::U16(a.mapv(|word| word as u16)),
    }
}
