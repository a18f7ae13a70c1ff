//! The mount: how far it strays from where it should point, by pulses through the guide port and by itself.

use std::f64::consts::TAU;
use std::time::Duration;

use crate::camera::call::{Arguments, Direction, Params};
use crate::camera::error::Result;

/// The function that moves it.
pub(super) const CALL: &str = "pulse_guide";

/// A pointing that changes by more than this, ″, was meant: the telescope has been sent somewhere else, or has been
/// told where it is.
const SENT: f64 = 20.0;

/// One pulse.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pulse {
    /// 0 moves the telescope in right ascension, 1 in declination.
    axis: usize,
    /// To higher coordinates, or lower.
    forwards: bool,
    length: Duration,
}

/// How a mount tracks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Tracking {
    /// Right ascension and declination, ″/s.
    pub(super) drift: [f64; 2],
    /// Of the error of the worm, ″ to each side in right ascension.
    pub(super) amplitude: f64,
    /// A turn of the worm, s.
    pub(super) period: f64,
    /// Speed of a pulse, ″/s.
    pub(super) guide_rate: f64,
}

impl Pulse {
    /// From the arguments of `pulse_guide`.
    pub(super) fn read(params: &Params) -> Result<Pulse> {
        let (direction, length) = Arguments::of(params).pulse(CALL)?;
        let (axis, forwards) = match direction {
            Direction::West => (0, false),
            Direction::East => (0, true),
            Direction::North => (1, true),
            Direction::South => (1, false),
        };
        Ok(Pulse { axis, forwards, length })
    }

    /// How far it moves the telescope in a time, in units of the guide rate.
    fn way(&self, time: Duration) -> f64 {
        let way = time.min(self.length).as_secs_f64();
        if self.forwards { way } else { -way }
    }
}

/// What has become of the pointing since the telescope was sent there.
#[derive(Debug)]
pub(super) struct Mount {
    tracking: Tracking,
    /// Until when everything is in `strayed`.
    now: Duration,
    /// When the worm began to turn.
    began: Duration,
    /// By axis: the last pulse, and since when it moves the telescope.
    pulses: [Option<(Pulse, Duration)>; 2],
    /// In right ascension and declination, ″; without the error of the worm, which comes and goes.
    strayed: [f64; 2],
    /// Where it was sent, as other devices say; degrees.
    pointing: Option<(f64, f64)>,
}

impl Mount {
    /// A mount that begins to track now.
    pub(super) fn new(now: Duration, tracking: Tracking) -> Self {
        Mount { tracking, now, began: now, pulses: [None; 2], strayed: [0.0; 2], pointing: None }
    }

    /// Begins a pulse in place of the one on its axis.
    pub(super) fn guide(&mut self, now: Duration, pulse: Pulse) {
        self.advance(now);
        self.pulses[pulse.axis] = Some((pulse, now));
    }

    /// Tracks in another way from now on.
    pub(super) fn track(&mut self, now: Duration, tracking: Tracking) {
        self.advance(now);
        self.tracking = tracking;
    }

    /// Hears where it points. Sent somewhere else, it points there exactly.
    pub(super) fn point(&mut self, now: Duration, pointing: Option<(f64, f64)>) {
        self.advance(now);
        let sent = match (self.pointing, pointing) {
            (Some(before), Some(now)) => separation(before, now) > SENT,
            (before, now) => before.is_some() != now.is_some(),
        };
        if sent {
            self.strayed = [0.0; 2];
        }
        self.pointing = pointing;
    }

    /// How far it has strayed by then in right ascension and declination, ″, if nobody does anything more.
    pub(super) fn strayed(&self, at: Duration) -> [f64; 2] {
        let Tracking { drift, amplitude, period, guide_rate } = self.tracking;
        let later = at.saturating_sub(self.now).as_secs_f64();
        let turns = at.saturating_sub(self.began).as_secs_f64() / period;
        let worm = [amplitude * libm::sin(TAU * turns), 0.0];
        std::array::from_fn(|axis| {
            let pulse = self.pulses[axis].map_or(0.0, |(pulse, since)| pulse.way(at.saturating_sub(since)));
            self.strayed[axis] + drift[axis] * later + guide_rate * pulse + worm[axis]
        })
    }

