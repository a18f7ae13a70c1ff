//! Memory of pixels that were delivered, on its way back to the sensor.

use std::sync::{Arc, Mutex, PoisonError};

use ndarray::Array3;

use crate::image::Pixels;

/// Where the memory of the last frame lies until the next read-out takes it.
///
/// It goes with each exposure to the camera and with its frame to whoever delivers that. Fresh memory costs a read-out
/// several times what the copy into it does: the kernel has to find and zero every page. A camera is free not to use it.
#[derive(Clone, Debug, Default)]
pub struct Spare(Arc<Mutex<Option<Pixels>>>);

impl Spare {
    /// Leaves the memory of a frame that nobody needs any more, in place of what lay there.
    pub fn leave(&self, pixels: Pixels) {
        let before = self.swap(Some(pixels));
        drop(before);
    }

    /// Frees what lies there.
    pub fn clear(&self) {
        drop(self.swap(None));
    }

    /// Whether nothing lies there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// An empty vector with room for `len` samples: the memory that lies here if it suits, else new one.
    #[must_use]
    pub fn room<T: Sample>(&self, len: usize) -> Vec<T> {
        let suits = |room: &Vec<T>| (len..=len + len / 4).contains(&room.capacity());
        let spare = self.swap(None).and_then(T::memory).filter(suits);
        spare.map_or_else(
            || Vec::with_capacity(len),
            |mut room| {
                room.clear();
                room
            },
        )
    }

    /// Held for no longer than this takes.
    fn swap(&self, pixels: Option<Pixels>) -> Option<Pixels> {
        std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), pixels)
    }
}

impl PartialEq for Spare {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// A value of a pixel.
pub trait Sample: Sized {
    /// The memory behind pixels of this type.
    fn memory(pixels: Pixels) -> Option<Vec<Self>>;
}

impl Sample for u8 {
    fn memory(pixels: Pixels) -> Option<Vec<u8>> {
        if let Pixels::U8(array) = pixels { Some(behind(array)) } else { None }
    }
}

impl Sample for u16 {
    fn memory(pixels: Pixels) -> Option<Vec<u16>> {
        if let Pixels::U16(array) = pixels { Some(behind(array)) } else { None }
    }
}

impl Sample for u32 {
    fn memory(pixels: Pixels) -> Option<Vec<u32>> {
        if let Pixels::U32(array) = pixels { Some(behind(array)) } else { None }
    }
}

fn behind<T>(array: Array3<T>) -> Vec<T> {
    array.into_raw_vec_and_offset().0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(len: usize) -> Pixels {
        Pixels::U16(Array3::from_shape_vec((1, 1, len), vec![7; len]).unwrap())
    }

    #[test]
    fn the_memory_of_a_frame_serves_the_next_one_of_its_size() {
        let spare = Spare::default();
        let pixels = frame(1000);
        let Pixels::U16(array) = &pixels else { panic!("not 16 bit") };
        let at = array.as_ptr();
        spare.leave(pixels);
        let room = spare.clone().room::<u16>(900);
        assert_eq!((room.as_ptr(), room.len()), (at, 0));
        assert!(spare.is_empty(), "it is taken");
    }

    #[test]
    fn memory_that_does_not_suit_is_not_used() {
        for (len, wanted) in [(1000, 1001), (1000, 700)] {
            let spare = Spare::default();
            spare.leave(frame(len));
            let room = spare.room::<u16>(wanted);
            assert!(room.is_empty() && room.capacity() >= wanted && room.capacity() < 1000 + 100);
            assert_ne!(room.capacity(), len);
        }
        let spare = Spare::default();
        spare.leave(frame(10));
        assert!(spare.room::<u8>(10).capacity() >= 10);
    }
}
