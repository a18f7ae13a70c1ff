//! The flight recorder: everything that one device was told and what it put out, so that what went wrong at night can
//! be looked at in the morning.
//!
//! ```text
//!   Station ── Input, calls, jobs, messages ──► record::Recorder ── thread ──► DIRECTORY/DEVICE.flight
//!   indi-camera rerun FILE ──► rerun: the same Inputs to a new Device, its calls, jobs and messages compared
//! ```
//! A recording is a file of JSON lines (`Line`). An input is complete but for pixels: a frame is its shape. What the
//! device put out is one short text for each call, job and message. The device is pure, so the same inputs at the same
//! moments make it do the same again, and it can be asked what it was waiting for.
//!
//! What is in it is what was on the wire and what the camera said: the paths of files, the coordinates of the site and
//! the names that users have given. INDI knows no passwords, and none are in it.
//!
//! A recording is in parts of at most [`record::PART`] bytes: `DEVICE.flight` is the newest, `DEVICE.1.flight` the one
//! before, and the oldest of [`record::PARTS`] is given up for the next. Each run begins a new part.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::camera::types::Moment;
use crate::device::{Input, Setup};

pub mod record;
pub mod rerun;
mod shown;

/// The form of the lines; another number means another form.
const FORM: u32 = 1;

/// One line of a recording.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Line {
    /// The first line of each part.
    Part(Part),
    /// What the device was made from; in the first part only.
    Made(At, Box<Setup>),
    /// What it was told.
    In(At, Box<Input>),
    /// What it asked of the camera thread of that epoch.
    Call(u32, String),
    /// What it asked of the delivery thread.
    Job(String),
    /// What it said, when the server took it.
    Say(String),
    /// What it waits for, and until when, where that has changed; seconds.
    Waits(Vec<(String, f64)>),
    /// So many lines before this one were lost, because the disk was slow.
    Lost(u64),
}

/// Which part of which recording this is.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
struct Part {
    form: u32,
    device: String,
    /// Of the driver.
    version: String,
    /// When the run began, in nanoseconds of UTC: all its parts have it.
    run: u64,
    /// From 0.
    number: u32,
}

/// A moment in nanoseconds: since the process began, and of UTC.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
struct At(u64, u64);

impl From<Moment> for At {
    fn from(moment: Moment) -> At {
        let utc = moment.utc.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        At(nanoseconds(moment.elapsed), nanoseconds(utc))
    }
}

impl From<At> for Moment {
    fn from(At(elapsed, utc): At) -> Moment {
        Moment {
            elapsed: Duration::from_nanos(elapsed),
            utc: SystemTime::UNIX_EPOCH + Duration::from_nanos(utc),
        }
    }
}

/// More than 500 years are none.
fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
