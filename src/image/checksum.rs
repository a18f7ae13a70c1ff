//! The arithmetic of the FITS checksum convention.

/// A sum of 32 bit words in ones' complement: what does not fit is added at the low end.
pub(super) fn fold(mut sum: u64) -> u32 {
    while sum >> 32 != 0 {
        sum = (sum & 0xffff_ffff) + (sum >> 32);
    }
    #[allow(clippy::cast_possible_truncation, reason = "the upper half is zero")]
    {
        sum as u32
    }
}

/// The sum of whole 32 bit words, big-endian; what is left over counts as if zeros followed.
pub(super) fn sum(bytes: &[u8]) -> u32 {
    let (words, rest) = bytes.as_chunks::<4>();
    let sum: u64 = words.iter().map(|&word| u64::from(u32::from_be_bytes(word))).sum();
    let mut last = [0; 4];
    last[..rest.len()].copy_from_slice(rest);
    fold(sum + u64::from(u32::from_be_bytes(last)))
}

/// A checksum as 16 letters and digits whose own sum is that checksum (FITS standard, appendix J).
pub(super) fn ascii(checksum: u32) -> String {
    let mut text = [b'0'; 16];
    for (i, byte) in checksum.to_be_bytes().into_iter().enumerate() {
        // Four characters that add up to the byte and to four times the offset '0'.
        let mut parts = [byte / 4 + b'0'; 4];
        parts[0] += byte % 4;
        // Punctuation is avoided by moving one from a character to its neighbour.
        let punctuation = |c: u8| (0x3a..=0x40).contains(&c) || (0x5b..=0x60).contains(&c);
        while parts.iter().any(|&c| punctuation(c)) {
            for pair in parts.as_chunks_mut::<2>().0 {
                if punctuation(pair[0]) || punctuation(pair[1]) {
                    pair[0] += 1;
                    pair[1] -= 1;
                }
            }
        }
        for (j, part) in parts.into_iter().enumerate() {
            // One place to the right, as the text begins in the last byte of a word.
            text[(4 * j + i + 1) % 16] = part;
        }
    }
    text.iter().map(|&c| char::from(c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the FITS standard, appendix J: a file that sums to 868229149 without its checksum.
    #[test]
    fn the_standards_example() {
        assert_eq!(ascii(!868_229_149), "hcHjjc9ghcEghc9g");
    }

    #[test]
    fn no_checksum_has_punctuation() {
        for checksum in (0..=u32::MAX).step_by(65_521) {
            assert!(ascii(checksum).bytes().all(|c| c.is_ascii_alphanumeric()), "{checksum}");
        }
    }
}
