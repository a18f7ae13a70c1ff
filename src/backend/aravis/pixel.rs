//! The pixel formats of GenICam as ours: what is raw stays raw, packed pixels are unpacked, colours become planes.

use std::cmp::Reverse;

use ndarray::Array3;

use crate::camera::types::{Bayer, CaptureFormat, Pixels};

/// How the pixels of a format lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    Bytes,
    /// Low byte first.
    Words,
    /// A stream of bits, the lowest first (`Mono12p`).
    Stream,
    /// Two pixels in three bytes, the second of the low bits of both (`Mono12Packed`).
    Packed,
    /// Three bytes a pixel.
    Rgb,
    Bgr,
}

/// A pixel format that we can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PixelForm {
    /// The number that it has in the standard, and in every camera.
    pub(super) value: u32,
    pub(super) name: &'static str,
    layout: Layout,
    /// Bits of a pixel.
    bits: u8,
    pattern: Option<&'static str>,
}

const fn form(
    value: u32,
    name: &'static str,
    layout: Layout,
    bits: u8,
    pattern: Option<&'static str>,
) -> PixelForm {
    PixelForm { value, name, layout, bits, pattern }
}

const GR: Option<&str> = Some("GRBG");
const RG: Option<&str> = Some("RGGB");
const GB: Option<&str> = Some("GBRG");
const BG: Option<&str> = Some("BGGR");

/// As in the standard's list of pixel formats (PFNC).
const FORMS: [PixelForm; 47] = [
    form(0x0108_0001, "Mono8", Layout::Bytes, 8, None),
    form(0x0110_0003, "Mono10", Layout::Words, 10, None),
    form(0x010c_0004, "Mono10Packed", Layout::Packed, 10, None),
    form(0x010a_0046, "Mono10p", Layout::Stream, 10, None),
    form(0x0110_0005, "Mono12", Layout::Words, 12, None),
    form(0x010c_0006, "Mono12Packed", Layout::Packed, 12, None),
    form(0x010c_0047, "Mono12p", Layout::Stream, 12, None),
    form(0x0110_0025, "Mono14", Layout::Words, 14, None),
    form(0x010e_0104, "Mono14p", Layout::Stream, 14, None),
    form(0x0110_0007, "Mono16", Layout::Words, 16, None),
    form(0x0108_0008, "BayerGR8", Layout::Bytes, 8, GR),
    form(0x0108_0009, "BayerRG8", Layout::Bytes, 8, RG),
    form(0x0108_000a, "BayerGB8", Layout::Bytes, 8, GB),
    form(0x0108_000b, "BayerBG8", Layout::Bytes, 8, BG),
    form(0x0110_000c, "BayerGR10", Layout::Words, 10, GR),
    form(0x0110_000d, "BayerRG10", Layout::Words, 10, RG),
    form(0x0110_000e, "BayerGB10", Layout::Words, 10, GB),
    form(0x0110_000f, "BayerBG10", Layout::Words, 10, BG),
    form(0x010c_0026, "BayerGR10Packed", Layout::Packed, 10, GR),
    form(0x010c_0027, "BayerRG10Packed", Layout::Packed, 10, RG),
    form(0x010c_0028, "BayerGB10Packed", Layout::Packed, 10, GB),
    form(0x010c_0029, "BayerBG10Packed", Layout::Packed, 10, BG),
    form(0x010a_0056, "BayerGR10p", Layout::Stream, 10, GR),
    form(0x010a_0058, "BayerRG10p", Layout::Stream, 10, RG),
    form(0x010a_0054, "BayerGB10p", Layout::Stream, 10, GB),
    form(0x010a_0052, "BayerBG10p", Layout::Stream, 10, BG),
    form(0x0110_0010, "BayerGR12", Layout::Words, 12, GR),
    form(0x0110_0011, "BayerRG12", Layout::Words, 12, RG),
    form(0x0110_0012, "BayerGB12", Layout::Words, 12, GB),
    form(0x0110_0013, "BayerBG12", Layout::Words, 12, BG),
    form(0x010c_002a, "BayerGR12Packed", Layout::Packed, 12, GR),
    form(0x010c_002b, "BayerRG12Packed", Layout::Packed, 12, RG),
    form(0x010c_002c, "BayerGB12Packed", Layout::Packed, 12, GB),
    form(0x010c_002d, "BayerBG12Packed", Layout::Packed, 12, BG),
    form(0x010c_0057, "BayerGR12p", Layout::Stream, 12, GR),
    form(0x010c_0059, "BayerRG12p", Layout::Stream, 12, RG),
    form(0x010c_0055, "BayerGB12p", Layout::Stream, 12, GB),
    form(0x010c_0053, "BayerBG12p", Layout::Stream, 12, BG),
    form(0x0110_0109, "BayerGR14", Layout::Words, 14, GR),
    form(0x0110_010a, "BayerRG14", Layout::Words, 14, RG),
    form(0x0110_010b, "BayerGB14", Layout::Words, 14, GB),
    form(0x0110_010c, "BayerBG14", Layout::Words, 14, BG),
    form(0x0110_002e, "BayerGR16", Layout::Words, 16, GR),
    form(0x0110_002f, "BayerRG16", Layout::Words, 16, RG),
    form(0x0110_0030, "BayerGB16", Layout::Words, 16, GB),
    form(0x0110_0031, "BayerBG16", Layout::Words, 16, BG),
    form(0x0218_0014, "RGB8", Layout::Rgb, 8, None),
];
/// Not among the raw ones, and not worth a line each.
const BGR8: PixelForm = form(0x0218_0015, "BGR8", Layout::Bgr, 8, None);

