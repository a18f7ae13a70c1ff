//! A camera that is open at its server, from connecting to disconnecting.

use std::time::{Duration, Instant};

use super::api::{Api, optional};
use super::exposure::{Exposure, state};
use super::facts::Facts;
use super::fault::Fault;
use super::{now, utc, window};
use crate::backend::window::Window;
use crate::camera::types::{
    Binning, CameraId, CameraStatus, ExposureRequest, ExposureStatus, Frame, FrameInfo, FrameType, Roi,
};

mod settings;

pub(super) use settings::Control;
use settings::truth;

/// Opening a camera may take so long at its server.
const OPENING: Duration = Duration::from_secs(20);
/// For all that is asked of a camera when it is opened.
const INTRODUCTION: Duration = Duration::from_secs(25);
/// Nobody waits longer for a camera to be closed.
const CLOSING: Duration = Duration::from_secs(3);
/// An exposure that was aborted is over after that time.
const ABORTING: Duration = Duration::from_secs(2);
/// Between two questions whether something is over.
const PAUSE: Duration = Duration::from_millis(10);
/// Between two attempts to begin an exposure.
const REPEAT: Duration = Duration::from_millis(100);

/// What outlives a connection: what was set last, by whoever set it through us.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wanted {
    pub(super) roi: Option<Roi>,
    pub(super) binning: Option<Binning>,
    pub(super) gain: Option<i32>,
    pub(super) offset: Option<i32>,
    pub(super) mode: Option<usize>,
}

/// An open camera.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) api: Api,
    pub(super) facts: Facts,
    pub(super) camera: CameraId,
    /// As it was asked.
    roi: Roi,
    binning: Binning,
    /// What the server knows, as far as we do.
    window: Option<Window>,
    gain: Option<i32>,
    offset: Option<i32>,
    exposure: Option<Exposure>,
    /// The camera may be exposing though nobody asked it to, or although it was told to stop.
    doubtful: bool,
    /// The camera has sent values that its containers do not hold, and that was said.
    has_cut: bool,
    /// When all exposures will have ended that were begun.
    ends: Instant,
    /// Some servers say that the camera is idle after an abort and go on with the exposure all the same, in between. Until
    /// then a camera that refuses is asked again.
    restless_until: Instant,
    last: CameraStatus,
}

impl Session {
    /// Opens a camera and gives it the settings that it had before.
    pub(super) fn open(mut api: Api, camera: CameraId, wanted: &Wanted) -> Result<Session, Fault> {
        api.begin(INTRODUCTION);
        connect(&mut api)?;
        let facts = Facts::read(&mut api)?;
        let idle = ExposureStatus::Idle;
        let mut session = Session {
            roi: facts.can.full(),
            api,
            facts,
            camera,
            binning: Binning::NONE,
            window: None,
            gain: None,
            offset: None,
            exposure: None,
            doubtful: false,
            has_cut: false,
            ends: now(),
            restless_until: now(),
            last: CameraStatus { exposure: idle, cooling: None, temperature: None, power: None },
        };
        session.leave_alone()?;
        session.settle(wanted)?;
        Ok(session)
    }

    /// Ends what somebody else, or we in an earlier life, had the camera do.
    fn leave_alone(&mut self) -> Result<(), Fault> {
        let doing = optional(self.api.whole("camerastate"))?.unwrap_or(state::IDLE);
        if doing != state::IDLE {
            tracing::warn!(camera = self.camera.name, "the camera was exposing already: that is aborted");
            self.stop_camera()?;
        }
        Ok(())
    }

    fn settle(&mut self, wanted: &Wanted) -> Result<(), Fault> {
        let can = &self.facts.can;
        let binning = wanted.binning.filter(|binning| can.check_binning(*binning).is_ok());
        let roi = wanted.roi.filter(|roi| can.check_roi(*roi).is_ok());
        if let Some(mode) = wanted.mode {
            optional(self.set_mode(mode))?;
        }
        self.set_binning(binning.unwrap_or(Binning::NONE))?;
        self.roi = roi.unwrap_or(self.roi);
        match self.put_window() {
            // All of the sensor is what it reads anyway.
            Err(fault) if fault.is_lack() => {
                self.facts.can.subframe = false;
                self.roi = self.facts.can.full();
            }
            result => result?,
        }
        for (control, value) in [(Control::Gain, wanted.gain), (Control::Offset, wanted.offset)] {
            if self.has(control) {
                match value {
                    Some(value) => optional(self.set(control, value))?,
                    None => Some(self.get(control)?),
                };
            }
        }
        Ok(())
    }

