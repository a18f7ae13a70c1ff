//! The BLOB that carries a frame, by either way, and the truth of what is in it.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rustix::fs::SealFlags;
use rustix::fs::{fcntl_get_seals, fstat, ftruncate};
use rustix::io::{Errno, pwrite};

use crate::support::{Blob, DEVICE, Driver, Element, Folder, Start, fits, fitsverify};
use crate::{
    BRIEF, SMALL, connected, connected_by, connected_by_pipes, connected_with, is_blob, press, take,
};

/// The one element in the one BLOB of an exposure.
fn one_blob(heard: Vec<Element>) -> Element {
    let mut blobs: Vec<Element> = heard.into_iter().filter(is_blob).collect();
    assert_eq!(blobs.len(), 1, "{blobs:?}");
    let mut blob = blobs.remove(0);
    assert_eq!((blob.attribute("device"), blob.attribute("name")), (DEVICE, "CCD1"));
    assert_eq!(blob.attribute("state"), "Ok");
    assert!(!blob.attribute("timestamp").is_empty());
    assert_eq!(blob.children.len(), 1, "{blob:?}");
    blob.children.remove(0)
}

/// The descriptor of a frame, and the size that was told with it.
fn attached(driver: &mut Driver) -> (OwnedFd, u64) {
    let mut one = one_blob(take(driver, BRIEF));
    assert_eq!(driver.unclaimed_fds(), 0, "more than one descriptor");
    let size = one.attribute("size").parse().unwrap();
    assert_eq!((one.attribute("name"), one.attribute("format"), &*one.text), ("CCD1", ".fits", ""));
    (one.fd.take().expect("a descriptor"), size)
}

fn assert_is_fits(blob: &Blob) {
    let image = fits(&blob.bytes);
    assert_eq!(image.shape, [SMALL.0 as usize, SMALL.1 as usize]);
    assert_eq!(image.units, 1);
    let folder = Folder::new();
    let path = folder.path().join("frame.fits");
    fs::write(&path, &blob.bytes).unwrap();
    fitsverify(&path);
}

fn set(driver: &mut Driver, vector: &str, values: &[(&str, &str)]) {
    driver.new_vector("Number", vector, values);
}

#[expect(clippy::disallowed_methods, reason = "the header is compared with a clock that is not the driver's")]
fn utc() -> Timestamp {
    Timestamp::try_from(SystemTime::now()).unwrap()
}

#[test]
fn on_a_socket_a_frame_is_exactly_one_descriptor() {
    let mut driver = connected();
    let (fd, size) = attached(&mut driver);
    // A file that is longer than what is told of it harms nobody; a shorter one is a SIGBUS for whoever maps it.
    assert!(File::from(fd).metadata().unwrap().len() >= size);
}

#[test]
fn memory_that_was_sent_can_never_change() {
    let mut driver = connected();
    let (fd, size) = attached(&mut driver);
    assert!(pwrite(&fd, b"x", 0).is_err());
    // What a client with more courage can get hold of.
    let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
    let fd = File::options().read(true).write(true).open(path).unwrap();
    assert_eq!(pwrite(&fd, b"x", 0), Err(Errno::PERM));
    assert_eq!(ftruncate(&fd, size - 1), Err(Errno::PERM));
    assert_eq!(ftruncate(&fd, fd.metadata().unwrap().len() + 1), Err(Errno::PERM));
    assert!(fcntl_get_seals(&fd).unwrap().contains(SealFlags::SEAL), "the seals could be broken");
}

#[test]
fn a_frame_that_somebody_holds_stays_as_it_is_while_others_follow() {
    let mut driver = connected();
    let (fd, size) = attached(&mut driver);
    let file = File::from(fd);
    let bytes = |file: &File| {
        let mut bytes = vec![0; usize::try_from(size).unwrap()];
        file.read_exact_at(&mut bytes, 0).unwrap();
        bytes
    };
    let before = bytes(&file);
    for _ in 0..6 {
        assert_ne!(driver.expose(BRIEF).bytes, before);
    }
    assert!(bytes(&file) == before);
}

#[test]
fn memory_that_everybody_has_closed_is_used_again() {
    let mut driver = connected();
    let files: BTreeSet<u64> = (0..8).map(|_| fstat(attached(&mut driver).0).unwrap().st_ino).collect();
    assert!(files.len() < 8, "each frame took new memory");
}

#[test]
fn two_frames_are_two_pieces_of_memory() {
    let mut driver = connected();
    let (first, second) = (attached(&mut driver).0, attached(&mut driver).0);
    assert_ne!(fstat(&first).unwrap().st_ino, fstat(&second).unwrap().st_ino);
}

#[test]
fn the_driver_lets_go_of_memory_that_it_has_sent() {
    let mut driver = connected();
    for _ in 0..8 {
        driver.expose(BRIEF);
    }
    let fds = fs::read_dir(format!("/proc/{}/fd", driver.pid())).unwrap();
    let targets = fds.filter_map(|fd| fs::read_link(fd.ok()?.path()).ok());
    let memory = targets.filter(|target| target.to_string_lossy().contains("memfd")).count();
    // One for the next frame, and one that may be on its way out.
    assert!(memory <= 2, "{memory} pieces of memory are held");
}

