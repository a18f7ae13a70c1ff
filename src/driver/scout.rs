//! The scouts: one thread per family of hardware that searches for its cameras, so that a search that takes long, or
//! hangs, keeps nobody waiting.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use tokio::sync::mpsc::Sender;

use crate::backend::Backend;
use crate::camera::error::{CameraError, ErrorKind};
use crate::camera::types::{ADDRESSES_PARAMETER, Value};
use crate::host::hotplug;

use super::News;

/// Searches that wait for the thread. The hub waits for each outcome, so more than one is a bug.
const SEARCHES: usize = 2;

/// The way to the thread that searches for one family's cameras.
pub(super) struct Scout {
    searches: SyncSender<Vec<String>>,
}

impl Scout {
    /// Starts a thread with a camera of its own, which is never connected.
    pub(super) fn spawn(family: usize, backend: Backend, report: Sender<News>) -> Scout {
        let (searches, queue) = sync_channel(SEARCHES);
        if let Some(nodes) = backend.nodes {
            let report = report.clone();
            let tell = move || report.blocking_send(News::Plugged(family)).is_ok();
            if let Err(error) = hotplug::watch(nodes.directory, nodes.prefix, tell) {
                tracing::warn!(directory = nodes.directory, %error, "what is plugged in is not noticed");
            }
        }
        let name = format!("scout {}", backend.name);
        let spawned = thread::Builder::new().name(name).spawn(move || work(family, backend, &queue, &report));
        if let Err(error) = spawned {
            tracing::error!(%error, backend = backend.name, "no scout thread");
        }
        Scout { searches }
    }

    /// Has it search, also at these addresses.
    pub(super) fn ask(&self, addresses: Vec<String>) {
        if self.searches.try_send(addresses).is_err() {
            tracing::error!("no scout takes the search; its deadline will answer it");
        }
    }
}

fn work(family: usize, backend: Backend, searches: &Receiver<Vec<String>>, report: &Sender<News>) {
    let mut camera = (backend.create)();
    while let Ok(addresses) = searches.recv() {
        let search = AssertUnwindSafe(|| {
            if backend.addresses.is_some() {
                camera.set_parameter(ADDRESSES_PARAMETER, Value::Text(addresses.join(",")))?;
            }
            camera.scanning()
        });
        let found = catch_unwind(search).unwrap_or_else(|_panic| {
            camera = (backend.create)();
            let detail = "the search for cameras panicked";
            Err(CameraError::new(ErrorKind::Hardware, "scanning", detail))
        });
        if report.blocking_send(News::Found(family, found)).is_err() {
            return;
        }
    }
}
