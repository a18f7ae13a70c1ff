//! Word of devices that are plugged in or pulled out: changes in a directory of device nodes.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::thread;

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::io::Errno;

/// Room for the events of a burst, bytes.
const EVENTS: usize = 4096;

/// Starts a thread that calls `tell` whenever a name with that prefix comes into the directory, goes out of it, or may
/// be opened by others than before. `tell` returns whether anybody still listens.
pub fn watch(
    directory: &str,
    prefix: &'static str,
    tell: impl FnMut() -> bool + Send + 'static,
) -> io::Result<()> {
    let events = inotify::init(CreateFlags::CLOEXEC)?;
    inotify::add_watch(&events, directory, WatchFlags::CREATE | WatchFlags::DELETE | WatchFlags::ATTRIB)?;
    thread::Builder::new().name("hot-plug".to_owned()).spawn(move || listen(&events, prefix, tell))?;
    Ok(())
}

fn listen(events: &OwnedFd, prefix: &str, mut tell: impl FnMut() -> bool) {
    let mut room = [MaybeUninit::uninit(); EVENTS];
    let mut events = inotify::Reader::new(events, &mut room);
    loop {
        let concerned = match events.next() {
            Ok(event) => event.file_name().is_some_and(|name| name.to_bytes().starts_with(prefix.as_bytes())),
            Err(Errno::INTR) => false,
            Err(error) => {
                tracing::warn!(%error, "what is plugged in is not noticed any more");
                return;
            }
        };
        if concerned && !tell() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::*;
    use crate::host::scratch::Scratch;

    #[test]
    fn what_comes_and_goes_is_told_if_its_name_fits() {
        let scratch = Scratch::new();
        let (tell, told) = channel();
        watch(scratch.path().to_str().unwrap(), "video", move || tell.send(()).is_ok()).unwrap();
        let node = scratch.path().join("video0");
        fs::write(scratch.path().join("tty0"), "").unwrap();
        fs::write(&node, "").unwrap();
        told.recv_timeout(Duration::from_secs(10)).unwrap();
        fs::remove_file(&node).unwrap();
        told.recv_timeout(Duration::from_secs(10)).unwrap();
        assert!(told.try_recv().is_err(), "the other name was told as well");
    }
}
