//! What went wrong, for three readers: a person (a sentence and what to do next), a script (the exit code), and a
//! program (the code of the Camera API).

use std::fmt;
use std::process::ExitCode;

/// Why the tool ends without having done what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) exit: Exit,
    /// Code of the Camera API.
    pub(super) code: String,
    /// One sentence without a full stop.
    pub(super) sentence: String,
    /// What to do next, where that is known: one sentence or a few lines.
    pub(super) advice: Option<String>,
}

/// How the process ends; documented in the help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// The camera, the driver or the disk refused or failed.
    Failed,
    /// Wrong arguments.
    Usage,
    /// Nobody there.
    Unreachable,
    /// No such camera, property or element.
    Unknown,
    /// Not in time.
    Late,
    /// By Ctrl-C.
    Interrupted,
    /// By a signal to terminate.
    Terminated,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Unreachable => 3,
            Exit::Unknown => 4,
            Exit::Late => 5,
            Exit::Interrupted => 130,
            Exit::Terminated => 143,
        })
    }
}

impl Fault {
    pub(super) fn new(exit: Exit, code: &str, sentence: impl Into<String>) -> Fault {
        Fault { exit, code: code.to_owned(), sentence: sentence.into(), advice: None }
    }

    /// Wrong arguments that only became apparent later than those that the parser finds.
    pub(super) fn usage(sentence: impl Into<String>) -> Fault {
        Fault::new(Exit::Usage, "invalid_value", sentence)
    }

    /// A file or a disk.
    pub(super) fn disk(sentence: impl Into<String>) -> Fault {
        Fault::new(Exit::Failed, "io", sentence)
    }

    /// No such camera, property or element.
    pub(super) fn unknown(sentence: impl Into<String>) -> Fault {
        Fault::new(Exit::Unknown, "not_supported", sentence)
    }

    pub(super) fn advise(mut self, advice: impl Into<String>) -> Fault {
        self.advice = Some(advice.into());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)?;
        match &self.advice {
            Some(advice) => write!(f, "\n{advice}"),
            None => Ok(()),
        }
    }
}
