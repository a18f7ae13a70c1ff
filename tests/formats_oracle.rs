//! Every format but plain FITS, read back bit for bit by programs that have not seen our encoders: compressed FITS by
//! CFITSIO, astropy and `fitsverify`, XISF by the crate `xisf`. The Debian packages `fitsverify` and
//! `python3-astropy` have to be there; without them these tests fail.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failure is a failed test")]

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use fitsio::FitsFile;
use fitsio::images::{ImageDescription, ImageType};
use indi_camera::image::header::{Card, CardValue};
use indi_camera::image::pack::Packed;
use indi_camera::image::xisf::Unit;
use indi_camera::image::{Pixels, fits, native};
use ndarray::Array3;

/// A directory that goes away with the value.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("indi-camera-formats-{}-{name}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Folder(path)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn packed(cards: &[Card], pixels: &Pixels) -> Vec<u8> {
    let packed = Packed::new(cards, pixels).unwrap();
    let mut out = vec![0xff; packed.len()];
    packed.write(&mut out).unwrap();
    out
}

fn bare(pixels: &Pixels) -> Vec<u8> {
    let mut out = vec![0xff; native::encoded_len(pixels)];
    native::encode(pixels, &mut out);
    out
}

fn xisf(cards: &[Card], pixels: &Pixels, compressed: bool) -> Vec<u8> {
    let created = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let unit = Unit::new(cards, pixels, created, compressed).unwrap();
    let mut out = vec![0xff; unit.len()];
    unit.write(&mut out).unwrap();
    out
}

/// Images of all containers and of every kind that a coder may stumble over, by name.
fn images() -> Vec<(String, Pixels)> {
    const SHAPES: [(usize, usize, usize); 7] =
        [(1, 1, 1), (1, 1, 2), (1, 2, 31), (1, 7, 33), (3, 5, 65), (3, 30, 40), (1, 300, 1001)];
    let mut images = Vec::new();
    for shape in SHAPES {
        let mut state = 7u32;
        let noise = Array3::from_shape_simple_fn(shape, || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state ^ state >> 15
        });
        // From silence to noise of all bits, each row a little louder, so that every choice of the coder occurs.
        let mut louder = noise.clone();
        louder.indexed_iter_mut().for_each(|((_, row, column), v)| *v >>= 31 - (row * 7 + column / 40) % 32);
        let mut extremes = noise.mapv(|v| if v & 0x100 == 0 { 0 } else { u32::MAX });
        extremes[(0, 0, 0)] = u32::MAX;
        // A star in silence: one difference that takes more than 32 bits in unary.
        let mut spike = Array3::from_elem(shape, 1 << 31);
        if let Some(v) = spike.iter_mut().nth(20) {
            *v = u32::MAX;
        }
        let constant = Array3::from_elem(shape, 0xabcd_ef01);
        let kinds = [
            ("noise", noise),
            ("louder", louder),
            ("extremes", extremes),
            ("spike", spike),
            ("constant", constant),
        ];
        for (kind, v) in kinds {
            let name = |bits| format!("{kind}-{bits}-{}-{}-{}", shape.0, shape.1, shape.2);
            images.push((name(8), Pixels::U8(v.mapv(|v| (v >> 24) as u8))));
            images.push((name(16), Pixels::U16(v.mapv(|v| (v >> 16) as u16))));
            // The quiet ones would be zeros if only their upper bits were seen.
            images.push((format!("low-{}", name(8)), Pixels::U8(v.mapv(|v| v as u8))));
            images.push((format!("low-{}", name(16)), Pixels::U16(v.mapv(|v| v as u16))));
            images.push((name(32), Pixels::U32(v)));
        }
    }
    images
}

/// Row by row, whatever the container.
fn values(pixels: &Pixels) -> Vec<u32> {
    match pixels {
        Pixels::U8(a) => a.iter().map(|&v| u32::from(v)).collect(),
        Pixels::U16(a) => a.iter().map(|&v| u32::from(v)).collect(),
        Pixels::U32(a) => a.iter().copied().collect(),
    }
}

