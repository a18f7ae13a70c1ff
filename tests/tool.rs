//! The tool as a person or a script has it: arguments in; files, words and an exit code out. Against the simulator that
//! it starts itself, and against a real indiserver.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a failure is a failed test")]

mod support;

#[path = "tool/calls.rs"]
mod calls;
#[path = "tool/captures.rs"]
mod captures;
#[path = "tool/interrupts.rs"]
mod interrupts;
#[path = "tool/properties.rs"]
mod properties;
#[path = "tool/refusals.rs"]
mod refusals;
#[path = "tool/spool.rs"]
mod spool;
#[path = "tool/words.rs"]
mod words;

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use serde_json::Value as Json;
use support::{Folder, Process, Server, command};

/// The tool under test.
const TOOL: &str = env!("CARGO_BIN_EXE_indi-camera");
/// Longer than any of its runs here, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);
/// A part of the sensor that is looked at quickly, with stars on it.
const CORNER: &str = "0,0,400,300";

/// A directory to work in, which is the home directory as well.
struct Bench {
    folder: Folder,
    /// Before the arguments of each run.
    reach: Vec<String>,
}

/// What a run left behind beside its files.
#[derive(Debug)]
struct Run {
    status: ExitStatus,
    stdout: String,
    stderr: String,
}

impl Bench {
    /// For the simulator that the tool starts itself.
    fn new() -> Bench {
        Bench { folder: Folder::in_memory(), reach: Vec::new() }
    }

    /// For the camera of a server.
    fn at(server: &Server) -> Bench {
        let reach = vec!["--server".to_owned(), format!("127.0.0.1:{}", server.port())];
        Bench { folder: Folder::in_memory(), reach }
    }

    /// A run, ready to be started.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(Path::new(TOOL), &self.folder);
        command.args(&self.reach).args(arguments).current_dir(self.folder.path());
        command.env_remove("COLORTERM");
        command
    }

    /// A run that goes on, with its words in `log`.
    fn start(&self, arguments: &[&str], log: &Path) -> Process {
        let log = File::create(log).unwrap();
        let mut command = self.command(arguments);
        command.stdout(log.try_clone().unwrap()).stderr(log);
        Process::spawn(&mut command).unwrap()
    }

    fn run(&self, arguments: &[&str]) -> Run {
        // Files and no pipes: nobody has to read while we wait. Out of the way of the files under test.
        let words = Folder::in_memory();
        let [out, err] = ["stdout", "stderr"].map(|name| words.path().join(name));
        let mut command = self.command(arguments);
        command.stdout(File::create(&out).unwrap()).stderr(File::create(&err).unwrap());
        let mut process = Process::spawn(&mut command).unwrap();
        let status = process.wait(PATIENCE);
        let [stdout, stderr] = [out, err].map(|path| fs::read_to_string(path).unwrap());
        let status = status.unwrap_or_else(|| panic!("{arguments:?} does not end\n{stdout}\n{stderr}"));
        Run { status, stdout, stderr }
    }

    /// A run that has to end well.
    fn done(&self, arguments: &[&str]) -> Run {
        let run = self.run(arguments);
        assert_eq!(run.code(), 0, "{arguments:?}: {run:?}");
        run
    }

    /// The pictures and whatever else is there.
    fn files(&self) -> Vec<String> {
        let mut names = self.folder.list("");
        // Configuration and logs of the driver.
        names.retain(|name| name != ".indi");
        names
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.folder.path().join(name)).unwrap()
    }
}

impl Run {
    fn code(&self) -> i32 {
        self.status.code().unwrap_or_else(|| panic!("ended by a signal: {self:?}"))
    }

    /// The one envelope that was printed.
    fn envelope(&self) -> Json {
        let envelope: Json =
            serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        let keys: Vec<&String> = envelope.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["status", "message", "params"], "{self:?}");
        assert!(envelope["message"].is_string() && envelope["params"].is_object(), "{self:?}");
        envelope
    }
}
