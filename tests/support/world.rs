//! A device in a world that does whatever it likes: clients, camera, disk and server act in any order, late, twice or
//! never, on a virtual clock. Whoever listens checks each message against what was said before.
//!
//! A scene is a list of [`Step`]s, two bytes each, so that proptest can shrink it and a fuzzer can make one up.
#![allow(dead_code, unreachable_pub, reason = "each test crate uses its part")]

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use indi_camera::camera::call::{Call, Reply};
use indi_camera::camera::error::{CameraError, ErrorKind};
use indi_camera::camera::types::{
    Binning, CameraStatus, Capabilities, CoolingStatus, Event, ExposureId, ExposureStatus, Frame, FrameInfo,
    Moment, Pixels, Roi, Value,
};
use indi_camera::device::job::{ClientCopy, DeliveryError, Document, Kept, Press, SpoolState, Took};
use indi_camera::device::{Device, Epoch, Input, Job, Level, Report};
use indi_camera::wire::{Kind, New, News, Payload, Request, Snooped, State, parse};
use ndarray::Array3;

#[path = "world/listener.rs"]
pub mod listener;
#[path = "setup.rs"]
mod setup;
#[path = "world/steps.rs"]
pub mod steps;

use listener::{Listener, SENT_AGAIN};
pub use setup::NAME;
pub use steps::Step;
use steps::{Act, CALLS, SNOOPED, WRITES};

/// Deadlines that may fire at one moment. More, and the device would never sleep.
const MOST_AT_ONCE: usize = 200;
/// Calls that a camera answers in one go.
const AT_ONCE: usize = 6;
/// Longer than everything that may take its time: the longest exposure of a scene, its allowances, a warm-up.
const EVERYTHING: Duration = Duration::from_secs(3 * 3600);

/// A frame with the delivery thread.
struct Parcel {
    id: ExposureId,
    client: bool,
    file: bool,
    keep: bool,
    begun: bool,
    /// The client's copy has been handed over.
    told: bool,
}

/// A client's copy that says of which exposure it is, so that the listener can tell.
fn copy_of(id: ExposureId) -> ClientCopy {
    (Payload::Inline(id.0.to_le_bytes().to_vec().into()), ".fits")
}

/// What a disk has been asked for.
enum Errand {
    Save(Press, Document),
    Load(Press),
    Purge(Press),
    Nickname(String),
    Recall(ExposureId),
    Room(ExposureId),
    Spool,
    Resend(String),
    Drop(String),
    List,
}

/// The device and everybody around it.
pub struct World {
    pub device: Device,
    pub listener: Listener,
    can: Capabilities,
    now: Duration,
    /// Calls that camera threads have, the newest last; those of older epochs may still be answered.
    asked: VecDeque<(Epoch, Call)>,
    /// Exposures that a camera may tell something of.
    exposing: Vec<(Epoch, ExposureId)>,
    /// Exposures of a willing camera, and when they are over.
    shutters: VecDeque<(Duration, Epoch, ExposureId)>,
    parcels: VecDeque<Parcel>,
    errands: VecDeque<Errand>,
    /// What threads hang in that were given up, and what the present one hangs in if it does.
    hung: VecDeque<Errand>,
    hangs: bool,
    saved: Document,
    cooling: CoolingStatus,
    temperature: f64,
    /// The camera answers at once whatever it is asked, and takes pictures.
    willing: bool,
    /// Nobody reads what the device says.
    stalled: bool,
}

impl World {
    /// A device of which one client has asked everything. The camera's abilities depend on `kind`.
    pub fn new(kind: u8) -> World {
        let now = Moment { elapsed: Duration::ZERO, utc: SystemTime::UNIX_EPOCH };
        let mut world = World {
            device: Device::new(setup::with(Vec::new()), now),
            listener: Listener::default(),
            can: capabilities(kind),
            now: Duration::ZERO,
            asked: VecDeque::new(),
            exposing: Vec::new(),
            shutters: VecDeque::new(),
            parcels: VecDeque::new(),
            errands: VecDeque::new(),
            hung: VecDeque::new(),
            hangs: false,
            saved: Vec::new(),
            cooling: CoolingStatus { on: false, target: None },
            temperature: 20.0,
            willing: false,
            stalled: false,
        };
        world.ask(None);
        world
    }

