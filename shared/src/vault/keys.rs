//! The KMS keys of the vault, and data keys in memory: few of them, for a short time, and one call
//! of KMS for all who wait for the same one.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use aws_lc_rs::aead::{AES_256_GCM, RandomizedNonceKey};
use aws_sdk_kms::primitives::Blob;
use zeroize::Zeroize;

use super::VaultError;
use crate::config::Env;

/// How long a data key stays in memory.
const LIFE: Duration = Duration::from_mins(5);
/// How many texts one data key seals before a new one is made.
const USES: u32 = 10_000;
/// How many data keys stay in memory; one more sends away the one that was used longest ago.
pub(super) const ENTRIES: usize = 1_000;

/// Which KMS keys wrap data keys.
///
/// A rotation inside one KMS key (the automatic one) changes nothing here: KMS keeps the old
/// material, and the ARN stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VaultKeys {
    /// `DATA_KEY_ARN`: wraps every new data key.
    pub current: String,
    /// `PREVIOUS_DATA_KEY_ARNS`: still open what they wrapped. No other key opens anything, whatever
    /// a stored text says.
    pub previous: Vec<String>,
}

impl VaultKeys {
    /// Reads the two variables.
    pub fn from_env(env: &mut Env) -> Self {
        Self {
            current: env.required("DATA_KEY_ARN"),
            previous: env.optional_list("PREVIOUS_DATA_KEY_ARNS"),
        }
    }

    /// The keys that may have wrapped a text's data key: the one that it names, or, for texts from
    /// before keys were named, each of ours.
    pub(super) fn for_opening<'a>(&'a self, named: Option<&str>) -> Vec<&'a str> {
        std::iter::once(&self.current)
            .chain(&self.previous)
            .filter(|ours| named.is_none_or(|named| named == ours.as_str()))
            .map(String::as_str)
            .collect()
    }
}

impl From<String> for VaultKeys {
    fn from(current: String) -> Self {
        Self {
            current,
            previous: Vec::new(),
        }
    }
}

/// A data key. aws-lc overwrites its key schedule when it is freed.
pub(super) struct DataKey {
    pub(super) key: RandomizedNonceKey,
    /// As KMS wrapped it.
    pub(super) wrapped: String,
    /// When KMS made it, epoch seconds; known only to who had it made.
    pub(super) made_at: Option<i64>,
}

impl DataKey {
    /// A data key from KMS's answer, whose plaintext is overwritten.
    pub(super) fn new(
        plaintext: Option<Blob>,
        wrapped: String,
        made_at: Option<i64>,
    ) -> Result<Self, VaultError> {
        let mut plain = plaintext.map(Blob::into_inner).unwrap_or_default();
        let key = RandomizedNonceKey::new(&AES_256_GCM, &plain);
        plain.zeroize();
        Ok(Self {
            key: key.map_err(|_| VaultError::DoesNotOpen)?,
            wrapped,
            made_at,
        })
    }
}

/// What became of the call for a data key.
enum State {
    Asked,
    Here(Arc<DataKey>),
    Failed(VaultError),
}

type Waiting = Arc<tokio::sync::Mutex<State>>;

struct Entry {
    state: Waiting,
    begun: Instant,
    uses: u32,
    used_last: u64,
}

struct Entries<K> {
    by_key: HashMap<K, Entry>,
    clock: u64,
}

/// Data keys in memory.
pub(super) struct DataKeys<K> {
    entries: Mutex<Entries<K>>,
    most: usize,
}

impl<K> DataKeys<K> {
    pub(super) fn new(most: usize) -> Self {
        Self {
            entries: Mutex::new(Entries {
                by_key: HashMap::new(),
                clock: 0,
            }),
            most,
        }
    }
}

impl<K: Hash + Eq + Clone> DataKeys<K> {
    /// The data key that is here, or the one that `ask` brings. Who comes while it is asked for
    /// waits and shares the answer, a failure too: KMS is asked once.
    pub(super) async fn get<F>(&self, at: K, ask: F) -> Result<Arc<DataKey>, VaultError>
    where
        F: Future<Output = Result<DataKey, VaultError>>,
    {
        let waiting = self.entry(&at);
        let mut state = waiting.lock().await;
        match &*state {
            State::Here(key) => return Ok(Arc::clone(key)),
            State::Failed(error) => return Err(error.clone()),
            State::Asked => {}
        }
        match ask.await {
            Ok(key) => {
                let key = Arc::new(key);
                *state = State::Here(Arc::clone(&key));
                Ok(key)
            }
            Err(error) => {
                *state = State::Failed(error.clone());
                // Who comes from now on asks again.
                self.forget(&at, &waiting);
                Err(error)
            }
        }
    }

