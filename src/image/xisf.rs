//! XISF 1.0, the format of PixInsight: an XML header, then the pixels as one block, low bytes first.
//!
//! The header has every FITS card as a `FITSKeyword`, by the same rules as in FITS ([`card`]), and what XISF has its
//! own words for: the type of the image and the colour mosaic as it lies on this image. Compressed pixels are
//! shuffled (all first bytes, then all second ones), because the high bytes of neighbours are alike, and then a zlib
//! stream: of the codecs that XISF knows it is the one that every reader has.

use std::time::SystemTime;

use jiff::Timestamp;
use rayon::prelude::*;

use super::header::{Card, CardValue};
use super::unit::wanted;
use super::{Pixels, card, deflate, native};

/// The block of pixels begins at a multiple of this, where a reader can map it.
const PAGE: usize = 4096;
/// Signature, length of the header, and four bytes that are not used.
const PREAMBLE: usize = 16;
/// More digits than the place of the block has.
const DIGITS: usize = 20;

/// Why there is no such file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the message says it")]
pub enum XisfError {
    #[error("the header takes {bytes} bytes, more than XISF can say")]
    Header { bytes: usize },
    #[error("the pixels cannot be compressed: {0}")]
    Compress(String),
    #[error("the file has {needed} bytes, but there is room for {room}")]
    Room { needed: usize, room: usize },
}

/// A file, ready to be written.
pub struct Unit<'a> {
    header: String,
    /// Where the block begins.
    start: usize,
    block: Block<'a>,
}

enum Block<'a> {
    Plain(&'a Pixels),
    Compressed(Vec<u8>),
}

impl<'a> Unit<'a> {
    /// The file of these pixels, made at that time; compressed if that is wanted and makes it smaller.
    pub fn new(
        cards: &[Card],
        pixels: &'a Pixels,
        created: SystemTime,
        compressed: bool,
    ) -> Result<Unit<'a>, XisfError> {
        let plain = native::encoded_len(pixels);
        let packed = compressed.then(|| compress(pixels)).transpose()?;
        let block =
            packed.filter(|packed| packed.len() < plain).map_or(Block::Plain(pixels), Block::Compressed);
        let attribute = match &block {
            Block::Plain(_) => String::new(),
            Block::Compressed(_) => compression(pixels, plain),
        };

        let cards = wanted(cards);
        let (image, rest) = (image(&cards, pixels), rest(&cards, created, &attribute));
        let fixed = PREAMBLE + image.len() + attribute.len() + rest.len();
        let places = " location=\"attachment::\"".len() + 2 * DIGITS;
        let start = (fixed + places).next_multiple_of(PAGE);
        let location = format!(" location=\"attachment:{start}:{}\"", block.len());
        let compression =
            if attribute.is_empty() { attribute } else { format!(" compression=\"{attribute}\"") };
        let header = [image, compression, location, rest].concat();
        Ok(Unit { header, start, block })
    }

    /// Bytes of the file.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "a file with a header is never empty")]
    pub fn len(&self) -> usize {
        self.start + self.block.len()
    }

    /// Writes the file into `out`, which has to be of exactly [`len`](Unit::len) bytes.
    pub fn write(&self, out: &mut [u8]) -> Result<(), XisfError> {
        let needed = self.len();
        if out.len() != needed {
            return Err(XisfError::Room { needed, room: out.len() });
        }
        let bytes = self.header.len();
        let length = u32::try_from(bytes).map_err(|_too_long| XisfError::Header { bytes })?;
        let (head, block) = out.split_at_mut(self.start);
        head[..8].copy_from_slice(b"XISF0100");
        head[8..12].copy_from_slice(&length.to_le_bytes());
        head[12..PREAMBLE].fill(0);
        head[PREAMBLE..PREAMBLE + bytes].copy_from_slice(self.header.as_bytes());
        head[PREAMBLE + bytes..].fill(0);
        match &self.block {
            Block::Plain(pixels) => native::encode(pixels, block),
            Block::Compressed(bytes) => block.copy_from_slice(bytes),
        }
        Ok(())
    }
}

impl Block<'_> {
    fn len(&self) -> usize {
        match self {
            Block::Plain(pixels) => native::encoded_len(pixels),
            Block::Compressed(bytes) => bytes.len(),
        }
    }
}

fn compress(pixels: &Pixels) -> Result<Vec<u8>, XisfError> {
    let mut plain = vec![0; native::encoded_len(pixels)];
    native::encode(pixels, &mut plain);
    deflate::zlib(&shuffled(plain, usize::from(pixels.bits() / 8))).map_err(XisfError::Compress)
}

/// All first bytes of the items, then all second ones, and so on.
fn shuffled(plain: Vec<u8>, item: usize) -> Vec<u8> {
    if item == 1 {
        return plain;
    }
    let mut shuffled = vec![0; plain.len()];
    let pixels = (plain.len() / item).max(1);
    shuffled.par_chunks_mut(pixels).enumerate().for_each(|(i, to)| {
        to.iter_mut().zip(plain[i..].iter().step_by(item)).for_each(|(to, from)| *to = *from);
    });
    shuffled
}

