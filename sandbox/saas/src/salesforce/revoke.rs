//! `POST /services/oauth2/revoke`: always 200, also for tokens that nobody knows (RFC 7009 section 2.2).

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;

use super::Salesforce;
use crate::{oauth::OAuthError, params::Form, server::annotated};

pub(super) async fn revoke(
    State(salesforce): State<Arc<Salesforce>>,
    Form { params, .. }: Form,
) -> Response {
    let Some(token) = params.get("token") else {
        return OAuthError::bad("invalid_request", "missing token").into_response();
    };
    salesforce.state().grants.revoke(token);
    annotated(
        StatusCode::OK.into_response(),
        None,
        "outcome=revoked".to_owned(),
    )
}
