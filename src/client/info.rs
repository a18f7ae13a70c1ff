//! What the Camera API tells of a camera, out of its standard properties.

use super::mirror::{Device, EXPOSURE, Mirror};
use super::progress::Progress;
use crate::camera::answer::{
    Ability, Area, Conditions, CoolingReport, CoolingState, Current, Found, FrameSpec, Info, Limits, Network,
    Readout, Snapshot,
};
use crate::camera::types::{Binning, FrameType, Roi};
use crate::wire::{Perm, State};

/// The frame types of INDI's cameras, by their switches.
pub(super) const FRAME_TYPES: [(&str, FrameType); 4] = [
    ("FRAME_LIGHT", FrameType::Light),
    ("FRAME_BIAS", FrameType::Bias),
    ("FRAME_DARK", FrameType::Dark),
    ("FRAME_FLAT", FrameType::Flat),
];

/// Where cameras have their gain, and where their offset: the standard first.
pub(super) const GAIN: [(&str, &str); 2] = [("CCD_GAIN", "GAIN"), ("CCD_CONTROLS", "Gain")];
pub(super) const OFFSET: [(&str, &str); 2] = [("CCD_OFFSET", "OFFSET"), ("CCD_CONTROLS", "Offset")];

/// A camera as `scanning` tells of it.
pub(super) fn found(device: &Device) -> Found {
    let text =
        |vector, element| device.text(vector, element).filter(|text| !text.is_empty()).map(str::to_owned);
    let serial = text("Serial Number", "SN");
    let sensor = sensor(device).map(|(width, height)| format!("{width}x{height}"));
    Found {
        id: serial.clone().unwrap_or_else(|| device.name().to_owned()),
        name: device.name().to_owned(),
        model: text("DRIVER_INFO", "DRIVER_NAME").unwrap_or_else(|| device.name().to_owned()),
        serial,
        bus: None,
        sensor,
        in_use: Some(device.is_connected()),
    }
}

/// Everything at one moment.
pub(super) fn snapshot(mirror: &Mirror, device: &Device, progress: Progress, timeout: f64) -> Snapshot {
    let Found { id, name, model, .. } = found(device);
    let binning = binning(device);
    let info = Info {
        kind: "camera".to_owned(),
        name,
        id,
        description: model,
        timeout,
        configration: None,
        current: Current {
            exposure: progress.is_running().then(|| (progress.elapsed + progress.remaining).as_secs_f64()),
            gain: first_number(device, &GAIN).map(to_i32),
            offset: first_number(device, &OFFSET).map(to_i32),
            iso: device
                .vector("CCD_ISO")
                .and_then(|iso| iso.chosen())
                .and_then(|on| on.label.trim().parse().ok()),
            binning: binning.map(|binning| [binning.x, binning.y]),
            temperature: temperature(device),
            cool_power: power(device),
            percent_complete: progress.percent(),
        },
        ability: Ability {
            can_binning: device.limits("CCD_BINNING", "HOR_BIN").is_some(),
            can_cooling: can_cool(device),
            can_gain: first(device, &GAIN).is_some(),
            can_get_coolpower: power(device).is_some(),
            can_guiding: device.vector("TELESCOPE_TIMED_GUIDE_NS").is_some(),
            can_has_shutter: false,
            can_iso: device.vector("CCD_ISO").is_some(),
            can_offset: first(device, &OFFSET).is_some(),
        },
        status: Conditions {
            is_connected: device.is_connected(),
            is_cooling: device.is_on("CCD_COOLER", "COOLER_ON").unwrap_or(false),
            is_exposure: progress.is_running()
                || device.vector(EXPOSURE).is_some_and(|v| v.state == State::Busy),
            is_imageready: matches!(device.exposure.last(), Some(Ok(_))),
            is_guiding: ["TELESCOPE_TIMED_GUIDE_NS", "TELESCOPE_TIMED_GUIDE_WE"]
                .iter()
                .any(|name| device.vector(name).is_some_and(|vector| vector.state == State::Busy)),
            is_video: device.is_on("CCD_VIDEO_STREAM", "STREAM_ON").unwrap_or(false),
        },
        properties: limits(device),
        frame: readout(device),
        network: Network::default(),
    };
    Snapshot { info, sequence: mirror.sequence() }
}

