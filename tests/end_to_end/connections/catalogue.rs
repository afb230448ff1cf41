//! The catalogue: a form for every connection can be drawn from it, and what it offers can be made.

use serde_json::{Map, Value, json};

use super::world::World;

/// A value that fits a field of the catalogue.
pub(super) fn value(field: &Value) -> String {
    if let Some(first) = field["values"].get(0).and_then(Value::as_str) {
        return first.to_owned();
    }
    let pattern = field["pattern"].as_str().unwrap_or_default();
    for (begin, sample) in [
        ("^https://[a-z0-9.-]+/", "https://acme.example.com/token"),
        ("^https://", "https://acme.example.com"),
        ("^0Uv", "0Uv000000000001AAA"),
        ("^arn:", "arn:aws:iam::111111111111:role/sample"),
        ("^[0-9]{3}$", "100"),
        ("^[1-9]", "443"),
        ("^[A-Za-z]{1,2}", "EN"),
        ("^/", "/sap/opu/odata"),
    ] {
        if pattern.starts_with(begin) {
            return sample.to_owned();
        }
    }
    "sample".to_owned()
}

/// The members of a request that a form of this method would make.
pub(super) fn filled(method: &Value) -> Value {
    let fields = |part: &str| -> Map<String, Value> {
        let fields = method[part].as_array().unwrap().iter();
        fields
            .map(|field| {
                let name = field["name"].as_str().unwrap().to_owned();
                (name, value(field).into())
            })
            .collect()
    };
    let mut request = json!({
        "auth": method["kind"],
        "properties": fields("properties"),
        "credentials": fields("credentials"),
    });
    if method["instance"]["required"] == true {
        request["instance"] = json!("acme");
    }
    request
}

pub(super) async fn connectors(world: &World) -> Vec<Value> {
    let list = world.frank().api.get("/v1/connectors").await.unwrap();
    let list = list.expect(200).unwrap();
    list["items"].as_array().unwrap().clone()
}

/// C13: whatever AppFlow uses itself is connected from the catalogue's own form, and seen to work; with
/// a wrong secret it is not, and nothing of it is left.
#[tokio::test]
async fn c13_every_form_of_the_catalogue_makes_a_connection() {
    let world = World::start().await;
    let mut made = 0;
    for row in connectors(&world).await {
        let key = row["key"].as_str().unwrap();
        // Its label is the account's own, and Redshift's roles are tried elsewhere.
        if row["retired"] == true || ["custom", "redshift"].contains(&key) {
            continue;
        }
        for method in row["methods"].as_array().unwrap() {
            if !["entities", "profile"].contains(&method["liveCheck"].as_str().unwrap()) {
                continue;
            }
            let mut request = filled(method);
            request["name"] = json!(key);
            request["connector"] = json!(key);
            request["accountId"] = json!(world.account);
            // This one is asked by AppFlow itself.
            if key == "serviceNow" {
                request["credentials"] = json!({
                    "username": "olivia@acme.example", "password": "olivia-password-local",
                });
            }
            let api = &world.frank().api;
            let answer = api.post("/v1/connections", &request).await.unwrap();
            assert_eq!(answer.status, 201, "{key}: {}", answer.body);
            assert_eq!(answer.body["state"], "active", "{key}: {}", answer.body);
            assert!(answer.body.get("credentials").is_none());
            made += 1;

            let secret = method["credentials"]
                .as_array()
                .unwrap()
                .iter()
                .find(|field| field["secret"] == true)
                .unwrap();
            request["credentials"][secret["name"].as_str().unwrap()] =
                json!(super::credentials::WRONG);
            let answer = api.post("/v1/connections", &request).await.unwrap();
            assert_eq!(answer.status, 409, "{key}: {}", answer.body);
            assert_eq!(answer.code(), "invalid_credentials", "{key}");
            assert!(!answer.body.to_string().contains(super::credentials::WRONG));
        }
    }
    assert!(made >= 15, "{made}");
    let listed = world.frank().api.get("/v1/connections?limit=100").await;
    let listed = listed.unwrap().expect(200).unwrap();
    assert_eq!(
        listed["items"].as_array().unwrap().len(),
        made,
        "what was refused left nothing behind"
    );
}

/// Consents: the form says what will be asked for, and where.
#[tokio::test]
async fn a_consents_form_names_provider_rights_and_host() {
    let world = World::start().await;
    let rows = connectors(&world).await;
    let row = |key: &str| rows.iter().find(|row| row["key"] == key).unwrap();
    for (key, provider, base) in [
        (
            "salesforce",
            "salesforce",
            "https://{instance}.my.salesforce.com",
        ),
        (
            "serviceNow",
            "service-now",
            "https://{instance}.service-now.com",
        ),
        ("zendesk", "zendesk", "https://{instance}.zendesk.com"),
        (
            "dynamics365",
            "microsoft",
            "https://{instance}.api.crm.dynamics.com",
        ),
    ] {
        let row = row(key);
        assert_eq!(row["provider"], provider);
        let method = &row["methods"][0];
        assert_eq!(method["kind"], "oauth_authorization_code");
        assert!(!method["scopes"].as_array().unwrap().is_empty(), "{key}");
        assert_eq!(method["instance"]["base"], base, "{key}");
        assert_eq!(method["instance"]["required"], key != "salesforce");
    }
    assert!(row("hubSpot")["methods"][0].get("instance").is_none());
    let password = row("salesforce")["methods"]
        .as_array()
        .unwrap()
        .iter()
        .find(|method| method["kind"] == "oauth_password")
        .unwrap();
    assert_eq!(password["discouraged"], true);
}
