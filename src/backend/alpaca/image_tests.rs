//! Frames as servers send them, down to the byte.

use ndarray::{Array3, arr3};

use super::*;

/// A frame as bytes: the lengths along its indices and its elements.
fn bytes(element: i32, lengths: &[i32], elements: &[u8]) -> Answer {
    let rank = i32::try_from(lengths.len()).unwrap();
    let mut words = vec![1, 0, 7, 8, 44, 2, element, rank];
    words.extend(lengths);
    words.resize(WORDS, 0);
    let mut body: Vec<u8> = words.iter().flat_map(|word: &i32| word.to_le_bytes()).collect();
    body.extend(elements);
    Answer { status: 200, content_type: IMAGE_BYTES.to_owned(), body }
}

fn text(body: &str) -> Answer {
    Answer { status: 200, content_type: "application/json".to_owned(), body: body.as_bytes().to_vec() }
}

#[track_caller]
fn is_nonsense(answer: &Answer, words: &str) {
    match decode(answer, (3, 2), 16) {
        Err(Fault::Nonsense(why)) => assert_eq!(why, words),
        other => panic!("{other:?} instead of {words}"),
    }
}

/// Two rows of three columns, column by column.
const SIX: [u16; 6] = [1, 40_000, 2, 50_000, 3, 65_535];

fn six() -> Pixels {
    Pixels::U16(arr3(&[[[1, 2, 3], [40_000, 50_000, 65_535]]]))
}

#[test]
fn columns_become_rows_in_every_type_of_element() {
    let elements = |f: &dyn Fn(u16) -> Vec<u8>| SIX.iter().flat_map(|v| f(*v)).collect::<Vec<u8>>();
    for (element, elements) in [
        (2, elements(&|v| i32::from(v).to_le_bytes().to_vec())),
        (3, elements(&|v| f64::from(v).to_le_bytes().to_vec())),
        (4, elements(&|v| f32::from(v).to_le_bytes().to_vec())),
        (5, elements(&|v| u64::from(v).to_le_bytes().to_vec())),
        (7, elements(&|v| i64::from(v).to_le_bytes().to_vec())),
        (8, elements(&|v| v.to_le_bytes().to_vec())),
        (9, elements(&|v| u32::from(v).to_le_bytes().to_vec())),
    ] {
        let pixels = decode(&bytes(element, &[3, 2], &elements), (3, 2), 16).unwrap().pixels;
        assert_eq!(pixels, six(), "type {element}");
    }
    let pixels = decode(&bytes(6, &[3, 2], &[1, 4, 2, 5, 3, 255]), (3, 2), 8).unwrap().pixels;
    assert_eq!(pixels, Pixels::U8(arr3(&[[[1, 2, 3], [4, 5, 255]]])));
}

#[test]
fn the_text_of_older_servers_is_the_same_frame() {
    let json = r#"{"Type":2,"Rank":2,"Value":[[1,40000],[2.0,5e4],[3,65535]],"ErrorNumber":0}"#;
    assert_eq!(decode(&text(json), (3, 2), 16).unwrap().pixels, six());
    let colour = r#"{"Rank":3,"Value":[[[1,2,3],[4,5,6]]],"ErrorNumber":0}"#;
    let pixels = decode(&text(colour), (1, 2), 8).unwrap().pixels;
    assert_eq!(pixels, Pixels::U8(arr3(&[[[1], [4]], [[2], [5]], [[3], [6]]])));
}

#[test]
fn colour_becomes_planes() {
    let elements: Vec<u8> = (1..=18).collect();
    let pixels = decode(&bytes(6, &[3, 2, 3], &elements), (3, 2), 8).unwrap().pixels;
    let plane = |p: u8| [[1 + p, 7 + p, 13 + p], [4 + p, 10 + p, 16 + p]];
    assert_eq!(pixels, Pixels::U8(arr3(&[plane(0), plane(1), plane(2)])));
}

#[test]
fn frames_larger_than_a_tile_and_of_odd_sizes_are_turned_exactly() {
    for (columns, rows) in [(1, 1), (1, 200), (200, 1), (63, 65), (64, 64), (129, 131)] {
        let value = |row: usize, column: usize| u16::try_from(row * columns + column).unwrap();
        let order = (0..columns).flat_map(|column| (0..rows).map(move |row| (row, column)));
        let elements: Vec<u8> = order.flat_map(|(row, column)| value(row, column).to_le_bytes()).collect();
        let lengths = [columns, rows].map(|length| i32::try_from(length).unwrap());
        let size = (u32::try_from(columns).unwrap(), u32::try_from(rows).unwrap());
        let pixels = decode(&bytes(8, &lengths, &elements), size, 16).unwrap().pixels;
        let expected = Array3::from_shape_fn((1, rows, columns), |(_, row, column)| value(row, column));
        assert_eq!(pixels, Pixels::U16(expected), "{columns}x{rows}");
    }
}

