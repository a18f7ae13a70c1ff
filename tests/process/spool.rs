//! Frames that outlive clients, servers and drivers.

use std::fs;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::support::{Driver, Element, Folder, Link, SOON, Start, fits, fitsverify};
use crate::watch::Watch;
use crate::{BRIEF, begin, collect, connect, connected_by, count, is_blob, press, take, until_quiet};

/// Where the frames of the simulator are.
const SPOOL: &str = ".indi/spool/Camera Simulator";

fn spooling(home: &Arc<Folder>) -> Driver {
    spooling_by(Start { home: Some(home.clone()), ..Start::default() })
}

fn spooling_by(start: Start) -> Driver {
    let mut driver = connected_by(start);
    press(&mut driver, "CCD_SPOOL", "SPOOL_ALL");
    until_quiet(&mut driver);
    driver
}

fn waiting(driver: &Driver) -> Vec<String> {
    let ids = driver.get("CCD_SPOOL_WAITING", "IDS").unwrap();
    ids.split_whitespace().map(str::to_owned).collect()
}

/// The one frame that waits, of a driver that may still be looking.
fn only_waiting(driver: &mut Driver) -> String {
    driver.wait_for(|peer| peer.get("CCD_SPOOL_FRAMES", "UNACKNOWLEDGED") == Some("1"), SOON);
    driver.get("CCD_SPOOL_WAITING", "IDS").unwrap().to_owned()
}

fn spooled(home: &Folder) -> Vec<String> {
    let mut names = home.list(SPOOL);
    names.retain(|name| name.ends_with(".fits"));
    names
}

/// Waits for the end of what a client has asked of a frame.
fn ask(driver: &mut Driver, vector: &'static str, id: &str) -> Vec<Element> {
    driver.new_vector("Text", vector, &[("ID", id)]);
    collect(driver, |element| element.is("setTextVector", vector) && element.attribute("state") != "Busy")
}

/// A call by name, and its answer.
fn call(driver: &mut Driver, name: &str, params: &str) -> Json {
    driver.new_vector("Text", "CAMERA_CALL", &[("NAME", name), ("PARAMS", params)]);
    let reply = driver.until(|element| element.is("setTextVector", "CAMERA_REPLY"), SOON);
    serde_json::from_str(reply.value("RESULT").unwrap()).unwrap()
}

#[test]
fn a_frame_is_safe_before_the_exposure_ends_and_acknowledged_when_the_server_has_it() {
    let home = Arc::new(Folder::in_memory());
    let mut driver = spooling(&home);
    driver.answer_pings = false;
    let heard = take(&mut driver, BRIEF);
    let [id] = &waiting(&driver)[..] else { panic!("{:?}", waiting(&driver)) };
    let blob = heard.into_iter().find(is_blob).unwrap().blob();
    assert_eq!(fits(&blob.bytes).get("FRAMEID"), id);
    let file = home.path().join(SPOOL).join(format!("{id}.fits"));
    assert_eq!(fs::read(file).unwrap(), blob.bytes);
    driver.answer_pings = true;
    take(&mut driver, BRIEF);
    driver.wait_for(|peer| peer.get("CCD_SPOOL_FRAMES", "UNACKNOWLEDGED") == Some("0"), SOON);
    assert_eq!(driver.get("CCD_SPOOL_FRAMES", "FRAMES"), Some("2"));
}

