//! Property vectors: what they are called, what they hold, and what a client may write into them.
//!
//! Labels, groups, formats, limits, order and defaults live in `xml-skeletons/`; names and types are bound to them
//! once, in [`keys`], at compile time ([`skeleton`], [`key`]; [`load`] reads the rest). The [`store`] holds the vectors of one device and
//! accepts a client's write whole or not at all; the [`outbox`] holds what is still to be sent. No clock, no I/O.
//!
//! Read [`keys`] first.

mod accept;
pub mod key;
pub mod keys;
pub mod load;
pub mod outbox;
pub mod rejection;
pub mod skeleton;
pub mod store;
