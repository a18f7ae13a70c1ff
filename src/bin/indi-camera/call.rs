//! `indi-camera call`: one call of the Camera API, and its answer as it is.

use std::time::Duration;

use indi_camera::camera::answer::Answer;
use indi_camera::camera::call::Params;
use indi_camera::camera::json;
use indi_camera::camera::types::Value;
use indi_camera::client::{Camera, Server};

use super::arguments::{Call, Reach};
use super::fault::Fault;
use super::outcome::Outcome;

/// Calls that a camera which is not connected is there for.
const BEFORE_CONNECTING: [&str; 4] = ["connect", "disconnect", "reconnect", "scanning"];

/// The text by which every device of ours answers calls; it is defined behind the one by which it takes them.
const CAMERA_REPLY: &str = "CAMERA_REPLY";
/// How long after its first property a device may take to define that.
const DEFINING: Duration = Duration::from_millis(500);

impl Call {
    /// The arguments, before anybody is asked.
    pub(super) fn read(&self) -> Result<Params, Fault> {
        json::params("call", &self.params).map_err(|error| {
            Fault::usage(error.detail).advise("Parameters are one JSON object, as '{\"gain\": 100}'.")
        })
    }
}

pub(super) async fn run(reach: &Reach, server: &Server, asked: &Call) -> Result<Outcome, Fault> {
    let (name, params) = (&*asked.name, asked.read()?);
    if name == "scanning" && reach.camera.is_none() {
        return Ok(Outcome::verbatim(Answer::done("", &server.scanning().await?)));
    }
    let device = params.iter().find(|(name, _)| name == "device_name").map(|(_, value)| value);
    let camera = match (device, &reach.camera) {
        (Some(Value::Text(device)), None) => server.camera(device.clone()),
        _ => reach.camera(server).await?,
    };
    if reach.is_own_driver() && !BEFORE_CONNECTING.contains(&name) {
        camera.connect().await?;
    }
    Ok(Outcome::verbatim(answer(&camera, name, &params).await))
}

/// By the camera's own CAMERA_CALL where it has that, else by its standard properties.
async fn answer(camera: &Camera, name: &str, params: &Params) -> Answer {
    let own = camera.server().until(DEFINING, CAMERA_REPLY, |mirror| {
        mirror.device(camera.name())?.vector(CAMERA_REPLY).map(|_| ())
    });
    if own.await.is_err() {
        return camera.by_name(name, params).await;
    }
    camera.call(name, params).await.unwrap_or_else(|error| Answer::from(&error))
}
