//! One exposure from the client's wish to the last word about it.
//!
//! ```text
//!            CCD_EXPOSURE          StartExposure ok     shutter closed       frame           delivered
//!   Idle ────────────────► Starting ──────► Exposing ──────► Reading ──────► Delivering ──────► Idle
//!          Busy, requested             Busy, counting down    Busy, 0                    BLOB, Ok 0
//! ```
//! Every way out of Busy is exactly one of Ok (the frame is there), Alert (it failed, with one sentence) and Idle
//! (aborted). What an exposure is (size, type, destination) is frozen when it starts; settings written meanwhile are
//! for the next one. Whatever arrives under an [`ExposureId`] that is not the current one is dropped.

use std::time::Duration;

use crate::camera::call::{Call, Reply};
use crate::camera::error::{CameraError, ErrorKind};
use crate::camera::types::{
    Binning, Cancel, Capabilities, ExposureId, ExposureRequest, Frame, FrameType, Moment, Roi, Sensor,
};
use crate::image::header::{self, Snapshot};
use crate::property::key::Key;
use crate::property::keys::{self, Abort, FrameKind};
use crate::wire::{Limits, State};

use super::connection::Link;
use super::job::{Delivery, Encoding, Job};
use super::timer::Timer;
use super::upload::Destination;
use super::{Device, Handlers, Level};

/// Time that a camera gets for read-out and download beyond the exposure itself.
const READ_OUT_ALLOWANCE: Duration = Duration::from_secs(10);
/// Clients are told the time left at least this often.
const COUNTDOWN: Duration = Duration::from_secs(1);
/// So shortly before the end of an exposure the camera is not asked for its temperature: its answer could delay the
/// read-out.
const QUIET_BEFORE_READ_OUT: Duration = Duration::from_millis(300);

/// The exposure that runs, if one does.
#[derive(Debug, Default)]
pub(super) struct Exposure {
    pub(super) last_id: ExposureId,
    current: Option<Current>,
    limits: Option<Limits>,
    /// Window and binning that the camera is known to have.
    set: (Option<Roi>, Option<Binning>),
}

/// A running exposure. All but `stage` is frozen when it starts.
#[derive(Debug)]
struct Current {
    id: ExposureId,
    cancel: Cancel,
    spec: Spec,
    stage: Stage,
}

/// What was asked.
#[derive(Clone, Debug)]
struct Spec {
    seconds: f64,
    frame_type: FrameType,
    roi: Roi,
    binning: Binning,
    sensor: Sensor,
    encoding: Encoding,
    destination: Destination,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    /// The camera has not confirmed yet.
    Starting,
    /// The shutter is open since then.
    Exposing { since: Duration },
    /// The shutter is closed.
    Reading,
    /// The delivery thread has the frame.
    Delivering,
}

pub(super) fn register(on: &mut Handlers) {
    on.change(&keys::CCD_EXPOSURE, Device::begin_exposure);
    on.change(&keys::CCD_ABORT_EXPOSURE, Device::abort_exposure);
    on.change(&keys::CCD_FRAME_TYPE, Device::change_frame_type);
}

impl Device {
    fn begin_exposure(&mut self, [seconds]: [f64; 1]) {
        let Some(capabilities) = &self.capabilities else { return };
        let sensor = Sensor { bits: self.bits(capabilities), ..capabilities.sensor.clone() };
        if self.link != Link::On {
            return self.refuse(keys::CCD_EXPOSURE.vector(), "CCD_EXPOSURE has to wait: the camera is lost");
        }
        // Every client expects a new exposure to replace one that is still running.
        self.drop_exposure();
        let frame_type = frame_type(self.store.get(&keys::CCD_FRAME_TYPE));
        let shortest = self.exposure.limits.map_or(seconds, |limits| limits.min);
        let seconds = if frame_type == FrameType::Bias { shortest } else { seconds };
        let Ok(duration) = Duration::try_from_secs_f64(seconds) else { return };

        let id = self.next_exposure();
        let spec = Spec {
            seconds,
            frame_type,
            roi: self.geometry.roi,
            binning: self.geometry.binning,
            sensor,
            encoding: self.encoding(),
            destination: self.destination(),
        };
        let cancel = Cancel::default();
        self.prepare_camera();
        if spec.encoding.keeps_size() {
            self.jobs.push_back(Job::Reserve { bytes: spec.bytes() });
        }
        let request = ExposureRequest { id, duration, frame_type, cancel: cancel.clone() };
        self.ask(Call::StartExposure(request));
        self.timers.set(Timer::ExposureOverdue, self.now.elapsed + duration + READ_OUT_ALLOWANCE);
        self.exposure.current = Some(Current { id, cancel, spec, stage: Stage::Starting });
        self.publish(&keys::CCD_EXPOSURE, [seconds], State::Busy);
    }

