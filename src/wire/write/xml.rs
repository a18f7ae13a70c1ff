//! How single attributes, texts, numbers and times are spelled.

use std::fmt;
use std::io::Write;
use std::time::SystemTime;

use jiff::tz::TimeZone;

use super::{GUARD, has_entity};
use crate::wire::MAX_NAME;

/// XML being appended to `out`, with `quote` around attribute values.
pub(super) struct Xml<'a> {
    pub(super) out: &'a mut Vec<u8>,
    pub(super) quote: char,
}

impl Xml<'_> {
    /// Text that is XML already.
    pub(super) fn raw(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    pub(super) fn raws(&mut self, texts: &[&str]) {
        for text in texts {
            self.raw(text);
        }
    }

    /// Something of our own that needs no escaping.
    pub(super) fn show(&mut self, value: impl fmt::Display) {
        // A `Vec` takes everything, and no `Display` of ours fails.
        let _ = write!(self.out, "{value}");
    }

    /// An attribute that needs no escaping.
    pub(super) fn shown(&mut self, attribute: &str, value: impl fmt::Display) {
        let quote = self.quote;
        self.raws(&[" ", attribute, "="]);
        self.show(format_args!("{quote}{value}{quote}"));
    }

    /// An attribute that a reader keeps in a buffer for names.
    pub(super) fn name(&mut self, attribute: &str, value: &str) {
        self.attribute(attribute, value, MAX_NAME);
    }

    /// An attribute of at most `room` bytes before escaping.
    pub(super) fn attribute(&mut self, attribute: &str, value: &str, room: usize) {
        let quote = self.quote;
        self.raws(&[" ", attribute, "="]);
        self.out.push(quote as u8);
        self.escaped(value, room, |c, _| match c {
            '&' => Some("&amp;"),
            '<' => Some("&lt;"),
            '>' => Some("&gt;"),
            '"' if quote == '"' => Some("&quot;"),
            '\'' if quote == '\'' => Some("&apos;"),
            _ => None,
        });
        self.out.push(quote as u8);
    }

    /// The text of an element.
    pub(super) fn content(&mut self, text: &str) {
        let text = text.trim_start_matches(|c: char| c.is_ascii_whitespace() || is_lost(c));
        let escapes = text.contains(['&', '<']) || (text.contains(']') && text.contains('>'));
        if escapes && text.starts_with(has_entity) {
            self.raw(GUARD.encode_utf8(&mut [0; 4]));
        }
        self.escaped(text, usize::MAX, |c, before| match c {
            '&' => Some("&amp;"),
            '<' => Some("&lt;"),
            // `]]>` is not allowed in content, and strict readers say so.
            '>' if before == ']' => Some("&gt;"),
            _ => None,
        });
    }

    /// `text` without what XML or its readers do not carry, cut where it would be longer than `room` bytes.
    /// `entity` gets each character and the one before it.
    fn escaped(&mut self, text: &str, mut room: usize, entity: impl Fn(char, char) -> Option<&'static str>) {
        let mut run = 0;
        let mut before = ' ';
        for (at, c) in text.char_indices() {
            let (length, spelling) = match c {
                '\n' | '\t' => (1, Some(" ")),
                _ if is_lost(c) => (0, Some("")),
                _ => (c.len_utf8(), entity(c, before)),
            };
            if length > room {
                self.raw(&text[run..at]);
                return;
            }
            room -= length;
            if length > 0 {
                before = c;
            }
            if let Some(spelling) = spelling {
                self.raws(&[&text[run..at], spelling]);
                run = at + c.len_utf8();
            }
        }
        self.raw(&text[run..]);
    }
}

/// Control characters, which libindi drops or garbles, and the two characters that XML forbids. Of a line break
/// the `\n` becomes a blank.
fn is_lost(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t')) || matches!(c, '\u{fffe}' | '\u{ffff}')
}

/// Shows a time as [`timestamp`](super::timestamp) says.
pub(super) struct Timestamp(pub(super) SystemTime);

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = jiff::Timestamp::try_from(self.0).ok().filter(|time| time.as_second() >= 0);
        let at = TimeZone::UTC.to_datetime(time.unwrap_or(jiff::Timestamp::UNIX_EPOCH));
        let (year, month, day) = (at.year(), at.month(), at.day());
        let (hour, minute, second) = (at.hour(), at.minute(), at.second());
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
    }
}
