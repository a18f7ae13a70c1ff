//! Lists of addresses at which users say that cameras are; what an address is, each kind of camera says.

use std::fmt;
use std::str::FromStr;

/// In the list of addresses: look nowhere else.
const ONLY: &str = "only";

/// What the user says about where cameras are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Places<P> {
    /// Each once, in the user's order.
    pub(super) given: Vec<P>,
    /// Nothing else is searched.
    pub(super) only: bool,
}

impl<P> Default for Places<P> {
    fn default() -> Self {
        Places { given: Vec::new(), only: false }
    }
}

impl<P: Clone + PartialEq> Places<P> {
    /// Adds what another list says.
    pub(super) fn join(&mut self, more: &Places<P>) {
        for place in &more.given {
            self.add(place.clone());
        }
        self.only |= more.only;
    }

    fn add(&mut self, place: P) {
        if !self.given.contains(&place) {
            self.given.push(place);
        }
    }
}

impl<P: Clone + PartialEq + FromStr<Err = String>> Places<P> {
    /// What the environment says. A list that is none is not used, and that is said.
    pub(super) fn of_variable(variable: &str) -> Self {
        let list = std::env::var(variable).unwrap_or_default();
        list.parse().unwrap_or_else(|error| {
            tracing::error!("{variable} is not used: {error}");
            Places::default()
        })
    }
}

impl<P: Clone + PartialEq + FromStr<Err = String>> FromStr for Places<P> {
    type Err = String;

    /// Addresses and `only`, with commas between them.
    fn from_str(list: &str) -> Result<Self, String> {
        let mut places = Places::default();
        for word in list.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            if word == ONLY {
                places.only = true;
            } else {
                places.add(word.parse()?);
            }
        }
        Ok(places)
    }
}

impl<P: fmt::Display> fmt::Display for Places<P> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let only = self.only.then(|| ONLY.to_owned());
        let all: Vec<String> = self.given.iter().map(ToString::to_string).chain(only).collect();
        f.write_str(&all.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A word in small letters.
    #[derive(Clone, Debug, PartialEq, Eq)]
    struct Word(String);

    impl FromStr for Word {
        type Err = String;

        fn from_str(word: &str) -> Result<Self, String> {
            let is_word = word.chars().all(char::is_lowercase);
            if is_word { Ok(Word(word.to_owned())) } else { Err(format!("{word} is no word")) }
        }
    }

    impl fmt::Display for Word {
        fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
            f.write_str(&self.0)
        }
    }

    #[test]
    fn a_list_may_have_gaps_and_repetitions() {
        let mut places: Places<Word> = " a,, b , a,only".parse().unwrap();
        assert_eq!(places.to_string(), "a,b,only");
        places.join(&"c,b".parse().unwrap());
        assert_eq!(places.to_string(), "a,b,c,only");
        assert_eq!("".parse::<Places<Word>>(), Ok(Places::default()));
    }

    #[test]
    fn a_list_with_something_else_in_it_is_refused() {
        assert_eq!("a,B".parse::<Places<Word>>(), Err("B is no word".to_owned()));
    }
}
