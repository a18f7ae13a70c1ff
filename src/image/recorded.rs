//! Pixels as a recording has them: their shape alone.

use ndarray::Array3;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Pixels;

/// More pixels are no picture but damage.
const MOST: usize = 1 << 29;

#[derive(Deserialize, Serialize)]
struct Shape {
    bits: u8,
    planes: usize,
    rows: usize,
    columns: usize,
}

impl Serialize for Pixels {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let (planes, rows, columns) = self.shape();
        Shape { bits: self.bits(), planes, rows, columns }.serialize(to)
    }
}

/// Black ones.
impl<'de> Deserialize<'de> for Pixels {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let Shape { bits, planes, rows, columns } = Shape::deserialize(from)?;
        let count = planes.checked_mul(rows).and_then(|count| count.checked_mul(columns));
        let shape = (planes, rows, columns);
        match (bits, count) {
            (_, None | Some(MOST..)) => Err(D::Error::custom("more pixels than any camera has")),
            (8, _) => Ok(Pixels::U8(Array3::zeros(shape))),
            (16, _) => Ok(Pixels::U16(Array3::zeros(shape))),
            (32, _) => Ok(Pixels::U32(Array3::zeros(shape))),
            _ => Err(D::Error::custom(format!("no pixels of {bits} bit"))),
        }
    }
}
