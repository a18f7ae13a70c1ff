//! What the driver needs of the machine it runs on.

pub mod config_file;
pub mod draft;
pub mod hotplug;
pub mod log;
pub mod nicknames;
#[cfg(test)]
pub(crate) mod scratch;
pub mod session_log;
pub mod stdio;
