//! Exposures: started, followed, aborted, fetched.

use std::sync::Arc;
use std::time::Duration;

use super::ask::within;
use super::camera::Camera;
use super::error::{ClientError, Result};
use super::image::Frame;
use super::info;
use super::line::{Order, abort};
use super::mirror::{Device, EXPOSURE, Mirror};
use super::one_shot::{Instead, ONE_FRAME, OneShot};
use super::progress::{Progress, Shot};
use super::tracker::{Plan, Tracker};
use crate::camera::answer::{ExposureBegun, ExposureProgress};
use crate::camera::types::FrameType;
use crate::camera::wish::ExposureWish;
use crate::wire::{Kind, New, Request, State};

/// How often progress is told while nothing is heard.
const TICK: Duration = Duration::from_millis(250);
/// The only element of [`EXPOSURE`].
const SECONDS: &str = "CCD_EXPOSURE_VALUE";

/// An exposure that runs, for who follows it. Dropped before its end, it is aborted.
#[derive(Debug)]
pub struct Exposure {
    camera: Camera,
    begun: ExposureBegun,
    session: u64,
    finished: bool,
}

impl Camera {
    /// Starts an exposure and returns as soon as it has been asked for; a refusal is told by the status and the result.
    /// Settings that `wish` names count for this exposure only: they are set before, and put back after its end.
    ///
    /// [`ClientError::Busy`] while one runs, ours or another client's.
    pub async fn start_exposure(&self, wish: &ExposureWish) -> Result<ExposureBegun> {
        self.start(wish, &[]).await.map(|(begun, _)| begun)
    }

    /// Starts an exposure that is followed to its end, and aborted when nobody follows it any more.
    pub async fn expose(&self, wish: &ExposureWish) -> Result<Exposure> {
        self.follow(wish, &[]).await
    }

    async fn follow(&self, wish: &ExposureWish, switches: &[Instead]) -> Result<Exposure> {
        let (begun, session) = self.start(wish, switches).await?;
        Ok(Exposure { camera: self.clone(), begun, session, finished: false })
    }

    /// Takes one frame: connects the camera where that has not been done, exposes, and waits for the end. A camera that
    /// only saves its frames sends this one besides, and one that makes a run of each exposure makes one frame of this;
    /// `UPLOAD_MODE` and `CCD_FAST_TOGGLE` are put back after it. `progress` is shown how it goes, several times a
    /// second. Dropped before its end, it aborts.
    pub async fn capture(&self, wish: &ExposureWish, progress: impl FnMut(&Progress)) -> Result<Arc<Shot>> {
        self.connect().await?;
        self.follow(wish, &ONE_FRAME).await?.finish(progress).await
    }

    /// Ends the exposure and drops its frame. Returns when the camera has stopped; `false` when none was running.
    pub async fn abort_exposure(&self) -> Result<bool> {
        let session = self.appear().await?;
        let (busy, sequence) = self.look(|mirror, device| {
            let vector = self.defined(device, EXPOSURE)?;
            let running = vector.state == State::Busy || device.exposure.running().is_some();
            Ok((running, mirror.sequence()))
        })?;
        if !busy {
            return Ok(false);
        }
        if self.look(|_, device| Ok(device.vector("CCD_ABORT_EXPOSURE").is_none()))? {
            return Err(ClientError::not_supported(self.name(), "it has no CCD_ABORT_EXPOSURE"));
        }
        self.give_up(session);
        let limit = self.server().patience().answer;
        let what = format!("the abort of the exposure of {}", self.name());
        let stopped = self.until(session, limit, what, |device| {
            let told = |name| {
                device.vector(name).filter(|vector| vector.set_sequence > sequence).map(|vector| vector.state)
            };
            match (told("CCD_ABORT_EXPOSURE"), device.vector(EXPOSURE).map(|vector| vector.state)) {
                (Some(State::Alert), Some(State::Busy)) => Some(Ok(false)),
                (Some(_), Some(State::Busy)) | (None, _) => None,
                _ => Some(Ok(true)),
            }
        });
        if stopped.await? { Ok(true) } else { Err(self.failure(session, sequence, "the abort").await) }
    }

