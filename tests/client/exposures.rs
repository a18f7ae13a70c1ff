//! Exposures that end otherwise than with a frame, and settings around them.

use indi_camera::camera::answer::Code;
use indi_camera::camera::types::{Binning, FrameType, Roi};
use indi_camera::client::{Settled, Wish};

use super::*;

/// The shortest exposure of our simulator.
const SHORTEST: f64 = 0.0001;

#[test]
fn an_aborted_exposure_leaves_no_frame_and_the_camera_ready() {
    run(async {
        let home = Folder::new();
        let camera = connected(&home).await;
        assert!(!camera.abort_exposure().await.unwrap(), "none runs");
        take(&camera, SHORT).await;
        begin_long(&camera).await;
        let error = camera.get_exposure_result().await.unwrap_err();
        assert_eq!(error.code(), Code::Busy, "{error}");
        assert!(camera.abort_exposure().await.unwrap());
        let error = camera.get_exposure_result().await.unwrap_err();
        assert_eq!(error.code(), Code::NoFrame, "the frame before is none of this exposure: {error}");
        assert!(!camera.get_exposure_status().await.unwrap().status);
        assert_true(&take(&camera, SHORT).await, (1280, 1024)).await;
    });
}

#[test]
fn a_capture_that_is_dropped_stops_the_camera() {
    run(async {
        let home = Folder::new();
        let camera = connected(&home).await;
        let wish = ExposureWish::of(LONG);
        {
            let capture = camera.capture(&wish, |_| {});
            let busy = begin_when_busy(&camera);
            tokio::select! {
                _ = capture => panic!("it ended"),
                () = busy => {}
            }
        }
        until_exposure_is(&camera, State::Idle).await;
        assert_true(&take(&camera, SHORT).await, (1280, 1024)).await;
    });
}

#[test]
fn a_busy_camera_takes_no_second_exposure() {
    run(async {
        let home = Folder::new();
        let camera = connected(&home).await;
        begin_long(&camera).await;
        let error = camera.start_exposure(&ExposureWish::of(SHORT)).await.unwrap_err();
        assert_eq!(error.to_string(), format!("{DEVICE} is busy: its exposure runs"));
        // One that we know nothing of is another client's.
        let status = camera.get_exposure_status().await.unwrap();
        assert!(status.status && status.remaining_s > LONG - 60.0 && status.percent < 10.0, "{status:?}");
    });
}

#[test]
fn settings_for_one_exposure_are_put_back_after_it() {
    run(async {
        let home = Folder::new();
        let camera = connected(&home).await;
        let before = camera.polling().await.unwrap().info;
        let roi = Roi { x: 100, y: 50, width: 640, height: 480 };
        let wish = ExposureWish {
            gain: Some(7),
            offset: Some(3),
            binning: Some(Binning { x: 2, y: 2 }),
            roi: Some(roi),
            frame_type: Some(FrameType::Dark),
            ..ExposureWish::of(SHORT)
        };
        let shot = camera.capture(&wish, |_| {}).await.unwrap();
        assert_true(&shot, (320, 240)).await;
        assert_eq!(
            (shot.spec.gain, shot.spec.offset, shot.spec.frame_type),
            (Some(7), Some(3), FrameType::Dark)
        );
        let header = shot.frame().await.unwrap().header;
        assert_eq!((header.number("GAIN"), header.get("IMAGETYP")), (Some(7.0), Some("Dark Frame")));
        // The next one begins with what was before, however soon it is asked for.
        assert_eq!(camera.get_gain().await.ok(), before.current.gain, "when it is over it is over");
        let next = take(&camera, SHORT).await;
        assert_true(&next, (1280, 1024)).await;
        assert_eq!((next.spec.gain, next.spec.binning), (before.current.gain, [1, 1]));
        // A wish that is refused leaves nothing behind either.
        let wish =
            ExposureWish { gain: Some(9), binning: Some(Binning { x: 99, y: 1 }), ..ExposureWish::of(SHORT) };
        assert_eq!(camera.start_exposure(&wish).await.unwrap_err().code(), Code::OutOfRange);
        assert_eq!(camera.get_gain().await.ok(), before.current.gain);
    });
}

