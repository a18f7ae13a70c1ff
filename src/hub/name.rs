//! What the device of a camera is called: after the camera and nothing else, so that it is the same in any order of
//! plugging.

use crate::camera::types::CameraId;
use crate::wire::MAX_NAME;

/// Characters of a serial number, or of a place, that tell cameras apart well enough.
const TELLING: usize = 12;

/// The camera's own name and the end of its serial number, or of its place if it has none.
#[must_use]
pub fn device_name(camera: &CameraId) -> String {
    let name = plain(&camera.name);
    let identity = plain(camera.serial.as_deref().or(camera.bus.as_deref()).unwrap_or_default());
    let end = ending(&identity);
    if end.is_empty() || name.ends_with(end) {
        return fitting(&name, MAX_NAME).to_owned();
    }
    let model = fitting(&name, MAX_NAME.saturating_sub(end.len() + 1));
    format!("{model} {end}")
}

/// What a camera says of itself without control characters: they do not reach clients, which would then write to a
/// device of another name, and a thread whose name has a zero in it cannot be started.
#[must_use]
pub fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// The whole of it if it is short, else what begins after a separator near the end.
fn ending(identity: &str) -> &str {
    let start = identity.char_indices().rev().nth(TELLING - 1).map_or(0, |(start, _)| start);
    let end = &identity[start..];
    let after = end.find(|c: char| !c.is_alphanumeric()).map_or(end, |separator| &end[separator..]);
    let end = if start == 0 || after.len() < 4 { end } else { after };
    end.trim_matches(|c: char| !c.is_alphanumeric())
}

/// As much of a name as fits, at the end of a character.
fn fitting(name: &str, length: usize) -> &str {
    let end = (0..=length.min(name.len())).rev().find(|end| name.is_char_boundary(*end));
    name[..end.unwrap_or(0)].trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(model: &str, serial: Option<&str>, bus: Option<&str>) -> String {
        let owned = |text: &str| text.to_owned();
        device_name(&CameraId {
            name: owned(model),
            model: owned(model),
            serial: serial.map(owned),
            bus: bus.map(owned),
        })
    }

    #[test]
    fn two_cameras_of_one_model_are_told_apart_by_what_they_are() {
        assert_eq!(name("Cam", Some("A1"), Some("usb-1")), "Cam A1");
        assert_eq!(name("Cam", Some("A1"), Some("usb-2")), "Cam A1");
        assert_eq!(name("Cam", None, Some("usb-0000:00:14.0-2.1")), "Cam 00:14.0-2.1");
        assert_eq!(name("Cam", Some("0123-4567-89ab-cdef"), None), "Cam 89ab-cdef");
        assert_eq!(name("Cam", Some("0123456789abcdef"), None), "Cam 456789abcdef");
        assert_eq!(name("vivid", None, Some("platform:vivid-000")), "vivid vivid-000");
    }

    #[test]
    fn no_character_is_in_a_name_that_does_not_reach_a_client() {
        assert_eq!(name("C\0am\n", Some("A\u{1b}1\0"), None), "Cam A1");
    }

    #[test]
    fn a_name_that_says_it_already_stays() {
        assert_eq!(name("Cam A1", Some("A1"), None), "Cam A1");
        assert_eq!(name("Cam", None, None), "Cam");
    }

    #[test]
    fn no_name_is_longer_than_the_protocols_readers_hold() {
        let long = name(&"é".repeat(60), Some("12345678"), None);
        assert!(long.len() <= MAX_NAME && long.ends_with(" 12345678"), "{long}");
    }
}
