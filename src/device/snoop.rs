//! What we watch on other devices, so that a header tells where the telescope pointed and through which filter.
//!
//! [`WATCHED`] is the table: one line per vector. The server feeds us a vector once we have asked for it, and forgets
//! that we did when we end; nothing is said when there is no such device, and its definitions come by themselves when
//! it appears. All the same we ask again, ever more rarely, while nothing is known of a device that somebody chose.
//!
//! What another device says is checked like a client's word: a number that is none or lies outside what is physically
//! possible makes us ignore the whole message. A vector in state Alert is one that its own device does not vouch for,
//! so its values are unknown until it speaks again; so they are after `delProperty`. Unknown is absent, never zero.

use std::time::Duration;

use crate::camera::types::ExposureId;
use crate::image::pointing::{Circumstances, PierSide, Pointing};
use crate::image::sky::{Apparent, J2000, Site};
use crate::property::key::Key;
use crate::property::keys;
use crate::wire::{MAX_NAME, Message, News, Snooped, State, number};

use super::timer::Timer;
use super::{Device, Handlers};

/// The first time that a silent device is asked again.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
/// The longest time between two such questions. They are a safety net, and each may make a device define itself
/// again to everybody.
const LONGEST_PAUSE: Duration = Duration::from_secs(16 * 60);

/// A part of the observatory, in the order of the elements of ACTIVE_DEVICES.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Telescope,
    Rotator,
    Focuser,
    Filter,
    SkyQuality,
}

const ROLES: [Role; 5] = [Role::Telescope, Role::Rotator, Role::Focuser, Role::Filter, Role::SkyQuality];

/// A vector of another device.
struct Watched {
    role: Role,
    vector: &'static str,
    gives: Gives,
}

/// What its elements mean.
enum Gives {
    Numbers(&'static [Slot]),
    PierSide,
    /// One text per slot.
    FilterNames,
}

/// A number, what it may be, and where it is kept.
struct Slot {
    element: &'static str,
    min: f64,
    max: f64,
    of: fn(&mut Seen) -> &mut Option<f64>,
}

const fn slot(element: &'static str, min: f64, max: f64, of: fn(&mut Seen) -> &mut Option<f64>) -> Slot {
    Slot { element, min, max, of }
}

const fn watched(role: Role, vector: &'static str, gives: Gives) -> Watched {
    Watched { role, vector, gives }
}

const WATCHED: [Watched; 11] = [
    watched(
        Role::Telescope,
        OF_DATE,
        Gives::Numbers(&[
            slot("RA", 0.0, 24.0, |seen| &mut seen.of_date[0]),
            slot("DEC", -90.0, 90.0, |seen| &mut seen.of_date[1]),
        ]),
    ),
    watched(
        Role::Telescope,
        CATALOGUE,
        Gives::Numbers(&[
            slot("RA", 0.0, 24.0, |seen| &mut seen.catalogue[0]),
            slot("DEC", -90.0, 90.0, |seen| &mut seen.catalogue[1]),
        ]),
    ),
    watched(
        Role::Telescope,
        "TELESCOPE_INFO",
        Gives::Numbers(&[
            slot("TELESCOPE_APERTURE", 0.0, 1e5, |seen| &mut seen.aperture),
            slot("TELESCOPE_FOCAL_LENGTH", 0.0, 1e6, |seen| &mut seen.focal_length),
        ]),
    ),
    watched(
        Role::Telescope,
        "GEOGRAPHIC_COORD",
        Gives::Numbers(&[
            slot("LAT", -90.0, 90.0, |seen| &mut seen.latitude),
            slot("LONG", -180.0, 360.0, |seen| &mut seen.longitude),
        ]),
    ),
    watched(Role::Telescope, "TELESCOPE_PIER_SIDE", Gives::PierSide),
    watched(
        Role::Rotator,
        "ABS_ROTATOR_ANGLE",
        Gives::Numbers(&[slot("ANGLE", -360.0, 360.0, |seen| &mut seen.rotator)]),
    ),
    watched(
        Role::Focuser,
        "ABS_FOCUS_POSITION",
        Gives::Numbers(&[slot("FOCUS_ABSOLUTE_POSITION", -1e9, 1e9, |seen| &mut seen.focus_position)]),
    ),
    watched(
        Role::Focuser,
        "FOCUS_TEMPERATURE",
        // Beyond it a missing probe speaks: -127, -273, 85 and 999 are common.
        Gives::Numbers(&[slot("TEMPERATURE", -80.0, 70.0, |seen| &mut seen.focus_temperature)]),
    ),
    watched(
        Role::Filter,
        "FILTER_SLOT",
        Gives::Numbers(&[slot("FILTER_SLOT_VALUE", 0.0, 1000.0, |seen| &mut seen.filter_slot)]),
    ),
    watched(Role::Filter, "FILTER_NAME", Gives::FilterNames),
    watched(
        Role::SkyQuality,
        "SKY_QUALITY",
        Gives::Numbers(&[slot("SKY_BRIGHTNESS", 0.0, 30.0, |seen| &mut seen.sky_brightness)]),
    ),
];

const OF_DATE: &str = "EQUATORIAL_EOD_COORD";
const CATALOGUE: &str = "EQUATORIAL_COORD";

/// What the devices have said last.
#[derive(Debug, Default)]
struct Seen {
    /// Hours and degrees, of date.
    of_date: [Option<f64>; 2],
    /// Hours and degrees, J2000.
    catalogue: [Option<f64>; 2],
    /// Which of the two came later: a mount that has told J2000 once may go on in positions of date only.
    catalogue_is_newer: bool,
    latitude: Option<f64>,
    longitude: Option<f64>,
    focal_length: Option<f64>,
    aperture: Option<f64>,
    pier_side: Option<PierSide>,
    rotator: Option<f64>,
    focus_position: Option<f64>,
    focus_temperature: Option<f64>,
    filter_slot: Option<f64>,
    /// The elements and their texts, in the order of the slots.
    filter_names: Vec<(String, String)>,
    sky_brightness: Option<f64>,
}

/// The other devices, as far as they matter to a header.
#[derive(Debug, Default)]
pub(super) struct Snoop {
    seen: Seen,
    pause: Duration,
    /// What was true at the middle of that exposure.
    middle: Option<(ExposureId, Circumstances)>,
}

pub(super) fn register(on: &mut Handlers) {
    on.change(&keys::ACTIVE_DEVICES, Device::change_active_devices);
}

impl Device {
    fn change_active_devices(&mut self, names: [String; 5]) {
        if let Some(long) = names.iter().find(|name| name.len() > MAX_NAME) {
            let vector = keys::ACTIVE_DEVICES.vector();
            let sentence =
                format!("{vector} cannot hold {long:?}: a device name has at most {MAX_NAME} bytes");
            return self.refuse(vector, &sentence);
        }
        let old = self.store.get(&keys::ACTIVE_DEVICES);
        let changed = ROLES.map(|role| (role, old[role as usize] != names[role as usize]));
        self.publish(&keys::ACTIVE_DEVICES, names, State::Ok);
        for (role, _) in changed.into_iter().filter(|(_, changed)| *changed) {
            for watched in WATCHED.iter().filter(|watched| watched.role == role) {
                self.snoop.seen.forget(watched);
            }
            self.watch(role);
        }
        self.expect_news();
    }

