//! From the name that the program was started by, and its environment, to devices ready to be served.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use tokio::sync::mpsc::Sender;

use crate::backend::{BACKENDS, Backend};
use crate::camera::types::{CameraId, Moment};
use crate::camera::worker::Clock;
use crate::delivery::blob::Transport;
use crate::delivery::folders::Folders;
use crate::delivery::{self, DeliveryThread};
use crate::device::job::{ConfigSource, Document};
use crate::device::{Device, Setup};
use crate::flight::record::Recorder;
use crate::host::config_file::ConfigFile;
use crate::host::place::Place;
use crate::host::session_log::SessionLog;
use crate::host::spool;
use crate::host::stdio;
use crate::host::zone;
use crate::hub::{self, Family, Hub};

use super::names::{Named, name_device, name_devices};
use super::scout::Scout;
use super::skeletons::{self, Skeletons};
use super::station::Station;
use super::{Headquarters, News, StartError};

/// Most simulated cameras in one process.
const MAX_SIMULATORS: usize = 64;

/// What the surroundings ask for.
#[derive(Debug)]
pub(super) struct Surroundings {
    exec: String,
    home: PathBuf,
    device_name: Option<String>,
    config: Option<OsString>,
    skeleton: Option<PathBuf>,
    upload_root: Option<PathBuf>,
    spool: Option<PathBuf>,
    simulators: usize,
    transport: Transport,
    zone: TimeZone,
    /// Where everything is recorded.
    record: Option<PathBuf>,
}

impl Surroundings {
    pub(super) fn read(exec: &str) -> Self {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let text = |name| set(name).and_then(|value| value.into_string().ok());
        let inline = text("INDI_CAMERA_BLOB").is_some_and(|form| form == "inline");
        let attached = stdio::passes_descriptors() && !inline;
        let simulators = text("INDI_CAMERA_SIMULATORS").and_then(|count| count.parse().ok());
        let home = set("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
        let home = home.unwrap_or_else(|| "/".into());
        Surroundings {
            exec: exec.to_owned(),
            upload_root: set("INDI_CAMERA_UPLOAD_ROOT").map(|root| upload_root(&home.join(root))),
            spool: set("INDI_CAMERA_SPOOL").map(|spool| home.join(spool)),
            home,
            device_name: text("INDIDEV"),
            config: set("INDICONFIG"),
            skeleton: set("INDISKEL").map(PathBuf::from),
            simulators: simulators.unwrap_or(1).clamp(1, MAX_SIMULATORS),
            record: set("INDI_CAMERA_RECORD").map(PathBuf::from),
            transport: if attached { Transport::Attached } else { Transport::Inline },
            zone: zone::local(),
        }
    }

    /// Those of a test: nobody has asked for anything.
    #[cfg(test)]
    pub(super) fn quiet(home: &Path) -> Self {
        Surroundings {
            exec: "indi_camera_ccd".to_owned(),
            home: home.to_owned(),
            device_name: None,
            config: None,
            skeleton: None,
            upload_root: None,
            spool: None,
            simulators: 1,
            transport: Transport::Inline,
            zone: TimeZone::UTC,
            record: None,
        }
    }

    /// The log file of a process that was started at that moment.
    pub(super) fn session_log(&self, started: Moment) -> SessionLog {
        SessionLog::new(&self.home, &self.exec, started.utc, &self.zone)
    }
}

/// The directory that all files have to be inside of, without links on the way to it.
fn upload_root(wanted: &Path) -> PathBuf {
    // One that cannot be made or found is told of by whoever wants to write there.
    Place::make(wanted).and_then(|_| wanted.canonicalize()).unwrap_or_else(|_| wanted.to_owned())
}

/// The backends named by `INDI_CAMERA_BACKENDS`, or else by the name of the program.
pub(super) fn chosen_backends(exec: &str, asked: Option<String>) -> Result<Vec<Backend>, StartError> {
    let asked = asked.filter(|names| !names.trim().is_empty());
    let family = exec.strip_prefix("indi_camera_").and_then(|rest| rest.strip_suffix("_ccd"));
    let names: Vec<String> = match (asked, family) {
        (Some(list), _) => list.split(',').map(|name| name.trim().to_owned()).collect(),
        (None, Some(family)) => vec![family.to_owned()],
        (None, None) => BACKENDS.iter().filter(|b| b.hardware).map(|b| b.name.to_owned()).collect(),
    };
    if names.is_empty() {
        return Err(StartError::NoBackend { name: exec.to_owned() });
    }
    let find = |name: String| {
        let known = || BACKENDS.iter().map(|backend| backend.name).collect::<Vec<_>>().join(", ");
        let found = BACKENDS.iter().find(|backend| backend.name == name).copied();
        found.ok_or_else(|| StartError::UnknownBackend { name, known: known() })
    };
    names.into_iter().map(find).collect()
}

/// What the drivers of these backends are called in the clients' catalogues, which is `DRIVER_NAME` of their devices.
fn driver_name(backends: &[Backend]) -> &'static str {
    match backends {
        [backend] => backend.label,
        _ => "Camera",
    }
}

