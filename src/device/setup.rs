//! What a device is made from, and who handles a write to which vector.

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use crate::camera::types::{CameraId, Moment};
use crate::property::key::{Key, Values};
use crate::property::keys;
use crate::property::outbox::Outbox;
use crate::property::store::{Store, Vector};
use crate::wire::State;

use super::timer::Timers;
use super::{
    Device, Epoch, calls, config, connection, controls, cooler, exposure, fast, formats, geometry, guide,
    header, health, job, nickname, notice, own, snoop, spool, upload,
};

/// What a device is made from.
#[derive(Debug, Deserialize, Serialize)]
pub struct Setup {
    /// The INDI device name.
    pub name: String,
    /// Number of the device within its process; keeps ping identifiers apart.
    pub ordinal: usize,
    /// The camera to connect to.
    pub camera: CameraId,
    /// Whether cameras of this kind have a guide port, as far as is known before connecting.
    pub guides: bool,
    /// `DRIVER_NAME`, `DRIVER_EXEC` and `DRIVER_VERSION`.
    pub driver: [String; 3],
    /// The vectors that every device has, in the order of their definition.
    pub always: Vec<Vector>,
    /// The vectors of the backend's own skeleton, defined after those.
    pub settings: Vec<Vector>,
    /// The vectors that come and go without the connection, or that only some devices have.
    pub on_demand: Vec<Vector>,
    /// The vectors that connected cameras have, by their abilities.
    pub on_connect: Vec<Vector>,
    /// The user's home directory, where frames go unless told otherwise.
    pub home: String,
    /// The directory that all files have to be inside of, if the operator has set one.
    pub upload_root: Option<String>,
    /// Number of the process.
    pub process: u32,
    /// What the user calls this camera.
    pub nickname: Option<String>,
    /// The file that the device's log lines are written to, for people.
    pub log_file: String,
    /// The configuration saved last.
    pub saved: job::Document,
    /// Sentences for the first client: what went wrong before there was one.
    pub warnings: Vec<String>,
}

type Handler = Rc<dyn Fn(&mut Device, &Values)>;

/// Which handler is called when a client writes a vector.
#[derive(Default)]
pub(super) struct Handlers(HashMap<&'static str, Handler>);

impl Handlers {
    /// `handler` receives the value that the whole vector would have.
    pub(super) fn change<K: Key>(&mut self, key: &K, handler: fn(&mut Device, K::Value)) {
        let key = *key;
        self.insert(key.vector(), Rc::new(move |device, values| handler(device, key.read(values))));
    }

    /// The value is what it is to be: nobody else has to hear of it.
    pub(super) fn keep<K: Key>(&mut self, key: &K) {
        let key = *key;
        self.insert(
            key.vector(),
            Rc::new(move |device, values| device.publish(&key, key.read(values), State::Ok)),
        );
    }

    fn insert(&mut self, vector: &'static str, handler: Handler) {
        let previous = self.0.insert(vector, handler);
        debug_assert!(previous.is_none(), "{vector} has two handlers");
    }

    pub(super) fn of(&self, vector: &str) -> Option<Handler> {
        self.0.get(vector).cloned()
    }
}

impl Device {
    /// A device whose camera is not connected.
    #[must_use]
    pub fn new(setup: Setup, now: Moment) -> Device {
        let Setup { name, ordinal, camera, driver, always, settings, on_demand, on_connect, .. } = setup;
        let Setup { guides, home, upload_root, process, nickname, log_file, saved, warnings, .. } = setup;
        let names = |list: &[Vector]| list.iter().map(|vector| vector.name.clone()).collect::<Vec<_>>();
        let (setting_names, on_connect_names) = (names(&settings), names(&on_connect));
        let mut vectors = always;
        vectors.extend(settings);
        for vector in &mut vectors {
            vector.defined = true;
        }
        vectors.extend(on_demand);
        vectors.extend(on_connect);
        let mut device = Device {
            store: Store::new(&name, vectors),
            name,
            ordinal,
            camera,
            now,
            handlers: Handlers::default(),
            on_connect: on_connect_names,
            settings: setting_names,
            warnings,
            log_file,
            greeted: false,
            outbox: Outbox::default(),
            jobs: VecDeque::new(),
            log_lines: VecDeque::new(),
            calls: VecDeque::new(),
            outstanding: None,
            asked_at: now.elapsed,
            epoch: Epoch::default(),
            hanging: Vec::new(),
            timers: Timers::default(),
            capabilities: None,
            link: connection::Link::Off,
            exposure: exposure::Exposure::default(),
            fast: None,
            geometry: geometry::Geometry::default(),
            formats: formats::Formats::default(),
            cooler: cooler::Cooler::default(),
            guide: guide::Guide::default(),
            controls: controls::Controls::default(),
            own: own::Own::default(),
            upload: upload::Upload::default(),
            health: health::Health::default(),
            spool: spool::Spool::new(now.utc, process, ordinal),
            config: config::Config::default(),
            snoop: snoop::Snoop::default(),
            scene: None,
            header: header::Header::default(),
            desk: calls::Desk::default(),
            home,
            upload_root,
        };
        let [driver_name, exec, version] = driver;
        device.store.set(&keys::DRIVER_INFO, [driver_name, exec, version, String::new()]);
        device.adopt_interface(guides);
        device.store.set(&keys::UPLOAD_SETTINGS, {
            let [_, prefix] = device.store.get(&keys::UPLOAD_SETTINGS);
            [device.home.clone(), prefix]
        });
        for register in [
            connection::register,
            exposure::register,
            fast::register,
            geometry::register,
            formats::register,
            cooler::register,
            guide::register,
            controls::register,
            upload::register,
            spool::register,
            header::register,
            snoop::register,
            config::register,
            notice::register,
            nickname::register,
            calls::register,
        ] {
            register(&mut device.handlers);
        }
        device.introduce(nickname);
        device.restore(saved);
        device.tend_spool();
        device
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::property::load::load;
    use crate::property::skeleton::Skeleton;
    use crate::wire::Perm;

    #[test]
    fn every_writable_vector_has_a_handler_and_no_other() {
        let vectors = |skeleton: &Skeleton| load(skeleton.file(), skeleton.source()).unwrap();
        let setup = Setup {
            name: "Cam".to_owned(),
            ordinal: 0,
            camera: CameraId { name: String::new(), model: String::new(), serial: None, bus: None },
            guides: false,
            driver: Default::default(),
            always: keys::ALWAYS.iter().flat_map(vectors).collect(),
            settings: Vec::new(),
            on_demand: keys::ON_DEMAND.iter().flat_map(vectors).collect(),
            on_connect: keys::ON_CONNECT.iter().flat_map(vectors).collect(),
            home: String::new(),
            upload_root: None,
            process: 1,
            nickname: None,
            log_file: String::new(),
            saved: Vec::new(),
            warnings: Vec::new(),
        };
        let device = Device::new(setup, Moment { elapsed: Duration::ZERO, utc: SystemTime::UNIX_EPOCH });
        for vector in device.store.vectors() {
            let handled = device.handlers.of(&vector.name).is_some();
            assert_eq!(handled, vector.perm != Perm::Ro, "{}", vector.name);
        }
    }
}
