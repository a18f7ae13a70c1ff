//! What the journal of a spool says: its lines, and what they add up to.
//!
//! A line is a check of 16 hexadecimal digits (the beginning of the SHA-256 of the rest), a blank, and one JSON object:
//!
//! ```text
//! 5a0c… {"kept":{"id":"20261122T213005123-1a2b-0-17","at":"2026-11-22T21:30:05.123Z","bytes":5253120,"sha256":"…","path":"/pictures/M31_017.fits","format":".fits","saved":true,"acknowledged":false}}
//! 91f3… {"acknowledged":"20261122T213005123-1a2b-0-17"}
//! c77e… {"dropped":"20261122T213005123-1a2b-0-17"}
//! ```
//! A line without its check, or with the wrong one, is not counted: it was torn by a crash, or damaged by the disk, and
//! says nothing for sure. Lines are only ever added.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::host::sum::Sum;

/// Digits of a line's check.
const CHECK: usize = 16;

/// A frame that is on the disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// As `FRAMEID` in its header.
    pub id: String,
    /// When its exposure began, UTC, as `2026-11-22T21:30:05.123Z`.
    pub at: String,
    /// Length of the file.
    pub bytes: u64,
    /// Of the file.
    pub sha256: Sum,
    /// Whole path of a frame that the user saved; of one that is only spooled the name in the spool's directory.
    pub path: String,
    /// Suffix of its format, with its dot.
    pub format: String,
    /// It lies where the user wants it, and is never removed.
    pub saved: bool,
    /// Everybody whom it was meant for has it.
    pub acknowledged: bool,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Entry {
    /// A frame is on the disk.
    Kept(Record),
    /// The server has read it.
    Acknowledged(String),
    /// It is of no interest any more. A file of the spool is removed after that.
    Dropped(String),
}

impl Entry {
    /// As a line with its end.
    pub(super) fn line(&self) -> String {
        // Texts, numbers and nothing else.
        checked(&serde_json::to_string(self).unwrap_or_default())
    }

    /// From a line without its end; `None` if it is torn or damaged.
    pub(super) fn parse(line: &[u8]) -> Option<Entry> {
        let (sum, json) = std::str::from_utf8(line).ok()?.split_once(' ')?;
        if sum == check(json) { serde_json::from_str(json).ok() } else { None }
    }
}

/// A line with its check and its end.
pub(super) fn checked(json: &str) -> String {
    format!("{} {json}\n", check(json))
}

fn check(json: &str) -> String {
    let mut sum = Sum::of(json.as_bytes()).to_string();
    sum.truncate(CHECK);
    sum
}

/// What all lines of a journal add up to.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Oldest first.
    pub(super) frames: Vec<Record>,
    /// Frames that have been dropped, and whose files may still be there.
    pub(super) dropped: HashSet<String>,
    /// Lines that were counted.
    pub(super) lines: usize,
    /// Lines that were not: torn or damaged.
    pub(super) damaged: usize,
    /// The last line has no end.
    pub(super) torn: bool,
}

impl Ledger {
    /// Reads a whole journal, whatever it looks like.
    pub(super) fn read(text: &[u8]) -> Ledger {
        let mut ledger = Ledger { torn: text.last().is_some_and(|last| *last != b'\n'), ..Ledger::default() };
        for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            match Entry::parse(line) {
                Some(entry) => ledger.enter(entry),
                None => ledger.damaged += 1,
            }
        }
        ledger
    }

    pub(super) fn enter(&mut self, entry: Entry) {
        self.lines += 1;
        match entry {
            Entry::Kept(record) => {
                self.dropped.remove(&record.id);
                match self.position(&record.id) {
                    Some(at) => self.frames[at] = record,
                    None => self.frames.push(record),
                }
            }
            Entry::Acknowledged(id) => {
                if let Some(at) = self.position(&id) {
                    self.frames[at].acknowledged = true;
                }
            }
            Entry::Dropped(id) => {
                self.frames.retain(|record| record.id != id);
                self.dropped.insert(id);
            }
        }
    }

    /// What is asked for is mostly among the newest.
    pub(super) fn position(&self, id: &str) -> Option<usize> {
        self.frames.iter().rposition(|record| record.id == id)
    }

    pub(super) fn find(&self, id: &str) -> Option<&Record> {
        self.position(id).map(|at| &self.frames[at])
    }

    /// The shortest journal that says the same.
    pub(super) fn text(&self) -> String {
        let dropped = self.dropped.iter().cloned().map(Entry::Dropped);
        let kept = self.frames.iter().cloned().map(Entry::Kept);
        dropped.chain(kept).map(|entry| entry.line()).collect()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::host::spool) fn record(id: &str) -> Record {
        Record {
            id: id.to_owned(),
            at: "2026-11-22T21:30:05.123Z".to_owned(),
            bytes: 3,
            sha256: Sum::of(b"abc"),
            path: format!("a \"path\"\nof {id}"),
            format: ".fits".to_owned(),
            saved: true,
            acknowledged: false,
        }
    }

    #[test]
    fn a_journal_that_ends_anywhere_loads_up_to_its_last_whole_line() {
        let entries = [
            Entry::Kept(record("a")),
            Entry::Kept(record("b")),
            Entry::Acknowledged("a".to_owned()),
            Entry::Dropped("b".to_owned()),
        ];
        let lines = entries.map(|entry| entry.line());
        let text = lines.concat();
        for end in 0..=text.len() {
            let ledger = Ledger::read(&text.as_bytes()[..end]);
            // A line is whole when only its end is missing.
            let (mut whole, mut length) = (0, 0);
            for line in &lines {
                length += line.len();
                whole += usize::from(length - 1 <= end);
            }
            assert_eq!(ledger.lines, whole, "up to {end}");
            let ids: Vec<&str> = ledger.frames.iter().map(|record| &*record.id).collect();
            assert_eq!(ids, [&[][..], &["a"], &["a", "b"], &["a", "b"], &["a"]][whole]);
            assert_eq!(ledger.find("a").is_some_and(|a| a.acknowledged), whole >= 3);
        }
    }

    #[test]
    fn a_damaged_byte_costs_its_own_line_alone() {
        let lines = ["a", "b", "c"].map(|id| Entry::Kept(record(id)).line());
        let text = lines.concat().into_bytes();
        for at in 0..text.len() {
            let mut damaged = text.clone();
            damaged[at] ^= 1;
            let left = Ledger::read(&damaged).frames.len();
            assert!((1..3).contains(&left), "{at}: {left}");
        }
    }

    #[test]
    fn the_shortest_journal_says_the_same() {
        let mut ledger = Ledger::default();
        for id in ["a", "b", "c"] {
            ledger.enter(Entry::Kept(record(id)));
        }
        ledger.enter(Entry::Acknowledged("c".to_owned()));
        ledger.enter(Entry::Dropped("a".to_owned()));
        let again = Ledger::read(ledger.text().as_bytes());
        assert_eq!((&again.frames, &again.dropped), (&ledger.frames, &ledger.dropped));
        assert_eq!((again.lines, again.damaged, again.torn), (3, 0, false));
    }
}
