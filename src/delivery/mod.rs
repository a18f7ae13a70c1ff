//! The delivery thread: everything between a read-out and the writer that takes time.
//!
//! It fits, encodes and stores frames and keeps the files of configuration and nickname, one [`Job`] after the other,
//! and answers each with one [`Report`]. A short file that was sent is kept until the next one, for those who ask for it
//! as a text. It never decides what a failure means and never speaks to a client: that is the device's part.
//!
//! Read [`DeliveryThread::spawn`] first.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::camera::types::ExposureId;
use crate::device::job::{ConfigSource, Delivery, DeliveryError, Document, Job, Report};
use crate::host::config_file::ConfigFile;
use crate::host::nicknames::NicknameFile;
use crate::host::spool::Spool;
use crate::image::{Pixels, fits, window};
use crate::wire;

pub mod blob;
mod encode;
pub mod fault;
pub mod file;
pub mod folders;
mod recall;
mod store;

use blob::{Buffer, Leftover, Transport};
use encode::Encoded;
use fault::explain;
use file::FileStore;
use folders::Folders;
use recall::Kept;
use store::{Safe, Unsaved};

/// Reserved memory is given back when nothing happened for so long: between the frames of a sequence there is less.
const IDLE: Duration = Duration::from_secs(10);
/// Reserved for the header, of which nobody knows the length before the frame is there: 144 cards.
const HEADER_ROOM: usize = 4 * fits::BLOCK;

/// What the thread has to know of its surroundings.
#[derive(Debug)]
pub struct Settings {
    /// Name of the device, for the thread and the log.
    pub device: String,
    /// How BLOBs reach the server.
    pub transport: Transport,
    /// Where frames may be saved.
    pub folders: Folders,
    /// Directory of the spool.
    pub spool: PathBuf,
    /// Time zone of file names.
    pub zone: TimeZone,
    /// Where the configuration is kept.
    pub config: ConfigFile,
    /// Where the camera's nickname is kept.
    pub nicknames: NicknameFile,
}

/// The running thread. It ends when `jobs` has been dropped or its reports are wanted no more.
#[derive(Debug)]
pub struct DeliveryThread {
    /// Where its work comes from. It needs no bound: of the frames that a device has handed over at most three are still
    /// wanted, and the others are dropped as soon as they are seen.
    pub jobs: Sender<Job>,
    /// To wait for its end.
    pub thread: JoinHandle<()>,
}

impl DeliveryThread {
    /// Starts it. `report` takes what it has to tell, in the order of the jobs, and says whether there will be anyone
    /// to hear the next one.
    pub fn spawn(
        settings: Settings,
        mut report: impl FnMut(Report) -> bool + Send + 'static,
    ) -> io::Result<Self> {
        let (jobs, queue) = channel();
        let thread =
            thread::Builder::new().name(format!("delivery {}", settings.device)).spawn(move || {
                let mut worker = Worker::new(settings);
                loop {
                    match worker.wait(&queue, IDLE) {
                        Wait::Job(job) => {
                            let (answer, _leftovers) = worker.run(job);
                            // The leftovers are dropped when the report is out: freeing a frame takes a millisecond.
                            if answer.is_some_and(|answer| !report(answer)) {
                                return;
                            }
                        }
                        Wait::Idle => {}
                        Wait::Closed => return,
                    }
                }
            })?;
        Ok(DeliveryThread { jobs, thread })
    }
}

struct Worker {
    transport: Transport,
    files: FileStore,
    spool: Spool,
    config: ConfigFile,
    nicknames: NicknameFile,
    /// Memory for the next frame.
    reserved: Option<Buffer>,
    /// How much the frames of the present sequence need.
    wanted: Option<usize>,
    /// The file that was sent last, if it is short.
    kept: Option<Kept>,
}

enum Wait {
    Job(Job),
    Idle,
    Closed,
}

/// A job's answer, unless it was cancelled, and what to drop when the answer is out.
type Answer = (Option<Report>, Option<Leftovers>);

#[derive(Debug)]
#[allow(dead_code, reason = "held to be dropped late")]
struct Leftovers {
    pixels: Pixels,
    memory: Option<Leftover>,
}

impl Worker {
    fn new(settings: Settings) -> Self {
        let Settings { device: _, transport, folders, spool, zone, config, nicknames } = settings;
        Worker {
            transport,
            files: FileStore::new(folders, zone),
            spool: Spool::new(spool),
            config,
            nicknames,
            reserved: None,
            wanted: None,
            kept: None,
        }
    }

