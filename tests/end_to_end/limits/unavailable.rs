//! A5: what holds while the table of limits does not answer.

use http::StatusCode;
use sandbox_core::{Fault, FaultRule};
use serde_json::json;

use super::world::{self, World};

/// From now on the table takes no updates; reading goes on.
fn silence(world: &World) {
    world.sandbox.faults.add(FaultRule {
        service: "dynamodb".to_owned(),
        operation: "UpdateItem".to_owned(),
        fault: Fault::Status {
            status: 500,
            retry_after: None,
            body: r#"{"__type":"InternalServerError"}"#.to_owned(),
        },
        times: u32::MAX,
    });
}

#[tokio::test]
async fn a5_without_the_table_reads_go_on_and_nothing_is_issued() {
    let world = world::build().await;
    let frank = world.noisy.api("frank");
    silence(&world);
    for _ in 0..3 {
        let read = frank.get("/v1/connections").await.unwrap();
        assert_eq!(read.status, StatusCode::OK, "{}", read.body);
    }
    let body = json!({ "name": "CRM", "connector": "salesforce", "accountId": "acc_0193d3f0aaaa7bbb8cccdddddddddddd" });
    let issued = frank.post("/v1/connections", &body).await.unwrap();
    assert_eq!(
        issued.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "{}",
        issued.body
    );
    assert_eq!(issued.code(), "limits_unavailable");
    assert_eq!(issued.headers["retry-after"], "2");
    world.sandbox.faults.clear();
    let again = crate::common::eventually("the table's answer", || async {
        let answer = frank.post("/v1/connections", &body).await.ok()?;
        (answer.code() != "limits_unavailable").then_some(answer)
    })
    .await;
    assert_ne!(
        again.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "{}",
        again.body
    );
}

#[tokio::test]
async fn a5_without_the_table_an_instance_lets_its_own_part_in_and_no_more() {
    let world = world::build().await;
    let frank = world.noisy.api("frank");
    world.limit(&world.noisy.id, "read", "0.1/8").await;
    // The instance learns the limit, and holds nothing of it afterwards.
    frank
        .get("/v1/connections")
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    silence(&world);
    let mut served = 0;
    for _ in 0..12 {
        let answer = frank.get("/v1/connections").await.unwrap();
        if answer.status == StatusCode::OK {
            served += 1;
        } else {
            assert_eq!(answer.code(), "rate_limited", "{}", answer.body);
        }
    }
    // A quarter of eight for each instance; the gateway starts few for one request at a time.
    assert!((2..=6).contains(&served), "{served}");
}
