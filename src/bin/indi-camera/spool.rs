//! `indi-camera spool`: the frames that a driver of ours keeps safe on the disk.

use std::env;
use std::fmt::Write as _;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use indi_camera::camera::answer::{Answer, Code, SpoolList, SpooledFrame};
use indi_camera::camera::call::Params;
use indi_camera::camera::types::Value;
use indi_camera::client::{Camera, Server};
use indi_camera::host::spool::verify::{self, Findings};
use serde::Serialize;

use super::arguments::{Reach, Spool};
use super::fault::Fault;
use super::outcome::Outcome;

impl Spool {
    /// What can be wrong before anybody is asked.
    pub(super) fn check(&self, reach: &Reach) -> Result<(), Fault> {
        match self {
            Spool::Resend { .. } if reach.is_own_driver() => {
                let advice = "Frames go to the clients of a server: say which one with --server.";
                Err(Fault::usage("a driver that is started for this has no other clients").advise(advice))
            }
            _ => Ok(()),
        }
    }
}

pub(super) async fn run(reach: &Reach, server: &Server, asked: &Spool) -> Result<Outcome, Fault> {
    let camera = reach.camera(server).await?;
    match asked {
        Spool::List => list(&camera).await,
        Spool::Resend { frames } => each(&camera, "resend_frame", "sent again", frames).await,
        Spool::Drop { frames } => each(&camera, "drop_frame", "dropped", frames).await,
        Spool::Verify { directory } => verify(directory.as_deref()),
    }
}

async fn call(camera: &Camera, name: &'static str, params: &Params) -> Result<Answer, Fault> {
    let answer = camera.call(name, params).await?;
    match answer.reason() {
        Some(reason) => Err(Fault { code: reason.code, ..Fault::disk(reason.detail) }),
        None => Ok(answer),
    }
}

async fn list(camera: &Camera) -> Result<Outcome, Fault> {
    let answer = call(camera, "list_spool", &Params::new()).await?;
    let spool: SpoolList = answer.read("list_spool").map_err(|error| Fault::disk(error.detail))?;
    let SpoolList { frames, total, unacknowledged } = &spool;
    let text = frames.iter().fold(String::new(), |mut text, frame| {
        let SpooledFrame { id, start_utc, bytes, path, .. } = frame;
        let _ = writeln!(
            text,
            "{id}  {start_utc}  {:>8.1} MB  {:<12}  {path}",
            *bytes as f64 / 1e6,
            state(frame)
        );
        text
    });
    let message = format!("{total} frames, {unacknowledged} of them not acknowledged");
    Ok(Outcome::done(message.clone(), &spool, format!("{text}{message}\n")))
}

fn state(frame: &SpooledFrame) -> &'static str {
    match (frame.acknowledged, frame.saved) {
        (false, _) => "waiting",
        (true, true) => "saved",
        (true, false) => "acknowledged",
    }
}

#[derive(Serialize)]
struct Done<'a> {
    frames: &'a [String],
}

async fn each(camera: &Camera, name: &'static str, done: &str, frames: &[String]) -> Result<Outcome, Fault> {
    for frame in frames {
        let params = vec![("id".to_owned(), Value::Text(frame.clone()))];
        call(camera, name, &params).await?;
    }
    let text = frames.iter().fold(String::new(), |text, frame| text + frame + " " + done + "\n");
    Ok(Outcome::done(done, &Done { frames }, text))
}

#[derive(Serialize)]
struct Verified {
    frames: usize,
    whole: usize,
    spools: Vec<Findings>,
}

/// Reads all frames of these spools again, without any driver.
pub(super) fn verify(directory: Option<&Path>) -> Result<Outcome, Fault> {
    let directory = directory.map_or_else(usual, Path::to_owned);
    let unreadable =
        |path: &Path, error: &std::io::Error| Fault::disk(format!("cannot read {}: {error}", path.display()));
    let spools = match verify::spools(&directory) {
        // Where no driver has kept a frame yet not even the directory is there.
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        spools => spools.map_err(|error| unreadable(&directory, &error))?,
    };
    if spools.is_empty() {
        let advice = "A driver makes one there when it keeps its first frame: see its property CCD_SPOOL.";
        return Err(Fault::unknown(format!("there is no spool in {}", directory.display())).advise(advice));
    }
    let mut found = Vec::new();
    for spool in spools {
        found.push(verify::verify(&spool).map_err(|error| unreadable(&spool, &error))?);
    }
    let sum = |count: fn(&Findings) -> usize| found.iter().map(count).sum::<usize>();
    let (frames, whole) = (sum(|spool| spool.frames), sum(|spool| spool.whole));
    let mut text = found.iter().map(words).collect::<String>();
    let message = format!("{whole} of {frames} frames are whole");
    let _ = writeln!(text, "{message}");
    let verified = Outcome::done(message.clone(), &Verified { frames, whole, spools: found }, text);
    Ok(if whole < frames { verified.failed(Code::Io, message) } else { verified })
}

/// What a person should know beyond the numbers.
fn words(found: &Findings) -> String {
    let mut text = String::new();
    for damage in &found.damaged {
        let _ = writeln!(text, "{}: frame {}: {}", damage.path.display(), damage.id, damage.why);
    }
    let spool = found.spool.display();
    for name in &found.not_entered {
        let _ = writeln!(text, "{spool}/{name}: not in the journal yet; the driver enters it when it starts");
    }
    if found.unreadable_lines > 0 {
        let lines = found.unreadable_lines;
        let _ = writeln!(text, "{spool}: lines of the journal that were torn and say nothing: {lines}");
    }
    text
}

/// Where the spools of this user are.
fn usual() -> PathBuf {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = set("HOME").unwrap_or_else(|| "/".into());
    set("INDI_CAMERA_SPOOL").map_or_else(|| home.join(".indi/spool"), |spool| home.join(spool))
}
