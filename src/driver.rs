//! The owner of everything that moves: threads, queues, clock and signals around the pure devices.
//!
//! ```text
//!  stdin ── reader thread ──┐                                 ┌── camera thread ── sensor      one per device
//!           (host::stdio)   ├──►  one task, one select loop ──┼── delivery thread ── memfd, file  one per device
//!  signals, deadlines, log ─┤     (this file) owns Devices    ├── scout thread ── any sensor?     one per family
//!  things plugged in ───────┘     and, for hardware, a Hub    └── writer thread ── stdout
//! ```
//! The loop takes one event, hands it to the device it is for, drains that device's calls and jobs, and offers its
//! messages to the writer as there is room. It never blocks and never waits for a camera, a disk or a client. Devices
//! of simulated cameras are there from the start; those of hardware come and go as the hub finds their cameras, and what
//! has to be read for them is read in a thread of its own.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{Instant, sleep_until, timeout};

use crate::backend::Backend;
use crate::camera::error::Result as CameraResult;
use crate::camera::types::{CameraId, Event};
use crate::camera::worker::{Clock, exposure_span};
use crate::delivery::{DeliveryThread, blob};
use crate::device::{Epoch, Input, Level, Report};
use crate::host::log::{self, Audience};
use crate::host::session_log::SessionLog;
use crate::host::stdio;
use crate::hub;
use crate::wire::{Message, Request};

mod headquarters;
mod names;
mod scout;
mod skeletons;
mod start;
mod station;
#[cfg(test)]
mod tests;

use headquarters::Headquarters;
use start::{Outfitter, Prepared, Surroundings};
use station::Station;

/// Requests that wait for the loop. When they fill up the reader stops reading, and the server buffers.
const REQUESTS: usize = 64;
/// Events of all camera threads and reports of all delivery threads that wait. A full queue makes a thread wait.
const EVENTS: usize = 64;
/// Messages that wait for the writer. When they fill up the rest waits in the devices' outboxes and collapses there.
const MESSAGES: usize = 16;
/// Log lines that wait for the devices. When they fill up the rest is lost.
const LOG_LINES: usize = 64;
/// From the end of input, or a signal, to the end of the process.
const FAREWELL: Duration = Duration::from_secs(2);

/// Why a driver cannot be started. Only a start by hand can meet these.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the message says it")]
pub enum StartError {
    #[error("there is no backend {name}; compiled in are: {known}")]
    UnknownBackend { name: String, known: String },
    #[error(
        "no backend is compiled in for {name}; start it as indi_camera_simulator_ccd, or set INDI_CAMERA_BACKENDS"
    )]
    NoBackend { name: String },
    #[error("{0}")]
    System(#[from] std::io::Error),
}

/// Runs the driver that was started as `argv0` until its input ends or it is told to stop.
pub fn run(argv0: &OsStr) -> Result<(), StartError> {
    let exec = Path::new(argv0).file_name().unwrap_or(argv0).to_string_lossy().into_owned();
    let backends = start::chosen_backends(&exec, std::env::var("INDI_CAMERA_BACKENDS").ok())?;
    let (forward, log_lines) = channel(LOG_LINES);
    let audience = log::start(forward);
    let clock = Clock::start();
    let surroundings = Surroundings::read(&exec);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(Driver::start(surroundings, &backends, clock, audience, log_lines)?.serve())?;
    // A camera thread that hangs must not keep the process: its end is not waited for.
    runtime.shutdown_background();
    Ok(())
}

/// What wakes the loop.
enum Wake {
    News(News),
    Request(Request),
    Deadline,
    Log(tracing::Level, String),
    /// The writer has room again.
    Room,
    End,
}

/// What the threads have to tell: of which device, or which family of hardware.
enum News {
    Camera(usize, Epoch, Event),
    Delivery(usize, Report),
    Found(usize, CameraResult<Vec<CameraId>>),
    Plugged(usize),
    /// What it takes to serve a camera that was found, or why that cannot be had.
    Prepared(usize, std::io::Result<Box<Prepared>>),
}

