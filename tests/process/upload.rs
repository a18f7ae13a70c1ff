//! Frames that are stored where the driver runs.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Driver, Element, Folder, SOON, Start, fits, fitsverify};
use crate::watch::{Change, Watch};
use crate::{
    BRIEF, begin, connected, connected_by, connected_with, count, is_blob, press, take, until_quiet,
};

/// Says where files go, and whether the client gets a copy.
pub(crate) fn store(driver: &mut Driver, mode: &str, directory: &Path) {
    let directory = directory.to_str().unwrap();
    let settings = [("UPLOAD_DIR", directory), ("UPLOAD_PREFIX", "shot_XXX")];
    driver.new_vector("Text", "UPLOAD_SETTINGS", &settings);
    press(driver, "UPLOAD_MODE", mode);
    until_quiet(driver);
    assert_eq!((driver.state("UPLOAD_SETTINGS"), driver.state("UPLOAD_MODE")), ("Ok", "Ok"));
}

/// A directory, and a driver that has begun to write the file of a frame there.
pub(crate) fn caught_storing() -> (Folder, Driver) {
    let folder = Folder::in_memory();
    let mut driver = connected_with(Start::default(), (1024, 1024));
    store(&mut driver, "UPLOAD_LOCAL", folder.path());
    let mut watch = Watch::new(folder.path());
    begin(&mut driver, BRIEF);
    watch.until(Change::is_draft);
    (folder, driver)
}

fn is_path(element: &Element) -> bool {
    element.is("setTextVector", "CCD_FILE_PATH")
}

/// The position of the only element that is wanted.
fn place(heard: &[Element], wanted: impl Fn(&Element) -> bool) -> usize {
    assert_eq!(count(heard, &wanted), 1, "{heard:?}");
    heard.iter().position(wanted).unwrap()
}

/// A place where no directory can be made.
fn impossible(folder: &Folder) -> PathBuf {
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    file.join("pictures")
}

// Finding 24: libindi writes into the file that has the final name already.
#[test]
fn a_file_has_its_name_only_when_it_is_complete() {
    let folder = Folder::in_memory();
    let mut driver = connected();
    store(&mut driver, "UPLOAD_LOCAL", folder.path());
    let mut watch = Watch::new(folder.path());
    begin(&mut driver, BRIEF);
    let changes = watch.until(Change::is_file);
    assert_eq!(changes.last(), Some(&Change::Renamed("shot_001.fits".to_owned())));
    assert!(changes[..changes.len() - 1].iter().all(Change::is_draft), "{changes:?}");
    fitsverify(&folder.path().join("shot_001.fits"));
    driver.wait_for(|peer| peer.state("CCD_EXPOSURE") == "Ok", SOON);
    assert_eq!(folder.list(""), ["shot_001.fits"]);
}

#[test]
fn the_path_is_told_before_the_exposure_ends() {
    let folder = Folder::in_memory();
    let mut driver = connected();
    for (mode, blobs) in [("UPLOAD_LOCAL", 0), ("UPLOAD_BOTH", 1)] {
        store(&mut driver, mode, folder.path());
        let heard = take(&mut driver, BRIEF);
        let path = &heard[place(&heard, is_path)];
        assert_eq!(path.attribute("state"), "Ok");
        fitsverify(Path::new(path.value("FILE_PATH").unwrap()));
        assert_eq!(count(&heard, is_blob), blobs, "{mode}");
        assert_eq!(driver.state("CCD_EXPOSURE"), "Ok");
    }
}

#[test]
fn both_copies_are_the_same() {
    let folder = Folder::in_memory();
    let mut driver = connected();
    store(&mut driver, "UPLOAD_BOTH", folder.path());
    let blob = driver.expose(BRIEF);
    assert_eq!(fs::read(driver.get("CCD_FILE_PATH", "FILE_PATH").unwrap()).unwrap(), blob.bytes);
}

#[test]
fn the_directory_is_made_and_the_index_goes_on_even_after_a_restart() {
    let folder = Folder::in_memory();
    let directory = folder.path().join("of/the/night");
    for names in
        [&["shot_001.fits", "shot_002.fits"][..], &["shot_001.fits", "shot_002.fits", "shot_003.fits"]]
    {
        let mut driver = connected();
        store(&mut driver, "UPLOAD_LOCAL", &directory);
        while folder.list("of/the/night").len() < names.len() {
            take(&mut driver, BRIEF);
            assert_eq!(driver.state("CCD_EXPOSURE"), "Ok");
        }
        assert_eq!(folder.list("of/the/night"), names);
        let last = directory.join(names[names.len() - 1]);
        assert_eq!(driver.get("CCD_FILE_PATH", "FILE_PATH"), last.to_str());
    }
}

