//! How fast things go out: acknowledged frames, and a server that reads late.

use std::time::Duration;

use crate::support::{DEVICE, Driver, Element, Folder, Link, SOON, Start};
use crate::upload::store;
use crate::watch::{Change, Watch};
use crate::{
    BRIEF, LONG, assert_well, begin, collect, connect, connected, count, is_blob, is_busy, press, take,
    until_quiet,
};

/// Long enough for a frame that is ready to come out, if nothing holds it.
const A_WHILE: Duration = Duration::from_millis(300);

/// The acknowledgements that are asked for.
fn pings(heard: &[Element]) -> Vec<String> {
    let asked = heard.iter().filter(|element| element.tag == "pingRequest");
    asked.map(|element| element.attribute("uid").to_owned()).collect()
}

/// Two frames that were not acknowledged and a third that waits; the pings of the two.
fn with_a_frame_held() -> (Driver, Vec<String>, Folder) {
    let folder = Folder::in_memory();
    let mut driver = connected();
    driver.answer_pings = false;
    let mut asked = pings(&take(&mut driver, BRIEF));
    asked.extend(pings(&take(&mut driver, BRIEF)));
    assert_eq!(asked.len(), 2);
    // That the third is complete shows in its file.
    store(&mut driver, "UPLOAD_BOTH", folder.path());
    let mut watch = Watch::new(folder.path());
    begin(&mut driver, BRIEF);
    watch.until(Change::is_file);
    let heard = driver.listen(A_WHILE);
    assert_eq!(count(&heard, is_blob), 0, "a third frame went out");
    assert_eq!(driver.state("CCD_EXPOSURE"), "Busy");
    (driver, asked, folder)
}

fn reply(driver: &mut Driver, uid: &str) {
    driver.send(&format!("<pingReply uid='{uid}'/>\n"));
}

#[test]
fn every_frame_asks_for_an_acknowledgement_of_its_own() {
    let mut driver = connected();
    let heard = [take(&mut driver, BRIEF), take(&mut driver, BRIEF), take(&mut driver, BRIEF)];
    let mut uids = pings(&heard.into_iter().flatten().collect::<Vec<_>>());
    assert!(uids.iter().all(|uid| (1..=64).contains(&uid.len())), "{uids:?}");
    uids.dedup();
    assert_eq!(uids.len(), 3);
}

#[test]
fn a_third_frame_waits_until_one_is_acknowledged() {
    let (mut driver, asked, _folder) = with_a_frame_held();
    reply(&mut driver, &asked[0]);
    let heard = collect(&mut driver, |element| element.is("setNumberVector", "CCD_EXPOSURE"));
    assert_eq!(count(&heard, is_blob), 1);
    assert_eq!(driver.state("CCD_EXPOSURE"), "Ok");
}

#[test]
fn an_acknowledgement_that_was_never_asked_for_releases_nothing() {
    let (mut driver, asked, _folder) = with_a_frame_held();
    for uid in ["", "SetBLOB/0/99", "nonsense"] {
        reply(&mut driver, uid);
    }
    assert_eq!(count(&until_quiet(&mut driver), is_blob), 0);
    assert_eq!(driver.state("CCD_EXPOSURE"), "Busy");
    // The later one says that the server has read the earlier one too.
    reply(&mut driver, &asked[1]);
    driver.until(is_blob, SOON);
}

#[test]
fn a_frame_that_waits_can_be_aborted() {
    let (mut driver, asked, _folder) = with_a_frame_held();
    press(&mut driver, "CCD_ABORT_EXPOSURE", "ABORT");
    until_quiet(&mut driver);
    assert_eq!(driver.state("CCD_EXPOSURE"), "Idle");
    reply(&mut driver, &asked[1]);
    assert_eq!(count(&until_quiet(&mut driver), is_blob), 0);
    driver.expose(BRIEF);
}

#[test]
fn a_server_that_reads_late_misses_nothing() {
    const ASKED: usize = 300;
    const RESTARTED: usize = 50;
    let names = [DEVICE.to_owned(), format!("{DEVICE} 2"), format!("{DEVICE} 3")];
    let folder = Folder::in_memory();
    let env = vec![("INDI_CAMERA_SIMULATORS", "3".to_owned())];
    let mut driver = Driver::start(Start { link: Link::Pipes, env, ..Start::default() });
    for name in &names {
        driver.address(name);
        connect(&mut driver, (64, 48));
        store(&mut driver, "UPLOAD_BOTH", folder.path());
    }
    let mut watch = Watch::new(folder.path());
    // From here to the last file nothing is read. The answers to this fill every buffer on the way.
    for _ in 0..ASKED {
        driver.send("<getProperties version='1.7'/>\n");
    }
    for name in &names {
        driver.address(name);
        for _ in 0..RESTARTED {
            begin(&mut driver, LONG);
        }
        begin(&mut driver, BRIEF);
    }
    for _ in &names {
        watch.until(Change::is_file);
    }
    let mut heard = Vec::new();
    for name in &names {
        driver.address(name);
        while driver.state("CCD_EXPOSURE") != "Ok" {
            heard.push(driver.next_element(SOON));
        }
    }
    for name in &names {
        let of = |element: &Element| element.attribute("device") == name;
        let answers = count(&heard, |element| of(element) && element.is("defTextVector", "DRIVER_INFO"));
        assert_eq!(answers, ASKED, "{name}");
        assert_eq!(count(&heard, |element| of(element) && is_blob(element)), 1, "{name}");
        let exposure = |element: &Element| of(element) && element.is("setNumberVector", "CCD_EXPOSURE");
        assert_eq!(count(&heard, |element| exposure(element) && !is_busy(element)), 1, "{name}");
        // What nobody was told in time is not worth telling.
        let busy = count(&heard, |element| exposure(element) && is_busy(element));
        assert!(
            (1..=3).contains(&busy),
            "{busy} of {RESTARTED} times left were told to a server that did not read"
        );
    }
}

#[test]
fn a_descriptor_is_not_lost_when_the_socket_was_full() {
    let mut driver = connected();
    for _ in 0..200 {
        driver.send("<getProperties version='1.7'/>\n");
    }
    let blob = driver.expose(BRIEF);
    assert!(blob.attached);
    assert_eq!(driver.unclaimed_fds(), 0);
    assert_well(&mut driver);
}
