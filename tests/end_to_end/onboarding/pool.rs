//! The vendor's accounts fill up: the operator is told, and the next of the pool takes over (O9).

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use reqwest::Method;
use sandbox::{Options, Sandbox, client::Person};
use sandbox_core::{OTHER_CUSTOMER_ACCOUNT, VENDOR_ACCOUNT};
use serde_json::{Value, json};

use super::{text, verify};
use crate::{common, edge::wire::assert_problem};

async fn start(pool: &str) -> Arc<Sandbox> {
    let environment = BTreeMap::from([("VENDOR_ACCOUNT_POOL".to_owned(), pool.to_owned())]);
    common::start_with(Options {
        run_schedules: false,
        environment: BTreeMap::from([("FlowsFunction".to_owned(), environment)]),
        ..Options::default()
    })
    .await
}

/// Other things of the vendor's account: connector profiles that no tenant of ours has.
async fn others(sandbox: &Sandbox, from: usize, to: usize) {
    let admin = sandbox.aws.admin(VENDOR_ACCOUNT);
    for number in from..to {
        let body = json!({
            "connectorProfileName": format!("somebody-{number}"),
            "connectorType": "Amplitude", "connectionMode": "Public",
            "connectorProfileConfig": {
                "connectorProfileProperties": { "Amplitude": {} },
                "connectorProfileCredentials": { "Amplitude": { "apiKey": "k", "secretKey": "s" } },
            },
        });
        let body = Bytes::from(body.to_string());
        let path = "/create-connector-profile";
        let reply = sandbox
            .aws
            .call_rest(&admin, "appflow", Method::POST, path, body)
            .await;
        assert!(
            reply.status.is_success(),
            "{}",
            String::from_utf8_lossy(&reply.body)
        );
    }
}

/// A verified account in the vendor's.
async fn hosted(person: &Person) -> Value {
    let request = json!({ "hosting": "vendor", "region": "us-east-1" });
    let account = person.api.post("/v1/accounts", &request).await.unwrap();
    let account = account.expect(201).unwrap();
    assert_eq!(
        text(&verify(&person.api, &account).await, "state"),
        "verified"
    );
    account
}

fn connection(sandbox: &Sandbox, account: &Value) -> Value {
    json!({
        "name": "CRM", "connector": "salesforce", "accountId": account["id"],
        "returnTo": format!("{}/connected", sandbox.app_origin),
    })
}

/// How often the operator was told.
fn told(sandbox: &Sandbox) -> usize {
    sandbox
        .logs
        .text()
        .matches("connections_nearly_used_up")
        .count()
}

