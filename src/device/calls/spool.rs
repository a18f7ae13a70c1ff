//! Calls about the frames in the spool.

use crate::camera::answer::{Answer, SpoolList, SpooledFrame};
use crate::camera::call::Arguments;
use crate::camera::error::{ErrorKind, Result};
use crate::device::Device;
use crate::device::job::{DeliveryError, Job, SpoolEntry};
use crate::property::key::{Key, Text};
use crate::property::keys;
use crate::wire::Kind;

use super::{Heard, Progress, Until};

/// Frames that one answer lists: more than a text should carry are found in the journal.
const MOST_LISTED: usize = 500;

impl Device {
    pub(super) fn call_list_spool(&mut self, _: &Arguments<'_>) -> Result<Progress> {
        self.expect_file();
        self.jobs.push_back(Job::ListSpool);
        Ok(Progress::Waits(Until::Listed, |_, Heard { spool, .. }| {
            let spool = spool.unwrap_or_default();
            Answer::done(format!("{} frames", spool.total), &spool)
        }))
    }

    pub(super) fn call_resend_frame(&mut self, arguments: &Arguments<'_>) -> Result<Progress> {
        self.call_on_frame(&keys::CCD_SPOOL_RESEND, &arguments.text("resend_frame", "id")?)
    }

    pub(super) fn call_drop_frame(&mut self, arguments: &Arguments<'_>) -> Result<Progress> {
        self.call_on_frame(&keys::CCD_SPOOL_DROP, &arguments.text("drop_frame", "id")?)
    }

    fn call_on_frame(&mut self, key: &Text<1>, id: &str) -> Result<Progress> {
        self.write_for_call(key.vector(), Kind::Text, &[("ID", id.to_owned())])?;
        Ok(Progress::Waits(Until::Settled(key.vector()), |_, _| Answer::done("done", &())))
    }

    /// All frames in the spool are known, or why they are not.
    pub(in crate::device) fn note_listed(
        &mut self,
        frames: std::result::Result<Vec<SpoolEntry>, DeliveryError>,
    ) {
        if self.desk.running.as_ref().is_none_or(|running| running.until != Until::Listed) {
            return;
        }
        match frames {
            Ok(frames) => self.hear(|heard| heard.spool = Some(list(frames))),
            Err(error) => self.fail_call(ErrorKind::Io, &error.to_string()),
        }
        self.file_answered();
    }
}

/// The newest, in their order.
fn list(frames: Vec<SpoolEntry>) -> SpoolList {
    let total = frames.len();
    let unacknowledged = frames.iter().filter(|frame| !frame.acknowledged).count();
    let frame = |SpoolEntry { name, at, bytes, sha256, path, saved, acknowledged }| SpooledFrame {
        id: name,
        start_utc: at,
        bytes,
        sha256,
        path: path.display().to_string(),
        saved,
        acknowledged,
    };
    let listed = frames.into_iter().skip(total.saturating_sub(MOST_LISTED));
    SpoolList {
        frames: listed.map(frame).collect(),
        total: total as u64,
        unacknowledged: unacknowledged as u64,
    }
}