fn limits(device: &Device) -> Limits {
    let gain = first(device, &GAIN).and_then(|(vector, element)| device.limits(vector, element));
    let offset = first(device, &OFFSET).and_then(|(vector, element)| device.limits(vector, element));
    let exposure = device.limits(EXPOSURE, "CCD_EXPOSURE_VALUE");
    let factor = |element| device.limits("CCD_BINNING", element).map(|(_, max)| to_u32(max));
    Limits {
        max_gain: gain.map(|(_, max)| to_i32(max)),
        min_gain: gain.map(|(min, _)| to_i32(min)),
        max_offset: offset.map(|(_, max)| to_i32(max)),
        min_offset: offset.map(|(min, _)| to_i32(min)),
        max_exposure: exposure.map(|(_, max)| max),
        min_exposure: exposure.map(|(min, _)| min),
        max_binning: factor("HOR_BIN").zip(factor("VER_BIN")).map(|(x, y)| [x, y]),
    }
}

fn readout(device: &Device) -> Readout {
    let window = roi(device);
    let sensor = sensor(device);
    let image = window.zip(binning(device)).map(|(roi, binning)| roi.binned(binning));
    let info = |element| device.number("CCD_INFO", element).filter(|value| *value > 0.0);
    let depth = info("CCD_BITSPERPIXEL").map(to_u32);
    let bayer = device.text("CCD_CFA", "CFA_TYPE").filter(|pattern| !pattern.is_empty());
    let shift = |element| device.text("CCD_CFA", element).and_then(|text| text.trim().parse().ok());
    let smallest = |element| device.limits("CCD_FRAME", element).map(|(min, _)| to_u32(min));
    Readout {
        height: window.map(|roi| roi.height),
        width: window.map(|roi| roi.width),
        max_height: sensor.map(|(_, height)| height),
        min_height: smallest("HEIGHT"),
        max_width: sensor.map(|(width, _)| width),
        min_width: smallest("WIDTH"),
        depth,
        max_adu: depth.filter(|bits| *bits < 64).map(|bits| (1 << bits) - 1),
        imgarray: None,
        bayer_pattern: bayer.map(str::to_owned),
        bayer_offset_x: bayer.and_then(|_| shift("CFA_OFFSET_X")),
        bayer_offset_y: bayer.and_then(|_| shift("CFA_OFFSET_Y")),
        pixel_height: info("CCD_PIXEL_SIZE_Y").or_else(|| info("CCD_PIXEL_SIZE")),
        pixel_width: info("CCD_PIXEL_SIZE_X").or_else(|| info("CCD_PIXEL_SIZE")),
        start_x: window.map(|roi| roi.x),
        start_y: window.map(|roi| roi.y),
        subframe_x: image.map(|(width, _)| width),
        subframe_y: image.map(|(_, height)| height),
        sensor_type: sensor.map(|_| if bayer.is_some() { "bayer" } else { "mono" }.to_owned()),
        sensor_name: None,
    }
}

/// What an exposure of that many seconds will be by the settings of this moment.
pub(super) fn spec(device: &Device, seconds: f64) -> FrameSpec {
    let roi = roi(device).unwrap_or(Roi { x: 0, y: 0, width: 0, height: 0 });
    let binning = binning(device).unwrap_or(Binning::NONE);
    FrameSpec {
        duration_s: seconds,
        frame_type: frame_type(device).unwrap_or(FrameType::Light),
        roi: Area::from(roi),
        binning: [binning.x, binning.y],
        gain: first_number(device, &GAIN).map(to_i32),
        offset: first_number(device, &OFFSET).map(to_i32),
        format: device
            .vector("CCD_CAPTURE_FORMAT")
            .and_then(|format| format.chosen())
            .map(|on| on.name.clone()),
    }
}

