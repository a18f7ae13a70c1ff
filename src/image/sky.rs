//! Where a telescope points: from the sky of a date to the catalogue's J2000, and to the horizon.
//!
//! A mount that speaks of date (INDI's `EQUATORIAL_EOD_COORD`) means the *apparent place*: what a star has after
//! precession, nutation and annual aberration, seen from the centre of the Earth. [`Apparent::j2000`] takes all three
//! back; the result refers to the mean equator and equinox of J2000, which is FK5, and ICRS within 0.03 arcsec.
//!
//! Precession and sidereal time are IAU 2006, nutation the 13 largest terms of IAU 2000, the Earth's orbit a Kepler
//! ellipse. What is left out (smaller terms, the pull of the planets on the Sun, bending of light) is below 0.1 arcsec
//! from 1900 to 2100 in a night sky, a hundredth of what the best mount knows. That is why these few lines stand here
//! instead of a library with all 1365 terms.

use std::f64::consts::TAU;
use std::time::{Duration, SystemTime};

/// Right ascension and declination in degrees, J2000.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs, reason = "two angles")]
pub struct J2000 {
    pub ra: f64,
    pub dec: f64,
}

/// Right ascension and declination in degrees, apparent place of date.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs, reason = "two angles")]
pub struct Apparent {
    pub ra: f64,
    pub dec: f64,
}

/// A place on Earth in degrees; north and east are positive.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs, reason = "two angles")]
pub struct Site {
    pub latitude: f64,
    pub longitude: f64,
}

/// A direction over the horizon in degrees, without refraction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Horizontal {
    /// From north through east.
    pub azimuth: f64,
    /// Negative below the horizon.
    pub altitude: f64,
}

impl Apparent {
    /// The same direction as catalogues have it.
    #[must_use]
    pub fn j2000(self, at: SystemTime) -> J2000 {
        let date = Date::of(at);
        let mut there = vector(self.ra, self.dec);
        for (axis, angle) in date.turns().into_iter().rev() {
            there = turn(there, axis, -angle);
        }
        let velocity = date.velocity();
        let (ra, dec) = angles(std::array::from_fn(|i| there[i] - velocity[i]));
        J2000 { ra, dec }
    }

    /// Where it stands over the horizon. The clock is taken for UT1, from which UTC differs by less than 0.9 s:
    /// 14 arcsec at most.
    #[must_use]
    pub fn horizontal(self, site: Site, at: SystemTime) -> Horizontal {
        let hour_angle = Date::of(at).sidereal_time() + site.longitude - self.ra;
        let [south, west, up] =
            turn(vector(hour_angle, self.dec), Axis::Y, (90.0 - site.latitude).to_radians());
        let (azimuth, altitude) = angles([-south, -west, up]);
        Horizontal { azimuth, altitude }
    }
}

impl J2000 {
    /// The apparent place of the same direction.
    #[must_use]
    pub fn apparent(self, at: SystemTime) -> Apparent {
        let date = Date::of(at);
        let (velocity, there) = (date.velocity(), vector(self.ra, self.dec));
        let mut there = std::array::from_fn(|i| there[i] + velocity[i]);
        for (axis, angle) in date.turns() {
            there = turn(there, axis, angle);
        }
        let (ra, dec) = angles(there);
        Apparent { ra, dec }
    }
}

impl Horizontal {
    /// How much more air there is in this direction than overhead; `None` below the horizon.
    ///
    /// Young 1994 (Applied Optics 33, 1108), which wants the true altitude, not the refracted one. It is within 0.004
    /// of the tables down to the horizon, where it gives 31.7 and a secant would be infinite.
    #[must_use]
    pub fn airmass(self) -> Option<f64> {
        let c = self.altitude.to_radians().sin();
        let air = ((1.002_432 * c + 0.148_386) * c + 0.009_646_7)
            / (((c + 0.149_864) * c + 0.010_296_3) * c + 0.000_303_978);
        (self.altitude >= 0.0).then_some(air)
    }
}

