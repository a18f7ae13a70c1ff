//! The life of an exposure: it starts at once, ends once, and its frame is fetched once.

use super::rig::now;
use super::*;

#[test]
fn the_longest_exposure_starts_at_once_and_can_be_aborted() {
    for_every_camera(|rig| {
        let longest = Duration::from_secs_f64(rig.can.exposure.max);
        let begin = now();
        works(rig.start(longest));
        let took = begin.elapsed();
        assert!(took < Duration::from_secs(1), "start_exposure: took {took:?}");
        let ExposureStatus::Exposing { left } = rig.status() else {
            panic!("get_exposure_status: not exposing at the start of {longest:?}");
        };
        // Some cameras count in percent.
        let since = begin.elapsed() + longest / 100;
        assert!(
            left <= longest && left + since >= longest,
            "get_exposure_status: {left:?} left of {longest:?}"
        );
        refused("start_exposure", SHORT, "one is running", ErrorKind::Busy, rig.start(rig.short()));
        fails(rig.camera.get_exposure_result(), ErrorKind::NoFrame);
        let polled = works(rig.camera.polling()).exposure;
        assert!(matches!(polled, ExposureStatus::Exposing { .. }), "polling: {polled:?} while exposing");
        for time in ["once", "twice"] {
            works(rig.camera.abort_exposure());
            let status = rig.status();
            assert_eq!(status, ExposureStatus::Idle, "get_exposure_status: {status:?}, aborted {time}");
            fails(rig.camera.get_exposure_result(), ErrorKind::NoFrame);
        }
    });
}

#[test]
fn a_frame_is_fetched_once_and_never_stale() {
    const CALL: &str = "get_exposure_result";
    for_every_camera(|rig| {
        let no_frame = |rig: &mut Rig, when: &str| {
            refused(
                CALL,
                when,
                "there is no frame then",
                ErrorKind::NoFrame,
                rig.camera.get_exposure_result(),
            );
        };
        no_frame(rig, "before any exposure");
        works(rig.start(rig.short()));
        no_frame(rig, "during an exposure");
        rig.wait();
        works(rig.camera.get_exposure_result());
        no_frame(rig, "fetched already");
        let status = rig.status();
        assert_eq!(
            status,
            ExposureStatus::Idle,
            "get_exposure_status: {status:?} after the frame was fetched"
        );

        works(rig.start(rig.shortest()));
        rig.wait();
        let roi = works(rig.camera.set_camera_roi(rig.part(8, 8, 16, 16)));
        let info = rig.frame(rig.shortest(), FrameType::Light).info;
        assert_eq!(info.roi, roi, "{CALL}: the frame of an exposure that was replaced");
        works(rig.start(rig.shortest()));
        rig.wait();
        works(rig.camera.abort_exposure());
        no_frame(rig, "ready, then aborted");
        fails(rig.start(Duration::from_secs_f64(rig.can.exposure.max * 2.0)), ErrorKind::OutOfRange);
        no_frame(rig, "after an exposure that could not start");
    });
}

#[test]
fn settings_made_during_an_exposure_are_for_the_next_one() {
    for_every_camera(|rig| {
        let first = works(rig.camera.set_camera_roi(rig.part(0, 0, 32, 32)));
        let gain = rig.camera.get_gain().ok();
        works(rig.start(rig.short()));
        // A camera may refuse them while it is exposing, but must not apply them to what is running.
        let _ = rig.camera.set_camera_roi(rig.full());
        if let (Some(gain), Some(range)) = (gain, rig.can.gain) {
            let _ = rig.camera.set_gain(if gain == range.min { range.max } else { range.min });
        }
        rig.wait();
        let info = works(rig.camera.get_exposure_result()).info;
        assert_eq!(info.roi, first, "set_camera_roi: applied to an exposure that was running");
        assert_eq!(info.gain, gain, "set_gain: applied to an exposure that was running");
    });
}

#[test]
fn aborts_at_any_time_leave_no_frame_behind() {
    for_every_camera(|rig| {
        let mut random = 1_u32;
        let rounds = rig.times(10_000, 20);
        // An abort falls between the beginning of the exposure and well after its end.
        let span = u32::try_from(rig.times(400, 200_000)).unwrap();
        for round in 0..rounds {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let roi = rig.part(random % 8, 0, 16 + (random >> 8) % 64, 16 + (random >> 16) % 64);
            let roi = works(rig.camera.set_camera_roi(roi));
            let exposure = rig.shortest() + Duration::from_micros(u64::from((random >> 4) % span));
            let exposure = request(exposure, FrameType::Light);
            works(rig.camera.start_exposure(&exposure));
            thread::park_timeout(Duration::from_micros(u64::from((random >> 12) % (2 * span))));
            if round % 2 == 0 {
                // Clients' wishes reach a camera this way round.
                exposure.cancel.cancel();
            }
            works(rig.camera.abort_exposure());
            let status = rig.status();
            assert_eq!(status, ExposureStatus::Idle, "abort_exposure: {status:?} after abort {round}");
            let late = rig.camera.get_exposure_result();
            refused("get_exposure_result", round, "it was aborted", ErrorKind::NoFrame, late);
            if round % (rounds / 10) == 0 {
                let frame = rig.frame(rig.shortest(), FrameType::Dark);
                assert_eq!(
                    frame.info.roi, roi,
                    "get_exposure_result: the frame of an exposure that was aborted"
                );
                fails(rig.camera.get_exposure_result(), ErrorKind::NoFrame);
            }
        }
    });
}
