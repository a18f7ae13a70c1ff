//! One whole element to what a client hears: the way back from [`write`](mod@super::write).
//!
//! The drivers at the other end are not all as careful as ours. What is missing gets the value that does least harm:
//! a definition without a state is Idle and without a permission read-only, a number that is none is NaN, words count
//! in either case, and elements without a name are passed over (libindi's camera simulator sends some). Only a vector
//! without a name, or tags that do not match, make an element unreadable.
//!
//! Read [`Heard`] first.

use std::time::SystemTime;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use quick_xml::events::BytesStart;

use super::source::{self, Fault, Source, Unreadable, Verb, vector};
use super::{ElementDefinition, Elements, Kind, Limits, Number, Perm, Rule, State, number};

/// What a driver said, or another client through the server.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    /// The device that it is about; `None` where everybody is addressed.
    pub device: Option<String>,
    /// When the driver says it was, by its own clock.
    pub at: Option<SystemTime>,
    /// The sentence that came with it. [`What::Message`] is nothing else.
    pub message: Option<String>,
    /// What it is.
    pub what: What,
}

/// What is said.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// `def*Vector`.
    Define(Box<Defined>),
    /// `set*Vector`.
    Set(Set),
    /// `new*Vector`: another client asks for something.
    Asked {
        /// The vector.
        name: String,
        /// Element names and texts.
        elements: Vec<(String, String)>,
    },
    /// `delProperty` of a vector, or of the whole device.
    Delete {
        /// The vector.
        name: Option<String>,
    },
    /// `message`.
    Message,
    /// `pingRequest`: to be answered.
    PingRequest {
        /// Whatever identifies the ping to its sender.
        uid: String,
    },
    /// `pingReply`.
    PingReply {
        /// The uid that we sent.
        uid: String,
    },
}

/// A vector as it is defined.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the attributes of the protocol")]
pub struct Defined {
    pub name: String,
    pub label: String,
    pub group: String,
    pub state: State,
    pub perm: Perm,
    /// Worst case until a write settles, in seconds.
    pub timeout: f64,
    pub elements: Elements<ElementDefinition>,
}

/// New values of a vector.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the attributes of the protocol")]
pub struct Set {
    pub name: String,
    /// `None` leaves it as it was.
    pub state: Option<State>,
    pub values: Changes,
}

/// Element names and what is new about them.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the five kinds")]
pub enum Changes {
    Text(Vec<(String, String)>),
    Number(Vec<(String, NumberChange)>),
    Switch(Vec<(String, bool)>),
    Light(Vec<(String, State)>),
    Blob(Vec<BlobHead>),
}

/// A number, and those of its limits that are new.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs, reason = "the attributes of the protocol")]
pub struct NumberChange {
    /// NaN where it is no number.
    pub value: f64,
    pub min: Option<f64>,
    pub max: Option<f64>,
    pub step: Option<f64>,
}

/// What a `oneBLOB` says of its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlobHead {
    /// The element.
    pub element: String,
    /// File suffix with its dot: `.fits`.
    pub format: String,
    /// Bytes of the file; of one whose format ends with `.z`, when inflated.
    pub size: Option<u64>,
    /// Bytes that were really sent, where libindi says so.
    pub len: Option<u64>,
    /// The bytes are in a descriptor that came beside the message.
    pub attached: bool,
}

/// Reads one element as the splitter delivers it; `None` is one that does not concern a client. Bytes that are not
/// UTF-8 become U+FFFD.
pub fn heard(element: &[u8]) -> Result<Option<Heard>, Unreadable> {
    let text = String::from_utf8_lossy(element);
    let mut source = Source::new(&text);
    let Some(root) = source.root()? else { return Ok(None) };
    let said = Attributes::read(&source, &root)?;
    let name = said.name.clone().ok_or_else(|| source.unreadable(&root, Fault::NamelessVector));
    let what = match (root.name().into_inner(), vector(root.name().into_inner())) {
        (_, Some((Verb::Def, kind))) => {
            let elements = definitions(&mut source, &root, kind, said.rule())?;
            What::Define(Box::new(said.defined(name?, elements)))
        }
        (_, Some((Verb::Set, kind))) => {
            let values = changes(&mut source, &root, kind)?;
            What::Set(Set { name: name?, state: said.state(), values })
        }
        (_, Some((Verb::New, kind))) => {
            What::Asked { name: name?, elements: texts(&mut source, &root, Verb::New, kind)? }
        }
        ("message", _) => What::Message,
        ("delProperty", _) => What::Delete { name: said.name.clone() },
        ("pingRequest", _) => What::PingRequest { uid: said.uid.clone().unwrap_or_default() },
        ("pingReply", _) => What::PingReply { uid: said.uid.clone().unwrap_or_default() },
        _ => return Ok(None),
    };
    let at = said.timestamp.as_deref().and_then(moment);
    Ok(Some(Heard { device: said.device, at, message: said.message, what }))
}

