//! Events of an account must reach us, and only those that verification sent count.

use sandbox_core::{CUSTOMER_ACCOUNT, OTHER_CUSTOMER_ACCOUNT, VENDOR_ACCOUNT};
use serde_json::{Value, json};

use super::{outcomes, text, verify};
use crate::common;

/// Switches a rule of an account off, or on again.
async fn switch(sandbox: &sandbox::Sandbox, account: &str, rule: &Value, on: bool) {
    let operation = if on { "EnableRule" } else { "DisableRule" };
    let admin = sandbox.aws.admin(account);
    let reply = sandbox.aws.call(&admin, "events", operation, rule).await;
    assert!(
        reply.status.is_success(),
        "{}",
        String::from_utf8_lossy(&reply.body)
    );
}

/// What is written down of accounts and of events that came.
async fn table(sandbox: &sandbox::Sandbox) -> Vec<String> {
    let items = sandbox.table_items().await;
    let mut items: Vec<String> = items
        .iter()
        .map(Value::to_string)
        .filter(|item| item.contains("EVENTPROBE") || item.contains("ACCOUNT#"))
        .collect();
    items.sort();
    items
}

/// O7: a rule that is switched off forwards nothing, and the report says so. What another account
/// sends with the nonce of a verification is not believed.
#[tokio::test(flavor = "multi_thread")]
async fn o7_events_that_do_not_come_are_found_out_in_both_hosting_modes() {
    let sandbox = common::start().await;
    let blue = common::tenant(&sandbox, "Blue", &[("frank", "admin")]).await;
    let frank = blue.api("frank");
    let id = common::customer_account(&sandbox, frank).await;
    let account = json!({ "id": id });
    let rule = json!({ "Name": "ForwardRule" });
    switch(&sandbox, CUSTOMER_ACCOUNT, &rule, false).await;
    let found = verify(frank, &account).await;
    assert_eq!(text(&found, "state"), "degraded", "{found}");
    assert_eq!(text(&found["report"], "reason"), "events_not_forwarded");
    assert_eq!(outcomes(&found)[4], ("event_forwarding", "failed"));
    let detail = text(&found["report"]["probes"][4], "detail");
    assert!(detail.contains("No event arrived within 15 s"), "{detail}");
    assert!(found["report"]["missing"].is_null(), "{found}");

    // A second verification waits; somebody else's account sends something meanwhile.
    let forged = json!({
        "source": "tributary.verification", "detail-type": "Tributary Account Verification",
        "detail": { "flow-name": format!("tributary-{}-selftest", blue.id), "nonce": "guessed-by-somebody-else" },
    });
    let bus = sandbox.stack.resources["EventBus"].physical_id().to_owned();
    let before = table(&sandbox).await;
    for sender in [OTHER_CUSTOMER_ACCOUNT, CUSTOMER_ACCOUNT] {
        let entry = json!({ "Entries": [{
            "Source": forged["source"], "DetailType": forged["detail-type"],
            "Detail": forged["detail"].to_string(),
            "EventBusName": format!("arn:aws:events:us-east-1:{VENDOR_ACCOUNT}:event-bus/{bus}"),
        }] });
        let admin = sandbox.aws.admin(sender);
        let reply = sandbox
            .aws
            .call(&admin, "events", "PutEvents", &entry)
            .await;
        assert!(String::from_utf8_lossy(&reply.body).contains("\"FailedEntryCount\":0"));
    }
    sandbox.events.settled().await;
    sandbox.runtime.settled().await;
    assert_eq!(table(&sandbox).await, before, "forged events");
    assert!(
        sandbox
            .logs
            .text()
            .contains("RunEvents.UnknownVerification")
    );

    switch(&sandbox, CUSTOMER_ACCOUNT, &rule, true).await;
    let found = verify(frank, &account).await;
    assert_eq!(text(&found, "state"), "verified", "{found}");

    // Vendor hosting: the same bus as all the vendor's things, the same rule as AppFlow's events.
    let request = json!({ "hosting": "vendor", "region": "us-east-1" });
    let hosted = frank.post("/v1/accounts", &request).await.unwrap();
    let hosted = hosted.expect(201).unwrap();
    let found = verify(frank, &hosted).await;
    assert_eq!(text(&found, "state"), "verified", "{found}");
    assert_eq!(outcomes(&found)[4], ("event_forwarding", "passed"));
    common::no_leaks(&sandbox).await;
}
