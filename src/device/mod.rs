//! The device.
pub mod job;
