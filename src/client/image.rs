//! A received file as pixels and header, read by CFITSIO.
//!
//! CFITSIO takes file names for small programs: brackets filter, prefixes choose protocols, and compressed files are
//! unpacked without limit. So it is given nothing but the number of a descriptor of ours, only files that begin as
//! FITS does, and only images whose size is one that a sensor may have.

use std::io::{self, Read};
use std::sync::Arc;

use fitsio::FitsFile;
use fitsio::hdu::{FitsHdu, HduInfo};
use fitsio::images::ImageType;
use ndarray::Array3;

use super::blob::FrameFile;
use super::error::{ClientError, Result};
use super::progress::Shot;
use crate::camera::answer::{self, ClockState, ExposureResult, FrameRecord, Measured};
use crate::camera::types::Pixels;
use crate::image::card::LINE;

/// A frame with its pixels.
#[derive(Debug)]
pub struct Frame {
    /// `[plane, row, column]`; the first row is the first one in the file.
    pub pixels: Pixels,
    /// The header, as it stands in the file.
    pub header: Header,
    /// Shape of the image and everything that is known of the exposure.
    pub info: ExposureResult,
    /// The file.
    pub file: Arc<FrameFile>,
}

/// Keywords and values of a FITS header, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    cards: Vec<(String, String)>,
}

/// What every FITS file begins with.
const MAGIC: &[u8; 9] = b"SIMPLE  =";
/// Most pixels of an image: more than any sensor has.
const MOST_PIXELS: usize = 1 << 29;
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
    /// behind it, as compressed files have it.
    pub fn read(file: &FrameFile) -> io::Result<Header> {
        let mut bytes = Vec::new();
        file.reader()?.take(HEADERS).read_to_end(&mut bytes)?;
        let mut header = Header::default();
        let mut rest = bytes.as_slice();
        for _ in 0..2 {
            let Some(length) = header.read_unit(rest) else { break };
            if header.get("NAXIS").is_some_and(|axes| axes != "0") {
                break;
            }
            rest = rest.get(length.next_multiple_of(BLOCK)..).unwrap_or_default();
        }
        Ok(header)
    }

    /// Takes in the cards of one unit, of which later ones count more; returns the length of its header.
    fn read_unit(&mut self, bytes: &[u8]) -> Option<usize> {
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

impl Shot {
    /// Reads the pixels, on another thread.
    ///
    /// [`ClientError::NoFrame`] where the driver was told only to save frames, [`ClientError::NotSupported`] for formats
    /// other than FITS; their bytes are in [`Shot::file`].
    pub async fn frame(&self) -> Result<Frame> {
        let file = self.received()?;
        let info = self.info()?;
        if !is_fits(file.format()) {
            let rule = "only .fits and .fits.fz are read here: set CCD_TRANSFER_FORMAT to FORMAT_FITS, or save the file";
            return Err(ClientError::not_supported(
                &self.device,
                format!("its frames are {}; {rule}", file.format()),
            ));
        }
        let device = self.device.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let bad = |why: String| ClientError::BadFrame { device: device.clone(), why };
            let header = Header::read(&file).map_err(|error| bad(error.to_string()))?;
            let pixels = pixels(&file).map_err(bad)?;
            let mut info = info;
            let (_, rows, columns) = pixels.shape();
            info.image.width = u32::try_from(columns).unwrap_or(u32::MAX);
            info.image.height = u32::try_from(rows).unwrap_or(u32::MAX);
            info.image.bits = pixels.bits().into();
            Ok(Frame { pixels, header, info, file })
        });
        reading.await.unwrap_or_else(|error| {
            Err(ClientError::BadFrame { device: self.device.clone(), why: error.to_string() })
        })
    }

    /// The file, or why there is none.
    pub fn received(&self) -> Result<Arc<FrameFile>> {
        self.file.clone().ok_or_else(|| {
            let where_to = self.saved_path.as_deref().map_or(String::new(), |path| format!(" to {path}"));
            let why =
                format!("its driver saves frames{where_to} and sends none; set UPLOAD_MODE to UPLOAD_CLIENT");
            ClientError::NoFrame { device: self.device.clone(), why }
        })
    }

    /// What is known of the frame without reading its pixels. The image's shape is that of the window asked for, and its
    /// bits are 0, where the header does not say.
    pub fn info(&self) -> Result<ExposureResult> {
        let header = match &self.file {
            Some(file) if is_fits(file.format()) => Header::read(file).map_err(|error| {
                ClientError::BadFrame { device: self.device.clone(), why: error.to_string() }
            })?,
            _ => Header::default(),
        };
        let bytes = self.file.as_ref().map_or(0, |file| file.len());
        // Behind a compressed image is the table that it is packed in; the image's own cards begin with Z.
        let whole = |own: &str, packed: &str| {
            header.number(packed).or_else(|| header.number(own)).map(super::info::to_u32)
        };
        let [x, y] = self.spec.binning.map(|factor| factor.max(1));
        let image = answer::Image {
            property: self.file.as_ref().map(|_| super::mirror::FRAMES.to_owned()),
            element: self.file.as_ref().map(|_| super::mirror::FRAMES.to_owned()),
            format: self.file.as_ref().map_or(String::new(), |file| file.format().to_owned()),
            width: whole("NAXIS1", "ZNAXIS1").unwrap_or(self.spec.roi.width / x),
            height: whole("NAXIS2", "ZNAXIS2").unwrap_or(self.spec.roi.height / y),
            bits: whole("BITPIX", "ZBITPIX").unwrap_or(0),
            bytes,
            base64: None,
        };
        let text = |keyword| header.get(keyword).map(str::to_owned);
        let measured = Measured {
            start_utc: text("DATE-OBS"),
            end_utc: text("DATE-END"),
            duration_s: header.number("EXPTIME"),
            read_out_s: Some(self.read_out.as_secs_f64()),
            temperature_start: self.temperature_start,
            temperature_end: header.number("CCD-TEMP"),
            gain_readback: header.number("GAIN").map(super::info::to_i32),
            offset_readback: header.number("OFFSET").map(super::info::to_i32),
        };
        let info = FrameRecord {
            exposure_id: self.exposure_id,
            sequence: self.exposure_id,
            spec: self.spec.clone(),
            measured,
            clock: ClockState::default(),
            retries: 0,
            bytes,
            sha256: None,
            saved_path: self.saved_path.clone(),
            warnings: self.warnings.clone(),
        };
        Ok(ExposureResult { image, info })
    }
}

