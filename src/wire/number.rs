//! INDI's numbers as text: decimal and sexagesimal in, decimal out, and the display formats of definitions.
//!
//! [`parse`] is stricter than libindi's reader on purpose. That one deletes blanks (`10 20 30` is 102030), reads
//! `1,5` as 1.083 and `12abc` as 12; a camera told to expose for such a number should ask again, not guess.

use std::fmt;

use nom::branch::alt;
use nom::bytes::complete::{is_not, tag};
use nom::character::complete::{char, digit0, one_of, satisfy, space0, space1};
use nom::combinator::{all_consuming, map, not, opt, value};
use nom::multi::{many0, separated_list1};
use nom::number::complete::recognize_float;
use nom::sequence::{delimited, preceded};
use nom::{IResult, Parser};

/// Longest number that [`parse`] reads, widest field and highest precision that [`format()`] obeys. libindi's clients
/// hold 64 bytes, no number needs as many, and a skeleton that says `%999999999f` must not make us allocate a gigabyte.
pub const MAX_FIELD: usize = 64;

/// Why a text is not a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Nothing but white space.
    #[error("number is empty")]
    Empty,
    /// Longer than [`MAX_FIELD`], which no number has to be.
    #[error("number has more than {} characters", MAX_FIELD)]
    TooLong,
    /// Junk, a comma, a hexadecimal, a sign inside, a part that is missing.
    #[error("not a decimal or sexagesimal number")]
    Malformed,
    /// More than degrees, minutes and seconds.
    #[error("sexagesimal number has more than three parts")]
    TooManyParts,
    /// NaN, an infinity by name, or a decimal beyond the range of a double.
    #[error("number is not finite")]
    NotFinite,
}

/// Reads a decimal (`-1.5e3`) or sexagesimal (`-0:30`, `12;30;05.5`, `12 30 05`) number.
///
/// The sign of the first part covers all, so `-0:30` is -0.5; later parts bear no sign. Minutes and seconds of 60
/// and more count as what they say (`1:90` is 2.5). The result is finite.
pub fn parse(text: &str) -> Result<f64, NumberError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(NumberError::Empty);
    }
    if text.len() > MAX_FIELD {
        return Err(NumberError::TooLong);
    }
    let Ok((_, parts)) = all_consuming(separated_list1(separator, decimal)).parse(text) else {
        return Err(refusal(text));
    };
    let magnitude = match parts.as_slice() {
        &[(_, whole)] => whole,
        &[(_, whole), (None, minutes)] => whole + minutes / 60.0,
        &[(_, whole), (None, minutes), (None, seconds)] => whole + (minutes + seconds / 60.0) / 60.0,
        [_, _] | [_, _, _] => return Err(NumberError::Malformed),
        _ => return Err(NumberError::TooManyParts),
    };
    if !magnitude.is_finite() {
        return Err(NumberError::NotFinite);
    }
    let negative = parts.first().is_some_and(|&(sign, _)| sign == Some('-'));
    Ok(if negative { -magnitude } else { magnitude })
}

/// Shows `value` as `format` says: literal text, `%%`, and exactly one conversion for a double.
///
/// The conversion is C's (`%[-+ 0#][width][.precision]` and one of `e E f F g G`) or INDI's `%<w>.<f>m`:
/// sexagesimal in a field of `w`, where `f` is 3 for `:mm`, 5 for `:mm.m`, 6 for `:mm:ss`, 8 for `:mm:ss.s`, 9 for
/// `:mm:ss.ss`. Anything else (`%d`, `%s`, two conversions, none) shows the plain decimal. Width and precision
/// end at [`MAX_FIELD`].
#[must_use]
pub fn format(format: &str, value: f64) -> String {
    let plain = || Decimal(value).to_string();
    let Ok((_, pieces)) = all_consuming(many0(piece)).parse(format) else { return plain() };
    let mut shown = String::with_capacity(format.len() + 16);
    let mut conversions = 0;
    for piece in pieces {
        match piece {
            Piece::Literal(text) => shown.push_str(text),
            Piece::Value(conversion) => {
                conversions += 1;
                shown.push_str(&conversion.show(value));
            }
        }
    }
    if conversions == 1 { shown } else { plain() }
}

