//! The way to a camera: opened, obeying us, and with everything off that it would do by itself; left as it was found.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use aravis::glib::Error;
use aravis::glib::prelude::*;
use aravis::prelude::*;
use aravis::{Camera, Device, GvDevice, GvStreamOption, UvDevice};

use super::discovery::Presence;
use super::fault::{failed, listen, taken};
use super::feature::{self, can_set, entries, has_entry};
use super::find::{Found, Way};
use super::now;
use crate::camera::error::{CameraError, ErrorKind, Result};

const CALL: &str = "connect";
/// A camera of the network obeys a program of which it has not heard for so long, ms. A machine that is busy may say
/// nothing for seconds, and a camera that is lost between two exposures costs the next one.
const HEARTBEAT: u32 = 10_000;
/// Where every GigE Vision camera has that time, under whatever name.
const HEARTBEAT_REGISTER: u64 = 0x0938;
/// And so we may be the program that has died, started again.
const HEIR: Duration = Duration::from_secs(12);
const HEIR_LOOK: Duration = Duration::from_millis(200);
/// What can begin a frame, best first.
const FRAME_TRIGGERS: [&str; 3] = ["FrameStart", "FrameBurstStart", "AcquisitionStart"];

/// A camera that is open and obeys us.
pub(super) struct Link {
    pub(super) camera: Camera,
    pub(super) device: Device,
    network: Option<Network>,
    /// The library has found out that the camera does not obey us any more.
    is_lost: Arc<AtomicBool>,
    as_found: Vec<(String, Setting)>,
    /// Its patience with us, if we changed that.
    heartbeat: Option<u32>,
    /// A frame can be had for a command.
    pub(super) has_trigger: bool,
}

struct Network {
    device: GvDevice,
    presence: Presence,
}

/// How something was set.
#[derive(Clone, Debug)]
enum Setting {
    Word(String),
    Flag(bool),
}

impl Link {
    pub(super) fn open(found: &Found) -> Result<Link> {
        listen();
        let (device, network) = match &found.way {
            Way::Network { camera, interface } => {
                let network = Network::open(*camera, *interface)?;
                (network.device.clone().upcast::<Device>(), Some(network))
            }
            Way::Usb(usb) => {
                let device = UvDevice::new(&usb.vendor, &usb.model, &usb.serial);
                (device.map_err(|error| failed(CALL, error))?.upcast(), None)
            }
        };
        let camera = Camera::with_device(&device).map_err(|error| failed(CALL, error))?;
        let is_lost = Arc::new(AtomicBool::new(false));
        let tell = Arc::clone(&is_lost);
        device.connect_control_lost(move |_device| tell.store(true, Ordering::Release));
        let as_found = Vec::new();
        let mut link =
            Link { camera, device, network, is_lost, as_found, heartbeat: None, has_trigger: false };
        link.prepare().map_err(|error| failed(CALL, error))?;
        Ok(link)
    }

    /// Whether the camera is there no more, or obeys somebody else. Never waits.
    pub(super) fn is_gone(&mut self) -> bool {
        if self.is_lost.load(Ordering::Acquire) {
            return true;
        }
        let Some(Network { device, presence }) = &mut self.network else { return false };
        presence.is_gone() || !device.is_controller()
    }

    fn prepare(&mut self) -> Result<(), Error> {
        self.be_patient();
        // The last program may have left it running, and what runs cannot be changed.
        let _ = self.camera.stop_acquisition();
        for name in feature::AUTOMATICS {
            if has_entry(&self.device, name, "Off") && can_set(&self.device, name) {
                self.set_word(name, "Off")?;
            }
        }
        if has_entry(&self.device, "ExposureMode", "Timed") {
            self.set_word("ExposureMode", "Timed")?;
        }
        for name in feature::FRAME_RATE_SWITCHES {
            if can_set(&self.device, name) {
                self.set_flag(name, false)?;
            }
        }
        for name in ["AcquisitionMode", "TriggerSource"] {
            self.remember_word(name);
        }
        if can_set(&self.device, "TriggerMode") {
            self.prepare_triggers()?;
        }
        Ok(())
    }

    /// Has a camera of the network wait longer for us, if it lets itself be told.
    fn be_patient(&mut self) {
        if self.network.is_none() {
            return;
        }
        let Ok((_, was)) = self.device.read_register(HEARTBEAT_REGISTER) else { return };
        if was >= HEARTBEAT {
            return;
        }
        match self.device.write_register(HEARTBEAT_REGISTER, HEARTBEAT) {
            Ok(_) => self.heartbeat = Some(was),
            Err(error) => tracing::debug!(%error, was, "the camera keeps its own patience"),
        }
    }

