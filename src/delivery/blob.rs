//! Memory that a file is encoded into, and the way it goes to the client: shared memory beside the message, or bytes
//! inside it. The crate's only mmap of its own memory.
//!
//! The first write to fresh memory costs several times the encoding, so a [`Buffer`] is prefaulted when it is made,
//! which is best done while the exposure still runs, and used again when nobody can see it any more.
//!
//! A memory file is sealed when it is made: its size for good, and with `F_SEAL_FUTURE_WRITE` every way of writing but
//! the mapping that exists already, ours. `F_SEAL_WRITE` would not do: before Linux 6.7 it also forbids the shared
//! read-only mapping through which indiserver and local clients look at a BLOB, and it has to wait for our own mapping
//! to go. What is sent is a second, read-only opening of the file, and the buffer is [`Lent`] until that one and all
//! its copies and mappings are gone, in whatever process: only then does the kernel grant a write lease on the file.
//! Nobody who holds a frame ever sees it change. (Who splices its pages into a pipe or a socket and then closes it holds
//! nothing; indiserver and libindi's clients map and copy.) Bytes that go inside a message are lent until it is written.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::io;
use std::num::NonZeroU64;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::Arc;

use rustix::fs::{
    MemfdFlags, Mode, OFlags, SealFlags, fallocate, fcntl_add_seals, ftruncate, memfd_create, open,
};
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
    Shared(Shared),
    Plain(Vec<u8>),
}

/// A memory file, sealed, with the only mapping that can write to it.
#[derive(Debug)]
struct Shared {
    fd: OwnedFd,
    mapping: Mapping,
}

impl Buffer {
    /// Room for files of up to `capacity` bytes, at least one.
    pub fn new(transport: Transport, capacity: usize) -> io::Result<Self> {
        match transport {
            Transport::Attached => Shared::new(capacity).map(|shared| Buffer(Memory::Shared(shared))),
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
            Memory::Shared(shared) => shared.mapping.len,
            Memory::Plain(bytes) => bytes.len(),
        }
    }

    /// All of the room, to be filled from the beginning. What is in it is what was there last.
    pub fn bytes(&mut self) -> &mut [u8] {
        match &mut self.0 {
            Memory::Shared(shared) => shared.mapping.bytes(),
            Memory::Plain(bytes) => bytes,
        }
    }

    /// The first `len` bytes, 1 to [`capacity`](Self::capacity), as they go to the client, and what the client has lent.
    pub fn into_payload(self, len: usize) -> io::Result<(Payload, Lent)> {
        let size = u64::try_from(len).ok().and_then(NonZeroU64::new).filter(|_| len <= self.capacity());
        let size = size.ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, "a BLOB has a byte at least and fits into its memory")
        })?;
        Ok(match self.0 {
            Memory::Shared(shared) => match shared.opened(OFlags::RDONLY) {
                Ok(fd) => (Payload::Attached(AttachedBlob::new(fd, size)), Lent(Seen::Shared(shared))),
                // No /proc: what is sent is all there is, so it cannot be told when the last one closes it.
                Err(_) => (
                    Payload::Attached(AttachedBlob::new(shared.fd, size)),
                    Lent(Seen::ForGood(shared.mapping)),
                ),
            },
            Memory::Plain(mut bytes) => {
                bytes.truncate(len);
                let bytes = Arc::new(bytes);
                (Payload::Inline(Arc::clone(&bytes)), Lent(Seen::Plain(bytes)))
            }
        })
    }
}

impl Shared {
    fn new(capacity: usize) -> io::Result<Self> {
        let fd = memfd_create("indi-camera-blob", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        ftruncate(&fd, capacity as u64)?;
        let mut mapping = Mapping::new(&fd, capacity)?;
        mapping.prefault(&fd)?;
        seal(&fd);
        let shared = Shared { fd, mapping };
        // The kernel counts writers only of files that were opened, and no lease is granted where its count is wrong.
        match shared.opened(OFlags::RDWR) {
            Ok(fd) => Ok(Shared { fd, ..shared }),
            Err(_) => Ok(shared),
        }
    }

    /// The same file, opened once more.
    fn opened(&self, how: OFlags) -> io::Result<OwnedFd> {
        let path = format!("/proc/self/fd/{}", self.fd.as_raw_fd());
        Ok(open(path, how | OFlags::CLOEXEC, Mode::empty())?)
    }

    /// Whether nobody else has the file open or mapped, here or in any other process.
    fn is_ours_alone(&self) -> bool {
        let lease = |kind: i32| {
            // SAFETY: the descriptor is open, and this command takes a number and touches no memory.
            unsafe { libc::fcntl(self.fd.as_raw_fd(), libc::F_SETLEASE, kind) == 0 }
        };
        // Given back at once: it is the kernel's answer that counts, and nobody can open the file from now on.
        lease(libc::F_WRLCK) && lease(libc::F_UNLCK)
    }
}

/// Memory that was sent. It becomes a [`Buffer`] again when everybody has closed it; dropping it takes a moment, so drop
/// it when nobody waits.
#[derive(Debug)]
pub struct Lent(Seen);

#[derive(Debug)]
enum Seen {
    Shared(Shared),
    /// Nobody can tell how long.
    ForGood(Mapping),
    Plain(Arc<Vec<u8>>),
}

impl Lent {
    /// What the client sees, and perhaps some room behind it.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match &self.0 {
            Seen::Shared(Shared { mapping, .. }) | Seen::ForGood(mapping) => mapping.seen(),
            Seen::Plain(bytes) => bytes,
        }
    }

    /// Whether it can ever be told that everybody has closed it.
    #[must_use]
    pub fn may_return(&self) -> bool {
        !matches!(self.0, Seen::ForGood(_))
    }

    /// The buffer, if nobody can see it any more.
    pub fn returned(self) -> Result<Buffer, Lent> {
        match self.0 {
            Seen::Shared(shared) if shared.is_ours_alone() => Ok(Buffer(Memory::Shared(shared))),
            Seen::Plain(bytes) => match Arc::try_unwrap(bytes) {
                Ok(mut bytes) => {
                    bytes.resize(bytes.capacity(), 0);
                    Ok(Buffer(Memory::Plain(bytes)))
                }
                Err(bytes) => Err(Lent(Seen::Plain(bytes))),
            },
            seen => Err(Lent(seen)),
        }
    }
}

