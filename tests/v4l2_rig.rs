//! The driver under Debian's indiserver before cameras of the kernel's own, as `tests/rigs/v4l2.sh` prepares them in a
//! virtual machine. Run one at a time: there is one camera of each kind.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a failure is a failed test")]
#![allow(unreachable_pub, dead_code, reason = "modules of a test binary have no outside")]

mod support;

#[path = "v4l2/uvc.rs"]
mod uvc;
#[path = "v4l2/vivid.rs"]
mod vivid;

use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::Duration;

use support::{BINARY, Client, Element, Fits, Folder, Server, fits};

/// The machine is emulated.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server with the driver, and a client that wants frames.
struct Rig {
    client: Client,
    _server: Server,
    _programs: Folder,
}

impl Rig {
    /// With the device of the first camera whose name begins so, not connected.
    fn of(camera: &str) -> Rig {
        let programs = Folder::new();
        let driver = programs.path().join("indi_camera_v4l2_ccd");
        symlink(BINARY, &driver).unwrap();
        let server = Server::start(&["-r", "0"], &[driver.as_path()]);
        let mut client = server.unix();
        client.send("<getProperties version='1.7'/>\n<enableBLOB>Also</enableBLOB>\n");
        let mut rig = Rig { client, _server: server, _programs: programs };
        rig.address(|device| device.starts_with(camera));
        rig
    }

    /// Speaks of the device of that kind that is defined next.
    fn address(&mut self, wanted: impl Fn(&str) -> bool) -> String {
        let is_camera = |element: &Element| {
            element.attribute("name") == "CONNECTION" && wanted(element.attribute("device"))
        };
        let device = self.client.until(is_camera, PATIENCE).attribute("device").to_owned();
        self.client.address(&device);
        self.client.wait_for(|peer| peer.vector("V4L2_STACKING").is_some(), PATIENCE);
        device
    }

    /// Sets a vector and waits until the driver has taken it.
    #[track_caller]
    fn set(&mut self, kind: &str, vector: &str, values: &[(&str, &str)]) {
        self.client.new_vector(kind, vector, values);
        let is_answer = |element: &Element| element.is(&format!("set{kind}Vector"), vector);
        let answer = self.client.until(is_answer, PATIENCE);
        assert_eq!(answer.attribute("state"), "Ok", "{}", self.client.report());
    }

    fn number(&mut self, vector: &str, element: &str, value: f64) {
        self.set("Number", vector, &[(element, &value.to_string())]);
    }

    fn format(&mut self, name: &str) {
        self.set("Switch", "CCD_CAPTURE_FORMAT", &[(name, "On")]);
    }

    fn size(&mut self, width: u32, height: u32) {
        let (width, height) = (width.to_string(), height.to_string());
        self.set("Number", "V4L2_SIZE", &[("WIDTH", &width), ("HEIGHT", &height)]);
    }

    fn window(&mut self, [x, y, width, height]: [usize; 4]) {
        let [x, y, width, height] = [x, y, width, height].map(|pixels| pixels.to_string());
        self.set("Number", "CCD_FRAME", &[("X", &x), ("Y", &y), ("WIDTH", &width), ("HEIGHT", &height)]);
    }

    fn disconnect(&mut self) {
        self.client.new_vector("Switch", "CONNECTION", &[("DISCONNECT", "On")]);
        self.client.wait_for(|peer| peer.get("CONNECTION", "CONNECT") == Some("Off"), PATIENCE);
    }

    /// The shortest exposure in seconds, which for a camera without such a control is the only one.
    fn shortest(&mut self) -> f64 {
        self.client.send("<getProperties version='1.7'/>\n");
        let is_exposure = |element: &Element| element.is("defNumberVector", "CCD_EXPOSURE");
        let definition = self.client.until(is_exposure, PATIENCE);
        definition.children[0].attribute("min").parse().unwrap()
    }

    #[track_caller]
    fn frame(&mut self, seconds: f64) -> Fits {
        fits(&self.client.expose(seconds).bytes)
    }

    /// Asks for an exposure and tells what became of that: Busy, or Alert if it was refused.
    fn begin(&mut self, seconds: f64) -> String {
        self.client.new_vector("Number", "CCD_EXPOSURE", &[("CCD_EXPOSURE_VALUE", &seconds.to_string())]);
        let is_answer = |element: &Element| {
            element.is("setNumberVector", "CCD_EXPOSURE")
                && ["Busy", "Alert"].contains(&element.attribute("state"))
        };
        self.client.until(is_answer, PATIENCE).attribute("state").to_owned()
    }

    /// The frame of an exposure that was begun.
    #[track_caller]
    fn received(&mut self) -> Fits {
        let is_frame = |element: &Element| element.is("setBLOBVector", "CCD1");
        let frame = fits(&self.client.until(is_frame, PATIENCE).blob().bytes);
        self.client.wait_for(|peer| peer.state("CCD_EXPOSURE") == "Ok", PATIENCE);
        frame
    }

    /// Exposes until that fails, and tells why.
    fn fail(&mut self, seconds: f64) -> String {
        for _ in 0..20 {
            if self.begin(seconds) == "Alert" {
                // It was lost a moment before.
                return "refused".to_owned();
            }
            if let [end] = &self.ends()[..]
                && end == "Alert"
            {
                return self.client.get("CCD_EXPOSURE_STATUS", "LAST_FAILURE").unwrap_or_default().to_owned();
            }
        }
        panic!("no exposure has failed\n{}", self.client.report());
    }

    /// Waits until the exposure is over, and for a moment more, and tells how it ended, every time that it did.
    fn ends(&mut self) -> Vec<String> {
        let mut ends = Vec::new();
        while self.client.state("CCD_EXPOSURE") == "Busy" {
            ends.extend(end(&self.client.next_element(PATIENCE)));
        }
        ends.extend(self.client.listen(Duration::from_millis(500)).iter().filter_map(end));
        ends
    }

    /// Waits until the camera that was lost is back and has been told its settings.
    fn is_back(&mut self) {
        let is_back = |peer: &Client| peer.state("CONNECTION") == "Ok" && peer.state("CCD_GAIN") == "Ok";
        self.client.wait_for(is_back, PATIENCE);
    }

    fn is_lost(&mut self) {
        self.client.wait_for(|peer| peer.state("CONNECTION") == "Alert", PATIENCE);
    }
}

/// How an exposure ended, if it did.
fn end(element: &Element) -> Option<String> {
    let state = element.attribute("state");
    (element.is("setNumberVector", "CCD_EXPOSURE") && state != "Busy").then(|| state.to_owned())
}

/// The kernel's own tool, which nobody here wrote.
#[track_caller]
fn v4l2_ctl(arguments: &[&str]) -> String {
    let output = Command::new("v4l2-ctl").args(arguments).output().expect("install v4l-utils");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{arguments:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

fn words(bytes: &[u8]) -> Vec<u32> {
    bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]).into()).collect()
}

fn bytes(bytes: &[u8]) -> Vec<u32> {
    bytes.iter().copied().map(u32::from).collect()
}
