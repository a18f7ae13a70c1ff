//! What the driver needs of the machine it runs on.

pub mod config_file;
pub(crate) mod disk;
pub mod draft;
pub mod hotplug;
pub mod log;
pub mod nicknames;
pub mod place;
pub mod relay;
#[cfg(test)]
pub(crate) mod scratch;
pub mod session_log;
pub mod spool;
pub mod stdio;
pub mod sum;
pub mod zone;
