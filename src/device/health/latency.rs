//! How long something took lately, as percentiles: pure arithmetic in memory of a fixed size.

use std::time::Duration;

/// Times that are remembered.
const KEPT: usize = 128;
/// Milliseconds are told in tenths: what differs by less is no news.
const GRAINS: f64 = 10.0;

/// The last [`KEPT`] times that something took. Noting one and asking for a percentile allocate nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Latency {
    /// Milliseconds, in no order after the first round.
    kept: [f32; KEPT],
    /// How many there ever were.
    seen: usize,
}

impl Default for Latency {
    fn default() -> Self {
        Latency { kept: [0.0; KEPT], seen: 0 }
    }
}

impl Latency {
    pub(super) fn note(&mut self, took: Duration) {
        self.kept[self.seen % KEPT] = took.as_secs_f32() * 1e3;
        self.seen = self.seen.wrapping_add(1);
    }

    /// Milliseconds that half of them did not exceed, and 99 of 100; 0 as long as there are none.
    pub(super) fn percentiles(&self) -> [f64; 2] {
        let count = self.seen.min(KEPT);
        let mut sorted = self.kept;
        let sorted = &mut sorted[..count];
        sorted.sort_unstable_by(f32::total_cmp);
        // The nearest rank: the smallest of them that so many do not exceed.
        let at = |percent: usize| match (count * percent).div_ceil(100).checked_sub(1) {
            Some(rank) => (f64::from(sorted[rank]) * GRAINS).round() / GRAINS,
            None => 0.0,
        };
        [at(50), at(99)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn is(latency: &Latency, [half, most]: [f64; 2]) {
        let [p50, p99] = latency.percentiles();
        assert!((p50 - half).abs() < 0.06 && (p99 - most).abs() < 0.06, "{p50} {p99}");
    }

    fn of(milliseconds: impl IntoIterator<Item = u64>) -> Latency {
        let mut latency = Latency::default();
        milliseconds.into_iter().for_each(|took| latency.note(Duration::from_millis(took)));
        latency
    }

    #[test]
    fn nothing_took_no_time_and_one_took_what_it_took() {
        is(&of([]), [0.0, 0.0]);
        is(&of([7]), [7.0, 7.0]);
    }

    #[test]
    fn percentiles_are_values_that_so_many_do_not_exceed_in_any_order() {
        is(&of(1..=100), [50.0, 99.0]);
        is(&of((1..=100).rev()), [50.0, 99.0]);
        is(&of([1, 1, 1, 900]), [1.0, 900.0]);
    }

    #[test]
    fn what_is_long_ago_does_not_count() {
        is(&of((0..128).map(|_| 5000).chain((0..128).map(|_| 3))), [3.0, 3.0]);
        is(&of((0..128).map(|_| 3).chain([5000, 5000])), [3.0, 5000.0]);
    }

    #[test]
    fn values_are_told_in_tenths_of_a_millisecond() {
        let mut latency = Latency::default();
        latency.note(Duration::from_micros(1234));
        assert_eq!(latency.percentiles()[0].to_string(), "1.2");
    }
}
