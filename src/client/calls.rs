//! The 25 calls by name, for a shell or whoever else speaks JSON.

use std::time::Duration;

use super::ask::Wish;
use super::camera::Camera;
use super::error::{ClientError, Result};
use super::mirror::REPLIES;
use crate::camera::answer::{
    Answer, BinningFactors, Code, CoolingPower, ExposureStopped, Gain, Offset, Parameter, ParameterList,
    Status, Temperature,
};
use crate::camera::call::{Arguments, Call, Params};
use crate::camera::error::CameraError;
use crate::camera::json;
use crate::camera::types::Value;
use crate::camera::wish::ExposureWish;
use crate::wire::{Kind, New, Request, State};

/// How long a function of a camera may take that says nothing of that itself.
const CALL: Duration = Duration::from_secs(120);

/// The arguments of the calls that [`Call::parse`] reads. It would pass over one that is spelt wrong.
const TAKES: [(&str, &[&str]); 20] = [
    ("disconnect", &[]),
    ("scanning", &[]),
    ("polling", &[]),
    ("get_parameter", &["name"]),
    ("set_parameter", &["name", "value"]),
    ("abort_exposure", &[]),
    ("get_exposure_status", &[]),
    ("cooling", &["enable"]),
    ("cooling_to", &["temperature"]),
    ("get_cooling_status", &[]),
    ("get_current_temperature", &[]),
    ("get_cooling_power", &[]),
    ("get_camera_roi", &[]),
    ("get_gain", &[]),
    ("get_offset", &[]),
    ("get_binning", &[]),
    ("set_camera_roi", &["start_x", "start_y", "width", "height"]),
    ("set_gain", &["gain"]),
    ("set_offset", &["offset"]),
    ("set_binning", &["binning"]),
];

impl From<CameraError> for ClientError {
    fn from(error: CameraError) -> Self {
        ClientError::Answered { code: error.kind.into(), message: error.detail }
    }
}

impl From<&ClientError> for Answer {
    fn from(error: &ClientError) -> Answer {
        Answer::failed(error.code(), error.to_string())
    }
}

impl Camera {
    /// Makes one of the 25 calls by its name and the arguments that the Camera API gives it. Everything that goes wrong is
    /// in the answer.
    pub async fn by_name(&self, name: &str, params: &Params) -> Answer {
        match Box::pin(self.try_by_name(name, params)).await {
            Ok(answer) => answer,
            Err(error) => Answer::from(&error),
        }
    }

    /// A function of the camera's own, by CAMERA_CALL. What it answers, failures too, is in the answer.
    ///
    /// [`ClientError::NotSupported`] of cameras that do not have it, which are all but ours.
    pub async fn call(&self, name: &str, params: &Params) -> Result<Answer> {
        let session = self.appear().await?;
        let sequence = self.look(|mirror, device| {
            if device.vector("CAMERA_CALL").is_none() || device.vector(REPLIES).is_none() {
                let why = format!("it has no CAMERA_CALL, and no function {:?}", json::quoted(name));
                return Err(ClientError::not_supported(self.name(), why));
            }
            Ok(mirror.sequence())
        })?;
        let params = json::text(&Value::Record(params.clone()))?;
        let elements =
            [("NAME", name), ("PARAMS", &params)].map(|(name, text)| (name.to_owned(), text.to_owned()));
        let (device, vector) = (Some(self.name().to_owned()), "CAMERA_CALL".to_owned());
        let new = New { device, name: vector, kind: Kind::Text, elements: elements.into() };
        let stops = name == "stop_exposure";
        if stops {
            self.expect_an_early_end(true);
        }
        self.server().say(session, Request::New(new));
        let what = format!("the answer of {} to {name}", self.name());
        let reply = self.until(session, CALL, what, |device| {
            let reply = device.vector(REPLIES)?;
            // Only a `set` answers. A definition is for a client that has just come, and without the frame.
            let ours = reply.set_sequence > sequence
                && reply.state != State::Busy
                && reply.text("NAME") == Some(name);
            ours.then(|| Ok(reply.text("RESULT").unwrap_or_default().to_owned()))
        });
        let text = reply.await?;
        let answer: Answer = serde_json::from_str(&text).map_err(|error| {
            let message = format!("the answer of {} is not understood: {error}", self.name());
            ClientError::Answered { code: Code::Hardware, message }
        })?;
        if stops && answer.status == Status::Error {
            self.expect_an_early_end(false);
        }
        Ok(answer)
    }

