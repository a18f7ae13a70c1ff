//! The server's end of the line: a reader thread on fd 0, a writer thread on fd 1, both blocking.
//!
//! indiserver gives a driver one socket as both descriptors, and that socket may have been duplicated elsewhere, so
//! nothing here ever sets `O_NONBLOCK`. The writer is the only one that writes; a message is written whole or the
//! line is broken and the process ends. Descriptors that come in are closed: no property of ours takes a BLOB.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::io::{IoSlice, IoSliceMut};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg, sockopt,
};
use tokio::sync::mpsc::Receiver;

use crate::wire::splitter::Splitter;
use crate::wire::{Message, Payload, Request, parse, write};

/// Descriptors that one `recvmsg` may bring; the server never sends more at once.
const FDS: usize = 16;
/// Small messages are collected up to this size before they are written.
const COLLECT: usize = 64 << 10;
/// BLOB bytes that are encoded at a time: small enough for the cache, a multiple of 3 so that the text has no gaps.
const PIECE: usize = 48 << 10;

/// Attached BLOBs that may lie in the socket unread when the next one is due. Each is a descriptor and some bytes there
/// and a whole frame in memory, so the socket is far from full when the machine is.
const UNREAD: usize = 2;
/// Such a socket is looked at after so long, and then at growing intervals up to the longest: nobody tells when it has
/// been read.
const FIRST_LOOK: Duration = Duration::from_micros(100);
const LONGEST_LOOK: Duration = Duration::from_millis(10);

/// Whether BLOBs can travel as descriptors: fd 1 is a unix socket, as it is under indiserver.
#[must_use]
pub fn passes_descriptors() -> bool {
    is_unix_socket(io::stdout().as_fd())
}

fn is_unix_socket(fd: BorrowedFd<'_>) -> bool {
    sockopt::socket_domain(fd).is_ok_and(|domain| domain == AddressFamily::UNIX)
}

/// Starts the reader. `take` gets every request in order and may block; it returns whether there is anyone to take
/// the next one. Dropping `take` says that the input has ended.
pub fn read(take: impl FnMut(Request) -> bool + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name("reader".to_owned()).spawn(move || read_all(io::stdin().as_fd(), take))
}

fn read_all(fd: BorrowedFd<'_>, mut take: impl FnMut(Request) -> bool) {
    let socket = is_unix_socket(fd);
    let mut splitter = Splitter::new();
    loop {
        match receive(fd, socket, splitter.space()) {
            Ok(0) => return,
            Ok(n) => splitter.filled(n),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => wait(fd, PollFlags::IN),
            Err(error) => {
                tracing::debug!(%error, "input ended");
                return;
            }
        }
        while let Some(element) = splitter.next_element() {
            let request = match element {
                Ok(element) => parse::request(element),
                Err(dropped) => {
                    tracing::warn!(%dropped, "bad input");
                    continue;
                }
            };
            match request {
                Ok(Some(request)) => {
                    if !take(request) {
                        return;
                    }
                }
                Ok(None) => {}
                Err(unreadable) => tracing::warn!(%unreadable, "bad input"),
            }
        }
    }
}

