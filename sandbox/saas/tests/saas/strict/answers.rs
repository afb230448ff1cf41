//! Trouble and odd answers on demand: what happened behind them, and what did not.

use std::time::Duration;

use sandbox_core::{Fault, FaultRule};
use sandbox_saas::strict::{Endpoint, Trouble, TroubleRule};
use serde_json::{Value, json};

use super::{PLACES, World, at};

/// Whether an answer is odd as it should be.
type Odd = fn(&Value) -> bool;

/// What a refresh met with some trouble, at every provider in turn: the outcome, and whether the
/// refresh token was traded.
async fn met(
    trouble: &Trouble,
    check: impl Fn(&str, &reqwest::Result<(u16, String)>),
    traded: bool,
) {
    for place in PLACES {
        let world = World::start().await;
        let tokens = world.granted(place).await;
        world.providers.trouble_once(place.key, trouble.clone());
        let outcome = world.attempt(place, &tokens["refresh_token"]).await;
        check(place.key, &outcome);
        let counters = world.providers.counters(place.key);
        assert_eq!(
            counters.refreshed,
            u64::from(traded),
            "{} {trouble:?}",
            place.key
        );
        assert_eq!(counters.token_calls["refresh_token"], 1);
        let again = world.refresh(place, &tokens["refresh_token"]).await.0;
        let burnt = traded && place.key == "zendesk";
        assert_eq!(again == 200, !burnt, "{} {trouble:?}", place.key);
    }
}