/// A double as INDI wants it on the wire: the shortest decimal that reads back as the same value, with an
/// exponent where that is shorter. What is not finite is shown as 0: no reader could do anything sensible with it.
#[derive(Clone, Copy, Debug)]
pub struct Decimal(pub f64);

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.abs();
        if !magnitude.is_finite() {
            f.write_str("0")
        } else if magnitude == 0.0 || (1e-5..1e16).contains(&magnitude) {
            fmt::Display::fmt(&self.0, f)
        } else {
            fmt::LowerExp::fmt(&self.0, f)
        }
    }
}

fn separator(input: &str) -> IResult<&str, ()> {
    alt((value((), delimited(space0, one_of(":;"), space0)), value((), space1))).parse(input)
}

/// Sign and magnitude of one part.
fn decimal(input: &str) -> IResult<&str, (Option<char>, f64)> {
    // `recognize_float` would take a second sign.
    let unsigned = preceded(not(one_of("+-")), recognize_float);
    // The grammar admits only what `f64` reads, so the fallback cannot happen; it would be refused as not finite.
    (opt(one_of("+-")), map(unsigned, |digits: &str| digits.parse().unwrap_or(f64::NAN))).parse(input)
}

/// Tells the names of the non-finite values from junk.
fn refusal(text: &str) -> NumberError {
    let word = text.trim_start_matches(['+', '-']).to_ascii_lowercase();
    if matches!(word.as_str(), "inf" | "infinity" | "nan") {
        NumberError::NotFinite
    } else {
        NumberError::Malformed
    }
}

enum Piece<'a> {
    Literal(&'a str),
    Value(Conversion),
}

#[derive(Clone, Copy)]
struct Conversion {
    flags: Flags,
    width: usize,
    precision: Option<usize>,
    letter: char,
}

#[derive(Clone, Copy, Default)]
#[allow(clippy::struct_excessive_bools, reason = "printf has five independent flags")]
struct Flags {
    left: bool,
    plus: bool,
    blank: bool,
    zero: bool,
    alternate: bool,
}

fn piece(input: &str) -> IResult<&str, Piece<'_>> {
    alt((
        map(is_not("%"), Piece::Literal),
        map(tag("%%"), |_| Piece::Literal("%")),
        map(conversion, Piece::Value),
    ))
    .parse(input)
}

fn conversion(input: &str) -> IResult<&str, Conversion> {
    let (rest, marks) = preceded(char('%'), many0(one_of("-+ 0#"))).parse(input)?;
    let (rest, width) = digit0(rest)?;
    let (rest, precision) = opt(preceded(char('.'), digit0)).parse(rest)?;
    // C lets `l` stand before the conversion of a double without meaning anything.
    let (rest, _) = opt(char('l')).parse(rest)?;
    let sexagesimal = marks.is_empty();
    let (rest, letter) = satisfy(|c| "eEfFgG".contains(c) || (sexagesimal && c == 'm')).parse(rest)?;
    let flags = Flags {
        left: marks.contains(&'-'),
        plus: marks.contains(&'+'),
        blank: marks.contains(&' '),
        zero: marks.contains(&'0'),
        alternate: marks.contains(&'#'),
    };
    let conversion = Conversion { flags, width: field(width), precision: precision.map(field), letter };
    Ok((rest, conversion))
}

/// No digits mean 0, too many mean the cap.
fn field(digits: &str) -> usize {
    if digits.is_empty() { 0 } else { digits.parse().map_or(MAX_FIELD, |n: usize| n.min(MAX_FIELD)) }
}

