//! One answer as it comes out of a stream. A server that never ends what it says costs time, never memory.

use std::io::{self, ErrorKind, Read};

use super::{Answer, Fault, Patience, Waiter};

/// A status line with headers is shorter, and so is what may follow a body.
const LONGEST_HEAD: usize = 64 << 10;
/// Answers of the kind "go on" before the answer itself.
const MOST_PRELIMINARY: usize = 16;
/// More than the largest sensor's pixels as text.
const LARGEST_BODY: u64 = 4 << 30;
/// A body that comes needs memory so much ahead.
const CHUNK: usize = 1 << 20;

/// One answer from anywhere.
pub(in super::super) fn answer(stream: impl Read, patience: Patience) -> Result<Answer, Fault> {
    Reader::new(stream, &mut Waiter::new(patience)).answer()
}

/// What the first lines of an answer say.
#[derive(Debug, Default)]
struct Head {
    status: u16,
    content_type: String,
    length: Option<u64>,
    chunked: bool,
    keeps_open: bool,
}

/// Reads one answer.
pub(super) struct Reader<'w, 'p, S> {
    stream: S,
    waiter: &'w mut Waiter<'p>,
    /// What has come and may not have been used yet: all from `taken` on.
    buffer: Vec<u8>,
    taken: usize,
    /// Something has come.
    begun: bool,
    /// The server will listen to another request.
    keeps_open: bool,
}

impl<'w, 'p, S: Read> Reader<'w, 'p, S> {
    pub(super) fn new(stream: S, waiter: &'w mut Waiter<'p>) -> Self {
        Reader { stream, waiter, buffer: Vec::new(), taken: 0, begun: false, keeps_open: false }
    }

    pub(super) fn answer(&mut self) -> Result<Answer, Fault> {
        let head = self.last_head()?;
        let body = self.body(&head)?;
        self.keeps_open = head.keeps_open;
        Ok(Answer { status: head.status, content_type: head.content_type, body })
    }

    /// Whether anything has come.
    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Whether the stream is where the next answer would begin, and there may be one.
    pub(super) fn stream_can_be_kept(&self) -> bool {
        self.keeps_open && self.taken == self.buffer.len()
    }

