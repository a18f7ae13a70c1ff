//! Guides: pages for people who build on this crate. There is no code here but the examples.
//!
//! | to | read |
//! |---|---|
//! | take pictures from Rust, from a shell, or from anything that opens a socket | [`use_it_from_a_program`] |
//! | make a camera of yours work with this driver | [`add_your_camera`] |
//! | know where the time goes, or make it less | [`budget_of_a_frame`] |

pub mod add_your_camera;
pub mod budget_of_a_frame;
pub mod use_it_from_a_program;
