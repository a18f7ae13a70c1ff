//! FITS as CFITSIO reads it: the opinion of somebody who has not seen our encoder.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use fitsio::FitsFile;
use fitsio::hdu::HduInfo;

use super::Folder;

const BLOCK: usize = 2880;
const CARD: usize = 80;

/// The first image of a FITS file.
#[derive(Debug)]
pub struct Fits {
    /// Keyword → value, strings without quotes; keywords without value are not in it.
    pub header: BTreeMap<String, String>,
    /// Sizes in FITS order: width, height, planes.
    pub shape: Vec<usize>,
    /// Pixel values with BZERO applied, row by row from the first one in the file.
    pub pixels: Vec<u32>,
    /// Number of header-and-data units.
    pub units: usize,
}

impl Fits {
    /// A header value.
    pub fn get(&self, keyword: &str) -> &str {
        self.header.get(keyword).unwrap_or_else(|| panic!("no {keyword} in {:?}", self.header))
    }

    /// A header value as a number.
    pub fn number(&self, keyword: &str) -> f64 {
        let text = self.get(keyword);
        text.parse().unwrap_or_else(|_| panic!("{keyword} is {text:?}"))
    }
}

/// Reads a file from memory.
pub fn fits(bytes: &[u8]) -> Fits {
    assert!(
        !bytes.is_empty() && bytes.len().is_multiple_of(BLOCK),
        "{} bytes are not whole blocks",
        bytes.len()
    );
    let folder = Folder::new();
    let path = folder.path().join("image.fits");
    fs::write(&path, bytes).unwrap();
    let mut file = FitsFile::open(&path).unwrap();
    let hdu = file.primary_hdu().unwrap();
    let HduInfo::ImageInfo { shape, .. } = &hdu.info else { panic!("the first unit is no image") };
    let shape: Vec<usize> = shape.iter().rev().copied().collect();
    // CFITSIO has no list of keywords in its safe face: the names are ours, the values are its own.
    let names = bytes.chunks_exact(CARD).take_while(|card| !card.starts_with(b"END     "));
    let mut header = BTreeMap::new();
    for card in names.filter(|card| &card[8..10] == b"= ") {
        let name = std::str::from_utf8(&card[..8]).expect("keywords are ASCII").trim();
        let value: String = hdu.read_key(&mut file, name).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(header.insert(name.to_owned(), value).is_none(), "{name} twice");
    }
    let pixels = hdu.read_image(&mut file).unwrap();
    let units = file.iter().count();
    Fits { header, shape, pixels, units }
}

/// Asserts that HEASARC's verifier finds nothing to say.
pub fn fitsverify(path: &Path) {
    let output = Command::new("fitsverify").arg(path).output();
    let output = output.expect("install fitsverify (packaging/test.sh does)");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("found 0 warning(s) and 0 error(s)"), "{text}");
}
