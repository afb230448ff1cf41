//! `POST /login`: the password, then the redirect with a code.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use http::StatusCode;

use super::{
    Oidc,
    authorize::{Transaction, sign_in_page},
    sessions::{Code, Session},
};
use crate::{html::refusal, oauth::redirect, params::Form, random::same_secret, server::annotated};

/// Wrong passwords that one sign-in page takes.
const ATTEMPTS: u32 = 5;

pub(super) async fn login(State(oidc): State<Arc<Oidc>>, Form { params, .. }: Form) -> Response {
    let now = oidc.now();
    let id = params.get("transaction").unwrap_or_default();
    // Taken out, so that two answers to one page cannot both pass.
    let transaction = oidc
        .state()
        .transactions
        .remove(id)
        .filter(|transaction| now < transaction.expires_at);
    let Some(transaction) = transaction else {
        return refusal(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "This page was answered before or waited too long. Start again where you came from.",
        );
    };
    let user = params
        .get("username")
        .and_then(|name| oidc.enabled_user(name))
        .filter(|user| {
            params
                .get("password")
                .is_some_and(|given| same_secret(given, &user.password))
        });
    let Some(user) = user else {
        let note = "sign_in=refused".to_owned();
        let failures = transaction.failures + 1;
        if failures >= ATTEMPTS {
            let gone = refusal(
                StatusCode::FORBIDDEN,
                "too_many_attempts",
                "Too many attempts. Start again where you came from.",
            );
            return annotated(gone, None, note);
        }
        oidc.state().transactions.insert(
            id.to_owned(),
            Transaction {
                failures,
                ..transaction
            },
        );
        // The same words whether the user, the password or the account is the reason.
        let again = sign_in_page(
            &oidc,
            StatusCode::UNAUTHORIZED,
            id,
            Some("User or password is wrong."),
        );
        return annotated(again, None, note);
    };
    let Transaction {
        redirect_uri,
        scopes,
        state,
        nonce,
        challenge,
        expires_at: _,
        failures: _,
    } = transaction;
    let auth_time = jiff::Timestamp::now().as_second();
    let code = Code {
        session: Session::new(&user.name, scopes, auth_time),
        redirect_uri: redirect_uri.clone(),
        challenge,
        nonce,
    };
    let code = oidc.state().sessions.code(code, now);
    oidc.options.canaries.seed("oidc authorization code", &code);
    let mut answer = vec![("code", code.as_str())];
    answer.extend(state.as_deref().map(|state| ("state", state)));
    annotated(
        redirect(&redirect_uri, &answer),
        Some(&user.name),
        "sign_in=accepted".to_owned(),
    )
}
