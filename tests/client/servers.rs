//! The same code against our camera and libindi's, under Debian's indiserver, over TCP and its local socket.

use std::path::Path;

use indi_camera::client::FrameFile;

use super::support::Server as IndiServer;
use super::*;

/// libindi's camera, and the name of its program.
pub(super) const LIBINDI: (&str, &str) = ("CCD Simulator", "indi_simulator_ccd");

/// A server with both cameras, the ways to it, and whether frames come by them as descriptors.
pub(super) fn both() -> IndiServer {
    IndiServer::start(&["-r", "0"], &[Path::new(SIMULATOR), Path::new(LIBINDI.1)])
}

pub(super) fn tcp(server: &IndiServer) -> Address {
    Address::Tcp { host: "127.0.0.1".into(), port: server.port() }
}

fn local(server: &IndiServer) -> Address {
    Address::Local(server.socket().to_owned())
}

/// Whether it is memory of somebody else's, and not what we wrote.
fn is_shared(file: &FrameFile) -> bool {
    let name = std::fs::read_link(file.path()).unwrap();
    !name.to_string_lossy().contains("indi-camera-frame")
}

#[test]
fn a_true_frame_comes_from_any_camera_by_any_way() {
    run(async {
        let indi = both();
        for (address, shared) in [(tcp(&indi), false), (local(&indi), true)] {
            let server = Server::connect(address.clone(), patience()).await.unwrap();
            for device in [DEVICE, LIBINDI.0] {
                let camera = server.camera(device);
                let info = camera.connect().await.unwrap().info;
                assert_eq!(
                    (info.frame.max_width, info.frame.max_height, info.frame.depth),
                    (Some(1280), Some(1024), Some(16))
                );
                let mut bytes = 0;
                let wish = ExposureWish::of(0.3);
                let shot =
                    camera.capture(&wish, |progress| bytes = bytes.max(progress.received)).await.unwrap();
                assert_true(&shot, (1280, 1024)).await;
                let frame = shot.frame().await.unwrap();
                assert_eq!(frame.header.number("EXPTIME"), Some(0.3), "{device} at {address}");
                assert_eq!(frame.header.get("INSTRUME"), Some(device));
                let Pixels::U16(pixels) = &frame.pixels else { panic!() };
                let (least, most) = pixels.iter().fold((u16::MAX, 0), |(a, b), &p| (a.min(p), b.max(p)));
                assert!(least < most && most > 0, "{device}: {least} to {most}");
                assert_eq!(is_shared(&frame.file), shared, "{device} at {address}");
            }
        }
    });
}

#[test]
fn the_cameras_of_a_server_are_found() {
    run(async {
        // The mount is no camera.
        let drivers = [SIMULATOR, LIBINDI.1, "indi_simulator_telescope"].map(Path::new);
        let indi = IndiServer::start(&["-r", "0"], &drivers);
        let server = Server::connect(tcp(&indi), patience()).await.unwrap();
        let mut found = server.scanning().await.unwrap().camera;
        found.sort();
        assert_eq!(found, [LIBINDI.0, DEVICE]);
        let unknown =
            Server::connect(tcp(&indi), Patience { appear: Duration::from_millis(500), ..patience() })
                .await
                .unwrap();
        let error = unknown.camera("No Such Camera").connect().await.unwrap_err();
        let ClientError::NoSuchDevice { known, .. } = &error else { panic!("{error}") };
        assert!(known.contains(&DEVICE.to_owned()) && error.to_string().contains(DEVICE), "{error}");
    });
}

#[test]
fn libindis_camera_is_set_and_cooled_like_ours() {
    run(async {
        let indi = IndiServer::start(&["-r", "0"], &[Path::new(LIBINDI.1)]);
        let server = Server::connect(local(&indi), patience()).await.unwrap();
        let camera = server.camera(LIBINDI.0);
        camera.connect().await.unwrap();
        camera.set_gain(50).await.unwrap();
        assert_eq!(camera.get_gain().await.unwrap(), 50);
        let binning = indi_camera::camera::types::Binning { x: 2, y: 2 };
        camera.set_binning(binning).await.unwrap();
        let roi = indi_camera::camera::types::Roi { x: 100, y: 200, width: 400, height: 300 };
        camera.set_camera_roi(roi).await.unwrap();
        assert_true(&take(&camera, SHORT).await, (200, 150)).await;
        camera.cooling_to(-0.4).await.unwrap();
        camera.wait_for_temperature(-0.4, 0.3, support::SOON, |_| {}).await.unwrap();
        begin_long(&camera).await;
        assert!(camera.abort_exposure().await.unwrap());
        assert_true(&take(&camera, SHORT).await, (200, 150)).await;
        // One client's doing is another's knowledge.
        let other = Server::connect(tcp(&indi), patience()).await.unwrap().camera(LIBINDI.0);
        assert_eq!(other.get_binning().await.unwrap(), binning);
        let error = camera.call("stop_exposure", &Vec::new()).await.unwrap_err();
        assert!(matches!(error, ClientError::NotSupported { .. }), "{error}");
    });
}

#[test]
fn who_takes_no_frames_is_sent_none() {
    run(async {
        let indi = both();
        let idle = Server::connect(tcp(&indi), patience()).await.unwrap();
        let camera = Server::connect(tcp(&indi), patience()).await.unwrap().camera(DEVICE);
        idle.camera(DEVICE).connect().await.unwrap();
        take(&camera, SHORT).await;
        let blob = |mirror: &indi_camera::client::Mirror| {
            mirror.device(DEVICE).unwrap().vector("CCD1").unwrap().state
        };
        // The Ok of the exposure comes behind the frame.
        until_exposure_is(&idle.camera(DEVICE), State::Ok).await;
        assert_eq!(idle.look(blob), State::Idle);
        assert_eq!(camera.server().look(blob), State::Ok);
    });
}