    /// Plays a whole scene, lets all the time pass that anything may take, and looks at what is left.
    pub fn play(kind: u8, steps: &[Step]) {
        let mut world = World::new(kind);
        for step in steps {
            world.act(step.act());
        }
        // Half of the worlds end in silence, the others with everybody at work.
        world.willing = kind & 1 == 1;
        world.end();
    }

    /// Does one thing.
    pub fn act(&mut self, act: Act) {
        match act {
            Act::Write(at) => self.write(WRITES[at % WRITES.len()]),
            Act::Call(at) => self.call(CALLS[at % CALLS.len()]),
            Act::Ask(name) => self.ask(name),
            Act::Answer(how) => self.answer_as(how),
            Act::AnswerOne => self.answer_one(0),
            Act::Camera(news, which) => self.camera_tells(news, which),
            Act::Deliver(how) => self.deliver(how),
            Act::Disk(works) => self.disk(works),
            Act::Hang => {
                self.hung.extend(self.errands.pop_front());
                self.hangs = true;
            }
            Act::Acknowledge(all) => self.acknowledge(all),
            Act::Stall(on) => {
                self.stalled = on;
                self.drain();
            }
            Act::Willing(on) => {
                self.willing = on;
                self.drain();
            }
            Act::Pass(milliseconds) => self.pass(Duration::from_millis(milliseconds)),
            Act::Snooped(at) => self.snooped(SNOOPED[at % SNOOPED.len()]),
            Act::Log => self.input(Input::Log(Level::Debug, "a line".to_owned())),
            Act::Found => self.input(Input::Found(setup::camera(NAME, "SN42"))),
        }
    }

    /// Whatever a server may send, as its parser understands it.
    pub fn hear(&mut self, element: &[u8]) {
        if let Ok(Some(request)) = parse::request(element) {
            if let Request::GetProperties { device, name } = &request
                && device.as_ref().is_none_or(|device| device == NAME)
            {
                self.listener.asked(name.as_deref());
            }
            self.input(Input::Request(request));
        }
    }

    /// The end of the scene: everything that is Busy ends, and whoever asks now hears what others know already.
    pub fn end(&mut self) {
        self.stalled = false;
        self.write("Number POLLING_PERIOD PERIOD_MS=60000");
        self.pass(EVERYTHING);
        self.expect_nothing_busy();
        // What a disk says in the end is late, and begins nothing again.
        self.hangs = false;
        while !self.errands.is_empty() || !self.hung.is_empty() {
            self.disk(true);
        }
        while !self.parcels.is_empty() {
            self.deliver(0);
        }
        self.expect_nothing_busy();
        self.pass(EVERYTHING);
        self.expect_nothing_busy();
        let now = self.moment();
        self.listener.compare(|world_listener| {
            // A second client asks; what it is told is what the first one believes.
            self.device.handle(
                now,
                Input::Request(Request::GetProperties { device: Some(NAME.to_owned()), name: None }),
            );
            while let Some(message) = self.device.poll_message() {
                world_listener(message);
            }
        });
        self.input(Input::Shutdown);
        self.pass(Duration::from_secs(60));
        assert!(self.device.is_at_rest() || !self.asked.is_empty(), "the device does not come to rest");
    }

    fn expect_nothing_busy(&self) {
        let busy = self.listener.busy();
        assert!(busy.is_empty(), "Busy for ever: {busy:?}");
    }

