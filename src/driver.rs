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
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{Instant, sleep_until, timeout};

use crate::backend::{BACKENDS, Backend};
use crate::camera::types::{CameraId, Event};
use crate::camera::worker::{Clock, Worker};
use crate::delivery::blob::Transport;
use crate::delivery::{self, DeliveryThread};
use crate::device::{Device, Epoch, Input, Level, Report, Setup};
use crate::host::config_file::ConfigFile;
use crate::host::{log, stdio};
use crate::property::keys;
use crate::property::skeleton::{self, SkeletonError};
use crate::property::store::Vector;
use crate::wire::{self, Message, Request};

/// Requests that wait for the loop. When they fill up the reader stops reading, and the server buffers.
const REQUESTS: usize = 64;
/// Events of all camera threads and reports of all delivery threads that wait. A full queue makes a thread wait.
const EVENTS: usize = 64;
/// Messages that wait for the writer. When they fill up the rest waits in the devices' outboxes and collapses there.
const MESSAGES: usize = 64;
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

/// What the surroundings ask for.
#[derive(Debug)]
struct Surroundings {
    exec: String,
    home: PathBuf,
    device_name: Option<String>,
    config: Option<std::ffi::OsString>,
    skeleton: Option<PathBuf>,
    simulators: usize,
    transport: Transport,
}

impl Surroundings {
    fn read(exec: &str) -> Self {
        let inline = std::env::var_os("INDI_CAMERA_BLOB").is_some_and(|form| form == "inline");
        let transport =
            if stdio::passes_descriptors() && !inline { Transport::Attached } else { Transport::Inline };
        let text = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
        Surroundings {
            exec: exec.to_owned(),
            home: std::env::home_dir()
                .filter(|home| home.is_absolute())
                .unwrap_or_else(|| PathBuf::from("/")),
            device_name: text("INDIDEV"),
            config: std::env::var_os("INDICONFIG").filter(|path| !path.is_empty()),
            skeleton: std::env::var_os("INDISKEL").filter(|path| !path.is_empty()).map(PathBuf::from),
            simulators: text("INDI_CAMERA_SIMULATORS").and_then(|n| n.parse().ok()).unwrap_or(1).clamp(1, 64),
            transport,
        }
    }
}

/// Runs the driver that was started as `argv0` until its input ends or it is told to stop.
pub fn run(argv0: &OsStr) -> Result<ExitCode, StartError> {
    let exec = Path::new(argv0).file_name().unwrap_or(argv0).to_string_lossy().into_owned();
    let backends = chosen_backends(&exec, std::env::var("INDI_CAMERA_BACKENDS").ok())?;
    let (forward, log_lines) = channel(LOG_LINES);
    log::start(forward);
    let clock = Clock::start();
    let surroundings = Surroundings::read(&exec);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(Driver::start(&surroundings, &backends, clock, log_lines)?.serve())?;
    // A camera thread that hangs must not keep the process: its end is not waited for.
    runtime.shutdown_background();
    Ok(ExitCode::SUCCESS)
}

/// The backends named by `INDI_CAMERA_BACKENDS`, or else by the name of the program.
fn chosen_backends(exec: &str, asked: Option<String>) -> Result<Vec<Backend>, StartError> {
    let asked = asked.filter(|names| !names.trim().is_empty());
    let family = exec.strip_prefix("indi_camera_").and_then(|rest| rest.strip_suffix("_ccd"));
    let names: Vec<String> = match (asked, family) {
        (Some(list), _) => list.split(',').map(|name| name.trim().to_owned()).collect(),
        (None, Some(family)) => vec![family.to_owned()],
        (None, None) => BACKENDS.iter().filter(|b| b.hardware).map(|b| b.name.to_owned()).collect(),
    };
    if names.is_empty() {
        return Err(StartError::NoBackend { name: exec.to_owned() });
    }
    let find = |name: String| {
        let known = || BACKENDS.iter().map(|backend| backend.name).collect::<Vec<_>>().join(", ");
        let found = BACKENDS.iter().find(|backend| backend.name == name).copied();
        found.ok_or_else(|| StartError::UnknownBackend { name, known: known() })
    };
    names.into_iter().map(find).collect()
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
    delivery: DeliveryThread,
}

