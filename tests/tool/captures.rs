//! Pictures: the files, and what is said about them.

use std::io::Cursor;

use png::{ColorType, Decoder};
use serde_json::Value as Json;

use crate::support::{DEVICE, Server, fits, fitsverify};
use crate::{Bench, CORNER};

/// A decoded PNG: width, height, samples per pixel, samples.
fn decoded(bytes: Vec<u8>) -> (u32, u32, usize, Vec<u8>) {
    let mut reader = Decoder::new(Cursor::new(bytes)).read_info().unwrap();
    let mut samples = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut samples).unwrap();
    let colours = if info.color_type == ColorType::Rgb { 3 } else { 1 };
    (info.width, info.height, colours, samples)
}

/// A dark sky, and bright spots that are few and stand together as the pixels of stars do.
fn assert_shows_stars(samples: &[u8], width: usize) {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    let sky = sorted[sorted.len() / 2];
    assert!((40..=90).contains(&sky), "the sky is {sky}");
    let bright: Vec<usize> = (0..samples.len()).filter(|&at| samples[at] > 200).collect();
    let share = bright.len() as f64 / samples.len() as f64;
    assert!(share > 1e-4 && share < 0.02, "{share} of all pixels are bright");
    let in_company = bright.iter().filter(|&&at| {
        let next = [at + 1, at.wrapping_sub(1), at + width, at.wrapping_sub(width)];
        next.iter().any(|&at| samples.get(at).is_some_and(|&sample| sample > 150))
    });
    assert!(in_company.count() * 10 > bright.len() * 9, "bright pixels stand alone");
}

fn number(json: &Json, pointer: &str) -> f64 {
    json.pointer(pointer).and_then(Json::as_f64).unwrap_or_else(|| panic!("no number {pointer} in {json}"))
}

#[test]
fn a_capture_without_any_server_leaves_an_image_of_stars() {
    let bench = Bench::new();
    let run = bench.done(&["capture", "--exposure", "1", "--preview"]);
    assert_eq!(bench.files(), ["capture_001.fits", "capture_001.png"]);
    for said in ["capture_001.fits", "capture_001.png", DEVICE, "1280 x 1024", "median", "noise", "stars"] {
        assert!(run.stdout.contains(said), "{said} is not in\n{}", run.stdout);
    }
    assert_eq!(run.stderr, "", "nothing is drawn where there is no terminal");

    let frame = fits(&bench.read("capture_001.fits"));
    assert_eq!(frame.shape, [1280, 1024]);
    assert_eq!(frame.number("EXPTIME"), 1.0);
    fitsverify(&bench.folder.path().join("capture_001.fits"));
    let (width, height, colours, samples) = decoded(bench.read("capture_001.png"));
    assert_eq!((width, height, colours), (1280, 1024, 1));
    assert_shows_stars(&samples, 1280);
}

