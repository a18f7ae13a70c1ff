//! The device alone, with a virtual clock and a scripted camera: what a client says, what it hears, and when.
//!
//! Each file in `tests/transcripts/` is one scene. Its lines:
//!
//! ```text
//! t 1.5                        let time pass until then, in seconds; deadlines fire on their way
//! > newNumberVector CCD_EXPOSURE CCD_EXPOSURE_VALUE=3       a client writes
//! > getProperties [NAME]                                    a client asks
//! call NAME {"gain":5}         a client writes CAMERA_CALL, the rest of the line being PARAMS
//! result /params/gain=5 ...    what the last CAMERA_REPLY says, by JSON pointer; what is long shows as `...` otherwise
//! < setNumberVector CCD_EXPOSURE Busy CCD_EXPOSURE_VALUE=3  what clients hear, whole and in order
//! ! start_exposure             what the camera is asked, and the disk about nicknames, likewise
//! * 1970-01-01T00:00:00 ...    what goes to the log file, in order with what clients hear
//! camera silent                it no longer answers calls (`camera answers` ends that)
//! camera answers at last       the same, and it answers what it was asked in its silence
//! camera fails CALL KIND TEXT  the next such call is answered so
//! camera started|reading|frame|failed TEXT    news of the exposure that was asked last
//! camera stops                 it exposes no more, and says nothing of why
//! camera found                 somebody else says that it is there
//! camera thread 0 answers      the thread of that epoch, given up since, has come back from its call
//! camera frame short           a frame with fewer rows than it says (likewise `of 8 bit`, `at NaN C`)
//! camera formats NAME NAME     what it offers when it is connected next; none if there is no name
//! camera 12.5 C 40 %           what it says when polled from now on
//! camera cools to -10          its cooler is on, and nobody here has asked for that (`camera cools no more` ends it)
//! camera exposes 100           it says so when polled, until it is asked to abort
//! health                       what clients are told of the vectors of health.xml counts as heard from now on
//! watching                     what other devices are asked counts as heard from now on
//! snooped DEVICE VECTOR STATE NAME=value ...      another device tells something
//! deleted DEVICE [VECTOR]      another device takes it back
//! cards KEYWORD=value ...      what the header that was delivered last says; `-` for a keyword that must be absent
//! saved VECTOR NAME=value ...   what the configuration that was saved last says; no elements when it must be absent
//! camera has guide-port        from the next connection on (likewise `sdk VERSION`, `control NAME MIN MAX`,
//!                              `choice NAME NAME ...`, `sensor WIDTH HEIGHT`,
//!                              `camera full-frames-only`, `camera asks for its scene`)
//! disk fails                   the next nickname cannot be stored, or the next frame be read again
//! disk silent                  it never answers any more
//! disk hangs                   in the next job; what comes behind waits for another thread
//! disk answers at last         whatever a thread hangs in is done
//! restart                      a new process with the configuration that was saved last
//! shutdown                     the process is about to end
//! delivery ok|no-file|no-blob|constant    the delivery thread reports on the frame
//! ping                         the server acknowledges everything
//! connected                    the camera is connected; what that takes is not looked at (likewise `reconnected`)
//! exposed                      an exposure of 1 s has ended and its frame is with the delivery thread
//! only WORD LINE               does LINE, and looks only at what clients hear that has WORD in it
//! quiet                        nothing was said and nothing asked since the last check
//! ```
//! Lines that nobody lists are a failure. Texts with blanks stand in double quotes.
//!
//! # Where libindi goes wrong
//!
//! Trials with libindi's cameras, and its source, gave a numbered list of what a driver should do better. A scene that
//! plays one of these findings begins with `# Finding` and its number, another test stands under such a comment.
//!
//! | | what libindi does | played by |
//! |---|---|---|
//! | 1 | ends with the second native frame | `tests/formats.rs` |
//! | 2 | keeps a window that it refused, and ends | 70 |
//! | 3 | ends when ACTIVE_DEVICES is written in part | 35 |
//! | 4 | switches everything off for an unknown element, and saves that | 71 |
//! | 5 | repeats the last pulse for one out of range | finding-05 |
//! | 6 | exposes while disconnected, and for any element | 72 |
//! | 7 | ends short exposures late | 73 |
//! | 8 | stands still while it compresses | 74 |
//! | 9 | sends the frame of an aborted exposure | 06 |
//! | 10 | waits for a dead camera for ever | 16; 18 |
//! | 11 | stands still while it loads, and tells everything again | 75 |
//! | 12 | waits 5 s for each ping that nobody answers | 19 |
//! | 13 | hides the target; tells of temperatures late; forgets what it regulates | finding-13; 14, 40 |
//! | 14 | tells the same several times | 02, 09 |
//! | 15 | tells before it defines; is silent about refused writes | 01, 08; `tests/process/definitions.rs` |
//! | 16 | fast exposure: Ok before BLOB, Busy once, pixels of another frame | 21-fast; `tests/eager.rs` |
//! | 17 | keeps a binning that it refused; mixes up the axes | 76 |
//! | 18 | ends when a filter wheel turns | 36 |
//! | 20 | stays Busy when it cannot make the file | 77 |
//! | 22 | tells in the header what was true after the exposure; forgets the wrong device | 32, 37 |
//! | 23 | writes four digits, and no end or middle of the exposure | 31; `tests/process/frames.rs` |
//! | 24 | writes files in place; a failed one costs the client its copy | 13; `tests/process/upload.rs` |
//! | 27 | says and answers nothing while it connects | finding-27 |
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

