//! Completions and manual pages, made from the definition of the arguments.

use std::fs;
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;
use serde::Serialize;

use super::arguments::Arguments;
use super::fault::Fault;
use super::outcome::Outcome;

#[derive(Serialize)]
struct Page {
    text: String,
}

#[derive(Serialize)]
struct Pages {
    directory: String,
}

/// The completions of a shell.
pub(super) fn completions(shell: Shell) -> Outcome {
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "indi-camera", &mut bytes);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Outcome::done(format!("completions for {shell}"), &Page { text: text.clone() }, text)
}

/// The manual page of the tool, or all pages as files in a directory.
pub(super) fn man(directory: Option<&Path>) -> Result<Outcome, Fault> {
    let Some(directory) = directory else {
        let mut bytes = Vec::new();
        let page = clap_mangen::Man::new(Arguments::command());
        page.render(&mut bytes).map_err(|error| Fault::disk(error.to_string()))?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        return Ok(Outcome::done("manual page", &Page { text: text.clone() }, text));
    };
    let shown = directory.display().to_string();
    let cannot = |error| Fault::disk(format!("cannot write into {shown}: {error}"));
    fs::create_dir_all(directory).map_err(cannot)?;
    clap_mangen::generate_to(Arguments::command(), directory).map_err(cannot)?;
    let message = format!("manual pages written into {shown}");
    Ok(Outcome::done(message.clone(), &Pages { directory: shown }, message + "\n"))
}
