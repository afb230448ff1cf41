//! Percentiles by nearest rank: always a time that was measured.

use std::time::Duration;

/// Measured times, sorted.
#[derive(Debug)]
pub(super) struct Times(Vec<Duration>);

impl Times {
    pub(super) fn new(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    /// The smallest time that `percent` of all do not exceed; zero of nothing.
    pub(super) fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.0.len() * percent).div_ceil(100).max(1);
        let last = self.0.len().saturating_sub(1);
        let found = self.0.get((rank - 1).min(last));
        found.copied().unwrap_or_default()
    }

    pub(super) fn median(&self) -> Duration {
        self.percentile(50)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(millis: impl IntoIterator<Item = u64>) -> Times {
        Times::new(millis.into_iter().map(Duration::from_millis).collect())
    }

    #[test]
    fn a_percentile_is_the_time_of_nearest_rank() {
        let hundred = times((1..=100).rev());
        for percent in [1, 50, 99, 100] {
            let expected = Duration::from_millis(percent as u64);
            assert_eq!(hundred.percentile(percent), expected, "p{percent}");
        }
        let five = times([40, 15, 50, 35, 20]);
        let found: Vec<u128> = [5, 30, 40, 50, 99]
            .map(|percent| five.percentile(percent).as_millis())
            .to_vec();
        assert_eq!(found, [15, 20, 20, 35, 50]);
    }

    #[test]
    fn one_time_is_every_percentile_and_none_is_zero() {
        assert_eq!(times([7]).median(), Duration::from_millis(7));
        assert_eq!(times([7]).percentile(99), Duration::from_millis(7));
        assert_eq!(times([]).percentile(99), Duration::ZERO);
        assert_eq!(times([3, 9]).percentile(0), Duration::from_millis(3));
    }
}
