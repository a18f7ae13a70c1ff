//! A folder of FITS files as a camera: each exposure takes the time that was asked and then gives the next file's
//! pixels, every one of them as it is.
//!
//! REPLAY_FOLDER names the folder; as long as it is empty, the variable `INDI_CAMERA_REPLAY` does. REPLAY_REPEAT says
//! what comes after the last file: the first again, or nothing.
//!
//! The files are those of one camera. Size, depth, colour filters and the size of the pixels come from their headers,
//! and so does what each frame says of its gain, offset and temperature; everything else in a frame's header is about
//! the replay. Whole numbers of 8, 16 and 32 bits that are not negative are what cameras send, in one plane or three,
//! as they are or compressed by Rice's method. Rows stay in the order of the file. Windows and binning are made of
//! whole frames by whoever asked.
//!
//! The headers are read when the camera is connected, which begins with the first file. The pixels are read while the
//! shutter is open. A file whose exposure was aborted comes again; one that cannot be read, or not in time, costs one
//! exposure.
//!
//! Read [`Replay`] first.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

mod file;
mod folder;
mod header;
mod reading;
mod session;
#[doc(hidden)]
pub mod untrusted;

use self::folder::Folder;
use self::session::Session;
use super::Backend;
use super::clock::{now, utc};
use crate::camera::Camera;
use crate::camera::error::{CameraError, ErrorKind, Result};
use crate::camera::types::{
    self as facts, Binning, CameraId, Capabilities, ExposureRequest, ExposureStatus, Frame, Moment, Range,
    Roi, Value,
};

/// The replay among the backends.
pub const BACKEND: Backend = Backend {
    name: "replay",
    label: "Camera Replay",
    hardware: false,
    guides: false,
    skeleton: Some(("replay.xml", include_str!("../../../xml-skeletons/replay.xml"))),
    complaints,
    addresses: None,
    nodes: None,
    create: || Box::new(Replay::new()),
};

/// Name and model of the only camera that this backend finds.
const NAME: &str = "Camera Replay";
const SHORTEST: Duration = Duration::from_micros(100);
const LONGEST: Duration = Duration::from_secs(3600);
const FOLDER: &str = "REPLAY_FOLDER";
const REPEAT: &str = "REPLAY_REPEAT";
const ONCE: &str = "REPLAY_ONCE";
const LOOP: &str = "REPLAY_LOOP";
/// The folder of cameras that have been told of none.
const VARIABLE: &str = "INDI_CAMERA_REPLAY";

/// A camera that gives what others have seen.
pub struct Replay {
    /// Zero of this camera's monotonic clock.
    epoch: Instant,
    /// As it was written; empty for the one of the environment.
    folder: String,
    looping: bool,
    /// Present while connected.
    session: Option<Session>,
}

impl Replay {
    /// A camera that is not connected yet.
    #[must_use]
    pub fn new() -> Self {
        Replay { epoch: now(), folder: String::new(), looping: true, session: None }
    }

    fn now(&self) -> Moment {
        Moment { elapsed: now().duration_since(self.epoch), utc: utc() }
    }

    fn connected(&mut self, call: &'static str) -> Result<&mut Session> {
        self.session.as_mut().ok_or_else(|| CameraError::not_connected(call))
    }

    fn read_folder(&self) -> std::result::Result<Folder, String> {
        let written = Some(PathBuf::from(&self.folder)).filter(|folder| !folder.as_os_str().is_empty());
        let path = written
            .or_else(folder_of_environment)
            .ok_or_else(|| format!("there is no folder to replay: write {FOLDER} or set {VARIABLE}"))?;
        Folder::read(&path)
    }
}

impl Default for Replay {
    fn default() -> Self {
        Self::new()
    }
}

impl Camera for Replay {
    fn scanning(&mut self) -> Result<Vec<CameraId>> {
        Ok(vec![CameraId { name: NAME.to_owned(), model: NAME.to_owned(), serial: None, bus: None }])
    }

    fn connect(&mut self, id: &CameraId) -> Result<Capabilities> {
        // Several cameras are told apart by a number after the name.
        if !id.name.starts_with(NAME) {
            let detail = format!("there is no camera named {}", id.name);
            return Err(CameraError::new(ErrorKind::InvalidValue, "connect", detail));
        }
        if self.session.is_none() {
            let folder = self.read_folder();
            let folder = folder.map_err(|why| CameraError::new(ErrorKind::Io, "connect", why))?;
            self.session = Some(Session::new(folder));
        }
        Ok(capabilities(self.connected("connect")?.sensor()))
    }

    fn disconnect(&mut self) -> Result<()> {
        self.session = None;
        Ok(())
    }

    fn start_exposure(&mut self, request: &ExposureRequest) -> Result<()> {
        const CALL: &str = "start_exposure";
        let (now, looping) = (self.now(), self.looping);
        let session = self.connected(CALL)?;
        if session.is_exposing(now.elapsed) {
            return Err(CameraError::exposing(CALL));
        }
        capabilities(session.sensor()).check_exposure(request.duration)?;
        session.expose(now, request, looping)
    }