impl Conversion {
    fn show(self, value: f64) -> String {
        if self.letter == 'm' {
            return sexagesimal(value, self.width, self.precision.unwrap_or(0));
        }
        let magnitude = value.abs();
        let mut body = match self.letter.to_ascii_lowercase() {
            _ if value.is_nan() => "nan".to_owned(),
            _ if value.is_infinite() => "inf".to_owned(),
            'e' => self.exponential(magnitude, self.precision.unwrap_or(6)),
            'f' => self.fixed(magnitude, self.precision.unwrap_or(6)),
            _ => self.general(magnitude),
        };
        if self.letter.is_ascii_uppercase() {
            body.make_ascii_uppercase();
        }
        let sign = match self.flags {
            _ if value.is_sign_negative() && !value.is_nan() => "-",
            Flags { plus: true, .. } => "+",
            Flags { blank: true, .. } => " ",
            _ => "",
        };
        let width = self.width;
        let inner = width.saturating_sub(sign.len());
        match self.flags {
            Flags { left: true, .. } => format!("{:<width$}", format!("{sign}{body}")),
            Flags { zero: true, .. } if value.is_finite() => format!("{sign}{body:0>inner$}"),
            _ => format!("{:>width$}", format!("{sign}{body}")),
        }
    }

    fn fixed(self, magnitude: f64, precision: usize) -> String {
        let point = if precision == 0 && self.flags.alternate { "." } else { "" };
        format!("{magnitude:.precision$}{point}")
    }

    fn exponential(self, magnitude: f64, precision: usize) -> String {
        let (mantissa, exponent) = scientific(magnitude, precision);
        let point = if precision == 0 && self.flags.alternate { "." } else { "" };
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{mantissa}{point}e{sign}{:02}", exponent.unsigned_abs())
    }

    fn general(self, magnitude: f64) -> String {
        let digits = self.precision.unwrap_or(6).max(1);
        let (_, exponent) = scientific(magnitude, digits - 1);
        // C's rule: fixed notation while the exponent, after rounding, lies in -4 <= exponent < digits.
        let fixed = usize::try_from(i64::from(exponent) + 4).is_ok_and(|shifted| shifted < digits + 4);
        let body = if fixed {
            let decimals = usize::try_from(i64::try_from(digits).unwrap_or(0) - 1 - i64::from(exponent));
            self.fixed(magnitude, decimals.unwrap_or(0))
        } else {
            self.exponential(magnitude, digits - 1)
        };
        if self.flags.alternate || !body.contains('.') {
            return body;
        }
        let (mantissa, tail) = body.split_at(body.find('e').unwrap_or(body.len()));
        format!("{}{tail}", mantissa.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// Mantissa with `precision` decimals, and the exponent.
fn scientific(magnitude: f64, precision: usize) -> (String, i32) {
    let shown = format!("{magnitude:.precision$e}");
    let (mantissa, exponent) = shown.split_once('e').unwrap_or((&shown, "0"));
    (mantissa.to_owned(), exponent.parse().unwrap_or(0))
}

/// libindi's `%m`: rounded to the last place shown, the sign kept where the whole part is 0.
fn sexagesimal(value: f64, width: usize, fraction: usize) -> String {
    let per_whole: u32 = match fraction {
        9 => 360_000,
        8 => 36_000,
        6 => 3_600,
        5 => 600,
        _ => 60,
    };
    let places = (value.abs() * f64::from(per_whole) + 0.5).floor();
    // Beyond 2^53 a double has no minutes to show, and NaN has none either.
    if !(0.0..9e15).contains(&places) {
        return Decimal(value).to_string();
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in 0..9e15")]
    let places = places as u64;
    let (whole, rest) = (places / u64::from(per_whole), places % u64::from(per_whole));
    let whole = format!("{}{whole}", if value < 0.0 { "-" } else { "" });
    let tail = match fraction {
        9 => format!("{:02}:{:02}.{:02}", rest / 6_000, rest / 100 % 60, rest % 100),
        8 => format!("{:02}:{:02}.{:01}", rest / 600, rest / 10 % 60, rest % 10),
        6 => format!("{:02}:{:02}", rest / 60, rest % 60),
        5 => format!("{:02}.{:01}", rest / 10, rest % 10),
        _ => format!("{rest:02}"),
    };
    format!("{whole:>width$}:{tail}", width = width.saturating_sub(fraction))
}

#[cfg(test)]
mod tests;
