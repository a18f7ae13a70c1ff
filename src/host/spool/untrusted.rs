//! A door for those who try what a disk can make of a journal.

use super::record::{Ledger, checked};

/// The frames that a journal lists, and the shortest journal that says the same.
#[must_use]
pub fn read(journal: &[u8]) -> (Vec<super::Record>, String) {
    let ledger = Ledger::read(journal);
    let text = ledger.text();
    (ledger.frames, text)
}

/// The same lines, each with its check: what is in them comes through.
#[must_use]
pub fn with_checks(lines: &str) -> String {
    lines.lines().map(checked).collect()
}
