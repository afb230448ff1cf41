//! What sessions cost, and what happens without one.

use sandbox::Sandbox;
use sandbox_core::{Entry, Fault, FaultRule};

use crate::common::{start, tenant};

/// Sessions that the API asked STS for.
fn assumed(sandbox: &Sandbox) -> usize {
    let asks = |entry: &&Entry| {
        let principal = entry.principal.as_deref().unwrap_or_default();
        entry.service == "sts" && entry.operation == "AssumeRole" && principal.contains("-flows/")
    };
    sandbox.journal.entries().iter().filter(asks).count()
}

#[tokio::test]
async fn i2_a_tenants_session_is_assumed_once_per_instance_and_not_for_what_is_refused_before() {
    let sandbox = start().await;
    let tenant = tenant(&sandbox, "Acme", &[("frank", "viewer")]).await;
    let api = tenant.api("frank");
    let before = assumed(&sandbox);
    let refused = api.get("/v1/flows?limit=many").await.unwrap();
    assert_eq!(refused.status, 400);
    assert_eq!(
        assumed(&sandbox),
        before,
        "a malformed request costs no session"
    );
    for _ in 0..10 {
        api.get("/v1/flows").await.unwrap().expect(200).unwrap();
        api.get("/v1/connections")
            .await
            .unwrap()
            .expect(200)
            .unwrap();
    }
    assert_eq!(assumed(&sandbox), before + 1);
}

#[tokio::test]
async fn i2_without_a_session_nothing_is_done_and_nothing_falls_back() {
    let sandbox = start().await;
    let tenant = tenant(&sandbox, "Acme", &[("frank", "viewer")]).await;
    sandbox.faults.add(FaultRule {
        service: "sts".to_owned(),
        operation: "AssumeRole".to_owned(),
        fault: Fault::Status {
            status: 503,
            retry_after: None,
            body: String::new(),
        },
        times: 50,
    });
    let answer = tenant.api("frank").get("/v1/flows").await.unwrap();
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert!(answer.headers.contains_key("retry-after"));
    sandbox.faults.clear();
}
