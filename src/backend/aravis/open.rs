//! A camera that is open, and how it is set.

use std::time::Duration;

use aravis::glib::Error;

use super::acquisition::{Acquisition, Mode};
use super::device::Link;
use super::exposure::{Exposure, Last, Pace};
use super::facts::{Facts, set_form};
use super::fault::failed;
use super::feature::{self, Knob, can_set, has_entry};
use super::find::Found;
use super::geometry;
use super::pixel::PixelForm;
use crate::camera::error::{CameraError, ErrorKind, Result};
use crate::camera::types::{Binning, CONTROL_VALUE, CameraId, Celsius, Range, Roi, Value};

/// What a camera is to be set to, kept while it is closed.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    pub(super) roi: Option<Roi>,
    pub(super) binning: Option<Binning>,
    pub(super) gain: Option<i32>,
    pub(super) offset: Option<i32>,
    pub(super) form: Option<PixelForm>,
}

/// A camera that is open.
pub(super) struct Open {
    pub(super) id: CameraId,
    pub(super) link: Link,
    pub(super) facts: Facts,
    pub(super) form: PixelForm,
    /// What was asked, and what that takes.
    pub(super) asked: Roi,
    pub(super) roi: Roi,
    pub(super) binning: Binning,
    pub(super) gain: Option<i32>,
    pub(super) offset: Option<i32>,
    pub(super) temperature: Option<Celsius>,
    /// The exposure time that was asked, and what the camera has made of it.
    time: Option<(Duration, Duration)>,
    /// How frames are had from a camera that takes no command for them.
    pub(super) untriggered: Mode,
    pub(super) acquisition: Option<Acquisition>,
    pub(super) exposure: Option<Exposure>,
    pub(super) last: Option<Last>,
    pub(super) pace: Pace,
}

impl Open {
    pub(super) fn new(found: &Found, wanted: &Wanted) -> Result<Open> {
        let link = Link::open(found)?;
        let (facts, form) = Facts::read(&link.device, wanted.form)?;
        let single = has_entry(&link.device, "AcquisitionMode", "SingleFrame");
        let full = facts.can.full();
        let mut open = Open {
            id: found.camera.clone(),
            link,
            facts,
            form,
            asked: full,
            roi: full,
            binning: Binning::NONE,
            gain: None,
            offset: None,
            temperature: None,
            time: None,
            untriggered: if single { Mode::Single } else { Mode::Free },
            acquisition: None,
            exposure: None,
            last: None,
            pace: Pace::default(),
        };
        open.set_up(wanted).map_err(|error| failed("connect", error))?;
        Ok(open)
    }

    /// As it was set before it was closed, as far as it can still be.
    fn set_up(&mut self, wanted: &Wanted) -> std::result::Result<(), Error> {
        let (device, knobs, can) = (&self.link.device, self.facts.knobs, &self.facts.can);
        let put = |knob: Option<Knob>, range: Option<Range<i32>>, value: Option<i32>| {
            let Some(knob) = knob else { return Ok(None) };
            let value = range.zip(value).filter(|(range, value)| (range.min..=range.max).contains(value));
            value.map_or_else(|| knob.count(device), |(_, value)| knob.set_count(device, value)).map(Some)
        };
        let gain = put(knobs.gain, can.gain, wanted.gain)?;
        let offset = put(knobs.offset, can.offset, wanted.offset)?;
        let binning = wanted.binning.filter(|binning| can.check_binning(*binning).is_ok());
        let roi = wanted.roi.filter(|roi| can.check_roi(*roi).is_ok()).unwrap_or(self.asked);
        (self.gain, self.offset) = (gain, offset);
        self.set_geometry(roi, binning.unwrap_or(Binning::NONE))
    }

    /// Sets window and binning. What is set already is left alone: a free run goes on.
    pub(super) fn change_geometry(&mut self, asked: Roi, binning: Binning) -> std::result::Result<(), Error> {
        let is_set = (self.asked, self.binning) == (asked, binning);
        if is_set { Ok(()) } else { self.set_geometry(asked, binning) }
    }

    fn set_geometry(&mut self, asked: Roi, binning: Binning) -> std::result::Result<(), Error> {
        self.halt();
        (self.roi, self.binning) = geometry::set(&self.link.device, asked, binning)?;
        self.asked = asked;
        Ok(())
    }

