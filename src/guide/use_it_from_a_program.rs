//! Use it from a program: the 25 calls of the Camera API from Rust, a shell, and anything that opens a socket.
//!
//! | from | with | cameras | frames |
//! |---|---|---|---|
//! | [Rust](#rust) | [`client`] | any INDI camera, ours or libindi's, with or without a server | as an `ndarray`, or the file as it is |
//! | [a shell](#a-shell) | the tool `indi-camera` | the same | FITS and PNG files, and what is on them |
//! | [any language](#any-language) | the properties `CAMERA_CALL` and `CAMERA_REPLY` | those of this driver, in a server | as a file where the driver runs, in base64 if small, or as an INDI BLOB |
//!
//! The calls, their arguments, answers and codes are the same each way: they are [below](#the-calls). A call that changes
//! something is seen by every other client on the standard properties, and the other way round, so Ekos may run beside
//! all of this.
//!
//! # Rust
//!
//! The crate is a library as well. In `Cargo.toml`:
//!
//! ```toml
//! [dependencies]
//! indi-camera = { path = "../indi-camera" }
//! tokio = { version = "1", features = ["macros", "rt"] }
//! ```
//!
//! ```no_run
//! use indi_camera::camera::types::Pixels;
//! use indi_camera::camera::wish::ExposureWish;
//! use indi_camera::client::{Address, Patience, Result, Server};
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<()> {
//!     let address: Address = "localhost:7624".parse()?;
//!     let server = Server::connect(address, Patience::default()).await?;
//!     let camera = server.camera("Camera Simulator");
//!     camera.connect().await?;
//!     camera.set_gain(120).await?;
//!
//!     let wish = ExposureWish { gain: Some(200), ..ExposureWish::of(2.0) }; // 200 for this one, 120 again afterwards
//!     let shot = camera.capture(&wish, |progress| println!("{:.0} %", progress.percent())).await?;
//!     let frame = shot.frame().await?;
//!     println!("{:?} at {:?}", frame.pixels.shape(), frame.header.get("DATE-OBS"));
//!     if let Pixels::U16(array) = &frame.pixels {
//!         println!("brightest: {:?}", array.iter().max()); // an ndarray of [plane, row, column]
//!     }
//!     server.close().await;
//!     Ok(())
//! }
//! ```
//!
//! [`Address::driver`] instead starts a driver and needs no server: `Address::driver("indi_camera_simulator_ccd")`.
//! `"@"` is the local socket of a server on this machine; there, and from a driver of one's own, frames arrive as the
//! memory that the driver wrote and are not copied.
//!
//! All calls are methods of [`Camera`], each with a limit and a typed error. [`capture`] connects the camera if need be,
//! exposes, waits and reads out; dropping its future aborts the exposure. [`start_exposure`], [`get_exposure_status`] and
//! [`get_exposure_result`] are the same in steps. [`by_name`] takes the name of a call and its arguments, and answers
//! as the two other ways do. The page of [`client`] says more, of lost servers above all.
//!
//! # A shell
//!
//! `indi-camera` speaks to a server (`--server host:port`), to a driver that it starts itself (`--driver program`), or,
//! told nothing, to the simulated camera.
//!
//! ```sh
//! indi-camera --server localhost scan
//! indi-camera --server localhost capture --exposure 2 --gain 200 --out 'm31_XXX.fits' --preview
//! indi-camera --server localhost call set_binning '{"binning": [2, 2]}'
//! indi-camera --server localhost set 'Camera Simulator.CCD_FRAME.X=0;Y=0;WIDTH=640;HEIGHT=480'
//! gain=$(indi-camera --server localhost get --values 'Camera Simulator.CCD_GAIN.GAIN')
//! ```
//!
//! `call` prints the answer as it is. `set` ends when the property has reached what was written, also when an exposure is
//! over, so no script has to sleep; only for a temperature and the cooler it ends when the camera is on its way. With
//! `--json` every command prints one object of the same form as an answer, and `watch` one per change; what went wrong is
//! a sentence on standard error besides. `indi-camera capture --help`, and that of every command that asks a camera, has
//! examples.
//!
//! | exit code | means |
//! |---|---|
//! | 0 | done; also when there was nothing to do (`status` 2) |
//! | 1 | camera, driver or disk refused or failed |
//! | 2 | wrong arguments |
//! | 3 | no server or driver there, or it or the camera went away |
//! | 4 | no such camera, property or element |
//! | 5 | not in time |
//! | 130, 143 | interrupted, terminated; the exposure is aborted |
//!
//! # Any language
//!
//! A client of a server that can write and read texts can make the calls: `CAMERA_CALL` takes `NAME` and, as a JSON
//! object, `PARAMS`; `CAMERA_REPLY` brings `NAME`, `STATUS` and the answer in `RESULT`. Both are there before the camera
//! is connected, for `connect` is one of the calls. This is all it takes in Python, with nothing but its standard
//! library:
//!
//! ```python
#![doc = include_str!("camera_call.py")]
//! ```
//!
//! It is `src/guide/camera_call.py`, and the tests run it. While a server has the simulator (`indiserver
//! indi_camera_simulator_ccd`):
//!
//! ```sh
//! call() { python3 src/guide/camera_call.py localhost 7624 'Camera Simulator' "$@"; }
//! call connect '{}'
//! call set_gain '{"gain": 120}'            # {"status":0,"message":"done","params":{}}
//! call start_exposure '{"exposure": 2}'    # answers at once
//! call get_exposure_status '{}'            # {"status":0,…,"params":{"status":true,"phase":"exposing",…}}
//! call get_exposure_result '{}'            # where the frame is, its shape, and what was measured
//! ```
//!
//! * There is one reply for each call, in the order of the calls, and `CAMERA_CALL` is Busy while one runs. 16 may wait;
//!   one more is answered with `busy` at once. Every client of the camera hears every reply, so two programs that make
//!   calls of the same name at the same time cannot tell the answers apart.
//! * A call is answered when it has taken effect: `connect` when the camera is open, `set_gain` when the camera has
//!   taken the gain. Only exposures, cooling and guide pulses go on after the answer. `connect` and `reconnect` are
//!   answered within 120 s, all else within 45 s, if by `timeout`.
//! * A frame is no text. It is sent as the BLOB `CCD1` to clients that have asked for BLOBs with `enableBLOB`, and saved
//!   where `UPLOAD_MODE` and `UPLOAD_SETTINGS` say, `info.saved_path` being its place. `get_exposure_result` with
//!   `{"encode": "base64"}` brings the file along in `image.base64` if it has at most 4 MiB.
//!
//! # The calls
//!
//! An answer is one object. `status` is 0 for done, 1 for failed and 2 for nothing to do; `message` is for people;
//! `params` has the result, or `error` (1) or `warning` (2) with `code` and `detail`. [`camera::answer`] has the form of
//! each result, [`Code`] all codes.
//!
//! | call | arguments |
//! |---|---|
//! | `scanning`, `disconnect`, `polling` | |
//! | `connect`, `reconnect` | `device_name`, optional |
//! | `get_parameter` | `name`: `gain`, `upload.prefix`, …, or `PROPERTY.ELEMENT`; `list_parameters` lists them |
//! | `set_parameter` | `name`, `value` |
//! | `start_exposure` | `exposure` in seconds; for this one only and all optional `frame_type`, `gain`, `offset`, `binning`, `roi`: [`camera::wish`] |
//! | `abort_exposure`, `get_exposure_status` | |
//! | `get_exposure_result` | `encode`, optional |
//! | `cooling` | `enable`, true or false |
//! | `cooling_to` | `temperature` in °C |
//! | `get_cooling_status`, `get_current_temperature`, `get_cooling_power` | |
//! | `get_camera_roi`, `get_gain`, `get_offset`, `get_binning` | |
//! | `set_camera_roi` | `start_x`, `start_y`, `width`, `height` in unbinned pixels |
//! | `set_gain`, `set_offset` | `gain`, `offset`, in the camera's own units |
//! | `set_binning` | `binning`, as `[2, 2]` |
//! | `call` | `name` and `params` of any other function |
//!
//! Further functions, by their names or through `call`: `stop_exposure`, `pulse_guide` (`direction`: `n`, `s`, `e` or
//! `w`; `ms`), `reset_roi`, `set_fits_header` (`key`, `value`, `comment`), `list_spool`, `resend_frame` (`id`), `drop_frame` (`id`),
//! `self_test`, `list_parameters`, `save_config`, `load_config`, `default_config`, `purge_config`, and what the camera
//! itself offers.
//!
//! [`Address::driver`]: crate::client::Address::driver
//! [`by_name`]: crate::client::Camera::by_name
//! [`camera::answer`]: crate::camera::answer
//! [`camera::wish`]: crate::camera::wish
//! [`Camera`]: crate::client::Camera
//! [`capture`]: crate::client::Camera::capture
//! [`client`]: crate::client
//! [`Code`]: crate::camera::answer::Code
//! [`get_exposure_result`]: crate::client::Camera::get_exposure_result
//! [`get_exposure_status`]: crate::client::Camera::get_exposure_status
//! [`start_exposure`]: crate::client::Camera::start_exposure
