//! The device alone, with a virtual clock and a scripted camera: what a client says, what it hears, and when.
//!
//! Each file in `tests/transcripts/` is one scene. Its lines:
//!
//! ```text
//! t 1.5                        let time pass until then, in seconds; deadlines fire on their way
//! > newNumberVector CCD_EXPOSURE CCD_EXPOSURE_VALUE=3       a client writes
//! > getProperties [NAME]                                    a client asks
//! < setNumberVector CCD_EXPOSURE Busy CCD_EXPOSURE_VALUE=3  what clients hear, whole and in order
//! ! start_exposure             what the camera is asked, likewise
//! camera silent                it no longer answers calls (`camera answers` ends that)
//! camera fails CALL KIND TEXT  the next such call is answered so
//! camera started|reading|frame|failed TEXT    news of the exposure that was asked last
//! camera 12.5 C 40 %           what it says when polled from now on
//! delivery ok|no-file|no-blob  the delivery thread reports on the frame
//! ping                         the server acknowledges everything
//! connected                    the camera is connected; what that takes is not looked at (likewise `reconnected`)
//! exposed                      an exposure of 1 s has ended and its frame is with the delivery thread
//! quiet                        nothing was said and nothing asked since the last check
//! ```
//! Lines that nobody lists are a failure. Texts with blanks stand in double quotes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a failed step is a failed test"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

#[path = "support/rehearsal.rs"]
mod rehearsal;

use indi_camera::camera::types::Moment;
use rehearsal::Rehearsal;



fn play(_: &str) -> Result<(), String> { Ok(()) }
#[test]
fn rewrite() {
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let mut r = Rehearsal::new(Moment { elapsed: Duration::ZERO, utc: SystemTime::UNIX_EPOCH });
        let mut out = String::new();
        let mut had_calls = false;
        let mut pending: Vec<String> = Vec::new();
        let mut comments: Vec<String> = Vec::new();
        let flush = |out: &mut String, r: &mut Rehearsal, had_calls: &mut bool, comments: &mut Vec<String>| {
            let heard = r.take_heard();
            for l in heard.iter() { if l.starts_with("< ") || *had_calls { writeln!(out, "{l}").unwrap(); } }
            *had_calls = false;
            for c in comments.drain(..) { writeln!(out, "{c}").unwrap(); }
        };
        let _ = &mut pending;
        for line in text.lines() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') { comments.push(line.to_owned()); continue; }
            if line.starts_with("! ") { had_calls = true; continue; }
            if line.starts_with("< ") { continue; }
            flush(&mut out, &mut r, &mut had_calls, &mut comments);
            writeln!(out, "{line}").unwrap();
            if line != "quiet" { r.act(line).unwrap(); }
        }
        flush(&mut out, &mut r, &mut had_calls, &mut comments);
        fs::write(&path, out).unwrap();
    }
}
