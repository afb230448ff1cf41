//! `/v1/buckets`: buckets of an account, and what their policies let AppFlow do.

mod list;
mod merge;
pub(crate) mod policy;
mod put_policy;
mod show_policy;
mod view;

use serde_json::Value;
use tributary::{
    error::{Error, Kind},
    id::TenantId,
    store::key::sha256_hex,
    tenancy::{Account, HostingMode},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    App, TenantApp, accounts,
    compile::permissions::{Access, BucketNeed},
    edge::id_in_path,
    s3::{BucketName, S3},
};

/// What the names of buckets begin with whose policies our roles may see and change.
pub(crate) const OURS: &str = "tributary-";

/// Routes of buckets.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list::list_buckets))
        .routes(routes!(show_policy::show_policy, put_policy::put_policy))
}

/// An account of the tenant, by what a caller says is its id.
async fn account(app: &TenantApp, tenant: TenantId, unverified: &str) -> Result<Account, Error> {
    accounts::find(app, tenant, id_in_path(unverified)?).await
}

/// What AppFlow needs of a bucket so that every flow of ours in the account can use it. All reads are
/// let in, because columns are read for no flow; writes are for our flows only.
fn need(account: &Account, bucket: &BucketName, access: Access) -> BucketNeed {
    let arns = format!(
        "arn:{}:appflow:{}:{}:",
        account.role_arn.partition(),
        account.region,
        account.aws_account_id
    );
    BucketNeed {
        bucket: bucket.as_str().to_owned(),
        accesses: [access].into(),
        aws_account_id: account.aws_account_id.clone(),
        source_arns: vec![match access {
            Access::Read => format!("{arns}*"),
            Access::Write => format!("{arns}flow/tributary-*"),
        }],
    }
}

/// The policy of a bucket that flows of the account can use: it is there, in the account, and in its
/// Region.
async fn current(s3: &S3, account: &Account, bucket: &BucketName) -> Result<Current, Error> {
    // What belongs to the vendor and is not for flows does not exist for tenants.
    if account.hosting == HostingMode::Vendor && !bucket.as_str().starts_with(OURS) {
        return Err(Error::not_found());
    }
    let region = s3.location(bucket).await?;
    if region != account.region {
        let text = format!(
            "This bucket is in {region} and the account's flows are in {}; AppFlow cannot use it.",
            account.region
        );
        return Err(Error::new(Kind::Conflict, "other_region", text));
    }
    Current::read(s3.policy(bucket).await?)
}

/// The policy of a bucket as it is.
struct Current {
    policy: Option<Value>,
    /// Names this text; the number in the ETag.
    version: u64,
}

impl Current {
    fn read(text: Option<String>) -> Result<Self, Error> {
        let version = sha256_hex(text.as_deref().unwrap_or_default());
        let version = u64::from_str_radix(&version[..16], 16).unwrap_or_default();
        let policy = text.map(|text| serde_json::from_str(&text)).transpose();
        let policy = policy.map_err(|error| {
            let text = "The bucket's policy is no JSON that we can read; it is left as it is.";
            Error::new(Kind::Conflict, "policy_unreadable", text).with_source(error)
        })?;
        Ok(Self { policy, version })
    }
}
