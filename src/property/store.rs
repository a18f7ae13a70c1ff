//! The vectors of one device, and the gate through which a client's write must pass.

use std::collections::HashMap;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::key::{Key, Menu, Texts, Values};

use crate::wire::{self, Definition, ElementDefinition, Elements, Kind, Limits, Perm, Rule, State, Update};

/// One vector and all that is known about it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[allow(missing_docs, reason = "the attributes of the protocol")]
pub struct Vector {
    pub name: String,
    pub label: String,
    pub group: String,
    pub state: State,
    pub perm: Perm,
    pub timeout: f64,
    pub elements: Elements<ElementDefinition>,
    /// Clients that ask are told of it, and may write it.
    pub defined: bool,
}

impl Vector {
    /// The names of its elements, in order.
    #[must_use]
    pub fn element_names(&self) -> Vec<&str> {
        fn names<T>(list: &[(ElementDefinition, T)]) -> Vec<&str> {
            list.iter().map(|(head, _)| head.name.as_str()).collect()
        }
        match &self.elements {
            Elements::Text(list) => names(list),
            Elements::Number(list) => names(list),
            Elements::Switch(_, list) => names(list),
            Elements::Light(list) => names(list),
            Elements::Blob(list) => list.iter().map(|head| head.name.as_str()).collect(),
        }
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.elements {
            Elements::Text(_) => Kind::Text,
            Elements::Number(_) => Kind::Number,
            Elements::Switch(..) => Kind::Switch,
            Elements::Light(_) => Kind::Light,
            Elements::Blob(_) => Kind::Blob,
        }
    }

    /// Its switch rule, if it has one.
    #[must_use]
    pub fn rule(&self) -> Option<Rule> {
        match self.elements {
            Elements::Switch(rule, _) => Some(rule),
            _ => None,
        }
    }

    /// Its values; `None` for BLOBs.
    #[must_use]
    pub fn values(&self) -> Option<Values> {
        match &self.elements {
            Elements::Text(list) => Some(Values::Texts(list.iter().map(|(_, text)| text.clone()).collect())),
            Elements::Number(list) => {
                Some(Values::Numbers(list.iter().map(|(_, number)| number.value).collect()))
            }
            Elements::Switch(_, list) => Some(Values::Switches(list.iter().map(|(_, on)| *on).collect())),
            Elements::Light(list) => Some(Values::Lights(list.iter().map(|(_, light)| *light).collect())),
            Elements::Blob(_) => None,
        }
    }

    fn assign(&mut self, values: Values) {
        match (&mut self.elements, values) {
            (Elements::Text(list), Values::Texts(texts)) => {
                list.iter_mut().zip(texts).for_each(|((_, to), from)| *to = from);
            }
            (Elements::Number(list), Values::Numbers(numbers)) => {
                // A value that is not finite would make clients drop the vector; the old one is truer.
                list.iter_mut()
                    .zip(numbers)
                    .filter(|(_, from)| from.is_finite())
                    .for_each(|((_, to), from)| to.value = from);
            }
            (Elements::Switch(_, list), Values::Switches(switches)) => {
                list.iter_mut().zip(switches).for_each(|((_, to), from)| *to = from);
            }
            (Elements::Light(list), Values::Lights(lights)) => {
                list.iter_mut().zip(lights).for_each(|((_, to), from)| *to = from);
            }
            _ => debug_assert!(false, "{} is of another kind", self.name),
        }
    }
}

/// The vectors of one device, in the order of their definition.
#[derive(Debug)]
pub struct Store {
    device: String,
    vectors: Vec<Vector>,
    index: HashMap<String, usize>,
    /// Vectors whose limits are not those of their last definition.
    relimited: Vec<usize>,
}

impl Store {
    /// A store of these vectors.
    #[must_use]
    pub fn new(device: &str, vectors: Vec<Vector>) -> Self {
        let index = vectors.iter().enumerate().map(|(i, vector)| (vector.name.clone(), i)).collect();
        Store { device: device.to_owned(), vectors, index, relimited: Vec::new() }
    }

    /// The vectors, in order.
    #[must_use]
    pub fn vectors(&self) -> &[Vector] {
        &self.vectors
    }

    /// The vector of this name.
    #[must_use]
    pub fn vector(&self, name: &str) -> Option<&Vector> {
        self.index.get(name).map(|i| &self.vectors[*i])
    }

    /// The value behind a key.
    #[must_use]
    pub fn get<K: Key>(&self, key: &K) -> K::Value {
        key.read(&self.values(key.vector()))
    }

    /// The state of the vector behind a key.
    #[must_use]
    pub fn state<K: Key>(&self, key: &K) -> State {
        self.vector(key.vector()).map_or(State::Idle, |vector| vector.state)
    }

    /// Replaces the values behind a key.
    pub fn set<K: Key>(&mut self, key: &K, value: K::Value) {
        self.assign(key.vector(), key.write(value));
    }

    /// Replaces the values of a vector by name.
    pub fn assign(&mut self, name: &str, values: Values) {
        self.with(name, |vector| vector.assign(values));
    }

    /// Replaces the state of a vector by name.
    pub fn set_state(&mut self, name: &str, state: State) {
        self.with(name, |vector| vector.state = state);
    }

