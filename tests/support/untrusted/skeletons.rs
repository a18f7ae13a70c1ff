//! A packager's skeleton file, as INDISKEL names it.

use indi_camera::property::{keys, load};

/// A file.
pub fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Err(error) = load::load("some.xml", &text) {
        assert!(error.line >= 1 && !error.why.is_empty());
        assert!(error.line <= 1 + text.bytes().filter(|byte| *byte == b'\n').count());
    }
    let own = load::load(keys::BASE.file(), keys::BASE.source()).unwrap_or_default();
    let mut replaced = own.clone();
    let _ = load::replace(&mut replaced, "some.xml", &text);
    for (own, replaced) in own.iter().zip(&replaced) {
        assert_eq!((&own.name, own.kind(), own.rule()), (&replaced.name, replaced.kind(), replaced.rule()));
        assert_eq!(own.element_names(), replaced.element_names());
    }
}