/// Whether the other side has read everything that was written to this socket: while descriptors lie in it, their files
/// belong to nobody and are memory all the same.
#[must_use]
pub fn is_read(socket: BorrowedFd<'_>) -> bool {
    let mut waiting: libc::c_int = 0;
    // SAFETY: the descriptor is open, and this command writes one int, to where there is one. (It is `SIOCOUTQ`, which
    // has the number of `TIOCOUTQ`.)
    let asked = unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut waiting) };
    asked != 0 || waiting == 0
}

/// Forbids all changes but those through the mapping that exists, as far as the kernel knows how to. Seals protect
/// clients from each other and from a faulty driver, so a kernel without them is no reason to lose a frame.
fn seal(fd: &OwnedFd) {
    let size = SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
    let sealed = fcntl_add_seals(fd, size | SealFlags::FUTURE_WRITE).or_else(|_| fcntl_add_seals(fd, size));
    if let Err(error) = sealed {
        tracing::debug!(%error, "shared memory not sealed");
    }
}

/// A shared, writable mapping of a whole memory file that nobody else has.
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
        // SAFETY: `at` is valid for `len` bytes until drop, and the file is as long and sealed against shrinking. The
        // kernel has zeroed the bytes when they were new. A slice is given out only by a `Buffer`, whose file nobody
        // else has: not yet, or not any more. So the exclusive borrow of `self` is exclusive access.
        unsafe { std::slice::from_raw_parts_mut(self.at.as_ptr(), self.len) }
    }

    fn seen(&self) -> &[u8] {
        // SAFETY: the same, and while `self` is borrowed nobody writes: the file is sealed against every way of writing
        // but this mapping, which writes only through `bytes`.
        unsafe { std::slice::from_raw_parts(self.at.as_ptr(), self.len) }
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
    fn a_blob_has_its_size_and_content() {
        for (capacity, len) in [(4096, 4096), (10_000, 2880), (1, 1)] {
            let blob = attached(capacity, len);
            let file = File::from(blob.fd().try_clone_to_owned().unwrap());
            assert_eq!(blob.len().get(), len as u64);
            assert!(file.metadata().unwrap().len() >= len as u64);
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

    /// What a process that maps a BLOB sees of it.
    fn mapped(blob: &AttachedBlob) -> Mapping {
        let len = usize::try_from(blob.len().get()).unwrap();
        // SAFETY: a new mapping at an address of the kernel's choice.
        let at = unsafe { mmap(std::ptr::null_mut(), len, ProtFlags::READ, MapFlags::SHARED, blob.fd(), 0) };
        Mapping { at: NonNull::new(at.unwrap().cast()).unwrap(), len }
    }

    #[test]
    fn memory_comes_back_when_the_last_who_saw_it_has_gone() {
        let mut buffer = Buffer::new(Transport::Attached, 8192).unwrap();
        let at = buffer.bytes().as_ptr();
        let (payload, lent) = buffer.into_payload(5000).unwrap();
        let Payload::Attached(blob) = payload else { panic!("inline") };
        assert_eq!(lent.bytes()[..5000], [0; 5000]);
        let lent = lent.returned().unwrap_err();
        let copy = blob.fd().try_clone_to_owned().unwrap();
        let seen = mapped(&blob);
        drop(blob);
        let lent = lent.returned().expect_err("a copy of the descriptor is open");
        drop(copy);
        let lent = lent.returned().expect_err("somebody looks at it");
        drop(seen);
        let mut buffer = lent.returned().expect("everybody has gone");
        assert_eq!(buffer.bytes().as_ptr(), at);
        buffer.bytes()[..2].copy_from_slice(b"ok");
        let Payload::Attached(again) = buffer.into_payload(2).unwrap().0 else { panic!("inline") };
        let mut bytes = [0; 2];
        File::from(again.fd().try_clone_to_owned().unwrap()).read_exact_at(&mut bytes, 0).unwrap();
        assert_eq!(&bytes, b"ok");
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
        let (payload, lent) = buffer.into_payload(3).unwrap();
        let Payload::Inline(bytes) = payload else { panic!("attached") };
        assert_eq!(*bytes, b"abc");
        assert_eq!(lent.bytes(), b"abc");
        let lent = lent.returned().expect_err("it is not sent yet");
        drop(bytes);
        let mut buffer = lent.returned().expect("it was sent");
        assert_eq!(buffer.bytes(), b"abc\0\0\0\0\0\0\0");
    }
}
