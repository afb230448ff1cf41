//! Sign-in, tokens, trigger and keys.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use reqwest::{Client, Response};
use sandbox_core::serve;
use sandbox_saas::{
    Oidc, OidcOptions,
    oidc::{Signature, TokenUse},
};
use serde_json::{Value, json};

use crate::browser::{CALLBACK, CHALLENGE, VERIFIER, client, landed, parts, transaction};

const SECRET: &str = "web-application-secret";
const OPERATOR_SECRET: &str = "operator-client-secret";

struct World {
    oidc: Arc<Oidc>,
    options: OidcOptions,
    http: Client,
}

impl World {
    async fn start() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut OidcOptions)) -> Self {
        let mut options = OidcOptions::new("web-app", Some(SECRET), OPERATOR_SECRET);
        options.redirect_uris = vec![CALLBACK.to_owned()];
        options.logout_uris = vec!["http://127.0.0.1:9/bye".to_owned()];
        change(&mut options);
        let oidc = Arc::new(Oidc::new(options.clone()).unwrap());
        let (listener, _) = serve::bind(0).await.unwrap();
        tokio::spawn(Arc::clone(&oidc).serve(listener));
        Self {
            oidc,
            options,
            http: client(),
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.oidc.issuer())
    }

    async fn authorize(&self, changes: &[(&str, Option<&str>)]) -> Response {
        let mut params = vec![
            ("response_type", "code"),
            ("client_id", "web-app"),
            ("redirect_uri", CALLBACK),
            ("scope", "openid email"),
            ("state", "state-1"),
            ("nonce", "nonce-1"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        for (name, value) in changes {
            params.retain(|(known, _)| known != name);
            params.extend(value.map(|value| (*name, value)));
        }
        let request = self.http.get(self.url("/oauth2/authorize"));
        request.query(&params).send().await.unwrap()
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> Response {
        self.http
            .post(self.url(path))
            .form(form)
            .send()
            .await
            .unwrap()
    }

    async fn code(&self, user: &str) -> String {
        let page = self.authorize(&[]).await.text().await.unwrap();
        let (id, password) = (transaction(&page), format!("{user}-password-local"));
        let form = [
            ("transaction", id.as_str()),
            ("username", user),
            ("password", &password),
        ];
        let landed = landed(&self.post("/login", &form).await);
        assert_eq!(landed["state"], "state-1");
        landed["code"].clone()
    }

    async fn token(&self, form: &[(&str, &str)]) -> (u16, Value) {
        let request = self.http.post(self.url("/oauth2/token"));
        let request = request.basic_auth("web-app", Some(SECRET)).form(form);
        parts(request.send().await.unwrap()).await
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

    async fn refresh(&self, token: &Value) -> (u16, Value) {
        let token = token.as_str().unwrap();
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)])
            .await
    }

    /// Claims of a token, checked by another implementation against the published keys.
    async fn verified(&self, token: &str) -> Option<Value> {
        let response = self
            .http
            .get(self.url("/.well-known/jwks.json"))
            .send()
            .await
            .unwrap();
        let keys: JwkSet = response.json().await.unwrap();
        let kid = decode_header(token).ok()?.kid?;
        let key = DecodingKey::from_jwk(keys.find(&kid)?).unwrap();
        let mut validation = Validation::new(Algorithm::RS256);
        validation.validate_aud = false;
        validation.leeway = 0;
        validation.set_issuer(&[self.oidc.issuer()]);
        validation.set_required_spec_claims(&["exp", "iss"]);
        Some(decode::<Value>(token, &key, &validation).ok()?.claims)
    }

    /// A trigger that remembers its events and gives these answers' details.
    fn trigger(&self, answer: Result<Value, String>) -> Arc<Mutex<Vec<Value>>> {
        let events = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&events);
        self.oidc.set_trigger(Arc::new(move |event: Value| {
            seen.lock().unwrap().push(event.clone());
            let answer = answer.clone();
            Box::pin(async move {
                let mut event = event;
                event["response"]["claimsAndScopeOverrideDetails"] = answer?;
                Ok(event)
            })
        }));
        events
    }
}

