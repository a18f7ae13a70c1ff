//! The driver where its users meet it: under Debian's indiserver, with clients over TCP and over the local socket, with
//! INDI's own command line tools, and with the mishaps of a night.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where something fails")]

mod support;

#[path = "indiserver/frames.rs"]
mod frames;
#[path = "indiserver/mishaps.rs"]
mod mishaps;
#[path = "indiserver/scripts.rs"]
mod scripts;
#[path = "indiserver/settings.rs"]
mod settings;
#[path = "indiserver/start.rs"]
mod start;

use std::fs;
use std::time::Duration;

use support::fits::Fits;
use support::{Client, DEVICE, Folder, SOON, Server, fits, fitsverify};

/// Long enough to be caught running, short enough for a test.
const SHORT: f64 = 0.05;

/// A client that has connected the camera and wants frames.
fn ready(mut client: Client) -> Client {
    client.connect();
    want_frames(&mut client);
    client
}

fn want_frames(client: &mut Client) {
    client.send("<enableBLOB>Also</enableBLOB>\n");
}

fn ask_exposure(client: &mut Client, seconds: f64) {
    client.new_vector("Number", "CCD_EXPOSURE", &[("CCD_EXPOSURE_VALUE", &seconds.to_string())]);
}

/// Sets a vector and waits until the driver has taken it.
fn set(client: &mut Client, kind: &str, vector: &str, values: &[(&str, &str)]) {
    client.new_vector(kind, vector, values);
    let answer = client.until(|element| element.is(&format!("set{kind}Vector"), vector), SOON);
    assert_eq!(answer.attribute("state"), "Ok", "{}", client.report());
}

/// Sends the frames of this camera to files `night_001.fits` and so on, in a directory of the server's home.
fn save_locally(client: &mut Client, server: &Server, mode: &str) {
    let directory = server.home().path().join("frames").display().to_string();
    set(client, "Text", "UPLOAD_SETTINGS", &[("UPLOAD_DIR", &directory), ("UPLOAD_PREFIX", "night_XXX")]);
    set(client, "Switch", "UPLOAD_MODE", &[(mode, "On")]);
}

/// The picture as CFITSIO reads it, after HEASARC's verifier has found nothing to say.
fn checked(bytes: &[u8]) -> Fits {
    let folder = Folder::new();
    let path = folder.path().join("frame.fits");
    fs::write(&path, bytes).unwrap();
    fitsverify(&path);
    fits(bytes)
}