    /// Closes the camera, as far as its server answers.
    pub(super) fn close(mut self) {
        self.api.begin(CLOSING);
        let busy = self.exposure.take().is_some_and(|exposure| exposure.is_with_camera());
        let stopped = if busy { self.stop_camera() } else { Ok(()) };
        let closed = match self.facts.interface {
            4.. => self.api.put("disconnect", &[]),
            _ => self.api.put("connected", &[("Connected", truth(false))]),
        };
        for fault in [stopped.err(), closed.err()].into_iter().flatten() {
            tracing::debug!("{}", fault.of("disconnect", self.api.address()));
        }
    }

    pub(super) fn is_exposing(&self) -> bool {
        self.exposure.as_ref().is_some_and(Exposure::is_under_way)
    }

    /// Whether a frame is coming over the network, during which some servers do not answer.
    pub(super) fn is_coming(&self) -> bool {
        self.exposure.as_ref().is_some_and(Exposure::is_coming)
    }

    pub(super) fn roi(&self) -> Roi {
        match self.window {
            Some(window) => window.shows(self.roi, self.binning),
            None => self.roi,
        }
    }

    pub(super) fn binning(&self) -> Binning {
        self.binning
    }

    pub(super) fn set_roi(&mut self, roi: Roi) -> Result<Roi, Fault> {
        let before = (self.roi, self.window);
        if self.facts.can.subframe {
            self.roi = roi;
            if let Err(fault) = self.put_window() {
                (self.roi, self.window) = (before.0, None);
                return Err(fault);
            }
        }
        Ok(self.roi())
    }

    /// Tells the camera which window to read, unless it knows.
    fn put_window(&mut self) -> Result<(), Fault> {
        let window = window::covering(self.roi, self.binning, &self.facts.can.sensor);
        if self.window == Some(window) || !self.facts.can.subframe {
            return Ok(());
        }
        self.window = None;
        let Window { x, y, columns, rows } = window;
        let mut put = |name, key, value: u32| self.api.put(name, &[(key, value.to_string())]).map(drop);
        // By way of the corner, so that no step lies outside the sensor.
        put("startx", "StartX", 0)?;
        put("starty", "StartY", 0)?;
        put("numx", "NumX", columns)?;
        put("numy", "NumY", rows)?;
        if x > 0 {
            put("startx", "StartX", x)?;
        }
        if y > 0 {
            put("starty", "StartY", y)?;
        }
        let mut read = |name| -> Result<u32, Fault> {
            let value = self.api.whole(name)?;
            u32::try_from(value).map_err(|_negative| Fault::Nonsense(format!("{name} is {value}")))
        };
        // Some cameras round what they were told.
        let (x, y, columns, rows) = (read("startx")?, read("starty")?, read("numx")?, read("numy")?);
        self.window = Some(Window { x, y, columns, rows });
        Ok(())
    }

    /// Sets these factors, or such as divide them.
    pub(super) fn set_binning(&mut self, asked: Binning) -> Result<Binning, Fault> {
        let both = greatest_common_divisor(asked.x, asked.y);
        let able = if self.facts.asymmetric { asked } else { Binning { x: both, y: both } };
        self.window = None;
        match self.put_binning(able) {
            // Not every factor up to the largest.
            Err(fault) if fault.is_answer() && able != Binning::NONE => self.put_binning(Binning::NONE)?,
            // Without any binning there is nothing to set.
            Err(fault) if fault.is_lack() => self.binning = Binning::NONE,
            result => result?,
        }
        Ok(self.binning)
    }

    fn put_binning(&mut self, binning: Binning) -> Result<(), Fault> {
        self.api.put("binx", &[("BinX", binning.x.to_string())])?;
        self.api.put("biny", &[("BinY", binning.y.to_string())])?;
        self.binning = binning;
        Ok(())
    }

    /// Opens the shutter.
    pub(super) fn start(&mut self, request: &ExposureRequest) -> Result<(), Fault> {
        self.abort()?;
        self.put_window()?;
        let temperature = self.temperature_now()?;
        let light = matches!(request.frame_type, FrameType::Light | FrameType::Flat);
        let form = [("Duration", request.duration.as_secs_f64().to_string()), ("Light", truth(light))];
        let mut begun = self.api.put("startexposure", &form);
        if matches!(&begun, Err(fault) if fault.is_answer()) && self.is_stuck()? {
            self.stop_camera()?;
            begun = self.api.put("startexposure", &form);
        }
        let end = self.restless_until.min(now() + ABORTING);
        while matches!(&begun, Err(fault) if fault.is_answer()) && now() < end {
            std::thread::park_timeout(REPEAT);
            self.wait_until_idle()?;
            begun = self.api.put("startexposure", &form);
        }
        if begun.is_ok() {
            self.ends = now().checked_add(request.duration).map_or(self.ends, |end| self.ends.max(end));
        }
        self.doubtful = matches!(begun, Err(Fault::Slow(_)));
        begun?;
        let started = utc();
        let info = FrameInfo {
            binning: self.binning,
            gain: self.gain,
            offset: self.offset,
            temperature,
            ..FrameInfo::new(started, request.duration, self.roi())
        };
        let size = match self.window {
            Some(window) => (window.columns, window.rows),
            None => info.roi.binned(info.binning),
        };
        let bits = self.facts.can.sensor.bits;
        self.exposure = Some(Exposure::new(request.duration, request.cancel.clone(), info, size, bits));
        Ok(())
    }

