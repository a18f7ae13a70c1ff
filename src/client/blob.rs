//! A file that came over the line, in memory that has no name.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use flate2::read::ZlibDecoder;
use rustix::fs::{MemfdFlags, fstat, memfd_create};

use crate::wire::heard::BlobHead;

/// Longest file that we take: more than any sensor gives, and a limit for what a broken peer may make us hold.
pub(super) const MOST_BYTES: u64 = 4 << 30;
/// What a BLOB's format ends with when clients are to inflate it.
const DEFLATED: &str = ".z";

/// A received file: its bytes, exactly as the camera made them, and what it says it is.
///
/// The bytes are in a memory file: the one that the driver wrote when it came as a descriptor, else one of our own.
#[derive(Debug)]
pub struct FrameFile {
    memory: OwnedFd,
    len: u64,
    format: String,
}

/// What is wrong with a BLOB.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadBlob {
    /// It says that a descriptor came with it.
    #[error("no descriptor came with it")]
    NoDescriptor,
    /// No byte in it.
    #[error("it is empty")]
    Empty,
    /// There is less than it says.
    #[error("it has {has} bytes and says {says}")]
    Short {
        /// Bytes that came.
        has: u64,
        /// Bytes announced.
        says: u64,
    },
    /// More than anybody should send.
    #[error("it is longer than {MOST_BYTES} bytes")]
    Long,
    /// The text is no base64.
    #[error("its text is {0}")]
    Text(#[from] crate::wire::base64::NotBase64),
    /// The system.
    #[error("{0}")]
    System(String),
}

impl From<io::Error> for BadBlob {
    fn from(error: io::Error) -> Self {
        BadBlob::System(error.to_string())
    }
}

impl FrameFile {
    /// What came as a descriptor. A driver may send more memory than file; `len` says how much is file.
    pub(super) fn attached(memory: OwnedFd, head: &BlobHead) -> Result<FrameFile, BadBlob> {
        let there = u64::try_from(fstat(&memory).map_err(io::Error::from)?.st_size).unwrap_or(0);
        let says = head.len.or(head.size).unwrap_or(there);
        if says > there {
            return Err(BadBlob::Short { has: there, says });
        }
        FrameFile { memory, len: says, format: head.format.clone() }.inflated(head)
    }

    /// File suffix with its dot: `.fits`, `.fits.fz`. One that was deflated for the way has lost its `.z`.
    #[must_use]
    pub fn format(&self) -> &str {
        &self.format
    }

    /// Bytes of the file.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there is no byte in it, which is never.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The memory.
    #[must_use]
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.memory.as_fd()
    }

    /// A path by which other code in this process can open the file, while this value lives.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.memory.as_raw_fd()))
    }

    /// The bytes, from the beginning. Whoever else got the same descriptor does not move our place in it.
    pub fn reader(&self) -> io::Result<impl Read + use<>> {
        Ok(File::open(self.path())?.take(self.len))
    }

    /// All bytes at once.
    pub fn bytes(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(usize::try_from(self.len).map_err(io::Error::other)?)?;
        self.reader()?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Writes the bytes to a new file, unchanged. Nothing is overwritten, and a file that cannot be finished is removed.
    pub fn write_to(&self, path: &Path) -> io::Result<()> {
        let mut file = File::create_new(path)?;
        let written = self.reader().and_then(|mut bytes| io::copy(&mut bytes, &mut file));
        let written = written.and_then(|_| file.sync_all());
        if written.is_err() {
            // What is wrong with the disk has been said; a rest that cannot be removed says it again.
            let _ = std::fs::remove_file(path);
        }
        written
    }

    /// Undoes what was done for the way only: a driver that compresses sends `.fits.z`.
    fn inflated(self, head: &BlobHead) -> Result<FrameFile, BadBlob> {
        if self.len == 0 {
            return Err(BadBlob::Empty);
        }
        let Some(format) = self.format.strip_suffix(DEFLATED) else { return Ok(self) };
        let most = head.size.unwrap_or(MOST_BYTES).min(MOST_BYTES);
        let mut memory = Memory::new()?;
        let mut plain = ZlibDecoder::new(self.reader()?).take(most + 1);
        let len = io::copy(&mut plain, &mut memory.0)?;
        if len > most {
            return Err(BadBlob::Long);
        }
        Ok(FrameFile { memory: memory.0.into(), len, format: format.to_owned() })
    }
}

/// Memory that a file arrives in.
#[derive(Debug)]
pub(super) struct Memory(File);

impl Memory {
    pub(super) fn new() -> io::Result<Memory> {
        let memory = memfd_create("indi-camera-frame", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        Ok(Memory(memory.into()))
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), BadBlob> {
        Ok(self.0.write_all(bytes)?)
    }

    /// All of it has come. libindi's server fills up with zeros what a driver deflated; `len` says where the file ends.
    pub(super) fn into_file(mut self, head: &BlobHead) -> Result<FrameFile, BadBlob> {
        let has = self.0.stream_position()?;
        let deflated = head.format.ends_with(DEFLATED);
        let says = head.len.or(head.size.filter(|_| !deflated)).unwrap_or(has);
        if has < says {
            return Err(BadBlob::Short { has, says });
        }
        let file = FrameFile { memory: self.0.into(), len: says, format: head.format.clone() };
        file.inflated(head)
    }
}
