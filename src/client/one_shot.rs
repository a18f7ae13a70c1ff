//! Settings for one exposure: set before it, and put back after it.

use tokio::sync::OwnedMutexGuard;

use super::ask::{Settled, Wish};
use super::camera::Camera;
use super::error::Result;
use crate::camera::types::{Binning, FrameType, Roi};
use crate::camera::wish::ExposureWish;

/// A switch that is on instead of another one of its vector.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instead {
    vector: &'static str,
    /// Where this one is on,
    of: &'static str,
    /// this one is what is wanted.
    wanted: &'static str,
}

/// What one frame for us takes: that it is sent, without being saved any less, and that it is one.
pub(super) const ONE_FRAME: [Instead; 2] = [
    Instead { vector: "UPLOAD_MODE", of: "UPLOAD_LOCAL", wanted: "UPLOAD_BOTH" },
    Instead { vector: "CCD_FAST_TOGGLE", of: "INDI_ENABLED", wanted: "INDI_DISABLED" },
];

/// What is changed for one exposure. While it lives no other exposure of this camera starts; dropped, it puts back what
/// was before.
#[derive(Debug)]
pub(super) struct OneShot {
    camera: Camera,
    before: Before,
    lock: Option<OwnedMutexGuard<()>>,
}

/// What the camera was set to, as far as it was changed.
#[derive(Debug, Default)]
struct Before {
    switches: Vec<Instead>,
    gain: Option<i32>,
    offset: Option<i32>,
    binning: Option<Binning>,
    roi: Option<Roi>,
    frame_type: Option<FrameType>,
}

impl OneShot {
    /// Waits until no other exposure has settings of its own.
    pub(super) async fn lock(camera: &Camera) -> OneShot {
        let lock = camera.server().settings(camera.name()).lock_owned().await;
        OneShot { camera: camera.clone(), before: Before::default(), lock: Some(lock) }
    }

    /// Turns these switches, as far as the camera has them.
    pub(super) async fn turn(&mut self, switches: &[Instead]) -> Result<()> {
        for &switch in switches {
            let Instead { vector, of, wanted } = switch;
            if self.camera.look(|_, device| Ok(device.is_on(vector, of)))? == Some(true) {
                self.before.switches.push(switch);
                self.camera.ask(vector, &[(wanted, Wish::On(true))], Settled::Done).await?;
            }
        }
        Ok(())
    }

    /// Sets what the wish names and what is not so already.
    pub(super) async fn set(&mut self, wish: &ExposureWish) -> Result<()> {
        let camera = &self.camera;
        if let Some(frame_type) = wish.frame_type {
            let was = camera.get_frame_type().await?;
            change(&mut self.before.frame_type, was, frame_type, camera.set_frame_type(frame_type)).await?;
        }
        if let Some(gain) = wish.gain {
            let was = camera.get_gain().await?;
            change(&mut self.before.gain, was, gain, camera.set_gain(gain)).await?;
        }
        if let Some(offset) = wish.offset {
            let was = camera.get_offset().await?;
            change(&mut self.before.offset, was, offset, camera.set_offset(offset)).await?;
        }
        if let Some(binning) = wish.binning {
            let was = camera.get_binning().await?;
            change(&mut self.before.binning, was, binning, camera.set_binning(binning)).await?;
        }
        if let Some(roi) = wish.roi {
            let was = camera.get_camera_roi().await?;
            let was = Roi { x: was.start_x, y: was.start_y, width: was.width, height: was.height };
            change(&mut self.before.roi, was, roi, camera.set_camera_roi(roi)).await?;
        }
        Ok(())
    }

    /// Puts everything back now.
    pub(super) async fn put_back(mut self) {
        std::mem::take(&mut self.before).put_back(&self.camera).await;
    }

    /// Puts everything back when that exposure has ended, however it does.
    pub(super) fn put_back_after(self, session: u64, exposure: u64) {
        if self.before.is_nothing() {
            return;
        }
        tokio::spawn(async move {
            let _ = self.camera.ended(session, exposure).await;
            self.put_back().await;
        });
    }
}

impl Drop for OneShot {
    /// Given up half-way: whoever did that does not wait.
    fn drop(&mut self) {
        let before = std::mem::take(&mut self.before);
        if before.is_nothing() {
            return;
        }
        let (camera, lock) = (self.camera.clone(), self.lock.take());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                before.put_back(&camera).await;
                drop(lock);
            });
        }
    }
}

/// Sets what is not so already, and keeps what it was.
async fn change<T: PartialEq>(
    before: &mut Option<T>,
    was: T,
    wanted: T,
    set: impl Future<Output = Result<()>>,
) -> Result<()> {
    if was != wanted {
        *before = Some(was);
        set.await?;
    }
    Ok(())
}

impl Before {
    async fn put_back(self, camera: &Camera) {
        // Whatever becomes of the settings: a camera that is to save its frames must do so again.
        for done in [self.settings_back(camera).await, self.switches_back(camera).await] {
            if let Err(error) = done {
                tracing::warn!(camera = camera.name(), %error, "settings of one exposure are not put back");
            }
        }
    }

    /// In the reverse order: a window may not fit the binning that comes after it.
    async fn settings_back(&self, camera: &Camera) -> Result<()> {
        if let Some(roi) = self.roi {
            camera.set_camera_roi(roi).await?;
        }
        if let Some(binning) = self.binning {
            camera.set_binning(binning).await?;
        }
        if let Some(offset) = self.offset {
            camera.set_offset(offset).await?;
        }
        if let Some(gain) = self.gain {
            camera.set_gain(gain).await?;
        }
        if let Some(frame_type) = self.frame_type {
            camera.set_frame_type(frame_type).await?;
        }
        Ok(())
    }

    async fn switches_back(&self, camera: &Camera) -> Result<()> {
        for Instead { vector, of, .. } in &self.switches {
            camera.ask(vector, &[(of, Wish::On(true))], Settled::Done).await?;
        }
        Ok(())
    }

    fn is_nothing(&self) -> bool {
        let Before { switches, gain, offset, binning, roi, frame_type } = self;
        let none = gain.is_none() && offset.is_none() && binning.is_none();
        none && roi.is_none() && frame_type.is_none() && switches.is_empty()
    }
}
