//! What happens in a directory, in order and without looking again and again.

use std::collections::VecDeque;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::event::{PollFd, PollFlags};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;

use crate::support::{SOON, poll_for};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// A file was made under this name.
    Created(String),
    /// A file got this name that had another before.
    Renamed(String),
}

impl Change {
    pub(crate) fn is_draft(&self) -> bool {
        matches!(self, Change::Created(name) if name.ends_with(".part"))
    }

    pub(crate) fn is_file(&self) -> bool {
        matches!(self, Change::Renamed(name) if name.ends_with(".fits"))
    }
}

/// A directory being watched.
pub(crate) struct Watch {
    inotify: OwnedFd,
    seen: VecDeque<Change>,
}

impl Watch {
    /// Watches a directory from now on.
    pub(crate) fn new(directory: &Path) -> Watch {
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).unwrap();
        inotify::add_watch(&inotify, directory, WatchFlags::CREATE | WatchFlags::MOVED_TO).unwrap();
        Watch { inotify, seen: VecDeque::new() }
    }

    /// All changes up to the wanted one, which is the last.
    pub(crate) fn until(&mut self, wanted: impl Fn(&Change) -> bool) -> Vec<Change> {
        let mut changes = Vec::new();
        loop {
            let Some(change) = self.seen.pop_front() else {
                let news = poll_for(&mut [PollFd::new(&self.inotify, PollFlags::IN)], SOON);
                assert!(news > 0, "the awaited file did not come; there were {changes:?}");
                self.read();
                continue;
            };
            changes.push(change);
            if wanted(&changes[changes.len() - 1]) {
                return changes;
            }
        }
    }

    fn read(&mut self) {
        let mut room = [MaybeUninit::uninit(); 4096];
        let mut reader = inotify::Reader::new(&self.inotify, &mut room);
        loop {
            match reader.next() {
                Ok(event) => {
                    let name =
                        event.file_name().expect("a directory is watched").to_str().unwrap().to_owned();
                    let renamed = event.events().contains(ReadFlags::MOVED_TO);
                    self.seen.push_back(if renamed { Change::Renamed(name) } else { Change::Created(name) });
                }
                Err(Errno::AGAIN) => return,
                Err(error) => panic!("inotify: {error}"),
            }
        }
    }
}
