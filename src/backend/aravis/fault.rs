//! What the library says, in our words.

use std::sync::Once;

use aravis::DeviceError;
use aravis::glib::{self, LogLevel};

use crate::camera::error::{CameraError, ErrorKind};

/// What an error of the library means.
pub(super) fn failed(call: &'static str, error: glib::Error) -> CameraError {
    use DeviceError as E;
    let (kind, detail) = match error.kind::<DeviceError>() {
        Some(E::Timeout | E::NotConnected | E::TransferError | E::NotFound) => {
            (ErrorKind::Disconnected, "the camera does not answer".to_owned())
        }
        Some(E::NotController | E::ProtocolErrorAccessDenied) => (ErrorKind::Hardware, taken()),
        _ => (ErrorKind::Hardware, format!("the camera reports: {}", error.message().trim_end_matches('.'))),
    };
    CameraError { source: Some(Box::new(error)), ..CameraError::new(kind, call, detail) }
}

/// A camera obeys one program at a time.
pub(super) fn taken() -> String {
    "another program controls the camera".to_owned()
}

/// Has what GLib wants to say go where our own log goes; by itself it would use standard output, too.
pub(super) fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        glib::log_set_default_handler(|domain, level, text| {
            let domain = domain.unwrap_or("GLib");
            match level {
                LogLevel::Error | LogLevel::Critical => tracing::error!(domain, "{text}"),
                LogLevel::Warning => tracing::warn!(domain, "{text}"),
                LogLevel::Message | LogLevel::Info => tracing::debug!(domain, "{text}"),
                LogLevel::Debug => tracing::trace!(domain, "{text}"),
            }
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_a_lost_camera_and_anything_else_is_told() {
        for (error, kind, words) in [
            (DeviceError::Timeout, ErrorKind::Disconnected, "get_gain: the camera does not answer"),
            (
                DeviceError::NotController,
                ErrorKind::Hardware,
                "get_gain: another program controls the camera",
            ),
            (DeviceError::ProtocolErrorBusy, ErrorKind::Hardware, "get_gain: the camera reports: too hot"),
        ] {
            let came = failed("get_gain", glib::Error::new(error, "too hot."));
            assert_eq!((came.kind, came.to_string().as_str()), (kind, words));
        }
    }
}
