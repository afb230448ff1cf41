//! After onboarding: roles that go away, accounts that are left.

use reqwest::Method;
use sandbox::{Sandbox, client::Api};
use sandbox_core::{CUSTOMER_ACCOUNT, OTHER_CUSTOMER_ACCOUNT};
use serde_json::{Value, json};

use super::{outcomes, register, role, text, trust, verify};
use crate::{
    common,
    edge::wire::{self, assert_problem},
};

/// O8: a proven role that is deleted or narrowed makes its account `degraded`, and only that one; a
/// role that is put right makes it `verified` again. F11-like: vendor hosting is verified the same way.
#[tokio::test(flavor = "multi_thread")]
async fn o8_a_role_that_goes_away_degrades_its_account_and_no_other() {
    let sandbox = common::start().await;
    let blue = common::tenant(&sandbox, "Blue", &[("frank", "admin")]).await;
    let person = &blue.people["frank"];
    let frank = &person.api;
    let first = common::customer_account(&sandbox, frank).await;
    let second = common::customer_account_in(&sandbox, frank, OTHER_CUSTOMER_ACCOUNT).await;
    let connection = common::salesforce(&sandbox, person, &second).await;
    let account = frank
        .get(&format!("/v1/accounts/{first}"))
        .await
        .unwrap()
        .body;
    let arn = text(&account, "roleArn");
    let launched = sandbox.aws.role(arn).unwrap();

    assert!(sandbox.aws.delete_role(arn));
    let found = verify(frank, &account).await;
    assert_eq!(text(&found, "state"), "degraded", "{found}");
    assert_eq!(text(&found["report"], "reason"), "role_not_assumable");
    assert_eq!(outcomes(&found)[0], ("with_external_id", "failed"));

    // The other account of the tenant is as it was, and works.
    let other = frank
        .get(&format!("/v1/accounts/{second}"))
        .await
        .unwrap()
        .body;
    assert_eq!(text(&other, "state"), "verified");
    let entities = frank
        .get(&format!("/v1/connections/{connection}/entities"))
        .await
        .unwrap();
    assert_eq!(entities.status, 200, "{}", entities.body);
    assert_eq!(text(&verify(frank, &other).await, "state"), "verified");

    // Narrowed and widened count like deleted: the reason says which.
    let narrowed = json!({ "StringEquals": { "sts:ExternalId": "changed-by-the-customer-later" } });
    sandbox.aws.put_role(role(arn, trust(&narrowed)));
    let found = verify(frank, &account).await;
    assert_eq!(
        (text(&found, "state"), text(&found["report"], "reason")),
        ("degraded", "role_not_assumable")
    );
    sandbox.aws.put_role(role(arn, trust(&Value::Null)));
    let found = verify(frank, &account).await;
    assert_eq!(
        (text(&found, "state"), text(&found["report"], "reason")),
        ("degraded", "role_assumable_without_external_id")
    );

    sandbox.aws.put_role(launched);
    let found = verify(frank, &account).await;
    assert_eq!(text(&found, "state"), "verified", "{found}");

    vendor_hosting(frank).await;
    wire::assert_no_failures(&sandbox);
    common::no_leaks(&sandbox).await;
}

/// The vendor's own account: nothing to launch, nothing to see of its external id, the same probes.
async fn vendor_hosting(frank: &Api) {
    let request = json!({ "hosting": "vendor", "region": "us-east-1" });
    let account = frank
        .post("/v1/accounts", &request)
        .await
        .unwrap()
        .expect(201)
        .unwrap();
    for absent in ["externalId", "launchUrl", "trustPolicy"] {
        assert!(account[absent].is_null(), "{absent}: {account}");
    }
    assert_eq!(text(&account, "awsAccountId"), "111111111111");
    let found = verify(frank, &account).await;
    assert_eq!(text(&found, "state"), "verified", "{found}");
    assert_eq!(outcomes(&found).len(), 5);
    let again = frank.post("/v1/accounts", &request).await.unwrap();
    assert_eq!(
        (again.status.as_u16(), &again.body["id"]),
        (200, &account["id"])
    );
}

/// O11-like, I7: an account in use stays; one that is left takes its external id with it, and its ids
/// never come back.
#[tokio::test(flavor = "multi_thread")]
async fn o11_an_account_is_left_for_good() {
    let sandbox = common::start().await;
    let blue = common::tenant(&sandbox, "Blue", &[("frank", "admin")]).await;
    let person = &blue.people["frank"];
    let frank = &person.api;
    let id = common::customer_account(&sandbox, frank).await;
    let path = format!("/v1/accounts/{id}");
    let old = frank.get(&path).await.unwrap().body;
    let connection = common::salesforce(&sandbox, person, &id).await;

    let delete = async |path: &str| frank.call(Method::DELETE, path, None, &[]).await.unwrap();
    assert_problem(
        &delete(&path).await,
        409,
        "account_in_use",
        "an account in use",
    );
    let gone = delete(&format!("/v1/connections/{connection}")).await;
    assert!(gone.status.is_success(), "{}", gone.body);
    assert_eq!(delete(&path).await.status, 204);
    assert_problem(&delete(&path).await, 404, "not_found", "deleted twice");
    for (method, path) in [
        (Method::GET, path.clone()),
        (Method::POST, format!("{path}/verify")),
    ] {
        let answer = frank.call(method, &path, None, &[]).await.unwrap();
        assert_problem(&answer, 404, "not_found", &path);
    }
    let left = sandbox.table_items().await;
    let traces = left
        .iter()
        .filter(|item| item.to_string().contains(text(&old, "externalId")));
    assert_eq!(traces.count(), 0, "the external id is kept somewhere");

    // The same AWS account again is a new account: the role that still stands there proves nothing.
    let new = register(frank, CUSTOMER_ACCOUNT).await;
    assert_ne!(new["id"], old["id"]);
    assert_ne!(new["externalId"], old["externalId"]);
    let found = verify(frank, &new).await;
    assert_eq!(text(&found["report"], "reason"), "role_not_assumable");
    let parameters = Sandbox::launch_parameters(text(&new, "launchUrl")).unwrap();
    sandbox
        .launch_customer_stack(CUSTOMER_ACCOUNT, parameters)
        .await
        .unwrap();
    assert_eq!(text(&verify(frank, &new).await, "state"), "verified");
    wire::assert_no_failures(&sandbox);
    common::no_leaks(&sandbox).await;
}