    /// Takes into account all that has happened until now.
    fn advance(&mut self, now: Duration) {
        let later = now.saturating_sub(self.now).as_secs_f64();
        for axis in 0..2 {
            self.strayed[axis] += self.tracking.drift[axis] * later;
            let Some((pulse, since)) = &mut self.pulses[axis] else { continue };
            let moving = now.saturating_sub(*since).min(pulse.length);
            self.strayed[axis] += self.tracking.guide_rate * pulse.way(moving);
            pulse.length -= moving;
            *since = now;
            if pulse.length.is_zero() {
                self.pulses[axis] = None;
            }
        }
        self.now = now;
    }
}

/// Between two places on the sky in degrees: ″, good enough for small ones.
fn separation((ra, dec): (f64, f64), (other_ra, other_dec): (f64, f64)) -> f64 {
    let turn = (other_ra - ra + 180.0).rem_euclid(360.0) - 180.0;
    libm::hypot(turn * libm::cos(dec.to_radians()), other_dec - dec) * 3600.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const STILL: Tracking = Tracking { drift: [0.0; 2], amplitude: 0.0, period: 480.0, guide_rate: 7.5 };

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn pulse(axis: usize, forwards: bool, seconds: u64) -> Pulse {
        Pulse { axis, forwards, length: at(seconds) }
    }

    #[track_caller]
    fn strayed(mount: &Mount, seconds: u64, expected: [f64; 2]) {
        let way = mount.strayed(at(seconds));
        let same = way.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9);
        assert!(same, "{way:?} is not {expected:?}");
    }

    #[test]
    fn the_telescope_moves_as_long_as_a_pulse_lasts_and_no_longer() {
        let mut mount = Mount::new(at(0), STILL);
        mount.guide(at(10), pulse(0, true, 4));
        strayed(&mount, 11, [7.5, 0.0]);
        strayed(&mount, 100, [30.0, 0.0]);
        mount.track(at(12), STILL);
        strayed(&mount, 13, [22.5, 0.0]);
        strayed(&mount, 200, [30.0, 0.0]);
    }

    #[test]
    fn a_new_pulse_replaces_the_one_on_its_axis_only() {
        let mut mount = Mount::new(at(0), STILL);
        mount.guide(at(0), pulse(0, true, 4));
        mount.guide(at(0), pulse(1, false, 4));
        mount.guide(at(2), pulse(0, false, 1));
        strayed(&mount, 60, [7.5, -30.0]);
        mount.guide(at(100), pulse(1, true, 4));
        mount.guide(at(100), pulse(1, true, 0));
        strayed(&mount, 200, [7.5, -30.0]);
    }

    #[test]
    fn west_and_south_are_lower_coordinates() {
        let way = |direction: &str| {
            let text = crate::camera::types::Value::Text(direction.to_owned());
            let number = crate::camera::types::Value::Number(1000.0);
            let params = vec![("direction".to_owned(), text), ("ms".to_owned(), number)];
            let mut mount = Mount::new(at(0), STILL);
            mount.guide(at(0), Pulse::read(&params).unwrap());
            mount.strayed(at(1)).map(|way| way.total_cmp(&0.0) as i32)
        };
        assert_eq!(["e", "w", "n", "s"].map(way), [[1, 0], [-1, 0], [0, 1], [0, -1]]);
    }

    #[test]
    fn a_bad_mount_drifts_and_its_worm_turns() {
        let bad = Tracking { drift: [0.5, -0.25], amplitude: 8.0, period: 400.0, ..STILL };
        let mut mount = Mount::new(at(0), bad);
        strayed(&mount, 100, [58.0, -25.0]);
        strayed(&mount, 200, [100.0, -50.0]);
        strayed(&mount, 300, [142.0, -75.0]);
        mount.track(at(200), STILL);
        strayed(&mount, 1000, [100.0, -50.0]);
    }

    #[test]
    fn sent_elsewhere_it_points_there_exactly() {
        let mut mount = Mount::new(at(0), Tracking { drift: [1.0, 0.0], ..STILL });
        mount.point(at(100), Some((359.999, 60.0)));
        strayed(&mount, 100, [0.0, 0.0]);
        // The same place by a mount that knows it a little better.
        mount.point(at(200), Some((0.001, 60.0)));
        strayed(&mount, 200, [100.0, 0.0]);
        mount.point(at(200), Some((0.1, 60.0)));
        strayed(&mount, 200, [0.0, 0.0]);
        mount.point(at(300), None);
        strayed(&mount, 300, [0.0, 0.0]);
    }
}
