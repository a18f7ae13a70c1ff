//! The video nodes of this machine, and which camera is behind each of them.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::abi;
use crate::camera::types::CameraId;

const NODES: &str = "/dev";
const FACTS: &str = "/sys/class/video4linux";

/// A camera and the file that it is opened by, which changes with the order of plugging.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) camera: CameraId,
    node: PathBuf,
}

impl Found {
    /// Opens the camera, also while somebody else has it open.
    pub(super) fn open(&self) -> io::Result<File> {
        open(&self.node)
    }
}

/// The camera that is meant.
pub(super) fn find_one(wanted: &CameraId) -> io::Result<Option<Found>> {
    let mut found = find()?;
    let cameras: Vec<&CameraId> = found.iter().map(|found| &found.camera).collect();
    let place = place(&cameras, wanted);
    Ok(place.map(|place| found.swap_remove(place)))
}

/// Which of them is meant: the only one that is all that is known of it. One of the same serial number at another place
/// is none: cheap cameras share such numbers, so it may be somebody else's, and whoever lists the cameras tells us of
/// one that has moved.
fn place(cameras: &[&CameraId], wanted: &CameraId) -> Option<usize> {
    let fits = |wanted: &Option<String>, has: &Option<String>| wanted.is_none() || wanted == has;
    let is_meant = |camera: &CameraId| {
        camera.name == wanted.name && fits(&wanted.serial, &camera.serial) && fits(&wanted.bus, &camera.bus)
    };
    let mut meant = (0..cameras.len()).filter(|index| is_meant(cameras[*index]));
    let place = meant.next();
    place.filter(|_| meant.next().is_none())
}

/// Every camera that frames can be streamed from. Nodes for other purposes, and those that may not be opened, are none.
pub(super) fn find() -> io::Result<Vec<Found>> {
    let mut nodes: Vec<(usize, PathBuf)> = Vec::new();
    for entry in fs::read_dir(NODES)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix("video")?.parse().ok());
        nodes.extend(number.map(|number| (number, Path::new(NODES).join(&name))));
    }
    nodes.sort();
    Ok(nodes.into_iter().filter_map(|(_, node)| look(node)).collect())
}

fn look(node: PathBuf) -> Option<Found> {
    let file = open(&node).ok()?;
    let facts = abi::capability(file.as_fd()).ok()?;
    let can =
        if facts.capabilities & abi::CAP_DEVICE_CAPS == 0 { facts.capabilities } else { facts.device_caps };
    let needed = abi::CAP_VIDEO_CAPTURE | abi::CAP_STREAMING;
    if can & needed != needed {
        return None;
    }
    let model = abi::text(&facts.card);
    let facts_of = Path::new(FACTS).join(node.file_name()?);
    // One piece of hardware may have several nodes; the first has the index 0.
    let index = read(&facts_of.join("index")).filter(|index| index != "0");
    let further = |text: String| match &index {
        Some(index) => format!("{text}.{index}"),
        None => text,
    };
    let serial = read(&facts_of.join("device/../serial")).map(further);
    let bus = Some(abi::text(&facts.bus)).filter(|bus| !bus.is_empty()).map(further);
    Some(Found { camera: CameraId { name: model.clone(), model, serial, bus }, node })
}

fn open(node: &Path) -> io::Result<File> {
    let nonblocking = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    OpenOptions::new().read(true).write(true).custom_flags(nonblocking).open(node)
}

fn read(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera(serial: Option<&str>, bus: Option<&str>) -> CameraId {
        let (name, owned) = ("Cam".to_owned(), |text: &str| text.to_owned());
        CameraId { model: name.clone(), name, serial: serial.map(owned), bus: bus.map(owned) }
    }

    #[test]
    fn a_camera_that_is_gone_is_not_opened_as_another_one_of_the_same_serial_number() {
        let (one, two) = (camera(Some("S"), Some("usb-1")), camera(Some("S"), Some("usb-2")));
        assert_eq!(place(&[&one, &two], &two), Some(1));
        assert_eq!(place(&[&two], &one), None);
    }

    #[test]
    fn of_a_camera_it_is_enough_to_know_what_no_other_one_is() {
        let (one, two) = (camera(Some("S"), Some("usb-1")), camera(None, Some("usb-2")));
        for (wanted, expected) in [
            (camera(Some("S"), None), Some(0)),
            (camera(None, Some("usb-2")), Some(1)),
            (camera(None, None), None),
            (CameraId { name: "Eye".to_owned(), ..one.clone() }, None),
        ] {
            assert_eq!(place(&[&one, &two], &wanted), expected, "{wanted:?}");
        }
        assert_eq!(place(&[&two], &camera(None, None)), Some(0));
    }
}