    /// Asks for all that is to be watched: the server does not know it from an earlier process.
    pub(super) fn watch_all(&mut self) {
        for role in ROLES {
            self.watch(role);
        }
        self.expect_news();
    }

    fn watch(&mut self, role: Role) {
        let device = self.store.get(&keys::ACTIVE_DEVICES)[role as usize].clone();
        // We have nothing to tell ourselves.
        if device.is_empty() || device == self.name {
            return;
        }
        for watched in WATCHED.iter().filter(|watched| watched.role == role) {
            let (device, name) = (device.clone(), Some(watched.vector.to_owned()));
            self.outbox.push(Message::Snoop { device, name });
        }
    }

    fn expect_news(&mut self) {
        self.snoop.pause = FIRST_PAUSE;
        self.timers.set(Timer::Silence, self.now.elapsed + FIRST_PAUSE);
    }

    /// Asks the devices again that have not told anything.
    pub(super) fn break_silence(&mut self) {
        for role in ROLES {
            if !self.snoop.seen.knows(role) {
                self.watch(role);
            }
        }
        self.snoop.pause = (self.snoop.pause * 2).min(LONGEST_PAUSE);
        self.timers.set(Timer::Silence, self.now.elapsed + self.snoop.pause);
    }

    /// Another device has spoken. The same name may play several roles.
    pub(super) fn snooped(&mut self, Snooped { device, name, news }: &Snooped) {
        // Clients can make the server repeat to us what looks like our own word.
        if *device == self.name {
            return;
        }
        let names = self.store.get(&keys::ACTIVE_DEVICES);
        let meant = |watched: &&Watched| {
            names[watched.role as usize] == *device && name.as_ref().is_none_or(|name| name == watched.vector)
        };
        for watched in WATCHED.iter().filter(meant) {
            match news {
                News::Values { state: Some(State::Alert), .. } | News::Deleted => {
                    self.snoop.seen.forget(watched);
                }
                News::Values { elements, .. } => self.snoop.seen.take(watched, elements),
                News::Message => {}
            }
        }
    }

    /// Half of the exposure is over: what is true now goes into its header.
    pub(super) fn middle_reached(&mut self) {
        self.snoop.middle = Some((self.exposure.last_id, self.circumstances_now()));
    }

    /// What was true at the middle of an exposure; now, if it was over before anybody noticed.
    pub(super) fn circumstances_of(&mut self, id: ExposureId) -> Circumstances {
        match self.snoop.middle.take() {
            Some((of, circumstances)) if of == id => circumstances,
            _ => self.circumstances_now(),
        }
    }