    /// Whether the camera is not idle because of something that nobody waits for.
    fn is_stuck(&mut self) -> Result<bool, Fault> {
        let doing = optional(self.api.whole("camerastate"))?.unwrap_or(state::IDLE);
        Ok(doing == state::ERROR || doing != state::IDLE && self.doubtful)
    }

    pub(super) fn abort(&mut self) -> Result<(), Fault> {
        let with_camera = self.exposure.take().is_some_and(|exposure| exposure.is_with_camera());
        if with_camera || self.doubtful { self.stop_camera() } else { Ok(()) }
    }

    /// Has the camera stop exposing, and waits until it has.
    fn stop_camera(&mut self) -> Result<(), Fault> {
        self.doubtful = true;
        let name = match (self.facts.abort, self.facts.stop) {
            (true, _) => "abortexposure",
            (false, true) => "stopexposure",
            // Nobody can; the next exposure has to wait.
            (false, false) => return Ok(()),
        };
        let told = self.api.put(name, &[]);
        match told {
            // Some refuse when there is nothing to stop.
            Err(fault) if fault.is_answer() => {
                let doing = optional(self.api.whole("camerastate"))?.unwrap_or(state::IDLE);
                self.doubtful = doing != state::IDLE;
                return if self.doubtful { Err(fault) } else { Ok(()) };
            }
            told => told?,
        };
        self.restless_until = self.ends + ABORTING;
        self.doubtful = !self.wait_until_idle()?;
        Ok(())
    }

    /// Whether the camera has become idle in the time that an abort may take.
    fn wait_until_idle(&mut self) -> Result<bool, Fault> {
        let end = now() + ABORTING;
        while optional(self.api.whole("camerastate"))?.unwrap_or(state::IDLE) != state::IDLE {
            if now() >= end {
                return Ok(false);
            }
            std::thread::park_timeout(PAUSE);
        }
        Ok(true)
    }

    /// Closes the shutter now and keeps the frame.
    pub(super) fn stop(&mut self) -> Result<(), Fault> {
        self.api.put("stopexposure", &[])?;
        if let Some(exposure) = &mut self.exposure {
            exposure.close_shutter();
        }
        Ok(())
    }

    /// Where the exposure is; a failure is told once.
    pub(super) fn status(&mut self) -> Result<ExposureStatus, Fault> {
        let Some(exposure) = &mut self.exposure else { return Ok(ExposureStatus::Idle) };
        let status = exposure.status(&mut self.api);
        if status.is_err() {
            self.exposure = None;
            self.doubtful = true;
        }
        status
    }

    /// The frame, once it is here.
    pub(super) fn take_frame(&mut self) -> Option<Frame> {
        let exposure = self.exposure.take_if(|exposure| exposure.known() == ExposureStatus::Ready)?;
        if let Some(largest) = exposure.cut().filter(|_| !std::mem::replace(&mut self.has_cut, true)) {
            let (camera, bits) = (&self.camera.name, self.facts.can.sensor.bits);
            tracing::warn!(
                camera,
                largest,
                "the camera sends values above its MaxADU; they are saturated at {bits} bit, here and from now on"
            );
        }
        exposure.into_frame()
    }
}

/// Has the server open the camera.
fn connect(api: &mut Api) -> Result<(), Fault> {
    let asynchronous = optional(api.whole("interfaceversion"))?.is_some_and(|version| version >= 4);
    let begun =
        if asynchronous { api.put_within("connect", &[], OPENING) } else { Err(Fault::http(404, b"")) };
    match begun {
        Err(fault) if fault.is_lack() => {
            api.put_within("connected", &[("Connected", truth(true))], OPENING)?;
        }
        result => {
            result?;
            wait_for(api, now() + OPENING)?;
        }
    }
    if api.flag("connected")? { Ok(()) } else { Err(Fault::Failed("the server could not open the camera")) }
}

/// Waits for the end of what [`connect`] began.
fn wait_for(api: &mut Api, end: Instant) -> Result<(), Fault> {
    while optional(api.flag("connecting"))?.unwrap_or(false) {
        if now() >= end {
            return Err(Fault::Slow(OPENING));
        }
        std::thread::park_timeout(PAUSE);
    }
    Ok(())
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a.max(1) } else { greatest_common_divisor(b, a % b) }
}
