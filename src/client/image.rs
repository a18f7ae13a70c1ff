//! A received file as pixels and header, read by CFITSIO.
//!
//! CFITSIO takes file names for small programs: brackets filter, prefixes choose protocols, and compressed files are
//! unpacked without limit. So it is given nothing but the number of a descriptor of ours, only files that begin as
//! FITS does, and only images of a shape that the file can hold.

use std::io::Read;
use std::sync::Arc;

use fitsio::FitsFile;
use fitsio::hdu::HduInfo;
use fitsio::images::ImageType;
use ndarray::Array3;

use super::blob::FrameFile;
use super::error::{ClientError, Result};
use super::header::{Header, Shape};
use super::progress::Shot;
use crate::camera::answer::{self, ClockState, ExposureResult, FrameRecord, Measured};
use crate::camera::types::Pixels;
use crate::wire::heard::moment;

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

/// What every FITS file begins with.
const MAGIC: &[u8; 9] = b"SIMPLE  =";

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
            let pixels = header.shape(file.len()).and_then(|shape| pixels(&file, shape)).map_err(bad)?;
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
        let utc = |keyword| header.get(keyword).and_then(moment).and_then(answer::utc);
        let measured = Measured {
            start_utc: utc("DATE-OBS"),
            end_utc: utc("DATE-END"),
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

/// The first image in the file, which is to have the shape that its header says.
fn pixels(file: &FrameFile, shape: Shape) -> Result<Pixels, String> {
    let failed = |error: fitsio::errors::Error| error.to_string();
    let mut magic = [0; MAGIC.len()];
    let begun = file.reader().and_then(|mut bytes| bytes.read_exact(&mut magic));
    begun.map_err(|error| error.to_string())?;
    if magic != *MAGIC {
        return Err("it is no FITS file".to_owned());
    }
    let mut fits = FitsFile::open(file.path()).map_err(failed)?;
    let mut unit = fits.primary_hdu().map_err(failed)?;
    if matches!(&unit.info, HduInfo::ImageInfo { shape, .. } if shape.is_empty()) {
        unit = fits.hdu(1).map_err(failed)?;
    }
    let HduInfo::ImageInfo { shape: found, image_type } = &unit.info else {
        return Err("there is no image in it".to_owned());
    };
    if found.iter().product::<usize>() != shape.0 * shape.1 * shape.2 {
        return Err(format!("its image is one of {found:?}, and its header says {shape:?}"));
    }
    let misshapen = |error: ndarray::ShapeError| error.to_string();
    Ok(match image_type {
        ImageType::UnsignedByte => {
            let pixels: Vec<u8> = unit.read_image(&mut fits).map_err(failed)?;
            Pixels::U8(Array3::from_shape_vec(shape, pixels).map_err(misshapen)?)
        }
        ImageType::Short | ImageType::UnsignedShort => {
            let pixels: Vec<u16> = unit.read_image(&mut fits).map_err(failed)?;
            Pixels::U16(Array3::from_shape_vec(shape, pixels).map_err(misshapen)?)
        }
        ImageType::Long | ImageType::UnsignedLong => {
            let pixels: Vec<u32> = unit.read_image(&mut fits).map_err(failed)?;
            Pixels::U32(Array3::from_shape_vec(shape, pixels).map_err(misshapen)?)
        }
        other => return Err(format!("its pixels are {other:?}, and not whole numbers of 8, 16 or 32 bits")),
    })
}
