//! Memory that a file is encoded into, and the way it goes to the client: shared memory beside the message, or bytes
//! inside it. The crate's only mmap.
//!
//! The first write to fresh memory costs several times the encoding, so a [`Buffer`] is prefaulted when it is made,
//! which is best done while the exposure still runs.
//!
//! A memory file is sealed before it leaves. `F_SEAL_FUTURE_WRITE` rather than `F_SEAL_WRITE`: before Linux 6.7 the
//! latter also forbids the shared read-only mapping through which indiserver and local clients look at a BLOB; it
//! makes the kernel search all pages for other users (up to 5 ms for 33 MB, against 4 µs); and it has to wait for
//! our own mapping to go, which takes milliseconds that the frame need not wait for. That mapping gives out no slice
//! after sealing, so once it is dropped nobody can write any more. A memory file that was sent is never used again.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::io;
use std::num::NonZeroU64;
use std::os::fd::OwnedFd;
use std::ptr::NonNull;

use rustix::fs::{MemfdFlags, SealFlags, fallocate, fcntl_add_seals, ftruncate, memfd_create};
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap, munmap};

use crate::wire::{AttachedBlob, Payload};

/// How BLOBs reach the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// As file descriptors over a unix socket.
    Attached,
    /// As base64 inside the message.
    Inline,
}

/// Memory for one file, already touched.
#[derive(Debug)]
pub struct Buffer(Memory);

#[derive(Debug)]
enum Memory {
    Shared { fd: OwnedFd, mapping: Mapping },
    Plain(Vec<u8>),
}

