//! Every family of cameras that is compiled in, at once in one process of the driver: exposing together once a second, as
//! `tests/rigs/all_families.sh` has it do in a virtual machine. No frame is lost, and the process does not grow.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a failure is a failed test")]
#![allow(unreachable_pub, dead_code, reason = "modules of a test binary have no outside")]

mod support;

#[path = "alpaca/door.rs"]
mod door;
#[path = "alpaca/script.rs"]
mod script;
#[path = "alpaca/server.rs"]
mod server;

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, fs};

use indi_camera::backend::BACKENDS;
use script::Script;
use server::Observatory;
use support::{BINARY, Client, Element, Folder, Limit, Process, Server, now};

const SECOND: Duration = Duration::from_secs(1);
/// Of a FITS file, in bytes.
const BLOCK: usize = 2880;
/// The machine is emulated.
const PATIENCE: Duration = Duration::from_secs(60);
/// What the allocator keeps is chance.
const SLACK_KB: u64 = 4096;
/// How often the process is looked at.
const SAMPLES: u64 = 10;
/// Of a hundred frames so many may come after their second: the aim is a rate, and a machine pauses now and then.
const LATE_OF_A_HUNDRED: u64 = 5;

/// `Number` or `Switch`, a vector, and its elements.
type Setting = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// A kind of camera, and how one in the rig is told from the others.
struct Family {
    backend: &'static str,
    device: &'static str,
    /// What keeps its frames small, before it is connected and then.
    before: &'static [Setting],
    after: &'static [Setting],
}

const FAMILIES: [Family; 4] = [
    Family {
        backend: "simulator",
        device: "Camera Simulator",
        before: &[
            ("Number", "SIMULATOR_SENSOR", &[("WIDTH", "320"), ("HEIGHT", "240")]),
            ("Switch", "SIMULATOR_SCENE", &[("SCENE_TEST_PATTERN", "On")]),
        ],
        after: &[],
    },
    Family {
        backend: "v4l2",
        device: "vivid",
        before: &[("Number", "V4L2_SIZE", &[("WIDTH", "320"), ("HEIGHT", "180")])],
        after: &[],
    },
    Family { backend: "alpaca", device: "Scripted", before: &[], after: &[] },
    Family {
        backend: "aravis",
        device: "Aravis",
        before: &[],
        after: &[("Number", "CCD_FRAME", &[("X", "0"), ("Y", "0"), ("WIDTH", "320"), ("HEIGHT", "240")])],
    },
];

/// A camera that exposes.
struct Running {
    device: String,
    seconds: f64,
    /// Width and height of its frames.
    size: (u64, u64),
    frames: u64,
    late: u64,
    lost: u64,
}

/// What the process holds.
#[derive(Clone, Copy, Debug)]
struct Holds {
    memory_kb: u64,
    descriptors: usize,
    threads: usize,
}

impl Holds {
    fn of(pid: i32) -> Holds {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let value = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.split_whitespace().next().unwrap().parse().unwrap()
        };
        let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count();
        let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap().count();
        Holds { memory_kb: value("VmRSS:"), descriptors, threads }
    }
}

/// The families that are compiled in.
fn families() -> Vec<&'static Family> {
    let compiled = |family: &&Family| BACKENDS.iter().any(|backend| backend.name == family.backend);
    FAMILIES.iter().filter(compiled).collect()
}

/// Aravis' own camera for tests, where there is a backend for it.
fn gige() -> Option<Process> {
    let compiled = families().iter().any(|family| family.backend == "aravis");
    let mut command = Command::new("arv-fake-gv-camera-0.8");
    command.args(["-i", "127.0.0.1", "-s", "RIG1"]).stdout(Stdio::null()).stderr(Stdio::null());
    compiled.then(|| Process::spawn(&mut command).expect("install aravis-tools"))
}

fn serve(alpaca: &Observatory) -> (Server, Folder) {
    let programs = Folder::new();
    let driver = programs.path().join("indi_camera_ccd");
    symlink(env::var_os("RIG_DRIVER").map_or_else(|| PathBuf::from(BINARY), PathBuf::from), &driver).unwrap();
    let backends: Vec<&str> = families().iter().map(|family| family.backend).collect();
    let (backends, address) = (backends.join(","), format!("only,{}", alpaca.address()));
    let env = [
        ("INDI_CAMERA_BACKENDS", backends.as_str()),
        ("INDI_CAMERA_ALPACA", &address),
        ("INDI_CAMERA_GIGE", "127.0.0.1"),
    ];
    (Server::start_in(&env, &["-r", "0"], &[driver.as_path()]), programs)
}

