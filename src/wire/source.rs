//! One element as quick-xml's events, forgiving about form: what [`parse`](super::parse) and [`news`](super::news)
//! read with.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter};
use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesStart, Event};

use super::write::{GUARD, has_entity};
use super::{Kind, MAX_MESSAGE, MAX_NAME, State, cut};

/// Why an element or a document could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unreadable {tag} at line {line}: {fault}")]
pub struct Unreadable {
    /// The element, or the vector within a document.
    pub tag: String,
    /// Line within the element or document, from 1.
    pub line: usize,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with an [`Unreadable`] element.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not well-formed XML, in the words of the XML reader.
    #[error("{0}")]
    Syntax(String),
    /// A vector has no name.
    #[error("vector without a name")]
    NamelessVector,
    /// An element of a `new*Vector` has no name.
    #[error("element without a name")]
    NamelessElement,
    /// An element of one kind in a vector of another, such as `oneNumber` in `newSwitchVector`.
    #[error("{0} in a vector of another kind")]
    WrongKind(String),
    /// The document is no configuration file.
    #[error("no INDIDriver element")]
    NotAConfiguration,
}

/// What is done to a vector.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Verb {
    New,
    Set,
    Def,
}

/// The events of one text.
pub(super) struct Source<'a> {
    reader: Reader<&'a [u8]>,
    text: &'a str,
    /// Text of the element being read, kept to be used again.
    scratch: String,
}

