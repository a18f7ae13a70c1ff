//! What a command has to say in the end, to people and to programs.

use std::io::{self, IsTerminal, Write};

use indi_camera::camera::answer::{Answer, Code, Reason, Status};
use serde::Serialize;

use super::fault::Fault;

/// The result of a command.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    /// For programs.
    answer: Answer,
    /// For people; whole lines.
    text: String,
    /// Nothing is left to be printed.
    said: bool,
}

impl Outcome {
    /// Done. `result` has fields.
    pub(super) fn done(
        message: impl Into<String>,
        result: &impl Serialize,
        text: impl Into<String>,
    ) -> Outcome {
        Outcome { answer: Answer::done(message, result), text: text.into(), said: false }
    }

    /// The answer of a call, which people get to read as it is.
    pub(super) fn verbatim(answer: Answer) -> Outcome {
        let text = lines(&answer, true);
        Outcome { answer, text, said: false }
    }

    /// Done, and everything has been said on the way.
    pub(super) fn silent() -> Outcome {
        Outcome { answer: Answer::done("", &()), text: String::new(), said: true }
    }

    /// The same, but it is a failure: the exit code will say so.
    pub(super) fn failed(self, code: Code, detail: impl Into<String>) -> Outcome {
        Outcome { answer: self.answer.because(code, detail), ..self }
    }

    /// Prints it.
    pub(super) fn print(&self, json: bool) {
        if !self.said {
            print(&if json { lines(&self.answer, false) } else { self.text.clone() });
        }
    }

    /// Whether it is a failure after all.
    pub(super) fn failure(&self) -> Option<Reason> {
        if self.answer.status == Status::Error { self.answer.reason() } else { None }
    }
}

impl Fault {
    /// Prints it: an envelope where one is expected, and in any case a sentence for whoever looks at the terminal.
    pub(super) fn print(&self, json: bool) {
        if json {
            let answer = Answer { message: self.to_string(), ..Answer::failed(self.code, &*self.sentence) };
            print(&lines(&answer, false));
        }
        tell(&format!("indi-camera: {self}"));
    }
}

/// Envelopes as lines: for people, who pipe nothing into a program, with one field per line.
fn lines(answer: &Answer, for_people: bool) -> String {
    let text = if for_people && io::stdout().is_terminal() {
        serde_json::to_string_pretty(answer)
    } else {
        serde_json::to_string(answer)
    };
    // A value that JSON does not know is not in an answer.
    text.unwrap_or_default() + "\n"
}

/// To stdout. A reader that has seen enough (`head`) is no failure.
pub(super) fn print(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// One line to stderr. Nobody is left to hear that nobody hears it.
pub(super) fn tell(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
