//! Everything we write is read back by CFITSIO and found free of faults by `fitsverify`, which also checks the
//! checksums. `fitsverify` is the Debian package of that name; without it these tests fail.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failure is a failed test")]

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, SystemTime};

use fitsio::FitsFile;
use fitsio::headers::ReadsKey;
use fitsio::images::ReadImage;
use indi_camera::image::header::{self, Card, CardValue, Snapshot};
use indi_camera::image::pointing::Circumstances;
use indi_camera::image::{Bayer, Binning, FrameInfo, FrameType, Pixels, Roi, fits};
use ndarray::Array3;

/// A file that goes away with the value.
struct Written(PathBuf);

impl Written {
    fn new(name: &str, bytes: &[u8]) -> Self {
        let path =
            std::env::temp_dir().join(format!("indi-camera-oracle-{}-{name}.fits", std::process::id()));
        fs::write(&path, bytes).unwrap();
        Written(path)
    }

    fn open(&self) -> FitsFile {
        FitsFile::open(&self.0).unwrap()
    }

    fn pixels<T: ReadImage>(&self) -> T {
        let mut file = self.open();
        file.primary_hdu().unwrap().read_image(&mut file).unwrap()
    }

    fn key<T: ReadsKey>(&self, keyword: &str) -> T {
        let mut file = self.open();
        file.primary_hdu()
            .unwrap()
            .read_key(&mut file, keyword)
            .unwrap_or_else(|error| panic!("{keyword}: {error}"))
    }

    /// What fitsverify says, and whether it found neither errors nor warnings.
    fn verified(&self) -> (bool, String) {
        let output =
            Command::new("fitsverify").arg(&self.0).output().expect("install the package fitsverify");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.success() && said.contains("found 0 warning(s) and 0 error(s)"), said)
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn encode(cards: &[Card], pixels: &Pixels) -> Vec<u8> {
    let mut bytes = vec![0xff; fits::encoded_len(cards, pixels)];
    fits::encode(cards, pixels, &mut bytes).unwrap();
    bytes
}

fn write(name: &str, cards: &[Card], pixels: &Pixels) -> Written {
    let file = Written::new(name, &encode(cards, pixels));
    let (fine, said) = file.verified();
    assert!(fine, "{name}: {said}");
    file
}

/// Any values, with both ends of the range among them.
fn noise(shape: (usize, usize, usize)) -> Array3<u32> {
    let mut state = 7u32;
    let mut pixels = Array3::from_shape_simple_fn(shape, || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state
    });
    if let Some(first) = pixels.first_mut() {
        *first = u32::MAX;
    }
    if let Some(second) = pixels.iter_mut().nth(1) {
        *second = 0;
    }
    pixels
}

const SHAPES: [(usize, usize, usize); 7] =
    [(1, 1, 1), (1, 1, 2), (1, 7, 13), (1, 48, 64), (3, 1, 1), (3, 5, 17), (3, 30, 40)];

#[test]
fn pixels_come_back() {
    for shape in SHAPES {
        let name = |bits: u8| format!("{bits}-{}-{}-{}", shape.0, shape.1, shape.2);
        let pixels = noise(shape);
        let (bytes, words) = (pixels.mapv(|v| (v >> 24) as u8), pixels.mapv(|v| (v >> 16) as u16));
        let axes = if shape.0 == 1 { vec![shape.1, shape.2] } else { vec![shape.0, shape.1, shape.2] };
        let check_shape = |file: &Written| match file.open().primary_hdu().unwrap().info {
            fitsio::hdu::HduInfo::ImageInfo { shape, .. } => assert_eq!(shape, axes),
            other => panic!("{other:?}"),
        };

        let file = write(&name(8), &[], &Pixels::U8(bytes.clone()));
        check_shape(&file);
        assert_eq!(file.pixels::<Vec<u8>>(), bytes.into_raw_vec_and_offset().0);
        let file = write(&name(16), &[], &Pixels::U16(words.clone()));
        check_shape(&file);
        assert_eq!(file.pixels::<Vec<u16>>(), words.into_raw_vec_and_offset().0);
        let file = write(&name(32), &[], &Pixels::U32(pixels.clone()));
        check_shape(&file);
        assert_eq!(file.pixels::<Vec<u32>>(), pixels.into_raw_vec_and_offset().0);
    }
}

