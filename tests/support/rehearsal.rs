//! A device with a scripted camera, delivery thread and clock, for tests that play scenes with it.
#![allow(dead_code, unreachable_pub, reason = "each test crate uses its part")]

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use indi_camera::camera::answer::Code;
use indi_camera::camera::call::{Call, Reply};
use indi_camera::camera::error::{CameraError, ErrorKind};
use indi_camera::camera::types::{
    Binning, CONTROL_VALUE, CameraStatus, Capabilities, Control, ControlKind, CoolingStatus, Event,
    ExposureId, ExposureStatus, Frame, FrameInfo, Moment, Pixels, Range, Roi, Value,
};
use indi_camera::device::job::{
    ClientCopy, DeliveryError, Document, Encoding, Kept, SpoolEntry, SpoolState, Took,
};
use indi_camera::device::{Device, Epoch, Input, Job, Report, Setup};
use indi_camera::image::header::{Card, CardValue};
use indi_camera::property::load;
use indi_camera::wire::{
    Elements, Kind, Message, New, News, Payload, Request, Snooped, State, Update, Values,
};
use ndarray::Array3;
use serde_json::Value as Json;

#[path = "setup.rs"]
mod setup;

use setup::{NAME, camera, capabilities, format};

const SETTINGS: &str = r#"<INDIDriver>
<defNumberVector device="d" name="SIMULATOR_SENSOR" label="Sensor" group="Simulator" state="Idle" perm="rw" timeout="0">
<defNumber name="WIDTH" label="Width" format="%.f" min="1" max="10000" step="1">1280</defNumber>
<defNumber name="HEIGHT" label="Height" format="%.f" min="1" max="10000" step="1">1024</defNumber>
</defNumberVector></INDIDriver>"#;

/// Told to clients whenever something has changed, and heard only by scenes that are about it.
const HEALTH: [&str; 4] = ["CAMERA_HEALTH", "CAMERA_COUNTS", "CAMERA_LATENCY", "CCD_EXPOSURE_DEADLINE"];
/// A frame that the delivery thread has.
struct Delivering {
    id: ExposureId,
    client: bool,
    file: bool,
    encoding: Encoding,
    keep: bool,
}

