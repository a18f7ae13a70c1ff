//! What can go wrong between us and a camera's server, and what that means for whoever made the call.

use std::io;
use std::time::Duration;

use crate::camera::error::{CameraError, ErrorKind};

/// Longest sentence of a server that is passed on.
const LONGEST_MESSAGE: usize = 300;

/// Numbers of ASCOM errors; 0x500 to 0xFFF are a driver's own.
pub(super) mod ascom {
    pub(in super::super) const NOT_IMPLEMENTED: i64 = 0x400;
    pub(in super::super) const INVALID_VALUE: i64 = 0x401;
    pub(in super::super) const VALUE_NOT_SET: i64 = 0x402;
    pub(in super::super) const NOT_CONNECTED: i64 = 0x407;
    pub(in super::super) const INVALID_OPERATION: i64 = 0x40B;
    pub(in super::super) const ACTION_NOT_IMPLEMENTED: i64 = 0x40C;
}

/// Why a request has no answer that can be used.
#[derive(Debug)]
pub(super) enum Fault {
    /// Nobody listens there, or the connection broke.
    Gone(io::Error),
    /// No answer in that time.
    Slow(Duration),
    /// Nobody wants the answer any more.
    Unwanted,
    /// An answer that is not Alpaca.
    Nonsense(String),
    /// The request was understood and refused.
    Refused { number: i64, message: String },
    /// The server refuses to look at the request.
    Http { status: u16, message: String },
    /// The server answers, but it does not have the camera open any more.
    Closed,
    /// The camera has failed, as it says itself.
    Failed(&'static str),
}

impl Fault {
    /// A refusal, with the first line of what the server says.
    pub(super) fn refused(number: i64, message: &str) -> Fault {
        Fault::Refused { number, message: first_line(message) }
    }

    pub(super) fn http(status: u16, body: &[u8]) -> Fault {
        Fault::Http { status, message: first_line(&String::from_utf8_lossy(body)) }
    }

    /// Whether the camera, or its older interface, lacks what was asked for.
    pub(super) fn is_lack(&self) -> bool {
        match self {
            Fault::Refused { number, .. } => {
                matches!(*number, ascom::NOT_IMPLEMENTED | ascom::ACTION_NOT_IMPLEMENTED)
            }
            Fault::Http { status, .. } => matches!(status, 400 | 404 | 405),
            _ => false,
        }
    }

    /// Whether the server has answered, whatever it said.
    pub(super) fn is_answer(&self) -> bool {
        matches!(self, Fault::Refused { .. } | Fault::Http { .. } | Fault::Nonsense(_))
    }

    /// Whether the network may have a gap: nobody says that the server itself has gone.
    pub(super) fn is_gap(&self) -> bool {
        use io::ErrorKind::{HostUnreachable, NetworkUnreachable, TimedOut};
        let gap = |error: &io::Error| matches!(error.kind(), TimedOut | HostUnreachable | NetworkUnreachable);
        matches!(self, Fault::Gone(error) if gap(error))
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Fault::Gone(_) | Fault::Closed => ErrorKind::Disconnected,
            Fault::Slow(_) => ErrorKind::Timeout,
            Fault::Unwanted => ErrorKind::NoFrame,
            Fault::Nonsense(_) | Fault::Failed(_) => ErrorKind::Hardware,
            Fault::Refused { number, .. } => match *number {
                ascom::NOT_IMPLEMENTED | ascom::ACTION_NOT_IMPLEMENTED => ErrorKind::NotSupported,
                ascom::INVALID_VALUE | ascom::VALUE_NOT_SET => ErrorKind::InvalidValue,
                // Our own connection is open, so the server has lost the camera or was started anew.
                ascom::NOT_CONNECTED => ErrorKind::Disconnected,
                ascom::INVALID_OPERATION => ErrorKind::Busy,
                _ => ErrorKind::Hardware,
            },
            Fault::Http { status, .. } => match status {
                400 => ErrorKind::InvalidValue,
                404 | 405 => ErrorKind::NotSupported,
                _ => ErrorKind::Hardware,
            },
        }
    }

