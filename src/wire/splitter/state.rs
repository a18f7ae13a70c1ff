//! Where the cutter is in the text, and what a step of it has led to.

use std::ops::Range;

use crate::wire::Malformed;

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum State {
    /// Outside markup.
    #[default]
    Text,
    /// Outside markup in a `oneBLOB`.
    Body,
    /// After `<`.
    Open,
    /// In the name of a start tag.
    Name,
    /// After the name of a start tag.
    Tag,
    /// In an attribute value, up to this quote.
    Quoted(u8),
    /// After `</`.
    End,
    /// After `<!`, not yet known what it is.
    Bang,
    /// Markup that means nothing to us, up to this `>` (the last byte of the text).
    Skip(&'static [u8]),
}

/// What reading on has led to.
pub(super) enum Step {
    /// Nothing to tell yet.
    On,
    /// Text of a BLOB.
    Body(Range<usize>),
    /// A whole element.
    Whole(Range<usize>),
    Dropped(Malformed),
}
