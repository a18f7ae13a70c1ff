//! What a camera publishes, as checks of what it is asked: the limits that clients see are those that count, and every
//! backend refuses in the same words.
//!
//! A backend calls these in its setters, before it touches the hardware. Read [`Capabilities::check_roi`] first.

use std::fmt;
use std::time::Duration;

use super::error::{CameraError, ErrorKind, Result};
use super::types::{Binning, Capabilities, Celsius, ExposureStatus, Range, Roi};

impl Capabilities {
    /// The window that is the whole sensor.
    #[must_use]
    pub fn full(&self) -> Roi {
        Roi { x: 0, y: 0, width: self.sensor.width, height: self.sensor.height }
    }

    /// For `set_camera_roi`: the window has pixels, and all of them are on the sensor.
    pub fn check_roi(&self, roi: Roi) -> Result<()> {
        let Roi { x, y, width, height } = roi;
        let fits = |start: u32, length: u32, limit: u32| {
            length > 0 && start.checked_add(length).is_some_and(|end| end <= limit)
        };
        if fits(x, width, self.sensor.width) && fits(y, height, self.sensor.height) {
            return Ok(());
        }
        let (columns, rows) = (self.sensor.width, self.sensor.height);
        let detail =
            format!("{width}×{height} pixels from ({x}, {y}) are not within the sensor's {columns}×{rows}");
        Err(CameraError::new(ErrorKind::OutOfRange, "set_camera_roi", detail))
    }

    /// For `set_binning`: no factor is above the largest.
    pub fn check_binning(&self, binning: Binning) -> Result<()> {
        let Binning { x, y } = self.binning;
        if (1..=x).contains(&binning.x) && (1..=y).contains(&binning.y) {
            return Ok(());
        }
        let detail = format!("binning takes 1×1 to {x}×{y}, not {}×{}", binning.x, binning.y);
        Err(CameraError::new(ErrorKind::OutOfRange, "set_binning", detail))
    }

    /// For `start_exposure`.
    pub fn check_exposure(&self, duration: Duration) -> Result<()> {
        let Range { min, max, .. } = self.exposure;
        // As durations, because a limit in seconds may not be one of whole nanoseconds.
        let shortest = Duration::try_from_secs_f64(min).unwrap_or(Duration::ZERO);
        let longest = Duration::try_from_secs_f64(max).unwrap_or(Duration::MAX);
        if (shortest..=longest).contains(&duration) {
            return Ok(());
        }
        let detail = format!("an exposure takes {min} to {max} s, not {}", duration.as_secs_f64());
        Err(CameraError::new(ErrorKind::OutOfRange, "start_exposure", detail))
    }

    /// For `cooling_to`; not supported without a cooler. NaN and the infinities are no temperatures.
    pub fn check_target(&self, target: Celsius) -> Result<()> {
        const CALL: &str = "cooling_to";
        if !target.is_finite() {
            let detail = format!("a temperature is a finite number, not {target}");
            return Err(CameraError::new(ErrorKind::InvalidValue, CALL, detail));
        }
        within(self.cooler, CALL, "temperature", target)
    }

    /// For `set_gain`; not supported without a gain.
    pub fn check_gain(&self, gain: i32) -> Result<()> {
        within(self.gain, "set_gain", "gain", gain)
    }

    /// For `set_offset`; not supported without an offset.
    pub fn check_offset(&self, offset: i32) -> Result<()> {
        within(self.offset, "set_offset", "offset", offset)
    }
}

impl ExposureStatus {
    /// For `get_exposure_result`: the exposure is over and its frame is there.
    pub fn check_ready(self) -> Result<()> {
        match self {
            ExposureStatus::Ready => Ok(()),
            ExposureStatus::Idle => Err(CameraError::no_frame()),
            ExposureStatus::Exposing { .. } | ExposureStatus::Reading { .. } => {
                let detail = "the frame is not ready yet";
                Err(CameraError::new(ErrorKind::NoFrame, "get_exposure_result", detail))
            }
        }
    }
}

