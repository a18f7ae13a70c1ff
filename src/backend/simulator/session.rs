//! What lasts as long as a connection: the sensor as it was built, the sky before it, and the running exposure.

use std::sync::Arc;
use std::time::Duration;

use super::exposure::Exposure;
use super::format;
use super::guide::{Mount, Pulse};
use super::pattern::Pattern;
use super::readout::Recipe;
use super::sensor::Sensor;
use super::settings::Scene;
use super::sky::{Light, Outlook, Screen};
use crate::camera::error::{CameraError, Result};
use crate::camera::types::{Cancel, Capabilities, Celsius, ExposureStatus, Frame, FrameInfo, Moment, Spare};

/// One connection.
pub(super) struct Session {
    sensor: Arc<Sensor>,
    /// What the camera was said to be able to do when it was connected.
    capabilities: Capabilities,
    /// The last sky needed.
    outlook: Option<Arc<Outlook>>,
    mount: Mount,
    /// The last test pattern needed.
    pattern: Option<Arc<Pattern>>,
    /// Exposures begun since connecting.
    exposures: u64,
    running: Option<Running>,
    /// When the shutter closes that another process has opened.
    inherited: Option<Duration>,
}

/// An exposure to come.
pub(super) struct Plan {
    pub(super) scene: Scene,
    pub(super) outlook: Arc<Outlook>,
    pub(super) recipe: Recipe,
    /// Bits in the container of a pixel.
    pub(super) bits: u8,
    /// What the thermometer says, if anything.
    pub(super) thermometer: Option<Celsius>,
    /// Memory for the pixels.
    pub(super) spare: Spare,
}

struct Running {
    exposure: Exposure,
    info: FrameInfo,
}

impl Session {
    /// `inherited` is when the shutter closes that was found open.
    pub(super) fn new(
        sensor: Sensor,
        capabilities: Capabilities,
        mount: Mount,
        inherited: Option<Duration>,
    ) -> Self {
        Session {
            sensor: Arc::new(sensor),
            capabilities,
            outlook: None,
            mount,
            pattern: None,
            exposures: 0,
            running: None,
            inherited,
        }
    }

    pub(super) fn sensor(&self) -> &Sensor {
        &self.sensor
    }

    pub(super) fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Whether the camera cannot begin another exposure at `now`. A finished one that nobody fetched can be
    /// replaced.
    pub(super) fn is_exposing(&mut self, now: Duration) -> bool {
        let status = self.running.as_mut().map(|running| running.exposure.status(now));
        let own =
            matches!(status, Some(Ok(ExposureStatus::Exposing { .. } | ExposureStatus::Reading { .. })));
        own || self.inherited.is_some_and(|closes| now < closes)
    }

    /// The sky that an exposure from `now` on will see; the one before, as long as nothing has changed.
    pub(super) fn look(
        &mut self,
        now: Duration,
        exposed: Duration,
        light: &Light,
        screen: Screen,
    ) -> Arc<Outlook> {
        self.mount.track(now, light.tracking());
        self.mount.point(now, light.told());
        let view = light.view(screen, |share| self.mount.strayed(now + exposed.mul_f64(share)));
        match &self.outlook {
            Some(outlook) if outlook.is_like(&view) => Arc::clone(outlook),
            _ => Arc::clone(self.outlook.insert(Arc::new(Outlook::new(view)))),
        }
    }

    /// Begins an exposure, in place of the one before.
    pub(super) fn expose(&mut self, now: Moment, plan: Plan, unwanted: Cancel) -> Result<()> {
        let Plan { scene, outlook, recipe, bits, thermometer, spare } = plan;
        let closes = now.elapsed + recipe.duration;
        let sensor = Arc::clone(&self.sensor);
        let exposure = match scene {
            Scene::Sky => {
                let number = self.exposures;
                Exposure::open(closes, unwanted, move |cancelled| {
                    // In the dark there is no sky to be made.
                    let sky = if recipe.is_lit() { Some(outlook.sky(cancelled)?) } else { None };
                    let pixels = sensor.read_out(sky, &recipe, number, &spare, cancelled)?;
                    Some(format::deliver(pixels, sensor.depth(), bits))
                })?
            }
            Scene::TestPattern => {
                let wanted = Pattern::new(&sensor, recipe.offset);
                let pattern = match &self.pattern {
                    Some(pattern) if pattern.is_like(&wanted) => Arc::clone(pattern),
                    _ => Arc::clone(self.pattern.insert(Arc::new(wanted))),
                };
                let (width, height) = recipe.roi.binned(recipe.binning);
                Exposure::open(closes, unwanted, move |_| {
                    let pixels = pattern.frame(width as usize, height as usize, &spare);
                    Some(format::deliver(pixels, sensor.depth(), bits))
                })?
            }
        };
        let info = FrameInfo {
            binning: recipe.binning,
            gain: self.capabilities.gain.map(|_| recipe.gain),
            offset: self.capabilities.offset.map(|_| recipe.offset),
            temperature: thermometer,
            ..FrameInfo::new(now.utc, recipe.duration, recipe.roi)
        };
        self.exposures += 1;
        self.running = Some(Running { exposure, info });
        Ok(())
    }

    pub(super) fn guide(&mut self, now: Duration, pulse: Pulse) {
        self.mount.guide(now, pulse);
    }

    pub(super) fn abort(&mut self) {
        self.running = None;
        self.inherited = None;
    }

    /// Where the exposure is at `now`; a failure is told once.
    pub(super) fn status(&mut self, now: Duration) -> Result<ExposureStatus> {
        let Some(running) = &mut self.running else {
            let left =
                self.inherited.and_then(|closes| closes.checked_sub(now)).filter(|left| !left.is_zero());
            return Ok(left.map_or(ExposureStatus::Idle, |left| ExposureStatus::Exposing { left }));
        };
        let status = running.exposure.status(now);
        if matches!(status, Ok(ExposureStatus::Idle) | Err(_)) {
            self.running = None;
        }
        status
    }

    /// The frame, once.
    pub(super) fn result(&mut self, now: Duration) -> Result<Frame> {
        self.status(now)?.check_ready()?;
        let running = self.running.take();
        running
            .and_then(|Running { mut exposure, info }| Some(Frame { pixels: exposure.take()?, info }))
            .ok_or_else(CameraError::no_frame)
    }
}
