//! Arguments by name, checked for their kind.

use std::time::Duration;

use super::call::Params;
use super::error::{CameraError, ErrorKind, Result};
use super::json;
use super::types::{Binning, CameraId, Roi, Value};

/// Arguments by name, checked for kind: a text is never taken for a number, nor the other way round. A backend reads
/// those of its own functions with it.
#[derive(Debug)]
pub struct Arguments<'a> {
    params: &'a Params,
}

/// Where a pulse through the guide port moves the telescope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Direction {
    North,
    South,
    East,
    West,
}

/// Longest pulse through a guide port, ms.
const LONGEST_PULSE: f64 = 60_000.0;

pub(super) fn invalid(call: &'static str, detail: impl Into<String>) -> CameraError {
    CameraError::new(ErrorKind::InvalidValue, call, detail)
}

impl<'a> Arguments<'a> {
    /// Of one call.
    #[must_use]
    pub fn of(params: &'a Params) -> Self {
        Arguments { params }
    }

    /// All of them.
    #[must_use]
    pub fn params(&self) -> &'a Params {
        self.params
    }

    /// An argument, if it is there.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&'a Value> {
        self.params.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// An argument that must be there.
    pub fn get(&self, call: &'static str, name: &str) -> Result<&'a Value> {
        self.find(name).ok_or_else(|| invalid(call, format!("{name} is missing")))
    }

    /// Refuses whatever is not among `known`: a name that is spelt wrong would do nothing, silently.
    pub fn only(&self, call: &'static str, known: &[&str]) -> Result<()> {
        let unknown = self.params.iter().find(|(name, _)| !known.contains(&name.as_str()));
        unknown.map_or(Ok(()), |(name, _)| {
            let takes = if known.is_empty() { "nothing".to_owned() } else { known.join(", ") };
            Err(invalid(call, format!("{call} takes {takes}, and no {:?}", json::quoted(name))))
        })
    }

    /// A text that must be there.
    pub fn text(&self, call: &'static str, name: &str) -> Result<String> {
        match self.get(call, name)? {
            Value::Text(text) => Ok(text.clone()),
            other => Err(invalid(call, format!("{name} takes a text, not {}", json::kind(other)))),
        }
    }

    /// True or false that must be there.
    pub fn flag(&self, call: &'static str, name: &str) -> Result<bool> {
        match self.get(call, name)? {
            Value::Bool(on) => Ok(*on),
            other => Err(invalid(call, format!("{name} takes true or false, not {}", json::kind(other)))),
        }
    }

    /// A finite number that must be there.
    pub fn number(&self, call: &'static str, name: &str) -> Result<f64> {
        number(call, name, self.get(call, name)?)
    }

    /// A whole number that must be there.
    pub fn whole<T: TryFrom<i64>>(&self, call: &'static str, name: &str) -> Result<T> {
        whole(call, name, self.get(call, name)?)
    }

    /// A whole number, if it is there.
    pub fn whole_if_any<T: TryFrom<i64>>(&self, call: &'static str, name: &str) -> Result<Option<T>> {
        self.find(name).map(|value| whole(call, name, value)).transpose()
    }

    /// Factors `[x, y]` that must be there.
    pub fn binning(&self, call: &'static str, name: &str) -> Result<Binning> {
        match self.get(call, name)? {
            Value::List(factors) => match factors.as_slice() {
                [x, y] => Ok(Binning { x: whole(call, name, x)?, y: whole(call, name, y)? }),
                other => Err(invalid(call, format!("{name} takes two factors [x, y], not {}", other.len()))),
            },
            other => {
                Err(invalid(call, format!("{name} takes two factors [x, y], not {}", json::kind(other))))
            }
        }
    }

    /// A window by `start_x`, `start_y`, `width` and `height`, all of them, in unbinned pixels.
    pub fn roi(&self, call: &'static str) -> Result<Roi> {
        Ok(Roi {
            x: self.whole(call, "start_x")?,
            y: self.whole(call, "start_y")?,
            width: self.whole(call, "width")?,
            height: self.whole(call, "height")?,
        })
    }

    /// The `direction` of a pulse through the guide port: n, s, e or w.
    pub fn direction(&self, call: &'static str) -> Result<Direction> {
        match self.text(call, "direction")?.as_str() {
            "n" => Ok(Direction::North),
            "s" => Ok(Direction::South),
            "e" => Ok(Direction::East),
            "w" => Ok(Direction::West),
            other => {
                Err(invalid(call, format!("direction takes n, s, e or w, not {:?}", json::quoted(other))))
            }
        }
    }

    /// The `direction` of such a pulse and its length, `ms`, of which 0 ends the one that runs.
    pub fn pulse(&self, call: &'static str) -> Result<(Direction, Duration)> {
        let direction = self.direction(call)?;
        let milliseconds = self.number(call, "ms")?;
        if !(0.0..=LONGEST_PULSE).contains(&milliseconds) {
            let detail = format!("ms takes 0 to {LONGEST_PULSE}, not {milliseconds}");
            return Err(CameraError::new(ErrorKind::OutOfRange, call, detail));
        }
        Ok((direction, Duration::from_secs_f64(milliseconds / 1e3)))
    }

    pub(super) fn camera(&self, call: &'static str) -> Result<CameraId> {
        let name = self.text(call, "device_name")?;
        Ok(CameraId { model: name.clone(), name, serial: None, bus: None })
    }
}

fn number(call: &'static str, name: &str, value: &Value) -> Result<f64> {
    match value {
        Value::Number(number) if number.is_finite() => Ok(*number),
        Value::Number(number) => Err(invalid(call, format!("{name} takes a finite number, not {number}"))),
        other => Err(invalid(call, format!("{name} takes a number, not {}", json::kind(other)))),
    }
}

fn whole<T: TryFrom<i64>>(call: &'static str, name: &str, value: &Value) -> Result<T> {
    let number = number(call, name, value)?;
    if number.fract() != 0.0 {
        return Err(invalid(call, format!("{name} takes a whole number, not {number}")));
    }
    #[expect(clippy::cast_possible_truncation, reason = "saturates far outside what any T takes")]
    let whole = number as i64;
    T::try_from(whole).map_err(|_out_of_range| {
        CameraError::new(ErrorKind::OutOfRange, call, format!("{name} cannot be {number}"))
    })
}
