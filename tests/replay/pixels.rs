//! What is in the files is what comes out, pixel by pixel.

use std::process::Command;

use super::*;

/// Numbers that use all of `bits` bits, with both ends among them.
fn spread(bits: u32, count: usize) -> Vec<u32> {
    let largest = u32::MAX >> (32 - bits);
    let mut next = 1_u32;
    let mut numbers: Vec<u32> = (0..count)
        .map(|_| {
            next = next.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            next >> (32 - bits)
        })
        .collect();
    (numbers[0], numbers[1], numbers[count - 1]) = (0, largest, 1);
    numbers
}

#[test]
fn whole_numbers_of_every_size_come_as_they_are() {
    let (columns, rows) = SIZE;
    let flat = [rows, columns];
    let folders: Vec<(Folder, Vec<u32>, &str)> = vec![
        made("8", |path| {
            let pixels = spread(8, columns * rows);
            write(path, ImageType::UnsignedByte, &flat, &pixels.iter().map(|n| *n as u8).collect::<Vec<_>>());
            pixels
        }),
        made("16", |path| {
            let pixels = spread(16, columns * rows);
            write(
                path,
                ImageType::UnsignedShort,
                &flat,
                &pixels.iter().map(|n| *n as u16).collect::<Vec<_>>(),
            );
            pixels
        }),
        made("16", |path| {
            let pixels = spread(15, columns * rows);
            write(path, ImageType::Short, &flat, &pixels.iter().map(|n| *n as i16).collect::<Vec<_>>());
            pixels
        }),
        made("32", |path| {
            let pixels = spread(32, columns * rows);
            write(path, ImageType::UnsignedLong, &flat, &pixels);
            pixels
        }),
        made("32", |path| {
            let pixels = spread(31, columns * rows);
            write(path, ImageType::Long, &flat, &pixels.iter().map(|n| *n as i32).collect::<Vec<_>>());
            pixels
        }),
        made("16", |path| {
            let pixels = spread(16, 3 * columns * rows);
            let words = pixels.iter().map(|n| *n as u16).collect::<Vec<_>>();
            write(path, ImageType::UnsignedShort, &[3, rows, columns], &words);
            pixels
        }),
    ];
    let mut driver = started(folders[0].0.path());
    for (folder, pixels, bits) in &folders {
        // As a client chooses it.
        driver.new_vector("Text", "REPLAY_FOLDER", &[("FOLDER", folder.path().to_str().unwrap())]);
        driver.connect();
        let image = frame(&mut driver);
        assert!(image.pixels == *pixels, "pixels of {bits} bit came as others");
        assert_eq!(image.get("BITPIX"), *bits);
        assert_eq!(image.shape[..2], [columns, rows]);
        assert_eq!(driver.number("CCD_INFO", "CCD_BITSPERPIXEL").to_string(), *bits);
        driver.new_vector("Switch", "CONNECTION", &[("DISCONNECT", "On")]);
        driver.wait_for(|driver| driver.vector("CCD1").is_none(), SOON);
    }
}

fn made(bits: &str, make: impl FnOnce(&Path) -> Vec<u32>) -> (Folder, Vec<u32>, &str) {
    let folder = Folder::new();
    let pixels = make(&folder.path().join("only.fits"));
    (folder, pixels, bits)
}

/// Writes one file of each kind into folders that are named for it, with the same pixels as plain numbers beside it.
const ASTROPY: &str = r#"
import sys, os, numpy as np
from astropy.io import fits
rng = np.random.default_rng(5)
def save(name, data, compressed=None, primary=None):
    folder = os.path.join(sys.argv[1], name)
    os.mkdir(folder)
    np.asarray(data).astype(">u4").tofile(os.path.join(folder, "expected"))
    if compressed:
        hdus = fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(data, compression_type=compressed)])
        hdus.writeto(os.path.join(folder, "image.fits.fz"))
    else:
        fits.PrimaryHDU(data).writeto(os.path.join(folder, "image.FIT"))
def draw(dtype, bits, *shape):
    data = rng.integers(0, 2**bits, shape, dtype=np.uint64)
    data.flat[0], data.flat[1] = 0, 2**bits - 1
    return data.astype(dtype)
save("bytes", draw(np.uint8, 8, 18, 24))
save("signed words", draw(np.int16, 15, 18, 24))
save("words", draw(np.uint16, 16, 18, 24))
save("signed long", draw(np.int32, 31, 18, 24))
save("long", draw(np.uint32, 32, 18, 24))
save("colour", draw(np.uint16, 16, 3, 18, 24))
save("rice", draw(np.uint16, 16, 18, 24), "RICE_1")
save("rice of bytes", draw(np.uint8, 8, 18, 24), "RICE_1")
save("rice of long", draw(np.int32, 31, 18, 24), "RICE_1")
save("rice in colour", draw(np.uint16, 16, 3, 18, 24), "RICE_1")
folder = os.path.join(sys.argv[1], "extension")
os.mkdir(folder)
data = draw(np.uint16, 16, 18, 24)
data.astype(">u4").tofile(os.path.join(folder, "expected"))
fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(data)]).writeto(os.path.join(folder, "image.fts"))
"#;

