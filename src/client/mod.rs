//! The other side of the wire: any INDI camera, ours or libindi's, as the 25 calls of the Camera API.
//!
//! ```no_run
//! # async fn example() -> indi_camera::client::Result<()> {
//! use indi_camera::camera::wish::ExposureWish;
//! use indi_camera::client::{Address, Patience, Server};
//!
//! // An indiserver over TCP; or "@/tmp/indiserver", its local socket; or Address::driver("indi_camera_ccd"), a driver
//! // that is started here, without any indiserver.
//! let address: Address = "localhost:7624".parse()?;
//! let server = Server::connect(address, Patience::default()).await?;
//! let name = server.scanning().await?.camera.remove(0);
//!
//! let camera = server.camera(name);
//! camera.connect().await?;
//! camera.set_gain(100).await?;
//! let shot = camera.capture(&ExposureWish::of(2.0), |progress| println!("{:?}", progress.remaining)).await?;
//! let file = shot.received()?;
//! file.write_to(std::path::Path::new("m31.fits")).map_err(|error| {
//!     indi_camera::client::ClientError::Io { what: "m31.fits".into(), why: error.to_string() }
//! })?;
//! let frame = shot.frame().await?; // an ndarray in frame.pixels, the FITS header in frame.header
//! println!("{:?} {:?}", frame.pixels.shape(), frame.header.get("DATE-OBS"));
//! server.close().await;
//! # Ok(())
//! # }
//! ```
//!
//! One task owns the line ([`Server`]): it hears everything, keeps a [`Mirror`] of what is known, and makes the
//! line again when it is lost. Calls look at the mirror, say what they want, and wait until the mirror shows it;
//! each has a limit ([`Patience`]) and ends in a [`ClientError`] when the limit has passed, the driver has refused,
//! or the line is lost. A call that is dropped is forgotten; a [`capture`](Camera::capture) or an [`Exposure`] that
//! is dropped is aborted.
//!
//! ```text
//!  socket ── transport ── incoming ── wire::{splitter, heard, base64} ──► line ──► Mirror ──► who waits
//!    ▲            (bytes, descriptors)        (elements, files)             ▲      (devices, vectors, tracker)
//!    └─────────────────── wire::write ──────────────────────────────────────┴── Camera: ask, expose, abort
//! ```
//!
//! # Frames
//!
//! A frame that comes as a descriptor is the memory that the driver wrote, and is read where it is; one that comes
//! as base64 is decoded into memory as it arrives. Either way it is a [`FrameFile`], exactly the bytes that the
//! camera made. BLOBs that nobody waits for are dropped as they arrive. No frame is taken for that of another
//! exposure: the tracker's own page says how.
//!
//! # Errors
//!
//! Every [`ClientError`] is a sentence and has a code of the Camera API. A lost line fails what runs with
//! [`ClientError::ServerGone`] at once; the next call waits a moment for the line to be there again. Cameras are then
//! as their server says, mostly not connected: [`capture`](Camera::capture) connects them, single calls do not.

mod address;
mod ask;
mod blob;
mod calls;
mod camera;
mod error;
mod exposure;
mod header;
mod image;
mod incoming;
mod info;
mod line;
mod mirror;
mod one_shot;
mod parameters;
mod process;
mod progress;
mod server;
mod tracker;
mod transport;
mod vector;

pub use address::{Address, DEFAULT_PORT, DEFAULT_SOCKET, Launch};
pub use ask::{Settled, Wish};
pub use blob::{BadBlob, FrameFile};
pub use camera::Camera;
pub use error::{ClientError, Result};
pub use exposure::Exposure;
pub use header::Header;
pub use image::Frame;
pub use mirror::{Device, EXPOSURE, FRAMES, Link, Mirror, Sentence};
pub use progress::{Progress, Shot};
pub use server::{Patience, Server};
pub use vector::{Element, ElementValue, Vector};
