//! One camera as INDI clients see it: a pure state machine.
//!
//! No clock, no I/O, no threads, no locks. Whoever owns a [`Device`] gives it one [`Input`] at a time together with
//! the moment at which it happened, then drains [`Device::poll_call`], [`Device::poll_job`] and
//! [`Device::poll_log_line`] to empty, offers [`Device::poll_message`] to the writer as that has room, and waits for the
//! next input or for [`Device::deadline`]. Nothing is sent from inside a handler, so the device alone decides the order of everything
//! on the wire. Frames and BLOBs pass through by value; it never looks at a pixel.
//!
//! Every property that clients may write has one handler, registered in the file of its concern:
//! `connection`, `exposure`, `fast`, `geometry`, `formats`, `cooler`, `guide`, `controls`, `upload`, `spool`, `header`,
//! `snoop`, `config`, `notice`, `nickname`. What a simulated camera should see is told in `scene`, how all of it does in
//! `health`. `calls` answers those who call a camera by name, by way of the same handlers.
//!
//! Read [`Device::handle`] first.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::camera::call::{Call, Reply};
use crate::camera::error::CameraError;
use crate::camera::types::{CameraId, Capabilities, Event, Moment};
use crate::property::outbox::Outbox;
use crate::property::store::Store;
use crate::wire::{Message, Request};

mod abilities;
mod asking;
mod calls;
mod config;
mod connection;
mod controls;
mod cooler;
mod exposure;
mod fast;
mod formats;
mod geometry;
mod guide;
mod header;
mod health;
pub mod job;
mod nickname;
mod notice;
mod overdue;
mod own;
mod publish;
mod scene;
mod setup;
mod snoop;
mod spool;
mod timer;
mod upload;
mod write;

pub use job::{Job, Report};
pub use notice::Level;
pub use setup::Setup;

use guide::Axis;
use publish::limits;
use setup::Handlers;
use timer::{Timer, Timers};
use upload::Delivered;

/// Everything that can make a device act.
#[derive(Debug, Deserialize, Serialize)]
pub enum Input {
    /// From the server.
    Request(Request),
    /// From the camera thread of that epoch.
    Camera(Epoch, Event),
    /// From the delivery thread.
    Delivery(Report),
    /// The camera was gone and is there again, perhaps at another place.
    Found(CameraId),
    /// A line of the driver's own log, for clients that want to see it.
    Log(Level, String),
    /// The moment that [`Device::deadline`] named has come.
    Deadline,
    /// The process is about to end: leave the camera in good order.
    Shutdown,
}

/// Generation of the camera thread. It grows when a thread is given up, so that whatever a thread says after that is
/// recognised and dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub struct Epoch(pub u32);

/// One camera as INDI clients see it.
pub struct Device {
    name: String,
    ordinal: usize,
    camera: CameraId,
    now: Moment,
    store: Store,
    handlers: Handlers,
    /// Vectors that come and go with the connection, in order.
    on_connect: Vec<String>,
    /// Vectors of the backend's own.
    settings: Vec<String>,
    warnings: Vec<String>,
    /// The file that [`Device::poll_log_line`] is written to.
    log_file: String,
    /// A client has asked for our properties; nothing is said before that.
    greeted: bool,
    outbox: Outbox,
    jobs: VecDeque<Job>,
    log_lines: VecDeque<String>,
    calls: VecDeque<Call>,
    outstanding: Option<Call>,
    /// When that was asked.
    asked_at: Duration,
    epoch: Epoch,
    /// Threads that were given up and have not come back.
    hanging: Vec<Epoch>,
    timers: Timers,
    capabilities: Option<Capabilities>,
    link: connection::Link,
    exposure: exposure::Exposure,
    fast: Option<fast::Run>,
    geometry: geometry::Geometry,
    formats: formats::Formats,
    cooler: cooler::Cooler,
    guide: guide::Guide,
    controls: controls::Controls,
    own: own::Own,
    upload: upload::Upload,
    health: health::Health,
    spool: spool::Spool,
    config: config::Config,
    snoop: snoop::Snoop,
    scene: scene::Told,
    header: header::Header,
    desk: calls::Desk,
    home: String,
    upload_root: Option<String>,
}

