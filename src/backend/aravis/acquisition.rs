//! Frames on their way: the library's stream, and the camera that fills it.

use std::time::{Duration, Instant, SystemTime};

use aravis::glib::Error;
use aravis::glib::prelude::*;
use aravis::prelude::*;
use aravis::{
    Buffer, BufferPayloadType, BufferStatus, Camera, DeviceError, GvStream, GvStreamSocketBuffer, Stream,
};

use super::feature::{can_set, has_entry};
use super::pixel::PixelForm;
use super::{now, utc};
use crate::camera::types::Pixels;

/// Buffers where few frames are under way, where many are, and the memory that they may take then.
const FEW: usize = 3;
const MANY: usize = 16;
const MOST_MEMORY: usize = 128 << 20;
/// What comes with an image, and more than that is nonsense.
const BESIDES: usize = 1 << 20;
/// The kernel keeps so much of what the stream has not read yet, if it may.
const SOCKET: std::ops::RangeInclusive<usize> = 1 << 20..=64 << 20;

/// When the camera sends a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// For each command.
    Triggered,
    /// When it is started; it stops by itself.
    Single,
    /// All the time.
    Free,
}

/// A stream that waits for frames, and a camera that sends them. Dropping it stops both.
pub(super) struct Acquisition {
    camera: Camera,
    stream: Stream,
    pub(super) mode: Mode,
}

/// What came.
pub(super) enum Delivery {
    /// A frame that is not whole.
    Incomplete,
    /// A frame whose first packet came at that time.
    Whole(Buffer, Instant),
}

impl Acquisition {
    /// `image` is how many bytes of pixels a frame has.
    pub(super) fn begin(camera: &Camera, mode: Mode, image: usize) -> Result<Acquisition, Error> {
        let device =
            camera.device().ok_or_else(|| Error::new(DeviceError::NotFound, "there is no device"))?;
        let word = if mode == Mode::Single { "SingleFrame" } else { "Continuous" };
        if has_entry(&device, "AcquisitionMode", word) {
            device.set_string_feature_value("AcquisitionMode", word)?;
        }
        if can_set(&device, "TriggerMode") {
            let word = if mode == Mode::Triggered { "On" } else { "Off" };
            device.set_string_feature_value("TriggerMode", word)?;
        }
        let payload = camera.payload()? as usize;
        // The library ends the process when there is not enough memory.
        if payload < image || payload > image + image / 2 + BESIDES {
            let words = format!("its frames are of {payload} bytes, and its images of {image}");
            return Err(Error::new(DeviceError::ProtocolError, &words));
        }
        let stream = camera.create_stream()?;
        let wanted = if mode == Mode::Free { MANY } else { FEW };
        let count = wanted.min(MOST_MEMORY / payload.max(1)).max(FEW);
        if let Some(network) = stream.downcast_ref::<GvStream>() {
            let size = (2 * payload).clamp(*SOCKET.start(), *SOCKET.end());
            network.set_socket_buffer(GvStreamSocketBuffer::Fixed);
            network.set_socket_buffer_size(i32::try_from(size).unwrap_or(i32::MAX));
        }
        for _ in 0..count {
            stream.push_buffer(Buffer::new_allocate(payload));
        }
        let acquisition = Acquisition { camera: camera.clone(), stream, mode };
        if mode != Mode::Single {
            acquisition.camera.start_acquisition()?;
        }
        Ok(acquisition)
    }

    /// Asks for a frame.
    pub(super) fn ask(&self) -> Result<(), Error> {
        match self.mode {
            Mode::Triggered => self.camera.software_trigger(),
            Mode::Single => {
                // Some want to be told that they have stopped.
                let _ = self.camera.stop_acquisition();
                self.camera.start_acquisition()
            }
            Mode::Free => Ok(()),
        }
    }

    /// Ends the frame that is being exposed, where the camera can.
    pub(super) fn abort(&self) {
        let device = self.camera.device();
        if device.is_some_and(|device| device.is_feature_available("AcquisitionAbort").unwrap_or(false)) {
            let _ = self.camera.abort_acquisition();
        }
    }

    /// The oldest of what came, if there is anything.
    pub(super) fn next(&self) -> Option<Delivery> {
        let buffer = self.stream.try_pop_buffer()?;
        let is_image =
            matches!(buffer.payload_type(), BufferPayloadType::Image | BufferPayloadType::ExtendedChunkData);
        if buffer.status() != BufferStatus::Success || !is_image {
            tracing::debug!(status = ?buffer.status(), payload = ?buffer.payload_type(), "no whole image");
            self.give_back(buffer);
            return Some(Delivery::Incomplete);
        }
        let came = SystemTime::UNIX_EPOCH + Duration::from_nanos(buffer.system_timestamp());
        // From the wall clock, which may be set, to the other one, within the moment since then.
        let ago = utc().duration_since(came).unwrap_or_default();
        let came = now().checked_sub(ago).unwrap_or_else(now);
        Some(Delivery::Whole(buffer, came))
    }

    pub(super) fn give_back(&self, buffer: Buffer) {
        self.stream.push_buffer(buffer);
    }

    /// Throws away what has come.
    pub(super) fn drain(&self) {
        while let Some(delivery) = self.next() {
            if let Delivery::Whole(buffer, _) = delivery {
                self.give_back(buffer);
            }
        }
    }
}

impl Drop for Acquisition {
    fn drop(&mut self) {
        let _ = self.camera.stop_acquisition();
    }
}

/// The pixels of a frame; `None` if it is not what was asked.
pub(super) fn pixels(buffer: &Buffer, form: PixelForm, (width, height): (u32, u32)) -> Option<Pixels> {
    let size = (u32::try_from(buffer.image_width()).ok()?, u32::try_from(buffer.image_height()).ok()?);
    if size != (width, height) || buffer.image_pixel_format().raw() != form.value {
        tracing::warn!(?size, format = buffer.image_pixel_format().raw(), "not the frame that was asked for");
        return None;
    }
    let padding = usize::try_from(buffer.image_padding().0).ok()?;
    form.pixels(&buffer.image_data(), (width as usize, height as usize), padding)
}
