//! The scouts: one thread per family of hardware that searches for its cameras, so that a search that takes long, or
//! hangs, keeps nobody waiting. A thread that hangs is given up when it is asked again, and another one searches.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use tokio::sync::mpsc::Sender;

use crate::backend::Backend;
use crate::camera::error::{CameraError, ErrorKind, Result as CameraResult};
use crate::camera::types::{ADDRESSES_PARAMETER, CameraId, Value};
use crate::host::hotplug;
use crate::host::relay::Relay;

use super::News;

/// Searches that wait for the thread. The hub waits for each outcome, or gives it up, so more than one is a bug.
const SEARCHES: usize = 2;

/// The way to the thread that searches for one family's cameras.
pub(super) struct Scout {
    family: usize,
    backend: Backend,
    report: Sender<News>,
    /// Absent if it could not be started.
    searcher: Option<Searcher>,
    thread: Relay,
}

/// A thread with a camera of its own, which is never connected.
struct Searcher {
    searches: SyncSender<Vec<String>>,
    /// It has not answered yet.
    at_work: Arc<AtomicBool>,
}

impl Scout {
    /// Starts the thread, and has someone tell what is plugged in.
    pub(super) fn spawn(family: usize, backend: Backend, report: Sender<News>) -> Scout {
        if let Some(nodes) = backend.nodes {
            let report = report.clone();
            let tell = move || report.blocking_send(News::Plugged(family)).is_ok();
            if let Err(error) = hotplug::watch(nodes.directory, nodes.prefix, tell) {
                tracing::warn!(directory = nodes.directory, %error, "what is plugged in is not noticed");
            }
        }
        let mut scout = Scout { family, backend, report, searcher: None, thread: Relay::default() };
        scout.replace();
        scout
    }

    /// Has it search, also at these addresses. The hub asks again only when it waits for no answer any more.
    pub(super) fn ask(&mut self, addresses: Vec<String>) {
        let hangs = self.searcher.as_ref().is_none_or(Searcher::is_at_work);
        let asked = (!hangs || self.replace())
            && self.searcher.as_ref().is_some_and(|searcher| searcher.ask(addresses));
        if !asked {
            let hanging = self.thread.hanging() + 1;
            let detail = format!(
                "{hanging} searches for cameras hang; the next one begins when one of them has ended"
            );
            let error = CameraError::new(ErrorKind::Timeout, "scanning", detail);
            // Without room its deadline answers the search.
            let _ = self.report.try_send(News::Found(self.family, Err(error)));
        }
    }

    /// Gives up the thread if there is one, and starts another; says whether there was one to be had.
    fn replace(&mut self) -> bool {
        let (family, backend, report) = (self.family, self.backend, self.report.clone());
        let (searches, queue) = sync_channel(SEARCHES);
        let at_work = Arc::new(AtomicBool::new(false));
        let working = Arc::clone(&at_work);
        let started = self.thread.hand_over(move |given_up| {
            let tell = move |found| {
                working.store(false, Ordering::Release);
                // What a thread has found that was given up is old.
                !given_up.is_cancelled() && report.blocking_send(News::Found(family, found)).is_ok()
            };
            let name = format!("scout {}", backend.name);
            thread::Builder::new().name(name).spawn(move || work(backend, &queue, tell))
        });
        match started {
            Ok(true) => self.searcher = Some(Searcher { searches, at_work }),
            Ok(false) => return false,
            Err(error) => {
                tracing::error!(%error, backend = backend.name, "no scout thread");
                return false;
            }
        }
        true
    }
}

impl Searcher {
    fn is_at_work(&self) -> bool {
        self.at_work.load(Ordering::Acquire)
    }

    fn ask(&self, addresses: Vec<String>) -> bool {
        self.at_work.store(true, Ordering::Release);
        self.searches.try_send(addresses).is_ok()
    }
}

fn work(backend: Backend, searches: &Receiver<Vec<String>>, tell: impl Fn(Found) -> bool) {
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
        if !tell(found) {
            return;
        }
    }
}

