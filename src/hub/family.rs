//! The search for the cameras of one family: when it is due, and what its outcome means for the devices.

use std::collections::HashSet;
use std::time::Duration;

use crate::camera::error::Result;
use crate::camera::types::CameraId;
use crate::property::key::Key;
use crate::property::keys;
use crate::property::store::Vector;
use crate::wire::State;

use super::pairs::pairs;
use super::{Hub, Known, Order};

/// Plugging in a camera is many events; the search begins when there was none for so long.
const SETTLING: Duration = Duration::from_millis(500);
/// A camera that was not found is searched for again after so long, before anything follows from it.
const SECOND_LOOK: Duration = Duration::from_secs(3);
/// A missing camera that a client wants is searched for so often.
const FURTHER_LOOKS: Duration = Duration::from_secs(10);
/// A search that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// A kind of cameras.
#[derive(Clone, Debug)]
pub struct Family {
    /// Its element of CAMERAS.
    pub name: &'static str,
    /// Its element of CAMERA_ADDRESSES, if its cameras can be at an address.
    pub addresses: Option<&'static str>,
    /// Addresses to search besides those of the property.
    pub given: Vec<String>,
}

/// The search for one family.
#[derive(Debug)]
pub(super) struct Search {
    pub(super) family: Family,
    /// When the next one is to begin.
    due: Option<Duration>,
    /// When the running one is overdue. It is waited for no longer then: the next one begins when it is due.
    overdue: Option<Duration>,
    outcome: Outcome,
}

/// What the last search had to say.
#[derive(Debug)]
enum Outcome {
    Unknown,
    Found(Vec<String>),
    Failed(String),
}

impl Search {
    pub(super) fn new(family: Family) -> Self {
        Search { family, due: None, overdue: None, outcome: Outcome::Unknown }
    }

    /// Has a search begin now, or when the running one is over.
    pub(super) fn ask(&mut self, now: Duration) {
        self.due = Some(now);
    }

    pub(super) fn plugged(&mut self, now: Duration) {
        self.due = Some(now + SETTLING);
    }

    /// Has a search begin at that time, or earlier if there is a reason.
    fn look_again(&mut self, at: Duration) {
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        self.overdue.or(self.due)
    }

    fn is_pending(&self, now: Duration) -> bool {
        self.overdue.is_some() || self.due.is_some_and(|due| due <= now)
    }

    fn sentence(&self) -> String {
        match &self.outcome {
            Outcome::Unknown => "not searched yet".to_owned(),
            Outcome::Found(names) if names.is_empty() => "none".to_owned(),
            Outcome::Found(names) => names.join(", "),
            Outcome::Failed(why) => why.clone(),
        }
    }
}

impl Hub {
    pub(super) fn search_all(&mut self) {
        for search in &mut self.searches {
            search.ask(self.now.elapsed);
        }
        self.search_due();
        self.show_searches();
    }

    /// Begins the searches whose time has come, and says which ones hang.
    pub(super) fn search_due(&mut self) {
        let (now, mut hangs) = (self.now.elapsed, false);
        for family in 0..self.searches.len() {
            if self.searches[family].overdue.is_some_and(|overdue| overdue <= now) {
                self.searches[family].overdue = None;
                let seconds = PATIENCE.as_secs();
                let why = format!("the search for cameras has not ended within {seconds} s");
                self.search_failed(family, why);
                hangs = true;
            }
            let addresses = self.addresses(family);
            let search = &mut self.searches[family];
            if search.overdue.is_none() && search.due.is_some_and(|due| due <= now) {
                search.due = None;
                search.overdue = Some(now + PATIENCE);
                self.orders.push_back(Order::Search { family, addresses });
            }
        }
        if hangs {
            self.show_searches();
        }
    }

    fn addresses(&self, family: usize) -> Vec<String> {
        let Family { addresses, given, .. } = &self.searches[family].family;
        let Some(element) = addresses else { return given.clone() };
        let vector = self.store.vector(keys::CAMERA_ADDRESSES.vector());
        let names = vector.map(Vector::element_names).unwrap_or_default();
        let texts = self.store.get(&keys::CAMERA_ADDRESSES);
        let written =
            names.iter().zip(&texts).find(|(name, _)| *name == element).map(|(_, text)| text.as_str());
        let written = written.unwrap_or_default().split(',').map(str::trim).filter(|text| !text.is_empty());
        given.iter().cloned().chain(written.map(str::to_owned)).collect()
    }

