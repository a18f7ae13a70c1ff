//! Which part of the sensor is read, and how it is binned: one value, in unbinned sensor pixels.
//!
//! A client may ask for any rectangle on the sensor and any factor up to [`Geometry::largest`]; the image has exactly
//! the size asked, divided by the binning and rounded down. What the camera cannot do itself is cut and binned
//! afterwards, so nothing is refused but what lies outside the sensor or would be smaller than one pixel.

use crate::camera::error::ErrorKind;
use crate::camera::types::{Binning, Capabilities, Roi};
use crate::property::key::Key;
use crate::property::keys::{self, FrameReset};
use crate::wire::{Limits, State};

use super::{Device, Handlers};

/// Binning up to this factor is always offered; where the camera cannot, pixels are summed here.
const SOFTWARE_BINNING: u32 = 4;

/// The wanted window and binning, and the sensor that limits them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Geometry {
    width: u32,
    height: u32,
    hardware: Binning,
    subframe: bool,
    pub(super) roi: Roi,
    pub(super) binning: Binning,
}

impl Default for Geometry {
    fn default() -> Self {
        let roi = Roi { x: 0, y: 0, width: 0, height: 0 };
        Geometry { width: 0, height: 0, hardware: Binning::NONE, subframe: true, roi, binning: Binning::NONE }
    }
}

impl Geometry {
    /// Takes over a sensor. Window and binning survive from the last connection (PHD2 relies on it), as far as they
    /// fit the sensor that is here now.
    fn adopt(&mut self, capabilities: &Capabilities) {
        let sensor = &capabilities.sensor;
        let same = (self.width, self.height) == (sensor.width, sensor.height);
        (self.width, self.height) = (sensor.width, sensor.height);
        self.hardware = capabilities.binning;
        self.subframe = capabilities.subframe;
        let largest = self.largest();
        let kept = self.binning.x <= largest.x && self.binning.y <= largest.y;
        if !same || !kept {
            self.reset();
        }
    }

    /// Full frame, unbinned.
    pub(super) fn reset(&mut self) {
        self.roi = self.full();
        self.binning = Binning::NONE;
    }

    fn full(&self) -> Roi {
        Roi { x: 0, y: 0, width: self.width, height: self.height }
    }

    /// The largest factors that a client may ask for.
    pub(super) fn largest(&self) -> Binning {
        Binning {
            x: self.hardware.x.max(SOFTWARE_BINNING).min(self.width.max(1)),
            y: self.hardware.y.max(SOFTWARE_BINNING).min(self.height.max(1)),
        }
    }

    /// What to ask of the camera: its own binning where it has the factors, and the wanted window or all of the
    /// sensor. The rest is cut and binned afterwards.
    pub(super) fn for_camera(&self) -> (Roi, Binning) {
        let window = if self.subframe { self.roi } else { self.full() };
        let able = self.binning.x <= self.hardware.x && self.binning.y <= self.hardware.y;
        let able = able && self.is_in_step(window, self.binning);
        (window, if able { self.binning } else { Binning::NONE })
    }

    /// Whether a window that is binned like that has the pixels of the wanted window among its own.
    pub(super) fn is_in_step(&self, window: Roi, binning: Binning) -> bool {
        let in_step = |wanted: u32, granted: u32, factor: u32| {
            wanted.checked_sub(granted).is_some_and(|skipped| skipped % factor.max(1) == 0)
        };
        in_step(self.roi.x, window.x, binning.x) && in_step(self.roi.y, window.y, binning.y)
    }

    fn with_roi(self, [x, y, width, height]: [u32; 4]) -> Result<Geometry, String> {
        let fits =
            |start: u32, size: u32, sensor: u32| start.checked_add(size).is_some_and(|end| end <= sensor);
        if !fits(x, width, self.width) || !fits(y, height, self.height) {
            return Err(format!(
                "CCD_FRAME cannot be {width}x{height} at {x},{y}: it must lie within the sensor's {}x{} pixels",
                self.width, self.height
            ));
        }
        Geometry { roi: Roi { x, y, width, height }, ..self }.at_least_one_pixel("CCD_FRAME")
    }

    fn with_binning(self, [x, y]: [u32; 2]) -> Result<Geometry, String> {
        Geometry { binning: Binning { x, y }, ..self }.at_least_one_pixel("CCD_BINNING")
    }

