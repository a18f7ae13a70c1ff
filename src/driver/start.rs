//! From the name that the program was started by, and its environment, to devices ready to be served.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use tokio::sync::mpsc::Sender;

use crate::backend::{BACKENDS, Backend};
use crate::camera::types::CameraId;
use crate::camera::worker::{Clock, Settings};
use crate::delivery::blob::Transport;
use crate::delivery::{self, DeliveryThread};
use crate::device::job::ConfigSource;
use crate::device::{Device, Setup};
use crate::host::config_file::ConfigFile;
use crate::host::stdio;
use crate::property::keys;
use crate::property::load;
use crate::property::skeleton::Skeleton;
use crate::property::store::Vector;
use crate::wire;

use super::{News, StartError, Station};

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
    simulators: usize,
    transport: Transport,
}

impl Surroundings {
    pub(super) fn read(exec: &str) -> Self {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let text = |name| set(name).and_then(|value| value.into_string().ok());
        let inline = text("INDI_CAMERA_BLOB").is_some_and(|form| form == "inline");
        let attached = stdio::passes_descriptors() && !inline;
        let simulators = text("INDI_CAMERA_SIMULATORS").and_then(|count| count.parse().ok());
        Surroundings {
            exec: exec.to_owned(),
            home: set("HOME")
                .map(PathBuf::from)
                .filter(|home| home.is_absolute())
                .unwrap_or_else(|| "/".into()),
            device_name: text("INDIDEV"),
            config: set("INDICONFIG"),
            skeleton: set("INDISKEL").map(PathBuf::from),
            simulators: simulators.unwrap_or(1).clamp(1, MAX_SIMULATORS),
            transport: if attached { Transport::Attached } else { Transport::Inline },
        }
    }
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

/// Every camera that the backends find, each with its device and its delivery thread.
pub(super) fn stations(
    surroundings: &Surroundings,
    backends: &[Backend],
    clock: Clock,
    report: &Sender<News>,
) -> Result<Vec<Station>, StartError> {
    let cameras = find_cameras(surroundings, backends);
    let alone = cameras.len() == 1;
    let open = |(ordinal, (backend, camera))| {
        station(surroundings, backend, camera, alone, ordinal, clock, report.clone())
    };
    cameras.into_iter().enumerate().map(open).collect()
}

/// The cameras to serve, each under its device name.
fn find_cameras(surroundings: &Surroundings, backends: &[Backend]) -> Vec<(Backend, CameraId)> {
    let mut found = Vec::new();
    for backend in backends {
        let cameras = (backend.create)().scanning().unwrap_or_else(|error| {
            tracing::error!(backend = backend.name, %error, "cannot look for cameras");
            Vec::new()
        });
        for camera in cameras {
            let copies = if backend.hardware { 1 } else { surroundings.simulators };
            for copy in 1..=copies {
                let name = if copy == 1 { camera.name.clone() } else { format!("{} {copy}", camera.name) };
                found.push((*backend, CameraId { name, ..camera.clone() }));
            }
        }
    }
    found
}

/// One device. `INDIDEV` and `INDICONFIG` name one device and one file, so they count only for a camera that is alone.
fn station(
    surroundings: &Surroundings,
    backend: Backend,
    camera: CameraId,
    alone: bool,
    ordinal: usize,
    clock: Clock,
    report: Sender<News>,
) -> Result<Station, StartError> {
    let mut warnings = Vec::new();
    // Ekos starts a driver under a label and looks for a device of that name.
    let name = surroundings.device_name.clone().filter(|_| alone).unwrap_or_else(|| camera.name.clone());
    let config = ConfigFile::new(surroundings.config.clone().filter(|_| alone), &surroundings.home, &name);
    let saved = saved_settings(&config, &mut warnings);
    let Skeletons { always, settings, on_connect } =
        Skeletons::load(&backend, surroundings.skeleton.as_deref(), &mut warnings);
    for warning in &warnings {
        tracing::warn!("{warning}");
    }
    let setup = Setup {
        name: name.clone(),
        ordinal,
        driver: [camera.model.clone(), surroundings.exec.clone(), version()],
        camera,
        always,
        settings,
        on_connect,
        home: surroundings.home.display().to_string(),
        saved,
        warnings,
    };
    let settings = delivery::Settings {
        device: name,
        transport: surroundings.transport,
        home: surroundings.home.clone(),
        zone: TimeZone::system(),
        config,
    };
    let delivery = DeliveryThread::spawn(settings, move |news| {
        report.blocking_send(News::Delivery(ordinal, news)).is_ok()
    })?;
    Ok(Station {
        device: Device::new(setup, clock.now()),
        backend,
        worker: None,
        settings: Settings::default(),
        delivery,
    })
}

/// The configuration that was saved last. One that cannot be used is reported and left alone.
fn saved_settings(config: &ConfigFile, warnings: &mut Vec<String>) -> Vec<wire::New> {
    let document = match config.load(ConfigSource::Saved) {
        Ok(None) => return Vec::new(),
        Ok(Some(text)) => wire::parse::document(&text).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    document.unwrap_or_else(|why| {
        warnings.push(format!("{} is not used: {why}", config.path().display()));
        Vec::new()
    })
}

/// The vectors of one device.
struct Skeletons {
    always: Vec<Vector>,
    settings: Vec<Vector>,
    on_connect: Vec<Vector>,
}

impl Skeletons {
    /// The embedded files and the backend's own, after the replacements of `INDISKEL`.
    fn load(backend: &Backend, replacement: Option<&Path>, warnings: &mut Vec<String>) -> Self {
        let mut embedded = |file: &str, text: &str| {
            load::load(file, text).unwrap_or_else(|error| {
                warnings.push(error.to_string());
                Vec::new()
            })
        };
        let mut of = |skeleton: &Skeleton| embedded(skeleton.file(), skeleton.source());
        let mut always = of(&keys::BASE);
        let mut on_connect: Vec<Vector> = keys::ON_CONNECT.iter().flat_map(of).collect();
        let mut settings = backend.skeleton.map_or_else(Vec::new, |(file, text)| embedded(file, text));
        if let Some(path) = replacement {
            match std::fs::read_to_string(path) {
                Ok(text) => {
                    let all = always.iter_mut().chain(&mut settings).chain(&mut on_connect);
                    let misfits = load::replace(all, &path.display().to_string(), &text);
                    warnings.extend(misfits.iter().map(ToString::to_string));
                }
                Err(error) => warnings.push(format!("INDISKEL {} is not used: {error}", path.display())),
            }
        }
        Skeletons { always, settings, on_connect }
    }
}

/// `major.minor`, as clients expect it.
fn version() -> String {
    let mut parts = env!("CARGO_PKG_VERSION").split('.');
    [parts.next().unwrap_or("0"), parts.next().unwrap_or("0")].join(".")
}