    async fn try_by_name(&self, name: &str, params: &Params) -> Result<Answer> {
        // The same reading of arguments as in the driver.
        let call = match name {
            "start_exposure" | "get_exposure_result" => return self.exposure_by_name(name, params).await,
            "connect" | "reconnect" | "call" => return self.line_by_name(name, params).await,
            _ => Call::parse(name, params)?,
        };
        if let Some((call, takes)) = TAKES.iter().find(|(call, _)| *call == name) {
            Arguments::of(params).only(call, takes)?;
        }
        let done = |()| Answer::done(format!("{name}: done"), &());
        Ok(match call {
            Call::Scanning => Answer::done("", &self.scanning().await?),
            Call::Disconnect => {
                let was = self.is_connected().await?;
                let answer = done(self.disconnect().await?);
                if was {
                    answer
                } else {
                    answer.because(Code::AlreadyDisconnected, format!("{} is not connected", self.name()))
                }
            }
            Call::Polling => Answer::done("", &self.polling().await?),
            Call::GetParameter(name) => {
                Answer::done("", &Parameter { value: self.get_parameter(&name).await? })
            }
            Call::SetParameter(name, value) => done(self.set_parameter(&name, &value).await?),
            Call::AbortExposure => {
                if self.abort_exposure().await? {
                    done(())
                } else {
                    done(()).because(Code::NotExposing, format!("no exposure of {} runs", self.name()))
                }
            }
            Call::GetExposureStatus => Answer::done("", &self.get_exposure_status().await?),
            Call::Cooling(on) => {
                let was = self.get_cooling_status().await?.status;
                let answer = done(self.cooling(on).await?);
                match (was, on) {
                    (true, true) => answer.because(Code::AlreadyOn, "the cooler is on"),
                    (false, false) => answer.because(Code::AlreadyOff, "the cooler is off"),
                    _ => answer,
                }
            }
            Call::CoolingTo(target) => done(self.cooling_to(target).await?),
            Call::GetCoolingStatus => Answer::done("", &self.get_cooling_status().await?),
            Call::GetCurrentTemperature => {
                Answer::done("", &Temperature { temperature: self.get_current_temperature().await? })
            }
            Call::GetCoolingPower => {
                Answer::done("", &CoolingPower { power: self.get_cooling_power().await? })
            }
            Call::GetCameraRoi => Answer::done("", &self.get_camera_roi().await?),
            Call::SetCameraRoi(roi) => done(self.set_camera_roi(roi).await?),
            Call::GetBinning => {
                let binning = self.get_binning().await?;
                Answer::done("", &BinningFactors { binning: [binning.x, binning.y] })
            }
            Call::SetBinning(binning) => done(self.set_binning(binning).await?),
            Call::GetGain => Answer::done("", &Gain { gain: self.get_gain().await? }),
            Call::SetGain(gain) => done(self.set_gain(gain).await?),
            Call::GetOffset => Answer::done("", &Offset { offset: self.get_offset().await? }),
            Call::SetOffset(offset) => done(self.set_offset(offset).await?),
            Call::Vendor { name, params } => self.function(&name, &params).await?,
            Call::Connect(_) | Call::Reconnect(_) | Call::StartExposure(_) | Call::GetExposureResult => {
                done(())
            }
        })
    }

