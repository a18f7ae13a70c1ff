//! One device and its threads.

use crate::backend::Backend;
use crate::camera::call::{Call, Reply};
use crate::camera::types::{Event, Moment};
use crate::camera::worker::{Clock, Settings, Worker};
use crate::delivery::DeliveryThread;
use crate::device::{Device, Epoch, Input, Job};
use crate::flight::record::Recorder;
use crate::host::session_log::SessionLog;
use crate::wire::Message;

use super::News;
use super::start::Outfitter;

/// A device, the thread of its camera and the thread that delivers its frames.
pub(super) struct Station {
    pub(super) device: Device,
    pub(super) delivery: DeliveryThread,
    /// Present if somebody wants everything to be recorded.
    pub(super) recorder: Option<Recorder>,
    ordinal: usize,
    backend: Backend,
    worker: Option<(Epoch, Worker)>,
    /// What the camera was set to, for a thread that takes over from one that hangs.
    settings: Settings,
    /// The setting that it is being asked to change.
    setting: Option<String>,
}

impl Station {
    pub(super) fn new(
        ordinal: usize,
        backend: Backend,
        device: Device,
        delivery: DeliveryThread,
        recorder: Option<Recorder>,
    ) -> Self {
        let settings = Settings::default();
        Station { device, delivery, recorder, ordinal, backend, worker: None, settings, setting: None }
    }

    /// Tells the device something.
    pub(super) fn handle(&mut self, now: Moment, input: Input) {
        if let Some(recorder) = &mut self.recorder {
            recorder.input(now, &input);
        }
        self.device.handle(now, input);
    }

    /// Whether the driver's log means anything to it.
    pub(super) fn wants_log(&self) -> bool {
        self.recorder.is_some() || self.device.wants_log()
    }

    /// The next message for the server.
    pub(super) fn poll_message(&mut self) -> Option<Message> {
        let message = self.device.poll_message()?;
        if let Some(recorder) = &mut self.recorder {
            recorder.message(&message);
        }
        Some(message)
    }

    /// Remembers a setting that the camera has taken.
    pub(super) fn note_setting(&mut self, epoch: Epoch, event: &Event) {
        let current = self.worker.as_ref().is_some_and(|(of, _)| *of == epoch);
        if let Event::Reply(result) = event
            && current
            && let Some(name) = self.setting.take()
            && let Ok(Reply::Value(value)) = result
        {
            self.settings.remember(&name, value);
        }
    }

    /// Hands out what the device wants done.
    pub(super) fn drain(&mut self, clock: Clock, outfitter: &Outfitter, session_log: &mut SessionLog) {
        while let Some((epoch, call)) = self.device.poll_call() {
            tracing::trace!(call = call.name(), "asked of the camera");
            if let Some(recorder) = &mut self.recorder {
                recorder.call(epoch, &call);
            }
            self.setting = match &call {
                Call::SetParameter(name, _) => Some(name.clone()),
                _ => None,
            };
            if self.worker.as_ref().is_none_or(|(of, _)| *of != epoch) {
                // The thread of an older epoch hangs: without its queue it ends if it ever comes back.
                self.worker = self.spawn_worker(epoch, clock, outfitter);
            }
            let asked = self.worker.as_ref().is_some_and(|(_, worker)| worker.ask(call));
            if !asked {
                tracing::error!("no camera thread takes the call; its deadline will answer it");
                self.worker = None;
            }
        }
        while let Some(job) = self.device.poll_job() {
            if let Some(recorder) = &mut self.recorder {
                recorder.job(&job);
            }
            self.deliver(job);
        }
        while let Some(line) = self.device.poll_log_line() {
            session_log.append(line);
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.waits(&self.device);
        }
    }

    fn deliver(&mut self, job: Job) {
        if matches!(job, Job::Deliver(_)) {
            tracing::debug!("the frame goes to the delivery thread");
        }
        if !matches!(job, Job::Replace) {
            if self.delivery.jobs.send(job).is_err() {
                tracing::error!("the delivery thread is gone");
            }
            return;
        }
        match self.delivery.replace() {
            Ok(true) => tracing::warn!("the delivery thread hangs: another one takes over"),
            Ok(false) => tracing::error!("too many delivery threads hang: frames wait for the disk"),
            Err(error) => tracing::error!(%error, "no delivery thread to take over"),
        }
    }

    fn spawn_worker(&self, epoch: Epoch, clock: Clock, outfitter: &Outfitter) -> Option<(Epoch, Worker)> {
        let (report, ordinal) = (outfitter.report(), self.ordinal);
        let spawned = Worker::spawn(
            self.device.name(),
            self.backend.create,
            self.settings.clone(),
            clock,
            move |event| report.blocking_send(News::Camera(ordinal, epoch, event)).is_ok(),
        );
        match spawned {
            Ok(worker) => Some((epoch, worker)),
            Err(error) => {
                tracing::error!(%error, "no camera thread");
                None
            }
        }
    }
}
