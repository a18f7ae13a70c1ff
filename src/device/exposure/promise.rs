//! What an exposure promises of its frame. A camera may break it, and a frame that does is not delivered: what is wrong
//! with it would be wrong with the picture.

use crate::camera::types::{Frame, Sensor};

/// Whether a frame is what the camera says that it is, in the containers of `sensor`; if not, why.
pub(super) fn kept(frame: &Frame, sensor: &Sensor) -> Result<(), String> {
    let (planes, rows, columns) = frame.pixels.shape();
    let (width, height) = frame.info.roi.binned(frame.info.binning);
    if (columns, rows) != (width as usize, height as usize) {
        return Err(format!(
            "the camera sent {columns}x{rows} pixels where {width}x{height} were to come, so the frame is not used"
        ));
    }
    let (bits, promised) = (frame.pixels.bits(), sensor.bits);
    if bits != promised {
        return Err(format!(
            "the camera sent pixels of {bits} bit where {promised} were to come, so the frame is not used"
        ));
    }
    if !matches!((planes, &sensor.bayer), (1, _) | (3, None)) {
        return Err(format!("the camera sent {planes} colour planes, so the frame is not used"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use ndarray::Array3;

    use super::*;
    use crate::camera::types::{Bayer, Binning, FrameInfo, Pixels, Roi};

    fn frame(pixels: Pixels) -> Frame {
        let roi = Roi { x: 0, y: 0, width: 8, height: 6 };
        let info = FrameInfo::new(SystemTime::UNIX_EPOCH, Duration::ZERO, roi);
        Frame { pixels, info: FrameInfo { binning: Binning { x: 2, y: 1 }, ..info } }
    }

    #[test]
    fn a_frame_has_the_shape_the_depth_and_the_planes_that_were_promised() {
        let mut sensor =
            Sensor { width: 8, height: 6, pixel_x: 1.0, pixel_y: 1.0, bits: 16, adc_bits: 12, bayer: None };
        let words = |shape| frame(Pixels::U16(Array3::zeros(shape)));
        assert_eq!(kept(&words((1, 6, 4)), &sensor), Ok(()));
        assert_eq!(kept(&words((3, 6, 4)), &sensor), Ok(()));
        let why = |frame: &Frame, sensor: &Sensor| kept(frame, sensor).unwrap_err();
        assert!(why(&words((1, 3, 4)), &sensor).contains("4x3 pixels where 4x6"));
        assert!(why(&words((1, 6, 8)), &sensor).contains("8x6 pixels where 4x6"));
        assert!(why(&words((2, 6, 4)), &sensor).contains("2 colour planes"));
        let bytes = frame(Pixels::U8(Array3::zeros((1, 6, 4))));
        assert!(why(&bytes, &sensor).contains("8 bit where 16"));
        sensor.bayer = Some(Bayer { pattern: "RGGB".to_owned(), offset_x: 0, offset_y: 0 });
        assert!(why(&words((3, 6, 4)), &sensor).contains("3 colour planes"));
    }
}
