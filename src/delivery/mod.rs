//! The delivery thread: everything between a read-out and the writer that takes time.
//!
//! It fits, encodes and stores frames and keeps the files of configuration and nickname, one [`Job`] after the other,
//! and answers each with one [`Report`]; of a frame it tells before that it begins, and what a client is to have of it
//! it hands over before the disk is touched, which may hang. A short file that was sent is kept
//! until the next one, for those who ask for it as a text. It never decides what a failure means and never speaks to a
//! client: that is the device's part.
//!
//! Read [`DeliveryThread::spawn`] first.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;

use crate::camera::types::{ExposureId, Spare};
use crate::device::job::{ConfigSource, Delivery, DeliveryError, Document, Job, Report, Took};
use crate::host::config_file::ConfigFile;
use crate::host::nicknames::NicknameFile;
use crate::host::spool::{Agreed, Spool};
use crate::image::{Pixels, window};
use crate::wire;

pub mod blob;
mod encode;
pub mod fault;
pub mod file;
pub mod folders;
mod memory;
mod recall;
mod store;
mod thread;

use blob::Transport;
use encode::Encoded;
use fault::explain;
use file::FileStore;
use folders::Folders;
use memory::Stock;
use recall::Kept;
pub use store::Written;
use store::{Safe, Unsaved};
pub use thread::DeliveryThread;

/// Reserved memory is given back when nothing happened for so long: between the frames of a sequence there is less.
const IDLE: Duration = Duration::from_secs(10);

/// What the thread has to know of its surroundings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Name of the device, for the thread and the log.
    pub device: String,
    /// How BLOBs reach the server.
    pub transport: Transport,
    /// Where frames may be saved.
    pub folders: Folders,
    /// Directory of the spool.
    pub spool: PathBuf,
    /// What the spool may hold, which is said later.
    pub limits: Agreed,
    /// The files of the last frames.
    pub written: Written,
    /// Time zone of file names.
    pub zone: TimeZone,
    /// Where the configuration is kept.
    pub config: ConfigFile,
    /// Where the camera's nickname is kept.
    pub nicknames: NicknameFile,
}

struct Worker {
    device: String,
    memory: Stock,
    /// Where the pixels of the last frame were left.
    spare: Spare,
    files: FileStore,
    spool: Spool,
    written: Written,
    config: ConfigFile,
    nicknames: NicknameFile,
    /// The file that was sent last, if it is short.
    kept: Option<Kept>,
}

enum Wait {
    Job(Job),
    Idle,
    Closed,
}

/// A job's answer, unless it was cancelled, and pixels whose memory is free when the answer is out.
type Answer = (Option<Report>, Option<Pixels>);

impl Worker {
    fn new(settings: Settings) -> Self {
        let Settings { device, transport, folders, spool, limits, written, zone, config, nicknames } =
            settings;
        Worker {
            device,
            memory: Stock::new(transport),
            spare: Spare::default(),
            files: FileStore::new(folders, zone),
            spool: Spool::new(spool, limits),
            written,
            config,
            nicknames,
            kept: None,
        }
    }

    /// The next job. Before it waits for one it prepares memory for the frame that will probably follow the last: the
    /// 30 ms that new memory takes for 60 million pixels are then over when that frame comes, however short its exposure.
    fn wait(&mut self, queue: &Receiver<Job>, idle: Duration) -> Wait {
        match queue.try_recv() {
            Ok(job) => return Wait::Job(job),
            Err(TryRecvError::Disconnected) => return Wait::Closed,
            Err(TryRecvError::Empty) => {}
        }
        loop {
            let look = self.memory.prepare();
            if self.memory.is_empty() {
                return queue.recv().map_or(Wait::Closed, Wait::Job);
            }
            match queue.recv_timeout(look.unwrap_or(idle)) {
                Ok(job) => return Wait::Job(job),
                Err(RecvTimeoutError::Timeout) if look.is_some() => {}
                Err(RecvTimeoutError::Timeout) => {
                    self.memory.forget();
                    self.spare.clear();
                    return Wait::Idle;
                }
                Err(RecvTimeoutError::Disconnected) => return Wait::Closed,
            }
        }
    }