fn is_fits(format: &str) -> bool {
    matches!(format, ".fits" | ".fit" | ".fts" | ".fits.fz")
}

/// The first image in the file.
fn pixels(file: &FrameFile) -> Result<Pixels, String> {
    let mut magic = [0; MAGIC.len()];
    let begun = file.reader().and_then(|mut bytes| bytes.read_exact(&mut magic));
    begun.map_err(|error| error.to_string())?;
    if magic != *MAGIC {
        return Err("it is no FITS file".to_owned());
    }
    let mut fits = FitsFile::open(file.path()).map_err(|error| error.to_string())?;
    let units = fits.num_hdus().map_err(|error| error.to_string())?;
    for number in 0..units.min(2) {
        let unit = fits.hdu(number).map_err(|error| error.to_string())?;
        let HduInfo::ImageInfo { shape, image_type } = &unit.info else { continue };
        if shape.is_empty() {
            continue;
        }
        let (shape, image_type) = (planes_rows_columns(shape, file.len())?, *image_type);
        return read(&mut fits, &unit, image_type, shape);
    }
    Err("there is no image in it".to_owned())
}

/// The shape of an image that CFITSIO tells as rows and columns, planes first if there are any.
fn planes_rows_columns(shape: &[usize], bytes: u64) -> Result<(usize, usize, usize), String> {
    let shape = match *shape {
        [rows, columns] => (1, rows, columns),
        [planes @ (1 | 3), rows, columns] => (planes, rows, columns),
        _ => return Err(format!("an image of {shape:?} is none that a camera makes")),
    };
    let pixels = shape.0.checked_mul(shape.1).and_then(|n| n.checked_mul(shape.2));
    // No compression packs thousands of pixels into a byte.
    let most = usize::try_from(bytes.saturating_mul(4096)).unwrap_or(usize::MAX).min(MOST_PIXELS);
    match pixels {
        Some(1..) if pixels.is_some_and(|n| n <= most) => Ok(shape),
        _ => Err(format!("it cannot hold an image of {shape:?}")),
    }
}

fn read(
    fits: &mut FitsFile,
    unit: &FitsHdu,
    image_type: ImageType,
    shape: (usize, usize, usize),
) -> Result<Pixels, String> {
    let failed = |error: fitsio::errors::Error| error.to_string();
    let misshapen = |error: ndarray::ShapeError| error.to_string();
    Ok(match image_type {
        ImageType::UnsignedByte => {
            let pixels: Vec<u8> = unit.read_image(fits).map_err(failed)?;
            Pixels::U8(Array3::from_shape_vec(shape, pixels).map_err(misshapen)?)
        }
        ImageType::Short | ImageType::UnsignedShort => {
            let pixels: Vec<u16> = unit.read_image(fits).map_err(failed)?;
            Pixels::U16(Array3::from_shape_vec(shape, pixels).map_err(misshapen)?)
        }
        ImageType::Long | ImageType::UnsignedLong => {
            let pixels: Vec<u32> = unit.read_image(fits).map_err(failed)?;
            Pixels::U32(Array3::from_shape_vec(shape, pixels).map_err(misshapen)?)
        }
        other => return Err(format!("its pixels are {other:?}, and not whole numbers of 8, 16 or 32 bits")),
    })
}
