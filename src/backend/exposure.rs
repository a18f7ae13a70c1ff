//! One exposure of a camera without a sensor: its times, and the thread that makes its frame.
//!
//! All that decides the frame is known when the shutter opens, so it is drawn, or read, at once, during the exposure,
//! and the read-out has nothing left to do but hand it over. An exposure that is shorter than the drawing reports
//! [`ExposureStatus::Reading`] until the drawing is done.

use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::thread;
use std::time::Duration;

use crate::camera::error::{CameraError, ErrorKind, Result};
use crate::camera::types::{Cancel, ExposureStatus, Pixels};

/// An exposure that has begun. Dropping it stops the drawing.
pub(in crate::backend) struct Exposure<T = Pixels> {
    /// When the shutter closes, by the caller's monotonic clock.
    closes: Duration,
    /// Set by whoever asked for the exposure.
    unwanted: Cancel,
    /// Set when this value is dropped.
    dropped: Cancel,
    drawing: Receiver<T>,
    drawn: Option<T>,
}

/// Asked now and then by the drawing thread: nobody wants the frame any more.
pub(in crate::backend) type Cancelled<'a> = &'a (dyn Fn() -> bool + Sync);

impl<T: Send + 'static> Exposure<T> {
    /// Opens the shutter until `closes` and begins to draw. `draw` gives nothing when it was cancelled.
    pub(in crate::backend) fn open(
        closes: Duration,
        unwanted: Cancel,
        draw: impl FnOnce(Cancelled) -> Option<T> + Send + 'static,
    ) -> Result<Self> {
        let dropped = Cancel::default();
        let flags = [unwanted.clone(), dropped.clone()];
        // One frame: the drawing thread never waits for anybody.
        let (sender, drawing) = sync_channel(1);
        // A thread of its own and not a job of rayon's: a panic there ends the process, here it ends the channel.
        thread::Builder::new()
            .name("exposure".to_owned())
            .spawn(move || {
                if let Some(drawn) = draw(&|| flags.iter().any(Cancel::is_cancelled)) {
                    // Nobody listens when the exposure was dropped, and nobody needs to.
                    let _ = sender.send(drawn);
                }
            })
            .map_err(|error| CameraError {
                source: Some(Box::new(error)),
                ..hardware("start_exposure", "no thread for the exposure")
            })?;
        Ok(Exposure { closes, unwanted, dropped, drawing, drawn: None })
    }

    /// Where it is at `now`.
    pub(in crate::backend) fn status(&mut self, now: Duration) -> Result<ExposureStatus> {
        if self.unwanted.is_cancelled() {
            return Ok(ExposureStatus::Idle);
        }
        let left = self.closes.saturating_sub(now);
        if !left.is_zero() {
            return Ok(ExposureStatus::Exposing { left });
        }
        if self.drawn.is_none() {
            match self.drawing.try_recv() {
                Ok(drawn) => self.drawn = Some(drawn),
                Err(TryRecvError::Empty) => return Ok(ExposureStatus::Reading { done: None }),
                // Cancelled a moment ago.
                Err(TryRecvError::Disconnected) if self.unwanted.is_cancelled() => {
                    return Ok(ExposureStatus::Idle);
                }
                Err(TryRecvError::Disconnected) => {
                    return Err(hardware("get_exposure_status", "the read-out broke down"));
                }
            }
        }
        Ok(ExposureStatus::Ready)
    }

    /// What was drawn, once the status is [`ExposureStatus::Ready`].
    pub(in crate::backend) fn drawn(&self) -> Option<&T> {
        self.drawn.as_ref()
    }

    /// The same, to be kept.
    pub(in crate::backend) fn take(&mut self) -> Option<T> {
        self.drawn.take()
    }
}

impl<T> Drop for Exposure<T> {
    fn drop(&mut self) {
        self.dropped.cancel();
    }
}

fn hardware(call: &'static str, detail: &str) -> CameraError {
    CameraError::new(ErrorKind::Hardware, call, detail)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use ndarray::Array3;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn pixels() -> Pixels {
        Pixels::U8(Array3::zeros((1, 1, 1)))
    }

    /// An exposure that ends at two seconds, the switch that lets its drawing finish, and its cancel flag.
    fn until_two() -> (Exposure, Sender<()>, Cancel) {
        let (go, wait) = channel();
        let unwanted = Cancel::default();
        let draw = move |_: Cancelled| wait.recv().ok().map(|()| pixels());
        (Exposure::open(2 * SECOND, unwanted.clone(), draw).unwrap(), go, unwanted)
    }

    fn settle(exposure: &mut Exposure, now: Duration) -> Result<ExposureStatus> {
        loop {
            match exposure.status(now) {
                Ok(ExposureStatus::Reading { .. }) => thread::yield_now(),
                status => return status,
            }
        }
    }

    #[test]
    fn goes_through_its_phases_in_order() {
        let (mut exposure, go, _) = until_two();
        assert_eq!(exposure.status(SECOND).unwrap(), ExposureStatus::Exposing { left: SECOND });
        let almost = SECOND + Duration::from_nanos(999_999_999);
        let left = Duration::from_nanos(1);
        assert_eq!(exposure.status(almost).unwrap(), ExposureStatus::Exposing { left });
        assert_eq!(exposure.status(2 * SECOND).unwrap(), ExposureStatus::Reading { done: None });
        assert!(exposure.take().is_none());
        go.send(()).unwrap();
        assert_eq!(settle(&mut exposure, 2 * SECOND).unwrap(), ExposureStatus::Ready);
        assert_eq!(exposure.take(), Some(pixels()));
    }

    #[test]
    fn a_drawing_that_dies_is_a_hardware_error() {
        let (mut exposure, go, _) = until_two();
        drop(go);
        assert_eq!(settle(&mut exposure, 2 * SECOND).unwrap_err().kind, ErrorKind::Hardware);
    }

    #[test]
    fn an_unwanted_exposure_is_idle() {
        let (mut exposure, _go, unwanted) = until_two();
        unwanted.cancel();
        assert_eq!(exposure.status(SECOND).unwrap(), ExposureStatus::Idle);
    }

    #[test]
    fn dropping_it_tells_the_drawing() {
        let (seen, told) = channel();
        let exposure = Exposure::<Pixels>::open(2 * SECOND, Cancel::default(), move |cancelled| {
            while !cancelled() {
                thread::yield_now();
            }
            seen.send(()).ok()?;
            None
        });
        drop(exposure.unwrap());
        told.recv().unwrap();
    }
}
