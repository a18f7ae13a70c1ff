//! What a command has to say in the end, to people and to programs.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::fault::Fault;

/// The result of a command.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// As the Camera API has it: 0 done, 1 error, 2 warning.
    status: u8,
    message: String,
    params: Map<String, Value>,
    /// The same for people; whole lines.
    text: String,
}

impl Answer {
    /// Done, in a few words.
    pub(super) fn new(message: impl Into<String>) -> Answer {
        Answer { status: 0, message: message.into(), params: Map::new(), text: String::new() }
    }

    /// One more result.
    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Answer {
        self.params.insert(name.to_owned(), value.into());
        self
    }

    /// What a person gets to read: whole lines.
    pub(super) fn text(mut self, text: impl Into<String>) -> Answer {
        self.text = text.into();
        self
    }

    /// Prints it.
    pub(super) fn print(&self, json: bool) {
        let envelope = json!({"status": self.status, "message": self.message, "params": self.params});
        print(&if json { format!("{envelope}\n") } else { self.text.clone() });
    }
}

impl Fault {
    /// Prints it: an envelope where one is expected, and in any case a sentence for whoever looks at the terminal.
    pub(super) fn print(&self, json: bool) {
        if json {
            let error = json!({"code": self.code, "detail": self.sentence});
            let envelope = json!({"status": 1, "message": self.to_string(), "params": {"error": error}});
            print(&format!("{envelope}\n"));
        }
        // Nobody is left to hear that nobody hears it.
        let _ = writeln!(io::stderr(), "indi-camera: {self}");
    }
}

/// To stdout. A reader that has seen enough (`head`) is no failure.
pub(super) fn print(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
