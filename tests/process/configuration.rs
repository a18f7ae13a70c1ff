//! What is kept from one process to the next.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::support::{Driver, Folder, SOON, Start};
use crate::{BRIEF, ask_all, begin, connected, connected_by, press, until_quiet};

/// Presses one of the buttons and waits for the end; the state that it ends in.
fn process(driver: &mut Driver, button: &str) -> String {
    press(driver, "CONFIG_PROCESS", button);
    driver.until(|element| element.attribute("name") == "CONFIG_PROCESS" && crate::is_busy(element), SOON);
    driver.wait_for(|peer| peer.state("CONFIG_PROCESS") != "Busy", SOON);
    assert_eq!(driver.get("CONFIG_PROCESS", button), Some("Off"));
    driver.state("CONFIG_PROCESS").to_owned()
}

fn set_gain(driver: &mut Driver, gain: &str) {
    driver.new_vector("Number", "CCD_GAIN", &[("GAIN", gain)]);
    driver.wait_for(|peer| peer.get("CCD_GAIN", "GAIN") == Some(gain), SOON);
}

fn at(home: &Folder) -> PathBuf {
    home.path().join(".indi/Camera Simulator_config.xml")
}

/// A driver that has been asked for its properties.
fn started(home: &Arc<Folder>) -> Driver {
    let mut driver = Driver::start(Start { home: Some(home.clone()), ..Start::default() });
    ask_all(&mut driver);
    driver
}

#[test]
fn saved_settings_are_in_libindis_file_and_format() {
    let mut driver = connected();
    assert_eq!(process(&mut driver, "CONFIG_SAVE"), "Ok");
    let text = fs::read_to_string(at(driver.home())).unwrap();
    assert!(text.starts_with("<INDIDriver>\n") && text.ends_with("</INDIDriver>\n"), "{text}");
    let sensor = "<newNumberVector device='Camera Simulator' name='SIMULATOR_SENSOR'>\n  \
                  <oneNumber name='WIDTH'>\n      64\n  </oneNumber>\n";
    assert!(text.contains(sensor), "{text}");
    // A connection that is restored at start would be a surprise.
    assert!(!text.contains("'CONNECTION'") && !text.contains("'CCD_EXPOSURE'"), "{text}");
}

#[test]
fn the_next_process_begins_with_what_was_saved() {
    let mut driver = connected();
    set_gain(&mut driver, "42");
    assert_eq!(process(&mut driver, "CONFIG_SAVE"), "Ok");
    let home = driver.home().clone();
    drop(driver);
    let mut driver = started(&home);
    // In the first definition, not in an update after it.
    assert_eq!(driver.number("SIMULATOR_SENSOR", "WIDTH"), 64.0);
    assert_eq!(driver.get("SIMULATOR_SCENE", "SCENE_TEST_PATTERN"), Some("On"));
    driver.connect();
    until_quiet(&mut driver);
    assert_eq!(driver.number("CCD_GAIN", "GAIN"), 42.0);
    assert_eq!(driver.number("CCD_INFO", "CCD_MAX_X"), 64.0);
    let image = crate::support::fits(&driver.expose(BRIEF).bytes);
    assert_eq!((image.shape, image.header["GAIN"].as_str()), (vec![64, 48], "42"));
}

#[test]
fn indiconfig_says_where_the_file_is() {
    let folder = Folder::new();
    let path = folder.path().join("deep/er/mine.xml");
    let env = vec![("INDICONFIG", path.to_str().unwrap().to_owned())];
    let mut driver = connected_by(Start { env: env.clone(), ..Start::default() });
    assert_eq!(process(&mut driver, "CONFIG_SAVE"), "Ok");
    assert!(path.exists() && !at(driver.home()).exists());
    let mut driver = Driver::start(Start { env, ..Start::default() });
    ask_all(&mut driver);
    assert_eq!(driver.number("SIMULATOR_SENSOR", "WIDTH"), 64.0);
}

#[test]
fn loading_brings_everything_back() {
    let mut driver = connected();
    set_gain(&mut driver, "42");
    driver.new_vector("Number", "CCD_BINNING", &[("HOR_BIN", "2"), ("VER_BIN", "2")]);
    driver.new_vector("Number", "CCD_FRAME", &[("X", "8"), ("WIDTH", "32")]);
    press(&mut driver, "UPLOAD_MODE", "UPLOAD_BOTH");
    assert_eq!(process(&mut driver, "CONFIG_SAVE"), "Ok");
    set_gain(&mut driver, "7");
    driver.new_vector("Number", "CCD_BINNING", &[("HOR_BIN", "1"), ("VER_BIN", "1")]);
    driver.new_vector("Number", "CCD_FRAME", &[("X", "0"), ("WIDTH", "64")]);
    press(&mut driver, "UPLOAD_MODE", "UPLOAD_CLIENT");
    assert_eq!(process(&mut driver, "CONFIG_LOAD"), "Ok");
    driver.wait_for(|peer| peer.number("CCD_GAIN", "GAIN") == 42.0, SOON);
    until_quiet(&mut driver);
    assert_eq!((driver.number("CCD_FRAME", "X"), driver.number("CCD_FRAME", "WIDTH")), (8.0, 32.0));
    assert_eq!(driver.number("CCD_BINNING", "VER_BIN"), 2.0);
    assert_eq!(driver.get("UPLOAD_MODE", "UPLOAD_BOTH"), Some("On"));
}

#[test]
fn the_first_configuration_stays_as_the_default() {
    let mut driver = connected();
    set_gain(&mut driver, "50");
    assert_eq!(process(&mut driver, "CONFIG_SAVE"), "Ok");
    set_gain(&mut driver, "200");
    assert_eq!(process(&mut driver, "CONFIG_SAVE"), "Ok");
    assert_eq!(process(&mut driver, "CONFIG_DEFAULT"), "Ok");
    driver.wait_for(|peer| peer.number("CCD_GAIN", "GAIN") == 50.0, SOON);
}

