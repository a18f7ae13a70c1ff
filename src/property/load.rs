//! Skeleton files at run time: read into vectors, and replaced by those of a packager.

use std::collections::{HashMap, HashSet};

use quick_xml::events::{BytesStart, Event};

use super::store::Vector;
use crate::wire::{ElementDefinition, Elements, Kind, Limits, Number, Perm, Rule, State, number};

/// A skeleton that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {why}")]
pub struct SkeletonError {
    /// The file.
    pub file: String,
    /// Line of the vector or of the fault, from 1.
    pub line: usize,
    /// One clause.
    pub why: String,
}

/// Loads every vector of a skeleton text; `file` is for errors only.
pub fn load(file: &str, text: &str) -> Result<Vec<Vector>, SkeletonError> {
    Ok(read(file, text)?.into_iter().map(|(_, vector)| vector).collect())
}

/// Replaces vectors by those of the same name in a skeleton text that somebody else wrote. One that does not fit the
/// code (another kind, rule or element list, or no such vector) is left out and reported, never fatal.
#[must_use]
pub fn replace<'a>(
    vectors: impl IntoIterator<Item = &'a mut Vector>,
    file: &str,
    text: &str,
) -> Vec<SkeletonError> {
    let replacements = match read(file, text) {
        Ok(replacements) => replacements,
        Err(error) => return vec![error],
    };
    let mut vectors: HashMap<String, &mut Vector> =
        vectors.into_iter().map(|vector| (vector.name.clone(), vector)).collect();
    let mut errors = Vec::new();
    for (line, replacement) in replacements {
        let misfit = match vectors.get(&replacement.name) {
            None => Some("is no property of this driver".to_owned()),
            Some(own) if own.kind() != replacement.kind() => Some("has another kind".to_owned()),
            Some(own) if own.rule() != replacement.rule() => Some("has another rule".to_owned()),
            Some(own) if own.element_names() != replacement.element_names() => {
                Some(format!("must have exactly these elements: {}", own.element_names().join(", ")))
            }
            Some(_) => None,
        };
        match (misfit, vectors.get_mut(&replacement.name)) {
            (None, Some(own)) => **own = replacement,
            (misfit, _) => errors.push(SkeletonError {
                file: file.to_owned(),
                line,
                why: format!("{} {}", replacement.name, misfit.unwrap_or_default()),
            }),
        }
    }
    errors
}

/// Every vector and the line where it begins.
fn read(file: &str, text: &str) -> Result<Vec<(usize, Vector)>, SkeletonError> {
    let mut reader = quick_xml::Reader::from_str(text);
    let line_at = |at: u64| {
        1 + text.bytes().take(usize::try_from(at).unwrap_or(usize::MAX)).filter(|byte| *byte == b'\n').count()
    };
    let fail = |at: u64, why: String| SkeletonError { file: file.to_owned(), line: line_at(at), why };
    let mut vectors: Vec<(usize, Vector)> = Vec::new();
    let mut names = HashSet::new();
    let mut vector: Option<Loading> = None;
    let mut begins = 1;
    let mut element: Option<(Attributes, String)> = None;
    loop {
        let at = reader.buffer_position();
        let event = reader.read_event().map_err(|error| fail(at, error.to_string()))?;
        let empty = matches!(event, Event::Empty(_));
        match event {
            Event::Eof => return Ok(vectors),
            Event::Start(tag) | Event::Empty(tag) => {
                let attributes = Attributes::read(&tag).map_err(|why| fail(at, why))?;
                if let Some(open) = &mut vector {
                    if empty {
                        open.element(&attributes, "").map_err(|why| fail(at, why))?;
                    } else {
                        element = Some((attributes, String::new()));
                    }
                } else if attributes.tag.ends_with("Vector") {
                    begins = line_at(at);
                    vector = Some(Loading::new(&attributes).map_err(|why| fail(at, why))?);
                }
            }
            Event::Text(piece) => {
                if let Some((_, content)) = &mut element {
                    content.push_str(&piece);
                }
            }
            Event::GeneralRef(_) => {
                return Err(fail(at, "a default with an entity in it is not supported".to_owned()));
            }
            Event::End(_) => {
                if let Some((attributes, content)) = element.take() {
                    if let Some(open) = &mut vector {
                        open.element(&attributes, content.trim()).map_err(|why| fail(at, why))?;
                    }
                } else if let Some(open) = vector.take() {
                    let done = open.finish().map_err(|why| fail(at, why))?;
                    if !names.insert(done.name.clone()) {
                        return Err(fail(at, format!("{} is defined twice", done.name)));
                    }
                    vectors.push((begins, done));
                }
            }
            _ => {}
        }
    }
}

