//! `indi-camera rerun`: a recording of the flight recorder, run again.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

use indi_camera::camera::answer::Code;
use indi_camera::flight::rerun::{Summary, rerun};

use super::fault::{Exit, Fault};
use super::outcome::Outcome;

pub(super) fn run(file: &Path, quiet: bool) -> Result<Outcome, Fault> {
    let done = if quiet { rerun(file, &mut io::sink()) } else { rerun(file, &mut io::stdout().lock()) };
    let summary = done.map_err(Fault::disk)?;
    let text = told(&summary);
    if summary.differences == 0 {
        let Summary { steps, incomplete, .. } = summary;
        let result = serde_json::json!({ "steps": steps, "incomplete": incomplete, "waits": summary.waits });
        return Ok(Outcome::done("run again", &result, text));
    }
    // A person has the report already.
    let _ = io::stderr().lock().write_all(text.as_bytes());
    let sentence = format!("the device did something else in {} places", summary.differences);
    Err(Fault::new(Exit::Failed, Code::Hardware, sentence))
}

/// How it ended, for people.
fn told(summary: &Summary) -> String {
    let Summary { device, steps, differences, incomplete, end, waits, unanswered } = summary;
    let mut text = format!("{device}: {steps} inputs until {end:.3} s, {differences} differences\n");
    if *incomplete {
        text += "not everything was run again: a part of the recording is lost or damaged\n";
    }
    if let Some((call, since)) = unanswered {
        let _ = writeln!(text, "the camera has not answered {call} since {since:.3} s");
    }
    if waits.is_empty() {
        text += "it waits for nothing\n";
    }
    for (what, until) in waits {
        let _ = writeln!(text, "it waits for {what} until {until:.3} s");
    }
    text
}
