//! What a camera is: the 25 calls of the documented Camera API as one blocking, object-safe trait.
//!
//! A backend implements [`Camera`] and knows nothing of INDI. The device above speaks to it through [`call::Call`]
//! values that a camera thread ([`worker`]) dispatches, so a slow or hung camera never blocks the protocol.
//!
//! The calls can be made by name and answered in JSON as well: arguments and values are [`json`], answers [`answer`],
//! and what one exposure may be asked for is a [`wish`].
//!
//! Read [`Camera`] first.

use std::fmt;

pub mod answer;
mod arguments;
pub mod call;
pub mod error;
pub mod json;
pub mod limits;
pub mod spare;
pub mod types;
pub mod wish;
pub mod worker;

use call::{Params, Reply};
use error::{CameraError, ErrorKind, Result};
use types::{
    Binning, CameraId, CameraStatus, Capabilities, Celsius, CoolingStatus, ExposureRequest, ExposureStatus,
    Frame, Percent, Roi, Value,
};

/// A camera, real or simulated.
///
/// Every call may block for as long as the hardware needs, but [`start_exposure`](Camera::start_exposure) returns
/// as soon as the exposure runs. A call never panics on bad arguments: it answers [`ErrorKind::OutOfRange`] or
/// [`ErrorKind::InvalidValue`] and changes nothing. Calls that need a connected camera answer
/// [`ErrorKind::NotConnected`] without one. Setters return what the hardware really did.
pub trait Camera: Send {
    /// Lists the cameras that this backend can reach now. Needs no connection.
    fn scanning(&mut self) -> Result<Vec<CameraId>>;
    /// Opens the camera. Opening it twice is harmless.
    fn connect(&mut self, id: &CameraId) -> Result<Capabilities>;
    /// Stops whatever runs and closes the camera. Closing a closed camera is harmless.
    fn disconnect(&mut self) -> Result<()>;

    /// Opens the shutter and returns at once. [`ErrorKind::Busy`] while an exposure runs.
    fn start_exposure(&mut self, request: &ExposureRequest) -> Result<()>;
    /// Ends the exposure and drops its frame. Harmless when none runs.
    fn abort_exposure(&mut self) -> Result<()>;
    /// Says where the exposure is. An exposure that failed is an error here, once.
    fn get_exposure_status(&mut self) -> Result<ExposureStatus>;
    /// Hands over the frame once its status is [`ExposureStatus::Ready`]; [`ErrorKind::NoFrame`] before and after.
    fn get_exposure_result(&mut self) -> Result<Frame>;

    /// The window that the next exposure reads, in unbinned pixels.
    fn get_camera_roi(&mut self) -> Result<Roi>;
    /// Sets the window and returns what was really set: the smallest possible one that covers `roi`.
    fn set_camera_roi(&mut self, roi: Roi) -> Result<Roi>;
    /// The binning of the next exposure.
    fn get_binning(&mut self) -> Result<Binning>;
    /// Sets the binning and returns what was really set: `binning`, or factors that divide it where the camera can do
    /// only some of those up to its largest.
    fn set_binning(&mut self, binning: Binning) -> Result<Binning>;

    /// Switches the cooler. Switched on, it regulates to the last target.
    fn cooling(&mut self, on: bool) -> Result<()> {
        let _ = on;
        Err(CameraError::not_supported("cooling"))
    }
    /// Sets the target temperature and switches the cooler on.
    fn cooling_to(&mut self, target: Celsius) -> Result<()> {
        let _ = target;
        Err(CameraError::not_supported("cooling_to"))
    }
    /// What the cooler does.
    fn get_cooling_status(&mut self) -> Result<CoolingStatus> {
        Err(CameraError::not_supported("get_cooling_status"))
    }
    /// The sensor's temperature, whether the cooler is on or not.
    fn get_current_temperature(&mut self) -> Result<Celsius> {
        Err(CameraError::not_supported("get_current_temperature"))
    }
    /// The cooler's power.
    fn get_cooling_power(&mut self) -> Result<Percent> {
        Err(CameraError::not_supported("get_cooling_power"))
    }
    /// The gain of the next exposure, in the camera's own units.
    fn get_gain(&mut self) -> Result<i32> {
        Err(CameraError::not_supported("get_gain"))
    }
    /// Sets the gain and returns what was really set.
    fn set_gain(&mut self, gain: i32) -> Result<i32> {
        let _ = gain;
        Err(CameraError::not_supported("set_gain"))
    }
    /// The offset of the next exposure, in the camera's own units.
    fn get_offset(&mut self) -> Result<i32> {
        Err(CameraError::not_supported("get_offset"))
    }
    /// Sets the offset and returns what was really set.
    fn set_offset(&mut self, offset: i32) -> Result<i32> {
        let _ = offset;
        Err(CameraError::not_supported("set_offset"))
    }
    /// Reads a setting of the backend's own, also before connecting. A vector of the backend's skeleton is named
    /// as there: numbers and texts are a [`Value::Record`] of its elements, a one-of-many switch is the
    /// [`Value::Text`] name of the element that is on.
    fn get_parameter(&mut self, name: &str) -> Result<Value> {
        let _ = name;
        Err(CameraError::not_supported("get_parameter"))
    }
    /// Changes a setting of the backend's own and returns what was really set; shapes as in
    /// [`get_parameter`](Camera::get_parameter). A record may leave out elements,
    /// which keep their values; it is applied whole or not at all, and the one returned has every element.
    fn set_parameter(&mut self, name: &str, value: Value) -> Result<Value> {
        let _ = (name, value);
        Err(CameraError::not_supported("set_parameter"))
    }

    /// Closes and opens the camera again.
    fn reconnect(&mut self, id: &CameraId) -> Result<Capabilities> {
        self.disconnect()?;
        self.connect(id)
    }
    /// Exposure, cooler and temperature in one reading; what the camera lacks is absent.
    fn polling(&mut self) -> Result<CameraStatus> {
        status_of(self)
    }
    /// Runs any other call by its name. Backends add their own functions by overriding this and falling back to
    /// [`call::by_name`].
    fn call(&mut self, name: &str, params: &Params) -> Result<Reply> {
        call::by_name(self, name, params)
    }
}

/// What [`Camera::polling`] answers, asked call by call.
pub fn status_of<C: Camera + ?Sized>(camera: &mut C) -> Result<CameraStatus> {
    Ok(CameraStatus {
        exposure: camera.get_exposure_status()?,
        cooling: supported(camera.get_cooling_status())?,
        temperature: supported(camera.get_current_temperature())?,
        power: supported(camera.get_cooling_power())?,
    })
}

fn supported<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind == ErrorKind::NotSupported => Ok(None),
        Err(error) => Err(error),
    }
}

impl fmt::Debug for dyn Camera {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Camera")
    }
}
