//! The client library against whatever it is made for: our driver started by itself, our driver and libindi's under a
//! real indiserver, over TCP and over its local socket, and all of them going away at the wrong moment.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where something fails")]

mod support;

#[path = "client/driver.rs"]
mod driver;

use std::future::Future;
use std::time::Duration;

use indi_camera::client::{Address, Launch, Patience, Server};
use support::{BINARY, DEVICE, Folder, SIMULATOR};

/// Runs a test on a runtime like that of a small program: one thread.
fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(test);
}

/// A driver that sees nothing of our surroundings, and has a home of its own.
fn launch(home: &Folder) -> Launch {
    let mut launch = Launch::new(BINARY).named(SIMULATOR).env("HOME", home.path());
    launch.without = support::FOREIGN.iter().map(Into::into).collect();
    launch
}

async fn driver(home: &Folder) -> Server {
    Server::connect(Address::Driver(launch(home)), patience()).await.unwrap()
}

fn patience() -> Patience {
    Patience { reconnect: Duration::from_secs(30), ..Patience::default() }
}
