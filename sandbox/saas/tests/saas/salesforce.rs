//! Consent, tokens and their ends.

use std::{sync::Arc, time::Duration};

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{Client, Response};
use sandbox_core::serve;
use sandbox_saas::{Salesforce, SalesforceOptions};
use serde_json::{Value, json};

use crate::browser::{CALLBACK, CHALLENGE, VERIFIER, client, landed, parts, transaction};

pub(crate) const SECRET: &str = "salesforce-consumer-secret";
const USER: &str = "olivia@sports.example.crm";

pub(crate) struct World {
    pub(crate) salesforce: Arc<Salesforce>,
    pub(crate) options: SalesforceOptions,
    pub(crate) http: Client,
}

impl World {
    pub(crate) async fn start() -> Self {
        let mut options = SalesforceOptions::new("consumer-key", SECRET);
        options.redirect_uris = vec![CALLBACK.to_owned()];
        let salesforce = Arc::new(Salesforce::new(options.clone()));
        let (listener, _) = serve::bind(0).await.unwrap();
        tokio::spawn(Arc::clone(&salesforce).serve(listener));
        Self {
            salesforce,
            options,
            http: client(),
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.salesforce.base_url())
    }

    async fn authorize(&self, changes: &[(&str, Option<&str>)]) -> Response {
        let mut params = vec![
            ("response_type", "code"),
            ("client_id", "consumer-key"),
            ("redirect_uri", CALLBACK),
            ("scope", "api refresh_token id"),
            ("state", "state-1"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        for (name, value) in changes {
            params.retain(|(known, _)| known != name);
            params.extend(value.map(|value| (*name, value)));
        }
        self.http
            .get(self.url("/services/oauth2/authorize"))
            .query(&params)
            .send()
            .await
            .unwrap()
    }

    async fn code(&self) -> String {
        let page = self.authorize(&[]).await.text().await.unwrap();
        let form = [
            ("transaction", transaction(&page)),
            ("decision", "allow".into()),
        ];
        let response = self.post("/services/oauth2/authorize", &form).await;
        let landed = landed(&response);
        assert_eq!(landed["state"], "state-1");
        landed["code"].clone()
    }

    pub(crate) async fn post<V: AsRef<str>>(&self, path: &str, form: &[(&str, V)]) -> Response {
        let form: Vec<(&str, &str)> = form.iter().map(|(n, v)| (*n, v.as_ref())).collect();
        self.http
            .post(self.url(path))
            .form(&form)
            .send()
            .await
            .unwrap()
    }

    async fn token(&self, form: &[(&str, &str)]) -> (u16, Value) {
        let mut all = vec![("client_id", "consumer-key"), ("client_secret", SECRET)];
        all.extend_from_slice(form);
        parts(self.post("/services/oauth2/token", &all).await).await
    }

    async fn exchange(&self, code: &str) -> (u16, Value) {
        self.token(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ])
        .await
    }

    pub(crate) async fn granted(&self) -> Value {
        let (status, tokens) = self.exchange(&self.code().await).await;
        assert_eq!(status, 200, "{tokens}");
        tokens
    }

    pub(crate) async fn refresh(&self, token: &Value) -> (u16, Value) {
        let token = token.as_str().unwrap();
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)])
            .await
    }

    pub(crate) async fn get(&self, path: &str, token: &Value) -> Response {
        self.http
            .get(self.url(path))
            .bearer_auth(token.as_str().unwrap())
            .send()
            .await
            .unwrap()
    }

    async fn introspect(&self, token: &Value) -> Value {
        let form = [
            ("client_id", "consumer-key"),
            ("client_secret", SECRET),
            ("token", token.as_str().unwrap()),
        ];
        parts(self.post("/services/oauth2/introspect", &form).await)
            .await
            .1
    }
}

fn dead() -> (u16, Value) {
    let description = "expired access/refresh token";
    (
        400,
        json!({ "error": "invalid_grant", "error_description": description }),
    )
}

