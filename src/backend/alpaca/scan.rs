//! Which cameras there are: servers found or given, and what each says it has.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::api::{self, Api};
use super::discovery;
use super::fault::Fault;
use super::http::Http;
use super::now;
use super::places::{Place, Places};
use crate::camera::types::CameraId;

/// A server that needs longer to say what it has is not there. Some take seconds over their first answer.
const ANSWER: Duration = Duration::from_secs(5);
/// For the whole search. Only servers that are silent take so long.
const SEARCH: Duration = Duration::from_secs(6);
/// The port that servers have where nobody chose another.
const USUAL_PORT: u16 = 11111;
/// Characters of an identity that tell cameras apart well enough.
const TELLING: usize = 8;
/// A server that does not list its cameras is asked for the first few numbers.
const MOST_UNLISTED: u32 = 4;

/// What one search brought.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) cameras: Vec<CameraId>,
    /// Given places where there is no server, and why.
    pub(super) silent: Vec<(Place, String)>,
}

/// News of a search, with the place of its origin in the order in which duplicates count.
enum News {
    Cameras(Rank, Vec<CameraId>),
    Silent(Place, String),
}

/// Given places in their order, then this machine, then the network by address: the same server answers on several.
type Rank = (usize, bool, Option<SocketAddr>);

/// Searches all places at once, within a few seconds.
pub(super) fn search(places: &Places) -> Found {
    // Its senders are the threads that search: when none is left, nor is any news.
    let (tell, news) = channel();
    for (order, place) in places.given.iter().cloned().enumerate() {
        let tell = tell.clone();
        spawn(move || ask_place(order, &place, &tell));
    }
    if !places.only {
        let order = places.given.len();
        let tell = tell.clone();
        spawn(move || {
            if let Err(error) = discovery::ask_everybody(|server| ask_found(order, server, &tell)) {
                tracing::warn!(%error, "cannot search the network for Alpaca servers");
            }
        });
    }
    drop(tell);
    let end = now() + SEARCH;
    let (mut ranked, mut silent) = (Vec::new(), Vec::new());
    while let Ok(news) = news.recv_timeout(end.saturating_duration_since(now())) {
        match news {
            News::Cameras(rank, cameras) => ranked.push((rank, cameras)),
            News::Silent(place, why) => silent.push((place, why)),
        }
    }
    Found { cameras: unique(ranked), silent }
}

/// A thread of the search that may outlive it: a name service can hang.
fn spawn(work: impl FnOnce() + Send + 'static) {
    let spawned = thread::Builder::new().name("alpaca-search".to_owned()).spawn(work);
    if let Err(error) = spawned {
        tracing::error!(%error, "no thread to search for Alpaca servers");
    }
}

fn ask_place(order: usize, place: &Place, tell: &Sender<News>) {
    let news = match place {
        Place::Server(address) => match cameras_at(address) {
            Ok(cameras) => News::Cameras((order, false, None), cameras),
            Err(fault) => News::Silent(place.clone(), fault.of("scanning", address).detail),
        },
        Place::Host(host) => {
            let mut answered = false;
            let asked = discovery::ask_host(host, |server| {
                answered = true;
                ask_found(order, server, tell);
            });
            match asked {
                Ok(()) if answered => return,
                // It may have a server that does not answer that question.
                Ok(()) => {
                    let usual = Place::Server(format!("{}:{USUAL_PORT}", bracketed(host)));
                    return ask_place(order, &usual, tell);
                }
                Err(error) => News::Silent(place.clone(), format!("cannot ask {host}: {error}")),
            }
        }
    };
    let _ = tell.send(news);
}

/// Asks a server that has answered the question of discovery, while others still may.
fn ask_found(order: usize, server: SocketAddr, tell: &Sender<News>) {
    let tell = tell.clone();
    spawn(move || match cameras_at(&server.to_string()) {
        Ok(cameras) => {
            let rank = (order, !server.ip().is_loopback(), Some(server));
            let _ = tell.send(News::Cameras(rank, cameras));
        }
        Err(fault) => tracing::warn!("{}", fault.of("scanning", &server.to_string())),
    });
}

fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

/// The cameras of all servers, each once.
fn unique(mut ranked: Vec<(Rank, Vec<CameraId>)>) -> Vec<CameraId> {
    ranked.sort_by_key(|(rank, _)| *rank);
    let mut seen = HashSet::new();
    let mut cameras: Vec<CameraId> = ranked.into_iter().flat_map(|(_, cameras)| cameras).collect();
    cameras.retain(|camera| {
        let number = camera.bus.as_deref().and_then(|bus| bus.rsplit('/').next()).unwrap_or_default();
        let by_serial = camera.serial.as_ref().map(|serial| format!("{serial} {} {number}", camera.name));
        let identity = by_serial.or_else(|| camera.bus.clone()).unwrap_or_default();
        seen.insert(identity)
    });
    tell_apart(&mut cameras);
    cameras
}

