//! Cameras are found by asking the network, or at an address, and are called the same either way.

use super::support::Server;
use super::*;
use std::os::unix::fs::symlink;

#[test]
fn a_camera_is_found_by_asking_the_network_under_a_real_server() {
    let _alone = alone();
    let _camera = FakeCamera::start();
    let folder = support::Folder::new();
    let program = folder.path().join(PROGRAM);
    symlink(support::BINARY, &program).unwrap();
    let server = Server::start(&["-r", "0"], &[&program]);
    let mut client = server.unix();
    client.send("<getProperties version='1.7'/>\n");
    await_camera(&mut client);
    client.connect();
    client.send("<enableBLOB>Also</enableBLOB>\n");
    window(&mut client, [0, 0, 640, 480]);
    let frame = frame(&mut client, 0.01);
    assert_eq!(frame.shape, [640, 480]);
    Ramp { bits: 16, seconds: 0.01, gain: 0 }.step(&frame);
    assert_eq!((frame.get("INSTRUME"), frame.number("EXPTIME")), (CAMERA, 0.01));
}

#[test]
fn a_camera_is_found_at_an_address_of_the_environment_or_of_the_property() {
    let _alone = alone();
    let _camera = FakeCamera::start();
    await_camera(&mut started("only,127.0.0.1"));
    let mut driver = started("only");
    driver.wait_for(|peer| peer.get("CAMERAS", "aravis") == Some("none"), PATIENCE);
    driver.new_vector("Text", "CAMERA_ADDRESSES", &[("GIGE", "127.0.0.1")]);
    await_camera(&mut driver);
    driver.address(HUB);
    driver.wait_for(|peer| peer.get("CAMERAS", "aravis") == Some(CAMERA), PATIENCE);
}

#[test]
fn what_is_no_address_is_said() {
    let _alone = alone();
    let mut driver = started("only");
    driver.wait_for(|peer| peer.get("CAMERAS", "aravis") == Some("none"), PATIENCE);
    driver.new_vector("Text", "CAMERA_ADDRESSES", &[("GIGE", "nowhere")]);
    let words = "nowhere is no address of a camera: it takes 192.168.0.9";
    driver.wait_for(|peer| peer.messages.iter().any(|message| message.contains(words)), PATIENCE);
}

#[test]
fn a_camera_that_another_program_controls_says_so_and_is_left_alone() {
    let _alone = alone();
    let _camera = FakeCamera::start();
    let mut first = driver();
    let mut second = started("only,127.0.0.1");
    await_camera(&mut second);
    second.new_vector("Switch", "CONNECTION", &[("CONNECT", "On")]);
    second.wait_for(|peer| peer.state("CONNECTION") == "Alert", PATIENCE);
    let words = "another program controls the camera";
    assert!(second.messages.iter().any(|message| message.contains(words)), "{}", second.report());
    drop(second);
    frame(&mut first, 0.01);
}
