//! Where to look for cameras of the network.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use crate::backend::places;

/// What the user says about where cameras are that a question to everybody may not reach. Then the local networks and the
/// USB are searched.
pub(super) type Places = places::Places<Place>;

/// An address of IP version 4, which is all that GigE Vision knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(pub(super) Ipv4Addr);

impl FromStr for Place {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let address = word.parse().map(Place);
        address.map_err(|_no_address| format!("{word} is no address of a camera: it takes 192.168.0.9"))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_addresses_is_one() {
        let places: Places = " 10.0.0.1,, 10.0.0.2 , 10.0.0.1,only".parse().unwrap();
        assert_eq!(places.to_string(), "10.0.0.1,10.0.0.2,only");
    }

    #[test]
    fn what_is_no_address_is_said() {
        for word in ["camera", "10.0.0", "10.0.0.1:3956", "fe80::1", "256.0.0.1"] {
            let words = format!("{word} is no address of a camera: it takes 192.168.0.9");
            assert_eq!(format!("10.0.0.1,{word}").parse::<Places>(), Err(words));
        }
    }
}
