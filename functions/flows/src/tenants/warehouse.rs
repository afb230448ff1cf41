//! Which schemas of the vendor's warehouse a tenant's flows may load that run in the vendor's account
//! (docs/adr/0016). The record is the tenant's: its own scope reads it, and it goes with the tenant.

pub(super) mod get;
pub(super) mod put;
mod schema;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tributary::{
    error::Error,
    id::TenantId,
    store::{Key, Store},
};
use utoipa::ToSchema;

/// What a tenant may load, as it is stored. Nothing, until the operator says so.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Warehouse {
    /// Names of schemas, in the operator's order.
    pub(crate) schemas: Vec<String>,
    /// When the list was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    updated_at: Option<Timestamp>,
}

impl Warehouse {
    /// Reads what a tenant may load.
    pub(crate) async fn load(store: &Store, tenant: TenantId) -> Result<Self, Error> {
        let found = store.get(&Key::warehouse(tenant)).await?;
        Ok(found.unwrap_or_default())
    }
}

/// What a tenant may load, as it is shown.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct WarehouseView {
    /// Schemas of the vendor's warehouse that the tenant's flows in the vendor's account may load.
    #[schema(example = json!(["sports_gear"]))]
    schemas: Vec<String>,
    /// When the list was last changed; absent if it never was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    updated_at: Option<Timestamp>,
}

impl WarehouseView {
    fn of(warehouse: Warehouse) -> Self {
        let Warehouse {
            schemas,
            updated_at,
        } = warehouse;
        Self {
            schemas,
            updated_at,
        }
    }
}
