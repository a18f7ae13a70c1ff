//! What a frame shows is what was asked.

use super::*;

#[test]
fn the_image_has_the_shape_of_window_and_binning_in_every_format() {
    for_every_camera(|rig| {
        let Roi { width, height, .. } = rig.full();
        let all = [
            rig.part(0, 0, 64, 48),
            rig.part(3, 5, 61, 47),
            rig.part(width.saturating_sub(7), height.saturating_sub(5), 7, 5),
            rig.part(0, 11, width, 4),
            rig.part(width / 2, 0, 4, height),
        ];
        let rois = if rig.hardware { &all[..2] } else { &all[..] };
        let formats: Vec<_> =
            rig.can.formats.iter().map(|format| (Some(text(&format.name)), format.bits)).collect();
        let formats = if formats.is_empty() { vec![(None, rig.can.sensor.bits)] } else { formats };
        for (format, bits) in formats {
            format.map(|format| works(rig.camera.set_parameter(FORMAT_PARAMETER, format)));
            for roi in rois {
                for binning in binnings(rig) {
                    works(rig.camera.set_binning(binning));
                    let set = works(rig.camera.set_camera_roi(*roi));
                    let binned = works(rig.camera.get_binning());
                    if set.width >= binned.x && set.height >= binned.y {
                        let frame = rig.frame(rig.shortest(), FrameType::Light);
                        is_what_was_asked(&frame, set, binned, bits);
                    }
                }
            }
        }
    });
}

/// Each pair of factors, or where frames take their time the most different ones.
fn binnings(rig: &Rig) -> Vec<Binning> {
    let Binning { x, y } = rig.can.binning;
    if rig.hardware {
        let mut few = vec![Binning::NONE, rig.can.binning];
        few.dedup();
        return few;
    }
    let (x, y) = (x.min(4), y.min(4));
    (1..=x).flat_map(|x| (1..=y).map(move |y| Binning { x, y })).collect()
}

#[track_caller]
fn is_what_was_asked(Frame { pixels, info }: &Frame, roi: Roi, binning: Binning, bits: u8) {
    let (planes, rows, columns) = pixels.shape();
    let (width, height) = roi.binned(binning);
    assert!(matches!(planes, 1 | 3), "get_exposure_result: {planes} planes");
    is!(
        (columns, rows),
        (width as usize, height as usize),
        "get_exposure_result: columns and rows of {roi:?} under {binning:?}"
    );
    is!(
        (info.roi, info.binning),
        (roi, binning),
        "get_exposure_result: window and binning that the frame tells"
    );
    is!(pixels.bits(), bits, "get_exposure_result: bits of a pixel");
}

#[test]
fn without_a_window_the_image_is_the_whole_sensor() {
    for_every_camera(|rig| {
        works(rig.camera.set_binning(Binning::NONE));
        works(rig.camera.set_camera_roi(rig.full()));
        let frame = rig.frame(rig.shortest(), FrameType::Light);
        is_what_was_asked(&frame, rig.full(), Binning::NONE, frame.pixels.bits());
    });
}

#[test]
fn a_frame_tells_the_settings_that_it_was_taken_with() {
    for_every_camera(|rig| {
        rig.can.gain.map(|range| works(rig.camera.set_gain(range.max)));
        rig.can.offset.map(|range| works(rig.camera.set_offset(range.max)));
        works(rig.camera.set_camera_roi(rig.part(0, 0, 16, 16)));
        let info = rig.frame(rig.shortest(), FrameType::Light).info;
        is!(info.gain, rig.can.gain.map(|range| range.max), "get_exposure_result: gain");
        is!(info.offset, rig.can.offset.map(|range| range.max), "get_exposure_result: offset");
        let measured = info.temperature.is_none_or(f64::is_finite);
        assert!(measured, "get_exposure_result: {:?} is no temperature", info.temperature);
    });
}

#[test]
fn darks_are_dark_and_lights_are_light() {
    for_every_camera(|rig| {
        if !rig.can.shutter {
            return;
        }
        let (width, height) = (rig.can.sensor.width, rig.can.sensor.height);
        works(rig.camera.set_camera_roi(rig.part(width / 2, height / 2, 256, 256)));
        let exposure = Duration::from_millis(100).max(rig.shortest());
        let mut level = |frame_type| mean(&rig.frame(exposure, frame_type).pixels);
        let (bias, dark) = (level(FrameType::Bias), level(FrameType::Dark));
        let (light, flat) = (level(FrameType::Light), level(FrameType::Flat));
        if rig.hardware {
            // Nobody knows what it looks at.
            assert!(dark <= light * 1.1, "start_exposure: dark {dark}, light {light}");
            return;
        }
        assert!(bias <= dark + 0.2 && dark < bias + 2.0, "start_exposure: bias {bias}, dark {dark}");
        assert!(light > dark + 1.0, "start_exposure: dark {dark}, light {light}");
        assert!(flat > dark + 100.0, "start_exposure: dark {dark}, flat {flat}");
    });
}
