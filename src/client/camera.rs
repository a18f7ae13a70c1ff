//! One camera: the calls that are not about exposures, by the standard properties that every INDI camera has.

use std::time::Duration;

use super::ask::{Settled, Wish};
use super::error::{ClientError, Result};
use super::info;
use super::mirror::{Device, EXPOSURE, FRAMES, Mirror};
use super::server::Server;
use crate::camera::answer::{CameraRoi, CoolingReport, Scan, Snapshot};
use crate::camera::types::{Binning, FrameType, Roi};
use crate::wire::{Kind, New, Request, State};

/// How long the numbers of a camera may take to be there after it says that it is connected.
const SETTLING: Duration = Duration::from_secs(2);

/// How long after the answer to a wish its consequences may be told.
const TRAILING: Duration = Duration::from_millis(500);

/// A camera by its device name. Clones are the same camera.
#[derive(Clone, Debug)]
pub struct Camera {
    server: Server,
    name: String,
}

impl Camera {
    pub(super) fn new(server: Server, name: String) -> Camera {
        Camera { server, name }
    }

    /// The device name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The line to it.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Connects the camera, and waits until it can be used. Harmless when it is connected.
    pub async fn connect(&self) -> Result<Snapshot> {
        let session = self.appear().await?;
        let limit = self.server.patience().connect;
        let switched = !self.look(|_, device| Ok(device.is_connected()))?;
        if switched {
            self.switch(session, "CONNECT", true).await?;
        }
        let usable = |device: &Device| {
            let usable = device.is_connected() && device.vector(FRAMES).is_some();
            usable.then_some(Ok(()))
        };
        self.until(session, limit, format!("the connection of {}", self.name), usable).await?;
        if switched {
            self.settle(session).await?;
        }
        self.polling().await
    }

    /// Stops whatever runs and disconnects the camera. Harmless when it is not connected.
    pub async fn disconnect(&self) -> Result<()> {
        let session = self.appear().await?;
        if self.look(|_, device| Ok(device.is_on("CONNECTION", "CONNECT")))? != Some(true) {
            return Ok(());
        }
        self.switch(session, "DISCONNECT", false).await?;
        let limit = self.server.patience().connect;
        let what = format!("the disconnection of {}", self.name);
        self.until(session, limit, what, |device| device.vector(EXPOSURE).is_none().then_some(Ok(()))).await
    }

    /// Turns CONNECTION, and waits until it is so: whatever else is told of it meanwhile, such as its definition for
    /// another client, is no answer.
    async fn switch(&self, session: u64, element: &str, on: bool) -> Result<()> {
        let (limit, name) = (self.server.patience().connect, "CONNECTION");
        let sequence = self.look(|mirror, _| Ok(mirror.sequence()))?;
        let (device, elements) = (Some(self.name.clone()), vec![(element.to_owned(), "On".to_owned())]);
        let wish = New { device, name: name.to_owned(), kind: Kind::Switch, elements };
        self.server.say(session, Request::New(wish));
        let what = if on { "the connection" } else { "the disconnection" };
        let switched = self.until(session, limit, format!("{what} of {}", self.name), |device| {
            let vector = device.vector(name)?;
            let answered = vector.set_sequence > sequence && vector.state != State::Busy;
            let is_so = vector.is_on("CONNECT") == Some(on);
            (answered && (is_so || vector.state == State::Alert))
                .then_some(Ok(is_so && vector.state != State::Alert))
        });
        match switched.await {
            Ok(true) => Ok(()),
            Ok(false) => Err(self.failure(session, sequence, what).await),
            // One that fails without an Alert may at least have said so.
            Err(timeout @ ClientError::Timeout { .. }) => {
                let (device, what) = (self.name.clone(), what.to_owned());
                let failed = |why| ClientError::Failed { device, what, why };
                Err(self.look(|_, device| Ok(device.complaint(sequence)))?.map_or(timeout, failed))
            }
            Err(error) => Err(error),
        }
    }

