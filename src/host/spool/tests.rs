use std::fs;
use std::time::Duration;

use rustix::io::Errno;

use super::verify::verify;
use super::*;
use crate::host::disk::mishap::{Mishap, at, steps};
use crate::host::scratch::Scratch;

const GENEROUS: Limits = Limits { bytes: 1 << 30, age: Duration::from_secs(86_400) };
const NOW: SystemTime = SystemTime::UNIX_EPOCH;

fn frame(id: &str) -> NewFrame<'_> {
    NewFrame { id, at: NOW, format: ".fits", acknowledged: false }
}

/// A spool as a process that has just been started has it.
fn spool(scratch: &Scratch, limits: Limits) -> Spool {
    let mut spool = Spool::new(scratch.path().join("spool"), Agreed::default());
    spool.tend(limits, NOW).unwrap();
    spool
}

fn ids(spool: &mut Spool) -> Vec<String> {
    spool.frames().unwrap().into_iter().map(|frame| frame.id).collect()
}

/// What a user's frame is stored as, and entered.
fn save(spool: &mut Spool, directory: &Path, id: &str) -> io::Result<()> {
    let mut draft = Draft::new(directory)?;
    let sum = draft.write_summed(id.as_bytes())?;
    let path = draft.replace(OsStr::new(&format!("{id}.fits")))?;
    spool.enter_saved(frame(id), id.len() as u64, sum, &path)
}

#[test]
fn a_frame_is_found_again_by_the_next_process() {
    let scratch = Scratch::in_memory();
    let mut first = spool(&scratch, GENEROUS);
    assert!(first.frames().unwrap().is_empty() && !first.path().exists());
    let (path, sum) = first.keep(frame("a"), b"abc").unwrap();
    assert_eq!((sum, fs::read(&path).unwrap()), (Sum::of(b"abc"), b"abc".to_vec()));
    save(&mut first, scratch.path(), "b").unwrap();
    first.acknowledge(&["b".to_owned(), "nobody".to_owned()]).unwrap();

    let mut second = spool(&scratch, GENEROUS);
    let frames = second.frames().unwrap();
    let told: Vec<_> = frames.iter().map(|frame| (&*frame.id, frame.saved, frame.acknowledged)).collect();
    assert_eq!(told, [("a", false, false), ("b", true, true)]);
    let (record, at, file) = second.open("a").unwrap().unwrap();
    assert_eq!((record.sha256, at, Sum::read(file.unwrap()).unwrap().0), (sum, path.clone(), sum));
    assert!(second.open("c").unwrap().is_none());
    // What one process drops is gone for the other, too: a saved file stays.
    assert!(second.drop_frame("a").unwrap() && second.drop_frame("b").unwrap());
    assert!(!second.drop_frame("a").unwrap());
    assert!(ids(&mut first).is_empty() && !path.exists());
    assert!(scratch.path().join("b.fits").exists());
}

#[test]
fn a_frame_is_in_the_journal_before_anybody_is_told_and_its_file_before_that() {
    let scratch = Scratch::in_memory();
    let mut spool = spool(&scratch, GENEROUS);
    spool.keep(frame("a"), b"abc").unwrap();
    let (kept, order) = steps(|| spool.keep(frame("b"), b"abc"));
    kept.unwrap();
    assert_eq!(order, ["create", "write", "sync", "rename", "sync directory", "open", "write", "sync"]);
    let (dropped, order) = steps(|| spool.drop_frame("b"));
    dropped.unwrap();
    assert_eq!(order, ["open", "write", "sync", "remove"]);
}

/// Everything that a process does with a spool, which has room for two frames. `told` is what it reported Ok and what
/// has not been given up since.
fn a_night(scratch: &Scratch, told: &mut Vec<&'static str>) {
    let mut spool = Spool::new(scratch.path().join("spool"), Agreed::default());
    let _ = spool.tend(Limits { bytes: 7, ..GENEROUS }, NOW);
    let mut keep = |spool: &mut Spool, id, gives_up| {
        told.retain(|id| *id != gives_up);
        told.extend(spool.keep(frame(id), b"abc").is_ok().then_some(id));
    };
    keep(&mut spool, "a", "");
    keep(&mut spool, "b", "");
    keep(&mut spool, "c", "a");
    let saved = save(&mut spool, scratch.path(), "d");
    let _ = spool.acknowledge(&["b".to_owned()]);
    keep(&mut spool, "e", "b");
    told.extend(saved.is_ok().then_some("d"));
    told.retain(|id| *id != "c");
    let _ = spool.drop_frame("c");
}

