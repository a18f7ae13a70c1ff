//! The client library against whatever it is made for: our driver started by itself, our driver and libindi's under a
//! real indiserver, over TCP and over its local socket, all of them going away at the wrong moment, and a server that
//! plays tricks.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where something fails")]

mod support;

#[path = "client/calls.rs"]
mod calls;
#[path = "client/driver.rs"]
mod driver;
#[path = "client/exposures.rs"]
mod exposures;
#[path = "client/machines.rs"]
mod machines;
#[path = "client/mishaps.rs"]
mod mishaps;
#[path = "client/names.rs"]
mod names;
#[path = "client/servers.rs"]
mod servers;
#[path = "client/tricks.rs"]
mod tricks;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use indi_camera::camera::types::{Binning, Pixels, Roi};
use indi_camera::camera::wish::ExposureWish;
use indi_camera::client::{Address, Camera, ClientError, EXPOSURE, Launch, Mirror, Patience, Server, Shot};
use indi_camera::wire::State;
use support::{BINARY, DEVICE, Folder, SIMULATOR};

/// Long enough to be caught running, short enough for a test.
const SHORT: f64 = 0.05;
/// The same for what is to be waited for.
const SHORT_TIME: Duration = Duration::from_millis(50);
/// An exposure that no test waits for.
const LONG: f64 = 600.0;

/// Runs a test on a runtime like that of a small program: one thread.
fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(test);
}

/// A driver that sees nothing of our surroundings, and has a home of its own.
fn launch(program: &str, home: &Folder) -> Launch {
    let mut launch = Launch::new(program).named(SIMULATOR).env("HOME", home.path());
    launch.without = support::FOREIGN.iter().map(Into::into).collect();
    launch
}

/// Our simulator, started by the client.
async fn start(home: &Folder) -> Server {
    Server::connect(Address::Driver(launch(BINARY, home)), patience()).await.unwrap()
}

/// The same, connected.
async fn connected(home: &Folder) -> Camera {
    let camera = start(home).await.camera(DEVICE);
    camera.connect().await.unwrap();
    camera
}

fn patience() -> Patience {
    Patience { reconnect: Duration::from_secs(60), appear: Duration::from_secs(20), ..Patience::default() }
}

/// Takes a frame of so many seconds with the settings as they are.
async fn take(camera: &Camera, seconds: f64) -> Arc<Shot> {
    camera.capture(&ExposureWish::of(seconds), |_| {}).await.unwrap()
}

/// Starts an exposure that no test waits for, and waits until the camera has begun.
async fn begin_long(camera: &Camera) {
    camera.start_exposure(&ExposureWish::of(LONG)).await.unwrap();
    begin_when_busy(camera).await;
}

async fn begin_when_busy(camera: &Camera) {
    until_exposure_is(camera, State::Busy).await;
}

/// Waits until an exposure is told to be in that state.
async fn until_exposure_is(camera: &Camera, state: State) {
    let told =
        |mirror: &Mirror| (mirror.device(camera.name())?.vector(EXPOSURE)?.state == state).then_some(());
    camera.server().until(support::SOON, format!("an exposure that is {state:?}"), told).await.unwrap();
}

/// Asserts that the frame is the file, to every pixel, in the opinion of CFITSIO under other hands.
async fn assert_true(shot: &Arc<Shot>, shape: (usize, usize)) {
    let frame = shot.frame().await.unwrap();
    let expected = support::fits(&frame.file.bytes().unwrap());
    assert_eq!(
        (frame.pixels.shape(), expected.shape.as_slice()),
        ((1, shape.1, shape.0), &[shape.0, shape.1][..])
    );
    let Pixels::U16(pixels) = &frame.pixels else { panic!("{} bits", frame.pixels.bits()) };
    assert!(pixels.iter().map(|&pixel| u32::from(pixel)).eq(expected.pixels.iter().copied()), "other pixels");
    assert_eq!(frame.header.get("INSTRUME"), expected.header.get("INSTRUME").map(String::as_str));
    let image = &frame.info.image;
    assert_eq!((image.width as usize, image.height as usize, image.bits), (shape.0, shape.1, 16));
    assert_eq!(image.bytes, frame.file.len());
}
