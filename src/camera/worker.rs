//! The camera thread: owns one camera, makes the calls asked of it, and watches the exposure that runs.
//!
//! The thread takes one call at a time and answers each with one [`Event::Reply`]. While an exposure runs it asks
//! the camera for the status when the shutter should close, fetches the frame and sends it up, unless the exposure
//! was cancelled. A panic in the backend is caught, answered as a lost camera, and the camera is made anew. A camera
//! that hangs takes its thread with it: the owner drops the [`Worker`] and spawns another. What is logged while an
//! exposure runs names it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use tracing::Span;

use super::Camera;
use super::call::{Call, dispatch};
use super::error::{CameraError, ErrorKind, Result};
use super::types::{Event, ExposureId, ExposureRequest, ExposureStatus, Moment, Percent, Value};

/// Calls that wait for the thread. The device waits for each answer, so more than one is a bug.
const CALLS: usize = 8;
/// A running exposure is looked at at least this often, so that a failure is noticed before its end.
const LOOK: Duration = Duration::from_secs(1);
/// A camera that says that no time is left, but not that it is ready, is not asked more often than this.
const SHORTEST_LOOK: Duration = Duration::from_micros(200);
/// A read-out that has got so much further is told again, in percent: it may be slow, but it goes on.
const STEP: Percent = 1.0;
/// How often a read-out is looked at.
const READ_OUT_LOOK: Duration = Duration::from_millis(1);

/// Both clocks, read in one place.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    began: Instant,
}

impl Clock {
    /// A clock whose [`Moment::elapsed`] begins now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the shell's clock")]
    pub fn start() -> Self {
        Clock { began: Instant::now() }
    }

    /// Now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the shell's clock")]
    pub fn now(&self) -> Moment {
        Moment { elapsed: self.began.elapsed(), utc: SystemTime::now() }
    }

    /// When `elapsed` was, or will be.
    #[must_use]
    pub fn instant(&self, elapsed: Duration) -> Instant {
        self.began + elapsed
    }
}

/// What a camera was set to, for one that takes its place.
#[derive(Clone, Debug, Default)]
pub struct Settings(Vec<(String, Value)>);

impl Settings {
    /// Notes a setting. Of a record the elements that are left out stay as they were.
    pub fn remember(&mut self, name: &str, value: &Value) {
        match (self.0.iter_mut().find(|(known, _)| known == name), value) {
            (Some((_, Value::Record(fields))), Value::Record(new)) => {
                for (field, value) in new {
                    fields.retain(|(known, _)| known != field);
                    fields.push((field.clone(), value.clone()));
                }
            }
            (Some((_, known)), value) => *known = value.clone(),
            (None, value) => self.0.push((name.to_owned(), value.clone())),
        }
    }
}

/// The way to a camera thread. Dropping it ends the thread once the camera has answered.
#[derive(Debug)]
pub struct Worker {
    calls: SyncSender<Call>,
}

impl Worker {
    /// Starts a thread for a camera of its own, which is given `settings` first. `report` returns whether anybody still
    /// listens.
    pub fn spawn(
        name: &str,
        create: fn() -> Box<dyn Camera>,
        settings: Settings,
        clock: Clock,
        report: impl Fn(Event) -> bool + Send + 'static,
    ) -> std::io::Result<Worker> {
        let (calls, queue) = sync_channel(CALLS);
        let name = name.to_owned();
        thread::Builder::new().name(format!("camera {name}")).spawn(move || {
            let mut thread =
                Thread { name, camera: create(), create, settings, clock, report, running: None };
            thread.apply_settings();
            thread.run(&queue);
        })?;
        Ok(Worker { calls })
    }

    /// Queues a call; says whether the thread is there to take it.
    #[must_use]
    pub fn ask(&self, call: Call) -> bool {
        self.calls.try_send(call).is_ok()
    }
}

struct Thread<R> {
    name: String,
    camera: Box<dyn Camera>,
    create: fn() -> Box<dyn Camera>,
    settings: Settings,
    clock: Clock,
    report: R,
    running: Option<Running>,
}

struct Running {
    request: ExposureRequest,
    /// How far the read-out was when it was told last, once it has begun.
    told: Option<Percent>,
    /// When the camera is to be asked next.
    look: Duration,
}

impl<R: Fn(Event) -> bool> Thread<R> {
    fn run(&mut self, queue: &Receiver<Call>) {
        loop {
            let call = match &self.running {
                None => queue.recv().map_err(RecvTimeoutError::from),
                Some(running) => queue.recv_timeout(running.look.saturating_sub(self.clock.now().elapsed)),
            };
            let listening = match call {
                Ok(call) => self.serve(&call),
                Err(RecvTimeoutError::Timeout) => self.watch(),
                Err(RecvTimeoutError::Disconnected) => return,
            };
            if !listening {
                return;
            }
        }
    }

