//! AWS accounts of tenants.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
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
    /// `with_external_id`, `without_external_id`, `with_wrong_external_id`, `account` or
    /// `event_forwarding`.
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

/// What the self-test found out about one action that the role needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PermissionOutcome {
    /// IAM let a call of it through.
    Allowed,
    /// IAM refused it.
    Missing,
    /// No answer that proves anything; try again.
    Inconclusive,
    /// It cannot be tried without an effect.
    NotProbed,
}

/// One action that the role needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Permission {
    /// The action, as IAM names it.
    #[schema(example = "appflow:StartFlow")]
    pub action: String,
    /// What was found.
    pub outcome: PermissionOutcome,
    /// Why nothing was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// AWS's request id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// When it was tried.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
}

/// Something about the role that is no failure and better otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Warning {
    /// `role_too_broad`.
    #[schema(example = "role_too_broad")]
    pub code: String,
    /// What it means and what to do.
    pub detail: String,
}

/// What verification found, kept with the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VerificationReport {
    /// Whether every probe passed and no permission is missing.
    pub passed: bool,
    /// Why not: `role_not_assumable`, `role_assumable_without_external_id`,
    /// `role_assumable_with_wrong_external_id`, `wrong_account`, `permissions_missing`,
    /// `events_not_forwarded`, `inconclusive`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The probes, in order.
    pub probes: Vec<Probe>,
    /// What the role needs, action by action; empty when the role was not proven.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<Permission>,
    /// The actions that the role lacks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// The statements of a policy that would add what is missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    pub statements: Vec<Value>,
    /// What is no failure and better otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

/// An event that verification sent through an account, as it is stored until it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventProbe {
    /// Whose account it was sent through.
    pub tenant_id: TenantId,
    /// That account.
    pub account_id: AccountId,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// When it came out at our end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrived_at: Option<Timestamp>,
    /// When it is forgotten, epoch seconds.
    pub expires_at: i64,
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
    /// When the role is checked again, epoch milliseconds; absent while it was never proven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<i64>,
    /// Checks in a row that proved nothing.
    #[serde(default)]
    pub checks_failed: u32,
    /// Quotas of AppFlow that are nearly used up, as the tenant was told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scarce: Vec<String>,
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
