//! Frames that the delivery thread has: from the read-out to the report, and what becomes of those that hang.
//!
//! ```text
//!   handed over ── FILE_ALLOWANCE ── begun ── the rest of DELIVERY_ALLOWANCE ── overdue
//! ```
//! The time runs from when a frame is the oldest. As long as the thread has not begun with it, it is not the frame that
//! hangs but what the thread has in hand: another thread takes over, and the frame is kept. If it is the frame's own file
//! that hangs, the client's copy is here already and goes without it.

use std::path::PathBuf;
use std::time::Duration;

use crate::camera::answer::ExposureResult;
use crate::camera::types::{Cancel, ExposureId};
use crate::device::health::Count;
use crate::device::job::{ClientCopy, Delivery, DeliveryError, Job, Kept};
use crate::device::overdue::{DELIVERY_ALLOWANCE, FILE_ALLOWANCE};
use crate::device::timer::Timer;
use crate::device::{Device, Level};

/// A frame that the delivery thread has.
#[derive(Debug)]
pub(super) struct OnItsWay {
    pub(super) id: ExposureId,
    cancel: Cancel,
    /// A file is wanted.
    file: bool,
    /// It has to be in the journal of the spool.
    keep: bool,
    /// What is told of it when it is asked for.
    pub(super) result: Box<ExposureResult>,
    /// How far the delivery thread is with it.
    pub(super) stage: Stage,
    /// When it has to be done with; known as soon as there is no older one.
    until: Option<Duration>,
    /// The client's copy, if the frame has to be stored as well.
    pub(super) copy: Option<ClientCopy>,
    /// What became of it, once that is known.
    pub(super) delivered: Option<Delivered>,
}

/// How far the delivery thread is with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It has something else in hand.
    HandedOver,
    /// The frame's time is its own.
    Begun,
    /// The file takes too long, and may get to the disk yet.
    FileGivenUp,
}

/// A frame that has been delivered as far as the delivery thread takes it.
#[derive(Debug)]
pub(in crate::device) struct Delivered {
    pub(in crate::device) bytes: u64,
    pub(in crate::device) blob: Option<Result<ClientCopy, DeliveryError>>,
    pub(in crate::device) file: Option<Result<PathBuf, DeliveryError>>,
    /// The value that all its pixels have, if they are all alike.
    pub(in crate::device) constant: Option<u32>,
    /// Whether it is in the journal of the spool, where it has to be.
    pub(in crate::device) kept: Option<Result<Kept, DeliveryError>>,
}

impl Delivered {
    /// What takes it back from the disk, if it is there.
    fn taken_back(&self, frame: String) -> Option<Job> {
        let on_disk = matches!(self.file, Some(Ok(_))) || matches!(self.kept, Some(Ok(_)));
        on_disk.then_some(Job::Discard { frame })
    }
}

impl Device {
    /// Hands a frame to the delivery thread.
    pub(in crate::device) fn deliver(&mut self, delivery: Delivery, result: ExposureResult) {
        let (id, cancel) = (delivery.id, delivery.cancel.clone());
        let (file, keep) = (delivery.file.is_some(), delivery.keep);
        let result = Box::new(result);
        let on_its_way = OnItsWay {
            id,
            cancel,
            file,
            keep,
            result,
            stage: Stage::HandedOver,
            until: None,
            copy: None,
            delivered: None,
        };
        self.upload.frames.push_back(on_its_way);
        if self.upload.frames.len() == 1 {
            self.expect_delivery();
        }
        self.jobs.push_back(Job::Deliver(Box::new(delivery)));
    }

    /// The delivery thread has taken up a frame.
    pub(in crate::device) fn delivery_begun(&mut self, id: ExposureId) {
        if let Some(frame) = self.upload.frames.iter_mut().find(|frame| frame.id == id) {
            frame.stage = Stage::Begun;
        }
        if self.timers.is_set(Timer::DeliveryOverdue) {
            self.expect_delivery();
        }
    }

    /// The client's copy of a frame that is being stored.
    pub(in crate::device) fn frame_encoded(&mut self, id: ExposureId, copy: ClientCopy) {
        if let Some(frame) = self.upload.frames.iter_mut().find(|frame| frame.id == id) {
            frame.copy = Some(copy);
        }
    }

    /// Whether the thread has a frame in hand that somebody waits for.
    pub(in crate::device) fn is_delivering(&self) -> bool {
        self.upload.frames.iter().any(|frame| frame.stage == Stage::Begun && frame.delivered.is_none())
    }

    /// The oldest frame has to be done with in time, and begun with before.
    pub(in crate::device) fn expect_delivery(&mut self) {
        let now = self.now.elapsed;
        let unfinished = self.upload.frames.front_mut().filter(|frame| frame.delivered.is_none());
        let Some(frame) = unfinished else { return };
        let until = *frame.until.get_or_insert(now + DELIVERY_ALLOWANCE);
        let begun = frame.stage == Stage::Begun;
        let next = if begun { until } else { until.min(now + FILE_ALLOWANCE) };
        self.timers.set(Timer::DeliveryOverdue, next);
    }

