//! What one provider does and the others do not.

use serde_json::{Value, json};

use super::{OLIVIA, PASSWORD, SECRET, World, at};
use crate::browser::{landed, parts};

#[tokio::test]
async fn zendesk_ends_the_family_when_a_used_refresh_token_comes_again() {
    let world = World::start().await;
    let place = at("zendesk");
    let first = world.granted(place).await;
    let (_, second) = world.refresh(place, &first["refresh_token"]).await;
    let (status, body) = world.refresh(place, &first["refresh_token"]).await;
    assert_eq!(
        (status, body["error"].as_str()),
        (400, Some("invalid_grant"))
    );
    assert_eq!(world.get(place.who.0, &second["access_token"]).await.0, 401);
    assert_eq!(world.refresh(place, &second["refresh_token"]).await.0, 400);
    let counters = world.providers.counters("zendesk");
    assert_eq!((counters.double_uses, counters.families_revoked), (1, 1));
    assert_eq!(world.providers.live_grants("zendesk"), 0);
}

#[tokio::test]
async fn a_thief_with_an_old_refresh_token_ends_the_grant_where_tokens_are_good_once() {
    for (key, ends) in [("zendesk", true), ("microsoft", false), ("hubspot", false)] {
        let world = World::start().await;
        let place = at(key);
        let tokens = world.granted(place).await;
        let (_, tokens) = world.refresh(place, &tokens["refresh_token"]).await;
        assert_eq!(world.providers.replay_refresh_token(key, OLIVIA), ends);
        assert_eq!(world.providers.live_grants(key), usize::from(!ends));
        assert_eq!(world.providers.counters(key).double_uses, 0);
        let (status, _) = world.refresh(place, &tokens["refresh_token"]).await;
        assert_eq!(status == 200, !ends, "{key}");
    }
}

#[tokio::test]
async fn zendesk_revokes_a_token_by_itself_takes_json_and_lives_as_asked() {
    let world = World::start().await;
    let place = at("zendesk");
    let tokens = world.granted(place).await;
    assert_eq!(tokens["refresh_token_expires_in"], 30 * 24 * 3600);
    let body = json!({ "client_id": "app", "client_secret": SECRET, "grant_type": "refresh_token",
        "refresh_token": tokens["refresh_token"], "expires_in": 600 });
    let request = world.http.post(world.url("/zendesk/acme/oauth/tokens"));
    let request = request.header("content-type", "application/json");
    let response = request.body(body.to_string()).send().await.unwrap();
    let (status, tokens) = parts(response).await;
    assert_eq!((status, tokens["expires_in"].as_i64()), (200, Some(600)));
    let revoke = || {
        let url = world.url("/zendesk/acme/api/v2/oauth/tokens/current.json");
        let token = tokens["access_token"].as_str().unwrap();
        world.http.delete(url).bearer_auth(token).send()
    };
    assert_eq!(revoke().await.unwrap().status(), 204);
    assert_eq!(revoke().await.unwrap().status(), 401);
    assert_eq!(world.refresh(place, &tokens["refresh_token"]).await.0, 400);
    assert_eq!(world.providers.counters("zendesk").revocations, 1);
}

#[tokio::test]
async fn service_now_takes_a_users_password_at_its_api_and_has_no_revocation() {
    let world = World::start().await;
    let ask = |password: &'static str| {
        let url = world.url("/service-now/acme/api/now/v2/table/incident");
        world
            .http
            .get(url)
            .basic_auth(OLIVIA, Some(password))
            .send()
    };
    assert_eq!(ask(PASSWORD).await.unwrap().status(), 200);
    assert_eq!(ask("guessed").await.unwrap().status(), 401);
    for path in ["/oauth_revoke.do", "/oauth2/introspect"] {
        let path = format!("/service-now/acme{path}");
        assert_eq!(world.post(&path, &[]).await.status(), 404);
    }
    let place = at("service-now");
    let tokens = world.granted(place).await;
    world.providers.expire_refresh_tokens("service-now");
    let (status, body) = world.refresh(place, &tokens["refresh_token"]).await;
    assert_eq!(
        (status, body["error"].as_str()),
        (401, Some("server_error"))
    );
}

#[tokio::test]
async fn hubspot_speaks_its_own_errors_at_the_old_endpoint_and_both_at_the_new_one() {
    let world = World::start().await;
    let form = [
        ("client_id", "app"),
        ("client_secret", SECRET),
        ("grant_type", "refresh_token"),
        ("refresh_token", "na1-unknown"),
    ];
    let (status, old) = parts(world.post("/hubspot/oauth/v1/token", &form).await).await;
    assert_eq!(
        (status, old["status"].as_str()),
        (400, Some("BAD_REFRESH_TOKEN"))
    );
    assert!(old["error"].is_null());
    let (_, new) = parts(world.post("/hubspot/oauth/2026-03/token", &form).await).await;
    assert_eq!(new["error"], "invalid_grant");
    assert_eq!(new["status"], "BAD_REFRESH_TOKEN");
    let tokens = world.granted(at("hubspot")).await;
    assert!(
        tokens["scope"].is_null(),
        "scope as asked is not said again"
    );
    assert!(tokens["hub_id"].is_u64());
}