/// What the next process finds, and whoever looks before it does.
fn the_morning_after(scratch: &Scratch, told: &[&str], what: &str) {
    let directory = scratch.path().join("spool");
    let check = || {
        let found = verify(&directory).unwrap();
        assert!(found.damaged.is_empty(), "{what}: {found:?}");
        found
    };
    if directory.is_dir() {
        check();
    }
    let mut again = spool(scratch, GENEROUS);
    let there = ids(&mut again);
    for id in told {
        assert!(there.iter().any(|there| there == id), "{what}: {id} is gone, there are {there:?}");
    }
    again.keep(frame("next"), b"abc").unwrap();
    let found = check();
    assert!(found.not_entered.is_empty() && found.whole > told.len(), "{what}: {found:?}");
    sweep(&Place::open(scratch.path()).unwrap());
    let drafts = |names: Vec<String>| names.into_iter().filter(|name| name.contains(".part")).count();
    assert_eq!(drafts(scratch.names()), 0, "{what}");
    assert_eq!(
        fs::read_dir(&directory).unwrap().count(),
        2 + there.iter().filter(|id| *id != "d").count() + 1
    );
}

#[test]
fn killed_or_failing_at_any_step_a_process_leaves_whole_frames_and_a_journal_that_loads() {
    let clean = Scratch::in_memory();
    let mut told = Vec::new();
    let ((), all) = steps(|| a_night(&clean, &mut told));
    assert_eq!(told, ["e", "d"]);
    the_morning_after(&clean, &told, "without a mishap");
    assert!(all.len() > 40, "{all:?}");
    for (step, name) in all.iter().enumerate() {
        for mishap in [Mishap::Killed, Mishap::Fails(Errno::NOSPC), Mishap::Fails(Errno::IO)] {
            let (scratch, mut told) = (Scratch::in_memory(), Vec::new());
            at(step, mishap, || a_night(&scratch, &mut told));
            the_morning_after(&scratch, &told, &format!("{mishap:?} at step {step}, {name}"));
        }
    }
}

#[test]
fn a_journal_of_any_bytes_loads_and_goes_on() {
    let scratch = Scratch::in_memory();
    spool(&scratch, GENEROUS).keep(frame("a"), b"abc").unwrap();
    let journal = scratch.path().join("spool/journal");
    let whole = fs::read(&journal).unwrap();
    for text in [&b""[..], b"\n\n", b"nonsense", &[0xff; 5000], &whole[..whole.len() - 9], b"0 {}\n"] {
        fs::write(&journal, text).unwrap();
        // The file that the journal has forgotten is entered again.
        assert_eq!(ids(&mut spool(&scratch, GENEROUS)), ["a"], "{text:?}");
        assert_eq!(ids(&mut spool(&scratch, GENEROUS)), ["a"], "{text:?}");
    }
}

#[test]
fn a_journal_does_not_grow_with_what_has_been_dropped() {
    let scratch = Scratch::in_memory();
    let mut spool = spool(&scratch, GENEROUS);
    for n in 0..300 {
        let id = format!("f{n}");
        spool.enter_saved(frame(&id), 3, Sum::of(b"abc"), Path::new("/x")).unwrap();
        assert!(spool.drop_frame(&id).unwrap());
    }
    let text = fs::read_to_string(scratch.path().join("spool/journal")).unwrap();
    assert!(text.lines().count() < 300, "{}", text.lines().count());
}

#[test]
fn a_frame_that_nobody_has_acknowledged_is_missed_when_it_has_to_go() {
    let scratch = Scratch::in_memory();
    let mut spool = spool(&scratch, Limits { bytes: 7, ..GENEROUS });
    for id in ["a", "b"] {
        spool.keep(frame(id), b"abc").unwrap();
    }
    spool.acknowledge(&["b".to_owned()]).unwrap();
    spool.keep(frame("c"), b"abc").unwrap();
    assert_eq!((ids(&mut spool), spool.take_lost().len()), (vec!["a".to_owned(), "c".to_owned()], 0));
    spool.keep(frame("d"), b"abc").unwrap();
    assert_eq!(spool.take_lost(), ["a"]);
    // One that is larger than the spool costs the others nothing.
    let error = spool.keep(frame("e"), &[0; 8]).unwrap_err();
    assert!(error.to_string().contains("8 bytes"), "{error}");
    assert_eq!(ids(&mut spool), ["c", "d"]);
    spool.tend(Limits { bytes: 3, ..GENEROUS }, NOW).unwrap();
    assert_eq!((ids(&mut spool), spool.take_lost()), (vec!["d".to_owned()], vec!["c".to_owned()]));
}

