//! `DELETE /v1/tenants/{id}/members/{subject}`

use axum::{
    extract::{Path, State},
    response::Response,
};
use tributary::{error::Error, http::Problem, id::TenantId, store::Key};

use super::{
    member::{self, Member},
    present,
};
use crate::{
    App,
    edge::{Operator, id_in_path, no_content},
};

/// Takes a member out of a tenant. Tokens that are out already stop working within a minute.
#[utoipa::path(delete, path = "/v1/tenants/{id}/members/{subject}", tag = "tenants", params(
    ("id" = TenantId, Path, description = "The tenant"),
    ("subject" = String, Path, description = "Subject at the identity provider"),
), responses(
    (status = 204),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn delete_member(
    State(app): State<App>,
    _: Operator,
    Path((id, subject)): Path<(String, String)>,
) -> Result<Response, Error> {
    let tenant = present(&app.store, id_in_path::<TenantId>(&id)?).await?;
    let app = app.for_operator(tenant.id).await?;
    let listed = Key::member(tenant.id, &subject);
    let member: Option<Member> = app.store.get(&listed).await?;
    if member.is_none() {
        return Err(Error::not_found());
    }
    member::remove(&app, tenant.id, &subject).await?;
    Ok(no_content())
}
