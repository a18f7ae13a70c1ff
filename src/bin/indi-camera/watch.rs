//! `indi-camera watch`: what a device says, as it says it. A table in a terminal, lines elsewhere.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, IsTerminal};
use std::time::Duration;

use indi_camera::camera::answer::{Answer, Code};
use indi_camera::client::{Device, Element, ElementValue, Link, Mirror, Server, Vector};
use indi_camera::wire::State;
use serde::Serialize;
use serde_json::{Map, Value as Json};
use tokio::time::{Instant, sleep_until};

use super::arguments::{Reach, Watch};
use super::fault::{Exit, Fault};
use super::get::{appear, nothing};
use super::names::means;
use super::outcome::{Outcome, print, tell};
use super::terminal;
use super::values::{json, line, state, text};

/// The table is drawn anew this often at most: nobody reads faster.
const REFRESH: Duration = Duration::from_millis(100);
/// Sentences below the table.
const SENTENCES: usize = 4;

/// What the lines of `--json` have in their `params`.
#[derive(Serialize)]
struct Change<'a> {
    device: &'a str,
    property: &'a str,
    state: &'a str,
    values: Map<String, Json>,
}

#[derive(Serialize)]
struct Said<'a> {
    device: &'a str,
    message: &'a str,
}

pub(super) async fn run(reach: &Reach, server: &Server, asked: &Watch, json: bool) -> Result<Outcome, Fault> {
    let patterns = if asked.patterns.is_empty() {
        vec![reach.camera(server).await?.name().to_owned()]
    } else {
        asked.patterns.clone()
    };
    let live = !json && io::stdout().is_terminal();
    let mut view = View { patterns: patterns.clone(), json, live, told: HashMap::new(), found: false };
    let screen = live.then(Screen::open);
    let watching = async {
        tokio::select! {
            ended = view.follow(server) => ended,
            // On a screen it stands below.
            fault = missing(reach, server, &patterns), if !live => fault,
        }
    };
    let watched = match asked.seconds {
        Some(limit) => tokio::time::timeout(limit, watching).await.unwrap_or(Ok(())),
        None => watching.await,
    };
    drop(screen);
    watched?;
    match patterns.first() {
        Some(pattern) if !view.found => Err(server.look(|mirror| nothing(mirror, pattern))),
        _ => Ok(Outcome::silent()),
    }
}

/// Says which patterns mean nothing of all that there is. It may come yet, with a camera or a driver, so it is waited
/// for: returns only when the server is gone.
async fn missing(reach: &Reach, server: &Server, patterns: &[String]) -> Result<(), Fault> {
    let is_there = |mirror: &Mirror, pattern: &String| {
        let pattern = std::slice::from_ref(pattern);
        let shown = |device: &Device| device.vectors().iter().any(|vector| shows(pattern, device, vector));
        mirror.devices().iter().any(shown)
    };
    appear(server, reach.timeout, |mirror| patterns.iter().all(|pattern| is_there(mirror, pattern))).await?;
    for pattern in patterns.iter().filter(|pattern| !server.look(|mirror| is_there(mirror, pattern))) {
        let fault = server.look(|mirror| nothing(mirror, pattern));
        let sentence = format!("{} yet; it is waited for", fault.sentence);
        tell(&format!("indi-camera: {}", Fault { sentence, ..fault }));
    }
    std::future::pending().await
}

/// Whether one of the patterns means the vector, or an element of it.
fn shows(patterns: &[String], device: &Device, vector: &Vector) -> bool {
    let means = |name: &str| patterns.iter().any(|pattern| means(pattern, name));
    let element = |element: &Element| format!("{}.{}.{}", device.name(), vector.name, element.name);
    vector.elements.iter().map(element).any(|name| means(&name))
}

struct View {
    patterns: Vec<String>,
    json: bool,
    live: bool,
    /// The line that was last printed of each property that is there.
    told: HashMap<String, String>,
    /// One of the patterns has meant something.
    found: bool,
}

impl View {
    /// Until the server is gone for good. One that was lost is tried again for a while.
    async fn follow(&mut self, server: &Server) -> Result<(), Fault> {
        let mut mirror = server.watch();
        let mut shown = 0;
        let mut missed = None;
        loop {
            let now = {
                let mirror = mirror.borrow_and_update();
                let lost = match mirror.link() {
                    Link::Closed { why } => return Err(gone(server, why)),
                    Link::Lost { why } => {
                        Some(format!("{} is gone: {why}; it is tried again", server.address()))
                    }
                    Link::Connecting | Link::Up { .. } => None,
                };
                print(&if self.live {
                    self.table(&mirror, lost.as_deref())
                } else {
                    self.lines(&mirror, shown)
                });
                if let (Some(lost), false) = (&lost, self.live || lost == missed) {
                    tell(&format!("indi-camera: {lost}"));
                }
                missed = lost;
                mirror.sequence()
            };
            shown = now;
            let pause = Instant::now() + if self.live { REFRESH } else { Duration::ZERO };
            if mirror.changed().await.is_err() {
                return Ok(());
            }
            sleep_until(pause).await;
        }
    }