#[test]
fn a_frame_that_nobody_got_is_sent_again_by_the_next_driver() {
    for link in [Link::Socket, Link::Pipes] {
        let home = Arc::new(Folder::in_memory());
        let mut driver = spooling_by(Start { home: Some(home.clone()), link, ..Start::default() });
        driver.answer_pings = false;
        let first = take(&mut driver, BRIEF).into_iter().find(is_blob).unwrap().blob();
        driver.signal(rustix::process::Signal::KILL);
        driver.wait(SOON);

        let mut driver = spooling_by(Start { home: Some(home.clone()), link, ..Start::default() });
        let id = &only_waiting(&mut driver);
        let heard = ask(&mut driver, "CCD_SPOOL_RESEND", id);
        assert_eq!(driver.state("CCD_SPOOL_RESEND"), "Ok");
        assert_eq!(count(&heard, |element| element.is("setNumberVector", "CCD_EXPOSURE")), 0);
        let again = heard.into_iter().find(is_blob).unwrap().blob();
        assert_eq!(again.attributes["format"], first.attributes["format"]);
        assert!(again.bytes == first.bytes, "{link:?}");
        driver.wait_for(|peer| peer.get("CCD_SPOOL_WAITING", "IDS") == Some(""), SOON);
        // It stays until it is dropped, or has to make room.
        assert_eq!(spooled(&home).len(), 1);
        ask(&mut driver, "CCD_SPOOL_DROP", id);
        assert!(spooled(&home).is_empty());
        assert_eq!(driver.get("CCD_SPOOL_FRAMES", "FRAMES"), Some("0"));
    }
}

#[test]
fn a_frame_that_waits_for_a_server_that_dies_is_kept() {
    let home = Arc::new(Folder::in_memory());
    let mut driver = spooling(&home);
    driver.answer_pings = false;
    take(&mut driver, BRIEF);
    take(&mut driver, BRIEF);
    let mut watch = Watch::new(&home.path().join(SPOOL));
    begin(&mut driver, BRIEF);
    watch.until(crate::watch::Change::is_file);
    driver.close();
    driver.wait(SOON);
    assert_eq!(spooled(&home).len(), 3);
    let mut driver = spooling(&home);
    driver.wait_for(|peer| peer.get("CCD_SPOOL_FRAMES", "UNACKNOWLEDGED") == Some("3"), SOON);
}

#[test]
fn a_damaged_frame_is_not_sent() {
    let home = Arc::new(Folder::in_memory());
    let mut driver = spooling(&home);
    driver.answer_pings = false;
    take(&mut driver, BRIEF);
    let [id] = &waiting(&driver)[..] else { panic!("{:?}", waiting(&driver)) };
    let file = home.path().join(SPOOL).join(format!("{id}.fits"));
    let mut bytes = fs::read(&file).unwrap();
    bytes[5000] ^= 1;
    fs::write(&file, bytes).unwrap();
    let heard = ask(&mut driver, "CCD_SPOOL_RESEND", id);
    assert_eq!((count(&heard, is_blob), driver.state("CCD_SPOOL_RESEND")), (0, "Alert"));
    let sentence = heard.iter().find(|element| element.tag == "message").unwrap().attribute("message");
    assert!(sentence.contains("changed or damaged") && sentence.contains(id.as_str()), "{sentence}");
    // Names that are no frames', and none that leads elsewhere.
    for nobody in ["nobody", "../../../etc/passwd", "journal", "lock"] {
        ask(&mut driver, "CCD_SPOOL_RESEND", nobody);
        ask(&mut driver, "CCD_SPOOL_DROP", nobody);
        assert_eq!((driver.state("CCD_SPOOL_RESEND"), driver.state("CCD_SPOOL_DROP")), ("Alert", "Alert"));
    }
    take(&mut driver, BRIEF);
    assert_eq!(driver.state("CCD_EXPOSURE"), "Ok");
}

#[test]
fn saved_frames_are_in_the_journal_and_stay_where_they_are() {
    let (home, folder) = (Arc::new(Folder::in_memory()), Folder::in_memory());
    let mut driver = connected_by(Start { home: Some(home.clone()), ..Start::default() });
    crate::upload::store(&mut driver, "UPLOAD_BOTH", folder.path());
    take(&mut driver, BRIEF);
    let spool = call(&mut driver, "list_spool", "{}");
    let frame = &spool["params"]["frames"][0];
    let path = folder.path().join("shot_001.fits");
    assert_eq!((frame["path"].as_str(), &frame["saved"]), (path.to_str(), &Json::Bool(true)), "{spool}");
    assert!(spooled(&home).is_empty());
    let id = frame["id"].as_str().unwrap();
    assert_eq!(fits(&fs::read(&path).unwrap()).get("FRAMEID"), id);
    assert_eq!(call(&mut driver, "drop_frame", &format!("{{\"id\":\"{id}\"}}"))["status"], 0);
    fitsverify(&path);
    assert_eq!(call(&mut driver, "list_spool", "{}")["params"]["total"], 0);
    press(&mut driver, "CCD_SPOOL", "SPOOL_OFF");
    take(&mut driver, BRIEF);
    assert_eq!(call(&mut driver, "list_spool", "{}")["params"]["total"], 0);
}

