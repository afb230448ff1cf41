//! Connections with credentials of their own: tried before they are called connected, kept where nobody
//! reads them, and replaced without losing the old ones.

use reqwest::Method;
use sandbox_core::VENDOR_ACCOUNT;
use serde_json::{Value, json};

use super::world::World;

/// What every application of the sandbox refuses.
pub(super) const WRONG: &str = "wrong-credential";
const CANARY: &str = "canary-password-4711";

fn veeva(world: &World, password: &str) -> Value {
    json!({
        "name": "Documents", "connector": "veeva", "accountId": world.account,
        "auth": "basic", "instance": "acme",
        "credentials": { "username": "appflow", "password": password },
    })
}

pub(super) async fn secret(world: &World, name: &str) -> Option<Value> {
    let admin = world.sandbox.aws.admin(VENDOR_ACCOUNT);
    let request = json!({ "SecretId": name });
    let reply = world
        .sandbox
        .aws
        .call(&admin, "secretsmanager", "GetSecretValue", &request)
        .await;
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    let text = body["SecretString"].as_str()?;
    Some(serde_json::from_str(text).unwrap())
}

/// C13: a password works at once, stands in Secrets Manager, and nowhere else.
#[tokio::test]
async fn c13_a_password_is_kept_where_nobody_reads_it() {
    let world = World::start().await;
    let api = &world.frank().api;
    let request = veeva(&world, CANARY).to_string();
    let key = [("idempotency-key", "once")];
    let call = || api.call(Method::POST, "/v1/connections", Some(request.clone()), &key);
    let made = call().await.unwrap().expect(201).unwrap();
    assert_eq!(made["state"], "active");
    assert_eq!(made["auth"], "basic");
    assert_eq!(made["instance"], "acme");
    assert!(made.get("startUrl").is_none());
    let again = call().await.unwrap().expect(201).unwrap();
    assert_eq!(again["id"], made["id"], "the same key makes one connection");

    let id = made["id"].as_str().unwrap();
    let name = format!("tributary/tenants/{}/connections/{id}", world.tenant.id);
    let kept = secret(&world, &name).await.unwrap();
    assert_eq!(kept["password"], CANARY);
    assert!(world.works(id).await);

    let items = serde_json::to_string(&world.sandbox.table_items().await).unwrap();
    assert!(!items.contains(CANARY), "the table holds no password");
    let seen = world.seen(id).await.to_string();
    assert!(!seen.contains(CANARY));
}

/// C13: a wrong one is told as such, without repeating it, and leaves nothing: no connection, no secret.
#[tokio::test]
async fn c13_a_wrong_secret_is_invalid_credentials_and_leaves_nothing() {
    let world = World::start().await;
    let api = &world.frank().api;
    let answer = api
        .post("/v1/connections", &veeva(&world, WRONG))
        .await
        .unwrap();
    assert_eq!(answer.status, 409, "{}", answer.body);
    assert_eq!(answer.code(), "invalid_credentials");
    assert!(!answer.body.to_string().contains(WRONG));
    let items = world.sandbox.table_items().await;
    let left = items.iter().filter(|item| {
        item["sk"]["S"]
            .as_str()
            .is_some_and(|sk| sk.starts_with("CONNECTION#"))
    });
    assert_eq!(left.count(), 0);
    let admin = world.sandbox.aws.admin(VENDOR_ACCOUNT);
    let listed = world
        .sandbox
        .aws
        .call(&admin, "secretsmanager", "ListSecrets", &json!({}))
        .await;
    let listed = String::from_utf8_lossy(&listed.body).into_owned();
    assert!(!listed.contains("/connections/"), "{listed}");
}

/// C13: what cannot be read is refused without repeating it either.
#[tokio::test]
async fn c13_no_fault_repeats_a_secret() {
    let world = World::start().await;
    let mut request = veeva(&world, CANARY);
    request["credentials"]["pin"] = json!(47_114_711);
    let api = &world.frank().api;
    let answer = api.post("/v1/connections", &request).await.unwrap();
    assert_eq!(answer.status, 400);
    let said = answer.body.to_string();
    assert!(
        !said.contains("47114711") && !said.contains(CANARY),
        "{said}"
    );

    let mut request = veeva(&world, &format!("{CANARY}\n"));
    request["credentials"]["token"] = json!(CANARY);
    let answer = api.post("/v1/connections", &request).await.unwrap();
    assert_eq!(answer.status, 422);
    let said = answer.body.to_string();
    assert!(!said.contains(CANARY), "{said}");
    for at in ["/credentials/password", "/credentials/token"] {
        assert!(said.contains(at), "{said}");
    }
}

/// C13: new credentials are tried first. The old ones stay when the new ones are wrong.
#[tokio::test]
async fn c13_credentials_are_replaced_when_the_new_ones_work() {
    let world = World::start().await;
    let api = &world.frank().api;
    let made = api
        .post("/v1/connections", &veeva(&world, "first-password"))
        .await
        .unwrap()
        .expect(201)
        .unwrap();
    let id = made["id"].as_str().unwrap();
    let name = format!("tributary/tenants/{}/connections/{id}", world.tenant.id);
    let path = format!("/v1/connections/{id}/credentials");
    let put = |password: &str| {
        let body = json!({ "credentials": { "username": "appflow", "password": password } });
        api.call(Method::PUT, &path, Some(body.to_string()), &[])
    };
    let refused = put(WRONG).await.unwrap();
    assert_eq!(refused.status, 409, "{}", refused.body);
    assert_eq!(refused.code(), "invalid_credentials");
    assert_eq!(
        secret(&world, &name).await.unwrap()["password"],
        "first-password"
    );
    assert!(world.works(id).await);

    let changed = put("second-password").await.unwrap().expect(200).unwrap();
    assert_eq!(changed["state"], "active");
    assert_eq!(
        secret(&world, &name).await.unwrap()["password"],
        "second-password"
    );
    assert!(world.works(id).await);
}

/// C14: what a user says of an instance is a label, never an address.
#[tokio::test]
async fn c14_an_instance_is_never_an_address() {
    let world = World::start().await;
    for instance in [
        "https://acme.service-now.com",
        "169.254.169.254",
        "localhost:9001",
        "user@acme",
        "acme.evil.example",
    ] {
        let mut request = veeva(&world, "p");
        request["instance"] = json!(instance);
        let api = &world.frank().api;
        let answer = api.post("/v1/connections", &request).await.unwrap();
        assert_eq!(answer.status, 422, "{instance}");
        assert_eq!(
            answer.body["errors"][0]["pointer"], "/instance",
            "{}",
            answer.body
        );
    }
}
