//! Setters: what they take, what they refuse, and that what was set is what is read.

use super::*;

/// A number that can be set and read.
struct Setter {
    set: &'static str,
    get: &'static str,
    /// From the least that is taken to the most, and how far beyond is too far; `None` where the camera has none of it.
    range: fn(&Capabilities) -> Option<(f64, f64, f64)>,
    write: fn(&mut dyn Camera, f64) -> Result<f64>,
    read: fn(&mut dyn Camera) -> Result<f64>,
}

const SETTERS: [Setter; 3] = [
    Setter {
        set: "set_gain",
        get: "get_gain",
        range: |can| can.gain.map(whole_numbers),
        write: |camera, gain| camera.set_gain(whole(gain)).map(f64::from),
        read: |camera| camera.get_gain().map(f64::from),
    },
    Setter {
        set: "set_offset",
        get: "get_offset",
        range: |can| can.offset.map(whole_numbers),
        write: |camera, offset| camera.set_offset(whole(offset)).map(f64::from),
        read: |camera| camera.get_offset().map(f64::from),
    },
    Setter {
        set: "cooling_to",
        get: "get_cooling_status",
        range: |can| can.cooler.map(|Range { min, max, step }| (min, max, step.max(0.1))),
        write: |camera, target| camera.cooling_to(target).map(|()| target),
        read: |camera| camera.get_cooling_status().map(|status| status.target.unwrap_or(f64::NAN)),
    },
];

fn whole_numbers(range: Range<i32>) -> (f64, f64, f64) {
    (f64::from(range.min), f64::from(range.max), 1.0)
}

/// Beyond the ends of i32 there is nothing that could be asked.
fn whole(number: f64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "a limit, or one beside it")]
    {
        number as i32
    }
}

#[test]
fn numbers_are_taken_up_to_their_limits_and_not_beyond() {
    for_every_camera(|rig| {
        for Setter { set, get, range, write, read } in SETTERS {
            let Some((min, max, step)) = range(&rig.can) else {
                let because = "the camera has no limits for it";
                refused(set, 0, because, ErrorKind::NotSupported, write(rig.camera.as_mut(), 0.0));
                continue;
            };
            let inside = format!("the limits are {min} to {max}");
            let camera = rig.camera.as_mut();
            for value in [max, 0.0, min].into_iter().filter(|value| (min..=max).contains(value)) {
                let did = accepted(set, format_args!("{value}"), &inside, write(camera, value));
                assert!(same(did, value), "{set}: {value} was asked, and {did} was set");
                let reads = works(read(camera));
                assert!(same(reads, value), "{get}: {reads} after {set} took {value}");
            }
            for outside in [min - step, max + step].into_iter().filter(|value| value.abs() < 2_147_483_648.0)
            {
                refused(
                    set,
                    format_args!("{outside}"),
                    &inside,
                    ErrorKind::OutOfRange,
                    write(camera, outside),
                );
                let reads = works(read(camera));
                assert!(same(reads, min), "{get}: {reads} after {set} refused {outside} and left {min}");
            }
        }
    });
}

/// To what a camera's own units round a temperature to.
fn same(a: f64, b: f64) -> bool {
    (a - b).abs() < 0.01
}

#[test]
fn a_temperature_that_is_no_number_is_refused() {
    for_every_camera(|rig| {
        if rig.can.cooler.is_none() {
            return;
        }
        let before = rig.settings();
        for target in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let result = rig.camera.cooling_to(target);
            refused(
                "cooling_to",
                format_args!("{target}"),
                "it is no temperature",
                ErrorKind::InvalidValue,
                result,
            );
            is!(rig.settings(), before, "cooling_to: settings after {target} was refused");
        }
    });
}

