//! A client that only listens, and believes what it hears.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use indi_camera::wire::{
    BlobUpdate, Definition, Elements, Kind, Limits, Message, Perm, Rule, State, Update, Values,
};

/// What is in a frame of the spool.
pub const SENT_AGAIN: &[u8] = b"again";

/// A vector as the client knows it.
#[derive(Clone, Debug, PartialEq)]
struct Known {
    kind: Kind,
    rule: Option<Rule>,
    perm: Perm,
    state: State,
    /// Element names and values in words.
    elements: Vec<(String, String)>,
    limits: Vec<Limits>,
}

/// What it knows, and what it has a right to hear.
#[derive(Default)]
pub struct Listener {
    vectors: BTreeMap<String, Known>,
    /// How often a vector may be defined although it is known: somebody has asked.
    asked: HashMap<String, usize>,
    asked_all: usize,
    pings: Vec<String>,
    /// The latest exposure that the camera was asked for.
    last_exposure: u64,
    /// The latest one when an abort was asked for that has not been told to be done.
    aborting: VecDeque<u64>,
    /// Exposures up to this one are over for good.
    dead: u64,
    sent: HashSet<u64>,
    /// BLOBs sent, exposures that ended well: CCD_EXPOSURE went from Busy to Ok.
    pub frames: usize,
    pub ended_well: usize,
    pub ended: usize,
    refusals: usize,
    busy_told: usize,
}

/// What was so before a client wrote CCD_EXPOSURE.
pub struct Before {
    refusals: usize,
    busy_told: usize,
    last_exposure: u64,
}

impl Listener {
    /// Somebody asks for definitions.
    pub fn asked(&mut self, name: Option<&str>) {
        match name {
            Some(name) => *self.asked.entry(name.to_owned()).or_default() += 1,
            None => self.asked_all += 1,
        }
    }

    /// Everything that was said has been heard, so every question has had its answer.
    pub fn caught_up(&mut self) {
        self.asked.clear();
        self.asked_all = 0;
    }

    pub fn exposure_asked(&mut self, id: u64) {
        assert!(id > self.last_exposure, "exposure {id} comes after {}", self.last_exposure);
        self.last_exposure = id;
    }

    pub fn abort_asked(&mut self) {
        self.aborting.push_back(self.last_exposure);
    }

    pub fn begin_write(&self) -> Before {
        let Listener { refusals, busy_told, last_exposure, .. } = *self;
        Before { refusals, busy_told, last_exposure }
    }

    /// A write of CCD_EXPOSURE that was accepted has ended every exposure before.
    pub fn end_write(&mut self, before: Before) {
        if self.refusals == before.refusals && self.busy_told > before.busy_told {
            self.dead = self.dead.max(before.last_exposure);
        }
    }

    pub fn take_pings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.pings)
    }

    /// The vectors that are Busy now.
    pub fn busy(&self) -> Vec<&str> {
        // Power of a cooler is Busy as long as there is some.
        let promised = self.vectors.iter().filter(|(name, _)| *name != "CCD_COOLER_POWER");
        let busy = promised.filter(|(_, known)| known.state == State::Busy);
        busy.map(|(name, _)| name.as_str()).collect()
    }

    /// Compares what it believes with the definitions that somebody who asks now is given.
    pub fn compare(&mut self, definitions: impl FnOnce(&mut dyn FnMut(Message))) {
        let mut told = BTreeMap::new();
        definitions(&mut |message| {
            if let Message::Define(definition) = message {
                told.insert(definition.name.clone(), Known::of(&definition));
            }
        });
        for (name, known) in &mut self.vectors {
            let Some(told) = told.get_mut(name) else { panic!("{name} is believed and not there") };
            if name == "CAMERA_REPLY" {
                // The reply with a picture in it is told once.
                known.elements.clone_from(&told.elements);
            }
            if name == "CCD_TEMPERATURE" && known.elements != told.elements {
                // A reading that differs by less is not worth telling.
                let degrees = |known: &Known| known.elements[0].1.parse::<f64>().unwrap_or(f64::NAN);
                assert!((degrees(known) - degrees(told)).abs() < 0.05, "{known:?} is not {told:?}");
                known.elements.clone_from(&told.elements);
            }
            assert_eq!(known, told, "{name}: what is believed (left) is not so");
        }
        let unknown: Vec<&String> = told.keys().filter(|name| !self.vectors.contains_key(*name)).collect();
        assert!(unknown.is_empty(), "{unknown:?} were never told");
    }

    pub fn hear(&mut self, message: Message) {
        match message {
            Message::Define(definition) => self.define(&definition),
            Message::Set(update) => self.set(update),
            Message::SetBlob(blob) => self.frame(&blob),
            Message::Delete { name: Some(name), .. } => {
                assert!(self.vectors.remove(&name).is_some(), "{name} is deleted and was not there");
            }
            Message::Delete { name: None, .. } => self.vectors.clear(),
            Message::Say { text, .. } => self.refusals += usize::from(text.starts_with("[ERROR]")),
            Message::PingRequest { uid } => self.pings.push(uid),
            Message::PingReply { .. } | Message::Snoop { .. } => {}
        }
    }

    fn define(&mut self, definition: &Definition) {
        let name = &definition.name;
        if self.vectors.contains_key(name) && self.asked_all == 0 {
            let asked = self.asked.get_mut(name).filter(|asked| **asked > 0);
            *asked.unwrap_or_else(|| panic!("{name} is defined twice, and nobody has asked")) -= 1;
        }
        let known = Known::of(definition);
        known.check(name);
        self.vectors.insert(name.clone(), known);
    }

    fn set(&mut self, update: Update) {
        let Update { name, state, values, .. } = update;
        let Some(known) = self.vectors.get_mut(&name) else { panic!("{name} is told before it is defined") };
        let was = known.state;
        known.state = state;
        known.take(&name, values);
        known.check(&name);
        match name.as_str() {
            "CCD_EXPOSURE" => self.exposure_is(was, state),
            "CCD_ABORT_EXPOSURE" if state == State::Ok => {
                let before = self.aborting.pop_front().unwrap_or_default();
                self.dead = self.dead.max(before);
            }
            _ => {}
        }
    }

    fn exposure_is(&mut self, was: State, is: State) {
        self.busy_told += usize::from(is == State::Busy);
        self.ended += usize::from(was == State::Busy && is != State::Busy);
        if is == State::Ok {
            assert_eq!(was, State::Busy, "an exposure ends that nobody has begun");
            self.ended_well += 1;
        }
    }

    fn frame(&mut self, blob: &BlobUpdate) {
        let Some(known) = self.vectors.get_mut(&blob.name) else {
            panic!("a frame comes for {}, which is not there", blob.name)
        };
        known.state = blob.state;
        let indi_camera::wire::Payload::Inline(bytes) = &blob.payload else {
            panic!("no frame of this world")
        };
        if bytes.as_slice() == SENT_AGAIN {
            let is = |name: &str, state| self.vectors.get(name).is_some_and(|known| known.state == state);
            assert!(is("CCD_SPOOL_RESEND", State::Busy), "a frame is sent again, and nobody waits for it");
            assert!(!is("CCD_EXPOSURE", State::Busy), "a frame is sent again during an exposure");
            return;
        }
        let id = u64::from_le_bytes(bytes.as_slice().try_into().unwrap_or_default());
        assert!(self.sent.insert(id), "the frame of exposure {id} comes twice");
        assert!(id > self.dead, "the frame of exposure {id} comes after {} was dropped", self.dead);
        let exposure = self.vectors.get("CCD_EXPOSURE").map(|known| known.state);
        assert_eq!(exposure, Some(State::Busy), "a frame comes and nobody exposes");
        self.frames += 1;
    }
}