#[test]
fn a_disk_that_is_full_of_acknowledged_frames_has_room() {
    let scratch = Scratch::in_memory();
    let mut spool = spool(&scratch, GENEROUS);
    spool.keep(frame("a"), b"abc").unwrap();
    spool.acknowledge(&["a".to_owned()]).unwrap();
    let (kept, steps) = at(1, Mishap::Fails(Errno::NOSPC), || spool.keep(frame("b"), b"abc"));
    kept.unwrap();
    assert_eq!(steps[1], "write");
    assert_eq!(ids(&mut spool), ["b"]);
    // One that its user may not fill any further likewise.
    spool.acknowledge(&["b".to_owned()]).unwrap();
    at(1, Mishap::Fails(Errno::DQUOT), || spool.keep(frame("q"), b"abc")).0.unwrap();
    assert_eq!(ids(&mut spool), ["q"]);
    let (kept, _) = at(1, Mishap::Fails(Errno::NOSPC), || spool.keep(frame("c"), b"abc"));
    assert_eq!(kept.unwrap_err().kind(), ErrorKind::StorageFull);
    assert_eq!(ids(&mut spool), ["q"]);
}

#[test]
fn a_frame_whose_file_another_one_has_replaced_is_forgotten() {
    let scratch = Scratch::in_memory();
    let mut spool = spool(&scratch, GENEROUS);
    let path = scratch.path().join("M31.fits");
    for id in ["first", "second", "second"] {
        fs::write(&path, id).unwrap();
        spool.enter_saved(frame(id), id.len() as u64, Sum::of(id.as_bytes()), &path).unwrap();
    }
    save(&mut spool, scratch.path(), "third").unwrap();
    assert_eq!(ids(&mut spool), ["second", "third"]);
    assert!(verify(spool.path()).unwrap().damaged.is_empty());
    // One that was begun earlier and comes late has replaced nothing.
    let earlier = NewFrame { at: NOW - Duration::from_secs(1), ..frame("late") };
    spool.enter_saved(earlier, 4, Sum::of(b"late"), &path).unwrap();
    assert_eq!(ids(&mut spool), ["second", "third", "late"]);
}

#[test]
fn damage_is_found_and_named() {
    let scratch = Scratch::in_memory();
    let mut spool = spool(&scratch, GENEROUS);
    for id in ["whole", "longer", "other", "gone"] {
        spool.keep(frame(id), b"abc").unwrap();
    }
    let at = |name: &str| scratch.path().join("spool").join(name);
    fs::write(at("longer.fits"), "abcd").unwrap();
    fs::write(at("other.fits"), "abd").unwrap();
    fs::remove_file(at("gone.fits")).unwrap();
    fs::write(at("new.fits"), "abc").unwrap();
    let journal = fs::read(at("journal")).unwrap();
    fs::write(at("journal"), [&journal[..], b"torn"].concat()).unwrap();
    let found = verify(&scratch.path().join("spool")).unwrap();
    let ids: Vec<&str> = found.damaged.iter().map(|damage| &*damage.id).collect();
    assert_eq!(ids, ["longer", "other", "gone"]);
    assert_eq!((found.frames, found.whole, found.unreadable_lines), (4, 1, 1));
    assert_eq!(found.not_entered, ["new.fits"]);
    assert_eq!(verify::spools(scratch.path()).unwrap(), [at("").components().collect::<PathBuf>()]);
    assert_eq!(verify::spools(&at("")).unwrap().len(), 1);
}

#[test]
fn a_spool_whose_directory_is_removed_begins_anew() {
    let scratch = Scratch::in_memory();
    let mut spool = spool(&scratch, GENEROUS);
    spool.keep(frame("a"), b"abc").unwrap();
    fs::remove_dir_all(spool.path()).unwrap();
    assert!(ids(&mut spool).is_empty());
    spool.keep(frame("b"), b"abc").unwrap();
    assert_eq!(ids(&mut spool), ["b"]);
    fs::remove_dir_all(spool.path()).unwrap();
    fs::write(spool.path(), "").unwrap();
    assert!(spool.keep(frame("c"), b"abc").is_err());
}
