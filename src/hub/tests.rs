//! The hub with a virtual clock.

use std::time::SystemTime;

use super::*;
use crate::camera::error::{CameraError, ErrorKind};
use crate::property::load::load;
use crate::wire::{self, Kind};

mod hangs;
mod random;
mod twins;

struct Rehearsal {
    hub: Hub,
    now: Duration,
}

impl Rehearsal {
    fn new(families: &[(&'static str, Option<&'static str>)], saved: Vec<New>) -> Self {
        let mut vectors = load(keys::BASE.file(), keys::BASE.source()).unwrap();
        vectors.retain(|vector| {
            ["CONNECTION", "DRIVER_INFO", "CAMERA_CALL", "CAMERA_REPLY"].contains(&vector.name.as_str())
        });
        vectors.extend(load(keys::HUB.file(), keys::HUB.source()).unwrap());
        let setup = Setup {
            name: "Hub".to_owned(),
            driver: Default::default(),
            vectors,
            families: families
                .iter()
                .map(|&(name, addresses)| Family { name, addresses, given: Vec::new() })
                .collect(),
            saved,
            first_ordinal: 0,
        };
        let now = Moment { elapsed: Duration::ZERO, utc: SystemTime::UNIX_EPOCH };
        Rehearsal { hub: Hub::new(setup, now), now: Duration::ZERO }
    }

    fn handle(&mut self, input: Input) {
        self.hub.handle(Moment { elapsed: self.now, utc: SystemTime::UNIX_EPOCH }, input);
    }

    /// Lets the time pass in which the hub wants nothing, at most until then.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(deadline) = self.hub.deadline().filter(|deadline| *deadline <= end) {
            self.now = self.now.max(deadline);
            self.handle(Input::Deadline);
        }
        self.now = end;
    }

    fn found(&mut self, family: usize, cameras: &[CameraId]) {
        self.handle(Input::Found { family, cameras: Ok(cameras.to_vec()) });
    }

    fn orders(&mut self) -> Vec<Order> {
        std::iter::from_fn(|| self.hub.poll_order()).collect()
    }

    fn greet(&mut self) {
        self.handle(Input::Request(Request::GetProperties { device: None, name: None }));
        self.said();
    }

    fn write(&mut self, vector: &str, kind: Kind, element: &str, value: &str) {
        let elements = vec![(element.to_owned(), value.to_owned())];
        let new = New { device: Some("Hub".to_owned()), name: vector.to_owned(), kind, elements };
        self.handle(Input::Request(Request::New(new)));
    }

    /// What went out, as bytes.
    fn said(&mut self) -> String {
        let mut bytes = Vec::new();
        while let Some(message) = self.hub.poll_message() {
            wire::write::message(&message, &mut bytes);
        }
        String::from_utf8(bytes).unwrap()
    }
}

fn camera(serial: &str, bus: &str) -> CameraId {
    let name = || "Cam".to_owned();
    CameraId { name: name(), model: name(), serial: Some(serial.to_owned()), bus: Some(bus.to_owned()) }
}

fn search(family: usize) -> Order {
    Order::Search { family, addresses: Vec::new() }
}

fn served(orders: &[Order]) -> Vec<(usize, &str)> {
    let served = orders.iter().filter_map(|order| match order {
        Order::Serve { ordinal, camera, .. } => Some((*ordinal, camera.serial.as_deref()?)),
        _ => None,
    });
    served.collect()
}

#[test]
fn every_family_is_searched_at_the_start_and_each_camera_gets_a_device() {
    let mut stage = Rehearsal::new(&[("v4l2", None), ("alpaca", Some("ALPACA"))], Vec::new());
    assert_eq!(stage.orders(), [search(0), search(1)]);
    stage.found(0, &[camera("A", "1"), camera("B", "2")]);
    stage.found(1, &[camera("A", "host")]);
    // The same serial number in another family is another camera.
    assert_eq!(served(&stage.orders()), [(0, "A"), (1, "B"), (2, "A")]);
    stage.found(0, &[camera("B", "2"), camera("A", "1")]);
    assert_eq!(stage.orders(), []);
}

#[test]
fn a_camera_that_resets_its_bus_is_not_removed() {
    let mut stage = Rehearsal::new(&[("v4l2", None)], Vec::new());
    stage.found(0, &[camera("A", "1")]);
    stage.orders();
    for _ in 0..3 {
        stage.handle(Input::Plugged { family: 0 });
    }
    assert_eq!(stage.orders(), [], "searched before the events have settled");
    stage.pass(Duration::from_secs(1));
    assert_eq!(stage.orders(), [search(0)]);
    stage.found(0, &[]);
    assert_eq!(stage.orders(), []);
    stage.pass(Duration::from_secs(3));
    assert_eq!(stage.orders(), [search(0)]);
    stage.found(0, &[camera("A", "1")]);
    assert_eq!(stage.orders(), [Order::Revive { ordinal: 0, camera: camera("A", "1") }]);
}

