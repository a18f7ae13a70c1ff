//! The life of an exposure, and what its frame shows.

use std::time::Instant;

use super::*;

#[test]
fn the_longest_exposure_starts_at_once_and_can_be_aborted() {
    for_every_camera(|rig| {
        let longest = Duration::from_secs_f64(rig.can.exposure.max);
        #[allow(clippy::disallowed_methods, reason = "how long a call takes is what is measured")]
        let begin = Instant::now();
        rig.start(longest).unwrap();
        assert!(begin.elapsed() < Duration::from_secs(1));
        let ExposureStatus::Exposing { left } = rig.camera.get_exposure_status().unwrap() else {
            panic!("not exposing");
        };
        assert!(left <= longest && left > longest - Duration::from_secs(5), "{left:?} left");
        fails(rig.start(SHORT), ErrorKind::Busy);
        fails(rig.camera.get_exposure_result(), ErrorKind::NoFrame);
        assert!(matches!(rig.camera.polling().unwrap().exposure, ExposureStatus::Exposing { .. }));
        for _ in 0..2 {
            rig.camera.abort_exposure().unwrap();
            assert_eq!(rig.camera.get_exposure_status().unwrap(), ExposureStatus::Idle);
            fails(rig.camera.get_exposure_result(), ErrorKind::NoFrame);
        }
    });
}

#[test]
fn durations_end_at_their_limits() {
    for_every_camera(|rig| {
        let (min, max) = (rig.can.exposure.min, rig.can.exposure.max);
        for seconds in [0.0, min * 0.99, max * 1.01] {
            let duration = Duration::from_secs_f64(seconds);
            for frame_type in [FrameType::Light, FrameType::Bias] {
                let start = rig.camera.start_exposure(&request(duration, frame_type));
                fails(start, ErrorKind::OutOfRange);
                assert_eq!(rig.camera.get_exposure_status().unwrap(), ExposureStatus::Idle);
            }
        }
        let shortest = rig.shortest();
        for frame_type in [FrameType::Light, FrameType::Bias, FrameType::Dark, FrameType::Flat] {
            let info = rig.frame(shortest, frame_type).info;
            assert!(info.exposed >= shortest, "{:?} open for {:?}", frame_type, info.exposed);
            assert_eq!(info.ended, info.started + info.exposed);
        }
    });
}

#[test]
fn a_frame_is_fetched_once_and_never_stale() {
    for_every_camera(|rig| {
        fails(rig.camera.get_exposure_result(), ErrorKind::NoFrame);
        rig.start(SHORT).unwrap();
        fails(rig.camera.get_exposure_result(), ErrorKind::NoFrame);
        rig.wait();
        rig.camera.get_exposure_result().unwrap();
        fails(rig.camera.get_exposure_result(), ErrorKind::NoFrame);
        assert_eq!(rig.camera.get_exposure_status().unwrap(), ExposureStatus::Idle);

        // A frame that nobody fetched gives way to the next one, and is gone after an abort or a disconnect.
        rig.start(rig.shortest()).unwrap();
        rig.wait();
        let roi = rig.camera.set_camera_roi(Roi { x: 8, y: 8, width: 16, height: 16 }).unwrap();
        assert_eq!(rig.frame(rig.shortest(), FrameType::Light).info.roi, roi);
        rig.start(rig.shortest()).unwrap();
        rig.wait();
        rig.camera.abort_exposure().unwrap();
        fails(rig.camera.get_exposure_result(), ErrorKind::NoFrame);
        rig.start(rig.shortest()).unwrap();
        rig.wait();
        rig.camera.reconnect(&rig.id).unwrap();
        fails(rig.camera.get_exposure_result(), ErrorKind::NoFrame);
    });
}

#[test]
fn disconnecting_ends_the_exposure() {
    for_every_camera(|rig| {
        rig.start(Duration::from_secs(60)).unwrap();
        rig.camera.reconnect(&rig.id).unwrap();
        assert_eq!(rig.camera.get_exposure_status().unwrap(), ExposureStatus::Idle);
        rig.frame(rig.shortest(), FrameType::Light);
    });
}

#[test]
fn the_image_has_the_shape_of_window_and_binning() {
    for_every_camera(|rig| {
        let Roi { width, height, .. } = rig.full();
        let rois = [
            Roi { x: 0, y: 0, width: 64, height: 48 },
            Roi { x: 3, y: 5, width: 61, height: 47 },
            Roi { x: width - 7, y: height - 5, width: 7, height: 5 },
            Roi { x: 0, y: 11, width, height: 4 },
            Roi { x: width / 2, y: 0, width: 4, height },
        ];
        let factors = |limit: u32| 1..=limit.min(4);
        for roi in rois {
            let roi = rig.camera.set_camera_roi(roi).unwrap();
            for x in factors(rig.can.binning.x) {
                for y in factors(rig.can.binning.y) {
                    let binning = rig.camera.set_binning(Binning { x, y }).unwrap();
                    let Frame { pixels, info } = rig.frame(rig.shortest(), FrameType::Light);
                    let (planes, rows, columns) = pixels.shape();
                    assert_eq!((columns as u32, rows as u32), roi.binned(binning), "{roi:?} {binning:?}");
                    assert!(matches!(planes, 1 | 3));
                    assert_eq!((info.roi, info.binning), (roi, binning));
                    assert_eq!(pixels.bits(), rig.can.sensor.bits);
                }
            }
        }
        rig.camera.set_binning(Binning::NONE).unwrap();
        rig.camera.set_camera_roi(rig.full()).unwrap();
        let frame = rig.frame(rig.shortest(), FrameType::Light);
        assert_eq!(frame.pixels.shape(), (1, height as usize, width as usize));
    });
}

