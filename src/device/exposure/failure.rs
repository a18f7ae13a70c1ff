//! Exposures that fail: each ends in Alert, with one sentence that says why.

use crate::camera::error::{CameraError, ErrorKind};
use crate::camera::types::ExposureId;
use crate::device::job::DeliveryError;
use crate::device::{Device, Level};
use crate::property::keys;
use crate::wire::State;

impl Device {
    pub(in crate::device) fn exposure_failed(&mut self, id: ExposureId, error: &CameraError) {
        if error.kind == ErrorKind::Disconnected {
            self.lost(&error.to_string());
        } else if let Some(current) = self.exposure.current(id) {
            // A camera may say only once what is wrong, to whoever asks first, and then no more than that it has stopped.
            let complaint = current.complaint.take().filter(|_| error.kind == ErrorKind::NoFrame);
            self.fail_exposure(&complaint.unwrap_or_else(|| error.to_string()));
        }
    }

    /// What the camera says of itself while it exposes: that something is wrong, or that all is well.
    pub(in crate::device) fn note_complaint(&mut self, error: Option<&CameraError>) {
        if let Some(current) = &mut self.exposure.current {
            current.complaint = error.map(ToString::to_string);
        }
    }

    /// Ends the exposure that the camera is busy with, if it is, with one sentence.
    pub(in crate::device) fn fail_exposure(&mut self, why: &str) {
        if self.exposure.current.is_some() {
            self.say(Level::Error, &format!("the exposure failed: {why}"));
            self.end_in_alert(why);
        }
    }

    /// Ends an exposure whose frame could not be stored: better now than when the light has been collected.
    pub(in crate::device) fn refuse_exposure(&mut self, id: ExposureId, error: &DeliveryError) {
        if self.exposure.current(id).is_some() {
            let sentence = format!("the exposure is refused: {error}");
            self.say(Level::Error, &sentence);
            self.note_delivery(None, Some(false));
            self.end_in_alert(&sentence);
        }
    }

    pub(in crate::device) fn remember_failure(&mut self, why: &str) {
        self.publish(&keys::CCD_EXPOSURE_STATUS, ["idle".to_owned(), why.to_owned()], State::Alert);
    }
}
