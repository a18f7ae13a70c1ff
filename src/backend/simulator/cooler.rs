//! A cooler and the sensor that it cools, well behaved or as badly as some are. Everything is a function of the time
//! handed in.

use std::time::Duration;

use crate::camera::types::{Celsius, CoolingStatus, Percent, Range};

/// A well-tuned regulator covers 63 % of the way to its goal in this time, s. Real cameras take a minute; nobody wants
/// to wait that long for a simulated one.
const TIME_CONSTANT: f64 = 5.0;
/// How fast a badly tuned regulator swings, rad/s: a period of 16 s.
const FREQUENCY: f64 = 0.4;
/// Damping that passes the goal once, by a quarter of the way.
const OVERSHOOTING: f64 = 0.4;
/// Damping with which it takes two minutes to come to rest.
const RINGING: f64 = 0.08;
/// Share of the way that a cooler gets which is too weak.
const WEAK: f64 = 0.5;
/// Where the cooler regulates to until somebody says otherwise, °C.
const FIRST_TARGET: Celsius = 0.0;
/// Share of the power that pulls the sensor towards its goal, relative to the share that holds it there; above 1
/// the power overshoots while cooling down and settles afterwards.
const PULL: f64 = 2.0;

/// How a cooler does its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Behaviour {
    /// It approaches its target and stays there.
    Steady,
    /// It passes its target once.
    Overshooting,
    /// It swings around its target for minutes.
    Ringing,
    /// It gets half of the way, with full power.
    Weak,
    /// Its thermometer is broken, so nobody knows the temperature and the regulator lets go.
    Blind,
}

/// What a cooler depends on and does not decide.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Conditions {
    /// Temperature of the air around the camera; an uncooled sensor has it too.
    pub(super) ambient: Celsius,
    /// Difference to the air that full power can hold, K; absent without a cooler.
    pub(super) largest_drop: Option<f64>,
    pub(super) behaviour: Behaviour,
}

/// A cooler and the sensor that it cools.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cooler {
    conditions: Conditions,
    on: bool,
    target: Celsius,
    /// Temperature at the moment of the last change, and how fast it changed then, K/s.
    from: (Celsius, f64),
    /// That moment.
    since: Duration,
}

impl Conditions {
    /// The targets that make sense.
    pub(super) fn range(&self) -> Option<Range<Celsius>> {
        let range = |drop| Range { min: self.ambient - drop, max: self.ambient, step: 0.1 };
        self.largest_drop.map(range)
    }

    /// The lowest temperature that the sensor can have.
    fn coldest(&self) -> Celsius {
        self.ambient - self.largest_drop.unwrap_or(0.0)
    }
}

impl Cooler {
    /// Switched off and at the temperature of the air.
    pub(super) fn new(conditions: Conditions) -> Self {
        let from = (conditions.ambient, 0.0);
        Cooler { conditions, on: false, target: FIRST_TARGET, from, since: Duration::ZERO }
    }

    /// As it was found, at the beginning of time.
    pub(super) fn left(conditions: Conditions, cooling: CoolingStatus, temperature: Celsius) -> Self {
        let (on, target) = (cooling.on && conditions.largest_drop.is_some(), cooling.target);
        let target = target.unwrap_or(FIRST_TARGET);
        Cooler { on, target, from: (temperature, 0.0), ..Cooler::new(conditions) }
    }

    /// Has been off and alone for long, so the sensor is as warm as the air.
    pub(super) fn rest(&mut self, conditions: Conditions) {
        *self = Cooler { target: self.target, ..Cooler::new(conditions) };
    }

    /// Works under other conditions from now on.
    pub(super) fn adapt(&mut self, now: Duration, conditions: Conditions) {
        if conditions != self.conditions {
            let on = self.on && conditions.largest_drop.is_some();
            *self = Cooler { conditions, on, ..self.at(now) };
        }
    }

    /// Switches on, towards the last target, or off.
    pub(super) fn switch(&mut self, now: Duration, on: bool) {
        *self = Cooler { on, ..self.at(now) };
    }

    /// Switches on, towards `target`, which the caller has checked.
    pub(super) fn regulate_to(&mut self, now: Duration, target: Celsius) {
        *self = Cooler { on: true, target, ..self.at(now) };
    }

