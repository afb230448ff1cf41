//! `GET /v1/me`: who the API takes the caller for.

use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use tributary::{
    error::Error,
    http::{Problem, SignedIn},
    id::TenantId,
    identity::Role,
};
use utoipa::ToSchema;

use crate::edge::json;

/// The caller, as the API sees it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Me {
    /// Who vouched.
    issuer: String,
    /// Unique within the issuer.
    subject: String,
    /// The tenant; absent for the vendor's own clients.
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant_id: Option<TenantId>,
    /// What the caller may do within the tenant.
    roles: Vec<Role>,
    /// Groups, as the identity provider names them.
    groups: Vec<String>,
    /// Whether this is one of the vendor's own machine clients.
    operator: bool,
}

/// Says who the API takes the caller for.
#[utoipa::path(get, path = "/v1/me", tag = "me", responses(
    (status = 200, body = Me),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn me(SignedIn(caller): SignedIn) -> Result<Response, Error> {
    let identity = caller.identity;
    json(
        StatusCode::OK,
        &Me {
            issuer: identity.issuer.clone(),
            subject: identity.subject.clone(),
            tenant_id: identity.tenant,
            roles: identity.roles.clone(),
            groups: identity.groups.clone(),
            operator: identity.operator,
        },
    )
}
