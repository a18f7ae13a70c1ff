//! What a camera says of itself, read once when it is opened.
//!
//! Every interface since the first is understood: what an older camera does not have, and what a newer one does not
//! implement, is absent or takes the value that its interface implies.

use super::api::{Api, optional};
use super::fault::Fault;
use crate::camera::types::{
    Bayer, Binning, Capabilities, CaptureFormat, Celsius, Control, ControlKind, Range, Sensor,
};

/// Seconds, for cameras that are too old to tell.
const EXPOSURE: Range<f64> = Range { min: 0.0, max: 3600.0, step: 0.0 };
/// What is longer is no exposure, though some servers say so.
const LONGEST_EXPOSURE: f64 = 1e6;
/// Alpaca does not tell which targets a cooler takes; it refuses others by itself. Colder than any, and warm enough to
/// warm up.
const COOLER: Range<Celsius> = Range { min: -100.0, max: 50.0, step: 0.1 };
/// Where the interface does not tell.
const MAX_ADU: i64 = 65535;
/// A number that some cameras have and Alpaca calls by the name of a property.
pub(super) struct Own {
    pub(super) name: &'static str,
    label: &'static str,
    pub(super) property: &'static str,
    /// Of the form that writes it.
    pub(super) key: &'static str,
    pub(super) kind: ControlKind,
}

pub(super) const OWN: [Own; 2] = [
    Own {
        name: "ALPACA_HEAT_SINK",
        label: "Heat sink (C)",
        property: "heatsinktemperature",
        key: "",
        kind: ControlKind::Reading,
    },
    // Of each of the exposures that the camera adds to one.
    Own {
        name: "ALPACA_SUB_EXPOSURE",
        label: "Sub-exposure (s)",
        property: "subexposureduration",
        key: "SubExposureDuration",
        kind: ControlKind::Number(EXPOSURE),
    },
];
/// More choices than any camera has.
const MOST_CHOICES: usize = 100;

/// A camera that has been opened.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Facts {
    pub(super) can: Capabilities,
    /// Version of its interface.
    pub(super) interface: i64,
    /// The axes may be binned differently.
    pub(super) asymmetric: bool,
    pub(super) abort: bool,
    pub(super) stop: bool,
    pub(super) modes: Modes,
    /// Names of the values of gain, where it is an index.
    pub(super) gains: Vec<String>,
    /// The same of offset.
    pub(super) offsets: Vec<String>,
}

/// Ways to read the sensor out, which are this camera's formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Modes {
    /// There is no choice.
    One,
    /// By their number.
    Listed,
    /// Normal or fast.
    Fast,
}

impl Facts {
    /// Asks the camera, which is connected, for everything.
    pub(super) fn read(api: &mut Api) -> Result<Facts, Fault> {
        let interface = optional(api.whole("interfaceversion"))?.unwrap_or(1);
        let max_adu = optional(api.whole("maxadu"))?.filter(|most| *most > 0).unwrap_or(MAX_ADU);
        let (modes, names) = modes(api)?;
        let adc_bits = significant_bits(max_adu);
        let asymmetric = flag(api, "canasymmetricbin")?;
        let binning = binning(api, asymmetric)?;
        // Of several ways to read out, each may have another depth, and many cameras add up what they bin.
        let is_plain = modes == Modes::One && binning == Binning::NONE;
        let bits = container(adc_bits).max(if is_plain { 8 } else { 16 });
        let (gain, gains) = range(api, "gain")?;
        let (offset, offsets) = range(api, "offset")?;
        let can = Capabilities {
            sensor: Sensor {
                width: pixels(api, "cameraxsize")?,
                height: pixels(api, "cameraysize")?,
                pixel_x: optional(api.number("pixelsizex"))?.unwrap_or(0.0),
                pixel_y: optional(api.number("pixelsizey"))?.unwrap_or(0.0),
                bits,
                adc_bits,
                bayer: bayer(api)?,
            },
            formats: Vec::new(),
            exposure: exposure(api)?,
            binning,
            subframe: true,
            shutter: flag(api, "hasshutter")?,
            cooler: flag(api, "cansetccdtemperature")?.then_some(COOLER),
            thermometer: optional(api.number("ccdtemperature"))?.is_some(),
            cooler_power: flag(api, "cangetcoolerpower")?,
            gain,
            offset,
            controls: controls(api)?,
            guide_port: flag(api, "canpulseguide")?,
            scene: false,
            sdk: optional(api.text("driverversion"))?
                .map(|version| format!("ICameraV{interface}, driver {version}")),
        };
        let formats = formats(&names, &can.sensor);
        // Nobody could tell whether a cooler without a thermometer does its work.
        let can = Capabilities { formats, cooler: can.cooler.filter(|_| can.thermometer), ..can };
        let (abort, stop) = (flag(api, "canabortexposure")?, flag(api, "canstopexposure")?);
        Ok(Facts { can, interface, asymmetric, abort, stop, modes, gains, offsets })
    }
}

/// An ability; what does not say that it has one has none.
fn flag(api: &mut Api, name: &str) -> Result<bool, Fault> {
    Ok(optional(api.flag(name))?.unwrap_or(false))
}

fn pixels(api: &mut Api, name: &str) -> Result<u32, Fault> {
    let count = api.whole(name)?;
    u32::try_from(count).map_err(|_negative| Fault::Nonsense(format!("{name} is {count}")))
}

