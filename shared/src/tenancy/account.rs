//! AWS accounts of tenants.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::RoleArn;
use crate::{
    error::Error,
    id::{AccountId, TenantId},
    store::{Key, Store},
};

/// In whose AWS account flows run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum HostingMode {
    /// In the customer's own account, through a role with an external id.
    Customer,
    /// In the vendor's account.
    Vendor,
}

/// Where an account stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum AccountState {
    /// Waiting for the customer to launch the template and for us to prove the role.
    Pending,
    /// The role is proven.
    Verified,
    /// The role was proven once and no longer is.
    Degraded,
}

/// What a probe of a role found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ProbeOutcome {
    /// As it must be.
    Passed,
    /// Not as it must be.
    Failed,
    /// No answer that proves anything; try again.
    Inconclusive,
}

/// One probe of a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Probe {
    /// `with_external_id`, `without_external_id`, `with_wrong_external_id` or `account`.
    #[schema(example = "without_external_id")]
    pub name: String,
    /// What it found.
    pub outcome: ProbeOutcome,
    /// What it means and what to do.
    pub detail: String,
    /// AWS's request id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
}

/// What verification found, kept with the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VerificationReport {
    /// Whether every probe passed.
    pub passed: bool,
    /// Why not: `role_not_assumable`, `role_assumable_without_external_id`,
    /// `role_assumable_with_wrong_external_id`, `wrong_account`, `inconclusive`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The probes, in order.
    pub probes: Vec<Probe>,
}

/// An AWS account of a tenant, as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// The twelve digits.
    pub aws_account_id: String,
    /// The Region in which flows run.
    pub region: String,
    /// In whose account flows run.
    pub hosting: HostingMode,
    /// The role that we assume.
    pub role_arn: RoleArn,
    /// Made by us, sent with every assumption, never accepted from outside.
    pub external_id: String,
    /// Where it stands.
    pub state: AccountState,
    /// The last verification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<VerificationReport>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Counts changes; the entity tag.
    pub version: u64,
}

impl Account {
    /// Reads an account of a tenant.
    pub async fn load(
        store: &Store,
        tenant: TenantId,
        id: AccountId,
    ) -> Result<Option<Self>, Error> {
        Ok(store.get(&Key::account(tenant, id)).await?)
    }
}
