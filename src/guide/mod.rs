//! Guides: pages for people who build on this crate. There is no code here but the examples.
//!
//! | to | read |
//! |---|---|
//! | make a camera of yours work with this driver | [`add_your_camera`] |

pub mod add_your_camera;