fn receive(fd: BorrowedFd<'_>, socket: bool, room: &mut [u8]) -> Result<usize, Errno> {
    if !socket {
        return rustix::io::read(fd, room);
    }
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FDS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = recvmsg(fd, &mut [IoSliceMut::new(room)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    // Dropping what came closes it.
    control.drain().for_each(drop);
    Ok(received.bytes)
}

/// Starts the writer. It ends when `messages` is closed and empty, or calls `broken` and ends when nobody reads.
/// `is_read` says whether the other side has read all that was written to a socket.
pub fn write(
    mut messages: Receiver<Message>,
    is_read: fn(BorrowedFd<'_>) -> bool,
    broken: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name("writer".to_owned()).spawn(move || {
        let stdout = io::stdout();
        let mut line = Line { fd: stdout.as_fd(), text: Vec::with_capacity(2 * COLLECT), is_read, unread: 0 };
        while let Some(message) = messages.blocking_recv() {
            line.look();
            let written = line.write(&message).and_then(|()| {
                while line.text.len() < COLLECT {
                    match messages.try_recv() {
                        Ok(next) => line.write(&next)?,
                        Err(_) => break,
                    }
                }
                line.flush()
            });
            if let Err(error) = written {
                tracing::debug!(%error, "output ended");
                return broken();
            }
        }
    })
}

/// The way out, and what has been collected for it.
struct Line<'a> {
    fd: BorrowedFd<'a>,
    text: Vec<u8>,
    is_read: fn(BorrowedFd<'_>) -> bool,
    /// Attached BLOBs since the other side was last seen to have read everything.
    unread: usize,
}

impl Line<'_> {
    /// Adds a message; BLOBs are written at once.
    fn write(&mut self, message: &Message) -> Result<(), Errno> {
        let Message::SetBlob(update) = message else {
            write::message(message, &mut self.text);
            return Ok(());
        };
        match &update.payload {
            Payload::Attached(blob) => {
                self.flush()?;
                self.wait_for_reader();
                write::message(message, &mut self.text);
                // The descriptor goes with the first byte. Whatever the first call leaves over goes without it.
                let sent = loop {
                    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
                    let mut control = SendAncillaryBuffer::new(&mut space);
                    let fds = [blob.fd()];
                    control.push(SendAncillaryMessage::ScmRights(&fds));
                    match sendmsg(self.fd, &[IoSlice::new(&self.text)], &mut control, SendFlags::NOSIGNAL) {
                        Err(Errno::INTR) => {}
                        Err(Errno::AGAIN) => wait(self.fd, PollFlags::OUT),
                        result => break result?,
                    }
                };
                self.text.drain(..sent);
                self.flush()
            }
            Payload::Inline(bytes) | Payload::Deflated { bytes, .. } => {
                write::inline_head(update, &mut self.text);
                for piece in bytes.chunks(PIECE) {
                    write::base64(piece, &mut self.text);
                    self.flush()?;
                }
                self.text.extend_from_slice(write::INLINE_TAIL);
                Ok(())
            }
        }
    }

    /// Sees whether the other side has read everything. It mostly has when something new is to be said.
    fn look(&mut self) {
        if self.unread > 0 && (self.is_read)(self.fd) {
            self.unread = 0;
        }
    }

    /// Waits while too many BLOBs lie in the socket. To a server that answers pings mostly fewer are sent.
    fn wait_for_reader(&mut self) {
        let mut look = FIRST_LOOK;
        while self.unread >= UNREAD && !is_hung_up(self.fd, look) {
            self.look();
            look = LONGEST_LOOK.min(2 * look);
        }
        self.unread += 1;
    }

    fn flush(&mut self) -> Result<(), Errno> {
        let mut rest = self.text.as_slice();
        while !rest.is_empty() {
            match rustix::io::write(self.fd, rest) {
                Ok(n) => rest = &rest[n..],
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => wait(self.fd, PollFlags::OUT),
                Err(error) => return Err(error),
            }
        }
        self.text.clear();
        Ok(())
    }
}

/// Waits until a descriptor that somebody else made non-blocking is ready; an error shows at the next call.
fn wait(fd: BorrowedFd<'_>, events: PollFlags) {
    let _ = poll(&mut [PollFd::from_borrowed_fd(fd, events)], None);
}

/// Whether the other side closes within so long.
fn is_hung_up(fd: BorrowedFd<'_>, patience: Duration) -> bool {
    let patience = Timespec { tv_sec: 0, tv_nsec: i64::from(patience.subsec_nanos()) };
    poll(&mut [PollFd::from_borrowed_fd(fd, PollFlags::empty())], Some(&patience))
        .is_ok_and(|events| events > 0)
}