    /// The next job. Before it waits for one it prepares memory for the frame that will probably follow the last: the
    /// 30 ms that this takes for 60 million pixels are then over when that frame comes, however short its exposure.
    fn wait(&mut self, queue: &Receiver<Job>, idle: Duration) -> Wait {
        match queue.try_recv() {
            Ok(job) => return Wait::Job(job),
            Err(TryRecvError::Disconnected) => return Wait::Closed,
            Err(TryRecvError::Empty) => self.prepare(),
        }
        if self.reserved.is_none() {
            return queue.recv().map_or(Wait::Closed, Wait::Job);
        }
        match queue.recv_timeout(idle) {
            Ok(job) => Wait::Job(job),
            Err(RecvTimeoutError::Timeout) => {
                (self.reserved, self.wanted) = (None, None);
                Wait::Idle
            }
            Err(RecvTimeoutError::Disconnected) => Wait::Closed,
        }
    }

    fn run(&mut self, job: Job) -> Answer {
        match job {
            Job::Reserve { bytes } => guarded(|| self.reserve(bytes), |_| None),
            Job::Deliver(delivery) => {
                let (id, client, file) = (delivery.id, delivery.client, delivery.file.is_some());
                guarded(
                    || self.deliver(*delivery),
                    |why| Some(undelivered(id, client, file, &DeliveryError::Encode(why))),
                )
            }
            Job::Discard { frame, file } => {
                self.discard(&frame, file, true);
                (None, None)
            }
            Job::CheckRoom { id, bytes, file } => {
                let room = self.check_room(bytes, file.as_ref());
                (room.err().map(|error| Report::NoRoom { id, error }), None)
            }
            Job::TendSpool { limits, now, directory } => {
                self.sweep(&directory);
                answered(Report::Spool, || self.tend(limits, now))
            }
            Job::Acknowledge(frames) => answered(Report::Spool, || self.acknowledge(&frames)),
            Job::Resend(frame) => {
                answered(|blob| Report::Resent { frame: frame.clone(), blob }, || self.read_again(&frame))
            }
            Job::DropFrame(frame) => {
                answered(|spool| Report::Dropped { frame: frame.clone(), spool }, || self.drop_frame(&frame))
            }
            Job::ListSpool => answered(Report::Listed, || self.list_spool()),
            Job::LoadConfig(source) => answered(Report::Loaded, || self.load(source)),
            Job::SaveConfig(document) => answered(Report::Saved, || self.save(&document)),
            Job::PurgeConfig => answered(Report::Purged, || self.purge()),
            Job::Nickname { serial, nickname } => {
                answered(Report::Nicknamed, || self.store_nickname(&serial, nickname))
            }
            Job::Recall { id, path } => answered(
                |text| Report::Recalled { id, text },
                || recall::text(self.kept.as_ref(), id, path.as_deref()),
            ),
        }
    }

    fn reserve(&mut self, bytes: usize) -> Answer {
        let Some(capacity) =
            bytes.checked_next_multiple_of(fits::BLOCK).and_then(|b| b.checked_add(HEADER_ROOM))
        else {
            return (None, None);
        };
        self.wanted = Some(capacity);
        if self.reserved.as_ref().is_some_and(|buffer| buffer.capacity() != capacity) {
            // Freed first, as there may not be room for both.
            self.reserved = None;
        }
        self.prepare();
        (None, None)
    }

    fn prepare(&mut self) {
        let (None, Some(capacity)) = (&self.reserved, self.wanted) else { return };
        match Buffer::new(self.transport, capacity) {
            Ok(buffer) => self.reserved = Some(buffer),
            Err(error) => {
                // Nobody waits for it; the frame will try again and tell.
                tracing::debug!(capacity, %error, "no memory reserved");
                self.wanted = None;
            }
        }
    }