    fn write(&mut self, line: &str) {
        let mut words = line.split(' ');
        let kind = match words.next() {
            Some("Number") => Kind::Number,
            Some("Switch") => Kind::Switch,
            Some("Text") => Kind::Text,
            _ => Kind::Blob,
        };
        let name = words.next().unwrap_or_default().to_owned();
        let pair = |word: &str| word.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        let elements = words.filter_map(pair).collect();
        self.request_change(New { device: Some(NAME.to_owned()), name, kind, elements });
    }

    fn call(&mut self, (name, params): (&str, &str)) {
        let elements = [("NAME", name), ("PARAMS", params)];
        let elements = elements.map(|(element, text)| (element.to_owned(), text.to_owned())).into();
        let (device, name) = (Some(NAME.to_owned()), "CAMERA_CALL".to_owned());
        self.request_change(New { device, name, kind: Kind::Text, elements });
    }

    fn request_change(&mut self, new: New) {
        let aborts = new.name == "CCD_ABORT_EXPOSURE"
            || new
                .elements
                .iter()
                .any(|(_, text)| ["abort_exposure", "stop_exposure"].contains(&text.as_str()));
        if aborts {
            self.listener.abort_asked();
        }
        let replaces = new.name == "CCD_EXPOSURE" && !self.stalled;
        let before = self.listener.begin_write();
        self.input(Input::Request(Request::New(new)));
        if replaces {
            self.listener.end_write(before);
        }
    }

    fn ask(&mut self, name: Option<&str>) {
        self.listener.asked(name);
        let name = name.map(str::to_owned);
        self.input(Input::Request(Request::GetProperties { device: Some(NAME.to_owned()), name }));
    }

    fn snooped(&mut self, (device, name, state, elements): (&str, &str, State, &[(&str, &str)])) {
        let elements = elements.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let news = News::Values { state: Some(state), elements };
        let (device, name) = (device.to_owned(), Some(name.to_owned()));
        self.input(Input::Request(Request::Snooped(Snooped { device, name, news })));
    }

    /// The camera thread that was asked first answers; 0 is what was wanted, and that several times.
    fn answer_as(&mut self, how: u8) {
        for _ in 0..if how == 0 { AT_ONCE } else { 1 } {
            self.answer_one(how);
        }
    }

    fn answer_one(&mut self, how: u8) {
        let Some((epoch, call)) = self.asked.pop_front() else { return };
        let result = match how {
            0 => self.answer(&call),
            1 => Ok(Reply::Done),
            2 => Ok(Reply::Temperature(f64::NAN)),
            how => Err(CameraError::new(kind_of_failure(how), "camera", "no luck")),
        };
        if let (Call::StartExposure(request), Ok(_)) = (&call, &result) {
            self.exposing.push((epoch, request.id));
        }
        self.input(Input::Camera(epoch, Event::Reply(result)));
    }

    fn camera_tells(&mut self, news: u8, which: u8) {
        let count = self.exposing.len();
        let Some((epoch, id)) = self.exposing.get(count.wrapping_sub(1 + usize::from(which))).copied() else {
            return;
        };
        let event = match news {
            0 => Event::Started { id, at: self.moment() },
            1 => Event::Reading { id },
            2 => Event::Frame { id, frame: frame(self.now, (1, 1, 1)) },
            3 => Event::Frame { id, frame: frame(self.now, (2, 3, 1)) },
            news => {
                Event::Failed { id, error: CameraError::new(kind_of_failure(news), "camera", "it broke") }
            }
        };
        self.input(Input::Camera(epoch, event));
    }

