//! Where to look for servers.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::backend::places;

/// What the user says about where servers are: given ones are asked first, in this order, then the local network and this
/// machine.
pub(super) type Places = places::Places<Place>;

/// An address as people write it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// `host:port`: a server.
    Server(String),
    /// A host that says by itself which port its servers have.
    Host(String),
}

impl FromStr for Place {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let wrong = || format!("{word} is no address: it takes host:port, or a host alone");
        let is_number = |address: &str| address.parse::<IpAddr>().is_ok();
        // An address of version 6 has colons of its own; brackets are around it where a port follows.
        let bare =
            |word: &str| word.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).map(str::to_owned);
        if let Some(bare) = bare(word).or_else(|| is_number(word).then(|| word.to_owned())) {
            return if is_number(&bare) { Ok(Place::Host(bare)) } else { Err(wrong()) };
        }
        let (host, port) = match word.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (word, None),
        };
        let good = match bare(host) {
            Some(bare) => is_number(&bare),
            None => !host.is_empty() && host.chars().all(|c| c.is_alphanumeric() || "-._".contains(c)),
        };
        match port.map(str::parse::<u16>) {
            None if good => Ok(Place::Host(host.to_owned())),
            Some(Ok(1..)) if good => Ok(Place::Server(word.to_owned())),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (Place::Server(address) | Place::Host(address)) = self;
        f.write_str(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_and_hosts_are_told_apart() {
        let server = |address: &str| Place::Server(address.to_owned());
        let host = |address: &str| Place::Host(address.to_owned());
        for (word, place) in [
            ("10.0.0.7:11111", server("10.0.0.7:11111")),
            ("dome-pc.local:80", server("dome-pc.local:80")),
            ("[fe80::1]:11111", server("[fe80::1]:11111")),
            ("10.0.0.7", host("10.0.0.7")),
            ("localhost", host("localhost")),
            ("fe80::1", host("fe80::1")),
            ("[fe80::1]", host("fe80::1")),
        ] {
            assert_eq!(word.parse(), Ok(place), "{word}");
        }
        for word in ["a:", ":1", "a:0", "a:65536", "a:b", "a b:1", "http://a:1", "[x]:1", "a/0", "a:1/0"] {
            let error = word.parse::<Place>().unwrap_err();
            assert_eq!(error, format!("{word} is no address: it takes host:port, or a host alone"));
        }
    }

    #[test]
    fn a_list_of_servers_and_hosts_is_one() {
        let places: Places = "a:1,b,only".parse().unwrap();
        assert_eq!(places.given, [Place::Server("a:1".to_owned()), Place::Host("b".to_owned())]);
        assert!("a:1,b:".parse::<Places>().is_err());
    }
}
