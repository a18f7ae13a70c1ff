//! A connected camera to check promises on, and the words for a promise that was broken.

#![allow(unreachable_pub, reason = "a module of a test binary has no outside")]

use std::env;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::*;

/// Backends to check, separated by commas, in place of all that are compiled in.
const CHOICE: &str = "INDI_CAMERA_CONTRACT";
/// No exposure that is waited for here is long; some read-outs are.
const PATIENCE: Duration = Duration::from_secs(60);

/// The longest that the start of an exposure may take.
pub const AT_ONCE: Duration = Duration::from_secs(1);
/// How often an exposure is looked at.
const SHORTEST_LOOK: Duration = Duration::from_micros(100);
const LONGEST_LOOK: Duration = Duration::from_millis(100);

/// Tests run side by side, but there is only one of a real camera.
pub static HARDWARE: Mutex<()> = Mutex::new(());

/// A connected camera.
pub struct Rig {
    pub camera: Box<dyn Camera>,
    pub id: CameraId,
    pub can: Capabilities,
    /// A real camera is slow: few repetitions have to do.
    pub hardware: bool,
}

/// What a refused call must leave alone, and what a check brings back when it is done.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub roi: Roi,
    pub binning: Binning,
    pub gain: Option<i32>,
    pub offset: Option<i32>,
    pub format: Option<Value>,
    pub cooling: Option<CoolingStatus>,
}

/// The backends to check, and whether they have to find a camera.
pub fn backends() -> Vec<(Backend, bool)> {
    let all: Vec<Backend> = BACKENDS.iter().copied().chain([ramp::BACKEND]).collect();
    let choice = env::var(CHOICE).unwrap_or_default();
    let names: Vec<&str> = choice.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    let known: Vec<&str> = all.iter().map(|backend| backend.name).collect();
    for name in &names {
        assert!(known.contains(name), "{CHOICE}: there is no backend {name}; compiled in are: {known:?}");
    }
    // What hardware there is depends on the machine and its network, and may be at work: it has to be asked for.
    let is_chosen = |backend: &Backend| match names.as_slice() {
        [] => {
            !backend.hardware || backend.addresses.is_some_and(|given| env::var_os(given.variable).is_some())
        }
        names => names.contains(&backend.name),
    };
    let chosen = all.into_iter().filter(is_chosen);
    let always = |name| ["simulator", replay::NAME, ramp::BACKEND.name].contains(&name);
    chosen.map(|backend| (backend, !names.is_empty() || always(backend.name))).collect()
}

/// Checks one promise on the first camera of each backend, and reports all backends that break it.
pub fn for_every_camera(check: fn(&mut Rig)) {
    report(|backend, required| {
        let _alone = backend.hardware.then(|| HARDWARE.lock().unwrap_or_else(PoisonError::into_inner));
        let mut rig = match Rig::connect(&backend) {
            Ok(Some(rig)) => rig,
            Ok(None) if required => panic!("scanning: no camera was found"),
            Err(error) if required => panic!("{error}"),
            Ok(None) | Err(_) => return,
        };
        let before = rig.settings();
        let kept = catch_unwind(AssertUnwindSafe(|| check(&mut rig)));
        let restored = catch_unwind(AssertUnwindSafe(|| rig.restore(&before)));
        kept.unwrap_or_else(|panic| resume_unwind(panic));
        works(restored.unwrap_or_else(|panic| resume_unwind(panic)));
    });
}

/// The same, and the simulated camera as each sensor that it can be: for what needs no frame of a whole sensor.
pub fn for_every_model(check: fn(&mut Rig)) {
    for_every_camera(check);
    for model in crate::simulator::MODELS {
        check(&mut crate::simulator::connected(&[("SIMULATOR_MODEL", Value::Text(model.name.to_owned()))]));
    }
}

