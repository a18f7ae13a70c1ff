//! Skeleton files, bound to keys while compiling.
//!
//! A skeleton is libindi's own format: a root element that holds ordinary `def*Vector` elements. [`Skeleton::index`]
//! scans an embedded file once in `const` evaluation and remembers where each vector and each element name stands;
//! the key constructors ([`super::key`]) look a name up in that index, so a misspelt vector, element, kind or order is
//! a compile error at the line of the key. [`load`](super::load) reads the same text at run time for everything else: labels,
//! groups, formats, limits and defaults.

use crate::wire::{Kind, Rule};

/// Vectors that one file can hold; a limit of the index's array.
const MAX_VECTORS: usize = 48;

/// One skeleton file and the index of its vectors.
#[derive(Clone, Copy)]
pub struct Skeleton {
    file: &'static str,
    text: &'static str,
    vectors: [Entry; MAX_VECTORS],
    count: usize,
}

/// A vector in the text: its kind, and where its name and its body are.
#[derive(Clone, Copy)]
struct Entry {
    kind: Kind,
    rule: Option<Rule>,
    name: Span,
    body: Span,
}

#[derive(Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
}

const NOWHERE: Span = Span { start: 0, end: 0 };

impl Skeleton {
    /// Finds every vector of an embedded file.
    ///
    /// ```
    /// use indi_camera::property::{key::Number, skeleton::Skeleton};
    ///
    /// const FILE: Skeleton = Skeleton::index(
    ///     "demo.xml",
    ///     r#"<INDIDriver><defNumberVector name="A" perm="rw"><defNumber name="X"/><defNumber name="Y"/></defNumberVector></INDIDriver>"#,
    /// );
    /// const A: Number<2> = FILE.number("A", ["X", "Y"]);
    /// ```
    /// A key that does not fit does not compile: another vector,
    /// ```compile_fail
    /// # use indi_camera::property::{key::Number, skeleton::Skeleton};
    /// # const FILE: Skeleton = Skeleton::index(
    /// #     "demo.xml",
    /// #     r#"<INDIDriver><defNumberVector name="A" perm="rw"><defNumber name="X"/><defNumber name="Y"/></defNumberVector></INDIDriver>"#,
    /// # );
    /// const B: Number<2> = FILE.number("B", ["X", "Y"]);
    /// ```
    /// another order or number of elements,
    /// ```compile_fail
    /// # use indi_camera::property::{key::Number, skeleton::Skeleton};
    /// # const FILE: Skeleton = Skeleton::index(
    /// #     "demo.xml",
    /// #     r#"<INDIDriver><defNumberVector name="A" perm="rw"><defNumber name="X"/><defNumber name="Y"/></defNumberVector></INDIDriver>"#,
    /// # );
    /// const A: Number<2> = FILE.number("A", ["Y", "X"]);
    /// ```
    /// another kind.
    /// ```compile_fail
    /// # use indi_camera::property::{key::Text, skeleton::Skeleton};
    /// # const FILE: Skeleton = Skeleton::index(
    /// #     "demo.xml",
    /// #     r#"<INDIDriver><defNumberVector name="A" perm="rw"><defNumber name="X"/><defNumber name="Y"/></defNumberVector></INDIDriver>"#,
    /// # );
    /// const A: Text<2> = FILE.text("A", ["X", "Y"]);
    /// ```
    ///
    /// # Panics
    /// While compiling, on more vectors than the index holds or on one without an end.
    #[must_use]
    pub const fn index(file: &'static str, text: &'static str) -> Skeleton {
        let bytes = text.as_bytes();
        let empty = Entry { kind: Kind::Text, rule: None, name: NOWHERE, body: NOWHERE };
        let mut skeleton = Skeleton { file, text, vectors: [empty; MAX_VECTORS], count: 0 };
        let mut at = 0;
        while at < bytes.len() {
            if starts(bytes, at, b"<!--") {
                at = find(bytes, at, b"-->");
            } else if let Some(kind) = vector_kind(bytes, at) {
                assert!(skeleton.count < MAX_VECTORS, "a skeleton file holds more vectors than its index");
                let tag_end = find(bytes, at, b">");
                let end = find(bytes, tag_end, b"Vector>");
                skeleton.vectors[skeleton.count] = Entry {
                    kind,
                    rule: rule_of(bytes, attribute(bytes, at, tag_end, b" rule=")),
                    name: attribute(bytes, at, tag_end, b" name="),
                    body: Span { start: tag_end, end },
                };
                skeleton.count += 1;
                at = end;
            } else {
                at += 1;
            }
        }
        skeleton
    }

