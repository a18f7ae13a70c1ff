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

    /// Whether it is the camera that is meant: by serial number, or by place where it has none, or by name alone where
    /// nothing else is known.
    fn is(&self, wanted: &CameraId) -> bool {
        let CameraId { name, serial, bus, .. } = &self.camera;
        let same = match (&wanted.serial, &wanted.bus) {
            (Some(_), _) => *serial == wanted.serial,
            (None, Some(_)) => *bus == wanted.bus,
            (None, None) => true,
        };
        same && *name == wanted.name
    }
}

/// The camera that is meant. Cheap ones share a serial number, so one at the same place is preferred.
pub(super) fn find_one(wanted: &CameraId) -> io::Result<Option<Found>> {
    let mut found = find()?;
    let place = found.iter().position(|found| found.camera == *wanted);
    let place = place.or_else(|| found.iter().position(|found| found.is(wanted)));
    Ok(place.map(|place| found.swap_remove(place)))
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
