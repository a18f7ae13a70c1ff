//! Where frames go, and the last step of an exposure: what clients hear when its frame has been delivered.
//!
//! At most [`server::MAX_UNACKNOWLEDGED`] BLOBs are on their way to the server at a time. A frame that has to wait keeps
//! CCD_EXPOSURE Busy, so a slow server slows the exposures down and no memory grows.

use std::collections::VecDeque;
use std::path::{Component, Path};
use std::time::{Duration, SystemTime};

use crate::camera::answer::ExposureResult;
use crate::camera::types::ExposureId;
use crate::image::name as file_name;
use crate::property::key::Key;
use crate::property::keys::{self, UploadMode};
use crate::property::rejection::quoted;
use crate::wire::{BlobUpdate, Message, Payload, State};

use super::health::Count;
use super::job::FileTarget;
use super::timer::Timer;
use super::{Device, Handlers, Level};

mod server;
mod under_way;

use server::{PING_PATIENCE, Server};
pub(super) use under_way::Delivered;
use under_way::{OnItsWay, Stage};

/// Frames on their way, and pings.
#[derive(Debug, Default)]
pub(super) struct Upload {
    /// Oldest first; clients hear of them in this order.
    frames: VecDeque<OnItsWay>,
    /// Frames that were given up and may be stored yet: no more than there are threads that hang.
    late: Vec<ExposureId>,
    pings: u64,
    /// What the server has not answered yet, and when it was asked.
    unacknowledged: VecDeque<(String, Duration)>,
    server: Server,
    /// Something has failed since, and clients will hear it after the frames that are on their way.
    failed: bool,
    /// The last frame had one value only, and clients have been told.
    constant: bool,
}

/// Where one exposure's frame goes.
#[derive(Clone, Debug)]
pub(super) struct Destination {
    pub(super) client: bool,
    /// The frame has to be in the journal of the spool before anybody hears of it.
    pub(super) keep: bool,
    local: Option<[String; 2]>,
}

impl Destination {
    pub(super) fn file(self, started: SystemTime) -> Option<FileTarget> {
        let [directory, prefix] = self.local?;
        Some(FileTarget { directory, prefix, started })
    }

    /// Whether the disk has a part in it.
    pub(super) fn is_stored(&self) -> bool {
        self.keep || self.local.is_some()
    }
}

pub(super) fn register(on: &mut Handlers) {
    on.change(&keys::UPLOAD_MODE, Device::change_upload_mode);
    on.change(&keys::UPLOAD_SETTINGS, Device::change_upload_settings);
}

impl Device {
    fn change_upload_mode(&mut self, mode: UploadMode) {
        let words = match mode {
            UploadMode::Client => "client only",
            UploadMode::Local => "local only",
            UploadMode::Both => "client and local",
        };
        self.say(Level::Info, &format!("Upload settings set to {words}"));
        self.publish(&keys::UPLOAD_MODE, mode, State::Ok);
    }

    fn change_upload_settings(&mut self, [directory, prefix]: [String; 2]) {
        let name = keys::UPLOAD_SETTINGS.vector();
        let usable = match prefix.as_str() {
            "" => Err("a file name has at least one character".to_owned()),
            _ if prefix.contains('/') => Err("a file name has no \"/\"".to_owned()),
            _ => file_name::check(&prefix),
        };
        if let Err(why) = usable {
            let sentence = format!("{name}.UPLOAD_PREFIX cannot be {:?}: {why}", quoted(&prefix));
            return self.refuse(name, &sentence);
        }
        let directory = if directory.is_empty() { self.home.clone() } else { directory };
        if !directory.starts_with('/') && !directory.starts_with("_HOME_") {
            let rule = "it is an absolute path, which may begin with _HOME_";
            return self.refuse(name, &format!("{name}.UPLOAD_DIR cannot be {directory:?}: {rule}"));
        }
        if let Some(root) = self.upload_root.as_ref().filter(|root| !is_inside(&directory, root)) {
            let sentence = format!("{name}.UPLOAD_DIR cannot be {directory:?}: it has to be inside {root}");
            return self.refuse(name, &sentence);
        }
        self.publish(&keys::UPLOAD_SETTINGS, [directory, prefix], State::Ok);
    }

    /// Where a frame goes whose exposure starts now.
    pub(super) fn destination(&self) -> Destination {
        let mode = self.store.get(&keys::UPLOAD_MODE);
        let local = (mode != UploadMode::Client).then(|| self.store.get(&keys::UPLOAD_SETTINGS));
        Destination { client: mode != UploadMode::Local, keep: self.keeps(mode), local }
    }

    /// Tells of every delivered frame, in order, as far as the server keeps up.
    pub(super) fn announce_frames(&mut self) {
        while let Some(frame) = self.upload.frames.front() {
            let Some(delivered) = &frame.delivered else { return };
            let is_sent = frame.copy.is_some() || matches!(delivered.blob, Some(Ok(_)));
            if is_sent && self.server_is_behind() {
                // It waits for the server, not for the delivery thread.
                return self.timers.clear(Timer::DeliveryOverdue);
            }
            let Some(OnItsWay { id, result, copy, stage, delivered: Some(delivered), .. }) =
                self.upload.frames.pop_front()
            else {
                return;
            };
            if stage == Stage::FileGivenUp {
                self.upload.late.push(id);
            }
            let blob = copy.map(Ok).or(delivered.blob);
            self.announce(id, Delivered { blob, ..delivered }, result);
        }
    }

