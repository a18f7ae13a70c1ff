//! Plain data to bytes: the only place that knows what our XML looks like.
//!
//! The readers at the other end are libindi's, and weaker than XML allows. They know five entities and no numeric
//! references, drop control characters in attributes, and lose CDATA. So control characters are removed before
//! escaping (line breaks and tabs become blanks), names end at [`MAX_NAME`](super::MAX_NAME) and messages at [`MAX_MESSAGE`] bytes.
//!
//! One defect has no clean way around it: at the *beginning* of an element's text they do not decode an entity, so
//! `<b>` would arrive as `&lt;b>`. And once a text holds an entity anywhere, the server prints all five characters
//! in it as entities, so that `"a" < "b"` arrives as `&quot;a" < "b"` at libindi's clients. No spelling survives;
//! such a text is sent behind a [`GUARD`], which shows nothing on a screen and which [`parse`](super::parse) removes
//! again. A text without `&` and `<` is sent as it is, whatever it begins with. (Tried on indiserver.)

mod xml;

use std::time::SystemTime;

use base64::Engine;
use base64::engine::{Simd, general_purpose::PAD};

use self::xml::{Timestamp, Xml};
use super::number::Decimal;
use super::{
    BlobUpdate, Definition, ElementDefinition, Elements, Kind, Limits, MAX_MESSAGE, Message, New, Number,
    Payload, Perm, Request, Rule, State, Update, Values,
};

/// Zero-width space: neither white space that a reader trims, nor visible.
pub const GUARD: char = '\u{200b}';

/// Longest `uid` of our own pings: libindi's server keeps no more.
const MAX_UID: usize = 64;

/// What follows the base64 text after [`inline_head`].
pub const INLINE_TAIL: &[u8] = b"\n</oneBLOB>\n</setBLOBVector>\n";

/// Appends `message`, whole.
///
/// The bytes of an attached BLOB are not in it: its descriptor goes beside the first byte. For an inline BLOB of
/// many megabytes see [`inline_head`].
pub fn message(message: &Message, out: &mut Vec<u8>) {
    let mut xml = Xml { out, quote: '"' };
    match message {
        Message::Define(definition) => define(definition, &mut xml),
        Message::Set(update) => set(update, &mut xml),
        Message::SetBlob(update) => match &update.payload {
            Payload::Inline(bytes) | Payload::Deflated { bytes, .. } => {
                inline_head(update, xml.out);
                base64(bytes, xml.out);
                xml.out.extend_from_slice(INLINE_TAIL);
            }
            Payload::Attached(blob) => {
                open_blob(update, &mut xml);
                xml.shown("len", blob.len());
                xml.name("format", &update.format);
                xml.raw(" attached=\"true\"/>\n</setBLOBVector>\n");
            }
        },
        Message::Delete { device, name, at } => {
            xml.raw("<delProperty");
            xml.name("device", device);
            if let Some(name) = name {
                xml.name("name", name);
            }
            xml.shown("timestamp", Timestamp(*at));
            xml.raw("/>\n");
        }
        Message::Say { device, text, at } => {
            xml.raw("<message");
            if let Some(device) = device {
                xml.name("device", device);
            }
            xml.shown("timestamp", Timestamp(*at));
            xml.attribute("message", text, MAX_MESSAGE);
            xml.raw("/>\n");
        }
        Message::Snoop { device, name } => {
            xml.raw("<getProperties version=\"1.7\"");
            xml.name("device", device);
            if let Some(name) = name {
                xml.name("name", name);
            }
            xml.raw("/>\n");
        }
        Message::PingRequest { uid } => {
            xml.raw("<pingRequest");
            xml.attribute("uid", uid, MAX_UID);
            xml.raw("/>\n");
        }
        Message::PingReply { uid } => {
            xml.raw("<pingReply");
            xml.attribute("uid", uid, usize::MAX);
            xml.raw("/>\n");
        }
    }
}

/// Appends what goes before the base64 text of an inline BLOB, for a writer that encodes in pieces. After the
/// text, one unbroken line, comes [`INLINE_TAIL`].
///
/// The BLOB has no `enclen`: with it libindi's reader expects line breaks, and with line breaks libindi's decoder
/// counts them as payload.
pub fn inline_head(update: &BlobUpdate, out: &mut Vec<u8>) {
    let mut xml = Xml { out, quote: '"' };
    open_blob(update, &mut xml);
    xml.name("format", &update.format);
    xml.raw(">\n");
}