    fn deliver(&mut self, delivery: Delivery) -> Answer {
        let Delivery { id, name, cancel, frame, roi, binning, cards, encoding, client, file, keep } =
            delivery;
        if cancel.is_cancelled() {
            return (None, None);
        }
        let failed = |error: &DeliveryError| Some(undelivered(id, client, file.is_some(), error));
        if !encoding.keeps_size() {
            self.wanted = None;
        }
        // Nobody asks for the frame before any more.
        self.kept = None;
        let frame = match window::fit(frame, roi, binning) {
            Ok(frame) => frame,
            Err(error) => return (failed(&DeliveryError::Encode(error.to_string())), None),
        };

        let Encoded { mut buffer, len, suffix } = match self.encode(encoding, &cards, &frame) {
            Ok(encoded) => encoded,
            Err(error) => return (failed(&error), None),
        };
        let (started, pixels) = (frame.info.started, frame.pixels);
        let constant = pixels.constant();

        let (_, height, width) = pixels.shape();
        let unsaved = Unsaved {
            name: &name,
            cards: &cards,
            size: (width, height),
            suffix,
            started,
            file: file.as_ref(),
            client,
            keep,
            cancel: &cancel,
        };
        let Some(safe) = self.store(unsaved, &buffer.bytes()[..len]) else {
            self.reserved = Some(buffer);
            return (None, Some(Leftovers { pixels, memory: None }));
        };
        let (blob, memory) = if client {
            match encode::payload(encoding, suffix, buffer, len) {
                Ok((sent, leftover)) => {
                    self.kept = Kept::of(id, &sent.0);
                    (Some(Ok(sent)), Some(leftover))
                }
                Err(error) => (Some(Err(error)), None),
            }
        } else {
            // It was seen by nobody, so it serves again.
            self.reserved = Some(buffer);
            (None, None)
        };

        if cancel.is_cancelled() {
            self.take_back(&name, &safe);
            return (None, Some(Leftovers { pixels, memory }));
        }
        let bytes = match &blob {
            Some(Ok((payload, _))) => payload.len(),
            _ => len as u64,
        };
        let Safe { file, kept } = safe;
        (
            Some(Report::Delivered { id, bytes, blob, file, constant, kept }),
            Some(Leftovers { pixels, memory }),
        )
    }

    /// The reserved memory if it was meant for a file of `len` bytes, else new memory.
    fn buffer(&mut self, len: usize) -> io::Result<Buffer> {
        // Taken or freed: memory of another size is of no use any more.
        let reserved = self.reserved.take();
        let most = len.next_multiple_of(fits::BLOCK) + HEADER_ROOM;
        let suits = |buffer: &Buffer| (len..=most).contains(&buffer.capacity());
        if let Some(buffer) = reserved.filter(suits) {
            return Ok(buffer);
        }
        Buffer::new(self.transport, len).or_else(|error| {
            if self.transport == Transport::Inline {
                return Err(error);
            }
            // Out of file descriptors, or a sandbox without memfd: the server takes bytes from everyone.
            tracing::warn!(%error, "no shared memory; sending the frame inside its message");
            Buffer::new(Transport::Inline, len)
        })
    }

    fn load(&self, source: ConfigSource) -> Result<Option<Document>, DeliveryError> {
        self.config.settings(source).map_err(|error| self.config_fault(&error))
    }

    fn save(&self, document: &Document) -> Result<(), DeliveryError> {
        self.config.save(&wire::write::document(document)).map_err(|error| self.config_fault(&error))
    }

    fn purge(&self) -> Result<bool, DeliveryError> {
        self.config.purge().map_err(|error| self.config_fault(&error))
    }

    fn store_nickname(&self, serial: &str, nickname: String) -> Result<String, DeliveryError> {
        let stored = self.nicknames.store(serial, &nickname);
        stored.map(|()| nickname).map_err(|error| explain(&self.nicknames.path(), &error))
    }

    fn config_fault(&self, error: &io::Error) -> DeliveryError {
        explain(self.config.path(), error)
    }
}

/// Does a job that only has to tell how it went.
fn answered<T>(
    report: impl Fn(Result<T, DeliveryError>) -> Report,
    job: impl FnOnce() -> Result<T, DeliveryError>,
) -> Answer {
    guarded(|| (Some(report(job())), None), |why| Some(report(Err(DeliveryError::Encode(why)))))
}

/// Does a job; should it panic, which only a defect can make it do, this one frame is lost and not the thread.
fn guarded(job: impl FnOnce() -> Answer, panicked: impl FnOnce(String) -> Option<Report>) -> Answer {
    // Whatever the job held is dropped, and the worker's own fields are valid between any two statements.
    catch_unwind(AssertUnwindSafe(job)).unwrap_or_else(|panic| {
        let words = panic
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        let why = format!("internal error: {}", words.unwrap_or("panic"));
        tracing::error!("{why}");
        (panicked(why), None)
    })
}

/// The same error for everyone who wanted the frame.
fn undelivered(id: ExposureId, client: bool, file: bool, error: &DeliveryError) -> Report {
    let (blob, file) = (client.then(|| Err(error.clone())), file.then(|| Err(error.clone())));
    Report::Delivered { id, bytes: 0, blob, file, constant: None, kept: None }
}

#[cfg(test)]
mod tests;