    /// One trigger stays in use, all others are off.
    fn prepare_triggers(&mut self) -> Result<(), Error> {
        const SELECTOR: &str = "TriggerSelector";
        let all = if can_set(&self.device, SELECTOR) { entries(&self.device, SELECTOR)? } else { Vec::new() };
        for trigger in &all {
            self.set_word(SELECTOR, trigger)?;
            self.set_word("TriggerMode", "Off")?;
        }
        if let Some(best) = FRAME_TRIGGERS.iter().find(|name| all.iter().any(|other| other == *name)) {
            self.set_word(SELECTOR, best)?;
        }
        self.remember_word("TriggerMode");
        self.has_trigger = has_entry(&self.device, "TriggerSource", "Software")
            && self.device.is_feature_available("TriggerSoftware").unwrap_or(false);
        if self.has_trigger {
            self.set_word("TriggerSource", "Software")?;
        }
        Ok(())
    }

    /// Sets a choice, and remembers how it was.
    fn set_word(&mut self, name: &str, word: &str) -> Result<(), Error> {
        self.remember_word(name);
        self.device.set_string_feature_value(name, word)
    }

    pub(super) fn set_flag(&mut self, name: &str, flag: bool) -> Result<(), Error> {
        if let Ok(was) = self.device.boolean_feature_value(name) {
            self.as_found.push((name.to_owned(), Setting::Flag(was)));
        }
        self.device.set_boolean_feature_value(name, flag)
    }

    fn remember_word(&mut self, name: &str) {
        if let Ok(was) = self.device.string_feature_value(name) {
            self.as_found.push((name.to_owned(), Setting::Word(was.to_string())));
        }
    }

    /// Leaves the camera as it was found: backwards, because some of it says what the rest is about.
    fn restore(&mut self) -> Result<(), Error> {
        while let Some((name, setting)) = self.as_found.pop() {
            match setting {
                Setting::Word(word) => self.device.set_string_feature_value(&name, &word)?,
                Setting::Flag(flag) => self.device.set_boolean_feature_value(&name, flag)?,
            }
        }
        if let Some(was) = self.heartbeat.take() {
            self.device.write_register(HEARTBEAT_REGISTER, was)?;
        }
        Ok(())
    }

    /// Closes a camera. The library says goodbye to one that is gone for many seconds, so nobody waits for that.
    pub(super) fn close(mut self) {
        if !self.is_gone() {
            match self.restore() {
                Ok(()) => return,
                Err(error) => tracing::warn!(%error, "the camera is not left as it was found"),
            }
        }
        bury(self);
    }
}

/// Drops what may take its time on a thread of its own.
pub(super) fn bury(what: impl Send + 'static) {
    // Without a thread it is dropped here.
    let _ = thread::Builder::new().name("aravis-bury".to_owned()).spawn(move || drop(what));
}

impl Network {
    fn open(camera: Ipv4Addr, interface: Ipv4Addr) -> Result<Network> {
        let unusable = |error: String| {
            CameraError::new(ErrorKind::Io, CALL, format!("cannot reach {camera} from {interface}: {error}"))
        };
        // The library does not survive an address that is not ours; this fails first.
        let presence = Presence::of(camera, interface).map_err(|error| unusable(error.to_string()))?;
        let address = |address: Ipv4Addr| {
            gio::InetAddress::from_string(&address.to_string())
                .ok_or_else(|| unusable("no address".to_owned()))
        };
        let device = GvDevice::new(&address(interface)?, &address(camera)?);
        let device = device.map_err(|error| failed(CALL, error))?;
        if camera.is_loopback() || camera == interface {
            // Frames from this machine itself do not come by a packet socket.
            device.set_stream_options(GvStreamOption::PACKET_SOCKET_DISABLED);
        }
        take_control(&device)?;
        Ok(Network { device, presence })
    }
}

fn take_control(device: &GvDevice) -> Result<()> {
    let end = now() + HEIR;
    while !device.is_controller() {
        if now() > end {
            return Err(CameraError::new(ErrorKind::Hardware, CALL, taken()));
        }
        thread::park_timeout(HEIR_LOOK);
        let _ = device.take_control();
    }
    Ok(())
}
