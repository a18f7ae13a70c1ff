//! Completions and manual pages, made from the definition of the arguments.

use std::fs;
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use super::answer::Answer;
use super::arguments::Arguments;
use super::fault::Fault;

/// The completions of a shell.
pub(super) fn completions(shell: Shell) -> Answer {
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "indi-camera", &mut bytes);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Answer::new(format!("completions for {shell}")).with("completions", text.clone()).text(text)
}

/// The manual page of the tool, or all pages as files in a directory.
pub(super) fn man(directory: Option<&Path>) -> Result<Answer, Fault> {
    let Some(directory) = directory else {
        let mut bytes = Vec::new();
        let page = clap_mangen::Man::new(Arguments::command());
        page.render(&mut bytes).map_err(|error| Fault::disk(error.to_string()))?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        return Ok(Answer::new("manual page").with("man", text.clone()).text(text));
    };
    let cannot = |error| Fault::disk(format!("cannot write into {}: {error}", directory.display()));
    fs::create_dir_all(directory).map_err(cannot)?;
    clap_mangen::generate_to(Arguments::command(), directory).map_err(cannot)?;
    let message = format!("manual pages written into {}", directory.display());
    Ok(Answer::new(&*message).with("directory", directory.display().to_string()).text(message + "\n"))
}
