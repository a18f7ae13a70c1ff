//! A frame as text: lists of lists of numbers, from servers that are older than frames as bytes.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};

use super::{Fault, Shape, Value, rounded};
use crate::backend::alpaca::api;

/// Most dimensions of an image.
const DEPTH: usize = 3;

/// The image's shape, and its values in their order.
pub(super) fn read(body: &[u8]) -> Result<(Shape, Vec<i64>), Fault> {
    let nonsense = |error: serde_json::Error| Fault::Nonsense(format!("an image that is none: {error}"));
    let Envelope { image } = match serde_json::from_slice(body) {
        Ok(envelope) => envelope,
        Err(error) => {
            // An error has no image.
            let told: Value = serde_json::from_slice(body).map_err(nonsense)?;
            api::check_envelope(&told)?;
            return Err(nonsense(error));
        }
    };
    let shape = Shape::of(&image.lengths)?;
    if shape.len() != Some(image.values.len()) {
        return Err(Fault::Nonsense("an image whose lists have different lengths".to_owned()));
    }
    Ok((shape, image.values))
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "Value")]
    image: Image,
}

/// Numbers in lists of lists.
#[derive(Default)]
struct Image {
    /// The longest list at each depth.
    lengths: Vec<usize>,
    values: Vec<i64>,
}

impl<'de> Deserialize<'de> for Image {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut image = Image::default();
        Nested { image: &mut image, depth: 0 }.deserialize(deserializer)?;
        Ok(image)
    }
}

/// A list at some depth, or a number.
struct Nested<'a> {
    image: &'a mut Image,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Nested<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Nested<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a number or a list")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.image.values.push(value);
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.visit_i64(i64::try_from(value).unwrap_or(i64::MAX))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.visit_i64(rounded(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Nested { image, depth } = self;
        if depth == DEPTH {
            return Err(A::Error::custom("more than three dimensions"));
        }
        if image.lengths.len() == depth {
            image.lengths.push(0);
        }
        let mut length = 0;
        while list.next_element_seed(Nested { image, depth: depth + 1 })?.is_some() {
            length += 1;
        }
        image.lengths[depth] = image.lengths[depth].max(length);
        Ok(())
    }
}
