//! One whole element, or one saved configuration, to plain data.
//!
//! Forgiving about form, as libindi is: either quote, missing blanks between attributes, unknown attributes, CDATA,
//! numeric references and entities that nobody knows. Strict about meaning: a vector without a name, an element of
//! another kind than its vector, in a command also an element without a name, or tags that do not match make the
//! whole element unreadable, because carrying out a part of a command is worse than asking again.
//!
//! An empty `device`, `name` or `uid` counts as absent; libindi's reader cannot tell the two apart.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter};
use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesStart, Event};

use super::write::{GUARD, has_entity};
use super::{Kind, MAX_MESSAGE, MAX_NAME, New, News, Request, Snooped, State, cut};

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

/// Reads one element as the splitter delivers it.
///
/// `None` is an element that does not concern a driver: unknown ones, `enableBLOB`, and what names no device where
/// another device is meant. Bytes that are not UTF-8 become U+FFFD.
pub fn request(element: &[u8]) -> Result<Option<Request>, Unreadable> {
    let text = String::from_utf8_lossy(element);
    let mut source = Source::new(&text);
    let Some(root) = source.root()? else { return Ok(None) };
    let tag = root.name().into_inner();
    let vector = vector(tag);
    if vector.is_none()
        && !matches!(tag, "getProperties" | "message" | "delProperty" | "pingRequest" | "pingReply")
    {
        return Ok(None);
    }
    let Attributes { device, name, state, uid } = source.attributes(&root)?;
    let Some((verb, kind)) = vector else {
        source.skip(&root)?;
        return Ok(match tag {
            "getProperties" => Some(Request::GetProperties { device, name }),
            "pingRequest" => Some(Request::PingRequest { uid: uid.unwrap_or_default() }),
            "pingReply" => Some(Request::PingReply { uid: uid.unwrap_or_default() }),
            "message" => {
                device.map(|device| Request::Snooped(Snooped { device, name: None, news: News::Message }))
            }
            _ => device.map(|device| Request::Snooped(Snooped { device, name, news: News::Deleted })),
        });
    };
    let elements = source.elements(&root, verb, kind, verb == Verb::New)?;
    let name = name.ok_or_else(|| source.unreadable(&root, Fault::NamelessVector))?;
    Ok(match verb {
        Verb::New => Some(Request::New(New { device, name, kind, elements })),
        Verb::Set | Verb::Def => device.map(|device| {
            Request::Snooped(Snooped { device, name: Some(name), news: News::Values { state, elements } })
        }),
    })
}

