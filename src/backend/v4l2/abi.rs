//! The kernel's video interface (`linux/videodev2.h`, 64 bit), as far as a camera needs it: structures, request codes
//! and one safe function for each request.
#![allow(unsafe_code, reason = "requests to the kernel by pointer")]

use std::os::fd::BorrowedFd;
use std::time::Duration;

use rustix::io::Errno;
use rustix::ioctl::{self, Opcode, Setter, Updater, opcode};

pub(super) const CAP_VIDEO_CAPTURE: u32 = 0x0000_0001;
pub(super) const CAP_STREAMING: u32 = 0x0400_0000;
pub(super) const CAP_DEVICE_CAPS: u32 = 0x8000_0000;
pub(super) const BUF_FLAG_ERROR: u32 = 0x0000_0040;
/// By which clock a frame was stamped, and when.
const BUF_FLAG_CLOCK: u32 = 0x0000_e000;
const BUF_FLAG_MONOTONIC: u32 = 0x0000_2000;
const BUF_FLAG_WHEN: u32 = 0x0007_0000;
const BUF_FLAG_AT_END: u32 = 0x0000_0000;
const BUF_FLAG_AT_START: u32 = 0x0001_0000;
pub(super) const FRAME_SIZE_DISCRETE: u32 = 1;
pub(super) const CTRL_FLAG_DISABLED: u32 = 0x0001;
pub(super) const CTRL_FLAG_READ_ONLY: u32 = 0x0004;
pub(super) const CTRL_FLAG_WRITE_ONLY: u32 = 0x0040;
pub(super) const CTRL_FLAG_NEXT: u32 = 0x8000_0000;
/// The part of the sensor that is streamed, and what it is if nobody changes it.
pub(super) const CROP: u32 = 0x0000;
pub(super) const CROP_DEFAULT: u32 = 0x0001;
/// Where in a frame it is put, and in what size.
pub(super) const COMPOSE: u32 = 0x0100;
/// Rather a larger part than a smaller one.
const SEL_FLAG_GE: u32 = 0x0001;
/// The only kind of buffer that is used here.
const BUF_TYPE_VIDEO_CAPTURE: u32 = 1;
const MEMORY_MMAP: u32 = 1;
const FIELD_NONE: u32 = 1;
/// Of [`StreamParameters`]: the time between two frames can be set.
const CAP_TIME_PER_FRAME: u32 = 0x1000;

/// Structures of numbers alone, for which zeros are a value.
///
/// # Safety
/// Every bit pattern has to be a value of the type.
unsafe trait Plain: Copy {}

fn zeroed<T: Plain>() -> T {
    // SAFETY: zeros are a value of every plain type.
    unsafe { std::mem::zeroed() }
}

