//! Notifications that no message has room for.

use sandbox::client::Api;
use serde_json::Value;
use tributary::id::TenantId;
use url::Url;

use super::{decide, failed_run, told_of};
use crate::common;

/// N8: what is larger than a message is told without its data and says where the whole is; there its
/// tenant reads it, and nobody else does.
#[tokio::test(flavor = "multi_thread")]
async fn n8_a_large_notification_refers_to_the_whole() {
    let sandbox = common::start().await;
    let blue = common::tenant(&sandbox, "Blue", &[("frank", "viewer")]).await;
    let red = common::tenant(&sandbox, "Red", &[("alex", "admin")]).await;
    let tenant: TenantId = blue.id.parse().unwrap();
    // Larger than the topic takes, and small enough for the table.
    let message = "\u{e9}".repeat(150_000);
    let entry = failed_run(tenant, &message);
    let event = serde_json::to_value(&entry.event).unwrap();
    decide(&sandbox, entry).await;

    let told = told_of(&sandbox, event["subject"].as_str().unwrap()).await;
    let [reference] = &told[..] else {
        panic!("told {} times", told.len());
    };
    assert!(reference.to_string().len() < 2_000, "{reference}");
    assert_eq!(reference.get("data"), None);
    for name in ["id", "type", "subject", "time", "tenantid", "sequence"] {
        assert_eq!(reference[name], event[name], "{name}");
    }
    let path = path_of(reference);
    let whole = blue.api("frank").get(&path).await.unwrap();
    assert_eq!(whole.expect(200).unwrap(), event);

    let foreign = red.api("alex").get(&path).await.unwrap();
    let unknown = "/v1/events/0193d3f0-aaaa-5bbb-8ccc-dddddddddddd";
    let unknown = red.api("alex").get(unknown).await.unwrap();
    assert_eq!(foreign.status, 404);
    assert_eq!(unknown.status, 404);
    assert_eq!(foreign.body["code"], unknown.body["code"]);
    let nobody = Api::new(&sandbox.api_url, None).get(&path).await.unwrap();
    assert_eq!(nobody.status, 401);
    let list = red.api("alex").get("/v1/events").await.unwrap();
    assert_eq!(list.expect(200).unwrap()["items"], serde_json::json!([]));
    common::no_leaks(&sandbox).await;
}

/// N8: what is larger than the table takes loses its largest member, says so, and is told.
#[tokio::test(flavor = "multi_thread")]
async fn n8_what_no_item_takes_is_told_without_its_largest_member() {
    let sandbox = common::start().await;
    let blue = common::tenant(&sandbox, "Blue", &[("frank", "viewer")]).await;
    let entry = failed_run(blue.id.parse().unwrap(), &"x".repeat(1_000_000));
    let subject = entry.event.subject.clone();
    decide(&sandbox, entry).await;
    let told = told_of(&sandbox, &subject).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["data"]["omitted"], serde_json::json!(["message"]));
    assert_eq!(told[0]["data"]["cause"], "internal");
    common::no_leaks(&sandbox).await;
}

/// Where a reference leads, below the API's address.
fn path_of(reference: &Value) -> String {
    let url: Url = reference["dataref"].as_str().unwrap().parse().unwrap();
    url.path().to_owned()
}
