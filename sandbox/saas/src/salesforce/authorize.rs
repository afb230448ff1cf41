//! The authorization endpoint: the consent page and its answer.

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use http::StatusCode;

use super::{Salesforce, grants::Approval};
use crate::{
    html::{escape, page, refusal},
    oauth::{is_s256_challenge, redirect},
    params::{Form, Params},
    random,
    server::annotated,
};

/// How long a consent page may stay open.
const TRANSACTION_LIFE: i64 = 10 * 60 * 1000;

/// Scopes that the app may ask for.
const SCOPES: &[&str] = &[
    "api",
    "refresh_token",
    "offline_access",
    "id",
    "openid",
    "profile",
    "email",
    "full",
    "web",
];

/// A consent page that waits for its answer.
pub(super) struct Transaction {
    redirect_uri: String,
    scope: String,
    state: Option<String>,
    challenge: String,
    expires_at: i64,
}

/// `GET /services/oauth2/authorize`
pub(super) async fn show(
    State(salesforce): State<Arc<Salesforce>>,
    RawQuery(query): RawQuery,
) -> Response {
    let params = Params::parse(query.as_deref().unwrap_or_default());
    if params.get("client_id") != Some(&salesforce.options.client_id) {
        return refusal(
            StatusCode::BAD_REQUEST,
            "invalid_client_id",
            "The client identifier is invalid.",
        );
    }
    let registered = params.get("redirect_uri").filter(|uri| {
        salesforce
            .state()
            .redirect_uris
            .iter()
            .any(|known| known == uri)
    });
    let Some(redirect_uri) = registered else {
        return refusal(
            StatusCode::BAD_REQUEST,
            "redirect_uri_mismatch",
            "The redirect URI must match the configuration of the app.",
        );
    };
    match transaction(&params, redirect_uri, salesforce.now()) {
        Err((error, description)) => {
            let mut answer = vec![("error", error), ("error_description", description)];
            answer.extend(params.get("state").map(|state| ("state", state)));
            annotated(
                redirect(redirect_uri, &answer),
                None,
                format!("error={error}"),
            )
        }
        Ok(transaction) => {
            let id = random::token(24);
            salesforce
                .options
                .canaries
                .seed("salesforce consent transaction", &id);
            let response = consent(&salesforce, &transaction, &id);
            salesforce.state().transactions.insert(id, transaction);
            annotated(response, None, "consent=shown".to_owned())
        }
    }
}

fn transaction(
    params: &Params,
    redirect_uri: &str,
    now: i64,
) -> Result<Transaction, (&'static str, &'static str)> {
    if params.repeat() {
        return Err(("invalid_request", "a parameter is repeated"));
    }
    if params.get("response_type") != Some("code") {
        return Err((
            "unsupported_response_type",
            "response type is not supported",
        ));
    }
    let Some(challenge) = params.get("code_challenge") else {
        return Err(("invalid_request", "missing required code challenge"));
    };
    if params.get("code_challenge_method") != Some("S256") || !is_s256_challenge(challenge) {
        return Err(("invalid_request", "invalid code challenge"));
    }
    let scope = params.get("scope").unwrap_or("api id");
    if !scope.split(' ').all(|s| SCOPES.contains(&s)) {
        return Err(("invalid_scope", "the requested scope is not allowed"));
    }
    Ok(Transaction {
        redirect_uri: redirect_uri.to_owned(),
        scope: scope.to_owned(),
        state: params.get("state").map(str::to_owned),
        challenge: challenge.to_owned(),
        expires_at: now.saturating_add(TRANSACTION_LIFE),
    })
}

fn consent(salesforce: &Salesforce, transaction: &Transaction, id: &str) -> Response {
    let users = salesforce
        .options
        .users
        .iter()
        .map(|user| {
            format!(
                "<option value=\"{0}\">{1} ({0})</option>",
                escape(&user.username),
                escape(&user.display_name)
            )
        })
        .collect::<Vec<String>>()
        .concat();
    let scopes = transaction
        .scope
        .split(' ')
        .map(|scope| format!("<li><code>{}</code></li>", escape(scope)))
        .collect::<Vec<String>>()
        .concat();
    page(
        StatusCode::OK,
        "Allow access?",
        &format!(
            "<p>Tributary asks for access to your org:</p>\n<ul>{scopes}</ul>\n\
             <!-- POST transaction, decision=allow|deny and optionally username: curl can do it too. -->\n\
             <form method=\"post\" action=\"/services/oauth2/authorize\">\n\
             <input type=\"hidden\" name=\"transaction\" value=\"{}\">\n\
             <label for=\"username\">You grant as</label>\n\
             <select id=\"username\" name=\"username\">{users}</select>\n\
             <button name=\"decision\" value=\"allow\">Allow</button>\n\
             <button class=\"quiet\" name=\"decision\" value=\"deny\">Deny</button>\n</form>",
            escape(id)
        ),
    )
}

/// `POST /services/oauth2/authorize`
pub(super) async fn decide(
    State(salesforce): State<Arc<Salesforce>>,
    Form { params, .. }: Form,
) -> Response {
    let now = salesforce.now();
    let transaction = params
        .get("transaction")
        .and_then(|id| salesforce.state().transactions.remove(id))
        .filter(|transaction| now < transaction.expires_at);
    let Some(transaction) = transaction else {
        return refusal(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "This page was answered before or waited too long. Start again where you came from.",
        );
    };
    let Transaction {
        redirect_uri,
        scope,
        state,
        challenge,
        ..
    } = transaction;
    let user = params
        .get("username")
        .map_or(salesforce.options.users.first(), |username| {
            salesforce.user(username)
        });
    let (outcome, code) = match (params.get("decision"), user) {
        (Some("allow"), Some(user)) => {
            let mut locked = salesforce.state();
            let scope = match &locked.scope_limit {
                Some(limit) => scope
                    .split(' ')
                    .filter(|s| limit.iter().any(|allowed| allowed == s))
                    .collect::<Vec<_>>()
                    .join(" "),
                None => scope,
            };
            let approval = Approval {
                username: user.username.clone(),
                scope,
                redirect_uri: redirect_uri.clone(),
                challenge,
            };
            let code = locked.grants.approve(approval, now);
            salesforce
                .options
                .canaries
                .seed("salesforce authorization code", &code);
            ("allowed", Some(code))
        }
        _ => ("denied", None),
    };
    let mut answer = match &code {
        Some(code) => vec![("code", code.as_str())],
        None => vec![
            ("error", "access_denied"),
            ("error_description", "end-user denied authorization"),
        ],
    };
    answer.extend(state.as_deref().map(|state| ("state", state)));
    annotated(
        redirect(&redirect_uri, &answer),
        user.map(|u| u.username.as_str()),
        format!("consent={outcome}"),
    )
}
