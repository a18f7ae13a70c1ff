//! A camera whose every word a test can write: what it is, what it refuses, and what its pixels are.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use ascom_alpaca::api::camera::{CameraState, GuideDirection, ImageArray, SensorType};
use ascom_alpaca::api::{Camera, Device};
use ascom_alpaca::{ASCOMError, ASCOMErrorCode, ASCOMResult};
use async_trait::async_trait;
use ndarray::{Array2, Array3};

use crate::support::now;

/// How a camera sends its pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sends {
    Bytes,
    Words,
    /// In 32 bits with a sign, as most drivers do.
    Integers,
    Colour,
}

/// What a camera is and does. Tests change it at any time.
#[derive(Clone, Debug)]
pub struct Script {
    pub name: &'static str,
    pub unique_id: &'static str,
    pub interface: u16,
    pub size: (u32, u32),
    pub max_adu: u32,
    pub sends: Sends,
    /// The value of the pixel at that column and row of the sensor.
    pub pixel: fn(u32, u32) -> i32,
    pub sensor: SensorType,
    pub bayer: (u8, u8),
    pub max_bin: (u8, u8),
    pub bins: &'static [u8],
    pub asymmetric: bool,
    /// `None`: no gain at all.
    pub gain: Option<i32>,
    pub gain_range: Option<(i32, i32)>,
    pub gains: &'static [&'static str],
    pub offset: Option<i32>,
    pub offset_range: Option<(i32, i32)>,
    pub offsets: &'static [&'static str],
    pub modes: &'static [&'static str],
    pub mode: usize,
    pub fast: Option<bool>,
    pub cooler: bool,
    pub cooler_on: bool,
    pub target: f64,
    pub temperature: Option<f64>,
    pub power: Option<f64>,
    pub heat_sink: Option<f64>,
    pub sub_exposure: Option<f64>,
    pub guides: bool,
    pub pulses: Vec<(GuideDirection, Duration)>,
    pub abort: bool,
    pub stop: bool,
    pub exposure: (f64, f64, f64),
    pub percent: Option<u8>,
    /// After the shutter has closed.
    pub read_out: Duration,
    /// The camera rounds windows down to multiples of that.
    pub window_step: u32,

    pub connected: bool,
    pub bin: (u8, u8),
    pub start: (u32, u32),
    pub num: (u32, u32),
    pub exposing: Option<Exposing>,
    pub aborts: u32,
    /// The camera stops with that error, in the words of its state.
    pub broken: bool,
    /// The camera says that it is idle after an abort, and refuses so many exposures all the same.
    pub restless: u32,
    /// Ends every exposure without an image.
    pub vanishes: bool,
    /// Errors of methods and properties, by their names in a path.
    pub refuses: HashMap<&'static str, (u16, &'static str)>,
}

/// A running or finished exposure.
#[derive(Clone, Copy, Debug)]
pub struct Exposing {
    pub opened: Instant,
    pub length: Duration,
    pub light: bool,
}

impl Default for Script {
    fn default() -> Self {
        Script {
            name: "Scripted",
            unique_id: "scripted-0001",
            interface: 3,
            size: (31, 23),
            max_adu: 65535,
            sends: Sends::Words,
            pixel: |x, y| i32::try_from(x * 1000 + y * 7 + 1).unwrap() & 0xFFFF,
            sensor: SensorType::Monochrome,
            bayer: (0, 0),
            max_bin: (4, 4),
            bins: &[1, 2, 3, 4],
            asymmetric: true,
            gain: Some(10),
            gain_range: Some((0, 300)),
            gains: &[],
            offset: Some(5),
            offset_range: Some((1, 50)),
            offsets: &[],
            modes: &["Only"],
            mode: 0,
            fast: None,
            cooler: true,
            cooler_on: false,
            target: 0.0,
            temperature: Some(12.5),
            power: Some(0.0),
            heat_sink: Some(21.5),
            sub_exposure: None,
            guides: true,
            pulses: Vec::new(),
            abort: true,
            stop: true,
            exposure: (0.001, 3600.0, 0.001),
            percent: Some(40),
            read_out: Duration::ZERO,
            window_step: 1,
            connected: false,
            bin: (1, 1),
            start: (0, 0),
            num: (31, 23),
            exposing: None,
            aborts: 0,
            broken: false,
            restless: 0,
            vanishes: false,
            refuses: HashMap::new(),
        }
    }
}

