//! Frames in the spool, from a shell.

use std::fs;

use serde_json::json;

use crate::Bench;
use crate::support::{DEVICE, Server};

const SPOOL: &str = ".indi/spool/Camera Simulator";

#[test]
fn frames_are_listed_sent_again_and_dropped_through_a_server() {
    let server = Server::simulator();
    let bench = Bench::at(&server);
    bench.done(&["call", "connect"]);
    bench.done(&["set", &format!("{DEVICE}.CCD_SPOOL.SPOOL_ALL=On")]);
    bench.done(&["capture", "-e", "0.01", "--roi", "0,0,64,48"]);
    let listed = bench.done(&["spool", "list", "--json"]).envelope();
    let frame = &listed["params"]["frames"][0];
    assert_eq!((&listed["params"]["total"], &frame["saved"]), (&json!(1), &json!(false)), "{listed}");
    let id = frame["id"].as_str().unwrap();
    let shown = bench.done(&["spool", "list"]).stdout;
    assert!(shown.contains(id) && shown.contains("1 frames"), "{shown}");

    assert!(bench.done(&["spool", "resend", id]).stdout.contains("sent again"));
    let path = frame["path"].as_str().unwrap().to_owned();
    assert!(fs::exists(&path).unwrap());
    bench.done(&["spool", "drop", id]);
    assert!(!fs::exists(&path).unwrap());
    for what in ["drop", "resend"] {
        let run = bench.run(&["spool", what, id, "--json"]);
        assert_eq!(
            (run.code(), &run.envelope()["params"]["error"]["code"]),
            (1, &json!("no_frame")),
            "{what}"
        );
    }
}

#[test]
fn frames_are_sent_again_to_somebody() {
    let run = Bench::new().run(&["spool", "resend", "x"]);
    assert_eq!(run.code(), 2);
    assert!(run.stderr.contains("--server"), "{run:?}");
}

#[test]
fn where_there_is_no_spool_that_is_said_whether_there_is_a_directory_or_not() {
    let bench = Bench::new();
    let nothing_in = |arguments: &[&str], place: &str| {
        let run = bench.run(&[&["spool", "verify"], arguments].concat());
        assert_eq!(run.code(), 4, "{run:?}");
        assert!(run.stderr.contains(&format!("there is no spool in {place}")), "{run:?}");
    };
    nothing_in(&["/no/such/directory"], "/no/such/directory");
    nothing_in(&["."], ".");
    let usual = bench.folder.path().join(".indi/spool");
    nothing_in(&[], usual.to_str().unwrap());
    fs::create_dir_all(&usual).unwrap();
    nothing_in(&[], usual.to_str().unwrap());
    // What cannot be read is another matter.
    fs::write(bench.folder.path().join("file"), "no directory").unwrap();
    assert_eq!(bench.run(&["spool", "verify", "file"]).code(), 1);
}

#[test]
fn damage_is_found_without_any_driver() {
    let bench = Bench::new();
    let server = Server::simulator();
    let at = Bench::at(&server);
    at.done(&["call", "connect"]);
    at.done(&["set", &format!("{DEVICE}.CCD_SPOOL.SPOOL_ALL=On")]);
    at.done(&["capture", "-n", "2", "-e", "0.01", "--roi", "0,0,64,48", "--out", "a_XXX.fits"]);
    let listed = at.done(&["spool", "list", "--json"]).envelope();
    let path = listed["params"]["frames"][1]["path"].as_str().unwrap().to_owned();
    let spool = path.rsplit_once('/').unwrap().0.to_owned();
    assert!(spool.ends_with(SPOOL), "{spool}");

    for directory in [&*spool, spool.rsplit_once('/').unwrap().0] {
        let run = bench.done(&["spool", "verify", directory]);
        assert!(run.stdout.contains("2 of 2 frames are whole"), "{run:?}");
    }
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, bytes).unwrap();
    let run = bench.run(&["spool", "verify", &spool]);
    assert_eq!(run.code(), 1);
    assert!(run.stdout.contains(&path) && run.stdout.contains("1 of 2 frames are whole"), "{run:?}");
    fs::remove_file(&path).unwrap();
    let run = bench.run(&["spool", "verify", &spool, "--json"]);
    let found = run.envelope();
    assert_eq!((run.code(), &found["status"]), (1, &json!(1)));
    assert_eq!(found["params"]["spools"][0]["damaged"][0]["why"], "it is not there");
}