/// What a device is made of. With this in hand nobody has to wait for a disk any more.
pub(super) struct Prepared {
    ordinal: usize,
    backend: Backend,
    setup: Setup,
    settings: delivery::Settings,
    /// When its life begins.
    now: Moment,
    recorder: Option<Recorder>,
}

/// Makes devices and whatever belongs to them.
pub(super) struct Outfitter {
    surroundings: Surroundings,
    driver_name: &'static str,
    clock: Clock,
    log_file: PathBuf,
    report: Sender<News>,
}

impl Outfitter {
    pub(super) fn new(
        surroundings: Surroundings,
        backends: &[Backend],
        clock: Clock,
        log_file: PathBuf,
        report: Sender<News>,
    ) -> Self {
        Outfitter { surroundings, driver_name: driver_name(backends), clock, log_file, report }
    }

    /// For the threads.
    pub(super) fn report(&self) -> Sender<News> {
        self.report.clone()
    }

    /// The devices of every camera that is not hardware, numbered from 0.
    pub(super) fn simulated(&self, backends: &[Backend]) -> io::Result<Vec<Station>> {
        let cameras = find_simulated(backends, self.surroundings.simulators);
        // `INDIDEV` and `INDICONFIG` name one device and one file: the hub's if there is one.
        let alone = cameras.len() == 1 && !backends.iter().any(|backend| backend.hardware);
        let given = self.surroundings.device_name.as_deref().filter(|_| alone);
        let named = name_devices(&self.surroundings.home, given, cameras);
        let open = |(ordinal, named)| self.station(self.prepared(ordinal, named, alone));
        named.into_iter().enumerate().map(open).collect()
    }

