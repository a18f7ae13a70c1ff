//! The way to a temperature as pure arithmetic: a set point that moves with time, and whether the sensor arrives.

use std::time::Duration;

use crate::camera::types::{Celsius, Percent};

/// Set points are whole hundredths of a degree: finer than any camera regulates, and readable.
const GRAINS: f64 = 100.0;
/// A set point so far above the sensor is not followed any more: the cooler has nothing left to ease off, °C.
const LEFT_BEHIND: Celsius = 5.0;
/// A sensor that has not come nearer to its target by [`PROGRESS`] in this time never will.
pub(super) const STALLED_AFTER: Duration = Duration::from_secs(120);
/// Progress that counts, °C.
const PROGRESS: Celsius = 0.1;
/// A sensor so far from the target that it had reached, or so much farther from it than it has been, goes the wrong
/// way, °C: well-tuned coolers overshoot by less.
pub(super) const ADRIFT: Celsius = 2.0;

/// A set point on its way, straight from one temperature to another and never past it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ramp {
    from: Celsius,
    to: Celsius,
    /// °C per minute; 0 is no ramp: all the way at once.
    slope: f64,
    since: Duration,
    /// What the camera was given last.
    given: Celsius,
}

impl Ramp {
    /// From the sensor's present temperature.
    pub(super) fn new(from: Celsius, to: Celsius, slope: f64, now: Duration) -> Ramp {
        let ramp = Ramp { from, to, slope, since: now, given: to };
        Ramp { given: ramp.at(now), ..ramp }
    }

    /// Where the set point is at that time.
    fn at(&self, now: Duration) -> Celsius {
        let way = self.slope / 60.0 * now.saturating_sub(self.since).as_secs_f64();
        if self.slope <= 0.0 || way >= (self.to - self.from).abs() {
            return self.to;
        }
        let exact = self.from + way * (self.to - self.from).signum();
        (exact * GRAINS).round() / GRAINS
    }

    /// Moves on, and says which set point the camera is to be given, if it is another than before.
    pub(super) fn step(&mut self, now: Duration) -> Option<Celsius> {
        let before = self.given;
        self.given = self.at(now);
        ((self.given - before).abs() > 0.5 / GRAINS).then_some(self.given)
    }

    /// Goes on from here with another slope.
    pub(super) fn turn(&mut self, slope: f64, now: Duration) {
        *self = Ramp { from: self.at(now), slope, since: now, ..*self };
    }

    /// Where it leads.
    pub(super) fn target(&self) -> Celsius {
        self.to
    }

    /// What the camera was given last.
    pub(super) fn given(&self) -> Celsius {
        self.given
    }

    /// Whether the camera has been given the target itself.
    pub(super) fn is_over(&self) -> bool {
        (self.given - self.to).abs() <= f64::EPSILON
    }

    /// Whether a sensor that is being warmed up is as warm as its cooler can make it: the end is reached, the cooler
    /// does nothing any more, or the sensor does not follow.
    pub(super) fn is_warm(&self, sensor: Option<Celsius>, power: Option<Percent>) -> bool {
        let behind = sensor.map_or(0.0, |sensor| self.given - sensor);
        self.is_over() || behind >= LEFT_BEHIND || (behind > 0.0 && power.is_some_and(|power| power <= 0.0))
    }
}

/// Where a regulation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// On the way.
    Going,
    /// As cold, or as warm, as asked.
    Arrived,
    /// It will not get there.
    Stalled,
}

/// A sensor on the way to its target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Regulating {
    pub(super) target: Celsius,
    /// The smallest distance so far.
    nearest: Celsius,
    /// The last progress.
    since: Duration,
}

impl Regulating {
    pub(super) fn new(target: Celsius, sensor: Celsius, now: Duration) -> Self {
        Regulating { target, nearest: (sensor - target).abs(), since: now }
    }

    /// Whether a sensor is farther from its target than it has been.
    pub(super) fn strays(&self, sensor: Celsius) -> bool {
        (sensor - self.target).abs() - self.nearest > ADRIFT
    }