    pub(super) fn found(&mut self, family: usize, cameras: Result<Vec<CameraId>>) {
        let Some(search) = self.searches.get_mut(family) else { return };
        search.overdue = None;
        match cameras {
            Ok(cameras) => {
                search.outcome = Outcome::Found(cameras.iter().map(super::device_name).collect());
                self.compare(family, cameras);
            }
            Err(error) => self.search_failed(family, error.to_string()),
        }
        self.search_due();
        self.show_searches();
    }

    fn search_failed(&mut self, family: usize, why: String) {
        let search = &mut self.searches[family];
        let is_news = !matches!(&search.outcome, Outcome::Failed(known) if *known == why);
        let sentence = format!("{}: {why}", search.family.name);
        search.outcome = Outcome::Failed(why);
        if is_news {
            self.say("[ERROR]", &sentence);
        }
    }

    /// What was found beside what is known.
    fn compare(&mut self, family: usize, mut cameras: Vec<CameraId>) {
        // What was found twice can only be opened once.
        let mut seen = HashSet::new();
        cameras.retain(|camera| seen.insert(camera.clone()));
        let (known, places): (Vec<&CameraId>, Vec<usize>) = (self.known.iter().enumerate())
            .filter(|(_, known)| known.family == family)
            .map(|(place, known)| (&known.camera, place))
            .unzip();
        let pairs: Vec<Option<usize>> =
            pairs(&known, &cameras).into_iter().map(|pair| pair.map(|index| places[index])).collect();
        self.look_for_missing(family, &pairs);
        for (camera, pair) in cameras.into_iter().zip(pairs) {
            match pair {
                Some(place) => self.is_there(place, camera),
                None => self.serve(family, camera),
            }
        }
    }

    /// The known camera at that place was found.
    fn is_there(&mut self, place: usize, camera: CameraId) {
        let known = &mut self.known[place];
        if known.missing.take().is_some() || known.camera != camera {
            known.camera = camera.clone();
            self.orders.push_back(Order::Revive { ordinal: known.ordinal, camera });
        }
    }

    /// All but the paired ones of a family were not found.
    fn look_for_missing(&mut self, family: usize, paired: &[Option<usize>]) {
        let now = self.now.elapsed;
        for (place, known) in self.known.iter_mut().enumerate() {
            if known.family != family || paired.contains(&Some(place)) {
                continue;
            }
            let since = *known.missing.get_or_insert(now);
            if now.saturating_sub(since) >= SECOND_LOOK {
                self.orders.push_back(Order::Retire { ordinal: known.ordinal });
            } else {
                self.searches[family].look_again(now + SECOND_LOOK);
            }
        }
    }

    fn serve(&mut self, family: usize, camera: CameraId) {
        let ordinal = self.next_ordinal;
        self.next_ordinal += 1;
        self.known.push(Known { ordinal, family, camera: camera.clone(), missing: None });
        self.orders.push_back(Order::Serve { ordinal, family, camera });
    }

    /// A camera without a device is not known, so the next search that finds it has one made.
    pub(super) fn forget_unserved(&mut self, ordinal: usize, why: &str) {
        if let Some(place) = self.known.iter().position(|known| known.ordinal == ordinal) {
            let name = super::device_name(&self.known.remove(place).camera);
            self.say("[ERROR]", &format!("{name} has no device: {why}; the next search tries again"));
        }
    }

    pub(super) fn keep_looking_for(&mut self, ordinal: usize) {
        if let Some(known) = self.known.iter().find(|known| known.ordinal == ordinal) {
            self.searches[known.family].look_again(self.now.elapsed + FURTHER_LOOKS);
        }
    }

    pub(super) fn is_searching(&self) -> bool {
        self.searches.iter().any(|search| search.is_pending(self.now.elapsed))
    }

    /// Tells clients what was found, and whether anybody is still searching.
    pub(super) fn show_searches(&mut self) {
        let searching = self.is_searching();
        let failed = self.searches.iter().any(|search| matches!(search.outcome, Outcome::Failed(_)));
        let settled = if failed { State::Alert } else { State::Ok };
        let state = if searching { State::Busy } else { settled };
        let sentences: Vec<String> = self.searches.iter().map(Search::sentence).collect();
        let was = (self.store.get(&keys::CAMERAS), self.store.state(&keys::CAMERAS));
        if was != (sentences.clone(), state) {
            self.store.set(&keys::CAMERAS, sentences);
            self.settle(&keys::CAMERAS, state);
            self.store.set(&keys::CAMERA_SCAN, None);
            self.settle(&keys::CAMERA_SCAN, state);
        }
    }
}