#[test]
fn settings_made_during_an_exposure_are_for_the_next_one() {
    for_every_camera(|rig| {
        let (first, second) = (Roi { x: 0, y: 0, width: 32, height: 32 }, rig.full());
        let first = rig.camera.set_camera_roi(first).unwrap();
        let gain = rig.camera.get_gain().ok();
        rig.start(SHORT).unwrap();
        rig.camera.set_camera_roi(second).unwrap();
        if let (Some(gain), Some(range)) = (gain, rig.can.gain) {
            rig.camera.set_gain(if gain == range.min { range.max } else { range.min }).unwrap();
        }
        rig.wait();
        let info = rig.camera.get_exposure_result().unwrap().info;
        assert_eq!((info.roi, info.gain), (first, gain));
    });
}

#[test]
fn darks_are_dark_and_lights_are_light() {
    for_every_camera(|rig| {
        if !rig.can.shutter {
            return;
        }
        let middle =
            Roi { x: rig.can.sensor.width / 2, y: rig.can.sensor.height / 2, width: 256, height: 256 };
        rig.camera.set_camera_roi(middle).unwrap();
        let exposure = Duration::from_millis(100);
        let mut level = |frame_type| mean(&rig.frame(exposure, frame_type).pixels);
        let (bias, dark) = (level(FrameType::Bias), level(FrameType::Dark));
        let (light, flat) = (level(FrameType::Light), level(FrameType::Flat));
        assert!(bias <= dark + 0.2 && dark < bias + 2.0, "bias {bias}, dark {dark}");
        assert!(light > dark + 1.0, "dark {dark}, light {light}");
        assert!(flat > dark + 100.0, "dark {dark}, flat {flat}");
    });
}

#[test]
fn two_hundred_aborts_leave_no_frame_behind() {
    for_every_camera(|rig| {
        let mut random = 1_u32;
        for round in 0..200 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let roi = Roi { x: 0, y: 0, width: 16 + random % 200, height: 16 + random % 100 };
            rig.camera.set_camera_roi(roi).unwrap();
            let exposure = rig.shortest() + Duration::from_micros(u64::from(random % 2000));
            let exposure = request(exposure, FrameType::Light);
            rig.camera.start_exposure(&exposure).unwrap();
            // From the beginning of the exposure to well after its end.
            thread::park_timeout(Duration::from_micros(u64::from((random >> 8) % 3000)));
            if round % 2 == 0 {
                rig.camera.abort_exposure().unwrap();
            } else {
                exposure.cancel.cancel();
            }
            assert_eq!(rig.camera.get_exposure_status().unwrap(), ExposureStatus::Idle);
            fails(rig.camera.get_exposure_result(), ErrorKind::NoFrame);
        }
        let last = rig.camera.set_camera_roi(Roi { x: 5, y: 6, width: 300, height: 150 }).unwrap();
        let frame = rig.frame(rig.shortest(), FrameType::Dark);
        assert_eq!((frame.info.roi, frame.pixels.shape().2), (last, last.width as usize));
        fails(rig.camera.get_exposure_result(), ErrorKind::NoFrame);
    });
}

#[test]
fn the_cooler_does_what_it_is_told_and_the_thermometer_needs_no_cooler() {
    for_every_model(|rig| {
        if rig.can.thermometer {
            assert!(rig.camera.get_current_temperature().unwrap().is_finite());
        }
        let Some(range) = rig.can.cooler else {
            fails(rig.camera.cooling(true), ErrorKind::NotSupported);
            return;
        };
        rig.camera.cooling(false).unwrap();
        assert!(!rig.camera.get_cooling_status().unwrap().on);
        assert!(rig.camera.get_current_temperature().unwrap().is_finite());
        for target in [range.min, range.max] {
            rig.camera.cooling_to(target).unwrap();
            let status = CoolingStatus { on: true, target: Some(target) };
            assert_eq!(rig.camera.get_cooling_status().unwrap(), status);
            for outside in [range.min - 0.1, range.max + 0.1] {
                fails(rig.camera.cooling_to(outside), ErrorKind::OutOfRange);
                assert_eq!(rig.camera.get_cooling_status().unwrap(), status);
            }
        }
        rig.camera.cooling(false).unwrap();
        assert_eq!(rig.camera.get_cooling_status().unwrap().target, Some(range.max));
        rig.camera.cooling(true).unwrap();
        if rig.can.cooler_power {
            assert!((0.0..=100.0).contains(&rig.camera.get_cooling_power().unwrap()));
        }
        let polled = rig.camera.polling().unwrap();
        assert_eq!(polled.cooling.map(|cooling| cooling.on), Some(true));
        assert!(polled.temperature.is_some());
    });
}
