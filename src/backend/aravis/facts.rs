//! What a camera is and can do, read from itself.

use aravis::Device;
use aravis::glib::Error;
use aravis::prelude::*;

use super::FRAME_RATE;
use super::feature::{self, Knob, can_set};
use super::geometry;
use super::pixel::{PixelForm, readable};
use crate::camera::error::{CameraError, ErrorKind, Result};
use crate::camera::types::{Capabilities, CaptureFormat, Control, ControlKind, Range, Sensor};

use super::fault::failed;

const CALL: &str = "connect";
/// Frame rates of a camera that has no limits for them, images a second.
const FRAME_RATES: (f64, f64) = (0.1, 1000.0);

/// What is known of a camera.
pub(super) struct Facts {
    pub(super) can: Capabilities,
    pub(super) knobs: Knobs,
    pub(super) forms: Vec<PixelForm>,
}

/// Its numbers that can be turned or read.
#[derive(Clone, Copy)]
pub(super) struct Knobs {
    pub(super) exposure: Knob,
    pub(super) gain: Option<Knob>,
    pub(super) offset: Option<Knob>,
    pub(super) rate: Option<Knob>,
    pub(super) temperature: Option<Knob>,
}

impl Facts {
    /// Reads them. Leaves the camera without binning, and in `form` if it has that, else in its best one.
    pub(super) fn read(device: &Device, form: Option<PixelForm>) -> Result<(Facts, PixelForm)> {
        let values = device.dup_available_enumeration_feature_values("PixelFormat");
        let values = values.map_err(|error| failed(CALL, error))?;
        let forms = readable(&values, has_colour_filters(device));
        let best = *forms.first().ok_or_else(|| {
            CameraError::new(ErrorKind::Hardware, CALL, "the camera has no pixel format that can be read")
        })?;
        let form = form.filter(|form| forms.contains(form)).unwrap_or(best);
        let knobs = Knobs::find(device)?;
        let can = set_form(device, form).and_then(|()| abilities(device, knobs, &forms, form));
        Ok((Facts { can: can.map_err(|error| failed(CALL, error))?, knobs, forms }, form))
    }
}

impl Knobs {
    fn find(device: &Device) -> Result<Knobs> {
        let settable = |knob: &Knob| can_set(device, knob.name);
        let exposure = Knob::find(device, feature::EXPOSURE).filter(settable).ok_or_else(|| {
            CameraError::new(ErrorKind::Hardware, CALL, "the camera has no exposure time that can be set")
        })?;
        Ok(Knobs {
            exposure,
            gain: Knob::find(device, feature::GAIN).filter(settable),
            offset: Knob::find(device, feature::BLACK_LEVEL).filter(settable),
            rate: Knob::find(device, feature::FRAME_RATE).filter(settable),
            temperature: Knob::find(device, feature::TEMPERATURE),
        })
    }
}

pub(super) fn set_form(device: &Device, form: PixelForm) -> Result<(), Error> {
    device.set_integer_feature_value("PixelFormat", form.value.into())
}

fn abilities(
    device: &Device,
    knobs: Knobs,
    forms: &[PixelForm],
    form: PixelForm,
) -> Result<Capabilities, Error> {
    let (width, height) = geometry::sensor(device)?;
    let converter = feature::CONVERTERS.iter().find_map(|name| {
        let word = device.string_feature_value(name).ok()?;
        feature::digits(&word)
    });
    let CaptureFormat { bits, adc_bits, bayer, .. } = form.capture_format(converter);
    // What nobody tells is 0, as with other cameras.
    let size = |variants| Knob::find(device, variants).and_then(|knob| knob.get(device).ok()).unwrap_or(0.0);
    let (pixel_x, pixel_y) = (size(feature::PIXEL_WIDTH), size(feature::PIXEL_HEIGHT));
    let Range { min, max, step } = knobs.exposure.range(device)?;
    let counts = |knob: Option<Knob>| knob.map(|knob| knob.counts(device)).transpose();
    Ok(Capabilities {
        sensor: Sensor { width, height, pixel_x, pixel_y, bits, adc_bits, bayer },
        formats: forms.iter().map(|form| form.capture_format(converter)).collect(),
        exposure: Range { min: min * 1e-6, max: max * 1e-6, step: step * 1e-6 },
        binning: geometry::largest_binning(device)?,
        subframe: can_set(device, "Width") && can_set(device, "Height"),
        shutter: false,
        cooler: None,
        thermometer: knobs.temperature.is_some(),
        cooler_power: false,
        gain: counts(knobs.gain)?,
        offset: counts(knobs.offset)?,
        controls: knobs.rate.and_then(|knob| frame_rate(device, knob)).into_iter().collect(),
        guide_port: false,
        scene: false,
        sdk: None,
    })
}

fn frame_rate(device: &Device, knob: Knob) -> Option<Control> {
    let Range { min, max, .. } = knob.range(device).ok()?;
    let (least, most) = FRAME_RATES;
    let within = |value: f64, or: f64| if (least..=most).contains(&value) { value } else { or };
    let range = Range { min: within(min, least), max: within(max, most), step: 0.0 };
    let kind = ControlKind::Number(range);
    Some(Control { name: FRAME_RATE.to_owned(), label: "Free run (frames/s)".to_owned(), kind })
}

fn has_colour_filters(device: &Device) -> bool {
    device.string_feature_value("PixelColorFilter").is_ok_and(|filter| filter.starts_with("Bayer"))
}
