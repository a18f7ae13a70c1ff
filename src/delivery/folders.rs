//! The directories that users name: where they are, whether files may go there, and whether their disks are still there.
//!
//! An operator may confine all of them to one directory ([`Folders::confined`]). It is entered step by step, no step
//! leads upwards and no link is followed, so nothing that a client writes, and no link that it finds, leads out of it.
//!
//! Each frame asks for its directory, and on a disk of the network every question costs time. So what has been found out
//! about a directory holds as long as its path leads to the same one at the same place; a disk that is gone, or a link
//! that was changed, leads to another one, and everything is looked at anew.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::device::job::{DeliveryError, Size};
use crate::host::draft::{Draft, sweep};
use crate::host::place::Place;

use super::fault::explain;

/// Directories that are remembered: a user has a handful.
const MOST: usize = 64;

/// What the directories that users name mean. Clones know together what is known of the disks, so a thread that takes
/// over from one that hangs knows it, too.
#[derive(Clone, Debug)]
pub struct Folders {
    home: PathBuf,
    root: Option<PathBuf>,
    /// The spools, where nobody has files but the driver.
    spools: Option<PathBuf>,
    known: Arc<Mutex<Known>>,
}

/// Never locked while a disk is asked for anything: it may hang.
#[derive(Debug, Default)]
struct Known {
    /// Mount points of the disks that were used, which are as few as there are disks.
    mounts: HashSet<PathBuf>,
    /// Where files may go, and nothing is left of dead processes, when all those mounts were there.
    good: HashMap<PathBuf, Seen>,
}

/// Which directory a path leads to, and which one it must not lead into.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    directory: (u64, u64),
    /// Its path without links.
    location: PathBuf,
    spools: Option<(u64, u64)>,
}

impl Known {
    /// A disk that has come to be known may be missing below what was good without it.
    fn add_mount(&mut self, mount: PathBuf) {
        if self.mounts.insert(mount) {
            self.good.clear();
        }
    }

    fn add_good(&mut self, path: PathBuf, seen: Seen) {
        if self.good.len() >= MOST {
            self.good.clear();
        }
        self.good.insert(path, seen);
    }
}

impl Folders {
    /// `home` stands for `_HOME_` and is where relative directories begin.
    #[must_use]
    pub fn new(home: PathBuf) -> Folders {
        Folders { home, root: None, spools: None, known: Arc::default() }
    }

    /// All of them inside `root`, for which `_HOME_` stands too.
    #[must_use]
    pub fn confined(root: PathBuf) -> Folders {
        Folders { root: Some(root.clone()), ..Folders::new(root) }
    }

    /// None of them where the spools are, of which `own` is one: not in the directory of them all either, unless the home
    /// directory is in that.
    #[must_use]
    pub fn beside(self, own: &Path) -> Folders {
        let all = own.parent().filter(|all| !self.home.starts_with(all));
        Folders { spools: Some(all.unwrap_or(own).to_owned()), ..self }
    }

    /// The directory that the user wrote so, made if need be.
    pub fn open(&self, wanted: &str) -> Result<Place, DeliveryError> {
        let path = self.path(wanted);
        if let Some(place) = self.open_again(&path) {
            return Ok(place);
        }
        if let Some(mount) = self.mounts_above(&path).into_iter().find(|mount| !is_mount_point(mount)) {
            // Below the mount point there is a directory still: of the disk that this one was mounted on.
            return Err(DeliveryError::NotMounted { path: mount });
        }
        let place = self.enter(&path)?;
        let seen = self.see(&place).map_err(|error| explain(&path, &error))?;
        refuse_spools(&seen)?;
        self.remember(mount_point(&path), path, seen);
        sweep(&place);
        Ok(place)
    }

