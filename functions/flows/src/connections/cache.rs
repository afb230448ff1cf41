//! What applications said about themselves, kept for minutes in this process.
//!
//! The key always begins with the tenant: nothing is shared between tenants, even where the answer
//! would be the same. Bounded in entries and bytes; the oldest go first.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};

/// How long an answer is taken from here.
pub(crate) const LIFETIME: SignedDuration = SignedDuration::from_mins(5);
/// Most answers that are kept.
const ENTRIES: usize = 512;
/// Most bytes that are kept, about.
const BYTES: usize = 16 * 1024 * 1024;

/// Something with the time since which it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known<V> {
    /// What is known.
    pub(crate) value: V,
    /// Since when.
    pub(crate) since: Timestamp,
}

/// A bounded cache.
#[derive(Debug)]
pub(crate) struct Cache<K, V>(Mutex<Kept<K, V>>);

#[derive(Debug)]
struct Kept<K, V> {
    entries: HashMap<K, (Known<V>, usize)>,
    bytes: usize,
}

impl<K, V> Default for Cache<K, V> {
    fn default() -> Self {
        Self(Mutex::new(Kept {
            entries: HashMap::new(),
            bytes: 0,
        }))
    }
}

impl<K: Hash + Eq + Clone, V: Clone> Cache<K, V> {
    /// What is known and not too old.
    pub(crate) fn get(&self, key: &K, now: Timestamp) -> Option<Known<V>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, _) = kept.entries.get(key)?;
        (now.duration_since(known.since) < LIFETIME).then(|| known.clone())
    }

    /// Keeps an answer of about so many bytes. One that alone is too large is not kept.
    pub(crate) fn put(&self, key: K, value: V, bytes: usize, now: Timestamp) -> Known<V> {
        let known = Known { value, since: now };
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.remove(&key);
        if bytes <= BYTES {
            kept.bytes += bytes;
            kept.entries.insert(key, (known.clone(), bytes));
            kept.shrink(now);
        }
        known
    }

    /// Forgets every answer whose key is meant.
    pub(crate) fn forget(&self, is_meant: impl Fn(&K) -> bool) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.keep(|key, _| !is_meant(key));
    }
}

impl<K: Hash + Eq + Clone, V> Kept<K, V> {
    fn remove(&mut self, key: &K) {
        if let Some((_, bytes)) = self.entries.remove(key) {
            self.bytes -= bytes;
        }
    }

    fn keep(&mut self, stays: impl Fn(&K, &Known<V>) -> bool) {
        let mut freed = 0;
        self.entries.retain(|key, (known, bytes)| {
            let stays = stays(key, known);
            freed += if stays { 0 } else { *bytes };
            stays
        });
        self.bytes -= freed;
    }

    fn shrink(&mut self, now: Timestamp) {
        if self.entries.len() <= ENTRIES && self.bytes <= BYTES {
            return;
        }
        self.keep(|_, known| now.duration_since(known.since) < LIFETIME);
        while self.entries.len() > ENTRIES || self.bytes > BYTES {
            let oldest = self
                .entries
                .iter()
                .min_by_key(|(_, (known, _))| known.since);
            let Some(key) = oldest.map(|(key, _)| key.clone()) else {
                return;
            };
            self.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn f12_an_answer_is_kept_for_five_minutes() {
        let cache = Cache::default();
        cache.put("fields", 1, 10, at(0));
        let known = cache.get(&"fields", at(299)).unwrap();
        assert_eq!((known.value, known.since), (1, at(0)));
        assert_eq!(cache.get(&"fields", at(300)), None);
        assert_eq!(cache.get(&"others", at(1)), None);
    }

    #[test]
    fn it_stays_within_its_entries_and_bytes_and_the_oldest_go_first() {
        let cache = Cache::default();
        let last = i64::try_from(ENTRIES).unwrap();
        for key in 0..=last {
            cache.put(key, (), 1, at(100 + key / 100));
        }
        let kept = (0..=last)
            .filter(|key| cache.get(key, at(110)).is_some())
            .count();
        assert_eq!(kept, ENTRIES);
        assert!(cache.get(&last, at(110)).is_some());

        let cache = Cache::default();
        cache.put("old", (), BYTES / 2, at(0));
        cache.put("new", (), BYTES / 2 + 1, at(1));
        cache.put("huge", (), BYTES + 1, at(2));
        let has = |key| cache.get(&key, at(3)).is_some();
        assert_eq!([has("old"), has("new"), has("huge")], [false, true, false]);
        // What is replaced no longer counts.
        for second in 0..10 {
            cache.put("new", (), BYTES, at(second));
        }
        assert!(cache.get(&"new", at(10)).is_some());
    }

    #[test]
    fn what_is_forgotten_is_gone_and_nothing_else() {
        let cache = Cache::default();
        cache.put(("ours", 1), (), 1, at(0));
        cache.put(("theirs", 1), (), 1, at(0));
        cache.forget(|(whose, _)| *whose == "ours");
        assert_eq!(cache.get(&("ours", 1), at(1)), None);
        assert!(cache.get(&("theirs", 1), at(1)).is_some());
    }
}
