//! Every wrong kind of write, to every property that there is: refused whole, answered with one sentence and the true
//! values, heard by no camera.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a failed step is a failed test")]

#[path = "support/rehearsal.rs"]
mod rehearsal;

use indi_camera::wire::{Definition, Elements, Kind, Message, New, Perm, Rule, State, Values};
use rehearsal::Rehearsal;

#[test]
fn every_wrong_write_to_every_property_is_refused_whole() {
    let mut rehearsal = Rehearsal::connected();
    let vectors = definitions(&mut rehearsal);
    assert!(vectors.len() > 20, "only {} properties are defined", vectors.len());
    let mut tried = 0;
    for vector in &vectors {
        for (what, kind, elements) in wrong_writes(vector) {
            let before = values(&definition(&mut rehearsal, &vector.name));
            rehearsal.take_heard();
            rehearsal.write(New {
                device: Some("Cam".to_owned()),
                name: vector.name.clone(),
                kind,
                elements: elements.clone(),
            });
            let told = rehearsal.take_messages();
            let heard = rehearsal.take_heard();
            let context = || format!("{} {what} {elements:?}: {heard:#?}", vector.name);

            let sentences: Vec<&String> = told.iter().filter_map(sentence).collect();
            assert_eq!(sentences.len(), 1, "one sentence: {}", context());
            assert!(
                sentences[0].starts_with("[ERROR] ") && sentences[0].contains(&vector.name),
                "{}",
                context()
            );
            let updates: Vec<_> = told.iter().filter_map(update).collect();
            let is_blob = matches!(vector.elements, Elements::Blob(_));
            assert_eq!(updates.len(), usize::from(!is_blob), "one set: {}", context());
            for (name, state, values) in updates {
                assert_eq!((name, values), (vector.name.clone(), before.clone()), "{}", context());
                let expected = if vector.perm == Perm::Ro { vector.state } else { State::Alert };
                assert_eq!(state, expected, "{}", context());
            }
            assert!(!heard.iter().any(|line| line.starts_with("! ")), "the camera was asked: {}", context());
            tried += 1;
        }
    }
    assert!(tried > 100, "only {tried} wrong writes were tried");
}

#[test]
fn a_partial_write_changes_what_it_names_and_keeps_the_rest() {
    let mut rehearsal = Rehearsal::connected();
    for vector in definitions(&mut rehearsal) {
        let Elements::Number(list) = &vector.elements else { continue };
        if vector.perm == Perm::Ro || list.len() < 2 {
            continue;
        }
        // What is written is what is there already, so no other rule can refuse it.
        let (head, number) = list.last().unwrap();
        rehearsal.write(New {
            device: Some("Cam".to_owned()),
            name: vector.name.clone(),
            kind: Kind::Number,
            elements: vec![(head.name.clone(), number.value.to_string())],
        });
        let told = rehearsal.take_messages();
        assert_eq!(told.iter().filter_map(sentence).count(), 0, "{}: {told:?}", vector.name);
        assert_eq!(values(&definition(&mut rehearsal, &vector.name)), values(&vector));
    }
}

/// Every property as it is defined now.
fn definitions(rehearsal: &mut Rehearsal) -> Vec<Definition> {
    rehearsal.take_messages();
    rehearsal.act("> getProperties").unwrap();
    let defined = |message| match message {
        Message::Define(definition) => Some(definition),
        _ => None,
    };
    rehearsal.take_messages().into_iter().filter_map(defined).collect()
}

fn definition(rehearsal: &mut Rehearsal, name: &str) -> Definition {
    definitions(rehearsal).into_iter().find(|vector| vector.name == name).unwrap()
}

type Write = (&'static str, Kind, Vec<(String, String)>);

/// Writes that this property must refuse.
fn wrong_writes(vector: &Definition) -> Vec<Write> {
    let one = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    let mut writes: Vec<Write> = Vec::new();
    let kind = match &vector.elements {
        Elements::Text(_) => Kind::Text,
        Elements::Number(_) => Kind::Number,
        Elements::Switch(..) => Kind::Switch,
        Elements::Light(_) => Kind::Light,
        Elements::Blob(_) => Kind::Blob,
    };
    for other in [Kind::Text, Kind::Number, Kind::Switch, Kind::Blob] {
        if other != kind {
            writes.push(("of another kind", other, one("X", "1")));
        }
    }
    writes.push(("to an unknown element", kind, one("NO_SUCH_ELEMENT", "1")));
    writes.push(("without an element", kind, Vec::new()));
    match &vector.elements {
        Elements::Number(list) => {
            for (head, number) in list {
                for text in ["", "abc", "nan", "inf", "-inf", "1e999", "1,5", "0x10", "12abc"] {
                    writes.push(("of no number", kind, one(&head.name, text)));
                }
                for value in [number.limits.min - 1.0, number.limits.max + 1.0] {
                    writes.push(("out of range", kind, one(&head.name, &value.to_string())));
                }
                let good = (head.name.clone(), number.value.to_string());
                writes.push(("half right", kind, vec![good, ("NO_SUCH_ELEMENT".to_owned(), "1".to_owned())]));
            }
        }
        Elements::Switch(rule, list) => {
            writes.push(("of no switch", kind, one(&list[0].0.name, "Maybe")));
            let on = |(head, _): &(_, bool)| -> (String, String) { (name(head), "On".to_owned()) };
            if *rule != Rule::AnyOfMany && list.len() > 1 {
                writes.push(("of two", kind, list.iter().take(2).map(on).collect()));
            }
            if *rule == Rule::OneOfMany {
                let off = list.iter().map(|(head, _)| (head.name.clone(), "Off".to_owned()));
                writes.push(("of none", kind, off.collect()));
            }
        }
        Elements::Text(_) | Elements::Light(_) | Elements::Blob(_) => {}
    }
    writes
}

fn name(head: &indi_camera::wire::ElementDefinition) -> String {
    head.name.clone()
}

fn sentence(message: &Message) -> Option<&String> {
    match message {
        Message::Say { text, .. } => Some(text),
        _ => None,
    }
}

fn update(message: &Message) -> Option<(String, State, Vec<String>)> {
    let Message::Set(update) = message else { return None };
    let values = match &update.values {
        Values::Text(list) => list.iter().map(|(name, value)| format!("{name}={value}")).collect(),
        Values::Number(list) => list.iter().map(|(name, value, _)| format!("{name}={value}")).collect(),
        Values::Switch(list) => list.iter().map(|(name, value)| format!("{name}={value}")).collect(),
        Values::Light(list) => list.iter().map(|(name, value)| format!("{name}={value:?}")).collect(),
    };
    Some((update.name.clone(), update.state, values))
}

fn values(definition: &Definition) -> Vec<String> {
    match &definition.elements {
        Elements::Text(list) => list.iter().map(|(head, value)| format!("{}={value}", head.name)).collect(),
        Elements::Number(list) => list.iter().map(|(head, n)| format!("{}={}", head.name, n.value)).collect(),
        Elements::Switch(_, list) => {
            list.iter().map(|(head, value)| format!("{}={value}", head.name)).collect()
        }
        Elements::Light(list) => {
            list.iter().map(|(head, value)| format!("{}={value:?}", head.name)).collect()
        }
        Elements::Blob(_) => Vec::new(),
    }
}