    pub(in crate::device) fn delivery_overdue(&mut self) {
        let Some(OnItsWay { stage, until, .. }) = self.upload.frames.front() else { return };
        let begun = *stage == Stage::Begun;
        if !begun && until.is_some_and(|until| self.now.elapsed < until) {
            let seconds = FILE_ALLOWANCE.as_secs();
            let what = format!("the disk has not answered for {seconds} s: the frame takes another way");
            self.say(Level::Warning, &what);
            self.note_delivery(None, Some(false));
            return self.replace_thread();
        }
        if self.give_up_file() {
            self.replace_thread();
            return self.announce_frames();
        }
        let Some(file) = self.give_up_delivery() else { return };
        let seconds = DELIVERY_ALLOWANCE.as_secs();
        let hangs = match (begun, file) {
            (false, _) => "whoever could encode it waits for the disk",
            (true, true) => "encoding it, or storing its file, hangs",
            (true, false) => "encoding it hangs",
        };
        let sentence = format!("the frame could not be delivered within {seconds} s: {hangs}");
        self.say(Level::Error, &sentence);
        self.count(Count::Drops);
        self.note_delivery(Some(false), (file || !begun).then_some(false));
        self.replace_thread();
        self.end_in_alert(&sentence);
    }

    /// Frames that have been read out and of which clients have not heard yet.
    pub(in crate::device) fn frames_on_their_way(&self) -> usize {
        self.upload.frames.len()
    }

    pub(in crate::device) fn first_frame_on_its_way(&self) -> Option<ExposureId> {
        self.upload.frames.front().map(|frame| frame.id)
    }

    /// Whether the oldest of them is a file already, and only waits for the server.
    pub(in crate::device) fn first_frame_is_encoded(&self) -> Option<bool> {
        self.upload.frames.front().map(|frame| frame.delivered.is_some())
    }

    /// The delivery thread is done with a frame.
    pub(in crate::device) fn delivered(&mut self, id: ExposureId, delivered: Delivered) {
        match self.upload.frames.iter_mut().find(|frame| frame.id == id) {
            Some(frame) => {
                frame.stage = Stage::Begun;
                frame.delivered = Some(delivered);
                self.announce_frames();
            }
            None if self.spool.leaving => {}
            None if self.upload.late.contains(&id) => {
                self.upload.late.retain(|late| *late != id);
                self.stored_late(id, delivered);
            }
            // It was dropped while it was being stored.
            None => self.jobs.extend(delivered.taken_back(self.frame_name(id))),
        }
    }

    /// Leaves the oldest frame to a disk that takes too long, if the client's copy is here.
    fn give_up_file(&mut self) -> bool {
        let Some(frame) = self.upload.frames.front_mut() else { return false };
        let Some((payload, _)) = &frame.copy else { return false };
        let error = DeliveryError::Silent { seconds: DELIVERY_ALLOWANCE.as_secs() };
        frame.delivered = Some(Delivered {
            bytes: payload.len(),
            blob: None,
            file: frame.file.then(|| Err(error.clone())),
            constant: None,
            kept: frame.keep.then_some(Err(error)),
        });
        frame.stage = Stage::FileGivenUp;
        true
    }

    /// Gives up the oldest frame, which takes too long; whether the disk has a part in it. What is on its way to a disk
    /// may get there: it is whole then, and perhaps the only one.
    fn give_up_delivery(&mut self) -> Option<bool> {
        let OnItsWay { id, cancel, file, keep, stage, .. } = self.upload.frames.pop_front()?;
        if stage == Stage::Begun && (file || keep) {
            self.upload.late.push(id);
        } else {
            cancel.cancel();
        }
        Some(file || keep)
    }

    /// A frame is on the disk whose exposure has ended in Alert because that took too long.
    fn stored_late(&mut self, id: ExposureId, Delivered { file, kept, .. }: Delivered) {
        let name = self.frame_name(id);
        let place = match (&file, &kept) {
            (Some(Ok(path)), _) => path.display().to_string(),
            (_, Some(Ok(_))) => format!("in the spool, as {name}"),
            _ => return,
        };
        self.say(Level::Info, &format!("a frame that was given up is stored after all: {place}"));
        self.note_delivery(None, Some(true));
        self.tell_kept(kept, true);
    }

    /// Nobody wants the frames any more that are on their way.
    pub(in crate::device) fn drop_deliveries(&mut self) {
        self.timers.clear(Timer::DeliveryOverdue);
        self.upload.failed = false;
        for frame in std::mem::take(&mut self.upload.frames) {
            self.count(Count::Drops);
            frame.cancel.cancel();
            let taken_back = frame.delivered.and_then(|it| it.taken_back(self.frame_name(frame.id)));
            self.jobs.extend(taken_back);
        }
    }

    /// The process is about to end, perhaps because its server did: frames that are to be kept are kept, and sent again
    /// when somebody asks.
    pub(in crate::device) fn leave_frames(&mut self) {
        self.spool.leaving = true;
        self.upload.frames.retain(|frame| !frame.keep);
    }
}
