//! Frames of the simulated sky before a judge who does not know us: astrometry.net finds out where they were taken.
//!
//! Every frame is taken through the driver, half of them where a mount says that it points, half where the simulator's
//! own settings say. A few pointings are tried, in the corners of the sphere; `INDI_CAMERA_POINTINGS=24` tries as
//! many as it says, all over the sky.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a failed step is a failed test")]

mod support;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use fitsio::FitsFile;
use support::{Driver, Folder, Peer, SOON, fits};

/// Where Debian puts the index files of astrometry.net.
const INDEXES: &str = "/usr/share/astrometry";
/// Those with the stars that the simulator has inside.
const SCALES: std::ops::RangeInclusive<u32> = 10..=19;
const MOUNT: &str = "Telescope Simulator";
/// Pointings that are tried when nobody wants more.
const FEW: usize = 4;
/// How far from where it should be the middle of a frame may be found, arcsec.
const NEAR: f64 = 5.0;
/// The same for the orientation, degrees.
const STRAIGHT: f64 = 0.05;
/// Columns of the sensor, and the size of a pixel in mm.
const COLUMNS: f64 = 1280.0;
const PIXEL: f64 = 0.0052;

/// Where a frame was taken; all in degrees.
#[derive(Clone, Copy, Debug)]
struct Place {
    ra: f64,
    dec: f64,
    /// Position angle of the direction in which the rows count up.
    rotation: f64,
    /// Of a row.
    width: f64,
}

/// The corners of the sphere, then anywhere.
fn places(number: usize) -> impl Iterator<Item = Place> {
    let corners = [(75.0, 89.7), (0.04, -89.6), (359.999, -3.0), (267.0, -28.0)];
    let mut state = 2_u32;
    let mut random = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1 << 24)
    };
    let anywhere = std::iter::from_fn(move || {
        let (turn, height, rotation) = (random(), random(), random());
        Some(((360.0 * turn, (2.0 * height - 1.0).asin().to_degrees()), 360.0 * rotation))
    });
    let turned = corners.into_iter().zip([180.0, 30.0, 275.0, 0.0]);
    turned.chain(anywhere).take(number).enumerate().map(|(i, ((ra, dec), rotation))| {
        // In pairs, so that both ways to point see both.
        let width = if i / 2 % 2 == 0 { 1.9 } else { 3.8 };
        Place { ra, dec, rotation, width }
    })
}

impl Place {
    /// mm.
    fn focal_length(&self) -> f64 {
        COLUMNS * PIXEL / self.width.to_radians()
    }

    /// Points by the simulator's own settings.
    fn set(&self, driver: &mut Peer) {
        let number = |value: f64| value.to_string();
        let (ra, dec) = (number(self.ra / 15.0), number(self.dec));
        let pointing = [("RA", &*ra), ("DEC", &*dec), ("ROTATION", &*number(self.rotation))];
        driver.new_vector("Number", "SIMULATOR_POINTING", &pointing);
        let focal_length = number(self.focal_length());
        let optics = [("FOCAL_LENGTH", &*focal_length), ("APERTURE", "50")];
        driver.new_vector("Number", "SIMULATOR_OPTICS", &optics);
    }

    /// Points by what a mount and a rotator tell, on the other side of the pier; the client knows the optics.
    fn tell(&self, driver: &mut Peer) {
        let number = |value: f64| value.to_string();
        // The simulator's own pointing is somewhere else, and its columns stand upright.
        let pointing = [("RA", "1"), ("DEC", "1"), ("ROTATION", "180")];
        driver.new_vector("Number", "SIMULATOR_POINTING", &pointing);
        let tell = |vector: &str, values: &[(&str, String)]| {
            let kind = if vector == "TELESCOPE_PIER_SIDE" { "Switch" } else { "Number" };
            let device = if vector == "ABS_ROTATOR_ANGLE" { "Rotator Simulator" } else { MOUNT };
            let mut text = format!("<set{kind}Vector device=\"{device}\" name=\"{vector}\" state=\"Ok\">");
            for (element, value) in values {
                write!(text, "<one{kind} name=\"{element}\">{value}</one{kind}>").unwrap();
            }
            text + &format!("</set{kind}Vector>\n")
        };
        let place = [("RA", number(self.ra / 15.0)), ("DEC", number(self.dec))];
        let side = [("PIER_WEST", "Off".to_owned()), ("PIER_EAST", "On".to_owned())];
        // A mount of today: the position is of date, and the header says what that is in J2000.
        driver.send(&tell("EQUATORIAL_EOD_COORD", &place));
        driver.send(&tell("TELESCOPE_PIER_SIDE", &side));
        driver.send(&tell("ABS_ROTATOR_ANGLE", &[("ANGLE", number(self.rotation))]));
        let focal_length = number(self.focal_length());
        let optics = [("FOCAL_LENGTH", &*focal_length), ("APERTURE", "50")];
        driver.new_vector("Number", "SCOPE_INFO", &optics);
    }
}

