//! The driver before the simulators of the PyPI package `alpaca-simulators`, as `tests/rigs/alpaca.sh` prepares them.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a failure is a failed test")]
#![allow(unreachable_pub, dead_code, reason = "modules of a test binary have no outside")]

mod support;

#[path = "alpaca/door.rs"]
mod door;

use std::env;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use door::Door;
use support::{Driver, Element, Fits, Folder, Process, Start, fits, until};

/// The simulator takes its time, above all to start.
const PATIENCE: Duration = Duration::from_secs(60);
/// What the simulator calls its camera. It has no identity but its place.
const CAMERA: &str = "Simulator Camera";
const SIZE: (u32, u32) = (255, 203);

/// A simulator of our own, which can be killed.
struct Simulator {
    address: SocketAddr,
    process: Process,
    _folder: Folder,
}

impl Simulator {
    fn start() -> Simulator {
        let given = |name| env::var_os(name).unwrap_or_else(|| panic!("no {name}: run tests/rigs/alpaca.sh"));
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let folder = Folder::new();
        // It writes beside its configuration.
        let config = folder.path().join("config.yaml");
        std::fs::copy(PathBuf::from(given("ALPACA_CONFIG")), &config).unwrap();
        let mut command = Command::new(given("ALPACA_SIMULATOR"));
        command.args(["--host", "127.0.0.1", "--port", &free.port().to_string(), "--config"]).arg(&config);
        command.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = Process::spawn(&mut command).unwrap();
        until("the simulator listens", PATIENCE, || TcpStream::connect(free).is_ok());
        Simulator { address: free, process, _folder: folder }
    }

    /// The image that it holds, read by nobody's code but these lines: columns, rows, and the values row by row.
    fn image(&self) -> (usize, usize, Vec<u32>) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let words = "GET /api/v1/camera/0/imagearray HTTP/1.0\r\nAccept: application/imagebytes\r\n\r\n";
        stream.write_all(words.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let begin = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
        let body = &answer[begin..];
        let word = |i: usize| u32::from_le_bytes(body[4 * i..4 * i + 4].try_into().unwrap()) as usize;
        let (start, columns, rows) = (word(4), word(8), word(9));
        let value = |column: usize, row: usize| {
            let at = start + 2 * (column * rows + row);
            u32::from(u16::from_le_bytes([body[at], body[at + 1]]))
        };
        (
            columns,
            rows,
            (0..rows).flat_map(|row| (0..columns).map(move |column| value(column, row))).collect(),
        )
    }
}

fn number(driver: &mut Driver, vector: &str, values: &[(&str, f64)]) {
    let values: Vec<(&str, String)> = values.iter().map(|(name, value)| (*name, value.to_string())).collect();
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    driver.new_vector("Number", vector, &values);
}

/// The driver with the camera at that address connected, whatever its device is called.
fn driver(address: SocketAddr) -> Driver {
    let env = vec![("INDI_CAMERA_ALPACA", format!("only,{address}"))];
    let argv0 = "indi_camera_alpaca_ccd";
    let mut driver = Driver::start(Start { argv0, device: CAMERA.to_owned(), env, ..Start::default() });
    driver.send("<getProperties version='1.7'/>\n");
    let is_camera = |element: &Element| {
        element.attribute("device").starts_with(CAMERA) && element.attribute("name") == "CONNECTION"
    };
    let device = driver.until(is_camera, PATIENCE).attribute("device").to_owned();
    driver.address(&device);
    driver.connect();
    driver
}

fn frame(driver: &mut Driver, seconds: f64) -> Fits {
    fits(&driver.expose(seconds).bytes)
}

fn is_the_simulators(frame: &Fits, simulator: &Simulator) {
    let (columns, rows, values) = simulator.image();
    assert_eq!(frame.shape, [columns, rows]);
    assert!(frame.pixels == values, "the pixels are not those of the simulator");
    let (least, most) = (values.iter().min().unwrap(), values.iter().max().unwrap());
    assert!(least < most && *most > 255, "from {least} to {most}: that shows nothing");
}