#[test]
fn what_is_said_of_a_picture_is_true() {
    let bench = Bench::new();
    let run = bench.done(&["capture", "-e", "1", "--roi", CORNER, "--json"]);
    let picture = &run.envelope()["params"]["pictures"][0];
    assert_eq!(picture["camera"], DEVICE);
    assert_eq!(picture["file"], "capture_001.fits");
    assert_eq!(picture["preview"], Json::Null);
    let frame = fits(&bench.read("capture_001.fits"));
    assert_eq!(number(picture, "/bytes") as usize, bench.read("capture_001.fits").len());
    assert_eq!((number(picture, "/image/width"), number(picture, "/image/height")), (400.0, 300.0));

    let mut sorted = frame.pixels.clone();
    sorted.sort_unstable();
    let sum: f64 = sorted.iter().map(|&value| f64::from(value)).sum();
    let median = sorted[sorted.len() / 2];
    let statistics = |name: &str| number(picture, &format!("/image/statistics/{name}"));
    assert_eq!(statistics("median"), f64::from(median));
    assert_eq!(statistics("minimum"), f64::from(sorted[0]));
    assert_eq!(statistics("maximum"), f64::from(sorted[sorted.len() - 1]));
    assert!((statistics("mean") - sum / sorted.len() as f64).abs() < 1e-6);
    let full = sorted.iter().filter(|&&value| value == 65_535).count();
    assert_eq!(statistics("saturated") as usize, full);
    // Stars are few, so that the middle two thirds of the pixels are two sigma of sky.
    let sixth = sorted.len() / 6;
    let sigma = f64::from(sorted[sorted.len() - sixth] - sorted[sixth]) / 1.935;
    assert!((statistics("noise") / sigma - 1.0).abs() < 0.2, "{} and {sigma}", statistics("noise"));
    assert!(number(picture, "/image/stars/count") > 10.0);
    // The simulated air and telescope make stars with a half-flux radius of 1.2 pixels.
    assert!((0.9..1.8).contains(&number(picture, "/image/stars/hfr")), "{picture}");
    assert_eq!(number(picture, "/info/spec/duration_s"), 1.0);
}

#[test]
fn full_pixels_of_a_camera_that_scales_its_values_up_are_counted() {
    let server = Server::simulator();
    let mut client = server.tcp();
    client.send("<getProperties version='1.7'/>\n");
    client.wait_for(|client| client.vector("SIMULATOR_MODEL").is_some(), crate::support::SOON);
    client.new_vector("Switch", "SIMULATOR_MODEL", &[("IMX462C", "On")]);
    client.wait_for(|client| client.get("SIMULATOR_MODEL", "IMX462C") == Some("On"), crate::support::SOON);

    let bench = Bench::at(&server);
    for (binning, file) in [("1", "capture_001.fits"), ("2", "capture_002.fits")] {
        let run = bench.done(&["capture", "-e", "1", "--bin", binning, "--json"]);
        let picture = &run.envelope()["params"]["pictures"][0];
        let full = fits(&bench.read(file)).pixels.iter().filter(|&&value| value >= 4095 << 4).count();
        assert!(full > 10, "the sky is too dark to show anything: {full}");
        assert_eq!(number(picture, "/image/statistics/maximum"), f64::from(4095 << 4));
        assert_eq!(number(picture, "/image/statistics/saturated") as usize, full, "binned by {binning}");
    }
}

#[test]
fn a_series_is_numbered_and_told_line_by_line() {
    let bench = Bench::new();
    let out = ["--out", "night/m31_XXX.fits"];
    let run = bench.done(&[&["capture", "-e", "0.01", "-n", "3", "--roi", "0,0,64,48"], &out[..]].concat());
    assert_eq!(bench.folder.list("night"), ["m31_001.fits", "m31_002.fits", "m31_003.fits"]);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{run:?}");
    for (line, file) in lines.iter().zip(["night/m31_001.fits", "night/m31_002.fits", "night/m31_003.fits"]) {
        assert!(line.starts_with(file) && line.contains("median"), "{line}");
    }
    // The next run goes on.
    let run = bench.done(&[&["capture", "-e", "0.01", "--json", "--roi", "0,0,64,48"], &out[..]].concat());
    assert_eq!(run.envelope()["params"]["pictures"][0]["file"], "night/m31_004.fits");
}

#[test]
fn settings_are_those_of_the_picture() {
    let bench = Bench::new();
    let wish = ["--gain", "50", "--offset", "0", "--bin", "2x1", "--roi", "10,20,100,60", "--type", "dark"];
    bench.done(&[&["capture", "-e", "0.02", "-o", "dark.fits"], &wish[..]].concat());
    let frame = fits(&bench.read("dark.fits"));
    assert_eq!(frame.shape, [50, 60]);
    assert_eq!(
        ["GAIN", "OFFSET", "XBINNING", "YBINNING"].map(|key| frame.number(key)),
        [50.0, 0.0, 2.0, 1.0]
    );
    assert!(frame.get("IMAGETYP").starts_with("Dark"), "{}", frame.get("IMAGETYP"));

    bench.done(&["capture", "--type", "bias", "-o", "bias.fits", "--roi", "0,0,64,48"]);
    let frame = fits(&bench.read("bias.fits"));
    assert!(frame.get("IMAGETYP").starts_with("Bias") && frame.number("EXPTIME") < 0.01, "{frame:?}");
}

