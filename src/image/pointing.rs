//! The cards that follow from where the telescope pointed, and what other devices said that goes into a header.
//!
//! # The solution of `CRVAL`, `CRPIX`, `CDELT` and `CROTA`
//!
//! It is the mount's opinion, not a measurement of the image, and refers to FK5 J2000.
//!
//! * The mount points at the centre of the *sensor*. `CRPIX` is that point in the pixels of this image, whose first
//!   one has its centre at 1: `(n + 1) / 2` for a full frame of even or odd size. For a part of the sensor it lies
//!   off the middle, or outside, as it does in the sky.
//! * The angle that clients write to `CCD_ROTATION` is what plate solvers (astrometry.net, and what Ekos uses) call
//!   orientation: the position angle, from north through east, of the direction in which the rows count up. Rows
//!   count down the screen, because `ROWORDER` is `TOP-DOWN`. So north is at the top when it is 180.
//! * With rows from the top, a sky that no mirror has turned over has both `CDELT` positive. `CROTA2` counts the other
//!   way round than a position angle: it is 360 - `CCD_ROTATION`, as libindi writes it.
//! * `CDELT` with `CROTA2` is understood by every reader; `CROTA1` (which must be equal) and `SECPIX1` and `SECPIX2`
//!   are for old ones. A CD matrix must not stand beside them, so there is none.

use std::time::SystemTime;

use super::header::{Card, Snapshot, integer, real, text};
use super::sky::{Apparent, Horizontal, J2000, Site};
use super::{Binning, FrameType};

/// What other devices said about an exposure at its middle. What is not known is `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Circumstances {
    /// Name of the telescope.
    pub telescope: Option<String>,
    /// Where it pointed.
    pub pointing: Option<Pointing>,
    /// On which side of its pier it stood.
    pub pier_side: Option<PierSide>,
    /// Where on Earth it stands.
    pub site: Option<Site>,
    /// Focal length in mm.
    pub focal_length: Option<f64>,
    /// Aperture in mm.
    pub aperture: Option<f64>,
    /// Name of the filter in the light path.
    pub filter: Option<String>,
    /// Angle of the rotator in degrees, by its own scale.
    pub rotator: Option<f64>,
    /// Position of the focuser in its own steps.
    pub focus_position: Option<f64>,
    /// Temperature at the focuser in °C.
    pub focus_temperature: Option<f64>,
    /// Brightness of the sky in magnitudes per square arcsec.
    pub sky_brightness: Option<f64>,
}

/// A direction as the mount gives it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs, reason = "named by their types")]
pub enum Pointing {
    OfDate(Apparent),
    Catalogue(J2000),
}

/// Side of the pier on which the telescope stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "two sides")]
pub enum PierSide {
    West,
    East,
}

impl Pointing {
    /// The same direction as catalogues have it, at that time.
    #[must_use]
    pub fn j2000(self, at: SystemTime) -> J2000 {
        self.places(at).1
    }

    fn places(self, at: SystemTime) -> (Apparent, J2000) {
        match self {
            Pointing::OfDate(apparent) => (apparent, apparent.j2000(at)),
            Pointing::Catalogue(j2000) => (j2000.apparent(at), j2000),
        }
    }
}

/// What a header says of the pointing. Only frames of the sky have one; `middle` is when it was true.
pub(super) fn cards(snapshot: &Snapshot, middle: SystemTime) -> Vec<Option<Card>> {
    let seen = &snapshot.circumstances;
    let Some(pointing) = seen.pointing.filter(|_| snapshot.frame_type == FrameType::Light) else {
        return Vec::new();
    };
    let (apparent, j2000) = pointing.places(middle);
    let horizontal = seen.site.map(|site| apparent.horizontal(site, middle));
    let pier = seen.pier_side.map(|side| match side {
        PierSide::West => "WEST",
        PierSide::East => "EAST",
    });
    let mut rows = vec![
        real("AIRMASS", horizontal.and_then(Horizontal::airmass), "at the middle of the exposure"),
        real("OBJCTAZ", horizontal.map(|h| h.azimuth), "[deg] from north through east"),
        real("OBJCTALT", horizontal.map(|h| h.altitude), "[deg] without refraction"),
        text("OBJCTRA", &*sexagesimal(j2000.ra / 15.0, 24), "[h m s] J2000, by the mount"),
        text("OBJCTDEC", &*declination(j2000.dec), "[d m s] J2000, by the mount"),
        real("RA", j2000.ra, "[deg] J2000, by the mount"),
        real("DEC", j2000.dec, "[deg] J2000, by the mount"),
        text("PIERSIDE", pier, "side of the pier where the telescope is"),
        real("EQUINOX", 2000.0, "mean equator and equinox"),
        text("RADESYS", "FK5", "of all coordinates here"),
        text("RADECSYS", "FK5", "old name of RADESYS"),
    ];
    rows.extend(solution(snapshot, j2000).into_iter().flatten());
    rows
}