/// What a `setBLOBVector` that is still arriving says: its device, its name, and the last `oneBLOB` begun. `text` ends
/// with the start tag of that one.
#[must_use]
pub fn arriving(text: &[u8]) -> Option<(String, String, BlobHead)> {
    let text = String::from_utf8_lossy(text);
    let mut source = Source::new(&text);
    let root = source.root().ok()??;
    let said = Attributes::read(&source, &root).ok()?;
    let mut last = None;
    while let Ok(event) = source.event(&root) {
        if let quick_xml::events::Event::Start(child) = event
            && child.name().into_inner() == "oneBLOB"
        {
            last = Some(Attributes::read(&source, &child).ok()?.blob());
        }
    }
    Some((said.device?, said.name?, last?))
}

fn texts(
    source: &mut Source<'_>,
    vector: &BytesStart<'_>,
    verb: Verb,
    expected: Kind,
) -> Result<Vec<(String, String)>, Unreadable> {
    let mut texts = Vec::new();
    each(source, vector, verb, expected, |said, text| {
        texts.extend(said.name.map(|name| (name, text.to_owned())));
    })?;
    Ok(texts)
}

fn definitions(
    source: &mut Source<'_>,
    vector: &BytesStart<'_>,
    kind: Kind,
    rule: Rule,
) -> Result<Elements<ElementDefinition>, Unreadable> {
    let mut elements = match kind {
        Kind::Text => Elements::Text(Vec::new()),
        Kind::Number => Elements::Number(Vec::new()),
        Kind::Switch => Elements::Switch(rule, Vec::new()),
        Kind::Light => Elements::Light(Vec::new()),
        Kind::Blob => Elements::Blob(Vec::new()),
    };
    each(source, vector, Verb::Def, kind, |said, text| {
        let limits = Limits {
            min: said.min.unwrap_or(0.0),
            max: said.max.unwrap_or(0.0),
            step: said.step.unwrap_or(0.0),
        };
        let Some(name) = said.name else { return };
        let label = said.label.filter(|label| !label.is_empty()).unwrap_or_else(|| name.clone());
        let format = said.format.unwrap_or_default();
        let head = ElementDefinition { name, label };
        match &mut elements {
            Elements::Text(list) => list.push((head, text.to_owned())),
            Elements::Number(list) => list.push((head, Number { value: value(text), format, limits })),
            Elements::Switch(_, list) => list.push((head, is_on(text))),
            Elements::Light(list) => list.push((head, state(text).unwrap_or(State::Idle))),
            Elements::Blob(list) => list.push(head),
        }
    })?;
    Ok(elements)
}

fn changes(source: &mut Source<'_>, vector: &BytesStart<'_>, kind: Kind) -> Result<Changes, Unreadable> {
    let mut changes = match kind {
        Kind::Text => Changes::Text(Vec::new()),
        Kind::Number => Changes::Number(Vec::new()),
        Kind::Switch => Changes::Switch(Vec::new()),
        Kind::Light => Changes::Light(Vec::new()),
        Kind::Blob => Changes::Blob(Vec::new()),
    };
    each(source, vector, Verb::Set, kind, |said, text| {
        if let Changes::Blob(list) = &mut changes {
            // One without a name counts as well: its descriptor has come.
            return list.push(said.blob());
        }
        let (min, max, step) = (said.min, said.max, said.step);
        let Some(name) = said.name else { return };
        match &mut changes {
            Changes::Text(list) => list.push((name, text.to_owned())),
            Changes::Number(list) => list.push((name, NumberChange { value: value(text), min, max, step })),
            Changes::Switch(list) => list.push((name, is_on(text))),
            Changes::Light(list) => list.extend(state(text).map(|state| (name, state))),
            Changes::Blob(_) => {}
        }
    })?;
    Ok(changes)
}

/// Shows `take` the attributes and the text of every element of the vector's own kind.
fn each(
    source: &mut Source<'_>,
    vector: &BytesStart<'_>,
    verb: Verb,
    expected: Kind,
    mut take: impl FnMut(Attributes, &str),
) -> Result<(), Unreadable> {
    source.children(vector, verb, |source, child, kind| {
        if kind != expected {
            return source.skip(child);
        }
        let said = Attributes::read(source, child)?;
        take(said, source.content(child)?);
        Ok(())
    })
}

