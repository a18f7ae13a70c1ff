//! The memory that files are encoded into: prepared ahead, lent with each frame that is sent, and used again when it
//! has come back.
//!
//! In a sequence of frames two pieces of memory take turns, and nothing is allocated, zeroed or faulted in any more:
//! that costs several times the encoding. Where it does not come back in time, because a client is slow, there is new
//! memory, prepared while the next exposure runs.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use crate::image::fits;

use super::blob::{Buffer, Lent, Transport};

/// Reserved for the header, of which nobody knows the length before the frame is there: 144 cards.
const HEADER_ROOM: usize = 4 * fits::BLOCK;
/// Memory that was lent is looked after so often, before new memory is made in its place.
const LOOKS: u32 = 8;
/// And with so much time between: the server needs some ms to pass a frame on.
const LOOK: Duration = Duration::from_millis(5);
/// Lent memory that is worth waiting for: the frame on its way, and the one that a client still looks at.
const MOST_LENT: usize = 2;

/// The memory of one device's frames.
pub(super) struct Stock {
    transport: Transport,
    /// For the next frame.
    ready: Option<Buffer>,
    /// How much the frames of the present sequence need, bytes.
    wanted: Option<usize>,
    /// What was sent, the oldest first.
    lent: VecDeque<Lent>,
    /// How often it was looked at since something was wanted.
    looks: u32,
    /// A frame had to wait for memory: this sequence is faster than whoever looks at its frames.
    hurried: bool,
}

impl Stock {
    pub(super) fn new(transport: Transport) -> Self {
        Stock { transport, ready: None, wanted: None, lent: VecDeque::new(), looks: 0, hurried: false }
    }

    /// From now on frames have this many bytes of pixels.
    pub(super) fn want(&mut self, pixels: usize) {
        let room =
            pixels.checked_next_multiple_of(fits::BLOCK).and_then(|bytes| bytes.checked_add(HEADER_ROOM));
        if room != self.wanted {
            // Freed first, as there may not be room for both.
            self.forget();
            self.wanted = room;
        }
        self.looks = 0;
    }

    /// Nobody knows how much the next frame needs.
    pub(super) fn want_nothing(&mut self) {
        self.wanted = None;
    }

    /// Gets memory ready for the frame that will probably follow the last, and says how long to wait before the next
    /// try, if there has to be one.
    pub(super) fn prepare(&mut self) -> Option<Duration> {
        let (None, Some(capacity)) = (&self.ready, self.wanted) else { return None };
        self.ready = self.returned(capacity);
        if self.ready.is_some() {
            return None;
        }
        let patient = !self.hurried || self.lent.len() >= MOST_LENT;
        if patient && !self.lent.is_empty() && self.looks < LOOKS {
            self.looks += 1;
            return Some(LOOK);
        }
        self.lent.truncate(MOST_LENT);
        match Buffer::new(self.transport, capacity) {
            Ok(buffer) => self.ready = Some(buffer),
            Err(error) => {
                // Nobody waits for it; the frame will try again and tell.
                tracing::debug!(capacity, %error, "no memory reserved");
                self.wanted = None;
            }
        }
        None
    }

    /// Memory for a file of `len` bytes.
    pub(super) fn take(&mut self, len: usize) -> io::Result<Buffer> {
        // What was prepared is used or freed: memory of another size is of no use any more.
        let ready = self.ready.take().filter(|buffer| suits(buffer, len));
        if let Some(buffer) = ready.or_else(|| self.returned(len)) {
            return Ok(buffer);
        }
        self.hurried = !self.lent.is_empty();
        // With some room more: the next file may be longer by a card, or harder to compress.
        let capacity = len.saturating_add(HEADER_ROOM);
        Buffer::new(self.transport, capacity).or_else(|error| {
            if self.transport == Transport::Inline {
                return Err(error);
            }
            // Out of file descriptors, or a sandbox without memfd: the server takes bytes from everyone.
            tracing::warn!(%error, "no shared memory; sending the frame inside its message");
            Buffer::new(Transport::Inline, capacity)
        })
    }

    /// It was sent.
    pub(super) fn lend(&mut self, lent: Lent) {
        if lent.may_return() {
            self.lent.push_back(lent);
            self.looks = 0;
        }
    }

    /// Whether it holds any memory.
    pub(super) fn is_empty(&self) -> bool {
        self.ready.is_none() && self.lent.is_empty()
    }

