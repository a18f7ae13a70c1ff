//! `indi-camera`, the tool for people: cameras from the shell, by the client library.
//!
//! Each command is a file of its own and gives an [`Answer`](answer::Answer) or a [`Fault`](fault::Fault), which is
//! all that this file prints. [`arguments`] is the definition of the command line.
#![warn(clippy::pedantic)]
#![allow(clippy::cast_precision_loss, clippy::doc_markdown, reason = "as in the library")]

mod answer;
mod arguments;
mod fault;
mod files;
mod manual;
mod picture;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use answer::Answer;
use arguments::{Arguments, Command};
use fault::Fault;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return explain(&error),
    };
    match run(&arguments) {
        Ok(answer) => {
            answer.print(arguments.json);
            ExitCode::SUCCESS
        }
        Err(fault) => {
            fault.print(arguments.json);
            fault.exit.into()
        }
    }
}

/// Help, version, or what is wrong with the arguments.
fn explain(error: &clap::Error) -> ExitCode {
    let is_fault = error.use_stderr() && error.kind() != ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if is_fault && std::env::args_os().any(|argument| argument == "--json") {
        let text = error.render().to_string();
        let sentence = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        Fault::usage(sentence).advise("indi-camera --help says what can be asked.").print(true);
    } else {
        // Nobody is left to hear that nobody hears it.
        let _ = error.print();
    }
    ExitCode::from(if error.use_stderr() { 2 } else { 0 })
}

fn run(arguments: &Arguments) -> Result<Answer, Fault> {
    match &arguments.command {
        Command::Completions { shell } => Ok(manual::completions(*shell)),
        Command::Man { out } => manual::man(out.as_deref()),
        _ => todo!(),
    }
}
