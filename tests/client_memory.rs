//! The client over a long night: its memory, and its descriptors, are the same after many frames as after a few.
//!
//! Alone in its process, so that nothing else moves what is measured. `CLIENT_MEMORY_FRAMES` and `CLIENT_MEMORY_SENSOR`
//! (`4656x3520`) make it a long measurement of large frames.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where something fails")]

mod support;

use std::fs;

use indi_camera::camera::types::Value;
use indi_camera::camera::wish::ExposureWish;
use indi_camera::client::{Address, Camera, Launch, Patience, Server};
use support::{BINARY, DEVICE, Folder, SIMULATOR};

/// Frames after which everything that is kept has been made.
const WARM_UP: usize = 5;
/// Frames that are measured, and the sensor, unless the environment says otherwise.
const FRAMES: usize = 40;
const SENSOR: (u32, u32) = (1280, 1024);
/// By how much memory may differ: some frames that were freed and not yet given back.
const SLACK_FRAMES: usize = 6;

/// What is held now: resident memory in bytes, memory files and all descriptors.
#[derive(Debug)]
struct Held {
    resident: usize,
    memories: usize,
    descriptors: usize,
}

impl Held {
    fn now() -> Held {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        let kilobytes: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        let links: Vec<_> = fs::read_dir("/proc/self/fd")
            .unwrap()
            .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
            .collect();
        let memories = links.iter().filter(|link| link.to_string_lossy().contains("memfd:")).count();
        Held { resident: kilobytes << 10, memories, descriptors: links.len() }
    }
}

#[test]
fn memory_is_flat_over_many_frames() {
    let frames = std::env::var("CLIENT_MEMORY_FRAMES").map_or(FRAMES, |text| text.parse().unwrap());
    let sensor = std::env::var("CLIENT_MEMORY_SENSOR").map_or(SENSOR, |text| {
        let (width, height) = text.split_once('x').unwrap();
        (width.parse().unwrap(), height.parse().unwrap())
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let home = Folder::new();
        // The last half comes as base64: the other way that a frame may take.
        let attached = ready(&home, None, sensor).await;
        let inline = ready(&home, Some("inline"), sensor).await;
        for (camera, way) in [(&attached, "attached"), (&inline, "inline")] {
            let count = frames / 2;
            for _ in 0..WARM_UP {
                take(camera, sensor).await;
            }
            let before = Held::now();
            let began = support::now();
            for _ in 0..count {
                take(camera, sensor).await;
            }
            let after = Held::now();
            println!(
                "{way}: {count} frames of {sensor:?} in {:?}; {before:?}, then {after:?}",
                began.elapsed()
            );
            let slack = SLACK_FRAMES * sensor.0 as usize * sensor.1 as usize * 2;
            assert!(after.resident < before.resident + slack, "{way}: {before:?}, then {after:?}");
            assert!(after.memories <= before.memories + 2, "{way}: {before:?}, then {after:?}");
            assert!(after.descriptors <= before.descriptors + 2, "{way}: {before:?}, then {after:?}");
        }
    });
}

async fn ready(home: &Folder, blob: Option<&str>, sensor: (u32, u32)) -> Camera {
    let mut launch = Launch::new(BINARY).named(SIMULATOR).env("HOME", home.path());
    launch.without = support::FOREIGN.iter().map(Into::into).collect();
    if let Some(way) = blob {
        launch = launch.env("INDI_CAMERA_BLOB", way);
    }
    let server = Server::connect(Address::Driver(launch), Patience::default()).await.unwrap();
    let camera = server.camera(DEVICE);
    let record = |pairs: &[(&str, Value)]| {
        Value::Record(pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
    };
    let size = [("WIDTH", Value::Number(sensor.0.into())), ("HEIGHT", Value::Number(sensor.1.into()))];
    camera.set_parameter("SIMULATOR_SENSOR", &record(&size)).await.unwrap();
    camera.set_parameter("SIMULATOR_SCENE.SCENE_TEST_PATTERN", &Value::Bool(true)).await.unwrap();
    camera.connect().await.unwrap();
    camera
}

/// Takes a frame, reads its pixels and lets go of it.
async fn take(camera: &Camera, sensor: (u32, u32)) {
    let shot = camera.capture(&ExposureWish::of(0.001), |_| {}).await.unwrap();
    let frame = shot.frame().await.unwrap();
    assert_eq!(frame.pixels.shape(), (1, sensor.1 as usize, sensor.0 as usize));
}
