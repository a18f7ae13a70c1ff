//! The guide port: pulses that move the telescope, and so the stars, while they last.

use std::time::Duration;

use crate::camera::call::{Arguments, Params};
use crate::camera::error::{CameraError, ErrorKind, Result};

/// Half the speed of the stars, as mounts are usually guided, ″/s.
const RATE: f64 = 7.5;
/// What a pixel sees of the sky, ″; that of the sky's brightness.
const PIXEL: f64 = 2.0;
/// Longest pulse, ms.
const LONGEST: f64 = 60_000.0;

/// One pulse.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pulse {
    /// Index of the image axis along which the stars move.
    axis: usize,
    /// To higher coordinates, or lower.
    forwards: bool,
    length: Duration,
}

impl Pulse {
    /// From the arguments of `pulse_guide`.
    pub(super) fn read(params: &Params) -> Result<Pulse> {
        const CALL: &str = "pulse_guide";
        let arguments = Arguments::of(params);
        let (axis, forwards) = match arguments.text(CALL, "direction")?.as_str() {
            "w" => (0, true),
            "e" => (0, false),
            "n" => (1, true),
            "s" => (1, false),
            other => {
                let detail = format!("direction takes n, s, e or w, not {other}");
                return Err(CameraError::new(ErrorKind::InvalidValue, CALL, detail));
            }
        };
        let milliseconds = arguments.number(CALL, "ms")?;
        if !(0.0..=LONGEST).contains(&milliseconds) {
            let detail = format!("ms takes 0 to {LONGEST}, not {milliseconds}");
            return Err(CameraError::new(ErrorKind::OutOfRange, CALL, detail));
        }
        Ok(Pulse { axis, forwards, length: Duration::from_secs_f64(milliseconds / 1e3) })
    }
}

/// What the pulses have done to the telescope.
#[derive(Debug, Default)]
pub(super) struct Mount {
    /// By axis: the last pulse, and since when it moves the telescope.
    pulses: [Option<(Pulse, Duration)>; 2],
    /// Distance not seen by any exposure yet, ″.
    moved: [f64; 2],
}

impl Mount {
    /// Begins a pulse in place of the one on its axis.
    pub(super) fn guide(&mut self, now: Duration, pulse: Pulse) {
        self.advance(now);
        self.pulses[pulse.axis] = Some((pulse, now));
    }

    /// How far the stars have moved along each axis since the last time, pixels; `None` if not at all.
    pub(super) fn take_shift(&mut self, now: Duration) -> Option<[f64; 2]> {
        self.advance(now);
        let moved = std::mem::take(&mut self.moved);
        moved.iter().any(|way| way.abs() > 0.0).then(|| moved.map(|seconds_of_arc| seconds_of_arc / PIXEL))
    }

    fn advance(&mut self, now: Duration) {
        for slot in &mut self.pulses {
            let Some((pulse, since)) = slot else { continue };
            let moving = now.saturating_sub(*since).min(pulse.length);
            let way = RATE * moving.as_secs_f64();
            self.moved[pulse.axis] += if pulse.forwards { way } else { -way };
            pulse.length -= moving;
            *since = now;
            if pulse.length.is_zero() {
                *slot = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pulse(axis: usize, forwards: bool, seconds: u64) -> Pulse {
        Pulse { axis, forwards, length: Duration::from_secs(seconds) }
    }

    #[track_caller]
    fn shift(mount: &mut Mount, seconds: u64, expected: [f64; 2]) {
        let came = mount.take_shift(Duration::from_secs(seconds)).unwrap_or_default();
        let same = came.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9);
        assert!(same, "{came:?} is not {expected:?}");
    }

    #[test]
    fn the_stars_move_as_long_as_a_pulse_lasts_and_no_longer() {
        let mut mount = Mount::default();
        mount.guide(Duration::from_secs(10), pulse(0, true, 4));
        shift(&mut mount, 11, [3.75, 0.0]);
        shift(&mut mount, 100, [11.25, 0.0]);
        shift(&mut mount, 200, [0.0, 0.0]);
    }

    #[test]
    fn a_new_pulse_replaces_the_one_on_its_axis_only() {
        let mut mount = Mount::default();
        mount.guide(Duration::from_secs(0), pulse(0, true, 4));
        mount.guide(Duration::from_secs(0), pulse(1, false, 4));
        mount.guide(Duration::from_secs(2), pulse(0, false, 1));
        shift(&mut mount, 60, [3.75, -15.0]);
        mount.guide(Duration::from_secs(100), pulse(1, true, 4));
        mount.guide(Duration::from_secs(100), pulse(1, true, 0));
        shift(&mut mount, 200, [0.0, 0.0]);
    }
}
