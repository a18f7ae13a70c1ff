//! Asking a network where its Alpaca servers are: one small datagram, to which every server answers with its port.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::time::Duration;

use serde_json::Value;

use super::now;
use crate::backend::routes;

/// Where servers listen for the question.
const PORT: u16 = 32227;
const QUESTION: &[u8] = b"alpacadiscovery1";
/// How long to listen for answers each time that the question is asked: a datagram may be lost.
const ROUNDS: [Duration; 2] = [Duration::from_millis(300), Duration::from_millis(600)];
/// An answer is shorter.
const LONGEST: usize = 1024;

/// Asks everybody on the local networks and on this machine; tells each server once, as soon as it has answered.
pub(super) fn ask_everybody(tell: impl FnMut(SocketAddr)) -> io::Result<()> {
    let mut whom = routes::broadcasts();
    whom.extend([Ipv4Addr::BROADCAST, Ipv4Addr::LOCALHOST]);
    let whom: Vec<SocketAddr> = whom.into_iter().map(|address| (address, PORT).into()).collect();
    ask(&whom, tell)
}

/// Asks one host.
pub(super) fn ask_host(host: &str, tell: impl FnMut(SocketAddr)) -> io::Result<()> {
    let whom: Vec<SocketAddr> = (host, PORT).to_socket_addrs()?.collect();
    ask(&whom, tell)
}

fn ask(whom: &[SocketAddr], mut tell: impl FnMut(SocketAddr)) -> io::Result<()> {
    let of_version_4 = whom.iter().any(SocketAddr::is_ipv4);
    let any: IpAddr = if of_version_4 { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0))?;
    socket.set_broadcast(true)?;
    let mut known: Vec<SocketAddr> = Vec::new();
    let mut buffer = [0; LONGEST];
    for listen in ROUNDS {
        for address in whom.iter().filter(|address| address.is_ipv4() == of_version_4) {
            // Not every network can be reached from here, and that is nobody's fault.
            if let Err(error) = socket.send_to(QUESTION, address) {
                tracing::debug!(%address, %error, "cannot ask for Alpaca servers");
            }
        }
        let end = now() + listen;
        loop {
            let left = end.saturating_duration_since(now());
            if left.is_zero() {
                break;
            }
            socket.set_read_timeout(Some(left))?;
            let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
            let Some(port) = port(&buffer[..length]) else { continue };
            let server = SocketAddr::new(from.ip(), port);
            if !known.contains(&server) {
                known.push(server);
                tell(server);
            }
        }
    }
    Ok(())
}

/// The port in a server's answer.
pub(super) fn port(answer: &[u8]) -> Option<u16> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    let port = u16::try_from(answer.get("AlpacaPort")?.as_u64()?).ok();
    port.filter(|port| *port > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_port_is_an_answer() {
        assert_eq!(port(br#"{"AlpacaPort":11111}"#), Some(11111));
        assert_eq!(port(br#"{ "AlpacaPort" : 80, "More" : "x" }"#), Some(80));
        for answer in
            [&b"{}"[..], b"", b"alpacadiscovery1", br#"{"AlpacaPort":0}"#, br#"{"AlpacaPort":70000}"#]
        {
            assert_eq!(port(answer), None);
        }
    }

    #[test]
    fn a_host_is_asked_and_its_answers_are_told_once() {
        let server = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let at = server.local_addr().unwrap();
        let thread = std::thread::spawn(move || {
            let mut buffer = [0; LONGEST];
            let (length, from) = server.recv_from(&mut buffer).unwrap();
            assert_eq!(&buffer[..length], QUESTION);
            for answer in [&b"rubbish"[..], br#"{"AlpacaPort":1234}"#, br#"{"AlpacaPort":1234}"#] {
                server.send_to(answer, from).unwrap();
            }
        });
        let mut told = Vec::new();
        ask(&[at], |server| told.push(server)).unwrap();
        thread.join().unwrap();
        assert_eq!(told, [SocketAddr::from((Ipv4Addr::LOCALHOST, 1234))]);
    }
}