#[path = "support/rehearsal.rs"]
mod rehearsal;

use rehearsal::Rehearsal;

#[test]
fn every_scene_plays_as_written() {
    let mut scenes: Vec<_> = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    scenes.sort();
    assert!(scenes.len() >= 10, "the scenes are gone");
    let mut failures = String::new();
    for scene in &scenes {
        let text = fs::read_to_string(scene).unwrap();
        if let Err(failure) = play(&text) {
            writeln!(failures, "{}: {failure}", scene.file_name().unwrap().display()).unwrap();
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

/// What the table above lists.
const FINDINGS: [u32; 23] =
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 20, 22, 23, 24, 27];

#[test]
fn every_finding_has_a_test() {
    let mut text = String::new();
    let mut directories = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
            match entry.extension().is_some() {
                true => text += &fs::read_to_string(entry).unwrap(),
                false => directories.push(entry),
            }
        }
    }
    let played: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# Finding ").or_else(|| line.strip_prefix("// Finding ")))
        .filter_map(|rest| rest.split_once(": ").map(|(number, _)| number))
        .collect();
    for finding in FINDINGS {
        assert!(played.contains(&finding.to_string().as_str()), "nothing plays finding {finding}");
    }
}

/// Plays one scene; the error says line, what was expected and what came.
fn play(text: &str) -> Result<(), String> {
    let mut rehearsal = Rehearsal::new();
    let mut expected: Vec<(usize, &str)> = Vec::new();
    for (number, line) in text.lines().enumerate().map(|(i, line)| (i + 1, line.trim())) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line.starts_with(['<', '!', '*']) {
            expected.push((number, line));
            continue;
        }
        check(&mut rehearsal, &mut expected, number)?;
        if line != "quiet" {
            rehearsal.act(line).map_err(|why| format!("line {number}: {why}"))?;
        }
    }
    check(&mut rehearsal, &mut expected, text.lines().count())
}

fn check(rehearsal: &mut Rehearsal, expected: &mut Vec<(usize, &str)>, number: usize) -> Result<(), String> {
    let heard = rehearsal.take_heard();
    let (messages, calls): (Vec<&str>, Vec<&str>) =
        expected.iter().map(|(_, line)| *line).partition(|line| !line.starts_with("! "));
    let first = expected.first().map_or(number, |(line, _)| *line);
    expected.clear();
    let said: Vec<&str> = heard.iter().map(String::as_str).filter(|line| !line.starts_with("! ")).collect();
    let asked: Vec<&str> = heard.iter().map(String::as_str).filter(|line| line.starts_with("! ")).collect();
    // What the camera is asked matters only to scenes that say so.
    let calls_match = calls.is_empty() || calls == asked;
    if messages == said && calls_match {
        return Ok(());
    }
    Err(format!(
        "near line {first}\n  expected:\n    {}\n  came:\n    {}",
        [messages, calls].concat().join("\n    "),
        heard.join("\n    ")
    ))
}
