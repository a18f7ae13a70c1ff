//! A look at a file before CFITSIO gets it. CFITSIO trusts what it reads: a tile of no pixels ends the process, and
//! a gzip stream without end is never over.

use std::io::{Read, Seek, SeekFrom};

/// Bytes in a block.
const BLOCK: usize = 2880;
/// Bytes in a card.
const CARD: usize = 80;
/// The first image is looked for in so many units of a file; compressed ones have it in the second.
const UNITS: usize = 8;
/// No header of a camera's file is longer, in blocks.
const LONGEST: usize = 1000;
/// More pixels are no picture but a mistake in a header.
const MOST_PIXELS: u64 = 1 << 29;
/// How pixels may be compressed: as fpack and most cameras do it, under both its names.
const COMPRESSIONS: [&str; 2] = ["RICE_1", "RICE_ONE"];

/// One unit's header.
struct Header(Vec<(String, String)>);

/// Which unit of the file has the first image; a clause that says what is wrong if it cannot be read.
pub(super) fn image_unit(file: &mut (impl Read + Seek)) -> Result<usize, String> {
    let length = file.seek(SeekFrom::End(0)).map_err(|error| error.to_string())?;
    let mut at = 0;
    for unit in 0..UNITS {
        file.seek(SeekFrom::Start(at)).map_err(|error| error.to_string())?;
        if unit > 0 && at >= length {
            break;
        }
        let header = Header::read(file, unit == 0)?;
        let begin = file.stream_position().map_err(|error| error.to_string())?;
        let size = header.size()?;
        let end = begin.checked_add(size).ok_or_else(|| nonsense("NAXIS"))?;
        let image = header.image()?;
        if image && end > length {
            return Err("is shorter than its header says".to_owned());
        }
        if image {
            return Ok(unit);
        }
        at = end.checked_next_multiple_of(BLOCK as u64).ok_or_else(|| nonsense("NAXIS"))?;
    }
    Err("has no image".to_owned())
}

impl Header {
    fn read(file: &mut impl Read, first: bool) -> Result<Header, String> {
        let mut cards = Vec::new();
        let mut block = [0; BLOCK];
        for number in 0..LONGEST {
            let read = file.read_exact(&mut block);
            let begins = block.starts_with(if first { b"SIMPLE  =" } else { b"XTENSION=" });
            if number == 0 && (read.is_err() || !begins) {
                let what = if first { "is no FITS file" } else { "has rubbish in the place of an extension" };
                return Err(what.to_owned());
            }
            read.map_err(|_short| "has a header without end")?;
            for card in block.as_chunks::<CARD>().0 {
                let text = String::from_utf8_lossy(card);
                let keyword = text.get(..8).unwrap_or_default().trim_end();
                if keyword == "END" {
                    return Ok(Header(cards));
                }
                if let Some(value) = text.get(8..).and_then(|rest| rest.strip_prefix("= ")) {
                    cards.push((keyword.to_owned(), plain(value)));
                }
            }
        }
        Err("has a header without end".to_owned())
    }

