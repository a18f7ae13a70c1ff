//! The Rice coder of the FITS tiled image convention (`RICE_1`), one row of pixels at a time.
//!
//! A row is its first pixel as it is, then blocks of [`BLOCK`] pixels. Each pixel is the difference from the one
//! before, folded so that small differences of either sign are small numbers. A block chooses how many low bits `fs`
//! of these are written as they are; the rest is a count in unary. Blocks of zeros are only marked, and blocks too
//! noisy to gain anything hold the differences whole, so a block never grows by more than five bits.
//!
//! All choices are those of CFITSIO, so the bytes are too.

/// Pixels in a block, `BLOCKSIZE` in a header.
pub(super) const BLOCK: usize = 32;

/// A pixel that can be coded.
pub(super) trait Sample: Copy + Send + Sync {
    /// Bits of a pixel.
    const BITS: u32;
    /// Bits in which a block says its `fs`.
    const CHOICE: u32;
    /// From this `fs` on a block holds its differences whole.
    const WHOLE: u32;

    /// As it is stored: signed, with an offset of half the range, except for bytes.
    fn stored(self) -> u32;
    /// What is added to `before` to get `self`, wrapped around and folded: 0, -1, 1, -2, … become 0, 1, 2, 3, …
    /// The offset of storage is in both and cancels out.
    fn difference(self, before: Self) -> u32;
}

impl Sample for u8 {
    const BITS: u32 = 8;
    const CHOICE: u32 = 3;
    const WHOLE: u32 = 6;

    fn stored(self) -> u32 {
        u32::from(self)
    }

    #[inline]
    fn difference(self, before: Self) -> u32 {
        let d = self.wrapping_sub(before).cast_signed();
        u32::from(((d << 1) ^ (d >> 7)).cast_unsigned())
    }
}

impl Sample for u16 {
    const BITS: u32 = 16;
    const CHOICE: u32 = 4;
    const WHOLE: u32 = 14;

    fn stored(self) -> u32 {
        u32::from(self ^ 0x8000)
    }

    #[inline]
    fn difference(self, before: Self) -> u32 {
        let d = self.wrapping_sub(before).cast_signed();
        u32::from(((d << 1) ^ (d >> 15)).cast_unsigned())
    }
}

impl Sample for u32 {
    const BITS: u32 = 32;
    const CHOICE: u32 = 5;
    const WHOLE: u32 = 25;

    fn stored(self) -> u32 {
        self ^ 0x8000_0000
    }

    #[inline]
    fn difference(self, before: Self) -> u32 {
        let d = self.wrapping_sub(before).cast_signed();
        ((d << 1) ^ (d >> 31)).cast_unsigned()
    }
}

/// Memory that rows are coded in, one after the other.
#[derive(Default)]
pub(super) struct Coder {
    room: Vec<u8>,
}

impl Coder {
    /// The code of one row.
    pub(super) fn encode<T: Sample>(&mut self, row: &[T]) -> &[u8] {
        let Some(&first) = row.first() else { return &[] };
        // A block that is not held whole has less than three bits for each pixel beside the `fs` that are as they are,
        // so none takes a whole bit a pixel more than its pixels did.
        let most = size_of_val(row) + row.len() / 8 + row.len().div_ceil(BLOCK) + 2 * STORE;
        if self.room.len() < most {
            self.room.resize(most, 0);
        }
        let mut bits = Bits { out: &mut self.room, at: 0, held: 0, count: 0 };
        bits.put(first.stored().into(), T::BITS);
        let mut before = first;
        let (blocks, rest) = row.as_chunks::<BLOCK>();
        for block in blocks {
            block_of(block, before, &mut bits);
            before = block[BLOCK - 1];
        }
        if !rest.is_empty() {
            block_of(rest, before, &mut bits);
        }
        let used = bits.finish();
        &self.room[..used]
    }
}

/// One block; inlined, so that the length of a full one is a constant where it counts.
#[inline]
fn block_of<T: Sample>(block: &[T], before: T, bits: &mut Bits<'_>) {
    let mut differences = [0; BLOCK];
    let differences = &mut differences[..block.len()];
    differences[0] = block[0].difference(before);
    for i in 1..block.len() {
        differences[i] = block[i].difference(block[i - 1]);
    }
    let sum: u64 = differences.iter().map(|&d| u64::from(d)).sum();
    if sum == 0 {
        return bits.put(0, T::CHOICE);
    }
    let length = block.len() as u64;
    let mean = sum.saturating_sub(length / 2 + 1) / length;
    let fs = u64::BITS - (mean >> 1).leading_zeros();
    if fs >= T::WHOLE {
        bits.put(u64::from(T::WHOLE) + 1, T::CHOICE);
        for &mut difference in differences {
            bits.put(difference.into(), T::BITS);
        }
        return;
    }
    bits.put(u64::from(fs) + 1, T::CHOICE);
    let longest = differences.iter().fold(0, |longest, &d| longest | d) >> fs;
    if longest < 7 && fs < 7 {
        together::<4>(differences, fs, bits);
    } else if longest < 14 && fs < 14 {
        together::<2>(differences, fs, bits);
    } else {
        for &mut difference in differences {
            long_code(difference, fs, bits);
        }
    }
}

