//! The kinds of hardware: one file and one line each. [How to add one](crate::guide::add_your_camera).
//!
//! A backend implements [`Camera`] and never names the wire, a property or the device: hardware does not know INDI.
//! A backend may bring one skeleton file with settings of its own; the device passes what clients write there to
//! [`Camera::set_parameter`], unread.

use crate::camera::Camera;

mod clock;

// What cameras of the network have in common.
#[cfg(any(feature = "alpaca", feature = "aravis"))]
mod places;
#[cfg(any(feature = "alpaca", feature = "aravis"))]
mod routes;
#[cfg(any(feature = "alpaca", feature = "aravis"))]
mod window;

/// One kind of hardware.
#[derive(Clone, Copy)]
pub struct Backend {
    /// One word for feature, file, link and `INDI_CAMERA_BACKENDS`.
    pub name: &'static str,
    /// What the catalogue of clients calls drivers of it.
    pub label: &'static str,
    /// Real hardware, which `indi_camera_ccd` serves; the simulator is served only when asked for.
    pub hardware: bool,
    /// Its cameras have a guide port, as far as is known before one is connected: Ekos sorts devices by the interface
    /// that they show then.
    pub guides: bool,
    /// Name and text of the skeleton file with the backend's own settings.
    pub skeleton: Option<(&'static str, &'static str)>,
    /// Its cameras can be at addresses.
    pub addresses: Option<Addresses>,
    /// Its cameras come and go with device nodes.
    pub nodes: Option<Nodes>,
    /// What is wrong with what the environment says of this kind of camera: sentences for the first client.
    pub complaints: fn() -> Vec<String>,
    /// Makes a camera that is not connected yet. Touches no hardware.
    pub create: fn() -> Box<dyn Camera>,
}

/// Where users say at which addresses to search for cameras; [`Camera::set_parameter`] receives them as
/// [`ADDRESSES_PARAMETER`](crate::camera::types::ADDRESSES_PARAMETER).
#[derive(Clone, Copy)]
pub struct Addresses {
    /// Element of the property CAMERA_ADDRESSES.
    pub element: &'static str,
    /// Variable of the environment.
    pub variable: &'static str,
}

/// Files whose coming and going says that something was plugged in or pulled out.
#[derive(Clone, Copy)]
pub struct Nodes {
    /// Where they are.
    pub directory: &'static str,
    /// How their names begin.
    pub prefix: &'static str,
}

/// Declares the module of each backend and puts its `BACKEND` into the table, so that one line does both.
///
/// rustfmt does not follow modules that a macro declares: it is told of the files of this folder by name.
macro_rules! backends {
    ($($(#[$attribute:meta])* $name:ident,)*) => {
        $($(#[$attribute])* pub mod $name;)*

        /// Every backend compiled in.
        pub const BACKENDS: &[Backend] = &[$($(#[$attribute])* $name::BACKEND,)*];
    };
}

backends! {
    simulator,
    replay,
    #[cfg(feature = "alpaca")]
    alpaca,
    #[cfg(feature = "aravis")]
    aravis,
    #[cfg(all(feature = "v4l2", target_os = "linux"))]
    v4l2,
}
