//! What a connected camera can do, and which vectors that calls for.

use crate::camera::types::Capabilities;
use crate::property::key::Key;
use crate::property::keys;
use crate::wire::Perm;

use super::Device;

/// `DRIVER_INTERFACE` of a camera.
const INTERFACE_CCD: u32 = 2;
/// What a guide port adds to it: PHD2 looks for guide vectors only then.
const INTERFACE_GUIDER: u32 = 4;

/// No sensor collects light for longer, in seconds; and no clock arithmetic overflows below it.
const LONGEST_EXPOSURE: f64 = 1e6;

impl Device {
    pub(super) fn adopt(&mut self, capabilities: Capabilities) {
        self.adopt_formats(&capabilities);
        self.adopt_sensor(&capabilities);
        self.adopt_exposure(&capabilities);
        self.adopt_cooler(&capabilities);
        self.adopt_controls(&capabilities);
        self.adopt_own(&capabilities);
        self.forget_scene();
        self.store.set(&keys::SDK, [capabilities.sdk.clone().unwrap_or_default()]);
        self.adopt_interface(capabilities.guide_port);
        let perm = if capabilities.cooler.is_some() { Perm::Rw } else { Perm::Ro };
        self.store.set_perm(&keys::CCD_TEMPERATURE, perm);
        self.capabilities = Some(capabilities);
        self.show_pixels();
    }

    pub(super) fn adopt_interface(&mut self, guide_port: bool) {
        let interface = INTERFACE_CCD + if guide_port { INTERFACE_GUIDER } else { 0 };
        let [name, exec, version, _] = self.store.get(&keys::DRIVER_INFO);
        let info = [name, exec, version, interface.to_string()];
        self.publish_news(&keys::DRIVER_INFO, info, self.store.state(&keys::DRIVER_INFO));
    }

    /// Whether a camera with these capabilities has a vector.
    pub(super) fn offers(&self, capabilities: &Capabilities, vector: &str) -> bool {
        let mut mosaics = capabilities.formats.iter().map(|format| &format.bayer);
        let has_mosaic = capabilities.sensor.bayer.is_some() || mosaics.any(Option::is_some);
        let needs = [
            (keys::CCD_TEMPERATURE.vector(), capabilities.thermometer),
            (keys::CCD_TEMPERATURE_TARGET.vector(), capabilities.cooler.is_some()),
            (keys::CCD_TEMP_RAMP.vector(), capabilities.cooler.is_some()),
            (keys::COOLER_POLICY.vector(), capabilities.cooler.is_some()),
            (keys::CCD_COOLER_ALARM.vector(), capabilities.cooler.is_some()),
            (keys::CCD_COOLER.vector(), capabilities.cooler.is_some()),
            (keys::CCD_COOLER_POWER.vector(), capabilities.cooler_power),
            (keys::CCD_GAIN.vector(), capabilities.gain.is_some()),
            (keys::CCD_OFFSET.vector(), capabilities.offset.is_some()),
            (keys::CCD_CAPTURE_FORMAT.vector(), !capabilities.formats.is_empty()),
            (keys::CCD_CFA.vector(), has_mosaic),
            (keys::TELESCOPE_TIMED_GUIDE_NS.vector(), capabilities.guide_port),
            (keys::TELESCOPE_TIMED_GUIDE_WE.vector(), capabilities.guide_port),
            (keys::SERIAL_NUMBER.vector(), self.camera.serial.is_some()),
            (keys::SDK.vector(), capabilities.sdk.is_some()),
        ];
        needs.iter().find(|(name, _)| *name == vector).is_none_or(|(_, has)| *has)
    }

    /// Whether a client can write or read a vector now.
    pub(super) fn has(&self, vector: &str) -> bool {
        self.store.vector(vector).is_some_and(|vector| vector.defined)
    }
}

/// A sensor without pixels, or with exposure times that are none, cannot be served.
pub(super) fn usable(capabilities: Capabilities) -> Result<Capabilities, String> {
    let times = capabilities.exposure;
    match (capabilities.sensor.width, capabilities.sensor.height) {
        (0, _) | (_, 0) => Err("connect: the camera reports a sensor without pixels".to_owned()),
        _ if !(0.0 <= times.min && times.min <= times.max && times.max <= LONGEST_EXPOSURE) => {
            Err(format!("connect: the camera reports exposure times of {} to {} s", times.min, times.max))
        }
        _ => Ok(capabilities),
    }
}
