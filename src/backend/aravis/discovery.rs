//! Asking a network which GigE Vision cameras it has: one small datagram, to which every camera answers with its name.
//!
//! This is not left to the library: its search shares state between all cameras of a process, and does not reach a camera
//! behind a router.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::time::{Duration, Instant};

use super::now;
use crate::backend::routes;

/// Where cameras listen.
pub(super) const PORT: u16 = 3956;
/// Key, "answer, please", discovery, no data, number of the question.
pub(super) const QUESTION: [u8; 8] = [0x42, 0x01, 0x00, 0x02, 0x00, 0x00, 0x00, 0x01];
/// How long to listen each time that everybody is asked; a camera may take its time, and a datagram may be lost.
const EVERYBODY: [Duration; 2] = [Duration::from_millis(400), Duration::from_millis(600)];
/// How long to wait for one camera each time that it is asked.
const ONE: [Duration; 3] =
    [Duration::from_millis(200), Duration::from_millis(300), Duration::from_millis(500)];
/// Bytes of an answer: a header, and the first registers of the camera.
const HEADER: usize = 8;
const REGISTERS: usize = 0xf8;

/// A camera that has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) vendor: String,
    pub(super) model: String,
    /// What the maker has given it, or the address of its network card.
    pub(super) serial: String,
    pub(super) address: Ipv4Addr,
    /// Our own address on the way to it.
    pub(super) interface: Ipv4Addr,
}

/// Asks everybody on the local networks.
pub(super) fn ask_everybody() -> Vec<Answer> {
    let mut networks = routes::broadcasts();
    networks.push(Ipv4Addr::LOCALHOST);
    let sockets: Vec<(UdpSocket, Ipv4Addr)> =
        networks.into_iter().filter_map(|network| Some((towards(network).ok()?, network))).collect();
    let mut answers: Vec<Answer> = Vec::new();
    for listen in EVERYBODY {
        for (socket, network) in &sockets {
            // Cameras of another subnet hear the second of these only.
            for whom in [*network, Ipv4Addr::BROADCAST] {
                // Not every network can be reached from here, and that is nobody's fault.
                if let Err(error) = socket.send_to(&QUESTION, (whom, PORT)) {
                    tracing::debug!(%whom, %error, "cannot ask for cameras");
                }
            }
        }
        let end = now() + listen;
        for (socket, _) in &sockets {
            while let Some(answer) = next_answer(socket, end) {
                if !answers.contains(&answer) {
                    answers.push(answer);
                }
            }
        }
    }
    answers
}

/// Asks the camera at one address; `None` if there is none.
pub(super) fn ask(address: Ipv4Addr) -> io::Result<Option<Answer>> {
    let socket = towards(address)?;
    for listen in ONE {
        socket.send_to(&QUESTION, (address, PORT))?;
        let end = now() + listen;
        while let Some(answer) = next_answer(&socket, end) {
            if answer.address == address {
                return Ok(Some(answer));
            }
        }
    }
    Ok(None)
}

/// A socket with the address that this machine has towards another, or towards a network.
fn towards(address: Ipv4Addr) -> io::Result<UdpSocket> {
    let probe = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    probe.set_broadcast(true)?;
    probe.connect((address, PORT))?;
    let socket = UdpSocket::bind((probe.local_addr()?.ip(), 0))?;
    socket.set_broadcast(true)?;
    Ok(socket)
}

