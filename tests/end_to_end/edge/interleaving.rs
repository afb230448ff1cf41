//! I4: what a tenant sees does not depend on what others do, in any order.
//!
//! A story is a list of acts of one tenant. Each story of a pool is lived once by a tenant alone, and
//! what it saw is kept. Then crowds of new tenants live stories of the pool, their acts in a random
//! order, and each tenant has to see what the one that was alone saw: every answer, and all of its lists
//! at the end, with ids and times replaced by the order in which they appeared.
//!
//! Any two tenants of a crowd are two tenants whose acts stand in a random order: a crowd of
//! [`CROWD`] holds 105 such interleavings through the gateway and the real function processes. The suite
//! runs one crowd in each hosting mode, 210 interleavings, because each of the calls costs the stand-ins
//! some ten milliseconds. `TRIBUTARY_I4_CROWDS=5` runs five in each, which are the 1,050 of the record.
//! In the first crowd a neighbour also reads at the very moment of each act. A difference is shrunk, to
//! two tenants if two show it, and printed with the seed, which is fixed.

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

use self::{
    act::{Act, acts},
    party::Party,
};
use super::{wire, world};
use crate::{common, flows::world::Hosting};

/// How many crowds of each hosting mode are to be run; one if nobody says.
const CROWDS: &str = "TRIBUTARY_I4_CROWDS";
/// Tenants of a crowd.
const CROWD: usize = 15;
/// Stories that are lived alone.
const STORIES: usize = 12;
/// Acts of a story.
const ACTS: usize = 5;
const SEED: [u8; 32] = *b"tributary: two tenants, one past";

/// Which story each tenant lives, and whose turn it is.
#[derive(Debug, Clone)]
struct Case {
    stories: Vec<usize>,
    turns: Vec<usize>,
}

/// A crowd whose tenants all come to the end of their stories; shrunk, some of them do not.
fn crowds() -> impl Strategy<Value = Case> {
    let stories = prop::collection::vec(0..STORIES, CROWD);
    let turns: Vec<usize> = (0..CROWD * ACTS).map(|turn| turn % CROWD).collect();
    let turns = Just(turns).prop_shuffle();
    (stories, turns).prop_map(|(stories, turns)| Case { stories, turns })
}

/// What a tenant alone saw: each act's answer, and its lists at the end.
#[derive(Debug, Clone, Default)]
struct Alone {
    answers: Vec<Value>,
    lists: Value,
}

struct Stage {
    sandbox: Arc<Sandbox>,
    operator: Api,
    stories: Vec<Vec<Act>>,
    hosting: Hosting,
}

/// I4 in AWS accounts of customers': one half of the interleavings.
#[tokio::test(flavor = "multi_thread")]
async fn i4_no_order_of_tenants_acts_shows_one_to_another_in_the_customers_accounts() {
    i4(Hosting::Customer).await;
}

/// I4 within the vendor's account, which all share: the other half.
#[tokio::test(flavor = "multi_thread")]
async fn i4_no_order_of_tenants_acts_shows_one_to_another_in_the_vendors_account() {
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
    let stage = Stage {
        sandbox,
        operator,
        stories,
        hosting,
    };
    let mut alone = Vec::new();
    for story in &stage.stories {
        alone.push(stage.alone(story).await);
    }
    let asked = std::env::var(CROWDS).ok();
    let number_of_crowds: usize = asked.map_or(1, |number| number.parse().unwrap());
    for number in 0..number_of_crowds {
        let case = crowds().new_tree(&mut runner).unwrap().current();
        if let Some(difference) = stage.differs(&alone, &case, number == 0).await {
            let (case, difference) = stage.shrunk(&alone, case, difference).await;
            stage.fail(&case, &difference);
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
        let mut party = self.party().await;
        let nobody = party::Made::default();
        let mut alone = Alone::default();
        for act in story {
            let answer = party.act(&self.sandbox, act, &nobody).await;
            alone.answers.push(answer);
        }
        alone.lists = party.lists().await;
        alone
    }

    /// What one of a crowd saw that the one alone did not, or the other way round.
    async fn differs(&self, alone: &[Alone], case: &Case, at_once: bool) -> Option<String> {
        let mut parties = Vec::new();
        for _ in &case.stories {
            parties.push(self.party().await);
        }
        let mut done = vec![0; parties.len()];
        for turn in &case.turns {
            let which = *turn;
            let story = case.stories[which];
            let Some(act) = self.stories[story].get(done[which]) else {
                continue;
            };
            let neighbour = (which + 1) % CROWD;
            let theirs = parties[neighbour].made.clone();
            let reader = parties[neighbour].reader();
            let acting = parties[which].act(&self.sandbox, act, &theirs);
            let saw = if at_once {
                tokio::join!(acting, reader.flows()).0
            } else {
                acting.await
            };
            let expected = &alone[story].answers[done[which]];
            if saw != *expected {
                return Some(format!("{which}: {act:?} answered {saw}\nalone {expected}"));
            }
            done[which] += 1;
        }
        for (which, party) in parties.iter().enumerate() {
            let story = case.stories[which];
            // Sent home by shrinking.
            if done[which] < self.stories[story].len() {
                continue;
            }
            let (saw, expected) = (party.lists().await, &alone[story].lists);
            if saw != *expected {
                return Some(format!("at the end {which} saw {saw}\nalone {expected}"));
            }
        }
        None
    }

    /// A smaller case that still differs: tenants are sent home and acts left out, one after another.
    async fn shrunk(&self, alone: &[Alone], case: Case, difference: String) -> (Case, String) {
        let mut smallest = (case, difference);
        for tenant in 0..CROWD {
            let mut without = smallest.0.clone();
            without.turns.retain(|turn| *turn != tenant);
            if let Some(difference) = self.differs(alone, &without, false).await {
                smallest = (without, difference);
            }
        }
        smallest
    }

    fn fail(&self, case: &Case, difference: &str) -> ! {
        let lived: Vec<&Vec<Act>> = case.stories.iter().map(|n| &self.stories[*n]).collect();
        let seed = std::str::from_utf8(&SEED).unwrap();
        panic!("{difference}\nseed {seed:?}, {case:?}\n{lived:#?}")
    }
}