    fn text(&self, keyword: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == keyword).map(|(_, value)| value.as_str())
    }

    fn number(&self, keyword: &str) -> Result<Option<i64>, String> {
        self.text(keyword).map(|text| text.parse().map_err(|_error| nonsense(keyword))).transpose()
    }

    /// A number that must be there, within limits.
    fn within(&self, keyword: &str, least: i64, most: i64) -> Result<u64, String> {
        let number = self.number(keyword)?.filter(|number| (least..=most).contains(number));
        number.and_then(|number| u64::try_from(number).ok()).ok_or_else(|| nonsense(keyword))
    }

    /// Values in an array whose axes are `NAXIS1` and so on behind a prefix; none without axes.
    fn count(&self, prefix: &str) -> Result<u64, String> {
        let axes = self.within(&format!("{prefix}NAXIS"), 0, 999)?;
        let keyword = |axis| format!("{prefix}NAXIS{axis}");
        (1..=axes).try_fold(u64::from(axes > 0), |count, axis| {
            let length = self.within(&keyword(axis), 0, i64::from(i32::MAX))?;
            count.checked_mul(length).ok_or_else(|| nonsense(&keyword(axis)))
        })
    }

    fn value_size(&self, keyword: &str) -> Result<u64, String> {
        match self.number(keyword)? {
            Some(bits @ (8 | 16 | 32 | 64 | -32 | -64)) => Ok(bits.unsigned_abs() / 8),
            _ => Err(nonsense(keyword)),
        }
    }

    /// Bytes of data behind this header.
    fn size(&self) -> Result<u64, String> {
        let optional = |keyword: &str, usual: i64| match self.number(keyword)? {
            None => Ok(usual.unsigned_abs()),
            Some(_) => self.within(keyword, 0, i64::MAX),
        };
        let (groups, parameters) = (optional("GCOUNT", 1)?, optional("PCOUNT", 0)?);
        let values = self.count("")?.checked_add(parameters).and_then(|values| values.checked_mul(groups));
        values
            .and_then(|values| values.checked_mul(self.value_size("BITPIX").ok()?))
            .ok_or_else(|| nonsense("BITPIX"))
    }

    /// Whether there is an image behind it, one that can be read.
    fn image(&self) -> Result<bool, String> {
        let compressed = self.text("ZIMAGE") == Some("T");
        let pixels = match self.text("XTENSION") {
            None | Some("IMAGE") if !compressed => self.count("")?,
            Some("BINTABLE") if compressed => {
                self.compression()?;
                self.count("Z")?
            }
            _ => 0,
        };
        if pixels > MOST_PIXELS {
            return Err(format!("has an image of {pixels} pixels, and cameras have at most {MOST_PIXELS}"));
        }
        Ok(pixels > 0)
    }

    /// What CFITSIO takes for granted of a compressed image.
    fn compression(&self) -> Result<(), String> {
        let kind = self.text("ZCMPTYPE").unwrap_or_default();
        if !COMPRESSIONS.contains(&kind) {
            return Err(format!("is compressed by {kind}, and only {} is read", COMPRESSIONS[0]));
        }
        self.value_size("ZBITPIX")?;
        let axes = self.within("ZNAXIS", 1, 3)?;
        let mut tiles = 1_u64;
        for axis in 1..=axes {
            let length = self.within(&format!("ZNAXIS{axis}"), 1, i64::from(i32::MAX))?;
            let keyword = format!("ZTILE{axis}");
            let tile = match self.number(&keyword)? {
                Some(_) => self.within(&keyword, 1, i64::from(i32::MAX))?,
                // A row is a tile unless something else is said.
                None if axis == 1 => length,
                None => 1,
            };
            tiles = tiles.checked_mul(length.div_ceil(tile)).ok_or_else(|| nonsense(&keyword))?;
        }
        if self.count("")? == 0
            || self.number("NAXIS2")?.and_then(|rows| u64::try_from(rows).ok()) != Some(tiles)
        {
            return Err(nonsense("NAXIS2"));
        }
        self.tiles()?;
        for parameter in
            (1..).map(|number| format!("ZVAL{number}")).take_while(|name| self.text(name).is_some())
        {
            self.within(&parameter, 0, i64::from(i32::MAX))?;
        }
        Ok(())
    }

    /// The column that the tiles are in: where there is none, CFITSIO takes what memory happens to hold for their
    /// lengths.
    fn tiles(&self) -> Result<(), String> {
        let columns = self.within("TFIELDS", 1, 999)?;
        let named = |column: &u64| self.text(&format!("TTYPE{column}")) == Some("COMPRESSED_DATA");
        let column = (1..=columns).find(named).ok_or_else(|| nonsense("TTYPE1"))?;
        let keyword = format!("TFORM{column}");
        let form = self.text(&keyword).unwrap_or_default();
        if is_of_bytes(form) { Ok(()) } else { Err(nonsense(&keyword)) }
    }
}

/// Whether a column holds bytes of different lengths: `1PB(12)`, and some write more about it.
fn is_of_bytes(form: &str) -> bool {
    let form = form.trim_start().strip_prefix('1').unwrap_or(form.trim_start());
    ["PB", "QB"].iter().any(|descriptor| form.starts_with(descriptor))
}

/// A card's value without comment, quotes and blanks at its end.
fn plain(value: &str) -> String {
    let value = value.trim_start();
    match value.strip_prefix('\'') {
        Some(quoted) => quoted.split('\'').next().unwrap_or_default().trim_end().to_owned(),
        None => value.split('/').next().unwrap_or_default().trim_end().to_owned(),
    }
}

fn nonsense(keyword: &str) -> String {
    format!("has a header that makes no sense: see {keyword}")
}