    /// The directory, if this path was good and leads where it led then. Nothing is made on the way.
    fn open_again(&self, path: &Path) -> Option<Place> {
        let before = self.known().good.get(path).cloned()?;
        let place = Place::open(path).ok()?;
        self.see(&place).is_ok_and(|now| now == before).then_some(place)
    }

    fn remember(&self, mount: Option<PathBuf>, path: PathBuf, seen: Seen) {
        let mut known = self.known();
        if let Some(mount) = mount {
            known.add_mount(mount);
        }
        known.add_good(path, seen);
    }

    fn see(&self, place: &Place) -> io::Result<Seen> {
        let spools = self.spools.as_deref().and_then(file_of);
        Ok(Seen { directory: place.identity()?, location: place.location()?, spools })
    }

    /// Removes what dead processes have left there, if there is such a directory.
    pub fn sweep(&self, wanted: &str) {
        if self.path(wanted).is_dir() {
            // Whoever wants to write there will hear what is wrong with it.
            let _ = self.open(wanted);
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Nothing under this lock can panic half-way.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The mount points that this directory is below of.
    fn mounts_above(&self, path: &Path) -> Vec<PathBuf> {
        let known = self.known();
        known.mounts.iter().filter(|mount| path.starts_with(mount)).cloned().collect()
    }

    fn enter(&self, path: &Path) -> Result<Place, DeliveryError> {
        let Some(root) = &self.root else {
            return Place::make(path).map_err(|error| explain(path, &error));
        };
        let Ok(inside) = path.strip_prefix(root) else {
            return Err(DeliveryError::Outside { path: path.to_owned(), root: root.clone() });
        };
        let place = Place::open(root).map_err(|error| explain(root, &error))?;
        place.beneath(inside).map_err(|error| explain(path, &error))
    }

    fn path(&self, wanted: &str) -> PathBuf {
        let home = self.home.to_string_lossy();
        match wanted {
            "" | "_HOME_" => self.home.clone(),
            _ => self.home.join(wanted.replace("_HOME_", &home)),
        }
    }
}

/// Whether a file of so many bytes could be written there now, as far as that can be known.
pub(super) fn has_room(place: &Place, bytes: u64) -> Result<(), DeliveryError> {
    let path = place.path();
    let free = place.free().map_err(|error| explain(path, &error))?;
    if let Some(free) = free.filter(|free| *free < bytes) {
        let path = path.to_owned();
        return Err(DeliveryError::NoRoom { path, needed: Size(bytes), free: Size(free) });
    }
    let again = place.try_clone().and_then(Draft::within);
    again.map(drop).map_err(|error| explain(path, &error))
}

/// What a directory is called says nothing of where it is: links may lead into a spool.
fn refuse_spools(seen: &Seen) -> Result<(), DeliveryError> {
    if seen.spools.is_some() && seen.location.ancestors().any(|above| file_of(above) == seen.spools) {
        let (path, why) = (seen.location.clone(), "the spool is kept there".to_owned());
        return Err(DeliveryError::File { path, why });
    }
    Ok(())
}

/// Where the disk of a directory is mounted; `None` for the disk of the root directory, which stays.
fn mount_point(path: &Path) -> Option<PathBuf> {
    let device = disk_of(path)?;
    let same = path.ancestors().take_while(|ancestor| disk_of(ancestor) == Some(device));
    same.last().filter(|top| top.parent().is_some()).map(Path::to_owned)
}

fn is_mount_point(path: &Path) -> bool {
    let outside = path.parent().and_then(disk_of);
    disk_of(path).is_some_and(|device| Some(device) != outside)
}

fn file_of(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|entry| (entry.dev(), entry.ino()))
}

fn disk_of(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().map(|entry| entry.dev())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::host::scratch::Scratch;

    #[test]
    fn a_client_stays_inside_the_root_that_the_operator_set() {
        let (scratch, outside) = (Scratch::new(), Scratch::new());
        let root = scratch.path().join("root");
        fs::create_dir(&root).unwrap();
        symlink(outside.path(), root.join("link")).unwrap();
        let folders = Folders::confined(root.clone());
        let inside = |name: &str| root.join(name).to_str().unwrap().to_owned();
        for (wanted, path) in [
            ("", root.clone()),
            ("_HOME_", root.clone()),
            ("_HOME_/a/b", root.join("a/b")),
            ("relative", root.join("relative")),
            (&inside("c"), root.join("c")),
        ] {
            assert_eq!(folders.open(wanted).unwrap().path(), path, "{wanted}");
        }
        for wanted in
            [outside.path().to_str().unwrap(), "/", "/etc", &format!("{}x", root.display()), "_HOME_x"]
        {
            let error = folders.open(wanted).unwrap_err();
            assert!(matches!(error, DeliveryError::Outside { .. }), "{wanted}: {error}");
        }
        for wanted in ["..", "_HOME_/../x", "a/../../x", "link", "link/x", &inside("../x")] {
            let error = folders.open(wanted).unwrap_err().to_string();
            assert!(error.contains("leads out of") || error.contains("is a link"), "{wanted}: {error}");
        }
        assert!(outside.names().is_empty());
        assert_eq!(scratch.names(), ["root"]);
    }

    #[test]
    fn every_directory_below_a_disk_that_is_gone_is_refused_by_every_thread() {
        let scratch = Scratch::new();
        let folders = Folders::new(scratch.path().to_owned());
        let other = folders.clone();
        // As if a disk had been here.
        let mount = scratch.path().join("disk");
        folders.known().add_mount(mount.clone());
        for folders in [folders, other] {
            for wanted in ["disk", "disk/M31/Ha", "_HOME_/disk/M31/OIII", "disk/../disk/x"] {
                let error = folders.open(wanted).unwrap_err();
                assert_eq!(error, DeliveryError::NotMounted { path: mount.clone() }, "{wanted}");
            }
            folders.open("diskette").unwrap();
        }
        assert_eq!(scratch.names(), ["diskette"]);
    }

    #[test]
    fn nobody_has_files_where_the_spools_are() {
        let scratch = Scratch::new();
        let spools = scratch.path().join(".indi/spool");
        fs::create_dir_all(spools.join("Camera")).unwrap();
        symlink(&spools, scratch.path().join("link")).unwrap();
        let folders = Folders::new(scratch.path().to_owned()).beside(&spools.join("Camera"));
        for wanted in [".indi/spool", ".indi/spool/Camera", "x/../.indi/spool/Other/a", "link/Camera", "link"]
        {
            let error = folders.open(wanted).unwrap_err().to_string();
            assert!(error.ends_with("the spool is kept there"), "{wanted}: {error}");
        }
        for wanted in ["", ".indi", ".indi/spooled", "_HOME_/pictures"] {
            folders.open(wanted).unwrap();
        }
        // With spools in the home directory itself only the own one is out of bounds.
        let folders = Folders::new(scratch.path().to_owned()).beside(&scratch.path().join("Camera"));
        folders.open("pictures").unwrap();
        folders.open("Camera/deeper").unwrap_err();
    }

    #[test]
    fn a_directory_that_was_good_is_refused_when_a_disk_above_it_is_gone() {
        let scratch = Scratch::new();
        let folders = Folders::new(scratch.path().to_owned());
        folders.open("disk/M31").unwrap();
        // As if a disk had come there, with another directory on it, and gone again.
        let mount = scratch.path().join("disk");
        folders.known().add_mount(mount.clone());
        assert_eq!(folders.open("disk/M31").unwrap_err(), DeliveryError::NotMounted { path: mount });
        folders.open("elsewhere").unwrap();
    }

    #[test]
    fn a_directory_of_a_disk_that_is_gone_is_not_made_anew() {
        let scratch = Scratch::new();
        let folders = Folders::new(scratch.path().to_owned());
        let (disk, away) = (scratch.path().join("disk"), scratch.path().join("away"));
        folders.open("disk/M31").unwrap();
        let before = folders.known().good.clone();
        folders.known().add_mount(disk.clone());
        folders.known().good = before;
        // As if it had been good on that disk.
        folders.open("disk/M31").unwrap();
        fs::rename(&disk, away).unwrap();
        fs::create_dir(&disk).unwrap();
        let gone = DeliveryError::NotMounted { path: disk.clone() };
        assert_eq!(folders.open("disk/M31").unwrap_err(), gone);
        assert_eq!(fs::read_dir(&disk).unwrap().count(), 0);
        // With one of that name there, too.
        fs::create_dir(disk.join("M31")).unwrap();
        assert_eq!(folders.open("disk/M31").unwrap_err(), gone);
    }

    #[test]
    fn a_directory_that_was_good_is_none_when_it_leads_to_the_spools() {
        let scratch = Scratch::new();
        let [pictures, spools] = ["pictures", ".indi/spool"].map(|name| scratch.path().join(name));
        let folders = Folders::new(scratch.path().to_owned()).beside(&spools.join("Camera"));
        let refused = || {
            let error = folders.open("pictures").unwrap_err().to_string();
            assert!(error.ends_with("the spool is kept there"), "{error}");
        };
        folders.open("pictures").unwrap();
        fs::create_dir_all(spools.join("Camera")).unwrap();
        folders.open("pictures").unwrap();
        // The directory itself goes there, and a link leads to it.
        fs::rename(&pictures, spools.join("pictures")).unwrap();
        symlink(spools.join("pictures"), &pictures).unwrap();
        refused();
        // A link leads somewhere good, and is exchanged.
        fs::rename(spools.join("pictures"), scratch.path().join("moved")).unwrap();
        fs::remove_file(&pictures).unwrap();
        symlink("moved", &pictures).unwrap();
        folders.open("pictures").unwrap();
        fs::remove_file(&pictures).unwrap();
        symlink(&spools, &pictures).unwrap();
        refused();
        // The spools come to where the directory is.
        fs::remove_file(&pictures).unwrap();
        folders.open("pictures").unwrap();
        fs::remove_dir_all(&spools).unwrap();
        symlink(&pictures, &spools).unwrap();
        refused();
    }

    #[test]
    fn a_directory_that_was_good_is_none_when_a_link_leads_to_it_out_of_the_root() {
        let (scratch, outside) = (Scratch::new(), Scratch::new());
        let folders = Folders::confined(scratch.path().to_owned());
        folders.open("night").unwrap();
        let (inside, moved) = (scratch.path().join("night"), outside.path().join("night"));
        fs::rename(&inside, &moved).unwrap();
        symlink(&moved, &inside).unwrap();
        let error = folders.open("night").unwrap_err().to_string();
        assert!(error.contains("is a link"), "{error}");
    }

    #[test]
    fn what_dead_processes_have_left_is_removed_from_a_directory_that_took_the_place_of_another() {
        let scratch = Scratch::new();
        let folders = Folders::new(scratch.path().to_owned());
        folders.open("night").unwrap();
        fs::rename(scratch.path().join("night"), scratch.path().join("moved")).unwrap();
        fs::create_dir(scratch.path().join("night")).unwrap();
        let left = scratch.path().join("night").join(".indi-camera-1-0.part");
        fs::write(&left, b"").unwrap();
        folders.open("night").unwrap();
        assert!(!left.exists());
    }

    #[test]
    fn the_disk_of_the_root_directory_stays() {
        assert_eq!(mount_point(Path::new("/")), None);
        assert_eq!(mount_point(Path::new("/no/such/directory")), None);
        assert_eq!(mount_point(Path::new("/proc/self")), Some("/proc".into()));
        assert!(is_mount_point(Path::new("/proc")) && !is_mount_point(Path::new("/proc/self")));
    }
}