impl Buffer {
    /// Room for files of up to `capacity` bytes, at least one.
    pub fn new(transport: Transport, capacity: usize) -> io::Result<Self> {
        match transport {
            Transport::Attached => {
                let fd = memfd_create("indi-camera-blob", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
                ftruncate(&fd, capacity as u64)?;
                let mut mapping = Mapping::new(&fd, capacity)?;
                mapping.prefault(&fd)?;
                Ok(Buffer(Memory::Shared { fd, mapping }))
            }
            Transport::Inline => {
                let mut bytes = Vec::new();
                bytes.try_reserve_exact(capacity).map_err(io::Error::other)?;
                bytes.resize(capacity, 0);
                Ok(Buffer(Memory::Plain(bytes)))
            }
        }
    }

    /// Bytes there is room for.
    #[must_use]
    pub fn capacity(&self) -> usize {
        match &self.0 {
            Memory::Shared { mapping, .. } => mapping.len,
            Memory::Plain(bytes) => bytes.len(),
        }
    }

    /// All of the room, to be filled from the beginning.
    pub fn bytes(&mut self) -> &mut [u8] {
        match &mut self.0 {
            Memory::Shared { mapping, .. } => mapping.bytes(),
            Memory::Plain(bytes) => bytes,
        }
    }

    /// The first `len` bytes, 1 to [`capacity`](Self::capacity), as they go to the client, and what is better
    /// dropped when they are on their way.
    pub fn into_payload(self, len: usize) -> io::Result<(Payload, Leftover)> {
        let out_of_room =
            || io::Error::new(io::ErrorKind::InvalidInput, "a BLOB as long as its memory at most");
        if len > self.capacity() {
            return Err(out_of_room());
        }
        match self.0 {
            Memory::Shared { fd, mapping } => {
                let size = NonZeroU64::new(len as u64).ok_or_else(out_of_room)?;
                if len < mapping.len {
                    ftruncate(&fd, size.get())?;
                }
                seal(&fd);
                Ok((Payload::Attached(AttachedBlob::new(fd, size)), Leftover(Some(mapping))))
            }
            Memory::Plain(mut bytes) => {
                bytes.truncate(len);
                Ok((Payload::Inline(bytes), Leftover(None)))
            }
        }
    }
}

/// Our view of memory that was handed over; dropping it takes a moment, so drop it when nobody waits.
#[derive(Debug)]
pub struct Leftover(#[allow(dead_code, reason = "held to be dropped")] Option<Mapping>);

/// Forbids all changes as far as the kernel knows how to. Seals protect clients from a faulty driver, so a kernel
/// without them is no reason to lose a frame.
fn seal(fd: &OwnedFd) {
    let size = SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
    let sealed = fcntl_add_seals(fd, size | SealFlags::FUTURE_WRITE).or_else(|_| fcntl_add_seals(fd, size));
    if let Err(error) = sealed {
        tracing::debug!(%error, "shared memory not sealed");
    }
}

/// A shared, writable mapping of a whole memory file that no other process has seen yet.
#[derive(Debug)]
struct Mapping {
    at: NonNull<u8>,
    len: usize,
}

// SAFETY: the mapping belongs to the process, not to the thread that made it, and is reached only through `&mut`.
unsafe impl Send for Mapping {}

impl Mapping {
    fn new(fd: &OwnedFd, len: usize) -> io::Result<Self> {
        // SAFETY: the address is left to the kernel, so no existing mapping is touched.
        let at = unsafe {
            mmap(std::ptr::null_mut(), len, ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED, fd, 0)?
        };
        let at = NonNull::new(at.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Mapping { at, len })
    }

    /// Makes every page present and writable, or says that there is not enough memory.
    fn prefault(&mut self, fd: &OwnedFd) -> io::Result<()> {
        // SAFETY: the range is our own mapping, and populating changes no byte of it.
        let populated = unsafe { madvise(self.address(), self.len, Advice::LinuxPopulateWrite) };
        if populated.is_err_and(|error| error == rustix::io::Errno::INVAL) {
            // Linux before 5.14. Without the allocation a lack of memory would be a SIGBUS.
            fallocate(fd, rustix::fs::FallocateFlags::empty(), 0, self.len as u64)?;
            self.bytes().iter_mut().step_by(rustix::param::page_size()).for_each(|byte| *byte = 0);
            return Ok(());
        }
        Ok(populated?)
    }

    fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: `at` is valid for `len` bytes until drop, and the file is as long: it is cut only when the mapping
        // has become a `Leftover`, which gives out no slice. The kernel has zeroed the bytes. Nobody else has the
        // file before that either, so the exclusive borrow of `self` is exclusive access.
        unsafe { std::slice::from_raw_parts_mut(self.at.as_ptr(), self.len) }
    }

    fn address(&self) -> *mut c_void {
        self.at.as_ptr().cast()
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: exactly the range that was mapped, and no borrow of it outlives `self`.
        let unmapped = unsafe { munmap(self.address(), self.len) };
        debug_assert!(unmapped.is_ok(), "unmapping our own mapping cannot fail");
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;
    use std::os::unix::fs::FileExt;

    use super::*;

    fn attached(capacity: usize, len: usize) -> AttachedBlob {
        let mut buffer = Buffer::new(Transport::Attached, capacity).unwrap();
        buffer.bytes()[..len].fill(7);
        match buffer.into_payload(len).unwrap().0 {
            Payload::Attached(blob) => blob,
            _ => panic!("inline"),
        }
    }

    #[test]
    fn a_sealed_blob_has_its_exact_size_and_content() {
        for (capacity, len) in [(4096, 4096), (10_000, 2880), (1, 1)] {
            let blob = attached(capacity, len);
            let file = File::from(blob.fd().try_clone_to_owned().unwrap());
            assert_eq!(blob.len().get(), len as u64);
            assert_eq!(file.metadata().unwrap().len(), len as u64);
            let mut bytes = vec![0; len];
            file.read_exact_at(&mut bytes, 0).unwrap();
            assert!(bytes.iter().all(|&byte| byte == 7));
        }
    }

    #[test]
    fn nobody_can_change_a_sealed_blob() {
        let blob = attached(8192, 8192);
        let mut file = File::from(blob.fd().try_clone_to_owned().unwrap());
        assert!(file.write_all(b"x").is_err());
        assert!(file.set_len(1).is_err());
        assert!(file.set_len(9000).is_err());
        // SAFETY: a new mapping at an address of the kernel's choice.
        let writable = unsafe {
            mmap(
                std::ptr::null_mut(),
                8192,
                ProtFlags::WRITE | ProtFlags::READ,
                MapFlags::SHARED,
                blob.fd(),
                0,
            )
        };
        assert!(writable.is_err());
        // SAFETY: the same.
        let readable = unsafe {
            mmap(std::ptr::null_mut(), 8192, ProtFlags::READ, MapFlags::SHARED, blob.fd(), 0).unwrap()
        };
        // SAFETY: the mapping made above.
        unsafe { munmap(readable, 8192).unwrap() };
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        assert!(Buffer::new(Transport::Attached, 0).is_err());
        assert!(Buffer::new(Transport::Attached, usize::MAX).is_err());
        assert!(Buffer::new(Transport::Inline, usize::MAX).is_err());
        assert!(Buffer::new(Transport::Attached, 10).unwrap().into_payload(11).is_err());
        assert!(Buffer::new(Transport::Attached, 10).unwrap().into_payload(0).is_err());
        assert!(Buffer::new(Transport::Inline, 10).unwrap().into_payload(11).is_err());
    }

    #[test]
    fn inline_bytes_are_cut_to_the_file() {
        let mut buffer = Buffer::new(Transport::Inline, 10).unwrap();
        buffer.bytes()[..3].copy_from_slice(b"abc");
        let Payload::Inline(bytes) = buffer.into_payload(3).unwrap().0 else { panic!("attached") };
        assert_eq!(bytes, b"abc");
    }
}
