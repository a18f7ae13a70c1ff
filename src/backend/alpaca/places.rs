//! Where to look for servers.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// In the list of addresses: look nowhere else.
const ONLY: &str = "only";

/// What the user says about where cameras are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Places {
    /// Asked first, in this order.
    pub(super) given: Vec<Place>,
    /// The local network and this machine are not searched.
    pub(super) only: bool,
}

/// An address as people write it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// `host:port`: a server.
    Server(String),
    /// A host that says by itself which port its servers have.
    Host(String),
}

impl Places {
    /// Adds what another list says.
    pub(super) fn join(&mut self, more: &Places) {
        let news = more.given.iter().filter(|place| !self.given.contains(place)).cloned();
        let news: Vec<Place> = news.collect();
        self.given.extend(news);
        self.only |= more.only;
    }
}

impl FromStr for Places {
    type Err = String;

    /// `host:port`, `host` and `only`, with commas between them.
    fn from_str(list: &str) -> Result<Self, String> {
        let mut places = Places::default();
        for word in list.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            if word == ONLY {
                places.only = true;
            } else {
                let place = word.parse()?;
                places.join(&Places { given: vec![place], only: false });
            }
        }
        Ok(places)
    }
}

impl fmt::Display for Places {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let only = self.only.then(|| ONLY.to_owned());
        let all: Vec<String> = self.given.iter().map(ToString::to_string).chain(only).collect();
        f.write_str(&all.join(","))
    }
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
    fn a_list_may_have_gaps_and_repetitions() {
        let places: Places = " a:1,, b , a:1,only".parse().unwrap();
        assert_eq!(places.to_string(), "a:1,b,only");
        assert_eq!("".parse(), Ok(Places::default()));
        assert!("a:1,b:".parse::<Places>().is_err());
        let mut both = places;
        both.join(&"c:2,a:1".parse().unwrap());
        assert_eq!(both.to_string(), "a:1,b,c:2,only");
    }
}