struct Driver {
    clock: Clock,
    stations: Vec<Station>,
    requests: Receiver<Request>,
    news: Receiver<News>,
    log_lines: Receiver<(tracing::Level, String)>,
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
        let mut stations = Vec::new();
        for (backend, camera) in find_cameras(surroundings, backends) {
            stations.push(Station::open(surroundings, backend, camera, stations.len(), clock, &report)?);
        }
        stdio::read(move |request| take.blocking_send(request).is_ok())?;
        let writer = stdio::write(outgoing, move || {
            let _ = break_off.try_send(());
        })?;
        Ok(Driver { clock, stations, requests, news, log_lines, report, messages, writer, broken })
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
        let Driver { stations, messages, writer, .. } = self;
        for mut station in stations {
            while let Some(message) = station.device.poll_message() {
                if messages.send(message).await.is_err() {
                    return;
                }
            }
            // Half-written files are finished or removed.
            let DeliveryThread { jobs, thread } = station.delivery;
            drop(jobs);
            drop(tokio::task::spawn_blocking(move || thread.join()).await);
        }
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
        match news {
            News::Camera(index, epoch, event) => self.handle(index, Input::Camera(epoch, event)),
            News::Delivery(index, report) => self.handle(index, Input::Delivery(report)),
        }
    }

    /// Every device sees every request and takes what is addressed to it.
    fn route(&mut self, request: &Request) {
        for index in 0..self.stations.len() {
            let answered_once = index > 0 && matches!(request, Request::PingRequest { .. });
            if !answered_once {
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
    let spawned = Worker::spawn(station.device.name(), station.backend.create, clock, move |event| {
        report.blocking_send(News::Camera(index, epoch, event)).is_ok()
    });
    match spawned {
        Ok(worker) => Some((epoch, worker)),
        Err(error) => {
            tracing::error!(%error, "no camera thread");
            None
        }
    }
}

/// The cameras to serve, each under its device name.
fn find_cameras(surroundings: &Surroundings, backends: &[Backend]) -> Vec<(Backend, CameraId)> {
    let mut found = Vec::new();
    for backend in backends {
        let cameras = (backend.create)().scanning().unwrap_or_else(|error| {
            tracing::error!(backend = backend.name, %error, "cannot look for cameras");
            Vec::new()
        });
        for camera in cameras {
            let copies = if backend.hardware { 1 } else { surroundings.simulators };
            for copy in 1..=copies {
                let name = if copy == 1 { camera.name.clone() } else { format!("{} {copy}", camera.name) };
                found.push((*backend, CameraId { name, ..camera.clone() }));
            }
        }
    }
    found
}

impl Station {
    fn open(
        surroundings: &Surroundings,
        backend: Backend,
        camera: CameraId,
        ordinal: usize,
        clock: Clock,
        report: &Sender<News>,
    ) -> Result<Station, StartError> {
        let mut warnings = Vec::new();
        // Ekos starts a driver under a label and looks for a device of that name.
        let alone = ordinal == 0 && surroundings.simulators == 1;
        let name = surroundings.device_name.clone().filter(|_| alone).unwrap_or_else(|| camera.name.clone());
        let config =
            ConfigFile::new(surroundings.config.clone().filter(|_| alone), &surroundings.home, &name);
        let saved = saved_settings(&config, &mut warnings);
        let (vectors, settings) = skeletons(&backend, surroundings.skeleton.as_deref(), &mut warnings);
        for warning in &warnings {
            tracing::warn!("{warning}");
        }
        let setup = Setup {
            name: name.clone(),
            ordinal,
            driver: [camera.model.clone(), surroundings.exec.clone(), version()],
            camera,
            vectors,
            settings,
            home: surroundings.home.display().to_string(),
            saved,
            warnings,
        };
        let to_loop = report.clone();
        let delivery = DeliveryThread::spawn(
            delivery::Settings {
                device: name,
                transport: surroundings.transport,
                home: surroundings.home.clone(),
                zone: TimeZone::system(),
                config,
            },
            move |report| to_loop.blocking_send(News::Delivery(ordinal, report)).is_ok(),
        )?;
        Ok(Station { device: Device::new(setup, clock.now()), backend, worker: None, delivery })
    }
}

fn saved_settings(config: &ConfigFile, warnings: &mut Vec<String>) -> Vec<wire::New> {
    let unusable = |why: String| format!("{} is not used: {why}", config.path().display());
    match config.load(crate::device::job::ConfigSource::Saved) {
        Ok(None) => Vec::new(),
        Ok(Some(text)) => wire::parse::document(&text).unwrap_or_else(|error| {
            warnings.push(unusable(error.to_string()));
            Vec::new()
        }),
        Err(error) => {
            warnings.push(unusable(error.to_string()));
            Vec::new()
        }
    }
}

/// The vectors of the embedded skeletons and of the backend's own, after the replacements of `INDISKEL`.
fn skeletons(
    backend: &Backend,
    replacement: Option<&Path>,
    warnings: &mut Vec<String>,
) -> (Vec<Vector>, Vec<Vector>) {
    let mut note = |error: SkeletonError| warnings.push(error.to_string());
    let mut vectors: Vec<Vector> = Vec::new();
    for skeleton in &keys::SKELETONS {
        match skeleton.load() {
            Ok(loaded) => vectors.extend(loaded),
            Err(error) => note(error),
        }
    }
    let mut settings = match backend.skeleton.map(|(file, text)| skeleton::load(file, text)) {
        Some(Ok(loaded)) => loaded,
        Some(Err(error)) => {
            note(error);
            Vec::new()
        }
        None => Vec::new(),
    };
    if let Some(path) = replacement {
        match std::fs::read_to_string(path) {
            Ok(text) => {
                let all = vectors.iter_mut().chain(&mut settings);
                let misfits = skeleton::replace(all, &path.display().to_string(), &text);
                warnings.extend(misfits.iter().map(ToString::to_string));
            }
            Err(error) => warnings.push(format!("INDISKEL {} is not used: {error}", path.display())),
        }
    }
    (vectors, settings)
}

/// `major.minor`, as clients expect it.
fn version() -> String {
    let mut parts = env!("CARGO_PKG_VERSION").split('.');
    [parts.next().unwrap_or("0"), parts.next().unwrap_or("0")].join(".")
}