/// What astrometry.net finds in a picture of about that width: the middle, and the direction of the rows.
fn solve(folder: &Folder, picture: &Path, width: f64) -> Place {
    let config = folder.path().join("config");
    let mut text = format!("add_path {INDEXES}\n");
    for scale in SCALES {
        let name = format!("index-tycho2-{scale}.littleendian.fits");
        let there = Path::new(INDEXES).join(&name).exists();
        assert!(there, "install astrometry-data-tycho2-10-19-littleendian (packaging/test.sh does)");
        writeln!(text, "index {name}").unwrap();
    }
    fs::write(&config, text).unwrap();
    let mut command = Command::new("solve-field");
    command.arg("--config").arg(config).args([
        "--overwrite",
        "--no-plots",
        "--crpix-center",
        "--new-fits",
        "none",
    ]);
    command.args(["--scale-units", "degwidth", "--cpulimit", "120"]);
    command.args(["--scale-low", &(0.8 * width).to_string(), "--scale-high", &(1.25 * width).to_string()]);
    let output = command.arg(picture).output().expect("install astrometry.net (packaging/test.sh does)");
    let solution = picture.with_extension("wcs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(solution.exists(), "not solved: {said}\n{}", String::from_utf8_lossy(&output.stderr));
    let mut file = FitsFile::open(&solution).unwrap();
    let header = file.primary_hdu().unwrap();
    let mut number = |keyword: &str| -> f64 { header.read_key(&mut file, keyword).unwrap() };
    let [east, north] = [number("CD1_2"), number("CD2_2")];
    assert!(number("CD1_1") * north > number("CD2_1") * east, "the picture is mirrored");
    Place {
        ra: number("CRVAL1"),
        dec: number("CRVAL2"),
        rotation: east.atan2(north).to_degrees().rem_euclid(360.0),
        width: COLUMNS * east.hypot(north),
    }
}

/// Between two directions, arcsec.
fn apart(a: Place, b: Place) -> f64 {
    let vector = |place: Place| {
        let ((sin, cos), (up, level)) = (place.ra.to_radians().sin_cos(), place.dec.to_radians().sin_cos());
        [level * cos, level * sin, up]
    };
    let chord2: f64 = vector(a).iter().zip(vector(b)).map(|(a, b)| (a - b).powi(2)).sum();
    chord2.sqrt().to_degrees() * 3600.0
}

/// Takes a frame there and lets it be found.
fn check(driver: &mut Driver, folder: &Folder, place: Place, told: bool) {
    if told {
        place.tell(driver);
    } else {
        place.set(driver);
    }
    let frame = driver.expose(2.0);
    let picture = folder.path().join("picture.fits");
    fs::write(&picture, &frame.bytes).unwrap();
    let found = solve(folder, &picture, place.width);
    let expected = if told {
        let header = fits(&frame.bytes);
        Place { ra: header.number("RA"), dec: header.number("DEC"), ..place }
    } else {
        place
    };
    let off = apart(found, expected);
    assert!(off < NEAR, "{off} arcsec off: {found:?} instead of {expected:?}");
    let turned = (found.rotation - place.rotation + 180.0).rem_euclid(360.0) - 180.0;
    assert!(turned.abs() < STRAIGHT, "{turned} degrees off: {found:?} instead of {expected:?}");
    assert!((found.width / place.width - 1.0).abs() < 1e-3, "{found:?} is not {expected:?}");
}

#[test]
fn a_plate_solver_finds_every_frame_where_it_was_taken() {
    let number = std::env::var("INDI_CAMERA_POINTINGS").map_or(FEW, |number| number.parse().unwrap());
    let folder = Folder::new();
    let mut own = Driver::simulator();
    own.connect();
    let mut mounted = Driver::simulator();
    mounted.connect();
    let mount = [("ACTIVE_TELESCOPE", MOUNT), ("ACTIVE_ROTATOR", "Rotator Simulator")];
    mounted.new_vector("Text", "ACTIVE_DEVICES", &mount);
    mounted.wait_for(|peer| peer.get("ACTIVE_DEVICES", "ACTIVE_ROTATOR") == Some("Rotator Simulator"), SOON);
    for (i, place) in places(number).enumerate() {
        let told = i % 2 == 1;
        check(if told { &mut mounted } else { &mut own }, &folder, place, told);
    }
}