fn exposure(api: &mut Api) -> Result<Range<f64>, Fault> {
    let seconds = |value: Option<f64>| value.filter(|value| value.is_finite() && *value >= 0.0);
    let max = seconds(optional(api.number("exposuremax"))?).unwrap_or(EXPOSURE.max).min(LONGEST_EXPOSURE);
    let min = seconds(optional(api.number("exposuremin"))?).unwrap_or(EXPOSURE.min).min(max);
    let step = seconds(optional(api.number("exposureresolution"))?).unwrap_or(EXPOSURE.step);
    Ok(Range { min, max, step })
}

fn binning(api: &mut Api, asymmetric: bool) -> Result<Binning, Fault> {
    let mut largest = |name| -> Result<u32, Fault> {
        let factor = optional(api.whole(name))?.unwrap_or(1);
        Ok(u32::try_from(factor).unwrap_or(1).clamp(1, u32::from(u16::MAX)))
    };
    let (x, y) = (largest("maxbinx")?, largest("maxbiny")?);
    // Both axes alike: what only one of them can, neither can.
    Ok(if asymmetric { Binning { x, y } } else { Binning { x: x.min(y), y: x.min(y) } })
}

/// The values that gain or offset take, and their names if they are numbers in a list.
fn range(api: &mut Api, name: &str) -> Result<(Option<Range<i32>>, Vec<String>), Fault> {
    if optional(api.whole(name))?.is_none() {
        return Ok((None, Vec::new()));
    }
    let whole = |value: Option<i64>| value.and_then(|value| i32::try_from(value).ok());
    let min = whole(optional(api.whole(&format!("{name}min")))?);
    let max = whole(optional(api.whole(&format!("{name}max")))?);
    if let (Some(min), Some(max)) = (min, max) {
        return Ok(((min <= max).then_some(Range { min, max, step: 1 }), Vec::new()));
    }
    let names = optional(api.texts(&format!("{name}s")))?.unwrap_or_default();
    let last = i32::try_from(names.len()).unwrap_or(i32::MAX) - 1;
    Ok(((last >= 0).then_some(Range { min: 0, max: last, step: 1 }), names))
}

/// What a camera has besides what every camera has.
fn controls(api: &mut Api) -> Result<Vec<Control>, Fault> {
    let mut controls = Vec::new();
    for Own { name, label, property, kind, .. } in OWN {
        if optional(api.number(property))?.is_some() {
            controls.push(Control { name: name.to_owned(), label: label.to_owned(), kind });
        }
    }
    Ok(controls)
}

/// How the sensor can be read out, and what the ways are called if there is a choice.
fn modes(api: &mut Api) -> Result<(Modes, Vec<String>), Fault> {
    let mut names = optional(api.texts("readoutmodes"))?.unwrap_or_default();
    names.truncate(MOST_CHOICES);
    if names.len() > 1 {
        return Ok((Modes::Listed, names));
    }
    if flag(api, "canfastreadout")? {
        return Ok((Modes::Fast, vec!["Normal".to_owned(), "Fast".to_owned()]));
    }
    Ok((Modes::One, Vec::new()))
}

/// Depth and mosaic are those of the way to read out that is set now: Alpaca does not tell them of the others.
fn formats(names: &[String], sensor: &Sensor) -> Vec<CaptureFormat> {
    let label = |number: usize, name: &String| {
        let taken = names[..number].contains(name);
        if taken || name.trim().is_empty() {
            format!("{name} {number}").trim().to_owned()
        } else {
            name.clone()
        }
    };
    let format = |(number, name)| CaptureFormat {
        name: format_name(number),
        label: label(number, name),
        bits: sensor.bits,
        adc_bits: sensor.adc_bits,
        bayer: sensor.bayer.clone(),
    };
    names.iter().enumerate().map(format).collect()
}

/// What a way to read the sensor out is called in the protocol.
pub(super) fn format_name(number: usize) -> String {
    format!("READOUT_{number}")
}

fn bayer(api: &mut Api) -> Result<Option<Bayer>, Fault> {
    let matrix = match optional(api.whole("sensortype"))?.unwrap_or(0) {
        // Grey, or colours that the camera has made itself.
        0 | 1 => return Ok(None),
        2 => ["RG", "GB"],
        3 => ["YC", "GM"],
        other => {
            tracing::warn!(
                sensor_type = other,
                "the sensor's mosaic is not of 2x2 pixels: frames say nothing of it"
            );
            return Ok(None);
        }
    };
    let mut shift = |name| -> Result<usize, Fault> {
        Ok(usize::from(optional(api.whole(name))?.unwrap_or(0).rem_euclid(2) == 1))
    };
    let (x, y) = (shift("bayeroffsetx")?, shift("bayeroffsety")?);
    // Told as the letters of the first pixels, so that nobody has to care for a shift.
    let row = |row: usize| {
        let letters: Vec<char> = matrix[(row + y) % 2].chars().collect();
        [letters[x % 2], letters[(x + 1) % 2]]
    };
    let pattern = row(0).into_iter().chain(row(1)).collect();
    Ok(Some(Bayer { pattern, offset_x: 0, offset_y: 0 }))
}

/// Bits that it takes to write a number.
fn significant_bits(most: i64) -> u8 {
    let bits = 64 - u64::try_from(most).unwrap_or(0).leading_zeros();
    u8::try_from(bits.clamp(1, 32)).unwrap_or(32)
}

fn container(bits: u8) -> u8 {
    match bits {
        ..=8 => 8,
        9..=16 => 16,
        _ => 32,
    }
}
