//! The log file of this run, for users who asked for one: where libindi keeps it, one line after the other.
//!
//! The file is opened when the first line comes, and written by a thread of its own, because a disk may hang and a
//! log is no reason to stand still. Nothing is synced: after a power cut the last lines may be missing.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Lines that wait for the disk. When they fill up the rest is lost, and counted.
const LINES: usize = 256;

/// The log file and the thread that writes it.
#[derive(Debug)]
pub struct SessionLog {
    path: PathBuf,
    writer: Option<(SyncSender<String>, JoinHandle<()>)>,
    failed: bool,
    lost: usize,
}

impl SessionLog {
    /// `<home>/.indi/logs/YYYY-MM-DD/<exec>/<exec>_HH:MM:SS.log`, by the local time of the start.
    #[must_use]
    pub fn new(home: &Path, exec: &str, started: SystemTime, zone: &TimeZone) -> Self {
        let at = zone.to_datetime(Timestamp::try_from(started).unwrap_or_default());
        let path = home
            .join(".indi/logs")
            .join(at.strftime("%Y-%m-%d").to_string())
            .join(exec)
            .join(format!("{exec}_{}.log", at.strftime("%H:%M:%S")));
        SessionLog { path, writer: None, failed: false, lost: 0 }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends a line. Never waits; a file that cannot be written is told once, in the driver's own log.
    pub fn append(&mut self, line: String) {
        if self.failed {
            return;
        }
        if self.writer.is_none() {
            let (lines, queue) = sync_channel(LINES);
            let path = self.path.clone();
            let write = move || {
                if let Err(error) = write(&path, &queue) {
                    tracing::warn!(path = %path.display(), %error, "no log file");
                }
            };
            match thread::Builder::new().name("log file".to_owned()).spawn(write) {
                Ok(thread) => self.writer = Some((lines, thread)),
                Err(error) => {
                    self.failed = true;
                    tracing::warn!(%error, "no log file");
                }
            }
        }
        let Some((lines, _)) = &self.writer else { return };
        let line = match self.lost {
            0 => line,
            lost => format!("({lost} lines lost)\n{line}"),
        };
        match lines.try_send(line) {
            Ok(()) => self.lost = 0,
            Err(TrySendError::Full(_)) => self.lost += 1,
            Err(TrySendError::Disconnected(_)) => self.failed = true,
        }
    }

    /// Waits until everything is written.
    pub fn close(self) {
        if let Some((lines, thread)) = self.writer {
            drop(lines);
            // A panic was logged where it happened.
            let _ = thread.join();
        }
    }
}

fn write(path: &Path, lines: &Receiver<String>) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    for line in lines {
        // Whole lines: two drivers of the same name and second share a file.
        file.write_all(format!("{line}\n").as_bytes())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::scratch::Scratch;

    fn log(scratch: &Scratch) -> SessionLog {
        SessionLog::new(scratch.path(), "indi_x_ccd", SystemTime::UNIX_EPOCH, &TimeZone::UTC)
    }

    #[test]
    fn lines_are_appended_where_libindi_keeps_them() {
        let scratch = Scratch::new();
        assert_eq!(scratch.names(), [""; 0], "no file before the first line");
        for line in ["one", "two"] {
            let mut log = log(&scratch);
            log.append(line.to_owned());
            log.close();
        }
        let path = scratch.path().join(".indi/logs/1970-01-01/indi_x_ccd/indi_x_ccd_00:00:00.log");
        assert_eq!(fs::read_to_string(path).unwrap(), "one\ntwo\n");
    }

    #[test]
    fn a_log_that_cannot_be_written_is_no_failure() {
        let scratch = Scratch::new();
        fs::write(scratch.path().join(".indi"), "a file in its way").unwrap();
        let mut log = log(&scratch);
        for _ in 0..3 * LINES {
            log.append("line".to_owned());
        }
        log.close();
        assert_eq!(scratch.names(), [".indi"]);
    }
}
