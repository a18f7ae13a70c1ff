//! One end of an INDI stream, in elements, with a mirror of all that was said.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::time::Duration;

use super::element::{Blob, Element};
use super::stream::Stream;
use super::{Limit, SOON};

/// Elements kept for the report of a failure.
const REMEMBERED: usize = 40;

/// What is known of one vector.
#[derive(Clone, Debug, Default)]
pub struct Vector {
    /// `Text`, `Number`, `Switch`, `Light` or `BLOB`.
    pub kind: String,
    /// The last state told.
    pub state: String,
    /// Attributes of the definition.
    pub attributes: BTreeMap<String, String>,
    /// The last value of each element; empty for BLOBs.
    pub values: BTreeMap<String, String>,
}

/// One end of the stream.
pub struct Peer {
    stream: Stream,
    device: String,
    vectors: BTreeMap<(String, String), Vector>,
    /// Every `message` heard, newest last.
    pub messages: Vec<String>,
    /// Answer `pingRequest`, as indiserver does. On to begin with.
    pub answer_pings: bool,
    history: VecDeque<String>,
    log: Option<PathBuf>,
}

impl Peer {
    /// Over any two stream descriptors, or the same one twice. They become non-blocking.
    pub fn new(input: OwnedFd, output: OwnedFd, device: String) -> Peer {
        Peer {
            stream: Stream::new(input, output),
            device,
            vectors: BTreeMap::new(),
            messages: Vec::new(),
            answer_pings: true,
            history: VecDeque::new(),
            log: None,
        }
    }

    /// Shows this file too when something goes wrong.
    pub fn with_log(mut self, log: PathBuf) -> Peer {
        self.log = Some(log);
        self
    }

    /// Speaks of another device from now on.
    pub fn address(&mut self, device: &str) {
        device.clone_into(&mut self.device);
    }

    /// Sends text as it is.
    pub fn send(&mut self, text: &str) {
        assert!(self.stream.send(text.as_bytes()), "nobody reads any more\n{}", self.report());
    }

    /// Sends bytes as they are; `false` when the other side has gone.
    pub fn try_send(&mut self, bytes: &[u8]) -> bool {
        self.stream.send(bytes)
    }

