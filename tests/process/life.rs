//! How the process begins and ends, and what it does not die of.

use std::fs;
use std::io::pipe;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use crate::support::{BINARY, DEVICE, Driver, Folder, Link, Peer, Process, SIMULATOR, SOON, Start, command};
use crate::upload::{assert_only_whole_files, caught_storing, store};
use crate::watch::{Change, Watch};
use crate::{
    BRIEF, LONG, assert_well, begin, connect, connected, connected_by, connected_by_pipes, connected_with,
    until_quiet,
};

/// Two seconds are promised; the rest is for a machine that is busy with other tests.
const LEAVING: Duration = Duration::from_secs(5);

fn assert_leaves_well(driver: &mut Driver) {
    let status = driver.wait(LEAVING);
    assert_eq!(status.code(), Some(0), "{status}\n{}", driver.stderr());
}

/// The flags of one of the driver's descriptors.
fn flags(driver: &Driver, fd: u32) -> u32 {
    let info = fs::read_to_string(format!("/proc/{}/fdinfo/{fd}", driver.pid())).unwrap();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).unwrap();
    u32::from_str_radix(flags.trim(), 8).unwrap()
}

/// A driver between pipes that was not started as the harness does it.
fn spawn(command: &mut Command) -> (Process, Peer) {
    let (their_input, our_output) = pipe().unwrap();
    let (our_input, their_output) = pipe().unwrap();
    let process = Process::spawn(command.stdin(their_input).stdout(their_output)).unwrap();
    // Ours alone must be the ends that count.
    command.stdin(Stdio::null()).stdout(Stdio::null());
    (process, Peer::new(our_input.into(), our_output.into(), DEVICE.to_owned()))
}

#[test]
fn the_end_of_input_ends_the_process() {
    for link in [Link::Socket, Link::Pipes] {
        let mut driver = Driver::start(Start { link, ..Start::default() });
        driver.close_stdin();
        assert_leaves_well(&mut driver);
        let mut driver = connected_by(Start { link, ..Start::default() });
        driver.close_stdin();
        assert_leaves_well(&mut driver);
    }
}

#[test]
fn the_end_of_input_ends_an_exposure_too_and_tells_it() {
    let mut driver = connected();
    begin(&mut driver, LONG);
    until_quiet(&mut driver);
    driver.close_stdin();
    let heard = std::iter::from_fn(|| driver.poll_element(SOON)).count();
    assert_leaves_well(&mut driver);
    assert!(heard > 0 && driver.at_end(), "{}", driver.report());
    assert_eq!(driver.get("CONNECTION", "DISCONNECT"), Some("On"));
    assert_eq!(driver.vector("CCD_EXPOSURE").map(|vector| vector.state.clone()), None);
}

#[test]
fn a_server_that_dies_ends_the_process() {
    for mut driver in [connected(), connected_by_pipes()] {
        begin(&mut driver, LONG);
        driver.close();
        assert_leaves_well(&mut driver);
    }
}

#[test]
fn a_signal_ends_the_process() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut driver = connected();
        driver.signal(signal);
        assert_leaves_well(&mut driver);
        let mut driver = connected_by_pipes();
        begin(&mut driver, LONG);
        until_quiet(&mut driver);
        driver.signal(signal);
        assert_leaves_well(&mut driver);
    }
}

#[test]
fn whatever_ends_the_process_while_it_stores_a_frame_leaves_no_half_file() {
    let ends: [fn(&mut Driver); 3] =
        [|driver| driver.close_stdin(), |driver| driver.close(), |driver| driver.signal(Signal::TERM)];
    for end in ends {
        let (folder, mut driver) = caught_storing();
        end(&mut driver);
        assert_leaves_well(&mut driver);
        assert!(!folder.list("").iter().any(|name| name.ends_with(".part")), "{:?}", folder.list(""));
        assert_only_whole_files(&folder);
    }
}

