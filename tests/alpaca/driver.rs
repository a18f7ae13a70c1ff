//! The whole way: a server's pixels in the FITS file that a client of the driver receives, and what that client sees of
//! a server that dies.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::support::{Driver, Element, Folder, Start, fits};

use super::*;

/// Called so that its device is called the same.
const NAME: &str = "Scripted 00000001";

fn script() -> Script {
    Script { name: NAME, unique_id: "00000001", ..Script::of_size(301, 203) }
}

/// The driver, seen through that device of its.
fn started(observatory: &Observatory, device: &str) -> Driver {
    let addresses = format!("only,{}", observatory.address());
    let env = vec![("INDI_CAMERA_ALPACA", addresses)];
    let start = Start { argv0: "indi_camera_alpaca_ccd", device: device.to_owned(), env, ..Start::default() };
    Driver::start(start)
}

fn driver(observatory: &Observatory) -> Driver {
    let mut driver = started(observatory, NAME);
    driver.connect();
    driver
}

/// What the hub's CAMERA_REPLY says.
fn reply(hub: &mut Driver, name: &str, params: &str) -> String {
    hub.new_vector("Text", "CAMERA_CALL", &[("NAME", name), ("PARAMS", params)]);
    let reply = hub.until(|element| element.is("setTextVector", "CAMERA_REPLY"), SOON);
    reply.value("RESULT").unwrap_or_default().to_owned()
}

