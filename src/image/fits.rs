//! One image and its cards as the bytes of a FITS file, in one pass over the pixels.
//!
//! Rows are written in the order of read-out, integers big-endian; unsigned 16 and 32 bit pixels are stored the FITS
//! way, as signed ones with a `BZERO` of half the range. `DATASUM` and `CHECKSUM` follow the FITS checksum
//! convention, so whoever receives the file can tell whether it is whole. The sum is taken from the registers that
//! swap the bytes, so it costs no second look at the image, and the loop has the shape that the compiler turns into
//! vector instructions.

use std::ops::AddAssign;

use ndarray::Array3;

use super::checksum::fold;
use super::header::Card;
use super::unit::{Header, integer, wanted, yes};
use super::{Pixels, native, rows};

/// A FITS file is a whole number of these, in bytes.
pub const BLOCK: usize = 2880;

/// Why nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// The output is not exactly as long as [`encoded_len`] says.
    #[error("the file has {needed} bytes, but there is room for {room}")]
    Room {
        /// Bytes of the file.
        needed: usize,
        /// Bytes of the output.
        room: usize,
    },
}

/// Length in bytes of the file that [`encode`] makes of the same arguments.
#[must_use]
pub fn encoded_len(cards: &[Card], pixels: &Pixels) -> usize {
    header(cards, pixels).len() + data_len(pixels)
}

/// Bytes that the pixels take in a file, the header not counted.
fn data_len(pixels: &Pixels) -> usize {
    native::encoded_len(pixels).next_multiple_of(BLOCK)
}

/// Writes the file into `out`, which has to be of exactly [`encoded_len`] bytes; every byte of it is written once.
pub fn encode(cards: &[Card], pixels: &Pixels, out: &mut [u8]) -> Result<(), EncodeError> {
    let header = header(cards, pixels);
    let needed = header.len() + data_len(pixels);
    if out.len() != needed {
        return Err(EncodeError::Room { needed, room: out.len() });
    }
    let (head, data) = out.split_at_mut(header.len());

    let sum = match pixels {
        Pixels::U8(a) => store(a, data),
        Pixels::U16(a) => store(a, data),
        Pixels::U32(a) => store(a, data),
    };
    head.copy_from_slice(&header.seal(sum));
    Ok(())
}

fn header(cards: &[Card], pixels: &Pixels) -> Header {
    let mut structure = vec![yes("SIMPLE", "FITS standard")];
    structure.extend(image("", pixels));
    Header::new(&structure, wanted(cards))
}

/// What describes an image, in the order that the standard asks for. The keywords that also say something of the table
/// which holds a compressed image begin with `prefix`.
pub(super) fn image(prefix: &str, pixels: &Pixels) -> Vec<Card> {
    let (planes, rows, columns) = pixels.shape();
    let bits = pixels.bits();
    let name = |keyword: &str| format!("{prefix}{keyword}");
    let mut cards = vec![
        integer(&name("BITPIX"), bits, "bits in one pixel"),
        integer(&name("NAXIS"), if planes == 1 { 2 } else { 3 }, "number of axes"),
        integer(&name("NAXIS1"), columns, "columns"),
        integer(&name("NAXIS2"), rows, "rows"),
    ];
    if planes != 1 {
        cards.push(integer(&name("NAXIS3"), planes, "colour planes"));
    }
    cards.push(yes(&name("EXTEND"), "there may be extensions"));
    // Stored integers are signed; with these they stand for unsigned ones.
    if bits != 8 {
        cards.push(integer("BZERO", 1_i64 << (bits - 1), "makes the pixels unsigned"));
        cards.push(integer("BSCALE", 1, "no scaling"));
    }
    cards
}

/// How a pixel is stored.
trait Sample: Copy {
    const BYTES: usize;
    /// Holds the sum of [`RUN`] stored values; the smaller it is, the more of them the processor adds at once.
    type Sum: Copy + Default + AddAssign + From<Self> + Into<u64>;

    /// As signed integers with an offset of half the range, seen as unsigned ones.
    fn stored(self) -> Self;
    fn put(self, to: &mut [u8]);
}

impl Sample for u8 {
    const BYTES: usize = 1;
    type Sum = u32;

    #[inline]
    fn stored(self) -> u8 {
        self
    }

    #[inline]
    fn put(self, to: &mut [u8]) {
        to[0] = self;
    }
}

impl Sample for u16 {
    const BYTES: usize = 2;
    type Sum = u32;

    #[inline]
    fn stored(self) -> u16 {
        self ^ 0x8000
    }