    /// Where the exposure is; never an error merely because none runs.
    pub async fn get_exposure_status(&self) -> Result<ExposureProgress> {
        self.appear().await?;
        let now = self.server().now();
        self.look(|_, device| {
            self.defined(device, EXPOSURE)?;
            Ok(device.exposure.progress(now).into())
        })
    }

    /// The last frame: its pixels, and all that is known of it. It can be read until the next one replaces it.
    ///
    /// [`ClientError::NoFrame`] before the first and while an exposure runs, and why the last one failed if it did.
    pub async fn get_exposure_result(&self) -> Result<Frame> {
        self.last_shot().await?.frame().await
    }

    /// The same without reading the pixels.
    pub async fn last_shot(&self) -> Result<Arc<Shot>> {
        self.appear().await?;
        let device = self.name().to_owned();
        self.look(|_, known| {
            if known.exposure.running().is_some() {
                return Err(ClientError::Busy { device, why: "its exposure runs".to_owned() });
            }
            match known.exposure.last() {
                None => Err(ClientError::NoFrame { device, why: "none has been asked for".to_owned() }),
                Some(Err(ClientError::Aborted { .. })) => {
                    Err(ClientError::NoFrame { device, why: "the last exposure was aborted".to_owned() })
                }
                Some(Err(error)) => Err(ClientError::NoFrame { device, why: error.to_string() }),
                Some(Ok(shot)) => Ok(Arc::clone(shot)),
            }
        })
    }

    /// Where the exposure is, and the sensor's temperature.
    pub(super) fn progress(&self) -> Result<Progress> {
        let now = self.server().now();
        self.look(|_, device| {
            Ok(Progress { temperature: info::temperature(device), ..device.exposure.progress(now) })
        })
    }

    async fn start(&self, wish: &ExposureWish, switches: &[Instead]) -> Result<(ExposureBegun, u64)> {
        let session = self.appear().await?;
        self.stopped(session).await?;
        let bounds = self.look(|_, device| {
            let vector = self.defined(device, EXPOSURE)?;
            let why = match device.exposure.running() {
                Some(_) => "its exposure runs",
                None if vector.state == State::Busy => "another client's exposure runs",
                None => return Ok(device.limits(EXPOSURE, SECONDS)),
            };
            Err(ClientError::Busy { device: self.name().to_owned(), why: why.to_owned() })
        })?;
        let seconds = match (wish.frame_type, bounds) {
            (Some(FrameType::Bias), Some((shortest, _))) => shortest,
            _ => wish.exposure,
        };
        within("exposure", seconds, bounds)?;
        if seconds < 0.0 {
            return Err(ClientError::Invalid(format!("exposure takes seconds, not {seconds}")));
        }
        // Frames that we did not want until now are wanted from the first one on.
        self.server().order(Order::WantFrames { device: self.name().to_owned() });
        let mut settings = OneShot::lock(self).await;
        let begun = async {
            settings.turn(switches).await?;
            settings.set(wish).await?;
            self.begin(session, seconds).await
        };
        let begun = begun.await;
        match begun {
            Ok(begun) => {
                settings.put_back_after(session, begun.exposure_id);
                Ok((begun, session))
            }
            Err(error) => {
                settings.put_back().await;
                Err(error)
            }
        }
    }

    /// Waits until a camera that was told to stop has done so.
    async fn stopped(&self, session: u64) -> Result<()> {
        let limit = self.server().patience().answer;
        let what = format!("the abort of the exposure of {}", self.name());
        let stopped = |device: &Device| (!device.exposure.is_stopping()).then_some(Ok(()));
        match self.until(session, limit, what, stopped).await {
            Err(ClientError::Timeout { .. }) => {
                self.change(Tracker::assume_stopped);
                Ok(())
            }
            stopped => stopped,
        }
    }

