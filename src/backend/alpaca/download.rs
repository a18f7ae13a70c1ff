//! The way of a frame from the server to us, on a thread of its own: meanwhile the camera can be asked and aborted.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::thread;
use std::time::Duration;

use super::api::Api;
use super::fault::Fault;
use super::http::Patience;
use super::image::{self, Image};
use crate::camera::types::{Cancel, Percent};

/// A server from which nothing comes for so long has stopped. It may need some of that before the first byte.
const SILENCE: Duration = Duration::from_secs(15);
/// In thousandths of a percent: nobody knows.
const UNKNOWN: u32 = u32::MAX;

/// A frame that is being fetched. Dropping it ends that.
#[derive(Debug)]
pub(super) struct Download {
    done: Arc<AtomicU32>,
    dropped: Cancel,
    result: Receiver<Result<Image, Fault>>,
}

impl Download {
    /// Begins to fetch the frame of `size`, in containers of `bits`.
    pub(super) fn begin(mut api: Api, size: (u32, u32), bits: u8, unwanted: Cancel) -> Result<Self, Fault> {
        let (done, dropped) = (Arc::new(AtomicU32::new(UNKNOWN)), Cancel::default());
        let (progress, ended) = (Arc::clone(&done), dropped.clone());
        // One frame: the thread never waits for anybody.
        let (tell, result) = sync_channel(1);
        let fetch = move || {
            let mut watch = |come: u64, of: Option<u64>| {
                progress.store(of.map_or(UNKNOWN, |of| thousandths(come, of)), Ordering::Relaxed);
                if unwanted.is_cancelled() || ended.is_cancelled() {
                    return ControlFlow::Break(());
                }
                ControlFlow::Continue(())
            };
            // Nobody listens when the exposure was dropped, and nobody needs to.
            let _ = tell.send(fetch(&mut api, size, bits, &mut watch));
        };
        thread::Builder::new().name("alpaca-download".to_owned()).spawn(fetch).map_err(Fault::Gone)?;
        Ok(Download { done, dropped, result })
    }

    /// The frame, or why there is none, as soon as that is known; once.
    pub(super) fn outcome(&self) -> Option<Result<Image, Fault>> {
        match self.result.try_recv() {
            Ok(result) => Some(result),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => {
                Some(Err(Fault::Nonsense("the frame could not be read".to_owned())))
            }
        }
    }

    /// How much of it is here.
    pub(super) fn done(&self) -> Option<Percent> {
        match self.done.load(Ordering::Relaxed) {
            UNKNOWN => None,
            thousandths => Some(f64::from(thousandths) / 1e3),
        }
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        self.dropped.cancel();
    }
}

fn thousandths(come: u64, of: u64) -> u32 {
    let share = u128::from(come) * 100_000 / u128::from(of.max(1));
    u32::try_from(share).unwrap_or(100_000).min(100_000)
}

fn fetch(
    api: &mut Api,
    size: (u32, u32),
    bits: u8,
    watch: &mut dyn FnMut(u64, Option<u64>) -> ControlFlow<()>,
) -> Result<Image, Fault> {
    let mut answer = api.image(Patience { limit: SILENCE, by_piece: true, watch });
    if matches!(answer, Err(Fault::Gone(_))) {
        // The frame is still there, unless it is the server itself that has gone.
        answer = api.image(Patience { limit: SILENCE, by_piece: true, watch });
    }
    image::decode(&answer?, size, bits)
}
