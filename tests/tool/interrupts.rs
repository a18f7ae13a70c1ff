//! Ctrl-C, and servers that go away.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

use crate::support::{Client, Folder, Limit, Process, SIMULATOR, SOON, Server, command, poll_for};
use crate::{Bench, PATIENCE, TOOL};

/// A client that sees how the camera of that server does.
fn onlooker(server: &Server) -> Client {
    let mut client = server.tcp();
    client.send("<getProperties version='1.7'/>\n");
    client
}

fn is_exposing(client: &Client) -> bool {
    client.state("CCD_EXPOSURE") == "Busy"
}

#[test]
fn an_interrupted_exposure_is_aborted_and_nothing_of_it_is_left() {
    let server = Server::simulator();
    let mut client = onlooker(&server);
    let bench = Bench::at(&server);
    let words = Folder::in_memory();
    let log = words.path().join("log");
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let mut capture = bench.start(&["capture", "-e", "600", "-n", "2", "--preview", "--json"], &log);
        client.wait_for(is_exposing, PATIENCE);
        kill_process(capture.pid(), signal).unwrap();
        let status = capture.wait(SOON).expect("it ends");
        let said = fs::read_to_string(&log).unwrap();
        assert_eq!(status.code(), Some(code), "{said}");
        assert!(
            said.contains("exposure 1 of 2 is aborted") && said.contains("\"code\":\"no_frame\""),
            "{said}"
        );
        client.wait_for(|client| !is_exposing(client), SOON);
        assert_eq!(bench.files(), [""; 0]);
    }
}

#[test]
fn a_camera_that_saves_its_frames_does_so_again_after_an_interrupted_exposure() {
    let server = Server::simulator();
    let mut client = onlooker(&server);
    let bench = Bench::at(&server);
    let words = Folder::in_memory();
    bench.done(&["call", "connect"]);
    bench.done(&["set", "Camera Simulator.UPLOAD_MODE.UPLOAD_LOCAL=On"]);
    let mut capture = bench.start(&["capture", "-e", "600"], &words.path().join("log"));
    client.wait_for(is_exposing, PATIENCE);
    assert_eq!(client.get("UPLOAD_MODE", "UPLOAD_BOTH"), Some("On"), "it is to be sent");
    kill_process(capture.pid(), Signal::INT).unwrap();
    assert_eq!(capture.wait(SOON).expect("it ends").code(), Some(130));
    client.wait_for(|client| client.get("UPLOAD_MODE", "UPLOAD_LOCAL") == Some("On"), SOON);
    assert!(!is_exposing(&client));
}

#[test]
fn what_is_said_of_a_cooler_that_stays_on_switches_it_off_as_it_stands() {
    let server = Server::simulator();
    let mut client = onlooker(&server);
    let bench = Bench::at(&server);
    let words = Folder::in_memory();
    let log = words.path().join("log");
    let is_on = |client: &Client| client.get("CCD_COOLER", "COOLER_ON") == Some("On");
    let wish = ["--camera", "Camera Simulator", "capture", "-e", "600", "--cool-to", "-15"];
    let mut capture = bench.start(&wish, &log);
    client.wait_for(is_on, PATIENCE);
    kill_process(capture.pid(), Signal::INT).unwrap();
    assert_eq!(capture.wait(SOON).expect("it ends").code(), Some(130));

    let said = fs::read_to_string(&log).unwrap();
    let advice = said.lines().find_map(|line| line.split_once("The cooler stays on: ")).expect(&said).1;
    let path = Path::new(TOOL).parent().unwrap().join("");
    let path = format!("{}:{}", path.display(), std::env::var("PATH").unwrap());
    let mut shell = command(Path::new("sh"), &bench.folder);
    shell.args(["-c", advice]).env("PATH", path).stdout(fs::File::create(&log).unwrap());
    let status = Process::spawn(&mut shell).unwrap().wait(PATIENCE).expect("it ends");
    assert!(status.success(), "{advice}: {}", fs::read_to_string(&log).unwrap());
    client.wait_for(|client| !is_on(client), SOON);
}

