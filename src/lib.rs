//! A camera driver for INDI.
#![warn(clippy::pedantic)]
#![allow(clippy::module_name_repetitions, clippy::missing_errors_doc, clippy::cast_precision_loss)]

pub mod backend;
pub mod camera;
pub mod delivery;
pub mod device;
pub mod host;
pub mod image;
pub mod wire;