    #[inline]
    fn put(self, to: &mut [u8]) {
        to.copy_from_slice(&self.to_be_bytes());
    }
}

impl Sample for u32 {
    const BYTES: usize = 4;
    type Sum = u64;

    #[inline]
    fn stored(self) -> u32 {
        self ^ 0x8000_0000
    }

    #[inline]
    fn put(self, to: &mut [u8]) {
        to.copy_from_slice(&self.to_be_bytes());
    }
}

/// Stores the image, fills up with zeros and gives the sum of the data as FITS counts it.
fn store<T: Sample>(image: &Array3<T>, out: &mut [u8]) -> u32 {
    let (data, padding) = out.split_at_mut(image.len() * T::BYTES);
    padding.fill(0);
    let mut data = data.chunks_mut(RUN * T::BYTES);
    let mut sums = Sums([0; LANES]);
    if let Some(pixels) = image.as_slice() {
        pixels.chunks(RUN).zip(data).for_each(|(run, to)| sums.store(run, to));
        return sums.total::<T>();
    }
    // The window of a larger image: its rows are put together where the cache still has them.
    let mut run = Vec::with_capacity(RUN);
    for row in rows(image) {
        let mut row = &*row;
        while !row.is_empty() {
            let (now, later) = row.split_at(row.len().min(RUN - run.len()));
            run.extend_from_slice(now);
            row = later;
            if run.len() == RUN {
                data.next().into_iter().for_each(|to| sums.store(&run, to));
                run.clear();
            }
        }
    }
    data.next().into_iter().for_each(|to| sums.store(&run, to));
    sums.total::<T>()
}

/// Pixels that are looked at together; a multiple of four, so each keeps its place in the 32 bit words of the sum.
const LANES: usize = 16;
/// Pixels that are stored at a time: so few in each place that 16 bit values add up to 32 bits.
const RUN: usize = 512 * LANES;

/// One sum for each place, so that nothing has to be put together inside the loop.
struct Sums([u64; LANES]);

impl Sums {
    /// Stores a run; only the last one of an image may be shorter.
    fn store<T: Sample>(&mut self, from: &[T], to: &mut [u8]) {
        let mut run = [T::Sum::default(); LANES];
        let (whole, rest) = from.as_chunks::<LANES>();
        let (whole_to, rest_to) = to.split_at_mut(whole.len() * LANES * T::BYTES);
        for (from, to) in whole.iter().zip(whole_to.chunks_exact_mut(LANES * T::BYTES)) {
            for i in 0..LANES {
                let stored = from[i].stored();
                stored.put(&mut to[i * T::BYTES..(i + 1) * T::BYTES]);
                run[i] += stored.into();
            }
        }
        for ((sum, from), to) in run.iter_mut().zip(rest).zip(rest_to.chunks_exact_mut(T::BYTES)) {
            from.stored().put(to);
            *sum += from.stored().into();
        }
        self.0.iter_mut().zip(run).for_each(|(sum, run)| *sum += run.into());
    }