/// Bytes of pixels that such an exposure gives.
pub(super) fn expected_bytes(device: &Device, spec: &FrameSpec) -> u64 {
    let bits = device.number("CCD_INFO", "CCD_BITSPERPIXEL").map_or(0, to_u32);
    let Area { width, height, .. } = spec.roi;
    u64::from(width / spec.binning[0].max(1))
        * u64::from(height / spec.binning[1].max(1))
        * u64::from(bits.div_ceil(8))
}

pub(super) fn cooling(device: &Device) -> Option<CoolingReport> {
    let cooler = device.vector("CCD_COOLER");
    let thermometer = device.vector("CCD_TEMPERATURE");
    if cooler.is_none() && !can_cool(device) {
        return None;
    }
    let state = thermometer.map_or(State::Idle, |vector| vector.state);
    // Without a switch, a camera that regulates says so by its temperature.
    let on = match cooler {
        Some(cooler) => cooler.is_on("COOLER_ON").unwrap_or(false),
        None => matches!(state, State::Busy | State::Ok),
    };
    let warming =
        cooler.is_some_and(|cooler| cooler.state == State::Busy && cooler.is_on("COOLER_OFF") == Some(true));
    let doing = match state {
        _ if warming => CoolingState::Warming,
        _ if !on => CoolingState::Off,
        State::Busy => CoolingState::Cooling,
        State::Alert => CoolingState::Stalled,
        State::Ok | State::Idle => CoolingState::Stable,
    };
    let target = |element| device.number("CCD_TEMPERATURE_TARGET", element);
    Some(CoolingReport {
        status: on,
        target: target("TARGET"),
        ramp_target: target("RAMP_TARGET"),
        state: doing,
    })
}

pub(super) fn can_cool(device: &Device) -> bool {
    device.vector("CCD_TEMPERATURE").is_some_and(|vector| vector.perm != Perm::Ro)
}

pub(super) fn temperature(device: &Device) -> Option<f64> {
    device.number("CCD_TEMPERATURE", "CCD_TEMPERATURE_VALUE")
}

/// Element 0, because drivers call it differently.
pub(super) fn power(device: &Device) -> Option<f64> {
    device.vector("CCD_COOLER_POWER")?.elements.first()?.number()
}

pub(super) fn frame_type(device: &Device) -> Option<FrameType> {
    let on = device.vector("CCD_FRAME_TYPE")?.chosen()?;
    FRAME_TYPES.iter().find(|(name, _)| *name == on.name).map(|(_, frame_type)| *frame_type)
}

pub(super) fn roi(device: &Device) -> Option<Roi> {
    let frame = device.vector("CCD_FRAME")?;
    let number = |element| frame.number(element).map(to_u32);
    Some(Roi { x: number("X")?, y: number("Y")?, width: number("WIDTH")?, height: number("HEIGHT")? })
}

pub(super) fn binning(device: &Device) -> Option<Binning> {
    let binning = device.vector("CCD_BINNING")?;
    Some(Binning {
        x: to_u32(binning.number("HOR_BIN")?).max(1),
        y: to_u32(binning.number("VER_BIN")?).max(1),
    })
}

/// Width and height.
pub(super) fn sensor(device: &Device) -> Option<(u32, u32)> {
    let info = device.vector("CCD_INFO")?;
    let size = (to_u32(info.number("CCD_MAX_X")?), to_u32(info.number("CCD_MAX_Y")?));
    (size.0 > 0 && size.1 > 0).then_some(size)
}

/// The first of those elements that this camera has.
pub(super) fn first<'a>(device: &Device, places: &[(&'a str, &'a str)]) -> Option<(&'a str, &'a str)> {
    places.iter().copied().find(|(vector, element)| device.number(vector, element).is_some())
}

pub(super) fn first_number(device: &Device, places: &[(&str, &str)]) -> Option<f64> {
    places.iter().find_map(|(vector, element)| device.number(vector, element))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates at what no camera has"
)]
pub(super) fn to_u32(value: f64) -> u32 {
    value.round() as u32
}

#[expect(clippy::cast_possible_truncation, reason = "saturates at what no camera has")]
pub(super) fn to_i32(value: f64) -> i32 {
    value.round() as i32
}
