//! One XML element as a test wants to look at it, and the BLOB inside.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// One XML element.
#[derive(Debug, Default)]
pub struct Element {
    /// Its name.
    pub tag: String,
    /// Attribute values, unescaped.
    pub attributes: BTreeMap<String, String>,
    /// Text directly inside, trimmed and unescaped.
    pub text: String,
    /// Elements inside.
    pub children: Vec<Element>,
    /// What came beside an `attached="true"`.
    pub fd: Option<OwnedFd>,
}

impl Element {
    /// An attribute, or nothing.
    pub fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    /// The text of the child with this `name` attribute.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.children.iter().find(|child| child.attribute("name") == name).map(|child| child.text.as_str())
    }

    /// Whether it has this tag and this `name` attribute.
    pub fn is(&self, tag: &str, name: &str) -> bool {
        self.tag == tag && self.attribute("name") == name
    }

    /// The one BLOB inside a `setBLOBVector`, by whichever way it came.
    pub fn blob(mut self) -> Blob {
        assert_eq!((self.tag.as_str(), self.children.len()), ("setBLOBVector", 1), "{self:?}");
        let mut one = self.children.remove(0);
        let fd = one.fd.take();
        let number = |name: &str| one.attribute(name).parse::<usize>().expect("a BLOB says how long it is");
        let size = number("size");
        let attached = fd.is_some();
        let bytes = match fd {
            Some(fd) => {
                let file = File::from(fd);
                // Local clients map this much, and die where the file is shorter.
                assert!(file.metadata().unwrap().len() >= size as u64, "memory shorter than size={size}");
                let length = if one.attributes.contains_key("len") { number("len") } else { size };
                let mut bytes = vec![0; length];
                file.read_exact_at(&mut bytes, 0).unwrap();
                bytes
            }
            None => BASE64.decode(&one.text).expect("base64 in one line"),
        };
        Blob { bytes, attached, attributes: one.attributes }
    }

    fn start(start: &BytesStart<'_>) -> Result<Element, quick_xml::Error> {
        let mut element = Element { tag: String::from(start.name().as_ref()), ..Element::default() };
        for attribute in start.attributes() {
            let attribute = attribute?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0)?.into_owned();
            element.attributes.insert(String::from(attribute.key.as_ref()), value);
        }
        Ok(element)
    }

    /// Strict: what quick-xml does not like, no test should let pass.
    pub fn parse(raw: &str) -> Result<Element, quick_xml::Error> {
        let mut reader = Reader::from_str(raw);
        let mut open = vec![Element::default()];
        loop {
            let closed = match reader.read_event()? {
                Event::Start(start) => {
                    open.push(Element::start(&start)?);
                    continue;
                }
                Event::Empty(start) => Element::start(&start)?,
                Event::End(_) => open.pop().expect("quick-xml matches ends with starts"),
                Event::Text(text) => {
                    open.last_mut().expect("the root is never closed").text.push_str(&text);
                    continue;
                }
                Event::GeneralRef(reference) => {
                    let plain = quick_xml::escape::unescape(&format!("&{};", &*reference))?.into_owned();
                    open.last_mut().expect("the root is never closed").text.push_str(&plain);
                    continue;
                }
                Event::Eof => break,
                other => panic!("{other:?} has no place in INDI"),
            };
            open.last_mut().expect("the root is never closed").adopt(closed);
        }
        Ok(open.remove(0).children.remove(0))
    }

    fn adopt(&mut self, mut child: Element) {
        child.text = child.text.trim().to_owned();
        self.children.push(child);
    }
}

/// A frame, or whatever else came as a BLOB.
#[derive(Debug)]
pub struct Blob {
    /// The decoded bytes: `len` of them where that is given, else `size`.
    pub bytes: Vec<u8>,
    /// Came as a descriptor.
    pub attached: bool,
    /// Attributes of the `oneBLOB`.
    pub attributes: BTreeMap<String, String>,
}