    fn listens_to(&self, device: &Device) -> bool {
        let name = device.name();
        self.patterns.iter().any(|pattern| means(pattern, name) || pattern.starts_with(name))
    }

    /// What has changed since `shown`. A property that is only defined again, for a client that has just come, has not.
    fn lines(&mut self, mirror: &Mirror, shown: u64) -> String {
        let mut lines = Vec::new();
        let mut before = std::mem::take(&mut self.told);
        for device in mirror.devices() {
            for sentence in device.sentences().filter(|said| said.sequence > shown && self.listens_to(device))
            {
                let said = Said { device: device.name(), message: &sentence.text };
                let plain = format!("{}: {}", device.name(), sentence.text);
                lines.push((sentence.sequence, self.either(&said, plain)));
            }
            for vector in device.vectors() {
                let name = format!("{}.{}", device.name(), vector.name);
                let told = before.remove(&name);
                if told.is_none() && !shows(&self.patterns, device, vector) {
                    continue;
                }
                let again = |told: &String| {
                    vector.sequence <= shown || (vector.set_sequence <= shown && *told == line(vector))
                };
                if let Some(told) = told.filter(again) {
                    self.told.insert(name, told);
                    continue;
                }
                let now = line(vector);
                let plain = format!("{}.{now}", device.name());
                self.told.insert(name, now);
                let values =
                    vector.elements.iter().map(|element| (element.name.clone(), json(&element.value)));
                let change = Change {
                    device: device.name(),
                    property: &vector.name,
                    state: state(vector.state),
                    values: values.collect(),
                };
                lines.push((vector.sequence, self.either(&change, plain)));
            }
        }
        self.found |= !self.told.is_empty();
        lines.sort_by_key(|(sequence, _)| *sequence);
        lines.into_iter().fold(String::new(), |mut all, (_, line)| {
            let _ = writeln!(all, "{line}");
            all
        })
    }

    fn either(&self, change: &impl Serialize, plain: String) -> String {
        if self.json { serde_json::to_string(&Answer::done("", change)).unwrap_or_default() } else { plain }
    }

    /// The whole screen.
    fn table(&mut self, mirror: &Mirror, lost: Option<&str>) -> String {
        let (columns, rows) = terminal::size();
        let mut lines = Vec::new();
        let mut said = Vec::new();
        for device in mirror.devices() {
            let vectors: Vec<&Vector> =
                device.vectors().iter().filter(|vector| shows(&self.patterns, device, vector)).collect();
            if !vectors.is_empty() {
                lines.push(format!("\x1b[1m{}\x1b[0m", cut(device.name(), columns)));
            }
            for vector in vectors {
                lines.push(row(vector, columns));
            }
            if self.listens_to(device) {
                said.extend(device.sentences().map(|said| (said.sequence, said.text.clone())));
            }
        }
        self.found |= !lines.is_empty();
        if lines.is_empty() {
            lines.push(cut(
                &format!("there is nothing by the name of {} yet", self.patterns.join(", ")),
                columns,
            ));
        }
        said.sort();
        let older = said.len().saturating_sub(SENTENCES);
        let space = rows.saturating_sub(said.len() - older + 2).max(1);
        if lines.len() > space {
            let hidden = lines.len() - space + 1;
            lines.truncate(space - 1);
            lines.push(format!("… {hidden} more; name a pattern to see them"));
        }
        lines.extend(said[older..].iter().map(|(_, text)| cut(text, columns)));
        lines.push(cut(lost.unwrap_or("Ctrl-C ends"), columns));
        // Line by line over what stands there, and nothing flickers.
        let mut screen = String::from("\x1b[H");
        for line in &lines {
            let _ = write!(screen, "{line}\x1b[K\r\n");
        }
        screen + "\x1b[J"
    }
}

fn gone(server: &Server, why: &str) -> Fault {
    let sentence = format!("{} is gone: {why}", server.address());
    Fault::new(Exit::Unreachable, Code::Disconnected, sentence)
}

/// A screen of its own, which leaves what was there before as it was.
struct Screen;

impl Screen {
    fn open() -> Screen {
        print("\x1b[?1049h\x1b[?25l");
        Screen
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        print("\x1b[?25h\x1b[?1049l");
    }
}

/// One property, in the colour of its state.
fn row(vector: &Vector, columns: usize) -> String {
    let colour = match vector.state {
        State::Idle => "\x1b[90m",
        State::Ok => "\x1b[32m",
        State::Busy => "\x1b[33m",
        State::Alert => "\x1b[31m",
    };
    let words = |element: &Element| match &element.value {
        // Of switches those that are on say it all.
        ElementValue::Switch(on) => on.then(|| element.name.clone()),
        value => Some(format!("{} {}", element.name, text(value))),
    };
    let values = vector.elements.iter().filter_map(words).collect::<Vec<_>>().join(" · ");
    let line = cut(&format!("  {:<24} {values}", vector.name), columns.saturating_sub(2));
    format!("{colour}●\x1b[0m{line}")
}

/// At most that many characters, without those that would move the cursor.
fn cut(text: &str, columns: usize) -> String {
    let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    clean.take(columns).collect()
}