/// The next answer that comes until then. What is no answer does not count.
fn next_answer(socket: &UdpSocket, end: Instant) -> Option<Answer> {
    let IpAddr::V4(interface) = socket.local_addr().ok()?.ip() else { return None };
    let mut buffer = [0; 1024];
    loop {
        // What has come by now is taken even when the time is up.
        let left = end.saturating_duration_since(now()).max(Duration::from_millis(1));
        socket.set_read_timeout(Some(left)).ok()?;
        match socket.recv_from(&mut buffer) {
            Ok((length, SocketAddr::V4(from))) => {
                let answer = read(&buffer[..length], from, interface);
                if answer.is_some() {
                    return answer;
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return None,
            // Somebody's port is closed.
            Ok(_) | Err(_) => {}
        }
        if now() >= end {
            return None;
        }
    }
}

fn read(bytes: &[u8], from: SocketAddrV4, interface: Ipv4Addr) -> Option<Answer> {
    let (header, registers) = bytes.split_at_checked(HEADER)?;
    let is_answer = header[..4] == [0, 0, 0, 3] && from.port() == PORT && registers.len() >= REGISTERS;
    if !is_answer {
        return None;
    }
    let text = |start: usize, length: usize| {
        let bytes = &registers[start..start + length];
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(length);
        let text = String::from_utf8_lossy(&bytes[..end]);
        text.chars().filter(|c| !c.is_control()).collect::<String>().trim().to_owned()
    };
    // What it says of itself counts: an answer can come another way.
    let own = Ipv4Addr::new(registers[0x24], registers[0x25], registers[0x26], registers[0x27]);
    let address = if own.is_unspecified() { *from.ip() } else { own };
    let card = || {
        let digits = registers[0x0a..0x10].iter().flat_map(|byte| [byte >> 4, byte & 15]);
        digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect::<String>()
    };
    let serial = Some(text(0xd8, 16)).filter(|serial| !serial.is_empty());
    Some(Answer {
        vendor: text(0x48, 32),
        model: text(0x68, 32),
        serial: serial.unwrap_or_else(card),
        address,
        interface: if address.is_loopback() { Ipv4Addr::LOCALHOST } else { interface },
    })
}

/// Whether a camera is still there, found out without waiting: it is asked now and then, and its answers are counted.
#[derive(Debug)]
pub(super) struct Presence {
    socket: UdpSocket,
    asked: Option<Instant>,
    /// Questions without an answer, and since when there are any.
    open: u32,
    since: Instant,
    /// The machine at that address has said that nobody listens there any more.
    refused: u32,
}

impl Presence {
    const EVERY: Duration = Duration::from_millis(500);
    /// A camera that is silent for so long, and to so many questions, is gone.
    const SILENCE: Duration = Duration::from_secs(3);
    const QUESTIONS: u32 = 4;
    const REFUSALS: u32 = 2;

    pub(super) fn of(camera: Ipv4Addr, interface: Ipv4Addr) -> io::Result<Presence> {
        Presence::at((camera, PORT).into(), interface)
    }

    fn at(camera: SocketAddr, interface: Ipv4Addr) -> io::Result<Presence> {
        let socket = UdpSocket::bind((interface, 0))?;
        socket.connect(camera)?;
        socket.set_nonblocking(true)?;
        Ok(Presence { socket, asked: None, open: 0, since: now(), refused: 0 })
    }

    /// Hears what has been answered, and asks again if it is time to.
    pub(super) fn is_gone(&mut self) -> bool {
        let mut buffer = [0; 1024];
        loop {
            match self.socket.recv(&mut buffer) {
                Ok(_) => (self.open, self.refused) = (0, 0),
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => self.refused += 1,
                Err(_) => break,
            }
        }
        let now = now();
        let silent =
            self.open >= Self::QUESTIONS && now.saturating_duration_since(self.since) >= Self::SILENCE;
        if silent || self.refused >= Self::REFUSALS {
            return true;
        }
        // One that was refused is asked again at once: a camera that is starting refuses, too, but not for long.
        let every = if self.refused > 0 { Self::EVERY / 5 } else { Self::EVERY };
        if self.asked.is_none_or(|asked| now.saturating_duration_since(asked) >= every) {
            if self.open == 0 {
                self.since = now;
            }
            self.open += 1;
            self.asked = Some(now);
            if self.socket.send(&QUESTION).is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused) {
                self.refused += 1;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(serial: &str) -> Vec<u8> {
        let mut bytes = vec![0; HEADER + REGISTERS];
        bytes[..8].copy_from_slice(&[0, 0, 0, 3, 0, 0xf8, 0, 1]);
        bytes[HEADER + 0x0a..HEADER + 0x10].copy_from_slice(&[0, 0x11, 0x1c, 0xf0, 0x0d, 0x01]);
        for (at, text) in [(0x48, "Aravis "), (0x68, "Fake"), (0xd8, serial)] {
            bytes[HEADER + at..HEADER + at + text.len()].copy_from_slice(text.as_bytes());
        }
        bytes
    }

    const FROM: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 7), PORT);

    #[test]
    fn an_answer_tells_who_the_camera_is() {
        let came = read(&answer("RIG1"), FROM, Ipv4Addr::LOCALHOST).unwrap();
        assert_eq!((came.vendor.as_str(), came.model.as_str()), ("Aravis", "Fake"));
        assert_eq!((came.serial.as_str(), came.address), ("RIG1", *FROM.ip()));
        let mut elsewhere = answer("RIG1");
        elsewhere[HEADER + 0x24..HEADER + 0x28].copy_from_slice(&[127, 0, 0, 1]);
        let came = read(&elsewhere, FROM, *FROM.ip()).unwrap();
        assert_eq!((came.address, came.interface), (Ipv4Addr::LOCALHOST, Ipv4Addr::LOCALHOST));
        // As long as its register, and so without a zero behind it.
        let long = read(&answer("0123456789abcdef"), FROM, Ipv4Addr::LOCALHOST).unwrap();
        assert_eq!(long.serial, "0123456789abcdef");
    }

    #[test]
    fn a_camera_without_a_serial_number_is_known_by_its_network_card() {
        assert_eq!(read(&answer(""), FROM, Ipv4Addr::LOCALHOST).unwrap().serial, "00111cf00d01");
    }

    #[test]
    fn what_is_no_answer_is_none() {
        let good = answer("RIG1");
        let mut refusal = good.clone();
        refusal[0] = 0x80;
        for bytes in [&[][..], &good[..7], &good[..good.len() - 1], &refusal] {
            assert_eq!(read(bytes, FROM, Ipv4Addr::LOCALHOST), None);
        }
        assert_eq!(read(&good, SocketAddrV4::new(*FROM.ip(), 1), Ipv4Addr::LOCALHOST), None);
    }

    #[test]
    fn a_port_that_is_closed_is_a_camera_that_is_gone() {
        let camera = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut presence = Presence::at(camera.local_addr().unwrap(), Ipv4Addr::LOCALHOST).unwrap();
        assert!(!presence.is_gone());
        let mut buffer = [0; 64];
        let (length, from) = camera.recv_from(&mut buffer).unwrap();
        assert_eq!(buffer[..length], QUESTION);
        camera.send_to(b"here", from).unwrap();
        assert!(!presence.is_gone());
        drop(camera);
        let end = now() + Duration::from_secs(20);
        while !presence.is_gone() {
            assert!(now() < end, "nobody noticed");
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }
}
