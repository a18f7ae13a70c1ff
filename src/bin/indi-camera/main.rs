//! `indi-camera`, the tool for people: cameras from the shell, by the client library.
//!
//! Each command is a file of its own and gives an [`Outcome`](outcome::Outcome) or a [`Fault`](fault::Fault), which
//! this file prints. [`arguments`] is the definition of the command line, and [`reach`] finds the camera.
#![warn(clippy::pedantic)]
#![allow(clippy::cast_precision_loss, clippy::doc_markdown, reason = "as in the library")]

mod arguments;
mod call;
mod capture;
mod fault;
mod files;
mod get;
mod manual;
mod names;
mod outcome;
mod picture;
mod progress;
mod reach;
mod report;
mod rerun;
mod scan;
mod set;
mod spool;
mod stop;
mod terminal;
mod values;
mod watch;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use indi_camera::client::Server;

use arguments::{Arguments, Command, Spool};
use fault::{Exit, Fault};
use outcome::Outcome;
use stop::Stop;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return explain(&error),
    };
    // A call is answered by an envelope, whoever asks.
    let json = arguments.json || matches!(arguments.command, Command::Call(_));
    match run(&arguments) {
        Ok(outcome) => {
            outcome.print(arguments.json);
            outcome.failure().map_or(ExitCode::SUCCESS, |reason| Exit::from(reason.code).into())
        }
        Err(fault) => {
            fault.print(json);
            fault.exit.into()
        }
    }
}

/// Help, version, or what is wrong with the arguments.
fn explain(error: &clap::Error) -> ExitCode {
    let is_fault = error.use_stderr() && error.kind() != ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if is_fault && std::env::args_os().any(|argument| argument == "--json") {
        let text = error.render().to_string();
        // What is missing, or what would be right, stands below the sentence; an empty line ends it.
        let sentence: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
        let sentence = sentence.join(" ");
        let sentence = sentence.trim_start_matches("error: ");
        Fault::usage(sentence).advise("indi-camera --help says what can be asked.").print(true);
    } else {
        // Nobody is left to hear that nobody hears it.
        let _ = error.print();
    }
    ExitCode::from(if error.use_stderr() { 2 } else { 0 })
}

fn run(arguments: &Arguments) -> Result<Outcome, Fault> {
    match &arguments.command {
        Command::Completions { shell } => return Ok(manual::completions(*shell)),
        Command::Rerun { file, quiet } => return rerun::run(file, *quiet || arguments.json),
        Command::Man { out } => return manual::man(out.as_deref()),
        Command::Spool(Spool::Verify { directory }) => return spool::verify(directory.as_deref()),
        _ => {}
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Fault::disk(format!("the runtime does not start: {error}")))?;
    runtime.block_on(at_the_camera(arguments))
}

/// Commands that need a line to a camera. However they end, what they have said to it gets there.
async fn at_the_camera(arguments: &Arguments) -> Result<Outcome, Fault> {
    let Arguments { reach, json, command } = arguments;
    let mut stop = Stop::new()?;
    if let Command::Scan = command {
        return stop.unless(scan::run(reach)).await;
    }
    // What can be wrong already is found before anything is started.
    let plan = match command {
        Command::Capture(wish) => Some(capture::Plan::new(wish, *json)?),
        Command::Call(asked) => asked.read().map(|_| None)?,
        Command::Spool(asked) => asked.check(reach).map(|()| None)?,
        _ => None,
    };
    let server = stop.unless(reach.server()).await?;
    let done = match plan {
        Some(plan) => plan.run(reach, &server, *json, &mut stop).await,
        None => stop.unless(ask(arguments, &server)).await,
    };
    let done = match done {
        // That is how it ends.
        Err(fault) if fault.exit == Exit::Interrupted && matches!(command, Command::Watch(_)) => {
            Ok(Outcome::silent())
        }
        done => done,
    };
    // Who insists does not wait for the farewell.
    let farewell = async {
        server.close().await;
        Ok(())
    };
    let _ = stop.unless(farewell).await;
    done
}

async fn ask(Arguments { reach, json, command }: &Arguments, server: &Server) -> Result<Outcome, Fault> {
    if let Command::Call(asked) = command {
        return call::run(reach, server, asked).await;
    }
    if let Command::Spool(asked) = command {
        return spool::run(reach, server, asked).await;
    }
    reach.connect_own_cameras(server).await?;
    match command {
        Command::Watch(asked) => watch::run(reach, server, asked, *json).await,
        Command::Get(asked) => get::run(reach, server, asked).await,
        Command::Set(asked) => set::run(reach, server, asked).await,
        _ => Ok(Outcome::silent()),
    }
}
