//! File names with `%` placeholders, as INDIGO users know them, filled in from the frame's own header: a name never
//! says anything else than the file.
//!
//! | placeholder | stands for |
//! |---|---|
//! | `%E`, `%2E` | exposure in seconds, with all its decimals or with that many, 0 to 5 |
//! | `%T`, `%1T` | sensor temperature in whole °C or with that many decimals, 0 to 5; `NA` without a thermometer |
//! | `%F` | Light, Bias, Dark or Flat |
//! | `%D`, `%-D`, `%.D` | local date of the start: 20261122, 2026-11-22, 2026.11.22 |
//! | `%H`, `%-H`, `%.H` | local time of the start: 235959, 23-59-59, 23.59.59 |
//! | `%C` | filter; `nofilter` when unknown |
//! | `%o` | object; `noobject` when unknown |
//! | `%G`, `%O`, `%P` | gain, offset, focuser position; `NA` when unknown |
//! | `%B`, `%R` | binning as 2x2, size of the image as 1280x1024 |
//! | `%3I`, `%3S` | next number of the series with that many digits, 1 to 5 |
//! | `%%` | a percent sign |

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::header::{Card, CardValue};

/// Most decimals of a number, and digits of an index.
const MAX_DIGITS: usize = 5;

/// Bytes of a prefix, before and after it is filled in: with an index and the suffix a file's name has room for 255.
const MOST_BYTES: usize = 200;

/// A name whose placeholders are filled in, but for the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// What stands before the index; all files of a series begin with it.
    pub before: String,
    /// Digits of the index, and what follows it.
    pub index: Option<(usize, String)>,
}

/// Whether a template can be filled in, and is short enough for a file's name. The error is a clause that names the
/// placeholder which is wrong.
pub fn check(template: &str) -> Result<(), String> {
    let too_long =
        |bytes: usize| Err(format!("it has {bytes} bytes, and a file name has room for {MOST_BYTES}"));
    if template.len() > MOST_BYTES {
        return too_long(template.len());
    }
    let whenever = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
    let Name { before, index } = fill(template, &[], (0, 0), &whenever)?;
    let bytes = before.len() + index.map_or(0, |(_, after)| after.len());
    if bytes > MOST_BYTES { too_long(bytes) } else { Ok(()) }
}

/// Fills in a template. The error is a clause that names the placeholder which is wrong.
pub fn fill(
    template: &str,
    cards: &[Card],
    (width, height): (usize, usize),
    started: &Zoned,
) -> Result<Name, String> {
    let header = Header(cards);
    let mut name = Name { before: String::new(), index: None };
    let mut rest = template.chars();
    while let Some(c) = rest.next() {
        if c != '%' {
            name.current().push(c);
            continue;
        }
        let mut option = None;
        let mut letter = rest.next();
        if let Some(flag @ ('-' | '.' | '0'..='9')) = letter {
            option = Some(flag);
            letter = rest.next();
        }
        let digits = option.and_then(|flag| flag.to_digit(10)).map(|digits| digits as usize);
        if let (Some(letter @ ('E' | 'T')), Some(digits)) = (letter, digits)
            && digits > MAX_DIGITS
        {
            return Err(format!("%{digits}{letter} has more than {MAX_DIGITS} decimals"));
        }
        let date = |plain, dashed, dotted| match option {
            Some('-') => started.strftime(dashed).to_string(),
            Some('.') => started.strftime(dotted).to_string(),
            _ => started.strftime(plain).to_string(),
        };
        let value = match letter {
            Some('E') => header.real("EXPTIME", digits),
            Some('T') => header.real("CCD-TEMP", digits.or(Some(0))),
            Some('F') => header.text("FRAME", "NA"),
            Some('D') => date("%Y%m%d", "%Y-%m-%d", "%Y.%m.%d"),
            Some('H') => date("%H%M%S", "%H-%M-%S", "%H.%M.%S"),
            Some('C') => header.text("FILTER", "nofilter"),
            Some('o') => header.text("OBJECT", "noobject"),
            Some('G') => header.text("GAIN", "NA"),
            Some('O') => header.text("OFFSET", "NA"),
            Some('P') => header.text("FOCUSPOS", "NA"),
            Some('B') => format!("{}x{}", header.text("XBINNING", "1"), header.text("YBINNING", "1")),
            Some('R') => format!("{width}x{height}"),
            Some('%') => "%".to_owned(),
            Some('I' | 'S') => {
                let digits = digits.unwrap_or(3);
                if name.index.is_some() || !(1..=MAX_DIGITS).contains(&digits) {
                    return Err(format!("one index of 1 to {MAX_DIGITS} digits is possible"));
                }
                name.index = Some((digits, String::new()));
                continue;
            }
            Some(other) => return Err(format!("there is no placeholder %{other}")),
            None => return Err("it ends in the middle of a placeholder".to_owned()),
        };
        name.current()
            .push_str(&value.replace(|c: char| c == '/' || c.is_whitespace() || c.is_control(), "_"));
    }
    Ok(name)
}

