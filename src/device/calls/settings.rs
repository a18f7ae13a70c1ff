//! Calls about settings: cooler, window, binning, gain, offset, guide port, header, configuration.

use crate::camera::answer::{
    Answer, BinningFactors, CameraRoi, Code, CoolingPower, CoolingReport, CoolingState, Gain, Offset,
    Temperature,
};
use crate::camera::call::{Arguments, Direction};
use crate::camera::error::{CameraError, ErrorKind, Result};
use crate::camera::types::{Binning, Roi, Value};
use crate::device::Device;
use crate::property::key::Key;
use crate::property::keys;
use crate::wire::Kind;

use super::{Progress, Until};

impl Device {
    pub(super) fn call_cooling(&mut self, arguments: &Arguments<'_>) -> Result<Progress> {
        const CALL: &str = "cooling";
        let enable = arguments.flag(CALL, "enable")?;
        self.needs_vector(CALL, &keys::CCD_COOLER)?;
        match (enable, self.cooler.state()) {
            (false, CoolingState::Off) => {
                return Progress::nothing(Code::AlreadyOff, "the cooler is off already");
            }
            (true, CoolingState::Cooling | CoolingState::Stable | CoolingState::Stalled) => {
                return Progress::nothing(Code::AlreadyOn, "the cooler is on already");
            }
            _ => {}
        }
        self.press(&keys::CCD_COOLER, if enable { "COOLER_ON" } else { "COOLER_OFF" })?;
        Progress::when_answered()
    }

    pub(super) fn call_cooling_to(&mut self, arguments: &Arguments<'_>) -> Result<Progress> {
        const CALL: &str = "cooling_to";
        let target = arguments.number(CALL, "temperature")?;
        self.needs_vector(CALL, &keys::CCD_COOLER)?;
        self.write_numbers(&keys::CCD_TEMPERATURE, &[("CCD_TEMPERATURE_VALUE", target)])?;
        Progress::when_answered()
    }

    pub(super) fn call_cooling_status(&mut self, _: &Arguments<'_>) -> Result<Progress> {
        self.needs_vector("get_cooling_status", &keys::CCD_COOLER)?;
        Progress::done("what the cooler does", &self.cooling_report())
    }

    pub(super) fn cooling_report(&self) -> CoolingReport {
        let [target, ramp_target] = self.store.get(&keys::CCD_TEMPERATURE_TARGET);
        let known = self.cooler.has_target();
        let state = self.cooler.state();
        CoolingReport {
            status: state != CoolingState::Off,
            target: known.then_some(target),
            ramp_target: known.then_some(ramp_target),
            state,
        }
    }

    pub(super) fn call_temperature(&mut self, _: &Arguments<'_>) -> Result<Progress> {
        const CALL: &str = "get_current_temperature";
        self.needs_vector(CALL, &keys::CCD_TEMPERATURE)?;
        match self.sensor() {
            Some(temperature) => Progress::done("the sensor's temperature", &Temperature { temperature }),
            None => {
                Err(CameraError::new(ErrorKind::Hardware, CALL, "the camera has not told its temperature"))
            }
        }
    }

    pub(super) fn call_cooling_power(&mut self, _: &Arguments<'_>) -> Result<Progress> {
        self.needs_vector("get_cooling_power", &keys::CCD_COOLER_POWER)?;
        let [power] = self.store.get(&keys::CCD_COOLER_POWER);
        Progress::done("the cooler's power", &CoolingPower { power })
    }

    pub(super) fn call_get_roi(&mut self, _: &Arguments<'_>) -> Result<Progress> {
        let roi = CameraRoi::new(self.geometry.roi, self.geometry.binning);
        Progress::done("the window", &roi)
    }

    pub(super) fn call_set_roi(&mut self, arguments: &Arguments<'_>) -> Result<Progress> {
        let Roi { x, y, width, height } = arguments.roi("set_camera_roi")?;
        let numbers = [("X", x), ("Y", y), ("WIDTH", width), ("HEIGHT", height)];
        self.write_numbers(&keys::CCD_FRAME, &numbers.map(|(name, value)| (name, f64::from(value))))?;
        Progress::when_answered()
    }

    pub(super) fn call_reset_roi(&mut self, _: &Arguments<'_>) -> Result<Progress> {
        self.press(&keys::CCD_FRAME_RESET, "RESET")?;
        Progress::when_answered()
    }

