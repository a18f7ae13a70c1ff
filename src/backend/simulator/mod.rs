//! A simulated camera: a sensor with honest noise under a seeded sky, with a cooler, and in real time.
//!
//! Gain, offset, temperature, exposure time, binning, window and frame type mean what they mean on a real sensor
//! (`readout`), so calibration frames calibrate and a photon transfer curve is straight; the sensor is one that is sold
//! (`presets`) or whatever the settings say (`settings`). The same seed, settings and number of the frame since
//! connecting give the same bytes on any machine with as many threads as it likes.
//!
//! What outlives the process, for tests, is in `state`.
//!
//! The pixels are drawn while the shutter is open (`exposure`) with the sensor's temperature at its opening. What a
//! camera is asked for is answered in `calls`; what it can do is told in `abilities`. [`fault`] stands before it and
//! breaks it on command.
//!
//! Read [`Simulator`] first.

use std::time::{Duration, Instant, SystemTime};

mod abilities;
mod calls;
mod choice;
mod cooler;
mod cosmic;
mod exposure;
pub mod fault;
mod format;
mod guide;
mod model;
mod mosaic;
mod noise;
mod numbers;
mod pattern;
mod poisson;
mod presets;
mod readout;
mod sensor;
#[cfg(test)]
mod sensor_tests;
mod session;
mod settings;
mod sky;
mod state;

use self::cooler::Cooler;
use self::model::Model;
use self::session::Session;
use self::settings::Settings;
use super::Backend;
use super::clock::{now, utc};
use crate::camera::error::{CameraError, Result};
use crate::camera::types::{Binning, Moment, Roi};

/// The simulator among the backends.
pub const BACKEND: Backend = Backend {
    name: "simulator",
    label: "Camera Simulator",
    hardware: false,
    guides: true,
    skeleton: Some(("simulator.xml", include_str!("../../../xml-skeletons/simulator.xml"))),
    complaints: || fault::complaint().into_iter().chain(sky::complaint()).collect(),
    addresses: None,
    nodes: None,
    create: || Box::new(fault::Faulty::new(Box::new(Simulator::new()))),
};

/// A simulated camera.
pub struct Simulator {
    /// Zero of this camera's monotonic clock.
    epoch: Instant,
    settings: Settings,
    /// Outlives a connection, as the temperature of real hardware does.
    cooler: Cooler,
    roi: Roi,
    binning: Binning,
    gain: i32,
    offset: i32,
    /// Bits in the container of a pixel, as far as the converter fills them.
    bits: u8,
    /// Known from the first connection on.
    name: Option<String>,
    /// When the shutter closes, if it was opened.
    exposes_until: Option<SystemTime>,
    /// Present while connected.
    session: Option<Session>,
}

impl Simulator {
    /// A camera that is not connected yet.
    #[must_use]
    pub fn new() -> Self {
        let settings = Settings::new();
        let model = settings.model();
        Simulator {
            epoch: now(),
            roi: full(&model),
            cooler: Cooler::new(settings.conditions()),
            settings,
            binning: Binning::NONE,
            gain: model.gain.first,
            offset: model.offset.first,
            bits: 16,
            name: None,
            exposes_until: None,
            session: None,
        }
    }

    fn now(&self) -> Moment {
        Moment { elapsed: now().duration_since(self.epoch), utc: utc() }
    }

    /// Takes over the hardware as another process has left it; when its shutter closes, if it is open.
    fn take_over(&mut self, name: &str) -> Option<Duration> {
        if self.name.replace(name.to_owned()).is_some() {
            return None;
        }
        let left = state::read(name)?;
        // This camera's clock goes on from then.
        let age = utc().duration_since(left.at).unwrap_or_default();
        self.epoch = now().checked_sub(age)?;
        self.cooler = Cooler::left(self.settings.conditions(), left.cooling, left.temperature);
        left.exposes_until.and_then(|until| until.duration_since(left.at).ok())
    }

    /// Leaves the hardware as it is now to whoever comes after this process.
    fn leave(&self) {
        if let Some(name) = &self.name {
            let Moment { elapsed, utc } = self.now();
            let temperature = self.cooler.temperature(elapsed);
            let cooling = self.cooler.status();
            let exposes_until = self.exposes_until;
            state::write(name, &state::State { at: utc, cooling, temperature, exposes_until });
        }
    }

    fn connected(&mut self, call: &'static str) -> Result<&mut Session> {
        self.session.as_mut().ok_or_else(|| CameraError::not_connected(call))
    }
}

impl Default for Simulator {
    fn default() -> Self {
        Self::new()
    }
}

/// All pixels.
fn full(model: &Model) -> Roi {
    Roi { x: 0, y: 0, width: model.width, height: model.height }
}
