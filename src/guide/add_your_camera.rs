//! Add your camera: one file, one line, and the contract to prove it.
//!
//! A kind of camera is a *backend*: a type that implements [`Camera`], the 25 calls of the Camera API. It speaks to
//! the hardware and to nobody else. It never hears of INDI: what clients see, in which order and with which words, is
//! decided above it, for all cameras alike.
//!
//! # A whole backend
//!
//! The camera below is complete: it connects, exposes, aborts, has a gain, and delivers frames of 320 × 200 pixels.
//! It is compiled and checked against the contract with every run of the tests, and it works unchanged as
//! `src/backend/ramp.rs`.
//!
//! ```
#![doc = include_str!("ramp.rs")]
//! # fn main() {}
//! ```
//!
//! # The steps
//!
//! 1. Copy the example to `src/backend/`, under the word that is to name your kind of camera everywhere: `mine.rs`.
//!    Put the word into its `BACKEND` too.
//! 2. Add the word to the list in `src/backend/mod.rs`:
//!
//!    ```text
//!    backends! {
//!        simulator,
//!        mine,        ◄── the line
//!    }
//!    ```
//!    A backend that needs a library which not everybody has is a feature in `Cargo.toml`, and its line is
//!    `#[cfg(feature = "mine")] mine,`. A library of the maker's is best loaded when it is first needed, so that the
//!    driver starts without it.
//! 3. `INDI_CAMERA_CONTRACT=mine cargo test --test contract` says what is still missing ([below](#the-contract)).
//! 4. `INDI_CAMERA_BACKENDS=mine indiserver target/debug/indi_camera_ccd` serves it. Started by a link named
//!    `indi_camera_mine_ccd` it needs no environment.
//!
//! Nothing else has to change: no property, no handler, no table. For others to find it, it wants a row in the README
//! and, if it is compiled in by default, an entry in `packaging/indi_camera.xml`, from which the installer makes the
//! link and clients their menus.
//! `cargo fmt -- src/backend/mine.rs` formats it; without the name cargo does not see the file.
//!
//! # What the camera can do decides what clients see
//!
//! [`connect`] answers with [`Capabilities`], read from the camera and not from a table of models. What is `None` or
//! `false` there is absent for clients, and its calls keep the bodies that the trait gives them.
//!
//! | [`Capabilities`] | calls to write | properties that appear |
//! |---|---|---|
//! | `gain` | `get_gain`, `set_gain` | `CCD_GAIN` |
//! | `offset` | `get_offset`, `set_offset` | `CCD_OFFSET` |
//! | `thermometer` | `get_current_temperature` | `CCD_TEMPERATURE` |
//! | `cooler` | `cooling`, `cooling_to`, `get_cooling_status` | `CCD_COOLER`, `CCD_TEMPERATURE_TARGET`, `CCD_TEMP_RAMP`, `COOLER_POLICY` |
//! | `cooler_power` | `get_cooling_power` | `CCD_COOLER_POWER` |
//! | `formats` | `get_parameter`, `set_parameter` of [`FORMAT_PARAMETER`] | `CCD_CAPTURE_FORMAT` |
//! | `guide_port` | `call` of `pulse_guide` | `TELESCOPE_TIMED_GUIDE_NS`, `TELESCOPE_TIMED_GUIDE_WE` |
//! | `sensor.bayer` | | `CCD_CFA` |
//! | `sdk` | | `SDK` |
//! | `subframe`, `binning` | `set_camera_roi`, `set_binning` | none: clients always have both |
//!
//! A camera with a cooler has a thermometer. The limits are those of the camera, both ends included; the setters
//! check them with [`Capabilities::check_gain`] and its neighbours, so that what is published is what is accepted.
//!
//! Window and binning are never missing. Where a camera cannot read a part of its sensor, or only parts that begin at
//! certain columns, `set_camera_roi` sets the smallest window that covers the wish and answers with that one; where
//! it cannot bin as asked, `set_binning` answers with factors that divide those, or with [`Binning::NONE`]. The frame
//! tells what was really read in its [`FrameInfo`], and the rest is cut and summed afterwards.
//!
//! # Settings of its own
//!
//! What only your cameras have (a fan, a mode of read-out) is a vector in a file in `xml-skeletons/`, of numbers,
//! texts or a switch of which one is on:
//!
//! ```xml
//! <INDIDriver>
//!     <defSwitchVector device="Camera" name="MINE_FAN" label="Fan" group="Main Control" state="Idle" perm="rw" rule="OneOfMany" timeout="60">
//!         <defSwitch name="FAN_ON" label="On">On</defSwitch>
//!         <defSwitch name="FAN_OFF" label="Off">Off</defSwitch>
//!     </defSwitchVector>
//! </INDIDriver>
//! ```
//! `skeleton: Some(("mine.xml", include_str!("../../xml-skeletons/mine.xml")))` brings it along. Labels, limits and
//! defaults belong to the file. Clients see the vector from the beginning, before the camera is connected; what they
//! write comes to [`set_parameter`] under the vector's name, and what that returns is what they see. It is saved with
//! the configuration and given to the camera again when the driver starts. `simulator.xml` and the simulator's
//! `settings` are an example with all there is.
//!
//! # Functions of its own
//!
//! [`call`] is for what is no setting: an action, with arguments, that takes effect once. Match the names that you
//! offer, read the arguments with [`Arguments`], and leave everything else to [`by_name`], which makes the other
//! calls. A camera with a guide port takes its pulses this way:
//!
//! ```
//! # use indi_camera::camera::Camera;
//! # use indi_camera::camera::error::Result;
//! use indi_camera::camera::call::{Arguments, Params, Reply, by_name};
//!
//! const PULSE: &str = "pulse_guide";
//!
//! # fn call<C: Camera>(camera: &mut C, name: &str, params: &Params) -> Result<Reply> {
//! match name {
//!     PULSE => {
//!         let (direction, length) = Arguments::of(params).pulse(PULSE)?;
//!         // Begins the pulse and returns.
//! #       let _ = (direction, length);
//!         Ok(Reply::Done)
//!     }
//!     _ => by_name(camera, name, params),
//! }
//! # }
//! ```
//!
//! # Threads and time
//!
//! * [`create`] makes a value and touches no hardware. One is made when the driver starts, asked to [`scan`], and
//!   dropped; then one for each camera, on a thread that is this camera's alone. All calls come from that thread, one
//!   after the other. The type is `Send` and needs no locks.
//! * A call may block. After 10 s without an answer (8 s for [`abort_exposure`], 30 s for [`connect`] and
//!   [`reconnect`]) the thread is given up, and a new camera is made and opened on another one, while the old call may still hang in the maker's library.
//!   While three such threads hang nobody tries any more.
//! * [`start_exposure`] returns as soon as the exposure runs. While it does, the status is asked at least once a
//!   second, again when the time that was left has passed, and every millisecond during [`Reading`]: it must be
//!   cheap. [`polling`] comes on top of that, though not shortly before the end of an exposure.
//! * A download may happen behind [`Reading`] or inside [`get_exposure_result`]. How long after the shutter has closed
//!   the frame may come is learned from the frames before, 5 s at least and 60 s at most; a [`Reading`] that tells that
//!   it gets further has that time again.
//! * A camera that is exposing when it is opened says so when it is asked for its status, unless it ends that itself;
//!   [`abort_exposure`] follows.
//! * When nobody wants an exposure any more its [`Cancel`] is set, and [`abort_exposure`] follows. A call that takes
//!   long looks at the flag now and then.
//! * A thread that the backend starts ends with the connection. A camera that is dropped closes itself.
//! * A camera that vanishes answers [`Disconnected`]. It is opened again, with pauses, until it is back; the backend
//!   does not try by itself.
//!
//! # What a backend never does
//!
//! * It never panics, ends the process, or blocks for ever; a panic costs it the camera, but no more.
//! * It never writes to standard output, which is the line to the server. `tracing` is for what developers want to
//!   know.
//! * It never names `wire`, `property` or `device`. `tests/layers.rs` fails where it does.
//! * It never pretends: what it does not know is `None`, what it cannot do is [`NotSupported`], and a setter answers
//!   with what was really set.
//! * It never cuts a value down to the limits. What is outside is [`OutOfRange`], with one clause that says what was
//!   asked and what is allowed, and changes nothing. What every camera refuses alike has its words already:
//!   [`CameraError::exposing`] and its neighbours.
//! * It never applies a setting to an exposure that is running, and never hands over a frame twice, late, or after an
//!   abort.
//! * It never decides what is the same for every camera: ramps of temperature, retries, countdowns, what to restore
//!   after a loss, what to do when a new exposure is asked for during another.
//! * It uses `unsafe` for the maker's library only, each block with its reason.
//!
//! # The contract
//!
//! `tests/contract.rs` asks of every backend what the device takes for granted. With `INDI_CAMERA_CONTRACT` it asks
//! only the backends that are named there, separated by commas, and finding no camera is a failure:
//!
//! ```text
//! $ INDI_CAMERA_CONTRACT=mine cargo test --test contract
//! backend mine: set_gain: 101 was accepted though the limits are 1 to 100
//! ```
//! Each backend is asked about the first camera that it finds. What calls itself [`hardware`] has its camera to
//! itself, is asked for 20 aborts where the simulator does 10,000, and takes a few minutes at most where read-out is
//! slow. Each check begins with opening the camera and ends with its settings as they were; in between gain, offset
//! and binning go to their ends, and so does the target of the cooler, for a moment: do not run it on a camera that is cold.
//! Without the variable no hardware is asked, but for backends whose variable of addresses is set.
//!
//! The camera thread around the backend, which has to cope with one that fails, hangs or panics, is checked in
//! `tests/worker.rs` with cameras that do so on purpose.
//!
//! [`abort_exposure`]: crate::camera::Camera::abort_exposure
//! [`Arguments`]: crate::camera::call::Arguments
//! [`Backend::hardware`]: crate::backend::Backend::hardware
//! [`Binning::NONE`]: crate::camera::types::Binning::NONE
//! [`by_name`]: crate::camera::call::by_name
//! [`call`]: crate::camera::Camera::call
//! [`Camera`]: crate::camera::Camera
//! [`CameraError::exposing`]: crate::camera::error::CameraError::exposing
//! [`Cancel`]: crate::camera::types::Cancel
//! [`Capabilities::check_gain`]: crate::camera::types::Capabilities::check_gain
//! [`Capabilities`]: crate::camera::types::Capabilities
//! [`connect`]: crate::camera::Camera::connect
//! [`create`]: crate::backend::Backend::create
//! [`Disconnected`]: crate::camera::error::ErrorKind::Disconnected
//! [`FORMAT_PARAMETER`]: crate::camera::types::FORMAT_PARAMETER
//! [`FrameInfo`]: crate::camera::types::FrameInfo
//! [`get_exposure_result`]: crate::camera::Camera::get_exposure_result
//! [`hardware`]: crate::backend::Backend::hardware
//! [`NotSupported`]: crate::camera::error::ErrorKind::NotSupported
//! [`OutOfRange`]: crate::camera::error::ErrorKind::OutOfRange
//! [`polling`]: crate::camera::Camera::polling
//! [`Reading`]: crate::camera::types::ExposureStatus::Reading
//! [`reconnect`]: crate::camera::Camera::reconnect
//! [`scan`]: crate::camera::Camera::scanning
//! [`set_parameter`]: crate::camera::Camera::set_parameter
//! [`start_exposure`]: crate::camera::Camera::start_exposure
