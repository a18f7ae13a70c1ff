//! What `start_exposure` can be asked for: a time, and settings for that exposure alone.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::arguments::{Arguments, invalid};
use super::call::Params;
use super::error::{CameraError, ErrorKind, Result};
use super::json;
use super::types::{Binning, FrameType, Roi, Value};

const CALL: &str = "start_exposure";

/// The arguments of `start_exposure`. All but the time are optional; what is given counts for this exposure only, and
/// the camera's settings are what they were when it is over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExposureWish {
    /// Seconds. A bias takes the shortest time that the camera has, whatever this says.
    pub exposure: f64,
    /// What for.
    pub frame_type: Option<FrameType>,
    /// In the camera's own units.
    pub gain: Option<i32>,
    /// In the camera's own units.
    pub offset: Option<i32>,
    /// Factors along each axis.
    pub binning: Option<Binning>,
    /// In unbinned pixels.
    pub roi: Option<Roi>,
}

impl ExposureWish {
    /// An exposure of that many seconds with the camera's settings as they are.
    #[must_use]
    pub fn of(exposure: f64) -> Self {
        ExposureWish { exposure, frame_type: None, gain: None, offset: None, binning: None, roi: None }
    }

    /// From arguments by name: `exposure` and, all of them optional, `frame_type` (light, bias, dark, flat or
    /// darkflat), `gain`, `offset`, `binning` (`[x, y]`) and `roi` (an object of `start_x`, `start_y`, `width`,
    /// `height`).
    pub fn read(params: &Params) -> Result<Self> {
        let arguments = Arguments::of(params);
        arguments.only(CALL, &["exposure", "frame_type", "gain", "offset", "binning", "roi"])?;
        let exposure = arguments.number(CALL, "exposure")?;
        let frame_type = match arguments.find("frame_type") {
            None => None,
            Some(_) => Some(frame_type(&arguments.text(CALL, "frame_type")?)?),
        };
        let binning = arguments.find("binning").map(|_| arguments.binning(CALL, "binning"));
        let roi = arguments.find("roi").map(|value| {
            let fields = json::fields(CALL, "roi", value)?;
            let window = Arguments::of(&fields);
            window.only("roi", &["start_x", "start_y", "width", "height"])?;
            window.roi(CALL)
        });
        Ok(ExposureWish {
            exposure,
            frame_type,
            gain: arguments.whole_if_any(CALL, "gain")?,
            offset: arguments.whole_if_any(CALL, "offset")?,
            binning: binning.transpose()?,
            roi: roi.transpose()?,
        })
    }

    /// The same as arguments by name.
    #[must_use]
    pub fn params(&self) -> Params {
        let number = |value: f64| Value::Number(value);
        let ExposureWish { exposure, frame_type, gain, offset, binning, roi } = *self;
        let window = |roi: Roi| {
            let ends = [("start_x", roi.x), ("start_y", roi.y), ("width", roi.width), ("height", roi.height)];
            Value::Record(ends.map(|(name, value)| (name.to_owned(), number(value.into()))).into())
        };
        let given = [
            ("exposure", Some(number(exposure))),
            ("frame_type", frame_type.map(|kind| Value::Text(frame_word(kind).to_owned()))),
            ("gain", gain.map(|gain| number(gain.into()))),
            ("offset", offset.map(|offset| number(offset.into()))),
            ("binning", binning.map(|Binning { x, y }| Value::List([x, y].map(|n| number(n.into())).into()))),
            ("roi", roi.map(window)),
        ];
        given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }

    /// The time; a negative one, or one that no clock counts, is out of range.
    pub fn duration(&self) -> Result<Duration> {
        Duration::try_from_secs_f64(self.exposure).map_err(|error| {
            let detail = format!("exposure cannot be {} s ({error})", self.exposure);
            CameraError::new(ErrorKind::OutOfRange, CALL, detail)
        })
    }
}

/// The word for a frame type in the Camera API.
#[must_use]
pub fn frame_word(frame_type: FrameType) -> &'static str {
    match frame_type {
        FrameType::Light => "light",
        FrameType::Bias => "bias",
        FrameType::Dark => "dark",
        FrameType::Flat => "flat",
    }
}