#[tokio::test]
async fn a_sign_in_gives_tokens_with_cognitos_claims() {
    let world = World::start().await;
    let (status, tokens) = world.exchange(&world.code("frank").await).await;
    assert_eq!(status, 200);
    assert_eq!(
        (&tokens["token_type"], &tokens["expires_in"]),
        (&json!("Bearer"), &json!(3600))
    );
    let id = world
        .verified(tokens["id_token"].as_str().unwrap())
        .await
        .unwrap();
    let access = world
        .verified(tokens["access_token"].as_str().unwrap())
        .await
        .unwrap();
    let frank = world.oidc.user("frank").unwrap();
    for claims in [&id, &access] {
        assert_eq!(claims["iss"], world.oidc.issuer());
        assert_eq!(claims["sub"], frank.sub);
        assert_eq!(claims["cognito:groups"], json!(["amer-sales"]));
        assert_eq!(claims["origin_jti"], id["origin_jti"]);
        assert_eq!(
            claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
            3600
        );
    }
    assert_ne!(id["jti"], access["jti"]);
    for (claim, value) in [
        ("token_use", json!("id")),
        ("aud", json!("web-app")),
        ("nonce", json!("nonce-1")),
        ("email", json!("frank@sports.example")),
        ("email_verified", json!(true)),
        ("cognito:username", json!(frank.sub)),
    ] {
        assert_eq!(id[claim], value, "{claim}");
    }
    for (claim, value) in [
        ("token_use", json!("access")),
        ("client_id", json!("web-app")),
        ("scope", json!("openid email")),
        ("username", json!(frank.sub)),
        ("version", json!(2)),
    ] {
        assert_eq!(access[claim], value, "{claim}");
    }
    assert_eq!(access.get("aud"), None);
    let kid = |token: &Value| decode_header(token.as_str().unwrap()).unwrap().kid;
    assert_ne!(kid(&tokens["id_token"]), kid(&tokens["access_token"]));
    let request = world.http.get(world.url("/oauth2/userInfo"));
    let request = request.bearer_auth(tokens["access_token"].as_str().unwrap());
    assert_eq!(
        parts(request.send().await.unwrap()).await.1["sub"],
        frank.sub
    );
}

#[tokio::test]
async fn authorization_errors_come_back_in_the_redirect_or_stay_on_a_page() {
    let world = World::start().await;
    for (change, error) in [
        (("code_challenge", None), "invalid_request"),
        (("code_challenge_method", Some("plain")), "invalid_request"),
        (("response_type", Some("token")), "unauthorized_client"),
        (
            ("scope", Some("openid aws.cognito.signin.user.admin")),
            "invalid_scope",
        ),
    ] {
        let landed = landed(&world.authorize(&[change]).await);
        assert_eq!(
            (landed["error"].as_str(), landed["state"].as_str()),
            (error, "state-1")
        );
    }
    for change in [
        ("redirect_uri", Some("http://127.0.0.1:9/callback?x=1")),
        ("client_id", Some("tributary-operator")),
    ] {
        assert_eq!(world.authorize(&[change]).await.status(), 400);
    }
}

#[tokio::test]
async fn a_wrong_password_can_be_corrected_a_few_times() {
    let world = World::start().await;
    let page = world.authorize(&[]).await.text().await.unwrap();
    let id = transaction(&page);
    for attempt in 1..=5 {
        let form = [
            ("transaction", id.as_str()),
            ("username", "ming"),
            ("password", "wrong"),
        ];
        let response = world.post("/login", &form).await;
        assert_eq!(response.status(), if attempt < 5 { 401 } else { 403 });
    }
    let form = [
        ("transaction", id.as_str()),
        ("username", "ming"),
        ("password", "ming-password-local"),
    ];
    assert_eq!(world.post("/login", &form).await.status(), 400);
}

#[tokio::test]
async fn a_code_works_once_and_its_errors_are_cognitos() {
    let world = World::start().await;
    let code = world.code("ethan").await;
    assert_eq!(world.exchange(&code).await.0, 200);
    let refused = |error: &str| (400, json!({ "error": error }));
    assert_eq!(world.exchange(&code).await, refused("invalid_grant"));
    let late = world.code("ethan").await;
    world.options.clock.advance(Duration::from_mins(5));
    assert_eq!(world.exchange(&late).await, refused("invalid_grant"));
    for (form, error) in [
        (vec![], "invalid_request"),
        (vec![("grant_type", "password")], "unsupported_grant_type"),
        (
            vec![("grant_type", "client_credentials")],
            "unauthorized_client",
        ),
        (
            vec![("grant_type", "authorization_code"), ("code", "x")],
            "invalid_request",
        ),
    ] {
        assert_eq!(world.token(&form).await, refused(error));
    }
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", "web-app"),
        ("refresh_token", "x"),
    ];
    let (status, body) = parts(world.post("/oauth2/token", &form).await).await;
    assert_eq!((status, body), refused("invalid_client"));
}

