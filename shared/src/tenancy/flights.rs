//! What was assumed and is still good: one call of STS for all who wait for the same session, few
//! sessions in memory, and a refusal that is remembered for a moment.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::OnceCell;

use super::assumed::AssumeError;

/// Sessions this close to their end are not handed out any more.
const MARGIN: SignedDuration = SignedDuration::from_mins(5);
/// How long a refusal is remembered, so that a broken role is not asked in a loop.
const REFUSAL_MEMORY: Duration = Duration::from_secs(10);
/// How many sessions stay in memory; one more sends away the one that was used longest ago.
pub(super) const ENTRIES: usize = 500;

/// What a flight brought back: something with its end, or a refusal with its time.
type Landed<V> = Result<(V, Timestamp), (AssumeError, Instant)>;
type Flight<V> = Arc<OnceCell<Landed<V>>>;

#[derive(Debug)]
struct Entry<V> {
    flight: Flight<V>,
    used_last: u64,
}

#[derive(Debug)]
struct Entries<K, V> {
    by_key: HashMap<K, Entry<V>>,
    clock: u64,
}

/// Sessions in memory, by what they were assumed for.
#[derive(Debug)]
pub(super) struct Flights<K, V> {
    entries: Mutex<Entries<K, V>>,
    most: usize,
}

impl<K: Hash + Eq + Clone, V: Clone> Flights<K, V> {
    pub(super) fn new(most: usize) -> Self {
        Self {
            entries: Mutex::new(Entries {
                by_key: HashMap::new(),
                clock: 0,
            }),
            most,
        }
    }

    /// The session that is here, or the one that `assume` brings, with its end. Who comes while it
    /// is under way waits and shares the outcome.
    pub(super) async fn get<F>(&self, key: &K, assume: F) -> Result<V, AssumeError>
    where
        F: Future<Output = Result<(V, Timestamp), AssumeError>>,
    {
        let flight = self.flight(key);
        let landed = flight
            .get_or_init(|| async { assume.await.map_err(|error| (error, Instant::now())) })
            .await;
        match landed {
            Ok((value, _)) => Ok(value.clone()),
            Err((error, _)) => Err(error.clone()),
        }
    }

    fn flight(&self, key: &K) -> Flight<V> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.clock += 1;
        let used_last = entries.clock;
        if let Some(entry) = entries.by_key.get_mut(key)
            && is_good(&entry.flight)
        {
            entry.used_last = used_last;
            return Arc::clone(&entry.flight);
        }
        if entries.by_key.len() >= self.most {
            entries.by_key.retain(|_, entry| is_good(&entry.flight));
        }
        if entries.by_key.len() >= self.most
            && let Some(oldest) = entries
                .by_key
                .iter()
                .min_by_key(|(_, entry)| entry.used_last)
                .map(|(key, _)| key.clone())
        {
            entries.by_key.remove(&oldest);
        }
        let flight = Flight::default();
        let entry = Entry {
            flight: Arc::clone(&flight),
            used_last,
        };
        entries.by_key.insert(key.clone(), entry);
        flight
    }
}

/// Whether what landed may still be handed out; what is under way may.
fn is_good<V>(flight: &Flight<V>) -> bool {
    match flight.get() {
        Some(Ok((_, expires))) => expires.duration_since(Timestamp::now()) > MARGIN,
        // No answer is no refusal: who comes next asks again.
        Some(Err((AssumeError::Unknown(refusal), _))) if !refusal.is_throttle() => false,
        Some(Err((_, refused))) => refused.elapsed() < REFUSAL_MEMORY,
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::aws::Refusal;

    fn in_minutes(minutes: i64) -> Timestamp {
        Timestamp::now() + SignedDuration::from_mins(minutes)
    }

    #[tokio::test]
    async fn who_comes_while_a_session_is_assumed_shares_it() {
        let flights = Flights::new(10);
        let asked = AtomicU32::new(0);
        let assume = || async {
            tokio::task::yield_now().await;
            Ok((asked.fetch_add(1, Ordering::SeqCst), in_minutes(60)))
        };
        let (a, b) = tokio::join!(flights.get(&"ten", assume()), flights.get(&"ten", assume()));
        assert_eq!((a.unwrap(), b.unwrap()), (0, 0));
        assert_eq!(flights.get(&"ten", assume()).await.unwrap(), 0);
        assert_eq!(flights.get(&"other", assume()).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_session_is_renewed_five_minutes_before_its_end() {
        let flights = Flights::new(10);
        let until = |minutes, value| async move { Ok((value, in_minutes(minutes))) };
        assert_eq!(flights.get(&1, until(4, "first")).await.unwrap(), "first");
        assert_eq!(flights.get(&1, until(6, "second")).await.unwrap(), "second");
        assert_eq!(flights.get(&1, until(60, "third")).await.unwrap(), "second");
    }

    #[tokio::test]
    async fn a_refusal_is_remembered_for_a_moment() {
        let flights: Flights<_, u8> = Flights::new(10);
        let refused = flights.get(&1, async { Err(AssumeError::Empty) }).await;
        assert!(refused.is_err());
        let asked_at_once = flights.get(&1, async { Ok((7, in_minutes(60))) }).await;
        assert!(asked_at_once.is_err(), "STS is not asked in a loop");
    }

    #[tokio::test]
    async fn an_answer_that_did_not_come_is_asked_for_again() {
        let flights: Flights<_, u8> = Flights::new(10);
        let refusal = |status| Refusal {
            code: None,
            message: None,
            status,
            request_id: None,
        };
        for (status, is_remembered) in [(None, false), (Some(500), false), (Some(503), true)] {
            let lost = async { Err(AssumeError::Unknown(refusal(status))) };
            assert!(flights.get(&status, lost).await.is_err());
            let again = flights
                .get(&status, async { Ok((7, in_minutes(60))) })
                .await;
            assert_eq!(again.is_err(), is_remembered, "{status:?}");
        }
    }

    #[tokio::test]
    async fn ten_thousand_tenants_leave_no_more_sessions_than_allowed_and_the_used_ones_stay() {
        let flights = Flights::new(100);
        for tenant in 0..10_000_u32 {
            flights
                .get(&tenant, async { Ok((tenant, in_minutes(60))) })
                .await
                .unwrap();
            if tenant % 4 == 0 {
                flights
                    .get(&0, async { Err(AssumeError::Empty) })
                    .await
                    .unwrap();
            }
        }
        assert_eq!(flights.entries.lock().unwrap().by_key.len(), 100);
    }
}
