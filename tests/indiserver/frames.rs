//! The way of a frame from the sensor to each kind of client.

use rustix::fs::{SealFlags, fcntl_get_seals, fstat};

use super::support::Element;
use super::*;

fn frame(client: &mut Client) -> Element {
    client.until(|element| element.is("setBLOBVector", "CCD1"), SOON)
}

#[test]
fn a_tcp_client_gets_the_frame_as_base64() {
    let server = Server::simulator();
    let mut client = ready(server.tcp());
    let blob = client.expose(SHORT);
    assert!(!blob.attached);
    assert_eq!((blob.attributes["format"].as_str(), client.state("CCD1")), (".fits", "Ok"));
    assert_eq!(blob.attributes["size"], blob.bytes.len().to_string());
    let fits = checked(&blob.bytes);
    assert_eq!((fits.shape.as_slice(), fits.units), ([1280, 1024].as_slice(), 1));
    assert_eq!((fits.get("INSTRUME"), fits.number("EXPTIME")), (DEVICE, SHORT));
}

#[test]
fn local_clients_get_the_pages_that_the_driver_wrote() {
    let server = Server::simulator();
    let mut clients = [ready(server.unix()), ready(server.unix())];
    ask_exposure(&mut clients[0], SHORT);
    let vectors = clients.each_mut().map(frame);
    let pages = vectors.each_ref().map(|vector| {
        let fd = vector.children[0].fd.as_ref().expect("a descriptor");
        // The server seals nothing: a copy of its own would not have these.
        let seals = fcntl_get_seals(fd).unwrap();
        assert!(seals.contains(SealFlags::FUTURE_WRITE | SealFlags::SHRINK), "{seals:?}");
        let stat = fstat(fd).unwrap();
        (stat.st_dev, stat.st_ino)
    });
    assert_eq!(pages[0], pages[1]);
    for (vector, client) in vectors.into_iter().zip(&clients) {
        assert_eq!(checked(&vector.blob().bytes).shape, [1280, 1024]);
        assert_eq!(client.unclaimed_fds(), 0);
    }
}

#[test]
fn both_kinds_of_client_get_the_same_frame_and_one_that_did_not_ask_gets_none() {
    let server = Server::simulator();
    let (mut far, mut near) = (ready(server.tcp()), ready(server.unix()));
    let mut deaf = server.tcp();
    deaf.connect();
    for _ in 0..3 {
        ask_exposure(&mut far, SHORT);
        let (far, near) = (frame(&mut far).blob(), frame(&mut near).blob());
        assert_eq!((far.attached, near.attached), (false, true));
        assert!(far.bytes == near.bytes, "the two clients got different frames");
        checked(&far.bytes);
        // The frame goes before the Ok, so that it would have come by now.
        deaf.until(
            |element| {
                assert_ne!(element.tag, "setBLOBVector");
                element.is("setNumberVector", "CCD_EXPOSURE") && element.attribute("state") == "Ok"
            },
            SOON,
        );
    }
}

#[test]
fn a_client_that_asks_again_the_moment_it_has_a_frame_loses_none() {
    const FRAMES: usize = 100;
    let server = Server::simulator();
    let mut client = ready(server.unix());
    set(&mut client, "Number", "CCD_FRAME", &[("X", "0"), ("Y", "0"), ("WIDTH", "64"), ("HEIGHT", "48")]);
    let (mut frames, mut ends) = (Vec::new(), 0);
    ask_exposure(&mut client, 0.01);
    while ends < FRAMES {
        let element = client.next_element(SOON);
        if element.is("setBLOBVector", "CCD1") {
            frames.push(element.blob().bytes);
            if frames.len() < FRAMES {
                ask_exposure(&mut client, 0.01);
            }
        } else if element.is("setNumberVector", "CCD_EXPOSURE") {
            assert_ne!(element.attribute("state"), "Alert", "{}", client.report());
            ends += usize::from(element.attribute("state") == "Ok");
            assert_eq!(ends, frames.len(), "an Ok without a frame of its own, or a frame without its Ok");
        }
    }
    let late = client.listen(Duration::from_millis(200));
    assert!(late.iter().all(|element| element.tag != "setBLOBVector"), "{}", client.report());
    let begun: Vec<String> = frames.iter().map(|bytes| fits(bytes).get("DATE-OBS").to_owned()).collect();
    assert!(begun.is_sorted_by(|a, b| a < b), "a frame came twice or out of turn: {begun:?}");
}

#[test]
fn a_client_that_never_reads_does_not_hold_up_another() {
    const FRAMES: usize = 12;
    // Behind by this many MB, a client is cut off: a third of what follows.
    let server = Server::start(&["-r", "0", "-m", "10"], &[std::path::Path::new(support::SIMULATOR)]);
    let mut asleep = ready(server.tcp());
    let mut awake = ready(server.tcp());
    let mut amount = 0;
    for _ in 0..FRAMES {
        let blob = awake.expose(0.01);
        assert_eq!(fits(&blob.bytes).shape, [1280, 1024]);
        amount += blob.bytes.len();
    }
    assert!(amount > 30_000_000, "{amount} bytes are too few for the sleeper to fall behind");
    // What it finds when it wakes up: some frames, and the end.
    while asleep.poll_element(SOON).is_some() {}
    assert!(awake.expose(0.01).bytes.len() > 1_000_000);
}
