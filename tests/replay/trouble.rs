//! Folders and files that cannot be replayed: one sentence that names them, and the camera goes on where it can.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use super::*;
use crate::support::Element;

/// Asks for a connection that is refused; what is said of it.
fn refused(folder: &Path) -> String {
    let mut driver = started(folder);
    driver.new_vector("Switch", "CONNECTION", &[("CONNECT", "On")]);
    driver.wait_for(|driver| driver.state("CONNECTION") == "Alert", SOON);
    assert_eq!(driver.get("CONNECTION", "CONNECT"), Some("Off"));
    let said: Vec<&String> = driver.messages.iter().filter(|said| said.contains("[ERROR]")).collect();
    assert_eq!(said.len(), 1, "{said:?}");
    said[0].clone()
}

#[track_caller]
fn says(sentence: &str, words: &[&str]) {
    for word in words {
        assert!(sentence.contains(word), "{word:?} is not in {sentence:?}");
    }
}

/// Takes a frame that fails; what is said of it.
fn fails(driver: &mut Driver) -> String {
    driver.messages.clear();
    driver.new_vector("Number", "CCD_EXPOSURE", &[("CCD_EXPOSURE_VALUE", &BRIEF.to_string())]);
    let is_end = |element: &Element| {
        element.is("setNumberVector", "CCD_EXPOSURE") && element.attribute("state") != "Busy"
    };
    let end = driver.until(is_end, SOON);
    assert_eq!(end.attribute("state"), "Alert", "{}", driver.report());
    assert_eq!(driver.messages.len(), 1, "{:?}", driver.messages);
    driver.messages[0].clone()
}

#[test]
fn a_folder_that_is_none_or_has_no_frames_is_refused() {
    let folder = Folder::new();
    let missing = folder.path().join("missing");
    says(&refused(&missing), &["cannot connect", "missing cannot be read", "No such file"]);
    says(&refused(Path::new("")), &["REPLAY_FOLDER", "INDI_CAMERA_REPLAY"]);
    fs::write(folder.path().join("notes.txt"), "no frame").unwrap();
    fs::create_dir(folder.path().join("older")).unwrap();
    write_words(&folder.path().join("older/a.fits"), SIZE, 1);
    says(&refused(folder.path()), &["has no FITS file in it", ".fits"]);
    // Said before anybody connects, too.
    let mut driver = started(&missing);
    driver.wait_for(|driver| driver.messages.iter().any(|said| said.contains("is no folder")), SOON);
}

#[test]
fn a_mixed_folder_is_refused_by_the_names_of_two_files() {
    let mixed = |other: &dyn Fn(&Path)| {
        let folder = Folder::new();
        write_words(&folder.path().join("a.fits"), SIZE, 1);
        write_words(&folder.path().join("b.fits"), SIZE, 1);
        other(&folder.path().join("c.fits"));
        refused(folder.path())
    };
    let (columns, rows) = SIZE;
    let sentence = mixed(&|path| drop(write_words(path, (rows, columns), 1)));
    says(
        &sentence,
        &["several cameras: a.fits has 24x18 pixels of 16 bit, c.fits has 18x24 pixels of 16 bit"],
    );
    let sentence = mixed(&|path| write(path, ImageType::UnsignedByte, &[rows, columns], &[1_u8; 24 * 18]));
    says(&sentence, &["a.fits has 24x18 pixels of 16 bit, c.fits has 24x18 pixels of 8 bit"]);
    let sentence = mixed(&|path| write(path, ImageType::Short, &[3, rows, columns], &[1_i16; 3 * 24 * 18]));
    says(&sentence, &["c.fits has 24x18 pixels of 16 bit in 3 colours"]);
    let sentence = mixed(&|path| {
        write_words(path, SIZE, 1);
        let mut file = FitsFile::edit(path).unwrap();
        file.primary_hdu().unwrap().write_key(&mut file, "BAYERPAT", "RGGB").unwrap();
    });
    says(&sentence, &["c.fits has 24x18 pixels of 16 bit under a mosaic RGGB"]);
}

