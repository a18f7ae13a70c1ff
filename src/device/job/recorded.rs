//! A client's copy of a frame as a recording has it: its length and its format, or why there is none.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{DeliveryError, Encoding};
use crate::wire::Payload;

type Blob = Result<(Payload, &'static str), DeliveryError>;
type Told = Result<(u64, String), DeliveryError>;

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

fn told(blob: &Blob) -> Told {
    match blob {
        Ok((payload, format)) => Ok((payload.len(), (*format).to_owned())),
        Err(error) => Err(error.clone()),
    }
}

/// A BLOB of one byte: nobody who runs a recording again looks into it.
fn blob(told: Told) -> Blob {
    told.map(|(_, format)| (Payload::Inline(vec![0]), known(&format)))
}

fn known(format: &str) -> &'static str {
    let encodings =
        [Encoding::Fits, Encoding::FitsRice, Encoding::Native, Encoding::Xisf { compressed: false }];
    let known = encodings.map(Encoding::suffix).into_iter().chain([".bin.z"]);
    known.into_iter().find(|known| *known == format).unwrap_or(".fits")
}