#[test]
fn one_value_everywhere_comes_back() {
    for value in [0, u16::MAX, 0x8000] {
        let file = write(&format!("flat-{value}"), &[], &Pixels::U16(Array3::from_elem((1, 9, 11), value)));
        assert_eq!(file.pixels::<Vec<u16>>(), vec![value; 99]);
    }
    for value in [0, u8::MAX] {
        let file = write(&format!("flat8-{value}"), &[], &Pixels::U8(Array3::from_elem((1, 9, 11), value)));
        assert_eq!(file.pixels::<Vec<u8>>(), vec![value; 99]);
    }
    for value in [0, u32::MAX] {
        let file = write(&format!("flat32-{value}"), &[], &Pixels::U32(Array3::from_elem((1, 9, 11), value)));
        assert_eq!(file.pixels::<Vec<u32>>(), vec![value; 99]);
    }
}

#[test]
fn the_whole_header_comes_back() {
    let started = SystemTime::UNIX_EPOCH + Duration::from_millis(1_800_000_000_250);
    let roi = Roi { x: 3, y: 2, width: 12, height: 10 };
    let snapshot = Snapshot {
        id: String::new(),
        instrument: "Observer's Camera".to_owned(),
        requested: Duration::from_micros(3_000_001),
        frame_type: FrameType::Dark,
        roi,
        binning: Binning::NONE,
        sensor: (20, 20),
        pixel_size: Some((3.76, 3.8)),
        bayer: Some(Bayer { pattern: "GRBG".to_owned(), offset_x: 0, offset_y: 0 }),
        circumstances: Circumstances { telescope: Some("C 11".to_owned()), ..Circumstances::default() },
        orientation: None,
        further: vec![text("OBJECT", "M 31"), text("TELESCOP", "RASA")],
    };
    let info = FrameInfo {
        gain: Some(100),
        offset: Some(-5),
        temperature: Some(-10.1),
        ..FrameInfo::new(started, Duration::from_secs(3), roi)
    };
    let cards = header::cards(&snapshot, &info, 1);
    let file = write("header", &cards, &Pixels::U16(Array3::zeros((1, 10, 12))));
    for (keyword, want) in [
        ("ROWORDER", "TOP-DOWN"),
        ("INSTRUME", "Observer's Camera"),
        ("TELESCOP", "RASA"),
        ("FRAME", "Dark"),
        ("IMAGETYP", "Dark Frame"),
        ("BAYERPAT", "GRBG"),
        ("TIMESYS", "UTC"),
        ("DATE-OBS", "2027-01-15T08:00:00.250000"),
        ("DATE-AVG", "2027-01-15T08:00:01.750000"),
        ("DATE-END", "2027-01-15T08:00:03.250000"),
        ("OBJECT", "M 31"),
    ] {
        assert_eq!(file.key::<String>(keyword), want, "{keyword}");
    }
    for (keyword, want) in [
        ("EXPTIME", 3.000_001),
        ("DARKTIME", 3.000_001),
        ("CCD-TEMP", -10.1),
        ("PIXSIZE1", 3.76),
        ("PIXSIZE2", 3.8),
        ("XPIXSZ", 3.76),
        ("YPIXSZ", 3.8),
    ] {
        assert_eq!(file.key::<f64>(keyword).to_bits(), f64::to_bits(want), "{keyword}");
    }
    for (keyword, want) in [
        ("XBINNING", 1),
        ("YBINNING", 1),
        ("XORGSUBF", 3),
        ("YORGSUBF", 2),
        ("XBAYROFF", 1),
        ("YBAYROFF", 0),
        ("GAIN", 100),
        ("OFFSET", -5),
    ] {
        assert_eq!(file.key::<i64>(keyword), want, "{keyword}");
    }
}

