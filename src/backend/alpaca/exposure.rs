//! One exposure: from its start over the camera's own read-out and the way over the network to the frame.
//!
//! When the shutter closes is known by our own clock, and the camera is asked rarely before that; whether the image is
//! ready, only the camera knows.

use std::time::{Duration, Instant};

use super::api::{Api, optional};
use super::download::Download;
use super::fault::Fault;
use super::image::Image;
use super::now;
use crate::camera::types::{Cancel, ExposureStatus, Frame, FrameInfo, Percent};

/// How often an open shutter is looked at, to notice a camera that has failed.
const LOOK: Duration = Duration::from_millis(900);
/// So shortly before the end nobody looks: the answer could be late.
const QUIET: Duration = Duration::from_millis(150);
/// How often the camera is asked whether the image is ready.
const READY_LOOK: Duration = Duration::from_millis(20);
/// A look that takes longer has failed.
const GLANCE: Duration = Duration::from_secs(2);
/// A camera that is idle for so long without an image has given the exposure up.
const IDLE: Duration = Duration::from_secs(1);
/// A server that does not answer for so long after the exposure has hung.
const DEAF: Duration = Duration::from_secs(30);

/// What a camera does, by Alpaca's numbers.
pub(super) mod state {
    pub(in super::super) const IDLE: i64 = 0;
    pub(in super::super) const READING: i64 = 3;
    pub(in super::super) const DOWNLOAD: i64 = 4;
    pub(in super::super) const ERROR: i64 = 5;
}

/// An exposure that has begun.
#[derive(Debug)]
pub(super) struct Exposure {
    /// When the shutter opened and closes, by our clock.
    opened: Instant,
    closes: Instant,
    unwanted: Cancel,
    info: FrameInfo,
    /// Columns and rows of the image.
    size: (u32, u32),
    bits: u8,
    stage: Stage,
    /// When the camera was asked last.
    looked: Instant,
    /// Since when it says that it does nothing.
    idle: Option<Instant>,
    /// Of the camera's own read-out.
    done: Option<Percent>,
}

#[derive(Debug)]
enum Stage {
    /// Until the camera says that the image is ready.
    Camera,
    Network(Download),
    Here(Image),
}

/// What a look at the camera showed.
enum Sight {
    Ready,
    Busy,
    Idle,
}

impl Exposure {
    /// One whose shutter has just opened.
    pub(super) fn new(
        length: Duration,
        unwanted: Cancel,
        info: FrameInfo,
        size: (u32, u32),
        bits: u8,
    ) -> Exposure {
        let opened = now();
        Exposure {
            opened,
            closes: opened + length,
            unwanted,
            info,
            size,
            bits,
            stage: Stage::Camera,
            looked: opened,
            idle: None,
            done: None,
        }
    }

    /// Whether the camera itself is busy with it, wanted or not.
    pub(super) fn is_with_camera(&self) -> bool {
        matches!(self.stage, Stage::Camera)
    }

    /// Whether the camera or the network is busy with it.
    pub(super) fn is_under_way(&self) -> bool {
        !matches!(self.stage, Stage::Here(_)) && !self.unwanted.is_cancelled()
    }

    /// Whether the frame is coming over the network, which some servers do instead of answering.
    pub(super) fn is_coming(&self) -> bool {
        matches!(self.stage, Stage::Network(_))
    }

    /// The camera was told to close the shutter early, and to read out.
    pub(super) fn close_shutter(&mut self) {
        self.closes = self.closes.min(now());
        self.info.exposed = self.closes.saturating_duration_since(self.opened);
        self.info.ended = self.info.started + self.info.exposed;
    }

    /// Where it is, as far as is known without asking.
    pub(super) fn known(&self) -> ExposureStatus {
        let left = self.closes.saturating_duration_since(now());
        match &self.stage {
            _ if self.unwanted.is_cancelled() => ExposureStatus::Idle,
            Stage::Camera if !left.is_zero() => ExposureStatus::Exposing { left },
            // Two halves: out of the camera, and over the network.
            Stage::Camera => ExposureStatus::Reading { done: self.done.map(|done| done / 2.0) },
            Stage::Network(download) => {
                ExposureStatus::Reading { done: download.done().map(|done| 50.0 + done / 2.0) }
            }
            Stage::Here(_) => ExposureStatus::Ready,
        }
    }

    /// Where it is. An error is its end.
    pub(super) fn status(&mut self, api: &mut Api) -> Result<ExposureStatus, Fault> {
        if self.unwanted.is_cancelled() {
            return Ok(ExposureStatus::Idle);
        }
        match &self.stage {
            Stage::Here(_) => {}
            Stage::Network(download) => {
                if let Some(outcome) = download.outcome() {
                    self.stage = Stage::Here(outcome?);
                }
            }
            Stage::Camera => self.look(api)?,
        }
        Ok(self.known())
    }

    /// The largest value of the frame, if it is here and was more than its container holds.
    pub(super) fn cut(&self) -> Option<i64> {
        match &self.stage {
            Stage::Here(image) => image.cut,
            _ => None,
        }
    }

    /// The frame, if it is here.
    pub(super) fn into_frame(self) -> Option<Frame> {
        match self.stage {
            Stage::Here(image) => Some(Frame { pixels: image.pixels, info: self.info }),
            _ => None,
        }
    }

    /// Asks the camera, if it is time to, and begins to fetch what is ready.
    fn look(&mut self, api: &mut Api) -> Result<(), Fault> {
        let (left, since) = (self.closes.saturating_duration_since(now()), self.looked.elapsed());
        let due = if left.is_zero() { since >= READY_LOOK } else { since >= LOOK && left > QUIET };
        let first = left.is_zero() && self.looked <= self.closes;
        if !due && !first {
            return Ok(());
        }
        api.begin(GLANCE);
        let sight = self.sight(api, left.is_zero());
        self.looked = now();
        match sight {
            Ok(Sight::Ready) => {
                let (api, unwanted) = (api.another(), self.unwanted.clone());
                self.stage = Stage::Network(Download::begin(api, self.size, self.bits, unwanted)?);
            }
            Ok(Sight::Busy) => self.idle = None,
            Ok(Sight::Idle) => {
                let since = *self.idle.get_or_insert(self.looked);
                let connected = optional(api.flag("connected"))?.unwrap_or(true);
                if !connected {
                    return Err(Fault::Closed);
                }
                if self.looked.duration_since(since) >= IDLE {
                    return Err(Fault::Failed("the camera stopped exposing and has no image"));
                }
            }
            // A server that is busy with its camera, or a network with a gap: as long as there is time, there is hope.
            Err(fault)
                if (matches!(fault, Fault::Slow(_)) || fault.is_gap())
                    && self.looked < self.closes + DEAF => {}
            Err(fault) => return Err(fault),
        }
        Ok(())
    }

    fn sight(&mut self, api: &mut Api, closed: bool) -> Result<Sight, Fault> {
        if closed && api.flag("imageready")? {
            return Ok(Sight::Ready);
        }
        // Cameras of the first interface do not tell.
        let Some(state) = optional(api.whole("camerastate"))? else { return Ok(Sight::Busy) };
        match state {
            state::IDLE if api.flag("imageready")? => Ok(Sight::Ready),
            state::IDLE => Ok(Sight::Idle),
            state::ERROR => Err(Fault::Failed("the camera reports that it has failed")),
            state::READING | state::DOWNLOAD => {
                let done = optional(api.number("percentcompleted"))?;
                self.done = done.filter(|done| (0.0..=100.0).contains(done));
                Ok(Sight::Busy)
            }
            _ => Ok(Sight::Busy),
        }
    }
}
