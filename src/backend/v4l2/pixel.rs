//! The kernel's pixel formats as ours: raw ones as they are, the rest decoded to colour planes.

use ndarray::Array3;

use crate::camera::types::{Bayer, CaptureFormat, Pixels};

/// How the pixels of a format lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    Bytes,
    /// Low byte first.
    Words,
    /// Four pixels in five bytes, the fifth of the two low bits of each.
    Packed10,
    /// Two pixels in three bytes, the third of the four low bits of each.
    Packed12,
    /// Three bytes a pixel.
    Rgb,
    Bgr,
    /// Two pixels in four bytes: brightness, blue difference, brightness, red difference.
    Yuyv,
    Jpeg,
}

/// A pixel format that we can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PixelForm {
    pub(super) fourcc: [u8; 4],
    layout: Layout,
    /// Bits of the converter.
    bits: u8,
    pattern: Option<&'static str>,
}

const fn form(fourcc: [u8; 4], layout: Layout, bits: u8, pattern: Option<&'static str>) -> PixelForm {
    PixelForm { fourcc, layout, bits, pattern }
}

const BGGR: Option<&str> = Some("BGGR");
const GBRG: Option<&str> = Some("GBRG");
const GRBG: Option<&str> = Some("GRBG");
const RGGB: Option<&str> = Some("RGGB");

/// Best for astronomy first: the deepest raw ones, and lossy ones last.
const FORMS: [PixelForm; 41] = [
    form(*b"Y16 ", Layout::Words, 16, None),
    form(*b"RG16", Layout::Words, 16, RGGB),
    form(*b"BYR2", Layout::Words, 16, BGGR),
    form(*b"GB16", Layout::Words, 16, GBRG),
    form(*b"GR16", Layout::Words, 16, GRBG),
    form(*b"Y14 ", Layout::Words, 14, None),
    form(*b"RG14", Layout::Words, 14, RGGB),
    form(*b"BG14", Layout::Words, 14, BGGR),
    form(*b"GB14", Layout::Words, 14, GBRG),
    form(*b"GR14", Layout::Words, 14, GRBG),
    form(*b"Y12 ", Layout::Words, 12, None),
    form(*b"RG12", Layout::Words, 12, RGGB),
    form(*b"BG12", Layout::Words, 12, BGGR),
    form(*b"GB12", Layout::Words, 12, GBRG),
    form(*b"BA12", Layout::Words, 12, GRBG),
    form(*b"Y12P", Layout::Packed12, 12, None),
    form(*b"pRCC", Layout::Packed12, 12, RGGB),
    form(*b"pBCC", Layout::Packed12, 12, BGGR),
    form(*b"pGCC", Layout::Packed12, 12, GBRG),
    form(*b"pgCC", Layout::Packed12, 12, GRBG),
    form(*b"Y10 ", Layout::Words, 10, None),
    form(*b"RG10", Layout::Words, 10, RGGB),
    form(*b"BG10", Layout::Words, 10, BGGR),
    form(*b"GB10", Layout::Words, 10, GBRG),
    form(*b"BA10", Layout::Words, 10, GRBG),
    form(*b"Y10P", Layout::Packed10, 10, None),
    form(*b"pRAA", Layout::Packed10, 10, RGGB),
    form(*b"pBAA", Layout::Packed10, 10, BGGR),
    form(*b"pGAA", Layout::Packed10, 10, GBRG),
    form(*b"pgAA", Layout::Packed10, 10, GRBG),
    form(*b"GREY", Layout::Bytes, 8, None),
    form(*b"RGGB", Layout::Bytes, 8, RGGB),
    form(*b"BA81", Layout::Bytes, 8, BGGR),
    form(*b"GBRG", Layout::Bytes, 8, GBRG),
    form(*b"GRBG", Layout::Bytes, 8, GRBG),
    form(*b"RGB3", Layout::Rgb, 8, None),
    form(*b"BGR3", Layout::Bgr, 8, None),
    form(*b"YUYV", Layout::Yuyv, 8, None),
    form(*b"MJPG", Layout::Jpeg, 8, None),
    form(*b"JPEG", Layout::Jpeg, 8, None),
    form(*b"Y8  ", Layout::Bytes, 8, None),
];

impl PixelForm {
    pub(super) fn of(fourcc: [u8; 4]) -> Option<PixelForm> {
        FORMS.into_iter().find(|form| form.fourcc == fourcc)
    }

    /// Place in the order of preference.
    pub(super) fn rank(self) -> usize {
        FORMS.iter().position(|form| *form == self).unwrap_or(FORMS.len())
    }

    /// The name that the kernel and its tools know it by.
    pub(super) fn name(self) -> String {
        String::from_utf8_lossy(&self.fourcc).trim().to_owned()
    }

