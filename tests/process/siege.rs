//! A server that says nothing but rubbish, or hears nothing, for as long as it likes: exposures go on.
//!
//! `INDI_CAMERA_SIEGE=60` makes that a minute each.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use rustix::process::Signal;

use crate::support::{Driver, Folder, Limit, Link, SOON, Start, now, poll_for};
use crate::upload::store;
use crate::{
    BRIEF, assert_well, begin, connected_by, connected_with, count, is_blob, is_busy, press, until_quiet,
};

/// Rubbish by the second.
const RATE: f64 = 1_048_576.0;
/// Rubbish at once, and how long it lasts.
const SLICE: usize = 1 << 16;
const PAUSE: Duration = Duration::from_millis(60);
/// What the driver may have more of in its hands after all that, in kB.
const SLACK: u64 = 16 << 10;

/// How long the driver waits for the answer to a ping before it thinks that there will be none.
const PING_PATIENCE: Duration = Duration::from_secs(5);

/// How long a siege lasts.
fn siege() -> Duration {
    Duration::from_secs(std::env::var("INDI_CAMERA_SIEGE").map_or(3, |text| text.parse().unwrap()))
}

fn resident(driver: &Driver) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", driver.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn a_mebibyte_of_rubbish_a_second_does_not_keep_it_from_exposing() {
    for link in [Link::Socket, Link::Pipes] {
        let mut driver = connected_by(Start { link, ..Start::default() });
        driver.expose(BRIEF);
        let before = resident(&driver);
        let (began, limit) = (now(), Limit::after(siege()));
        let rubbish = crate::input::rubbish(SLICE);
        let (mut sent, mut asked, mut ended) = (0_usize, 0, Vec::new());
        while limit.left().is_some() {
            // In parts that are never the same, so that every state of the parser has its turn.
            let start = sent % 251;
            assert!(driver.try_send(&rubbish[start..]));
            sent += rubbish.len() - start;
            if asked == ended.len() {
                begin(&mut driver, BRIEF);
                asked += 1;
            }
            let ahead = sent as f64 / RATE - began.elapsed().as_secs_f64();
            for element in driver.listen(PAUSE.min(Duration::from_secs_f64(ahead.max(0.001)))) {
                if element.is("setNumberVector", "CCD_EXPOSURE") && !is_busy(&element) {
                    ended.push(element.attribute("state").to_owned());
                }
            }
        }
        let rate = sent as f64 / began.elapsed().as_secs_f64() / RATE;
        println!("{link:?}: {sent} bytes of rubbish, {rate:.2} MiB/s, {} exposures", ended.len());
        assert!(asked > 3 && ended.len() + 1 >= asked, "{asked} asked, {} ended", ended.len());
        assert!(ended.iter().all(|state| state == "Ok"), "{ended:?}");
        driver.wait_for(|peer| peer.state("CCD_EXPOSURE") == "Ok", SOON);
        assert_well(&mut driver);
        let after = resident(&driver);
        assert!(after < before + SLACK, "{before} kB, then {after} kB");
    }
}

#[test]
fn a_server_that_stalls_during_exposures_gets_every_frame_once_it_reads_again() {
    const FRAMES: usize = 40;
    for link in [Link::Socket, Link::Pipes] {
        let folder = Folder::in_memory();
        let mut driver = connected_by(Start { link, ..Start::default() });
        store(&mut driver, "UPLOAD_BOTH", folder.path());
        press(&mut driver, "CCD_FAST_TOGGLE", "INDI_ENABLED");
        driver.new_vector("Number", "CCD_FAST_COUNT", &[("FRAMES", &FRAMES.to_string())]);
        until_quiet(&mut driver);
        // Answers to this fill every buffer on the way; from here on nothing is read.
        for _ in 0..200 {
            driver.send("<getProperties version='1.7'/>\n");
        }
        begin(&mut driver, BRIEF);
        poll_for(&mut [], siege());
        assert!(driver.is_running(), "{}", driver.stderr());
        let (mut heard, mut ended) = (Vec::new(), Vec::new());
        while ended.len() < FRAMES {
            let element = driver.next_element(SOON);
            if element.is("setNumberVector", "CCD_EXPOSURE") && !is_busy(&element) {
                ended.push(element.attribute("state").to_owned());
            }
            heard.push(element);
        }
        assert!(ended.iter().all(|state| state == "Ok"), "{ended:?}");
        assert_eq!((count(&heard, is_blob), folder.list("").len()), (FRAMES, FRAMES), "{link:?}");
        press(&mut driver, "CCD_FAST_TOGGLE", "INDI_DISABLED");
        assert_well(&mut driver);
    }
}

/// Bytes of frames in memory files that a stopped driver still has open.
fn frames_in_hand(driver: &Driver) -> u64 {
    let open = fs::read_dir(format!("/proc/{}/fd", driver.pid())).unwrap().map(|entry| entry.unwrap().path());
    let frames = open.filter(|fd| {
        fs::read_link(fd).is_ok_and(|file| file.to_string_lossy().starts_with("/memfd:indi-camera-blob"))
    });
    let files = frames.filter_map(|fd| fs::metadata(fd).ok());
    // The same file may be open twice.
    files.map(|file| (file.ino(), file.blocks() * 512)).collect::<BTreeMap<_, _>>().into_values().sum()
}

/// What a frame in a memory file of its own takes when the sensor has 1024 x 1024 pixels.
const FRAME: u64 = 2 * 1024 * 1024;

/// A server that has read nothing for longer than it may take to answer a ping, in the midst of frames as fast as they
/// come: how many lie in the socket, and how many bytes of these and others the driver still has in its hands.
fn stall(drivers: &mut [Driver]) -> Vec<(usize, u64)> {
    for driver in &mut *drivers {
        press(driver, "CCD_FAST_TOGGLE", "INDI_ENABLED");
        driver.new_vector("Number", "CCD_FAST_COUNT", &[("FRAMES", "500")]);
        until_quiet(driver);
        begin(driver, BRIEF);
    }
    poll_for(&mut [], PING_PATIENCE + siege());
    let look = |driver: &mut Driver| {
        assert!(driver.is_running(), "{}", driver.stderr());
        // From here on nothing comes to what lies in the socket.
        driver.signal(Signal::STOP);
        let in_hand = frames_in_hand(driver);
        let unread = count(&driver.listen(PAUSE), is_blob);
        driver.signal(Signal::CONT);
        (unread, in_hand)
    };
    drivers.iter_mut().map(look).collect()
}

#[test]
fn a_server_that_stalls_has_a_handful_of_frames_in_memory_whether_it_speaks_pings_or_not() {
    let driver = || connected_with(Start::default(), (1024, 1024));
    let (mut speaks, mut never) = (driver(), driver());
    speaks.expose(BRIEF);
    until_quiet(&mut speaks);
    never.answer_pings = false;
    let held = stall(&mut [speaks, never]);
    println!("frames unread, bytes in hand: {held:?}");
    let [speaks, never] = held[..] else { panic!("{held:?}") };
    assert_eq!(speaks.0, 2, "{held:?}");
    assert_eq!(never.0, 2, "{held:?}");
    // These two, what waits in queues, and memory for the next frame.
    assert!(speaks.1 < 7 * FRAME && never.1 < 12 * FRAME, "{held:?}");
}