#[test]
fn a_value_that_does_not_fit_is_saturated_and_told_and_a_negative_one_is_0() {
    let of = |element, elements: Vec<u8>, bits| {
        let lengths = [i32::try_from(elements.len()).unwrap() / if element == 2 { 4 } else { 2 }, 1];
        let size = (u32::try_from(lengths[0]).unwrap(), 1);
        decode(&bytes(element, &lengths, &elements), size, bits).unwrap()
    };
    let words = |values: &[i32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let fits = |pixels| Image { pixels, cut: None };
    assert_eq!(of(2, words(&[-1, 255]), 8), fits(Pixels::U8(arr3(&[[[0, 255]]]))));
    let cut = |pixels, largest| Image { pixels, cut: Some(largest) };
    assert_eq!(of(2, words(&[-1, 256, 300]), 8), cut(Pixels::U8(arr3(&[[[0, 255, 255]]])), 300));
    let pixels = Pixels::U16(arr3(&[[[0, 65_535]]]));
    assert_eq!(of(2, words(&[i32::MIN, 65_536]), 16), cut(pixels, 65_536));
    assert_eq!(of(2, words(&[7, i32::MAX]), 32), fits(Pixels::U32(arr3(&[[[7, 0x7FFF_FFFF]]]))));
    let shorts: Vec<u8> = [-1_i16, 32_767].iter().flat_map(|v| v.to_le_bytes()).collect();
    assert_eq!(of(1, shorts.clone(), 16), fits(Pixels::U16(arr3(&[[[0, 32_767]]]))));
    assert_eq!(of(1, shorts, 8), cut(Pixels::U8(arr3(&[[[0, 255]]])), 32_767));
}

#[test]
fn an_image_that_is_none_is_refused_with_a_reason() {
    is_nonsense(&bytes(8, &[2, 3], &[0; 12]), "the image has 2x3 pixels, and 3x2 were asked for");
    is_nonsense(&bytes(8, &[3, 2], &[0; 11]), "11 bytes for 3x2x1 pixels of 2 bytes");
    is_nonsense(&bytes(8, &[3, 2, 4], &[0; 48]), "an image of 4 planes");
    is_nonsense(&bytes(8, &[3], &[0; 6]), "an image of 1 dimensions");
    is_nonsense(&bytes(0, &[3, 2], &[0; 12]), "an image of elements of type 0");
    is_nonsense(&bytes(8, &[-3, 2], &[0; 12]), "12 bytes for 0x2x1 pixels of 2 bytes");
    let huge = [i32::MAX, i32::MAX, 3];
    let words = "12 bytes for 2147483647x2147483647x3 pixels of 2 bytes";
    is_nonsense(&bytes(8, &huge, &[0; 12]), words);
    let mut version = bytes(8, &[3, 2], &[0; 12]);
    version.body[0] = 2;
    is_nonsense(&version, "an image in version 2 of its form");
    let mut start = bytes(8, &[3, 2], &[0; 12]);
    start.body[16] = 43;
    is_nonsense(&start, "an image that begins at byte 43");
    let short = Answer { body: vec![0; 43], ..start };
    is_nonsense(&short, "an image of 43 bytes");
    is_nonsense(&text(r#"{"Value":[[1],[2,3],[4,5]]}"#), "an image whose lists have different lengths");
    is_nonsense(&text(r#"{"Value":[1,2]}"#), "an image of 1 dimensions");
    is_nonsense(&text(r#"{"Value":[]}"#), "an image of 1 dimensions");
    assert!(decode(&text(r#"{"Value":[[["x"]]]}"#), (1, 1), 16).is_err());
    assert!(decode(&text(r#"{"Value":[[[[1]]]]}"#), (1, 1), 16).is_err());
}

#[test]
fn an_error_in_place_of_an_image_is_told() {
    let mut refused = bytes(8, &[], b"not ready");
    refused.body[4..8].copy_from_slice(&0x40B_i32.to_le_bytes());
    for answer in [refused, text(r#"{"ErrorNumber":1035,"ErrorMessage":"not ready"}"#)] {
        let error = decode(&answer, (3, 2), 16).unwrap_err().of("get_exposure_result", "a:1");
        assert_eq!(error.detail, "refused by the camera: not ready (ASCOM error 0x40B)");
    }
}
