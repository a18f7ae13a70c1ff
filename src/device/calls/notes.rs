//! What the call that runs hears of: refusals, answers of the camera, a camera that is gone.
//!
//! Whatever decides the fate of a call happens on the path that a client's write takes too, so that path tells here, in
//! one line each; without a call that runs nobody listens.

use crate::camera::call::{Call, Reply};
use crate::camera::error::{ErrorKind, Result};
use crate::camera::types::ExposureId;
use crate::device::Device;
use crate::device::job::DeliveryError;

use super::{Running, Until, registry};

impl Device {
    /// A write was refused, and clients have been told.
    pub(in crate::device) fn note_refusal(&mut self, kind: ErrorKind, sentence: &str) {
        if self.desk.at_work {
            self.fail_call(kind, sentence);
        }
        if let Some(running) = &mut self.desk.running {
            running.told |= running.failure.is_some();
        }
    }

    /// Something is asked of the camera.
    pub(in crate::device) fn note_asked(&mut self, call: &Call) {
        if let Some(running) = self.desk.running.as_mut().filter(|_| self.desk.at_work) {
            running.asked.push(call.clone());
        }
    }

    /// The camera has answered something.
    pub(in crate::device) fn note_answer(&mut self, call: &Call, result: &Result<Reply>) {
        let opened = matches!(call, Call::Connect(_) | Call::Reconnect(_));
        let asked_again = self.calls.iter().any(|call| matches!(call, Call::Connect(_)));
        let Some(running) = &mut self.desk.running else { return };
        if running.until == Until::Connected {
            let gone =
                |kind| matches!(kind, ErrorKind::Timeout | ErrorKind::Disconnected | ErrorKind::NotConnected);
            if let Err(error) = result
                && !asked_again
                && (opened || gone(error.kind))
            {
                running.failure.get_or_insert_with(|| (error.kind, error.detail.clone()));
            }
            return;
        }
        let Some(at) = running.asked.iter().position(|asked| asked == call) else { return };
        running.asked.remove(at);
        match result {
            _ if running.until == Until::Tested => {
                let check = self.check(call, result);
                if let Some(running) = &mut self.desk.running {
                    running.heard.checks.push(check);
                }
            }
            Ok(Reply::Cameras(cameras)) => running.heard.cameras = Some(cameras.clone()),
            Ok(reply) if matches!(call, Call::Vendor { .. }) => {
                running.heard.vendor = registry::fields(reply);
            }
            Ok(_) => {}
            Err(error) => {
                running.failure.get_or_insert_with(|| (error.kind, error.detail.clone()));
            }
        }
    }

    /// The camera could not be opened, and clients have been told.
    pub(in crate::device) fn note_no_connection(&mut self, why: &str) {
        if let Some(running) = self.desk.running.as_mut().filter(|running| running.until == Until::Connected)
        {
            running.failure.get_or_insert_with(|| (ErrorKind::Hardware, why.to_owned()));
            running.told = true;
        }
    }

    /// A file was not written or read, and clients have been told.
    pub(in crate::device) fn note_not_stored(&mut self, sentence: &str) {
        self.note_unsettled(ErrorKind::Io, sentence);
    }

    /// What a call waits for has failed, and clients have been told.
    pub(in crate::device) fn note_unsettled(&mut self, kind: ErrorKind, sentence: &str) {
        let stores = |running: &&mut Running| matches!(running.until, Until::Settled(_));
        if let Some(running) = self.desk.running.as_mut().filter(stores) {
            running.failure.get_or_insert_with(|| (kind, sentence.to_owned()));
            running.told = true;
        }
    }

    /// The file of a frame has been read, or is gone.
    pub(in crate::device) fn note_recalled(
        &mut self,
        id: ExposureId,
        text: Result<Option<String>, DeliveryError>,
    ) {
        if self.desk.running.as_ref().is_none_or(|running| running.until != Until::Recalled(id)) {
            return;
        }
        match text {
            Ok(Some(text)) => self.hear(|heard| heard.text = Some(text)),
            Ok(None) => self.fail_call(ErrorKind::NoFrame, "the frame is not kept any more"),
            Err(error) => self.fail_call(ErrorKind::Io, &error.to_string()),
        }
        self.file_answered();
    }

    /// Whether the call that runs waits for something on the disk.
    pub(in crate::device) fn call_awaits_file(&self) -> bool {
        self.desk.running.as_ref().is_some_and(|running| {
            let open =
                running.failure.is_none() && running.heard.text.is_none() && running.heard.spool.is_none();
            open && matches!(running.until, Until::Recalled(_) | Until::Listed)
        })
    }

    /// The disk does not answer.
    pub(in crate::device) fn call_overdue_at_disk(&mut self, error: &DeliveryError) {
        if self.call_awaits_file() {
            self.fail_call(ErrorKind::Io, &error.to_string());
        }
    }

    /// The camera is not there any more for the call that runs, if it needs it.
    pub(in crate::device) fn interrupt_call(&mut self, why: &str) {
        let Some(running) = &self.desk.running else { return };
        let needs = match running.until {
            // Closing the camera is what one of them may wait for.
            Until::Answered | Until::Tested => {
                running.asked.iter().any(|call| !matches!(call, Call::Disconnect | Call::Scanning))
            }
            Until::Connected => true,
            Until::Settled(_) | Until::Recalled(_) | Until::Listed => false,
        };
        if needs && !self.desk.at_work {
            self.fail_call(ErrorKind::Disconnected, why);
        }
    }
}
