//! `PUT /v1/tenants/{id}/members/{subject}`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use tributary::{
    error::Error,
    http::{Json, Problem},
    id::TenantId,
    identity::Role,
    sign_off,
    store::{Key, Update},
};
use utoipa::ToSchema;

use super::{
    member::{self, Member, MemberView},
    present, subject_taken,
};
use crate::{
    App, TenantApp,
    edge::{Operator, id_in_path, json},
};

/// What a member may do.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct MemberChange {
    /// E-mail address, for people who read the list.
    #[serde(default)]
    email: Option<String>,
    /// What the member may do.
    roles: Vec<Role>,
}

/// Adds a member or changes its roles. The next token that is issued carries them; those that carry
/// other roles end within a minute.
#[utoipa::path(put, path = "/v1/tenants/{id}/members/{subject}", tag = "tenants", params(
    ("id" = TenantId, Path, description = "The tenant"),
    ("subject" = String, Path, description = "Subject at the identity provider"),
), request_body = MemberChange, responses(
    (status = 200, body = MemberView),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn put_member(
    State(app): State<App>,
    _: Operator,
    Path((id, subject)): Path<(String, String)>,
    Json { value, .. }: Json<MemberChange>,
) -> Result<Response, Error> {
    let tenant = present(&app.store, id_in_path::<TenantId>(&id)?).await?;
    let app = app.for_operator(tenant.id).await?;
    let mut faults = Vec::new();
    member::check(
        &mut faults,
        "",
        &subject,
        value.email.as_deref(),
        &value.roles,
    );
    if !faults.is_empty() {
        return Err(Error::unprocessable(
            "invalid_member",
            "The member breaks rules.",
            faults,
        ));
    }
    let member = Member {
        subject,
        tenant_id: tenant.id,
        roles: value.roles,
        email: value.email,
        created_at: Timestamp::now(),
    };
    let items = member.keys().map(|key| (key, member.clone()));
    match app.store.insert_together(&items).await {
        Err(error) if error.is_condition() => change(&app, &member).await?,
        other => other?,
    }
    json(StatusCode::OK, &MemberView::of(member))
}

/// Changes a member that is there already; the subject's own item decides whose it is.
async fn change(app: &TenantApp, member: &Member) -> Result<(), Error> {
    let key = Key::subject(&member.subject);
    let known: Option<Member> = app.store.get(&key).await?;
    let known = known
        .filter(|known| known.tenant_id == member.tenant_id)
        .ok_or_else(subject_taken)?;
    // First: a crash after the change would leave tokens with the old roles and nobody to end them.
    if known.roles != member.roles {
        sign_off::end_person(&app.shared, &app.auth.issuer, &member.subject).await?;
    }
    let update = Update::new()
        .set("roles", &member.roles)
        .set_or_remove("email", member.email.as_ref())
        .when_equal("tenant_id", member.tenant_id);
    match app.store.update::<Member>(&key, update).await {
        Err(error) if error.is_condition() => return Err(subject_taken()),
        other => other?,
    };
    let listed = Key::member(member.tenant_id, &member.subject);
    app.store.put(&listed, member).await?;
    Ok(())
}