impl Script {
    /// A camera of that size.
    pub fn of_size(width: u32, height: u32) -> Script {
        Script { size: (width, height), num: (width, height), ..Script::default() }
    }

    fn state(&self) -> CameraState {
        let Some(Exposing { opened, length, .. }) = self.exposing else { return CameraState::Idle };
        let passed = now().saturating_duration_since(opened);
        match () {
            () if self.broken => CameraState::Error,
            () if passed < length => CameraState::Exposing,
            () if passed < length + self.read_out => CameraState::Reading,
            () => CameraState::Idle,
        }
    }

    fn is_ready(&self) -> bool {
        self.exposing.is_some() && self.state() == CameraState::Idle && !self.vanishes
    }

    /// The image under the present window and binning, column by column.
    fn image(&self) -> ImageArray {
        let (columns, rows) = (self.num.0 as usize, self.num.1 as usize);
        let value = |x: usize, y: usize| {
            let along = |i: usize, start: u32, bin: u8| (start + u32::try_from(i).unwrap()) * u32::from(bin);
            (self.pixel)(along(x, self.start.0, self.bin.0), along(y, self.start.1, self.bin.1))
        };
        match self.sends {
            Sends::Bytes => {
                Array2::from_shape_fn((columns, rows), |(x, y)| u8::try_from(value(x, y) & 0xFF).unwrap())
                    .into()
            }
            Sends::Words => {
                Array2::from_shape_fn((columns, rows), |(x, y)| u16::try_from(value(x, y)).unwrap()).into()
            }
            Sends::Integers => Array2::from_shape_fn((columns, rows), |(x, y)| value(x, y)).into(),
            Sends::Colour => {
                let plane = |p: usize| i32::try_from(p).unwrap();
                Array3::from_shape_fn((columns, rows, 3), |(x, y, p)| value(x, y) + plane(p)).into()
            }
        }
    }
}

/// The script, played on a server.
#[derive(Clone, Debug)]
pub struct Scripted {
    names: (&'static str, &'static str),
    script: Arc<Mutex<Script>>,
}

const MISSING: ASCOMError = ASCOMError::NOT_IMPLEMENTED;

impl Scripted {
    pub fn new(script: Script) -> Self {
        Scripted { names: (script.name, script.unique_id), script: Arc::new(Mutex::new(script)) }
    }

    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    /// What needs no connection.
    fn always<T>(&self, name: &str, act: impl FnOnce(&mut Script) -> ASCOMResult<T>) -> ASCOMResult<T> {
        let mut script = self.script();
        if let Some((code, message)) = script.refuses.get(name) {
            return Err(ASCOMError::new(ASCOMErrorCode::try_from(*code).unwrap(), message));
        }
        act(&mut script)
    }

    fn open<T>(&self, name: &str, act: impl FnOnce(&mut Script) -> ASCOMResult<T>) -> ASCOMResult<T> {
        self.always(
            name,
            |script| if script.connected { act(script) } else { Err(ASCOMError::NOT_CONNECTED) },
        )
    }
}

#[async_trait]
impl Device for Scripted {
    fn static_name(&self) -> &str {
        self.names.0
    }
    fn unique_id(&self) -> &str {
        self.names.1
    }
    async fn connected(&self) -> ASCOMResult<bool> {
        self.always("connected", |s| Ok(s.connected))
    }
    async fn set_connected(&self, connected: bool) -> ASCOMResult<()> {
        self.always("connect", |s| {
            s.connected = connected;
            Ok(())
        })
    }
    async fn description(&self) -> ASCOMResult<String> {
        Ok("a camera that does what it is told".to_owned())
    }
    async fn driver_info(&self) -> ASCOMResult<String> {
        Ok("script".to_owned())
    }
    async fn driver_version(&self) -> ASCOMResult<String> {
        Ok("7.1".to_owned())
    }
    async fn action(&self, action: String, parameters: String) -> ASCOMResult<String> {
        self.open("action", |_| match action.as_str() {
            "echo" => Ok(parameters),
            _ => Err(ASCOMError::ACTION_NOT_IMPLEMENTED),
        })
    }
}