/// The camera of a family, connected.
fn connected(client: &mut Client, family: &Family) -> Running {
    client.send("<getProperties version='1.7'/>\n");
    let is_camera = |element: &Element| {
        element.attribute("device").contains(family.device) && element.attribute("name") == "CONNECTION"
    };
    let device = client.until(is_camera, PATIENCE).attribute("device").to_owned();
    client.address(&device);
    for (kind, vector, values) in family.before {
        client.wait_for(|peer| peer.vector(vector).is_some(), PATIENCE);
        set(client, kind, vector, values);
    }
    client.connect();
    for (kind, vector, values) in family.after {
        set(client, kind, vector, values);
    }
    client.send("<getProperties version='1.7'/>\n");
    let is_exposure = |element: &Element| {
        element.attribute("device") == device && element.is("defNumberVector", "CCD_EXPOSURE")
    };
    let definition = client.until(is_exposure, PATIENCE);
    let limit = |name| definition.children[0].attribute(name).parse::<f64>().unwrap();
    let seconds = 0.1_f64.clamp(limit("min"), limit("max"));
    client.wait_for(|peer| peer.vector("CCD_FRAME").is_some(), PATIENCE);
    let [width, height] = ["WIDTH", "HEIGHT"].map(|side| client.number("CCD_FRAME", side) as u64);
    Running { device, seconds, size: (width, height), frames: 0, late: 0, lost: 0 }
}

fn set(client: &mut Client, kind: &str, vector: &str, values: &[(&str, &str)]) {
    client.new_vector(kind, vector, values);
    let is_answer = |element: &Element| element.is(&format!("set{kind}Vector"), vector);
    let answer = client.until(is_answer, PATIENCE);
    assert_eq!(answer.attribute("state"), "Ok", "{}", client.report());
}

/// One exposure of every camera at once, each awaited to its end; what was lost, and why.
fn expose(client: &mut Client, cameras: &mut [Running], second: u64) -> Vec<String> {
    let mut losses = Vec::new();
    for camera in &*cameras {
        client.address(&camera.device);
        let seconds = camera.seconds.to_string();
        client.new_vector("Number", "CCD_EXPOSURE", &[("CCD_EXPOSURE_VALUE", &seconds)]);
    }
    let (begin, limit, heard) = (now(), Limit::after(PATIENCE), client.messages.len());
    // What is wrong with its frame, as long as that is not there.
    let mut waiting: BTreeMap<String, Option<String>> =
        cameras.iter().map(|camera| (camera.device.clone(), Some("no frame came".to_owned()))).collect();
    while !waiting.is_empty() {
        let element = client.next_element(limit.left().unwrap_or_default());
        let device = element.attribute("device").to_owned();
        let (Some(flaw), Some(camera)) =
            (waiting.get_mut(&device), cameras.iter_mut().find(|camera| camera.device == device))
        else {
            continue;
        };
        match (element.attribute("name"), element.attribute("state")) {
            ("CCD1", _) if element.is("setBLOBVector", "CCD1") => *flaw = flaw_of(element, camera.size),
            ("CCD_EXPOSURE", "Ok") if flaw.is_none() => {
                camera.frames += 1;
                camera.late += u64::from(begin.elapsed() > SECOND);
                waiting.remove(&device);
            }
            ("CCD_EXPOSURE", state @ ("Ok" | "Alert" | "Idle")) => {
                let (after, flaw) = (begin.elapsed().as_secs_f64(), flaw.as_deref().unwrap_or_default());
                let end = format!("second {second}, {after:.1} s after the request: {state}, {flaw}");
                losses.push((device.clone(), end));
                camera.lost += 1;
                waiting.remove(&device);
            }
            _ => {}
        }
    }
    client.listen(SECOND.saturating_sub(begin.elapsed()));
    let said = client.messages[heard..].join("; ");
    let told = |(device, end): (String, String)| {
        client.address(&device);
        let failure = client.get("CCD_EXPOSURE_STATUS", "LAST_FAILURE").unwrap_or_default();
        format!("{device}: {end}; its last failure: {failure}; heard: {said}")
    };
    losses.into_iter().map(told).collect()
}

