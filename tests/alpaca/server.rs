//! A server of the crate `ascom-alpaca` with scripted cameras, which can be killed and started anew at the same address.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use ascom_alpaca::Server;
use ascom_alpaca::api::CargoServerInfo;
use tokio::sync::oneshot;

use super::door::Door;
use super::script::{Script, Scripted};

/// Where servers are that nobody is to find but by their port.
const HOST: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// A running server. Dropping it kills it.
pub struct Running {
    pub address: SocketAddr,
    /// Whose drop ends the thread, and with it all that the server has.
    _alive: oneshot::Sender<()>,
}

impl Running {
    /// Serves these cameras at `host`, on a port that the system chooses. Each also answers the question of discovery at
    /// that host, and the youngest server takes it from the others.
    pub fn start(host: Ipv4Addr, cameras: Vec<Scripted>) -> Running {
        let (tell, address) = channel();
        let (alive, dead) = oneshot::channel::<()>();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut server = Server::new(CargoServerInfo!());
                server.listen_addr = (host, 0).into();
                for camera in cameras {
                    server.devices.register(camera);
                }
                let bound = server.bind().await.unwrap();
                tell.send(bound.listen_addr()).unwrap();
                tokio::select! {
                    _ = bound.start() => {}
                    _ = dead => {}
                }
            });
            runtime.shutdown_background();
        });
        Running { address: address.recv().unwrap(), _alive: alive }
    }
}

/// One scripted camera behind a door.
pub struct Observatory {
    pub camera: Scripted,
    pub door: Door,
    server: Option<Running>,
}

impl Observatory {
    pub fn new(script: Script) -> Observatory {
        let camera = Scripted::new(script);
        let server = Running::start(HOST, vec![camera.clone()]);
        Observatory { door: Door::before(server.address), camera, server: Some(server) }
    }

    /// `host:port` for the backend.
    pub fn address(&self) -> String {
        self.door.address.to_string()
    }

    /// Kills the server.
    pub fn kill(&mut self) {
        self.door.slam();
        self.server = None;
    }

    /// Nothing reaches the server any more, and nobody says so, until the network is bridged.
    pub fn gap(&self) -> Gap {
        self.door.slam();
        Gap::at(self.door.address)
    }

    /// The server is there again, and knows all that it knew.
    pub fn bridge(&self, gap: Gap) {
        drop(gap);
        self.door.open(self.server.as_ref().expect("the server runs").address);
    }

    /// Starts another server at the same port, whose camera knows nothing of the past.
    pub fn start(&mut self, script: Script) {
        self.camera = Scripted::new(script);
        let server = Running::start(HOST, vec![self.camera.clone()]);
        self.door.open(server.address);
        self.server = Some(server);
    }
}

/// A port at which the kernel answers nobody any more: as many wait to be let in as may.
pub struct Gap {
    _listener: TcpListener,
    _waiting: Vec<TcpStream>,
}

impl Gap {
    fn at(address: SocketAddr) -> Gap {
        let listener = TcpListener::bind(address).unwrap();
        rustix::net::listen(&listener, 0).unwrap();
        let patience = Duration::from_millis(200);
        let waiting = std::iter::from_fn(|| TcpStream::connect_timeout(&address, patience).ok()).collect();
        Gap { _listener: listener, _waiting: waiting }
    }
}
