//! How the camera does and how well: five lights, four counts and ten latencies.
//!
//! | light | Ok | Busy | Alert | Idle |
//! |---|---|---|---|---|
//! | SENSOR | the camera answers | it is being opened | it is lost | it is closed |
//! | COOLER | it holds its target | on its way | an alarm of CCD_COOLER_ALARM | off |
//! | DELIVERY | the last frame was delivered | | it was not, or took too long | none yet |
//! | DISK | the last frame was stored where it should, the spool too | | it was not, there was no room, or the disk hangs | none yet |
//! | SERVER | it has read what was sent | it is waited for | it does not answer | nothing was sent yet |
//!
//! Clients are told at most once in [`PAUSE`], and only what has changed: a run of short exposures is no reason to
//! talk without end.

use std::time::Duration;

use crate::property::key::Key;
use crate::property::keys;
use crate::wire::State;

use super::Device;
use super::connection::Link;
use super::job::Took;
use super::timer::Timer;

mod latency;

use latency::Latency;

/// Clients are not told more often than this.
const PAUSE: Duration = Duration::from_secs(1);

/// What takes time on the way of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// From the end of the exposure to the frame.
    Overrun,
    /// From the camera's word that it reads out to the frame.
    ReadOut,
    /// From the frame to the file in memory.
    Encode,
    /// From there to the disk.
    Write,
    /// From the BLOB to the server's word that it has read it.
    Ack,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    /// Frames that were delivered.
    Frames,
    /// Exposures that ended in Alert.
    Failures,
    /// Attempts to open the camera again.
    Retries,
    /// Frames that were read out and went nowhere: aborted, replaced, overdue.
    Drops,
}

/// What was seen since the driver began.
#[derive(Debug, Default)]
pub(super) struct Health {
    counts: [u64; 4],
    /// By far the largest part of a device, which is moved as a whole now and then.
    latencies: Box<[Latency; 5]>,
    /// The lights, as far as nothing else remembers them.
    delivery: State,
    disk: State,
    /// What clients were told last, and when.
    told: [State; 5],
    told_at: Option<Duration>,
    /// Something was counted or measured since.
    news: bool,
}

impl Device {
    pub(super) fn count(&mut self, what: Count) {
        self.health.counts[what as usize] += 1;
        self.health.news = true;
    }

    pub(super) fn note_latency(&mut self, step: Step, took: Duration) {
        self.health.latencies[step as usize].note(took);
        self.health.news = true;
    }

    pub(super) fn note_took(&mut self, Took { encode, write }: Took) {
        for (step, took) in [(Step::Encode, encode), (Step::Write, write)] {
            if let Some(took) = took {
                self.note_latency(step, took);
            }
        }
    }

    /// How the last frame went; `None` leaves the light as it is.
    pub(super) fn note_delivery(&mut self, delivered: Option<bool>, stored: Option<bool>) {
        let state = |went: bool| if went { State::Ok } else { State::Alert };
        if let Some(delivered) = delivered {
            self.health.delivery = state(delivered);
        }
        if let Some(stored) = stored {
            self.health.disk = state(stored);
        }
    }

    /// Sees to it that what has changed is told, but not too often.
    pub(super) fn watch_health(&mut self) {
        let changed = self.health.news || self.lights() != self.health.told;
        if changed && !self.timers.is_set(Timer::Health) && self.has(keys::CAMERA_HEALTH.vector()) {
            let next = self.health.told_at.map_or(self.now.elapsed, |told| told + PAUSE);
            self.timers.set(Timer::Health, next.max(self.now.elapsed));
        }
    }

    /// Tells what has changed.
    pub(super) fn tell_health(&mut self) {
        let (lights, counts, latencies) = self.measure_health();
        self.health.told_at = Some(self.now.elapsed);
        self.publish_news(&keys::CAMERA_HEALTH, lights, worst(&lights));
        self.publish_news(&keys::CAMERA_COUNTS, counts, State::Ok);
        self.publish_news(&keys::CAMERA_LATENCY, latencies, State::Ok);
    }

    /// Brings what is about to be defined up to date.
    pub(super) fn prepare_health(&mut self) {
        let (lights, counts, latencies) = self.measure_health();
        self.store.set(&keys::CAMERA_HEALTH, lights);
        self.store.set_state(keys::CAMERA_HEALTH.vector(), worst(&lights));
        self.store.set(&keys::CAMERA_COUNTS, counts);
        self.store.set(&keys::CAMERA_LATENCY, latencies);
    }

    fn measure_health(&mut self) -> ([State; 5], [f64; 4], [f64; 10]) {
        self.health.news = false;
        self.health.told = self.lights();
        let mut latencies = [0.0; 10];
        for (pair, latency) in latencies.chunks_exact_mut(2).zip(self.health.latencies.iter()) {
            pair.copy_from_slice(&latency.percentiles());
        }
        (self.health.told, self.health.counts.map(|count| count as f64), latencies)
    }

    fn lights(&self) -> [State; 5] {
        let sensor = match self.link {
            Link::Off | Link::Parting => State::Idle,
            Link::Opening | Link::Asking => State::Busy,
            Link::On => State::Ok,
            Link::Lost { .. } => State::Alert,
        };
        [sensor, self.cooler_light(), self.health.delivery, self.health.disk, self.server_light()]
    }
}

/// The state of a vector of lights.
pub(super) fn worst(lights: &[State]) -> State {
    let order = [State::Alert, State::Busy, State::Ok];
    order.into_iter().find(|state| lights.contains(state)).unwrap_or(State::Idle)
}
