//! Two tenants, one of which gets limits of its own.

use std::sync::Arc;

use sandbox::Sandbox;
use sandbox_core::VENDOR_ACCOUNT;
use serde_json::json;

use crate::common::{self, Tenant};

/// A noisy tenant and a quiet one.
pub(super) struct World {
    pub(super) sandbox: Arc<Sandbox>,
    /// Frank (admin).
    pub(super) noisy: Tenant,
    /// Alex (admin).
    pub(super) quiet: Tenant,
}

pub(super) async fn build() -> World {
    let sandbox = common::start().await;
    let noisy = common::tenant(&sandbox, "Noisy", &[("frank", "admin")]).await;
    let quiet = common::tenant(&sandbox, "Quiet", &[("alex", "admin")]).await;
    World {
        sandbox,
        noisy,
        quiet,
    }
}

impl World {
    pub(super) async fn limit(&self, party: &str, class: &str, own: &str) {
        limit(&self.sandbox, party, class, own).await;
    }
}

/// Gives a party a limit of its own, as docs/OPERATIONS.md says.
pub(crate) async fn limit(sandbox: &Sandbox, party: &str, class: &str, limit: &str) {
    let update = json!({
        "TableName": sandbox.stack.resources["Table"].physical_id(),
        "Key": { "pk": { "S": format!("LIMIT#{party}") }, "sk": { "S": class } },
        "UpdateExpression": "SET own_limit = :limit",
        "ExpressionAttributeValues": { ":limit": { "S": limit } },
    });
    let admin = sandbox.aws.admin(VENDOR_ACCOUNT);
    let reply = sandbox
        .aws
        .call(&admin, "dynamodb", "UpdateItem", &update)
        .await;
    assert!(reply.status.is_success(), "{:?}", reply.body);
}
