//! Help, completions, the manual, and what a terminal gets to see.

use std::process::Stdio;

use crate::support::{Folder, Process};
use crate::{Bench, CORNER, PATIENCE, TOOL};

const COMMANDS: [&str; 10] =
    ["scan", "capture", "call", "watch", "get", "set", "spool", "rerun", "completions", "man"];
/// Commands of a command, each with a page of its own, and one for their help.
const INNER: [&str; 4] = ["list", "resend", "drop", "verify"];

#[test]
fn help_completions_and_manual_know_every_command() {
    let bench = Bench::new();
    let help = bench.done(&["--help"]).stdout;
    let manual = bench.done(&["man"]).stdout;
    for command in COMMANDS {
        assert!(help.contains(&format!("\n  {command} ")), "{command} is not in the help");
        assert!(manual.contains(&format!("indi\\-camera\\-{command}(1)")), "{command} is not in the manual");
    }
    assert!(help.contains("130  interrupted") && manual.contains(".TH"), "{help}");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = bench.done(&["completions", shell]).stdout;
        assert!(script.contains("capture") && script.contains("cool-to"), "{shell}: {script}");
    }
    bench.done(&["man", "--out", "pages"]);
    let pages = bench.folder.list("pages");
    assert!(
        pages.contains(&"indi-camera.1".to_owned()) && pages.contains(&"indi-camera-capture.1".to_owned())
    );
    for command in INNER {
        assert!(pages.contains(&format!("indi-camera-spool-{command}.1")), "{pages:?}");
    }
    assert_eq!(
        pages.iter().filter(|page| !page.starts_with("indi-camera-spool-")).count(),
        COMMANDS.len() + 1
    );
}

#[test]
fn every_command_says_examples() {
    let bench = Bench::new();
    for command in &COMMANDS[..8] {
        let help = bench.done(&[command, "--help"]).stdout;
        assert!(help.contains("Examples:\n    indi-camera"), "{help}");
    }
}

/// What the tool shows on a terminal of 100 columns and 40 rows, with everything that moves the cursor still in it.
fn on_a_terminal(bench: &Bench, arguments: &str, colours: &str) -> String {
    let words = Folder::in_memory();
    let record = words.path().join("record");
    // script is a terminal for what it runs.
    let run = format!("stty cols 100 rows 40; exec {TOOL} {arguments}");
    let mut command = bench.command(&[]);
    let mut script = std::process::Command::new("script");
    script.args(["--quiet", "--return", "--command", &run]).arg(&record);
    script.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    script.current_dir(bench.folder.path()).env("COLORTERM", colours).env("TERM", "xterm-256color");
    script.env_remove("NO_COLOR").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.stdin(Stdio::null());
    let mut process = Process::spawn(&mut script).expect("script of util-linux is there");
    let status = process.wait(PATIENCE).expect("it ends");
    let shown = std::fs::read_to_string(&record).unwrap();
    assert!(status.success(), "{shown}");
    shown
}

#[test]
fn a_terminal_shows_how_it_goes_and_the_picture() {
    let bench = Bench::new();
    let capture = format!("capture -e 1 --show --roi {CORNER}");
    let shown = on_a_terminal(&bench, &capture, "truecolor");
    for said in ["exposing, ", " s left", " °C", "looking at the picture", "capture_001.fits"] {
        assert!(shown.contains(said), "{said} is not in {shown}");
    }
    let lines: Vec<&str> = shown.lines().filter(|line| line.contains('▀')).collect();
    let widths: Vec<usize> = lines.iter().map(|line| line.matches('▀').count()).collect();
    assert!(lines.len() > 10 && lines.len() <= 40, "{} lines", lines.len());
    assert!(widths.iter().all(|width| *width == widths[0] && (30..=100).contains(width)), "{widths:?}");
    assert!(lines[0].contains("\x1b[38;2;"), "{}", lines[0]);
    let piped = bench.done(&["capture", "-e", "1", "--show", "--roi", CORNER]);
    assert!(piped.stderr.contains("no terminal") && !piped.stdout.contains('▀'), "{piped:?}");
    let shown = on_a_terminal(&bench, &capture, "");
    assert!(shown.contains("24-bit colours") && !shown.contains('▀'), "{shown}");
}

#[test]
fn watching_on_a_terminal_leaves_the_screen_as_it_was() {
    let shown = on_a_terminal(&Bench::new(), "watch --seconds 0.5", "");
    let (enter, leave) = (shown.find("\x1b[?1049h").unwrap(), shown.find("\x1b[?1049l").unwrap());
    let table = shown.find("CCD_FRAME ").unwrap();
    assert!(enter < table && table < leave, "{shown}");
}
