//! What was read lately, and for how long it counts.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::error::Error;

/// How long something that was read still counts for reads when the table does not answer.
const LAST_KNOWN: Duration = Duration::from_mins(1);
/// How many things are remembered at most.
const MOST: usize = 10_000;

/// Remembers what was read, each thing under its own key.
#[derive(Debug)]
pub(super) struct Known<K, V> {
    fresh: Duration,
    seen: Mutex<HashMap<K, (Instant, V)>>,
}

impl<K: Eq + Hash, V: Clone> Known<K, V> {
    /// Nothing yet; what is read counts for so long without being read again.
    pub(super) fn new(fresh: Duration) -> Self {
        Self {
            fresh,
            seen: Mutex::default(),
        }
    }

    /// What is known, or what reading brings. When reading fails, changes fail with it, and reads go
    /// on with what was last known, for a minute.
    pub(super) async fn or_read(
        &self,
        key: K,
        changes: bool,
        read: impl Future<Output = Result<V, Error>>,
    ) -> Result<V, Error> {
        let last = self.last(&key);
        if let Some((age, value)) = &last
            && *age < self.fresh
        {
            return Ok(value.clone());
        }
        match read.await {
            Ok(value) => {
                self.remember(key, value.clone(), Instant::now());
                Ok(value)
            }
            Err(error) => {
                let usable = last.filter(|(age, _)| !changes && *age < LAST_KNOWN);
                let Some((age, value)) = usable else {
                    return Err(error);
                };
                tracing::warn!(
                    error.code = error.code(),
                    error.chain = error.chain(),
                    age_seconds = age.as_secs(),
                    "who may come in could not be looked up; a read goes on with what was last known"
                );
                Ok(value)
            }
        }
    }

    fn last(&self, key: &K) -> Option<(Duration, V)> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(key)
            .map(|(at, value)| (at.elapsed(), value.clone()))
    }

    fn remember(&self, key: K, value: V, at: Instant) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MOST {
            seen.retain(|_, (at, _)| at.elapsed() < self.fresh);
        }
        if seen.len() < MOST {
            seen.insert(key, (at, value));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Ready, ready};

    use super::*;

    const FRESH: Duration = Duration::from_secs(10);

    /// Something that was read so long ago.
    fn known(age: Duration) -> Known<&'static str, u8> {
        let known = Known::new(FRESH);
        known.remember("a", 1, Instant::now().checked_sub(age).unwrap());
        known
    }

    fn fails() -> Ready<Result<u8, Error>> {
        ready(Err(Error::unavailable("store_unavailable", "away")))
    }

    #[tokio::test]
    async fn what_is_fresh_is_not_read_again_and_what_is_not_is() {
        let fresh = known(Duration::from_secs(9));
        assert_eq!(fresh.or_read("a", true, fails()).await.unwrap(), 1);
        let old = known(FRESH);
        let read = ready(Ok(2));
        assert_eq!(old.or_read("a", true, read).await.unwrap(), 2);
        assert_eq!(old.or_read("a", true, fails()).await.unwrap(), 2);
    }

    #[tokio::test]
    async fn a5_without_the_table_changes_fail_and_reads_go_on_for_a_minute() {
        let old = known(Duration::from_secs(59));
        assert_eq!(old.or_read("a", false, fails()).await.unwrap(), 1);
        assert!(old.or_read("a", true, fails()).await.is_err());
        let too_old = known(LAST_KNOWN);
        assert!(too_old.or_read("a", false, fails()).await.is_err());
        assert!(too_old.or_read("b", false, fails()).await.is_err());
    }

    #[tokio::test]
    async fn memory_is_bounded() {
        let known = Known::new(FRESH);
        for key in 0..=MOST {
            known.remember(key, (), Instant::now());
        }
        assert_eq!(known.seen.lock().unwrap().len(), MOST);
    }
}
