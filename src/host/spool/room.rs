//! Which frames have to go.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use super::record::Record;

/// Frames that a journal lists at most: more than anybody looks through.
const MOST_FRAMES: usize = 10_000;

/// How much a spool holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Bytes of the frames that lie in the spool itself.
    pub bytes: u64,
    /// How long frames stay that have been acknowledged.
    pub age: Duration,
}

impl Limits {
    /// Everything has room.
    const NONE: Limits = Limits { bytes: u64::MAX, age: Duration::MAX };
}

/// The limits that hold now, for all threads that work on one spool: whoever takes over from one that hangs keeps to
/// them, too.
#[derive(Clone, Debug)]
pub struct Agreed(Arc<Mutex<Limits>>);

impl Default for Agreed {
    fn default() -> Agreed {
        Agreed(Arc::new(Mutex::new(Limits::NONE)))
    }
}

impl Agreed {
    pub(super) fn limits(&self) -> Limits {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn agree(&self, limits: Limits) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = limits;
    }
}

/// The frames to be forgotten so that `bytes` more have room: those that were acknowledged long ago; then the oldest
/// that were acknowledged; then, as the last means, the oldest. One that the user saved takes no room in the spool; its
/// file stays.
pub(super) fn to_be_forgotten(frames: &[Record], limits: Limits, bytes: u64, now: SystemTime) -> Vec<Record> {
    let mut forgotten = vec![false; frames.len()];
    let too_old = now.checked_sub(limits.age).and_then(|then| Timestamp::try_from(then).ok());
    for (frame, forgotten) in frames.iter().zip(&mut forgotten) {
        *forgotten = frame.acknowledged && too_old.is_some_and(|too_old| begun(frame) < too_old);
    }
    let room = |frame: &Record| if frame.saved { 0 } else { frame.bytes };
    let left = || frames.iter().zip(&forgotten).filter(|(_, forgotten)| !**forgotten);
    let mut used: u64 = left().map(|(frame, _)| room(frame)).sum::<u64>().saturating_add(bytes);
    let mut count = left().count() + usize::from(bytes > 0);
    for acknowledged in [true, false] {
        for (frame, forgotten) in frames.iter().zip(&mut forgotten) {
            let in_the_way = used > limits.bytes && !frame.saved || count > MOST_FRAMES;
            if in_the_way && !*forgotten && frame.acknowledged == acknowledged {
                *forgotten = true;
                used -= room(frame);
                count -= 1;
            }
        }
    }
    frames.iter().zip(forgotten).filter(|(_, forgotten)| *forgotten).map(|(frame, _)| frame.clone()).collect()
}

/// A time that cannot be read is not old.
fn begun(frame: &Record) -> Timestamp {
    frame.at.parse().unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::record;
    use super::*;

    const LIMITS: Limits = Limits { bytes: 10, age: Duration::from_secs(86_400) };

    /// `a` for acknowledged, `s` for saved; every frame has 3 bytes.
    fn frames(kinds: &[&str]) -> Vec<Record> {
        let frame = |(i, kind): (usize, &&str)| Record {
            acknowledged: kind.contains('a'),
            saved: kind.contains('s'),
            ..record(&i.to_string())
        };
        kinds.iter().enumerate().map(frame).collect()
    }

    fn forgotten(kinds: &[&str], bytes: u64, days: u64) -> String {
        let taken: Timestamp = record("").at.parse().unwrap();
        let now = SystemTime::from(taken) + Duration::from_secs(days * 86_400 + 1);
        to_be_forgotten(&frames(kinds), LIMITS, bytes, now).iter().map(|frame| &*frame.id).collect()
    }

    #[test]
    fn acknowledged_frames_go_first_and_the_oldest_of_them_first() {
        assert_eq!(forgotten(&["", "a", "a"], 0, 0), "");
        assert_eq!(forgotten(&["", "a", "a"], 1, 0), "");
        assert_eq!(forgotten(&["", "a", "a"], 2, 0), "1");
        assert_eq!(forgotten(&["", "a", "a"], 5, 0), "12");
        assert_eq!(forgotten(&["", "", ""], 2, 0), "0");
        assert_eq!(forgotten(&["", "", "a"], 9, 0), "012");
    }

    #[test]
    fn only_acknowledged_frames_grow_too_old() {
        assert_eq!(forgotten(&["", "a", "as", "s"], 0, 1), "12");
        let mut odd = frames(&["a"]);
        odd[0].at = "yesterday".to_owned();
        assert!(to_be_forgotten(&odd, LIMITS, 0, SystemTime::UNIX_EPOCH).is_empty());
    }

    #[test]
    fn saved_frames_take_no_room() {
        assert_eq!(forgotten(&["s", "as", "s", "s", "s", "s"], 9, 0), "");
        let many = vec![""; 10_001];
        let no_bytes = Limits { bytes: u64::MAX, ..LIMITS };
        let gone = to_be_forgotten(&frames(&many), no_bytes, 0, SystemTime::UNIX_EPOCH);
        assert_eq!(gone.iter().map(|frame| &*frame.id).collect::<Vec<_>>(), ["0"]);
    }
}
