//! The pixels of a frame as Alpaca sends them: as bytes, or from older servers as text.
//!
//! Alpaca's first index is the column and its last runs fastest, so a frame comes column by column, and a colour frame
//! pixel by pixel. Ours are plane by plane and row by row. The camera has promised a depth, which files are announced
//! with: the very few values above it, of pixels that were added up around a bright star, are saturated, as they would be
//! in a camera that adds them up in its own converter; what no pixel can be, a negative number, becomes 0.

use ndarray::Array3;
use rayon::prelude::*;
use serde_json::Value;

use super::fault::Fault;
use super::http::Answer;
use crate::camera::types::Pixels;

mod text;

/// The form of a frame as bytes.
const IMAGE_BYTES: &str = "application/imagebytes";
/// Words of 32 bits before the bytes of a frame.
const WORDS: usize = 11;
/// Rows and columns that are turned at once, so that both sides stay in the cache.
const TILE: usize = 64;

/// Columns, rows and planes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shape {
    columns: usize,
    rows: usize,
    planes: usize,
}

/// What a frame shows.
#[derive(Debug, PartialEq)]
pub(super) struct Image {
    pub(super) pixels: Pixels,
    /// The largest value, if it was too large for the container and was cut, and so perhaps others.
    pub(super) cut: Option<i64>,
}

/// The frame of `columns` × `rows` in an answer, in containers of `bits`.
pub(super) fn decode(answer: &Answer, (columns, rows): (u32, u32), bits: u8) -> Result<Image, Fault> {
    let (shape, image) = if answer.content_type == IMAGE_BYTES {
        from_bytes(&answer.body, bits)?
    } else {
        let (shape, values) = text::read(&answer.body)?;
        (shape, from_values(&values, shape, bits))
    };
    if (shape.columns, shape.rows) != (columns as usize, rows as usize) {
        return Err(Fault::Nonsense(format!(
            "the image has {}x{} pixels, and {columns}x{rows} were asked for",
            shape.columns, shape.rows
        )));
    }
    Ok(image)
}

impl Shape {
    /// From the lengths along each index.
    fn of(lengths: &[usize]) -> Result<Shape, Fault> {
        match *lengths {
            [columns, rows] => Ok(Shape { columns, rows, planes: 1 }),
            [columns, rows, planes @ (1 | 3)] => Ok(Shape { columns, rows, planes }),
            [_, _, planes] => Err(Fault::Nonsense(format!("an image of {planes} planes"))),
            _ => Err(Fault::Nonsense(format!("an image of {} dimensions", lengths.len()))),
        }
    }

    fn len(self) -> Option<usize> {
        self.columns.checked_mul(self.rows)?.checked_mul(self.planes)
    }
}

fn from_bytes(body: &[u8], bits: u8) -> Result<(Shape, Image), Fault> {
    let mut words = [0_i32; WORDS];
    if body.len() < WORDS * 4 {
        return Err(Fault::Nonsense(format!("an image of {} bytes", body.len())));
    }
    for (word, bytes) in words.iter_mut().zip(body.chunks_exact(4)) {
        *word = i32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    }
    let [version, error, _, _, start, _, element, rank, lengths @ ..] = words;
    if version != 1 {
        return Err(Fault::Nonsense(format!("an image in version {version} of its form")));
    }
    let rest = usize::try_from(start).ok().filter(|start| *start >= WORDS * 4).and_then(|s| body.get(s..));
    let Some(rest) = rest else {
        return Err(Fault::Nonsense(format!("an image that begins at byte {start}")));
    };
    if error != 0 {
        return Err(Fault::refused(i64::from(error) & 0xFFFF, &String::from_utf8_lossy(rest)));
    }
    let lengths: Vec<usize> = lengths.iter().map(|length| usize::try_from(*length).unwrap_or(0)).collect();
    let rank = usize::try_from(rank).unwrap_or(0).min(lengths.len());
    let shape = Shape::of(&lengths[..rank])?;
    let image = match element {
        1 => turn(rest, shape, bits, |b: [u8; 2]| i64::from(i16::from_le_bytes(b))),
        2 => turn(rest, shape, bits, |b: [u8; 4]| i64::from(i32::from_le_bytes(b))),
        3 => turn(rest, shape, bits, |b: [u8; 8]| rounded(f64::from_le_bytes(b))),
        4 => turn(rest, shape, bits, |b: [u8; 4]| rounded(f64::from(f32::from_le_bytes(b)))),
        5 => turn(rest, shape, bits, |b: [u8; 8]| i64::try_from(u64::from_le_bytes(b)).unwrap_or(i64::MAX)),
        6 => turn(rest, shape, bits, |[b]: [u8; 1]| i64::from(b)),
        7 => turn(rest, shape, bits, |b: [u8; 8]| i64::from_le_bytes(b)),
        8 => turn(rest, shape, bits, |b: [u8; 2]| i64::from(u16::from_le_bytes(b))),
        9 => turn(rest, shape, bits, |b: [u8; 4]| i64::from(u32::from_le_bytes(b))),
        _ => return Err(Fault::Nonsense(format!("an image of elements of type {element}"))),
    };
    Ok((shape, image?))
}

