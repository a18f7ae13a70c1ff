//! The INDI protocol as plain data, and the pure code between that data and bytes.
//!
//! What a client may ask is a [`Request`], what a driver may say is a [`Message`]. [`splitter`] cuts the
//! incoming bytes into whole elements, [`parse`] turns one element into a `Request`, [`mod@write`] turns a
//! `Message` into bytes and [`number`] knows INDI's number grammar in both directions. For a client, [`heard`] turns
//! what a driver says into plain data and [`base64`] the text of a BLOB into its bytes. Nothing here does I/O,
//! reads a clock or panics on what a peer sent.
//!
//! Read [`Message`] first.

use std::num::NonZeroU64;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

pub mod base64;
pub mod heard;
pub mod nicknames;
pub mod number;
pub mod parse;
mod source;
pub mod splitter;
pub mod write;

/// Longest device, property, element, label, group and BLOB format name that every libindi reader holds, in bytes.
pub const MAX_NAME: usize = 63;
/// Longest `message` text that every libindi reader holds, in bytes.
pub const MAX_MESSAGE: usize = 254;

/// State of a property vector, and value of a light.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize)]
pub enum State {
    /// Nothing known, or stopped.
    #[default]
    Idle,
    /// Done, as asked.
    Ok,
    /// In progress.
    Busy,
    /// Failed or refused.
    Alert,
}

/// Who may write a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
pub enum Perm {
    /// The driver only.
    Ro,
    /// The client only; the driver never tells the value.
    Wo,
    /// Both.
    Rw,
}

/// How many switches of a vector may be on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
pub enum Rule {
    /// Exactly one.
    OneOfMany,
    /// None or one.
    AtMostOne,
    /// Any number.
    AnyOfMany,
}

/// The five kinds of property vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[allow(missing_docs, reason = "the five words of the protocol")]
pub enum Kind {
    Text,
    Number,
    Switch,
    Light,
    Blob,
}

/// One element from the server, as far as a driver cares.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub enum Request {
    /// `getProperties`: define everything, one device's vectors, or one vector. Any version is accepted.
    GetProperties {
        /// The device asked for; `None` means all.
        device: Option<String>,
        /// The vector asked for; `None` means all.
        name: Option<String>,
    },
    /// `new*Vector`: a client asks for new values.
    New(New),
    /// `set*Vector`, `def*Vector`, `message` or `delProperty` of a device that we snoop on.
    Snooped(Snooped),
    /// `pingRequest`: to be answered with [`Message::PingReply`].
    PingRequest {
        /// Whatever identifies the ping to its sender.
        uid: String,
    },
    /// `pingReply`: the server has parsed our ping and all that went before it.
    PingReply {
        /// The uid that we sent.
        uid: String,
    },
}

/// A client's wish for one vector, values still as text: only the vector's owner knows what they mean.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct New {
    /// Device addressed. The server sends an element without `device` to every driver: `None`.
    pub device: Option<String>,
    /// Name of the vector.
    pub name: String,
    /// Kind of vector that the client believes it is.
    pub kind: Kind,
    /// Element names and their trimmed, unescaped text, in order of arrival; a BLOB's body is left empty.
    pub elements: Vec<(String, String)>,
}

/// What another device said, values still as text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Snooped {
    /// The device that said it.
    pub device: String,
    /// Its vector; `None` for `message` and for `delProperty` of the whole device.
    pub name: Option<String>,
    /// What happened.
    pub news: News,
}

/// What a snooped device's element says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub enum News {
    /// `def*` or `set*`: state if given, and element texts.
    Values {
        /// The vector's state, where it was given.
        state: Option<State>,
        /// Element names and their trimmed text.
        elements: Vec<(String, String)>,
    },
    /// `delProperty`.
    Deleted,
    /// `message`.
    Message,
}

/// One element to the server.
#[derive(Debug)]
pub enum Message {
    /// `def*Vector`.
    Define(Definition),
    /// `set*Vector` of any kind but BLOB.
    Set(Update),
    /// `setBLOBVector` with one BLOB.
    SetBlob(BlobUpdate),
    /// `delProperty`.
    Delete {
        /// Our device.
        device: String,
        /// The vector; `None` deletes the whole device.
        name: Option<String>,
        /// When.
        at: SystemTime,
    },
    /// `message`: one line for the user.
    Say {
        /// Our device; `None` addresses every client.
        device: Option<String>,
        /// The sentence, with its `[LEVEL] ` prefix.
        text: String,
        /// When.
        at: SystemTime,
    },
    /// `getProperties`: we want to hear about another device's vector.
    Snoop {
        /// The other device.
        device: String,
        /// Its vector.
        name: Option<String>,
    },
    /// `pingRequest`, answered by [`Request::PingReply`].
    PingRequest {
        /// At most 64 characters.
        uid: String,
    },
    /// `pingReply`.
    PingReply {
        /// As received.
        uid: String,
    },
}