#[test]
fn a_camera_that_stays_away_loses_its_device_unless_a_client_wants_it() {
    let mut stage = Rehearsal::new(&[("v4l2", None)], Vec::new());
    stage.found(0, &[camera("A", "1")]);
    stage.greet();
    stage.orders();
    stage.found(0, &[]);
    stage.pass(Duration::from_secs(4));
    stage.found(0, &[]);
    assert_eq!(stage.orders(), [search(0), Order::Retire { ordinal: 0 }]);
    stage.handle(Input::Wanted { ordinal: 0 });
    stage.pass(Duration::from_secs(20));
    stage.found(0, &[]);
    assert_eq!(stage.orders(), [search(0), Order::Retire { ordinal: 0 }]);
    stage.handle(Input::Retired { ordinal: 0, name: "Cam A".to_owned() });
    let said = stage.said();
    assert!(said.contains("<delProperty device=\"Cam A\""), "{said}");
    // It comes back under a number that was never used.
    stage.found(0, &[camera("A", "1")]);
    assert_eq!(served(&stage.orders()), [(1, "A")]);
}

#[test]
fn a_camera_that_could_not_be_served_is_told_of_and_served_when_it_is_found_again() {
    let mut stage = Rehearsal::new(&[("v4l2", None)], Vec::new());
    stage.greet();
    stage.found(0, &[camera("A", "1"), camera("B", "2")]);
    stage.orders();
    stage.said();
    stage.handle(Input::Unserved { ordinal: 0, why: "no threads".to_owned() });
    let said = stage.said();
    assert_eq!(said.matches("[ERROR] Cam A has no device: no threads").count(), 1, "{said}");
    call(&mut stage, "scanning", "");
    assert_eq!(stage.orders(), [search(0)]);
    stage.found(0, &[camera("A", "1"), camera("B", "2")]);
    assert_eq!(served(&stage.orders()), [(2, "A")]);
}

#[test]
fn a_camera_that_moved_is_the_same_camera() {
    let mut stage = Rehearsal::new(&[("v4l2", None)], Vec::new());
    stage.found(0, &[camera("A", "1"), camera("B", "2")]);
    stage.orders();
    stage.found(0, &[camera("A", "2"), camera("B", "1")]);
    let moved = [
        Order::Revive { ordinal: 0, camera: camera("A", "2") },
        Order::Revive { ordinal: 1, camera: camera("B", "1") },
    ];
    assert_eq!(stage.orders(), moved);
}

#[test]
fn clients_see_the_search_and_what_it_found() {
    let mut stage = Rehearsal::new(&[("v4l2", None), ("alpaca", Some("ALPACA"))], Vec::new());
    stage.greet();
    stage.found(0, &[camera("A", "1")]);
    let said = stage.said();
    assert!(said.contains("name=\"CAMERAS\" state=\"Busy\""), "{said}");
    assert!(said.contains("Cam A"), "{said}");
    let refused = CameraError::new(ErrorKind::Io, "scanning", "nobody answers");
    stage.handle(Input::Found { family: 1, cameras: Err(refused) });
    let said = stage.said();
    assert!(said.contains("name=\"CAMERA_SCAN\" state=\"Alert\""), "{said}");
    assert_eq!(said.matches("<message").count(), 1, "{said}");
    stage.orders();
    stage.write("CAMERA_SCAN", Kind::Switch, "SCAN", "On");
    assert_eq!(stage.orders(), [search(0), search(1)]);
    assert!(stage.said().contains("name=\"CAMERA_SCAN\" state=\"Busy\""));
    stage.found(0, &[]);
    stage.found(1, &[]);
    let said = stage.said();
    assert!(said.contains("name=\"CAMERA_SCAN\" state=\"Ok\""), "{said}");
}

