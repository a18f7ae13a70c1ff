//! What the driver needs of the machine it runs on.

pub mod config_file;
pub mod draft;
#[cfg(test)]
pub(crate) mod scratch;
