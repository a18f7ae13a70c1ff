//! Frames on their way: the library's stream, and the camera that fills it.

use std::thread;
use std::time::{Duration, Instant, SystemTime};

use aravis::glib::Error;
use aravis::glib::prelude::*;
use aravis::prelude::*;
use aravis::{
    Buffer, BufferPayloadType, BufferStatus, Camera, Device, DeviceError, GvStream, GvStreamPacketResend,
    GvStreamSocketBuffer, Stream,
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

/// A frame of which no more comes is given up after so long: where nobody waits for it, where the camera can send again
/// what was lost, and where it cannot.
const BRIEFLY: Duration = Duration::from_millis(200);
const RESENDING: Duration = Duration::from_millis(1500);
const NOT_RESENDING: Duration = Duration::from_millis(300);
/// Packets of a frame that may be asked for again, of each one: a single frame is worth all of them.
const ALL: f64 = 1.0;

/// A camera that says when it can take a command for a frame has so long to say so.
const READINESS: Duration = Duration::from_millis(500);
const READINESS_LOOK: Duration = Duration::from_millis(2);
/// A first frame of which nothing comes for so long does not come at all. It is asked for once more before that, and one
/// that comes may take longer.
const REHEARSAL: Duration = Duration::from_millis(500);
const AGAIN: Duration = Duration::from_millis(250);
const LONGEST_REHEARSAL: Duration = Duration::from_secs(3);
const REHEARSAL_LOOK: Duration = Duration::from_millis(20);

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
    /// Frames that were asked for and have not come, whole or not.
    owed: u32,
    /// The camera says when it can take a command.
    tells_readiness: bool,
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
        let tells_readiness = mode == Mode::Triggered && tells_readiness(&device);
        let acquisition = Acquisition { camera: camera.clone(), stream, mode, owed: 0, tells_readiness };
        acquisition.be_patient();
        if mode != Mode::Single {
            acquisition.camera.start_acquisition()?;
        }
        Ok(acquisition)
    }

    /// Has the library wait for what was lost on the way of a single frame. In a free run the next frame counts.
    fn be_patient(&self) {
        if let Some(network) = self.network()
            && self.mode != Mode::Free
        {
            let resends = network.packet_resend() != GvStreamPacketResend::Never;
            network.set_packet_request_ratio(ALL);
            self.retain(if resends { RESENDING } else { NOT_RESENDING });
        }
    }

    fn retain(&self, time: Duration) {
        if let Some(network) = self.network() {
            network.set_frame_retention(u32::try_from(time.as_micros()).unwrap_or(u32::MAX));
        }
    }

    fn network(&self) -> Option<&GvStream> {
        self.stream.downcast_ref()
    }

    /// Whether the first frame is worse off than those after it: the library makes room for packets in the kernel only when
    /// the first one has come, so the others of that frame may not all find a place.
    pub(super) fn needs_rehearsal(&self) -> bool {
        self.mode != Mode::Free && self.network().is_some()
    }

    /// Takes a frame that nobody gets, if one comes.
    pub(super) fn rehearse(&mut self) -> Result<(), Error> {
        let end = now() + LONGEST_REHEARSAL;
        self.retain(BRIEFLY);
        self.ask()?;
        let (mut heard, mut since, mut asked) = (self.heard(), now(), 1);
        while self.owes() && now() < end && since.elapsed() < REHEARSAL {
            if let Some(buffer) = self.stream.timeout_pop_buffer(micros(REHEARSAL_LOOK)) {
                self.discard(buffer);
            }
            let bytes = self.heard();
            if bytes != heard {
                (heard, since) = (bytes, now());
            } else if asked == 1 && heard == 0 && since.elapsed() >= AGAIN {
                asked += 1;
                self.ask()?;
            }
        }
        self.be_patient();
        Ok(())
    }

    /// Asks for a frame.
    pub(super) fn ask(&mut self) -> Result<(), Error> {
        match self.mode {
            Mode::Triggered => {
                self.await_readiness();
                self.camera.software_trigger()?;
            }
            Mode::Single => {
                // Some want to be told that they have stopped.
                let _ = self.camera.stop_acquisition();
                self.camera.start_acquisition()?;
            }
            Mode::Free => return Ok(()),
        }
        self.owed = self.owed.saturating_add(1);
        Ok(())
    }

    /// A camera may not hear a command before it waits for one.
    fn await_readiness(&self) {
        let Some(device) = self.camera.device().filter(|_| self.tells_readiness) else { return };
        let end = now() + READINESS;
        while device.boolean_feature_value("AcquisitionStatus").is_ok_and(|is_ready| !is_ready) && now() < end
        {
            thread::park_timeout(READINESS_LOOK);
        }
    }

    /// Whether frames may still come that were asked for by now.
    pub(super) fn owes(&self) -> bool {
        self.owed > 0
    }

    /// Bytes that have come, of whole frames and of others.
    pub(super) fn heard(&self) -> u64 {
        self.stream.info_uint64_by_name("n_transferred_bytes")
    }

    /// Ends the frame that is being exposed, where the camera can.
    pub(super) fn abort(&self) {
        let device = self.camera.device();
        if device.is_some_and(|device| device.is_feature_available("AcquisitionAbort").unwrap_or(false)) {
            let _ = self.camera.abort_acquisition();
        }
    }

    /// The oldest of what came, if there is anything.
    pub(super) fn next(&mut self) -> Option<Delivery> {
        let buffer = self.stream.try_pop_buffer()?;
        let is_image =
            matches!(buffer.payload_type(), BufferPayloadType::Image | BufferPayloadType::ExtendedChunkData);
        if buffer.status() != BufferStatus::Success || !is_image {
            tracing::debug!(status = ?buffer.status(), payload = ?buffer.payload_type(), "no whole image");
            self.discard(buffer);
            return Some(Delivery::Incomplete);
        }
        self.owed = self.owed.saturating_sub(1);
        let came = SystemTime::UNIX_EPOCH + Duration::from_nanos(buffer.system_timestamp());
        // From the wall clock, which may be set, to the other one, within the moment since then.
        let ago = utc().duration_since(came).unwrap_or_default();
        let came = now().checked_sub(ago).unwrap_or_else(now);
        Some(Delivery::Whole(buffer, came))
    }

    pub(super) fn give_back(&self, buffer: Buffer) {
        self.stream.push_buffer(buffer);
    }

    fn discard(&mut self, buffer: Buffer) {
        self.owed = self.owed.saturating_sub(1);
        self.give_back(buffer);
    }

    /// Throws away what has come.
    pub(super) fn drain(&mut self) {
        while let Some(delivery) = self.next() {
            if let Delivery::Whole(buffer, _) = delivery {
                self.give_back(buffer);
            }
        }
    }
}

/// Whether a camera says when it waits for a command, and has it say that.
fn tells_readiness(device: &Device) -> bool {
    const SELECTOR: &str = "AcquisitionStatusSelector";
    const WORD: &str = "FrameTriggerWait";
    has_entry(device, SELECTOR, WORD)
        && device.set_string_feature_value(SELECTOR, WORD).is_ok()
        && device.is_feature_available("AcquisitionStatus").unwrap_or(false)
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
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
