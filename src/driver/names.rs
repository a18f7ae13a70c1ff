//! What the devices are called.

use std::path::Path;

use crate::backend::Backend;
use crate::camera::types::CameraId;
use crate::host::nicknames::NicknameFile;
use crate::hub;
use crate::wire;

/// Most devices of one name, told apart by numbers.
const MAX_DEVICES: usize = 1000;

/// A camera and what its device is called.
pub(super) struct Named {
    pub(super) backend: Backend,
    pub(super) camera: CameraId,
    pub(super) name: String,
    pub(super) nickname: Option<String>,
    pub(super) nicknames: NicknameFile,
    pub(super) warnings: Vec<String>,
}

/// `given` (`INDIDEV`: Ekos starts a driver under a label and looks for a device of that name) beats the user's nickname
/// beats the camera's own name.
pub(super) fn name_devices(
    home: &Path,
    given: Option<&str>,
    cameras: Vec<(Backend, CameraId)>,
) -> Vec<Named> {
    let own: Vec<String> = cameras.iter().map(|(_, camera)| camera.name.clone()).collect();
    let mut all: Vec<Named> = Vec::new();
    for (backend, camera) in cameras {
        let name = camera.name.clone();
        let others = own.iter().filter(|other| **other != name).map(String::as_str);
        let taken: Vec<&str> = others.chain(all.iter().map(|named| named.name.as_str())).collect();
        let mut named = name_device(home, backend, camera, &name, &taken);
        if let Some(given) = given {
            given.clone_into(&mut named.name);
        }
        all.push(named);
    }
    all
}

/// Names one device: by its nickname, or else `own`, unless the name is taken.
pub(super) fn name_device(
    home: &Path,
    backend: Backend,
    camera: CameraId,
    own: &str,
    taken: &[&str],
) -> Named {
    let own = &hub::plain(own);
    let nicknames = NicknameFile::new(home, &camera.model);
    let mut warnings = Vec::new();
    let nickname = camera.serial.as_ref().and_then(|serial| {
        nicknames.find(serial).unwrap_or_else(|error| {
            warnings.push(format!("{} is not used: {error}", nicknames.path().display()));
            None
        })
    });
    // Two devices of one name would be one to every client, and a longer name is cut by some.
    let fits = |name: &String| name.len() <= wire::MAX_NAME && !taken.contains(&name.as_str());
    let by_nickname = nickname.as_ref().map(|nickname| hub::plain(&format!("{} {nickname}", camera.name)));
    if let Some(name) = by_nickname.as_ref().filter(|name| !fits(name)) {
        warnings.push(format!("{name} is too long, or the name of another camera"));
    }
    let numbered = (1..).map(|n| if n == 1 { own.to_owned() } else { format!("{own} {n}") });
    let name = by_nickname.into_iter().chain(numbered.take(MAX_DEVICES)).find(fits);
    Named { backend, camera, name: name.unwrap_or_else(|| own.to_owned()), nickname, nicknames, warnings }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::BACKENDS;
    use crate::host::scratch::Scratch;

    fn camera(name: &str, serial: &str) -> (Backend, CameraId) {
        let camera = CameraId {
            name: name.to_owned(),
            model: "Cam".to_owned(),
            serial: Some(serial.to_owned()),
            bus: None,
        };
        (BACKENDS[0], camera)
    }

    fn names(scratch: &Scratch, indidev: Option<&str>, cameras: &[(&str, &str)]) -> Vec<(String, usize)> {
        let cameras = cameras.iter().map(|(name, serial)| camera(name, serial)).collect();
        let named = name_devices(scratch.path(), indidev, cameras);
        named.into_iter().map(|named| (named.name, named.warnings.len())).collect()
    }

    #[track_caller]
    fn called(came: &[(String, usize)], expected: &[(&str, usize)]) {
        let came: Vec<(&str, usize)> =
            came.iter().map(|(name, warnings)| (name.as_str(), *warnings)).collect();
        assert_eq!(came, expected);
    }

    #[test]
    fn indidev_beats_nickname_beats_the_cameras_own_name() {
        let scratch = Scratch::new();
        called(&names(&scratch, None, &[("Cam", "1")]), &[("Cam", 0)]);
        NicknameFile::new(scratch.path(), "Cam").store("1", "guider").unwrap();
        called(&names(&scratch, None, &[("Cam", "1")]), &[("Cam guider", 0)]);
        called(&names(&scratch, Some("Label"), &[("Cam", "1")]), &[("Label", 0)]);
    }

    #[test]
    fn no_nickname_makes_two_devices_of_one_name_or_one_that_is_cut() {
        let scratch = Scratch::new();
        let file = NicknameFile::new(scratch.path(), "Cam");
        file.store("1", "2").unwrap();
        file.store("3", &"x".repeat(60)).unwrap();
        let cameras = [("Cam", "1"), ("Cam 2", "2"), ("Cam 3", "3")];
        called(&names(&scratch, None, &cameras), &[("Cam", 1), ("Cam 2", 0), ("Cam 3", 1)]);
    }

    #[test]
    fn what_a_camera_is_called_in_control_characters_is_in_no_name() {
        let scratch = Scratch::new();
        called(&names(&scratch, None, &[("C\0am\u{7}", "1")]), &[("Cam", 0)]);
        NicknameFile::new(scratch.path(), "Cam").store("1", "guider").unwrap();
        called(&names(&scratch, None, &[("C\0am\u{7}", "1")]), &[("Cam guider", 0)]);
    }

    #[test]
    fn a_file_of_nicknames_that_cannot_be_read_is_a_warning() {
        let scratch = Scratch::new();
        std::fs::create_dir(scratch.path().join(".indi")).unwrap();
        std::fs::write(scratch.path().join(".indi/Nicknames.xml"), "<rubbish").unwrap();
        called(&names(&scratch, None, &[("Cam", "1")]), &[("Cam", 1)]);
    }
}
