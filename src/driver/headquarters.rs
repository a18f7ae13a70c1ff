//! The hub among the devices: what it wants done, and what it is told.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use crate::backend::Backend;
use crate::camera::error::{CameraError, ErrorKind};
use crate::camera::types::CameraId;
use crate::device::Input;
use crate::host::config_file::ConfigFile;
use crate::hub::{self, Hub, Order};
use crate::property::key::Key;
use crate::property::keys;
use crate::wire::{self, Request};

use super::scout::Scout;
use super::start::Prepared;
use super::{Driver, News};

/// The hub and what it needs to do its work.
pub(super) struct Headquarters {
    pub(super) hub: Hub,
    /// One for each family.
    pub(super) scouts: Vec<Scout>,
    pub(super) families: Vec<Backend>,
    pub(super) config: ConfigFile,
    /// The device whose camera is being connected for the hub.
    pub(super) connecting: Option<usize>,
    /// The camera for which a device is being made. What the hub wants done next, and what it says, may be about that
    /// device, and waits.
    pub(super) preparing: Option<String>,
}

impl Driver {
    pub(super) fn tell_hub(&mut self, input: hub::Input) {
        if let Some(headquarters) = &mut self.headquarters {
            headquarters.hub.handle(self.clock.now(), input);
            self.obey();
        }
    }

    /// Does what the hub wants done.
    pub(super) fn obey(&mut self) {
        while let Some(Headquarters { hub, scouts, families, config, preparing, .. }) = &mut self.headquarters
            && preparing.is_none()
            && let Some(order) = hub.poll_order()
        {
            match order {
                Order::Search { family, addresses } => scouts[family].ask(addresses),
                Order::Save(document) => save(config.clone(), document),
                Order::Serve { ordinal, family, camera } => {
                    *preparing = Some(camera.name.clone());
                    let backend = families[family];
                    self.prepare(ordinal, backend, camera);
                }
                Order::Revive { ordinal, camera } => self.handle(ordinal, Input::Found(camera)),
                Order::Retire { ordinal } => self.retire(ordinal),
                Order::Connect { name } => self.connect(name),
            }
        }
    }

    /// Has what a device is made of read where nobody waits for the disk: its name, its settings, its skeleton.
    fn prepare(&mut self, ordinal: usize, backend: Backend, camera: CameraId) {
        let hub = self.headquarters.iter().map(|headquarters| headquarters.hub.name());
        let taken = hub.chain(self.stations.values().map(|station| station.device.name()));
        let taken: Vec<String> = taken.map(str::to_owned).collect();
        let outfitter = Arc::clone(&self.outfitter);
        let work = move || {
            let find = || outfitter.found(ordinal, backend, camera, taken.iter().map(String::as_str));
            let prepared = catch_unwind(AssertUnwindSafe(find)).map(Box::new);
            let prepared =
                prepared.map_err(|_panic| io::Error::other("internal error; the log has more of it"));
            // Nobody hears it when the process ends.
            let _ = outfitter.report().blocking_send(News::Prepared(ordinal, prepared));
        };
        // Tokio would panic if there were no thread to be had.
        if let Err(error) = thread::Builder::new().name("prepare".to_owned()).spawn(work) {
            self.serve_camera(ordinal, Err(error));
        }
    }

    /// Whatever came of the preparations, the hub goes on.
    pub(super) fn serve_camera(&mut self, ordinal: usize, prepared: io::Result<Box<Prepared>>) {
        match prepared.and_then(|prepared| self.outfitter.station(*prepared)) {
            Ok(station) => {
                self.stations.insert(ordinal, station);
                // Clients may have asked while it was being prepared.
                if self.headquarters.as_ref().is_some_and(|headquarters| headquarters.hub.is_greeted()) {
                    let everything = Request::GetProperties { device: None, name: None };
                    self.handle(ordinal, Input::Request(everything));
                }
                self.drain(ordinal);
            }
            Err(error) => {
                let camera =
                    self.headquarters.as_ref().and_then(|headquarters| headquarters.preparing.as_deref());
                tracing::error!(camera, %error, "no device for a camera");
                self.tell_hub(hub::Input::Unserved { ordinal, why: error.to_string() });
            }
        }
        if let Some(headquarters) = &mut self.headquarters {
            headquarters.preparing = None;
        }
        self.obey();
    }

    /// Has a camera connected as a client would.
    fn connect(&mut self, name: String) {
        let mut stations = self.stations.iter();
        let Some((&ordinal, _)) = stations.find(|(_, station)| station.device.name() == name) else {
            let names: Vec<&str> = self.stations.values().map(|station| station.device.name()).collect();
            let detail = format!("there is no camera {name:?}; there are: {}", names.join(", "));
            let result = Err(CameraError::new(ErrorKind::OutOfRange, "connect", detail));
            return self.tell_hub(hub::Input::Connected { name, result });
        };
        if let Some(headquarters) = &mut self.headquarters {
            headquarters.connecting = Some(ordinal);
        }
        self.handle(ordinal, Input::Request(Request::New(connection(name))));
    }

    /// Answers the hub once it is known.
    pub(super) fn tell_whether_connected(&mut self, ordinal: usize) {
        let Some(Headquarters { connecting, .. }) = &mut self.headquarters else { return };
        if *connecting == Some(ordinal)
            && let Some(station) = self.stations.get(&ordinal)
            && let Some(is_connected) = station.device.is_connected()
        {
            *connecting = None;
            let detail = "the camera could not be connected; its device has said why";
            let failed = || CameraError::new(ErrorKind::NotConnected, "connect", detail);
            let result = if is_connected { Ok(()) } else { Err(failed()) };
            self.tell_hub(hub::Input::Connected { name: station.device.name().to_owned(), result });
        }
    }

    /// Deletes the device of a camera that is gone, unless a client wants it.
    fn retire(&mut self, ordinal: usize) {
        match self.stations.get(&ordinal) {
            Some(station) if station.device.is_wanted() => self.tell_hub(hub::Input::Wanted { ordinal }),
            Some(_) => {
                let station = self.stations.remove(&ordinal);
                let name = station.map(|station| station.device.name().to_owned()).unwrap_or_default();
                self.tell_hub(hub::Input::Retired { ordinal, name });
            }
            None => {}
        }
    }
}

/// What a client writes to have a camera connected.
fn connection(device: String) -> wire::New {
    wire::New {
        device: Some(device),
        name: keys::CONNECTION.vector().to_owned(),
        kind: wire::Kind::Switch,
        elements: vec![("CONNECT".to_owned(), "On".to_owned())],
    }
}

/// Writes the hub's settings where nobody waits for the disk.
fn save(config: ConfigFile, document: Vec<wire::New>) {
    tokio::task::spawn_blocking(move || {
        if let Err(error) = config.save(&wire::write::document(&document)) {
            tracing::error!(path = %config.path().display(), %error, "the addresses were not saved");
        }
    });
}
