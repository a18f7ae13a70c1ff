//! What the driver needs of the machine it runs on.

pub mod config_file;
pub mod draft;
pub mod log;
#[cfg(test)]
pub(crate) mod scratch;
pub mod stdio;