/// A whole vector definition.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the attributes of the protocol")]
pub struct Definition {
    pub device: String,
    pub name: String,
    pub label: String,
    pub group: String,
    pub state: State,
    /// Not written for lights.
    pub perm: Perm,
    /// Worst case until a write settles, in seconds. Not written for lights.
    pub timeout: f64,
    pub at: SystemTime,
    pub elements: Elements<ElementDefinition>,
}

/// What a definition says of each element beside its value.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[allow(missing_docs, reason = "the attributes of the protocol")]
pub struct ElementDefinition {
    pub name: String,
    pub label: String,
}

/// The elements of a vector by kind; `M` is what is said of each element beside its value.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[allow(missing_docs, reason = "the five kinds")]
pub enum Elements<M> {
    Text(Vec<(M, String)>),
    /// Value and limits.
    Number(Vec<(M, Number)>),
    Switch(Rule, Vec<(M, bool)>),
    Light(Vec<(M, State)>),
    Blob(Vec<M>),
}

/// A number element as it is defined.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[allow(missing_docs, reason = "the attributes of the protocol")]
pub struct Number {
    pub value: f64,
    /// printf-style or `%m`; a display hint for clients.
    pub format: String,
    pub limits: Limits,
}

/// Limits of a number element; both ends are allowed values.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[allow(missing_docs, reason = "the attributes of the protocol")]
pub struct Limits {
    pub min: f64,
    pub max: f64,
    /// 0 means any step.
    pub step: f64,
}

/// New values and state of one vector.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the attributes of the protocol")]
pub struct Update {
    pub device: String,
    pub name: String,
    pub state: State,
    pub timeout: f64,
    pub at: SystemTime,
    pub values: Values,
}

/// Element names and values of an [`Update`].
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the kinds that can be set this way")]
pub enum Values {
    Text(Vec<(String, String)>),
    /// Limits are sent only when they have changed since the definition.
    Number(Vec<(String, f64, Option<Limits>)>),
    Switch(Vec<(String, bool)>),
    Light(Vec<(String, State)>),
}

/// One BLOB and its vector.
#[derive(Debug)]
#[allow(missing_docs, reason = "the attributes of the protocol")]
pub struct BlobUpdate {
    pub device: String,
    pub name: String,
    pub element: String,
    pub state: State,
    pub timeout: f64,
    pub at: SystemTime,
    /// File suffix with its dot: `.fits`.
    pub format: String,
    pub payload: Payload,
}

/// The bytes of a BLOB, by the way they travel.
#[derive(Debug)]
pub enum Payload {
    /// As a file descriptor beside the message. indiserver must be at the other end of a unix socket.
    Attached(AttachedBlob),
    /// As base64 inside the message. Never empty.
    Inline(Arc<Vec<u8>>),
    /// The same, of a zlib stream that clients inflate: its format ends with `.z`.
    Deflated {
        /// The stream. Never empty.
        bytes: Arc<Vec<u8>>,
        /// Its length when inflated.
        inflated: u64,
    },
}

impl Payload {
    /// Number of bytes in the BLOB.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Payload::Attached(blob) => blob.len().get(),
            Payload::Inline(bytes) | Payload::Deflated { bytes, .. } => bytes.len() as u64,
        }
    }

    /// What the server and clients are told of the length: the number of bytes, except that clients make room for
    /// what they inflate by it.
    #[must_use]
    pub fn size(&self) -> u64 {
        match self {
            Payload::Deflated { inflated, .. } => *inflated,
            Payload::Attached(_) | Payload::Inline(_) => self.len(),
        }
    }

    /// Whether there is no byte in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A sealed memory file and its true length.
///
/// An `attached="true"` element without its descriptor, or with a wrong `size`, ends the whole indiserver, so the
/// two travel as one value that only the code which filled and sealed the memory can make.
#[derive(Debug)]
pub struct AttachedBlob {
    fd: OwnedFd,
    len: NonZeroU64,
}

impl AttachedBlob {
    /// For `delivery::blob` alone: `fd` is a sealed memory file of at least `len` bytes.
    pub(crate) fn new(fd: OwnedFd, len: NonZeroU64) -> Self {
        AttachedBlob { fd, len }
    }

    /// Bytes of the BLOB.
    #[must_use]
    pub fn len(&self) -> NonZeroU64 {
        self.len
    }

    /// The memory file.
    #[must_use]
    pub fn fd(&self) -> std::os::fd::BorrowedFd<'_> {
        std::os::fd::AsFd::as_fd(&self.fd)
    }
}

/// Why an element was dropped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("dropped {what} after {at} bytes of input: {why}")]
pub struct Malformed {
    /// Position in the whole stream where the dropped part began.
    pub at: u64,
    /// What was dropped: a tag name, or "input".
    pub what: String,
    /// One clause.
    pub why: &'static str,
}

/// The beginning of `text`, of at most `max` bytes.
fn cut(text: &str, max: usize) -> &str {
    let mut end = max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