    pub(super) fn circumstances_now(&self) -> Circumstances {
        let [telescope, ..] = self.store.get(&keys::ACTIVE_DEVICES);
        // The name is a default that may mean nobody.
        let telescope = Some(telescope).filter(|_| self.snoop.seen.knows(Role::Telescope));
        Circumstances { telescope, ..self.snoop.seen.circumstances() }
    }
}

impl Seen {
    fn take(&mut self, watched: &Watched, elements: &[(String, String)]) {
        let text = |element: &str| elements.iter().find(|(name, _)| name == element).map(|(_, text)| &**text);
        match watched.gives {
            Gives::Numbers(slots) => {
                let mut values = Vec::with_capacity(slots.len());
                for slot in slots {
                    match text(slot.element).map(number::parse) {
                        // A set may leave out what has not changed.
                        None => {}
                        Some(Ok(value)) if (slot.min..=slot.max).contains(&value) => {
                            values.push((slot, value));
                        }
                        Some(_) => return,
                    }
                }
                for (slot, value) in values {
                    *(slot.of)(self) = Some(value);
                }
                self.catalogue_is_newer = match watched.vector {
                    CATALOGUE => true,
                    OF_DATE => false,
                    _ => self.catalogue_is_newer,
                };
            }
            Gives::PierSide => {
                let sides = [("PIER_WEST", PierSide::West), ("PIER_EAST", PierSide::East)];
                let on = sides.into_iter().find(|(element, _)| text(element) == Some("On"));
                self.pier_side = on.map(|(_, side)| side);
            }
            Gives::FilterNames => self.take_filter_names(elements),
        }
    }

    /// An element that is new tells of another wheel, and so replaces all; others rename a slot each.
    fn take_filter_names(&mut self, elements: &[(String, String)]) {
        let slot_of = |name: &String| self.filter_names.iter().position(|(known, _)| known == name);
        let Some(slots) = elements.iter().map(|(name, _)| slot_of(name)).collect::<Option<Vec<_>>>() else {
            self.filter_names = elements.to_vec();
            return;
        };
        for (slot, (_, text)) in slots.into_iter().zip(elements) {
            self.filter_names[slot].1.clone_from(text);
        }
    }

    fn forget(&mut self, watched: &Watched) {
        match watched.gives {
            Gives::Numbers(slots) => slots.iter().for_each(|slot| *(slot.of)(self) = None),
            Gives::PierSide => self.pier_side = None,
            Gives::FilterNames => self.filter_names.clear(),
        }
    }

    fn knows(&self, role: Role) -> bool {
        match role {
            Role::Telescope => {
                let numbers = [self.latitude, self.longitude, self.focal_length, self.aperture];
                let coordinates = self.of_date.iter().chain(&self.catalogue);
                coordinates.chain(&numbers).any(Option::is_some) || self.pier_side.is_some()
            }
            Role::Rotator => self.rotator.is_some(),
            Role::Focuser => self.focus_position.or(self.focus_temperature).is_some(),
            Role::Filter => self.filter_slot.is_some() || !self.filter_names.is_empty(),
            Role::SkyQuality => self.sky_brightness.is_some(),
        }
    }

    /// All but the name of the telescope.
    fn circumstances(&self) -> Circumstances {
        Circumstances {
            telescope: None,
            pointing: self.pointing(),
            pier_side: self.pier_side,
            site: self.site(),
            // Zero is how a driver says that nobody has told it.
            focal_length: self.focal_length.filter(|length| *length > 0.0),
            aperture: self.aperture.filter(|aperture| *aperture > 0.0),
            filter: self.filter(),
            rotator: self.rotator,
            focus_position: self.focus_position,
            focus_temperature: self.focus_temperature,
            // Zero is what a sky meter says in daylight.
            sky_brightness: self.sky_brightness.filter(|brightness| *brightness > 0.0),
        }
    }

    fn pointing(&self) -> Option<Pointing> {
        let pair = |[hours, dec]: [Option<f64>; 2]| Some((hours? * 15.0, dec?));
        let of_date = pair(self.of_date).map(|(ra, dec)| Pointing::OfDate(Apparent { ra, dec }));
        let catalogue = pair(self.catalogue).map(|(ra, dec)| Pointing::Catalogue(J2000 { ra, dec }));
        if self.catalogue_is_newer { catalogue.or(of_date) } else { of_date.or(catalogue) }
    }

    fn site(&self) -> Option<Site> {
        let (latitude, longitude) = (self.latitude?, self.longitude?);
        let longitude = if longitude > 180.0 { longitude - 360.0 } else { longitude };
        // Mounts that do not know where they are say 0, 0, where there is only the sea.
        (latitude != 0.0 || longitude != 0.0).then_some(Site { latitude, longitude })
    }

    /// The name in the chosen slot. Wheels say 0, or a number without a name, while they turn.
    fn filter(&self) -> Option<String> {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000 by its slot")]
        let slot = self.filter_slot.filter(|slot| slot.fract() == 0.0)? as usize;
        let (_, name) = self.filter_names.get(slot.checked_sub(1)?)?;
        (!name.is_empty()).then(|| name.clone())
    }
}
