//! What falls on the simulated sensor.

use super::simulator::connected;
use super::*;

fn record(elements: &[(&str, f64)]) -> Value {
    Value::Record(elements.iter().map(|(name, value)| ((*name).to_owned(), number(*value))).collect())
}

/// A small camera with these settings.
fn small(settings: &[(&str, Value)]) -> Rig {
    let size = record(&[("WIDTH", 320.0), ("HEIGHT", 200.0)]);
    let mut all = vec![("SIMULATOR_SENSOR", size)];
    all.extend_from_slice(settings);
    connected(&all)
}

/// The first frame after connecting, so that its noise is always the same.
fn first(rig: &mut Rig) -> Pixels {
    rig.camera.reconnect(&rig.id).unwrap();
    rig.frame(SHORT, FrameType::Light).pixels
}

#[test]
fn what_other_devices_tell_comes_before_the_settings() {
    let pointing = |ra, dec| record(&[("RA", ra), ("DEC", dec)]);
    let mut set = small(&[
        ("SIMULATOR_POINTING", pointing(6.0, 30.0)),
        ("SIMULATOR_OPTICS", record(&[("FOCAL_LENGTH", 300.0), ("APERTURE", 60.0)])),
        ("SIMULATOR_SKY", record(&[("BRIGHTNESS", 20.5)])),
    ]);
    let wanted = first(&mut set);
    let mut told = small(&[]);
    let default = first(&mut told);
    assert_ne!(default, wanted);
    let scene = [
        ("RA", 90.0),
        ("DEC", 30.0),
        ("FOCAL_LENGTH", 300.0),
        ("APERTURE", 60.0),
        ("SKY_BRIGHTNESS", 20.5),
        // In focus.
        ("FOCUSER", 50_000.0),
    ];
    told.camera.set_parameter("scene", record(&scene)).unwrap();
    assert_eq!(told.camera.get_parameter("scene").unwrap(), record(&scene));
    assert_eq!(first(&mut told), wanted);
    // Nonsense leaves everything as it was.
    fails(told.camera.set_parameter("scene", record(&[("RA", 1.0), ("DEC", 91.0)])), ErrorKind::OutOfRange);
    fails(told.camera.set_parameter("scene", record(&[("RA", 1.0)])), ErrorKind::InvalidValue);
    fails(told.camera.set_parameter("scene", number(1)), ErrorKind::InvalidValue);
    assert_eq!(first(&mut told), wanted);
    // A telescope that nobody knows any more points where the settings say.
    told.camera.set_parameter("scene", record(&[])).unwrap();
    assert_eq!(first(&mut told), default);
}

#[test]
fn every_setting_of_the_sky_changes_what_is_seen() {
    let default = first(&mut small(&[]));
    let changes = [
        ("SIMULATOR_POINTING", "RA", 3.8),
        ("SIMULATOR_POINTING", "DEC", 24.2),
        ("SIMULATOR_POINTING", "ROTATION", 170.0),
        ("SIMULATOR_OPTICS", "FOCAL_LENGTH", 190.0),
        ("SIMULATOR_OPTICS", "APERTURE", 55.0),
        ("SIMULATOR_OPTICS", "SPOT", 20.0),
        ("SIMULATOR_OPTICS", "VIGNETTING", 60.0),
        ("SIMULATOR_OPTICS", "DUST", 100.0),
        ("SIMULATOR_SKY", "SEEING", 10.0),
        ("SIMULATOR_SKY", "BRIGHTNESS", 18.0),
    ];
    for (vector, element, value) in changes {
        let mut rig = small(&[(vector, record(&[(element, value)]))]);
        assert_ne!(first(&mut rig), default, "{vector}.{element}");
    }
    let focuser = record(&[("FOCUSER", 50_400.0)]);
    let mut far = small(&[("scene", focuser.clone())]);
    let blurred = first(&mut far);
    assert_ne!(blurred, default);
    let mut moved = small(&[("scene", focuser), ("SIMULATOR_FOCUS", record(&[("BEST", 50_400.0)]))]);
    assert_eq!(first(&mut moved), default);
    far.camera.set_parameter("SIMULATOR_FOCUS", record(&[("STEP", 3.0)])).unwrap();
    assert_ne!(first(&mut far), blurred);
}

#[test]
fn a_mount_that_drifts_shows_other_places() {
    let mut rig = small(&[]);
    let default = first(&mut rig);
    for (element, value) in [("DRIFT_RA", 3600.0), ("DRIFT_DEC", -3600.0), ("PERIODIC_ERROR", 600.0)] {
        let period = ("PERIOD", 10.0);
        let mut bad = small(&[("SIMULATOR_TRACKING", record(&[(element, value), period]))]);
        thread::park_timeout(Duration::from_millis(100));
        assert_ne!(bad.frame(SHORT, FrameType::Light).pixels, default, "{element}");
    }
}
