//! The gate through which a client's write must pass.

use super::key::Values;
use super::rejection::{Rejection, quoted, word};
use super::store::{Store, Vector};
use crate::wire::{self, ElementDefinition, Elements, Limits, New, Perm, Rule, number};

impl Store {
    /// What a client's write would make of a vector. Nothing is changed: whoever owns the vector decides, and a
    /// refusal leaves everything as it was. Elements that the client left out keep their values; of a vector where
    /// one switch may be on, the client's choice replaces the old one.
    pub fn accept(&self, new: &New) -> Result<Values, Rejection> {
        match self.vector(&new.name) {
            Some(vector) if vector.defined => self.check(new),
            _ => Err(Rejection::Unknown { vector: quoted(&new.name) }),
        }
    }

    /// As [`accept`](Store::accept), but of a vector that clients need not know yet.
    pub fn check(&self, new: &New) -> Result<Values, Rejection> {
        let vector = self.vector(&new.name);
        let vector = vector.ok_or_else(|| Rejection::Unknown { vector: quoted(&new.name) })?;
        let name = || vector.name.clone();
        if vector.perm == Perm::Ro {
            return Err(Rejection::ReadOnly { vector: name() });
        }
        if vector.kind() != new.kind {
            return Err(Rejection::WrongKind {
                vector: name(),
                is: word(vector.kind()),
                got: word(new.kind),
            });
        }
        if new.elements.is_empty() {
            return Err(Rejection::Empty { vector: name() });
        }
        let names = vector.element_names();
        let mut wishes = Vec::with_capacity(new.elements.len());
        for (element, text) in &new.elements {
            let at = names.iter().position(|known| known == element);
            let at = at.ok_or_else(|| Rejection::UnknownElement {
                vector: name(),
                element: quoted(element),
                has: names.join(", "),
            })?;
            wishes.push((at, text.as_str()));
        }
        match &vector.elements {
            Elements::Number(list) => numbers(vector, list, &wishes),
            Elements::Switch(rule, list) => switches(vector, *rule, list, &wishes),
            Elements::Text(list) => {
                let mut texts: Vec<String> = list.iter().map(|(_, text)| text.clone()).collect();
                for (at, text) in &wishes {
                    (*text).clone_into(&mut texts[*at]);
                }
                Ok(Values::Texts(texts))
            }
            Elements::Light(_) | Elements::Blob(_) => Err(Rejection::ReadOnly { vector: name() }),
        }
    }
}

fn numbers(
    vector: &Vector,
    list: &[(ElementDefinition, wire::Number)],
    wishes: &[(usize, &str)],
) -> Result<Values, Rejection> {
    let mut values: Vec<f64> = list.iter().map(|(_, number)| number.value).collect();
    for (at, text) in wishes {
        let (head, number) = &list[*at];
        let value = number::parse(text).map_err(|error| Rejection::NotANumber {
            vector: vector.name.clone(),
            element: head.name.clone(),
            got: quoted(text),
            why: error.to_string(),
        })?;
        let Limits { min, max, .. } = number.limits;
        if !(min..=max).contains(&value) {
            let (vector, element) = (vector.name.clone(), head.name.clone());
            return Err(Rejection::OutOfRange { vector, element, got: value, min, max });
        }
        values[*at] = value;
    }
    Ok(Values::Numbers(values))
}

fn switches(
    vector: &Vector,
    rule: Rule,
    list: &[(ElementDefinition, bool)],
    wishes: &[(usize, &str)],
) -> Result<Values, Rejection> {
    let mut wanted = Vec::with_capacity(wishes.len());
    for (at, text) in wishes {
        wanted.push((
            *at,
            match *text {
                "On" => true,
                "Off" => false,
                _ => {
                    return Err(Rejection::NotASwitch {
                        vector: vector.name.clone(),
                        element: list[*at].0.name.clone(),
                        got: quoted(text),
                    });
                }
            },
        ));
    }
    let mut values: Vec<bool> = list.iter().map(|(_, on)| *on).collect();
    if rule != Rule::AnyOfMany && wanted.iter().any(|(_, on)| *on) {
        values.fill(false);
    }
    for (at, on) in wanted {
        values[at] = on;
    }
    let on = values.iter().filter(|on| **on).count();
    let broken = match rule {
        Rule::OneOfMany => (on != 1).then_some("exactly one"),
        Rule::AtMostOne => (on > 1).then_some("at most one"),
        Rule::AnyOfMany => None,
    };
    match broken {
        Some(rule) => Err(Rejection::RuleBroken { vector: vector.name.clone(), rule, on }),
        None => Ok(Values::Switches(values)),
    }
}