    /// Says everything about a delivered frame as one unit that nothing can come between: file, BLOB, end. By now
    /// the device is ready for the next exposure: clients ask for it the moment they have the BLOB.
    fn announce(
        &mut self,
        id: ExposureId,
        Delivered { bytes, blob, file, constant, kept }: Delivered,
        mut result: Box<ExposureResult>,
    ) {
        match self.upload.frames.len() {
            0 => self.timers.clear(Timer::DeliveryOverdue),
            _ => self.expect_delivery(),
        }
        if let Some(value) = constant.filter(|_| !self.upload.constant) {
            let sentence =
                format!("every pixel of the frame is {value}: check the camera, its cable and the exposure");
            self.say(Level::Warning, &sentence);
        }
        self.upload.constant = constant.is_some();
        let (sent, saved) = (blob.as_ref().map(Result::is_ok), file.as_ref().map(Result::is_ok));
        let entered = kept.as_ref().map(Result::is_ok);
        let stored = [saved, entered].into_iter().flatten().reduce(|all, one| all && one);
        self.note_delivery(sent.or(saved).or(entered), stored);
        let name = self.frame_name(id);
        let is_kept = matches!(kept, Some(Ok(_)));
        (result.image.bytes, result.info.bytes) = (bytes, bytes);
        result.info.sha256 = kept.as_ref().and_then(|kept| Some(kept.as_ref().ok()?.sha256.clone()));
        let mut failure = self.tell_kept(kept, matches!(file, Some(Err(_))));
        match file {
            Some(Ok(path)) => {
                let path = path.display().to_string();
                self.say(Level::Info, &format!("Image saved to {path}"));
                result.info.saved_path = Some(path.clone());
                self.publish(&keys::CCD_FILE_PATH, [path], State::Ok);
            }
            Some(Err(error)) => {
                let rescue = if is_kept { format!("; the spool has it as {name}") } else { String::new() };
                failure = Some(format!("the frame was not saved: {error}{rescue}"));
                self.say(Level::Error, failure.as_deref().unwrap_or_default());
                self.settle(&keys::CCD_FILE_PATH, State::Alert);
            }
            None => {}
        }
        match blob {
            Some(Ok((payload, format))) => {
                format.clone_into(&mut result.image.format);
                result.image.property = Some(keys::CCD1.vector.to_owned());
                result.image.element = Some(keys::CCD1.element.to_owned());
                let ping = self.send_blob(payload, format);
                if is_kept {
                    self.await_acknowledgement(name, ping);
                }
            }
            Some(Err(error)) => {
                failure = Some(format!("the frame was not sent: {error}"));
                self.say(Level::Error, failure.as_deref().unwrap_or_default());
            }
            None => {}
        }
        let arrived = result.image.property.is_some() || result.info.saved_path.is_some() || is_kept;
        result.info.warnings.extend(failure.clone());
        self.exposure.last = arrived.then_some(result);
        self.count(if arrived { Count::Frames } else { Count::Drops });
        if let Some(failure) = failure {
            return self.end_in_alert(&failure);
        }
        if self.upload.frames.is_empty() && std::mem::take(&mut self.upload.failed) {
            return self.publish(&keys::CCD_EXPOSURE, [0.0], State::Alert);
        }
        self.publish(&keys::CCD_EXPOSURE, [0.0], State::Ok);
        if !self.is_exposing() && self.upload.frames.is_empty() {
            self.show_phase("idle");
        }
        self.count_frame();
    }

    /// Ends what the camera is doing, because of a failure that clients have been told of. Frames that have been read
    /// out are still delivered; the Alert follows the last of them.
    pub(super) fn end_in_alert(&mut self, why: &str) {
        self.drop_current();
        self.end_run();
        self.remember_failure(why);
        self.count(Count::Failures);
        if self.upload.frames.is_empty() {
            self.upload.failed = false;
            self.publish(&keys::CCD_EXPOSURE, [0.0], State::Alert);
        } else {
            self.upload.failed = true;
        }
    }

    /// Sends a BLOB, and a ping behind it, whose number is given.
    pub(super) fn send_blob(&mut self, payload: Payload, format: &str) -> u64 {
        self.store.set_state(keys::CCD1.vector, State::Ok);
        let timeout = self.store.vector(keys::CCD1.vector).map_or(0.0, |vector| vector.timeout);
        self.outbox.push(Message::SetBlob(BlobUpdate {
            device: self.name.clone(),
            name: keys::CCD1.vector.to_owned(),
            element: keys::CCD1.element.to_owned(),
            state: State::Ok,
            timeout,
            at: self.now.utc,
            format: format.to_owned(),
            payload,
        }));
        self.upload.pings += 1;
        let uid = format!("SetBLOB/{}/{}", self.ordinal, self.upload.pings);
        self.outbox.push(Message::PingRequest { uid: uid.clone() });
        if !self.timers.is_set(Timer::PingOverdue) {
            self.timers.set(Timer::PingOverdue, self.now.elapsed + PING_PATIENCE);
        }
        self.upload.unacknowledged.push_back((uid, self.now.elapsed));
        self.upload.pings
    }
}

/// Whether a directory is inside another one, as it is written. What links make of it is seen when it is opened.
fn is_inside(directory: &str, root: &str) -> bool {
    let path = Path::new(directory.strip_prefix("_HOME_/").unwrap_or(directory));
    let climbs = path.components().any(|component| component == Component::ParentDir);
    !climbs && (directory.starts_with("_HOME_/") || directory == "_HOME_" || path.starts_with(root))
}
