use ndarray::{Array3, arr3};

use super::*;

fn named(name: &str) -> PixelForm {
    FORMS.into_iter().chain([BGR8]).find(|form| form.name == name).unwrap()
}

fn pixels(name: &str, bytes: &[u8], size: (usize, usize), padding: usize) -> Option<Pixels> {
    named(name).pixels(bytes, size, padding)
}

fn row(words: &[u16]) -> Option<Pixels> {
    Array3::from_shape_vec((1, 1, words.len()), words.to_vec()).ok().map(Pixels::U16)
}

#[test]
fn the_numbers_of_the_formats_are_their_own_and_tell_their_size() {
    for (i, form) in FORMS.iter().enumerate() {
        let others = || FORMS.iter().chain([&BGR8]).skip(i + 1);
        assert!(others().all(|other| other.value != form.value && other.name != form.name), "{form:?}");
        // The standard puts the bits that a pixel takes in memory into the number.
        assert_eq!((form.value >> 16 & 0xff) as usize, form.bits_in_memory(), "{form:?}");
    }
}

/// One pixel with one bit set after the other, everywhere in a row, written by the words of the standard.
fn bit_for_bit(name: &str, write: impl Fn(&mut [u8], usize, u8)) {
    let form = named(name);
    let count = 7;
    for pixel in 0..count {
        for bit in 0..form.bits {
            let mut bytes = vec![0; (count * form.bits_in_memory()).div_ceil(8)];
            write(&mut bytes, pixel, bit);
            let mut expected = [0; 7];
            expected[pixel] = 1 << bit;
            assert_eq!(
                form.pixels(&bytes, (count, 1), 0),
                row(&expected),
                "{name}: pixel {pixel}, bit {bit}"
            );
        }
    }
}

fn in_a_stream(bits: usize) -> impl Fn(&mut [u8], usize, u8) {
    move |bytes, pixel, bit| {
        let at = pixel * bits + usize::from(bit);
        bytes[at / 8] |= 1 << (at % 8);
    }
}

fn in_groups(low: u8) -> impl Fn(&mut [u8], usize, u8) {
    move |bytes, pixel, bit| {
        let (group, second) = (pixel / 2 * 3, pixel % 2);
        match bit.checked_sub(low) {
            Some(high) => bytes[group + 2 * second] |= 1 << high,
            None => bytes[group + 1] |= 1 << (bit + if second == 1 { 4 } else { 0 }),
        }
    }
}

#[test]
fn every_packed_format_is_unpacked_bit_for_bit() {
    for family in ["Mono", "BayerGR", "BayerRG", "BayerGB", "BayerBG"] {
        bit_for_bit(&format!("{family}10p"), in_a_stream(10));
        bit_for_bit(&format!("{family}12p"), in_a_stream(12));
        bit_for_bit(&format!("{family}10Packed"), in_groups(2));
        bit_for_bit(&format!("{family}12Packed"), in_groups(4));
        for deep in [10, 12, 14, 16].map(|bits| format!("{family}{bits}")) {
            bit_for_bit(&deep, in_a_stream(16));
        }
    }
    bit_for_bit("Mono14p", in_a_stream(14));
}

#[test]
fn packed_pixels_are_those_of_the_standards_own_examples() {
    assert_eq!(pixels("Mono12Packed", &[0xab, 0x3c, 0x12], (2, 1), 0), row(&[0xabc, 0x123]));
    assert_eq!(pixels("Mono12p", &[0xbc, 0x3a, 0x12], (2, 1), 0), row(&[0xabc, 0x123]));
    assert_eq!(pixels("Mono10Packed", &[0xff, 0x21, 0x80], (2, 1), 0), row(&[0x3fd, 0x202]));
    assert_eq!(pixels("Mono10p", &[0xfd, 0x0b, 0x08], (2, 1), 0), row(&[0x3fd, 0x202]));
}