    /// The delivery thread is done with its oldest frame; it may have been dropped meanwhile.
    fn deliver(&mut self, how: u8) {
        if self.hangs && self.parcels.front().is_some_and(|parcel| !parcel.begun) {
            return;
        }
        let Some(Parcel { id, client, file, keep, begun, told }) = self.parcels.pop_front() else { return };
        if !begun {
            self.input(Input::Delivery(Report::Begun { id }));
        }
        let failed = || DeliveryError::DiskFull { path: PathBuf::from("/pictures") };
        let blob = (client && !told).then(|| if how & 1 == 0 { Ok(copy_of(id)) } else { Err(failed()) });
        let file = file.then(|| if how & 2 == 0 { Ok(PathBuf::from("/p/1.fits")) } else { Err(failed()) });
        let constant = (how & 4 != 0).then_some(0);
        let spool = SpoolState { frames: 1, bytes: 8, ..SpoolState::default() };
        let safe = || Kept { sha256: "0".repeat(64), spool };
        let kept = keep.then(|| if how & 2 == 0 { Ok(safe()) } else { Err(failed()) });
        let took = Took { encode: Some(Duration::from_millis(1)), write: None };
        self.input(Input::Delivery(Report::Delivered { id, bytes: 8, blob, file, constant, took, kept }));
    }

    fn disk(&mut self, works: bool) {
        // One that hangs may come back, and one that was given up may answer, late.
        let next = if std::mem::take(&mut self.hangs) { None } else { self.errands.pop_front() };
        let Some(errand) = next.or_else(|| self.hung.pop_front()) else { return };
        let broken = || DeliveryError::Permission { path: PathBuf::from("/home") };
        let report = match errand {
            Errand::Save(press, _) if !works => Report::Saved(press, Err(broken())),
            Errand::Save(press, document) => {
                self.saved = document;
                Report::Saved(press, Ok(()))
            }
            Errand::Load(press) if works => {
                Report::Loaded(press, Ok(Some(self.saved.clone()).filter(|saved| !saved.is_empty())))
            }
            Errand::Load(press) => Report::Loaded(press, Err(broken())),
            Errand::Purge(press) => Report::Purged(press, works.then_some(true).ok_or_else(broken)),
            Errand::Nickname(name) => Report::Nicknamed(works.then_some(name).ok_or_else(broken)),
            Errand::Recall(id) => {
                let text = works.then(|| Some("AQID".to_owned())).ok_or_else(broken);
                Report::Recalled { id, text }
            }
            // There is room: nothing is said of that.
            Errand::Room(_) if works => return,
            Errand::Room(id) => Report::NoRoom { id, error: broken() },
            Errand::Spool => Report::Spool(works.then(SpoolState::default).ok_or_else(broken)),
            Errand::Resend(frame) if works && frame == "known" => {
                Report::Resent { blob: Ok((Payload::Inline(SENT_AGAIN.to_vec().into()), ".fits")), frame }
            }
            Errand::Resend(frame) => {
                Report::Resent { blob: Err(DeliveryError::NoFrame(frame.clone())), frame }
            }
            Errand::Drop(frame) => {
                Report::Dropped { frame, spool: works.then(SpoolState::default).ok_or_else(broken) }
            }
            Errand::List => Report::Listed(works.then(Vec::new).ok_or_else(broken)),
        };
        self.input(Input::Delivery(report));
    }

    fn acknowledge(&mut self, all: bool) {
        let pings = self.listener.take_pings();
        let pings = if all { pings } else { vec!["SetBLOB/0/999999".to_owned()] };
        for uid in pings {
            self.input(Input::Request(Request::PingReply { uid }));
        }
    }

