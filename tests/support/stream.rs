//! The bytes of an INDI stream: whole elements and descriptors in, text out, never blocking.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Duration;

use memchr::memmem;
use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};

use super::{Limit, SOON, poll_for};

/// Most descriptors that a driver may send at once: indiserver has room for no more.
const MOST_FDS: usize = 16;
/// Most descriptors that we send at once: more than a driver has to have room for.
const MOST_SENT_FDS: usize = 32;
/// Read from the stream at once.
const CHUNK: usize = 1 << 18;

/// Both directions.
pub struct Stream {
    input: OwnedFd,
    output: Option<OwnedFd>,
    bytes: Vec<u8>,
    /// Where the search for the end of the first element goes on.
    searched: usize,
    /// Descriptors that no element has claimed yet.
    pub fds: VecDeque<OwnedFd>,
    ended: bool,
}

impl Stream {
    /// Over any two stream descriptors, or the same one twice. They become non-blocking.
    pub fn new(input: OwnedFd, output: OwnedFd) -> Stream {
        for fd in [&input, &output] {
            rustix::io::ioctl_fionbio(fd, true).unwrap();
        }
        let (bytes, fds) = (Vec::new(), VecDeque::new());
        Stream { input, output: Some(output), bytes, searched: 0, fds, ended: false }
    }

    /// Sends bytes as they are; `false` when the other side has gone, or we have hung up.
    pub fn send(&mut self, mut bytes: &[u8]) -> bool {
        let limit = Limit::after(SOON);
        while !bytes.is_empty() {
            let Some(output) = &self.output else { return false };
            match rustix::io::write(output, bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    let left = limit.left().expect("the other side does not read");
                    let mut fds = vec![PollFd::new(output, PollFlags::OUT)];
                    if !self.ended {
                        // Two sides that only write would wait for each other.
                        fds.push(PollFd::new(&self.input, PollFlags::IN));
                    }
                    poll_for(&mut fds, left);
                    if fds.get(1).is_some_and(|input| !input.revents().is_empty()) {
                        self.fill();
                    }
                }
                Err(Errno::PIPE | Errno::CONNRESET) => return false,
                Err(error) => panic!("write: {error}"),
            }
        }
        true
    }

    /// Sends bytes with descriptors beside the first of them; `false` when the other side has gone.
    pub fn send_with(&mut self, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> bool {
        let Some(output) = &self.output else { return false };
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_SENT_FDS))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        assert!(control.push(SendAncillaryMessage::ScmRights(fds)), "too many descriptors");
        let sent = sendmsg(output, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL).unwrap();
        self.send(&bytes[sent..])
    }

    /// The next whole element; `None` when the time is up or the stream has ended.
    pub fn receive(&mut self, patience: Duration) -> Option<Vec<u8>> {
        let limit = Limit::after(patience);
        loop {
            if let Some(end) = self.find_end() {
                self.searched = 0;
                return Some(self.bytes.drain(..end).collect());
            }
            if self.ended {
                return None;
            }
            let left = limit.left()?;
            if poll_for(&mut [PollFd::new(&self.input, PollFlags::IN)], left) > 0 {
                self.fill();
            }
        }
    }

    /// No more input for the other side; reading goes on.
    pub fn close_output(&mut self) {
        if let Some(output) = self.output.take() {
            // On a socket the read half shares it; on a pipe the drop is what counts.
            let _ = rustix::net::shutdown(&output, rustix::net::Shutdown::Write);
        }
    }

    /// Nothing more in either direction.
    pub fn close(&mut self) {
        self.output = None;
        self.close_input();
    }

    /// Nobody reads any more what the other side says. Between pipes it can still be spoken to.
    pub fn close_input(&mut self) {
        self.ended = true;
        self.input = File::open("/dev/null").unwrap().into();
    }

    /// Whether the other side has said its last word.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Whether a whole element has come that was not taken yet.
    pub fn has_element(&mut self) -> bool {
        self.find_end().is_some()
    }

    /// What has come of an element that is not complete.
    pub fn unfinished(&self) -> &[u8] {
        &self.bytes
    }

    /// Reads once, without waiting.
    fn fill(&mut self) {
        let mut chunk = vec![0; CHUNK];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4 * MOST_FDS))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut vectors = [IoSliceMut::new(&mut chunk)];
        let count = match recvmsg(&self.input, &mut vectors, &mut ancillary, RecvFlags::CMSG_CLOEXEC) {
            Ok(received) => {
                for message in ancillary.drain() {
                    let RecvAncillaryMessage::ScmRights(fds) = message else { continue };
                    let fds: Vec<OwnedFd> = fds.collect();
                    assert!(fds.len() <= MOST_FDS, "{} descriptors at once end indiserver", fds.len());
                    self.fds.extend(fds);
                }
                Ok(received.bytes)
            }
            Err(Errno::NOTSOCK) => rustix::io::read(&self.input, &mut chunk),
            Err(error) => Err(error),
        };
        match count {
            Ok(count) => {
                self.ended = count == 0;
                self.bytes.extend_from_slice(&chunk[..count]);
            }
            Err(Errno::CONNRESET) => self.ended = true,
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(error) => panic!("read: {error}"),
        }
    }

    /// Length of the first whole element, once there is one. INDI never nests an element in one of its own name.
    fn find_end(&mut self) -> Option<usize> {
        let start = loop {
            let start = self.bytes.iter().position(|byte| !byte.is_ascii_whitespace())?;
            let rest = &self.bytes[start..];
            assert_eq!(
                rest[0],
                b'<',
                "not an element: {:?}",
                String::from_utf8_lossy(&rest[..rest.len().min(80)])
            );
            if rest.get(1)? != &b'?' {
                break start;
            }
            let end = start + memmem::find(rest, b"?>")? + 2;
            self.bytes.drain(..end);
        };
        let mut quote = None;
        let tag_end = self.bytes[start..].iter().position(|&byte| {
            match (quote, byte) {
                (Some(open), close) if open == close => quote = None,
                (None, b'"' | b'\'') => quote = Some(byte),
                _ => {}
            }
            quote.is_none() && byte == b'>'
        })?;
        let tag_end = start + tag_end + 1;
        if self.bytes[tag_end - 2] == b'/' {
            return Some(tag_end);
        }
        let name =
            self.bytes[start + 1..tag_end - 1].split(u8::is_ascii_whitespace).next().unwrap_or_default();
        let end = [b"</", name, b">"].concat();
        let from = tag_end.max(self.searched);
        let found = memmem::find(&self.bytes[from..], &end).map(|at| from + at + end.len());
        self.searched = self.bytes.len().saturating_sub(end.len());
        found
    }
}