    fn abort_exposure(&mut self) -> Result<()> {
        let now = self.now().elapsed;
        self.connected("abort_exposure")?.abort(now);
        Ok(())
    }

    fn get_exposure_status(&mut self) -> Result<ExposureStatus> {
        let now = self.now().elapsed;
        self.connected("get_exposure_status")?.status(now)
    }

    fn get_exposure_result(&mut self) -> Result<Frame> {
        let now = self.now().elapsed;
        self.connected("get_exposure_result")?.result(now)
    }

    fn get_camera_roi(&mut self) -> Result<Roi> {
        Ok(self.connected("get_camera_roi")?.full())
    }

    fn set_camera_roi(&mut self, roi: Roi) -> Result<Roi> {
        let can = capabilities(self.connected("set_camera_roi")?.sensor());
        can.check_roi(roi)?;
        Ok(can.full())
    }

    fn get_binning(&mut self) -> Result<Binning> {
        self.connected("get_binning")?;
        Ok(Binning::NONE)
    }

    fn set_binning(&mut self, binning: Binning) -> Result<Binning> {
        capabilities(self.connected("set_binning")?.sensor()).check_binning(binning)?;
        Ok(binning)
    }

    fn get_parameter(&mut self, name: &str) -> Result<Value> {
        match name {
            FOLDER => Ok(Value::Record(vec![("FOLDER".to_owned(), Value::Text(self.folder.clone()))])),
            REPEAT => Ok(Value::Text(if self.looping { LOOP } else { ONCE }.to_owned())),
            _ => Err(CameraError::no_setting("get_parameter", name)),
        }
    }

    fn set_parameter(&mut self, name: &str, value: Value) -> Result<Value> {
        const CALL: &str = "set_parameter";
        let invalid = |detail| CameraError::new(ErrorKind::InvalidValue, CALL, detail);
        match (name, value) {
            (FOLDER, Value::Record(fields)) => {
                let folder = chosen_folder(&fields).map_err(invalid)?.unwrap_or_else(|| self.folder.clone());
                if self.session.is_some() && folder != self.folder {
                    let detail = format!("disconnect first: {FOLDER} decides what the sensor is");
                    return Err(CameraError::new(ErrorKind::Busy, CALL, detail));
                }
                self.folder = folder;
            }
            (REPEAT, Value::Text(word)) if [ONCE, LOOP].contains(&word.as_str()) => {
                self.looping = word == LOOP;
            }
            (FOLDER, _) => return Err(invalid(format!("{FOLDER} takes a record with the text FOLDER"))),
            (REPEAT, _) => return Err(invalid(format!("{REPEAT} takes {ONCE} or {LOOP}"))),
            _ => return Err(CameraError::no_setting(CALL, name)),
        }
        self.get_parameter(name)
    }
}

/// The folder in a write to REPLAY_FOLDER, if it is there.
fn chosen_folder(fields: &[(String, Value)]) -> std::result::Result<Option<String>, String> {
    let mut chosen = None;
    for (name, value) in fields {
        match (name.as_str(), value) {
            ("FOLDER", Value::Text(folder)) if folder.is_empty() || Path::new(folder).is_absolute() => {
                chosen = Some(folder.clone());
            }
            ("FOLDER", Value::Text(folder)) => {
                return Err(format!("{FOLDER}.FOLDER takes a path that begins with /, not {folder:?}"));
            }
            ("FOLDER", _) => return Err(format!("{FOLDER}.FOLDER takes a text")),
            _ => return Err(format!("{FOLDER} has no element {name}")),
        }
    }
    Ok(chosen)
}

fn capabilities(sensor: &file::Sensor) -> Capabilities {
    let (pixel_x, pixel_y) = sensor.pixel_size.unwrap_or_default();
    Capabilities {
        sensor: facts::Sensor {
            width: sensor.width,
            height: sensor.height,
            pixel_x,
            pixel_y,
            bits: sensor.bits,
            adc_bits: sensor.bits,
            bayer: sensor.bayer.clone(),
        },
        formats: Vec::new(),
        exposure: Range { min: SHORTEST.as_secs_f64(), max: LONGEST.as_secs_f64(), step: 0.0 },
        binning: Binning::NONE,
        subframe: false,
        shutter: false,
        cooler: None,
        thermometer: false,
        cooler_power: false,
        gain: None,
        offset: None,
        controls: Vec::new(),
        guide_port: false,
        scene: false,
        sdk: None,
    }
}

fn folder_of_environment() -> Option<PathBuf> {
    std::env::var_os(VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from)
}

fn complaints() -> Vec<String> {
    let missing = folder_of_environment().filter(|path| !path.is_dir());
    let sentence =
        |path: PathBuf| format!("{VARIABLE} {} is no folder: choose another in {FOLDER}", path.display());
    missing.map(sentence).into_iter().collect()
}