    /// Brings the settings to the camera where they are not there yet.
    fn prepare_camera(&mut self) {
        self.apply_pending_controls();
        let (roi, binning) = self.geometry.for_camera();
        if self.exposure.set != (Some(roi), Some(binning)) {
            self.exposure.set = (None, None);
            self.ask(Call::SetBinning(binning));
            self.ask(Call::SetCameraRoi(roi));
        }
    }

    pub(super) fn exposure_answered(&mut self, call: &Call, result: Result<Reply, CameraError>) {
        match (call, result) {
            (Call::SetCameraRoi(roi), Ok(_)) => self.exposure.set.0 = Some(*roi),
            (Call::SetBinning(binning), Ok(_)) => self.exposure.set.1 = Some(*binning),
            (Call::StartExposure(request), Err(error)) => self.exposure_failed(request.id, &error),
            (Call::AbortExposure, Err(error)) => self.say(Level::Warning, &error.to_string()),
            (_, Err(error)) => {
                // The window or the binning of the exposure that is waiting to start.
                self.calls.retain(|call| !matches!(call, Call::StartExposure(_)));
                self.fail_exposure(&error.to_string());
            }
            (_, Ok(_)) => {}
        }
    }

    pub(super) fn exposure_started(&mut self, id: ExposureId, at: Moment) {
        let Some(current) = self.exposure.current(id) else { return };
        current.stage = Stage::Exposing { since: at.elapsed };
        let duration = current.spec.duration();
        self.timers.set(Timer::ExposureOverdue, at.elapsed + duration + READ_OUT_ALLOWANCE);
        if duration > COUNTDOWN {
            self.timers.set(Timer::Countdown, at.elapsed + COUNTDOWN);
        }
    }

