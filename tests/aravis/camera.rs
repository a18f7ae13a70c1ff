//! The fake camera as a process of our own.

use std::env;
use std::fs;
use std::net::UdpSocket;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Signal, kill_process};

use super::PATIENCE;
use super::support::{Folder, Limit, Process, until};

/// "Who are you?", and where cameras hear it.
const QUESTION: [u8; 8] = [0x42, 1, 0, 2, 0, 0, 0, 1];
const DOOR: &str = "127.0.0.1:3956";

/// A running camera.
pub struct FakeCamera {
    process: Process,
    arguments: Vec<String>,
    _folder: Folder,
}

/// A program of the rig.
fn program(variable: &str) -> PathBuf {
    env::var_os(variable).unwrap_or_else(|| panic!("no {variable}: run tests/rigs/gige.sh")).into()
}

impl FakeCamera {
    pub fn start() -> FakeCamera {
        FakeCamera::with(&[], Folder::new())
    }

    /// One that loses so many packets of a thousand.
    pub fn losing(packets: u32) -> FakeCamera {
        FakeCamera::with(&["-r", &packets.to_string()], Folder::new())
    }

    /// One that describes itself in other words.
    pub fn described(describe: impl Fn(String) -> String) -> FakeCamera {
        let camera = FakeCamera::start();
        let own = camera.tool(&["genicam"]);
        drop(camera);
        let folder = Folder::new();
        let path = folder.path().join("camera.xml");
        fs::write(&path, describe(own)).unwrap();
        let path = path.display().to_string();
        FakeCamera::with(&["-g", &path], folder)
    }

    fn with(more: &[&str], folder: Folder) -> FakeCamera {
        let mut arguments: Vec<String> = ["-i", "127.0.0.1", "-s", "RIG1"].map(str::to_owned).into();
        arguments.extend(more.iter().map(|argument| (*argument).to_owned()));
        FakeCamera { process: spawn(&arguments), arguments, _folder: folder }
    }

    /// Kills it, and nothing else.
    pub fn kill(&mut self) {
        kill_process(self.process.pid(), Signal::KILL).unwrap();
        assert!(self.process.wait(PATIENCE).is_some(), "the camera does not end");
    }

    /// Starts it again, as it was made.
    pub fn restart(&mut self) {
        self.process = spawn(&self.arguments);
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.process.pid(), signal).unwrap();
    }

    /// What Aravis' own tool says of it.
    pub fn tool(&self, arguments: &[&str]) -> String {
        let output = Command::new(program("ARAVIS_TOOL")).args(["-a", "127.0.0.1"]).args(arguments).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// A feature, as that tool reads it.
    pub fn feature(&self, name: &str) -> String {
        let said = self.tool(&["control", name]);
        let value = said.trim().strip_prefix(name).and_then(|rest| rest.trim().strip_prefix("= "));
        // Limits come behind it.
        let value = value.and_then(|value| value.split_whitespace().next());
        value.unwrap_or_else(|| panic!("{said:?} does not tell {name}")).to_owned()
    }

    /// Waits until a feature is so.
    pub fn await_feature(&self, name: &str, value: &str) {
        let limit = Limit::after(PATIENCE);
        while self.feature(name) != value {
            assert!(limit.left().is_some(), "{name} is {} and not {value}", self.feature(name));
        }
    }
}

fn spawn(arguments: &[String]) -> Process {
    let mut command = Command::new(program("ARAVIS_FAKE_CAMERA"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let process = Process::spawn(&mut command).unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(DOOR).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let answers = || socket.send(&QUESTION).is_ok() && socket.recv(&mut [0; 1024]).is_ok();
    until("the fake camera answers", PATIENCE, answers);
    process
}
