//! Cards as the 80 bytes that a header holds of each.
//!
//! Whatever a user or a camera wrote into a card, the line made of it is valid FITS or there is no line:
//!
//! * keywords are trimmed and upper-cased; a card whose keyword is still not 1 to 8 of `A-Z 0-9 - _` is left out,
//! * so is a real that is infinite or not a number, for which FITS has no notation,
//! * every character that is not printable ASCII becomes `?`, a text is cut at 68 characters (a doubled quote is
//!   never halved) and a comment at column 80,
//! * `COMMENT` and `HISTORY` take as many lines as their text needs and show a value, where they have one, as text;
//!   any other keyword without a value becomes `COMMENT`.
//!
//! Values start in column 11 and numbers end in column 30, as the fixed format wants it; a real of more than 20
//! characters runs on, which the free format allows.

use super::header::{Card, CardValue};

/// Bytes of one card.
pub const LINE: usize = 80;
/// One card in a header.
pub type Line = [u8; LINE];

/// Where the value of a text card begins, behind `KEYWORD = '`.
pub const TEXT_START: usize = 11;
/// Longest text in one card: columns 12 to 79.
pub const TEXT_MAX: usize = 68;
/// Columns of a commentary card that are free.
const COMMENTARY_MAX: usize = 72;

/// Appends the line or lines of `card`, or none if it cannot be said in FITS.
pub fn push(lines: &mut Vec<Line>, card: &Card) {
    let Some(keyword) = keyword(&card.keyword) else { return };
    let value = match (&card.value, is_commentary(&keyword)) {
        (Some(value), false) => value,
        (None, false) => return push_commentary(lines, "COMMENT", &card.comment),
        (None, true) => return push_commentary(lines, &keyword, &card.comment),
        (Some(value), true) => {
            let text = match value {
                CardValue::Text(text) => text.clone(),
                CardValue::Logical(on) => if *on { "T" } else { "F" }.to_owned(),
                CardValue::Integer(n) => n.to_string(),
                CardValue::Real(x) => real(*x),
            };
            return push_commentary(lines, &keyword, &text);
        }
    };
    let Some(shown) = notation(value) else { return };
    let mut line = match value {
        CardValue::Text(_) => format!("{keyword:<8}= {shown:<20}"),
        _ => format!("{keyword:<8}= {shown:>20}"),
    };
    if !card.comment.is_empty() {
        line.push_str(" / ");
        line.extend(printable(&card.comment));
    }
    lines.push(padded(&line));
}

/// The value as FITS writes it, texts in quotes; `None` for a number that it has no notation for.
#[must_use]
pub fn notation(value: &CardValue) -> Option<String> {
    match value {
        CardValue::Logical(on) => Some(if *on { "T" } else { "F" }.to_owned()),
        CardValue::Integer(n) => Some(n.to_string()),
        CardValue::Real(x) => x.is_finite().then(|| real(*x)),
        CardValue::Text(text) => Some(quoted(text)),
    }
}

/// The keyword as FITS wants it, or `None` if there is no such keyword.
#[must_use]
pub fn keyword(wanted: &str) -> Option<String> {
    let keyword = wanted.trim().to_ascii_uppercase();
    let valid = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    ((1..=8).contains(&keyword.len()) && keyword.bytes().all(valid)).then_some(keyword)
}

/// Whether a keyword may come more than once, as it says nothing but text.
#[must_use]
pub fn is_commentary(keyword: &str) -> bool {
    keyword == "COMMENT" || keyword == "HISTORY"
}

/// Whether a keyword says how the file is built, which only the encoder knows.
#[must_use]
pub fn is_structural(keyword: &str) -> bool {
    /// `BLANK` would turn pixels of one value into holes, the others stand for extensions, groups, long texts or
    /// long keywords.
    const STRUCTURE: [&str; 16] = [
        "SIMPLE", "XTENSION", "BITPIX", "NAXIS", "EXTEND", "PCOUNT", "GCOUNT", "GROUPS", "BZERO", "BSCALE",
        "BLANK", "DATASUM", "CHECKSUM", "CONTINUE", "HIERARCH", "END",
    ];
    let axis = keyword.strip_prefix("NAXIS").is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()));
    axis || STRUCTURE.contains(&keyword)
}

/// Whether a keyword means something to whoever reads tables or compressed images, so that a user's card of that
/// name, harmless in an image, would break the file.
#[must_use]
pub fn is_of_tables(keyword: &str) -> bool {
    const NAMES: [&str; 33] = [
        "TFIELDS", "THEAP", "TTYPE", "TFORM", "TUNIT", "TNULL", "TSCAL", "TZERO", "TDISP", "TDIM", "TBCOL",
        "ZIMAGE", "ZCMPTYPE", "ZTILE", "ZNAME", "ZVAL", "ZMASKCMP", "ZQUANTIZ", "ZDITHER", "ZSIMPLE",
        "ZTENSION", "ZBITPIX", "ZNAXIS", "ZEXTEND", "ZBLOCKED", "ZPCOUNT", "ZGCOUNT", "ZHECKSUM", "ZDATASUM",
        "ZBLANK", "ZSCALE", "ZZERO", "ZTHEAP",
    ];
    let keyword = keyword.trim().to_ascii_uppercase();
    let stem = keyword.trim_end_matches(|c: char| c.is_ascii_digit());
    NAMES.contains(&stem)
}