fn within<T: Copy + PartialOrd + fmt::Display>(
    range: Option<Range<T>>,
    call: &'static str,
    name: &str,
    value: T,
) -> Result<()> {
    let Range { min, max, .. } = range.ok_or_else(|| CameraError::not_supported(call))?;
    if (&min..=&max).contains(&&value) {
        return Ok(());
    }
    let detail = format!("{name} takes {min} to {max}, not {value}");
    Err(CameraError::new(ErrorKind::OutOfRange, call, detail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::types::Sensor;

    fn can() -> Capabilities {
        Capabilities {
            sensor: Sensor {
                width: 640,
                height: 480,
                pixel_x: 4.0,
                pixel_y: 4.0,
                bits: 16,
                adc_bits: 12,
                bayer: None,
            },
            formats: Vec::new(),
            exposure: Range { min: 0.000_032_1, max: 1e6, step: 0.0 },
            binning: Binning { x: 4, y: 2 },
            subframe: true,
            shutter: false,
            cooler: Some(Range { min: -20.0, max: 20.0, step: 0.1 }),
            thermometer: true,
            cooler_power: false,
            gain: Some(Range { min: -10, max: 300, step: 1 }),
            offset: None,
            controls: Vec::new(),
            guide_port: false,
            scene: false,
            sdk: None,
        }
    }

    #[track_caller]
    fn refused(result: Result<()>, kind: ErrorKind, words: &str) {
        let error = result.unwrap_err();
        assert_eq!((error.kind, error.to_string().as_str()), (kind, words));
    }

    #[test]
    fn the_limits_themselves_are_accepted() {
        let can = can();
        can.check_roi(can.full()).unwrap();
        can.check_roi(Roi { x: 639, y: 479, width: 1, height: 1 }).unwrap();
        for (x, y) in [(1, 1), (4, 1), (1, 2), (4, 2)] {
            can.check_binning(Binning { x, y }).unwrap();
        }
        for duration in [Duration::from_nanos(32_100), Duration::from_secs(1_000_000)] {
            can.check_exposure(duration).unwrap();
        }
        for target in [-20.0, 0.0, 20.0] {
            can.check_target(target).unwrap();
        }
        for gain in [-10, 0, 300] {
            can.check_gain(gain).unwrap();
        }
    }

    #[test]
    fn what_lies_outside_is_refused_with_what_is_allowed() {
        use ErrorKind::{InvalidValue, NotSupported, OutOfRange};
        let can = can();
        for roi in [
            Roi { width: 0, ..can.full() },
            Roi { height: 481, ..can.full() },
            Roi { x: 1, ..can.full() },
            Roi { y: u32::MAX, ..can.full() },
        ] {
            assert_eq!(can.check_roi(roi).unwrap_err().kind, OutOfRange, "{roi:?}");
        }
        let words = "set_camera_roi: 640×480 pixels from (0, 1) are not within the sensor's 640×480";
        refused(can.check_roi(Roi { y: 1, ..can.full() }), OutOfRange, words);
        let binning = |x, y| can.check_binning(Binning { x, y });
        refused(binning(5, 1), OutOfRange, "set_binning: binning takes 1×1 to 4×2, not 5×1");
        refused(binning(0, 1), OutOfRange, "set_binning: binning takes 1×1 to 4×2, not 0×1");
        let words = "start_exposure: an exposure takes 0.0000321 to 1000000 s, not 0.000032";
        refused(can.check_exposure(Duration::from_micros(32)), OutOfRange, words);
        assert!(can.check_exposure(Duration::MAX).is_err());
        refused(can.check_target(-20.1), OutOfRange, "cooling_to: temperature takes -20 to 20, not -20.1");
        let words = "cooling_to: a temperature is a finite number, not NaN";
        refused(can.check_target(f64::NAN), InvalidValue, words);
        assert_eq!(can.check_target(f64::INFINITY).unwrap_err().kind, InvalidValue);
        refused(can.check_gain(301), OutOfRange, "set_gain: gain takes -10 to 300, not 301");
        refused(can.check_offset(0), NotSupported, "set_offset: this camera cannot do that");
    }

    #[test]
    fn a_frame_is_fetched_when_it_is_there_and_not_before() {
        assert!(ExposureStatus::Ready.check_ready().is_ok());
        let left = Duration::from_secs(1);
        for (status, words) in [
            (ExposureStatus::Idle, "there is no frame to fetch"),
            (ExposureStatus::Exposing { left }, "the frame is not ready yet"),
            (ExposureStatus::Reading { done: None }, "the frame is not ready yet"),
        ] {
            let error = status.check_ready().unwrap_err();
            assert_eq!((error.kind, error.detail.as_str()), (ErrorKind::NoFrame, words));
        }
    }
}