    pub(super) fn count_down(&mut self) {
        let Some(Current { stage: Stage::Exposing { since }, spec, .. }) = &self.exposure.current else {
            return;
        };
        let (since, duration) = (*since, spec.duration());
        let open = self.now.elapsed.saturating_sub(since);
        let left = duration.saturating_sub(open);
        // Counted from the shutter, so that late wake-ups do not add up.
        let ticks = u32::try_from(open.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
        if COUNTDOWN * ticks < duration {
            self.timers.set(Timer::Countdown, since + COUNTDOWN * ticks);
        }
        self.publish(&keys::CCD_EXPOSURE, [left.as_secs_f64()], State::Busy);
    }

    pub(super) fn reading_out(&mut self, id: ExposureId) {
        let Some(current) = self.exposure.current(id) else { return };
        current.stage = Stage::Reading;
        self.timers.clear(Timer::Countdown);
        self.publish(&keys::CCD_EXPOSURE, [0.0], State::Busy);
    }

    pub(super) fn frame_arrived(&mut self, id: ExposureId, frame: Frame) {
        self.reading_out(id);
        let name = self.name.clone();
        let Some(current) = self.exposure.current(id) else { return };
        current.stage = Stage::Delivering;
        let spec = &current.spec;
        let snapshot = Snapshot {
            instrument: name,
            telescope: None,
            requested: spec.duration(),
            frame_type: spec.frame_type,
            roi: spec.roi,
            binning: spec.binning,
            pixel_size: Some((spec.sensor.pixel_x, spec.sensor.pixel_y)),
            bayer: spec.sensor.bayer.clone(),
            further: Vec::new(),
        };
        let (planes, ..) = frame.pixels.shape();
        let delivery = Delivery {
            id,
            cancel: current.cancel.clone(),
            roi: spec.roi,
            binning: spec.binning,
            cards: header::cards(&snapshot, &frame.info, planes),
            encoding: spec.encoding,
            client: spec.destination.client,
            file: spec.destination.file(frame.info.started),
            frame,
        };
        self.timers.set(Timer::ExposureOverdue, self.now.elapsed + READ_OUT_ALLOWANCE);
        self.apply_pending_controls();
        self.jobs.push_back(Job::Deliver(Box::new(delivery)));
    }

    /// Whether this is the exposure whose end clients are waiting for.
    pub(super) fn is_current(&self, id: ExposureId) -> bool {
        self.exposure.current.as_ref().is_some_and(|current| current.id == id)
    }

    /// The exposure has ended and a new one may begin: called before the first byte of its frame leaves, because
    /// clients ask for the next exposure the moment they have it.
    pub(super) fn end_exposure(&mut self) {
        self.exposure.current = None;
        self.timers.clear(Timer::ExposureOverdue);
        self.timers.clear(Timer::Countdown);
    }

    pub(super) fn exposure_failed(&mut self, id: ExposureId, error: &CameraError) {
        if error.kind == ErrorKind::Disconnected {
            self.lost(&error.to_string());
        } else if self.is_current(id) {
            self.fail_exposure(&error.to_string());
        }
    }

    /// Ends the exposure, if one runs, in Alert with one sentence.
    pub(super) fn fail_exposure(&mut self, why: &str) {
        if let Some(current) = &self.exposure.current {
            current.cancel.cancel();
            self.end_exposure();
            self.say(Level::Error, &format!("the exposure failed: {why}"));
            self.publish(&keys::CCD_EXPOSURE, [0.0], State::Alert);
        }
    }

    pub(super) fn exposure_overdue(&mut self) {
        let Some(current) = &self.exposure.current else { return };
        let why = match current.stage {
            Stage::Starting => "the camera did not start it",
            Stage::Exposing { .. } => "the camera did not end it",
            Stage::Reading => "the camera did not read it out",
            Stage::Delivering => "the frame could not be delivered",
        };
        let seconds = READ_OUT_ALLOWANCE.as_secs();
        let sentence = format!("{why} within {seconds} s beyond its {} s", current.spec.seconds);
        self.ask(Call::AbortExposure);
        self.fail_exposure(&sentence);
    }

    fn abort_exposure(&mut self, pressed: Option<Abort>) {
        if pressed.is_none() {
            return self.publish(&keys::CCD_ABORT_EXPOSURE, None, State::Ok);
        }
        self.drop_exposure();
        self.publish(&keys::CCD_ABORT_EXPOSURE, None, State::Ok);
        self.publish(&keys::CCD_EXPOSURE, [0.0], State::Idle);
    }

    /// Stops the exposure that runs, if one does, without a word to clients: no frame and no file may follow.
    fn drop_exposure(&mut self) {
        let Some(current) = self.exposure.current.take() else { return };
        current.cancel.cancel();
        self.end_exposure();
        self.drop_held_frame();
        let waiting = self.calls.len();
        self.calls.retain(|call| !matches!(call, Call::StartExposure(_)));
        let never_asked = self.calls.len() < waiting;
        if !never_asked && current.stage != Stage::Delivering {
            self.ask(Call::AbortExposure);
        }
    }

    /// Forgets the exposure because the camera is being closed, which stops it.
    pub(super) fn forget_exposure(&mut self) {
        self.drop_exposure();
        self.exposure.set = (None, None);
        self.store.set(&keys::CCD_EXPOSURE, [0.0]);
        self.store.set_state(keys::CCD_EXPOSURE.vector(), State::Idle);
    }

    pub(super) fn is_exposing(&self) -> bool {
        self.exposure.current.as_ref().is_some_and(|current| current.stage != Stage::Delivering)
    }

    /// Whether the camera is in, or close to, the moment in which it must not be disturbed.
    pub(super) fn is_about_to_read_out(&self) -> bool {
        self.exposure.current.as_ref().is_some_and(|current| match current.stage {
            Stage::Starting | Stage::Reading => true,
            Stage::Exposing { since } => {
                self.now.elapsed + QUIET_BEFORE_READ_OUT >= since + current.spec.duration()
            }
            Stage::Delivering => false,
        })
    }

    fn change_frame_type(&mut self, kind: FrameKind) {
        self.publish(&keys::CCD_FRAME_TYPE, kind, State::Ok);
    }

    pub(super) fn adopt_exposure(&mut self, capabilities: &Capabilities) {
        let range = capabilities.exposure;
        let limits = Limits { min: range.min, max: range.max, step: range.step };
        self.exposure.limits = Some(limits);
        self.exposure.set = (None, None);
        self.store.set_limits(&keys::CCD_EXPOSURE, &[limits]);
    }
}

impl Exposure {
    fn current(&mut self, id: ExposureId) -> Option<&mut Current> {
        self.current.as_mut().filter(|current| current.id == id)
    }
}

impl Spec {
    fn duration(&self) -> Duration {
        Duration::try_from_secs_f64(self.seconds).unwrap_or(Duration::ZERO)
    }

    /// Bytes of pixels that the frame will have.
    fn bytes(&self) -> usize {
        let (width, height) = self.roi.binned(self.binning);
        width as usize * height as usize * usize::from(self.sensor.bits / 8)
    }
}

fn frame_type(kind: FrameKind) -> FrameType {
    match kind {
        FrameKind::Light => FrameType::Light,
        FrameKind::Bias => FrameType::Bias,
        FrameKind::Dark => FrameType::Dark,
        FrameKind::Flat => FrameType::Flat,
    }
}
