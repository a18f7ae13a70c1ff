//! One connected socket: bytes and descriptors in, bytes out, never blocking.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::io::IoSliceMut;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SocketAddrUnix, SocketFlags,
    SocketType, recvmsg, socket_with,
};
use tokio::io::Interest;
use tokio::net::{TcpStream, UnixStream};

/// Descriptors that one `recvmsg` may bring; nobody sends more at once.
const FDS: usize = 16;

/// The socket.
#[derive(Debug)]
pub(super) enum Transport {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// What one read brought.
#[derive(Debug)]
pub(super) struct Received {
    /// Bytes; 0 is the end.
    pub(super) bytes: usize,
    pub(super) fds: Vec<OwnedFd>,
}

impl Transport {
    /// To a server over TCP.
    pub(super) async fn tcp(host: &str, port: u16) -> io::Result<Transport> {
        let stream = TcpStream::connect((host, port)).await?;
        // What we say is short, and each sentence is waited for.
        stream.set_nodelay(true)?;
        // A server whose machine has lost power says nothing any more; the kernel notices.
        rustix::net::sockopt::set_socket_keepalive(&stream, true)?;
        rustix::net::sockopt::set_tcp_keepidle(&stream, Duration::from_secs(10))?;
        rustix::net::sockopt::set_tcp_keepintvl(&stream, Duration::from_secs(5))?;
        rustix::net::sockopt::set_tcp_keepcnt(&stream, 4)?;
        Ok(Transport::Tcp(stream))
    }

    /// To a server's local socket, by its abstract name.
    pub(super) fn local(name: &str) -> io::Result<Transport> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        // On a unix socket this is done or refused at once.
        rustix::net::connect(&socket, &SocketAddrUnix::new_abstract_name(name.as_bytes())?)?;
        Transport::unix(socket)
    }

    /// Over a unix socket that is connected.
    pub(super) fn unix(socket: OwnedFd) -> io::Result<Transport> {
        let stream = std::os::unix::net::UnixStream::from(socket);
        stream.set_nonblocking(true)?;
        Ok(Transport::Unix(UnixStream::from_std(stream)?))
    }

    /// Waits until there is something to read, or room to write where that is wanted too.
    pub(super) async fn ready(&self, writing: bool) -> io::Result<()> {
        let interest = if writing { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE };
        match self {
            Transport::Tcp(stream) => stream.ready(interest).await.map(drop),
            Transport::Unix(stream) => stream.ready(interest).await.map(drop),
        }
    }

    /// What has come; `None` is nothing yet.
    pub(super) fn receive(&self, room: &mut [u8]) -> io::Result<Option<Received>> {
        let received = match self {
            Transport::Tcp(stream) => stream.try_io(Interest::READABLE, || receive(stream, room)),
            Transport::Unix(stream) => stream.try_io(Interest::READABLE, || receive(stream, room)),
        };
        unless_it_would_block(received)
    }

    /// Sends as much as there is room for; `None` is nothing now.
    pub(super) fn send(&self, bytes: &[u8]) -> io::Result<Option<usize>> {
        unless_it_would_block(match self {
            Transport::Tcp(stream) => stream.try_write(bytes),
            Transport::Unix(stream) => stream.try_write(bytes),
        })
    }
}

fn unless_it_would_block<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn receive(socket: impl AsFd, room: &mut [u8]) -> io::Result<Received> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FDS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = recvmsg(socket, &mut [IoSliceMut::new(room)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let mut fds = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(came) = message {
            fds.extend(came);
        }
    }
    Ok(Received { bytes: received.bytes, fds })
}