impl Name {
    fn current(&mut self) -> &mut String {
        match &mut self.index {
            Some((_, after)) => after,
            None => &mut self.before,
        }
    }
}

/// A frame's header, to be asked by keyword.
struct Header<'a>(&'a [Card]);

impl Header<'_> {
    /// The last card of a keyword is the one that is written.
    fn value(&self, keyword: &str) -> Option<&CardValue> {
        self.0.iter().rev().find(|card| card.keyword == keyword)?.value.as_ref()
    }

    fn text(&self, keyword: &str, unknown: &str) -> String {
        match self.value(keyword) {
            Some(CardValue::Text(text)) => text.clone(),
            Some(CardValue::Integer(number)) => number.to_string(),
            Some(CardValue::Real(number)) => number.to_string(),
            Some(CardValue::Logical(_)) | None => unknown.to_owned(),
        }
    }

    fn real(&self, keyword: &str, decimals: Option<usize>) -> String {
        match (self.value(keyword), decimals) {
            (Some(CardValue::Real(number)), Some(decimals)) => format!("{number:.decimals$}"),
            (Some(CardValue::Real(number)), None) => number.to_string(),
            _ => "NA".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn filled(template: &str) -> Result<Name, String> {
        let card = |keyword: &str, value| Card {
            keyword: keyword.to_owned(),
            value: Some(value),
            comment: String::new(),
        };
        let cards = [
            card("EXPTIME", CardValue::Real(300.0)),
            card("CCD-TEMP", CardValue::Real(-10.04)),
            card("FRAME", CardValue::Text("Dark".to_owned())),
            card("OBJECT", CardValue::Text("M 31/core".to_owned())),
            card("GAIN", CardValue::Integer(120)),
            card("XBINNING", CardValue::Integer(2)),
            card("YBINNING", CardValue::Integer(1)),
        ];
        let started = date(2026, 11, 22).at(23, 5, 9, 0).to_zoned(TimeZone::UTC).unwrap();
        fill(template, &cards, (640, 1024), &started)
    }

    #[test]
    fn placeholders_say_what_the_header_says() {
        for (template, expected) in [
            ("%F_%1Es_%TC_%2T", "Dark_300.0s_-10C_-10.04"),
            ("%E_%0E_%5E_%T_%5T", "300_300_300.00000_-10_-10.04000"),
            ("%D %-D %.D", "20261122 2026-11-22 2026.11.22"),
            ("%H %-H %.H", "230509 23-05-09 23.05.09"),
            ("%C %o %P", "nofilter M_31_core NA"),
            ("%G %O %B %R %%", "120 NA 2x1 640x1024 %"),
        ] {
            assert_eq!(filled(template), Ok(Name { before: expected.to_owned(), index: None }), "{template}");
        }
    }

    #[test]
    fn the_index_parts_the_name() {
        let name = filled("NGC7000_%4I_%F").unwrap();
        assert_eq!(name, Name { before: "NGC7000_".to_owned(), index: Some((4, "_Dark".to_owned())) });
    }

    #[test]
    fn a_wrong_placeholder_is_named() {
        for (template, why) in [
            ("%x", "there is no placeholder %x"),
            ("A%", "it ends in the middle of a placeholder"),
            ("A%3", "it ends in the middle of a placeholder"),
            ("%3I%3I", "one index of 1 to 5 digits is possible"),
            ("%9I", "one index of 1 to 5 digits is possible"),
            ("%9E", "%9E has more than 5 decimals"),
            ("%6T", "%6T has more than 5 decimals"),
        ] {
            assert_eq!(filled(template), Err(why.to_owned()));
        }
    }
}
