//! FITS cards: what a header says.

/// One line of a FITS header.
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    /// Up to eight of `A-Z 0-9 - _`.
    pub keyword: String,
    /// The value; `None` makes a commentary card (`COMMENT`, `HISTORY`) of the comment.
    pub value: Option<CardValue>,
    /// What it means, with the unit in brackets; cut where the card ends.
    pub comment: String,
}

/// The value of a card.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the types of FITS")]
pub enum CardValue {
    Logical(bool),
    Integer(i64),
    /// Written with as many digits as it takes to read the same number back.
    Real(f64),
    /// Printable ASCII; anything else is replaced by `?`.
    Text(String),
}

/// TEMPORARY
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Snapshot { pub instrument: String, pub exposure_s: f64, pub frame_type: super::FrameType, pub pixel_um: (f64,f64), pub bayer: Option<crate::camera::types::Bayer>, pub roi: super::Roi, pub binning: super::Binning }
/// TEMPORARY
pub fn cards(_: &Snapshot, _: &super::FrameInfo) -> Vec<Card> { Vec::new() }
