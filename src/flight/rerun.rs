//! Runs a recording again: the same inputs at the same moments to a new device, and what it puts out beside what it
//! put out then.
//!
//! Whatever a file says, the answer is a report: lines that are damaged or were lost end the comparison, and from there
//! on what was recorded is shown as it is.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use super::{FORM, Line, Part, record, shown};
use crate::camera::types::{Event, Moment};
use crate::device::{Device, Input};

/// No line of a recording is longer, bytes.
const LONGEST_LINE: u64 = 16 << 20;

/// What came of it.
#[derive(Debug, Default, PartialEq)]
pub struct Summary {
    /// The device.
    pub device: String,
    /// Inputs.
    pub steps: usize,
    /// Outputs that were not the same.
    pub differences: usize,
    /// The first steps or some between were lost or damaged, so that not everything could be run again.
    pub incomplete: bool,
    /// Where the device is in the end, in seconds since its process began.
    pub end: f64,
    /// What it waits for and until when, in seconds.
    pub waits: Vec<(String, f64)>,
    /// The call that the camera has not answered, and since when, in seconds.
    pub unanswered: Option<(String, f64)>,
}

/// Runs the recording of which that file is the last part, and shows every step. The error is a sentence.
pub fn rerun(path: &Path, to: &mut dyn Write) -> Result<Summary, String> {
    let unreadable = |error: io::Error| format!("{} cannot be read: {error}", path.display());
    let part =
        head(path).map_err(unreadable)?.ok_or_else(|| format!("{} is no recording", path.display()))?;
    if part.form != FORM {
        let version = &part.version;
        return Err(format!("{} was recorded by version {version}, in another form", path.display()));
    }
    let mut parts = earlier(path, &part).map_err(unreadable)?;
    parts.push(path.to_owned());
    let mut again = Again::new(to);
    again.summary.device = part.device;
    for path in parts {
        let mut file = BufReader::new(File::open(&path).map_err(unreadable)?);
        while let Some(line) = next_line(&mut file).map_err(unreadable)? {
            again.take(&line).map_err(|error| format!("the report cannot be written: {error}"))?;
        }
    }
    again.end().map_err(|error| format!("the report cannot be written: {error}"))
}

/// The first line of a part.
fn head(path: &Path) -> io::Result<Option<Part>> {
    let mut file = BufReader::new(File::open(path)?);
    Ok(match next_line(&mut file)?.map(|line| serde_json::from_slice(&line)) {
        Some(Ok(Line::Part(part))) => Some(part),
        _ => None,
    })
}

/// The parts before this one, oldest first, as far as they are there.
fn earlier(path: &Path, last: &Part) -> io::Result<Vec<PathBuf>> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_part = path.extension().is_some_and(|extension| extension == "flight") && path.is_file();
        if let Some(part) = is_part.then(|| head(&path).ok().flatten()).flatten()
            && part.run == last.run
            && part.device == last.device
            && part.number < last.number
        {
            found.push((part.number, path));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

/// The next line without its end; what is too long is cut, and is no line then.
fn next_line(file: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    if file.take(LONGEST_LINE).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    Ok(Some(line))
}

/// A recording on its way through a new device.
struct Again<'a> {
    to: &'a mut dyn Write,
    /// Absent as long as there is none, and when it cannot be what it was any more.
    device: Option<Device>,
    now: Moment,
    /// What the device has asked for in this step and is not in the recording yet.
    asked: VecDeque<String>,
    summary: Summary,
}

impl<'a> Again<'a> {
    fn new(to: &'a mut dyn Write) -> Self {
        let now = Moment { elapsed: std::time::Duration::ZERO, utc: std::time::SystemTime::UNIX_EPOCH };
        Again { to, device: None, now, asked: VecDeque::new(), summary: Summary::default() }
    }

