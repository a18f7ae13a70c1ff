//! The text of an inline BLOB to its bytes, piece by piece, so that nobody has to hold the text of a large one.

use base64::Engine;
use base64::engine::{Simd, general_purpose::PAD_INDIFFERENT};
use memchr::memchr3;

/// A BLOB whose text is no base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not base64")]
pub struct NotBase64;

/// Characters decoded at a time: small enough for the cache, whole groups of four.
const PIECE: usize = 64 << 10;

/// Decodes the text of one BLOB. White space may stand anywhere in it.
#[derive(Debug, Default)]
pub struct Decoder {
    /// Characters that do not make a piece yet.
    text: Vec<u8>,
    bytes: Vec<u8>,
    /// The padding has come: nothing may follow.
    ended: bool,
}

impl Decoder {
    /// Takes the next piece of text and shows `take` bytes whenever there are some.
    pub fn push<E: From<NotBase64>>(
        &mut self,
        text: &[u8],
        mut take: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut rest = text;
        while !rest.is_empty() {
            // Blanks and tabs would be strange enough to wait for the decoder's refusal; line breaks are usual.
            let line = memchr3(b'\n', b'\r', b' ', rest).unwrap_or(rest.len()).min(PIECE - self.text.len());
            self.text.extend_from_slice(&rest[..line]);
            if self.text.len() == PIECE {
                self.decode()?;
                take(&self.bytes)?;
            }
            let blank = usize::from(rest.get(line).is_some_and(|byte| matches!(byte, b'\n' | b'\r' | b' ')));
            rest = &rest[line + blank..];
        }
        Ok(())
    }

    /// The text has ended.
    pub fn finish<E: From<NotBase64>>(
        &mut self,
        mut take: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.decode()?;
        take(&self.bytes)
    }

    fn decode(&mut self) -> Result<(), NotBase64> {
        self.bytes.clear();
        if self.text.is_empty() {
            return Ok(());
        }
        if self.ended {
            return Err(NotBase64);
        }
        self.ended = self.text.ends_with(b"=");
        self.bytes.resize(self.text.len().div_ceil(4) * 3, 0);
        let decoded = Simd::standard(PAD_INDIFFERENT).decode_slice(&self.text, &mut self.bytes);
        self.bytes.truncate(decoded.map_err(|_the_place_helps_nobody| NotBase64)?);
        self.text.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &[u8], piece: usize) -> Result<Vec<u8>, NotBase64> {
        let (mut decoder, mut bytes) = (Decoder::default(), Vec::new());
        let mut take = |part: &[u8]| {
            bytes.extend_from_slice(part);
            Ok::<_, NotBase64>(())
        };
        for part in text.chunks(piece) {
            decoder.push(part, &mut take)?;
        }
        decoder.finish(take)?;
        Ok(bytes)
    }

    #[test]
    fn a_text_gives_its_bytes_however_it_arrives_and_is_broken() {
        for length in [1, 2, 3, 4, 47, 48, 49, 49_151, 49_152, 49_153, 200_000] {
            let bytes: Vec<u8> = (0..=250).cycle().step_by(31).take(length).collect();
            let mut text = Vec::new();
            super::super::write::base64(&bytes, &mut text);
            let lines: Vec<u8> = text.chunks(72).flat_map(|line| [b"\r\n  ", line].concat()).collect();
            for piece in [7, 4096, usize::MAX] {
                assert_eq!(decoded(&text, piece), Ok(bytes.clone()), "{length} bytes in pieces of {piece}");
                assert_eq!(decoded(&lines, piece), Ok(bytes.clone()), "{length} bytes in lines");
            }
        }
        assert_eq!(decoded(b"", 1), Ok(Vec::new()));
        assert_eq!(decoded(b"QUI", 1), Ok(b"AB".to_vec()), "without the padding");
    }

    #[test]
    fn what_is_no_base64_is_an_error() {
        for text in [&b"QUJD*"[..], b"QQ==QUJD", b"Q", b"\x00\x00\x00\x00", b"QUJD<"] {
            assert_eq!(decoded(text, 2), Err(NotBase64), "{text:?}");
        }
        let long = [vec![b'A'; 65_534], b"==".to_vec(), b"AAAA".to_vec()].concat();
        assert_eq!(decoded(&long, 1000), Err(NotBase64), "text after the padding of an earlier piece");
    }
}