#[test]
fn a_frame_that_cannot_be_saved_is_in_the_spool() {
    let (home, folder) = (Arc::new(Folder::in_memory()), Folder::in_memory());
    fs::write(folder.path().join("file"), "").unwrap();
    let mut driver = connected_by(Start { home: Some(home.clone()), ..Start::default() });
    crate::upload::store(&mut driver, "UPLOAD_LOCAL", &folder.path().join("file"));
    let heard = take(&mut driver, BRIEF);
    assert_eq!(driver.state("CCD_EXPOSURE"), "Alert");
    let [id] = &waiting(&driver)[..] else { panic!("{:?}", waiting(&driver)) };
    let sentence = heard.iter().find(|element| element.tag == "message").unwrap().attribute("message");
    assert!(sentence.contains("a file is where a directory should be"), "{sentence}");
    assert!(sentence.contains(&format!("the spool has it as {id}")), "{sentence}");
    fitsverify(&home.path().join(SPOOL).join(format!("{id}.fits")));
}

#[test]
fn a_full_spool_gives_up_the_oldest_frames_with_a_sentence() {
    let home = Arc::new(Folder::in_memory());
    let mut driver = Driver::start(Start { home: Some(home.clone()), ..Start::default() });
    // Half a megabyte each.
    connect(&mut driver, (512, 512));
    press(&mut driver, "CCD_SPOOL", "SPOOL_ALL");
    driver.new_vector("Number", "CCD_SPOOL_LIMITS", &[("SPOOL_SIZE", "1")]);
    driver.answer_pings = false;
    take(&mut driver, BRIEF);
    let first = waiting(&driver)[0].clone();
    let heard = take(&mut driver, BRIEF);
    let warning = heard.iter().find(|element| element.tag == "message").unwrap().attribute("message");
    assert!(warning.starts_with("[WARNING] the spool was full") && warning.contains(&first), "{warning}");
    assert_eq!((waiting(&driver).len(), spooled(&home).len()), (1, 1));
    assert_eq!(driver.state("CCD_EXPOSURE"), "Ok");
}

/// Small version; every kill is at another moment of a frame's way to the disk.
#[test]
fn a_driver_killed_at_any_moment_leaves_every_frame_that_was_reported_ok() {
    let (home, folder) = (Arc::new(Folder::in_memory()), Folder::in_memory());
    let mut reported = Vec::new();
    for round in 0..12 {
        let mut driver = spooling(&home);
        let mode = ["UPLOAD_CLIENT", "UPLOAD_LOCAL", "UPLOAD_BOTH"][round % 3];
        crate::upload::store(&mut driver, mode, folder.path());
        driver.answer_pings = false;
        take(&mut driver, BRIEF);
        assert_eq!(driver.state("CCD_EXPOSURE"), "Ok");
        if mode == "UPLOAD_CLIENT" {
            reported.extend(waiting(&driver).pop());
        }
        // The next one is caught somewhere between the camera and the report.
        begin(&mut driver, BRIEF);
        driver.listen(std::time::Duration::from_millis(10 + 4 * round as u64));
        driver.signal(rustix::process::Signal::KILL);
        driver.wait(SOON);
        let found = indi_camera::host::spool::verify::verify(&home.path().join(SPOOL)).unwrap();
        assert!(found.damaged.is_empty() && found.whole > round, "{round}: {found:?}");
    }
    let listed = call(&mut spooling(&home), "list_spool", "{}").to_string();
    assert!(reported.iter().all(|id| listed.contains(id)), "{reported:?} in {listed}");
    for name in folder.list("").iter().filter(|name| name.ends_with(".fits")) {
        fitsverify(&folder.path().join(name));
    }
}
