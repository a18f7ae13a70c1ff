//! What goes wrong in a night, seen by a client: servers and drivers that go, and other clients.

use std::path::Path;

use indi_camera::camera::answer::Code;
use indi_camera::client::Link;

use super::servers::tcp;
use super::support::Server as IndiServer;
use super::*;

#[test]
fn a_server_shot_in_mid_exposure_is_an_error_at_once_and_the_next_capture_works() {
    run(async {
        let mut indi = IndiServer::simulator();
        let server = Server::connect(tcp(&indi), patience()).await.unwrap();
        let camera = server.camera(DEVICE);
        camera.connect().await.unwrap();
        let wish = ExposureWish::of(LONG);
        let exposure = camera.expose(&wish).await.unwrap();
        indi.kill();
        let error = exposure.finish(|_| {}).await.unwrap_err();
        assert!(matches!(error, ClientError::ServerGone { .. }), "{error}");
        assert_eq!(error.code(), Code::Disconnected);
        // While it is away, calls end as well: after their own patience.
        assert!(matches!(server.look(|mirror| mirror.link().clone()), Link::Lost { .. }));
        indi.restart();
        assert_true(&take(&camera, SHORT).await, (1280, 1024)).await;
    });
}

#[test]
fn a_server_that_stays_away_ends_every_call_in_time() {
    run(async {
        let mut indi = IndiServer::simulator();
        let short = Duration::from_millis(400);
        let patience = Patience { appear: short, reconnect: Duration::from_secs(1), ..patience() };
        let server = Server::connect(tcp(&indi), patience).await.unwrap();
        let camera = server.camera(DEVICE);
        camera
            .server()
            .until(support::SOON, "the device", |mirror| mirror.device(DEVICE).map(drop))
            .await
            .unwrap();
        indi.kill();
        let error = loop {
            // Until it shows that the server has gone.
            if let Err(error) = camera.polling().await {
                break error;
            }
        };
        assert!(matches!(error, ClientError::ServerGone { .. }), "{error}");
        let closed = |mirror: &indi_camera::client::Mirror| match mirror.link() {
            Link::Closed { why } => Some(why.clone()),
            _ => None,
        };
        let why = server.until(support::SOON, "the end", closed).await.unwrap();
        assert!(why.contains("gave up"), "{why}");
        let error = camera.connect().await.unwrap_err();
        assert!(error.to_string().contains("gave up"), "{error}");
    });
}

#[test]
fn nobody_at_the_other_end_is_told_at_once() {
    run(async {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        for address in [
            format!("127.0.0.1:{port}"),
            "@/no/such/indiserver".to_owned(),
            "no.such.host.invalid".to_owned(),
        ] {
            let error = Server::connect(address.parse().unwrap(), patience()).await.unwrap_err();
            assert!(matches!(error, ClientError::Unreachable { .. }), "{error}");
            assert_eq!(error.code(), Code::Io);
        }
    });
}

#[test]
fn a_driver_shot_under_its_server_is_a_device_that_is_gone_and_comes_back() {
    run(async {
        let indi = IndiServer::start(&["-r", "3"], &[Path::new(SIMULATOR)]);
        let camera = Server::connect(tcp(&indi), patience()).await.unwrap().camera(DEVICE);
        camera.connect().await.unwrap();
        let wish = ExposureWish::of(LONG);
        let exposure = camera.expose(&wish).await.unwrap();
        let pid = rustix::process::Pid::from_raw(indi.drivers()[0]).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        let error = exposure.finish(|_| {}).await.unwrap_err();
        assert!(matches!(error, ClientError::DeviceGone { .. }), "{error}");
        assert_true(&take(&camera, SHORT).await, (1280, 1024)).await;
    });
}

#[test]
fn what_another_client_does_to_an_exposure_is_told() {
    run(async {
        let indi = IndiServer::simulator();
        let camera = Server::connect(tcp(&indi), patience()).await.unwrap().camera(DEVICE);
        let other = Server::connect(tcp(&indi), patience()).await.unwrap().camera(DEVICE);
        camera.connect().await.unwrap();
        other.connect().await.unwrap();
        begin_long(&camera).await;
        begin_when_busy(&other).await;
        let error = other.start_exposure(&ExposureWish::of(SHORT)).await.unwrap_err();
        assert!(error.to_string().ends_with("another client's exposure runs"), "{error}");
        assert!(other.abort_exposure().await.unwrap());
        until_exposure_is(&camera, State::Idle).await;
        let error = camera.get_exposure_result().await.unwrap_err();
        assert_eq!(error.code(), Code::NoFrame, "{error}");

        let wish = ExposureWish::of(LONG);
        let exposure = camera.expose(&wish).await.unwrap();
        begin_when_busy(&other).await;
        let mut rude = indi.tcp();
        rude.send("<getProperties version='1.7'/>");
        rude.new_vector("Number", "CCD_EXPOSURE", &[("CCD_EXPOSURE_VALUE", "0.25")]);
        let error = exposure.finish(|_| {}).await.unwrap_err();
        assert!(error.to_string().ends_with("another client asked for one of 0.25 s"), "{error}");
        // It replaced ours, and its frame is not ours.
        assert_eq!(camera.get_exposure_result().await.unwrap_err().code(), Code::NoFrame);
    });
}
