//! Writes a recording. The device's thread makes lines and never waits for a disk; a thread of its own writes them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};

use super::{At, FORM, Line, Part, shown};
use crate::camera::call::Call;
use crate::camera::types::Moment;
use crate::device::{Device, Epoch, Input, Job, Setup};
use crate::wire::Message;

/// Most bytes of a part: about a day of an idle camera, and hours of a busy one.
pub const PART: u64 = 16 << 20;
/// Parts that are kept.
pub const PARTS: u32 = 4;
/// Lines that wait for the disk. When they fill up the rest is lost, and counted.
const LINES: usize = 4096;

/// A recording that is being made. One that cannot be made is told once, and the device goes on without.
#[derive(Debug)]
pub struct Recorder {
    lines: SyncSender<String>,
    writer: Option<JoinHandle<()>>,
    lost: u64,
    waits: Vec<(String, f64)>,
}

impl Recorder {
    /// Begins the recording of a device that is about to be made from `setup`, in that directory.
    pub fn begin(directory: &Path, setup: &Setup, now: Moment) -> io::Result<Recorder> {
        let made = text(&Made::Made(now.into(), setup))?;
        let part = Part {
            form: FORM,
            device: setup.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            run: At::from(now).1,
            number: 0,
        };
        let path = directory.join(format!("{}.flight", setup.name.replace(['/', '\0'], "_")));
        let (lines, queue) = sync_channel(LINES);
        let write = move || {
            let ended = Writer::begin(&path, part).and_then(|writer| writer.write(&queue));
            if let Err(error) = ended {
                tracing::warn!(path = %path.display(), %error, "nothing is recorded any more");
            }
        };
        let writer = Some(thread::Builder::new().name("recorder".to_owned()).spawn(write)?);
        let mut recorder = Recorder { lines, writer, lost: 0, waits: Vec::new() };
        recorder.line(made);
        Ok(recorder)
    }

    /// What the device is told next.
    pub fn input(&mut self, now: Moment, input: &Input) {
        self.write(&Out::In(now.into(), input));
    }

    /// What it asks of its camera.
    pub fn call(&mut self, epoch: Epoch, call: &Call) {
        self.write(&Out::Call(epoch.0, shown::call(call)));
    }

    /// What it asks of its delivery thread.
    pub fn job(&mut self, job: &Job) {
        self.write(&Out::Job(shown::job(job)));
    }

    /// What the server takes.
    pub fn message(&mut self, message: &Message) {
        self.write(&Out::Say(shown::message(message)));
    }

    /// What it waits for by now.
    pub fn waits(&mut self, device: &Device) {
        let waits = waits(device);
        if waits != self.waits {
            self.waits.clone_from(&waits);
            self.write(&Out::Waits(&waits));
        }
    }

    fn write(&mut self, line: &Out) {
        match text(line) {
            Ok(line) => self.line(line),
            Err(_) => self.lost += 1,
        }
    }

    fn line(&mut self, line: String) {
        let line = match self.lost {
            0 => line,
            lost => format!("{{\"lost\":{lost}}}\n{line}"),
        };
        match self.lines.try_send(line) {
            Ok(()) => self.lost = 0,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => self.lost += 1,
        }
    }

    /// Waits until everything is written.
    pub fn close(mut self) {
        let writer = self.writer.take();
        drop(self);
        // A panic was logged where it happened.
        let _ = writer.map(JoinHandle::join);
    }
}

/// A [`Line`] of what others own.
#[derive(serde::Serialize)]
#[serde(rename_all = "lowercase")]
enum Out<'a> {
    In(At, &'a Input),
    Call(u32, String),
    Job(String),
    Say(String),
    Waits(&'a [(String, f64)]),
}

#[derive(serde::Serialize)]
#[serde(rename_all = "lowercase")]
enum Made<'a> {
    Made(At, &'a Setup),
}

/// What a device waits for and until when, in seconds.
pub(super) fn waits(device: &Device) -> Vec<(String, f64)> {
    device.waits().map(|(what, until)| (what, until.as_secs_f64())).collect()
}

fn text(line: &impl serde::Serialize) -> io::Result<String> {
    serde_json::to_string(line).map_err(io::Error::other)
}

/// The parts of a recording on the disk.
struct Writer {
    path: PathBuf,
    part: Part,
    file: BufWriter<File>,
    written: u64,
}

impl Writer {
    fn begin(path: &Path, part: Part) -> io::Result<Writer> {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        let file = open(path, &part)?;
        Ok(Writer { path: path.to_owned(), part, file, written: 0 })
    }

    /// Writes lines until there are no more; what has come is in the file before it waits for more.
    fn write(mut self, lines: &Receiver<String>) -> io::Result<()> {
        loop {
            let line = match lines.try_recv() {
                Ok(line) => line,
                Err(TryRecvError::Disconnected) => return self.file.flush(),
                Err(TryRecvError::Empty) => {
                    self.file.flush()?;
                    match lines.recv() {
                        Ok(line) => line,
                        Err(_) => return Ok(()),
                    }
                }
            };
            if self.written > PART {
                self.file.flush()?;
                self.part.number += 1;
                self.file = open(&self.path, &self.part)?;
                self.written = 0;
            }
            self.file.write_all(line.as_bytes())?;
            self.file.write_all(b"\n")?;
            self.written += line.len() as u64 + 1;
        }
    }
}

/// The place of the part that is that much older than the newest.
pub(super) fn older(path: &Path, age: u32) -> PathBuf {
    if age == 0 { path.to_owned() } else { path.with_extension(format!("{age}.flight")) }
}

/// Makes room for the newest part, and begins it. Only its owner may read it.
fn open(path: &Path, part: &Part) -> io::Result<BufWriter<File>> {
    for age in (0..PARTS - 1).rev() {
        match fs::rename(older(path, age), older(path, age + 1)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    let mut options = OpenOptions::new();
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = BufWriter::new(options.create_new(true).write(true).open(path)?);
    writeln!(file, "{}", text(&Line::Part(part.clone()))?)?;
    Ok(file)
}
