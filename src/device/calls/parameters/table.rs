//! The parameters that the Camera API names: one line each, and how their values are made of elements.

use crate::camera::error::{CameraError, ErrorKind, Result};
use crate::camera::json;
use crate::camera::types::Value;
use crate::property::store::Vector;
use crate::wire::{Elements, Limits};

use super::read_element;

/// The parameter that is read from one vector and written to another.
pub(super) const TARGET: &str = "temperature.target";

/// A parameter of the Camera API.
pub(super) struct Named {
    pub(super) name: &'static str,
    /// `R`, `W`, `RW`, or `RI` where a write during an exposure counts for the next one.
    pub(super) access: &'static str,
    pub(super) unit: &'static str,
    pub(super) vector: &'static str,
    pub(super) shape: Shape,
}

/// How the value of a parameter is made of a vector's elements.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    Number(&'static str),
    Integer(&'static str),
    Text(&'static str),
    /// A whole number that the vector spells out.
    Spelt(&'static str),
    /// The switches for true and for false.
    Bool(&'static str, &'static str),
    /// Words, and the switch for each.
    Choice(&'static [(&'static str, &'static str)]),
    /// The name of the switch that is on.
    Menu,
    /// Whole numbers in this order.
    List(&'static [&'static str]),
    /// Names, and the element for each: whole numbers.
    Record(&'static [(&'static str, &'static str)]),
    /// A limit of an element.
    Limit(&'static str, fn(&Limits) -> f64),
}

const fn named(
    name: &'static str,
    access: &'static str,
    unit: &'static str,
    vector: &'static str,
    shape: Shape,
) -> Named {
    Named { name, access, unit, vector, shape }
}

const SECONDS: &str = "CCD_EXPOSURE_VALUE";
const WINDOW: &[(&str, &str)] =
    &[("start_x", "X"), ("start_y", "Y"), ("width", "WIDTH"), ("height", "HEIGHT")];
const KINDS: &[(&str, &str)] =
    &[("light", "FRAME_LIGHT"), ("bias", "FRAME_BIAS"), ("dark", "FRAME_DARK"), ("flat", "FRAME_FLAT")];
const FORMATS: &[(&str, &str)] =
    &[("fits", "FORMAT_FITS"), ("native", "FORMAT_NATIVE"), ("xisf", "FORMAT_XISF")];
const UPLOADS: &[(&str, &str)] =
    &[("client", "UPLOAD_CLIENT"), ("local", "UPLOAD_LOCAL"), ("both", "UPLOAD_BOTH")];

#[rustfmt::skip]
pub(super) const TABLE: &[Named] = &[
    named("gain", "RI", "", "CCD_GAIN", Shape::Integer("GAIN")),
    named("offset", "RI", "", "CCD_OFFSET", Shape::Integer("OFFSET")),
    named("binning", "RI", "", "CCD_BINNING", Shape::List(&["HOR_BIN", "VER_BIN"])),
    named("roi", "RI", "px", "CCD_FRAME", Shape::Record(WINDOW)),
    named("frame_type", "RI", "", "CCD_FRAME_TYPE", Shape::Choice(KINDS)),
    named("exposure.min", "R", "s", "CCD_EXPOSURE", Shape::Limit(SECONDS, |limits| limits.min)),
    named("exposure.max", "R", "s", "CCD_EXPOSURE", Shape::Limit(SECONDS, |limits| limits.max)),
    named("exposure.step", "R", "s", "CCD_EXPOSURE", Shape::Limit(SECONDS, |limits| limits.step)),
    named("temperature", "R", "°C", "CCD_TEMPERATURE", Shape::Number("CCD_TEMPERATURE_VALUE")),
    named(TARGET, "RW", "°C", "CCD_TEMPERATURE_TARGET", Shape::Number("TARGET")),
    named("temperature.ramp", "RW", "°C/min", "CCD_TEMP_RAMP", Shape::Number("RAMP_SLOPE")),
    named("temperature.threshold", "RW", "°C", "CCD_TEMP_RAMP", Shape::Number("RAMP_THRESHOLD")),
    named("cooler", "RW", "", "CCD_COOLER", Shape::Bool("COOLER_ON", "COOLER_OFF")),
    named("cooler.power", "R", "%", "CCD_COOLER_POWER", Shape::Number("CCD_COOLER_VALUE")),
    named("format", "RI", "", "CCD_CAPTURE_FORMAT", Shape::Menu),
    named("encode", "RW", "", "CCD_TRANSFER_FORMAT", Shape::Choice(FORMATS)),
    named("compress", "RW", "", "CCD_COMPRESSION", Shape::Bool("INDI_ENABLED", "INDI_DISABLED")),
    named("sensor.width", "R", "px", "CCD_INFO", Shape::Integer("CCD_MAX_X")),
    named("sensor.height", "R", "px", "CCD_INFO", Shape::Integer("CCD_MAX_Y")),
    named("sensor.pixel_x", "R", "µm", "CCD_INFO", Shape::Number("CCD_PIXEL_SIZE_X")),
    named("sensor.pixel_y", "R", "µm", "CCD_INFO", Shape::Number("CCD_PIXEL_SIZE_Y")),
    named("sensor.bits", "R", "bit", "CCD_INFO", Shape::Integer("CCD_BITSPERPIXEL")),
    named("sensor.bayer", "R", "", "CCD_CFA", Shape::Text("CFA_TYPE")),
    named("sensor.bayer_x", "R", "px", "CCD_CFA", Shape::Spelt("CFA_OFFSET_X")),
    named("sensor.bayer_y", "R", "px", "CCD_CFA", Shape::Spelt("CFA_OFFSET_Y")),
    named("upload.mode", "RW", "", "UPLOAD_MODE", Shape::Choice(UPLOADS)),
    named("upload.dir", "RW", "", "UPLOAD_SETTINGS", Shape::Text("UPLOAD_DIR")),
    named("upload.prefix", "RW", "", "UPLOAD_SETTINGS", Shape::Text("UPLOAD_PREFIX")),
    named("upload.last", "R", "", "CCD_FILE_PATH", Shape::Text("FILE_PATH")),
    named("fast.enable", "RW", "", "CCD_FAST_TOGGLE", Shape::Bool("INDI_ENABLED", "INDI_DISABLED")),
    named("fast.count", "RW", "frames", "CCD_FAST_COUNT", Shape::Integer("FRAMES")),
    named("scope.focal_length", "RW", "mm", "SCOPE_INFO", Shape::Number("FOCAL_LENGTH")),
    named("scope.aperture", "RW", "mm", "SCOPE_INFO", Shape::Number("APERTURE")),
    named("rotation", "RW", "°", "CCD_ROTATION", Shape::Number("CCD_ROTATION_VALUE")),
    named("polling_period", "RW", "ms", "POLLING_PERIOD", Shape::Number("PERIOD_MS")),
    named("debug", "RW", "", "DEBUG", Shape::Bool("ENABLE", "DISABLE")),
    named("serial", "R", "", "Serial Number", Shape::Text("SN")),
    named("nickname", "RW", "", "NICKNAME", Shape::Text("nickname")),
    named("health.sensor", "R", "", "CAMERA_HEALTH", Shape::Text("SENSOR")),
    named("health.cooler", "R", "", "CAMERA_HEALTH", Shape::Text("COOLER")),
    named("health.delivery", "R", "", "CAMERA_HEALTH", Shape::Text("DELIVERY")),
    named("health.disk", "R", "", "CAMERA_HEALTH", Shape::Text("DISK")),
    named("health.server", "R", "", "CAMERA_HEALTH", Shape::Text("SERVER")),
    named("health.cooler_alarm.cooler", "R", "", "CCD_COOLER_ALARM", Shape::Text("COOLER")),
    named("health.cooler_alarm.sensor", "R", "", "CCD_COOLER_ALARM", Shape::Text("SENSOR")),
    named("health.cooler_alarm.power", "R", "", "CCD_COOLER_ALARM", Shape::Text("POWER")),
    named("health.cooler_alarm.runaway", "R", "", "CCD_COOLER_ALARM", Shape::Text("RUNAWAY")),
    named("stats.frames", "R", "", "CAMERA_COUNTS", Shape::Integer("FRAMES")),
    named("stats.failures", "R", "", "CAMERA_COUNTS", Shape::Integer("FAILURES")),
    named("stats.retries", "R", "", "CAMERA_COUNTS", Shape::Integer("RETRIES")),
    named("stats.drops", "R", "", "CAMERA_COUNTS", Shape::Integer("DROPS")),
    named("stats.overrun_p50", "R", "ms", "CAMERA_LATENCY", Shape::Number("OVERRUN_P50")),
    named("stats.overrun_p99", "R", "ms", "CAMERA_LATENCY", Shape::Number("OVERRUN_P99")),
    named("stats.read_out_p50", "R", "ms", "CAMERA_LATENCY", Shape::Number("READ_OUT_P50")),
    named("stats.read_out_p99", "R", "ms", "CAMERA_LATENCY", Shape::Number("READ_OUT_P99")),
    named("stats.encode_p50", "R", "ms", "CAMERA_LATENCY", Shape::Number("ENCODE_P50")),
    named("stats.encode_p99", "R", "ms", "CAMERA_LATENCY", Shape::Number("ENCODE_P99")),
    named("stats.write_p50", "R", "ms", "CAMERA_LATENCY", Shape::Number("WRITE_P50")),
    named("stats.write_p99", "R", "ms", "CAMERA_LATENCY", Shape::Number("WRITE_P99")),
    named("stats.ack_p50", "R", "ms", "CAMERA_LATENCY", Shape::Number("ACK_P50")),
    named("stats.ack_p99", "R", "ms", "CAMERA_LATENCY", Shape::Number("ACK_P99")),
    named("stats.deadline", "R", "s", "CCD_EXPOSURE_DEADLINE", Shape::Number("CAMERA")),
    named("stats.read_out_allowance", "R", "s", "CCD_EXPOSURE_DEADLINE", Shape::Number("READ_OUT")),
    named("stats.delivery_allowance", "R", "s", "CCD_EXPOSURE_DEADLINE", Shape::Number("DELIVERY")),
];

/// The parameter of this name.
pub(super) fn named_as(name: &str) -> Option<&'static Named> {
    TABLE.iter().find(|named| named.name == name)
}

/// Whether an element can be had by a name of its own.
pub(super) fn covers(vector: &str, element: &str) -> bool {
    TABLE.iter().any(|named| named.vector == vector && named.shape.elements().contains(&element))
}

impl Named {
    pub(super) fn is_read_only(&self) -> bool {
        self.access == "R"
    }
}

impl Shape {
    /// The word for what its values are.
    pub(super) fn word(self) -> &'static str {
        match self {
            Shape::Number(_) | Shape::Limit(..) => "number",
            Shape::Integer(_) | Shape::Spelt(_) => "integer",
            Shape::Text(_) => "text",
            Shape::Bool(..) => "bool",
            Shape::Choice(_) | Shape::Menu => "enum",
            Shape::List(_) => "list",
            Shape::Record(_) => "record",
        }
    }

    fn elements(self) -> Vec<&'static str> {
        match self {
            Shape::Number(element)
            | Shape::Integer(element)
            | Shape::Text(element)
            | Shape::Spelt(element) => vec![element],
            Shape::Bool(on, off) => vec![on, off],
            Shape::Choice(pairs) | Shape::Record(pairs) => {
                pairs.iter().map(|(_, element)| *element).collect()
            }
            Shape::List(elements) => elements.to_vec(),
            // A limit is not the element's value, and a menu's elements are the camera's.
            Shape::Menu | Shape::Limit(..) => Vec::new(),
        }
    }

    /// The value that a vector has now.
    pub(super) fn read(self, vector: &Vector) -> Option<Value> {
        let text = |element| match read_element(vector, element) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        };
        let is_on = |element: &str| read_element(vector, element) == Some(Value::Bool(true));
        match self {
            Shape::Number(element) | Shape::Integer(element) | Shape::Text(element) => {
                read_element(vector, element)
            }
            Shape::Spelt(element) => text(element)?.parse().ok().map(Value::Number),
            Shape::Bool(on, _) => Some(Value::Bool(is_on(on))),
            Shape::Choice(pairs) => pairs
                .iter()
                .find(|(_, element)| is_on(element))
                .map(|(word, _)| Value::Text((*word).to_owned())),
            Shape::Menu => {
                vector.element_names().into_iter().find(|name| is_on(name)).map(|n| Value::Text(n.to_owned()))
            }
            Shape::List(elements) => elements
                .iter()
                .map(|element| read_element(vector, element))
                .collect::<Option<_>>()
                .map(Value::List),
            Shape::Record(pairs) => {
                let field = |(name, element): &(&str, &str)| {
                    Some(((*name).to_owned(), read_element(vector, element)?))
                };
                pairs.iter().map(field).collect::<Option<_>>().map(Value::Record)
            }
            Shape::Limit(element, which) => {
                let Elements::Number(list) = &vector.elements else { return None };
                let number = list.iter().find(|(head, _)| head.name == element);
                number.map(|(_, number)| Value::Number(which(&number.limits)))
            }
        }
    }

    /// What a client would write for this value: elements and their texts.
    pub(super) fn texts(self, name: &str, value: &Value) -> Result<Vec<(String, String)>> {
        let wrong = |takes: &str| invalid(format!("{name} takes {takes}, not {}", json::kind(value)));
        let on = |element: &str| vec![(element.to_owned(), "On".to_owned())];
        let one = |element: &str, text: String| Ok(vec![(element.to_owned(), text)]);
        match (self, value) {
            (Shape::Number(element), Value::Number(number)) => one(element, number.to_string()),
            (Shape::Number(_), _) => Err(wrong("a number")),
            (Shape::Integer(element), value) => one(element, whole(name, value)?),
            (Shape::Text(element), Value::Text(text)) => one(element, text.clone()),
            (Shape::Text(_), _) => Err(wrong("a text")),
            (Shape::Bool(yes, no), Value::Bool(value)) => Ok(on(if *value { yes } else { no })),
            (Shape::Bool(..), _) => Err(wrong("true or false")),
            (Shape::Choice(pairs), Value::Text(text)) => {
                let chosen = pairs.iter().find(|(word, _)| word == text).map(|(_, element)| on(element));
                let words = || pairs.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
                let refused = || invalid(format!("{name} takes {}, not {:?}", words(), json::quoted(text)));
                chosen.ok_or_else(refused)
            }
            (Shape::Menu, Value::Text(text)) => Ok(on(text)),
            (Shape::Choice(_) | Shape::Menu, _) => Err(wrong("a word")),
            (Shape::List(elements), Value::List(values)) if values.len() == elements.len() => {
                let pair =
                    |(element, value): (&&str, &Value)| Ok(((*element).to_owned(), whole(name, value)?));
                elements.iter().zip(values).map(pair).collect()
            }
            (Shape::List(elements), _) => Err(wrong(&format!("{} whole numbers", elements.len()))),
            (Shape::Record(pairs), Value::Record(fields)) if !fields.is_empty() => {
                let pair = |(field, value): &(String, Value)| {
                    let element = pairs.iter().find(|(known, _)| known == field).map(|(_, element)| *element);
                    let unknown = || invalid(format!("{name} has no {:?}", json::quoted(field)));
                    Ok((element.ok_or_else(unknown)?.to_owned(), whole(field, value)?))
                };
                fields.iter().map(pair).collect()
            }
            (Shape::Record(pairs), _) => {
                let names: Vec<&str> = pairs.iter().map(|(field, _)| *field).collect();
                Err(wrong(&format!("an object of {}", names.join(", "))))
            }
            (Shape::Spelt(_) | Shape::Limit(..), _) => Err(invalid(format!("{name} can only be read"))),
        }
    }
}