/// Waits until that switch is told to be on.
async fn until_on(camera: &Camera, vector: &str, element: &str) {
    let told = |mirror: &Mirror| mirror.device(camera.name())?.is_on(vector, element)?.then_some(());
    camera.server().until(support::SOON, format!("{element} On"), told).await.unwrap();
}

#[test]
fn a_capture_leaves_a_camera_that_saves_runs_of_frames_as_it_was() {
    run(async {
        let home = Folder::new();
        let camera = connected(&home).await;
        let turn = async |vector: &str, element: &str| {
            camera.ask(vector, &[(element, Wish::On(true))], Settled::Done).await.unwrap();
        };
        turn("UPLOAD_MODE", "UPLOAD_LOCAL").await;
        turn("CCD_FAST_TOGGLE", "INDI_ENABLED").await;
        camera.ask("CCD_FAST_COUNT", &[("FRAMES", Wish::Number(5.0))], Settled::Done).await.unwrap();
        let stays = || {
            let is_on = |vector: &str, element: &str| {
                camera.server().look(|mirror| mirror.device(DEVICE)?.is_on(vector, element)) == Some(true)
            };
            assert!(is_on("UPLOAD_MODE", "UPLOAD_LOCAL") && is_on("CCD_FAST_TOGGLE", "INDI_ENABLED"));
            let count =
                camera.server().look(|mirror| mirror.device(DEVICE)?.number("CCD_FAST_COUNT", "FRAMES"));
            assert_eq!(count, Some(5.0));
        };
        assert_true(&take(&camera, SHORT).await, (1280, 1024)).await;
        stays();
        let saved = || home.list("").into_iter().filter(|name| name.ends_with(".fits")).count();
        assert_eq!(saved(), 1, "whoever records there misses nothing");
        // A wish that is refused.
        let wish = ExposureWish { binning: Some(Binning { x: 99, y: 1 }), ..ExposureWish::of(SHORT) };
        camera.capture(&wish, |_| {}).await.unwrap_err();
        stays();
        // One that is given up.
        let wish = ExposureWish::of(LONG);
        tokio::select! {
            _ = camera.capture(&wish, |_| {}) => panic!("it ended"),
            () = begin_when_busy(&camera) => {}
        }
        until_exposure_is(&camera, State::Idle).await;
        until_on(&camera, "UPLOAD_MODE", "UPLOAD_LOCAL").await;
        until_on(&camera, "CCD_FAST_TOGGLE", "INDI_ENABLED").await;
        stays();
    });
}

#[test]
fn a_bias_takes_the_shortest_time_and_limits_are_inclusive() {
    run(async {
        let home = Folder::new();
        let camera = connected(&home).await;
        let bias = ExposureWish { frame_type: Some(FrameType::Bias), ..ExposureWish::of(30.0) };
        assert_eq!(camera.capture(&bias, |_| {}).await.unwrap().spec.duration_s, SHORTEST);
        assert_eq!(take(&camera, SHORTEST).await.spec.duration_s, SHORTEST);
        for seconds in [0.0, 0.99 * SHORTEST, 3600.1, -1.0, 1e300] {
            let error = camera.start_exposure(&ExposureWish::of(seconds)).await.unwrap_err();
            assert_eq!(error.code(), Code::OutOfRange, "{error}");
            assert!(error.to_string().ends_with("allowed is 0.0001 to 3600"), "{error}");
        }
        for seconds in [f64::NAN, f64::INFINITY] {
            let error = camera.start_exposure(&ExposureWish::of(seconds)).await.unwrap_err();
            assert_eq!(error.code(), Code::InvalidValue, "{error}");
        }
        let begun = camera.start_exposure(&ExposureWish::of(3600.0)).await.unwrap();
        assert!(begun.deadline_s > 3600.0 && begun.expected_bytes == 1280 * 1024 * 2, "{begun:?}");
    });
}