    /// Lets time pass; deadlines fire on their way.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        let mut at_once = 0;
        loop {
            let shutter = self.shutters.front().map(|(over, ..)| *over).filter(|_| self.willing);
            let deadline = self.device.deadline().filter(|deadline| *deadline <= end);
            if let Some(over) = shutter.filter(|over| *over <= deadline.unwrap_or(end)) {
                self.now = self.now.max(over);
                self.close_shutter();
                continue;
            }
            let Some(deadline) = deadline else { break };
            at_once = if deadline > self.now { 0 } else { at_once + 1 };
            assert!(at_once < MOST_AT_ONCE, "a deadline at {deadline:?} never ends at {:?}", self.now);
            self.now = self.now.max(deadline);
            self.input(Input::Deadline);
        }
        self.now = end;
    }

    /// The camera gives its picture, wanted or not.
    fn close_shutter(&mut self) {
        if let Some((_, epoch, id)) = self.shutters.pop_front() {
            self.input(Input::Camera(epoch, Event::Reading { id }));
            let frame = frame(self.now, (1, 1, 1));
            self.input(Input::Camera(epoch, Event::Frame { id, frame }));
        }
    }

    fn moment(&self) -> Moment {
        Moment { elapsed: self.now, utc: SystemTime::UNIX_EPOCH + self.now }
    }

    /// One input, and everything that follows from it at once.
    pub fn input(&mut self, input: Input) {
        let now = self.moment();
        self.device.handle(now, input);
        self.drain();
    }

    fn drain(&mut self) {
        loop {
            let mut quiet = true;
            while let Some((epoch, call)) = self.device.poll_call() {
                quiet = false;
                if let Call::StartExposure(request) = &call {
                    self.listener.exposure_asked(request.id.0);
                }
                // A thread that was given up has at most the call it hangs in.
                assert!(
                    self.asked.iter().all(|(older, _)| *older != epoch),
                    "{} is asked before the last call was answered",
                    call.name()
                );
                self.asked.push_back((epoch, call));
            }
            while let Some(job) = self.device.poll_job() {
                quiet = false;
                self.take_job(job);
            }
            while self.device.poll_log_line().is_some() {}
            while !self.stalled
                && let Some(message) = self.device.poll_message()
            {
                quiet = false;
                self.listener.hear(message);
            }
            if !self.stalled && !self.device.has_message() {
                self.listener.caught_up();
            }
            if self.willing {
                quiet &= !self.oblige();
            }
            if quiet {
                return;
            }
        }
    }

    /// Everybody does what is expected; says whether there was anything to do.
    fn oblige(&mut self) -> bool {
        let now = self.moment();
        if let Some((epoch, call)) = self.asked.pop_front() {
            let result = self.answer(&call);
            self.device.handle(now, Input::Camera(epoch, Event::Reply(result)));
            if let Call::StartExposure(request) = call {
                let id = request.id;
                self.device.handle(now, Input::Camera(epoch, Event::Started { id, at: now }));
                self.shutters.push_back((self.now + request.duration, epoch, id));
            }
        } else if self.parcels.front().is_some_and(|parcel| parcel.begun || !self.hangs) {
            self.willing = false;
            self.deliver(0);
            self.willing = true;
        } else if !self.hangs && !self.errands.is_empty() {
            self.willing = false;
            self.disk(true);
            self.willing = true;
        } else {
            let pings = self.listener.take_pings();
            for uid in &pings {
                self.device.handle(now, Input::Request(Request::PingReply { uid: uid.clone() }));
            }
            return !pings.is_empty();
        }
        true
    }

    fn take_job(&mut self, job: Job) {
        match job {
            Job::Deliver(delivery) => {
                if !delivery.cancel.is_cancelled() {
                    let (client, file) = (delivery.client, delivery.file.is_some());
                    let (id, keep, begun) = (delivery.id, delivery.keep, !self.hangs);
                    let told = begun && client && (file || keep);
                    self.parcels.push_back(Parcel { id, client, file, keep, begun, told });
                    if begun {
                        self.device.handle(self.moment(), Input::Delivery(Report::Begun { id }));
                    }
                    if told {
                        let blob = copy_of(id);
                        self.device.handle(self.moment(), Input::Delivery(Report::Encoded { id, blob }));
                    }
                }
            }
            Job::SaveConfig(press, document) => self.errands.push_back(Errand::Save(press, document)),
            Job::LoadConfig(press, _) => self.errands.push_back(Errand::Load(press)),
            Job::PurgeConfig(press) => self.errands.push_back(Errand::Purge(press)),
            Job::Nickname { nickname, .. } => self.errands.push_back(Errand::Nickname(nickname)),
            Job::Recall { id, .. } => self.errands.push_back(Errand::Recall(id)),
            Job::CheckRoom { id, .. } => self.errands.push_back(Errand::Room(id)),
            Job::TendSpool { .. } | Job::Acknowledge(_) => self.errands.push_back(Errand::Spool),
            Job::Resend(frame) => self.errands.push_back(Errand::Resend(frame)),
            Job::DropFrame(frame) => self.errands.push_back(Errand::Drop(frame)),
            Job::ListSpool => self.errands.push_back(Errand::List),
            Job::Replace => self.hangs = false,
            Job::Reserve { .. } | Job::Discard { .. } => {}
        }
    }

    /// What a camera that works says.
    fn answer(&mut self, call: &Call) -> Result<Reply, CameraError> {
        Ok(match call {
            Call::Connect(_) | Call::Reconnect(_) => Reply::Connected(Box::new(self.can.clone())),
            Call::Polling => Reply::Polled(CameraStatus {
                exposure: ExposureStatus::Idle,
                cooling: Some(self.cooling),
                temperature: Some(self.temperature),
                power: Some(50.0),
            }),
            Call::CoolingTo(target) => {
                self.cooling = CoolingStatus { on: true, target: Some(*target) };
                self.temperature = *target;
                Reply::Done
            }
            Call::Cooling(on) => {
                self.cooling.on = *on;
                Reply::Done
            }
            Call::Scanning => Reply::Cameras(vec![setup::camera(NAME, "SN42")]),
            Call::GetCameraRoi => Reply::Roi(self.can.full()),
            Call::SetCameraRoi(roi) => Reply::Roi(*roi),
            Call::GetBinning => Reply::Binning(Binning::NONE),
            Call::SetBinning(binning) => Reply::Binning(*binning),
            Call::GetGain => Reply::Gain(100),
            Call::SetGain(gain) => Reply::Gain(*gain),
            Call::GetOffset => Reply::Offset(10),
            Call::SetOffset(offset) => Reply::Offset(*offset),
            Call::GetParameter(name) if name == "format" => Reply::Value(Value::Text(
                self.can.formats.first().map(|f| f.name.clone()).unwrap_or_default(),
            )),
            Call::SetParameter(_, value) => Reply::Value(value.clone()),
            _ => Reply::Done,
        })
    }
}