macro_rules! plain {
    ($($(#[$doc:meta])* struct $name:ident { $($field:ident: $kind:ty,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq)]
        #[repr(C)]
        pub(super) struct $name { $(pub(super) $field: $kind,)+ }
        // SAFETY: numbers and arrays of numbers alone.
        unsafe impl Plain for $name {}
    )+};
}

plain! {
    struct Capability {
        driver: [u8; 16], card: [u8; 32], bus: [u8; 32], version: u32, capabilities: u32, device_caps: u32,
        reserved: [u32; 3],
    }
    struct FormatDescription {
        index: u32, kind: u32, flags: u32, description: [u8; 32], fourcc: [u8; 4], code: u32, reserved: [u32; 3],
    }
    /// `size` is width and height if they are discrete, else smallest width, largest width, step, and the same of heights.
    struct FrameSize { index: u32, fourcc: [u8; 4], kind: u32, size: [u32; 6], reserved: [u32; 2], }
    struct PixelFormat {
        width: u32, height: u32, fourcc: [u8; 4], field: u32, bytes_per_line: u32, size: u32, rest: [u32; 6],
    }
    /// The kernel's union holds pointers in other uses, so it is aligned to eight bytes.
    struct Format { kind: u32, padding: u32, pixels: PixelFormat, rest: [u64; 19], }
    struct RequestBuffers { count: u32, kind: u32, memory: u32, capabilities: u32, flags: u32, }
    struct Buffer {
        index: u32, kind: u32, used: u32, flags: u32, field: u32, padding: u32, timestamp: [u64; 2],
        timecode: [u32; 4], sequence: u32, memory: u32, offset: u64, length: u32, reserved: [u32; 2], end: u32,
    }
    struct QueryControl {
        id: u32, kind: u32, name: [u8; 32], min: i64, max: i64, step: u64, default: i64, flags: u32, size: u32,
        count: u32, dimensions: u32, dims: [u32; 4], reserved: [u32; 32],
    }
    struct Control { id: u32, value: i32, }
    /// Pixels of the sensor. The corner may be anywhere in the driver's own counting.
    struct Rectangle { left: i32, top: i32, width: u32, height: u32, }
    struct Selection { kind: u32, target: u32, flags: u32, rectangle: Rectangle, reserved: [u32; 9], }
    struct StreamParameters {
        kind: u32, capability: u32, mode: u32, numerator: u32, denominator: u32, rest: [u32; 46],
    }
}

/// Packed in the kernel, too: the name is at offset 8, and 44 bytes are no multiple of eight.
#[derive(Clone, Copy)]
#[repr(C, packed)]
pub(super) struct QueryMenu {
    id: u32,
    index: u32,
    name: [u8; 32],
    reserved: u32,
}
// SAFETY: numbers and arrays of numbers alone.
unsafe impl Plain for QueryMenu {}

const V: u8 = b'V';
const QUERYCAP: Opcode = opcode::read::<Capability>(V, 0);
const ENUM_FMT: Opcode = opcode::read_write::<FormatDescription>(V, 2);
const S_FMT: Opcode = opcode::read_write::<Format>(V, 5);
const REQBUFS: Opcode = opcode::read_write::<RequestBuffers>(V, 8);
const QUERYBUF: Opcode = opcode::read_write::<Buffer>(V, 9);
const QBUF: Opcode = opcode::read_write::<Buffer>(V, 15);
const DQBUF: Opcode = opcode::read_write::<Buffer>(V, 17);
const STREAMON: Opcode = opcode::write::<i32>(V, 18);
const STREAMOFF: Opcode = opcode::write::<i32>(V, 19);
const G_PARM: Opcode = opcode::read_write::<StreamParameters>(V, 21);
const S_PARM: Opcode = opcode::read_write::<StreamParameters>(V, 22);
const G_CTRL: Opcode = opcode::read_write::<Control>(V, 27);
const S_CTRL: Opcode = opcode::read_write::<Control>(V, 28);
const QUERYMENU: Opcode = opcode::read_write::<QueryMenu>(V, 37);
const ENUM_FRAMESIZES: Opcode = opcode::read_write::<FrameSize>(V, 74);
const G_SELECTION: Opcode = opcode::read_write::<Selection>(V, 94);
const S_SELECTION: Opcode = opcode::read_write::<Selection>(V, 95);
const QUERY_EXT_CTRL: Opcode = opcode::read_write::<QueryControl>(V, 103);

type Result<T> = std::result::Result<T, Errno>;

/// When a frame was made, by the kernel's monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stamp {
    /// When its exposure began, or so the driver says: many mean the beginning of its transfer.
    Start(Duration),
    /// When it was complete.
    End(Duration),
}

impl Stamp {
    pub(super) fn at(self) -> Duration {
        let (Stamp::Start(at) | Stamp::End(at)) = self;
        at
    }
}

impl Buffer {
    /// If its driver tells.
    pub(super) fn stamp(&self) -> Option<Stamp> {
        let [seconds, micros] = self.timestamp;
        let at = Duration::from_secs(seconds).checked_add(Duration::from_micros(micros));
        let at = at.filter(|at| !at.is_zero() && self.flags & BUF_FLAG_CLOCK == BUF_FLAG_MONOTONIC)?;
        match self.flags & BUF_FLAG_WHEN {
            BUF_FLAG_AT_END => Some(Stamp::End(at)),
            BUF_FLAG_AT_START => Some(Stamp::Start(at)),
            _ => None,
        }
    }
}

fn update<const CODE: Opcode, T: Plain>(node: BorrowedFd<'_>, value: &mut T) -> Result<()> {
    loop {
        // SAFETY: the code says the size of `T`, which the kernel reads and writes, and every result is a value of it.
        match unsafe { ioctl::ioctl(node, Updater::<CODE, T>::new(value)) } {
            Err(Errno::INTR) => {}
            result => return result,
        }
    }
}

