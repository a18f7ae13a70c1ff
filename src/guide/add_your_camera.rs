//! x
//!
//! ```
#![doc = include_str!("ramp.rs")]
//! # fn main() {}
//! ```
