//! Just enough of HTTP/1.1 for Alpaca: one connection, one request at a time, deadlines, and an end to waiting when
//! nobody wants the answer any more.
//!
//! The connection is kept between requests. A server may close it at any time in between, so it is looked at before it
//! is used again; reading requests that fail before their answer begins are made once more.

use std::io::{self, ErrorKind, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::fault::Fault;
use super::now;

mod reader;

use reader::Reader;
pub(super) use reader::answer;

/// How often a wait looks whether it is still wanted.
const SLICE: Duration = Duration::from_millis(50);

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
        let fault = Fault::Gone(last);
        if !fault.is_gap() {
            // A name may mean another address by now.
            self.found.clear();
        }
        Err(fault)
    }

    /// One request and its answer. A failure says whether the answer had begun.
    fn exchange(
        &mut self,
        mut stream: TcpStream,
        request: Request,
        waiter: &mut Waiter,
    ) -> Result<Answer, (Fault, bool)> {
        stream.write_all(self.words(request).as_bytes()).map_err(|error| (Fault::Gone(error), false))?;
        let mut reader = Reader::new(&stream, waiter);
        let answer = reader.answer().map_err(|fault| (fault, reader.has_begun()))?;
        if reader.stream_can_be_kept() {
            self.stream = Some(stream);
        }
        Ok(answer)
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