pub(super) fn capability(node: BorrowedFd<'_>) -> Result<Capability> {
    let mut capability = zeroed();
    update::<QUERYCAP, _>(node, &mut capability)?;
    Ok(capability)
}

/// The `index`th pixel format, until there is none.
pub(super) fn format_description(node: BorrowedFd<'_>, index: u32) -> Result<FormatDescription> {
    let mut description = FormatDescription { index, kind: BUF_TYPE_VIDEO_CAPTURE, ..zeroed() };
    update::<ENUM_FMT, _>(node, &mut description)?;
    Ok(description)
}

/// The `index`th size of a pixel format, until there is none.
pub(super) fn frame_size(node: BorrowedFd<'_>, fourcc: [u8; 4], index: u32) -> Result<FrameSize> {
    let mut size = FrameSize { index, fourcc, ..zeroed() };
    update::<ENUM_FRAMESIZES, _>(node, &mut size)?;
    Ok(size)
}

/// Sets format and size; what comes back is what was really set.
pub(super) fn set_format(
    node: BorrowedFd<'_>,
    fourcc: [u8; 4],
    (width, height): (u32, u32),
) -> Result<PixelFormat> {
    let pixels = PixelFormat { width, height, fourcc, field: FIELD_NONE, ..zeroed() };
    let mut format = Format { kind: BUF_TYPE_VIDEO_CAPTURE, pixels, ..zeroed() };
    update::<S_FMT, _>(node, &mut format)?;
    Ok(format.pixels)
}

/// [`CROP`], [`CROP_DEFAULT`] or [`COMPOSE`].
pub(super) fn selection(node: BorrowedFd<'_>, target: u32) -> Result<Rectangle> {
    let mut selection = Selection { kind: BUF_TYPE_VIDEO_CAPTURE, target, ..zeroed() };
    update::<G_SELECTION, _>(node, &mut selection)?;
    Ok(selection.rectangle)
}

/// Sets [`CROP`] or [`COMPOSE`]; what comes back is what was really set.
pub(super) fn select(node: BorrowedFd<'_>, target: u32, rectangle: Rectangle) -> Result<Rectangle> {
    let (kind, flags) = (BUF_TYPE_VIDEO_CAPTURE, SEL_FLAG_GE);
    let mut selection = Selection { kind, target, flags, rectangle, ..zeroed() };
    update::<S_SELECTION, _>(node, &mut selection)?;
    Ok(selection.rectangle)
}

/// Asks for that many buffers; 0 gives them back. What comes back is how many there are.
pub(super) fn request_buffers(node: BorrowedFd<'_>, count: u32) -> Result<u32> {
    let mut request = RequestBuffers { count, kind: BUF_TYPE_VIDEO_CAPTURE, memory: MEMORY_MMAP, ..zeroed() };
    update::<REQBUFS, _>(node, &mut request)?;
    Ok(request.count)
}

fn buffer(index: u32) -> Buffer {
    Buffer { index, kind: BUF_TYPE_VIDEO_CAPTURE, memory: MEMORY_MMAP, ..zeroed() }
}

/// Where a buffer is to be mapped, and its length.
pub(super) fn query_buffer(node: BorrowedFd<'_>, index: u32) -> Result<Buffer> {
    let mut buffer = buffer(index);
    update::<QUERYBUF, _>(node, &mut buffer)?;
    Ok(buffer)
}

/// Gives a buffer to the driver.
pub(super) fn queue(node: BorrowedFd<'_>, index: u32) -> Result<()> {
    update::<QBUF, _>(node, &mut buffer(index))
}

/// Takes a filled buffer; [`Errno::AGAIN`] while there is none.
pub(super) fn dequeue(node: BorrowedFd<'_>) -> Result<Buffer> {
    let mut buffer = buffer(0);
    update::<DQBUF, _>(node, &mut buffer)?;
    Ok(buffer)
}

pub(super) fn stream(node: BorrowedFd<'_>, on: bool) -> Result<()> {
    #[allow(clippy::cast_possible_wrap, reason = "1")]
    let kind = BUF_TYPE_VIDEO_CAPTURE as i32;
    // SAFETY: the codes say that the kernel reads one integer.
    unsafe {
        if on {
            ioctl::ioctl(node, Setter::<STREAMON, i32>::new(kind))
        } else {
            ioctl::ioctl(node, Setter::<STREAMOFF, i32>::new(kind))
        }
    }
}

