//! Which of the cameras that are known each camera found is.
//!
//! Cheap cameras share a serial number, and another maker's may have it as well, so what is found as it was known is
//! that camera before anything else is thought of. What is left has moved, or is new: it has moved if it has the name
//! and serial number of exactly one camera that is missing, and no other that was found has them. Nobody can tell more
//! of them apart but by their places, and two devices must not exchange their cameras: then each of them is new.

use crate::camera::types::CameraId;

/// For each camera found the index of the known one that it is. No known camera is two of them.
pub(super) fn pairs(known: &[&CameraId], found: &[CameraId]) -> Vec<Option<usize>> {
    let place = |camera: &CameraId| known.iter().position(|known| *known == camera);
    let mut pairs: Vec<Option<usize>> = found.iter().map(place).collect();
    let missing: Vec<usize> = (0..known.len()).filter(|index| !pairs.contains(&Some(*index))).collect();
    let moved: Vec<usize> = (0..found.len()).filter(|index| pairs[*index].is_none()).collect();
    for &new in &moved {
        let mut candidates = missing.iter().filter(|old| has_moved(known[**old], &found[new]));
        let is_alone = moved.iter().filter(|other| has_moved(&found[new], &found[**other])).count() <= 1;
        if let (Some(&old), None) = (candidates.next(), candidates.next())
            && is_alone
        {
            pairs[new] = Some(old);
        }
    }
    pairs
}

/// Whether it can be the same camera at another place. Without a serial number the place is all there is.
fn has_moved(one: &CameraId, other: &CameraId) -> bool {
    let same = match (&one.serial, &other.serial) {
        (Some(one), Some(other)) => one == other,
        (None, None) => one.bus == other.bus,
        _ => false,
    };
    same && one.name == other.name
}
