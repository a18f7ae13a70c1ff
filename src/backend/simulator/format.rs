//! The forms in which the simulated camera delivers its pixels: as its converter gives them, or the upper 8 bits.

use super::sensor::{PixelType, Sensor};
use crate::camera::types::{CaptureFormat, Pixels};

/// What a sensor can be read out as; the first one is everything that it gives.
pub(super) fn formats(sensor: &Sensor) -> Vec<CaptureFormat> {
    let (name, label) =
        if sensor.model.mosaic.pattern().is_some() { ("RAW", "Raw") } else { ("MONO", "Mono") };
    let depths: &[u8] = match sensor.pixel_type() {
        PixelType::U16 => &[16, 8],
        PixelType::U8 => &[8],
    };
    let format = |&bits: &u8| CaptureFormat {
        name: format!("INDI_{name}_{bits}"),
        label: format!("{label} {bits} bit"),
        bits,
        adc_bits: sensor.model.bits.min(bits),
        bayer: sensor.bayer(),
    };
    depths.iter().map(format).collect()
}

/// Values of `depth` bits in containers of `bits`.
pub(super) fn deliver(pixels: Pixels, depth: u8, bits: u8) -> Pixels {
    match pixels {
        #[allow(clippy::cast_possible_truncation, reason = "the upper 8 of `depth` bits")]
        Pixels::U16(words) if bits == 8 => Pixels::U8(words.mapv(|word| (word >> (depth - 8)) as u8)),
        pixels => pixels,
    }
}

#[cfg(test)]
mod tests {
    use ndarray::arr3;

    use super::super::model::Model;
    use super::super::mosaic::Mosaic;
    use super::super::presets;
    use super::*;

    #[test]
    fn formats_depend_on_the_sensor() {
        let names = |bits, mosaic| {
            let model = Model { width: 2, height: 2, bits, mosaic, ..presets::kaf8300() };
            let sensor = Sensor::new(model, 1);
            formats(&sensor).into_iter().map(|format| (format.name, format.bits)).collect::<Vec<_>>()
        };
        let format = |name: &str, bits| (name.to_owned(), bits);
        assert_eq!(names(12, Mosaic::Mono), [format("INDI_MONO_16", 16), format("INDI_MONO_8", 8)]);
        assert_eq!(names(16, Mosaic::Rggb), [format("INDI_RAW_16", 16), format("INDI_RAW_8", 8)]);
        assert_eq!(names(8, Mosaic::Mono), [format("INDI_MONO_8", 8)]);
    }

    #[test]
    fn eight_bits_are_the_upper_ones() {
        let words = || Pixels::U16(arr3(&[[[0u16, 15, 16, 4095]]]));
        assert_eq!(deliver(words(), 12, 8), Pixels::U8(arr3(&[[[0u8, 0, 1, 255]]])));
        assert_eq!(deliver(words(), 12, 16), words());
        let bytes = || Pixels::U8(arr3(&[[[7u8]]]));
        assert_eq!(deliver(bytes(), 8, 8), bytes());
    }
}
