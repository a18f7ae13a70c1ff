//! Which cameras there are: an INDI device of its own beside those of the cameras, and as pure as they are.
//!
//! The hub has every family of cameras searched when the driver starts, when a client asks, when something was plugged
//! in or pulled out, and when an address was added. Each camera found becomes a device under a name that depends on
//! what the camera is, never on the order of plugging. One that is no longer found is searched for once more, because a
//! camera that resets its bus has not been removed, and its device is then deleted unless a client wants that camera:
//! such a device waits for its camera to come back.
//!
//! Whoever owns a [`Hub`] gives it one [`Input`] at a time, then drains [`Hub::poll_order`] and, as there is room,
//! [`Hub::poll_message`].
//!
//! Read [`Hub::handle`] first.

use std::collections::VecDeque;
use std::time::Duration;

use crate::camera::error::Result;
use crate::camera::types::{CameraId, Moment};
use crate::property::key::{Key, Values};
use crate::property::keys::{self, Connection, Scan};
use crate::property::outbox::Outbox;
use crate::property::rejection::Rejection;
use crate::property::store::{Store, Vector};
use crate::wire::{ElementDefinition, Elements, Message, New, Perm, Request, State};

mod calls;
mod family;
mod name;
mod pairs;
#[cfg(test)]
mod tests;

pub use family::Family;
pub use name::{device_name, plain};

use calls::Desk;
use family::Search;

/// `DRIVER_INTERFACE` of what is no camera, mount or the like.
const INTERFACE_AUXILIARY: u32 = 1 << 15;

/// Everything that can make the hub act.
#[derive(Debug)]
pub enum Input {
    /// From the server.
    Request(Request),
    /// What the search that [`Order::Search`] asked for has found.
    Found {
        /// Index of the family.
        family: usize,
        /// Its cameras, or why they cannot be searched for.
        cameras: Result<Vec<CameraId>>,
    },
    /// Something of that family was plugged in or pulled out.
    Plugged {
        /// Index of the family.
        family: usize,
    },
    /// A client wants the camera that [`Order::Retire`] was about: its device stays.
    Wanted {
        /// Number of the device.
        ordinal: usize,
    },
    /// The device that [`Order::Retire`] was about is gone.
    Retired {
        /// Number of the device.
        ordinal: usize,
        /// What it was called.
        name: String,
    },
    /// There is no device for the camera that [`Order::Serve`] was about.
    Unserved {
        /// Number that it would have had.
        ordinal: usize,
        /// What went wrong.
        why: String,
    },
    /// How [`Order::Connect`] has ended.
    Connected {
        /// Name of the device.
        name: String,
        /// Whether its camera is connected now.
        result: Result<()>,
    },
    /// The moment that [`Hub::deadline`] named has come.
    Deadline,
}

/// What the hub wants done.
#[derive(Debug, PartialEq)]
pub enum Order {
    /// Search for cameras; answered by [`Input::Found`].
    Search {
        /// Index of the family.
        family: usize,
        /// Where to look besides the usual places.
        addresses: Vec<String>,
    },
    /// Make a device for a camera; [`Input::Unserved`] if that cannot be done.
    Serve {
        /// Number of the device, never used before.
        ordinal: usize,
        /// Index of the camera's family.
        family: usize,
        /// The camera.
        camera: CameraId,
    },
    /// The camera of that device was gone, or was found elsewhere than before.
    Revive {
        /// Number of the device.
        ordinal: usize,
        /// The camera, as it is to be opened now.
        camera: CameraId,
    },
    /// The camera of that device is gone: delete the device if no client wants it. Answered by [`Input::Wanted`] or
    /// [`Input::Retired`].
    Retire {
        /// Number of the device.
        ordinal: usize,
    },
    /// Have the camera of this device connected, as a client would; answered by [`Input::Connected`].
    Connect {
        /// Name of the device.
        name: String,
    },
    /// Keep these settings for the next start.
    Save(Vec<New>),
}

/// What a hub is made from.
#[derive(Debug)]
pub struct Setup {
    /// The INDI device name.
    pub name: String,
    /// `DRIVER_NAME`, `DRIVER_EXEC` and `DRIVER_VERSION`.
    pub driver: [String; 3],
    /// Its vectors, as the skeletons have them.
    pub vectors: Vec<Vector>,
    /// The kinds of cameras to search for.
    pub families: Vec<Family>,
    /// The settings kept by [`Order::Save`].
    pub saved: Vec<New>,
    /// Number of the first device that it may ask for.
    pub first_ordinal: usize,
}

