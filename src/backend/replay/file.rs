//! One FITS file as a read-out. CFITSIO does the reading; of what it can open, only what a camera could have sent is
//! taken.
//!
//! CFITSIO takes more than a path for a file's name: filters, commands of its own, other machines. So it is given a
//! descriptor, as a path in `/proc`, and never a name that anybody else has chosen.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use fitsio::FitsFile;
use fitsio::errors::Error;
use fitsio::hdu::{FitsHdu, HduInfo};
use fitsio::headers::ReadsKey;
use fitsio::images::{ImageType, ReadImage};
use ndarray::Array3;

use super::header;
use crate::camera::types::{Bayer, Pixels};

/// A value that the container has no room for, by CFITSIO's number.
const OVERFLOW: i32 = 412;
/// The file is shorter than it was a moment ago, by CFITSIO's numbers.
const TOO_SHORT: [i32; 2] = [107, 108];

/// What a file tells of the sensor that took it.
#[derive(Clone, Debug)]
pub(super) struct Sensor {
    pub(super) width: u32,
    pub(super) height: u32,
    planes: usize,
    /// Bits in the container of a pixel.
    pub(super) bits: u8,
    pub(super) bayer: Option<Bayer>,
    /// Width and height of a pixel of the file, µm; binned or not, it is a pixel of the replayed sensor.
    pub(super) pixel_size: Option<(f64, f64)>,
}

/// What one file holds.
#[derive(Debug)]
pub(super) struct Shot {
    pub(super) pixels: Pixels,
    pub(super) gain: Option<i32>,
    pub(super) offset: Option<i32>,
    pub(super) temperature: Option<f64>,
}

impl Sensor {
    /// Whether both can be one sensor. What a header says of the size of its pixels is a matter of rounding.
    pub(super) fn is_like(&self, other: &Sensor) -> bool {
        let shape = |sensor: &Sensor| (sensor.width, sensor.height, sensor.planes, sensor.bits);
        shape(self) == shape(other) && self.bayer == other.bayer
    }
}

impl fmt::Display for Sensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sensor { width, height, planes, bits, bayer, .. } = self;
        write!(f, "{width}x{height} pixels of {bits} bit")?;
        match bayer {
            Some(bayer) => {
                write!(
                    f,
                    " under a mosaic {} shifted by {},{}",
                    bayer.pattern, bayer.offset_x, bayer.offset_y
                )
            }
            None if *planes > 1 => write!(f, " in {planes} colours"),
            None => Ok(()),
        }
    }
}

/// What a file tells of its sensor; otherwise one clause that says why it cannot be replayed.
pub(super) fn sensor(path: &Path) -> Result<Sensor, String> {
    guarded(|| Ok(Open::new(path)?.sensor))
}

/// The pixels of a file, and what it tells of them.
pub(super) fn shot(path: &Path) -> Result<(Sensor, Shot), String> {
    guarded(|| Open::new(path)?.shot())
}

/// The same of a file that is open, with its path or without one.
pub(super) fn shot_of(file: File) -> Result<(Sensor, Shot), String> {
    guarded(|| Open::of(file)?.shot())
}

/// The library's Rust face panics on some kinds of files that it does not know.
fn guarded<T>(read: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_panic| Err("is a kind of file that CFITSIO cannot read".to_owned()))
}

/// A file whose image is one that a camera can send.
struct Open {
    fits: FitsFile,
    hdu: FitsHdu,
    kind: ImageType,
    sensor: Sensor,
    /// Its number is the name that CFITSIO knows, so it is closed last.
    _descriptor: File,
}

impl Open {
    fn new(path: &Path) -> Result<Open, String> {
        // Opening a pipe would wait for somebody to write.
        let found = fs::metadata(path).map_err(|error| unreadable(&error))?;
        if !found.is_file() {
            return Err("is no file".to_owned());
        }
        Open::of(File::open(path).map_err(|error| unreadable(&error))?)
    }

    fn of(mut descriptor: File) -> Result<Open, String> {
        let unit = header::image_unit(&mut descriptor)?;
        let name = OsString::from(format!("/proc/self/fd/{}", descriptor.as_raw_fd()));
        let mut fits = FitsFile::open(&name).map_err(explain)?;
        let (hdu, shape, kind) = image(&mut fits, unit)?;
        let mut open = Open { sensor: described(&shape, kind)?, fits, hdu, kind, _descriptor: descriptor };
        open.sensor.pixel_size = open.pixel_size();
        open.sensor.bayer = open.bayer().filter(|_| open.sensor.planes == 1);
        Ok(open)
    }

    fn shot(mut self) -> Result<(Sensor, Shot), String> {
        let pixels = self.pixels()?;
        let shot = Shot {
            pixels,
            gain: self.whole("GAIN"),
            offset: self.whole("OFFSET"),
            temperature: self.number("CCD-TEMP"),
        };
        Ok((self.sensor, shot))
    }

