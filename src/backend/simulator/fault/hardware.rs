//! What is wrong with a simulated camera. It outlives the object that simulates it, as a broken cable outlives the
//! program: a camera that panicked or hung is made anew, and must not break again because of that.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::script::{self, Fault, Kind};

/// The variable that names a script.
const VARIABLE: &str = "INDI_CAMERA_FAULTS";

/// The script of this process: read once, and none of it when any of it is wrong.
static SCRIPT: LazyLock<Result<Vec<Fault>, String>> = LazyLock::new(|| {
    let Some(path) = std::env::var_os(VARIABLE).filter(|path| !path.is_empty()) else {
        return Ok(Vec::new());
    };
    let path = std::path::PathBuf::from(path);
    let read = std::fs::read_to_string(&path).map_err(|error| error.to_string());
    read.and_then(|text| script::read(&text))
        .map_err(|why| format!("{VARIABLE} {} is not used, and nothing is broken: {why}", path.display()))
});

/// The cameras that were ever connected.
static CAMERAS: Mutex<BTreeMap<String, Hardware>> = Mutex::new(BTreeMap::new());

/// What is wrong with the script of this process, in one sentence.
pub(in super::super) fn complaint() -> Option<String> {
    SCRIPT.as_ref().err().cloned()
}

/// The state of one camera.
#[derive(Clone)]
pub(super) struct Hardware(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    armed: Vec<Armed>,
    /// What a client has asked for by property.
    asked: Option<Fault>,
    /// Until when nobody can reach the camera.
    away: Option<End>,
}

struct Armed {
    fault: Fault,
    /// Asked for by property.
    asked: bool,
    seen: u64,
    happened: u64,
}

/// When something is over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum End {
    Never,
    At(Instant),
}

impl End {
    /// So long from `now`.
    pub(super) fn after(lasts: Option<Duration>, now: Instant) -> End {
        lasts.and_then(|lasts| now.checked_add(lasts)).map_or(End::Never, End::At)
    }

    pub(super) fn has_come(self, now: Instant) -> bool {
        matches!(self, End::At(end) if end <= now)
    }
}

impl Armed {
    fn new(fault: Fault, asked: bool) -> Armed {
        Armed { fault, asked, seen: 0, happened: 0 }
    }

    fn is_spent(&self) -> bool {
        self.fault.times > 0 && self.happened >= self.fault.times
    }
}

impl Hardware {
    /// The camera of that name, with what the script of this process says of it.
    pub(super) fn of(name: &str) -> Hardware {
        let mut cameras = CAMERAS.lock().unwrap_or_else(PoisonError::into_inner);
        let made = || Hardware::with(SCRIPT.iter().flatten().filter(|fault| is_about(fault, name)).cloned());
        cameras.entry(name.to_owned()).or_insert_with(made).clone()
    }

    fn with(faults: impl Iterator<Item = Fault>) -> Hardware {
        let armed = faults.map(|fault| Armed::new(fault, false)).collect();
        Hardware(Arc::new(Mutex::new(State { armed, ..State::default() })))
    }

    /// Counts a call, and says what goes wrong with it.
    pub(super) fn fire(&self, call: &str, now: Instant) -> Vec<Fault> {
        let mut state = self.state();
        let mut fired = Vec::new();
        for armed in state.armed.iter_mut().filter(|armed| armed.fault.call == call) {
            armed.seen += 1;
            if armed.fault.happens(armed.seen) {
                armed.happened += 1;
                fired.push(armed.fault.clone());
            }
        }
        state.armed.retain(|armed| !armed.is_spent());
        if let Some(lost) = fired.iter().find(|fault| fault.kind == Kind::CameraLost) {
            state.away = Some(End::after(lost.lasts, now));
        }
        fired
    }

    /// Whether the camera cannot be reached.
    pub(super) fn is_away(&self, now: Instant) -> bool {
        let mut state = self.state();
        state.away = state.away.filter(|end| !end.has_come(now));
        state.away.is_some()
    }

    /// One more fault, counted from now.
    pub(super) fn inject(&self, fault: Fault) {
        self.state().armed.push(Armed::new(fault, false));
    }

