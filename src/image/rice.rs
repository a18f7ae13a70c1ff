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

/// Appends the code of one row.
pub(super) fn encode<T: Sample>(row: &[T], out: &mut Vec<u8>) {
    let Some(&first) = row.first() else { return };
    let mut bits = Bits { out, held: 0, count: 0 };
    bits.put(first.stored(), T::BITS);
    let mut before = first;
    let (blocks, rest) = row.as_chunks::<BLOCK>();
    for block in blocks {
        block_of(block, before, &mut bits);
        before = block[BLOCK - 1];
    }
    if !rest.is_empty() {
        block_of(rest, before, &mut bits);
    }
    bits.finish();
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
        bits.put(T::WHOLE + 1, T::CHOICE);
        for &mut difference in differences {
            bits.put(difference, T::BITS);
        }
        return;
    }
    bits.put(fs + 1, T::CHOICE);
    for &mut difference in differences {
        let mut zeros = difference >> fs;
        let low = difference & ((1 << fs) - 1);
        while zeros + 1 + fs > 32 {
            let some = zeros.min(32);
            bits.put(0, some);
            zeros -= some;
        }
        bits.put(1 << fs | low, zeros + 1 + fs);
    }
}

/// Bits on their way into bytes, the highest first.
struct Bits<'a> {
    out: &'a mut Vec<u8>,
    held: u64,
    /// Bits of `held` that are not in `out` yet, less than 32.
    count: u32,
}

impl Bits<'_> {
    /// The lowest `count` bits of `value`, at most 32; the others are zero.
    #[inline]
    fn put(&mut self, value: u32, count: u32) {
        self.held = self.held << count | u64::from(value);
        self.count += count;
        if self.count >= 32 {
            self.count -= 32;
            #[expect(clippy::cast_possible_truncation, reason = "the 32 bits meant")]
            let word = (self.held >> self.count) as u32;
            self.out.extend_from_slice(&word.to_be_bytes());
        }
    }

    /// Fills the last byte with zeros.
    fn finish(self) {
        let bytes = (self.held << ((64 - self.count) % 64)).to_be_bytes();
        let whole = self.count.div_ceil(8) as usize;
        self.out.extend_from_slice(&bytes[..whole]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code<T: Sample>(row: &[T]) -> Vec<u8> {
        let mut out = Vec::new();
        encode(row, &mut out);
        out
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
