//! A driver that we start: its server's end of the line, what it says on stderr, and its end.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::address::Launch;

/// How long a driver may take to end when it has been told to. Ours promises 2 s; a cooled camera of somebody else's
/// may have something to do.
const FAREWELL: Duration = Duration::from_secs(5);
/// Lines of stderr that are kept to be quoted.
const REMEMBERED: usize = 20;
/// Longest line of stderr that is kept.
const LONGEST: usize = 1000;

/// A running driver.
#[derive(Debug)]
pub(super) struct Process {
    child: Option<Child>,
    /// Readable once it has ended.
    ended: AsyncFd<OwnedFd>,
    /// What it said last.
    words: Words,
}

/// The last lines of a driver's stderr.
#[derive(Clone, Debug, Default)]
pub(super) struct Words(Arc<Mutex<VecDeque<String>>>);

impl Process {
    /// Starts a driver as indiserver does: one socket as both its descriptors 0 and 1. The other end of it is ours.
    pub(super) fn start(launch: &Launch) -> io::Result<(Process, OwnedFd)> {
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        let mut command = Command::new(&launch.program);
        if let Some(name) = &launch.name {
            command.arg0(name);
        }
        for name in &launch.without {
            command.env_remove(name);
        }
        command.envs(launch.env.iter().map(|(name, value)| (name, value)));
        // A process group of its own: who stops us from a terminal wants the driver told by its server, not shot.
        command.process_group(0);
        command.stdin(theirs.try_clone()?).stdout(theirs).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        drop(command);
        let words = Words::default();
        let ended = pidfd_open(Pid::from_child(&child), PidfdFlags::NONBLOCK).map_err(io::Error::from);
        let ended = ended.and_then(|fd| AsyncFd::with_interest(fd, Interest::READABLE));
        let listening = child.stderr.take().map_or(Ok(()), |stderr| words.listen(stderr));
        match ended.and_then(|ended| listening.map(|()| ended)) {
            Ok(ended) => Ok((Process { child: Some(child), ended, words }, ours)),
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(error)
            }
        }
    }

    /// Waits for its end, and says how it ended and what it said last. Can be asked again.
    pub(super) async fn ended(&mut self) -> String {
        // An error would be one of the reactor; then the driver is as good as gone for us.
        let _ = self.ended.readable().await;
        let status = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
        let how = status.map_or_else(|| "the driver ended".to_owned(), |status| format!("the driver ended with {status}"));
        match self.words.last() {
            Some(words) => format!("{how} and said: {words}"),
            None => how,
        }
    }

    /// Waits for the end of a driver whose line has been closed, and ends it when that takes too long.
    pub(super) async fn farewell(mut self) {
        if tokio::time::timeout(FAREWELL, self.ended.readable()).await.is_err()
            && let Some(child) = &mut self.child
        {
            let _ = child.kill();
        }
        if let Some(mut child) = self.child.take() {
            let _ = child.wait();
        }
    }
}

impl Drop for Process {
    /// Dropped without a farewell, as when the runtime ends: the line is closed, which every driver takes for the end.
    /// Somebody has to see to it, and to bury it; should we end before, the system does.
    fn drop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let waiting = std::thread::Builder::new().name("farewell".to_owned());
        let waiting = waiting.spawn(move || {
            if let Ok(ended) = pidfd_open(Pid::from_child(&child), PidfdFlags::empty())
                && let Ok(patience) = Timespec::try_from(FAREWELL)
            {
                let _ = poll(&mut [PollFd::new(&ended, PollFlags::IN)], Some(&patience));
            }
            let _ = child.kill();
            let _ = child.wait();
        });
        if let Err(error) = waiting {
            tracing::warn!(%error, "a driver ends on its own");
        }
    }
}

impl Words {
    /// The last line that has something in it.
    pub(super) fn last(&self) -> Option<String> {
        self.lines().iter().rev().find(|line| !line.trim().is_empty()).cloned()
    }

    fn lines(&self) -> std::sync::MutexGuard<'_, VecDeque<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads stderr to its end on a thread: it must be read whatever we are doing, or the driver would wait for us.
    fn listen(&self, mut stderr: impl Read + Send + 'static) -> io::Result<()> {
        let words = self.clone();
        let reading = std::thread::Builder::new().name("stderr".to_owned());
        reading.spawn(move || {
            let (mut chunk, mut line) = ([0; 4096], Vec::new());
            while let Ok(count @ 1..) = stderr.read(&mut chunk) {
                for &byte in &chunk[..count] {
                    if byte == b'\n' {
                        words.remember(&line);
                        line.clear();
                    } else if line.len() < LONGEST {
                        line.push(byte);
                    }
                }
            }
            words.remember(&line);
        })?;
        Ok(())
    }

    fn remember(&self, line: &[u8]) {
        let line = String::from_utf8_lossy(line).into_owned();
        if line.trim().is_empty() {
            return;
        }
        tracing::debug!(target: "driver", "{line}");
        let mut lines = self.lines();
        if lines.len() == REMEMBERED {
            lines.pop_front();
        }
        lines.push_back(line);
    }
}
