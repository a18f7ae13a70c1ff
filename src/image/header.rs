//! FITS cards: what a header says.
//!
//! [`cards`] is a table of one row for each keyword. What is not known is absent, never zero, so a reader can trust
//! what it finds.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::pointing::{self, Circumstances};
use super::{Bayer, Binning, FrameInfo, FrameType, Roi};

/// One line of a FITS header.
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    /// Up to eight of `A-Z 0-9 - _`.
    pub keyword: String,
    /// The value; `None` makes a commentary card (`COMMENT`, `HISTORY`) of the comment.
    pub value: Option<CardValue>,
    /// What it means, with the unit in brackets; cut where the card ends.
    pub comment: String,
}

impl Card {
    /// A card of these parts.
    #[must_use]
    pub fn new(keyword: &str, value: Option<CardValue>, comment: &str) -> Card {
        Card { keyword: keyword.to_owned(), value, comment: comment.to_owned() }
    }
}

/// The value of a card.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the types of FITS")]
pub enum CardValue {
    Logical(bool),
    Integer(i64),
    /// Written with as many digits as it takes to read the same number back.
    Real(f64),
    /// Printable ASCII; anything else is replaced by `?`.
    Text(String),
}

/// What the camera does not measure of an exposure: settings as they were when it began, and what was told meanwhile.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// Name of the frame, which no other frame ever has.
    pub id: String,
    /// Name of the INDI device.
    pub instrument: String,
    /// How long the exposure was asked to be.
    pub requested: Duration,
    /// What for.
    pub frame_type: FrameType,
    /// The window that the image shows when it is delivered, which may be smaller than what the camera read.
    pub roi: Roi,
    /// Its binning when it is delivered, which may be more than what the camera did.
    pub binning: Binning,
    /// Columns and rows of the sensor.
    pub sensor: (u32, u32),
    /// Width and height of one sensor pixel in µm.
    pub pixel_size: Option<(f64, f64)>,
    /// The colour mosaic on the sensor.
    pub bayer: Option<Bayer>,
    /// What other devices said at the middle of the exposure.
    pub circumstances: Circumstances,
    /// How the image lies in the sky, when the header is to have a solution ([`pointing`] says what is meant).
    pub orientation: Option<f64>,
    /// Cards to be added as they are. They come last, and the encoder writes the last of a keyword, so they win; that
    /// none of them [is the driver's own](is_own), whoever takes them sees to.
    pub further: Vec<Card>,
}

/// Whether a keyword says what the driver itself has measured or done, frame by frame. The others say how things are
/// called, or what somebody else has told.
#[must_use]
pub fn is_own(keyword: &str) -> bool {
    const OWN: [&str; 24] = [
        "ROWORDER", "EXPTIME", "DARKTIME", "CCD-TEMP", "XBINNING", "YBINNING", "XPIXSZ", "YPIXSZ",
        "XORGSUBF", "YORGSUBF", "FRAME", "IMAGETYP", "XBAYROFF", "YBAYROFF", "BAYERPAT", "GAIN", "OFFSET",
        "NCOMBINE", "TIMESYS", "DATE-OBS", "DATE-AVG", "DATE-END", "SWCREATE", "FRAMEID",
    ];
    OWN.contains(&keyword)
}

