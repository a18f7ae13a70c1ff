//! Server, driver and client are shot (`kill -9`) at random moments of captures, again and again: what anybody was told
//! of is on the disk, whole and as the journal says, and nothing is half-written under a name that is no draft's.
//!
//! `INDI_CAMERA_KILLS=300` shoots so many times, `INDI_CAMERA_KILLS_SEED` chooses other moments. Read [`Night::suffer`]
//! first.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a failed step is a failed test"
)]

mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use indi_camera::host::spool::verify::verify;
use indi_camera::host::sum::Sum;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use rustix::event::{PollFd, PollFlags};
use rustix::fd::OwnedFd;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};
use serde_json::Value as Json;
use support::{Client, DEVICE, Element, Folder, Limit, Process, SIMULATOR, SOON, Server, command, poll_for};

/// The tool, which is the client that is shot.
const TOOL: &str = env!("CARGO_BIN_EXE_indi-camera");
/// Kills unless the environment says otherwise.
const KILLS: u32 = 30;
/// Kills after which everything begins anew, so that looking at all frames each time stays cheap.
const PER_NIGHT: u32 = 25;
/// A kill falls so many milliseconds after the first frame of its series, or earlier.
const LATEST: u64 = 60;
/// So many times later where the tool takes the pictures, which looks at each of them.
const SLOWER: u32 = 4;
/// What FITS files consist of.
const BLOCK: usize = 2880;

/// Who is shot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Victim {
    Server,
    Driver,
    Client,
}

fn number(name: &str, otherwise: u32) -> u32 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

#[test]
fn whoever_is_killed_every_frame_that_was_told_of_is_on_the_disk_and_whole() {
    let (kills, seed) = (number("INDI_CAMERA_KILLS", KILLS), number("INDI_CAMERA_KILLS_SEED", 1));
    println!("{kills} kills, INDI_CAMERA_KILLS_SEED={seed}");
    let mut chance = Xoshiro256PlusPlus::seed_from_u64(seed.into());
    let mut tally = Tally::default();
    for first in (0..kills).step_by(PER_NIGHT as usize) {
        let mut night = Night::new();
        for kill in first..kills.min(first + PER_NIGHT) {
            night.suffer(kill, &mut chance, &mut tally);
        }
        tally.end_of(&night);
        println!("{tally:?}");
    }
    assert_eq!(tally.killed.values().sum::<u32>(), kills);
    assert!(tally.blobs > 0 && tally.files > 0 && tally.pictures > 0, "{tally:?}");
}

/// What has happened so far.
#[derive(Debug, Default)]
struct Tally {
    killed: BTreeMap<Victim, u32>,
    /// Frames that came as BLOBs, files that were told of, and pictures that the client has written.
    blobs: usize,
    files: usize,
    pictures: usize,
    /// Frames in the journals; these are whole.
    kept: usize,
}

impl Tally {
    fn end_of(&mut self, night: &Night) {
        self.blobs += night.told.frames.len();
        self.files += night.told.files.len();
        self.pictures += night.folder.list("client").len();
        self.kept += journal(&night.spool()).len();
    }
}

/// What we were told that there is.
#[derive(Default)]
struct Told {
    /// Frames that came as BLOBs, by their FRAMEID.
    frames: BTreeMap<String, Sum>,
    /// Paths in CCD_FILE_PATH.
    files: Vec<PathBuf>,
}

impl Told {
    /// Whether the element tells of a frame.
    fn take(&mut self, element: Element) -> bool {
        if element.is("setBLOBVector", "CCD1") {
            let bytes = element.blob().bytes;
            self.frames.insert(id_of(&bytes), Sum::of(&bytes));
            return true;
        }
        let is_file = element.is("setTextVector", "CCD_FILE_PATH") && element.attribute("state") == "Ok";
        if let Some(path) = element.value("FILE_PATH").filter(|_| is_file) {
            self.files.push(path.into());
        }
        is_file
    }
}

