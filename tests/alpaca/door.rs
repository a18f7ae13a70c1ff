//! A door before a server that a test can slam: the port stays the same however often the server is killed and started
//! anew.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::support::until;

/// The machine may be an emulated one.
const PATIENCE: Duration = Duration::from_secs(60);

/// What happens to what goes through the door.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Requests whose path has this in it stay without an answer.
    pub stall: Option<&'static str>,
    /// After so many bytes of an image its connection is cut, once.
    pub cut_image: Option<usize>,
    /// After so many bytes of an image no more come.
    pub hold_image: Option<usize>,
    /// All requests that came, by their first line.
    pub heard: Vec<String>,
}

/// The door: a port of its own before a server.
pub struct Door {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
}

struct State {
    plan: Plan,
    /// `None`: nobody is there.
    server: Option<SocketAddr>,
    through: Vec<TcpStream>,
    listening: bool,
}

impl Door {
    pub fn before(server: SocketAddr) -> Door {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let state =
            State { plan: Plan::default(), server: Some(server), through: Vec::new(), listening: true };
        let door = Door { address, state: Arc::new(Mutex::new(state)) };
        door.listen(listener);
        door
    }

    fn listen(&self, listener: TcpListener) {
        let state = Arc::clone(&self.state);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let mut now = state.lock().unwrap();
                let Some(server) = now.server else { break };
                let Ok(server) = TcpStream::connect(server) else { continue };
                now.through.extend([client.try_clone().unwrap(), server.try_clone().unwrap()]);
                drop(now);
                pass(client, server, &state);
            }
            drop(listener);
            state.lock().unwrap().listening = false;
        });
    }

    /// From now on nobody listens, and whoever was inside is thrown out: a server that was killed.
    pub fn slam(&self) {
        let mut state = self.state.lock().unwrap();
        state.server = None;
        for stream in state.through.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        drop(state);
        // Wakes the listener, which then sees that it is to go.
        drop(TcpStream::connect(self.address));
        until("the door is shut", PATIENCE, || !self.state.lock().unwrap().listening);
    }

    /// A server listens again, at the same port.
    pub fn open(&self, server: SocketAddr) {
        let listener = TcpListener::bind(self.address).unwrap();
        let mut state = self.state.lock().unwrap();
        (state.server, state.listening) = (Some(server), true);
        drop(state);
        self.listen(listener);
    }

    pub fn plan(&self, change: impl FnOnce(&mut Plan)) {
        change(&mut self.state.lock().unwrap().plan);
    }

    /// How often a request with this in its first line came.
    pub fn heard(&self, what: &str) -> usize {
        self.state.lock().unwrap().plan.heard.iter().filter(|line| line.contains(what)).count()
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.slam();
    }
}

/// Passes on what both sides say. Requests and answers take turns on a connection, so what a request asks for is known
/// when its answer comes.
fn pass(client: TcpStream, server: TcpStream, state: &Arc<Mutex<State>>) {
    let is_image = Arc::new(Mutex::new(false));
    let (mut from_client, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let (plan, image) = (Arc::clone(state), Arc::clone(&is_image));
    thread::spawn(move || {
        let mut buffer = [0; 16 << 10];
        while let Ok(count @ 1..) = from_client.read(&mut buffer) {
            let words = String::from_utf8_lossy(&buffer[..count]).into_owned();
            let line = words.lines().next().unwrap_or_default().to_owned();
            *image.lock().unwrap() = line.contains("/imagearray");
            let mut now = plan.lock().unwrap();
            let stalls = now.plan.stall.is_some_and(|what| line.contains(what));
            now.plan.heard.push(line);
            drop(now);
            if !stalls && to_server.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        let _ = to_server.shutdown(Shutdown::Both);
    });
    let (mut from_server, mut to_client, state) = (server, client, Arc::clone(state));
    thread::spawn(move || {
        let mut buffer = [0; 16 << 10];
        let mut passed = 0;
        while let Ok(count @ 1..) = from_server.read(&mut buffer) {
            let mut count = count;
            if *is_image.lock().unwrap() {
                let mut now = state.lock().unwrap();
                let limit = now.plan.cut_image.or(now.plan.hold_image);
                if limit.is_some_and(|limit| passed + count > limit) {
                    count = limit.unwrap_or(0).saturating_sub(passed);
                    let _ = to_client.write_all(&buffer[..count]);
                    if now.plan.cut_image.take().is_some() {
                        break;
                    }
                    drop(now);
                    // Until the client hangs up.
                    while let Ok(1..) = from_server.read(&mut buffer) {}
                    break;
                }
            }
            passed += count;
            if to_client.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        let _ = to_client.shutdown(Shutdown::Both);
    });
}
