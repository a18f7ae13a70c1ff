//! The vectors that devices are made from: the embedded skeleton files, after the replacements of `INDISKEL`.

use std::path::Path;

use crate::backend::Backend;
use crate::property::key::Key;
use crate::property::keys;
use crate::property::load;
use crate::property::skeleton::Skeleton;
use crate::property::store::Vector;

/// The vectors of one device.
pub(super) struct Skeletons {
    pub(super) always: Vec<Vector>,
    pub(super) settings: Vec<Vector>,
    pub(super) on_demand: Vec<Vector>,
    pub(super) on_connect: Vec<Vector>,
}

impl Skeletons {
    /// The embedded files and the backend's own. What cannot be used is left out and told, also of what is the hub's.
    pub(super) fn load(backend: &Backend, replacement: Option<&Path>, warnings: &mut Vec<String>) -> Self {
        let mut of = |skeleton: &Skeleton| embedded(skeleton.file(), skeleton.source(), warnings);
        let mut always: Vec<Vector> = keys::ALWAYS.iter().flat_map(&mut of).collect();
        let mut on_demand: Vec<Vector> = keys::ON_DEMAND.iter().flat_map(&mut of).collect();
        let mut on_connect: Vec<Vector> = keys::ON_CONNECT.iter().flat_map(of).collect();
        let mut hub = embedded(keys::HUB.file(), keys::HUB.source(), warnings);
        let mut settings =
            backend.skeleton.map_or_else(Vec::new, |(file, text)| embedded(file, text, warnings));
        let all = always
            .iter_mut()
            .chain(&mut settings)
            .chain(&mut on_demand)
            .chain(&mut on_connect)
            .chain(&mut hub);
        replace(all, replacement, warnings);
        Skeletons { always, settings, on_demand, on_connect }
    }
}

/// The vectors of the hub. What a replacement cannot be used for is told by the devices.
pub(super) fn of_hub(replacement: Option<&Path>, warnings: &mut Vec<String>) -> Vec<Vector> {
    let calls = [keys::CAMERA_CALL.vector(), keys::CAMERA_REPLY.vector()];
    let shared = [[keys::CONNECTION.vector(), keys::DRIVER_INFO.vector()], calls].concat();
    let mut vectors = embedded(keys::BASE.file(), keys::BASE.source(), warnings);
    vectors.retain(|vector| shared.contains(&vector.name.as_str()));
    vectors.extend(embedded(keys::HUB.file(), keys::HUB.source(), warnings));
    replace(vectors.iter_mut(), replacement, &mut Vec::new());
    vectors
}

fn embedded(file: &str, text: &str, warnings: &mut Vec<String>) -> Vec<Vector> {
    load::load(file, text).unwrap_or_else(|error| {
        warnings.push(error.to_string());
        Vec::new()
    })
}

fn replace<'a>(
    vectors: impl Iterator<Item = &'a mut Vector>,
    replacement: Option<&Path>,
    warnings: &mut Vec<String>,
) {
    let Some(path) = replacement else { return };
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let misfits = load::replace(vectors, &path.display().to_string(), &text);
            warnings.extend(misfits.iter().map(ToString::to_string));
        }
        Err(error) => warnings.push(format!("INDISKEL {} is not used: {error}", path.display())),
    }
}
