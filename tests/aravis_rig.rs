//! The driver before the fake GigE Vision camera of Aravis, which `tests/rigs/gige.sh` finds.
//!
//! What the camera shows is known: a diagonal ramp, which moves by one step with each frame, times a factor that grows
//! with gain and exposure time. So each pixel of each frame is compared, and frames can be told apart.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a failure is a failed test")]
#![allow(unreachable_pub, dead_code, reason = "modules of a test binary have no outside")]

mod support;

#[path = "aravis/camera.rs"]
mod camera;
#[path = "aravis/finding.rs"]
mod finding;
#[path = "aravis/frames.rs"]
mod frames;
#[path = "aravis/mishaps.rs"]
mod mishaps;
#[path = "aravis/rates.rs"]
mod rates;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use camera::FakeCamera;
use support::{Driver, Element, Fits, Peer, Start, fits};

/// The camera answers within milliseconds; the library waits seconds for one that does not.
const PATIENCE: Duration = Duration::from_secs(60);
/// The name that the program is started by.
const PROGRAM: &str = "indi_camera_aravis_ccd";
/// What the device is called: vendor, model and serial number.
const CAMERA: &str = "Aravis Fake RIG1";
const HUB: &str = "Camera Hub";

/// There is one such camera on a machine: it owns a port.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A driver that looks for cameras where it is told, and has said what it has.
fn started(addresses: &str) -> Driver {
    let env = vec![("INDI_CAMERA_GIGE", addresses.to_owned())];
    let mut driver = Driver::start(Start { argv0: PROGRAM, device: HUB.to_owned(), env, ..Start::default() });
    driver.send("<getProperties version='1.7'/>\n");
    driver
}

/// Waits until the camera has a device, and speaks of that from then on.
fn await_camera(peer: &mut Peer) {
    peer.address(CAMERA);
    peer.wait_for(|peer| peer.vector("CONNECTION").is_some(), PATIENCE);
}

/// A driver with the camera connected.
fn driver() -> Driver {
    let mut driver = started("only,127.0.0.1");
    await_camera(&mut driver);
    driver.connect();
    driver
}

/// Sets numbers, and waits until they are taken.
fn number(peer: &mut Peer, vector: &str, values: &[(&str, f64)]) {
    let values: Vec<(&str, String)> = values.iter().map(|(name, value)| (*name, value.to_string())).collect();
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    peer.new_vector("Number", vector, &values);
    let is_taken =
        |element: &Element| element.is("setNumberVector", vector) && element.attribute("state") == "Ok";
    peer.until(is_taken, PATIENCE);
}

fn window(peer: &mut Peer, [x, y, width, height]: [u32; 4]) {
    let sides = [("X", x), ("Y", y), ("WIDTH", width), ("HEIGHT", height)];
    number(peer, "CCD_FRAME", &sides.map(|(name, value)| (name, f64::from(value))));
}

fn format(peer: &mut Peer, name: &str) {
    peer.new_vector("Switch", "CCD_CAPTURE_FORMAT", &[(name, "On")]);
    peer.wait_for(|peer| peer.get("CCD_CAPTURE_FORMAT", name) == Some("On"), PATIENCE);
}

fn frame(peer: &mut Peer, seconds: f64) -> Fits {
    fits(&peer.expose(seconds).bytes)
}

/// How the camera was set when it took a frame.
#[derive(Clone, Copy, Debug)]
struct Ramp {
    bits: u8,
    seconds: f64,
    gain: u32,
}

impl Ramp {
    /// The pixel that is so many steps along the ramp.
    fn pixel(self, steps: u32) -> u32 {
        let scale = 1.0 + f64::from(self.gain) + (self.seconds * 1e6 / 10_000.0).log10();
        let (value, most) = match self.bits {
            8 => (steps % 255, 255.0),
            _ => (256 * steps % 65535, 65535.0),
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "as the camera does it")]
        let pixel = (f64::from(value) * scale).clamp(0.0, most) as u32;
        pixel
    }

    /// Which of its steps the frame begins with; sees that every pixel is what the camera sent.
    #[track_caller]
    fn step(self, frame: &Fits) -> u32 {
        let [width, height] = frame.shape[..] else { panic!("{:?} is no picture of one plane", frame.shape) };
        let along = |i: usize| u32::try_from(i % width + i / width).unwrap();
        let is_ramp = |first: &u32| {
            frame.pixels.iter().enumerate().all(|(i, pixel)| *pixel == self.pixel(first + along(i)))
        };
        // The camera numbers its frames by 16 bits, and its pixels repeat.
        let period = if self.bits == 8 { 255 } else { 65535 };
        let step = (0..period).find(is_ramp);
        let beginning = &frame.pixels[..frame.pixels.len().min(16)];
        step.unwrap_or_else(|| panic!("{width}x{height} from {beginning:?} is no ramp of {self:?}"))
    }
}

/// Whether an element is the end of an exposure, and which.
fn end_of_exposure(element: &Element) -> Option<&str> {
    let state = element.attribute("state");
    (element.is("setNumberVector", "CCD_EXPOSURE") && state != "Busy").then_some(state)
}