struct Attributes {
    tag: String,
    pairs: Vec<(String, String)>,
}

impl Attributes {
    fn read(tag: &BytesStart<'_>) -> Result<Self, String> {
        let mut pairs = Vec::new();
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|error| error.to_string())?;
            let value = attribute
                .normalized_value(quick_xml::XmlVersion::Implicit1_0)
                .map_err(|error| error.to_string())?;
            pairs.push((attribute.key.as_ref().to_owned(), value.into_owned()));
        }
        Ok(Attributes { tag: tag.name().as_ref().to_owned(), pairs })
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn need(&self, name: &str) -> Result<&str, String> {
        self.get(name).filter(|value| !value.is_empty()).ok_or_else(|| format!("{} lacks {name}", self.tag))
    }

    fn number(&self, name: &str) -> Result<f64, String> {
        number::parse(self.need(name)?).map_err(|error| format!("{name}: {error}"))
    }
}

/// A vector whose end has not been seen yet.
struct Loading {
    kind: Kind,
    vector: Vector,
}

impl Loading {
    fn new(attributes: &Attributes) -> Result<Self, String> {
        let kind = match attributes.tag.as_str() {
            "defTextVector" => Kind::Text,
            "defNumberVector" => Kind::Number,
            "defSwitchVector" => Kind::Switch,
            "defLightVector" => Kind::Light,
            "defBLOBVector" => Kind::Blob,
            other => return Err(format!("{other} is no vector definition")),
        };
        let perm = match (kind, attributes.get("perm")) {
            (Kind::Light, _) | (_, Some("ro")) => Perm::Ro,
            (_, Some("wo")) => Perm::Wo,
            (_, Some("rw")) => Perm::Rw,
            (_, other) => return Err(format!("perm takes ro, wo or rw, not {}", other.unwrap_or("nothing"))),
        };
        let elements = match kind {
            Kind::Text => Elements::Text(Vec::new()),
            Kind::Number => Elements::Number(Vec::new()),
            Kind::Switch => {
                let rule = match attributes.need("rule")? {
                    "OneOfMany" => Rule::OneOfMany,
                    "AtMostOne" => Rule::AtMostOne,
                    "AnyOfMany" => Rule::AnyOfMany,
                    other => return Err(format!("{other} is no switch rule")),
                };
                Elements::Switch(rule, Vec::new())
            }
            Kind::Light => Elements::Light(Vec::new()),
            Kind::Blob => Elements::Blob(Vec::new()),
        };
        let timeout = if attributes.get("timeout").is_some() { attributes.number("timeout")? } else { 0.0 };
        let name = attributes.need("name")?.to_owned();
        let text = |key| attributes.get(key).unwrap_or_default().to_owned();
        let (label, group) = (text("label"), text("group"));
        let state = state(attributes.need("state")?)?;
        let vector = Vector { name, label, group, state, perm, timeout, elements, defined: false };
        Ok(Loading { kind, vector })
    }

    fn element(&mut self, attributes: &Attributes, content: &str) -> Result<(), String> {
        let expected = match self.kind {
            Kind::Text => "defText",
            Kind::Number => "defNumber",
            Kind::Switch => "defSwitch",
            Kind::Light => "defLight",
            Kind::Blob => "defBLOB",
        };
        if attributes.tag != expected {
            return Err(format!(
                "{} stands in {} where {expected} belongs",
                attributes.tag, self.vector.name
            ));
        }
        let name = attributes.need("name")?.to_owned();
        let label = attributes.get("label").unwrap_or(&name).to_owned();
        let head = ElementDefinition { name, label };
        match &mut self.vector.elements {
            Elements::Text(list) => list.push((head, content.to_owned())),
            Elements::Number(list) => {
                let format = attributes.need("format")?.to_owned();
                let limits = Limits {
                    min: attributes.number("min")?,
                    max: attributes.number("max")?,
                    step: attributes.number("step")?,
                };
                let value = number::parse(content).map_err(|error| format!("{}: {error}", head.name))?;
                list.push((head, Number { value, format, limits }));
            }
            Elements::Switch(_, list) => match content {
                "On" => list.push((head, true)),
                "Off" => list.push((head, false)),
                other => return Err(format!("{} takes On or Off, not {other}", head.name)),
            },
            Elements::Light(list) => list.push((head, state(content)?)),
            Elements::Blob(list) => list.push(head),
        }
        Ok(())
    }

