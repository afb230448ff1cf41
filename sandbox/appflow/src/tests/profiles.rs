//! Connector profiles: live validation, secrets, renewal, metadata.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    account::secret_arn,
    world::{ACCOUNT, OTHER, World, flow},
};

/// Everything a caller or a bus has seen so far, as text.
async fn seen(world: &World) -> String {
    let profiles = world.ok("describe-connector-profiles", json!({})).await;
    format!("{profiles} {:?}", world.memory.look().events)
}

#[tokio::test]
async fn an_access_token_alone_is_validated_and_kept_in_a_secret_only() {
    let world = World::new().await;
    world.connect().await;
    let details = world.ok("describe-connector-profiles", json!({})).await;
    let profile = &details["connectorProfileDetails"][0];
    let reference: Value = serde_json::from_str(include_str!(
        "../../tests-data/response-describe-connector-profiles.json"
    ))
    .expect("JSON");
    for member in reference["connectorProfileDetails"][0]
        .as_object()
        .expect("object")
        .keys()
    {
        assert!(
            profile.as_object().expect("object").contains_key(member),
            "{member}"
        );
    }
    let arn = profile["credentialsArn"].as_str().expect("arn");
    let prefix = format!("arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:appflow!{ACCOUNT}-sf-");
    assert!(arn.starts_with(&prefix), "{arn}");
    let secret = world.memory.look().secrets[&(ACCOUNT.to_owned(), arn.to_owned())].clone();
    assert_eq!(secret, r#"{"accessToken":"00D-access-token-1"}"#);
    assert!(!seen(&world).await.contains("00D-access-token-1"));
    assert!(world.salesforce.org().grants.is_empty());
}

#[tokio::test]
async fn a_refused_access_token_makes_no_profile_and_no_secret() {
    let world = World::new().await;
    let body = world.profile("sf", &json!({ "accessToken": "00D-canary-expired" }));
    let refused = world.call("create-connector-profile", body).await;
    assert_eq!(
        (refused.status, refused.exception.as_str()),
        (401, "ConnectorAuthenticationException")
    );
    assert!(
        refused
            .message()
            .starts_with("Error authenticating to connector: "),
        "{refused:?}"
    );
    assert!(
        refused.message().contains("INVALID_SESSION_ID"),
        "{refused:?}"
    );
    assert!(!refused.message().contains("canary"));
    assert!(world.memory.look().secrets.is_empty());
    let none = world.ok("describe-connector-profiles", json!({})).await;
    assert_eq!(none["connectorProfileDetails"], json!([]));
}

#[tokio::test]
async fn a_stale_access_token_is_renewed_with_a_refresh_token_and_the_apps_secret() {
    let world = World::new().await;
    let arn = world.app_secret().await;
    let credentials = json!({ "accessToken": "00D-stale", "refreshToken": "5Aep-refresh-token-1",
        "clientCredentialsArn": arn });
    world
        .ok(
            "create-connector-profile",
            world.profile("sf", &credentials),
        )
        .await;
    assert_eq!(world.salesforce.org().grants, ["refresh_token"]);
    let things = world.memory.look();
    let stored = things
        .secrets
        .values()
        .find(|s| s.contains("accessToken"))
        .expect("secret")
        .clone();
    assert!(
        stored.contains("00D-access-token-2") && stored.contains("5Aep-refresh-token-2"),
        "{stored}"
    );
}

#[tokio::test]
async fn an_authorization_code_is_exchanged() {
    let world = World::new().await;
    let arn = world.app_secret().await;
    let request = |code: &str| {
        json!({ "oAuth2GrantType": "AUTHORIZATION_CODE", "clientCredentialsArn": arn,
            "oAuthRequest": { "authCode": code, "redirectUri": "https://app.example.com/cb" } })
    };
    let refused = world
        .call(
            "create-connector-profile",
            world.profile("bad", &request("bad-code")),
        )
        .await;
    assert_eq!(refused.exception, "ConnectorAuthenticationException");
    assert!(refused.message().contains("invalid_grant") && !refused.message().contains("bad-code"));
    world
        .ok(
            "create-connector-profile",
            world.profile("sf", &request("good-code")),
        )
        .await;
    assert_eq!(
        world.salesforce.org().grants,
        ["authorization_code", "authorization_code"]
    );
}

#[tokio::test]
async fn credentials_without_token_or_code_are_refused_as_blank() {
    let world = World::new().await;
    let arn = world.app_secret().await;
    for credentials in [
        json!({ "clientCredentialsArn": arn }),
        json!({ "oAuth2GrantType": "CLIENT_CREDENTIALS", "clientCredentialsArn": arn }),
    ] {
        let refused = world
            .call(
                "create-connector-profile",
                world.profile("sf", &credentials),
            )
            .await;
        assert_eq!(refused.exception, "ValidationException");
        assert_eq!(
            refused.message(),
            "Validation exception: AuthCode cannot be blank for connector: SALESFORCE"
        );
    }
}

#[tokio::test]
async fn a_jwt_is_exchanged_and_presented_again_when_needed() {
    let world = World::new().await;
    let credentials = json!({ "oAuth2GrantType": "JWT_BEARER", "jwtToken": "aa.bb.cc" });
    world
        .ok(
            "create-connector-profile",
            world.profile("sf", &credentials),
        )
        .await;
    world.salesforce.org().access_token = "00D-another".to_owned();
    world.ok("create-flow", flow("by-jwt")).await;
    assert_eq!(world.salesforce.org().grants.len(), 2);
    assert_eq!(world.run("by-jwt").await["executionStatus"], "Successful");
}

#[tokio::test]
async fn every_reference_profile_of_another_application_is_kept_without_a_call() {
    let world = World::new().await;
    for body in [
        include_str!("../../tests-data/create-connector-profile-04-servicenow-basic.json"),
        include_str!("../../tests-data/create-connector-profile-05-servicenow-oauth2.json"),
        include_str!("../../tests-data/create-connector-profile-06-redshift-dataapi.json"),
        include_str!("../../tests-data/create-connector-profile-07-hubspot-oauth2.json"),
        include_str!("../../tests-data/create-connector-profile-08-jdbc-custom-auth.json"),
        include_str!("../../tests-data/create-connector-profile-09-sapodata-basic-private.json"),
        include_str!("../../tests-data/create-connector-profile-10-zendesk-oauth.json"),
    ] {
        let body: Value = serde_json::from_str(body).expect("JSON");
        world.ok("create-connector-profile", body).await;
    }
    let shown = seen(&world).await;
    assert!(!shown.contains("EXAMPLE"), "{shown}");
    let custom = json!({ "connectorType": "CustomConnector", "connectorLabel": "HubSpot" });
    let found = world.ok("describe-connector-profiles", custom).await;
    assert_eq!(
        found["connectorProfileDetails"]
            .as_array()
            .expect("list")
            .len(),
        1
    );
}

#[tokio::test]
async fn a_private_connection_is_pending_for_minutes() {
    let world = World::new().await;
    let body: Value = serde_json::from_str(include_str!(
        "../../tests-data/create-connector-profile-09-sapodata-basic-private.json"
    ))
    .expect("JSON");
    world.ok("create-connector-profile", body).await;
    for status in ["PENDING", "CREATED"] {
        let shown = world.ok("describe-connector-profiles", json!({})).await;
        let state = &shown["connectorProfileDetails"][0]["privateConnectionProvisioningState"];
        assert_eq!(state["status"], status);
        world.clock.advance(Duration::from_mins(4));
    }
}

#[tokio::test]
async fn structure_of_profiles_is_checked() {
    let world = World::new().await;
    let mut redshift: Value = serde_json::from_str(include_str!(
        "../../tests-data/create-connector-profile-06-redshift-dataapi.json"
    ))
    .expect("JSON");
    redshift["connectorProfileConfig"]["connectorProfileProperties"]["Redshift"]["dataApiRoleArn"] =
        Value::Null;
    let refused = world.call("create-connector-profile", redshift).await;
    assert_eq!(refused.exception, "ConnectorServerException");
    assert!(
        refused
            .message()
            .contains("dataApiRoleArn cannot be null or empty")
    );

    let mut unknown: Value = serde_json::from_str(include_str!(
        "../../tests-data/create-connector-profile-07-hubspot-oauth2.json"
    ))
    .expect("JSON");
    unknown["connectorLabel"] = json!("Nowhere");
    let refused = world
        .call("create-connector-profile", unknown.clone())
        .await;
    assert_eq!(
        (refused.status, refused.exception.as_str()),
        (404, "ResourceNotFoundException")
    );
    assert_eq!(
        refused.message(),
        "Connector:Nowhere is not registered. Please register it first before creating ConnectorProfile."
    );
    let register: Value = serde_json::from_str(include_str!(
        "../../tests-data/register-connector-01-lambda.json"
    ))
    .expect("JSON");
    world.ok("register-connector", register).await;
    unknown["connectorLabel"] = json!("acme-crm");
    world.ok("create-connector-profile", unknown).await;
    let label = json!({ "connectorLabel": "acme-crm" });
    assert_eq!(
        world
            .call("unregister-connector", label.clone())
            .await
            .exception,
        "ConflictException"
    );
    world.ok("update-connector-registration", label).await;
    let force = json!({ "connectorLabel": "acme-crm", "forceDelete": true });
    world.ok("unregister-connector", force).await;
}

#[tokio::test]
async fn a_profile_in_use_is_deleted_by_force_only() {
    let world = World::new().await;
    world.connect().await;
    world.ok("create-flow", flow("f1")).await;
    let name = json!({ "connectorProfileName": "sf" });
    let refused = world.call("delete-connector-profile", name).await;
    assert_eq!(
        (refused.status, refused.exception.as_str()),
        (409, "ConflictException")
    );
    assert_eq!(
        refused.message(),
        "Conflict executing request: Connector profile: sf is associated with one or more flows. If you \
         still want to delete it, then make delete request with forceDelete flag as true. Some of the \
         associated flows are: [f1]"
    );
    let force = json!({ "connectorProfileName": "sf", "forceDelete": true });
    world.ok("delete-connector-profile", force).await;
    assert!(world.memory.look().secrets.is_empty());
    assert_eq!(world.run("f1").await["executionStatus"], "Error");
}

#[tokio::test]
async fn metadata_is_cached_for_an_hour_and_reset_on_demand() {
    let world = World::new().await;
    world.connect().await;
    let list = json!({ "connectorProfileName": "sf", "connectorType": "Salesforce" });
    let entities = world.ok("list-connector-entities", list).await;
    assert_eq!(
        entities["connectorEntityMap"]["Objects"],
        json!([
            { "name": "Account", "label": "Account", "hasNestedEntities": false },
            { "name": "City__c", "label": "City", "hasNestedEntities": false },
        ])
    );
    let describe = json!({ "connectorProfileName": "sf", "connectorEntityName": "City__c" });
    let described = world
        .ok("describe-connector-entity", describe.clone())
        .await;
    let fields = described["connectorEntityFields"].as_array().expect("list");
    assert_eq!(fields.len(), 5);
    assert_eq!(
        fields[2]["supportedFieldTypeDetails"]["v1"]["fieldType"],
        "currency"
    );
    world
        .ok("describe-connector-entity", describe.clone())
        .await;
    assert_eq!(world.salesforce.org().describes, 1);
    world
        .ok("reset-connector-metadata-cache", describe.clone())
        .await;
    world
        .ok("describe-connector-entity", describe.clone())
        .await;
    assert_eq!(world.salesforce.org().describes, 2);
    world.clock.advance(Duration::from_mins(61));
    world.ok("describe-connector-entity", describe).await;
    assert_eq!(world.salesforce.org().describes, 3);
}

#[tokio::test]
async fn an_expired_token_shows_on_metadata_and_runs_and_an_update_heals_it() {
    let world = World::new().await;
    world.connect().await;
    world.ok("create-flow", flow("f1")).await;
    world.salesforce.org().access_token = "00D-access-token-9".to_owned();
    let list = json!({ "connectorProfileName": "sf" });
    let refused = world.call("list-connector-entities", list.clone()).await;
    assert_eq!(
        (refused.status, refused.exception.as_str()),
        (401, "ConnectorAuthenticationException")
    );
    let refused = world.call("create-flow", flow("g1")).await;
    assert_eq!(refused.message(), "Error while authenticating to connector");
    let record = world.run("f1").await;
    assert_eq!(record["executionStatus"], "Error");
    let message = record["executionResult"]["errorInfo"]["executionMessage"]
        .as_str()
        .expect("message");
    assert!(
        message.starts_with("Error authenticating to connector: "),
        "{message}"
    );
    assert!(message.contains("INVALID_SESSION_ID"), "{message}");
    // AppFlow does not own a refresh token here, so it never asked for one.
    assert!(world.salesforce.org().grants.is_empty());

    let update = world.profile("sf", &json!({ "accessToken": "00D-access-token-9" }));
    world.ok("update-connector-profile", update).await;
    world.ok("list-connector-entities", list).await;
    assert_eq!(world.run("f1").await["executionStatus"], "Successful");
    assert!(!seen(&world).await.contains("00D-access-token"));
}

#[tokio::test]
async fn runs_at_the_same_time_renew_a_token_once() {
    let world = World::new().await;
    let arn = world.app_secret().await;
    let credentials = json!({ "accessToken": "00D-access-token-1", "refreshToken": "5Aep-refresh-token-1",
        "clientCredentialsArn": arn });
    world
        .ok(
            "create-connector-profile",
            world.profile("sf", &credentials),
        )
        .await;
    for name in ["f1", "f2", "f3"] {
        world.ok("create-flow", flow(name)).await;
    }
    world.salesforce.org().access_token = "00D-expired-everywhere".to_owned();
    for name in ["f1", "f2", "f3"] {
        world.ok("start-flow", json!({ "flowName": name })).await;
    }
    world.appflow.settled().await;
    for name in ["f1", "f2", "f3"] {
        assert_eq!(world.last_run(name).await["executionStatus"], "Successful");
    }
    assert_eq!(world.salesforce.org().grants, ["refresh_token"]);
}

#[tokio::test]
async fn an_account_sees_nothing_of_another() {
    let world = World::new().await;
    world.connect().await;
    world.ok("create-flow", flow("mine")).await;
    let named = json!({ "flowName": "mine" });
    for (route, body) in [
        ("describe-flow", named.clone()),
        ("start-flow", named.clone()),
        ("delete-flow", named.clone()),
        ("describe-flow-execution-records", named),
        ("create-flow", flow("theirs")),
        (
            "list-connector-entities",
            json!({ "connectorProfileName": "sf" }),
        ),
        (
            "delete-connector-profile",
            json!({ "connectorProfileName": "sf" }),
        ),
    ] {
        let answer = world.call_as(OTHER, route, body).await;
        assert_eq!(
            answer.exception, "ResourceNotFoundException",
            "{route}: {answer:?}"
        );
    }
    assert_eq!(
        world.call_as(OTHER, "list-flows", json!({})).await.body["flows"],
        json!([])
    );
    assert_ne!(secret_arn(ACCOUNT, "x"), secret_arn(OTHER, "x"));
}

#[tokio::test]
async fn f12_a_large_org_is_paged_and_asked_once_an_hour() {
    let world = World::new().await;
    let org = super::org::Org::connected(&world).await;
    org.salesforce.grow(1_500, 800);
    let asked = || {
        let counters = org.salesforce.metadata_counters();
        (counters.object_lists, counters.describes)
    };
    let start = asked().0;
    let pages = async || {
        let (mut names, mut token) = (Vec::new(), Value::Null);
        loop {
            let mut body = json!({ "connectorProfileName": "org", "maxResults": 400 });
            if !token.is_null() {
                body["nextToken"] = token;
            }
            let page = world.ok("list-connector-entities", body).await;
            let entities = page["connectorEntityMap"]["Objects"]
                .as_array()
                .expect("list");
            assert!(entities.len() <= 400);
            names.extend(
                entities
                    .iter()
                    .map(|e| e["name"].as_str().expect("name").to_owned()),
            );
            token = page["nextToken"].clone();
            if token.is_null() {
                return names;
            }
        }
    };
    let names = pages().await;
    let different: std::collections::BTreeSet<&String> = names.iter().collect();
    assert_eq!((names.len(), different.len()), (1_500, 1_500));
    assert_eq!(pages().await, names);
    assert_eq!(asked().0, start + 1, "one call for all pages, twice");

    let wide = json!({ "connectorProfileName": "org", "connectorEntityName": "Wide__c" });
    for _ in 0..2 {
        let described = world.ok("describe-connector-entity", wide.clone()).await;
        let fields = described["connectorEntityFields"].as_array().expect("list");
        assert_eq!(fields.len(), 800);
    }
    assert_eq!(asked().1, 1);
    let whole = json!({ "connectorProfileName": "org" });
    let reset = json!({ "connectorProfileName": "org" });
    world.ok("reset-connector-metadata-cache", reset).await;
    world.ok("list-connector-entities", whole.clone()).await;
    assert_eq!(
        asked(),
        (start + 2, 1),
        "the reset of the names leaves fields alone"
    );
    world.clock.advance(Duration::from_mins(61));
    world.ok("list-connector-entities", whole).await;
    assert_eq!(asked().0, start + 3);
    for size in [0, 10_001] {
        let body = json!({ "connectorProfileName": "org", "maxResults": size });
        let refused = world.call("list-connector-entities", body).await;
        assert_eq!(refused.exception, "ValidationException", "{size}");
    }
}
