//! A camera driver for INDI.
#![warn(clippy::pedantic)]
#![allow(
    clippy::cast_precision_loss,
    clippy::doc_markdown,
    clippy::missing_errors_doc,
    clippy::module_name_repetitions,
    reason = "counts below 2^53; INDI names are all capitals; errors are documented by their type"
)]

pub mod backend;
pub mod camera;
pub mod delivery;
pub mod device;
pub mod driver;
pub mod host;
pub mod image;
pub mod property;
pub mod wire;
