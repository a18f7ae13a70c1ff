//! What other devices have told of the telescope, as the device above passes it on before an exposure.

use super::super::settings::{CALL, Vector};
use crate::camera::error::{CameraError, ErrorKind, Result};
use crate::camera::types::{SCENE_PARAMETER, Value};

/// The parameter [`SCENE_PARAMETER`], as it was set last.
#[derive(Clone, Debug, Default)]
pub(super) struct Observatory {
    words: Vec<(String, Value)>,
    seen: Seen,
}

/// What the words mean; unknown is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Seen {
    /// Right ascension and declination, J2000, in degrees.
    pub(super) pointing: Option<(f64, f64)>,
    /// The telescope is on the east side of its pier.
    pub(super) flipped: bool,
    /// Degrees.
    pub(super) rotator: Option<f64>,
    /// mm.
    pub(super) focal_length: Option<f64>,
    /// mm.
    pub(super) aperture: Option<f64>,
    /// Steps.
    pub(super) focuser: Option<f64>,
    /// Magnitudes per square arcsec.
    pub(super) brightness: Option<f64>,
}

impl Vector for Observatory {
    fn get(&self) -> Value {
        Value::Record(self.words.clone())
    }

    fn set(&mut self, value: &Value) -> Result<()> {
        let Value::Record(words) = value else {
            return Err(refused(ErrorKind::InvalidValue, " takes a record"));
        };
        *self = Observatory { seen: Seen::read(words)?, words: words.clone() };
        Ok(())
    }
}

impl Observatory {
    pub(super) fn seen(&self) -> Seen {
        self.seen
    }
}

impl Seen {
    /// Reads the whole record, or says why not.
    fn read(elements: &[(String, Value)]) -> Result<Seen> {
        let find = |name: &str| elements.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        let number = |name: &str, min: f64, max: f64| match find(name) {
            None => Ok(None),
            Some(Value::Number(number)) if (min..=max).contains(number) => Ok(Some(*number)),
            Some(Value::Number(number)) => {
                Err(refused(ErrorKind::OutOfRange, &format!(".{name} takes {min} to {max}, not {number}")))
            }
            Some(_) => Err(refused(ErrorKind::InvalidValue, &format!(".{name} takes a number"))),
        };
        let pointing = match (number("RA", 0.0, 360.0)?, number("DEC", -90.0, 90.0)?) {
            (Some(ra), Some(dec)) => Some((ra, dec)),
            (None, None) => None,
            _ => return Err(refused(ErrorKind::InvalidValue, " takes RA and DEC together or neither")),
        };
        let flipped = match find("PIER_SIDE") {
            None => false,
            Some(Value::Text(side)) if side == "WEST" || side == "EAST" => side == "EAST",
            Some(_) => return Err(refused(ErrorKind::InvalidValue, ".PIER_SIDE takes WEST or EAST")),
        };
        Ok(Seen {
            pointing,
            flipped,
            rotator: number("ROTATOR", -360.0, 360.0)?,
            focal_length: number("FOCAL_LENGTH", 0.1, 1e6)?,
            aperture: number("APERTURE", 0.1, 1e5)?,
            focuser: number("FOCUSER", -1e9, 1e9)?,
            brightness: number("SKY_BRIGHTNESS", 0.0, 30.0)?,
        })
    }
}

fn refused(kind: ErrorKind, what: &str) -> CameraError {
    CameraError::new(kind, CALL, format!("{SCENE_PARAMETER}{what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(elements: &[(&str, Value)]) -> Result<Observatory> {
        let words = elements.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let mut observatory = Observatory::default();
        observatory.set(&Value::Record(words))?;
        Ok(observatory)
    }

    fn text(word: &str) -> Value {
        Value::Text(word.to_owned())
    }

    #[track_caller]
    fn refused(elements: &[(&str, Value)], words: &str) {
        assert_eq!(told(elements).unwrap_err().detail, words);
    }

    #[test]
    fn what_is_not_told_is_not_known() {
        let mut observatory = told(&[
            ("RA", Value::Number(0.0)),
            ("DEC", Value::Number(-90.0)),
            ("PIER_SIDE", text("EAST")),
            ("FOCUSER", Value::Number(0.0)),
            ("DOME", text("open")),
        ])
        .unwrap();
        let known =
            Seen { pointing: Some((0.0, -90.0)), flipped: true, focuser: Some(0.0), ..Seen::default() };
        assert_eq!(observatory.seen(), known);
        // The next words take the place of all of these.
        observatory.set(&Value::Record(Vec::new())).unwrap();
        assert_eq!(observatory.seen(), Seen::default());
    }

    #[test]
    fn nonsense_is_refused_with_its_name() {
        let number = Value::Number;
        assert_eq!(Observatory::default().set(&number(1.0)).unwrap_err().detail, "scene takes a record");
        refused(&[("RA", number(1.0))], "scene takes RA and DEC together or neither");
        refused(&[("RA", number(360.5)), ("DEC", number(0.0))], "scene.RA takes 0 to 360, not 360.5");
        refused(&[("ROTATOR", text("up"))], "scene.ROTATOR takes a number");
        refused(&[("APERTURE", number(0.0))], "scene.APERTURE takes 0.1 to 100000, not 0");
        refused(&[("FOCUSER", number(f64::NAN))], "scene.FOCUSER takes -1000000000 to 1000000000, not NaN");
        refused(&[("PIER_SIDE", text("north"))], "scene.PIER_SIDE takes WEST or EAST");
    }
}