#[test]
fn what_is_there_is_not_overwritten_unless_that_is_asked_for() {
    let bench = Bench::new();
    let file = bench.folder.path().join("one.fits");
    std::fs::write(&file, "mine").unwrap();
    let wish = ["capture", "-e", "0.01", "--roi", "0,0,64,48", "--out", "one.fits"];
    let run = bench.run(&wish);
    assert_eq!(run.code(), 1, "{run:?}");
    assert!(run.stderr.contains("one.fits exists") && run.stderr.contains("--overwrite"), "{run:?}");
    assert_eq!(bench.read("one.fits"), b"mine");
    bench.done(&[&wish[..], &["--overwrite"]].concat());
    assert_eq!(fits(&bench.read("one.fits")).shape, [64, 48]);
    assert_eq!(bench.files(), ["one.fits"]);
}

#[test]
fn a_mosaic_becomes_a_picture_in_colour() {
    let server = Server::simulator();
    let mut client = server.tcp();
    client.send("<getProperties version='1.7'/>\n");
    client.wait_for(|client| client.vector("SIMULATOR_CFA").is_some(), crate::support::SOON);
    client.new_vector("Switch", "SIMULATOR_CFA", &[("RGGB", "On")]);
    client.wait_for(|client| client.get("SIMULATOR_CFA", "RGGB") == Some("On"), crate::support::SOON);

    let bench = Bench::at(&server);
    let run = bench.done(&["capture", "-e", "1", "--roi", "1,0,400,300", "--preview", "--json"]);
    let (width, height, colours, samples) = decoded(bench.read("capture_001.png"));
    assert_eq!((width, height, colours), (200, 150, 3));
    let green: Vec<u8> = samples.iter().skip(1).step_by(3).copied().collect();
    assert_shows_stars(&green, 200);
    let picture = &run.envelope()["params"]["pictures"][0];
    assert_eq!(number(picture, "/image/width"), 400.0, "the frame itself is as it was read out");
    assert!(number(picture, "/image/stars/count") > 10.0);
}

#[test]
fn a_frame_that_is_not_read_here_is_kept_all_the_same() {
    let server = Server::simulator();
    let bench = Bench::at(&server);
    bench.done(&["set", &format!("{DEVICE}.CONNECTION.CONNECT=On")]);
    bench.done(&["set", &format!("{DEVICE}.CCD_TRANSFER_FORMAT.FORMAT_XISF=On")]);
    let run = bench.done(&["capture", "-e", "0.01", "--roi", "0,0,64,48", "--preview"]);
    assert_eq!(bench.files(), ["capture_001.xisf"]);
    assert!(bench.read("capture_001.xisf").starts_with(b"XISF0100"));
    assert!(run.stderr.contains("not looked at"), "{run:?}");
}

#[test]
fn a_sensor_that_is_cold_enough_is_exposed_at_once_and_a_slow_cooler_is_given_up() {
    let bench = Bench::new();
    let wish = ["capture", "-e", "0.01", "--roi", "0,0,64,48"];
    bench.done(&[&wish[..], &["--cool-to", "20"]].concat());
    let run = bench.run(&[&wish[..], &["--cool-to", "-20", "--cool-timeout", "0.3"]].concat());
    assert_eq!(run.code(), 5, "{run:?}");
    assert!(run.stderr.contains("-20 °C") && run.stderr.contains("--cool-timeout"), "{run:?}");
    assert_eq!(bench.files(), ["capture_001.fits"]);
}
