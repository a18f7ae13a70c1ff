//! What went wrong, for three readers: a person (a sentence and what to do next), a script (the exit code), and a
//! program (the code of the Camera API).

use std::fmt;
use std::process::ExitCode;

use indi_camera::camera::answer::Code;
use indi_camera::client::ClientError;

/// Why the tool ends without having done what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) exit: Exit,
    pub(super) code: Code,
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
    /// Nobody there, or no longer.
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

impl From<Code> for Exit {
    /// Of an answer, which has nothing else to tell by.
    fn from(code: Code) -> Exit {
        match code {
            Code::Timeout => Exit::Late,
            Code::Disconnected => Exit::Unreachable,
            _ => Exit::Failed,
        }
    }
}

impl Fault {
    pub(super) fn new(exit: Exit, code: Code, sentence: impl Into<String>) -> Fault {
        Fault { exit, code, sentence: sentence.into(), advice: None }
    }

    /// Wrong arguments, also those that only the camera's own limits tell.
    pub(super) fn usage(sentence: impl Into<String>) -> Fault {
        Fault::new(Exit::Usage, Code::InvalidValue, sentence)
    }

    /// A file or a disk.
    pub(super) fn disk(sentence: impl Into<String>) -> Fault {
        Fault::new(Exit::Failed, Code::Io, sentence)
    }

    /// No such camera, property or element.
    pub(super) fn unknown(sentence: impl Into<String>) -> Fault {
        Fault::new(Exit::Unknown, Code::NotSupported, sentence)
    }

    /// The same, and what was going on.
    pub(super) fn during(mut self, what: &str) -> Fault {
        self.sentence = format!("{what}: {}", self.sentence);
        self
    }

    /// The same with something to do next.
    pub(super) fn advise(mut self, advice: impl Into<String>) -> Fault {
        self.advice = Some(advice.into());
        self
    }
}

impl From<ClientError> for Fault {
    fn from(error: ClientError) -> Fault {
        let exit = match error {
            ClientError::Unreachable { .. } => Exit::Unreachable,
            ClientError::NoSuchDevice { .. } => Exit::Unknown,
            _ => error.code().into(),
        };
        let code = error.code();
        let advice = match &error {
            ClientError::Unreachable { address, .. } => Some(format!(
                "Is there a server? Start one with \"indiserver indi_camera_simulator_ccd\", say where it is with \
                 --server host:port (not {address}), or leave --server away to use the simulated camera."
            )),
            ClientError::NoSuchDevice { .. } => Some("\"indi-camera scan\" lists the cameras.".to_owned()),
            ClientError::NotConnected { device } => {
                Some(format!("Connect it: indi-camera … set '{device}.CONNECTION.CONNECT=On'"))
            }
            ClientError::Timeout { .. } => Some("--timeout SECONDS gives it more time.".to_owned()),
            _ => None,
        };
        Fault { exit, code, sentence: error.to_string(), advice }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_ends_the_process_as_the_same_error_does() {
        for (code, exit) in [
            (Code::Timeout, Exit::Late),
            (Code::Disconnected, Exit::Unreachable),
            (Code::NotConnected, Exit::Failed),
            (Code::Hardware, Exit::Failed),
        ] {
            assert_eq!(Exit::from(code), exit, "{code:?}");
            let error = ClientError::Answered { code, message: "no".to_owned() };
            assert_eq!(Fault::from(error).exit, exit, "{code:?}");
        }
    }
}