/// The header of an image with this many colour planes, without what [`encode`](super::fits::encode) writes itself.
///
/// * `EXPTIME` is what was asked, not what a clock measured: darks are matched to lights by it. What was measured
///   is `DATE-END` minus `DATE-OBS`.
/// * `BAYERPAT` is the mosaic of the sensor, and `XBAYROFF` and `YBAYROFF`, each 0 or 1, say where in it this image
///   begins: pixel (column, row) of the image has the colour of cell ((column + XBAYROFF) mod 2,
///   (row + YBAYROFF) mod 2). They are absent once pixels of different colours have been added.
/// * `XORGSUBF` and `YORGSUBF` are the origin of the window in binned pixels, as `MaxIm` DL means them, rounded down: a
///   window that begins at column 101 has 50 when two columns make one.
#[must_use]
pub fn cards(snapshot: &Snapshot, info: &FrameInfo, planes: usize) -> Vec<Card> {
    let (exposure, kind) = (snapshot.requested.as_secs_f64(), frame_name(snapshot.frame_type));
    let (roi, binning) = (snapshot.roi, snapshot.binning);
    let origin = (i64::from(roi.x / binning.x.max(1)), i64::from(roi.y / binning.y.max(1)));
    let size = snapshot.pixel_size;
    let mosaic = snapshot.bayer.as_ref().filter(|_| planes == 1 && binning == Binning::NONE);
    let phase = |offset: u32, origin: u32| i64::from((offset ^ origin) & 1);
    let middle = info.ended.duration_since(info.started).ok().and_then(|d| info.started.checked_add(d / 2));

    let rows = [
        text("ROWORDER", "TOP-DOWN", "the first row was read out first"),
        text("INSTRUME", &*snapshot.instrument, "camera"),
        real("EXPTIME", exposure, "[s] exposure asked for"),
        real(
            "DARKTIME",
            (snapshot.frame_type == FrameType::Dark).then_some(exposure),
            "[s] exposure asked for",
        ),
        real("CCD-TEMP", info.temperature, "[degC] sensor"),
        real("PIXSIZE1", size.map(|s| s.0), "[um] width of a sensor pixel"),
        real("PIXSIZE2", size.map(|s| s.1), "[um] height of a sensor pixel"),
        integer("XBINNING", i64::from(binning.x), "sensor columns in one pixel"),
        integer("YBINNING", i64::from(binning.y), "sensor rows in one pixel"),
        real("XPIXSZ", size.map(|s| s.0 * f64::from(binning.x)), "[um] width of a pixel, binned"),
        real("YPIXSZ", size.map(|s| s.1 * f64::from(binning.y)), "[um] height of a pixel, binned"),
        integer("XORGSUBF", origin.0, "[pixel] left edge, binned, rounded down"),
        integer("YORGSUBF", origin.1, "[pixel] first row, binned, rounded down"),
        text("FRAME", kind, "frame type"),
        text("IMAGETYP", &*format!("{kind} Frame"), "frame type"),
        integer(
            "XBAYROFF",
            mosaic.map(|m| phase(m.offset_x, roi.x)),
            "column of the mosaic where this image begins",
        ),
        integer(
            "YBAYROFF",
            mosaic.map(|m| phase(m.offset_y, roi.y)),
            "row of the mosaic where this image begins",
        ),
        text("BAYERPAT", mosaic.map(|m| &*m.pattern), "colour mosaic of the sensor"),
        integer("GAIN", info.gain.map(i64::from), "as the camera counts it"),
        integer("OFFSET", info.offset.map(i64::from), "as the camera counts it"),
        integer(
            "NCOMBINE",
            (info.added > 1).then_some(i64::from(info.added)),
            "read-outs that were added up",
        ),
        text("TIMESYS", "UTC", "time scale"),
        text("DATE-OBS", utc(info.started).as_deref(), "shutter opened"),
        text("DATE-AVG", middle.and_then(utc).as_deref(), "middle of the exposure"),
        text("DATE-END", utc(info.ended).as_deref(), "shutter closed"),
        text("SWCREATE", concat!("indi-camera ", env!("CARGO_PKG_VERSION")), "written by"),
    ];
    let origin_of_this = Card::new("COMMENT", None, "Generated by INDI");
    rows.into_iter()
        .chain(pointing::surroundings(snapshot))
        .chain(pointing::cards(snapshot, middle.unwrap_or(info.started)))
        .flatten()
        .chain([origin_of_this])
        .chain(snapshot.further.iter().cloned())
        // Behind the user's own cards: by this one the frame is known.
        .chain(text("FRAMEID", &*snapshot.id, "this frame and no other"))
        .collect()
}

/// What `FRAME` and, with ` Frame` behind it, `IMAGETYP` call it.
fn frame_name(frame_type: FrameType) -> &'static str {
    match frame_type {
        FrameType::Light => "Light",
        FrameType::Bias => "Bias",
        FrameType::Dark => "Dark",
        FrameType::Flat => "Flat",
    }
}