#[tokio::test]
async fn an_outage_has_no_effect() {
    let outage = Trouble::Outage {
        status: 503,
        retry_after: Some(30),
    };
    let page = |_: &str, outcome: &reqwest::Result<(u16, String)>| {
        let (status, body) = outcome.as_ref().unwrap();
        assert_eq!(*status, 503);
        assert!(body.contains("<html>"));
    };
    met(&outage, page, false).await;
    let lost = |_: &str, outcome: &reqwest::Result<(u16, String)>| assert!(outcome.is_err());
    met(&Trouble::DropBefore, lost, false).await;
    let html = |_: &str, outcome: &reqwest::Result<(u16, String)>| {
        let (status, body) = outcome.as_ref().unwrap();
        assert!(*status == 200 && body.contains("<html>"));
    };
    met(&Trouble::HtmlPage, html, false).await;
    let error = Trouble::ErrorInOk {
        error: "invalid_grant".to_owned(),
    };
    let in_ok = |_: &str, outcome: &reqwest::Result<(u16, String)>| {
        let (status, body) = outcome.as_ref().unwrap();
        assert_eq!(
            (*status, body.as_str()),
            (200, r#"{"error":"invalid_grant"}"#)
        );
    };
    met(&error, in_ok, false).await;
}

#[tokio::test]
async fn an_answer_that_is_lost_leaves_its_effect() {
    let lost = |_: &str, outcome: &reqwest::Result<(u16, String)>| assert!(outcome.is_err());
    met(&Trouble::DropAfter, lost, true).await;
    met(&Trouble::Truncate, lost, true).await;
    let page = |_: &str, outcome: &reqwest::Result<(u16, String)>| {
        assert_eq!(outcome.as_ref().unwrap().0, 502);
    };
    met(&Trouble::OutageAfter { status: 502 }, page, true).await;
}

#[tokio::test]
async fn a_redirect_leads_where_it_says_and_carries_nothing_by_itself() {
    let redirect = Trouble::Redirect {
        to: "http://127.0.0.2:9/elsewhere".to_owned(),
    };
    let moved = |_: &str, outcome: &reqwest::Result<(u16, String)>| {
        assert_eq!(outcome.as_ref().unwrap().0, 307);
    };
    met(&redirect, moved, false).await;
}

#[tokio::test]
async fn odd_answers_are_odd_in_one_member_and_have_their_effect() {
    let table: Vec<(Trouble, Odd)> = vec![
        (Trouble::NoExpiresIn, |b| b.get("expires_in").is_none()),
        (Trouble::ExpiresIn { value: json!(0) }, |b| {
            b["expires_in"] == 0
        }),
        (Trouble::ExpiresIn { value: json!(-1) }, |b| {
            b["expires_in"] == -1
        }),
        (
            Trouble::ExpiresIn {
                value: json!("1800"),
            },
            |b| b["expires_in"] == "1800",
        ),
        (
            Trouble::ExpiresIn {
                value: json!(1799.5),
            },
            |b| b["expires_in"] == 1799.5,
        ),
        (Trouble::ExpiresIn { value: json!(1e18) }, |b| {
            b["expires_in"] == 1e18
        }),
        (Trouble::NoTokenType, |b| b.get("token_type").is_none()),
        (
            Trouble::TokenType {
                value: "mac".into(),
            },
            |b| b["token_type"] == "mac",
        ),
        (Trouble::EmptyRefreshToken, |b| b["refresh_token"] == ""),
        (Trouble::NoRefreshToken, |b| {
            b.get("refresh_token").is_none()
        }),
        (Trouble::UnknownMembers, |b| b["x_unknown"].is_object()),
        (Trouble::Oversized { bytes: 200_000 }, |b| {
            b["padding"].as_str().unwrap().len() == 200_000
        }),
        (Trouble::LongAccessToken { bytes: 3600 }, |b| {
            b["access_token"].as_str().unwrap().len() > 4096
        }),
    ];
    for (trouble, is_odd) in table {
        let odd = |key: &str, outcome: &reqwest::Result<(u16, String)>| {
            let (status, body) = outcome.as_ref().unwrap();
            let body: Value = serde_json::from_str(body).unwrap();
            assert_eq!(*status, 200);
            assert!(is_odd(&body), "{key} {trouble:?}: {body}");
            assert!(body["access_token"].is_string());
        };
        met(&trouble, odd, true).await;
    }
}

#[tokio::test]
async fn status_scope_and_content_type_can_be_odd_too() {
    let world = World::start().await;
    let place = at("zendesk");
    let mut tokens = world.granted(place).await;
    world.providers.trouble_once("zendesk", Trouble::Created);
    let (status, next) = world.refresh(place, &tokens["refresh_token"]).await;
    assert_eq!(status, 201);
    tokens = next;
    world.providers.trouble_once("zendesk", Trouble::ScopeArray);
    tokens = world.refresh(place, &tokens["refresh_token"]).await.1;
    assert_eq!(tokens["scope"], json!(["read", "write"]));
    world
        .providers
        .trouble_once("zendesk", Trouble::ScopeReduced);
    tokens = world.refresh(place, &tokens["refresh_token"]).await.1;
    assert_eq!(tokens["scope"], "read");
    world.providers.trouble_once("zendesk", Trouble::PlainText);
    let token = tokens["refresh_token"].as_str().unwrap();
    let form = [
        ("client_id", "app"),
        ("client_secret", super::SECRET),
        ("grant_type", "refresh_token"),
        ("refresh_token", token),
    ];
    let response = world.post(&World::token_path(place), &form).await;
    assert_eq!(response.headers()["content-type"], "text/plain");
}

#[tokio::test]
async fn an_error_can_be_made_in_the_providers_shape() {
    let world = World::start().await;
    let refuse = |error: &str, code| Trouble::Refuse {
        status: 400,
        error: error.to_owned(),
        description: "said so".to_owned(),
        code,
    };
    let tokens = world.granted(at("microsoft")).await;
    world
        .providers
        .trouble_once("microsoft", refuse("invalid_grant", 65001));
    let (_, body) = world
        .refresh(at("microsoft"), &tokens["refresh_token"])
        .await;
    assert_eq!(body["error_codes"], json!([65001]));
    let tokens = world.granted(at("hubspot")).await;
    world
        .providers
        .trouble_once("hubspot", refuse("BAD_CLIENT_ID", 0));
    let (_, body) = world.refresh(at("hubspot"), &tokens["refresh_token"]).await;
    assert_eq!(body["status"], "BAD_CLIENT_ID");
}

#[tokio::test]
async fn trouble_hits_its_instance_its_endpoint_and_as_often_as_it_says() {
    let world = World::start().await;
    let place = at("zendesk");
    let tokens = world.granted(place).await;
    let rule = |instance: &str, endpoint, times| TroubleRule {
        provider: "zendesk".to_owned(),
        instance: Some(instance.to_owned()),
        endpoint,
        trouble: Trouble::Outage {
            status: 500,
            retry_after: None,
        },
        times,
    };
    world
        .providers
        .add_trouble(rule("globex", Endpoint::Token, 1));
    assert_eq!(world.refresh(place, &tokens["refresh_token"]).await.0, 200);
    let tokens = world.granted(place).await;
    world.providers.add_trouble(rule("acme", Endpoint::Api, 2));
    let probe = || async {
        let request = world.http.get(world.url(place.who.0));
        let token = tokens["access_token"].as_str().unwrap();
        request
            .bearer_auth(token)
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    assert_eq!(
        [probe().await, probe().await, probe().await],
        [500, 500, 200]
    );
    world
        .providers
        .add_trouble(rule("acme", Endpoint::Revoke, 1));
    let url = world.url("/zendesk/acme/api/v2/oauth/tokens/current.json");
    let token = tokens["access_token"].as_str().unwrap();
    let revoked = world
        .http
        .delete(url)
        .bearer_auth(token)
        .send()
        .await
        .unwrap();
    assert_eq!(revoked.status(), 500);
    assert_eq!(probe().await, 200, "nothing was revoked");
    world
        .providers
        .add_trouble(rule("acme", Endpoint::Token, 9));
    world.providers.clear_trouble();
    assert_eq!(world.refresh(place, &tokens["refresh_token"]).await.0, 200);
}

#[tokio::test]
async fn a_hanging_provider_is_left_by_its_client_and_has_done_nothing() {
    let world = World::start().await;
    let place = at("zendesk");
    let tokens = world.granted(place).await;
    world.providers.trouble_once("zendesk", Trouble::Hang);
    let attempt = world.attempt(place, &tokens["refresh_token"]);
    let hung = tokio::time::timeout(Duration::from_millis(300), attempt).await;
    assert!(hung.is_err());
    let patience = Duration::from_secs(5);
    assert!(
        world
            .providers
            .token_calls_reach("zendesk", 2, patience)
            .await
    );
    assert_eq!(world.providers.counters("zendesk").refreshed, 0);
    let late = Trouble::Latency { millis: 20 };
    world.providers.trouble_once("zendesk", late);
    assert_eq!(world.refresh(place, &tokens["refresh_token"]).await.0, 200);
}

#[tokio::test]
async fn the_sandboxs_common_faults_work_here_too() {
    let world = World::start().await;
    let place = at("hubspot");
    let tokens = world.granted(place).await;
    world.options.faults.add(FaultRule {
        service: "providers".to_owned(),
        operation: "POST /hubspot/oauth".to_owned(),
        fault: Fault::DropAfter,
        times: 1,
    });
    assert!(
        world
            .attempt(place, &tokens["refresh_token"])
            .await
            .is_err()
    );
    assert_eq!(world.providers.counters("hubspot").refreshed, 1);
}
