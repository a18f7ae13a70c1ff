//! What `list_parameters` tells of each parameter.

use crate::camera::answer::ParameterEntry;
use crate::property::key::Key;
use crate::property::keys;
use crate::property::store::{Store, Vector};
use crate::wire::{Elements, Kind, Limits, Perm};

use super::FITS;
use super::table::{Named, Shape, TARGET};

/// Of a parameter of the Camera API.
pub(super) fn named(named: &Named, store: &Store) -> ParameterEntry {
    let vector = store.vector(named.vector);
    let limits = match named.shape {
        _ if named.name == TARGET => store
            .vector(keys::CCD_TEMPERATURE.vector())
            .and_then(|vector| limits(vector, "CCD_TEMPERATURE_VALUE")),
        // The limits of what is only read are those of a display.
        Shape::Number(element) | Shape::Integer(element) if !named.is_read_only() => {
            vector.and_then(|vector| limits(vector, element))
        }
        Shape::List(elements) => elements.first().and_then(|element| limits(vector?, element)),
        _ => None,
    };
    let choices = match named.shape {
        Shape::Choice(pairs) => pairs.iter().map(|(word, _)| (*word).to_owned()).collect(),
        Shape::Menu => vector
            .map(|vector| vector.element_names().into_iter().map(str::to_owned).collect())
            .unwrap_or_default(),
        _ => Vec::new(),
    };
    let entry = ParameterEntry {
        name: named.name.to_owned(),
        kind: named.shape.word().to_owned(),
        unit: Some(named.unit.to_owned()).filter(|unit| !unit.is_empty()),
        access: named.access.to_owned(),
        property: named.vector.to_owned(),
        choices,
        ..ParameterEntry::default()
    };
    limited(entry, limits)
}

/// Of the keywords of headers.
pub(super) fn keyword() -> ParameterEntry {
    ParameterEntry {
        name: format!("{FITS}<KEY>"),
        kind: "text".to_owned(),
        access: "W".to_owned(),
        property: keys::FITS_HEADER.vector().to_owned(),
        ..ParameterEntry::default()
    }
}

/// Of an element that has no name of its own; `None` for what has no value.
pub(super) fn element(vector: &Vector, element: &str) -> Option<ParameterEntry> {
    let kind = match vector.kind() {
        Kind::Number => "number",
        Kind::Switch => "bool",
        Kind::Text | Kind::Light => "text",
        Kind::Blob => return None,
    };
    let access = match vector.perm {
        Perm::Ro => "R",
        Perm::Wo => "W",
        Perm::Rw => "RW",
    };
    let entry = ParameterEntry {
        name: format!("{}.{element}", vector.name),
        kind: kind.to_owned(),
        access: access.to_owned(),
        property: vector.name.clone(),
        ..ParameterEntry::default()
    };
    Some(limited(entry, limits(vector, element).filter(|_| vector.perm != Perm::Ro)))
}

fn limits(vector: &Vector, element: &str) -> Option<Limits> {
    let Elements::Number(list) = &vector.elements else { return None };
    list.iter().find(|(head, _)| head.name == element).map(|(_, number)| number.limits)
}

fn limited(entry: ParameterEntry, limits: Option<Limits>) -> ParameterEntry {
    let Some(Limits { min, max, step }) = limits else { return entry };
    ParameterEntry { min: Some(min), max: Some(max), step: Some(step).filter(|step| *step > 0.0), ..entry }
}
