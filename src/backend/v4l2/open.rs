//! A camera that is open: its formats and sizes, its controls, and the stream of its frames.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use super::control::Controls;
use super::exposure::Exposure;
use super::pixel::PixelForm;
use super::stream::Stream;
use super::{Settings, UNIT, abi, failed, node};
use crate::camera::error::{CameraError, ErrorKind, Result};
use crate::camera::types::{Binning, CameraId, Capabilities, CaptureFormat, Range, Roi, Sensor, Value};

/// Exposure times of a camera that does not tell them.
const USUAL_INTERVAL: Duration = Duration::from_millis(33);
/// The longest sum of frames.
const LONGEST: Duration = Duration::from_secs(3600);
/// Most formats, or sizes of one, that are looked at; a broken driver might name them without end.
const MOST: u32 = 256;
/// What sensors in video cameras have, µm; nobody tells.
const PIXEL_SIZE: f64 = 3.0;

/// A camera that is open.
pub(super) struct Open {
    file: File,
    pub(super) controls: Controls,
    pub(super) stacking: bool,
    /// Those of the size, best first.
    forms: Vec<PixelForm>,
    form: PixelForm,
    pub(super) size: (u32, u32),
    /// Bytes from one row to the next.
    pub(super) stride: usize,
    pub(super) interval: Duration,
    pub(super) stream: Option<Stream>,
    pub(super) exposure: Exposure,
    /// A control was changed, so that a frame that is under way may show the old value.
    pub(super) unsettled: bool,
    /// Since when nobody has wanted a frame.
    pub(super) idle_since: Option<Instant>,
}

impl Open {
    pub(super) fn new(id: &CameraId, settings: Settings) -> Result<Open> {
        const CALL: &str = "connect";
        let io = |error: std::io::Error| {
            CameraError::new(ErrorKind::Io, CALL, format!("cannot open the camera: {error}"))
        };
        let found = node::find().map_err(io)?.into_iter().find(|found| found.is(id));
        let found = found.ok_or_else(|| {
            CameraError::new(ErrorKind::Disconnected, CALL, format!("{} is not plugged in", id.name))
        })?;
        let file = found.open().map_err(io)?;
        let (size, forms) = forms(file.as_fd(), settings.size)?;
        let form = *forms.first().ok_or_else(|| {
            CameraError::new(ErrorKind::Hardware, CALL, "the camera has no pixel format that can be read")
        })?;
        let interval = match abi::interval(file.as_fd()) {
            Ok((numerator @ 1.., denominator @ 1..)) => {
                Duration::from_secs_f64(f64::from(numerator) / f64::from(denominator))
            }
            _ => USUAL_INTERVAL,
        };
        let mut open = Open {
            controls: Controls::read(file.as_fd()),
            file,
            stacking: settings.stacking,
            forms,
            form,
            size,
            stride: 0,
            interval,
            stream: None,
            exposure: Exposure::None,
            unsettled: true,
            idle_since: None,
        };
        open.apply_form(form)?;
        Ok(open)
    }