impl Known {
    fn of(definition: &Definition) -> Known {
        let Definition { state, perm, elements, .. } = definition;
        let (kind, rule, elements, limits) = match elements {
            Elements::Text(list) => (
                Kind::Text,
                None,
                list.iter().map(|(head, text)| (head.name.clone(), text.clone())).collect(),
                vec![],
            ),
            Elements::Number(list) => (
                Kind::Number,
                None,
                list.iter().map(|(head, number)| (head.name.clone(), number.value.to_string())).collect(),
                list.iter().map(|(_, number)| number.limits).collect(),
            ),
            Elements::Switch(rule, list) => (
                Kind::Switch,
                Some(*rule),
                list.iter().map(|(head, on)| (head.name.clone(), on.to_string())).collect(),
                vec![],
            ),
            Elements::Light(list) => (
                Kind::Light,
                None,
                list.iter().map(|(head, state)| (head.name.clone(), format!("{state:?}"))).collect(),
                vec![],
            ),
            Elements::Blob(list) => (
                Kind::Blob,
                None,
                list.iter().map(|head| (head.name.clone(), String::new())).collect(),
                vec![],
            ),
        };
        Known { kind, rule, perm: *perm, state: *state, elements, limits }
    }

    fn take(&mut self, name: &str, values: Values) {
        let (kind, news): (Kind, Vec<(String, String)>) = match values {
            Values::Text(list) => (Kind::Text, list),
            Values::Number(list) => {
                for (at, (_, value, limits)) in list.iter().enumerate() {
                    assert!(value.is_finite(), "{name} is {value}");
                    if let Some(limits) = limits {
                        self.limits[at] = *limits;
                    }
                }
                (
                    Kind::Number,
                    list.into_iter().map(|(element, value, _)| (element, value.to_string())).collect(),
                )
            }
            Values::Switch(list) => {
                (Kind::Switch, list.into_iter().map(|(element, on)| (element, on.to_string())).collect())
            }
            Values::Light(list) => (
                Kind::Light,
                list.into_iter().map(|(element, state)| (element, format!("{state:?}"))).collect(),
            ),
        };
        assert_eq!(kind, self.kind, "{name} is of another kind");
        for (element, value) in news {
            let known = self.elements.iter_mut().find(|(known, _)| *known == element);
            known.unwrap_or_else(|| panic!("{name} has no {element}")).1 = value;
        }
    }

    fn check(&self, name: &str) {
        let on = self.elements.iter().filter(|(_, value)| value == "true").count();
        let fits = match self.rule {
            Some(Rule::OneOfMany) => on == 1 || self.elements.is_empty(),
            Some(Rule::AtMostOne) => on <= 1,
            Some(Rule::AnyOfMany) | None => true,
        };
        assert!(fits, "{on} of {name} are on");
    }
}