    /// Disconnects and connects: INDI has no other way.
    pub async fn reconnect(&self) -> Result<Snapshot> {
        self.disconnect().await?;
        self.connect().await
    }

    /// The cameras that this line leads to.
    pub async fn scanning(&self) -> Result<Scan> {
        self.server.scanning().await
    }

    /// All that is known of the camera, at one moment. Asks nothing: the driver tells every change.
    pub async fn polling(&self) -> Result<Snapshot> {
        self.appear().await?;
        let (now, timeout) = (self.server.now(), self.server.patience().answer.as_secs_f64());
        self.look(|mirror, device| Ok(info::snapshot(mirror, device, device.exposure.progress(now), timeout)))
    }

    /// Switches the cooler.
    pub async fn cooling(&self, on: bool) -> Result<()> {
        let switch = if on { "COOLER_ON" } else { "COOLER_OFF" };
        self.ask("CCD_COOLER", &[(switch, Wish::On(true))], Settled::Answered).await
    }

    /// Sets the target temperature in °C, which switches the cooler on. Returns when the camera has begun;
    /// [`wait_for_temperature`](Self::wait_for_temperature) waits until it is there.
    pub async fn cooling_to(&self, target: f64) -> Result<()> {
        if self.look(|_, device| Ok(device.is_connected() && !info::can_cool(device)))? {
            return Err(ClientError::not_supported(&self.name, "it has no cooler"));
        }
        let wish = [("CCD_TEMPERATURE_VALUE", Wish::Number(target))];
        self.ask("CCD_TEMPERATURE", &wish, Settled::Answered).await?;
        // That the cooler is on now, and its target, may be told behind it; a driver that does not tell is right as well.
        let session = self.server.session().await?;
        let begun = |device: &Device| {
            let told = device
                .number("CCD_TEMPERATURE_TARGET", "TARGET")
                .is_none_or(|told| (told - target).abs() < 0.05);
            (told && device.is_on("CCD_COOLER", "COOLER_ON") != Some(false)).then_some(Ok(()))
        };
        match self.until(session, TRAILING, "the cooler", begun).await {
            Ok(()) | Err(ClientError::Timeout { .. }) => Ok(()),
            Err(gone) => Err(gone),
        }
    }

    /// Waits until the sensor is within `tolerance` °C of `target`, and the camera no longer on its way. An error when
    /// the camera gives up, or after `limit`. `look` is shown every temperature.
    pub async fn wait_for_temperature(
        &self,
        target: f64,
        tolerance: f64,
        limit: Duration,
        mut look: impl FnMut(f64),
    ) -> Result<f64> {
        let session = self.appear().await?;
        let begun = self.look(|mirror, _| Ok(mirror.sequence()))?;
        let ends = self.server.now() + limit;
        let mut seen = 0;
        loop {
            let left = ends.saturating_sub(self.server.now());
            let told = self.until(session, left, "a temperature", |device| {
                let vector = match self.defined(device, "CCD_TEMPERATURE") {
                    Ok(vector) => vector,
                    Err(error) => return Some(Err(error)),
                };
                let news = (vector.sequence > seen).then(|| info::temperature(device)).flatten();
                news.map(|temperature| Ok((vector.sequence, vector.state, temperature)))
            });
            let (sequence, state, temperature) = match told.await {
                Err(ClientError::Timeout { .. }) => {
                    let what = format!("{target} °C of {}", self.name);
                    return Err(ClientError::Timeout { what, limit });
                }
                told => told?,
            };
            seen = sequence;
            look(temperature);
            if state == State::Alert {
                return Err(self.failure(session, begun, "the cooling").await);
            }
            if (temperature - target).abs() <= tolerance && state != State::Busy {
                return Ok(temperature);
            }
        }
    }

    /// What the cooler does.
    pub async fn get_cooling_status(&self) -> Result<CoolingReport> {
        self.read("cooler", info::cooling).await
    }

    /// Of the sensor, °C.
    pub async fn get_current_temperature(&self) -> Result<f64> {
        self.read("CCD_TEMPERATURE", info::temperature).await
    }

