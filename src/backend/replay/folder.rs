//! A folder of FITS files that could be the frames of one camera, in the order of their names.

use std::fs;
use std::path::{Path, PathBuf};

use super::file::{self, Sensor};

/// How the names of FITS files end, in capitals or not; compressed ones have `.fz` behind it.
const SUFFIXES: [&str; 3] = [".fits", ".fit", ".fts"];

/// The frames to be replayed, at least one.
pub(super) struct Folder {
    pub(super) path: PathBuf,
    pub(super) files: Vec<PathBuf>,
    /// What took them all.
    pub(super) sensor: Sensor,
}

impl Folder {
    /// Looks into every file's header, so that what would fail in the middle of the night fails now. The error is a
    /// clause that names folder and files.
    pub(super) fn read(path: &Path) -> Result<Folder, String> {
        let shown = path.display();
        let unreadable = |error: std::io::Error| format!("{shown} cannot be read: {error}");
        let mut files = Vec::new();
        for entry in fs::read_dir(path).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            if is_fits(&entry.file_name().to_string_lossy()) {
                files.push(entry.path());
            }
        }
        files.sort();
        let look =
            |file: &PathBuf| file::sensor(file).map_err(|why| format!("{} in {shown} {why}", name(file)));
        let Some(first) = files.first() else {
            return Err(format!(
                "{shown} has no FITS file in it, whose name would end in {}, or in that and .fz",
                SUFFIXES.join(", ")
            ));
        };
        let sensor = look(first)?;
        for file in &files[1..] {
            let other = look(file)?;
            if !other.is_like(&sensor) {
                return Err(format!(
                    "{shown} is of several cameras: {} has {sensor}, {} has {other}",
                    name(first),
                    name(file)
                ));
            }
        }
        Ok(Folder { path: path.to_owned(), sensor, files })
    }
}

/// The name of a file for people.
pub(super) fn name(file: &Path) -> String {
    file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned()
}

/// Hidden files are drafts and other programs' notes.
fn is_fits(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix(".fz").unwrap_or(&name);
    !name.starts_with('.') && SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
}

#[cfg(test)]
mod tests {
    use super::is_fits;

    #[test]
    fn fits_files_are_known_by_their_names() {
        for name in ["a.fits", "B.FIT", "c.d.fts", "e.fits.fz", "F.Fit.FZ"] {
            assert!(is_fits(name), "{name}");
        }
        for name in ["fits", "a.fits.gz", ".a.fits", "a.fits.part", "a.xisf", "a.fz", "a.fits~"] {
            assert!(!is_fits(name), "{name}");
        }
    }
}
