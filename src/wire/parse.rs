//! One whole element, or one saved configuration, to plain data.
//!
//! Forgiving about form, as libindi is: either quote, missing blanks between attributes, unknown attributes, CDATA,
//! numeric references and entities that nobody knows. Strict about meaning: a vector without a name, an element of
//! another kind than its vector, in a command also an element without a name, or tags that do not match make the
//! whole element unreadable, because carrying out a part of a command is worse than asking again.
//!
//! An empty `device`, `name` or `uid` counts as absent; libindi's reader cannot tell the two apart.

use quick_xml::events::{BytesStart, Event};

pub use super::source::{Fault, Unreadable};
use super::source::{Source, Verb, state, vector};
use super::{Kind, New, News, Request, Snooped, State};

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
    let Attributes { device, name, state, uid } = Attributes::read(&source, &root)?;
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
    let elements = elements(&mut source, &root, verb, kind, verb == Verb::New)?;
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
                    let Attributes { device, name, .. } = Attributes::read(&source, &child)?;
                    let name = name.ok_or_else(|| source.unreadable(&child, Fault::NamelessVector))?;
                    let elements = elements(&mut source, &child, Verb::New, kind, false)?;
                    vectors.push(New { device, name, kind, elements });
                }
                _ => source.skip(&child)?,
            },
            Event::End(_) => return Ok(vectors),
            _ => {}
        }
    }
}

/// Names and texts of the elements of `vector`, up to its closing tag. Children that no vector has are passed over,
/// and elements without a name too unless they must be `named`: libindi's camera simulator defines, sends and saves
/// such an element, so only in a command to us is it a fault.
fn elements(
    source: &mut Source<'_>,
    vector: &BytesStart<'_>,
    verb: Verb,
    expected: Kind,
    named: bool,
) -> Result<Vec<(String, String)>, Unreadable> {
    let mut elements = Vec::new();
    source.children(vector, verb, |source, child, kind| {
        if kind != expected {
            let child = child.name().into_inner().to_owned();
            return Err(source.unreadable(vector, Fault::WrongKind(child)));
        }
        let Attributes { name, .. } = Attributes::read(source, child)?;
        if named && name.is_none() {
            return Err(source.unreadable(vector, Fault::NamelessElement));
        }
        let text = source.content(child)?;
        let text = if kind == Kind::Blob { "" } else { text };
        elements.extend(name.map(|name| (name, text.to_owned())));
        Ok(())
    })?;
    Ok(elements)
}

/// Those attributes that mean something to a driver; the first of two with the same name.
#[derive(Default)]
struct Attributes {
    device: Option<String>,
    name: Option<String>,
    state: Option<State>,
    uid: Option<String>,
}

impl Attributes {
    fn read(source: &Source<'_>, element: &BytesStart<'_>) -> Result<Self, Unreadable> {
        let mut found = Attributes::default();
        source.attributes(element, |key, value| {
            let slot = match key {
                "device" => &mut found.device,
                "name" => &mut found.name,
                "uid" => &mut found.uid,
                "state" => {
                    found.state = found.state.or_else(|| state(&value));
                    return;
                }
                _ => return,
            };
            if slot.is_none() {
                *slot = Some(value.into_owned());
            }
        })?;
        for slot in [&mut found.device, &mut found.name, &mut found.uid] {
            slot.take_if(|value| value.is_empty());
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests;