/// A device and its scripted world.
pub struct Rehearsal {
    pub device: Device,
    now: Moment,
    epoch: Epoch,
    heard: Vec<String>,
    /// Every message since the last [`take_messages`](Rehearsal::take_messages).
    messages: Vec<Message>,
    silent: bool,
    /// What a silent camera was asked last.
    unanswered: Option<Call>,
    failing: Vec<(String, ErrorKind, String)>,
    exposure: Option<ExposureId>,
    delivering: VecDeque<Delivering>,
    cards: Vec<Card>,
    watching: bool,
    /// What clients are told of the vectors of health.xml counts as heard.
    health: bool,
    exposing: ExposureStatus,
    saved: Document,
    pings: Vec<String>,
    temperature: f64,
    power: f64,
    cooling: CoolingStatus,
    gain: i32,
    offset: i32,
    /// SIMULATOR_SENSOR as the camera has it.
    sensor: [(&'static str, f64); 2],
    can: Capabilities,
    disk_fails: bool,
    /// What is in the journal of the spool.
    spool: SpoolState,
    disk_silent: bool,
    /// The delivery thread hangs in the next job that it gets.
    disk_hangs: bool,
    /// The job in which it hangs, and those behind it.
    stuck: VecDeque<Job>,
    /// Jobs in which threads hang that were given up.
    hung: VecDeque<Job>,
    format: Value,
    /// Whether the exposure that was asked last is in a format of 8 bits.
    bytes: bool,
    formats: Vec<String>,
    /// The values of the camera's own settings.
    own: Vec<(String, Value)>,
    /// RESULT of the last CAMERA_REPLY.
    result: Json,
}

impl Rehearsal {
    /// One whose camera is connected.
    pub fn connected() -> Self {
        let mut rehearsal = Rehearsal::new();
        rehearsal.act("connected").unwrap();
        rehearsal
    }

    pub fn new() -> Self {
        let now = Moment { elapsed: Duration::ZERO, utc: SystemTime::UNIX_EPOCH };
        let mut rehearsal = Rehearsal {
            device: Device::new(setup(Vec::new()), now),
            now,
            epoch: Epoch::default(),
            heard: Vec::new(),
            messages: Vec::new(),
            silent: false,
            unanswered: None,
            failing: Vec::new(),
            exposure: None,
            delivering: VecDeque::new(),
            cards: Vec::new(),
            watching: false,
            health: false,
            exposing: ExposureStatus::Idle,
            saved: Vec::new(),
            pings: Vec::new(),
            temperature: 20.0,
            power: 0.0,
            cooling: CoolingStatus { on: false, target: None },
            gain: 100,
            offset: 10,
            sensor: [("WIDTH", 1280.0), ("HEIGHT", 1024.0)],
            can: capabilities(),
            disk_fails: false,
            spool: SpoolState::default(),
            disk_silent: false,
            disk_hangs: false,
            stuck: VecDeque::new(),
            hung: VecDeque::new(),
            format: Value::Text("INDI_MONO_16".to_owned()),
            bytes: false,
            formats: vec!["INDI_MONO_16".to_owned(), "INDI_MONO_8".to_owned()],
            own: Vec::new(),
            result: Json::Null,
        };
        rehearsal.drain();
        rehearsal
    }

    /// What was said and asked since the last time.
    pub fn take_heard(&mut self) -> Vec<String> {
        std::mem::take(&mut self.heard)
    }

    /// The same messages as data.
    pub fn take_messages(&mut self) -> Vec<Message> {
        std::mem::take(&mut self.messages)
    }

    /// A client's write.
    pub fn write(&mut self, new: New) {
        self.input(Input::Request(Request::New(new)));
    }

    /// Carries out one line of a scene that is not an expectation.
    pub fn act(&mut self, line: &str) -> Result<(), String> {
        if let Some(call) = line.strip_prefix("call ") {
            let (name, params) = call.split_once(' ').unwrap_or((call, ""));
            let elements = [("NAME", name), ("PARAMS", params)];
            let elements = elements.map(|(element, text)| (element.to_owned(), text.to_owned())).into();
            let (device, name) = (Some(NAME.to_owned()), "CAMERA_CALL".to_owned());
            self.write(New { device, name, kind: Kind::Text, elements });
            return Ok(());
        }
        let words = words(line);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["t", seconds] => self.pass_until(number(seconds)?),
            [">", "getProperties", name @ ..] => {
                let name = name.first().map(|name| (*name).to_owned());
                self.input(Input::Request(Request::GetProperties { device: Some(NAME.to_owned()), name }));
            }
            [">", kind, name, elements @ ..] => {
                let kind = match *kind {
                    "newNumberVector" => Kind::Number,
                    "newSwitchVector" => Kind::Switch,
                    "newTextVector" => Kind::Text,
                    "newBLOBVector" => Kind::Blob,
                    other => return Err(format!("no such element: {other}")),
                };
                let (device, name) = (Some(NAME.to_owned()), (*name).to_owned());
                let new = New { device, name, kind, elements: pairs(elements) };
                self.input(Input::Request(Request::New(new)));
            }
            ["result", wanted @ ..] => {
                for (pointer, want) in pairs(wanted) {
                    let is = self.result.pointer(&pointer).map_or("-".to_owned(), |value| match value {
                        Json::String(text) => text.clone(),
                        other => other.to_string(),
                    });
                    if is != want {
                        return Err(format!("{pointer} is {is}, not {want}, in {}", self.result));
                    }
                }
            }
            ["watching"] => self.watching = true,
            ["health"] => self.health = true,
            ["snooped", device, name, state, elements @ ..] => {
                let news = News::Values { state: Some(vector_state(state)?), elements: pairs(elements) };
                let (device, name) = ((*device).to_owned(), Some((*name).to_owned()));
                self.input(Input::Request(Request::Snooped(Snooped { device, name, news })));
            }
            ["deleted", device, name @ ..] => {
                let (device, name) = ((*device).to_owned(), name.first().map(|name| (*name).to_owned()));
                self.input(Input::Request(Request::Snooped(Snooped { device, name, news: News::Deleted })));
            }
            ["cards", wanted @ ..] => {
                for (keyword, want) in pairs(wanted) {
                    let is = shown(&self.cards, &keyword);
                    let close = number(&is).and_then(|is| Ok((is - number(&want)?).abs() < 1e-4));
                    if is != want && close != Ok(true) {
                        return Err(format!("{keyword} is {is}, not {want}"));
                    }
                }
            }
            ["saved", name, elements @ ..] => {
                let saved = self.saved.iter().find(|new| new.name == *name).map(|new| &new.elements);
                let wanted = pairs(elements);
                if saved.map_or(&[][..], Vec::as_slice) != wanted {
                    return Err(format!("saved is {saved:?}"));
                }
            }
            ["camera", "silent"] => self.silent = true,
            ["camera", "answers"] => self.silent = false,
            ["camera", "answers", "at", "last"] => {
                self.silent = false;
                let call = self.unanswered.take().ok_or("nothing waits for the camera's answer")?;
                let event = Event::Reply(self.answer(&call));
                self.input(Input::Camera(self.epoch, event));
            }
            ["camera", "fails", call, kind, text @ ..] => {
                self.failing.push(((*call).to_owned(), error_kind(kind)?, text.join(" ")));
            }
            ["camera", "formats", names @ ..] => {
                self.formats = names.iter().map(|name| (*name).to_owned()).collect();
                self.format = Value::Text(names.first().map(|name| (*name).to_owned()).unwrap_or_default());
            }
            ["camera", "started"] => {
                let event = Event::Started { id: self.exposure()?, at: self.now };
                self.input(Input::Camera(self.epoch, event));
            }
            ["camera", "reading"] => {
                let event = Event::Reading { id: self.exposure()? };
                self.input(Input::Camera(self.epoch, event));
            }
            ["camera", "frame"] => {
                let pixels = match self.bytes {
                    true => Pixels::U8(Array3::zeros((1, 1, 1))),
                    false => frame().pixels,
                };
                self.send_frame(Frame { pixels, ..frame() })?;
            }
            ["camera", "frame", "short"] => {
                let mut frame = frame();
                frame.info.roi.height = 2;
                self.send_frame(frame)?;
            }
            ["camera", "frame", "of", bits, "bit"] => {
                let pixels = match *bits {
                    "8" => Pixels::U8(Array3::zeros((1, 1, 1))),
                    "32" => Pixels::U32(Array3::zeros((1, 1, 1))),
                    _ => return Err(format!("no pixels of {bits} bit")),
                };
                self.send_frame(Frame { pixels, ..frame() })?;
            }
            ["camera", "frame", "at", degrees, "C"] => {
                let mut frame = frame();
                frame.info.temperature = Some(number(degrees)?);
                self.send_frame(frame)?;
            }
            ["camera", "failed", text @ ..] => {
                let error = CameraError::new(ErrorKind::Hardware, "get_exposure_status", text.join(" "));
                let event = Event::Failed { id: self.exposure()?, error };
                self.input(Input::Camera(self.epoch, event));
            }
            ["camera", "stops"] => {
                let what = "the camera stopped exposing";
                let error = CameraError::new(ErrorKind::NoFrame, "get_exposure_status", what);
                let event = Event::Failed { id: self.exposure()?, error };
                self.input(Input::Camera(self.epoch, event));
            }
            ["camera", "found"] => self.input(Input::Found(camera(NAME, "SN42"))),
            ["camera", "thread", of, "answers"] => {
                let epoch = Epoch(of.parse().map_err(|_error| format!("{of} is no thread"))?);
                self.input(Input::Camera(epoch, Event::Reply(Ok(Reply::Done))));
            }
            ["camera", degrees, "C", percent, "%"] => {
                (self.temperature, self.power) = (number(degrees)?, number(percent)?);
            }
            ["camera", "exposes", seconds] => {
                self.exposing = ExposureStatus::Exposing { left: Duration::from_secs_f64(number(seconds)?) };
            }
            ["camera", "cools", "to", degrees] => {
                self.cooling = CoolingStatus { on: true, target: Some(number(degrees)?) };
            }
            ["camera", "cools", "no", "more"] => self.cooling.on = false,
            ["camera", "has", "sensor", width, height] => {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "pixels")]
                let pixels = |text: &str| number(text).map(|pixels| pixels as u32);
                (self.can.sensor.width, self.can.sensor.height) = (pixels(width)?, pixels(height)?);
            }
            ["camera", "full-frames-only"] => self.can.subframe = false,
            ["camera", "has", "guide-port"] => self.can.guide_port = true,
            ["camera", "has", "control", name, min, max] => {
                let range = Range { min: number(min)?, max: number(max)?, step: 1.0 };
                let value = Value::Record(vec![(CONTROL_VALUE.to_owned(), Value::Number(range.min))]);
                self.add_control(name, ControlKind::Number(range), value);
            }
            ["camera", "has", "choice", name, choices @ ..] => {
                let choices: Vec<_> =
                    choices.iter().map(|name| ((*name).to_owned(), (*name).to_owned())).collect();
                let value = Value::Text(choices.first().map(|(name, _)| name.clone()).unwrap_or_default());
                self.add_control(name, ControlKind::Choice(choices), value);
            }
            ["camera", "asks", "for", "its", "scene"] => self.can.scene = true,
            ["camera", "has", "reading", name] => {
                let value = Value::Record(vec![(CONTROL_VALUE.to_owned(), Value::Number(0.0))]);
                self.add_control(name, ControlKind::Reading, value);
            }
            ["camera", "reads", name, value] => {
                let value = Value::Record(vec![(CONTROL_VALUE.to_owned(), Value::Number(number(value)?))]);
                self.own.iter_mut().filter(|(own, _)| own == name).for_each(|own| own.1 = value.clone());
            }
            ["camera", "has", "sdk", version] => self.can.sdk = Some((*version).to_owned()),
            ["disk", "fails"] => self.disk_fails = true,
            ["disk", "silent"] => self.disk_silent = true,
            ["disk", "hangs"] => self.disk_hangs = true,
            ["disk", "answers", "at", "last"] => {
                let hung = std::mem::take(&mut self.hung);
                for job in hung.into_iter().chain(std::mem::take(&mut self.stuck)) {
                    self.take_job(job);
                }
                self.drain();
            }
            ["only", word, ..] => {
                let line = line.splitn(3, ' ').last().unwrap_or_default();
                self.act(line)?;
                self.heard.retain(|heard| heard.starts_with("! ") || heard.contains(word));
            }
            ["restart"] => {
                self.device = Device::new(setup(self.saved.clone()), self.now);
                self.drain();
            }
            ["delivery", how] => self.deliver(how)?,
            ["ping"] => {
                for uid in std::mem::take(&mut self.pings) {
                    self.input(Input::Request(Request::PingReply { uid }));
                }
            }
            ["connected"] => {
                for line in ["> getProperties", "> newSwitchVector CONNECTION CONNECT=On"] {
                    self.act(line)?;
                }
                self.heard.clear();
            }
            ["reconnected"] => {
                for line in
                    ["> newSwitchVector CONNECTION DISCONNECT=On", "> newSwitchVector CONNECTION CONNECT=On"]
                {
                    self.act(line)?;
                }
                self.heard.clear();
            }
            ["exposed"] => {
                for line in
                    ["> newNumberVector CCD_EXPOSURE CCD_EXPOSURE_VALUE=1", "camera started", "camera frame"]
                {
                    self.act(line)?;
                }
                self.heard.clear();
            }
            ["shutdown"] => self.input(Input::Shutdown),
            _ => return Err(format!("cannot do {line:?}")),
        }
        Ok(())
    }

    fn add_control(&mut self, name: &str, kind: ControlKind, value: Value) {
        self.can.controls.push(Control { name: name.to_owned(), label: name.to_lowercase(), kind });
        self.own.push((name.to_owned(), value));
    }

    fn exposure(&self) -> Result<ExposureId, String> {
        self.exposure.ok_or_else(|| "the camera was not asked to expose".to_owned())
    }

    fn pass_until(&mut self, seconds: f64) {
        let end = Duration::from_secs_f64(seconds);
        assert!(end >= self.now.elapsed, "time only passes forwards");
        while let Some(deadline) = self.device.deadline().filter(|deadline| *deadline <= end) {
            self.set_clock(deadline.max(self.now.elapsed));
            self.input(Input::Deadline);
        }
        self.set_clock(end);
    }

    fn set_clock(&mut self, elapsed: Duration) {
        self.now = Moment { elapsed, utc: SystemTime::UNIX_EPOCH + elapsed };
    }

    fn input(&mut self, input: Input) {
        self.device.handle(self.now, input);
        self.drain();
    }

    fn drain(&mut self) {
        loop {
            let mut quiet = true;
            while let Some((epoch, call)) = self.device.poll_call() {
                quiet = false;
                self.epoch = epoch;
                if !matches!(call, Call::Polling) {
                    self.heard.push(format!("! {}", show_call(&call)));
                }
                if let Call::StartExposure(request) = &call {
                    self.exposure = Some(request.id);
                    self.bytes = matches!(&self.format, Value::Text(name) if name.ends_with('8'));
                }
                if self.silent {
                    self.unanswered = Some(call);
                } else {
                    let event = Event::Reply(self.answer(&call));
                    self.device.handle(self.now, Input::Camera(epoch, event));
                }
            }
            while let Some(job) = self.device.poll_job() {
                quiet = false;
                match job {
                    Job::Replace => {
                        self.heard.push("! another delivery thread".to_owned());
                        self.hung.extend(self.stuck.pop_front());
                        for job in std::mem::take(&mut self.stuck) {
                            self.take_job(job);
                        }
                    }
                    _ if self.disk_silent => {}
                    job if self.disk_hangs || !self.stuck.is_empty() => {
                        if let (Job::Deliver(delivery), true) = (&job, self.stuck.is_empty()) {
                            let (id, is_stored) = (delivery.id, delivery.file.is_some() || delivery.keep);
                            self.device.handle(self.now, Input::Delivery(Report::Begun { id }));
                            if is_stored && delivery.client {
                                let blob = copy(delivery.encoding);
                                self.device.handle(self.now, Input::Delivery(Report::Encoded { id, blob }));
                            }
                        }
                        self.disk_hangs = false;
                        self.stuck.push_back(job);
                    }
                    job => self.take_job(job),
                }
            }
            while let Some(line) = self.device.poll_log_line() {
                self.heard.push(format!("* {line}"));
            }
            while let Some(message) = self.device.poll_message() {
                quiet = false;
                if let Message::PingRequest { uid } = &message {
                    self.pings.push(uid.clone());
                }
                if let Message::Set(Update { name, values: Values::Text(texts), .. }) = &message
                    && name == "CAMERA_REPLY"
                {
                    self.result = serde_json::from_str(&texts[2].1).unwrap_or_default();
                }
                let of_health =
                    matches!(&message, Message::Set(update) if HEALTH.contains(&update.name.as_str()));
                if (self.watching || !matches!(message, Message::Snoop { .. })) && (self.health || !of_health)
                {
                    self.heard.push(format!("< {}", show_message(&message)));
                }
                self.messages.push(message);
            }
            if quiet {
                return;
            }
        }
    }

    /// The delivery thread does a job.
    fn take_job(&mut self, job: Job) {
        match job {
            Job::Deliver(delivery) => {
                if !delivery.cancel.is_cancelled() {
                    self.cards.clone_from(&delivery.cards);
                    let begun = Report::Begun { id: delivery.id };
                    self.device.handle(self.now, Input::Delivery(begun));
                    self.delivering.push_back(Delivering {
                        id: delivery.id,
                        client: delivery.client,
                        file: delivery.file.is_some(),
                        encoding: delivery.encoding,
                        keep: delivery.keep,
                    });
                }
            }
            Job::SaveConfig(press, document) => {
                self.saved = document;
                self.device.handle(self.now, Input::Delivery(Report::Saved(press, Ok(()))))
            }
            Job::LoadConfig(press, _) => {
                let saved = Some(self.saved.clone()).filter(|saved| !saved.is_empty());
                self.device.handle(self.now, Input::Delivery(Report::Loaded(press, Ok(saved))))
            }
            Job::PurgeConfig(press) => {
                let was_there = !std::mem::take(&mut self.saved).is_empty();
                self.device.handle(self.now, Input::Delivery(Report::Purged(press, Ok(was_there))))
            }
            Job::Nickname { serial, nickname } => {
                self.heard.push(format!("! nickname {serial} {nickname:?}"));
                let stored = match std::mem::take(&mut self.disk_fails) {
                    true => Err(DeliveryError::DiskFull { path: PathBuf::from("/home") }),
                    false => Ok(nickname),
                };
                self.device.handle(self.now, Input::Delivery(Report::Nicknamed(stored)));
            }
            Job::Recall { id, path } => {
                let text = match std::mem::take(&mut self.disk_fails) {
                    true => Err(DeliveryError::Permission { path: path.unwrap_or_default() }),
                    false => Ok(Some("AQID".to_owned())),
                };
                self.device.handle(self.now, Input::Delivery(Report::Recalled { id, text }));
            }
            Job::Discard { frame } => self.heard.push(format!("! discard {frame}")),
            Job::CheckRoom { id, .. } => {
                if std::mem::take(&mut self.disk_fails) {
                    let error = DeliveryError::DiskFull { path: PathBuf::from("/pictures") };
                    self.device.handle(self.now, Input::Delivery(Report::NoRoom { id, error }));
                }
            }
            Job::TendSpool { limits, .. } => {
                let (bytes, days) = (limits.bytes, limits.age.as_secs() / 86_400);
                self.heard.push(format!("! tend_spool {bytes} bytes {days} days"));
                self.tell_spool();
            }
            Job::Acknowledge(frames) => {
                self.heard.push(format!("! acknowledge {}", frames.join(" ")));
                self.spool.waiting.retain(|frame| !frames.contains(frame));
                self.tell_spool();
            }
            Job::Resend(frame) => {
                self.heard.push(format!("! resend {frame}"));
                let blob = match self.spool.waiting.contains(&frame) {
                    true => Ok((Payload::Inline(vec![1, 2, 3].into()), ".fits")),
                    false => Err(DeliveryError::NoFrame(frame.clone())),
                };
                self.device.handle(self.now, Input::Delivery(Report::Resent { frame, blob }));
            }
            Job::DropFrame(frame) => {
                self.heard.push(format!("! drop_frame {frame}"));
                let was = self.spool.waiting.len();
                self.spool.waiting.retain(|waiting| *waiting != frame);
                let known = self.spool.waiting.len() < was;
                self.spool.frames -= u64::from(known);
                let spool = match known {
                    true => Ok(self.spool.clone()),
                    false => Err(DeliveryError::NoFrame(frame.clone())),
                };
                self.device.handle(self.now, Input::Delivery(Report::Dropped { frame, spool }));
            }
            Job::ListSpool => {
                let entry = |name: &String| SpoolEntry {
                    name: name.clone(),
                    at: "1970-01-01T00:00:00.000Z".to_owned(),
                    bytes: 3,
                    sha256: "aa".repeat(32),
                    path: PathBuf::from(format!("/spool/{name}.fits")),
                    saved: false,
                    acknowledged: false,
                };
                let frames = match std::mem::take(&mut self.disk_fails) {
                    true => Err(DeliveryError::Permission { path: PathBuf::from("/spool") }),
                    false => Ok(self.spool.waiting.iter().map(entry).collect()),
                };
                self.device.handle(self.now, Input::Delivery(Report::Listed(frames)));
            }
            Job::Reserve { .. } | Job::Replace => {}
        }
    }

    fn send_frame(&mut self, frame: Frame) -> Result<(), String> {
        let event = Event::Frame { id: self.exposure()?, frame };
        self.input(Input::Camera(self.epoch, event));
        Ok(())
    }

    fn tell_spool(&mut self) {
        let spool = match std::mem::take(&mut self.disk_fails) {
            true => Err(DeliveryError::Permission { path: PathBuf::from("/spool") }),
            false => Ok(self.spool.clone()),
        };
        self.device.handle(self.now, Input::Delivery(Report::Spool(spool)));
    }

    /// The journal of the spool, with this frame, which is 1 MB.
    fn keep(&mut self, id: ExposureId, waits: bool) -> Kept {
        self.spool.frames += 1;
        self.spool.bytes += 1_000_000;
        let name = format!("19700101T000000000-1a2b-0-{}", id.0);
        self.spool.waiting.extend(waits.then_some(name));
        Kept { sha256: "aa".repeat(32), spool: self.spool.clone() }
    }

    fn deliver(&mut self, how: &str) -> Result<(), String> {
        let Delivering { id, client, file, encoding, keep } =
            self.delivering.pop_front().ok_or("nothing is to be delivered")?;
        let kept = keep.then(|| match how {
            "no-journal" | "nowhere" => Err(DeliveryError::Permission { path: PathBuf::from("/spool") }),
            "no-file" => Ok(self.keep(id, true)),
            "ok" | "constant" | "no-blob" => Ok(self.keep(id, client || !file)),
            other => panic!("no way to deliver {other}"),
        });
        let failed = || DeliveryError::DiskFull { path: PathBuf::from("/pictures") };
        let file = file.then(|| match how {
            "no-file" | "nowhere" => Err(failed()),
            _ => Ok(PathBuf::from("/pictures/IMAGE_001.fits")),
        });
        let mut blob = client.then(|| match how {
            "no-blob" => Err(DeliveryError::Memory("out of memory".to_owned())),
            _ => Ok(copy(encoding)),
        });
        let is_stored = file.is_some() || keep;
        if is_stored && let Some(Ok(blob)) = blob.take_if(|blob| blob.is_ok()) {
            self.input(Input::Delivery(Report::Encoded { id, blob }));
        }
        let constant = (how == "constant").then_some(0);
        let took = Took {
            encode: Some(Duration::from_millis(12)),
            write: file.is_some().then_some(Duration::from_millis(34)),
        };
        self.input(Input::Delivery(Report::Delivered { id, bytes: 3, blob, file, constant, kept, took }));
        Ok(())
    }

    fn answer(&mut self, call: &Call) -> Result<Reply, CameraError> {
        if let Some(at) = self.failing.iter().position(|(name, ..)| name == call.name()) {
            let (_, kind, detail) = self.failing.remove(at);
            return Err(CameraError::new(kind, "camera", detail));
        }
        Ok(match call {
            Call::Connect(_) | Call::Reconnect(_) => {
                let formats = self.formats.iter().map(|name| format(name)).collect();
                Reply::Connected(Box::new(Capabilities { formats, ..self.can.clone() }))
            }
            Call::Polling => Reply::Polled(CameraStatus {
                exposure: self.exposing,
                cooling: Some(self.cooling),
                temperature: Some(self.temperature),
                power: Some(self.power),
            }),
            Call::AbortExposure => {
                self.exposing = ExposureStatus::Idle;
                Reply::Done
            }
            Call::CoolingTo(target) => {
                self.cooling = CoolingStatus { on: true, target: Some(*target) };
                Reply::Done
            }
            Call::Cooling(on) => {
                self.cooling.on = *on;
                Reply::Done
            }
            Call::Scanning => Reply::Cameras(vec![camera(NAME, "SN42"), camera("Other", "SN7")]),
            Call::GetCameraRoi => Reply::Roi(Roi { x: 0, y: 0, width: 1280, height: 1024 }),
            Call::GetBinning => Reply::Binning(Binning::NONE),
            Call::SetCameraRoi(roi) => Reply::Roi(*roi),
            Call::SetBinning(binning) => Reply::Binning(*binning),
            Call::Vendor { name, .. } if name == "read_humidity" => {
                Reply::Value(Value::Record(vec![("humidity".to_owned(), Value::Number(41.5))]))
            }
            Call::SetGain(gain) => {
                self.gain = *gain;
                Reply::Gain(*gain)
            }
            Call::SetOffset(offset) => {
                self.offset = *offset;
                Reply::Offset(*offset)
            }
            Call::GetGain => Reply::Gain(self.gain),
            Call::GetOffset => Reply::Offset(self.offset),
            Call::GetParameter(name) if name == "format" => Reply::Value(self.format.clone()),
            Call::SetParameter(name, value) if name == "format" => {
                self.format = value.clone();
                Reply::Value(value.clone())
            }
            Call::SetParameter(name, value) if name == "scene" => Reply::Value(value.clone()),
            Call::GetParameter(name) => {
                let own = self.own.iter().find(|(own, _)| own == name);
                Reply::Value(own.unwrap_or_else(|| panic!("no setting {name}")).1.clone())
            }
            Call::SetParameter(name, value) if self.own.iter().any(|(own, _)| own == name) => {
                self.own.iter_mut().filter(|(own, _)| own == name).for_each(|own| own.1 = value.clone());
                Reply::Value(value.clone())
            }
            Call::SetParameter(_, value) => {
                let Value::Record(fields) = value else { panic!("{value:?} is no record") };
                for (name, value) in fields {
                    let (Some(known), Value::Number(value)) =
                        (self.sensor.iter_mut().find(|(known, _)| known == name), value)
                    else {
                        panic!("{name} cannot be {value:?}")
                    };
                    known.1 = *value;
                }
                let fields = self.sensor.map(|(name, value)| (name.to_owned(), Value::Number(value)));
                Reply::Value(Value::Record(fields.into()))
            }
            _ => Reply::Done,
        })
    }
}