struct Driver {
    clock: Clock,
    outfitter: Arc<Outfitter>,
    /// By number of the device, which is never used again.
    stations: BTreeMap<usize, Station>,
    /// Present if hardware is served.
    headquarters: Option<Headquarters>,
    requests: Receiver<Request>,
    news: Receiver<News>,
    audience: Audience,
    log_lines: Receiver<(tracing::Level, String)>,
    session_log: SessionLog,
    messages: Sender<Message>,
    writer: std::thread::JoinHandle<()>,
    broken: Receiver<()>,
}

impl Driver {
    fn start(
        surroundings: Surroundings,
        backends: &[Backend],
        clock: Clock,
        audience: Audience,
        log_lines: Receiver<(tracing::Level, String)>,
    ) -> Result<Driver, StartError> {
        let (report, news) = channel(EVENTS);
        let (take, requests) = channel(REQUESTS);
        let (messages, outgoing) = channel(MESSAGES);
        let (break_off, broken) = channel(1);
        let session_log = surroundings.session_log(clock.now());
        let log_file = session_log.path().to_owned();
        let outfitter = Outfitter::new(surroundings, backends, clock, log_file, report);
        let stations = outfitter.simulated(backends)?;
        let headquarters = outfitter.headquarters(backends, stations.len());
        stdio::read(move |request| take.blocking_send(request).is_ok())?;
        let writer = stdio::write(outgoing, blob::is_read, move || {
            let _ = break_off.try_send(());
        })?;
        Ok(Driver {
            clock,
            outfitter: Arc::new(outfitter),
            stations: stations.into_iter().enumerate().collect(),
            headquarters,
            requests,
            news,
            audience,
            log_lines,
            session_log,
            messages,
            writer,
            broken,
        })
    }

