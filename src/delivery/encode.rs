//! From a frame to the bytes of the format that was asked for.

use std::sync::Arc;

use crate::device::job::{ClientCopy, DeliveryError, Encoding};
use crate::image::header::Card;
use crate::image::pack::Packed;
use crate::image::xisf::Unit;
use crate::image::{Frame, fits, native};
use crate::wire::Payload;

use super::Worker;
use super::blob::Buffer;

/// A file in memory: the first `len` bytes of the buffer.
pub(super) struct Encoded {
    pub(super) buffer: Buffer,
    pub(super) len: usize,
    /// With its dot.
    pub(super) suffix: &'static str,
}

impl Worker {
    /// What is stored as a file and, but for the last step of [`copy`], sent to the client.
    pub(super) fn encode(
        &mut self,
        encoding: Encoding,
        cards: &[Card],
        frame: &Frame,
    ) -> Result<Encoded, DeliveryError> {
        let (pixels, suffix) = (&frame.pixels, encoding.suffix());
        match encoding {
            Encoding::Fits => self.fill(suffix, fits::encoded_len(cards, pixels), |out| {
                fits::encode(cards, pixels, out).map_err(impossible)
            }),
            Encoding::FitsRice => {
                let packed = Packed::new(cards, pixels).map_err(impossible)?;
                self.fill(suffix, packed.len(), |out| packed.write(out).map_err(impossible))
            }
            Encoding::Native | Encoding::NativeZlib => {
                self.fill(suffix, native::encoded_len(pixels), |out| {
                    native::encode(pixels, out);
                    Ok(())
                })
            }
            Encoding::Xisf { compressed } => {
                let unit = Unit::new(cards, pixels, frame.info.ended, compressed).map_err(impossible)?;
                self.fill(suffix, unit.len(), |out| unit.write(out).map_err(impossible))
            }
        }
    }

    fn fill(
        &mut self,
        suffix: &'static str,
        len: usize,
        write: impl FnOnce(&mut [u8]) -> Result<(), DeliveryError>,
    ) -> Result<Encoded, DeliveryError> {
        let mut buffer = self.memory.take(len).map_err(|error| DeliveryError::Memory(error.to_string()))?;
        write(&mut buffer.bytes()[..len])?;
        Ok(Encoded { buffer, len, suffix })
    }
}

/// The client's copy of a file, and its BLOB format.
pub(super) fn copy(
    encoding: Encoding,
    file: Payload,
    suffix: &'static str,
) -> Result<ClientCopy, DeliveryError> {
    Ok(match file {
        Payload::Inline(plain) if encoding == Encoding::NativeZlib => {
            let bytes = Arc::new(native::deflated(&plain).map_err(DeliveryError::Encode)?);
            (Payload::Deflated { bytes, inflated: plain.len() as u64 }, ".bin.z")
        }
        file => (file, suffix),
    })
}

fn impossible(error: impl std::error::Error) -> DeliveryError {
    DeliveryError::Encode(error.to_string())
}
