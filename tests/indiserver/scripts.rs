//! A night by shell script: INDI's command line tools against the driver, and its files in other people's readers.

use std::cell::RefCell;
use std::process::{Command, Output};

use super::*;

/// What a script writes `Camera Simulator.` before, and a client that sees what its writes did.
struct Shell<'a>(&'a Server, RefCell<Client>);

impl<'a> Shell<'a> {
    fn of(server: &'a Server) -> Self {
        let mut watcher = server.tcp();
        watcher.send("<getProperties version='1.7'/>");
        watcher.wait_for(|peer| peer.vector("CONNECTION").is_some(), SOON);
        Shell(server, RefCell::new(watcher))
    }

    fn run(&self, tool: &str, args: &[&str]) -> Output {
        self.0.tool(tool).args(args).output().unwrap()
    }

    fn set(&self, what: &str) {
        let output = self.run("indi_setprop", &[&format!("{DEVICE}.{what}")]);
        assert!(output.status.success(), "{what}: {output:?}\n{}", self.0.log());
    }

    fn get(&self, what: &str) -> String {
        let output = self.run("indi_getprop", &["-1", "-t", "10", &format!("{DEVICE}.{what}")]);
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Waits until a condition holds on one value, `_STATE` being 0 Idle, 1 Ok, 2 Busy, 3 Alert.
    fn wait(&self, what: &str, condition: &str) {
        let expression = format!("\"{DEVICE}.{what}\"{condition}");
        let output = self.run("indi_eval", &["-t", "90", "-w", &expression]);
        assert!(output.status.success(), "{expression}: {output:?}\n{}", self.0.log());
    }

    /// Connects and saves frames as `night_001.fits` and so on.
    fn begin(&self) {
        self.set("CONNECTION.CONNECT=On");
        self.wait("CONNECTION.CONNECT", "==1");
        let directory = self.0.home().path().join("frames");
        self.set(&format!("UPLOAD_SETTINGS.UPLOAD_DIR={};UPLOAD_PREFIX=night_XXX", directory.display()));
        self.set("UPLOAD_MODE.UPLOAD_LOCAL=On");
        self.wait("UPLOAD_MODE.UPLOAD_LOCAL", "==1");
    }

    /// Takes a picture and gives the path of its file.
    fn expose(&self, seconds: f64) -> String {
        self.set(&format!("CCD_EXPOSURE.CCD_EXPOSURE_VALUE={seconds}"));
        // indiserver reads a few bytes of each client in turn: under load the question of a client that comes later can
        // overtake the write. What a script then sees as Ok is the truth of a moment ago, and no driver can mend it.
        self.1.borrow_mut().wait_for(|peer| peer.state("CCD_EXPOSURE") == "Busy", SOON);
        self.wait("CCD_EXPOSURE._STATE", "==1");
        // Or the Busy of this exposure would be taken for that of the next one.
        self.1.borrow_mut().wait_for(|peer| peer.state("CCD_EXPOSURE") == "Ok", SOON);
        self.get("CCD_FILE_PATH.FILE_PATH")
    }
}

/// Asks Astropy about a file: shape, type and mean of the pixels, and keywords, as Python shows them.
fn astropy(path: &str) -> (String, f64) {
    const SCRIPT: &str = "\
import sys
from astropy.io import fits
with fits.open(sys.argv[1], checksum=True) as file:
    data, header = file[0].data, file[0].header
    words = ['EXPTIME', 'GAIN', 'XBINNING', 'YBINNING', 'IMAGETYP']
    print(len(file), data.shape, data.dtype.name, *[header[word] for word in words], round(header['CCD-TEMP']))
    print(data.mean())
";
    let output = Command::new("/usr/bin/python3").args(["-W", "error", "-c", SCRIPT, path]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let (facts, mean) = text.trim().split_once('\n').unwrap();
    (facts.to_owned(), mean.parse().unwrap())
}

#[test]
fn a_script_cools_bins_cuts_and_saves_a_dark_and_a_light() {
    let server = Server::simulator();
    let shell = Shell::of(&server);
    shell.begin();
    shell.set("CCD_TEMPERATURE.CCD_TEMPERATURE_VALUE=-10");
    shell.wait("CCD_TEMPERATURE._STATE", "==1");
    let reached: f64 = shell.get("CCD_TEMPERATURE.CCD_TEMPERATURE_VALUE").parse().unwrap();
    assert!((-10.5..=-9.5).contains(&reached), "{reached}");
    shell.set("CCD_BINNING.HOR_BIN=2;VER_BIN=2");
    shell.set("CCD_FRAME.X=100;Y=50;WIDTH=601;HEIGHT=400");
    shell.set("CCD_GAIN.GAIN=150");
    shell.set("CCD_FRAME_TYPE.FRAME_DARK=On");
    let dark = shell.expose(1.0);
    shell.set("CCD_FRAME_TYPE.FRAME_LIGHT=On");
    let light = shell.expose(1.0);
    let directory = server.home().path().join("frames");
    for (path, name) in [(&dark, "night_001.fits"), (&light, "night_002.fits")] {
        assert_eq!(*path, directory.join(name).display().to_string());
        fitsverify(path.as_ref());
    }
    let ((dark, dark_mean), (light, light_mean)) = (astropy(&dark), astropy(&light));
    assert_eq!(dark, "1 (200, 300) uint16 1.0 150 2 2 Dark Frame -10");
    assert_eq!(light, "1 (200, 300) uint16 1.0 150 2 2 Light Frame -10");
    assert!(dark_mean + 10.0 < light_mean, "dark {dark_mean}, light {light_mean}");
}

#[test]
fn a_script_that_waits_for_the_end_of_an_exposure_never_takes_the_last_one_for_it() {
    let server = Server::simulator();
    let shell = Shell::of(&server);
    shell.begin();
    shell.set("CCD_FRAME.X=0;Y=0;WIDTH=64;HEIGHT=64");
    for number in 1..=8 {
        let path = shell.expose(0.3);
        assert!(path.ends_with(&format!("/night_{number:03}.fits")), "frame {number} is in {path:?}");
        assert_eq!(server.home().list("frames").len(), number);
    }
}

#[test]
fn a_script_calls_the_camera_by_name_and_reads_json_as_it_was_written() {
    let server = Server::simulator();
    let shell = Shell::of(&server);
    let call = |name: &str, params: &str| {
        shell.set(&format!("CAMERA_CALL.NAME={name};PARAMS={params}"));
        shell.1.borrow_mut().until(
            |element| element.is("setTextVector", "CAMERA_REPLY") && element.value("NAME") == Some(name),
            SOON,
        );
        let result = shell.get("CAMERA_REPLY.RESULT");
        serde_json::from_str::<serde_json::Value>(&result).unwrap_or_else(|why| panic!("{why}: {result}"))
    };
    assert_eq!(call("connect", "")["params"]["info"]["status"]["is_connected"], true);
    assert_eq!(call("set_gain", "{\"gain\": 12}")["status"], 0);
    assert_eq!(shell.get("CCD_GAIN.GAIN"), "12");
    // indi_setprop writes no entities itself; JSON has its own spelling of what XML marks up.
    let prefix = r#"{"name": "upload.prefix", "value": "\u003ca\u003e \u0026 \u0027b\u0027 \u0022c\u0022"}"#;
    assert_eq!(call("set_parameter", prefix)["status"], 0);
    let told = call("get_parameter", r#"{"name": "upload.prefix"}"#);
    assert_eq!(told["params"]["value"], "<a> & 'b' \"c\"");
    assert_eq!(call("set_gain", "{\"gain\": \"12\"}")["params"]["error"]["code"], "invalid_value");
}

#[test]
fn the_python_program_of_the_guide_makes_calls_and_prints_their_answers() {
    const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/camera_call.py");
    let server = Server::simulator();
    let port = server.port().to_string();
    let call = |name: &str, params: &str| {
        let mut python = Command::new("/usr/bin/python3");
        let output = python.args([PROGRAM, "127.0.0.1", &port, DEVICE, name, params]).output().unwrap();
        assert!(output.status.success(), "{name}: {output:?}\n{}", server.log());
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    assert_eq!(call("connect", "{}")["params"]["info"]["status"]["is_connected"], true);
    assert_eq!(call("set_gain", "{\"gain\": 12}")["status"], 0);
    assert_eq!(Shell::of(&server).get("CCD_GAIN.GAIN"), "12");
    assert_eq!(call("set_gain", "{\"gain\": \"12\"}")["params"]["error"]["code"], "invalid_value");
    let prefix = r#"{"name": "upload.prefix", "value": "<é> & 'b' \"c\""}"#;
    assert_eq!(call("set_parameter", prefix)["status"], 0);
    let told = call("get_parameter", r#"{"name": "upload.prefix"}"#);
    assert_eq!(told["params"]["value"], "<é> & 'b' \"c\"");
    let mut python = Command::new("/usr/bin/python3");
    let nobody = python.args([PROGRAM, "127.0.0.1", &port, "Nobody", "polling", "{}"]).output().unwrap();
    let words = String::from_utf8_lossy(&nobody.stderr);
    assert!(!nobody.status.success() && words.starts_with("Nobody does not answer"), "{nobody:?}");
}
