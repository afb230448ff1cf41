//! Seeded histories of lost, doubled, late and reordered events, of throttled questions, a topic that
//! fails and processes that die: each ends in what AppFlow knows, with every notification once.
//!
//! A seed makes one history and nothing else does: a failure prints it, and
//! `TRIBUTARY_HISTORY=<seed>` runs that history alone. `TRIBUTARY_HISTORIES` sets their number.

mod history;
mod oracle;
mod play;

use super::lab::Lab;
use crate::common;

/// Histories of one run of the tests, unless told otherwise.
const HISTORIES: u64 = 10_000;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// U1, U2, U3: ten thousand histories, each from its own seed.
#[tokio::test]
async fn u2_u3_every_seeded_history_ends_in_the_oracles_state_with_each_notification_once() {
    let lab = Lab::new().await;
    let seeds = match number("TRIBUTARY_HISTORY") {
        Some(seed) => seed..seed + 1,
        None => 0..number("TRIBUTARY_HISTORIES").unwrap_or(HISTORIES),
    };
    let mut played = play::Played::default();
    for seed in seeds {
        played.add(&play::play(&lab, seed).await);
    }
    // A driver that does no harm proves nothing.
    println!("{played:?}");
    if number("TRIBUTARY_HISTORY").is_none() {
        played.assert_harm();
    }
    common::no_leaks(&lab.world.sandbox).await;
}
