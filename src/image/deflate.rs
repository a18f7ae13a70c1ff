//! zlib streams, made by all threads at once.
//!
//! The bytes are cut into pieces, each is compressed for itself and ends on a whole byte, and the pieces joined are
//! one ordinary stream. What is lost at the seams is not worth counting; what is gained is a core's time for each.

use flate2::{Compress, Compression, FlushCompress, Status};
use rayon::prelude::*;

/// Bytes for one thread at a time, many times what the compressor looks back.
const PIECE: usize = 1 << 20;
/// Deflate with the largest window, and that it was done fast. Noise is not compressed better by longer search.
const HEAD: [u8; 2] = [0x78, 0x01];
/// What sums of an Adler-32 are counted by.
const MODULUS: u64 = 65521;

/// `bytes` as one zlib stream; the error is a sentence.
pub(super) fn zlib(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let pieces = bytes.len().div_ceil(PIECE).max(1);
    let piece = |i: usize| {
        let piece = &bytes[i * PIECE..bytes.len().min((i + 1) * PIECE)];
        Ok((deflate(piece, i + 1 == pieces)?, Adler::of(piece)))
    };
    let done: Vec<(Vec<u8>, Adler)> =
        (0..pieces).into_par_iter().map(piece).collect::<Result<_, String>>()?;
    let mut out = Vec::with_capacity(6 + done.iter().map(|(bytes, _)| bytes.len()).sum::<usize>());
    out.extend(HEAD);
    let mut check = Adler::of(&[]);
    for (bytes, adler) in done {
        out.extend(bytes);
        check = check.then(adler);
    }
    out.extend(check.value().to_be_bytes());
    Ok(out)
}

/// One piece of a stream; all but the `last` end with an empty block that fills the byte.
fn deflate(piece: &[u8], last: bool) -> Result<Vec<u8>, String> {
    let mut compress = Compress::new(Compression::fast(), false);
    let flush = if last { FlushCompress::Finish } else { FlushCompress::Sync };
    // More than the worst case, so that one call is enough almost always.
    let mut out = Vec::with_capacity(piece.len() + piece.len() / 100 + 128);
    loop {
        #[expect(clippy::cast_possible_truncation, reason = "at most one piece")]
        let taken = compress.total_in() as usize;
        let status =
            compress.compress_vec(&piece[taken..], &mut out, flush).map_err(|error| error.to_string())?;
        // All is out when the compressor has left room: then there was nothing more to say.
        match status {
            Status::StreamEnd => return Ok(out),
            Status::Ok | Status::BufError if !last && out.len() < out.capacity() => return Ok(out),
            Status::Ok | Status::BufError => out.reserve(PIECE / 8),
        }
    }
}

/// An Adler-32: the sum of the bytes, and the sum of the sums after each of them.
#[derive(Clone, Copy)]
struct Adler {
    bytes: u64,
    sums: u64,
    length: u64,
}

impl Adler {
    fn of(bytes: &[u8]) -> Adler {
        let (mut a, mut b) = (1, 0);
        // Short enough for sums that are reduced only after each run.
        for run in bytes.chunks(1 << 16) {
            for &byte in run {
                a += u64::from(byte);
                b += a;
            }
            (a, b) = (a % MODULUS, b % MODULUS);
        }
        Adler { bytes: a, sums: b, length: bytes.len() as u64 }
    }

    /// That of what both were made of, one after the other.
    fn then(self, next: Adler) -> Adler {
        // The second one began with 1 instead of where the first one ended.
        let more = (self.bytes + MODULUS - 1) % MODULUS;
        Adler {
            bytes: (next.bytes + more) % MODULUS,
            sums: (self.sums + next.sums + next.length % MODULUS * more) % MODULUS,
            length: self.length + next.length,
        }
    }

    fn value(self) -> u32 {
        u32::try_from(self.sums << 16 | self.bytes).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn one_stream_whatever_the_length() {
        let mut state = 1u32;
        for length in [0, 1, 1000, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 17] {
            for noisy in [false, true] {
                let bytes: Vec<u8> = std::iter::repeat_with(|| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    if noisy { (state >> 24) as u8 } else { 255 }
                })
                .take(length)
                .collect();
                let stream = zlib(&bytes).unwrap();
                let mut back = Vec::new();
                let mut decoder = flate2::read::ZlibDecoder::new(&*stream);
                // Its reader checks the sum at the end.
                decoder.read_to_end(&mut back).unwrap();
                assert!(back == bytes, "{length} bytes, noisy: {noisy}");
                assert_eq!(decoder.total_in(), stream.len() as u64);
                assert!(noisy || length < 1000 || stream.len() < length / 50);
            }
        }
    }
}
