//! The owner of everything that moves: threads, queues, clock and signals around the pure devices.
//!
//! ```text
//!  stdin ── reader thread ──┐                                 ┌── camera thread ── sensor      one per device
//!           (host::stdio)   ├──►  one task, one select loop ──┼── delivery thread ── memfd, file  one per device
//!  signals, deadlines, log ─┘     (this file) owns Devices    └── writer thread ── stdout
//! ```
//! The loop takes one event, hands it to the device it is for, drains that device's calls and jobs, and offers its
//! messages to the writer as there is room. It never blocks and never waits for a camera, a disk or a client.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{Instant, sleep_until, timeout};

use crate::backend::Backend;
use crate::camera::call::{Call, Reply};
use crate::camera::types::Event;
use crate::camera::worker::{Clock, Settings, Worker};
use crate::delivery::DeliveryThread;
use crate::device::{Device, Epoch, Input, Level, Report};
use crate::host::session_log::SessionLog;
use crate::host::{log, stdio};
use crate::wire::{Message, Request};

mod start;

use start::Surroundings;

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
    log::start(forward);
    let clock = Clock::start();
    let surroundings = Surroundings::read(&exec);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(Driver::start(&surroundings, &backends, clock, log_lines)?.serve())?;
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

/// What the threads of a device have to tell.
enum News {
    Camera(usize, Epoch, Event),
    Delivery(usize, Report),
}

/// One device and its threads.
struct Station {
    device: Device,
    backend: Backend,
    worker: Option<(Epoch, Worker)>,
    /// What the camera was set to, for a thread that takes over from one that hangs.
    settings: Settings,
    /// The setting that it is being asked to change.
    setting: Option<String>,
    delivery: DeliveryThread,
}

struct Driver {
    clock: Clock,
    stations: Vec<Station>,
    requests: Receiver<Request>,
    news: Receiver<News>,
    log_lines: Receiver<(tracing::Level, String)>,
    session_log: SessionLog,
    /// For the camera threads.
    report: Sender<News>,
    messages: Sender<Message>,
    writer: std::thread::JoinHandle<()>,
    broken: Receiver<()>,
}

impl Driver {
    fn start(
        surroundings: &Surroundings,
        backends: &[Backend],
        clock: Clock,
        log_lines: Receiver<(tracing::Level, String)>,
    ) -> Result<Driver, StartError> {
        let (report, news) = channel(EVENTS);
        let (take, requests) = channel(REQUESTS);
        let (messages, outgoing) = channel(MESSAGES);
        let (break_off, broken) = channel(1);
        let session_log = surroundings.session_log(clock.now());
        let stations = start::stations(surroundings, backends, clock, session_log.path(), &report)?;
        stdio::read(move |request| take.blocking_send(request).is_ok())?;
        let writer = stdio::write(outgoing, move || {
            let _ = break_off.try_send(());
        })?;
        Ok(Driver {
            clock,
            stations,
            requests,
            news,
            log_lines,
            session_log,
            report,
            messages,
            writer,
            broken,
        })
    }

    async fn serve(mut self) -> std::io::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        for index in 0..self.stations.len() {
            self.drain(index);
        }
        loop {
            let full = !self.send_messages();
            let deadline = self.stations.iter().filter_map(|station| station.device.deadline()).min();
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
        for index in 0..self.stations.len() {
            self.handle(index, Input::Shutdown);
        }
        while self.stations.iter().any(|station| !station.device.is_at_rest()) {
            if let Some(news) = self.news.recv().await {
                self.hear(news);
            }
        }
        let Driver { stations, session_log, messages, writer, .. } = self;
        for mut station in stations {
            while let Some(message) = station.device.poll_message() {
                if messages.send(message).await.is_err() {
                    // Nobody listens any more; what is being stored is finished all the same.
                    break;
                }
            }
            let DeliveryThread { jobs, thread } = station.delivery;
            drop(jobs);
            drop(tokio::task::spawn_blocking(move || thread.join()).await);
        }
        drop(tokio::task::spawn_blocking(move || session_log.close()).await);
        drop(messages);
        drop(tokio::task::spawn_blocking(move || writer.join()).await);
    }

