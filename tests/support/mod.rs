//! What the process tests stand on: a [`Driver`] under our own hands, a [`Server`] that is Debian's indiserver, and
//! the [`Peer`] that both give out.
//!
//! Nothing here waits without a limit: every wait is a `poll` on the descriptor that will bring the news, and running
//! out of time is a panic that shows what had been heard until then. What no descriptor tells of is looked at again
//! and again ([`until`]). Processes are ended by the handle that started them.
#![allow(dead_code, unused_imports, reason = "each test binary uses its own part of the harness")]
#![allow(unreachable_pub, reason = "a module of test binaries has no outside")]

pub mod calls_table;
pub mod element;
pub mod fits;
pub mod peer;
pub mod server;
pub mod stream;

use std::ffi::OsString;
use std::fs::{self, File};
use std::ops::{Deref, DerefMut};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

pub use element::{Blob, Element};
pub use fits::{Fits, fits, fitsverify};
pub use peer::Peer;
pub use server::{Client, Server};

/// The driver under test.
pub const BINARY: &str = env!("CARGO_BIN_EXE_indi_camera_ccd");
/// The name by which it serves the simulator.
pub const SIMULATOR: &str = "indi_camera_simulator_ccd";
/// The device that it then is.
pub const DEVICE: &str = "Camera Simulator";
/// Long enough for anything that does not have to wait for an exposure, on a machine that is busy with other tests.
pub const SOON: Duration = Duration::from_secs(20);

/// Variables by which the caller's surroundings could reach the driver.
pub const FOREIGN: [&str; 18] = [
    "INDIDEV",
    "INDICONFIG",
    "INDISKEL",
    "INDIPREFIX",
    "INDI_CAMERA_ALPACA",
    "INDI_CAMERA_BACKENDS",
    "INDI_CAMERA_BLOB",
    "INDI_CAMERA_FAULTS",
    "INDI_CAMERA_GIGE",
    "INDI_CAMERA_RECORD",
    "INDI_CAMERA_REPLAY",
    "INDI_CAMERA_SIMULATORS",
    "INDI_CAMERA_SIMULATOR_STATE",
    "INDI_CAMERA_SPOOL",
    "INDI_CAMERA_STARS",
    "INDI_CAMERA_UPLOAD_ROOT",
    "RUST_LOG",
    "RUST_BACKTRACE",
];

/// Between which kind of descriptors a driver is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// One unix socket as descriptor 0 and 1, as indiserver does it. Frames travel as descriptors.
    Socket,
    /// Two pipes. Frames travel as base64.
    Pipes,
}

/// How a driver is to be started; `Start::default()` is what indiserver would do.
#[derive(Clone, Debug)]
pub struct Start {
    /// The name that it is told it was started by.
    pub argv0: &'static str,
    /// The device that [`Peer::connect`] and its friends mean.
    pub device: String,
    /// Its descriptors 0 and 1.
    pub link: Link,
    /// More environment.
    pub env: Vec<(&'static str, String)>,
    /// A shell command that prepares a world of its own for the driver: it may mount what it likes.
    pub world: Option<String>,
    /// Home directory; give the same one twice to test what survives a restart.
    pub home: Option<Arc<Folder>>,
}

impl Default for Start {
    fn default() -> Self {
        Start {
            argv0: SIMULATOR,
            device: DEVICE.into(),
            link: Link::Socket,
            env: Vec::new(),
            world: None,
            home: None,
        }
    }
}

/// A running driver whose server we are.
pub struct Driver {
    peer: Peer,
    process: Process,
    home: Arc<Folder>,
    log: PathBuf,
}

impl Driver {
    /// The simulator on a socket.
    pub fn simulator() -> Driver {
        Driver::start(Start::default())
    }

    /// Starts the driver and says nothing to it yet.
    pub fn start(start: Start) -> Driver {
        let home = start.home.unwrap_or_else(|| Arc::new(Folder::new()));
        let log = home.path().join(format!("stderr-{}", serial()));
        let (input, output, stdin, stdout): (OwnedFd, OwnedFd, OwnedFd, OwnedFd) = match start.link {
            Link::Socket => {
                let (ours, theirs) =
                    socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
                (ours.try_clone().unwrap(), ours, theirs.try_clone().unwrap(), theirs)
            }
            Link::Pipes => {
                let (their_input, our_output) = std::io::pipe().unwrap();
                let (our_input, their_output) = std::io::pipe().unwrap();
                (our_input.into(), our_output.into(), their_input.into(), their_output.into())
            }
        };
        let mut command = match &start.world {
            None => command(Path::new(BINARY), &home),
            Some(prepare) => {
                let mut command = command(Path::new("unshare"), &home);
                command.args(["-rm", "sh", "-c"]).arg(format!("{prepare} && exec {BINARY}"));
                command.env("INDI_CAMERA_BACKENDS", "simulator");
                command
            }
        };
        if start.world.is_none() {
            command.arg0(start.argv0);
        }
        command.envs(start.env);
        command.stdin(stdin).stdout(stdout).stderr(File::create(&log).unwrap());
        let process = Process::spawn(&mut command).unwrap();
        let peer = Peer::new(input, output, start.device).with_log(log.clone());
        Driver { peer, process, home, log }
    }

