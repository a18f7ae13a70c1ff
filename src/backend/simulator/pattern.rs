//! The test pattern: frames that cost no more than a copy, for measuring everything behind the camera.
//!
//! The pixels are the offset and six bits of noise, like a bias frame of a noisy sensor. They are drawn once, into
//! a block that is repeated over the frame.

use std::sync::OnceLock;

use ndarray::Array3;
use rand::Rng;
use rustix::mm::{Advice, madvise};

use super::noise::{self, NO_FRAME};
use super::readout::{self, Sample};
use super::sensor::{PixelType, Sensor};
use crate::camera::types::Spare;
use crate::image::Pixels;

/// Bytes of the block: small enough to be made in a few ms, large enough to come from memory and not from a cache,
/// as a real read-out does.
const BLOCK: usize = 4 << 20;
/// Peak to peak noise is 63 ADU.
const NOISE: u8 = 63;
/// What `x86_64` and most other kernels have.
const HUGE_PAGE: usize = 2 << 20;

/// One test pattern; holds its block once it has been needed.
pub(super) struct Pattern {
    key: Key,
    block: OnceLock<Block>,
}

/// What decides the block.
#[derive(Clone, Copy, PartialEq)]
struct Key {
    seed: u64,
    /// Level below the noise, ADU.
    offset: i32,
    pixel_type: PixelType,
    /// Largest value that the converter gives, ADU.
    largest: u16,
    /// Bits by which a value is shifted up when it is delivered.
    shift: u8,
}

enum Block {
    U8(Vec<u8>),
    U16(Vec<u16>),
}

impl Pattern {
    pub(super) fn new(sensor: &Sensor, offset: i32) -> Self {
        let (pixel_type, largest, shift) = (sensor.pixel_type(), sensor.largest(), sensor.shift());
        let key = Key { seed: sensor.seed, offset, pixel_type, largest, shift };
        Pattern { key, block: OnceLock::new() }
    }

    /// Whether the other one looks the same.
    pub(super) fn is_like(&self, other: &Pattern) -> bool {
        self.key == other.key
    }

    /// A frame of that many columns and rows.
    pub(super) fn frame(&self, width: usize, height: usize, spare: &Spare) -> Pixels {
        match self.block.get_or_init(|| self.draw()) {
            Block::U8(block) => Pixels::U8(repeat(block, width, height, spare)),
            Block::U16(block) => Pixels::U16(repeat(block, width, height, spare)),
        }
    }

    fn draw(&self) -> Block {
        match self.key.pixel_type {
            PixelType::U8 => Block::U8(self.samples()),
            PixelType::U16 => Block::U16(self.samples()),
        }
    }

    fn samples<T: Sample>(&self) -> Vec<T> {
        let Key { seed, offset, largest, shift, .. } = self.key;
        let mut samples = vec![T::default(); BLOCK / size_of::<T>()];
        let mut rng = noise::stream(seed, NO_FRAME, 1);
        for chunk in samples.chunks_mut(8) {
            for (sample, byte) in chunk.iter_mut().zip(rng.next_u64().to_le_bytes()) {
                let adu = (offset + i32::from(byte & NOISE)).min(i32::from(largest));
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to largest")]
                let adu = adu as u16;
                *sample = T::from_adu(adu << shift);
            }
        }
        samples
    }
}

fn repeat<T: Sample>(block: &[T], width: usize, height: usize, spare: &Spare) -> Array3<T> {
    let length = width * height;
    let mut pixels = spare.room(length);
    ask_for_huge_pages(&mut pixels);
    while pixels.len() < length {
        pixels.extend_from_slice(&block[..block.len().min(length - pixels.len())]);
    }
    readout::image(pixels, width, height)
}

/// Asks the kernel for pages of 2 MiB behind a large buffer: touching small ones costs several times the copy.
#[allow(unsafe_code, reason = "the kernel's advice takes an address")]
fn ask_for_huge_pages<T>(buffer: &mut Vec<T>) {
    let room = buffer.spare_capacity_mut();
    let ends = room.as_mut_ptr_range();
    let (start, end) =
        (ends.start.addr().next_multiple_of(HUGE_PAGE), ends.end.addr() / HUGE_PAGE * HUGE_PAGE);
    if start >= end {
        return;
    }
    // SAFETY: the range lies within an allocation that is ours alone, and this advice leaves its bytes as they are.
    let asked = unsafe { madvise(ends.start.with_addr(start).cast(), end - start, Advice::LinuxHugepage) };
    // A kernel without huge pages is slower, not wrong.
    let _ = asked;
}

#[cfg(test)]
mod tests {
    use super::super::model::Model;
    use super::super::presets;
    use super::*;

    fn pattern(bits: u8, offset: i32) -> Pattern {
        Pattern::new(&Sensor::new(Model { bits, ..presets::kaf8300() }, 1), offset)
    }

    #[test]
    fn repeats_its_block_over_small_and_large_frames() {
        let pattern = pattern(12, 100);
        let block = BLOCK / 2;
        for (width, height) in [(3, 2), (4096, 600), (8192, 2100)] {
            let Pixels::U16(frame) = pattern.frame(width, height, &Spare::default()) else {
                panic!("not 16 bit")
            };
            assert_eq!(frame.dim(), (1, height, width));
            let pixels = frame.as_slice().unwrap();
            assert!(pixels.iter().take(1000).all(|p| (100..=163).contains(p)));
            assert!(width * height <= block || pixels[..1000] == pixels[block..block + 1000]);
        }
    }

    #[test]
    fn stays_within_the_converter() {
        let pattern = pattern(8, 1000);
        let Pixels::U8(frame) = pattern.frame(40, 30, &Spare::default()) else { panic!("not 8 bit") };
        assert!(frame.iter().all(|&p| p == 255));
    }
}
