//! Just enough of HTTP/1.1 for Alpaca: one connection, one request at a time, deadlines, and an end to waiting when
//! nobody wants the answer any more.
//!
//! The connection is kept between requests. A server may close it at any time in between, so it is looked at before it
//! is used again; reading requests that fail before their answer begins are made once more.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::fault::Fault;
use super::now;

/// How often a wait looks whether it is still wanted.
const SLICE: Duration = Duration::from_millis(50);
/// A status line with headers is shorter.
const LONGEST_HEAD: usize = 64 << 10;
/// More than the largest sensor's pixels as text.
const LARGEST_BODY: u64 = 4 << 30;
/// A body that comes needs memory so much ahead.
const CHUNK: usize = 1 << 20;

/// A way to one server.
#[derive(Debug)]
pub(super) struct Http {
    address: String,
    found: Vec<SocketAddr>,
    stream: Option<TcpStream>,
}

/// What to ask for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request<'a> {
    pub(super) method: Method,
    /// With the query.
    pub(super) path: &'a str,
    /// A form.
    pub(super) body: &'a str,
    pub(super) accept: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Put,
}

/// An answer, whatever its status.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Without parameters, in small letters.
    pub(super) content_type: String,
    pub(super) body: Vec<u8>,
}

/// How long to wait, and who asks meanwhile whether to go on.
pub(super) struct Patience<'a> {
    /// For the whole answer, or for the next piece of it where pieces keep coming.
    pub(super) limit: Duration,
    /// Each piece may take that long again.
    pub(super) by_piece: bool,
    /// Told how many bytes have come and how many will, as far as that is known; says whether the rest is wanted.
    pub(super) watch: &'a mut dyn FnMut(u64, Option<u64>) -> ControlFlow<()>,
}

impl Http {
    /// To `host:port`. Connects when it is first used.
    pub(super) fn new(address: &str) -> Self {
        Http { address: address.to_owned(), found: Vec::new(), stream: None }
    }

    /// Another connection to the same server.
    pub(super) fn another(&self) -> Self {
        Http { address: self.address.clone(), found: self.found.clone(), stream: None }
    }

    /// Where the server is, as it was given.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Makes one request, within that time altogether.
    pub(super) fn fetch(&mut self, request: Request, limit: Duration) -> Result<Answer, Fault> {
        let mut watch = |_, _| ControlFlow::Continue(());
        self.fetch_patiently(request, Patience { limit, by_piece: false, watch: &mut watch })
    }

    /// Makes one request.
    pub(super) fn fetch_patiently(&mut self, request: Request, patience: Patience) -> Result<Answer, Fault> {
        let kept = self.stream.take().filter(is_alive);
        let was_kept = kept.is_some();
        let mut waiter = Waiter::new(patience);
        let stream = match kept {
            Some(stream) => stream,
            None => self.connect(&waiter)?,
        };
        match self.exchange(stream, request, &mut waiter) {
            // The server closed the connection just when it was to be used again.
            Err((Fault::Gone(_), false)) if was_kept && request.method == Method::Get => {
                let stream = self.connect(&waiter)?;
                self.exchange(stream, request, &mut waiter).map_err(|(fault, _)| fault)
            }
            result => result.map_err(|(fault, _)| fault),
        }
    }

    fn connect(&mut self, waiter: &Waiter) -> Result<TcpStream, Fault> {
        if self.found.is_empty() {
            self.found = self.address.to_socket_addrs().map_err(Fault::Gone)?.collect();
        }
        let mut last = io::Error::new(ErrorKind::NotFound, "the name has no address");
        for address in &self.found {
            let left = waiter.left()?;
            match TcpStream::connect_timeout(address, left) {
                Ok(stream) => {
                    stream.set_nodelay(true).map_err(Fault::Gone)?;
                    stream.set_read_timeout(Some(SLICE)).map_err(Fault::Gone)?;
                    stream.set_write_timeout(Some(waiter.limit)).map_err(Fault::Gone)?;
                    return Ok(stream);
                }
                Err(error) => last = error,
            }
        }
        // A name may mean another address by now.
        self.found.clear();
        Err(Fault::Gone(last))
    }

