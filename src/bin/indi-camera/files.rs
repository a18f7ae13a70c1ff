//! Where the pictures go: names that are free, and files that appear whole or not at all.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use indi_camera::host::draft::Draft;
use jiff::Zoned;

use super::fault::Fault;

/// Suffixes that a picture can have; the one of the pattern gives way to that of the picture.
const SUFFIXES: [&str; 6] = [".fits.fz", ".fits", ".fit", ".fts", ".xisf", ".bin"];
/// The working directory.
const HERE: &str = ".";
/// Name of what goes into a directory that was given without one.
const USUAL: &str = "capture_XXX";
/// Files of one series before somebody should tidy up.
const MOST: u64 = 1_000_000;

/// Where the pictures of one run go.
#[derive(Clone, Debug)]
pub(super) struct Files {
    directory: PathBuf,
    /// Without a suffix.
    name: String,
    /// Where the number stands in the name, and how many digits it has at least.
    number: Option<(usize, usize)>,
    overwrite: bool,
}

/// What is written for one picture.
pub(super) struct Written {
    /// The frame.
    pub(super) frame: PathBuf,
    /// The picture for people.
    pub(super) preview: Option<PathBuf>,
}

impl Files {
    /// Looks at the pattern and the directory, which is made if need be, before any light is spent.
    pub(super) fn new(pattern: &Path, count: u32, overwrite: bool, now: &Zoned) -> Result<Files, Fault> {
        let inside = pattern.join(USUAL);
        let pattern = if names_directory(pattern) { &inside } else { pattern };
        let name = pattern.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| {
            Fault::usage(format!("--out {} does not end with a file name", pattern.display()))
        })?;
        let name = SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name);
        let name = name.replace("ISO8601", &now.strftime("%Y-%m-%dT%H-%M-%S").to_string());
        let digits = |at: usize| name[at..].bytes().take_while(|&byte| byte == b'X').count();
        let number = name.find("XXX").map(|at| (at, digits(at)));
        if number.is_none() && count > 1 {
            let better = pattern.with_file_name(format!("{name}_XXX.fits"));
            return Err(Fault::usage(format!("{count} pictures do not fit into one file"))
                .advise(format!("Put XXX where the number goes: --out '{}'.", better.display())));
        }
        let directory = match pattern.parent() {
            Some(parent) if parent != Path::new("") => parent.to_owned(),
            _ => PathBuf::from(HERE),
        };
        let files = Files { directory, name, number, overwrite };
        files.probe()?;
        Ok(files)
    }

    /// Fails for every reason that can be known before the exposure.
    fn probe(&self) -> Result<(), Fault> {
        let directory = self.directory.display();
        let advice = "Choose another place with --out.";
        fs::create_dir_all(&self.directory)
            .and_then(|()| Draft::new(&self.directory))
            .map_err(|error| Fault::disk(format!("cannot write into {directory}: {error}")).advise(advice))?;
        if self.number.is_none() && !self.overwrite {
            return self.taken(0).map_or(Ok(()), |path| Err(self.exists(&path)));
        }
        Ok(())
    }

    /// A file that has that number already, whatever its suffix.
    fn taken(&self, number: u64) -> Option<PathBuf> {
        SUFFIXES.iter().chain(&[".png"]).map(|suffix| self.path(number, suffix)).find(|path| path.exists())
    }

    /// Writes a frame and its preview under the next free name.
    pub(super) fn write(&self, frame: &[u8], suffix: &str, preview: Option<&[u8]>) -> Result<Written, Fault> {
        let draft = self.draft(frame)?;
        let preview = preview.map(|bytes| self.draft(bytes)).transpose()?;
        let (number, frame) = self.publish(draft, suffix)?;
        match preview.map(|draft| self.publish_as(draft, number, ".png")).transpose() {
            Ok(preview) => Ok(Written { frame, preview }),
            Err(fault) => Err(fault.advise(format!("The picture itself is safe in {}.", frame.display()))),
        }
    }

    fn draft(&self, bytes: &[u8]) -> Result<Draft, Fault> {
        let mut draft = Draft::new(&self.directory).map_err(|error| self.broken(&error))?;
        draft.write(bytes).map_err(|error| self.broken(&error))?;
        Ok(draft)
    }

    /// The number and the path that the frame got.
    fn publish(&self, mut draft: Draft, suffix: &str) -> Result<(u64, PathBuf), Fault> {
        if self.number.is_none() {
            return self.publish_as(draft, 0, suffix).map(|path| (0, path));
        }
        for number in 1..MOST {
            if self.taken(number).is_some() {
                continue;
            }
            // Somebody else may have taken it just now.
            match self.claim(draft, number, suffix)? {
                Ok(path) => return Ok((number, path)),
                Err(back) => draft = back,
            }
        }
        Err(Fault::disk(format!("all numbers of {} are taken", self.path(1, suffix).display())))
    }

    fn publish_as(&self, draft: Draft, number: u64, suffix: &str) -> Result<PathBuf, Fault> {
        let path = self.path(number, suffix);
        if self.overwrite && self.number.is_none() {
            draft.replace(&self.full(number, suffix)).map_err(|error| self.broken(&error))?;
            return Ok(path);
        }
        match self.claim(draft, number, suffix)? {
            Ok(path) => Ok(path),
            Err(_) => Err(self.exists(&path)),
        }
    }

    fn claim(&self, draft: Draft, number: u64, suffix: &str) -> Result<Result<PathBuf, Draft>, Fault> {
        let claimed = draft.claim(&self.full(number, suffix)).map_err(|error| self.broken(&error))?;
        Ok(claimed.map(|_| self.path(number, suffix)))
    }

    /// As a person would write it.
    fn path(&self, number: u64, suffix: &str) -> PathBuf {
        let name = self.full(number, suffix);
        if self.directory == Path::new(HERE) { name.into() } else { self.directory.join(name) }
    }

    fn full(&self, number: u64, suffix: &str) -> OsString {
        let name = match self.number {
            Some((at, digits)) => {
                format!("{}{number:0digits$}{}", &self.name[..at], &self.name[at + digits..])
            }
            None => self.name.clone(),
        };
        OsString::from(name + suffix)
    }

    fn exists(&self, path: &Path) -> Fault {
        let numbered = path.with_file_name(format!("{}_XXX.fits", self.name));
        Fault::disk(format!("{} exists already and is left as it is", path.display())).advise(format!(
            "Choose another name, let it be numbered (--out '{}'), or say --overwrite.",
            numbered.display()
        ))
    }

    fn broken(&self, error: &io::Error) -> Fault {
        Fault::disk(format!("cannot write into {}: {error}", self.directory.display()))
    }
}

fn names_directory(path: &Path) -> bool {
    path.is_dir() || path.as_os_str().as_encoded_bytes().ends_with(b"/")
}

#[cfg(test)]
mod tests;
