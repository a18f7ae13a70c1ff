//! A camera that is open: its formats and sizes, its controls, and the stream of its frames.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use super::control::Controls;
use super::exposure::Exposure;
use super::pace::Pace;
use super::pixel::PixelForm;
use super::stream::Stream;
use super::window::Crop;
use super::{Settings, UNIT, abi, failed, node};
use crate::camera::error::{CameraError, ErrorKind, Result};
use crate::camera::types::{Binning, CameraId, Capabilities, CaptureFormat, Range, Roi, Sensor, Value};

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
    size: (u32, u32),
    /// If the camera can stream a part of that.
    crop: Option<Crop>,
    /// What is streamed.
    window: Roi,
    /// Bytes from one row to the next.
    pub(super) stride: usize,
    pub(super) pace: Pace,
    pub(super) stream: Option<Stream>,
    pub(super) exposure: Exposure,
    /// A control was changed, so that a frame that is under way may show the old value.
    pub(super) unsettled: bool,
    /// Since when nobody has wanted a frame.
    pub(super) idle_since: Option<Duration>,
}

/// What outlives a connection, and the camera does not remember by itself.
#[derive(Clone, Copy)]
pub(super) struct Kept {
    form: PixelForm,
    size: (u32, u32),
    window: Roi,
}

impl Open {
    /// Format and window are those of the last time, as far as the camera still has them.
    pub(super) fn new(id: &CameraId, settings: Settings, last: Option<Kept>) -> Result<Open> {
        const CALL: &str = "connect";
        let io = |error: std::io::Error| {
            CameraError::new(ErrorKind::Io, CALL, format!("cannot open the camera: {error}"))
        };
        let found = node::find_one(id).map_err(io)?.ok_or_else(|| {
            CameraError::new(ErrorKind::Disconnected, CALL, format!("{} is not plugged in", id.name))
        })?;
        let file = found.open().map_err(io)?;
        let crop = Crop::of(file.as_fd());
        let (size, forms) = forms(file.as_fd(), settings.size, crop)?;
        let form = *forms.first().ok_or_else(|| {
            CameraError::new(ErrorKind::Hardware, CALL, "the camera has no pixel format that can be read")
        })?;
        let controls = Controls::read(file.as_fd());
        let mut open = Open {
            pace: Pace::read(file.as_fd(), controls.exposures().is_some()),
            controls,
            file,
            stacking: settings.stacking,
            forms,
            form,
            size,
            crop: crop.filter(|crop| crop.size() == size),
            window: Roi { x: 0, y: 0, width: size.0, height: size.1 },
            stride: 0,
            stream: None,
            exposure: Exposure::None,
            unsettled: true,
            idle_since: None,
        };
        open.probe_crop()?;
        if let Some(Kept { form, size, window }) = last
            && size == open.size
            && open.forms.contains(&form)
        {
            open.apply(form, window)?;
        }
        Ok(open)
    }

    /// Leaves the camera as fast as it was.
    pub(super) fn close(mut self) -> Kept {
        self.stream = None;
        self.pace.set_for(self.node(), Duration::ZERO);
        Kept { form: self.form, size: self.size, window: self.window }
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

    pub(super) fn window(&self) -> Roi {
        self.window
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
            subframe: self.crop.is_some(),
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
            None => Range { min: self.pace.usual, max: self.pace.usual, step: Duration::ZERO },
        }
    }

    pub(super) fn set_form(&mut self, value: &Value) -> Result<()> {
        const CALL: &str = "set_parameter";
        self.exposure.is_over(CALL)?;
        let chosen = self.forms.iter().find(|form| Value::Text(form.name()) == *value).copied();
        let chosen = chosen.ok_or_else(|| {
            let names: Vec<String> = self.forms.iter().map(|form| form.name()).collect();
            CameraError::new(
                ErrorKind::InvalidValue,
                CALL,
                format!("format takes one of {}", names.join(", ")),
            )
        })?;
        self.apply(chosen, self.window)
    }

    /// Streams the smallest window that the camera has around the wanted one.
    pub(super) fn set_window(&mut self, wanted: Roi) -> Result<Roi> {
        const CALL: &str = "set_camera_roi";
        let full = self.full();
        let fits = |start: u32, length: u32, limit: u32| {
            length > 0 && start.checked_add(length).is_some_and(|end| end <= limit)
        };
        if !fits(wanted.x, wanted.width, full.width) || !fits(wanted.y, wanted.height, full.height) {
            let Roi { x, y, width, height } = wanted;
            let (columns, rows) = self.size;
            let detail = format!(
                "{width}×{height} pixels from ({x}, {y}) are not within the frame's {columns}×{rows}"
            );
            return Err(CameraError::new(ErrorKind::OutOfRange, CALL, detail));
        }
        if self.crop.is_none() || wanted == self.window {
            return Ok(self.window);
        }
        self.exposure.is_over(CALL)?;
        self.apply(self.form, wanted)?;
        Ok(self.window)
    }

    /// Some drivers take a window and stream all the same: sees what comes of one.
    fn probe_crop(&mut self) -> Result<()> {
        let full = self.full();
        if self.crop.is_some() {
            self.apply(self.form, Roi { width: full.width / 2, height: full.height / 2, ..full })?;
            if self.window == full {
                self.crop = None;
            }
        }
        self.apply(self.form, full)
    }

    /// Sets format and window. A window that the camera does not have becomes the whole frame.
    fn apply(&mut self, form: PixelForm, wanted: Roi) -> Result<()> {
        self.stream = None;
        self.pace.forget();
        let full = self.full();
        let part = self.crop.filter(|_| wanted != full);
        let (window, set) = match part.and_then(|crop| crop.set(self.node(), form.fourcc, wanted)) {
            Some(granted) => granted,
            None => (full, self.set_whole(form)?),
        };
        self.form = form;
        self.window = window;
        self.stride = set.bytes_per_line as usize;
        Ok(())
    }

    fn set_whole(&self, form: PixelForm) -> Result<abi::PixelFormat> {
        const CALL: &str = "set_parameter";
        let set = match self.crop {
            Some(crop) => crop.set_whole(self.node(), form.fourcc),
            None => abi::set_format(self.node(), form.fourcc, self.size),
        };
        let set = set.map_err(|error| failed(CALL, error))?;
        if (set.fourcc, set.width, set.height) == (form.fourcc, self.size.0, self.size.1) {
            return Ok(set);
        }
        let detail = format!("the camera took {}×{} instead of {:?}", set.width, set.height, self.size);
        Err(CameraError::new(ErrorKind::Hardware, CALL, detail))
    }
}

/// The size that is nearest to the one wanted, and the formats that the camera has in it.
fn forms(
    node: BorrowedFd<'_>,
    wanted: (u32, u32),
    crop: Option<Crop>,
) -> Result<((u32, u32), Vec<PixelForm>)> {
    let names = (0..MOST).map_while(|index| abi::format_description(node, index).ok());
    let mut forms: Vec<PixelForm> = names.filter_map(|name| PixelForm::of(name.fourcc)).collect();
    forms.sort_by_key(|form| form.rank());
    forms.dedup();
    let Some(best) = forms.first() else { return Ok(((0, 0), forms)) };
    let size = match wanted {
        // More than the sensor has would be magnified.
        (0, _) | (_, 0) => crop.map_or_else(|| largest(node, best.fourcc), Crop::size),
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