    /// Sends text with descriptors beside it, as an old server does with a client's BLOB.
    pub fn send_with(&mut self, text: &str, fds: &[BorrowedFd<'_>]) {
        assert!(self.stream.send_with(text.as_bytes(), fds), "nobody reads any more\n{}", self.report());
    }

    /// Asks for new values, `kind` being `Text`, `Number` or `Switch`.
    pub fn new_vector(&mut self, kind: &str, name: &str, values: &[(&str, &str)]) {
        let mut text = format!("<new{kind}Vector device=\"{}\" name=\"{name}\">\n", self.device);
        for (element, value) in values {
            writeln!(text, "<one{kind} name=\"{element}\">{value}</one{kind}>").unwrap();
        }
        writeln!(text, "</new{kind}Vector>").unwrap();
        self.send(&text);
    }

    /// No more input for the other side; reading goes on.
    pub fn close_output(&mut self) {
        self.stream.close_output();
    }

    /// Nobody reads any more what the other side says.
    pub fn close_input(&mut self) {
        self.stream.close_input();
    }

    /// Nothing more in either direction.
    pub fn close(&mut self) {
        self.stream.close();
    }

    /// Whether the other side has said its last word, and we have heard it.
    pub fn at_end(&self) -> bool {
        self.stream.ended() && self.stream.unfinished().trim_ascii().is_empty()
    }

    /// Whether the other side has hung up, and no whole element is left to be heard.
    pub fn has_ended(&mut self) -> bool {
        self.stream.ended() && !self.stream.has_element()
    }

    /// The next element, or a panic when none comes in time.
    pub fn next_element(&mut self, patience: Duration) -> Element {
        let element = self.poll_element(patience);
        element.unwrap_or_else(|| panic!("no element within {patience:?}\n{}", self.report()))
    }

    /// The next element; `None` when the time is up or the stream has ended.
    pub fn poll_element(&mut self, patience: Duration) -> Option<Element> {
        self.stream.receive(patience).map(|raw| self.take_in(&raw))
    }

    /// Reads on until an element is the wanted one.
    pub fn until(&mut self, mut wanted: impl FnMut(&Element) -> bool, patience: Duration) -> Element {
        let limit = Limit::after(patience);
        loop {
            let left = limit.left().unwrap_or_default();
            let Some(element) = self.poll_element(left) else {
                panic!("the wanted element did not come within {patience:?}\n{}", self.report())
            };
            if wanted(&element) {
                return element;
            }
        }
    }

    /// Reads on until what is known satisfies a condition; reads nothing when it does already.
    pub fn wait_for(&mut self, condition: impl Fn(&Peer) -> bool, patience: Duration) {
        let limit = Limit::after(patience);
        while !condition(self) {
            let left = limit.left().unwrap_or_default();
            if self.poll_element(left).is_none() {
                panic!("the awaited state did not come within {patience:?}\n{}", self.report());
            }
        }
    }

    /// Reads whatever comes in this time, which is how one shows that something does *not* come.
    pub fn listen(&mut self, time: Duration) -> Vec<Element> {
        let limit = Limit::after(time);
        std::iter::from_fn(|| self.poll_element(limit.left()?)).collect()
    }

    /// The last value of an element of our device.
    pub fn get(&self, vector: &str, element: &str) -> Option<&str> {
        self.vector(vector)?.values.get(element).map(String::as_str)
    }

    /// The same as a number.
    pub fn number(&self, vector: &str, element: &str) -> f64 {
        let text =
            self.get(vector, element).unwrap_or_else(|| panic!("no {vector}.{element}\n{}", self.report()));
        text.parse().unwrap_or_else(|_| panic!("{vector}.{element} is {text:?}\n{}", self.report()))
    }

    /// The last state of a vector of our device; empty when it is not defined.
    pub fn state(&self, vector: &str) -> &str {
        self.vector(vector).map_or("", |vector| vector.state.as_str())
    }

    /// All that is known of a vector of our device.
    pub fn vector(&self, name: &str) -> Option<&Vector> {
        self.vectors.get(&(self.device.clone(), name.to_owned()))
    }

    /// Names of the vectors of our device, sorted.
    pub fn names(&self) -> Vec<&str> {
        let ours = self.vectors.keys().filter(|(device, _)| *device == self.device);
        ours.map(|(_, name)| name.as_str()).collect()
    }

    /// Connects the camera and waits until an exposure can be asked for.
    pub fn connect(&mut self) {
        self.send("<getProperties version=\"1.7\"/>\n");
        self.wait_for(|peer| peer.vector("CONNECTION").is_some(), SOON);
        self.new_vector("Switch", "CONNECTION", &[("CONNECT", "On")]);
        let connected = |peer: &Peer| {
            (peer.state("CONNECTION"), peer.get("CONNECTION", "CONNECT")) == ("Ok", Some("On"))
                && peer.vector("CCD_EXPOSURE").is_some()
                && peer.vector("CCD1").is_some()
        };
        self.wait_for(connected, SOON);
    }

    /// Takes one frame and reads until the exposure has ended well.
    pub fn expose(&mut self, seconds: f64) -> Blob {
        self.new_vector("Number", "CCD_EXPOSURE", &[("CCD_EXPOSURE_VALUE", &seconds.to_string())]);
        let patience = SOON + Duration::from_secs_f64(seconds);
        let is_end = |element: &Element| {
            let failed =
                element.is("setNumberVector", "CCD_EXPOSURE") && element.attribute("state") == "Alert";
            failed || element.is("setBLOBVector", "CCD1")
        };
        let end = self.until(is_end, patience);
        assert_eq!(end.tag, "setBLOBVector", "the exposure failed\n{}", self.report());
        self.wait_for(|peer| peer.state("CCD_EXPOSURE") != "Busy", SOON);
        assert_eq!(self.state("CCD_EXPOSURE"), "Ok", "{}", self.report());
        end.blob()
    }

    /// Descriptors that came and that no element has claimed.
    pub fn unclaimed_fds(&self) -> usize {
        self.stream.fds.len()
    }

    /// What was heard last, and the log where there is one.
    pub fn report(&self) -> String {
        let mut text = String::from("heard last:\n");
        for line in &self.history {
            writeln!(text, "  {line}").unwrap();
        }
        let unfinished = self.stream.unfinished();
        if !unfinished.is_empty() {
            let start = String::from_utf8_lossy(&unfinished[..unfinished.len().min(200)]);
            writeln!(text, "unfinished: {start}").unwrap();
        }
        let log = self.log.as_ref().and_then(|path| std::fs::read(path).ok()).unwrap_or_default();
        writeln!(text, "ended: {}; log:\n{}", self.stream.ended(), String::from_utf8_lossy(&log)).unwrap();
        text
    }

    fn take_in(&mut self, raw: &[u8]) -> Element {
        let raw = std::str::from_utf8(raw).unwrap_or_else(|_| panic!("not UTF-8\n{}", self.report()));
        let line: String =
            raw.chars().take(400).collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ");
        self.history.push_back(line);
        if self.history.len() > REMEMBERED {
            self.history.pop_front();
        }
        let mut element = Element::parse(raw).unwrap_or_else(|error| panic!("{error}\n{}", self.report()));
        for child in &mut element.children {
            if child.attribute("attached") == "true" {
                child.fd = self.stream.fds.pop_front();
                assert!(child.fd.is_some(), "attached, but no descriptor came\n{}", self.report());
            }
        }
        self.mirror(&element);
        if element.tag == "pingRequest" && self.answer_pings {
            let reply = format!("<pingReply uid=\"{}\"/>\n", element.attribute("uid"));
            // A driver that ends while we answer is a matter for `wait`.
            let _ = self.stream.send(reply.as_bytes());
        }
        element
    }

    fn mirror(&mut self, element: &Element) {
        let key = (element.attribute("device").to_owned(), element.attribute("name").to_owned());
        if let Some(message) = element.attributes.get("message") {
            self.messages.push(message.clone());
        }
        let kind = element.tag.get(3..).and_then(|tag| tag.strip_suffix("Vector"));
        match (element.tag.get(..3), kind) {
            (Some("def"), Some(kind)) => {
                let attributes = element.attributes.clone();
                let vector = Vector { kind: kind.to_owned(), attributes, ..Vector::default() };
                self.vectors.insert(key.clone(), vector);
            }
            (Some("set"), Some(_)) => {}
            (Some("del"), None) if element.tag == "delProperty" => {
                self.vectors
                    .retain(|(device, name), _| *device != key.0 || !(key.1.is_empty() || *name == key.1));
                return;
            }
            _ => return,
        }
        let Some(vector) = self.vectors.get_mut(&key) else { return };
        if let Some(state) = element.attributes.get("state") {
            vector.state.clone_from(state);
        }
        if vector.kind != "BLOB" {
            let named = |child: &Element| (child.attribute("name").to_owned(), child.text.clone());
            vector.values.extend(element.children.iter().map(named));
        }
    }
}
