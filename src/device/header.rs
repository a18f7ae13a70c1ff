//! What clients have to say about a header: keywords of their own, the telescope's optics, how the camera lies in the
//! sky. It is frozen when an exposure starts.
//!
//! FITS_HEADER is written and never read: it always shows empty, so a write is what its client really sent. It
//! understands two generations of clients. `KEYWORD_NAME`, `KEYWORD_VALUE` and `KEYWORD_COMMENT` come first because
//! today's KStars writes them by position, one keyword per write; `FITS_OBJECT` and `FITS_OBSERVER` are what KStars
//! 3.6.2 and older look for by name. Both send the elements of the other empty.

use crate::image::card::{self, TEXT_MAX};
use crate::image::header::{self, Card, CardValue};
use crate::image::pointing::{Circumstances, PierSide};
use crate::property::key::Key;
use crate::property::keys::{self, Wcs};
use crate::wire::State;

use super::{Device, Handlers, Level};

/// Cards that clients may add to a header: more than any does, and not so many that every frame drags a novel along.
const MOST_CARDS: usize = 500;
/// Further than this the rotator has turned since CCD_ROTATION was written. In degrees.
const ROTATOR_PLAY: f64 = 0.1;
/// Keywords whose value is a text by the FITS standard, whatever it looks like: an object may be called 2024.
const TEXTS: [&str; 8] =
    ["OBJECT", "OBSERVER", "TELESCOP", "INSTRUME", "ORIGIN", "AUTHOR", "REFERENC", "FILTER"];

/// What clients have said, for the next exposure.
#[derive(Debug, Default)]
pub(super) struct Header {
    further: Vec<Card>,
    orientation: Option<Orientation>,
}

/// CCD_ROTATION, and how things stood when it was written: on the other side of the pier the camera lies the other way.
#[derive(Clone, Copy, Debug)]
struct Orientation {
    degrees: f64,
    pier_side: Option<PierSide>,
    rotator: Option<f64>,
}

/// What clients had said when an exposure began.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    focal_length: f64,
    aperture: f64,
    orientation: Option<Orientation>,
    pub(super) further: Vec<Card>,
}

pub(super) fn register(on: &mut Handlers) {
    on.keep(&keys::SCOPE_INFO);
    on.change(&keys::FITS_HEADER, Device::add_keywords);
    on.change(&keys::WCS_CONTROL, Device::switch_wcs);
    on.change(&keys::CCD_ROTATION, Device::change_rotation);
}

impl Device {
    fn switch_wcs(&mut self, choice: Wcs) {
        let word = match choice {
            Wcs::Enable => "enabled",
            Wcs::Disable => "disabled",
        };
        // Whoever switches it on again solves a plate first: the old angle belongs to an old night.
        self.header.orientation = self.header.orientation.filter(|_| choice == Wcs::Enable);
        self.say(Level::Info, &format!("World Coordinate System is {word}."));
        self.publish(&keys::WCS_CONTROL, choice, State::Ok);
    }

    fn change_rotation(&mut self, [degrees]: [f64; 1]) {
        let Circumstances { pier_side, rotator, .. } = self.circumstances_now();
        self.header.orientation = Some(Orientation { degrees, pier_side, rotator });
        self.publish(&keys::CCD_ROTATION, [degrees], State::Ok);
        self.say(Level::Info, &format!("Camera orientation is {degrees:.2} degrees"));
    }

    fn add_keywords(&mut self, elements: [String; 5]) {
        match self.header.add(elements) {
            Ok(warning) => {
                if let Some(sentence) = warning {
                    self.say(Level::Warning, &sentence);
                }
                self.settle(&keys::FITS_HEADER, State::Ok);
            }
            Err(sentence) => self.refuse(keys::FITS_HEADER.vector(), &sentence),
        }
    }

    /// For an exposure that begins now.
    pub(super) fn header_settings(&self) -> Settings {
        let [focal_length, aperture] = self.store.get(&keys::SCOPE_INFO);
        let wanted = self.store.get(&keys::WCS_CONTROL) == Wcs::Enable;
        let orientation = self.header.orientation.filter(|_| wanted);
        Settings { focal_length, aperture, orientation, further: self.header.further.clone() }
    }
}

impl Settings {
    /// What a client says of the optics counts more than what the mount says.
    pub(super) fn prevail(&self, seen: Circumstances) -> Circumstances {
        let known = |length: f64| Some(length).filter(|length| *length > 0.0);
        Circumstances {
            focal_length: known(self.focal_length).or(seen.focal_length),
            aperture: known(self.aperture).or(seen.aperture),
            ..seen
        }
    }

    /// The camera's orientation, as long as nothing has turned it since a client told it.
    pub(super) fn orientation(&self, seen: &Circumstances) -> Option<f64> {
        let then = self.orientation?;
        let flipped = then.pier_side.zip(seen.pier_side).is_some_and(|(then, now)| then != now);
        let turned = then.rotator.zip(seen.rotator).is_some_and(|(then, now)| {
            let by = (now - then).rem_euclid(360.0);
            by.min(360.0 - by) > ROTATOR_PLAY
        });
        (!flipped && !turned).then_some(then.degrees)
    }
}

