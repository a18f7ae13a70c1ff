//! What other devices know of the light in front of a camera that makes up what it sees, told to it before an exposure
//! when it has changed: the same that goes into the header, see [`SCENE_PARAMETER`].

use crate::camera::call::{Call, Reply};
use crate::camera::error::CameraError;
use crate::camera::types::{SCENE_PARAMETER, Value};
use crate::image::pointing::PierSide;

use super::connection::Link;
use super::{Device, Level};

/// Parts of a degree in which a position is told. So a mount that tracks well stands still for the camera, although
/// what its position of date means in J2000 changes a little all the time.
const PARTS: f64 = 1e6;

/// What the camera was told last; `None` when it must be told anew.
pub(super) type Told = Option<Value>;

/// Whether a call tells a camera its scene.
pub(super) fn is_about_scene(call: &Call) -> bool {
    matches!(call, Call::SetParameter(name, _) if name == SCENE_PARAMETER)
}

impl Device {
    /// A camera that has just been connected knows nothing, or something from long ago.
    pub(super) fn forget_scene(&mut self) {
        self.scene = None;
    }

    /// Tells the camera what has changed.
    pub(super) fn tell_scene(&mut self) {
        if !self.capabilities.as_ref().is_some_and(|capabilities| capabilities.scene) {
            return;
        }
        let scene = self.scene();
        if self.scene.as_ref() != Some(&scene) {
            self.scene = Some(scene.clone());
            self.ask(Call::SetParameter(SCENE_PARAMETER.to_owned(), scene));
        }
    }

    pub(super) fn scene_answered(&mut self, result: Result<Reply, CameraError>) {
        if let Err(error) = result {
            self.scene = None;
            if self.link == Link::On {
                self.say(Level::Warning, &format!("the camera did not take what it should see: {error}"));
            }
        }
    }

    fn scene(&self) -> Value {
        let seen = self.header_settings().prevail(self.circumstances_now());
        let place = seen.pointing.map(|pointing| pointing.j2000(self.now.utc));
        let rounded = |degrees: f64| (degrees * PARTS).round() / PARTS;
        let numbers = [
            // Rounding may complete the circle.
            ("RA", place.map(|place| rounded(place.ra).rem_euclid(360.0))),
            ("DEC", place.map(|place| rounded(place.dec))),
            ("ROTATOR", seen.rotator),
            ("FOCAL_LENGTH", seen.focal_length),
            ("APERTURE", seen.aperture),
            ("FOCUSER", seen.focus_position),
            ("SKY_BRIGHTNESS", seen.sky_brightness),
        ];
        let numbers = numbers.into_iter().filter_map(|(name, number)| Some((name, Value::Number(number?))));
        let side = seen.pier_side.map(|side| match side {
            PierSide::West => "WEST",
            PierSide::East => "EAST",
        });
        let side = side.map(|side| ("PIER_SIDE", Value::Text(side.to_owned())));
        Value::Record(numbers.chain(side).map(|(name, value)| (name.to_owned(), value)).collect())
    }
}