/// Half a count more or less is nothing that a converter could have meant.
fn rounded(value: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "saturates, and makes 0 of what is no number")]
    {
        value.round() as i64
    }
}

fn from_values(values: &[i64], shape: Shape, bits: u8) -> Image {
    arrange(shape, bits, values.par_iter().copied().max().unwrap_or(0), |i| values[i])
}

/// Elements of `N` bytes as pixels.
fn turn<const N: usize>(
    bytes: &[u8],
    shape: Shape,
    bits: u8,
    read: impl Fn([u8; N]) -> i64 + Sync,
) -> Result<Image, Fault> {
    let (elements, rest) = bytes.as_chunks::<N>();
    if shape.len() != Some(elements.len()) || !rest.is_empty() {
        let Shape { columns, rows, planes } = shape;
        let count = bytes.len();
        let told = format!("{count} bytes for {columns}x{rows}x{planes} pixels of {N} bytes");
        return Err(Fault::Nonsense(told));
    }
    // Bytes always fit, and so do 16 bits in 16.
    let largest = if 8 * N <= usize::from(bits) && N < 4 {
        0
    } else {
        elements.par_iter().map(|element| read(*element)).max().unwrap_or(0)
    };
    Ok(arrange(shape, bits, largest, |i| read(elements[i])))
}

/// Pixels in our order from a function that tells the value at an index of Alpaca's.
fn arrange(shape: Shape, bits: u8, largest: i64, value: impl Fn(usize) -> i64 + Sync) -> Image {
    let (pixels, most) = match bits {
        8 => {
            let pixel = |i| u8::try_from(value(i).max(0)).unwrap_or(u8::MAX);
            (Pixels::U8(transposed(shape, pixel)), i64::from(u8::MAX))
        }
        16 => {
            let pixel = |i| u16::try_from(value(i).max(0)).unwrap_or(u16::MAX);
            (Pixels::U16(transposed(shape, pixel)), i64::from(u16::MAX))
        }
        _ => {
            let pixel = |i| u32::try_from(value(i).max(0)).unwrap_or(u32::MAX);
            (Pixels::U32(transposed(shape, pixel)), i64::from(u32::MAX))
        }
    };
    Image { pixels, cut: (largest > most).then_some(largest) }
}

fn transposed<T: Copy + Default + Send>(
    Shape { columns, rows, planes }: Shape,
    value: impl Fn(usize) -> T + Sync,
) -> Array3<T> {
    let mut array = Array3::from_elem((planes, rows, columns), T::default());
    if columns == 0 {
        return array;
    }
    for (plane, mut pixels) in array.outer_iter_mut().enumerate() {
        let Some(pixels) = pixels.as_slice_mut() else { continue };
        let stripes = pixels.par_chunks_mut(columns * TILE).enumerate();
        stripes.for_each(|(stripe, lines)| {
            for left in (0..columns).step_by(TILE) {
                let right = columns.min(left + TILE);
                for (line, row) in lines.chunks_exact_mut(columns).zip(stripe * TILE..) {
                    for (pixel, column) in line[left..right].iter_mut().zip(left..) {
                        *pixel = value((column * rows + row) * planes + plane);
                    }
                }
            }
        });
    }
    array
}

#[cfg(test)]
#[path = "image_tests.rs"]
mod tests;
