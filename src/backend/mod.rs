//! The kinds of hardware: one file and one line in [`BACKENDS`] each.
//!
//! A backend implements [`Camera`] and never names the wire, a property or the device: hardware does not know INDI.
//! A backend may bring one skeleton file with settings of its own; the device passes what clients write there to
//! [`Camera::set_parameter`], unread.

use crate::camera::Camera;

mod exposure;
pub mod replay;
pub mod simulator;

/// One kind of hardware.
#[derive(Clone, Copy)]
pub struct Backend {
    /// One word for feature, file, link and `INDI_CAMERA_BACKENDS`.
    pub name: &'static str,
    /// Real hardware, which `indi_camera_ccd` serves; the simulator is served only when asked for.
    pub hardware: bool,
    /// Its cameras have a guide port, as far as is known before one is connected: Ekos sorts devices by the interface
    /// that they show then.
    pub guides: bool,
    /// Name and text of the skeleton file with the backend's own settings.
    pub skeleton: Option<(&'static str, &'static str)>,
    /// What is wrong with what the environment says of this kind of camera: sentences for the first client.
    pub complaints: fn() -> Vec<String>,
    /// Makes a camera that is not connected yet. Touches no hardware.
    pub create: fn() -> Box<dyn Camera>,
}

/// Every backend compiled in.
pub const BACKENDS: &[Backend] = &[simulator::BACKEND, replay::BACKEND];