    /// The failure of `call` at the server `address`, as a clause for people.
    pub(super) fn of(self, call: &'static str, address: &str) -> CameraError {
        let kind = self.kind();
        let detail = match &self {
            Fault::Gone(error) => format!("the Alpaca server at {address} is gone: {error}"),
            Fault::Slow(time) => {
                format!("the Alpaca server at {address} did not answer within {} s", time.as_secs_f64())
            }
            Fault::Unwanted => "the exposure was cancelled".to_owned(),
            Fault::Failed(what) => (*what).to_owned(),
            Fault::Nonsense(why) => format!("the Alpaca server at {address} answers with nonsense: {why}"),
            Fault::Refused { number, message } if message.is_empty() => {
                format!("refused by the camera (ASCOM error {number:#X})")
            }
            Fault::Refused { number, message } => {
                format!("refused by the camera: {message} (ASCOM error {number:#X})")
            }
            Fault::Http { status, message } if message.is_empty() => {
                format!("the Alpaca server at {address} answers with HTTP status {status}")
            }
            Fault::Http { status, message } => {
                format!("the Alpaca server at {address} answers with HTTP status {status}: {message}")
            }
            Fault::Closed => format!(
                "the Alpaca server at {address} has closed the camera: it was restarted, or another program \
                 disconnected it"
            ),
        };
        let error = CameraError::new(kind, call, detail);
        match self {
            Fault::Gone(source) => CameraError { source: Some(Box::new(source)), ..error },
            _ => error,
        }
    }
}

/// The first line of a server's words: some add a stack trace.
fn first_line(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let line = line.trim_end_matches('.');
    let printable = line.chars().map(|c| if c.is_control() { ' ' } else { c });
    printable.take(LONGEST_MESSAGE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn means(fault: Fault, kind: ErrorKind, sentence: &str) {
        let error = fault.of("set_gain", "10.0.0.7:11111");
        assert_eq!((error.kind, error.to_string().as_str()), (kind, sentence));
    }

    #[test]
    fn every_failure_is_one_sentence_with_a_code() {
        use ErrorKind::{Busy, Disconnected, Hardware, InvalidValue, NotSupported, Timeout};
        let refused = |number, message| Fault::refused(number, message);
        let words = "set_gain: refused by the camera: no gain here (ASCOM error 0x400)";
        means(refused(0x400, "no gain here.\r\n   at Driver.Gain()"), NotSupported, words);
        let words = "set_gain: refused by the camera: too much (ASCOM error 0x401)";
        means(refused(0x401, "\n too much "), InvalidValue, words);
        means(refused(0x407, ""), Disconnected, "set_gain: refused by the camera (ASCOM error 0x407)");
        means(refused(0x40B, ""), Busy, "set_gain: refused by the camera (ASCOM error 0x40B)");
        means(refused(0x40C, ""), NotSupported, "set_gain: refused by the camera (ASCOM error 0x40C)");
        means(refused(0x4FF, ""), Hardware, "set_gain: refused by the camera (ASCOM error 0x4FF)");
        means(refused(0x500, ""), Hardware, "set_gain: refused by the camera (ASCOM error 0x500)");
        let words = "set_gain: the Alpaca server at 10.0.0.7:11111 answers with HTTP status 500: boom";
        means(Fault::http(500, b"boom\nat line 1"), Hardware, words);
        let words = "set_gain: the Alpaca server at 10.0.0.7:11111 answers with HTTP status 404";
        means(Fault::http(404, b""), NotSupported, words);
        let words = "set_gain: the Alpaca server at 10.0.0.7:11111 did not answer within 2.5 s";
        means(Fault::Slow(Duration::from_millis(2500)), Timeout, words);
        let words = "set_gain: the Alpaca server at 10.0.0.7:11111 is gone: connection refused";
        means(Fault::Gone(io::ErrorKind::ConnectionRefused.into()), Disconnected, words);
        let words = "set_gain: the Alpaca server at 10.0.0.7:11111 answers with nonsense: no number";
        means(Fault::Nonsense("no number".to_owned()), Hardware, words);
        let words = "set_gain: the Alpaca server at 10.0.0.7:11111 has closed the camera: it was restarted, or \
                     another program disconnected it";
        means(Fault::Closed, Disconnected, words);
    }

    #[test]
    fn a_network_with_a_gap_is_not_a_server_that_is_gone() {
        use io::ErrorKind as E;
        for kind in [E::TimedOut, E::HostUnreachable, E::NetworkUnreachable] {
            assert!(Fault::Gone(kind.into()).is_gap(), "{kind}");
        }
        for kind in [E::ConnectionRefused, E::ConnectionReset, E::UnexpectedEof, E::NotFound] {
            assert!(!Fault::Gone(kind.into()).is_gap(), "{kind}");
        }
    }

    #[test]
    fn a_servers_novel_is_cut_and_its_control_characters_do_not_reach_the_log() {
        let Fault::Refused { message, .. } = Fault::refused(0x500, &"\u{1b}é".repeat(1000)) else {
            panic!()
        };
        assert_eq!(message.chars().count(), LONGEST_MESSAGE);
        assert!(message.starts_with(" é") && !message.contains('\u{1b}'));
    }
}