/// Arcsec along each side of a pixel, binned.
pub(super) fn scale(snapshot: &Snapshot) -> Option<(f64, f64)> {
    let (width, height) = snapshot.pixel_size?;
    let focal_length = snapshot.circumstances.focal_length?;
    let Binning { x, y } = snapshot.binning;
    let arcsec = |micrometres: f64| (micrometres / 1000.0 / focal_length).to_degrees() * 3600.0;
    Some((arcsec(width) * f64::from(x), arcsec(height) * f64::from(y)))
}

fn solution(snapshot: &Snapshot, j2000: J2000) -> Option<[Option<Card>; 12]> {
    let orientation = snapshot.orientation?;
    let (across, down) = scale(snapshot)?;
    let rotation = (360.0 - orientation).rem_euclid(360.0);
    let ((width, height), roi, binning) = (snapshot.sensor, snapshot.roi, snapshot.binning);
    let centre = |size: u32, origin: u32, factor: u32| {
        (f64::from(size) / 2.0 - f64::from(origin)) / f64::from(factor.max(1)) + 0.5
    };
    Some([
        text("CTYPE1", "RA---TAN", "gnomonic projection"),
        text("CTYPE2", "DEC--TAN", "gnomonic projection"),
        real("CRVAL1", j2000.ra, "[deg] by the mount, not solved"),
        real("CRVAL2", j2000.dec, "[deg] by the mount, not solved"),
        real("CRPIX1", centre(width, roi.x, binning.x), "[pixel] centre of the sensor"),
        real("CRPIX2", centre(height, roi.y, binning.y), "[pixel] centre of the sensor"),
        real("SECPIX1", across, "[arcsec] per pixel"),
        real("SECPIX2", down, "[arcsec] per pixel"),
        real("CDELT1", across / 3600.0, "[deg] per pixel"),
        real("CDELT2", down / 3600.0, "[deg] per pixel"),
        real("CROTA1", rotation, "[deg] equal to CROTA2"),
        real("CROTA2", rotation, "[deg] 360 - CCD_ROTATION"),
    ])
}

/// Site, optics and the other instruments: what every frame says, whatever it shows.
pub(super) fn surroundings(snapshot: &Snapshot) -> [Option<Card>; 11] {
    let seen = &snapshot.circumstances;
    #[allow(clippy::cast_possible_truncation, reason = "saturates")]
    let steps = seen.focus_position.map(|steps| steps.round() as i64);
    [
        text("TELESCOP", seen.telescope.as_deref(), "telescope"),
        text("FILTER", seen.filter.as_deref(), "filter"),
        real("FOCALLEN", seen.focal_length, "[mm] focal length"),
        real("APTDIA", seen.aperture, "[mm] aperture"),
        real("MPSAS", seen.sky_brightness, "[mag/arcsec**2] brightness of the sky"),
        real("ROTATANG", seen.rotator, "[deg] rotator, on its own scale"),
        integer("FOCUSPOS", steps, "[steps] focuser"),
        real("FOCUSTEM", seen.focus_temperature, "[degC] at the focuser"),
        real("SCALE", scale(snapshot).map(|(across, _)| across), "[arcsec] width of a pixel, binned"),
        real("SITELAT", seen.site.map(|site| site.latitude), "[deg] north is positive"),
        real("SITELONG", seen.site.map(|site| site.longitude), "[deg] east is positive"),
    ]
}

/// `-00 30 05.10`.
fn declination(degrees: f64) -> String {
    let sign = if degrees.is_sign_negative() { '-' } else { '+' };
    format!("{sign}{}", sexagesimal(degrees.abs(), 91))
}

