//! What is known of the other side: devices, their vectors, what they said and what they expose. Pure: news and the
//! time come in as arguments.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::blob::{BadBlob, FrameFile};
use super::tracker::Tracker;
use super::vector::{Element, Vector, finite};
use crate::wire::State;
use crate::wire::heard::{Changes, Heard, Set, What};

/// The vector in which every INDI camera tells how its exposure goes.
pub const EXPOSURE: &str = "CCD_EXPOSURE";
/// The vector in which every INDI camera sends its frames.
pub const FRAMES: &str = "CCD1";
/// The text in which a camera of ours answers calls.
pub(super) const REPLIES: &str = "CAMERA_REPLY";

/// Sentences kept of each device.
const REMEMBERED: usize = 100;
/// Vectors kept in all: far more than any observatory has, and a limit for what a broken peer may make us hold.
const MOST_VECTORS: usize = 20_000;
/// The bit of `DRIVER_INTERFACE` that says camera.
const CAMERA_BIT: u32 = 1 << 1;

/// Everything that is known.
#[derive(Debug, Default)]
pub struct Mirror {
    devices: Vec<Device>,
    sequence: u64,
    pub(super) link: Link,
}

/// How the line is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Link {
    /// Being made, for the first time or again.
    #[default]
    Connecting,
    /// Everything can be asked.
    Up {
        /// Counts the connections, from 1: what was asked on an earlier one is lost.
        session: u64,
    },
    /// Lost, and being made again.
    Lost {
        /// How that showed.
        why: String,
    },
    /// Lost for good.
    Closed {
        /// How that showed.
        why: String,
    },
}

/// One device.
#[derive(Debug)]
pub struct Device {
    name: String,
    vectors: Vec<Vector>,
    sentences: VecDeque<Sentence>,
    pub(super) exposure: Tracker,
    /// Everything that it has to tell by itself has been told.
    pub(super) settled: bool,
}

/// What a device said to people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// As it came, with its `[LEVEL] `.
    pub text: String,
    /// When, by the driver's clock.
    pub at: Option<SystemTime>,
    /// The [`Mirror::sequence`] with which it came.
    pub sequence: u64,
}

impl Sentence {
    /// `ERROR`, `WARNING`, `INFO`, `DEBUG`, or nothing.
    #[must_use]
    pub fn level(&self) -> &str {
        self.split().0
    }

    /// The sentence without its level.
    #[must_use]
    pub fn plain(&self) -> &str {
        self.split().1
    }

    fn split(&self) -> (&str, &str) {
        let levelled = self.text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        levelled.map_or(("", self.text.as_str()), |(level, plain)| (level, plain.trim_start()))
    }
}

impl Mirror {
    /// Counts everything that was heard: two looks with the same number saw the same.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// How the line is.
    #[must_use]
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// Every device, in the order in which they were first heard of.
    #[must_use]
    pub fn devices(&self) -> &[Device] {
        &self.devices
    }

    /// The device of that name.
    #[must_use]
    pub fn device(&self, name: &str) -> Option<&Device> {
        self.devices.iter().find(|device| device.name == name)
    }

    /// How many devices and vectors there are.
    pub(super) fn size(&self) -> usize {
        self.devices.iter().map(|device| device.vectors.len() + 1).sum()
    }

    /// Whether drivers of ours have looked for cameras, and none of them does so any more.
    pub(super) fn is_searched(&self) -> bool {
        let hubs = self.devices.iter().filter(|device| device.vector("CAMERA_SCAN").is_some());
        let mut searches = hubs.filter_map(|hub| hub.vector("CAMERAS")).peekable();
        searches.peek().is_some() && searches.all(|search| search.state != State::Busy)
    }

    pub(super) fn device_mut(&mut self, name: &str) -> Option<&mut Device> {
        self.devices.iter_mut().find(|device| device.name == name)
    }

    /// Whether somebody waits for a BLOB of that vector.
    pub(super) fn wants(&self, device: &str, vector: &str) -> bool {
        vector == FRAMES && self.device(device).is_some_and(|device| device.exposure.wants_frame())
    }

    /// Takes in what was heard at `now`, and the BLOBs that came with it.
    pub(super) fn apply(
        &mut self,
        now: Duration,
        heard: Heard,
        files: Vec<Option<Result<FrameFile, BadBlob>>>,
    ) {
        self.sequence += 1;
        let sequence = self.sequence;
        let Heard { device: name, at, message, what } = heard;
        let Some(name) = name else { return };
        let full = self.size() >= MOST_VECTORS;
        if matches!(what, What::Define(_)) && !full && self.device(&name).is_none() {
            self.devices.push(Device::new(&name));
        }
        let Some(device) = self.device_mut(&name) else { return };
        if let Some(text) = message {
            device.hear(Sentence { text, at, sequence });
            if device.exposure.is_waiting_for_words()
                && let Some(why) = device.complaint(sequence - 1)
            {
                device.exposure.failed(why);
            }
        }
        match what {
            What::Define(defined) => {
                let vector = Vector::new(*defined, at, sequence);
                match device.vectors.iter_mut().find(|known| known.name == vector.name) {
                    // Defined for a client that has just come, without the frame that whoever asked has yet to read.
                    Some(known) if known.name == REPLIES => known.sequence = sequence,
                    Some(known) => {
                        let Vector { set_sequence, busy_sequence, .. } = *known;
                        *known = Vector { set_sequence, busy_sequence, ..vector };
                    }
                    None if full => {}
                    None => device.vectors.push(vector),
                }
            }
            What::Set(set) => device.set(now, &set, at, sequence, files),
            What::Asked { name, elements } => {
                if name == EXPOSURE
                    && let Some((_, seconds)) = elements.first()
                {
                    device.exposure.asked_by_another(seconds);
                }
            }
            What::Delete { name: Some(name) } => {
                device.vectors.retain(|vector| vector.name != name);
                if name == EXPOSURE {
                    device.exposure.lost("it was disconnected");
                }
            }
            What::Delete { name: None } => {
                device.exposure.lost("its driver took it away");
                self.devices.retain(|device| device.name != name);
            }
            What::Message | What::PingRequest { .. } | What::PingReply { .. } => {}
        }
    }