    fn total<T: Sample>(&self) -> u32 {
        let total = self.0.iter().enumerate().map(|(i, &sum)| {
            let bytes_below = 4 - T::BYTES - i * T::BYTES % 4;
            u64::from(fold(sum)) << (8 * bytes_below)
        });
        fold(total.map(|sum| u64::from(fold(sum))).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::super::card::LINE;
    use super::super::header::CardValue;
    use super::*;

    fn file(cards: &[Card], pixels: &Pixels) -> Vec<u8> {
        let mut out = vec![0xaa; encoded_len(cards, pixels)];
        encode(cards, pixels, &mut out).unwrap();
        out
    }

    fn card(keyword: &str, value: i64) -> Card {
        Card { keyword: keyword.to_owned(), value: Some(CardValue::Integer(value)), comment: String::new() }
    }

    fn keywords(file: &[u8]) -> Vec<String> {
        let lines = file
            .as_chunks::<LINE>()
            .0
            .iter()
            .map(|line| String::from_utf8_lossy(&line[..8]).trim().to_owned());
        lines.take_while(|keyword| keyword != "END").collect()
    }

    /// The sum by the book: words one after the other, carries added at once.
    fn plain_sum(bytes: &[u8]) -> u32 {
        bytes.as_chunks().0.iter().fold(0u32, |sum, &word| {
            let (sum, carry) = sum.overflowing_add(u32::from_be_bytes(word));
            sum + u32::from(carry)
        })
    }

    #[test]
    fn the_whole_file_sums_to_minus_zero() {
        let ramp = |i: usize| u32::try_from(i).unwrap().wrapping_mul(2_654_435_761);
        for len in (0..70).chain([1439, 1440, 1441, 5000, RUN * 3 + 5]) {
            let values = (0..len).map(ramp);
            let shape = (1, 1, len);
            let images = [
                Pixels::U8(
                    Array3::from_shape_vec(shape, values.clone().map(|v| (v >> 24) as u8).collect()).unwrap(),
                ),
                Pixels::U16(
                    Array3::from_shape_vec(shape, values.clone().map(|v| (v >> 16) as u16).collect())
                        .unwrap(),
                ),
                Pixels::U32(Array3::from_shape_vec(shape, values.collect()).unwrap()),
            ];
            for pixels in images {
                let file = file(&[], &pixels);
                assert_eq!(plain_sum(&file), u32::MAX, "{len} pixels of {} bits", pixels.bits());
                let text = String::from_utf8_lossy(&file[..BLOCK]).into_owned();
                let data = plain_sum(&file[BLOCK..]).to_string();
                assert!(text.contains(&format!("DATASUM = '{data:<8}'")), "{text}");
            }
        }
    }

    #[test]
    fn the_structure_is_ours() {
        let structural = [
            "SIMPLE", "NAXIS", "NAXIS3", "naxis", "BZERO", "BLANK", "END", "DATASUM", "CHECKSUM", "CONTINUE",
        ];
        let cards: Vec<Card> = structural.iter().map(|keyword| card(keyword, 7)).collect();
        let image = Pixels::U8(Array3::zeros((1, 2, 2)));
        assert_eq!(file(&cards, &image), file(&[], &image));
    }

    #[test]
    fn the_last_of_a_keyword_is_written() {
        let nan = Card { value: Some(CardValue::Real(f64::NAN)), ..card("B", 0) };
        let words = Card { value: None, comment: "words".to_owned(), ..card("COMMENT", 0) };
        let cards = [card("A", 1), words.clone(), card("B", 2), nan, card("a", 3), words];
        let file = file(&cards, &Pixels::U8(Array3::zeros((1, 1, 1))));
        assert_eq!(keywords(&file)[6..], ["COMMENT", "B", "A", "COMMENT", "DATASUM", "CHECKSUM"]);
        assert!(String::from_utf8_lossy(&file).contains("A       =                    3"));
    }

    #[test]
    fn long_headers_take_more_blocks() {
        for cards in 0..80 {
            let cards: Vec<Card> = (0..cards).map(|n| card(&format!("KEY{n}"), n)).collect();
            let pixels = Pixels::U8(Array3::zeros((1, 1, 1)));
            let file = file(&cards, &pixels);
            assert_eq!(file.len() % BLOCK, 0);
            assert_eq!(keywords(&file).len(), cards.len() + 8);
            assert_eq!(plain_sum(&file), u32::MAX);
        }
    }

    #[test]
    fn columns_first_in_memory_are_still_rows_first_in_the_file() {
        let rows = Array3::from_shape_fn((1, 3, 5), |(_, r, c)| u16::try_from(10 * r + c).unwrap());
        let columns = rows.clone().reversed_axes().as_standard_layout().into_owned().reversed_axes();
        assert!(columns.as_slice().is_none());
        assert_eq!(file(&[], &Pixels::U16(columns)), file(&[], &Pixels::U16(rows)));
    }

    /// Rows of any length, so that runs begin and end anywhere in them.
    #[test]
    fn the_window_of_a_larger_image_is_stored_as_if_it_were_alone() {
        let large = Array3::from_shape_fn((2, 31, 700), |(p, r, c)| {
            u16::try_from((p * 31 + r) * 700 + c).unwrap().wrapping_mul(25_173)
        });
        for (x, y) in [(0..700, 0..31), (0..700, 3..30), (1..700, 0..31), (13..26, 5..6), (699..700, 30..31)]
        {
            let window = large.clone().slice_move(ndarray::s![.., y, x]);
            let alone = window.as_standard_layout().into_owned();
            let (window, alone) = (Pixels::U16(window), Pixels::U16(alone));
            assert_eq!(file(&[], &window), file(&[], &alone), "{:?}", window.shape());
        }
    }

    #[test]
    fn room_must_be_exact() {
        let image = Pixels::U8(Array3::zeros((1, 1, 1)));
        let needed = encoded_len(&[], &image);
        for room in [0, needed - 1, needed + 1] {
            assert_eq!(encode(&[], &image, &mut vec![0; room]), Err(EncodeError::Room { needed, room }));
        }
    }
}
