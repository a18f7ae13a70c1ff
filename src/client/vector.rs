//! One property vector as it is known now.

use std::time::SystemTime;

use crate::wire::heard::{Changes, Defined, NumberChange, Set};
use crate::wire::{ElementDefinition, Elements, Kind, Limits, Perm, Rule, State};

/// A vector and the last values told.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the attributes of the protocol")]
pub struct Vector {
    pub name: String,
    pub label: String,
    pub group: String,
    pub kind: Kind,
    pub state: State,
    pub perm: Perm,
    /// Of switches.
    pub rule: Option<Rule>,
    /// Worst case until a write settles, in seconds.
    pub timeout: f64,
    /// When the driver last spoke of it, by its own clock.
    pub at: Option<SystemTime>,
    /// The [`sequence`](super::Mirror::sequence) with which it was last told.
    pub sequence: u64,
    /// The same of the last `set`. A definition tells how things are, also to who asked for nothing; a `set` is what
    /// answers a wish.
    pub set_sequence: u64,
    /// The same of the last `set` to Busy, by which a driver says that it has accepted a wish.
    pub busy_sequence: u64,
    pub elements: Vec<Element>,
}

/// One element.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the attributes of the protocol")]
pub struct Element {
    pub name: String,
    pub label: String,
    pub value: ElementValue,
}

/// What an element holds.
#[derive(Clone, Debug, PartialEq)]
pub enum ElementValue {
    /// Words.
    Text(String),
    /// A number; NaN is one that nobody could read.
    Number {
        /// The value.
        value: f64,
        /// How people want it shown: see [`wire::number::format`](crate::wire::number::format()).
        format: String,
        /// What may be asked.
        limits: Limits,
    },
    /// On or off.
    Switch(bool),
    /// A light.
    Light(State),
    /// A BLOB, by what was last said of it; its bytes went to who waited for them.
    Blob {
        /// File suffix with its dot.
        format: String,
        /// Bytes.
        size: u64,
    },
}

impl Element {
    /// The number, if it is one and finite.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self.value {
            ElementValue::Number { value, .. } => finite(value),
            _ => None,
        }
    }
}

pub(super) fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

impl Vector {
    pub(super) fn new(defined: Defined, at: Option<SystemTime>, sequence: u64) -> Vector {
        let Defined { name, label, group, state, perm, timeout, elements } = defined;
        let (kind, rule) = match elements {
            Elements::Text(_) => (Kind::Text, None),
            Elements::Number(_) => (Kind::Number, None),
            Elements::Switch(rule, _) => (Kind::Switch, Some(rule)),
            Elements::Light(_) => (Kind::Light, None),
            Elements::Blob(_) => (Kind::Blob, None),
        };
        let element = |head: ElementDefinition, value| Element { name: head.name, label: head.label, value };
        let elements = match elements {
            Elements::Text(list) => {
                list.into_iter().map(|(head, text)| element(head, ElementValue::Text(text))).collect()
            }
            Elements::Number(list) => {
                let number = |n: crate::wire::Number| ElementValue::Number {
                    value: n.value,
                    format: n.format,
                    limits: n.limits,
                };
                list.into_iter().map(|(head, n)| element(head, number(n))).collect()
            }
            Elements::Switch(_, list) => {
                list.into_iter().map(|(head, on)| element(head, ElementValue::Switch(on))).collect()
            }
            Elements::Light(list) => {
                list.into_iter().map(|(head, light)| element(head, ElementValue::Light(light))).collect()
            }
            Elements::Blob(list) => {
                let nothing = || ElementValue::Blob { format: String::new(), size: 0 };
                list.into_iter().map(|head| element(head, nothing())).collect()
            }
        };
        Vector {
            name,
            label,
            group,
            kind,
            state,
            perm,
            rule,
            timeout,
            at,
            sequence,
            set_sequence: 0,
            busy_sequence: 0,
            elements,
        }
    }

    pub(super) fn update(&mut self, set: &Set, at: Option<SystemTime>, sequence: u64) {
        self.state = set.state.unwrap_or(self.state);
        self.at = at.or(self.at);
        self.sequence = sequence;
        self.set_sequence = sequence;
        if self.state == State::Busy {
            self.busy_sequence = sequence;
        }
        match &set.values {
            Changes::Text(list) => {
                for (name, text) in list {
                    self.put(name, |value| {
                        if let ElementValue::Text(known) = value {
                            known.clone_from(text);
                        }
                    });
                }
            }
            Changes::Number(list) => {
                for (name, change) in list {
                    self.put(name, |value| apply(value, *change));
                }
            }
            Changes::Switch(list) => {
                for (name, on) in list {
                    self.put(name, |value| {
                        if let ElementValue::Switch(known) = value {
                            *known = *on;
                        }
                    });
                }
            }
            Changes::Light(list) => {
                for (name, light) in list {
                    self.put(name, |value| {
                        if let ElementValue::Light(known) = value {
                            *known = *light;
                        }
                    });
                }
            }
            Changes::Blob(list) => {
                for head in list {
                    self.put(&head.element, |value| {
                        if let ElementValue::Blob { format, size } = value {
                            format.clone_from(&head.format);
                            *size = head.size.unwrap_or(0);
                        }
                    });
                }
            }
        }
    }

    fn put(&mut self, name: &str, change: impl FnOnce(&mut ElementValue)) {
        if let Some(element) = self.elements.iter_mut().find(|element| element.name == name) {
            change(&mut element.value);
        }
    }

    /// The element of that name.
    #[must_use]
    pub fn element(&self, name: &str) -> Option<&Element> {
        self.elements.iter().find(|element| element.name == name)
    }

    /// The finite number in that element.
    #[must_use]
    pub fn number(&self, element: &str) -> Option<f64> {
        self.element(element)?.number()
    }

    /// The text in that element.
    #[must_use]
    pub fn text(&self, element: &str) -> Option<&str> {
        match &self.element(element)?.value {
            ElementValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether that switch is on.
    #[must_use]
    pub fn is_on(&self, element: &str) -> Option<bool> {
        match self.element(element)?.value {
            ElementValue::Switch(on) => Some(on),
            _ => None,
        }
    }

    /// The first switch that is on.
    #[must_use]
    pub fn chosen(&self) -> Option<&Element> {
        self.elements.iter().find(|element| element.value == ElementValue::Switch(true))
    }

    /// The limits of that number, whatever they are.
    #[must_use]
    pub fn limits(&self, element: &str) -> Option<Limits> {
        match self.element(element)?.value {
            ElementValue::Number { limits, .. } => Some(limits),
            _ => None,
        }
    }
}

fn apply(value: &mut ElementValue, change: NumberChange) {
    if let ElementValue::Number { value, limits, .. } = value {
        *value = change.value;
        limits.min = change.min.unwrap_or(limits.min);
        limits.max = change.max.unwrap_or(limits.max);
        limits.step = change.step.unwrap_or(limits.step);
    }
}