/// Some kills on one spool.
struct Night {
    folder: Folder,
    server: Server,
    client: Client,
    told: Told,
    /// The driver that runs has been told nothing yet.
    is_new: bool,
}

impl Night {
    fn new() -> Night {
        let folder = Folder::in_memory();
        let spools = folder.path().join("spools").display().to_string();
        fs::create_dir(folder.path().join("client")).unwrap();
        // As often as somebody may shoot it.
        let restarts = PER_NIGHT.to_string();
        let env = [("INDI_CAMERA_SPOOL", &*spools)];
        let server = Server::start_in(&env, &["-r", &restarts], &[Path::new(SIMULATOR)]);
        let client = server.tcp();
        Night { folder, server, client, told: Told::default(), is_new: true }
    }

    fn spool(&self) -> PathBuf {
        self.folder.path().join("spools").join(DEVICE)
    }

    /// Somebody takes pictures, somebody is shot, and all that was told of is looked for; then all is set up again.
    fn suffer(&mut self, kill: u32, chance: &mut Xoshiro256PlusPlus, tally: &mut Tally) {
        let modes = ["UPLOAD_CLIENT", "UPLOAD_LOCAL", "UPLOAD_BOTH"];
        let mode = modes[chance.random_range(0..modes.len())];
        let victims = [Victim::Server, Victim::Driver, Victim::Client];
        // The tool wants to have the frames that it asks for.
        let others = if mode == "UPLOAD_LOCAL" { 2 } else { 3 };
        let victim = victims[chance.random_range(0..others)];
        let moment = Duration::from_micros(chance.random_range(0..LATEST * 1000));

        self.prepare(mode);
        let with_tool = mode != "UPLOAD_LOCAL" && (victim == Victim::Client || chance.random_bool(0.3));
        let mut tool = with_tool.then(|| self.tool(kill));
        if !with_tool {
            self.begin_series();
        }
        self.hear_until(Told::take, "a frame");
        self.hear_for(if with_tool { moment * SLOWER } else { moment });
        self.shoot(victim, tool.as_mut());
        drop(tool);
        *tally.killed.entry(victim).or_default() += 1;
        self.assert_whole(&format!("kill {kill}: {victim:?}, {mode}, {moment:?} after the first frame"));
    }

    /// A connected camera with small frames, all of which are spooled.
    fn prepare(&mut self, mode: &str) {
        let client = &mut self.client;
        if std::mem::take(&mut self.is_new) {
            client.send("<getProperties version='1.7'/>\n<enableBLOB>Also</enableBLOB>\n");
            client.wait_for(|client| client.vector("SIMULATOR_SENSOR").is_some(), SOON);
            client.new_vector("Number", "SIMULATOR_SENSOR", &[("WIDTH", "64"), ("HEIGHT", "48")]);
            client.new_vector("Switch", "SIMULATOR_SCENE", &[("SCENE_TEST_PATTERN", "On")]);
            client.new_vector("Number", "POLLING_PERIOD", &[("PERIOD_MS", "600000")]);
            client.connect();
            client.new_vector("Switch", "CCD_SPOOL", &[("SPOOL_ALL", "On")]);
            // The journal has been loaded.
            let least = self.told.frames.len();
            let is_loaded = |client: &Client| {
                let frames = client.get("CCD_SPOOL_FRAMES", "FRAMES");
                frames.is_some_and(|frames| frames.parse::<f64>().unwrap() as usize >= least)
            };
            client.wait_for(is_loaded, SOON);
        }
        let directory = self.folder.path().join("files").display().to_string();
        let settings = [("UPLOAD_DIR", &*directory), ("UPLOAD_PREFIX", "night_XXX")];
        client.new_vector("Text", "UPLOAD_SETTINGS", &settings);
        client.new_vector("Switch", "UPLOAD_MODE", &[(mode, "On")]);
        client.new_vector("Switch", "CCD_FAST_TOGGLE", &[("INDI_DISABLED", "On")]);
        let told = |element: &Element| element.is("setSwitchVector", "CCD_FAST_TOGGLE");
        client.until(told, SOON);
        assert_eq!((client.state("CCD_SPOOL"), client.get("UPLOAD_MODE", mode)), ("Ok", Some("On")));
    }

