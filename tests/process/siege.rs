//! A server that says nothing but rubbish, or hears nothing, for as long as it likes: exposures go on.
//!
//! `INDI_CAMERA_SIEGE=60` makes that a minute each.

use std::fs;
use std::time::Duration;

use crate::support::{Driver, Folder, Limit, Link, SOON, Start, now, poll_for};
use crate::upload::store;
use crate::{BRIEF, assert_well, begin, connected_by, count, is_blob, is_busy, press, until_quiet};

/// Rubbish by the second.
const RATE: f64 = 1_048_576.0;
/// Rubbish at once, and how long it lasts.
const SLICE: usize = 1 << 16;
const PAUSE: Duration = Duration::from_millis(60);
/// What the driver may have more of in its hands after all that, in kB.
const SLACK: u64 = 16 << 10;

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
        let before = resident(&driver);
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
        println!("{link:?}: {before} kB while nobody read");
        press(&mut driver, "CCD_FAST_TOGGLE", "INDI_DISABLED");
        assert_well(&mut driver);
    }
}
