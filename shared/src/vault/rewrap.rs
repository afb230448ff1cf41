//! How far the re-wrapping of sealed texts is, for the worker that does it and the operator who waits
//! for it (scenario T5).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    error::Result,
    id::TenantId,
    store::{Key, PageRequest, Store, key::sha256_hex},
};

/// What a walk does with the texts that it finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// It counts those that are outdated.
    Counting,
    /// It seals them anew.
    Wrapping,
    /// It is over.
    Finished,
}

/// One shard's walk over the tenants' sealed texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walk {
    /// The shard.
    pub shard: u32,
    /// ARN of the KMS key that the walk wraps under.
    pub key: String,
    /// What it does.
    pub phase: Phase,
    /// The last tenant that was done with, as the list of tenants is ordered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_tenant: Option<String>,
    /// The last item that was done with, of the tenant after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_item: Option<String>,
    /// Outdated texts that were counted.
    pub found: u64,
    /// Texts that were sealed anew.
    pub done: u64,
    /// Texts that something newer replaced first.
    pub overtaken: u64,
    /// Texts that do not open.
    pub failed: u64,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
}

impl Walk {
    /// A walk that begins.
    pub fn new(shard: u32, key: &str, now: Timestamp) -> Self {
        Self {
            shard,
            key: key.to_owned(),
            phase: Phase::Counting,
            after_tenant: None,
            after_item: None,
            found: 0,
            done: 0,
            overtaken: 0,
            failed: 0,
            started_at: now,
            finished_at: None,
        }
    }

    /// Whether a tenant belongs to a shard.
    pub fn covers(shard: u32, shards: u32, tenant: TenantId) -> bool {
        let hash = sha256_hex(&tenant.to_string());
        let number = u32::from_str_radix(&hash[..8], 16).unwrap_or(0);
        number % shards.max(1) == shard
    }

    /// The phase is over: on to the next one.
    pub fn end_phase(&mut self, now: Timestamp) {
        self.after_tenant = None;
        self.after_item = None;
        self.phase = match self.phase {
            Phase::Counting if self.found > 0 => Phase::Wrapping,
            Phase::Counting | Phase::Wrapping | Phase::Finished => Phase::Finished,
        };
        if self.phase == Phase::Finished {
            self.finished_at = Some(now);
        }
    }

    /// Outdated texts that are left; unknown while they are being counted.
    pub const fn left(&self) -> Option<u64> {
        match self.phase {
            Phase::Counting => None,
            Phase::Wrapping => Some(self.found.saturating_sub(self.done + self.overtaken)),
            Phase::Finished => Some(self.failed),
        }
    }
}

/// All shards together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Texts that were sealed anew under the current key.
    pub done: u64,
    /// Texts that are still under another key, or whose data key is old; unknown until all shards
    /// have counted.
    pub left: Option<u64>,
    /// Texts that do not open.
    pub failed: u64,
    /// When the last shard ended; absent while one is at it.
    pub finished_at: Option<Timestamp>,
}

impl Progress {
    /// Reads how far the shards are.
    pub async fn load(store: &Store, shards: u32, current_key: &str) -> Result<Self> {
        let page = PageRequest::first(1_000);
        let walks = store
            .query::<Walk>(&Key::operator_partition(), Key::REWRAPS, &page)
            .await?;
        Ok(Self::of(&walks.items, shards, current_key))
    }

    /// Adds walks up. One under another key has not begun for this one.
    pub fn of(walks: &[Walk], shards: u32, current_key: &str) -> Self {
        let walks: Vec<&Walk> = walks
            .iter()
            .filter(|walk| walk.key == current_key && walk.shard < shards)
            .collect();
        let all_began = walks.len() == usize::try_from(shards).unwrap_or(usize::MAX);
        let left: Option<Vec<u64>> = walks.iter().map(|walk| walk.left()).collect();
        let ends: Option<Vec<Timestamp>> = walks.iter().map(|walk| walk.finished_at).collect();
        Self {
            done: walks.iter().map(|walk| walk.done).sum(),
            left: left.filter(|_| all_began).map(|left| left.iter().sum()),
            failed: walks.iter().map(|walk| walk.failed).sum(),
            finished_at: ends
                .filter(|_| all_began)
                .and_then(|ends| ends.into_iter().max()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    #[test]
    fn t5_what_is_left_is_unknown_until_it_is_counted_and_what_failed_stays_left() {
        let mut walk = Walk::new(0, "new", now());
        assert_eq!(walk.left(), None);
        walk.found = 10;
        walk.end_phase(now());
        assert_eq!((walk.phase, walk.left()), (Phase::Wrapping, Some(10)));
        (walk.done, walk.overtaken, walk.failed) = (5, 3, 2);
        assert_eq!(walk.left(), Some(2));
        walk.end_phase(now());
        assert_eq!((walk.left(), walk.finished_at), (Some(2), Some(now())));
    }

    #[test]
    fn a_walk_that_finds_nothing_is_over_after_counting() {
        let mut walk = Walk::new(0, "new", now());
        walk.end_phase(now());
        assert_eq!((walk.phase, walk.left()), (Phase::Finished, Some(0)));
    }

    #[test]
    fn t5_progress_adds_the_shards_up_and_ignores_walks_for_another_key() {
        let finished = |shard, key: &str| Walk {
            phase: Phase::Finished,
            done: 4,
            finished_at: Some(now()),
            ..Walk::new(shard, key, now())
        };
        let walks = [finished(0, "new"), finished(1, "old")];
        let progress = Progress::of(&walks, 2, "new");
        assert_eq!(
            (progress.done, progress.left, progress.finished_at),
            (4, None, None)
        );
        let walks = [finished(0, "new"), finished(1, "new")];
        let progress = Progress::of(&walks, 2, "new");
        assert_eq!(
            (progress.done, progress.left, progress.finished_at),
            (8, Some(0), Some(now()))
        );
    }

    #[test]
    fn every_tenant_belongs_to_one_shard() {
        for _ in 0..50 {
            let tenant = TenantId::new();
            let covering = (0..4).filter(|shard| Walk::covers(*shard, 4, tenant));
            assert_eq!(covering.count(), 1);
        }
    }
}
