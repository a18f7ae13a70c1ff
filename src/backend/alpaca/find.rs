//! Which camera is meant, and where it is now.

use super::api::Api;
use super::places::Place;
use super::session::Session;
use super::{Alpaca, scan};
use crate::camera::error::{CameraError, ErrorKind, Result};
use crate::camera::types::{CameraId, Capabilities};

impl Alpaca {
    /// Searches all places, and says once of each that it is silent.
    pub(super) fn search(&mut self) -> Vec<CameraId> {
        let mut places = self.places.clone();
        places.join(&self.told);
        let found = scan::search(&places);
        for (place, why) in &found.silent {
            if self.silent.insert(place.clone()) {
                tracing::warn!("{why}");
            }
        }
        let is_silent = |place: &Place| found.silent.iter().any(|(silent, _)| silent == place);
        self.silent.retain(is_silent);
        self.known.clone_from(&found.cameras);
        found.cameras
    }

    /// Opens a camera, wherever it is.
    pub(super) fn open(&mut self, id: &CameraId) -> Result<Capabilities> {
        const CALL: &str = "connect";
        if let Some(session) = &self.session {
            if is_meant(id, &session.camera) {
                return Ok(session.facts.can.clone());
            }
            let detail = format!("disconnect {} first", session.camera.name);
            return Err(CameraError::new(ErrorKind::Busy, CALL, detail));
        }
        let camera = CameraId { name: id.name.clone(), ..self.find(id)? };
        let place = camera.bus.as_deref().and_then(split);
        let Some((address, number)) = place else {
            let detail = format!("nobody knows where {} is", camera.name);
            return Err(CameraError::new(ErrorKind::InvalidValue, CALL, detail));
        };
        let session = Session::open(Api::new(address, number), camera.clone(), &self.wanted)
            .map_err(|fault| fault.of(CALL, address))?;
        for (list, names) in [("gain", &session.facts.gains), ("offset", &session.facts.offsets)] {
            let names: Vec<String> =
                names.iter().enumerate().map(|(number, name)| format!("{number} {name}")).collect();
            if !names.is_empty() {
                tracing::info!("{} of {} means: {}", list, camera.name, names.join(", "));
            }
        }
        Ok(self.session.insert(session).facts.can.clone())
    }

    /// Where a camera is now: where it was, or else wherever a search finds it.
    fn find(&mut self, id: &CameraId) -> Result<CameraId> {
        const CALL: &str = "connect";
        let meant = |cameras: Vec<CameraId>| cameras.into_iter().find(|camera| is_meant(id, camera));
        let mut fault = None;
        if let Some((address, _)) = id.bus.as_deref().and_then(split) {
            match scan::cameras_at(address).map(meant) {
                Ok(Some(camera)) => return Ok(camera),
                Ok(None) => {}
                Err(why) => fault = Some(why.of(CALL, address)),
            }
        }
        if id.bus.is_none()
            && let Some(camera) = meant(self.known.clone())
        {
            return Ok(camera);
        }
        // What has no identity but its place is nowhere else.
        if (id.serial.is_some() || id.bus.is_none())
            && let Some(camera) = meant(self.search())
        {
            return Ok(camera);
        }
        Err(fault.unwrap_or_else(|| {
            let detail = format!("there is no camera named {}", id.name);
            CameraError::new(ErrorKind::InvalidValue, CALL, detail)
        }))
    }
}

/// Whether `camera` is the one that is asked for, which may be known by less, or by a longer name: see
/// [`scan::search`].
fn is_meant(id: &CameraId, camera: &CameraId) -> bool {
    let name = id.name.starts_with(&camera.name);
    match (&id.serial, &id.bus) {
        (Some(serial), _) => name && camera.serial.as_ref() == Some(serial),
        (None, Some(bus)) => name && camera.bus.as_ref() == Some(bus),
        (None, None) => id.name == camera.name,
    }
}

/// The server's address and the camera's number there.
fn split(bus: &str) -> Option<(&str, u32)> {
    let (address, number) = bus.rsplit_once('/')?;
    Some((address, number.parse().ok()?))
}