    /// Takes a reading. Progress is to come nearer to the target, and on a ramp also to be where the set point is:
    /// a slow ramp moves less than what counts as progress otherwise.
    pub(super) fn judge(
        &mut self,
        sensor: Celsius,
        set_point: Celsius,
        threshold: Celsius,
        now: Duration,
    ) -> Verdict {
        let distance = (sensor - self.target).abs();
        if self.nearest - distance >= PROGRESS {
            (self.nearest, self.since) = (distance, now);
        }
        if (sensor - set_point).abs() <= threshold {
            self.since = now;
        }
        if distance <= threshold {
            Verdict::Arrived
        } else if now.saturating_sub(self.since) >= STALLED_AFTER {
            Verdict::Stalled
        } else {
            Verdict::Going
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[track_caller]
    fn close(a: Option<f64>, b: f64) {
        assert!(a.is_some_and(|a| (a - b).abs() < 1e-9), "{a:?} is not {b}");
    }

    #[test]
    fn a_ramp_begins_where_the_sensor_is_and_moves_evenly_both_ways() {
        let mut down = Ramp::new(20.0, -10.0, 6.0, at(100));
        close(Some(down.given()), 20.0);
        assert_eq!(down.step(at(100)), None);
        close(down.step(at(101)), 19.9);
        close(down.step(at(160)), 14.0);
        let mut up = Ramp::new(-10.0, 20.0, 6.0, at(100));
        close(up.step(at(110)), -9.0);
        assert!(!down.is_over() && !up.is_over());
    }

    #[test]
    fn a_ramp_never_goes_past_its_target() {
        for (from, to) in [(5.0, -4.95), (-4.95, 5.0)] {
            let mut ramp = Ramp::new(from, to, 30.0, at(0));
            assert!(!ramp.is_over());
            close(ramp.step(at(3600)), to);
            assert!(ramp.is_over());
            assert_eq!(ramp.step(at(7200)), None);
        }
    }

    #[test]
    fn without_a_slope_the_set_point_is_the_target_at_once() {
        let ramp = Ramp::new(20.0, -10.0, 0.0, at(0));
        close(Some(ramp.given()), -10.0);
        assert!(ramp.is_over());
    }

    #[test]
    fn a_slow_ramp_is_not_sent_before_it_has_moved() {
        let mut slow = Ramp::new(0.0, -1.0, 0.1, at(0));
        assert_eq!(slow.step(at(1)), None);
        close(slow.step(at(6)), -0.01);
    }

    #[test]
    fn another_slope_goes_on_from_where_the_set_point_is() {
        let mut ramp = Ramp::new(20.0, 0.0, 6.0, at(0));
        ramp.turn(12.0, at(60));
        close(ramp.step(at(60)), 14.0);
        close(ramp.step(at(120)), 2.0);
        ramp.turn(0.0, at(121));
        close(ramp.step(at(121)), 0.0);
        assert!(ramp.is_over());
    }

    #[test]
    fn warm_is_the_end_an_idle_cooler_or_a_sensor_that_stays_behind() {
        let mut ramp = Ramp::new(-10.0, 20.0, 6.0, at(0));
        assert!(!ramp.is_warm(Some(-10.0), Some(0.0)), "it has not moved yet");
        ramp.step(at(30));
        assert!(!ramp.is_warm(Some(-7.5), Some(30.0)));
        assert!(!ramp.is_warm(None, Some(0.0)), "nothing is known of the sensor");
        assert!(ramp.is_warm(Some(-7.5), Some(0.0)));
        assert!(ramp.is_warm(Some(-12.0), None));
        ramp.step(at(300));
        assert!(ramp.is_warm(Some(20.0), Some(30.0)));
    }

    #[test]
    fn a_sensor_strays_that_is_farther_from_its_target_than_it_was() {
        let mut regulating = Regulating::new(-10.0, 0.0, at(0));
        assert!(!regulating.strays(2.0) && regulating.strays(2.1));
        assert_eq!(regulating.judge(-8.0, -10.0, 0.2, at(10)), Verdict::Going);
        assert!(!regulating.strays(-6.1) && regulating.strays(-5.9) && regulating.strays(-14.1));
    }

    #[test]
    fn a_sensor_that_follows_a_slow_ramp_is_not_stalled_and_one_that_does_not_is() {
        let mut regulating = Regulating::new(-10.0, 0.0, at(0));
        // 0.02 °C per minute: in ten minutes 0.2 °C.
        for minute in 0..10_u32 {
            let set_point = -0.02 * f64::from(minute);
            let now = Duration::from_secs(60) * minute;
            assert_eq!(regulating.judge(set_point, set_point, 0.1, now), Verdict::Going);
        }
        assert_eq!(regulating.judge(-0.2, -0.4, 0.1, at(659)), Verdict::Going);
        assert_eq!(regulating.judge(-0.2, -0.4, 0.1, at(660)), Verdict::Stalled);
        assert_eq!(regulating.judge(-9.9, -9.9, 0.11, at(661)), Verdict::Arrived);
    }
}