#[tokio::test]
async fn consent_gives_tokens_in_salesforces_shape() {
    let world = World::start().await;
    let tokens = world.granted().await;
    assert_eq!(tokens.get("expires_in"), None);
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["instance_url"], world.salesforce.base_url());
    assert_eq!(tokens["scope"], "api refresh_token id");
    let issued_at = tokens["issued_at"].as_str().unwrap();
    assert!(issued_at.parse::<i64>().unwrap() > 1_700_000_000_000);
    let id = tokens["id"].as_str().unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let signature = STANDARD
        .decode(tokens["signature"].as_str().unwrap())
        .unwrap();
    hmac::verify(&key, format!("{id}{issued_at}").as_bytes(), &signature).unwrap();
    let path = id.strip_prefix(world.salesforce.base_url()).unwrap();
    let (status, identity) = parts(world.get(path, &tokens["access_token"]).await).await;
    assert_eq!(status, 200);
    assert_eq!(identity["username"], USER);
    let info = parts(
        world
            .get("/services/oauth2/userinfo", &tokens["access_token"])
            .await,
    )
    .await;
    assert_eq!(info.1["organization_id"], identity["organization_id"]);
    let bad = world
        .get("/services/oauth2/userinfo", &json!("nothing"))
        .await;
    assert_eq!(bad.status(), 403);
}

#[tokio::test]
async fn authorization_without_pkce_or_with_a_wrong_request_is_refused() {
    let world = World::start().await;
    for (changes, error, description) in [
        (
            [("code_challenge", None)],
            "invalid_request",
            "missing required code challenge",
        ),
        (
            [("code_challenge_method", Some("plain"))],
            "invalid_request",
            "invalid code challenge",
        ),
        (
            [("response_type", Some("token"))],
            "unsupported_response_type",
            "response type is not supported",
        ),
        (
            [("scope", Some("api everything"))],
            "invalid_scope",
            "the requested scope is not allowed",
        ),
    ] {
        let landed = landed(&world.authorize(&changes).await);
        assert_eq!(landed["error"], error);
        assert_eq!(landed["error_description"], description);
        assert_eq!(landed["state"], "state-1");
    }
    // Nothing is redirected to an address that is not registered.
    for change in [
        ("redirect_uri", Some("http://127.0.0.1:9/callback/")),
        ("client_id", Some("<script>")),
    ] {
        let response = world.authorize(&[change]).await;
        assert_eq!(response.status(), 400);
        assert!(!response.text().await.unwrap().contains("<script>"));
    }
}

#[tokio::test]
async fn the_consent_page_is_plain_and_answers_once() {
    let world = World::start().await;
    let page = world.authorize(&[]).await;
    let policy = page.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{policy}"
    );
    let page = page.text().await.unwrap();
    assert!(!page.contains("<script"));
    let form = [
        ("transaction", transaction(&page)),
        ("decision", "deny".into()),
    ];
    let landed = landed(&world.post("/services/oauth2/authorize", &form).await);
    assert_eq!(landed["error"], "access_denied");
    assert_eq!(landed.get("code"), None);
    let again = world.post("/services/oauth2/authorize", &form).await;
    assert_eq!(again.status(), 400);
}

#[tokio::test]
async fn t1_each_refresh_rotates_and_the_new_token_works() {
    let world = World::start().await;
    let mut tokens = world.granted().await;
    for _ in 0..3 {
        let (status, next) = world.refresh(&tokens["refresh_token"]).await;
        assert_eq!(status, 200);
        assert_ne!(next["refresh_token"], tokens["refresh_token"]);
        let api = world
            .get("/services/data/v58.0/sobjects", &next["access_token"])
            .await;
        assert_eq!(api.status(), 200);
        tokens = next;
    }
    let counters = world.salesforce.token_counters();
    assert_eq!((counters.refreshes, counters.refreshes_granted), (3, 3));
}

#[tokio::test]
async fn t3_a_reused_refresh_token_ends_everything_and_looks_like_an_expired_one() {
    let world = World::start().await;
    let first = world.granted().await;
    let (_, second) = world.refresh(&first["refresh_token"]).await;
    assert_eq!(world.refresh(&first["refresh_token"]).await, dead());
    assert_eq!(world.refresh(&second["refresh_token"]).await, dead());
    for token in [&first["access_token"], &second["access_token"]] {
        let (status, body) = parts(world.get("/services/data/v58.0/sobjects", token).await).await;
        assert_eq!(status, 401);
        assert_eq!(
            body,
            json!([{ "message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID" }])
        );
    }
    assert_eq!(world.salesforce.token_counters().reuse_detected, 1);
}