fn setup(saved: Document) -> Setup {
    Setup { settings: load::load("test", SETTINGS).unwrap(), ..setup::with(saved) }
}

/// The client's copy of a frame.
fn copy(encoding: Encoding) -> ClientCopy {
    (Payload::Inline(vec![1, 2, 3].into()), suffix(encoding))
}

/// The BLOB format by which a scene tells the encodings apart.
fn suffix(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Fits => ".fits",
        Encoding::FitsRice => ".fits.fz",
        Encoding::Native => ".bin",
        Encoding::NativeZlib => ".bin.z",
        Encoding::Xisf { compressed: false } => ".xisf",
        Encoding::Xisf { compressed: true } => ".xisf.compressed",
    }
}

fn frame() -> Frame {
    let roi = Roi { x: 0, y: 0, width: 1, height: 1 };
    let info = FrameInfo::new(SystemTime::UNIX_EPOCH, Duration::ZERO, roi);
    Frame { pixels: Pixels::U16(Array3::zeros((1, 1, 1))), info }
}

fn show_call(call: &Call) -> String {
    match call {
        Call::StartExposure(request) => {
            format!("start_exposure {} {:?}", request.duration.as_secs_f64(), request.frame_type)
        }
        Call::SetCameraRoi(roi) => format!("set_camera_roi {} {} {} {}", roi.x, roi.y, roi.width, roi.height),
        Call::SetBinning(binning) => format!("set_binning {} {}", binning.x, binning.y),
        Call::SetGain(value) | Call::SetOffset(value) => format!("{} {value}", call.name()),
        Call::CoolingTo(value) => format!("cooling_to {value}"),
        Call::Cooling(on) => format!("cooling {on}"),
        Call::Vendor { name, params } => params.iter().fold(name.clone(), |line, (_, value)| match value {
            Value::Text(text) => format!("{line} {text}"),
            Value::Number(number) => format!("{line} {number}"),
            _ => line,
        }),
        Call::SetParameter(name, Value::Record(fields)) => {
            let show = |(name, value): &(String, Value)| match value {
                Value::Number(value) => format!(" {name}={value}"),
                other => format!(" {name}={other:?}"),
            };
            format!("set_parameter {name}{}", fields.iter().map(show).collect::<String>())
        }
        Call::SetParameter(name, Value::Text(text)) => format!("set_parameter {name} {text}"),
        _ => call.name().to_owned(),
    }
}

