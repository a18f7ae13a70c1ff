//! How cameras are found, and found again.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::thread;

use super::script::Scripted;
use super::server::Running;
use super::*;

/// A camera that searches at these addresses and nowhere else.
fn searching(addresses: &str) -> Alpaca {
    let mut camera = Alpaca::new();
    look_at(&mut camera, addresses);
    camera
}

#[test]
fn a_host_is_asked_which_port_its_server_has() {
    let camera = Scripted::new(Script { unique_id: "discovered", ..Script::default() });
    let server = Running::start(Ipv4Addr::LOCALHOST, vec![camera]);
    let mut camera = searching("127.0.0.1");
    let found = camera.scanning().unwrap();
    let here = CameraId {
        name: "Scripted".to_owned(),
        model: "Scripted".to_owned(),
        serial: Some("discovered".to_owned()),
        bus: Some(format!("{}/0", server.address)),
    };
    assert_eq!(found, std::slice::from_ref(&here));
    camera.connect(&here).unwrap();
}

#[test]
fn all_cameras_of_all_servers_are_found_and_each_is_opened_as_itself() {
    let script = |name, unique_id, width| Script { name, unique_id, ..Script::of_size(width, 20) };
    let one = Scripted::new(script("Big", "b-1", 41));
    let two = Scripted::new(script("Small", "s-1", 21));
    let other = Scripted::new(script("Small", "s-2", 22));
    let host = Ipv4Addr::new(127, 0, 0, 2);
    let (first, second) = (Running::start(host, vec![one, two]), Running::start(host, vec![other]));
    let mut camera = searching(&format!("{},{}", first.address, second.address));
    let found = camera.scanning().unwrap();
    let told: Vec<(&str, Option<&str>)> =
        found.iter().map(|id| (id.name.as_str(), id.serial.as_deref())).collect();
    assert_eq!(told, [("Big", Some("b-1")), ("Small s-1", Some("s-1")), ("Small s-2", Some("s-2"))]);
    for (id, width) in found.iter().zip([41, 21, 22]) {
        // Another one, that has not searched.
        let mut camera = Alpaca::new();
        assert_eq!(camera.connect(id).unwrap().sensor.width, width, "{id:?}");
        camera.connect(id).unwrap();
    }
    // And by its name alone.
    let by_name = CameraId { name: "Small s-2".to_owned(), model: String::new(), serial: None, bus: None };
    assert_eq!(camera.connect(&by_name).unwrap().sensor.width, 22);
    fails(camera.connect(&found[0]), ErrorKind::Busy, "disconnect Small s-2 first");
}

#[test]
fn a_camera_is_found_again_at_another_address() {
    let mut rig = Rig::new();
    let moved = Observatory::new(Script::default());
    rig.camera.disconnect().unwrap();
    rig.observatory.kill();
    look_at(&mut rig.camera, &moved.address());
    rig.camera.connect(&rig.id).unwrap();
    assert!(moved.camera.script().connected);
}

#[test]
fn another_camera_at_the_same_address_is_not_taken_for_it() {
    let mut rig = Rig::new();
    rig.camera.disconnect().unwrap();
    rig.observatory.kill();
    rig.observatory.start(Script { unique_id: "somebody else", ..Script::default() });
    fails(rig.camera.connect(&rig.id), ErrorKind::InvalidValue, "there is no camera named Scripted");
    let stranger = CameraId { name: "no such camera".to_owned(), ..rig.id.clone() };
    fails(rig.camera.connect(&stranger), ErrorKind::InvalidValue, "no such camera");
}

#[test]
fn a_server_without_a_list_of_its_devices_is_asked_for_cameras() {
    let observatory = Observatory::new(Script::default());
    let inside = observatory.door.address;
    // A door before the door, which does not know of management.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for mut client in listener.incoming().map_while(std::io::Result::ok) {
            let mut buffer = [0; 4096];
            let count = client.read(&mut buffer).unwrap();
            let answer = if buffer.starts_with(b"GET /management") {
                b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\nConnection: close\r\n\r\nnone".to_vec()
            } else {
                let mut server = std::net::TcpStream::connect(inside).unwrap();
                let words = String::from_utf8_lossy(&buffer[..count])
                    .replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
                server.write_all(words.as_bytes()).unwrap();
                let mut answer = Vec::new();
                server.read_to_end(&mut answer).unwrap();
                answer
            };
            let _ = client.write_all(&answer);
        }
    });
    let found = searching(&address).scanning().unwrap();
    let here = CameraId {
        name: "Scripted".to_owned(),
        model: "Scripted".to_owned(),
        serial: None,
        bus: Some(format!("{address}/0")),
    };
    assert_eq!(found, [here]);
}

#[test]
fn addresses_where_nobody_is_do_not_keep_others_from_being_found() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    // And one that listens and says nothing.
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let observatory = Observatory::new(Script::default());
    let list = format!("{nobody},{},{}", silent.local_addr().unwrap(), observatory.address());
    let mut camera = searching(&list);
    assert_eq!(camera.scanning().unwrap().len(), 1);
    assert_eq!(camera.get_parameter("addresses").unwrap(), text(&format!("{list},only")));
}

#[test]
fn addresses_that_are_none_are_refused_and_change_nothing() {
    let mut camera = searching("127.0.0.1:1");
    for list in ["127.0.0.1:", "a b", "127.0.0.1:1,http://x", "x:99999"] {
        let result = camera.set_parameter("addresses", text(list));
        fails(result, ErrorKind::InvalidValue, "is no address: it takes host:port, or a host alone");
    }
    fails(camera.set_parameter("addresses", Value::Bool(true)), ErrorKind::InvalidValue, "takes a text");
    assert_eq!(camera.get_parameter("addresses").unwrap(), text("127.0.0.1:1,only"));
}
