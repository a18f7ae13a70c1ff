//! A line to the other side, and what is known through it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::address::Address;
use super::camera::Camera;
use super::error::{ClientError, Result};
use super::line::{Line, Order};
use super::mirror::{Device, Link, Mirror};
use crate::camera::answer::{Found, Scan};
use crate::wire::Request;

/// How long things may take before they are an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For a driver to answer a wish.
    pub answer: Duration,
    /// For a device to be there at all, after the line has been made.
    pub appear: Duration,
    /// For a camera to connect or disconnect.
    pub connect: Duration,
    /// For a frame to be read out and sent, beside the time of its exposure.
    pub read_out: Duration,
    /// For a lost line to be made again before it is given up.
    pub reconnect: Duration,
    /// For a driver of ours to end when it is told to. Ours promises 2 s; a cooled camera of somebody else's may have
    /// something to do.
    pub farewell: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Patience {
            answer: Duration::from_secs(10),
            appear: Duration::from_secs(10),
            connect: Duration::from_secs(60),
            read_out: Duration::from_secs(60),
            reconnect: Duration::from_secs(600),
            farewell: Duration::from_secs(5),
        }
    }
}

/// A line to an indiserver, or to a driver of our own. Clones share it; with the last one and its cameras it ends.
#[derive(Clone, Debug)]
pub struct Server {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    address: Address,
    patience: Patience,
    mirror: Arc<watch::Sender<Mirror>>,
    orders: mpsc::UnboundedSender<Order>,
    started: Instant,
    exposures: AtomicU64,
    /// One lock per camera, held while its settings are changed for one exposure.
    settings: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

impl Server {
    /// Makes the line, or says why there is none. The connection is made again when it is lost.
    ///
    /// Needs a tokio runtime with I/O and time; a current-thread one will do.
    pub async fn connect(address: Address, patience: Patience) -> Result<Server> {
        let mirror = Arc::new(watch::Sender::new(Mirror::default()));
        let (orders, heard) = mpsc::unbounded_channel();
        let (tell, first) = oneshot::channel();
        let started = Instant::now();
        let line = Line {
            address: address.clone(),
            mirror: Arc::clone(&mirror),
            orders: heard,
            started,
            patience,
            framed: Vec::new(),
            first: Some(tell),
        };
        tokio::spawn(line.run());
        let unreachable =
            |why: &str| ClientError::Unreachable { address: address.to_string(), why: why.to_owned() };
        match tokio::time::timeout(patience.appear, first).await {
            Ok(Ok(reached)) => reached?,
            Ok(Err(_dropped)) => return Err(unreachable("the runtime ends")),
            Err(_elapsed) => return Err(unreachable("nobody answers")),
        }
        let (exposures, settings) = (AtomicU64::new(0), Mutex::default());
        let shared = Shared { address, patience, mirror, orders, started, exposures, settings };
        Ok(Server { shared: Arc::new(shared) })
    }

    /// Ends the line, after all that was asked has been said, and settings of a single exposure have been put back. A driver
    /// of ours is told by that to end, and is ended if it does not.
    pub async fn close(self) {
        let running = |name: &String| {
            self.look(|mirror| mirror.device(name).is_some_and(|device| device.exposure.running().is_some()))
        };
        let mut devices: Vec<String> = self.locks().keys().cloned().collect();
        devices.retain(|name| !running(name));
        for device in devices {
            self.settled(&device).await;
        }
        let (done, closed) = oneshot::channel();
        self.order(Order::Close { done });
        // An error says that the line had ended before.
        let _ = closed.await;
    }

    /// Where it leads.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.shared.address
    }

    /// How long things may take.
    #[must_use]
    pub fn patience(&self) -> Patience {
        self.shared.patience
    }

    /// A look at everything that is known. Whoever looks must not look again from within.
    pub fn look<T>(&self, look: impl FnOnce(&Mirror) -> T) -> T {
        look(&self.shared.mirror.borrow())
    }

