//! `GET /logout`: leads back to a registered address. There is no cookie session to end.

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use http::StatusCode;

use super::Oidc;
use crate::{html::refusal, oauth::redirect, params::Params};

pub(super) async fn logout(State(oidc): State<Arc<Oidc>>, RawQuery(query): RawQuery) -> Response {
    let params = Params::parse(query.as_deref().unwrap_or_default());
    let known = params.get("client_id") == Some(&oidc.options.client_id);
    let target = params
        .get("logout_uri")
        .filter(|uri| known && oidc.state().logout_uris.iter().any(|u| u == uri));
    match target {
        Some(uri) => redirect(uri, &[]),
        None => refusal(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "The address to return to is not registered.",
        ),
    }
}
