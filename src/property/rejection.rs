//! Refusals: the sentences that a client hears when its write changes nothing.

use crate::wire::Kind;
use crate::wire::number::Decimal;

/// Characters of a client's text that are repeated in a refusal.
const QUOTED: usize = 40;

/// Why a client's write was refused; the text is the sentence that the client hears.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[allow(missing_docs, reason = "the message says it")]
pub enum Rejection {
    #[error("there is no property {vector} now")]
    Unknown { vector: String },
    #[error("{vector} is read-only")]
    ReadOnly { vector: String },
    #[error("{vector} holds {is}, not {got}")]
    WrongKind { vector: String, is: &'static str, got: &'static str },
    #[error("{vector} was sent without an element")]
    Empty { vector: String },
    #[error("{vector} has no element {element}; it has {has}")]
    UnknownElement { vector: String, element: String, has: String },
    #[error("{vector}.{element} cannot be {got:?}: {why}")]
    NotANumber { vector: String, element: String, got: String, why: String },
    // Without exponent 1e300 would leave no room in the sentence for what is allowed.
    #[error("{vector}.{element} cannot be {}: allowed is {} to {}", Decimal(*got), Decimal(*min), Decimal(*max))]
    OutOfRange { vector: String, element: String, got: f64, min: f64, max: f64 },
    #[error("{vector}.{element} cannot be {got:?}: allowed is On or Off")]
    NotASwitch { vector: String, element: String, got: String },
    #[error("{vector} takes {rule}, not {on} switches that are on")]
    RuleBroken { vector: String, rule: &'static str, on: usize },
}

/// What a vector of this kind holds.
pub(super) fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "texts",
        Kind::Number => "numbers",
        Kind::Switch => "switches",
        Kind::Light => "lights",
        Kind::Blob => "a BLOB",
    }
}

/// A client's text, short enough for a sentence.
pub(crate) fn quoted(text: &str) -> String {
    match text.char_indices().nth(QUOTED) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text.to_owned(),
    }
}
