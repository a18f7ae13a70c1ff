use std::fs;
use std::time::Duration;

use super::*;
use crate::host::scratch::Scratch;

const UNDESCRIBED: Described<'_> = Described { cards: &[], size: (1, 1), suffix: ".fits", summed: false };

fn target(directory: &str, prefix: &str) -> FileTarget {
    let started = SystemTime::UNIX_EPOCH + Duration::from_millis(1_000_000_000_123);
    FileTarget { directory: directory.to_owned(), prefix: prefix.to_owned(), started }
}

fn files(scratch: &Scratch) -> FileStore {
    FileStore::new(Folders::new(scratch.path().to_owned()), TimeZone::fixed(jiff::tz::offset(2)))
}

/// Stores in the home directory and gives the name.
fn store(files: &mut FileStore, prefix: &str) -> String {
    let path = files
        .store(&target("", prefix), UNDESCRIBED, prefix.as_bytes(), &Cancel::default())
        .unwrap()
        .unwrap()
        .path;
    assert_eq!(fs::read(&path).unwrap(), prefix.as_bytes());
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

#[test]
fn directories_are_found_and_made() {
    let scratch = Scratch::new();
    let elsewhere = Scratch::new();
    let absolute = elsewhere.path().join("a/b").to_str().unwrap().to_owned();
    for (directory, want) in [
        ("", scratch.path().to_owned()),
        ("_HOME_", scratch.path().to_owned()),
        ("_HOME_/x/y", scratch.path().join("x/y")),
        ("relative", scratch.path().join("relative")),
        (&absolute, elsewhere.path().join("a/b")),
    ] {
        let path = files(&scratch)
            .store(&target(directory, "A"), UNDESCRIBED, b"x", &Cancel::default())
            .unwrap()
            .unwrap()
            .path;
        assert_eq!(path, want.join("A.fits"));
        assert!(path.exists());
    }
}

#[test]
fn an_indigo_template_continues_its_own_series() {
    let scratch = Scratch::new();
    fs::write(scratch.path().join("M42_005_Light.fits"), "").unwrap();
    let mut files = files(&scratch);
    assert_eq!(store(&mut files, "M42_%3I_%F"), "M42_006_NA.fits");
    assert_eq!(store(&mut files, "M42_%3I_%C"), "M42_007_nofilter.fits");
    assert_eq!(store(&mut files, "M42_%D"), "M42_20010909.fits");
    assert_eq!(store(&mut files, "N_XXXXX"), "N_00001.fits");
}

#[test]
fn names_tell_local_time_and_index() {
    let scratch = Scratch::new();
    let mut files = files(&scratch);
    assert_eq!(store(&mut files, "IMG_ISO8601_XXX"), "IMG_2001-09-09T03-46-40.123_001.fits");
    assert_eq!(store(&mut files, "IMG_ISO8601_XXX"), "IMG_2001-09-09T03-46-40.123_002.fits");
    assert_eq!(store(&mut files, "ISO8601"), "2001-09-09T03-46-40.123.fits");
    assert_eq!(store(&mut files, "XXX_dark"), "001_dark.fits");
    assert_eq!(store(&mut files, "XXX_dark"), "002_dark.fits");
}

#[test]
fn the_index_goes_on_after_the_largest() {
    let scratch = Scratch::new();
    let others = [
        "IMG_9.fits",
        "IMG_41.fits",
        "my IMG_998.txt",
        "DARK_5000.fits",
        "IMG_x.fits",
        "IMG_7000",
        "IMG-8000.fits",
    ];
    for name in others.into_iter().chain(["IMG_99999999999999999999999.fits"]) {
        fs::write(scratch.path().join(name), "").unwrap();
    }
    // Directories have no order: the largest must not be last by luck.
    for index in 1..50 {
        fs::write(scratch.path().join(format!("IMG_{index:03}.fits")), "").unwrap();
    }
    let mut files = files(&scratch);
    assert_eq!(store(&mut files, "IMG_XXX"), "IMG_999.fits");
    assert_eq!(store(&mut files, "IMG_XXX"), "IMG_1000.fits");
    // Known by now: a larger one that comes from elsewhere is not looked for,
    fs::write(scratch.path().join("IMG_5000.fits"), "").unwrap();
    assert_eq!(store(&mut files, "IMG_XXX"), "IMG_1001.fits");
    // but one in the way is left alone.
    fs::write(scratch.path().join("IMG_1002.fits"), "theirs").unwrap();
    assert_eq!(store(&mut files, "IMG_XXX"), "IMG_1003.fits");
    assert_eq!(fs::read(scratch.path().join("IMG_1002.fits")).unwrap(), b"theirs");
    assert!(scratch.names().iter().all(|name| !name.starts_with('.')));
}

#[test]
fn the_index_is_found_in_every_format() {
    for (suffix, next) in [(".fits.fz", ".xisf"), (".xisf", ".bin"), (".bin", ".fits.fz")] {
        let scratch = Scratch::new();
        let store = |suffix| {
            let frame = Described { suffix, ..UNDESCRIBED };
            let path = files(&scratch).store(&target("", "A_XXX"), frame, b"x", &Cancel::default());
            path.unwrap().unwrap().path.file_name().unwrap().to_str().unwrap().to_owned()
        };
        assert_eq!(store(suffix), format!("A_001{suffix}"));
        assert_eq!(store(suffix), format!("A_002{suffix}"));
        assert_eq!(store(next), format!("A_003{next}"));
    }
}

#[test]
fn a_name_without_index_is_replaced() {
    let scratch = Scratch::new();
    fs::write(scratch.path().join("A.fits"), "a longer text").unwrap();
    store(&mut files(&scratch), "A");
    assert_eq!(scratch.names(), ["A.fits"]);
}

#[test]
fn a_cancelled_frame_leaves_nothing() {
    let scratch = Scratch::new();
    let cancel = Cancel::default();
    cancel.cancel();
    fs::write(scratch.path().join("A.fits"), "from before").unwrap();
    for prefix in ["A", "B", "B_XXX"] {
        assert_eq!(files(&scratch).store(&target("", prefix), UNDESCRIBED, b"x", &cancel), Ok(None));
    }
    assert_eq!(scratch.names(), ["A.fits"]);
    assert_eq!(fs::read(scratch.path().join("A.fits")).unwrap(), b"from before");
}

#[test]
fn bad_places_are_told_and_left_clean() {
    let scratch = Scratch::new();
    fs::write(scratch.path().join("file"), "").unwrap();
    fs::create_dir(scratch.path().join("taken.fits")).unwrap();
    let long = "x".repeat(300);
    for (directory, prefix) in [
        ("file", "A"),
        ("file/deeper", "A"),
        ("a\0b", "A"),
        ("", ""),
        ("", "../A"),
        ("", "a\0"),
        ("", &long),
        ("", "taken"),
    ] {
        let error = files(&scratch)
            .store(&target(directory, prefix), UNDESCRIBED, b"x", &Cancel::default())
            .unwrap_err();
        assert!(matches!(error, DeliveryError::File { .. }), "{directory:?} {prefix:?}: {error}");
    }
    assert_eq!(scratch.names(), ["file", "taken.fits"]);
}

#[test]
fn refusals_of_the_system_are_told_apart() {
    let scratch = Scratch::new();
    // Not even root makes directories there.
    let error = files(&scratch)
        .store(&target("/sys/indi-camera", "A"), UNDESCRIBED, b"x", &Cancel::default())
        .unwrap_err();
    assert_eq!(error, DeliveryError::Permission { path: "/sys/indi-camera".into() });
}

#[test]
fn an_index_has_twenty_digits_at_most_whatever_is_asked_for() {
    let scratch = Scratch::new();
    let mut files = files(&scratch);
    assert_eq!(store(&mut files, &"X".repeat(100)), format!("{:020}.fits", 1));
    assert_eq!(store(&mut files, &"X".repeat(70_000)), format!("{:020}.fits", 2));
}