#[test]
fn binning_is_taken_up_to_the_largest_factors_and_not_beyond() {
    for_every_camera(|rig| {
        const CALL: &str = "set_binning";
        let Binning { x, y } = rig.can.binning;
        let inside = format!("the largest binning is {x}x{y}");
        for binning in [Binning { x, y }, Binning { x, y: 1 }, Binning { x: 1, y }, Binning::NONE] {
            let set = accepted(CALL, binning, &inside, rig.camera.set_binning(binning));
            is!(works(rig.camera.get_binning()), set, "get_binning: after {CALL}");
            let divides = binning.x.is_multiple_of(set.x.max(1)) && binning.y.is_multiple_of(set.y.max(1));
            assert!(divides, "{CALL}: {set:?} was set, of which {binning:?} cannot be made");
            let equal = binning == rig.can.binning || binning == Binning::NONE;
            assert!(!equal || set == binning, "{CALL}: {set:?} was set though {inside}");
        }
        for (x, y) in [(x + 1, y), (x, y + 1), (0, 1), (1, 0), (u32::MAX, 1)] {
            let binning = Binning { x, y };
            refused(CALL, binning, &inside, ErrorKind::OutOfRange, rig.camera.set_binning(binning));
            let reads = works(rig.camera.get_binning());
            is!(reads, Binning::NONE, "get_binning: after {binning:?} was refused");
        }
    });
}

#[test]
fn a_window_is_taken_anywhere_on_the_sensor_and_not_beyond() {
    for_every_camera(|rig| {
        const CALL: &str = "set_camera_roi";
        let full = rig.full();
        let Roi { width, height, .. } = full;
        let inside = format!("the sensor has {width}x{height} pixels");
        let corners = [(0, 0), (width - 1, 0), (0, height - 1), (width - 1, height - 1)];
        let pixels = corners.map(|(x, y)| Roi { x, y, width: 1, height: 1 });
        for roi in pixels.into_iter().chain([rig.part(3, 5, 61, 47), full]) {
            let set = accepted(CALL, roi, &inside, rig.camera.set_camera_roi(roi));
            is!(works(rig.camera.get_camera_roi()), set, "get_camera_roi: after {CALL}");
            let covers = set.x <= roi.x
                && set.y <= roi.y
                && set.x + set.width >= roi.x + roi.width
                && set.y + set.height >= roi.y + roi.height;
            assert!(covers, "{CALL}: {set:?} was set, which does not cover {roi:?}");
            let on_sensor = set.x + set.width <= width && set.y + set.height <= height;
            assert!(on_sensor, "{CALL}: {set:?} was set though {inside}");
        }
        for roi in [
            Roi { width: width + 1, ..full },
            Roi { height: height + 1, ..full },
            Roi { x: 1, ..full },
            Roi { y: 1, ..full },
            Roi { x: width, width: 1, ..full },
            Roi { width: 0, ..full },
            Roi { height: 0, ..full },
            Roi { x: u32::MAX, ..full },
            Roi { y: u32::MAX, height: 1, ..full },
        ] {
            refused(CALL, roi, &inside, ErrorKind::OutOfRange, rig.camera.set_camera_roi(roi));
            let reads = works(rig.camera.get_camera_roi());
            is!(reads, full, "get_camera_roi: after {roi:?} was refused");
        }
    });
}

#[test]
fn exposure_times_are_taken_up_to_their_limits_and_not_beyond() {
    for_every_camera(|rig| {
        const CALL: &str = "start_exposure";
        let (min, max) = (rig.can.exposure.min, rig.can.exposure.max);
        let inside = format!("the limits are {min} to {max} s");
        for seconds in [0.0, min * 0.99, max * 1.01].into_iter().filter(|s| !(min..=max).contains(s)) {
            for frame_type in [FrameType::Light, FrameType::Bias] {
                let duration = Duration::from_secs_f64(seconds);
                let result = rig.camera.start_exposure(&request(duration, frame_type));
                refused(CALL, duration, &inside, ErrorKind::OutOfRange, result);
                is!(
                    rig.status(),
                    ExposureStatus::Idle,
                    "get_exposure_status: after {duration:?} was refused"
                );
            }
        }
        let longest = Duration::from_secs_f64(max);
        accepted(CALL, longest, &inside, rig.start_long(longest));
        works(rig.camera.abort_exposure());
        for frame_type in [FrameType::Light, FrameType::Bias, FrameType::Dark, FrameType::Flat] {
            let shortest = rig.shortest();
            let result = rig.camera.start_exposure(&request(shortest, frame_type));
            accepted(CALL, (shortest, frame_type), &inside, result);
            rig.wait();
            let info = works(rig.camera.get_exposure_result()).info;
            let open = info.exposed;
            assert!(
                open >= shortest,
                "{CALL}: {shortest:?} were asked, and the shutter was open for {open:?}"
            );
            let ended = info.ended.duration_since(info.started).unwrap_or_default();
            is!(ended, open, "get_exposure_result: from started to ended, and exposed");
        }
    });
}