/// Cameras of one name get the end of what identifies them behind it.
fn tell_apart(cameras: &mut [CameraId]) {
    let names: Vec<String> = cameras.iter().map(|camera| camera.name.clone()).collect();
    for camera in cameras.iter_mut().filter(|c| names.iter().filter(|name| **name == c.name).count() > 1) {
        let identity = camera.serial.as_deref().or(camera.bus.as_deref()).unwrap_or_default();
        let beginning = identity.chars().count().saturating_sub(TELLING);
        let end: String = identity.chars().skip(beginning).collect();
        camera.name = format!("{} {}", camera.name, end.trim_matches(|c: char| !c.is_alphanumeric()));
    }
}

/// The cameras of the server at `host:port`.
pub(super) fn cameras_at(address: &str) -> Result<Vec<CameraId>, Fault> {
    let mut http = Http::new(address);
    match api::ask(&mut http, "/management/v1/configureddevices?ClientID=1&ClientTransactionID=1", ANSWER) {
        Ok(list) => Ok(listed(address, &list)),
        // Some servers do not have the part of the interface that lists what they have.
        Err(fault) if fault.is_lack() => unlisted(address),
        Err(fault) => Err(fault),
    }
}

pub(super) fn listed(address: &str, list: &Value) -> Vec<CameraId> {
    let devices = list.as_array().map(Vec::as_slice).unwrap_or_default();
    let camera = |device: &Value| {
        let text = |key: &str| device.get(key).and_then(Value::as_str).unwrap_or_default().trim();
        let number = device.get("DeviceNumber").and_then(Value::as_u64)?;
        let is_camera = text("DeviceType").eq_ignore_ascii_case("camera");
        is_camera.then(|| identity(text("DeviceName"), text("UniqueID"), &format!("{address}/{number}")))
    };
    devices.iter().filter_map(camera).collect()
}

fn unlisted(address: &str) -> Result<Vec<CameraId>, Fault> {
    let mut cameras = Vec::new();
    for number in 0..MOST_UNLISTED {
        let mut api = Api::new(address, number);
        api.begin(ANSWER);
        match api.text("name") {
            Ok(name) => cameras.push(identity(name.trim(), "", &api.bus())),
            Err(fault) if fault.is_answer() => break,
            Err(fault) => return Err(fault),
        }
    }
    Ok(cameras)
}

fn identity(name: &str, unique_id: &str, bus: &str) -> CameraId {
    let name = if name.is_empty() { "Alpaca Camera" } else { name }.to_owned();
    let serial = (!unique_id.is_empty()).then(|| unique_id.to_owned());
    CameraId { model: name.clone(), name, serial, bus: Some(bus.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera(name: &str, serial: &str, bus: &str) -> CameraId {
        identity(name, serial, bus)
    }

    fn found(order: usize, server: &str, cameras: Vec<CameraId>) -> (Rank, Vec<CameraId>) {
        let server: SocketAddr = server.parse().unwrap();
        ((order, !server.ip().is_loopback(), Some(server)), cameras)
    }

    #[test]
    fn a_camera_that_answers_at_several_addresses_is_one_camera() {
        let at = |address: &str| vec![camera("Cam", "uid", &format!("{address}/0"))];
        let everywhere = || {
            vec![
                found(1, "192.168.0.9:1", at("192.168.0.9:1")),
                found(1, "127.0.0.1:1", at("127.0.0.1:1")),
                found(1, "10.0.0.2:1", at("10.0.0.2:1")),
            ]
        };
        assert_eq!(unique(everywhere()), at("127.0.0.1:1"));
        let mut all = everywhere();
        all.push(((0, false, None), at("dome-pc:1")));
        assert_eq!(unique(all), at("dome-pc:1"));
    }

    #[test]
    fn cameras_of_one_name_are_told_apart_by_what_they_are() {
        let cameras =
            vec![camera("Cam", "u1", "a:1/0"), camera("Cam", "u2", "a:1/1"), camera("Dog", "u3", "a:1/2")];
        let names: Vec<String> =
            unique(vec![((0, false, None), cameras)]).into_iter().map(|camera| camera.name).collect();
        assert_eq!(names, ["Cam u1", "Cam u2", "Dog"]);
    }

    #[test]
    fn cameras_without_an_identity_are_known_by_their_place() {
        let list = |address: &str| vec![camera("", "", &format!("{address}/0"))];
        let two =
            vec![found(0, "10.0.0.1:1", list("10.0.0.1:1")), found(0, "10.0.0.2:1", list("10.0.0.2:1"))];
        let names: Vec<String> = unique(two).into_iter().map(|camera| camera.name).collect();
        assert_eq!(names, ["Alpaca Camera 0.1:1/0", "Alpaca Camera 0.2:1/0"]);
    }

    #[test]
    fn of_what_a_server_lists_only_cameras_count() {
        let list = serde_json::json!([
            {"DeviceName": " Cam ", "DeviceType": "Camera", "DeviceNumber": 3, "UniqueID": "u"},
            {"DeviceName": "Tel", "DeviceType": "Telescope", "DeviceNumber": 0, "UniqueID": "t"},
            {"DeviceName": "Old", "DeviceType": "camera", "DeviceNumber": 4},
            {"DeviceName": "Bad", "DeviceType": "Camera", "DeviceNumber": -1}, 7, null
        ]);
        let cameras = [camera("Cam", "u", "a:1/3"), camera("Old", "", "a:1/4")];
        assert_eq!(listed("a:1", &list), cameras);
        assert!(listed("a:1", &Value::Null).is_empty());
    }
}
