//! A simulated camera: a sensor with honest noise under a seeded sky, with a cooler, and in real time.
//!
//! Gain, offset, temperature, exposure time, binning, window and frame type mean what they mean on a real sensor
//! (`sensor`), so calibration frames calibrate and a photon transfer curve is straight. The same seed, settings
//! and number of the frame since connecting give the same bytes on any machine with as many threads as it likes.
//!
//! The pixels are drawn while the shutter is open (`exposure`) with the sensor's temperature at its opening.
//!
//! Read [`Simulator`] first.

use std::time::{Duration, Instant, SystemTime};

mod cooler;
mod exposure;
mod format;
mod guide;
mod noise;
mod pattern;
mod sensor;
#[cfg(test)]
mod sensor_tests;
mod session;
mod settings;
mod sky;

use self::cooler::{AMBIENT, Cooler, LARGEST_DROP};
use self::guide::Pulse;
use self::sensor::{PixelType, Recipe, Sensor};
use self::session::Session;
use self::settings::{Setting, Settings};
use super::Backend;
use crate::camera::Camera;
use crate::camera::call::{self, Params, Reply};
use crate::camera::error::{CameraError, ErrorKind, Result};
use crate::camera::types::{
    self as facts, Binning, CameraId, Capabilities, Celsius, CoolingStatus, ExposureRequest, ExposureStatus,
    FORMAT_PARAMETER, Frame, Moment, Percent, Range, Roi, Value,
};

/// The simulator among the backends.
pub const BACKEND: Backend = Backend {
    name: "simulator",
    label: "Camera Simulator",
    hardware: false,
    guides: true,
    skeleton: Some(("simulator.xml", include_str!("../../../xml-skeletons/simulator.xml"))),
    addresses: None,
    nodes: None,
    create: || Box::new(Simulator::new()),
};

/// Name and model of the only camera that this backend finds.
const NAME: &str = "Camera Simulator";
/// Number of the first one; the driver numbers any further ones itself.
const SERIAL: &str = "SIM-0001";
/// Fast enough for bias frames; no shutter is faster.
const SHORTEST: Duration = Duration::from_micros(100);
const LONGEST: Duration = Duration::from_secs(3600);
/// Along each axis; the factors may differ.
const LARGEST_BINNING: u32 = 4;
/// In units of 0.1 dB, as most astronomical cameras count.
const GAIN: Range<i32> = Range { min: 0, max: 300, step: 1 };
/// A little above a quarter of an electron per ADU at 16 bit, so that the read noise is well sampled.
const FIRST_GAIN: i32 = 100;
/// In ADU of the converter, at every gain and depth.
const OFFSET: Range<i32> = Range { min: 0, max: 1000, step: 1 };
/// More than ten times the read noise at the first gain and 16 bit, so that nothing is cut off.
const FIRST_OFFSET: i32 = 100;
const COOLER: Range<Celsius> = Range { min: AMBIENT - LARGEST_DROP, max: AMBIENT, step: 0.1 };

/// A simulated camera.
pub struct Simulator {
    /// Zero of this camera's monotonic clock.
    epoch: Instant,
    settings: Settings,
    /// Outlives a connection, as the temperature of real hardware does.
    cooler: Cooler,
    roi: Roi,
    binning: Binning,
    gain: i32,
    offset: i32,
    /// Bits in the container of a pixel, as far as the converter fills them.
    bits: u8,
    /// Present while connected.
    session: Option<Session>,
}

impl Simulator {
    /// A camera that is not connected yet.
    #[must_use]
    pub fn new() -> Self {
        let settings = Settings::new();
        Simulator {
            epoch: clock().0,
            roi: full(&settings),
            settings,
            cooler: Cooler::new(),
            binning: Binning::NONE,
            gain: FIRST_GAIN,
            offset: FIRST_OFFSET,
            bits: 16,
            session: None,
        }
    }

    fn now(&self) -> Moment {
        let (instant, utc) = clock();
        Moment { elapsed: instant.duration_since(self.epoch), utc }
    }

    fn connected(&mut self, call: &'static str) -> Result<&mut Session> {
        self.session
            .as_mut()
            .ok_or_else(|| CameraError::new(ErrorKind::NotConnected, call, "connect the camera first"))
    }