fn whole(name: &str, value: &Value) -> Result<String> {
    match value {
        Value::Number(number) if number.fract() == 0.0 => Ok(number.to_string()),
        Value::Number(number) => Err(invalid(format!("{name} takes a whole number, not {number}"))),
        other => Err(invalid(format!("{name} takes a whole number, not {}", json::kind(other)))),
    }
}

fn invalid(detail: String) -> CameraError {
    CameraError::new(ErrorKind::InvalidValue, "set_parameter", detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::property::keys;
    use crate::property::load::load;

    #[test]
    fn every_parameter_is_made_of_elements_that_are_there() {
        let skeletons = [&[keys::BASE][..], &keys::ON_DEMAND, &keys::ON_CONNECT].concat();
        let vectors: Vec<Vector> =
            skeletons.iter().flat_map(|skeleton| load(skeleton.file(), skeleton.source()).unwrap()).collect();
        for named in TABLE {
            let vector = vectors.iter().find(|vector| vector.name == named.vector);
            let names = vector.unwrap_or_else(|| panic!("{} has no vector", named.name)).element_names();
            for element in named.shape.elements() {
                assert!(names.contains(&element), "{}: {}.{element}", named.name, named.vector);
            }
        }
    }

    #[test]
    fn what_is_read_can_be_written_again() {
        let ends = Value::Record(vec![("width".to_owned(), Value::Number(8.0))]);
        let roi = named_as("roi").unwrap().shape;
        assert_eq!(roi.texts("roi", &ends).unwrap(), [("WIDTH".to_owned(), "8".to_owned())]);
        let no = named_as("cooler").unwrap().shape.texts("cooler", &Value::Bool(false)).unwrap();
        assert_eq!(no, [("COOLER_OFF".to_owned(), "On".to_owned())]);
    }
}