/// A camera that has a device.
#[derive(Debug)]
struct Known {
    ordinal: usize,
    family: usize,
    camera: CameraId,
    /// Since when it has not been found.
    missing: Option<Duration>,
}

/// The device that knows which cameras there are.
#[derive(Debug)]
pub struct Hub {
    name: String,
    now: Moment,
    store: Store,
    outbox: Outbox,
    /// A client has asked for our properties; nothing is said before that.
    greeted: bool,
    searches: Vec<Search>,
    known: Vec<Known>,
    desk: Desk,
    orders: VecDeque<Order>,
    next_ordinal: usize,
}

impl Hub {
    /// A hub that has every family searched at once.
    #[must_use]
    pub fn new(setup: Setup, now: Moment) -> Hub {
        let Setup { name, driver, vectors, families, saved, first_ordinal } = setup;
        let mut hub = Hub {
            store: Store::new(&name, vectors),
            name,
            now,
            outbox: Outbox::default(),
            greeted: false,
            searches: families.into_iter().map(Search::new).collect(),
            known: Vec::new(),
            desk: Desk::default(),
            orders: VecDeque::new(),
            next_ordinal: first_ordinal,
        };
        let [driver_name, exec, version] = driver;
        let interface = INTERFACE_AUXILIARY.to_string();
        hub.store.set(&keys::DRIVER_INFO, [driver_name, exec, version, interface]);
        hub.store.set(&keys::CONNECTION, Connection::Connect);
        hub.store.set_state(keys::CONNECTION.vector(), State::Ok);
        let families = || hub.searches.iter().map(|search| &search.family);
        hub.store.set_elements(&keys::CAMERAS, families().map(|family| element(family.name)));
        let addressed = families().filter_map(|family| family.addresses.map(element));
        hub.store.set_elements(&keys::CAMERA_ADDRESSES, addressed);
        hub.restore(&saved);
        hub.search_all();
        hub
    }

    /// The INDI device name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether clients have asked for properties already, so that a new device must introduce itself.
    #[must_use]
    pub fn is_greeted(&self) -> bool {
        self.greeted
    }

    /// Takes one input. Total, like the device's.
    pub fn handle(&mut self, now: Moment, input: Input) {
        self.now = now;
        match input {
            Input::Request(request) => self.request(&request),
            Input::Found { family, cameras } => self.found(family, cameras),
            Input::Plugged { family } => {
                if let Some(search) = self.searches.get_mut(family) {
                    search.plugged(now.elapsed);
                }
            }
            Input::Wanted { ordinal } => self.keep_looking_for(ordinal),
            Input::Retired { ordinal, name } => {
                self.known.retain(|known| known.ordinal != ordinal);
                if self.greeted {
                    self.outbox.push(Message::Delete { device: name, name: None, at: now.utc });
                }
            }
            Input::Unserved { ordinal, why } => self.forget_unserved(ordinal, &why),
            Input::Connected { name, result } => self.connected(name, result),
            Input::Deadline => {}
        }
        self.search_due();
        self.attend_calls();
    }

    /// The next thing to be done.
    pub fn poll_order(&mut self) -> Option<Order> {
        self.orders.pop_front()
    }

    /// The next message for the server.
    pub fn poll_message(&mut self) -> Option<Message> {
        self.outbox.pop()
    }

    /// Whether a message waits.
    #[must_use]
    pub fn has_message(&self) -> bool {
        !self.outbox.is_empty()
    }

