//! From the name that the program was started by, and its environment, to devices ready to be served.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use tokio::sync::mpsc::Sender;

use crate::backend::{BACKENDS, Backend};
use crate::camera::types::{CameraId, Moment};
use crate::camera::worker::{Clock, Settings};
use crate::delivery::blob::Transport;
use crate::delivery::{self, DeliveryThread};
use crate::device::job::ConfigSource;
use crate::device::{Device, Setup};
use crate::host::config_file::ConfigFile;
use crate::host::nicknames::NicknameFile;
use crate::host::session_log::SessionLog;
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

    /// The log file of a process that was started at that moment.
    pub(super) fn session_log(&self, started: Moment) -> SessionLog {
        SessionLog::new(&self.home, &self.exec, started.utc, &TimeZone::system())
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
    log_file: &Path,
    report: &Sender<News>,
) -> Result<Vec<Station>, StartError> {
    let cameras = find_cameras(surroundings, backends);
    let named = name_devices(surroundings, cameras);
    let alone = named.len() == 1;
    let open =
        |(ordinal, named)| station(surroundings, named, alone, log_file, ordinal, clock, report.clone());
    named.into_iter().enumerate().map(open).collect()
}

/// A camera and what its device is called.
struct Named {
    backend: Backend,
    camera: CameraId,
    name: String,
    nickname: Option<String>,
    nicknames: NicknameFile,
    warnings: Vec<String>,
}

/// `INDIDEV` (Ekos starts a driver under a label and looks for a device of that name) beats the user's nickname beats
/// the camera's own name. `INDIDEV` names one device, so it counts only for a camera that is alone.
fn name_devices(surroundings: &Surroundings, cameras: Vec<(Backend, CameraId)>) -> Vec<Named> {
    let alone = cameras.len() == 1;
    let own: Vec<String> = cameras.iter().map(|(_, camera)| camera.name.clone()).collect();
    let mut all: Vec<Named> = Vec::new();
    for (backend, camera) in cameras {
        let nicknames = NicknameFile::new(&surroundings.home, &camera.model);
        let mut warnings = Vec::new();
        let nickname = camera.serial.as_ref().and_then(|serial| {
            nicknames.find(serial).unwrap_or_else(|error| {
                warnings.push(format!("{} is not used: {error}", nicknames.path().display()));
                None
            })
        });
        let by_nickname = nickname.as_ref().map(|nickname| format!("{} {nickname}", camera.name));
        // Two devices of one name would be one to every client, and a longer name is cut by some.
        let fits = |name: &String| {
            let taken = own.contains(name) || all.iter().any(|other| other.name == *name);
            name.len() <= wire::MAX_NAME && !taken
        };
        if let Some(name) = by_nickname.as_ref().filter(|name| !fits(name)) {
            warnings.push(format!("{name} is too long, or the name of another camera"));
        }
        let given = surroundings.device_name.clone().filter(|_| alone);
        let name = given.or(by_nickname.filter(fits)).unwrap_or_else(|| camera.name.clone());
        all.push(Named { backend, camera, name, nickname, nicknames, warnings });
    }
    all
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

/// One device. `INDICONFIG` names one file, so it counts only for a camera that is alone.
fn station(
    surroundings: &Surroundings,
    named: Named,
    alone: bool,
    log_file: &Path,
    ordinal: usize,
    clock: Clock,
    report: Sender<News>,
) -> Result<Station, StartError> {
    let Named { backend, camera, name, nickname, nicknames, mut warnings } = named;
    let config = ConfigFile::new(surroundings.config.clone().filter(|_| alone), &surroundings.home, &name);
    let saved = saved_settings(&config, &mut warnings);
    let Skeletons { always, settings, on_demand, on_connect } =
        Skeletons::load(&backend, surroundings.skeleton.as_deref(), &mut warnings);
    warnings.extend((backend.complaints)());
    for warning in &warnings {
        tracing::warn!("{warning}");
    }
    let setup = Setup {
        name: name.clone(),
        ordinal,
        driver: [camera.model.clone(), surroundings.exec.clone(), version()],
        camera,
        guides: backend.guides,
        always,
        settings,
        on_demand,
        on_connect,
        home: surroundings.home.display().to_string(),
        nickname,
        log_file: log_file.display().to_string(),
        saved,
        warnings,
    };
    let settings = delivery::Settings {
        device: name,
        transport: surroundings.transport,
        home: surroundings.home.clone(),
        zone: TimeZone::system(),
        config,
        nicknames,
    };
    let delivery = DeliveryThread::spawn(settings, move |news| {
        report.blocking_send(News::Delivery(ordinal, news)).is_ok()
    })?;
    Ok(Station {
        device: Device::new(setup, clock.now()),
        backend,
        worker: None,
        settings: Settings::default(),
        setting: None,
        delivery,
    })
}

/// The configuration that was saved last. One that cannot be used is reported and left alone.
fn saved_settings(config: &ConfigFile, warnings: &mut Vec<String>) -> Vec<wire::New> {
    let settings = config.settings(ConfigSource::Saved).unwrap_or_else(|why| {
        warnings.push(format!("{} is not used: {why}", config.path().display()));
        None
    });
    settings.unwrap_or_default()
}

/// The vectors of one device.
struct Skeletons {
    always: Vec<Vector>,
    settings: Vec<Vector>,
    on_demand: Vec<Vector>,
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
        let mut on_demand: Vec<Vector> = keys::ON_DEMAND.iter().flat_map(&mut of).collect();
        let mut on_connect: Vec<Vector> = keys::ON_CONNECT.iter().flat_map(of).collect();
        let mut settings = backend.skeleton.map_or_else(Vec::new, |(file, text)| embedded(file, text));
        if let Some(path) = replacement {
            match std::fs::read_to_string(path) {
                Ok(text) => {
                    let all =
                        always.iter_mut().chain(&mut settings).chain(&mut on_demand).chain(&mut on_connect);
                    let misfits = load::replace(all, &path.display().to_string(), &text);
                    warnings.extend(misfits.iter().map(ToString::to_string));
                }
                Err(error) => warnings.push(format!("INDISKEL {} is not used: {error}", path.display())),
            }
        }
        Skeletons { always, settings, on_demand, on_connect }
    }
}

