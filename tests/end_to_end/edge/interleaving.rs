//! I4: what a tenant sees does not depend on what another does, in any order.
//!
//! A story is a list of acts of one tenant. Each story of a pool is lived once by a tenant alone, and
//! what it saw after every act is kept. Then pairs of new tenants live two stories of the pool, their
//! acts in a random order, and each has to see what the one that was alone saw: every answer, and all
//! of its lists at the end, with ids and times replaced by the order in which they appeared.
//!
//! There are [`CASES`] such orders through the gateway and the real function processes, half of them in
//! AWS accounts of their own and half in the vendor's, which both share. In every eighth the two act at
//! the same time as well. The seed is fixed, and printed with a failure after it was shrunk.

mod act;
mod party;
mod view;

use std::sync::Arc;

use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use sandbox::{Options, Sandbox, client::Api};
use serde_json::Value;
use tokio::task::JoinSet;

use self::{
    act::{Act, acts},
    party::Party,
};
use super::{wire, world};
use crate::{common, flows::world::Hosting};

/// Interleavings that are run.
const CASES: usize = 1_000;
/// Stories that are lived alone.
const STORIES: usize = 24;
/// Acts of a story.
const ACTS: usize = 5;
/// Pairs that live at the same time: they must not matter to each other either.
const AT_ONCE: usize = 8;
const SEED: [u8; 32] = *b"tributary: two tenants, one past";

/// Two stories of the pool, and whose turn it is.
#[derive(Debug, Clone)]
struct Case {
    first: usize,
    second: usize,
    turns: Vec<bool>,
}

fn cases() -> impl Strategy<Value = Case> {
    let turns = prop::collection::vec(any::<bool>(), 3..=2 * ACTS);
    (0..STORIES, 0..STORIES, turns).prop_map(|(first, second, turns)| Case {
        first,
        second,
        turns,
    })
}

/// What a tenant alone saw: each act's answer, and its lists after so many acts.
#[derive(Debug, Clone, Default)]
struct Alone {
    answers: Vec<Value>,
    lists: Vec<Value>,
}

struct Stage {
    sandbox: Arc<Sandbox>,
    operator: Api,
    stories: Vec<Vec<Act>>,
    hosting: Hosting,
}

/// I4 in AWS accounts of customers': half of the interleavings.
#[tokio::test(flavor = "multi_thread")]
async fn i4_no_order_of_two_tenants_acts_shows_either_the_other_in_the_customers_accounts() {
    i4(Hosting::Customer).await;
}

/// I4 within the vendor's account: the other half.
#[tokio::test(flavor = "multi_thread")]
async fn i4_no_order_of_two_tenants_acts_shows_either_the_other_in_the_vendors_account() {
    i4(Hosting::Vendor).await;
}

async fn i4(hosting: Hosting) {
    let sandbox = common::start_with(Options {
        run_schedules: false,
        environment: world::without_limits(),
        connector_profiles: 100_000,
        ..Options::default()
    })
    .await;
    sandbox
        .appflow
        .set_max_flows(sandbox_core::VENDOR_ACCOUNT, sandbox_core::REGION, 100_000);
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &SEED);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let story = prop::collection::vec(acts(), ACTS);
    let stories = (0..STORIES)
        .map(|_| story.new_tree(&mut runner).unwrap().current())
        .collect();
    let operator = sandbox.operator().await.unwrap();
    let stage = Arc::new(Stage {
        sandbox,
        operator,
        stories,
        hosting,
    });
    let mut alone = Vec::new();
    for story in &stage.stories {
        alone.push(stage.alone(story).await);
    }
    let alone = Arc::new(alone);
    let mut trees: Vec<_> = (0..CASES / 2)
        .map(|_| cases().new_tree(&mut runner).unwrap())
        .collect();
    for (number, chunk) in trees.chunks_mut(AT_ONCE).enumerate() {
        let mut pairs = JoinSet::new();
        for (index, tree) in chunk.iter().enumerate() {
            let (stage, alone, case) = (Arc::clone(&stage), Arc::clone(&alone), tree.current());
            let at_once = (number + index) % 8 == 0;
            pairs.spawn(async move { (index, stage.differs(&alone, &case, at_once).await) });
        }
        for (index, difference) in pairs.join_all().await {
            if let Some(difference) = difference {
                let (case, difference) = stage.shrunk(&alone, &mut chunk[index], difference).await;
                stage.fail(&case, &difference);
            }
        }
    }
    wire::assert_no_failures(&stage.sandbox);
    common::no_leaks(&stage.sandbox).await;
}

impl Stage {
    async fn party(&self) -> Party {
        Party::new(&self.sandbox, &self.operator, self.hosting).await
    }

    async fn alone(&self, story: &[Act]) -> Alone {
        let (mut party, nobody) = (self.party().await, party::Made::default());
        let mut alone = Alone::default();
        alone.lists.push(party.lists().await);
        for act in story {
            alone
                .answers
                .push(party.act(&self.sandbox, act, &nobody).await);
            alone.lists.push(party.lists().await);
        }
        alone
    }

    /// What one of a pair saw that the one alone did not, or the other way round.
    async fn differs(&self, alone: &[Alone], case: &Case, at_once: bool) -> Option<String> {
        let (mut one, mut other) = (self.party().await, self.party().await);
        let stories = [&self.stories[case.first], &self.stories[case.second]];
        let alone = [&alone[case.first], &alone[case.second]];
        let mut done = [0, 0];
        for turn in &case.turns {
            let which = usize::from(*turn);
            let Some(act) = stories[which].get(done[which]) else {
                continue;
            };
            // The other's next act at the same moment; it is seen in turn, by its effects.
            let (actor, peer) = if which == 0 {
                (&mut one, &mut other)
            } else {
                (&mut other, &mut one)
            };
            let made = peer.made.clone();
            let acted = actor.act(&self.sandbox, act, &made);
            let saw = if at_once {
                tokio::join!(acted, peer.lists()).0
            } else {
                acted.await
            };
            let expected = &alone[which].answers[done[which]];
            if saw != *expected {
                return Some(format!("{act:?} answered {saw}\nalone {expected}"));
            }
            done[which] += 1;
        }
        for (which, party) in [&mut one, &mut other].into_iter().enumerate() {
            let (saw, expected) = (party.lists().await, &alone[which].lists[done[which]]);
            if saw != *expected {
                return Some(format!("at the end {which} saw {saw}\nalone {expected}"));
            }
        }
        None
    }

    /// The smallest case that still differs.
    async fn shrunk<T: proptest::strategy::ValueTree<Value = Case>>(
        &self,
        alone: &[Alone],
        tree: &mut T,
        difference: String,
    ) -> (Case, String) {
        let mut smallest = (tree.current(), difference);
        while tree.simplify() {
            let case = tree.current();
            match self.differs(alone, &case, false).await {
                Some(difference) => smallest = (case, difference),
                None if tree.complicate() => {}
                None => break,
            }
        }
        smallest
    }

    fn fail(&self, case: &Case, difference: &str) -> ! {
        let (first, second) = (&self.stories[case.first], &self.stories[case.second]);
        panic!(
            "{difference}\nseed {:?}, {case:?}\none {first:?}\nother {second:?}",
            std::str::from_utf8(&SEED).unwrap()
        )
    }
}