/// A saved configuration as libindi writes it, to the byte. Lights and BLOBs are not saved.
#[must_use]
pub fn document(vectors: &[New]) -> String {
    let mut bytes = b"<INDIDriver>\n".to_vec();
    let mut xml = Xml { out: &mut bytes, quote: '\'' };
    for vector in vectors {
        new_vector(vector, &mut xml);
    }
    xml.raw("</INDIDriver>\n");
    // Whole strings were put in, so nothing is replaced.
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Appends what a client asks, whole. A [`Request::Snooped`] is nothing that a client says.
pub fn request(request: &Request, out: &mut Vec<u8>) {
    let mut xml = Xml { out, quote: '"' };
    match request {
        Request::GetProperties { device, name } => {
            xml.raw("<getProperties version=\"1.7\"");
            for (attribute, value) in [("device", device), ("name", name)] {
                if let Some(value) = value {
                    xml.name(attribute, value);
                }
            }
            xml.raw("/>\n");
        }
        Request::New(vector) => new_vector(vector, &mut xml),
        Request::PingRequest { uid } => message(&Message::PingRequest { uid: uid.clone() }, out),
        Request::PingReply { uid } => message(&Message::PingReply { uid: uid.clone() }, out),
        Request::Snooped(_) => {}
    }
}

/// Appends a client's wish to get this BLOB beside everything else, which a server fulfils.
pub fn enable_blob(device: &str, name: &str, out: &mut Vec<u8>) {
    let mut xml = Xml { out, quote: '"' };
    xml.raw("<enableBLOB");
    xml.name("device", device);
    xml.name("name", name);
    xml.raw(">Also</enableBLOB>\n");
}

/// `YYYY-MM-DDTHH:MM:SS`, UTC. A time outside the years 1970 to 9999, which only a broken clock gives, is written
/// as the beginning of 1970.
#[must_use]
pub fn timestamp(at: SystemTime) -> String {
    Timestamp(at).to_string()
}

/// Whether libindi's server may print this character as an entity.
pub(super) fn has_entity(c: char) -> bool {
    matches!(c, '&' | '<' | '>' | '"' | '\'')
}

/// A `new*Vector`. Lights and BLOBs are neither saved nor asked for.
fn new_vector(New { device, name, kind, elements }: &New, xml: &mut Xml<'_>) {
    let kind = match kind {
        Kind::Text => "Text",
        Kind::Number => "Number",
        Kind::Switch => "Switch",
        Kind::Light | Kind::Blob => return,
    };
    xml.raws(&["<new", kind, "Vector"]);
    if let Some(device) = device {
        xml.name("device", device);
    }
    xml.name("name", name);
    xml.raw(">\n");
    for (name, text) in elements {
        xml.raws(&["  <one", kind]);
        xml.name("name", name);
        xml.raw(">\n      ");
        xml.content(text);
        xml.raws(&["\n  </one", kind, ">\n"]);
    }
    xml.raws(&["</new", kind, "Vector>\n"]);
}

fn define(definition: &Definition, xml: &mut Xml<'_>) {
    let Definition { device, name, label, group, state, perm, timeout, at, elements } = definition;
    let kind = match elements {
        Elements::Text(_) => "Text",
        Elements::Number(_) => "Number",
        Elements::Switch(..) => "Switch",
        Elements::Light(_) => "Light",
        Elements::Blob(_) => "BLOB",
    };
    xml.raws(&["<def", kind, "Vector"]);
    xml.name("device", device);
    xml.name("name", name);
    xml.name("label", label);
    xml.name("group", group);
    xml.shown("state", state_word(*state));
    if !matches!(elements, Elements::Light(_)) {
        xml.shown("perm", perm_word(*perm));
        if let Elements::Switch(rule, _) = elements {
            xml.shown("rule", rule_word(*rule));
        }
        xml.shown("timeout", Decimal(*timeout));
    }
    xml.shown("timestamp", Timestamp(*at));
    xml.raw(">\n");
    match elements {
        Elements::Text(elements) => {
            for (element, text) in elements {
                define_element(kind, element, None, xml, |xml| xml.content(text));
            }
        }
        Elements::Number(elements) => {
            for (element, number) in elements {
                define_element(kind, element, Some(number), xml, |xml| xml.show(Decimal(number.value)));
            }
        }
        Elements::Switch(_, elements) => {
            for (element, on) in elements {
                define_element(kind, element, None, xml, |xml| xml.raw(switch_word(*on)));
            }
        }
        Elements::Light(elements) => {
            for (element, light) in elements {
                define_element(kind, element, None, xml, |xml| xml.raw(state_word(*light)));
            }
        }
        Elements::Blob(elements) => {
            for element in elements {
                define_element(kind, element, None, xml, |_| {});
            }
        }
    }
    xml.raws(&["</def", kind, "Vector>\n"]);
}

fn define_element(
    kind: &str,
    element: &ElementDefinition,
    number: Option<&Number>,
    xml: &mut Xml<'_>,
    content: impl FnOnce(&mut Xml<'_>),
) {
    xml.raws(&["<def", kind]);
    xml.name("name", &element.name);
    xml.name("label", &element.label);
    if let Some(number) = number {
        xml.name("format", &number.format);
        write_limits(&number.limits, xml);
    }
    xml.raw(">");
    content(xml);
    xml.raws(&["</def", kind, ">\n"]);
}

fn set(update: &Update, xml: &mut Xml<'_>) {
    let kind = match update.values {
        Values::Text(_) => "Text",
        Values::Number(_) => "Number",
        Values::Switch(_) => "Switch",
        Values::Light(_) => "Light",
    };
    xml.raws(&["<set", kind, "Vector"]);
    xml.name("device", &update.device);
    xml.name("name", &update.name);
    xml.shown("state", state_word(update.state));
    if !matches!(update.values, Values::Light(_)) {
        xml.shown("timeout", Decimal(update.timeout));
    }
    xml.shown("timestamp", Timestamp(update.at));
    xml.raw(">\n");
    match &update.values {
        Values::Text(values) => {
            for (name, text) in values {
                set_element(kind, name, None, xml, |xml| xml.content(text));
            }
        }
        Values::Number(values) => {
            for (name, value, limits) in values {
                set_element(kind, name, limits.as_ref(), xml, |xml| xml.show(Decimal(*value)));
            }
        }
        Values::Switch(values) => {
            for (name, on) in values {
                set_element(kind, name, None, xml, |xml| xml.raw(switch_word(*on)));
            }
        }
        Values::Light(values) => {
            for (name, light) in values {
                set_element(kind, name, None, xml, |xml| xml.raw(state_word(*light)));
            }
        }
    }
    xml.raws(&["</set", kind, "Vector>\n"]);
}

fn set_element(
    kind: &str,
    name: &str,
    limits: Option<&Limits>,
    xml: &mut Xml<'_>,
    content: impl FnOnce(&mut Xml<'_>),
) {
    xml.raws(&["<one", kind]);
    xml.name("name", name);
    if let Some(limits) = limits {
        write_limits(limits, xml);
    }
    xml.raw(">");
    content(xml);
    xml.raws(&["</one", kind, ">\n"]);
}

/// The vector, and the `oneBLOB` as far as both ways of sending agree.
fn open_blob(update: &BlobUpdate, xml: &mut Xml<'_>) {
    xml.raw("<setBLOBVector");
    xml.name("device", &update.device);
    xml.name("name", &update.name);
    xml.shown("state", state_word(update.state));
    xml.shown("timeout", Decimal(update.timeout));
    xml.shown("timestamp", Timestamp(update.at));
    xml.raw(">\n<oneBLOB");
    xml.name("name", &update.element);
    xml.shown("size", update.payload.size());
}

fn write_limits(limits: &Limits, xml: &mut Xml<'_>) {
    xml.shown("min", Decimal(limits.min));
    xml.shown("max", Decimal(limits.max));
    xml.shown("step", Decimal(limits.step));
}

/// Appends the base64 text of bytes. Texts of pieces make one text if all but the last have a multiple of 3 bytes.
pub fn base64(bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    // The room is exact; were it too small, an empty BLOB would be the least harm.
    let written = Simd::standard(PAD).encode_slice(bytes, &mut out[start..]).unwrap_or(0);
    out.truncate(start + written);
}

fn state_word(state: State) -> &'static str {
    match state {
        State::Idle => "Idle",
        State::Ok => "Ok",
        State::Busy => "Busy",
        State::Alert => "Alert",
    }
}

fn perm_word(perm: Perm) -> &'static str {
    match perm {
        Perm::Ro => "ro",
        Perm::Wo => "wo",
        Perm::Rw => "rw",
    }
}

fn rule_word(rule: Rule) -> &'static str {
    match rule {
        Rule::OneOfMany => "OneOfMany",
        Rule::AtMostOne => "AtMostOne",
        Rule::AnyOfMany => "AnyOfMany",
    }
}

fn switch_word(on: bool) -> &'static str {
    if on { "On" } else { "Off" }
}

#[cfg(test)]
mod tests;