    pub(super) fn call_get_binning(&mut self, _: &Arguments<'_>) -> Result<Progress> {
        let Binning { x, y } = self.geometry.binning;
        Progress::done("the binning", &BinningFactors { binning: [x, y] })
    }

    pub(super) fn call_set_binning(&mut self, arguments: &Arguments<'_>) -> Result<Progress> {
        let Binning { x, y } = arguments.binning("set_binning", "binning")?;
        let numbers = [("HOR_BIN", f64::from(x)), ("VER_BIN", f64::from(y))];
        self.write_numbers(&keys::CCD_BINNING, &numbers)?;
        Progress::when_answered()
    }

    pub(super) fn call_get_gain(&mut self, _: &Arguments<'_>) -> Result<Progress> {
        match self.shown_controls() {
            (Some(gain), _) => Progress::done("the gain", &Gain { gain }),
            (None, _) => Err(CameraError::not_supported("get_gain")),
        }
    }

    pub(super) fn call_set_gain(&mut self, arguments: &Arguments<'_>) -> Result<Progress> {
        const CALL: &str = "set_gain";
        let gain: i32 = arguments.whole(CALL, "gain")?;
        self.needs_vector(CALL, &keys::CCD_GAIN)?;
        self.write_numbers(&keys::CCD_GAIN, &[("GAIN", gain.into())])?;
        Progress::when_answered()
    }

    pub(super) fn call_get_offset(&mut self, _: &Arguments<'_>) -> Result<Progress> {
        match self.shown_controls() {
            (_, Some(offset)) => Progress::done("the offset", &Offset { offset }),
            (_, None) => Err(CameraError::not_supported("get_offset")),
        }
    }

    pub(super) fn call_set_offset(&mut self, arguments: &Arguments<'_>) -> Result<Progress> {
        const CALL: &str = "set_offset";
        let offset: i32 = arguments.whole(CALL, "offset")?;
        self.needs_vector(CALL, &keys::CCD_OFFSET)?;
        self.write_numbers(&keys::CCD_OFFSET, &[("OFFSET", offset.into())])?;
        Progress::when_answered()
    }

    /// Answered when the pulse runs, as `start_exposure` is.
    pub(super) fn call_pulse_guide(&mut self, arguments: &Arguments<'_>) -> Result<Progress> {
        const CALL: &str = "pulse_guide";
        let direction = arguments.direction(CALL)?;
        let milliseconds = arguments.number(CALL, "ms")?;
        self.needs_vector(CALL, &keys::TELESCOPE_TIMED_GUIDE_NS)?;
        let (key, element) = match direction {
            Direction::North => (keys::TELESCOPE_TIMED_GUIDE_NS, "TIMED_GUIDE_N"),
            Direction::South => (keys::TELESCOPE_TIMED_GUIDE_NS, "TIMED_GUIDE_S"),
            Direction::West => (keys::TELESCOPE_TIMED_GUIDE_WE, "TIMED_GUIDE_W"),
            Direction::East => (keys::TELESCOPE_TIMED_GUIDE_WE, "TIMED_GUIDE_E"),
        };
        self.write_numbers(&key, &[(element, milliseconds)])?;
        Progress::when_answered()
    }

    /// A keyword for the headers of all later frames; without a value it is forgotten.
    pub(super) fn call_set_fits_header(&mut self, arguments: &Arguments<'_>) -> Result<Progress> {
        const CALL: &str = "set_fits_header";
        let key = arguments.text(CALL, "key")?;
        let value = match arguments.find("value") {
            None => String::new(),
            Some(Value::Text(text)) => text.clone(),
            Some(_) => arguments.number(CALL, "value")?.to_string(),
        };
        let comment = match arguments.find("comment") {
            None => String::new(),
            Some(_) => arguments.text(CALL, "comment")?,
        };
        self.write_keyword(key, value, comment)?;
        Progress::when_answered()
    }

    pub(super) fn write_keyword(&mut self, key: String, value: String, comment: String) -> Result<()> {
        let elements = [("KEYWORD_NAME", key), ("KEYWORD_VALUE", value), ("KEYWORD_COMMENT", comment)];
        self.write_for_call(keys::FITS_HEADER.vector(), Kind::Text, &elements)
    }

    pub(super) fn call_config(&mut self, button: &str) -> Result<Progress> {
        self.press(&keys::CONFIG_PROCESS, button)?;
        Ok(Progress::Waits(Until::Settled(keys::CONFIG_PROCESS.vector()), |_, _| Answer::done("done", &())))
    }
}
