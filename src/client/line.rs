//! The task that owns the line: it makes the connection and makes it again, hears everything and says what it is told.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep, sleep_until};

use super::address::Address;
use super::error::{ClientError, Result};
use super::incoming::{Incoming, News};
use super::mirror::{FRAMES, Link, Mirror};
use super::process::Process;
use super::server::Patience;
use super::transport::Transport;
use crate::wire::heard::{Heard, What};
use crate::wire::{Kind, New, Request, write};

/// The first pause before a new connection, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// How long a connection has to be made.
const OPENING: Duration = Duration::from_secs(10);
/// A connection that lasted so long was a good one: the pauses are short again after it.
const LASTING: Duration = Duration::from_secs(10);
/// Reads in a row before others get their turn.
const IN_A_ROW: usize = 16;

/// What the line is told to do.
#[derive(Debug)]
pub(super) enum Order {
    /// Say this, if the connection is still the one that was meant.
    Say { session: u64, request: Request },
    /// Frames of this device are wanted, now and on later connections.
    WantFrames { device: String },
    /// End, and tell when that is done.
    Close { done: oneshot::Sender<()> },
}

/// The task.
pub(super) struct Line {
    pub(super) address: Address,
    pub(super) mirror: Arc<watch::Sender<Mirror>>,
    pub(super) orders: mpsc::UnboundedReceiver<Order>,
    pub(super) started: Instant,
    pub(super) patience: Patience,
    /// Devices whose frames are wanted.
    pub(super) framed: Vec<String>,
    /// Who waits for the first connection.
    pub(super) first: Option<oneshot::Sender<Result<()>>>,
}

/// Why a connection is over.
enum End {
    /// The other side, or the way there.
    Lost(String),
    /// We were told to, or nobody is left who could tell us anything.
    Told(Option<oneshot::Sender<()>>),
}

/// One connection.
struct Connection {
    transport: Transport,
    process: Option<Process>,
    incoming: Incoming,
    /// What is still to be said.
    outgoing: Vec<u8>,
    session: u64,
}

impl Line {
    /// Runs until it is told to end, or a lost connection cannot be made again. A first one that fails is not tried
    /// again.
    pub(super) async fn run(mut self) {
        let (mut session, mut pause, mut lost_at) = (0, PAUSES.0, None);
        let (why, done) = loop {
            let began = Instant::now();
            session += 1;
            let why = match self.connection(session).await {
                End::Lost(why) => why,
                End::Told(done) => break ("it was closed".to_owned(), done),
            };
            if let Some(first) = self.first.take() {
                let address = self.address.to_string();
                // Whoever asked may have given up.
                let _ = first.send(Err(ClientError::Unreachable { address, why: why.clone() }));
                break (why, None);
            }
            self.lost(&why);
            if began.elapsed() > LASTING {
                (pause, lost_at) = (PAUSES.0, None);
            }
            let now = Instant::now();
            if now - *lost_at.get_or_insert(now) > self.patience.reconnect {
                break (format!("{why}; gave up after {} s", self.patience.reconnect.as_secs()), None);
            }
            if let Some(done) = self.pause(pause).await {
                break ("it was closed".to_owned(), done);
            }
            pause = (pause * 2).min(PAUSES.1);
        };
        self.mirror.send_modify(|mirror| {
            mirror.forget();
            mirror.link = Link::Closed { why };
        });
        if let Some(done) = done {
            let _ = done.send(());
        }
    }

    /// One connection, from its beginning to its end.
    async fn connection(&mut self, session: u64) -> End {
        let (transport, process) = match self.open().await {
            Ok(opened) => opened,
            Err(error) => return End::Lost(error.to_string()),
        };
        let (incoming, outgoing) = (Incoming::new(), Vec::new());
        let mut connection = Connection { transport, process, incoming, outgoing, session };
        self.greet(&mut connection);
        let end = self.serve(&mut connection).await;
        let Connection { transport, process, .. } = connection;
        // Which is how a driver of ours is told to end.
        drop(transport);
        if let Some(process) = process {
            if let End::Lost(why) = &end {
                self.lost(why);
            }
            process.farewell().await;
        }
        end
    }

    async fn open(&self) -> io::Result<(Transport, Option<Process>)> {
        match &self.address {
            Address::Tcp { host, port } => {
                let opened = tokio::time::timeout(OPENING, Transport::tcp(host, *port)).await;
                let late = |_elapsed| io::Error::new(io::ErrorKind::TimedOut, "nobody answers");
                Ok((opened.map_err(late)??, None))
            }
            Address::Local(name) => Ok((Transport::local(name)?, None)),
            Address::Driver(launch) => {
                let (process, socket) = Process::start(launch, self.patience.farewell)?;
                Ok((Transport::unix(socket)?, Some(process)))
            }
        }
    }

    /// The first words of a connection, by which the other side tells everything again. A server has been reached with
    /// that; of a driver we want to hear something first.
    fn greet(&mut self, connection: &mut Connection) {
        connection.say(&Request::GetProperties { device: None, name: None });
        for device in &self.framed {
            self.want_frames(device, connection);
        }
        let session = connection.session;
        self.mirror.send_modify(|mirror| {
            mirror.forget();
            mirror.link = Link::Up { session };
        });
        if connection.process.is_none() {
            self.reached();
        }
    }

    fn reached(&mut self) {
        if let Some(first) = self.first.take() {
            let _ = first.send(Ok(()));
        }
    }

    /// To a server; a driver that is ours sends its frames to us whatever we say.
    fn want_frames(&self, device: &str, connection: &mut Connection) {
        if !matches!(self.address, Address::Driver(_)) {
            write::enable_blob(device, FRAMES, &mut connection.outgoing);
        }
    }

