//! What a provider counts.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use serde::Serialize;

/// What a provider has seen so far.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProviderCounters {
    /// Calls of the token endpoint by grant type, those that met trouble too; `none` without one.
    pub token_calls: BTreeMap<String, u64>,
    /// Codes that were traded.
    pub exchanged: u64,
    /// Refreshes that gave out tokens.
    pub refreshed: u64,
    /// Refresh tokens that came again after they were replaced. Must stay 0 wherever tokens rotate.
    pub double_uses: u64,
    /// Grants that such a replay ended.
    pub families_revoked: u64,
    /// Codes that came again.
    pub refused_codes: u64,
    /// Requests with an unknown client or a wrong secret.
    pub refused_clients: u64,
    /// Token requests with a secret in the URL, all refused.
    pub secret_in_url: u64,
    /// Requests beyond the rate limit, all refused.
    pub rate_violations: u64,
    /// Most calls of the token endpoint within a second of real time.
    pub most_calls_in_a_second: usize,
    /// Requests to the API.
    pub api_calls: u64,
    /// Those of them without a good token.
    pub api_refused: u64,
    /// Grants that an app revoked.
    pub revocations: u64,
}

/// Calls within the last second.
#[derive(Debug, Default)]
pub(super) struct Pace(VecDeque<Instant>);

impl Pace {
    /// Notes a call; tells how many there were within the second that ends with it.
    pub(super) fn call(&mut self, now: Instant) -> usize {
        while self
            .0
            .front()
            .is_some_and(|first| now.duration_since(*first) >= Duration::from_secs(1))
        {
            self.0.pop_front();
        }
        self.0.push_back(now);
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_one_second_count_together() {
        let mut pace = Pace::default();
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        assert_eq!(pace.call(at(0)), 1);
        assert_eq!(pace.call(at(999)), 2);
        assert_eq!(pace.call(at(1000)), 2);
        assert_eq!(pace.call(at(5000)), 1);
    }
}