/// `05 35 17.30`; rounded as a whole, so that no 60 appears, and to less than `circle`.
fn sexagesimal(value: f64, circle: u64) -> String {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an angle, not negative")]
    let hundredths = (value * 360_000.0).round() as u64 % (circle * 360_000);
    let (seconds, minutes) = (hundredths / 100, hundredths / 6000);
    format!("{:02} {:02} {:02}.{:02}", minutes / 60, minutes % 60, seconds % 60, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::image::Roi;
    use crate::image::header::CardValue;

    const SITE: Site = Site { latitude: 45.0, longitude: 10.0 };

    fn snapshot(circumstances: Circumstances) -> Snapshot {
        Snapshot {
            id: String::new(),
            instrument: String::new(),
            requested: Duration::ZERO,
            frame_type: FrameType::Light,
            roi: Roi { x: 0, y: 0, width: 641, height: 480 },
            binning: Binning::NONE,
            sensor: (641, 480),
            pixel_size: Some((3.76, 2.4)),
            bayer: None,
            circumstances,
            orientation: Some(30.0),
            further: Vec::new(),
        }
    }

    fn of_date(ra: f64, dec: f64) -> Circumstances {
        let pointing = Some(Pointing::OfDate(Apparent { ra, dec }));
        Circumstances { pointing, site: Some(SITE), focal_length: Some(1234.5), ..Circumstances::default() }
    }

    /// The value that `cards` of this exposure give, in 2024.
    fn value(snapshot: &Snapshot, keyword: &str) -> Option<CardValue> {
        let cards = cards(snapshot, SystemTime::UNIX_EPOCH + Duration::from_secs(1_718_452_800));
        let cards = cards.into_iter().chain(surroundings(snapshot)).flatten();
        cards.filter(|card| card.keyword == keyword).find_map(|card| card.value)
    }

    fn number(snapshot: &Snapshot, keyword: &str) -> f64 {
        match value(snapshot, keyword) {
            Some(CardValue::Real(x)) => x,
            other => panic!("{keyword}: {other:?}"),
        }
    }

    #[test]
    fn numbers_keep_every_digit() {
        let sky = snapshot(of_date(100.0, 40.0));
        assert_eq!(number(&sky, "FOCALLEN").to_bits(), 1234.5_f64.to_bits());
        // 206264.80624709636 arcsec in a radian; libindi takes 206.3.
        assert!((number(&sky, "SCALE") / (206.264_806_247_096_36 * 3.76 / 1234.5) - 1.0).abs() < 1e-14);
        assert!(
            (number(&sky, "CDELT2") / (206.264_806_247_096_36 * 2.4 / 1234.5 / 3600.0) - 1.0).abs() < 1e-14
        );
    }

    #[test]
    fn there_is_no_airmass_below_the_horizon() {
        let horizontal = |ra, dec| {
            let sky = snapshot(of_date(ra, dec));
            (number(&sky, "OBJCTALT"), value(&sky, "AIRMASS").is_some())
        };
        assert!(matches!(horizontal(100.0, 80.0), (35.0..55.0, true)));
        assert!(matches!(horizontal(100.0, -80.0), (-55.0..-35.0, false)));
        let nowhere = snapshot(Circumstances { site: None, ..of_date(100.0, 80.0) });
        assert_eq!((value(&nowhere, "AIRMASS"), value(&nowhere, "OBJCTAZ")), (None, None));
        assert!(value(&nowhere, "RA").is_some());
    }

    #[test]
    fn both_kinds_of_coordinates_mean_the_same_sky() {
        let date = snapshot(of_date(100.0, 40.0));
        let j2000 = J2000 { ra: number(&date, "RA"), dec: number(&date, "DEC") };
        let pointing = Some(Pointing::Catalogue(j2000));
        let catalogue = snapshot(Circumstances { pointing, ..of_date(0.0, 0.0) });
        for keyword in ["RA", "DEC", "OBJCTALT", "OBJCTAZ", "AIRMASS", "CRVAL1"] {
            let (a, b) = (number(&date, keyword), number(&catalogue, keyword));
            assert!((a - b).abs() < 1e-6, "{keyword}: {a} and {b}");
        }
    }

    #[test]
    fn the_reference_pixel_is_the_centre_of_the_sensor() {
        let crpix = |roi: Roi, binning| {
            let sky = Snapshot { roi, binning, ..snapshot(of_date(100.0, 40.0)) };
            (number(&sky, "CRPIX1"), number(&sky, "CRPIX2"))
        };
        let full = Roi { x: 0, y: 0, width: 641, height: 480 };
        assert_eq!(crpix(full, Binning::NONE), (321.0, 240.5));
        assert_eq!(crpix(full, Binning { x: 1, y: 2 }), (321.0, 120.5));
        assert_eq!(crpix(Roi { x: 320, y: 240, width: 9, height: 9 }, Binning::NONE), (1.0, 0.5));
    }

    #[test]
    fn a_part_of_what_it_takes_gives_no_solution() {
        let whole = snapshot(of_date(100.0, 40.0));
        assert!(value(&whole, "CRVAL1").is_some());
        let blind = Circumstances { focal_length: None, ..of_date(100.0, 40.0) };
        let lacking = [
            Snapshot { orientation: None, ..whole.clone() },
            Snapshot { pixel_size: None, ..whole.clone() },
            Snapshot { frame_type: FrameType::Flat, ..whole.clone() },
            Snapshot { circumstances: Circumstances::default(), ..whole.clone() },
            Snapshot { circumstances: blind, ..whole },
        ];
        for snapshot in lacking {
            assert_eq!(value(&snapshot, "CRVAL1"), None, "{snapshot:?}");
        }
    }

    #[test]
    fn angles_are_rounded_as_a_whole_and_keep_their_sign() {
        assert_eq!(declination(-0.5), "-00 30 00.00");
        assert_eq!(declination(-0.000_000_1), "-00 00 00.00");
        assert_eq!(declination(41.268_75), "+41 16 07.50");
        assert_eq!(declination(89.999_999_9), "+90 00 00.00");
        assert_eq!(sexagesimal(5.588_138_9, 24), "05 35 17.30");
        assert_eq!(sexagesimal(9.999_999_99, 24), "10 00 00.00");
        assert_eq!(sexagesimal(23.999_999_999, 24), "00 00 00.00");
    }
}