    /// The one fault that a client asks for by property, in place of the one before and counted from now.
    pub(super) fn ask(&self, fault: Option<Fault>) {
        let mut state = self.state();
        if let Some(fault) = &fault {
            state.armed.retain(|armed| !armed.asked);
            state.armed.push(Armed::new(fault.clone(), true));
        } else {
            (state.armed, state.away) = (Vec::new(), None);
        }
        state.asked = fault;
    }

    /// The same from a new object, which has been told what the one before it had been told: no news.
    pub(super) fn ask_again(&self, fault: Option<Fault>) {
        if self.state().asked != fault {
            self.ask(fault);
        }
    }

    /// How many faults are still to come.
    pub(super) fn armed(&self) -> usize {
        self.state().armed.len()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_about(fault: &Fault, name: &str) -> bool {
    fault.camera.as_ref().is_none_or(|camera| camera == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::clock::now;

    fn faults(script: &str) -> Vec<Fault> {
        script::read(script).unwrap()
    }

    fn hardware(script: &str) -> Hardware {
        Hardware::with(faults(script).into_iter())
    }

    const NEVER: [u32; 0] = [];

    /// At which of the first ten calls something happens.
    fn happens(hardware: &Hardware, call: &str) -> Vec<u32> {
        (1..=10).filter(|_| !hardware.fire(call, now()).is_empty()).collect()
    }

    #[test]
    fn a_fault_happens_at_its_call_from_its_number_on_and_as_often_as_it_says() {
        let script = "[[fault]]\nkind = \"panic\"\ncall = \"set_gain\"\nat = 3\n";
        let once = hardware(script);
        assert_eq!(happens(&once, "get_gain"), NEVER);
        assert_eq!((happens(&once, "set_gain"), once.armed()), (vec![3], 0));
        assert_eq!(happens(&hardware(&format!("{script}times = 2")), "set_gain"), [3, 4]);
        let for_ever = hardware(&format!("{script}times = 0"));
        assert_eq!((happens(&for_ever, "set_gain").len(), for_ever.armed()), (8, 1));
    }

    #[test]
    fn a_lost_camera_comes_back_in_time_or_never() {
        let (at, second) = (now(), Duration::from_secs(1));
        for (seconds, back) in [("seconds = 2", true), ("", false)] {
            let camera =
                hardware(&format!("[[fault]]\nkind = \"camera_lost\"\ncall = \"polling\"\n{seconds}"));
            assert!(!camera.is_away(at));
            camera.fire("polling", at);
            assert!(camera.is_away(at) && camera.is_away(at + second));
            assert_eq!(camera.is_away(at + 2 * second), !back);
        }
    }

    #[test]
    fn what_a_property_asks_replaces_only_what_it_asked_before_and_nothing_clears_all() {
        let camera = hardware("[[fault]]\nkind = \"panic\"\ncall = \"polling\"\n");
        let wish = |call: &str| faults(&format!("[[fault]]\nkind = \"panic\"\ncall = \"{call}\"")).pop();
        camera.ask(wish("set_gain"));
        camera.ask(wish("set_offset"));
        assert_eq!(happens(&camera, "set_gain"), NEVER);
        assert_eq!(happens(&camera, "set_offset"), [1]);
        // A camera that is made anew is told again; a client who asks again means it.
        camera.ask_again(wish("set_offset"));
        assert_eq!(happens(&camera, "set_offset"), NEVER);
        camera.ask(wish("set_offset"));
        assert_eq!(happens(&camera, "set_offset"), [1]);
        assert_eq!(camera.armed(), 1);
        camera.ask(None);
        assert_eq!((camera.armed(), happens(&camera, "polling")), (0, vec![]));
    }

    #[test]
    fn a_script_may_mean_one_camera_of_several() {
        let fault = &faults("[[fault]]\nkind = \"panic\"\ncamera = \"Camera Simulator 2\"")[0];
        assert!(is_about(fault, "Camera Simulator 2") && !is_about(fault, "Camera Simulator"));
    }
}