impl Device {
    /// The INDI device name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Takes one input. Total: it never fails, and never panics on what a client, a file or a camera says.
    pub fn handle(&mut self, now: Moment, input: Input) {
        self.now = now;
        match input {
            Input::Request(request) => self.request(request),
            Input::Camera(epoch, event) if epoch == self.epoch => self.camera_event(event),
            Input::Camera(epoch, Event::Reply(_)) => self.thread_is_back(epoch),
            Input::Camera(..) | Input::Deadline => {}
            Input::Delivery(report) => self.reported(report),
            Input::Found(camera) => self.camera_found(camera),
            Input::Log(level, line) => self.forward_log(level, &line),
            Input::Shutdown => self.shut_down(),
        }
        while let Some(timer) = self.timers.due(now.elapsed) {
            self.expired(timer);
        }
        self.announce_frames();
        self.send_ready_frame();
        self.attend_calls();
        self.watch_health();
    }

    /// The next call for the camera thread of that epoch. There is at most one unanswered call; a new epoch means
    /// that the thread of the old one is to be given up and replaced.
    pub fn poll_call(&mut self) -> Option<(Epoch, Call)> {
        if self.outstanding.is_some() {
            return None;
        }
        let call = self.calls.pop_front()?;
        self.timers.set(Timer::CallOverdue, self.answer_expected(&call));
        self.asked_at = self.now.elapsed;
        self.outstanding = Some(call.clone());
        Some((self.epoch, call))
    }

    /// The next job for the delivery thread.
    pub fn poll_job(&mut self) -> Option<Job> {
        self.jobs.pop_front()
    }

    /// The next line for the log file, if its user wants one.
    pub fn poll_log_line(&mut self) -> Option<String> {
        self.log_lines.pop_front()
    }

    /// The next message for the server.
    pub fn poll_message(&mut self) -> Option<Message> {
        self.outbox.pop()
    }

    /// Whether a message waits.
    #[must_use]
    pub fn has_message(&self) -> bool {
        !self.outbox.is_empty()
    }

