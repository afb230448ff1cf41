//! Seeded histories of lost, doubled, late and reordered events, of throttled questions, a topic that
//! fails and processes that die: each ends in what AppFlow knows, with every notification once.
//!
//! All of them are played on a table in memory, and some on the sandbox's AWS, with the real store,
//! its transactions and the tenant's scope. A seed makes one history and nothing else does: a failure
//! prints it, `TRIBUTARY_HISTORY=<seed>` plays that history alone, and `TRIBUTARY_HISTORIES` sets how
//! many are played on AWS.

mod history;
mod model;
mod oracle;
mod play;

use super::lab::{Lab, prove};
use crate::common;

/// Histories on the table in memory.
const HISTORIES: u64 = 10_000;
/// Histories on AWS, unless told otherwise.
const ON_AWS: u64 = 150;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn seeds(most: u64) -> std::ops::Range<u64> {
    number("TRIBUTARY_HISTORY").map_or(0..most, |seed| seed..seed + 1)
}

/// U1, U2, U3: ten thousand histories, each from its own seed, through the real decisions.
#[test]
fn u2_u3_ten_thousand_histories_end_in_the_oracles_state_with_each_notification_once() {
    let told: usize = seeds(HISTORIES).map(model::play).sum();
    assert!(told > 0);
}

/// The same histories through the whole function and its store.
#[test]
fn u2_u3_histories_on_aws_end_in_the_oracles_state_with_each_notification_once() {
    prove(histories);
}

async fn histories() {
    let lab = Lab::new().await;
    let mut played = play::Played::default();
    for seed in seeds(number("TRIBUTARY_HISTORIES").unwrap_or(ON_AWS)) {
        played.add(&play::play(&lab, seed).await);
    }
    println!("{played:?}");
    // A driver that does no harm proves nothing.
    if number("TRIBUTARY_HISTORY").is_none() {
        played.assert_harm();
    }
    common::no_leaks(&lab.world.sandbox).await;
}
