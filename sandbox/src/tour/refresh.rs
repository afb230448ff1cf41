//! Tokens: the clock passes their end, the schedule refreshes them; a revoked grant asks for a person.

use std::time::Duration;

use super::{Step, Tour, TourError, flows::run_flow, text};
use crate::client::until;

pub(super) async fn run(tour: &mut Tour<'_>) -> Step {
    tour.step("The clock passes the access token's end: the schedule fires, the refresh rotates, the next run works");
    let before = tour.sandbox.salesforce.token_counters();
    tour.sandbox.clock.advance(Duration::from_hours(3));
    tour.say("the clock moved three hours; access tokens live two");
    let after = until(|| async {
        let now = tour.sandbox.salesforce.token_counters();
        (now.refreshes_granted >= before.refreshes_granted + 2).then_some(now)
    })
    .await
    .ok_or_else(|| TourError::Wrong("no refresh reached Salesforce".to_owned()))?;
    tour.check(after.reuse_detected == 0, || {
        "a refresh token was used twice".to_owned()
    })?;
    tour.say(format!(
        "{} refreshes granted, each with a new refresh token, none used twice",
        after.refreshes_granted
    ));
    // The tokens reach AppFlow a moment after Salesforce gave them.
    until(|| async { pushed(tour).await.ok().filter(|pushed| *pushed) })
        .await
        .ok_or_else(|| TourError::Wrong("the new tokens did not reach AppFlow".to_owned()))?;
    let flow = tour.fact("s3 flow")?.to_owned();
    run_flow(tour, &flow).await?;
    Ok(())
}

/// Whether both connections' newest tokens are in AppFlow.
async fn pushed(tour: &Tour<'_>) -> Step<bool> {
    let mut all = true;
    for fact in ["customer connection", "vendor connection"] {
        let path = format!("/v1/connections/{}/entities", tour.fact(fact)?);
        all &= tour
            .person("frank")?
            .api
            .get(&path)
            .await?
            .status
            .is_success();
    }
    Ok(all)
}

pub(super) async fn revoked(tour: &mut Tour<'_>) -> Step {
    tour.step("The grant is revoked in Salesforce: the next refresh asks for a person, once");
    let username = tour.sandbox.salesforce_admin();
    let ended = tour.sandbox.salesforce.revoke_grants_of(&username);
    tour.say(format!("{username} revoked {ended} grants"));
    tour.sandbox.clock.advance(Duration::from_hours(3));
    for fact in ["customer connection", "vendor connection"] {
        let path = format!("/v1/connections/{}", tour.fact(fact)?);
        let api = &tour.person("frank")?.api;
        let connection = until(|| async {
            let connection = api.get(&path).await.ok()?.expect(200).ok()?;
            (text(&connection, "state") == "reauth_required").then_some(connection)
        })
        .await
        .ok_or_else(|| TourError::Wrong(format!("{fact} did not turn to reauth_required")))?;
        tour.say(format!(
            "{fact} is reauth_required: {}",
            text(&connection, "reason")
        ));
    }
    Ok(())
}
