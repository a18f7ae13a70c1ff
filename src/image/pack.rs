//! Compressed FITS, as `fpack` makes it: a table with one Rice coded row of pixels in each of its rows.
//!
//! The first unit of the file is empty, the second one a `BINTABLE` that readers show as the image which it holds
//! (FITS 4.0, section 10). Rows are compressed by all threads at once; how long the file gets is known only after
//! that, so a file is made in two steps: [`Packed::new`], then [`Packed::write`] into memory of the right size.

use std::borrow::Cow;

use ndarray::Array3;
use rayon::prelude::*;

use super::card::is_of_tables;
use super::checksum::sum;
use super::fits::{BLOCK, image};
use super::header::Card;
use super::rice::{self, Coder, Sample};
use super::unit::{Header, integer, text, wanted, yes};
use super::{Pixels, rows};

/// Pixels for one thread at a time: some ms of work.
const TASK: usize = 1 << 18;
/// Bytes of a row of the table: length and place of its pixels in the heap.
const DESCRIPTOR: usize = 8;

/// Why there is no such file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the message says it")]
pub enum PackError {
    #[error("an image without pixels cannot be compressed")]
    Empty,
    #[error("the compressed pixels take {bytes} bytes, more than a table can hold")]
    TooLarge { bytes: usize },
    #[error("the file has {needed} bytes, but there is room for {room}")]
    Room { needed: usize, room: usize },
}

/// A compressed image, ready to be written.
pub struct Packed {
    empty: Header,
    table: Header,
    tasks: Vec<Task>,
    heap: usize,
}

/// Some rows one after the other.
struct Task {
    bytes: Vec<u8>,
    lengths: Vec<usize>,
}

impl Packed {
    /// Compresses.
    pub fn new(cards: &[Card], pixels: &Pixels) -> Result<Packed, PackError> {
        let (planes, rows, columns) = pixels.shape();
        if planes * rows * columns == 0 {
            return Err(PackError::Empty);
        }
        let tasks = match pixels {
            Pixels::U8(a) => compress(a),
            Pixels::U16(a) => compress(a),
            Pixels::U32(a) => compress(a),
        };
        let heap = tasks.iter().map(|task| task.bytes.len()).sum();
        let longest = tasks.iter().flat_map(|task| &task.lengths).max().copied().unwrap_or(0);
        if i32::try_from(heap).is_err() {
            return Err(PackError::TooLarge { bytes: heap });
        }
        Ok(Packed { empty: empty(), table: table(cards, pixels, heap, longest), tasks, heap })
    }

    /// Bytes of the file.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "a file with headers is never empty")]
    pub fn len(&self) -> usize {
        self.empty.len() + self.table.len() + self.data().next_multiple_of(BLOCK)
    }

    /// Bytes of table and heap.
    fn data(&self) -> usize {
        self.rows() * DESCRIPTOR + self.heap
    }

    fn rows(&self) -> usize {
        self.tasks.iter().map(|task| task.lengths.len()).sum()
    }

    /// Writes the file into `out`, which has to be of exactly [`len`](Packed::len) bytes.
    pub fn write(self, out: &mut [u8]) -> Result<(), PackError> {
        let needed = self.len();
        if out.len() != needed {
            return Err(PackError::Room { needed, room: out.len() });
        }
        let (rows, data) = (self.rows(), self.data());
        let (first, rest) = out.split_at_mut(self.empty.len());
        let (second, rest) = rest.split_at_mut(self.table.len());

        let (used, padding) = rest.split_at_mut(data);
        padding.fill(0);
        let (mut table, mut heap) = used.split_at_mut(rows * DESCRIPTOR);
        let mut start = 0;
        for Task { bytes, lengths } in &self.tasks {
            for &length in lengths {
                let descriptor;
                (descriptor, table) = table.split_at_mut(DESCRIPTOR);
                descriptor[..4].copy_from_slice(&word(length));
                descriptor[4..].copy_from_slice(&word(start));
                start += length;
            }
            let piece;
            (piece, heap) = heap.split_at_mut(bytes.len());
            piece.copy_from_slice(bytes);
        }

        second.copy_from_slice(&self.table.seal(sum(rest)));
        first.copy_from_slice(&self.empty.seal(0));
        Ok(())
    }
}

/// A number as tables hold it; all of them are below the limit that [`Packed::new`] has checked.
fn word(number: usize) -> [u8; 4] {
    i32::try_from(number).unwrap_or(i32::MAX).to_be_bytes()
}

fn compress<T: Sample>(image: &Array3<T>) -> Vec<Task> {
    let columns = image.dim().2;
    let rows: Vec<Cow<'_, [T]>> = rows(image).collect();
    let task = |rows: &[Cow<'_, [T]>]| {
        // Mostly it is less than half, and what is too much is never touched.
        let mut bytes = Vec::with_capacity(rows.len() * columns * size_of::<T>() / 2);
        let mut lengths = Vec::with_capacity(rows.len());
        let mut coder = Coder::default();
        for row in rows {
            let code = coder.encode(row);
            bytes.extend_from_slice(code);
            lengths.push(code.len());
        }
        Task { bytes, lengths }
    };
    rows.par_chunks((TASK / columns).max(1)).map(task).collect()
}

