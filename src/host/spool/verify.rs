//! Whether all frames of a spool are what the journal says of them. Nothing is changed.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::journal::{JOURNAL, LOCK};
use super::parts;
use super::record::{Ledger, Record};
use crate::host::disk;
use crate::host::sum::Sum;

/// What was found in one spool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// Its directory.
    pub spool: PathBuf,
    /// Frames that the journal lists.
    pub frames: usize,
    /// Of these, the ones that are whole.
    pub whole: usize,
    /// The others.
    pub damaged: Vec<Damage>,
    /// Lines of the journal that say nothing: torn when a process was killed, or damaged.
    pub unreadable_lines: usize,
    /// Files that are whole as far as anybody knows and not in the journal yet: the driver enters them when it starts.
    pub not_entered: Vec<String>,
}

/// A frame that is not what the journal says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Damage {
    /// Which frame.
    pub id: String,
    /// Where it is, or should be.
    pub path: PathBuf,
    /// What is wrong with it.
    pub why: String,
}

/// The spools in this directory: it is one itself, or has some inside.
pub fn spools(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let is_spool = |path: &Path| path.join(JOURNAL).is_file() || path.join(LOCK).is_file();
    if is_spool(directory) {
        return Ok(vec![directory.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        found.extend(Some(entry?.path()).filter(|path| is_spool(path)));
    }
    found.sort();
    Ok(found)
}

/// Reads the journal and all frames that it lists.
pub fn verify(spool: &Path) -> io::Result<Findings> {
    let text = {
        // A driver at work is not caught in the middle of a line. Where there is no lock nobody is at work.
        let lock = File::open(spool.join(LOCK));
        let _ = lock.as_ref().map(|lock| disk::lock(lock, rustix::fs::FlockOperation::LockShared));
        match fs::read(spool.join(JOURNAL)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            text => text?,
        }
    };
    let ledger = Ledger::read(&text);
    let damaged: Vec<Damage> = ledger.frames.iter().filter_map(|frame| damage(spool, frame)).collect();
    let known: HashSet<&str> = ledger.frames.iter().map(|frame| &*frame.id).collect();
    let mut not_entered = Vec::new();
    for entry in fs::read_dir(spool)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let is_new = |id: &str| !known.contains(id) && !ledger.dropped.contains(id);
        if parts(&name).is_some_and(|(id, _)| is_new(id)) {
            not_entered.push(name);
        }
    }
    Ok(Findings {
        spool: spool.to_owned(),
        frames: ledger.frames.len(),
        whole: ledger.frames.len() - damaged.len(),
        damaged,
        unreadable_lines: ledger.damaged,
        not_entered,
    })
}

fn damage(spool: &Path, frame: &Record) -> Option<Damage> {
    let path = spool.join(&frame.path);
    let why = match File::open(&path).and_then(Sum::read) {
        Ok((sum, _)) if sum == frame.sha256 => return None,
        Ok((_, bytes)) if bytes != frame.bytes => format!("it has {bytes} bytes instead of {}", frame.bytes),
        Ok((sum, _)) => format!("its SHA-256 is {sum}, not {}", frame.sha256),
        Err(error) if error.kind() == ErrorKind::NotFound => "it is not there".to_owned(),
        Err(error) => error.to_string(),
    };
    Some(Damage { id: frame.id.clone(), path, why })
}
