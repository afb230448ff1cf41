//! The sandbox's own control page: what a person does outside of Tributary (launch a stack in an AWS
//! account, move the clock, revoke a grant) and what a subscriber received.

mod mail;
mod mischief;
mod providers;
mod subscribers;
mod warehouse;

use std::sync::{Arc, Weak};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;

use crate::Sandbox;

pub(crate) fn serve(sandbox: &Arc<Sandbox>, listener: TcpListener) {
    let app = Router::new()
        .route("/", get(index))
        .route("/notifications", get(notifications))
        .route("/launch", post(launch))
        .route("/clock", post(clock))
        .route("/salesforce/revoke", post(revoke))
        .merge(mail::routes())
        .merge(mischief::routes())
        .merge(providers::routes())
        .merge(subscribers::routes())
        .merge(warehouse::routes())
        .with_state(Arc::downgrade(sandbox));
    tokio::spawn(async move {
        // Serving ends with the process.
        let _ = axum::serve(listener, app).await;
    });
}

type Held = State<Weak<Sandbox>>;

fn gone() -> Response {
    StatusCode::SERVICE_UNAVAILABLE.into_response()
}

async fn index(State(sandbox): Held) -> Response {
    let Some(sandbox) = sandbox.upgrade() else {
        return gone();
    };
    let rows = [
        ("API", sandbox.api_url.as_str()),
        ("AWS endpoint", sandbox.aws_url.as_str()),
        ("Salesforce", sandbox.salesforce_url.as_str()),
        ("Other OAuth providers", sandbox.providers_url.as_str()),
        ("Identity provider", sandbox.oidc_url.as_str()),
    ]
    .map(|(name, url)| {
        format!("<tr><th scope=\"row\">{name}</th><td><a href=\"{url}\">{url}</a></td></tr>")
    })
    .concat();
    let connect = providers::how_to_connect();
    Html(format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Tributary sandbox</title>\
         <style>body{{font:16px/1.5 system-ui;max-width:44rem;margin:3rem auto;padding:0 1rem}}th,td{{text-align:left;padding-right:2rem}}</style>\
         <h1>Tributary sandbox</h1><table>{rows}</table>\
         <p><a href=\"{}auth/login\">Sign in</a> as frank, ming, ethan or alex (password <code>&lt;name&gt;-password-local</code>). \
         <a href=\"/subscribers\">What subscribers received</a>, \
         <a href=\"/notifications\">notifications</a> as JSON, and \
         <a href=\"/mail\">mail</a>.</p>\
         <h2>Connect an application</h2>\
         <p>Create a connection with the API, open its start link in this browser, and sign in where it leads:</p>\
         <table><thead><tr><th scope=\"col\">Application</th><th scope=\"col\">Instance</th><th scope=\"col\">User</th>\
         <th scope=\"col\">Password</th></tr></thead><tbody>{connect}</tbody></table>\
         <p>A second org is <code>globex</code>, with <code>oscar@globex.example</code> \
         (<code>oscar-password-local</code>). What each provider <a href=\"/providers\">counted</a>, \
         and who asked the warehouse <a href=\"/cloudtrail\">on whose behalf</a>.</p></html>",
        sandbox.api_url
    ))
    .into_response()
}

async fn notifications(State(sandbox): Held) -> Response {
    let Some(sandbox) = sandbox.upgrade() else {
        return gone();
    };
    Json(sandbox.notifications().await).into_response()
}

/// A launch link, confirmed in the console of an account.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Launch {
    account: String,
    launch_url: String,
}

async fn launch(State(sandbox): Held, Json(launch): Json<Launch>) -> Response {
    let Some(sandbox) = sandbox.upgrade() else {
        return gone();
    };
    let Some(parameters) = Sandbox::launch_parameters(&launch.launch_url) else {
        return (
            StatusCode::BAD_REQUEST,
            Json(json!({ "error": "launchUrl is not a launch link" })),
        )
            .into_response();
    };
    match sandbox
        .launch_customer_stack(&launch.account, parameters)
        .await
    {
        Ok(()) => Json(json!({ "launched": true })).into_response(),
        Err(error) => (
            StatusCode::BAD_REQUEST,
            Json(json!({ "error": error.to_string() })),
        )
            .into_response(),
    }
}

/// How far to move the clock.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Forward {
    forward_seconds: u64,
}

async fn clock(State(sandbox): Held, Json(forward): Json<Forward>) -> Response {
    let Some(sandbox) = sandbox.upgrade() else {
        return gone();
    };
    sandbox
        .clock
        .advance(std::time::Duration::from_secs(forward.forward_seconds));
    Json(json!({ "now": sandbox.clock.now() })).into_response()
}

/// Whose grants end.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Revoke {
    username: String,
}

async fn revoke(State(sandbox): Held, Json(revoke): Json<Revoke>) -> Response {
    let Some(sandbox) = sandbox.upgrade() else {
        return gone();
    };
    let revoked = sandbox.salesforce.revoke_grants_of(&revoke.username);
    Json(json!({ "revoked": revoked })).into_response()
}