impl<'a> Source<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let mut reader = Reader::from_str(text);
        reader.config_mut().allow_dangling_amp = true;
        reader.config_mut().expand_empty_elements = true;
        Source { reader, text, scratch: String::new() }
    }

    /// The first start tag, if there is any.
    pub(super) fn root(&mut self) -> Result<Option<BytesStart<'a>>, Unreadable> {
        loop {
            match self.reader.read_event() {
                Ok(Event::Start(root)) => return Ok(Some(root)),
                Ok(Event::Eof) => return Ok(None),
                Ok(_) => {}
                Err(error) => return Err(self.syntax(&BytesStart::new("input"), &error)),
            }
        }
    }

    /// The next event within `element`, which must not end before its closing tag.
    pub(super) fn event(&mut self, element: &BytesStart<'_>) -> Result<Event<'a>, Unreadable> {
        match self.reader.read_event() {
            Ok(Event::Eof) => {
                Err(self.unreadable(element, Fault::Syntax("ends without its closing tag".into())))
            }
            Ok(event) => Ok(event),
            Err(error) => Err(self.syntax(element, &error)),
        }
    }

    /// Passes over the content of `element`.
    pub(super) fn skip(&mut self, element: &BytesStart<'_>) -> Result<(), Unreadable> {
        match self.reader.read_to_end(element.name()) {
            Ok(_) => Ok(()),
            Err(error) => Err(self.syntax(element, &error)),
        }
    }

    /// Shows `take` every child of `vector` that a vector could have, and its kind, up to the closing tag. Others are
    /// passed over; `take` reads the child up to its own closing tag.
    pub(super) fn children(
        &mut self,
        vector: &BytesStart<'_>,
        verb: Verb,
        mut take: impl FnMut(&mut Self, &BytesStart<'_>, Kind) -> Result<(), Unreadable>,
    ) -> Result<(), Unreadable> {
        let prefix = if verb == Verb::Def { "def" } else { "one" };
        loop {
            match self.event(vector)? {
                Event::Start(child) => match child.name().into_inner().strip_prefix(prefix).and_then(kind) {
                    Some(kind) => take(self, &child, kind)?,
                    None => self.skip(&child)?,
                },
                Event::End(_) => return Ok(()),
                _ => {}
            }
        }
    }

    /// The text of `element`, up to its closing tag; text of elements inside it does not count.
    pub(super) fn content(&mut self, element: &BytesStart<'_>) -> Result<&str, Unreadable> {
        self.scratch.clear();
        let mut depth = 0;
        loop {
            match self.event(element)? {
                Event::Start(_) => depth += 1,
                Event::End(_) if depth == 0 => return Ok(trim(&self.scratch)),
                Event::End(_) => depth -= 1,
                Event::Text(text) if depth == 0 => self.scratch.push_str(&text.xml10_content()),
                Event::CData(text) if depth == 0 => self.scratch.push_str(&text.xml10_content()),
                Event::GeneralRef(name) if depth == 0 => push_reference(&name, &mut self.scratch),
                _ => {}
            }
        }
    }

    /// Shows `take` every attribute of `element` with its unescaped value, in order.
    pub(super) fn attributes(
        &self,
        element: &BytesStart<'_>,
        mut take: impl FnMut(&str, Cow<'_, str>),
    ) -> Result<(), Unreadable> {
        for attribute in element.attributes().with_checks(false) {
            let attribute =
                attribute.map_err(|error| self.unreadable(element, Fault::Syntax(error.to_string())))?;
            take(attribute.key.into_inner(), unescape(&attribute.value));
        }
        Ok(())
    }

    fn syntax(&self, element: &BytesStart<'_>, error: &quick_xml::Error) -> Unreadable {
        // The reader quotes the input, of which a peer may have sent any amount.
        let fault = Fault::Syntax(cut(&error.to_string(), MAX_MESSAGE).to_owned());
        Unreadable { line: self.line(self.reader.error_position()), ..self.unreadable(element, fault) }
    }

    pub(super) fn unreadable(&self, element: &BytesStart<'_>, fault: Fault) -> Unreadable {
        let tag = cut(element.name().into_inner(), MAX_NAME).to_owned();
        Unreadable { tag, line: self.line(self.reader.buffer_position()), fault }
    }

    fn line(&self, position: u64) -> usize {
        let end = usize::try_from(position).map_or(self.text.len(), |position| position.min(self.text.len()));
        1 + memchr_iter(b'\n', &self.text.as_bytes()[..end]).count()
    }
}

/// What a vector's tag says.
pub(super) fn vector(tag: &str) -> Option<(Verb, Kind)> {
    let (verb, rest) = tag.split_at_checked(3)?;
    let verb = match verb {
        "new" => Verb::New,
        "set" => Verb::Set,
        "def" => Verb::Def,
        _ => return None,
    };
    Some((verb, kind(rest.strip_suffix("Vector")?)?))
}

/// The kind of vector of that word.
pub(super) fn kind(word: &str) -> Option<Kind> {
    Some(match word {
        "Text" => Kind::Text,
        "Number" => Kind::Number,
        "Switch" => Kind::Switch,
        "Light" => Kind::Light,
        "BLOB" => Kind::Blob,
        _ => return None,
    })
}

/// libindi takes every word that begins with `Ok` for `Ok`.
pub(super) fn state(word: &str) -> Option<State> {
    match word {
        "Idle" => Some(State::Idle),
        "Busy" => Some(State::Busy),
        "Alert" => Some(State::Alert),
        _ => word.starts_with("Ok").then_some(State::Ok),
    }
}

/// Without the white space around it (C's `isspace`), and without the guard that our writer puts in front of a
/// character which libindi's reader cannot begin with.
pub(super) fn trim(text: &str) -> &str {
    let text = text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b');
    text.strip_prefix(GUARD).filter(|rest| rest.starts_with(has_entity)).unwrap_or(text)
}

/// An attribute's value. White space becomes blanks, as XML has it.
pub(super) fn unescape(value: &str) -> Cow<'_, str> {
    // `&#x10FFFF;` with room for some zeros. The search for `;` must end early: a peer may send a million `&`.
    const LONGEST_REFERENCE: usize = 16;

    if !value.bytes().any(|byte| matches!(byte, b'&' | b'\n' | b'\r' | b'\t')) {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(ampersand) = memchr(b'&', rest.as_bytes()) {
        push_blanked(&rest[..ampersand], &mut out);
        rest = &rest[ampersand + 1..];
        match memchr(b';', &rest.as_bytes()[..rest.len().min(LONGEST_REFERENCE)]) {
            Some(end) if memchr(b'&', &rest.as_bytes()[..end]).is_none() => {
                push_reference(&rest[..end], &mut out);
                rest = &rest[end + 1..];
            }
            _ => out.push('&'),
        }
    }
    push_blanked(rest, &mut out);
    Cow::Owned(out)
}

fn push_blanked(text: &str, out: &mut String) {
    out.extend(text.chars().map(|c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c }));
}

/// The character that `&name;` stands for; unknown ones stay as they are, and so do control characters, which
/// would otherwise reach file names and terminals.
pub(super) fn push_reference(name: &str, out: &mut String) {
    let number = name.strip_prefix('#').and_then(|digits| match digits.strip_prefix('x') {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            u32::from_str_radix(digits, 16).ok()
        }
        None if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok(),
        _ => None,
    });
    match number.and_then(char::from_u32).filter(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r')) {
        Some(character) => out.push(character),
        None => match resolve_xml_entity(name) {
            Some(text) => out.push_str(text),
            None => out.extend(["&", name, ";"]),
        },
    }
}