/// A moment as FITS writes it, in UTC with microseconds; `None` for a clock so wrong that FITS has no four digits
/// for the year.
fn utc(at: SystemTime) -> Option<String> {
    let at = Timestamp::try_from(at).ok()?.to_zoned(TimeZone::UTC);
    (0..=9999).contains(&at.year()).then(|| at.strftime("%Y-%m-%dT%H:%M:%S.%6f").to_string())
}

pub(super) fn text<'a>(keyword: &str, value: impl Into<Option<&'a str>>, comment: &str) -> Option<Card> {
    card(keyword, CardValue::Text(value.into()?.to_owned()), comment)
}

pub(super) fn real(keyword: &str, value: impl Into<Option<f64>>, comment: &str) -> Option<Card> {
    card(keyword, CardValue::Real(value.into()?), comment)
}

pub(super) fn integer(keyword: &str, value: impl Into<Option<i64>>, comment: &str) -> Option<Card> {
    card(keyword, CardValue::Integer(value.into()?), comment)
}

#[allow(clippy::unnecessary_wraps, reason = "rows of the table are optional")]
fn card(keyword: &str, value: CardValue, comment: &str) -> Option<Card> {
    Some(Card::new(keyword, Some(value), comment))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot() -> Snapshot {
        Snapshot {
            id: "20010909T014640000-1a2b-0-1".to_owned(),
            instrument: "Camera Simulator".to_owned(),
            requested: Duration::from_millis(1500),
            frame_type: FrameType::Light,
            roi: Roi { x: 0, y: 0, width: 64, height: 48 },
            binning: Binning::NONE,
            sensor: (64, 48),
            pixel_size: Some((3.76, 2.4)),
            bayer: None,
            circumstances: Circumstances::default(),
            orientation: None,
            further: Vec::new(),
        }
    }

    fn info() -> FrameInfo {
        let started = SystemTime::UNIX_EPOCH + Duration::from_micros(1_000_000_000_000_001);
        FrameInfo::new(started, Duration::from_secs(2), Roi { x: 0, y: 0, width: 640, height: 480 })
    }

    fn value(cards: &[Card], keyword: &str) -> Option<CardValue> {
        cards.iter().find(|card| card.keyword == keyword)?.value.clone()
    }

    fn words(cards: &[Card], keyword: &str) -> String {
        match value(cards, keyword) {
            Some(CardValue::Text(text)) => text,
            other => panic!("{keyword}: {other:?}"),
        }
    }

    #[test]
    fn what_is_unknown_is_absent() {
        let cards = cards(&Snapshot { pixel_size: None, ..snapshot() }, &info(), 1);
        for keyword in [
            "TELESCOP", "DARKTIME", "CCD-TEMP", "PIXSIZE1", "YPIXSZ", "BAYERPAT", "XBAYROFF", "GAIN",
            "OFFSET",
        ] {
            assert_eq!(value(&cards, keyword), None, "{keyword}");
        }
        assert_eq!(value(&cards, "EXPTIME"), Some(CardValue::Real(1.5)));
    }

    #[test]
    fn what_the_driver_knows_itself_is_told_apart_from_names_and_sizes_of_the_sensor() {
        let bayer = Some(Bayer { pattern: "RGGB".to_owned(), offset_x: 0, offset_y: 0 });
        let asked = Snapshot { frame_type: FrameType::Dark, bayer, ..snapshot() };
        let measured =
            FrameInfo { gain: Some(1), offset: Some(1), temperature: Some(0.0), added: 2, ..info() };
        let cards = cards(&asked, &measured, 1);
        let others: Vec<&str> =
            cards.iter().map(|card| &*card.keyword).filter(|name| !is_own(name)).collect();
        assert_eq!(others, ["INSTRUME", "PIXSIZE1", "PIXSIZE2", "COMMENT"]);
        assert_eq!(cards.len(), 24 + others.len());
    }

    #[test]
    fn moments_are_utc_to_the_microsecond() {
        let cards = cards(&snapshot(), &info(), 1);
        assert_eq!(words(&cards, "DATE-OBS"), "2001-09-09T01:46:40.000001");
        assert_eq!(words(&cards, "DATE-AVG"), "2001-09-09T01:46:41.000001");
        assert_eq!(words(&cards, "DATE-END"), "2001-09-09T01:46:42.000001");
    }

    #[test]
    fn absurd_clocks_leave_the_date_out() {
        let date = |started| value(&cards(&snapshot(), &FrameInfo { started, ..info() }, 1), "DATE-OBS");
        let years = |n: u64| Duration::from_secs(31_556_952 * n);
        for clock in [years(8100), years(10_000), years(1 << 30)] {
            assert_eq!(date(SystemTime::UNIX_EPOCH + clock), None);
            assert_eq!(date(SystemTime::UNIX_EPOCH - clock), None);
        }
        assert!(date(SystemTime::UNIX_EPOCH - years(1900)).is_some());
        let backwards = FrameInfo { ended: SystemTime::UNIX_EPOCH, ..info() };
        assert_eq!(value(&cards(&snapshot(), &backwards, 1), "DATE-AVG"), None);
    }

    #[test]
    fn the_mosaic_is_told_by_its_phase_in_this_image() {
        let bayer = Some(Bayer { pattern: "RGGB".to_owned(), offset_x: 1, offset_y: 0 });
        for (x, y, want) in [(0, 0, (1, 0)), (1, 0, (0, 0)), (2, 3, (1, 1)), (5, 5, (0, 1))] {
            let roi = Roi { x, y, width: 10, height: 10 };
            let cards = cards(&Snapshot { roi, bayer: bayer.clone(), ..snapshot() }, &info(), 1);
            assert_eq!(words(&cards, "BAYERPAT"), "RGGB");
            assert_eq!(value(&cards, "XBAYROFF"), Some(CardValue::Integer(want.0)), "{x}, {y}");
            assert_eq!(value(&cards, "YBAYROFF"), Some(CardValue::Integer(want.1)), "{x}, {y}");
        }
        let binned = Snapshot { binning: Binning { x: 1, y: 2 }, bayer: bayer.clone(), ..snapshot() };
        assert_eq!(value(&cards(&binned, &info(), 1), "BAYERPAT"), None);
        assert_eq!(value(&cards(&Snapshot { bayer, ..snapshot() }, &info(), 3), "XBAYROFF"), None);
    }

    #[test]
    fn the_header_describes_what_is_delivered() {
        let asked = Snapshot {
            roi: Roi { x: 11, y: 20, width: 64, height: 48 },
            binning: Binning { x: 2, y: 4 },
            frame_type: FrameType::Dark,
            further: vec![Card { keyword: "OBJECT".to_owned(), value: None, comment: String::new() }],
            ..snapshot()
        };
        let measured = FrameInfo { gain: Some(120), offset: Some(-3), temperature: Some(-10.05), ..info() };
        let cards = cards(&asked, &measured, 1);
        let integers = [
            ("XBINNING", 2),
            ("YBINNING", 4),
            ("XORGSUBF", 5),
            ("YORGSUBF", 5),
            ("GAIN", 120),
            ("OFFSET", -3),
        ];
        for (keyword, want) in integers {
            assert_eq!(value(&cards, keyword), Some(CardValue::Integer(want)), "{keyword}");
        }
        for (keyword, want) in [("XPIXSZ", 7.52), ("YPIXSZ", 9.6), ("DARKTIME", 1.5), ("CCD-TEMP", -10.05)] {
            assert_eq!(value(&cards, keyword), Some(CardValue::Real(want)), "{keyword}");
        }
        assert_eq!((words(&cards, "FRAME"), words(&cards, "IMAGETYP")), ("Dark".into(), "Dark Frame".into()));
        // What a client says prevails, except on which frame this is.
        let [.., last, id] = &cards[..] else { panic!() };
        assert_eq!((Some(last), &*id.keyword), (asked.further.last(), "FRAMEID"));
    }
}