    /// Says goodbye as a dying server does: end of input, and nobody listens any more.
    pub fn close(&mut self) {
        self.peer.close();
    }

    /// End of input only: what the driver still says can be read.
    pub fn close_stdin(&mut self) {
        self.peer.close_output();
    }

    /// Waits for the driver's end.
    pub fn wait(&mut self, limit: Duration) -> ExitStatus {
        self.process.wait(limit).unwrap_or_else(|| panic!("still running after {limit:?}\n{}", self.stderr()))
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.process.wait(Duration::ZERO).is_none()
    }

    /// Sends a signal to the driver, and to nothing else.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.process.pid(), signal).unwrap();
    }

    /// The process number.
    pub fn pid(&self) -> u32 {
        self.process.child.id()
    }

    /// Everything written to stderr so far.
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap()).into_owned()
    }

    /// Its private home directory.
    pub fn home(&self) -> &Arc<Folder> {
        &self.home
    }
}

impl Deref for Driver {
    type Target = Peer;
    fn deref(&self) -> &Peer {
        &self.peer
    }
}

impl DerefMut for Driver {
    fn deref_mut(&mut self) -> &mut Peer {
        &mut self.peer
    }
}

/// A child process that does not outlive its owner.
pub struct Process {
    child: Child,
    /// Readable once the process has ended, which lets us wait for that with a limit and without sleeping.
    ended: OwnedFd,
}

impl Process {
    /// Starts a command.
    pub fn spawn(command: &mut Command) -> std::io::Result<Process> {
        let child = command.spawn()?;
        let ended = pidfd_open(Pid::from_child(&child), PidfdFlags::empty())?;
        Ok(Process { child, ended })
    }

    /// Waits for the end, at most for `limit`.
    pub fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        let mut fds = [PollFd::new(&self.ended, PollFlags::IN)];
        (poll_for(&mut fds, limit) > 0).then(|| self.child.wait().unwrap())
    }

    /// The process number, as system calls want it.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only when the process has ended, which is what we want.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command that sees nothing of the caller's INDI settings and has a home directory of its own.
pub fn command(program: &Path, home: &Folder) -> Command {
    let mut command = Command::new(program);
    for name in FOREIGN {
        command.env_remove(name);
    }
    command.env("HOME", home.path()).stdin(Stdio::null());
    command
}

/// A new empty directory, removed when nobody needs it any more.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Makes one.
    pub fn new() -> Folder {
        Folder::within(&std::env::temp_dir())
    }

    /// Makes one where a file is safe at once, for tests that cannot wait for a disk that is busy.
    pub fn in_memory() -> Folder {
        let memory = Path::new("/dev/shm");
        if memory.is_dir() { Folder::within(memory) } else { Folder::new() }
    }

    fn within(parent: &Path) -> Folder {
        let path = parent.join(format!("indi-camera-test-{}", unique()));
        fs::create_dir(&path).unwrap();
        Folder(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Names of the files in one of its directories, sorted; none when there is no such directory.
    pub fn list(&self, directory: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.0.join(directory)) else { return Vec::new() };
        let names = entries.map(|entry| entry.unwrap().file_name()).map(OsString::into_string);
        let mut names: Vec<String> = names.map(Result::unwrap).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A driver that is being ended may still write here: what stays behind is in the temporary directory.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A name that no other test uses, in this process or another.
pub fn unique() -> String {
    format!("{}-{}", std::process::id(), serial())
}

fn serial() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A moment at which patience ends.
#[derive(Clone, Copy, Debug)]
pub struct Limit(Instant);

impl Limit {
    /// So much from now.
    pub fn after(patience: Duration) -> Limit {
        Limit(now() + patience)
    }

    /// What is left; `None` when the time is up.
    pub fn left(self) -> Option<Duration> {
        self.0.checked_duration_since(now()).filter(|left| !left.is_zero())
    }

    /// Lets a moment of it pass.
    #[track_caller]
    pub fn pause(self, what: &str) {
        assert!(self.left().is_some(), "{what}: nothing happens");
        thread::park_timeout(Duration::from_millis(1));
    }
}

/// Waits until something is so that no descriptor tells of.
#[track_caller]
pub fn until(what: &str, patience: Duration, mut is_so: impl FnMut() -> bool) {
    let limit = Limit::after(patience);
    while !is_so() {
        limit.pause(what);
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "the one clock of the harness: the processes under test run in real time"
)]
pub fn now() -> Instant {
    Instant::now()
}

/// `poll` that goes on after a signal; returns how many descriptors have news.
pub fn poll_for(fds: &mut [PollFd<'_>], patience: Duration) -> usize {
    let limit = Limit::after(patience);
    loop {
        let left = limit.left().unwrap_or_default();
        // Rounded up to the next millisecond, so that the last wait is not a busy one.
        let left = Duration::from_millis(u64::try_from(left.as_micros().div_ceil(1000)).unwrap());
        match poll(fds, Some(&Timespec::try_from(left).unwrap())) {
            Err(rustix::io::Errno::INTR) => {}
            ready => return ready.unwrap(),
        }
    }
}