    /// Of the cooler, 0 to 100 %.
    pub async fn get_cooling_power(&self) -> Result<f64> {
        self.read("CCD_COOLER_POWER", info::power).await
    }

    /// The window that the next exposure reads, in unbinned pixels, and the size of its image.
    pub async fn get_camera_roi(&self) -> Result<CameraRoi> {
        let roi = |device: &Device| {
            let binning = info::binning(device).unwrap_or(Binning::NONE);
            info::roi(device).map(|roi| CameraRoi::new(roi, binning))
        };
        self.read("CCD_FRAME", roi).await
    }

    /// Sets the window, in unbinned pixels.
    pub async fn set_camera_roi(&self, roi: Roi) -> Result<()> {
        self.appear().await?;
        self.look(|_, device| within_sensor(roi, info::sensor(device)))?;
        let sides = [("X", roi.x), ("Y", roi.y), ("WIDTH", roi.width), ("HEIGHT", roi.height)];
        let wishes = sides.map(|(name, value)| (name, Wish::Number(value.into())));
        self.ask("CCD_FRAME", &wishes, Settled::Done).await
    }

    /// Sets the window to the whole sensor.
    pub async fn reset_roi(&self) -> Result<()> {
        let sensor = self.read("CCD_INFO", info::sensor).await?;
        self.set_camera_roi(Roi { x: 0, y: 0, width: sensor.0, height: sensor.1 }).await
    }

    /// The binning of the next exposure.
    pub async fn get_binning(&self) -> Result<Binning> {
        self.read("CCD_BINNING", info::binning).await
    }

    /// Sets the binning.
    pub async fn set_binning(&self, binning: Binning) -> Result<()> {
        let wishes =
            [("HOR_BIN", Wish::Number(binning.x.into())), ("VER_BIN", Wish::Number(binning.y.into()))];
        self.ask("CCD_BINNING", &wishes, Settled::Done).await
    }

    /// In the camera's own units.
    pub async fn get_gain(&self) -> Result<i32> {
        self.read("CCD_GAIN", |device| info::first_number(device, &info::GAIN).map(info::to_i32)).await
    }

    /// In the camera's own units.
    pub async fn set_gain(&self, gain: i32) -> Result<()> {
        self.set_first(&info::GAIN, gain).await
    }

    /// In the camera's own units.
    pub async fn get_offset(&self) -> Result<i32> {
        self.read("CCD_OFFSET", |device| info::first_number(device, &info::OFFSET).map(info::to_i32)).await
    }

    /// In the camera's own units.
    pub async fn set_offset(&self, offset: i32) -> Result<()> {
        self.set_first(&info::OFFSET, offset).await
    }

    /// What the next exposure is for.
    pub async fn get_frame_type(&self) -> Result<FrameType> {
        self.read("CCD_FRAME_TYPE", info::frame_type).await
    }

    /// Sets what the next exposure is for.
    pub async fn set_frame_type(&self, frame_type: FrameType) -> Result<()> {
        let switch = info::FRAME_TYPES.iter().find(|(_, kind)| *kind == frame_type);
        let switch = switch.map_or("FRAME_LIGHT", |(name, _)| name);
        self.ask("CCD_FRAME_TYPE", &[(switch, Wish::On(true))], Settled::Done).await
    }

    async fn set_first(&self, places: &[(&str, &str)], value: i32) -> Result<()> {
        self.appear().await?;
        let there = self.look(|_, device| {
            info::first(device, places)
                .ok_or_else(|| self.lacks(device, places.first().map_or("", |(vector, _)| vector)))
        });
        let (vector, element) = there?;
        self.ask(vector, &[(element, Wish::Number(value.into()))], Settled::Done).await
    }

    /// Reads something of a connected camera; `what` is named where it is not there.
    pub(super) async fn read<T>(&self, what: &str, read: impl Fn(&Device) -> Option<T>) -> Result<T> {
        self.appear().await?;
        self.look(|_, device| {
            let connected = device.is_connected();
            connected.then(|| read(device)).flatten().ok_or_else(|| self.lacks(device, what))
        })
    }

