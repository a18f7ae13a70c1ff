//! Calls about the connection: connect, disconnect, reconnect, scanning, polling.

use crate::camera::answer::{Answer, Code, Found, Scan};
use crate::camera::call::{Arguments, Call};
use crate::camera::error::{CameraError, ErrorKind, Result};
use crate::camera::types::CameraId;
use crate::device::Device;
use crate::device::connection::Link;
use crate::property::keys;

use super::{Heard, Progress, Until};

impl Device {
    pub(super) fn call_connect(&mut self, arguments: &Arguments<'_>) -> Result<Progress> {
        self.is_meant("connect", arguments)?;
        if self.link == Link::On {
            let answer = self.snapshot_answer("connected");
            return Ok(Progress::Done(
                answer.because(Code::AlreadyConnected, "the camera is connected already"),
            ));
        }
        self.press(&keys::CONNECTION, "CONNECT")?;
        Ok(Progress::Waits(Until::Connected, |device, _| device.snapshot_answer("connected")))
    }

    pub(super) fn call_disconnect(&mut self, _: &Arguments<'_>) -> Result<Progress> {
        if matches!(self.link, Link::Off | Link::Parting) {
            return Progress::nothing(Code::AlreadyDisconnected, "the camera is not connected");
        }
        self.press(&keys::CONNECTION, "DISCONNECT")?;
        if self.link == Link::Parting {
            return Progress::done("disconnected; the camera is closed when its sensor is warm", &());
        }
        // Whatever else the camera is asked on its way out is not what was called for.
        self.wait_only_for(|call| matches!(call, Call::Disconnect));
        Progress::when_answered()
    }

    pub(super) fn call_reconnect(&mut self, arguments: &Arguments<'_>) -> Result<Progress> {
        self.is_meant("reconnect", arguments)?;
        if !matches!(self.link, Link::Lost { .. }) {
            self.needs_camera("reconnect")?;
        }
        self.reopen();
        Ok(Progress::Waits(Until::Connected, |_, _| Answer::done("reconnected", &())))
    }

    pub(super) fn call_polling(&mut self, _: &Arguments<'_>) -> Result<Progress> {
        Ok(Progress::Done(self.snapshot_answer("what is known of the camera")))
    }

    /// Looking for cameras can take a bus for itself, so while one exposes there is only itself to tell of.
    pub(super) fn call_scanning(&mut self, _: &Arguments<'_>) -> Result<Progress> {
        if self.is_exposing() {
            let message = "this camera; others are looked for when it does not expose";
            return Progress::done(message, &self.scan(&[]));
        }
        self.ask(Call::Scanning);
        Ok(Progress::Waits(Until::Answered, |device, Heard { cameras, .. }| {
            Answer::done("cameras that can be reached", &device.scan(&cameras.unwrap_or_default()))
        }))
    }

    /// This camera under the name of its device, and the others that were found.
    fn scan(&self, found: &[CameraId]) -> Scan {
        let mut own = found_camera(&self.camera);
        own.name.clone_from(&self.name);
        own.in_use = Some(!matches!(self.link, Link::Off | Link::Parting));
        let sensor = self.capabilities.as_ref().map(|can| &can.sensor);
        own.sensor = sensor.map(|sensor| format!("{}x{}", sensor.width, sensor.height));
        let others = found.iter().map(found_camera).filter(|other| other.id != own.id);
        let cameras: Vec<Found> = std::iter::once(own.clone()).chain(others).collect();
        Scan { camera: cameras.iter().map(|camera| camera.name.clone()).collect(), cameras }
    }

    /// A call that names a camera has to name this one: each camera is a device of its own.
    fn is_meant(&self, call: &'static str, arguments: &Arguments<'_>) -> Result<()> {
        if arguments.find("device_name").is_none() {
            return Ok(());
        }
        let name = arguments.text(call, "device_name")?;
        if name == self.name || name == self.camera.name {
            return Ok(());
        }
        let detail =
            format!("device_name cannot be {:?}: this is {}", crate::camera::json::quoted(&name), self.name);
        Err(CameraError::new(ErrorKind::InvalidValue, call, detail))
    }
}

fn found_camera(camera: &CameraId) -> Found {
    let CameraId { name, model, serial, bus } = camera.clone();
    Found { id: id(camera), name, model, serial, bus, sensor: None, in_use: None }
}

/// What tells a camera from its like.
pub(super) fn id(camera: &CameraId) -> String {
    camera.serial.as_ref().or(camera.bus.as_ref()).unwrap_or(&camera.name).clone()
}