    /// One request and its answer. A failure says whether the answer had begun.
    fn exchange(
        &mut self,
        mut stream: TcpStream,
        request: Request,
        waiter: &mut Waiter,
    ) -> Result<Answer, (Fault, bool)> {
        stream.write_all(self.words(request).as_bytes()).map_err(|error| (Fault::Gone(error), false))?;
        let mut reader = Reader { stream: &stream, waiter, buffer: Vec::new(), taken: 0 };
        let head = loop {
            let head = reader.head().map_err(|fault| (fault, !reader.buffer.is_empty()))?;
            // Preliminary answers.
            if head.status >= 200 {
                break head;
            }
        };
        let body = reader.body(&head).map_err(|fault| (fault, true))?;
        let clean = reader.taken == reader.buffer.len();
        if clean && head.keeps_open {
            self.stream = Some(stream);
        }
        Ok(Answer { status: head.status, content_type: head.content_type, body })
    }

    fn words(&self, Request { method, path, body, accept }: Request) -> String {
        let address = &self.address;
        let agent = concat!("indi-camera/", env!("CARGO_PKG_VERSION"));
        let common = format!("Host: {address}\r\nUser-Agent: {agent}\r\nAccept: {accept}\r\n");
        match method {
            Method::Get => format!("GET {path} HTTP/1.1\r\n{common}\r\n"),
            Method::Put => format!(
                "PUT {path} HTTP/1.1\r\n{common}Content-Type: application/x-www-form-urlencoded\r\n\
                 Content-Length: {}\r\n\r\n{body}",
                body.len()
            ),
        }
    }
}

/// Whether nothing has happened on a connection since its last answer.
fn is_alive(stream: &TcpStream) -> bool {
    let quiet = |stream: &TcpStream| -> io::Result<bool> {
        stream.set_nonblocking(true)?;
        let peeked = stream.peek(&mut [0]);
        stream.set_nonblocking(false)?;
        Ok(matches!(peeked, Err(error) if error.kind() == ErrorKind::WouldBlock))
    };
    quiet(stream).unwrap_or(false)
}

/// The time that an answer may take.
struct Waiter<'a> {
    limit: Duration,
    by_piece: bool,
    end: Instant,
    watch: &'a mut dyn FnMut(u64, Option<u64>) -> ControlFlow<()>,
}

impl<'a> Waiter<'a> {
    fn new(Patience { limit, by_piece, watch }: Patience<'a>) -> Self {
        Waiter { limit, by_piece, end: now() + limit, watch }
    }

    fn left(&self) -> Result<Duration, Fault> {
        let left = self.end.saturating_duration_since(now());
        if left.is_zero() { Err(Fault::Slow(self.limit)) } else { Ok(left) }
    }

    fn piece_came(&mut self) {
        if self.by_piece {
            self.end = now() + self.limit;
        }
    }
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
struct Reader<'s, 'w, 'p> {
    stream: &'s TcpStream,
    waiter: &'w mut Waiter<'p>,
    /// What has come and may not have been used yet: all from `taken` on.
    buffer: Vec<u8>,
    taken: usize,
}

impl Reader<'_, '_, '_> {
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

    /// More into the buffer.
    fn fill(&mut self) -> Result<(), Fault> {
        let mut piece = [0; 8 << 10];
        match self.read(&mut piece, 0, None)? {
            0 => Err(Fault::Gone(ErrorKind::UnexpectedEof.into())),
            count => {
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

    fn head(&mut self) -> Result<Head, Fault> {
        let begin = self.taken;
        let first = self.line()?;
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
            if self.taken - begin > LONGEST_HEAD {
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
                // Trailers.
                while !self.line()?.is_empty() {}
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