    async fn begin(&self, session: u64, seconds: f64) -> Result<ExposureBegun> {
        let late = self.look(|_, device| Ok(device.exposure.late_until()))?;
        let patience = late.saturating_sub(self.server().now());
        if !patience.is_zero() {
            let came = |device: &Device| device.exposure.late_until().is_zero().then_some(Ok(()));
            match self.until(session, patience, "a late frame", came).await {
                Ok(()) | Err(ClientError::Timeout { .. }) => {}
                Err(gone) => return Err(gone),
            }
        }
        let id = self.server().next_exposure();
        let (now, allowance) = (self.server().now(), self.server().patience().read_out);
        let begun = self.server().change(|mirror: &mut Mirror| {
            let sequence = mirror.sequence();
            let Some(device) = mirror.device_mut(self.name()) else { return Err(self.no_camera()) };
            let spec = info::spec(device, seconds);
            let expected_bytes = info::expected_bytes(device, &spec);
            let sends = device.is_on("UPLOAD_MODE", "UPLOAD_LOCAL") != Some(true);
            let temperature = info::temperature(device);
            device.exposure.begin(now, sequence, id, Plan { spec, sends, allowance, temperature })?;
            let deadline_s = seconds + allowance.as_secs_f64();
            Ok(ExposureBegun { exposure_id: id, deadline_s, expected_bytes })
        });
        let begun = begun.unwrap_or_else(|| Err(self.no_camera()))?;
        let elements = vec![(SECONDS.to_owned(), crate::wire::number::Decimal(seconds).to_string())];
        let (device, name) = (Some(self.name().to_owned()), EXPOSURE.to_owned());
        self.server().say(session, Request::New(New { device, name, kind: Kind::Number, elements }));
        Ok(begun)
    }

    /// Whether the exposure that runs may end early.
    pub(super) fn expect_an_early_end(&self, early: bool) {
        self.change(|exposure| exposure.stop(early));
    }

    fn change(&self, change: impl FnOnce(&mut Tracker)) {
        self.server().change(|mirror: &mut Mirror| {
            mirror.device_mut(self.name()).map(|device| change(&mut device.exposure))
        });
    }

    fn no_camera(&self) -> ClientError {
        ClientError::DeviceGone { device: self.name().to_owned(), why: "its driver took it away".to_owned() }
    }

    /// Waits for the end of an exposure, which the tracker sees to.
    pub(super) async fn ended(&self, session: u64, id: u64) -> Result<Arc<Shot>> {
        let limit = Duration::MAX;
        self.until(session, limit, "the end of the exposure", |device| {
            let other = || (device.exposure.running() != Some(id)).then(|| Err(self.no_camera()));
            device.exposure.outcome(id).cloned().or_else(other)
        })
        .await
    }

    /// Tells the camera to stop, without waiting for it.
    fn give_up(&self, session: u64) {
        let now = self.server().now();
        self.change(|exposure| exposure.abort(now));
        self.server().say(session, abort(self.name()));
    }
}

impl Exposure {
    /// What is known since it began.
    #[must_use]
    pub fn begun(&self) -> &ExposureBegun {
        &self.begun
    }

    /// Where it is.
    pub fn progress(&self) -> Result<Progress> {
        self.camera.progress()
    }

    /// Waits for its end; `progress` is shown how it goes, several times a second.
    pub async fn finish(mut self, mut progress: impl FnMut(&Progress)) -> Result<Arc<Shot>> {
        let camera = self.camera.clone();
        let ended = camera.ended(self.session, self.begun.exposure_id);
        tokio::pin!(ended);
        let mut news = camera.server().watch();
        let mut ticks = tokio::time::interval(TICK);
        let outcome = loop {
            tokio::select! {
                biased;
                outcome = &mut ended => break outcome,
                _ = ticks.tick() => {}
                changed = news.changed() => if changed.is_err() {
                    break Err(camera.server().gone("the runtime ends".to_owned()));
                },
            }
            if let Ok(now) = camera.progress() {
                progress(&now);
            }
        };
        self.finished = true;
        // What was set for this exposure only is put back before anybody goes on, or away.
        camera.server().settled(camera.name()).await;
        outcome
    }
}

impl Drop for Exposure {
    fn drop(&mut self) {
        let runs =
            || self.camera.look(|_, device| Ok(device.exposure.running() == Some(self.begun.exposure_id)));
        if !self.finished && runs().unwrap_or(false) {
            self.camera.give_up(self.session);
        }
    }
}
