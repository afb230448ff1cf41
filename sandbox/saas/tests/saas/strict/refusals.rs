//! What no provider takes.

use serde_json::Value;

use super::{OLIVIA, PASSWORD, PLACES, SECRET, World, at};
use crate::browser::{CALLBACK, VERIFIER, landed, parts};

#[tokio::test]
async fn wrong_authorization_requests_stay_here_or_go_back_with_an_error() {
    for place in PLACES {
        let world = World::start().await;
        for (name, value) in [
            ("client_id", "nobody"),
            ("redirect_uri", "http://127.0.0.1:9/callback/"),
            ("redirect_uri", "http://127.0.0.1:9/callback?x=1"),
        ] {
            let page = world.authorize(place, &[(name, Some(value))]).await;
            assert_eq!(page.status(), 400, "{}: {name}={value}", place.key);
        }
        for (name, value, error) in [
            ("code_challenge", None, "invalid_request"),
            ("code_challenge_method", Some("plain"), "invalid_request"),
            ("code_challenge", Some("short"), "invalid_request"),
            ("response_type", Some("token"), "unsupported_response_type"),
            ("scope", Some("everything"), "invalid_scope"),
            ("tenant", Some("ten_1"), "invalid_request"),
        ] {
            let back = landed(&world.authorize(place, &[(name, value)]).await);
            assert_eq!(back["error"], error, "{}: {name}", place.key);
            assert_eq!(back["state"], "state-1");
        }
    }
}

#[tokio::test]
async fn a_code_needs_its_verifier_its_redirect_and_its_instance_and_is_good_once() {
    for place in PLACES {
        let world = World::start().await;
        let other = VERIFIER.replace('d', "e");
        for (redirect, verifier) in [
            (CALLBACK, Some(other.as_str())),
            (CALLBACK, None),
            ("http://127.0.0.1:9/other", Some(VERIFIER)),
        ] {
            let code = world.code(place).await;
            let mut form = vec![
                ("grant_type", "authorization_code"),
                ("code", &code),
                ("redirect_uri", redirect),
            ];
            form.extend(verifier.map(|verifier| ("code_verifier", verifier)));
            let (status, body) = world.token(place, &form).await;
            assert!(status >= 400, "{}: {body}", place.key);
            assert_ne!(
                world.exchange(place, &code).await.0,
                200,
                "an attempt uses it up"
            );
        }
        let code = world.code(place).await;
        let (_, tokens) = world.exchange(place, &code).await;
        assert!(world.exchange(place, &code).await.0 >= 400);
        let (status, _) = world.get(place.who.0, &tokens["access_token"]).await;
        assert_eq!(status, 401, "{}: a replayed code ends its grant", place.key);
        assert!(world.refresh(place, &tokens["refresh_token"]).await.0 >= 400);
    }
}

#[tokio::test]
async fn a_verifier_without_a_challenge_is_refused() {
    let world = World::start().await;
    let place = at("hubspot");
    world.providers.require_pkce("hubspot", false);
    let bare = [("code_challenge", None), ("code_challenge_method", None)];
    let allow = [
        ("username", OLIVIA),
        ("password", PASSWORD),
        ("decision", "allow"),
    ];
    let page = world.authorize(place, &bare).await.text().await.unwrap();
    let code = landed(&world.answer(place, &page, &allow).await)["code"].clone();
    assert_eq!(world.exchange(place, &code).await.0, 400);
    let page = world.authorize(place, &bare).await.text().await.unwrap();
    let code = landed(&world.answer(place, &page, &allow).await)["code"].clone();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", CALLBACK),
    ];
    assert_eq!(world.token(place, &form).await.0, 200);
}

