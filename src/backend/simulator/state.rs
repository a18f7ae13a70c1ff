//! What of a simulated camera outlives its process, as the hardware of a real one does: for tests that kill a driver
//! and look at what the next one finds.
//!
//! Only with `INDI_CAMERA_SIMULATOR_STATE`, which names a file: one line for each camera that was ever connected, with
//! its cooler and the end of its exposure. It is written whenever one of them changes and read when a process connects
//! the camera for the first time. Nothing but that is kept, and two processes with one file are not told apart.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use crate::camera::types::{Celsius, CoolingStatus};

/// The variable that names the file.
const VARIABLE: &str = "INDI_CAMERA_SIMULATOR_STATE";

/// The cameras of this process write one after the other.
static WRITING: Mutex<()> = Mutex::new(());

/// One camera at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct State {
    pub(super) at: SystemTime,
    pub(super) cooling: CoolingStatus,
    pub(super) temperature: Celsius,
    /// When the shutter closes, if it is open.
    pub(super) exposes_until: Option<SystemTime>,
}

/// How the camera of that name was left.
pub(super) fn read(name: &str) -> Option<State> {
    let text = fs::read_to_string(path()?).ok()?;
    text.lines().find_map(|line| parse(line.strip_prefix(name)?.strip_prefix('\t')?))
}

/// Notes how it is now. A file that cannot be written is told in the log, and costs nothing but the test.
pub(super) fn write(name: &str, state: &State) {
    let Some(path) = path() else { return };
    let _one = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let text = fs::read_to_string(&path).unwrap_or_default();
    let own = format!("{name}\t");
    let others = text.lines().filter(|line| !line.starts_with(&own)).map(|line| format!("{line}\n"));
    let text = others.collect::<String>() + &own + &line(state) + "\n";
    // Renamed, so that a process which is killed leaves the one or the other.
    let draft = Path::new(&path).with_extension("new");
    if let Err(error) = fs::write(&draft, text).and_then(|()| fs::rename(&draft, &path)) {
        tracing::warn!(%error, "the state of the simulated camera is not kept");
    }
}

fn path() -> Option<OsString> {
    std::env::var_os(VARIABLE).filter(|path| !path.is_empty())
}

fn line(state: &State) -> String {
    let State { at, cooling, temperature, exposes_until } = state;
    let target = cooling.target.unwrap_or_default();
    let until = exposes_until.map_or(0.0, seconds);
    format!("{} {} {target} {temperature} {until}", seconds(*at), u8::from(cooling.on))
}

fn parse(line: &str) -> Option<State> {
    let numbers: Vec<f64> = line.split(' ').map(str::parse).collect::<Result<_, _>>().ok()?;
    let [at, on, target, temperature, until] = numbers[..] else { return None };
    let exposes_until = if until > 0.0 { Some(moment(until)?) } else { None };
    let cooling = CoolingStatus { on: on > 0.0, target: Some(target) };
    Some(State { at: moment(at)?, cooling, temperature, exposes_until })
}

fn seconds(at: SystemTime) -> f64 {
    at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

fn moment(seconds: f64) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(seconds).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_is_no_state_is_none() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        for exposes_until in [None, Some(at + Duration::from_millis(500))] {
            let cooling = CoolingStatus { on: true, target: Some(-10.5) };
            let state = State { at, cooling, temperature: 3.25, exposes_until };
            assert_eq!(parse(&line(&state)), Some(state));
        }
        for bad in ["", "1 2 3", "1 1 1 1 x", "-1 1 1 1 0", "1 1 1 1 1e300", "1 1 1 1 1 1"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
