//! What goes wrong in a night: aborts, nonsense, a server that goes, a driver that is shot.

use rustix::event::{PollFd, PollFlags};
use rustix::fd::OwnedFd;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

use super::support::{SIMULATOR, poll_for};
use super::*;

/// The driver promises to be gone 2 s after its server; the rest is for a machine that is busy with other tests.
const FAREWELL: Duration = Duration::from_secs(5);

fn only_driver(server: &Server) -> (Pid, OwnedFd) {
    let drivers = server.drivers();
    assert_eq!(drivers.len(), 1, "{drivers:?}");
    let pid = Pid::from_raw(drivers[0]).unwrap();
    (pid, pidfd_open(pid, PidfdFlags::empty()).unwrap())
}

fn has_ended(process: &OwnedFd, patience: Duration) -> bool {
    poll_for(&mut [PollFd::new(process, PollFlags::IN)], patience) > 0
}

#[test]
fn an_aborted_exposure_leaves_neither_file_nor_frame() {
    let server = Server::simulator();
    let mut client = ready(server.tcp());
    save_locally(&mut client, &server, "UPLOAD_BOTH");
    ask_exposure(&mut client, 0.6);
    client.wait_for(|client| client.state("CCD_EXPOSURE") == "Busy", SOON);
    client.new_vector("Switch", "CCD_ABORT_EXPOSURE", &[("ABORT", "On")]);
    client.wait_for(|client| client.state("CCD_EXPOSURE") == "Idle", SOON);
    assert_eq!(client.state("CCD_ABORT_EXPOSURE"), "Ok");
    // Longer than the exposure had left.
    for element in client.listen(Duration::from_millis(1500)) {
        let about_it = ["CCD1", "CCD_FILE_PATH", "CCD_EXPOSURE"].contains(&element.attribute("name"));
        assert!(!about_it, "{}", client.report());
    }
    assert_eq!(server.home().list("frames"), Vec::<String>::new());
    let blob = client.expose(SHORT);
    assert_eq!(fits(&blob.bytes).number("EXPTIME"), SHORT);
    assert_eq!(server.home().list("frames"), ["night_001.fits"]);
}

#[test]
fn a_forced_write_of_an_unknown_element_is_an_alert_with_a_reason_and_changes_nothing() {
    let server = Server::simulator();
    let mut watcher = ready(server.tcp());
    let writes = [
        ("-n", "CCD_EXPOSURE", "NONSENSE=1", "CCD_EXPOSURE_VALUE"),
        ("-n", "CCD_GAIN", "NONSENSE=1", "GAIN"),
        ("-s", "UPLOAD_MODE", "NONSENSE=On", "UPLOAD_CLIENT"),
        ("-x", "UPLOAD_SETTINGS", "NONSENSE=x", "UPLOAD_PREFIX"),
        ("-x", "CCD_GAIN", "GAIN=1", "GAIN"),
    ];
    for (kind, vector, nonsense, element) in writes {
        let before = watcher.get(vector, element).map(str::to_owned);
        let heard = watcher.messages.len();
        let mut tool = server.tool("indi_setprop");
        let status = tool.args([kind, &format!("{DEVICE}.{vector}.{nonsense}")]).status().unwrap();
        assert!(status.success(), "{status}");
        let answer =
            watcher.until(|answer| answer.tag.starts_with("set") && answer.attribute("name") == vector, SOON);
        assert_eq!(answer.attribute("state"), "Alert", "{vector}");
        assert_eq!(answer.value(element).map(str::to_owned), before, "{vector}");
        let reasons = &watcher.messages[heard..];
        let told = |reason: &String| reason.starts_with("[ERROR] ") && reason.contains(vector);
        assert_eq!(reasons.iter().filter(|reason| told(reason)).count(), 1, "{vector}: {reasons:?}");
    }
    let mut tool = server.tool("indi_setprop");
    tool.args(["-n", &format!("{DEVICE}.CCD_NONSENSE.NONSENSE=1")]).status().unwrap();
    watcher.wait_for(|watcher| watcher.messages.iter().any(|told| told.contains("CCD_NONSENSE")), SOON);
    assert_eq!(fits(&watcher.expose(SHORT).bytes).number("GAIN"), watcher.number("CCD_GAIN", "GAIN"));
}

#[test]
fn the_driver_ends_by_itself_when_its_server_goes_during_an_exposure() {
    let mut server = Server::simulator();
    let mut client = ready(server.tcp());
    save_locally(&mut client, &server, "UPLOAD_BOTH");
    let (_, driver) = only_driver(&server);
    ask_exposure(&mut client, 600.0);
    client.wait_for(|client| client.state("CCD_EXPOSURE") == "Busy", SOON);
    assert!(!has_ended(&driver, Duration::ZERO));
    server.terminate();
    assert!(has_ended(&driver, FAREWELL), "the driver outlives its server\n{}", server.log());
    assert_eq!(server.home().list("frames"), Vec::<String>::new());
}

#[test]
fn a_driver_that_was_killed_comes_back_and_works() {
    let server = Server::start(&["-r", "3"], &[std::path::Path::new(SIMULATOR)]);
    let mut client = ready(server.unix());
    let before = client.expose(SHORT);
    let (pid, driver) = only_driver(&server);
    ask_exposure(&mut client, 600.0);
    client.wait_for(|client| client.state("CCD_EXPOSURE") == "Busy", SOON);
    kill_process(pid, Signal::KILL).unwrap();
    assert!(has_ended(&driver, SOON));
    client.until(|element| element.tag == "delProperty" && element.attribute("device") == DEVICE, SOON);
    client.wait_for(|client| client.vector("CONNECTION").is_some(), SOON);
    assert_eq!(client.get("CONNECTION", "CONNECT"), Some("Off"));
    assert_ne!(only_driver(&server).0, pid);
    client.connect();
    assert_eq!((client.state("CCD_EXPOSURE"), client.number("CCD_FRAME", "WIDTH")), ("Idle", 1280.0));
    let after = client.expose(SHORT);
    assert!(fits(&before.bytes).get("DATE-OBS") < fits(&after.bytes).get("DATE-OBS"));
}