    fn serve(&mut self, call: &Call) -> bool {
        let _span = self.span(call).entered();
        tracing::debug!(call = call.name(), "camera call");
        let asked = self.clock.now().elapsed;
        let result = self.guarded(|camera| dispatch(camera, call));
        if let Err(error) = &result {
            tracing::debug!(%error, "camera call failed");
        }
        let accepted = result.is_ok();
        match call {
            Call::StartExposure(request) if accepted => {
                let at = self.clock.now();
                // The shutter may have opened when the call had hardly begun. If not, the camera says how much is left.
                let look = asked + request.duration.min(LOOK);
                let id = request.id;
                self.running = Some(Running { request: request.clone(), told: None, look });
                return (self.report)(Event::Reply(result)) && (self.report)(Event::Started { id, at });
            }
            Call::SetParameter(name, value) if accepted => {
                self.settings.remember(name, value);
            }
            Call::AbortExposure | Call::Disconnect | Call::Connect(_) | Call::Reconnect(_) => {
                self.running = None;
            }
            _ => {}
        }
        (self.report)(Event::Reply(result))
    }

    /// The exposure that a call belongs to, if it does.
    fn span(&self, call: &Call) -> Span {
        let id = match call {
            Call::StartExposure(request) => Some(request.id),
            _ => self.running.as_ref().map(|running| running.request.id),
        };
        id.map_or(Span::none(), |id| exposure_span(&self.name, id))
    }

    /// Looks after the exposure that runs.
    fn watch(&mut self) -> bool {
        let Some(Running { request, told, .. }) = &self.running else { return true };
        let (id, mut told) = (request.id, *told);
        let _span = exposure_span(&self.name, id).entered();
        if request.cancel.is_cancelled() {
            self.running = None;
            return true;
        }
        let status = self.guarded(|camera| camera.get_exposure_status());
        let pause = match status {
            Ok(ExposureStatus::Exposing { left }) => left.clamp(SHORTEST_LOOK, LOOK),
            Ok(ExposureStatus::Reading { done }) => {
                let done = done.unwrap_or(0.0);
                if told.is_none_or(|told| done >= told + STEP) {
                    told = Some(done);
                    if !(self.report)(Event::Reading { id }) {
                        return false;
                    }
                }
                READ_OUT_LOOK
            }
            Ok(ExposureStatus::Ready) => return self.fetch(),
            Ok(ExposureStatus::Idle) => {
                let error = CameraError::new(
                    ErrorKind::NoFrame,
                    "get_exposure_status",
                    "the camera stopped exposing",
                );
                return self.give_up(error);
            }
            Err(error) => return self.give_up(error),
        };
        let look = self.clock.now().elapsed + pause;
        if let Some(running) = &mut self.running {
            running.look = look;
            running.told = told;
        }
        true
    }

    fn fetch(&mut self) -> bool {
        match self.guarded(|camera| camera.get_exposure_result()) {
            Ok(frame) => match self.running.take() {
                Some(Running { request, .. }) if !request.cancel.is_cancelled() => {
                    tracing::debug!(shape = ?frame.pixels.shape(), "frame read out");
                    (self.report)(Event::Frame { id: request.id, frame })
                }
                _ => true,
            },
            Err(error) => self.give_up(error),
        }
    }

    fn give_up(&mut self, error: CameraError) -> bool {
        tracing::debug!(%error, "exposure failed");
        match self.running.take() {
            Some(Running { request, .. }) => (self.report)(Event::Failed { id: request.id, error }),
            None => true,
        }
    }

    /// Tells a new camera what the one before it was set to.
    fn apply_settings(&mut self) {
        for (name, value) in &self.settings.0 {
            let set = AssertUnwindSafe(|| self.camera.set_parameter(name, value.clone()).is_ok());
            if !catch_unwind(set).unwrap_or(false) {
                tracing::warn!(name, "a new camera does not take a setting of the one before it");
            }
        }
    }

    /// Calls the camera; a panic there costs the camera, not the thread.
    fn guarded<T>(&mut self, call: impl FnOnce(&mut dyn Camera) -> Result<T>) -> Result<T> {
        let camera = self.camera.as_mut();
        catch_unwind(AssertUnwindSafe(|| call(camera))).unwrap_or_else(|panic| {
            self.camera = (self.create)();
            self.apply_settings();
            let detail = format!("the camera's code panicked: {}", words(panic.as_ref()));
            Err(CameraError::new(ErrorKind::Disconnected, "call", detail))
        })
    }
}

/// What is logged in it names the exposure. Of the highest level, so that it is there for every line that is wanted.
#[must_use]
pub fn exposure_span(device: &str, id: ExposureId) -> Span {
    tracing::error_span!("exposure", id = id.0, device)
}

/// What a panic said.
fn words(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a word")
}
