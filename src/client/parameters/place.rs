//! Where the parameters of the Camera API are on any INDI camera, and in which form.

use super::{shown, wish, wrong};
use crate::camera::answer::ParameterEntry;
use crate::camera::call::Arguments;
use crate::camera::json;
use crate::camera::types::Value;
use crate::client::ask::Wish;
use crate::client::camera::Camera;
use crate::client::error::{ClientError, Result};
use crate::client::info;
use crate::client::mirror::{Device, EXPOSURE};
use crate::wire::Perm;

/// Where a parameter is, and in which form.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// A number or a text in one element.
    Element(&'static str, &'static str),
    /// A number in the first of two places that a camera has.
    Either(&'static [(&'static str, &'static str); 2]),
    /// A number that is read in one place and written in another.
    Target {
        told: (&'static str, &'static str),
        asked: (&'static str, &'static str),
    },
    /// A limit of a number: minimum, maximum or step.
    Limit(&'static str, &'static str, Bound),
    /// A switch that is on, and the one that is on instead.
    Flag(&'static str, &'static str, &'static str),
    /// One of these switches, by our word for it.
    Choice(&'static str, &'static [(&'static str, &'static str)]),
    /// One of the switches that the camera has, by its own name or label.
    OwnChoice(&'static str),
    Binning,
    Roi,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Bound {
    Min,
    Max,
    Step,
}

/// The names of the Camera API, their units, and whether a change during an exposure counts for the next one.
#[rustfmt::skip]
pub(super) const PARAMETERS: &[(&str, Option<&str>, bool, Place)] = &[
    ("gain", None, true, Place::Either(&info::GAIN)),
    ("offset", None, true, Place::Either(&info::OFFSET)),
    ("binning", None, true, Place::Binning),
    ("roi", Some("px"), true, Place::Roi),
    ("frame_type", None, true, Place::Choice("CCD_FRAME_TYPE", &[("light", "FRAME_LIGHT"), ("bias", "FRAME_BIAS"), ("dark", "FRAME_DARK"), ("flat", "FRAME_FLAT")])),
    ("exposure.min", Some("s"), false, Place::Limit(EXPOSURE, "CCD_EXPOSURE_VALUE", Bound::Min)),
    ("exposure.max", Some("s"), false, Place::Limit(EXPOSURE, "CCD_EXPOSURE_VALUE", Bound::Max)),
    ("exposure.step", Some("s"), false, Place::Limit(EXPOSURE, "CCD_EXPOSURE_VALUE", Bound::Step)),
    ("temperature", Some("°C"), false, Place::Target { told: ("CCD_TEMPERATURE", "CCD_TEMPERATURE_VALUE"), asked: ("", "") }),
    ("temperature.target", Some("°C"), false, Place::Target { told: ("CCD_TEMPERATURE_TARGET", "TARGET"), asked: ("CCD_TEMPERATURE", "CCD_TEMPERATURE_VALUE") }),
    ("temperature.ramp", Some("°C/min"), false, Place::Element("CCD_TEMP_RAMP", "RAMP_SLOPE")),
    ("temperature.threshold", Some("°C"), false, Place::Element("CCD_TEMP_RAMP", "RAMP_THRESHOLD")),
    ("cooler", None, false, Place::Flag("CCD_COOLER", "COOLER_ON", "COOLER_OFF")),
    ("cooler.power", Some("%"), false, Place::Element("CCD_COOLER_POWER", "CCD_COOLER_VALUE")),
    ("fan", None, false, Place::OwnChoice("TC_FAN_CONTROL")),
    ("heater", None, false, Place::OwnChoice("TC_HEAT_CONTROL")),
    ("hcg", None, false, Place::OwnChoice("TC_HCG_CONTROL")),
    ("low_noise_mode", None, false, Place::OwnChoice("TC_LOW_NOISE_CONTROL")),
    ("format", None, true, Place::OwnChoice("CCD_CAPTURE_FORMAT")),
    ("encode", None, true, Place::Choice("CCD_TRANSFER_FORMAT", &[("fits", "FORMAT_FITS"), ("native", "FORMAT_NATIVE"), ("xisf", "FORMAT_XISF")])),
    ("compress", None, true, Place::Flag("CCD_COMPRESSION", "INDI_ENABLED", "INDI_DISABLED")),
    ("sensor.width", Some("px"), false, Place::Element("CCD_INFO", "CCD_MAX_X")),
    ("sensor.height", Some("px"), false, Place::Element("CCD_INFO", "CCD_MAX_Y")),
    ("sensor.pixel_x", Some("µm"), false, Place::Element("CCD_INFO", "CCD_PIXEL_SIZE_X")),
    ("sensor.pixel_y", Some("µm"), false, Place::Element("CCD_INFO", "CCD_PIXEL_SIZE_Y")),
    ("sensor.bits", Some("bit"), false, Place::Element("CCD_INFO", "CCD_BITSPERPIXEL")),
    ("sensor.bayer", None, false, Place::Element("CCD_CFA", "CFA_TYPE")),
    ("sensor.bayer_x", Some("px"), false, Place::Element("CCD_CFA", "CFA_OFFSET_X")),
    ("sensor.bayer_y", Some("px"), false, Place::Element("CCD_CFA", "CFA_OFFSET_Y")),
    ("upload.mode", None, false, Place::Choice("UPLOAD_MODE", &[("client", "UPLOAD_CLIENT"), ("local", "UPLOAD_LOCAL"), ("both", "UPLOAD_BOTH")])),
    ("upload.dir", None, false, Place::Element("UPLOAD_SETTINGS", "UPLOAD_DIR")),
    ("upload.prefix", None, false, Place::Element("UPLOAD_SETTINGS", "UPLOAD_PREFIX")),
    ("upload.last", None, false, Place::Element("CCD_FILE_PATH", "FILE_PATH")),
    ("fast.enable", None, false, Place::Flag("CCD_FAST_TOGGLE", "INDI_ENABLED", "INDI_DISABLED")),
    ("fast.count", Some("frames"), false, Place::Element("CCD_FAST_COUNT", "FRAMES")),
    ("scope.focal_length", Some("mm"), false, Place::Element("SCOPE_INFO", "FOCAL_LENGTH")),
    ("scope.aperture", Some("mm"), false, Place::Element("SCOPE_INFO", "APERTURE")),
    ("rotation", Some("°"), false, Place::Element("CCD_ROTATION", "CCD_ROTATION_VALUE")),
    ("stream.enable", None, false, Place::Flag("CCD_VIDEO_STREAM", "STREAM_ON", "STREAM_OFF")),
    ("stream.exposure", Some("s"), false, Place::Element("STREAMING_EXPOSURE", "STREAMING_EXPOSURE_VALUE")),
    ("stream.divisor", None, false, Place::Element("STREAMING_EXPOSURE", "STREAMING_DIVISOR_VALUE")),
    ("polling_period", Some("ms"), false, Place::Element("POLLING_PERIOD", "PERIOD_MS")),
    ("simulation", None, false, Place::Flag("SIMULATION", "ENABLE", "DISABLE")),
    ("debug", None, false, Place::Flag("DEBUG", "ENABLE", "DISABLE")),
    ("serial", None, false, Place::Element("Serial Number", "SN")),
    ("nickname", None, false, Place::Element("NICKNAME", "nickname")),
];

/// Where that parameter is.
pub(super) fn find(name: &str) -> Option<Place> {
    PARAMETERS.iter().find(|(known, ..)| *known == name).map(|(.., place)| *place)
}

impl Place {
    /// The vector that it is in.
    pub(super) fn property(self, device: &Device) -> &'static str {
        match self {
            Place::Element(vector, _)
            | Place::Target { told: (vector, _), .. }
            | Place::Limit(vector, ..)
            | Place::Flag(vector, ..)
            | Place::Choice(vector, _)
            | Place::OwnChoice(vector) => vector,
            Place::Either(places) => info::first(device, places).unwrap_or(places[0]).0,
            Place::Binning => "CCD_BINNING",
            Place::Roi => "CCD_FRAME",
        }
    }

    pub(super) fn get(self, device: &Device) -> Option<Value> {
        let number = |value: f64| Value::Number(value);
        Some(match self {
            Place::Element(vector, element) => {
                let vector = device.vector(vector)?;
                shown(vector, vector.element(element)?)
            }
            Place::Either(places) => number(info::first_number(device, places)?),
            Place::Target { told: (vector, element), .. } => number(device.number(vector, element)?),
            Place::Limit(vector, element, bound) => {
                let limits = device.vector(vector)?.limits(element)?;
                number(match bound {
                    Bound::Min => limits.min,
                    Bound::Max => limits.max,
                    Bound::Step => limits.step,
                })
            }
            Place::Flag(vector, on, _) => Value::Bool(device.is_on(vector, on)?),
            Place::Choice(vector, words) => {
                let on = device.vector(vector)?.chosen()?;
                let word = words.iter().find(|(_, element)| *element == on.name).map(|(word, _)| *word);
                Value::Text(word.unwrap_or(&on.name).to_owned())
            }
            Place::OwnChoice(vector) => Value::Text(device.vector(vector)?.chosen()?.name.clone()),
            Place::Binning => {
                let binning = info::binning(device)?;
                Value::List([binning.x, binning.y].map(|factor| number(factor.into())).into())
            }
            Place::Roi => {
                let roi = info::roi(device)?;
                let sides =
                    [("start_x", roi.x), ("start_y", roi.y), ("width", roi.width), ("height", roi.height)];
                Value::Record(sides.map(|(name, side)| (name.to_owned(), number(side.into()))).into())
            }
        })
    }

    /// What has to be asked of which vector.
    pub(super) fn wishes(
        self,
        camera: &Camera,
        device: &Device,
        name: &str,
        value: &Value,
    ) -> Result<(String, Vec<(String, Wish)>)> {
        const CALL: &str = "set_parameter";
        let property = self.property(device);
        let vector = || camera.defined(device, property);
        let one = |element: &str, wish| Ok((property.to_owned(), vec![(element.to_owned(), wish)]));
        let read_only = || Err(ClientError::not_supported(camera.name(), format!("{name} is read-only")));
        match (self, value) {
            (Place::Limit(..) | Place::Target { asked: ("", _), .. }, _) => read_only(),
            (Place::Target { asked: (vector, element), .. }, Value::Number(number)) => {
                Ok((vector.to_owned(), vec![(element.to_owned(), Wish::Number(*number))]))
            }
            (Place::Element(_, element), value) => {
                let element = vector()?.element(element).ok_or_else(|| camera.lacks(device, property))?;
                Ok((property.to_owned(), vec![wish(name, element, value)?]))
            }
            (Place::Either(places), Value::Number(number)) => {
                one(info::first(device, places).unwrap_or(places[0]).1, Wish::Number(*number))
            }
            (Place::Either(_) | Place::Target { .. }, other) => Err(wrong(name, "a number", other)),
            (Place::Flag(_, on, off), Value::Bool(yes)) => one(if *yes { on } else { off }, Wish::On(true)),
            (Place::Flag(..), other) => Err(wrong(name, "true or false", other)),
            (Place::Choice(_, words), Value::Text(word)) => {
                let element = words.iter().find(|(known, _)| known == word).map(|(_, element)| *element);
                let element =
                    element.filter(|element| vector().is_ok_and(|vector| vector.element(element).is_some()));
                let choices = words.iter().map(|(word, _)| *word);
                one(element.ok_or_else(|| no_choice(name, word, choices))?, Wish::On(true))
            }
            (Place::OwnChoice(_), Value::Text(word)) => {
                let elements = &vector()?.elements;
                let element = elements.iter().find(|element| element.name == *word || element.label == *word);
                let choices = elements.iter().map(|element| element.name.as_str());
                let element = element.ok_or_else(|| no_choice(name, word, choices))?;
                one(&element.name, Wish::On(true))
            }
            (Place::Choice(..) | Place::OwnChoice(_), other) => Err(wrong(name, "a text", other)),
            (Place::Binning, value) => {
                let params = vec![(name.to_owned(), value.clone())];
                let binning = Arguments::of(&params).binning(CALL, name)?;
                let factors = [("HOR_BIN", binning.x), ("VER_BIN", binning.y)];
                let wishes =
                    factors.map(|(element, factor)| (element.to_owned(), Wish::Number(factor.into())));
                Ok((property.to_owned(), wishes.into()))
            }
            (Place::Roi, value) => {
                let fields = json::fields(CALL, name, value)?;
                let roi = Arguments::of(&fields).roi(CALL)?;
                let sides = [("X", roi.x), ("Y", roi.y), ("WIDTH", roi.width), ("HEIGHT", roi.height)];
                let wishes = sides.map(|(element, side)| (element.to_owned(), Wish::Number(side.into())));
                Ok((property.to_owned(), wishes.into()))
            }
        }
    }

    pub(super) fn entry(
        self,
        device: &Device,
        name: &str,
        unit: Option<&str>,
        next: bool,
        value: &Value,
    ) -> ParameterEntry {
        let kind = match (self, value) {
            (Place::Choice(..) | Place::OwnChoice(_), _) => "enum",
            (_, Value::Bool(_)) => "bool",
            (_, Value::Number(_)) => "number",
            (_, Value::Text(_)) => "text",
            (_, Value::List(_)) => "list",
            (_, Value::Record(_)) => "record",
        };
        let property = self.property(device);
        let written = match self {
            Place::Target { asked: (vector, _), .. } => vector,
            Place::Limit(..) => "",
            _ => property,
        };
        let access = match device.vector(written).map(|vector| vector.perm) {
            Some(Perm::Rw) if next => "RWI",
            Some(Perm::Rw) => "RW",
            Some(Perm::Wo) => "W",
            Some(Perm::Ro) | None => "R",
        };
        let number = match self {
            Place::Element(vector, element) => Some((vector, element)),
            Place::Either(places) => info::first(device, places),
            Place::Target { asked, .. } => Some(asked),
            _ => None,
        };
        let limits = number.filter(|(vector, element)| device.limits(vector, element).is_some());
        let limits = limits.and_then(|(vector, element)| device.vector(vector)?.limits(element));
        let choices = match self {
            Place::Choice(_, words) => {
                let has = |element: &str| {
                    device.vector(property).is_some_and(|vector| vector.element(element).is_some())
                };
                words.iter().filter(|(_, element)| has(element)).map(|(word, _)| (*word).to_owned()).collect()
            }
            Place::OwnChoice(_) => device.vector(property).map_or(Vec::new(), |vector| {
                vector.elements.iter().map(|element| element.name.clone()).collect()
            }),
            _ => Vec::new(),
        };
        ParameterEntry {
            name: name.to_owned(),
            kind: kind.to_owned(),
            unit: unit.map(str::to_owned),
            access: access.to_owned(),
            property: property.to_owned(),
            min: limits.map(|limits| limits.min),
            max: limits.map(|limits| limits.max),
            step: limits.map(|limits| limits.step).filter(|step| *step > 0.0),
            choices,
        }
    }
}

fn no_choice<'a>(name: &str, word: &str, choices: impl Iterator<Item = &'a str>) -> ClientError {
    let choices: Vec<&str> = choices.collect();
    ClientError::Invalid(format!("{name} takes {}, not {:?}", choices.join(", "), json::quoted(word)))
}
