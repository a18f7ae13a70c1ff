//! How a driver is started, and what it is then called.

use super::support::SIMULATOR;
use super::*;

#[test]
fn a_driver_started_through_the_fifo_is_the_device_of_its_label() {
    const LABEL: &str = "My Label";
    let server = Server::with_fifo();
    let mut client = server.tcp();
    client.address(LABEL);
    server.fifo(&format!("start {SIMULATOR} -n \"{LABEL}\""));
    let mut client = ready(client);
    assert!(client.vector("CCD1").is_some());
    assert_eq!(client.get("DRIVER_INFO", "DRIVER_EXEC"), Some(SIMULATOR));
    assert_eq!(checked(&client.expose(SHORT).bytes).get("INSTRUME"), LABEL);
    client.address(DEVICE);
    assert_eq!(client.names(), Vec::<&str>::new(), "a device of the built-in name beside {LABEL}");
    server.fifo(&format!("stop {SIMULATOR} -n \"{LABEL}\""));
    client.until(|element| element.tag == "delProperty" && element.attribute("device") == LABEL, SOON);
}

#[test]
fn two_simulated_cameras_expose_at_the_same_time() {
    let server = Server::simulators(2);
    let devices = [DEVICE.to_owned(), format!("{DEVICE} 2")];
    let mut client = server.unix();
    for device in &devices {
        client.address(device);
        client.connect();
    }
    want_frames(&mut client);
    for device in &devices {
        client.address(device);
        ask_exposure(&mut client, 1.0);
    }
    let mut frames = Vec::new();
    while frames.len() < devices.len() {
        let vector = client.until(|element| element.is("setBLOBVector", "CCD1"), SOON);
        let device = vector.attribute("device").to_owned();
        frames.push((device, checked(&vector.blob().bytes)));
    }
    frames.sort_by(|a, b| a.0.cmp(&b.0));
    for ((device, fits), expected) in frames.iter().zip(&devices) {
        assert_eq!((device, fits.get("INSTRUME")), (expected, expected.as_str()));
    }
    let latest_begin = frames.iter().map(|(_, fits)| fits.get("DATE-OBS")).max().unwrap();
    let earliest_end = frames.iter().map(|(_, fits)| fits.get("DATE-END")).min().unwrap();
    assert!(latest_begin < earliest_end, "one waited for the other: {latest_begin}, {earliest_end}");
}
