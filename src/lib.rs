//! A camera driver for INDI: real and simulated sensors behind one pure device, frames by shared memory.
//!
//! A process of this driver is started by `indiserver` and speaks XML properties with it on stdin and stdout. Each
//! camera that it serves is one INDI device.
//!
//! # The path of a frame
//!
//! ```text
//!  client ──► indiserver ──► stdin
//!                              │
//!              host::stdio  reader thread ─ wire::splitter ─ wire::parse ──► Input::Request ──┐
//!              camera::worker  camera thread (owns Box<dyn Camera>) ───────► Input::Camera  ──┤
//!              delivery  delivery thread (crop, encode, save) ─────────────► Input::Delivery ─┼──► device::Device
//!              driver  deadlines, signals, the log ────────────────────────► Input::… ────────┘        │
//!                                                                                                      │
//!      sensor ◄── backend::* ◄── camera thread ◄───────────── poll_call ───────────────────────────────┤
//!      memfd, file ◄── image::{window, fits} ◄── delivery thread ◄── poll_job ─────────────────────────┤
//!      stdout ◄── wire::write ◄── writer thread ◄──────────── poll_message ────────────────────────────┘
//! ```
//! sensor → [`image::Frame`] (moved, never cloned) → [`device::job::Delivery`] → one pass into shared memory
//! ([`image::fits`], [`delivery::blob`]) → [`wire::BlobUpdate`], which holds the descriptor → `sendmsg`
//! ([`host::stdio`]). The device passes frames and BLOBs through by value, never looks at a pixel, and alone decides
//! the order of everything on stdout.
//!
//! # Where a change belongs
//!
//! | to change | go to |
//! |---|---|
//! | what a property is called, its labels, limits, defaults | `xml-skeletons/`, and its line in [`property::keys`] |
//! | what happens when a client writes it | its handler in [`device`], in the file of its concern |
//! | what a camera can be asked | [`camera`]: trait, [`camera::call::Call`], [`camera::call::dispatch`] |
//! | what a camera's call answers | [`camera::answer`], the same for the driver and everybody who calls it |
//! | a call by name, a parameter by name | their tables in `device::calls` |
//! | a kind of hardware | one file and one line in [`backend`]: [add your camera](guide::add_your_camera) |
//! | the FITS header | one row in [`image::header`]; in [`image::pointing`] if it comes from another device |
//! | what is watched on other devices | one line in the table of `device::snoop` |
//! | a format of files | one file in [`image`], one variant of [`device::job::Encoding`], one arm in `delivery::encode`, one choice in `device::formats` |
//! | what is kept of frames until a server has them | [`host::spool`] on the disk, `device::spool` for clients, `delivery::store` between them |
//! | bytes on the wire | [`wire`] |
//! | what a program or a person at a shell can do with any INDI camera | [`client`], the other side of the wire |
//! | threads, clock, signals, start and end | [`driver`] |
//! | what the flight recorder writes, and how it is run again | [`flight`] |
//! | what the tool for people says and does | `src/bin/indi-camera/`, one file per command; [`image::statistics`], [`image::stars`], [`image::stretch`] for what it says of a picture |
//!
//! # Invariants
//!
//! * [`device`], [`property`], [`wire`], [`image`] and the data types of [`camera`] are pure: no clock, no I/O, no
//!   threads, no globals. Time comes in as [`camera::types::Moment`].
//! * Hardware does not know INDI: a backend never names wire, property or device. The device never names a backend.
//! * Input from a client, a file or a camera never panics and never ends the process.
//! * Every exposure ends in exactly one of Ok, Alert and Idle, and the camera is ready for the next one before the
//!   first byte of its frame leaves.
//! * An attached BLOB is a value that holds its descriptor and its true length ([`wire::AttachedBlob`]): the message
//!   that would end a server cannot be written.
//!
//! `tests/layers.rs` checks the walls between the modules.
#![warn(clippy::pedantic)]
#![allow(
    clippy::cast_precision_loss,
    clippy::doc_markdown,
    clippy::missing_errors_doc,
    clippy::module_name_repetitions,
    reason = "counts below 2^53; INDI names are all capitals; errors are documented by their type"
)]

// The example of the guide is written as a user of this crate writes, and works unchanged as a file of `backend`.
extern crate self as indi_camera;

pub mod backend;
pub mod camera;
pub mod client;
pub mod delivery;
pub mod device;
pub mod driver;
pub mod flight;
pub mod guide;
pub mod host;
pub mod hub;
pub mod image;
pub mod property;
pub mod wire;