    /// Hands messages to the writer; says whether it took all of them.
    fn send_messages(&mut self) -> bool {
        for station in &mut self.stations {
            while station.device.has_message() {
                let Ok(room) = self.messages.try_reserve() else { return false };
                if let Some(message) = station.device.poll_message() {
                    room.send(message);
                }
            }
        }
        true
    }

    fn hear(&mut self, news: News) {
        if let News::Camera(index, epoch, Event::Reply(result)) = &news {
            let station = &mut self.stations[*index];
            let current = station.worker.as_ref().is_some_and(|(of, _)| of == epoch);
            if current
                && let Some(name) = station.setting.take()
                && let Ok(Reply::Value(value)) = result
            {
                station.settings.remember(&name, value);
            }
        }
        match news {
            News::Camera(index, epoch, event) => self.handle(index, Input::Camera(epoch, event)),
            News::Delivery(index, report) => self.handle(index, Input::Delivery(report)),
        }
    }

    /// Every device sees every request and takes what is addressed to it.
    fn route(&mut self, request: &Request) {
        tracing::trace!(?request, "heard");
        for index in 0..self.stations.len() {
            // A ping is answered once, by the device whose messages go out last: after all that was said before.
            let is_ping = matches!(request, Request::PingRequest { .. });
            if !is_ping || index + 1 == self.stations.len() {
                self.handle(index, Input::Request(request.clone()));
            }
        }
    }

    fn show_log(&mut self, level: tracing::Level, line: &str) {
        let level = match level {
            tracing::Level::ERROR => Level::Error,
            tracing::Level::WARN => Level::Warning,
            tracing::Level::INFO => Level::Info,
            _ => Level::Debug,
        };
        for index in 0..self.stations.len() {
            self.handle(index, Input::Log(level, line.to_owned()));
        }
    }

    fn wake(&mut self) {
        let now = self.clock.now().elapsed;
        for index in 0..self.stations.len() {
            if self.stations[index].device.deadline().is_some_and(|deadline| deadline <= now) {
                self.handle(index, Input::Deadline);
            }
        }
    }

    fn handle(&mut self, index: usize, input: Input) {
        let now = self.clock.now();
        self.stations[index].device.handle(now, input);
        self.drain(index);
    }

    /// Hands out what the device wants done.
    fn drain(&mut self, index: usize) {
        let station = &mut self.stations[index];
        while let Some((epoch, call)) = station.device.poll_call() {
            station.setting = match &call {
                Call::SetParameter(name, _) => Some(name.clone()),
                _ => None,
            };
            if station.worker.as_ref().is_none_or(|(of, _)| *of != epoch) {
                // The thread of an older epoch hangs: without its queue it ends if it ever comes back.
                station.worker = spawn_worker(station, index, epoch, self.clock, &self.report);
            }
            let asked = station.worker.as_ref().is_some_and(|(_, worker)| worker.ask(call));
            if !asked {
                tracing::error!("no camera thread takes the call; its deadline will answer it");
                station.worker = None;
            }
        }
        while let Some(job) = station.device.poll_job() {
            if station.delivery.jobs.send(job).is_err() {
                tracing::error!("the delivery thread is gone");
            }
        }
        while let Some(line) = station.device.poll_log_line() {
            self.session_log.append(line);
        }
    }
}

fn spawn_worker(
    station: &Station,
    index: usize,
    epoch: Epoch,
    clock: Clock,
    report: &Sender<News>,
) -> Option<(Epoch, Worker)> {
    let report = report.clone();
    let spawned = Worker::spawn(
        station.device.name(),
        station.backend.create,
        station.settings.clone(),
        clock,
        move |event| report.blocking_send(News::Camera(index, epoch, event)).is_ok(),
    );
    match spawned {
        Ok(worker) => Some((epoch, worker)),
        Err(error) => {
            tracing::error!(%error, "no camera thread");
            None
        }
    }
}
