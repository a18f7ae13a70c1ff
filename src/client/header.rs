//! The header of a received FITS file, read without any library: what it says, and whether it can be true.

use std::io::{self, Read};

use super::blob::FrameFile;
use crate::image::card::LINE;

/// Keywords and values of a FITS header, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    cards: Vec<(String, String)>,
}

/// Planes, rows and columns of an image.
pub(super) type Shape = (usize, usize, usize);

/// Most pixels of an image: more than any sensor has.
const MOST_PIXELS: u64 = 1 << 29;
/// No compression packs more pixels into a byte.
const MOST_PACKED: u64 = 4096;
/// Bytes of a file in which headers are looked for.
const HEADERS: u64 = 1 << 20;
/// Headers are this long, or a multiple.
const BLOCK: usize = 36 * LINE;

impl Header {
    /// A value as it stands there, texts without their quotes.
    #[must_use]
    pub fn get(&self, keyword: &str) -> Option<&str> {
        self.cards.iter().find(|(name, _)| name == keyword).map(|(_, value)| value.as_str())
    }

    /// A value that is a number.
    #[must_use]
    pub fn number(&self, keyword: &str) -> Option<f64> {
        let text = self.get(keyword)?.replace(['D', 'd'], "E");
        text.parse().ok().filter(|number: &f64| number.is_finite())
    }

    /// Every keyword that has a value, and the value.
    pub fn cards(&self) -> impl Iterator<Item = (&str, &str)> {
        self.cards.iter().map(|(keyword, value)| (keyword.as_str(), value.as_str()))
    }

    /// Reads the headers at the beginning of a file: that of its first unit and, where this has no image, that of the one
    /// behind it, as compressed files have it. A file that is no FITS has none.
    pub fn read(file: &FrameFile) -> io::Result<Header> {
        let mut bytes = Vec::new();
        file.reader()?.take(HEADERS).read_to_end(&mut bytes)?;
        Ok(Header::parse(&bytes))
    }

    pub(super) fn parse(bytes: &[u8]) -> Header {
        let mut header = Header::default();
        let mut rest = bytes;
        for _ in 0..2 {
            let Some(length) = header.take_unit(rest) else { break };
            if header.get("NAXIS").is_some_and(|axes| axes != "0") {
                break;
            }
            rest = rest.get(length.next_multiple_of(BLOCK)..).unwrap_or_default();
        }
        header
    }

    /// Takes in the cards of one unit, of which later ones count more; returns the length of its header.
    fn take_unit(&mut self, bytes: &[u8]) -> Option<usize> {
        for (n, line) in bytes.chunks_exact(LINE).enumerate() {
            let keyword = std::str::from_utf8(&line[..8]).ok()?.trim_end();
            if keyword == "END" {
                return Some((n + 1) * LINE);
            }
            let Some(value) = line[8..].strip_prefix(b"= ").and_then(value) else { continue };
            self.cards.retain(|(name, _)| name != keyword);
            self.cards.push((keyword.to_owned(), value));
        }
        None
    }

    /// The shape of the image that it promises, if a file of so many bytes can hold it.
    pub(super) fn shape(&self, bytes: u64) -> Result<Shape, String> {
        let packed = self.get("ZIMAGE") == Some("T");
        let whole = |own: &str| {
            let keyword = if packed { format!("Z{own}") } else { own.to_owned() };
            let text = self.get(&keyword).ok_or_else(|| format!("its header has no {keyword}"))?;
            text.parse::<u32>().map_err(|_no_number| format!("its {keyword} is {text}"))
        };
        let bits =
            whole("BITPIX").map_err(|why| format!("{why}: only whole numbers are pixels of a camera"))?;
        let axes = whole("NAXIS")?;
        if !matches!(bits, 8 | 16 | 32) || !matches!(axes, 2 | 3) {
            return Err(format!("an image of {axes} axes and {bits} bits is none that a camera makes"));
        }
        let planes = if axes == 3 { whole("NAXIS3")? } else { 1 };
        let (rows, columns) = (whole("NAXIS2")?, whole("NAXIS1")?);
        let pixels = u64::from(planes).saturating_mul(u64::from(rows)).saturating_mul(u64::from(columns));
        let most = if packed { bytes.saturating_mul(MOST_PACKED) } else { bytes / u64::from(bits / 8) };
        if pixels == 0 || pixels > most.min(MOST_PIXELS) || !matches!(planes, 1 | 3) {
            return Err(format!("{bytes} bytes hold no image of {planes} × {rows} × {columns} pixels"));
        }
        Ok((planes as usize, rows as usize, columns as usize))
    }
}