    /// What the connected camera has published.
    fn can(&mut self, call: &'static str) -> Result<Capabilities> {
        let pixel_size = self.settings.pixel_size();
        Ok(capabilities(self.connected(call)?.sensor(), pixel_size))
    }
}

impl Default for Simulator {
    fn default() -> Self {
        Self::new()
    }
}

impl Camera for Simulator {
    fn scanning(&mut self) -> Result<Vec<CameraId>> {
        Ok(vec![CameraId {
            name: NAME.to_owned(),
            model: NAME.to_owned(),
            serial: Some(SERIAL.to_owned()),
            bus: None,
        }])
    }

    fn connect(&mut self, id: &CameraId) -> Result<Capabilities> {
        // Several simulators are told apart by a number after the name.
        if !id.name.starts_with(NAME) {
            let detail = format!("there is no camera named {}", id.name);
            return Err(CameraError::new(ErrorKind::InvalidValue, "connect", detail));
        }
        self.session.get_or_insert_with(|| Session::new(self.settings.sensor()));
        self.can("connect")
    }

    fn disconnect(&mut self) -> Result<()> {
        self.session = None;
        Ok(())
    }

    fn start_exposure(&mut self, request: &ExposureRequest) -> Result<()> {
        const CALL: &str = "start_exposure";
        let now = self.now();
        let session = self.connected(CALL)?;
        if session.is_exposing(now.elapsed) {
            return Err(CameraError::new(ErrorKind::Busy, CALL, "an exposure is running"));
        }
        self.can(CALL)?.check_exposure(request.duration)?;
        let (Roi { width, height, .. }, Binning { x, y }) = (self.roi, self.binning);
        if width < x || height < y {
            let detail = format!("no binned pixel of {x}×{y} fits a window of {width}×{height}");
            return Err(CameraError::new(ErrorKind::OutOfRange, CALL, detail));
        }
        let recipe = Recipe {
            frame_type: request.frame_type,
            duration: request.duration,
            roi: self.roi,
            binning: self.binning,
            gain: self.gain,
            offset: self.offset,
            temperature: self.cooler.temperature(now.elapsed),
        };
        let (scene, bits) = (self.settings.scene, self.bits);
        self.connected(CALL)?.expose(now, scene, recipe, bits, request.cancel.clone())
    }

    fn abort_exposure(&mut self) -> Result<()> {
        self.connected("abort_exposure")?.abort();
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
        self.connected("get_camera_roi")?;
        Ok(self.roi)
    }

    fn set_camera_roi(&mut self, roi: Roi) -> Result<Roi> {
        self.can("set_camera_roi")?.check_roi(roi)?;
        self.roi = roi;
        Ok(roi)
    }

    fn get_binning(&mut self) -> Result<Binning> {
        self.connected("get_binning")?;
        Ok(self.binning)
    }

    fn set_binning(&mut self, binning: Binning) -> Result<Binning> {
        self.can("set_binning")?.check_binning(binning)?;
        self.binning = binning;
        Ok(binning)
    }

    fn cooling(&mut self, on: bool) -> Result<()> {
        let now = self.now().elapsed;
        self.connected("cooling")?;
        self.cooler.switch(now, on);
        Ok(())
    }

    fn cooling_to(&mut self, target: Celsius) -> Result<()> {
        self.can("cooling_to")?.check_target(target)?;
        let now = self.now().elapsed;
        self.cooler.regulate_to(now, target);
        Ok(())
    }

    fn get_cooling_status(&mut self) -> Result<CoolingStatus> {
        self.connected("get_cooling_status")?;
        Ok(self.cooler.status())
    }

    fn get_current_temperature(&mut self) -> Result<Celsius> {
        self.connected("get_current_temperature")?;
        Ok(self.cooler.temperature(self.now().elapsed))
    }

    fn get_cooling_power(&mut self) -> Result<Percent> {
        self.connected("get_cooling_power")?;
        Ok(self.cooler.power(self.now().elapsed))
    }

    fn get_gain(&mut self) -> Result<i32> {
        self.connected("get_gain")?;
        Ok(self.gain)
    }

