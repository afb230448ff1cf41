//! `/v1/tenants`: the vendor's machine client manages tenants and who belongs to them.

mod create;
mod delete;
mod delete_member;
mod get;
mod list;
mod list_members;
mod member;
mod offboarding;
mod put_member;
mod rename;
mod resume;
mod suspend;
mod turn;
pub(crate) mod warehouse;
pub(crate) mod work;

use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use jiff::Timestamp;
use serde::Serialize;
use tributary::{
    error::{Error, Fault, Kind},
    id::TenantId,
    store::Store,
    tenancy::{HostingMode, Tenant, TenantState},
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    App,
    edge::{etag, json},
};
use member::Member;

/// Routes of tenants.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create::create_tenant, list::list_tenants))
        .routes(routes!(
            get::get_tenant,
            rename::rename_tenant,
            delete::delete_tenant
        ))
        .routes(routes!(suspend::suspend_tenant))
        .routes(routes!(resume::resume_tenant))
        .routes(routes!(offboarding::get::get_offboarding))
        .routes(routes!(
            warehouse::get::get_warehouse,
            warehouse::put::put_warehouse
        ))
        .routes(routes!(list_members::list_members))
        .routes(routes!(
            put_member::put_member,
            delete_member::delete_member
        ))
}

/// A tenant, as it is shown.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TenantView {
    id: TenantId,
    name: String,
    /// Where its flows run unless an account says otherwise.
    hosting: HostingMode,
    /// Where it stands.
    state: TenantState,
    /// Since when it stands there.
    #[schema(value_type = String, format = DateTime)]
    state_since: Timestamp,
    /// Why it is suspended, in the operator's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// Counts changes; also the entity tag.
    version: u64,
    /// Who belongs to it; absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    members: Option<Vec<member::MemberView>>,
}

impl TenantView {
    fn of(tenant: Tenant, members: Option<Vec<Member>>) -> Self {
        let Tenant {
            id,
            name,
            hosting,
            state,
            state_since,
            reason,
            created_at,
            updated_at,
            version,
            due_shard: _,
            due_at: _,
            failures: _,
        } = tenant;
        Self {
            id,
            name,
            hosting,
            state,
            state_since,
            reason,
            created_at,
            updated_at,
            version,
            members: members
                .map(|members| members.into_iter().map(member::MemberView::of).collect()),
        }
    }
}

/// A tenant with its entity tag.
fn tagged(tenant: Tenant, members: Option<Vec<Member>>) -> Result<Response, Error> {
    let tag = etag(tenant.version);
    let mut response = json(StatusCode::OK, &TenantView::of(tenant, members))?;
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

/// Reads a tenant that is there, or is leaving; of one that is gone, only the receipt is shown.
async fn present(store: &Store, id: TenantId) -> Result<Tenant, Error> {
    let tenant = Tenant::load(store, id).await?;
    match tenant.state {
        TenantState::Active | TenantState::Suspended => Ok(tenant),
        TenantState::Leaving | TenantState::Gone => Err(leaving()),
    }
}

/// Adds what is wrong with a tenant's name.
fn check_name(faults: &mut Vec<Fault>, name: &str) {
    let characters = name.trim().chars().count();
    if !(1..=128).contains(&characters) || name.chars().any(char::is_control) {
        faults.push(Fault::new(
            "/name",
            "invalid_name",
            "1 to 128 characters, not only blanks, no control characters.",
        ));
    }
}

/// The answer to changes of a tenant that is leaving, or has left.
fn leaving() -> Error {
    Error::new(
        Kind::Conflict,
        "tenant_leaving",
        "This tenant is leaving, or has left. There is no way back.",
    )
}

/// The one answer when a subject belongs to some tenant already: it does not say to which.
fn subject_taken() -> Error {
    Error::new(
        Kind::Conflict,
        "subject_taken",
        "One of these subjects belongs to a tenant already.",
    )
}