    /// Does a job, and tells of a frame's copy for the client before it stores the frame.
    fn run(&mut self, job: Job, tell: &dyn Fn(Report)) -> Answer {
        match job {
            Job::Reserve { bytes } => {
                self.memory.want(bytes);
                (None, None)
            }
            Job::Deliver(delivery) => {
                let (id, client, file) = (delivery.id, delivery.client, delivery.file.is_some());
                let _span = tracing::error_span!("exposure", id = id.0, device = self.device).entered();
                guarded(
                    || self.deliver(*delivery, tell),
                    |why| Some(undelivered(id, client, file, &DeliveryError::Encode(why))),
                )
            }
            // For whoever runs the thread.
            Job::Replace => (None, None),
            Job::Discard { frame } => {
                self.take_back(&frame, true);
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
            Job::LoadConfig(press, source) => answered(|it| Report::Loaded(press, it), || self.load(source)),
            Job::SaveConfig(press, document) => {
                answered(|it| Report::Saved(press, it), || self.save(&document))
            }
            Job::PurgeConfig(press) => answered(|it| Report::Purged(press, it), || self.purge()),
            Job::Nickname { serial, nickname } => {
                answered(Report::Nicknamed, || self.store_nickname(&serial, nickname))
            }
            Job::Recall { id, path } => answered(
                |text| Report::Recalled { id, text },
                || recall::text(self.kept.as_ref(), id, path.as_deref()),
            ),
        }
    }

    fn deliver(&mut self, delivery: Delivery, tell: &dyn Fn(Report)) -> Answer {
        let Delivery { id, name, cancel, spare, frame, roi, binning, cards, encoding, client, file, keep } =
            delivery;
        if cancel.is_cancelled() {
            return (None, None);
        }
        let failed = |error: &DeliveryError| Some(undelivered(id, client, file.is_some(), error));
        if !encoding.keeps_size() {
            self.memory.want_nothing();
        }
        self.spare = spare;
        // Nobody asks for the frame before any more.
        self.kept = None;
        let began = now();
        let frame = match window::fit(frame, roi, binning) {
            Ok(frame) => frame,
            Err(error) => return (failed(&DeliveryError::Encode(error.to_string())), None),
        };

        let Encoded { buffer, len, suffix } = match self.encode(encoding, &cards, &frame) {
            Ok(encoded) => encoded,
            Err(error) => return (failed(&error), None),
        };
        let (file_in_memory, lent) = match buffer.into_payload(len) {
            Ok(lent) => lent,
            Err(error) => return (failed(&DeliveryError::Memory(error.to_string())), None),
        };
        let mut blob = client.then(|| encode::copy(encoding, file_in_memory, suffix));
        let encoded = now();
        let mut took = Took { encode: Some(encoded - began), write: None };
        tracing::debug!(bytes = len, took = ?took.encode, "encoded");
        let mut bytes = len as u64;
        if let Some(Ok((payload, _))) = &blob {
            self.kept = Kept::of(id, payload);
            bytes = payload.len();
        }
        let is_stored = file.is_some() || keep;
        if is_stored && let Some(Ok(blob)) = blob.take_if(|blob| blob.is_ok()) {
            tell(Report::Encoded { id, blob });
        }

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
        let safe = self.store(unsaved, &lent.bytes()[..len]);
        self.memory.lend(lent);
        let Some(Safe { file, kept }) = safe else { return (None, Some(pixels)) };
        if is_stored {
            took.write = Some(encoded.elapsed());
            tracing::debug!(?file, took = ?took.write, "written");
        }
        (Some(Report::Delivered { id, bytes, blob, file, constant, kept, took }), Some(pixels))
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

#[expect(clippy::disallowed_methods, reason = "the shell measures what its steps take")]
fn now() -> Instant {
    Instant::now()
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
    Report::Delivered { id, bytes: 0, blob, file, constant: None, kept: None, took: Took::default() }
}

#[cfg(test)]
mod tests;
