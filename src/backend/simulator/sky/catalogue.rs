//! The real stars: a packed table inside the driver, or a deeper one found when it runs.
//!
//! `make_catalogue.py` makes both and says how they are packed; `tycho2-licence.txt` says where they come from. The
//! deeper one is the file that the environment variable `INDI_CAMERA_STARS` names, or else [`DEEPER`].

use std::borrow::Cow;
use std::env;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use super::tile::{BANDS, Direction, Tile, direction};

/// Where a deeper catalogue is looked for when nobody names one.
const DEEPER: &str = "/usr/share/indi-camera/stars.bin";
const VARIABLE: &str = "INDI_CAMERA_STARS";

const PACKED: &[u8] = include_bytes!("stars.bin");
const MAGIC: &[u8; 8] = b"INDISKY1";
/// The magic word and a count of four bytes per band.
const HEADER: usize = MAGIC.len() + 4 * BANDS as usize;
/// Bytes of a star.
const STAR: usize = 7;
/// Parts of a circle in which right ascension counts, and of half a circle for declination.
const PARTS: u32 = 1 << 24;
const BRIGHTEST: f32 = -1.5;
const MAGNITUDE_STEP: f32 = 0.06;

/// What is wrong with the catalogue that the user names, in one sentence, as far as its beginning and its length tell.
pub(in super::super) fn complaint() -> Option<String> {
    let path = named()?;
    let why = look(&path).err()?;
    Some(format!(
        "{VARIABLE} {} is not used, and the stars are those inside the driver: {why}",
        path.display()
    ))
}

fn named() -> Option<PathBuf> {
    env::var_os(VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from)
}

fn look(path: &Path) -> Result<(), String> {
    let words = |error: io::Error| error.to_string();
    let mut beginning = Vec::new();
    let file = File::open(path).map_err(words)?;
    let has = file.metadata().map_err(words)?.len();
    file.take(HEADER as u64).read_to_end(&mut beginning).map_err(words)?;
    ends(&beginning, has).map(|_ends| ())
}

/// Where the bands end in a file of that length that begins so.
fn ends(beginning: &[u8], has: u64) -> Result<Vec<usize>, String> {
    let header = beginning.get(..HEADER).ok_or_else(|| format!("it has only {has} bytes"))?;
    let (magic, counts) = header.split_at(MAGIC.len());
    if magic != MAGIC {
        return Err("it does not begin with INDISKY1".to_owned());
    }
    let (counts, _) = counts.as_chunks();
    let mut ends = vec![0];
    let mut number = 0_usize;
    for count in counts {
        number += u32::from_le_bytes(*count) as usize;
        ends.push(number);
    }
    let wanted = (HEADER + STAR * number) as u64;
    if wanted == has {
        Ok(ends)
    } else {
        Err(format!("{number} stars take {wanted} bytes, and it has {has}"))
    }
}

/// A table of stars.
pub(super) struct Catalogue {
    stars: Cow<'static, [u8]>,
    /// Where each band ends, in stars, after the beginning of the first.
    ends: Vec<usize>,
}

/// A real star.
pub(super) struct Entry {
    pub(super) direction: Direction,
    pub(super) magnitude: f32,
    /// A number that no other star has, unless both are the same to a hundredth of a pixel.
    pub(super) number: u64,
}

impl Catalogue {
    /// The catalogue of this process.
    pub(super) fn get() -> &'static Catalogue {
        static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::choose(named().as_deref()));
        &CATALOGUE
    }

    /// The one that is `named`, or else the one in the usual place; the one inside if that cannot be read.
    fn choose(named: Option<&Path>) -> Catalogue {
        let path = named.unwrap_or(Path::new(DEEPER));
        match fs::read(path) {
            Ok(bytes) => match Catalogue::read(bytes.into()) {
                Ok(catalogue) => return catalogue,
                Err(why) => tracing::warn!("{} is no star catalogue and not used: {why}", path.display()),
            },
            Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!("the star catalogue {} cannot be read: {error}", path.display()),
        }
        // A test reads it, so it has no mistakes.
        Catalogue::read(PACKED.into()).unwrap_or(Catalogue { stars: Cow::Borrowed(&[]), ends: vec![0; 181] })
    }

    /// Checks everything that [`Catalogue::tile`] takes for granted.
    fn read(bytes: Cow<'static, [u8]>) -> Result<Catalogue, String> {
        let ends = ends(&bytes, bytes.len() as u64)?;
        let stars = match bytes {
            Cow::Borrowed(bytes) => Cow::Borrowed(&bytes[HEADER..]),
            Cow::Owned(mut bytes) => Cow::Owned(bytes.split_off(HEADER)),
        };
        let catalogue = Catalogue { stars, ends };
        match (0..BANDS).find(|band| !catalogue.is_in_order(*band)) {
            Some(band) => Err(format!("the stars of its degree {band} of declination are out of order")),
            None => Ok(catalogue),
        }
    }

    /// Whether the stars of a band are in it, and in the order of their right ascension.
    fn is_in_order(&self, band: u32) -> bool {
        let stars = self.band(band);
        let band_of = |star: [u8; STAR]| (u64::from(dec(star)) * u64::from(BANDS)) >> 24;
        stars.is_sorted_by_key(|star| ra(*star)) && stars.iter().all(|star| band_of(*star) == u64::from(band))
    }

    /// The stars in a tile.
    pub(super) fn tile(&self, tile: Tile) -> impl ExactSizeIterator<Item = Entry> {
        let stars = self.band(tile.band);
        // A star on the edge belongs to the tile that begins there.
        let place = |cell: u32| {
            let first = (u64::from(cell) * u64::from(PARTS)).div_ceil(u64::from(tile.cells));
            stars.partition_point(|star| u64::from(ra(*star)) < first)
        };
        stars[place(tile.cell)..place(tile.cell + 1)].iter().map(|star| Entry::unpack(*star))
    }

    fn band(&self, band: u32) -> &[[u8; STAR]] {
        let band = band as usize;
        &self.packed()[self.ends[band]..self.ends[band + 1]]
    }

    fn packed(&self) -> &[[u8; STAR]] {
        self.stars.as_chunks().0
    }
}

