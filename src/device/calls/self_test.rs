//! `self_test`: the camera is asked for everything that it can be asked without changing anything.

use crate::camera::answer::{Answer, Check, SelfTest};
use crate::camera::call::{Arguments, Call, Reply};
use crate::camera::error::{CameraError, ErrorKind, Result};
use crate::camera::types::CameraStatus;
use crate::device::Device;

use super::{Heard, Progress, Until};

impl Device {
    pub(super) fn call_self_test(&mut self, _: &Arguments<'_>) -> Result<Progress> {
        if self.is_busy_exposing() {
            let detail = "a test would disturb the exposure that is running";
            return Err(CameraError::new(ErrorKind::Busy, "self_test", detail));
        }
        let (gain, offset) = self.shown_controls();
        self.ask(Call::Polling);
        self.ask(Call::GetCameraRoi);
        self.ask(Call::GetBinning);
        if gain.is_some() {
            self.ask(Call::GetGain);
        }
        if offset.is_some() {
            self.ask(Call::GetOffset);
        }
        Ok(Progress::Waits(Until::Tested, |_, Heard { checks, .. }| {
            let failed = checks.iter().filter(|check| !check.passed).count();
            let message = match failed {
                0 => format!("{} checks, all passed", checks.len()),
                failed => format!("{failed} of {} checks failed", checks.len()),
            };
            Answer::done(message, &SelfTest { passed: failed == 0, checks })
        }))
    }

    /// What an answer of the camera says of it: that it answers, and that what it has is what clients see.
    pub(super) fn check(&self, call: &Call, result: &Result<Reply>) -> Check {
        let (gain, offset) = self.shown_controls();
        let same = |has: i32, shown: Option<i32>| match shown {
            Some(shown) if shown != has => (false, format!("{has}, and clients were told {shown}")),
            _ => (true, has.to_string()),
        };
        let (passed, detail) = match result {
            Err(error) => (false, error.to_string()),
            Ok(Reply::Gain(has)) => same(*has, gain),
            Ok(Reply::Offset(has)) => same(*has, offset),
            Ok(Reply::Roi(roi)) => (true, format!("{}x{} at {},{}", roi.width, roi.height, roi.x, roi.y)),
            Ok(Reply::Binning(binning)) => (true, format!("{}x{}", binning.x, binning.y)),
            Ok(Reply::Polled(status)) => self.check_status(status),
            Ok(_) => (false, "the camera answered something else".to_owned()),
        };
        Check { name: call.name().to_owned(), passed, detail }
    }

    fn check_status(&self, status: &CameraStatus) -> (bool, String) {
        let can = self.capabilities.as_ref();
        let lacks_temperature = can.is_some_and(|can| can.thermometer) && status.temperature.is_none();
        match status.temperature {
            _ if lacks_temperature => (false, "the thermometer tells nothing".to_owned()),
            Some(celsius) if !celsius.is_finite() => (false, format!("the sensor is at {celsius} C")),
            Some(celsius) => (true, format!("the sensor is at {celsius:.1} C")),
            None => (true, "it answers".to_owned()),
        }
    }
}
