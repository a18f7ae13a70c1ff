//! USB cameras, capture cards and all else that the kernel's Video4Linux shows as a stream of frames.
//!
//! Such a camera streams without end, so an exposure is the first whole frame that was begun after the request: what
//! was under way then is left out, as is the frame during which a new exposure time takes effect. Which one it is the
//! kernel's stamps on frames tell, so that a late look costs no frame. Exposure and gain become manual when the camera is opened. Frames that the kernel marks as damaged are never delivered; the next one
//! is taken instead. A stream that breaks, or that nothing comes out of any more, is begun anew once for an exposure.
//! Cameras that can stream a part of their sensor do; a part of what others stream is cut out above.
//!
//! A camera exposes no longer than its driver allows. If V4L2_STACKING is on, a longer exposure is the sum of several
//! frames, in 32 bits, and the header says of how many.
//!
//! Read [`V4l2`] first.

use std::time::{Duration, SystemTime};

use rustix::io::Errno;
use rustix::time::{ClockId, clock_gettime};

mod abi;
mod control;
mod exposure;
mod node;
mod open;
mod pace;
mod pixel;
mod running;
mod stream;
mod window;

use self::exposure::Exposure;
use self::open::{Kept, Open};
use super::{Backend, Nodes};
use crate::camera::Camera;
use crate::camera::error::{CameraError, ErrorKind, Result};
use crate::camera::types::{
    Binning, CameraId, CameraStatus, Capabilities, ExposureRequest, ExposureStatus, FORMAT_PARAMETER, Frame,
    Range, Roi, Value,
};

/// What the driver has to know of it.
pub const BACKEND: Backend = Backend {
    name: "v4l2",
    label: "Camera V4L2",
    hardware: true,
    guides: false,
    skeleton: Some(("v4l2.xml", include_str!("../../../xml-skeletons/v4l2.xml"))),
    addresses: None,
    nodes: Some(Nodes { directory: "/dev", prefix: "video" }),
    complaints: Vec::new,
    create: || Box::new(V4l2::default()),
};

/// Vectors of `v4l2.xml`.
const SIZE: &str = "V4L2_SIZE";
const STACKING: &str = "V4L2_STACKING";
/// The kernel's unit of exposure times.
const UNIT: Duration = Duration::from_micros(100);

/// A camera behind Video4Linux.
#[derive(Default)]
pub struct V4l2 {
    settings: Settings,
    open: Option<Open>,
    /// Of the last camera that was open.
    last: Option<Kept>,
}

/// How a camera is to be opened.
#[derive(Clone, Copy, Debug, Default)]
struct Settings {
    /// Width and height; 0 is the largest.
    size: (u32, u32),
    stacking: bool,
}

impl V4l2 {
    fn opened(&mut self, call: &'static str) -> Result<&mut Open> {
        self.open.as_mut().ok_or_else(|| CameraError::not_connected(call))
    }

    fn set_setting(&mut self, name: &str, value: &Value) -> Result<Value> {
        const CALL: &str = "set_parameter";
        if self.open.is_some() {
            let detail = format!("disconnect first: {name} says how the camera is opened");
            return Err(CameraError::new(ErrorKind::Busy, CALL, detail));
        }
        let invalid = |what| CameraError::new(ErrorKind::InvalidValue, CALL, format!("{name} takes {what}"));
        match (name, value) {
            (SIZE, Value::Record(fields)) => {
                let (mut width, mut height) = self.settings.size;
                for (field, value) in fields {
                    let number = length(name, value)?;
                    match field.as_str() {
                        "WIDTH" => width = number,
                        "HEIGHT" => height = number,
                        _ => return Err(invalid("WIDTH and HEIGHT")),
                    }
                }
                self.settings.size = (width, height);
            }
            (STACKING, Value::Text(text)) if text == "ON" || text == "OFF" => {
                self.settings.stacking = text == "ON";
            }
            (SIZE, _) => return Err(invalid("WIDTH and HEIGHT")),
            _ => return Err(invalid("ON or OFF")),
        }
        self.setting(name).ok_or_else(|| CameraError::not_supported(CALL))
    }

    fn setting(&self, name: &str) -> Option<Value> {
        let Settings { size: (width, height), stacking } = self.settings;
        let number = |name: &str, number: u32| (name.to_owned(), Value::Number(number.into()));
        match name {
            SIZE => Some(Value::Record(vec![number("WIDTH", width), number("HEIGHT", height)])),
            STACKING => Some(Value::Text(if stacking { "ON" } else { "OFF" }.to_owned())),
            _ => None,
        }
    }
}

impl Camera for V4l2 {
    fn scanning(&mut self) -> Result<Vec<CameraId>> {
        let found = node::find().map_err(|error| {
            CameraError::new(ErrorKind::Io, "scanning", format!("cannot list the video nodes: {error}"))
        })?;
        Ok(found.into_iter().map(|found| found.camera).collect())
    }