impl StreamParameters {
    /// Time between two frames.
    pub(super) fn interval(&self) -> Option<Duration> {
        let (numerator, denominator) = (f64::from(self.numerator), f64::from(self.denominator));
        Duration::try_from_secs_f64(numerator / denominator).ok().filter(|interval| !interval.is_zero())
    }

    /// Whether that can be set.
    pub(super) fn is_settable(&self) -> bool {
        self.capability & CAP_TIME_PER_FRAME != 0
    }
}

pub(super) fn parameters(node: BorrowedFd<'_>) -> Result<StreamParameters> {
    let mut parameters = StreamParameters { kind: BUF_TYPE_VIDEO_CAPTURE, ..zeroed() };
    update::<G_PARM, _>(node, &mut parameters)?;
    Ok(parameters)
}

/// Wishes for a time between two frames, in units of 100 µs; what comes back is what was really set.
pub(super) fn set_interval(node: BorrowedFd<'_>, numerator: u32) -> Result<StreamParameters> {
    let mut parameters =
        StreamParameters { kind: BUF_TYPE_VIDEO_CAPTURE, numerator, denominator: 10_000, ..zeroed() };
    update::<S_PARM, _>(node, &mut parameters)?;
    Ok(parameters)
}

/// The control with that number, or the next one with [`CTRL_FLAG_NEXT`].
pub(super) fn query_control(node: BorrowedFd<'_>, id: u32) -> Result<QueryControl> {
    let mut control = QueryControl { id, ..zeroed() };
    update::<QUERY_EXT_CTRL, _>(node, &mut control)?;
    Ok(control)
}

/// What one place in a menu is called; an error where it is empty.
pub(super) fn menu_item(node: BorrowedFd<'_>, id: u32, index: u32) -> Result<[u8; 32]> {
    let mut menu = QueryMenu { id, index, ..zeroed() };
    update::<QUERYMENU, _>(node, &mut menu)?;
    Ok(menu.name)
}

pub(super) fn control(node: BorrowedFd<'_>, id: u32) -> Result<i32> {
    let mut control = Control { id, value: 0 };
    update::<G_CTRL, _>(node, &mut control)?;
    Ok(control.value)
}

pub(super) fn set_control(node: BorrowedFd<'_>, id: u32, value: i32) -> Result<i32> {
    let mut control = Control { id, value };
    update::<S_CTRL, _>(node, &mut control)?;
    Ok(control.value)
}

/// Text of the kernel's, up to its first zero.
pub(super) fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structures_are_as_long_as_the_kernels() {
        assert_eq!(size_of::<Capability>(), 104);
        assert_eq!(size_of::<FormatDescription>(), 64);
        assert_eq!(size_of::<FrameSize>(), 44);
        assert_eq!(size_of::<Format>(), 208);
        assert_eq!(size_of::<RequestBuffers>(), 20);
        assert_eq!(size_of::<Buffer>(), 88);
        assert_eq!(size_of::<QueryControl>(), 232);
        assert_eq!(size_of::<QueryMenu>(), 44);
        assert_eq!(size_of::<StreamParameters>(), 204);
        assert_eq!(size_of::<Selection>(), 64);
    }

    #[test]
    fn a_frame_has_a_time_if_its_driver_tells_it_by_the_monotonic_clock() {
        let stamped = |flags, timestamp| Buffer { flags, timestamp, ..zeroed() }.stamp();
        let at = Duration::from_micros(7_000_003);
        assert_eq!(stamped(0x2000, [7, 3]), Some(Stamp::End(at)));
        assert_eq!(stamped(0x1_2001, [7, 3]), Some(Stamp::Start(at)));
        for (flags, timestamp) in [(0, [7, 3]), (0x4000, [7, 3]), (0x2_2000, [7, 3]), (0x2000, [0, 0])] {
            assert_eq!(stamped(flags, timestamp), None, "{flags:#x} {timestamp:?}");
        }
        assert_eq!(stamped(0x2000, [u64::MAX, u64::MAX]), None);
    }
}
