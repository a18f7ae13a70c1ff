//! The backend `alpaca` against servers of the crate `ascom-alpaca`, which nobody here wrote, with scripted cameras behind
//! them: what is asked of a server is what Alpaca means, and what a server does ends well.
#![cfg(feature = "alpaca")]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a failure is a failed test")]
#![allow(unreachable_pub, reason = "modules of a test binary have no outside")]

mod support;

#[path = "alpaca/capabilities.rs"]
mod capabilities;
#[path = "alpaca/door.rs"]
mod door;
#[path = "alpaca/driver.rs"]
mod driver;
#[path = "alpaca/exposures.rs"]
mod exposures;
#[path = "alpaca/failures.rs"]
mod failures;
#[path = "alpaca/finding.rs"]
mod finding;
#[path = "alpaca/frames.rs"]
mod frames;
#[path = "alpaca/script.rs"]
mod script;
#[path = "alpaca/server.rs"]
mod server;
#[path = "alpaca/settings.rs"]
mod settings;

use std::time::Duration;

use indi_camera::backend::alpaca::Alpaca;
use indi_camera::camera::Camera;
use indi_camera::camera::call::Params;
use indi_camera::camera::error::{CameraError, ErrorKind, Result};
use indi_camera::camera::types::{
    ADDRESSES_PARAMETER, Binning, CameraId, Cancel, Capabilities, ExposureId, ExposureRequest,
    ExposureStatus, Frame, FrameType, Pixels, Roi, Value,
};

use script::Script;
use server::Observatory;
use support::{Limit, SOON, until};

/// Over before anyone looks.
const BRIEF: Duration = Duration::from_millis(2);
/// Longer than any test.
const LONG: Duration = Duration::from_secs(600);

/// A connected camera and its server.
struct Rig {
    observatory: Observatory,
    camera: Alpaca,
    id: CameraId,
    can: Capabilities,
}

impl Rig {
    fn of(script: Script) -> Rig {
        let observatory = Observatory::new(script);
        let mut camera = Alpaca::new();
        look_at(&mut camera, &observatory.address());
        let id = camera.scanning().unwrap().into_iter().next().expect("the server has a camera");
        let can = camera.connect(&id).unwrap();
        Rig { observatory, camera, id, can }
    }

    fn new() -> Rig {
        Rig::of(Script::default())
    }

    fn start(&mut self, duration: Duration) -> Cancel {
        let request = request(duration, FrameType::Light);
        self.camera.start_exposure(&request).unwrap();
        request.cancel
    }

    /// Waits for what comes of the exposure.
    fn outcome(&mut self) -> Result<Frame> {
        let limit = Limit::after(SOON);
        loop {
            match self.camera.get_exposure_status()? {
                ExposureStatus::Ready => return self.camera.get_exposure_result(),
                ExposureStatus::Idle => panic!("the exposure vanished"),
                ExposureStatus::Exposing { .. } | ExposureStatus::Reading { .. } => {
                    limit.pause("an exposure")
                }
            }
        }
    }

    fn frame(&mut self) -> Frame {
        self.start(BRIEF);
        self.outcome().unwrap()
    }
}

/// Has a camera that is not connected search there and nowhere else.
fn look_at(camera: &mut Alpaca, addresses: &str) {
    let only = Value::Text(format!("only,{addresses}"));
    camera.set_parameter(ADDRESSES_PARAMETER, only).unwrap();
}

fn request(duration: Duration, frame_type: FrameType) -> ExposureRequest {
    ExposureRequest::new(ExposureId(1), duration, frame_type)
}

fn params(pairs: &[(&str, Value)]) -> Params {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn text(word: &str) -> Value {
    Value::Text(word.to_owned())
}

#[track_caller]
fn fails<T: std::fmt::Debug>(result: Result<T>, kind: ErrorKind, words: &str) -> CameraError {
    let error = result.unwrap_err();
    assert_eq!(error.kind, kind, "{error}");
    assert!(error.detail.contains(words), "{error} says nothing of {words}");
    error
}
