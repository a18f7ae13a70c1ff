//! The kinds of hardware: one file and one line in [`BACKENDS`] each.
//!
//! A backend implements [`Camera`] and never names the wire, a property or the device: hardware does not know INDI.
//! A backend may bring one skeleton file with settings of its own; the device passes what clients write there to
//! [`Camera::set_parameter`], unread.

use crate::camera::Camera;

pub mod simulator;
#[cfg(all(feature = "v4l2", target_os = "linux"))]
pub mod v4l2;

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

/// Every backend compiled in.
pub const BACKENDS: &[Backend] = &[
    Backend {
        name: "simulator",
        label: "Camera Simulator",
        hardware: false,
        guides: true,
        skeleton: Some(("simulator.xml", include_str!("../../xml-skeletons/simulator.xml"))),
        addresses: None,
        nodes: None,
        create: || Box::new(simulator::Simulator::new()),
    },
    #[cfg(all(feature = "v4l2", target_os = "linux"))]
    Backend {
        name: "v4l2",
        label: "Camera V4L2",
        hardware: true,
        guides: false,
        skeleton: Some(("v4l2.xml", include_str!("../../xml-skeletons/v4l2.xml"))),
        addresses: None,
        nodes: Some(Nodes { directory: "/dev", prefix: "video" }),
        create: || Box::new(v4l2::V4l2::default()),
    },
];