#[test]
fn between_pipes_a_frame_is_one_line_of_base64() {
    let mut driver = connected_by_pipes();
    let one = one_blob(take(&mut driver, BRIEF));
    // With enclen libindi's reader expects line breaks, and with those its decoder miscounts.
    assert_eq!(one.attribute("enclen"), "");
    assert_eq!(one.attribute("attached"), "");
    assert!(!one.text.contains(char::is_whitespace), "the text has gaps");
    let blob = driver.expose(BRIEF);
    assert!(!blob.attached);
    assert_eq!(blob.attributes["size"], blob.bytes.len().to_string());
}

#[test]
fn a_frame_longer_than_any_buffer_is_still_one_line() {
    let mut driver = connected_with(Start { link: crate::Link::Pipes, ..Start::default() }, (640, 480));
    let one = one_blob(take(&mut driver, BRIEF));
    let size: usize = one.attribute("size").parse().unwrap();
    assert!(size > 640 * 480 * 2);
    assert_eq!(one.text.len(), size.div_ceil(3) * 4);
    assert!(!one.text.contains(char::is_whitespace), "the text has gaps");
}

#[test]
fn inline_can_be_forced_on_a_socket() {
    let inline = vec![("INDI_CAMERA_BLOB", "inline".to_owned())];
    let mut driver = connected_by(Start { env: inline, ..Start::default() });
    let blob = driver.expose(BRIEF);
    assert!(!blob.attached);
    assert_eq!(driver.unclaimed_fds(), 0);
    assert_is_fits(&blob);
}

#[test]
fn cfitsio_and_fitsverify_find_no_fault_in_frames_by_either_way() {
    for mut driver in [connected(), connected_by_pipes()] {
        let blob = driver.expose(BRIEF);
        assert_is_fits(&blob);
    }
}

#[test]
fn the_same_sensor_gives_the_same_pixels_by_either_way() {
    let pixels = |mut driver: Driver| fits(&driver.expose(BRIEF).bytes).pixels;
    assert_eq!(pixels(connected()), pixels(connected_by_pipes()));
}

#[test]
fn the_header_says_what_was_asked() {
    let mut driver = connected();
    set(&mut driver, "CCD_FRAME", &[("X", "8"), ("Y", "4"), ("WIDTH", "34"), ("HEIGHT", "24")]);
    set(&mut driver, "CCD_BINNING", &[("HOR_BIN", "2"), ("VER_BIN", "3")]);
    set(&mut driver, "CCD_GAIN", &[("GAIN", "120")]);
    set(&mut driver, "CCD_OFFSET", &[("OFFSET", "55")]);
    press(&mut driver, "CCD_FRAME_TYPE", "FRAME_DARK");
    let image = fits(&driver.expose(0.05).bytes);
    assert_eq!(image.shape, [17, 8]);
    let numbers = [
        ("XBINNING", 2.0),
        ("YBINNING", 3.0),
        ("XORGSUBF", 4.0),
        ("YORGSUBF", 1.0),
        ("GAIN", 120.0),
        ("OFFSET", 55.0),
        ("EXPTIME", 0.05),
        ("BZERO", 32768.0),
    ];
    for (keyword, want) in numbers {
        assert_eq!(image.number(keyword), want, "{keyword}");
    }
    assert_eq!((image.get("FRAME"), image.get("IMAGETYP")), ("Dark", "Dark Frame"));
    assert_eq!(image.get("INSTRUME"), DEVICE);
    let told = driver.number("CCD_TEMPERATURE", "CCD_TEMPERATURE_VALUE");
    assert!((image.number("CCD-TEMP") - told).abs() < 0.5, "{} and {told}", image.get("CCD-TEMP"));
}

// Finding 23: libindi takes the time of the call for DATE-OBS, and there is no DATE-END.
#[test]
fn the_header_tells_when_the_shutter_was_open() {
    let mut driver = connected();
    let before = utc();
    let image = fits(&driver.expose(0.2).bytes);
    let after = utc();
    let time = |keyword: &str| {
        let time: DateTime = image.get(keyword).parse().unwrap();
        time.to_zoned(TimeZone::UTC).unwrap().timestamp()
    };
    let (opened, closed) = (time("DATE-OBS"), time("DATE-END"));
    assert!(before <= opened && closed <= after, "{before} {opened} {closed} {after}");
    assert!((closed - opened).total(jiff::Unit::Second).unwrap() >= 0.2, "{opened} {closed}");
}

#[test]
fn the_header_has_the_name_that_the_device_was_given() {
    let mut driver = connected_by(Start {
        device: "Guide Camera".to_owned(),
        env: vec![("INDIDEV", "Guide Camera".to_owned())],
        ..Start::default()
    });
    assert_eq!(fits(&driver.expose(BRIEF).bytes).get("INSTRUME"), "Guide Camera");
}

#[test]
fn eight_bit_sensors_give_bytes() {
    let mut driver = Driver::simulator();
    set(&mut driver, "SIMULATOR_SENSOR", &[("WIDTH", "64"), ("HEIGHT", "48"), ("BITS", "8")]);
    driver.connect();
    let blob = driver.expose(BRIEF);
    assert_eq!(fits(&blob.bytes).get("BITPIX"), "8");
    assert_is_fits(&blob);
}