    pub(super) fn bayer(self) -> Option<Bayer> {
        self.pattern.map(|pattern| Bayer { pattern: pattern.to_owned(), offset_x: 0, offset_y: 0 })
    }

    /// Bits in the container of one pixel.
    pub(super) fn container(self) -> u8 {
        if self.bits > 8 { 16 } else { 8 }
    }

    pub(super) fn capture_format(self) -> CaptureFormat {
        CaptureFormat {
            name: self.name(),
            label: match (self.layout, self.pattern) {
                (Layout::Rgb | Layout::Bgr, _) => format!("Colour ({})", self.name()),
                (Layout::Yuyv | Layout::Jpeg, _) => format!("Colour, lossy ({})", self.name()),
                (_, Some(pattern)) => format!("Raw {} bit {pattern} ({})", self.bits, self.name()),
                (_, None) => format!("Mono {} bit ({})", self.bits, self.name()),
            },
            bits: self.container(),
            adc_bits: self.bits,
            bayer: self.bayer(),
        }
    }

    /// The pixels of a frame in memory whose rows begin `stride` bytes apart; `None` if it is not a whole one.
    pub(super) fn pixels(
        self,
        bytes: &[u8],
        (width, height): (usize, usize),
        stride: usize,
    ) -> Option<Pixels> {
        let row_bytes = match self.layout {
            Layout::Bytes => width,
            Layout::Words | Layout::Yuyv => 2 * width,
            Layout::Packed10 => 5 * width.div_ceil(4),
            Layout::Packed12 => 3 * width.div_ceil(2),
            Layout::Rgb | Layout::Bgr => 3 * width,
            Layout::Jpeg => return jpeg(bytes, (width, height)),
        };
        let stride = stride.max(row_bytes);
        if width == 0 || height == 0 || bytes.len() < stride * (height - 1) + row_bytes {
            return None;
        }
        let rows = || bytes.chunks(stride).take(height).map(|row| &row[..row_bytes]);
        let word = |pair: &[u8]| u16::from_le_bytes([pair[0], pair[1]]);
        match self.layout {
            Layout::Bytes => one_plane(rows().flatten().copied().collect(), width, height).map(Pixels::U8),
            Layout::Words => {
                let words = rows().flat_map(|row| row.chunks_exact(2).map(word));
                one_plane(words.collect(), width, height).map(Pixels::U16)
            }
            Layout::Packed10 => {
                let words = rows().flat_map(|row| row.chunks(5).flat_map(unpack10).take(width));
                one_plane(words.collect(), width, height).map(Pixels::U16)
            }
            Layout::Packed12 => {
                let words = rows().flat_map(|row| row.chunks(3).flat_map(unpack12).take(width));
                one_plane(words.collect(), width, height).map(Pixels::U16)
            }
            Layout::Rgb | Layout::Bgr => {
                let order = if self.layout == Layout::Rgb { [0, 1, 2] } else { [2, 1, 0] };
                let rows: Vec<&[u8]> = rows().collect();
                let planes =
                    Array3::from_shape_fn((3, height, width), |(plane, y, x)| rows[y][3 * x + order[plane]]);
                Some(Pixels::U8(planes))
            }
            Layout::Yuyv => {
                let rows: Vec<&[u8]> = rows().collect();
                Some(Pixels::U8(Array3::from_shape_fn((3, height, width), |(plane, y, x)| {
                    yuyv(rows[y], x, plane)
                })))
            }
            Layout::Jpeg => None,
        }
    }
}

fn one_plane<T>(pixels: Vec<T>, width: usize, height: usize) -> Option<Array3<T>> {
    Array3::from_shape_vec((1, height, width), pixels).ok()
}

/// Four pixels, or what is there of them.
fn unpack10(group: &[u8]) -> impl Iterator<Item = u16> {
    let low = group.get(4).copied().unwrap_or_default();
    let pixel = move |(i, high): (usize, &u8)| u16::from(*high) << 2 | u16::from(low >> (2 * i)) & 3;
    group[..group.len().min(4)].iter().enumerate().map(pixel)
}

/// Two pixels, or what is there of them.
fn unpack12(group: &[u8]) -> impl Iterator<Item = u16> {
    let low = group.get(2).copied().unwrap_or_default();
    let pixel = move |(i, high): (usize, &u8)| u16::from(*high) << 4 | u16::from(low >> (4 * i)) & 15;
    group[..group.len().min(2)].iter().enumerate().map(pixel)
}

