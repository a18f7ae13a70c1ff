//! The contract of every camera: what the device above takes for granted of a [`Camera`], checked on each backend that
//! finds one here. A broken promise is one sentence: `backend simulator: set_gain: 301 was accepted though the limits
//! are 0 to 300`.
//!
//! | promise | file |
//! |---|---|
//! | the 25 calls do the same directly and by name; bad arguments change nothing; whatever comes, nothing panics | `calls` |
//! | each setter takes its limits, 0 and false, and nothing outside; what was set is what is read | `limits` |
//! | connecting and disconnecting may be repeated, keep the settings, and leak nothing | `connection` |
//! | an exposure starts at once, goes through its phases in order, and ends once; no frame is stale or late | `exposures` |
//! | the image is what was asked: width, height, depth, dark or light | `frames` |
//! | the cooler is what it says, and the thermometer needs none | `cooler` |
//! | formats, settings of the backend's own, the guide port | `settings` |
//! | what the simulator and the replay promise beyond that | `simulator`, `replay` |
//!
//! Failures and hangs are the camera thread's part: `tests/worker.rs`. `INDI_CAMERA_CONTRACT` chooses backends, and
//! then has to find their cameras: the page *add your camera* of the documentation says how to use it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where something fails")]

use std::thread;
use std::time::Duration;

use indi_camera::backend::{BACKENDS, Backend};
use indi_camera::camera::Camera;
use indi_camera::camera::call::{Call, Params, Reply, dispatch};
use indi_camera::camera::error::{ErrorKind, Result};
use indi_camera::camera::types::{
    Binning, CameraId, Capabilities, CoolingStatus, ExposureId, ExposureRequest, ExposureStatus,
    FORMAT_PARAMETER, Frame, FrameType, Pixels, Range, Roi, Value,
};

/// Sees that something is what it has to be, and says what it is where it is not.
macro_rules! is {
    ($got:expr, $wanted:expr, $($what:tt)+) => {
        match (&$got, &$wanted) {
            (got, wanted) => {
                assert!(got == wanted, "{}: {got:?} instead of {wanted:?}", format_args!($($what)+));
            }
        }
    };
}

#[path = "contract/calls.rs"]
mod calls;
#[path = "contract/connection.rs"]
mod connection;
#[path = "contract/cooler.rs"]
mod cooler;
#[path = "contract/exposures.rs"]
mod exposures;
#[path = "contract/frames.rs"]
mod frames;
#[path = "contract/limits.rs"]
mod limits;
#[path = "contract/photons.rs"]
mod photons;
/// The example of the guide keeps the contract like any other backend, or it would be a bad example.
#[path = "../src/guide/ramp.rs"]
#[allow(unreachable_pub, reason = "written as a file of the library")]
mod ramp;
#[path = "contract/replay.rs"]
mod replay;
#[path = "contract/rig.rs"]
mod rig;
#[path = "contract/settings.rs"]
mod settings;
#[path = "contract/simulator.rs"]
mod simulator;
#[path = "contract/sky.rs"]
mod sky;

use rig::{Rig, accepted, fails, for_every_camera, for_every_model, refused, request, works};

/// Long enough to be seen running, short enough for a test.
const SHORT: Duration = Duration::from_millis(20);

fn params(pairs: &[(&str, Value)]) -> Params {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn number(value: impl Into<f64>) -> Value {
    Value::Number(value.into())
}

fn pair(x: u32, y: u32) -> Value {
    Value::List(vec![number(x), number(y)])
}

fn text(word: &str) -> Value {
    Value::Text(word.to_owned())
}

fn mean(pixels: &Pixels) -> f64 {
    match pixels {
        Pixels::U8(a) => a.mapv(f64::from).mean(),
        Pixels::U16(a) => a.mapv(f64::from).mean(),
        Pixels::U32(a) => a.mapv(f64::from).mean(),
    }
    .expect("a frame has pixels")
}