/// Reads a saved configuration in libindi's format: an `INDIDriver` with `newTextVector`, `newNumberVector` and
/// `newSwitchVector` in it. Other children are passed over.
pub fn document(text: &str) -> Result<Vec<New>, Unreadable> {
    let mut source = Source::new(text);
    let root = source.root()?.filter(|root| root.name().into_inner() == "INDIDriver");
    let Some(root) = root else {
        return Err(source.unreadable(&BytesStart::new("configuration"), Fault::NotAConfiguration));
    };
    let mut vectors = Vec::new();
    loop {
        match source.event(&root)? {
            Event::Start(child) => match vector(child.name().into_inner()) {
                Some((Verb::New, kind @ (Kind::Text | Kind::Number | Kind::Switch))) => {
                    let Attributes { device, name, .. } = source.attributes(&child)?;
                    let name = name.ok_or_else(|| source.unreadable(&child, Fault::NamelessVector))?;
                    let elements = source.elements(&child, Verb::New, kind, false)?;
                    vectors.push(New { device, name, kind, elements });
                }
                _ => source.skip(&child)?,
            },
            Event::End(_) => return Ok(vectors),
            _ => {}
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Verb {
    New,
    Set,
    Def,
}

#[derive(Default)]
struct Attributes {
    device: Option<String>,
    name: Option<String>,
    state: Option<State>,
    uid: Option<String>,
}

struct Source<'a> {
    reader: Reader<&'a [u8]>,
    text: &'a str,
    /// Text of the element being read, kept to be used again.
    scratch: String,
}

impl<'a> Source<'a> {
    fn new(text: &'a str) -> Self {
        let mut reader = Reader::from_str(text);
        reader.config_mut().allow_dangling_amp = true;
        reader.config_mut().expand_empty_elements = true;
        Source { reader, text, scratch: String::new() }
    }

    /// The first start tag, if there is any.
    fn root(&mut self) -> Result<Option<BytesStart<'a>>, Unreadable> {
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
    fn event(&mut self, element: &BytesStart<'_>) -> Result<Event<'a>, Unreadable> {
        match self.reader.read_event() {
            Ok(Event::Eof) => {
                Err(self.unreadable(element, Fault::Syntax("ends without its closing tag".into())))
            }
            Ok(event) => Ok(event),
            Err(error) => Err(self.syntax(element, &error)),
        }
    }

    /// Passes over the content of `element`.
    fn skip(&mut self, element: &BytesStart<'_>) -> Result<(), Unreadable> {
        match self.reader.read_to_end(element.name()) {
            Ok(_) => Ok(()),
            Err(error) => Err(self.syntax(element, &error)),
        }
    }

    /// Names and texts of the elements of `vector`, up to its closing tag. Children that no vector has are passed
    /// over, and elements without a name too unless they must be `named`: libindi's camera simulator defines, sends
    /// and saves such an element, so only in a command to us is it a fault.
    fn elements(
        &mut self,
        vector: &BytesStart<'_>,
        verb: Verb,
        expected: Kind,
        named: bool,
    ) -> Result<Vec<(String, String)>, Unreadable> {
        let prefix = if verb == Verb::Def { "def" } else { "one" };
        let mut elements = Vec::new();
        loop {
            match self.event(vector)? {
                Event::Start(child) => match child.name().into_inner().strip_prefix(prefix).and_then(kind) {
                    Some(kind) if kind == expected => {
                        let Attributes { name, .. } = self.attributes(&child)?;
                        if named && name.is_none() {
                            return Err(self.unreadable(vector, Fault::NamelessElement));
                        }
                        let text = self.content(&child)?;
                        let text = if kind == Kind::Blob { "" } else { text };
                        elements.extend(name.map(|name| (name, text.to_owned())));
                    }
                    Some(_) => {
                        let child = child.name().into_inner().to_owned();
                        return Err(self.unreadable(vector, Fault::WrongKind(child)));
                    }
                    None => self.skip(&child)?,
                },
                Event::End(_) => return Ok(elements),
                _ => {}
            }
        }
    }

    /// The text of `element`, up to its closing tag; text of elements inside it does not count.
    fn content(&mut self, element: &BytesStart<'_>) -> Result<&str, Unreadable> {
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

    /// Those attributes of `element` that mean something to us; the first of two with the same name.
    fn attributes(&self, element: &BytesStart<'_>) -> Result<Attributes, Unreadable> {
        let mut found = Attributes::default();
        for attribute in element.attributes().with_checks(false) {
            let attribute =
                attribute.map_err(|error| self.unreadable(element, Fault::Syntax(error.to_string())))?;
            let slot = match attribute.key.into_inner() {
                "device" => &mut found.device,
                "name" => &mut found.name,
                "uid" => &mut found.uid,
                "state" => {
                    found.state = found.state.or_else(|| self::state(&attribute.value));
                    continue;
                }
                _ => continue,
            };
            if slot.is_none() {
                *slot = Some(unescape(&attribute.value).into_owned());
            }
        }
        for slot in [&mut found.device, &mut found.name, &mut found.uid] {
            slot.take_if(|value| value.is_empty());
        }
        Ok(found)
    }

    fn syntax(&self, element: &BytesStart<'_>, error: &quick_xml::Error) -> Unreadable {
        // The reader quotes the input, of which a peer may have sent any amount.
        let fault = Fault::Syntax(cut(&error.to_string(), MAX_MESSAGE).to_owned());
        Unreadable { line: self.line(self.reader.error_position()), ..self.unreadable(element, fault) }
    }

    fn unreadable(&self, element: &BytesStart<'_>, fault: Fault) -> Unreadable {
        let tag = cut(element.name().into_inner(), MAX_NAME).to_owned();
        Unreadable { tag, line: self.line(self.reader.buffer_position()), fault }
    }

    fn line(&self, position: u64) -> usize {
        let end = usize::try_from(position).map_or(self.text.len(), |position| position.min(self.text.len()));
        1 + memchr_iter(b'\n', &self.text.as_bytes()[..end]).count()
    }
}

fn vector(tag: &str) -> Option<(Verb, Kind)> {
    let (verb, rest) = tag.split_at_checked(3)?;
    let verb = match verb {
        "new" => Verb::New,
        "set" => Verb::Set,
        "def" => Verb::Def,
        _ => return None,
    };
    Some((verb, kind(rest.strip_suffix("Vector")?)?))
}

fn kind(word: &str) -> Option<Kind> {
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
fn state(word: &str) -> Option<State> {
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

#[cfg(test)]
mod tests;