#[test]
fn a_file_that_no_camera_could_have_sent_is_refused_by_its_name() {
    let with = |make: &dyn Fn(&Path)| {
        let folder = Folder::new();
        make(&folder.path().join("odd.fits"));
        let sentence = refused(folder.path());
        says(&sentence, &["odd.fits in "]);
        sentence
    };
    let flat = [SIZE.1, SIZE.0];
    says(&with(&|path| write(path, ImageType::Float, &flat, &[1_f32; 24 * 18])), &["fractions"]);
    says(&with(&|path| write(path, ImageType::LongLong, &flat, &[1_i64; 24 * 18])), &["64 bit"]);
    says(
        &with(&|path| write(path, ImageType::Short, &[5, 18, 24], &[1_i16; 5 * 24 * 18])),
        &["cube of 5 images"],
    );
    says(
        &with(&|path| write(path, ImageType::Short, &[3, 2, 18, 24], &[1_i16; 6 * 24 * 18])),
        &["4 dimensions"],
    );
    says(&with(&|path| drop(FitsFile::create(path).open().unwrap())), &["has no image"]);
    says(&with(&|path| fs::write(path, "no FITS at all").unwrap()), &["is no FITS file"]);
    says(&with(&|path| fs::write(path, "").unwrap()), &["is no FITS file"]);
    says(&with(&|path| fs::create_dir(path).unwrap()), &["is no file"]);
    says(&with(&|path| symlink("nowhere", path).unwrap()), &["cannot be read: No such file"]);
    // To open it would wait for a writer.
    let pipe = |path: &Path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    says(&with(&pipe), &["is no file"]);
    let short = |path: &Path| {
        write_words(path, SIZE, 1);
        cut(path);
    };
    says(&with(&short), &["is shorter than its header says"]);
    let gzip = |path: &Path| {
        let mut bytes = crate::damage::packed();
        let at = bytes.windows(8).position(|word| word == b"'RICE_1 ").unwrap();
        bytes[at..at + 8].copy_from_slice(b"'GZIP_1 ");
        fs::write(path, bytes).unwrap();
    };
    says(&with(&gzip), &["compressed by GZIP_1", "only RICE_1"]);
    // A header without end, and one that promises more than anybody has.
    says(
        &with(&|path| {
            fs::write(path, format!("{:<80}", "SIMPLE  =                    T").repeat(36)).unwrap()
        }),
        &["a header without end"],
    );
    let huge =
        ["SIMPLE  = T", "BITPIX  = 16", "NAXIS   = 2", "NAXIS1  = 900000000", "NAXIS2  = 900000000", "END"];
    let huge: String = huge.iter().map(|card| format!("{card:<80}")).collect();
    says(&with(&|path| fs::write(path, format!("{huge:<2880}")).unwrap()), &["810000000000000000 pixels"]);
}

/// Leaves a file without its last pixels.
fn cut(path: &Path) {
    fs::OpenOptions::new().write(true).open(path).unwrap().set_len(2880 + 300).unwrap();
}

#[test]
fn a_file_that_cannot_be_read_costs_one_exposure() {
    let folder = Folder::new();
    let path = |name: &str| folder.path().join(name);
    let first = write_words(&path("a.fits"), SIZE, 1);
    write_words(&path("b.fits"), SIZE, 1);
    let mut negative = [5_i16; 24 * 18];
    negative[100] = -1;
    write(&path("c.fits"), ImageType::Short, &[SIZE.1, SIZE.0], &negative);
    write_words(&path("d.fits"), SIZE, 1);
    write_words(&path("e.fits"), SIZE, 1);
    let last = write_words(&path("f.fits"), SIZE, 7);
    let mut driver = connected(folder.path());
    // What was looked at is not what is there any more.
    cut(&path("b.fits"));
    fs::remove_file(path("d.fits")).unwrap();
    fs::remove_file(path("e.fits")).unwrap();
    write_words(&path("e.fits"), (SIZE.1, SIZE.0), 1);

    assert_eq!(frame(&mut driver).pixels, first);
    says(&fails(&mut driver), &["the exposure failed", "b.fits is shorter than its header says"]);
    says(&fails(&mut driver), &["the exposure failed", "c.fits has pixels below 0"]);
    says(&fails(&mut driver), &["the exposure failed", "d.fits cannot be read: No such file"]);
    says(&fails(&mut driver), &["e.fits has 18x24 pixels of 16 bit now, and had 24x18"]);
    assert_eq!(frame(&mut driver).pixels, last);
    assert_eq!(frame(&mut driver).pixels, first);
    assert_eq!(driver.state("CONNECTION"), "Ok");
}

#[test]
fn the_end_of_the_folder_is_one_alert_and_no_frame() {
    let folder = Folder::new();
    write_words(&folder.path().join("a.fits"), SIZE, 1);
    let mut driver = started(folder.path());
    driver.new_vector("Switch", "REPLAY_REPEAT", &[("REPLAY_ONCE", "On")]);
    driver.connect();
    frame(&mut driver);
    for _ in 0..2 {
        says(&fails(&mut driver), &["all files of ", "have been replayed"]);
    }
    driver.new_vector("Switch", "REPLAY_REPEAT", &[("REPLAY_LOOP", "On")]);
    frame(&mut driver);
}

#[test]
fn another_folder_is_refused_while_the_camera_is_connected() {
    let folder = Folder::new();
    write_words(&folder.path().join("a.fits"), SIZE, 1);
    let mut driver = connected(folder.path());
    driver.new_vector("Text", "REPLAY_FOLDER", &[("FOLDER", "/nowhere")]);
    driver.wait_for(|driver| driver.state("REPLAY_FOLDER") == "Alert", SOON);
    assert_eq!(driver.get("REPLAY_FOLDER", "FOLDER"), Some(""));
    says(driver.messages.last().unwrap(), &["disconnect first"]);
    driver.new_vector("Text", "REPLAY_FOLDER", &[("FOLDER", "frames")]);
    driver.wait_for(|driver| driver.messages.last().is_some_and(|said| said.contains("begins with /")), SOON);
}