    fn connect(&mut self, id: &CameraId) -> Result<Capabilities> {
        if let Some(open) = &self.open {
            return Ok(open.capabilities());
        }
        let open = Open::new(id, self.settings, self.last)?;
        let capabilities = open.capabilities();
        self.open = Some(open);
        Ok(capabilities)
    }

    fn disconnect(&mut self) -> Result<()> {
        if let Some(open) = self.open.take() {
            self.last = Some(open.close());
        }
        Ok(())
    }

    fn start_exposure(&mut self, request: &ExposureRequest) -> Result<()> {
        self.opened("start_exposure")?.start(request)
    }

    fn abort_exposure(&mut self) -> Result<()> {
        self.opened("abort_exposure")?.exposure = Exposure::None;
        Ok(())
    }

    fn get_exposure_status(&mut self) -> Result<ExposureStatus> {
        self.opened("get_exposure_status")?.status()
    }

    fn get_exposure_result(&mut self) -> Result<Frame> {
        const CALL: &str = "get_exposure_result";
        let open = self.opened(CALL)?;
        match std::mem::replace(&mut open.exposure, Exposure::None) {
            Exposure::Done(frame) => Ok(*frame),
            other => {
                open.exposure = other;
                Err(CameraError::new(ErrorKind::NoFrame, CALL, "there is no frame"))
            }
        }
    }

    fn get_camera_roi(&mut self) -> Result<Roi> {
        Ok(self.opened("get_camera_roi")?.window())
    }

    fn set_camera_roi(&mut self, roi: Roi) -> Result<Roi> {
        self.opened("set_camera_roi")?.set_window(roi)
    }

    fn get_binning(&mut self) -> Result<Binning> {
        self.opened("get_binning")?;
        Ok(Binning::NONE)
    }

    fn set_binning(&mut self, binning: Binning) -> Result<Binning> {
        const CALL: &str = "set_binning";
        self.opened(CALL)?;
        if binning == Binning::NONE {
            return Ok(binning);
        }
        let detail = format!("the camera does not bin, so not {}×{}", binning.x, binning.y);
        Err(CameraError::new(ErrorKind::OutOfRange, CALL, detail))
    }

    fn get_gain(&mut self) -> Result<i32> {
        const CALL: &str = "get_gain";
        let open = self.opened(CALL)?;
        open.controls.gain(open.node()).map_err(|error| failed(CALL, error))
    }

    fn set_gain(&mut self, gain: i32) -> Result<i32> {
        const CALL: &str = "set_gain";
        let open = self.opened(CALL)?;
        within(CALL, "gain", open.controls.gains(), gain)?;
        open.exposure.is_over(CALL)?;
        open.changed();
        open.controls.set_gain(open.node(), gain).map_err(|error| failed(CALL, error))
    }

    fn get_offset(&mut self) -> Result<i32> {
        const CALL: &str = "get_offset";
        let open = self.opened(CALL)?;
        open.controls.offset(open.node()).map_err(|error| failed(CALL, error))
    }

    fn set_offset(&mut self, offset: i32) -> Result<i32> {
        const CALL: &str = "set_offset";
        let open = self.opened(CALL)?;
        within(CALL, "offset", open.controls.offsets(), offset)?;
        open.exposure.is_over(CALL)?;
        open.changed();
        open.controls.set_offset(open.node(), offset).map_err(|error| failed(CALL, error))
    }

    fn get_parameter(&mut self, name: &str) -> Result<Value> {
        const CALL: &str = "get_parameter";
        if let Some(value) = self.setting(name) {
            return Ok(value);
        }
        if self.open.is_none() && name != FORMAT_PARAMETER {
            return Err(CameraError::no_setting(CALL, name));
        }
        let open = self.opened(CALL)?;
        if name == FORMAT_PARAMETER {
            return Ok(Value::Text(open.form().name()));
        }
        let knob = open.controls.find(name).ok_or_else(|| CameraError::no_setting(CALL, name))?;
        knob.get(open.node()).map_err(|error| failed(CALL, error))
    }

    fn set_parameter(&mut self, name: &str, value: Value) -> Result<Value> {
        const CALL: &str = "set_parameter";
        if self.setting(name).is_some() {
            return self.set_setting(name, &value);
        }
        if self.open.is_none() && name != FORMAT_PARAMETER {
            return Err(CameraError::no_setting(CALL, name));
        }
        let open = self.opened(CALL)?;
        if name == FORMAT_PARAMETER {
            return open.set_form(&value).map(|()| value);
        }
        let knob = open.controls.find(name).ok_or_else(|| CameraError::no_setting(CALL, name))?;
        let invalid =
            || CameraError::new(ErrorKind::InvalidValue, CALL, format!("{name} cannot be {value:?}"));
        let number = knob.number(&value).ok_or_else(invalid)?;
        open.exposure.is_over(CALL)?;
        let set = knob.set(open.node(), number).map_err(|error| failed(CALL, error));
        open.changed();
        set
    }
    fn polling(&mut self) -> Result<CameraStatus> {
        let exposure = self.opened("polling")?.known_status()?;
        Ok(CameraStatus { exposure, cooling: None, temperature: None, power: None })
    }
}

