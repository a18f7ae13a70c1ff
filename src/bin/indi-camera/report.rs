//! What is on a frame, for people and for programs.

use std::fmt::Write as _;
use std::path::Path;

use indi_camera::camera::answer::FrameRecord;
use indi_camera::client::{Frame, Header};
use indi_camera::image::planes::Planes;
use indi_camera::image::statistics::Statistics;
use indi_camera::image::{Bayer, Pixels, stars};
use serde::Serialize;

use super::files::Written;

/// What can be said of one frame.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Report {
    camera: String,
    file: String,
    preview: Option<String>,
    bytes: u64,
    /// Of formats that are read here.
    image: Option<Image>,
    info: FrameRecord,
}

/// What the pixels say.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Image {
    width: usize,
    height: usize,
    planes: usize,
    bits: u8,
    statistics: Values,
    stars: Stars,
}

/// ADU, but for the counts.
#[derive(Clone, Debug, Serialize)]
struct Values {
    minimum: u32,
    maximum: u32,
    mean: f64,
    median: u32,
    noise: f64,
    /// Pixels at the largest value that the camera can give.
    saturated: u64,
}

#[derive(Clone, Debug, Serialize)]
struct Stars {
    count: usize,
    /// Median half-flux radius in pixels of the frame.
    hfr: Option<f32>,
}

impl Image {
    /// Looks at a frame. `adc_bits` is what the camera's converter has, where that is known.
    pub(super) fn of(pixels: &Pixels, light: &Planes, adc_bits: Option<u32>) -> Option<Image> {
        let (planes, height, width) = pixels.shape();
        let container = u32::from(pixels.bits());
        let bits = adc_bits.filter(|bits| (1..container).contains(bits)).unwrap_or(container);
        let converter = u32::MAX >> (32 - bits);
        // Values of 12 bits in 16 end at 4095, but most cameras shift them up, to 65520. Sums of pixels pass 4095 too,
        // and 16 full ones make the same 65520.
        let shifted = converter << (container - bits);
        let statistics = Statistics::of(pixels, shifted)?;
        let statistics = if converter < shifted && statistics.maximum <= converter {
            Statistics::of(pixels, converter)?
        } else {
            statistics
        };
        let Statistics { minimum, maximum, mean, median, noise, saturated, .. } = statistics;
        let found = stars::find(light);
        Some(Image {
            width,
            height,
            planes,
            bits: pixels.bits(),
            statistics: Values { minimum, maximum, mean, median, noise, saturated },
            stars: Stars { count: found.len(), hfr: stars::median_hfr(&found) },
        })
    }

    /// In a few words.
    fn brief(&self) -> String {
        let hfr = self.stars.hfr.map_or(String::new(), |hfr| format!(", HFR {hfr:.2}"));
        let Values { median, noise, .. } = self.statistics;
        format!("median {median}, noise {noise:.1}, {}{hfr}", count(self.stars.count as u64, "star"))
    }
}

/// The colour mosaic that lies on the pixels of a frame, as its header says.
pub(super) fn mosaic(header: &Header) -> Option<Bayer> {
    let pattern = header.get("BAYERPAT").filter(|pattern| pattern.trim().len() == 4)?.to_owned();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 or 1 after the remainder")]
    let offset = |keyword| header.number(keyword).unwrap_or(0.0).rem_euclid(2.0) as u32;
    Some(Bayer { pattern, offset_x: offset("XBAYROFF"), offset_y: offset("YBAYROFF") })
}

impl Report {
    pub(super) fn new(camera: &str, written: &Written, info: FrameRecord, image: Option<Image>) -> Report {
        let text = |path: &Path| path.display().to_string();
        Report {
            camera: camera.to_owned(),
            file: text(&written.frame),
            preview: written.preview.as_deref().map(text),
            bytes: info.bytes,
            image,
            info,
        }
    }

    /// One line of a series.
    pub(super) fn brief(&self) -> String {
        let image = self.image.as_ref().map_or(String::new(), |image| format!("  {}", image.brief()));
        format!("{}{image}", self.file)
    }

    /// Everything that a person wants to know.
    pub(super) fn full(&self) -> String {
        let mut text = String::new();
        let mut row = |name: &str, value: String| {
            let _ = writeln!(text, "    {name:<12} {value}");
        };
        row("camera", self.camera.clone());
        row("file", format!("{} ({})", self.file, size(self.bytes)));
        if let Some(preview) = &self.preview {
            row("preview", preview.clone());
        }
        let (spec, measured) = (&self.info.spec, &self.info.measured);
        row("exposure", format!("{} s", spec.duration_s));
        if let Some(start) = &measured.start_utc {
            row("taken at", format!("{start} UTC"));
        }
        let setting = |name: &str, value: Option<i32>| value.map(|value| format!("{name} {value}"));
        let temperature = measured.temperature_end.map(|celsius| format!("{celsius:.1} °C"));
        let settings = [setting("gain", spec.gain), setting("offset", spec.offset), temperature];
        row("settings", settings.into_iter().flatten().collect::<Vec<_>>().join(", "));
        match &self.image {
            Some(image) => image.rows(&mut row),
            None => row("pixels", "not looked at: only FITS is read here".to_owned()),
        }
        for warning in &self.info.warnings {
            row("warning", warning.clone());
        }
        text
    }
}

impl Image {
    fn rows(&self, row: &mut impl FnMut(&str, String)) {
        let colour = if self.planes == 3 { ", red, green and blue" } else { "" };
        row("size", format!("{} x {} pixels of {} bits{colour}", self.width, self.height, self.bits));
        let Values { minimum, maximum, mean, median, noise, saturated } = self.statistics;
        row("values", format!("{minimum} to {maximum} ADU, mean {mean:.1}"));
        row("median", format!("{median} ADU"));
        row("noise", format!("{noise:.1} ADU"));
        row("saturated", count(saturated, "pixel"));
        let hfr = self.stars.hfr.map_or(String::new(), |hfr| format!(", half-flux radius {hfr:.2} pixels"));
        row("stars", format!("{}{hfr}", self.stars.count));
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

fn count(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// A frame as light, with its mosaic taken apart.
pub(super) fn light(frame: &Frame) -> Planes {
    Planes::of(&frame.pixels, mosaic(&frame.header).as_ref())
}