fn push_commentary(lines: &mut Vec<Line>, keyword: &str, text: &str) {
    if text.is_empty() {
        lines.push(padded(keyword));
    }
    for paragraph in text.lines() {
        let text: Vec<char> = printable(paragraph).collect();
        for part in text.chunks(COMMENTARY_MAX) {
            lines.push(padded(&format!("{keyword:<8}{}", part.iter().collect::<String>())));
        }
    }
}

/// The shortest digits that read back the same number, always with a point or an exponent.
fn real(x: f64) -> String {
    format!("{x:?}").replace('e', "E")
}

/// In quotes, at least 8 characters between them: some old readers want that.
fn quoted(text: &str) -> String {
    let mut inner = String::new();
    for c in printable(text) {
        let times = if c == '\'' { 2 } else { 1 };
        if inner.len() + times > TEXT_MAX {
            break;
        }
        inner.extend(std::iter::repeat_n(c, times));
    }
    format!("'{inner:<8}'")
}

/// Whether a header can say a text as it is.
#[must_use]
pub fn is_printable(text: &str) -> bool {
    printable(text).eq(text.chars())
}

/// What is neither a blank nor printable ASCII becomes `?`.
pub(super) fn printable(text: &str) -> impl Iterator<Item = char> {
    text.chars().map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' })
}

/// Cut or filled with spaces to one line.
fn padded(text: &str) -> Line {
    let mut line = [b' '; LINE];
    line.iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from);
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(keyword: &str, value: Option<CardValue>, comment: &str, want: &[&str]) {
        let mut lines = Vec::new();
        push(&mut lines, &Card { keyword: keyword.to_owned(), value, comment: comment.to_owned() });
        let lines: Vec<String> = lines
            .iter()
            .map(|line| String::from_utf8(line.to_vec()).unwrap().trim_end().to_owned())
            .collect();
        assert_eq!(lines, want);
    }

    #[allow(clippy::unnecessary_wraps, reason = "a card's value is optional")]
    fn text(text: &str) -> Option<CardValue> {
        Some(CardValue::Text(text.to_owned()))
    }

    #[test]
    fn numbers_end_in_column_30() {
        check("SIMPLE", Some(CardValue::Logical(true)), "", &["SIMPLE  =                    T"]);
        check("GAIN", Some(CardValue::Integer(i64::MIN)), "", &["GAIN    = -9223372036854775808"]);
        check("EXPTIME", Some(CardValue::Real(3.0)), "[s]", &["EXPTIME =                  3.0 / [s]"]);
        check("A", Some(CardValue::Real(1e22)), "", &["A       =                 1E22"]);
    }

    #[test]
    fn reals_keep_every_digit() {
        let long = -2.225_073_858_507_201_4e-308;
        check("A", Some(CardValue::Real(long)), "c", &["A       = -2.2250738585072014E-308 / c"]);
        check("A", Some(CardValue::Real(0.1 + 0.2)), "", &["A       =  0.30000000000000004"]);
        check("A", Some(CardValue::Real(f64::NAN)), "", &[]);
        check("A", Some(CardValue::Real(f64::NEG_INFINITY)), "", &[]);
    }

    #[test]
    fn texts_are_quoted_and_cut() {
        check("OBJECT", text("M 31"), "x", &["OBJECT  = 'M 31    '           / x"]);
        check("OBJECT", text("Barnard's"), "", &["OBJECT  = 'Barnard''s'"]);
        check("OBJECT", text("\u{b5}\n"), "", &["OBJECT  = '??      '"]);
        check("OBJECT", text(""), "", &["OBJECT  = '        '"]);
        let want = format!("A       = '{}'", "x".repeat(68));
        check("A", text(&"x".repeat(100)), "no room", &[&want]);
        let want = format!("A       = '{}'", "x".repeat(67));
        check("A", text(&format!("{}'", "x".repeat(67))), "", &[&want]);
    }

    #[test]
    fn comments_are_cut_or_split() {
        let want = format!("A       =                    1 / {}", "c".repeat(47));
        check("A", Some(CardValue::Integer(1)), &"c".repeat(100), &[&want]);
        let (first, second) = (format!("HISTORY {}", "h".repeat(72)), format!("HISTORY {}", "h".repeat(3)));
        check("HISTORY", None, &"h".repeat(75), &[&first, &second]);
        check("COMMENT", None, "one\ntwo", &["COMMENT one", "COMMENT two"]);
        check("COMMENT", None, "", &["COMMENT"]);
        check("COMMENT", text("said"), "unsaid", &["COMMENT said"]);
        check("OBJECT", None, "only words", &["COMMENT only words"]);
    }

    #[test]
    fn keywords_are_repaired_or_left_out() {
        check(" object ", text("M 31"), "", &["OBJECT  = 'M 31    '"]);
        for bad in ["", "TOO-LONG-1", "A B", "A=", "\u{c4}"] {
            check(bad, text("x"), "", &[]);
        }
    }
}
