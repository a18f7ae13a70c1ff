//! Every format that a client can choose, through the driver's process on both kinds of line, read back by others.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a failed step is a failed test")]

mod support;

use std::fs;
use std::io::Read;
use std::sync::Arc;

use support::{Blob, Driver, Element, Folder, Link, Peer, SOON, Start, fits};

/// Short, and the same for all: exposures are not what is tested.
const SECONDS: f64 = 0.01;

fn choose(peer: &mut Peer, vector: &str, element: &str) {
    peer.new_vector("Switch", vector, &[(element, "On")]);
    peer.wait_for(|peer| peer.get(vector, element) == Some("On") && peer.state(vector) == "Ok", SOON);
}

/// The simulator on such a line, connected.
fn start(link: Link, home: &Arc<Folder>) -> Driver {
    let mut driver = Driver::start(Start { link, home: Some(home.clone()), ..Start::default() });
    driver.connect();
    driver.wait_for(|driver| driver.vector("CCD_COMPRESSION").is_some(), SOON);
    driver
}

/// Pixels of 16 bits with the low byte first.
fn words(bytes: &[u8]) -> Vec<u32> {
    bytes.as_chunks().0.iter().map(|&word| u32::from(u16::from_le_bytes(word))).collect()
}

fn compressed_fits(bytes: &[u8]) -> Vec<u32> {
    let folder = Folder::new();
    let path = folder.path().join("image.fits.fz");
    fs::write(&path, bytes).unwrap();
    let mut file = fitsio::FitsFile::open(&path).unwrap();
    file.hdu(1).unwrap().read_image(&mut file).unwrap()
}

fn xisf(bytes: &[u8]) -> Vec<u32> {
    let file = xisf::XisfFile::from_bytes(bytes.to_vec()).unwrap();
    file.images()[0].read::<u16>().unwrap().into_iter().map(u32::from).collect()
}

fn inflated(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    flate2::read::ZlibDecoder::new(bytes).read_to_end(&mut plain).unwrap();
    plain
}

/// Sent as `format`, with a `size` that is true for whoever reads it by that.
fn check_wire(blob: &Blob, link: Link, format: &str) {
    let number = |name: &str| blob.attributes.get(name).map(|text| text.parse::<usize>().unwrap());
    assert_eq!(blob.attributes["format"], format);
    assert_eq!(blob.attached, link == Link::Socket, "{format}");
    let size = if format == ".bin.z" { inflated(&blob.bytes).len() } else { blob.bytes.len() };
    assert_eq!(number("size"), Some(size), "{format}");
    assert_eq!(number("len"), (link == Link::Socket).then_some(size), "{format}");
}

#[test]
fn every_format_brings_the_same_pixels_to_client_and_disk() {
    for link in [Link::Socket, Link::Pipes] {
        let home = Arc::new(Folder::new());
        let mut driver = start(link, &home);
        // Its frames are all the same.
        choose(&mut driver, "SIMULATOR_SCENE", "SCENE_TEST_PATTERN");
        choose(&mut driver, "UPLOAD_MODE", "UPLOAD_BOTH");
        let plain = fits(&driver.expose(SECONDS).bytes).pixels;
        assert!(plain.iter().any(|pixel| *pixel != plain[0]));

        let deflated = if link == Link::Socket { ".bin" } else { ".bin.z" };
        type Pixels = fn(&[u8]) -> Vec<u32>;
        let formats: [(&str, bool, &str, &str, Pixels); 6] = [
            ("FORMAT_FITS", false, ".fits", ".fits", |bytes| fits(bytes).pixels),
            ("FORMAT_FITS", true, ".fits.fz", ".fits.fz", compressed_fits),
            ("FORMAT_NATIVE", false, ".bin", ".bin", words),
            ("FORMAT_NATIVE", true, deflated, ".bin", words),
            ("FORMAT_XISF", false, ".xisf", ".xisf", xisf),
            ("FORMAT_XISF", true, ".xisf", ".xisf", xisf),
        ];
        for (number, (format, compressed, sent, suffix, pixels)) in formats.into_iter().enumerate() {
            choose(&mut driver, "CCD_TRANSFER_FORMAT", format);
            choose(&mut driver, "CCD_COMPRESSION", if compressed { "INDI_ENABLED" } else { "INDI_DISABLED" });
            let mut blob = driver.expose(SECONDS);
            check_wire(&blob, link, sent);
            if sent == ".bin.z" {
                blob.bytes = inflated(&blob.bytes);
            }
            assert!(pixels(&blob.bytes) == plain, "{format}, compressed: {compressed}");
            let packed = compressed && matches!(sent, ".fits.fz" | ".xisf");
            assert!(!packed || blob.bytes.len() < 2 * plain.len() * 3 / 4, "{} bytes", blob.bytes.len());
            let path = driver.get("CCD_FILE_PATH", "FILE_PATH").unwrap();
            assert!(path.ends_with(&format!("IMAGE_{:03}{suffix}", number + 2)), "{path}");
            assert!(fs::read(path).unwrap() == blob.bytes, "{path}");
        }
    }
}