#[test]
fn settings_are_read_back_and_refusals_are_the_drivers_own_words() {
    run(async {
        let home = Folder::new();
        let camera = start(&home).await.camera(DEVICE);
        assert_eq!(camera.get_gain().await.unwrap_err().code(), Code::NotConnected);
        assert_eq!(
            camera.start_exposure(&ExposureWish::of(1.0)).await.unwrap_err().code(),
            Code::NotConnected
        );
        let info = camera.connect().await.unwrap().info;
        assert!(info.status.is_connected && info.ability.can_cooling && info.frame.max_width == Some(1280));
        camera.set_gain(0).await.unwrap();
        assert_eq!(camera.get_gain().await.unwrap(), 0);
        let most = info.properties.max_gain.unwrap();
        camera.set_gain(most).await.unwrap();
        let error = camera.set_gain(most + 1).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("CCD_GAIN.GAIN cannot be {}: allowed is 0 to {most}", most + 1)
        );
        camera.set_offset(5).await.unwrap();
        camera.set_binning(Binning { x: 2, y: 4 }).await.unwrap();
        camera.set_camera_roi(Roi { x: 8, y: 4, width: 100, height: 60 }).await.unwrap();
        let roi = camera.get_camera_roi().await.unwrap();
        assert_eq!((roi.start_x, roi.width, roi.binned_width, roi.binned_height), (8, 100, 50, 15));
        for roi in [(0, 0, 0, 1), (0, 0, 1281, 1), (1200, 0, 100, 1), (u32::MAX, 0, 1, 1)] {
            let (x, y, width, height) = roi;
            let error = camera.set_camera_roi(Roi { x, y, width, height }).await.unwrap_err();
            assert_eq!(error.code(), Code::OutOfRange, "{error}");
        }
        assert_eq!(camera.get_camera_roi().await.unwrap(), roi);
        camera.reset_roi().await.unwrap();
        // Only the driver knows that this cannot be changed now.
        let wish = [("WIDTH", Wish::Number(640.0))];
        let asked = camera.ask("SIMULATOR_SENSOR", &wish, Settled::Done).await;
        let error = asked.unwrap_err();
        assert!(matches!(error, ClientError::Refused { .. }), "{error}");
        assert!(error.to_string().contains("SIMULATOR_SENSOR: ") && error.to_string().len() > 60, "{error}");
        camera.disconnect().await.unwrap();
        camera.disconnect().await.unwrap();
        assert_eq!(camera.get_offset().await.unwrap_err().code(), Code::NotConnected);
        assert!(camera.reconnect().await.unwrap().info.status.is_connected);
        assert_eq!(camera.get_offset().await.unwrap(), 5);
    });
}

#[test]
fn the_cooler_goes_where_it_is_told() {
    run(async {
        let home = Folder::new();
        let camera = connected(&home).await;
        assert!(!camera.get_cooling_status().await.unwrap().status);
        assert_eq!(camera.get_current_temperature().await.unwrap(), 20.0);
        assert_eq!(camera.get_cooling_power().await.unwrap(), 0.0);
        camera.cooling_to(19.6).await.unwrap();
        assert!(camera.get_cooling_status().await.unwrap().status);
        let mut seen = Vec::new();
        let limit = Duration::from_secs(60);
        let reached = camera.wait_for_temperature(19.6, 0.3, limit, |now| seen.push(now)).await.unwrap();
        assert!((reached - 19.6).abs() <= 0.3 && !seen.is_empty(), "{reached} of {seen:?}");
        let limit = Duration::from_millis(50);
        let error = camera.wait_for_temperature(-10.0, 0.3, limit, |_| {}).await.unwrap_err();
        assert_eq!(error.code(), Code::Timeout, "{error}");
        assert_eq!(camera.cooling_to(-300.0).await.unwrap_err().code(), Code::OutOfRange);
        camera.cooling(false).await.unwrap();
        assert!(!camera.get_cooling_status().await.unwrap().status);
    });
}
