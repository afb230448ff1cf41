//! `GET /oauth2/authorize`: checks the request and shows the sign-in page.

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use http::StatusCode;

use super::Oidc;
use crate::{
    html::{escape, page, refusal},
    oauth::{is_s256_challenge, redirect},
    params::Params,
    random,
    server::annotated,
};

/// How long a sign-in page may stay open, in milliseconds.
const TRANSACTION_LIFE: i64 = 10 * 60 * 1000;

/// A sign-in page that waits for a password.
#[derive(Clone)]
pub(super) struct Transaction {
    pub(super) redirect_uri: String,
    pub(super) scopes: Vec<String>,
    pub(super) state: Option<String>,
    pub(super) nonce: Option<String>,
    pub(super) challenge: String,
    pub(super) expires_at: i64,
    /// Wrong passwords so far.
    pub(super) failures: u32,
}

pub(super) async fn authorize(
    State(oidc): State<Arc<Oidc>>,
    RawQuery(query): RawQuery,
) -> Response {
    let params = Params::parse(query.as_deref().unwrap_or_default());
    if params.get("client_id") != Some(&oidc.options.client_id) {
        return refusal(
            StatusCode::BAD_REQUEST,
            "invalid_client",
            "This application is not known here.",
        );
    }
    let registered = params
        .get("redirect_uri")
        .filter(|uri| oidc.state().redirect_uris.iter().any(|known| known == uri));
    let Some(redirect_uri) = registered else {
        return refusal(
            StatusCode::BAD_REQUEST,
            "redirect_mismatch",
            "The address to return to is not registered.",
        );
    };
    match transaction(&oidc, &params, redirect_uri) {
        Err(error) => {
            let mut answer = vec![("error", error)];
            answer.extend(params.get("state").map(|state| ("state", state)));
            annotated(
                redirect(redirect_uri, &answer),
                None,
                format!("error={error}"),
            )
        }
        Ok(transaction) => {
            let id = random::token(24);
            oidc.options.canaries.seed("oidc sign-in transaction", &id);
            oidc.state().transactions.insert(id.clone(), transaction);
            let shown = sign_in_page(&oidc, StatusCode::OK, &id, None);
            annotated(shown, None, "sign_in=shown".to_owned())
        }
    }
}

fn transaction(
    oidc: &Oidc,
    params: &Params,
    redirect_uri: &str,
) -> Result<Transaction, &'static str> {
    if params.repeat() {
        return Err("invalid_request");
    }
    if params.get("response_type") != Some("code") {
        return Err("unauthorized_client");
    }
    let challenge = params
        .get("code_challenge")
        .filter(|challenge| is_s256_challenge(challenge))
        .filter(|_| params.get("code_challenge_method") == Some("S256"))
        .ok_or("invalid_request")?;
    // Without a scope a client gets all of its own.
    let scopes: Vec<String> = params.get("scope").map_or_else(
        || oidc.options.scopes.clone(),
        |scope| scope.split(' ').map(str::to_owned).collect(),
    );
    if !scopes.iter().all(|s| oidc.options.scopes.contains(s)) {
        return Err("invalid_scope");
    }
    Ok(Transaction {
        redirect_uri: redirect_uri.to_owned(),
        scopes,
        state: params.get("state").map(str::to_owned),
        nonce: params.get("nonce").map(str::to_owned),
        challenge: challenge.to_owned(),
        expires_at: oidc.now().saturating_add(TRANSACTION_LIFE),
        failures: 0,
    })
}

/// The sign-in page, with a fault to correct if there is one.
pub(super) fn sign_in_page(
    oidc: &Oidc,
    status: StatusCode,
    transaction: &str,
    fault: Option<&str>,
) -> Response {
    let users = oidc
        .options
        .users
        .iter()
        .map(|user| {
            format!(
                "<option value=\"{0}\">{0} ({1})</option>",
                escape(&user.name),
                escape(&user.groups.join(", "))
            )
        })
        .collect::<Vec<String>>()
        .concat();
    let fault = fault.map_or_else(String::new, |fault| {
        format!("<p role=\"alert\">{}</p>\n", escape(fault))
    });
    page(
        status,
        "Sign in",
        &format!(
            "{fault}<!-- POST transaction, username and password: curl can do it too. -->\n\
             <form method=\"post\" action=\"/login\">\n\
             <input type=\"hidden\" name=\"transaction\" value=\"{}\">\n\
             <label for=\"username\">User</label>\n\
             <select id=\"username\" name=\"username\">{users}</select>\n\
             <label for=\"password\">Password</label>\n\
             <input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"current-password\" required>\n\
             <button>Sign in</button>\n</form>",
            escape(transaction)
        ),
    )
}