/// `major.minor`, as clients expect it.
fn version() -> String {
    let mut parts = env!("CARGO_PKG_VERSION").split('.');
    [parts.next().unwrap_or("0"), parts.next().unwrap_or("0")].join(".")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::scratch::Scratch;

    fn camera(name: &str, serial: &str) -> (Backend, CameraId) {
        let camera = CameraId {
            name: name.to_owned(),
            model: "Cam".to_owned(),
            serial: Some(serial.to_owned()),
            bus: None,
        };
        (BACKENDS[0], camera)
    }

    fn names(scratch: &Scratch, indidev: Option<&str>, cameras: &[(&str, &str)]) -> Vec<(String, usize)> {
        let surroundings = Surroundings {
            exec: String::new(),
            home: scratch.path().to_owned(),
            device_name: indidev.map(str::to_owned),
            config: None,
            skeleton: None,
            simulators: 1,
            transport: Transport::Inline,
        };
        let cameras = cameras.iter().map(|(name, serial)| camera(name, serial)).collect();
        let named = name_devices(&surroundings, cameras);
        named.into_iter().map(|named| (named.name, named.warnings.len())).collect()
    }

    #[track_caller]
    fn called(came: &[(String, usize)], expected: &[(&str, usize)]) {
        let came: Vec<(&str, usize)> =
            came.iter().map(|(name, warnings)| (name.as_str(), *warnings)).collect();
        assert_eq!(came, expected);
    }

    #[test]
    fn indidev_beats_nickname_beats_the_cameras_own_name() {
        let scratch = Scratch::new();
        called(&names(&scratch, None, &[("Cam", "1")]), &[("Cam", 0)]);
        NicknameFile::new(scratch.path(), "Cam").store("1", "guider").unwrap();
        called(&names(&scratch, None, &[("Cam", "1")]), &[("Cam guider", 0)]);
        called(&names(&scratch, Some("Label"), &[("Cam", "1")]), &[("Label", 0)]);
        // It names one device.
        let two = [("Cam", "1"), ("Cam 2", "2")];
        called(&names(&scratch, Some("Label"), &two), &[("Cam guider", 0), ("Cam 2", 0)]);
    }

    #[test]
    fn no_nickname_makes_two_devices_of_one_name_or_one_that_is_cut() {
        let scratch = Scratch::new();
        let file = NicknameFile::new(scratch.path(), "Cam");
        file.store("1", "2").unwrap();
        file.store("3", &"x".repeat(60)).unwrap();
        let cameras = [("Cam", "1"), ("Cam 2", "2"), ("Cam 3", "3")];
        called(&names(&scratch, None, &cameras), &[("Cam", 1), ("Cam 2", 0), ("Cam 3", 1)]);
    }

    #[test]
    fn a_file_of_nicknames_that_cannot_be_read_is_a_warning() {
        let scratch = Scratch::new();
        std::fs::create_dir(scratch.path().join(".indi")).unwrap();
        std::fs::write(scratch.path().join(".indi/Nicknames.xml"), "<rubbish").unwrap();
        called(&names(&scratch, None, &[("Cam", "1")]), &[("Cam", 1)]);
    }
}