    /// When it wants [`Input::Deadline`], on the clock of [`Moment::elapsed`].
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        self.searches.iter().filter_map(Search::deadline).chain(self.desk.deadline()).min()
    }

    fn request(&mut self, request: &Request) {
        match request {
            Request::GetProperties { device, name } => {
                if device.as_ref().is_none_or(|device| *device == self.name) {
                    self.define(name.as_deref());
                }
            }
            Request::New(new) => {
                if new.device.as_ref() == Some(&self.name) {
                    self.write(new);
                }
            }
            Request::PingRequest { uid } => self.outbox.push(Message::PingReply { uid: uid.clone() }),
            Request::PingReply { .. } | Request::Snooped(_) => {}
        }
    }

    fn define(&mut self, name: Option<&str>) {
        self.greeted = true;
        let names: Vec<String> = self.store.vectors().iter().map(|vector| vector.name.clone()).collect();
        for vector in names.iter().filter(|vector| name.is_none_or(|name| name == *vector)) {
            let is_empty = self.store.vector(vector).is_none_or(|vector| vector.element_names().is_empty());
            if !is_empty && let Some(definition) = self.store.define(vector, self.now.utc) {
                self.outbox.push(Message::Define(definition));
            }
        }
    }

    fn write(&mut self, new: &New) {
        let values = match self.store.accept(new) {
            Ok(values) => values,
            Err(unknown @ Rejection::Unknown { .. }) => return self.say("[ERROR]", &unknown.to_string()),
            Err(rejection) => return self.refuse(&new.name, &rejection.to_string()),
        };
        if new.name == keys::CAMERA_SCAN.vector() {
            match keys::CAMERA_SCAN.read(&values) {
                Some(Scan::Scan) => self.search_all(),
                None => self.send(&keys::CAMERA_SCAN),
            }
        } else if new.name == keys::CAMERA_ADDRESSES.vector() {
            self.change_addresses(new, values);
        } else if new.name == keys::CAMERA_CALL.vector() {
            self.take_call(keys::CAMERA_CALL.read(&values));
        } else {
            // Nothing has to be opened: the hub is there as long as the driver.
            let wanted = keys::CONNECTION.read(&values);
            let state = if wanted == Connection::Connect { State::Ok } else { State::Idle };
            self.store.set(&keys::CONNECTION, wanted);
            self.settle(&keys::CONNECTION, state);
        }
    }

    fn change_addresses(&mut self, new: &New, values: Values) {
        self.store.assign(&new.name, values);
        self.settle(&keys::CAMERA_ADDRESSES, State::Ok);
        let document = self.store.vector(&new.name).and_then(|vector| stored(&self.name, vector));
        self.orders.extend(document.map(|document| Order::Save(vec![document])));
        let addressed = |search: &Search, element: &str| search.family.addresses == Some(element);
        for (element, _) in &new.elements {
            for search in self.searches.iter_mut().filter(|search| addressed(search, element)) {
                search.ask(self.now.elapsed);
            }
        }
        self.search_due();
        self.show_searches();
    }

    fn restore(&mut self, saved: &[New]) {
        for new in saved.iter().filter(|new| new.name == keys::CAMERA_ADDRESSES.vector()) {
            if let Ok(values) = self.store.check(new) {
                self.store.assign(&new.name, values);
            }
        }
    }

    fn say(&mut self, level: &str, sentence: &str) {
        if self.greeted {
            let (device, text) = (Some(self.name.clone()), format!("{level} {sentence}"));
            self.outbox.push(Message::Say { device, text, at: self.now.utc });
        }
    }

    fn refuse(&mut self, vector: &str, sentence: &str) {
        self.say("[ERROR]", sentence);
        if let Some(known) = self.store.vector(vector)
            && known.state != State::Busy
            && known.perm != Perm::Ro
        {
            self.store.set_state(vector, State::Alert);
        }
        self.send_by_name(vector);
    }

    fn settle<K: Key>(&mut self, key: &K, state: State) {
        self.store.set_state(key.vector(), state);
        self.send(key);
    }

    fn send<K: Key>(&mut self, key: &K) {
        self.send_by_name(key.vector());
    }

    fn send_by_name(&mut self, name: &str) {
        if self.greeted
            && let Some(update) = self.store.update(name, self.now.utc)
        {
            self.outbox.push(Message::Set(update));
        }
    }
}

fn element(name: &str) -> ElementDefinition {
    ElementDefinition { name: name.to_owned(), label: name.to_owned() }
}

/// The write that brings back a vector of texts.
fn stored(device: &str, vector: &Vector) -> Option<New> {
    let Elements::Text(list) = &vector.elements else { return None };
    Some(New {
        device: Some(device.to_owned()),
        name: vector.name.clone(),
        kind: vector.kind(),
        elements: list.iter().map(|(head, text)| (head.name.clone(), text.clone())).collect(),
    })
}