fn show_message(message: &Message) -> String {
    let join = |list: Vec<String>| list.iter().map(|item| format!(" {item}")).collect::<String>();
    match message {
        Message::Define(definition) => {
            let kind = match &definition.elements {
                Elements::Text(_) => "Text",
                Elements::Number(_) => "Number",
                Elements::Switch(..) => "Switch",
                Elements::Light(_) => "Light",
                Elements::Blob(_) => "BLOB",
            };
            format!("def{kind}Vector {} {:?}", definition.name, definition.state)
        }
        Message::Set(update) => {
            let (kind, values) = match &update.values {
                Values::Text(list) => {
                    ("Text", join(list.iter().map(|(n, v)| format!("{n}={}", short(v))).collect()))
                }
                Values::Number(list) => {
                    ("Number", join(list.iter().map(|(n, v, _)| format!("{n}={v}")).collect()))
                }
                Values::Switch(list) => {
                    let on = |on: bool| if on { "On" } else { "Off" };
                    ("Switch", join(list.iter().map(|(n, v)| format!("{n}={}", on(*v))).collect()))
                }
                Values::Light(list) => {
                    ("Light", join(list.iter().map(|(n, v)| format!("{n}={v:?}")).collect()))
                }
            };
            format!("set{kind}Vector {} {:?}{values}", update.name, update.state)
        }
        Message::SetBlob(blob) => format!("setBLOBVector {} {:?} {}", blob.name, blob.state, blob.format),
        Message::Delete { name, .. } => format!("delProperty {}", name.as_deref().unwrap_or("*")),
        Message::Say { text, .. } => format!("message {text}"),
        Message::Snoop { device, name } => {
            format!("getProperties {device} {}", name.as_deref().unwrap_or("*"))
        }
        Message::PingRequest { .. } => "pingRequest".to_owned(),
        Message::PingReply { uid } => format!("pingReply {uid}"),
    }
}

