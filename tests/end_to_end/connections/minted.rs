//! Salesforce without a consent: client credentials, an assertion, a password. We get the tokens, AppFlow
//! gets access tokens only.

use reqwest::Method;
use sandbox_saas::OwnApp;
use serde_json::{Value, json};

use super::world::World;

const CLIENT: &str = "3MVG-customers-own";

fn set_up(world: &World) -> (OwnApp, String) {
    let user = world.sandbox.salesforce_admin();
    let (app, key) = OwnApp::generate(CLIENT, &user).unwrap();
    world.sandbox.salesforce.set_up_app(app.clone());
    (app, key)
}

fn request(world: &World, auth: &str, credentials: &Value) -> Value {
    json!({
        "name": "CRM", "connector": "salesforce", "accountId": world.account,
        "auth": auth, "instance": "acme", "credentials": credentials,
    })
}

/// C13: each of the three works after one token call, and a wrong secret is told as such.
#[tokio::test]
async fn c13_tokens_for_credentials_are_the_live_check() {
    let world = World::start().await;
    let (app, key) = set_up(&world);
    let (other, other_key) = OwnApp::generate("other", &app.username).unwrap();
    drop(other);
    for (auth, right, wrong) in [
        (
            "oauth_client_credentials",
            json!({ "clientId": CLIENT, "clientSecret": app.client_secret }),
            json!({ "clientId": CLIENT, "clientSecret": "canary-wrong" }),
        ),
        (
            "oauth_jwt_bearer",
            json!({ "clientId": CLIENT, "username": app.username, "privateKey": key }),
            json!({ "clientId": CLIENT, "username": app.username, "privateKey": other_key }),
        ),
        (
            "oauth_password",
            json!({ "clientId": CLIENT, "clientSecret": app.client_secret, "username": app.username, "password": app.password }),
            json!({ "clientId": CLIENT, "clientSecret": app.client_secret, "username": app.username, "password": "canary-wrong" }),
        ),
    ] {
        let api = &world.frank().api;
        let answer = api
            .post("/v1/connections", &request(&world, auth, &wrong))
            .await
            .unwrap();
        assert_eq!(answer.status, 409, "{auth}: {}", answer.body);
        assert_eq!(answer.code(), "invalid_credentials", "{auth}");
        assert!(!answer.body.to_string().contains("canary"));

        let made = api
            .post("/v1/connections", &request(&world, auth, &right))
            .await
            .unwrap()
            .expect(201)
            .unwrap();
        assert_eq!(made["state"], "active", "{auth}: {made}");
        assert_eq!(made["tokenOwner"], "tributary");
        assert!(made["org"].is_string());
        assert!(world.works(made["id"].as_str().unwrap()).await, "{auth}");
    }
}

/// C13: a rotated client secret is tried before it replaces the old one.
#[tokio::test]
async fn c13_a_client_secret_is_rotated() {
    let world = World::start().await;
    let (mut app, _) = set_up(&world);
    let credentials = json!({ "clientId": CLIENT, "clientSecret": app.client_secret });
    let api = &world.frank().api;
    let made = api
        .post(
            "/v1/connections",
            &request(&world, "oauth_client_credentials", &credentials),
        )
        .await
        .unwrap()
        .expect(201)
        .unwrap();
    let path = format!(
        "/v1/connections/{}/credentials",
        made["id"].as_str().unwrap()
    );
    "rotated-by-the-customer".clone_into(&mut app.client_secret);
    world.sandbox.salesforce.set_up_app(app.clone());
    let put = |secret: &str| {
        let body = json!({ "credentials": { "clientId": CLIENT, "clientSecret": secret } });
        api.call(Method::PUT, &path, Some(body.to_string()), &[])
    };
    let refused = put("not-this-one").await.unwrap();
    assert_eq!(refused.code(), "invalid_credentials");
    let changed = put(&app.client_secret).await.unwrap().expect(200).unwrap();
    assert_eq!(changed["state"], "active");
}

/// C13: when a token is due, the worker mints the next one with the credentials that it reads then.
#[tokio::test(flavor = "multi_thread")]
async fn c13_a_token_is_minted_anew_when_it_is_due() {
    let world = World::start().await;
    let (app, _) = set_up(&world);
    let credentials = json!({ "clientId": CLIENT, "clientSecret": app.client_secret });
    let body = request(&world, "oauth_client_credentials", &credentials);
    let made = world.frank().api.post("/v1/connections", &body).await;
    let made = made.unwrap().expect(201).unwrap();
    let connection = made["id"].as_str().unwrap();
    let (kept, pushed) = world.record(connection).await.generations();
    world.when_due(connection).await;
    let record = world.record(connection).await;
    assert_eq!(record.generations(), (kept + 1, pushed + 1));
    assert!(world.works(connection).await);
    world.end().await;
}