    async fn serve(mut self) -> std::io::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        // Whoever opens a frame's memory while it is looked at (`delivery::blob`) has the kernel send this, which would
        // end the process. Once listened to it never does.
        let _broken_lease = signal(SignalKind::io())?;
        for ordinal in self.ordinals() {
            self.drain(ordinal);
        }
        self.obey();
        loop {
            self.audience.listens(self.stations.values().any(Station::wants_log));
            let full = !self.send_messages();
            let devices = self.stations.values().filter_map(|station| station.device.deadline());
            let hub = self.headquarters.iter().filter_map(|headquarters| headquarters.hub.deadline());
            let deadline = devices.chain(hub).min();
            let until = deadline.map(|elapsed| Instant::from_std(self.clock.instant(elapsed)));
            let wake = tokio::select! {
                biased;
                _ = terminate.recv() => Wake::End,
                _ = interrupt.recv() => Wake::End,
                _ = self.broken.recv() => Wake::End,
                Some(news) = self.news.recv() => Wake::News(news),
                request = self.requests.recv() => request.map_or(Wake::End, Wake::Request),
                () = sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => Wake::Deadline,
                Some((level, line)) = self.log_lines.recv() => Wake::Log(level, line),
                _ = self.messages.reserve(), if full => Wake::Room,
            };
            match wake {
                Wake::End => break,
                Wake::News(news) => self.hear(news),
                Wake::Request(request) => self.route(&request),
                Wake::Deadline => self.wake(),
                Wake::Log(level, line) => self.show_log(level, &line),
                Wake::Room => {}
            }
        }
        // Nothing that a camera, a disk or the server does may take longer than this.
        if timeout(FAREWELL, self.say_farewell()).await.is_err() {
            tracing::warn!("left without waiting for a camera that does not answer");
        }
        Ok(())
    }

    /// Leaves the cameras in good order, as far as they answer, and tells the server.
    async fn say_farewell(mut self) {
        for ordinal in self.ordinals() {
            self.handle(ordinal, Input::Shutdown);
        }
        while self.stations.values().any(|station| !station.device.is_at_rest()) {
            if let Some(news) = self.news.recv().await {
                self.hear(news);
            }
        }
        let Driver { stations, session_log, messages, writer, .. } = self;
        for mut station in stations.into_values() {
            while let Some(message) = station.poll_message() {
                if messages.send(message).await.is_err() {
                    // Nobody listens any more; what is being stored is finished all the same.
                    break;
                }
            }
            let DeliveryThread { jobs, thread, .. } = station.delivery;
            drop(jobs);
            drop(tokio::task::spawn_blocking(move || thread.join()).await);
            if let Some(recorder) = station.recorder {
                drop(tokio::task::spawn_blocking(move || recorder.close()).await);
            }
        }
        drop(tokio::task::spawn_blocking(move || session_log.close()).await);
        drop(messages);
        drop(tokio::task::spawn_blocking(move || writer.join()).await);
    }

    /// Hands messages to the writer, the hub's last; says whether it took all of them.
    fn send_messages(&mut self) -> bool {
        for station in self.stations.values_mut() {
            while station.device.has_message() {
                let Ok(room) = self.messages.try_reserve() else { return false };
                if let Some(message) = station.poll_message() {
                    room.send(message);
                }
            }
        }
        let Some(Headquarters { hub, preparing: None, .. }) = &mut self.headquarters else { return true };
        while hub.has_message() {
            let Ok(room) = self.messages.try_reserve() else { return false };
            if let Some(message) = hub.poll_message() {
                room.send(message);
            }
        }
        true
    }

    fn hear(&mut self, news: News) {
        match news {
            News::Camera(ordinal, epoch, event) => {
                if let Some(station) = self.stations.get_mut(&ordinal) {
                    station.note_setting(epoch, &event);
                }
                self.handle(ordinal, Input::Camera(epoch, event));
            }
            News::Delivery(ordinal, report) => self.handle(ordinal, Input::Delivery(report)),
            News::Found(family, cameras) => self.tell_hub(hub::Input::Found { family, cameras }),
            News::Plugged(family) => self.tell_hub(hub::Input::Plugged { family }),
            News::Prepared(ordinal, prepared) => self.serve_camera(ordinal, prepared),
        }
    }

    /// Every device sees every request and takes what is addressed to it.
    fn route(&mut self, request: &Request) {
        tracing::trace!(?request, "heard");
        // A ping is answered once, by whoever's messages go out last: after all that was said before.
        let is_ping = matches!(request, Request::PingRequest { .. });
        let last = if self.headquarters.is_some() { None } else { self.stations.keys().last().copied() };
        for ordinal in self.ordinals() {
            if !is_ping || Some(ordinal) == last {
                self.handle(ordinal, Input::Request(request.clone()));
            }
        }
        self.tell_hub(hub::Input::Request(request.clone()));
    }

    fn show_log(&mut self, level: tracing::Level, line: &str) {
        let level = match level {
            tracing::Level::ERROR => Level::Error,
            tracing::Level::WARN => Level::Warning,
            tracing::Level::INFO => Level::Info,
            _ => Level::Debug,
        };
        for ordinal in self.ordinals() {
            self.handle(ordinal, Input::Log(level, line.to_owned()));
        }
    }

    fn wake(&mut self) {
        let now = self.clock.now().elapsed;
        let is_due = |deadline: Option<Duration>| deadline.is_some_and(|deadline| deadline <= now);
        for ordinal in self.ordinals() {
            if self.stations.get(&ordinal).is_some_and(|station| is_due(station.device.deadline())) {
                self.handle(ordinal, Input::Deadline);
            }
        }
        if self.headquarters.as_ref().is_some_and(|headquarters| is_due(headquarters.hub.deadline())) {
            self.tell_hub(hub::Input::Deadline);
        }
    }

    fn ordinals(&self) -> Vec<usize> {
        self.stations.keys().copied().collect()
    }

    fn handle(&mut self, ordinal: usize, input: Input) {
        let Some(station) = self.stations.get_mut(&ordinal) else { return };
        // An input may begin an exposure or end it: it is about that one either way.
        let before = station.device.exposure_in_hand();
        station.handle(self.clock.now(), input);
        let id = before.or(station.device.exposure_in_hand());
        let _span = id.map(|id| exposure_span(station.device.name(), id).entered());
        self.drain(ordinal);
    }

    fn drain(&mut self, ordinal: usize) {
        if let Some(station) = self.stations.get_mut(&ordinal) {
            station.drain(self.clock, &self.outfitter, &mut self.session_log);
            self.tell_whether_connected(ordinal);
        }
    }
}