#[test]
fn an_address_is_searched_at_once_and_kept() {
    let mut stage = Rehearsal::new(&[("v4l2", None), ("alpaca", Some("ALPACA"))], Vec::new());
    stage.found(0, &[]);
    stage.found(1, &[]);
    stage.greet();
    stage.orders();
    stage.write("CAMERA_ADDRESSES", Kind::Text, "ALPACA", " 10.0.0.1:11111, ,obs:80 ");
    let orders = stage.orders();
    let [Order::Save(document), Order::Search { family: 1, addresses }] = &orders[..] else {
        panic!("{orders:?}")
    };
    assert_eq!(addresses, &["10.0.0.1:11111", "obs:80"]);
    let mut next = Rehearsal::new(&[("alpaca", Some("ALPACA"))], document.clone());
    let orders = next.orders();
    let [Order::Search { addresses, .. }] = &orders[..] else { panic!("{orders:?}") };
    assert_eq!(addresses, &["10.0.0.1:11111", "obs:80"]);
}

#[test]
fn what_cannot_be_written_is_refused_with_a_sentence() {
    let mut stage = Rehearsal::new(&[("v4l2", None)], Vec::new());
    stage.greet();
    stage.write("CAMERAS", Kind::Text, "v4l2", "mine");
    let said = stage.said();
    assert!(said.contains("[ERROR] CAMERAS is read-only"), "{said}");
    stage.write("CCD_EXPOSURE", Kind::Number, "CCD_EXPOSURE_VALUE", "1");
    let said = stage.said();
    assert!(said.contains("[ERROR] there is no property CCD_EXPOSURE now"), "{said}");
    // No family has addresses, so there is no such property.
    stage.write("CAMERA_ADDRESSES", Kind::Text, "ALPACA", "x");
    let said = stage.said();
    assert!(said.contains("there is no property CAMERA_ADDRESSES now"), "{said}");
}

/// A write of CAMERA_CALL.
fn call(hub: &mut Rehearsal, name: &str, params: &str) {
    let elements = vec![("NAME".to_owned(), name.to_owned()), ("PARAMS".to_owned(), params.to_owned())];
    let new =
        New { device: Some("Hub".to_owned()), name: "CAMERA_CALL".to_owned(), kind: Kind::Text, elements };
    hub.handle(Input::Request(Request::New(new)));
}

#[test]
fn scanning_by_name_answers_when_every_family_has_been_searched() {
    let mut hub = Rehearsal::new(&[("USB", None), ("NET", None)], Vec::new());
    hub.greet();
    hub.found(0, &[]);
    hub.found(1, &[]);
    hub.said();
    call(&mut hub, "scanning", "");
    hub.found(0, &[camera("1", "a")]);
    let said = hub.said();
    assert!(!said.contains("CAMERA_REPLY"), "{said}");
    hub.found(1, &[]);
    let said = hub.said();
    assert!(said.contains("CAMERA_REPLY") && said.contains(r#""camera":["Cam 1"]"#), "{said}");
    call(&mut hub, "scanning", "[");
    assert!(hub.said().contains("invalid_value"));
}

#[test]
fn a_camera_is_connected_by_name_and_the_answer_waits_for_it() {
    let mut hub = Rehearsal::new(&[("USB", None)], Vec::new());
    hub.greet();
    hub.found(0, &[camera("1", "a")]);
    hub.orders();
    call(&mut hub, "connect", r#"{"device_name": "Cam 1"}"#);
    // Another call waits for its turn.
    call(&mut hub, "connect", r#"{"device_name": "Cam 2"}"#);
    let connect = |name: &str| Order::Connect { name: name.to_owned() };
    assert_eq!(hub.orders(), [connect("Cam 1")]);
    assert!(!hub.said().contains("CAMERA_REPLY"));
    hub.handle(Input::Connected { name: "Cam 1".to_owned(), result: Ok(()) });
    let said = hub.said();
    assert!(said.contains(r#"{"device_name":"Cam 1"}"#), "{said}");
    assert_eq!(hub.orders(), [connect("Cam 2")]);
    hub.pass(Duration::from_secs(121));
    let said = hub.said();
    assert!(said.contains("was not connected in time") && said.contains("timeout"), "{said}");
    // An answer that comes too late is nobody's.
    hub.handle(Input::Connected { name: "Cam 2".to_owned(), result: Ok(()) });
    assert_eq!(hub.said(), "");
}

#[test]
fn calls_of_a_camera_are_refused_by_the_hub_with_what_to_do() {
    let mut hub = Rehearsal::new(&[("USB", None)], Vec::new());
    hub.greet();
    call(&mut hub, "start_exposure", r#"{"exposure": 1}"#);
    let said = hub.said();
    assert!(said.contains("not_supported") && said.contains("CAMERA_CALL of a camera"), "{said}");
    call(&mut hub, "connect", "");
    assert!(hub.said().contains("device_name"));
}
