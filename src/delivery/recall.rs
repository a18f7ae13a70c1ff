//! The file that was sent last, once more, for those who can read nothing but texts.
//!
//! Nothing is copied until somebody asks: shared memory that was sent is kept by its descriptor. Only files of at most
//! [`MOST_RECALLED`] bytes are kept, and only the last one, so that this is all the memory it can take.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use crate::camera::types::ExposureId;
use crate::device::job::{DeliveryError, MOST_RECALLED};
use crate::wire::{Payload, write};

use super::fault::explain;

/// A file that was sent.
#[derive(Debug)]
pub(super) struct Kept {
    id: ExposureId,
    memory: Memory,
}

#[derive(Debug)]
enum Memory {
    Shared { file: File, len: usize },
    Plain(Arc<Vec<u8>>),
}

impl Kept {
    /// Keeps what is about to be sent, unless it is too long.
    pub(super) fn of(id: ExposureId, payload: &Payload) -> Option<Kept> {
        let len = usize::try_from(payload.len()).ok().filter(|_| payload.len() <= MOST_RECALLED)?;
        let memory = match payload {
            Payload::Attached(blob) => {
                Memory::Shared { file: blob.fd().try_clone_to_owned().ok()?.into(), len }
            }
            Payload::Inline(bytes) | Payload::Deflated { bytes, .. } => Memory::Plain(Arc::clone(bytes)),
        };
        Some(Kept { id, memory })
    }

    fn bytes(&self) -> io::Result<Arc<Vec<u8>>> {
        match &self.memory {
            Memory::Plain(bytes) => Ok(Arc::clone(bytes)),
            Memory::Shared { file, len } => {
                let mut bytes = vec![0; *len];
                file.read_exact_at(&mut bytes, 0)?;
                Ok(Arc::new(bytes))
            }
        }
    }
}

/// The file of an exposure as base64 text: what was sent, or else what was stored at `path`.
pub(super) fn text(
    kept: Option<&Kept>,
    id: ExposureId,
    path: Option<&Path>,
) -> Result<Option<String>, DeliveryError> {
    let bytes = match (kept.filter(|kept| kept.id == id), path) {
        (Some(kept), _) => kept.bytes().map_err(|error| DeliveryError::Memory(error.to_string()))?,
        (None, Some(path)) => match stored(path).map_err(|error| explain(path, &error))? {
            Some(bytes) => Arc::new(bytes),
            None => return Ok(None),
        },
        (None, None) => return Ok(None),
    };
    let mut text = Vec::new();
    write::base64(&bytes, &mut text);
    Ok(String::from_utf8(text).ok())
}

/// A stored file, unless it is too long.
fn stored(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_RECALLED + 1).read_to_end(&mut bytes)?;
    Ok(Some(bytes).filter(|bytes| bytes.len() as u64 <= MOST_RECALLED))
}
