//! What the terminal is and can.

use std::io;

use rustix::termios::tcgetwinsize;

/// When nobody knows.
const USUAL: (usize, usize) = (80, 24);

/// Columns and rows of the terminal that stdout is.
pub(super) fn size() -> (usize, usize) {
    match tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col.into(), size.ws_row.into()),
        _ => USUAL,
    }
}

/// Whether it shows 24-bit colours, as far as terminals tell.
pub(super) fn has_colours() -> bool {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let (colour, kind) = (variable("COLORTERM"), variable("TERM"));
    matches!(&*colour, "truecolor" | "24bit") || kind.ends_with("-direct") || kind == "xterm-kitty"
}