#[test]
fn the_driver_that_was_started_ends_with_the_tool() {
    let bench = Bench::new();
    let words = Folder::in_memory();
    let mut capture = bench.start(&["capture", "-e", "600"], &words.path().join("log"));
    let pid = capture.pid();
    let children = format!("/proc/{pid}/task/{pid}/children");
    let limit = Limit::after(SOON);
    let driver = loop {
        let text = fs::read_to_string(&children).unwrap();
        if let Some(child) = text.split_whitespace().next() {
            break Pid::from_raw(child.parse().unwrap()).unwrap();
        }
        assert!(
            limit.left().is_some() && capture.wait(Duration::from_millis(10)).is_none(),
            "no driver is started"
        );
    };
    let driver = pidfd_open(driver, PidfdFlags::empty()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    assert_eq!(capture.wait(SOON).expect("it ends").code(), Some(130));
    let mut fds = [rustix::event::PollFd::new(&driver, rustix::event::PollFlags::IN)];
    assert_eq!(poll_for(&mut fds, SOON), 1, "its driver goes on");
    assert_eq!(bench.files(), [""; 0]);
}

#[test]
fn a_server_that_goes_away_in_mid_exposure_is_told_at_once() {
    let mut server = Server::simulator();
    let mut client = onlooker(&server);
    let bench = Bench::at(&server);
    let words = Folder::in_memory();
    let log = words.path().join("log");
    let mut capture = bench.start(&["capture", "-e", "600", "--json"], &log);
    client.wait_for(is_exposing, PATIENCE);
    server.terminate();
    let status = capture.wait(SOON).expect("it ends");
    let said = fs::read_to_string(&log).unwrap();
    assert_eq!(status.code(), Some(3), "{said}");
    assert!(said.contains("\"code\":\"disconnected\""), "{said}");
    assert_eq!(bench.files(), [""; 0]);
}

#[test]
fn a_driver_that_dies_under_its_server_has_gone_away() {
    let server = Server::start(&["-r", "3"], &[Path::new(SIMULATOR)]);
    let mut client = onlooker(&server);
    let bench = Bench::at(&server);
    let words = Folder::in_memory();
    let log = words.path().join("log");
    let mut capture = bench.start(&["capture", "-e", "600"], &log);
    client.wait_for(is_exposing, PATIENCE);
    kill_process(Pid::from_raw(server.drivers()[0]).unwrap(), Signal::KILL).unwrap();
    let status = capture.wait(SOON).expect("it ends");
    let said = fs::read_to_string(&log).unwrap();
    assert_eq!(status.code(), Some(3), "{said}");
    assert!(said.contains("is gone"), "{said}");
}

#[test]
fn what_is_not_there_yet_is_told_and_waited_for() {
    let server = Server::simulator();
    let words = Folder::in_memory();
    let log = words.path().join("log");
    let mut watch = Bench::at(&server).start(&["watch", "Nobody.*"], &log);
    let limit = Limit::after(PATIENCE);
    while !fs::read_to_string(&log).unwrap().contains("nothing by the name of Nobody.* yet") {
        assert!(limit.left().is_some() && watch.wait(Duration::from_millis(10)).is_none());
    }
    kill_process(watch.pid(), Signal::INT).unwrap();
    assert_eq!(watch.wait(SOON).expect("it ends").code(), Some(0));
}

#[test]
fn watching_tells_what_changes_once_and_ends_well_when_it_is_interrupted() {
    let server = Server::simulator();
    let bench = Bench::at(&server);
    let words = Folder::in_memory();
    let log = words.path().join("log");
    let mut watch = bench.start(&["watch", "Camera Simulator.CCD_GAIN"], &log);
    let heard = |wanted: &str| {
        let limit = Limit::after(PATIENCE);
        while !fs::read_to_string(&log).unwrap().contains(wanted) {
            let said = fs::read_to_string(&log).unwrap();
            assert!(limit.left().is_some() && watch.wait(Duration::from_millis(10)).is_none(), "{said}");
        }
    };
    let mut heard = heard;
    bench.done(&["set", "Camera Simulator.CONNECTION.CONNECT=On"]);
    heard("CCD_GAIN [Idle] GAIN=100");
    bench.done(&["set", "Camera Simulator.CCD_GAIN.GAIN=42"]);
    heard("Camera Simulator.CCD_GAIN [Ok] GAIN=42");
    // It was defined again for every client that has come meanwhile.
    let said = fs::read_to_string(&log).unwrap();
    assert_eq!(said.matches("CCD_GAIN [Idle] GAIN=100").count(), 1, "{said}");
    kill_process(watch.pid(), Signal::INT).unwrap();
    assert_eq!(watch.wait(SOON).expect("it ends").code(), Some(0));
}
