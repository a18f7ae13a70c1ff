//! Where to look for cameras of the network.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

/// In the list of addresses: look nowhere else.
const ONLY: &str = "only";

/// What the user says about where cameras are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Places {
    /// Cameras that a question to everybody may not reach.
    pub(super) given: Vec<Ipv4Addr>,
    /// Neither the local networks nor the USB is searched.
    pub(super) only: bool,
}

impl Places {
    /// Adds what another list says.
    pub(super) fn join(&mut self, more: &Places) {
        for address in &more.given {
            if !self.given.contains(address) {
                self.given.push(*address);
            }
        }
        self.only |= more.only;
    }
}

impl FromStr for Places {
    type Err = String;

    /// Addresses of IP version 4, which is all that GigE Vision knows, and `only`, with commas between them.
    fn from_str(list: &str) -> Result<Self, String> {
        let mut places = Places::default();
        for word in list.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            if word == ONLY {
                places.only = true;
                continue;
            }
            let address = word
                .parse()
                .map_err(|_no_address| format!("{word} is no address of a camera: it takes 192.168.0.9"))?;
            places.join(&Places { given: vec![address], only: false });
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_may_have_gaps_and_repetitions() {
        let mut places: Places = " 10.0.0.1,, 10.0.0.2 , 10.0.0.1,only".parse().unwrap();
        assert_eq!(places.to_string(), "10.0.0.1,10.0.0.2,only");
        places.join(&"10.0.0.3,10.0.0.2".parse().unwrap());
        assert_eq!(places.to_string(), "10.0.0.1,10.0.0.2,10.0.0.3,only");
        assert_eq!("".parse(), Ok(Places::default()));
    }

    #[test]
    fn what_is_no_address_is_said() {
        for word in ["camera", "10.0.0", "10.0.0.1:3956", "fe80::1", "256.0.0.1"] {
            let words = format!("{word} is no address of a camera: it takes 192.168.0.9");
            assert_eq!(format!("10.0.0.1,{word}").parse::<Places>(), Err(words));
        }
    }
}
