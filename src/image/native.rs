//! Pixels and nothing else: row by row as read out, planes one after the other, the low byte of a pixel first.

use ndarray::Array3;

use super::{Pixels, deflate, rows};

/// Length in bytes of what [`encode`] writes.
#[must_use]
pub fn encoded_len(pixels: &Pixels) -> usize {
    let (planes, rows, columns) = pixels.shape();
    // An array that exists has fewer than isize::MAX bytes.
    planes * rows * columns * usize::from(pixels.bits() / 8)
}

/// Writes the pixels to the beginning of `out`, which has room for [`encoded_len`] bytes; what is beyond stays.
pub fn encode(pixels: &Pixels, out: &mut [u8]) {
    match pixels {
        Pixels::U8(a) => store(a, out, |pixel, to: &mut [u8; 1]| to[0] = pixel),
        Pixels::U16(a) => store(a, out, |pixel, to| *to = pixel.to_le_bytes()),
        Pixels::U32(a) => store(a, out, |pixel, to| *to = pixel.to_le_bytes()),
    }
}

/// The same bytes as a zlib stream; the error is a sentence.
pub fn deflated(bytes: &[u8]) -> Result<Vec<u8>, String> {
    deflate::zlib(bytes)
}

fn store<T: Copy, const N: usize>(image: &Array3<T>, out: &mut [u8], put: impl Fn(T, &mut [u8; N])) {
    let mut places = out.as_chunks_mut::<N>().0;
    for row in rows(image) {
        let to;
        (to, places) = places.split_at_mut(row.len().min(places.len()));
        row.iter().zip(to).for_each(|(&pixel, to)| put(pixel, to));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(pixels: &Pixels) -> Vec<u8> {
        let mut out = vec![0xaa; encoded_len(pixels)];
        encode(pixels, &mut out);
        out
    }

    #[test]
    fn low_bytes_and_first_planes_first() {
        let words = Array3::from_shape_vec((2, 1, 2), vec![0x0102u16, 0x0304, 0x0506, 0xfff0]).unwrap();
        assert_eq!(bytes(&Pixels::U16(words)), [2, 1, 4, 3, 6, 5, 0xf0, 0xff]);
        let small = Array3::from_shape_vec((1, 2, 1), vec![7u8, 9]).unwrap();
        assert_eq!(bytes(&Pixels::U8(small)), [7, 9]);
    }

    /// libindi writes eight, and reads as many from a buffer of half the size.
    #[test]
    fn finding_19_pixels_of_32_bits_are_four_bytes() {
        let words = Array3::from_shape_vec((1, 1, 2), vec![0x0102_0304u32, u32::MAX]).unwrap();
        assert_eq!(bytes(&Pixels::U32(words)), [4, 3, 2, 1, 255, 255, 255, 255]);
    }

    #[test]
    fn columns_first_in_memory_are_still_rows_first() {
        let rows = Array3::from_shape_fn((1, 3, 5), |(_, r, c)| u16::try_from(10 * r + c).unwrap());
        let columns = rows.clone().reversed_axes().as_standard_layout().into_owned().reversed_axes();
        assert!(columns.as_slice().is_none());
        assert_eq!(bytes(&Pixels::U16(columns)), bytes(&Pixels::U16(rows)));
    }
}
