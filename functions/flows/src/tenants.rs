//! `/v1/tenants`: the vendor's machine client manages tenants and who belongs to them.

mod create;
mod delete_member;
mod get;
mod list;
mod member;
mod put_member;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tributary::{
    error::{Error, Kind},
    id::TenantId,
    store::{Key, Store},
    tenancy::HostingMode,
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::App;
use member::Member;

/// Routes of tenants.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create::create_tenant, list::list_tenants))
        .routes(routes!(get::get_tenant))
        .routes(routes!(
            put_member::put_member,
            delete_member::delete_member
        ))
}

/// A tenant, as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Tenant {
    id: TenantId,
    name: String,
    hosting: HostingMode,
    created_at: Timestamp,
}

impl Tenant {
    async fn load(store: &Store, id: TenantId) -> Result<Self, Error> {
        let found: Option<Self> = store.get(&Key::tenant(id)).await?;
        found.ok_or_else(Error::not_found)
    }
}

/// A tenant, as it is shown.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TenantView {
    id: TenantId,
    name: String,
    /// Where its flows run unless an account says otherwise.
    hosting: HostingMode,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
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
            created_at,
        } = tenant;
        Self {
            id,
            name,
            hosting,
            created_at,
            members: members
                .map(|members| members.into_iter().map(member::MemberView::of).collect()),
        }
    }
}

/// The one answer when a subject belongs to some tenant already: it does not say to which.
fn subject_taken() -> Error {
    Error::new(
        Kind::Conflict,
        "subject_taken",
        "One of these subjects belongs to a tenant already.",
    )
}
