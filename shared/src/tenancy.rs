//! Tenants, their AWS accounts, and the sessions in which we act there.

mod account;
mod arn;
mod scope;
mod sessions;
mod tenant;

pub use account::{Account, AccountState, HostingMode, Probe, ProbeOutcome, VerificationReport};
pub use arn::{InvalidRoleArn, RoleArn};
pub use scope::{TenantScope, TenantScopes};
pub use sessions::{AssumeError, RoleSessions, VendorRole};
pub use tenant::{TENANT_SHARD, Tenant, TenantState};
