//! Debian's indiserver on a port of its own, with drivers of ours.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use rustix::process::{Signal, kill_process};

use super::{BINARY, DEVICE, Folder, Limit, Peer, Process, SIMULATOR, SOON, command, unique};

/// A client of a [`Server`]: the same reading code as under a driver.
pub type Client = Peer;

/// Ports tried before we give up: another program may take one between our choice and the server's start.
const ATTEMPTS: usize = 5;
/// How often we look whether the server listens. There is no event for it.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A running indiserver.
pub struct Server {
    process: Process,
    port: u16,
    socket: String,
    /// Home directory of the server and its drivers.
    home: Folder,
    arguments: Vec<OsString>,
    env: Vec<(String, String)>,
}

impl Server {
    /// A server with our simulator.
    pub fn simulator() -> Server {
        Server::start(&["-r", "0"], &[Path::new(SIMULATOR)])
    }

    /// A server that starts and stops drivers as [`Server::fifo`] says, like the one that Ekos keeps.
    pub fn with_fifo() -> Server {
        Server::start(&["-r", "0", "-f", "fifo"], &[])
    }

    /// A server with our simulator, told to serve so many cameras.
    pub fn simulators(count: usize) -> Server {
        let count = count.to_string();
        Server::start_in(&[("INDI_CAMERA_SIMULATORS", &count)], &["-r", "0"], &[Path::new(SIMULATOR)])
    }

    /// A server with these options and drivers. [`SIMULATOR`] is found by its name; it also works in fifo lines.
    pub fn start(options: &[&str], drivers: &[&Path]) -> Server {
        Server::start_in(&[], options, drivers)
    }

    /// The same with more environment for server and drivers.
    pub fn start_in(env: &[(&str, &str)], options: &[&str], drivers: &[&Path]) -> Server {
        let mut home = Folder::new();
        let bin = home.path().join("bin");
        fs::create_dir(&bin).unwrap();
        symlink(BINARY, bin.join(SIMULATOR)).unwrap();
        let fifo = home.path().join("fifo");
        mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        for _ in 0..ATTEMPTS {
            let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
            let socket = format!("/tmp/indi-camera-test-{}", unique());
            let mut arguments = vec!["-v".into(), "-p".into(), port.to_string().into()];
            arguments.extend([OsString::from("-u"), OsString::from(&socket)]);
            arguments.extend(options.iter().map(OsString::from));
            arguments.extend(drivers.iter().map(OsString::from));
            let mut env: Vec<(String, String)> =
                env.iter().map(|&(name, value)| (name.into(), value.into())).collect();
            env.push(("PATH".into(), path.clone()));
            let process = spawn(&home, &arguments, &env);
            let mut server = Server { process, port, socket, home, arguments, env };
            if server.is_up() {
                return server;
            }
            let log = server.log();
            assert!(log.contains("Address already in use"), "indiserver does not start:\n{log}");
            home = server.home;
        }
        panic!("no free port in {ATTEMPTS} attempts")
    }

    /// Its port on the loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The abstract name of its local socket.
    pub fn socket(&self) -> &str {
        &self.socket
    }

    /// Shoots the server, and nothing else.
    pub fn kill(&mut self) {
        kill_process(self.process.pid(), Signal::KILL).unwrap();
        assert!(self.process.wait(SOON).is_some(), "indiserver does not end");
    }

    /// Starts a server that has ended again, as it was.
    pub fn restart(&mut self) {
        self.process = spawn(&self.home, &self.arguments, &self.env);
        assert!(self.is_up(), "indiserver does not start again:\n{}", self.log());
    }

    /// A client over TCP, which gets frames as base64. It has asked for nothing yet.
    pub fn tcp(&self) -> Client {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        stream.set_nodelay(true).unwrap();
        self.client(stream.into())
    }

    /// A client over the abstract unix socket, which gets frames as descriptors.
    pub fn unix(&self) -> Client {
        self.client(self.connect_unix().expect("the server listens"))
    }

    /// Writes one line into the fifo: `start indi_camera_simulator_ccd -n "Label"`.
    pub fn fifo(&self, line: &str) {
        let mut fifo = OpenOptions::new().write(true).open(self.home.path().join("fifo")).unwrap();
        writeln!(fifo, "{line}").unwrap();
    }

    /// One of INDI's own command line tools, told where this server is.
    pub fn tool(&self, name: &str) -> Command {
        let mut command = command(Path::new(name), &self.home);
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string()]);
        command
    }

    /// Process numbers of the drivers that run now.
    pub fn drivers(&self) -> Vec<i32> {
        let pid = self.process.pid();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        children.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
    }

    /// Ends the server, and nothing else, as its user would.
    pub fn terminate(&mut self) {
        kill_process(self.process.pid(), Signal::TERM).unwrap();
        assert!(self.process.wait(SOON).is_some(), "indiserver does not end:\n{}", self.log());
    }

    /// Whether the server itself still runs.
    pub fn is_running(&mut self) -> bool {
        self.process.wait(Duration::ZERO).is_none()
    }

    /// What the server and its drivers have written to stderr.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.log_path()).unwrap()).into_owned()
    }

    /// Home directory of the server and its drivers.
    pub fn home(&self) -> &Folder {
        &self.home
    }

    fn log_path(&self) -> PathBuf {
        self.home.path().join("log")
    }

    fn client(&self, stream: OwnedFd) -> Client {
        Peer::new(stream.try_clone().unwrap(), stream, DEVICE.into()).with_log(self.log_path())
    }

    /// Waits until the server listens; `false` when it ends instead. The unix socket is the one to ask: its name is
    /// ours alone and it is opened after the port, while on the port somebody else could answer.
    fn is_up(&mut self) -> bool {
        let limit = Limit::after(SOON);
        while self.connect_unix().is_err() {
            if self.process.wait(LOOK_EVERY).is_some() {
                return false;
            }
            assert!(limit.left().is_some(), "indiserver does not listen:\n{}", self.log());
        }
        true
    }

    fn connect_unix(&self) -> rustix::io::Result<OwnedFd> {
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        connect(&socket, &SocketAddrUnix::new_abstract_name(self.socket.as_bytes())?)?;
        Ok(socket)
    }
}

fn spawn(home: &Folder, arguments: &[OsString], env: &[(String, String)]) -> Process {
    let log = File::create(home.path().join("log")).unwrap();
    let mut command = command(Path::new("indiserver"), home);
    command.args(arguments).envs(env.iter().cloned()).current_dir(home.path());
    command.stdout(log.try_clone().unwrap()).stderr(log);
    match Process::spawn(&mut command) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            panic!("no indiserver: install indi-bin (packaging/test.sh does)")
        }
        process => process.unwrap(),
    }
}