#[test]
fn files_of_astropy_compressed_or_not_come_as_they_are() {
    let folder = Folder::new();
    let output =
        Command::new("/usr/bin/python3").args(["-W", "error", "-c", ASTROPY]).arg(folder.path()).output();
    let output = output.expect("install python3-astropy (packaging/test.sh does)");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let kinds = folder.list("");
    assert_eq!(kinds.len(), 11);
    let mut driver = started(folder.path());
    for kind in kinds {
        let path = folder.path().join(&kind);
        let expected: Vec<u32> = std::fs::read(path.join("expected"))
            .unwrap()
            .as_chunks()
            .0
            .iter()
            .map(|&number| u32::from_be_bytes(number))
            .collect();
        driver.new_vector("Text", "REPLAY_FOLDER", &[("FOLDER", path.to_str().unwrap())]);
        driver.connect();
        let image = frame(&mut driver);
        assert!(image.pixels == expected, "{kind} came as something else");
        let planes = if kind.contains("colour") { 3 } else { 1 };
        assert_eq!(
            (image.pixels.len(), image.shape.get(2).copied().unwrap_or(1)),
            (24 * 18 * planes, planes)
        );
        driver.new_vector("Switch", "CONNECTION", &[("DISCONNECT", "On")]);
        driver.wait_for(|driver| driver.vector("CCD1").is_none(), SOON);
    }
}

#[test]
fn names_are_names_and_nothing_else() {
    let folder = Folder::new();
    // What CFITSIO would take for a section, a filter, another machine, its standard input, a file to be replaced.
    let names =
        ["!a.fits", "-.fits", "b[2:5,3:4].fits", "c(d.fits).fits", "e [1].fits", "ftp:f.fits", "mem:g.fits"];
    let mut expected = Vec::new();
    for (name, first) in names.iter().zip((100_u16..).step_by(100)) {
        // CFITSIO cannot be asked to write under such a name either.
        let plain = folder.path().join("plain");
        expected.push(write_words(&plain, SIZE, first));
        std::fs::rename(plain, folder.path().join(name)).unwrap();
    }
    let mut driver = connected(folder.path());
    for (name, expected) in names.iter().zip(expected) {
        let image = frame(&mut driver);
        assert_eq!(image.shape, [SIZE.0, SIZE.1], "{name}");
        assert!(image.pixels == expected, "{name} came as something else");
    }
    assert_eq!(folder.list(""), names);
}

#[test]
fn windows_and_binning_are_made_of_the_files_pixels() {
    let folder = Folder::new();
    let pixels = write_words(&folder.path().join("a.fits"), SIZE, 1000);
    let mut driver = connected(folder.path());
    driver.new_vector("Number", "CCD_FRAME", &[("X", "3"), ("Y", "5"), ("WIDTH", "8"), ("HEIGHT", "6")]);
    driver.new_vector("Number", "CCD_BINNING", &[("HOR_BIN", "2"), ("VER_BIN", "3")]);
    let image = frame(&mut driver);
    assert_eq!(image.shape, [4, 2]);
    let at = |column: usize, row: usize| pixels[row * SIZE.0 + column];
    let sum = |column: usize, row: usize| {
        let cells = (0..3).flat_map(|y| (0..2).map(move |x| (x, y)));
        cells.map(|(x, y)| at(3 + 2 * column + x, 5 + 3 * row + y)).sum::<u32>()
    };
    let expected: Vec<u32> =
        (0..2).flat_map(|row| (0..4).map(move |column| (column, row))).map(|(c, r)| sum(c, r)).collect();
    assert_eq!(image.pixels, expected);
}

#[test]
fn the_header_tells_of_the_file_what_it_says_of_the_frame_and_the_rest_of_the_replay() {
    let folder = Folder::new();
    let path = folder.path().join("a.fits");
    write_words(&path, SIZE, 1);
    let mut file = FitsFile::edit(&path).unwrap();
    let hdu = file.primary_hdu().unwrap();
    hdu.write_key(&mut file, "GAIN", 139_i64).unwrap();
    hdu.write_key(&mut file, "OFFSET", 21_i64).unwrap();
    hdu.write_key(&mut file, "CCD-TEMP", -9.5).unwrap();
    hdu.write_key(&mut file, "XPIXSZ", 3.76).unwrap();
    hdu.write_key(&mut file, "YPIXSZ", 3.76).unwrap();
    hdu.write_key(&mut file, "BAYERPAT", "GRBG").unwrap();
    hdu.write_key(&mut file, "XBAYROFF", 1_i64).unwrap();
    hdu.write_key(&mut file, "EXPTIME", 300.0).unwrap();
    hdu.write_key(&mut file, "DATE-OBS", "2001-01-01T00:00:00").unwrap();
    hdu.write_key(&mut file, "INSTRUME", "Another Camera").unwrap();
    drop(file);
    let mut driver = connected(folder.path());
    let image = frame(&mut driver);
    let numbers =
        [("GAIN", 139.0), ("OFFSET", 21.0), ("CCD-TEMP", -9.5), ("XPIXSZ", 3.76), ("EXPTIME", BRIEF)];
    for (keyword, wanted) in numbers {
        assert_eq!(image.number(keyword), wanted, "{keyword}");
    }
    assert_eq!((image.get("BAYERPAT"), image.number("XBAYROFF")), ("GRBG", 1.0));
    assert_eq!(image.get("INSTRUME"), "Camera Replay");
    assert!(!image.get("DATE-OBS").starts_with("2001"), "{}", image.get("DATE-OBS"));
    assert_eq!(driver.get("CCD_CFA", "CFA_TYPE"), Some("GRBG"));
    assert_eq!(driver.number("CCD_INFO", "CCD_PIXEL_SIZE"), 3.76);

    // What the file does not say, nobody says.
    let folder = Folder::new();
    write_words(&folder.path().join("a.fits"), SIZE, 1);
    let image = frame(&mut connected(folder.path()));
    for keyword in ["GAIN", "OFFSET", "CCD-TEMP", "XPIXSZ", "PIXSIZE1", "BAYERPAT"] {
        assert_eq!(image.header.get(keyword), None, "{keyword}");
    }
}
