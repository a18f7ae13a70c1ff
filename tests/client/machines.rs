//! An observatory of several machines, each with its indiserver: here all of them on the loopback.

use super::servers::tcp;
use super::support::Server as IndiServer;
use super::*;

async fn camera_of(machine: &IndiServer) -> Camera {
    let camera = Server::connect(tcp(machine), patience()).await.unwrap().camera(DEVICE);
    camera.connect().await.unwrap();
    camera
}

#[test]
fn a_client_takes_pictures_on_two_machines_at_once() {
    run(async {
        let (dome, shed) = (IndiServer::simulator(), IndiServer::simulator());
        let (main, guide) = (camera_of(&dome).await, camera_of(&shed).await);
        main.set_binning(Binning { x: 2, y: 2 }).await.unwrap();
        let (one, other) = tokio::join!(take(&main, 0.5), take(&guide, 0.5));
        assert_true(&one, (640, 512)).await;
        assert_true(&other, (1280, 1024)).await;
    });
}

#[test]
fn a_machine_that_fails_takes_nothing_from_the_other() {
    run(async {
        let (mut dome, shed) = (IndiServer::simulator(), IndiServer::simulator());
        let (main, guide) = (camera_of(&dome).await, camera_of(&shed).await);
        let (long, short) = (ExposureWish::of(LONG), ExposureWish::of(1.0));
        let lost = main.expose(&long).await.unwrap();
        let kept = guide.expose(&short).await.unwrap();
        dome.kill();
        assert!(matches!(lost.finish(|_| {}).await.unwrap_err(), ClientError::ServerGone { .. }));
        assert_true(&kept.finish(|_| {}).await.unwrap(), (1280, 1024)).await;
    });
}

#[test]
fn a_camera_behind_two_servers_in_a_row_still_gives_true_frames() {
    run(async {
        let dome = IndiServer::simulator();
        let remote = format!("{DEVICE}@127.0.0.1:{}", dome.port());
        let office = IndiServer::start(&["-r", "0"], &[std::path::Path::new(&remote)]);
        let camera = camera_of(&office).await;
        // indiserver reads what comes by TCP eight bytes at a time, so the frame is a small one.
        camera.set_camera_roi(Roi { x: 100, y: 200, width: 128, height: 64 }).await.unwrap();
        assert_true(&take(&camera, SHORT).await, (128, 64)).await;
    });
}