#[tokio::test]
async fn refreshing_gives_new_tokens_until_revocation_or_disabling() {
    let world = World::start().await;
    let (_, tokens) = world.exchange(&world.code("alex").await).await;
    let (status, next) = world.refresh(&tokens["refresh_token"]).await;
    assert_eq!(status, 200);
    assert_eq!(next.get("refresh_token"), None);
    let old = world
        .verified(tokens["id_token"].as_str().unwrap())
        .await
        .unwrap();
    let new = world
        .verified(next["id_token"].as_str().unwrap())
        .await
        .unwrap();
    assert_ne!(old["jti"], new["jti"]);
    assert_eq!(old["origin_jti"], new["origin_jti"]);
    assert_eq!(old["auth_time"], new["auth_time"]);
    world.oidc.disable("alex");
    assert_eq!(world.refresh(&tokens["refresh_token"]).await.0, 400);
    world.oidc.enable("alex");
    assert_eq!(world.refresh(&tokens["refresh_token"]).await.0, 200);
    let form = [
        ("token", tokens["refresh_token"].as_str().unwrap()),
        ("client_id", "web-app"),
        ("client_secret", SECRET),
    ];
    assert_eq!(world.post("/oauth2/revoke", &form).await.status(), 200);
    assert_eq!(world.refresh(&tokens["refresh_token"]).await.0, 400);
    let request = world.http.get(world.url("/oauth2/userInfo"));
    let request = request.bearer_auth(next["access_token"].as_str().unwrap());
    assert_eq!(request.send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn a_rotating_pool_gives_a_new_refresh_token_each_time() {
    let world = World::with(|options| options.rotate_refresh_tokens = true).await;
    let (_, tokens) = world.exchange(&world.code("ming").await).await;
    let (_, next) = world.refresh(&tokens["refresh_token"]).await;
    assert_ne!(next["refresh_token"], tokens["refresh_token"]);
    assert_eq!(world.refresh(&tokens["refresh_token"]).await.0, 400);
    assert_eq!(world.refresh(&next["refresh_token"]).await.0, 200);
}

#[tokio::test]
async fn the_trigger_is_asked_at_sign_in_and_refresh_and_its_claims_arrive() {
    let world = World::start().await;
    let generation = json!({ "claimsToAddOrOverride": { "tenant_id": "ten_1", "tenant_roles": "viewer editor" } });
    let events = world.trigger(Ok(json!({
        "idTokenGeneration": generation,
        "accessTokenGeneration": generation,
    })));
    let (_, tokens) = world.exchange(&world.code("frank").await).await;
    let (_, next) = world.refresh(&tokens["refresh_token"]).await;
    for token in [
        &tokens["id_token"],
        &tokens["access_token"],
        &next["access_token"],
    ] {
        let claims = world.verified(token.as_str().unwrap()).await.unwrap();
        assert_eq!(claims["tenant_id"], "ten_1");
        assert_eq!(claims["tenant_roles"], "viewer editor");
        assert_eq!(claims["cognito:groups"], json!(["amer-sales"]));
    }
    let events = events.lock().unwrap();
    assert_eq!(events.len(), 2);
    assert_eq!(events[0]["triggerSource"], "TokenGeneration_HostedAuth");
    assert_eq!(events[1]["triggerSource"], "TokenGeneration_RefreshTokens");
    let event = &events[0];
    assert_eq!(event["version"], "2");
    assert_eq!(event["userName"], world.oidc.user("frank").unwrap().sub);
    assert_eq!(
        event["request"]["groupConfiguration"]["groupsToOverride"],
        json!(["amer-sales"])
    );
    assert_eq!(event["request"]["scopes"], json!(["openid", "email"]));
}

#[tokio::test]
async fn a_trigger_that_fails_or_hangs_refuses_the_login() {
    let world = World::with(|options| options.trigger_timeout = Duration::from_millis(50)).await;
    world.trigger(Err("no tenant".to_owned()));
    let refused = world.exchange(&world.code("frank").await).await;
    assert_eq!(refused, (400, json!({ "error": "invalid_grant" })));
    assert!(world.oidc.sign_in("frank").await.is_none());
    world
        .oidc
        .set_trigger(Arc::new(|_| Box::pin(std::future::pending())));
    let refused = world.exchange(&world.code("frank").await).await;
    assert_eq!(refused, (400, json!({ "error": "invalid_grant" })));
}

#[tokio::test]
async fn the_operator_gets_a_token_without_user_or_groups() {
    let world = World::start().await;
    world.trigger(Err("never asked for machines".to_owned()));
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", "tributary-operator"),
        ("client_secret", OPERATOR_SECRET),
    ];
    let (status, tokens) = parts(world.post("/oauth2/token", &form).await).await;
    assert_eq!(status, 200);
    assert_eq!(
        (tokens.get("id_token"), tokens.get("refresh_token")),
        (None, None)
    );
    let claims = world
        .verified(tokens["access_token"].as_str().unwrap())
        .await
        .unwrap();
    assert_eq!(claims["sub"], "tributary-operator");
    assert_eq!(claims["client_id"], "tributary-operator");
    assert_eq!(claims["scope"], "tributary/operator");
    for absent in ["username", "cognito:groups", "tenant_id"] {
        assert_eq!(claims.get(absent), None);
    }
}

#[tokio::test]
async fn t8_rotated_keys_sign_and_old_ones_verify_until_they_are_dropped() {
    let world = World::start().await;
    let old = world.oidc.sign_in("ethan").await.unwrap().access_token;
    world.oidc.rotate_keys().unwrap();
    let new = world.oidc.sign_in("ethan").await.unwrap().access_token;
    assert!(world.verified(&old).await.is_some());
    assert!(world.verified(&new).await.is_some());
    world.oidc.drop_old_keys();
    assert!(world.verified(&old).await.is_none());
    assert!(world.verified(&new).await.is_some());
}

#[tokio::test]
async fn q8_minted_tokens_are_wrong_in_the_way_asked_for() {
    let world = World::start().await;
    let mint = |overrides, signature| {
        world
            .oidc
            .mint("frank", TokenUse::Access, overrides, signature)
            .unwrap()
    };
    let good = mint(json!({ "tenant_id": "ten_1" }), Signature::Current);
    assert_eq!(world.verified(&good).await.unwrap()["tenant_id"], "ten_1");
    for bad in [
        mint(json!({}), Signature::Foreign),
        mint(json!({}), Signature::UnknownKeyId),
        mint(json!({}), Signature::Absent),
        mint(json!({}), Signature::PublicKeyAsSecret),
        mint(json!({ "iss": "http://127.0.0.1:1" }), Signature::Current),
        mint(json!({ "exp": 1 }), Signature::Current),
        mint(json!({ "exp": null }), Signature::Current),
    ] {
        assert_eq!(world.verified(&bad).await, None);
        let request = world
            .http
            .get(world.url("/oauth2/userInfo"))
            .bearer_auth(&bad);
        assert_eq!(request.send().await.unwrap().status(), 401);
    }
    let none = mint(json!({}), Signature::Absent);
    assert!(none.ends_with('.'));
}

#[tokio::test]
async fn logout_leads_only_to_registered_addresses() {
    let world = World::start().await;
    for (uri, status) in [
        ("http://127.0.0.1:9/bye", 302),
        ("http://127.0.0.1:9/", 400),
    ] {
        let request = world.http.get(world.url("/logout"));
        let request = request.query(&[("client_id", "web-app"), ("logout_uri", uri)]);
        assert_eq!(request.send().await.unwrap().status(), status);
    }
}

#[tokio::test]
async fn discovery_names_the_endpoints_of_the_issuer() {
    let world = World::start().await;
    let request = world
        .http
        .get(world.url("/.well-known/openid-configuration"));
    let (_, document) = parts(request.send().await.unwrap()).await;
    assert_eq!(document["issuer"], world.oidc.issuer());
    for endpoint in [
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "userinfo_endpoint",
    ] {
        assert!(
            document[endpoint]
                .as_str()
                .unwrap()
                .starts_with(world.oidc.issuer())
        );
    }
}

#[tokio::test]
async fn i5_tokens_and_codes_are_canaries_and_the_journal_holds_none() {
    let world = World::start().await;
    let code = world.code("frank").await;
    let (_, tokens) = world.exchange(&code).await;
    let canaries = &world.options.canaries;
    for secret in [
        &tokens["id_token"],
        &tokens["access_token"],
        &tokens["refresh_token"],
    ] {
        assert!(!canaries.found_in(secret.as_str().unwrap()).is_empty());
    }
    assert!(!canaries.found_in(&code).is_empty());
    let journal = serde_json::to_string(&world.options.journal.entries()).unwrap();
    assert!(journal.contains("grant_type=authorization_code outcome=granted"));
    assert_eq!(canaries.found_in(&journal), Vec::<String>::new());
}
