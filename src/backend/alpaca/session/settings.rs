//! What an open camera is set to, and what it measures.

use super::Session;
use crate::backend::alpaca::api::optional;
use crate::backend::alpaca::exposure::Exposure;
use crate::backend::alpaca::facts::{Modes, format_name};
use crate::backend::alpaca::fault::Fault;
use crate::camera::types::{CameraStatus, Celsius, CoolingStatus, ExposureStatus, Percent, Value};

/// Gain or offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::backend::alpaca) enum Control {
    Gain,
    Offset,
}

impl Session {
    pub(in crate::backend::alpaca) fn has(&self, control: Control) -> bool {
        match control {
            Control::Gain => self.facts.can.gain.is_some(),
            Control::Offset => self.facts.can.offset.is_some(),
        }
    }

    pub(in crate::backend::alpaca) fn get(&mut self, control: Control) -> Result<i32, Fault> {
        let (name, slot) = match control {
            Control::Gain => ("gain", &mut self.gain),
            Control::Offset => ("offset", &mut self.offset),
        };
        let value = self.api.whole(name)?;
        let value = i32::try_from(value).map_err(|_long| Fault::Nonsense(format!("{name} is {value}")))?;
        *slot = Some(value);
        Ok(value)
    }

    pub(in crate::backend::alpaca) fn set(&mut self, control: Control, value: i32) -> Result<i32, Fault> {
        let (name, key) = match control {
            Control::Gain => ("gain", "Gain"),
            Control::Offset => ("offset", "Offset"),
        };
        self.api.put(name, &[(key, value.to_string())])?;
        self.get(control)
    }

    /// Chooses a way to read the sensor out.
    pub(in crate::backend::alpaca) fn set_mode(&mut self, mode: usize) -> Result<(), Fault> {
        match self.facts.modes {
            Modes::One => Ok(()),
            Modes::Listed => self.api.put("readoutmode", &[("ReadoutMode", mode.to_string())]).map(drop),
            Modes::Fast => self.api.put("fastreadout", &[("FastReadout", truth(mode == 1))]).map(drop),
        }
    }

    /// The name of the format in which the camera reads out.
    pub(in crate::backend::alpaca) fn format(&mut self) -> Result<Value, Fault> {
        let mode = match self.facts.modes {
            Modes::One => 0,
            Modes::Listed => usize::try_from(self.api.whole("readoutmode")?).unwrap_or(0),
            Modes::Fast => usize::from(self.api.flag("fastreadout")?),
        };
        Ok(Value::Text(format_name(mode)))
    }

    pub(in crate::backend::alpaca) fn switch_cooler(&mut self, on: bool) -> Result<(), Fault> {
        self.api.put("cooleron", &[("CoolerOn", truth(on))]).map(drop)
    }

    pub(in crate::backend::alpaca) fn cool_to(&mut self, target: Celsius) -> Result<(), Fault> {
        self.api.put("setccdtemperature", &[("SetCCDTemperature", target.to_string())])?;
        self.switch_cooler(true)
    }

    pub(in crate::backend::alpaca) fn cooling(&mut self) -> Result<CoolingStatus, Fault> {
        let on = self.api.flag("cooleron")?;
        Ok(CoolingStatus { on, target: optional(self.api.number("setccdtemperature"))? })
    }

    pub(in crate::backend::alpaca) fn temperature(&mut self) -> Result<Celsius, Fault> {
        self.api.number("ccdtemperature")
    }

    pub(in crate::backend::alpaca) fn power(&mut self) -> Result<Percent, Fault> {
        Ok(self.api.number("coolerpower")?.clamp(0.0, 100.0))
    }

    /// For a frame that begins: a camera that does not tell now can expose all the same.
    pub(super) fn temperature_now(&mut self) -> Result<Option<Celsius>, Fault> {
        if self.facts.can.thermometer { optional(self.temperature()) } else { Ok(None) }
    }

    /// Everything at once. While a frame is coming, what was known before.
    pub(in crate::backend::alpaca) fn poll(&mut self) -> Result<CameraStatus, Fault> {
        if !self.is_coming() {
            // A server that was started anew knows nothing of us, and not all of them say so.
            if !self.api.flag("connected")? {
                return Err(Fault::Closed);
            }
            let can = &self.facts.can;
            let (cooler, power) = (can.cooler.is_some(), can.cooler_power);
            self.last.cooling = if cooler { Some(self.cooling()?) } else { None };
            self.last.temperature = self.temperature_now()?.or(self.last.temperature);
            self.last.power = if power { Some(self.power()?) } else { None };
        }
        self.last.exposure = self.exposure.as_ref().map_or(ExposureStatus::Idle, Exposure::known);
        Ok(self.last)
    }
}

/// A truth value as Alpaca writes it.
pub(super) fn truth(value: bool) -> String {
    if value { "True" } else { "False" }.to_owned()
}
