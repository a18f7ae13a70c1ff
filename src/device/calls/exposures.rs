//! Calls about exposures and their frames.

use crate::camera::answer::{Answer, Code, ExposureStopped};
use crate::camera::call::{Arguments, Call};
use crate::camera::error::{CameraError, ErrorKind, Result};
use crate::camera::json;
use crate::camera::types::{ExposureId, FrameType};
use crate::camera::wish::ExposureWish;
use crate::device::Device;
use crate::device::exposure::Alone;
use crate::device::job::{Job, MOST_RECALLED};
use crate::property::key::{Key, Number};
use crate::property::keys;
use crate::wire::Elements;

use super::{Heard, Progress, Until};

/// The backend's function that reads an exposure out early.
const STOP: &str = "stop_exposure";

impl Device {
    pub(super) fn call_start_exposure(&mut self, arguments: &Arguments<'_>) -> Result<Progress> {
        const CALL: &str = "start_exposure";
        let wish = ExposureWish::read(arguments.params())?;
        wish.duration()?;
        if self.is_busy_exposing() {
            return Err(CameraError::exposing(CALL));
        }
        let geometry = match (wish.roi, wish.binning) {
            (None, None) => None,
            (roi, binning) => {
                let altered = self.geometry.altered(roi, binning);
                Some(altered.map_err(|detail| CameraError::new(ErrorKind::OutOfRange, CALL, detail))?)
            }
        };
        self.takes(CALL, "gain", &keys::CCD_GAIN, wish.gain)?;
        self.takes(CALL, "offset", &keys::CCD_OFFSET, wish.offset)?;
        let shortest = self.capabilities.as_ref().map(|can| can.exposure.min);
        let seconds = match (wish.frame_type, shortest) {
            (Some(FrameType::Bias), Some(shortest)) => shortest,
            _ => wish.exposure,
        };
        self.exposure.wished =
            Alone { frame_type: wish.frame_type, geometry, gain: wish.gain, offset: wish.offset };
        let begun = self.write_numbers(&keys::CCD_EXPOSURE, &[("CCD_EXPOSURE_VALUE", seconds)]);
        // It is for this exposure, whether it has begun or not.
        self.exposure.wished = Alone::default();
        begun?;
        match self.exposure_begun() {
            Some(begun) => Progress::done("exposing", &begun),
            None => Err(CameraError::new(ErrorKind::Hardware, CALL, "the camera did not begin to expose")),
        }
    }

    /// A setting for one exposure has the limits of the setting.
    fn takes(&self, call: &'static str, name: &str, key: &Number<1>, value: Option<i32>) -> Result<()> {
        let Some(value) = value.map(f64::from) else { return Ok(()) };
        self.needs_vector(call, key)?;
        let Some(Elements::Number(list)) = self.store.vector(key.vector()).map(|vector| &vector.elements)
        else {
            return Ok(());
        };
        let within = |(min, max): (f64, f64)| (min..=max).contains(&value);
        match list.first().map(|(_, number)| (number.limits.min, number.limits.max)) {
            Some((min, max)) if !within((min, max)) => {
                let detail = format!("{name} cannot be {value}: allowed is {min} to {max}");
                Err(CameraError::new(ErrorKind::OutOfRange, call, detail))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn call_abort_exposure(&mut self, _: &Arguments<'_>) -> Result<Progress> {
        if !self.is_busy_exposing() {
            return Progress::nothing(Code::NotExposing, "no exposure is running");
        }
        self.press(&keys::CCD_ABORT_EXPOSURE, "ABORT")?;
        // Settings that waited for the end of the exposure are brought to the camera now; they are not waited for.
        self.wait_only_for(|call| matches!(call, Call::AbortExposure));
        Progress::when_answered()
    }

    /// Reads out early and keeps the frame, where the camera offers that.
    pub(super) fn call_stop_exposure(&mut self, _: &Arguments<'_>) -> Result<Progress> {
        if !self.is_exposing() {
            return Progress::nothing(Code::NotExposing, "no exposure is running");
        }
        self.ask(Call::Vendor { name: STOP.to_owned(), params: Vec::new() });
        Ok(Progress::Waits(Until::Answered, |device, _| {
            let stopped = ExposureStopped { exposure_id: device.exposure.last_id.0 };
            Answer::done("reading out", &stopped)
        }))
    }

    pub(super) fn call_exposure_status(&mut self, _: &Arguments<'_>) -> Result<Progress> {
        Progress::done("where the exposure is", &self.exposure_progress())
    }

    pub(super) fn call_exposure_result(&mut self, arguments: &Arguments<'_>) -> Result<Progress> {
        const CALL: &str = "get_exposure_result";
        let pixels = match arguments.find("encode") {
            None => false,
            Some(_) => match arguments.text(CALL, "encode")?.as_str() {
                "base64" => true,
                other => {
                    let detail = format!("encode takes base64, not {:?}", json::quoted(other));
                    return Err(CameraError::new(ErrorKind::InvalidValue, CALL, detail));
                }
            },
        };
        if self.is_busy_exposing() {
            return Err(CameraError::exposing(CALL));
        }
        let Some(last) = &self.exposure.last else {
            return Err(CameraError::new(ErrorKind::NoFrame, CALL, "there is no frame"));
        };
        if !pixels {
            return Progress::done("the last frame", last.as_ref());
        }
        if last.image.bytes > MOST_RECALLED {
            let (bytes, most) = (last.image.bytes, MOST_RECALLED);
            let advice = "take the BLOB, or a smaller window";
            let detail = format!("the file has {bytes} bytes, and a text carries {most} at most: {advice}");
            return Err(CameraError::new(ErrorKind::OutOfRange, CALL, detail));
        }
        let id = ExposureId(last.info.exposure_id);
        let sent = last.image.property.is_some();
        let path = last.info.saved_path.clone().filter(|_| !sent).map(Into::into);
        self.expect_file();
        self.jobs.push_back(Job::Recall { id, path });
        Ok(Progress::Waits(Until::Recalled(id), |device, Heard { text, .. }| match &device.exposure.last {
            Some(last) => {
                let mut result = last.as_ref().clone();
                result.image.base64 = text;
                Answer::done("the last frame", &result)
            }
            None => Answer::failed(Code::NoFrame, "the frame has been replaced meanwhile"),
        }))
    }
}

/// The same answer without pixels, if it has any.
pub(super) fn without_pixels(answer: &Answer) -> Option<Answer> {
    answer.params.get("image")?.get("base64")?;
    let mut short = answer.clone();
    short.params.get_mut("image")?.as_object_mut()?.remove("base64");
    Some(short)
}
