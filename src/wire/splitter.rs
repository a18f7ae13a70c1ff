//! Cuts the incoming byte stream into complete top-level elements.
//!
//! The stream has no root, no length prefix and no separator, and a peer may break off anywhere. Every byte is
//! looked at once, however the reads fall, and memory stays below a few times the longest element.
//!
//! Getting back in step rests on one fact: the elements of the protocol never nest, so the start tag of one of
//! them begins a new element whatever was open before. Only comments and CDATA hide it; quoted values cannot
//! hold one, because a raw `<` inside a value is itself a fault (indiserver escapes it).

mod names;
mod state;

use memchr::{memchr, memchr2};

use self::names::{PROTOCOL, begun, in_name, starts_name};
use self::state::{State, Step};
use super::Malformed;

/// Longest element, BLOB bodies not counted, unless a splitter is made [for more](Splitter::with_spare). The longest
/// honest one that a driver hears is a text vector of some kilobytes.
pub const MAX_ELEMENT: usize = 1 << 20;
/// Deepest nesting. The protocol needs two; the rest is for elements that we do not know.
pub const MAX_DEPTH: usize = 8;
/// Room that [`Splitter::space`] offers at least: what a unix socket hands over in one read, rounded up.
pub const ROOM: usize = 64 << 10;

/// The cutter. Fill it through [`space`](Self::space) and [`filled`](Self::filled), then call
/// [`next_element`](Self::next_element) until it has no more.
///
/// What a peer sends as the body of a `oneBLOB` is thrown away as it arrives, so its size costs no memory; who wants
/// it calls [`next_piece`](Self::next_piece).
#[derive(Debug, Default)]
pub struct Splitter {
    /// By how many bytes an element may be longer than [`MAX_ELEMENT`].
    spare: usize,
    /// `start..kept` is the element so far, `scan..end` has arrived and was not looked at, the rest is free.
    /// Between `kept` and `scan` lies what was thrown away.
    buffer: Vec<u8>,
    start: usize,
    kept: usize,
    scan: usize,
    end: usize,
    /// The `<` of the markup being read, within `start..kept`.
    tag: usize,
    state: State,
    /// Elements open, the root included. At 0 the markup at `tag` is also at `start`.
    depth: usize,
    /// How many `oneBLOB` have begun in the element.
    blobs: usize,
    /// Something was dropped: only an element of the protocol may begin.
    lost: bool,
    /// Stream positions of `buffer[scan]`, of the root's `<` and of the `<` at `tag`.
    position: u64,
    root_at: u64,
    tag_at: u64,
}

/// A part of the stream that can be used.
#[derive(Debug)]
pub enum Piece<'a> {
    /// A whole element; its BLOBs are empty.
    Element(&'a [u8]),
    /// Text of a BLOB, in an element that is still arriving.
    Body {
        /// Which `oneBLOB` of the element, from 1.
        blob: usize,
        /// The element as far as it has come, up to the start tag of that `oneBLOB`.
        element: &'a [u8],
        /// The next characters.
        text: &'a [u8],
    },
}

impl Splitter {
    /// At the beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same for elements that may be so many bytes longer. Memory is taken only when one comes.
    #[must_use]
    pub fn with_spare(spare: usize) -> Self {
        Self { spare, ..Self::default() }
    }

    /// Room of at least [`ROOM`] bytes to read into. Allocates only while elements grow longer than any before.
    pub fn space(&mut self) -> &mut [u8] {
        if self.buffer.len() - self.end < ROOM {
            self.buffer.copy_within(self.start..self.kept, 0);
            self.kept -= self.start;
            self.buffer.copy_within(self.scan..self.end, self.kept);
            self.end -= self.scan - self.kept;
            self.scan = self.kept;
            self.tag = self.tag.saturating_sub(self.start);
            self.start = 0;
            // Twice what is needed, so that all moves together copy fewer bytes than arrive.
            let enough = 2 * (self.end + ROOM);
            if self.buffer.len() < enough {
                self.buffer.resize(enough, 0);
            }
        }
        &mut self.buffer[self.end..]
    }

    /// `n` bytes were read into the beginning of [`space`](Self::space).
    pub fn filled(&mut self, n: usize) {
        debug_assert!(n <= self.buffer.len() - self.end, "more bytes than there was room for");
        self.end = self.buffer.len().min(self.end + n);
    }

    /// The next complete element, or why some input was dropped; `None` when more bytes are needed.
    ///
    /// Each loss is told once, however long it takes to get back in step. Declarations, comments, closing tags and
    /// text between elements are no loss. Elements that the protocol does not know come out like all others. A
    /// BLOB comes out empty: `<oneBLOB ...></oneBLOB>`.
    pub fn next_element(&mut self) -> Option<Result<&[u8], Malformed>> {
        loop {
            match self.next_step()? {
                Step::On | Step::Body(_) => {}
                Step::Whole(range) => return Some(Ok(&self.buffer[range])),
                Step::Dropped(why) => return Some(Err(why)),
            }
        }
    }