#[tokio::test]
async fn introspection_tells_and_never_consumes() {
    let world = World::start().await;
    let tokens = world.granted().await;
    for _ in 0..3 {
        let answer = world.introspect(&tokens["refresh_token"]).await;
        assert_eq!(answer["active"], true);
        assert_eq!(answer["username"], USER);
        assert_eq!(answer["sub"], tokens["id"]);
    }
    let access = world.introspect(&tokens["access_token"]).await;
    let life = access["exp"].as_i64().unwrap() - access["iat"].as_i64().unwrap();
    assert_eq!(life, 7200);
    let (_, next) = world.refresh(&tokens["refresh_token"]).await;
    // Asking about a used token is not reuse.
    let used = world.introspect(&tokens["refresh_token"]).await;
    assert_eq!(used, json!({ "active": false }));
    assert_eq!(
        world.introspect(&next["refresh_token"]).await["active"],
        true
    );
    let form = [
        ("client_id", "consumer-key"),
        ("client_secret", "wrong"),
        ("token", "x"),
    ];
    let refused = world.post("/services/oauth2/introspect", &form).await;
    assert_eq!(refused.status(), 400);
}

#[tokio::test]
async fn lives_follow_the_clock_and_admins_can_end_grants() {
    let world = World::start().await;
    let tokens = world.granted().await;
    let api = "/services/data/v58.0/sobjects";
    world.options.clock.advance(Duration::from_secs(7199 - 60));
    assert_eq!(world.get(api, &tokens["access_token"]).await.status(), 200);
    world.options.clock.advance(Duration::from_secs(61));
    assert_eq!(world.get(api, &tokens["access_token"]).await.status(), 401);
    let (_, tokens) = world.refresh(&tokens["refresh_token"]).await;
    world.salesforce.expire_access_tokens();
    assert_eq!(world.get(api, &tokens["access_token"]).await.status(), 401);
    let (status, tokens) = world.refresh(&tokens["refresh_token"]).await;
    assert_eq!(status, 200);
    assert_eq!(world.salesforce.revoke_grants_of(USER), 1);
    assert_eq!(world.refresh(&tokens["refresh_token"]).await, dead());
    let idle = world.granted().await;
    world.options.clock.advance(Duration::from_hours(30 * 24));
    assert_eq!(world.refresh(&idle["refresh_token"]).await, dead());
}

#[tokio::test]
async fn revocation_ends_the_grant_and_unknown_tokens_are_fine() {
    let world = World::start().await;
    let tokens = world.granted().await;
    for token in [tokens["refresh_token"].as_str().unwrap(), "unknown"] {
        let response = world
            .post("/services/oauth2/revoke", &[("token", token)])
            .await;
        assert_eq!(response.status(), 200);
    }
    assert_eq!(world.refresh(&tokens["refresh_token"]).await, dead());
    let api = world
        .get("/services/data/v58.0/sobjects", &tokens["access_token"])
        .await;
    assert_eq!(api.status(), 401);
}

#[tokio::test]
async fn the_sixth_consent_ends_the_first() {
    let world = World::start().await;
    let first = world.granted().await;
    for _ in 0..5 {
        world.granted().await;
    }
    assert_eq!(world.salesforce.grants_of(USER), 5);
    assert_eq!(world.refresh(&first["refresh_token"]).await, dead());
}

#[tokio::test]
async fn codes_secrets_and_requests_that_are_wrong_are_refused() {
    let world = World::start().await;
    let code = world.code().await;
    let tokens = world.exchange(&code).await.1;
    let (status, body) = world.exchange(&code).await;
    assert_eq!((status, &body["error"]), (400, &json!("invalid_grant")));
    assert_eq!(world.refresh(&tokens["refresh_token"]).await, dead());
    let late = world.code().await;
    world.options.clock.advance(Duration::from_mins(15));
    assert_eq!(
        world.exchange(&late).await.1["error_description"],
        "expired authorization code"
    );
    for (form, error) in [
        (
            vec![("grant_type", "device_code")],
            "unsupported_grant_type",
        ),
        (vec![("scope", "api")], "invalid_request"),
        (
            vec![("grant_type", "refresh_token"), ("grant_type", "x")],
            "invalid_request",
        ),
    ] {
        assert_eq!(world.token(&form).await.1["error"], error);
    }
    for (id, secret, error) in [
        ("consumer-key", "wrong", "invalid_client"),
        ("someone", SECRET, "invalid_client_id"),
    ] {
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", id),
            ("client_secret", secret),
        ];
        let (status, body) = parts(world.post("/services/oauth2/token", &form).await).await;
        assert_eq!((status, &body["error"]), (400, &json!(error)));
    }
}