/// Pixels along one axis.
fn length(name: &str, value: &Value) -> Result<u32> {
    let refused =
        |kind, what: &str| Err(CameraError::new(kind, "set_parameter", format!("{name} takes {what}")));
    match value {
        Value::Number(number) if !number.is_finite() || number.fract() != 0.0 => {
            refused(ErrorKind::InvalidValue, "whole numbers")
        }
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number in this range"
        )]
        Value::Number(number @ 0.0..=65535.0) => Ok(*number as u32),
        Value::Number(_) => refused(ErrorKind::OutOfRange, "0 to 65535"),
        _ => refused(ErrorKind::InvalidValue, "numbers"),
    }
}

fn within(call: &'static str, what: &str, range: Option<Range<i32>>, value: i32) -> Result<()> {
    let Some(Range { min, max, .. }) = range else { return Err(CameraError::not_supported(call)) };
    if (min..=max).contains(&value) {
        return Ok(());
    }
    let detail = format!("{what} takes {min} to {max}, not {value}");
    Err(CameraError::new(ErrorKind::OutOfRange, call, detail))
}

/// What the kernel's answer means.
fn failed(call: &'static str, error: Errno) -> CameraError {
    let (kind, detail) = match error {
        Errno::NODEV | Errno::NXIO | Errno::NOENT => {
            (ErrorKind::Disconnected, "the camera was unplugged".to_owned())
        }
        Errno::NOTSUP | Errno::NOTTY => return CameraError::not_supported(call),
        Errno::BUSY => (ErrorKind::Hardware, "another program is using the camera".to_owned()),
        Errno::RANGE | Errno::INVAL => (ErrorKind::InvalidValue, format!("the camera refused it ({error})")),
        _ => (ErrorKind::Hardware, format!("the camera's driver reports: {error}")),
    };
    CameraError { source: Some(Box::new(error)), ..CameraError::new(kind, call, detail) }
}

/// In the kernel's unit, the nearest there is.
fn units(time: Duration) -> i32 {
    i32::try_from((time + UNIT / 2).as_micros() / UNIT.as_micros()).unwrap_or(i32::MAX)
}

/// The only place where this backend learns the time: by the monotonic clock, as the kernel stamps frames, and by the
/// wall's.
#[allow(clippy::disallowed_methods, reason = "hardware lives in real time")]
fn clock() -> (Duration, SystemTime) {
    let now = clock_gettime(ClockId::Monotonic);
    (now.try_into().unwrap_or_default(), SystemTime::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_a_camera_is_opened_can_be_set_and_read() {
        let mut camera = V4l2::default();
        let width = |width| Value::Record(vec![("WIDTH".to_owned(), Value::Number(width))]);
        let both = |width, height| {
            let number = |name: &str, n| (name.to_owned(), Value::Number(n));
            Value::Record(vec![number("WIDTH", width), number("HEIGHT", height)])
        };
        assert_eq!(camera.set_parameter(SIZE, width(640.0)).unwrap(), both(640.0, 0.0));
        for refused in [width(0.5), width(f64::NAN), Value::Bool(true)] {
            assert_eq!(camera.set_parameter(SIZE, refused).unwrap_err().kind, ErrorKind::InvalidValue);
        }
        for refused in [width(-1.0), width(65536.0)] {
            assert_eq!(camera.set_parameter(SIZE, refused).unwrap_err().kind, ErrorKind::OutOfRange);
        }
        assert_eq!(camera.get_parameter(SIZE).unwrap(), both(640.0, 0.0));
        let text = |text: &str| Value::Text(text.to_owned());
        assert_eq!(camera.set_parameter(STACKING, text("ON")).unwrap(), text("ON"));
        assert_eq!(camera.set_parameter(STACKING, text("MAYBE")).unwrap_err().kind, ErrorKind::InvalidValue);
        assert_eq!(camera.get_parameter(STACKING).unwrap(), text("ON"));
    }

    #[test]
    fn without_a_camera_every_call_says_so() {
        let mut camera = V4l2::default();
        assert_eq!(camera.get_gain().unwrap_err().kind, ErrorKind::NotConnected);
        assert_eq!(camera.get_exposure_status().unwrap_err().kind, ErrorKind::NotConnected);
        let id = CameraId { name: "nobody's".to_owned(), model: String::new(), serial: None, bus: None };
        assert_eq!(camera.connect(&id).unwrap_err().kind, ErrorKind::Disconnected);
    }
}