#[tokio::test]
async fn clients_authenticate_in_the_body_with_a_secret_in_force() {
    for place in PLACES {
        let world = World::start().await;
        let tokens = world.granted(place).await;
        let token = tokens["refresh_token"].as_str().unwrap();
        let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
        let wrong = [
            &form[..],
            &[("client_id", "app"), ("client_secret", "wrong")],
        ]
        .concat();
        let (status, body) = parts(world.post(&World::token_path(place), &wrong).await).await;
        let expected = if place.key == "hubspot" { 400 } else { 401 };
        assert_eq!(
            (status, &body["error"]),
            (expected, &Value::from("invalid_client"))
        );
        assert_eq!(world.providers.counters(place.key).refused_clients, 1);
        let request = world.http.post(world.url(&World::token_path(place)));
        let basic = request
            .basic_auth("app", Some(SECRET))
            .form(&form)
            .send()
            .await
            .unwrap();
        let taken = place.key == "microsoft";
        assert_eq!(basic.status() == 200, taken, "{}", place.key);

        let world = World::start().await;
        let tokens = world.granted(place).await;
        world
            .providers
            .add_client_secret(place.key, "provider-app-secret-2");
        let (status, tokens) = world.refresh(place, &tokens["refresh_token"]).await;
        assert_eq!(status, 200);
        world.providers.retire_client_secret(place.key, SECRET);
        assert!(world.refresh(place, &tokens["refresh_token"]).await.0 >= 400);
        let token = tokens["refresh_token"].as_str().unwrap();
        let with_new = [
            ("client_id", "app"),
            ("client_secret", "provider-app-secret-2"),
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
        ];
        let response = world.post(&World::token_path(place), &with_new).await;
        assert_eq!(response.status(), 200);
        assert_eq!(world.providers.secret_uses(place.key, SECRET), 2);
        assert_eq!(
            world
                .providers
                .secret_uses(place.key, "provider-app-secret-2"),
            1
        );
    }
}

#[tokio::test]
async fn repeated_unknown_and_misplaced_parameters_are_refused_without_effect() {
    for place in PLACES {
        let world = World::start().await;
        let tokens = world.granted(place).await;
        let token = tokens["refresh_token"].as_str().unwrap();
        let refresh = ("refresh_token", token);
        let kind = ("grant_type", "refresh_token");
        assert_eq!(world.token(place, &[kind, refresh, refresh]).await.0, 400);
        assert_eq!(
            world
                .token(place, &[kind, refresh, ("tenant", "x")])
                .await
                .0,
            400
        );
        assert_eq!(world.token(place, &[refresh]).await.0, 400);
        assert!(world.token(place, &[("grant_type", "password")]).await.0 >= 400);
        let path = format!("{}?client_secret={SECRET}", World::token_path(place));
        let form = [
            ("client_id", "app"),
            ("client_secret", SECRET),
            kind,
            refresh,
        ];
        assert_eq!(world.post(&path, &form).await.status(), 400);
        let counters = world.providers.counters(place.key);
        assert_eq!((counters.secret_in_url, counters.refreshed), (1, 0));
        assert_eq!(world.refresh(place, &tokens["refresh_token"]).await.0, 200);
    }
}

#[tokio::test]
async fn tokens_are_good_at_their_instance_alone() {
    for (key, elsewhere) in [
        ("service-now", "/service-now/globex/api/now/table/incident"),
        ("zendesk", "/zendesk/globex/api/v2/users/me.json"),
        ("microsoft", "/dynamics/globex/api/data/v9.2/WhoAmI"),
    ] {
        let world = World::start().await;
        let tokens = world.granted(at(key)).await;
        assert_eq!(
            world.get(elsewhere, &tokens["access_token"]).await.0,
            401,
            "{key}"
        );
    }
    let world = World::start().await;
    let tokens = world.granted(at("zendesk")).await;
    let form = [
        ("client_id", "app"),
        ("client_secret", SECRET),
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
    ];
    let response = world.post("/zendesk/globex/oauth/tokens", &form).await;
    assert_eq!(response.status(), 400);
    for path in ["/zendesk/initech/oauth/tokens", "/shopify/oauth/tokens"] {
        assert_eq!(world.post(path, &form).await.status(), 404, "{path}");
    }
    world.providers.add_org("initech");
    let response = world.post("/zendesk/initech/oauth/tokens", &form).await;
    assert_eq!(response.status(), 400);
}

#[tokio::test]
async fn a_client_that_asks_too_often_is_told_so_and_counted() {
    use sandbox_saas::strict::RateLimit;
    use std::time::Duration;

    let world = World::start().await;
    let place = at("hubspot");
    let tokens = world.granted(place).await;
    let limit = RateLimit {
        calls: 2,
        per: Duration::from_secs(10),
    };
    world.providers.limit_rate("hubspot", Some(limit));
    assert_eq!(world.refresh(place, &tokens["refresh_token"]).await.0, 200);
    assert_eq!(world.refresh(place, &tokens["refresh_token"]).await.0, 200);
    let (status, body) = world.refresh(place, &tokens["refresh_token"]).await;
    assert_eq!((status, body["status"].as_str()), (429, Some("RATE_LIMIT")));
    assert_eq!(world.providers.counters("hubspot").rate_violations, 1);
    world.options.clock.advance(Duration::from_secs(10));
    assert_eq!(world.refresh(place, &tokens["refresh_token"]).await.0, 200);
}
