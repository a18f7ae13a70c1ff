//! A client's copy of a frame as a recording has it: its length and its format, or why there is none.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ClientCopy, DeliveryError, Encoding};
use crate::wire::Payload;

type Seen = (u64, String);
type Blob = Result<ClientCopy, DeliveryError>;
type Told = Result<Seen, DeliveryError>;

#[expect(clippy::ref_option, reason = "serde hands over the field as it is")]
pub(super) fn serialize<S: Serializer>(blob: &Option<Blob>, to: S) -> Result<S::Ok, S::Error> {
    blob.as_ref().map(told).serialize(to)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Blob>, D::Error> {
    Ok(Option::<Told>::deserialize(from)?.map(blob))
}

/// The same of a frame that is sent again.
pub(super) mod again {
    use super::{Blob, Deserialize, Deserializer, Serialize, Serializer, Told};

    pub(in super::super) fn serialize<S: Serializer>(blob: &Blob, to: S) -> Result<S::Ok, S::Error> {
        super::told(blob).serialize(to)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Blob, D::Error> {
        Told::deserialize(from).map(super::blob)
    }
}

/// The same of a frame that has to be stored yet.
pub(super) mod alone {
    use super::{ClientCopy, Deserialize, Deserializer, Serialize, Serializer};

    pub(in super::super) fn serialize<S: Serializer>(copy: &ClientCopy, to: S) -> Result<S::Ok, S::Error> {
        super::seen(copy).serialize(to)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<ClientCopy, D::Error> {
        Deserialize::deserialize(from).map(super::copy)
    }
}

fn told(blob: &Blob) -> Told {
    blob.as_ref().map(seen).map_err(Clone::clone)
}

fn blob(told: Told) -> Blob {
    told.map(copy)
}

fn seen((payload, format): &ClientCopy) -> Seen {
    (payload.len(), (*format).to_owned())
}

/// A BLOB of one byte: nobody who runs a recording again looks into it.
fn copy((_, format): Seen) -> ClientCopy {
    (Payload::Inline(Arc::new(vec![0])), known(&format))
}

fn known(format: &str) -> &'static str {
    let encodings =
        [Encoding::Fits, Encoding::FitsRice, Encoding::Native, Encoding::Xisf { compressed: false }];
    let known = encodings.map(Encoding::suffix).into_iter().chain([".bin.z"]);
    known.into_iter().find(|known| *known == format).unwrap_or(".fits")
}