    /// Whether it is on and where it regulates to.
    pub(super) fn status(&self) -> CoolingStatus {
        CoolingStatus { on: self.on, target: Some(self.target) }
    }

    /// Temperature of the sensor at `now`, known or not.
    pub(super) fn temperature(&self, now: Duration) -> Celsius {
        let warmest = self.conditions.ambient.max(self.from.0);
        self.motion(now).0.clamp(self.conditions.coldest().min(self.from.0), warmest)
    }

    /// What the thermometer says, unless it is broken.
    pub(super) fn reading(&self, now: Duration) -> Option<Celsius> {
        (self.conditions.behaviour != Behaviour::Blind).then(|| self.temperature(now))
    }

    /// Power that the cooler draws at `now`.
    pub(super) fn power(&self, now: Duration) -> Percent {
        let Conditions { ambient, largest_drop, behaviour } = self.conditions;
        let Some(drop) = largest_drop.filter(|_| self.on && behaviour != Behaviour::Blind) else {
            return 0.0;
        };
        if behaviour == Behaviour::Weak && self.target < ambient {
            return 100.0;
        }
        let temperature = self.temperature(now);
        let wanted = (ambient - temperature) + PULL * (temperature - self.goal());
        (100.0 * wanted / drop).clamp(0.0, 100.0)
    }

    /// The same, with the present for the moment of the last change.
    fn at(&self, now: Duration) -> Self {
        let (_, speed) = self.motion(now);
        Cooler { from: (self.temperature(now), speed), since: now, ..*self }
    }

    /// Where the regulator leads the sensor.
    fn goal(&self) -> Celsius {
        let Conditions { ambient, behaviour, .. } = self.conditions;
        let target = self.target.max(self.conditions.coldest());
        match behaviour {
            _ if !self.on => ambient,
            Behaviour::Blind => ambient,
            Behaviour::Weak => ambient + WEAK * (target - ambient),
            Behaviour::Steady | Behaviour::Overshooting | Behaviour::Ringing => target,
        }
    }