    pub(super) fn set_form(&mut self, name: &Value) -> Result<()> {
        const CALL: &str = "set_parameter";
        let mut forms = self.facts.forms.iter();
        let Some(form) = forms.find(|form| Value::Text(form.name.to_owned()) == *name).copied() else {
            let names: Vec<&str> = self.facts.forms.iter().map(|form| form.name).collect();
            let detail = format!("format takes one of {}", names.join(", "));
            return Err(CameraError::new(ErrorKind::InvalidValue, CALL, detail));
        };
        self.is_idle(CALL)?;
        self.is_here(CALL)?;
        self.halt();
        set_form(&self.link.device, form).map_err(|error| failed(CALL, error))?;
        self.form = form;
        // Windows may go by other steps now.
        self.set_geometry(self.asked, self.binning).map_err(|error| failed(CALL, error))
    }

    /// Sets the exposure time, and says what the camera has made of it.
    pub(super) fn set_exposure_time(&mut self, asked: Duration) -> std::result::Result<Duration, Error> {
        if let Some((_, set)) = self.time.filter(|time| time.0 == asked) {
            return Ok(set);
        }
        self.settle();
        let set = self.facts.knobs.exposure.set(&self.link.device, asked.as_secs_f64() * 1e6)?;
        // Without what a floating point number adds.
        let set = Duration::try_from_secs_f64((set * 1e3).round() * 1e-9).unwrap_or(asked);
        self.time = Some((asked, set));
        Ok(set)
    }

    pub(super) fn set_gain(&mut self, gain: i32) -> std::result::Result<Option<i32>, Error> {
        self.settle();
        let knob = self.facts.knobs.gain;
        self.gain = knob.map(|knob| knob.set_count(&self.link.device, gain)).transpose()?;
        Ok(self.gain)
    }

    pub(super) fn set_offset(&mut self, offset: i32) -> std::result::Result<Option<i32>, Error> {
        self.settle();
        let knob = self.facts.knobs.offset;
        self.offset = knob.map(|knob| knob.set_count(&self.link.device, offset)).transpose()?;
        Ok(self.offset)
    }

    pub(super) fn frame_rate(&self) -> std::result::Result<Option<Value>, Error> {
        let rate = self.facts.knobs.rate.map(|knob| knob.get(&self.link.device)).transpose()?;
        Ok(rate.map(record))
    }

    pub(super) fn set_frame_rate(&mut self, rate: f64) -> std::result::Result<Option<Value>, Error> {
        self.settle();
        for name in feature::FRAME_RATE_SWITCHES {
            if can_set(&self.link.device, name) {
                self.link.set_flag(name, true)?;
            }
        }
        let rate = self.facts.knobs.rate.map(|knob| knob.set(&self.link.device, rate)).transpose()?;
        Ok(rate.map(record))
    }

    /// Frames of a free run that are under way would show the old setting.
    fn settle(&mut self) {
        if self.acquisition.as_ref().is_some_and(|running| running.mode == Mode::Free) {
            self.halt();
        }
    }

    pub(super) fn read_temperature(&mut self) -> std::result::Result<Option<Celsius>, Error> {
        let read = self.facts.knobs.temperature.map(|knob| knob.get(&self.link.device)).transpose()?;
        self.temperature = read.filter(|degrees| degrees.is_finite());
        Ok(self.temperature)
    }

    /// Refuses what is not for an exposure that runs.
    pub(super) fn is_idle(&self, call: &'static str) -> Result<()> {
        if self.is_exposing() {
            return Err(CameraError::exposing(call));
        }
        Ok(())
    }

    /// Says so at once if the camera is not there any more: the library would wait for it.
    pub(super) fn is_here(&mut self, call: &'static str) -> Result<()> {
        if self.link.is_gone() {
            let detail = "the camera does not answer any more, or it was restarted";
            return Err(CameraError::new(ErrorKind::Disconnected, call, detail));
        }
        Ok(())
    }

    /// Bytes of the pixels of a frame.
    pub(super) fn image_bytes(&self) -> usize {
        let (width, height) = self.roi.binned(self.binning);
        self.form.bytes(width as usize * height as usize)
    }

    pub(super) fn close(mut self) {
        self.exposure = None;
        self.halt();
        self.link.close();
    }
}

/// A number of a camera's own, as clients know it.
fn record(value: f64) -> Value {
    Value::Record(vec![(CONTROL_VALUE.to_owned(), Value::Number(value))])
}