#[test]
fn frames_are_the_simulators_bit_for_bit() {
    let simulator = Simulator::start();
    let mut driver = driver(simulator.address);
    assert_eq!(driver.number("CCD_INFO", "CCD_BITSPERPIXEL"), 16.0);
    let whole = frame(&mut driver, 0.1);
    assert_eq!(whole.shape, [SIZE.0 as usize, SIZE.1 as usize]);
    is_the_simulators(&whole, &simulator);
    number(&mut driver, "CCD_FRAME", &[("X", 20.0), ("Y", 8.0), ("WIDTH", 101.0), ("HEIGHT", 64.0)]);
    let window = frame(&mut driver, 0.1);
    assert_eq!(window.shape, [101, 64]);
    is_the_simulators(&window, &simulator);
    number(&mut driver, "CCD_BINNING", &[("HOR_BIN", 2.0), ("VER_BIN", 4.0)]);
    let binned = frame(&mut driver, 0.1);
    assert_eq!(binned.shape, [50, 16]);
    is_the_simulators(&binned, &simulator);
}

#[test]
fn cooler_heat_sink_offset_and_ways_to_read_out_follow_the_client() {
    let simulator = Simulator::start();
    let mut driver = driver(simulator.address);
    number(&mut driver, "CCD_TEMPERATURE", &[("CCD_TEMPERATURE_VALUE", -12.0)]);
    driver.wait_for(|peer| peer.state("CCD_TEMPERATURE") == "Ok", PATIENCE);
    assert_eq!(driver.number("CCD_TEMPERATURE", "CCD_TEMPERATURE_VALUE"), -12.0);
    assert_eq!(driver.get("CCD_COOLER", "COOLER_ON"), Some("On"));
    // It is always so much warmer than the sensor.
    driver.wait_for(|peer| peer.get("ALPACA_HEAT_SINK", "VALUE") == Some("-7"), PATIENCE);
    number(&mut driver, "CCD_OFFSET", &[("OFFSET", 2.0)]);
    driver.wait_for(|peer| peer.state("CCD_OFFSET") == "Ok", PATIENCE);
    driver.new_vector("Switch", "CCD_CAPTURE_FORMAT", &[("READOUT_2", "On")]);
    driver.wait_for(|peer| peer.get("CCD_CAPTURE_FORMAT", "READOUT_2") == Some("On"), PATIENCE);
    let frame = frame(&mut driver, 0.1);
    assert_eq!((frame.number("OFFSET"), frame.number("CCD-TEMP")), (2.0, -12.0));
}

/// Waits until the camera is lost, and counts how the exposure ended.
fn lost(driver: &mut Driver) -> Vec<String> {
    let mut ends = Vec::new();
    while driver.state("CONNECTION") != "Alert" || driver.state("CCD_EXPOSURE") == "Busy" {
        let element = driver.next_element(PATIENCE);
        let state = element.attribute("state");
        if element.is("setNumberVector", "CCD_EXPOSURE") && state != "Busy" {
            ends.push(state.to_owned());
        }
    }
    ends
}

#[test]
fn a_simulator_killed_during_an_exposure_or_with_half_an_image_sent_costs_one_frame() {
    let mut simulator = Simulator::start();
    let door = Door::before(simulator.address);
    let mut driver = driver(door.address);
    frame(&mut driver, 0.1);
    for hold in [None, Some(10_000)] {
        door.plan(|plan| plan.hold_image = hold);
        let asked = door.heard("/imagearray");
        let seconds = if hold.is_some() { 0.1 } else { 600.0 };
        number(&mut driver, "CCD_EXPOSURE", &[("CCD_EXPOSURE_VALUE", seconds)]);
        driver.wait_for(|peer| peer.state("CCD_EXPOSURE") == "Busy", PATIENCE);
        if hold.is_some() {
            until("the image is asked for", PATIENCE, || door.heard("/imagearray") > asked);
        }
        door.slam();
        drop(simulator);
        assert_eq!(lost(&mut driver), ["Alert"]);
        simulator = Simulator::start();
        door.plan(|plan| plan.hold_image = None);
        door.open(simulator.address);
        driver.wait_for(|peer| peer.state("CONNECTION") == "Ok", PATIENCE);
        let frame = frame(&mut driver, 0.1);
        is_the_simulators(&frame, &simulator);
    }
}
