//! Turns: one tenant's many do not keep another's few waiting.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    hash::Hash,
};

use crate::{batch::Received, message::Reason};

/// Orders work so that tenants take turns; each tenant's own order stays as it is.
pub(crate) fn turns<T, K: Ord>(
    work: impl IntoIterator<Item = T>,
    whose: impl Fn(&T) -> K,
) -> Vec<T> {
    let mut queues: BTreeMap<K, VecDeque<T>> = BTreeMap::new();
    for item in work {
        queues.entry(whose(&item)).or_default().push_back(item);
    }
    let mut ordered = Vec::new();
    while !queues.is_empty() {
        queues.retain(|_, queue| {
            ordered.extend(queue.pop_front());
            !queue.is_empty()
        });
    }
    ordered
}

/// Leaves out repetitions: of messages about the same generation of a connection the first is worked
/// on, and speaks for the others. Answers that wait to be written are never left out.
pub(crate) fn once(received: Vec<Received>) -> Vec<Received> {
    without_repetitions(received, |received| {
        let message = received.message.as_ref().ok()?;
        let repeats = message.reason != Reason::Rescue;
        repeats.then_some((message.connection_id, message.generation))
    })
}

fn without_repetitions<T, K: Eq + Hash>(work: Vec<T>, name: impl Fn(&T) -> Option<K>) -> Vec<T> {
    let mut seen = HashSet::new();
    work.into_iter()
        .filter(|item| name(item).is_none_or(|name| seen.insert(name)))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// R7: the n-th piece of a tenant's work comes after at most n pieces of each other tenant's.
        #[test]
        fn r7_tenants_take_turns(work in prop::collection::vec(0u8..5, 0..200)) {
            let numbered: Vec<(u8, usize)> = work.iter().copied().zip(0..).collect();
            let ordered = turns(numbered, |(tenant, _)| *tenant);
            prop_assert_eq!(ordered.len(), work.len());
            let mut done = [0usize; 5];
            let mut last = [None; 5];
            for (tenant, number) in ordered {
                let tenant = usize::from(tenant);
                prop_assert!(last[tenant].is_none_or(|last| last < number));
                last[tenant] = Some(number);
                done[tenant] += 1;
                for others in done {
                    // Nobody is more than one turn ahead of who still has work.
                    prop_assert!(others <= done[tenant] + 1);
                }
            }
        }
    }

    #[test]
    fn r7_one_of_ten_comes_at_once_although_nine_thousand_were_first() {
        let work = std::iter::repeat_n("many", 9_000).chain(["few"]);
        let ordered = turns(work, |tenant| *tenant);
        assert!(ordered.iter().position(|tenant| *tenant == "few") <= Some(1));
    }

    #[test]
    fn repetitions_are_left_out_and_what_has_no_name_is_not() {
        let work = vec![(1, "a"), (1, "b"), (0, "c"), (0, "d"), (2, "e")];
        let left = without_repetitions(work, |(name, _)| (*name > 0).then_some(*name));
        assert_eq!(left, [(1, "a"), (0, "c"), (0, "d"), (2, "e")]);
    }
}