fn list(names: &[&str]) -> ASCOMResult<Vec<String>> {
    if names.is_empty() { Err(MISSING) } else { Ok(names.iter().map(ToString::to_string).collect()) }
}

/// A step towards the window, as the camera takes it.
fn stepped(value: u32, step: u32) -> u32 {
    value - value % step
}

#[async_trait]
impl Camera for Scripted {
    async fn interface_version(&self) -> ASCOMResult<u16> {
        self.always("interfaceversion", |s| Ok(s.interface))
    }
    async fn camera_x_size(&self) -> ASCOMResult<u32> {
        self.open("cameraxsize", |s| Ok(s.size.0))
    }
    async fn camera_y_size(&self) -> ASCOMResult<u32> {
        self.open("cameraysize", |s| Ok(s.size.1))
    }
    async fn pixel_size_x(&self) -> ASCOMResult<f64> {
        self.open("pixelsizex", |_| Ok(3.75))
    }
    async fn pixel_size_y(&self) -> ASCOMResult<f64> {
        self.open("pixelsizey", |_| Ok(4.25))
    }
    async fn max_adu(&self) -> ASCOMResult<u32> {
        self.open("maxadu", |s| Ok(s.max_adu))
    }
    async fn sensor_type(&self) -> ASCOMResult<SensorType> {
        self.open("sensortype", |s| Ok(s.sensor))
    }
    async fn bayer_offset_x(&self) -> ASCOMResult<u8> {
        self.open("bayeroffsetx", |s| Ok(s.bayer.0))
    }
    async fn bayer_offset_y(&self) -> ASCOMResult<u8> {
        self.open("bayeroffsety", |s| Ok(s.bayer.1))
    }
    async fn exposure_min(&self) -> ASCOMResult<Duration> {
        self.open("exposuremin", |s| Ok(Duration::from_secs_f64(s.exposure.0)))
    }
    async fn exposure_max(&self) -> ASCOMResult<Duration> {
        self.open("exposuremax", |s| Ok(Duration::from_secs_f64(s.exposure.1)))
    }
    async fn exposure_resolution(&self) -> ASCOMResult<Duration> {
        self.open("exposureresolution", |s| Ok(Duration::from_secs_f64(s.exposure.2)))
    }
    async fn has_shutter(&self) -> ASCOMResult<bool> {
        self.open("hasshutter", |_| Ok(true))
    }
    async fn can_abort_exposure(&self) -> ASCOMResult<bool> {
        self.open("canabortexposure", |s| Ok(s.abort))
    }
    async fn can_stop_exposure(&self) -> ASCOMResult<bool> {
        self.open("canstopexposure", |s| Ok(s.stop))
    }
    async fn can_asymmetric_bin(&self) -> ASCOMResult<bool> {
        self.open("canasymmetricbin", |s| Ok(s.asymmetric))
    }
    async fn can_fast_readout(&self) -> ASCOMResult<bool> {
        self.open("canfastreadout", |s| Ok(s.fast.is_some()))
    }
    async fn can_get_cooler_power(&self) -> ASCOMResult<bool> {
        self.open("cangetcoolerpower", |s| Ok(s.power.is_some()))
    }
    async fn can_pulse_guide(&self) -> ASCOMResult<bool> {
        self.open("canpulseguide", |s| Ok(s.guides))
    }
    async fn can_set_ccd_temperature(&self) -> ASCOMResult<bool> {
        self.open("cansetccdtemperature", |s| Ok(s.cooler))
    }
    async fn max_bin_x(&self) -> ASCOMResult<u8> {
        self.open("maxbinx", |s| Ok(s.max_bin.0))
    }
    async fn max_bin_y(&self) -> ASCOMResult<u8> {
        self.open("maxbiny", |s| Ok(s.max_bin.1))
    }
    async fn bin_x(&self) -> ASCOMResult<u8> {
        self.open("binx", |s| Ok(s.bin.0))
    }
    async fn set_bin_x(&self, bin_x: u8) -> ASCOMResult<()> {
        self.open("binx", |s| {
            s.bin.0 = Some(bin_x).filter(|bin| s.bins.contains(bin)).ok_or(ASCOMError::INVALID_VALUE)?;
            Ok(())
        })
    }
    async fn bin_y(&self) -> ASCOMResult<u8> {
        self.open("biny", |s| Ok(s.bin.1))
    }
    async fn set_bin_y(&self, bin_y: u8) -> ASCOMResult<()> {
        self.open("biny", |s| {
            s.bin.1 = Some(bin_y).filter(|bin| s.bins.contains(bin)).ok_or(ASCOMError::INVALID_VALUE)?;
            Ok(())
        })
    }
    async fn start_x(&self) -> ASCOMResult<u32> {
        self.open("startx", |s| Ok(s.start.0))
    }
    async fn set_start_x(&self, start_x: u32) -> ASCOMResult<()> {
        self.open("startx", |s| {
            s.start.0 = stepped(start_x, s.window_step);
            Ok(())
        })
    }
    async fn start_y(&self) -> ASCOMResult<u32> {
        self.open("starty", |s| Ok(s.start.1))
    }
    async fn set_start_y(&self, start_y: u32) -> ASCOMResult<()> {
        self.open("starty", |s| {
            s.start.1 = stepped(start_y, s.window_step);
            Ok(())
        })
    }
    async fn num_x(&self) -> ASCOMResult<u32> {
        self.open("numx", |s| Ok(s.num.0))
    }
    async fn set_num_x(&self, num_x: u32) -> ASCOMResult<()> {
        self.open("numx", |s| {
            s.num.0 = stepped(num_x, s.window_step);
            Ok(())
        })
    }
    async fn num_y(&self) -> ASCOMResult<u32> {
        self.open("numy", |s| Ok(s.num.1))
    }
    async fn set_num_y(&self, num_y: u32) -> ASCOMResult<()> {
        self.open("numy", |s| {
            s.num.1 = stepped(num_y, s.window_step);
            Ok(())
        })
    }
    async fn gain(&self) -> ASCOMResult<i32> {
        self.open("gain", |s| s.gain.ok_or(MISSING))
    }
    async fn set_gain(&self, gain: i32) -> ASCOMResult<()> {
        self.open("gain", |s| {
            s.gain = Some(gain);
            Ok(())
        })
    }
    async fn gain_min(&self) -> ASCOMResult<i32> {
        self.open("gainmin", |s| s.gain_range.map(|range| range.0).ok_or(MISSING))
    }
    async fn gain_max(&self) -> ASCOMResult<i32> {
        self.open("gainmax", |s| s.gain_range.map(|range| range.1).ok_or(MISSING))
    }
    async fn gains(&self) -> ASCOMResult<Vec<String>> {
        self.open("gains", |s| list(s.gains))
    }
    async fn offset(&self) -> ASCOMResult<i32> {
        self.open("offset", |s| s.offset.ok_or(MISSING))
    }
    async fn set_offset(&self, offset: i32) -> ASCOMResult<()> {
        self.open("offset", |s| {
            s.offset = Some(offset);
            Ok(())
        })
    }
    async fn offset_min(&self) -> ASCOMResult<i32> {
        self.open("offsetmin", |s| s.offset_range.map(|range| range.0).ok_or(MISSING))
    }
    async fn offset_max(&self) -> ASCOMResult<i32> {
        self.open("offsetmax", |s| s.offset_range.map(|range| range.1).ok_or(MISSING))
    }
    async fn offsets(&self) -> ASCOMResult<Vec<String>> {
        self.open("offsets", |s| list(s.offsets))
    }
    async fn readout_modes(&self) -> ASCOMResult<Vec<String>> {
        self.open("readoutmodes", |s| Ok(s.modes.iter().map(ToString::to_string).collect()))
    }
    async fn readout_mode(&self) -> ASCOMResult<usize> {
        self.open("readoutmode", |s| Ok(s.mode))
    }
    async fn set_readout_mode(&self, readout_mode: usize) -> ASCOMResult<()> {
        self.open("readoutmode", |s| {
            s.mode = readout_mode;
            Ok(())
        })
    }
    async fn fast_readout(&self) -> ASCOMResult<bool> {
        self.open("fastreadout", |s| s.fast.ok_or(MISSING))
    }
    async fn set_fast_readout(&self, fast_readout: bool) -> ASCOMResult<()> {
        self.open("fastreadout", |s| {
            s.fast = Some(fast_readout);
            Ok(())
        })
    }
    async fn ccd_temperature(&self) -> ASCOMResult<f64> {
        self.open("ccdtemperature", |s| s.temperature.ok_or(MISSING))
    }
    async fn cooler_on(&self) -> ASCOMResult<bool> {
        self.open("cooleron", |s| Ok(s.cooler_on))
    }
    async fn set_cooler_on(&self, cooler_on: bool) -> ASCOMResult<()> {
        self.open("cooleron", |s| {
            s.cooler_on = cooler_on;
            Ok(())
        })
    }
    async fn set_ccd_temperature(&self) -> ASCOMResult<f64> {
        self.open("setccdtemperature", |s| Ok(s.target))
    }
    async fn set_set_ccd_temperature(&self, set_ccd_temperature: f64) -> ASCOMResult<()> {
        self.open("setccdtemperature", |s| {
            s.target = set_ccd_temperature;
            Ok(())
        })
    }
    async fn cooler_power(&self) -> ASCOMResult<f64> {
        self.open("coolerpower", |s| s.power.ok_or(MISSING))
    }
    async fn heat_sink_temperature(&self) -> ASCOMResult<f64> {
        self.open("heatsinktemperature", |s| s.heat_sink.ok_or(MISSING))
    }
    async fn sub_exposure_duration(&self) -> ASCOMResult<f64> {
        self.open("subexposureduration", |s| s.sub_exposure.ok_or(MISSING))
    }
    async fn set_sub_exposure_duration(&self, sub_exposure_duration: f64) -> ASCOMResult<()> {
        self.open("subexposureduration", |s| {
            s.sub_exposure = Some(sub_exposure_duration);
            Ok(())
        })
    }
    async fn pulse_guide(&self, direction: GuideDirection, duration: Duration) -> ASCOMResult<()> {
        self.open("pulseguide", |s| {
            s.pulses.push((direction, duration));
            Ok(())
        })
    }
    async fn percent_completed(&self) -> ASCOMResult<u8> {
        self.open("percentcompleted", |s| s.percent.ok_or(MISSING))
    }
    async fn camera_state(&self) -> ASCOMResult<CameraState> {
        self.open("camerastate", |s| Ok(s.state()))
    }
    async fn image_ready(&self) -> ASCOMResult<bool> {
        self.open("imageready", |s| Ok(s.is_ready()))
    }
    async fn start_exposure(&self, length: Duration, light: bool) -> ASCOMResult<()> {
        self.open("startexposure", |s| {
            if s.state() != CameraState::Idle {
                return Err(ASCOMError::invalid_operation("the camera is exposing"));
            }
            if s.aborts > 0 && s.restless > 0 {
                s.restless -= 1;
                return Err(ASCOMError::invalid_operation("Camera is not idle"));
            }
            let fits =
                |start: u32, num: u32, bin: u8, size: u32| num > 0 && start + num <= size / u32::from(bin);
            if !fits(s.start.0, s.num.0, s.bin.0, s.size.0) || !fits(s.start.1, s.num.1, s.bin.1, s.size.1) {
                return Err(ASCOMError::invalid_value("the window is not on the sensor"));
            }
            s.exposing = Some(Exposing { opened: now(), length, light });
            Ok(())
        })
    }
    async fn abort_exposure(&self) -> ASCOMResult<()> {
        self.open("abortexposure", |s| {
            s.aborts += 1;
            s.exposing = None;
            s.broken = false;
            Ok(())
        })
    }
    async fn stop_exposure(&self) -> ASCOMResult<()> {
        self.open("stopexposure", |s| {
            if let Some(exposing) = &mut s.exposing {
                exposing.length = now().saturating_duration_since(exposing.opened);
            }
            Ok(())
        })
    }
    async fn image_array(&self) -> ASCOMResult<ImageArray> {
        self.open("imagearray", |s| {
            if s.is_ready() { Ok(s.image()) } else { Err(ASCOMError::invalid_operation("there is no image")) }
        })
    }
}