/// The value of a card, from behind its `= `.
fn value(text: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(text);
    let text = text.trim_start();
    let Some(quoted) = text.strip_prefix('\'') else {
        return Some(text.split('/').next()?.trim().to_owned());
    };
    // A quote in a text is two quotes.
    let mut value = String::new();
    let mut letters = quoted.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter == '\'' && letters.next_if_eq(&'\'').is_none() {
            return Some(value.trim_end().to_owned());
        }
        value.push(letter);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(cards: &[&str]) -> Vec<u8> {
        let mut bytes: Vec<u8> =
            cards.iter().chain(&["END"]).flat_map(|card| format!("{card:80}").into_bytes()).collect();
        bytes.resize(bytes.len().next_multiple_of(BLOCK), b' ');
        bytes
    }

    #[test]
    fn values_are_read_as_the_header_has_them() {
        let header = Header::parse(&unit(&[
            "SIMPLE  =                    T / a comment",
            "NAXIS   =                    2",
            "OBJECT  = 'Barnard''s star  '   / it / moves",
            "EXPTIME =            1.5D-02",
            "COMMENT = this is no value but has the look of one",
            "HISTORY   none",
        ]));
        assert_eq!((header.get("SIMPLE"), header.get("OBJECT")), (Some("T"), Some("Barnard's star")));
        assert_eq!((header.number("EXPTIME"), header.number("OBJECT")), (Some(0.015), None));
        assert_eq!(header.get("HISTORY"), None);
        for odd in [&b"no header at all"[..], &[0xff; 200], b""] {
            assert_eq!(Header::parse(odd), Header::default());
        }
    }

    #[test]
    fn the_header_of_a_compressed_image_is_behind_an_empty_one() {
        let table = [
            "XTENSION= 'BINTABLE'",
            "NAXIS   = 2",
            "NAXIS1  = 8",
            "ZIMAGE  = T",
            "ZBITPIX = 16",
            "ZNAXIS  = 2",
        ];
        let table = [&table[..], &["ZNAXIS1 = 40", "ZNAXIS2 = 30", "GAIN    = 7"]].concat();
        let header =
            Header::parse(&[unit(&["SIMPLE  = T", "NAXIS   = 0", "GAIN    = 1"]), unit(&table)].concat());
        assert_eq!(header.get("GAIN"), Some("7"));
        assert_eq!(header.shape(5000), Ok((1, 30, 40)));
    }

    #[test]
    fn an_image_that_cannot_be_there_is_not_believed() {
        let shape = |cards: &[&str]| Header::parse(&unit(cards)).shape(10_000);
        assert_eq!(
            shape(&["BITPIX  = 16", "NAXIS   = 2", "NAXIS1  = 100", "NAXIS2  = 50"]),
            Ok((1, 50, 100))
        );
        assert_eq!(
            shape(&["BITPIX  = 8", "NAXIS   = 3", "NAXIS1  = 30", "NAXIS2  = 20", "NAXIS3  = 3"]),
            Ok((3, 20, 30))
        );
        for (cards, why) in [
            (
                &["BITPIX  = 16", "NAXIS   = 2", "NAXIS1  = 100", "NAXIS2  = 51"][..],
                "10000 bytes hold no image",
            ),
            (
                &["BITPIX  = 16", "NAXIS   = 2", "NAXIS1  = 4294967295", "NAXIS2  = 4294967295"],
                "hold no image",
            ),
            (&["BITPIX  = -32", "NAXIS   = 2", "NAXIS1  = 1", "NAXIS2  = 1"], "BITPIX is -32"),
            (&["BITPIX  = 64", "NAXIS   = 2", "NAXIS1  = 1", "NAXIS2  = 1"], "64 bits"),
            (&["BITPIX  = 16", "NAXIS   = 2", "NAXIS1  = 0", "NAXIS2  = 1"], "hold no image"),
            (&["BITPIX  = 16", "NAXIS   = 0"], "0 axes"),
            (&["SIMPLE  = T"], "no BITPIX"),
        ] {
            assert!(shape(cards).unwrap_err().contains(why), "{cards:?} {:?}", shape(cards));
        }
        let packed = ["ZIMAGE  = T", "ZBITPIX = 16", "ZNAXIS  = 2", "ZNAXIS1 = 100000", "ZNAXIS2 = 100000"];
        assert!(shape(&packed).is_err());
    }
}
