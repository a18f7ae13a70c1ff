//! SHA-256: by what a file is known again.

use std::fmt;
use std::io::{self, Read};
use std::str::FromStr;

use sha2::{Digest, Sha256};

/// Bytes that are summed and written, or read, at a time: what was touched for the one is still in the cache for the
/// other.
pub const PIECE: usize = 256 << 10;

/// The sum of a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Sum([u8; 32]);

/// A sum in the making.
#[derive(Default)]
pub struct Summer(Sha256);

impl Summer {
    /// Takes the next bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The sum of all that came.
    #[must_use]
    pub fn sum(self) -> Sum {
        Sum(self.0.finalize().into())
    }
}

impl Sum {
    /// Of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Sum {
        let mut summer = Summer::default();
        summer.add(bytes);
        summer.sum()
    }

    /// Of everything that can be read, and how many bytes that is.
    pub fn read(mut from: impl Read) -> io::Result<(Sum, u64)> {
        let (mut summer, mut len) = (Summer::default(), 0);
        let mut piece = vec![0; PIECE];
        loop {
            match from.read(&mut piece) {
                Ok(0) => return Ok((summer.sum(), len)),
                Ok(n) => {
                    summer.add(&piece[..n]);
                    len += n as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// As `sha256sum` prints it.
impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a SHA-256 has 64 hexadecimal digits")]
pub struct NoSum;

impl FromStr for Sum {
    type Err = NoSum;

    fn from_str(text: &str) -> Result<Sum, NoSum> {
        let digit = |c: char| u8::try_from(c.to_digit(16)?).ok();
        let digits: Option<Vec<u8>> = text.chars().map(digit).collect();
        let pairs = digits.filter(|digits| digits.len() == 64).ok_or(NoSum)?;
        let mut sum = [0; 32];
        sum.iter_mut().zip(pairs.as_chunks().0).for_each(|(byte, [high, low])| *byte = high << 4 | low);
        Ok(Sum(sum))
    }
}

impl serde::Serialize for Sum {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Sum {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Sum, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_sum_that_everybody_else_computes() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Sum::of(b"abc").to_string(), abc);
        assert_eq!(abc.parse(), Ok(Sum::of(b"abc")));
        let long = vec![7; 3 * PIECE + 5];
        assert_eq!(Sum::read(&long[..]).unwrap(), (Sum::of(&long), long.len() as u64));
        for nonsense in ["", "ba", &abc[1..], &abc.replace('b', "x"), &format!("{abc}0")] {
            assert_eq!(nonsense.parse::<Sum>(), Err(NoSum), "{nonsense}");
        }
    }
}