    /// What it takes to serve a camera that the hub has found, under a name that is not `taken`. Reads files.
    pub(super) fn found<'a>(
        &self,
        ordinal: usize,
        backend: Backend,
        camera: CameraId,
        taken: impl Iterator<Item = &'a str>,
    ) -> Prepared {
        let own = hub::device_name(&camera);
        let named = name_device(&self.surroundings.home, backend, camera, &own, &taken.collect::<Vec<_>>());
        self.prepared(ordinal, named, false)
    }

    /// The hub and its scouts, if any of the backends is hardware.
    pub(super) fn headquarters(&self, backends: &[Backend], first_ordinal: usize) -> Option<Headquarters> {
        let families: Vec<Backend> = backends.iter().filter(|backend| backend.hardware).copied().collect();
        if families.is_empty() {
            return None;
        }
        let name = self.surroundings.device_name.clone().unwrap_or_else(|| "Camera Hub".to_owned());
        let config = ConfigFile::new(None, &self.surroundings.home, &name);
        let mut warnings = Vec::new();
        let setup = hub::Setup {
            driver: self.driver(),
            vectors: skeletons::of_hub(self.surroundings.skeleton.as_deref(), &mut warnings),
            families: families.iter().map(family).collect(),
            saved: saved_settings(&config, &mut warnings),
            first_ordinal,
            name,
        };
        for warning in &warnings {
            tracing::warn!("{warning}");
        }
        let scouts = families.iter().enumerate();
        let scouts = scouts.map(|(family, backend)| Scout::spawn(family, *backend, self.report())).collect();
        Some(Headquarters {
            hub: Hub::new(setup, self.clock.now()),
            scouts,
            families,
            config,
            connecting: None,
            preparing: None,
        })
    }

    fn driver(&self) -> [String; 3] {
        [self.driver_name.to_owned(), self.surroundings.exec.clone(), version()]
    }

    /// All that is to be read for one device. `INDICONFIG` names one file, so it counts only for a camera that is `alone`.
    fn prepared(&self, ordinal: usize, named: Named, alone: bool) -> Prepared {
        let Surroundings { home, config, skeleton, transport, zone, upload_root, spool, .. } =
            &self.surroundings;
        let Named { backend, camera, name, nickname, nicknames, mut warnings } = named;
        let config = ConfigFile::new(config.clone().filter(|_| alone), home, &name);
        let saved = saved_settings(&config, &mut warnings);
        let Skeletons { always, settings, on_demand, on_connect } =
            Skeletons::load(&backend, skeleton.as_deref(), &mut warnings);
        warnings.extend((backend.complaints)());
        for warning in &warnings {
            tracing::warn!("{warning}");
        }
        let setup = Setup {
            name: name.clone(),
            ordinal,
            driver: self.driver(),
            camera,
            guides: backend.guides,
            always,
            settings,
            on_demand,
            on_connect,
            home: upload_root.as_ref().unwrap_or(home).display().to_string(),
            upload_root: upload_root.as_ref().map(|root| root.display().to_string()),
            process: std::process::id(),
            nickname,
            log_file: self.log_file.display().to_string(),
            saved,
            warnings,
        };
        let spool = spool::path_of(spool.as_deref(), home, &name);
        let folders = upload_root.clone().map_or_else(|| Folders::new(home.clone()), Folders::confined);
        let settings = delivery::Settings {
            folders: folders.beside(&spool),
            spool,
            limits: spool::Agreed::default(),
            written: delivery::Written::default(),
            device: name,
            transport: *transport,
            zone: zone.clone(),
            config,
            nicknames,
        };
        let now = self.clock.now();
        let recorder = self.surroundings.record.as_deref().and_then(|directory| {
            let begun = Recorder::begin(directory, &setup, now);
            begun.map_err(|error| tracing::warn!(%error, "nothing is recorded")).ok()
        });
        Prepared { ordinal, backend, setup, settings, now, recorder }
    }

    /// The device, with its threads.
    pub(super) fn station(&self, prepared: Prepared) -> io::Result<Station> {
        let Prepared { ordinal, backend, setup, settings, now, recorder } = prepared;
        let report = self.report();
        let delivery = DeliveryThread::spawn(settings, move |news| {
            report.blocking_send(News::Delivery(ordinal, news)).is_ok()
        })?;
        Ok(Station::new(ordinal, backend, Device::new(setup, now), delivery, recorder))
    }
}

/// How the hub knows a backend.
fn family(backend: &Backend) -> Family {
    let given = backend.addresses.and_then(|addresses| std::env::var(addresses.variable).ok());
    let given = given.iter().flat_map(|list| list.split(',')).map(str::trim).filter(|text| !text.is_empty());
    Family {
        name: backend.name,
        addresses: backend.addresses.map(|addresses| addresses.element),
        given: given.map(str::to_owned).collect(),
    }
}

/// The cameras of backends that are no hardware.
fn find_simulated(backends: &[Backend], simulators: usize) -> Vec<(Backend, CameraId)> {
    let mut found = Vec::new();
    for backend in backends.iter().filter(|backend| !backend.hardware) {
        let cameras = (backend.create)().scanning().unwrap_or_else(|error| {
            tracing::error!(backend = backend.name, %error, "cannot look for cameras");
            Vec::new()
        });
        for camera in cameras {
            for copy in 1..=simulators {
                let name = if copy == 1 { camera.name.clone() } else { format!("{} {copy}", camera.name) };
                let serial = match copy {
                    1 => camera.serial.clone(),
                    _ => camera.serial.as_ref().map(|serial| format!("{serial}-{copy}")),
                };
                found.push((*backend, CameraId { name, serial, ..camera.clone() }));
            }
        }
    }
    found
}

/// The configuration that was saved last. One that cannot be used is reported and left alone.
fn saved_settings(config: &ConfigFile, warnings: &mut Vec<String>) -> Document {
    let settings = config.settings(ConfigSource::Saved).unwrap_or_else(|why| {
        warnings.push(format!("{} is not used: {why}", config.path().display()));
        None
    });
    settings.unwrap_or_default()
}

/// `major.minor`, as clients expect it.
fn version() -> String {
    let mut parts = env!("CARGO_PKG_VERSION").split('.');
    [parts.next().unwrap_or("0"), parts.next().unwrap_or("0")].join(".")
}
