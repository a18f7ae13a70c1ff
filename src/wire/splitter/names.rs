//! The names of elements.

use crate::wire::{MAX_NAME, cut};

/// Every element that may stand at top level. None of them ever stands inside another.
#[rustfmt::skip]
pub(super) const PROTOCOL: [&[u8]; 21] = [
    b"getProperties", b"message", b"delProperty", b"enableBLOB", b"pingRequest", b"pingReply",
    b"newTextVector", b"newNumberVector", b"newSwitchVector", b"newLightVector", b"newBLOBVector",
    b"setTextVector", b"setNumberVector", b"setSwitchVector", b"setLightVector", b"setBLOBVector",
    b"defTextVector", b"defNumberVector", b"defSwitchVector", b"defLightVector", b"defBLOBVector",
];

pub(super) fn starts_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'_' | b':') || !byte.is_ascii()
}

pub(super) fn in_name(byte: u8) -> bool {
    starts_name(byte) || byte.is_ascii_digit() || matches!(byte, b'-' | b'.')
}

/// What the element is called that begins so, as far as that can be told.
pub(super) fn begun(element: &[u8]) -> String {
    let name = element.get(1..).unwrap_or_default();
    let length = name.iter().position(|&byte| !in_name(byte)).unwrap_or(name.len());
    let name = String::from_utf8_lossy(&name[..length.min(2 * MAX_NAME)]);
    if name.is_empty() { "input" } else { cut(&name, MAX_NAME) }.to_owned()
}