    /// Frames as fast as they come.
    fn begin_series(&mut self) {
        self.client.new_vector("Switch", "CCD_FAST_TOGGLE", &[("INDI_ENABLED", "On")]);
        self.client.new_vector("Number", "CCD_FAST_COUNT", &[("FRAMES", "100000")]);
        self.client.new_vector("Number", "CCD_EXPOSURE", &[("CCD_EXPOSURE_VALUE", "0.002")]);
    }

    /// Somebody else takes pictures, one after the other.
    fn tool(&self, kill: u32) -> Process {
        let mut command = command(Path::new(TOOL), self.server.home());
        let log = File::create(self.server.home().path().join(format!("tool-{kill}"))).unwrap();
        let out = self.folder.path().join(format!("client/{kill}_XXXX.fits"));
        command.args(["--server", &format!("127.0.0.1:{}", self.server.port()), "--camera", DEVICE]);
        command.args(["capture", "-e", "0.002", "-n", "9000", "--out"]).arg(out);
        Process::spawn(command.stdout(log.try_clone().unwrap()).stderr(log)).unwrap()
    }

    fn hear_until(&mut self, mut is_it: impl FnMut(&mut Told, Element) -> bool, what: &str) {
        let limit = Limit::after(SOON);
        loop {
            let element = self.client.poll_element(limit.left().unwrap_or_default());
            let Some(element) = element else { panic!("no {what}\n{}", self.client.report()) };
            if is_it(&mut self.told, element) {
                return;
            }
        }
    }

    fn hear_for(&mut self, time: Duration) {
        let limit = Limit::after(time);
        while let Some(element) = limit.left().and_then(|left| self.client.poll_element(left)) {
            self.told.take(element);
        }
    }

    /// Shoots somebody, hears what is still to be heard, and lets the others come to rest.
    fn shoot(&mut self, victim: Victim, tool: Option<&mut Process>) {
        let drivers = self.server.drivers();
        let [pid] = drivers[..] else { panic!("{drivers:?}") };
        let driver = pidfd_open(Pid::from_raw(pid).unwrap(), PidfdFlags::empty()).unwrap();
        match victim {
            Victim::Server => {
                self.server.kill();
                self.hear_out();
                assert!(has_ended(&driver), "the driver outlives its server");
                self.server.restart();
                (self.client, self.is_new) = (self.server.tcp(), true);
            }
            Victim::Driver => {
                pidfd_send_signal(&driver, Signal::KILL).unwrap();
                assert!(has_ended(&driver));
                let is_gone =
                    |element: &Element| element.tag == "delProperty" && element.attribute("device") == DEVICE;
                self.hear_until(
                    |told, element| {
                        let is_gone = is_gone(&element);
                        told.take(element);
                        is_gone
                    },
                    "word of the end of the driver",
                );
                self.is_new = true;
            }
            Victim::Client => {
                let tool = tool.expect("the client takes the pictures");
                kill_process(tool.pid(), Signal::KILL).unwrap();
                assert!(tool.wait(SOON).is_some());
                self.client.new_vector("Switch", "CCD_ABORT_EXPOSURE", &[("ABORT", "On")]);
                self.hear_until(
                    |told, element| {
                        let is_over = element.is("setSwitchVector", "CCD_ABORT_EXPOSURE");
                        told.take(element);
                        is_over
                    },
                    "answer to an abort",
                );
                // The delivery thread has still stored, and removed, what it had in its hands when it answers that.
                self.client.new_vector("Text", "CAMERA_CALL", &[("NAME", "list_spool"), ("PARAMS", "")]);
                self.hear_until(
                    |told, element| {
                        let is_reply = element.is("setTextVector", "CAMERA_REPLY")
                            && element.value("NAME") == Some("list_spool");
                        told.take(element);
                        is_reply
                    },
                    "list of the spool",
                );
            }
        }
    }

