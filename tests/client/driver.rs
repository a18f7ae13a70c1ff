//! A driver that the client has started: no server anywhere.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use indi_camera::camera::answer::Phase;
use indi_camera::client::Link;

use super::*;

/// Process numbers of our children that have this home.
pub(super) fn children(home: &Folder) -> Vec<i32> {
    let mut found = Vec::new();
    for task in fs::read_dir("/proc/self/task").unwrap() {
        let children = fs::read_to_string(task.unwrap().path().join("children")).unwrap_or_default();
        found.extend(children.split_whitespace().map(|pid| pid.parse::<i32>().unwrap()));
    }
    let own = format!("HOME={}\0", home.path().display());
    found.retain(|pid| {
        fs::read(format!("/proc/{pid}/environ")).is_ok_and(|env| String::from_utf8_lossy(&env).contains(&own))
    });
    found
}

/// A program that does what these lines of shell say.
fn script(home: &Folder, lines: &str) -> Address {
    let path = home.path().join("script");
    fs::write(&path, format!("#!/bin/sh\n{lines}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let mut launch = launch(path.to_str().unwrap(), home);
    launch.name = None;
    Address::Driver(launch)
}

#[test]
fn a_frame_is_taken_without_any_server() {
    run(async {
        let home = Folder::new();
        let server = start(&home).await;
        let found = server.scanning().await.unwrap();
        assert_eq!(
            (found.camera.as_slice(), found.cameras[0].in_use),
            (&[DEVICE.to_owned()][..], Some(false))
        );
        let camera = server.camera(DEVICE);
        let (mut phases, mut left) = (Vec::new(), f64::MAX);
        let wish = ExposureWish::of(0.6);
        let shot = camera.capture(&wish, |progress| {
            if phases.last() != Some(&progress.phase) {
                phases.push(progress.phase);
            }
            assert!(progress.remaining.as_secs_f64() <= left, "the time left grows");
            left = progress.remaining.as_secs_f64();
            assert_eq!(progress.temperature, Some(20.0));
        });
        let shot = shot.await.unwrap();
        phases.retain(|phase| !matches!(phase, Phase::Waiting | Phase::Delivering));
        assert_eq!(phases, [Phase::Exposing, Phase::Reading]);
        assert_true(&shot, (1280, 1024)).await;
        assert_eq!(shot.info().unwrap().info.measured.duration_s, Some(0.6));
        assert!(shot.info().unwrap().info.measured.start_utc.unwrap().ends_with('Z'));
    });
}

#[test]
fn the_file_on_disk_is_what_the_camera_made_and_nothing_is_overwritten() {
    run(async {
        let home = Folder::new();
        let camera = connected(&home).await;
        let file = take(&camera, SHORT).await.received().unwrap();
        let path = home.path().join("frame.fits");
        file.write_to(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), file.bytes().unwrap());
        support::fitsverify(&path);
        assert_eq!(file.write_to(&path).unwrap_err().kind(), std::io::ErrorKind::AlreadyExists);
        // The descriptor is the memory that the driver sealed: nothing was copied.
        let seals = rustix::fs::fcntl_get_seals(file.fd()).unwrap();
        assert!(seals.contains(rustix::fs::SealFlags::FUTURE_WRITE), "{seals:?}");
    });
}

#[test]
fn frames_come_in_every_format_of_the_camera() {
    run(async {
        let home = Folder::new();
        let camera = connected(&home).await;
        let set = async |name: &str, value: &str| {
            camera.set_parameter(name, &indi_camera::camera::types::Value::Text(value.into())).await.unwrap();
        };
        let compress = async |on| {
            camera.set_parameter("compress", &indi_camera::camera::types::Value::Bool(on)).await.unwrap();
        };
        compress(true).await;
        let packed = take(&camera, SHORT).await;
        assert_eq!(packed.received().unwrap().format(), ".fits.fz");
        let frame = packed.frame().await.unwrap();
        assert_eq!((frame.pixels.shape(), frame.header.number("EXPTIME")), ((1, 1024, 1280), Some(SHORT)));
        // Deflated for the way, and inflated by us.
        set("encode", "native").await;
        let native = take(&camera, SHORT).await.received().unwrap();
        assert_eq!((native.format(), native.len()), (".bin", 1280 * 1024 * 2));
        compress(false).await;
        set("encode", "xisf").await;
        let xisf = take(&camera, SHORT).await;
        assert!(xisf.received().unwrap().bytes().unwrap().starts_with(b"XISF0100"));
        let error = xisf.frame().await.unwrap_err();
        assert!(error.to_string().contains("set CCD_TRANSFER_FORMAT to FORMAT_FITS"), "{error}");
    });
}

#[test]
fn a_scan_ends_when_every_search_of_the_driver_has_ended_without_a_camera() {
    let vector = |verb: &str, part: &str, state: &str, value: &str| {
        format!(
            "echo '<{verb}TextVector device=\"Hub\" name=\"CAMERAS\" state=\"{state}\" perm=\"ro\">\
             <{part}Text name=\"v4l2\">{value}</{part}Text></{verb}TextVector>'\n"
        )
    };
    let scan = "echo '<defSwitchVector device=\"Hub\" name=\"CAMERA_SCAN\" state=\"Busy\" perm=\"rw\" \
                rule=\"AtMostOne\"><defSwitch name=\"SCAN\">Off</defSwitch></defSwitchVector>'\n";
    run(async {
        let home = Folder::new();
        let busy = vector("def", "def", "Busy", "not searched yet");
        let done = vector("set", "one", "Ok", "none");
        let server = script(&home, &format!("{busy}{scan}{done}exec cat > /dev/null"));
        let patience = Patience { appear: Duration::from_secs(3600), ..patience() };
        let server = Server::connect(server, patience).await.unwrap();
        let scan = tokio::time::timeout(support::SOON, server.scanning()).await;
        assert_eq!(scan.expect("nothing is to be waited for").unwrap().camera, [""; 0]);
        server.close().await;
    });
}

#[test]
fn cameras_are_listed_alike_whichever_is_defined_first() {
    let camera = |name: &str| {
        format!(
            "echo '<defTextVector device=\"{name}\" name=\"DRIVER_INFO\" state=\"Idle\" perm=\"ro\">\
             <defText name=\"DRIVER_INTERFACE\">2</defText></defTextVector>'\n"
        )
    };
    run(async {
        let home = Folder::new();
        let server = script(&home, &format!("{}{}exec cat > /dev/null", camera("Two"), camera("One")));
        let server = Server::connect(server, patience()).await.unwrap();
        assert_eq!(server.scanning().await.unwrap().camera, ["One", "Two"]);
        server.close().await;
    });
}

#[test]
fn closing_the_line_ends_the_driver() {
    run(async {
        let home = Folder::new();
        let camera = connected(&home).await;
        assert_eq!(children(&home).len(), 1);
        camera.server().clone().close().await;
        assert!(children(&home).is_empty());
        let error = camera.get_gain().await.unwrap_err();
        assert!(matches!(error, ClientError::ServerGone { .. }), "{error}");
    });
}

#[test]
fn a_driver_does_not_outlive_the_last_handle_or_the_runtime() {
    let home = Folder::new();
    run(async {
        drop(start(&home).await);
        // The line ends by itself, which takes it a turn or two.
        while !children(&home).is_empty() {
            tokio::task::yield_now().await;
        }
        std::mem::forget(start(&home).await);
        assert_eq!(children(&home).len(), 1);
    });
    let limit = support::Limit::after(support::SOON);
    while !children(&home).is_empty() {
        assert!(limit.left().is_some(), "the driver goes on without us");
        std::thread::yield_now();
    }
}

#[test]
fn a_driver_that_does_not_end_is_ended() {
    run(async {
        let home = Folder::new();
        let address = script(&home, "echo '<message message=\"hello\"/>'; exec sleep 1000");
        let patience = Patience { farewell: Duration::from_millis(100), ..patience() };
        let server = Server::connect(address, patience).await.unwrap();
        // While the shell makes room for what it was told to become, it has no environment to be known by.
        let limit = support::Limit::after(support::SOON);
        while children(&home).len() != 1 {
            assert!(limit.left().is_some(), "there is no driver");
            tokio::task::yield_now().await;
        }
        server.close().await;
        assert!(children(&home).is_empty());
    });
}

#[test]
fn what_is_no_driver_is_told_with_its_own_last_words() {
    run(async {
        let home = Folder::new();
        let patience = Patience { appear: Duration::from_millis(300), ..patience() };
        let error = Server::connect(Address::driver("/no/such/driver"), patience).await.unwrap_err();
        assert!(error.to_string().contains("/no/such/driver: No such file"), "{error}");
        let fails = script(&home, "echo 'the library is missing' >&2; exit 3");
        let error = Server::connect(fails, patience).await.unwrap_err();
        assert!(error.to_string().ends_with("exit status: 3 and said: the library is missing"), "{error}");
        let silent = script(&home, "exec cat");
        let error = Server::connect(silent, patience).await.unwrap_err();
        assert!(error.to_string().ends_with("nobody answers"), "{error}");
    });
}

#[test]
fn a_driver_that_dies_in_mid_exposure_is_an_error_at_once_and_is_started_again() {
    run(async {
        let home = Folder::new();
        let camera = connected(&home).await;
        let wish = ExposureWish::of(LONG);
        let exposure = camera.expose(&wish).await.unwrap();
        let pid = rustix::process::Pid::from_raw(children(&home)[0]).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        let error = exposure.finish(|_| {}).await.unwrap_err();
        let ClientError::ServerGone { why, .. } = &error else { panic!("{error}") };
        assert!(why.contains("signal: 9"), "{why}");
        assert!(!matches!(camera.server().look(|mirror| mirror.link().clone()), Link::Closed { .. }));
        assert_true(&take(&camera, SHORT).await, (1280, 1024)).await;
    });
}

#[test]
fn calls_can_be_made_from_any_thread() {
    fn goes_anywhere(_: impl Send) {}
    run(async {
        let home = Folder::new();
        let camera = start(&home).await.camera(DEVICE);
        let wish = ExposureWish::of(SHORT);
        goes_anywhere(camera.connect());
        goes_anywhere(camera.capture(&wish, |_| {}));
        goes_anywhere(camera.get_exposure_result());
        goes_anywhere(camera.by_name("polling", &Vec::new()));
        goes_anywhere(camera.wait_for_temperature(0.0, 0.1, SHORT_TIME, |_| {}));
        // And at the same time: a call does not wait for an exposure.
        let other = camera.clone();
        camera.connect().await.unwrap();
        let capture = tokio::spawn(async move { other.capture(&ExposureWish::of(0.5), |_| {}).await });
        begin_when_busy(&camera).await;
        camera.set_gain(3).await.unwrap();
        assert!(camera.get_exposure_status().await.unwrap().status, "the exposure is over");
        assert_eq!(capture.await.unwrap().unwrap().spec.gain, Some(100), "what was set when it began");
    });
}

#[test]
fn libindis_driver_can_be_started_as_well() {
    run(async {
        let home = Folder::new();
        let mut launch = launch("indi_simulator_ccd", &home).env("INDIDEV", "Camera of the Night");
        launch.name = None;
        let server = Server::connect(Address::Driver(launch), patience()).await.unwrap();
        assert_eq!(server.scanning().await.unwrap().camera, ["Camera of the Night"]);
        let camera = server.camera("Camera of the Night");
        // It sends no second frame before the first one has been acknowledged.
        for _ in 0..3 {
            assert_true(&take(&camera, SHORT).await, (1280, 1024)).await;
        }
        server.close().await;
        assert!(children(&home).is_empty());
    });
}