#[test]
fn the_capture_format_decides_the_depth() {
    let mut driver = start(Link::Socket, &Arc::new(Folder::new()));
    choose(&mut driver, "SIMULATOR_SCENE", "SCENE_TEST_PATTERN");
    driver.new_vector("Number", "CCD_OFFSET", &[("OFFSET", "1000")]);
    let full = fits(&driver.expose(SECONDS).bytes);
    choose(&mut driver, "CCD_CAPTURE_FORMAT", "INDI_MONO_8");
    driver.wait_for(|driver| driver.get("CCD_INFO", "CCD_BITSPERPIXEL") == Some("8"), SOON);
    let upper = fits(&driver.expose(SECONDS).bytes);
    assert_eq!((full.get("BITPIX"), upper.get("BITPIX")), ("16", "8"));
    assert!(upper.pixels.iter().eq(full.pixels.iter().map(|pixel| pixel >> 8).collect::<Vec<_>>().iter()));
}

/// libindi attaches the buffer that the camera writes to; sealed by that, it kills the driver with the next frame.
// Finding 1: libindi attaches the buffer that its next exposure is written to, which seals it, and its process ends.
#[test]
fn finding_1_consecutive_native_frames_are_intact_and_the_driver_lives() {
    let mut driver = start(Link::Socket, &Arc::new(Folder::new()));
    choose(&mut driver, "CCD_TRANSFER_FORMAT", "FORMAT_NATIVE");
    let frame = |driver: &mut Driver| -> Element {
        driver.new_vector("Number", "CCD_EXPOSURE", &[("CCD_EXPOSURE_VALUE", &SECONDS.to_string())]);
        let blob = driver.until(|element| element.is("setBLOBVector", "CCD1"), SOON);
        driver.wait_for(|driver| driver.state("CCD_EXPOSURE") == "Ok", SOON);
        blob
    };
    // Held as a client does that is slow to look at them.
    let held: Vec<Element> = (0..4).map(|_| frame(&mut driver)).collect();
    let native: Vec<Vec<u32>> = held.into_iter().map(|element| words(&element.blob().bytes)).collect();
    assert!(native.is_sorted_by(|a, b| a != b), "two frames are the same");

    // The same exposures once more: noise and stars depend on the number of the frame since connecting.
    driver.new_vector("Switch", "CONNECTION", &[("DISCONNECT", "On")]);
    driver.wait_for(|driver| driver.vector("CCD1").is_none(), SOON);
    driver.connect();
    choose(&mut driver, "CCD_TRANSFER_FORMAT", "FORMAT_FITS");
    for (number, native) in native.iter().enumerate() {
        assert!(fits(&driver.expose(SECONDS).bytes).pixels == *native, "frame {number}");
    }
    assert!(driver.is_running());
}

#[test]
fn a_stored_format_comes_back_when_it_is_asked_for() {
    let home = Arc::new(Folder::new());
    let mut driver = start(Link::Socket, &home);
    choose(&mut driver, "CCD_TRANSFER_FORMAT", "FORMAT_NATIVE");
    choose(&mut driver, "CCD_COMPRESSION", "INDI_ENABLED");
    choose(&mut driver, "CCD_CAPTURE_FORMAT", "INDI_MONO_8");
    let press = |driver: &mut Driver, button: &str| {
        driver.new_vector("Switch", "CONFIG_PROCESS", &[(button, "On")]);
        driver.wait_for(|driver| driver.state("CONFIG_PROCESS") == "Ok", SOON);
    };
    press(&mut driver, "CONFIG_SAVE");
    driver.close();
    driver.wait(SOON);

    let mut driver = start(Link::Socket, &home);
    // PHD2 says nothing about it and needs plain FITS.
    assert_eq!(driver.get("CCD_TRANSFER_FORMAT", "FORMAT_FITS"), Some("On"));
    assert_eq!(driver.get("CCD_COMPRESSION", "INDI_DISABLED"), Some("On"));
    driver.wait_for(|driver| driver.get("CCD_CAPTURE_FORMAT", "INDI_MONO_8") == Some("On"), SOON);
    assert_eq!(driver.expose(SECONDS).attributes["format"], ".fits");
    press(&mut driver, "CONFIG_LOAD");
    driver.wait_for(|driver| driver.get("CCD_TRANSFER_FORMAT", "FORMAT_NATIVE") == Some("On"), SOON);
    driver.wait_for(|driver| driver.get("CCD_COMPRESSION", "INDI_ENABLED") == Some("On"), SOON);
    assert_eq!(driver.expose(SECONDS).attributes["format"], ".bin");
}