/// The header of the unit that every file begins with.
fn empty() -> Header {
    let structure = [
        yes("SIMPLE", "FITS standard"),
        integer("BITPIX", 8, "no pixels here"),
        integer("NAXIS", 0, "no pixels here"),
        yes("EXTEND", "the image is in the extension"),
    ];
    Header::new(&structure, [])
}

fn table(cards: &[Card], pixels: &Pixels, heap: usize, longest: usize) -> Header {
    let (planes, rows, columns) = pixels.shape();
    let bits = pixels.bits();
    let mut structure = vec![
        text("XTENSION", "BINTABLE", "table of compressed pixels"),
        integer("BITPIX", 8, "bytes"),
        integer("NAXIS", 2, "rows of bytes"),
        integer("NAXIS1", DESCRIPTOR, "bytes in a row"),
        integer("NAXIS2", planes * rows, "one for each row of pixels"),
        integer("PCOUNT", heap, "bytes behind the table"),
        integer("GCOUNT", 1, "one table"),
        integer("TFIELDS", 1, "columns"),
        text("TTYPE1", "COMPRESSED_DATA", "a row of pixels"),
        text("TFORM1", &format!("1PB({longest})"), "bytes behind the table"),
        yes("ZIMAGE", "this is a compressed image"),
        text("ZCMPTYPE", "RICE_1", "how"),
        integer("ZTILE1", columns, "pixels compressed together"),
        integer("ZTILE2", 1, "row by row"),
    ];
    if planes != 1 {
        structure.push(integer("ZTILE3", 1, "plane by plane"));
    }
    structure.extend([
        text("ZNAME1", "BLOCKSIZE", "parameter of RICE_1"),
        integer("ZVAL1", rice::BLOCK, "pixels in a block"),
        text("ZNAME2", "BYTEPIX", "parameter of RICE_1"),
        integer("ZVAL2", bits / 8, "bytes in a pixel"),
        yes("ZSIMPLE", "the image was the first unit of its file"),
    ]);
    structure.extend(image("Z", pixels));
    let fits_in = |card: &&Card| !is_of_tables(&card.keyword);
    Header::new(&structure, wanted(cards).into_iter().filter(fits_in))
}

#[cfg(test)]
mod tests {
    use super::super::unit;
    use super::*;

    fn packed(cards: &[Card], pixels: &Pixels) -> Vec<u8> {
        let packed = Packed::new(cards, pixels).unwrap();
        let mut out = vec![0xaa; packed.len()];
        packed.write(&mut out).unwrap();
        out
    }

    #[test]
    fn both_units_sum_to_minus_zero() {
        for columns in [1, 31, 32, 33, 1000] {
            let pixels = Array3::from_shape_fn((3, 7, columns), |(p, r, c)| {
                u16::try_from(p * 5000 + r * 300 + c).unwrap()
            });
            let file = packed(&[], &Pixels::U16(pixels));
            assert_eq!(sum(&file[..BLOCK]), u32::MAX);
            assert_eq!(sum(&file[BLOCK..]), u32::MAX);
        }
    }

    #[test]
    fn users_cards_do_not_break_the_table() {
        let pixels = Pixels::U8(Array3::zeros((1, 4, 4)));
        let cards = ["TFORM1", "ztile1", "THEAP", "ZNAXIS12", "ZZERO", "PCOUNT", "TTYPE2", "NAXIS1"];
        let cards: Vec<Card> = cards.iter().map(|keyword| unit::integer(keyword, 7, "")).collect();
        assert_eq!(packed(&cards, &pixels), packed(&[], &pixels));
        let kept = packed(&[unit::integer("TELESCOP", 7, ""), unit::integer("ZOOM", 1, "")], &pixels);
        for keyword in ["TELESCOP=", "ZOOM    ="] {
            assert!(kept.windows(9).any(|word| word == keyword.as_bytes()), "{keyword}");
        }
    }

    #[test]
    fn columns_first_in_memory_are_still_rows_first_in_the_file() {
        let rows = Array3::from_shape_fn((1, 3, 5), |(_, r, c)| u16::try_from(10 * r + c).unwrap());
        let columns = rows.clone().reversed_axes().as_standard_layout().into_owned().reversed_axes();
        assert!(columns.as_slice().is_none());
        assert_eq!(packed(&[], &Pixels::U16(columns)), packed(&[], &Pixels::U16(rows)));
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        let none = Pixels::U8(Array3::zeros((1, 0, 4)));
        assert_eq!(Packed::new(&[], &none).err(), Some(PackError::Empty));
        let one = || Packed::new(&[], &Pixels::U8(Array3::zeros((1, 1, 1)))).unwrap();
        let needed = one().len();
        for room in [0, needed - 1, needed + 1] {
            assert_eq!(one().write(&mut vec![0; room]), Err(PackError::Room { needed, room }));
        }
    }
}
