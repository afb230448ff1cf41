//! What a person does as an administrator of ServiceNow, HubSpot, Zendesk or Microsoft, and the trouble
//! that these can be in.

use std::{
    collections::BTreeMap,
    sync::{Arc, Weak},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use sandbox_saas::{
    Providers,
    strict::{RateLimit, TroubleRule, provider_keys},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Held, gone};
use crate::Sandbox;

pub(super) fn routes() -> Router<Weak<Sandbox>> {
    Router::new()
        .route("/providers", get(counters))
        .route("/providers/trouble", post(trouble).delete(no_trouble))
        .route("/providers/rate", post(rate))
        .route("/providers/revoke", post(revoke))
        .route("/providers/replay", post(replay))
        .route("/providers/expire", post(expire))
        .route("/providers/orgs", post(add_org))
}

/// How each application is connected in a browser, as rows of a table.
pub(super) fn how_to_connect() -> String {
    [
        ("Salesforce", "-", "choose one on the page", "-"),
        (
            "ServiceNow",
            "acme",
            "olivia@acme.example",
            "olivia-password-local",
        ),
        (
            "Zendesk",
            "acme",
            "olivia@acme.example",
            "olivia-password-local",
        ),
        (
            "HubSpot",
            "-",
            "olivia@acme.example",
            "olivia-password-local",
        ),
        (
            "Dynamics 365 (Microsoft)",
            "acme",
            "olivia@acme.example",
            "olivia-password-local",
        ),
    ]
    .map(|(application, instance, user, password)| {
        format!(
            "<tr><th scope=\"row\">{application}</th><td>{instance}</td>\
             <td>{user}</td><td>{password}</td></tr>"
        )
    })
    .concat()
}

/// Answers with what a part of the sandbox says, if there still is a sandbox.
fn with(sandbox: &Weak<Sandbox>, work: impl FnOnce(&Arc<Providers>) -> Value) -> Response {
    match sandbox.upgrade() {
        Some(sandbox) => Json(work(&sandbox.providers)).into_response(),
        None => gone(),
    }
}

async fn counters(State(sandbox): Held) -> Response {
    with(&sandbox, |providers| {
        let all: BTreeMap<&str, Value> = provider_keys()
            .map(|key| {
                let counters = providers.counters(key);
                let live = providers.live_grants(key);
                (key, json!({ "liveGrants": live, "counters": counters }))
            })
            .collect();
        json!(all)
    })
}

async fn trouble(State(sandbox): Held, Json(rule): Json<TroubleRule>) -> Response {
    with(&sandbox, |providers| {
        providers.add_trouble(rule);
        json!({ "inForce": true })
    })
}

async fn no_trouble(State(sandbox): Held) -> Response {
    with(&sandbox, |providers| {
        providers.clear_trouble();
        json!({ "inForce": false })
    })
}

/// How many calls a client may make in how many seconds; none of them: as many as it likes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rate {
    provider: String,
    calls: Option<usize>,
    #[serde(default)]
    seconds: u64,
}

async fn rate(State(sandbox): Held, Json(rate): Json<Rate>) -> Response {
    with(&sandbox, |providers| {
        let limit = rate.calls.map(|calls| RateLimit {
            calls,
            per: Duration::from_secs(rate.seconds.max(1)),
        });
        providers.limit_rate(&rate.provider, limit);
        json!({ "limited": limit.is_some() })
    })
}

/// Whose grants, where.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Whose {
    provider: String,
    username: String,
}

async fn revoke(State(sandbox): Held, Json(whose): Json<Whose>) -> Response {
    with(&sandbox, |providers| {
        let revoked = providers.revoke_grants_of(&whose.provider, &whose.username);
        json!({ "revoked": revoked })
    })
}

async fn replay(State(sandbox): Held, Json(whose): Json<Whose>) -> Response {
    with(&sandbox, |providers| {
        let ended = providers.replay_refresh_token(&whose.provider, &whose.username);
        json!({ "grantEnded": ended })
    })
}

/// Which tokens end.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Kind {
    Access,
    Refresh,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expire {
    provider: String,
    tokens: Kind,
}

async fn expire(State(sandbox): Held, Json(expire): Json<Expire>) -> Response {
    with(&sandbox, |providers| {
        match expire.tokens {
            Kind::Access => providers.expire_access_tokens(&expire.provider),
            Kind::Refresh => providers.expire_refresh_tokens(&expire.provider),
        }
        json!({ "expired": true })
    })
}

/// A new org.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Org {
    name: String,
}

async fn add_org(State(sandbox): Held, Json(org): Json<Org>) -> Response {
    with(&sandbox, |providers| {
        providers.add_org(&org.name);
        let users: Vec<String> = providers.users().into_iter().map(|u| u.username).collect();
        json!({ "users": users })
    })
}