    /// Temperature and its change in a second, as if nothing limited the power: a regulator of the second order if it
    /// is badly tuned and on, one of the first order else.
    fn motion(&self, now: Duration) -> (Celsius, f64) {
        let seconds = now.saturating_sub(self.since).as_secs_f64();
        let (goal, (from, speed)) = (self.goal(), self.from);
        let distance = from - goal;
        let damping = match self.conditions.behaviour {
            Behaviour::Overshooting if self.on => OVERSHOOTING,
            Behaviour::Ringing if self.on => RINGING,
            _ => {
                let left = distance * libm::exp(-seconds / TIME_CONSTANT);
                return (goal + left, -left / TIME_CONSTANT);
            }
        };
        let swing = FREQUENCY * (1.0 - damping * damping).sqrt();
        let (sine, cosine) = libm::sincos(swing * seconds);
        let decay = libm::exp(-damping * FREQUENCY * seconds);
        let left = distance * cosine + (speed + damping * FREQUENCY * distance) / swing * sine;
        let change =
            speed * cosine - (damping * FREQUENCY * speed + FREQUENCY * FREQUENCY * distance) / swing * sine;
        (goal + decay * left, decay * change)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AMBIENT: Celsius = 20.0;

    fn cooler(behaviour: Behaviour) -> Cooler {
        Cooler::new(Conditions { ambient: AMBIENT, largest_drop: Some(40.0), behaviour })
    }

    fn at(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[track_caller]
    fn close(a: f64, b: f64) {
        assert!((a - b).abs() < 0.01, "{a} is not {b}");
    }

    /// The temperatures of ten minutes, every tenth of a second.
    fn course(cooler: &Cooler) -> Vec<Celsius> {
        (0..6000).map(|tenth| cooler.temperature(at(f64::from(tenth) / 10.0))).collect()
    }

    #[test]
    fn follows_its_target_with_one_time_constant() {
        let mut cooler = cooler(Behaviour::Steady);
        close(cooler.temperature(at(100.0)), AMBIENT);
        cooler.regulate_to(at(100.0), -20.0);
        close(cooler.temperature(at(100.0)), AMBIENT);
        close(cooler.temperature(at(105.0)), -20.0 + 40.0 * (-1.0_f64).exp());
        close(cooler.temperature(at(200.0)), -20.0);
        assert_eq!(cooler.status(), CoolingStatus { on: true, target: Some(-20.0) });
    }

    #[test]
    fn a_change_on_the_way_starts_where_the_sensor_is() {
        for behaviour in [Behaviour::Steady, Behaviour::Overshooting, Behaviour::Ringing] {
            let mut cooler = cooler(behaviour);
            cooler.regulate_to(at(0.0), -10.0);
            let half_way = cooler.temperature(at(3.0));
            cooler.switch(at(3.0), false);
            close(cooler.temperature(at(3.0)), half_way);
            close(cooler.temperature(at(8.0)), AMBIENT + (half_way - AMBIENT) * (-1.0_f64).exp());
            cooler.switch(at(60.0), true);
            close(cooler.temperature(at(660.0)), -10.0);
        }
    }

    #[test]
    fn power_peaks_while_cooling_holds_the_difference_and_is_zero_when_off() {
        let mut cooler = cooler(Behaviour::Steady);
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

    #[test]
    fn an_overshooting_cooler_passes_its_target_once_and_a_ringing_one_many_times() {
        let passes = |behaviour| {
            let mut cooler = cooler(behaviour);
            cooler.regulate_to(at(0.0), 0.0);
            let course = course(&cooler);
            close(course[5999], 0.0);
            assert!(course.iter().all(|t| (-20.0..=AMBIENT).contains(t)));
            // Half a degree beyond counts as passing.
            let beyond = |pair: &&[f64]| pair[0].abs() > 0.5 && pair[1].abs() <= 0.5;
            (course.windows(2).filter(beyond).count(), course.iter().copied().fold(0.0, f64::min))
        };
        let (steady, lowest) = passes(Behaviour::Steady);
        assert!(steady == 1 && lowest > -0.01, "{steady} {lowest}");
        let (overshooting, lowest) = passes(Behaviour::Overshooting);
        assert!((2..=4).contains(&overshooting) && (-6.0..-4.0).contains(&lowest), "{overshooting} {lowest}");
        let (ringing, lowest) = passes(Behaviour::Ringing);
        assert!(ringing > 8 && lowest < -12.0, "{ringing} {lowest}");
    }

    #[test]
    fn a_weak_cooler_stays_half_way_with_full_power() {
        let mut cooler = cooler(Behaviour::Weak);
        cooler.regulate_to(at(0.0), -10.0);
        close(cooler.temperature(at(600.0)), 5.0);
        close(cooler.power(at(600.0)), 100.0);
    }

    #[test]
    fn a_blind_cooler_reads_nothing_and_lets_the_sensor_warm_up() {
        let mut cooler = cooler(Behaviour::Steady);
        cooler.regulate_to(at(0.0), -10.0);
        let conditions = Conditions { behaviour: Behaviour::Blind, ..cooler.conditions };
        cooler.adapt(at(100.0), conditions);
        assert_eq!(cooler.reading(at(101.0)), None);
        assert!(cooler.status().on);
        close(cooler.power(at(101.0)), 0.0);
        close(cooler.temperature(at(100.0)), -10.0);
        close(cooler.temperature(at(200.0)), AMBIENT);
    }

    #[test]
    fn the_air_decides_what_can_be_reached() {
        let mut cooler = cooler(Behaviour::Steady);
        cooler.regulate_to(at(0.0), -20.0);
        cooler.adapt(at(100.0), Conditions { ambient: 30.0, ..cooler.conditions });
        close(cooler.temperature(at(100.0)), -20.0);
        close(cooler.temperature(at(200.0)), -10.0);
        close(cooler.power(at(200.0)), 100.0);
        // Without a cooler the sensor is as warm as the air.
        cooler.adapt(at(200.0), Conditions { largest_drop: None, ..cooler.conditions });
        close(cooler.temperature(at(300.0)), 30.0);
        assert_eq!((cooler.status().on, cooler.conditions.range()), (false, None));
    }
}
