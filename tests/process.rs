//! The driver as a process, with a server that is played by the test: a unix socket as indiserver gives it, or two
//! pipes. What is asserted is what a user, a client or the server would notice.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a failure is a failed test")]

mod support;

#[path = "process/calls.rs"]
mod calls;
#[path = "process/configuration.rs"]
mod configuration;
#[path = "process/crash.rs"]
mod crash;
#[path = "process/definitions.rs"]
mod definitions;
#[path = "process/disk.rs"]
mod disk;
#[path = "process/exposures.rs"]
mod exposures;
#[path = "process/flow.rs"]
mod flow;
#[path = "process/frames.rs"]
mod frames;
#[path = "process/input.rs"]
mod input;
#[path = "process/life.rs"]
mod life;
#[path = "process/log.rs"]
mod log;
#[path = "process/names.rs"]
mod names;
#[path = "process/refusals.rs"]
mod refusals;
#[path = "process/siege.rs"]
mod siege;
#[path = "process/skeleton.rs"]
mod skeleton;
#[path = "process/spool.rs"]
mod spool;
#[path = "process/text.rs"]
mod text;
#[path = "process/upload.rs"]
mod upload;
#[path = "process/watch.rs"]
mod watch;

use support::{Driver, Element, Link, Peer, SOON, Start};

/// Size of a sensor whose frames cost nothing.
const SMALL: (u32, u32) = (64, 48);
/// An exposure that is over before anyone looks.
const BRIEF: f64 = 0.01;
/// An exposure that no test waits for.
const LONG: f64 = 600.0;

/// A connected camera with a small sensor.
fn connected() -> Driver {
    connected_by(Start::default())
}

/// The same between pipes.
fn connected_by_pipes() -> Driver {
    connected_by(Start { link: Link::Pipes, ..Start::default() })
}

fn connected_by(start: Start) -> Driver {
    connected_with(start, SMALL)
}

fn connected_with(start: Start, size: (u32, u32)) -> Driver {
    let mut driver = Driver::start(start);
    connect(&mut driver, size);
    driver
}

/// Connects a camera whose frames look all alike, and which says nothing of its own accord for a while.
fn connect(peer: &mut Peer, (width, height): (u32, u32)) {
    let size = [("WIDTH", &*width.to_string()), ("HEIGHT", &*height.to_string())];
    peer.new_vector("Number", "SIMULATOR_SENSOR", &size);
    press(peer, "SIMULATOR_SCENE", "SCENE_TEST_PATTERN");
    peer.new_vector("Number", "POLLING_PERIOD", &[("PERIOD_MS", "600000")]);
    peer.connect();
    until_quiet(peer);
}

/// Asks for all properties: all that is said until the answer is complete.
fn ask_all(peer: &mut Peer) -> Vec<Element> {
    peer.send("<getProperties version='1.7'/>\n");
    until_quiet(peer)
}

/// Asks for all properties, and waits until the camera has confirmed the settings of the simulated sensor.
fn greet(peer: &mut Peer) {
    ask_all(peer);
    let settings = |peer: &Peer| {
        let names = peer.names().into_iter().filter(|name| name.starts_with("SIMULATOR_"));
        names.map(|name| peer.state(name).to_owned()).collect::<Vec<_>>()
    };
    peer.wait_for(|peer| settings(peer).iter().all(|state| state == "Ok"), SOON);
    until_quiet(peer);
}

/// Switches one switch on.
fn press(peer: &mut Peer, vector: &str, switch: &str) {
    peer.new_vector("Switch", vector, &[(switch, "On")]);
}

/// Asks for an exposure and does not wait for anything.
fn begin(peer: &mut Peer, seconds: f64) {
    peer.new_vector("Number", "CCD_EXPOSURE", &[("CCD_EXPOSURE_VALUE", &seconds.to_string())]);
}

/// Takes one frame: all that is said from the request to the end of the exposure.
fn take(peer: &mut Peer, seconds: f64) -> Vec<Element> {
    begin(peer, seconds);
    collect(peer, |element| element.is("setNumberVector", "CCD_EXPOSURE") && !is_busy(element))
}

/// Reads up to the wanted element, which is the last of what is returned.
fn collect(peer: &mut Peer, wanted: impl Fn(&Element) -> bool) -> Vec<Element> {
    let mut heard = Vec::new();
    loop {
        heard.push(peer.next_element(SOON));
        if wanted(&heard[heard.len() - 1]) {
            return heard;
        }
    }
}

/// All that the driver has to say to what was sent until now, a ping being answered after everything before it.
fn until_quiet(peer: &mut Peer) -> Vec<Element> {
    let uid = support::unique();
    peer.send(&format!("<pingRequest uid='{uid}'/>\n"));
    let mut heard = collect(peer, |element| element.tag == "pingReply" && element.attribute("uid") == uid);
    heard.pop();
    // What it asks of other devices, it asks whenever it likes.
    heard.retain(|element| element.tag != "getProperties");
    heard
}

fn is_busy(element: &Element) -> bool {
    element.attribute("state") == "Busy"
}

fn is_blob(element: &Element) -> bool {
    element.tag == "setBLOBVector"
}

fn count(heard: &[Element], wanted: impl Fn(&Element) -> bool) -> usize {
    heard.iter().filter(|element| wanted(element)).count()
}

/// Asserts that the camera still takes pictures.
fn assert_well(driver: &mut Driver) {
    assert!(driver.is_running(), "it has ended:\n{}", driver.stderr());
    driver.expose(BRIEF);
}