fn kind_of_failure(how: u8) -> ErrorKind {
    let kinds = [
        ErrorKind::Hardware,
        ErrorKind::Disconnected,
        ErrorKind::Timeout,
        ErrorKind::Busy,
        ErrorKind::NotConnected,
    ];
    kinds[usize::from(how) % kinds.len()]
}

fn frame(at: Duration, shape: (usize, usize, usize)) -> Frame {
    let at = SystemTime::UNIX_EPOCH + at;
    let info = FrameInfo::new(at, Duration::from_secs(1), Roi { x: 0, y: 0, width: 1, height: 1 });
    Frame { pixels: Pixels::U16(Array3::zeros(shape)), info: FrameInfo { ended: at, ..info } }
}

/// Everything but a mosaic, of which each bit but the first takes something away.
fn capabilities(kind: u8) -> Capabilities {
    let has = |bit: u8| kind & bit == 0;
    let all = setup::capabilities();
    let formats = ["INDI_MONO_16", "INDI_MONO_8"].map(setup::format);
    Capabilities {
        formats: if has(2) { formats.into() } else { Vec::new() },
        subframe: has(4),
        cooler: all.cooler.filter(|_| has(8)),
        thermometer: has(8) || has(16),
        cooler_power: has(16),
        gain: all.gain.filter(|_| has(32)),
        offset: all.offset.filter(|_| has(64)),
        guide_port: has(128),
        scene: !has(32),
        ..all
    }
}