/// Julian centuries of terrestrial time since J2000, and what follows from it; angles in radians.
#[derive(Clone, Copy)]
struct Date {
    /// UTC days since J2000.
    days: f64,
    t: f64,
}

#[derive(Clone, Copy)]
enum Axis {
    X,
    Y,
    Z,
}

/// 2000-01-01T12:00.
const J2000_UNIX: Duration = Duration::from_secs(946_728_000);
/// Terrestrial time minus UTC since 2017. In other decades it is wrong by some seconds, in which nothing here moves.
const TT_MINUS_UTC: f64 = 69.184;
const DAY: f64 = 86_400.0;
/// κ: the Earth's mean speed around the Sun over that of light, in arcsec.
const ABERRATION: f64 = 20.495_52;

/// Multiples of l, l', F, D and Ω; Δψ and Δε in arcsec (IAU 2000, all above 0.011).
const NUTATION: [([f64; 5], f64, f64); 13] = [
    ([0.0, 0.0, 0.0, 0.0, 1.0], -17.206_4, 9.205_2),
    ([0.0, 0.0, 2.0, -2.0, 2.0], -1.317_1, 0.573_0),
    ([0.0, 0.0, 2.0, 0.0, 2.0], -0.227_6, 0.097_8),
    ([0.0, 0.0, 0.0, 0.0, 2.0], 0.207_5, -0.089_7),
    ([0.0, 1.0, 0.0, 0.0, 0.0], 0.147_6, 0.007_4),
    ([0.0, 1.0, 2.0, -2.0, 2.0], -0.051_7, 0.022_4),
    ([1.0, 0.0, 0.0, 0.0, 0.0], 0.071_1, -0.000_7),
    ([0.0, 0.0, 2.0, 0.0, 1.0], -0.038_7, 0.020_1),
    ([1.0, 0.0, 2.0, 0.0, 2.0], -0.030_1, 0.012_9),
    ([0.0, -1.0, 2.0, -2.0, 2.0], 0.021_6, -0.009_6),
    ([0.0, 0.0, 2.0, -2.0, 1.0], 0.012_8, -0.006_9),
    ([-1.0, 0.0, 2.0, 0.0, 2.0], 0.012_3, -0.005_3),
    ([-1.0, 0.0, 0.0, 2.0, 0.0], 0.015_7, -0.000_1),
];

impl Date {
    fn of(at: SystemTime) -> Date {
        let days = match at.duration_since(SystemTime::UNIX_EPOCH + J2000_UNIX) {
            Ok(after) => after.as_secs_f64() / DAY,
            Err(before) => -before.duration().as_secs_f64() / DAY,
        };
        Date { days, t: (days + TT_MINUS_UTC / DAY) / 36_525.0 }
    }

    /// Mean obliquity of the ecliptic.
    fn obliquity(self) -> f64 {
        arcsec(84_381.406 - 46.836_769 * self.t)
    }

    /// Nutation in longitude and obliquity.
    fn nutation(self) -> (f64, f64) {
        let t = self.t;
        // l, l', F, D, Ω: the mean anomalies of Moon and Sun, and the Moon's place to its node, the Sun and Aries.
        let arguments = [
            485_868.249_036 + 1_717_915_923.217_8 * t,
            1_287_104.793_05 + 129_596_581.048_1 * t,
            335_779.526_232 + 1_739_527_262.847_8 * t,
            1_072_260.703_69 + 1_602_961_601.209_0 * t,
            450_160.398_036 - 6_962_890.543_1 * t,
        ];
        let mut sum = (0.0, 0.0);
        for (multiples, longitude, obliquity) in NUTATION {
            let angle = arcsec(multiples.iter().zip(arguments).map(|(n, argument)| n * argument).sum());
            sum.0 += arcsec(longitude) * angle.sin();
            sum.1 += arcsec(obliquity) * angle.cos();
        }
        sum
    }