impl Entry {
    fn unpack(star: [u8; STAR]) -> Entry {
        let (ra, dec) = (ra(star), dec(star));
        let height = libm::sin((f64::from(dec) / f64::from(PARTS) - 0.5) * std::f64::consts::PI);
        Entry {
            direction: direction(f64::from(ra) / f64::from(PARTS), height),
            magnitude: BRIGHTEST + MAGNITUDE_STEP * f32::from(star[6]),
            number: (u64::from(ra) << 24) | u64::from(dec),
        }
    }
}

fn ra([a, b, c, ..]: [u8; STAR]) -> u32 {
    u32::from_le_bytes([a, b, c, 0])
}

fn dec([_, _, _, a, b, c, _]: [u8; STAR]) -> u32 {
    u32::from_le_bytes([a, b, c, 0])
}

#[cfg(test)]
mod tests {
    use super::super::tile::around;
    use super::*;

    fn refused(bytes: &[u8]) -> String {
        Catalogue::read(bytes.to_vec().into()).err().unwrap()
    }

    #[test]
    fn the_stars_inside_are_tycho_s() {
        let catalogue = Catalogue::read(PACKED.into()).unwrap();
        let all: Vec<Entry> = around(0.0, 0.0, 90.0).iter().flat_map(|tile| catalogue.tile(*tile)).collect();
        assert_eq!(all.len(), catalogue.packed().len());
        assert!((350_000..450_000).contains(&all.len()), "{} stars", all.len());
        let brighter = |limit| all.iter().filter(|star| star.magnitude < limit).count();
        // Of 5 000 stars that the eye sees Tycho-2 has six out of seven.
        assert!((3_800..5_000).contains(&brighter(6.0)), "{} to magnitude 6", brighter(6.0));
        // Barnard's and Kapteyn's stars move fast; these do not: Hipparcos, J2000.
        let known = [(56.871_2, 24.105_1, 2.87), (81.282_8, 6.349_7, 1.64), (37.954_5, 89.264_1, 2.0)];
        for (ra, dec, magnitude) in known {
            let there = direction(ra / 360.0, libm::sin(f64::to_radians(dec)));
            let near = |star: &&Entry| {
                let chord2: f64 = star.direction.iter().zip(there).map(|(a, b)| (a - b).powi(2)).sum();
                chord2.sqrt().to_degrees() * 3600.0 < 1.0
            };
            let found = all.iter().find(near).unwrap();
            assert!((found.magnitude - magnitude).abs() < 0.1, "{} for {magnitude}", found.magnitude);
        }
    }

    #[test]
    fn a_damaged_file_is_refused_with_a_reason() {
        assert_eq!(refused(b"INDISKY1"), "it has only 8 bytes");
        let mut other = PACKED.to_vec();
        other[0] = b'X';
        assert_eq!(refused(&other), "it does not begin with INDISKY1");
        assert!(refused(&PACKED[..PACKED.len() - 1]).starts_with("376154 stars take 2633806 bytes"));
        let mut other = PACKED.to_vec();
        other[HEADER + 2] = 255;
        assert_eq!(refused(&other), "the stars of its degree 0 of declination are out of order");
        let mut other = PACKED.to_vec();
        other[HEADER + 5] = 128;
        assert_eq!(refused(&other), "the stars of its degree 0 of declination are out of order");
    }

    #[test]
    fn a_file_that_is_none_leaves_the_stars_inside() {
        let none = Path::new("no such file");
        assert_eq!(Catalogue::choose(Some(none)).packed().len(), 376_154);
        let wrong = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        assert_eq!(Catalogue::choose(Some(&wrong)).packed().len(), 376_154);
        let right = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/backend/simulator/sky/stars.bin");
        assert!(matches!(Catalogue::choose(Some(&right)).stars, Cow::Owned(_)));
    }
}
