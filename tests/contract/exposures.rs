//! The life of an exposure: it starts at once, ends once, and its frame is fetched once.

use super::rig::{AT_ONCE, now};
use super::*;

#[test]
fn the_longest_exposure_starts_at_once_and_can_be_aborted() {
    for_every_camera(|rig| {
        let longest = Duration::from_secs_f64(rig.can.exposure.max);
        if longest < Duration::from_secs(5) {
            // It may be over before anybody looks.
            return;
        }
        works(rig.start_long(longest));
        works(rig.camera.abort_exposure());
        let begin = now();
        works(rig.start(longest));
        let took = begin.elapsed();
        assert!(took < AT_ONCE, "start_exposure: took {took:?}, and is to return at once");
        let status = rig.status();
        let ExposureStatus::Exposing { left } = status else {
            panic!("get_exposure_status: {status:?} at the start of {longest:?}");
        };
        // Some cameras count in percent.
        let least = longest.saturating_sub(begin.elapsed() + longest / 100);
        let tells = (least..=longest).contains(&left);
        assert!(tells, "get_exposure_status: {left:?} left at the start of {longest:?}");
        let because = "one is running";
        refused("start_exposure", rig.short(), because, ErrorKind::Busy, rig.start(rig.short()));
        rig.has_no_frame("during an exposure");
        let polled = works(rig.camera.polling()).exposure;
        assert!(matches!(polled, ExposureStatus::Exposing { .. }), "polling: {polled:?} while exposing");
        for when in ["after an abort", "after a second abort"] {
            works(rig.camera.abort_exposure());
            rig.is_at_rest(when);
        }
    });
}

#[test]
fn a_frame_is_fetched_once_and_never_stale() {
    for_every_camera(|rig| {
        rig.is_at_rest("before any exposure");
        works(rig.start(rig.short()));
        rig.has_no_frame("during an exposure");
        rig.wait();
        works(rig.camera.get_exposure_result());
        rig.is_at_rest("after the frame was fetched");

        works(rig.start(rig.shortest()));
        rig.wait();
        let roi = works(rig.camera.set_camera_roi(rig.part(8, 8, 16, 16)));
        let info = rig.frame(rig.shortest(), FrameType::Light).info;
        is!(info.roi, roi, "get_exposure_result: window of a frame that replaces another");
        works(rig.start(rig.shortest()));
        rig.wait();
        works(rig.camera.abort_exposure());
        rig.is_at_rest("after an abort that came when it was ready");
        fails(rig.start(Duration::from_secs_f64(rig.can.exposure.max * 2.0)), ErrorKind::OutOfRange);
        rig.is_at_rest("after an exposure that could not start");
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
        is!(info.roi, first, "set_camera_roi: window of an exposure that was running");
        is!(info.gain, gain, "set_gain: gain of an exposure that was running");
    });
}

#[test]
fn aborts_at_any_time_leave_no_frame_behind() {
    for_every_camera(|rig| {
        let mut random = 1_u32;
        let rounds = rig.times(10_000, 20);
        // An abort falls between the beginning of the exposure and well after its end.
        let span = rig.times(400, 200_000);
        for round in 0..rounds {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let roi = rig.part(random % 8, 0, 16 + (random >> 8) % 64, 16 + (random >> 16) % 64);
            let roi = works(rig.camera.set_camera_roi(roi));
            let exposure = rig.shortest() + Duration::from_micros(u64::from((random >> 4) % span));
            let exposure = request(exposure.min(rig.longest()), FrameType::Light);
            works(rig.camera.start_exposure(&exposure));
            thread::park_timeout(Duration::from_micros(u64::from((random >> 12) % (2 * span))));
            if round % 2 == 0 {
                // Clients' wishes reach a camera this way round.
                exposure.cancel.cancel();
            }
            works(rig.camera.abort_exposure());
            rig.is_at_rest(&format!("after abort {round}"));
            if round % (rounds / 10) == 0 {
                let frame = rig.frame(rig.shortest(), FrameType::Dark);
                is!(frame.info.roi, roi, "get_exposure_result: window, after an exposure that was aborted");
                rig.is_at_rest(&format!("after the frame that followed abort {round}"));
            }
        }
    });
}