    /// From the mean equator and equinox of J2000 to the true ones of date: precession, then nutation.
    fn turns(self) -> [(Axis, f64); 6] {
        let t = self.t;
        let zeta = 2.650_545 + (2_306.083_227 + (0.298_849_9 + 0.018_018_28 * t) * t) * t;
        let z = -2.650_545 + (2_306.077_181 + (1.092_734_8 + 0.018_268_37 * t) * t) * t;
        let theta = (2_004.191_903 + (-0.429_493_4 - 0.041_822_64 * t) * t) * t;
        let (longitude, obliquity) = self.nutation();
        [
            (Axis::Z, -arcsec(zeta)),
            (Axis::Y, arcsec(theta)),
            (Axis::Z, -arcsec(z)),
            (Axis::X, self.obliquity()),
            (Axis::Z, -longitude),
            (Axis::X, -(self.obliquity() + obliquity)),
        ]
    }

    /// The Earth's velocity in units of that of light, on the axes of J2000: what aberration adds to a direction.
    fn velocity(self) -> [f64; 3] {
        let t = self.t;
        let anomaly = (357.529_11 + 35_999.050_29 * t).to_radians();
        let e = 0.016_708_634 - 0.000_042_037 * t;
        let centre = (1.914_602 - 0.004_817 * t) * anomaly.sin() + 0.019_993 * (2.0 * anomaly).sin();
        // The Sun and its perigee as seen from here, from the equinox of J2000.
        let precession = 1.396_971 * t;
        let sun = (280.466_46 + 36_000.769_83 * t + centre - precession).to_radians();
        let perihelion = (102.937_35 + 1.719_46 * t - precession).to_radians();
        let speed = arcsec(ABERRATION);
        let ecliptic =
            [speed * (sun.sin() - e * perihelion.sin()), speed * (e * perihelion.cos() - sun.cos()), 0.0];
        turn(ecliptic, Axis::X, -Date { days: 0.0, t: 0.0 }.obliquity())
    }

    /// Apparent sidereal time at Greenwich, in degrees.
    fn sidereal_time(self) -> f64 {
        let (days, t) = (self.days, self.t);
        let rotation = (0.779_057_273_264 + 0.002_737_811_911_354_48 * days + days.fract()).fract();
        let precession = 0.014_506 + (4_612.156_534 + 1.391_581_7 * t) * t;
        let (longitude, _) = self.nutation();
        (rotation * TAU + arcsec(precession) + longitude * self.obliquity().cos()).to_degrees()
    }
}

fn arcsec(angle: f64) -> f64 {
    (angle / 3600.0).to_radians()
}

fn vector(longitude: f64, latitude: f64) -> [f64; 3] {
    let ((sin, cos), (up, level)) = (longitude.to_radians().sin_cos(), latitude.to_radians().sin_cos());
    [level * cos, level * sin, up]
}

/// Longitude (0 to 360) and latitude in degrees.
fn angles([x, y, z]: [f64; 3]) -> (f64, f64) {
    let longitude = y.atan2(x).to_degrees().rem_euclid(360.0);
    // A tiny negative angle rounds up to the full circle.
    let longitude = if longitude < 360.0 { longitude } else { 0.0 };
    (longitude, z.atan2(x.hypot(y)).to_degrees())
}

