//! A driver that we start: its server's end of the line, what it says on stderr, and its end.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::process::{Child, Command};
use tokio::sync::oneshot;

use super::address::Launch;

/// Lines of stderr that are kept to be quoted.
const REMEMBERED: usize = 20;
/// How long after its end a driver is listened to.
const LAST_WORDS: Duration = Duration::from_millis(300);
/// Longest line of stderr that is kept.
const LONGEST: usize = 1000;

/// A running driver.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    /// How long it may take to end.
    patience: Duration,
    /// What it said last, and that it has nothing more to say.
    words: Words,
    silent: oneshot::Receiver<()>,
}

/// The last lines of a driver's stderr.
#[derive(Clone, Debug, Default)]
pub(super) struct Words(Arc<Mutex<VecDeque<String>>>);

impl Process {
    /// Starts a driver as indiserver does: one socket as both its descriptors 0 and 1. The other end of it is ours.
    pub(super) fn start(launch: &Launch, patience: Duration) -> io::Result<(Process, OwnedFd)> {
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
        // With it go our copies of the driver's descriptors.
        drop(command);
        let (words, (ending, silent)) = (Words::default(), oneshot::channel());
        if let Some(stderr) = child.stderr.take() {
            words.listen(stderr.into_owned_fd()?, ending)?;
        }
        Ok((Process { child, patience, words, silent }, ours))
    }

    /// Waits for its end, and says how it ended and what it said last. Can be asked again.
    pub(super) async fn ended(&mut self) -> String {
        let how = match self.child.wait().await {
            Ok(status) => format!("the driver ended with {status}"),
            Err(error) => format!("the driver ended: {error}"),
        };
        // What it wrote last may not have been read yet.
        let _ = tokio::time::timeout(LAST_WORDS, &mut self.silent).await;
        match self.words.last() {
            Some(words) => format!("{how} and said: {words}"),
            None => how,
        }
    }

    /// Waits for the end of a driver whose line has been closed, and ends it when that takes too long.
    pub(super) async fn farewell(mut self) {
        if tokio::time::timeout(self.patience, self.child.wait()).await.is_err() {
            // Fails only when it has ended.
            let _ = self.child.kill().await;
        }
    }
}

impl Drop for Process {
    /// Dropped without a farewell, as when the runtime ends: the line is closed, which every driver takes for its end.
    /// Somebody has to see to that; should this process end before, nobody can.
    fn drop(&mut self) {
        let pid = self.child.id().and_then(|pid| Pid::from_raw(pid.cast_signed()));
        let Some(Ok(process)) = pid.map(|pid| pidfd_open(pid, PidfdFlags::empty())) else { return };
        let patience = self.patience;
        let waiting = std::thread::Builder::new().name("farewell".to_owned()).spawn(move || {
            if let Ok(patience) = Timespec::try_from(patience) {
                let _ = poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&patience));
            }
            // Of a process that has ended this does nothing: the descriptor is its own and no other's.
            let _ = pidfd_send_signal(&process, Signal::KILL);
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
    fn listen(&self, stderr: OwnedFd, ending: oneshot::Sender<()>) -> io::Result<()> {
        let (words, mut stderr) = (self.clone(), File::from(stderr));
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
            drop(ending);
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
