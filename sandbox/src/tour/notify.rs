//! What a subscriber of the notifications received.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Step, Tour, TourError, text};
use crate::client::until;

pub(super) async fn run(tour: &mut Tour<'_>) -> Step {
    tour.step("The notifications, as the subscriber got them");
    let all = until(|| async {
        let all = tour.sandbox.notifications().await;
        let reauth = all
            .iter()
            .filter(|event| text(event, "type") == "tributary.connection.reauth_required")
            .count();
        (reauth >= 2).then_some(all)
    })
    .await
    .ok_or_else(|| {
        TourError::Wrong("the subscriber did not hear of the revoked grants".to_owned())
    })?;
    for event in &all {
        tour.say(event.to_string());
    }
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for id in all.iter().filter_map(|event| event["id"].as_str()) {
        *seen.entry(id).or_default() += 1;
    }
    tour.check(seen.values().all(|times| *times == 1), || {
        format!("an event came more than once: {seen:?}")
    })?;
    let count = |kind: &str| {
        all.iter()
            .filter(|event: &&Value| text(event, "type") == kind)
            .count()
    };
    let (completed, reauth) = (
        count("tributary.run.completed"),
        count("tributary.connection.reauth_required"),
    );
    tour.check(completed == 3 && reauth == 2, || {
        format!(
            "expected 3 completed runs and 2 connections to renew, got {completed} and {reauth}"
        )
    })
}