impl Header {
    /// Takes one write of FITS_HEADER, whole or not at all. What comes back is a sentence on what a header will say
    /// otherwise than its client.
    fn add(
        &mut self,
        [name, value, comment, object, observer]: [String; 5],
    ) -> Result<Option<String>, String> {
        let old_style = [("OBJECT", object), ("OBSERVER", observer)];
        let mut wanted: Vec<Card> = old_style
            .into_iter()
            .filter(|(_, text)| !text.is_empty())
            .map(|(keyword, text)| Card::new(keyword, Some(CardValue::Text(text)), ""))
            .collect();
        let mut further = self.further.clone();
        match (name.trim(), value.as_str(), comment.as_str()) {
            ("", "", "") if wanted.is_empty() => {
                return Err("FITS_HEADER cannot be empty: it takes a KEYWORD_NAME and its value".to_owned());
            }
            ("", "", "") => {}
            ("", "", comment) => wanted.push(Card::new("COMMENT", None, comment)),
            ("", value, _) => {
                return Err(format!("FITS_HEADER.KEYWORD_NAME cannot be empty: {value:?} needs a keyword"));
            }
            (name, ..) if name.eq_ignore_ascii_case("INDI_CLEAR") => further.clear(),
            (name, value, comment) => {
                let keyword = checked(name)?;
                if card::is_commentary(&keyword) {
                    wanted.push(Card::new(&keyword, None, if value.is_empty() { comment } else { value }));
                } else if value.is_empty() && comment.is_empty() {
                    further.retain(|card| card.keyword != keyword);
                } else {
                    let value = typed(&keyword, value)?;
                    wanted.push(Card::new(&keyword, Some(value), comment));
                }
            }
        }
        let news = wanted.iter().filter(|card| !self.further.contains(card));
        let altered: Vec<&str> =
            news.filter(|card| !is_sayable(card)).map(|card| card.keyword.as_str()).collect();
        let warning = (!altered.is_empty()).then(|| {
            let rule = "FITS knows printable ASCII only, and everything else becomes a question mark";
            format!("FITS_HEADER of {}: {rule}", altered.join(" and "))
        });
        for card in wanted {
            // The same words again say nothing, and another value takes the place of the old one.
            further.retain(|old| {
                *old != card && (card::is_commentary(&card.keyword) || old.keyword != card.keyword)
            });
            further.push(card);
        }
        if further.len() > MOST_CARDS {
            return Err(format!(
                "FITS_HEADER is full: it takes {MOST_CARDS} cards, and INDI_CLEAR empties it"
            ));
        }
        self.further = further;
        Ok(warning)
    }
}

/// Whether a header can say a card as it is.
fn is_sayable(card: &Card) -> bool {
    match &card.value {
        // A line of the header for each line of the text.
        None => card.comment.lines().all(card::is_printable),
        Some(CardValue::Text(text)) => card::is_printable(text) && card::is_printable(&card.comment),
        Some(_) => card::is_printable(&card.comment),
    }
}

/// The keyword, if clients may set it. They may overrule what other devices say, and how things are called; but what
/// the driver measures or does may change with the next frame, and a keyword stays: it would be a lie then.
fn checked(name: &str) -> Result<String, String> {
    let refused = |why: &str| format!("FITS_HEADER.KEYWORD_NAME cannot be {name:?}: {why}");
    let keyword = card::keyword(name);
    let keyword = keyword.ok_or_else(|| refused("a keyword is 1 to 8 of A-Z, 0-9, - and _"))?;
    if card::is_structural(&keyword) || card::is_of_tables(&keyword) {
        return Err(refused("it says how the file is built, which only the driver knows"));
    }
    if header::is_own(&keyword) {
        return Err(refused("the driver itself knows it of each frame"));
    }
    Ok(keyword)
}

/// An integer or a decimal fraction is a number, everything else a text. An exponent alone makes no number: `1E0657`
/// is a cluster of galaxies.
fn typed(keyword: &str, value: &str) -> Result<CardValue, String> {
    let text = value.trim();
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_plain = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') && !TEXTS.contains(&keyword);
    if is_plain && let Ok(integer) = text.parse() {
        return Ok(CardValue::Integer(integer));
    }
    if is_plain
        && text.contains('.')
        && let Ok(real) = text.parse::<f64>()
        && real.is_finite()
    {
        return Ok(CardValue::Real(real));
    }
    let length = value.chars().count() + value.matches('\'').count();
    if length > TEXT_MAX {
        let rule = format!("a card has room for {TEXT_MAX} characters");
        return Err(format!(
            "FITS_HEADER.KEYWORD_VALUE of {keyword} cannot have {length} characters: {rule}"
        ));
    }
    Ok(CardValue::Text(value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(name: &str, value: &str) -> [String; 5] {
        [name, value, "", "", ""].map(str::to_owned)
    }

    #[test]
    fn a_full_header_takes_another_value_for_a_keyword_that_it_has() {
        let mut header = Header::default();
        for number in 1..=MOST_CARDS {
            assert_eq!(header.add(write(&format!("K{number}"), "1")), Ok(None));
        }
        assert_eq!(header.add(write("K5", "2")), Ok(None));
        assert_eq!(header.further.last(), Some(&Card::new("K5", Some(CardValue::Integer(2)), "")));
        let full = header.add(write("ANOTHER", "1")).unwrap_err();
        assert!(full.starts_with("FITS_HEADER is full: it takes 500 cards"), "{full}");
        assert_eq!(header.further.len(), MOST_CARDS);
        // One that is forgotten makes room.
        assert_eq!(header.add(write("K6", "")), Ok(None));
        assert_eq!(header.add(write("ANOTHER", "1")), Ok(None));
    }
}