#[test]
fn a_purged_configuration_is_gone() {
    let mut driver = connected();
    assert_eq!(process(&mut driver, "CONFIG_PURGE"), "Alert");
    assert_eq!(process(&mut driver, "CONFIG_SAVE"), "Ok");
    assert!(at(driver.home()).exists());
    assert_eq!(process(&mut driver, "CONFIG_PURGE"), "Ok");
    assert!(!at(driver.home()).exists());
    assert_eq!(process(&mut driver, "CONFIG_LOAD"), "Alert");
    assert_eq!(started(&driver.home().clone()).number("SIMULATOR_SENSOR", "WIDTH"), 1280.0);
}

#[test]
fn a_configuration_that_cannot_be_saved_is_one_sentence() {
    let folder = Folder::new();
    fs::write(folder.path().join("file"), "").unwrap();
    let path = folder.path().join("file/config.xml");
    let env = vec![("INDICONFIG", path.to_str().unwrap().to_owned())];
    let mut driver = connected_by(Start { env, ..Start::default() });
    assert_eq!(process(&mut driver, "CONFIG_SAVE"), "Alert");
    let said = driver.messages.last().unwrap();
    assert!(said.starts_with("[ERROR] the configuration was not saved"), "{said}");
    driver.expose(BRIEF);
}

/// What the user is told of a configuration that cannot be used.
fn told_of(text: &[u8]) -> String {
    let home = Arc::new(Folder::new());
    fs::create_dir(home.path().join(".indi")).unwrap();
    fs::write(at(&home), text).unwrap();
    let mut driver = started(&home);
    let said = driver.messages.clone();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(driver.stderr().contains("is not used"), "{}", driver.stderr());
    assert_eq!(driver.number("SIMULATOR_SENSOR", "WIDTH"), 1280.0);
    // Asked again it is not told again, and the file is as it was.
    ask_all(&mut driver);
    driver.connect();
    assert_eq!(driver.messages.len(), 1);
    assert_eq!(fs::read(at(&home)).unwrap(), text);
    said[0].clone()
}

#[test]
fn a_damaged_configuration_is_reported_and_left_alone() {
    let cut = "<INDIDriver>\n<newNumberVector device='Camera Simulator' name='SIMULATOR_SENSOR'>\n  <oneNumb";
    for text in [cut.as_bytes(), b"", b"\x00\xff\xfe rubbish \x80", b"<other/>"] {
        let said = told_of(text);
        assert!(said.starts_with("[WARNING] ") && said.contains("_config.xml is not used"), "{said}");
    }
}

#[test]
fn a_stored_value_that_is_not_allowed_any_more_costs_only_itself() {
    let home = Arc::new(Folder::new());
    fs::create_dir(home.path().join(".indi")).unwrap();
    let vector = |name: &str, element: &str, value: &str| {
        format!(
            "<newNumberVector device='Camera Simulator' name='{name}'><oneNumber name='{element}'>{value}\
                 </oneNumber></newNumberVector>"
        )
    };
    let text = [
        vector("SIMULATOR_SENSOR", "WIDTH", "320"),
        vector("CCD_GAIN", "GAIN", "99999"),
        vector("CCD_OFFSET", "OFFSET", "55"),
        vector("REMOVED_LONG_AGO", "X", "1"),
    ];
    fs::write(at(&home), format!("<INDIDriver>{}</INDIDriver>", text.concat())).unwrap();
    let mut driver = started(&home);
    assert_eq!(driver.number("SIMULATOR_SENSOR", "WIDTH"), 320.0);
    driver.connect();
    until_quiet(&mut driver);
    assert_eq!((driver.number("CCD_GAIN", "GAIN"), driver.number("CCD_OFFSET", "OFFSET")), (100.0, 55.0));
    assert!(driver.messages.iter().any(|said| said.contains("CCD_GAIN")), "{:?}", driver.messages);
    assert!(Path::new(&at(&home)).exists());
}

/// Whoever reads it waits for ever: a disk that is gone.
fn hang_disk(driver: &Driver) {
    let path = driver.home().path().join(".indi/Camera Simulator_config.xml");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
}

#[test]
fn a_disk_that_hangs_costs_its_own_job_and_frames_go_past_it() {
    let mut driver = connected();
    hang_disk(&driver);
    press(&mut driver, "CONFIG_PROCESS", "CONFIG_LOAD");
    begin(&mut driver, BRIEF);
    // It answers all the while.
    for frame_type in ["FRAME_DARK", "FRAME_LIGHT"] {
        press(&mut driver, "CCD_FRAME_TYPE", frame_type);
        until_quiet(&mut driver);
        assert_eq!(driver.get("CCD_FRAME_TYPE", frame_type), Some("On"));
    }
    assert_eq!((driver.state("CONFIG_PROCESS"), driver.state("CCD_EXPOSURE")), ("Busy", "Busy"));
    driver.wait_for(|peer| peer.state("CCD_EXPOSURE") == "Ok", SOON + SOON);
    assert_eq!(driver.state("CONFIG_PROCESS"), "Alert");
    let told = |said: &&String| said.contains("not loaded: the disk has not answered for 20 s");
    assert_eq!(driver.messages.iter().filter(told).count(), 1, "{:?}", driver.messages);
    driver.expose(BRIEF);
    driver.wait_for(|peer| peer.get("CAMERA_HEALTH", "DISK") == Some("Alert"), SOON);
    driver.close();
    assert_eq!(driver.wait(SOON).code(), Some(0));
}