    /// Waits until the device is there and has told what it has. Returns the number of the connection.
    pub(super) async fn appear(&self) -> Result<u64> {
        let session = self.server.session().await?;
        let there = |mirror: &Mirror| {
            let connection = mirror.device(&self.name).and_then(|device| device.vector("CONNECTION"));
            connection.map(|_| Ok(()))
        };
        let limit = self.server.patience().appear;
        match self.server.until_in(session, limit, "the device", there).await {
            Err(ClientError::Timeout { .. }) => return Err(self.unknown()),
            there => there?,
        }
        if !self.look(|_, device| Ok(device.settled))? {
            self.settle(session).await?;
            self.server.change(|mirror| {
                if let Some(device) = mirror.device_mut(&self.name) {
                    device.settled = true;
                }
            });
        }
        Ok(session)
    }

    /// A look at the device, which has been there.
    pub(super) fn look<T>(&self, look: impl FnOnce(&Mirror, &Device) -> Result<T>) -> Result<T> {
        self.server.look(|mirror| match mirror.device(&self.name) {
            Some(device) => look(mirror, device),
            None => Err(self.device_gone()),
        })
    }

    /// Waits for something to be seen of the device, while it is there.
    pub(super) async fn until<T>(
        &self,
        session: u64,
        limit: Duration,
        what: impl Into<String>,
        mut look: impl FnMut(&Device) -> Option<Result<T>>,
    ) -> Result<T> {
        let look = |mirror: &Mirror| match mirror.device(&self.name) {
            Some(device) => look(device),
            None => Some(Err(self.device_gone())),
        };
        self.server.until_in(session, limit, what, look).await
    }

    fn device_gone(&self) -> ClientError {
        let why = "its driver took it away, or ended".to_owned();
        ClientError::DeviceGone { device: self.name.clone(), why }
    }

    fn unknown(&self) -> ClientError {
        let known = self
            .server
            .look(|mirror| mirror.devices().iter().map(|device| device.name().to_owned()).collect());
        ClientError::NoSuchDevice { device: self.name.clone(), known }
    }

    /// Waits until a device has told everything. libindi's drivers define first and tell the true numbers after; asked to
    /// define CONNECTION once more, a driver does that behind all the rest.
    async fn settle(&self, session: u64) -> Result<()> {
        let sequence =
            self.look(|_, device| Ok(device.vector("CONNECTION").map_or(0, |vector| vector.sequence)))?;
        let (device, name) = (Some(self.name.clone()), Some("CONNECTION".to_owned()));
        self.server.say(session, Request::GetProperties { device, name });
        let told = |device: &Device| {
            let again = device.vector("CONNECTION").is_some_and(|vector| vector.sequence > sequence);
            let sized = device.vector("CCD_INFO").is_none() || info::sensor(device).is_some();
            (again && sized).then_some(Ok(()))
        };
        match self.until(session, SETTLING, "all properties", told).await {
            // One that does not answer that, or has no sensor to tell of, is used as it is.
            Err(ClientError::Timeout { .. }) => Ok(()),
            settled => settled,
        }
    }
}

/// A window of at least one pixel inside the sensor.
fn within_sensor(roi: Roi, sensor: Option<(u32, u32)>) -> Result<()> {
    let Some((width, height)) = sensor else { return Ok(()) };
    for (start, length, most, names) in
        [(roi.x, roi.width, width, ["start_x", "width"]), (roi.y, roi.height, height, ["start_y", "height"])]
    {
        if length == 0 || length > most {
            let (what, asked) = (names[1].to_owned(), length.into());
            return Err(ClientError::OutOfRange { what, asked, min: 1.0, max: most.into() });
        }
        if start > most - length {
            let (what, asked) = (names[0].to_owned(), start.into());
            return Err(ClientError::OutOfRange { what, asked, min: 0.0, max: (most - length).into() });
        }
    }
    Ok(())
}