/// Those of a camera's formats that we can read, best for astronomy first: what the sensor has seen before what the camera
/// has made of it, deep before shallow, and plain before packed.
pub(super) fn readable(values: &[i64], has_colour_filters: bool) -> Vec<PixelForm> {
    let known = FORMS.into_iter().chain([BGR8]);
    let mut forms: Vec<PixelForm> = known.filter(|form| values.contains(&i64::from(form.value))).collect();
    forms.sort_by_key(|form| {
        let colour = matches!(form.layout, Layout::Rgb | Layout::Bgr);
        let made = has_colour_filters && form.pattern.is_none();
        let packed = match form.layout {
            Layout::Stream => 1,
            Layout::Packed => 2,
            _ => 0,
        };
        (colour, made, Reverse(form.bits), packed)
    });
    forms
}

impl PixelForm {
    /// Bits in the container of one pixel.
    pub(super) fn container(self) -> u8 {
        if self.bits > 8 { 16 } else { 8 }
    }

    pub(super) fn bayer(self) -> Option<Bayer> {
        self.pattern.map(|pattern| Bayer { pattern: pattern.to_owned(), offset_x: 0, offset_y: 0 })
    }

    /// As clients see it; `converter` is how many bits the camera says that its converter has.
    pub(super) fn capture_format(self, converter: Option<u8>) -> CaptureFormat {
        let Self { name, bits, .. } = self;
        CaptureFormat {
            name: name.to_owned(),
            label: match (self.layout, self.pattern) {
                (Layout::Rgb | Layout::Bgr, _) => format!("Colour ({name})"),
                (_, Some(pattern)) => format!("Raw {bits} bit {pattern} ({name})"),
                (_, None) => format!("Mono {bits} bit ({name})"),
            },
            bits: self.container(),
            adc_bits: bits.min(converter.unwrap_or(bits)),
            bayer: self.bayer(),
        }
    }

    /// Bytes that so many pixels take.
    pub(super) fn bytes(self, pixels: usize) -> usize {
        (pixels * self.bits_in_memory()).div_ceil(8)
    }

    fn bits_in_memory(self) -> usize {
        match self.layout {
            Layout::Bytes => 8,
            Layout::Words => 16,
            Layout::Stream => usize::from(self.bits),
            Layout::Packed => 12,
            Layout::Rgb | Layout::Bgr => 24,
        }
    }

    /// The pixels of an image in memory with `padding` bytes after each row; `None` if it is not a whole one. Without
    /// padding the pixels of a row follow those of the row before in the middle of a byte.
    pub(super) fn pixels(
        self,
        bytes: &[u8],
        (width, height): (usize, usize),
        padding: usize,
    ) -> Option<Pixels> {
        let (rows, count) = if padding == 0 { (1, width * height) } else { (height, width) };
        let length = self.bytes(count);
        let stride = length + padding;
        if count == 0 || bytes.len() < stride * (rows - 1) + length {
            return None;
        }
        let rows = || bytes.chunks(stride).take(rows).map(|row| &row[..length]);
        let words = |unpack: &dyn Fn(&[u8], &mut Vec<u16>)| {
            let mut words = Vec::with_capacity(width * height);
            rows().for_each(|row| unpack(row, &mut words));
            Array3::from_shape_vec((1, height, width), words).ok().map(Pixels::U16)
        };
        match self.layout {
            Layout::Bytes => {
                let bytes = rows().collect::<Vec<_>>().concat();
                Array3::from_shape_vec((1, height, width), bytes).ok().map(Pixels::U8)
            }
            Layout::Words => words(&|row, words| {
                words.extend(row.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])));
            }),
            Layout::Stream => words(&|row, words| words.extend(unstream(row, self.bits, count))),
            Layout::Packed => words(&|row, words| words.extend(unpack(row, self.bits, count))),
            Layout::Rgb | Layout::Bgr => {
                let rgb = rows().collect::<Vec<_>>().concat();
                let order = if self.layout == Layout::Rgb { [0, 1, 2] } else { [2, 1, 0] };
                Some(Pixels::U8(Array3::from_shape_fn((3, height, width), |(plane, y, x)| {
                    rgb[3 * (y * width + x) + order[plane]]
                })))
            }
        }
    }
}

/// Pixels of so many bits from a stream of bits, the lowest first.
fn unstream(row: &[u8], bits: u8, count: usize) -> impl Iterator<Item = u16> {
    let mask = (1_u32 << bits) - 1;
    (0..count).map(move |i| {
        let (byte, shift) = (i * usize::from(bits) / 8, i * usize::from(bits) % 8);
        let at = |i: usize| u32::from(row.get(byte + i).copied().unwrap_or_default());
        let three = at(0) | at(1) << 8 | at(2) << 16;
        #[allow(clippy::cast_possible_truncation, reason = "masked to 14 bits at most")]
        let pixel = (three >> shift & mask) as u16;
        pixel
    })
}

/// Pixels of so many bits from groups of three bytes: eight bits of the first, the rest of both, eight bits of the second.
fn unpack(row: &[u8], bits: u8, count: usize) -> impl Iterator<Item = u16> {
    let low = bits - 8;
    let mask = (1_u16 << low) - 1;
    (0..count).map(move |i| {
        let group = i / 2 * 3;
        let at = |i: usize| u16::from(row.get(group + i).copied().unwrap_or_default());
        if i % 2 == 0 { at(0) << low | at(1) & mask } else { at(2) << low | at(1) >> 4 & mask }
    })
}

#[cfg(test)]
#[path = "pixel_tests.rs"]
mod tests;