#[test]
fn a_server_that_does_not_read_cannot_keep_the_process() {
    let folder = Folder::in_memory();
    let start = Start { link: Link::Pipes, ..Start::default() };
    let mut driver = connected_with(start, (640, 480));
    store(&mut driver, "UPLOAD_BOTH", folder.path());
    let mut watch = Watch::new(folder.path());
    begin(&mut driver, BRIEF);
    // Ten times what a pipe holds is on its way.
    watch.until(Change::is_file);
    driver.close_stdin();
    assert_leaves_well(&mut driver);
}

#[test]
fn a_closed_output_ends_the_process() {
    let mut driver = connected_by_pipes();
    driver.close_input();
    driver.send("<getProperties version='1.7'/>\n");
    assert_leaves_well(&mut driver);
}

#[test]
fn a_closed_stderr_is_no_reason_to_end() {
    let home = Folder::new();
    let (reader, writer) = pipe().unwrap();
    let mut command = command(Path::new(BINARY), &home);
    command.arg0(SIMULATOR).env("RUST_LOG", "trace").stderr(writer);
    drop(reader);
    let (mut process, mut peer) = spawn(&mut command);
    connect(&mut peer, (64, 48));
    peer.send("<newTextVector device='Camera Simulator'><broken></newTextVector>");
    peer.expose(BRIEF);
    assert!(process.wait(Duration::ZERO).is_none());
    peer.close_output();
    assert_eq!(process.wait(LEAVING).and_then(|status| status.code()), Some(0));
}

#[test]
fn lines_on_stderr_are_shorter_than_what_makes_the_server_close_it() {
    // Most input is cut before it is quoted; a path is not.
    let path = "/nowhere".repeat(400);
    let env = vec![("RUST_LOG", "trace".to_owned()), ("INDISKEL", path)];
    let mut driver = connected_by(Start { env, ..Start::default() });
    let long = "Ä".repeat(100_000);
    for bad in [
        format!(
            "<newTextVector device='{long}' name='{long}'><oneNumber name='{long}'>{long}</oneNumber></newTextVector>"
        ),
        format!(
            "<newTextVector device='Camera Simulator' name='{long}'><oneText name='{long}'>{long}</oneText></newTextVector>"
        ),
        format!("<newTextVector device='Camera Simulator' name='CCD_GAIN'></{long}></newTextVector>"),
        format!("<{long}><newTextVector {long}='{long}<"),
        format!("<getProperties device='a\nb' {long}<"),
    ] {
        driver.send(&bad);
    }
    assert_well(&mut driver);
    let stderr = driver.stderr();
    assert!(stderr.contains("bad input") && stderr.contains("/nowhere/nowhere"), "{stderr:.2000}");
    for line in stderr.split_inclusive('\n') {
        assert!(line.len() < 1024 && line.ends_with('\n'), "{} bytes: {line:.200}", line.len());
    }
}

#[test]
fn neither_input_nor_output_is_ever_made_non_blocking() {
    const NON_BLOCKING: u32 = 0o4000;
    for mut driver in [connected(), connected_by_pipes()] {
        driver.expose(BRIEF);
        for fd in [0, 1] {
            assert_eq!(flags(&driver, fd) & NON_BLOCKING, 0, "descriptor {fd}");
        }
    }
}

#[test]
fn an_empty_environment_is_enough() {
    let mut command = Command::new(BINARY);
    command.arg0(SIMULATOR).env_clear().current_dir("/").stderr(Stdio::null());
    let (mut process, mut peer) = spawn(&mut command);
    connect(&mut peer, (64, 48));
    peer.expose(BRIEF);
    peer.close_output();
    assert_eq!(process.wait(LEAVING).and_then(|status| status.code()), Some(0));
}

#[test]
fn nothing_is_written_to_stderr_when_all_is_well() {
    let mut driver = connected();
    driver.expose(BRIEF);
    driver.close_stdin();
    assert_leaves_well(&mut driver);
    assert_eq!(driver.stderr(), "");
}

#[test]
fn a_lease_that_somebody_breaks_does_not_end_it() {
    let mut driver = connected();
    // What the kernel says of that.
    driver.signal(Signal::IO);
    assert_well(&mut driver);
}
