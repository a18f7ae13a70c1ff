//! The spool as clients see it: which frames are safe on the disk, and what may be done with them.
//!
//! A frame has a name that no other frame ever has, in its header and in the journal. It is acknowledged when the server
//! has answered the ping behind its BLOB: the server has then read the BLOB whole. That says nothing of clients. A
//! frame is sent again as CCD1, which clients take for the picture they wait for, so never during an exposure.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::camera::error::ErrorKind;
use crate::camera::types::ExposureId;
use crate::property::key::{Key, Text};
use crate::property::keys::{self, SpoolMode, UploadMode};
use crate::wire::State;

use super::connection::Link;
use super::job::{ClientCopy, DeliveryError, Job, Kept, SpoolLimits, SpoolState};
use super::{Device, Handlers, Level};

/// Frames whose names are shown: as many as a person looks at.
const MOST_SHOWN: usize = 20;
/// Frames that have been sent and not acknowledged and that may be acknowledged yet. A server that speaks no pings must
/// not fill the memory.
const MOST_SENT: usize = 1000;
/// A day has so many seconds.
const DAY: f64 = 86_400.0;

/// What is under way with frames of the spool.
#[derive(Debug)]
pub(super) struct Spool {
    /// Names begin with it: when the device began, its process, and which of that process's devices it is.
    run: String,
    /// Frames that have been sent, with the number of the ping behind each.
    sent: VecDeque<(u64, String)>,
    /// A frame that is to be sent again as soon as the server keeps up.
    ready: Option<(String, ClientCopy)>,
    /// Times that it is still to tell what it holds.
    asked: u32,
    /// The process is about to end: frames that are being stored are not taken back.
    pub(super) leaving: bool,
}

impl Spool {
    pub(super) fn new(began: SystemTime, process: u32, ordinal: usize) -> Spool {
        let began = Timestamp::try_from(began).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(TimeZone::UTC);
        let began = began.strftime("%Y%m%dT%H%M%S%3f");
        let run = format!("{began}-{process:x}-{ordinal}");
        Spool { run, sent: VecDeque::new(), ready: None, asked: 0, leaving: false }
    }
}

pub(super) fn register(on: &mut Handlers) {
    on.keep(&keys::CCD_SPOOL);
    on.change(&keys::CCD_SPOOL_LIMITS, Device::change_spool_limits);
    on.change(&keys::CCD_SPOOL_RESEND, Device::resend_frame);
    on.change(&keys::CCD_SPOOL_DROP, Device::drop_frame);
}

impl Device {
    /// The name of an exposure's frame.
    pub(super) fn frame_name(&self, id: ExposureId) -> String {
        format!("{}-{}", self.spool.run, id.0)
    }

    /// Whether a frame that goes there has to be in the journal before anybody hears of it.
    pub(super) fn keeps(&self, mode: UploadMode) -> bool {
        match self.store.get(&keys::CCD_SPOOL) {
            SpoolMode::Off => false,
            SpoolMode::Saved => mode != UploadMode::Client,
            SpoolMode::All => true,
        }
    }

    fn change_spool_limits(&mut self, limits: [f64; 2]) {
        self.publish(&keys::CCD_SPOOL_LIMITS, limits, State::Ok);
        self.tend_spool();
    }

