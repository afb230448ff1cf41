//! AWS on loopback: one endpoint, one isolated set of services per account.
//!
//! A request is dispatched by its SigV4 credential scope: the access key tells the account and the
//! principal, the scope tells the Region and the service. Temporary keys count only with their own
//! session token. **The signature itself is not verified**: the endpoint listens on loopback and
//! tells callers apart by key and token, which nobody else knows.
//!
//! Ours: STS with real trust policies, Identity Center's `CreateTokenWithIAM`, and whatever is
//! registered with [`Aws::register`]. Borrowed: DynamoDB, S3, SQS, Secrets Manager, KMS, Glue and
//! CloudWatch of the `winterbaume-*` crates, with their gaps closed in `borrowed`.
//!
//! What a role's session asks for is authorised before it is served (`authorize`): identity policies,
//! the session's policy, the policies of buckets. Administrators of accounts may do everything.

mod account;
mod authorize;
mod aws;
mod borrowed;
mod call;
mod credentials;
mod iam;
mod identity_center;
mod key_schemas;
mod policy;
mod queues;
mod random;
mod refusal;
mod serve;
mod signature;
mod sts;
mod topic;

#[cfg(test)]
mod tests;

pub use authorize::{Act, ExpectedDenial, NotAuthorized, RoleUnderTest, record_permissions};
pub use aws::{Aws, AwsOptions};
pub use credentials::Credentials;
pub use iam::Role;
pub use identity_center::{DirectoryEntry, IdentityCenter};
pub use queues::RoleQueues;
pub use sts::RoleRefused;
