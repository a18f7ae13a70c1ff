//! A file on its way into memory, on a thread of its own: no call waits for a disk.

use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::thread;
use std::time::Duration;

use super::file::Shot;
use crate::camera::error::{CameraError, ErrorKind, Result};

/// A file that has not come for so long is not waited for any more.
const PATIENCE: Duration = Duration::from_secs(5);

/// One file that is being read, or has been.
pub(super) struct Reading {
    /// Which file of its folder.
    pub(super) index: usize,
    began: Duration,
    from: Receiver<Result<Shot>>,
    outcome: Option<Result<Shot>>,
}

impl Reading {
    /// Begins to read.
    pub(super) fn begin(
        index: usize,
        now: Duration,
        read: impl FnOnce() -> Result<Shot> + Send + 'static,
    ) -> Result<Reading> {
        // One file: the thread never waits for anybody.
        let (sender, from) = sync_channel(1);
        let spawned = thread::Builder::new().name("replay".to_owned()).spawn(move || {
            // Nobody listens when the file was given up, and nobody needs to.
            let _ = sender.send(read());
        });
        spawned.map_err(|error| CameraError {
            source: Some(Box::new(error)),
            ..CameraError::new(ErrorKind::Hardware, "start_exposure", "no thread to read the file")
        })?;
        Ok(Reading { index, began: now, from, outcome: None })
    }

    /// What came of it, once that is known.
    pub(super) fn outcome(&mut self) -> Option<&Result<Shot>> {
        if self.outcome.is_none() {
            self.outcome = match self.from.try_recv() {
                Ok(outcome) => Some(outcome),
                Err(TryRecvError::Empty) => None,
                Err(TryRecvError::Disconnected) => {
                    let detail = "the file was given up";
                    Some(Err(CameraError::new(ErrorKind::Hardware, "get_exposure_result", detail)))
                }
            };
        }
        self.outcome.as_ref()
    }

    /// Whether it should have come long ago.
    pub(super) fn is_late(&mut self, now: Duration) -> bool {
        now.saturating_sub(self.began) > PATIENCE && self.outcome().is_none()
    }

    /// The same as [`outcome`](Reading::outcome), to be kept.
    pub(super) fn finish(mut self) -> Option<Result<Shot>> {
        self.outcome();
        self.outcome
    }
}