/// The same direction on axes turned by `angle` around one of them.
fn turn([x, y, z]: [f64; 3], axis: Axis, angle: f64) -> [f64; 3] {
    let (sin, cos) = angle.sin_cos();
    match axis {
        Axis::X => [x, cos * y + sin * z, cos * z - sin * y],
        Axis::Y => [cos * x - sin * z, y, sin * x + cos * z],
        Axis::Z => [cos * x + sin * y, cos * y - sin * x, z],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Angles = [f64; 2];

    /// Unix time, FK5 J2000, apparent place, azimuth and altitude at 45° north, 10° east, as astropy 5.2.1 has them:
    ///
    /// ```python
    /// s = SkyCoord(FK5(ra*u.deg, dec*u.deg, equinox='J2000')); t = Time(unix, format='unix', scale='utc')
    /// a = s.transform_to(TETE(obstime=t))
    /// h = s.transform_to(AltAz(obstime=t, location=EarthLocation(lat=45*u.deg, lon=10*u.deg), pressure=0*u.hPa))
    /// ```
    const ASTROPY: [(u64, Angles, Angles, Angles); 9] = [
        (1_795_328_186, [83.8221, -5.3911], [84.159_889_0, -5.372_001_5], [259.979_53, 2.375_42]),
        (1_786_831_200, [10.6847, 41.2687], [11.055_599_3, 41.414_369_7], [69.450_04, 42.627_51]),
        (1_772_323_200, [37.9546, 89.2641], [46.240_547_1, 89.379_487_3], [359.264_79, 44.663_54]),
        (1_718_452_800, [0.01, 0.02], [0.321_834_6, 0.155_498_0], [272.898_16, -2.674_95]),
        (1_105_326_000, [359.99, -75.0], [0.053_487_8, -74.978_249_1], [187.703_23, -59.283_46]),
        (1_735_700_000, [200.0, -89.9], [320.304_113_1, -89.948_359_1], [179.982_05, -45.050_09]),
        (946_728_000, [120.0, 66.5], [120.005_095_4, 66.497_375_0], [355.916_91, 21.738_04]),
        (1_624_000_000, [266.4168, -29.0078], [266.759_183_7, -29.015_704_2], [265.201_83, -38.342_52]),
        (700_000_000, [312.0, 12.0], [311.906_294_8, 11.969_063_7], [349.048_80, -32.393_36]),
    ];

    fn unix(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    /// Between two directions, in arcsec.
    fn apart(a: [f64; 2], b: [f64; 2]) -> f64 {
        let (a, b) = (vector(a[0], a[1]), vector(b[0], b[1]));
        let chord = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
        2.0 * (chord / 2.0).asin().to_degrees() * 3600.0
    }

    #[test]
    fn places_agree_with_astropy() {
        for (at, [ra, dec], apparent, _) in ASTROPY {
            let there = J2000 { ra, dec }.apparent(unix(at));
            let off = apart([there.ra, there.dec], apparent);
            assert!(off < 0.15, "apparent place of {ra}, {dec} at {at}: {off} arcsec off");
            let back = Apparent { ra: apparent[0], dec: apparent[1] }.j2000(unix(at));
            let off = apart([back.ra, back.dec], [ra, dec]);
            assert!(off < 0.15, "J2000 of {ra}, {dec} at {at}: {off} arcsec off");
        }
    }

    #[test]
    fn there_and_back_is_where_one_was() {
        for (at, [ra, dec], ..) in ASTROPY {
            let back = J2000 { ra, dec }.apparent(unix(at)).j2000(unix(at));
            assert!(apart([back.ra, back.dec], [ra, dec]) < 0.002, "{ra}, {dec}");
        }
    }

    #[test]
    fn horizons_agree_with_astropy() {
        let site = Site { latitude: 45.0, longitude: 10.0 };
        for (at, _, [ra, dec], horizontal) in ASTROPY {
            let here = Apparent { ra, dec }.horizontal(site, unix(at));
            let off = apart([here.azimuth, here.altitude], horizontal);
            // UT1 and polar motion, which astropy knows from tables.
            assert!(off < 14.0, "{ra}, {dec} at {at}: {off} arcsec off");
        }
    }

    #[test]
    fn airmass_is_that_of_the_tables() {
        // Kasten and Young 1989, who fitted the refracted altitude, after Saemundsson's refraction.
        let tables = [(90.0, 0.9997), (60.0, 1.1539), (30.0, 1.9926), (10.0, 5.5396), (5.0, 10.0396)];
        for (altitude, want) in tables {
            let air = Horizontal { azimuth: 0.0, altitude }.airmass().unwrap();
            assert!((air / want - 1.0).abs() < 0.002, "{altitude}: {air}");
        }
        assert!(Horizontal { azimuth: 0.0, altitude: 0.0 }.airmass().is_some_and(f64::is_finite));
        assert_eq!(Horizontal { azimuth: 0.0, altitude: -0.01 }.airmass(), None);
    }
}