    /// When it wants [`Input::Deadline`], on the clock of [`Moment::elapsed`].
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        self.timers.next()
    }

    /// What it waits for and until when, for people who want to know why it does nothing.
    pub fn waits(&self) -> impl Iterator<Item = (String, Duration)> + '_ {
        self.timers.table().map(|(timer, until)| (format!("{timer:?}"), until))
    }

    /// Whether the camera has nothing left to do for us: after [`Input::Shutdown`], time to leave.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.outstanding.is_none() && self.calls.is_empty() && self.jobs.is_empty()
    }

    /// Whether a client wants the camera, connected or lost.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        self.link != connection::Link::Off
    }

    /// Whether the camera is connected; `None` while that is being decided.
    #[must_use]
    pub fn is_connected(&self) -> Option<bool> {
        match self.link {
            connection::Link::On => Some(true),
            connection::Link::Opening | connection::Link::Asking => None,
            connection::Link::Off | connection::Link::Parting | connection::Link::Lost { .. } => Some(false),
        }
    }

    fn request(&mut self, request: Request) {
        match request {
            Request::GetProperties { device, name } => {
                if device.is_none_or(|device| device == self.name) {
                    self.define(name.as_deref());
                }
            }
            Request::New(new) => {
                // The server sends an element without a device to every driver; it is not meant for anyone.
                if new.device.as_ref() == Some(&self.name) {
                    self.write(&new);
                }
            }
            Request::PingRequest { uid } => self.outbox.push(Message::PingReply { uid }),
            Request::PingReply { uid } => self.acknowledged(&uid),
            Request::Snooped(news) => self.snooped(&news),
        }
    }

    fn define(&mut self, name: Option<&str>) {
        let names: Vec<String> = self
            .store
            .vectors()
            .iter()
            .filter(|vector| vector.defined && name.is_none_or(|name| name == vector.name))
            .map(|vector| vector.name.clone())
            .collect();
        for name in names {
            self.send_definition(&name);
        }
        if !self.greeted {
            self.greeted = true;
            self.watch_all();
            for warning in std::mem::take(&mut self.warnings) {
                self.say(Level::Warning, &warning);
            }
        }
    }

    fn camera_event(&mut self, event: Event) {
        match event {
            Event::Reply(result) => {
                if let Some(call) = self.outstanding.take() {
                    self.timers.clear(Timer::CallOverdue);
                    self.answered(&call, result);
                }
            }
            Event::Started { id, at } => self.exposure_started(id, at),
            Event::Reading { id } => self.reading_out(id),
            Event::Frame { id, frame } => self.frame_arrived(id, frame),
            Event::Failed { id, error } => self.exposure_failed(id, &error),
        }
    }

    /// The camera's answer to the call that was outstanding.
    fn answered(&mut self, call: &Call, result: Result<Reply, CameraError>) {
        self.note_answer(call, &result);
        self.watch_link(call, &result);
        match call {
            Call::Connect(_) | Call::Reconnect(_) => self.connect_answered(result),
            Call::Disconnect => self.disconnect_answered(result),
            Call::Polling => self.polled(result),
            Call::SetCameraRoi(_) | Call::SetBinning(_) | Call::StartExposure(_) | Call::AbortExposure => {
                self.exposure_answered(call, result);
            }
            Call::Cooling(_) | Call::CoolingTo(_) => self.cooling_answered(call, result),
            Call::GetGain | Call::SetGain(_) | Call::GetOffset | Call::SetOffset(_) => {
                self.control_answered(call, result);
            }
            call if formats::is_about_format(call) => self.format_answered(call, result),
            call if scene::is_about_scene(call) => self.scene_answered(result),
            Call::SetParameter(name, _) | Call::GetParameter(name) => {
                self.setting_answered(name, call, result);
            }
            Call::Vendor { name, .. } if name == guide::PULSE => self.pulse_answered(call, result),
            // Asked only by those who call the camera by name.
            Call::Scanning
            | Call::GetExposureStatus
            | Call::GetExposureResult
            | Call::GetCoolingStatus
            | Call::GetCurrentTemperature
            | Call::GetCoolingPower
            | Call::GetCameraRoi
            | Call::GetBinning
            | Call::Vendor { .. } => {}
        }
    }

    fn reported(&mut self, report: Report) {
        match report {
            Report::Begun { id } => self.delivery_begun(id),
            Report::Encoded { id, blob } => self.frame_encoded(id, blob),
            Report::Delivered { id, bytes, blob, file, constant, kept, took } => {
                self.note_took(took);
                self.delivered(id, Delivered { bytes, blob, file, constant, kept });
            }
            Report::NoRoom { id, error } => self.refuse_exposure(id, &error),
            Report::Spool(spool) => self.spool_told(spool),
            Report::Resent { frame, blob } => self.read_again(frame, blob),
            Report::Dropped { frame, spool } => self.dropped(&frame, spool),
            Report::Listed(frames) => self.note_listed(frames),
            Report::Loaded(press, result) if self.is_processing(press) => self.config_loaded(result),
            Report::Saved(press, result) if self.is_processing(press) => self.config_saved(result),
            Report::Purged(press, result) if self.is_processing(press) => self.config_purged(result),
            // The answer to a button that was given up is no news any more.
            Report::Loaded(..) | Report::Saved(..) | Report::Purged(..) => {}
            Report::Nicknamed(result) => self.nicknamed(result),
            Report::Recalled { id, text } => self.note_recalled(id, text),
        }
    }

    fn expired(&mut self, timer: Timer) {
        match timer {
            Timer::Countdown => self.count_down(),
            Timer::ExposureOverdue => self.exposure_overdue(),
            Timer::DeliveryOverdue => self.delivery_overdue(),
            Timer::CallOverdue => self.call_overdue(),
            Timer::Poll => self.poll(),
            Timer::PingOverdue => self.ping_overdue(),
            Timer::Reconnect => self.try_again(),
            Timer::MiddleOfExposure => self.middle_reached(),
            Timer::Silence => self.break_silence(),
            Timer::PartingOverdue => self.parting_overdue(),
            Timer::PulseNorthSouth => self.pulse_over(Axis::NorthSouth),
            Timer::PulseWestEast => self.pulse_over(Axis::WestEast),
            Timer::CameraCallOverdue => self.camera_call_overdue(),
            Timer::FileOverdue => self.file_overdue(),
            Timer::Health => self.tell_health(),
        }
    }
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Device").field("name", &self.name).field("link", &self.link).finish_non_exhaustive()
    }
}
