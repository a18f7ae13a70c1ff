//! A client's copy of a frame as a recording has it: its length and its format, or why there is none.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{DeliveryError, Encoding};
use crate::wire::Payload;

type Blob = Option<Result<(Payload, &'static str), DeliveryError>>;
type Told = Option<Result<(u64, String), DeliveryError>>;

pub(super) fn serialize<S: Serializer>(blob: &Blob, to: S) -> Result<S::Ok, S::Error> {
    let told: Told = blob.as_ref().map(|blob| match blob {
        Ok((payload, format)) => Ok((payload.len(), (*format).to_owned())),
        Err(error) => Err(error.clone()),
    });
    told.serialize(to)
}

/// A BLOB of one byte: nobody who runs a recording again looks into it.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Blob, D::Error> {
    let told = Told::deserialize(from)?;
    Ok(told.map(|told| told.map(|(_, format)| (Payload::Inline(vec![0]), known(&format)))))
}

fn known(format: &str) -> &'static str {
    let encodings =
        [Encoding::Fits, Encoding::FitsRice, Encoding::Native, Encoding::Xisf { compressed: false }];
    let known = encodings.map(Encoding::suffix).into_iter().chain([".bin.z"]);
    known.into_iter().find(|known| *known == format).unwrap_or(".fits")
}