/// Runs `check` for each backend to check; a failure names its backend and does not keep the others from their turn.
pub fn report(check: impl Fn(Backend, bool)) {
    let mut broken = Vec::new();
    for (backend, required) in backends() {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| check(backend, required))) {
            let words = panic.downcast_ref::<String>().map(String::as_str);
            let words = words.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no words");
            broken.push(format!("backend {}: {words}", backend.name));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

pub fn request(duration: Duration, frame_type: FrameType) -> ExposureRequest {
    ExposureRequest::new(ExposureId(1), duration, frame_type)
}

impl Rig {
    /// The first camera that a backend finds.
    fn connect(backend: &Backend) -> Result<Option<Rig>> {
        let mut camera = (backend.create)();
        if backend.name == replay::NAME {
            works(camera.set_parameter("REPLAY_FOLDER", replay::folder()));
        }
        let Some(id) = camera.scanning()?.into_iter().next() else { return Ok(None) };
        let can = works(camera.connect(&id));
        Ok(Some(Rig { camera, id, can, hardware: backend.hardware }))
    }

    /// How often something is to be repeated.
    pub fn times(&self, simulated: u32, hardware: u32) -> u32 {
        if self.hardware { hardware } else { simulated }
    }

    pub fn full(&self) -> Roi {
        self.can.full()
    }

    pub fn shortest(&self) -> Duration {
        Duration::from_secs_f64(self.can.exposure.min)
    }

    pub fn longest(&self) -> Duration {
        Duration::from_secs_f64(self.can.exposure.max)
    }

    /// [`SHORT`], as far as the camera can.
    pub fn short(&self) -> Duration {
        SHORT.clamp(self.shortest(), self.longest())
    }

    /// As much of a window as is on the sensor.
    pub fn part(&self, x: u32, y: u32, width: u32, height: u32) -> Roi {
        let along = |start: u32, length: u32, limit: u32| {
            let start = start.min(limit - 1);
            (start, length.clamp(1, limit - start))
        };
        let (x, width) = along(x, width, self.can.sensor.width);
        let (y, height) = along(y, height, self.can.sensor.height);
        Roi { x, y, width, height }
    }

    pub fn start(&mut self, duration: Duration) -> Result<()> {
        self.camera.start_exposure(&request(duration, FrameType::Light))
    }

    /// Starts an exposure that nobody wants to wait for. A camera whose start lasts as long as the exposure would keep
    /// everybody waiting, so a shorter one goes first.
    #[track_caller]
    pub fn start_long(&mut self, duration: Duration) -> Result<()> {
        let begin = now();
        works(self.start(duration.min(2 * AT_ONCE).max(self.shortest())));
        let took = begin.elapsed();
        works(self.camera.abort_exposure());
        assert!(took < AT_ONCE, "start_exposure: took {took:?}, and is to return at once");
        self.start(duration)
    }

    pub fn status(&mut self) -> ExposureStatus {
        works(self.camera.get_exposure_status())
    }

    /// Sees that there is no frame to fetch.
    #[track_caller]
    pub fn has_no_frame(&mut self, when: &str) {
        const CALL: &str = "get_exposure_result";
        match self.camera.get_exposure_result() {
            Ok(_) => panic!("{CALL}: a frame {when}"),
            Err(error) => is!(error.kind, ErrorKind::NoFrame, "{CALL}: {when}"),
        }
    }

    /// Sees that no exposure runs, and that none has left a frame.
    #[track_caller]
    pub fn is_at_rest(&mut self, when: &str) {
        is!(self.status(), ExposureStatus::Idle, "get_exposure_status: {when}");
        self.has_no_frame(when);
    }

    /// Waits for the frame, and sees that the phases come in order and the time left never grows.
    #[track_caller]
    pub fn wait(&mut self) {
        const CALL: &str = "get_exposure_status";
        let mut least = Duration::MAX;
        let mut reading = false;
        let end = now() + PATIENCE;
        loop {
            let pause = match self.status() {
                ExposureStatus::Exposing { left } => {
                    assert!(!reading, "{CALL}: exposing again after reading out");
                    assert!(left <= least, "{CALL}: {left:?} are left after there were {least:?}");
                    least = left;
                    left
                }
                ExposureStatus::Reading { done } => {
                    let percent = done.is_none_or(|done| (0.0..=100.0).contains(&done));
                    assert!(percent, "{CALL}: {done:?} is no percentage");
                    reading = true;
                    Duration::ZERO
                }
                ExposureStatus::Ready => return,
                ExposureStatus::Idle => panic!("{CALL}: idle during an exposure"),
            };
            assert!(now() < end, "{CALL}: no frame within {PATIENCE:?}");
            thread::park_timeout(pause.clamp(SHORTEST_LOOK, LONGEST_LOOK));
        }
    }

    #[track_caller]
    pub fn frame(&mut self, duration: Duration, frame_type: FrameType) -> Frame {
        works(self.camera.start_exposure(&request(duration, frame_type)));
        self.wait();
        works(self.camera.get_exposure_result())
    }

    pub fn settings(&mut self) -> Settings {
        Settings {
            roi: works(self.camera.get_camera_roi()),
            binning: works(self.camera.get_binning()),
            gain: self.camera.get_gain().ok(),
            offset: self.camera.get_offset().ok(),
            format: self.camera.get_parameter(FORMAT_PARAMETER).ok(),
            cooling: self.camera.get_cooling_status().ok(),
        }
    }

    /// Leaves the camera as it was found, and closes it.
    fn restore(&mut self, before: &Settings) -> Result<()> {
        let camera = self.camera.as_mut();
        camera.connect(&self.id)?;
        camera.abort_exposure()?;
        before
            .format
            .clone()
            .map_or(Ok(()), |format| camera.set_parameter(FORMAT_PARAMETER, format).map(drop))?;
        camera.set_binning(before.binning)?;
        camera.set_camera_roi(before.roi)?;
        before.gain.map_or(Ok(0), |gain| camera.set_gain(gain))?;
        before.offset.map_or(Ok(0), |offset| camera.set_offset(offset))?;
        if let Some(CoolingStatus { on, target }) = before.cooling {
            target.map_or(Ok(()), |target| camera.cooling_to(target))?;
            camera.cooling(on)?;
        }
        camera.disconnect()
    }
}

#[expect(clippy::disallowed_methods, reason = "cameras live in real time")]
pub fn now() -> Instant {
    Instant::now()
}

/// What a call gave that has every reason to succeed.
#[track_caller]
pub fn works<T>(result: Result<T>) -> T {
    result.unwrap_or_else(|error| panic!("{error} ({}), though it has to work", error.kind.code()))
}

/// What a call gave for an argument that it has to take.
#[track_caller]
pub fn accepted<T>(call: &str, value: impl Debug, because: &str, result: Result<T>) -> T {
    result.unwrap_or_else(|error| {
        let code = error.kind.code();
        panic!("{call}: {value:?} was refused as {code} though {because} ({error})")
    })
}

/// Sees that a call did not take an argument, and said why with the right code.
#[track_caller]
pub fn refused<T>(call: &str, value: impl Debug, because: &str, kind: ErrorKind, result: Result<T>) {
    let code = kind.code();
    match result {
        Ok(_) => panic!("{call}: {value:?} was accepted though {because}"),
        Err(error) if error.kind != kind => {
            let other = error.kind.code();
            panic!("{call}: {value:?} was refused as {other} instead of {code} though {because} ({error})")
        }
        Err(_) => {}
    }
}

/// Sees that a call failed for that reason.
#[track_caller]
pub fn fails<T>(result: Result<T>, kind: ErrorKind) {
    let code = kind.code();
    match result {
        Ok(_) => panic!("a call was done that is {code}"),
        Err(error) => assert_eq!(error.kind, kind, "{error} is not {code}"),
    }
}