    pub(super) fn node(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    pub(super) fn form(&self) -> PixelForm {
        self.form
    }

    pub(super) fn full(&self) -> Roi {
        Roi { x: 0, y: 0, width: self.size.0, height: self.size.1 }
    }

    /// A control is being changed.
    pub(super) fn changed(&mut self) {
        self.unsettled = true;
    }

    pub(super) fn capabilities(&self) -> Capabilities {
        let Range { min, max, .. } = self.single();
        let max = if self.stacking { LONGEST } else { max };
        let CaptureFormat { bits, adc_bits, bayer, .. } = self.capture_format(self.form);
        Capabilities {
            sensor: Sensor {
                width: self.size.0,
                height: self.size.1,
                pixel_x: PIXEL_SIZE,
                pixel_y: PIXEL_SIZE,
                bits,
                adc_bits,
                bayer,
            },
            formats: self.forms.iter().map(|form| self.capture_format(*form)).collect(),
            exposure: Range { min: min.as_secs_f64(), max: max.as_secs_f64(), step: 0.0 },
            binning: Binning::NONE,
            subframe: false,
            shutter: false,
            cooler: None,
            thermometer: false,
            cooler_power: false,
            gain: self.controls.gains(),
            offset: self.controls.offsets(),
            controls: self.controls.others(),
            guide_port: false,
            scene: false,
            sdk: None,
        }
    }

    /// Sums of frames need more room.
    fn capture_format(&self, form: PixelForm) -> CaptureFormat {
        let format = form.capture_format();
        CaptureFormat { bits: if self.stacking { 32 } else { format.bits }, ..format }
    }

    /// What one frame can be exposed for. Without such a control it is as long as there is between two frames.
    pub(super) fn single(&self) -> Range<Duration> {
        let units = |units: i32| UNIT * u32::try_from(units).unwrap_or_default().max(1);
        match self.controls.exposures() {
            Some(Range { min, max, .. }) => Range { min: units(min), max: units(max), step: UNIT },
            None => Range { min: self.interval, max: self.interval, step: Duration::ZERO },
        }
    }

    pub(super) fn set_form(&mut self, value: &Value) -> Result<()> {
        const CALL: &str = "set_parameter";
        if matches!(self.exposure, Exposure::Running(_)) {
            return Err(CameraError::new(ErrorKind::Busy, CALL, "an exposure is running"));
        }
        let chosen = self.forms.iter().find(|form| Value::Text(form.name()) == *value).copied();
        let chosen = chosen.ok_or_else(|| {
            let names: Vec<String> = self.forms.iter().map(|form| form.name()).collect();
            CameraError::new(
                ErrorKind::InvalidValue,
                CALL,
                format!("format takes one of {}", names.join(", ")),
            )
        })?;
        self.apply_form(chosen)
    }

    fn apply_form(&mut self, form: PixelForm) -> Result<()> {
        const CALL: &str = "set_parameter";
        self.stream = None;
        let set =
            abi::set_format(self.node(), form.fourcc, self.size).map_err(|error| failed(CALL, error))?;
        if (set.fourcc, set.width, set.height) != (form.fourcc, self.size.0, self.size.1) {
            let detail = format!("the camera took {}×{} instead of {:?}", set.width, set.height, self.size);
            return Err(CameraError::new(ErrorKind::Hardware, CALL, detail));
        }
        self.form = form;
        self.stride = set.bytes_per_line as usize;
        Ok(())
    }
}

/// The size that is nearest to the one wanted, and the formats that the camera has in it.
fn forms(node: BorrowedFd<'_>, wanted: (u32, u32)) -> Result<((u32, u32), Vec<PixelForm>)> {
    let names = (0..MOST).map_while(|index| abi::format_description(node, index).ok());
    let mut forms: Vec<PixelForm> = names.filter_map(|name| PixelForm::of(name.fourcc)).collect();
    forms.sort_by_key(|form| form.rank());
    forms.dedup();
    let Some(best) = forms.first() else { return Ok(((0, 0), forms)) };
    let size = match wanted {
        (0, _) | (_, 0) => largest(node, best.fourcc),
        size => size,
    };
    let set = |form: &PixelForm, size| abi::set_format(node, form.fourcc, size);
    let size =
        set(best, size).map(|set| (set.width, set.height)).map_err(|error| failed("connect", error))?;
    let has_it = |form: &PixelForm| {
        set(form, size).is_ok_and(|set| (set.fourcc, set.width, set.height) == (form.fourcc, size.0, size.1))
    };
    forms.retain(has_it);
    Ok((size, forms))
}

fn largest(node: BorrowedFd<'_>, fourcc: [u8; 4]) -> (u32, u32) {
    let sizes = (0..MOST).map_while(|index| abi::frame_size(node, fourcc, index).ok());
    let sizes = sizes.map(|size| match size.kind {
        abi::FRAME_SIZE_DISCRETE => (size.size[0], size.size[1]),
        _ => (size.size[1], size.size[4]),
    });
    // A camera that does not name its sizes takes the nearest one that it has.
    sizes
        .max_by_key(|(width, height)| u64::from(*width) * u64::from(*height))
        .unwrap_or((u32::MAX / 2, u32::MAX / 2))
}
