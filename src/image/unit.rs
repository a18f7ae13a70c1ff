//! The header of one FITS unit: what the structure asks for, what a caller wants to say, and the checksums.
//!
//! A caller's cards cannot break the file: see [`card`] for what is repaired, and a card that says how the file is
//! built (`NAXIS`, `BZERO`, `CHECKSUM`, …) is left out. Where a keyword comes twice, the last one is written, because
//! the user's own cards come last; `COMMENT` and `HISTORY` may come any number of times.

use std::collections::HashSet;

use super::card::{self, LINE, Line, TEXT_START};
use super::checksum::{ascii, fold, sum};
use super::fits::BLOCK;
use super::header::{Card, CardValue};

/// The lines of one header, in whole blocks.
pub(super) struct Header(Vec<Line>);

impl Header {
    /// The header of these cards of the structure and those of `cards` that go with it, with the checksums still to
    /// be set by [`seal`](Header::seal).
    pub(super) fn new<'a>(structure: &'a [Card], cards: impl IntoIterator<Item = &'a Card>) -> Header {
        let mut lines = Vec::with_capacity(2 * BLOCK / LINE);
        for card in structure.iter().chain(cards) {
            card::push(&mut lines, card);
        }
        card::push(&mut lines, &text("DATASUM", "", "sum of the data"));
        card::push(&mut lines, &text("CHECKSUM", "", "makes the sum of the file -0"));

        let mut end = [b' '; LINE];
        end[..3].copy_from_slice(b"END");
        lines.push(end);
        lines.resize(lines.len().next_multiple_of(BLOCK / LINE), [b' '; LINE]);
        Header(lines)
    }

    /// Bytes of it.
    pub(super) fn len(&self) -> usize {
        self.0.len() * LINE
    }

    /// Sets the checksums, given the sum of the data behind it.
    pub(super) fn seal(mut self, data: u32) -> Vec<u8> {
        self.set_text("DATASUM ", &data.to_string());
        self.set_text("CHECKSUM", "0000000000000000");
        let header = sum(self.0.as_flattened());
        self.set_text("CHECKSUM", &ascii(!fold(u64::from(header) + u64::from(data))));
        self.0.into_flattened()
    }

    /// Overwrites the text of the last card of this keyword; it has at most 16 characters and the card has room for
    /// them.
    fn set_text(&mut self, keyword: &str, text: &str) {
        if let Some(line) = self.0.iter_mut().rev().find(|line| line.starts_with(keyword.as_bytes())) {
            let quoted = format!("{:<19}", format!("{text:<8}'"));
            line[TEXT_START..TEXT_START + quoted.len()].copy_from_slice(quoted.as_bytes());
        }
    }
}

/// Those of a caller's cards that go into a file: they say nothing about its structure and are the last of their
/// keyword.
pub(super) fn wanted(cards: &[Card]) -> Vec<&Card> {
    let mut seen = HashSet::new();
    let mut wanted: Vec<&Card> = cards.iter().rev().filter(|card| is_wanted(card, &mut seen)).collect();
    wanted.reverse();
    wanted
}

fn is_wanted(card: &Card, seen: &mut HashSet<String>) -> bool {
    let Some(keyword) = card::keyword(&card.keyword) else { return false };
    if card::is_structural(&keyword) {
        return false;
    }
    // What cannot be written must not displace what can.
    let unwritable = matches!(card.value, Some(CardValue::Real(x)) if !x.is_finite());
    card.value.is_none() || card::is_commentary(&keyword) || (!unwritable && seen.insert(keyword))
}

/// A card with a whole number.
pub(super) fn integer(keyword: &str, value: impl TryInto<i64>, comment: &str) -> Card {
    Card::new(keyword, Some(CardValue::Integer(value.try_into().unwrap_or(i64::MAX))), comment)
}

/// A card that says yes.
pub(super) fn yes(keyword: &str, comment: &str) -> Card {
    Card::new(keyword, Some(CardValue::Logical(true)), comment)
}

/// A card with words.
pub(super) fn text(keyword: &str, value: &str, comment: &str) -> Card {
    Card::new(keyword, Some(CardValue::Text(value.to_owned())), comment)
}
