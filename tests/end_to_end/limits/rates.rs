//! A1: who asks too often is told when to come back, and nobody else notices.

use std::time::Duration;

use http::StatusCode;
use sandbox::client::{Answer, Api};
use serde_json::json;

use super::world;

/// Far more requests than the limit's burst, and far fewer than take as long as its refilling.
const FLOOD: usize = 40;

async fn flood(api: &Api) -> Vec<Answer> {
    let mut answers = Vec::new();
    for _ in 0..FLOOD {
        answers.push(api.get("/v1/connections").await.unwrap());
    }
    answers
}

fn seconds(answer: &Answer) -> u64 {
    answer.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap()
}

#[tokio::test]
async fn a1_a_noisy_tenant_is_told_to_wait_and_a_quiet_one_is_served() {
    let world = world::build().await;
    // Three requests, then one every ten seconds.
    world.limit(&world.noisy.id, "read", "0.1/3").await;
    let (frank, alex) = (world.noisy.api("frank"), world.quiet.api("alex"));
    let before = world.sandbox.journal.count("dynamodb", "UpdateItem");
    let answers = flood(frank).await;
    let served = answers
        .iter()
        .filter(|answer| answer.status == StatusCode::OK);
    // Each instance may still hold what it drew before it knew the limit.
    assert!((3..FLOOD).contains(&served.count()));
    let refused: Vec<&Answer> = answers
        .iter()
        .filter(|answer| answer.status == StatusCode::TOO_MANY_REQUESTS)
        .collect();
    assert!(!refused.is_empty());
    for answer in &refused {
        assert_eq!(answer.code(), "rate_limited", "{}", answer.body);
        assert!((1..=10).contains(&seconds(answer)), "{}", seconds(answer));
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
    for answer in flood(alex).await {
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    }
    // A write is another bucket, and what is refused is refused before anything is asked.
    let made = frank.post("/v1/flows", &json!({})).await.unwrap();
    assert_ne!(made.status, StatusCode::TOO_MANY_REQUESTS);
    let asked = world.sandbox.journal.count("dynamodb", "UpdateItem") - before;
    assert!(asked < FLOOD, "{asked} draws for {} requests", 2 * FLOOD);
}

#[tokio::test]
async fn a1_who_waits_as_long_as_was_said_is_served() {
    let world = world::build().await;
    world.limit(&world.noisy.id, "read", "1/1").await;
    let frank = world.noisy.api("frank");
    let refused = loop {
        let answer = frank.get("/v1/connections").await.unwrap();
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            break answer;
        }
        answer.expect(200).unwrap();
    };
    tokio::time::sleep(Duration::from_secs(seconds(&refused))).await;
    frank
        .get("/v1/connections")
        .await
        .unwrap()
        .expect(200)
        .unwrap();
}

#[tokio::test]
async fn a1_the_operator_has_a_bucket_of_its_own() {
    let world = world::build().await;
    world.limit("OPERATOR", "read", "0.1/1").await;
    let operator = world.sandbox.operator().await.unwrap();
    let mut refused = 0;
    for _ in 0..FLOOD {
        let answer = operator.get("/v1/tenants").await.unwrap();
        refused += usize::from(answer.code() == "rate_limited");
    }
    assert!(refused > 0);
    let frank = world.noisy.api("frank");
    frank
        .get("/v1/connections")
        .await
        .unwrap()
        .expect(200)
        .unwrap();
}