    /// To be told of every change: `changed().await`, then `borrow_and_update()`. Changes that follow each other
    /// quickly are told as one.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Mirror> {
        self.shared.mirror.subscribe()
    }

    /// Waits until `look` finds something, for so long at most. `what` completes "… did not happen within".
    pub async fn until<T>(
        &self,
        limit: Duration,
        what: impl Into<String>,
        mut look: impl FnMut(&Mirror) -> Option<T>,
    ) -> Result<T> {
        let mut mirror = self.watch();
        let mut found = None;
        let mut closed = None;
        let waiting = mirror.wait_for(|mirror| {
            if let Link::Closed { why } = mirror.link() {
                closed = Some(why.clone());
            }
            found = look(mirror);
            found.is_some() || closed.is_some()
        });
        let waited = tokio::time::timeout(limit, waiting).await.is_ok();
        match (found, closed) {
            (Some(found), _) => Ok(found),
            (None, Some(why)) => Err(self.gone(why)),
            (None, None) if waited => Err(self.gone("the runtime ends".to_owned())),
            (None, None) => Err(ClientError::Timeout { what: what.into(), limit }),
        }
    }

    /// The camera of that device name, whether it is there or not.
    #[must_use]
    pub fn camera(&self, device: impl Into<String>) -> Camera {
        Camera::new(self.clone(), device.into())
    }

    /// The cameras that there are, by name: devices that say so in DRIVER_INFO. Waits until no more are told of for half a
    /// second, and for the first as long as a device may take to appear, or until drivers that search for cameras say
    /// that there is none.
    pub async fn scanning(&self) -> Result<Scan> {
        const QUIET: Duration = Duration::from_millis(500);
        self.session().await?;
        let ends = Instant::now() + self.patience().appear;
        let enough = |mirror: &Mirror| mirror.devices().iter().any(Device::is_camera) || mirror.is_searched();
        loop {
            let seen = self.look(|mirror| (mirror.size(), enough(mirror)));
            let left = ends.saturating_duration_since(Instant::now());
            let patience = if seen.1 { QUIET } else { left };
            let more = |mirror: &Mirror| ((mirror.size(), enough(mirror)) != seen).then_some(());
            match self.until(patience, "more devices", more).await {
                Ok(()) if !left.is_zero() => {}
                Ok(()) | Err(ClientError::Timeout { .. }) => break,
                Err(gone) => return Err(gone),
            }
        }
        let mut cameras: Vec<Found> = self.look(|mirror| {
            mirror.devices().iter().filter(|device| device.is_camera()).map(super::info::found).collect()
        });
        // Which device of a driver is defined first may be different each time.
        cameras.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(Scan { camera: cameras.iter().map(|camera| camera.name.clone()).collect(), cameras })
    }

    /// The number of the connection that there is now; waits for it a while when it is being made again.
    pub(super) async fn session(&self) -> Result<u64> {
        let up = |mirror: &Mirror| match mirror.link() {
            Link::Up { session } => Some(*session),
            _ => None,
        };
        match self.until(self.patience().appear, "a connection", up).await {
            Err(ClientError::Timeout { .. }) => {
                let why = self.look(|mirror| match mirror.link() {
                    Link::Lost { why } => why.clone(),
                    _ => "the line is being made".to_owned(),
                });
                Err(self.gone(why))
            }
            session => session,
        }
    }

    /// As [`until`](Self::until), as long as this connection lasts.
    pub(super) async fn until_in<T>(
        &self,
        session: u64,
        limit: Duration,
        what: impl Into<String>,
        mut look: impl FnMut(&Mirror) -> Option<Result<T>>,
    ) -> Result<T> {
        let found = self.until(limit, what, |mirror| match mirror.link() {
            Link::Up { session: now } if *now == session => look(mirror),
            Link::Lost { why } => Some(Err(self.gone(why.clone()))),
            _ => Some(Err(self.gone("it was lost, and is there again".to_owned()))),
        });
        found.await?
    }

    pub(super) fn gone(&self, why: String) -> ClientError {
        ClientError::ServerGone { address: self.shared.address.to_string(), why }
    }

    /// Says something on this connection, if it is still there.
    pub(super) fn say(&self, session: u64, request: Request) {
        self.order(Order::Say { session, request });
    }

    pub(super) fn order(&self, order: Order) {
        // An error says that the line has ended, which the mirror says too.
        let _ = self.shared.orders.send(order);
    }

    /// Time since the line was first made.
    pub(super) fn now(&self) -> Duration {
        self.shared.started.elapsed()
    }

    pub(super) fn next_exposure(&self) -> u64 {
        self.shared.exposures.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Changes what is known, and tells everybody.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Mirror) -> T) -> Option<T> {
        let mut result = None;
        self.shared.mirror.send_modify(|mirror| result = Some(change(mirror)));
        result
    }

    /// The lock of one camera's settings.
    pub(super) fn settings(&self, device: &str) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(self.locks().entry(device.to_owned()).or_default())
    }

    /// Waits until the settings of one exposure have been put back, if there are any.
    pub(super) async fn settled(&self, device: &str) {
        // Whoever puts them back has a limit too, and says what fails.
        let _ = tokio::time::timeout(2 * self.patience().answer, self.settings(device).lock()).await;
    }

    fn locks(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<tokio::sync::Mutex<()>>>> {
        self.shared.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
