//! What cannot be done is told in a sentence, by an exit code, and to programs in an envelope.

use crate::support::{DEVICE, Server};
use crate::{Bench, Run};

/// Runs the command with and without `--json`: the same exit code, the code of the API, and each of the words on stderr.
fn assert_refused(bench: &Bench, arguments: &[&str], exit: i32, code: &str, words: &[&str]) -> Run {
    let plain = bench.run(arguments);
    assert_eq!(plain.code(), exit, "{arguments:?}: {plain:?}");
    for word in words {
        assert!(plain.stderr.contains(word), "{word:?} is not in the answer to {arguments:?}: {plain:?}");
    }
    let json = bench.run(&[arguments, &["--json"]].concat());
    assert_eq!(json.code(), exit, "{arguments:?}: {json:?}");
    let envelope = json.envelope();
    let message = envelope["message"].as_str().unwrap();
    assert!(plain.stderr.contains("'--help'") || plain.stderr.contains(message), "{message}: {plain:?}");
    assert_eq!(envelope["status"], 1, "{envelope}");
    assert_eq!(envelope["params"]["error"]["code"], code, "{arguments:?}: {envelope}");
    assert!(
        envelope["params"]["error"]["detail"].as_str().is_some_and(|detail| !detail.is_empty()),
        "{envelope}"
    );
    plain
}

#[test]
fn wrong_arguments_are_told_before_anything_is_started() {
    let bench = Bench { reach: vec!["--driver".into(), "/nowhere/a-driver".into()], ..Bench::new() };
    for arguments in [
        &["nonsense"][..],
        &["capture"],
        &["capture", "-e", "-1"],
        &["capture", "-e", "soon"],
        &["capture", "-e", "1", "-n", "0"],
        &["capture", "-e", "1", "--type", "selfie"],
        &["capture", "-e", "1", "--roi", "1,2,3"],
        &["capture", "-e", "1", "--bin", "0"],
        &["capture", "-e", "1", "-n", "2", "--out", "one.fits"],
        &["capture", "--type", "light"],
        &["call"],
        &["call", "polling", "{"],
        &["call", "polling", "[1]"],
        &["get"],
        &["set"],
        &["completions", "basic"],
    ] {
        assert_refused(&bench, arguments, 2, "invalid_value", &[]);
    }
    for (arguments, point) in [(&["get"][..], "<PATTERN>"), (&["capture", "--type", "selfie"], "light, bias")]
    {
        let envelope = bench.run(&[arguments, &["--json"]].concat()).envelope();
        let sentence = envelope["params"]["error"]["detail"].as_str().unwrap();
        assert!(sentence.contains(point) && !sentence.contains("Usage"), "{envelope}");
    }
    assert_eq!(bench.files(), [""; 0]);
}

#[test]
fn a_server_that_is_not_there_is_told_with_what_to_do() {
    let bench = Bench { reach: vec!["--server".into(), "127.0.0.1:1".into()], ..Bench::new() };
    for arguments in [
        &["scan"][..],
        &["capture", "-e", "1"],
        &["call", "polling"],
        &["get", "*"],
        &["set", "a.b.c=1"],
        &["watch"],
    ] {
        assert_refused(&bench, arguments, 3, "io", &["127.0.0.1:1", "indiserver -p 1"]);
    }
    let bench = Bench { reach: vec!["--driver".into(), "/nowhere/a-driver".into()], ..Bench::new() };
    assert_refused(&bench, &["scan"], 3, "io", &["/nowhere/a-driver"]);
    let bench = Bench { reach: vec!["--driver".into(), "false".into()], ..Bench::new() };
    let run = bench.run(&["scan"]);
    assert_eq!(run.code(), 3, "{run:?}");
    assert_eq!(bench.files(), [""; 0]);
}

#[test]
fn an_unknown_camera_is_told_with_those_that_there_are() {
    let server = Server::simulators(2);
    let bench = Bench::at(&server);
    let both = [DEVICE, "Camera Simulator 2"];
    let quick = ["--timeout", "2", "--camera", "Nobody"];
    assert_refused(&bench, &[&quick[..], &["capture", "-e", "1"]].concat(), 4, "not_connected", &both);
    assert_refused(&bench, &["capture", "-e", "1"], 2, "invalid_value", &[both[0], both[1], "--camera"]);
    assert_eq!(bench.files(), [""; 0]);
    let run = bench.done(&["--camera", both[1], "capture", "-e", "0.01", "--roi", "0,0,64,48", "--json"]);
    assert_eq!(run.envelope()["params"]["pictures"][0]["camera"], both[1]);
}

#[test]
fn what_the_camera_cannot_be_set_to_is_refused_and_nothing_is_written() {
    let bench = Bench::new();
    let cases = [
        (&["-e", "1e6"][..], &["exposure", "1000000", "3600"][..]),
        (&["-e", "1", "--gain", "100000"], &["CCD_GAIN.GAIN", "100000", "0 to 300"]),
        (&["-e", "1", "--roi", "1200,0,400,300"], &["1200"]),
        (&["-e", "1", "--bin", "50"], &["50"]),
        (&["-e", "1", "--cool-to", "-200"], &["-200"]),
    ];
    for (wish, words) in cases {
        assert_refused(&bench, &[&["capture"], wish].concat(), 1, "out_of_range", words);
    }
    assert_eq!(bench.files(), [""; 0]);
}

#[test]
fn a_place_that_cannot_be_written_is_told_before_the_exposure() {
    let bench = Bench::new();
    std::fs::write(bench.folder.path().join("file"), "mine").unwrap();
    let run = assert_refused(
        &bench,
        &["capture", "-e", "600", "--out", "file/x.fits"],
        1,
        "io",
        &["file", "--out"],
    );
    assert_eq!(run.stdout, "");
}