/// A text as a scene shows it: what is longer is looked at by `result`.
fn short(text: &str) -> &str {
    if text.len() > 300 { "..." } else { text }
}

/// `NAME=value` each.
fn pairs(words: &[&str]) -> Vec<(String, String)> {
    let pairs = words.iter().filter_map(|word| word.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The value that a reader of this header finds; `-` when there is none.
fn shown(cards: &[Card], keyword: &str) -> String {
    let card = cards.iter().rev().find(|card| card.keyword == keyword);
    match card.map(|card| (&card.value, &card.comment)) {
        Some((Some(CardValue::Text(text)), _)) => text.clone(),
        Some((Some(CardValue::Integer(n)), _)) => n.to_string(),
        Some((Some(CardValue::Real(x)), _)) => format!("{x:?}"),
        Some((Some(CardValue::Logical(on)), _)) => on.to_string(),
        Some((None, comment)) => comment.clone(),
        None => "-".to_owned(),
    }
}

fn vector_state(word: &str) -> Result<State, String> {
    let states = [State::Idle, State::Ok, State::Busy, State::Alert];
    states.into_iter().find(|state| format!("{state:?}") == word).ok_or_else(|| format!("no state {word}"))
}

/// Words separated by blanks; double quotes keep blanks together.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn number(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_error| format!("{text} is no number"))
}

fn error_kind(word: &str) -> Result<ErrorKind, String> {
    let mut kinds = Code::ALL.into_iter().filter_map(Code::kind);
    kinds.find(|kind| kind.code() == word).ok_or_else(|| format!("no error {word}"))
}
