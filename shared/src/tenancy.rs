//! Tenants, their AWS accounts, and the sessions in which we act there.

mod account;
mod arn;
mod assumed;
mod checks;
mod flights;
mod scope;
mod sessions;
mod tenant;
mod warehouse;

pub use account::{
    Account, AccountState, EventProbe, HostingMode, Permission, PermissionOutcome, Probe,
    ProbeOutcome, VerificationReport, Warning,
};
pub use arn::{InvalidRoleArn, RoleArn};
pub use assumed::AssumeError;
pub use checks::{CHECK_SHARD, session};
pub use scope::{ScopeConfig, TenantScope, TenantScopes};
pub use sessions::{RoleSessions, VendorRole};
pub use tenant::{TENANT_SHARD, Tenant, TenantState};
pub use warehouse::WarehouseSessions;