#[test]
fn rows_of_packed_pixels_meet_in_the_middle_of_a_byte_unless_there_is_padding() {
    let rows = |words: [[u16; 3]; 2]| Some(Pixels::U16(arr3(&[words])));
    let words = [[0xabc, 0x123, 0xdef], [0x456, 0x789, 0x0ab]];
    let tight = [0xbc, 0x3a, 0x12, 0xef, 0x6d, 0x45, 0x89, 0xb7, 0x0a];
    assert_eq!(pixels("Mono12p", &tight, (3, 2), 0), rows(words));
    let wide = [0xbc, 0x3a, 0x12, 0xef, 0x0d, 99, 0x56, 0x94, 0x78, 0xab, 0x00, 99];
    assert_eq!(pixels("Mono12p", &wide, (3, 2), 1), rows(words));
}

#[test]
fn bytes_and_words_are_as_they_are_and_padding_is_no_pixel() {
    let grey = pixels("Mono8", &[1, 2, 9, 9, 3, 4], (2, 2), 2);
    assert_eq!(grey, Some(Pixels::U8(arr3(&[[[1u8, 2], [3, 4]]]))));
    let grey = pixels("BayerBG8", &[1, 2, 3, 4], (2, 2), 0);
    assert_eq!(grey, Some(Pixels::U8(arr3(&[[[1u8, 2], [3, 4]]]))));
    assert_eq!(pixels("Mono16", &[0xff, 0x0f, 1, 0x80], (2, 1), 0), row(&[0x0fff, 0x8001]));
}

#[test]
fn colours_become_planes() {
    let bytes = [1, 2, 3, 4, 5, 6];
    let rgb = pixels("RGB8", &bytes, (2, 1), 0);
    assert_eq!(rgb, Some(Pixels::U8(arr3(&[[[1u8, 4]], [[2, 5]], [[3, 6]]]))));
    let bgr = pixels("BGR8", &bytes, (2, 1), 0);
    assert_eq!(bgr, Some(Pixels::U8(arr3(&[[[3u8, 6]], [[2, 5]], [[1, 4]]]))));
}

#[test]
fn an_image_that_is_not_whole_is_none() {
    for (name, bytes) in [("Mono8", 3), ("Mono16", 7), ("Mono12p", 5), ("Mono10Packed", 5), ("RGB8", 11)] {
        assert_eq!(pixels(name, &vec![0; bytes], (2, 2), 0), None, "{name}");
        assert!(pixels(name, &vec![0; bytes + 1], (2, 2), 0).is_some(), "{name}");
    }
    assert_eq!(pixels("Mono8", &[0; 4], (0, 2), 0), None);
}

#[test]
fn the_deepest_plain_format_of_the_sensor_comes_first() {
    let names = |names: &[&str], filters| {
        let values: Vec<i64> = names.iter().map(|name| i64::from(named(name).value)).chain([7]).collect();
        readable(&values, filters).into_iter().map(|form| form.name).collect::<Vec<_>>()
    };
    assert_eq!(
        names(&["RGB8", "Mono8", "BayerRG8", "Mono16"], false),
        ["Mono16", "Mono8", "BayerRG8", "RGB8"]
    );
    let colour = ["Mono16", "BayerRG8", "BayerRG12p", "BayerRG12Packed", "BayerRG12"];
    let expected = ["BayerRG12", "BayerRG12p", "BayerRG12Packed", "BayerRG8", "Mono16"];
    assert_eq!(names(&colour, true), expected);
}

#[test]
fn the_depth_is_that_of_the_converter_where_the_camera_tells_it() {
    let format = named("Mono16").capture_format(Some(12));
    assert_eq!((format.bits, format.adc_bits), (16, 12));
    assert_eq!(named("Mono8").capture_format(Some(12)).adc_bits, 8);
    assert_eq!(named("BayerGB10p").capture_format(None).adc_bits, 10);
    assert_eq!(named("BayerGB10p").capture_format(None).bayer.unwrap().pattern, "GBRG");
}