/// Everything that an element of the protocol may say of itself; the first of two with the same name.
#[derive(Default)]
struct Attributes {
    device: Option<String>,
    name: Option<String>,
    label: Option<String>,
    group: Option<String>,
    state: Option<String>,
    perm: Option<String>,
    rule: Option<String>,
    timeout: Option<f64>,
    timestamp: Option<String>,
    message: Option<String>,
    uid: Option<String>,
    format: Option<String>,
    min: Option<f64>,
    max: Option<f64>,
    step: Option<f64>,
    size: Option<u64>,
    len: Option<u64>,
    attached: bool,
}

impl Attributes {
    fn read(source: &Source<'_>, element: &BytesStart<'_>) -> Result<Self, Unreadable> {
        let mut said = Attributes::default();
        source.attributes(element, |key, value| {
            let number = || number::parse(&value).ok();
            let whole = || value.trim().parse().ok();
            match key {
                "timeout" => said.timeout = said.timeout.or_else(number),
                "min" => said.min = said.min.or_else(number),
                "max" => said.max = said.max.or_else(number),
                "step" => said.step = said.step.or_else(number),
                "size" => said.size = said.size.or_else(whole),
                "len" => said.len = said.len.or_else(whole),
                "attached" => said.attached |= &*value == "true",
                _ => {
                    if let Some(slot) = said.text(key)
                        && slot.is_none()
                    {
                        *slot = Some(value.into_owned());
                    }
                }
            }
        })?;
        for slot in [&mut said.device, &mut said.name, &mut said.message] {
            slot.take_if(|value| value.is_empty());
        }
        Ok(said)
    }

    fn text(&mut self, key: &str) -> Option<&mut Option<String>> {
        Some(match key {
            "device" => &mut self.device,
            "name" => &mut self.name,
            "label" => &mut self.label,
            "group" => &mut self.group,
            "state" => &mut self.state,
            "perm" => &mut self.perm,
            "rule" => &mut self.rule,
            "timestamp" => &mut self.timestamp,
            "message" => &mut self.message,
            "uid" => &mut self.uid,
            "format" => &mut self.format,
            _ => return None,
        })
    }

    fn defined(&self, name: String, elements: Elements<ElementDefinition>) -> Defined {
        let perm = self.perm.as_deref().map_or(Perm::Ro, |word| match word.to_ascii_lowercase().as_str() {
            "rw" => Perm::Rw,
            "wo" => Perm::Wo,
            _ => Perm::Ro,
        });
        let label = self.label.clone().filter(|label| !label.is_empty()).unwrap_or_else(|| name.clone());
        Defined {
            name,
            label,
            group: self.group.clone().unwrap_or_default(),
            state: self.state().unwrap_or(State::Idle),
            perm,
            timeout: self.timeout.unwrap_or(0.0),
            elements,
        }
    }

    fn blob(self) -> BlobHead {
        let (element, format) = (self.name.unwrap_or_default(), self.format.unwrap_or_default());
        BlobHead { element, format, size: self.size, len: self.len, attached: self.attached }
    }

    fn state(&self) -> Option<State> {
        self.state.as_deref().and_then(state)
    }

    /// An unknown rule is libindi's default.
    fn rule(&self) -> Rule {
        match self.rule.as_deref().map(str::to_ascii_lowercase).as_deref() {
            Some("atmostone") => Rule::AtMostOne,
            Some("anyofmany") => Rule::AnyOfMany,
            _ => Rule::OneOfMany,
        }
    }
}

/// As the driver's own reader has it, in either case.
fn state(word: &str) -> Option<State> {
    let mut letters = word.trim().to_ascii_lowercase();
    if let Some(first) = letters.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    source::state(&letters)
}

/// libindi takes everything that begins with `On` for on.
fn is_on(text: &str) -> bool {
    text.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("on"))
}

fn value(text: &str) -> f64 {
    number::parse(text).unwrap_or(f64::NAN)
}

/// `YYYY-MM-DDTHH:MM:SS` with or without a fraction or a `Z`, UTC.
#[must_use]
pub fn moment(text: &str) -> Option<SystemTime> {
    let at: DateTime = text.trim().trim_end_matches(['Z', 'z']).parse().ok()?;
    Some(TimeZone::UTC.to_timestamp(at).ok()?.into())
}

#[cfg(test)]
mod tests;
