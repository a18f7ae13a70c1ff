//! Cameras on the USB, which only the library can look for.

use std::sync::mpsc::channel;
use std::sync::{Mutex, TryLockError};
use std::thread;
use std::time::Duration;

use aravis::UvInterface;
use aravis::prelude::*;

use super::now;

/// The search opens each camera for a moment. One that takes longer hangs. The device waits 10 s for a whole search, of
/// this and of the network, and another camera's search may be on its way already.
const SEARCH: Duration = Duration::from_secs(6);
const TURN_OF_ANOTHER: Duration = Duration::from_secs(3);
const TURN: Duration = Duration::from_millis(20);

/// What a camera says of itself to the USB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UsbCamera {
    pub(super) vendor: String,
    pub(super) model: String,
    pub(super) serial: String,
}

/// The library keeps one list for the whole process. Nobody else ever touches it, and nobody waits for it for long.
static LIST: Mutex<()> = Mutex::new(());

/// Searches, on a thread that may outlive the search if the bus hangs.
pub(super) fn search() -> Vec<UsbCamera> {
    let (tell, told) = channel();
    let spawned = thread::Builder::new().name("aravis-usb".to_owned()).spawn(move || {
        let _ = tell.send(list());
    });
    if let Err(error) = spawned {
        tracing::error!(%error, "no thread to search the USB");
    }
    told.recv_timeout(SEARCH).unwrap_or_else(|_| {
        tracing::warn!("the search for USB3 Vision cameras hangs");
        Vec::new()
    })
}

fn list() -> Vec<UsbCamera> {
    let end = now() + TURN_OF_ANOTHER;
    let _alone = loop {
        match LIST.try_lock() {
            Ok(alone) => break alone,
            Err(TryLockError::Poisoned(alone)) => break alone.into_inner(),
            Err(TryLockError::WouldBlock) if now() < end => thread::park_timeout(TURN),
            Err(TryLockError::WouldBlock) => return Vec::new(),
        }
    };
    let Some(interface) = UvInterface::instance() else { return Vec::new() };
    interface.update_device_list();
    let text = |text: Option<aravis::glib::GString>| text.map(|text| text.to_string()).unwrap_or_default();
    (0..interface.n_devices())
        .map(|i| UsbCamera {
            vendor: text(interface.device_vendor(i)),
            model: text(interface.device_model(i)),
            serial: text(interface.device_serial_nbr(i)),
        })
        .filter(|camera| !camera.serial.is_empty())
        .collect()
}
