//! Journals of a spool, as a disk or a stranger left them.

use indi_camera::host::spool::untrusted::{read, with_checks};

/// A journal as it is, and one whose lines all have their checks.
pub fn check(bytes: &[u8]) {
    says_the_same(bytes);
    let text = String::from_utf8_lossy(bytes);
    // What stands behind the first blank of a line is what its check is about.
    let lines: Vec<&str> =
        text.lines().map(|line| line.split_once(' ').map_or(line, |(_, json)| json)).collect();
    let journal = with_checks(&lines.join("\n"));
    says_the_same(journal.as_bytes());
    // Torn anywhere, it lists what whole lines have said, and there is none for what is left of the last one.
    let torn = &journal.as_bytes()[..bytes.len().min(journal.len())];
    assert!(read(torn).0.len() <= torn.split(|byte| *byte == b'\n').count());
    says_the_same(torn);
}

/// The journal that is written in its place lists the same frames.
fn says_the_same(journal: &[u8]) {
    let (frames, text) = read(journal);
    let (again, _) = read(text.as_bytes());
    assert_eq!(again, frames);
}