    fn set_gain(&mut self, gain: i32) -> Result<i32> {
        self.can("set_gain")?.check_gain(gain)?;
        self.gain = gain;
        Ok(gain)
    }

    fn get_offset(&mut self) -> Result<i32> {
        self.connected("get_offset")?;
        Ok(self.offset)
    }

    fn set_offset(&mut self, offset: i32) -> Result<i32> {
        self.can("set_offset")?.check_offset(offset)?;
        self.offset = offset;
        Ok(offset)
    }

    fn get_parameter(&mut self, name: &str) -> Result<Value> {
        if name == FORMAT_PARAMETER {
            let bits = self.bits;
            let formats = format::formats(self.connected("get_parameter")?.sensor());
            let set = formats.iter().find(|format| format.bits == bits).or(formats.first());
            return Ok(Value::Text(set.map(|format| format.name.clone()).unwrap_or_default()));
        }
        Ok(self.settings.get(setting("get_parameter", name)?))
    }

    fn set_parameter(&mut self, name: &str, value: Value) -> Result<Value> {
        const CALL: &str = "set_parameter";
        if name == FORMAT_PARAMETER {
            let formats = format::formats(self.connected(CALL)?.sensor());
            let chosen = formats.iter().find(|format| Value::Text(format.name.clone()) == value);
            self.bits = chosen.map(|format| format.bits).ok_or_else(|| {
                let names: Vec<&str> = formats.iter().map(|format| format.name.as_str()).collect();
                let detail = format!("format takes one of {}", names.join(", "));
                CameraError::new(ErrorKind::InvalidValue, CALL, detail)
            })?;
            return Ok(value);
        }
        let setting = setting(CALL, name)?;
        if self.session.is_some() && setting.is_fixed_while_connected() {
            let detail = format!("disconnect first: {name} describes the sensor");
            return Err(CameraError::new(ErrorKind::Busy, CALL, detail));
        }
        let size = self.settings.size();
        self.settings.set(setting, &value)?;
        if self.settings.size() != size {
            // A window on another sensor means nothing on this one.
            self.roi = full(&self.settings);
        }
        Ok(self.settings.get(setting))
    }

    fn call(&mut self, name: &str, params: &Params) -> Result<Reply> {
        match name {
            "pulse_guide" => {
                let pulse = Pulse::read(params)?;
                let now = self.now().elapsed;
                self.connected("pulse_guide")?.guide(now, pulse);
                Ok(Reply::Done)
            }
            _ => call::by_name(self, name, params),
        }
    }
}

fn capabilities(sensor: &Sensor, pixel_size: f64) -> Capabilities {
    Capabilities {
        sensor: facts::Sensor {
            width: sensor.width,
            height: sensor.height,
            pixel_x: pixel_size,
            pixel_y: pixel_size,
            bits: match sensor.pixel_type() {
                PixelType::U8 => 8,
                PixelType::U16 => 16,
            },
            adc_bits: sensor.bits,
            bayer: sensor.bayer(),
        },
        formats: format::formats(sensor),
        exposure: Range { min: SHORTEST.as_secs_f64(), max: LONGEST.as_secs_f64(), step: 0.0 },
        binning: Binning { x: LARGEST_BINNING, y: LARGEST_BINNING },
        subframe: true,
        shutter: true,
        cooler: Some(COOLER),
        thermometer: true,
        cooler_power: true,
        gain: Some(GAIN),
        offset: Some(OFFSET),
        controls: Vec::new(),
        guide_port: true,
        sdk: None,
    }
}

fn setting(call: &'static str, name: &str) -> Result<Setting> {
    Setting::named(name).ok_or_else(|| {
        CameraError::new(ErrorKind::NotSupported, call, format!("there is no setting named {name}"))
    })
}

fn full(settings: &Settings) -> Roi {
    let (width, height) = settings.size();
    Roi { x: 0, y: 0, width, height }
}

/// The only place where the simulator learns the time.
#[allow(clippy::disallowed_methods, reason = "a backend is hardware, and hardware lives in real time")]
fn clock() -> (Instant, SystemTime) {
    (Instant::now(), SystemTime::now())
}
