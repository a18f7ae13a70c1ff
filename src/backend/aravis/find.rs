//! Which cameras there are, what they are called, and the way to each.

use std::fmt::Display;
use std::io;
use std::net::Ipv4Addr;
use std::thread::{self, ScopedJoinHandle};

use super::Aravis;
use super::discovery::{self, Answer};
use super::places::{Place, Places};
use super::usb::{self, UsbCamera};
use crate::camera::error::{CameraError, ErrorKind, Result};
use crate::camera::types::CameraId;

/// The place of cameras that have no address.
const USB: &str = "USB";

/// A camera, and how to open it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) camera: CameraId,
    pub(super) way: Way,
}

/// How a camera is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Network { camera: Ipv4Addr, interface: Ipv4Addr },
    Usb(UsbCamera),
}

impl Aravis {
    /// Searches all places, and says once of each address that it is silent.
    pub(super) fn search(&mut self) -> Vec<Found> {
        self.search_by(ask)
    }

    fn search_by(&mut self, ask: impl Fn(Ipv4Addr) -> Result<Found> + Sync) -> Vec<Found> {
        let mut places = self.places.clone();
        places.join(&self.told);
        let Places { given, only } = places;
        let ask = &ask;
        // All at once, so that what is silent costs no more time than one of them.
        let (answers, others) = thread::scope(|scope| {
            let asked: Vec<_> = given
                .into_iter()
                .map(|Place(address)| (address, aside().spawn_scoped(scope, move || ask(address))))
                .collect();
            let everybody = (!only).then(|| aside().spawn_scoped(scope, discovery::ask_everybody));
            let usb = if only { Vec::new() } else { usb::search() };
            let heard = everybody.and_then(|everybody| everybody.ok()?.join().ok()).unwrap_or_default();
            let others = heard.into_iter().map(network).chain(usb.into_iter().map(usb_camera));
            let answers = asked.into_iter().map(|(address, asked)| (address, answer_of(address, asked)));
            (answers.collect::<Vec<_>>(), others.collect::<Vec<_>>())
        });
        let mut found = Vec::new();
        for (address, answer) in answers {
            match answer {
                Ok(camera) => {
                    self.silent.remove(&address);
                    found.push(camera);
                }
                Err(error) => {
                    if self.silent.insert(address) {
                        tracing::warn!("{}", error.detail);
                    }
                }
            }
        }
        found.extend(others);
        unique(found)
    }

    /// Where a camera is now: where it was, or else wherever a search finds it.
    pub(super) fn find(&mut self, id: &CameraId) -> Result<Found> {
        const CALL: &str = "connect";
        let was = id.bus.as_deref().and_then(|bus| bus.parse::<Ipv4Addr>().ok());
        let here = was.map(ask);
        match here {
            Some(Ok(found)) if is_meant(id, &found.camera) => return Ok(found),
            _ => {}
        }
        if let Some(found) = self.search().into_iter().find(|found| is_meant(id, &found.camera)) {
            return Ok(found);
        }
        let (kind, detail) = match here {
            Some(Err(error)) => (error.kind, error.detail),
            _ => (ErrorKind::Disconnected, format!("there is no camera named {}", id.name)),
        };
        Err(CameraError::new(kind, CALL, detail))
    }
}

fn ask(address: Ipv4Addr) -> Result<Found> {
    match discovery::ask(address) {
        Ok(Some(answer)) => Ok(network(answer)),
        Ok(None) => {
            let detail = format!("no camera answers at {address}");
            Err(CameraError::new(ErrorKind::Disconnected, "scanning", detail))
        }
        Err(error) => Err(cannot_ask(address, error)),
    }
}

fn cannot_ask(address: Ipv4Addr, why: impl Display) -> CameraError {
    let detail = format!("cannot ask for a camera at {address}: {why}");
    CameraError::new(ErrorKind::Disconnected, "scanning", detail)
}

/// A thread beside that of the search.
fn aside() -> thread::Builder {
    thread::Builder::new().name("aravis-search".to_owned())
}

/// What came of asking an address on a thread of its own.
fn answer_of(address: Ipv4Addr, asked: io::Result<ScopedJoinHandle<Result<Found>>>) -> Result<Found> {
    let asked = asked.map_err(|error| cannot_ask(address, error))?;
    asked.join().unwrap_or_else(|_panic| Err(cannot_ask(address, "its answer cannot be read")))
}

fn network(Answer { vendor, model, serial, address, interface }: Answer) -> Found {
    let camera = identity(&vendor, &model, &serial, &address.to_string());
    Found { camera, way: Way::Network { camera: address, interface } }
}

fn usb_camera(usb: UsbCamera) -> Found {
    Found { camera: identity(&usb.vendor, &usb.model, &usb.serial, USB), way: Way::Usb(usb) }
}