    /// Has the spool cleaned up, now and by these limits from now on.
    pub(super) fn tend_spool(&mut self) {
        let [megabytes, days] = self.store.get(&keys::CCD_SPOOL_LIMITS);
        let [directory, _] = self.store.get(&keys::UPLOAD_SETTINGS);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "as far as a float goes")]
        let bytes = (megabytes.max(0.0) * 1e6) as u64;
        let age = Duration::try_from_secs_f64(days.max(0.0) * DAY).unwrap_or(Duration::MAX);
        let limits = SpoolLimits { bytes, age };
        self.ask_spool(Job::TendSpool { limits, now: self.now.utc, directory });
    }

    /// Has something done that the spool answers with what it holds.
    fn ask_spool(&mut self, job: Job) {
        self.spool.asked = self.spool.asked.saturating_add(1);
        self.expect_file();
        self.jobs.push_back(job);
    }

    /// Whether somebody waits for what the delivery thread does with the spool.
    pub(super) fn awaits_spool(&self) -> bool {
        self.spool.asked > 0 || self.awaits_again() || self.awaits_drop()
    }

    /// Whether a frame that is to be sent again is not there yet.
    fn awaits_again(&self) -> bool {
        self.spool.ready.is_none() && self.store.state(&keys::CCD_SPOOL_RESEND) == State::Busy
    }

    /// Whether a frame that is to be dropped is not gone yet.
    fn awaits_drop(&self) -> bool {
        self.store.state(&keys::CCD_SPOOL_DROP) == State::Busy
    }

    /// The disk of the spool does not answer.
    pub(super) fn spool_overdue(&mut self, error: &DeliveryError) {
        if std::mem::take(&mut self.spool.asked) > 0 {
            self.spool_told(Err(error.clone()));
        }
        if self.awaits_again() {
            let [frame] = self.store.get(&keys::CCD_SPOOL_RESEND);
            self.resend_failed(&frame, failure_kind(error), &error.to_string());
        }
        if self.awaits_drop() {
            let [frame] = self.store.get(&keys::CCD_SPOOL_DROP);
            self.dropped(&frame, Err(error.clone()));
        }
    }

    /// Shows what the spool holds.
    pub(super) fn spool_told(&mut self, spool: Result<SpoolState, DeliveryError>) {
        self.spool.asked = self.spool.asked.saturating_sub(1);
        self.file_answered();
        match spool {
            Ok(spool) => self.show_spool(&spool),
            Err(error) => {
                let sentence = format!("the spool is out of order: {error}");
                if self.greeted {
                    self.say(Level::Error, &sentence);
                } else {
                    self.warnings.push(sentence);
                }
                self.spool_fails();
            }
        }
    }

    fn spool_fails(&mut self) {
        self.settle(&keys::CCD_SPOOL_FRAMES, State::Alert);
    }

    /// Tells whether a delivered frame is in the journal, as far as it has to be. One sentence is enough for a frame that
    /// could not be saved either.
    pub(super) fn tell_kept(
        &mut self,
        kept: Option<Result<Kept, DeliveryError>>,
        unsaved: bool,
    ) -> Option<String> {
        match kept? {
            Ok(Kept { spool, .. }) => self.show_spool(&spool),
            Err(_) if unsaved => self.spool_fails(),
            Err(error) => {
                self.spool_fails();
                let sentence = format!("the frame is not in the spool: {error}");
                self.say(Level::Error, &sentence);
                return Some(sentence);
            }
        }
        None
    }

    fn show_spool(&mut self, SpoolState { frames, bytes, waiting, lost }: &SpoolState) {
        if let Some(last) = lost.last() {
            let count = lost.len();
            let sentence = format!(
                "the spool was full, so frames went that no server had acknowledged: {count}, {last} the last"
            );
            self.say(Level::Warning, &sentence);
        }
        let shown = waiting[waiting.len().saturating_sub(MOST_SHOWN)..].join(" ");
        let numbers = [*frames as f64, waiting.len() as f64, *bytes as f64 / 1e6];
        self.publish_news(&keys::CCD_SPOOL_FRAMES, numbers, State::Ok);
        self.publish_news(&keys::CCD_SPOOL_WAITING, [shown], State::Ok);
    }

    /// The frame is in the journal and has been sent just now, with this ping behind it.
    pub(super) fn await_acknowledgement(&mut self, frame: String, ping: u64) {
        if self.spool.sent.len() >= MOST_SENT {
            self.spool.sent.pop_front();
        }
        self.spool.sent.push_back((ping, frame));
    }

    /// The server has read everything up to this ping.
    pub(super) fn note_read(&mut self, ping: u64) {
        let read = self.spool.sent.iter().take_while(|(behind, _)| *behind <= ping).count();
        if read > 0 {
            let frames = self.spool.sent.drain(..read).map(|(_, frame)| frame).collect();
            self.ask_spool(Job::Acknowledge(frames));
        }
    }

    fn resend_frame(&mut self, [id]: [String; 1]) {
        let (vector, id) = (keys::CCD_SPOOL_RESEND.vector(), id.trim().to_owned());
        if self.store.state(&keys::CCD_SPOOL_RESEND) == State::Busy {
            let sentence = format!("{vector} has to wait: a frame is being sent again");
            return self.refuse_as(ErrorKind::Busy, vector, &sentence);
        }
        if self.link != Link::On {
            let sentence = format!("{vector} needs a camera that is connected: frames are sent as CCD1");
            return self.refuse_as(ErrorKind::NotConnected, vector, &sentence);
        }
        if self.is_busy_exposing() {
            let sentence = format!("{vector} has to wait: an exposure is running");
            return self.refuse_as(ErrorKind::Busy, vector, &sentence);
        }
        if self.names_a_frame(&keys::CCD_SPOOL_RESEND, &id) {
            self.publish(&keys::CCD_SPOOL_RESEND, [id.clone()], State::Busy);
            self.expect_file();
            self.jobs.push_back(Job::Resend(id));
        }
    }

    fn drop_frame(&mut self, [id]: [String; 1]) {
        let (vector, id) = (keys::CCD_SPOOL_DROP.vector(), id.trim().to_owned());
        if self.store.state(&keys::CCD_SPOOL_DROP) == State::Busy {
            let sentence = format!("{vector} has to wait: a frame is being dropped");
            return self.refuse_as(ErrorKind::Busy, vector, &sentence);
        }
        if self.names_a_frame(&keys::CCD_SPOOL_DROP, &id) {
            self.publish(&keys::CCD_SPOOL_DROP, [id.clone()], State::Busy);
            self.expect_file();
            self.jobs.push_back(Job::DropFrame(id));
        }
    }

    fn names_a_frame(&mut self, key: &Text<1>, id: &str) -> bool {
        if id.is_empty() {
            let vector = key.vector();
            self.refuse(vector, &format!("{vector}.ID cannot be empty: it takes the name of a frame"));
        }
        !id.is_empty()
    }

    /// The delivery thread has read a frame again. One that was given up is not sent any more.
    pub(super) fn read_again(&mut self, frame: String, blob: Result<ClientCopy, DeliveryError>) {
        if !self.awaits_again() || self.store.get(&keys::CCD_SPOOL_RESEND) != [frame.as_str()] {
            return;
        }
        match blob {
            Ok(blob) => self.spool.ready = Some((frame, blob)),
            Err(error) => {
                let kind = failure_kind(&error);
                self.resend_failed(&frame, kind, &error.to_string());
            }
        }
        self.file_answered();
    }

    /// Sends the frame that is to be sent again, as soon as the server keeps up.
    pub(super) fn send_ready_frame(&mut self) {
        let Some((frame, blob)) = self.spool.ready.take() else { return };
        if self.link != Link::On {
            return self.resend_failed(&frame, ErrorKind::NotConnected, "the camera has been disconnected");
        }
        if self.is_busy_exposing() {
            return self.resend_failed(&frame, ErrorKind::Busy, "an exposure has begun meanwhile");
        }
        if self.server_is_behind() {
            self.spool.ready = Some((frame, blob));
            return;
        }
        self.say(Level::Info, &format!("frame {frame} is sent again"));
        let ping = self.send_blob(blob.0, blob.1);
        self.await_acknowledgement(frame, ping);
        self.settle(&keys::CCD_SPOOL_RESEND, State::Ok);
    }

    fn resend_failed(&mut self, frame: &str, kind: ErrorKind, why: &str) {
        let sentence = format!("frame {frame} is not sent again: {why}");
        self.say(Level::Error, &sentence);
        self.note_unsettled(kind, &sentence);
        self.settle(&keys::CCD_SPOOL_RESEND, State::Alert);
    }

    /// A frame is dropped, or why not. Nobody waits any more for what was given up, but gone is gone.
    pub(super) fn dropped(&mut self, frame: &str, spool: Result<SpoolState, DeliveryError>) {
        let awaited = self.awaits_drop() && self.store.get(&keys::CCD_SPOOL_DROP) == [frame];
        let done = spool.is_ok();
        match spool {
            Ok(spool) => {
                self.say(Level::Info, &format!("frame {frame} is dropped"));
                self.show_spool(&spool);
            }
            Err(error) if awaited => {
                let sentence = format!("frame {frame} is not dropped: {error}");
                self.say(Level::Error, &sentence);
                self.note_unsettled(failure_kind(&error), &sentence);
            }
            Err(_) => {}
        }
        if awaited {
            self.settle(&keys::CCD_SPOOL_DROP, if done { State::Ok } else { State::Alert });
            self.file_answered();
        }
    }
}

fn failure_kind(error: &DeliveryError) -> ErrorKind {
    match error {
        DeliveryError::NoFrame(_) => ErrorKind::NoFrame,
        _ => ErrorKind::Io,
    }
}