fn axes(pixels: &Pixels) -> Vec<usize> {
    match pixels.shape() {
        (1, rows, columns) => vec![rows, columns],
        (planes, rows, columns) => vec![planes, rows, columns],
    }
}

#[test]
fn compressed_fits_comes_back_from_cfitsio() {
    let folder = Folder::new("cfitsio");
    for (name, pixels) in images() {
        let path = folder.write(&format!("{name}.fits.fz"), &packed(&[], &pixels));
        let mut file = FitsFile::open(&path).unwrap();
        let hdu = file.hdu(1).unwrap();
        match &hdu.info {
            fitsio::hdu::HduInfo::ImageInfo { shape, .. } => assert_eq!(*shape, axes(&pixels), "{name}"),
            other => panic!("{name}: {other:?}"),
        }
        assert!(hdu.read_image::<Vec<u32>>(&mut file).unwrap() == values(&pixels), "{name}");
    }
}

/// Opens every `.fits.fz` of a directory, its checksums too, and compares it with the bare pixels beside it.
const ASTROPY: &str = r#"
import glob, sys, warnings
import numpy as np
from astropy.io import fits
warnings.simplefilter('error')
files = glob.glob(sys.argv[1] + '/*.fits.fz')
for name in files:
    with fits.open(name, checksum=True, disable_image_compression=True) as table:
        table.verify('exception')
        [unit.data for unit in table]
    with fits.open(name) as units:
        image = units[1]
        assert isinstance(image, fits.CompImageHDU), name
        bits = abs(image.header['BITPIX'])
        bare = np.fromfile(name.replace('.fits.fz', '.bin'), '<u%d' % (bits // 8))
        assert image.data.dtype.kind == 'u' and image.data.dtype.itemsize == bits // 8, (name, image.data.dtype)
        assert np.array_equal(image.data.reshape(-1), bare), name
print(len(files))
"#;

#[test]
fn compressed_fits_comes_back_from_astropy() {
    let folder = Folder::new("astropy");
    // One of both 8 bit and one of both 16 bit variants is enough: it takes its time.
    let images: Vec<_> = images().into_iter().filter(|(name, _)| !name.starts_with("low-")).collect();
    for (name, pixels) in &images {
        folder.write(&format!("{name}.fits.fz"), &packed(&[], pixels));
        folder.write(&format!("{name}.bin"), &bare(pixels));
    }
    let output = Command::new("/usr/bin/python3").args(["-c", ASTROPY]).arg(&folder.0).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(said.trim(), images.len().to_string(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn verified(path: &Path) -> (bool, String) {
    let output = Command::new("fitsverify").arg(path).output().expect("install the package fitsverify");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.success() && said.contains("found 0 warning(s) and 0 error(s)"), said)
}

fn card(keyword: &str, value: CardValue) -> Card {
    Card { keyword: keyword.to_owned(), value: Some(value), comment: "a <comment> & \"more\"".to_owned() }
}

fn text(keyword: &str, value: &str) -> Card {
    card(keyword, CardValue::Text(value.to_owned()))
}

fn cards() -> Vec<Card> {
    vec![
        text("OBJECT", "Barnard's <star> & \"co\" \u{1f52d}\0"),
        text("FRAME", "Light"),
        text("BAYERPAT", "RGGB"),
        card("XBAYROFF", CardValue::Integer(1)),
        card("YBAYROFF", CardValue::Integer(0)),
        card("EXPTIME", CardValue::Real(0.1 + 0.2)),
        card("NOTHING", CardValue::Real(f64::NAN)),
        card("GUIDED", CardValue::Logical(true)),
        card("GAIN", CardValue::Integer(7)),
        card("GAIN", CardValue::Integer(100)),
        text("TTYPE1", "a table's"),
        text("ZCMPTYPE", "GZIP_1"),
        text("NAXIS1", "99"),
        Card { keyword: "COMMENT".to_owned(), value: None, comment: "words".to_owned() },
    ]
}

#[test]
fn compressed_fits_has_no_faults_and_its_whole_header() {
    let folder = Folder::new("header");
    for (name, pixels) in images() {
        let path = folder.write(&format!("{name}.fits.fz"), &packed(&cards(), &pixels));
        let (fine, said) = verified(&path);
        assert!(fine, "{name}: {said}");
        let mut file = FitsFile::open(&path).unwrap();
        let hdu = file.hdu(1).unwrap();
        let key = |file: &mut FitsFile, keyword: &str| hdu.read_key::<String>(file, keyword).ok();
        assert_eq!(key(&mut file, "OBJECT").as_deref(), Some("Barnard's <star> & \"co\" ??"), "{name}");
        assert_eq!(key(&mut file, "GAIN").as_deref(), Some("100"), "{name}");
        assert_eq!(key(&mut file, "TTYPE1").as_deref(), Some("COMPRESSED_DATA"), "{name}");
        assert_eq!(hdu.read_key::<f64>(&mut file, "EXPTIME").unwrap().to_bits(), (0.1f64 + 0.2).to_bits());
    }
}

/// That the verdict above means something.
#[test]
fn fitsverify_sees_a_flipped_bit() {
    let folder = Folder::new("flipped");
    let good = packed(&[], &Pixels::U16(Array3::from_elem((1, 40, 40), 1000)));
    for at in [fits::BLOCK - 500, 2 * fits::BLOCK - 500, 2 * fits::BLOCK + 8 * 40 + 1] {
        let mut bad = good.clone();
        bad[at] ^= 4;
        assert!(!verified(&folder.write(&format!("{at}.fits.fz"), &bad)).0, "byte {at}");
    }
}

/// The data of the second unit: from behind its header to the end.
fn table(file: &[u8]) -> &[u8] {
    let mut ends = file
        .chunks_exact(fits::BLOCK)
        .enumerate()
        .filter(|(_, block)| block.chunks_exact(80).any(|line| line.starts_with(b"END     ")));
    let (_, (second, _)) = (ends.next().unwrap(), ends.next().unwrap());
    &file[(second + 1) * fits::BLOCK..]
}

#[test]
fn compressed_fits_is_what_cfitsio_would_write() {
    let folder = Folder::new("fpack");
    for (name, pixels) in images() {
        let path = folder.0.join(format!("{name}.fits"));
        let data_type = match pixels {
            Pixels::U8(_) => ImageType::UnsignedByte,
            Pixels::U16(_) => ImageType::UnsignedShort,
            Pixels::U32(_) => ImageType::UnsignedLong,
        };
        let dimensions = axes(&pixels);
        let description = ImageDescription { data_type, dimensions: &dimensions };
        let create = format!("{}[compress R]", path.display());
        let mut file = FitsFile::create(create).open().unwrap();
        let hdu = file.create_image("EXTNAME", &description).unwrap();
        // It compresses only what comes in the image's own type.
        let written = match &pixels {
            Pixels::U8(a) => hdu.write_image(&mut file, a.as_slice().unwrap()),
            Pixels::U16(a) => hdu.write_image(&mut file, a.as_slice().unwrap()),
            Pixels::U32(a) => hdu.write_image(&mut file, a.as_slice().unwrap()),
        };
        written.unwrap_or_else(|error| panic!("{name}: {error}"));
        drop(file);
        let theirs = fs::read(&path).unwrap();
        let ours = packed(&[], &pixels);
        assert!(table(&ours) == table(&theirs), "{name}: {} and {} bytes", ours.len(), theirs.len());
        assert!(ours.len() <= theirs.len(), "{name}: {} and {} bytes", ours.len(), theirs.len());
    }
}

#[test]
fn xisf_comes_back() {
    for (name, pixels) in images() {
        for compressed in [false, true] {
            let bytes = xisf(&cards(), &pixels, compressed);
            let file = xisf::XisfFile::from_bytes(bytes.clone()).unwrap();
            let [image] = &file.images()[..] else { panic!("{name}: not one image") };
            let (planes, rows, columns) = pixels.shape();
            assert_eq!(image.geometry(), [columns as u64, rows as u64], "{name}");
            assert_eq!(image.channels(), planes as u64, "{name}");
            assert_eq!(image.color_space().name(), if planes == 3 { "RGB" } else { "Gray" }, "{name}");
            let came = match &pixels {
                Pixels::U8(_) => image.read::<u8>().unwrap().into_iter().map(u32::from).collect(),
                Pixels::U16(_) => image.read::<u16>().unwrap().into_iter().map(u32::from).collect(),
                Pixels::U32(_) => image.read::<u32>().unwrap(),
            };
            assert!(came == values(&pixels), "{name}");
            assert!(compressed || !image.is_compressed(), "{name}");
            let large = name.contains("constant") && bytes.len() > 20_000;
            assert!(!(compressed && large) || image.is_compressed(), "{name}");
        }
    }
}

#[test]
fn xisf_has_the_whole_header() {
    let pixels = Pixels::U16(Array3::zeros((1, 4, 6)));
    let file = xisf::XisfFile::from_bytes(xisf(&cards(), &pixels, true)).unwrap();
    let [image] = &file.images()[..] else { panic!("not one image") };
    assert_eq!(image.attributes().image_type.as_ref().map(|kind| kind.name()), Some("Light"));
    // The mosaic of the sensor is RGGB, and this image begins in its second column.
    let cfa = image.color_filter_array().unwrap();
    assert_eq!((cfa.pattern_string().as_str(), cfa.width, cfa.height), ("GRBG", 2, 2));
    let keywords = image.fits_keywords();
    let value = |keyword: &str| {
        let found: Vec<&str> = keywords
            .iter()
            .filter(|(name, ..)| name == keyword)
            .map(|(_, value, _)| value.as_str())
            .collect();
        assert!(found.len() < 2, "{keyword} twice");
        found.first().copied()
    };
    assert_eq!(value("OBJECT"), Some("'Barnard''s <star> & \"co\" ??'"));
    assert_eq!(value("GAIN"), Some("100"));
    assert_eq!(value("EXPTIME"), Some("0.30000000000000004"));
    assert_eq!(value("GUIDED"), Some("T"));
    assert_eq!(value("NOTHING"), None);
    assert_eq!(value("NAXIS1"), None);
    let comments = keywords.iter().filter(|(name, ..)| name == "COMMENT").map(|(_, _, words)| words.as_str());
    assert_eq!(comments.collect::<Vec<_>>(), ["words"]);
    assert_eq!(keywords[0].2, "a <comment> & \"more\"");
    assert_eq!(file.property("XISF:CreationTime").unwrap().as_str(), Some("2027-01-15T08:00:00Z"));
}

#[test]
fn a_mosaic_is_told_as_it_lies_on_the_image() {
    let pixels = Pixels::U8(Array3::zeros((1, 2, 2)));
    for (x, y, want) in
        [(0, 0, Some("RGBW")), (1, 0, Some("GRWB")), (0, 1, Some("BWRG")), (1, 1, Some("WBGR"))]
    {
        let cards = [
            text("BAYERPAT", "RGBW"),
            card("XBAYROFF", CardValue::Integer(x)),
            card("YBAYROFF", CardValue::Integer(y)),
        ];
        let file = xisf::XisfFile::from_bytes(xisf(&cards, &pixels, false)).unwrap();
        let cfa = file.images()[0].color_filter_array();
        assert_eq!(cfa.map(|cfa| cfa.pattern_string()).as_deref(), want, "{x}, {y}");
    }
    for pattern in ["", "RGG", "RGGBR", "R<GB"] {
        let file = xisf::XisfFile::from_bytes(xisf(&[text("BAYERPAT", pattern)], &pixels, false)).unwrap();
        assert!(file.images()[0].color_filter_array().is_none(), "{pattern}");
    }
}

#[test]
fn native_pixels_come_back_inflated() {
    for (name, pixels) in images() {
        let bytes = bare(&pixels);
        let width = usize::from(pixels.bits() / 8);
        let little = |item: &[u8]| item.iter().rev().fold(0, |value, &byte| value << 8 | u32::from(byte));
        assert!(bytes.chunks_exact(width).map(little).eq(values(&pixels)), "{name}");
        let mut inflated = Vec::new();
        let stream = native::deflated(&bytes).unwrap();
        flate2::read::ZlibDecoder::new(&*stream).read_to_end(&mut inflated).unwrap();
        assert!(inflated == bytes, "{name}");
    }
}
