//! Percentiles by nearest rank: always a value that was measured, never one in between.

/// Measured durations in microseconds, in order.
pub(crate) struct Percentiles(Vec<u32>);

impl Percentiles {
    /// Of these measurements, in any order.
    pub(crate) fn of(mut measured: Vec<u32>) -> Percentiles {
        measured.sort_unstable();
        Percentiles(measured)
    }

    /// The smallest measurement that at least this share of all do not exceed, in milliseconds; 0 without any.
    pub(crate) fn milliseconds(&self, share: f64) -> f64 {
        let rank = (share * self.0.len() as f64).ceil() as usize;
        let at = rank.saturating_sub(1).min(self.0.len().saturating_sub(1));
        self.0.get(at).map_or(0.0, |microseconds| f64::from(*microseconds) / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_nearest_rank() {
        let hundred = Percentiles::of((1..=100).rev().map(|n| n * 1000).collect());
        assert_eq!(hundred.milliseconds(0.5), 50.0);
        assert_eq!(hundred.milliseconds(0.9), 90.0);
        assert_eq!(hundred.milliseconds(0.99), 99.0);
        assert_eq!(hundred.milliseconds(0.999), 100.0);
        assert_eq!(hundred.milliseconds(1.0), 100.0);
    }

    #[test]
    fn few_measurements_and_none_have_percentiles_too() {
        assert_eq!(Percentiles::of(vec![]).milliseconds(0.99), 0.0);
        assert_eq!(Percentiles::of(vec![7000]).milliseconds(0.5), 7.0);
        let two = Percentiles::of(vec![1000, 9000]);
        assert_eq!((two.milliseconds(0.5), two.milliseconds(0.51)), (1.0, 9.0));
    }

    #[test]
    fn one_slow_answer_in_a_thousand_is_the_longest_but_not_the_p99_9() {
        let mut measured = vec![1000; 999];
        measured.push(50_000);
        let measured = Percentiles::of(measured);
        assert_eq!(measured.milliseconds(0.999), 1.0);
        assert_eq!(measured.milliseconds(1.0), 50.0);
    }
}