    fn entry(&self, at: &K) -> Waiting {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.clock += 1;
        let now = entries.clock;
        if let Some(entry) = entries.by_key.get_mut(at)
            && entry.begun.elapsed() < LIFE
            && entry.uses < USES
        {
            entry.uses += 1;
            entry.used_last = now;
            return Arc::clone(&entry.state);
        }
        if entries.by_key.len() >= self.most {
            entries
                .by_key
                .retain(|_, entry| entry.begun.elapsed() < LIFE);
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
        let state = Arc::new(tokio::sync::Mutex::new(State::Asked));
        let entry = Entry {
            state: Arc::clone(&state),
            begun: Instant::now(),
            uses: 1,
            used_last: now,
        };
        entries.by_key.insert(at.clone(), entry);
        state
    }

    fn forget(&self, at: &K, failed: &Waiting) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries
            .by_key
            .get(at)
            .is_some_and(|entry| Arc::ptr_eq(&entry.state, failed))
        {
            entries.by_key.remove(at);
        }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.entries.lock().unwrap().by_key.len()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn made() -> Result<DataKey, VaultError> {
        DataKey::new(Some(Blob::new([7; 32])), "wrapped".to_owned(), Some(0))
    }

    #[tokio::test]
    async fn who_comes_while_a_key_is_asked_for_shares_it() {
        let keys = DataKeys::new(10);
        let asked = AtomicU32::new(0);
        let ask = || async {
            asked.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            made()
        };
        let (a, b, c) = tokio::join!(
            keys.get("ten", ask()),
            keys.get("ten", ask()),
            keys.get("ten", ask())
        );
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        let (a, b, c) = (a.unwrap(), b.unwrap(), c.unwrap());
        assert!(Arc::ptr_eq(&a, &b) && Arc::ptr_eq(&b, &c));
    }

    #[tokio::test]
    async fn a_failure_is_shared_by_who_waited_and_by_nobody_after() {
        let keys = DataKeys::new(10);
        let asked = AtomicU32::new(0);
        let ask = || async {
            asked.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            Err(VaultError::DoesNotOpen)
        };
        let (a, b) = tokio::join!(keys.get("ten", ask()), keys.get("ten", ask()));
        assert!(a.is_err() && b.is_err());
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        assert!(keys.get("ten", async { made() }).await.is_ok());
    }

    #[tokio::test]
    async fn ten_thousand_tenants_leave_no_more_keys_than_allowed_and_the_used_ones_stay() {
        let keys = DataKeys::new(100);
        for tenant in 0..10_000_u32 {
            keys.get(tenant, async { made() }).await.unwrap();
            if tenant % 4 == 0 {
                keys.get(0, async { made() }).await.unwrap();
            }
        }
        assert_eq!(keys.len(), 100);
        let again = keys.get(0, async { Err(VaultError::DoesNotOpen) }).await;
        assert!(again.is_ok(), "the busiest was not sent away");
    }

    #[tokio::test]
    async fn a_data_key_is_replaced_after_so_many_uses() {
        let keys = DataKeys::new(2);
        let first = keys.get(1, async { made() }).await.unwrap();
        for _ in 1..USES {
            assert!(Arc::ptr_eq(
                &first,
                &keys.get(1, async { made() }).await.unwrap()
            ));
        }
        assert!(!Arc::ptr_eq(
            &first,
            &keys.get(1, async { made() }).await.unwrap()
        ));
    }

    #[test]
    fn t5_a_text_opens_with_the_key_that_it_names_if_that_is_one_of_ours() {
        let keys = VaultKeys {
            current: "new".to_owned(),
            previous: vec!["old".to_owned()],
        };
        assert_eq!(keys.for_opening(Some("new")), ["new"]);
        assert_eq!(keys.for_opening(Some("old")), ["old"]);
        assert_eq!(keys.for_opening(Some("foreign")), Vec::<&str>::new());
        assert_eq!(keys.for_opening(None), ["new", "old"]);
    }
}
