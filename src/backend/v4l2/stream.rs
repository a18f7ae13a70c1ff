//! Frames out of a node: buffers shared with the kernel, and the stream that fills them.
#![allow(unsafe_code, reason = "memory that is shared with the kernel")]

use std::ffi::c_void;
use std::fs::File;
use std::os::fd::AsFd;
use std::ptr::{NonNull, null_mut};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

use super::abi::{self, Stamp};

/// Enough that the camera never waits for us, and few enough that what is old is soon gone.
const BUFFERS: u32 = 4;

/// A running stream. Dropping it stops it and gives the memory back.
pub(super) struct Stream {
    node: File,
    buffers: Vec<Mapping>,
}

/// Memory of the driver's that we may look at.
struct Mapping {
    start: NonNull<c_void>,
    length: usize,
}

// SAFETY: the memory belongs to this process, not to a thread.
unsafe impl Send for Mapping {}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: mapped in `Stream::start` with this length, and nobody looks at it any more.
        let _ = unsafe { munmap(self.start.as_ptr(), self.length) };
    }
}

/// What the camera has delivered since it was asked last.
pub(super) enum Delivery<T> {
    /// Nothing yet.
    Nothing,
    /// A frame that its driver marks as damaged.
    Damaged,
    /// A frame.
    Frame(T),
}

impl Stream {
    /// Starts it with the format that is set.
    pub(super) fn start(node: &File) -> Result<Stream, Errno> {
        let node = node.try_clone().map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
        let count = abi::request_buffers(node.as_fd(), BUFFERS)?;
        let mut stream = Stream { node, buffers: Vec::new() };
        for index in 0..count {
            let buffer = abi::query_buffer(stream.node.as_fd(), index)?;
            let (length, offset) = (buffer.length as usize, buffer.offset & u64::from(u32::MAX));
            // SAFETY: the kernel names offset and length of a buffer of its own; the mapping overlaps nothing of ours.
            let start =
                unsafe { mmap(null_mut(), length, ProtFlags::READ, MapFlags::SHARED, &stream.node, offset)? };
            let start = NonNull::new(start).ok_or(Errno::NOMEM)?;
            stream.buffers.push(Mapping { start, length });
            abi::queue(stream.node.as_fd(), index)?;
        }
        abi::stream(stream.node.as_fd(), true)?;
        Ok(stream)
    }

    /// Hands the oldest frame to `look`, if there is one, and its memory back to the driver.
    pub(super) fn next<T>(
        &self,
        look: impl FnOnce(&[u8], Option<Stamp>) -> Option<T>,
    ) -> Result<Delivery<T>, Errno> {
        let buffer = match abi::dequeue(self.node.as_fd()) {
            Ok(buffer) => buffer,
            Err(Errno::AGAIN) => return self.nothing(),
            Err(error) => return Err(error),
        };
        let mapping = self.buffers.get(buffer.index as usize).ok_or(Errno::IO)?;
        let used = (buffer.used as usize).min(mapping.length);
        // SAFETY: the mapping is that long, and between taking a buffer and giving it back the kernel leaves it alone.
        let bytes = unsafe { std::slice::from_raw_parts(mapping.start.as_ptr().cast::<u8>(), used) };
        let seen = if buffer.flags & abi::BUF_FLAG_ERROR == 0 { look(bytes, buffer.stamp()) } else { None };
        abi::queue(self.node.as_fd(), buffer.index)?;
        Ok(seen.map_or(Delivery::Damaged, Delivery::Frame))
    }

    /// No frame: because there is none yet, or because the stream is broken or the camera gone.
    fn nothing<T>(&self) -> Result<Delivery<T>, Errno> {
        let mut fds = [PollFd::new(&self.node, PollFlags::IN)];
        poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))?;
        if fds[0].revents().intersects(PollFlags::ERR | PollFlags::HUP) {
            return Err(abi::capability(self.node.as_fd()).err().unwrap_or(Errno::IO));
        }
        Ok(Delivery::Nothing)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let _ = abi::stream(self.node.as_fd(), false);
        self.buffers.clear();
        let _ = abi::request_buffers(self.node.as_fd(), 0);
    }
}