/// What is wrong with a file of a picture of that size, if anything is.
fn flaw_of(vector: Element, (width, height): (u64, u64)) -> Option<String> {
    let bytes = vector.blob().bytes;
    if !bytes.starts_with(b"SIMPLE  =") || !bytes.len().is_multiple_of(BLOCK) {
        return Some(format!("{} bytes that are no FITS", bytes.len()));
    }
    let card = |name: &str| {
        let cards = bytes.chunks_exact(80).take_while(|card| !card.starts_with(b"END     "));
        let mut values = cards.filter(|card| card[..8] == *format!("{name:8}").as_bytes());
        let value = String::from_utf8_lossy(&values.next()?[10..30]).trim().parse::<i64>();
        value.ok().map(i64::unsigned_abs)
    };
    let (bits, planes) = (card("BITPIX").unwrap_or(0), card("NAXIS3").unwrap_or(1));
    let size = (card("NAXIS1").unwrap_or(0), card("NAXIS2").unwrap_or(0));
    let blocks = (size.0 * size.1 * planes * bits / 8).div_ceil(BLOCK as u64);
    // The header has a block of its own at least.
    let is_whole = bytes.len() as u64 / BLOCK as u64 > blocks;
    let is_right = size == (width, height) && blocks > 0 && is_whole;
    (!is_right).then(|| {
        format!(
            "{}x{} pixels of {bits} bit in {} bytes where {width}x{height} were to come",
            size.0,
            size.1,
            bytes.len()
        )
    })
}

#[test]
fn all_families_expose_together_once_a_second_and_nothing_is_lost_and_nothing_grows() {
    let seconds: u64 = env::var("RIG_SECONDS").map_or(300, |seconds| seconds.parse().unwrap());
    let alpaca = Observatory::new(Script::of_size(320, 240));
    let _gige = gige();
    let (server, _programs) = serve(&alpaca);
    let mut client = server.unix();
    client.send("<enableBLOB>Also</enableBLOB>\n");
    let mut cameras: Vec<Running> =
        families().into_iter().map(|family| connected(&mut client, family)).collect();
    let [pid] = server.drivers()[..] else { panic!("one driver serves them all") };
    let (mut samples, mut losses) = (Vec::new(), Vec::new());
    let begin = now();
    println!("  second  memory (kB)  descriptors  threads  frames");
    for second in 0..seconds {
        for loss in expose(&mut client, &mut cameras, second + 1) {
            println!("lost: {loss}");
            losses.push(loss);
        }
        if (second + 1) % (seconds / SAMPLES).max(1) == 0 {
            let holds @ Holds { memory_kb, descriptors, threads } = Holds::of(pid);
            let frames: Vec<String> = cameras.iter().map(|camera| camera.frames.to_string()).collect();
            let frames = frames.join(" ");
            println!("{:>8}  {memory_kb:>11}  {descriptors:>11}  {threads:>7}  {frames}", second + 1);
            samples.push(holds);
        }
    }
    let took = begin.elapsed();
    println!("{seconds} exposures each in {:.1} s", took.as_secs_f64());
    for Running { device, frames, late, lost, .. } in &cameras {
        println!("{device}: {frames} frames, {late} of them after more than a second, {lost} lost");
    }
    assert!(losses.is_empty(), "{}", losses.join("\n"));
    for Running { device, frames, late, .. } in &cameras {
        assert_eq!(*frames, seconds, "{device}");
        assert!(late * 100 <= seconds * LATE_OF_A_HUNDRED, "{device}: {late} of {frames} frames are late");
    }
    let longest = Duration::from_secs(seconds).mul_f64(1.0 + LATE_OF_A_HUNDRED as f64 / 100.0) + SECOND;
    assert!(
        took <= longest,
        "a frame a second is no more than {longest:?} for {seconds} of them, not {took:?}"
    );
    let (early, end) = (samples[samples.len() / 3], samples[samples.len() - 1]);
    assert!(end.memory_kb <= early.memory_kb + SLACK_KB, "grown from {early:?} to {end:?}");
    assert!(end.descriptors <= early.descriptors + 2, "grown from {early:?} to {end:?}");
    assert!(end.threads <= early.threads + 2, "grown from {early:?} to {end:?}");
}