    /// The calls whose arguments say more than a camera by itself takes.
    async fn exposure_by_name(&self, name: &str, params: &Params) -> Result<Answer> {
        if name == "start_exposure" {
            return Ok(Answer::done("", &self.start_exposure(&ExposureWish::read(params)?).await?));
        }
        let arguments = Arguments::of(params);
        arguments.only("get_exposure_result", &["encode"])?;
        if !self.is_connected().await? {
            return Err(ClientError::NotConnected { device: self.name().to_owned() });
        }
        let shot = self.last_shot().await?;
        let mut result = shot.info()?;
        if arguments.find("encode").is_some() {
            let encoding = arguments.text("get_exposure_result", "encode")?;
            if encoding != "base64" {
                return Err(ClientError::Invalid(format!(
                    "encode takes base64, not {:?}",
                    json::quoted(&encoding)
                )));
            }
            let bytes = shot.received()?.bytes().map_err(|error| ClientError::io("the frame", &error))?;
            let mut text = Vec::new();
            crate::wire::write::base64(&bytes, &mut text);
            result.image.base64 = String::from_utf8(text).ok();
        }
        Ok(Answer::done("", &result))
    }

    /// The calls that name a device, which must be this one, and `call`, which names another call.
    async fn line_by_name(&self, name: &str, params: &Params) -> Result<Answer> {
        let arguments = Arguments::of(params);
        if name == "call" {
            arguments.only("call", &["name", "params"])?;
            let function = arguments.text("call", "name")?;
            let params = match arguments.find("params") {
                Some(params) => json::fields("call", "params", params)?,
                None => Params::new(),
            };
            if function == "call" {
                return Err(ClientError::Invalid("call cannot call itself".to_owned()));
            }
            return Ok(Box::pin(self.by_name(&function, &params)).await);
        }
        if arguments.find("device_name").is_some() {
            let call = if name == "connect" { "connect" } else { "reconnect" };
            let device = arguments.text(call, "device_name")?;
            if device != self.name() {
                return Box::pin(self.server().camera(device).line_by_name(name, params)).await;
            }
        }
        let was = self.is_connected().await?;
        if name == "reconnect" {
            if !was {
                let sentence = format!("{} is not connected", self.name());
                return Ok(Answer::done("", &()).because(Code::NotConnected, sentence));
            }
            self.reconnect().await?;
            return Ok(Answer::done(format!("{} is connected again", self.name()), &()));
        }
        let answer = Answer::done(format!("{} is connected", self.name()), &self.connect().await?);
        if was {
            return Ok(answer.because(Code::AlreadyConnected, format!("{} is connected", self.name())));
        }
        Ok(answer)
    }

    /// What is none of the 25: by the camera's own registry where it has one, else what standard properties can do.
    async fn function(&self, name: &str, params: &Params) -> Result<Answer> {
        let own = self.look(|_, device| Ok(device.vector("CAMERA_CALL").is_some()));
        if own.unwrap_or(false) {
            return self.call(name, params).await;
        }
        let none = || Arguments::of(params).only("call", &[]);
        let done = |()| Answer::done(format!("{name}: done"), &());
        let configuration = |switch: &'static str| async move {
            self.appear().await?;
            self.ask("CONFIG_PROCESS", &[(switch, Wish::On(true))], super::ask::Settled::Done).await
        };
        match name {
            "reset_roi" => none().map_err(Into::into).and(Ok(done(self.reset_roi().await?))),
            "list_parameters" => {
                none()?;
                Ok(Answer::done("", &ParameterList { parameters: self.list_parameters().await? }))
            }
            "save_config" => Ok(done(configuration("CONFIG_SAVE").await?)),
            "load_config" => Ok(done(configuration("CONFIG_LOAD").await?)),
            "default_config" => Ok(done(configuration("CONFIG_DEFAULT").await?)),
            "purge_config" => Ok(done(configuration("CONFIG_PURGE").await?)),
            _ => self.call(name, params).await,
        }
    }

    async fn is_connected(&self) -> Result<bool> {
        self.appear().await?;
        self.look(|_, device| Ok(device.is_connected()))
    }

    /// Reads the running exposure out early and keeps its frame; only cameras with CAMERA_CALL can.
    pub async fn stop_exposure(&self) -> Result<ExposureStopped> {
        let answer = self.call("stop_exposure", &Params::new()).await?;
        Ok(answer.read("stop_exposure")?)
    }
}