/// Named after vendor, model and serial number: the same wherever the camera is plugged in.
fn identity(vendor: &str, model: &str, serial: &str, bus: &str) -> CameraId {
    // Some makers have their name in that of the model.
    let model = if model.to_lowercase().starts_with(&vendor.to_lowercase()) {
        model.to_owned()
    } else {
        format!("{vendor} {model}").trim().to_owned()
    };
    CameraId {
        name: format!("{model} {serial}"),
        model,
        serial: Some(serial.to_owned()),
        bus: Some(bus.to_owned()),
    }
}

/// Each camera once: the one that an address leads to is found on the network, too. Some makers give all their cameras one
/// serial number, so that only their places tell them apart.
fn unique(found: Vec<Found>) -> Vec<Found> {
    let mut once: Vec<Found> = Vec::new();
    for found in found {
        let is_known = |known: &Found| {
            (&known.camera.name, &known.camera.bus) == (&found.camera.name, &found.camera.bus)
        };
        if !once.iter().any(is_known) {
            once.push(found);
        }
    }
    once
}

/// Whether `camera` is the one that is asked for, which may be known by less.
fn is_meant(id: &CameraId, camera: &CameraId) -> bool {
    id.name == camera.name && (id.serial.is_none() || id.serial == camera.serial)
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, mpsc};
    use std::time::Duration;

    use super::*;

    /// Who is not asked within this time is not asked at all.
    const LIMIT: Duration = Duration::from_secs(10);

    fn camera(vendor: &str, model: &str, serial: &str, last: u8) -> Found {
        network(Answer {
            vendor: vendor.to_owned(),
            model: model.to_owned(),
            serial: serial.to_owned(),
            address: Ipv4Addr::new(10, 0, 0, last),
            interface: Ipv4Addr::new(10, 0, 0, 1),
        })
    }

    #[test]
    fn a_camera_is_named_after_vendor_model_and_serial_number() {
        let names = [
            (camera("Aravis", "Fake", "RIG1", 7), "Aravis Fake RIG1"),
            (camera("Basler", "Basler acA1300", "217", 7), "Basler acA1300 217"),
            (camera("", "Cam", "1", 7), "Cam 1"),
        ];
        for (found, name) in names {
            assert_eq!(found.camera.name, name);
            assert_eq!(found.camera.bus.as_deref(), Some("10.0.0.7"));
        }
    }

    #[test]
    fn a_camera_that_was_found_twice_is_one_and_two_of_a_kind_are_two() {
        let (one, other) = (camera("A", "B", "1", 7), camera("A", "B", "2", 8));
        let found = unique(vec![one.clone(), other.clone(), camera("A", "B", "1", 7)]);
        assert_eq!(found, [one, other]);
    }

    #[test]
    fn two_cameras_with_the_same_serial_number_are_two_where_they_are() {
        let both = [camera("A", "B", "1", 7), camera("A", "B", "1", 8)];
        assert_eq!(unique(both.to_vec()), both);
    }

    /// One that looks nowhere else.
    fn told(addresses: &[Ipv4Addr]) -> Aravis {
        let mut aravis = Aravis::new();
        let addresses: Vec<String> = addresses.iter().map(Ipv4Addr::to_string).collect();
        aravis.told = format!("only,{}", addresses.join(",")).parse().unwrap();
        aravis.places = Places::default();
        aravis
    }

    #[test]
    fn a_search_waits_for_all_silent_addresses_at_once() {
        let addresses: Vec<Ipv4Addr> = (1..=20).map(|last| Ipv4Addr::new(10, 0, 0, last)).collect();
        let mut aravis = told(&addresses);
        let (tell, asked) = mpsc::channel();
        // Whoever holds it lets no address be given up.
        let gate = Mutex::new(());
        let hold = gate.lock().unwrap();
        let ask = |address| {
            tell.send(address).unwrap();
            drop(gate.lock());
            Err(cannot_ask(address, "it is silent"))
        };
        let mut waited_for: Vec<Ipv4Addr> = thread::scope(|scope| {
            let search = scope.spawn(|| aravis.search_by(ask));
            let waited_for = addresses.iter().map_while(|_| asked.recv_timeout(LIMIT).ok()).collect();
            drop(hold);
            assert_eq!(search.join().unwrap(), []);
            waited_for
        });
        waited_for.sort();
        assert_eq!(waited_for, addresses);
        assert_eq!(aravis.silent.len(), addresses.len());
    }

    #[test]
    fn an_address_where_nobody_answers_has_no_camera() {
        let nobody = Ipv4Addr::new(127, 0, 77, 1);
        let mut aravis = told(&[nobody]);
        assert_eq!(aravis.search(), []);
        assert!(aravis.silent.contains(&nobody));
    }

    #[test]
    fn a_camera_is_recognised_wherever_it_is_and_by_its_name_alone() {
        let found = camera("A", "B", "1", 7).camera;
        assert!(is_meant(&camera("A", "B", "1", 9).camera, &found));
        assert!(is_meant(&CameraId { serial: None, bus: None, ..found.clone() }, &found));
        assert!(!is_meant(&camera("A", "B", "2", 7).camera, &found));
        assert!(!is_meant(&CameraId { name: "no such camera".to_owned(), ..found.clone() }, &found));
    }
}