#[tokio::test]
async fn a_secret_in_the_url_is_refused_and_counted() {
    let world = World::start().await;
    let tokens = world.granted().await;
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh),
        ("client_id", "consumer-key"),
    ];
    let path = format!("/services/oauth2/token?client_secret={SECRET}");
    let (status, body) = parts(world.post(&path, &form).await).await;
    assert_eq!(
        (status, &body["error_description"]),
        (400, &json!("secret_in_url"))
    );
    assert_eq!(world.salesforce.token_counters().secret_in_url, 1);
    assert_eq!(world.refresh(&tokens["refresh_token"]).await.0, 200);
}

#[tokio::test]
async fn t4_two_secrets_are_valid_during_a_rotation_and_one_after_it() {
    let world = World::start().await;
    let tokens = world.granted().await;
    let refresh = |secret: &'static str, token: String| {
        let request = world
            .http
            .post(world.url("/services/oauth2/token"))
            .basic_auth("consumer-key", Some(secret))
            .form(&[("grant_type", "refresh_token"), ("refresh_token", &token)]);
        async move { parts(request.send().await.unwrap()).await }
    };
    world
        .salesforce
        .add_client_secret("the-next-consumer-secret");
    let token = tokens["refresh_token"].as_str().unwrap().to_owned();
    let (status, tokens) = refresh("the-next-consumer-secret", token).await;
    assert_eq!(status, 200);
    world.salesforce.retire_client_secret(SECRET);
    let token = tokens["refresh_token"].as_str().unwrap().to_owned();
    assert_eq!(refresh(SECRET, token.clone()).await.0, 401);
    assert_eq!(refresh("the-next-consumer-secret", token).await.0, 200);
}

#[tokio::test]
async fn c9_fewer_scopes_than_asked_are_granted_when_the_org_says_so() {
    let world = World::start().await;
    world.salesforce.limit_scopes(Some(&["api", "id"]));
    let tokens = world.granted().await;
    assert_eq!(tokens["scope"], "api id");
    assert_eq!(tokens.get("refresh_token"), None);
}

#[tokio::test]
async fn x2_another_user_grants_for_another_org() {
    let world = World::start().await;
    let mine = world.granted().await;
    let page = world.authorize(&[]).await.text().await.unwrap();
    let form = [
        ("transaction", transaction(&page)),
        ("decision", "allow".into()),
        ("username", "oscar@other.example.crm".into()),
    ];
    let code = landed(&world.post("/services/oauth2/authorize", &form).await)["code"].clone();
    let theirs = world.exchange(&code).await.1;
    let org = |tokens: &Value| {
        let id = tokens["id"].as_str().unwrap().to_owned();
        id.rsplit('/').nth(1).unwrap().to_owned()
    };
    assert_ne!(org(&mine), org(&theirs));
}

#[tokio::test]
async fn i5_everything_issued_is_a_canary_and_the_journal_holds_none() {
    let world = World::start().await;
    let code = world.code().await;
    let tokens = world.exchange(&code).await.1;
    let (_, next) = world.refresh(&tokens["refresh_token"]).await;
    world.refresh(&tokens["refresh_token"]).await;
    let canaries = &world.options.canaries;
    for secret in [
        &tokens["access_token"],
        &tokens["refresh_token"],
        &next["refresh_token"],
    ] {
        assert!(!canaries.found_in(secret.as_str().unwrap()).is_empty());
    }
    assert!(!canaries.found_in(&code).is_empty());
    assert!(!canaries.found_in(SECRET).is_empty());
    let journal = serde_json::to_string(&world.options.journal.entries()).unwrap();
    assert!(journal.contains("grant_type=refresh_token outcome=granted"));
    assert_eq!(canaries.found_in(&journal), Vec::<String>::new());
}