    /// Reads what is there, as soon as something is; 0 at the end.
    fn read(&mut self, into: &mut [u8], come: u64, of: Option<u64>) -> Result<usize, Fault> {
        loop {
            if (self.waiter.watch)(come, of).is_break() {
                return Err(Fault::Unwanted);
            }
            self.waiter.left()?;
            match self.stream.read(into) {
                Ok(count) => {
                    self.waiter.piece_came();
                    return Ok(count);
                }
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => {}
                    _ => return Err(Fault::Gone(error)),
                },
            }
        }
    }

    /// More into the buffer, in the place of what has been used.
    fn fill(&mut self) -> Result<(), Fault> {
        self.buffer.drain(..self.taken);
        self.taken = 0;
        let mut piece = [0; 8 << 10];
        match self.read(&mut piece, 0, None)? {
            0 => Err(Fault::Gone(ErrorKind::UnexpectedEof.into())),
            count => {
                self.begun = true;
                self.buffer.extend_from_slice(&piece[..count]);
                Ok(())
            }
        }
    }

    /// The next line, without its end.
    fn line(&mut self) -> Result<String, Fault> {
        loop {
            let rest = &self.buffer[self.taken..];
            if let Some(end) = memchr::memchr(b'\n', rest) {
                let line = String::from_utf8_lossy(&rest[..end]).trim_end().to_owned();
                self.taken += end + 1;
                return Ok(line);
            }
            if rest.len() > LONGEST_HEAD {
                return Err(Fault::Nonsense("a line without an end".to_owned()));
            }
            self.fill()?;
        }
    }

    /// The head of the answer itself, after the preliminary ones.
    fn last_head(&mut self) -> Result<Head, Fault> {
        for _ in 0..MOST_PRELIMINARY {
            let head = self.head()?;
            if head.status >= 200 {
                return Ok(head);
            }
        }
        Err(Fault::Nonsense("preliminary answers without an end".to_owned()))
    }

    fn head(&mut self) -> Result<Head, Fault> {
        let first = self.line()?;
        let mut length = first.len();
        let mut words = first.split(' ');
        let version = words.next().unwrap_or_default();
        let status = words.next().and_then(|word| word.parse().ok());
        let Some(status) = status.filter(|_| version.starts_with("HTTP/1.")) else {
            return Err(Fault::Nonsense(format!("{first:.60} is no HTTP")));
        };
        let mut head = Head { status, keeps_open: version != "HTTP/1.0", ..Head::default() };
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(head);
            }
            // Blanks at the ends of lines are not counted, but each line is.
            length += line.len() + 1;
            if length > LONGEST_HEAD {
                return Err(Fault::Nonsense("headers without an end".to_owned()));
            }
            let (name, value) = line.split_once(':').unwrap_or((&line, ""));
            head.note(&name.to_ascii_lowercase(), &value.trim().to_ascii_lowercase())?;
        }
    }

    fn body(&mut self, head: &Head) -> Result<Vec<u8>, Fault> {
        if matches!(head.status, 204 | 304) {
            return Ok(Vec::new());
        }
        if head.chunked {
            return self.chunks();
        }
        let mut body = room(head.length.unwrap_or(0))?;
        let limit = head.length.unwrap_or(LARGEST_BODY);
        self.pass(&mut body, limit, head.length)?;
        match head.length {
            Some(length) if body.len() as u64 != length => Err(cut_short()),
            None if body.len() as u64 == LARGEST_BODY => Err(too_long(LARGEST_BODY)),
            _ => Ok(body),
        }
    }

    fn chunks(&mut self) -> Result<Vec<u8>, Fault> {
        let mut body = Vec::new();
        loop {
            let line = self.line()?;
            let digits = line.split(';').next().unwrap_or_default().trim();
            let Ok(length) = u64::from_str_radix(digits, 16) else {
                return Err(Fault::Nonsense(format!("{digits:.20} is no length of a chunk")));
            };
            if length == 0 {
                self.trailers()?;
                return Ok(body);
            }
            let end = (body.len() as u64).checked_add(length).filter(|end| *end <= LARGEST_BODY);
            let end = end.ok_or_else(|| too_long(length))?;
            self.pass(&mut body, end, None)?;
            if body.len() as u64 != end {
                return Err(cut_short());
            }
            if !self.line()?.is_empty() {
                return Err(Fault::Nonsense("a chunk that is longer than it says".to_owned()));
            }
        }
    }

    fn trailers(&mut self) -> Result<(), Fault> {
        let mut length = 0;
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(());
            }
            length += line.len() + 1;
            if length > LONGEST_HEAD {
                return Err(Fault::Nonsense("trailers without an end".to_owned()));
            }
        }
    }

    /// Moves bytes into `body` until it has `end` of them, or no more come.
    fn pass(&mut self, body: &mut Vec<u8>, end: u64, of: Option<u64>) -> Result<(), Fault> {
        let end = usize::try_from(end).unwrap_or(usize::MAX);
        let waiting = (end - body.len()).min(self.buffer.len() - self.taken);
        body.extend_from_slice(&self.buffer[self.taken..self.taken + waiting]);
        self.taken += waiting;
        let mut come = body.len();
        while come < end {
            if come == body.len() {
                body.resize(end.min(come + CHUNK), 0);
            }
            match self.read(&mut body[come..], come as u64, of)? {
                0 => break,
                count => come += count,
            }
        }
        body.truncate(come);
        Ok(())
    }
}

impl Head {
    fn note(&mut self, name: &str, value: &str) -> Result<(), Fault> {
        match name {
            "content-type" => {
                value.split(';').next().unwrap_or_default().trim().clone_into(&mut self.content_type);
            }
            "content-length" => {
                let length = value.parse().ok();
                self.length =
                    Some(length.ok_or_else(|| Fault::Nonsense(format!("{value:.20} is no length")))?);
            }
            "transfer-encoding" => self.chunked = value.ends_with("chunked"),
            "connection" => match value {
                "close" => self.keeps_open = false,
                "keep-alive" => self.keeps_open = true,
                _ => {}
            },
            _ => {}
        }
        Ok(())
    }
}

/// Memory for a body, or a refusal: the length is only what the server says.
fn room(length: u64) -> Result<Vec<u8>, Fault> {
    let mut body = Vec::new();
    let fits = usize::try_from(length).is_ok_and(|length| body.try_reserve_exact(length).is_ok());
    if length > LARGEST_BODY || !fits { Err(too_long(length)) } else { Ok(body) }
}

fn too_long(length: u64) -> Fault {
    Fault::Nonsense(format!("an answer of {length} bytes is too long"))
}

fn cut_short() -> Fault {
    Fault::Gone(io::Error::new(ErrorKind::UnexpectedEof, "the answer was cut short"))
}
