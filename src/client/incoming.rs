//! From bytes and descriptors to what was heard, with the files that came along.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;

use super::blob::{BadBlob, FrameFile, MOST_BYTES, Memory};
use crate::camera::answer::MOST_RECALLED;
use crate::wire::base64::Decoder;
use crate::wire::heard::{self, BlobHead, Changes, Heard, Set, What};
use crate::wire::splitter::{Piece, Splitter};

/// What an element may have beyond what a driver would hear of: the text of the longest frame that an answer holds.
#[allow(clippy::cast_possible_truncation, reason = "some megabytes")]
const LONGEST_FRAME: usize = MOST_RECALLED.div_ceil(3) as usize * 4;

/// Reads the stream of one connection.
#[derive(Debug)]
pub(super) struct Incoming {
    splitter: Splitter,
    /// Descriptors that no element has claimed yet.
    fds: VecDeque<OwnedFd>,
    /// Bodies of the element that is arriving, by their place in it.
    bodies: Vec<(usize, Body)>,
}

/// What can be told of the stream.
#[derive(Debug)]
pub(super) enum News {
    /// A whole element. Of a `setBLOBVector` also the file of each of its BLOBs, as far as it was wanted.
    Heard(Heard, Vec<Option<File>>),
    /// A wanted file is arriving.
    Arriving {
        device: String,
        /// Bytes that have come.
        received: u64,
        /// Bytes that there will be, where that is known.
        size: Option<u64>,
    },
    /// Elements and descriptors have got out of step; only a new connection helps.
    OutOfStep,
}

/// A BLOB that came, whole or not.
pub(super) type File = Result<FrameFile, BadBlob>;

/// Text of a BLOB on its way into memory.
#[derive(Debug)]
enum Body {
    Unwanted,
    Wanted { decoder: Decoder, memory: Memory, device: String, received: u64, size: Option<u64> },
    Broken(BadBlob),
}

impl Incoming {
    /// At the beginning of a stream.
    pub(super) fn new() -> Incoming {
        let splitter = Splitter::with_spare(LONGEST_FRAME);
        Incoming { splitter, fds: VecDeque::new(), bodies: Vec::new() }
    }

    /// Room to read into.
    pub(super) fn space(&mut self) -> &mut [u8] {
        self.splitter.space()
    }

    /// So many bytes were read into that room, and these descriptors came with them.
    pub(super) fn filled(&mut self, n: usize, fds: Vec<OwnedFd>) {
        self.splitter.filled(n);
        self.fds.extend(fds);
    }

    /// The next thing to tell. `wanted` says of a device and a vector whether anybody waits for its BLOBs; others are
    /// dropped as they arrive.
    pub(super) fn next(&mut self, wanted: impl Fn(&str, &str) -> bool) -> Option<News> {
        loop {
            match self.splitter.next_piece()? {
                Ok(Piece::Body { blob, element, text }) => {
                    if self.bodies.last().is_none_or(|(place, _)| *place != blob) {
                        self.bodies.push((blob, Body::begin(element, &wanted)));
                    }
                    if let Some(news) = self.bodies.last_mut().and_then(|(_, body)| body.take(text)) {
                        return Some(news);
                    }
                }
                Ok(Piece::Element(element)) => {
                    let heard = heard::heard(element);
                    let bodies = std::mem::take(&mut self.bodies);
                    match heard {
                        Ok(Some(heard)) => return Some(self.complete(heard, bodies, wanted)),
                        Ok(None) => {}
                        Err(unreadable) => {
                            tracing::warn!(%unreadable, "bad input");
                            if !self.fds.is_empty() {
                                return Some(News::OutOfStep);
                            }
                        }
                    }
                }
                Err(dropped) => {
                    tracing::warn!(%dropped, "bad input");
                    self.bodies.clear();
                    if !self.fds.is_empty() {
                        return Some(News::OutOfStep);
                    }
                }
            }
        }
    }

    fn complete(
        &mut self,
        heard: Heard,
        mut bodies: Vec<(usize, Body)>,
        wanted: impl Fn(&str, &str) -> bool,
    ) -> News {
        let What::Set(Set { name, values: Changes::Blob(heads), .. }) = &heard.what else {
            return News::Heard(heard, Vec::new());
        };
        let wanted = heard.device.as_deref().is_some_and(|device| wanted(device, name));
        let mut files = Vec::new();
        for (place, head) in heads.iter().enumerate() {
            let body =
                bodies.iter().position(|(blob, _)| *blob == place + 1).map(|at| bodies.swap_remove(at).1);
            let file = if head.attached {
                // Taken in any case: it belongs to this element and to no other.
                let fd = self.fds.pop_front().ok_or(BadBlob::NoDescriptor);
                wanted.then(|| fd.and_then(|fd| FrameFile::attached(fd, head)))
            } else {
                match body {
                    Some(body) => body.finish(head),
                    // A state without a BLOB says so by its size.
                    None => head
                        .size
                        .filter(|size| *size > 0 && wanted)
                        .map(|says| Err(BadBlob::Short { has: 0, says })),
                }
            };
            files.push(file);
        }
        News::Heard(heard, files)
    }
}

impl Body {
    fn begin(element: &[u8], wanted: impl Fn(&str, &str) -> bool) -> Body {
        match heard::arriving(element) {
            Some((device, name, head)) if wanted(&device, &name) && !head.attached => match Memory::new() {
                Ok(memory) => {
                    Body::Wanted { decoder: Decoder::default(), memory, device, received: 0, size: head.size }
                }
                Err(error) => Body::Broken(error.into()),
            },
            _ => Body::Unwanted,
        }
    }

    fn take(&mut self, text: &[u8]) -> Option<News> {
        let Body::Wanted { decoder, memory, device, received, size } = self else { return None };
        let taken = decoder.push(text, |bytes| {
            *received += bytes.len() as u64;
            if *received > MOST_BYTES { Err(BadBlob::Long) } else { memory.write(bytes) }
        });
        match taken {
            Ok(()) => Some(News::Arriving { device: device.clone(), received: *received, size: *size }),
            Err(why) => {
                *self = Body::Broken(why);
                None
            }
        }
    }

    fn finish(self, head: &BlobHead) -> Option<File> {
        match self {
            Body::Unwanted => None,
            Body::Broken(why) => Some(Err(why)),
            Body::Wanted { mut decoder, mut memory, .. } => {
                Some(decoder.finish(|bytes| memory.write(bytes)).and_then(|()| memory.into_file(head)))
            }
        }
    }
}
