//! Cameras that break, and the driver above them: each fault ends its exposure once and with a sentence, nobody else
//! notices, and the next frame is a good one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a failed step is a failed test"
)]

mod support;

#[path = "faults/apart.rs"]
mod apart;
#[path = "faults/camera.rs"]
mod camera;
#[path = "faults/driver.rs"]
mod driver;
#[path = "faults/together.rs"]
mod together;

use support::{Driver, Element, Folder, Peer, SOON, Start};

/// An exposure that is over before anyone looks.
const BRIEF: f64 = 0.01;

/// Simulators with that script, not connected.
fn scripted(script: &str, cameras: usize) -> (Driver, Folder) {
    let folder = Folder::new();
    let path = folder.path().join("faults.toml");
    std::fs::write(&path, script).unwrap();
    let env = vec![
        ("INDI_CAMERA_FAULTS", path.to_str().unwrap().to_owned()),
        ("INDI_CAMERA_SIMULATORS", cameras.to_string()),
    ];
    (Driver::start(Start { env, ..Start::default() }), folder)
}

/// Connects a camera with a small sensor that says nothing of its own accord.
fn connect(peer: &mut Peer) {
    peer.send("<getProperties version='1.7'/>\n");
    peer.new_vector("Number", "SIMULATOR_SENSOR", &[("WIDTH", "64"), ("HEIGHT", "48")]);
    peer.new_vector("Switch", "SIMULATOR_SCENE", &[("SCENE_TEST_PATTERN", "On")]);
    peer.new_vector("Number", "POLLING_PERIOD", &[("PERIOD_MS", "600000")]);
    peer.connect();
}

fn begin(peer: &mut Peer, seconds: f64) {
    peer.new_vector("Number", "CCD_EXPOSURE", &[("CCD_EXPOSURE_VALUE", &seconds.to_string())]);
}

/// Takes one frame; how it ended, and what was said about it.
fn attempt(peer: &mut Peer) -> (String, Vec<String>) {
    peer.messages.clear();
    begin(peer, BRIEF);
    let end = peer.until(|element| ends(element) && element.attribute("state") != "Busy", SOON);
    (end.attribute("state").to_owned(), std::mem::take(&mut peer.messages))
}

fn ends(element: &Element) -> bool {
    element.is("setNumberVector", "CCD_EXPOSURE")
}
