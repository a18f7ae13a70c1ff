//! The driver's log: to stderr for indiserver, and to clients that switched DEBUG on.
//!
//! indiserver closes the stderr of a driver that writes a line of 1024 bytes or more, and every write after that
//! fails. So lines are cut, and a log that cannot be written is not an error.
//!
//! A line for clients wakes the driver's loop, in the middle of what the thread that logs it is doing: on a busy machine
//! that thread then waits for its next turn, a clock tick of 4 ms, with a frame in its hands. So there are lines below a
//! warning only while somebody wants them.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::mpsc::Sender;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{DynFilterFn, EnvFilter, LevelFilter};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

/// Longest line on stderr, newline included.
const LINE: usize = 1000;

/// Whether clients get the log.
#[derive(Clone, Debug, Default)]
pub struct Audience(Arc<AtomicBool>);

impl Audience {
    /// From now on they do, or do not.
    pub fn listens(&self, listens: bool) {
        self.0.store(listens, Ordering::Relaxed);
    }

    fn is_there(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Starts logging, with the level from `RUST_LOG` (default: warnings). Lines of the driver's own code go to `forward` too,
/// as long as there is room: warnings always, others while the audience listens. Panics are logged in the same way instead
/// of being printed.
#[must_use]
pub fn start(forward: Sender<(Level, String)>) -> Audience {
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::WARN.into()).from_env_lossy();
    let to_stderr = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .without_time()
        .log_internal_errors(false)
        .with_writer(Stderr)
        .with_filter(filter);
    // A second start, in a test, keeps the first one's log.
    let audience = Audience::default();
    let listening = audience.clone();
    let own = DynFilterFn::new(move |line, _| {
        let wanted = listening.is_there() || *line.level() <= Level::WARN;
        wanted && line.target().starts_with(env!("CARGO_CRATE_NAME"))
    });
    let to_clients = Forward { forward }.with_filter(own.with_max_level_hint(LevelFilter::DEBUG));
    let _ = tracing_subscriber::registry().with(to_stderr).with(to_clients).try_init();
    std::panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
    audience
}

#[derive(Clone, Copy)]
struct Stderr;

impl MakeWriter<'_> for Stderr {
    type Writer = Stderr;

    fn make_writer(&self) -> Stderr {
        Stderr
    }
}

impl Write for Stderr {
    /// Takes one whole event.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let _ = io::stderr().write_all(&line(event));
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One line of at most [`LINE`] bytes.
fn line(event: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(event.trim_ascii_end());
    let mut line = text.replace(['\n', '\r'], " ");
    if line.len() >= LINE {
        let end = (0..LINE).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
        line.truncate(end);
    }
    line.push('\n');
    line.into_bytes()
}

/// Sends log lines to the devices, for clients. Never waits: a line that finds no room is lost.
struct Forward {
    forward: Sender<(Level, String)>,
}

/// What a span was opened with, as lines in it show it.
struct Heading(String);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Forward {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut heading = Sentence(attributes.metadata().name().to_owned());
        attributes.record(&mut heading);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(Heading(heading.0));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut sentence = Sentence(String::new());
        event.record(&mut sentence);
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(Heading(heading)) = span.extensions().get() {
                let written = write!(sentence.0, " [{heading}]");
                debug_assert!(written.is_ok(), "a String takes everything");
            }
        }
        let _ = self.forward.try_send((*event.metadata().level(), sentence.0));
    }
}

struct Sentence(String);

impl Visit for Sentence {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let written = match (field.name(), self.0.is_empty()) {
            ("message", true) => write!(self.0, "{value:?}"),
            ("message", false) => write!(self.0, " {value:?}"),
            (name, _) => write!(self.0, " {name}={value:?}"),
        };
        debug_assert!(written.is_ok(), "a String takes everything");
    }
}

#[cfg(test)]
mod tests {
    use super::{LINE, line};

    #[test]
    fn a_line_never_reaches_the_length_at_which_indiserver_closes_stderr() {
        let long = line("ä".repeat(4000).as_bytes());
        assert!(long.len() <= LINE && long.ends_with(b"\n"), "{}", long.len());
        assert_eq!(long.split(|byte| *byte == b'\n').count(), 2);
    }

    #[test]
    fn an_event_of_several_lines_becomes_one() {
        assert_eq!(line(b"a\nb\r\nc\n"), b"a b  c\n");
    }
}
