//! What an operator sees and does at the control port: the record of calls, trouble, limits.

use reqwest::StatusCode;
use sandbox_core::VENDOR_ACCOUNT;
use serde_json::{Value, json};

use super::world::{World, directory_id, rows, totals};

async fn control(world: &World, path: &str) -> Value {
    let url = world.sandbox.control_url.join(path).unwrap();
    let answer = reqwest::get(url).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    answer.json().await.unwrap()
}

async fn set(world: &World, path: &str, body: Value) {
    let url = world.sandbox.control_url.join(path).unwrap();
    let answer = reqwest::Client::new().post(url).json(&body).send().await;
    assert_eq!(answer.unwrap().status(), StatusCode::OK);
}

/// Q3: the record names the person, the directory and the role, and holds no SQL.
#[tokio::test(flavor = "multi_thread")]
async fn q3_the_trail_names_the_person_behind_a_statement() {
    let world = World::new().await;
    world.directory(|_| true);
    let api = world.session("frank").await;
    rows(&api, &totals()).await;
    let user = directory_id("frank");
    let trail = control(
        &world,
        &format!("cloudtrail?eventName=ExecuteStatement&userId={user}"),
    )
    .await;
    let [record] = trail["Records"].as_array().unwrap().as_slice() else {
        panic!("{trail}");
    };
    let identity = &record["userIdentity"];
    assert_eq!(identity["onBehalfOf"]["userId"], user.as_str());
    let store = identity["onBehalfOf"]["identityStoreArn"].as_str().unwrap();
    assert!(
        store.starts_with(&format!(
            "arn:aws:identitystore::{VENDOR_ACCOUNT}:identitystore/d-"
        )),
        "{store}"
    );
    let role = identity["sessionContext"]["sessionIssuer"]["arn"]
        .as_str()
        .unwrap();
    assert!(role.contains(":role/"), "{role}");
    assert_eq!(record["requestParameters"]["sql"], "***OMITTED***");
    // Everything that happened to the statement is found by its id, and nobody else is in it.
    let id = record["responseElements"]["id"].as_str().unwrap();
    let trail = control(&world, &format!("cloudtrail?statementId={id}")).await;
    let names: Vec<&str> = trail["Records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["eventName"].as_str().unwrap())
        .collect();
    assert!(names.contains(&"GetStatementResult"), "{names:?}");
    let nobody = control(&world, "cloudtrail?userId=nobody").await;
    assert_eq!(nobody["Records"], json!([]));
}

/// Failures and throttles on demand, for each operation by its name.
#[tokio::test(flavor = "multi_thread")]
async fn trouble_on_demand_is_ridden_out() {
    let world = World::new().await;
    let api = world.session("frank").await;
    for operation in ["ExecuteStatement", "GetStatementResult"] {
        let trouble = json!({ "operation": operation, "code": "ThrottlingException", "times": 1 });
        set(&world, "warehouse/trouble", trouble).await;
        let before = world.calls(&["redshift-data"]).len();
        assert!(!rows(&api, &totals()).await.is_empty());
        let throttled = world.calls(&["redshift-data"]).split_off(before);
        assert!(
            throttled
                .iter()
                .any(|call| call.operation == operation && call.status == 400),
            "{throttled:?}"
        );
    }
}