#[test]
fn the_hub_finds_a_camera_and_connects_it_by_name() {
    let observatory = Observatory::new(script());
    let mut hub = started(&observatory, "Camera Hub");
    hub.send("<getProperties version='1.7'/>\n");
    hub.wait_for(|hub| hub.state("CAMERA_CALL") == "Idle", SOON);
    let found = reply(&mut hub, "scanning", "");
    assert!(found.contains(&format!("\"camera\":[\"{NAME}\"]")), "{found}");
    let refused = reply(&mut hub, "connect", r#"{"device_name": "Nobody"}"#);
    assert!(refused.contains("out_of_range") && refused.contains(NAME), "{refused}");
    let connected = reply(&mut hub, "connect", &format!("{{\"device_name\": \"{NAME}\"}}"));
    assert!(connected.contains("\"status\":0"), "{connected}");
    hub.address(NAME);
    assert_eq!((hub.state("CONNECTION"), hub.get("CONNECTION", "CONNECT")), ("Ok", Some("On")));
}

/// The name of a second camera.
const SECOND: &str = "Second 00000002";

/// The driver with two cameras, started but asked for nothing; the settings of the second one are read from a pipe, so
/// whoever reads them waits for somebody who writes them.
fn started_with_a_hanging_home(one: &Observatory, two: &Observatory) -> (Driver, PathBuf) {
    let home = Arc::new(Folder::new());
    let settings = home.path().join(".indi");
    std::fs::create_dir(&settings).unwrap();
    let hangs = settings.join(format!("{SECOND}_config.xml"));
    assert!(std::process::Command::new("mkfifo").arg(&hangs).status().unwrap().success());
    let addresses = format!("only,{},{}", one.address(), two.address());
    let env = vec![("INDI_CAMERA_ALPACA", addresses)];
    let start = Start { argv0: "indi_camera_alpaca_ccd", device: NAME.into(), env, ..Start::default() };
    (Driver::start(Start { home: Some(home), ..start }), hangs)
}

fn two_cameras() -> [Observatory; 2] {
    [script(), Script { name: SECOND, unique_id: "00000002", ..script() }].map(Observatory::new)
}

#[test]
fn a_home_directory_that_hangs_when_a_camera_is_found_leaves_the_others_alone() {
    let [one, two] = two_cameras();
    let (mut driver, _) = started_with_a_hanging_home(&one, &two);
    driver.connect();
    is_bit_for_bit(&mut driver, &one, (0, 0, 301, 203), 1);
    driver.address(SECOND);
    assert_eq!(driver.names(), [""; 0]);
}

#[test]
fn a_camera_that_is_being_prepared_while_clients_ask_for_devices_introduces_itself() {
    let [one, two] = two_cameras();
    let (mut driver, hangs) = started_with_a_hanging_home(&one, &two);
    let mut settings = None;
    until("the settings are being read", SOON, || {
        // Without that flag it would wait for a reader for ever.
        let write = OpenOptions::new().write(true).custom_flags(libc::O_NONBLOCK).open(&hangs);
        settings = write.ok();
        settings.is_some()
    });
    // Nobody shall wait there again.
    std::fs::remove_file(&hangs).unwrap();
    driver.connect();
    drop(settings);
    driver.address(SECOND);
    driver.wait_for(|peer| peer.state("CONNECTION") == "Idle", SOON);
}

fn number(driver: &mut Driver, vector: &str, values: &[(&str, f64)]) {
    let values: Vec<(&str, String)> = values.iter().map(|(name, value)| (*name, value.to_string())).collect();
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    driver.new_vector("Number", vector, &values);
}

fn begin(driver: &mut Driver, seconds: f64) {
    number(driver, "CCD_EXPOSURE", &[("CCD_EXPOSURE_VALUE", seconds)]);
    driver.wait_for(|peer| peer.state("CCD_EXPOSURE") == "Busy", SOON);
}

/// Takes a frame and compares it with what the camera saw under a window and binning.
fn is_bit_for_bit(
    driver: &mut Driver,
    observatory: &Observatory,
    (x, y, width, height): (u32, u32, u32, u32),
    bin: u32,
) {
    let frame = fits(&driver.expose(0.01).bytes);
    let (columns, rows) = (width / bin, height / bin);
    assert_eq!(frame.shape, [columns as usize, rows as usize]);
    let pixel = observatory.camera.script().pixel;
    let row = |row: u32| (0..columns).map(move |column| pixel(x + column * bin, y + row * bin));
    let expected: Vec<u32> = (0..rows).flat_map(row).map(|value| u32::try_from(value).unwrap()).collect();
    assert!(
        frame.pixels == expected,
        "{width}x{height} from ({x}, {y}) binned by {bin} is not what the camera saw"
    );
}

#[test]
fn a_frame_has_the_servers_pixels_bit_for_bit() {
    let observatory = Observatory::new(script());
    let mut driver = driver(&observatory);
    assert_eq!(driver.number("CCD_INFO", "CCD_BITSPERPIXEL"), 16.0);
    is_bit_for_bit(&mut driver, &observatory, (0, 0, 301, 203), 1);
    number(&mut driver, "CCD_FRAME", &[("X", 30.0), ("Y", 12.0), ("WIDTH", 101.0), ("HEIGHT", 77.0)]);
    is_bit_for_bit(&mut driver, &observatory, (30, 12, 101, 77), 1);
    number(&mut driver, "CCD_BINNING", &[("HOR_BIN", 3.0), ("VER_BIN", 3.0)]);
    is_bit_for_bit(&mut driver, &observatory, (30, 12, 101, 77), 3);
    number(&mut driver, "CCD_GAIN", &[("GAIN", 222.0)]);
    driver.wait_for(|peer| peer.state("CCD_GAIN") == "Ok", SOON);
    let frame = fits(&driver.expose(0.01).bytes);
    assert_eq!((frame.number("GAIN"), frame.number("CCD-TEMP")), (222.0, 12.5));
}

#[test]
fn depth_and_mosaic_reach_the_file() {
    let sensor = ascom_alpaca::api::camera::SensorType::RGGB;
    let pixel: fn(u32, u32) -> i32 = |x, y| i32::try_from((x * 131 + y * 31) % 4096).unwrap();
    let observatory = Observatory::new(Script { max_adu: 4095, sensor, bayer: (1, 0), pixel, ..script() });
    let mut driver = driver(&observatory);
    driver.wait_for(|peer| peer.get("CCD_CFA", "CFA_TYPE") == Some("GRBG"), SOON);
    let frame = fits(&driver.expose(0.01).bytes);
    assert_eq!((frame.get("BAYERPAT"), frame.get("BITPIX")), ("GRBG", "16"));
}

#[test]
fn a_bright_star_in_binned_pixels_does_not_cost_the_frame() {
    // What a camera sends that adds up four pixels of 16 bits.
    let pixel: fn(u32, u32) -> i32 = |x, y| if (x, y) == (20, 10) { 4 * 65_535 } else { 4000 };
    let sends = super::script::Sends::Integers;
    let observatory = Observatory::new(Script { sends, pixel, ..script() });
    let mut driver = driver(&observatory);
    number(&mut driver, "CCD_BINNING", &[("HOR_BIN", 2.0), ("VER_BIN", 2.0)]);
    for _ in 0..2 {
        let frame = fits(&driver.expose(0.01).bytes);
        assert_eq!((frame.get("BITPIX"), &frame.shape[..]), ("16", &[150, 101][..]));
        let bright: Vec<usize> = (0..frame.pixels.len()).filter(|i| frame.pixels[*i] != 4000).collect();
        // In the file as saturated as a pixel can be.
        assert_eq!(bright, [5 * 150 + 10]);
        assert_eq!(frame.pixels[bright[0]], 65_535);
    }
    let told = driver.stderr().matches("values above its MaxADU").count();
    assert_eq!(told, 1, "{}", driver.stderr());
}

/// States of CCD_EXPOSURE that end it.
fn ends(heard: &[Element]) -> Vec<&str> {
    let states = heard.iter().filter(|element| element.is("setNumberVector", "CCD_EXPOSURE"));
    states.map(|element| element.attribute("state")).filter(|state| *state != "Busy").collect()
}

/// Kills the server during what runs, starts another, and sees one end, one return, and a frame.
fn survives_the_server(driver: &mut Driver, observatory: &mut Observatory) {
    driver.messages.clear();
    observatory.kill();
    let mut heard = Vec::new();
    while driver.state("CONNECTION") != "Alert" || driver.state("CCD_EXPOSURE") == "Busy" {
        heard.push(driver.next_element(SOON));
    }
    assert_eq!(driver.get("CONNECTION", "CONNECT"), Some("On"));
    assert!(driver.vector("CCD_GAIN").is_some(), "clients keep what they know");
    observatory.start(script());
    while driver.state("CONNECTION") != "Ok" {
        heard.push(driver.next_element(SOON));
    }
    assert_eq!(ends(&heard), ["Alert"]);
    let lost = format!("{NAME} is lost");
    let told = driver.messages.iter().filter(|message| message.contains(&lost)).count();
    assert_eq!(told, 1, "{:?}", driver.messages);
    // It is told them after clients have been told of the camera, and before anything else that they ask.
    until("the new server's camera has the old settings", SOON, || {
        observatory.camera.script().gain == Some(33)
    });
    is_bit_for_bit(driver, observatory, (0, 0, 301, 203), 1);
}

#[test]
fn a_server_killed_and_started_again_costs_one_exposure() {
    let mut observatory = Observatory::new(script());
    let mut driver = driver(&observatory);
    number(&mut driver, "CCD_GAIN", &[("GAIN", 33.0)]);
    driver.wait_for(|peer| peer.state("CCD_GAIN") == "Ok", SOON);
    begin(&mut driver, 600.0);
    survives_the_server(&mut driver, &mut observatory);
    // With a part of the image sent.
    observatory.door.plan(|plan| plan.hold_image = Some(50_000));
    begin(&mut driver, 0.01);
    until("the image is asked for", SOON, || observatory.door.heard("/imagearray") > 1);
    observatory.door.plan(|plan| plan.hold_image = None);
    survives_the_server(&mut driver, &mut observatory);
}

#[test]
fn a_guide_pulse_of_a_client_reaches_the_camera() {
    let observatory = Observatory::new(script());
    let mut driver = driver(&observatory);
    number(&mut driver, "TELESCOPE_TIMED_GUIDE_WE", &[("TIMED_GUIDE_E", 30.0)]);
    driver.wait_for(|peer| peer.state("TELESCOPE_TIMED_GUIDE_WE") == "Ok", SOON);
    let pulses = observatory.camera.script().pulses.clone();
    let east = ascom_alpaca::api::camera::GuideDirection::East;
    assert_eq!(pulses, [(east, Duration::from_millis(30))]);
}

#[test]
fn the_heat_sink_is_shown_and_followed() {
    let observatory = Observatory::new(script());
    let mut driver = driver(&observatory);
    driver.wait_for(|peer| peer.get("ALPACA_HEAT_SINK", "VALUE") == Some("21.5"), SOON);
    assert_eq!(driver.vector("ALPACA_HEAT_SINK").unwrap().attributes["perm"], "ro");
    observatory.camera.script().heat_sink = Some(31.25);
    driver.wait_for(|peer| peer.get("ALPACA_HEAT_SINK", "VALUE") == Some("31.25"), SOON);
}

#[test]
fn what_a_camera_refuses_is_told_and_the_rest_works() {
    let observatory = Observatory::new(script());
    let mut driver = driver(&observatory);
    observatory.camera.script().refuses.insert("gain", (0x500, "the gain is glued"));
    number(&mut driver, "CCD_GAIN", &[("GAIN", 33.0)]);
    let refused = |peer: &crate::support::Peer| {
        peer.state("CCD_GAIN") == "Alert"
            && peer.messages.iter().any(|message| message.contains("the gain is glued (ASCOM error 0x500)"))
    };
    driver.wait_for(refused, SOON);
    is_bit_for_bit(&mut driver, &observatory, (0, 0, 301, 203), 1);
}