    /// Panics, while compiling, unless the file has a vector of this name, kind and rule with exactly these elements
    /// in this order.
    pub(super) const fn bind(&self, name: &str, kind: Kind, rule: Option<Rule>, elements: &[&str]) {
        let bytes = self.text.as_bytes();
        let mut index = 0;
        while index < self.count {
            let entry = self.vectors[index];
            if same(bytes, entry.name, name) {
                assert!(entry.kind as u8 == kind as u8, "the skeleton defines this vector with another kind");
                let ruled = match (entry.rule, rule) {
                    (Some(has), Some(wants)) => has as u8 == wants as u8,
                    (None, None) => true,
                    _ => false,
                };
                assert!(ruled, "the skeleton defines this switch vector with another rule");
                let mut at = entry.body.start;
                let mut element = 0;
                while let Some(span) = next_element(bytes, at, entry.body.end) {
                    assert!(element < elements.len(), "the skeleton lists more elements than the key");
                    assert!(same(bytes, span, elements[element]), "the skeleton lists another element here");
                    element += 1;
                    at = span.end;
                }
                assert!(element == elements.len(), "the skeleton lists fewer elements than the key");
                return;
            }
            index += 1;
        }
        panic!("the skeleton has no vector of this name");
    }

    /// Name of the file, for errors.
    #[must_use]
    pub const fn file(&self) -> &'static str {
        self.file
    }

    /// The file, for [`load`](super::load::load).
    #[must_use]
    pub const fn source(&self) -> &'static str {
        self.text
    }
}

const fn starts(bytes: &[u8], at: usize, what: &[u8]) -> bool {
    if at + what.len() > bytes.len() {
        return false;
    }
    let mut i = 0;
    while i < what.len() {
        if bytes[at + i] != what[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// Position after the next `what`.
const fn find(bytes: &[u8], mut at: usize, what: &[u8]) -> usize {
    while at < bytes.len() {
        if starts(bytes, at, what) {
            return at + what.len();
        }
        at += 1;
    }
    panic!("a skeleton file ends inside an element");
}

const fn vector_kind(bytes: &[u8], at: usize) -> Option<Kind> {
    if starts(bytes, at, b"<defTextVector") {
        Some(Kind::Text)
    } else if starts(bytes, at, b"<defNumberVector") {
        Some(Kind::Number)
    } else if starts(bytes, at, b"<defSwitchVector") {
        Some(Kind::Switch)
    } else if starts(bytes, at, b"<defLightVector") {
        Some(Kind::Light)
    } else if starts(bytes, at, b"<defBLOBVector") {
        Some(Kind::Blob)
    } else {
        None
    }
}

/// The quoted value of an attribute within one tag; empty when the tag has no such attribute.
const fn attribute(bytes: &[u8], mut at: usize, end: usize, name: &[u8]) -> Span {
    while at < end {
        if starts(bytes, at, name) {
            let start = at + name.len() + 1;
            let quote = bytes[start - 1];
            let mut close = start;
            while bytes[close] != quote {
                close += 1;
            }
            return Span { start, end: close };
        }
        at += 1;
    }
    NOWHERE
}

const fn rule_of(bytes: &[u8], span: Span) -> Option<Rule> {
    if same(bytes, span, "OneOfMany") {
        Some(Rule::OneOfMany)
    } else if same(bytes, span, "AtMostOne") {
        Some(Rule::AtMostOne)
    } else if same(bytes, span, "AnyOfMany") {
        Some(Rule::AnyOfMany)
    } else {
        None
    }
}

/// Name of the next `<defX name=…>` at or after `at`.
const fn next_element(bytes: &[u8], mut at: usize, end: usize) -> Option<Span> {
    while at < end {
        if starts(bytes, at, b"<!--") {
            at = find(bytes, at, b"-->");
        } else if starts(bytes, at, b"<def") {
            return Some(attribute(bytes, at, find(bytes, at, b">"), b" name="));
        } else {
            at += 1;
        }
    }
    None
}

const fn same(bytes: &[u8], span: Span, text: &str) -> bool {
    span.end - span.start == text.len() && starts(bytes, span.start, text.as_bytes())
}