/// One of red, green and blue of a pixel, by ITU-R BT.601 with the usual range of 16 to 235.
fn yuyv(row: &[u8], x: usize, plane: usize) -> u8 {
    let at = |i: usize| row.get(i).copied().map_or(128, i32::from);
    let pair = 4 * (x / 2);
    let (y, u, v) = (298 * (at(2 * x) - 16), at(pair + 1) - 128, at(pair + 3) - 128);
    let value = match plane {
        0 => y + 409 * v,
        1 => y - 100 * u - 208 * v,
        _ => y + 516 * u,
    };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    let value = ((value + 128) >> 8).clamp(0, 255) as u8;
    value
}

const END_OF_JPEG: [u8; 2] = [0xff, 0xd9];

fn jpeg(bytes: &[u8], (width, height): (usize, usize)) -> Option<Pixels> {
    use zune_jpeg::JpegDecoder;
    use zune_jpeg::zune_core::bytestream::ZCursor;
    use zune_jpeg::zune_core::colorspace::ColorSpace;
    use zune_jpeg::zune_core::options::DecoderOptions;

    // The decoder makes up what is missing at the end.
    let end = bytes.iter().rposition(|byte| *byte != 0)? + 1;
    let bytes = bytes[..end].ends_with(&END_OF_JPEG).then_some(bytes)?;
    let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    let rgb = decoder.decode().ok()?;
    if decoder.dimensions() != Some((width, height)) || rgb.len() != 3 * width * height {
        return None;
    }
    Some(Pixels::U8(Array3::from_shape_fn((3, height, width), |(plane, y, x)| {
        rgb[3 * (y * width + x) + plane]
    })))
}

#[cfg(test)]
mod tests {
    use ndarray::{Axis, arr3};

    use super::*;

    fn pixels(fourcc: [u8; 4], bytes: &[u8], size: (usize, usize), stride: usize) -> Option<Pixels> {
        PixelForm::of(fourcc).unwrap().pixels(bytes, size, stride)
    }

    #[test]
    fn every_format_has_a_name_of_its_own() {
        for (i, form) in FORMS.iter().enumerate() {
            assert_eq!(form.rank(), i, "{form:?} stands twice");
        }
    }

    #[test]
    fn raw_pixels_are_as_they_are_and_gaps_between_rows_are_not_pixels() {
        let grey = pixels(*b"GREY", &[1, 2, 9, 9, 3, 4], (2, 2), 4);
        assert_eq!(grey, Some(Pixels::U8(arr3(&[[[1u8, 2], [3, 4]]]))));
        let words = pixels(*b"RG12", &[0xff, 0x0f, 1, 0], (2, 1), 4);
        assert_eq!(words, Some(Pixels::U16(arr3(&[[[4095u16, 1]]]))));
    }

    #[test]
    fn packed_pixels_are_put_together() {
        // 0b11_1111_1101, 2, 1, 0 and 5 in ten bits each.
        let bytes = [0xff, 0, 0, 0, 0b00_01_10_01, 1, 0, 0, 0, 0b01];
        let packed = pixels(*b"pRAA", &bytes, (5, 1), 10);
        assert_eq!(packed, Some(Pixels::U16(arr3(&[[[1021u16, 2, 1, 0, 5]]]))));
        let packed = pixels(*b"pBCC", &[0xff, 0x01, 0x2f], (2, 1), 3);
        assert_eq!(packed, Some(Pixels::U16(arr3(&[[[4095u16, 18]]]))));
    }

    #[test]
    fn colours_become_planes() {
        let bgr = pixels(*b"BGR3", &[1, 2, 3, 4, 5, 6], (2, 1), 6);
        assert_eq!(bgr, Some(Pixels::U8(arr3(&[[[3u8, 6]], [[2, 5]], [[1, 4]]]))));
        // Black, white, and pure red as BT.601 has them.
        let Some(Pixels::U8(planes)) = pixels(*b"YUYV", &[16, 128, 235, 128, 81, 90, 81, 240], (4, 1), 8)
        else {
            panic!("no planes")
        };
        let pixel = |x: usize| planes.index_axis(Axis(2), x).iter().copied().collect::<Vec<_>>();
        assert_eq!((pixel(0), pixel(1)), (vec![0, 0, 0], vec![255, 255, 255]));
        assert!(pixel(2)[0] > 250 && pixel(2)[1] < 5 && pixel(2)[2] < 5, "{:?}", pixel(2));
    }

    #[test]
    fn a_frame_that_is_not_whole_is_none() {
        assert_eq!(pixels(*b"GREY", &[1, 2, 3], (2, 2), 2), None);
        assert_eq!(pixels(*b"Y16 ", &[0; 7], (2, 2), 4), None);
        assert_eq!(pixels(*b"MJPG", &[0xff, 0xd8, 0xff], (2, 2), 0), None);
    }
}