fn text(keyword: &str, value: &str) -> Card {
    let value = Some(CardValue::Text(value.to_owned()));
    Card { keyword: keyword.to_owned(), value, comment: "from a user".to_owned() }
}

fn real(keyword: &str, value: f64) -> Card {
    Card { value: Some(CardValue::Real(value)), ..text(keyword, "") }
}

#[test]
fn doubles_come_back_to_the_last_bit() {
    let values = [
        0.0,
        1.0,
        -1.0,
        1.0 / 3.0,
        1e16,
        123_456_789.123_456_78,
        f64::MIN_POSITIVE,
        f64::MIN,
        f64::MAX,
        1e-5,
        9.999e-6,
    ];
    let cards: Vec<Card> =
        values.iter().enumerate().map(|(n, &value)| real(&format!("REAL{n}"), value)).collect();
    let file = write("reals", &cards, &Pixels::U8(Array3::zeros((1, 1, 1))));
    for (n, value) in values.into_iter().enumerate() {
        assert_eq!(file.key::<f64>(&format!("REAL{n}")).to_bits(), value.to_bits(), "{value:e}");
    }
}

#[test]
fn no_card_can_break_the_file() {
    let commentary = |keyword: &str, comment: &str| Card {
        keyword: keyword.to_owned(),
        value: None,
        comment: comment.to_owned(),
    };
    let cards = [
        text("QUOTES", "'''"),
        text("UMLAUT", "M\u{fc}nchen \u{1f52d}\t\0\x1b"),
        text("LONG", &"it's ".repeat(30)),
        text("EMPTY", ""),
        text("lower", "case"),
        text("far too long a keyword", "x"),
        text("SP ACE", "x"),
        text("", "x"),
        text("SIMPLE", "F"),
        text("NAXIS1", "99999"),
        text("BITPIX", "-64"),
        text("END", ""),
        text("CHECKSUM", "0"),
        text("BLANK", "0"),
        text("CONTINUE", "x"),
        text("XTENSION", "IMAGE"),
        real("NAN", f64::NAN),
        real("INF", f64::INFINITY),
        text("TWICE", "first"),
        text("TWICE", "second"),
        commentary("COMMENT", &"words ".repeat(100)),
        commentary("HISTORY", "one\ntwo\u{7f}"),
        commentary("OBJECT", "without a value"),
        Card { value: Some(CardValue::Integer(i64::MIN)), ..text("INTEGER", "") },
        Card { value: Some(CardValue::Logical(false)), comment: "c".repeat(200), ..text("LOGICAL", "") },
    ];
    let file = write("hostile", &cards, &Pixels::U16(noise((1, 3, 5)).mapv(|v| (v >> 16) as u16)));
    assert_eq!(file.key::<String>("QUOTES"), "'''");
    assert_eq!(file.key::<String>("UMLAUT"), "M?nchen ????");
    assert!(file.key::<String>("LONG").starts_with("it's it's it's "));
    assert_eq!(file.key::<String>("LOWER"), "case");
    assert_eq!(file.key::<String>("TWICE"), "second");
    assert_eq!(file.key::<i64>("NAXIS1"), 5);
    assert_eq!(file.key::<i64>("INTEGER"), i64::MIN);
}

/// That the verdicts above mean something.
#[test]
fn fitsverify_sees_a_flipped_bit() {
    let good = encode(&[], &Pixels::U16(Array3::from_elem((1, 40, 40), 1000)));
    for at in [fits::BLOCK - 500, fits::BLOCK + 100] {
        let mut bad = good.clone();
        bad[at] ^= 4;
        assert!(!Written::new(&format!("flipped-{at}"), &bad).verified().0, "byte {at}");
    }
}
