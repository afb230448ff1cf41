//! `GET /auth/login`: sends a browser to the identity provider.

use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use jiff::Timestamp;
use serde_json::json;
use tributary::{
    error::Result,
    http::Problem,
    oauth::{Pkce, random_token},
    secret::Secret,
    store::{Key, key::sha256_hex},
    vault::NO_TENANT,
};

use super::{KIND, LoginState, TRANSACTION_SECONDS};
use crate::{app::App, cookie, edge::see_other, query::once, return_to::ReturnTo};

/// Begins a sign-in.
#[utoipa::path(get, path = "/auth/login", tag = "sign-in",
    params(("return_to" = Option<String>, Query, description = "Where to go afterwards: a path, or a URL on an application's origin.")),
    responses(
        (status = 303, description = "To the identity provider, with a transaction cookie."),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn login(State(app): State<App>, RawQuery(query): RawQuery) -> Result<Response> {
    let return_to = match once(query.as_deref().unwrap_or_default(), "return_to")? {
        Some(unverified) => ReturnTo::parse(&unverified, &app.config.app_origins)?,
        None => app.config.app_origins.home(),
    };
    let metadata = app.sign_in.metadata().await?;
    let (pkce, state, nonce) = (Pkce::new()?, random_token()?, random_token()?);
    let binding = random_token()?;
    let sealed = app
        .sign_ins
        .seal_for(
            NO_TENANT,
            &[KIND, &sha256_hex(state.expose())],
            &Secret::new(
                json!({"verifier": pkce.verifier.expose(), "nonce": nonce.expose()}).to_string(),
            ),
        )
        .await?;
    let transaction = LoginState {
        sealed,
        cookie_hash: sha256_hex(binding.expose()),
        return_to,
        expires_at: Timestamp::now().as_second() + TRANSACTION_SECONDS,
    };
    app.shared
        .insert(&Key::login(state.expose()), &transaction)
        .await?;
    let to = app
        .sign_in
        .authorize_url(&metadata, &state, &nonce, &pkce.challenge);
    let cookie = cookie::set(
        &cookie::transaction(KIND, &state),
        &binding,
        TRANSACTION_SECONDS,
    )?;
    see_other(to.as_str(), [cookie])
}