    async fn serve(&mut self, connection: &mut Connection) -> End {
        loop {
            let deadline = self.mirror.borrow().deadline();
            tokio::select! {
                ready = connection.transport.ready(!connection.outgoing.is_empty()) => {
                    let went_on = match ready {
                        Ok(()) => self.exchange(connection),
                        Err(error) => Err(error.to_string()),
                    };
                    if let Err(why) = went_on {
                        return End::Lost(connection.last_words(why).await);
                    }
                }
                order = self.orders.recv() => match order {
                    Some(Order::Say { session, request }) if session == connection.session => connection.say(&request),
                    Some(Order::Say { .. }) => {}
                    Some(Order::WantFrames { device }) => {
                        if !self.framed.contains(&device) {
                            self.want_frames(&device, connection);
                            self.framed.push(device);
                        }
                    }
                    Some(Order::Close { done }) => {
                        // What was said before is still to be heard: an abort, a disconnect.
                        let _ = tokio::time::timeout(OPENING, self.finish(connection)).await;
                        return End::Told(Some(done));
                    }
                    None => {
                        let _ = tokio::time::timeout(OPENING, self.finish(connection)).await;
                        return End::Told(None);
                    }
                },
                () = due(self.started, deadline) => self.expire(connection),
            }
        }
    }

    /// Reads and writes what can be done at once.
    fn exchange(&mut self, connection: &mut Connection) -> Result<(), String> {
        connection.flush()?;
        for _ in 0..IN_A_ROW {
            let received = connection.transport.receive(connection.incoming.space());
            match received.map_err(|error| error.to_string())? {
                None => break,
                Some(received) if received.bytes == 0 => return Err("it has closed the line".to_owned()),
                Some(received) => connection.incoming.filled(received.bytes, received.fds),
            }
            loop {
                let wanted = |device: &str, vector: &str| self.mirror.borrow().wants(device, vector);
                let Some(news) = connection.incoming.next(wanted) else { break };
                self.hear(news, connection)?;
            }
        }
        connection.flush()
    }

    fn hear(&mut self, news: News, connection: &mut Connection) -> Result<(), String> {
        let now = self.started.elapsed();
        match news {
            News::Heard(Heard { what: What::PingRequest { uid }, .. }, _) => {
                connection.say(&Request::PingReply { uid });
            }
            News::Heard(heard, files) => {
                self.mirror.send_modify(|mirror| mirror.apply(now, heard, files));
                self.reached();
            }
            News::Arriving { device, received, size } => {
                self.mirror.send_if_modified(|mirror| {
                    let device = mirror.device_mut(&device);
                    device.is_some_and(|device| device.exposure.arriving(now, received, size))
                });
            }
            News::OutOfStep => return Err("what it sent could not be read".to_owned()),
        }
        Ok(())
    }

    /// Says what is still to be said.
    async fn finish(&mut self, connection: &mut Connection) {
        while !connection.outgoing.is_empty() && connection.transport.ready(true).await.is_ok() {
            if self.exchange(connection).is_err() {
                return;
            }
        }
    }

    fn expire(&self, connection: &mut Connection) {
        let now = self.started.elapsed();
        let mut stop = Vec::new();
        self.mirror.send_modify(|mirror| stop = mirror.expire(now));
        for device in stop {
            connection.say(&abort(&device));
        }
    }

    fn lost(&self, why: &str) {
        tracing::debug!(address = %self.address, why, "line lost");
        self.mirror.send_modify(|mirror| {
            mirror.forget();
            mirror.link = Link::Lost { why: why.to_owned() };
        });
    }

    /// Waits; `Some` when it was told to end meanwhile.
    async fn pause(&mut self, pause: Duration) -> Option<Option<oneshot::Sender<()>>> {
        let over = sleep(pause);
        tokio::pin!(over);
        loop {
            tokio::select! {
                () = &mut over => return None,
                order = self.orders.recv() => match order {
                    Some(Order::Say { .. }) => {}
                    Some(Order::WantFrames { device }) => {
                        if !self.framed.contains(&device) {
                            self.framed.push(device);
                        }
                    }
                    Some(Order::Close { done }) => return Some(Some(done)),
                    None => return Some(None),
                },
            }
        }
    }
}

impl Connection {
    fn say(&mut self, request: &Request) {
        write::request(request, &mut self.outgoing);
    }

    fn flush(&mut self) -> Result<(), String> {
        while !self.outgoing.is_empty() {
            match self.transport.send(&self.outgoing).map_err(|error| error.to_string())? {
                Some(sent) => drop(self.outgoing.drain(..sent)),
                None => break,
            }
        }
        Ok(())
    }

    /// Why the line is lost: what a driver of ours died of, rather than that it no longer speaks.
    async fn last_words(&mut self, why: String) -> String {
        const DYING: Duration = Duration::from_secs(1);
        let Some(process) = &mut self.process else { return why };
        tokio::time::timeout(DYING, process.ended()).await.unwrap_or(why)
    }
}

/// The wish to abort an exposure.
pub(super) fn abort(device: &str) -> Request {
    Request::New(New {
        device: Some(device.to_owned()),
        name: "CCD_ABORT_EXPOSURE".to_owned(),
        kind: Kind::Switch,
        elements: vec![("ABORT".to_owned(), "On".to_owned())],
    })
}

async fn due(started: Instant, deadline: Option<Duration>) {
    match deadline {
        Some(deadline) => sleep_until(started + deadline).await,
        None => std::future::pending().await,
    }
}
