//! Tags and the catalogue of connectors.

use serde_json::{Value, json};

use super::world::{ACCOUNT, World, flow};

#[tokio::test]
async fn tags_are_set_listed_and_removed_by_encoded_arn() {
    let world = World::new().await;
    world.connect().await;
    world.ok("create-flow", flow("tagged")).await;
    let path = format!("/tags/arn%3Aaws%3Aappflow%3Aus-east-1%3A{ACCOUNT}%3Aflow%2Ftagged");
    let tags = json!({ "tags": { "tributary:tenant": "ten_1", "env": "prod", "x": "y" } });
    assert_eq!(
        world
            .raw(ACCOUNT, "POST", &path, &tags.to_string())
            .await
            .status,
        200
    );
    let removed = world
        .raw(
            ACCOUNT,
            "DELETE",
            &format!("{path}?tagKeys=env&tagKeys=x"),
            "",
        )
        .await;
    assert_eq!(removed.status, 200);
    let listed = world.raw(ACCOUNT, "GET", &path, "").await;
    assert_eq!(listed.body["tags"], json!({ "tributary:tenant": "ten_1" }));
    let bad = json!({ "tags": { "aws:x": "1" } });
    assert_eq!(
        world
            .raw(ACCOUNT, "POST", &path, &bad.to_string())
            .await
            .exception,
        "ValidationException"
    );
    let other = path.replace("tagged", "other");
    assert_eq!(
        world.raw(ACCOUNT, "GET", &other, "").await.exception,
        "ResourceNotFoundException"
    );
    assert_eq!(world.raw(ACCOUNT, "PUT", &path, "").await.status, 404);
}

#[tokio::test]
async fn the_catalogue_is_described_and_listed() {
    let world = World::new().await;
    let salesforce = world
        .ok(
            "describe-connector",
            json!({ "connectorType": "Salesforce" }),
        )
        .await;
    assert_eq!(
        salesforce["connectorConfiguration"]["canUseAsDestination"],
        true
    );
    let label = json!({ "connectorType": "CustomConnector", "connectorLabel": "HubSpot" });
    let hubspot = world.ok("describe-connector", label).await;
    assert_eq!(
        hubspot["connectorConfiguration"]["connectorLabel"],
        "HubSpot"
    );
    let without = world
        .call(
            "describe-connector",
            json!({ "connectorType": "CustomConnector" }),
        )
        .await;
    assert_eq!(without.exception, "ValidationException");
    let some = world
        .ok(
            "describe-connectors",
            json!({ "connectorTypes": ["S3", "Zendesk"] }),
        )
        .await;
    assert_eq!(
        some["connectorConfigurations"]
            .as_object()
            .expect("map")
            .len(),
        2
    );
    assert_eq!(some["connectors"].as_array().expect("list").len(), 2);
    let first = world.ok("list-connectors", json!({})).await;
    assert_eq!(first["connectors"].as_array().expect("list").len(), 20);
    let rest = world
        .ok(
            "list-connectors",
            json!({ "nextToken": first["nextToken"] }),
        )
        .await;
    assert_eq!(rest["connectors"].as_array().expect("list").len(), 15);
    assert_eq!(rest["nextToken"], Value::Null);
}