    /// Replaces the permission of a vector; clients learn of it with the next definition.
    pub fn set_perm<K: Key>(&mut self, key: &K, perm: Perm) {
        self.with(key.vector(), |vector| vector.perm = perm);
    }

    /// Gives a menu these elements. What was on stays on if it is still there, otherwise the first one is. Says
    /// whether the elements have changed: clients learn of that only by a new definition.
    pub fn set_choices(&mut self, menu: &Menu, choices: Vec<ElementDefinition>) -> bool {
        let mut changed = false;
        self.with(menu.vector(), |vector| {
            let Elements::Switch(_, list) = &mut vector.elements else { return };
            changed = !list.iter().map(|(head, _)| head).eq(&choices);
            let was = list.iter().find(|(_, on)| *on).map(|(head, _)| head.name.clone());
            let kept = choices.iter().position(|head| Some(&head.name) == was.as_ref()).unwrap_or(0);
            let element = |(i, head)| (head, i == kept);
            *list = choices.into_iter().enumerate().map(element).collect();
        });
        changed
    }

    /// Gives a vector of texts these elements, all of them empty.
    pub fn set_elements(&mut self, texts: &Texts, elements: impl IntoIterator<Item = ElementDefinition>) {
        let elements = elements.into_iter().map(|head| (head, String::new())).collect();
        self.with(texts.vector(), |vector| vector.elements = Elements::Text(elements));
    }

    /// Adds a vector that the skeletons do not know, or replaces one that was added so: clients must not know it now.
    pub fn put(&mut self, vector: Vector) {
        debug_assert!(
            !self.vector(&vector.name).is_some_and(|known| known.defined),
            "{} is known",
            vector.name
        );
        if let Some(index) = self.index.get(&vector.name) {
            self.vectors[*index] = vector;
        } else {
            self.index.insert(vector.name.clone(), self.vectors.len());
            self.vectors.push(vector);
        }
    }

    /// Replaces the limits of the elements, by position.
    pub fn set_limits<K: Key>(&mut self, key: &K, limits: &[Limits]) {
        let mut changed = false;
        self.with(key.vector(), |vector| {
            if let Elements::Number(list) = &mut vector.elements {
                for ((_, number), new) in list.iter_mut().zip(limits) {
                    changed |= number.limits != *new;
                    number.limits = *new;
                }
            }
        });
        if let (true, Some(index)) = (changed, self.index.get(key.vector())) {
            self.relimited.push(*index);
        }
    }

    /// Notes that clients know the vector, and says how to tell them. `None` for a name that does not exist.
    pub fn define(&mut self, name: &str, at: SystemTime) -> Option<Definition> {
        let index = *self.index.get(name)?;
        self.relimited.retain(|i| *i != index);
        let vector = &mut self.vectors[index];
        vector.defined = true;
        Some(Definition {
            device: self.device.clone(),
            name: vector.name.clone(),
            label: vector.label.clone(),
            group: vector.group.clone(),
            state: vector.state,
            perm: vector.perm,
            timeout: vector.timeout,
            at,
            elements: vector.elements.clone(),
        })
    }

    /// Has the vector told to every client that asks from now on.
    pub fn show(&mut self, name: &str) {
        self.with(name, |vector| vector.defined = true);
    }

    /// Notes that clients must forget the vector; its values stay. Says whether they knew it.
    pub fn undefine(&mut self, name: &str) -> bool {
        let mut was = false;
        self.with(name, |vector| was = std::mem::take(&mut vector.defined));
        was
    }

    /// State and values of a vector that clients know, with its limits if those have changed. `None` for any other
    /// vector and for BLOBs.
    pub fn update(&mut self, name: &str, at: SystemTime) -> Option<Update> {
        let index = *self.index.get(name)?;
        let vector = &self.vectors[index];
        if !vector.defined {
            return None;
        }
        let relimited = self.relimited.contains(&index);
        self.relimited.retain(|i| *i != index);
        let values = match &vector.elements {
            Elements::Text(list) => wire::Values::Text(pairs(list, String::clone)),
            Elements::Number(list) => wire::Values::Number(
                list.iter()
                    .map(|(head, n)| (head.name.clone(), n.value, relimited.then_some(n.limits)))
                    .collect(),
            ),
            Elements::Switch(_, list) => wire::Values::Switch(pairs(list, |on| *on)),
            Elements::Light(list) => wire::Values::Light(pairs(list, |state| *state)),
            Elements::Blob(_) => return None,
        };
        Some(Update {
            device: self.device.clone(),
            name: vector.name.clone(),
            state: vector.state,
            timeout: vector.timeout,
            at,
            values,
        })
    }

    fn values(&self, name: &str) -> Values {
        self.vector(name).and_then(Vector::values).unwrap_or(Values::Numbers(Vec::new()))
    }

    fn with(&mut self, name: &str, change: impl FnOnce(&mut Vector)) {
        match self.index.get(name) {
            Some(index) => change(&mut self.vectors[*index]),
            None => debug_assert!(false, "no vector {name}"),
        }
    }
}

fn pairs<T, V>(list: &[(ElementDefinition, T)], value: impl Fn(&T) -> V) -> Vec<(String, V)> {
    list.iter().map(|(head, from)| (head.name.clone(), value(from))).collect()
}
