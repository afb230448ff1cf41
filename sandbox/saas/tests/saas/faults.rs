//! Outages on demand: what happened behind a lost answer, and what did not.

use sandbox_core::{Fault, FaultRule};
use serde_json::Value;

use crate::salesforce::{SECRET, World};

fn fault(world: &World, fault: Fault) {
    world.options.faults.add(FaultRule {
        service: "salesforce".to_owned(),
        operation: "POST /services/oauth2/token".to_owned(),
        fault,
        times: 1,
    });
}

async fn attempt(world: &World, token: &Value) -> reqwest::Result<(u16, String)> {
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token.as_str().unwrap()),
        ("client_id", "consumer-key"),
        ("client_secret", SECRET),
    ];
    let response = world
        .http
        .post(world.url("/services/oauth2/token"))
        .form(&form)
        .send()
        .await?;
    Ok((response.status().as_u16(), response.text().await?))
}

#[tokio::test]
async fn a_request_dropped_before_its_effect_can_be_sent_again() {
    let world = World::start().await;
    let tokens = world.granted().await;
    fault(&world, Fault::DropBefore);
    assert!(attempt(&world, &tokens["refresh_token"]).await.is_err());
    assert_eq!(world.salesforce.token_counters().refreshes, 0);
    assert_eq!(world.refresh(&tokens["refresh_token"]).await.0, 200);
}

#[tokio::test]
async fn an_answer_dropped_or_cut_short_leaves_the_token_used() {
    for kind in [Fault::DropAfter, Fault::Truncate] {
        let world = World::start().await;
        let tokens = world.granted().await;
        fault(&world, kind.clone());
        assert!(attempt(&world, &tokens["refresh_token"]).await.is_err());
        assert_eq!(world.salesforce.token_counters().refreshes_granted, 1);
        assert_eq!(
            world.refresh(&tokens["refresh_token"]).await.0,
            400,
            "{kind:?}"
        );
    }
}

#[tokio::test]
async fn an_outage_answers_as_it_was_told_and_has_no_effect() {
    let world = World::start().await;
    let tokens = world.granted().await;
    fault(
        &world,
        Fault::Status {
            status: 503,
            retry_after: Some(30),
            body: "<html>maintenance</html>".to_owned(),
        },
    );
    let (status, body) = attempt(&world, &tokens["refresh_token"]).await.unwrap();
    assert_eq!((status, body.as_str()), (503, "<html>maintenance</html>"));
    fault(&world, Fault::Delay(1));
    let (status, _) = attempt(&world, &tokens["refresh_token"]).await.unwrap();
    assert_eq!(status, 200);
    assert_eq!(world.salesforce.token_counters().refreshes, 1);
    assert_eq!(world.options.journal.count("salesforce", "fault=status"), 1);
}
