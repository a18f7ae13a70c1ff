//! Signals that ask to stop.

use std::future::Future;

use indi_camera::camera::answer::Code;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::fault::{Exit, Fault};

/// Ctrl-C, and what `kill` sends.
pub(super) struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    pub(super) fn new() -> Result<Stop, Fault> {
        let listen = |kind| signal(kind).map_err(|error| Fault::disk(format!("no signals: {error}")));
        Ok(Stop { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    /// Waits until somebody wants us to stop.
    pub(super) async fn wanted(&mut self) -> Fault {
        let exit = tokio::select! {
            _ = self.interrupt.recv() => Exit::Interrupted,
            _ = self.terminate.recv() => Exit::Terminated,
        };
        let sentence = if exit == Exit::Interrupted { "interrupted" } else { "terminated" };
        // The Camera API has no word for it; what an aborted exposure leaves is no frame.
        Fault::new(exit, Code::NoFrame, sentence)
    }

    /// Does something, unless somebody wants us to stop before it is done; then it is dropped.
    pub(super) async fn unless<T>(
        &mut self,
        doing: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        tokio::select! {
            biased;
            fault = self.wanted() => Err(fault),
            done = doing => done,
        }
    }
}