    /// The same, and the text of BLOBs as it arrives. The element follows when it is whole; one that is dropped
    /// takes its BLOBs with it.
    pub fn next_piece(&mut self) -> Option<Result<Piece<'_>, Malformed>> {
        loop {
            match self.next_step()? {
                Step::On => {}
                Step::Body(text) => {
                    let (element, text) = (&self.buffer[self.start..self.kept], &self.buffer[text]);
                    return Some(Ok(Piece::Body { blob: self.blobs, element, text }));
                }
                Step::Whole(range) => return Some(Ok(Piece::Element(&self.buffer[range]))),
                Step::Dropped(why) => return Some(Err(why)),
            }
        }
    }

    /// Reads on, if there is anything left to read.
    fn next_step(&mut self) -> Option<Step> {
        (self.scan < self.end).then(|| self.step())
    }

    /// Reads on to the end of one piece of markup or text, or of what has arrived.
    fn step(&mut self) -> Step {
        let allowed = MAX_ELEMENT + self.spare - (self.kept - self.start);
        let limit = self.end.min(self.scan + allowed);
        let rest = &self.buffer[self.scan..limit];
        let Some(&next) = rest.first() else {
            return self.drop_element(if self.spare == 0 {
                "longer than 1 MiB"
            } else {
                "longer than allowed"
            });
        };
        match self.state {
            State::Text | State::Body => {
                let found = memchr(b'<', rest);
                let before = found.unwrap_or(rest.len());
                match self.state {
                    // The `<` waits: what is kept of it would be put where the text is.
                    State::Body if before > 0 => {
                        self.pass(before);
                        return Step::Body(self.scan - before..self.scan);
                    }
                    State::Body => {}
                    _ if self.depth > 0 => self.keep(before),
                    _ => {
                        self.pass(before);
                        self.forget();
                    }
                }
                if found.is_some() {
                    self.begin_markup();
                }
                Step::On
            }
            State::Open => match next {
                b'!' => self.keep_as(1, State::Bang),
                b'?' => self.keep_as(1, State::Skip(b"?>")),
                b'/' => self.keep_as(1, State::End),
                _ if starts_name(next) => self.keep_as(1, State::Name),
                _ => self.broken("tag without a name"),
            },
            State::Name => {
                let length = rest.iter().position(|&byte| !in_name(byte));
                self.keep(length.unwrap_or(rest.len()));
                if length.is_some() { self.named() } else { Step::On }
            }
            State::Tag => match rest.iter().position(|byte| matches!(byte, b'"' | b'\'' | b'>' | b'<')) {
                None => self.keep_as(rest.len(), State::Tag),
                Some(at) => match rest[at] {
                    b'<' => self.broken_after(at, "tag without an end"),
                    b'>' => {
                        self.keep(at + 1);
                        self.start_tag_ended()
                    }
                    quote => self.keep_as(at + 1, State::Quoted(quote)),
                },
            },
            State::Quoted(quote) => match memchr2(quote, b'<', rest) {
                None => self.keep_as(rest.len(), State::Quoted(quote)),
                Some(at) if rest[at] == b'<' => self.broken_after(at, "raw < in an attribute value"),
                Some(at) => self.keep_as(at + 1, State::Tag),
            },
            State::End => match memchr2(b'>', b'<', rest) {
                None => self.keep_as(rest.len(), State::End),
                Some(at) if rest[at] == b'<' => self.broken_after(at, "tag without an end"),
                Some(at) => {
                    self.keep(at + 1);
                    self.end_tag_ended()
                }
            },
            State::Bang => self.bang(next),
            State::Skip(terminator) => self.skip(terminator, limit),
        }
    }

    /// The byte at `scan` is a `<` outside comments.
    fn begin_markup(&mut self) {
        if self.depth == 0 {
            self.root_at = self.position;
        }
        self.tag = self.kept;
        self.tag_at = self.position;
        self.keep_as(1, State::Open);
    }

    /// `start..kept` ends with the whole name of a start tag.
    fn named(&mut self) -> Step {
        self.state = State::Tag;
        let known = PROTOCOL.contains(&&self.buffer[self.tag + 1..self.kept]);
        if known && self.depth > 0 {
            // Told first: what was open has lost its end. Then the new element goes on from its name.
            let loss = self.loss("cut short by another element");
            self.begin_root();
            return Step::Dropped(loss);
        }
        if self.depth > 0 {
            return Step::On;
        }
        if known || !self.lost {
            self.begin_root();
        } else {
            self.state = State::Text;
            self.forget();
        }
        Step::On
    }

    /// The start tag at `tag` is that of a new top-level element.
    fn begin_root(&mut self) {
        self.start = self.tag;
        self.root_at = self.tag_at;
        self.depth = 1;
        self.blobs = 0;
        self.lost = false;
    }

    /// `start..kept` ends with a whole start tag, its `>` included.
    fn start_tag_ended(&mut self) -> Step {
        let tag = &self.buffer[self.tag..self.kept];
        let is_root = self.tag == self.start;
        let is_blob = tag[1..].starts_with(b"oneBLOB") && !tag.get(8).is_some_and(|&byte| in_name(byte));
        self.state = State::Text;
        self.blobs += usize::from(is_blob);
        if tag.ends_with(b"/>") {
            return if is_root { self.whole() } else { Step::On };
        }
        if is_blob {
            self.state = State::Body;
        }
        if !is_root {
            self.depth += 1;
        }
        if self.depth > MAX_DEPTH { self.drop_element("nested more than 8 deep") } else { Step::On }
    }

    /// `start..kept` ends with a whole closing tag, its `>` included.
    fn end_tag_ended(&mut self) -> Step {
        self.state = State::Text;
        if self.depth == 0 {
            self.forget();
            return Step::On;
        }
        let name = self.buffer[self.tag + 2..self.kept - 1].trim_ascii_end();
        self.depth -= 1;
        if self.depth == 0 || PROTOCOL.contains(&name) { self.whole() } else { Step::On }
    }

    /// After `<!`: a comment, CDATA or a declaration, which the next bytes tell.
    fn bang(&mut self, next: u8) -> Step {
        const COMMENT: &[u8] = b"<!--";
        const CDATA: &[u8] = b"<![CDATA[";
        let read = self.kept - self.tag;
        for (opening, terminator) in [(COMMENT, b"-->".as_slice()), (CDATA, b"]]>")] {
            let agrees = self.buffer[self.tag..self.kept] == opening[..read.min(opening.len())];
            if agrees && opening.get(read) == Some(&next) {
                let state = if read + 1 == opening.len() { State::Skip(terminator) } else { State::Bang };
                return self.keep_as(1, state);
            }
        }
        self.state = State::Skip(b">");
        Step::On
    }

    /// In a comment, CDATA, instruction or declaration, of which `scan..limit` has arrived.
    fn skip(&mut self, terminator: &'static [u8], limit: usize) -> Step {
        let rest = &self.buffer[self.scan..limit];
        let opaque = matches!(terminator, b"-->" | b"]]>");
        let found = if opaque { memchr(b'>', rest) } else { memchr2(b'>', b'<', rest) };
        let Some(at) = found else { return self.keep_as(rest.len(), self.state) };
        if rest[at] == b'<' {
            return self.broken_after(at, "declaration without an end");
        }
        self.keep(at + 1);
        // The dashes of `<!-->` open the comment; they do not also close it.
        let opening = if terminator == b"-->" { 4 } else { 2 };
        if self.buffer[(self.tag + opening).min(self.kept)..self.kept].ends_with(terminator) {
            self.state = State::Text;
            if self.depth == 0 {
                self.forget();
            }
        }
        Step::On
    }

    fn whole(&mut self) -> Step {
        let element = self.start..self.kept;
        self.state = State::Text;
        self.depth = 0;
        self.forget();
        Step::Whole(element)
    }

    /// As [`broken`](Self::broken), at the `<` that lies `before` bytes ahead.
    fn broken_after(&mut self, before: usize, why: &'static str) -> Step {
        self.keep(before);
        self.broken(why)
    }

    /// The markup at `tag` cannot go on with the byte at `scan`, which may begin another.
    fn broken(&mut self, why: &'static str) -> Step {
        if self.depth > 0 {
            return self.drop_element(why);
        }
        self.state = State::Text;
        self.forget();
        Step::On
    }

    /// Gives up what is open; the byte at `scan` is the first that may belong to something better.
    fn drop_element(&mut self, why: &'static str) -> Step {
        let loss = self.loss(why);
        let told = self.lost;
        self.state = State::Text;
        self.depth = 0;
        self.lost = true;
        self.forget();
        if told { Step::On } else { Step::Dropped(loss) }
    }

    fn loss(&self, why: &'static str) -> Malformed {
        Malformed { at: self.root_at, what: begun(&self.buffer[self.start..self.kept]), why }
    }

    /// Takes `n` bytes into the element.
    fn keep(&mut self, n: usize) {
        if self.kept != self.scan {
            self.buffer.copy_within(self.scan..self.scan + n, self.kept);
        }
        self.kept += n;
        self.pass(n);
    }

    fn keep_as(&mut self, n: usize, state: State) -> Step {
        self.keep(n);
        self.state = state;
        Step::On
    }

    /// Passes over `n` bytes.
    fn pass(&mut self, n: usize) {
        self.scan += n;
        self.position += n as u64;
    }

    /// Nothing before `scan` is wanted any more.
    fn forget(&mut self) {
        self.start = self.scan;
        self.kept = self.scan;
    }
}

#[cfg(test)]
mod tests;