    /// Everything that a dead server has still said.
    fn hear_out(&mut self) {
        let limit = Limit::after(SOON);
        while !self.client.has_ended() {
            let left = limit.left().expect("a dead server's connection ends");
            if let Some(element) = self.client.poll_element(left) {
                self.told.take(element);
            }
        }
    }

    /// What we were told of is there, and what is there is whole.
    fn assert_whole(&self, when: &str) {
        let spool = self.spool();
        let found = verify(&spool).unwrap();
        assert!(found.damaged.is_empty(), "{when}: {found:?}");
        let kept = journal(&spool);
        assert_eq!(found.frames, kept.len(), "{when}");
        let mut wrong = String::new();
        for (id, sum) in &self.told.frames {
            let entered = kept.get(id).map(|frame| &frame["sha256"]);
            if entered.and_then(Json::as_str) != Some(&*sum.to_string()) {
                writeln!(wrong, "frame {id} with SHA-256 {sum} is entered as {entered:?}").unwrap();
            }
        }
        for path in &self.told.files {
            if !kept.values().any(|frame| Path::new(frame["path"].as_str().unwrap()) == path) {
                writeln!(wrong, "{} is not entered", path.display()).unwrap();
            }
        }
        for path in ["files", "client"].map(|name| self.folder.path().join(name)).iter().chain([&spool]) {
            check_folder(path, &kept, &mut wrong);
        }
        assert!(wrong.is_empty(), "{when}:\n{wrong}{}", self.server.log());
    }
}

fn has_ended(process: &OwnedFd) -> bool {
    poll_for(&mut [PollFd::new(process, PollFlags::IN)], SOON) > 0
}

/// The frames in a journal by name, as anybody can read them.
fn journal(spool: &Path) -> BTreeMap<String, Json> {
    let text = fs::read_to_string(spool.join("journal")).unwrap();
    let entries = text.lines().filter_map(|line| serde_json::from_str::<Json>(line.split_once(' ')?.1).ok());
    let frames = entries.filter(|entry| entry["kept"].is_object()).map(|mut entry| entry["kept"].take());
    frames.map(|frame| (frame["id"].as_str().unwrap().to_owned(), frame)).collect()
}

/// Looks at all pictures of a directory: whole, and the same as every other copy.
fn check_folder(folder: &Path, kept: &BTreeMap<String, Json>, wrong: &mut String) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_string_lossy();
        if !name.ends_with(".fits") || name.starts_with('.') {
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        if !is_whole(&bytes) {
            writeln!(wrong, "{} has {} bytes and is not whole", path.display(), bytes.len()).unwrap();
            continue;
        }
        // One that was caught before its entry was nobody told of.
        let entered = kept.get(&id_of(&bytes)).and_then(|frame| frame["sha256"].as_str());
        if entered.is_some_and(|entered| entered != Sum::of(&bytes).to_string()) {
            writeln!(wrong, "{} is not the frame of its name", path.display()).unwrap();
        }
    }
}

/// Whether a FITS file has all its bytes: in ones' complement, the words of one with CHECKSUM add up to nothing.
fn is_whole(bytes: &[u8]) -> bool {
    let words = bytes.chunks_exact(4).map(|word| u64::from(u32::from_be_bytes(word.try_into().unwrap())));
    let mut sum: u64 = words.sum();
    while sum > u64::from(u32::MAX) {
        sum = (sum & u64::from(u32::MAX)) + (sum >> 32);
    }
    // Pixels and header of this camera take two blocks at least; nothing at all adds up to nothing, too.
    bytes.len() > BLOCK && bytes.len().is_multiple_of(BLOCK) && sum == u64::from(u32::MAX)
}

/// The name of a frame, from its header.
fn id_of(bytes: &[u8]) -> String {
    let card = bytes.chunks_exact(80).find(|card| card.starts_with(b"FRAMEID ")).expect("a frame has a name");
    String::from_utf8_lossy(card).split('\'').nth(1).unwrap().trim().to_owned()
}