    /// When something happens although nothing is heard.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.devices.iter().filter_map(|device| device.exposure.deadline()).min()
    }

    /// Lets happen what is due; returns the cameras that are to be told to stop.
    pub(super) fn expire(&mut self, now: Duration) -> Vec<String> {
        let due = self
            .devices
            .iter_mut()
            .filter_map(|device| device.exposure.expire(now).then(|| device.name.clone()));
        due.collect()
    }

    /// The line is lost: what was known may be true no more.
    pub(super) fn forget(&mut self) {
        self.sequence += 1;
        self.devices.clear();
    }
}

impl Device {
    fn new(name: &str) -> Device {
        let exposure = Tracker::new(name);
        Device {
            name: name.to_owned(),
            vectors: Vec::new(),
            sentences: VecDeque::new(),
            exposure,
            settled: false,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Every vector, in the order in which they were defined.
    #[must_use]
    pub fn vectors(&self) -> &[Vector] {
        &self.vectors
    }

    /// The vector of that name.
    #[must_use]
    pub fn vector(&self, name: &str) -> Option<&Vector> {
        self.vectors.iter().find(|vector| vector.name == name)
    }

    /// What it said, oldest first; some hundred sentences are kept.
    #[must_use]
    pub fn sentences(&self) -> impl DoubleEndedIterator<Item = &Sentence> {
        self.sentences.iter()
    }

    /// The finite number in that element.
    #[must_use]
    pub fn number(&self, vector: &str, element: &str) -> Option<f64> {
        self.vector(vector)?.number(element)
    }

    /// The text in that element.
    #[must_use]
    pub fn text(&self, vector: &str, element: &str) -> Option<&str> {
        self.vector(vector)?.text(element)
    }

    /// Whether that switch is on.
    #[must_use]
    pub fn is_on(&self, vector: &str, element: &str) -> Option<bool> {
        self.vector(vector)?.is_on(element)
    }

    /// Whether it says that it is a camera.
    #[must_use]
    pub fn is_camera(&self) -> bool {
        let interface =
            self.text("DRIVER_INFO", "DRIVER_INTERFACE").and_then(|text| text.trim().parse::<u32>().ok());
        interface.is_some_and(|bits| bits & CAMERA_BIT != 0)
    }

    /// Whether it is connected and its camera can be used.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        let connection = self.vector("CONNECTION");
        let on = connection
            .is_some_and(|vector| vector.is_on("CONNECT") == Some(true) && vector.state != State::Busy);
        on && self.vector(EXPOSURE).is_some()
    }

    /// Why it refused something after `sequence`, in its own words without the level: the last error, or warning, or
    /// whatever it said.
    pub(super) fn complaint(&self, sequence: u64) -> Option<String> {
        let since = || self.sentences.iter().rev().filter(|sentence| sentence.sequence > sequence);
        let level = |level: &str| since().find(|sentence| sentence.level() == level);
        let complaint = level("ERROR").or_else(|| level("WARNING")).or_else(|| since().next());
        complaint.map(|sentence| sentence.plain().to_owned())
    }

    fn hear(&mut self, sentence: Sentence) {
        if self.sentences.len() == REMEMBERED {
            self.sentences.pop_front();
        }
        self.sentences.push_back(sentence);
    }

    fn set(
        &mut self,
        now: Duration,
        set: &Set,
        at: Option<SystemTime>,
        sequence: u64,
        files: Vec<Option<Result<FrameFile, BadBlob>>>,
    ) {
        let Some(vector) = self.vectors.iter_mut().find(|vector| vector.name == set.name) else { return };
        vector.update(set, at, sequence);
        let state = vector.state;
        match (set.name.as_str(), &set.values) {
            (EXPOSURE, _) => {
                let left = vector.elements.first().and_then(Element::number).unwrap_or(0.0);
                let why = self.complaint(self.exposure.since());
                self.exposure.told(now, state, left, why);
            }
            (FRAMES, Changes::Blob(_)) => {
                for file in files {
                    match file {
                        Some(file) => self.exposure.frame(now, file.map(Arc::new)),
                        None => self.exposure.unwanted(),
                    }
                }
            }
            ("CCD_FILE_PATH", _) if state != State::Alert => {
                if let Some(path) = vector.text("FILE_PATH") {
                    self.exposure.saved(path);
                }
            }
            _ => {}
        }
    }
}

impl Device {
    /// Limits of a number, where they allow anything at all: libindi defines some before it knows them.
    #[must_use]
    pub fn limits(&self, vector: &str, element: &str) -> Option<(f64, f64)> {
        let limits = self.vector(vector)?.limits(element)?;
        let (min, max) = (finite(limits.min)?, finite(limits.max)?);
        (min < max).then_some((min, max))
    }
}