/// The frame type of a word. A `darkflat` is a dark of the length of a flat, and a dark to the camera.
pub fn frame_type(word: &str) -> Result<FrameType> {
    match word {
        "light" => Ok(FrameType::Light),
        "bias" => Ok(FrameType::Bias),
        "dark" | "darkflat" => Ok(FrameType::Dark),
        "flat" => Ok(FrameType::Flat),
        other => {
            let rule = "frame_type takes light, bias, dark, flat or darkflat";
            Err(invalid(CALL, format!("{rule}, not {:?}", json::quoted(other))))
        }
    }
}

/// A frame type by its word, for `#[serde(with)]`.
pub(super) mod as_word {
    use super::{Deserialize, FrameType, Serialize, frame_type, frame_word};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
    pub(in crate::camera) fn serialize<S: serde::Serializer>(
        kind: &FrameType,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        frame_word(*kind).serialize(to)
    }

    pub(in crate::camera) fn deserialize<'de, D: serde::Deserializer<'de>>(
        from: D,
    ) -> Result<FrameType, D::Error> {
        frame_type(&String::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ExposureWish> {
        ExposureWish::read(&json::params(CALL, text).unwrap())
    }

    #[test]
    fn a_wish_survives_the_way_there_and_back() {
        let full = r#"{"exposure":2,"frame_type":"flat","gain":0,"offset":0,"binning":[2,1],
            "roi":{"start_x":0,"start_y":4,"width":8,"height":6}}"#;
        let wish = read(full).unwrap();
        assert_eq!((wish.gain, wish.binning), (Some(0), Some(Binning { x: 2, y: 1 })));
        assert_eq!(wish.roi, Some(Roi { x: 0, y: 4, width: 8, height: 6 }));
        assert_eq!(ExposureWish::read(&wish.params()).unwrap(), wish);
        assert_eq!(read(r#"{"exposure":0.5}"#).unwrap(), ExposureWish::of(0.5));
    }

    #[test]
    fn a_darkflat_is_a_dark() {
        let wish = read(r#"{"exposure":1,"frame_type":"darkflat"}"#).unwrap();
        assert_eq!(wish.frame_type, Some(FrameType::Dark));
    }

    #[test]
    fn bad_arguments_are_refused_by_kind() {
        use ErrorKind::{InvalidValue, OutOfRange};
        for (text, kind, words) in [
            ("{}", InvalidValue, "exposure is missing"),
            (r#"{"exposure":"1"}"#, InvalidValue, "exposure takes a number, not a text"),
            (r#"{"exposure":1,"is_dark":true}"#, InvalidValue, "no \"is_dark\""),
            (r#"{"exposure":1,"frame_type":"white"}"#, InvalidValue, "not \"white\""),
            (r#"{"exposure":1,"frame_type":0}"#, InvalidValue, "frame_type takes a text, not a number"),
            (r#"{"exposure":1,"gain":1.5}"#, InvalidValue, "gain takes a whole number, not 1.5"),
            (r#"{"exposure":1,"gain":1e12}"#, OutOfRange, "gain cannot be"),
            (r#"{"exposure":1,"binning":2}"#, InvalidValue, "two factors [x, y], not a number"),
            (r#"{"exposure":1,"binning":[1,2,3]}"#, InvalidValue, "two factors [x, y], not 3"),
            (r#"{"exposure":1,"binning":[1,-1]}"#, OutOfRange, "binning cannot be -1"),
            (r#"{"exposure":1,"roi":[0,0,1,1]}"#, InvalidValue, "roi takes an object"),
            (r#"{"exposure":1,"roi":{"start_x":0}}"#, InvalidValue, "start_y is missing"),
            (r#"{"exposure":1,"roi":{"x":0}}"#, InvalidValue, "no \"x\""),
        ] {
            let error = read(text).unwrap_err();
            assert_eq!(error.kind, kind, "{text}: {error}");
            assert!(error.detail.contains(words), "{text}: {error}");
        }
        assert_eq!(ExposureWish::of(-1.0).duration().unwrap_err().kind, OutOfRange);
    }
}