    fn take(&mut self, line: &[u8]) -> io::Result<()> {
        match serde_json::from_slice(line) {
            Ok(Line::Part(_)) => Ok(()),
            Ok(Line::Made(at, setup)) => {
                self.now = at.into();
                let made = catch_unwind(AssertUnwindSafe(|| Device::new(*setup, at.into())));
                self.device = made.ok();
                self.work(|_| ())
            }
            Ok(Line::In(at, input)) => self.step(at.into(), *input),
            Ok(Line::Call(_, call)) => {
                self.summary.unanswered = Some((call.clone(), self.seconds()));
                self.put_out("call", &call)
            }
            Ok(Line::Job(job)) => self.put_out("job", &job),
            Ok(Line::Say(message)) => {
                let said = self.work_out(|device| device.poll_message().map(|m| shown::message(&m)))?;
                self.compare("say", &message, said.flatten().as_deref())
            }
            Ok(Line::Waits(waits)) => {
                let now = self.device.as_ref().map(record::waits);
                self.summary.waits.clone_from(&waits);
                let told = |waits: &[(String, f64)]| format!("{waits:?}");
                match now.filter(|now| *now != waits) {
                    Some(now) => self.differ(&told(&waits), &told(&now)),
                    None => Ok(()),
                }
            }
            Ok(Line::Lost(lines)) => {
                self.lose(&format!("{lines} lines were lost, because the disk was slow"))
            }
            Err(error) => self.lose(&format!("a line is damaged ({error})")),
        }
    }

    fn step(&mut self, now: Moment, input: Input) -> io::Result<()> {
        self.finish_step()?;
        if self.device.is_none() && self.summary.steps == 0 && !self.summary.incomplete {
            self.lose("the beginning is not there")?;
        }
        self.now = now;
        self.summary.steps += 1;
        if let Input::Camera(_, Event::Reply(_)) = &input {
            self.summary.unanswered = None;
        }
        writeln!(self.to, "{:12.6} s  <-  {}", self.seconds(), shown::input(&input))?;
        self.work(|device| device.handle(now, input))
    }

    /// Has the device do something, and hears what it asks for then.
    fn work(&mut self, act: impl FnOnce(&mut Device)) -> io::Result<()> {
        let asked = self.work_out(|device| {
            act(device);
            let mut asked = Vec::new();
            while let Some((_, call)) = device.poll_call() {
                asked.push(shown::call(&call));
            }
            while let Some(job) = device.poll_job() {
                asked.push(shown::job(&job));
            }
            while device.poll_log_line().is_some() {}
            asked
        })?;
        self.asked.extend(asked.into_iter().flatten());
        Ok(())
    }

    /// A device that panics is what somebody wants to see here.
    fn work_out<T>(&mut self, act: impl FnOnce(&mut Device) -> T) -> io::Result<Option<T>> {
        let Some(device) = &mut self.device else { return Ok(None) };
        if let Ok(done) = catch_unwind(AssertUnwindSafe(|| act(device))) {
            return Ok(Some(done));
        }
        self.device = None;
        self.differ("it went on", "it panics")?;
        Ok(None)
    }

    fn put_out(&mut self, what: &str, then: &str) -> io::Result<()> {
        let now = self.asked.pop_front();
        self.compare(what, then, now.as_deref())
    }

    fn compare(&mut self, what: &str, then: &str, now: Option<&str>) -> io::Result<()> {
        writeln!(self.to, "                ->  {what} {then}")?;
        if self.device.is_none() || now == Some(then) {
            return Ok(());
        }
        self.differ(then, now.unwrap_or("nothing"))
    }

    fn differ(&mut self, then: &str, now: &str) -> io::Result<()> {
        self.summary.differences += 1;
        writeln!(self.to, "            !!  then: {then}\n            !!  now:  {now}")
    }

    /// What it asked for and did not ask for then.
    fn finish_step(&mut self) -> io::Result<()> {
        while let Some(now) = self.asked.pop_front() {
            self.differ("nothing", &now)?;
        }
        Ok(())
    }

    /// From here on the device cannot be what it was.
    fn lose(&mut self, why: &str) -> io::Result<()> {
        self.asked.clear();
        self.device = None;
        self.summary.incomplete = true;
        writeln!(self.to, "            ??  {why}: what follows is not run again")
    }

    fn seconds(&self) -> f64 {
        self.now.elapsed.as_secs_f64()
    }

    fn end(mut self) -> io::Result<Summary> {
        self.finish_step()?;
        if let Some(device) = &self.device {
            self.summary.waits = record::waits(device);
        }
        self.summary.end = self.seconds();
        Ok(self.summary)
    }
}
