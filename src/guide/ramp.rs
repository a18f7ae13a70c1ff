//! A camera whose frames are a ramp: the least that a backend has to be.
//!
//! Each row grows by the gain from pixel to pixel. Nothing is read from any hardware; the comments say where a real
//! backend would.

use std::time::{Duration, Instant, SystemTime};

use indi_camera::backend::Backend;
use indi_camera::camera::Camera;
use indi_camera::camera::error::{CameraError, ErrorKind, Result};
use indi_camera::camera::types::{
    Binning, CameraId, Capabilities, ExposureRequest, ExposureStatus, Frame, FrameInfo, Pixels, Range, Roi,
    Sensor,
};
use ndarray::Array3;

/// The ramp among the backends.
pub const BACKEND: Backend = Backend {
    name: "ramp",
    label: "Camera Ramp",
    hardware: true,
    guides: false,
    skeleton: None,
    addresses: None,
    nodes: None,
    complaints: Vec::new,
    create: || Box::new(Ramp { can: None, gain: GAIN.min, running: None }),
};

const NAME: &str = "Ramp Camera";
const GAIN: Range<i32> = Range { min: 1, max: 100, step: 1 };

/// A camera, connected or not.
struct Ramp {
    /// Present while connected. A real backend keeps its open handle here too.
    can: Option<Capabilities>,
    gain: i32,
    running: Option<Exposure>,
}

/// An exposure, with all that decides what its frame will be.
struct Exposure {
    ends: Instant,
    info: FrameInfo,
}

impl Ramp {
    fn connected(&self, call: &'static str) -> Result<&Capabilities> {
        self.can.as_ref().ok_or_else(|| CameraError::not_connected(call))
    }
}

impl Camera for Ramp {
    fn scanning(&mut self) -> Result<Vec<CameraId>> {
        // A real backend looks at its bus. Finding nothing is no error.
        let name = NAME.to_owned();
        Ok(vec![CameraId { model: name.clone(), name, serial: Some("1".to_owned()), bus: None }])
    }

    fn connect(&mut self, id: &CameraId) -> Result<Capabilities> {
        if id.name != NAME {
            let detail = format!("there is no camera named {}", id.name);
            return Err(CameraError::new(ErrorKind::Disconnected, "connect", detail));
        }
        // A real backend opens the camera, unless it is open, and asks it all this.
        Ok(self.can.get_or_insert_with(capabilities).clone())
    }

    fn disconnect(&mut self) -> Result<()> {
        self.running = None;
        self.can = None;
        Ok(())
    }

    fn start_exposure(&mut self, request: &ExposureRequest) -> Result<()> {
        const CALL: &str = "start_exposure";
        let can = self.connected(CALL)?;
        can.check_exposure(request.duration)?;
        let roi = can.full();
        if matches!(
            self.get_exposure_status()?,
            ExposureStatus::Exposing { .. } | ExposureStatus::Reading { .. }
        ) {
            return Err(CameraError::exposing(CALL));
        }
        let (now, utc) = clock();
        let info = FrameInfo { gain: Some(self.gain), ..FrameInfo::new(utc, request.duration, roi) };
        // Replaces a frame that nobody fetched.
        self.running = Some(Exposure { ends: now + request.duration, info });
        Ok(())
    }

    fn abort_exposure(&mut self) -> Result<()> {
        self.connected("abort_exposure")?;
        self.running = None;
        Ok(())
    }

    fn get_exposure_status(&mut self) -> Result<ExposureStatus> {
        self.connected("get_exposure_status")?;
        let Some(Exposure { ends, .. }) = &self.running else { return Ok(ExposureStatus::Idle) };
        let left = ends.saturating_duration_since(clock().0);
        // A real backend asks the camera, and answers Reading while the frame is downloaded.
        Ok(if left > Duration::ZERO { ExposureStatus::Exposing { left } } else { ExposureStatus::Ready })
    }

    fn get_exposure_result(&mut self) -> Result<Frame> {
        self.connected("get_exposure_result")?;
        let ready = self.get_exposure_status()? == ExposureStatus::Ready;
        let Some(Exposure { info, .. }) = self.running.take_if(|_| ready) else {
            return Err(CameraError::no_frame());
        };
        Ok(Frame { pixels: Pixels::U16(ramp(&info)), info })
    }

    fn get_camera_roi(&mut self) -> Result<Roi> {
        Ok(self.connected("get_camera_roi")?.full())
    }

    fn set_camera_roi(&mut self, roi: Roi) -> Result<Roi> {
        let can = self.connected("set_camera_roi")?;
        can.check_roi(roi)?;
        // This camera always reads all of its sensor, and says so; the window is cut out afterwards.
        Ok(can.full())
    }

    fn get_binning(&mut self) -> Result<Binning> {
        self.connected("get_binning")?;
        Ok(Binning::NONE)
    }

    fn set_binning(&mut self, binning: Binning) -> Result<Binning> {
        self.connected("set_binning")?.check_binning(binning)?;
        Ok(binning)
    }

    fn get_gain(&mut self) -> Result<i32> {
        self.connected("get_gain")?;
        Ok(self.gain)
    }

    fn set_gain(&mut self, gain: i32) -> Result<i32> {
        self.connected("set_gain")?.check_gain(gain)?;
        self.gain = gain;
        Ok(gain)
    }
}

fn capabilities() -> Capabilities {
    Capabilities {
        sensor: Sensor {
            width: 320,
            height: 200,
            pixel_x: 3.8,
            pixel_y: 3.8,
            bits: 16,
            adc_bits: 16,
            bayer: None,
        },
        formats: Vec::new(),
        exposure: Range { min: 0.001, max: 3600.0, step: 0.001 },
        binning: Binning::NONE,
        subframe: false,
        shutter: false,
        cooler: None,
        thermometer: false,
        cooler_power: false,
        gain: Some(GAIN),
        offset: None,
        controls: Vec::new(),
        guide_port: false,
        scene: false,
        sdk: None,
    }
}

fn ramp(info: &FrameInfo) -> Array3<u16> {
    let (rows, columns) = (info.roi.height as usize, info.roi.width as usize);
    let gain = usize::try_from(info.gain.unwrap_or_default()).unwrap_or_default();
    Array3::from_shape_fn((1, rows, columns), |(_, _, x)| u16::try_from(gain * x).unwrap_or(u16::MAX))
}

#[allow(clippy::disallowed_methods, reason = "a backend is hardware, and hardware lives in real time")]
fn clock() -> (Instant, SystemTime) {
    (Instant::now(), SystemTime::now())
}