/// How XISF says what [`compress`] did.
fn compression(pixels: &Pixels, plain: usize) -> String {
    match pixels.bits() / 8 {
        1 => format!("zlib:{plain}"),
        item => format!("zlib+sh:{plain}:{item}"),
    }
}

/// The header as far as the attributes of the block.
fn image(cards: &[&Card], pixels: &Pixels) -> String {
    let (planes, rows, columns) = pixels.shape();
    let space = if planes == 3 { "RGB" } else { "Gray" };
    let bits = pixels.bits();
    let kind = text(cards, "FRAME").filter(|kind| TYPES.contains(kind));
    [
        r#"<?xml version="1.0" encoding="UTF-8"?>"#,
        r#"<xisf version="1.0" xmlns="http://www.pixinsight.com/xisf""#,
        r#" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance""#,
        r#" xsi:schemaLocation="http://www.pixinsight.com/xisf http://pixinsight.com/xisf/xisf-1.0.xsd">"#,
        &format!(r#"<Image geometry="{columns}:{rows}:{planes}" sampleFormat="UInt{bits}""#),
        &format!(r#" colorSpace="{space}" pixelStorage="Planar""#),
        &kind.map(|kind| format!(r#" imageType="{kind}""#)).unwrap_or_default(),
    ]
    .concat()
}

/// Frame types that XISF calls as `FRAME` does.
const TYPES: [&str; 4] = ["Light", "Bias", "Dark", "Flat"];

/// The header behind the attributes of the block.
fn rest(cards: &[&Card], created: SystemTime, compression: &str) -> String {
    let mut xml = String::from(">");
    for card in cards {
        keyword(&mut xml, card);
    }
    if let Some(pattern) = mosaic(cards) {
        xml.extend([r#"<ColorFilterArray pattern=""#, &pattern, r#"" width="2" height="2"/>"#]);
    }
    // A clock that is out of the calendar is no reason to lose the frame.
    let created =
        Timestamp::try_from(created).unwrap_or(Timestamp::UNIX_EPOCH).strftime("%Y-%m-%dT%H:%M:%SZ");
    xml.extend([
        r#"</Image><Metadata><Property id="XISF:CreationTime" type="TimePoint" value=""#,
        &created.to_string(),
        r#""/><Property id="XISF:CreatorApplication" type="String">"#,
        concat!("indi-camera ", env!("CARGO_PKG_VERSION"), "</Property>"),
    ]);
    if let Some((codec, _)) = compression.split_once(':') {
        xml.extend([r#"<Property id="XISF:CompressionCodecs" type="String">"#, codec, "</Property>"]);
    }
    xml + "</Metadata></xisf>"
}

/// One card, its value written as in FITS. What cannot be said in FITS is not said here either.
fn keyword(xml: &mut String, Card { keyword, value, comment }: &Card) {
    let Some(mut name) = card::keyword(keyword) else { return };
    let Some(value) = value.as_ref().map_or_else(|| Some(String::new()), card::notation) else { return };
    if value.is_empty() && !card::is_commentary(&name) {
        "COMMENT".clone_into(&mut name);
    }
    xml.extend([r#"<FITSKeyword name=""#, &name, r#"" value=""#]);
    escape(xml, &value);
    xml.push_str(r#"" comment=""#);
    escape(xml, comment);
    xml.push_str(r#""/>"#);
}

/// The colours of the top left 2×2 pixels of this image, row by row.
fn mosaic(cards: &[&Card]) -> Option<String> {
    let sensor: [char; 4] = text(cards, "BAYERPAT")?.chars().collect::<Vec<_>>().try_into().ok()?;
    if sensor.iter().any(|colour| !"RGBCMYW".contains(*colour)) {
        return None;
    }
    let phase = |keyword| match find(cards, keyword) {
        Some(CardValue::Integer(n)) => usize::from(n % 2 != 0),
        _ => 0,
    };
    let (x, y) = (phase("XBAYROFF"), phase("YBAYROFF"));
    let cells = [(0, 0), (0, 1), (1, 0), (1, 1)];
    Some(cells.map(|(row, column)| sensor[(row + y) % 2 * 2 + (column + x) % 2]).into_iter().collect())
}

fn find<'a>(cards: &[&'a Card], keyword: &str) -> Option<&'a CardValue> {
    cards.iter().rev().find(|card| card.keyword == keyword)?.value.as_ref()
}

fn text<'a>(cards: &[&'a Card], keyword: &str) -> Option<&'a str> {
    match find(cards, keyword)? {
        CardValue::Text(text) => Some(text),
        _ => None,
    }
}

/// Appends text for an attribute, made printable as in FITS.
fn escape(xml: &mut String, text: &str) {
    for c in card::printable(text) {
        match c {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            c => xml.push(c),
        }
    }
}