/// O9: with 95 of 100 used a tenant connects and the operator is told once; at 100 nobody connects
/// any more, and no tenant reads of others.
#[tokio::test(flavor = "multi_thread")]
async fn o9_at_95_the_operator_is_told_and_at_100_the_code_is_stable() {
    let sandbox = start("").await;
    let blue = common::tenant(&sandbox, "Blue", &[("frank", "admin")]).await;
    let red = common::tenant(&sandbox, "Red", &[("alex", "admin")]).await;
    let (frank, alex) = (&blue.people["frank"], &red.people["alex"]);
    let (blues, reds) = (hosted(frank).await, hosted(alex).await);
    others(&sandbox, 0, 88).await;
    let first = common::salesforce(&sandbox, frank, text(&blues, "id")).await;
    assert_eq!(told(&sandbox), 0, "89 of 100");
    let second = frank
        .api
        .post("/v1/connections", &connection(&sandbox, &blues))
        .await
        .unwrap();
    assert_eq!(second.status, 201, "{}", second.body);
    assert_eq!(told(&sandbox), 1, "90 of 100");
    let metrics = sandbox.logs.text();
    assert!(metrics.contains("\"ConnectionsUsedPercent\":90"));

    // Over all tenants: Red's connections count with Blue's.
    others(&sandbox, 88, 99).await;
    let mut refused = None;
    for _ in 0..12 {
        let answer = alex
            .api
            .post("/v1/connections", &connection(&sandbox, &reds))
            .await
            .unwrap();
        if answer.status != 201 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("the quota ends");
    assert_problem(&refused, 409, "quota_exhausted", "a hundred of a hundred");
    for own in [
        &blue.id,
        &text(&blues, "id").to_owned(),
        &"somebody-".to_owned(),
    ] {
        assert!(
            !refused.body.to_string().contains(own.as_str()),
            "{}",
            refused.body
        );
    }
    assert_eq!(told(&sandbox), 1, "one crossing, told once");
    let shown = alex
        .api
        .get(&format!("/v1/accounts/{}", text(&reds, "id")))
        .await
        .unwrap();
    assert!(shown.body["quota"].is_null(), "{}", shown.body);

    // What is deleted makes room for whoever asks next.
    let path = format!("/v1/connections/{first}");
    let deleted = frank
        .api
        .call(Method::DELETE, &path, None, &[])
        .await
        .unwrap();
    assert!(deleted.status.is_success(), "{}", deleted.body);
    let again = alex
        .api
        .post("/v1/connections", &connection(&sandbox, &reds))
        .await
        .unwrap();
    assert_eq!(again.status, 201, "{}", again.body);
    common::no_leaks(&sandbox).await;
}

/// O9: with a pool, a connection that finds the account full is made in the next account of it, which
/// is proven first; a tenant that comes then is placed where there is room.
#[tokio::test(flavor = "multi_thread")]
async fn o9_a_full_account_is_followed_by_the_next_of_the_pool() {
    let sandbox = start(OTHER_CUSTOMER_ACCOUNT).await;
    let blue = common::tenant(&sandbox, "Blue", &[("frank", "admin")]).await;
    let red = common::tenant(&sandbox, "Red", &[("alex", "admin")]).await;
    let (frank, alex) = (&blue.people["frank"], &red.people["alex"]);
    let own = hosted(frank).await;
    assert_eq!(text(&own, "awsAccountId"), VENDOR_ACCOUNT);
    others(&sandbox, 0, 100).await;

    // Nothing is launched in the pool's account yet: it proves nothing and takes nothing.
    let asked = connection(&sandbox, &own);
    let refused = frank.api.post("/v1/connections", &asked).await.unwrap();
    assert_problem(
        &refused,
        409,
        "quota_exhausted",
        "a pool that is not there yet",
    );

    launch_pool(&sandbox, frank).await;
    let id = common::salesforce(&sandbox, frank, text(&own, "id")).await;
    let made = frank
        .api
        .get(&format!("/v1/connections/{id}"))
        .await
        .unwrap()
        .body;
    let next = text(&made, "accountId");
    assert_ne!(next, text(&own, "id"));
    let account = frank
        .api
        .get(&format!("/v1/accounts/{next}"))
        .await
        .unwrap()
        .body;
    assert_eq!(
        (
            text(&account, "awsAccountId"),
            text(&account, "hosting"),
            text(&account, "state")
        ),
        (OTHER_CUSTOMER_ACCOUNT, "vendor", "verified")
    );
    for absent in ["externalId", "launchUrl", "quota"] {
        assert!(account[absent].is_null(), "{account}");
    }
    let entities = frank
        .api
        .get(&format!("/v1/connections/{id}/entities"))
        .await
        .unwrap();
    assert_eq!(entities.status, 200, "{}", entities.body);

    // Who comes now is placed where there is room; who was there before keeps their account.
    assert_eq!(
        text(&hosted(alex).await, "awsAccountId"),
        OTHER_CUSTOMER_ACCOUNT
    );
    let request = json!({ "hosting": "vendor", "region": "us-east-1" });
    let again = frank.api.post("/v1/accounts", &request).await.unwrap();
    assert_eq!(
        (again.status.as_u16(), &again.body["id"]),
        (200, &own["id"])
    );
    common::no_leaks(&sandbox).await;
}

/// The operator launches the customer's template in the pool's account, with the vendor's external id.
async fn launch_pool(sandbox: &Sandbox, person: &Person) {
    let model = super::register(&person.api, "444444444444").await;
    let link = text(&model, "launchUrl");
    let mut parameters = Sandbox::launch_parameters(link).unwrap();
    let variables =
        &sandbox.stack.resources["FlowsFunction"].properties["Environment"]["Variables"];
    let external_id = text(variables, "VENDOR_EXTERNAL_ID").to_owned();
    parameters.insert("ExternalId".to_owned(), external_id);
    sandbox
        .launch_customer_stack(OTHER_CUSTOMER_ACCOUNT, parameters)
        .await
        .unwrap();
}