#[tokio::test]
async fn microsoft_names_its_codes_and_gives_no_refresh_token_without_offline_access() {
    let world = World::start().await;
    let place = at("microsoft");
    let tokens = world.granted(place).await;
    assert!(!tokens["scope"].as_str().unwrap().contains("offline_access"));
    let codes = |body: &Value| body["error_codes"][0].as_i64();
    world.providers.expire_refresh_tokens("microsoft");
    let (status, body) = world.refresh(place, &tokens["refresh_token"]).await;
    assert_eq!((status, codes(&body)), (400, Some(700_082)));
    let text = body["error_description"].as_str().unwrap();
    assert!(text.starts_with("AADSTS700082: "), "{text}");
    let tokens = world.granted(place).await;
    world.providers.revoke_grants_of("microsoft", OLIVIA);
    let (_, body) = world.refresh(place, &tokens["refresh_token"]).await;
    assert_eq!(codes(&body), Some(50173));

    let scope = world.url("/dynamics/acme/user_impersonation");
    let page = world.authorize(place, &[("scope", Some(&scope))]).await;
    let page = page.text().await.unwrap();
    let allow = [
        ("username", OLIVIA),
        ("password", PASSWORD),
        ("decision", "allow"),
    ];
    let code = landed(&world.answer(place, &page, &allow).await)["code"].clone();
    let (_, tokens) = world.exchange(place, &code).await;
    assert!(tokens["refresh_token"].is_null());
    assert_eq!(world.get(place.who.0, &tokens["access_token"]).await.0, 200);

    let two = format!(
        "{scope} {}",
        world.url("/dynamics/globex/user_impersonation")
    );
    let back = landed(&world.authorize(place, &[("scope", Some(&two))]).await);
    assert_eq!(back["error"], "invalid_scope");
}

#[tokio::test]
async fn a_token_of_microsoft_for_no_application_does_not_open_dynamics() {
    let world = World::start().await;
    let place = at("microsoft");
    let scopes = [("scope", Some("offline_access User.Read"))];
    let page = world.authorize(place, &scopes).await.text().await.unwrap();
    let allow = [
        ("username", OLIVIA),
        ("password", PASSWORD),
        ("decision", "allow"),
    ];
    let code = landed(&world.answer(place, &page, &allow).await)["code"].clone();
    let (_, tokens) = world.exchange(place, &code).await;
    assert_eq!(world.get(place.who.0, &tokens["access_token"]).await.0, 401);
    // A directory admits its own users alone; `common` admits all.
    let page = world
        .http
        .get(world.url("/microsoft/globex/oauth2/v2.0/authorize"))
        .query(&[
            ("response_type", "code"),
            ("client_id", "app"),
            ("redirect_uri", crate::browser::CALLBACK),
            ("scope", "offline_access"),
            ("code_challenge", crate::browser::CHALLENGE),
            ("code_challenge_method", "S256"),
        ])
        .send()
        .await
        .unwrap();
    let id = crate::browser::transaction(&page.text().await.unwrap());
    let form = [("transaction", id.as_str()), allow[0], allow[1], allow[2]];
    let response = world
        .post("/microsoft/globex/oauth2/v2.0/authorize", &form)
        .await;
    assert_eq!(response.status(), 401);
}

#[tokio::test]
async fn marketos_clients_share_one_token_and_are_told_what_is_left_of_it() {
    let world = World::start().await;
    let path = "/marketo/123-ABC-456/identity/oauth/token";
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", "marketo-client"),
        ("client_secret", "marketo-secret-local"),
    ];
    let (_, first) = parts(world.post(path, &form).await).await;
    world
        .options
        .clock
        .advance(std::time::Duration::from_mins(10));
    let (_, second) = parts(world.post(path, &form).await).await;
    assert_eq!(first["access_token"], second["access_token"]);
    let left = second["expires_in"].as_i64().unwrap();
    assert!((2990..=3000).contains(&left), "{left}");
    world
        .options
        .clock
        .advance(std::time::Duration::from_mins(50));
    let (_, third) = parts(world.post(path, &form).await).await;
    assert_ne!(first["access_token"], third["access_token"]);
    let wrong = [form[0], form[1], ("client_secret", "wrong")];
    assert_eq!(world.post(path, &wrong).await.status(), 401);
    let url = format!("{path}?client_secret=marketo-secret-local");
    assert_eq!(world.post(&url, &form).await.status(), 400);
}

#[tokio::test]
async fn a_grant_can_be_made_without_a_browser() {
    for (key, scope) in [
        ("zendesk", "read"),
        ("service-now", "useraccount"),
        ("hubspot", "oauth"),
    ] {
        let world = World::start().await;
        let place = at(key);
        let pair = world.providers.grant(key, OLIVIA, scope).unwrap();
        assert_eq!(
            world.get(place.who.0, &json!(pair.access_token)).await.0,
            200
        );
        assert_eq!(
            world.refresh(place, &json!(pair.refresh_token)).await.0,
            200
        );
        assert_eq!(format!("{pair:?}"), "TokenPair([redacted])");
        assert!(world.providers.grant(key, "nobody", scope).is_none());
    }
}

#[tokio::test]
async fn the_hosts_are_told_as_a_deployment_configures_them() {
    let world = World::start().await;
    let hosts = world.providers.hosts();
    let base = world.providers.base_url();
    for entry in [
        format!("service-now={base}/service-now/{{instance}}"),
        format!("hubspot={base}/hubspot"),
        format!("dynamics365={base}/dynamics/{{instance}}"),
    ] {
        assert!(hosts.split(',').any(|known| known == entry), "{hosts}");
    }
}
