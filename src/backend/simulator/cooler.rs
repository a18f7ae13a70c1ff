//! A first-order cooler: the sensor follows its goal exponentially, as a small thermoelectric cooler with a
//! well-tuned regulator does. Everything is a function of the time handed in.

use std::time::Duration;

use crate::camera::types::{Celsius, CoolingStatus, Percent};

/// Temperature of the air around the camera, °C; an uncooled sensor sits there.
pub(super) const AMBIENT: Celsius = 20.0;
/// Largest difference to the air that full power can hold, K; 35 to 45 is usual for one-stage coolers.
pub(super) const LARGEST_DROP: f64 = 40.0;
/// The sensor covers 63 % of the way to its goal in this time, s. Real cameras take a minute; nobody wants to wait
/// that long for a simulated one.
const TIME_CONSTANT: f64 = 5.0;
/// Where the cooler regulates to until somebody says otherwise, °C.
const FIRST_TARGET: Celsius = 0.0;
/// Share of the power that pulls the sensor towards its goal, relative to the share that holds it there; above 1
/// the power overshoots while cooling down and settles afterwards.
const PULL: f64 = 2.0;

/// A cooler and the sensor that it cools.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cooler {
    on: bool,
    target: Celsius,
    /// Temperature at the moment of the last change.
    from: Celsius,
    /// That moment.
    since: Duration,
}

impl Cooler {
    /// Switched off and at the temperature of the air.
    pub(super) fn new() -> Self {
        Cooler { on: false, target: FIRST_TARGET, from: AMBIENT, since: Duration::ZERO }
    }

    /// Switches on, towards the last target, or off.
    pub(super) fn switch(&mut self, now: Duration, on: bool) {
        *self = Cooler { on, from: self.temperature(now), since: now, ..*self };
    }

    /// Switches on, towards `target`, which the caller has checked.
    pub(super) fn regulate_to(&mut self, now: Duration, target: Celsius) {
        *self = Cooler { on: true, target, from: self.temperature(now), since: now };
    }

    /// Whether it is on and where it regulates to.
    pub(super) fn status(&self) -> CoolingStatus {
        CoolingStatus { on: self.on, target: Some(self.target) }
    }

    /// Temperature of the sensor at `now`.
    pub(super) fn temperature(&self, now: Duration) -> Celsius {
        let elapsed = now.saturating_sub(self.since).as_secs_f64();
        self.goal() + (self.from - self.goal()) * (-elapsed / TIME_CONSTANT).exp()
    }

    /// Power that the cooler draws at `now`.
    pub(super) fn power(&self, now: Duration) -> Percent {
        if !self.on {
            return 0.0;
        }
        let temperature = self.temperature(now);
        let drop = (AMBIENT - temperature) + PULL * (temperature - self.goal());
        (100.0 * drop / LARGEST_DROP).clamp(0.0, 100.0)
    }

    fn goal(&self) -> Celsius {
        if self.on { self.target } else { AMBIENT }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[track_caller]
    fn close(a: f64, b: f64) {
        assert!((a - b).abs() < 0.01, "{a} is not {b}");
    }

    #[test]
    fn follows_its_target_with_one_time_constant() {
        let mut cooler = Cooler::new();
        close(cooler.temperature(at(100.0)), AMBIENT);
        cooler.regulate_to(at(100.0), -20.0);
        close(cooler.temperature(at(100.0)), AMBIENT);
        close(cooler.temperature(at(105.0)), -20.0 + 40.0 * (-1.0_f64).exp());
        close(cooler.temperature(at(200.0)), -20.0);
        assert_eq!(cooler.status(), CoolingStatus { on: true, target: Some(-20.0) });
    }

    #[test]
    fn a_change_on_the_way_starts_where_the_sensor_is() {
        let mut cooler = Cooler::new();
        cooler.regulate_to(at(0.0), -10.0);
        let half_way = cooler.temperature(at(3.0));
        cooler.switch(at(3.0), false);
        close(cooler.temperature(at(3.0)), half_way);
        close(cooler.temperature(at(8.0)), AMBIENT + (half_way - AMBIENT) * (-1.0_f64).exp());
        cooler.switch(at(60.0), true);
        close(cooler.temperature(at(160.0)), -10.0);
    }

    #[test]
    fn power_peaks_while_cooling_holds_the_difference_and_is_zero_when_off() {
        let mut cooler = Cooler::new();
        close(cooler.power(at(0.0)), 0.0);
        cooler.regulate_to(at(0.0), 10.0);
        close(cooler.power(at(0.0)), 50.0);
        close(cooler.power(at(100.0)), 25.0);
        cooler.regulate_to(at(100.0), -20.0);
        close(cooler.power(at(100.0)), 100.0);
        close(cooler.power(at(200.0)), 100.0);
        // On the way up the regulator eases off, and never heats.
        cooler.regulate_to(at(200.0), 20.0);
        close(cooler.power(at(200.0)), 0.0);
        cooler.switch(at(201.0), false);
        close(cooler.power(at(201.0)), 0.0);
    }
}