#[test]
fn files_go_to_the_home_directory_unless_told_otherwise() {
    let mut driver = connected();
    press(&mut driver, "UPLOAD_MODE", "UPLOAD_LOCAL");
    take(&mut driver, BRIEF);
    driver.new_vector("Text", "UPLOAD_SETTINGS", &[("UPLOAD_DIR", "_HOME_/night")]);
    take(&mut driver, BRIEF);
    assert_eq!(driver.home().list("night"), ["IMAGE_001.fits"]);
    assert!(driver.home().list("").contains(&"IMAGE_001.fits".to_owned()));
}

#[test]
fn a_frame_that_cannot_be_stored_is_one_alert_and_one_sentence() {
    let folder = Folder::in_memory();
    let mut driver = connected();
    store(&mut driver, "UPLOAD_LOCAL", &impossible(&folder));
    let heard = take(&mut driver, BRIEF);
    assert_eq!(driver.state("CCD_EXPOSURE"), "Alert");
    assert_eq!(heard[place(&heard, is_path)].attribute("state"), "Alert");
    let sentence = heard[place(&heard, |element| element.tag == "message")].attribute("message");
    assert!(sentence.starts_with("[ERROR] the frame was not saved"), "{sentence}");
    assert!(sentence.contains(folder.path().to_str().unwrap()), "{sentence}");
    assert_eq!(count(&heard, is_blob), 0);
    // The next one is welcome.
    store(&mut driver, "UPLOAD_LOCAL", folder.path());
    take(&mut driver, BRIEF);
    assert_eq!((driver.state("CCD_EXPOSURE"), driver.state("CCD_FILE_PATH")), ("Ok", "Ok"));
}

// Finding 24: libindi loses the frame for the client too.
#[test]
fn a_failed_save_does_not_cost_the_client_its_copy() {
    let folder = Folder::in_memory();
    let mut driver = connected();
    store(&mut driver, "UPLOAD_BOTH", &impossible(&folder));
    let mut heard = take(&mut driver, BRIEF);
    assert_eq!((driver.state("CCD_EXPOSURE"), driver.state("CCD_FILE_PATH")), ("Alert", "Alert"));
    assert_eq!(count(&heard, |element| element.tag == "message"), 1);
    let blob = heard.remove(place(&heard, is_blob)).blob();
    assert_eq!(fits(&blob.bytes).shape, [64, 48]);
}

#[test]
fn an_aborted_exposure_leaves_no_file() {
    let folder = Folder::in_memory();
    let mut driver = connected();
    store(&mut driver, "UPLOAD_LOCAL", folder.path());
    begin(&mut driver, 1.0);
    press(&mut driver, "CCD_ABORT_EXPOSURE", "ABORT");
    until_quiet(&mut driver);
    assert_eq!(driver.state("CCD_EXPOSURE"), "Idle");
    // By the end of a longer one the aborted one would have been stored.
    take(&mut driver, 1.1);
    let path = driver.get("CCD_FILE_PATH", "FILE_PATH").unwrap();
    assert_eq!(fits(&fs::read(path).unwrap()).number("EXPTIME"), 1.1);
    assert_eq!(folder.list("").len(), 1);
}

#[test]
fn a_driver_killed_while_storing_leaves_no_half_file_and_its_successor_goes_on() {
    let (folder, mut driver) = caught_storing();
    driver.signal(rustix::process::Signal::KILL);
    driver.wait(SOON);
    assert_only_whole_files(&folder);
    let mut driver = connected_by(Start { home: Some(driver.home().clone()), ..Start::default() });
    store(&mut driver, "UPLOAD_LOCAL", folder.path());
    take(&mut driver, BRIEF);
    assert_eq!(driver.state("CCD_FILE_PATH"), "Ok");
    assert_only_whole_files(&folder);
}

/// A picture is there whole or not at all.
pub(crate) fn assert_only_whole_files(folder: &Folder) {
    for name in folder.list("").iter().filter(|name| name.ends_with(".fits")) {
        fitsverify(&folder.path().join(name));
    }
}