    /// Another window, another binning, or both, for one exposure.
    pub(super) fn altered(self, roi: Option<Roi>, binning: Option<Binning>) -> Result<Geometry, String> {
        let binning = binning.unwrap_or(self.binning);
        let Binning { x, y } = self.largest();
        if !(1..=x).contains(&binning.x) || !(1..=y).contains(&binning.y) {
            let Binning { x: by_x, y: by_y } = binning;
            return Err(format!("binning cannot be {by_x}x{by_y}: allowed is 1x1 to {x}x{y}"));
        }
        let Roi { x, y, width, height } = roi.unwrap_or(self.roi);
        Geometry { binning, ..self }.with_roi([x, y, width, height])
    }

    fn at_least_one_pixel(self, vector: &str) -> Result<Geometry, String> {
        let Geometry { roi, binning, .. } = self;
        match roi.binned(binning) {
            (0, _) | (_, 0) => Err(format!(
                "{vector} would leave less than one pixel: {}x{} binned {}x{}",
                roi.width, roi.height, binning.x, binning.y
            )),
            _ => Ok(self),
        }
    }
}

pub(super) fn register(on: &mut Handlers) {
    on.change(&keys::CCD_FRAME, Device::change_frame);
    on.change(&keys::CCD_BINNING, Device::change_binning);
    on.change(&keys::CCD_FRAME_RESET, Device::reset_frame);
}

impl Device {
    fn change_frame(&mut self, frame: [f64; 4]) {
        match whole_pixels("CCD_FRAME", frame) {
            Ok(frame) => self.change_geometry(&keys::CCD_FRAME, self.geometry.with_roi(frame)),
            Err(sentence) => self.refuse(keys::CCD_FRAME.vector(), &sentence),
        }
    }

    fn change_binning(&mut self, binning: [f64; 2]) {
        match whole_pixels("CCD_BINNING", binning) {
            Ok(binning) => self.change_geometry(&keys::CCD_BINNING, self.geometry.with_binning(binning)),
            Err(sentence) => self.refuse(keys::CCD_BINNING.vector(), &sentence),
        }
    }

    fn change_geometry<K: Key>(&mut self, key: &K, changed: Result<Geometry, String>) {
        match changed {
            Ok(geometry) => {
                self.geometry = geometry;
                self.show_geometry();
                self.settle(key, State::Ok);
            }
            Err(sentence) => self.refuse_as(ErrorKind::OutOfRange, key.vector(), &sentence),
        }
    }

    fn reset_frame(&mut self, pressed: Option<FrameReset>) {
        if pressed.is_some() {
            self.geometry.reset();
            self.show_geometry();
            self.settle(&keys::CCD_BINNING, State::Ok);
            self.settle(&keys::CCD_FRAME, State::Ok);
        }
        self.publish(&keys::CCD_FRAME_RESET, None, State::Ok);
    }

    /// Takes over the sensor of a camera that has just been connected.
    pub(super) fn adopt_sensor(&mut self, capabilities: &Capabilities) {
        self.geometry.adopt(capabilities);
        let Geometry { width, height, .. } = self.geometry;
        let up_to = |min: f64, max: u32| Limits { min, max: f64::from(max), step: 1.0 };
        self.store.set_limits(
            &keys::CCD_FRAME,
            &[
                up_to(0.0, width.saturating_sub(1)),
                up_to(0.0, height.saturating_sub(1)),
                up_to(1.0, width),
                up_to(1.0, height),
            ],
        );
        let largest = self.geometry.largest();
        self.store.set_limits(&keys::CCD_BINNING, &[up_to(1.0, largest.x), up_to(1.0, largest.y)]);
        self.show_geometry();
        let sensor = &capabilities.sensor;
        self.store.set(
            &keys::CCD_INFO,
            [
                f64::from(width),
                f64::from(height),
                sensor.pixel_x,
                sensor.pixel_x,
                sensor.pixel_y,
                f64::from(self.bits(capabilities)),
            ],
        );
    }

    fn show_geometry(&mut self) {
        let Geometry { roi, binning, .. } = self.geometry;
        self.store.set(&keys::CCD_FRAME, [roi.x, roi.y, roi.width, roi.height].map(f64::from));
        self.store.set(&keys::CCD_BINNING, [binning.x, binning.y].map(f64::from));
    }
}

/// Values that passed the limits of their elements as whole numbers.
fn whole_pixels<const N: usize>(vector: &str, values: [f64; N]) -> Result<[u32; N], String> {
    let mut whole = [0; N];
    for (to, value) in whole.iter_mut().zip(values) {
        if value.fract() != 0.0 || !(0.0..=f64::from(u32::MAX)).contains(&value) {
            return Err(format!("{vector} cannot be {value}: it counts whole pixels"));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
        {
            *to = value as u32;
        }
    }
    Ok(whole)
}