/// What a search ends with.
type Found = CameraResult<Vec<CameraId>>;

#[cfg(test)]
mod tests {
    use std::sync::{LazyLock, Mutex, PoisonError};

    use tokio::sync::mpsc::{Receiver as Heard, channel};

    use super::*;
    use crate::backend::BACKENDS;
    use crate::camera::Camera;
    use crate::camera::types::{Binning, Capabilities, ExposureRequest, ExposureStatus, Frame, Roi};
    use crate::host::relay::MOST_HANGING;

    /// Whoever holds it lets no search end.
    static GATE: Mutex<()> = Mutex::new(());
    /// Says how many searches have begun.
    static BEGUN: LazyLock<(std::sync::mpsc::Sender<()>, Mutex<Receiver<()>>)> = LazyLock::new(|| {
        let (tell, begun) = std::sync::mpsc::channel();
        (tell, Mutex::new(begun))
    });

    fn gate() -> std::sync::MutexGuard<'static, ()> {
        GATE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A camera that can only be searched for.
    struct Shy;

    impl Camera for Shy {
        fn scanning(&mut self) -> Found {
            BEGUN.0.send(()).unwrap();
            drop(gate());
            Ok(Vec::new())
        }
        fn connect(&mut self, _: &CameraId) -> CameraResult<Capabilities> {
            Err(CameraError::not_supported("connect"))
        }
        fn disconnect(&mut self) -> CameraResult<()> {
            Ok(())
        }
        fn start_exposure(&mut self, _: &ExposureRequest) -> CameraResult<()> {
            Err(CameraError::not_supported("start_exposure"))
        }
        fn abort_exposure(&mut self) -> CameraResult<()> {
            Ok(())
        }
        fn get_exposure_status(&mut self) -> CameraResult<ExposureStatus> {
            Ok(ExposureStatus::Idle)
        }
        fn get_exposure_result(&mut self) -> CameraResult<Frame> {
            Err(CameraError::not_supported("get_exposure_result"))
        }
        fn get_camera_roi(&mut self) -> CameraResult<Roi> {
            Err(CameraError::not_supported("get_camera_roi"))
        }
        fn set_camera_roi(&mut self, _: Roi) -> CameraResult<Roi> {
            Err(CameraError::not_supported("set_camera_roi"))
        }
        fn get_binning(&mut self) -> CameraResult<Binning> {
            Ok(Binning::NONE)
        }
        fn set_binning(&mut self, _: Binning) -> CameraResult<Binning> {
            Ok(Binning::NONE)
        }
    }

    fn heard(news: &mut Heard<News>) -> Found {
        match news.blocking_recv().unwrap() {
            News::Found(7, found) => found,
            _ => panic!("a scout tells what it has found"),
        }
    }

    #[test]
    fn a_search_that_hangs_keeps_no_later_one_from_being_made_until_too_many_hang() {
        let (report, mut news) = channel(8);
        let backend = Backend { nodes: None, addresses: None, create: || Box::new(Shy), ..BACKENDS[0] };
        let mut scout = Scout::spawn(7, backend, report);
        let begun = BEGUN.1.lock().unwrap();
        let hold = gate();
        for _ in 0..=MOST_HANGING {
            scout.ask(Vec::new());
            begun.recv().unwrap();
        }
        assert!(news.try_recv().is_err(), "nobody can have found anything");
        scout.ask(Vec::new());
        let why = heard(&mut news).unwrap_err().to_string();
        assert!(why.contains("4 searches for cameras hang"), "{why}");
        drop(hold);
        // Those that were given up say nothing any more.
        assert_eq!(heard(&mut news).unwrap(), []);
        scout.ask(Vec::new());
        begun.recv().unwrap();
        assert_eq!(heard(&mut news).unwrap(), []);
        while scout.thread.hanging() > 0 {
            thread::yield_now();
        }
        assert!(news.try_recv().is_err(), "told by a thread that was given up");
    }
}