/// Codes that are put `N` at a time, because these have 56 bits at most.
#[inline]
fn together<const N: usize>(differences: &[u32], fs: u32, bits: &mut Bits<'_>) {
    let (groups, rest) = differences.as_chunks::<N>();
    for group in groups {
        let (codes, length) = group.iter().fold((0, 0), |(codes, length), &difference| {
            let (code, bits) = code(difference, fs);
            (codes << bits | code, length + bits)
        });
        bits.put(codes, length);
    }
    for &difference in rest {
        let (code, length) = code(difference, fs);
        bits.put(code, length);
    }
}

/// The code of a difference, and its length in bits.
#[inline]
fn code(difference: u32, fs: u32) -> (u64, u32) {
    (u64::from(1 << fs | difference & ((1 << fs) - 1)), (difference >> fs) + 1 + fs)
}

/// One code with any number of zeros.
fn long_code(difference: u32, fs: u32, bits: &mut Bits<'_>) {
    let mut zeros = difference >> fs;
    while zeros > 0 {
        let some = zeros.min(32);
        bits.put(0, some);
        zeros -= some;
    }
    bits.put(code(difference & ((1 << fs) - 1), fs).0, 1 + fs);
}

/// Bytes that are written at a time.
const STORE: usize = 8;

/// Bits on their way into bytes, the highest first.
struct Bits<'a> {
    out: &'a mut [u8],
    /// Bytes of `out` that are complete.
    at: usize,
    held: u64,
    /// Bits of `held` that are not complete bytes yet, less than 8.
    count: u32,
}

impl Bits<'_> {
    /// The lowest `count` bits of `value`, at most 56; the others are zero.
    #[inline]
    fn put(&mut self, value: u64, count: u32) {
        self.held = self.held << count | value;
        self.count += count;
        // All that there is, and zeros behind it, which the next store replaces; no branch, whatever the length.
        let bytes = (self.held << (u64::BITS - self.count)).to_be_bytes();
        self.out[self.at..self.at + STORE].copy_from_slice(&bytes);
        self.at += (self.count / 8) as usize;
        self.count %= 8;
    }

    /// Bytes written; the last one is filled with zeros.
    fn finish(self) -> usize {
        self.at + usize::from(self.count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code<T: Sample>(row: &[T]) -> Vec<u8> {
        Coder::default().encode(row).to_vec()
    }

    #[test]
    fn codes_by_hand() {
        // The pixel alone, and a block of zeros.
        assert_eq!(code(&[5u8]), [5, 0]);
        assert_eq!(code(&[0x8005u16]), [0, 5, 0]);
        assert_eq!(code(&[0x8000_0005u32]), [0, 0, 0, 5, 0]);
        // The mark of fs 0 is 1; the differences 0, 2, 1 in unary are 1, 001, 01.
        assert_eq!(code(&[7u8, 8, 7]), [7, 0b0011_0010, 0b1000_0000]);
        // The mean of 0 and 254 is 126: fs 6 is already too many for bytes.
        assert_eq!(code(&[0u8, 127]), [0, 0b1110_0000, 0b0001_1111, 0b1100_0000]);
    }

    #[test]
    fn no_row_grows_by_more_than_its_marks() {
        let mut state = 1u32;
        let noise: Vec<u32> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state
        })
        .take(BLOCK * 100)
        .collect();
        let words: Vec<u16> = noise.iter().map(|v| (v >> 16) as u16).collect();
        let bytes: Vec<u8> = noise.iter().map(|v| (v >> 24) as u8).collect();
        // One pixel more and the mark of each block.
        assert!(code(&noise).len() * 8 <= 32 * (noise.len() + 1) + 100 * 5 + 7);
        assert!(code(&words).len() * 8 <= 16 * (words.len() + 1) + 100 * 4 + 7);
        assert!(code(&bytes).len() * 8 <= 8 * (bytes.len() + 1) + 100 * 3 + 7);
    }
}