    /// Gives all of it back to the system, as soon as the clients do.
    pub(super) fn forget(&mut self) {
        (self.ready, self.wanted, self.hurried) = (None, None, false);
        self.lent.clear();
    }

    /// Lent memory that nobody sees any more and that suits a file of `len` bytes; what does not suit is freed.
    fn returned(&mut self, len: usize) -> Option<Buffer> {
        let mut found = None;
        for lent in std::mem::take(&mut self.lent) {
            match lent.returned() {
                Ok(buffer) if found.is_none() && suits(&buffer, len) => found = Some(buffer),
                Ok(_) => {}
                Err(lent) => self.lent.push_back(lent),
            }
        }
        found
    }
}

/// Large enough, and not so large that most of it lies about.
fn suits(buffer: &Buffer, len: usize) -> bool {
    (len..=len + len / 4 + HEADER_ROOM).contains(&buffer.capacity())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Payload;

    fn at(buffer: &mut Buffer) -> *const u8 {
        buffer.bytes().as_ptr()
    }

    /// Sends all of it.
    fn send(stock: &mut Stock, buffer: Buffer) -> Payload {
        let len = buffer.capacity();
        let (payload, lent) = buffer.into_payload(len).unwrap();
        stock.lend(lent);
        payload
    }

    #[test]
    fn prepared_memory_is_used_when_it_fits_and_only_then() {
        let mut stock = Stock::new(Transport::Inline);
        stock.want(400);
        assert_eq!(stock.prepare(), None);
        let prepared = at(stock.ready.as_mut().unwrap());
        assert_eq!(at(&mut stock.take(2 * fits::BLOCK).unwrap()), prepared);
        stock.want(400);
        stock.prepare();
        let long = 9 * fits::BLOCK;
        assert!(stock.take(long).unwrap().capacity() >= long);
        stock.want(40 * fits::BLOCK);
        stock.prepare();
        assert!(stock.take(fits::BLOCK).unwrap().capacity() < 40 * fits::BLOCK);
        assert!(stock.is_empty(), "what does not fit is freed");
        stock.want(usize::MAX);
        assert_eq!(stock.prepare(), None);
        assert!(stock.is_empty());
    }

    #[test]
    fn two_frames_take_turns_in_the_same_memory() {
        let mut stock = Stock::new(Transport::Attached);
        stock.want(400);
        stock.prepare();
        let mut first = stock.take(400).unwrap();
        let memory = at(&mut first);
        let frame = send(&mut stock, first);
        assert_eq!(stock.prepare(), Some(LOOK), "somebody still looks at it");
        drop(frame);
        assert_eq!(stock.prepare(), None);
        assert_eq!(at(&mut stock.take(400).unwrap()), memory);
    }

    #[test]
    fn memory_that_does_not_come_back_is_replaced_and_never_written() {
        let mut stock = Stock::new(Transport::Attached);
        let mut kept = Vec::new();
        for frame in 0..10 {
            stock.want(400);
            while stock.prepare().is_some() {}
            let mut buffer = stock.take(400).unwrap();
            buffer.bytes().fill(frame);
            kept.push(send(&mut stock, buffer));
            assert!(stock.lent.len() <= MOST_LENT + 1);
        }
        for (frame, payload) in (0..).zip(kept) {
            let Payload::Attached(blob) = payload else { panic!("inline") };
            let mut byte = [0];
            let file = std::fs::File::from(blob.fd().try_clone_to_owned().unwrap());
            std::os::unix::fs::FileExt::read_exact_at(&file, &mut byte, 399).unwrap();
            assert_eq!(byte, [frame]);
        }
    }

    #[test]
    fn a_sequence_that_is_faster_than_its_clients_waits_for_memory_once() {
        let mut stock = Stock::new(Transport::Attached);
        stock.want(400);
        let first = stock.take(400).unwrap();
        let _kept = send(&mut stock, first);
        stock.want(400);
        assert_eq!(stock.prepare(), Some(LOOK));
        // The next frame is there before that time has passed.
        let second = stock.take(400).unwrap();
        let _kept_too = send(&mut stock, second);
        stock.lent.truncate(1);
        stock.want(400);
        assert_eq!(stock.prepare(), None);
        assert!(stock.ready.is_some());
    }
}
