//! I7: a tenant that is gone is gone for good.

use std::time::Duration;

use reqwest::Method;
use sandbox::client::Api;
use serde_json::{Value, json};

use super::{call, time_passes};
use crate::{
    common,
    edge::wire::{self, assert_problem},
};

/// I7: a new tenant with the name of one that was deleted sees nothing of it, and the id never comes
/// back.
#[tokio::test(flavor = "multi_thread")]
async fn i7_a_new_tenant_of_the_same_name_sees_nothing_of_the_old_one() {
    let sandbox = common::start_with(sandbox::Options {
        run_schedules: false,
        ..sandbox::Options::default()
    })
    .await;
    let operator = sandbox.operator().await.unwrap();
    let old = common::tenant(&sandbox, "Sports Gear", &[("frank", "admin")]).await;
    let account = common::customer_account(&sandbox, old.api("frank")).await;
    let connection = common::salesforce(&sandbox, &old.people["frank"], &account).await;
    let flow = common::s3_flow(&account, &connection);
    let flow = old.api("frank").post("/v1/flows", &flow).await.unwrap();
    let flow = flow.expect(201).unwrap();

    let path = format!("/v1/tenants/{}", old.id);
    assert_eq!(
        call(&operator, Method::DELETE, &path, None).await.status,
        202
    );
    time_passes(&sandbox, Duration::from_mins(2)).await;
    time_passes(&sandbox, Duration::from_mins(2)).await;
    let gone = operator.get(&path).await.unwrap().expect(200).unwrap();
    assert_eq!(gone["state"], "gone", "{gone}");

    // The same name, and even the same person.
    let new = common::tenant(&sandbox, "Sports Gear", &[("frank", "admin")]).await;
    assert_ne!(new.id, old.id);
    // A token of the second in which the old place ended counts no more; the next one does.
    let browser = &new.people["frank"].browser;
    let api = &common::eventually("a token of the new place", || async {
        let tokens = sandbox.tokens(browser, false).await.ok()?;
        let api = Api::new(&sandbox.api_url, tokens["accessToken"].as_str());
        let seen = api.get("/v1/flows").await.ok()?;
        (seen.status == 200).then_some(api)
    })
    .await;
    for list in ["/v1/flows", "/v1/connections", "/v1/accounts"] {
        let seen = api.get(list).await.unwrap().expect(200).unwrap();
        assert_eq!(seen["items"], json!([]), "{list}");
    }
    let flow = flow["id"].as_str().unwrap();
    for path in [
        format!("/v1/flows/{flow}"),
        format!("/v1/flows/{flow}/runs"),
        format!("/v1/connections/{connection}"),
        format!("/v1/accounts/{account}"),
    ] {
        let answer = api.get(&path).await.unwrap();
        assert_problem(&answer, 404, "not_found", &path);
    }

    // The tombstone takes nobody in and cannot be brought back.
    let subject = &sandbox.oidc.user("alex").unwrap().sub;
    for (method, path, body) in [
        (
            Method::PUT,
            format!("{path}/members/{subject}"),
            json!({ "roles": ["admin"] }),
        ),
        (Method::POST, format!("{path}/resume"), json!({})),
        (
            Method::POST,
            format!("{path}/suspend"),
            json!({ "reason": "Again." }),
        ),
    ] {
        let answer = call(&operator, method, &path, Some(body)).await;
        assert_problem(&answer, 409, "tenant_leaving", &path);
    }
    let chosen: Value = json!({ "id": old.id, "name": "Sports Gear" });
    let refused = operator.post("/v1/tenants", &chosen).await.unwrap();
    assert_problem(&refused, 400, "malformed_body", "an id from outside");
    wire::assert_no_failures(&sandbox);
    common::no_leaks(&sandbox).await;
}

/// An operator's request that is refused leaves its idempotency key free for a better one.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_request_of_the_operator_uses_no_key_up() {
    let sandbox = common::start().await;
    let operator = sandbox.operator().await.unwrap();
    let create = async |key: &str, members: Value| {
        let body = json!({ "name": "Acme", "members": members }).to_string();
        let headers = [("idempotency-key", key)];
        let path = "/v1/tenants";
        let answer = operator.call(Method::POST, path, Some(body), &headers);
        answer.await.unwrap()
    };
    let somebody = json!([{ "subject": "somebody", "roles": ["viewer"] }]);
    let made = create("one-first-key-of-many", somebody.clone()).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let refused = create("two-second-key-of-many", somebody).await;
    assert_problem(
        &refused,
        409,
        "subject_taken",
        "a subject of another tenant",
    );
    let better = create("two-second-key-of-many", json!([])).await;
    assert_eq!(better.status, 201, "{}", better.body);
    common::no_leaks(&sandbox).await;
}
