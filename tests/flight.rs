//! The flight recorder: what a driver was told and did, run again by the tool.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a failed step is a failed test")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;
use support::{DEVICE, Driver, Folder, SOON, Start};

const TOOL: &str = env!("CARGO_BIN_EXE_indi-camera");

/// A driver that records into that directory.
fn recorded(directory: &Path) -> Driver {
    let env = vec![("INDI_CAMERA_RECORD", directory.to_str().unwrap().to_owned())];
    let mut driver = Driver::start(Start { env, ..Start::default() });
    driver.connect();
    driver
}

fn newest(directory: &Path) -> PathBuf {
    directory.join(format!("{DEVICE}.flight"))
}

/// The exit code of the tool, and all that it says.
fn rerun(file: &Path) -> (i32, String) {
    let run = Command::new(TOOL).arg("rerun").arg(file).output().unwrap();
    let said = [run.stdout, run.stderr].concat();
    (run.status.code().unwrap(), String::from_utf8(said).unwrap())
}

/// A session with a frame, an abort and a refusal in it, as the driver has recorded it.
fn session(directory: &Path) -> String {
    let mut driver = recorded(directory);
    driver.expose(0.05);
    driver.new_vector("Number", "CCD_EXPOSURE", &[("CCD_EXPOSURE_VALUE", "60")]);
    driver.wait_for(|driver| driver.state("CCD_EXPOSURE_STATUS") == "Busy", SOON);
    driver.new_vector("Switch", "CCD_ABORT_EXPOSURE", &[("ABORT", "On")]);
    driver.wait_for(|driver| driver.state("CCD_EXPOSURE") == "Idle", SOON);
    driver.new_vector("Number", "CCD_GAIN", &[("GAIN", "-5")]);
    driver.wait_for(|driver| driver.state("CCD_GAIN") == "Alert", SOON);
    driver.signal(Signal::TERM);
    driver.wait(SOON);
    fs::read_to_string(newest(directory)).unwrap()
}

#[test]
fn a_recording_that_is_run_again_does_the_same() {
    let folder = Folder::in_memory();
    session(folder.path());
    let (code, said) = rerun(&newest(folder.path()));
    assert!(said.contains(", 0 differences"), "{said}");
    assert_eq!(code, 0, "{said}");
    for part in [
        "<-  write CCD_EXPOSURE CCD_EXPOSURE_VALUE=60",
        "->  call start_exposure 2 of 60 s, Light",
        "->  say set CCD_EXPOSURE Idle 0",
        "->  say set CCD1 Ok .fits",
        "<-  shutdown",
    ] {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
}

#[test]
fn another_outcome_is_shown_and_ends_with_1() {
    let folder = Folder::in_memory();
    let path = newest(folder.path());
    let other = session(folder.path()).replace("set CCD_EXPOSURE Idle 0", "set CCD_EXPOSURE Busy 7");
    fs::write(&path, other).unwrap();
    let (code, said) = rerun(&path);
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("!!  then: set CCD_EXPOSURE Busy 7\n            !!  now:  set CCD_EXPOSURE Idle 0")
    );
}

#[test]
fn a_driver_that_is_killed_leaves_what_it_was_waiting_for() {
    let folder = Folder::in_memory();
    let mut driver = recorded(folder.path());
    driver.new_vector("Number", "CCD_EXPOSURE", &[("CCD_EXPOSURE_VALUE", "60")]);
    driver.wait_for(|driver| driver.state("CCD_EXPOSURE_STATUS") == "Busy", SOON);
    let seen =
        || fs::read_to_string(newest(folder.path())).unwrap_or_default().contains("CCD_EXPOSURE_STATUS");
    driver.wait_for(|_| seen(), SOON);
    driver.signal(Signal::KILL);
    driver.wait(SOON);
    let (code, said) = rerun(&newest(folder.path()));
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("it waits for ExposureOverdue until"), "{said}");
}

#[test]
fn a_damaged_recording_is_shown_as_far_as_it_can_be_read() {
    let folder = Folder::in_memory();
    let whole = session(folder.path());
    let path = newest(folder.path());
    fs::write(&path, &whole[..whole.find("start_exposure 2").unwrap()]).unwrap();
    let (code, said) = rerun(&path);
    assert!(code == 0 && said.contains("a part of the recording is lost or damaged"), "{said}");
    assert!(said.contains("call start_exposure 1"), "{said}");

    // Without its first half nobody knows what the device was.
    let (first, rest) = whole.split_once('\n').unwrap();
    let half = &rest[rest[rest.len() / 2..].find('\n').unwrap() + rest.len() / 2..];
    fs::write(&path, format!("{first}{half}")).unwrap();
    let (code, said) = rerun(&path);
    assert!(code == 0 && said.contains("the beginning is not there"), "{said}");

    fs::write(&path, "no recording").unwrap();
    let (code, said) = rerun(&path);
    assert!(code == 1 && said.contains("is no recording"), "{said}");
}

#[test]
fn each_run_keeps_the_recording_of_the_one_before_and_the_oldest_goes() {
    let folder = Folder::in_memory();
    for _ in 0..5 {
        drop(recorded(folder.path()));
    }
    let mut names = folder.list("");
    names.retain(|name| name.ends_with(".flight"));
    let number =
        |age: u32| if age == 0 { format!("{DEVICE}.flight") } else { format!("{DEVICE}.{age}.flight") };
    let mut expected: Vec<String> = (0..4).map(number).collect();
    expected.sort();
    assert_eq!(names, expected);
}

#[test]
fn a_driver_that_cannot_record_works_all_the_same() {
    let folder = Folder::in_memory();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let mut driver = recorded(&file);
    driver.expose(0.01);
    assert!(driver.stderr().contains("nothing is recorded any more"), "{}", driver.stderr());
}