    fn pixels(&mut self) -> Result<Pixels, String> {
        Ok(match self.kind {
            ImageType::UnsignedByte | ImageType::Byte => Pixels::U8(self.array()?),
            ImageType::Short | ImageType::UnsignedShort => Pixels::U16(self.array()?),
            _ => Pixels::U32(self.array()?),
        })
    }

    fn array<T>(&mut self) -> Result<Array3<T>, String>
    where
        Vec<T>: ReadImage,
    {
        let pixels: Vec<T> = self.hdu.read_image(&mut self.fits).map_err(explain)?;
        let Sensor { width, height, planes, .. } = self.sensor;
        Array3::from_shape_vec((planes, height as usize, width as usize), pixels)
            .map_err(|error| error.to_string())
    }

    fn key<T: ReadsKey>(&mut self, keyword: &str) -> Option<T> {
        self.hdu.read_key(&mut self.fits, keyword).ok()
    }

    fn number(&mut self, keyword: &str) -> Option<f64> {
        self.key(keyword).filter(|number: &f64| number.is_finite())
    }

    fn whole(&mut self, keyword: &str) -> Option<i32> {
        let fits = |number: &f64| {
            number.fract() == 0.0 && (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(number)
        };
        #[expect(clippy::cast_possible_truncation, reason = "checked above")]
        self.number(keyword).filter(fits).map(|number| number as i32)
    }

    /// `XPIXSZ` is what it is in the image; where only the sensor's own is told, it is binned here.
    fn pixel_size(&mut self) -> Option<(f64, f64)> {
        let mut axis = |size: &str, of_sensor: &str, binning: &str| {
            let unbinned = self.number(of_sensor).map(|size| size * self.number(binning).unwrap_or(1.0));
            self.number(size).or(unbinned).filter(|size| *size > 0.0)
        };
        Some((axis("XPIXSZ", "PIXSIZE1", "XBINNING")?, axis("YPIXSZ", "PIXSIZE2", "YBINNING")?))
    }

    fn bayer(&mut self) -> Option<Bayer> {
        let pattern = self.key::<String>("BAYERPAT")?.trim().to_owned();
        let is_one = pattern.len() == 4 && pattern.bytes().all(|letter| b"RGB".contains(&letter));
        let mut odd = |keyword: &str| u32::from(self.number(keyword).is_some_and(|shift| shift % 2.0 != 0.0));
        let (offset_x, offset_y) = (odd("XBAYROFF"), odd("YBAYROFF"));
        is_one.then_some(Bayer { pattern, offset_x, offset_y })
    }
}

/// The image of that unit, its shape with the rows' length last, and what its values are.
fn image(fits: &mut FitsFile, unit: usize) -> Result<(FitsHdu, Vec<usize>, ImageType), String> {
    let hdu = fits.hdu(unit).map_err(explain)?;
    match &hdu.info {
        HduInfo::ImageInfo { shape, image_type } => {
            let (shape, kind) = (shape.clone(), *image_type);
            Ok((hdu, shape, kind))
        }
        _ => Err("has no image".to_owned()),
    }
}

/// A sensor that gives images of this shape and kind.
fn described(shape: &[usize], kind: ImageType) -> Result<Sensor, String> {
    let bits = match kind {
        ImageType::UnsignedByte | ImageType::Byte => 8,
        ImageType::Short | ImageType::UnsignedShort => 16,
        ImageType::Long | ImageType::UnsignedLong => 32,
        ImageType::LongLong => return Err("has pixels of 64 bit, and cameras send at most 32".to_owned()),
        ImageType::Float | ImageType::Double => {
            return Err("has pixels with fractions, and cameras send whole numbers".to_owned());
        }
    };
    let (planes, height, width) = match *shape {
        [height, width] | [1, height, width] => (1, height, width),
        [3, height, width] => (3, height, width),
        [planes, height, width] => {
            return Err(format!(
                "is a cube of {planes} images of {width}x{height} pixels, and cameras send one, or three for colour"
            ));
        }
        _ => return Err(format!("has an image of {} dimensions", shape.len())),
    };
    match (u32::try_from(width), u32::try_from(height)) {
        (Ok(width @ 1..), Ok(height @ 1..)) => {
            Ok(Sensor { width, height, planes, bits, bayer: None, pixel_size: None })
        }
        _ => Err(format!("has an image of {width}x{height} pixels")),
    }
}

fn unreadable(error: &std::io::Error) -> String {
    format!("cannot be read: {error}")
}

fn explain(error: Error) -> String {
    match error {
        Error::Fits(error) if error.status == OVERFLOW => {
            "has pixels below 0, which no camera sends".to_owned()
        }
        Error::Fits(error) if TOO_SHORT.contains(&error.status) => {
            "is shorter than its header says".to_owned()
        }
        Error::Fits(error) => format!("cannot be read: {} (CFITSIO's error {})", error.message, error.status),
        other => format!("cannot be read: {other}"),
    }
}
