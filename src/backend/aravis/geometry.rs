//! Window and binning in the camera: binning first, because windows are counted in binned pixels.

use aravis::Device;
use aravis::glib::Error;

use super::feature::{Features, can_set};
use super::window::{self, Axis};
use crate::camera::types::{Binning, Roi};

/// Sets what covers the window, and what divides the binning; says what that is.
pub(super) fn set(device: &Device, asked: Roi, binning: Binning) -> Result<(Roi, Binning), Error> {
    // A window that begins at 0 may have any length.
    place(device, 0, 0)?;
    let binning = bin(device, binning)?;
    let axes = [axis(device, "Width", "OffsetX")?, axis(device, "Height", "OffsetY")?];
    let window = window::covering(asked, binning, axes);
    for (name, length) in [("Width", window.columns), ("Height", window.rows)] {
        if can_set(device, name) {
            device.set_number(name, length.into())?;
        }
    }
    place(device, window.x, window.y)?;
    Ok((window.shows(asked, binning), binning))
}

/// Columns and rows of the sensor. Leaves the camera without binning.
pub(super) fn sensor(device: &Device) -> Result<(u32, u32), Error> {
    place(device, 0, 0)?;
    bin(device, Binning::NONE)?;
    Ok((pixels(device.bounds("Width")?.1), pixels(device.bounds("Height")?.1)))
}

/// The largest factors that the camera has.
pub(super) fn largest_binning(device: &Device) -> Result<Binning, Error> {
    let along = |name: &str| match device.kind(name) {
        Some(_) if can_set(device, name) => device.bounds(name).map(|(_, most)| pixels(most)),
        _ => Ok(1),
    };
    let (x, y) = (along("BinningHorizontal")?, along("BinningVertical")?);
    // Where one axis follows the other there are no factors of its own.
    Ok(if x > 1 && y > 1 { Binning { x, y } } else { Binning::NONE })
}

fn place(device: &Device, x: u32, y: u32) -> Result<(), Error> {
    for (name, place) in [("OffsetX", x), ("OffsetY", y)] {
        if can_set(device, name) {
            device.set_number(name, place.into())?;
        }
    }
    Ok(())
}

/// Sets the binning, or none where the camera does not take these factors.
fn bin(device: &Device, binning: Binning) -> Result<Binning, Error> {
    for Binning { x, y } in [binning, Binning::NONE] {
        let mut is_set = true;
        for (name, factor) in [("BinningHorizontal", x), ("BinningVertical", y)] {
            if device.kind(name).is_some() && can_set(device, name) {
                // A refusal shows in what is read.
                let _ = device.set_number(name, factor.into());
                is_set &= pixels(device.number(name)?) == factor;
            }
        }
        if is_set {
            return Ok(Binning { x, y });
        }
    }
    Ok(Binning::NONE)
}

/// What can be read along an axis, while the window begins at 0.
fn axis(device: &Device, length: &str, place: &str) -> Result<Axis, Error> {
    let (least, most) = device.bounds(length)?;
    let is_fixed = !can_set(device, length) || !can_set(device, place);
    let (least, most) = (pixels(least), pixels(most));
    let [step, offset_step] = [length, place].map(|name| pixels(device.increment(name)).max(1));
    Ok(Axis { least: if is_fixed { most } else { least }, most, step, offset_step })
}

fn pixels(number: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
    {
        number as u32
    }
}
