//! Where a camera is to be found: `host:port`, `@name` of a local socket, or a driver to start.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::error::ClientError;

/// The port of an indiserver that was told no other.
pub const DEFAULT_PORT: u16 = 7624;
/// The local socket of an indiserver that was told no other.
pub const DEFAULT_SOCKET: &str = "/tmp/indiserver";

/// The other end of the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// An indiserver over TCP. Frames come as base64.
    Tcp {
        /// Name or number, without brackets around an IPv6 one.
        host: String,
        /// Usually [`DEFAULT_PORT`].
        port: u16,
    },
    /// An indiserver on this machine, by the abstract name of its socket. Frames come as descriptors of the memory that
    /// the driver wrote, and are not copied.
    Local(String),
    /// A driver that is started here, and for which we are the server. Frames come as descriptors.
    Driver(Launch),
}

/// How a driver is started: without arguments, as indiserver does it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// The program. One without a slash is looked for in PATH.
    pub program: PathBuf,
    /// The name that it is told it was started by, where that is not the program's own. Our driver chooses by it which
    /// cameras to serve.
    pub name: Option<OsString>,
    /// More environment, such as `INDIDEV`.
    pub env: Vec<(OsString, OsString)>,
    /// Variables of ours that it shall not see.
    pub without: Vec<OsString>,
}

impl Launch {
    /// A program with our own environment.
    pub fn new(program: impl Into<PathBuf>) -> Launch {
        Launch { program: program.into(), name: None, env: Vec::new(), without: Vec::new() }
    }

    /// Told that it was started by this name.
    #[must_use]
    pub fn named(mut self, name: impl Into<OsString>) -> Launch {
        self.name = Some(name.into());
        self
    }

    /// With one more variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Launch {
        self.env.push((name.into(), value.into()));
        self
    }
}

impl Address {
    /// A driver with our own environment.
    pub fn driver(program: impl AsRef<Path>) -> Address {
        Address::Driver(Launch::new(program.as_ref()))
    }
}

/// `host`, `host:port`, `[::1]:7624` or `@/tmp/indiserver`; an empty host is this machine.
impl FromStr for Address {
    type Err = ClientError;

    fn from_str(text: &str) -> Result<Self, ClientError> {
        if let Some(name) = text.strip_prefix('@') {
            let name = if name.is_empty() { DEFAULT_SOCKET } else { name };
            return Ok(Address::Local(name.to_owned()));
        }
        let bracketed = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let (host, port) = match bracketed {
            Some((host, rest)) => match rest.strip_prefix(':') {
                None if !rest.is_empty() => (text, Some(rest)),
                port => (host, port),
            },
            // More than one colon is an IPv6 number and no port.
            None => match text.split_once(':') {
                Some((host, port)) if !port.contains(':') => (host, Some(port)),
                _ => (text, None),
            },
        };
        let port = match port {
            None | Some("") => DEFAULT_PORT,
            Some(port) => port.parse().map_err(|_no_port| {
                ClientError::Invalid(format!("{text} is no address: {port} is no port; write host:7624"))
            })?,
        };
        let host = if host.is_empty() { "localhost" } else { host };
        Ok(Address::Tcp { host: host.to_owned(), port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Address::Tcp { host, port } => write!(f, "{host}:{port}"),
            Address::Local(name) => write!(f, "@{name}"),
            Address::Driver(launch) => write!(f, "{}", launch.program.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        let tcp = |host: &str, port| Address::Tcp { host: host.into(), port };
        for (text, expected, shown) in [
            ("observatory", tcp("observatory", 7624), "observatory:7624"),
            ("10.0.0.5:7700", tcp("10.0.0.5", 7700), "10.0.0.5:7700"),
            ("localhost:", tcp("localhost", 7624), "localhost:7624"),
            (":7625", tcp("localhost", 7625), "localhost:7625"),
            ("::1", tcp("::1", 7624), "[::1]:7624"),
            ("[::1]:7625", tcp("::1", 7625), "[::1]:7625"),
            ("@", Address::Local(DEFAULT_SOCKET.into()), "@/tmp/indiserver"),
            ("@/run/indi", Address::Local("/run/indi".into()), "@/run/indi"),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!((address.to_string().as_str(), address), (shown, expected), "{text}");
        }
        for text in ["host:port", "host:70000", "[::1]x7625"] {
            assert!(text.parse::<Address>().unwrap_err().to_string().contains(text), "{text}");
        }
    }
}