    fn finish(self) -> Result<Vector, String> {
        let mut names = HashSet::new();
        let elements = self.vector.element_names();
        // Menus and some texts get their elements at run time; of any other vector the keys would know.
        let may_be_empty = self.vector.rule() == Some(Rule::OneOfMany) || self.vector.kind() == Kind::Text;
        if elements.is_empty() && !may_be_empty {
            return Err(format!("{} has no elements", self.vector.name));
        }
        if let Some(twice) = elements.iter().find(|name| !names.insert(**name)) {
            return Err(format!("{} has two elements named {twice}", self.vector.name));
        }
        Ok(self.vector)
    }
}

fn state(word: &str) -> Result<State, String> {
    match word {
        "Idle" => Ok(State::Idle),
        "Ok" => Ok(State::Ok),
        "Busy" => Ok(State::Busy),
        "Alert" => Ok(State::Alert),
        other => Err(format!("{other} is no state")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = r#"<INDIDriver>
<defSwitchVector name="MODE" label="Mode" group="g" state="Idle" perm="rw" rule="OneOfMany" timeout="0">
<defSwitch name="A" label="a">On</defSwitch>
<defSwitch name="B" label="b">Off</defSwitch>
</defSwitchVector></INDIDriver>"#;

    fn replaced(text: &str) -> (Vector, Vec<String>) {
        let mut vectors = load("own.xml", OWN).unwrap();
        let errors = replace(&mut vectors, "other.xml", text);
        (vectors.remove(0), errors.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_packager_changes_labels_and_defaults() {
        let (vector, errors) = replaced(
            &OWN.replace("Mode", "Modus").replace("On<", "?<").replace("Off<", "On<").replace("?<", "Off<"),
        );
        assert_eq!((vector.label.as_str(), errors), ("Modus", Vec::new()));
        assert_eq!(vector.values(), Some(crate::property::key::Values::Switches(vec![false, true])));
    }

    #[test]
    fn what_does_not_fit_the_code_is_reported_with_its_line_and_left_out() {
        let cases = [
            (
                OWN.replace(r#"name="B""#, r#"name="C""#),
                "other.xml:2: MODE must have exactly these elements: A, B",
            ),
            (OWN.replace("OneOfMany", "AnyOfMany"), "other.xml:2: MODE has another rule"),
            (
                OWN.replace(r#"name="MODE""#, r#"name="MOOD""#),
                "other.xml:2: MOOD is no property of this driver",
            ),
            (
                OWN.replace("Switch", "Text").replace(r#" rule="OneOfMany""#, ""),
                "other.xml:2: MODE has another kind",
            ),
            (OWN.replace(">Off<", ">Maybe<"), "other.xml:4: B takes On or Off, not Maybe"),
            (OWN.replace("</defSwitchVector>", ""), "other.xml:5:"),
            ("no XML at all <".to_owned(), "other.xml:1:"),
        ];
        for (text, expected) in cases {
            let (vector, errors) = replaced(&text);
            assert_eq!(vector.label, "Mode", "{expected}");
            assert!(errors.len() == 1 && errors[0].starts_with(expected), "{errors:?} is not {expected}");
        }
    }

    #[test]
    fn broken_skeletons_are_refused_with_the_reason() {
        let cases = [
            (OWN.replace(r#"perm="rw""#, ""), "perm takes ro, wo or rw, not nothing"),
            (OWN.replace(r#"name="B""#, r#"name="A""#), "MODE has two elements named A"),
            (
                OWN.replace("<defSwitch name=\"B\"", "<defText name=\"B\"")
                    .replace("Off</defSwitch>", "Off</defText>"),
                "defText stands in MODE where defSwitch belongs",
            ),
            (OWN.replace("OneOfMany", "OnlyOne"), "OnlyOne is no switch rule"),
            (
                r#"<defNumberVector name="EMPTY" state="Idle" perm="rw"></defNumberVector>"#.to_owned(),
                "EMPTY has no elements",
            ),
            (OWN.replace(r#"state="Idle""#, r#"state="Fine""#), "Fine is no state"),
        ];
        for (text, expected) in cases {
            assert_eq!(load("own.xml", &text).unwrap_err().why, expected);
        }
    }
}
